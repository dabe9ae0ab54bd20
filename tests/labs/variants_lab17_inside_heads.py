"""Different right ways to write lab 17: a fair grader gives each of them full points."""

import itertools

import numpy as np

from tests.labs.float32 import in_float32

# other_weights


def _held(weights, V):
    """The positions with weight and what is to stay the same, one column each; ValueError where nothing can change."""
    if V.ndim != 2 or weights.shape != V.shape[:1] or not abs(weights.sum() - 1) < 1e-5 or weights.min() < 0:
        raise ValueError(f"no weights of a head: {weights}")
    seen = np.nonzero(weights)[0]
    held = np.vstack([V[seen].T, np.ones(len(seen))])
    if np.linalg.matrix_rank(held) >= len(seen):
        raise ValueError("these weights are the only ones")
    return seen, held


def _walked(weights, seen, change):
    """Along a change until the first weight is used up."""
    ratio = np.full(len(change), np.inf)
    np.divide(weights[seen], -change, out=ratio, where=change < 0)
    first, other = ratio.argmin(), np.zeros(weights.shape)
    other[seen] = weights[seen] + ratio[first] * change
    other[seen[first]] = 0
    return other


def other_weights_the_other_way(weights, V):
    seen, held = _held(weights, V)
    return _walked(weights, seen, -np.linalg.svd(held)[2][-1])


def other_weights_from_a_random_start(weights, V):
    seen, held = _held(weights, V)
    start = np.cos(1 + 2.3 * np.arange(len(seen)) ** 1.5)
    change = start - np.linalg.pinv(held) @ (held @ start)
    return _walked(weights, seen, change / np.abs(change).max())


def other_weights_by_eigenvectors(weights, V):
    seen, held = _held(weights, V)
    held = held / np.abs(held).max(axis=1, keepdims=True)
    _, vectors = np.linalg.eigh(held.T @ held)
    change = vectors[:, 0]
    return _walked(weights, seen, change - np.linalg.pinv(held) @ (held @ change))


def other_weights_with_few_positions(weights, V):
    """Until as few positions have weight as can be: there always is such an answer (Carathéodory)."""
    other, found = weights, False
    while True:
        try:
            seen, held = _held(other, V)
        except ValueError:
            if found:
                return other
            raise
        other, found = _walked(other, seen, np.linalg.svd(held)[2][-1]), True
        other = other / other.sum()


# previous_token_score


def _squares(weights, least):
    *front, rows, columns = weights.shape if weights.ndim > 1 else (0, 1)
    if rows != columns or rows < least:
        raise ValueError(f"expected maps of {least} positions at least, got {weights.shape}")
    return weights.reshape(-1, rows, rows), tuple(front)


def previous_token_score_by_loops(weights):
    maps, front = _squares(weights, 2)
    scores = [sum(float(one[i, i - 1]) for i in range(1, len(one))) / (len(one) - 1) for one in maps]
    return np.reshape(scores, front)


def previous_token_score_by_index(weights):
    _squares(weights, 2)
    i = np.arange(1, weights.shape[-1])
    return weights[..., i, i - 1].mean(-1)


def previous_token_score_by_a_pattern(weights):
    _squares(weights, 2)
    T = weights.shape[-1]
    return (weights * np.eye(T, k=-1)).sum(axis=(-2, -1)) / (T - 1)


def previous_token_score_by_the_trace(weights):
    _squares(weights, 2)
    return np.trace(weights[..., 1:, :-1], axis1=-2, axis2=-1) / (weights.shape[-2] - 1)


# induction_score


def _rows(weights, period):
    maps, front = _squares(weights, 2)
    if period <= 0 or period >= maps.shape[-1]:
        raise ValueError(f"a period of {period} for {maps.shape[-1]} positions")
    return maps, front


def induction_score_by_loops(weights, period):
    maps, front = _rows(weights, period)
    return np.reshape([np.mean([one[i, i - period + 1] for i in range(period, len(one))]) for one in maps], front)


def induction_score_by_index(weights, period):
    _rows(weights, period)
    i = np.arange(period, weights.shape[-1])
    return weights[..., i, i + 1 - period].mean(axis=-1)


def induction_score_by_a_pattern(weights, period):
    _rows(weights, period)
    T = weights.shape[-1]
    pattern = np.eye(T, k=1 - period) * (np.arange(T) >= period)[:, None]
    return np.einsum("...ij,ij->...", weights, pattern) / (T - period)


def induction_score_by_the_trace(weights, period):
    _rows(weights, period)
    part = weights[..., period:, 1:]
    return np.trace(part, axis1=-2, axis2=-1) / part.shape[-2]


# rollout


