"""Different right ways to write lab 16: a fair grader gives each of them full points."""

import math

import numpy as np

from tests.labs.float32 import in_float32

# merge_softmax


def _fitting(first, second):
    """Refuse what the lab says is refused."""
    axes = max(np.ndim(first[0]), np.ndim(second[0]))
    front = next(np.shape(m) for m in (first[0], second[0]) if np.ndim(m) == axes)
    wide = next((np.shape(o) for o in (first[2], second[2]) if np.ndim(o)), (1,))
    for piece in (first, second):
        if not any(map(np.ndim, piece)) and piece == (-np.inf, 0, 0):
            continue
        for array, shape in zip(piece, (front, front, (*front, wide[-1])), strict=True):
            if np.shape(array) != shape:
                raise ValueError(f"expected {shape}, got {np.shape(array)}")
            if np.isnan(array).any() or np.isposinf(array).any():
                raise ValueError("expected numbers, got nan or inf")


def merge_softmax_by_the_difference(m1, l1, o1, m2, l2, o2):
    _fitting((m1, l1, o1), (m2, l2, o2))
    with np.errstate(invalid="ignore"):
        gap = np.nan_to_num(np.subtract(m1, m2), nan=0.0, posinf=np.inf, neginf=-np.inf)
    one, two = np.exp(np.minimum(gap, 0)), np.exp(-np.maximum(gap, 0))
    wide = [np.expand_dims(each, -1) for each in (one, two)]
    return np.maximum(m1, m2), one * l1 + two * l2, wide[0] * o1 + wide[1] * o2


def merge_softmax_by_where(m1, l1, o1, m2, l2, o2):
    _fitting((m1, l1, o1), (m2, l2, o2))
    m = np.where(np.greater(m1, m2), m1, m2)
    first, second = (np.where(np.isneginf(each + 0 * l1 + 0 * l2), 0, np.exp(np.where(np.isneginf(m), 0, each - m)))
                     for each in (m1, m2))
    blend = first[..., np.newaxis] * o1 + second[..., np.newaxis] * o2
    return m, first * l1 + second * l2, blend


def merge_softmax_by_the_lowest_number(m1, l1, o1, m2, l2, o2):
    _fitting((m1, l1, o1), (m2, l2, o2))
    m = np.maximum(m1, m2)
    base = np.maximum(m, np.finfo(np.asarray(m).dtype).min)
    a, b = np.exp(m1 - base), np.exp(m2 - base)
    return [m, a * l1 + b * l2, (np.asarray(a)[..., None] * o1) + (np.asarray(b)[..., None] * o2)]


def merge_softmax_of_stacked_pieces(m1, l1, o1, m2, l2, o2):
    _fitting((m1, l1, o1), (m2, l2, o2))
    front = np.broadcast_shapes(np.shape(m1), np.shape(m2))
    e = max(np.shape(o1)[-1:], np.shape(o2)[-1:])
    m, l = (np.stack([np.broadcast_to(each, front) for each in pair]) for pair in ((m1, m2), (l1, l2)))
    o = np.stack([np.broadcast_to(each, front + e) for each in (o1, o2)])
    top = m.max(axis=0)
    scale = np.exp(m - np.where(np.isfinite(top), top, 0))
    return top, (scale * l).sum(axis=0), np.einsum("p...,p...e->...e", scale, o)


merge_softmax_in_float32 = in_float32(merge_softmax_by_the_lowest_number)

# tiled_attention


def _asked(Q, K, V, rows, columns, mask):
    """The mask in full. Refuses what the lab says is refused."""
    T, S = Q.shape[-2], K.shape[-2]
    if rows < 1 or columns < 1:
        raise ValueError(f"expected a tile, got {rows} × {columns}")
    if Q.shape[-1] != K.shape[-1] or V.shape[-2] != S or not Q.shape[:-2] == K.shape[:-2] == V.shape[:-2]:
        raise ValueError(f"expected shapes that fit, got {Q.shape}, {K.shape} and {V.shape}")
    if np.isnan(Q.sum() + K.sum() + V.sum()) or any(np.isinf(each).any() for each in (Q, K, V)):
        raise ValueError("expected numbers, got nan or inf")
    if mask is None:
        return np.ones((*Q.shape[:-2], T, S), bool)
    if mask.dtype != np.bool_:
        raise ValueError(f"expected a boolean mask, got {mask.dtype}")
    return np.broadcast_to(mask, (*Q.shape[:-2], T, S))


