"""Different right ways to write lab 06: a fair grader gives each of them full points."""


import numpy as np

from solutions.lab06_multi_head import checks
from tests.labs.float32 import in_float32

# scaled_dot_product_attention


def scaled_dot_product_attention_by_einsum(Q, K, V, mask=None):
    scores = np.einsum("...td,...sd->...ts", Q, K) / np.sqrt(Q.shape[-1])
    if mask is None:
        mask = np.ones(scores.shape, bool)
    powers = np.exp(np.where(mask, scores, -np.inf) - np.max(np.where(mask, scores, -1e300), axis=-1, keepdims=True))
    powers = np.where(mask, powers, 0)
    total = powers.sum(-1, keepdims=True)
    weights = np.divide(powers, total, out=np.zeros_like(powers), where=total > 0)
    return np.einsum("...ts,...sd->...td", weights, V), weights


def scaled_dot_product_attention_by_a_loop(Q, K, V, mask=None):
    *leading, T, d_k = Q.shape
    S = K.shape[-2]
    mask = np.broadcast_to(True if mask is None else mask, (*leading, T, S))
    weights, output = np.zeros((*leading, T, S)), np.zeros((*leading, T, V.shape[-1]))
    for index in np.ndindex(*leading, T):
        *sentence, _ = index
        seen = mask[index]
        if seen.any():
            e = K[tuple(sentence)][seen] @ Q[index] / d_k**0.5
            weights[index][seen] = np.exp(e - e.max()) / np.exp(e - e.max()).sum()
        output[index] = weights[index] @ V[tuple(sentence)]
    return output, weights


def scaled_dot_product_attention_with_nan_to_num(Q, K, V, mask=None):
    scores = Q @ np.moveaxis(K, -1, -2) * Q.shape[-1] ** -0.5
    if mask is not None:
        scores = scores + np.where(mask, 0, -np.inf)
    with np.errstate(invalid="ignore"):
        powers = np.exp(scores - scores.max(axis=-1, keepdims=True))
        weights = np.nan_to_num(powers / powers.sum(axis=-1, keepdims=True), nan=0.0)
    return (weights @ V, weights)


def scaled_dot_product_attention_by_masked_arrays(Q, K, V, mask=None):
    scores = Q @ K.swapaxes(-1, -2) / np.sqrt(Q.shape[-1])
    hidden = np.broadcast_to(False if mask is None else ~mask, scores.shape)
    seen = np.ma.masked_array(scores, hidden)
    powers = np.exp(seen - seen.max(axis=-1, keepdims=True)).filled(0)
    weights = powers / np.maximum(powers.sum(axis=-1, keepdims=True), 1)
    return [np.matmul(weights, V), weights]


# scaled_dot_product_attention_backward


def scaled_dot_product_attention_backward_by_einsum(d_output, Q, K, V, weights):
    d_V = np.einsum("...ts,...td->...sd", weights, d_output)
    d_weights = np.einsum("...td,...sd->...ts", d_output, V)
    d_scores = weights * (d_weights - np.einsum("...ts,...ts->...t", weights, d_weights)[..., None])
    d_scores = d_scores / np.sqrt(Q.shape[-1])
    return np.einsum("...ts,...sd->...td", d_scores, K), np.einsum("...ts,...td->...sd", d_scores, Q), d_V


def scaled_dot_product_attention_backward_with_the_output(d_output, Q, K, V, weights):
    output = weights @ V
    average = (d_output * output).sum(axis=-1, keepdims=True)
    d_scores = weights * (d_output @ V.swapaxes(-1, -2) - average) * Q.shape[-1] ** -0.5
    return [d_scores @ K, d_scores.swapaxes(-1, -2) @ Q, weights.swapaxes(-1, -2) @ d_output]


def scaled_dot_product_attention_backward_by_jacobians(d_output, Q, K, V, weights):
    d_weights = d_output @ V.swapaxes(-1, -2)
    J = weights[..., None] * np.eye(weights.shape[-1]) - weights[..., None] * weights[..., None, :]
    d_scores = (J @ d_weights[..., None])[..., 0]
    d_Q, d_K = d_scores @ K, d_scores.swapaxes(-1, -2) @ Q
    return d_Q / Q.shape[-1] ** 0.5, d_K / Q.shape[-1] ** 0.5, weights.swapaxes(-1, -2) @ d_output


