"""Positions: sinusoids (Vaswani et al. 2017), rotary (Su et al. 2024), linear biases (Press et al. 2022). Lab 07.

B batch, T queries, S keys, h heads, d_k width of a query, d_model width of a token. Pairs are interleaved, as in the
papers: entries 0 and 1, 2 and 3, and so on. Pair r turns by 10000^(-2r/d) a position.

The solved notebook is built from the bodies of these functions, so each stands on what the notebook has: `math`, `np`
and the exercises before it.
"""

import math

import numpy as np


def sinusoids(positions, d_model):
    """Encode positions: sine and cosine side by side, pair r with the angle position · 10000^(-2r/d_model).

    positions (…) any integers, in any order. Returns (…, d_model), float64.
    Raises ValueError when d_model is odd or below 2.
    """
    if d_model < 2 or d_model % 2:
        raise ValueError(f"d_model: expected a positive even number, got {d_model}")
    frequencies = 10000.0 ** (-np.arange(0, d_model, 2) / d_model)  # (d_model / 2,)
    angles = np.asarray(positions)[..., None] * frequencies  # (…, d_model / 2)
    return np.stack([np.sin(angles), np.cos(angles)], axis=-1).reshape(*angles.shape[:-1], d_model)


def rotate(x, positions):
    """Turn each interleaved pair of x by the angle that its position gives: position · 10000^(-2r/d) for pair r.

    x (…, T, d), positions (T,) or any integers that broadcast to x.shape[:-1], such as (B, 1, T).
    Returns (…, T, d), of x's dtype. Raises ValueError when d is odd.
    """
    d = x.shape[-1]
    if d % 2:
        raise ValueError(f"x: expected an even width, got {d}")
    angles = np.asarray(positions)[..., None] * 10000.0 ** (-np.arange(0, d, 2) / d)  # (…, T, d / 2)
    cos, sin = np.cos(angles).astype(x.dtype), np.sin(angles).astype(x.dtype)
    first, second = x[..., 0::2], x[..., 1::2]  # (…, T, d / 2)
    turned = np.stack([first * cos - second * sin, first * sin + second * cos], axis=-1)
    return turned.reshape(x.shape)


def rotate_backward(d_rotated, positions):
    """Take a gradient back through `rotate`: the transpose of a rotation turns by the opposite angle.

    d_rotated (…, T, d), positions as for `rotate`. Returns d_x (…, T, d).
    """
    return rotate(d_rotated, -np.asarray(positions))


def rotary_scores(Q, K, past=0):
    """Scaled scores of rotated queries and keys: key j stands at position j, query i at position past + i.

    Q (…, T, d_k), K (…, S, d_k), past: how many tokens were there before the first query. Returns (…, T, S).
    """
    T, S = Q.shape[-2], K.shape[-2]
    queries, keys = rotate(Q, past + np.arange(T)), rotate(K, np.arange(S))  # (…, T, d_k), (…, S, d_k)
    return queries @ keys.swapaxes(-1, -2) / math.sqrt(Q.shape[-1])


def to_half_split(W, heads):
    """Reorder the columns of W_Q or W_K from interleaved pairs to half-split ones: in each head 0, 2, 4, …, 1, 3, 5, ….

    W (d_model, h·d_k). Returns (d_model, h·d_k). Raises ValueError when the columns are not h heads of even width.
    """
    columns = W.shape[-1]
    if columns % (2 * heads):
        raise ValueError(f"W: expected {heads} heads of one even width, got {columns} columns")
    pairs = W.reshape(-1, heads, columns // heads // 2, 2)  # (d_model, h, d_k / 2, 2)
    return pairs.swapaxes(-1, -2).reshape(W.shape)


def alibi_slopes(heads):
    """The slope of each head. For a power of two, 2^(-8n/h) with n = 1 … h; for other numbers, the slopes of the
    largest power of two below, and then every other slope of twice that power, from the first.

    Returns (h,), float64. Raises ValueError when heads is below 1.
    """
    if heads < 1:
        raise ValueError(f"heads: expected at least 1, got {heads}")
    power = 2 ** (int(heads).bit_length() - 1)  # the largest power of two up to heads
    slopes = 2.0 ** (-8 * np.arange(1, power + 1) / power)
    between = 2.0 ** (-4 * np.arange(1, 2 * power, 2) / power)  # steps 1, 3, 5, … of twice as many
    return np.concatenate([slopes, between[: heads - power]])


def alibi_bias(slopes, T, S, past=0):
    """What is added to the scores: minus slope times distance for keys that came before, 0 for those still to come.

    slopes (h,); key j stands at position j, query i at position past + i. Returns (h, T, S).
    """
    offset = np.arange(S) - (past + np.arange(T)[:, None])  # (T, S), below 0 where the key came before
    return slopes[:, None, None] * np.minimum(offset, 0)
