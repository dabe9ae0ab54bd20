"""Different right ways to write lab 01: a fair grader gives each of them full points."""

import sys

import numpy as np

from coursekit.check import lab01_additive_attention as visible_checks
from solutions.lab01_additive_attention.reference import softmax
from tests.labs.float32 import in_float32


def softmax_by_a_loop(x, axis=0):
    rows = np.moveaxis(x, axis, -1)
    out = np.zeros(rows.shape)
    for index in np.ndindex(rows.shape[:-1]):
        exponentials = [np.exp(entry - max(rows[index])) for entry in rows[index]]
        out[index] = [each / sum(exponentials) for each in exponentials]
    return np.moveaxis(out, -1, axis)


def softmax_through_logarithms(x, axis=0):
    peak = x.max(axis=axis, keepdims=True)
    return np.exp(x - peak - np.log(np.exp(x - peak).sum(axis=axis, keepdims=True)))


def softmax_with_a_warning(x, axis=0):
    print("deprecated, they say", file=sys.stderr)
    np.array([1.0]) / np.array([0.0])  # a RuntimeWarning of no consequence
    shifted = np.subtract(x, np.amax(x, axis, keepdims=True))
    return np.divide(np.exp(shifted), np.sum(np.exp(shifted), axis, keepdims=True))


def softmax_as_a_transposed_view(x, axis=0):
    rows = np.moveaxis(x, axis, 0)
    exponentials = np.exp(rows - rows.max(axis=0))
    return np.moveaxis(exponentials / exponentials.sum(axis=0), 0, axis)


def softmax_with_a_little_added_to_the_sum(x, axis=0):
    exponentials = np.exp(x - x.max(axis=axis, keepdims=True))
    return exponentials / (exponentials.sum(axis=axis, keepdims=True) + 1e-8)  # a habit of many, against 0/0


def alignment_by_a_loop(encoder_states, decoder_state, layer_1, layer_2):
    scores = []
    for h in encoder_states:
        scores.append(np.tanh(np.concatenate([h, decoder_state[0]]) @ layer_1) @ layer_2)
    return np.array(scores)


def alignment_by_two_matrices(encoder_states, decoder_state, layer_1, layer_2):
    U, W = np.split(layer_1, [encoder_states.shape[1]])
    return np.dot(np.tanh(encoder_states.dot(U) + decoder_state.dot(W)), layer_2)


def alignment_by_einsum(encoder_states, decoder_state, layer_1, layer_2):
    pairs = np.hstack([encoder_states, np.tile(decoder_state, (encoder_states.shape[0], 1))])
    return np.einsum("sa,ab->sb", np.tanh(np.einsum("si,ia->sa", pairs, layer_1)), layer_2)


def attention_by_a_loop(encoder_states, decoder_state, layer_1, layer_2):
    weights = softmax_by_a_loop(alignment_by_a_loop(encoder_states, decoder_state, layer_1, layer_2))
    context = np.zeros(encoder_states.shape[1])
    for weight, h in zip(weights[:, 0], encoder_states, strict=True):
        context += weight * h
    return context


def attention_by_a_matrix_product(encoder_states, decoder_state, layer_1, layer_2):
    scores = alignment_by_two_matrices(encoder_states, decoder_state, layer_1, layer_2)
    return (softmax_through_logarithms(scores).T @ encoder_states).squeeze(axis=0)


def attention_by_einsum(encoder_states, decoder_state, layer_1, layer_2):
    scores = alignment_by_einsum(encoder_states, decoder_state, layer_1, layer_2)
    return np.einsum("sx,se->e", softmax_as_a_transposed_view(scores), encoder_states)


def masked_softmax_by_a_loop(scores, mask):
    out = np.zeros(scores.shape)
    for row in np.ndindex(scores.shape[:-1]):
        if mask[row].any():
            out[row][mask[row]] = softmax_by_a_loop(scores[row][mask[row]])
    return out