def tiled_attention_in_two_passes(Q, K, V, rows, columns, mask=None):
    """First the sum of each row, by tiles, then the blend."""
    seen, S = _asked(Q, K, V, rows, columns, mask), K.shape[-2]
    K_T, Q = np.swapaxes(K, -1, -2), Q / math.sqrt(Q.shape[-1])
    output, logsumexp = np.zeros((*Q.shape[:-1], V.shape[-1]), V.dtype), np.full(Q.shape[:-1], -np.inf, Q.dtype)
    for r in (slice(i, i + rows) for i in range(0, Q.shape[-2], rows)):
        tiles = [slice(j, j + columns) for j in range(0, S, columns)]

        def scores(c, r=r):
            return np.where(seen[..., r, c], Q[..., r, :] @ K_T[..., c], -np.inf)

        for c in tiles:
            logsumexp[..., r] = np.logaddexp(logsumexp[..., r], np.logaddexp.reduce(scores(c), axis=-1))
        base = np.where(np.isneginf(logsumexp[..., r]), 0, logsumexp[..., r])[..., None]
        for c in tiles:
            output[..., r, :] += np.exp(scores(c) - base) @ V[..., c, :]
    return output, logsumexp


def tiled_attention_with_the_keys_outside(Q, K, V, rows, columns, mask=None):
    """As in the paper of 2022: results are kept in slow memory, and read and written again for each tile."""
    seen, root = _asked(Q, K, V, rows, columns, mask), Q.shape[-1] ** 0.5
    m, l = np.full(Q.shape[:-1], -np.inf, Q.dtype), np.zeros(Q.shape[:-1], Q.dtype)
    o = np.zeros((*Q.shape[:-1], V.shape[-1]), V.dtype)
    for j in range(0, K.shape[-2], columns):
        k, v = K[..., j:j + columns, :], V[..., j:j + columns, :]
        for i in range(0, Q.shape[-2], rows):
            here = slice(i, i + rows)
            s = np.einsum("...id,...jd->...ij", Q[..., here, :], k) / root
            s[~seen[..., here, j:j + columns]] = -np.inf
            new = np.maximum(m[..., here], s.max(axis=-1))
            base = np.where(np.isneginf(new), 0, new)
            p, old = np.exp(s - base[..., None]), np.exp(m[..., here] - base)
            l[..., here] = old * l[..., here] + p.sum(axis=-1)
            o[..., here, :] = old[..., None] * o[..., here, :] + p @ v
            m[..., here] = new
    with np.errstate(divide="ignore"):
        return o / np.maximum(l, np.finfo(l.dtype).tiny)[..., None], m + np.log(l)


def tiled_attention_by_output_and_logsumexp(Q, K, V, rows, columns, mask=None):
    """Pieces that are divided already, merged by their logsumexp."""
    seen, parts = _asked(Q, K, V, rows, columns, mask), []
    for i in range(0, Q.shape[-2], rows):
        q = Q[..., i:i + rows, :] / Q.shape[-1] ** 0.5
        whole = np.zeros((*q.shape[:-1], V.shape[-1]), V.dtype)
        total = np.full(q.shape[:-1], -np.inf, Q.dtype)
        for j in range(0, K.shape[-2], columns):
            s = q @ np.swapaxes(K[..., j:j + columns, :], -1, -2)
            s = np.where(seen[..., i:i + rows, j:j + columns], s, -np.inf)
            own = np.logaddexp.reduce(s, axis=-1)
            both = np.logaddexp(total, own)
            base = np.where(np.isneginf(both), 0, both)
            whole = np.exp(total - base)[..., None] * whole + np.exp(s - base[..., None]) @ V[..., j:j + columns, :]
            total = both
        parts.append((whole, total))
    if not parts:
        return np.zeros((*Q.shape[:-1], V.shape[-1])), np.zeros(Q.shape[:-1])
    return np.concatenate([each for each, _ in parts], axis=-2), np.concatenate([each for _, each in parts], axis=-1)


