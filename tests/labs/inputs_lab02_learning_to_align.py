"""Valid inputs of every kind for lab 02, to see whether two functions differ anywhere."""

import itertools

import numpy as np

from tests.labs.inputs import given, masks, normal, sizes

PROMISES_TYPES = {"softmax_backward"}
SHAPES = [(1,), (4,), (1, 1), (3, 1), (1, 4), (3, 4), (3, 3), (1, 5, 3), (2, 5, 1), (2, 5, 3), (2, 1, 3, 2)]


def context_backward(rng):
    for n in sizes(rng, "B S E"):
        for mask in masks(rng, n["B"], n["S"], empty=True):
            (scale, other), memory = rng.choice([1e-6, 1, 300], size=2), normal(rng, n["B"], n["S"], n["E"])
            yield given(scale * normal(rng, n["B"], n["E"]), _weights(rng, mask), other * memory)


def softmax_backward(rng):
    for shape in SHAPES:
        for mask, scale in itertools.product(masks(rng, *shape, empty=True), (1, 1e-6, 2000)):
            yield given(_weights(rng, mask), scale * normal(rng, *shape))
        yield given(_weights(rng, mask), np.full(shape, 1.5))
        for _ in range(3):
            yield given(_weights(rng, np.ones(shape, bool), sure=9), normal(rng, *shape))
            yield given(_weights(rng, np.ones(shape, bool)), 100 + normal(rng, *shape))  # more is rounding in float32


def scores_backward(rng):
    for n in sizes(rng, "B S A"):
        for scale, mask in zip((1, 1, 30, 0.1) * 4, masks(rng, n["B"], n["S"], empty=True), strict=False):
            keys, v = scale * normal(rng, n["B"], n["S"], n["A"]), normal(rng, n["A"])
            yield given(mask * normal(rng, n["B"], n["S"]), normal(rng, n["B"], n["A"]), keys, v)


def attend_backward(rng):
    for n in sizes(rng, "B S E A"):
        for scale, mask in zip((1, 1, 300, 0.1) * 4, masks(rng, n["B"], n["S"], empty=True), strict=False):
            shapes = [(n["B"], n["E"]), (n["B"], n["A"]), (n["B"], n["S"], n["A"]), (n["B"], n["S"], n["E"])]
            d_context, query, keys, memory = (normal(rng, *shape) for shape in shapes)
            for of_context, of_memory in [(scale, 1), (1, scale)]:
                args = of_context * d_context, query, keys, of_memory * memory
                yield given(*args, _weights(rng, mask), normal(rng, n["A"]))


def steps_backward(rng):
    for n in sizes(rng, "B S T E D A"):
        B, S, T, E, D, A = n.values()
        for mask in masks(rng, B, 1, S, empty=True):
            weights = _weights(rng, np.broadcast_to(mask, (B, T, S)))
            shapes = [(B, T, D), (B, S, E), (B, T, E), (B, T, A), (B, T, S, A), (E, A)]
            states, memory, d_contexts, d_queries, d_keys, U = (normal(rng, *shape) for shape in shapes)
            yield given(states, memory, weights, d_contexts, 300 * d_queries, 300 * d_keys * mask[..., None], U)
            yield given(states, memory, weights, d_contexts, d_queries, d_keys * mask[..., None], U)


def _weights(rng, mask, sure=1):
    """Rows of a softmax among the visible positions, zeros where nothing is seen."""
    powers = mask * np.exp(sure * rng.normal(size=mask.shape))
    return powers / np.maximum(powers.sum(axis=-1, keepdims=True), 1e-300)
