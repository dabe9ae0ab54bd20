"""The visible checks of lab 05. Each takes the student's function and states the laws that it should keep."""

import numpy as np

from coursekit.check import as_array, ask, laws, rounded, visible_check
from coursekit.gradient_check import numerical_gradient
from coursekit.verdicts import Verdict

Q = np.array([[1.0, 0.0, 1.0]])  # the second case of chapter 6, d_k = 3
K = np.array([[1.0, 0.0, 1.0], [0.0, 1.0, 0.0], [1.0, 1.0, 0.0]])
V = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
SCORES = [[1.15470054, 0.0, 0.57735027]]
WEIGHTS = [[0.53289684, 0.16794345, 0.29915971]]
OUTPUT = [[2.53252575, 3.53252575]]
FLOAT32 = ("NumPy's own numbers and arrays, of np.sqrt, np.full, np.zeros, are float64 and promote what they meet; a "
           "Python float, d_k ** 0.5, does not, nor does an array with dtype=Q.dtype")
FLOAT64 = "cast nothing, the type of what comes in is the type of what goes out"
EARLIER = "Does check.scaled_scores fail too? Then mend exercise 1. Else: do you call scaled_scores here?"


@visible_check
def scaled_scores(scaled_scores):
    scores = ask(scaled_scores, Q, K)
    yield laws.shape("one query, three keys: scores of shape (T, S) = (1, 3)", scores, (1, 3))
    slips = [
        ([[2, 0, 1]], "these are the plain products: divide by the root of d_k, which is Q.shape[-1], 3 here"),
        ([[2, 1, 1]], "K is not turned and nothing is divided: a key is a row of K, exchange its last two axes"),
        (np.array([[2, 1, 1]]) / 3**0.5, "K is not turned: a key is a row of K, so exchange its last two axes"),
        ([[2 / 3, 0, 1 / 3]], "you divided by d_k: it is the root of it"),
        ([[1, 0, 0.5]], "these are cosines: divide by the root of the width, not by the vectors' lengths"),
        (WEIGHTS, "these are weights: the softmax comes later, in exercise 4"),
    ]
    yield laws.equals("they are [2, 0, 1] / √3, as in the chapter", scores, SCORES, slips=slips)
    queries, keys = laws.random(1, (2, 5, 4), (2, 3, 4))
    scores = ask(scaled_scores, queries, keys)
    yield laws.shape("a batch of two: (B, T, S) = (2, 5, 3)", scores, (2, 5, 3))
    right = [[[q @ k / 4**0.5 for k in keys[b]] for q in queries[b]] for b in range(2)]
    advice = "the root is that of the width, 4 here, and each sentence keeps to its own keys"
    yield laws.equals("each is a product divided by √4", scores, right, advice)
    queries, keys = laws.random(2, (2, 3, 5, 4), (2, 1, 6, 4))
    scores = ask(scaled_scores, queries, keys)
    law = "two leading axes, and one set of keys for all heads: (2, 3, 5, 6)"
    advice = "exchange the last two axes alone, np.swapaxes(K, -1, -2), and let @ stretch those in front; zip does not"
    yield laws.shape(law, scores, (2, 3, 5, 6), advice)
    advice = "exchange the last two axes of K and no others"
    right = [[[[q @ k / 2 for k in keys[b, 0]] for q in head] for head in queries[b]] for b in range(2)]
    yield laws.equals("their values too", scores, right, advice)
    one = ask(scaled_scores, np.array([[[0.1]]]), np.array([[[0.7]], [[-0.3]]]))
    yield laws.equals("keys with an axis more, each axis but that of length 1: (2, 1, 1)", one, [[[0.07]], [[-0.03]]])
    yield laws.keeps_type(ask(scaled_scores, queries.astype(np.float32), keys.astype(np.float32)), FLOAT32)
    yield laws.keeps_type(scores, FLOAT64, "float64")


