"""Valid inputs of every kind for lab 06, to see whether two functions differ anywhere."""

import itertools

import numpy as np

from solutions.lab06_multi_head import reference
from tests.labs.inputs import eighths, given, masks, normal, sizes

FRONTS = [(2, 3), (3, 2), (1, 1), (2, 1), (1, 3), (3, 3)]  # sentences and heads: always these two axes

def scaled_dot_product_attention(rng):
    for front, n in itertools.product(FRONTS, sizes(rng, "T S d v", more=1)):
        args = [normal(rng, *front, n[one], n[other]) for one, other in [("T", "d"), ("S", "d"), ("S", "v")]]
        yield given(*args)
        (B, _), T, S = front, n["T"], n["S"]
        for shape in [(*front, T, S), (B, 1, T, S), (B, 1, 1, S), (T, S), (T, 1), (S,)]:
            yield given(*args, rng.choice(list(masks(rng, *shape, empty=True))))
    for far, mask in itertools.product([30, 1000, -1000, 30000], masks(rng, 3, 4, empty=True)):
        Q, K, V = eighths(rng, 2, 1, 3, 16), eighths(rng, 2, 1, 4, 16), normal(rng, 2, 1, 4, 2)
        Q[..., 0], K[..., 0] = [2, -2, 0], [far, 0, far + 8, 0]
        yield given(Q, K, V, mask)
        yield given(K[..., :3, :], Q, 150 * V[..., :3, :])


def scaled_dot_product_attention_backward(rng):
    for front, n in itertools.product(FRONTS, sizes(rng, "T S d v", more=1)):
        shapes = [("T", "v"), ("T", "d"), ("S", "d"), ("S", "v")]
        d_output, *args = (normal(rng, *front, n[one], n[other]) for one, other in shapes)
        for size in (1, 1000):
            yield given(size * d_output, *args, _weights(rng, *front, n["T"], n["S"]))


def split_heads(rng):
    for n in sizes(rng, "B T h d"):
        yield given(normal(rng, n["B"], n["T"], n["h"] * n["d"]), n["h"])


def merge_heads(rng):
    for n in sizes(rng, "B T h d"):
        yield given(normal(rng, n["B"], n["h"], n["T"], n["d"]))


def multi_head_attention(rng):
    for n in sizes(rng, "B T S m h d v"):
        X, memory, parameters = _layer(rng, n)
        yield given(X, memory, parameters, n["h"])
        yield given(X, X, parameters, n["h"])
        for shape in [(n["T"], n["S"]), (n["B"], 1, n["S"]), (n["B"], n["T"], n["S"])]:
            yield from (given(X, memory, parameters, n["h"], mask) for mask in masks(rng, *shape, empty=True))
        mask = rng.choice(list(masks(rng, n["T"], n["S"], empty=True)))
        yield given(100 * X, 100 * memory, parameters, n["h"], mask)


def multi_head_attention_backward(rng):
    for n in sizes(rng, "B T S m h d v"):
        X, memory, parameters = _layer(rng, n)
        for source in [memory, X] if n["T"] == n["S"] else [memory]:
            weights = _weights(rng, n["B"], n["h"], n["T"], n["S"])
            for size in (1, 1000):
                yield given(size * normal(rng, n["B"], n["T"], n["m"]), X, source, parameters, n["h"], weights)


def parameter_count(rng):
    yield from (given(*of) for of in itertools.product([1, 2, 6], [1, 2, 3], [1, 3, 4], [1, 2, 5]))


def previous_token_head(rng):
    yield from (given(vocabulary, length) for vocabulary, length in itertools.product([1, 2, 3, 5, 12], repeat=2))


matching_token_head = previous_token_head


def _does(parameters, vocabulary, length):
    """What a head makes of some sentences, from the second token on: how its parameters reach it is free."""
    rng = np.random.default_rng(6)
    words = np.eye(vocabulary)[rng.integers(vocabulary, size=(4, length))]  # (4, length, vocabulary)
    X = np.concatenate([words, np.broadcast_to(np.eye(length), (4, length, length))], axis=-1)
    return np.round(reference.multi_head_attention(X, X, parameters, 1)[0][:, 1:], 5)


COUNTS = {"previous_token_head": _does, "matching_token_head": _does}


def _layer(rng, n):
    """X, memory and the parameters of a layer of these sizes."""
    shapes = {"W_Q": ("m", "d"), "W_K": ("m", "d"), "W_V": ("m", "v")}
    parameters = {name: normal(rng, n[one], n["h"] * n[other]) for name, (one, other) in shapes.items()}
    parameters["W_O"] = normal(rng, n["h"] * n["v"], n["m"])
    return normal(rng, n["B"], n["T"], n["m"]), normal(rng, n["B"], n["S"], n["m"]), parameters


def _weights(rng, *shape):
    """Rows of weights, some of them of a query that saw nothing."""
    weights = rng.random(size=shape) * rng.choice(list(masks(rng, *shape[-2:], empty=True)))
    return weights / np.maximum(weights.sum(axis=-1, keepdims=True), 1e-300)
