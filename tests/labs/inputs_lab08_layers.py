"""Valid inputs of every kind for lab 08, to see whether two functions differ anywhere."""

import itertools

import numpy as np

from solutions.lab08_layers import reference
from tests.labs.inputs import FRONTS, eighths, given, normal, sizes

PROMISES_TYPES = {"layer_norm", "layer_norm_backward", "gelu", "gelu_backward", "feed_forward", "feed_forward_backward"}
ROUGH = {  # right, but for what rounding leaves in float32
    "layer_norm_backward_by_the_jacobian", "layer_norm_backward_by_the_chain",  # of rows of two, which have no gradient
}
EPS = [1e-5, 1e-12, 1e-2, 0.5, 3.0]
FORMS = ["erf", "tanh"]
SPOTS = [np.array([0.0, -0.0, 1e-6, -1e-6, 0.5, 3, -3, 9, -9, 40, -40, 900, -900]), np.array([]), np.array([2.0]),
         np.array([-5.0, -4.5]),
         np.full((1, 1), -40.0), np.linspace(-6, 6, 41), 900 * np.ones((2, 3))]


def layer_norm(rng):
    for front, M in itertools.product(FRONTS, [1, 2, 3, 5]):
        x, gamma, beta = normal(rng, *front, M), normal(rng, M), normal(rng, M)
        yield given(x, gamma, beta)
        for eps in EPS:
            yield from (given(scale * x + shift, gamma, beta, eps) for scale, shift in [(0.05, 0), (1, 5), (30, 0)])
        yield given(np.full(x.shape, 1.5), gamma, beta)
        yield given(x, np.zeros(M), np.zeros(M), 1e-5)
    for x in (np.array([[900.0, 0, 0, -900], [1, 2, 3, 4]]), 1e-6 * normal(rng, 2, 3, 4), 900 + eighths(rng, 3, 4)):
        yield given(x, *normal(rng, 2, 4))
        yield given(x, *normal(rng, 2, 4), eps=1e-3)


def layer_norm_backward(rng):
    for call in layer_norm(rng):
        x, gamma, beta, *eps = call.args
        output, x_hat, std = reference.layer_norm(x, gamma, beta, *eps)
        yield given(normal(rng, *output.shape), x_hat, std, gamma)


def gelu(rng):
    arrays = [normal(rng, *shape) for shape in [(1,), (4,), (1, 1), (2, 3), (3, 1, 2), (2, 3, 1, 4)]]
    for x in [*SPOTS, *arrays, *(4 * array for array in arrays)]:
        yield given(x)
        yield from (given(x, form) for form in FORMS)
        yield from (given(x, form=form) for form in FORMS)


def gelu_backward(rng):
    for call in gelu(rng):
        (x, *form), options = call.args, call.options
        yield given(normal(rng, *x.shape), x, *form, **options)
        yield given(np.ones(x.shape), x, *form, **options)


def feed_forward(rng):
    for n, far in itertools.product(sizes(rng, "B T M F"), [1, 1, 20]):
        X, p = far * normal(rng, n["B"], n["T"], n["M"]), _parameters(rng, n)
        yield given(X, p)
        yield from (given(X, p, activation) for activation in ("relu", *FORMS))
        yield given(X, p, activation="tanh")
        yield given(0 * X, p | {"b_1": 0 * p["b_1"]})


def feed_forward_backward(rng):
    for call in feed_forward(rng):
        X, p, *activation = call.args
        output, inner = reference.feed_forward(X, p, *activation, **call.options)
        yield given(normal(rng, *output.shape), X, inner, p, *activation, **call.options)


def _parameters(rng, n):
    shapes = {"W_1": ("M", "F"), "b_1": ("F",), "W_2": ("F", "M"), "b_2": ("M",)}
    return {name: normal(rng, *(n[letter] for letter in letters)) for name, letters in shapes.items()}
