"""Plausible wrong answers to lab 14. A docstring is the sentence that a student reads whose answer behaves like it.

The tests prove that the hidden checks reject each of them; the marking room names the one that an answer behaves like.
"""

import math

import numpy as np

from solutions.exercises import by_exercise
from solutions.lab01_additive_attention.reference import softmax
from solutions.lab05_scaled_dot_product.reference import scaled_dot_product_attention
from solutions.lab14_real_weights import reference

# rms_norm


def _mean_square(x, axis=-1):
    return (x**2).mean(axis=axis, keepdims=True)


def rms_norm_that_subtracts_the_mean(x, gamma, eps=1e-5):
    """You took the row's mean off: that is LayerNorm. RMSNorm only divides, and a shift of the row shows."""
    return reference.rms_norm(x - x.mean(axis=-1, keepdims=True), gamma, eps)


def rms_norm_by_the_standard_deviation(x, gamma, eps=1e-5):
    """You divided by the standard deviation, which takes the mean off: divide by the root of the mean square."""
    return gamma * (x / np.sqrt(x.var(axis=-1, keepdims=True) + eps))


def rms_norm_with_eps_outside_the_root(x, gamma, eps=1e-5):
    """You added eps to the root: it belongs to the mean of the squares, inside the root."""
    return gamma * (x / (np.sqrt(_mean_square(x)) + eps))


def rms_norm_with_eps_as_a_floor(x, gamma, eps=1e-5):
    """You took the larger of the mean square and eps: eps is added to it."""
    return gamma * (x / np.sqrt(np.maximum(_mean_square(x), eps)))


def rms_norm_without_eps(x, gamma, eps=1e-5):
    """There is no eps: add it to the mean of the squares, or a row of zeros divides 0 by 0."""
    return gamma * (x / np.sqrt(_mean_square(x)))


def rms_norm_with_a_fixed_eps(x, gamma, eps=1e-5):
    """The argument eps has no effect: use what you are given, models differ in it."""
    return reference.rms_norm(x, gamma)


def rms_norm_without_the_root(x, gamma, eps=1e-5):
    """You divided by the mean of the squares: take its root."""
    return gamma * (x / (_mean_square(x) + eps))


def rms_norm_with_the_sum(x, gamma, eps=1e-5):
    """You divided by the length of the row, the root of the sum of squares: it is the root of their mean."""
    return gamma * (x / np.sqrt((x**2).sum(axis=-1, keepdims=True) + eps))


def rms_norm_of_absolute_values(x, gamma, eps=1e-5):
    """You divided by the mean of the absolute values: square first, and take the root of the mean."""
    return gamma * (x / (np.abs(x).mean(axis=-1, keepdims=True) + eps))


def rms_norm_over_all_rows(x, gamma, eps=1e-5):
    """You took one mean over all entries: each row, along the last axis, has its own."""
    return gamma * (x / np.sqrt((x**2).mean() + eps)).astype(x.dtype)


def rms_norm_over_the_positions(x, gamma, eps=1e-5):
    """Your mean runs over the rows of a sentence: it runs over the entries of one row, axis=-1."""
    return gamma * (x / np.sqrt(_mean_square(x, axis=max(-2, -x.ndim)) + eps))


def rms_norm_without_gamma(x, gamma, eps=1e-5):
    """gamma has no effect: multiply the row by it at the end."""
    return reference.rms_norm(x, np.ones_like(gamma), eps)


def rms_norm_with_gamma_plus_one(x, gamma, eps=1e-5):
    """You multiplied by 1 + gamma, as Gemma does, whose gains are stored less 1: here it is gamma itself."""
    return reference.rms_norm(x, 1 + gamma, eps)


def rms_norm_with_the_root(x, gamma, eps=1e-5):
    """You returned what the row was divided by as well: unlike lab 08's layer_norm, rms_norm returns its output
    alone."""
    return reference.rms_norm(x, gamma, eps), np.sqrt(_mean_square(x) + eps)


# rms_norm_backward


def _parts(d_output, x, gamma, eps):
    rms = np.sqrt(_mean_square(x) + eps)
    return x / rms, d_output * gamma, rms


def _with_d_gamma(d_x, d_output, x, gamma, eps):
    return d_x, reference.rms_norm_backward(d_output, x, gamma, eps)[1]


