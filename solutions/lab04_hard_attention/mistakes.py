"""Plausible wrong answers to lab 04. A docstring is the sentence that a student reads whose answer behaves like it.

The tests prove that the hidden checks reject each of them; the marking room names the one that an answer behaves like.
"""

import numpy as np

from solutions.exercises import by_exercise
from solutions.lab04_hard_attention import reference

# sample_positions


def sample_positions_of_the_largest_weight(weights, uniforms):
    """You always took the position of the largest weight: the uniform decides, so that each weight gets its share."""
    return weights.argmax(axis=1)


def sample_positions_without_the_weights(weights, uniforms):
    """Every position is drawn equally often: the width of a position's stretch is its weight, not 1/S."""
    return (uniforms * weights.shape[1]).astype(int)


def sample_positions_of_weight_zero(weights, uniforms):
    """A uniform at the very start of a stretch falls into the stretch before it, even one of width 0: count the ends
    that are at most u (<=), not those below u (<)."""
    ends = np.cumsum(weights, axis=1)
    return (ends / ends[:, -1:] < uniforms[:, None]).sum(axis=1)


def sample_positions_past_the_end(weights, uniforms):
    """Rounding leaves running sums that end just below 1, and a uniform beyond that falls past the last position:
    divide the running sums by their own last entry."""
    return (np.cumsum(weights, axis=1) <= uniforms[:, None]).sum(axis=1)


def sample_positions_in_the_padding(weights, uniforms):
    """A uniform just below 1 ends in the padding: pulling it back to S - 1 is not enough where the last weights are 0.
    Divide the running sums by their own last entry."""
    return np.minimum((np.cumsum(weights, axis=1) <= uniforms[:, None]).sum(axis=1), weights.shape[1] - 1)


def sample_positions_with_one_uniform(weights, uniforms):
    """All rows were drawn with the first row's uniform: give uniforms an axis, (B, 1), to meet each row's own ends."""
    return reference.sample_positions(weights, np.full_like(uniforms, uniforms[0]))


def sample_positions_summed_down_the_batch(weights, uniforms):
    """The running sum went down the batch, or through the whole array: it runs along each row, axis=1."""
    ends = np.cumsum(weights).reshape(weights.shape)
    return np.minimum((ends <= uniforms[:, None]).sum(axis=1), weights.shape[1] - 1)


def sample_positions_from_one(weights, uniforms):
    """Your positions are counted from 1: the first one is position 0."""
    return reference.sample_positions(weights, uniforms) + 1


def sample_positions_as_one_hot_rows(weights, uniforms):
    """You returned rows that are 1 at the chosen position: return the position, one integer for each row."""
    return np.eye(weights.shape[1])[reference.sample_positions(weights, uniforms)]


# estimate_gradient


def _one_hot(weights, chosen):
    return np.eye(weights.shape[1])[chosen]


def estimate_gradient_downhill(weights, chosen, rewards, baseline):
    """The sign is the wrong way round: a reward above the baseline makes the chosen score go up."""
    return -reference.estimate_gradient(weights, chosen, rewards, baseline)


def estimate_gradient_without_the_baseline(weights, chosen, rewards, baseline):
    """The baseline has no effect: subtract it from the rewards."""
    return reference.estimate_gradient(weights, chosen, rewards, 0.0)


def estimate_gradient_with_the_baseline_added(weights, chosen, rewards, baseline):
    """You added the baseline: it is subtracted, so that only a reward above it counts as good."""
    return reference.estimate_gradient(weights, chosen, rewards, -baseline)


def estimate_gradient_with_the_baseline_after_the_product(weights, chosen, rewards, baseline):
    """You subtracted the baseline from the product: it is taken off the reward, before the product, so that the row
    still sums to 0."""
    return reference.estimate_gradient(weights, chosen, rewards, 0.0) - baseline


def estimate_gradient_with_a_baseline_of_its_own(weights, chosen, rewards, baseline):
    """You subtracted the mean of this batch's rewards: it depends on what was drawn. Use the baseline that is given."""
    return reference.estimate_gradient(weights, chosen, rewards, rewards.mean())


def estimate_gradient_of_the_chosen_score_alone(weights, chosen, rewards, baseline):
    """Only the chosen score has a gradient: log α_k depends on all scores, through the sum of the softmax. Subtract
    the weights from the one-hot row."""
    return (rewards - baseline)[:, None] * _one_hot(weights, chosen)


