"""The given Transformer, against two oracles: PyTorch's layers, and central differences."""

import numpy as np
import pytest

from coursekit.layers.transformer import Attention
from coursekit.models.transformer import Design, Transformer, initial_parameters, parameter_shapes
from coursekit.tasks.tokens import END, PAD, START
from solutions.lab10_train_a_transformer import reference
from tests import needs
from tests.solutions.slopes import assert_slopes

V, D_MODEL, HEADS, D_FF, LAYERS = 11, 12, 3, 7, 2
DESIGNS = {
    "pre": Design(), "post": Design(norm="post"), "no norm": Design(norm="none"), "no residual": Design(residual=False),
    "not scaled": Design(scaled=False), "no positions": Design(positions=False), "post, 1 layer": Design(norm="post"),
}
SOURCE = np.array([[4, 5, 6, 4, 9, 10], [7, 3, 8, PAD, PAD, PAD], [3, 3, 4, 8, PAD, PAD]])  # (B, S)
TARGET = np.array([[5, 6, 5, 8], [4, 10, PAD, PAD], [9, 3, 7, PAD]])  # (B, T)


def parameters_of(design, layers=LAYERS):
    """Float64, with biases that are not 0 and gains that are not 1, so that their part shows."""
    rng = np.random.default_rng(1)
    initial = initial_parameters(rng, parameter_shapes(V, D_MODEL, D_FF, layers, design))
    return {name: array + 0.2 * rng.standard_normal(array.shape) for name, array in initial.items()}


def loss_of(model):
    told, wanted = reference.shifted_targets(TARGET, START, END)
    encoder, decoder, cross = reference.attention_masks(SOURCE, told)
    logits = model.forward(SOURCE, told, (encoder, decoder, cross))
    return reference.smoothed_cross_entropy(logits, wanted, 0.1)


@pytest.mark.parametrize("name", DESIGNS)
def test_the_gradient_is_the_slope_of_the_loss(name):
    design = DESIGNS[name]
    parameters = parameters_of(design, 1 if "1 layer" in name else LAYERS)
    model = Transformer(parameters, HEADS, design)
    model.backward(loss_of(model)[1])
    assert_slopes(model.g, lambda moved: loss_of(Transformer(moved, HEADS, design))[0], parameters, atol=1e-10, h=1e-5)


def given(torch, layer, model_layer, looks):
    """Put the weights of one of our layers into one of PyTorch's, the biases of its attention being 0."""
    theirs = {"self": "self_attn", "cross": "multihead_attn"}
    state = {name: torch.zeros_like(value) for name, value in layer.state_dict().items()}
    for look in looks:
        p = getattr(model_layer, look).layer.p
        stacked = np.concatenate([p[name].T for name in ("W_Q", "W_K", "W_V")])
        state |= {f"{theirs[look]}.in_proj_weight": stacked, f"{theirs[look]}.out_proj.weight": p["W_O"].T}
    feed = model_layer.feed.layer.p
    state |= {"linear1.weight": feed["W_1"].T, "linear1.bias": feed["b_1"]}
    state |= {"linear2.weight": feed["W_2"].T, "linear2.bias": feed["b_2"]}
    for i, part in enumerate([*looks, "feed"], start=1):
        sub = getattr(model_layer, part)
        norm = sub.before.p if hasattr(sub.before, "p") else sub.after.p
        state |= {f"norm{i}.weight": norm["gamma"], f"norm{i}.bias": norm["beta"]}
    layer.load_state_dict({name: torch.as_tensor(np.ascontiguousarray(value)) for name, value in state.items()})
    return layer


