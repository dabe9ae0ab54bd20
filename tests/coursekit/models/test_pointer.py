"""The pointer and its gradients, against PyTorch and central differences."""

import numpy as np
import pytest

from coursekit.gradient_check import check_gradient
from coursekit.models import pointer
from coursekit.models.pointer import look, read
from coursekit.tasks.keyed_digits import Batch, keyed_digits
from solutions.lab04_hard_attention.reference import estimate_gradient
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
