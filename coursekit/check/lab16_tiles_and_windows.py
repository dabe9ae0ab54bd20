"""The visible checks of lab 16. Each takes the student's function and states the laws that it should keep.

What is expected is worked out from all scores at once, token by token, or by hand.
"""

import math

import numpy as np

from coursekit import memory
from coursekit.check import as_array, ask, laws, visible_check
from coursekit.verdicts import Verdict

INF = np.inf
FINITE = "refuse what is no number: np.isnan, and np.isinf, as an inf that is let in becomes a nan later"
PLAIN = "plain numbers are a piece of no key where all three are -inf, 0, 0: ask for that, not for np.ndim(o) alone"
FIT = "compare the shapes first: m and l have one shape, o one axis more, and NumPy would stretch some others"


# merge_softmax


@visible_check
def merge_softmax(merge_softmax):
    yield from _two_keys(merge_softmax)
    scores, values = laws.random(1, (2, 3, 7), (2, 3, 7, 4))
    first, second, whole = (_kept(scores[..., part], values[..., part, :]) for part in (
        slice(0, 3), slice(3, 7), slice(0, 7)))
    wide = {"broadcast": "m has no axis e, and o has: the factors of o need one at the end, factor[..., None]"}
    reply = laws.asked("three rows of two sentences", wide, merge_softmax, *first, *second)
    yield laws.results(reply, {"m": (2, 3), "l": (2, 3), "o": (2, 3, 4)}, "three rows of two sentences: ",
                       advice="o has an axis more than m and l: give their factors one, [..., None]")
    names = "the larger m of each row", "l, the sum over all seven keys", "o, the sum over all seven keys"
    for place, name in enumerate(names):
        yield laws.equals(f"3 keys and 4 keys: {name}", laws.result(reply, place), whole[place],
                          "" if place else "each row has an m of its own, the larger of its two: np.maximum")
    yield from _to_the_digit(reply, whole, names, "compute nothing in float32")
    turned = ask(merge_softmax, *second, *first)
    for place, name in enumerate("mlo"):
        yield laws.equals(f"the other way round: the same {name}", laws.result(turned, place), whole[place],
                          "each piece has a factor of its own, exp(its m - m)")
    yield from _associative(merge_softmax, scores, values)
    yield from _no_key(merge_softmax, first, whole)
    yield from _far(merge_softmax)
    yield from _small_pieces(merge_softmax)
    for place, (name, array) in enumerate(zip(("m1", "l1", "o1", "m2", "l2", "o2"), first + second, strict=True)):
        one = np.zeros(array.shape)
        one[0, 1] = 1
        refused = []
        for law, wrong, advice in [
            ("is nan in one row", np.where(one, np.nan, array), FINITE),
            ("is inf in one row", np.where(one, INF, array), FINITE), ("has an axis too many", array[..., None], FIT),
            ("has one row in place of two", array[:1], FIT), ("has a last axis of 1", array[..., :1], FIT),
            ("lacks an axis", array[0], FIT), ("is flat", array.ravel(), FIT),
            ("alone is a plain number", 2.0, PLAIN if name[0] == "o" else FIT),
        ]:
            args = [*first, *second]
            args[place] = wrong
            refused.append(laws.refuses(f"{name} {law}: ValueError", merge_softmax, args, [], advice))
        yield _in_one(f"nan, inf and six other shapes in the place of {name}: each a ValueError", *refused)
    for plain in ((5.0, 1.0, 7.0), (0.0, 0.0, 0.0), (-INF, 1.0, 0.0), (-INF, 0.0, 7.0), (np.nan, 0.0, 0.0)):
        law = "three plain numbers {:g}, {:g}, {:g}, which are not -inf, 0, 0: ValueError".format(*plain)
        yield _in_one(law, *(laws.refuses(law, merge_softmax, args, [], PLAIN)
                             for args in ((*plain, *second), (*first, *plain))))


def _in_one(law, *verdicts):
    """One verdict for several that make one law: the first that failed, by its own name."""
    return next((verdict for verdict in verdicts if not verdict.passed), Verdict(law, True))


def _two_keys(merge):
    """Two pieces of one key each, with scores ln 2 and ln 6: factors 1/3 and 1."""
    args = (math.log(2), 1.0, np.array([3.0, 0.0])), (math.log(6), 1.0, np.array([0.0, 6.0]))
    right = math.log(6), 4 / 3, np.array([1.0, 6.0])
    for law, pieces in [("scores ln 2 and ln 6", args), ("scores ln 6 and ln 2", args[::-1])]:
        plain = "one row: m and l are plain numbers. np.asarray makes arrays of them, and NumPy's functions take both"
        reply = laws.asked(law, {"subscript": plain}, merge, *pieces[0], *pieces[1])
        yield laws.results(reply, {"m": (), "l": (), "o": (2,)}, f"{law}, one row: ")
        slips = [(math.log(2), "take the larger of the two, np.maximum"), (math.log(8), "that is the logsumexp, m + ln "
                  "l: m is the largest score"), (math.log(12), "you added the two")]
        yield laws.equals(f"{law}: m is ln 6", laws.result(reply, 0), right[0], slips=slips)
        slips = [(2.0, "l was added as it is: multiply each by exp(its m - m), here 1/3 and 1"),
                 (4.0, "no factor is above 1: exp(m1 - m), not exp(m - m1), and m is the larger"),
                 (8.0, "you went back to exp(score): stay at exp(score - m), which cannot overflow"),
                 (4.0 / 3 * 4 / 3, "l stands there twice"),
                 (1.0, "both are added, with the factors exp(its m - m), here 1/3 and 1: do not go back to exp(m1) and "
                  "exp(m2), and divide by nothing yet")]
        yield laws.equals(f"{law}: l is 1/3 + 1", laws.result(reply, 1), right[1], slips=slips)
        slips = [([3.0, 6.0], "o was added as it is: it needs the factors that l has"),
                 ([0.75, 4.5], "o is not divided by l: that is done once, at the end"),
                 ([3.0, 18.0], "you rescaled to the smaller m: take the larger"), ([3.0, 2.0], "the factors are "
                  "exchanged"), ([9.0, 6.0], "exp(m1 - m), not exp(m - m1): no factor is above 1")]
        yield laws.equals(f"{law}: o is 1/3 of (3, 0) and all of (0, 6)", laws.result(reply, 2), right[2], slips=slips)