@needs.torch
@pytest.mark.parametrize("norm", ["pre", "post"])
def test_an_encoder_layer_and_its_gradient_are_those_of_torch(norm):
    import torch

    ours = Transformer(parameters_of(Design(norm=norm)), HEADS, Design(norm=norm)).encoder[1]
    layer = torch.nn.TransformerEncoderLayer(
        D_MODEL, HEADS, D_FF, dropout=0.0, batch_first=True, norm_first=norm == "pre", dtype=torch.float64)
    given(torch, layer, ours, ["self"])
    rng, real = np.random.default_rng(5), SOURCE != PAD
    x, d_y = rng.normal(size=(2, 3, 6, D_MODEL))
    x_torch = torch.tensor(x, requires_grad=True)
    y = layer(x_torch, src_key_padding_mask=torch.tensor(~real))
    y.backward(torch.tensor(d_y))
    np.testing.assert_allclose(ours.forward(x, real[:, None]), y.detach().numpy(), rtol=1e-9, atol=1e-11)
    np.testing.assert_allclose(ours.backward(d_y), x_torch.grad.numpy(), rtol=1e-9, atol=1e-11)
    compare_gradients(layer, ours, ["self"])


@needs.torch
@pytest.mark.parametrize("norm", ["pre", "post"])
def test_a_decoder_layer_and_its_gradient_are_those_of_torch(norm):
    import torch

    ours = Transformer(parameters_of(Design(norm=norm)), HEADS, Design(norm=norm)).decoder[1]
    layer = torch.nn.TransformerDecoderLayer(
        D_MODEL, HEADS, D_FF, dropout=0.0, batch_first=True, norm_first=norm == "pre", dtype=torch.float64)
    given(torch, layer, ours, ["self", "cross"])
    rng, real, causal = np.random.default_rng(6), SOURCE != PAD, np.tri(4, dtype=bool)
    (y, d_z), memory = rng.normal(size=(2, 3, 4, D_MODEL)), rng.normal(size=(3, 6, D_MODEL))
    y_torch, memory_torch = torch.tensor(y, requires_grad=True), torch.tensor(memory, requires_grad=True)
    z = layer(y_torch, memory_torch, torch.tensor(~causal), memory_key_padding_mask=torch.tensor(~real))
    z.backward(torch.tensor(d_z))
    found = ours.forward(y, memory, causal[None], real[:, None])
    np.testing.assert_allclose(found, z.detach().numpy(), rtol=1e-9, atol=1e-11)
    for got, value in zip(ours.backward(d_z), (y_torch, memory_torch), strict=True):
        np.testing.assert_allclose(got, value.grad.numpy(), rtol=1e-9, atol=1e-11)
    compare_gradients(layer, ours, ["self", "cross"])


def compare_gradients(layer, ours, looks):
    """The gradients of every parameter of a layer, ours against PyTorch's."""
    found = {name: value.grad.numpy() for name, value in layer.named_parameters()}
    theirs = {"self": "self_attn", "cross": "multihead_attn"}
    for look in looks:
        g = getattr(ours, look).layer.g
        stacked = np.concatenate([g[name].T for name in ("W_Q", "W_K", "W_V")])
        np.testing.assert_allclose(stacked, found[f"{theirs[look]}.in_proj_weight"], rtol=1e-9, atol=1e-11)
        np.testing.assert_allclose(g["W_O"].T, found[f"{theirs[look]}.out_proj.weight"], rtol=1e-9, atol=1e-11)
    g = ours.feed.layer.g
    for name, other in [("W_1", "linear1.weight"), ("b_1", "linear1.bias"), ("W_2", "linear2.weight"),
                        ("b_2", "linear2.bias")]:
        np.testing.assert_allclose(g[name].T, found[other], rtol=1e-9, atol=1e-11, err_msg=name)


@pytest.mark.parametrize("design", [Design(), Design(norm="post")], ids=["pre", "post"])
def test_the_future_does_not_change_the_past(design):
    model, told = Transformer(parameters_of(design), HEADS, design), np.array([[START, 4, 5, 6], [START, 7, 8, 9]])
    memory = model.read(SOURCE[:2])
    before = model.write(told, memory, SOURCE[:2])
    told[:, 3] = 10
    np.testing.assert_array_equal(model.write(told, memory, SOURCE[:2])[:, :3], before[:, :3])


