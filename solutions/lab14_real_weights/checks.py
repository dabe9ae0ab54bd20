"""What lab 14 is judged on. A way back receives the gradient of the output as an argument.

The type of an answer is judged where a right answer keeps it by itself: not in `grouped_attention`, where the plain
np.sqrt(d) is a number of 64 bits, and not in `mean_pool`, where the plain mask.sum() is one.
"""

import math

import numpy as np

from coursekit.verdicts import Verdict, compare, refusal, together
from solutions.lab14_real_weights import reference
from solutions.typed import exact, some, typed

ALPHA = 4.5  # no r of a case


def rms_norm(student, rng):
    hint = "each row over the root of (the mean of its squares + eps), then times gamma; no mean is taken off"
    for law, cases in _rows(rng, axes=(3, 2, 3, 4)):
        yield together(*[typed(law, student.rms_norm(*args), reference.rms_norm(*exact(args)), hint, args[0])
                         for args in cases])


def rms_norm_backward(student, rng):
    hint = "d_output * gamma, less x_hat times the mean of its product with x_hat; then over the root mean square"
    also = "a sum of d_output * x_hat over all axes but the last"
    for law, cases in _rows(rng, axes=(4, 4, 3, 4)):
        calls = [(rng.normal(size=args[0].shape).astype(args[0].dtype), *args) for args in cases]
        answers = [(student.rms_norm_backward(*call), reference.rms_norm_backward(*exact(call)), call[1])
                   for call in calls]
        yield together(*[some(f"{law}: d_x", *answer[:2], [0], hint, answer[2]) for answer in answers])
        yield together(*[some(f"{law}: d_gamma", *answer[:2], [1], also, answer[2]) for answer in answers])


def swiglu(student, rng):
    hint = "(silu(x W_1) * (x W_3)) W_2, where silu(a) is a over (1 + exp(-a))"
    for law, cases in _gated(rng):
        yield together(*[typed(law, student.swiglu(*args), reference.swiglu(*exact(args)), hint, args[0])
                         for args in cases])


def grouped_attention(student, rng):
    hint = ("does head n take group n // (H / G), and are scores first divided by the root of d, then capped, then "
            "masked, False being hidden and numbers added, before the softmax over the keys?")
    verdicts = [together(*[compare(law, student.grouped_attention(*args), reference.grouped_attention(*exact(args)),
                                   hint) for args in cases]) for law, cases in _grouped(rng)]
    yield from verdicts
    wrong = [_heads(rng, float, front, H, G, 3, 5, 4, 2) for front, H, G in [((2,), 6, 4), ((), 2, 3), ((), 1, 3)]]
    law = "a number of groups that does not divide that of the heads raises a ValueError of one's own"
    yield _refuses(law, verdicts[0], student.grouped_attention, wrong)


def mean_pool(student, rng):
    hint = "the sum over the tokens where the mask is True, divided by their number; 0 where there is none"
    for law, cases in _pooled(rng):
        yield together(*[compare(law, student.mean_pool(*args), reference.mean_pool(*exact(args)), hint)
                         for args in cases])


def lora(student, rng):
    hint = "x W + (alpha / r) (x A) B, where r is the number of columns of A"
    for law, cases in _adapted(rng):
        yield together(*[typed(law, student.lora(*args), reference.lora(*exact(args)), hint, args[0])
                         for args in cases])


def lora_backward(student, rng):
    of_x = "d_x goes back both ways: through W, and through B and then A, times alpha / r"
    of_pair = "alpha / r stands in both: d_A is x.T @ (d_output @ B.T), d_B is (x A).T @ d_output, summed over all rows"
    for law, cases in _adapted(rng):
        calls = [(_slope(rng, x, W.shape[1]), x, W, *more) for x, W, *more in cases]
        answers = [(student.lora_backward(*call), reference.lora_backward(*exact(call)), call[1]) for call in calls]
        yield together(*[some(f"{law}: d_x", *answer[:2], [0], of_x, answer[2]) for answer in answers])
        yield together(*[some(f"{law}: d_A and d_B", *answer[:2], [1, 2], of_pair, answer[2]) for answer in answers])


# Cases


