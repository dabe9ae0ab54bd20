"""Plausible wrong answers to lab 16. A docstring is the sentence that a student reads whose answer behaves like it.

The tests prove that the hidden checks reject each of them; the marking room names the one that an answer behaves like.
"""

import math

import numpy as np

from solutions.exercises import by_exercise
from solutions.lab16_tiles_and_windows import reference

MANY = 10**6  # times as many rows or columns are all there are

# merge_softmax


def _factors(m1, m2):
    """What each piece is multiplied by."""
    m = np.maximum(m1, m2)
    base = np.where(np.isneginf(m), 0, m)
    return m, np.exp(m1 - base), np.exp(m2 - base)


def merge_softmax_with_nan(m1, l1, o1, m2, l2, o2):
    """Two pieces of no key make nan, since -inf - (-inf) is nan: where the larger m is -inf, subtract 0 instead."""
    m = np.maximum(m1, m2)
    with np.errstate(invalid="ignore"):
        first, second = np.exp(m1 - m), np.exp(m2 - m)
    return m, first * l1 + second * l2, first[..., None] * o1 + second[..., None] * o2


def merge_softmax_without_rescaling(m1, l1, o1, m2, l2, o2):
    """You added l and o as they are: each piece was computed with its own m, so multiply its l and o by exp(its m - m)
    first."""
    m, first, _ = _factors(m1, m2)
    return m, l1 + l2 + 0 * first, o1 + o2 + 0 * first[..., None]


def merge_softmax_with_o_not_rescaled(m1, l1, o1, m2, l2, o2):
    """You rescaled l and added o as it is: o was computed with the same m as l, and needs the same factor."""
    m, l, _ = reference.merge_softmax(m1, l1, o1, m2, l2, o2)
    return m, l, o1 + o2 + 0 * l[..., None]


def merge_softmax_with_l_not_rescaled(m1, l1, o1, m2, l2, o2):
    """You rescaled o and added l as it is: l was computed with the same m as o, and needs the same factor."""
    m, l, o = reference.merge_softmax(m1, l1, o1, m2, l2, o2)
    return m, l1 + l2 + 0 * l, o


def merge_softmax_with_only_the_first_rescaled(m1, l1, o1, m2, l2, o2):
    """You rescaled the first piece alone: where the first has the larger m, it is the second that shrinks."""
    m, first, _ = _factors(m1, m2)
    return m, first * l1 + l2, first[..., None] * o1 + o2


def merge_softmax_with_only_the_second_rescaled(m1, l1, o1, m2, l2, o2):
    """You rescaled the second piece alone: where the second has the larger m, it is the first that shrinks."""
    m, _, second = _factors(m1, m2)
    return m, l1 + second * l2, o1 + second[..., None] * o2


def merge_softmax_to_the_second_maximum(m1, l1, o1, m2, l2, o2):
    """You took the second piece's m for both: it is the larger of the two, row by row."""
    base = np.where(np.isneginf(m2), 0, m2)
    with np.errstate(over="ignore", invalid="ignore"):
        first = np.exp(m1 - base)
        return m2 + 0.0 * l1, first * l1 + l2, first[..., None] * o1 + o2


def merge_softmax_by_the_smaller_maximum(m1, l1, o1, m2, l2, o2):
    """You took the smaller m: take the larger, so that no factor is above 1."""
    m = np.minimum(m1, m2)
    base = np.where(np.isneginf(m), 0, m)
    with np.errstate(over="ignore", invalid="ignore"):
        first, second = np.exp(m1 - base), np.exp(m2 - base)
        return m, first * l1 + second * l2, first[..., None] * o1 + second[..., None] * o2


def merge_softmax_the_wrong_way_round(m1, l1, o1, m2, l2, o2):
    """Your factors are exchanged: the first piece gets exp(m1 - m), the second exp(m2 - m)."""
    m, first, second = _factors(m1, m2)
    return m, second * l1 + first * l2, second[..., None] * o1 + first[..., None] * o2


def merge_softmax_with_the_sign_wrong(m1, l1, o1, m2, l2, o2):
    """The sign in your factors is wrong: exp(m1 - m) is at most 1, and yours is at least 1."""
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        m, first, second = _factors(m1, m2)
        first, second = 1 / first, 1 / second
        return m, first * l1 + second * l2, first[..., None] * o1 + second[..., None] * o2


