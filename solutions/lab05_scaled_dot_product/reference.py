"""Scaled dot-product attention (Vaswani et al. 2017, section 3.2.1), masks, gradients: reference solutions of lab 05.

B batch, T positions that ask, S positions that are looked at, d_k width of queries and keys, d_v width of values.
`...` stands for any leading axes, none included. A mask is boolean, True = may look. `d_name` is the gradient of the
loss in `name`, and has its shape.

The solved notebook is built from the bodies of these functions, so each stands on what the notebook has:
`np` and the exercises before it.
"""

import numpy as np


def scaled_scores(Q, K):
    """Score every key for every query: q_i · k_j / √d_k.

    Q (..., T, d_k), K (..., S, d_k); leading axes broadcast. Returns scores (..., T, S), of the type of Q and K.
    Raises ValueError when the widths differ.
    """
    if Q.shape[-1] != K.shape[-1]:
        raise ValueError(f"K: expected the width of Q, d_k = {Q.shape[-1]}, got {K.shape[-1]}")
    root = Q.shape[-1] ** 0.5  # a Python float, which leaves float32 alone; np.sqrt gives a float64
    return (Q / root) @ np.swapaxes(K, -1, -2)  # (..., T, S)


def causal_mask(T, S, past=0):
    """Let each of T queries look at the keys up to its own place.

    T queries stand behind `past` earlier tokens, so query i stands at position past + i. Returns a boolean mask (T, S),
    True where the key's position is at most the query's.
    """
    place = past + np.arange(T)  # (T,)
    return np.arange(S) <= place[:, np.newaxis]  # (T, S)


def padding_mask(lengths, S):
    """Let everyone look at a sentence's own tokens, and at none of its padding.

    lengths (B,) whole numbers from 0 to S. Returns a boolean mask (B, 1, S): the axis of length 1 stands for all
    queries. Raises ValueError for a length outside of 0 to S.
    """
    lengths = np.asarray(lengths)  # (B,)
    if lengths.size and (lengths.min() < 0 or lengths.max() > S):
        raise ValueError(f"lengths: expected numbers from 0 to S = {S}, got {lengths.min()} to {lengths.max()}")
    return np.arange(S) < lengths[:, np.newaxis, np.newaxis]  # (B, 1, S)


def scaled_dot_product_attention(Q, K, V, mask=None):
    """Blend the values for every query, by the softmax of its scaled scores among the keys that it may look at.

    Q (..., T, d_k), K (..., S, d_k), V (..., S, d_v), mask boolean, broadcast to (..., T, S), True = may look, or None.
    Returns output (..., T, d_v) and weights (..., T, S); a row that may look nowhere is 0 in both.
    Raises ValueError when the mask is not boolean, or a shape does not fit.
    """
    if mask is not None and mask.dtype != bool:
        raise ValueError(f"mask: expected bool, True = may look, got {mask.dtype}")
    scores = scaled_scores(Q, K)  # (..., T, S)
    visible = scores if mask is None else np.where(mask, scores, -np.inf)
    highest = np.max(visible, axis=-1, keepdims=True, initial=np.finfo(scores.dtype).min)  # (..., T, 1), finite
    powers = np.exp(visible - highest)  # exp(-inf) is 0
    totals = powers.sum(axis=-1, keepdims=True)
    weights = powers / np.where(totals > 0, totals, 1)  # (..., T, S)
    return weights @ V, weights


def scaled_dot_product_attention_backward(d_output, Q, K, V, weights):
    """Back through the blend, the softmax and the scaled scores, from nothing but inputs and weights.

    d_output (..., T, d_v), Q (..., T, d_k), K (..., S, d_k), V (..., S, d_v), weights (..., T, S), 0 where hidden;
    the leading axes are the same in all five. Returns d_Q, d_K and d_V, each of its array's shape.
    Raises ValueError when a shape does not fit.
    """
    leading = Q.shape[:-2]
    for name, array in {"d_output": d_output, "K": K, "V": V, "weights": weights}.items():
        if array.shape[:-2] != leading:
            raise ValueError(f"{name}: expected the leading axes of Q, {leading}, got {array.shape[:-2]}")
    d_weights = d_output @ np.swapaxes(V, -1, -2)  # (..., T, S)
    mean = np.sum(weights * d_weights, axis=-1, keepdims=True)  # (..., T, 1)
    d_scores = weights * (d_weights - mean) / Q.shape[-1] ** 0.5  # of the products, before the root
    d_K, d_V = (np.swapaxes(each, -1, -2) @ of for each, of in ((d_scores, Q), (weights, d_output)))
    return d_scores @ K, d_K, d_V
