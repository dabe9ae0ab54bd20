"""Different right ways to write lab 05: a fair grader gives each of them full points."""

import sys

import numpy as np

# scaled_scores


def scaled_scores_by_einsum(Q, K):
    return np.einsum("...id,...jd->...ij", Q, K) * Q.shape[-1] ** -0.5


def scaled_scores_by_multiplying_and_adding(Q, K):
    return (Q[..., :, np.newaxis, :] * K[..., np.newaxis, :, :]).sum(axis=-1) / float(np.sqrt(Q.shape[-1]))


def scaled_scores_by_a_loop(Q, K):
    scores = np.zeros((*np.broadcast_shapes(Q.shape[:-2], K.shape[:-2]), Q.shape[-2], K.shape[-2]), dtype=Q.dtype)
    for i in range(Q.shape[-2]):
        for j in range(K.shape[-2]):
            scores[..., i, j] = np.sum(Q[..., i, :] * K[..., j, :], axis=-1) / Q.shape[-1] ** 0.5
    return scores


def scaled_scores_with_both_scaled(Q, K):
    quarter = Q.shape[-1] ** 0.25
    return np.matmul(Q / quarter, np.moveaxis(K / quarter, -1, -2))


# causal_mask


def causal_mask_by_tri(T, S, past=0):
    return np.tri(T, S, past, dtype=bool)


def causal_mask_by_a_loop(T, S, past=0):
    return np.array([[j <= past + i for j in range(S)] for i in range(T)])


def causal_mask_of_the_future(T, S, past=0):
    return ~np.triu(np.ones((T, S), dtype=bool), k=past + 1)


def causal_mask_by_indices(T, S, past=0):
    rows, columns = np.indices((T, S))
    return columns - rows <= past


# padding_mask


def padding_mask_by_comparison(lengths, S):
    return np.arange(S)[None, None] < lengths.reshape(-1, 1, 1)


def padding_mask_by_a_loop(lengths, S):
    mask = np.zeros((len(lengths), 1, S), dtype=bool)
    for b, length in enumerate(lengths):
        mask[b, 0, :length] = True
    return mask


def padding_mask_by_less_outer(lengths, S):
    return np.greater.outer(lengths, np.arange(S))[:, None]


def padding_mask_by_rows_of_a_triangle(lengths, S):
    return np.expand_dims(np.tri(S + 1, S, -1, dtype=bool)[lengths], 1)


# scaled_dot_product_attention


def scaled_dot_product_attention_by_einsum(Q, K, V, mask=None):
    scores = np.einsum("...id,...jd->...ij", Q, K) / Q.shape[-1] ** 0.5
    seen = np.ones(scores.shape, bool) if mask is None else np.broadcast_to(mask, scores.shape)
    highest = scores.max(axis=-1, keepdims=True, where=seen, initial=np.finfo(scores.dtype).min)
    powers = np.where(seen, np.exp(np.minimum(scores - highest, 0)), 0)
    sums = powers.sum(axis=-1, keepdims=True)
    weights = np.divide(powers, sums, out=np.zeros_like(powers), where=sums > 0)
    return np.einsum("...ij,...jd->...id", weights, V), weights


def scaled_dot_product_attention_with_nan_replaced(Q, K, V, mask=None):
    scores = scaled_scores_by_einsum(Q, K)
    if mask is not None:
        scores = np.where(mask, scores, -np.inf)
    powers = np.exp(scores - scores.max(axis=-1, keepdims=True))
    weights = np.nan_to_num(powers / powers.sum(axis=-1, keepdims=True), nan=0.0)
    return weights @ V, weights


def scaled_dot_product_attention_with_an_added_mask(Q, K, V, mask=None):
    scores = scaled_scores_by_einsum(Q, K)
    if mask is None:
        mask = np.array([[True]])
    scores = scores + np.where(mask, 0.0, -np.inf).astype(scores.dtype)
    empty = ~np.any(np.broadcast_to(mask, scores.shape), axis=-1, keepdims=True)
    scores = np.where(empty, 0.0, scores)
    powers = np.exp(scores - scores.max(axis=-1, keepdims=True))
    weights = powers / powers.sum(axis=-1, keepdims=True) * ~empty
    return np.matmul(weights, V), weights


