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
    if _draws_its_own(sample_positions):
        advice = "the same uniforms give other positions each time: use those that you are given, draw none yourself"
    slips = [([1, 2, 4], "you count positions from 1: the first is 0")]
    law = "weights 1/8, 1/2, 0, 3/8 and uniforms 0.1, 0.4, 0.7: positions 0, 1, 3"
    yield laws.equals(law, chosen, [0, 1, 3], advice, slips)

    gaps = np.array([[0.0, 0.0, 0.25, 0.75], [0.25, 0.0, 0.0, 0.75], [0.0, 0.0, 0.0, 1.0]])
    start = ask(sample_positions, gaps, np.array([0.0, 0.25, 0.0]))
    advice = f"got {start.value}: a stretch of width 0 holds nothing. Count the ends that are <= u"
    law = "a uniform at the start of a stretch (0, 1/4 and 0): no position of weight 0"
    yield laws.equals(law, start, [2, 3, 3], advice)

    short = np.array([[0.2, 0.4, 0.3999997, 0.0], [0.5, 0.4999994, 0.0, 0.0]], dtype=np.float32)
    last = ask(sample_positions, short, np.array([LAST, LAST]))
    advice = f"got {last.value}: a sum is 1 only up to rounding. Divide each row's running sums by its own last one"
    law = "sums of 0.9999997 and 0.9999994, and u = 0.99999994: still a position that has a weight"
    yield laws.equals(law, last, [2, 1], advice)
    for order, law in [([0, 1], "a row of sum 1 above one of 0.9999994, u = 1/2 and 0.99999994: position 1 in both"),
                       ([1, 0], "the same two rows in the other order: position 1 in both")]:
        pair = np.array([[0.5, 0.5, 0.0], [0.5, 0.4999994, 0.0]], dtype=np.float32)[order]
        both = ask(sample_positions, pair, np.array([0.5, LAST])[order])
        advice = f"got {both.value}: divide a row by its own last one, not by another row's or the least of all"
        yield laws.equals(law, both, [1, 1], advice)
    yield from _largest(sample_positions)
    yield _shares(sample_positions)


def _draws_its_own(sample_positions):
    """Does it answer otherwise when it is asked once more?"""
    args = np.repeat(WEIGHTS[None], 50, axis=0), np.full(50, 0.4)
    first, second = (as_array(ask(sample_positions, *args).value) for _ in range(2))
    return not np.array_equal(first, second)


def _largest(sample_positions):
    """Verdicts on the largest uniform that there is, and a row whose running sums do not end at 1."""
    tenths = np.array([7 * [0.1] + [0.2, 0.1, 0.0]])  # their running sums end at 1 - 1e-16
    advice = ("divide the running sums by their own last one: neither a sum taken in another way, nor weights that are "
              "divided first, end at exactly 1; and leave the uniforms in float64")
    for kind in (float, np.float32):
        last = ask(sample_positions, tenths.astype(kind), np.array([np.nextafter(1, 0)]))
        law = f"one row in {np.dtype(kind).name}, and the largest u below 1: the last position that has a weight"
        yield laws.equals(law, last, [8], f"got {last.value}: {advice}")


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
    expected = [[-0.1875, 0.75, 0.0, -0.5625], [-0.9375, 0.0, 0.75, 0.1875]]
    slips = _gradient_slips(expected)
    law = "each row sums to 0: adding one number to all scores changes nothing"
    advice = laws.slip(gradient, slips, "every weight takes part, through the sum in the softmax")
    yield laws.sums(law, gradient.value, 0, advice)
    signs = as_array(gradient.value)[[0, 1], [1, 0]]
    advice = laws.slip(gradient, slips, f"it is {rounded(signs[0])} and {rounded(signs[1])}: look at the sign")
    law = "a reward above the baseline lifts the chosen score, one below it lowers it"
    yield Verdict(law, signs[0] > 0 > signs[1], advice)
    yield laws.equals("rewards 2 and -1, baseline 0.5", gradient, expected, slips=slips)

    level = ask(estimate_gradient, rows, args[1], np.array([0.5, 0.5]), 0.5)
    advice = f"got\n{rounded(level.value)}\n  is it the baseline that you were given that is subtracted?"
    yield laws.equals("a reward equal to the baseline: no gradient", level, np.zeros((2, 4)), advice)
    yield _slope(estimate_gradient)
    one = ask(estimate_gradient, WEIGHTS[None], np.array([3]), np.array([1000.7]), 998.6)
    advice = "a single row keeps its axis; numbers are neither rounded nor clipped"
    right = [[-0.2625, -1.05, 0.0, 1.3125]]
    yield laws.equals("one row, reward 1000.7, baseline 998.6: 2.1 times what it is for 1", one, right, advice)
    one = ask(estimate_gradient, WEIGHTS[None], np.array([3]), np.array([1000.0]), -2.3)
    advice = "reward - baseline is 1002.3, and numbers are neither rounded nor clipped"
    yield laws.equals("reward 1000, baseline -2.3", one, [[-125.2875, -501.15, 0.0, 626.4375]], advice)
    three = ask(estimate_gradient, np.full((3, 3), 1 / 3), np.array([0, 2, 2]), np.array([3.0, 6.0, 9.0]), 0.0)
    advice = "the reward of a row belongs to that row: rewards[:, None]"
    yield laws.equals("as many rows as positions", three, [[2, -1, -1], [-2, -2, 4], [-3, -3, 6]], advice)