@visible_check
def causal_mask(causal_mask):
    square = ask(causal_mask, 3, 3)
    yield _boolean("three tokens: a boolean mask of shape (3, 3)", square, (3, 3))
    slips = [
        ([[0, 0, 0], [1, 0, 0], [1, 1, 0]], "a query may look at its own place too: <=, not <"),
        ([[0, 1, 1], [0, 0, 1], [0, 0, 0]], "it shows the future: True means may look"),
        ([[1, 1, 1], [0, 1, 1], [0, 0, 1]], "it shows the future: rows are queries, the lower triangle is True"),
    ]
    right = [[1, 0, 0], [1, 1, 0], [1, 1, 1]]
    yield laws.equals("query i looks at keys 0 to i", square, right, slips=slips)
    behind = ask(causal_mask, 2, 5, 3)
    yield _boolean("two new tokens behind past = 3, five keys: a mask of shape (T, S) = (2, 5)", behind, (2, 5))
    slips = [
        ([[1, 0, 0, 0, 0], [1, 1, 0, 0, 0]], "past has no effect: query i stands at position past + i"),
        (np.zeros((2, 5)), "the past moved the triangle the wrong way: with it a query sees more"),
        ([[0, 0, 0, 1, 0], [0, 0, 0, 1, 1]], "the past is hidden: a query sees it, and what follows up to itself"),
    ]
    right = [[1, 1, 1, 1, 0], [1, 1, 1, 1, 1]]
    yield laws.equals("the first sees four keys, the second all five", behind, right, slips=slips)
    wide = ask(causal_mask, 2, 4)
    advice = "no past was given, so the last key is the future of both queries: do not take S - T for the past"
    law = "two queries, four keys and no past: they see one and two keys"
    yield laws.equals(law, wide, [[1, 0, 0, 0], [1, 1, 0, 0]], advice)
    narrow = ask(causal_mask, 3, 2)
    yield laws.equals("three queries, two keys: the third sees both, too", narrow, [[1, 0], [1, 1], [1, 1]])
    yield laws.equals("one query behind past = 1, three keys", ask(causal_mask, 1, 3, 1), [[1, 1, 0]])


@visible_check
def padding_mask(padding_mask):
    mask = ask(padding_mask, np.array([2, 4, 0]), 5)
    law = "lengths 2, 4 and 0, five positions: a boolean mask of shape (B, 1, S) = (3, 1, 5)"
    yield _boolean(law, mask, (3, 1, 5), "the axis of length 1 stands for the queries; the last one has S positions")
    right = [[[1, 1, 0, 0, 0]], [[1, 1, 1, 1, 0]], [[0] * 5]]
    slips = [
        (1 - np.array(right), "it is the wrong way round: True where a token stands"),
        ([[[1, 1, 1, 0, 0]], [[1] * 5], [[1, 0, 0, 0, 0]]], "one too many: positions count from 0, so j < length"),
        ([[[1, 0, 0, 0, 0]], [[1, 1, 1, 0, 0]], [[0] * 5]], "one too few: positions count from 0, so j < length"),
        (np.array(right)[..., ::-1], "the tokens come first, the padding behind them"),
    ]
    yield laws.equals("True where a token stands; a sentence without tokens has none", mask, right, slips=slips)
    advice = "j < length holds for all j from 0 to 2: no position is padding, and the axis of sentences stays"
    full = ask(padding_mask, np.array([3]), 3)
    yield laws.equals("one full sentence of three, (1, 1, 3)", full, [[[1, 1, 1]]], advice)