def merge_softmax_divided_by_l(m1, l1, o1, m2, l2, o2):
    """You divided o by l: it stays a sum until all pieces are merged, and is divided once, at the end."""
    m, l, o = reference.merge_softmax(m1, l1, o1, m2, l2, o2)
    return m, l, o / np.where(l > 0, l, 1)[..., None]


def merge_softmax_of_means(m1, l1, o1, m2, l2, o2):
    """You took the o of each piece for a mean, and multiplied it by l: o is a sum already."""
    m, first, second = _factors(m1, m2)
    first, second = first * l1, second * l2
    return m, first + second, first[..., None] * o1 + second[..., None] * o2


def merge_softmax_without_a_maximum(m1, l1, o1, m2, l2, o2):
    """You went back to exp(score), which overflows at 710: rescale by exp(m1 - m) and exp(m2 - m), which are at most
    1."""
    with np.errstate(all="ignore"):
        first, second, m = np.exp(m1), np.exp(m2), np.maximum(m1, m2)
        l, o = first * l1 + second * l2, first[..., None] * o1 + second[..., None] * o2
        return m, l / np.exp(m), o / np.exp(m)[..., None]


def merge_softmax_with_a_large_number(m1, l1, o1, m2, l2, o2):
    """Where there is no key you return another number than -inf: m of no key is -inf, so that whatever comes next is
    larger."""
    m, l, o = reference.merge_softmax(m1, l1, o1, m2, l2, o2)
    return np.maximum(m, -1e9), l, o


# tiled_attention


def _blocks(Q, K, V, rows, columns, mask):
    """((place of rows, their queries), [(scores, -inf where hidden, values) of each tile]) for each block of rows."""
    T, S, root = Q.shape[-2], K.shape[-2], Q.shape[-1] ** 0.5
    seen = np.broadcast_to(True if mask is None else mask, (*Q.shape[:-1], S))
    for i in range(0, T, rows):
        here = slice(i, i + rows)
        yield here, [(np.where(seen[..., here, j:j + columns], Q[..., here, :] @ np.swapaxes(
            K[..., j:j + columns, :], -1, -2) / root, -np.inf), V[..., j:j + columns, :]) for j in range(0, S, columns)]


def _piece(scores, values, axes=-1):
    """m, l and o of a tile; its maximum is that of each row, or over more axes."""
    m = np.broadcast_to(scores.max(axis=axes, keepdims=True)[..., 0], scores.shape[:-1])
    powers = np.exp(scores - np.where(np.isneginf(m), 0, m)[..., None])
    return m, powers.sum(axis=-1), powers @ values


def _empty(Q, V):
    return np.zeros((*Q.shape[:-1], V.shape[-1]), V.dtype), np.full(Q.shape[:-1], -np.inf, Q.dtype)


def _with_another_merge(merge, Q, K, V, rows, columns, mask, piece=_piece, m_of_none=-np.inf):
    """Tiled attention whose tiles are made by `piece` and put together by `merge`."""
    output, logsumexp = _empty(Q, V)
    with np.errstate(all="ignore"):
        for here, tiles in _blocks(Q, K, V, rows, columns, mask):
            front = Q[..., here, 0]
            m, l, o = np.full_like(front, m_of_none), np.zeros_like(front), 0 * output[..., here, :]
            for tile in tiles:
                m, l, o = merge(m, l, o, *piece(*tile))
            output[..., here, :] = o / np.where(l == 0, 1, l)[..., None]
            logsumexp[..., here] = m + np.log(np.where(l == 0, 1, l))
    return output, logsumexp


def tiled_attention_with_the_accumulator_not_rescaled(Q, K, V, rows, columns, mask=None):
    """When a larger score comes, your o keeps what was computed with the smaller m: multiply it by exp(old m - new m),
    as you do with l."""
    return _with_another_merge(merge_softmax_with_o_not_rescaled, Q, K, V, rows, columns, mask)


def tiled_attention_with_the_sum_not_rescaled(Q, K, V, rows, columns, mask=None):
    """When a larger score comes, your l keeps what was computed with the smaller m: multiply it by exp(old m - new m),
    as you do with o."""
    return _with_another_merge(merge_softmax_with_l_not_rescaled, Q, K, V, rows, columns, mask)


