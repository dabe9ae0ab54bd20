"""What lab 07 is judged on."""

from dataclasses import replace

import numpy as np

from coursekit.verdicts import Verdict, compare, refusal, together
from solutions.lab07_positions import reference


def sinusoids(student, rng):
    hint = "is it sin and cos side by side, of position / 10000^(2r / d_model) for pair r?"
    laws = [
        ("seven positions in order", np.arange(7), 6),
        ("positions in any order, one of them twice", rng.permutation([3, 0, 11, 4, 3]), 8),
        ("positions far beyond any table", rng.integers(5000, 70_000, size=4), 10),
        ("a batch of positions, (B, T)", rng.integers(0, 60, size=(3, 5)), 4),
        ("positions below 0, (B, 1, T), and a single pair", rng.integers(-3000, 0, size=(2, 1, 3)), 2),
    ]
    for law, positions, d_model in laws:
        yield compare(law, student.sinusoids(positions, d_model), reference.sinusoids(positions, d_model), hint)
    some = np.array([4, 1, 9])
    yield from _refuses(student, [(5, some), (63, some), (1, np.arange(0))])  # NumPy itself lets the last one pass


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
    for law, Q, K, past in _looks(rng):
        expected = reference.rotary_scores(Q.astype(float), K.astype(float), past)
        yield _typed(law, student.rotary_scores(Q, K, past), expected, hint, Q.dtype)


def to_half_split(student, rng):
    hint = "within the columns of each head: 0, 2, 4, … first, then 1, 3, 5, …?"
    sizes = [("one head", 5, 1, 6), ("two heads", 7, 2, 8), ("three heads", 4, 3, 10), ("a single row", 1, 5, 4)]
    for law, d_model, heads, d_k in sizes:
        W = rng.normal(size=(d_model, heads * d_k))
        yield compare(law, student.to_half_split(W, heads), reference.to_half_split(W, heads), hint)


def alibi_slopes(student, rng):
    powers, others = rng.permutation([1, 2, 4, 8, 16]), rng.permutation([6, 7, 11, 12, 20])
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
        ("no past, and more keys than queries: they are still to come", 3, 2, 6, 0),
        ("one head, one query far from the first key", 1, 1, 4, 3000),
    ]
    for law, heads, T, S, past in laws:
        slopes = rng.random(heads)
        yield compare(law, student.alibi_bias(slopes, T, S, past), reference.alibi_bias(slopes, T, S, past), hint)


# Cases, and how they are judged


def _refuses(student, cases):
    """Odd widths raise ValueError, and the message names the width: as much together as all values. Neither counts
    unless an even width is encoded rightly."""
    right, raised, named = [], [], []
    for odd, positions in cases:
        law, some = f"d_model = {odd + 1}, without whose values no refusal counts", np.array([4, 1, 9])
        right.append(compare(law, student.sinusoids(some, odd + 1), reference.sinusoids(some, odd + 1)))
        law, reply = f"d_model = {odd} raises ValueError", student.sinusoids(positions, odd)
        said = f"it raised {reply.error}" if reply.error else "it returned something: an entry has no partner"
        raised.append(Verdict(law, reply.error == "ValueError", said))
        problem = refusal(reply.error, reply.said, [str(odd)])
        named.append(Verdict(f"{law} with a message of its own that names it", problem is None, problem or ""))
    for verdicts, weight in [(raised, 3), (named, 2)]:
        yield replace(together(*verdicts, *right), weight=weight)


def _looks(rng):
    """(law, Q, K, past) for `rotary_scores`. Half are in float32, one of them with a past whose angles float32
    cannot hold. The last one's products are large and their sum is not, as the key is turned by what the query is
    turned by: it shows whether digits were lost."""
    far = int(rng.integers(30_000, 70_000))
    laws = [
        ("one sequence, no past, and keys still to come", (4, 6), (7, 6), 0, float),
        ("heads and a batch, with a past, and keys still to come", (2, 3, 4, 6), (2, 3, 11, 6), 5, float),
        ("one new token, the others in the cache", (3, 1, 8), (3, 12, 8), 11, float),
        ("no past, in float32, which stays float32", (4, 6), (4, 6), 0, np.float32),
        ("heads with a past, far beyond any table, in float32", (3, 2, 16), (3, 7, 16), far, np.float32),
        ("one new token, in float32", (2, 1, 4), (2, 10, 4), 9, np.float32),
        ("a batch of one with one head, one key, one pair, in float32", (1, 1, 3, 2), (1, 1, 1, 2), 2, np.float32),
    ]
    for law, of_Q, of_K, past, kind in laws:
        yield law, rng.normal(size=of_Q).astype(kind), rng.normal(size=of_K).astype(kind), past
    Q, K = 1000 + rng.normal(size=(2, 1, 4)), 1000 * np.array([1, -1, 1, -1]) + rng.normal(size=(2, 1, 4))
    yield "one query far beyond one key, products that nearly cancel", Q, reference.rotate(K, np.array([3000])), 3000


def _vectors(rng):
    """(law, vectors, positions) for `rotate` and the way back. Half of the cases are in float32, one of them at
    positions whose angles float32 cannot hold."""
    laws = [
        ("one sequence", (5, 6), np.arange(1, 6)),
        ("heads and a batch, after a cache of seven tokens", (2, 3, 4, 8), 7 + np.arange(4)),
        ("positions in any order", (4, 10), rng.permutation([9, 2, 40, 5])),
        ("each sentence its own positions, (B, 1, T)", (3, 2, 5, 4), rng.integers(1, 50, size=(3, 1, 5))),
        ("a batch of one with one head, positions below 0", (1, 1, 3, 2), rng.integers(-50, 0, size=3)),
    ]
    for dtype, said in [(float, ""), (np.float32, ", in float32, which stays float32")]:
        for law, shape, positions in laws:
            yield law + said, rng.normal(size=shape).astype(dtype), positions
    far = rng.integers(3000, 70_000, size=(2, 1, 4))
    yield "large numbers, far beyond any table", 1000 * rng.normal(size=(2, 4, 4, 4)), far
    far = rng.integers(30_000, 70_000, size=(3, 1))
    law = "single tokens, each far beyond any table, in float32"
    yield law, rng.normal(size=(3, 1, 16)).astype(np.float32), far


def _typed(law, reply, expected, hint, dtype):
    """`compare`, and the result must have this dtype."""
    verdict = compare(law, reply, expected, hint)
    got = getattr(reply.value, "dtype", None)
    if not verdict.passed or got == dtype:
        return verdict
    return Verdict(law, False, f"right values, but {dtype.name} became {got}: find what promotes it")
