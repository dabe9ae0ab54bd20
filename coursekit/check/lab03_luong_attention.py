"""The visible checks of lab 03. Each takes the student's function and states the laws that it should keep."""

import numpy as np

from coursekit.check import as_array, ask, laws, rounded, visible_check

STATE = np.array([[1.0, 2.0], [3.0, -1.0]])  # (B, D) = (2, 2)
MEMORY = np.array([[[1.0, 0.0], [0.0, 1.0], [2.0, 2.0]], [[1.0, 1.0], [0.0, 3.0], [2.0, -1.0]]])  # (B, S, E)
W = np.array([[1.0, 2.0], [0.0, -1.0]])
NARROW_STATE, NARROW_MEMORY = np.array([[0.12], [0.5]]), np.array([[[0.34]], [[0.9]]])
LOST_AXIS = "an axis of length 1 is gone: it stays, so no squeeze() without an axis"
RAISED = dict.fromkeys(["must have same number of dimensions", "out of bounds for array of dimension"], LOST_AXIS)
BELL = [0.13533528, 0.60653066, 1.0, 0.60653066, 0.13533528]  # exp(-2 (offset / 2)²) for offsets -2 to 2


@visible_check
def dot_score(dot_score):
    scores = ask(dot_score, STATE, MEMORY)
    yield laws.shape("two sentences of three words: scores of shape (B, S) = (2, 3)", scores, (2, 3))
    expected = np.array([[1.0, 2.0, 6.0], [2.0, -3.0, 7.0]])
    slips = [
        ([[1, 2, 6], [3, 6, 0]], "sentence 1 was asked with the state of sentence 0: each has its own"),
        (expected / 2**0.5, "you divided by the root of the width: Luong's score is the plain product"),
    ]
    yield laws.equals("its scores are [1, 2, 6] and [2, -3, 7]", scores, expected, slips=slips)
    law = "two sentences of one word, states of width 1: scores [[0.0408], [0.45]], (2, 1)"
    narrow = ask(dot_score, NARROW_STATE, NARROW_MEMORY)
    yield laws.equals(law, narrow, [[0.0408], [0.45]], slips=_squeezed([0.0408, 0.45]))
    alone = ask(dot_score, STATE[1:], MEMORY[1:])
    law = "the second sentence as a batch of one: (1, 3)"
    yield laws.equals(law, alone, expected[1:], slips=_squeezed(expected[1]))
    for D, E in [(4, 6), (1, 3), (3, 1)]:
        law = f"a state of width {D}, a memory of width {E}: raises ValueError; its message names the two widths"
        stretched = "NumPy stretches an axis of length 1 to any width. " if 1 in (D, E) else ""
        args, advice = (np.ones((2, D)), np.ones((2, 4, E))), f"{stretched}Compare the widths first"
        yield laws.refuses(law, dot_score, args, [str(D), str(E)], advice)


@visible_check
def general_score(general_score):
    scores = ask(general_score, STATE, MEMORY, W)
    yield laws.shape("two sentences of three words: scores of shape (B, S) = (2, 3)", scores, (2, 3))
    slips = [
        ([[1, 2, 6], [2, -3, 7]], "these are the dot scores: W has no effect"),
        ([[5, -2, 6], [2, 3, 1]], "this is state @ W.T: W has a row for each entry of the state, so state @ W"),
        ([[1, 0, 2], [1, 0, 2]], "sentence 1 was asked with the state of sentence 0: each has its own"),
    ]
    expected = np.array([[1.0, 0.0, 2.0], [10.0, 21.0, -1.0]])
    law = "through W the states become [1, 0] and [3, 7], and the scores follow"
    yield laws.equals(law, scores, expected, slips=slips)
    state, memory, wide = laws.random(3, (2, 3), (2, 4, 5), (3, 5))
    right = np.array([[(s @ wide * h).sum() for h in rows] for s, rows in zip(state, memory, strict=True)])
    law = "a state of width 3 and a memory of width 5 meet through a W of shape (3, 5)"
    advice = "is it state @ W, and then each row of memory?"
    yield laws.equals(law, ask(general_score, state, memory, wide), right, advice)
    same = ask(general_score, STATE, MEMORY, np.eye(2))
    dots = [[1, 2, 6], [2, -3, 7]]
    yield laws.equals("with the identity as W it is the dot score", same, dots)
    law = "two sentences of one word, widths of 1, W = [[2]]: scores [[0.0816], [0.9]], (2, 1)"
    narrow = ask(general_score, NARROW_STATE, NARROW_MEMORY, np.array([[2.0]]))
    yield laws.equals(law, narrow, [[0.0816], [0.9]], slips=_squeezed([0.0816, 0.9]))
    alone = ask(general_score, state[1:], memory[1:], wide)
    yield laws.equals("the second sentence as a batch of one: (1, 4)", alone, right[1:], slips=_squeezed(right[1]))


