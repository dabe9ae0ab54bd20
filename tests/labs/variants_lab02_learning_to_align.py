"""Different right ways to write lab 02: a fair grader gives each of them full points."""

import sys

import numpy as np

from tests.labs.float32 import in_float32


def context_backward_by_a_loop(d_context, weights, memory):
    d_weights, d_memory = np.zeros(weights.shape), np.zeros(memory.shape)
    for b in range(len(weights)):
        for j in range(weights.shape[1]):
            d_weights[b, j] = sum(d_context[b] * memory[b, j])
            d_memory[b, j] = weights[b, j] * d_context[b]
    return d_weights, d_memory


def context_backward_by_einsum(d_context, weights, memory):
    return np.einsum("be,bse->bs", d_context, memory), np.einsum("bs,be->bse", weights, d_context)


def context_backward_by_broadcasting(d_context, weights, memory):
    wide = d_context[:, np.newaxis]
    return [np.sum(memory * wide, axis=2), np.multiply(weights[..., np.newaxis], wide)]


def context_backward_with_a_warning(d_context, weights, memory):
    print("deprecated, they say", file=sys.stderr)
    np.array([1.0]) / np.array([0.0])  # a RuntimeWarning of no consequence
    return np.matmul(memory, d_context[..., None]).squeeze(-1), np.matmul(weights[..., None], d_context[:, None])


def softmax_backward_by_a_loop(weights, d_weights):
    d_scores = np.zeros_like(weights)
    for row in np.ndindex(weights.shape[:-1]):
        a, d = weights[row], d_weights[row]
        for j in range(len(a)):
            for k in range(len(a)):
                d_scores[row][j] += a[k] * ((j == k) - a[j]) * d[k]
    return d_scores


def softmax_backward_by_jacobians(weights, d_weights):
    diagonal = weights[..., None] * np.eye(weights.shape[-1], dtype=weights.dtype)
    jacobian = diagonal - weights[..., :, None] * weights[..., None, :]
    return (jacobian @ d_weights[..., None])[..., 0]


def softmax_backward_expanded(weights, d_weights):
    product = weights * d_weights
    return product - weights * np.sum(product, axis=-1)[..., np.newaxis]


def softmax_backward_by_einsum(weights, d_weights):
    average = np.einsum("...s,...s->...", weights, d_weights)
    return np.multiply(weights, np.subtract(d_weights, np.expand_dims(average, -1)))


def softmax_backward_through_a_flat_batch(weights, d_weights):
    a, d = weights.reshape(-1, weights.shape[-1]), d_weights.reshape(-1, weights.shape[-1])
    flat = [w * (g - w.dot(g)) for w, g in zip(a, d, strict=True)]
    return np.array(flat).reshape(weights.shape)


def scores_backward_by_a_loop(d_scores, query, keys, v):
    d_query, d_keys, d_v = np.zeros(query.shape), np.zeros(keys.shape), np.zeros(v.shape)
    for b, j in np.ndindex(d_scores.shape):
        t = np.tanh(query[b] + keys[b, j])
        d_keys[b, j] = d_scores[b, j] * v * (1 - t * t)
        d_query[b] += d_keys[b, j]
        d_v += d_scores[b, j] * t
    return d_query, d_keys, d_v


def scores_backward_by_einsum(d_scores, query, keys, v):
    t = np.tanh(query[:, None] + keys)
    d_keys = np.einsum("bs,a,bsa->bsa", d_scores, v, 1 - t**2)
    return np.einsum("bsa->ba", d_keys), d_keys, np.einsum("bs,bsa->a", d_scores, t)


def scores_backward_by_the_hyperbolic_cosine(d_scores, query, keys, v):
    total = query[:, None, :] + keys
    d_keys = np.multiply.outer(d_scores, v) / np.cosh(total) ** 2
    return [d_keys.sum(1), d_keys, np.tensordot(d_scores, np.tanh(total), 2)]


def scores_backward_by_flat_products(d_scores, query, keys, v):
    t = np.tanh(np.repeat(query, keys.shape[1], axis=0) + keys.reshape(-1, len(v)))
    d_t = np.outer(d_scores.ravel(), v)
    d_keys = (d_t - d_t * t * t).reshape(keys.shape)
    return np.add.reduce(d_keys, axis=1), d_keys, d_scores.ravel() @ t


