"""The recurrent parts, against torch.nn.GRU and the laws of padding."""

import numpy as np
import pytest

from coursekit.recurrent import GRU, bidirectional, gru_sequence, gru_shapes, gru_step, sigmoid
from tests import needs

B, S, X, H = 3, 7, 4, 5
LENGTHS = (7, 2, 5)
MASK = np.arange(S) < np.array(LENGTHS)[:, None]


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def some_gru(rng):
    return GRU(*(rng.standard_normal(shape) for shape in gru_shapes(X, H)))


def torch_gru(*units):
    """A torch.nn.GRU with our parameters, in one direction or in two."""
    import torch

    oracle = torch.nn.GRU(X, H, batch_first=True, bidirectional=len(units) == 2, dtype=torch.float64)
    values = [part.T for unit in units for part in (unit.W, unit.U, unit.b, unit.c)]
    for parameter, value in zip(oracle.parameters(), values, strict=True):
        parameter.data = torch.tensor(value)
    return oracle


@needs.torch
def test_a_sequence_equals_torch(rng):
    import torch

    gru, x = some_gru(rng), rng.standard_normal((B, S, X))
    expected = torch_gru(gru)(torch.tensor(x))[0].detach().numpy()
    np.testing.assert_allclose(gru_sequence(x, np.ones((B, S), bool), gru), expected, rtol=0, atol=1e-10)


@needs.torch
def test_both_directions_equal_torch_on_texts_of_unequal_length(rng):
    import torch
    from torch.nn.utils import rnn

    units, x = (some_gru(rng), some_gru(rng)), rng.standard_normal((B, S, X))
    packed = rnn.pack_padded_sequence(torch.tensor(x), LENGTHS, batch_first=True, enforce_sorted=False)
    expected = rnn.pad_packed_sequence(torch_gru(*units)(packed)[0], batch_first=True)[0].detach().numpy()
    np.testing.assert_allclose(bidirectional(x, MASK, *units)[MASK], expected[MASK], rtol=0, atol=1e-10)


def test_a_padded_position_leaves_the_state_as_it_was(rng):
    states = gru_sequence(rng.standard_normal((B, S, X)), MASK, some_gru(rng))
    np.testing.assert_array_equal(states[1, 2:], np.broadcast_to(states[1, 1], (S - 2, H)))


def test_what_stands_in_the_padding_changes_no_real_position(rng):
    units, x = (some_gru(rng), some_gru(rng)), rng.standard_normal((B, S, X))
    other = np.where(MASK[..., None], x, 1e3)
    np.testing.assert_array_equal(bidirectional(x, MASK, *units)[MASK], bidirectional(other, MASK, *units)[MASK])


def test_float32_stays_float32(rng):
    gru = GRU(*(part.astype(np.float32) for part in some_gru(rng)))
    assert gru_sequence(rng.standard_normal((B, S, X), np.float32), MASK, gru).dtype == np.float32


def test_the_sigmoid_does_not_overflow():
    np.testing.assert_allclose(sigmoid(np.array([-1e4, 0.0, np.log(3), 1e4])), [0, 0.5, 0.75, 1], atol=1e-15)


@pytest.mark.parametrize(
    "x, mask, message",
    [
        ((B, S, X + 1), (B, S), r"x: expected \(B, S, X\) = \(any, any, 4\), got \(3, 7, 5\)"),
        ((B, X), (B, S), r"x: expected \(B, S, X\) = \(any, any, 4\), got \(3, 4\)"),
        ((B, S, X), (S, B), r"mask: expected \(B, S\) = \(3, 7\), got \(7, 3\)"),
    ],
)
def test_a_sequence_of_the_wrong_shape_is_named(rng, x, mask, message):
    with pytest.raises(ValueError, match=message):
        gru_sequence(np.zeros(x), np.ones(mask, bool), some_gru(rng))


@pytest.mark.parametrize(
    "x, state, message",
    [
        ((B, X + 1), (B, H), r"x: expected \(B, X\) = \(any, 4\), got \(3, 5\)"),
        ((B, X), (B + 1, H), r"state: expected \(B, H\) = \(3, 5\), got \(4, 5\)"),
    ],
)
def test_a_step_of_the_wrong_shape_is_named(rng, x, state, message):
    with pytest.raises(ValueError, match=message):
        gru_step(np.zeros(x), np.zeros(state), some_gru(rng))
