"""A Transformer's block in both orders, forward and backward: the reference solutions of lab 09.

Vaswani et al. (2017), sections 3.1 and 5.4, for post-LN; Xiong et al. (2020) for both orders and their names.
B batch, T positions, M the width of a token (d_model), F that of the inner layer (d_ff), h heads. A block's parameters
are a dictionary of W_Q, W_K, W_V, W_O (no biases), W_1, b_1, W_2, b_2, and gamma_1, beta_1, gamma_2, beta_2.

The solved notebook is built from the bodies of the last four functions, which stand on what the notebook gives: the
attention of lab 06 and the layers of lab 08.
"""

import math

import numpy as np

from solutions.lab08_layers.reference import (
    feed_forward,
    feed_forward_backward,
    layer_norm,
    layer_norm_backward,
)


def multi_head_attention(X, memory, parameters, heads, mask=None):
    """As in lab 06. X (B, T, M), memory (B, S, M). Returns output (B, T, M) and weights (B, h, T, S)."""
    queries, keys, values = _looks(X, memory, parameters, heads)
    energy = np.einsum("bthd,bshd->bhts", queries, keys) / math.sqrt(queries.shape[-1])
    may = np.ones(energy.shape, bool) if mask is None else np.broadcast_to(mask[..., None, :, :], energy.shape)
    powers = np.exp(energy - np.where(may, energy, -1e30).max(axis=-1, keepdims=True), where=may, out=0 * energy)
    weights = powers / np.maximum(powers.sum(axis=-1, keepdims=True), np.finfo(powers.dtype).tiny)
    return np.einsum("bhts,bshd->bthd", weights, values).reshape(*X.shape[:2], -1) @ parameters["W_O"], weights


def multi_head_attention_backward(d_output, X, memory, parameters, heads, weights):
    """As in lab 06. Returns d_X, d_memory and the gradients of W_Q, W_K, W_V, W_O."""
    queries, keys, values = _looks(X, memory, parameters, heads)
    root, found = math.sqrt(queries.shape[-1]), np.einsum("bhts,bshd->bthd", weights, values)
    d_found = (d_output @ parameters["W_O"].T).reshape(found.shape)
    d_weights = np.einsum("bthd,bshd->bhts", d_found, values)
    d_energy = weights * (d_weights - (weights * d_weights).sum(axis=-1, keepdims=True)) / root
    pairs = {"W_Q": (X, np.einsum("bhts,bshd->bthd", d_energy, keys)),
             "W_K": (memory, np.einsum("bhts,bthd->bshd", d_energy, queries)),
             "W_V": (memory, np.einsum("bhts,bthd->bshd", weights, d_found)), "W_O": (found, d_output)}
    pairs = {name: (_flat_heads(x), _flat_heads(d)) for name, (x, d) in pairs.items()}
    back = {name: d @ parameters[name].T for name, (_, d) in pairs.items()}
    gradients = {name: np.tensordot(x, d, ([0, 1], [0, 1])) for name, (x, d) in pairs.items()}
    return back["W_Q"], back["W_K"] + back["W_V"], gradients


def _looks(X, memory, parameters, heads):
    """Queries, keys and values, (B, length, h, d) each."""
    made = (X @ parameters["W_Q"], memory @ parameters["W_K"], memory @ parameters["W_V"])
    return [x.reshape(*x.shape[:2], heads, -1) for x in made]


def _flat_heads(x):
    return x.reshape(*x.shape[:2], -1)


def pre_ln_block(X, parameters, heads, mask=None):
    """Two sublayers that each read a normalised copy of the stream and add to it: x + f(LN(x)).

    X (B, T, M), mask None or what `multi_head_attention` takes. Returns output (B, T, M) and a trace for the way back:
    read_1, x_hat_1, read_2, x_hat_2 (B, T, M), std_1, std_2 (B, T, 1), weights (B, h, T, T), inner (B, T, F).
    """
    read_1, x_hat_1, std_1 = layer_norm(X, parameters["gamma_1"], parameters["beta_1"])
    found, weights = multi_head_attention(read_1, read_1, parameters, heads, mask)
    middle = X + found  # (B, T, M)
    read_2, x_hat_2, std_2 = layer_norm(middle, parameters["gamma_2"], parameters["beta_2"])
    made, inner = feed_forward(read_2, parameters)
    trace = {"read_1": read_1, "x_hat_1": x_hat_1, "std_1": std_1, "weights": weights,
             "read_2": read_2, "x_hat_2": x_hat_2, "std_2": std_2, "inner": inner}
    return middle + made, trace


def post_ln_block(X, parameters, heads, mask=None):
    """Two sublayers that each read the stream, add to it, and normalise the sum: LN(x + f(x)).

    Arguments and results as of `pre_ln_block`.
    """
    found, weights = multi_head_attention(X, X, parameters, heads, mask)
    read_2, x_hat_1, std_1 = layer_norm(X + found, parameters["gamma_1"], parameters["beta_1"])
    made, inner = feed_forward(read_2, parameters)
    output, x_hat_2, std_2 = layer_norm(read_2 + made, parameters["gamma_2"], parameters["beta_2"])
    trace = {"read_1": X, "x_hat_1": x_hat_1, "std_1": std_1, "weights": weights,
             "read_2": read_2, "x_hat_2": x_hat_2, "std_2": std_2, "inner": inner}
    return output, trace


def pre_ln_block_backward(d_output, trace, parameters, heads):
    """The way back through `pre_ln_block`.

    d_output (B, T, M), trace from the way forward. Returns d_X (B, T, M) and the gradients of all twelve parameters,
    a dictionary of their names.
    """
    d_read_2, gradients = feed_forward_backward(d_output, trace["read_2"], trace["inner"], parameters)
    d_stream, d_gamma_2, d_beta_2 = layer_norm_backward(
        d_read_2, trace["x_hat_2"], trace["std_2"], parameters["gamma_2"])
    d_middle = d_output + d_stream  # the residual's part, and the sublayer's
    d_asks, d_seen, of_attention = multi_head_attention_backward(
        d_middle, trace["read_1"], trace["read_1"], parameters, heads, trace["weights"])
    d_stream, d_gamma_1, d_beta_1 = layer_norm_backward(
        d_asks + d_seen, trace["x_hat_1"], trace["std_1"], parameters["gamma_1"])
    norms = {"gamma_1": d_gamma_1, "beta_1": d_beta_1, "gamma_2": d_gamma_2, "beta_2": d_beta_2}
    return d_middle + d_stream, {**of_attention, **gradients, **norms}


def post_ln_block_backward(d_output, trace, parameters, heads):
    """The way back through `post_ln_block`. Arguments and results as of `pre_ln_block_backward`."""
    d_sum, d_gamma_2, d_beta_2 = layer_norm_backward(
        d_output, trace["x_hat_2"], trace["std_2"], parameters["gamma_2"])
    d_read_2, gradients = feed_forward_backward(d_sum, trace["read_2"], trace["inner"], parameters)
    d_middle, d_gamma_1, d_beta_1 = layer_norm_backward(
        d_sum + d_read_2, trace["x_hat_1"], trace["std_1"], parameters["gamma_1"])
    d_asks, d_seen, of_attention = multi_head_attention_backward(
        d_middle, trace["read_1"], trace["read_1"], parameters, heads, trace["weights"])
    norms = {"gamma_1": d_gamma_1, "beta_1": d_beta_1, "gamma_2": d_gamma_2, "beta_2": d_beta_2}
    return d_middle + d_asks + d_seen, {**of_attention, **gradients, **norms}
