"""Different right ways to write lab 04: a fair grader gives each of them full points."""

import itertools
import sys

import numpy as np

from tests.labs.float32 import in_float32


def sample_positions_by_a_loop(weights, uniforms):
    chosen = []
    for row, u in zip(weights, uniforms, strict=True):
        ends = list(itertools.accumulate(row))
        position = 0
        while ends[position] / ends[-1] <= u:  # an end and the last one come of the same sum: the last quotient is 1
            position += 1
        chosen.append(position)
    return chosen


def sample_positions_by_searching(weights, uniforms):
    ends = np.cumsum(weights.astype(float), axis=1)
    return np.array([np.searchsorted(row / row[-1], u, side="right") for row, u in zip(ends, uniforms, strict=True)])


def sample_positions_by_the_first_end_beyond(weights, uniforms):
    ends = weights.cumsum(axis=1)
    return np.argmax(ends / ends[:, -1:] > uniforms.reshape(-1, 1), axis=1).astype(np.int32)


def sample_positions_pulled_back_to_the_last_weight(weights, uniforms):
    past = (np.cumsum(weights, axis=1) <= uniforms[:, None]).sum(axis=1)
    last = weights.shape[1] - 1 - np.argmax(weights[:, ::-1] > 0, axis=1)
    return np.minimum(past, last)


def sample_positions_of_the_widest_type(weights, uniforms):
    ends = np.cumsum(weights, axis=1, dtype=np.longdouble)
    drawn = [int(np.count_nonzero(row / row[-1] <= u)) for row, u in zip(ends, uniforms.tolist(), strict=True)]
    return np.array(drawn, dtype=np.uint8)


def sample_positions_among_those_with_a_weight(weights, uniforms):
    print("drawing", file=sys.stderr)
    chosen = np.zeros(len(weights), dtype=int)
    for b in range(len(weights)):
        places = np.flatnonzero(weights[b])
        ends = np.add.accumulate(weights[b, places])
        chosen[b] = places[(ends[:-1] <= uniforms[b]).sum()]
    return chosen


def estimate_gradient_by_a_loop(weights, chosen, rewards, baseline):
    gradient = np.zeros(weights.shape)
    for b, k in enumerate(chosen):
        for j in range(weights.shape[1]):
            gradient[b, j] = (rewards[b] - baseline) * ((j == k) - weights[b, j])
    return gradient


def estimate_gradient_by_adding_at_the_position(weights, chosen, rewards, baseline):
    advantage = rewards - baseline
    gradient = -advantage[:, None] * weights
    gradient[np.arange(len(chosen)), chosen] += advantage
    return gradient


def estimate_gradient_by_comparing_positions(weights, chosen, rewards, baseline):
    is_chosen = np.arange(weights.shape[1])[None] == chosen[:, None]
    return np.einsum("b,bs->bs", rewards - baseline, is_chosen - weights)


def mean_and_variance_by_a_loop(weights, estimates):
    means, variances = [], []
    for row, drawn in zip(weights, estimates, strict=True):
        mean = sum(weight * estimate for weight, estimate in zip(row, drawn, strict=True))
        means.append(mean)
        variances.append(sum(w * np.sum((e - mean) ** 2) for w, e in zip(row, drawn, strict=True)))
    return np.array(means), np.array(variances)


def mean_and_variance_by_einsum(weights, estimates):
    mean = np.einsum("bs,bsn->bn", weights, estimates)
    centred = estimates - mean[:, np.newaxis]
    return mean, np.einsum("bs,bsn,bsn->b", weights, centred, centred)


def mean_and_variance_by_the_mean_square(weights, estimates):
    mean = (weights[..., None] * estimates).sum(axis=1)
    return [mean, (weights * (estimates**2).sum(-1)).sum(1) - (mean**2).sum(-1)]


def mean_and_variance_by_pairs(weights, estimates):
    mean = np.matmul(estimates.swapaxes(1, 2), weights[..., None])[..., 0]
    apart = np.square(estimates[:, :, None] - estimates[:, None]).sum(axis=-1)
    return mean, 0.5 * np.einsum("bi,bij,bj->b", weights, apart, weights)


def mean_and_variance_for_each_number_first(weights, estimates):
    mean = np.sum(weights[:, :, None] * estimates, axis=1)
    each = np.sum(weights[:, :, None] * np.square(estimates - mean[:, None, :]), axis=1)
    return mean, each.sum(axis=-1)


def move_baseline_by_a_step(baseline, rewards, keep=0.9):
    return baseline + (1 - keep) * (rewards.mean() - baseline)


def move_baseline_as_a_python_number(baseline, rewards, keep=0.9):
    return float(keep * baseline) + (1 - keep) * (sum(rewards.tolist()) / len(rewards))


def move_baseline_as_an_array_without_axes(baseline, rewards, keep=0.9):
    return np.array(np.average([baseline, np.mean(rewards)], weights=[keep, 1 - keep]))


estimate_gradient_in_float32 = in_float32(estimate_gradient_by_comparing_positions)
move_baseline_in_float32 = in_float32(move_baseline_by_a_step)

TRIVIAL = {
    "the first position": lambda weights, *_: np.zeros(len(weights), dtype=int),
    "two zeros": lambda *args, **_: (np.zeros((3, 6)), np.zeros(3)),
    "zeros of the right shapes": lambda weights, estimates, *_: (estimates[:, 0] * 0, estimates[:, 0, 0] * 0),
}

EXPECTS_SHAPES = {  # the reference names each array that does not fit
    "estimate_gradient", "mean_and_variance", "move_baseline", "sample_positions",
}
MAKES_FLOAT64 = {  # float64, whatever it is given; and positions, asked with a uniform that float32 does not hold
    "estimate_gradient", "sample_positions",
}
