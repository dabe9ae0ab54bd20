"""The curves of quality against length: gradients against two oracles, the measures, and what the artifacts promise."""

import numpy as np
import pytest

import coursekit
from coursekit.models.phrases import PhraseTranslator, parameter_shapes
from coursekit.models.recurrent import initial_parameters
from coursekit.tasks.phrases import draw, english, french
from coursekit.trainers.phrases import loss_and_gradient, train
from solutions.artifacts import measures
from solutions.artifacts.measures import measured_sentences, misleading_sentences
from solutions.artifacts.quality_by_length import ADDITIVE, ONE_VECTOR
from tests import needs
from tests.solutions.slopes import assert_slopes

WAYS = {"one vector": (ONE_VECTOR, 0), "attention": (ADDITIVE, 6)}
SIZES = {"X": 3, "H": 4, "D": 5}


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def batch(rng):
    batch = draw(rng, 4, (5, 9))
    assert not batch.mask.all(), "the batch should hold padding"
    return batch


def some_parameters(rng, A):
    """Float64, and with biases that are not 0, so that their part in the gradient shows."""
    initial = initial_parameters(rng, parameter_shapes(**SIZES, A=A))
    return {name: array + 0.1 * rng.standard_normal(array.shape) for name, array in initial.items()}


@pytest.mark.parametrize(("attention", "A"), WAYS.values(), ids=WAYS.keys())
def test_the_gradient_is_the_slope_of_the_loss(rng, batch, attention, A):
    parameters = some_parameters(rng, A)
    _, gradient = loss_and_gradient(parameters, batch, attention)
    assert_slopes(gradient, lambda moved: loss_and_gradient(moved, batch, attention)[0], parameters)


@needs.torch
@pytest.mark.parametrize(("attention", "A"), WAYS.values(), ids=WAYS.keys())
def test_the_loss_and_its_gradient_agree_with_pytorch(rng, batch, attention, A):
    import torch

    parameters = some_parameters(rng, A)
    loss, gradient = loss_and_gradient(parameters, batch, attention)
    leaves = {name: torch.tensor(array, requires_grad=True) for name, array in parameters.items()}
    expected = torch_loss(leaves, batch)
    expected.backward()
    assert loss == pytest.approx(expected.item(), rel=1e-12)
    for name, leaf in leaves.items():
        np.testing.assert_allclose(gradient[name], leaf.grad.numpy(), rtol=0, atol=1e-10 * abs(gradient[name]).max())


def torch_loss(p, batch):
    """The same model and loss, in PyTorch's own operations."""
    import torch

    def gru(name, x, state):
        r_x, z_x, n_x = (x @ p[f"{name}.W"] + p[f"{name}.b"]).chunk(3, -1)
        r_h, z_h, n_h = (state @ p[f"{name}.U"] + p[f"{name}.c"]).chunk(3, -1)
        z = torch.sigmoid(z_x + z_h)
        return (1 - z) * torch.tanh(n_x + torch.sigmoid(r_x + r_h) * n_h) + z * state

    def read(name, order):
        state, states = torch.zeros(len(source), SIZES["H"], dtype=torch.float64), {}
        for j in order:
            new = gru(name, p["source_embedding"][source[:, j]], state)
            state = states[j] = torch.where(mask[:, j, None], new, state)
        return torch.stack([states[j] for j in sorted(states)], 1)

    source, mask = torch.tensor(batch.source), torch.tensor(batch.mask)
    S = source.shape[1]
    ahead, behind = read("forward", range(S)), read("backward", reversed(range(S)))
    memory = torch.cat([ahead, behind], -1)
    state, losses = torch.tanh(behind[:, 0] @ p["first_state"]), []
    previous = torch.zeros(len(source), dtype=torch.long)
    for t, right in enumerate(torch.tensor(batch.target).T):
        context = torch.cat([ahead[:, -1], behind[:, 0]], -1)
        if "attention.v" in p:
            scores = torch.tanh((state @ p["attention.W"])[:, None] + memory @ p["attention.U"]) @ p["attention.v"]
            context = (torch.softmax(scores.masked_fill(~mask, -torch.inf), -1)[..., None] * memory).sum(1)
        state = gru("decoder", torch.cat([p["target_embedding"][previous], context], -1), state)
        log_p = torch.log_softmax(state @ p["readout.W"] + p["readout.b"], -1)
        losses.append(-log_p[range(len(right)), right][torch.tensor(batch.target_mask[:, t])])
        previous = right
    return torch.cat(losses).mean()


