"""What lab 16 is judged on.

Where -inf is right, it is judged as such: there it must stand, and nowhere else. Types are not judged, precision is.
"""

from dataclasses import replace

import numpy as np

from coursekit.check import as_array
from coursekit.verdicts import Verdict, compare, largest, same, together
from solutions.lab16_tiles_and_windows import reference
from solutions.refusals import refuses

BIG = 700  # exp(BIG) is a number, its square is not
TOO_MUCH = "more than one tile was held: compute scores within both loops, of rows queries and columns keys"
DIGITS = 1e-12  # relative: what is computed in float64 from moderate numbers is right to so many


def merge_softmax(student, rng):
    hint = ("m is the larger of the two, and each piece's l and o are multiplied by exp(its m - m), which is 0 for a "
            "piece of no key")
    verdicts = [together(*[_parted(law, student.merge_softmax(*args), reference.merge_softmax(*args), 0, hint, "m l o")
                           for args in asked]) for law, asked in _pieces(rng)]
    asked = *_piece(rng, (3, 4), 5), *_piece(rng, (3, 4), 5)
    verdicts[0] = together(verdicts[0], _precise(
        "float64 came in: twelve digits are right", student.merge_softmax(*asked), reference.merge_softmax(*asked),
        "is float32 used within?"))
    yield from verdicts
    yield refuses("nan, inf, and shapes that do not fit: each raises ValueError", verdicts[0], student.merge_softmax,
                  [*_misfits(rng)])


def tiled_attention(student, rng):
    hint = ("is the result that of all keys at once: scores over the root of d, masked, merged tile by tile, divided "
            "by l at the end, and logsumexp m + ln l?")
    verdicts = [together(*[_parted(law, student.tiled_attention(*args), reference.tiled_attention(*args), 1, hint,
                                   "output logsumexp") for args in asked]) for law, asked in _looks(rng)]
    yield from verdicts
    Q, K, V = _queries(rng, (2,), 6, 9, 4, 3)
    yield _precise("float64 came in: twelve digits are right", student.tiled_attention(Q, K, V, 4, 2),
                   reference.tiled_attention(Q, K, V, 4, 2), "is a small number added to l, or float32 used within?")
    yield _held(student, rng, verdicts[0])
    Q, K, V = _queries(rng, (2,), 5, 7, 3, 4)
    ones = np.ones((5, 7))
    wrong = [(Q, K, V, 0, 2), (Q, K, V, 2, 0), (Q, K, V, -1, 2), (Q, K, V, 2, -3), (Q, K, V, 2, 3, ones),
             (Q, K, V, 2, 3, ones[:, :6] > 0), (Q[..., :2], K, V, 2, 3), (Q, K[:, :6], V, 2, 3), (Q, K, V[:1], 2, 3),
             (Q + np.nan, K, V, 2, 3), (Q, np.where(K > 1, np.inf, K), V, 2, 3),
             (Q, K, np.where(V < -1, np.nan, V), 2, 3)]
    law = "tiles without a row or column, a mask of numbers, nan, inf, shapes that do not fit: each raises ValueError"
    yield refuses(law, verdicts[0], student.tiled_attention, wrong)


def _held(student, rng, right):
    """Half of the points, where a verdict says that values are right: is less than half of what all scores take held at
    one time?"""
    found = [replace(right, hint="counts only where the values of other calls are right")]
    for T, S, *tile in [(256, 256, 43, 43), (1024, 64, 32, 1024), (64, 1024, 1024, 32)]:
        asked = *_queries(rng, (), T, S, 2, 2), *tile
        reply = student._within(4 * T * S).tiled_attention(*asked)
        verdict = compare("", reply, reference.tiled_attention(*asked))
        found.append(replace(verdict, hint=TOO_MUCH) if reply.error == "MemoryError" else verdict)
    law = "one tile of scores at a time: small ones, those of many queries, those of many keys"
    return replace(together(*found), law=law, weight=7.5)  # as much as all the others


def words_moved(student, rng):
    hint = ("queries once, all keys and all values once for each block of rows, the number of blocks rounded up, and "
            "written are output and logsumexp")
    verdicts = [together(*[same(law, student.words_moved(*args), reference.words_moved(*args), hint)
                           for args in asked]) for law, asked in _sizes(rng)]
    yield from verdicts
    wrong = [tuple(0 if i == place else n for i, n in enumerate((24, 3, 5, 7))) for place in range(4)]
    yield refuses("a number below 1 raises ValueError", verdicts[0], student.words_moved, [*wrong, (24, 3, -5, 7)])


