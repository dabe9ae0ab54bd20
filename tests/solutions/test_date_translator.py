"""The models of dates: gradients against two oracles, and what the artifacts promise."""

import numpy as np
import pytest

import coursekit
from coursekit.models.dates import DateTranslator, parameter_shapes
from coursekit.models.recurrent import initial_parameters
from coursekit.tasks.dates import all_days, date_pairs, encode_pairs
from coursekit.trainers.dates import DateTrainer, loss_and_gradient, run
from solutions.artifacts import date_curves, date_translator
from solutions.artifacts.date_translator import PARTS
from tests import needs
from tests.solutions.slopes import assert_slopes

SMALL = parameter_shapes(X=3, H=4, D=5, A=6)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def parameters(rng):
    """Float64, and with biases that are not 0, so that their part in the gradient shows."""
    initial = initial_parameters(rng, SMALL)
    return {name: array + 0.1 * rng.standard_normal(array.shape) for name, array in initial.items()}


@pytest.fixture
def batch(rng):
    texts, isos = date_pairs(rng, all_days(), 7)
    assert len(set(map(len, texts))) > 1, "the batch should hold padding"
    return encode_pairs(texts, isos)


def additive_attention(state, memory, mask, W, U, v):
    scores = np.tanh((state @ W)[:, None] + memory @ U) @ v
    weights = np.where(mask, np.exp(scores), 0)
    weights /= weights.sum(axis=-1, keepdims=True)
    return np.einsum("bs,bse->be", weights, memory), weights


def torch_unit(module, values, **names):
    """`module` (a torch GRU or GRUCell) with our unit names[suffix] as its parameters of that suffix."""
    import torch

    ours = {"weight_ih": "W", "weight_hh": "U", "bias_ih": "b", "bias_hh": "c"}
    theirs = {what + suffix: values[f"{unit}.{ours[what]}"].mT if "weight" in what else values[f"{unit}.{ours[what]}"]
              for suffix, unit in names.items() for what in ours}
    return lambda *inputs: torch.func.functional_call(module, theirs, inputs)


def torch_loss(values, batch):
    """The same loss, written with PyTorch's own GRU, softmax and cross-entropy."""
    import torch
    from torch.nn.utils import rnn

    mask, target = torch.tensor(batch.mask), torch.tensor(batch.target)
    embedded = values["source_embedding"][torch.tensor(batch.source)]
    packed = rnn.pack_padded_sequence(embedded, mask.sum(1), batch_first=True, enforce_sorted=False)
    encoder = torch.nn.GRU(3, 4, batch_first=True, bidirectional=True)
    encoder = torch_unit(encoder, values, _l0="forward", _l0_reverse="backward")
    decoder = torch_unit(torch.nn.GRUCell(3 + 8, 5), values, **{"": "decoder"})
    memory, _ = rnn.pad_packed_sequence(encoder(packed)[0], batch_first=True)
    state = torch.tanh(memory[:, 0, 4:] @ values["first_state"])
    previous, logits = torch.zeros(len(target), dtype=torch.long), []
    for t in range(target.shape[1]):
        features = torch.tanh((state @ values["attention.W"])[:, None] + memory @ values["attention.U"])
        scores = (features @ values["attention.v"]).masked_fill(~mask, -torch.inf)
        context = torch.einsum("bs,bse->be", scores.softmax(-1), memory)
        state = decoder(torch.cat([values["target_embedding"][previous], context], -1), state)
        logits.append(state @ values["readout.W"] + values["readout.b"])
        previous = target[:, t]
    return torch.nn.functional.cross_entropy(torch.stack(logits, 2), target)


@needs.torch
def test_loss_and_gradient_equal_those_of_torch(parameters, batch):
    import torch

    values = {name: torch.tensor(array, requires_grad=True) for name, array in parameters.items()}
    expected = torch_loss(values, batch)
    expected.backward()
    loss, gradient = loss_and_gradient(parameters, batch, PARTS)
    np.testing.assert_allclose(loss, expected.item(), rtol=1e-12)
    for name, value in values.items():
        np.testing.assert_allclose(gradient[name], value.grad.numpy(), rtol=0, atol=1e-12, err_msg=name)