def _rows(rng, axes):
    """(law, arguments of `rms_norm`, several), the first of each with so many axes; half are float32.

    No row has the mean 0. In each law eps decides in some rows: they are small, or eps is large. What comes second are
    a single row, rows of one entry, of zeros, and of large numbers.
    """
    for (law, kind, shape, eps, scale, more), number in zip([
        ("a batch of sentences, and a single small row, in float32", np.float32, (2, 3, 4, 6), [], 1.0,
         [((5,), [], 0.004)]),
        ("small rows and a row of zeros: eps is inside the root", float, (4, 2, 5, 3), [1e-2], 0.05,
         [((2, 1, 3), [1e-12], 1e-6)]),
        ("one long sentence, a large eps; rows of one entry and of two", float, (3, 1, 5, 7), [0.25], 1.0,
         [((3, 1), [], 0.01), ((4, 2), [1e-4], 0.02)]),
        ("four axes, a large eps, in float32, and large numbers", np.float32, (2, 3, 5, 4), [0.5], 1.5,
         [((1, 2, 4), [2e4], 300.0)]),
    ], axes, strict=True):
        cases = [_row_case(rng, kind, shape[-number:], eps, scale), *(_row_case(rng, kind, *each) for each in more)]
        if "zeros" in law:
            cases[0][0].reshape(-1, shape[-1])[1] = 0
        yield law, cases


def _row_case(rng, kind, shape, eps, scale):
    x = scale * (rng.normal(size=shape) + rng.choice([-1.5, 1.5], size=(*shape[:-1], 1)))
    return *(a.astype(kind) for a in (x, rng.normal(size=shape[-1]))), *eps


def _gated(rng):
    """(law, arguments of `swiglu`, several)."""
    for law, *cases in [
        ("a batch of sentences; a single token, a single inner unit; large numbers", (float, (2, 3), 4, 7, 1),
         (float, (), 5, 1, 1), (float, (6,), 2, 3, 900)),
        ("in float32, a narrow inner layer", (np.float32, (4, 2), 6, 3, 1), (np.float32, (3,), 2, 5, 1)),
        ("as wide inside as outside; three axes in front; large numbers", (float, (3,), 4, 4, 1),
         (float, (2, 1, 3), 2, 3, 1), (float, (1, 5), 3, 4, 900)),
        ("large numbers of both signs: a power overflows", (float, (2, 5), 3, 6, 400), (np.float32, (1, 4), 4, 5, 60)),
    ]:
        yield law, [_gated_case(rng, *case) for case in cases]


def _gated_case(rng, kind, front, M, F, scale):
    shapes = [(*front, M), (M, F), (M, F), (F, M)]
    x, *matrices = (rng.normal(size=shape).astype(kind) for shape in shapes)
    return (scale * x).astype(kind), *matrices


def _grouped(rng):
    """(law, arguments of `grouped_attention`, four calls): with a boolean mask and a cap, with numbers that are added
    and another cap, with neither, and with padding, another for each sentence. Masks hide all keys of one query, by
    False or -inf, and -1e9 is added to all of another."""
    for law, kind, front, H, G, T, S, d, e in [
        ("six heads in three groups", float, (), 6, 3, 4, 5, 2, 7),
        ("a batch, four heads in two groups, in float32", np.float32, (3,), 4, 2, 5, 6, 3, 2),
        ("two axes in front, six heads in two groups", float, (2, 3), 6, 2, 3, 4, 5, 2),
        ("as many groups as heads, in float32: multi-head", np.float32, (2,), 3, 3, 4, 7, 5, 6),
        ("one group for all heads: multi-query", float, (2,), 5, 1, 3, 6, 4, 2),
        ("more keys than queries; widths of one, eight heads in four groups", float, (1,), 8, 4, 2, 9, 1, 1),
    ]:
        of_mask = [(*front, H, T, S), (T, S), (*front, 1, T, S)][H % 3]
        Q, K, V = _heads(rng, kind, front, H, G, T, S, d, e)
        seen = rng.random(size=of_mask) < 0.7
        seen[..., 0, :], seen[..., 1:, 0] = False, True
        added = np.where(rng.random(size=of_mask) < 0.75, rng.normal(size=of_mask), -np.inf)
        added[..., 0, :], added[..., 1, :] = -np.inf, -1e9 if kind is float else -30
        yield law, [(Q, K, V, seen, 1.5), (Q, K, V, added.astype(kind), 0.8), (Q, K, V), (Q, K, V, _padding(front, S))]
    Q, K, V = _heads(rng, float, (2,), 4, 2, 3, 5, 4, 3)
    K[..., 0, :] *= 300.0  # hidden, and far above all that is seen
    far = np.where(np.arange(5) > 0, rng.normal(size=(3, 5)), -np.inf)
    yield "large scores, a hidden one far above the others; and a single query", [
        (1000 * Q, K, V, np.arange(5) > 0), (Q, 400 * K, 500 * V, far), (Q, K, V, far, 20.0),
        (*_heads(rng, float, (2,), 4, 2, 1, 5, 4, 3), np.array([True, False, True, True, False]), 1.5)]