def _gradient_slips(expected):
    return [
        (np.divide(expected, 2), "this is half of it: no mean over the batch, each row has an estimate of its own"),
        ([[-0.25, 1.0, 0.0, -0.75], [-0.625, 0.0, 0.5, 0.125]], "this is the gradient without the baseline"),
        ([[-0.3125, 1.25, 0.0, -0.9375], [-0.3125, 0.0, 0.25, 0.0625]], "this is with the baseline added: subtract it"),
        (np.multiply(expected, [[0.5], [0.375]]), "there is a factor α_k too many: it is log α_k, not α_k"),
        (np.array([[-0.25, 1.0, 0.0, -0.75], [-0.625, 0.0, 0.5, 0.125]]) - 0.5,
         "the baseline is taken off the reward, before the product with one-hot minus weights"),
        (np.multiply(expected, [[1], [0]]), "a reward below the baseline counts too: cut nothing off at 0"),
        (np.multiply(expected, [[1], [-1]]), "the sign of reward - baseline is lost in the second row: keep it"),
    ]


def _slope(estimate_gradient):
    """With reward 1 and baseline 0 the estimate is the slope of log α_k in the scores, to be had by moving them."""
    scores, chosen = np.array([0.3, -1.0, 0.8]), 2
    slope = numerical_gradient(lambda: scores[chosen] - np.log(np.exp(scores).sum()), scores)
    weights = np.exp(scores) / np.exp(scores).sum()
    gradient = ask(estimate_gradient, weights[None], np.array([chosen]), np.array([1.0]), 0.0)
    own = "it is 0: is the mean of these rewards subtracted? The baseline is the one that you are given, here 0"
    law = "reward 1, baseline 0: the slope of log α_k, by central differences"
    return laws.equals(law, gradient, slope[None], slips=[(0 * slope[None], own)])


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
        ([0.5 + 0.5 * 17**0.5, 5**0.5], "the norm is to be squared: ‖x‖² is a sum of squares, without a root"),
        ([2.375, 2.5], "the weight is squared with the distance: square first, then multiply by the weight"),
        ([0, 0], "weighted distances add up to 0: square them first, then weigh and sum"),
        ([13, 58], "this is the mean square: subtract the mean from each estimate first"),
        ([4.5, 2.5], "these are averages over the N numbers: add the squared distances up"),
        ([35 / 3, 21], "the squared distances are to be weighed by the weights too"),
        ([9, 9], "square each of the N distances first, then add them up"),
    ]
    yield laws.equals("the variance of each row, by hand", variance, [9, 5], slips=slips)
    one = ask(mean_and_variance, np.array([[0.3, 0.7]]), np.array([[[-1000.0], [-7.0]]]))
    yield laws.results(one, {"mean =": (1, 1), "variance =": (1,)}, "one row, one number: ", advice="keep each axis")
    law = "estimates -1000 and -7, weights 0.3 and 0.7: the mean is -304.9"
    yield laws.equals(law, laws.result(one, 0), [[-304.9]])
    yield laws.equals("and the variance 207070.29", laws.result(one, 1), [207070.29], "no rounding, no clipping")
    estimates = np.round(laws.random(1, (3, 3, 3))[0], 2)
    weights = np.array([[0.11, 0.23, 0.66], [0.5, 0.29, 0.21], [0.07, 0.07, 0.86]])
    reply = ask(mean_and_variance, weights, estimates)
    advice = "rows, positions and numbers are told apart by their place alone: sum over positions, axis 1"
    right = [sum(w * e for w, e in zip(row, each, strict=True)) for row, each in zip(weights, estimates, strict=True)]
    yield laws.equals("as many rows as positions and numbers: the means", laws.result(reply, 0), right, advice)
    right = [sum(w * ((e - mean) ** 2).sum() for w, e in zip(row, each, strict=True))
             for row, each, mean in zip(weights, estimates, right, strict=True)]
    yield laws.equals("and the variances", laws.result(reply, 1), right, advice)


@visible_check
def move_baseline(move_baseline):
    rewards = np.array([-1.0, -1.0, -4.0])
    moved = ask(move_baseline, 0.0, rewards)
    yield laws.shape("it returns one number", moved, ())
    slips = [
        (-1.8, "the shares are swapped"),
        (-2.0, "the mean of the rewards counts whole: multiply it by 1 - keep, and add keep times the old baseline"),
        (-0.6, "this moves towards the sum of the rewards: their mean"),
    ]
    yield laws.equals("from 0, rewards of mean -2: moved a tenth of the way, to -0.2", moved, -0.2, slips=slips)
    slower = ask(move_baseline, 1.0, rewards, keep=0.75)
    advice = f"got {rounded(slower.value)}: keep times the old one, 1 - keep times the mean"
    yield laws.equals("from 1 with keep = 0.75: to 0.25", slower, 0.25, advice)
    still = ask(move_baseline, -2.0, rewards)
    advice = f"got {rounded(still.value)}: the two shares should add up to 1"
    yield laws.equals("a baseline at the mean of the rewards stays there", still, -2.0, advice)
    far = ask(move_baseline, 400.375, np.array([-900.7501]), keep=0.5)
    law = "from 400.375, a single reward of -900.7501, keep = 0.5: to -250.18755"
    yield laws.equals(law, far, -250.18755, "one number, neither rounded nor clipped")
    near = ask(move_baseline, 300.1, np.array([-300.0877]), keep=0.5)
    yield laws.equals("from 300.1, a single reward of -300.0877: to 0.00615", near, 0.00615, "do not round")
