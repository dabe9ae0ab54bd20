"""The given GPT, against two oracles: PyTorch's layers, and central differences."""

from functools import partial

import numpy as np
import pytest

from coursekit.models.gpt import GPT, initial_parameters, parameter_shapes
from coursekit.tasks.tokens import END, PAD, START
from solutions.lab13_language_model.reference import next_token_loss
from tests import needs
from tests.solutions.slopes import assert_slopes

V, CONTEXT, D_MODEL, HEADS, D_FF, LAYERS = 11, 8, 12, 3, 7, 2
IDS = np.array([[START, 4, 5, 6, 4, 9], [START, 7, 3, END, PAD, PAD]])  # (B, T)


@pytest.fixture
def parameters():
    """Float64, with biases that are not 0 and gains that are not 1, so that their part shows."""
    rng = np.random.default_rng(1)
    initial = initial_parameters(rng, parameter_shapes(V, CONTEXT, D_MODEL, D_FF, LAYERS))
    return {name: array + 0.2 * rng.standard_normal(array.shape) for name, array in initial.items()}


@pytest.fixture
def model(parameters):
    return GPT(parameters, HEADS)


def causal_attention(q, k, v, cache, mask):
    """The causal half by hand, each query by itself; keys and values of earlier calls stand in the cache."""
    old = cache or (k[:, :, :0], v[:, :, :0])
    keys, values = np.concatenate([old[0], k], axis=2), np.concatenate([old[1], v], axis=2)
    out, past = np.zeros_like(v), old[0].shape[2]
    for b, h, t in np.ndindex(q.shape[:3]):
        real = np.flatnonzero((np.ones(past + t + 1) if mask is None else mask[b, : past + t + 1]) > 0)
        powers = np.exp(keys[b, h, real] @ q[b, h, t] / np.sqrt(q.shape[-1]))
        out[b, h, t] = powers @ values[b, h, real] / max(powers.sum(), 1e-300)
    return out, (keys, values)


def test_gpt_2_has_124439808_parameters():
    shapes = parameter_shapes(50257, 1024, d_model=768, d_ff=3072, layers=12)
    assert sum(int(np.prod(shape)) for shape in shapes.values()) == 124_439_808


def test_the_gradient_is_the_slope_of_the_loss(parameters, model):
    def loss_of(moved):
        return next_token_loss(GPT(moved, HEADS).forward(IDS), IDS, IDS != PAD)[0]

    model.backward(next_token_loss(model.forward(IDS), IDS, IDS != PAD)[1])
    assert_slopes(model.g, loss_of, parameters, atol=1e-10, h=1e-5)


@needs.torch
def test_logits_and_gradients_are_those_of_torch(parameters, model):
    import torch

    p = {name: torch.tensor(array, requires_grad=True) for name, array in parameters.items()}
    rows, gelu = torch.tensor(IDS), partial(torch.nn.functional.gelu, approximate="tanh")
    norm = partial(torch.nn.functional.layer_norm, normalized_shape=(D_MODEL,), eps=1e-5)
    x = p["embedding"][rows] + p["positions"][: IDS.shape[1]]
    for i in range(LAYERS):
        of = {name.removeprefix(f"layer.{i}."): value for name, value in p.items()}
        h = norm(x, weight=of["self.norm.gamma"], bias=of["self.norm.beta"])
        looks = (h @ of[f"self.W_{n}"] + of[f"self.b_{n}"] for n in "QKV")
        q, k, v = (look.unflatten(-1, (HEADS, -1)).transpose(1, 2) for look in looks)
        seen = torch.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(1, 2).flatten(2)
        x = x + seen @ of["self.W_O"] + of["self.b_O"]
        h = norm(x, weight=of["feed.norm.gamma"], bias=of["feed.norm.beta"])
        x = x + gelu(h @ of["feed.W_1"] + of["feed.b_1"]) @ of["feed.W_2"] + of["feed.b_2"]
    logits = norm(x, weight=p["norm.gamma"], bias=p["norm.beta"]) @ p["embedding"].T
    np.testing.assert_allclose(model.forward(IDS), logits.detach().numpy(), rtol=1e-9, atol=1e-11)
    d_logits = np.random.default_rng(2).standard_normal(logits.shape)
    logits.backward(torch.tensor(d_logits))
    model.backward(d_logits)
    for name, value in p.items():
        np.testing.assert_allclose(model.g[name], value.grad.numpy(), rtol=1e-9, atol=1e-11, err_msg=name)