def tiled_attention_with_nothing_rescaled(Q, K, V, rows, columns, mask=None):
    """Each tile has an m of its own, and you added what belongs to different ones: merge_softmax does it right."""
    return _with_another_merge(merge_softmax_without_rescaling, Q, K, V, rows, columns, mask)


def tiled_attention_with_the_last_maximum(Q, K, V, rows, columns, mask=None):
    """You used the maximum of the last tile alone: keep the largest of all tiles so far."""
    return _with_another_merge(merge_softmax_to_the_second_maximum, Q, K, V, rows, columns, mask)


def tiled_attention_with_one_maximum_for_a_tile(Q, K, V, rows, columns, mask=None):
    """You took one maximum for a whole tile, or for all rows of a batch: each row has an m of its own, else the
    exponentials of rows far below it all vanish."""
    merge, every = reference.merge_softmax, lambda scores, values: _piece(scores, values, (*range(scores.ndim),))
    return _with_another_merge(merge, Q, K, V, rows, columns, mask, every)


def tiled_attention_begun_with_zero(Q, K, V, rows, columns, mask=None):
    """You begin with m = 0: of no key m is -inf, else all exponentials of scores far below 0 vanish."""
    return _with_another_merge(reference.merge_softmax, Q, K, V, rows, columns, mask, m_of_none=0)


def tiled_attention_divided_in_the_loop(Q, K, V, rows, columns, mask=None):
    """You divided by l within the loop over tiles: o is then no sum any more when the next tile comes. Divide once,
    behind the loop."""
    return _with_another_merge(merge_softmax_divided_by_l, Q, K, V, rows, columns, mask)


def tiled_attention_with_the_last_tile_alone(Q, K, V, rows, columns, mask=None):
    """What a tile found is overwritten by the next one: merge it with what the tiles before it found."""
    return _with_another_merge(lambda m, l, o, *tile: tile, Q, K, V, rows, columns, mask)


def tiled_attention_with_the_mean_of_tiles(Q, K, V, rows, columns, mask=None):
    """You took the mean of what the tiles give, each with a softmax of its own: a tile counts by its sum of
    exponentials."""
    output, logsumexp = reference.tiled_attention(Q, K, V, rows, columns, mask)
    means = np.zeros_like(output)
    for here, tiles in _blocks(Q, K, V, rows, columns, mask):
        for tile in tiles:
            _, l, o = _piece(*tile)
            means[..., here, :] += o / np.where(l > 0, l, 1)[..., None] / len(tiles)
    return means, logsumexp


def tiled_attention_without_the_division(Q, K, V, rows, columns, mask=None):
    """You did not divide by l at the end: o is a sum that is l times too large."""
    output, logsumexp = np.copy(_empty(Q, V)[0]), reference.tiled_attention(Q, K, V, rows, columns, mask)[1]
    for here, tiles in _blocks(Q, K, V, rows, columns, mask):
        m, l, o = -np.inf, 0.0, 0.0
        for tile in tiles:
            m, l, o = reference.merge_softmax(m, l, o, *_piece(*tile))
        output[..., here, :] = o
    return output, logsumexp


def tiled_attention_without_the_last_columns(Q, K, V, rows, columns, mask=None):
    """Your loop ends before a last tile that is narrower than the others: range(0, S, columns) goes on to the end, and
    a slice stops there by itself."""
    S = K.shape[-2] // columns * columns
    seen = np.broadcast_to(True if mask is None else mask, (*Q.shape[:-1], K.shape[-2]))
    return reference.tiled_attention(Q, K[..., :S, :], V[..., :S, :], rows, columns, seen[..., :S])


def tiled_attention_without_the_last_rows(Q, K, V, rows, columns, mask=None):
    """Your loop ends before a last block of fewer rows: range(0, T, rows) goes on to the end."""
    output, logsumexp = reference.tiled_attention(Q, K, V, rows, columns, mask)
    T = Q.shape[-2] // rows * rows
    output[..., T:, :], logsumexp[..., T:] = 0, -np.inf
    return output, logsumexp


