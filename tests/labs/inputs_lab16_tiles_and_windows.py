"""Valid inputs of every kind for lab 16, to see whether two functions differ anywhere."""

import itertools

import numpy as np

from coursekit.verdicts import largest
from solutions.lab16_tiles_and_windows import reference
from tests.labs.inputs import FRONTS, given, masks, normal, sizes, within

PROMISES_TYPES = {"window_mask"}


def _with_their_digits(function):
    """What counts of the results of an exercise: they, and whether digits are lost that float64 holds. What should be
    refused is left as it is."""
    def counted(value, *args):
        try:
            right = function(*args)
        except ValueError:
            return value
        return *value, float(_off(value, right) > 1e-11 * max(1, largest(right)))
    return counted


def _off(value, right):
    """How far results are off, as a share of the largest entry of each."""
    return max(np.nan_to_num(np.abs(np.subtract(got, wanted))).max(initial=0) / max(1e-300, largest(wanted))
              for got, wanted in zip(value, right, strict=True))


def _copied(value, *args):
    """A cache, and whether it holds other numbers than it should, be it in the last digit."""
    try:
        return value, float(not np.array_equal(value, reference.rolling_write(*args)))
    except ValueError:
        return value


COUNTS = {"rolling_write": _copied} | {
    name: _with_their_digits(getattr(reference, name)) for name in ("merge_softmax", "tiled_attention")}


def merge_softmax(rng):
    for front, e, far in itertools.product(FRONTS, [1, 2, 5], [0, 30, 800, -800]):
        yield given(*_piece(rng, front, e, far), *_piece(rng, front, e, far * rng.choice([-1, 1])))
    for front in FRONTS[1:]:
        for share in (0.3, 1.0):
            pieces = [_piece(rng, front, 3, 0), _piece(rng, front, 3, 400)]
            for piece in pieces:
                nothing = rng.random(size=front) < share
                piece[0][nothing], piece[1][nothing], piece[2][nothing] = -np.inf, 0, 0
            yield given(*pieces[0], *pieces[1])
            yield given(*pieces[1], -np.inf, 0.0, 0.0)
            yield given(-np.inf, 0.0, 0.0, *pieces[0])
    for place, wrong in itertools.product(range(6), (np.nan, np.inf)):  # refused
        args = [*_piece(rng, (2, 3), 4, 0), *_piece(rng, (2, 3), 4, 0)]
        some = args[place].copy()
        some.flat[rng.integers(some.size)] = wrong
        for each in (some, args[place] + wrong, np.zeros((3, 2, 2)), args[place][0], args[place][..., None],
                     args[place].ravel(), args[place][:1], args[place][..., :1]):
            yield given(*args[:place], each, *args[place + 1:])
        yield given(*args[:place], 2.0, *args[place + 1:])
        for plain in itertools.product((-np.inf, 2.0, wrong), (0.0, 3.0), (0.0, 4.0)):
            yield given(*plain, *args[3:])
            yield given(*args[:3], *plain)


def _piece(rng, front, e, far):
    m = normal(rng, *front) + far
    return [np.array(m), 1 + rng.random(size=front), normal(rng, *front, e)]


