"""Plausible wrong answers to lab 05. A docstring is the sentence that a student reads whose answer behaves like it.

The tests prove that the hidden checks reject each of them; the marking room names the one that an answer behaves like.
"""

import math

import numpy as np

from solutions.exercises import by_exercise
from solutions.lab01_additive_attention.reference import masked_softmax, softmax
from solutions.lab05_scaled_dot_product import reference


def _turned(array):
    """The last two axes exchanged."""
    return np.swapaxes(array, -1, -2)


# scaled_scores


def scaled_scores_without_the_root(Q, K):
    """The scores are not divided: without the root of d_k they grow with the width, and softmax settles on one key."""
    return Q @ _turned(K)


def scaled_scores_divided_by_the_width(Q, K):
    """You divided by d_k, not by its root: the variance of a product is d_k, so its spread is the root."""
    return Q @ _turned(K) / Q.shape[-1]


def scaled_scores_divided_by_the_root_of_the_keys(Q, K):
    """You divided by the root of the number of keys: it is the width of a key, K.shape[-1], that counts."""
    return Q @ _turned(K) / math.sqrt(K.shape[-2])


def scaled_scores_that_become_float64(Q, K):
    """float32 came in and float64 went out: np.sqrt of an int is a NumPy float64, which promotes the whole array; take
    d_k ** 0.5, a Python float."""
    return Q @ _turned(K) / np.sqrt(Q.shape[-1])


def scaled_scores_always_in_float32(Q, K):
    """float64 came in and float32 went out: do not cast, the type of what comes in is the type of what goes out."""
    return reference.scaled_scores(Q, K).astype(np.float32)


def scaled_scores_with_all_axes_reversed(Q, K):
    """K.T reverses all axes, heads and batch too: exchange the last two alone, np.swapaxes(K, -1, -2)."""
    return Q @ K.T / math.sqrt(Q.shape[-1])


def scaled_scores_with_keys_in_rows(Q, K):
    """Your scores have shape (..., S, T): a row belongs to a query, so Q comes first."""
    return _turned(reference.scaled_scores(Q, K))


def scaled_scores_as_cosines(Q, K):
    """You divided by the lengths of the vectors: that is the cosine, the root of d_k is the same for all."""
    lengths = np.linalg.norm(Q, axis=-1)[..., :, None] * np.linalg.norm(K, axis=-1)[..., None, :]
    return Q @ _turned(K) / np.maximum(lengths, 1e-6)


def scaled_scores_as_weights(Q, K):
    """You returned weights: the softmax comes in exercise 4, after the mask."""
    return softmax(reference.scaled_scores(Q, K), axis=-1)


# causal_mask


def causal_mask_that_hides_itself(T, S, past=0):
    """A query may look at its own place: compare with <=, not <."""
    return reference.causal_mask(T, S, past - 1)


def causal_mask_the_wrong_way_round(T, S, past=0):
    """Your mask shows the future and hides the past: True means may look."""
    return ~reference.causal_mask(T, S, past)


def causal_mask_upside_down(T, S, past=0):
    """Your mask lets a query look at its own place and the future: the triangle of True is the lower one."""
    return np.arange(S) >= np.arange(T)[:, None] + past


def causal_mask_without_the_past(T, S, past=0):
    """past has no effect: query i stands at position past + i, so it sees past more keys."""
    return np.tri(T, S, dtype=bool)


def causal_mask_with_the_past_taken_off(T, S, past=0):
    """You moved the triangle the wrong way: with a past, a query sees more keys, not fewer."""
    return np.tri(T, S, -past, dtype=bool)


def causal_mask_aligned_to_the_last_key(T, S, past=0):
    """You took S - T for the past, so the last query always sees the last key: the past is given, count from it."""
    return np.tri(T, S, S - T, dtype=bool)


def causal_mask_that_hides_the_past(T, S, past=0):
    """The tokens before the queries are hidden: a query sees them and what stands up to itself."""
    return reference.causal_mask(T, S, past) & (np.arange(S) >= past)


def causal_mask_transposed(T, S, past=0):
    """Your mask has shape (S, T): a row belongs to a query, (T, S)."""
    return reference.causal_mask(T, S, past).T


# padding_mask


def padding_mask_without_the_axis_of_queries(lengths, S):
    """Your mask has shape (B, S): give it an axis of length 1 in the middle, (B, 1, S), to meet all queries."""
    return reference.padding_mask(lengths, S)[:, 0]


