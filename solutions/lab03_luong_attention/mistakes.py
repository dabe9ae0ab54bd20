"""Plausible wrong answers to lab 03. A docstring is the sentence that a student reads whose answer behaves like it.

The tests prove that the hidden checks reject each of them; the marking room names the one that an answer behaves like.
"""

import numpy as np

from solutions.exercises import by_exercise
from solutions.lab01_additive_attention.reference import masked_softmax, softmax
from solutions.lab03_luong_attention import reference

# dot_score


def dot_score_that_stretches_width_1(state, memory):
    """Your dot_score accepts states of width 1: NumPy stretches them to any width when you multiply and add up. Compare
    the widths yourself, and raise ValueError where they differ."""
    return (memory * state[:, None, :]).sum(axis=-1)


def dot_score_that_cuts_to_the_shorter_width(state, memory):
    """Your dot_score cuts the wider states off and returns a number: states of unequal widths have no dot product, so
    raise ValueError."""
    width = min(state.shape[1], memory.shape[2])
    return np.einsum("bd,bsd->bs", state[:, :width], memory[:, :, :width])


def dot_score_with_an_assertion(state, memory):
    """Unequal widths should raise ValueError: an assert raises AssertionError, and python -O leaves it out."""
    assert state.shape[1] == memory.shape[2], "expected equal widths"
    return np.einsum("bd,bsd->bs", state, memory)


def dot_score_with_one_state_for_all(state, memory):
    """Every sentence was asked with the first sentence's state: keep the batch axis of state."""
    return reference.dot_score(np.broadcast_to(state[:1], state.shape), memory)


def dot_score_divided_by_the_root(state, memory):
    """You divided by the root of the width: that is the scaled score of chapter 6; Luong's is the plain product."""
    return reference.dot_score(state, memory) / state.shape[1] ** 0.5


def dot_score_as_a_cosine(state, memory):
    """You divided by the lengths of the vectors: that is the cosine; the dot score keeps the lengths."""
    lengths = np.linalg.norm(memory, axis=-1) * np.linalg.norm(state, axis=-1, keepdims=True)
    return reference.dot_score(state, memory) / lengths


def dot_score_as_weights(state, memory):
    """You returned weights: a score function returns the scores, and the softmax comes in exercise 4."""
    return softmax(reference.dot_score(state, memory), axis=-1)


def dot_score_of_all_pairs(state, memory):
    """Every state met every sentence, which gives (B, B, S): state b belongs to sentence b alone."""
    if state.shape[1] != memory.shape[2]:
        raise ValueError("widths")
    return np.einsum("ad,bsd->abs", state, memory)


# general_score


def general_score_with_the_matrix_transposed(state, memory, W):
    """Your matrix is the wrong way round: W has a row for each entry of the state, so it is state @ W."""
    return np.einsum("bd,bsd->bs", state, memory @ W)


def general_score_without_the_matrix(state, memory, W):
    """W has no effect: that is the dot score. Bring the state through W first, state @ W."""
    width = min(state.shape[1], memory.shape[2])
    return np.einsum("bd,bsd->bs", state[:, :width], memory[:, :, :width])


def general_score_with_a_tanh(state, memory, W):
    """There is no tanh in the general score: it is one product, s W h."""
    return reference.dot_score(np.tanh(state @ W), memory)


def general_score_with_one_state_for_all(state, memory, W):
    """Every sentence was asked with the first sentence's state: keep the batch axis of state."""
    return reference.general_score(np.broadcast_to(state[:1], state.shape), memory, W)


def general_score_divided_by_the_root(state, memory, W):
    """You divided by the root of the width: that is the scaled score of chapter 6; Luong's is the plain product."""
    return reference.general_score(state, memory, W) / state.shape[1] ** 0.5


def general_score_as_weights(state, memory, W):
    """You returned weights: a score function returns the scores, and the softmax comes in exercise 4."""
    return softmax(reference.general_score(state, memory, W), axis=-1)


def general_score_of_all_pairs(state, memory, W):
    """Every state met every sentence, which gives (B, B, S): state b belongs to sentence b alone."""
    return np.einsum("ad,de,bse->abs", state, W, memory)


# concat_score


def concat_score_with_the_memory_first(state, memory, W, v):
    """You gave the first rows of W to the memory: here the state comes first, [s ; h], other than in lab 01."""
    E = memory.shape[2]
    return reference.concat_score(state, memory, np.concatenate([W[E:], W[:E]]), v)


