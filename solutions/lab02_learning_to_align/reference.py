"""The gradients of additive attention (Bahdanau, Cho & Bengio 2015, section 3.1): the reference solutions of lab 02.

B batch, S source positions, T target positions, E encoder width, D decoder width, A attention width.
`d_name` is the gradient of the loss in `name`, and has its shape.

The solved notebook is built from the bodies of these functions, so each stands on what the notebook has:
`np`, `expect` and the exercises before it.
"""

import numpy as np

from coursekit.shapes import expect


def context_backward(d_context, weights, memory):
    """Back through the blend c = Σ_j α_j h_j of every sentence.

    d_context (B, E), weights (B, S), memory (B, S, E). Returns d_weights (B, S) and d_memory (B, S, E).
    Raises ValueError when a shape does not fit.
    """
    expect(memory=(memory, "B S E"), weights=(weights, "B S"), d_context=(d_context, "B E"))
    d_weights = (memory @ d_context[:, :, None])[:, :, 0]  # (B, S)
    d_memory = weights[:, :, None] * d_context[:, None, :]  # (B, S, E)
    return d_weights, d_memory


def softmax_backward(weights, d_weights):
    """Back through a masked softmax over the last axis, from nothing but its result.

    weights (..., S), exactly 0 where hidden, and d_weights (..., S). Returns d_scores (..., S): a row sums to 0.
    Raises ValueError when the shapes differ.
    """
    if np.shape(weights) != np.shape(d_weights):
        raise ValueError(f"d_weights: expected the shape of weights {weights.shape}, got {d_weights.shape}")
    average = (weights * d_weights).sum(axis=-1, keepdims=True)  # (..., 1)
    return weights * (d_weights - average)


def scores_backward(d_scores, query, keys, v):
    """Back through the scores e_j = tanh(q + k_j) v of every sentence.

    d_scores (B, S), query (B, A), keys (B, S, A), v (A,). Returns d_query (B, A), d_keys (B, S, A) and d_v (A,).
    Raises ValueError when a shape does not fit.
    """
    expect(keys=(keys, "B S A"), d_scores=(d_scores, "B S"), query=(query, "B A"), v=(v, "A"))
    features = np.tanh(query[:, None, :] + keys)  # (B, S, A)
    d_keys = d_scores[:, :, None] * v * (1 - features**2)  # (B, S, A)
    d_v = (d_scores[:, :, None] * features).sum(axis=(0, 1))  # (A,)
    return d_keys.sum(axis=1), d_keys, d_v


def attend_backward(d_context, query, keys, memory, weights, v):
    """Back through one step of attention, from the context to the query, the keys and v.

    d_context (B, E), query (B, A), keys (B, S, A), memory (B, S, E), weights (B, S), v (A,).
    Returns d_query (B, A), d_keys (B, S, A) and d_v (A,). Raises ValueError when a shape does not fit.
    """
    d_weights, _ = context_backward(d_context, weights, memory)  # (B, S)
    d_scores = softmax_backward(weights, d_weights)  # (B, S)
    return scores_backward(d_scores, query, keys, v)


def steps_backward(states, memory, weights, d_contexts, d_queries, d_keys, U):
    """Collect from all T steps what serves every step: W, U, and the memory as values and as keys.

    states (B, T, D), memory (B, S, E), weights (B, T, S), d_contexts (B, T, E), d_queries (B, T, A),
    d_keys (B, T, S, A), U (E, A). Returns d_W (D, A), d_U (E, A) and d_memory (B, S, E).
    Raises ValueError when a shape does not fit.
    """
    expect(
        states=(states, "B T D"),
        memory=(memory, "B S E"),
        weights=(weights, "B T S"),
        d_contexts=(d_contexts, "B T E"),
        d_queries=(d_queries, "B T A"),
        d_keys=(d_keys, "B T S A"),
        U=(U, "E A"),
    )
    d_keys_of_all = d_keys.sum(axis=1)  # (B, S, A), the keys served every step
    d_W = np.tensordot(states, d_queries, axes=[(0, 1), (0, 1)])  # (D, A)
    d_U = np.tensordot(memory, d_keys_of_all, axes=[(0, 1), (0, 1)])  # (E, A)
    d_memory = weights.transpose(0, 2, 1) @ d_contexts + d_keys_of_all @ U.T  # (B, S, E)
    return d_W, d_U, d_memory
