"""Lab 01: the reference against oracles and laws."""

from functools import partial

import numpy as np
import pytest

from coursekit.check import CheckFailed
from coursekit.check import lab01_additive_attention as visible_checks
from solutions.lab01_additive_attention import reference
from tests import needs
from tests.labs import judging

share = partial(judging.share, "lab01_additive_attention")

B, S, D, E, A = 3, 5, 4, 6, 7


@pytest.fixture
def batch():
    rng = np.random.default_rng(1)
    shapes = {"state": (B, D), "memory": (B, S, E), "W": (D, A), "U": (E, A), "v": (A,)}
    arrays = {name: rng.normal(size=shape) for name, shape in shapes.items()}
    return arrays | {"mask": np.arange(S) < np.array([[3], [5], [1]])}


# The reference


@needs.torch
@pytest.mark.parametrize("axis", [0, 1, -1])
def test_softmax_is_that_of_pytorch(axis):
    import torch

    x = np.random.default_rng(2).normal(size=(3, 4, 5)) * 50
    expected = torch.softmax(torch.from_numpy(x), dim=axis).numpy()
    np.testing.assert_allclose(reference.softmax(x, axis=axis), expected, rtol=1e-12)


@needs.torch
def test_masked_softmax_is_that_of_pytorch_where_something_is_seen(batch):
    import torch

    scores = np.random.default_rng(3).normal(size=(B, S))
    hidden = torch.from_numpy(scores).masked_fill(torch.from_numpy(~batch["mask"]), -np.inf)
    expected = torch.softmax(hidden, dim=-1).numpy()
    np.testing.assert_allclose(reference.masked_softmax(scores, batch["mask"]), expected, rtol=1e-12)


@needs.torch
def test_additive_attention_is_that_of_pytorch(batch):
    import torch

    state, memory, W, U, v, mask = (torch.from_numpy(a) for a in batch.values())
    linear = torch.nn.functional.linear
    scores = linear(torch.tanh(linear(state, W.T).unsqueeze(1) + linear(memory, U.T)), v.unsqueeze(0)).squeeze(-1)
    weights = torch.softmax(scores.masked_fill(~mask, -np.inf), dim=1)
    context = torch.bmm(weights.unsqueeze(1), memory).squeeze(1)
    for got, expected in zip(reference.additive_attention(**batch), (context, weights), strict=True):
        np.testing.assert_allclose(got, expected.numpy(), rtol=1e-10, atol=1e-12)


def test_the_worked_example_comes_out_digit_for_digit():
    args = visible_checks.worked_example()
    scores = reference.alignment(*args)
    np.testing.assert_allclose(scores[:, 0], visible_checks.WORKED_SCORES, atol=5e-9)
    np.testing.assert_allclose(reference.softmax(scores)[:, 0], visible_checks.WORKED_WEIGHTS, atol=5e-9)
    np.testing.assert_allclose(reference.attention(*args), visible_checks.WORKED_CONTEXT, atol=5e-9)


def test_one_sentence_and_a_batch_of_one_agree(batch):
    memory, state = batch["memory"][0], batch["state"][:1]
    layer_1, layer_2 = np.concatenate([batch["U"], batch["W"]]), batch["v"][:, None]
    alone = reference.attention(memory, state, layer_1, layer_2)
    open_mask = np.ones((1, S), bool)
    context, _ = reference.additive_attention(state, memory[None], open_mask, batch["W"], batch["U"], batch["v"])
    np.testing.assert_allclose(context[0], alone, rtol=1e-12)


def test_permuting_the_memory_permutes_the_weights(batch):
    context, weights = reference.additive_attention(**batch)
    order = np.random.default_rng(4).permutation(S)
    moved = batch | {"memory": batch["memory"][:, order], "mask": batch["mask"][:, order]}
    np.testing.assert_allclose(reference.additive_attention(**moved)[1], weights[:, order], rtol=1e-12)
    np.testing.assert_allclose(reference.additive_attention(**moved)[0], context, rtol=1e-12)