def _associative(merge, scores, values):
    """Three pieces, put together in either order."""
    parts = [_kept(scores[..., part], values[..., part, :]) for part in (slice(0, 2), slice(2, 5), slice(5, 7))]
    left = ask(merge, *ask(merge, *parts[0], *parts[1]).value, *parts[2]).value
    right = ask(merge, *parts[0], *ask(merge, *parts[1], *parts[2]).value).value
    whole = _kept(scores, values)
    for place, name in enumerate("mlo"):
        for law, got in (("(a, b), c", left), ("a, (b, c)", right)):
            advice = ("what comes out is a piece again: o not divided by l" if name == "o" else
                      "what comes out is a piece again, of the keys of both")
            yield laws.equals(f"three pieces, {law}: {name} of all keys", got[place], whole[place], advice)


def _no_key(merge, piece, whole):
    """-inf, 0, 0 changes nothing, on either side, in all rows or in some; two such pieces are another."""
    nan = "-inf - (-inf) is nan: where the larger m is -inf, subtract 0 in its place"
    none = np.full((2, 3), -INF), np.zeros((2, 3)), np.zeros((2, 3, 4))
    for what, nothing in (("arrays", none), ("three plain numbers", (-INF, 0.0, 0.0))):
        for law, args in ((f"a piece of no key behind, as {what}", (*piece, *nothing)),
                          (f"a piece of no key in front, as {what}", (*nothing, *piece))):
            raised = {"arrays": "-inf is welcome in m: np.isfinite refuses it, so ask np.isnan and == np.inf",
                      "three plain numbers": "-inf, 0 and 0 may be plain numbers, which stand for all rows: np.maximum "
                      "and np.exp take them; of the shapes of arrays alone it is asked whether they fit"}[what]
            reply = laws.asked(law, {"": raised}, merge, *args)
            for place, name in enumerate("mlo"):
                yield laws.equals(f"{law}: {name} stays", laws.result(reply, place), piece[place],
                                  "exp(-inf - m) is 0, so it adds nothing")
    reply = ask(merge, *none, *none)
    yield _is_empty("two pieces of no key: m is -inf", laws.result(reply, 0), nan)
    yield laws.equals("their l is 0", laws.result(reply, 1), none[1], nan)
    yield laws.equals("their o is 0", laws.result(reply, 2), none[2], nan)
    some = [array.copy() for array in piece]
    for array, nothing in zip(some, (-INF, 0, 0), strict=True):
        array[0] = nothing
    reply = ask(merge, *some, *some)
    yield _is_empty("no key in the rows of one sentence: m is -inf there", as_array(laws.result(reply, 0))[:1], nan)
    yield laws.equals("and the other sentence has its own m", as_array(laws.result(reply, 0))[1:], piece[0][1:], nan)
    for place, name in ((1, "l"), (2, "o")):
        yield laws.equals(f"its {name} is 0 there, and twice as large elsewhere", laws.result(reply, place),
                          2 * some[place], nan, [(some[place], "only some rows have no key: decide row by row")])


def _is_empty(law, value, advice):
    got = as_array(value)
    right = got.dtype.kind == "f" and np.isneginf(got).all()
    return Verdict(law, bool(right), f"got {got.ravel()[:3]}: {advice}")


def _far(merge):
    """Scores of hundreds."""
    for far, other in ((900.123457, 899.0), (-900.0, -899.123457), (900.0, -900.0), (-900.0, 900.0)):
        args = [np.array(each) for each in ([far], [2.0], [[4.0]], [other], [3.0], [[5.0]])]
        m = max(far, other)
        one, two = math.exp(far - m), math.exp(other - m)
        reply, advice = ask(merge, *args), "exp(900) is inf, and exp(-900) is 0: exp(m1 - m) is never above 1"
        law = f"m of {far:g} and {other:g}"
        yield laws.equals(f"{law}: the larger", laws.result(reply, 0), [m], advice)
        yield laws.equals(f"{law}: l", laws.result(reply, 1), [2 * one + 3 * two], advice)
        yield laws.equals(f"{law}: o", laws.result(reply, 2), [[4 * one + 5 * two]], advice)


def _small_pieces(merge):
    """One row, one entry; as many rows as entries; one sentence."""
    for law, shape, e in [("one row of one entry", (1,), 1), ("as many rows as entries", (3,), 3),
                          ("three sentences of three rows, three entries", (3, 3), 3),
                          ("two sentences of three heads", (2, 3, 4), 2), ("one sentence", (1, 2), 5)]:
        scores, values = laws.random(2, (*shape, 5), (*shape, 5, e))
        pieces = [_kept(scores[..., part], values[..., part, :]) for part in (slice(0, 2), slice(2, 5))]
        reply, right = ask(merge, *pieces[0], *pieces[1]), _kept(scores, values)
        shapes = {"m": shape, "l": shape, "o": (*shape, e)}
        yield laws.results(reply, shapes, f"{law}: ", advice="axes of length 1 stay")
        for place, name in enumerate("mlo"):
            yield laws.equals(f"{law}: {name}", laws.result(reply, place), right[place],
                              "give the factors of o an axis at the end, [..., None]")


def _kept(scores, values):
    """m, l and o of some keys, all at once."""
    m = scores.max(axis=-1)
    l = sum(np.exp(scores[..., n] - m) for n in range(scores.shape[-1]))
    o = sum(np.exp(scores[..., n] - m)[..., None] * values[..., n, :] for n in range(scores.shape[-1]))
    return m, l, o


# tiled_attention


