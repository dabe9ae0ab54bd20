"""Plausible wrong answers."""

from tests.grading.tiny_solutions.lab_tiny import reference


def center_over_everything(x, axis=0):
    """You took the mean of the whole array: take it along the axis."""
    return x - x.mean()


def center_ignores_axis(x, axis=0):
    """Your function ignores its axis."""
    return reference.center(x, 0)


def spread_squared(x):
    """You forgot the square root."""
    return reference.spread(x) ** 2


MISTAKES = {"center": [center_over_everything, center_ignores_axis], "spread": [spread_squared]}
