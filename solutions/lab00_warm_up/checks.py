"""What lab 00 is judged on."""

import numpy as np

from coursekit.verdicts import compare
from solutions.lab00_warm_up import reference


def distances(student, rng):
    hint = "is it the root of the sum, over the last axis, of the squared differences of every pair of rows?"
    for law, args in _rows(rng):
        yield compare(law, student.distances(*args), reference.distances(*args), hint)


def log_sum_exp(student, rng):
    hint = "is it log of the sum of exponentials along the axis, without that axis in the result?"
    for law, args, options, advice in _slices(rng, hint):
        expected = reference.log_sum_exp(*args, **options)
        yield compare(law, student.log_sum_exp(*args, **options), expected, advice)
    small = 1e-3 * rng.normal(size=(3, 1, 2))
    reply = student.log_sum_exp(small, axis=1)
    yield compare("an axis of length 1, small numbers: these numbers", reply, reference.log_sum_exp(small, 1), hint)


def log_softmax(student, rng):
    hint = "is it x minus its log_sum_exp along the axis?"
    for law, args, options, advice in _slices(rng, hint):
        expected = reference.log_softmax(*args, **options)
        yield compare(law, student.log_softmax(*args, **options), expected, advice)


def cross_entropy(student, rng):
    hint = "is it minus the mean, over the real words alone, of the log-probability of the right word?"
    for law, args in _batches(rng):
        yield compare(law, student.cross_entropy(*args), reference.cross_entropy(*args), hint)


def cross_entropy_backward(student, rng):
    hint = "is it (p - y) divided by the number of real words, and 0 where the mask is False?"
    for law, args in _batches(rng):
        yield compare(law, student.cross_entropy_backward(*args), reference.cross_entropy_backward(*args), hint)


def linear_backward(student, rng):
    hint = "is it d_y W^T; x^T d_y summed over all axes in front; and d_y summed over them?"
    laws = [("one axis in front", (5,), 3, 4), ("a batch of sentences", (2, 5), 4, 3)]
    laws += [("a batch, other widths", (3, 2), 1, 6), ("three axes in front", (2, 4, 3), 6, 5)]
    laws += [("a single row, no axis in front", (), 4, 2), ("a batch of one sentence, a width of one", (1, 4), 2, 1)]
    laws += [("a batch of sentences of one word", (3, 1), 3, 4)]
    for law, front, N, M in laws:
        args = rng.normal(size=(*front, M)), rng.normal(size=(*front, N)), rng.normal(size=(N, M))
        yield compare(law, student.linear_backward(*args), reference.linear_backward(*args), hint)


def unbroadcast(student, rng):
    hint = "is every axis that was added or stretched summed, and does the result have the shape asked for?"
    cases = [("a vector that was added to every row", (4, 3), (3,)), ("a column that was stretched", (4, 5), (4, 1))]
    cases += [("a stretched axis in the middle", (2, 4, 3), (2, 1, 3)), ("a number", (3, 2), ())]
    cases += [("axes added and stretched at once", (2, 5, 3, 4), (3, 1)), ("two stretched axes", (3, 2, 4), (1, 2, 1))]
    cases += [("a vector that was added to a square", (4, 4), (4,)), ("to a single row", (1, 5), (5,))]
    cases += [("a column that was stretched to a square", (3, 3), (3, 1)), ("to a batch of one", (1, 3, 5), (3, 1))]
    cases += [("a column that was added to a batch of one", (1, 4, 1), (4, 1))]
    for law, stretched, shape in cases:
        args = rng.normal(size=stretched), shape
        yield compare(law, student.unbroadcast(*args), reference.unbroadcast(*args), hint)


def embedding_backward(student, rng):
    hint = "does each row of the table get the sum of the gradients of all places where it was taken?"
    cases = [("a word that occurs twice counts twice", [[1, 4, 1], [3, 0, 2]], 8, 5)]
    cases += [("the same word everywhere", [[2, 2, 2, 2], [2, 2, 2, 2]], 5, 3)]
    cases += [("a row that was never taken gets zeros", [[6, 0], [6, 5], [0, 6]], 9, 4)]
    cases += [("many words, drawn at random", rng.integers(1, 7, size=(4, 9)), 10, 2)]
    cases += [("one sentence", [[3, 1, 3]], 6, 4), ("sentences of one word, a width of one", [[2], [0], [2]], 4, 1)]
    cases += [("a word for each of as many as there are places and widths", [[0, 1, 1], [2, 1, 0], [1, 1, 2]], 3, 3)]
    for law, ids, rows, X in cases:
        ids = np.array(ids)
        args = rng.normal(size=(*ids.shape, X)), ids, rows
        yield compare(law, student.embedding_backward(*args), reference.embedding_backward(*args), hint)


