"""The visible checks of lab 00. Each takes the student's function and states the laws that it should keep.

What a gradient should be is not written here: central differences of the loss say it, as in the lab's first pages.
"""

import numpy as np

from coursekit.check import as_array, ask, laws, rounded, visible_check
from coursekit.gradient_check import numerical_gradient
from coursekit.verdicts import Verdict


@visible_check
def distances(distances):
    a, b = np.array([[0.0, 0.0], [3.0, 4.0]]), np.array([[0.0, 0.0], [3.0, 0.0], [3.0, 4.0]])
    reply = ask(distances, a, b)
    turned = "the rows of a come first" if as_array(reply.value).shape == (3, 2) else ""
    yield laws.shape("2 rows against 3 rows: a result of shape (N, M) = (2, 3)", reply, (2, 3), turned)
    expected = np.array([[0.0, 3.0, 5.0], [5.0, 4.0, 0.0]])
    slips = [(expected**2, "these are the squares of the distances: take the root"),
             ([[0, 3, 7], [7, 4, 0]], "these are sums of absolute differences: square them first, and take the root"),
             ([[0, 0, 0], [0, 9, 25]], "these are dot products: subtract the rows first"),
             ([[0, 3, 5], [5, 2, 0]], "you subtracted the lengths of the rows: subtract the rows first"),
             (expected / np.sqrt(2), "these are means over the width: take the sum")]
    yield laws.equals("the distances of the example are 0, 3, 5 and 5, 4, 0", reply, expected, slips=slips)
    for law, N, M in [("4 rows of seven ones, against a row of zeros", 4, 1), ("a row of ones, against 3 rows", 1, 3)]:
        wide = ask(distances, np.ones((N, 7)), np.zeros((M, 7)))
        yield laws.equals(f"{law}: √7 each, shape {(N, M)}", wide, np.full((N, M), 7**0.5))
    rows = np.random.default_rng(5).normal(size=(6, 50))
    own = np.diagonal(as_array(ask(distances, rows, rows).value))
    advice = f"got {rounded(own)}: take the differences first; a² + b² - 2ab leaves rounding errors, whose root is nan"
    yield Verdict("each of six rows is at distance 0 from itself", laws.near(own, 0, rows), advice)
    moved = ask(distances, a + 1000.0, b + 1000.0)
    yield laws.equals("move all rows alike, by 1000, and no distance changes", moved, expected)
    yield laws.equals("0 and 2000 are 2000 apart", ask(distances, np.zeros((1, 1)), np.array([[2000.0]])), [[2000.0]])


@visible_check
def log_sum_exp(log_sum_exp):
    reply = ask(log_sum_exp, np.log([1.0, 2.0, 3.0]))
    slips = [(6.0, "this is the sum of the exponentials: take its logarithm"),
             (np.log(2), "this is the logarithm of the mean: take the sum, or add the maximum again after the log"),
             ([np.log(6)], "right, but the axis is still there: sum without keepdims, and squeeze the maximum too")]
    yield laws.equals("log_sum_exp of log 1, log 2, log 3 is log 6", reply, np.log(6.0), slips=slips)
    rows = np.array([[0.0, 0.0, 0.0, 0.0], [1.0, 1.0, 1.0, 1.0], [2.0, 2.0, 2.0, 2.0]])
    along = ask(log_sum_exp, rows)
    kept = "the axis is still there" if as_array(along.value).shape == (3, 1) else ""
    yield laws.shape("a matrix (3, 4), last axis by default: 3 numbers", along, (3,), kept)
    yield laws.equals("each of them the row's number plus log 4", along, np.log(4) + np.arange(3.0))
    down = ask(log_sum_exp, rows, axis=0)
    yield laws.shape("the same matrix with axis=0: 4 numbers", down, (4,), "is axis passed on to maximum and sum?")
    cube = ask(log_sum_exp, np.zeros((2, 1, 3)), axis=2)
    advice = "this one axis goes, all others stay where they are"
    yield laws.shape("shape (2, 1, 3) with axis=2: shape (2, 1)", cube, (2, 1), advice)
    yield laws.equals("and each of them log 3", cube, np.full((2, 1), np.log(3)))
    single = ask(log_sum_exp, np.array([[[1e-3], [-2e-4], [1e-4]]]), axis=2)
    advice = "log Σ exp of a single number is the number: nothing is added to the sum, and no other axis goes"
    law = "shape (1, 3, 1) with axis=2, small numbers: these numbers themselves, (1, 3)"
    yield laws.equals(law, single, [[1e-3, -2e-4, 1e-4]], advice)
    huge = ask(log_sum_exp, np.array([[1000.0, 1000.0], [-1000.0, -1000.0]]))
    advice = "np.exp overflows, or is 0: subtract each slice's own maximum, and add it again after the log"
    law = "of 1000, 1000 it is 1000 + log 2; of -1000, -1000 it is -1000 + log 2"
    yield laws.equals(law, huge, [1000.69314718, -999.30685282], advice)
    apart = ask(log_sum_exp, np.array([0.0, 2000.0]))
    yield laws.equals("of 0, 2000 it is 2000", apart, 2000.0, "subtract the maximum, no other number will do")