def test_the_future_does_not_change_the_past(model):
    before, changed = model.forward(IDS), IDS.copy()
    changed[:, 4] = 10
    np.testing.assert_array_equal(model.forward(changed)[:, :4], before[:, :4])


def test_weights_are_those_of_each_head_and_look_at_nothing_later(model):
    model.forward(IDS)
    weights = model.weights()
    assert weights.shape == (LAYERS, 2, HEADS, 6, 6) and not np.triu(weights, 1).any()
    np.testing.assert_allclose(weights.sum(axis=-1), 1, rtol=1e-12)


def test_a_silenced_head_writes_nothing_and_the_others_what_they_wrote(model):
    model.forward(IDS)
    before, speaks = model.layers[0].self.layer, np.ones((LAYERS, HEADS), bool)
    speaks[0, 1] = False
    without = before.split(before.seen)
    without[:, 1] = 0
    after = model.silenced(speaks)
    after.forward(IDS)
    seen = after.layers[0].self.layer
    np.testing.assert_allclose(seen.project("O", seen.seen), before.project("O", before.merge(without)), atol=1e-12)


def test_a_model_of_which_no_head_is_silenced_is_the_same(model):
    np.testing.assert_array_equal(model.silenced(np.ones((LAYERS, HEADS))).forward(IDS), model.forward(IDS))


@pytest.mark.parametrize("cut", [1, 2, 5])
def test_run_in_two_calls_gives_the_logits_of_one_forward(model, cut):
    first, caches = model.run(IDS[:1, :cut], causal_attention)
    second, _ = model.run(IDS[:1, cut:], causal_attention, caches)
    np.testing.assert_allclose(np.concatenate([first, second], axis=1), model.forward(IDS[:1]), atol=1e-12)


def test_a_padded_row_is_run_as_it_is_run_alone(model):
    ids, mask = np.array([[PAD, PAD, START, 4, 7]]), np.array([[False, False, True, True, True]])
    first, caches = model.run(ids[:, :4], causal_attention, None, mask[:, :4])
    last, _ = model.run(ids[:, 4:], causal_attention, caches, mask)
    found = np.concatenate([first, last], axis=1)[:, 2:]
    np.testing.assert_allclose(found, model.forward(ids[:, 2:]), atol=1e-12)


def test_following_is_the_log_softmax_of_what_can_be_written(model):
    log_p = model.following([START, 4, 5])
    assert np.isneginf(log_p[[PAD, START]]).all() and np.exp(log_p).sum() == pytest.approx(1, abs=1e-12)
    logits = model.forward(np.array([[START, 4, 5]]))[0, -1, END:]
    np.testing.assert_allclose(log_p[END:] - log_p[END], logits - logits[0], atol=1e-12)


def test_writing_draws_from_following_until_each_text_has_its_end(model):
    uniforms = np.random.default_rng(3).random((3, 7))
    written = model.write(uniforms)
    ends = np.exp(model.following([START, *written[1, :1]])).cumsum()
    assert written[1, 1] == np.searchsorted(ends, uniforms[1, 1], side="right")
    assert written.shape[1] == 7 or (written == END).any(axis=1).all()


@pytest.mark.parametrize(("ids", "message"), [
    ([[START, V]], "ids: expected 0 to 10, got 1 to 11"),
    ([[START, -1]], "ids: expected 0 to 10, got -1 to 1"),
    ([START, 3], r"ids: expected integers of shape \(B, T\), got int64 of shape \(2,\)"),
    ([[START] * 9], "ids: expected at most 8 positions, which is what the model has learned, got 9"),
])
def test_ids_that_the_model_does_not_know_are_refused(model, ids, message):
    with pytest.raises(ValueError, match=message):
        model.forward(ids)


def test_bad_parameters_are_named(parameters):
    with pytest.raises(ValueError, match="got none called embedding"):
        GPT({"W": np.zeros(3)}, HEADS)
    with pytest.raises(ValueError, match=r"layer.1.self.b_K: expected shape \(12,\), got \(2,\)"):
        GPT(parameters | {"layer.1.self.b_K": np.zeros(2)}, HEADS)
    with pytest.raises(ValueError, match="d_model: expected a multiple of heads = 5, got 12"):
        GPT(parameters, 5)
