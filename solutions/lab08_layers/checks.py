"""What lab 08 is judged on. The ways back receive what the ways forward compute as arguments."""

import dataclasses

import numpy as np

from coursekit.verdicts import Verdict, compare
from solutions.dictionaries import flat, told
from solutions.lab08_layers import reference

NAMES = ["W_1", "b_1", "W_2", "b_2"]


def layer_norm(student, rng):
    hint = "each row by itself: minus its mean, over the root of (biased variance + eps); then gamma and beta"
    for law, args in _rows(rng, axes=(3, 2, 3, 4)):
        reply = student.layer_norm(*args)
        yield _typed(compare(law, reply, reference.layer_norm(*args), hint), reply, args[0].dtype)


def layer_norm_backward(student, rng):
    hint = "d_output * gamma, less its mean, less x_hat times the mean of its product with x_hat; then over std"
    for law, (x, gamma, beta, *eps) in _rows(rng, axes=(4, 4, 4, 4)):
        output, x_hat, std = reference.layer_norm(x, gamma, beta, *eps)
        args = rng.normal(size=output.shape).astype(x.dtype), x_hat, std, gamma
        reply, expected = student.layer_norm_backward(*args), reference.layer_norm_backward(*args)
        yield _some(f"{law}: d_x", reply, expected, [0], hint)
        also = "d_gamma and d_beta are sums over all axes but the last, d_gamma of d_output * x_hat"
        yield _some(f"{law}: d_gamma and d_beta", reply, expected, [1, 2], also)


def gelu(student, rng):
    hint = "x Φ(x) with erf, and the form with tanh, √(2/π) and 0.044715 x³"
    for law, x, form in _activations(rng):
        verdict = compare(law, student.gelu(x, form), reference.gelu(x, form), hint)
        small = x.astype(np.float32)
        yield _typed(verdict, student.gelu(small, form), small.dtype)


def gelu_backward(student, rng):
    hint = "the product rule on each form, times d_output: compare with central differences"
    for law, x, form in _activations(rng):
        args = rng.normal(size=x.shape), x, form
        verdict = compare(law, student.gelu_backward(*args), reference.gelu_backward(*args), hint)
        small = [a.astype(np.float32) for a in args[:2]]
        yield _typed(verdict, student.gelu_backward(*small, form), np.float32)


def feed_forward(student, rng):
    hint = "activation(X W_1 + b_1) W_2 + b_2; the second result is X W_1 + b_1"
    for law, args in _layers(rng):
        reply, expected = student.feed_forward(*args), reference.feed_forward(*args)
        yield _typed(compare(law, reply, expected, hint), reply, args[0].dtype)


def feed_forward_backward(student, rng):
    hint = "compare with central differences; the parameters' gradients are sums over sentences and positions"
    for law, (X, parameters, *activation) in _layers(rng):
        output, inner = reference.feed_forward(X, parameters, *activation)
        args = rng.normal(size=output.shape).astype(X.dtype), X, inner, parameters, *activation
        expected = flat(reference.feed_forward_backward(*args), NAMES)
        reply, problem = told(student.feed_forward_backward(*args), ["d_X"], NAMES)
        judged = compare(law, reply, expected, hint)
        yield Verdict(law, False, problem) if problem else _typed(judged, reply, X.dtype)


# Cases


def _rows(rng, axes):
    """(law, arguments of `layer_norm`), with so many axes; half are float32.

    In two of four a row has hardly any variance, so that eps decides. The ways back have four axes in all: sums over
    the first axis, or the first two, are wrong in each.
    """
    cases = [
        ("a batch of sentences, in float32", np.float32, (2, 3, 4, 6), [], 1.0),
        ("a row of equal entries, and small rows: eps is inside the root", float, (4, 2, 5, 3), [1e-2], 0.05),
        ("one long sentence, a small eps", float, (3, 1, 5, 7), [1e-12], 2.0),
        ("four axes, a large eps, in float32", np.float32, (2, 3, 5, 4), [0.5], 1.5),
    ]
    for (law, kind, shape, eps, scale), number in zip(cases, axes, strict=True):
        shape = shape[-number:]
        x = scale * rng.normal(size=shape) + rng.normal(size=(*shape[:-1], 1))
        if "equal" in law:
            x.reshape(-1, shape[-1])[1] = 0.75  # a row without any variance
        yield law, (*(a.astype(kind) for a in (x, *rng.normal(size=(2, shape[-1])))), *eps)


def _activations(rng):
    """(law, x, form); in each, numbers so far from 0 that a power of them overflows."""
    for form in ("erf", "tanh"):
        near, far = rng.normal(size=(3, 4, 5)), np.concatenate([4 * rng.normal(size=6), [0, 9, -9, 40, -40]])
        near[0, 1, 2] = -40.0
        yield f"{form}: numbers near 0 and one far from it; float32 stays float32", near, form
        yield f"{form}: large numbers of both signs, and 0; float32 stays float32", far, form


def _layers(rng):
    """(law, arguments of `feed_forward`)

    With ReLU in float32, and with an entry of inner that is exactly 0. With GELU in float64, so that a type that
    `gelu` promoted costs nothing here.
    """
    for law, B, T, M, F, activation in [
        ("ReLU, a wide inner layer, in float32", 2, 3, 4, 7, ["relu"]),
        ("ReLU, the default, a narrow inner layer, in float32", 4, 2, 6, 5, []),
        ("GELU, the erf form", 3, 5, 4, 6, ["erf"]),
        ("GELU, the tanh form", 2, 4, 3, 8, ["tanh"]),
    ]:
        shapes, kind = [(M, F), (F,), (F, M), (M,)], np.float32 if law.startswith("ReLU") else float
        parameters = {name: rng.normal(size=shape).astype(kind) for name, shape in zip(NAMES, shapes, strict=True)}
        X = rng.normal(size=(B, T, M)).astype(kind)
        if kind == np.float32:
            X[0, 0], parameters["b_1"][0] = 0, 0
        yield law, (X, parameters, *activation)


# Verdicts


def _some(law, reply, expected, chosen, hint):
    """A verdict on some of several results; on their number first."""
    several = isinstance(reply.value, tuple | list) and len(reply.value) == len(expected)
    if reply.error is None and several:
        reply = dataclasses.replace(reply, value=tuple(reply.value[i] for i in chosen))
        expected = tuple(expected[i] for i in chosen)
    return _typed(compare(law, reply, expected, hint), reply, expected[0].dtype)


def _typed(verdict, reply, dtype):
    """The same verdict, unless float32 came in and something else went out."""
    several = reply.value if isinstance(reply.value, tuple | list) else [reply.value]
    kinds = {str(getattr(each, "dtype", None)) for each in several}
    if not verdict.passed or dtype != np.float32 or kinds == {"float32"}:
        return verdict
    hint = "float32 came in, another type went out: use numbers of Python, such as 2**0.5, and arrays like those given"
    return dataclasses.replace(verdict, passed=False, hint=hint)
