"""Attention in tiles, windows, and what a cache costs: the reference solutions of lab 16.

    online softmax      (Milakov & Gimelshein 2018), merged from pieces (Rabe & Staats 2021)
    tiles, words moved  (Dao et al. 2022), with the queries in the outer loop (Dao 2023)
    the rolling cache   (Jiang et al. 2023)

T queries, S keys, d and e the widths of a key and of a value, N queries and as many keys; m, l and o are what is kept
of one row of a softmax. `...` stands for any axes in front, none included. A mask is boolean, True = may look.

The solved notebook is built from the bodies of these functions, so each stands on what the notebook has: `np`,
`expect`, and the exercises before it.
"""

import numpy as np

from coursekit.shapes import expect


def merge_softmax(m1, l1, o1, m2, l2, o2):
    """Put two pieces of a softmax together, each computed from some of the keys alone.

    m (...), the largest score of a piece; l (...), the sum of exp(score - m); o (..., e), the sum of exp(score - m)
    times the value, not divided by l. A piece without any key is -inf, 0, 0, as arrays or as three plain numbers.
    Returns m, l, o of the keys of both. Raises ValueError for nan or inf, and when a shape does not fit.
    """
    given = {"m1": m1, "l1": l1, "o1": o1, "m2": m2, "l2": l2, "o2": o2}
    letters = " ".join("ABCDEFGH"[: max(np.ndim(m1), np.ndim(m2))])  # of the axes in front
    axes = {"m": letters, "l": letters, "o": f"{letters} e"}
    none = {n: np.all(np.isneginf(m)) and not np.any(l) and not np.any(o)  # a piece of no key: plain numbers do
            for n, m, l, o in (("1", m1, l1, o1), ("2", m2, l2, o2))}
    expect(**{name: (np.asarray(array), axes[name[0]]) for name, array in given.items()
              if np.ndim(array) or not none[name[1]]})
    if not all(np.all(array < np.inf) for array in given.values()):
        raise ValueError("expected numbers below inf, got inf or nan")
    m = np.maximum(m1, m2)
    base = np.where(m > -np.inf, m, 0)  # (-inf) - (-inf) is nan
    of_first, of_second = np.exp(m1 - base), np.exp(m2 - base)
    o = of_first[..., None] * o1 + of_second[..., None] * o2
    return m, of_first * l1 + of_second * l2, o


def tiled_attention(Q, K, V, rows, columns, mask=None):
    """Attention by tiles of rows × columns scores, none of which outlives its tile.

    Q (..., T, d), K (..., S, d), V (..., S, e), the same axes in front; mask boolean, True = may look, broadcast to
    (..., T, S), or None. Scores are divided by the root of d. The last tiles of a row or column may be smaller.
    Returns output (..., T, e) and logsumexp (..., T), the ln of the sum of exp(score) over the keys that a query sees:
    0 and -inf where it sees none. Raises ValueError for tiles without a row or column, a mask that is not boolean, nan
    or inf in Q, K or V, and when a shape does not fit.
    """
    letters = " ".join("ABCDEFGH"[: Q.ndim - 2])  # of the axes in front
    sizes = expect(Q=(Q, f"{letters} T d"), K=(K, f"{letters} S d"), V=(V, f"{letters} S e"))
    front, T, S = Q.shape[:-2], sizes["T"], sizes["S"]
    if min(rows, columns) < 1:
        raise ValueError(f"expected tiles of at least one row and one column, got {rows} and {columns}")
    if mask is not None and mask.dtype != bool:
        raise ValueError(f"mask: expected bool, True = may look, got {mask.dtype}")
    if not all(np.isfinite(array).all() for array in (Q, K, V)):
        raise ValueError("expected finite numbers in Q, K and V, got nan or inf")
    visible = None if mask is None else np.broadcast_to(mask, (*front, T, S))
    output = np.zeros((*front, T, sizes["e"]), V.dtype)
    logsumexp = np.full((*front, T), -np.inf, Q.dtype)
    for i in range(0, T, rows):
        q = Q[..., i : i + rows, :] / sizes["d"] ** 0.5
        m, l, o = -np.inf, 0.0, 0.0  # as yet of no key
        for j in range(0, S, columns):
            scores = q @ np.swapaxes(K[..., j : j + columns, :], -1, -2)  # (..., rows, columns)
            if visible is not None:
                scores = np.where(visible[..., i : i + rows, j : j + columns], scores, -np.inf)
            highest = np.max(scores, axis=-1)
            powers = np.exp(scores - np.where(highest > -np.inf, highest, 0)[..., None])
            tile = highest, powers.sum(axis=-1), powers @ V[..., j : j + columns, :]
            m, l, o = merge_softmax(m, l, o, *tile)
        total = np.where(l > 0, l, 1)
        output[..., i : i + rows, :] = o / total[..., None]
        logsumexp[..., i : i + rows] = m + np.log(total)
    return output, logsumexp


