"""Valid inputs of every kind for lab 03, and the refusal that it asks for, to see whether two functions differ."""

import numpy as np

from tests.labs.inputs import given, masks, normal, numbers, sizes

REFUSALS_SAY = {"dot_score"}


def dot_score(rng):
    for n in sizes(rng, "B S D"):
        yield from (given(scale * normal(rng, n["B"], n["D"]), normal(rng, n["B"], n["S"], n["D"])) for scale in (1, 9))
    for D, E in [(2, 3), (3, 2), (1, 4), (4, 1)]:
        yield given(normal(rng, 2, D), normal(rng, 2, 3, E))


def general_score(rng):
    for n in sizes(rng, "B S D E"):
        for scale in (1, 9):
            state, memory = scale * normal(rng, n["B"], n["D"]), normal(rng, n["B"], n["S"], n["E"])
            yield given(state, memory, normal(rng, n["D"], n["E"]))


def concat_score(rng):
    for n in sizes(rng, "B S D E A"):
        shapes = [(n["B"], n["D"]), (n["B"], n["S"], n["E"]), (n["D"] + n["E"], n["A"]), (n["A"],)]
        yield from (given(*(scale * normal(rng, *shape) for shape in shapes)) for scale in (0.5, 1, 3))


def attentional_state(rng):
    for n in sizes(rng, "B S D E"):
        shapes = [(n["B"], n["D"]), (n["B"], n["S"], n["E"]), (n["E"] + n["D"], n["D"])]
        for mask in masks(rng, n["B"], n["S"], empty=True):
            weights = mask * rng.random(size=mask.shape)
            yield given(weights / np.maximum(weights.sum(axis=1, keepdims=True), 1e-300),
                        *(normal(rng, *shape) for shape in shapes))


def predicted_centre(rng):
    for n in sizes(rng, "B S D A"):
        shapes = [(n["D"], n["A"]), (n["A"],)]
        for scale, mask in zip((1, 1, 9, 1, 30) * 3, masks(rng, n["B"], n["S"], empty=True), strict=False):
            W_p, v_p = (normal(rng, *shape) for shape in shapes)
            yield given(normal(rng, n["B"], n["D"]), mask, W_p, scale * v_p)


def local_weights(rng):
    for n in sizes(rng, "B S"):
        for scores in numbers(rng, n["B"], n["S"]):
            masked = list(masks(rng, n["B"], n["S"], empty=True))
            for reach in (1, 2, 2.5, 0.5, 7):
                centre = rng.random(size=n["B"]) * n["S"]
                yield given(scores, masked[rng.integers(len(masked))], centre, reach)
                yield given(scores, masked[rng.integers(len(masked))], np.floor(centre), reach)
                yield given(scores, masked[rng.integers(len(masked))], np.floor(centre) + reach % 1, reach)
    for far in (900.0, -900.0):
        for mask in masks(rng, 2, 7, empty=True):
            scores = normal(rng, 2, 7)
            scores[:, 4:] += far
            yield given(scores, mask, np.array([1.0, 1.3]), 2)
