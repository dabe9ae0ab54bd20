"""Plausible wrong answers to lab 00. A docstring is the sentence that a student reads whose answer behaves like it.

The tests prove that the hidden checks reject each of them; the marking room names the one that an answer behaves like.
"""

import numpy as np

from solutions.exercises import by_exercise
from solutions.lab00_warm_up import reference

# distances


def distances_squared(a, b):
    """You returned squared distances: take the root of the sum."""
    return reference.distances(a, b) ** 2


def distances_by_absolute_differences(a, b):
    """You added up absolute differences: square them, add them up, and take the root."""
    return np.abs(a[:, None] - b[None]).sum(axis=-1)


def distances_transposed(a, b):
    """Your result has a row for each row of b: the rows of the result belong to a, its columns to b."""
    return reference.distances(b, a)


def distances_of_the_norms(a, b):
    """You subtracted the lengths of the rows: subtract the rows first, and take the length of the difference."""
    return np.abs(np.linalg.norm(a, axis=1)[:, None] - np.linalg.norm(b, axis=1))


def distances_averaged(a, b):
    """You took the mean of the squared differences: a distance is the root of their sum."""
    return np.sqrt(((a[:, None] - b[None]) ** 2).mean(axis=-1))


def distances_summed_over_the_rows(a, b):
    """You summed over the rows of b and kept the width: the sum runs over the last axis, X."""
    return np.sqrt(((a[:, None] - b[None]) ** 2).sum(axis=1))


def distances_as_dot_products(a, b):
    """These are dot products, which are large where rows point the same way: a distance is 0 for equal rows."""
    return a @ b.T


# log_sum_exp


def log_sum_exp_without_the_maximum(x, axis=-1):
    """np.exp overflows above about 709, and is 0 below about -745: subtract the maximum along the axis first, and add
    it again after the logarithm."""
    return np.log(np.exp(x).sum(axis=axis))


def log_sum_exp_with_the_maximum_not_added_again(x, axis=-1):
    """You subtracted the maximum and did not add it again: log Σ exp(x) = m + log Σ exp(x - m)."""
    return np.log(np.exp(x - x.max(axis=axis, keepdims=True)).sum(axis=axis))


def log_sum_exp_minus_the_maximum_of_everything(x, axis=-1):
    """You subtracted the maximum of the whole array: a slice far below it sums to 0. Take it along the axis."""
    return x.max() + np.log(np.exp(x - x.max()).sum(axis=axis))


def log_sum_exp_keeping_the_axis(x, axis=-1):
    """Your result still has the axis, with length 1: sum without keepdims at the end, or squeeze that axis."""
    return np.expand_dims(reference.log_sum_exp(x, axis), axis)


def log_sum_exp_always_over_the_last_axis(x, axis=-1):
    """Your function ignores its axis and always uses the last: pass axis on to the maximum and to the sum."""
    return reference.log_sum_exp(x, -1)


def log_sum_exp_always_over_axis_0(x, axis=-1):
    """Your function ignores its axis and always uses axis 0: pass axis on to the maximum and to the sum."""
    return reference.log_sum_exp(x, 0)


def log_sum_exp_averaged(x, axis=-1):
    """You took the mean of the exponentials: it is their sum."""
    return reference.log_sum_exp(x, axis) - np.log(x.shape[axis])


def log_sum_exp_without_the_logarithm(x, axis=-1):
    """You returned the sum of the exponentials: take its logarithm."""
    return np.exp(x).sum(axis=axis)


# log_softmax


def log_softmax_through_softmax(x, axis=-1):
    """You took the logarithm of the softmax: a weight that is rounded to 0 becomes -inf. Subtract the log_sum_exp from
    x instead, and no exponential is ever turned back."""
    exponentials = np.exp(x - x.max(axis=axis, keepdims=True))
    return np.log(exponentials / exponentials.sum(axis=axis, keepdims=True))


def log_softmax_without_the_maximum(x, axis=-1):
    """np.exp overflows above about 709: use your log_sum_exp, which subtracts the maximum first."""
    return x - np.log(np.exp(x).sum(axis=axis, keepdims=True))


def log_softmax_by_division(x, axis=-1):
    """You divided by the log_sum_exp: a quotient of exponentials is a difference of exponents, so subtract it."""
    return x / np.expand_dims(reference.log_sum_exp(x, axis), axis)


def log_softmax_without_the_logarithm(x, axis=-1):
    """You returned the softmax: its logarithm is asked for, which is never above 0."""
    return np.exp(reference.log_softmax(x, axis))


def log_softmax_minus_the_maximum_alone(x, axis=-1):
    """You subtracted the maximum alone: the exponentials of a slice then sum to more than 1."""
    return x - x.max(axis=axis, keepdims=True)


