"""Valid inputs of every kind for lab 04, to see whether two functions differ anywhere."""

import itertools

import numpy as np

from tests.labs.inputs import given, masks, normal, sizes

COUNTS = {"sample_positions": lambda chosen, *_: chosen if np.asarray(chosen).dtype.kind in "iu" else "no positions"}
JUST_BELOW_1 = (0.99999994, np.nextafter(1, 0))  # the largest float32, and the largest float64


def sample_positions(rng):
    for n in sizes(rng, "B S"):
        for seen in masks(rng, n["B"], n["S"]):
            eighths = _in_eighths(rng, seen)
            yield given(eighths, np.array([rng.choice(_starts(row)) for row in eighths]))  # exact, at the very start
            yield given(eighths, rng.integers(8, size=n["B"]) / 8 + 1 / 16)
            for kind, off, u in itertools.product((np.float32, float), (-3e-7, 0, 3e-7), JUST_BELOW_1):
                weights = (_weights(rng, seen) * (1 + off)).astype(kind)
                yield given(weights, np.where(rng.random(n["B"]) < 0.5, u, _inside(rng, weights)))
    for kind, S, u in itertools.product((np.float32, float), (30, 60, 100), JUST_BELOW_1):
        seen = rng.random((5, S)) < 0.8
        seen[:, 0] = True
        yield given(_weights(rng, seen).astype(kind), np.full(5, u))


def estimate_gradient(rng):
    for n in sizes(rng, "B S"):
        for seen in masks(rng, n["B"], n["S"]):
            weights = _weights(rng, seen)
            chosen = np.array([rng.choice(np.flatnonzero(row)) for row in seen])
            levels = [(0, 0), (0, 0.0), (-2.3, -1.0), (3, 2), (-900, 0.5), (40.0, 40.0), (0, -300.0), (1, -2.3)]
            for level, baseline in levels:
                yield given(weights, chosen, level + normal(rng, n["B"]), baseline)
            yield given(weights, chosen, np.full(n["B"], 1.5), 1.5)


def mean_and_variance(rng):
    for n in sizes(rng, "B S N"):
        estimates = normal(rng, n["B"], n["S"], n["N"])
        for seen in masks(rng, n["B"], n["S"]):
            weights = _weights(rng, seen)
            yield from (given(weights, size * estimates + off) for size, off in [(1, 0), (1, -3), (200, 0), (1e-3, 0)])
            yield given(weights, np.where(seen[..., None], estimates, 1000.0))
        yield given(weights, np.full(estimates.shape, 1.5))


def move_baseline(rng):
    for B, baseline in itertools.product([1, 2, 3, 7], [0, 0.0, 2, -2.3, 150.0]):
        for rewards in (normal(rng, B), normal(rng, B) - 400, np.full(B, -2.3)):
            yield given(baseline, rewards)
            yield from (given(baseline, rewards, keep) for keep in (0, 0.0, 0.25, 0.75, 0.9, 0.99, 1, 1.0))
            yield given(baseline, rewards, keep=0.5)


def _weights(rng, seen):
    """Rows of sum 1, 0 where nothing is seen."""
    weights = rng.dirichlet(np.full(seen.shape[1], 3.0), size=len(seen)) * seen
    return weights / weights.sum(axis=1, keepdims=True)


def _in_eighths(rng, seen):
    """The same in multiples of 1/8, whose running sums are exact; some that are seen may be 0."""
    return np.array([rng.multinomial(8, row / row.sum()) / 8 for row in seen])


def _starts(row):
    """Where the stretches of a row begin that have a width."""
    return (np.cumsum(row) - row)[row > 0]


def _inside(rng, weights):
    """A uniform in the middle half of a stretch, for each row: no rounding moves it out of there."""
    ends, chosen = np.cumsum(weights, axis=1), [rng.choice(np.flatnonzero(row)) for row in weights]
    rows = np.arange(len(weights))
    return ends[rows, chosen] - rng.uniform(0.25, 0.75, len(weights)) * weights[rows, chosen]
