"""The pointer's task, its gradients against PyTorch and central differences, and its training loop."""

import numpy as np
import pytest

from coursekit.gradient_check import check_gradient
from coursekit.models import pointer
from coursekit.models.pointer import Batch, keyed_digits, look, read, train
from solutions.lab04_hard_attention.reference import estimate_gradient, move_baseline, sample_positions
from tests import needs

B = 5


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def batch(rng):
    return Batch(*(a.astype(float) if a.dtype == np.float32 else a for a in keyed_digits(rng, B, 3, 7)))


@pytest.fixture
def parameters(rng):
    return {name: 0.5 * rng.standard_normal(shape) for name, shape in pointer.SHAPES.items()}


# The task


def test_the_key_asked_for_stands_at_its_place_and_the_answer_beside_it(rng):
    batch, rows = keyed_digits(rng, 200), np.arange(200)
    there = batch.memory[rows, batch.place]
    np.testing.assert_array_equal(there[:, : pointer.D], batch.state)
    np.testing.assert_array_equal(there[:, pointer.D :], batch.answer)
    assert batch.mask[rows, batch.place].all()


def test_no_key_stands_twice_and_padding_is_empty(rng):
    batch = keyed_digits(rng, 200)
    assert batch.memory[:, :, : pointer.D].sum(axis=1).max() == 1
    np.testing.assert_array_equal(batch.memory.sum(axis=-1), 2 * batch.mask)
    lengths = batch.mask.sum(axis=1)
    assert (lengths.min(), lengths.max()) == (12, 24) and batch.mask[:, :12].all()


def test_a_sequence_is_spelt_as_it_stands(rng):
    batch = keyed_digits(rng, 3)
    items, key = pointer.spell(batch, 1)
    assert len(items) == batch.mask[1].sum() and items[batch.place[1]].startswith(key)
    assert items[batch.place[1]][1] == pointer.DIGITS[batch.answer[1].argmax()]


def test_questions_ask_for_every_key_of_one_sequence(rng):
    batch = keyed_digits(rng, 2)
    asked = pointer.questions(batch, 1)
    items, _ = pointer.spell(batch, 1)
    assert [pointer.spell(asked, row) for row in range(len(items))] == [(items, item[0]) for item in items]
    np.testing.assert_array_equal(asked.memory[asked.place, asked.place][:, pointer.D :], asked.answer)


@pytest.mark.parametrize("lengths", [(0, 5), (6, 5), (5, 25)])
def test_lengths_that_cannot_be_are_refused(rng, lengths):
    with pytest.raises(ValueError, match=r"lengths: expected 1 <= shortest <= longest <= 24, got"):
        keyed_digits(rng, 2, *lengths)


# The model


@needs.torch
def test_weights_and_probabilities_equal_those_of_torch(parameters, batch):
    import torch

    W, U, v, R = (torch.tensor(parameters[name]) for name in pointer.SHAPES)
    state, memory, mask = (torch.tensor(a) for a in (batch.state, batch.memory, batch.mask))
    scores = (torch.tanh((state @ W)[:, None] + memory @ U) @ v).masked_fill(~mask, -torch.inf)
    np.testing.assert_allclose(look(parameters, batch)[0], torch.softmax(scores, 1).numpy(), rtol=1e-10, atol=1e-14)
    seen = memory[:, 0]
    np.testing.assert_allclose(read(parameters, seen.numpy()), torch.softmax(seen @ R, 1).numpy(), rtol=1e-10)


def by_hand(parameters, batch, chosen, advantage, curiosity):
    """The gradients of the loss below, as `train` puts them together."""
    weights, features = look(parameters, batch)
    seen = batch.memory[np.arange(B), chosen]
    uphill = estimate_gradient(weights, chosen, advantage, 0.0) + curiosity * pointer.entropy_gradient(weights)
    return pointer.gradients(parameters, batch, features, seen, read(parameters, seen), -uphill / B)


@needs.torch
def test_every_gradient_equals_the_one_that_torch_finds_for_the_same_loss(parameters, batch, rng):
    import torch

    values = {name: torch.tensor(a, requires_grad=True) for name, a in parameters.items()}
    chosen, advantage = np.array([0, 2, 1, 2, 0]), rng.normal(size=B)
    state, memory, mask = (torch.tensor(a) for a in (batch.state, batch.memory, batch.mask))
    features = torch.tanh((state @ values["W"])[:, None] + memory @ values["U"])
    looked = torch.distributions.Categorical(logits=(features @ values["v"]).masked_fill(~mask, -1e30))
    logits = memory[torch.arange(B), torch.tensor(chosen)] @ values["R"]
    loss = torch.nn.functional.cross_entropy(logits, torch.tensor(batch.answer.argmax(1)))
    earned = torch.tensor(advantage) * looked.log_prob(torch.tensor(chosen))
    (loss - earned.mean() - 0.3 * looked.entropy().mean()).backward()
    for name, gradient in by_hand(parameters, batch, chosen, advantage, 0.3).items():
        np.testing.assert_allclose(gradient, values[name].grad.numpy(), rtol=1e-9, atol=1e-12, err_msg=name)