@visible_check
def tiled_attention(tiled_attention):
    yield from _by_hand(tiled_attention)
    Q, K, V = laws.random(3, (5, 4), (7, 4), (7, 3))
    reply = ask(tiled_attention, Q, K, V, 5, 7)
    yield laws.results(reply, {"output": (5, 3), "logsumexp": (5,)}, "five queries, seven keys: ")
    right = _looked(Q, K, V)
    yield from _is_right("one tile for all", reply, right)
    anew = "each block of queries begins anew, with -inf, 0, 0, and the last one has fewer rows"
    fits = "m, l and o of a tile have its rows: (...), (...) and (..., e)"
    for rows, columns, why in [
        (5, 3, "the last tile has one column: range(0, S, columns), S and not T, and a slice find it by themselves"),
        (2, 7, "the last block has one row: range(0, T, rows) and a slice find it by themselves"),
        (3, 2, "merge each tile with what the ones before it gave"), (1, 1, "one score a tile"),
        (9, 20, "a tile larger than all there is: slices stop at the end"), (4, 5, ""), (5, 1, ""), (1, 7, "")]:
        law, raised = f"the same in tiles of {rows} × {columns}", {"": anew if rows < 5 else fits}
        again = laws.asked(law, raised, tiled_attention, Q, K, V, rows, columns)
        yield from _is_right(law, again, right, why, _divided_early(Q, K, V, columns))
    yield from _with_masks(tiled_attention, Q, K, V)
    yield from _in_front(tiled_attention)
    yield from _high(tiled_attention, Q, K, V)
    yield from _to_the_digit(ask(tiled_attention, Q, K, V, 2, 3), right, ("output", "logsumexp"),
                             "add nothing to l where it is not 0, and compute nothing in float32")
    yield from _narrow(tiled_attention)
    yield from _held(tiled_attention)
    yield from _refused_tiles(tiled_attention, Q, K, V)


def _by_hand(attend):
    """d = 4, scores ln 2 and ln 6 after the division by 2: weights 1/4 and 3/4."""
    Q, K = np.array([[2.0, 0, 0, 0]]), np.array([[math.log(2), 1.0, 0, 0], [math.log(6), 0, 5.0, 0]])
    V = np.array([[4.0, 0.0], [0.0, 8.0]])
    for law, columns in (("both keys in one tile", 2), ("a key a tile", 1)):
        reply = ask(attend, Q, K, V, 1, columns)
        yield laws.results(reply, {"output": (1, 2), "logsumexp": (1,)}, f"{law}: ")
        slips = [([[0.4, 7.2]], "the scores are not divided by the root of d, here 2"),
                 ([[4 / (1 + 3**0.5), 8 * 3**0.5 / (1 + 3**0.5)]], "divide by the root of d = 4, not by d"),
                 ([[4 / (1 + 3**2**0.5), 8 - 8 / (1 + 3**2**0.5)]], "the root of d, the width of a key, not of e"),
                 ([[0.75, 4.5]], "divided twice: o stays undivided until the last block of keys"),
                 ([[2.0, 4.0]], "each tile has a softmax of its own here: merge m, l and o, and divide once"),
                 ([[4 / 3, 8.0]], "divide by l at the end"), ([[0.0, 8.0]], "the last tile alone is left: merge"),
                 ([[4.0, 0.0]], "the second tile is not met: the columns go on to S, range(0, S, columns)"),
                 ([[1.0, 4.5]], "divided by l within the loop, o is no sum any more"),
                 ([[3.0, 6.0]], "o was not rescaled when a larger score came")]
        blended = f"{law}, scores ln 2 and ln 6: 1/4 and 3/4 of the values"
        yield laws.equals(blended, laws.result(reply, 0), [[1.0, 6.0]], slips=slips)
        slips = [([math.log(6)], "that is m: it is m + ln l"), ([math.log(4 / 3)], "that is ln l: it is m + ln l"),
                 ([math.log(6) - math.log(4 / 3)], "m + ln l, not m - ln l"),
                 ([math.log(6) + 4 / 3], "take the logarithm of l: m + ln l"),
                 ([math.log(6) + math.log2(4 / 3)], "the natural logarithm, np.log"),
                 ([8.0], "that is the sum of the exponentials: take its logarithm, m + ln l")]
        yield laws.equals(f"{law}: logsumexp is ln(2 + 6)", laws.result(reply, 1), [math.log(8)], slips=slips)


def _divided_early(Q, K, V, columns):
    """What an output that is divided by l behind each tile comes to; with another division at the end, too."""
    m, l, o = np.full(len(Q), -INF), np.zeros(len(Q)), np.zeros((len(Q), V.shape[-1]))
    for j in range(0, len(K), columns):
        scores = Q @ K[j:j + columns].T / math.sqrt(Q.shape[-1])
        own_m, own_l, own_o = _kept(scores, np.broadcast_to(V[j:j + columns], (*scores.shape, V.shape[-1])))
        old, m = m, np.maximum(m, own_m)
        l = np.exp(old - m) * l + np.exp(own_m - m) * own_l
        o = (np.exp(old - m)[:, None] * o + np.exp(own_m - m)[:, None] * own_o) / l[:, None]
    said = "divided by l within the loop: o stays undivided until the last block of keys"
    return [(o, said), (o / l[:, None], said)]


def _held(attend):
    """The most memory that a call has, beside that of all scores: with small tiles, with few rows, with few columns.
    Where rows are taken for columns, the last two tiles are half of all."""
    exchanged = "Are `rows` and `columns` exchanged? rows cut the queries, columns the keys. Or do you hold"
    for T, S, rows, columns, advice in [
        (250, 250, 40, 40, "you hold more than one tile of scores: compute scores within both loops, of `rows` queries "
         "and `columns` keys, and make no mask of numbers in full"),
        (1000, 60, 30, 1000, f"{exchanged} scores, or a mask of numbers, of all queries at once?"),
        (60, 1000, 1000, 30, f"{exchanged} scores, or a mask of numbers, of all keys at once?"),
    ]:
        law = f"{T} queries, {S} keys, tiles of {rows} × {columns}: less than half of what all scores take"
        try:
            with memory.at_most(4 * T * S):
                ask(attend, *laws.random(11, (T, 2), (S, 2), (S, 2)), rows, columns)
        except MemoryError as error:
            yield Verdict(law, False, f"{error}. {advice}")
        else:
            yield Verdict(law, True)


def _to_the_digit(reply, right, names, advice):
    """Twelve digits, of numbers of moderate size."""
    for place, (name, expected) in enumerate(zip(names, right, strict=True)):
        off = np.abs(as_array(laws.result(reply, place)) - expected).max() / np.abs(expected).max()
        yield Verdict(f"float64 came in: twelve digits are right of {name}", off < 1e-12,
                      f"off by a share of {off:.0e}: {advice}")