@visible_check
def scaled_dot_product_attention(scaled_dot_product_attention):
    attend = scaled_dot_product_attention
    reply = ask(attend, Q, K, V)
    yield laws.results(reply, {"output": (1, 2), "weights": (1, 3)}, "it returns ")
    slips = [
        ([[0.66524096, 0.09003057, 0.24472847]], "the scores are not divided by √3. " + EARLIER),
        ([[0.44844086, 0.23023722, 0.32132192]], "the scores are divided by 3, not by √3. " + EARLIER),
        ([[0.50648039, 0.18632372, 0.30719589]], "the scores are cosines: divide by √3 alone. " + EARLIER),
        ([[1, 1, 1]], "every weight is 1: the softmax ran over the queries; each row, axis -1, sums to 1"),
        ([[0.57597535, 0.14002925, 0.28399541]], "you divided by the root of the width of V: it is that of K"),
    ]
    yield laws.equals("the weights of the chapter's second case", reply.value[1], WEIGHTS, slips=slips)
    yield laws.equals("and its output", reply.value[0], OUTPUT, "weights are fine, the output is not: weights @ V")

    queries, keys, values = laws.random(3, (2, 4, 3), (2, 5, 3), (2, 5, 6))
    _, open_weights = ask(attend, queries, keys, values).value
    advice = "the softmax runs over the keys, axis=-1, however many axes stand in front"
    yield laws.sums("a batch: each row sums to 1", open_weights, 1, advice)
    powers = np.exp(np.einsum("bid,bjd->bij", queries, keys) / 3**0.5)
    law = "and holds e to the power of its scores, divided by their sum"
    yield laws.equals(law, open_weights, powers / powers.sum(axis=-1)[..., None], EARLIER)
    mask = np.array([[[True, True, False, True, False]], [[True, True, True, False, True]]])
    output, weights = ask(attend, queries, keys, values, mask).value
    yield _masked(weights, open_weights, mask)
    advice = "hide the scores before the softmax, not the weights after it"
    yield laws.sums("and each row still sums to 1", weights, 1, advice)
    yield laws.equals("the output is blended by these weights", output, np.asarray(weights) @ values, "weights @ V")

    yield _empty_row(ask(attend, queries, keys, values, mask & [[[True]], [[False]]]), output[0], weights[0])
    far = np.array([0.0, 200.0, 200.001])[:, None] * [[1.0, 1.0, 1.0]]
    large = ask(attend, np.array([[1000.0, 0.0, 0.0]]), far, 1000 * V)
    advice = f"got {rounded(large.value[1])}: take the largest visible score of each row off before np.exp"
    yield laws.equals("scores above 1000 stay finite", large.value[1], [[0, 0.35954252, 0.64045748]], advice)
    yield laws.equals("and so does a blend of large values", large.value[0], [[4280.91496, 5280.91496]])
    alone = ask(attend, queries[:1, :2], keys[:1, :1], values[:1, :1]).value
    yield laws.equals("one sentence with one key: its weight is 1, shape (1, 2, 1)", alone[1], np.ones((1, 2, 1)))
    yield laws.equals("and the output is its value, shape (1, 2, 6)", alone[0], values[:1, [0, 0]])
    yield from _narrow_masks(attend)
    yield from _extremes(attend)
    yield _causal(attend)
    yield _leading_axes(attend)
    small = [a.astype(np.float32) for a in (queries, keys, values)]
    yield laws.keeps_type(ask(attend, *small, mask), FLOAT32)
    yield laws.keeps_type(ask(attend, queries, keys, values, mask), FLOAT64, "float64")


def _masked(weights, open_weights, mask):
    """Hidden keys get nothing, seen from another reply without a mask."""
    hidden = np.broadcast_to(~mask, np.shape(weights))
    advice = "hidden keys got weight: a hidden score is -np.inf (a score of 0 counts, exp(0) is 1)"
    if not np.isfinite(np.asarray(weights, float)).all():
        advice = "there is a nan: 0 times -np.inf is one. np.where(mask, scores, -np.inf) multiplies nothing"
    elif laws.near(weights, open_weights):
        advice = "the mask has no effect"
    elif not np.any(np.asarray(weights)[~hidden]):
        advice = "the hidden keys got all the weight: True means may look"
    return Verdict("a mask (2, 1, 5): hidden keys get exactly 0", not np.any(np.asarray(weights)[hidden]), advice)


def _empty_row(reply, output, weights):
    """The second sentence sees nothing, the first what it saw before."""
    law = "a sentence that may look nowhere: output and weights are exactly 0, the other one is as before"
    got_output, got_weights = map(as_array, reply.value)
    cause = "-inf minus -inf is nan, and so is 0/0: give such a row another maximum and another sum"
    if np.isfinite(got_weights).all():
        cause = "-1e9 for all leaves them equal: use -np.inf, and another sum than 0 to divide by"
    right = not np.any(got_output[1]) and not np.any(got_weights[1])
    same = laws.near(got_output[0], output) and laws.near(got_weights[0], weights)
    return Verdict(law, right and same, cause if not right else "the first sentence changed: is each row on its own?")


def _narrow_masks(attend):
    """Masks of fewer entries than the scores, and of fewer axes."""
    queries, keys, values = laws.random(9, (2, 2, 3), (2, 3, 3), (2, 3, 2))
    _, weights = ask(attend, queries, keys, values).value
    one = ask(attend, queries, keys, values, np.array([[True], [False]])).value[1]
    advice = "row 0 sees all and row 1 nothing: np.where(mask, scores, -np.inf) lets the mask broadcast"
    yield laws.equals("a mask (T, 1) = (2, 1): a row at a time", one, weights * [[1], [0]], advice)
    one = ask(attend, queries, keys, values, np.array([True, False, True])).value[1]
    seen = as_array(weights) * [1, 0, 1]
    advice = "all rows see keys 0 and 2: np.where(mask, scores, -np.inf) lets the mask broadcast"
    yield laws.equals("a mask of one axis, (S,) = (3,)", one, seen / seen.sum(axis=-1, keepdims=True), advice)