def tiled_attention_with_nan(Q, K, V, rows, columns, mask=None):
    """A tile in which everything is hidden makes nan, since -inf - (-inf) is nan: where its largest score is -inf,
    subtract 0 in its place."""
    output, logsumexp = reference.tiled_attention(Q, K, V, rows, columns, mask)
    for here, tiles in _blocks(Q, K, V, rows, columns, mask):
        for scores, _ in tiles:
            nothing = np.isneginf(scores.max(axis=-1))
            output[..., here, :][nothing], logsumexp[..., here][nothing] = np.nan, np.nan
    return output, logsumexp


def tiled_attention_that_stops_at_a_hidden_tile(Q, K, V, rows, columns, mask=None):
    """You stop at the first tile in which everything is hidden: visible keys may stand behind it, so go on to the
    next."""
    seen = np.array(np.broadcast_to(True if mask is None else mask, (*Q.shape[:-1], K.shape[-2])))
    for here in (slice(i, i + rows) for i in range(0, Q.shape[-2], rows)):
        tiles = (slice(j, j + columns) for j in range(0, K.shape[-2], columns))
        hidden = next((tile.start for tile in tiles if not seen[..., here, tile].any()), K.shape[-2])
        seen[..., here, hidden:] = False
    return reference.tiled_attention(Q, K, V, rows, columns, seen)


def tiled_attention_at_once(Q, K, V, rows, columns, mask=None):
    """You compute all scores at once: no more than one tile of rows × columns of them may exist at a time."""
    return reference.tiled_attention(Q, K, V, MANY * rows, MANY * columns, mask)


def tiled_attention_with_all_columns(Q, K, V, rows, columns, mask=None):
    """You compute the scores of all keys at once for each block of queries: a tile has no more than `columns` keys."""
    return reference.tiled_attention(Q, K, V, rows, MANY * columns, mask)


def tiled_attention_with_all_rows(Q, K, V, rows, columns, mask=None):
    """You compute the scores of all queries at once for each block of keys: a tile has no more than `rows` queries."""
    return reference.tiled_attention(Q, K, V, MANY * rows, columns, mask)


def tiled_attention_with_rows_and_columns_exchanged(Q, K, V, rows, columns, mask=None):
    """Your tiles have `columns` queries and `rows` keys: rows are queries, and columns are keys."""
    return reference.tiled_attention(Q, K, V, columns, rows, mask)


def tiled_attention_without_a_maximum(Q, K, V, rows, columns, mask=None):
    """You took exp(score) as it is, which overflows at 710 and vanishes at -750: subtract the largest score."""
    output, logsumexp = _empty(Q, V)
    with np.errstate(all="ignore"):
        for here, tiles in _blocks(Q, K, V, rows, columns, mask):
            l = sum(np.exp(scores).sum(axis=-1) for scores, _ in tiles) + 0 * Q[..., here, 0]
            o = sum(np.exp(scores) @ values for scores, values in tiles)
            output[..., here, :], logsumexp[..., here] = o / np.where(l == 0, 1, l)[..., None], np.log(l)
    return output, logsumexp


def tiled_attention_without_the_scale(Q, K, V, rows, columns, mask=None):
    """Your scores are not divided by the root of d."""
    return reference.tiled_attention(Q * float(Q.shape[-1]) ** 0.5, K, V, rows, columns, mask)


def tiled_attention_scaled_by_the_width(Q, K, V, rows, columns, mask=None):
    """You divided the scores by d: divide by its root."""
    return reference.tiled_attention(Q / float(Q.shape[-1]) ** 0.5, K, V, rows, columns, mask)


def tiled_attention_without_the_mask(Q, K, V, rows, columns, mask=None):
    """The mask has no effect: a hidden score is -inf before the tile's maximum is taken."""
    return reference.tiled_attention(Q, K, V, rows, columns)


def tiled_attention_with_zero_for_hidden_scores(Q, K, V, rows, columns, mask=None):
    """A hidden score became 0, which is a score like any other: hidden is -inf, whose exponential is 0."""
    if mask is None:
        return reference.tiled_attention(Q, K, V, rows, columns)
    scores = np.where(mask, Q @ np.swapaxes(K, -1, -2) / Q.shape[-1] ** 0.5, 0)
    m, l, o = _piece(scores, V)
    return o / l[..., None], m + np.log(l)


