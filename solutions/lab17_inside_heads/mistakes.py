"""Plausible wrong answers to lab 17. A docstring is the sentence that a student reads whose answer behaves like it.

The tests prove that the hidden checks reject each of them; the marking room names the one that an answer behaves like.
"""

import numpy as np

from solutions.exercises import by_exercise
from solutions.lab17_inside_heads import reference

# other_weights


def _direction(weights, V, ones=True):
    """Positions with weight, and how their weights may change: nothing that is to stay the same does."""
    seen = np.flatnonzero(weights)
    fixed = np.concatenate([V[seen], np.ones((len(seen), 1))], axis=1) if ones else V[seen]
    if len(seen) <= np.linalg.matrix_rank(fixed):
        raise ValueError("weights: expected more positions with weight than the rank")
    return seen, np.linalg.svd(fixed.T)[2][-1]


def _moved(weights, seen, direction, step):
    other = np.zeros(len(weights))
    other[seen] = weights[seen] + step * direction
    return other


def _largest_step(weights, direction):
    """The longest step after which no weight is below 0."""
    falling = direction < 0
    return (weights[falling] / -direction[falling]).min()


def other_weights_that_are_the_same(weights, V):
    """These are the weights that came in: at some position that had weight there should be none any more."""
    _direction(weights, V)
    return weights.copy()


def other_weights_whose_sum_is_free(weights, V):
    """The output stays the same, but the sum of your weights does not: a column of ones beside V keeps it, as
    direction @ ones is then 0."""
    seen, direction = _direction(weights, V, ones=False)
    direction = direction if (direction < 0).any() else -direction
    return np.maximum(_moved(weights, seen, direction, _largest_step(weights[seen], direction)), 0)


def other_weights_below_zero(weights, V):
    """Some of your weights are below 0: the first weight that reaches 0 ends the step, so take the smallest of the
    ratios, and not the largest."""
    seen, direction = _direction(weights, V)
    falling = direction < 0
    return _moved(weights, seen, direction, (weights[seen][falling] / -direction[falling]).max())


def other_weights_backwards(weights, V):
    """Your step went backwards, and a weight that it does not bring to 0 was set to 0: t is w_j / (-u_j), above 0."""
    seen, direction = _direction(weights, V)
    step = _largest_step(weights[seen], direction)
    other = _moved(weights, seen, direction, -step)
    other[seen[np.isclose(weights[seen], -step * direction)]] = 0
    return other


def other_weights_after_half_a_step(weights, V):
    """Your weights have the same output, but none of them has become 0: go on until the first one does."""
    seen, direction = _direction(weights, V)
    return _moved(weights, seen, direction, _largest_step(weights[seen], direction) / 2)


def other_weights_cut_and_divided(weights, V):
    """You set what was below 0 to 0 and divided by the sum, so that the output moved: stop when the first weight
    reaches 0 instead."""
    seen, direction = _direction(weights, V)
    other = np.maximum(_moved(weights, seen, direction, 2 * _largest_step(weights[seen], direction)), 0)
    return other / other.sum()


def other_weights_without_the_least(weights, V):
    """You took the least weight away and divided by the sum, so that the output moved: the others have to change along
    a direction in which nothing of the output does."""
    seen, _ = _direction(weights, V)
    other = weights.copy()
    other[seen[weights[seen].argmin()]] = 0
    return other / other.sum()


def other_weights_refused_by_width(weights, V):
    """You refuse where n is at most e + 1: it is the rank of [V, 1] that counts, and values that depend on one
    another have a lower one."""
    if np.count_nonzero(weights) <= V.shape[1] + 1:
        raise ValueError("weights: expected more positions than the width of a value")
    return reference.other_weights(weights, V)


def other_weights_refused_by_the_rank_of_all(weights, V):
    """You took the rank of all rows of [V, 1]: the rows of positions without weight do not count."""
    if np.count_nonzero(weights) <= np.linalg.matrix_rank(np.column_stack([V, np.ones(len(V))])):
        raise ValueError("weights: expected more positions than the rank")
    return reference.other_weights(weights, V)


def other_weights_without_the_faint(weights, V):
    """You take a small weight for none: a position counts as soon as its weight is above 0."""
    reference.other_weights(weights, V)  # refuses what has no answer
    large = np.where(weights > 1e-6, weights, 0)
    return large.sum() * reference.other_weights(large / large.sum(), V)


def other_weights_with_hidden_positions(weights, V):
    """A position without weight ends your step before it begins, as it cannot fall: leave it out, and keep it at 0."""
    fixed = np.concatenate([V, np.ones((len(V), 1))], axis=1)
    if len(weights) <= np.linalg.matrix_rank(fixed):
        raise ValueError("weights: expected more positions than the rank")
    direction = np.linalg.svd(fixed.T)[2][-1]
    return np.maximum(weights + _largest_step(weights, direction) * direction, 0)


# previous_token_score


