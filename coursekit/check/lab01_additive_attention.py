"""The visible checks of lab 01. Each takes the student's function and states the laws that it should keep."""

import numpy as np

from coursekit.check import as_array, ask, laws, rounded, visible_check
from coursekit.verdicts import Verdict

WORKED_SCORES = [4.35790943, 5.92373433, 4.18673175, 2.11437202, 0.95767155]
WORKED_WEIGHTS = [0.14773795, 0.70716569, 0.12449461, 0.01567242, 0.00492933]
WORKED_CONTEXT = [-0.63514569, 0.04917298, -0.43930867, -0.9268003, 1.01903919, -0.43181409, 0.13365099, -0.84746874]
WORKED_CONTEXT += [-0.37572203, 0.18279832, -0.90452701, 0.17872958, -0.58015282, -0.58294027, -0.75457577, 1.32985756]
WIDER_SCORES = [-1.05511372, -2.8498218 , -0.59327212]  # of the second example of alignment

SLIPS = {  # the first score of the worked example, as known slips compute it
    0.87148894: "these are the scores with the decoder state first: layer_1's first 16 rows are the encoder's",
    10.33328563: "these are the scores without tanh between the two layers",
    5.17578959: "these are the scores with tanh taken of the inputs: it belongs between the two layers",
    0.14773795: "these are the weights already: alignment returns the scores, before any softmax",
    -1.91262669: "these are the scores with zeros in place of the decoder state: repeat it for every encoder state",
}


def worked_example():
    """The arrays of the chapter's worked example: encoder_states (5, 16), decoder_state (1, 16), layer_1 (32, 10) and
    layer_2 (10, 1), drawn in this order from NumPy's legacy stream with seed 42."""
    return tuple(laws.random(42, (5, 16), (1, 16), (32, 10), (10, 1)))


@visible_check
def softmax(softmax):
    scores = np.array([2.0, 1.0, 0.1])
    weights = ask(softmax, scores)
    slips = [(scores / scores.sum(), "these are the scores divided by their sum: take np.exp of each score first")]
    expected = [0.65900114, 0.24243297, 0.09856589]
    yield laws.equals("softmax([2.0, 1.0, 0.1]) is [0.659, 0.242, 0.099]", weights, expected, slips=slips)

    matrix = np.array([[1.0, 2.0, 3.0, 4.0], [0.0, -1.0, 5.0, 2.0], [2.0, 2.0, 2.0, 2.0]])
    columns = ask(softmax, matrix)
    yield _sums("a matrix of shape (3, 4), axis 0 by default: each of the 4 columns sums to 1", columns, 0, matrix)
    rows = ask(softmax, matrix, axis=1)
    yield _sums("the same matrix with axis=1: each of the 3 rows sums to 1", rows, 1, matrix)
    cube = np.arange(120.0).reshape(2, 3, 4, 5) / 10
    slices = ask(softmax, cube, axis=-3)
    yield _sums("shape (2, 3, 4, 5) with axis=-3: each slice along the second axis sums to 1", slices, 1, cube)

    huge = ask(softmax, np.array([1000.0, 1001.0]))
    cause = "overflow" if not _finite(huge) else "different scores get different weights, so cut none off at a bound"
    advice = f"got {rounded(huge.value)}, {cause}: subtract the maximum before np.exp"
    pair = [0.26894142, 0.73105858]
    yield laws.equals("softmax([1000, 1001]) is softmax([0, 1]): a shift changes nothing", huge, pair, advice)
    rows = np.array([[1000.0, 1001.0], [-1000.0, -999.0]])
    for axis, scores, name in [(0, rows.T, "columns"), (1, rows, "rows")]:
        apart = ask(softmax, scores, axis=axis)
        overflow = f"got\n{rounded(apart.value)}\n  each of the {name} has its own maximum: axis=axis, keepdims=True"
        expected = np.moveaxis([pair, pair], 1, axis)
        yield laws.equals(f"two {name}, 2000 apart, get the same weights", apart, expected, overflow)
    far = ask(softmax, np.array([[0.0, 2000.0]]), axis=1)
    yield laws.shape("one row of two: shape (1, 2)", far, (1, 2), "an axis of length 1 stays, so no squeeze()")
    advice = f"got {rounded(far.value)}: subtract the largest score, not the least or the mean, so that none is above 0"
    yield laws.equals("its scores 2000 apart: weights [[0, 1]]", far, [[0.0, 1.0]], advice)


