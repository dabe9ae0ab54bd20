"""Different right ways to write lab 14: a fair grader gives each of them full points."""

import math

import numpy as np

from tests.labs.float32 import in_float32

# rms_norm


def rms_norm_row_by_row(x, gamma, eps=1e-5):
    output = np.empty_like(x)
    for place in np.ndindex(x.shape[:-1]):
        output[place] = gamma * x[place] / math.sqrt(x[place] @ x[place] / x.shape[-1] + eps)
    return output


def rms_norm_by_the_reciprocal(x, gamma, eps=1e-5):
    return x * np.reciprocal(np.sqrt(np.mean(np.square(x), -1, keepdims=True) + eps)) * gamma


def rms_norm_by_norms(x, gamma, eps=1e-5):
    size = np.linalg.norm(x, axis=-1) ** 2 / x.shape[-1]
    return np.multiply(gamma, x) / ((size + eps) ** 0.5)[..., np.newaxis].astype(x.dtype)


def rms_norm_by_einsum(x, gamma, eps=1e-5):
    square = np.einsum("...m,...m->...", x, x)[..., None] / x.shape[-1]
    return np.einsum("...m,m->...m", x * (square + eps) ** -0.5, gamma)


# rms_norm_backward


def rms_norm_backward_by_the_jacobian(d_output, x, gamma, eps=1e-5):
    M = x.shape[-1]
    d_x, d_gamma = np.empty_like(x), np.zeros_like(gamma)
    for place in np.ndindex(x.shape[:-1]):
        rms = float(np.sqrt(np.dot(x[place], x[place]) / M + eps))
        J = np.eye(M, dtype=x.dtype) / rms - np.outer(x[place], x[place]) / (M * rms**3)
        d_x[place] = J @ (gamma * d_output[place])
        d_gamma += d_output[place] * x[place] / rms
    return d_x, d_gamma


def rms_norm_backward_by_the_chain(d_output, x, gamma, eps=1e-5):
    square = np.mean(x * x, axis=-1, keepdims=True) + eps
    d = d_output * gamma
    d_square = (d * x).sum(axis=-1, keepdims=True) * -0.5 * square**-1.5
    d_x = d * square**-0.5 + d_square * 2 * x / x.shape[-1]
    return d_x, (d_output * x * square**-0.5).reshape(-1, x.shape[-1]).sum(axis=0)


def rms_norm_backward_on_flat_rows(d_output, x, gamma, eps=1e-5):
    rows, d_rows = np.atleast_2d(x.reshape(-1, x.shape[-1])), d_output.reshape(-1, x.shape[-1])
    size = (np.sum(rows**2, axis=1) / rows.shape[1] + eps)[:, None] ** 0.5
    turned = rows / size
    along = ((d_rows * gamma) * turned).mean(axis=1)[:, None]
    return [((d_rows * gamma - along * turned) / size).reshape(x.shape), np.sum(d_rows * turned, axis=0)]


def rms_norm_backward_by_einsum(d_output, x, gamma, eps=1e-5):
    inverse = 1 / np.sqrt(np.einsum("...m,...m->...", x, x)[..., None] / x.shape[-1] + eps)
    along = np.einsum("...m,...m,m->...", d_output, x, gamma)[..., None] * inverse**3 / x.shape[-1]
    axes = tuple(range(x.ndim))
    return d_output * gamma * inverse - x * along, np.einsum(d_output, axes, x * inverse, axes, axes[-1:])


# swiglu


def swiglu_by_tanh(x, W_1, W_3, W_2):
    gate = x @ W_1
    return (0.5 * gate * (1 + np.tanh(0.5 * gate)) * (x @ W_3)) @ W_2


def swiglu_by_the_plain_sigmoid(x, W_1, W_3, W_2):
    gate = x @ W_1
    with np.errstate(over="ignore"):
        return np.matmul(gate / (1 + np.exp(-gate)) * np.matmul(x, W_3), W_2)


def swiglu_by_einsum(x, W_1, W_3, W_2):
    gate, up = np.einsum("...m,mf->...f", x, W_1), np.einsum("...m,mf->...f", x, W_3)
    active = np.where(gate >= 0, 1, np.exp(np.minimum(gate, 0))) / (1 + np.exp(-np.abs(gate))) * gate
    return np.einsum("...f,...f,fm->...m", active, up, W_2)


def swiglu_of_both_at_once(x, W_1, W_3, W_2):
    gate, up = np.split(x @ np.concatenate([W_1, W_3], axis=1), 2, axis=-1)
    return (gate * np.exp(-np.logaddexp(0, -gate)) * up) @ W_2