@pytest.mark.parametrize(("attention", "A"), WAYS.values(), ids=WAYS.keys())
def test_training_lowers_the_loss_and_depends_on_the_seed_alone(attention, A):
    def trained():
        shapes = parameter_shapes(X=8, H=8, D=16, A=A)
        return list(train(lambda p, b: loss_and_gradient(p, b, attention), shapes, 3, (2, 22), (5, 30), 16, 0.02))

    first, second = trained(), trained()
    assert [steps for steps, _, _ in first] == [2, 22] and first[1][2] < first[0][2] - 0.3
    np.testing.assert_array_equal(first[1][1]["decoder.U"], second[1][1]["decoder.U"])


def test_the_same_sentences_measure_every_model_and_have_the_length_asked_for():
    first, second = measured_sentences(12, 5), measured_sentences(12, 5)
    assert first == second and {len(english(each).split()) for each in first} == {13}


def test_a_misleading_sentence_has_a_last_noun_of_the_other_gender():
    found = misleading_sentences(20, 30)
    assert len(found) == 30 and all(each.phrases[0].gender != each.phrases[-1].gender for each in found)


def test_a_model_that_knows_the_grammar_would_have_full_marks_and_one_that_agrees_with_the_nearest_noun_none():
    def logits_of(batch, wrong=False):
        given = np.where(batch.target == 0, -1, batch.target)
        return 1.0 * (given[..., None] == np.arange(len(measures.FRENCH))) * (-1 if wrong else 1)

    assert measures.agreement(logits_of, 20).tolist() == [1.0] * 8
    assert measures.agreement(lambda batch: logits_of(batch, wrong=True), 20).tolist() == [0.0] * 8
    assert measures.right_by_position(logits_of, 20).tolist() == [1.0] * 30


def test_a_perfect_translation_has_full_quality():
    answers = {english(each): french(each) for length in measures.MEASURED_AT
               for each in measured_sentences(length)}
    bleu, exact = measures.quality(lambda texts: [answers[text] for text in texts])
    np.testing.assert_allclose(bleu, 100)
    np.testing.assert_array_equal(exact, 1)


def test_one_vector_falls_with_length_and_attention_does_not():
    quality = coursekit.load("quality_by_length")
    long = (quality["lengths"] >= 20) & (quality["lengths"] <= 30)
    assert quality["one_vector.400.bleu"][:, long].max() <= 50
    assert quality["attention.400.bleu"][:, quality["lengths"] <= 30].min() >= 80
    assert quality["attention.1600.bleu"][:, quality["lengths"] <= 30].min() >= 95


def test_longer_training_and_a_wider_vector_move_the_fall():
    mean = {name: values.mean(axis=0) for name, values in coursekit.load("quality_by_length").items() if "bleu" in name}
    middle = 3  # 20 words
    assert mean["one_vector.400.bleu"][middle] + 10 < mean["one_vector.1600.bleu"][middle]
    assert mean["one_vector.1600.bleu"][middle] + 10 < mean["one_vector.3200.bleu"][middle]
    assert mean["one_vector.1600.bleu"][middle] + 10 < mean["wide_vector.1600.bleu"][middle]


def test_the_kept_translator_is_the_one_that_was_measured():
    translator = PhraseTranslator(coursekit.load("phrase_one_vector"))
    bleu, _ = measures.quality(lambda texts: translator.translate(texts)[0])
    expected = coursekit.load("quality_by_length")["one_vector.3200.bleu"][0]
    np.testing.assert_allclose(bleu, expected, atol=3)