@visible_check
def alignment(alignment):
    args = worked_example()
    scores = ask(alignment, *args)
    yield laws.shape("the worked example: scores of shape (S, 1) = (5, 1)", scores, (5, 1))
    advice = next((said for score, said in SLIPS.items() if laws.near(np.ravel(scores.value)[0], score)), "")
    if as_array(scores.value).dtype.kind == "f" and np.all(np.abs(scores.value) <= 1):
        advice = "all your scores lie between -1 and 1: does tanh come last? It belongs between the layers"
    expected = np.reshape(WORKED_SCORES, (5, 1))
    yield laws.equals("the worked example: the five scores of the chapter", scores, expected, advice)
    states, *wider = laws.random(1, (3, 4), (1, 2), (6, 5), (5, 1))
    advice = "take the sizes from the arrays that you are given, not from the worked example"
    law = "three words, an encoder of width 4, a decoder of width 2: three scores"
    yield laws.equals(law, ask(alignment, states, *wider), np.reshape(WIDER_SCORES, (3, 1)), advice)
    advice = "an axis of length 1 stays: no squeeze()"
    yield laws.equals("one word: its score, (1, 1)", ask(alignment, states[:1], *wider), [WIDER_SCORES[:1]], advice)
    six = np.arange(6.0)[:, None]
    narrow = ask(alignment, six, *map(np.array, ([[2.0]], [[1.0], [0.5]], [[3.0]])))
    yield laws.equals("six words, all widths 1: six scores, (6, 1)", narrow, 3 * np.tanh(six + 1), advice)


@visible_check
def attention(attention, alignment, softmax):
    args = worked_example()
    scores = ask(alignment, *args)
    later = "; your points for attention do not depend on it"
    first = f"it does not give the scores of the chapter: see its own check{later}"
    expected = np.reshape(WORKED_SCORES, (5, 1))
    yield laws.equals("step 1: your alignment gives the scores of the chapter", scores, expected, first)
    weights = ask(softmax, np.array(scores.value), axis=0)
    second = f"the scores agree, the weights do not: see the check of softmax{later}"
    expected = np.reshape(WORKED_WEIGHTS, (5, 1))
    yield laws.equals("step 2: your softmax, down the column, gives its weights", weights, expected, second)
    context = ask(attention, *args)
    yield laws.shape("step 3: the context is one vector of shape (E,) = (16,)", context, (16,))
    third = _context_advice(context, args)
    yield laws.equals("the context is that of the chapter", context, WORKED_CONTEXT, third)
    stays = "an axis of length 1 stays: sum over the positions, and no squeeze()"
    one = ask(attention, args[0][:1], *args[1:])
    yield laws.equals("a sentence of one word: the context is its state", one, args[0][0], stays)
    narrow = np.array([[3.0], [5.0]]), np.ones((1, 1)), np.array([[0.0], [1.0]]), np.ones((1, 1))
    law = "two words of width 1, equal scores: the context is [4], one vector of shape (1,)"
    yield laws.equals(law, ask(attention, *narrow), [4.0], stays)
    states, *layers = laws.random(1, (3, 4), (1, 2), (6, 5), (5, 1))
    weights = np.exp(WIDER_SCORES) / np.exp(WIDER_SCORES).sum()
    law = "three words, an encoder of width 4, a decoder of width 2: the context is as wide as the encoder"
    yield laws.equals(law, ask(attention, states, *layers), weights @ states, "take the width from the encoder states")


def _context_advice(context, args):
    states = args[0]
    slips = [
        (states.sum(axis=0), "this is the plain sum of the states: every weight was 1, so run the softmax over axis 0"),
        (states.mean(axis=0), "this is the plain mean of the states: multiply each by its weight"),
        ((np.reshape(WORKED_SCORES, (5, 1)) * states).sum(axis=0), "this is the blend by scores: softmax them first"),
        (np.array(WORKED_CONTEXT) / 5, "this is the context divided by five: sum over the positions, do not average"),
        (states[1], "this is the state with the highest score: blend all of them"),
    ]
    return laws.slip(context, slips, f"scores and weights agree, the context does not: {laws.got(context)}")


