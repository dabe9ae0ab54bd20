"""Plausible wrong answers to lab 01. A docstring is the sentence that a student reads whose answer behaves like it.

The tests prove that the hidden checks reject each of them; the marking room names the one that an answer behaves like.
"""

import numpy as np

from solutions.exercises import by_exercise
from solutions.lab01_additive_attention import reference

# softmax


def softmax_by_plain_division(x, axis=0):
    """You divided the scores by their sum: softmax takes the exponential of each score first."""
    return x / np.sum(x, axis=axis, keepdims=True)


def softmax_without_the_maximum(x, axis=0):
    """np.exp overflows above about 709: subtract the maximum along the axis before it; the weights stay the same."""
    return np.exp(x) / np.exp(x).sum(axis=axis, keepdims=True)


def softmax_minus_the_maximum_of_everything(x, axis=0):
    """You subtracted the maximum of the whole array: a column far below it becomes 0/0. Take it along the axis."""
    exponentials = np.exp(x - np.max(x))
    return exponentials / exponentials.sum(axis=axis, keepdims=True)


def softmax_always_over_axis_0(x, axis=0):
    """Your softmax ignores its axis and always normalises over axis 0: pass axis on to the maximum and to the sum."""
    return reference.softmax(x, axis=0)


def softmax_always_over_the_last_axis(x, axis=0):
    """Your softmax ignores its axis and always normalises over the last one: pass axis on to maximum and sum."""
    return reference.softmax(x, axis=-1)


def softmax_over_the_whole_array(x, axis=0):
    """All entries together sum to 1, but it is each slice along the axis that should: give np.sum the axis."""
    exponentials = np.exp(x - np.max(x))
    return exponentials / exponentials.sum()


def softmax_in_place(x, axis=0):
    """Your softmax writes into its argument (x -= ... does that): make a new array instead, x = x - ..."""
    x -= np.max(x, axis=axis, keepdims=True)
    exponentials = np.exp(x)
    return exponentials / exponentials.sum(axis=axis, keepdims=True)


# alignment


def alignment_with_the_state_first(encoder_states, decoder_state, layer_1, layer_2):
    """You put the decoder state first: the first rows of layer_1 belong to the encoder states."""
    queries = np.repeat(decoder_state, len(encoder_states), axis=0)
    return np.tanh(np.concatenate([queries, encoder_states], axis=1) @ layer_1) @ layer_2


def alignment_without_tanh(encoder_states, decoder_state, layer_1, layer_2):
    """There is no tanh between the two layers: without it the decoder state has no say in the weights."""
    queries = np.repeat(decoder_state, len(encoder_states), axis=0)
    return np.concatenate([encoder_states, queries], axis=1) @ layer_1 @ layer_2


def alignment_with_tanh_of_the_inputs(encoder_states, decoder_state, layer_1, layer_2):
    """You took tanh of the states: it belongs between the two layers, after the product with layer_1."""
    queries = np.repeat(decoder_state, len(encoder_states), axis=0)
    return np.tanh(np.concatenate([encoder_states, queries], axis=1)) @ layer_1 @ layer_2


def alignment_with_a_second_tanh(encoder_states, decoder_state, layer_1, layer_2):
    """The second layer has no tanh: it would press every score between -1 and 1."""
    return np.tanh(reference.alignment(encoder_states, decoder_state, layer_1, layer_2))


def alignment_as_weights(encoder_states, decoder_state, layer_1, layer_2):
    """You returned weights: alignment returns the scores, the softmax comes in the next exercise."""
    return reference.softmax(reference.alignment(encoder_states, decoder_state, layer_1, layer_2), axis=0)


def alignment_as_a_flat_array(encoder_states, decoder_state, layer_1, layer_2):
    """The scores have shape (length,): keep them a column, (length, 1), which is what the matrix product gives."""
    return reference.alignment(encoder_states, decoder_state, layer_1, layer_2)[:, 0]