@visible_check
def log_softmax(log_softmax):
    reply = ask(log_softmax, np.log([1.0, 2.0, 5.0]))
    expected = np.log(np.array([0.125, 0.25, 0.625]))
    slips = [(np.exp(expected), "this is the softmax: its logarithm is asked for"),
             (np.log([0.2, 0.4, 1.0]), "you subtracted the maximum alone: subtract the log_sum_exp"),
             (np.log([1.0, 2.0, 5.0]) / np.log(8.0), "you divided by the log_sum_exp: subtract it")]
    yield laws.equals("of log 1, log 2, log 5 it is log 1/8, log 2/8, log 5/8", reply, expected, slips=slips)
    cube = np.arange(24.0).reshape(2, 3, 4) ** 0.5
    for axis in (0, 1, -1):
        sliced = ask(log_softmax, cube, axis=axis)
        yield laws.shape(f"shape (2, 3, 4) with axis={axis}: the same shape", sliced, cube.shape)
        law, advice = "and the exponentials of each slice sum to 1", "np.expand_dims(…, axis) puts the axis back"
        yield laws.sums(law, np.exp(as_array(sliced.value)), 1, advice, axis)
    large = ask(log_softmax, np.array([[3000.0, 3000.0]]))
    advice = "np.exp overflows above 709: subtract a log_sum_exp that takes the maximum off first"
    yield laws.equals("one row of 3000, 3000 gives -log 2 twice", large, [[-np.log(2), -np.log(2)]], advice)
    apart = ask(log_softmax, np.array([[0.0, -2000.0]]))
    advice = "in a softmax small weights are rounded to 0, and log 0 is -inf: subtract the log_sum_exp from x"
    yield laws.equals("0 and -2000 give 0 and -2000, not -inf", apart, [[0.0, -2000.0]], advice)


@visible_check
def cross_entropy(cross_entropy):
    log_p, targets, mask = _small_batch()
    reply = ask(cross_entropy, log_p, targets, mask)
    right = [0.0625, 0.5, 0.5]  # the probabilities of the three right words
    loss = -np.mean(np.log(right))
    slips = [(-loss, "the sign: a loss is minus the mean of the log-probabilities"),
             (3 * loss, "this is the sum: divide by the number of real words"),
             (3 * loss / 4, "you divided by 4, padding included: divide by the number of real words, mask.sum()"),
             (-np.log([*right, 0.7]).mean(), "padding counts in your mean: leave out where mask is False"),
             (-(np.log(0.0625) + np.log(0.5) + 2 * np.log(0.5)) / 4, "a mean of the sentences' means: every real word "
              "should count alike, so take one mean over all of them"),
             (-np.log(right[:2]).mean(), "this is the loss of the first sentence alone: all real words count"),
             (-log_p[mask].mean(), "you averaged over all words of the vocabulary: take that of the right word alone"),
             (-np.mean(right), "you averaged probabilities: average their logarithms"),
             (3 * loss / 2, "you divided by the number of sentences: divide by that of real words, mask.sum()"),
             (-np.log(0.5), "word 0 is a real word here: mask says what is padding, not the id")]
    law = "right words with probability 1/16, 1/2, 1/2, and a padded place: the loss is log 4"
    yield laws.equals(law, reply, loss, slips=slips)
    certain = ask(cross_entropy, np.array([[[0.0, -80.0]]]), np.array([[0]]), np.array([[True]]))
    law = "a model that is certain, and right, has loss 0"
    advice = "do you use the right word alone? Its id is 0 here, and it is no padding: mask says what is"
    yield laws.equals(law, certain, 0.0, advice)
    log_p, targets = np.log([[[0.5, 0.5], [0.9, 0.1], [0.125, 0.875]]]), np.array([[1, 0, 0]])
    gap = ask(cross_entropy, log_p, targets, np.array([[True, False, True]]))
    advice = "the mask may have gaps: take the places where it is True, not as many as there are from the first on"
    yield laws.equals("one sentence, of which the first and the last word count: log 4", gap, np.log(4), advice)
    lost = ask(cross_entropy, np.array([[[-900.0, 0.0]]]), np.array([[0]]), np.array([[True]]))
    advice = "take log_p as it is: np.exp(-900) is 0, and what is clipped or added to it is not its logarithm"
    yield laws.equals("a right word with log p = -900 costs 900", lost, 900.0, advice)


