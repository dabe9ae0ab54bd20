"""What lab 07 is judged on."""

import numpy as np

from coursekit.verdicts import Verdict, compare
from solutions.lab07_positions import reference


def sinusoids(student, rng):
    hint = "is it sin and cos side by side, of position / 10000^(2r / d_model) for pair r?"
    laws = [
        ("seven positions in order", np.arange(7), 6),
        ("positions in any order, one of them twice", rng.permutation([3, 0, 11, 4, 3]), 8),
        ("far positions", rng.integers(100, 200, size=4), 10),
        ("a batch of positions, (B, T)", rng.integers(0, 60, size=(3, 5)), 4),
    ]
    for law, positions, d_model in laws:
        yield compare(law, student.sinusoids(positions, d_model), reference.sinusoids(positions, d_model), hint)
    for odd, positions in [(5, np.array([4, 1, 9])), (1, np.arange(0))]:  # NumPy itself lets the second one pass
        yield _refuses(student, odd, positions, weight=2)


def rotate(student, rng):
    hint = "is pair r = (entries 2r, 2r + 1) turned by position · 10000^(-2r / d), from the first towards the second?"
    for law, x, positions in _vectors(rng):
        expected = reference.rotate(x.astype(float), positions)
        yield _typed(law, student.rotate(x, positions), expected, hint, x.dtype)


def rotate_backward(student, rng):
    hint = "is it the rotation by the opposite angle?"
    for law, d_rotated, positions in _vectors(rng):
        expected = reference.rotate_backward(d_rotated.astype(float), positions)
        yield _typed(law, student.rotate_backward(d_rotated, positions), expected, hint, d_rotated.dtype)


def rotary_scores(student, rng):
    hint = "is query i turned for past + i and key j for j, and the product divided by the root of d_k?"
    laws = [
        ("one sequence, no past", (5, 6), (5, 6), 0, float),
        ("heads and a batch, with a past, and keys still to come", (2, 3, 4, 6), (2, 3, 11, 6), 5, float),
        ("one new token, the others in the cache", (3, 1, 8), (3, 12, 8), 11, float),
        ("no past, in float32, which stays float32", (4, 6), (4, 6), 0, np.float32),
        ("heads with a past, in float32", (3, 2, 8), (3, 7, 8), 5, np.float32),
        ("one new token, in float32", (2, 1, 4), (2, 10, 4), 9, np.float32),
    ]
    for law, q_shape, k_shape, past, dtype in laws:
        Q, K = rng.normal(size=q_shape).astype(dtype), rng.normal(size=k_shape).astype(dtype)
        expected = reference.rotary_scores(Q.astype(float), K.astype(float), past)
        yield _typed(law, student.rotary_scores(Q, K, past), expected, hint, Q.dtype)


def to_half_split(student, rng):
    hint = "within the columns of each head: 0, 2, 4, … first, then 1, 3, 5, …?"
    for law, d_model, heads, d_k in [("one head", 5, 1, 6), ("two heads", 7, 2, 8), ("three heads", 4, 3, 10)]:
        W = rng.normal(size=(d_model, heads * d_k))
        yield compare(law, student.to_half_split(W, heads), reference.to_half_split(W, heads), hint)


def alibi_slopes(student, rng):
    powers, others = rng.permutation([2, 4, 8, 16]), rng.permutation([6, 7, 12, 20])
    for heads in powers.tolist():
        hint = "is it 2^(-8n / h) for n = 1 to h, in this order?"
        yield compare("a power of two", student.alibi_slopes(heads), reference.alibi_slopes(heads), hint)
    for heads in others.tolist():
        hint = "first the slopes of the power of two below, then every other slope of twice that power, from the first?"
        law = "another number of heads"
        yield compare(law, student.alibi_slopes(heads), reference.alibi_slopes(heads), hint)


def alibi_bias(student, rng):
    hint = "is it minus slope times (query's position minus key's position), and 0 for keys still to come?"
    laws = [
        ("no past", 3, 5, 5, 0),
        ("a past: query i stands at past + i", 2, 4, 7, 3),
        ("one new token", 4, 1, 6, 5),
        ("a past, and a key still to come", 5, 3, 9, 6),
        ("two queries after one token", 6, 2, 5, 1),
    ]
    for law, heads, T, S, past in laws:
        slopes = rng.random(heads)
        yield compare(law, student.alibi_bias(slopes, T, S, past), reference.alibi_bias(slopes, T, S, past), hint)


# Cases, and how they are judged


def _refuses(student, odd, positions, weight):
    """An odd width raises ValueError, from a function that encodes even ones rightly."""
    law = f"d_model = {odd} raises ValueError"
    some = np.array([4, 1, 9])
    right = compare(law, student.sinusoids(some, odd + 1), reference.sinusoids(some, odd + 1))
    if not right.passed:
        return Verdict(law, False, "counts only where an even width is encoded rightly", weight)
    error = student.sinusoids(positions, odd).error
    said = f"it raised {error}" if error else "it returned something: an odd width has an entry without a partner"
    return Verdict(law, error == "ValueError", said, weight)


def _vectors(rng):
    """(law, vectors, positions) for `rotate` and the way back. Half of the cases are in float32."""
    laws = [
        ("one sequence", (5, 6), np.arange(1, 6)),
        ("heads and a batch, behind a cache of seven tokens", (2, 3, 4, 8), 7 + np.arange(4)),
        ("positions in any order", (4, 10), rng.permutation([9, 2, 40, 5])),
        ("each sentence its own positions, (B, 1, T)", (3, 2, 5, 4), rng.integers(1, 50, size=(3, 1, 5))),
    ]
    for dtype, said in [(float, ""), (np.float32, ", in float32, which stays float32")]:
        for law, shape, positions in laws:
            yield law + said, rng.normal(size=shape).astype(dtype), positions


def _typed(law, reply, expected, hint, dtype):
    """`compare`, and the result must have this dtype."""
    verdict = compare(law, reply, expected, hint)
    got = getattr(reply.value, "dtype", None)
    if not verdict.passed or got == dtype:
        return verdict
    return Verdict(law, False, f"right values, but {dtype.name} became {got}: find what promotes it")