def padding_mask_the_wrong_way_round(lengths, S):
    """Your mask shows the padding and hides the tokens: True means may look."""
    return ~reference.padding_mask(lengths, S)


def padding_mask_with_one_too_many(lengths, S):
    """One padding position stays visible: positions count from 0, so the tokens stand at j < length."""
    return reference.padding_mask(np.minimum(lengths + 1, S), S)


def padding_mask_with_one_too_few(lengths, S):
    """The last token of each sentence is hidden: positions count from 0, the last one is length - 1."""
    return reference.padding_mask(np.maximum(lengths - 1, 0), S)


def padding_mask_as_wide_as_the_longest(lengths, S):
    """Your mask is as wide as the longest sentence: it has S positions, whatever the lengths are."""
    return reference.padding_mask(lengths, int(max(lengths)))


def padding_mask_with_the_padding_in_front(lengths, S):
    """You put the padding in front: here the tokens come first, and the padding behind them."""
    return reference.padding_mask(lengths, S)[..., ::-1]


# scaled_dot_product_attention


def _attended(scores, V, mask):
    weights = masked_softmax(scores, np.broadcast_to(True if mask is None else mask, scores.shape))
    return weights @ V, weights


def scaled_dot_product_attention_without_the_root(Q, K, V, mask=None):
    """The scores are not divided by the root of d_k: call your scaled_scores."""
    return _attended(Q @ _turned(K), V, mask)


def scaled_dot_product_attention_scaled_by_the_values(Q, K, V, mask=None):
    """You divided by the root of the values' width: it is that of the keys, d_k."""
    return _attended(Q @ _turned(K) / math.sqrt(V.shape[-1]), V, mask)


def scaled_dot_product_attention_over_the_queries(Q, K, V, mask=None):
    """Your softmax runs over the queries: each row, axis -1, belongs to one query and sums to 1."""
    scores = reference.scaled_scores(Q, K)
    seen = np.broadcast_to(True if mask is None else mask, scores.shape)
    weights = _turned(masked_softmax(_turned(scores), _turned(seen)))
    return weights @ V, weights


def scaled_dot_product_attention_with_the_mask_the_wrong_way_round(Q, K, V, mask=None):
    """Your mask works the wrong way round: True means may look, and what is False gets -inf."""
    return reference.scaled_dot_product_attention(Q, K, V, None if mask is None else ~mask)


def scaled_dot_product_attention_masked_too_late(Q, K, V, mask=None):
    """You hid the weights after the softmax, so the rows no longer sum to 1: hide the scores before it."""
    weights = softmax(reference.scaled_scores(Q, K), axis=-1)
    weights = weights if mask is None else weights * mask.astype(weights.dtype)
    return weights @ V, weights


def scaled_dot_product_attention_without_the_mask(Q, K, V, mask=None):
    """The mask has no effect: where it is False a score becomes -inf."""
    return reference.scaled_dot_product_attention(Q, K, V)


def scaled_dot_product_attention_with_hidden_scores_of_zero(Q, K, V, mask=None):
    """Hidden scores became 0, and a score of 0 counts, since exp(0) is 1: make them -inf."""
    scores = reference.scaled_scores(Q, K)
    return _attended(scores if mask is None else scores * mask.astype(scores.dtype), V, None)


def scaled_dot_product_attention_with_nan(Q, K, V, mask=None):
    """A query that may look nowhere got nan: -inf minus -inf is nan, and so is 0/0; its output and weights are 0."""
    scores = reference.scaled_scores(Q, K)
    return _blended(scores if mask is None else np.where(mask, scores, -np.inf), V)


def scaled_dot_product_attention_with_a_large_negative_number(Q, K, V, mask=None):
    """A query that may look nowhere got equal weights: with -1e9 for all scores none stands out; take -inf, and give
    such a row zeros."""
    scores = reference.scaled_scores(Q, K)
    return _blended(scores if mask is None else np.where(mask, scores, -1e9), V)


def _blended(scores, V):
    weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
    weights /= weights.sum(axis=-1, keepdims=True)
    return weights @ V, weights


def scaled_dot_product_attention_that_overflows(Q, K, V, mask=None):
    """Large scores overflow in np.exp: subtract the largest visible score of each row first."""
    scores = reference.scaled_scores(Q, K)
    powers = np.exp(scores if mask is None else np.where(mask, scores, -np.inf))
    totals = powers.sum(axis=-1, keepdims=True)
    weights = powers / np.where(totals == 0, 1, totals)
    return weights @ V, weights


