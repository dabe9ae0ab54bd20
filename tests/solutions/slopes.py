"""Central differences along a direction, for the gradients of whole models."""

import numpy as np


def slope(loss, h=1e-3):
    """The slope at 0 of loss(step). Of fourth order: the formula errs by about h⁴, rounding by about 1e-16 / h."""
    return (8 * (loss(h) - loss(-h)) - (loss(2 * h) - loss(-2 * h))) / (12 * h)


def assert_slopes(gradient, loss, parameters, rtol=1e-7, atol=1e-11, h=1e-3):
    """Is each array of the gradient the slope of loss(parameters) along a direction of length 1?"""
    rng = np.random.default_rng(1)
    for name, array in parameters.items():
        direction = rng.standard_normal(array.shape)
        direction /= np.linalg.norm(direction)

        def along(step, name=name, array=array, direction=direction):
            return loss(parameters | {name: array + step * direction})

        expected = slope(along, h)
        np.testing.assert_allclose((gradient[name] * direction).sum(), expected, rtol, atol, err_msg=name)