def tiled_attention_with_the_mask_the_wrong_way_round(Q, K, V, rows, columns, mask=None):
    """Your mask hides what it should show: True means that one may look."""
    return reference.tiled_attention(Q, K, V, rows, columns, None if mask is None else ~mask)


def tiled_attention_with_large_negative_scores(Q, K, V, rows, columns, mask=None):
    """A hidden score became a large negative number: a query that sees nothing then gets the mean of all values. Take
    -inf, output 0 and logsumexp -inf."""
    output, logsumexp = reference.tiled_attention(Q, K, V, rows, columns, mask)
    nothing = np.isneginf(logsumexp)
    return np.where(nothing[..., None], V.mean(axis=-2, keepdims=True) if V.shape[-2] else 0, output).astype(
        V.dtype), np.where(nothing, -1e9, logsumexp)


def tiled_attention_with_zero_for_nothing(Q, K, V, rows, columns, mask=None):
    """The logsumexp of a query that sees nothing is -inf, the logarithm of 0: yours is 0, the logarithm of 1."""
    output, logsumexp = reference.tiled_attention(Q, K, V, rows, columns, mask)
    return output, np.where(np.isneginf(logsumexp), 0, logsumexp)


def tiled_attention_with_the_maximum_for_the_sum(Q, K, V, rows, columns, mask=None):
    """You returned m: the logarithm of the sum of all exponentials is m + ln l."""
    output, logsumexp = reference.tiled_attention(Q, K, V, rows, columns, mask)
    for here, tiles in _blocks(Q, K, V, rows, columns, mask):
        logsumexp[..., here] = np.max([np.max(scores, axis=-1) for scores, _ in tiles], axis=0) if tiles else -np.inf
    return output, logsumexp


def tiled_attention_with_l_for_its_logarithm(Q, K, V, rows, columns, mask=None):
    """You returned m + l: take the logarithm of l."""
    output, logsumexp = reference.tiled_attention(Q, K, V, rows, columns, mask)
    highest = tiled_attention_with_the_maximum_for_the_sum(Q, K, V, rows, columns, mask)[1]
    base = np.where(np.isneginf(highest), 0, highest)
    return output, highest + np.exp(logsumexp - base)


def tiled_attention_without_m_in_the_logarithm(Q, K, V, rows, columns, mask=None):
    """You returned ln l: l was computed with m taken off, so add it again, m + ln l."""
    output, logsumexp = reference.tiled_attention(Q, K, V, rows, columns, mask)
    highest = tiled_attention_with_the_maximum_for_the_sum(Q, K, V, rows, columns, mask)[1]
    return output, logsumexp - np.where(np.isneginf(highest), 0, highest)


def tiled_attention_with_the_logarithm_to_base_two(Q, K, V, rows, columns, mask=None):
    """Your logarithm has the base 2: np.log is the natural one."""
    output, logsumexp = reference.tiled_attention(Q, K, V, rows, columns, mask)
    highest = tiled_attention_with_the_maximum_for_the_sum(Q, K, V, rows, columns, mask)[1]
    base = np.where(np.isneginf(highest), 0, highest)
    return output, base + (logsumexp - base) / math.log(2)


def tiled_attention_exchanged(Q, K, V, rows, columns, mask=None):
    """You returned logsumexp before the output."""
    return reference.tiled_attention(Q, K, V, rows, columns, mask)[::-1]


def tiled_attention_with_an_axis_too_many(Q, K, V, rows, columns, mask=None):
    """Your logsumexp is (..., T, 1): it is one number for each query, (..., T)."""
    output, logsumexp = reference.tiled_attention(Q, K, V, rows, columns, mask)
    return output, logsumexp[..., None]


def tiled_attention_of_the_output_alone(Q, K, V, rows, columns, mask=None):
    """You returned the output alone: logsumexp is wanted as well, as the way back starts from it."""
    return reference.tiled_attention(Q, K, V, rows, columns, mask)[0]


def tiled_attention_that_is_causal(Q, K, V, rows, columns, mask=None):
    """You let each query look at nothing behind it: what may be seen is the mask's affair, and without one all is."""
    causal = np.tri(Q.shape[-2], K.shape[-2], dtype=bool)
    return reference.tiled_attention(Q, K, V, rows, columns, causal if mask is None else mask & causal)


