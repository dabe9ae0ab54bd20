"""Plausible wrong answers to lab 02. A docstring is the sentence that a student reads whose answer behaves like it.

The tests prove that the hidden checks reject each of them; the marking room names the one that an answer behaves like.
"""

import numpy as np

from solutions.exercises import by_exercise
from solutions.lab02_learning_to_align import reference

# context_backward


def context_backward_by_a_sum_of_memory(d_context, weights, memory):
    """d_weights is not the sum of the states: each position's is the product of d_context with its own row of memory,
    summed over the width."""
    return memory.sum(axis=-1), reference.context_backward(d_context, weights, memory)[1]


def context_backward_weighted_twice(d_context, weights, memory):
    """You multiplied d_weights by the weights: the weight of a position is not part of its own derivative."""
    d_weights, d_memory = reference.context_backward(d_context, weights, memory)
    return weights * d_weights, d_memory


def context_backward_without_the_weights(d_context, weights, memory):
    """Every row of memory got the whole of d_context: a state's share is its weight."""
    d_weights, _ = reference.context_backward(d_context, weights, memory)
    return d_weights, np.repeat(d_context[:, None, :], memory.shape[1], axis=1)


def context_backward_with_the_context(d_context, weights, memory):
    """You blended with d_context as if it were memory's gradient already: d_memory is α_j d_context and does not hold
    memory."""
    d_weights, _ = reference.context_backward(d_context, weights, memory)
    return d_weights, weights[:, :, None] * memory


def context_backward_with_one_sentence_for_all(d_context, weights, memory):
    """Every sentence got the gradient of the first: keep the batch axis of d_context."""
    return reference.context_backward(np.broadcast_to(d_context[:1], d_context.shape), weights, memory)


def context_backward_with_results_swapped(d_context, weights, memory):
    """You returned (d_memory, d_weights): d_weights comes first."""
    return reference.context_backward(d_context, weights, memory)[::-1]


def context_backward_averaged(d_context, weights, memory):
    """You took the mean over the width where the sum belongs: a product of two vectors adds its terms up."""
    d_weights, d_memory = reference.context_backward(d_context, weights, memory)
    return d_weights / memory.shape[-1], d_memory


# softmax_backward


def softmax_backward_without_the_average(weights, d_weights):
    """You left out what the other positions do: raising one score lowers all other weights, so subtract the average of
    d_weights, weighted by the weights, first."""
    return weights * d_weights


def softmax_backward_of_a_sigmoid(weights, d_weights):
    """α(1 - α) is the diagonal of the Jacobian alone: the entries beside it, -α_j α_k, are missing."""
    return weights * (1 - weights) * d_weights


def softmax_backward_with_a_plain_mean(weights, d_weights):
    """You subtracted the plain mean of d_weights: it is their average by the weights, Σ α_k d_α_k."""
    return weights * (d_weights - d_weights.mean(axis=-1, keepdims=True))


def softmax_backward_without_the_factor(weights, d_weights):
    """You subtracted the average, but did not multiply by the weights."""
    return d_weights - (weights * d_weights).sum(axis=-1, keepdims=True)


def softmax_backward_over_axis_0(weights, d_weights):
    """Your average runs over axis 0: each column sums to 0, but it is each row that should (the last axis)."""
    return weights * (d_weights - (weights * d_weights).sum(axis=0, keepdims=True))


def softmax_backward_over_everything(weights, d_weights):
    """You took one average of the whole array: each row has its own, axis=-1, keepdims=True."""
    return weights * (d_weights - (weights * d_weights).sum())


def softmax_backward_with_the_sign_turned(weights, d_weights):
    """The sign is turned round: it is d_α_j minus the average, not the average minus d_α_j."""
    return -reference.softmax_backward(weights, d_weights)


def softmax_backward_weighted_after(weights, d_weights):
    """The average lacks its factor: you subtracted Σ α_k d_α_k itself, and each position takes only α_j of it."""
    return weights * d_weights - (weights * d_weights).sum(axis=-1, keepdims=True)


# scores_backward


def _back(d_scores, query, keys, v, slope):
    features = np.tanh(query[:, None] + keys)
    d_keys = d_scores[..., None] * v * slope(features)
    return d_keys.sum(axis=1), d_keys, (d_scores[..., None] * features).sum(axis=(0, 1))