def _is_right(law, reply, right, advice="", slips=()):
    """Output and logsumexp of a reply, with the slips that are known."""
    output, total = right
    yield _in_one(
        f"{law}: output and logsumexp",
        laws.shape(f"{law}: output {output.shape}", laws.result(reply, 0), output.shape),
        laws.equals(f"{law}: output", laws.result(reply, 0), output, advice or "all keys count, each by its weight",
                    slips),
        laws.shape(f"{law}: logsumexp {total.shape}", laws.result(reply, 1), total.shape, "one number a query"),
        laws.equals(f"{law}: logsumexp", laws.result(reply, 1), total,
                    "it is m + ln l, both merged from all tiles, and not those of the last one"))


def _with_masks(attend, Q, K, V):
    """Masks with holes, an axis of 1, the future, tiles of which all is hidden, queries that see nothing."""
    seen = np.array([[0, 1, 1, 0, 1, 0, 1], [1, 0, 0, 1, 0, 1, 1], [1, 1, 0, 0, 0, 0, 1], [0, 0, 1, 0, 0, 0, 0],
                     [1, 1, 1, 1, 0, 1, 0]], bool)
    nan = "where a tile's largest score is -inf subtract 0 in its place: -inf - (-inf) is nan"
    raised = {"broadcast": "cut the mask as the scores are cut, mask[..., i:i + rows, j:j + columns], when "
              "np.broadcast_to has made it (..., T, S)", "too many indices": "a mask may have fewer axes: make it "
              "np.broadcast_to(mask, (..., T, S)) before it is cut", "": f"is there a nan? {nan}"}
    place = np.arange(7)
    for law, mask in [("a mask with holes", seen), ("the future hidden", np.tri(5, 7, dtype=bool)),
                      ("one row of the mask for all queries", place % 3 != 1), ("a mask of one column, which "
                       "hides nothing", np.ones((5, 1), bool)), ("the first tiles hidden", place > 4),
                      ("all but the first hidden", place < 1), ("the middle ones hidden", np.abs(place - 3) > 1)]:
        for rows, columns in ((2, 3), (5, 7), (1, 2)):
            reply = laws.asked(f"{law}, tiles of {rows} × {columns}", raised, attend, Q, K, V, rows, columns, mask)
            output = laws.result(reply, 0)
            everywhere = np.broadcast_to(mask, (5, 7))
            slips = [(_looked(Q, K, V)[0], "the mask has no effect: True means that one may look")]
            if everywhere.any(axis=1).all() and not everywhere.all(axis=1).any():
                slips.append((_looked(Q, K, V, ~everywhere)[0], "the mask is the wrong way round: True = may look"))
            slips.append((_looked(Q, K, V, _until_hidden(everywhere, rows, columns))[0],
                          "a hidden tile may have visible ones behind it: go on to the next, and do not stop"))
            slips.append((_with_zeros(Q, K, V, everywhere), "a hidden score is -inf: 0 is a score like any other"))
            right = _looked(Q, K, V, everywhere)
            yield laws.equals(f"{law}, tiles of {rows} × {columns}", output, right[0], nan if np.isnan(as_array(
                output).astype(float)).any() else "cut the mask as the scores are cut: its rows and its columns", slips)
            yield laws.equals(f"{law}, tiles of {rows} × {columns}: logsumexp", laws.result(reply, 1), right[1],
                              "over the keys that are seen")
    none = seen.copy()
    none[[0, 3]] = False
    for law, mask in (("two queries that see nothing", none), ("no query sees anything", np.zeros((5, 7), bool))):
        for rows, columns in ((2, 3), (1, 7)):
            reply = laws.asked(f"{law}, tiles of {rows} × {columns}", raised, attend, Q, K, V, rows, columns, mask)
            blind = ~mask.any(axis=1)
            total = as_array(laws.result(reply, 1))
            mean = np.where(blind[:, None], V.mean(axis=0), _looked(Q, K, V, mask)[0])
            slips = [(mean, "a large negative number is not -inf: where all keys have it, all get the same weight")]
            advice = "l is 0 there: divide by l only where it is not"
            yield laws.equals(f"{law}, tiles of {rows} × {columns}: output 0", laws.result(reply, 0),
                              _looked(Q, K, V, mask)[0], advice, slips)
            yield laws.shape(f"{law}: logsumexp (5,)", total, (5,))
            yield _is_empty(f"{law}, tiles of {rows} × {columns}: logsumexp -inf", total[blind],
                            "the logarithm of 0 is -inf, and m is that of the row, not of the whole tile")
            yield laws.equals(f"{law}: the others' is theirs", total[~blind], _looked(Q, K, V, mask)[1][~blind])


def _with_zeros(Q, K, V, mask):
    """The output of who makes hidden scores 0."""
    powers = np.exp(np.where(mask, Q @ K.T / math.sqrt(Q.shape[-1]), 0))
    return powers @ V / powers.sum(axis=1, keepdims=True)


def _until_hidden(mask, rows, columns):
    """What is left of a mask for who stops at the first tile that is hidden."""
    mask = mask.copy()
    for block in (mask[i:i + rows] for i in range(0, len(mask), rows)):
        hidden = [j for j in range(0, mask.shape[1], columns) if not block[:, j:j + columns].any()]
        block[:, min(hidden, default=mask.shape[1]):] = False
    return mask


def _in_front(attend):
    """Axes in front, and masks that have fewer."""
    Q, K, V, chance = laws.random(4, (2, 3, 4, 5), (2, 3, 6, 5), (2, 3, 6, 2), (2, 3, 4, 6))
    seen = (chance > -0.3) | (np.arange(6) == 2)
    for law, mask in [("two sentences of three heads", None), ("and a mask for each", seen), ("and a mask for all",
                      seen[0, 0]), ("and a mask for each sentence, (2, 1, 4, 6)", seen[:, :1])]:
        reply = laws.asked(law, {"mismatch": "np.swapaxes(K, -1, -2): .T turns all axes round"}, attend, Q, K, V, 3, 4,
                           mask)
        yield laws.results(reply, {"output": (2, 3, 4, 2), "logsumexp": (2, 3, 4)}, f"{law}: ",
                           advice="rows and columns are cut in the last axes but one and two: Q[..., i:i + rows, :]")
        right = _looked(Q, K, V, True if mask is None else np.broadcast_to(mask, (2, 3, 4, 6)))
        yield from _is_right(law, reply, right, "np.broadcast_to(mask, (..., T, S)) can be cut like scores")


