"""The LSTM, against torch.nn.LSTM and the laws of padding."""

import numpy as np
import pytest

from coursekit.layers.lstm import LSTM, lstm_sequence, lstm_shapes, lstm_step
from tests import needs

B, S, X, H = 3, 7, 4, 5
MASK = np.arange(S) < np.array([[7], [2], [5]])


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def some_lstm(rng):
    return LSTM(*(rng.standard_normal(shape) for shape in lstm_shapes(X, H)))


@needs.torch
def test_a_sequence_equals_torch(rng):
    import torch

    lstm, x = some_lstm(rng), rng.standard_normal((B, S, X))
    oracle = torch.nn.LSTM(X, H, batch_first=True, dtype=torch.float64)
    values = (lstm.W.T, lstm.U.T, lstm.b, np.zeros(4 * H))
    for parameter, value in zip(oracle.parameters(), values, strict=True):
        parameter.data = torch.tensor(value)
    expected = oracle(torch.tensor(x))[0].detach().numpy()
    np.testing.assert_allclose(lstm_sequence(x, np.ones((B, S), bool), lstm), expected, rtol=0, atol=1e-12)


def test_a_padded_position_leaves_state_and_cell_as_they_were(rng):
    lstm, x = some_lstm(rng), rng.standard_normal((B, S, X))
    states = lstm_sequence(x, MASK, lstm)
    np.testing.assert_array_equal(states[1, 2:], np.broadcast_to(states[1, 1], (S - 2, H)))
    alone = lstm_sequence(x[:1], MASK[:1], lstm)
    np.testing.assert_allclose(states[:1], alone, rtol=1e-12)


def test_an_open_forget_gate_and_a_shut_input_gate_keep_the_cell(rng):
    lstm = some_lstm(rng)._replace(W=np.zeros((X, 4 * H)), U=np.zeros((H, 4 * H)), b=np.repeat([-50.0, 50, 0, 0], H))
    state, cell = rng.standard_normal((2, B, H))
    np.testing.assert_allclose(lstm_step(np.ones((B, X)), state, cell, lstm)[1], cell, rtol=1e-12)


def test_float32_stays_float32(rng):
    lstm = LSTM(*(part.astype(np.float32) for part in some_lstm(rng)))
    assert lstm_sequence(rng.standard_normal((B, S, X), np.float32), MASK, lstm).dtype == np.float32


def test_a_mask_of_the_wrong_shape_is_named(rng):
    with pytest.raises(ValueError, match=r"mask: expected \(B, S\) = \(3, 7\), got \(7, 3\)"):
        lstm_sequence(np.zeros((B, S, X)), MASK.T, some_lstm(rng))
