"""Different right ways to write lab 03: a fair grader gives each of them full points."""

import numpy as np

from solutions.lab03_luong_attention.reference import dot_score
from tests.labs.float32 import in_float32

# dot_score


def dot_score_by_einsum(state, memory):
    if state.shape[-1] != memory.shape[-1]:
        raise ValueError(f"widths: expected equal ones, got {state.shape[-1]} and {memory.shape[-1]}")
    return np.einsum("bd,bsd->bs", state, memory)


def dot_score_by_a_loop(state, memory):
    if len(state[0]) != memory.shape[2]:
        raise ValueError(f"expected a memory of width {len(state[0])}, got {memory.shape[2]}")
    return np.array([[float(np.dot(s, h)) for h in rows] for s, rows in zip(state, memory, strict=True)])


class WidthError(ValueError):
    """A student's own kind of ValueError."""


def dot_score_with_an_error_of_its_own(state, memory):
    if state.shape[1:] != memory.shape[2:]:
        raise WidthError(f"got states of shape {state.shape} for a memory of shape {memory.shape}: unequal widths")
    return np.matmul(memory, state[:, :, None]).squeeze(-1)


def dot_score_that_tries_first(state, memory):
    try:
        return np.einsum("bd,bsd->bs", state, memory + 0 * state.reshape(len(state), 1, memory.shape[2]))
    except ValueError as error:
        widths = {"expected": state.shape[1], "got": memory.shape[2]}
        raise ValueError(f"memory is of another width: {widths}") from error


def dot_score_by_multiplying_and_adding(state, memory):
    (_, D), (_, _, E) = state.shape, memory.shape
    if D != E:
        raise ValueError(f"memory: expected width {D}, got {E}")
    return np.sum(state[:, np.newaxis, :] * memory, axis=2)


# general_score


def general_score_by_einsum(state, memory, W):
    return np.einsum("bd,de,bse->bs", state, W, memory)


def general_score_through_the_memory(state, memory, W):
    return ((memory @ W.T) @ state[..., None])[..., 0]


def general_score_by_a_loop(state, memory, W):
    scores = np.zeros(memory.shape[:2])
    for b in range(len(state)):
        for j in range(memory.shape[1]):
            scores[b, j] = state[b] @ W @ memory[b, j]
    return scores


def general_score_by_dot_score(state, memory, W):
    return dot_score(state @ W, memory)


# concat_score


def concat_score_by_concatenation(state, memory, W, v):
    states = np.repeat(state[:, None, :], memory.shape[1], axis=1)
    return np.tanh(np.concatenate([states, memory], axis=-1) @ W) @ v


def concat_score_by_two_products(state, memory, W, v):
    of_state, of_memory = np.split(W, [state.shape[1]])
    return np.dot(np.tanh(state.dot(of_state)[:, None] + memory.dot(of_memory)), v)


def concat_score_by_a_loop(state, memory, W, v):
    return np.array([[v @ np.tanh(np.hstack([s, h]) @ W) for h in rows] for s, rows in zip(state, memory, strict=True)])


# attentional_state


def attentional_state_by_two_products(weights, state, memory, W_c):
    E = memory.shape[-1]
    return np.tanh(np.einsum("bs,bse->be", weights, memory) @ W_c[:E] + state @ W_c[E:])


def attentional_state_by_a_loop(weights, state, memory, W_c):
    pairs = [np.hstack([row @ words, s]) for row, words, s in zip(weights, memory, state, strict=True)]
    return np.array([np.tanh(pair @ W_c) for pair in pairs])


def attentional_state_by_multiplying_and_adding(weights, state, memory, W_c):
    context = (weights[..., None] * memory).sum(axis=1)
    return np.tanh(np.hstack([context, state]).dot(W_c))


# predicted_centre


def predicted_centre_by_an_exponential(state, mask, W_p, v_p):
    return mask.sum(axis=-1) / (1 + np.exp(-np.tanh(state @ W_p) @ v_p))


def predicted_centre_by_a_loop(state, mask, W_p, v_p):
    shares = [1 / (1 + np.exp(-(v_p @ np.tanh(s @ W_p)))) for s in state]
    return np.array([np.count_nonzero(row) * share for row, share in zip(mask, shares, strict=True)])


def predicted_centre_by_odds(state, mask, W_p, v_p):
    odds = np.exp((np.tanh(np.einsum("bd,da->ba", state, W_p)) * v_p).sum(axis=1))
    return np.sum(mask, axis=1) * odds / (1 + odds)


# local_weights


def _weights(scores, mask):
    with np.errstate(invalid="ignore"):
        powers = np.where(mask, np.exp(scores - np.where(mask, scores, -1e30).max(axis=-1, keepdims=True)), 0)
        return np.nan_to_num(powers / powers.sum(axis=-1, keepdims=True), nan=0.0)


def local_weights_by_a_loop(scores, mask, centre, reach):
    weights = np.zeros(scores.shape)
    for b in range(len(scores)):
        inside = [j for j in range(scores.shape[1]) if mask[b, j] and abs(j - centre[b]) <= reach]
        powers = {j: np.exp(scores[b, j] - max(scores[b, inside])) for j in inside}
        for j, power in powers.items():
            bell = np.exp(-((j - centre[b]) ** 2) / (2 * (reach / 2) ** 2))
            weights[b, j] = power / sum(powers.values()) * bell
    return weights


def local_weights_with_bounds(scores, mask, centre, reach):
    position = np.arange(scores.shape[1])[None, :]
    low, high = (centre - reach)[:, None], (centre + reach)[:, None]
    sigma = reach / 2
    inside = (position >= low) & (position <= high) & mask
    return _weights(scores, inside) * np.exp(-np.square(position - centre[:, None]) / (2 * sigma**2))


def local_weights_by_one_exponential(scores, mask, centre, reach):
    offset = np.subtract.outer(centre, np.arange(scores.shape[1]))
    inside = mask & (np.abs(offset) <= reach)
    hidden = np.where(inside, scores, -np.inf)
    total = np.logaddexp.reduce(hidden, axis=1, keepdims=True)  # -inf where nothing is seen
    return np.exp(hidden - np.where(np.isfinite(total), total, 0) - 2 * offset**2 / reach**2)


dot_score_in_float32 = in_float32(dot_score_by_einsum)
general_score_in_float32 = in_float32(general_score_through_the_memory)
concat_score_in_float32 = in_float32(concat_score_by_concatenation)
attentional_state_in_float32 = in_float32(attentional_state_by_two_products)
predicted_centre_in_float32 = in_float32(predicted_centre_by_odds)
local_weights_in_float32 = in_float32(local_weights_with_bounds)

TRIVIAL = {
    "zeros for each word": lambda *args: np.zeros(args[1].shape[:2]),
    "uniform weights": lambda *args: np.full(args[0].shape, 1 / args[0].shape[-1]),
    "the middle of the sentence": lambda state, mask, *_: mask.sum(axis=1) / 2,
    "the mask": lambda scores, mask, *_: mask.astype(float),
}

EXPECTS_SHAPES = {  # the reference names each array that does not fit
    "attentional_state", "concat_score", "general_score", "local_weights", "predicted_centre",
}
