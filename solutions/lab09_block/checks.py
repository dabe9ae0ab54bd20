"""What lab 09 is judged on.

The ways back receive the trace of the reference as an argument, so that a mistake on the way forward costs its points
once. Attention and layers are given in the notebook, and are not judged here.
"""

import dataclasses
import itertools

import numpy as np

from coursekit.verdicts import Verdict, compare, together
from solutions.lab09_block import reference

NAMES = ["W_Q", "W_K", "W_V", "W_O", "W_1", "b_1", "W_2", "b_2", "gamma_1", "beta_1", "gamma_2", "beta_2"]
TRACE = ["read_1", "x_hat_1", "std_1", "weights", "read_2", "x_hat_2", "std_2", "inner"]


def pre_ln_block(student, rng):
    yield from _forward(student, "pre_ln_block", rng, "is it x + f(LN(x)), twice, each with its own gamma and beta?")


def post_ln_block(student, rng):
    yield from _forward(student, "post_ln_block", rng, "is it LN(x + f(x)), twice, each with its own gamma and beta?")


def pre_ln_block_backward(student, rng):
    hint = "at each residual add what comes back past the sublayer and through it, LayerNorm last; and d_X + d_memory"
    yield from _backward(student, "pre_ln_block", rng, hint)


def post_ln_block_backward(student, rng):
    hint = "each LayerNorm first, then both ways of its sum added: past the sublayer and through it; and d_X + d_memory"
    yield from _backward(student, "post_ln_block", rng, hint)


def _forward(student, name, rng, hint):
    """Verdicts on the output of each case, and one on all traces, which counts only where all outputs are right."""
    right, traces = True, []
    for law, calls in _calls(rng):
        verdicts = []
        for args in calls:
            reply, (expected, trace) = getattr(student, name)(*args), getattr(reference, name)(*args)
            verdicts.append(compare(law, _output(reply), expected, hint))
            traces.append(compare(law, _trace(reply), tuple(trace[key] for key in TRACE)))
        verdict = together(*verdicts)
        if "zero" in law and not right:  # the input itself would do: it counts with the others
            verdict = dataclasses.replace(verdict, passed=False, hint="counts only where the other outputs are right")
        right = right and verdict.passed
        yield verdict
    law = "the trace holds what the way back needs"
    first = next((verdict.hint for verdict in traces if not verdict.passed), "")
    problem = first and f"in the order {', '.join(TRACE)}: {first}"
    yield Verdict(law, right and not problem, problem or "counts only where the outputs are right")


def _backward(student, name, rng, hint):
    """Two verdicts on each case: d_X, and the gradients of the parameters. Where the output weights are zero d_output
    would do for the one and zeros for most of the other, so each counts there only with those of the other cases."""
    right = [True, True]
    for law, calls in _calls(rng):
        of_X, of_parameters = [], []
        for X, parameters, heads, *mask in calls:
            output, trace = getattr(reference, name)(X, parameters, heads, *mask)
            d_output = (1000 if of_X else 1) * rng.normal(size=output.shape)
            args = d_output, trace, parameters, heads
            reply = getattr(student, f"{name}_backward")(*args)
            d_X, gradients = getattr(reference, f"{name}_backward")(*args)
            of_X.append(compare(f"{law}: d_X", _output(reply), d_X, hint))
            of_parameters.append(_gradients(law, reply, gradients, hint))
        for i, verdict in enumerate(itertools.starmap(together, (of_X, of_parameters))):
            if "zero" in law and not right[i]:
                hint = "counts only where those of the other cases are right"
                verdict = dataclasses.replace(verdict, passed=False, hint=hint)
            right[i] = right[i] and verdict.passed
            yield verdict


# Cases


def _calls(rng):
    """(law, arguments of a block, several): one law has batches of one, widths of one and large numbers too."""
    for law, *cases in [
        ("a causal mask", (2, 5, 6, 3, 7, "causal", 1)),
        ("sentences of different lengths", (3, 6, 8, 4, 5, "padding", 1)),
        ("a mask for each sentence, a wide inner layer", (2, 5, 4, 1, 9, "own", 1)),
        ("without a mask; one sentence, one token, widths of one, large numbers", (4, 3, 6, 2, 5, None, 1),
         (1, 4, 6, 2, 5, "causal", 300), (3, 1, 4, 2, 1, "own", 1), (1, 1, 1, 1, 1, None, 300)),
        ("zero output weights: the sublayers add nothing", (2, 6, 4, 2, 5, "causal", 1)),
    ]:
        yield law, [_call(rng, "zero" in law, *case) for case in cases]


def _call(rng, silent, B, T, M, heads, F, kind, scale):
    """The arguments of a block, whose sublayers add nothing if it is silent."""
    p = _parameters(rng, M, F)
    if silent:
        p |= {name: 0 * p[name] for name in ("W_O", "W_2", "b_2")}
    return scale * rng.normal(size=(B, T, M)), p, heads, *_mask(rng, kind, B, T)


def _parameters(rng, M, F):
    shapes = dict.fromkeys(NAMES[:4], (M, M)) | dict.fromkeys(NAMES[7:], (M,))
    shapes |= {"W_1": (M, F), "b_1": (F,), "W_2": (F, M)}
    return {name: rng.normal(size=shapes[name]) / (2 if name in NAMES[:4] else 1) for name in NAMES}


def _mask(rng, kind, B, T):
    if kind is None:
        return []
    if kind == "causal":
        return [np.tri(T, dtype=bool)]
    if kind == "padding":
        return [np.arange(T) < np.array([2, T, 1, 3])[:B, None, None]]
    mask = rng.random(size=(B, T, T)) < 0.5
    mask[:, 0] = np.arange(T) == np.arange(B)[:, None] % T  # unlike in each sentence
    return [mask]


# Replies, taken apart


def _output(reply):
    """The first of two results; any other answer as it is, to be refused."""
    if reply.error is None and isinstance(reply.value, tuple | list) and len(reply.value) == 2:
        return dataclasses.replace(reply, value=reply.value[0])
    return reply


def _second(reply, names):
    """The second of two results, laid out in this order, and what is wrong with its form."""
    if reply.error is not None:
        return reply, None
    if not isinstance(reply.value, tuple | list) or len(reply.value) != 2:
        return reply, "expected two results"
    if not isinstance(reply.value[1], dict) or not set(names) <= set(reply.value[1]):
        return reply, f"result 2: expected a dictionary of {', '.join(names)}"
    return dataclasses.replace(reply, value=tuple(reply.value[1][name] for name in names)), None


def _trace(reply):
    laid_out, problem = _second(reply, TRACE)
    return dataclasses.replace(laid_out, value=problem) if problem else laid_out


def _gradients(law, reply, expected, hint):
    law = f"{law}: the gradients of the parameters"
    laid_out, problem = _second(reply, NAMES)
    if problem:
        return Verdict(law, False, problem)
    return compare(law, laid_out, tuple(expected[name] for name in NAMES), f"in the order {', '.join(NAMES)}; {hint}")