def window_mask(student, rng):
    hint = "query i stands at position past + i, and sees itself and the window - 1 positions before it"
    verdicts = []
    for law, asked in _windows(rng):
        replies = [(student.window_mask(*args), reference.window_mask(*args)) for args in asked]
        verdicts.append(together(*[_boolean(compare(law, reply, right, hint), reply) for reply, right in replies]))
    yield from verdicts
    wrong = [(3, 5, 0), (3, 5, -2, 2), (-1, 5, 2), (3, -5, 2), (3, 5, 2, -1)]
    yield refuses("a window below 1, another number below 0: each raises ValueError", verdicts[0], student.window_mask,
                  wrong)


def rolling_write(student, rng):
    hint = "the token of position p goes into slot p modulo S, every other slot stays, in an array of its own"
    verdicts = []
    for law, asked in _writes(rng):
        replies = [(student.rolling_write(*args), reference.rolling_write(*args)) for args in asked]
        verdicts.append(together(*[_copied(compare(law, *pair, hint), *pair) for pair in replies]))
    yield from verdicts
    cache, new = rng.normal(size=(2, 3, 5, 4)), rng.normal(size=(2, 3, 2, 4))
    wrong = [(cache, rng.normal(size=(2, 3, 6, 4)), 3), (cache, new, 1.5), (cache, new, np.array([0.0, 1.0])),
             (cache, new, np.array([1, 2, 3])), (cache, new[..., :3], 1), (cache, new[:1], 1), (cache, new[:, :2], 1)]
    law = "more tokens than slots, an index that is not whole, shapes that do not fit: each raises ValueError"
    yield refuses(law, verdicts[0], student.rolling_write, wrong)


def cache_bytes(student, rng):
    hint = "2 · layers · groups · d · tokens · size, and with a window at most so many tokens"
    verdicts = [together(*[same(law, student.cache_bytes(*args), reference.cache_bytes(*args), hint)
                           for args in asked]) for law, asked in _caches(rng)]
    yield from verdicts
    wrong = [tuple(0 if i == place else n for i, n in enumerate((2, 3, 5, 7, 4, 6))) for place in (0, 1, 2, 4, 5)]
    yield refuses("tokens below 0, any other number below 1: each raises ValueError", verdicts[0], student.cache_bytes,
                  [*wrong, (2, 3, 5, -1, 4)])


# Cases


def _piece(rng, front, e, kind=float, far=0.0):
    """m, l and o of some three keys."""
    scores, values = far + 2 * rng.normal(size=(*front, 3)), rng.normal(size=(*front, 3, e))
    m = scores.max(axis=-1)
    powers = np.exp(scores - m[..., None])
    return *(each.astype(kind) for each in (m, powers.sum(axis=-1), np.einsum("...n,...ne->...e", powers, values))),


def _pieces(rng):
    """(law, list of arguments of `merge_softmax`). In each law either piece has the larger m somewhere, and in the last
    three scores are hundreds and some rows have no key."""
    for law, front, e, kind in [("rows of a batch", (3, 4), 5, float), ("one axis in front, in float32", (6,), 3,
                                 np.float32)]:
        yield law, [(*_piece(rng, front, e, kind), *_piece(rng, front, e, kind)) for _ in range(2)]
    yield "scores of hundreds, of both signs, and rows without a key", [
        (*_piece(rng, (5, 2), 3, far=BIG), *_piece(rng, (5, 2), 3, far=BIG)),
        (*_piece(rng, (5, 2), 3, far=-1.5 * BIG), *_piece(rng, (5, 2), 3, far=-1.5 * BIG)),
        (*_piece(rng, (7,), 2, far=BIG), *_piece(rng, (7,), 2, far=-BIG)),
        (*_piece(rng, (7,), 2, far=-BIG), *_piece(rng, (7,), 2, far=BIG)), _with_gaps(rng, (5,), 3)]
    first, none = _piece(rng, (3,), 4), (-np.inf, 0.0, 0.0)
    yield "pieces of no key, of either side and of both, as arrays and as numbers; high and low scores", [
        _with_gaps(rng, (4, 3), 2), _with_gaps(rng, (6,), 4, far=-BIG), (*first, *none), (*none, *first),
        (*_piece(rng, (2, 3), 4, far=BIG), *_piece(rng, (2, 3), 4, far=BIG))]
    single = [(float(m[0]), float(l[0]), o[0]) for m, l, o in (_piece(rng, (1,), 5, far=BIG) for _ in range(2))]
    yield "a single row, a single entry, as many rows as entries, three axes in front", [
        (*single[0], *single[1]), (*_piece(rng, (1,), 1), *_piece(rng, (1,), 1)), _with_gaps(rng, (5,), 1),
        (*_piece(rng, (1, 3), 2), *_piece(rng, (1, 3), 2)), (*_piece(rng, (4, 4), 4), *_piece(rng, (4, 4), 4)),
        _with_gaps(rng, (3, 2, 4), 5)]


