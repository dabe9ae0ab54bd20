"""Lab 10: the reference against oracles and laws, and what a learning rate earns."""

from functools import partial

import numpy as np
import pytest

from coursekit.gradient_check import check_gradient
from solutions.lab10_train_a_transformer import mistakes, reference
from tests import needs
from tests.labs import judging

share = partial(judging.share, "lab10_train_a_transformer")

B, T, V = 3, 5, 7


@pytest.fixture
def logits():
    return np.random.default_rng(1).normal(size=(B, T, V))


@pytest.fixture
def wanted():
    ids = np.random.default_rng(2).integers(1, V, size=(B, T))
    return np.where(np.arange(T) < np.array([[3], [5], [1]]), ids, 0)


# The reference


@needs.torch
@pytest.mark.parametrize("epsilon", [0.0, 0.1, 0.7])
def test_the_loss_and_its_gradient_are_pytorchs(logits, wanted, epsilon):
    import torch

    values = torch.tensor(logits, requires_grad=True)
    expected = torch.nn.functional.cross_entropy(
        values.reshape(-1, V), torch.tensor(wanted).reshape(-1), ignore_index=0, label_smoothing=epsilon)
    expected.backward()
    loss, d_logits = reference.smoothed_cross_entropy(logits, wanted, epsilon)
    np.testing.assert_allclose(loss, expected.item(), rtol=1e-12)
    np.testing.assert_allclose(d_logits, values.grad.numpy(), rtol=1e-10, atol=1e-15)


@pytest.mark.parametrize("epsilon", [0.0, 0.1, 0.7])
def test_the_gradient_is_the_slope_of_the_loss(logits, wanted, epsilon):
    def loss():
        return reference.smoothed_cross_entropy(logits, wanted, epsilon)[0]

    d_logits = reference.smoothed_cross_entropy(logits, wanted, epsilon)[1]
    check_gradient(loss, logits, d_logits, tolerance=1e-8)


def test_the_floor_is_reached_by_the_smoothed_target_itself(wanted):
    epsilon = 0.1
    q = (1 - epsilon) * (wanted[..., None] == np.arange(V)) + epsilon / V
    loss, d_logits = reference.smoothed_cross_entropy(np.log(q), wanted, epsilon)
    np.testing.assert_allclose(loss, reference.smoothing_floor(V, epsilon), rtol=1e-12)
    np.testing.assert_allclose(d_logits, 0, atol=1e-15)


@needs.torch
@pytest.mark.parametrize(("size", "epsilon"), [(5, 0.1), (48, 0.3), (2, 1.0), (9, 0.0)])
def test_the_floor_is_the_entropy_that_pytorch_gives(size, epsilon):
    import torch

    q = torch.full((size,), epsilon / size, dtype=torch.float64)
    q[0] += 1 - epsilon
    expected = torch.distributions.Categorical(probs=q).entropy().item()
    np.testing.assert_allclose(reference.smoothing_floor(size, epsilon), expected, rtol=1e-9, atol=1e-12)


@needs.torch
def test_the_schedule_is_that_of_pytorchs_lambda_rule():
    import torch

    weight = torch.zeros(1, requires_grad=True)
    optimiser = torch.optim.SGD([weight], lr=1.0)
    rule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda epoch: reference.learning_rate(epoch + 1, 64, 5))
    for step in range(1, 12):
        at = min(step**-0.5, step / 5**1.5) / 8
        np.testing.assert_allclose(optimiser.param_groups[0]["lr"], at, rtol=1e-12)
        optimiser.step()
        rule.step()


@needs.torch
def test_the_masks_are_those_of_pytorch_turned_round(wanted):
    import torch

    told = reference.shifted_targets(wanted, 8, 9)[0]
    encoder, decoder, cross = reference.attention_masks(wanted, told)
    later = torch.nn.Transformer.generate_square_subsequent_mask(T + 1).numpy() < 0
    np.testing.assert_array_equal(decoder, ~(later | (told == 0)[:, None]))
    assert encoder.shape == (B, T, T) and cross.shape == (B, T + 1, T)
    np.testing.assert_array_equal(encoder.any(axis=1), wanted != 0)
    np.testing.assert_array_equal(cross.all(axis=1), wanted != 0)


def test_what_is_wanted_at_a_place_is_what_is_told_at_the_next(wanted):
    told, asked = reference.shifted_targets(wanted, 8, 9)
    inside = asked[:, :-1] != 9
    np.testing.assert_array_equal(told[:, 1:][inside], asked[:, :-1][inside])
    assert (told[:, 0] == 8).all() and ((asked == 9).sum(axis=1) == 1).all()


@pytest.mark.parametrize(("call", "message"), [
    (lambda: reference.shifted_targets(np.zeros(3, int), 1, 2), r"target: expected \(B, T\) = .*, got \(3,\)"),
    (lambda: reference.attention_masks(np.zeros((2, 3), int), np.zeros((4, 3), int)), r"told: expected \(B, T\)"),
    (lambda: reference.smoothed_cross_entropy(np.zeros((2, 3, 4)), np.zeros((2, 4), int), 0.1), "wanted: expected"),
    (lambda: reference.learning_rate(0, 64, 400), "step: expected a number from 1 up, got 0"),
    (lambda: reference.smoothing_floor(1, 0.1), "got V = 1"),
])
def test_what_does_not_fit_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


# The hidden checks


@pytest.mark.parametrize("off", [0.99, 1.01])
def test_a_rate_that_is_off_by_a_hundredth_earns_nothing_however_small_it_is(off):
    def learning_rate(step, d_model, warmup):
        return off * reference.learning_rate(step, d_model, warmup)

    assert share("learning_rate", learning_rate=learning_rate) == 0


@pytest.mark.parametrize("kind", [np.asarray, np.float32, np.float64])
def test_a_rate_of_any_kind_of_number_earns_everything(kind):
    def learning_rate(step, d_model, warmup):
        return kind(reference.learning_rate(step, d_model, warmup))

    assert share("learning_rate", learning_rate=learning_rate) == 1


def test_a_fixed_warm_up_is_told_from_one_that_is_drawn_close_to_it():
    wrong = mistakes.learning_rate_with_a_fixed_warmup
    assert max(share("learning_rate", seed, learning_rate=wrong) for seed in ("s9", "s20")) <= 0.5