def rms_norm_backward_of_layer_norm(d_output, x, gamma, eps=1e-5):
    """You also took the mean of the gradient off, as LayerNorm's way back does: RMSNorm takes no mean off, and neither
    does its way back."""
    x_hat, d, rms = _parts(d_output, x, gamma, eps)
    d_x = (d - d.mean(axis=-1, keepdims=True) - x_hat * (d * x_hat).mean(axis=-1, keepdims=True)) / rms
    return _with_d_gamma(d_x, d_output, x, gamma, eps)


def rms_norm_backward_without_the_stretch(d_output, x, gamma, eps=1e-5):
    """You divided the gradient by the root and forgot that the root depends on x, too: subtract x_hat times the mean of
    g * x_hat."""
    _, d, rms = _parts(d_output, x, gamma, eps)
    return _with_d_gamma(d / rms, d_output, x, gamma, eps)


def rms_norm_backward_with_the_sum(d_output, x, gamma, eps=1e-5):
    """You subtracted x_hat times the sum of g * x_hat: it is the mean."""
    x_hat, d, rms = _parts(d_output, x, gamma, eps)
    return _with_d_gamma((d - x_hat * (d * x_hat).sum(axis=-1, keepdims=True)) / rms, d_output, x, gamma, eps)


def rms_norm_backward_with_the_mean_before_gamma(d_output, x, gamma, eps=1e-5):
    """In the mean stands d_output * x_hat: it must be that of g = d_output * gamma."""
    x_hat, d, rms = _parts(d_output, x, gamma, eps)
    return _with_d_gamma((d - x_hat * (d_output * x_hat).mean(axis=-1, keepdims=True)) / rms, d_output, x, gamma, eps)


def rms_norm_backward_with_a_product_of_means(d_output, x, gamma, eps=1e-5):
    """You multiplied the mean of g by that of x_hat: take the mean of their product."""
    x_hat, d, rms = _parts(d_output, x, gamma, eps)
    along = d.mean(axis=-1, keepdims=True) * x_hat.mean(axis=-1, keepdims=True)
    return _with_d_gamma((d - x_hat * along) / rms, d_output, x, gamma, eps)


def rms_norm_backward_with_gamma_at_the_end(d_output, x, gamma, eps=1e-5):
    """You multiplied d_x by gamma at the end: g = d_output * gamma comes first, and so into the mean."""
    d_x, _ = reference.rms_norm_backward(d_output, x, np.ones_like(gamma), eps)
    return _with_d_gamma(gamma * d_x, d_output, x, gamma, eps)


def rms_norm_backward_with_x_hat_without_eps(d_output, x, gamma, eps=1e-5):
    """Your x_hat is divided by the root without eps: x_hat, too, is divided by the root with eps in it."""
    _, d, rms = _parts(d_output, x, gamma, eps)
    x_hat = x / np.sqrt(_mean_square(x) + np.finfo(x.dtype).tiny)
    d_x = (d - x_hat * (d * x_hat).mean(axis=-1, keepdims=True)) / rms
    return d_x, (d_output * x_hat).sum(axis=tuple(range(x.ndim - 1)))


def rms_norm_backward_with_the_sign_exchanged(d_output, x, gamma, eps=1e-5):
    """You added x_hat times the mean of g * x_hat: it is subtracted."""
    x_hat, d, rms = _parts(d_output, x, gamma, eps)
    return _with_d_gamma((d + x_hat * (d * x_hat).mean(axis=-1, keepdims=True)) / rms, d_output, x, gamma, eps)


def rms_norm_backward_with_x_for_x_hat(d_output, x, gamma, eps=1e-5):
    """You subtracted x times the mean of g * x: both are x_hat, the row that was divided by its root."""
    _, d, rms = _parts(d_output, x, gamma, eps)
    return _with_d_gamma((d - x * (d * x).mean(axis=-1, keepdims=True)) / rms, d_output, x, gamma, eps)


def rms_norm_backward_not_divided(d_output, x, gamma, eps=1e-5):
    """d_x is not divided by the root mean square: a row that was made smaller hands a smaller gradient back."""
    x_hat, d, _ = _parts(d_output, x, gamma, eps)
    return _with_d_gamma(d - x_hat * (d * x_hat).mean(axis=-1, keepdims=True), d_output, x, gamma, eps)


