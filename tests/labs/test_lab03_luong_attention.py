"""Lab 03: the reference against oracles and laws."""

import numpy as np
import pytest

from coursekit.check import CheckFailed
from coursekit.check import lab03_luong_attention as visible_checks
from solutions.lab01_additive_attention import reference as lab01
from solutions.lab03_luong_attention import reference
from tests import needs
from tests.labs.judging import share

B, S, D, E, A = 3, 5, 4, 6, 7


@pytest.fixture
def arrays():
    rng = np.random.default_rng(1)
    shapes = {"state": (B, D), "memory": (B, S, E), "scores": (B, S), "W": (D, E), "stacked": (D + E, A), "v": (A,)}
    shapes |= {"W_c": (E + D, D), "W_p": (D, A)}
    given = {name: rng.normal(size=shape) for name, shape in shapes.items()}
    return given | {"mask": np.arange(S) < np.array([[3], [5], [1]]), "narrow": rng.normal(size=(B, S, D))}


def of(arrays, *names):
    return [arrays[name] for name in names]


# The reference


def torch_of(arrays, *names):
    import torch

    return [torch.from_numpy(arrays[name]) for name in names]


@needs.torch
def test_dot_score_is_that_of_pytorch(arrays):
    import torch

    state, memory = torch_of(arrays, "state", "narrow")
    expected = torch.bmm(memory, state.unsqueeze(-1)).squeeze(-1).numpy()
    np.testing.assert_allclose(reference.dot_score(*of(arrays, "state", "narrow")), expected, rtol=1e-12)


@needs.torch
def test_general_score_is_pytorchs_bilinear_form(arrays):
    import torch

    state, memory, W = torch_of(arrays, "state", "memory", "W")
    wide = state[:, None].expand(B, S, D).contiguous()
    expected = torch.nn.functional.bilinear(wide, memory, W[None])[..., 0].numpy()
    np.testing.assert_allclose(reference.general_score(*of(arrays, "state", "memory", "W")), expected, rtol=1e-12)


@needs.torch
def test_concat_score_is_that_of_pytorch(arrays):
    import torch

    state, memory, W, v = torch_of(arrays, "state", "memory", "stacked", "v")
    pairs = torch.cat([state[:, None].expand(B, S, D), memory], dim=-1)
    expected = torch.nn.functional.linear(torch.tanh(torch.nn.functional.linear(pairs, W.T)), v[None])[..., 0].numpy()
    got = reference.concat_score(*of(arrays, "state", "memory", "stacked", "v"))
    np.testing.assert_allclose(got, expected, rtol=1e-10, atol=1e-12)


@needs.torch
def test_attentional_state_is_that_of_pytorch(arrays):
    import torch

    weights, state, memory, W_c = torch_of(arrays, "scores", "state", "memory", "W_c")
    context = torch.bmm(weights.unsqueeze(1), memory).squeeze(1)
    expected = torch.tanh(torch.nn.functional.linear(torch.cat([context, state], 1), W_c.T)).numpy()
    got = reference.attentional_state(*of(arrays, "scores", "state", "memory", "W_c"))
    np.testing.assert_allclose(got, expected, rtol=1e-10, atol=1e-12)


@needs.torch
def test_predicted_centre_is_that_of_pytorch(arrays):
    import torch

    state, W_p, v_p = torch_of(arrays, "state", "W_p", "v")
    share_of = torch.sigmoid(torch.tanh(state @ W_p) @ v_p).numpy()
    got = reference.predicted_centre(*of(arrays, "state", "mask", "W_p", "v"))
    np.testing.assert_allclose(got, [3, 5, 1] * share_of, rtol=1e-12)


@needs.torch
def test_local_weights_are_pytorchs_softmax_in_the_window_times_a_normal_density(arrays):
    import torch

    scores, mask = torch_of(arrays, "scores", "mask")
    centre, reach = torch.tensor([1.25, 3.0, 0.5], dtype=torch.float64)[:, None], 2
    inside = mask & ((torch.arange(S) - centre).abs() <= reach)
    normal = torch.distributions.Normal(centre, reach / 2)
    bell = torch.exp(normal.log_prob(torch.arange(S)) - normal.log_prob(centre))
    expected = (torch.softmax(scores.masked_fill(~inside, -torch.inf), dim=1) * bell).numpy()
    got = reference.local_weights(arrays["scores"], arrays["mask"], centre.numpy()[:, 0], reach)
    np.testing.assert_allclose(got, expected, rtol=1e-10, atol=1e-15)


def test_general_with_the_identity_is_dot(arrays):
    state, memory = of(arrays, "state", "narrow")
    expected = reference.dot_score(state, memory)
    np.testing.assert_allclose(reference.general_score(state, memory, np.eye(D)), expected, rtol=1e-12)


def test_concat_is_the_additive_score_with_its_matrices_stacked(arrays):
    state, memory, W, v, mask = of(arrays, "state", "memory", "stacked", "v", "mask")
    weights = lab01.masked_softmax(reference.concat_score(state, memory, W, v), mask)
    np.testing.assert_allclose(lab01.additive_attention(state, memory, mask, W[:D], W[D:], v)[1], weights, rtol=1e-12)