def _high(attend, Q, K, V):
    """Scores of hundreds, which rise, fall, and are hidden where they are highest."""
    up = np.linspace(-900, 900, 7)[:, None] * np.array([[2.0, 0, 0, 0]])
    high, Q = 3000 * Q, Q / 10 + np.array([1.0, 0, 0, 0])
    for law, keys, mask in [
        ("scores that rise to hundreds, tile by tile", K + up, True), ("scores that fall from there", K - up, True),
        ("the highest hidden", K + up, np.arange(7) < 5),
    ]:
        for columns in (2, 3):
            reply = ask(attend, Q, keys, V, 2, columns, None if mask is True else mask)
            right = _looked(Q, keys, V, np.broadcast_to(mask, (5, 7)))
            advice = "the largest *visible* score so far is taken off before np.exp, and what was there is rescaled"
            yield laws.equals(f"{law}, {columns} columns", laws.result(reply, 0), right[0], advice)
            yield laws.equals(f"{law}, {columns} columns: logsumexp", laws.result(reply, 1), right[1], advice)
    for law, queries, keys, values in [("rows of one tile thousands apart", high, K, 500 * V), (
            "sentences of one batch thousands apart", Q * [[[1]], [[3000]]], np.stack([K, K]), np.stack([V, V]))]:
        reply, right = ask(attend, queries, keys, values, 2, 3), _looked(queries, keys, values)
        own = "each row has an m of its own, the largest score of that row: scores.max(axis=-1)"
        yield laws.equals(law, laws.result(reply, 0), right[0], own)
        yield laws.equals(f"{law}: logsumexp", laws.result(reply, 1), right[1], own)
    reply, right = ask(attend, Q, K - 900, V, 2, 3), _looked(Q, K - 900, V)
    begun = "begin with m = -inf: with 0 in its place all scores far below 0 are lost"
    yield laws.equals("all scores far below 0", laws.result(reply, 0), right[0], begun)
    yield laws.equals("all scores far below 0: logsumexp", laws.result(reply, 1), right[1], begun)


def _narrow(attend):
    """One query, one key, widths of one; none."""
    for law, front, T, S, d, e in [
            ("one query", (), 1, 5, 3, 2), ("one key", (2,), 4, 1, 3, 2), ("widths of one", (2,), 3, 4, 1, 1),
            ("three of each", (3,), 3, 3, 3, 3), ("one head", (1,), 3, 4, 2, 5)]:
        Q, K, V = laws.random(5, (*front, T, d), (*front, S, d), (*front, S, e))
        reply = ask(attend, Q, K, V, 2, 2)
        yield laws.results(reply, {"output": (*front, T, e), "logsumexp": (*front, T)}, f"{law}: ",
                           advice="axes of length 1 stay")
        yield from _is_right(law, reply, _looked(Q, K, V))
    Q, K, V = laws.random(6, (2, 3, 4), (2, 0, 4), (2, 0, 5))
    law, allowed = "no key at all, S = 0", {"": "no key at all is allowed: output 0 and logsumexp -inf, no ValueError"}
    reply = laws.asked(law, allowed, attend, Q, K, V, 2, 2)
    yield laws.equals("no key at all: output 0", laws.result(reply, 0), np.zeros((2, 3, 5)))
    yield laws.shape("no key at all: logsumexp (2, 3)", laws.result(reply, 1), (2, 3))
    yield _is_empty("no key at all: logsumexp -inf", laws.result(reply, 1), "the logarithm of 0 is -inf")


def _refused_tiles(attend, Q, K, V):
    """What is no tile, no mask, no number, or does not fit."""
    ones = np.ones((5, 7))
    for law, args in [("tiles of 0 rows", (Q, K, V, 0, 2)), ("tiles of 0 columns", (Q, K, V, 2, 0)),
                      ("tiles of -1 rows", (Q, K, V, -1, 2)), ("tiles of -1 columns", (Q, K, V, 2, -1))]:
        yield laws.refuses(f"{law}: ValueError", attend, args, [], "a tile has at least one row and one column")
    yield laws.refuses("a mask of numbers: ValueError", attend, (Q, K, V, 2, 3, ones), [], "ask mask.dtype")
    fit = "compare the sizes before the loop: a slice that is too short says nothing"
    for law, args in [("a mask of 6 columns for 7 keys", (Q, K, V, 2, 3, ones[:, :6] > 0)),
                      ("queries and keys of different widths", (Q[:, :3], K, V, 2, 3)),
                      ("more values than keys", (Q, K[:6], V, 2, 3)), ("fewer values than keys", (Q, K, V[:6], 2, 3)),
                      ("values of another batch", (Q[None] + np.zeros((2, 1, 1)), K[None] + np.zeros((2, 1, 1)),
                                                   V[None], 2, 3)),
                      ("queries of another batch", (Q[None], K[None] + np.zeros((2, 1, 1)),
                                                    V[None] + np.zeros((2, 1, 1)), 2, 3))]:
        yield laws.refuses(f"{law}: ValueError", attend, args, [], fit)
    for name, place in (("Q", 0), ("K", 1), ("V", 2)):
        for wrong in (np.nan, INF):
            args = [Q.copy(), K.copy(), V.copy(), 2, 3]
            args[place][3, 1] = wrong
            advice = "np.isfinite(array).all(), before the loop"
            yield laws.refuses(f"{wrong} in {name}: ValueError", attend, args, [], advice)


def _looked(Q, K, V, seen=True):
    """Output and logsumexp from all scores at once, query by query."""
    seen = np.broadcast_to(seen, (*Q.shape[:-1], K.shape[-2]))
    output, total = np.zeros((*Q.shape[:-1], V.shape[-1])), np.full(Q.shape[:-1], -INF)
    for place in np.ndindex(Q.shape[:-1]):
        keys, values = K[place[:-1]][seen[place]], V[place[:-1]][seen[place]]
        if len(keys):
            scores = keys @ Q[place] / math.sqrt(Q.shape[-1])
            total[place] = np.logaddexp.reduce(scores)
            output[place] = np.exp(scores - total[place]) @ values
    return output, total


# tiled_attention_backward: not graded