def _with_gaps(rng, front, e, far=0.0):
    """Two pieces: in the first row of all neither has a key, in the second the first has none, in the third the
    second."""
    first, second = _piece(rng, front, e, far=far), _piece(rng, front, e, far=far)
    for piece, rows in ((first, [0, 1]), (second, [0, 2])):
        for array, nothing in zip(piece, (-np.inf, 0, 0), strict=True):
            array[rows] = nothing
    return *first, *second


def _misfits(rng):
    """Arguments of `merge_softmax` of which one is nan or inf in one place, lacks an axis or has one too many, or has
    other sizes; or three plain numbers stand for a piece, and are not -inf, 0, 0."""
    right = *_piece(rng, (2, 3), 4), *_piece(rng, (2, 3), 4)
    for plain in ((3.0, 2.0, 4.0), (-2.0, 0.0, 0.0), (-np.inf, 2.0, 0.0), (-np.inf, 0.0, 3.0), (np.nan, 0.0, 0.0)):
        yield *plain, *right[3:]
        yield *right[:3], *plain
    for place, array in enumerate(right):
        nan, inf = array.copy(), array.copy()
        nan[1, 2], inf[0, 1] = np.nan, np.inf
        for wrong in (nan, inf, array[..., None], array[:1], array[..., :1], array[0], array.reshape(-1), 2.0):
            yield *right[:place], wrong, *right[place + 1:]


def _queries(rng, front, T, S, d, e, kind=float):
    shapes = [(*front, T, d), (*front, S, d), (*front, S, e)]
    return tuple(rng.normal(size=shape).astype(kind) for shape in shapes)


def _holes(rng, *shape):
    """A mask with holes, which hides all keys of the first query, and all but the last key of the last two queries, so
    that tiles of theirs are hidden with a visible one behind them."""
    mask = rng.random(size=shape) < 0.6
    mask[..., 1:, 0], mask[..., 0, :] = True, False
    mask[..., max(1, shape[-2] - 2):, :] = np.arange(shape[-1]) == shape[-1] - 1
    return mask