@visible_check
def concat_score(concat_score):
    layer, v = np.array([[1.0, 0.5], [0.0, -1.0], [2.0, 0.0], [0.0, 1.0]]) / 2, np.array([2.0, -1.0])
    scores = ask(concat_score, STATE, MEMORY, layer, v)
    yield laws.shape("two sentences of three words: scores of shape (B, S) = (2, 3)", scores, (2, 3))
    pairs = _pairs(STATE, MEMORY)
    expected = _scored(pairs, layer, v)
    slips = [
        (_scored(pairs, np.concatenate([layer[2:], layer[:2]]), v), "you put the memory first: here the state "
         "comes first, so the first D rows of W belong to it"),
        (_scored(_pairs(STATE[[0, 0]], MEMORY), layer, v), "sentence 1 was asked with the state of sentence 0"),
        (_scored(pairs, layer, np.ones(2)), "v has no effect: weigh the hidden numbers by it"),
        (pairs @ layer @ v, "there is no tanh: it stands between W and v"),
        (np.tanh(pairs) @ layer @ v, "tanh was taken of the states: it belongs between W and v"),
    ]
    advice = laws.slip(scores, slips)
    if as_array(scores.value).dtype.kind == "f" and np.all(np.abs(scores.value) <= 1):
        advice = "all your scores lie between -1 and 1: did tanh, or a softmax, come last?"
    yield laws.equals("its scores are those of tanh([s ; h] W) v", scores, expected, advice)
    wide = laws.random(5, (2, 3), (2, 4, 5), (8, 6), (6,))
    advice = "take the number of the state's rows in W from the state: its first D belong to the state"
    law = "a state of width 3 and a memory of width 5: W has 8 rows, the first 3 for the state"
    right = _scored(_pairs(*wide[:2]), *wide[2:])
    yield laws.equals(law, ask(concat_score, *wide), right, advice)
    alone = ask(concat_score, wide[0][1:], wide[1][1:], *wide[2:])
    yield laws.equals("the second sentence as a batch of one: (1, 4)", alone, right[1:], slips=_squeezed(right[1]))
    law, right = "two sentences of one word, all widths 1: (2, 1)", 3 * np.tanh([[0.46], [1.4]])
    narrow = ask(concat_score, NARROW_STATE, NARROW_MEMORY, np.ones((2, 1)), np.array([3.0]))
    yield laws.equals(law, narrow, right, slips=_squeezed(right[:, 0]))


