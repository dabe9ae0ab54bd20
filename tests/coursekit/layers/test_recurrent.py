"""The recurrent parts, there and back, against torch.nn.GRU, central differences and the laws of padding."""

import numpy as np
import pytest

from coursekit.gradient_check import check_gradient
from coursekit.layers.lstm import LSTM, lstm_shapes, lstm_step
from coursekit.layers.recurrent import (
    GRU,
    bidirectional,
    bidirectional_backward,
    gru_sequence,
    gru_sequence_backward,
    gru_shapes,
    gru_step,
    gru_step_backward,
    sigmoid,
)
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


@needs.torch
def test_the_way_back_through_both_directions_equals_that_of_torch(rng):
    import torch
    from torch.nn.utils import rnn

    units, x = (some_gru(rng), some_gru(rng)), rng.standard_normal((B, S, X))
    d_memory = np.where(MASK[..., None], rng.standard_normal((B, S, 2 * H)), 0)
    oracle, leaf = torch_gru(*units), torch.tensor(x, requires_grad=True)
    packed = rnn.pack_padded_sequence(leaf, LENGTHS, batch_first=True, enforce_sorted=False)
    output = rnn.pad_packed_sequence(oracle(packed)[0], batch_first=True)[0]
    (output * torch.tensor(d_memory)).sum().backward()

    memory = bidirectional(x, MASK, *units)
    d_x, *d_units = bidirectional_backward(d_memory, x, memory, MASK, *units)
    np.testing.assert_allclose(d_x, leaf.grad.numpy(), rtol=0, atol=1e-12)
    ours = [part.T for unit in d_units for part in (unit.W, unit.U, unit.b, unit.c)]
    for got, parameter in zip(ours, oracle.parameters(), strict=True):
        np.testing.assert_allclose(got, parameter.grad.numpy(), rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", ["state", "x", *GRU._fields])
def test_the_way_back_through_a_step_agrees_with_central_differences(rng, name):
    gru, x, state = some_gru(rng), rng.standard_normal((B, X)), rng.standard_normal((B, H))
    d_new = rng.standard_normal((B, H))
    d_state, gates = gru_step_backward(d_new, x, state, gru)
    by_hand = {"state": d_state, "x": gates.from_x @ gru.W.T, "W": x.T @ gates.from_x, "U": state.T @ gates.from_state}
    by_hand |= {"b": gates.from_x.sum(axis=0), "c": gates.from_state.sum(axis=0)}
    array = {"state": state, "x": x, **gru._asdict()}[name]
    assert check_gradient(lambda: np.sum(gru_step(x, state, gru) * d_new), array, by_hand[name], name) < 1e-7


@pytest.mark.parametrize("name", ["x", *GRU._fields])
def test_the_way_back_through_a_padded_sequence_agrees_with_central_differences(rng, name):
    gru, x, d_states = some_gru(rng), rng.standard_normal((B, S, X)), rng.standard_normal((B, S, H))
    d_x, d_gru = gru_sequence_backward(d_states, x, gru_sequence(x, MASK, gru), MASK, gru)
    array, by_hand = (x, d_x) if name == "x" else (getattr(gru, name), getattr(d_gru, name))
    assert check_gradient(lambda: np.sum(gru_sequence(x, MASK, gru) * d_states), array, by_hand, name) < 1e-7


def test_no_gradient_reaches_the_padding_and_padding_passes_it_on(rng):
    gru, x, d_states = some_gru(rng), rng.standard_normal((B, S, X)), np.zeros((B, S, H))
    d_states[:, -1] = 1.0
    d_x, _ = gru_sequence_backward(d_states, x, gru_sequence(x, MASK, gru), MASK, gru)
    assert not d_x[~MASK].any() and d_x[MASK].all()


def test_the_way_back_keeps_float32(rng):
    gru = GRU(*(part.astype(np.float32) for part in some_gru(rng)))
    x = rng.standard_normal((B, S, X), np.float32)
    states = gru_sequence(x, MASK, gru)
    d_x, d_gru = gru_sequence_backward(np.ones_like(states), x, states, MASK, gru)
    assert {array.dtype.name for array in (d_x, *d_gru)} == {"float32"}


@pytest.mark.parametrize("name", ["d_new", "x", "state"])
def test_a_gradient_or_input_of_the_wrong_shape_is_named_on_the_way_back(rng, name):
    arrays = {"d_new": np.zeros((B, H)), "x": np.zeros((B, X)), "state": np.zeros((B, H))}
    arrays[name] = np.zeros((B, 9))
    with pytest.raises(ValueError, match=rf"{name}: expected \(B, .\) = \(.*\), got \(3, 9\)"):
        gru_step_backward(*arrays.values(), some_gru(rng))


def test_states_of_the_wrong_shape_are_named_on_the_way_back(rng):
    with pytest.raises(ValueError, match=r"states: expected \(B, S, H\) = \(3, 7, 5\), got \(3, 5, 7\)"):
        gru_sequence_backward(np.zeros((B, S, H)), np.zeros((B, S, X)), np.zeros((B, H, S)), MASK, some_gru(rng))


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


@pytest.mark.parametrize("step", [
    lambda x, state: gru_step(x, state, GRU(*map(np.zeros, gru_shapes(X, H)))),
    lambda x, state: lstm_step(x, state, np.zeros((B, H)), LSTM(*map(np.zeros, lstm_shapes(X, H)))),
], ids=["gru", "lstm"])
@pytest.mark.parametrize(
    "x, state, message",
    [
        ((B, X + 1), (B, H), r"x: expected \(B, X\) = \(any, 4\), got \(3, 5\)"),
        ((B, X), (B + 1, H), r"state: expected \(B, H\) = \(3, 5\), got \(4, 5\)"),
    ],
)
def test_a_step_of_the_wrong_shape_is_named(step, x, state, message):
    with pytest.raises(ValueError, match=message):
        step(np.zeros(x), np.zeros(state))
