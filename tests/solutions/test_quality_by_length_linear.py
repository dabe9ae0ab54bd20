"""The Transformer with linear attention: its layer against slopes and lab 18's recurrence, and what was measured."""

import numpy as np
import pytest

import coursekit
from coursekit.gradient_check import check_gradient
from coursekit.layers.transformer import Attention
from solutions.artifacts.quality_by_length_linear import MARKS, SETTINGS, LinearAttention, above_zero, linear
from solutions.artifacts.quality_by_length_transformer import trainer_of
from solutions.lab18_fixed_state.reference import linear_attention

B, T, S, WIDTH = 2, 3, 5, 6


@pytest.fixture
def rng():
    return np.random.default_rng(18)


def layer_of(rng, heads):
    p = {f"W_{name}": rng.normal(size=(WIDTH, WIDTH)) / 2 for name in "QKVO"}
    return LinearAttention(p, {name: np.zeros_like(each) for name, each in p.items()}, heads)


@pytest.mark.parametrize("what", ["x", "memory", "W_Q", "W_K", "W_V", "W_O"])
def test_the_gradient_of_the_layer_is_the_slope_of_the_loss(rng, what):
    layer = layer_of(rng, heads=2)
    x, memory, d_y = (rng.normal(size=(B, n, WIDTH)) for n in (T, S, T))
    mask = np.arange(S) < np.array([S, S - 2])[:, None, None]

    def loss():
        return (layer.forward(x, memory, mask) * d_y).sum()

    loss()
    found = dict(zip(("x", "memory"), layer.backward(d_y), strict=True)) | layer.g
    arrays = {"x": x, "memory": memory} | layer.p
    assert check_gradient(loss, arrays[what], found[what].copy(), tolerance=1e-6, step=1e-5) < 1e-6


def test_the_layer_is_lab_18s_recurrence_with_a_feature_map_and_a_normaliser(rng):
    layer, x = layer_of(rng, heads=3), rng.normal(size=(B, T, WIDTH))
    layer.forward(x, None, np.tri(T, dtype=bool)[None])
    q, k = above_zero(layer.q), above_zero(layer.k)
    read, _ = linear_attention(q, k, np.concatenate([layer.v, np.ones_like(layer.v[..., :1])], axis=-1))
    np.testing.assert_allclose(layer.merge(read[..., :-1] / read[..., -1:]), layer.seen, rtol=1e-5)


def test_a_head_of_width_one_gives_every_query_the_same(rng):
    layer, memory = layer_of(rng, heads=WIDTH), rng.normal(size=(B, S, WIDTH))
    found = layer.forward(rng.normal(size=(B, T, WIDTH)), memory, np.ones((B, T, S), bool))
    np.testing.assert_allclose(found, np.repeat(found[:, :1], T, axis=1), rtol=1e-4)


@pytest.mark.parametrize("heads", SETTINGS.values())
def test_only_the_kind_of_attention_is_another(heads):
    model = linear(trainer_of(0), heads).model
    layers = [layer.layer for each in (*model.encoder, *model.decoder) for layer in vars(each).values()]
    looks = [layer for layer in layers if isinstance(layer, Attention)]
    assert [(type(look), look.heads) for look in looks] == [(LinearAttention, 4)] * 2 + [(LinearAttention, heads)]


def test_a_matrix_keeps_what_a_vector_loses():
    quality = coursekit.load("quality_by_length_linear")
    trained = quality["lengths"] <= 30
    for steps in MARKS:
        assert quality[f"matrix.{steps}.bleu"].shape == (len(quality["about.seeds"]), len(quality["lengths"]))
    assert quality["matrix.800.bleu"][:, trained].min() > 95 and int(quality["matrix.state"]) == 1088
    assert quality["vector.800.bleu"][:, quality["lengths"] >= 20].max() < 60 and int(quality["vector.state"]) == 128


def test_a_little_more_that_can_be_asked_keeps_a_little_more():
    quality = coursekit.load("quality_by_length_linear")
    narrow, vector = (quality[f"{name}.800.bleu"].mean(axis=0) for name in ("narrow", "vector"))
    assert int(quality["narrow.state"]) == 192 and (narrow > vector).all()
    assert narrow[quality["lengths"] == 30] < 40
