"""What lab 01 is judged on."""

import numpy as np

from coursekit.verdicts import compare, together
from solutions.lab01_additive_attention import reference

LOW = -1e5  # float32 holds it


def softmax(student, rng):
    benign, deep = rng.normal(size=(4, 3)), rng.normal(size=(2, 5, 3, 4))
    huge = _round(rng.normal(size=(5, 4)) * 30) + np.array([0, 1500, -700, 4000])  # columns far apart
    one = _round(rng.normal(size=(1, 5, 2))) + np.array([0, 900, -900, 2000, 1998])[:, None] - [0, 3000]
    column = _round(rng.normal(size=(6, 1))) + np.array([[-900], [900], [901], [0], [899], [900]])
    hint = "is it the exponentials, divided by their sum along the axis?"
    overflow = "scores of any size must work: subtract the maximum along the axis before np.exp"
    stays = f"{overflow}; and an axis of length 1 stays"
    cases = [
        ("a matrix, axis 0 by default: each column sums to 1", (benign,), {}, hint),
        ("four axes, the second: each slice along it sums to 1", (deep,), {"axis": 1}, hint),
        ("scores in the thousands, axis 0: finite, and right", (huge,), {"axis": 0}, overflow),
        ("scores in the thousands, last axis: finite, and right", (huge.T.copy(),), {"axis": -1}, overflow),
        ("a batch of one, scores far apart within a slice", (one,), {"axis": 1}, stays),
        ("a column of scores, some of them 900 and some -900", (column,), {}, stays),
    ]
    for law, args, options, advice in cases:
        yield compare(law, student.softmax(*args, **options), reference.softmax(*args, **options), advice)


def alignment(student, rng):
    hint = "is it tanh([h_j; s] layer_1) layer_2, the encoder state first?"
    for law, args in _sentences(rng):
        yield compare(law, student.alignment(*args), reference.alignment(*args), hint)


def attention(student, rng):
    hint = "is it the softmax of the scores over the positions, times the states, summed over the positions?"
    *longer, alone = [compare(law, student.attention(*args), reference.attention(*args), hint)
                      for law, args in _sentences(rng)]
    yield from longer
    yield together(alone, longer[0])  # of one word any weights lead to the right context


def masked_softmax(student, rng):
    hint = "is it a softmax over the last axis among the positions where the mask is True, and 0 elsewhere?"
    for law, scores, mask in _masked_scores(rng):
        yield compare(law, student.masked_softmax(scores, mask), reference.masked_softmax(scores, mask), hint)


def additive_attention(student, rng):
    hint = "is it the masked softmax of tanh(state W + memory U) v, then the blend of memory, for each sentence?"
    *longer, alone = [compare(law, student.additive_attention(*args), reference.additive_attention(*args), hint)
                      for law, args in _batches(rng)]
    yield from longer
    yield together(alone, longer[0])  # of one word any scores lead to the right weights


# Cases


def _sentences(rng):
    """(law, arguments of `alignment`) for sentences of different lengths and widths."""
    sizes = [("the widths of the worked example, new numbers", 5, 16, 16, 10)]
    sizes += [("encoder and decoder of different widths", 7, 6, 4, 3), ("a sentence of two words", 2, 3, 5, 4)]
    sizes += [("all widths are 1", 6, 1, 1, 1), ("all sizes equal", 4, 4, 4, 4), ("a sentence of one word", 1, 5, 3, 4)]
    for law, S, E, D, A in sizes:
        arrays = [rng.normal(size=shape) for shape in [(S, E), (1, D), (E + D, A), (A, 1)]]
        arrays[3] = arrays[3] * 2  # scores well outside [-1, 1]
        yield law, tuple(arrays)


def _masked_scores(rng):
    """(law, scores, mask). Half of the cases have a row that sees nothing, four of six have scores far apart, and in
    three visible scores are so low that a hidden one had better be -inf."""
    prefix = np.arange(5) < np.array([[2], [5], [4]])
    holes = np.array([[True, False, True, True], [False] * 4, [False, True, False, True]])
    yield "padding at the end gets exactly no weight, the rest sums to 1", rng.normal(size=(3, 5)), prefix
    yield "a row that sees nothing is all zeros, its neighbours are untouched", rng.normal(size=(3, 4)), holes
    tall = _round(rng.normal(size=(2, 3, 4)) * 5) + np.array([900.0, -800.0])[:, None, None]
    deep, far = np.stack([holes, ~holes]), np.array([[0.0], [50.0], [-2000.0]])
    tall[1, 2] = LOW
    law = "three axes, scores in the thousands and far below: finite, zeros where nothing is seen"
    yield law, np.where(deep, tall, 3000.0), deep
    wide = _round(rng.normal(size=(3, 5))) + np.array([[800.0], [-900.0], [60.0]])
    wide[2] = LOW
    yield "hidden scores far above the visible ones change nothing", np.where(prefix, wide, 4e8), prefix
    alone = np.where(holes, tall[:1, [2, 1, 0]] + far, 4000.0)
    yield "a batch of one, each row with a mask of its own: these axes stay", alone[:, :, None], holes[None, :, None]
    law = "one row, no axis in front, its scores far apart"
    yield law, np.where(holes[2], [0, LOW, 0, LOW - 3000], 6000.0), holes[2]


def _batches(rng):
    """(law, arguments of `additive_attention`). Half or more of the batches hold a sentence with nothing to look at."""
    laws = [
        ("sentences of different lengths", 3, 5, 4, 6, 2, [2, 5, 4], 1),
        ("one sentence has nothing to look at: zeros", 4, 3, 5, 2, 6, [3, 0, 2, 1], 1),
        ("long vectors: large scores", 2, 6, 3, 4, 9, [4, 5], 8),
        ("one more empty sentence, and masks with holes", 3, 7, 2, 5, 4, [6, 0, 7], 1),
        ("a batch of one sentence, widths of 1", 1, 5, 1, 1, 1, [4], 3),
        ("all sizes equal, scores in the thousands", 4, 4, 4, 4, 4, [3, 0, 4, 2], 2000),
        ("sentences of one word, two of them empty", 3, 1, 4, 3, 6, [0, 1, 0], 1),
    ]
    for law, B, S, D, E, A, lengths, scale in laws:
        mask = np.arange(S) < np.array(lengths)[:, None]
        mask[0, 1:2] = False
        shapes = [(B, D), (B, S, E), (D, A), (E, A), (A,)]
        state, memory, W, U, v = (rng.normal(size=shape) for shape in shapes)
        yield law, (state, memory, mask, W, U, v * scale)


def _round(scores):
    """To eighths, which float32 holds exactly, so that honest float32 work is not judged on rounded scores."""
    return np.round(scores * 8) / 8
