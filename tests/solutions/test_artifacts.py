"""How the artifacts were made: gradients against two oracles, and artifacts against the code in the tree."""

from zipfile import ZipFile

import numpy as np
import pytest

import coursekit
from coursekit.dates import all_days, date_pairs
from coursekit.translator import DateTranslator, parameter_shapes
from solutions.artifacts import date_translator
from solutions.artifacts.adam import Adam, clip, flatten, views
from solutions.artifacts.date_translator import encode_pairs, initial_parameters, loss_and_gradient, run, train
from solutions.artifacts.store import save
from tests import needs

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
    loss, gradient = loss_and_gradient(parameters, batch)
    np.testing.assert_allclose(loss, expected.item(), rtol=1e-12)
    for name, value in values.items():
        np.testing.assert_allclose(gradient[name], value.grad.numpy(), rtol=0, atol=1e-12, err_msg=name)


@pytest.mark.parametrize("name", SMALL)
def test_the_gradient_is_the_slope_of_the_loss(parameters, batch, rng, name):
    direction = rng.standard_normal(SMALL[name])
    gradient = loss_and_gradient(parameters, batch)[1][name]

    def loss(step):
        return loss_and_gradient(parameters | {name: parameters[name] + step * direction}, batch)[0]

    h = 1e-3  # fourth order: the error of the formula is about h⁴, that of rounding about 1e-16 / h
    slope = (8 * (loss(h) - loss(-h)) - (loss(2 * h) - loss(-2 * h))) / (12 * h)
    np.testing.assert_allclose((gradient * direction).sum(), slope, rtol=1e-7, atol=1e-12)


def test_the_training_forward_agrees_with_the_translator_given_a_students_attention(parameters, batch):
    model = DateTranslator(parameters)
    trace = run(model, batch)
    for t in range(batch.target.shape[1]):
        context, weights = additive_attention(trace.states[:, t], trace.memory, batch.mask, model.W, model.U, model.v)
        state, logits = model.step(trace.states[:, t], trace.previous[:, t], context)
        np.testing.assert_allclose(weights, trace.weights[:, t], rtol=0, atol=1e-12)
        np.testing.assert_allclose(state, trace.states[:, t + 1], rtol=0, atol=1e-12)
        np.testing.assert_allclose(logits, trace.logits[:, t], rtol=0, atol=1e-12)


def test_the_decoder_is_told_the_character_before_never_the_one_it_should_write(parameters, batch):
    previous = run(DateTranslator(parameters), batch).previous
    assert (previous[:, 0] == 0).all()
    np.testing.assert_array_equal(previous[:, 1:], batch.target[:, :-1])


def test_five_steps_twice_give_the_same_numbers_and_a_smaller_loss():
    (first, losses, _), (second, again, _) = (train(seed=3, steps=5, batch_size=6) for _ in range(2))
    np.testing.assert_array_equal(losses, again)
    np.testing.assert_array_equal(flatten(first), flatten(second))
    assert losses[-1] < losses[0]


def test_training_stays_in_float32():
    parameters, _, _ = train(seed=0, steps=1, batch_size=2)
    assert {array.dtype.name for array in parameters.values()} == {"float32"}


@needs.torch
def test_adam_and_clipping_equal_torch(rng):
    import torch

    ours = rng.standard_normal(9).astype(np.float32)
    theirs = torch.nn.Parameter(torch.tensor(ours))
    adam, oracle = Adam(9), torch.optim.Adam([theirs], lr=0.02)
    for gradient in rng.standard_normal((6, 9)).astype(np.float32):
        theirs.grad = torch.tensor(gradient)
        torch.nn.utils.clip_grad_norm_([theirs], 1.0)
        oracle.step()
        adam.step(ours, clip(gradient), 0.02)
    np.testing.assert_allclose(ours, theirs.detach().numpy(), atol=1e-5)


def test_a_short_gradient_is_not_clipped():
    np.testing.assert_array_equal(clip(np.array([0.3, 0.4])), [0.3, 0.4])


def test_views_share_the_vector_they_were_cut_from():
    vector = np.arange(7.0)
    named = views(vector, {"a": (2, 3), "b": (1,)})
    named["a"][1, 2] = 50
    assert vector[5] == 50
    np.testing.assert_array_equal(flatten(named), vector)


def test_a_vector_that_does_not_fit_the_shapes_is_named():
    with pytest.raises(ValueError, match=r"vector: expected shape \(7,\), got \(6,\)"):
        views(np.zeros(6), {"a": (2, 3), "b": (1,)})


def test_saving_twice_gives_the_same_bytes_and_numpy_reads_them(tmp_path, rng):
    arrays = {"a.b": rng.standard_normal((2, 3)), "note": np.array("kept")}
    for name in ("one.npz", "two.npz"):
        save(tmp_path / name, arrays)
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "two.npz").read_bytes()
    with np.load(tmp_path / "one.npz", allow_pickle=False) as read:
        assert all(np.array_equal(read[name], array) for name, array in arrays.items())


def test_no_time_of_day_is_saved(tmp_path):
    save(tmp_path / "one.npz", {"a": np.zeros(2)})
    assert {member.date_time for member in ZipFile(tmp_path / "one.npz").infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_the_artifact_was_made_by_the_code_in_the_tree():
    made_by = coursekit.load("date_translator")["about.sources_sha256"]
    assert made_by == date_translator.sources_hash(), "coursekit/data/date_translator.npz is stale: run make artifacts"


def test_the_artifact_says_how_it_was_made_and_how_good_it_is():
    arrays = coursekit.load("date_translator")
    assert (arrays["about.seed"], arrays["about.steps"]) == (date_translator.SEED, date_translator.STEPS)
    assert arrays["about.exact_match"] >= 0.99
