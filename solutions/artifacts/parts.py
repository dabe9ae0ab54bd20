"""The parts that the trainers of recurrent models let a caller bring: additive attention, the loss, an embedding.

Each gradient here is derived by hand and stands, in a student's words, in a lab: attention's in lab 02, those of the
loss and of an embedding in lab 00.

B batch, S source positions, T target positions, X embedding width, E encoder width, A attention width, V words or
characters that can be written. `d_name` is the gradient of the loss in `name`.
"""

import numpy as np


def softmax(scores):
    """Along the last axis. A score may be -inf, not all of a row."""
    powers = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def attend(query, keys, memory, mask, v):
    """Additive attention of query (B, A), keys (B, S, A). Every row of mask (B, S) has a True."""
    features = np.tanh(query[:, None] + keys)                                      # (B, S, A)
    weights = softmax(np.where(mask, features @ v, -np.inf))                       # (B, S)
    return (weights[:, None] @ memory)[:, 0], weights                              # (B, E), (B, S)


def attend_backward(d_context, query, keys, memory, weights, v):
    """From d_context (B, E) to d_query (B, A), d_keys (B, S, A) and d_v (A,)."""
    features = np.tanh(query[:, None] + keys)                                      # (B, S, A)
    d_weights = (memory @ d_context[..., None])[..., 0]                            # (B, S)
    d_scores = weights * (d_weights - (weights * d_weights).sum(axis=-1, keepdims=True))
    d_keys = d_scores[..., None] * (v * (1 - features**2))                         # (B, S, A)
    return d_keys.sum(axis=1), d_keys, d_scores.ravel() @ features.reshape(-1, len(v))


def cross_entropy(logits, target, mask=None):
    """The mean of -log softmax(logits)[target] where mask (B, T) is True, and its gradient in logits (B, T, V).

    Without a mask all of target (B, T) counts.
    """
    mask = np.ones(target.shape, bool) if mask is None else mask
    shifted = logits - logits.max(axis=-1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))          # (B, T, V)
    chosen, real = target[..., None], mask[..., None]                              # (B, T, 1) both
    d_logits = np.exp(log_p)
    np.put_along_axis(d_logits, chosen, np.take_along_axis(d_logits, chosen, -1) - 1, -1)
    loss = -float(np.take_along_axis(log_p, chosen, -1)[real].mean())
    return loss, d_logits * real.astype(logits.dtype) / float(mask.sum())


def embedding_backward(d_embedded, ids, rows):
    """From d_embedded (B, T, X) to the gradient of the table (rows, X). What occurs twice counts twice."""
    one_hot = np.zeros((rows, ids.size), d_embedded.dtype)                         # for few rows faster than np.add.at
    one_hot[ids.ravel(), np.arange(ids.size)] = 1
    return one_hot @ d_embedded.reshape(ids.size, -1)


def embedding_backward_in_order(d_embedded, ids, rows):
    """The same, summed in the order in which they stand: with other roundings, which are in what was trained so."""
    d_table = np.zeros((rows, d_embedded.shape[-1]), d_embedded.dtype)
    np.add.at(d_table, ids, d_embedded)
    return d_table
