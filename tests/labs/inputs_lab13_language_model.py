"""Valid inputs of every kind for lab 13, to see whether two functions differ anywhere."""

import itertools

import numpy as np

from coursekit.tasks.tokens import START
from tests.labs.inputs import given, masks, normal, numbers, sizes


def next_token_loss(rng):
    for n in sizes(rng, "B T V", more=3):
        B, T, V = n["B"], n["T"], n["V"]
        for mask in masks(rng, B, T, empty=True):
            yield given(normal(rng, B, T, V), rng.integers(V, size=(B, T)), mask)
        for logits in numbers(rng, B, T, V):
            yield given(logits, rng.integers(V, size=(B, T)), np.ones((B, T), bool))
        yield given(normal(rng, B, T, V), np.zeros((B, T), int), np.ones((B, T), bool))
        yield given(normal(rng, B, T, V), np.full((B, T), V - 1), np.ones((B, T), bool))
    for bad, (b, t) in itertools.product((-1, 5, 6), ((0, 0), (1, 2), (1, 0), (0, 2))):
        ids = rng.integers(5, size=(2, 3))
        ids[b, t] = bad
        yield given(normal(rng, 2, 3, 5), ids, np.ones((2, 3), bool))
        yield given(normal(rng, 2, 3, 5), ids, np.arange(3) != np.array([[t], [t]]))


def filter_logits(rng):
    fronts = [(), (1,), (3,), (2, 3), (1, 1), (3, 3), (2, 1, 3)]
    temperatures, shares = [0, 0.25, 0.8, 1.0, 1, 2.5], [0.0, 0.1, 0.45, 0.8, 0.97, 1.0]
    for front, V in itertools.product(fronts, [1, 2, 3, 5, 20]):
        for _ in range(8):
            logits = [normal(rng, *front, V), rng.integers(-4, 5, size=(*front, V)) / 4][rng.integers(2)]
            settings = rng.choice(temperatures), int(rng.integers(1, V + 3)), rng.choice(shares)
            if _is_clear(logits, *settings):
                yield given(logits, float(settings[0]), settings[1], float(settings[2]))
    for logits, temperature in itertools.product(numbers(rng, 3, 4), (0, 0.05, 0.5, 1.0, 3.0)):
        yield given(logits, temperature, 4, 1.0)
        yield given(logits, temperature, 2, 1.0)
    for temperature in (0, 1.0, 2.0):
        yield given(np.array([0.0, -50.0, -900.0]), temperature, 3, 1.0)
        yield given(np.array([[0.0, -np.inf, 1.0, -np.inf]]), temperature, 4, 1.0)
        yield given(np.array([1.0, 3.0, 3.0, 3.0]), temperature, 2, 0.3)
    for n, top_p in [(1, 0.5), (2, 0.5), (4, 0.25), (4, 0.5), (4, 0.75)]:
        yield given(np.zeros(n), 1.0, n, top_p)
        yield given(np.append(np.zeros((3, n)), -np.ones((3, 2)), axis=1)[:, ::-1], 0.5, n, top_p)
    for settings in [(-1.0, 2, 0.5), (-1e-9, 2, 0.5), (1.0, 0, 0.5), (1.0, -2, 0.5), (1.0, 2, -0.01), (1.0, 2, 1.01),
                     (1.0, 2, 1.5), (1.0, 1, 0.0), (0.0, 1, 0.0), (1.0, 1, 1.0)]:
        yield given(normal(rng, 2, 3), *settings)


def _is_clear(logits, temperature, top_k, top_p):
    """Is no sum of likelier tokens so near to top_p that rounding decides?"""
    ranked = -np.sort(-logits, axis=-1)[..., : top_k if temperature else 1] / (temperature or 1)
    powers = np.exp(ranked - ranked[..., :1])
    sums = np.cumsum(powers / powers.sum(axis=-1, keepdims=True), axis=-1)
    return top_p == 1 or np.abs(sums - top_p).min() > 1e-3


def sample(rng):
    for V, _ in itertools.product([1, 2, 3, 7], range(6)):
        row = rng.dirichlet(np.ones(V))
        for scale in (1.0, 3.0, 0.01):
            yield given(row * scale, float(rng.uniform(0.001, 0.999)))
        yield given(row, 0.0)
        yield given(np.append(row, 0.0) * (1 - 3e-7), 0.99999994)
        yield given(np.insert(row, 0, 0.0), 0.0)
    for row in ([0, 2, 0, 4, 0, 2], [4, 0, 0, 1, 3], [8], [0, 8], [8, 0], [3, 5, 0, 0]):
        ends = np.cumsum(row) / 8
        yield from (given(np.array(row) / 8, float(u)) for u in (0.0, *ends[ends < 1]))
    for V in (10, 40, 300, 1000):
        yield given(np.append(np.full(V, 1 / V), 0.0), np.nextafter(1, 0))
    for u in (1.0, 1.5, -0.1, -1e-9):
        yield given(np.array([0.25, 0.75]), u)
    for row in ([0.5, -0.25, 0.75], [-0.1, 1.1], [0.0, 0.0], [0.0]):
        yield given(np.array(row), 0.3)