def masked_softmax_by_minus_infinity(scores, mask):
    with np.errstate(invalid="ignore"):
        hidden = np.where(mask, scores, -np.inf)
        exponentials = np.exp(hidden - hidden.max(axis=-1, keepdims=True))
        return np.nan_to_num(exponentials / exponentials.sum(axis=-1, keepdims=True), nan=0.0)


def masked_softmax_by_a_large_negative_number(scores, mask):
    weights = softmax_through_logarithms(np.where(mask, scores, -1e30), axis=-1)
    return np.where(mask, weights, 0.0)


def masked_softmax_by_softmax(scores, mask):
    weights = softmax(np.where(mask, scores, -1e30), axis=-1)
    return np.where(mask, weights, 0.0)


def masked_softmax_with_a_warning(scores, mask):
    hidden = np.ma.masked_array(scores, mask=~mask)
    exponentials = np.exp(hidden - hidden.max(axis=-1, keepdims=True)).filled(0.0)
    weights = exponentials / exponentials.sum(axis=-1, keepdims=True)  # 0/0: a RuntimeWarning
    weights[np.isnan(weights)] = 0.0
    return weights


def masked_softmax_with_a_little_added_to_the_sum(scores, mask):
    hidden = np.where(mask, scores, -np.inf)
    largest = np.max(hidden, axis=-1, keepdims=True, initial=-1e300)
    exponentials = np.exp(hidden - largest)
    return exponentials / (exponentials.sum(axis=-1, keepdims=True) + 1e-8)


def additive_attention_by_a_loop(state, memory, mask, W, U, v):
    weights = np.zeros(mask.shape)
    for b in range(len(state)):
        scores = np.array([v @ np.tanh(state[b] @ W + h @ U) for h in memory[b]])
        weights[b] = masked_softmax_by_a_loop(scores, mask[b])
    return np.array([w @ m for w, m in zip(weights, memory, strict=True)]), weights


def additive_attention_by_einsum(state, memory, mask, W, U, v):
    hidden = np.tanh(np.einsum("bd,da->ba", state, W)[:, None] + np.einsum("bse,ea->bsa", memory, U))
    weights = masked_softmax_by_minus_infinity(np.einsum("bsa,a->bs", hidden, v), mask)
    return np.einsum("bs,bse->be", weights, memory), weights


def additive_attention_by_concatenation(state, memory, mask, W, U, v):
    states = np.repeat(state[:, None, :], memory.shape[1], axis=1)
    scores = np.tanh(np.concatenate([memory, states], axis=-1) @ np.concatenate([U, W])) @ v[:, None]
    weights = masked_softmax_by_a_large_negative_number(scores[..., 0], mask)
    return [(weights[..., None] * memory).sum(axis=1), weights]


def additive_attention_with_a_little_added_to_the_sum(state, memory, mask, W, U, v):
    scores = np.tanh((state @ W)[:, None] + memory @ U) @ v
    weights = masked_softmax_with_a_little_added_to_the_sum(scores, mask)
    return np.einsum("bs,bse->be", weights, memory), weights


softmax_in_float32 = in_float32(softmax_as_a_transposed_view)
alignment_in_float32 = in_float32(alignment_by_two_matrices)
attention_in_float32 = in_float32(attention_by_a_matrix_product)
masked_softmax_in_float32 = in_float32(masked_softmax_by_a_large_negative_number)
additive_attention_in_float32 = in_float32(additive_attention_by_einsum)

TRIVIAL = {
    "two zeros": lambda *args, **_: (np.zeros((3, 6)), np.zeros((3, 5))),
    "the printed weights": lambda *args, **_: np.reshape(visible_checks.WORKED_WEIGHTS, (5, 1)),
    "the printed context": lambda *args, **_: np.array(visible_checks.WORKED_CONTEXT),
    "uniform weights": lambda *args, **_: np.full(args[0].shape, 1 / args[0].shape[-1]),
}

EXPECTS_SHAPES = {"additive_attention", "alignment", "attention"}  # the reference names each array that does not fit
