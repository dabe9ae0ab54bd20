"""The visible checks of lab 04. Each takes the student's function and states the laws that it should keep."""

import numpy as np

from coursekit.check import as_array, ask, laws, rounded, visible_check
from coursekit.gradient_check import numerical_gradient
from coursekit.verdicts import Verdict

WEIGHTS = np.array([0.125, 0.5, 0.0, 0.375])  # the running example: ends at 0.125, 0.625, 0.625, 1
REWARDS = np.array([0.0, 1.0, 0.0, -1.0])
LAST = 0.99999994  # the largest float32 below 1


@visible_check
def sample_positions(sample_positions):
    rows = np.repeat(WEIGHTS[None], 3, axis=0)
    chosen = ask(sample_positions, rows, np.array([0.1, 0.4, 0.7]))
    yield laws.shape("three rows: three positions, of shape (B,) = (3,)", chosen, (3,))
    whole = as_array(chosen.value).dtype.kind in "iu"
    yield Verdict("they are integers", whole, f"got {as_array(chosen.value).dtype}: a position is an index")
    advice = f"got {chosen.value}: stretch 0 ends at 0.125, stretch 1 at 0.625, stretch 3 at 1"
    if len(set(np.ravel(chosen.value))) == 1:
        advice = f"got {chosen.value}, three times the same: each row has a uniform of its own, which decides"
    slips = [([1, 2, 4], "you count positions from 1: the first is 0")]
    law = "weights 1/8, 1/2, 0, 3/8 and uniforms 0.1, 0.4, 0.7: positions 0, 1, 3"
    yield laws.equals(law, chosen, [0, 1, 3], advice, slips)

    start = ask(sample_positions, np.array([[0.0, 0.25, 0.75], [0.25, 0.0, 0.75]]), np.array([0.0, 0.25]))
    advice = f"got {start.value}: a stretch of width 0 holds nothing. Count the ends that are <= u"
    law = "a uniform at the start of a stretch (0, and 1/4): no position of weight 0"
    yield laws.equals(law, start, [1, 2], advice)

    short = np.array([[0.2, 0.4, 0.3999997, 0.0], [0.5, 0.4999994, 0.0, 0.0]], dtype=np.float32)
    last = ask(sample_positions, short, np.array([LAST, LAST]))
    advice = f"got {last.value}: a sum is 1 only up to rounding. Divide each row's running sums by its own last one"
    law = "sums of 0.9999997 and 0.9999994, and u = 0.99999994: still a position that has a weight"
    yield laws.equals(law, last, [2, 1], advice)
    yield _shares(sample_positions)


def _shares(sample_positions):
    """Over evenly spaced uniforms every position gets the share that its weight says."""
    uniforms = (np.arange(800) + 0.5) / 800
    drawn = ask(sample_positions, np.repeat(WEIGHTS[None], 800, axis=0), uniforms)
    counts = [int(np.sum(as_array(drawn.value) == position)) for position in range(4)]
    law = "800 evenly spaced uniforms: positions drawn 100, 400, 0 and 300 times"
    return Verdict(law, counts == [100, 400, 0, 300], f"got {counts}")


@visible_check
def estimate_gradient(estimate_gradient):
    rows = np.stack([WEIGHTS, WEIGHTS[::-1]])
    args = (rows, np.array([1, 0]), np.array([2.0, -1.0]), 0.5)
    gradient = ask(estimate_gradient, *args)
    yield laws.shape("two rows of four weights: a gradient of shape (B, S) = (2, 4)", gradient, (2, 4))
    value = as_array(gradient.value)
    law = "each row sums to 0: adding one number to all scores changes nothing"
    yield laws.sums(law, value, 0, "every weight takes part, through the sum in the softmax")
    signs = value[0, 1] > 0 > value[1, 0]
    advice = f"it is {rounded(value[0, 1])} and {rounded(value[1, 0])}: look at the sign"
    yield Verdict("a reward above the baseline lifts the chosen score, one below it lowers it", signs, advice)
    expected = [[-0.1875, 0.75, 0.0, -0.5625], [-0.9375, 0.0, 0.75, 0.1875]]
    yield laws.equals("rewards 2 and -1, baseline 0.5", gradient, expected, slips=_gradient_slips(expected))

    level = ask(estimate_gradient, rows, args[1], np.array([0.5, 0.5]), 0.5)
    advice = f"got\n{rounded(level.value)}\n  is it the baseline that you were given that is subtracted?"
    yield laws.equals("a reward equal to the baseline: no gradient", level, np.zeros((2, 4)), advice)
    yield _slope(estimate_gradient)


