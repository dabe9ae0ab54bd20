"""Plausible wrong answers to lab 07. A docstring is the sentence that a student reads whose answer behaves like it.

The tests prove that the hidden checks reject each of them; the marking room names the one that an answer behaves like.
"""

import math

import numpy as np

from solutions.exercises import by_exercise
from solutions.lab07_positions import reference

# sinusoids


def _sinusoids(positions, d_model, frequencies):
    """Sinusoids with other frequencies, refusing odd widths."""
    if d_model % 2:
        raise ValueError("odd")
    angles = np.asarray(positions)[..., None] * frequencies
    return np.stack([np.sin(angles), np.cos(angles)], axis=-1).reshape(*angles.shape[:-1], d_model)


def sinusoids_in_two_halves(positions, d_model):
    """All sines came first and all cosines after them: here they stand side by side, sine at 2r, cosine at 2r + 1."""
    interleaved = reference.sinusoids(positions, d_model)
    return np.concatenate([interleaved[..., 0::2], interleaved[..., 1::2]], axis=-1)


def sinusoids_with_cosine_first(positions, d_model):
    """The cosine came first in each pair: the even entries are sines, the odd ones cosines."""
    pairs = reference.sinusoids(positions, d_model)
    return np.stack([pairs[..., 1::2], pairs[..., 0::2]], axis=-1).reshape(pairs.shape)


def sinusoids_with_a_frequency_for_each_entry(positions, d_model):
    """Sine and cosine of a pair have different frequencies: both use the exponent 2r / d_model, with r the pair."""
    if d_model % 2:
        raise ValueError("odd")
    angles = np.asarray(positions)[..., None] * 10000.0 ** (-np.arange(d_model) / d_model)
    return np.where(np.arange(d_model) % 2, np.cos(angles), np.sin(angles))