def log_softmax_always_over_the_last_axis(x, axis=-1):
    """Your function ignores its axis and always uses the last: pass axis on."""
    return reference.log_softmax(x, -1)


def log_softmax_without_the_axis_put_back(x, axis=-1):
    """The log_sum_exp has lost the axis, so it does not line up with x: np.expand_dims puts it back."""
    return x - reference.log_sum_exp(x, axis)


# cross_entropy


def _of_the_right(log_p, targets):
    return np.take_along_axis(log_p, targets[..., None], axis=-1)[..., 0]


def cross_entropy_over_all_positions(log_p, targets, mask):
    """You divided by the number of positions, padding included: divide by the number of real words, mask.sum()."""
    return -(_of_the_right(log_p, targets) * mask).mean()


def cross_entropy_without_the_mask(log_p, targets, mask):
    """Padding counts in your mean: the mask says which words are real."""
    return -_of_the_right(log_p, targets).mean()


def cross_entropy_summed(log_p, targets, mask):
    """You returned the sum over the words: the mean is asked for, so that long batches do not take longer steps."""
    return -_of_the_right(log_p, targets)[mask].sum()


def cross_entropy_as_a_mean_of_means(log_p, targets, mask):
    """You averaged each sentence and then the sentences, so a word in a short sentence counts for more: take one mean
    over all real words."""
    return -((_of_the_right(log_p, targets) * mask).sum(axis=1) / mask.sum(axis=1)).mean()


def cross_entropy_with_the_sign_forgotten(log_p, targets, mask):
    """Your loss is negative: a log-probability is never above 0, and the loss is minus its mean."""
    return _of_the_right(log_p, targets)[mask].mean()


def cross_entropy_of_the_probabilities(log_p, targets, mask):
    """You averaged probabilities: average their logarithms, which are given, and do not take np.exp of them."""
    return -np.exp(_of_the_right(log_p, targets)[mask]).mean()


def cross_entropy_over_the_vocabulary(log_p, targets, mask):
    """You averaged the log-probabilities of all words: take that of the right word alone."""
    return -log_p[mask].mean()


# cross_entropy_backward


def _p_minus_y(log_p, targets):
    return np.exp(log_p) - np.eye(log_p.shape[-1])[targets]


def cross_entropy_backward_not_divided(log_p, targets, mask):
    """You left out the division: the loss is a mean over the real words, so its gradient is divided by their number."""
    return _p_minus_y(log_p, targets) * mask[..., None]


def cross_entropy_backward_divided_by_all_positions(log_p, targets, mask):
    """You divided by the number of positions, padding included: divide by the number of real words, mask.sum()."""
    return _p_minus_y(log_p, targets) * mask[..., None] / mask.size


def cross_entropy_backward_divided_by_the_batch(log_p, targets, mask):
    """You divided by the number of sentences: the loss is a mean over words, so divide by mask.sum()."""
    return _p_minus_y(log_p, targets) * mask[..., None] / len(mask)


def cross_entropy_backward_without_the_mask(log_p, targets, mask):
    """Padding gets a gradient: it takes no part in the loss, so there the gradient is 0."""
    return _p_minus_y(log_p, targets) / mask.sum()


def cross_entropy_backward_with_the_sign_turned(log_p, targets, mask):
    """Your gradient points the other way: it is p - y, negative at the right word, whose logit should grow."""
    return -reference.cross_entropy_backward(log_p, targets, mask)


def cross_entropy_backward_of_the_logarithms(log_p, targets, mask):
    """You subtracted y from log_p: p is its exponential."""
    return (log_p - np.eye(log_p.shape[-1])[targets]) * mask[..., None] / mask.sum()


def cross_entropy_backward_in_the_log_probabilities(log_p, targets, mask):
    """This is the gradient in log_p: the logits come before the softmax, which adds p."""
    return -np.eye(log_p.shape[-1])[targets] * mask[..., None] / mask.sum()


# linear_backward


def linear_backward_with_W_not_transposed(d_y, x, W):
    """For d_x, W is transposed: d_y has W's columns, and d_x has its rows."""
    _, d_W, d_b = reference.linear_backward(d_y, x, W)
    return d_y @ W, d_W, d_b


def linear_backward_averaged(d_y, x, W):
    """You averaged over the rows: every row used the same W and b, so their gradients add up."""
    d_x, d_W, d_b = reference.linear_backward(d_y, x, W)
    rows = d_y[..., 0].size
    return d_x, d_W / rows, d_b / rows


def linear_backward_with_d_W_transposed(d_y, x, W):
    """d_W has the shape of W, (N, M): it is x^T d_y, not d_y^T x."""
    d_x, d_W, d_b = reference.linear_backward(d_y, x, W)
    return d_x, d_W.T, d_b