def rms_norm_backward_without_gamma(d_output, x, gamma, eps=1e-5):
    """gamma has no part in your d_x: the row was multiplied by it, so multiply d_output by it first."""
    d_x, _ = reference.rms_norm_backward(d_output, x, np.ones_like(gamma), eps)
    return _with_d_gamma(d_x, d_output, x, gamma, eps)


def rms_norm_backward_with_a_fixed_eps(d_output, x, gamma, eps=1e-5):
    """The argument eps has no effect: use the eps of the way forward."""
    return reference.rms_norm_backward(d_output, x, gamma)


def rms_norm_backward_with_the_mean_over_all_rows(d_output, x, gamma, eps=1e-5):
    """The mean of g * x_hat runs over all rows: each row has its own, axis=-1."""
    x_hat, d, rms = _parts(d_output, x, gamma, eps)
    return _with_d_gamma(((d - x_hat * (d * x_hat).mean()) / rms).astype(x.dtype), d_output, x, gamma, eps)


def rms_norm_backward_with_d_gamma_of_x(d_output, x, gamma, eps=1e-5):
    """You summed d_output * x for d_gamma: gamma multiplies x_hat, the row after its division."""
    d_x, _ = reference.rms_norm_backward(d_output, x, gamma, eps)
    return d_x, (d_output * x).sum(axis=tuple(range(x.ndim - 1)))


def rms_norm_backward_with_the_mean_for_gamma(d_output, x, gamma, eps=1e-5):
    """You took the mean over the rows for d_gamma: every row adds its part, so it is their sum."""
    d_x, d_gamma = reference.rms_norm_backward(d_output, x, gamma, eps)
    return d_x, d_gamma / x[..., 0].size


def rms_norm_backward_with_d_gamma_of_g(d_output, x, gamma, eps=1e-5):
    """You summed g * x_hat for d_gamma: it is d_output * x_hat, before gamma comes in."""
    d_x, d_gamma = reference.rms_norm_backward(d_output, x, gamma, eps)
    return d_x, d_gamma * gamma


def rms_norm_backward_with_a_gamma_for_each_position(d_output, x, gamma, eps=1e-5):
    """You summed d_gamma over the first axis alone: gamma is one row for all tokens, so sum over all axes but the
    last."""
    d_x, _ = reference.rms_norm_backward(d_output, x, gamma, eps)
    x_hat, _, _ = _parts(d_output, x, gamma, eps)
    return d_x, (d_output * x_hat).sum(axis=0) if x.ndim > 1 else d_output * x_hat


def rms_norm_backward_exchanged(d_output, x, gamma, eps=1e-5):
    """You returned d_gamma first: it is d_x, then d_gamma."""
    return reference.rms_norm_backward(d_output, x, gamma, eps)[::-1]


# swiglu


def _sigmoid(a):
    return 0.5 + 0.5 * np.tanh(a / 2)


def _silu(a):
    return a * _sigmoid(a)


def swiglu_with_gate_and_up_exchanged(x, W_1, W_3, W_2):
    """You took silu of x W_3: the gate, which goes through silu, is x W_1."""
    return reference.swiglu(x, W_3, W_1, W_2)


def swiglu_with_a_sigmoid(x, W_1, W_3, W_2):
    """Your gate is the sigmoid alone, which makes the original GLU: silu multiplies it by its own argument, x W_1."""
    return (_sigmoid(x @ W_1) * (x @ W_3)) @ W_2


def swiglu_with_relu(x, W_1, W_3, W_2):
    """Your gate goes through ReLU: silu(a) is a σ(a), which is smooth and dips below 0."""
    return (np.maximum(x @ W_1, 0) * (x @ W_3)) @ W_2


def swiglu_with_gelu(x, W_1, W_3, W_2):
    """Your gate goes through GELU: silu(a) is a times the sigmoid of a."""
    a = x @ W_1
    return (0.5 * a * (1 + np.tanh((2 / math.pi) ** 0.5 * (a + 0.044715 * a**3))) * (x @ W_3)) @ W_2


def swiglu_with_silu_on_both(x, W_1, W_3, W_2):
    """silu acts on both products: x W_3 stays as it is."""
    return (_silu(x @ W_1) * _silu(x @ W_3)) @ W_2


def swiglu_with_silu_of_the_product(x, W_1, W_3, W_2):
    """You multiplied first and took silu of the product: silu acts on x W_1 alone, and then they are multiplied."""
    return _silu((x @ W_1) * (x @ W_3)) @ W_2


