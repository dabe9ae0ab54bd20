"""Valid inputs of every kind for lab 15, to see whether two functions differ anywhere."""

import itertools

import numpy as np

from tests.labs.inputs import given, masks, normal, numbers, sizes


def patchify(rng):
    for n in sizes(rng, "B rows columns p C", more=3):
        B, p, C = n["B"], n["p"], n["C"]
        H, W = n["rows"] * p, n["columns"] * p
        yield given(normal(rng, B, H, W), p)
        yield given(normal(rng, B, H, W, C), p)
        yield given(rng.integers(17, size=(B, H, W)), p)
        yield given(rng.integers(256, size=(B, H, W, C)), p)
    for shape, p in [((2, 6, 8), 4), ((2, 8, 6), 4), ((2, 8, 6, 3), 4), ((2, 6, 8, 3), 4), ((1, 3, 3), 4),
                     ((1, 4, 4), 0), ((2, 5, 4, 1), 2), ((2, 4, 5), 2), ((1, 4, 6), 5), ((1, 2, 2), -1),
                     ((1, 2, 2), -2)]:
        yield given(normal(rng, *shape), p)


def attention_pool(rng):
    for n in sizes(rng, "B N d", more=3):
        B, N, d = n.values()
        query = normal(rng, d)
        for tokens in numbers(rng, B, N, d):
            yield given(query, tokens)
            yield given(query, tokens, None)
        for mask in masks(rng, B, N, empty=True):
            yield given(query, normal(rng, B, N, d), mask)
        for other in numbers(rng, d):
            yield given(other, normal(rng, B, N, d))
    for mask, far in itertools.product(masks(rng, 3, 4, empty=True), (-900, 900)):
        query, tokens = normal(rng, 2), normal(rng, 3, 4, 2)
        yield given(query, tokens + far * ~mask[..., None] * query / (query @ query), mask)


def frames(rng):
    for window, hop, more in itertools.product([1, 2, 3, 5, 8], [1, 2, 3, 7, 11], [0, 1, 2, 6, 14]):
        yield given(normal(rng, window + more), window, hop)
    yield given(rng.integers(-9, 9, size=12), 4, 3)
    yield from (given(each, 5, 2) for each in numbers(rng, 13))
    for n, window, hop in [(3, 4, 1), (0, 1, 1), (5, 0, 1), (5, -1, 2), (5, 2, 0), (5, 2, -1), (5, 6, 9), (5, 5, 0)]:
        yield given(normal(rng, n), window, hop)


def mel_filters(rng):
    rates = [500, 1999, 1999.5, 2000, 2001, 2200, 8000, 11025, 16000.0, 44100]
    for count, window, rate in itertools.product([1, 2, 3, 7, 20, 64], [1, 2, 3, 16, 33, 100, 256], rates):
        yield given(count, window, rate)
    yield from (given(count, window, rate) for rate in (1, 0.25) for count in (1, 2, 60) for window in (9, 64, 201))
    for count, window, rate in [(0, 8, 8000), (-1, 8, 8000), (3, 0, 8000), (3, -1, 8000), (3, 8, 0), (3, 8, -1),
                                (-2, 8, 8000), (3, -7, 8000), (1, 1, 0.5)]:
        yield given(count, window, rate)


def log_mel(rng):
    for window, hop, more, M in itertools.product([2, 3, 5, 8, 16], [1, 3, 9], [0, 1, 7, 30], [1, 2, 5]):
        K = window // 2 + 1
        bank = rng.random((M, K)) + 0.01
        yield given(normal(rng, window + more), window, hop, bank)
        yield given(30 * normal(rng, window + more), window, hop, bank * (rng.random((M, K)) < 0.6))
    bank = rng.random((3, 7))
    for size in (0.0, 1e-6, 1e-3, 1e3):
        yield given(size * normal(rng, 40), 12, 5, bank)
    yield given(rng.integers(-99, 99, size=40), 12, 5, bank)
    yield given(np.sin(np.arange(60) * np.pi / 3), 12, 5, bank)
    for n, window, width in [(11, 12, 7), (40, 12, 6), (40, 12, 8), (40, 13, 8), (0, 12, 7)]:
        yield given(normal(rng, n), window, 5, rng.random((3, width)))


def pointing_accuracy(rng):
    for T, *axes in [(1, 1), (1, 5), (7, 1), (6, 4), (30, 6), (5, 5), (1, 1, 1), (4, 1, 3), (4, 3, 1), (20, 3, 5),
                     (25, 5, 4), (6, 6, 6), (9, 2, 2)]:
        for _ in range(5):
            weights = rng.integers(1, 5, size=(T, *axes)) / 8
            first = rng.integers(axes, size=(T, len(axes)))
            end = first + 1 + rng.integers(np.array(axes) - first)
            yield given(weights, np.concatenate([first, end], axis=1))
            yield given(normal(rng, T, *axes), np.concatenate([first, end], axis=1))
    for weights in numbers(rng, 6, 4):
        yield given(weights, np.array([[0, 2], [1, 3], [2, 4], [0, 4], [3, 4], [1, 2]]))
    line, board = rng.random((2, 5)), rng.random((2, 3, 4))
    for box in ([3, 3], [4, 3], [-1, 2], [0, 6], [5, 6], [4, 5], [0, 1], [-2, -1]):
        yield given(line, np.array([[0, 2], box]))
        yield given(line, np.array([box, [0, 2]]))
    for box in ([0, 0, 4, 2], [0, 0, 2, 5], [1, 1, 1, 3], [1, 1, 2, 1], [-1, 0, 2, 3], [0, -1, 2, 3], [2, 3, 3, 4]):
        yield given(board, np.array([[0, 0, 1, 1], box]))
    yield given(line, np.array([[0, 2], [1, 3], [3, 4]]))  # more boxes than words
    for weights, shape in [(line[:0], (0, 2)), (board[:0], (0, 4)), (line, (1, 2)), (board, (1, 4)), (line, (2, 4)),
                           (board, (2, 2))]:
        yield given(weights, np.ones(shape, int) * np.arange(shape[1]))