def attend_with_cache(rng):
    for n, P in itertools.product(sizes(rng, "B H T d e", more=2), [None, 0, 1, 2, 5]):
        B, H, T, d, e = n.values()
        q, k, v = normal(rng, B, H, T, d), normal(rng, B, H, T, d), normal(rng, B, H, T, e)
        cache = None if P is None else (normal(rng, B, H, P, d), normal(rng, B, H, P, e))
        yield given(q, k, v, cache)
        yield given(q, k, v, cache, None)
        found = list(masks(rng, B, (P or 0) + T, empty=True))
        yield from (given(q, k, v, cache, found[i]) for i in rng.integers(len(found), size=2))
    for mask, far in itertools.product(masks(rng, 2, 5, empty=True), (1, 300)):
        q, k, v = 40 * normal(rng, 2, 3, 3, 4), far * normal(rng, 2, 3, 3, 4), normal(rng, 2, 3, 3, 2)
        yield given(q, k, 300 * v, (far * normal(rng, 2, 3, 2, 4), normal(rng, 2, 3, 2, 2)), mask)


def generate(rng):
    settings = [(0, 3, 1.0), (0.7, 4, 0.9), (1.6, 2, 0.8), (1.0, 100, 1.0)]
    for axes, V, n, N in itertools.product([1, 2], [4, 8], [0, 1, 3], [0, 1, 6]):
        p = rng.dirichlet(np.full(V - 2, 0.6), size=(V,) * axes)
        with np.errstate(divide="ignore"):
            table = np.log(np.concatenate([np.zeros((*p.shape[:-1], 2)), p], axis=-1))
        prompt = rng.integers(3, V, size=n).tolist()
        for temperature, top_k, top_p in settings:
            yield given(table, prompt, rng.random(size=N), temperature, top_k, top_p)
        last = np.exp(table[(START, *prompt)[-axes:]] if len(prompt) >= axes else table[(START,) * axes])
        for end, off in itertools.product(np.cumsum(last)[2:-1], (-1e-5, 1e-5)):
            yield given(table, prompt if len(prompt) >= axes else [], np.array([end + off]), 1.0, V, 1.0)


def speculative_step(rng):
    for V, alike in itertools.product([1, 2, 4, 7], (0.3, 1.0, 5.0)):
        for _ in range(12):
            p, q = rng.dirichlet(np.full(V, alike), size=2)
            draft = int(rng.integers(V))
            yield given(p, q, draft, *rng.uniform(0.001, 0.999, size=2).tolist())
            ratio = float(min(p[draft] / q[draft], 0.99))
            yield from (given(p, q, draft, near * ratio, 0.3) for near in (0.9999, 1.0001))
        yield given(p, p.copy(), int(p.argmax()), 0.999, 0.5)
        yield given(p, p.copy(), int(p.argmax()), 0.99999994, 0.5)
    half, none = np.array([0.5, 0.5, 0.0]), np.array([0.0, 0.25, 0.75])
    for draft, u, v in itertools.product(range(3), (0.0, 0.3, 0.5, 0.9), (0.0, 0.5, 0.9)):
        yield given(half, none, draft, u, v)
        yield given(none, half, draft, u, v)
    for p, q in [(0.9 * half, none), (half, 1.1 * none), (1.1 * half, none), (half, 0.9 * none), (2 * half, none / 2),
                 (half * 1.0005, none), (half, none * 0.9995), (half * 1.0015, none), (half, none * 0.9985)]:
        yield given(p, q, 1, 0.3, 0.6)
        yield given(p, q, 1, 0.0, 0.2)
    yield given(np.array([np.nextafter(0.25, 0), 0.75]), np.array([0.25, 0.75]), 0, 1 - 2**-53, 0.5)
    for draft in (-1, 3, 4):
        yield given(half, none, draft, 0.3, 0.6)


def _tokens(value, *_):
    """A list and an array of tokens are the same; tokens are whole numbers."""
    value = np.asarray(value)
    return value, value.dtype.kind in "iu" or not value.size


COUNTS = {"generate": _tokens}