def tiled_attention_backward(d_output, Q, K, V, output, logsumexp, rows, columns, mask=None):
    """The way back through `tiled_attention`, from its results alone: weights are made anew, tile by tile.

    d_output (..., T, e), the rest as it went in and came out. Returns d_Q, d_K and d_V, each of its array's shape.
    """
    T, S, root = Q.shape[-2], K.shape[-2], Q.shape[-1] ** 0.5
    visible = np.broadcast_to(True if mask is None else mask, (*Q.shape[:-1], S))
    base = np.where(logsumexp > -np.inf, logsumexp, 0)[..., None]
    D = (d_output * output).sum(axis=-1, keepdims=True)  # (..., T, 1), the mean of d_weights by the weights
    d_Q, d_K, d_V = np.zeros_like(Q), np.zeros_like(K), np.zeros_like(V)
    for i in range(0, T, rows):
        q, d_o = Q[..., i : i + rows, :] / root, d_output[..., i : i + rows, :]
        for j in range(0, S, columns):
            k, v = K[..., j : j + columns, :], V[..., j : j + columns, :]
            seen = visible[..., i : i + rows, j : j + columns]
            scores = np.where(seen, q @ np.swapaxes(k, -1, -2), -np.inf)
            weights = np.exp(scores - base[..., i : i + rows, :])
            d_scores = weights * (d_o @ np.swapaxes(v, -1, -2) - D[..., i : i + rows, :])
            d_Q[..., i : i + rows, :] += d_scores @ k / root
            d_K[..., j : j + columns, :] += np.swapaxes(d_scores, -1, -2) @ q
            d_V[..., j : j + columns, :] += np.swapaxes(weights, -1, -2) @ d_o
    return d_Q, d_K, d_V


def words_moved(N, d, rows, columns):
    """Count the numbers that `tiled_attention` moves between slow and fast memory, N queries and N keys of width d.

    For each block of rows queries are read once, then all keys and values, tile by tile; output and logsumexp are
    written. Returns a whole number. Raises ValueError for a number below 1.
    """
    if min(N, d, rows, columns) < 1:
        raise ValueError(f"expected numbers of at least 1, got {N}, {d}, {rows} and {columns}")
    blocks = -(-N // rows)  # rounded up: the last one may be smaller
    return N * d + blocks * 2 * N * d + N * d + N


def window_mask(T, S, window, past=0):
    """Let each of T queries look at itself and at the window - 1 positions before it.

    Query i stands at position past + i. Returns a boolean mask (T, S), True = may look. Raises ValueError for a window
    below 1, and for other numbers below 0.
    """
    if window < 1 or min(T, S, past) < 0:
        raise ValueError(f"expected a window of at least 1, and T, S and past of at least 0, got {window}, {T}, {S} "
                         f"and {past}")
    behind = past + np.arange(T)[:, None] - np.arange(S)  # (T, S), how far a key stands behind a query
    return (behind >= 0) & (behind < window)


def rolling_write(cache, new, index):
    """Write T new tokens into a cache of S slots, the token of position p into slot p modulo S.

    cache (..., S, d), new (..., T, d), the same axes in front; index the position of the first new token: a whole
    number, or one for each entry of the first axis in front, (B,).
    Returns another cache (..., S, d). Raises ValueError for more new tokens than slots, an index that is no whole
    number, and when a shape does not fit.
    """
    letters = " ".join("ABCDEFGH"[: cache.ndim - 2])
    sizes = expect(cache=(cache, f"{letters} S d"), new=(new, f"{letters} T d"))
    first, T, S = np.asarray(index), sizes["T"], sizes["S"]
    if T > S:
        raise ValueError(f"new: expected at most S = {S} tokens, got {T}")
    if first.dtype.kind not in "iu" or first.shape not in ((), cache.shape[:-2][:1]):
        raise ValueError(f"index: expected a whole number, or one for each entry of the first axis, got {index}")
    slots = (first.reshape(-1, *(1,) * (cache.ndim - 1)) + np.arange(T)[:, None]) % S
    written = cache.copy()
    np.put_along_axis(written, slots, new, axis=-2)
    return written


def cache_bytes(layers, groups, d, tokens, size, window=None):
    """How many bytes keys and values of so many tokens take: of each layer and group a key and a value of width d.

    size    bytes of one number: 2 in 16 bits
    window  keep at most so many tokens; None keeps all
    Returns a whole number. Raises ValueError for a number of tokens below 0, and for any other number below 1.
    """
    if min(layers, groups, d, size, tokens + 1, 1 if window is None else window) < 1:
        raise ValueError(f"expected tokens of at least 0 and other numbers of at least 1, got {layers}, {groups}, {d}, "
                         f"{tokens}, {size} and {window}")
    kept = tokens if window is None else min(tokens, window)
    return 2 * layers * groups * d * kept * size