def concat_score_without_tanh(state, memory, W, v):
    """There is no tanh: then the state shifts all scores of a sentence alike, and the softmax ignores it."""
    D = state.shape[1]
    return ((state @ W[:D])[:, None] + memory @ W[D:]) @ v


def concat_score_with_tanh_of_the_inputs(state, memory, W, v):
    """You took tanh of the states: it belongs after the product with W, before v."""
    D = state.shape[1]
    return ((np.tanh(state) @ W[:D])[:, None] + np.tanh(memory) @ W[D:]) @ v


def concat_score_with_tanh_last(state, memory, W, v):
    """tanh comes last in your score and presses it between -1 and 1: it belongs before v."""
    return np.tanh(concat_score_without_tanh(state, memory, W, v))


def concat_score_without_v(state, memory, W, v):
    """v has no effect: you added the hidden numbers up. Each of them is weighed by its own entry of v."""
    return reference.concat_score(state, memory, W, np.ones_like(v))


def concat_score_with_one_state_for_all(state, memory, W, v):
    """Every sentence was asked with the first sentence's state: keep the batch axis of state, (B, 1, A)."""
    return reference.concat_score(np.broadcast_to(state[:1], state.shape), memory, W, v)


def concat_score_as_weights(state, memory, W, v):
    """You returned weights: a score function returns the scores, and the softmax comes in exercise 4."""
    return softmax(reference.concat_score(state, memory, W, v), axis=-1)


# attentional_state


def attentional_state_with_the_state_first(weights, state, memory, W_c):
    """You put the state first: the first E rows of W_c belong to the context, [c ; s]."""
    context = np.einsum("bs,bse->be", weights, memory)
    return np.tanh(np.concatenate([state, context], axis=1) @ W_c)


def attentional_state_without_tanh(weights, state, memory, W_c):
    """The tanh is missing: the attentional state is tanh([c ; s] W_c)."""
    return np.concatenate([np.einsum("bs,bse->be", weights, memory), state], axis=1) @ W_c


def attentional_state_with_tanh_too_early(weights, state, memory, W_c):
    """You took tanh of the context and the state: it comes last, after the product with W_c."""
    return np.tanh(np.concatenate([np.einsum("bs,bse->be", weights, memory), state], axis=1)) @ W_c


def attentional_state_of_the_context_alone(weights, state, memory, W_c):
    """The state has no part in your attentional state: the context and the state go through W_c together."""
    return reference.attentional_state(weights, np.zeros_like(state), memory, W_c)


def attentional_state_of_the_state_alone(weights, state, memory, W_c):
    """The context has no part in your attentional state: the context and the state go through W_c together."""
    return reference.attentional_state(weights, state, np.zeros_like(memory), W_c)


def attentional_state_with_a_plain_mean(weights, state, memory, W_c):
    """The weights have no effect: the context is not the mean of the memory, but its blend by the weights."""
    return reference.attentional_state(np.full_like(weights, 1 / weights.shape[1]), state, memory, W_c)


def attentional_state_with_softmaxed_weights(weights, state, memory, W_c):
    """You took a softmax of the weights: they are weights already, so blend with them as they are."""
    return reference.attentional_state(softmax(weights, axis=-1), state, memory, W_c)


def attentional_state_that_normalises_again(weights, state, memory, W_c):
    """You divided the weights by their sum: those of local attention sum to less than 1, and are meant to."""
    total = weights.sum(axis=1, keepdims=True)
    return reference.attentional_state(weights / np.where(total == 0, 1, total), state, memory, W_c)


# predicted_centre


def _sigmoid(x):
    return 1 / (1 + np.exp(-x))


def predicted_centre_with_the_padded_length(state, mask, W_p, v_p):
    """You took the padded length for all sentences: each has its own, the number of True in its row of the mask."""
    return mask.shape[1] * _sigmoid(np.tanh(state @ W_p) @ v_p)


def predicted_centre_without_sigmoid(state, mask, W_p, v_p):
    """The sigmoid is missing, so the centre can lie before the first word or after the last."""
    return mask.sum(axis=1) * (np.tanh(state @ W_p) @ v_p)


def predicted_centre_without_tanh(state, mask, W_p, v_p):
    """The tanh is missing: it stands between W_p and v_p."""
    return mask.sum(axis=1) * _sigmoid(state @ W_p @ v_p)


def predicted_centre_as_a_share(state, mask, W_p, v_p):
    """You returned a share of the sentence, between 0 and 1: multiply it by the sentence's number of words."""
    return _sigmoid(np.tanh(state @ W_p) @ v_p)