def _looks(rng):
    """(law, list of arguments of `tiled_attention`). In each law one call has tiles that do not divide, and a mask
    with holes that hides all keys of some query, and the first tile of some others."""
    Q, K, V = _queries(rng, (), 7, 11, 4, 3)
    yield "one sentence, tiles that do not divide, and scores of thousands", [
        (Q, K, V, 3, 4), (Q, K, V, 5, 3, _holes(rng, 7, 11)), (2000 * Q, K, V, 5, 2, _holes(rng, 7, 11))]
    Q, K, V = _queries(rng, (2, 3), 5, 8, 6, 4, np.float32)
    yield "a batch of heads, in float32, masks of fewer axes", [
        (Q, K, V, 2, 3, _holes(rng, 2, 3, 5, 8)), (Q, K, V, 2, 4), (Q, K, V, 3, 5, _holes(rng, 5, 8)),
        (Q, K, V, 3, 5, _holes(rng, 2, 1, 5, 8)), (Q, K, V, 3, 5, rng.random(8) < 0.5)]
    Q, K, V = _queries(rng, (3,), 6, 10, 5, 2)
    up = np.linspace(-BIG, BIG, 10)
    rising = K + up[:, None] * Q[:, :1] * 5**0.5 / (Q[:, :1] ** 2).sum(axis=-1, keepdims=True)
    yield "scores of hundreds, that rise and that fall from tile to tile, and a hidden one above all", [
        (Q, rising, V, 4, 3), (Q, rising[:, ::-1], V, 4, 3), (Q, rising, V, 4, 3, np.arange(10) < 7),
        (3000 * Q, K, 500 * V, 4, 4, _holes(rng, 6, 10))]
    Q, K, V = _queries(rng, (2,), 6, 8, 3, 5)
    mask = _holes(rng, 2, 6, 8)
    yield "the size of tiles makes no difference: one score, all, more than all, and what divides", [
        ((Q, 2000 * Q)[tile[0] == 1], K, V, *tile, mask)
        for tile in [(1, 1), (6, 8), (50, 40), (2, 4), (1, 5), (4, 1)]]
    Q, K, V = _queries(rng, (4,), 9, 9, 3, 2)
    place = np.arange(9)
    near = np.abs(place[:, None] - 2 - place) < 2
    yield "tiles of which everything is hidden: the future, the first, the middle ones, all", [
        (Q, K, V, 2, 4, np.tri(9, dtype=bool)), (Q, K, V, 4, 2, near), (Q, K, V, 4, 2, place > 5),
        (Q, K, V, 2, 2, np.abs(place - 4) > 2), (Q, K, V, 2, 4, np.zeros((9, 9), bool))]
    yield "widths of one, a single query, a single key, and no key at all", [
        (*_queries(rng, (2,), 3, 5, 1, 1), 2, 3, _holes(rng, 3, 5)), (*_queries(rng, (2,), 1, 6, 3, 2), 2, 4),
        (*_queries(rng, (), 5, 1, 2, 3), 2, 2, np.arange(5)[:, None] > 1), (*_queries(rng, (3,), 4, 0, 2, 5), 3, 2),
        (*_queries(rng, (1,), 3, 3, 3, 3), 2, 2), (3000 * Q, K, V, 2, 4)]


def _sizes(rng):
    """(law, list of arguments of `words_moved`). In each law rows divide N in one call, and do not in another."""
    def near(n, few=9):
        return int(n + rng.integers(few))

    for law, *asked in [
        ("blocks of rows that do not fill the last", (near(100), near(11), 33, 17), (77, near(21), 11, 9)),
        ("tiles that divide, and others", (96, near(5), 24, 32), (near(50), near(31), 23, 10)),
        ("many queries", (near(131072, 900), 128, 1100, 64), (131072, near(65), 1 << 10, 1)),
        ("one row, one column, a width of one", (near(40), near(3), 1, 1), (near(40), 1, 7, 6), (1, near(4), 1, 2),
         (near(61), 2, near(8), 3)),
        ("more rows than queries: one block", (near(30), near(5), 50, 12), (near(30), near(5), 41, 90),
         (near(80), near(13), 11, 8), (54, near(7), 54, 10)),
    ]:
        yield law, asked


def _windows(rng):
    """(law, list of arguments of `window_mask`). In each law one call has a past, a window that cuts it, and keys
    behind the last query."""
    T, past = int(rng.integers(5, 8)), int(rng.integers(4, 7))
    behind = (4, past + 7, 3, past)
    yield "as many keys as queries, and new ones behind a past", [(T, T, 3), behind]
    yield "windows of one, of two and of four", [(T, T, 1), (T, T + past, 4, past), (3, past + 5, 2, past)]
    yield "a window that reaches all keys is the causal mask, and one that lacks one is not", [
        (T, T, T), (T, T, T + 2), (T, T, T - 1), (T, T + past, T + past, past), (T, T + past, past, past),
        (2, past + 4, past, past)]
    yield "keys beyond the last query, and fewer keys than positions", [
        (3, past + 6, 3, past), (T, T + 3, 2), (T, 4, 3), (3, past - 1, 5, past)]
    yield "a single query, a single key, none", [(1, past + 1, 3, past), (3, 1, 2), (1, 1, 1), (0, 3, 2), (2, 0, 2, 1),
                                                 (2, past + 3, 2, past)]