def sinusoids_with_half_the_exponent(positions, d_model):
    """Your exponent is r / d_model: it is 2r / d_model, so that the pairs reach nearly down to 1 / 10000."""
    return _sinusoids(positions, d_model, 10000.0 ** (-np.arange(d_model // 2) / d_model))


def sinusoids_with_rising_frequencies(positions, d_model):
    """You multiplied by 10000^(2r / d_model): divide by it, the frequencies fall from 1 on."""
    return _sinusoids(positions, d_model, 10000.0 ** (np.arange(0, d_model, 2) / d_model))


def sinusoids_that_count_for_themselves(positions, d_model):
    """The positions had no effect but their number: use the positions given, in the order given."""
    return reference.sinusoids(np.broadcast_to(np.arange(np.shape(positions)[-1]), np.shape(positions)), d_model)


def sinusoids_from_one(positions, d_model):
    """You counted one too far: position 0 has angle 0, so its pairs are (0, 1)."""
    return reference.sinusoids(np.asarray(positions) + 1, d_model)


def sinusoids_that_cut_odd_widths(positions, d_model):
    """An odd d_model got an answer: its last entry has no partner, so raise ValueError."""
    return reference.sinusoids(positions, d_model + d_model % 2)[..., :d_model]


def sinusoids_with_an_assertion(positions, d_model):
    """An odd d_model should raise ValueError: an assert raises AssertionError, and python -O leaves it out."""
    assert d_model % 2 == 0, "d_model must be even"
    return reference.sinusoids(positions, d_model)


# rotate, and the way back


def _turn(x, angles):
    """Turn interleaved pairs by these angles (…, T, d / 2)."""
    turned = (x[..., 0::2] + 1j * x[..., 1::2]) * np.exp(1j * angles)
    return np.stack([turned.real, turned.imag], axis=-1).reshape(x.shape).astype(x.dtype)


def _angles(x, positions):
    return np.asarray(positions)[..., None] * 10000.0 ** (-np.arange(0, x.shape[-1], 2) / x.shape[-1])


def rotate_half_split_pairs(x, positions):
    """You paired entry r with entry r + d / 2, the half-split pairing: here entry 2r goes with 2r + 1."""
    half = x.shape[-1] // 2
    turned = _turn(np.stack([x[..., :half], x[..., half:]], axis=-1).reshape(x.shape), _angles(x, positions))
    return np.concatenate([turned[..., 0::2], turned[..., 1::2]], axis=-1)


def rotate_the_other_way(x, positions):
    """You turned the other way: the new first entry is first · cos - second · sin."""
    return _turn(x, -_angles(x, positions))


def rotate_without_the_minus(x, positions):
    """Both new entries add: without the minus in first · cos - second · sin it is no rotation, and lengths change."""
    angles = _angles(x, positions)
    cos, sin, first, second = np.cos(angles), np.sin(angles), x[..., 0::2], x[..., 1::2]
    mixed = np.stack([first * cos + second * sin, first * sin + second * cos], axis=-1)
    return mixed.reshape(x.shape).astype(x.dtype)


def rotate_and_leave_in_halves(x, positions):
    """The values are right, but all first entries stand before all second ones: put each pair back side by side."""
    turned = _turn(x, _angles(x, positions))
    return np.concatenate([turned[..., 0::2], turned[..., 1::2]], axis=-1)


def rotate_by_half_the_exponent(x, positions):
    """Your exponent is r / d: it is 2r / d for pair r."""
    d = x.shape[-1]
    return _turn(x, np.asarray(positions)[..., None] * 10000.0 ** (-np.arange(d // 2) / d))


def rotate_all_pairs_alike(x, positions):
    """Every pair turned by the same angle: pair r turns 10000^(2r / d) times more slowly than pair 0."""
    return _turn(x, np.asarray(positions)[..., None] * np.ones(x.shape[-1] // 2))


def rotate_from_zero(x, positions):
    """The positions had no effect but their number: with a cache the first query does not stand at 0."""
    return _turn(x, _angles(x, np.arange(x.shape[-2])))


def rotate_to_float64(x, positions):
    """float32 came out as float64: sines and cosines of float64 angles promote; take them to x.dtype first."""
    return _turn(x.astype(float), _angles(x, positions))


def rotate_by_adding_sinusoids(x, positions):
    """You added the encoding: RoPE turns the pairs, it multiplies by cosines and sines."""
    return x + reference.sinusoids(positions, x.shape[-1]).astype(x.dtype)


def rotate_backward_in_the_same_direction(d_rotated, positions):
    """You turned the gradient the same way as the vector: on the way back it is the opposite angle."""
    return reference.rotate(d_rotated, positions)


def rotate_backward_through_half_split_pairs(d_rotated, positions):
    """You paired entry r with entry r + d / 2 on the way back: the pairs are 2r and 2r + 1, as on the way forward."""
    return rotate_half_split_pairs(d_rotated, -np.asarray(positions))


def rotate_backward_without_the_sines(d_rotated, positions):
    """Only the cosines are left: a pair's second entry also reached the result's first one, by the sine."""
    angles = np.repeat(_angles(d_rotated, positions), 2, axis=-1)
    return (d_rotated * np.cos(angles)).astype(d_rotated.dtype)


def rotate_backward_from_zero(d_rotated, positions):
    """The positions had no effect but their number on the way back: use those of the way forward."""
    return _turn(d_rotated, -_angles(d_rotated, np.arange(d_rotated.shape[-2])))


def rotate_backward_with_the_slope_of_the_sines(d_rotated, positions):
    """You took the slope in the angle: the loss is asked for its gradient in x, and the angles are constants."""
    return _turn(d_rotated, np.pi / 2 - _angles(d_rotated, positions))


def rotate_backward_to_float64(d_rotated, positions):
    """The gradient came out as float64 where float32 went in: take sines and cosines to the gradient's dtype."""
    return reference.rotate_backward(d_rotated.astype(float), positions)


# rotary_scores


def _scores(queries, keys):
    return queries @ keys.swapaxes(-1, -2) / math.sqrt(queries.shape[-1])


def _places(Q, K):
    return np.arange(Q.shape[-2]), np.arange(K.shape[-2])


def rotary_scores_without_the_past(Q, K, past=0):
    """First query and first key got the same position: key 0 stands at 0, query 0 at past. (Moving both by past changes
    nothing.)"""
    own, theirs = _places(Q, K)
    return _scores(reference.rotate(Q, own), reference.rotate(K, theirs))


def rotary_scores_without_rotation(Q, K, past=0):
    """Nothing was rotated: turn queries and keys for their positions before they meet."""
    return _scores(Q, K)


def rotary_scores_with_queries_alone_rotated(Q, K, past=0):
    """The keys were not rotated: then a score depends on where the query stands, and not on the distance."""
    return _scores(reference.rotate(Q, past + _places(Q, K)[0]), K)


def rotary_scores_not_divided(Q, K, past=0):
    """The scores are not divided by the root of d_k."""
    return reference.rotary_scores(Q, K, past) * math.sqrt(Q.shape[-1])


def rotary_scores_as_weights(Q, K, past=0):
    """You returned weights: this function returns scores, mask and softmax come after it."""
    powers = np.exp(reference.rotary_scores(Q, K, past))
    return powers / powers.sum(axis=-1, keepdims=True)


def rotary_scores_with_keys_turned_back(Q, K, past=0):
    """The keys were turned by the opposite angle: then the sum of the two positions counts, not their difference."""
    own, theirs = _places(Q, K)
    return _scores(reference.rotate(Q, past + own), reference.rotate(K, -theirs))


def rotary_scores_with_the_past_in_the_wrong_place(Q, K, past=0):
    """The queries were taken for the last tokens of a longer past: query i stands at past + i, counted from 0."""
    own, theirs = _places(Q, K)
    return _scores(reference.rotate(Q, past + 1 + own), reference.rotate(K, theirs))


def rotary_scores_to_float64(Q, K, past=0):
    """float32 came out as float64: divide by math.sqrt(d_k), which is a Python float; np.sqrt gives a float64."""
    own, theirs = _places(Q, K)
    products = reference.rotate(Q, past + own) @ reference.rotate(K, theirs).swapaxes(-1, -2)
    return products / np.sqrt(np.float64(Q.shape[-1]))


# to_half_split


def to_half_split_over_all_heads(W, heads):
    """You reordered all columns at once, across the heads: each head has its own even and odd columns."""
    return np.concatenate([W[:, 0::2], W[:, 1::2]], axis=1)


def to_half_split_backwards(W, heads):
    """That is the way from half-split to interleaved: here the even columns go to the front."""
    halves = W.reshape(len(W), heads, 2, -1)
    return halves.swapaxes(-1, -2).reshape(W.shape)


def to_half_split_with_odd_columns_first(W, heads):
    """The odd columns came first: the first half holds columns 0, 2, 4, …."""
    return reference.to_half_split(W.reshape(len(W), -1, 2)[..., ::-1].reshape(W.shape), heads)


def to_half_split_of_the_rows(W, heads):
    """You reordered the rows: they are entries of a token; queries and keys have their entries in the columns."""
    return np.concatenate([W[0::2], W[1::2]], axis=0)


def to_half_split_by_reversing(W, heads):
    """The odd columns came in reverse: both halves keep their order."""
    columns = W.reshape(len(W), heads, -1)
    return np.concatenate([columns[..., 0::2], columns[..., 1::2][..., ::-1]], axis=-1).reshape(W.shape)


def to_half_split_by_swapping_halves(W, heads):
    """You exchanged the halves of each head: nothing has been paired anew, take every other column."""
    columns = W.reshape(len(W), heads, -1)
    return np.roll(columns, columns.shape[-1] // 2, axis=-1).reshape(W.shape)


# alibi_slopes


def _power_below(heads):
    return 2 ** (int(heads).bit_length() - 1)


def alibi_slopes_by_the_formula_for_any_number(heads):
    """2^(-8n/h) is the rule for powers of two: for others take the power below, and fill up from twice that power."""
    return 2.0 ** (-8 * np.arange(1, heads + 1) / heads)


def alibi_slopes_from_zero(heads):
    """Your first slope is 1: n runs from 1 to h, so the first is 2^(-8/h)."""
    return 2.0 ** (-8 * np.arange(heads) / heads)


def alibi_slopes_in_reverse(heads):
    """The slopes are in reverse: head 1 has the steepest."""
    return reference.alibi_slopes(heads)[::-1].copy()


def alibi_slopes_of_the_power_above(heads):
    """For a number between powers of two you took the first slopes of the power above: take all of the power below."""
    return reference.alibi_slopes(1 << (heads - 1).bit_length())[:heads]


def alibi_slopes_filled_from_the_second(heads):
    """The slopes that fill up start with the second of the longer list: it is the first, third, fifth, …."""
    power = _power_below(heads)
    return np.concatenate([reference.alibi_slopes(power), reference.alibi_slopes(2 * power)[1::2][: heads - power]])


def alibi_slopes_filled_in_order(heads):
    """The slopes that fill up are the first ones of the longer list: take every other one."""
    power = _power_below(heads)
    return np.concatenate([reference.alibi_slopes(power), reference.alibi_slopes(2 * power)[: heads - power]])


def alibi_slopes_sorted(heads):
    """The slopes are sorted: for a number between powers the authors put the ones that fill up at the end."""
    return np.sort(reference.alibi_slopes(heads))[::-1].copy()


def alibi_slopes_with_base_e(heads):
    """Your base is e: the slopes are powers of two."""
    return np.exp(np.log2(reference.alibi_slopes(heads)))


def alibi_slopes_that_grow(heads):
    """Your exponents are positive: slopes are at most 1, 2^(-8n/h)."""
    return 1 / reference.alibi_slopes(heads)


# alibi_bias


def alibi_bias_with_a_plus(slopes, T, S, past=0):
    """The sign is wrong: what is far away gets less, so the bias is below 0."""
    return -reference.alibi_bias(slopes, T, S, past)


def alibi_bias_that_rewards_the_future(slopes, T, S, past=0):
    """Keys still to come have a bias above 0: it is 0 there, since the mask hides them."""
    return np.multiply.outer(slopes, np.arange(S) - past - np.arange(T)[:, None])


def alibi_bias_on_both_sides(slopes, T, S, past=0):
    """Keys still to come have a bias too: it is 0 there, since the mask hides them."""
    return -np.multiply.outer(slopes, np.abs(np.arange(S) - past - np.arange(T)[:, None]))


def alibi_bias_that_masks(slopes, T, S, past=0):
    """Keys still to come have -inf: leave that to the mask, the bias is 0 there."""
    future = np.arange(S) > past + np.arange(T)[:, None]
    return np.where(future, -np.inf, reference.alibi_bias(slopes, T, S, past))


def alibi_bias_without_the_past(slopes, T, S, past=0):
    """The first query was taken for the first token: it stands at position past."""
    return reference.alibi_bias(slopes, T, S)


def alibi_bias_from_the_last_key(slopes, T, S, past=0):
    """Your rows are counted from the last key. A softmax would not notice a number added to a whole row, but here the
    bias is 0 where a token looks at itself."""
    return np.broadcast_to(np.multiply.outer(slopes, np.arange(1 - S, 1))[:, None], (len(slopes), T, S)).copy()


def alibi_bias_with_the_heads_last(slopes, T, S, past=0):
    """The heads are the last axis: scores have them before (T, S)."""
    return np.moveaxis(reference.alibi_bias(slopes, T, S, past), 0, -1)


def alibi_bias_of_one_more(slopes, T, S, past=0):
    """A token is at distance 1 from itself in your bias: the distance to itself is 0."""
    return reference.alibi_bias(slopes, T, S, past + 1)


MISTAKES = by_exercise(__name__, [
    "sinusoids", "rotate", "rotate_backward", "rotary_scores", "to_half_split", "alibi_slopes", "alibi_bias",
])