@visible_check
def attentional_state(attentional_state):
    weights = np.array([[0.25, 0.75, 0.0], [0.5, 0.25, 0.25]])
    W_c = np.array([[1.0, 0.0], [0.0, 1.0], [0.5, 0.0], [0.0, 0.25]]) / 2
    told = ask(attentional_state, weights, STATE, MEMORY, W_c)
    yield laws.shape("two sentences, states of width 2: shape (B, D) = (2, 2)", told, (2, 2))
    context = np.array([[0.25, 0.75], [1.0, 1.0]])
    yield _told(told, context, W_c, "tanh([c ; s] W_c), the contexts being [1/4, 3/4] and [1, 1]")
    half = ask(attentional_state, weights / 2, STATE, MEMORY, W_c)
    law, normalised = "weights that sum to 1/2 give half the context: they are used as they are", _mixed(context, W_c)
    yield _told(half, context / 2, W_c, law, [(normalised, "you normalised the weights: use them as they are")])
    nothing = ask(attentional_state, 0 * weights, STATE, MEMORY, W_c)
    yield _told(nothing, 0 * context, W_c, "weights of 0: the context is 0, the state still has its part")
    wide = laws.random(6, (2, 4), (2, 3), (2, 4, 5), (8, 3))
    blend = np.stack([row @ words for row, words in zip(wide[0], wide[2], strict=True)])
    law = "a state of width 3 and a memory of width 5: W_c has 8 rows, the first 5 for the context"
    right = np.tanh(np.concatenate([blend, wide[1]], axis=1) @ wide[3])
    yield laws.equals(law, ask(attentional_state, *wide), right, "take all sizes from the arrays that you are given")
    law = "the second sentence as a batch of one: (1, 3)"
    alone = laws.asked(law, RAISED, attentional_state, *(array[1:] for array in wide[:3]), wide[3])
    yield laws.equals(law, alone, right[1:], slips=_squeezed(right[1]))
    law, right = "two sentences of one word, all widths 1: (2, 1)", np.tanh([[0.46], [0.95]])
    args = np.array([[1.0], [0.5]]), NARROW_STATE, NARROW_MEMORY, np.ones((2, 1))
    narrow = laws.asked(law, RAISED, attentional_state, *args)
    yield laws.equals(law, narrow, right, slips=_squeezed(right[:, 0]))


@visible_check
def predicted_centre(predicted_centre):
    W_p, v_p = np.array([[1.0, 0.0, 2.0], [0.0, 1.0, -1.0]]) / 4, np.array([1.0, 2.0, -1.0])
    mask = np.arange(8) < np.array([[8], [4]])
    centre = ask(predicted_centre, np.zeros((2, 2)), mask, W_p, v_p)
    yield laws.shape("one centre for each sentence: (B,) = (2,)", centre, (2,))
    slips = [
        ([4, 4], "both got the padded length: a sentence's own length is the number of True in its row of the mask"),
        ([6, 6], "both got the number of words of the whole batch: count the True of each row, axis=1"),
        ([3.5, 1.5], "multiply by the number of words, 8 and 4, and not by one less"),
        ([0.5, 0.5], "this is a share between 0 and 1: multiply it by the sentence's number of words"),
    ]
    law = "a state of zeros: sigmoid(0) = 1/2, so the centre is the middle, 4 of 8 words and 2 of 4"
    yield laws.equals(law, centre, [4.0, 2.0], slips=slips)
    inside = np.tanh(STATE @ W_p)
    expected = np.array([8.0, 4.0]) / (1 + np.exp(-inside @ v_p))
    other = ask(predicted_centre, STATE, mask, W_p, v_p)
    slips = [
        (np.array([8.0, 4.0]) / (1 + np.exp(-STATE @ W_p @ v_p)), "the tanh is missing: it stands between W_p and v_p"),
        ([8, 4] / (1 + np.exp(inside @ v_p)), "the exponent has a minus: sigmoid(x) is 1 / (1 + exp(-x))"),
        (np.round(expected), "you rounded: leave the centre a real number, a rounded one has no gradient"),
    ]
    yield laws.equals("the centres of the two states", other, expected, slips=slips)
    one = ask(predicted_centre, STATE[:1] / 10, np.array([[True, False, True]]), W_p, v_p)
    right = [2 / (1 + np.exp(-np.tanh(STATE[0] / 10 @ W_p) @ v_p))]
    slips = [(1.5 * np.array(right), "a False counts, too: the words are the True in the row, wherever they stand")]
    law = "a batch of one, two words with a hole between them: (1,)"
    yield laws.equals(law, one, right, slips=[*slips, *_squeezed(right[0])])
    law, right = "two sentences, all widths 1: (2,)", [1 / (1 + np.exp(-2.7 * np.tanh(0.012))), 0]
    narrow = ask(predicted_centre, NARROW_STATE, np.array([[True], [False]]), np.array([[0.1]]), np.array([2.7]))
    yield laws.equals(law, narrow, right, "a sentence of one word, and one without words, whose centre is 0")