def _alike(layers):
    shapes = {each.shape for each in layers}
    if len(shapes) != 1 or shapes.pop()[-2:] != (layers[0].shape[-1],) * 2:
        raise ValueError("expected layers, all (..., T, T)")


def rollout_from_the_identity(layers):
    _alike(layers)
    held = np.broadcast_to(np.eye(layers[0].shape[-1], dtype=layers[0].dtype), layers[0].shape)
    for W in layers:
        held = (W @ held + held) / 2
    return held


def rollout_from_the_end(layers):
    _alike(layers)
    eye = np.eye(layers[-1].shape[-1], dtype=layers[0].dtype)
    total = eye
    for W in reversed(layers):
        total = total @ (0.5 * W + 0.5 * eye)
    return total


def rollout_by_paths(layers):
    """The mean over all ways: at each layer the weights, or straight on."""
    _alike(layers)
    total = np.zeros_like(layers[0])
    for takes in itertools.product([False, True], repeat=len(layers)):
        way = np.zeros_like(layers[0]) + np.eye(layers[0].shape[-1], dtype=layers[0].dtype)
        for W in itertools.compress(layers, takes):
            way = W @ way
        total = total + way
    return total / 2 ** len(layers)


def rollout_recursively(layers):
    _alike(layers)
    *before, W = layers
    mixed = W.copy()
    i = np.arange(W.shape[-1])
    mixed[..., i, i] += 1
    return mixed / 2 @ rollout_recursively(before) if before else mixed / 2


# ablate


def _there(outputs, head, kind):
    if outputs.ndim != 4 or head not in range(outputs.shape[1]) or kind not in {"zero", "mean"}:
        raise ValueError(f"cannot silence head {head} of {outputs.shape} by {kind}")


def ablate_by_where(outputs, head, kind):
    _there(outputs, head, kind)
    silent = np.arange(outputs.shape[1])[:, None, None] == head
    return np.where(silent, np.zeros_like(outputs) if kind == "zero" else outputs.mean(axis=0), outputs)


def ablate_by_parts(outputs, head, kind):
    _there(outputs, head, kind)
    one = outputs[:, head:head + 1]
    one = one * 0 if kind == "zero" else one.mean(axis=0, keepdims=True) + one * 0
    return np.concatenate([outputs[:, :head], one, outputs[:, head + 1:]], axis=1)


def ablate_by_subtracting(outputs, head, kind):
    _there(outputs, head, kind)
    away = np.zeros_like(outputs)
    away[:, head] = outputs[:, head]
    if kind == "mean":
        away[:, head] -= sum(outputs[:, head]) / len(outputs)
    return outputs - away


def ablate_text_by_text(outputs, head, kind):
    _there(outputs, head, kind)
    new = np.array(outputs)
    for text in new:
        text[head] = np.mean(outputs[:, head], axis=0) if kind == "mean" else 0.0
    return new


# logit_attribution


def _fits(parts, readout):
    if readout.ndim != 1 or {np.shape(each)[-1] for each in parts} != {len(readout)}:
        raise ValueError("expected parts as wide as the readout")


def logit_attribution_part_by_part(parts, readout):
    _fits(parts, readout)
    return np.array([part @ readout for part in parts])


def logit_attribution_by_einsum(parts, readout):
    _fits(parts, readout)
    return np.einsum("...m,m->...", np.asarray(parts), readout)


def logit_attribution_by_products(parts, readout):
    _fits(parts, readout)
    return np.sum(np.asarray(parts) * readout, axis=-1)


def logit_attribution_by_tensordot(parts, readout):
    _fits(parts, readout)
    return list(np.tensordot(np.asarray(parts), readout, axes=1))


other_weights_in_float32 = in_float32(other_weights_the_other_way)
previous_token_score_in_float32 = in_float32(previous_token_score_by_index)
induction_score_in_float32 = in_float32(induction_score_by_index)
rollout_in_float32 = in_float32(rollout_from_the_end)

TRIVIAL = {
    "the same weight everywhere": lambda *args: np.full(np.shape(args[0])[:1], 1 / max(1, len(args[0]))),
    "the mean weight": lambda *args: np.mean(args[0], axis=(-2, -1)) if np.ndim(args[0]) > 1 else 0.5,
    "the first of several": lambda *args: args[0][0] if len(args[0]) else 0.0,
    "a copy": lambda *args: np.array(args[0], float) if np.ndim(args[0]) else args[0],
}

EXPECTS_SHAPES = {"other_weights", "previous_token_score", "induction_score", "ablate"}
MAKES_FLOAT64 = {"other_weights"}  # an answer to ten digits is made of float32, too
WITHOUT_ARRAYS = {"rollout"}  # it is given lists of arrays
