"""Valid inputs of every kind for lab 18, to see whether two functions differ anywhere."""

import itertools

import numpy as np

from tests.labs.inputs import given, normal, sizes

SHARED = [(1, 1), (2, 1), (3, 3), (4, 2), (6, 3), (6, 2)]  # heads and groups
RULES = ["linear", "gated", "delta", "gated_delta"]


def linear_attention(rng):
    kinds = itertools.product(SHARED, list(sizes(rng, "B T d e", more=2))[::2])
    for ((H, G), n), state in zip(kinds, itertools.cycle((False, True))):  # of 5 sizes, so both come with each
        B, T, d, e = n.values()
        fars, widths = rng.permutation([1, 1, 30, 300]), rng.permutation([d, d, 1, d])
        for rule, far, width in zip(RULES, fars, widths, strict=True):
            q, k, v, first = _qkv(rng, B, H, G, T, d, e, far)
            yield given(q, k, v, first if state else None, *_more(rng, rule, B, G, T, width), rule)
        yield given(q, k, v)
    yield from _refused(rng)


def _qkv(rng, B, H, G, T, d, e, far=1):
    return (normal(rng, B, H, T, d), normal(rng, B, G, T, d) / d**0.5, far * normal(rng, B, G, T, e),
            far * normal(rng, B, G, d, e))


def _more(rng, rule, B, G, T, width):
    decay = -rng.gamma(1, 0.7, size=(B, G, T, width)) if "gated" in rule else None
    return decay, rng.uniform(0, 1.2, size=(B, G, T, 1)) if "delta" in rule else None


def _refused(rng):
    q, k, v, state = _qkv(rng, 2, 4, 2, 3, 3, 2)
    decay, beta = _more(rng, "gated_delta", 2, 2, 3, 3)
    for rule, d, b in itertools.product([*RULES, "softmax", ""], (None, decay), (None, beta)):
        yield given(q, k, v, state, d, b, rule)
    for H, G in [(3, 2), (2, 4), (1, 2)]:
        yield given(*_qkv(rng, 2, H, G, 3, 3, 2)[:3])


def linear_attention_parallel(rng):
    kinds = itertools.product(SHARED, list(sizes(rng, "B T d e", more=2)))
    for ((H, G), n), strong in zip(kinds, itertools.cycle((0.3, 3, 400, 30))):
        B, T, d, e = n.values()
        q, k, v, _ = _qkv(rng, B, H, G, T, d, e)
        decay = -strong * rng.random((B, G, T, 1)) * rng.choice([1, 0.01], size=(B, G, T, 1))
        yield given(q, k, v, decay)
        yield given(q, k, 300 * v, decay)
        yield given(q, k, 100 * v)
    for H, G in [(3, 2), (2, 4), (1, 2)]:
        q, k, v, _ = _qkv(rng, 2, H, G, 3, 3, 2)
        yield given(q, k, v)
        yield given(q, k, v, -np.ones((2, G, 3, 1)))
    q, k, v, _ = _qkv(rng, 2, 4, 2, 3, 3, 2)
    for shape in [(2, 2, 4, 1), (2, 4, 3, 1), (2, 2, 3, 3), (1, 2, 3, 1), (2, 1, 3, 1), (2, 2, 1, 1)]:
        yield given(q, k, v, -np.ones(shape))


def scan(rng):
    for n, more in itertools.product(sizes(rng, "B T"), [(), (1,), (3,), (2, 4)]):
        shape = (n["B"], n["T"], *more)
        yield given(normal(rng, *shape), normal(rng, *shape))
        yield given(rng.uniform(0, 1, size=shape) * (rng.random(shape) < 0.7), 300 * normal(rng, *shape))
    yield given(rng.uniform(-1, 1, size=(2, 600)), normal(rng, 2, 600))
    for one, other in [((2, 5), (2, 4)), ((2, 1), (2, 4)), ((2, 4), (1, 4)), ((4,), (4,)), ((2, 0), (2, 0)),
                       ((2, 4), (2, 4, 3)), ((2, 4, 3), (2, 4, 1)), ((0,), (0,)), ((2, 0, 3), (2, 0, 3))]:
        yield given(np.ones(one), normal(rng, *other))


