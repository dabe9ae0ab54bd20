"""Valid inputs of every kind for lab 07, to see whether two functions differ anywhere."""

import itertools

import numpy as np

from tests.labs.inputs import FRONTS, given, normal

REFUSALS_SAY = {"sinusoids"}
PROMISES_TYPES = {"rotate", "rotate_backward", "rotary_scores"}
WIDTHS = [2, 4, 6, 10, 64]
FRONTS = [*FRONTS, (2, 3, 1, 2)]
PASTS = [0, 1, 2, 7, 511, 3000, 60_000]


def sinusoids(rng):
    shapes = [(), (1,), (4,), (1, 1), (3, 1), (1, 4), (2, 3), (4, 4), (2, 1, 3)]
    for shape, d_model in itertools.product(shapes, WIDTHS):
        for low, high in [(0, 1), (0, 12), (100, 600), (2000, 70_000), (-40, 40), (-3000, 3000)]:
            yield given(rng.integers(low, high, size=shape), d_model)
    for positions in (np.arange(5), np.array([4, 1, 9]), np.array(7), np.array([[2]])):
        yield from (given(positions, odd) for odd in (1, 3, 5, 7, 63))
        yield given(positions, 8)


def rotate(rng):
    for front, T, d in itertools.product(FRONTS, [1, 2, 4], [2, 4, 6, 16]):
        x = normal(rng, *front, T, d)
        shapes = {(T,), (*front, T), (*front[:1], *(1,) * len(front[1:]), T), (1,) * (len(front) + 1), (*front, 1), ()}
        for shape in sorted(shapes, key=str):
            yield given(x, _places(rng, shape))
    for size in (1e-6, 1000.0):
        yield given(size * normal(rng, 3, 8), _places(rng, (3,)))


rotate_backward = rotate


def rotary_scores(rng):
    for front, (T, S), d in itertools.product(FRONTS, [(1, 1), (1, 5), (3, 3), (2, 6), (6, 2), (4, 4)], [2, 4, 6, 16]):
        Q, K = normal(rng, *front, T, d), normal(rng, *front, S, d)
        yield given(Q, K)
        yield from (given(Q, K, past) for past in rng.choice(PASTS, 2, replace=False).tolist())
        yield given(Q, K, past=3)
        yield given(1000 * Q, K)


def to_half_split(rng):
    for rows, heads, d in itertools.product([1, 2, 4, 6], [1, 2, 3, 4], [2, 4, 6]):
        yield given(normal(rng, rows, heads * d), heads)


def alibi_slopes(rng):
    yield from (given(heads) for heads in [*range(1, 41), 48, 63, 64, 65, 100])


def alibi_bias(rng):
    for h, T, S in itertools.product([1, 2, 3], [1, 2, 3, 5], [1, 2, 3, 5, 8]):
        for slopes in (rng.random(h), 2.0 ** -np.arange(1, h + 1), 100 * rng.random(h), np.zeros(h)):
            yield given(slopes, T, S)
            yield given(slopes, T, S, int(rng.choice(PASTS)))
            yield given(slopes, T, S, past=2)


def _places(rng, shape):
    """Positions of this shape: any integers, near, far and below 0."""
    low, high = [(0, 9), (-9, 9), (500, 5000), (-70_000, 70_000)][rng.integers(4)]
    return rng.integers(low, high, size=shape)
