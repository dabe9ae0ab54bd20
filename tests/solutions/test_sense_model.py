"""The model of chapter 7: its gradient, its toy sentences, and what the artifact promises."""

import numpy as np
import pytest

import coursekit
from coursekit.tasks import senses
from solutions.artifacts import sense_model
from tests import needs
from tests.solutions.slopes import assert_slopes


@pytest.fixture(scope="module")
def kept():
    return coursekit.load("sense_model")


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def model_of(arrays, seed):
    return {name[2:]: array for name, array in arrays.items() if name.startswith(f"{seed}.")}


def small(rng):
    """A small model in float64, and a batch with padding."""
    parameters = {name: array.astype(float) for name, array in sense_model.initial_parameters(rng, 4).items()}
    ids, mask = senses.encode(["now in the forest the fox hides .", "once in the old diary the small spring began ."])
    return parameters, ids, mask


def test_the_gradient_is_the_slope_of_the_loss(rng):
    parameters, ids, mask = small(rng)
    _, gradient = sense_model.loss_and_gradient(parameters, ids, mask, 2)
    assert_slopes(gradient, lambda moved: sense_model.loss_and_gradient(moved, ids, mask, 2)[0], parameters)


@needs.torch
def test_the_gradient_of_the_table_is_that_of_pytorch(rng):
    import torch

    parameters, ids, mask = small(rng)
    p = {name: torch.tensor(array, requires_grad=True) for name, array in parameters.items()}
    x = p["table"][torch.tensor(ids[:, :-1])] + p["places"][: ids.shape[1] - 1]
    q, k, v = ((x @ p[name]).unflatten(-1, (2, 2)).transpose(1, 2) for name in ("W_Q", "W_K", "W_V"))
    found = torch.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)
    logits = (x + found.transpose(1, 2).flatten(2) @ p["W_O"]) @ p["readout"]
    target = torch.tensor(np.where(mask, ids, -100)[:, 1:])
    torch.nn.functional.cross_entropy(logits.flatten(0, 1), target.flatten()).backward()
    gradient = sense_model.loss_and_gradient(parameters, ids, mask, 2)[1]
    for name in parameters:
        np.testing.assert_allclose(gradient[name], p[name].grad.numpy(), rtol=1e-9, atol=1e-12)


def test_a_short_training_run_learns():
    _, losses = sense_model.train(0, 4, steps=40)
    assert losses.shape == (2,) and losses[1] < losses[0] - 0.5


@pytest.mark.parametrize("heads", sense_model.HEADS)
def test_every_model_gives_nearly_all_probability_to_verbs_that_fit(kept, heads):
    assert kept[f"{heads}.right"].shape == (3, 2) and kept[f"{heads}.right"].min() > 0.975


@pytest.mark.parametrize("seed", sense_model.SEEDS)
def test_what_is_kept_is_what_was_measured(kept, seed):
    texts = sense_model.new_texts(ambiguous=True)
    right = sense_model.right_verbs(model_of(kept, seed), sense_model.KEPT, texts).mean()
    np.testing.assert_allclose(right, kept[f"{sense_model.KEPT}.right"][seed, 0], atol=1e-4)


# The sentences


def test_the_noun_of_many_senses_stands_in_a_place_of_its_sense(rng):
    for noun, its_senses in senses.AMBIGUOUS.items():
        for sense in its_senses:
            words = senses.sentence(rng, noun, sense).split()
            assert set(words) & set(senses.SENSES[sense][0]) and words[-3] == noun


def test_the_verb_that_stands_is_one_that_fits(rng):
    texts = [senses.sentence(rng) for _ in range(200)]
    assert all(text.split()[-2] in senses.fitting_verbs(text) for text in texts)
    assert max(len(text.split()) for text in texts) == senses.LONGEST + 1


def test_the_first_word_decides_the_tense():
    assert senses.fitting_verbs("once in the valley the spring froze .") == ["flowed", "froze", "sparkled"]


def test_no_word_has_two_numbers():
    assert len(set(senses.WORDS)) == len(senses.WORDS)


def test_encoding_pads_with_full_stops_and_says_where_words_stand():
    ids, mask = senses.encode(["now in", "once in the"])
    assert [[senses.WORDS[i] for i in row] for row in ids] == [["now", "in", "."], ["once", "in", "the"]]
    assert mask.tolist() == [[True, True, False], [True, True, True]]


@pytest.mark.parametrize(("call", "message"), [
    (lambda rng: senses.sentence(rng, "unicorn"), "got 'unicorn'"),
    (lambda rng: senses.sentence(rng, "crane", "water"), r"expected one of \['animal', 'machine'\] for 'crane', got"),
    (lambda rng: senses.encode(["now in the zoo"]), "got zoo"),
])
def test_what_is_unknown_is_named(rng, call, message):
    with pytest.raises(ValueError, match=message):
        call(rng)
