"""The pointer's training: it learns with a baseline, and names what one of the caller's functions got wrong."""

import numpy as np
import pytest

from coursekit.trainers import pointer as trainer
from coursekit.trainers.pointer import train
from solutions.lab04_hard_attention.reference import estimate_gradient, move_baseline, sample_positions


def test_rewards_of_a_certain_answer_a_guess_and_a_wrong_one():
    probabilities = np.array([[1.0, *np.zeros(9)], np.full(10, 0.1), [0.0, 1.0, *np.zeros(8)]])
    answer = np.eye(10)[[0, 3, 0]]
    np.testing.assert_allclose(trainer.log_likelihood(probabilities, answer)[:2], [0, -np.log(10)], atol=1e-9)
    assert np.isfinite(trainer.log_likelihood(probabilities, answer)).all()
    np.testing.assert_array_equal(trainer.right_or_wrong(probabilities, answer), [1, 0, 0])


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