@visible_check
def tiled_attention_backward(tiled_attention_backward):
    Q, K, V, d_output, chance = laws.random(7, (2, 5, 4), (2, 7, 4), (2, 7, 3), (2, 5, 3), (2, 5, 7))
    masks = [("no mask", None), ("a mask with holes", (chance > -0.2) & (np.arange(5) != 2)[:, None])]
    for law, mask in masks:
        seen = np.broadcast_to(True if mask is None else mask, (2, 5, 7))
        output, total = _looked(Q, K, V, seen)
        right = _slopes(d_output, Q, K, V, seen, output, total)
        without_D = _slopes(d_output, Q, K, V, seen, 0 * output, total)
        unmasked = _slopes(d_output, Q, K, V, seen | True, output, np.where(np.isneginf(total), 0, total))
        for rows, columns in ((5, 7), (2, 3), (1, 4), (9, 9)):
            reply = ask(tiled_attention_backward, d_output, Q, K, V, output, total, rows, columns, mask)
            shapes = {"d_Q": Q.shape, "d_K": K.shape, "d_V": V.shape}
            yield laws.results(reply, shapes, f"{law}, tiles of {rows} × {columns}: ")
            for place, name in enumerate(shapes):
                advice = {"d_Q": "a sum over the tiles of its row of tiles, times K, over the root of d",
                          "d_K": "a sum over the tiles of its column of tiles, times Q, over the root of d",
                          "d_V": "weights, which are exp(score - logsumexp), transposed, times d_output"}[name]
                slips = [(unmasked[place], "the mask has no effect: where it is False the weight is 0")]
                slips += [(right[place] * 2, "the root of d = 4 is missing"),
                          (right[place] / 2, "the root of d stands there twice"),
                          (without_D[place], "D is missing: dS = P · (dO · v - D)")] if name != "d_V" else []
                if np.isnan(as_array(laws.result(reply, place)).astype(float)).any():
                    advice = "a query that sees nothing has the logsumexp -inf: take 0 in its place, and weights of 0"
                yield laws.equals(f"{law}, tiles of {rows} × {columns}: {name}", laws.result(reply, place),
                                  right[place], advice, slips)


def _slopes(d_output, Q, K, V, seen, output, total):
    """The gradients, query by query and key by key."""
    d_Q, d_K, d_V = np.zeros(Q.shape), np.zeros(K.shape), np.zeros(V.shape)
    for b, i, j in np.argwhere(seen):
        weight = math.exp(Q[b, i] @ K[b, j] / math.sqrt(Q.shape[-1]) - total[b, i])
        slope = weight * (d_output[b, i] @ (V[b, j] - output[b, i])) / math.sqrt(Q.shape[-1])
        d_V[b, j] += weight * d_output[b, i]
        d_Q[b, i] += slope * K[b, j]
        d_K[b, j] += slope * Q[b, i]
    return d_Q, d_K, d_V


# words_moved


@visible_check
def words_moved(words_moved):
    wide = "keys and values are read once for each block of rows, however wide the tiles are"
    slips = [(312, "values are read as well as keys: 2 · 12 · 5 for each of the three blocks"),
             (252, "keys and values are read anew for each of the three blocks of rows"),
             (612, "three blocks of four rows hold twelve queries: no fourth one"),
             (372, "count blocks of rows, not of columns"), (480, "the logsumexp is missing: 12 numbers"),
             (516, "each query has one logsumexp, which is written once: 12 in all"),
             (432, "the queries, or the output, are missing: 12 · 5 of each"),
             (420, "output and logsumexp are written, too"), (636, "the scores stay in fast memory"),
             (552, "the queries of a block stay in fast memory while all keys go by"), (732, wide),
             (816, "that is the count without tiles"), (1968, "count words, not bytes")]
    yield laws.same("N = 12, d = 5, tiles of 4 × 10: 60 + 3 · 120 + 60 + 12 = 492", ask(words_moved, 12, 5, 4, 10), 492,
                    "queries once, keys and values for each block of rows, output and logsumexp", slips,
                    "what / and np.ceil give is a float: // and math.ceil give whole numbers")
    others = [ask(words_moved, 8, 4, 4, columns).value for columns in (8, 1)]
    yield laws.same("columns make no difference: 4 × 8, and 4 × 1", others, [200, 200],
                    "the same keys and values, in another number of pieces")
    up = "rounded up: a last block of fewer rows reads all keys and values, too. -(-N // rows), or math.ceil"
    for args, right in [((8, 4, 3, 2), 264), ((8, 4, 5, 2), 200), ((8, 4, 8, 2), 136), ((8, 4, 9, 2), 136),
                        ((8, 4, 1, 2), 584), ((9, 4, 8, 4), 225), ((7, 1, 3, 5), 63), ((1, 4, 1, 1), 17),
                        ((1, 1, 6, 6), 5), ((10, 3, 7, 1), 190)]:
        N, d, rows, _ = args
        law = f"N = {N}, d = {d}, tiles of {rows} × {args[3]}: {right}"
        yield laws.same(law, ask(words_moved, *args), right, up, kinds="a whole number")
    for rows, right in [(16, 8520704), (64, 2229248), (128, 1180672), (256, 656384)]:
        yield laws.same(f"N = 1024, d = 64, {rows} rows: {right:,}", ask(words_moved, 1024, 64, rows, 64), right, up)
    yield laws.same("131,072 queries of width 128, 1000 rows", ask(words_moved, 131072, 128, 1000, 64), 4462870528, up)
    for place, name in enumerate(("N", "d", "rows", "columns")):
        for wrong in (0, -2):
            args = [8, 4, 4, 2]
            args[place] = wrong
            yield laws.refuses(f"{name} = {wrong}: ValueError", words_moved, args, [], "each is at least 1")


# window_mask