def test_zero_v_averages_the_visible_memory(batch):
    context, _ = reference.additive_attention(**batch | {"v": np.zeros(A)})
    expected = [m[row].mean(axis=0) for m, row in zip(batch["memory"], batch["mask"], strict=True)]
    np.testing.assert_allclose(context, expected, rtol=1e-12)


def test_what_padding_holds_has_no_influence(batch):
    context, weights = reference.additive_attention(**batch)
    filled = np.where(batch["mask"][..., None], batch["memory"], 1e6)
    again = reference.additive_attention(**batch | {"memory": filled})
    np.testing.assert_array_equal(again[0], context)
    np.testing.assert_array_equal(again[1], weights)


def test_a_sentence_with_nothing_to_look_at_gets_zeros(batch):
    batch["mask"][1] = False
    context, weights = reference.additive_attention(**batch)
    assert not context[1].any() and not weights[1].any()
    np.testing.assert_allclose(weights.sum(axis=1), [1, 0, 1])


def test_alignment_names_what_does_not_fit():
    encoder_states, decoder_state, layer_1, layer_2 = visible_checks.worked_example()
    with pytest.raises(ValueError, match=r"layer_1: expected \(E\+D, A\) = \(32, any\), got \(31, 10\)"):
        reference.alignment(encoder_states, decoder_state, layer_1[1:], layer_2)


def test_a_mask_of_numbers_is_refused():
    with pytest.raises(ValueError, match="mask: expected bool"):
        reference.masked_softmax(np.zeros((2, 3)), np.ones((2, 3)))


# The hidden checks


def test_always_looking_at_the_first_word_earns_nothing_though_each_function_follows_from_the_one_before():
    def first_word(x, *_, axis=-1):
        weights = np.zeros(x.shape)
        np.moveaxis(weights, axis, 0)[0] = 1
        return weights

    answers = {
        "softmax": lambda x, axis=0: first_word(x, axis=axis),
        "attention": lambda encoder_states, *_: encoder_states[0],
        "masked_softmax": lambda scores, mask: np.where(mask, first_word(scores), 0.0),
        "additive_attention": lambda state, memory, mask, *_: (memory[:, 0] * mask[:, :1], first_word(mask) * mask),
    }
    assert [share(exercise, **answers) for exercise in answers] == [0, 0, 0, 0]


def test_a_function_right_on_the_visible_example_alone_earns_nothing():
    printed = {"alignment": visible_checks.WORKED_SCORES, "attention": visible_checks.WORKED_CONTEXT}
    for exercise, numbers in printed.items():
        shape = (5, 1) if exercise == "alignment" else (16,)
        assert share(exercise, **{exercise: lambda *_, n=numbers, s=shape: np.reshape(n, s)}) == 0


@pytest.mark.parametrize("low", [-1e3, -1e4])
def test_no_small_number_stands_for_a_hidden_score(low):
    def masked_softmax(scores, mask):
        return reference.softmax(np.where(mask, scores, low), axis=-1) * mask

    with pytest.raises(CheckFailed, match=r"as -np\.inf is"):
        visible_checks.masked_softmax(masked_softmax)
    assert share("masked_softmax", masked_softmax=masked_softmax) <= 0.5


@pytest.mark.parametrize(("exercise", "wrong", "says"), [
    ("softmax", lambda x, axis=0: reference.softmax(np.minimum(x, 700), axis), "so cut none off at a bound"),
    ("softmax", lambda x, axis=0: np.exp(x - x.min(axis, keepdims=True)) / np.exp(x - x.min(axis, keepdims=True)).sum(
        axis, keepdims=True), "the largest score, not the least or the mean"),
    ("masked_softmax", lambda scores, mask: np.where(mask.any(-1, keepdims=True), reference.masked_softmax(
        scores, mask), 1 / mask.shape[-1]), "zeros were meant, not 1/S"),
    ("additive_attention", lambda s, m, mask, *layers: reference.additive_attention(s, m, ~mask, *layers),
     "your mask is the wrong way round"),
], ids=["clipped", "least", "uniform", "inverted"])
def test_the_likeliest_slips_are_named(exercise, wrong, says):
    with pytest.raises(CheckFailed, match=says):
        getattr(visible_checks, exercise)(wrong)