@visible_check
def local_weights(local_weights):
    even, mask = np.zeros((1, 7)), np.ones((1, 7), bool)
    weights = ask(local_weights, even, mask, np.array([3.0]), 2)
    yield laws.shape("one sentence of seven words: weights of shape (1, 7)", weights, (1, 7))
    expected = np.array([[0, *(np.array(BELL) / 5), 0]])
    law = "equal scores, centre 3, R = 2: five words share, times the bell 0.14, 0.61, 1, 0.61, 0.14"
    yield laws.equals(law, weights, expected, slips=_window_slips(expected))
    uneven = np.array([[0.0, 2.0, 1.0, 0.0, 3.0, 1.0, 9.0]])
    share = np.exp(uneven[0, 1:6]) / np.exp(uneven[0, 1:6]).sum()
    advice = "is the softmax taken among the words of the window, and then multiplied by the bell?"
    expected = np.array([[0, *(share * BELL), 0]])
    law = "other scores: a softmax within the window, times the bell"
    yield laws.equals(law, ask(local_weights, uneven, mask, np.array([3.0]), 2), expected, advice)
    wide = ask(local_weights, even, mask, np.array([3.0]), 3)
    bell = np.exp(-2 * (np.arange(-3, 4) / 3) ** 2) / 7
    advice = f"got {rounded(wide.value)}: σ is half of R, and the bell is exp(-(j - p)² / (2 σ²))"
    yield laws.equals("R = 3: all seven words share, under a wider bell", wide, bell[None], advice)
    between = ask(local_weights, even, mask, np.array([2.4]), 2)
    bell = np.exp(-2 * (np.array([-1.4, -0.4, 0.6, 1.6]) / 2) ** 2) / 4
    advice = f"got {rounded(between.value)}: four words lie within 2 of 2.4; the centre is not rounded"
    law = "a centre of 2.4: four words, and the bell peaks between two of them"
    yield laws.equals(law, between, np.array([[0, *bell, 0, 0]]), advice)
    two = np.arange(7) < np.array([[4], [7]])
    padded = ask(local_weights, np.zeros((2, 7)), two, np.array([3.0, 0.0]), 2)
    bell = np.array(BELL) / 3
    advice = f"got\n{rounded(padded.value)}\n  a position takes part if it is in its own sentence's window and a word"
    law = "four words and padding, centre 3; seven words, centre 0: three words each are in the window"
    yield laws.equals(law, padded, np.array([[0, *bell[:3], 0, 0, 0], [*bell[2:], 0, 0, 0, 0]]), advice)
    yield from _holes_and_far_scores(local_weights)
    narrow = ask(local_weights, np.zeros((2, 7)), np.ones((2, 7), bool), np.array([3.0, 3.5]), 0.5)
    bell = [[0, 0, 0, 1, 0, 0, 0], [0, 0, 0, BELL[0] / 2, BELL[0] / 2, 0, 0]]
    law = "R = 0.5: one word at a centre of 3, two at 3.5, at a distance of exactly R"
    yield laws.equals(law, narrow, bell, f"got\n{rounded(narrow.value)}\n  R need not be a whole number")
    far = ask(local_weights, np.zeros((2, 7)), two & [[True], [False]], np.array([6.5, 3.0]), 2)
    law = "a window beyond the last word, and a sentence without words: masked_softmax gives zeros"
    yield laws.equals(law, far, np.zeros((2, 7)))