@visible_check
def masked_softmax(masked_softmax):
    scores = np.array([[1.0, 2.0, 3.0], [1.0, 2.0, 3.0]])
    mask = np.array([[True, True, False], [True, True, True]])
    weights = ask(masked_softmax, scores, mask)
    yield laws.shape("two rows of three scores: weights of shape (2, 3)", weights, (2, 3))
    hidden = "it got weight. True means: may look. A hidden score must become -np.inf: a score of 0 counts, exp(0) is 1"
    if laws.near(weights.value[0], [0, 0, 1]):
        hidden = "it got all the weight, and the visible ones none: your mask is the wrong way round"
    yield Verdict("the hidden position gets exactly 0", weights.value[0, 2] == 0, hidden)
    late = "hide the scores before the softmax, not the weights after it"
    advice = "did you normalise over axis 0?" if np.sum(weights.value[1]) > 1 else late
    yield laws.sums("each row sums to 1", weights.value, 1, advice)
    expected = [[0.26894142, 0.73105858, 0.0], [0.09003057, 0.24472847, 0.66524096]]
    yield laws.equals("the rest is a softmax among the visible", weights, expected)

    nothing = ask(masked_softmax, scores, np.array([[False] * 3, [True] * 3]))
    row = as_array(nothing.value)[0]
    cause = "-inf - (-inf) is nan, and so is 0/0: give such a row another maximum, such as 0, and another sum"
    if np.isfinite(row).all():
        cause = "zeros were meant, not 1/S. A large negative number for all leaves them equal: use -np.inf"
    advice = f"got {rounded(row)}: {cause}"
    yield laws.equals("a row that may look nowhere is all zeros", nothing, [[0.0] * 3, expected[1]], advice)
    huge = ask(masked_softmax, np.array([[900.0, 901.0, 1e8]]), mask[:1])
    advice = f"got {rounded(huge.value)}: put -np.inf for it, and subtract the largest visible score before np.exp"
    yield laws.equals("scores of 900, next to a hidden one of 10^8, stay finite", huge, expected[:1], advice)
    low = ask(masked_softmax, np.array([[-1e5, -1e5, -100.0], [-1e5, -2e5, -1e5]]), mask)
    advice = f"got\n{rounded(low.value)}\n  what hides a score must be below all visible ones, as -np.inf is"
    law = "visible scores of -100,000, next to a hidden one of -100, have all the weight"
    yield laws.equals(law, low, [[0.5, 0.5, 0.0], [0.5, 0.0, 0.5]], advice)
    apart = ask(masked_softmax, scores + np.array([[1000.0], [-1000.0]]), mask)
    advice = f"got\n{rounded(apart.value)}\n  take each row's own largest visible score: axis=-1, keepdims=True"
    yield laws.equals("two rows, 2000 apart, get the same weights as before", apart, expected, advice)
    scores = laws.random(2, (2, 3, 1, 4))[0]
    holes = np.array([[[True, False, True, True]], [[False, True, False, True]], [[False] * 4]])
    powers = np.exp(scores) * holes
    shares = powers / np.maximum(powers.sum(axis=-1)[..., None], 1e-300)
    cube = ask(masked_softmax, scores, np.array([holes, holes]))
    yield laws.shape("more axes in front are fine, of any length: (2, 3, 1, 4)", cube, (2, 3, 1, 4))
    advice = "did you count axes from the front, or how many positions a row has, not which? Use axis=-1, and the mask"
    yield laws.equals("each row is on its own there, and masks may have holes", cube, shares, advice)
    alone = ask(masked_softmax, scores[0, 0, 0], holes[0, 0])
    yield laws.equals("and no axis in front is fine: (4,)", alone, shares[0, 0, 0], "the positions lie along axis=-1")
    spread = ask(masked_softmax, np.array([0.0, 2000.0, -2000.0]), np.full(3, True))
    advice = f"got {rounded(spread.value)}: subtract the largest of the row"
    yield laws.equals("scores 2000 apart in a row: the highest gets all", spread, [0.0, 1.0, 0.0], advice)