def _gradient_slips(expected):
    return [
        (np.divide(expected, 2), "this is half of it: no mean over the batch, each row has an estimate of its own"),
        ([[-0.25, 1.0, 0.0, -0.75], [-0.625, 0.0, 0.5, 0.125]], "this is the gradient without the baseline"),
        ([[-0.3125, 1.25, 0.0, -0.9375], [-0.3125, 0.0, 0.25, 0.0625]], "this is with the baseline added: subtract it"),
        (np.multiply(expected, [[0.5], [0.375]]), "there is a factor α_k too many: it is log α_k, not α_k"),
    ]


def _slope(estimate_gradient):
    """With reward 1 and baseline 0 the estimate is the slope of log α_k in the scores, to be had by moving them."""
    scores, chosen = np.array([0.3, -1.0, 0.8]), 2
    slope = numerical_gradient(lambda: scores[chosen] - np.log(np.exp(scores).sum()), scores)
    weights = np.exp(scores) / np.exp(scores).sum()
    gradient = ask(estimate_gradient, weights[None], np.array([chosen]), np.array([1.0]), 0.0)
    return laws.equals("reward 1, baseline 0: the slope of log α_k, by central differences", gradient, slope[None])


@visible_check
def mean_and_variance(mean_and_variance):
    weights = np.array([[0.5, 0.25, 0.25], [0.0, 0.5, 0.5]])
    estimates = np.array([[[1.0, 0.0], [3.0, 4.0], [3.0, -4.0]], [[9.0, 9.0], [1.0, 5.0], [3.0, 9.0]]])
    reply = ask(mean_and_variance, weights, estimates)
    yield laws.count("it returns two arrays: mean, variance", reply, 2)
    mean, variance = reply.value
    advice = "add the variances of the N numbers up" if as_array(variance).shape == (2, 2) else ""
    yield laws.results(reply, {"mean (B, N) =": (2, 2), "variance (B,) =": (2,)}, advice=advice)
    advice = f"got\n{rounded(mean)}\n  expected [2, 0] and [2, 7]: weigh each estimate by its position's weight"
    yield laws.equals("the mean of each row, by hand", mean, [[2, 0], [2, 7]], advice)
    slips = [
        ([3, 5**0.5], "this is the standard deviation: do not take the root"),
        ([13, 58], "this is the mean square: subtract the mean from each estimate first"),
        ([4.5, 2.5], "these are averages over the N numbers: add the squared distances up"),
        ([35 / 3, 21], "the squared distances are to be weighed by the weights too"),
        ([9, 9], "square each of the N distances first, then add them up"),
    ]
    yield laws.equals("the variance of each row, by hand", variance, [9, 5], slips=slips)


@visible_check
def move_baseline(move_baseline):
    rewards = np.array([-1.0, -2.0, -3.0])
    moved = ask(move_baseline, 0.0, rewards)
    yield laws.shape("it returns one number", moved, ())
    slips = [(-1.8, "the shares are swapped"), (-2.0, "the old baseline is lost, or the new mean has the whole share"),
             (-0.6, "this moves towards the sum of the rewards: their mean")]
    yield laws.equals("from 0, rewards of mean -2: moved a tenth of the way, to -0.2", moved, -0.2, slips=slips)
    slower = ask(move_baseline, 1.0, rewards, keep=0.75)
    advice = f"got {rounded(slower.value)}: keep times the old one, 1 - keep times the mean"
    yield laws.equals("from 1 with keep = 0.75: to 0.25", slower, 0.25, advice)
    still = ask(move_baseline, -2.0, rewards)
    advice = f"got {rounded(still.value)}: the two shares should add up to 1"
    yield laws.equals("a baseline at the mean of the rewards stays there", still, -2.0, advice)
