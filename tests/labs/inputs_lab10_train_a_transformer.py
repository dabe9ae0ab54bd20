"""Valid inputs of every kind for lab 10, to see whether two functions differ anywhere."""

import itertools

import numpy as np

from tests.labs.inputs import given, normal, numbers, sizes

PROMISES_TYPES = {"shifted_targets", "attention_masks"}  # whole numbers, and masks
IDS = [(1, 2), (9, 7), (2, 1), (30, 1)]  # of start and end


def shifted_targets(rng):
    for n, (start, end) in itertools.product(sizes(rng, "B T"), IDS):
        B, T = n["B"], n["T"]
        yield from (given(_padded(rng, T, np.full(B, length)), start, end) for length in range(T + 1))
        yield given(_padded(rng, T, rng.integers(T + 1, size=B)), start, end)
        yield given(_padded(rng, T, rng.integers(T + 1, size=B)).astype(np.int32), start, end)


def attention_masks(rng):
    for n in sizes(rng, "B S T"):
        B, S, T = n["B"], n["S"], n["T"]
        for _ in range(3):
            yield given(_padded(rng, S, rng.integers(S + 1, size=B)), _padded(rng, T, 1 + rng.integers(T, size=B)))
        yield given(_padded(rng, S, np.full(B, S)), _padded(rng, T, np.full(B, T)))
        yield given(_padded(rng, S, np.zeros(B)), _padded(rng, T, np.ones(B)))


def learning_rate(rng):
    for d_model, warmup in itertools.product([1, 2, 64, 512, 1000], [1, 2, 7, 400, 4000]):
        steps = {1, 2, 3, warmup // 2, warmup - 1, warmup, warmup + 1, 2 * warmup, 50 * warmup, 10**6}
        yield from (given(step, d_model, warmup) for step in sorted(steps - {0}))


def smoothed_cross_entropy(rng):
    for n, epsilon in itertools.product(sizes(rng, "B T V", more=3), [0.0, 0.1, 0.5, 1.0]):
        B, T, V = n["B"], n["T"], n["V"] + 1
        for lengths in [np.full(B, T), np.ones(B, int), *rng.integers(T + 1, size=(4, B))]:
            wanted = np.where(np.arange(T) < lengths[:, None], rng.integers(1, V, size=(B, T)), 0)
            if wanted.any():
                yield given(2 * normal(rng, B, T, V), wanted, epsilon)
    for logits, epsilon in itertools.product(numbers(rng, 2, 3, 4), [0.0, 0.2]):
        yield given(logits, np.array([[1, 3, 2], [3, 0, 0]]), epsilon)
        yield given(logits.astype(np.float32), np.array([[2, 1, 0], [0, 0, 0]]), epsilon)
    q = np.where(np.arange(5) == 3, 0.92, 0.02)
    yield from (given(np.log(q)[None, None], np.array([[wanted]]), 0.1) for wanted in (3, 1))


def smoothing_floor(rng):
    yield from (given(V, epsilon) for V, epsilon in itertools.product([2, 3, 4, 40, 1000, 30000],
                                                                      [0.0, 0, 1e-6, 0.1, 0.5, 0.9, 1.0, 1]))


def _padded(rng, length, lengths):
    """Ids, 0 behind the first `lengths` of each row: (len(lengths), length)."""
    ids = rng.integers(1, 30, size=(len(lengths), length))
    return np.where(np.arange(length) < np.array(lengths)[:, None], ids, 0)
