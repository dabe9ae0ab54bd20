"""What a map of attention shows and what it does not: the reference solutions of lab 17.

    identifiability         (Brunner et al. 2020)
    rollout                 (Abnar & Zuidema 2020)
    heads that induce       (Elhage et al. 2021, Olsson et al. 2022)

B batch, H heads, T positions, n positions that are looked at, e the width of a value, M that of a token, N parts that
write to a token. `...` stands for any axes in front, none included.

The solved notebook is built from the bodies of these functions, so each stands on what the notebook has: `np` and
`expect`.
"""

import numpy as np

from coursekit.shapes import expect


def other_weights(weights, V):
    """Other attention weights under which a head writes the same.

    weights (n,), not negative, with sum 1; V (n, e). Returns (n,): not negative, with sum 1 and the same weighted sum
    of the values, and 0 at a position at least that had weight. A position without weight stays without.
    Raises ValueError where there are no such weights, as no more positions have weight than the rank of their [V, 1],
    for weights that are none, and when a shape does not fit.
    """
    expect(weights=(weights, "n"), V=(V, "n e"))
    if not (np.isclose(weights.sum(), 1) and (weights >= 0).all()):
        raise ValueError(f"weights: expected none below 0 and a sum of 1, got {weights}")
    seen = np.flatnonzero(weights)
    kept_same = np.concatenate([V[seen], np.ones((len(seen), 1))], axis=1)  # (seen, e + 1)
    rank = np.linalg.matrix_rank(kept_same)
    if len(seen) <= rank:
        raise ValueError(f"weights: expected more of them above 0 than {rank}, the rank of [V, 1], got {len(seen)}")
    direction = np.linalg.svd(kept_same.T)[2][-1]  # of sum 0, and direction @ V[seen] is 0
    falling = np.flatnonzero(direction < 0)
    steps = weights[seen[falling]] / -direction[falling]
    other = np.zeros(len(weights))
    other[seen] = np.maximum(weights[seen] + steps.min() * direction, 0)
    other[seen[falling[steps.argmin()]]] = 0  # which rounding may miss
    return other


def previous_token_score(weights):
    """How much a head looks at the position before: the mean weight there, over all positions that have one.

    weights (..., T, T). Returns (...). Raises ValueError where the last axes are not equal, or below 2.
    """
    if weights.ndim < 2 or weights.shape[-1] != weights.shape[-2] or weights.shape[-1] < 2:
        raise ValueError(f"weights: expected (..., T, T), got {weights.shape}; T is at least 2")
    return np.diagonal(weights, -1, -2, -1).mean(axis=-1)


def induction_score(weights, period):
    """How much a head looks at the position after the one where its token stood a period ago: the mean weight at
    i - period + 1, over the positions i from `period` on.

    weights (..., T, T) of a text that repeats with this period. Returns (...).
    Raises ValueError where the last axes are not equal, and for a period below 1 or not below T.
    """
    if weights.ndim < 2 or weights.shape[-1] != weights.shape[-2]:
        raise ValueError(f"weights: expected (..., T, T), got {weights.shape}")
    if not 1 <= period < weights.shape[-1]:
        raise ValueError(f"period: expected 1 to {weights.shape[-1] - 1}, got {period}")
    return np.diagonal(weights, 1 - period, -2, -1)[..., 1:].mean(axis=-1)


def rollout(layers):
    """How much of each position of the text is in each position after the last layer, by their weights alone.

    layers: the weights (..., T, T) of each layer, the first one first, heads averaged. Each layer counts half for its
    weights and half for the residual path. Returns (..., T, T), of which a row sums to 1.
    Raises ValueError where there is no layer, and when a shape does not fit.
    """
    if len(layers) == 0:
        raise ValueError("layers: expected the weights of one layer at least, got none")
    rolled = None
    for weights in layers:
        if weights.ndim < 2 or weights.shape[-1] != weights.shape[-2] or weights.shape != layers[0].shape:
            raise ValueError(f"layers: expected (..., T, T), all alike, got {weights.shape}")
        mixed = (weights + np.eye(weights.shape[-1], dtype=weights.dtype)) / 2
        rolled = mixed if rolled is None else mixed @ rolled
    return rolled


def ablate(outputs, head, kind):
    """Silence one head: what it writes becomes 0, or its mean over the batch.

    outputs (B, H, T, e); head from 0 to H - 1; kind "zero" or "mean". Returns (B, H, T, e).
    Raises ValueError for another kind, a head that is not there, and when a shape does not fit.
    """
    H = expect(outputs=(outputs, "B H T e"))["H"]
    if kind not in ("zero", "mean"):
        raise ValueError(f'kind: expected "zero" or "mean", got {kind!r}')
    if not 0 <= head < H:
        raise ValueError(f"head: expected 0 to {H - 1}, got {head}")
    ablated = outputs.copy()
    ablated[:, head] = 0 if kind == "zero" else outputs[:, head].mean(axis=0)
    return ablated


def logit_attribution(parts, readout):
    """What each part that wrote to a token adds to the logit that `readout` reads.

    parts (N, ..., M), an array or a list: embedding, position, what each head and each bias wrote; readout (M,).
    Returns (N, ...), whose sum over the parts is the logit. Raises ValueError when a shape does not fit.
    """
    written = np.stack(parts)  # (N, ..., M)
    expect({"M": written.shape[-1]}, readout=(readout, "M"))
    return written @ readout
