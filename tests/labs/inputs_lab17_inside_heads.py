"""Valid inputs of every kind for lab 17, to see whether two functions differ anywhere."""

import itertools

import numpy as np

from coursekit.check.lab17_inside_heads import LEAST, broken
from coursekit.verdicts import precision
from tests.labs.inputs import given, normal, numbers, sizes

PROMISES_TYPES = {"rollout", "ablate", "logit_attribution"}


def _is_lawful(value, weights, V):
    """Of other weights it counts whether they are such."""
    try:
        fits = np.shape(value) == weights.shape and np.asarray(value).dtype.kind in "fiub"
    except ValueError:
        return "no array"
    return broken(value, weights, V, LEAST[precision((weights, V))]) if fits else "another shape"


COUNTS = {"other_weights": _is_lawful}


def _weights(rng, n, hidden=0):
    w = rng.random(n) + 0.15
    w[rng.permutation(n)[:hidden]] = 0
    return w / w.sum()


def other_weights(rng):
    for n, e in itertools.product([1, 2, 3, 4, 8], [1, 2, 5]):
        yield given(_weights(rng, n), normal(rng, n, e))
        for hidden in {1, n // 2} - {0, n}:
            yield given(_weights(rng, n, hidden), normal(rng, n, e))
        for rank in (0, 1, 2):
            V = normal(rng, n, rank) @ normal(rng, rank, e) + 1.5
            yield given(_weights(rng, n), V)
            yield given(_weights(rng, n, n // 3), V)
    yield from (given(_weights(rng, 9), scale * normal(rng, 9, 4)) for scale in (0.01, 30, 300))
    yield given(np.array([0.5, 0.5, 0, 0]), np.array([[1.0, 2], [1, 2], [0, 1], [1, 1]]))
    yield from (given(np.array([0.3, 0.2, least, 0.5 - least]), normal(rng, 4, 1)) for least in (1e-4, 1e-7))
    yield from (given(np.full(n, 1 / n), normal(rng, n, 2)) for n in (2, 3, 4, 8))
    yield from (given(np.eye(4)[i], normal(rng, 4, 1)) for i in range(4))
    for wrong in ([0.5, -0.1, 0.6, 0.0], [0.2, 0.2, 0.2, 0.2], [1.5, 0.5, -0.5, -0.5], [0.0] * 4, [2.0, 1.0, 1.0, 1.0]):
        yield given(np.array(wrong), normal(rng, 4, 1))


def _maps(rng, *shape):
    powers = np.exp(normal(rng, *shape, shape[-1]))
    return powers / powers.sum(axis=-1, keepdims=True)


FRONTS = [(), (1,), (3,), (2, 3), (4, 4), (2, 1, 3)]


def previous_token_score(rng):
    for front, T in itertools.product(FRONTS, [2, 3, 4, 8]):
        yield given(_maps(rng, *front, T))
        yield given(np.tril(_maps(rng, *front, T)))
    yield given(np.eye(5, k=-1))
    for shape in [(1, 1), (3, 1, 1), (2, 3), (3, 2), (4, 5, 4)]:
        yield given(normal(rng, *shape))


def induction_score(rng):
    for front, T in itertools.product(FRONTS, [2, 3, 6, 9]):
        for period in {1, 2, T // 2, T - 1}:
            yield given(_maps(rng, *front, T), period)
    yield given(np.eye(9, k=-3), 4)
    for shape, period in [((4, 4), 0), ((4, 4), -1), ((4, 4), 4), ((4, 4), 5), ((1, 1), 1), ((2, 4, 3), 2),
                          ((3, 4), 2), ((4, 3), 2), ((2, 3, 3), 3)]:
        yield given(np.abs(normal(rng, *shape)), period)


def rollout(rng):
    for front, T, n in itertools.product(FRONTS, [1, 2, 4], [1, 2, 3]):
        yield given([_maps(rng, *front, T) for _ in range(n)])
    yield given([np.tril(_maps(rng, 5)) for _ in range(6)])
    yield given([])
    for shapes in [[(3, 4)], [(4, 3)], [(3, 3), (2, 2)], [(3, 3), (2, 3, 3)], [(2, 3, 3), (3, 3)]]:
        yield given([normal(rng, *shape) for shape in shapes])


def ablate(rng):
    for n in sizes(rng, "B H T e"):
        for head, kind in itertools.product({0, n["H"] // 2, n["H"] - 1}, ["zero", "mean"]):
            yield given(normal(rng, *n.values()) + 1, head, kind)
    yield from (given(each, 1, kind) for each in numbers(rng, 2, 3, 4, 2) for kind in ("zero", "mean"))
    outputs = normal(rng, 2, 3, 4, 5)
    for head, kind in [(3, "zero"), (4, "mean"), (-1, "zero"), (-1, "mean"), (-3, "mean"), (0, "none"), (1, "median")]:
        yield given(outputs, head, kind)
    for other in (outputs[0], outputs[None]):
        yield given(other, 0, "zero")


def logit_attribution(rng):
    for front, P, M in itertools.product(FRONTS, [1, 2, 4], [1, 3, 4]):
        parts = normal(rng, P, *front, M)
        yield given(parts, normal(rng, M))
        yield given(list(parts), normal(rng, M))
    yield from (given(each, normal(rng, 4)) for each in numbers(rng, 3, 2, 4))
    yield given(normal(rng, 3, 2, 4), normal(rng, 3))
    yield given(normal(rng, 3, 2, 1), normal(rng, 3))
    yield given(normal(rng, 3, 2, 3), normal(rng, 1))
    yield given([normal(rng, 2, 3), normal(rng, 2, 4)], normal(rng, 3))