def _extremes(attend):
    """A row's own visible scores alone decide, however far from them the hidden ones and the other rows are."""
    cases = [
        ("a hidden score of 2000 beside visible ones of 0: the weights are [0, 1/2, 1/2]", [2], [2000, 0, 0], [0, 1, 1],
         "the largest score must be the largest VISIBLE one: hide the scores first, then take the maximum"),
        ("a row of scores near 1000, one near -1000: in each all weights are 1/3", [2, -2], [1000] * 3, [1, 1, 1],
         "each row has its own largest score: take it with axis=-1 and keepdims=True, not one for all rows"),
        ("visible scores of -20000 beside a hidden one: the weights are [0, 1/2, 1/2]", [2], [-20000] * 3, [0, 1, 1],
         "visible scores may lie below any number that stands for a hidden one: only -np.inf is below them all"),
    ]
    for law, of_queries, of_keys, seen, advice in cases:
        queries, keys = (np.array(column, float)[:, None] * np.eye(1, 4) for column in (of_queries, of_keys))
        weights = ask(attend, queries, keys, V, np.array([seen], bool)).value[1]
        right = np.tile(np.array(seen) / sum(seen), (len(of_queries), 1))
        yield Verdict(law, laws.near(weights, right), f"got {rounded(weights)}: {advice}")


def _causal(attend):
    """Two runs that differ behind the second position."""
    queries, keys, values = laws.random(4, (4, 3), (4, 3), (4, 2))
    mask = np.array([[True, False, False, False], [True, True, False, False], [True, True, True, False], [True] * 4])
    before = ask(attend, queries, keys, values, mask).value[0]
    keys[2:], values[2:] = 2000 * queries[:2], values[2:] + 7  # each of the first queries meets a very large score
    after = ask(attend, queries, keys, values, mask).value[0]
    same = np.array_equal(before[:2], after[:2]) or laws.near(before[:2], after[:2])
    advice = "hidden keys reach it: is the maximum taken among the visible scores, and the sum?"
    return Verdict("the future does not change the past: other keys and values later, the same output", same, advice)


def _leading_axes(attend):
    """Sentences and heads, and one mask for all: every head is what it is alone."""
    queries, keys, values = laws.random(5, (2, 3, 4, 5), (2, 3, 6, 5), (2, 3, 6, 2))
    mask = np.array([[True] * 6, [True, False] * 3, [False] * 5 + [True], [True, True] + [False] * 4])
    law = "sentences and heads: (2, 3, 4, 5) with one mask (4, 6); each head is what it is alone"
    many = ask(attend, queries, keys, values, mask).value
    alone = [ask(attend, queries[b, h], keys[b, h], values[b, h], mask).value for b in range(2) for h in range(3)]
    parts = [np.reshape([each[k] for each in alone], (2, 3, 4, -1)) for k in (0, 1)]
    agree = all(laws.near(one, other) for one, other in zip(many, parts, strict=True))
    return Verdict(law, agree, "count axes from the end, and let the mask broadcast: np.where(mask, scores, -np.inf)")


@visible_check
def scaled_dot_product_attention_backward(scaled_dot_product_attention_backward):
    backward = scaled_dot_product_attention_backward
    yield from _by_hand(backward)
    yield from _alone(backward)
    yield from _slopes(backward)
    small = [a.astype(np.float32) for a in laws.random(7, (2, 3, 4), (2, 3, 5), (2, 6, 5), (2, 6, 4), (2, 3, 6))]
    yield laws.keeps_type(ask(backward, *small), FLOAT32)
    yield laws.keeps_type(ask(backward, *(a.astype(float) for a in small)), FLOAT64, "float64")


def _alone(backward):
    """One query and one key: the weight is 1, whatever the score is."""
    (probe,) = laws.random(10, (2, 1, 1))
    reply = ask(backward, probe, *laws.random(11, (2, 1, 1), (2, 1, 1), (2, 1, 1)), np.ones((2, 1, 1)))
    shapes = dict.fromkeys(["d_Q", "d_K", "d_V"], probe.shape)
    yield laws.results(reply, shapes, "one query and one key for each of two, widths of 1: ")
    yield laws.equals("its weight is always 1, so d_Q is 0", reply.value[0], np.zeros(probe.shape))
    yield laws.equals("and d_V is d_output", reply.value[2], probe)


