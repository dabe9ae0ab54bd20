"""Multi-head attention (Vaswani et al. 2017, section 3.2.2): the reference solutions of lab 06.

B batch, T positions that ask, S positions that are looked at, h heads of widths d_k (queries, keys) and d_v (values).
Tokens stand in rows, matrices come from the right, and there are no biases, as in the paper.

The solved notebook is built from the bodies of these functions, so each stands on what the notebook has: `math`, `np`,
`expect` and the exercises before it.
"""

import math

import numpy as np

from coursekit.shapes import expect


def scaled_dot_product_attention(Q, K, V, mask=None):
    """Look from every query at every key, and blend the values: softmax(Q Kᵀ / √d_k) V, as in lab 05.

    Q (..., T, d_k), K (..., S, d_k), V (..., S, d_v), mask None or boolean, broadcast to (..., T, S), True = may look.
    Returns output (..., T, d_v) and weights (..., T, S); a row that may look nowhere has weights and output 0.
    """
    scores = (Q * (1 / math.sqrt(Q.shape[-1]))) @ K.swapaxes(-1, -2)  # (..., T, S)
    if mask is not None:
        np.copyto(scores, -np.inf, where=~mask)
    highest = scores.max(axis=-1, keepdims=True)  # (..., T, 1)
    scores -= np.where(np.isfinite(highest), highest, 0)
    weights = np.exp(scores, out=scores)  # in place: this is the largest array of all
    total = weights.sum(axis=-1, keepdims=True)
    weights /= np.where(total > 0, total, 1)
    return weights @ V, weights


def scaled_dot_product_attention_backward(d_output, Q, K, V, weights):
    """The way back through `scaled_dot_product_attention`, as in lab 05.

    d_output (..., T, d_v), Q (..., T, d_k), K (..., S, d_k), V (..., S, d_v), weights (..., T, S).
    Returns d_Q, d_K, d_V of the shapes of Q, K, V.
    """
    scale = 1 / math.sqrt(Q.shape[-1])
    d_V = weights.swapaxes(-1, -2) @ d_output  # (..., S, d_v)
    d_scores = d_output @ V.swapaxes(-1, -2)  # (..., T, S), so far the gradient in the weights
    d_scores -= np.vecdot(weights, d_scores)[..., None]
    d_scores *= weights
    return (d_scores @ K) * scale, d_scores.swapaxes(-1, -2) @ (Q * scale), d_V


def split_heads(x, heads):
    """Cut every token's row into `heads` pieces, and let the heads stand before the tokens.

    x (B, T, h·d). Returns (B, h, T, d). Raises ValueError where the width is no multiple of the number of heads.
    """
    batch, length, width = x.shape
    if width % heads:
        raise ValueError(f"x: expected a width that {heads} heads share evenly, got {width}")
    return x.reshape(batch, length, heads, width // heads).transpose(0, 2, 1, 3)  # (B, h, T, d)


def merge_heads(x):
    """Put the pieces of every token side by side again: the way back from `split_heads`.

    x (B, h, T, d). Returns (B, T, h·d).
    """
    batch, heads, length, width = x.shape
    return x.transpose(0, 2, 1, 3).reshape(batch, length, heads * width)


def multi_head_attention(X, memory, parameters, heads, mask=None):
    """Let several heads look from X at the memory, each with queries, keys and values of its own, and mix the finds.

    X (B, T, d_model), memory (B, S, d_model), X itself for self-attention; parameters a dictionary of W_Q and W_K
    (d_model, h·d_k), W_V (d_model, h·d_v), W_O (h·d_v, d_model); mask None or boolean, (T, S), (B, 1, S) or (B, T, S),
    True = may look. Returns output (B, T, d_model) and weights (B, h, T, S). Raises ValueError for what does not fit.
    """
    W_Q, W_K, W_V, W_O = (parameters[name] for name in ("W_Q", "W_K", "W_V", "W_O"))
    sizes = expect(X=(X, "B T M"), memory=(memory, "B S M"), W_Q=(W_Q, "M N"), W_K=(W_K, "M N"), W_V=(W_V, "M D"))
    expect(sizes, W_O=(W_O, "D M"))
    Q, K, V = (split_heads(x @ W, heads) for x, W in [(X, W_Q), (memory, W_K), (memory, W_V)])
    seen = None if mask is None else mask[..., None, :, :]  # the heads' axis: every head has the same mask
    found, weights = scaled_dot_product_attention(Q, K, V, seen)  # (B, h, T, d_v), (B, h, T, S)
    return merge_heads(found) @ W_O, weights


def multi_head_attention_backward(d_output, X, memory, parameters, heads, weights):
    """The way back through `multi_head_attention`, which computes queries, keys and values once more.

    d_output (B, T, d_model), weights (B, h, T, S) from the way forward, the others as there. Returns d_X of X's shape,
    d_memory of the memory's, and the gradients of the parameters, a dictionary of the same names. For self-attention
    the caller adds the first two.
    """
    W_Q, W_K, W_V, W_O = (parameters[name] for name in ("W_Q", "W_K", "W_V", "W_O"))
    Q, K, V = (split_heads(x @ W, heads) for x, W in [(X, W_Q), (memory, W_K), (memory, W_V)])
    d_found = split_heads(d_output @ W_O.T, heads)  # (B, h, T, d_v)
    back = scaled_dot_product_attention_backward(d_found, Q, K, V, weights)
    d_Q, d_K, d_V = (merge_heads(d) for d in back)  # (B, T, h·d_k), (B, S, h·d_k), (B, S, h·d_v)
    met = {"W_Q": (X, d_Q), "W_K": (memory, d_K), "W_V": (memory, d_V), "W_O": (merge_heads(weights @ V), d_output)}
    d_parameters = {name: x.reshape(-1, x.shape[-1]).T @ d.reshape(-1, d.shape[-1]) for name, (x, d) in met.items()}
    return d_Q @ W_Q.T, d_K @ W_K.T + d_V @ W_V.T, d_parameters


def parameter_count(d_model, heads, d_k, d_v):
    """How many numbers multi-head attention learns: W_Q, W_K, W_V and W_O, without biases. Returns an int."""
    return heads * d_model * (2 * d_k + 2 * d_v)


def previous_token_head(vocabulary, length):
    """Parameters of one head that looks at the token before and hands over which word it is.

    A row of X is the one-hot word, `vocabulary` wide, and behind it the one-hot position, `length` wide. Returns a
    dictionary of W_Q, W_K, W_V, W_O: the output's first part is the word before, its second part is 0.
    """
    scale = 100 * math.sqrt(length)
    nothing, words = np.zeros((vocabulary, length)), np.vstack([np.eye(vocabulary), np.zeros((length, vocabulary))])
    wanted = np.vstack([nothing, scale * np.eye(length, k=-1)])  # position i asks for position i - 1
    return {"W_Q": wanted, "W_K": np.vstack([nothing, np.eye(length)]), "W_V": words, "W_O": words.T}


def matching_token_head(vocabulary, length):
    """Parameters of one head that looks at the positions of the same word and hands over where they stand.

    Rows of X as for `previous_token_head`. Returns a dictionary of W_Q, W_K, W_V, W_O: the output's first part is 0,
    its second part the mean of the one-hot positions of the same word.
    """
    scale = 100 * math.sqrt(vocabulary)
    words = np.vstack([np.eye(vocabulary), np.zeros((length, vocabulary))])
    places = np.vstack([np.zeros((vocabulary, length)), np.eye(length)])
    return {"W_Q": scale * words, "W_K": words, "W_V": places, "W_O": places.T}
