"""Gated recurrent units, forward: one step, a whole sequence, and a sequence read both ways.

    r  = σ(x W_r + h U_r + b_r)                 reset: how much of the old state the candidate sees
    z  = σ(x W_z + h U_z + b_z)                 update: how much of the old state stays
    n  = tanh(x W_n + b_n + r ∘ (h U_n + c_n))  candidate
    h' = (1 - z) ∘ n + z ∘ h

This is the variant of torch.nn.GRU. In Cho et al. (2014) and in the appendix of Bahdanau et al. (2015) the reset gate
acts before the matrix product, (r ∘ h) U_n, and there are no biases; Bahdanau et al. also let z weigh the candidate,
h' = (1 - z) ∘ h + z ∘ n, which is the same unit with z and 1 - z exchanged.

B batch, S source positions, X input width, H state width; the paper's E is 2H, a state from either side.
"""

from typing import NamedTuple

import numpy as np

from coursekit.shapes import expect


class GRU(NamedTuple):
    """The parameters of one unit; the columns are those of the reset gate, the update gate and the candidate, in order.

    The biases of the gates could be one vector. The candidate's could not, since r multiplies the second.
    """

    W: np.ndarray  # (X, 3H)  from the input
    U: np.ndarray  # (H, 3H)  from the state
    b: np.ndarray  # (3H,)    added to x W
    c: np.ndarray  # (3H,)    added to h U


def gru_shapes(X, H):
    """The shapes of a unit's parameters, as a GRU of tuples."""
    return GRU(W=(X, 3 * H), U=(H, 3 * H), b=(3 * H,), c=(3 * H,))


def gru_gates(x, state, gru):
    """The reset gate, the update gate and the candidate, each (..., H), for x (..., X) and state (..., H)."""
    from_x = np.split(x @ gru.W + gru.b, 3, axis=-1)           # three of (..., H)
    from_state = np.split(state @ gru.U + gru.c, 3, axis=-1)   # three of (..., H)
    reset = sigmoid(from_x[0] + from_state[0])
    update = sigmoid(from_x[1] + from_state[1])
    candidate = np.tanh(from_x[2] + reset * from_state[2])
    return reset, update, candidate


def gru_step(x, state, gru):
    """One step: the next state (B, H), from the input x (B, X) and the state (B, H) before it."""
    expect({"X": len(gru.W), "H": len(gru.U)}, x=(x, "B X"), state=(state, "B H"))
    _, update, candidate = gru_gates(x, state, gru)
    return (1 - update) * candidate + update * state


def gru_sequence(x, mask, gru):
    """Read x (B, S, X) from left to right, starting from zeros. Returns the state after each position, (B, S, H).

    mask (B, S) is True where a real token stands: a padded position leaves the state as it was.
    Raises ValueError when a shape does not fit.
    """
    expect({"X": len(gru.W)}, x=(x, "B S X"), mask=(mask, "B S"))
    state = np.zeros((len(x), len(gru.U)), x.dtype)            # (B, H)
    states = []
    for t in range(x.shape[1]):
        state = np.where(mask[:, t, None], gru_step(x[:, t], state, gru), state)
        states.append(state)
    return np.stack(states, axis=1)                            # (B, S, H)


def bidirectional(x, mask, forward, backward):
    """Read x (B, S, X) both ways. Returns the annotations [forward h_j ; backward h_j], (B, S, 2H).

    So each annotation knows what stands before its position and what stands after it.
    """
    ahead = gru_sequence(x, mask, forward)                                # (B, S, H)
    behind = gru_sequence(x[:, ::-1], mask[:, ::-1], backward)[:, ::-1]   # (B, S, H)
    return np.concatenate([ahead, behind], axis=-1)                       # (B, S, 2H)


def sigmoid(x):
    """1 / (1 + exp(-x)), written with tanh, which cannot overflow."""
    return 0.5 + 0.5 * np.tanh(0.5 * x)