def scores_backward_without_the_slope(d_scores, query, keys, v):
    """The slope of tanh is missing: multiply by 1 - tanh²."""
    return _back(d_scores, query, keys, v, np.ones_like)


def scores_backward_with_one_minus_tanh(d_scores, query, keys, v):
    """The slope of tanh is 1 - tanh², and you took 1 - tanh."""
    return _back(d_scores, query, keys, v, lambda features: 1 - features)


def scores_backward_with_the_slope_of_a_slope(d_scores, query, keys, v):
    """You put the sum q + k_j itself into 1 - x²: it is the tanh of it that belongs there."""
    return _back(d_scores, query, keys, v, lambda features: 1 - np.arctanh(features) ** 2)


def scores_backward_with_a_mean_for_the_query(d_scores, query, keys, v):
    """d_query is a mean over the positions: the same query met every position, so it is their sum."""
    _, d_keys, d_v = reference.scores_backward(d_scores, query, keys, v)
    return d_keys.mean(axis=1), d_keys, d_v


def scores_backward_with_a_query_over_the_batch(d_scores, query, keys, v):
    """You summed d_query over the sentences as well: each sentence has a query of its own."""
    d_query, d_keys, d_v = reference.scores_backward(d_scores, query, keys, v)
    return np.broadcast_to(d_query.sum(axis=0), d_query.shape), d_keys, d_v


def scores_backward_with_v_of_the_slope(d_scores, query, keys, v):
    """d_v is made of the features themselves, tanh, not of their slope."""
    d_query, d_keys, _ = reference.scores_backward(d_scores, query, keys, v)
    features = np.tanh(query[:, None] + keys)
    return d_query, d_keys, (d_scores[..., None] * (1 - features**2)).sum(axis=(0, 1))


def scores_backward_without_v(d_scores, query, keys, v):
    """v does not reach d_keys: a unit passes on what its entry of v made of it."""
    return _back(d_scores, query, keys, np.ones_like(v), lambda features: 1 - features**2)


def scores_backward_with_v_for_each_sentence(d_scores, query, keys, v):
    """You returned one d_v for each sentence: all sentences share v, so sum over the batch as well."""
    d_query, d_keys, _ = reference.scores_backward(d_scores, query, keys, v)
    features = np.tanh(query[:, None] + keys)
    return d_query, d_keys, (d_scores[..., None] * features).sum(axis=1)


def scores_backward_with_an_averaged_v(d_scores, query, keys, v):
    """d_v is a mean over the sentences: the loss has been averaged already, so gradients of shared parameters add."""
    d_query, d_keys, d_v = reference.scores_backward(d_scores, query, keys, v)
    return d_query, d_keys, d_v / len(d_scores)


# attend_backward


def _chain(d_context, query, keys, memory, weights, v, softmax=reference.softmax_backward):
    d_weights, _ = reference.context_backward(d_context, weights, memory)
    return reference.scores_backward(softmax(weights, d_weights), query, keys, v)


def attend_backward_without_the_softmax(d_context, query, keys, memory, weights, v):
    """You took d_weights for d_scores: the softmax between them is missing."""
    return _chain(d_context, query, keys, memory, weights, v, lambda weights, d_weights: d_weights)


def attend_backward_with_weights_for_d_weights(d_context, query, keys, memory, weights, v):
    """You passed the weights where their gradient belongs: softmax_backward takes (weights, d_weights)."""
    return _chain(d_context, query, keys, memory, weights, v, lambda w, _: reference.softmax_backward(w, w))


def attend_backward_with_the_arguments_of_softmax_exchanged(d_context, query, keys, memory, weights, v):
    """The arguments of softmax_backward are the wrong way round: weights first, then d_weights."""
    return _chain(d_context, query, keys, memory, weights, v, lambda w, d: reference.softmax_backward(d, w))


def attend_backward_with_d_memory_for_d_keys(d_context, query, keys, memory, weights, v):
    """You returned the gradient of memory as that of the keys: the keys get theirs from the scores."""
    d_query, _, d_v = _chain(d_context, query, keys, memory, weights, v)
    return d_query, reference.context_backward(d_context, weights, memory)[1], d_v


def attend_backward_with_the_whole_jacobian_lost(d_context, query, keys, memory, weights, v):
    """What goes through the softmax is α_j (d_α_j - average): the average is missing here, though perhaps not in your
    softmax_backward. Did you call it?"""
    return _chain(d_context, query, keys, memory, weights, v, lambda weights, d_weights: weights * d_weights)