@visible_check
def cross_entropy_backward(cross_entropy_backward):
    log_p, targets, mask = _small_batch()
    reply = ask(cross_entropy_backward, log_p, targets, mask)
    yield laws.shape("a gradient for each logit: shape (B, T, V) = (2, 2, 3)", reply, log_p.shape)
    d = as_array(reply.value)
    advice = "it is not 0: padding takes no part in the loss"
    yield Verdict("padding gets no gradient", not d[1, 1].any(), advice)
    at_the_right = d[0, 0, 0]
    unseen = "it is 0 at a real word: its id is 0, but mask says what is padding, not the id"
    yield Verdict("a real word gets a gradient, also one whose id is 0", d[0, 0].any(), unseen)
    advice = "it is p - y, and p, the probabilities, are np.exp(log_p), which sum to 1 as y does"
    yield laws.sums("the gradients of each word's logits sum to 0", d, 0, advice)
    advice = "it is positive: a larger logit of the right word should lower the loss, so p - y, not y - p"
    yield Verdict("the gradient is negative at the right word", at_the_right < 0, advice)

    logits = log_p + np.array([[[1.0], [-2.0]], [[0.5], [3.0]]])  # a shift does not change their log_softmax
    right = [(b, t, targets[b, t]) for b, t in zip(*np.nonzero(mask), strict=True)]
    expected = numerical_gradient(lambda: _loss(logits, right), logits)
    slips = [(3 * expected, "all of it is 3 times too large: divide by the number of real words"),
             (0.75 * expected, "divide by the number of real words, not by the number of positions"),
             (1.5 * expected, "divide by the number of real words, not by the number of sentences")]
    yield laws.equals("and it is what central differences of the loss say", reply, expected, slips=slips)
    one = ask(cross_entropy_backward, log_p[:1, :1], targets[:1, :1], mask[:1, :1])
    yield laws.equals("a batch of one word: p - y, shape (1, 1, 3)", one, [[[-0.9375, 0.5, 0.4375]]])
    gap = np.array([[True, False, True]])
    reply = ask(cross_entropy_backward, np.log([[[0.5, 0.5], [0.9, 0.1], [0.125, 0.875]]]), np.array([[1, 0, 0]]), gap)
    advice = "the mask may have gaps: its own places get a gradient, not as many as there are from the first on"
    yield laws.equals("one sentence, of which the first and the last word count: both have one, that between has not",
                      reply, [[[0.25, -0.25], [0, 0], [-0.4375, 0.4375]]], advice)


