"""What lab 01 is judged on."""

import numpy as np

from coursekit.verdicts import compare
from solutions.lab01_additive_attention import reference


def softmax(student, rng):
    benign, deep = rng.normal(size=(4, 3)), rng.normal(size=(2, 5, 3))
    huge = _round(rng.normal(size=(5, 4)) * 30) + np.array([0, 1500, -700, 4000])  # columns far apart
    hint = "is it the exponentials, divided by their sum along the axis?"
    overflow = "scores of any size must work: subtract the maximum along the axis before np.exp"
    cases = [
        ("a matrix, axis 0 by default: each column sums to 1", (benign,), {}, hint),
        ("three axes, the middle one: each slice along it sums to 1", (deep,), {"axis": 1}, hint),
        ("scores in the thousands, axis 0: finite, and right", (huge,), {"axis": 0}, overflow),
        ("scores in the thousands, last axis: finite, and right", (huge.T.copy(),), {"axis": -1}, overflow),
    ]
    for law, args, options, advice in cases:
        yield compare(law, student.softmax(*args, **options), reference.softmax(*args, **options), advice)


def alignment(student, rng):
    hint = "is it tanh([h_j; s] layer_1) layer_2, the encoder state first?"
    for law, args in _sentences(rng):
        yield compare(law, student.alignment(*args), reference.alignment(*args), hint)


def attention(student, rng):
    hint = "is it the softmax of the scores over the positions, times the states, summed over the positions?"
    for law, args in _sentences(rng):
        reply = student.attention(*args)
        yield compare(law, reply, reference.attention(*args), hint, follows=_own_contexts(student, rng, *args))


def masked_softmax(student, rng):
    hint = "is it a softmax over the last axis among the positions where the mask is True, and 0 elsewhere?"
    for law, scores, mask in _masked_scores(rng):
        reply = student.masked_softmax(scores, mask)
        expected = reference.masked_softmax(scores, mask)
        yield compare(law, reply, expected, hint, follows=_own_masked_weights(student, scores, mask))


def additive_attention(student, rng):
    hint = "is it the masked softmax of tanh(state W + memory U) v, then the blend of memory, for each sentence?"
    for law, args in _batches(rng):
        reply = student.additive_attention(*args)
        expected = reference.additive_attention(*args)
        yield compare(law, reply, expected, hint, follows=_own_blends(student, *args))


# Cases


def _sentences(rng):
    """(law, arguments of `alignment`) for sentences of different lengths and widths."""
    sizes = [("the widths of the worked example, new numbers", 5, 16, 16, 10)]
    sizes += [("encoder and decoder of different widths", 7, 6, 4, 3), ("a sentence of two words", 2, 3, 5, 4)]
    for law, S, E, D, A in sizes:
        arrays = [rng.normal(size=shape) for shape in [(S, E), (1, D), (E + D, A), (A, 1)]]
        arrays[3] = arrays[3] * 2  # scores well outside [-1, 1]
        yield law, tuple(arrays)


def _masked_scores(rng):
    """(law, scores, mask). Half of the cases have a row that sees nothing, half have scores far apart."""
    prefix = np.arange(5) < np.array([[2], [5], [4]])
    holes = np.array([[True, False, True, True], [False] * 4, [False, True, False, True]])
    yield "padding at the end gets exactly no weight, the rest sums to 1", rng.normal(size=(3, 5)), prefix
    yield "a row that sees nothing is all zeros, its neighbours are untouched", rng.normal(size=(3, 4)), holes
    tall = _round(rng.normal(size=(2, 3, 4)) * 5) + np.array([900.0, -800.0])[:, None, None]
    deep = np.stack([holes, ~holes])
    law = "three axes and scores in the thousands: finite, zeros where nothing is seen"
    yield law, np.where(deep, tall, 3000.0), deep
    wide = _round(rng.normal(size=(3, 5))) + np.array([[800.0], [-900.0], [60.0]])
    yield "hidden scores far above the visible ones change nothing", np.where(prefix, wide, 5e4), prefix


def _batches(rng):
    """(law, arguments of `additive_attention`). Half of the batches hold a sentence with nothing to look at."""
    laws = [
        ("sentences of different lengths", 3, 5, 4, 6, 2, [2, 5, 4], 1),
        ("one sentence has nothing to look at: zeros", 4, 3, 5, 2, 6, [3, 0, 2, 1], 1),
        ("long vectors: large scores", 2, 6, 3, 4, 9, [4, 5], 8),
        ("one more empty sentence, and masks with holes", 3, 7, 2, 5, 4, [6, 0, 7], 1),
    ]
    for law, B, S, D, E, A, lengths, scale in laws:
        mask = np.arange(S) < np.array(lengths)[:, None]
        mask[0, 1] = False
        shapes = [(B, D), (B, S, E), (D, A), (E, A), (A,)]
        state, memory, W, U, v = (rng.normal(size=shape) for shape in shapes)
        yield law, (state, memory, mask, W, U, v * scale)


def _round(scores):
    """To eighths, which float32 holds exactly, so that honest float32 work is not judged on rounded scores."""
    return np.round(scores * 8) / 8


# What a mistake in an earlier exercise leads to. It counts as right too, so that the mistake costs its points once. But
# one whose weights are the same whatever the scores carries nothing forward: no work would be left to do.


def _own_contexts(student, rng, encoder_states, decoder_state, layer_1, layer_2):
    args = (encoder_states, decoder_state, layer_1, layer_2)
    scores = [reference.alignment(*args)]
    own = student.mistaken("alignment", *args)
    other = student.mistaken("alignment", rng.normal(size=encoder_states.shape), *args[1:])
    scores += [own] if np.shape(own) == scores[0].shape and _tell_apart(own, other) else []
    weights = [reference.softmax(each) for each in scores]
    weights += [own for each in scores for own in _own_softmax(student, each, axis=0)]
    return [(each * encoder_states).sum(axis=0) for each in weights]


def _own_masked_weights(student, scores, mask):
    seen = mask & mask.any(axis=-1, keepdims=True)
    own = [weights for hidden in (-np.inf, -1e9) for weights in _own_softmax(student, scores, -1, mask, hidden)]
    return [np.where(seen, each, 0.0) for each in own]


def _own_blends(student, state, memory, mask, W, U, v):
    scores = np.tanh((state @ W)[:, None, :] + memory @ U) @ v
    weights = _own_masked_weights(student, scores, mask)
    own, other = (student.mistaken("masked_softmax", each, mask) for each in (scores, np.roll(scores, 1, axis=-1)))
    weights += [own] if _tell_apart(own, other) else []
    return [(np.einsum("bs,bse->be", each, memory), each) for each in weights]


def _own_softmax(student, scores, axis, mask=True, hidden=0.0):
    given, moved = (np.where(mask, each, hidden) for each in (scores, np.roll(scores, 1, axis=axis)))
    own, other = (student.mistaken("softmax", each, axis=axis) for each in (given, moved))
    return [own] if _tell_apart(own, other) else []


def _tell_apart(weights, others):
    return weights is not None and not np.allclose(weights, others, equal_nan=True)