def attend_backward_by_a_loop(d_context, query, keys, memory, weights, v):
    d_weights, _ = context_backward_by_a_loop(d_context, weights, memory)
    return scores_backward_by_a_loop(softmax_backward_by_a_loop(weights, d_weights), query, keys, v)


def attend_backward_around_the_context(d_context, query, keys, memory, weights, v):
    context = np.einsum("bs,bse->be", weights, memory)
    d_scores = weights * np.einsum("bse,be->bs", memory - context[:, None], d_context)
    d_scores *= weights.any(axis=1, keepdims=True)
    return scores_backward_by_einsum(d_scores, query, keys, v)


def attend_backward_in_one_breath(d_context, query, keys, memory, weights, v):
    g = np.einsum("be,bse->bs", d_context, memory)
    e = weights * (g - (weights * g).sum(1, keepdims=True))
    t = np.tanh(query[:, None] + keys)
    z = e[..., None] * v * (1 - t * t)
    return z.sum(1), z, np.einsum("bs,bsa->a", e, t)


def attend_backward_as_a_list(d_context, query, keys, memory, weights, v):
    d_weights = context_backward_by_broadcasting(d_context, weights, memory)[0]
    d_scores = softmax_backward_by_jacobians(weights, d_weights)
    return list(scores_backward_by_the_hyperbolic_cosine(d_scores, query, keys, v))


def steps_backward_by_a_loop(states, memory, weights, d_contexts, d_queries, d_keys, U):
    d_W = np.zeros((states.shape[-1], d_queries.shape[-1]))
    d_U, d_memory = np.zeros(U.shape), np.zeros(memory.shape)
    for b, t in np.ndindex(states.shape[:2]):
        d_W += np.outer(states[b, t], d_queries[b, t])
        for j in range(memory.shape[1]):
            d_U += np.outer(memory[b, j], d_keys[b, t, j])
            d_memory[b, j] += weights[b, t, j] * d_contexts[b, t] + U @ d_keys[b, t, j]
    return d_W, d_U, d_memory


def steps_backward_by_einsum(states, memory, weights, d_contexts, d_queries, d_keys, U):
    d_memory = np.einsum("bts,bte->bse", weights, d_contexts) + np.einsum("btsa,ea->bse", d_keys, U)
    return np.einsum("btd,bta->da", states, d_queries), np.einsum("bse,btsa->ea", memory, d_keys), d_memory


def steps_backward_step_by_step(states, memory, weights, d_contexts, d_queries, d_keys, U):
    d_W, d_U, d_memory = 0, 0, 0
    for t in range(states.shape[1]):
        d_W = d_W + states[:, t].T @ d_queries[:, t]
        d_U = d_U + sum(memory[b].T @ d_keys[b, t] for b in range(len(memory)))
        blended = context_backward_by_einsum(d_contexts[:, t], weights[:, t], memory)[1]
        d_memory = d_memory + blended + d_keys[:, t] @ U.T
    return d_W, d_U, d_memory


def steps_backward_by_flat_products(states, memory, weights, d_contexts, d_queries, d_keys, U):
    total = d_keys.sum(1)
    flat = [array.reshape(-1, array.shape[-1]) for array in (states, d_queries, memory, total)]
    return [flat[0].T @ flat[1], flat[2].T @ flat[3], weights.swapaxes(1, 2) @ d_contexts + total @ U.T]


context_backward_in_float32 = in_float32(context_backward_by_einsum)
scores_backward_in_float32 = in_float32(scores_backward_by_einsum)
attend_backward_in_float32 = in_float32(attend_backward_in_one_breath)
steps_backward_in_float32 = in_float32(steps_backward_by_flat_products)

TRIVIAL = {
    "zeros of the right shapes, for the largest exercise": lambda *args: tuple(map(np.zeros_like, args[1:4])),
    "two of its inputs": lambda *args: (args[1], args[2]),
}

EXPECTS_SHAPES = {  # the reference names each array that does not fit
    "attend_backward", "context_backward", "scores_backward", "steps_backward",
}