@pytest.mark.parametrize("name", pointer.SHAPES)
def test_every_gradient_is_the_slope_of_the_loss(parameters, batch, rng, name):
    chosen, advantage = np.array([0, 2, 1, 2, 0]), rng.normal(size=B)

    def loss():
        weights, _ = look(parameters, batch)
        entropy = -(weights * np.log(np.where(weights > 0, weights, 1))).sum(axis=1)
        right = (read(parameters, batch.memory[np.arange(B), chosen]) * batch.answer).sum(axis=1)
        return -np.mean(advantage * np.log(weights[np.arange(B), chosen]) + 0.3 * entropy + np.log(right))

    gradient = by_hand(parameters, batch, chosen, advantage, 0.3)[name]
    assert check_gradient(loss, parameters[name], gradient, name, tolerance=1e-7, step=1e-4) < 1e-7


def test_rewards_of_a_certain_answer_a_guess_and_a_wrong_one():
    probabilities = np.array([[1.0, *np.zeros(9)], np.full(10, 0.1), [0.0, 1.0, *np.zeros(8)]])
    answer = np.eye(10)[[0, 3, 0]]
    np.testing.assert_allclose(pointer.log_likelihood(probabilities, answer)[:2], [0, -np.log(10)], atol=1e-9)
    assert np.isfinite(pointer.log_likelihood(probabilities, answer)).all()
    np.testing.assert_array_equal(pointer.right_or_wrong(probabilities, answer), [1, 0, 0])


# Training


def test_the_pointer_learns_with_a_moving_baseline_and_not_without_one():
    moving = train(np.random.default_rng(3), sample_positions, estimate_gradient, move_baseline, steps=1000)
    none = train(np.random.default_rng(3), sample_positions, estimate_gradient, steps=1000)
    assert moving.accuracy[-1] >= 0.95 and none.accuracy[-1] < 0.2


def test_the_same_seed_gives_the_same_run_and_nothing_leaves_float32():
    first, second = (train(np.random.default_rng(3), sample_positions, estimate_gradient, steps=3) for _ in range(2))
    for name, array in first.parameters.items():
        assert array.dtype == np.float32
        np.testing.assert_array_equal(array, second.parameters[name])


def test_the_baseline_of_a_step_is_the_one_from_before_its_rewards():
    seen = []

    def estimate(weights, chosen, rewards, baseline):
        seen.append((baseline, rewards.mean()))
        return estimate_gradient(weights, chosen, rewards, baseline)

    train(np.random.default_rng(0), sample_positions, estimate, lambda old, rewards: rewards.mean(), steps=3)
    np.testing.assert_allclose([b for b, _ in seen], [0, *(mean for _, mean in seen[:-1])])


def test_an_offset_is_added_to_every_reward():
    seen = []

    def estimate(weights, chosen, rewards, baseline):
        seen.append(rewards)
        return estimate_gradient(weights, chosen, rewards, baseline)

    for offset in (0.0, 5.0):
        train(np.random.default_rng(0), sample_positions, estimate, offset=offset, steps=0)
    np.testing.assert_allclose(seen[1], seen[0] + 5.0)


FROM = "positions from sample: expected "
BAD = [
    (lambda weights, u: weights, estimate_gradient, FROM + r"\(B,\) = \(64,\), got \(64, 24\)"),
    (lambda weights, u: u, estimate_gradient, FROM + "integers, got float64"),
    (lambda weights, u: np.full(64, 24), estimate_gradient, FROM + r"0 to \d+ where \d+ keys stand, got 24"),
    (sample_positions, lambda w, c, r, b: r, r"gradient from estimate: expected \(B, S\) = \(64, 24\), got \(64,\)"),
]


@pytest.mark.parametrize(("sample", "estimate", "message"), BAD)
def test_what_does_not_fit_is_named(sample, estimate, message):
    with pytest.raises(ValueError, match=message):
        train(np.random.default_rng(0), sample, estimate, steps=1)
