"""The reference solutions of the tests' own lab."""

import numpy as np


def center(x, axis=0):
    """Subtract the mean along an axis."""
    middle = np.mean(x, axis=axis, keepdims=True)  # SECRET-CENTER
    return x - middle


def spread(x):
    """The root mean square of what is left when the mean is taken off, one for each column."""
    return np.sqrt(np.mean((x - np.mean(x, axis=0)) ** 2, axis=0))  # SECRET-SPREAD