def alignment_with_a_zero_state(encoder_states, decoder_state, layer_1, layer_2):
    """The decoder state does not reach the scores: each row of the concatenation holds a copy of it."""
    return reference.alignment(encoder_states, np.zeros_like(decoder_state), layer_1, layer_2)


# attention


def attention_by_a_plain_mean(encoder_states, decoder_state, layer_1, layer_2):
    """The context is the plain mean of the encoder states: multiply each state by its weight before you sum."""
    return encoder_states.mean(axis=0)


def attention_with_scores_for_weights(encoder_states, decoder_state, layer_1, layer_2):
    """You blended with the scores: the softmax between scores and blend is missing."""
    scores = reference.alignment(encoder_states, decoder_state, layer_1, layer_2)
    return (scores * encoder_states).sum(axis=0)


def attention_with_softmax_over_axis_1(encoder_states, decoder_state, layer_1, layer_2):
    """The softmax ran over axis 1 of a (length, 1) array, so every weight is 1: positions lie along axis 0."""
    return encoder_states.sum(axis=0)


def attention_without_the_sum(encoder_states, decoder_state, layer_1, layer_2):
    """You returned the weighted states, one for each position: add them up over the positions."""
    scores = reference.alignment(encoder_states, decoder_state, layer_1, layer_2)
    return reference.softmax(scores, axis=0) * encoder_states


def attention_summed_over_the_width(encoder_states, decoder_state, layer_1, layer_2):
    """You summed over the width of the states, which leaves one number for each position: sum over the positions."""
    return attention_without_the_sum(encoder_states, decoder_state, layer_1, layer_2).sum(axis=1)


def attention_as_a_row(encoder_states, decoder_state, layer_1, layer_2):
    """The context has shape (1, hidden): it is one vector, (hidden,)."""
    return reference.attention(encoder_states, decoder_state, layer_1, layer_2)[None, :]


def attention_to_the_best_position_only(encoder_states, decoder_state, layer_1, layer_2):
    """You took the state with the highest score: attention blends all of them, each by its weight."""
    scores = reference.alignment(encoder_states, decoder_state, layer_1, layer_2)
    return encoder_states[np.argmax(scores)]


# masked_softmax


def masked_softmax_with_the_mask_inverted(scores, mask):
    """The mask is the wrong way round: True means that a position may be looked at."""
    return reference.masked_softmax(scores, ~mask)


def masked_softmax_without_the_mask(scores, mask):
    """The mask has no effect: positions where it is False still get weight."""
    return reference.softmax(scores, axis=-1)


def masked_softmax_hiding_after_the_softmax(scores, mask):
    """You hid positions after the softmax, so rows sum to less than 1: hide them before, among the scores."""
    return reference.softmax(scores, axis=-1) * mask


def masked_softmax_with_zero_scores(scores, mask):
    """You set hidden scores to 0, but exp(0) is 1, not 0: a score that gets no weight is minus infinity."""
    return reference.softmax(scores * mask, axis=-1)


def masked_softmax_with_nan_rows(scores, mask):
    """A row that may look nowhere came out as nan: 0/0. Such a row gets zeros."""
    with np.errstate(invalid="ignore"):
        return reference.softmax(np.where(mask, scores, -np.inf), axis=-1)


def masked_softmax_with_uniform_rows(scores, mask):
    """A row that may look nowhere spreads its weight over hidden positions, since all its scores are the same large
    negative number. Such a row gets zeros."""
    return reference.softmax(np.where(mask, scores, -1e9), axis=-1)


def masked_softmax_with_a_large_negative_number(scores, mask):
    """A hidden score is a large negative number in your function, and a visible one may lie below it: then all visible
    weights vanish. Minus infinity alone is below every score."""
    return reference.softmax(np.where(mask, scores, -1e4), axis=-1) * mask


