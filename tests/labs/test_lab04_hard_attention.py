"""Lab 04: the reference against oracles and laws, the hidden checks against right and wrong answers."""

import numpy as np
import pytest

from coursekit import check as visible
from coursekit.check import lab04_hard_attention as visible_checks
from coursekit.gradient_check import check_gradient
from grading.student import LocalStudent
from solutions.lab04_hard_attention import checks, mistakes, reference
from tests import needs
from tests.labs.variants_lab04_hard_attention import VARIANTS

B, S, N = 3, 5, 4
EXERCISES = ["sample_positions", "estimate_gradient", "mean_and_variance", "move_baseline"]
MISTAKES = [(name, mistake) for name in EXERCISES for mistake in mistakes.MISTAKES[name]]
RIGHT = [(name, variant) for name in EXERCISES for variant in VARIANTS[name]]


def share(exercise, seed=None, **answers):
    """The share of an exercise's points that these answers earn, the reference standing in for the other functions."""
    namespace = {name: getattr(reference, name) for name in EXERCISES} | answers
    rng = np.random.default_rng(len(exercise) if seed is None else seed)
    found = {name: answer for name, answer in answers.items() if answer in mistakes.MISTAKES.get(name, ())}
    verdicts = list(getattr(checks, exercise)(LocalStudent(namespace, found), rng))
    return sum(v.weight for v in verdicts if v.passed) / sum(v.weight for v in verdicts)


def named(pairs):
    return [pytest.param(*pair, id=pair[1].__name__) for pair in pairs]


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


# The hidden checks


@pytest.mark.parametrize("exercise", EXERCISES)
def test_the_reference_earns_everything(exercise):
    assert share(exercise) == 1


@pytest.mark.parametrize("exercise", EXERCISES)
def test_there_are_five_mistakes_and_four_variants(exercise):
    assert len(mistakes.MISTAKES[exercise]) >= 5 and len(VARIANTS[exercise]) >= 4


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("exercise", "mistake"), named(MISTAKES))
def test_a_mistake_keeps_at_most_half(exercise, mistake, seed):
    assert share(exercise, seed, **{exercise: mistake}) <= 0.5


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("exercise", "variant"), named(RIGHT))
def test_a_right_answer_written_otherwise_keeps_all(exercise, variant, seed):
    assert share(exercise, seed, **{exercise: variant}) == 1


TRIVIAL = {
    "zeros": lambda *args, **_: np.zeros_like(args[0]),
    "the first position": lambda weights, *_: np.zeros(len(weights), dtype=int),
    "two zeros": lambda *args, **_: (np.zeros((3, 6)), np.zeros(3)),
    "zeros of the right shapes": lambda weights, estimates, *_: (estimates[:, 0] * 0, estimates[:, 0, 0] * 0),
    "its input": lambda *args, **_: args[0],
    "both inputs": lambda *args, **_: args[:2],
    "nothing": lambda *args, **_: None,
    "one number": lambda *args, **_: 0.0,
}


@pytest.mark.parametrize("exercise", EXERCISES)
@pytest.mark.parametrize("answer", TRIVIAL.values(), ids=TRIVIAL.keys())
def test_a_trivial_answer_earns_nothing_even_if_all_functions_are_trivial(exercise, answer):
    assert share(exercise, **{exercise: answer}) == 0
    assert share(exercise, **dict.fromkeys(EXERCISES, answer)) == 0


@pytest.mark.parametrize("exercise", EXERCISES)
def test_no_exercise_depends_on_another_one(exercise):
    others = {name: None for name in EXERCISES if name != exercise}
    assert share(exercise, **others) == 1


@pytest.mark.parametrize("exercise", EXERCISES)
def test_an_answer_that_changes_its_argument_earns_nothing(exercise):
    def careless(*args, **options):
        answer = getattr(reference, exercise)(*args, **options)
        next(array for array in args if isinstance(array, np.ndarray))[0] += 1
        return answer

    assert share(exercise, **{exercise: careless}) == 0


# The visible checks


def see(exercise, function):
    getattr(visible_checks, exercise)(function)


@pytest.mark.parametrize("exercise", EXERCISES)
def test_the_visible_check_of_a_stub_raises_only_not_implemented(exercise):
    def stub(*args, **options):
        raise NotImplementedError

    with pytest.raises(NotImplementedError):
        see(exercise, stub)


@pytest.mark.parametrize(("exercise", "variant"), named(RIGHT))
def test_the_visible_check_accepts_a_right_answer(exercise, variant):
    see(exercise, variant)


@pytest.mark.parametrize(("exercise", "mistake"), named(MISTAKES))
def test_the_visible_check_explains_a_mistake(exercise, mistake):
    with pytest.raises(visible.CheckFailed) as failure:
        see(exercise, mistake)
    law, hint = str(failure.value).split("\n", 1)
    assert law and len(hint.strip()) > 10


ODD = [None, 3, "text", [1, [2]], np.zeros(1), (np.zeros(2), np.zeros(3)), np.full(3, 7)]


@pytest.mark.parametrize("answer", ODD, ids=repr)
@pytest.mark.parametrize("exercise", EXERCISES)
def test_the_visible_check_survives_any_answer(exercise, answer):
    with pytest.raises(visible.CheckFailed):
        see(exercise, lambda *args, **options: answer)