def _on(weights, offset, first=0, period=1):
    """The weights on one diagonal, from its entry `first` on; ValueError where no row counts."""
    if weights.ndim < 2 or weights.shape[-1] != weights.shape[-2] or not 1 <= period < weights.shape[-1]:
        raise ValueError(f"expected (..., T, T) and a period from 1 to T - 1, got {weights.shape} and {period}")
    return np.diagonal(weights, offset, -2, -1)[..., first:]


def previous_token_score_of_the_next_token(weights):
    """You read w[i - 1, i], the weight on the next position: it is w[i, i - 1], the row looks and the column is looked
    at."""
    return _on(weights, 1).mean(axis=-1)


def previous_token_score_with_row_0(weights):
    """You divided by T: the first position has no one before it, so only T - 1 of them count."""
    return _on(weights, -1).sum(axis=-1) / weights.shape[-1]


def previous_token_score_that_wraps(weights):
    """Your row 0 looks at w[0, -1], which in NumPy is the last column: begin with row 1."""
    wrapped = _on(np.roll(weights, 1, axis=-1), 0)  # w[i, i - 1], and w[0, T - 1]
    return wrapped.mean(axis=-1)


def previous_token_score_of_itself(weights):
    """You read w[i, i], the weight of a position on itself: the one before is w[i, i - 1]."""
    return _on(weights, 0).mean(axis=-1)


def previous_token_score_as_a_sum(weights):
    """This is the sum: take the mean."""
    return _on(weights, -1).sum(axis=-1)


def previous_token_score_of_all_heads(weights):
    """You took one mean over all maps: each has a score of its own, so the axes in front stay."""
    return _on(weights, -1).mean()


def previous_token_score_by_the_largest(weights):
    """You counted the rows whose largest weight lies on the position before: take the mean of the weights there."""
    largest = weights == weights.max(axis=-1, keepdims=True)
    return _on(largest, -1).mean(axis=-1)


# induction_score


def induction_score_of_the_same_token(weights, period):
    """You read w[i, i - period], where the same token stood: an induction head looks at the one after it,
    i - period + 1."""
    return _on(weights, -period, period=period).mean(axis=-1)


def induction_score_two_after(weights, period):
    """You read w[i, i - period + 2]: it is one after the place where the token stood, i - period + 1."""
    moved = np.concatenate([weights[..., 1:], weights[..., -1:]], axis=-1)  # w[i, j + 1]
    return _on(moved, 1 - period, 1, period).mean(axis=-1)


def induction_score_with_a_new_token(weights, period):
    """You began with row period - 1, whose token has not stood before: the first that counts is row `period`."""
    return _on(weights, 1 - period, period=period).mean(axis=-1)


def induction_score_over_all_rows(weights, period):
    """You divided by T: only the rows from `period` on count, T - period of them."""
    return _on(weights, 1 - period, 1, period=period).sum(axis=-1) / weights.shape[-1]


def induction_score_of_the_second_round(weights, period):
    """You stopped after the second round: all rows from `period` to the end count."""
    return _on(weights, 1 - period, 1, period=period)[..., :period].mean(axis=-1)


def induction_score_of_complete_rounds(weights, period):
    """You left out the round that the text breaks off: all rows from `period` to the end count."""
    rows = weights.shape[-1] // max(period, 1) * period - period
    return _on(weights, 1 - period, 1, period=period)[..., :max(rows, 1)].mean(axis=-1)


def induction_score_of_all_heads(weights, period):
    """You took one mean over all maps: each has a score of its own, so the axes in front stay."""
    return _on(weights, 1 - period, 1, period=period).mean()


def induction_score_turned(weights, period):
    """You read w[i - period + 1, i]: the row is the position that looks, the column the one that is looked at."""
    return _on(weights, period - 1, 1, period=period).mean(axis=-1)


# rollout


def _mixed(layers):
    if len(layers) == 0 or any(np.shape(each) != np.shape(layers[0]) or each.shape[-1] != each.shape[-2]
                               for each in layers):
        raise ValueError("layers: expected (..., T, T), one at least, all alike")
    return [each / 2 + 0.5 * np.eye(each.shape[-1], dtype=each.dtype) for each in layers]


def _product(layers):
    total = layers[0]
    for each in layers[1:]:
        total = each @ total
    return total


def rollout_without_the_residual(layers):
    """You left the residual path out: of each layer take (W + I) / 2, as a token is itself and what it saw."""
    _mixed(layers)
    return _product(list(layers))


def rollout_in_the_wrong_order(layers):
    """You multiplied from the other side: the later layer stands on the left, as it looks at what the earlier made."""
    return _product(_mixed(layers)[::-1])


def rollout_not_halved(layers):
    """Your rows do not sum to 1: W + I is divided by 2."""
    return _product([2 * each for each in _mixed(layers)])


def rollout_as_a_mean(layers):
    """You took the mean over the layers: a later one looks at what an earlier one made, so they are multiplied."""
    return np.mean(_mixed(layers), axis=0)


def rollout_entry_by_entry(layers):
    """You multiplied entry by entry: it is a matrix product, @."""
    return np.prod(_mixed(layers), axis=0)


def rollout_of_the_last_layer(layers):
    """This is the last layer alone: multiply all of them."""
    return _mixed(layers)[-1]