def linear_backward_with_d_b_not_summed(d_y, x, W):
    """d_b has the shape of b, (M,): sum d_y over all axes in front of the last."""
    d_x, d_W, _ = reference.linear_backward(d_y, x, W)
    return d_x, d_W, d_y


def linear_backward_of_the_last_sentence(d_y, x, W):
    """d_W and d_b hold the last sentence alone: each sentence adds to them, and none replaces what was there."""
    _, d_W, d_b = reference.linear_backward(d_y[-1:], x[-1:], W)
    return d_y @ W.T, d_W, d_b


def linear_backward_for_matrices_only(d_y, x, W):
    """x.T turns round all axes, which is right for a matrix alone: reshape x to (-1, N) and d_y to (-1, M) first."""
    return d_y @ W.T, x.T @ d_y, d_y.sum(axis=0)


def linear_backward_with_results_in_another_order(d_y, x, W):
    """The order of the results is d_x, d_W, d_b."""
    d_x, d_W, d_b = reference.linear_backward(d_y, x, W)
    return d_W, d_x, d_b


def linear_backward_with_d_b_a_mean(d_y, x, W):
    """d_b is a mean over the rows: b was added to each of them, so their gradients add up."""
    d_x, d_W, d_b = reference.linear_backward(d_y, x, W)
    return d_x, d_W, d_b / d_y[..., 0].size


# unbroadcast


def unbroadcast_not_at_all(d_y, shape):
    """You returned the gradient in the shape after stretching: sum over the axes that NumPy added or stretched."""
    return d_y.copy()


def unbroadcast_of_added_axes_only(d_y, shape):
    """You summed over the axes that were added in front. Where an axis of length 1 was stretched, sum as well."""
    return d_y.sum(axis=tuple(range(d_y.ndim - len(shape))))


def unbroadcast_of_stretched_axes_only(d_y, shape):
    """You summed over the stretched axes. Axes that were added in front are summed as well, and go away."""
    added = d_y.ndim - len(shape)
    return d_y.sum(axis=tuple(added + i for i, size in enumerate(shape) if size == 1), keepdims=True)


def unbroadcast_by_a_mean(d_y, shape):
    """You took means: each copy of an entry adds to the loss, so their gradients add up."""
    return reference.unbroadcast(d_y, shape) / (d_y.size / np.prod(shape, dtype=int))


def unbroadcast_by_the_first_copy(d_y, shape):
    """You kept the gradient of one copy: each copy of an entry adds to the loss, so their gradients add up."""
    first = d_y[(0,) * (d_y.ndim - len(shape))]
    return first[tuple(slice(size) for size in shape)]


def unbroadcast_losing_axes_of_one(d_y, shape):
    """The sum over a stretched axis took the axis away: keep it with length 1 (keepdims=True, or reshape)."""
    sums = reference.unbroadcast(d_y, shape)
    return sums.reshape([size for size in shape if size != 1])


# embedding_backward


def embedding_backward_keeping_one_of_the_repeated(d_embedded, ids, rows):
    """A word that occurs twice got the gradient of one place: d_table[ids] += d keeps the last of them. Use
    np.add.at, which adds them all."""
    out = np.zeros((rows, d_embedded.shape[-1]))
    out[ids] += d_embedded
    return out


def embedding_backward_averaged(d_embedded, ids, rows):
    """You averaged over the places of a word: each place adds to the loss, so their gradients add up."""
    counts = np.bincount(ids.ravel(), minlength=rows)
    return reference.embedding_backward(d_embedded, ids, rows) / np.maximum(counts, 1)[:, None]


def embedding_backward_with_rows_missing(d_embedded, ids, rows):
    """Your gradient ends at the largest id that occurs: it has the table's shape, so `rows` rows."""
    return reference.embedding_backward(d_embedded, ids, int(ids.max()) + 1)


def embedding_backward_of_the_first_sentence(d_embedded, ids, rows):
    """You used the first sentence alone: every sentence of the batch adds to the table's gradient."""
    return reference.embedding_backward(d_embedded[:1], ids[:1], rows)


def embedding_backward_counting_words(d_embedded, ids, rows):
    """You counted how often each word occurs: add up its gradients instead."""
    counts = np.bincount(ids.ravel(), minlength=rows).astype(float)
    return np.repeat(counts[:, None], d_embedded.shape[-1], axis=1)


def embedding_backward_taken_forward(d_embedded, ids, rows):
    """You returned the gradient place by place, as it came: the table has a row for each word, whatever its places."""
    return d_embedded.reshape(-1, d_embedded.shape[-1])


MISTAKES = by_exercise(__name__, [
    "distances", "log_sum_exp", "log_softmax", "cross_entropy", "cross_entropy_backward", "linear_backward",
    "unbroadcast", "embedding_backward",
])