def swiglu_without_silu(x, W_1, W_3, W_2):
    """There is no silu: without it the layer is only a product of two linear ones."""
    return ((x @ W_1) * (x @ W_3)) @ W_2


def swiglu_without_the_gate(x, W_1, W_3, W_2):
    """W_3 has no effect: what goes through silu is multiplied, entry by entry, by x W_3."""
    return _silu(x @ W_1) @ W_2


def swiglu_added(x, W_1, W_3, W_2):
    """You added the two: a gate multiplies, entry by entry."""
    return (_silu(x @ W_1) + x @ W_3) @ W_2


def swiglu_with_the_wrong_sign(x, W_1, W_3, W_2):
    """Your sigmoid is 1 / (1 + exp(a)), which falls: it is 1 / (1 + exp(-a))."""
    a = x @ W_1
    return (a * _sigmoid(-a) * (x @ W_3)) @ W_2


def swiglu_that_overflows(x, W_1, W_3, W_2):
    """exp(a) / (1 + exp(a)) is inf / inf where a is large, which is nan: write the sigmoid as 1 / (1 + exp(-a)), or
    with a power of -|a|."""
    a = x @ W_1
    with np.errstate(over="ignore", invalid="ignore"):
        power = np.exp(a)
        return (a * power / (1 + power) * (x @ W_3)) @ W_2


def swiglu_with_an_activation_behind(x, W_1, W_3, W_2):
    """silu acts once more on what leaves the layer: W_2 comes last, with nothing behind it."""
    return _silu(reference.swiglu(x, W_1, W_3, W_2))


# grouped_attention


def _shared(Q, K, V, mask=None, softcap=None, *, share=np.repeat, scale=None, cap=None, hide=None, norm=None):
    """The function with one of its steps put otherwise."""
    n = Q.shape[-3] // K.shape[-3]
    keys, values = share(K, n, -3), share(V, n, -3)
    scores = Q @ np.swapaxes(keys, -1, -2) / (Q.shape[-1] ** 0.5 if scale is None else scale)
    scores = (cap or _capped)(scores, softcap)
    scores = (hide or _hidden)(scores, mask)
    weights = (norm or _normed)(scores)
    return weights @ values, weights


def _capped(scores, softcap):
    return scores if softcap is None else softcap * np.tanh(scores / softcap)


def _hidden(scores, mask):
    if mask is None:
        return scores
    return np.where(mask, scores, -np.inf) if mask.dtype == bool else scores + mask


def _normed(scores, axis=-1):
    powers = np.exp(scores - np.max(scores, axis=axis, keepdims=True, initial=np.finfo(scores.dtype).min))
    total = powers.sum(axis=axis, keepdims=True)
    return powers / np.where(total > 0, total, 1)


def _tiled(x, n, axis):
    return np.concatenate([x] * n, axis=axis)


def grouped_attention_tiled(Q, K, V, mask=None, softcap=None):
    """You tiled the groups, so that head n takes group n modulo G: the heads of one group stand side by side, head n
    takes group n // (H / G), which np.repeat does and np.tile does not."""
    return _shared(Q, K, V, mask, softcap, share=_tiled)


def grouped_attention_with_the_first_group(Q, K, V, mask=None, softcap=None):
    """All heads look at the first group: each group has H / G heads of its own."""
    return _shared(Q, K, V, mask, softcap, share=lambda x, n, axis: np.repeat(x[..., :1, :, :], n * x.shape[-3], axis))


def grouped_attention_with_the_mean_of_the_groups(Q, K, V, mask=None, softcap=None):
    """You took the mean of all groups for every head: a head looks at its own group alone."""
    return _shared(Q, K, V, mask, softcap,
                   share=lambda x, n, axis: np.repeat(x.mean(axis=axis, keepdims=True), n * x.shape[-3], axis))


