"""Different right ways to write lab 07: a fair grader gives each of them full points."""

import math

import numpy as np

from tests.labs.float32 import in_float32

# sinusoids


def sinusoids_by_filling_columns(positions, d_model):
    if d_model % 2 != 0:
        raise ValueError(f"expected an even d_model, got {d_model}")
    positions = np.array(positions)
    encoded = np.zeros((*positions.shape, d_model))
    for r in range(d_model // 2):
        encoded[..., 2 * r] = np.sin(positions / 10000 ** (2 * r / d_model))
        encoded[..., 2 * r + 1] = np.cos(positions / 10000 ** (2 * r / d_model))
    return encoded


def sinusoids_by_complex_numbers(positions, d_model):
    if d_model & 1:
        raise ValueError(f"d_model: expected even, got {d_model}")
    turns = np.exp(1j * np.multiply.outer(np.asarray(positions), 10000 ** -np.linspace(0, 1, d_model // 2 + 1)[:-1]))
    return np.stack([turns.imag, turns.real], -1).reshape(*turns.shape[:-1], d_model)


def sinusoids_by_a_phase(positions, d_model):
    pairs, rest = divmod(d_model, 2)
    if rest:
        raise ValueError(f"an even number was expected, not {d_model}")
    rates = np.exp(-math.log(10000.0) * np.repeat(np.arange(pairs), 2) * 2 / d_model)
    return np.sin(np.expand_dims(positions, -1) * rates + np.tile([0, np.pi / 2], pairs))


class WidthError(ValueError):
    """A student's own kind of ValueError."""


def sinusoids_with_an_error_of_its_own(positions, d_model):
    if d_model // 2 * 2 != d_model:
        raise WidthError(f"no partner for the last of {d_model} entries")
    encoded = np.empty((*np.shape(positions), d_model))
    for r in range(d_model // 2):
        angle = np.asarray(positions) / 10000 ** (2 * r / d_model)
        encoded[..., 2 * r], encoded[..., 2 * r + 1] = np.sin(angle), np.cos(angle)
    return encoded.tolist()


# rotate


def rotate_by_complex_numbers(x, positions):
    d = x.shape[-1]
    turn = np.exp(1j * np.multiply(np.asarray(positions)[..., None], 10000.0 ** (-2 * np.arange(d // 2) / d)))
    turned = (x[..., ::2] + 1j * x[..., 1::2]) * turn
    return np.stack((turned.real, turned.imag), axis=-1).reshape(x.shape).astype(x.dtype)


def rotate_by_matrices(x, positions):
    d = x.shape[-1]
    places = np.broadcast_to(positions, x.shape[:-1])
    turned = np.empty_like(x)
    for r in range(d // 2):
        angle = places / 10000 ** (2 * r / d)
        turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
        turned[..., 2 * r : 2 * r + 2] = np.einsum("...i,ij...->...j", x[..., 2 * r : 2 * r + 2], turn)
    return turned


def rotate_by_a_swapped_copy(x, positions):
    d = x.shape[-1]
    angles = np.repeat(np.asarray(positions)[..., None] / 10000 ** (np.arange(0, d, 2) / d), 2, axis=-1)
    swapped = np.stack([-x[..., 1::2], x[..., 0::2]], axis=-1).reshape(x.shape)
    return x * np.cos(angles).astype(x.dtype) + swapped * np.sin(angles).astype(x.dtype)


def rotate_in_a_copy(x, positions):
    d, turned = x.shape[-1], x.copy()
    angles = np.asarray(positions, dtype=float)[..., None] * 10000 ** (-np.arange(0, d, 2) / d)
    turned[..., 0::2] = x[..., 0::2] * np.cos(angles) - x[..., 1::2] * np.sin(angles)
    turned[..., 1::2] = x[..., 0::2] * np.sin(angles) + x[..., 1::2] * np.cos(angles)
    return turned


# rotate_backward


def rotate_backward_by_the_other_angle(d_rotated, positions):
    return rotate_in_a_copy(d_rotated, np.negative(positions))


def rotate_backward_by_the_conjugate(d_rotated, positions):
    d = d_rotated.shape[-1]
    turn = np.exp(-1j * np.asarray(positions)[..., None] * 10000.0 ** (-2 * np.arange(d // 2) / d))
    back = (d_rotated[..., ::2] + 1j * d_rotated[..., 1::2]) * turn
    return np.stack((back.real, back.imag), axis=-1).reshape(d_rotated.shape).astype(d_rotated.dtype)


def rotate_backward_from_the_formula(d_rotated, positions):
    d = d_rotated.shape[-1]
    angles = np.asarray(positions)[..., np.newaxis] / 10000 ** (np.arange(0, d, 2) / d)
    cos, sin, d_x = np.cos(angles), np.sin(angles), np.zeros_like(d_rotated)
    d_x[..., 0::2] = d_rotated[..., 0::2] * cos + d_rotated[..., 1::2] * sin
    d_x[..., 1::2] = d_rotated[..., 1::2] * cos - d_rotated[..., 0::2] * sin
    return d_x


def rotate_backward_by_a_swapped_copy(d_rotated, positions):
    return rotate_by_a_swapped_copy(d_rotated, -1 * positions)


# rotary_scores


def rotary_scores_by_einsum(Q, K, past=0):
    T, S, d = Q.shape[-2], K.shape[-2], Q.shape[-1]
    q, k = rotate_in_a_copy(Q, np.arange(past, past + T)), rotate_in_a_copy(K, np.arange(S))
    return np.einsum("...td,...sd->...ts", q, k) / d**0.5


def rotary_scores_by_turning_only_the_distance(Q, K, past=0):
    T, S, d = Q.shape[-2], K.shape[-2], Q.shape[-1]
    columns = [rotate_by_matrices(Q, past + np.arange(T) - j) @ K[..., j, :, None] for j in range(S)]
    return np.concatenate(columns, axis=-1) / math.sqrt(d)


def rotary_scores_scaled_first(Q, K, past=0):
    places = np.arange(max(past + Q.shape[-2], K.shape[-2]))
    q = rotate_by_a_swapped_copy(Q * Q.shape[-1] ** -0.5, places[past : past + Q.shape[-2]])
    return np.matmul(q, np.swapaxes(rotate_by_a_swapped_copy(K, places[: K.shape[-2]]), -1, -2))


def rotary_scores_by_complex_numbers(Q, K, past=0):
    d = Q.shape[-1]
    rates = 10000.0 ** (-np.arange(0, d, 2) / d)
    q = (Q[..., ::2] + 1j * Q[..., 1::2]) * np.exp(1j * (past + np.arange(Q.shape[-2]))[:, None] * rates)
    k = (K[..., ::2] + 1j * K[..., 1::2]) * np.exp(1j * np.arange(K.shape[-2])[:, None] * rates)
    return ((q @ np.conj(k).swapaxes(-1, -2)).real / math.sqrt(d)).astype(Q.dtype)


# to_half_split


def to_half_split_by_index(W, heads):
    d = W.shape[1] // heads
    order = [h * d + r for h in range(heads) for r in [*range(0, d, 2), *range(1, d, 2)]]
    return W[:, order]


def to_half_split_head_by_head(W, heads):
    parts = np.split(W, heads, axis=1)
    return np.hstack([np.hstack([part[:, ::2], part[:, 1::2]]) for part in parts])


def to_half_split_by_slices(W, heads):
    columns = W.reshape(W.shape[0], heads, -1)
    return np.concatenate([columns[:, :, 0::2], columns[:, :, 1::2]], axis=2).reshape(W.shape)


def to_half_split_by_a_matrix(W, heads):
    d = W.shape[1] // heads
    return W @ np.kron(np.eye(heads), np.eye(d)[:, np.r_[0:d:2, 1:d:2]])


# alibi_slopes


def alibi_slopes_by_recursion(heads):
    if heads & (heads - 1) == 0:
        ratio = 2 ** (-8 / heads)
        return np.array([ratio ** (k + 1) for k in range(heads)])
    below = 1 << (heads.bit_length() - 1)
    above = alibi_slopes_by_recursion(2 * below)
    return np.concatenate([alibi_slopes_by_recursion(below), above[::2][: heads - below]])


def alibi_slopes_as_a_list(heads):
    n = 2 ** math.floor(math.log2(heads))
    return [2 ** (-8 * k / n) for k in range(1, n + 1)] + [2 ** (-4 * (2 * k + 1) / n) for k in range(heads - n)]


def alibi_slopes_by_a_product(heads):
    n = 1
    while 2 * n <= heads:
        n *= 2
    slopes = np.cumprod(np.full(n, 0.5 ** (8 / n)))
    return np.append(slopes, np.cumprod(np.full(2 * n, 0.5 ** (4 / n)))[0 : 2 * (heads - n) : 2])


# alibi_bias


def alibi_bias_by_a_loop(slopes, T, S, past=0):
    bias = np.zeros((len(slopes), T, S))
    for h, slope in enumerate(slopes):
        for i in range(T):
            for j in range(min(S, past + i + 1)):
                bias[h, i, j] = -slope * (past + i - j)
    return bias


def alibi_bias_by_where(slopes, T, S, past=0):
    i, j = np.ogrid[past : past + T, :S]
    return np.where(j <= i, (j - i) * slopes.reshape(-1, 1, 1), 0.0)


def alibi_bias_by_a_triangle(slopes, T, S, past=0):
    distance = past + np.arange(T)[:, None] - np.arange(S)
    return -np.tril(np.multiply.outer(slopes, distance), k=past)


def alibi_bias_by_einsum(slopes, T, S, past=0):
    distance = np.clip(np.subtract.outer(np.arange(past, past + T), np.arange(S)), 0, None)
    return np.einsum("h,ts->hts", -slopes, distance)


sinusoids_in_float32 = in_float32(sinusoids_by_filling_columns)
alibi_slopes_in_float32 = in_float32(alibi_slopes_by_a_product)
alibi_bias_in_float32 = in_float32(alibi_bias_by_where)

TRIVIAL = {
    "zero scores": lambda q, k=None, *_: np.zeros((*np.shape(q)[:-1], np.shape(k)[-2] if np.ndim(k) > 1 else 1)),
    "no bias": lambda slopes, T=1, S=1, past=0: np.zeros((np.size(slopes), *map(np.size, (T, S)))),
    "ones for each head": lambda heads, *_: np.ones(np.size(heads)),
}

WITHOUT_ARRAYS = {"alibi_slopes"}  # given numbers alone
MAKES_FLOAT64 = {"alibi_bias", "alibi_slopes", "sinusoids"}  # float64, whatever it is given
