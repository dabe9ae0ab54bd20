"""Gated recurrent units: one step, a whole sequence, a sequence read both ways; and the way back through each.

    r  = σ(x W_r + h U_r + b_r)                 reset: how much of the old state the candidate sees
    z  = σ(x W_z + h U_z + b_z)                 update: how much of the old state stays
    n  = tanh(x W_n + b_n + r ∘ (h U_n + c_n))  candidate
    h' = (1 - z) ∘ n + z ∘ h

This is the variant of torch.nn.GRU. In Cho et al. (2014) and in the appendix of Bahdanau et al. (2015) the reset gate
acts before the matrix product, (r ∘ h) U_n, and there are no biases; Bahdanau et al. also let z weigh the candidate,
h' = (1 - z) ∘ h + z ∘ n, which is the same unit with z and 1 - z exchanged.

Beside each function stands its `_backward`: it takes the gradient of a loss in what the function returned, and what
the function was given; it computes the gates anew instead of having kept them; and it returns the gradients in what
was given. `d_name` is the gradient of the loss in `name`, and has its shape. The gradient of a GRU is a GRU.

B batch, S source positions, X input width, H state width; the paper's E is 2H, a state from either side.
"""

from typing import NamedTuple

import numpy as np

from coursekit.layers.basics import outer, sigmoid
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


class Gates(NamedTuple):
    """Gradients in the two sums that the gates and the candidate are made of: one step's, or those of all steps.

    They differ in the candidate's columns alone, where r multiplies the second sum. The rest of the way is linear:
    d_x is from_x @ gru.W.T, and `gru_parameters_backward` has the parameters.
    """

    from_x: np.ndarray  # (B, 3H), or (B, S, 3H): in x W + b
    from_state: np.ndarray  # the same shape: in h U + c


def gru_step_backward(d_new, x, state, gru):
    """Back through `gru_step(x, state, gru)`: from d_new (B, H), in the next state, to d_state (B, H) and Gates."""
    H = len(gru.U)
    expect({"X": len(gru.W), "H": H}, d_new=(d_new, "B H"), x=(x, "B X"), state=(state, "B H"))
    reset, update, candidate = gru_gates(x, state, gru)
    seen = state @ gru.U[:, 2 * H :] + gru.c[2 * H :]                     # (B, H), what the reset gate multiplies
    d_candidate = d_new * (1 - update) * (1 - candidate**2)               # before the tanh
    d_update = d_new * (state - candidate) * update * (1 - update)        # before the sigmoid, as the next
    d_reset = d_candidate * seen * reset * (1 - reset)
    from_x = np.concatenate([d_reset, d_update, d_candidate], axis=-1)    # (B, 3H)
    from_state = np.concatenate([d_reset, d_update, d_candidate * reset], axis=-1)
    return d_new * update + from_state @ gru.U.T, Gates(from_x, from_state)


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


def gru_sequence_backward(d_states, x, states, mask, gru):
    """Back through `states = gru_sequence(x, mask, gru)`, from the last position to the first.

    d_states (B, S, H) is the gradient in the state after each position by every way except the next state.
    Returns d_x (B, S, X) and the gradient of the parameters, a GRU. Raises ValueError when a shape does not fit.
    """
    sizes = {"X": len(gru.W), "H": len(gru.U)}
    expect(sizes, d_states=(d_states, "B S H"), x=(x, "B S X"), states=(states, "B S H"), mask=(mask, "B S"))
    before = np.concatenate([np.zeros_like(states[:, :1]), states[:, :-1]], axis=1)    # (B, S, H)
    d_state, d_gates = np.zeros_like(states[:, 0]), []                                 # (B, H)
    for t in reversed(range(x.shape[1])):
        d_state = d_state + d_states[:, t]
        real = mask[:, t, None]                                                        # padding passed the state on
        d_before, gates = gru_step_backward(np.where(real, d_state, 0), x[:, t], before[:, t], gru)
        d_state = np.where(real, d_before, d_state)
        d_gates.append(gates)
    gates = stack_gates(d_gates[::-1])                                                 # (B, S, 3H) each
    return gates.from_x @ gru.W.T, gru_parameters_backward(gates, x, before)


def stack_gates(steps):
    """The Gates of all steps, (B, T, 3H) each, from a list of T Gates in the order of the steps."""
    return Gates(*(np.stack(part, axis=1) for part in zip(*steps, strict=True)))


def gru_parameters_backward(gates, x, before):
    """The gradient of a unit's parameters, a GRU, once the loop is done: one product for all steps.

    gates holds the Gates of all steps, (B, T, 3H) each; x (B, T, X) the inputs; before (B, T, H) the states before.
    """
    b, c = (part.sum(axis=(0, 1)) for part in gates)
    return GRU(outer(x, gates.from_x), outer(before, gates.from_state), b, c)


def bidirectional(x, mask, forward, backward):
    """Read x (B, S, X) both ways. Returns the annotations [forward h_j ; backward h_j], (B, S, 2H).

    So each annotation knows what stands before its position and what stands after it.
    """
    ahead = gru_sequence(x, mask, forward)                                # (B, S, H)
    behind = gru_sequence(x[:, ::-1], mask[:, ::-1], backward)[:, ::-1]   # (B, S, H)
    return np.concatenate([ahead, behind], axis=-1)                       # (B, S, 2H)


def bidirectional_backward(d_memory, x, memory, mask, forward, backward):
    """Back through `memory = bidirectional(x, mask, forward, backward)`, from d_memory (B, S, 2H).

    Returns d_x (B, S, X) and the gradients of the two units, a GRU each.
    """
    H = len(forward.U)
    expect({"E": 2 * H}, d_memory=(d_memory, "B S E"), memory=(memory, "B S E"))
    ahead = (d_memory[..., :H], x, memory[..., :H], mask)
    behind = (array[:, ::-1] for array in (d_memory[..., H:], x, memory[..., H:], mask))
    d_x, d_forward = gru_sequence_backward(*ahead, forward)
    d_x_behind, d_backward = gru_sequence_backward(*behind, backward)
    return d_x + d_x_behind[:, ::-1], d_forward, d_backward
