"""Different right ways to write lab 08: a fair grader gives each of them full points."""

from math import erf as erf_of_one
from math import pi, sqrt

import numpy as np

from tests.labs.float32 import in_float32

# layer_norm


def layer_norm_by_var(x, gamma, beta, eps=1e-5):
    std = np.sqrt(np.var(x, axis=-1, keepdims=True) + eps)
    x_hat = (x - np.mean(x, axis=-1, keepdims=True)) / std
    return x_hat * gamma + beta, x_hat, std


def layer_norm_row_by_row(x, gamma, beta, eps=1e-5):
    x_hat, std = np.empty_like(x), np.empty((*x.shape[:-1], 1), x.dtype)
    for index in np.ndindex(x.shape[:-1]):
        row = x[index] - x[index].sum() / x.shape[-1]
        std[index] = ((row @ row) / x.shape[-1] + eps) ** 0.5
        x_hat[index] = row / std[index]
    return beta + gamma * x_hat, x_hat, std


def layer_norm_by_a_product(x, gamma, beta, eps=1e-5):
    centred = x - np.einsum("...m->...", x)[..., None] / x.shape[-1]
    std = (np.einsum("...m,...m->...", centred, centred)[..., None] / x.shape[-1] + eps) ** 0.5
    x_hat = centred * (1 / std)
    return [gamma * x_hat + beta, x_hat, std]


def layer_norm_by_norms(x, gamma, beta, eps=1e-5):
    centred = x - x.mean(axis=-1)[..., None]
    std = np.sqrt(np.linalg.norm(centred, axis=-1, keepdims=True) ** 2 / x.shape[-1] + eps)
    std = std.astype(x.dtype)
    return np.multiply(gamma, centred) / std + beta, centred / std, std


# layer_norm_backward


def layer_norm_backward_by_the_jacobian(d_output, x_hat, std, gamma):
    M = x_hat.shape[-1]
    d_x = np.empty_like(x_hat)
    for i in np.ndindex(x_hat.shape[:-1]):
        J = (np.eye(M) - 1 / M - np.outer(x_hat[i], x_hat[i]) / M) / std[i]
        d_x[i] = J.T @ (gamma * d_output[i])
    flat = d_output.reshape(-1, M)
    return d_x, np.sum(flat * x_hat.reshape(-1, M), axis=0), flat.sum(axis=0)


def layer_norm_backward_by_the_chain(d_output, x_hat, std, gamma):
    M = x_hat.shape[-1]
    d_x_hat = gamma * d_output
    deviation = x_hat * std
    d_variance = (d_x_hat * deviation).sum(-1, keepdims=True) * -0.5 / std**3
    d_deviation = d_x_hat / std + 2 * deviation * d_variance / M
    d_x = d_deviation - d_deviation.mean(-1, keepdims=True)
    axes = tuple(range(d_output.ndim))
    return d_x, np.einsum(d_output, axes, x_hat, axes, axes[-1:]), np.einsum(d_output, axes, axes[-1:])


def layer_norm_backward_with_sums(d_output, x_hat, std, gamma):
    M, d = x_hat.shape[-1], d_output * gamma
    total, along = d.sum(axis=-1, keepdims=True), (d * x_hat).sum(axis=-1, keepdims=True)
    d_x = (M * d - total - x_hat * along) / (M * std)
    d_gamma, d_beta = d_output * x_hat, d_output
    while d_beta.ndim > 1:
        d_gamma, d_beta = d_gamma.sum(axis=0), d_beta.sum(axis=0)
    return d_x, d_gamma, d_beta


# gelu


def _phi(x):
    return np.array([0.5 * (1 + erf_of_one(v / sqrt(2))) for v in x.ravel()], x.dtype).reshape(x.shape)


def gelu_by_a_list(x, form="erf"):
    if form == "tanh":
        return 0.5 * x * (1 + np.tanh(sqrt(2 / pi) * (x + 0.044715 * np.power(x, 3))))
    return x * _phi(x)


def gelu_by_a_sigmoid_of_twice(x, form="erf"):
    if form == "erf":
        return _phi(x) * x
    u = 0.7978845608028654 * x * (1 + 0.044715 * x * x)
    return x * (1 - 1 / (1 + np.exp(2 * u)))


def gelu_by_frompyfunc(x, form="erf"):
    if form != "erf":
        return gelu_by_a_list(x, form)
    return 0.5 * x * (1 + np.frompyfunc(erf_of_one, 1, 1)(x / sqrt(2)).astype(x.dtype))


def gelu_by_erfc(x, form="erf"):
    from math import erfc

    if form == "erf":
        return x - 0.5 * x * np.vectorize(erfc, otypes=[x.dtype])(x / sqrt(2))
    return x / 2 + x / 2 * np.tanh(sqrt(2 / pi) * (x + 0.044715 * x**3))


# gelu_backward


def gelu_backward_by_parts(d_output, x, form="erf"):
    if form == "erf":
        slope = _phi(x) + x * np.exp(-x * x / 2) / sqrt(2 * pi)
    else:
        c = sqrt(2 / pi)
        t = np.tanh(c * (x + 0.044715 * x**3))
        slope = 0.5 * (1 + t) + 0.5 * x * (1 - t) * (1 + t) * (c + 3 * c * 0.044715 * x**2)
    return slope * d_output


