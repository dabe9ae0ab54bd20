"""Valid inputs of every kind for lab 11, to see whether two functions differ anywhere."""

import itertools

import numpy as np

from coursekit.models.transformer import END, START
from tests.labs.inputs import given

_LONG = np.where(np.arange(60) < 3, -np.inf, -np.log(57)) + np.zeros((60, 1))  # 300 tokens have a score near -1200
SHARES = [0.3, 0.05, 0.9]  # of END, after any context


def greedy(rng):
    for table, longest in itertools.product(_tables(rng), [1, 2, 3, 5]):
        yield given(table, longest)
    yield from (given(table, 300) for table in (_LONG, Model(5, 60)))


def beam_step(rng):
    for K, V, beam in itertools.product([1, 2, 3, 5], [1, 2, 3, 8, 20], [1, 2, 3, 7, 150]):
        scores, log_p = np.log(rng.random(K)), np.log(rng.random((K, V)))
        quarters = -rng.integers(1, 6, size=K) / 4, -rng.integers(0, 6, size=(K, V)) / 4
        possible = rng.random((K, V)) < 0.5
        possible[rng.integers(K), rng.integers(V)] = True
        yield given(scores, log_p, beam)
        yield given(*quarters, beam)
        yield given(quarters[0], np.where(possible, quarters[1], -np.inf), beam)
        yield given(np.zeros(K), np.where(possible, 0, -np.inf), beam)
        yield given(scores - 900, log_p, beam)
        yield given(scores, log_p - 900 * (rng.random((K, V)) < 0.5), beam)
        yield given(quarters[0].astype(np.float32), quarters[1].astype(np.float32), beam)


def penalised(rng):
    for N, alpha in itertools.product([1, 2, 3, 7], [0.0, 0.35, 0.6, 1.0, 1.3, 2.0, 0, 1]):
        some = rng.random(N)
        for scores in (np.log(some), -30 * some, np.zeros(N), -900 - some, np.full(N, -1e-6)):
            yield given(scores, rng.integers(1, 12, size=N), alpha)
            yield given(scores, np.full(N, 1 + rng.integers(9)), alpha)
        yield given(-rng.random(N).astype(np.float32), rng.integers(1, 90, size=N), alpha)


def beam_search(rng):
    for table, beam in itertools.product(_tables(rng), [1, 2, 3, 5]):
        for longest, alpha in [(1, 0.6), (2, 0.0), (4, 1.0), (6, 1.5)]:
            yield given(table, longest, beam, alpha)
    yield from (given(_LONG, 300, beam, 0.6) for beam in (1, 2))


class Model:
    """What follows depends on all that was written, and on nothing else: a model that is no table."""

    def __init__(self, seed, V):
        self.seed, self.V = seed, V

    def following(self, tokens):
        return _log_p(np.random.default_rng([self.seed, *map(int, tokens)]), (self.V,), 0.3)

    def __eq__(self, other):
        return isinstance(other, Model) and (self.seed, self.V) == (other.seed, other.V)


def _tables(rng):
    """Tables of one token, two and three, and models: even, peaked, with equal entries, far down, with a likely END or
    none, and such in which what goes on beside a finished leader wins."""
    for V, axes, share in itertools.product([3, 4, 6], [1, 2, 3], SHARES):
        yield _log_p(rng, (V,) * (axes + 1), share)
    for V, axes in [(4, 1), (6, 1), (9, 1), (4, 2), (6, 2), (9, 2), (5, 3)]:
        shape = (V,) * (axes + 1)
        yield from (_even(rng, shape), _even(rng, shape), _leads(rng, shape))
        far = _even(rng, shape)
        yield np.where(np.isinf(far) & (rng.random(shape) < 0.5) & (np.arange(V) >= END), -900.0, far)
    yield from (Model(seed, V) for seed, V in [(1, 4), (2, 6), (3, 6), (4, 9)])


def _log_p(rng, shape, share):
    """Log-probabilities along the last axis: END has this share, on the average, and some others none."""
    p = rng.dirichlet(np.full(shape[-1], 0.5), size=shape[:-1]) * (rng.random(shape) < 0.8)
    p[..., :END] = 0
    p[..., END] = share * rng.random(shape[:-1]) + 0.01 * share
    with np.errstate(divide="ignore"):
        return np.log(p / p.sum(axis=-1, keepdims=True))


def _even(rng, shape):
    """Log-probabilities along the last axis of 1, 2 or 4 tokens that are equally likely: many sums are equal."""
    place = np.argsort(rng.random(shape) + 9 * (np.arange(shape[-1]) < END), axis=-1).argsort(axis=-1)
    count = np.minimum(rng.choice([1, 2, 4], size=(*shape[:-1], 1)), shape[-1] - END)
    return np.where(place < count, -np.log(count), -np.inf)


def _leads(rng, shape):
    """END leads at first and hardly comes later, where some token is nearly certain."""
    table = np.log(0.99 * np.eye(shape[-1])[rng.integers(END + 1, shape[-1], size=shape[:-1])] + 1e-3)
    table[..., :END], table[..., END] = -np.inf, np.log(rng.choice([0.002, 0.5], size=shape[:-1]))
    table[(0, 0, START)[-len(shape[1:]):]] = _log_p(rng, shape[-1:], 0.8)
    return table


def _whole(*arrays):
    """Are all of these whole numbers?"""
    return str([np.asarray(array).dtype.kind in "iu" for array in arrays])


# Ids are whole numbers, in a list or an array


def _written(value, *args):
    tokens, score = value
    return tokens, score, _whole(tokens)


def _stepped(value, *args):
    parents, tokens, scores = value
    return parents, tokens, scores, _whole(parents, tokens)


COUNTS = {"greedy": _written, "beam_search": _written, "beam_step": _stepped}
