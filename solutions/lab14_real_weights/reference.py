"""The parts of a Llama-like decoder, the mean over tokens, and low-rank adaptation: the reference solutions of lab 14.

    RMSNorm             (Zhang & Sennrich 2019)
    SwiGLU              (Shazeer 2020)
    grouped queries     (Ainslie et al. 2023; with one group: Shazeer 2019)
    LoRA                (Hu et al. 2021)

B batch, T positions that ask, S that are looked at, M the width of a token (d_model), F that of the inner layer (d_ff),
H heads of queries, G groups of keys and values, d and e the widths of a key and of a value; n, m the sides of a matrix,
r the rank of what is added to it. `...` stands for any axes in front, none included.

The solved notebook is built from the bodies of these functions, so each stands on what the notebook has: `np` and
`expect`.
"""

import numpy as np

from coursekit.shapes import expect


def rms_norm(x, gamma, eps=1e-5):
    """Divide every row by its root mean square, then give it a learned scale.

    x (..., M), gamma (M,); eps is added to the mean of the squares, inside the root. Returns (..., M), the output
    alone. Raises ValueError when a shape does not fit.
    """
    expect({"M": x.shape[-1]}, gamma=(gamma, "M"))
    return gamma * (x / np.sqrt((x**2).mean(axis=-1, keepdims=True) + eps))


def rms_norm_backward(d_output, x, gamma, eps=1e-5):
    """The way back through `rms_norm`: what is left of a gradient that cannot stretch a row.

    d_output and x (..., M), gamma (M,). Returns d_x (..., M) and d_gamma (M,). Raises ValueError when a shape does not
    fit.
    """
    expect({"M": x.shape[-1]}, gamma=(gamma, "M"))
    rms = np.sqrt((x**2).mean(axis=-1, keepdims=True) + eps)  # (..., 1)
    x_hat, d_x_hat = x / rms, d_output * gamma
    stretch = (d_x_hat * x_hat).mean(axis=-1, keepdims=True)
    return (d_x_hat - x_hat * stretch) / rms, (d_output * x_hat).sum(axis=tuple(range(x.ndim - 1)))


def swiglu(x, W_1, W_3, W_2):
    """Send every token through a feed-forward layer with a gate: (silu(x W_1) ∘ x W_3) W_2, where silu(a) is a σ(a).

    x (..., M), W_1 and W_3 (M, F), W_2 (F, M). Returns (..., M). Raises ValueError when a shape does not fit.
    """
    expect({"M": x.shape[-1]}, W_1=(W_1, "M F"), W_3=(W_3, "M F"), W_2=(W_2, "F M"))
    gate = x @ W_1  # (..., F)
    power = np.exp(-np.abs(gate))  # of at most 1, so that nothing overflows
    sigmoid = np.where(gate < 0, power, 1) / (1 + power)
    return (gate * sigmoid * (x @ W_3)) @ W_2


def grouped_attention(Q, K, V, mask=None, softcap=None):
    """Let every head of queries look at the keys and values of its group: head n at those of group n // (H / G).

    Q (..., H, T, d), K (..., G, S, d), V (..., G, S, e), the same axes in front; mask broadcast to (..., H, T, S):
    boolean, True = may look, or numbers that are added to the scores. Scores are scaled by the root of d, then capped,
    softcap · tanh(scores / softcap), then masked.
    Returns output (..., H, T, e) and weights (..., H, T, S), 0 in a row where every key is hidden, by False or by -inf.
    Raises ValueError where G does not divide H, and when a shape does not fit.
    """
    H, G = Q.shape[-3], K.shape[-3]
    if H % G:
        raise ValueError(f"K: expected a number of groups that divides the {H} heads of Q, got {G}")
    keys, values = np.repeat(K, H // G, axis=-3), np.repeat(V, H // G, axis=-3)  # (..., H, S, ·)
    scores = Q @ np.swapaxes(keys, -1, -2) / Q.shape[-1] ** 0.5  # (..., H, T, S)
    if softcap is not None:
        scores = softcap * np.tanh(scores / softcap)
    if mask is not None:
        scores = np.where(mask, scores, -np.inf) if mask.dtype == bool else scores + mask
    highest = np.max(scores, axis=-1, keepdims=True, initial=np.finfo(scores.dtype).min)  # finite
    powers = np.exp(scores - highest)  # exp(-inf) is 0
    total = powers.sum(axis=-1, keepdims=True)
    weights = powers / np.where(total > 0, total, 1)
    return weights @ values, weights


def mean_pool(hidden, mask):
    """The mean of each sentence's real tokens, one vector for a sentence.

    hidden (B, T, M); mask (B, T), True where a real token stands. Returns (B, M), 0 for a sentence without any.
    Raises ValueError when a shape does not fit.
    """
    expect(hidden=(hidden, "B T M"), mask=(mask, "B T"))
    count = np.maximum(mask.sum(axis=1, keepdims=True), 1).astype(hidden.dtype)  # (B, 1)
    return np.where(mask[..., None], hidden, 0).sum(axis=1) / count


def lora(x, W, A, B, alpha):
    """Multiply by a matrix that is left as it is and by a correction of low rank: x W + (alpha / r) (x A) B.

    x (..., n), W (n, m), A (n, r), B (r, m). Returns (..., m). Raises ValueError when a shape does not fit.
    """
    r = expect({"n": x.shape[-1]}, W=(W, "n m"), A=(A, "n r"), B=(B, "r m"))["r"]
    return x @ W + alpha / r * (x @ A @ B)


def lora_backward(d_output, x, W, A, B, alpha):
    """The way back through `lora`. W is frozen: it has no gradient here, but x has one through it.

    d_output (..., m), x (..., n), W (n, m), A (n, r), B (r, m). Returns d_x (..., n), d_A (n, r) and d_B (r, m).
    Raises ValueError when a shape does not fit.
    """
    sizes = expect({"n": x.shape[-1], "m": d_output.shape[-1]}, W=(W, "n m"), A=(A, "n r"), B=(B, "r m"))
    scale, d_low = alpha / sizes["r"], d_output @ B.T  # d_low (..., r)
    rows, d_rows = x.reshape(-1, sizes["n"]), d_output.reshape(-1, sizes["m"])
    d_A = scale * rows.T @ d_low.reshape(-1, sizes["r"])
    d_B = scale * (rows @ A).T @ d_rows
    return d_output @ W.T + scale * (d_low @ A.T), d_A, d_B
