"""Luong's attention (Luong, Pham & Manning 2015, sections 3.1 and 3.2): the reference solutions of lab 03.

B batch, S source positions, E encoder width, D decoder width, A attention width, R words that a window reaches to
either side (the paper's D).

The solved notebook is built from the bodies of these functions, so each stands on what the notebook has:
`np`, `expect` and the exercises before it, and `masked_softmax`, which the notebook gives.
"""

import numpy as np

from coursekit.shapes import expect
from solutions.lab01_additive_attention.reference import masked_softmax


def dot_score(state, memory):
    """Score every source position by its dot product with the state: e_j = s · h_j.

    state (B, D), memory (B, S, D). Returns scores (B, S). Raises ValueError when the widths differ.
    """
    if state.shape[1] != memory.shape[2]:
        raise ValueError(f"dot_score: expected states of one width, got D = {state.shape[1]}, E = {memory.shape[2]}")
    return (memory @ state[:, :, None])[:, :, 0]  # (B, S)


def general_score(state, memory, W):
    """Score every source position through a matrix: e_j = s W h_j.

    state (B, D), memory (B, S, E), W (D, E). Returns scores (B, S). Raises ValueError when a shape does not fit.
    """
    expect(state=(state, "B D"), memory=(memory, "B S E"), W=(W, "D E"))
    query = state @ W  # (B, E), the state in the memory's width
    return (memory @ query[:, :, None])[:, :, 0]  # (B, S)


def concat_score(state, memory, W, v):
    """Score every source position by a small network on both: e_j = tanh([s ; h_j] W) · v, the state first.

    state (B, D), memory (B, S, E), W (D + E, A), v (A,). Returns scores (B, S).
    Raises ValueError when a shape does not fit.
    """
    sizes = expect(state=(state, "B D"), memory=(memory, "B S E"), W=(W, "D+E A"), v=(v, "A"))
    of_state, of_memory = W[: sizes["D"]], W[sizes["D"] :]  # (D, A), (E, A)
    query = (state @ of_state)[:, None, :]  # (B, 1, A)
    return np.tanh(query + memory @ of_memory) @ v  # (B, S)


def attentional_state(weights, state, memory, W_c):
    """Blend by the weights, and mix the context with the state that asked: tanh([c ; s] W_c), the context first.

    weights (B, S), state (B, D), memory (B, S, E), W_c (E + D, D). Returns the attentional state (B, D).
    Raises ValueError when a shape does not fit.
    """
    expect(weights=(weights, "B S"), state=(state, "B D"), memory=(memory, "B S E"), W_c=(W_c, "E+D D"))
    context = (weights[:, None, :] @ memory)[:, 0, :]  # (B, E)
    return np.tanh(np.concatenate([context, state], axis=1) @ W_c)  # (B, D)


def predicted_centre(state, mask, W_p, v_p):
    """Predict the position to look around: p = length · sigmoid(tanh(s W_p) · v_p), for each sentence its own length.

    state (B, D), mask (B, S) True where a word stands, W_p (D, A), v_p (A,). Returns centre (B,), between 0 and the
    number of words of the sentence. Raises ValueError when a shape does not fit.
    """
    expect(state=(state, "B D"), mask=(mask, "B S"), W_p=(W_p, "D A"), v_p=(v_p, "A"))
    share = 0.5 + 0.5 * np.tanh(0.5 * (np.tanh(state @ W_p) @ v_p))  # (B,), the sigmoid, without overflow
    return mask.sum(axis=1).astype(state.dtype) * share


def local_weights(scores, mask, centre, reach):
    """Weigh the words of a window: a softmax among them, times a bell curve around the centre.

    scores (B, S), mask (B, S) True where a word stands, centre (B,), reach a number R: the window holds the positions
    with |j - centre| <= R, and σ = R / 2. Returns weights (B, S): 0 outside; a row sums to less than 1, or is 0.
    Raises ValueError when a shape does not fit or R is not above 0.
    """
    sizes = expect(scores=(scores, "B S"), mask=(mask, "B S"), centre=(centre, "B"))
    if not reach > 0:
        raise ValueError(f"reach: expected a number above 0, got {reach}")
    offset = np.arange(sizes["S"], dtype=scores.dtype) - centre[:, None]  # (B, S)
    within = masked_softmax(scores, mask & (np.abs(offset) <= reach))  # (B, S)
    return within * np.exp(-2 * (offset / reach) ** 2)  # exp(-offset² / (2 σ²)), not normalised again
