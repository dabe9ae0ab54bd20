"""The given parts of lab 03: the translator that looks after it has moved, and its trainer, against two oracles."""

import numpy as np
import pytest

from coursekit.models.luong import LuongTranslator, parameter_shapes
from coursekit.models.recurrent import initial_parameters
from coursekit.tasks.phrases import draw
from coursekit.trainers.luong import (
    Parts,
    attention_shapes,
    global_backward,
    local_backward,
    loss_and_gradient,
)
from solutions.artifacts.luong_translator import Setting, looking
from solutions.artifacts.parts import cross_entropy, embedding_backward
from tests import needs
from tests.solutions.slopes import assert_slopes

X, H, D, E, A = 3, 4, 8, 8, 5
MODELS = {"dot": Setting("dot"), "general": Setting("general"), "concat": Setting("concat", feeding=True),
          "local": Setting("general", reach=2), "feeding": Setting("general", feeding=True)}


def parts_of(setting):
    back = local_backward(setting.kind, setting.reach) if setting.reach else global_backward(setting.kind)
    return Parts(looking(setting), back, cross_entropy, embedding_backward)


def shapes_of(setting):
    return parameter_shapes(X, H, D, attention_shapes(setting.kind, D, E, A, bool(setting.reach)), setting.feeding)


def parameters_of(setting):
    """Float64, and with biases that are not 0, so that their part in the gradient shows."""
    rng = np.random.default_rng(1)
    initial = initial_parameters(rng, shapes_of(setting))
    return {name: array + 0.3 * rng.standard_normal(array.shape) for name, array in initial.items()}


@pytest.fixture
def batch():
    drawn = draw(np.random.default_rng(2), 5, (5, 11))
    assert not drawn.mask.all(), "the batch should hold padding"
    return drawn


@pytest.mark.parametrize("model", MODELS)
def test_the_gradient_is_the_slope_of_the_loss(model, batch):
    parts, parameters = parts_of(MODELS[model]), parameters_of(MODELS[model])
    gradient = loss_and_gradient(parameters, batch, parts)[1]
    assert_slopes(gradient, lambda moved: loss_and_gradient(moved, batch, parts)[0], parameters)


def torch_look(torch, setting, state, memory, mask, p):
    """The same look, written with PyTorch's functions."""
    if setting.kind == "concat":
        pairs = torch.cat([state[:, None].expand(-1, memory.shape[1], -1), memory], -1)
        scores = torch.tanh(pairs @ p["W"]) @ p["v"]
    else:
        query = state @ p["W"] if setting.kind == "general" else state
        scores = torch.einsum("be,bse->bs", query, memory)
    offset, seen = torch.zeros(mask.shape, dtype=torch.float64), mask
    if setting.reach:
        centre = mask.sum(1) * torch.sigmoid(torch.tanh(state @ p["W_p"]) @ p["v_p"])
        offset = torch.arange(mask.shape[1]) - centre[:, None]
        seen = mask & (offset.abs() <= setting.reach)
    bell = torch.exp(-(offset**2) / (2 * ((setting.reach or 1) / 2) ** 2))
    weights = torch.softmax(scores.masked_fill(~seen, -torch.inf), 1) * bell
    return torch.tanh(torch.cat([torch.einsum("bs,bse->be", weights, memory), state], 1) @ p["W_c"])


@needs.torch
@pytest.mark.parametrize("model", MODELS)
def test_a_look_and_its_gradient_are_those_of_torch(model):
    import torch

    setting, rng = MODELS[model], np.random.default_rng(4)
    p = {name: rng.normal(size=shape) for name, shape in attention_shapes(setting.kind, D, E, A, True).items()}
    state, memory, mask = rng.normal(size=(3, D)), rng.normal(size=(3, 7, E)), np.arange(7) < [[4], [7], [2]]
    values = {name: torch.tensor(a, requires_grad=True) for name, a in (p | {"s": state, "m": memory}).items()}
    told = torch_look(torch, setting, values["s"], values["m"], torch.tensor(mask), values)
    d_told = rng.normal(size=(3, D))
    told.backward(torch.tensor(d_told))
    got, weights = looking(setting)(state, memory, mask, p)
    np.testing.assert_allclose(got, told.detach().numpy(), rtol=1e-10, atol=1e-12)
    d_state, d_memory, gradient = parts_of(setting).look_backward(d_told, state, memory, mask, weights, p)
    for name, array in (gradient | {"s": d_state, "m": d_memory}).items():
        np.testing.assert_allclose(array, values[name].grad.numpy(), rtol=1e-9, atol=1e-12, err_msg=name)


def test_without_input_feeding_a_step_does_not_know_where_the_one_before_it_looked():
    for model, told_matters in (("general", False), ("feeding", True)):
        translator, rng = LuongTranslator(parameters_of(MODELS[model])), np.random.default_rng(5)
        state, previous = rng.normal(size=(2, D)), np.array([1, 2])
        one, other = (translator.step(state, previous, rng.normal(size=(2, D))) for _ in range(2))
        assert (not np.allclose(one, other)) == told_matters


def test_padding_changes_no_translation():
    translator, look = LuongTranslator(parameters_of(MODELS["local"])), looking(MODELS["local"])
    short, long = "the pear had been found .", "the small black cat behind my door had been sold ."
    alone, together = translator.translate([short], look), translator.translate([short, long], look)
    assert alone[0][0] == together[0][0]
    steps, words = alone[1].shape[1], len(short.split())
    np.testing.assert_allclose(together[1][0, :steps, :words], alone[1][0], atol=1e-12)


@pytest.mark.parametrize(("answer", "message"), [
    (None, r"look: expected a tuple \(attentional state, weights\), got NoneType"),
    ((np.zeros((1, 2)), np.zeros((1, 6))), r"attentional state from look: expected \(B, D\) = \(1, 8\), got \(1, 2\)"),
    ((np.zeros((1, D)), np.full((1, 6), np.nan)), "weights from look: contains nan or inf"),
])
def test_what_a_look_returns_is_held_to_its_contract(answer, message):
    translator = LuongTranslator(parameters_of(MODELS["dot"]))
    with pytest.raises(ValueError, match=message):
        translator.translate(["the pear had been found ."], lambda *_: answer)


def test_a_kind_of_attention_that_cannot_be_is_named():
    with pytest.raises(ValueError, match="kind: expected one of dot, general, concat, got 'cosine'"):
        attention_shapes("cosine", D, E, A)
    with pytest.raises(ValueError, match="expected states of one width, got D = 3 and E = 4"):
        attention_shapes("dot", 3, 4, A)