def predicted_centre_rounded(state, mask, W_p, v_p):
    """You rounded the centre to a position: leave it a real number, since a rounded one has no gradient."""
    return np.round(reference.predicted_centre(state, mask, W_p, v_p))


def predicted_centre_up_to_the_last_position(state, mask, W_p, v_p):
    """You multiplied by one less than the number of words: the paper's centre lies between 0 and the full number."""
    return (mask.sum(axis=1) - 1) * _sigmoid(np.tanh(state @ W_p) @ v_p)


def predicted_centre_as_a_column(state, mask, W_p, v_p):
    """The centres have shape (B, 1): one number for each sentence is (B,)."""
    return reference.predicted_centre(state, mask, W_p, v_p)[:, None]


# local_weights


def _window(scores, mask, centre, reach):
    offset = np.arange(scores.shape[1]) - centre[:, None]
    return offset, mask & (np.abs(offset) <= reach)


def local_weights_normalised_again(scores, mask, centre, reach):
    """You divided by the sum at the end: the weights of local attention are not normalised again."""
    weights = reference.local_weights(scores, mask, centre, reach)
    total = weights.sum(axis=1, keepdims=True)
    return weights / np.where(total == 0, 1, total)


def local_weights_with_a_softmax_over_the_sentence(scores, mask, centre, reach):
    """Your softmax ran over the whole sentence: in local attention it runs among the words of the window alone."""
    offset, inside = _window(scores, mask, centre, reach)
    return masked_softmax(scores, mask) * inside * np.exp(-2 * (offset / reach) ** 2)


def local_weights_without_the_bell(scores, mask, centre, reach):
    """The bell curve is missing: multiply the softmax within the window by exp(-(j - p)² / (2 σ²)). (Without it, and
    with p = t, you have the paper's local-m.)"""
    return masked_softmax(scores, _window(scores, mask, centre, reach)[1])


def local_weights_without_the_window(scores, mask, centre, reach):
    """Words outside the window get weight: only positions with |j - p| <= R take part."""
    return masked_softmax(scores, mask) * np.exp(-2 * (_window(scores, mask, centre, reach)[0] / reach) ** 2)


def local_weights_with_open_edges(scores, mask, centre, reach):
    """A word at distance exactly R is left out: the window is closed, |j - p| <= R."""
    offset = np.abs(np.arange(scores.shape[1]) - centre[:, None])
    weights = masked_softmax(scores, mask & (offset < reach))
    return weights * np.exp(-2 * (offset / reach) ** 2)


def local_weights_with_sigma_equal_to_the_reach(scores, mask, centre, reach):
    """Your bell is twice too wide: σ is R / 2, not R."""
    offset, inside = _window(scores, mask, centre, reach)
    return masked_softmax(scores, inside) * np.exp(-0.5 * (offset / reach) ** 2)


def local_weights_without_the_two_below(scores, mask, centre, reach):
    """Your bell falls too fast: the exponent is -(j - p)² / (2 σ²), with a 2 below the line."""
    offset, inside = _window(scores, mask, centre, reach)
    return masked_softmax(scores, inside) * np.exp(-4 * (offset / reach) ** 2)


def local_weights_with_the_bell_on_the_scores(scores, mask, centre, reach):
    """You multiplied the scores by the bell: it acts on the weights, after the softmax."""
    offset, inside = _window(scores, mask, centre, reach)
    return masked_softmax(scores * np.exp(-2 * (offset / reach) ** 2), inside)


def local_weights_without_the_mask(scores, mask, centre, reach):
    """Padding inside the window gets weight: a position takes part if it is in the window and the mask is True."""
    return reference.local_weights(scores, np.ones_like(mask), centre, reach)


def local_weights_counted_from_one(scores, mask, centre, reach):
    """You counted positions from 1: in code the first word stands at position 0."""
    return reference.local_weights(scores, mask, centre - 1, reach)


def local_weights_around_a_rounded_centre(scores, mask, centre, reach):
    """You rounded the centre: it stays a real number, and the bell peaks between two words."""
    return reference.local_weights(scores, mask, np.round(centre), reach)


def local_weights_with_one_centre_for_all(scores, mask, centre, reach):
    """Every sentence got the first sentence's window: centre needs an axis of length 1, (B, 1), to meet (S,)."""
    return reference.local_weights(scores, mask, np.full_like(centre, centre[0]), reach)


MISTAKES = by_exercise(__name__, [
    "dot_score", "general_score", "concat_score", "attentional_state", "predicted_centre", "local_weights",
])