@visible_check
def linear_backward(linear_backward):
    stream = np.random.default_rng(3)
    cases = [("a matrix", (5,), 3, 2), ("a batch of sentences", (2, 4), 3, 2), ("one more axis", (2, 3, 2), 3, 2)]
    cases += [("a single row, no axis in front", (), 3, 2), ("a batch of one, widths 1", (1, 3), 1, 1)]
    for law, front, N, M in cases:
        d_y, x, W = stream.normal(size=(*front, M)), stream.normal(size=(*front, N)), stream.normal(size=(N, M))
        b = np.zeros(M)
        reply = ask(linear_backward, d_y, x, W)
        yield laws.count(f"{law}: three arrays, d_x, d_W, d_b", reply, 3)
        shapes, expected = [as_array(each).shape for each in reply.value], [x.shape, W.shape, b.shape]
        advice = f"expected {expected}, got {shapes}: a gradient has the shape of its array"
        yield Verdict(f"{law}: shapes {x.shape}, {W.shape}, {b.shape}", shapes == expected, advice)
        for name, array, own in zip(("d_x", "d_W", "d_b"), (x, W, b), reply.value, strict=True):
            # d_y is the gradient of this loss in y, whatever d_y holds
            expected = numerical_gradient(lambda x=x, W=W, b=b, d_y=d_y: np.sum(d_y * (x @ W + b)), array)
            averaged = "this is a mean over the rows: they all used the same W and b, so their gradients add up"
            slips = [(expected / (x.size // N), averaged)]
            yield laws.equals(f"{law}: {name} is what central differences say", own, expected, slips=slips)


@visible_check
def unbroadcast(unbroadcast):
    stream = np.random.default_rng(4)
    cases = [("(3,) added to (4, 3)", (4, 3), (3,)), ("(4, 1) added to (4, 5)", (4, 5), (4, 1)),
             ("(2, 1, 3) added to (2, 4, 3)", (2, 4, 3), (2, 1, 3)), ("a number added to (2, 3)", (2, 3), ()),
             ("(3, 1) added to (2, 3, 4): both kinds", (2, 3, 4), (3, 1)), ("nothing stretched", (2, 3), (2, 3)),
             ("(3,) added to (3, 3): sizes alike", (3, 3), (3,)),
             ("(4, 1) added to (1, 4, 1): a batch of one", (1, 4, 1), (4, 1)),
             ("(1, 2, 1) added to (3, 2, 4): two stretched", (3, 2, 4), (1, 2, 1))]
    for law, stretched, shape in cases:
        d_y, y, small = stream.normal(size=stretched), stream.normal(size=stretched), np.zeros(shape)
        reply = ask(unbroadcast, d_y, shape)
        advice = "sum over what was added in front, or stretched; with k added, axis i of shape is axis i + k of d_y"
        yield laws.shape(f"{law}: the gradient has shape {shape}", reply, shape, advice)
        expected = numerical_gradient(lambda small=small, y=y, d_y=d_y: np.sum(d_y * (y + small)), small)
        factor = max(small.size, 1) / d_y.size
        one_copy = d_y[(0,) * (d_y.ndim - len(shape))][tuple(slice(size) for size in shape)]
        slips = [(expected * factor, "this is a mean: each copy adds to the loss, so their gradients add up"),
                 (one_copy, "this is the gradient of one copy: those of all copies add up")]
        yield laws.equals(f"{law}: it is what central differences say", reply, expected, slips=slips)


@visible_check
def embedding_backward(embedding_backward):
    ids, table = np.array([[1, 2, 1], [1, 4, 0]]), np.zeros((6, 2))
    (d_embedded,) = laws.random(8, (2, 3, 2))
    reply = ask(embedding_backward, d_embedded, ids, 6)
    yield laws.shape("6 rows of width 2: the table's shape, whatever the ids", reply, (6, 2))
    expected = numerical_gradient(lambda: np.sum(d_embedded * table[ids]), table)
    d = as_array(reply.value)
    never = "rows 3 and 5 were never taken: their gradient is 0"
    yield Verdict("a row that was not taken gets zeros", not d[[3, 5]].any(), never)
    yield Verdict("a row that was taken once gets the gradient of its place", laws.near(d[2], expected[2]),
                  f"row 2 stands at one place, with gradient {rounded(d_embedded[0, 1])}; got {rounded(d[2])}")
    several = f"word 1 stands at three places, whose gradients add up to {rounded(expected[1])}; got {rounded(d[1])}"
    if laws.near(d[1], d_embedded[1, 0]):
        several += ", the last of them: d[ids] += … does not add up repeated ids, np.add.at does"
    yield Verdict("a row that was taken three times gets the sum of three", laws.near(d[1], expected[1]), several)
    yield laws.equals("and all of it is what central differences say", reply, expected)
    one = ask(embedding_backward, np.array([[[0.5]]]), np.array([[1]]), 3)
    yield laws.equals("one word, a table of width 1: shape (3, 1)", one, [[0.0], [0.5], [0.0]])


def _small_batch():
    """log_p (2, 2, 3), targets and mask: three real words of probability 1/16, 1/2, 1/2, and one padded place."""
    p = [[[0.0625, 0.5, 0.4375], [0.25, 0.5, 0.25]], [[0.5, 0.125, 0.375], [0.7, 0.2, 0.1]]]
    return np.log(p), np.array([[0, 1], [0, 0]]), np.array([[True, True], [True, False]])


def _loss(logits, right):
    """The loss of logits (B, T, V), given the places [(b, t, v), …] of the right words."""
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)
    return -float(np.mean(np.log([probabilities[place] for place in right])))
