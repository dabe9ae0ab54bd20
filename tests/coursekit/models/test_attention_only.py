"""The decoder of nothing but attention: its gradient is the slope of its loss, and it looks at nothing ahead."""

import numpy as np
import pytest

from coursekit.models.attention_only import AttentionOnly, initial_parameters, parameter_shapes
from tests.solutions.slopes import assert_slopes

B, T, V, D, H, L = 2, 5, 7, 6, 3, 2


@pytest.fixture
def rng():
    return np.random.default_rng(2)


@pytest.fixture
def p(rng):
    return initial_parameters(rng, parameter_shapes(V, D, T, L), 0.7)


def test_its_gradient_is_the_slope_of_its_loss(rng, p):
    ids, d_logits = rng.integers(V, size=(B, T)), rng.normal(size=(B, T, V))
    model = AttentionOnly(p, H)
    model.forward(ids)
    model.backward(d_logits)
    assert_slopes(model.g, lambda other: (AttentionOnly(other, H).forward(ids) * d_logits).sum(), p)


def test_a_token_changes_no_logits_before_it(rng, p):
    ids, model = rng.integers(V, size=(B, T)), AttentionOnly(p, H)
    other = np.where(np.arange(T) < 3, ids, (ids + 1) % V)
    np.testing.assert_array_equal(model.forward(ids)[:, :3], model.forward(other)[:, :3])


def test_without_all_heads_a_logit_is_that_of_the_token_and_its_position(rng, p):
    ids = rng.integers(V, size=(B, T))
    silent = AttentionOnly(p, H).silenced(np.zeros((L, H), bool))
    np.testing.assert_allclose(silent.forward(ids), (p["E"][ids] + p["P"]) @ p["U"], rtol=1e-12)


def test_a_head_that_is_silenced_leaves_the_others_where_they_look_in_its_layer(rng, p):
    ids, model = rng.integers(V, size=(B, T)), AttentionOnly(p, H)
    silent = model.silenced(np.arange(L * H).reshape(L, H) != 1)
    model.forward(ids), silent.forward(ids)
    changed = np.abs(model.weights() - silent.weights()).max(axis=(1, 2, 3, 4))
    assert changed[0] == 0 < changed[1]


def test_speaks_that_do_not_fit_are_named(p):
    with pytest.raises(ValueError, match=r"speaks: expected \(L, h\) = \(2, 3\), got \(3, 2\)"):
        AttentionOnly(p, H).silenced(np.ones((3, 2), bool))