# words_moved


def _words(N, d, rows, columns, blocks=None, per_block=None, once=None):
    """The count, with another number of blocks, words a block, or words that move once."""
    reference.words_moved(N, d, rows, columns)
    blocks = -(-N // rows) if blocks is None else blocks
    return (2 * N * d + N if once is None else once) + blocks * (2 * N * d if per_block is None else per_block)


def words_moved_rounded_down(N, d, rows, columns):
    """You rounded the number of blocks down: a last block of fewer rows reads all keys and values, too."""
    return _words(N, d, rows, columns, blocks=N // rows)


def words_moved_not_rounded(N, d, rows, columns):
    """You did not round the number of blocks: N / rows is rounded up, since a last block of fewer rows reads all keys
    and values, too."""
    return _words(N, d, rows, columns, blocks=N / rows)


def words_moved_with_one_block_more(N, d, rows, columns):
    """You counted one block more where rows divides N: -(-N // rows) rounds up, N // rows + 1 does not."""
    return _words(N, d, rows, columns, blocks=N // rows + 1)


def words_moved_by_columns(N, d, rows, columns):
    """You counted blocks of columns: keys and values are read anew for each block of rows, and columns say only in how
    many pieces."""
    return _words(N, d, rows, columns, blocks=-(-N // columns))


def words_moved_with_the_keys_outside(N, d, rows, columns):
    """You let the keys be the outer loop, as the paper of 2022 does: here each block of queries stays, and keys and
    values go by."""
    blocks = -(-N // columns)
    return _words(N, d, rows, columns, blocks=blocks, per_block=2 * N * d + N, once=2 * N * d)


def words_moved_without_the_values(N, d, rows, columns):
    """You counted the keys alone: the values of each tile are read as well."""
    return _words(N, d, rows, columns, per_block=N * d)


def words_moved_without_the_queries(N, d, rows, columns):
    """The queries are missing: each is read once."""
    return _words(N, d, rows, columns, once=N * d + N)


def words_moved_without_the_logsumexp(N, d, rows, columns):
    """The logsumexp is missing: one number for each query is written, too."""
    return _words(N, d, rows, columns, once=2 * N * d)


def words_moved_without_what_is_written(N, d, rows, columns):
    """You counted what is read alone: output and logsumexp are written."""
    return _words(N, d, rows, columns, once=N * d)


def words_moved_with_queries_for_each_tile(N, d, rows, columns):
    """You read the queries anew for each tile: a block of them stays in fast memory while all keys go by."""
    tiles = -(-N // rows) * -(-N // columns)
    return _words(N, d, rows, columns, once=N * d + N + 0 * tiles, per_block=2 * N * d) + -(-N // columns) * N * d


def words_moved_with_the_scores(N, d, rows, columns):
    """You counted the scores, N · N of them: they are made in fast memory, used there, and never moved."""
    return _words(N, d, rows, columns) + N * N


def words_moved_of_the_naive_way(N, d, rows, columns):
    """You counted attention without tiles, which writes and reads all scores and all weights."""
    return 4 * N * d + 4 * N * N


def words_moved_in_bytes(N, d, rows, columns):
    """You counted bytes: a word is one number."""
    return 4 * _words(N, d, rows, columns)


def words_moved_with_keys_and_values_once(N, d, rows, columns):
    """You read keys and values once: they do not fit into fast memory, and are read again for every block of rows."""
    return _words(N, d, rows, columns, blocks=1)


# window_mask


def window_mask_one_wider(T, S, window, past=0):
    """Your window holds one position too many: a query sees itself and the window - 1 before it, that is window in
    all."""
    return reference.window_mask(T, S, window + 1, past)


def window_mask_one_narrower(T, S, window, past=0):
    """Your window holds one position too few: with window = 1 a query sees itself."""
    reference.window_mask(T, S, window, past)
    return reference.window_mask(T, S, max(window - 1, 1), past) & (window > 1)


def window_mask_without_oneself(T, S, window, past=0):
    """Your query does not see itself: its own position is the last of its window."""
    return reference.window_mask(T, S, window, past) & (past + np.arange(T)[:, None] != np.arange(S))


def window_mask_without_the_past(T, S, window, past=0):
    """past has no effect: query i stands at position past + i."""
    reference.window_mask(T, S, window, past)
    return reference.window_mask(T, S, window)


def window_mask_with_the_future(T, S, window, past=0):
    """Your window lies on both sides: what comes after the query is hidden."""
    reference.window_mask(T, S, window, past)
    return np.abs(past + np.arange(T)[:, None] - np.arange(S)) < window


def window_mask_that_is_causal(T, S, window, past=0):
    """The window has no effect: all earlier positions are seen."""
    reference.window_mask(T, S, window, past)
    return np.arange(S) <= past + np.arange(T)[:, None]


def window_mask_of_the_far_ones(T, S, window, past=0):
    """You hid the window and showed what lies before it."""
    reference.window_mask(T, S, window, past)
    behind = past + np.arange(T)[:, None] - np.arange(S)
    return behind >= window


def window_mask_the_wrong_way_round(T, S, window, past=0):
    """True means that one may look: yours is True where one may not."""
    return ~reference.window_mask(T, S, window, past)


def window_mask_transposed(T, S, window, past=0):
    """Queries are the rows, (T, S): yours are the columns."""
    return reference.window_mask(T, S, window, past).T


def window_mask_of_numbers(T, S, window, past=0):
    """You returned numbers: a mask of 0 and 1 cannot be turned round by ~, and is added where it should choose. Return
    the comparison itself."""
    return reference.window_mask(T, S, window, past).astype(float)


def window_mask_aligned_to_the_end(T, S, window, past=0):
    """You let the last query stand at the last key: where a query stands is what past says."""
    reference.window_mask(T, S, window, past)
    return reference.window_mask(T, S, window, max(S - T, 0))


# rolling_write


def _rolled(cache, new, places):
    """The cache with the new tokens in these slots (T,), or (B, T)."""
    written = cache.copy()
    if np.ndim(places) == 1:
        written[..., places, :] = new
    else:
        for b, each in enumerate(places):
            written[b][..., each, :] = new[b]
    return written


def _positions(cache, new, index):
    """Where the new tokens stand, (T,) or (B, T), and S. Raises ValueError as the reference does."""
    reference.rolling_write(cache, new, index)
    return np.asarray(index)[..., None] + np.arange(new.shape[-2]), cache.shape[-2]


def rolling_write_that_stops_at_the_end(cache, new, index):
    """Your tokens pile up in the last slot: position p goes into slot p modulo S, so that behind the last comes the
    first."""
    places, S = _positions(cache, new, index)
    return _rolled(cache, new, np.minimum(places, S - 1))


def rolling_write_that_drops_what_does_not_fit(cache, new, index):
    """What lies beyond the last slot is lost: position p goes into slot p modulo S, so that behind the last comes the
    first."""
    places, S = _positions(cache, new, index)
    if places.ndim == 1:
        return _rolled(cache, new[..., places < S, :], places[places < S])
    written = cache.copy()
    for b, each in enumerate(places):
        written[b][..., each[each < S], :] = new[b][..., each < S, :]
    return written


def rolling_write_with_only_the_first_wrapped(cache, new, index):
    """You took the index modulo S and not the positions behind it: those that go over the end begin again in slot 0."""
    S = cache.shape[-2]
    return rolling_write_that_drops_what_does_not_fit(cache, new, np.asarray(index) % S)


def rolling_write_one_slot_on(cache, new, index):
    """You are one slot too far on: the first new token has position `index` itself."""
    places, S = _positions(cache, new, index)
    return _rolled(cache, new, (places + 1) % S)


def rolling_write_modulo_the_new_tokens(cache, new, index):
    """You took positions modulo T, the number of new tokens: it is S, the number of slots."""
    places, _ = _positions(cache, new, index)
    return _rolled(cache, new, places % max(new.shape[-2], 1))


def rolling_write_that_shifts(cache, new, index):
    """You put the new tokens at the end and pushed the others forward: nothing moves in a rolling cache, as a position
    says where a token lies."""
    _positions(cache, new, index)
    return np.concatenate([cache, new], axis=-2)[..., new.shape[-2]:, :]


def rolling_write_at_the_front(cache, new, index):
    """index has no effect: it says where the first new token stands."""
    reference.rolling_write(cache, new, index)
    return reference.rolling_write(cache, new, 0)


def rolling_write_of_sums(cache, new, index):
    """You added the new tokens to what was there: they take its place."""
    kept = reference.rolling_write(cache, np.zeros_like(new), index)
    return reference.rolling_write(cache, new, index) + np.where(kept == cache, 0, cache)


def rolling_write_of_the_new_alone(cache, new, index):
    """The slots that are not written became 0: they keep what they had."""
    return reference.rolling_write(np.zeros_like(cache), new, index)


def rolling_write_backwards(cache, new, index):
    """You wrote the new tokens in the opposite order."""
    return reference.rolling_write(cache, new[..., ::-1, :], index)


def rolling_write_into_the_cache_itself(cache, new, index):
    """You wrote into the cache that you were given: somebody may still need the old one, so copy it first."""
    cache[...] = reference.rolling_write(cache, new, index)
    return cache


def rolling_write_ending_at_the_index(cache, new, index):
    """You let the new tokens end at `index`: it is the position of the first of them."""
    places, S = _positions(cache, new, index)
    return _rolled(cache, new, (places - new.shape[-2] + 1) % S)


def rolling_write_at_the_first_index(cache, new, index):
    """Every sentence got the place of the first one: each has a position of its own."""
    _positions(cache, new, index)
    return reference.rolling_write(cache, new, int(np.ravel(index)[0]))


# cache_bytes


def _bytes(layers, groups, d, tokens, size, window):
    reference.cache_bytes(layers, groups, d, tokens, size, window)
    return 2 * layers * groups * d * (tokens if window is None else min(tokens, window)) * size


def cache_bytes_without_the_window(layers, groups, d, tokens, size, window=None):
    """The window has no effect: a rolling cache keeps at most so many tokens."""
    _bytes(layers, groups, d, tokens, size, window)
    return _bytes(layers, groups, d, tokens, size, None)


def cache_bytes_of_the_window_alone(layers, groups, d, tokens, size, window=None):
    """You counted the whole window where there are fewer tokens: it is the smaller of the two."""
    _bytes(layers, groups, d, tokens, size, window)
    return _bytes(layers, groups, d, tokens if window is None else window, size, None)


def cache_bytes_of_the_larger(layers, groups, d, tokens, size, window=None):
    """You took the larger of tokens and window: it is the smaller."""
    _bytes(layers, groups, d, tokens, size, window)
    return _bytes(layers, groups, d, tokens if window is None else max(tokens, window), size, None)


def cache_bytes_with_one_token_less(layers, groups, d, tokens, size, window=None):
    """You kept window - 1 tokens: so many old ones a new token looks at, and it stands in the cache itself."""
    _bytes(layers, groups, d, tokens, size, window)
    return _bytes(layers, groups, d, tokens if window is None else min(tokens, window - 1), size, None)


def cache_bytes_of_the_keys_alone(layers, groups, d, tokens, size, window=None):
    """You counted keys alone: a value is kept beside each."""
    return _bytes(layers, groups, d, tokens, size, window) // 2


def cache_bytes_without_the_layers(layers, groups, d, tokens, size, window=None):
    """You counted one layer: each has keys and values of its own."""
    return _bytes(layers, groups, d, tokens, size, window) // layers


def cache_bytes_without_the_groups(layers, groups, d, tokens, size, window=None):
    """You counted one group: each has keys and values of its own."""
    return _bytes(layers, groups, d, tokens, size, window) // groups


def cache_bytes_in_numbers(layers, groups, d, tokens, size, window=None):
    """You counted numbers: each takes `size` bytes."""
    return _bytes(layers, groups, d, tokens, size, window) // size


def cache_bytes_in_bits(layers, groups, d, tokens, size, window=None):
    """You counted bits: size is in bytes already."""
    return 8 * _bytes(layers, groups, d, tokens, size, window)


def cache_bytes_with_the_scores(layers, groups, d, tokens, size, window=None):
    """You took the tokens twice: for each token one key and one value are kept, and no scores."""
    return _bytes(layers, groups, d, tokens, size, window) * tokens


MISTAKES = by_exercise(__name__, ["merge_softmax", "tiled_attention", "words_moved", "window_mask", "rolling_write",
                                  "cache_bytes"])