@visible_check
def window_mask(window_mask):
    place = np.arange(4)
    right = np.array([[1, 0, 0, 0], [1, 1, 0, 0], [0, 1, 1, 0], [0, 0, 1, 1]], bool)
    slips = [(np.tri(4), "the window has no effect: a query sees itself and the window - 1 positions before it"),
             (np.tri(4) - np.tri(4, k=-3), "a window of 2 is the query itself and *one* position before it"),
             (np.eye(4), "a window of 2 is the query itself and one position before it"),
             (np.eye(4, k=-1), "a query sees itself, too"), (np.eye(4, k=-1) + np.eye(4, k=-2), "a query sees itself"),
             (~right, "True means that one may look"), (right.T, "rows are queries, and they look back"),
             (right | right.T, "nobody looks at what comes after"), (1 - np.tri(4, k=-2), "j <= p is missing: nobody "
              "looks at what comes after"), (place[:, None] - 2 < place & (place <= place[:, None]), "& goes before <: "
              "put each comparison in brackets, (p - window < j) & (j <= p)"),
             (np.tri(4, k=-2), "you show what lies before the window")]
    reply = ask(window_mask, 4, 4, 2)
    yield laws.shape("four tokens: (4, 4)", reply, (4, 4))
    sees = "the query at position p sees p - window + 1 to p"
    yield laws.equals("a window of 2: oneself and the one before", reply, right, sees, slips)
    law = "the mask is boolean"
    yield Verdict(law, as_array(reply.value).dtype == bool, "return the comparison itself, or .astype(bool)")
    slips = [([[1, 0, 0, 0, 0], [1, 1, 0, 0, 0]], "past has no effect: query i stands at position past + i"),
             ([[0, 1, 1, 0, 0], [0, 0, 1, 1, 0]], "query i stands at position past + i, counted from 0"),
             ([[0, 0, 0, 1, 0], [0, 0, 0, 1, 1]], "query i stands at position past + i, wherever the keys end")]
    yield laws.equals("two queries behind past = 3, five keys: positions 2, 3 and 3, 4", ask(window_mask, 2, 5, 2, 3),
                      [[0, 0, 1, 1, 0], [0, 0, 0, 1, 1]], sees, slips)
    yield laws.equals("a window of 1: oneself alone", ask(window_mask, 3, 3, 1), np.eye(3), sees)
    for T, S, window, past in [(3, 3, 3, 0), (3, 3, 2, 0), (3, 3, 9, 0), (2, 5, 5, 3), (2, 5, 4, 3), (2, 5, 3, 3),
                               (2, 5, 2, 1), (5, 3, 2, 0), (5, 3, 3, 0), (2, 3, 3, 4), (1, 4, 2, 3), (3, 1, 2, 0),
                               (1, 1, 1, 0), (3, 8, 4, 2), (0, 3, 2, 0), (2, 0, 2, 1), (1, 6, 4, 5), (3, 6, 1, 2)]:
        law = f"T = {T}, S = {S}, window {window}, past {past}"
        law += ": all of the past" if window >= S and T + past == S else ""
        yield laws.equals(law, ask(window_mask, T, S, window, past), _window(T, S, window, past), sees)
    for law, args in [("a window of 0", (3, 5, 0)), ("a window of -1", (3, 5, -1)), ("T = -1", (-1, 5, 2)),
                      ("S = -1", (3, -1, 2)), ("past = -1", (3, 5, 2, -1))]:
        yield laws.refuses(f"{law}: ValueError", window_mask, args, [], "there is no such window")


def _window(T, S, window, past):
    mask = np.zeros((T, S), bool)
    for i, p in enumerate(range(past, past + T)):
        mask[i, [j for j in range(p - window + 1, p + 1) if 0 <= j < S]] = True
    return mask


# rolling_write


@visible_check
def rolling_write(rolling_write):
    cache, new = np.arange(10.0, 60.0, 10)[:, None], np.array([[1.0], [2.0], [3.0]])
    reply = ask(rolling_write, cache, new, 1)
    yield laws.shape("five slots of width 1: (5, 1)", reply, (5, 1))
    modulo = [[3], [1], [2], [40], [50]], "modulo S, the number of slots, not T, that of the new tokens"
    slips = [modulo, ([[2], [1], [30], [40], [3]], "the others follow the first: index + np.arange(T), not minus"),
             ([[10], [20], [1], [2], [3]], "index is the position of the first new token itself"),
             ([[40], [50], [1], [2], [3]], "nothing is pushed: the position says where a token lies"),
             ([[1], [2], [3], [40], [50]], "index has no effect, or is taken one too low: positions count from 0"),
             ([[0], [1], [2], [3], [0]], "the other slots keep what they had"),
             ([[10], [21], [32], [43], [50]], "a new token takes the place of the old one"),
             ([[10], [3], [2], [1], [50]], "the first new token goes to `index`, the others behind it"),
             ([[2], [3], [30], [40], [1]], "index is the position of the first new token, not of the last")]
    yield laws.equals("three tokens at position 1: slots 1, 2, 3", reply, [[10], [1], [2], [3], [50]],
                      slips=[(np.array(each, float), said) for each, said in slips])
    round_the_end = [[2], [3], [30], [40], [1]]
    slips = [modulo,
             ([[10], [20], [30], [40], [1]], "what lies beyond the end is lost: behind the last slot comes the first"),
             ([[10], [20], [30], [40], [3]], "tokens pile up in the last slot: behind it comes the first"),
             ([[40], [50], [1], [2], [3]], "nothing is pushed: position p goes into slot p modulo S")]
    for index in (4, 9, 504):
        law = f"at position {index}: slots 4, 0, 1"
        reply = laws.asked(law, {"": "each position is taken modulo S = 5: (index + np.arange(T)) % S"},
                           rolling_write, cache, new, index)
        yield laws.equals(law, reply, round_the_end, "position p goes into slot p modulo S, each by itself",
                          [(np.array(each, float), said) for each, said in slips])
    for index in (0, 2, 3, 5, 8):
        yield laws.equals(f"at position {index}", ask(rolling_write, cache, new, index), _written(cache, new, index))
    full = np.arange(1.0, 6.0)[:, None]
    for index in (0, 3, 5, 12):
        law, allowed = f"as many tokens as slots, at position {index}", {"": "T = S is all right: refuse T > S alone"}
        yield laws.equals(law, laws.asked(law, allowed, rolling_write, cache, full, index),
                          _written(cache, full, index))
    yield from _heads(rolling_write)
    for law, args in [("six tokens for five slots", (cache, np.ones((6, 1)), 0)),
                      ("an index of 1.5", (cache, new, 1.5)), ("tokens of another width", (cache, np.ones((3, 2)), 0)),
                      ("indices of floats", (cache[None], new[None], np.array([1.0]))),
                      ("three indices for two sentences", (np.ones((2, 5, 1)), np.ones((2, 3, 1)), np.arange(3))),
                      ("new tokens of one sentence, a cache of two", (np.ones((2, 5, 1)), np.ones((1, 3, 1)), 0)),
                      ("new tokens of two heads, a cache of three", (np.ones((2, 3, 5, 1)), np.ones((2, 2, 3, 1)), 0))]:
        yield laws.refuses(f"{law}: ValueError", rolling_write, args, [], "look at shapes and types before you write")