def attend_backward_in_another_order(d_context, query, keys, memory, weights, v):
    """The order of results is d_query, d_keys, d_v."""
    d_query, d_keys, d_v = _chain(d_context, query, keys, memory, weights, v)
    return d_keys, d_query, d_v


def attend_backward_with_memory_as_keys(d_context, query, keys, memory, weights, v):
    """d_weights is the product of d_context with the first entries of the keys: it is memory that was blended."""
    width = min(keys.shape[-1], memory.shape[-1])
    d_weights = np.einsum("bsa,ba->bs", keys[..., :width], d_context[:, :width])
    return reference.scores_backward(reference.softmax_backward(weights, d_weights), query, keys, v)


# steps_backward


def _collect(states, memory, weights, d_contexts, d_queries, d_keys, U, over_steps=lambda d_keys: d_keys.sum(axis=1)):
    d_keys = over_steps(d_keys)
    d_W = np.einsum("btd,bta->da", states, d_queries)
    d_memory = np.einsum("bts,bte->bse", weights, d_contexts) + d_keys @ U.T
    return d_W, np.einsum("bse,bsa->ea", memory, d_keys), d_memory


def steps_backward_with_the_last_step_alone(states, memory, weights, d_contexts, d_queries, d_keys, U):
    """The keys got the gradient of the last step alone: they served every step, so their gradients add up."""
    return _collect(states, memory, weights, d_contexts, d_queries, d_keys, U, lambda d_keys: d_keys[:, -1])


def steps_backward_with_a_mean_over_the_steps(states, memory, weights, d_contexts, d_queries, d_keys, U):
    """You averaged the keys' gradients over the steps: what is used at every step collects a sum."""
    return _collect(states, memory, weights, d_contexts, d_queries, d_keys, U, lambda d_keys: d_keys.mean(axis=1))


def steps_backward_without_the_keys(states, memory, weights, d_contexts, d_queries, d_keys, U):
    """d_memory has one of its two ways only: memory was blended, and it was also made into keys. Add d_keys U^T."""
    d_W, d_U, _ = reference.steps_backward(states, memory, weights, d_contexts, d_queries, d_keys, U)
    return d_W, d_U, np.einsum("bts,bte->bse", weights, d_contexts)


def steps_backward_without_the_blend(states, memory, weights, d_contexts, d_queries, d_keys, U):
    """d_memory has one of its two ways only: memory was made into keys, and it was also blended. Add α_ij d_c_i."""
    d_W, d_U, _ = reference.steps_backward(states, memory, weights, d_contexts, d_queries, d_keys, U)
    return d_W, d_U, d_keys.sum(axis=1) @ U.T


def steps_backward_averaged_over_the_batch(states, memory, weights, d_contexts, d_queries, d_keys, U):
    """d_W and d_U are means over the sentences: the loss has been averaged already, so sum."""
    d_W, d_U, d_memory = reference.steps_backward(states, memory, weights, d_contexts, d_queries, d_keys, U)
    return d_W / len(states), d_U / len(states), d_memory


def steps_backward_with_the_parameters_exchanged(states, memory, weights, d_contexts, d_queries, d_keys, U):
    """You returned (d_U, d_W, d_memory): d_W comes first."""
    d_W, d_U, d_memory = reference.steps_backward(states, memory, weights, d_contexts, d_queries, d_keys, U)
    return d_U, d_W, d_memory


def steps_backward_transposed(states, memory, weights, d_contexts, d_queries, d_keys, U):
    """d_W and d_U are transposed: a gradient has the shape of its parameter, (D, A) and (E, A)."""
    d_W, d_U, d_memory = reference.steps_backward(states, memory, weights, d_contexts, d_queries, d_keys, U)
    return d_W.T, d_U.T, d_memory


def steps_backward_with_memory_for_each_step(states, memory, weights, d_contexts, d_queries, d_keys, U):
    """You blended all contexts with the weights of the first step: each step has its own weights."""
    first = np.broadcast_to(weights[:, :1], weights.shape)
    return _collect(states, memory, first, d_contexts, d_queries, d_keys[:, :1], U)


MISTAKES = by_exercise(__name__, [
    "context_backward", "softmax_backward", "scores_backward", "attend_backward", "steps_backward",
])
