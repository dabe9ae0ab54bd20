"""Lab 04: the reference against oracles and laws."""

import numpy as np
import pytest

from coursekit.check import CheckFailed
from coursekit.check import lab04_hard_attention as visible_checks
from coursekit.gradient_check import check_gradient
from grading.student import LocalStudent
from solutions.lab04_hard_attention import checks, reference
from tests import needs

B, S, N = 3, 5, 4


@pytest.fixture
def rng():
    return np.random.default_rng(1)


def softmax(scores):
    exponentials = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return exponentials / exponentials.sum(axis=-1, keepdims=True)


def enumerated(weights, rewards, baseline):
    """The reference's estimate for every position that might be drawn: (B, S, S)."""
    rows = [reference.estimate_gradient(weights, np.full(B, k), rewards[:, k], baseline) for k in range(S)]
    return np.stack(rows, axis=1)


# The reference


@needs.torch
def test_the_estimate_is_the_gradient_that_pytorch_finds_for_the_log_of_the_chosen_weight(rng):
    import torch

    scores = torch.tensor(rng.normal(size=(B, S)), requires_grad=True)
    chosen, rewards, baseline = np.array([2, 0, 4]), rng.normal(size=B), -0.7
    log_weights = torch.distributions.Categorical(logits=scores).log_prob(torch.tensor(chosen))
    (torch.tensor(rewards - baseline) * log_weights).sum().backward()
    estimate = reference.estimate_gradient(softmax(scores.detach().numpy()), chosen, rewards, baseline)
    np.testing.assert_allclose(estimate, scores.grad.numpy(), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("baseline", [0.0, -2.3, 11.0])
def test_the_mean_over_all_positions_is_the_slope_of_the_expected_reward_whatever_the_baseline(rng, baseline):
    scores, rewards = rng.normal(size=(B, S)), rng.normal(size=(B, S))
    estimates = enumerated(softmax(scores), rewards, baseline)
    mean, _ = reference.mean_and_variance(softmax(scores), estimates)
    assert check_gradient(lambda e: (softmax(e) * rewards).sum(), scores, mean, tolerance=1e-7) < 1e-7


@needs.torch
def test_the_mean_is_the_gradient_that_pytorch_finds_for_the_expected_reward(rng):
    import torch

    scores, rewards = torch.tensor(rng.normal(size=(B, S)), requires_grad=True), rng.normal(size=(B, S))
    (torch.softmax(scores, dim=1) * torch.tensor(rewards)).sum().backward()
    weights = softmax(scores.detach().numpy())
    mean, _ = reference.mean_and_variance(weights, enumerated(weights, rewards, 3.0))
    np.testing.assert_allclose(mean, scores.grad.numpy(), rtol=1e-10, atol=1e-12)


def test_mean_and_variance_are_those_of_many_draws(rng):
    weights, rewards = softmax(rng.normal(size=(B, S))), rng.normal(size=(B, S))
    mean, variance = reference.mean_and_variance(weights, enumerated(weights, rewards, 0.5))
    draws = 40_000
    for b in range(B):
        chosen = reference.sample_positions(np.repeat(weights[b : b + 1], draws, axis=0), rng.random(draws))
        drawn = reference.estimate_gradient(np.repeat(weights[b : b + 1], draws, 0), chosen, rewards[b, chosen], 0.5)
        np.testing.assert_allclose(drawn.mean(axis=0), mean[b], atol=4 * np.sqrt(variance[b] / draws))
        np.testing.assert_allclose(drawn.var(axis=0).sum(), variance[b], rtol=0.05)


@needs.torch
def test_mean_and_variance_equal_a_categorical_expectation_of_pytorch(rng):
    import torch

    weights, estimates = rng.dirichlet(np.ones(S), size=B), rng.normal(size=(B, S, N))
    mean, variance = reference.mean_and_variance(weights, estimates)
    for b in range(B):
        repeated, centre = torch.tensor(estimates[b]), torch.tensor(estimates[b]).T @ torch.tensor(weights[b])
        distances = torch.cdist(repeated, centre[None])[:, 0].square()
        np.testing.assert_allclose(mean[b], centre.numpy(), rtol=1e-12)
        np.testing.assert_allclose(variance[b], (torch.tensor(weights[b]) @ distances).item(), rtol=1e-7)


def test_positions_are_drawn_as_often_as_their_weights_say(rng):
    weights, draws = np.array([0.1, 0.0, 0.6, 0.3, 0.0]), 100_000
    chosen = reference.sample_positions(np.repeat(weights[None], draws, axis=0), rng.random(draws))
    counts = np.bincount(chosen, minlength=5)
    assert counts[1] == counts[4] == 0
    np.testing.assert_allclose(counts / draws, weights, atol=0.006)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_nothing_of_weight_zero_is_ever_drawn(rng, dtype):
    weights = (rng.dirichlet(np.ones(9), size=2000) * (rng.random((2000, 9)) < 0.5)).astype(dtype)
    weights = weights[weights.sum(axis=1) > 0]
    weights /= weights.sum(axis=1, keepdims=True)
    for u in (0.0, 0.5, 1 - 2**-24, np.nextafter(1, 0)):
        chosen = reference.sample_positions(weights, np.full(len(weights), u))
        assert (np.take_along_axis(weights, chosen[:, None], axis=1) > 0).all()


def test_the_draws_are_those_of_the_inverse_distribution_function():
    weights, uniforms = np.array([[0.25, 0.5, 0.25]] * 5), np.array([0.0, 0.2, 0.25, 0.7, 0.75])
    np.testing.assert_array_equal(reference.sample_positions(weights, uniforms), [0, 0, 1, 1, 2])


def test_the_baseline_is_the_mean_of_all_rewards_each_older_one_counting_less():
    moved = 0.0
    for reward in (1.0, 2.0, 3.0):
        moved = reference.move_baseline(moved, np.array([reward, reward]), keep=0.5)
    np.testing.assert_allclose(moved, 0.125 * 1 + 0.25 * 2 + 0.5 * 3)


def test_a_shift_of_all_scores_changes_no_estimate_and_rows_sum_to_zero(rng):
    scores, chosen, rewards = rng.normal(size=(B, S)), np.array([1, 3, 0]), rng.normal(size=B)
    first, second = (reference.estimate_gradient(softmax(e), chosen, rewards, 0.3) for e in (scores, scores + 7))
    np.testing.assert_allclose(first, second, atol=1e-14)
    np.testing.assert_allclose(first.sum(axis=1), 0, atol=1e-14)


BAD = [
    ("sample_positions", ((B, S), (S,)), r"uniforms: expected \(B,\) = \(3,\), got \(5,\)"),
    ("estimate_gradient", ((B, S), (S,), (B,), ()), r"chosen: expected \(B,\) = \(3,\), got \(5,\)"),
    ("estimate_gradient", ((B, S), (B,), (B, 1), ()), r"rewards: expected \(B,\) = \(3,\), got \(3, 1\)"),
    ("mean_and_variance", ((B, S), (B, N, S)), r"estimates: expected \(B, S, N\) = \(3, 5, any\), got \(3, 4, 5\)"),
    ("move_baseline", ((), (B, 1)), r"rewards: expected \(B,\) = \(any,\), got \(3, 1\)"),
]


@pytest.mark.parametrize(("exercise", "shapes", "message"), BAD)
def test_an_array_that_does_not_fit_is_named_with_its_shape(exercise, shapes, message):
    with pytest.raises(ValueError, match=message):
        getattr(reference, exercise)(*(np.zeros(shape, dtype=int) for shape in shapes))


@pytest.mark.parametrize(("weights", "u", "message"), [([0.0, 0.0], 0.5, "weights: expected"),
                                                       ([-0.5, 1.5], 0.5, "weights: expected"),
                                                       ([0.5, 0.5], 1.0, "uniforms: expected 0 <= u < 1, got 1.0")])
def test_weights_and_uniforms_out_of_range_are_refused(weights, u, message):
    with pytest.raises(ValueError, match=message):
        reference.sample_positions(np.array([weights]), np.array([u]))


# The checks


@pytest.mark.parametrize("kind", [np.float32, float])
def test_a_row_that_is_divided_by_its_sum_still_ends_below_1(rng, kind):
    row, u = checks._at_the_end(rng, 9, kind)
    assert np.cumsum(row / row.sum())[-1] <= u and np.cumsum(row)[-1] / row.sum() <= u < 1


def test_right_positions_that_are_floats_are_told_so():
    student = LocalStudent({"sample_positions": lambda *args: reference.sample_positions(*args).astype(float)})
    verdicts = list(checks.sample_positions(student, np.random.default_rng(0)))
    assert all(not each.passed and "are right, but floats" in each.hint for each in verdicts)


@pytest.mark.parametrize(("words", "weigh"), [
    ("before the product", lambda reward, b, direction: reward * direction - b),
    ("cut nothing off at 0", lambda reward, b, direction: np.maximum(reward - b, 0) * direction),
    ("the sign of reward - baseline is lost", lambda reward, b, direction: np.abs(reward - b) * direction),
])
def test_what_became_of_the_baseline_is_named(words, weigh):
    def estimate_gradient(weights, chosen, rewards, baseline):
        return weigh(rewards[:, None], baseline, np.eye(weights.shape[1])[chosen] - weights)

    with pytest.raises(CheckFailed, match=words):
        visible_checks.estimate_gradient(estimate_gradient)


OWN = np.random.default_rng(1)


def divided(by):
    """The position, where the running sums are divided by something made of all of them."""
    def sample_positions(weights, uniforms):
        ends = np.cumsum(weights, axis=1)
        return (ends / by(ends) <= uniforms[:, None]).sum(axis=1)

    return sample_positions


def spread(weights, estimates, measure):
    mean = np.einsum("bs,bsn->bn", weights, estimates)
    return mean, measure(weights, estimates - mean[:, None])


@pytest.mark.parametrize(("exercise", "wrong", "says"), [
    ("sample_positions", divided(lambda ends: ends[-1, -1]), "its own last"),
    ("sample_positions", divided(lambda ends: ends[0, -1]), "its own last"),
    ("sample_positions", divided(lambda ends: ends[:, -1].min()), "its own last"),
    ("sample_positions", lambda weights, uniforms: reference.sample_positions(
        weights, OWN.random(len(uniforms))), "draw none yourself"),
    ("estimate_gradient", lambda weights, chosen, rewards, _: reference.estimate_gradient(
        weights, chosen, rewards, float(rewards.mean())), "the one that you are given"),
    ("mean_and_variance", lambda w, e: spread(w, e, lambda w, c: (w * np.sqrt((c**2).sum(-1))).sum(-1)), "be squared"),
    ("mean_and_variance", lambda w, e: spread(w, e, lambda w, c: ((w[..., None] * c)**2).sum((1, 2))), "square first"),
    ("mean_and_variance", lambda w, e: spread(w, e, lambda w, c: (w[..., None] * c).sum((1, 2))), "square them first"),
    ("move_baseline", lambda b, rewards, keep=0.9: keep * b + rewards.mean(), "multiply it by 1 - keep"),
], ids=["by the last", "by the first", "by the least", "own draws", "own mean", "norm", "weights", "distances", "keep"])
def test_the_likeliest_slips_are_named(exercise, wrong, says):
    with pytest.raises(CheckFailed, match=says):
        getattr(visible_checks, exercise)(wrong)