def scaled_dot_product_attention_by_a_loop(Q, K, V, mask=None):
    print("one query at a time", file=sys.stderr)
    leading = np.broadcast_shapes(Q.shape[:-2], K.shape[:-2])
    T, S = Q.shape[-2], K.shape[-2]
    seen = np.broadcast_to(True if mask is None else mask, (*leading, T, S))
    Q, K, V = (np.broadcast_to(each, (*leading, *each.shape[-2:])) for each in (Q, K, V))
    weights, output = np.zeros((*leading, T, S), Q.dtype), np.zeros((*leading, T, V.shape[-1]), Q.dtype)
    for at in np.ndindex(*leading, T):
        keys = np.flatnonzero(seen[at])
        if len(keys):
            scores = K[at[:-1]][keys] @ Q[at] / len(Q[at]) ** 0.5
            powers = np.exp(scores - max(scores))
            weights[at][keys] = powers / sum(powers)
            output[at] = weights[at] @ V[at[:-1]]
    return output, weights


# scaled_dot_product_attention_backward


def scaled_dot_product_attention_backward_by_einsum(d_output, Q, K, V, weights):
    d_V = np.einsum("...ij,...id->...jd", weights, d_output)
    d_weights = np.einsum("...id,...jd->...ij", d_output, V)
    d_scores = weights * d_weights - weights * np.einsum("...ij,...ij->...i", weights, d_weights)[..., None]
    d_scores /= Q.shape[-1] ** 0.5
    return np.einsum("...ij,...jd->...id", d_scores, K), np.einsum("...ij,...id->...jd", d_scores, Q), d_V


def scaled_dot_product_attention_backward_through_the_output(d_output, Q, K, V, weights):
    mean = np.sum(d_output * (weights @ V), axis=-1, keepdims=True)
    d_scores = weights * (d_output @ V.swapaxes(-1, -2) - mean)
    root = Q.shape[-1] ** 0.5
    return d_scores @ (K / root), d_scores.swapaxes(-1, -2) @ (Q / root), weights.swapaxes(-1, -2) @ d_output


def scaled_dot_product_attention_backward_by_jacobians(d_output, Q, K, V, weights):
    diagonal = weights[..., None] * np.eye(weights.shape[-1], dtype=Q.dtype)
    jacobians = diagonal - weights[..., :, None] * weights[..., None, :]
    d_weights = np.matmul(d_output, np.moveaxis(V, -1, -2))
    d_scores = np.matmul(jacobians, d_weights[..., None])[..., 0] * Q.shape[-1] ** -0.5
    return [d_scores @ K, np.moveaxis(d_scores, -1, -2) @ Q, np.moveaxis(weights, -1, -2) @ d_output]


def scaled_dot_product_attention_backward_by_a_loop(d_output, Q, K, V, weights):
    d_Q, d_K, d_V = np.zeros_like(Q), np.zeros_like(K), np.zeros_like(V)
    for at in np.ndindex(Q.shape[:-2]):
        for i, row in enumerate(weights[at]):
            d_row = V[at] @ d_output[at][i]
            d_scores = row * (d_row - row @ d_row) / len(Q[at][i]) ** 0.5
            d_Q[at][i] = d_scores @ K[at]
            d_K[at] += np.outer(d_scores, Q[at][i])
            d_V[at] += np.outer(row, d_output[at][i])
    return d_Q, d_K, d_V


TRIVIAL = {
    "all of it": lambda *args: np.ones(args[:2] if np.ndim(args[0]) == 0 else (len(args[0]), 1, args[1]), bool),
    "the values and no weights": lambda Q, K=0, V=0, *_: (V, np.zeros_like(Q)),
    "all of its inputs": lambda *args: args[1:4],
    "zeros for the gradients": lambda *args: tuple(map(np.zeros_like, args[1:4])),
}

WITHOUT_ARRAYS = {"causal_mask"}  # given numbers alone