def test_without_the_causal_mask_it_does():
    design = Design(causal=False)
    model, told = Transformer(parameters_of(design), HEADS, design), np.array([[START, 4, 5, 6]])
    memory = model.read(SOURCE[:1])
    before = model.write(told, memory, SOURCE[:1])
    told[:, 3] = 10
    assert np.abs(model.write(told, memory, SOURCE[:1])[:, 0] - before[:, 0]).max() > 1e-6


def test_padding_changes_no_logits():
    model, told = Transformer(parameters_of(Design()), HEADS), np.array([[START, 4, 5]])
    alone, padded = SOURCE[1:2, :3], SOURCE[1:2]
    short, long = (model.write(told, model.read(source), source) for source in (alone, padded))
    np.testing.assert_allclose(short, long, rtol=0, atol=1e-12)


def test_without_positions_a_shuffled_source_means_the_same():
    design = Design(positions=False)
    model, told = Transformer(parameters_of(design), HEADS, design), np.array([[START, 4, 5]])
    shuffled = SOURCE[:1, [3, 0, 5, 1, 4, 2]]
    one, other = (model.write(told, model.read(source), source) for source in (SOURCE[:1], shuffled))
    np.testing.assert_allclose(one, other, rtol=0, atol=1e-12)


def test_a_row_that_may_look_nowhere_gets_zeros():
    model = Transformer(parameters_of(Design()), HEADS)
    attention, x = model.encoder[0].self.layer, np.random.default_rng(0).normal(size=(2, 5, D_MODEL))
    mask = np.arange(5) < np.array([[3], [0]])
    y = attention.forward(x, None, mask[:, None])
    assert not attention.weights[1].any() and not y[1].any() and y[0].any()
    assert np.isfinite(attention.backward(np.ones_like(y))[0]).all()


def test_the_softmax_of_a_subclass_may_run_over_the_queries():
    class OverQueries(Attention):
        axis = -2

    given = Transformer(parameters_of(Design()), HEADS).encoder[0].self.layer
    attention = OverQueries(given.p, given.g, HEADS)
    attention.forward(np.random.default_rng(0).normal(size=(2, 5, D_MODEL)), None, np.ones((2, 5, 5), bool))
    np.testing.assert_allclose(attention.weights.sum(axis=-2), 1, rtol=1e-12)


def test_greedy_writes_what_the_logits_say_and_stops():
    model = Transformer(parameters_of(Design()), HEADS)
    written = model.greedy(SOURCE, longest=5)
    assert written.shape[1] <= 5
    told = np.concatenate([np.full((3, 1), START), written], axis=1)[:, :-1]
    logits = model.write(told, model.read(SOURCE), SOURCE)
    np.testing.assert_array_equal(logits.argmax(axis=-1), written)


def test_the_three_looks_of_a_sentence_are_weights():
    looks = Transformer(parameters_of(Design()), HEADS).looks(SOURCE[:1], np.array([[START, 4, 5]]))
    assert {name: each.shape for name, each in looks.items()} == {
        "encoder": (HEADS, 6, 6), "decoder": (HEADS, 3, 3), "cross": (HEADS, 3, 6)}
    for each in looks.values():
        np.testing.assert_allclose(each.sum(axis=-1), 1, rtol=1e-12)
    assert not np.triu(looks["decoder"], 1).any()


def test_bad_parameters_are_named():
    parameters = parameters_of(Design())
    with pytest.raises(ValueError, match="got none called embedding"):
        Transformer({"W": np.zeros(3)}, HEADS)
    with pytest.raises(ValueError, match=r"decoder.1.cross.W_K: expected shape \(12, 12\), got \(2, 2\)"):
        Transformer(parameters | {"decoder.1.cross.W_K": np.zeros((2, 2))}, HEADS)
    with pytest.raises(ValueError, match="expected an even multiple of heads = 5, got 12"):
        Transformer(parameters, 5)
    with pytest.raises(ValueError, match="norm: expected 'pre', 'post' or 'none', got 'mid'"):
        Transformer(parameters, HEADS, Design(norm="mid"))
