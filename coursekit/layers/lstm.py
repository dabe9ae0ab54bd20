"""The long short-term memory unit, forward (Hochreiter & Schmidhuber 1997, with the forget gate of Gers et al. 2000).

    i  = σ(x W_i + h U_i + b_i)         input gate: how much of what is new comes in
    f  = σ(x W_f + h U_f + b_f)         forget gate: how much of the cell stays
    g  = tanh(x W_g + h U_g + b_g)      what is new
    o  = σ(x W_o + h U_o + b_o)         output gate: how much of the cell shows
    c' = f ∘ c + i ∘ g                  the cell, which is added to and not multiplied by a matrix
    h' = o ∘ tanh(c')                   the state

This is the unit of torch.nn.LSTM, whose two biases are one here. B batch, S source positions, X input width, H width
of state and cell.
"""

from typing import NamedTuple

import numpy as np

from coursekit.layers.basics import sigmoid
from coursekit.shapes import expect


class LSTM(NamedTuple):
    """The parameters of one unit; the columns are those of i, f, g and o, in this order."""

    W: np.ndarray  # (X, 4H)  from the input
    U: np.ndarray  # (H, 4H)  from the state
    b: np.ndarray  # (4H,)


def lstm_shapes(X, H):
    """The shapes of a unit's parameters, as an LSTM of tuples."""
    return LSTM(W=(X, 4 * H), U=(H, 4 * H), b=(4 * H,))


def lstm_step(x, state, cell, lstm):
    """One step: the next state and the next cell, (B, H) both, from x (B, X) and the state and cell before it."""
    expect({"X": len(lstm.W), "H": len(lstm.U)}, x=(x, "B X"), state=(state, "B H"), cell=(cell, "B H"))
    sums = np.split(x @ lstm.W + state @ lstm.U + lstm.b, 4, axis=-1)   # four of (B, H)
    i, f, o = (sigmoid(sums[gate]) for gate in (0, 1, 3))
    cell = f * cell + i * np.tanh(sums[2])
    return o * np.tanh(cell), cell


def lstm_sequence(x, mask, lstm):
    """Read x (B, S, X) from left to right, starting from zeros. Returns the state after each position, (B, S, H).

    mask (B, S) is True where a real token stands: a padded position leaves state and cell as they were.
    Raises ValueError when a shape does not fit.
    """
    expect({"X": len(lstm.W)}, x=(x, "B S X"), mask=(mask, "B S"))
    state = cell = np.zeros((len(x), len(lstm.U)), x.dtype)             # (B, H) both
    states = []
    for t in range(x.shape[1]):
        real = mask[:, t, None]
        new = lstm_step(x[:, t], state, cell, lstm)
        state, cell = np.where(real, new[0], state), np.where(real, new[1], cell)
        states.append(state)
    return np.stack(states, axis=1)                                     # (B, S, H)
