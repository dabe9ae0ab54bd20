"""Valid inputs of every kind for lab 05, to see whether two functions differ anywhere."""

import itertools

import numpy as np

from tests.labs.inputs import FRONTS, eighths, given, masks, normal, sizes

PROMISES_TYPES = {"scaled_scores", "causal_mask", "padding_mask", "scaled_dot_product_attention",
                  "scaled_dot_product_attention_backward"}
PAIRS = [(front, front) for front in FRONTS]
PAIRS += [((2, 3), (2, 1)), ((3,), ()), ((), (3,)), ((2, 3), (1, 3)), ((3,), (2, 3))]  # of queries, and of keys


def scaled_scores(rng):
    for (of_Q, of_K), n in itertools.product(PAIRS, sizes(rng, "T S d", more=2)):
        yield given(normal(rng, *of_Q, n["T"], n["d"]), normal(rng, *of_K, n["S"], n["d"]))


def causal_mask(rng):
    for T, S in itertools.product(range(1, 6), repeat=2):
        yield given(T, S)
        yield from (given(T, S, past) for past in range(5))
        yield given(T, S, past=2)


def padding_mask(rng):
    for B, S in itertools.product([1, 2, 3, 4], [1, 2, 3, 6]):
        yield from (given(np.full(B, length), S) for length in range(S + 1))
        yield from (given(rng.integers(S + 1, size=B), S) for _ in range(3))


def scaled_dot_product_attention(rng):
    for (of_Q, of_K), n in itertools.product(PAIRS, sizes(rng, "T S d v", more=1)):
        shapes = [(*of_Q, n["T"], n["d"]), (*of_K, n["S"], n["d"]), (*of_K, n["S"], n["v"])]
        args, leading = [normal(rng, *shape) for shape in shapes], np.broadcast_shapes(of_Q, of_K)
        yield given(*args)
        yield given(*args, next(masks(rng, *leading, n["T"], n["S"])))
        shapes = [(*leading, n["T"], n["S"]), (n["T"], n["S"]), (*leading, 1, n["S"]), (n["T"], 1), (n["S"],)]
        shape = shapes[rng.integers(len(shapes))]
        yield given(*args, rng.choice(list(masks(rng, *shape, empty=True))))
    for far, mask in itertools.product([30, 1000, -1000, 30000], masks(rng, 3, 4, empty=True)):
        Q, K, V = eighths(rng, 3, 16), eighths(rng, 4, 16), normal(rng, 4, 2)
        Q[:, 0], K[:, 0] = [2, -2, 0], [far, 0, far + 8, 0]
        yield given(Q, K, V, mask)
        yield given(K[:3], Q, 150 * V[:3])


def scaled_dot_product_attention_backward(rng):
    for front, n in itertools.product(FRONTS, sizes(rng, "T S d v", more=1)):
        weights = rng.random(size=(*front, n["T"], n["S"])) * rng.choice(list(masks(rng, n["T"], n["S"], empty=True)))
        weights /= np.maximum(weights.sum(axis=-1, keepdims=True), 1e-300)
        shapes = [("T", "v"), ("T", "d"), ("S", "d"), ("S", "v")]
        yield given(*(normal(rng, *front, n[one], n[other]) for one, other in shapes), weights)