def tiled_attention_query_by_query(Q, K, V, rows, columns, mask=None):
    seen = _asked(Q, K, V, rows, columns, mask)
    output, logsumexp = np.zeros((*Q.shape[:-1], V.shape[-1]), V.dtype), np.full(Q.shape[:-1], -np.inf, Q.dtype)
    for place in np.ndindex(Q.shape[:-1]):
        keys, values = K[place[:-1]][seen[place]], V[place[:-1]][seen[place]]
        if len(keys):
            s = keys @ Q[place] / Q.shape[-1] ** 0.5
            p = np.exp(s - s.max())
            output[place], logsumexp[place] = p @ values / p.sum(), s.max() + np.log(p.sum())
    return output, logsumexp


tiled_attention_in_float32 = in_float32(tiled_attention_with_the_keys_outside)

# words_moved


def words_moved_by_counting(N, d, rows, columns):
    if any(n < 1 for n in (N, d, rows, columns)):
        raise ValueError(f"expected numbers above 0, got {N}, {d}, {rows}, {columns}")
    moved = 0
    for i in range(0, N, rows):
        height = min(rows, N - i)
        moved += height * d  # queries
        moved += 2 * N * d   # keys and values
        moved += height * d + height
    return moved


def words_moved_by_ceil(N, d, rows, columns):
    if N <= 0 or d <= 0 or rows <= 0 or columns <= 0:
        raise ValueError("expected numbers above 0")
    return 2 * N * d * (1 + math.ceil(N / rows)) + N


def words_moved_by_a_remainder(N, d, rows, columns):
    if not (N > 0 and d > 0 and rows > 0 and columns > 0):
        raise ValueError("expected numbers above 0")
    blocks, rest = divmod(N, rows)
    return N * (1 + 2 * d * (blocks + bool(rest) + 1))


