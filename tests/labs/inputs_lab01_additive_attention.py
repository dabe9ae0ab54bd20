"""Valid inputs of every kind for lab 01, to see whether two functions differ anywhere."""

import numpy as np

from tests.labs.inputs import given, masks, normal, numbers, sizes

SHAPES = [(1,), (4,), (1, 1), (3, 1), (1, 4), (3, 4), (3, 3), (1, 5, 3), (2, 5, 1), (2, 5, 3), (2, 1, 3, 2)]


def softmax(rng):
    for shape in SHAPES:
        for axis in [None, *range(-len(shape), len(shape))]:
            for x in numbers(rng, *shape):
                yield given(x) if axis is None else given(x, axis=axis)


def alignment(rng):
    for n in sizes(rng, "S E D A"):
        shapes = [(n["S"], n["E"]), (1, n["D"]), (n["E"] + n["D"], n["A"]), (n["A"], 1)]
        for scale in (0.5, 3.0):
            yield given(*(scale * normal(rng, *shape) for shape in shapes))


attention = alignment


def masked_softmax(rng):
    for shape in SHAPES:
        for scores in numbers(rng, *shape):
            yield from (given(scores, mask) for mask in masks(rng, *shape, empty=True))
    for mask in masks(rng, 3, 4, empty=True):
        for far in (2000.0, -2000.0):
            scores = normal(rng, 3, 4)
            scores[:, 1] += far
            yield given(scores, mask)
        yield given(np.full((3, 4), -1e5), mask)


def additive_attention(rng):
    for n in sizes(rng, "B S E D A"):
        shapes = [(n["B"], n["D"]), (n["B"], n["S"], n["E"]), (n["D"], n["A"]), (n["E"], n["A"]), (n["A"],)]
        for scale, mask in zip((1, 1, 1, 3, 3, 9) * 3, masks(rng, n["B"], n["S"], empty=True), strict=False):
            state, memory, W, U, v = (normal(rng, *shape) for shape in shapes)
            yield given(state, memory, mask, W, U, scale * v)
