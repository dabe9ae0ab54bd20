"""Shapes that explain themselves: one sentence for every array that does not fit."""

import numpy as np


def expect(known=None, /, **arrays):
    """Do these arrays fit each other? Returns the size of every axis letter, or raises ValueError.

    Each keyword is a pair: an array, and its axes as letters of the course's symbol table, with sums and numbers where
    they are needed. The first array that uses a letter sets its size, unless `known` already does.

    >>> import numpy as np
    >>> expect(state=(np.zeros((2, 4)), "B D"), W=(np.zeros((4, 3)), "D A"))
    {'B': 2, 'D': 4, 'A': 3}
    >>> expect({"D": 4}, W=(np.zeros((5, 3)), "D A"))
    Traceback (most recent call last):
    ValueError: W: expected (D, A) = (4, any), got (5, 3)
    """
    sizes = dict(known or {})
    for name, (array, letters) in arrays.items():
        axes, shape = letters.split(), np.shape(array)
        wanted = [_size(axis, sizes) for axis in axes]
        if len(axes) != len(shape) or not all(map(_fits, axes, shape, [sizes] * len(axes))):
            raise ValueError(f"{name}: expected {_tuple(axes)} = {_tuple(wanted)}, got {_tuple(shape)}")
    return sizes


def _fits(axis, size, sizes):
    """A letter that has no size yet takes this one; anything else must be equal to it."""
    return sizes.setdefault(axis, size) == size if axis.isalpha() else _size(axis, sizes) == size


def _size(axis, sizes):
    """The size of "A", "1" or "E+D"; None while one of its letters has none."""
    parts = [int(part) if part.isdigit() else sizes.get(part) for part in axis.split("+")]
    return None if None in parts else sum(parts)


def _tuple(sizes):
    words = ["any" if size is None else str(size) for size in sizes]
    return f"({words[0]},)" if len(words) == 1 else f"({', '.join(words)})"
