"""Additive attention (Bahdanau, Cho & Bengio 2015, section 3.1): the reference solutions of lab 01.

B batch, S source positions, E encoder width, D decoder width, A attention width.

The solved notebook is built from the bodies of these functions, so each stands on what the notebook has:
`np`, `expect` and the exercises before it.
"""

import numpy as np

from coursekit.shapes import expect


def softmax(x, axis=0):
    """Turn scores of any size into weights that are positive and sum to 1 along `axis`.

    x any shape. Returns the same shape.
    """
    exponentials = np.exp(x - np.max(x, axis=axis, keepdims=True))  # the largest exponent is 0: no overflow
    return exponentials / exponentials.sum(axis=axis, keepdims=True)


def alignment(encoder_states, decoder_state, layer_1, layer_2):
    """Score every source position against what the decoder asks with: e_j = tanh([h_j; s] layer_1) layer_2.

    encoder_states (S, E), decoder_state (1, D), layer_1 (E + D, A), layer_2 (A, 1). Returns scores (S, 1).
    Raises ValueError when a shape does not fit.
    """
    sizes = expect(
        encoder_states=(encoder_states, "S E"),
        decoder_state=(decoder_state, "1 D"),
        layer_1=(layer_1, "E+D A"),
        layer_2=(layer_2, "A 1"),
    )
    queries = np.repeat(decoder_state, sizes["S"], axis=0)  # (S, D)
    pairs = np.concatenate([encoder_states, queries], axis=1)  # (S, E + D)
    return np.tanh(pairs @ layer_1) @ layer_2  # (S, 1)


def attention(encoder_states, decoder_state, layer_1, layer_2):
    """Blend the encoder states, each weighted by the softmax of its score.

    Shapes as for `alignment`. Returns the context vector (E,).
    """
    weights = softmax(alignment(encoder_states, decoder_state, layer_1, layer_2), axis=0)  # (S, 1)
    return (weights * encoder_states).sum(axis=0)  # (E,)


def masked_softmax(scores, mask):
    """Softmax over the last axis, among the positions that may be looked at.

    scores (..., S), mask (..., S) boolean, True where one may look. Returns weights (..., S): exactly 0 where the mask
    is False; a row that may look nowhere is all 0. Raises ValueError when the mask is not boolean or of another shape.
    """
    if mask.dtype != bool or mask.shape != scores.shape:
        raise ValueError(f"mask: expected bool of shape {scores.shape}, got {mask.dtype} of shape {mask.shape}")
    peak = np.max(scores, axis=-1, keepdims=True, where=mask, initial=-np.inf)  # (..., 1)
    weights = np.exp(np.where(mask, scores - peak, -np.inf))  # (..., S), exp(-inf) is 0
    total = weights.sum(axis=-1, keepdims=True)  # (..., 1)
    return weights / np.where(total == 0, 1, total)


def additive_attention(state, memory, mask, W, U, v):
    """Look at every source position of every sentence and return one weighted average for each.

    state (B, D), memory (B, S, E), mask (B, S) True where a token stands, W (D, A), U (E, A), v (A,).
    Returns context (B, E) and weights (B, S). Raises ValueError when a shape does not fit.
    """
    expect(
        state=(state, "B D"),
        memory=(memory, "B S E"),
        mask=(mask, "B S"),
        W=(W, "D A"),
        U=(U, "E A"),
        v=(v, "A"),
    )
    query = (state @ W)[:, None, :]  # (B, 1, A)
    scores = np.tanh(query + memory @ U) @ v  # (B, S)
    weights = masked_softmax(scores, mask)  # (B, S)
    context = (weights[:, None, :] @ memory)[:, 0, :]  # (B, E)
    return context, weights