def _less(scores, highest, V, mask):
    """Weights by exp(scores - highest), 0 where hidden and where a row has nothing left."""
    with np.errstate(all="ignore"):
        powers = np.where(True if mask is None else mask, np.exp(scores - highest), 0).astype(scores.dtype)
        totals = powers.sum(axis=-1, keepdims=True)
        weights = powers / np.where(totals == 0, 1, totals)
    return weights @ V, weights


def scaled_dot_product_attention_with_a_maximum_of_hidden_scores(Q, K, V, mask=None):
    """The maximum is taken over hidden scores too: a large one leaves the visible keys a weight of 0. Hide the scores
    first, then take the largest."""
    scores = reference.scaled_scores(Q, K)
    return _less(scores, scores.max(axis=-1, keepdims=True), V, mask)


def scaled_dot_product_attention_with_one_maximum_for_all(Q, K, V, mask=None):
    """One maximum is taken for all rows: a row whose scores lie far below it becomes 0. Take each row's own, with
    axis=-1 and keepdims=True."""
    scores = reference.scaled_scores(Q, K)
    return _less(scores, np.where(True if mask is None else mask, scores, -np.inf).max().astype(scores.dtype), V, mask)


def scaled_dot_product_attention_with_hidden_scores_above_visible_ones(Q, K, V, mask=None):
    """Hidden scores became a number such as -1e4, and visible scores that lie below it lose all weight to hidden keys:
    only -np.inf lies below them all."""
    scores = reference.scaled_scores(Q, K)
    if mask is None:
        return _blended(scores, V)
    _, weights = _blended(np.where(mask, scores, -1e4), V)
    weights = weights * mask.any(axis=-1, keepdims=True)
    return weights @ V, weights


def scaled_dot_product_attention_with_the_mask_as_an_index(Q, K, V, mask=None):
    """scores[~mask] needs a mask of the scores' own shape: np.where(mask, scores, -np.inf) broadcasts a smaller one."""
    scores = reference.scaled_scores(Q, K)
    if mask is not None:
        scores[~mask] = -np.inf
    return _attended(scores, V, scores > -np.inf)


def scaled_dot_product_attention_for_batches_alone(Q, K, V, mask=None):
    """Your axes count from the front and fit a batch alone, (B, T, d): count from the end, -1 and -2."""
    scores = Q @ K.transpose(0, 2, 1) / math.sqrt(K.shape[2])
    return _attended(scores, V, mask)


def scaled_dot_product_attention_the_other_way_round(Q, K, V, mask=None):
    """You returned the weights first: it is output, weights."""
    return reference.scaled_dot_product_attention(Q, K, V, mask)[::-1]


def scaled_dot_product_attention_without_the_weights(Q, K, V, mask=None):
    """You returned the output alone: return output, weights."""
    return reference.scaled_dot_product_attention(Q, K, V, mask)[0]


def scaled_dot_product_attention_in_float64(Q, K, V, mask=None):
    """float32 came in and float64 went out: np.sqrt of an int, and arrays made by np.zeros or np.ones, are float64 and
    promote what they meet."""
    return reference.scaled_dot_product_attention(Q.astype(float), K, V, mask)


def scaled_dot_product_attention_always_in_float32(Q, K, V, mask=None):
    """float64 came in and float32 went out: do not cast, the type of what comes in is the type of what goes out."""
    return tuple(part.astype(np.float32) for part in reference.scaled_dot_product_attention(Q, K, V, mask))


# scaled_dot_product_attention_backward


def _backward(d_output, Q, K, V, weights, d_scores=None):
    """The gradients, with another gradient of the plain products if one is given."""
    d_weights = d_output @ _turned(V)
    right = weights * (d_weights - (weights * d_weights).sum(axis=-1, keepdims=True)) / math.sqrt(Q.shape[-1])
    d_scores = right if d_scores is None else d_scores(d_weights, math.sqrt(Q.shape[-1]))
    return d_scores @ K, _turned(d_scores) @ Q, _turned(weights) @ d_output


def scaled_dot_product_attention_backward_without_the_root(d_output, Q, K, V, weights):
    """The root of d_k is missing: the way back is divided by it as the way there was."""
    d_Q, d_K, d_V = _backward(d_output, Q, K, V, weights)
    return d_Q * math.sqrt(Q.shape[-1]), d_K * math.sqrt(Q.shape[-1]), d_V