def grouped_attention_with_values_tiled(Q, K, V, mask=None, softcap=None):
    """Keys are shared by group, values are not: repeat the values as you repeat the keys."""
    _, weights = _shared(Q, K, V, mask, softcap)
    return weights @ _tiled(V, Q.shape[-3] // V.shape[-3], -3), weights


def grouped_attention_without_the_root(Q, K, V, mask=None, softcap=None):
    """The scores are not divided by the root of d."""
    return _shared(Q, K, V, mask, softcap, scale=1)


def grouped_attention_scaled_by_the_values(Q, K, V, mask=None, softcap=None):
    """You divided by the root of the values' width: it is that of queries and keys."""
    return _shared(Q, K, V, mask, softcap, scale=V.shape[-1] ** 0.5)


def grouped_attention_divided_by_the_width(Q, K, V, mask=None, softcap=None):
    """You divided by d, not by its root."""
    return _shared(Q, K, V, mask, softcap, scale=Q.shape[-1])


def grouped_attention_capped_after_the_mask(Q, K, V, mask=None, softcap=None):
    """You capped after the mask: -inf became -softcap, and hidden keys got weight. Cap first, then mask."""
    return _shared(Q, K, V, mask, softcap, cap=lambda scores, softcap: scores,
                   hide=lambda scores, mask: _capped(_hidden(scores, mask), softcap))


def grouped_attention_capped_before_the_scale(Q, K, V, mask=None, softcap=None):
    """You capped the plain products: first divide by the root of d, then cap."""
    root = Q.shape[-1] ** 0.5
    return _shared(Q, K, V, mask, softcap, scale=1, cap=lambda scores, softcap: _capped(scores, softcap) / root)


def grouped_attention_without_the_cap(Q, K, V, mask=None, softcap=None):
    """softcap has no effect: the scores become softcap · tanh(scores / softcap)."""
    return _shared(Q, K, V, mask)


def grouped_attention_with_a_cap_of_one(Q, K, V, mask=None, softcap=None):
    """Your cap is tanh(scores / softcap), which lies between -1 and 1: multiply by softcap again."""
    return _shared(Q, K, V, mask, softcap,
                   cap=lambda scores, softcap: scores if softcap is None else np.tanh(scores / softcap))


def grouped_attention_clipped(Q, K, V, mask=None, softcap=None):
    """You cut the scores off at the cap: softcap · tanh(scores / softcap) bends them towards it."""
    return _shared(Q, K, V, mask, softcap,
                   cap=lambda scores, softcap: scores if softcap is None else np.clip(scores, -softcap, softcap))


def grouped_attention_without_the_mask(Q, K, V, mask=None, softcap=None):
    """The mask has no effect: where it is False a score becomes -inf, and numbers are added to the scores."""
    return _shared(Q, K, V, None, softcap)


def grouped_attention_with_the_mask_the_wrong_way_round(Q, K, V, mask=None, softcap=None):
    """Your boolean mask works the wrong way round: True means may look."""
    return _shared(Q, K, V, ~mask if mask is not None and mask.dtype == bool else mask, softcap)


def grouped_attention_with_the_mask_of_the_first_sentence(Q, K, V, mask=None, softcap=None):
    """All sentences got the first one's mask: a mask may have the axes in front, too, as one for padding has,
    (B, 1, 1, S), and then each sentence has its own."""
    return _shared(Q, K, V, mask if mask is None else mask[(0,) * (mask.ndim - 3)], softcap)


def grouped_attention_with_masks_of_heads_alone(Q, K, V, mask=None, softcap=None):
    """You fitted the mask to (H, T, S), so that one with axes in front of the heads, as a mask for padding has,
    (B, 1, 1, S), raises an error: fit it to (..., H, T, S)."""
    shape = *Q.shape[-3:-1], K.shape[-2]
    return _shared(Q, K, V, mask if mask is None else np.broadcast_to(mask, shape), softcap)


def grouped_attention_with_every_mask_added(Q, K, V, mask=None, softcap=None):
    """You added a boolean mask to the scores, where True counts as 1: False must become -inf."""
    return _shared(Q, K, V, mask, softcap, hide=lambda scores, mask: scores if mask is None else scores + mask)


def grouped_attention_with_every_mask_boolean(Q, K, V, mask=None, softcap=None):
    """You took numbers for a boolean mask: they are added to the scores."""
    return _shared(Q, K, V, None if mask is None else mask.astype(bool), softcap)


def grouped_attention_with_numbers_that_only_hide(Q, K, V, mask=None, softcap=None):
    """Of a mask of numbers you kept only what is -inf: each number is added to its score."""
    is_added = mask is not None and mask.dtype != bool
    return _shared(Q, K, V, np.isfinite(mask) if is_added else mask, softcap)


def grouped_attention_masked_too_late(Q, K, V, mask=None, softcap=None):
    """You set hidden weights to 0 after the softmax, so the rows no longer sum to 1: hide the scores before it."""
    if mask is None or mask.dtype != bool:
        return _shared(Q, K, V, mask, softcap)
    return _shared(Q, K, V, mask, softcap, hide=lambda scores, mask: scores,
                   norm=lambda scores: np.where(mask, _normed(scores), 0))


def grouped_attention_with_nan(Q, K, V, mask=None, softcap=None):
    """A query that may look nowhere got nan: -inf minus -inf is nan, and so is 0/0; its output and weights are 0."""
    with np.errstate(invalid="ignore"):
        return _shared(Q, K, V, mask, softcap, norm=lambda scores: softmax(scores, axis=-1))


def grouped_attention_with_equal_weights(Q, K, V, mask=None, softcap=None):
    """A query that may look nowhere got equal weights: with -1e9 for all scores none stands out. Take -inf, and give
    such a row zeros."""
    return _shared(Q, K, V, mask, softcap, hide=lambda scores, mask: np.maximum(_hidden(scores, mask), -1e9))


def grouped_attention_that_takes_a_large_number_for_hidden(Q, K, V, mask=None, softcap=None):
    """A row in which every number is -1e9 got zeros: only False and -inf hide a key, any other number is a score."""
    output, weights = _shared(Q, K, V, mask, softcap)
    is_added = mask is not None and mask.dtype != bool
    empty = np.all(mask < -1e6, axis=-1, keepdims=True) if is_added else False
    return np.where(empty, 0, output), np.where(empty, 0, weights)


def grouped_attention_over_the_queries(Q, K, V, mask=None, softcap=None):
    """Your softmax runs over the queries: each row, axis -1, belongs to one query and sums to 1."""
    return _shared(Q, K, V, mask, softcap, norm=lambda scores: _normed(scores, axis=-2))


def grouped_attention_with_weights_of_groups(Q, K, V, mask=None, softcap=None):
    """You returned the weights of one head in each group: there are H heads, and each has its own."""
    output, weights = _shared(Q, K, V, mask, softcap)
    return output, weights[..., :: Q.shape[-3] // K.shape[-3], :, :] * 1


def grouped_attention_exchanged(Q, K, V, mask=None, softcap=None):
    """You returned the weights first: it is the output, then the weights."""
    return _shared(Q, K, V, mask, softcap)[::-1]


def grouped_attention_without_groups(Q, K, V, mask=None, softcap=None):
    """You left K and V as they are, so that NumPy fits G groups to H heads only where G is 1 or H: repeat them along
    the axis of heads."""
    mask = None if mask is None or mask.dtype != bool else mask
    return scaled_dot_product_attention(Q, K, V, mask)


# mean_pool


def mean_pool_over_padding(hidden, mask):
    """Padding is in your mean: the same sentence gets another vector beside a longer one. Leave it out of the sum and
    of the number."""
    return hidden.mean(axis=1)


def mean_pool_divided_by_all_positions(hidden, mask):
    """You divided by the number of positions: divide by the number of real tokens."""
    return np.where(mask[..., None], hidden, 0).sum(axis=1) / hidden.shape[1]


def mean_pool_of_all_divided_by_the_real(hidden, mask):
    """Padding is in the sum, and only its number was left out: multiply by the mask before you sum."""
    return hidden.sum(axis=1) / np.maximum(mask.sum(axis=1, keepdims=True), 1).astype(hidden.dtype)


def mean_pool_of_the_first_token(hidden, mask):
    """You took the first position, [CLS] in BERT: this model was trained on the mean over all real tokens."""
    return hidden[:, 0] * 1


def mean_pool_of_the_last_position(hidden, mask):
    """You took the last position: take the mean over all real tokens."""
    return hidden[:, -1] * 1


def mean_pool_by_the_maximum(hidden, mask):
    """You took the largest of each entry: take the mean."""
    seen = np.where(mask[..., None], hidden, -np.inf).max(axis=1)
    return np.where(np.isfinite(seen), seen, 0).astype(hidden.dtype)


def mean_pool_without_the_division(hidden, mask):
    """You returned the sum: divide it by the number of real tokens."""
    return np.where(mask[..., None], hidden, 0).sum(axis=1)


def mean_pool_of_unit_length(hidden, mask):
    """You divided by the vector's length, too: return the mean itself, the search brings it to length 1."""
    mean = reference.mean_pool(hidden, mask)
    length = np.linalg.norm(mean, axis=1, keepdims=True)
    return mean / np.where(length > 0, length, 1)


def mean_pool_with_the_mask_the_wrong_way_round(hidden, mask):
    """You took the mean of the padding: True means that a real token stands there."""
    return reference.mean_pool(hidden, ~mask)


def mean_pool_with_nan(hidden, mask):
    """A sentence without any token got nan, which is 0/0: divide by max(number, 1), and it gets 0."""
    with np.errstate(invalid="ignore"):
        number = mask.sum(axis=1, keepdims=True).astype(hidden.dtype)
        return np.where(mask[..., None], hidden, 0).sum(axis=1) / number


def mean_pool_of_the_first_tokens(hidden, mask):
    """You took as many positions from the front as there are real tokens: the mask says where they stand, and it may
    have holes."""
    return reference.mean_pool(hidden, np.arange(mask.shape[1]) < mask.sum(axis=1, keepdims=True))


def mean_pool_over_the_whole_batch(hidden, mask):
    """You divided by the real tokens of the whole batch: each sentence has its own number of them, sum(axis=1)."""
    return np.where(mask[..., None], hidden, 0).sum(axis=1) / float(max(mask.sum(), 1))


def mean_pool_over_the_entries(hidden, mask):
    """Your mean runs over the entries of each token: it runs over the tokens, axis=1, and keeps the width."""
    return np.where(mask, hidden.mean(axis=2), 0)


# lora


def lora_with_alpha_alone(x, W, A, B, alpha):
    """You multiplied by alpha: it is alpha / r, with the rank r = A.shape[1]. Tests in which alpha is r do not see
    it."""
    return x @ W + alpha * (x @ A @ B)


def lora_without_the_scale(x, W, A, B, alpha):
    """alpha has no effect: the correction is multiplied by alpha / r."""
    return x @ W + x @ A @ B


def lora_divided_by_alpha(x, W, A, B, alpha):
    """You multiplied by r / alpha: it is alpha / r."""
    return x @ W + A.shape[1] / alpha * (x @ A @ B)


def lora_divided_by_the_root_of_r(x, W, A, B, alpha):
    """You divided alpha by the root of r, which is another method (rsLoRA): divide by r."""
    return x @ W + alpha / A.shape[1] ** 0.5 * (x @ A @ B)


def lora_divided_by_the_width(x, W, A, B, alpha):
    """You divided alpha by the number of rows of A: r is the number of its columns, A.shape[1]."""
    return x @ W + alpha / A.shape[0] * (x @ A @ B)


def lora_with_the_scale_twice(x, W, A, B, alpha):
    """alpha / r stands in both factors: it belongs there once."""
    return x @ W + (alpha / A.shape[1]) ** 2 * (x @ A @ B)


def lora_with_everything_scaled(x, W, A, B, alpha):
    """You scaled x W, too: only the correction is multiplied by alpha / r."""
    return alpha / A.shape[1] * (x @ W + x @ A @ B)


def lora_without_the_weights(x, W, A, B, alpha):
    """W is missing: the correction is added to what the frozen weights say."""
    return alpha / A.shape[1] * (x @ A @ B)


def lora_without_the_correction(x, W, A, B, alpha):
    """A and B have no effect: add (alpha / r) (x A) B."""
    return x @ W


def lora_with_an_activation(x, W, A, B, alpha):
    """There is a nonlinearity between A and B: without one the correction can be added to W when training is done."""
    return x @ W + alpha / A.shape[1] * (np.maximum(x @ A, 0) @ B)


def lora_divided_by_the_smaller_side(x, W, A, B, alpha):
    """You divided by the smaller side of A: r is the number of its columns, even where it has fewer rows."""
    return x @ W + alpha / min(A.shape) * (x @ A @ B)


def lora_with_the_digits_cut_off(x, W, A, B, alpha):
    """alpha // r has no digits behind the point: it is alpha / r."""
    return x @ W + alpha // A.shape[1] * (x @ A @ B)


def lora_that_subtracts(x, W, A, B, alpha):
    """You subtracted the correction: it is added."""
    return x @ W - alpha / A.shape[1] * (x @ A @ B)


# lora_backward


def _ways_back(d_output, x, W, A, B, alpha, of_x=1.0, of_pair=1.0):
    """The gradients with the correction's part of d_x, and d_A and d_B, multiplied by other numbers."""
    d_x, d_A, d_B = reference.lora_backward(d_output, x, W, A, B, alpha)
    through_W = d_output @ W.T
    return through_W + of_x * (d_x - through_W), of_pair * d_A, of_pair * d_B


def lora_backward_with_alpha_alone(d_output, x, W, A, B, alpha):
    """You multiplied by alpha: the way forward has alpha / r, and so have all three ways back."""
    return _ways_back(d_output, x, W, A, B, alpha, A.shape[1], A.shape[1])


def lora_backward_without_the_scale(d_output, x, W, A, B, alpha):
    """alpha has no effect: the way forward multiplies the correction by alpha / r, and so do all three ways back."""
    return _ways_back(d_output, x, W, A, B, alpha, A.shape[1] / alpha, A.shape[1] / alpha)


def lora_backward_without_the_scale_of_the_pair(d_output, x, W, A, B, alpha):
    """alpha / r is missing in d_A and d_B: each is a slope of the scaled correction."""
    return _ways_back(d_output, x, W, A, B, alpha, 1.0, A.shape[1] / alpha)


def lora_backward_with_half_the_scale(d_output, x, W, A, B, alpha):
    """You gave each of A and B the root of alpha / r: both slopes have all of it."""
    return _ways_back(d_output, x, W, A, B, alpha, 1.0, (A.shape[1] / alpha) ** 0.5)


def lora_backward_divided_by_the_smaller_side(d_output, x, W, A, B, alpha):
    """You divided by the smaller side of A: r is the number of its columns, even where it has fewer rows."""
    factor = A.shape[1] / min(A.shape)
    return _ways_back(d_output, x, W, A, B, alpha, factor, factor)


def lora_backward_divided_by_the_width(d_output, x, W, A, B, alpha):
    """You divided by the columns of B: r is the number of its rows, and of A's columns."""
    factor = A.shape[1] / B.shape[1]
    return _ways_back(d_output, x, W, A, B, alpha, factor, factor)


def lora_backward_without_the_weights(d_output, x, W, A, B, alpha):
    """d_x does not go through W: W is frozen, so it gets no gradient, but x gets one through it."""
    d_x, d_A, d_B = reference.lora_backward(d_output, x, W, A, B, alpha)
    return d_x - d_output @ W.T, d_A, d_B


def lora_backward_through_the_weights_alone(d_output, x, W, A, B, alpha):
    """d_x goes through W alone: x has a part in the correction, too."""
    _, d_A, d_B = reference.lora_backward(d_output, x, W, A, B, alpha)
    return d_output @ W.T, d_A, d_B


def lora_backward_with_the_mean(d_output, x, W, A, B, alpha):
    """You took means over the rows: the loss is a sum over them, and each adds its part to d_A and d_B."""
    return _ways_back(d_output, x, W, A, B, alpha, 1.0, 1 / x[..., 0].size)


def lora_backward_with_the_weights_too(d_output, x, W, A, B, alpha):
    """You returned a gradient of W as well: W is frozen, so there are three results, d_x, d_A and d_B."""
    d_x, d_A, d_B = reference.lora_backward(d_output, x, W, A, B, alpha)
    return d_x, x.reshape(-1, len(W)).T @ d_output.reshape(-1, W.shape[1]), d_A, d_B


def lora_backward_exchanged(d_output, x, W, A, B, alpha):
    """You returned d_B before d_A: it is d_x, d_A, d_B."""
    d_x, d_A, d_B = reference.lora_backward(d_output, x, W, A, B, alpha)
    return d_x, d_B, d_A


def lora_backward_transposed(d_output, x, W, A, B, alpha):
    """Your d_A and d_B lie on their sides: each has the shape of its matrix."""
    d_x, d_A, d_B = reference.lora_backward(d_output, x, W, A, B, alpha)
    return d_x, d_A.T, d_B.T


def lora_backward_of_the_last_sentence(d_output, x, W, A, B, alpha):
    """d_A and d_B are those of one sentence alone, the last: add up the parts of all rows."""
    last = (d_output, x) if x.ndim == 1 else (d_output[-1], x[-1])
    _, d_A, d_B = reference.lora_backward(*last, W, A, B, alpha)
    return reference.lora_backward(d_output, x, W, A, B, alpha)[0], d_A, d_B


MISTAKES = by_exercise(__name__, ["rms_norm", "rms_norm_backward", "swiglu", "grouped_attention", "mean_pool", "lora",
                                  "lora_backward"])