def tiled_attention(rng):
    for front, n in itertools.product([(), (1,), (2, 3)], list(sizes(rng, "T S d e", more=1))[::2]):
        shape = (*front, n["T"], n["S"])
        Q, K, V = (normal(rng, *front, *each) for each in [(n["T"], n["d"]), (n["S"], n["d"]), (n["S"], n["e"])])
        for mask in [None, *rng.permutation(np.array([*masks(rng, *shape, empty=True)]))[:2]]:
            yield given(Q, K, V, int(rng.integers(1, n["T"] + 2)), int(rng.integers(1, n["S"] + 2)), mask)
        yield given(30 * Q, K, V, 1, 2, mask[..., :1])
    Q, K, V = normal(rng, 2, 5, 3), normal(rng, 2, 7, 3), normal(rng, 2, 7, 2)
    for tile, mask in zip(itertools.cycle([(1, 1), (2, 3), (5, 7), (9, 9), (3, 2)]), masks(rng, 5, 7, empty=True)):
        yield given(Q, K, V, *tile, mask)
        yield given(2000 * Q, K, 500 * V, *tile, mask)
    yield given(Q, K, V, 2, 3, np.arange(7) > 5)
    yield given(Q, K[:, :0], V[:, :0], 2, 3)
    for n, m, *tile in [(256, 256, 43, 43), (1024, 64, 32, 1024), (64, 1024, 1024, 32)]:
        yield within(4 * n * m, given(*(normal(rng, size, 2) for size in (n, m, m)), *tile))
    for tile in [(0, 2), (2, 0), (-1, 2), (2, -1)]:  # refused
        yield given(Q, K, V, *tile)
    yield given(Q, K, V, 2, 3, np.ones((5, 7)))
    yield given(Q, K, V, 2, 3, np.ones((5, 6), bool))
    yield from (given(*each, 2, 3) for each in [(Q[..., :2], K, V), (Q, K[:, :6], V), (Q[:1], K, V), (Q, K, V[:1])])
    for place, wrong in itertools.product(range(3), [np.nan, np.inf]):
        args = [Q.copy(), K.copy(), V.copy()]
        args[place].flat[rng.integers(args[place].size)] = wrong
        yield given(*args, 2, 3)


def words_moved(rng):
    for args in itertools.product([1, 2, 7, 12, 100, 131072], [1, 3, 64], [1, 3, 4, 12, 500], [1, 5, 600]):
        yield given(*args)
    for place, wrong in itertools.product(range(4), [0, -2]):  # refused
        yield given(*(wrong if i == place else n for i, n in enumerate([9, 4, 2, 3])))


def window_mask(rng):
    for T, S, window, past in itertools.product([0, 1, 2, 5], [0, 1, 3, 7], [1, 2, 3, 9], [0, 1, 4]):
        yield given(T, S, window, past)
    yield from (given(T, T, window) for T in (1, 4) for window in (1, 2, 4, 5))
    for args in [(3, 5, 0), (3, 5, -1), (-1, 5, 2), (3, -1, 2), (3, 5, 2, -1)]:  # refused
        yield given(*args)


def rolling_write(rng):
    for front, (S, T), d in itertools.product(FRONTS, [(1, 1), (3, 3), (5, 2), (6, 5), (4, 1), (4, 0)], [1, 3]):
        cache, new = normal(rng, *front, S, d), normal(rng, *front, T, d)
        for index in (0, 1, S - 1, S, 7 * S + 2):
            yield given(cache, new, index)
        if front:
            yield given(cache, new, rng.integers(0, 40, size=front[0]))
    cache, new = normal(rng, 2, 3, 4, 5), normal(rng, 2, 3, 2, 5)
    for args in [(cache, normal(rng, 2, 3, 5, 5), 1), (cache, new[..., :4], 1), (cache, new[:1], 1), (cache, new, 0.5),
                 (cache, new, np.array([1.0, 2.0])), (cache, new, np.array([1, 2, 3])), (cache, new[:, :2], 1)]:
        yield given(*args)


def cache_bytes(rng):
    for layers, groups, d, tokens, size in itertools.product([1, 2, 80], [1, 8], [1, 128], [0, 1, 4096], [1, 2, 4]):
        yield given(layers, groups, d, tokens, size)
        yield from (given(layers, groups, d, tokens, size, window) for window in (1, 5, 4096, 9000))
    for place, wrong in itertools.product(range(6), [0, -2]):  # refused
        if place != 3 or wrong:
            yield given(*(wrong if i == place else n for i, n in enumerate([2, 3, 5, 7, 4, 6])))
    yield given(2, 3, 5, -1, 4)