def estimate_gradient_of_the_weight(weights, chosen, rewards, baseline):
    """You took the gradient of the weight α_k instead of that of log α_k: there is one factor α_k too many. How often
    k is drawn brings that factor in by itself."""
    picked = np.take_along_axis(weights, chosen[:, None], axis=1)
    return picked * reference.estimate_gradient(weights, chosen, rewards, baseline)


def estimate_gradient_in_the_weights(weights, chosen, rewards, baseline):
    """You took the gradient of log α_k in the weights, 1/α_k at k: what is asked for is the gradient in the scores."""
    picked = np.take_along_axis(weights, chosen[:, None], axis=1)
    return (rewards - baseline)[:, None] * _one_hot(weights, chosen) / picked


def estimate_gradient_averaged_over_the_batch(weights, chosen, rewards, baseline):
    """You divided by the number of sequences: each row has an estimate of its own, and the training loop averages."""
    return reference.estimate_gradient(weights, chosen, rewards, baseline) / len(weights)


def estimate_gradient_at_the_largest_weight(weights, chosen, rewards, baseline):
    """The one-hot row stands at the largest weight: it stands at the position that was drawn."""
    return reference.estimate_gradient(weights, weights.argmax(axis=1), rewards, baseline)


# mean_and_variance


def mean_and_variance_with_all_draws_alike(weights, estimates):
    """You gave every position the same share: a position is drawn as often as its weight says."""
    return estimates.mean(axis=1), estimates.var(axis=1).sum(axis=1)


def mean_and_variance_from_zero(weights, estimates):
    """Your variance is the mean square: measure the distance of each estimate from the mean, not from 0."""
    mean, _ = reference.mean_and_variance(weights, estimates)
    return mean, (weights * (estimates**2).sum(axis=2)).sum(axis=1)


def mean_and_variance_as_a_deviation(weights, estimates):
    """You returned the standard deviation: the variance is its square."""
    mean, variance = reference.mean_and_variance(weights, estimates)
    return mean, np.sqrt(variance)


def mean_and_variance_averaged_over_the_numbers(weights, estimates):
    """You averaged the squared distances over the N numbers of an estimate: add them up."""
    mean, variance = reference.mean_and_variance(weights, estimates)
    return mean, variance / estimates.shape[2]


def mean_and_variance_for_each_number(weights, estimates):
    """Your variance has one entry for each of the N numbers: add them up, so that each row has one variance."""
    mean, _ = reference.mean_and_variance(weights, estimates)
    return mean, (weights[:, :, None] * (estimates - mean[:, None]) ** 2).sum(axis=1)


def mean_and_variance_unweighted_in_the_variance(weights, estimates):
    """The mean is right, but in the variance every position has the same share: weigh the squared distances too."""
    mean, _ = reference.mean_and_variance(weights, estimates)
    return mean, ((estimates - mean[:, None]) ** 2).sum(axis=2).mean(axis=1)


def mean_and_variance_swapped(weights, estimates):
    """You returned (variance, mean): the mean comes first."""
    return reference.mean_and_variance(weights, estimates)[::-1]


# move_baseline


def move_baseline_with_the_shares_swapped(baseline, rewards, keep=0.9):
    """The shares are swapped: `keep` is the share of the old baseline, 1 - keep that of the new rewards."""
    return reference.move_baseline(baseline, rewards, 1 - keep)


def move_baseline_without_memory(baseline, rewards, keep=0.9):
    """You returned the mean of the new rewards: the share `keep` of the old baseline stays."""
    return rewards.mean()


def move_baseline_by_the_sum(baseline, rewards, keep=0.9):
    """You moved it towards the sum of the rewards: it should come near what one sequence earns, their mean."""
    return keep * baseline + (1 - keep) * rewards.sum()


def move_baseline_with_shares_above_one(baseline, rewards, keep=0.9):
    """The shares add up to more than 1, so the baseline outgrows the rewards: the new mean gets the share 1 - keep."""
    return keep * baseline + rewards.mean()


def move_baseline_for_each_sequence(baseline, rewards, keep=0.9):
    """You returned one number for each sequence: there is one baseline, which moves towards the mean of the rewards."""
    return keep * baseline + (1 - keep) * rewards


def move_baseline_always_keeping_nine_tenths(baseline, rewards, keep=0.9):
    """Your function ignores `keep` and always keeps 0.9 of the old baseline."""
    return reference.move_baseline(baseline, rewards)


MISTAKES = by_exercise(__name__, ["sample_positions", "estimate_gradient", "mean_and_variance", "move_baseline"])