def rollout_with_one_residual(layers):
    """You added the identity once, at the end: each layer has its own residual path, so add it before you multiply."""
    _mixed(layers)
    total = _product(list(layers))
    return (total + np.eye(total.shape[-1], dtype=total.dtype)) / 2


# ablate


def _allowed(outputs, head, kind):
    if outputs.ndim != 4 or not 0 <= head < outputs.shape[1] or kind not in ("zero", "mean"):
        raise ValueError(f"expected a head that is there, and zero or mean, got {head} and {kind!r}")


def _with(outputs, head, kind, mean, zero=0.0):
    _allowed(outputs, head, kind)
    changed = outputs.copy()
    changed[:, head] = mean if kind == "mean" else zero
    return changed


def ablate_with_one_mean_for_all_positions(outputs, head, kind):
    """Your mean runs over the positions as well: it is over the batch alone, axis 0, and each position has its own."""
    return _with(outputs, head, kind, outputs[:, head].mean(axis=(0, 1)))


def ablate_with_the_mean_of_each_text(outputs, head, kind):
    """Your mean runs over the positions of each text: it is over the batch, axis 0, and the same for all texts."""
    return _with(outputs, head, kind, outputs[:, head].mean(axis=1, keepdims=True))


def ablate_with_the_mean_of_all_heads(outputs, head, kind):
    """You put the mean over the heads in its place: it is the mean of this head, over the batch."""
    return _with(outputs, head, kind, outputs.mean(axis=1))


def ablate_always_with_zeros(outputs, head, kind):
    """You put 0 in its place where the mean over the batch was asked for."""
    return _with(outputs, head, kind, 0.0)


def ablate_always_with_the_mean(outputs, head, kind):
    """You put the mean in its place where 0 was asked for."""
    return _with(outputs, head, kind, outputs[:, head].mean(axis=0), outputs[:, head].mean(axis=0))


def ablate_all_others(outputs, head, kind):
    """You silenced all heads but this one: it is this one that should be silent."""
    _allowed(outputs, head, kind)
    changed = np.zeros_like(outputs) if kind == "zero" else outputs.mean(axis=0) + np.zeros_like(outputs)
    changed[:, head] = outputs[:, head]
    return changed


def ablate_a_position(outputs, head, kind):
    """You silenced a position, axis 2: the heads are axis 1."""
    _allowed(outputs, head, kind)
    changed, place = outputs.copy(), head % outputs.shape[2]
    changed[:, :, place] = 0 if kind == "zero" else outputs[:, :, place].mean(axis=0)
    return changed


def ablate_by_taking_the_head_out(outputs, head, kind):
    """You took the head out, so that one less is left: it stays where it is and writes 0, or its mean."""
    _allowed(outputs, head, kind)
    return np.delete(outputs, head, axis=1)


# logit_attribution


def _stacked(parts, readout):
    if np.ndim(readout) != 1 or any(part.shape[-1:] != readout.shape for part in parts):
        raise ValueError("parts: expected (N, ..., M) and a readout (M,)")
    return np.array(list(parts))


def logit_attribution_as_the_logit(parts, readout):
    """This is the logit itself: it is asked what each part adds to it, so leave the axis of the parts."""
    return (_stacked(parts, readout) @ readout).sum(axis=0)


def logit_attribution_as_shares(parts, readout):
    """You divided by the sum: what a part adds is asked for, in logits, so that they sum to the logit and not to 1."""
    added = _stacked(parts, readout) @ readout
    return added / added.sum(axis=0)


def logit_attribution_without_the_first(parts, readout):
    """The first part is missing: the embedding, too, writes to the token, and its row counts."""
    return (_stacked(parts, readout) @ readout)[1:]


def logit_attribution_as_cosines(parts, readout):
    """You divided by the lengths of the vectors: a part that wrote more adds more."""
    parts = _stacked(parts, readout)
    return parts @ readout / (np.linalg.norm(parts, axis=-1) * np.linalg.norm(readout))


def logit_attribution_without_signs(parts, readout):
    """You took absolute values: a part that speaks against a token has a negative share."""
    return np.abs(_stacked(parts, readout) @ readout)


def logit_attribution_normalised(parts, readout):
    """You took the mean of each part off and divided by its spread, as a LayerNorm does: there is none here, and with
    it the parts no longer sum to the logit."""
    parts = _stacked(parts, readout)
    return (parts - parts.mean(axis=-1, keepdims=True)) / parts.std(axis=-1, keepdims=True) @ readout


def logit_attribution_entry_by_entry(parts, readout):
    """These are the products before they are added up: sum over the width, the last axis."""
    return _stacked(parts, readout) * readout


def logit_attribution_as_probabilities(parts, readout):
    """You took a softmax: what is asked for is what is added to the logit, before any softmax."""
    powers = np.exp(_stacked(parts, readout) @ readout)
    return powers / powers.sum(axis=0)


MISTAKES = by_exercise(__name__, ["other_weights", "previous_token_score", "induction_score", "rollout", "ablate",
                                  "logit_attribution"])
