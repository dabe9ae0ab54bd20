"""Right answers that are computed in float32."""

import functools
import sys

import numpy as np


def in_float32(function):
    """The same answer from arguments in float32, in float32, with a word to stderr, which must cost nothing either."""

    @functools.wraps(function)
    def answer(*args, **options):
        print("computing in float32", file=sys.stderr)
        return _small(function(*map(_small, args), **options))

    answer.__name__ = f"{function.__name__}_in_float32"
    return answer


def _small(value):
    """The value with its float64 as float32: arrays and NumPy's numbers, and those in a dictionary, tuple or list."""
    if isinstance(value, dict):
        return {name: _small(each) for name, each in value.items()}
    if isinstance(value, tuple | list):
        return type(value)(map(_small, value))
    return value.astype(np.float32) if isinstance(value, np.ndarray | np.float64) and value.dtype == float else value