# Cases. Large numbers are in eighths, which float32 holds exactly, so that work in float32 is not judged on rounding.


def _rows(rng):
    """(law, (a, b)) for distances."""
    sizes = [("every row against every row", 3, 5, 4), ("one row against many", 1, 6, 3), ("many against one", 4, 1, 2)]
    for law, N, M, X in [*sizes, ("one against one, of width one", 1, 1, 1)]:
        yield law, (rng.normal(size=(N, X)), rng.normal(size=(M, X)) + 1)
    a, b = _eighths(rng.normal(size=(3, 4))), _eighths(rng.normal(size=(5, 4)))
    far = np.array([[1000], [1000], [-1000], [1000], [1000]])
    yield "rows far from 0, most of them near one another", (a + 1000, b + far)
    b[2] = a[1]
    yield "two of the rows are equal: their distance is 0", (a, b)


def _slices(rng, hint):
    """(law, args, options, hint) for functions along an axis. Four hold numbers that np.exp cannot take."""
    benign, deep = rng.normal(size=(4, 3)), rng.normal(size=(2, 5, 3))
    rows = np.array([[0], [1000], [-900], [0], [50]])
    huge = _eighths(rng.normal(size=(5, 4)) * 30) + rows + [0, 2500, -2000, 5000]
    wide = _eighths(rng.normal(size=(3, 4))) - np.array([900, 1800, 2700, 1000]) * [[1], [2], [3]]
    overflow = "numbers of any size must work: subtract the maximum along the axis, and add it again after the log"
    yield "a matrix, last axis by default", (benign,), {}, hint
    yield "three axes, the middle one", (deep,), {"axis": 1}, hint
    yield "three axes, the middle one, counted from the end", (rng.normal(size=(4, 3, 5)),), {"axis": -2}, hint
    yield "numbers in the thousands, axis 0: finite, and right", (huge,), {"axis": 0}, overflow
    yield "numbers far apart within a slice, last axis: finite, and right", (wide,), {"axis": -1}, overflow
    yield "the same in a batch of one: no other axis goes", (wide.T[None],), {"axis": 1}, overflow
    yield "each twice, and another axis of length 1, which stays", (wide.repeat(2, axis=1)[:, None],), {}, overflow


def _eighths(x):
    return np.round(x * 8) / 8


def _batches(rng):
    """(law, (log_p, targets, mask)): with and without padding, and batches of one sentence, or of single words."""
    cases = [("no padding", 2, 4, 3, [4, 4]), ("sentences of different lengths", 3, 5, 4, [5, 1, 3])]
    cases += [("one long sentence, three short ones", 4, 6, 7, [1, 6, 2, 1]), ("gaps in a mask", 3, 7, 5, [7, 4, 2])]
    cases += [("one sentence", 1, 5, 4, [3]), ("sentences of one word", 4, 1, 3, [1, 0, 1, 1])]
    for law, B, T, V, lengths in cases:
        mask = np.arange(T) < np.array(lengths)[:, None]
        mask[0, T // 4] &= law != "gaps in a mask"
        targets = np.where(mask, rng.integers(V, size=(B, T)), 0)
        yield law, (reference.log_softmax(2 * rng.normal(size=(B, T, V))), targets, mask)
    log_p = reference.log_softmax(rng.normal(size=(3, 3, 9)))
    yield "most of the words are never right", (log_p, rng.integers(3, size=(3, 3)), np.ones((3, 3), bool))
    log_p = reference.log_softmax(rng.normal(size=(1, 1, 5)) - 900 * np.eye(5)[2])
    yield "a single word, right with log p near -900", (log_p, np.array([[2]]), np.array([[True]]))