def _heads(write):
    """A batch of heads, one index for all or one for each sentence; sizes of one."""
    for law, front, S, T, d, index in [
        ("two sentences of three heads", (2, 3), 5, 2, 4, 4), ("an index for each of two sentences", (2, 3), 5, 2, 4,
                                                               np.array([4, 11])),
        ("an index for each of four, no heads", (4,), 3, 2, 2, np.array([0, 2, 7, 4])), ("one token", (2,), 4, 1, 3, 7),
        ("one slot", (2,), 1, 1, 3, 5), ("one sentence with its index", (1, 2), 4, 3, 1, np.array([6])),
        ("three of each", (3,), 3, 3, 3, np.array([1, 5, 3])), ("no new token: the cache as it was", (2,), 3, 0, 2, 1),
        ("two sentences, two axes more", (2, 3, 2), 4, 3, 2, np.array([3, 5]))]:
        cache, new = laws.random(8, (*front, S, d), (*front, T, d))
        slips = [(_written(cache, new, int(np.ravel(index)[0])), "each sentence has a position of its own")]
        words = {"": "an index (B,) needs axes for what lies between it and the slots, or a loop over sentences"
                 if np.ndim(index) else "one index is that of all sentences, and T = 0 and T = S are all right"}
        yield laws.equals(law, laws.asked(law, words, write, cache, new, index), _written(cache, new, index),
                          "the slots are the last axis but one, and the first axis in front has the sentences", slips)
    cache, new = 5000 + laws.random(9, (2, 4, 3))[0], laws.random(10, (2, 3, 3))[0] / 1000
    law, reply = "large numbers in the cache, small new ones", ask(write, cache, new, 2)
    yield laws.equals(law, reply, _written(cache, new, 2))
    yield Verdict(f"{law}: to the last digit", np.array_equal(reply.value, _written(cache, new, 2)),
                  "numbers are copied as they are, and not through float32")


def _written(cache, new, index):
    """Token by token."""
    after = np.array(cache)
    for t in range(new.shape[-2]):
        for b, first in enumerate(np.ravel(index)):
            rows = b if np.ndim(index) else slice(None)
            slot = int(first + t) % cache.shape[-2]
            if cache.ndim == 2:
                after[slot] = new[t]
            else:
                after[rows, ..., slot, :] = new[rows, ..., t, :]
    return after


# cache_bytes


@visible_check
def cache_bytes(cache_bytes):
    slips = [(4620, "a value is kept beside each key: 2"), (3080, "each of the 3 layers has a cache of its own"),
             (1848, "each of the 5 groups has a cache of its own"), (1320, "a key has 7 numbers, and so has a value"),
             (2310, "each number takes 4 bytes"), (73920, "size is in bytes, and not in bits"),
             (1155, "size is in bytes, and not in bits"), (101640, "tokens count once: no scores are kept")]
    yield laws.same("3 layers, 5 groups of width 7, 11 tokens in 32 bits: 2 · 3 · 5 · 7 · 11 · 4 = 9240",
                    ask(cache_bytes, 3, 5, 7, 11, 4), 9240, "2 · layers · groups · d · tokens · size", slips,
                    "a whole number")
    yield laws.same("3 layers, 4 groups of width 5, 7 tokens in 16 bits: 1680", ask(cache_bytes, 3, 4, 5, 7, 2), 1680,
                    "2 · layers · groups · d · tokens · size", (), "a whole number")
    slips = [(1680, "the window has no effect: at most so many tokens are kept"),
             (480, "the window holds the newest token, too: 3 tokens, not 2")]
    yield laws.same("with a window of 3 tokens: 720", ask(cache_bytes, 3, 4, 5, 7, 2, 3), 720,
                    "the smaller of tokens and window", slips, "a whole number")
    full = "a number of 32 bits is full here: multiply Python's own numbers, which have no end"
    yield laws.same("80, 8, 128, 131,071 tokens, 2 bytes: 42,949,345,280", ask(cache_bytes, 80, 8, 128, 131071, 2),
                    42949345280, "2 · layers · groups · d · tokens · size", [(-327680, full), (4294639616, full)],
                    "a whole number")
    for args, right in [((3, 4, 5, 7, 2, 7), 1680), ((3, 4, 5, 7, 2, 8), 1680), ((3, 4, 5, 7, 2, 900), 1680),
                        ((3, 4, 5, 7, 2, 6), 1440), ((3, 4, 5, 7, 2, 1), 240), ((1, 4, 5, 7, 2), 560),
                        ((3, 1, 5, 7, 2), 420), ((3, 4, 1, 7, 2), 336), ((3, 4, 5, 1, 2), 240), ((3, 4, 5, 7, 1), 840),
                        ((3, 4, 5, 0, 2), 0), ((3, 4, 5, 0, 2, 6), 0), ((3, 4, 5, 1, 2, 1), 240),
                        ((2, 3, 4, 6, 4, 5), 960)]:
        law = "layers, groups, d, tokens, size{}: {}".format(*(
            (", window", ", ".join(map(str, args))) if len(args) > 5 else ("", ", ".join(map(str, args)))))
        raised = {"": "no number here is to be refused: of 0 tokens a cache has 0 bytes"}
        yield laws.same(law, laws.asked(law, raised, cache_bytes, *args), right, "the smaller of tokens and window, "
                        "times the other five numbers", kinds="a whole number")
    for place, name in [(0, "layers"), (1, "groups"), (2, "d"), (4, "size"), (5, "window")]:
        for wrong in (0, -2):
            args = [3, 4, 5, 7, 2, 6]
            args[place] = wrong
            yield laws.refuses(f"{name} = {wrong}: ValueError", cache_bytes, args, [], "it is at least 1")
    yield laws.refuses("tokens = -1: ValueError", cache_bytes, (3, 4, 5, -1, 2), [], "there are no fewer than 0")