# split_heads


def split_heads_by_split(x, heads):
    return np.stack(np.split(x, heads, axis=-1), axis=1)


def split_heads_by_slices(x, heads):
    d = x.shape[-1] // heads
    return np.array([[row[:, i * d : (i + 1) * d] for i in range(heads)] for row in x])


def split_heads_by_moveaxis(x, heads):
    return np.moveaxis(x.reshape(*x.shape[:-1], heads, -1), -2, 1)


def split_heads_by_einsum(x, heads):
    B, T, width = x.shape
    return np.einsum("bthd->bhtd", x.reshape(B, T, heads, width // heads)).copy()


# merge_heads


def merge_heads_by_concatenation(x):
    return np.concatenate([x[:, i] for i in range(x.shape[1])], axis=-1)


def merge_heads_by_hstack(x):
    return np.array([np.hstack(list(sentence)) for sentence in x])


def merge_heads_by_moveaxis(x):
    return np.moveaxis(x, 1, 2).reshape(len(x), x.shape[2], -1)


def merge_heads_by_a_loop(x):
    B, h, T, d = x.shape
    merged = np.empty((B, T, h * d), x.dtype)
    for i in range(h):
        merged[:, :, i * d : (i + 1) * d] = x[:, i]
    return merged


# multi_head_attention


def multi_head_attention_by_heads(X, memory, parameters, heads, mask=None):
    W_Q, W_K, W_V, W_O = (np.split(parameters[name], heads, axis=axis)
                          for name, axis in [("W_Q", 1), ("W_K", 1), ("W_V", 1), ("W_O", 0)])
    looks = [scaled_dot_product_attention_by_einsum(X @ q, memory @ k, memory @ v, mask)
             for q, k, v in zip(W_Q, W_K, W_V, strict=True)]
    output = sum(found @ o for (found, _), o in zip(looks, W_O, strict=True))
    return output, np.stack([weights for _, weights in looks], axis=1)


def multi_head_attention_by_einsum(X, memory, parameters, heads, mask=None):
    W_Q, W_K, W_V = (parameters[n].reshape(X.shape[-1], heads, -1) for n in ("W_Q", "W_K", "W_V"))
    W_O = parameters["W_O"].reshape(heads, -1, X.shape[-1])
    Q, K, V = (np.einsum("btm,mhd->bhtd", x, W) for x, W in [(X, W_Q), (memory, W_K), (memory, W_V)])
    if mask is not None and mask.ndim == 3:
        mask = np.expand_dims(mask, 1)
    found, weights = scaled_dot_product_attention_with_nan_to_num(Q, K, V, mask)
    return np.einsum("bhtd,hdm->btm", found, W_O), weights


def multi_head_attention_by_sentences(X, memory, parameters, heads, mask=None):
    B, (T, S) = len(X), (X.shape[1], memory.shape[1])
    masks = np.broadcast_to(True if mask is None else mask, (B, T, S))
    rows = [multi_head_attention_by_heads(X[b:b + 1], memory[b:b + 1], parameters, heads, masks[b:b + 1])
            for b in range(B)]
    return np.concatenate([output for output, _ in rows]), np.concatenate([weights for _, weights in rows])


def multi_head_attention_with_a_mask_for_each_head(X, memory, parameters, heads, mask=None):
    B, T, S = *X.shape[:2], memory.shape[1]
    masks = np.repeat(np.broadcast_to(True if mask is None else mask, (B, T, S))[:, None], heads, axis=1)
    Q, K, V = ((x @ parameters[name]).reshape(B, x.shape[1], heads, -1).swapaxes(1, 2)
               for x, name in [(X, "W_Q"), (memory, "W_K"), (memory, "W_V")])
    found, weights = scaled_dot_product_attention_by_einsum(Q, K, V, masks)
    return found.swapaxes(1, 2).reshape(B, T, -1) @ parameters["W_O"], np.asfortranarray(weights)


# multi_head_attention_backward


def multi_head_attention_backward_by_heads(d_output, X, memory, parameters, heads, weights):
    parts = {name: np.split(parameters[name], heads, axis=0 if name == "W_O" else 1) for name in parameters}
    d_X, d_memory, gradients = np.zeros_like(X), np.zeros_like(memory), {name: [] for name in parameters}
    for i in range(heads):
        W_Q, W_K, W_V, W_O = (parts[name][i] for name in ("W_Q", "W_K", "W_V", "W_O"))
        Q, K, V, w = X @ W_Q, memory @ W_K, memory @ W_V, weights[:, i]
        d_Q, d_K, d_V = scaled_dot_product_attention_backward_by_einsum(d_output @ W_O.T, Q, K, V, w)
        d_X += d_Q @ W_Q.T
        d_memory += d_K @ W_K.T + d_V @ W_V.T
        for name, x, d in [("W_Q", X, d_Q), ("W_K", memory, d_K), ("W_V", memory, d_V), ("W_O", w @ V, d_output)]:
            gradients[name].append(np.tensordot(x, d, axes=([0, 1], [0, 1])))
    joined = {name: np.concatenate(found, axis=0 if name == "W_O" else 1) for name, found in gradients.items()}
    return d_X, d_memory, joined


def multi_head_attention_backward_by_einsum(d_output, X, memory, parameters, heads, weights):
    M = X.shape[-1]
    W_Q, W_K, W_V = (parameters[n].reshape(M, heads, -1) for n in ("W_Q", "W_K", "W_V"))
    W_O = parameters["W_O"].reshape(heads, -1, M)
    Q, K, V = (np.einsum("btm,mhd->bhtd", x, W) for x, W in [(X, W_Q), (memory, W_K), (memory, W_V)])
    d_found = np.einsum("btm,hdm->bhtd", d_output, W_O)
    d_Q, d_K, d_V = scaled_dot_product_attention_backward_with_the_output(d_found, Q, K, V, weights)
    d_memory = np.einsum("bhsd,mhd->bsm", d_K, W_K) + np.einsum("bhsd,mhd->bsm", d_V, W_V)
    found = [("W_Q", X, d_Q), ("W_K", memory, d_K), ("W_V", memory, d_V)]
    gradients = {name: np.einsum("btm,bhtd->mhd", x, d).reshape(M, -1) for name, x, d in found}
    gradients["W_O"] = np.einsum("bhtd,btm->hdm", weights @ V, d_output).reshape(-1, M)
    return [np.einsum("bhtd,mhd->btm", d_Q, W_Q), d_memory, gradients]


def multi_head_attention_backward_by_sentences(d_output, X, memory, parameters, heads, weights):
    rows = [multi_head_attention_backward_by_einsum(*(a[b:b + 1] for a in (d_output, X, memory)), parameters, heads,
                                          weights[b:b + 1]) for b in range(len(X))]
    gradients = {name: sum(row[2][name] for row in rows) for name in parameters}
    return np.concatenate([row[0] for row in rows]), np.concatenate([row[1] for row in rows]), gradients


# parameter_count


def parameter_count_matrix_by_matrix(d_model, heads, d_k, d_v):
    return sum([d_model * heads * d_k, d_model * heads * d_k, d_model * heads * d_v, heads * d_v * d_model])


def parameter_count_of_arrays(d_model, heads, d_k, d_v):
    shapes = [(d_model, heads * d_k)] * 2 + [(d_model, heads * d_v), (heads * d_v, d_model)]
    return sum(np.zeros(shape).size for shape in shapes)


def parameter_count_as_a_float(d_model, heads, d_k, d_v):
    return 2.0 * d_model * heads * (d_k + d_v)


def parameter_count_as_a_numpy_number(d_model, heads, d_k, d_v):
    return np.prod([2, d_model, heads, d_k + d_v])


# previous_token_head


def previous_token_head_by_indices(vocabulary, length):
    W_Q, W_K = np.zeros((vocabulary + length, length)), np.zeros((vocabulary + length, length))
    for i in range(length):
        W_K[vocabulary + i, i] = 1
        if i > 0:
            W_Q[vocabulary + i, i - 1] = 1000
    W_V = np.zeros((vocabulary + length, vocabulary))
    W_V[np.arange(vocabulary), np.arange(vocabulary)] = 1
    return {"W_Q": W_Q, "W_K": W_K, "W_V": W_V, "W_O": W_V.T.copy()}


def previous_token_head_with_the_shift_in_the_keys(vocabulary, length):
    places = np.eye(vocabulary + length)[:, vocabulary:]
    words = np.eye(vocabulary + length)[:, :vocabulary]
    return {"W_Q": places * 500, "W_K": np.roll(places, -1, axis=0), "W_V": words * 2, "W_O": words.T / 2}


def previous_token_head_that_wraps_around(vocabulary, length):
    blank = np.zeros((vocabulary, length))
    shift = np.roll(np.eye(length), -1, axis=1)
    words = np.r_[np.eye(vocabulary), np.zeros((length, vocabulary))]
    return {"W_Q": np.r_[blank, 30 * shift], "W_K": np.r_[blank, 30 * np.eye(length)], "W_V": words, "W_O": words.T}


def previous_token_head_with_square_matrices(vocabulary, length):
    width = vocabulary + length
    W_Q, W_K, W_V = np.zeros((3, width, width))
    W_Q[vocabulary:, vocabulary:] = 1e4 * np.eye(length, k=-1)
    W_K[vocabulary:, vocabulary:] = np.eye(length)
    W_V[:vocabulary, :vocabulary] = np.eye(vocabulary)
    return {"W_O": np.eye(width), "W_V": W_V, "W_K": W_K, "W_Q": W_Q}


def previous_token_head_as_lists(vocabulary, length):
    return {name: W.tolist() for name, W in previous_token_head_by_indices(vocabulary, length).items()}


# matching_token_head


def matching_token_head_by_indices(vocabulary, length):
    W_Q, W_V = np.zeros((vocabulary + length, vocabulary)), np.zeros((vocabulary + length, length))
    for i in range(vocabulary):
        W_Q[i, i] = 40
    for i in range(length):
        W_V[vocabulary + i, i] = 1
    return {"W_Q": W_Q, "W_K": W_Q.copy(), "W_V": W_V, "W_O": np.transpose(W_V)}


def matching_token_head_by_columns(vocabulary, length):
    whole = np.eye(vocabulary + length)
    words, places = whole[:, :vocabulary], whole[:, vocabulary:]
    return {"W_Q": 1e5 * words, "W_K": words, "W_V": places, "W_O": places.T}


def matching_token_head_through_signs(vocabulary, length):
    turn = np.linalg.qr(np.random.default_rng(0).normal(size=(vocabulary, vocabulary)))[0]
    words = np.vstack([turn, np.zeros((length, vocabulary))])
    places = np.vstack([np.zeros((vocabulary, length)), np.eye(length)])
    return {"W_Q": 900 * words, "W_K": words, "W_V": -places, "W_O": -places.T}


def matching_token_head_with_square_matrices(vocabulary, length):
    whole = np.eye(vocabulary + length)
    of_words = np.diag([1.0] * vocabulary + [0.0] * length)
    return {"W_Q": 2000 * of_words, "W_K": of_words, "W_V": whole - of_words, "W_O": whole}


scaled_dot_product_attention_in_float32 = in_float32(scaled_dot_product_attention_with_nan_to_num)
scaled_dot_product_attention_backward_in_float32 = in_float32(scaled_dot_product_attention_backward_with_the_output)
multi_head_attention_in_float32 = in_float32(multi_head_attention_by_heads)
multi_head_attention_backward_in_float32 = in_float32(multi_head_attention_backward_by_einsum)

TRIVIAL = {
    "zero matrices": lambda v, n, *_: dict.fromkeys(checks.NAMES, np.zeros((2, 2))),
    "its inputs as gradients": lambda *args: (*args[1:3], args[3]) if len(args) == 6 else args,
    "the values and uniform weights": lambda Q, K, *rest: (Q, np.full((*Q.shape[:-1], K.shape[-2]), 0.2)),
}

WITHOUT_ARRAYS = {"matching_token_head", "parameter_count", "previous_token_head"}  # given numbers alone
EXPECTS_SHAPES = {"multi_head_attention"}  # the reference names each array that does not fit
MAKES_FLOAT64 = {"matching_token_head", "previous_token_head"}  # float64, whatever it is given