def _writes(rng):
    """(law, list of arguments of `rolling_write`). In each law one call goes round the end, and in all but the first
    sentences have positions of their own."""
    def case(front, S, T, d, index, kind=float):
        shapes = [(*front, S, d), (*front, T, d)]
        return *(rng.normal(size=shape).astype(kind) for shape in shapes), index

    yield "in the middle, and round the end", [case((2, 3), 7, 3, 4, 2), case((2, 3), 7, 3, 4, 5),
                                               case((2,), 6, 4, 3, 2 * 6 + 4)]
    yield "positions far beyond the end, in float32", [case((3, 2), 5, 2, 4, 5 * 40 + 4, np.float32),
                                                       case((3,), 8, 3, 2, 999),
                                                       case((3, 2), 6, 3, 4, np.array([65, 801, 7]))]
    yield "as many new tokens as slots, and one less", [case((2,), 5, 5, 3, 13), case((3, 2), 4, 4, 2, 3),
                                                        case((4,), 6, 5, 2, 9), case((2,), 5, 5, 3, 0),
                                                         case((2, 3), 5, 5, 2, np.array([4, 13]))]
    yield "a position of its own for each sentence", [
        case((3, 2), 7, 3, 4, np.array([2, 26, 7])), case((4,), 5, 2, 3, np.array([0, 4, 23, 10])),
        case((2, 2), 4, 3, 5, np.array([3, 6]))]
    yield "no axis in front, one token, one slot, a width of one, a batch of one", [
        case((), 6, 4, 3, 15), case((2,), 4, 1, 3, 11), case((3,), 1, 1, 2, 5), case((1, 2), 5, 3, 1, np.array([8])),
        case((3,), 3, 3, 3, np.array([1, 5, 2])), case((2,), 4, 0, 3, 2)]


def _caches(rng):
    """(law, list of arguments of `cache_bytes`). In each law one call has a window that is shorter than the text."""
    some = [int(rng.integers(*ends)) for ends in ((20, 90), (3, 9), (60, 130), (3000, 9000), (500, 2000))]
    layers, groups, d, tokens, window = some
    yield "all tokens, and a window of them", [(layers, groups, d, tokens, 2),
                                               (layers, groups, d, tokens, 4, window),
                                               (layers, groups, d, window, 2, tokens)]
    yield "a window longer than the text, and shorter", [(layers, groups, d, tokens, 2, tokens + 9),
                                                         (layers + 2, groups, d, tokens, 1, window)]
    yield "a window as long as the text, and one less", [(layers, groups, d + 5, tokens, 3, tokens),
                                                         (layers, groups, d, tokens, 3, tokens - 1),
                                                         (layers, groups, d, window, 3, tokens)]
    yield "one layer, one group, one token, one byte; no token", [
        (1, 1, 1, 1, 1), (1, groups, d, tokens, 2, 1), (layers, 1, d, tokens, 1, window),
        (layers, groups, 1, tokens, 4), (layers, groups, d, 0, 2), (layers, groups, d, 0, 2, window),
        (layers, groups, d, 1, 2, 1)]
    yield "more than 32 bits can count", [(layers + 80, 8, 128, 131072 + tokens, 2),
                                          (layers + 80, 8, 128, 131072 + 2 * tokens, 2, 131072 + tokens)]


# Verdicts


def _parted(law, reply, expected, place, hint, names):
    """`compare` of several results. In the one in this place -inf may be right: it is taken out and judged beside."""
    value, names = reply.value, names.split()
    if isinstance(value, tuple | list) and len(value) == len(expected) and as_array(value[place]).dtype.kind in "fiu":
        reply = replace(reply, value=_split(value, place))
        expected, names = _split(expected, place), [*names, f"where {names[place]} is -inf"]
    return compare(law, reply, expected, hint, names=names)


def _split(values, place):
    """The results with 0 in place of -inf in one of them, and where that was."""
    array = as_array(values[place])
    nothing = np.isneginf(array.astype(float))
    return *values[:place], np.where(nothing, 0, array), *values[place + 1:], nothing.astype(float)


def _precise(law, reply, expected, hint):
    """`compare`, and to as many digits as float64 gives."""
    verdict = compare(law, reply, expected, hint)
    off = [np.abs(got - right).max() / largest(right) for got, right in zip(reply.value, expected, strict=True)
           ] if verdict.passed else []
    return verdict if max(off, default=0) < DIGITS else Verdict(law, False, f"digits are lost: {hint}", verdict.weight)


def _copied(verdict, reply, expected):
    """The same verdict, unless the numbers are not those that were there, to the last digit."""
    if not verdict.passed or np.array_equal(reply.value, expected):
        return verdict
    return Verdict(verdict.law, False, "digits are lost: numbers are copied as they are, not through float32")


def _boolean(verdict, reply):
    """The same verdict, unless the answer is no boolean mask."""
    if not verdict.passed or as_array(reply.value).dtype == bool:
        return verdict
    return Verdict(verdict.law, False, "a mask is boolean: True and False, not 1 and 0", verdict.weight)