def masked_softmax_over_axis_0(scores, mask):
    """You normalised over axis 0: each column sums to 1, but it is each row that should (the last axis)."""
    return np.swapaxes(reference.masked_softmax(np.swapaxes(scores, 0, -1), np.swapaxes(mask, 0, -1)), 0, -1)


def masked_softmax_without_the_maximum(scores, mask):
    """np.exp overflows above about 709: subtract the largest visible score of the row before it."""
    exponentials = np.where(mask, np.exp(scores), 0)
    total = exponentials.sum(axis=-1, keepdims=True)
    return exponentials / np.where(total == 0, 1, total)


def masked_softmax_minus_a_hidden_maximum(scores, mask):
    """You subtracted the maximum of the whole row, hidden scores included: where a hidden one is far larger, all the
    visible ones vanish. Take the maximum among the visible ones."""
    exponentials = np.where(mask, np.exp(scores - scores.max(axis=-1, keepdims=True)), 0)
    total = exponentials.sum(axis=-1, keepdims=True)
    return exponentials / np.where(total == 0, 1, total)


def masked_softmax_minus_one_maximum_for_all_rows(scores, mask):
    """You subtracted one maximum from all rows: a row far below it becomes 0/0. Take each row's own, axis=-1."""
    exponentials = np.where(mask, np.exp(scores - scores[mask].max()), 0)
    total = exponentials.sum(axis=-1, keepdims=True)
    return exponentials / np.where(total == 0, 1, total)


# additive_attention


def _attend(state, memory, mask, W, U, v, weigh=reference.masked_softmax):
    scores = np.tanh((state @ W)[:, None, :] + memory @ U) @ v
    weights = weigh(scores, mask)
    return np.einsum("bs,bse->be", weights, memory), weights


def additive_attention_without_the_mask(state, memory, mask, W, U, v):
    """Padding gets weight: the mask does not reach your softmax."""
    return _attend(state, memory, np.ones_like(mask), W, U, v)


def additive_attention_with_the_mask_inverted(state, memory, mask, W, U, v):
    """The mask is the wrong way round: True means that a token stands there."""
    return _attend(state, memory, ~mask, W, U, v)


def additive_attention_with_nan_rows(state, memory, mask, W, U, v):
    """A sentence with nothing to look at came out as nan: its weights and its context are zeros."""
    return _attend(state, memory, mask, W, U, v, masked_softmax_with_nan_rows)


def additive_attention_normalised_over_the_batch(state, memory, mask, W, U, v):
    """The weights of a sentence do not sum to 1: the softmax ran over the batch (axis 0), not over the positions."""
    return _attend(state, memory, mask, W, U, v, lambda s, m: reference.masked_softmax(s.T, m.T).T)


def additive_attention_without_tanh(state, memory, mask, W, U, v):
    """There is no tanh: then the state shifts all scores of a sentence alike, and the softmax ignores it."""
    weights = reference.masked_softmax((memory @ U) @ v, mask)
    return np.einsum("bs,bse->be", weights, memory), weights


def additive_attention_with_one_state_for_all(state, memory, mask, W, U, v):
    """Every sentence was asked with the first sentence's state: keep the batch axis of state, (B, 1, A) against
    (B, S, A)."""
    return _attend(np.broadcast_to(state[:1], state.shape), memory, mask, W, U, v)


def additive_attention_with_results_swapped(state, memory, mask, W, U, v):
    """You returned (weights, context): the context comes first."""
    context, weights = _attend(state, memory, mask, W, U, v)
    return weights, context


def additive_attention_with_a_plain_mean(state, memory, mask, W, U, v):
    """The weights are right, but the context is the plain mean of the memory: blend with the weights."""
    _, weights = _attend(state, memory, mask, W, U, v)
    return memory.mean(axis=1), weights


MISTAKES = by_exercise(__name__, ["softmax", "alignment", "attention", "masked_softmax", "additive_attention"])