def swiglu_token_by_token(x, W_1, W_3, W_2):
    output = np.zeros_like(x)
    for place in np.ndindex(x.shape[:-1]):
        gate = np.clip(x[place] @ W_1, -1e4, 1e4)
        output[place] = (x[place] @ W_1 * (1 + np.tanh(gate / 2)) / 2 * (x[place] @ W_3)) @ W_2
    return output


# grouped_attention


def _softmax(scores):
    top = np.max(scores, axis=-1, keepdims=True)
    powers = np.exp(scores - np.where(np.isneginf(top), 0, top))
    return powers / np.maximum(powers.sum(axis=-1, keepdims=True), np.finfo(scores.dtype).tiny)


def _prepared(scores, mask, softcap):
    scores = scores if softcap is None else np.tanh(scores / softcap) * softcap
    if mask is None:
        return scores
    return scores + (np.where(mask, 0, -np.inf).astype(scores.dtype) if mask.dtype == bool else mask)


def grouped_attention_by_index(Q, K, V, mask=None, softcap=None):
    H, G = Q.shape[-3], K.shape[-3]
    if H % G != 0:
        raise ValueError(f"{H} heads cannot share {G} groups evenly")
    group = np.arange(H) // (H // G)
    scores = np.einsum("...htd,...hsd->...hts", Q, K[..., group, :, :]) / Q.shape[-1] ** 0.5
    weights = _softmax(_prepared(scores, mask, softcap))
    return np.einsum("...hts,...hse->...hte", weights, V[..., group, :, :]), weights