@pytest.mark.parametrize("parts", [date_curves.ATTENTION, date_curves.FIXED])
def test_the_gradient_is_the_slope_of_the_loss(parameters, batch, parts):
    _, gradient = loss_and_gradient(parameters, batch, parts)
    assert_slopes(gradient, lambda moved: loss_and_gradient(moved, batch, parts)[0], parameters)


def test_the_training_forward_agrees_with_the_translator_given_a_students_attention(parameters, batch):
    model = DateTranslator(parameters)
    trace = run(model, batch, PARTS.attend)
    for t in range(batch.target.shape[1]):
        context, weights = additive_attention(trace.states[:, t], trace.memory, batch.mask, model.W, model.U, model.v)
        state, logits = model.step(trace.states[:, t], trace.previous[:, t], context)
        np.testing.assert_allclose(weights, trace.weights[:, t], rtol=0, atol=1e-12)
        np.testing.assert_allclose(state, trace.states[:, t + 1], rtol=0, atol=1e-12)
        np.testing.assert_allclose(logits, trace.logits[:, t], rtol=0, atol=1e-12)


def some_steps(seed, steps, batch_size):
    trainer = DateTrainer(seed, PARTS)
    trainer.train(steps, batch_size)
    return trainer


def test_five_steps_twice_give_the_same_numbers_and_a_smaller_loss():
    first, second = (some_steps(seed=3, steps=5, batch_size=6) for _ in range(2))
    np.testing.assert_array_equal(first.losses, second.losses)
    np.testing.assert_array_equal(first.vector, second.vector)
    assert first.losses[-1] < first.losses[0]


def test_five_steps_are_two_and_three_more():
    whole, parted = some_steps(3, 5, 6), some_steps(3, 2, 6)
    parted.train(3, 6)
    np.testing.assert_array_equal(whole.vector, parted.vector)


def test_training_stays_in_float32():
    parameters = some_steps(seed=0, steps=1, batch_size=2).parameters
    assert {array.dtype.name for array in parameters.values()} == {"float32"}


def test_one_vector_is_what_both_directions_hold_at_their_ends_whatever_is_asked(rng):
    memory, mask = rng.standard_normal((2, 5, 6)), np.ones((2, 5), bool)
    context, weights = date_curves.one_vector(None, None, memory, mask, None)
    np.testing.assert_array_equal(context, np.concatenate([memory[:, 4, :3], memory[:, 0, 3:]], axis=1))
    assert weights.shape == mask.shape and not weights.any()


@pytest.mark.parametrize(
    ("text", "iso", "places"),
    [
        ("25 March 1984", "1984-03-25", [9, 10, 11, 12, -1, -1, -1, -1, 0, 1]),
        ("2009 September 3", "2009-09-03", [0, 1, 2, 3, -1, -1, -1, -1, -1, 15]),
        ("monday 20 may 2002", "2002-05-20", [14, 15, 16, 17, -1, -1, -1, -1, 7, 8]),
    ],
)
def test_a_copied_digit_is_found_where_it_stands(text, iso, places):
    assert date_curves.copied_places(text, iso).tolist() == places


def test_a_short_curve_has_a_mark_for_each_measurement():
    exact, losses, on_digit = date_curves.curve(0, date_curves.ATTENTION, marks=2, every=1)
    assert len(exact) == len(losses) == 2 and on_digit.shape == (10,)


def test_the_curves_hold_what_chapter_3_says():
    curves = coursekit.load("date_curves")
    assert curves["attention.exact"].shape == curves["fixed.loss"].shape == (3, 20)
    assert curves["attention.exact"][:, 7].min() >= 0.99 > curves["fixed.exact"][:, 7].max()


def test_the_artifact_says_how_it_was_made_and_how_good_it_is():
    arrays = coursekit.load("date_translator")
    assert (arrays["about.seed"], arrays["about.steps"]) == (date_translator.SEED, date_translator.STEPS)
    assert arrays["about.exact_match"] >= 0.99