@visible_check
def additive_attention(additive_attention):
    state, memory, W, U, v = laws.random(7, (2, 3), (2, 4, 5), (3, 6), (5, 6), (6,))
    mask = np.array([[True, True, True, False], [True, True, True, True]])
    reply = ask(additive_attention, state, memory, mask, W, U, v)
    yield laws.count("it returns two arrays: context, weights", reply, 2)
    yield laws.results(reply, {"context (B, E) =": (2, 5), "weights (B, S) =": (2, 4)})
    context, weights = reply.value
    hidden = "sentence 0 has three words: its fourth weight should be 0"
    if laws.near(weights[0], [0, 0, 0, 1]):
        hidden = "the padding got all of it, the words none: your mask is the wrong way round. True means: may look"
    yield Verdict("padding gets no weight", weights[0, 3] == 0, hidden)
    advice = "softmax over the last axis; does your masked_softmax pass its own check?"
    yield laws.sums("the weights of each sentence sum to 1", weights, 1, advice)
    blend = np.stack([w @ m for w, m in zip(weights, memory, strict=True)])
    advice = "the weights are fine, the context is not: weigh the memory of each sentence with its own weights"
    yield Verdict("each context is the blend of its memory by its weights", laws.near(context, blend), advice)

    expected = [[0.0314332, 0.20513444, 0.76343237, 0.0], [0.05731367, 0.0185704, 0.40471984, 0.51939608]]
    yield laws.equals("the weights of this example", weights, expected, _weights_advice(weights, expected))
    empty = ask(additive_attention, state, memory, mask & [[False], [True]], W, U, v).value
    zeros = not np.any(empty[0][0]) and not np.any(empty[1][0])
    advice = "use your masked_softmax, which gives zeros there"
    yield Verdict("a sentence with nothing to look at: weights and context are 0", zeros, advice)
    yield from _more_batches(additive_attention, (state, memory, mask, W, U, v), np.array(expected))


def _more_batches(additive_attention, args, weights):
    """A hole in a mask, a batch of one, sentences of one word, widths of 1, and large scores."""
    state, memory, mask, W, U, v = args
    holes = mask & [True, False, True, True]
    seen = weights * holes / np.sum(weights * holes, axis=1)[:, None]
    got = ask(additive_attention, state, memory, holes, W, U, v).value[1]
    hole = "it matters which positions are True, not how many: hand the mask on as it is"
    yield laws.equals("a mask with a hole: the other words share its weight", got, seen, hole)
    one = ask(additive_attention, state[1:], memory[1:], holes[1:], W, U, v)
    stays = "an axis of length 1 stays: no squeeze() without an axis"
    yield laws.results(one, {"context": (1, 5), "weights": (1, 4)}, "a batch of one sentence: ", advice=stays)
    yield laws.equals("its weights are those that it had in the batch", one.value[1], got[1:], stays)
    short = ask(additive_attention, state[:, :1], memory[:, :1, :1], mask[:, :1], W[:1, :1], U[:1, :1], v[:1])
    law = "sentences of one word, widths of 1: "
    yield laws.results(short, {"context": (2, 1), "weights": (2, 1)}, law, advice=stays)
    yield laws.equals("its weight is 1, and the context its state", short.value[0], memory[:, 0, :1], stays)
    large = ask(additive_attention, state, memory, mask, W, U, 1000 * v).value[1]
    highest = weights == np.max(weights, axis=1)[:, None]
    advice = f"got {rounded(large)}: use your masked_softmax, which takes the largest visible score off"
    yield laws.equals("scores in the thousands: all weight on the highest", large, highest, advice)


def _weights_advice(weights, expected):
    if laws.near(weights[0], expected[0]):
        return "sentence 0 agrees, sentence 1 does not: is each asked with its own state?"
    if laws.near(weights[0][:3], [0.00143378, 0.238861, 0.7597052]):
        return "these are the weights without tanh: then the state has no say"
    return ""


def _finite(reply):
    return as_array(reply.value).dtype.kind == "f" and np.isfinite(reply.value).all()


def _sums(law, reply, axis, like):
    if not (form := laws.shape(law, reply, like.shape)).passed:
        return form
    others = [other for other in range(like.ndim) if other != axis and laws.near(np.sum(reply.value, axis=other), 1)]
    advice = f"did you normalise over axis {others[0]}?" if others else "divide by the sum along the axis"
    return laws.sums(law, reply.value, 1, advice, axis)