def _holes_and_far_scores(local_weights):
    """Masks with holes, and scores that np.exp cannot take: what takes part is the same in all."""
    row, inside = np.array([0.1, 5.3, -1.2, 0.4, -0.7, 2.0, 9.0]), [0, 2, 3, 4]
    share = np.zeros(7)
    share[inside] = np.array(BELL)[inside] * np.exp(row[inside]) / np.exp(row[inside]).sum()
    scores, mask, expected = (np.stack([each, each[::-1]]) for each in (row, np.arange(7) != 1, share))
    reply = ask(local_weights, scores, mask, np.array([2.0, 4.0]), 2)
    advice = f"got\n{rounded(reply.value)}\n  four words take part in each: it matters which are True, not how many"
    law = "five words within reach, one of them masked out; the second sentence is the first one mirrored"
    yield laws.equals(law, reply, expected, advice)
    alone = ask(local_weights, scores[1:], mask[1:], np.array([4.0]), 2)
    yield laws.equals("the second of them as a batch of one", alone, expected[1:], slips=_squeezed(expected[1]))
    shifts = np.where(expected > 0, [[800.0], [-800.0]], [[1700.0], [100.0]])
    advice = "take the largest score off among the words of the window alone, or let masked_softmax do so"
    reply = ask(local_weights, scores + shifts, mask, np.array([2.0, 4.0]), 2)
    law = "all scores of one sentence 800 higher, of the other 800 lower, and out of reach 900 more: the same weights"
    yield laws.equals(law, reply, expected, advice)
    reply = ask(local_weights, 1000 * scores, mask, np.array([2.0, 4.0]), 2)
    highest = [[0, 0, 0, BELL[3], 0, 0, 0], [0, 0, 0, BELL[3], 0, 0, 0]]
    law = "scores a thousand times as large: the highest in the window gets all, times the bell"
    yield laws.equals(law, reply, highest, advice)


def _squeezed(right):
    """What a result with an axis of length 1 becomes where that is lost."""
    return [(right, f"the numbers are right, {LOST_AXIS}")]


def _mixed(context, W_c):
    return np.tanh(np.concatenate([context, STATE], axis=1) @ W_c)


def _told(reply, context, W_c, law, slips=()):
    both = np.concatenate([context, STATE], axis=1)
    mean = np.concatenate([MEMORY.mean(axis=1), STATE], axis=1)
    slips = [
        *slips,
        (_mixed(context / 3, W_c), "the weighted rows are added up: you took their mean"),
        (np.tanh(np.concatenate([STATE, context], axis=1) @ W_c), "you put the state first: the context comes first"),
        (both @ W_c, "the tanh is missing"),
        (np.tanh(both) @ W_c, "tanh comes last, after the product with W_c"),
        (np.tanh(context @ W_c[:2]), "the state has no part in it"),
        (np.tanh(STATE @ W_c[2:]), "the context has no part in it"),
        (np.tanh(mean @ W_c), "the weights have no effect: this is the plain mean of the memory"),
    ]
    return laws.equals(law, reply, np.tanh(both @ W_c), slips=slips)


def _window_slips(expected):
    bell, row = np.array(BELL), np.arange(7) - 3.0
    wide, fast = np.exp(-0.5 * (row / 2) ** 2), np.exp(-4 * (row / 2) ** 2)
    inside = np.abs(row) <= 2
    return [
        (expected / expected.sum(), "they sum to 1: is the bell within the softmax, or did you normalise after it? "
         "Multiply the finished weights by the bell, and leave them so"),
        (expected * 5 / 7, "the softmax ran over the whole sentence: take it among the words of the window"),
        ([[0, 0, *(bell[1:4] / 3), 0, 0]], "a word at distance exactly R is left out: the window is |j - p| <= R"),
        ([[0, *np.full(5, 0.2), 0]], "the bell is missing, or acts on the scores: multiply the weights by it"),
        ([wide * inside / 5], "the bell is too wide: σ is R / 2"),
        ([fast * inside / 5], "the bell is too narrow: the exponent has 2 σ² below the line"),
        ([np.exp(-2 * (row / 2) ** 2) / 7], "words outside the window have weight"),
        ([[*(bell / 5), 0, 0]], "the window lies one word too far to the left: in code the first word is position 0"),
    ]


def _pairs(state, memory):
    """Every word with its sentence's state in front, (B, S, D + E)."""
    return np.concatenate([np.repeat(state[:, None], memory.shape[1], axis=1), memory], axis=-1)


def _scored(pairs, layer, v):
    """The score of each pair, word by word: what a check compares with."""
    return np.array([[np.tanh(pair @ layer) @ v for pair in rows] for rows in pairs])