def scaled_dot_product_attention_backward_with_the_root_in_d_Q_alone(d_output, Q, K, V, weights):
    """d_Q is divided by the root of d_k, d_K is not: both lie behind the same division."""
    d_Q, d_K, d_V = _backward(d_output, Q, K, V, weights)
    return d_Q, d_K * math.sqrt(Q.shape[-1]), d_V


def scaled_dot_product_attention_backward_with_the_root_in_d_V(d_output, Q, K, V, weights):
    """You divided d_V by the root of d_k: the values do not pass through the scores."""
    d_Q, d_K, d_V = _backward(d_output, Q, K, V, weights)
    return d_Q, d_K, d_V / math.sqrt(Q.shape[-1])


def scaled_dot_product_attention_backward_with_d_Q_and_d_K_exchanged(d_output, Q, K, V, weights):
    """You returned d_K first: the order is d_Q, d_K, d_V."""
    d_Q, d_K, d_V = _backward(d_output, Q, K, V, weights)
    return d_K, d_Q, d_V


def scaled_dot_product_attention_backward_without_the_mean(d_output, Q, K, V, weights):
    """The softmax lost its second term: subtract the row's mean of d_weights by the weights before you multiply."""
    return _backward(d_output, Q, K, V, weights, lambda d_weights, root: weights * d_weights / root)


def scaled_dot_product_attention_backward_with_a_plain_mean(d_output, Q, K, V, weights):
    """You subtracted the plain mean of d_weights: it is their mean by the weights of the row."""
    return _backward(d_output, Q, K, V, weights,
                     lambda d_weights, root: weights * (d_weights - d_weights.mean(axis=-1, keepdims=True)) / root)


def scaled_dot_product_attention_backward_entry_by_entry(d_output, Q, K, V, weights):
    """You took α (1 - α) for each weight alone: in a softmax each score moves all weights of its row."""
    return _backward(d_output, Q, K, V, weights, lambda d_weights, root: weights * (1 - weights) * d_weights / root)


def scaled_dot_product_attention_backward_over_the_queries(d_output, Q, K, V, weights):
    """Your mean runs over the queries: the softmax ran over a row, axis -1."""
    def d_scores(d_weights, root):
        return weights * (d_weights - (weights * d_weights).sum(axis=-2, keepdims=True)) / root

    return _backward(d_output, Q, K, V, weights, d_scores)


def scaled_dot_product_attention_backward_past_the_softmax(d_output, Q, K, V, weights):
    """You left the softmax out: d_weights is not yet d_scores."""
    return _backward(d_output, Q, K, V, weights, lambda d_weights, root: d_weights / root)


def scaled_dot_product_attention_backward_with_new_weights(d_output, Q, K, V, weights):
    """You computed the weights again from Q and K, without the mask: use those that you are given, 0 where hidden."""
    return _backward(d_output, Q, K, V, softmax(reference.scaled_scores(Q, K), axis=-1))


def scaled_dot_product_attention_backward_in_float64(d_output, Q, K, V, weights):
    """float32 came in and float64 went out: np.sqrt gives a NumPy float64, d_k ** 0.5 a Python float."""
    d_weights = d_output @ _turned(V)
    d_scores = weights * (d_weights - (weights * d_weights).sum(axis=-1, keepdims=True)) / np.sqrt(Q.shape[-1])
    return d_scores @ K, _turned(d_scores) @ Q, _turned(weights) @ d_output


def scaled_dot_product_attention_backward_always_in_float32(d_output, Q, K, V, weights):
    """float64 came in and float32 went out: do not cast, the type of what comes in is the type of what goes out."""
    return tuple(part.astype(np.float32) for part in _backward(d_output, Q, K, V, weights))


def scaled_dot_product_attention_backward_for_batches_alone(d_output, Q, K, V, weights):
    """Your axes count from the front and fit a batch alone, (B, T, d): count from the end, -1 and -2."""
    d_weights = d_output @ V.transpose(0, 2, 1)
    d_scores = weights * (d_weights - (weights * d_weights).sum(axis=2, keepdims=True)) / math.sqrt(K.shape[2])
    return d_scores @ K, d_scores.transpose(0, 2, 1) @ Q, weights.transpose(0, 2, 1) @ d_output


MISTAKES = by_exercise(__name__, [
    "scaled_scores", "causal_mask", "padding_mask", "scaled_dot_product_attention",
    "scaled_dot_product_attention_backward",
])