def gelu_backward_by_cosh(d_output, x, form="erf"):
    if form == "erf":
        return d_output * _phi(x) + d_output * x * np.exp(-(x**2) / 2) * (1 / float(np.sqrt(2 * np.pi)))
    u, d_u = 0.7978845608028654 * (x + 0.044715 * x**3), 0.7978845608028654 * (1 + 0.134145 * x**2)
    return d_output * (0.5 + 0.5 * np.tanh(u) + 0.5 * x * d_u / np.cosh(np.clip(u, -300, 300)) ** 2)


def gelu_backward_by_complex_steps(d_output, x, form="erf"):
    if form == "erf":
        return gelu_backward_by_parts(d_output, x, form)
    z = x + 1e-30j
    return d_output * (0.5 * z * (1 + np.tanh(sqrt(2 / pi) * (z + 0.044715 * z**3)))).imag / 1e-30


def gelu_backward_by_the_square_of_sech(d_output, x, form="erf"):
    if form == "erf":
        return gelu_backward_by_parts(d_output, x, form)
    u = (2 / pi) ** 0.5 * (x + 0.044715 * x**3)
    power = np.exp(-2 * np.abs(u))
    return d_output * (0.5 + 0.5 * np.tanh(u) + x * 2 * power / (1 + power) ** 2 * sqrt(2 / pi) * (1 + 0.134145 * x**2))


def gelu_backward_entry_by_entry(d_output, x, form="erf"):
    d_x = np.zeros_like(x)
    for i in np.ndindex(x.shape):
        d_x[i] = gelu_backward_by_parts(d_output[i], np.array(x[i]), form)
    return d_x


# feed_forward


def _act(inner, activation):
    return inner * (inner > 0) if activation == "relu" else gelu_by_a_list(inner, activation)


def feed_forward_by_einsum(X, parameters, activation="relu"):
    inner = np.einsum("btm,mf->btf", X, parameters["W_1"]) + parameters["b_1"]
    return np.einsum("btf,fm->btm", _act(inner, activation), parameters["W_2"]) + parameters["b_2"], inner


def feed_forward_token_by_token(X, parameters, activation="relu"):
    p = parameters
    inner = np.array([[x @ p["W_1"] + p["b_1"] for x in rows] for rows in X])
    return np.array([[_act(x, activation) @ p["W_2"] + p["b_2"] for x in rows] for rows in inner]), inner


def feed_forward_on_flat_rows(X, parameters, activation="relu"):
    inner = X.reshape(-1, X.shape[-1]) @ parameters["W_1"] + parameters["b_1"]
    output = _act(inner, activation) @ parameters["W_2"] + parameters["b_2"]
    return [output.reshape(X.shape), inner.reshape(*X.shape[:2], -1)]


# feed_forward_backward


def _slope(d, inner, activation):
    return np.where(inner > 0, d, 0) if activation == "relu" else gelu_backward_by_parts(d, inner, activation)


def feed_forward_backward_by_einsum(d_output, X, inner, parameters, activation="relu"):
    d_inner = _slope(np.einsum("btm,fm->btf", d_output, parameters["W_2"]), inner, activation)
    gradients = {
        "b_2": np.einsum("btm->m", d_output),
        "W_2": np.einsum("btf,btm->fm", _act(inner, activation), d_output),
        "b_1": np.einsum("btf->f", d_inner),
        "W_1": np.einsum("btm,btf->mf", X, d_inner),
    }
    return np.einsum("btf,mf->btm", d_inner, parameters["W_1"]), gradients


def feed_forward_backward_sentence_by_sentence(d_output, X, inner, parameters, activation="relu"):
    gradients, d_X = {name: np.zeros_like(a) for name, a in parameters.items()}, np.zeros_like(X)
    for b in range(len(X)):
        d_inner = _slope(d_output[b] @ parameters["W_2"].T, inner[b], activation)
        gradients["W_1"] += X[b].T @ d_inner
        gradients["b_1"] += d_inner.sum(0)
        gradients["W_2"] += _act(inner[b], activation).T @ d_output[b]
        gradients["b_2"] += d_output[b].sum(0)
        d_X[b] = d_inner @ parameters["W_1"].T
    return d_X, gradients


def feed_forward_backward_by_tensordot(d_output, X, inner, parameters, activation="relu"):
    d_inner = _slope(np.tensordot(d_output, parameters["W_2"], (2, 1)), inner, activation)
    both = ([0, 1], [0, 1])
    return [np.tensordot(d_inner, parameters["W_1"], (2, 1)), {
        "W_1": np.tensordot(X, d_inner, both), "b_1": d_inner.sum((0, 1)),
        "W_2": np.tensordot(_act(inner, activation), d_output, both), "b_2": d_output.sum((0, 1)),
    }]


layer_norm_in_float32 = in_float32(layer_norm_by_var)
layer_norm_backward_in_float32 = in_float32(layer_norm_backward_with_sums)
gelu_in_float32 = in_float32(gelu_by_a_list)
gelu_backward_in_float32 = in_float32(gelu_backward_by_parts)
feed_forward_in_float32 = in_float32(feed_forward_by_einsum)
feed_forward_backward_in_float32 = in_float32(feed_forward_backward_by_einsum)

TRIVIAL = {
    "three inputs": lambda *args: args[:3],
    "zeros like three inputs": lambda *args: tuple(np.zeros_like(a) for a in args[:3]),
    "its first input and its last": lambda *args: (args[0], args[3] if len(args) > 3 else args[1]),
}