def _padding(front, S):
    """A mask (*front, 1, 1, S) in which each sentence has other tokens than the sentence before it, one at least."""
    return np.arange(S) <= (np.arange(math.prod(front)) % S).reshape(*front, 1, 1, 1)


def _heads(rng, kind, front, H, G, T, S, d, e):
    """Q, K and V; scores are a few units apart, so that a cap shows."""
    shapes = [(*front, H, T, d), (*front, G, S, d), (*front, G, S, e)]
    return tuple((scale * rng.normal(size=shape)).astype(kind) for scale, shape in zip([2, 1, 1], shapes, strict=True))


def _pooled(rng):
    """(law, arguments of `mean_pool`, several): padding behind, in front, and holes; sentences without tokens."""
    holes = np.array([[1, 0, 1, 1, 0, 1], [0, 1, 0, 0, 0, 1], [1, 1, 1, 1, 1, 1], [0, 0, 0, 1, 0, 0]], bool)
    behind = np.arange(7) < np.array([[3], [7], [5]])
    yield "sentences of different lengths, in float32", [_pool_case(rng, behind, 4, np.float32)]
    yield "padding in front, and a sentence without any token", [_pool_case(rng, behind[:, ::-1] & [[1], [1], [0]], 5)]
    yield "masks with holes", [_pool_case(rng, holes, 3), _pool_case(rng, holes[:1], 6, np.float32)]
    yield "one sentence, one number a token, large numbers; as many sentences as tokens, and an empty one", [
        _pool_case(rng, behind[:1], 1, scale=500), _pool_case(rng, np.tri(3, 3, -1, dtype=bool), 3)]


def _pool_case(rng, mask, M, kind=float, scale=1.0):
    return (scale * (rng.normal(size=(*mask.shape, M)) + 1)).astype(kind), mask.astype(bool)


def _adapted(rng):
    """(law, arguments of `lora`, several). alpha is never r, and in each law but the third no sides are equal."""
    for law, *cases in [
        ("a batch of sentences, and a single row; a rank above n", (float, (2, 3), 5, 4, 2), (float, (), 2, 6, 3)),
        ("rank 1, in float32; three axes in front; large numbers", (np.float32, (4,), 6, 3, 1),
         (np.float32, (2, 1, 3), 4, 5, 3, 200)),
        ("a square matrix, and a rank as large", (float, (3,), 4, 4, 2), (float, (2, 3), 3, 3, 3)),
        ("a rank above both sides; matrices of one row and of one column", (float, (2,), 3, 4, 5),
         (float, (3,), 1, 4, 2), (float, (3, 2), 4, 1, 2)),
    ]:
        yield law, [_low_case(rng, *case) for case in cases]
    zero = _low_case(rng, float, (2, 4), 5, 3, 2)
    zero[3][:] = 0
    yield "B is zero, as at the start: nothing has changed yet", [zero, _low_case(rng, float, (4,), 2, 3, 7)]


def _low_case(rng, kind, front, n, m, r, scale=1):
    shapes = [(*front, n), (n, m), (n, r), (r, m)]
    x, *matrices = (rng.normal(size=shape) for shape in shapes)
    return *(each.astype(kind) for each in (scale * x, *matrices)), ALPHA


def _slope(rng, x, m):
    """A gradient of the output, as large as x where that is large."""
    return (max(1.0, float(np.abs(x).max()) / 5) * rng.normal(size=(*x.shape[:-1], m))).astype(x.dtype)


# Verdicts


def _refuses(law, right, function, wrong):
    """Does each of these calls raise ValueError, in words that are not NumPy's, of a function whose answer to a valid
    call is right?"""
    if not right.passed:
        return Verdict(law, False, "counts only where the answer to a valid call is right", 0.5)
    replies = [function(*args) for args in wrong]
    problems = [refusal(reply.error or "nothing", reply.said if reply.error == "ValueError" else "", [""])
                for reply in replies]
    return Verdict(law, not any(problems), next(filter(None, problems), ""), 0.5)
