"""Arguments and answers in float32, and right answers that are computed so."""

import functools
import sys

import numpy as np

from coursekit.verdicts import precision


def in_float32(function):
    """The same answer, in float32 where float32 came in, with a word to stderr, which must cost nothing either.

    Arguments in float64 are left as they are: from them an answer to float32's precision is not precise enough.
    """

    @functools.wraps(function)
    def answer(*args, **options):
        print("computing in float32", file=sys.stderr)
        value = function(*args, **options)
        return small(value) if precision(args) == "float32" else value

    answer.__name__ = f"{function.__name__}_in_float32"
    return answer


def small(value):
    """The value with its float64 as float32: arrays and NumPy's numbers, and those in a dictionary, tuple or list."""
    if isinstance(value, dict):
        return {name: small(each) for name, each in value.items()}
    if isinstance(value, tuple | list):
        return type(value)(map(small, value))
    return value.astype(np.float32) if isinstance(value, np.ndarray | np.float64) and value.dtype == float else value


def dtypes(value):
    """The types of the arrays and of NumPy's numbers in a value, in its dictionaries, tuples and lists too."""
    if isinstance(value, dict | tuple | list):
        return set().union(*map(dtypes, value.values() if isinstance(value, dict) else value))
    return {value.dtype.name} if hasattr(value, "dtype") else set()