def _by_hand(backward):
    """Two queries, two keys, d_k = 4. All but Q and K is square, so a missing transposition shows in the numbers."""
    weights, probe = np.array([[0.25, 0.75], [0.5, 0.5]]), np.array([[1.0, 1.0], [2.0, -2.0]])
    queries, keys = np.array([[1.0, 2.0, 0.0, 1.0], [0.0, 1.0, 3.0, 0.0]]), np.eye(2, 4)
    reply = ask(backward, probe, queries, keys, np.array([[1.0, 0.0], [1.0, 1.0]]), weights)
    yield laws.results(reply, {"d_Q": (2, 4), "d_K": (2, 4), "d_V": (2, 2)}, "it returns ")
    d_Q, d_K, d_V = reply.value
    advice = f"{laws.got(d_V)}: the given weights, transposed, times d_output, and no root"
    law = "by hand, weights [1/4, 3/4] and [1/2, 1/2], d_output [1, 1] and [2, -2]: d_V"
    yield laws.equals(law, d_V, [[1.25, -0.75], [1.75, -0.25]], advice)
    half = np.array([[-0.1875, 0.1875], [0.5, -0.5]]) / 2  # d_scores, divided by the root
    slips = [(np.array(wrong) / 2 @ keys, advice) for wrong, advice in D_SCORES]
    slips += [(half.T @ queries, "this is d_K: the order is d_Q, d_K, d_V")]
    law = "d_weights is [1, 2] and [2, 0], d_scores [-3/16, 3/16] and [1/2, -1/2]: d_Q is half of that times K"
    yield laws.equals(law, d_Q, half @ keys, slips=slips)
    slips = [(half.T @ queries * 2, "the root of d_k = 4 is missing: d_K is divided by it as d_Q is"),
             (half @ queries, "d_scores is to be transposed here, (..., S, T): a row of d_K belongs to a key")]
    yield laws.equals("and d_K half of d_scores, transposed, times Q", d_K, half.T @ queries, slips=slips)


D_SCORES = [  # known wrong gradients of the scores in `_by_hand`
    ([[-0.375, 0.375], [1, -1]], "the root of d_k = 4 is missing: the way back is divided by it too"),
    ([[0.25, 1.5], [1, 0]], "subtract the row's mean of d_weights, by the weights, before you multiply"),
    ([[-0.125, 0.375], [0.5, -0.5]], "you subtracted the plain mean of d_weights: take the mean by the weights"),
    ([[0.1875, 0.375], [0.5, 0]],
     "each weight was taken for itself, α (1 - α): a score moves all weights of its row"),
    ([[-0.0625, 0.375], [0.375, -0.75]], "the mean ran over the queries: take it along each row, axis=-1"),
    ([[-0.1875, 0.75], [0.125, -0.5]], "the means of the rows met the columns: keepdims=True leaves them (..., T, 1)"),
    ([[1, 2], [2, 0]], "the softmax is left out: d_weights is not yet d_scores"),
    ([[0.1875, -0.1875], [0.5, -0.5]], "d_weights is d_output times V transposed: here V was not turned"),
    ([[-0.1875, 0.5], [0.1875, -0.5]], "d_scores is transposed, which it is for d_K alone: a row of d_Q is a query's"),
]


def _slopes(backward):
    """Central differences, with sentences and heads, a hidden key and a query that saw nothing."""
    probe, queries, keys, values = laws.random(6, (2, 3, 4, 2), (2, 3, 4, 5), (2, 3, 6, 5), (2, 3, 6, 2))
    seen = np.ones((4, 6))
    seen[1, 2:4], seen[3] = 0, 0

    def weights():
        powers = np.exp(np.einsum("bhid,bhjd->bhij", queries, keys) / 5**0.5) * seen
        return powers / np.maximum(powers.sum(axis=-1, keepdims=True), 1e-300)

    reply = ask(backward, probe, queries, keys, values, weights())
    shapes = {"d_Q": queries.shape, "d_K": keys.shape, "d_V": values.shape}
    yield laws.results(reply, shapes, "sentences and heads: it returns ")
    advice = "is the mean a row's own, axis=-1 with keepdims? Are the given weights used, which are 0 where hidden?"
    for (name, _), array, got in zip(shapes.items(), (queries, keys, values), reply.value, strict=True):
        slope = numerical_gradient(lambda: np.sum(probe * (weights() @ values)), array)
        law = f"{name} agrees with central differences, hidden keys and all"
        yield laws.equals(law, got, slope, advice)
    empty = not np.any(as_array(reply.value[0])[:, :, 3])
    yield Verdict("a query that saw nothing has a gradient of 0", empty, "its weights are 0, and so is the rest")


def _boolean(law, reply, shape, advice=""):
    verdict = laws.shape(law, reply, shape, advice)
    if verdict.passed and as_array(reply.value).dtype != bool:
        return Verdict(law, False, f"its type is {as_array(reply.value).dtype}: True and False, not 1 and 0")
    return verdict