def test_the_weights_of_a_window_sum_to_less_than_one_and_are_zero_outside(arrays):
    weights = reference.local_weights(arrays["scores"], np.ones((B, S), bool), np.array([1.5, 2.0, 3.25]), 1)
    assert (weights.sum(axis=1) < 1).all() and (weights.sum(axis=1) > 0.1).all()
    np.testing.assert_array_equal(weights > 0, [[0, 1, 1, 0, 0], [0, 1, 1, 1, 0], [0, 0, 0, 1, 1]])


def test_a_very_wide_window_is_global_attention(arrays):
    scores, mask = of(arrays, "scores", "mask")
    weights = reference.local_weights(scores, mask, np.full(B, 2.0), 1e6)
    np.testing.assert_allclose(weights, lab01.masked_softmax(scores, mask), rtol=1e-9)


def test_the_predicted_centre_lies_within_the_words_of_the_sentence(arrays):
    state = 100 * np.random.default_rng(0).normal(size=(B, D))
    centre = reference.predicted_centre(state, *of(arrays, "mask", "W_p", "v"))
    assert (centre >= 0).all() and (centre <= [3, 5, 1]).all()


def test_a_sentence_without_words_gets_zeros_and_keeps_the_states_part(arrays):
    arrays["mask"][1] = False
    centre = reference.predicted_centre(*of(arrays, "state", "mask", "W_p", "v"))
    weights = reference.local_weights(arrays["scores"], arrays["mask"], centre, 2)
    told = reference.attentional_state(weights, *of(arrays, "state", "memory", "W_c"))
    assert centre[1] == 0 and not weights[1].any()
    np.testing.assert_allclose(told[1], np.tanh(arrays["state"][1] @ arrays["W_c"][E:]), rtol=1e-12)


def test_unequal_widths_have_no_dot_product():
    with pytest.raises(ValueError, match="expected states of one width, got D = 1, E = 6"):
        reference.dot_score(np.zeros((2, 1)), np.zeros((2, 3, 6)))


def test_a_window_that_reaches_nowhere_is_refused(arrays):
    with pytest.raises(ValueError, match="reach: expected a number above 0, got 0"):
        reference.local_weights(arrays["scores"], arrays["mask"], np.zeros(B), 0)


# The hidden checks


@pytest.mark.parametrize(("message", "earned"), [
    ("expected equal widths, got {} and {}", 1), ("expected equal widths, got 4 and 6", 0.8), ("", 0.8), (None, 0.5)])
def test_half_of_the_points_of_dot_score_are_for_its_refusal_of_which_two_fifths_for_the_message(message, earned):
    def dot_score(state, memory):
        if message is not None and state.shape[1] != memory.shape[2]:
            raise ValueError(message.format(state.shape[1], memory.shape[2]))
        return (state[:, None] * memory[:, :, :state.shape[1]]).sum(axis=-1)

    assert share("lab03_luong_attention", "dot_score", dot_score=dot_score) == pytest.approx(earned)


def mixed(blend, axis=1):
    """The attentional state, with another way to the context."""
    def attentional_state(weights, state, memory, W_c):
        return np.tanh(np.concatenate([blend(weights, memory), state], axis=axis) @ W_c)

    return attentional_state


def share_of(words, sign=-1):
    """The predicted centre, with another number of words or sign of the exponent."""
    def predicted_centre(state, mask, W_p, v_p):
        return words(mask) / (1 + np.exp(sign * (np.tanh(state @ W_p) @ v_p)))

    return predicted_centre


def with_the_bell_inside(scores, mask, centre, reach):
    """Local weights that are normalised with the bell."""
    offset = np.arange(scores.shape[1]) - centre[:, None]
    return lab01.masked_softmax(scores - 2 * (offset / reach) ** 2, mask & (np.abs(offset) <= reach))


@pytest.mark.parametrize(("exercise", "words", "slip"), [
    ("attentional_state", "you took their mean", mixed(lambda w, memory: (w[..., None] * memory).mean(axis=1))),
    ("attentional_state", "you normalised the weights",
     mixed(lambda w, memory: np.einsum("bs,bse->be", w / w.sum(axis=1, keepdims=True), memory))),
    ("attentional_state", "no squeeze", mixed(lambda w, memory: (w[:, None] @ memory).squeeze())),
    ("attentional_state", "no squeeze", mixed(lambda w, memory: (w[:, None] @ memory).squeeze(), axis=-1)),
    ("predicted_centre", "of the whole batch", share_of(np.sum)),
    ("predicted_centre", "not by one less", share_of(lambda mask: mask.sum(axis=1) - 1)),
    ("predicted_centre", "the exponent has a minus", share_of(lambda mask: mask.sum(axis=1), sign=1)),
    ("local_weights", "is the bell within the softmax", with_the_bell_inside),
], ids=["mean", "normalised", "squeezed", "squeezed-from-the-right", "batch", "one-less", "plus", "bell"])
def test_a_slip_is_named_by_the_visible_check(exercise, words, slip):
    with pytest.raises(CheckFailed, match=words):
        getattr(visible_checks, exercise)(slip)