def grouped_attention_with_an_axis_more(Q, K, V, mask=None, softcap=None):
    *front, H, T, d = Q.shape
    G, S = K.shape[-3:-1]
    if H % G:
        raise ValueError(f"expected a divisor of {H}, got {G} groups")
    queries = Q.reshape(*front, G, H // G, T, d) / float(np.sqrt(d))
    scores = (queries @ K[..., None, :, :].swapaxes(-1, -2)).reshape(*front, H, T, S)
    weights = _softmax(_prepared(scores, mask, softcap))
    return (weights.reshape(*front, G, H // G, T, S) @ V[..., None, :, :]).reshape(*front, H, T, -1), weights


def grouped_attention_head_by_head(Q, K, V, mask=None, softcap=None):
    H, G = Q.shape[-3], K.shape[-3]
    if H // G * G != H:
        raise ValueError("the groups do not share the heads")
    seen = None if mask is None else np.broadcast_to(mask, (*Q.shape[:-1], K.shape[-2]))
    outputs, all_weights = [], []
    for n in range(H):
        keys, values = K[..., n * G // H, :, :], V[..., n * G // H, :, :]
        scores = Q[..., n, :, :] @ np.swapaxes(keys, -2, -1) / math.sqrt(Q.shape[-1])
        weights = _softmax(_prepared(scores, None if seen is None else seen[..., n, :, :], softcap))
        outputs.append(weights @ values)
        all_weights.append(weights)
    return np.stack(outputs, axis=-3), np.stack(all_weights, axis=-3)


def grouped_attention_with_a_list(Q, K, V, mask=None, softcap=None):
    n, left_over = divmod(Q.shape[-3], K.shape[-3])
    if left_over:
        raise ValueError(f"G must divide H, got {K.shape[-3]} and {Q.shape[-3]}")
    keys, values = (np.stack([x[..., i // n, :, :] for i in range(Q.shape[-3])], axis=-3) for x in (K, V))
    scores = _prepared(Q @ keys.swapaxes(-1, -2) * (1 / math.sqrt(Q.shape[-1])), mask, softcap)
    seen = np.isfinite(scores)
    highest = np.max(np.where(seen, scores, np.finfo(scores.dtype).min), axis=-1, keepdims=True)
    powers = np.where(seen, np.exp(np.where(seen, scores - highest, 0)), 0)
    total = powers.sum(axis=-1, keepdims=True)
    weights = np.divide(powers, total, out=np.zeros_like(powers), where=total > 0)
    return [weights @ values, weights]


def grouped_attention_by_the_plain_root(Q, K, V, mask=None, softcap=None):
    H, G = Q.shape[-3], K.shape[-3]
    if H % G:
        raise ValueError(f"{G} does not divide {H}")
    keys, values = K.repeat(H // G, axis=-3), V.repeat(H // G, axis=-3)
    weights = _softmax(_prepared(Q @ keys.swapaxes(-1, -2) / np.sqrt(Q.shape[-1]), mask, softcap))
    return weights @ values, weights


# mean_pool


def mean_pool_sentence_by_sentence(hidden, mask):
    rows = [tokens[seen].mean(axis=0) if seen.any() else np.zeros_like(tokens[0])
            for tokens, seen in zip(hidden, mask, strict=True)]
    return np.stack(rows)


def mean_pool_by_einsum(hidden, mask):
    count = np.clip(mask.sum(axis=1), 1, None).astype(hidden.dtype)
    return np.einsum("btm,bt->bm", hidden, mask.astype(hidden.dtype)) / count[:, None]


def mean_pool_by_weights(hidden, mask):
    share = mask / np.maximum(mask.sum(axis=-1), 1)[:, None]
    return (share[:, None].astype(hidden.dtype) @ hidden)[:, 0]


def mean_pool_by_a_product(hidden, mask):
    total = np.sum(hidden * mask[:, :, np.newaxis], axis=1)
    number = np.sum(mask, axis=1, dtype=hidden.dtype)[:, np.newaxis]
    return np.where(number > 0, total / np.where(number > 0, number, 1), total)


def mean_pool_by_the_plain_sum(hidden, mask):
    return (hidden * mask[..., None]).sum(axis=1) / np.maximum(mask.sum(axis=1, keepdims=True), 1)


# lora


def lora_merged(x, W, A, B, alpha):
    return x @ (W + alpha / A.shape[1] * (A @ B))


def lora_by_einsum(x, W, A, B, alpha):
    return np.einsum("...n,nm->...m", x, W) + np.einsum("...n,nr,rm->...m", x, A * (alpha / len(B)), B)


def lora_with_the_scale_in_the_middle(x, W, A, B, alpha):
    return np.matmul(x, W) + np.matmul(np.matmul(x, A) * alpha / A.shape[-1], B)


def lora_of_rank_one_at_a_time(x, W, A, B, alpha):
    r = B.shape[0]
    corrections = [(x @ A[:, i])[..., None] * B[i] for i in range(r)]
    return x @ W + sum(corrections) * (alpha / r)


# lora_backward


def lora_backward_through_the_merged(d_output, x, W, A, B, alpha):
    scale = alpha / A.shape[1]
    d_merged = x.reshape(-1, x.shape[-1]).T @ d_output.reshape(-1, d_output.shape[-1])
    return d_output @ (W + scale * A @ B).T, scale * d_merged @ B.T, scale * A.T @ d_merged


def lora_backward_by_einsum(d_output, x, W, A, B, alpha):
    scale, axes = alpha / B.shape[0], list(range(x.ndim - 1))
    rows, d_rows, low = [*axes, 20], [*axes, 21], [*axes, 22]
    x_low, d_low = np.einsum(x, rows, A, [20, 22], low), np.einsum(d_output, d_rows, B, [22, 21], low)
    d_x = np.einsum(d_output, d_rows, W, [20, 21], rows) + scale * np.einsum(d_low, low, A, [20, 22], rows)
    d_A = np.einsum(x, rows, d_low, low, [20, 22])
    return d_x, scale * d_A, scale * np.einsum(x_low, low, d_output, d_rows, [22, 21])


def lora_backward_row_by_row(d_output, x, W, A, B, alpha):
    d_A, d_B, d_x = np.zeros_like(A), np.zeros_like(B), np.empty_like(x)
    scale = alpha / A.shape[1]
    for place in np.ndindex(x.shape[:-1]):
        d_low = scale * (B @ d_output[place])
        d_A += np.outer(x[place], d_low)
        d_B += scale * np.outer(x[place] @ A, d_output[place])
        d_x[place] = W @ d_output[place] + A @ d_low
    return [d_x, d_A, d_B]


def lora_backward_on_flat_rows(d_output, x, W, A, B, alpha):
    rows, d_rows = x.reshape(-1, len(A)), alpha / len(B) * d_output.reshape(-1, B.shape[1])
    d_x = d_output.reshape(d_rows.shape) @ W.T + d_rows @ B.T @ A.T
    return d_x.reshape(x.shape), rows.T @ (d_rows @ B.T), (d_rows.T @ (rows @ A)).T


rms_norm_in_float32 = in_float32(rms_norm_by_the_reciprocal)
rms_norm_backward_in_float32 = in_float32(rms_norm_backward_by_the_chain)
swiglu_in_float32 = in_float32(swiglu_by_tanh)
grouped_attention_in_float32 = in_float32(grouped_attention_by_index)
mean_pool_in_float32 = in_float32(mean_pool_by_weights)
lora_in_float32 = in_float32(lora_merged)
lora_backward_in_float32 = in_float32(lora_backward_through_the_merged)

TRIVIAL = {
    "the values, and no weights": lambda *args: (args[2 % len(args)], np.zeros_like(args[0])),
    "the frozen weights alone": lambda *args: args[0] @ args[1] if args[0].shape[-1] == len(args[1]) else args[0],
    "no gradients": lambda *args: tuple(np.zeros_like(a) for a in (*args[1:3], *args[3:4])),
}

EXPECTS_SHAPES = {"mean_pool"}  # the reference names each array that does not fit
