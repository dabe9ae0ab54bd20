"""What lab 02 is judged on."""

import numpy as np

from coursekit.verdicts import Verdict, compare, together
from solutions.lab02_learning_to_align import reference


def context_backward(student, rng):
    hint = "is it d_context · h_j for each weight, and α_j d_context for each row of memory, for each sentence?"
    for law, (args, _) in _steps(rng):
        d_context, _, _, memory, weights, _ = args
        args = (d_context, weights, memory)
        yield compare(law, student.context_backward(*args), reference.context_backward(*args), hint)


def softmax_backward(student, rng):
    hint = "is it α_j times the difference of d_α_j and their average by the weights of the row?"
    for law, weights, d_weights in _weight_rows(rng):
        reply = student.softmax_backward(weights, d_weights)
        judge = _typed if "float" in law else compare
        yield judge(law, reply, reference.softmax_backward(weights, d_weights), hint)


def scores_backward(student, rng):
    hint = "is it d_e v (1 - tanh²) for each key, their sum over the positions for the query, and Σ d_e tanh for v?"
    for law, ((_, query, keys, _, weights, v), _) in _steps(rng):
        args = (rng.normal(size=weights.shape) * (weights > 0), query, keys, v)
        yield compare(law, student.scores_backward(*args), reference.scores_backward(*args), hint)


def attend_backward(student, rng):
    hint = "is it the three exercises before in turn: context, softmax, scores?"
    *longer, alone = [compare(law, student.attend_backward(*args), reference.attend_backward(*args), hint)
                      for law, (args, _) in _steps(rng)]
    yield from longer
    yield together(alone, longer[0])  # the weight of a single word is always 1, so all gradients are 0


def steps_backward(student, rng):
    hint = "are keys and contexts summed over the steps, and W, U over steps, sentences and positions?"
    for law, (_, args) in _steps(rng):
        yield compare(law, student.steps_backward(*args), reference.steps_backward(*args), hint)


# Cases


def _steps(rng):
    """(law, (arguments of `attend_backward`, arguments of `steps_backward`)), most with unequal lengths."""
    laws = [
        ("sentences of different lengths", 3, 5, 4, 6, 2, 7, [2, 5, 4]),
        ("one sentence has nothing to look at: it adds nothing", 4, 3, 6, 2, 5, 8, [3, 0, 2, 1]),
        ("more steps than positions, and masks with holes", 2, 4, 7, 3, 8, 5, [4, 3]),
        ("a batch of one sentence, widths of 1", 1, 4, 3, 1, 1, 1, [3]),
        ("all sizes equal, numbers in the hundreds", 4, 4, 4, 4, 4, 4, [4, 1, 3, 2]),
        ("sentences of one word, one of them empty, and one step", 3, 1, 1, 4, 5, 2, [1, 0, 1]),
    ]
    for law, B, S, T, E, A, D, lengths in laws:
        mask = np.arange(S) < np.array(lengths)[:, None]
        mask[-1, 0] &= "holes" not in law
        shapes = [(B, E), (B, A), (B, S, A), (B, S, E), (A,)]
        d_context, query, keys, memory, v = (rng.normal(size=shape) for shape in shapes)
        scale = 300 if "hundreds" in law else 1
        weights = _weights(rng, (T, B, S), mask)                        # (T, B, S)
        d_keys = scale * rng.normal(size=(B, T, S, A)) * mask[:, None, :, None]
        shapes = [(B, T, D), (B, T, E), (B, T, A), (E, A)]
        states, d_contexts, d_queries, U = (rng.normal(size=shape) for shape in shapes)
        step = (scale * d_context, query, keys, scale * memory, weights[0], v)
        yield law, (step, (states, memory, weights.swapaxes(0, 1).copy(), d_contexts, scale * d_queries, d_keys, U))


def _weight_rows(rng):
    """(law, weights, d_weights): what a masked softmax returned, and any gradient of it."""
    open_rows = _weights(rng, (4, 3))
    yield "a matrix: each row of gradients sums to 0, and float64 stays float64", open_rows, rng.normal(size=(4, 3))
    prefix = np.arange(5) < np.array([[2], [5], [4]])
    law = "hidden positions get exactly 0, whatever stands in d_weights there"
    yield law, _weights(rng, (3, 5), prefix), np.where(prefix, rng.normal(size=(3, 5)), 1e3)
    holes = np.array([[True, False, True, True], [False] * 4, [False, True, False, True]])
    law = "three axes; a row that saw nothing gets zeros"
    yield law, _weights(rng, (2, 3, 4), np.stack([holes, ~holes])), 2e3 * rng.normal(size=(2, 3, 4))
    law = "the same added to all d_weights of a row changes nothing"
    yield law, open_rows, rng.normal(size=(4, 3)) + np.array([[4e5], [-7.0], [0.0], [50.0]])
    for law, shape in [("float32 stays float32", (4, 6)), ("an axis of length 1, float32: it stays", (2, 1, 5))]:
        yield law, _weights(rng, shape).astype(np.float32), rng.normal(size=shape).astype(np.float32)
    yield "one row, no axis in front", _weights(rng, (4,), holes[0]), rng.normal(size=4)


def _weights(rng, shape, mask=None):
    """Rows of a softmax among the visible positions; zeros where nothing is seen."""
    weights = np.exp(rng.normal(size=shape)) * (np.ones(shape) if mask is None else mask)
    total = weights.sum(axis=-1, keepdims=True)
    return weights / np.where(total == 0, 1, total)


def _typed(law, reply, expected, hint):
    """One verdict for the numbers and the type, which is that of what came in."""
    verdict = compare(law, reply, expected, hint)
    got = getattr(reply.value, "dtype", None)
    if not verdict.passed or got == expected.dtype:
        return verdict
    return Verdict(law, False, f"{expected.dtype} came in, {got} went out: make new arrays with np.zeros_like")