def discretise(rng):
    for n, step, zeros in itertools.product(sizes(rng, "T D N", more=3), [1e-12, 1e-4, 1, 30], (0, 0.4, 1)):
        T, D, N = n.values()
        for a, b, d in [((D, N), (T, 1, N), (T, D, 1)), ((N,), (N,), (T, 1)), ((T, D, N),) * 3]:
            A = np.minimum(normal(rng, *a), 1) * (rng.random(a) >= zeros)
            yield given(A, normal(rng, *b) / min(step, 1), step * rng.uniform(0.1, 2, size=d))
    for size, step in [(1e-3, 1e3), (1e-10, 1e10), (1e-14, 1e14), (1e-3, 0.1)]:
        yield given(-size * (0.2 + rng.random(4)), normal(rng, 4) / step, step * rng.uniform(0.5, 2, size=4))
    yield given(np.array([-900.0, -3.0, 0.0]), np.ones(3), np.array([1.0]))
    yield given(np.array([-3.0, 2.0, 0.0]), np.ones(3), np.array([0.0]))
    yield given(np.ones(3), np.ones(4), np.ones(3))  # refused
    yield given(np.ones(3), np.ones(3), np.ones(2))


def causal_conv(rng):
    for n in sizes(rng, "B C T K", more=20):
        B, C, T, K = n.values()
        x, w = normal(rng, B, C, T), normal(rng, C, K)
        yield given(x, w)
        yield given(x, w, normal(rng, B, C, K - 1))
        yield given(500 * x, w, 500 * normal(rng, B, C, K - 1))
    x, w = normal(rng, 2, 3, 6), normal(rng, 3, 4)
    for shape in [(2, 3, 2), (2, 3, 4), (1, 3, 3), (2, 1, 3), (2, 3, 0)]:
        yield given(x, w, np.ones(shape))
    for shape in [(2, 4), (4, 4), (1, 4), (3, 0)]:
        yield given(x, np.ones(shape))
    yield given(x[:, :1], w)
    yield given(x, w[:, :0], np.ones((2, 3, 0)))


def route(rng):
    for front, E, renormalise in itertools.product([(), (1,), (7,), (3, 4), (2, 1, 3)], [1, 2, 5, 8], (False, True)):
        for k, far in itertools.product(sorted({1, 2, E - 1, E} & set(range(1, E + 1))), (0, 900, -900)):
            yield given(far + rng.integers(-6, 7, size=(*front, E)) / 8, k, renormalise)
            apart = 900.0 * rng.integers(-1, 2, size=(*front, E))
            yield given(apart if far else 3 * normal(rng, *front, E), k, renormalise)
    logits = normal(rng, 3, 4)
    for k in (0, -1, 5, -4):
        yield given(logits, k, True)
    for value in (np.nan, np.inf, -np.inf):
        yield given(np.where(np.arange(4) == 2, value, logits), 2, False)


COUNTS = {"route": lambda value, *args: (*value, float(np.asarray(value[0]).dtype.kind in "iu"))}  # ids index


def balance_loss(rng):
    for front, E in itertools.product([(), (1,), (9,), (3, 4), (2, 1, 3)], [1, 2, 5, 8]):
        for k in sorted({1, 2, E} & set(range(1, E + 1))):
            p = rng.dirichlet(np.full(E, 0.5), size=front)
            yield given(p, np.argsort(rng.random((*front, E)), axis=-1)[..., :k])
            yield given(p, np.zeros((*front, k), int))
    p, ids = rng.dirichlet(np.ones(4), size=5), rng.integers(4, size=(5, 2))
    for wrong in (ids - 9, ids * 0 - 1, ids * 0 + 4, ids[:4], ids[:1], ids + 0.5, ids[:, :0]):
        yield given(p, wrong)
    yield given(p[:0], ids[:0])