def words_moved_by_numpy(N, d, rows, columns):
    if np.min([N, d, rows, columns]) < 1:
        raise ValueError("expected numbers above 0")
    return np.int64(2 * N * d) * np.int64((N + rows - 1) // rows) + N * (2 * d + 1)


# window_mask


def _possible(T, S, window, past):
    if window < 1 or T < 0 or S < 0 or past < 0:
        raise ValueError(f"expected a window of at least 1, got {window}, {T}, {S}, {past}")


def window_mask_of_two_triangles(T, S, window, past=0):
    _possible(T, S, window, past)
    return np.tri(T, S, past, dtype=bool) & ~np.tri(T, S, past - window, dtype=bool)


def window_mask_by_loops(T, S, window, past=0):
    _possible(T, S, window, past)
    mask = np.zeros((T, S), dtype=bool)
    for i in range(T):
        for j in range(S):
            mask[i, j] = past + i - window < j <= past + i
    return mask


def window_mask_by_slices(T, S, window, past=0):
    _possible(T, S, window, past)
    mask = np.full((T, S), False)
    for i, row in enumerate(mask):
        row[max(0, past + i - window + 1):past + i + 1] = True
    return mask


def window_mask_by_outer(T, S, window, past=0):
    _possible(T, S, window, past)
    ahead = np.subtract.outer(np.arange(past, past + T), np.arange(S))
    return np.logical_and(ahead >= 0, ahead <= window - 1)


# rolling_write


def _fits(cache, new, index):
    if new.shape[-2] > cache.shape[-2]:
        raise ValueError(f"expected at most {cache.shape[-2]} tokens, got {new.shape[-2]}")
    if cache.shape[:-2] != new.shape[:-2] or cache.shape[-1] != new.shape[-1]:
        raise ValueError(f"expected shapes that fit, got {cache.shape} and {new.shape}")
    index = np.asarray(index)
    if not np.issubdtype(index.dtype, np.integer) or index.ndim and index.shape != cache.shape[:1]:
        raise ValueError(f"expected whole numbers, got {index}")
    return index


def rolling_write_token_by_token(cache, new, index):
    index, written = _fits(cache, new, index), np.array(cache)
    for t in range(new.shape[-2]):
        if index.ndim:
            for b, first in enumerate(index):
                written[b, ..., (first + t) % cache.shape[-2], :] = new[b, ..., t, :]
        else:
            written[..., int(index + t) % cache.shape[-2], :] = new[..., t, :]
    return written


def rolling_write_in_two_pieces(cache, new, index):
    index, S, T = _fits(cache, new, index), cache.shape[-2], new.shape[-2]
    if index.ndim:
        return np.stack([rolling_write_in_two_pieces(*each) for each in zip(cache, new, index, strict=True)])
    first, written = int(index) % S, cache.copy()
    fit = min(T, S - first)
    written[..., first:first + fit, :] = new[..., :fit, :]
    written[..., :T - fit, :] = new[..., fit:, :]
    return written


def rolling_write_by_rolling(cache, new, index):
    index, T = _fits(cache, new, index), new.shape[-2]
    if index.ndim == 0:
        turned = np.roll(cache, -int(index), axis=-2)
        return np.roll(np.concatenate([new, turned[..., T:, :]], axis=-2), int(index), axis=-2)
    return np.array([rolling_write_by_rolling(*each) for each in zip(cache, new, index, strict=True)])


def rolling_write_by_choosing(cache, new, index):
    index, S, T = _fits(cache, new, index), cache.shape[-2], new.shape[-2]
    age = (np.arange(S) - index[..., None]) % S  # which new token a slot would hold
    age = age.reshape(*index.shape, *(1,) * (cache.ndim - 2 - index.ndim), S, 1)
    if not T:
        return cache + 0
    chosen = np.take_along_axis(new, np.broadcast_to(np.minimum(age, T - 1), (*cache.shape[:-1], 1)), axis=-2)
    return np.where(age < T, chosen, cache)


rolling_write_in_float32 = in_float32(rolling_write_by_choosing)

# cache_bytes


def cache_bytes_by_product(layers, groups, d, tokens, size, window=None):
    if window is not None:
        if window < 1:
            raise ValueError("expected a window")
        tokens = window if window < tokens else tokens
    if tokens < 0 or not all(n > 0 for n in (layers, groups, d, size)):
        raise ValueError("expected numbers above 0")
    return math.prod([2, layers, groups, d, tokens, size])


def cache_bytes_by_adding(layers, groups, d, tokens, size, window=None):
    if min(layers, groups, d, size) < 1 or tokens < 0 or (window or 1) < 1 or window == 0:
        raise ValueError("expected numbers above 0")
    keys = values = d * size * groups * (tokens if window is None else min(window, tokens))
    return layers * (keys + values)


def cache_bytes_by_numpy(layers, groups, d, tokens, size, window=None):
    limit = np.inf if window is None else window
    if (np.array([layers, groups, d, size, limit]) < 1).any() or tokens < 0:
        raise ValueError("expected numbers above 0")
    return int(np.minimum(tokens, limit)) * 2 * layers * groups * d * size


def cache_bytes_of_one_token(layers, groups, d, tokens, size, window=None):
    kept = sorted([tokens, tokens if window is None else window])[0]
    if kept < 0 or window is not None and window <= 0 or layers <= 0 or groups <= 0 or d <= 0 or size <= 0:
        raise ValueError("expected numbers above 0")
    return kept * (2 * layers * groups * d * size)


TRIVIAL = {
    "the second piece": lambda *args: args[3:6],
    "the values": lambda *args: (args[2 % len(args)], np.zeros(np.shape(args[0])[:-1])),
    "all may be seen": lambda *args: np.ones(args[:2], bool) if all(isinstance(n, int) for n in args[:2]) else 1,
    "the new tokens": lambda *args: args[1 % len(args)],
    "the product": lambda *args: math.prod(n for n in args if isinstance(n, int)),
}

MAKES_FLOAT64 = {"merge_softmax"}  # the m and l of a single row are numbers of Python
WITHOUT_ARRAYS = {"words_moved", "window_mask", "cache_bytes"}  # given numbers alone
