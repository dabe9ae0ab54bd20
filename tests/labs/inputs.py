"""What the search for a difference between two functions is made of: a vocabulary for `inputs_labNN_topic.py`.

Such a module has a generator of each exercise's name, which no check imports and which imports no check: it takes a
random generator and yields `given(*args, **options)`, call by call, of every kind that the lab's text allows. What
holds for every lab is done here: each call comes once more in another layout, and in float32 where types are promised.
"""

import itertools
from dataclasses import dataclass, replace

import numpy as np

from tests.labs.float32 import small

FRONTS = [(), (1,), (3,), (2, 3), (1, 1), (2, 1), (1, 3), (3, 3), (2, 1, 3)]  # axes in front
SIZES = [1, 2, 3, 4, 7]


@dataclass(frozen=True)
class Given:
    """The arguments of one call, and the bytes that it may hold at one time, if not any."""

    args: tuple
    options: dict
    most: int | None = None


def given(*args, **options):
    return Given(args, options)


def within(most, call):
    """The same call, which may hold so many bytes at one time."""
    return replace(call, most=most)


def widely(calls, in_float32):
    """These calls, the same in float32 if asked for, and in Fortran order, strided, read-only or stretched, in turn."""
    calls = list(calls)
    yield from calls
    if in_float32:
        yield from (given(*small(call.args), **small(call.options)) for call in calls)
    for call, layout in zip(calls, itertools.cycle(LAYOUTS.values())):
        yield replace(call, args=layout(call.args))


# Sizes


def sizes(rng, letters, least=1, more=6):
    """{letter: size} for "B T V", all kinds: all 1, each of them alone 1, all equal, all different, and some at random.

    least  the smallest size, in place of 1
    """
    names = letters.split()
    different = {name: 2 + i for i, name in enumerate(names)}
    yield dict.fromkeys(names, least)
    yield different
    yield from (different | {name: least} for name in names)
    yield from (dict.fromkeys(names, n) for n in (2, 3))
    yield dict(zip(names, reversed(different.values()), strict=True))
    for _ in range(more):
        yield {name: max(least, int(rng.choice(SIZES))) for name in names}


# Numbers


def numbers(rng, *shape):
    """Arrays of this shape: normal, large, small and equal numbers, zeros, one far from all others, rows far apart."""
    x = rng.normal(size=shape)
    yield from (x, 30 * x, 1e-6 * x, np.full(shape, 1.5), np.zeros(shape), np.abs(x) + 0.5)
    for far in (900.0, -900.0):
        one = x.copy()
        one.flat[rng.integers(x.size)] = far
        yield from (one, x + far)
    if x.ndim:
        yield x + 800.0 * np.arange(x.shape[0]).reshape(-1, *(1,) * (x.ndim - 1))
        yield x - 800.0 * np.arange(x.shape[-1])


def normal(rng, *shape):
    return rng.normal(size=shape)


def eighths(rng, *shape):
    """Multiples of 1/8: float32 holds them, and products of them with large numbers, without rounding."""
    return np.round(8 * rng.normal(size=shape)) / 8


# Masks


def masks(rng, *shape, empty=False):
    """Boolean arrays of this shape: all True, with holes, one True at either end, from the left, from the right, at
    random; each row has a True in it, or, if it may be empty, also masks in which some or all rows have none."""
    n = shape[-1]
    place = np.arange(n)
    rows = [place >= 0, place % 2 == 0, place == 0, place == n - 1, place <= n // 2, place >= n // 2, place != n // 2]
    for row in rows:
        yield np.broadcast_to(row | (not row.any() and place == 0), shape).copy()
    for share in (0.3, 0.6, 0.8):
        mask = rng.random(size=shape) < share
        some = np.zeros(shape, bool)
        np.put_along_axis(some, rng.integers(n, size=(*shape[:-1], 1)), True, -1)
        yield mask | some
        if empty:
            yield mask & (rng.random(size=(*shape[:-1], 1)) < 0.6)
    if empty:
        yield np.zeros(shape, bool)


# Layouts


def _each(layout):
    """A change of layout of each array in a tuple of arguments, in dictionaries too."""
    def changed(value):
        if isinstance(value, dict):
            return {name: changed(one) for name, one in value.items()}
        if isinstance(value, tuple | list):
            return type(value)(map(changed, value))
        return layout(value) if isinstance(value, np.ndarray) else value

    return changed


def _strided(x):
    """The same numbers, of which each second one in memory is another's."""
    wide = np.zeros((*x.shape, 2), x.dtype)
    wide[..., 0] = x
    return wide[..., 0]


def _read_only(x):
    x = x.copy()
    x.flags.writeable = False
    return x


def _stretched(x):
    """With a stride of 0 along the first axis, where all its entries are equal."""
    first = np.broadcast_to(x[:1], x.shape) if x.ndim and len(x) else x
    return first if np.array_equal(first, x) else x


LAYOUTS = {"Fortran order": _each(np.asfortranarray), "strided": _each(_strided), "read-only": _each(_read_only),
           "stretched": _each(_stretched)}
