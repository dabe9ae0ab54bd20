"""Valid inputs of every kind for lab 00, to see whether two functions differ anywhere."""

import itertools

import numpy as np

from tests.labs.inputs import FRONTS, given, masks, normal, numbers, sizes

ROUGH = {"distances_by_products"}  # right, but for what rounding leaves of a² + b² - 2 a b where rows are near


def distances(rng):
    for n in sizes(rng, "N M X"):
        yield given(normal(rng, n["N"], n["X"]), normal(rng, n["M"], n["X"]))
    for a in numbers(rng, 3, 4):
        yield given(a, normal(rng, 2, 4))
        yield given(a, a[::-1].copy())


def log_sum_exp(rng):
    for shape in [(1,), (4,), (1, 1), (3, 1), (1, 4), (3, 4), (3, 3), (1, 5, 3), (2, 5, 1), (2, 5, 3), (2, 1, 3, 2)]:
        for axis in [None, *range(-len(shape), len(shape))]:
            for x in numbers(rng, *shape):
                yield given(x) if axis is None else given(x, axis=axis)


log_softmax = log_sum_exp


def _batches(rng):
    for n in sizes(rng, "B T V"):
        log_p = _log_softmax(2 * normal(rng, n["B"], n["T"], n["V"]))
        targets = rng.integers(n["V"], size=log_p.shape[:2])
        for mask in masks(rng, *targets.shape, empty=True):
            if mask.any():
                yield given(log_p, np.where(mask, targets, 0), mask)
    for far in (900.0, -900.0, 0.0):
        log_p, mask = _log_softmax(far * np.eye(4)[None] + normal(rng, 2, 1, 4)), np.ones((2, 4), bool)
        mask[1, 2:] = False
        yield from (given(log_p, np.where(mask, target, 0), mask) for target in range(4))


cross_entropy = cross_entropy_backward = _batches


def linear_backward(rng):
    for front, n in itertools.product(FRONTS, sizes(rng, "N M", more=2)):
        yield given(normal(rng, *front, n["M"]), normal(rng, *front, n["N"]), normal(rng, n["N"], n["M"]))


def unbroadcast(rng):
    for shape in [(), (1,), (3,), (1, 1), (3, 1), (1, 3), (2, 3), (3, 3), (2, 1, 3), (1, 3, 1)]:
        for front in [(), (1,), (3,), (2, 3), (1, 1)]:
            for stretch in (1, 3, 4):
                stretched = tuple(stretch if size == 1 else size for size in shape)
                yield given(normal(rng, *front, *stretched), shape)


def embedding_backward(rng):
    for n in sizes(rng, "B T X"):
        for rows in (1, 2, 9):
            yield given(normal(rng, n["B"], n["T"], n["X"]), rng.integers(rows, size=(n["B"], n["T"])), rows)
            yield given(normal(rng, n["B"], n["T"], n["X"]), np.full((n["B"], n["T"]), rows - 1), rows + 2)


def _log_softmax(x):
    x = x - x.max(axis=-1, keepdims=True)
    return x - np.log(np.exp(x).sum(axis=-1, keepdims=True))
