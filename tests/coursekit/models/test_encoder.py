"""Models that read vectors: their gradients are the slopes of their losses, and masks hide what is not there."""

import numpy as np
import pytest

from coursekit.models.describer import Describer, describer_shapes
from coursekit.models.encoder import Encoder, encoder_shapes, initial_parameters
from coursekit.models.vit import ViT, vit_shapes
from coursekit.tasks.tokens import END, START
from tests.solutions.slopes import assert_slopes

B, S, n, D, H = 3, 5, 4, 8, 2
TOLD = np.array([[START, 4, 3], [START, 6, 6], [START, 3, 5]])
MASK = np.arange(S) < np.array([[5], [3], [4]])


@pytest.fixture
def rng():
    return np.random.default_rng(1)


@pytest.mark.parametrize("has_class", [True, False])
def test_the_gradient_of_a_vit_is_the_slope_of_its_loss(rng, has_class):
    p = initial_parameters(rng, vit_shapes(n, S, 6, D, 12, 2, has_class), 0.5)
    patches, d_logits = rng.normal(size=(B, S, n)), rng.normal(size=(B, 6))
    model = ViT(p, H)
    model.forward(patches)
    model.backward(d_logits)
    assert_slopes(model.g, lambda other: (ViT(other, H).forward(patches) * d_logits).sum(), p)


def test_the_gradient_of_a_describer_is_the_slope_of_its_loss(rng):
    p = initial_parameters(rng, describer_shapes(n, S, 7, 3, D, 12, 1, 2), 0.5)
    vectors, d_logits = rng.normal(size=(B, S, n)), rng.normal(size=(B, 3, 7))
    model = Describer(p, H)
    model.forward(vectors, MASK, TOLD)
    model.backward(d_logits)
    assert_slopes(model.g, lambda other: (Describer(other, H).forward(vectors, MASK, TOLD) * d_logits).sum(), p)


def test_what_is_padded_has_no_part(rng):
    model = Describer(initial_parameters(rng, describer_shapes(n, S, 7, 3, D, 12), 0.5), H)
    vectors = rng.normal(size=(B, S, n))
    with_padding = model.forward(vectors, MASK, TOLD)[1]
    np.testing.assert_allclose(model.forward(vectors[1:2, :3], None, TOLD[1:2])[0], with_padding, rtol=1e-10)


def test_without_positions_shuffled_vectors_give_the_same_memory_shuffled(rng):
    p = initial_parameters(rng, encoder_shapes(n, S, D, 12, 2), 0.5)
    p["positions"][:] = 0
    model, vectors, order = Encoder(p, p, H), rng.normal(size=(B, S, n)), rng.permutation(S)
    np.testing.assert_allclose(model.forward(vectors[:, order]), model.forward(vectors)[:, order], rtol=1e-9)


def test_it_writes_the_likeliest_token_each_time_until_all_have_their_end(rng):
    model = Describer(initial_parameters(rng, describer_shapes(n, S, 7, 6, D, 12), 2.0), H)
    vectors = rng.normal(size=(B, S, n))
    ids, looks = model.write(vectors, MASK, longest=5)
    told = np.concatenate([np.full((B, 1), START), ids[:, :-1]], axis=1)
    np.testing.assert_array_equal(model.forward(vectors, MASK, told).argmax(axis=-1), ids)
    assert looks.shape == (B, ids.shape[1], S) and (ids.shape[1] == 5 or (ids == END).any(axis=1).all())


@pytest.mark.parametrize("name", ["encoder.W", "decoder.layer.0.cross.W_Q", "decoder.norm.gamma"])
def test_a_parameter_that_is_missing_is_named(rng, name):
    p = initial_parameters(rng, describer_shapes(n, S, 7, 3, D, 12))
    del p[name]
    with pytest.raises(ValueError, match=name):
        Describer(p, H)


def test_a_pool_that_returns_other_shapes_is_named(rng):
    p = initial_parameters(rng, vit_shapes(n, S, 6, D, 12, 1, False))
    with pytest.raises(ValueError, match=r"weights from attention_pool: expected \(B, N\) = \(3, 5\), got \(5, 3\)"):
        ViT(p, H, lambda q, t: (t[:, 0], np.ones((S, B)))).forward(np.ones((B, S, n)))
