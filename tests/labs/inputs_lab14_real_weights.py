"""Valid inputs of every kind for lab 14, to see whether two functions differ anywhere."""

import itertools

import numpy as np

from tests.labs.inputs import FRONTS, eighths, given, masks, normal, numbers, sizes

PROMISES_TYPES = {"rms_norm", "rms_norm_backward", "swiglu", "lora", "lora_backward"}
ROUGH = {  # right, but for what rounding leaves in float32 of rows of one entry, which have no gradient
    "rms_norm_backward_by_the_jacobian", "rms_norm_backward_by_the_chain", "rms_norm_backward_by_einsum",
    "rms_norm_backward_by_the_chain_in_float32",
}
EPS = [1e-12, 1e-2, 0.5, 3.0]
GROUPS = [(1, 1), (2, 1), (2, 2), (4, 2), (6, 2), (3, 3)]


def rms_norm(rng):
    for front, M in itertools.product(FRONTS, [1, 2, 3, 5]):
        x, gamma = normal(rng, *front, M), normal(rng, M)
        yield given(x, gamma)
        for scale, shift in [(0.05, 0), (1, 3), (30, 0)]:
            yield from (given(scale * x + shift, gamma, eps) for eps in EPS)
        yield given(0.003 * x, gamma, eps=1e-5)
    yield from (given(x, normal(rng, 4)) for x in numbers(rng, 2, 3, 4))
    yield given(np.zeros((2, 3)), normal(rng, 3))


def rms_norm_backward(rng):
    for call in rms_norm(rng):
        yield given(normal(rng, *call.args[0].shape), *call.args, **call.options)


def swiglu(rng):
    for front, n, far in itertools.product(FRONTS, sizes(rng, "M F", more=2), [1, 40, 600]):
        x, W_1, W_3, W_2 = (normal(rng, *shape) for shape in [(*front, n["M"]), *2 * [(n["M"], n["F"])],
                                                               (n["F"], n["M"])])
        yield given(far * x, W_1, W_3, W_2)
    yield given(np.zeros((2, 3)), *(normal(rng, *shape) for shape in [(3, 4), (3, 4), (4, 3)]))


def grouped_attention(rng):
    for front, (H, G), n in itertools.product([(), (1,), (2, 3)], GROUPS, list(sizes(rng, "T S d e", more=0))[::2]):
        Q, K, V = (normal(rng, *front, *shape) for shape in [(H, n["T"], n["d"]), (G, n["S"], n["d"]),
                                                              (G, n["S"], n["e"])])
        shapes = [(*front, H, n["T"], n["S"]), (n["T"], n["S"]), (n["S"],), (H, 1, n["S"]), (*front, 1, 1, n["S"])]
        seen = rng.choice(list(masks(rng, *shapes[rng.integers(5)], empty=True)))
        added = np.where(seen, normal(rng, *seen.shape), -np.inf)
        cap = float(rng.choice([0.5, 2.0, 30.0]))
        yield given(Q, K, V)
        yield given(Q, K, V, seen)
        yield given(Q, K, V, softcap=cap)
        yield given(3 * Q, K, V, *[(seen, cap), (added, cap), (added,), (normal(rng, *seen.shape), cap)][
            rng.integers(4)])
    for far, mask in itertools.product([30, 1000, -1000], masks(rng, 3, 4, empty=True)):
        Q, K, V = eighths(rng, 2, 3, 16), eighths(rng, 1, 4, 16), normal(rng, 1, 4, 2)
        Q[..., 0], K[..., 0] = [2, -2, 0], [far, 0, far + 8, 0]
        yield given(Q, K, V, mask)
        yield given(Q, K, 500 * V, np.where(mask, 0.5, -np.inf))
        yield given(1000 * normal(rng, 2, 3, 5), normal(rng, 1, 4, 5), V, mask)
    for H, G in [(6, 4), (1, 2)]:  # refused
        yield given(*(normal(rng, *shape) for shape in [(H, 2, 3), (G, 5, 3), (G, 5, 2)]))


def mean_pool(rng):
    for n, far in itertools.product(sizes(rng, "B T M"), [1, 500]):
        for mask in masks(rng, n["B"], n["T"], empty=True):
            yield given(far * normal(rng, n["B"], n["T"], n["M"]) + 1, mask)


def lora(rng):
    for front, n, alpha in itertools.product(FRONTS, sizes(rng, "n m r", more=2), [0.5, 7, 16.0]):
        shapes = [(*front, n["n"]), (n["n"], n["m"]), (n["n"], n["r"]), (n["r"], n["m"])]
        x, W, A, B = (normal(rng, *shape) for shape in shapes)
        yield given(x, W, A, B, alpha)
        yield given(300 * x, W, A, B, alpha)
        yield given(x, W, A, 0 * B, alpha)


def lora_backward(rng):
    for call in lora(rng):
        x, W, *more = call.args
        yield given(normal(rng, *x.shape[:-1], W.shape[1]), x, W, *more)
