"""Layer normalisation, GELU and the feed-forward layer, with their gradients: the reference solutions of lab 08.

Ba, Kiros & Hinton (2016); Hendrycks & Gimpel (2016); Vaswani et al. (2017), section 3.3.
B batch, T positions, M the width of a token (d_model), F that of the inner layer (d_ff). Tokens stand in rows.

The solved notebook is built from the bodies of these functions, so each stands on what the notebook has: `np`,
`expect`, `erf`, which the notebook gives, and the exercises before it.
"""

import math

import numpy as np

from coursekit.shapes import expect


def erf(x):
    """The error function, entry by entry, in the dtype of x."""
    return np.vectorize(math.erf, otypes=[x.dtype])(x)


def layer_norm(x, gamma, beta, eps=1e-5):
    """Bring every row to mean 0 and variance 1, then give it a learned scale and place: gamma x̂ + beta.

    x (..., M), gamma (M,), beta (M,), eps is added to the variance, inside the root. Returns output (..., M),
    x_hat (..., M) and std (..., 1). Raises ValueError when a shape does not fit.
    """
    expect({"M": x.shape[-1]}, gamma=(gamma, "M"), beta=(beta, "M"))
    deviation = x - x.mean(axis=-1, keepdims=True)  # (..., M)
    std = np.sqrt((deviation**2).mean(axis=-1, keepdims=True) + eps)  # (..., 1), the biased variance
    x_hat = deviation / std
    return gamma * x_hat + beta, x_hat, std


def layer_norm_backward(d_output, x_hat, std, gamma):
    """The way back through `layer_norm`: what is left of a gradient that can neither shift nor stretch a row.

    d_output (..., M), x_hat (..., M), std (..., 1), gamma (M,). Returns d_x (..., M), d_gamma (M,), d_beta (M,).
    """
    d_x_hat = d_output * gamma  # (..., M)
    shift = d_x_hat.mean(axis=-1, keepdims=True)
    stretch = (d_x_hat * x_hat).mean(axis=-1, keepdims=True)
    rows = tuple(range(x_hat.ndim - 1))  # all axes but the last
    return (d_x_hat - shift - x_hat * stretch) / std, (d_output * x_hat).sum(axis=rows), d_output.sum(axis=rows)


def gelu(x, form="erf"):
    """x times the probability that a standard normal number is below x, exactly ("erf") or nearly ("tanh").

    x any shape. Returns the same shape. Raises ValueError for another form.
    """
    if form == "erf":
        return x * (0.5 + 0.5 * erf(x / 2**0.5))
    if form == "tanh":
        return 0.5 * x * (1 + np.tanh((2 / np.pi) ** 0.5 * (x + 0.044715 * x**3)))
    raise ValueError(f"form: expected 'erf' or 'tanh', got {form!r}")


def gelu_backward(d_output, x, form="erf"):
    """The way back through `gelu`: d_output times its slope at x.

    d_output and x of one shape. Returns that shape. Raises ValueError for another form.
    """
    if form == "erf":
        density = np.exp(-0.5 * x**2) / (2 * np.pi) ** 0.5
        return d_output * (0.5 + 0.5 * erf(x / 2**0.5) + x * density)
    if form == "tanh":
        t = np.tanh((2 / np.pi) ** 0.5 * (x + 0.044715 * x**3))
        d_inner = (2 / np.pi) ** 0.5 * (1 + 3 * 0.044715 * x**2)
        return d_output * 0.5 * (1 + t + x * (1 - t**2) * d_inner)
    raise ValueError(f"form: expected 'erf' or 'tanh', got {form!r}")


def feed_forward(X, parameters, activation="relu"):
    """Send every token through two layers of its own: activation(X W_1 + b_1) W_2 + b_2.

    X (B, T, M), parameters a dictionary of W_1 (M, F), b_1 (F,), W_2 (F, M), b_2 (M,); activation "relu", or a form
    of `gelu`. Returns output (B, T, M) and inner (B, T, F), before the activation. Raises ValueError for what does not
    fit.
    """
    W_1, b_1, W_2, b_2 = (parameters[name] for name in ("W_1", "b_1", "W_2", "b_2"))
    expect(X=(X, "B T M"), W_1=(W_1, "M F"), b_1=(b_1, "F"), W_2=(W_2, "F M"), b_2=(b_2, "M"))
    inner = X @ W_1 + b_1  # (B, T, F)
    active = np.maximum(inner, 0) if activation == "relu" else gelu(inner, activation)
    return active @ W_2 + b_2, inner


def feed_forward_backward(d_output, X, inner, parameters, activation="relu"):
    """The way back through `feed_forward`.

    d_output (B, T, M), X (B, T, M), inner (B, T, F) from the way forward. Returns d_X (B, T, M) and the gradients of
    W_1, b_1, W_2, b_2, a dictionary of these names. The slope of ReLU at 0 is taken as 0.
    """
    d_active = d_output @ parameters["W_2"].T  # (B, T, F)
    if activation == "relu":
        active, d_inner = np.maximum(inner, 0), d_active * (inner > 0)
    else:
        active, d_inner = gelu(inner, activation), gelu_backward(d_active, inner, activation)
    met = {"1": (X, d_inner), "2": (active, d_output)}
    gradients = {f"W_{n}": x.reshape(-1, x.shape[-1]).T @ d.reshape(-1, d.shape[-1]) for n, (x, d) in met.items()}
    gradients |= {f"b_{n}": d.sum(axis=(0, 1)) for n, (_, d) in met.items()}
    return d_inner @ parameters["W_1"].T, gradients
