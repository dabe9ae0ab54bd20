"""The visible checks of lab 17. Each takes the student's function and states the laws that it should keep.

Of other weights there are many that are right, so they are judged by what they are and do: `broken`, which the hidden
check asks too. Everything else is worked out entry by entry.
"""

import numpy as np

from coursekit.check import CheckFailed, as_array, ask, laws, visible_check
from coursekit.verdicts import Verdict, misfit

SMALL = 1e-3  # a weight that one may take for none
LEAST = {"float16": 1e-2, "float32": 1e-5, "float64": 1e-10}  # what a law may be off, where values are about 1
OWN_TYPE = ("NumPy's own numbers and new arrays, such as np.eye(3), promote what they meet to float64: "
            "np.eye(T, dtype=weights.dtype)")


# other_weights


ONES = "u keeps the output and does not sum to 0: a column of ones beside V"
ROW = "the output changes, too: is u the last row of np.linalg.svd(A)[2], with full matrices, with V and ones in A?"
HIDDEN = "; positions without weight are left out before, not set to 0 afterwards"
PUSHED = ("a weight was set to 0 that the step does not bring there: t is above 0, the smallest w_j / -u_j of the "
          "weights that fall, and its j becomes 0")
CUT = "your step went too far and was cut off at 0: the first weight to reach 0 ends it"
FAINT = "a small weight was left out: it counts as soon as it is above 0"
SHAPES = ("A is (e + 1, n), for the first three weights here (2, 3), with the positions in its columns; u has n "
          "entries, the last row of svd(A)[2]")
TURNED = "you went along -u with a step that was measured for +u"


@visible_check
def other_weights(other_weights):
    weights, V = np.array([0.5, 0.25, 0.25]), np.array([[0.0], [1.0], [2.0]])
    reply = _answered("weights 1/2, 1/4, 1/4 of values 0, 1, 2", other_weights, weights, V, SHAPES)
    yield laws.shape("three positions: it returns three weights", reply, (3,), SHAPES)
    other, both = as_array(reply.value), "(5/8, 0, 3/8) and (1/4, 3/4, 0) are the two right answers"
    law = "weights 1/2, 1/4, 1/4 of values 0, 1, 2: none of the new ones is below 0"
    turned = [((0.75, -0.25, 0.5), TURNED), ((0.375, 0.5, 0.125), TURNED)]
    first = "of the weights that fall the first to reach 0 ends the step"
    yield Verdict(law, bool((other > -1e-10).all()),
                  f"{laws.got(reply)}: {laws.slip(reply, turned, first)}; {both}")
    yield laws.sums("they sum to 1", reply.value, 1, f"{_why_no_sum(other, weights, V, 1e-10)}; {both}")
    yield laws.equals("they lead to the output 0.75, as those that came in", other @ V, [0.75],
                      f"{laws.got(reply)}: (1, -2, 1) changes neither the sum nor the output; {both}")
    yield Verdict("and one of them has become 0", bool((other < 1e-10).any()),
                  f"{laws.got(reply)}: {laws.slip(reply, turned, 'go on until the first weight is 0')}; {both}")
    yield from _heads(other_weights)
    yield from _no_others(other_weights)


def _heads(other_weights):
    """Heads of several kinds, judged by all laws together."""
    V, low, numbers = laws.random(1, (12, 4), (6, 2), (12,))
    w = numbers**2 + 0.3
    masked = np.where(np.arange(12) % 3 == 1, 0, w)
    for law, weights, values in [
        ("twelve positions, values of width 4", w, V),
        ("six positions, values of width 4: one more than there must be", w[:6], V[:6]),
        ("a mask with holes: positions without weight stay without", masked, V),
        ("large values", w[:9], 300 * V[:9]),
        ("values of width 8 that depend on one another, of rank 2", w[:6], low @ np.tile(V[:2], 2)),
        ("the same, one position without weight", np.where(np.arange(6) == 2, 0, w[:6]), low @ np.tile(V[:2], 2)),
        ("equal values: one position is enough", w[:3], np.full((3, 2), 1.5)),
        ("four of them, one hidden", np.where(np.arange(4) == 0, 0, w[:4]), np.full((4, 2), 1.5)),
        ("two of four have weight and the same value, where all four rows of [V, 1] have rank 3",
         np.array([1.0, 1, 0, 0]), np.array([[1.0, 2], [1, 2], [0, 1], [1, 1]])),
        ("a weight of 1e-7 is a weight", np.where(np.arange(9) == 4, 1e-7 * w[:9].sum(), w[:9]), V[:9]),
        ("two positions with the same value", w[:2], np.ones((2, 1))),
        ("in float32", w.astype(np.float32), V.astype(np.float32)),
    ]:
        weights = weights / weights.sum()
        reply = _answered(law, other_weights, weights, values)
        yield Verdict(law, not (said := _judged(reply, weights, values)), said)


def _answered(law, other_weights, weights, V, more="a weight of 0 is allowed; a sum is 1 up to rounding: np.isclose"):
    """`ask`, where a refusal needs a word more."""
    try:
        return ask(other_weights, weights, V)
    except IndexError as error:
        raise CheckFailed(f"{law}\n  IndexError: {error}\n  {SHAPES}") from error
    except ValueError as error:
        raise CheckFailed(f"{law}: there are other weights\n  ValueError: {error}\n  compare the number of positions "
                          "with weight with the rank of their rows of [V, 1], not of all rows and not with a width; "
                          f"{more}") from error


def _judged(reply, weights, V):
    if reply.value is None:
        return "it returned None: is there a return statement?"
    if wrong := misfit(reply.value, weights):
        return wrong
    return broken(as_array(reply.value), weights, V, LEAST[reply.precision])


def _no_others(other_weights):
    V, numbers = laws.random(2, (7, 5), (7,))
    w = np.abs(numbers) + 0.2
    for law, weights, values in [
        ("three positions, values of width 4", w[:3], V[:3, :4]),
        ("as many positions as the rank of [V, 1]: six, values of width 5", w[:6], V[:6]),
        ("one position", w[:1], V[:1]), ("two positions, values 1 and 2", w[:2], np.array([[1.0], [2.0]])),
        ("seven positions of which three have weight, values of width 3", w * (np.arange(7) % 3 == 0), V[:, :3]),
        ("a single position with weight", w * (np.arange(7) == 4), V),
    ]:
        yield laws.refuses(f"{law}: ValueError", other_weights, (weights / weights.sum(), values), [],
                           "the output and the sum allow these weights alone")
    for law, weights in [("a weight below 0", [0.5, -0.1, 0.6]), ("one just below 0", [0.5, -0.001, 0.501]),
                         ("weights whose sum is not 1", [0.5, 0.2, 0.2])]:
        yield laws.refuses(f"{law}: ValueError", other_weights, (np.array(weights), np.ones((3, 2))), [],
                           "those are no weights of a softmax")


def broken(other, weights, V, least):
    """The first law that other weights (n,) do not keep, in words; "" where all hold."""
    other, weights, V = (np.asarray(each, float) for each in (other, weights, V))
    if not np.abs(other).max(initial=0) < 1e9:
        return "a weight is nan, or far from 0 to 1"
    moved = np.abs((other - weights) @ V).max() / max(1.0, np.abs(V).max())
    whole = abs(other.sum() - 1) <= least
    judged = {
        "a weight is below 0: which of all weights that fall is the first to reach 0?": (other >= -least).all(),
        f"they sum to {other.sum():.10g}: {'' if whole else _why_no_sum(other, weights, V, least)}": whole,
        "they lead to another output: change them along a direction that changes none": moved <= least,
        "a position without weight got some: leave it out": (np.abs(other[weights == 0]) <= least).all(),
        _unmoved(other, weights, least): (other[weights > 0] <= least).any(),
    }
    return next((law for law, holds in judged.items() if not holds), "")


def _why_no_sum(other, weights, V, least):
    """What to say where weights (n,) do not sum to 1: of the slips that lead there the one that fits."""
    lost = np.cumsum(np.sort(weights[weights > 0]))[:-1]  # where the smallest are left out
    if (np.abs(1 - other.sum() - lost[lost < SMALL]) <= least).any():
        return FAINT
    if np.abs((other - weights) @ V).max() <= least * max(1.0, np.abs(V).max()):
        return ONES
    held = np.column_stack([V, np.ones(len(V))])[weights > 0]
    ways = np.linalg.svd(held, full_matrices=True)[0][:, np.linalg.matrix_rank(held):]  # (n, n - rank): what u may be
    change, uncut = (other - weights)[weights > 0], other[weights > 0] > least
    along = ways[uncut] @ np.linalg.lstsq(ways[uncut], change[uncut], rcond=None)[0]
    fits = np.abs(along - change[uncut]).max(initial=0) <= 1e3 * least
    if fits and other.sum() > 1:  # what is cut off at 0 was below it
        return CUT
    if fits and np.abs(along).max(initial=0) > least:
        return PUSHED
    return ROW + (HIDDEN if (weights == 0).any() else "")


def _unmoved(other, weights, least):
    """What to say where no weight became 0."""
    if (weights == 0).any() and (np.abs(other - weights) <= least).all():
        return ("no weight became 0, your step ended at t = 0: a position without weight 'falls' too, so take such "
                "positions out before the SVD")
    return "no weight became 0: go on until the first does"


# previous_token_score


@visible_check
def previous_token_score(previous_token_score):
    w = np.array([[0.5, 0.3, 0.2], [0.7, 0.2, 0.1], [0.1, 0.6, 0.3]])
    slips = [(1.3 / 3, "you divided by 3: the first row has no position before it, so two rows count"),
             (0.7, "the last row counts, too"),
             (0.5, "row 0 looked at w[0, -1], the last column: begin with row 1"),
             (1.3, "this is the sum: take the mean"),
             (0.2, "you read w[i - 1, i], the next position: it is w[i, i - 1]"),
             (1 / 3, "this is the diagonal, each position's weight on itself"),
             (1.0, "you counted rows whose largest weight lies there: take the mean of the weights")]
    reply = ask(previous_token_score, w)
    yield laws.equals("rows (.5, .3, .2), (.7, .2, .1), (.1, .6, .3): the mean of .7 and .6 is .65", reply, 0.65,
                      slips=slips)
    yield laws.equals("a head that always looks at the position before has the score 1", ask(
        previous_token_score, np.eye(6, k=-1) + np.eye(6) * (np.arange(6) == 0)), 1.0)
    maps = _looks(3, 2, 4, 5)
    advice = "one score for each map: the axes in front stay, (..., T, T) becomes (...)"
    reply = ask(previous_token_score, maps)
    yield laws.shape("two texts, four heads, five positions: (2, 4) scores", reply, (2, 4), advice)
    yield laws.equals("and each is that of its map", reply, _before(maps), advice)
    cut = maps[:, :3, :3, :3]
    yield laws.equals("as many heads as positions", ask(previous_token_score, cut), _before(cut), advice)
    reply = ask(previous_token_score, np.float32(maps))
    yield laws.equals("in float32", reply, _before(maps), advice)
    for one in (maps[:1], maps[:, :1], maps[:1, :1]):
        law = f"axes of one stay, too: {one.shape} becomes {one.shape[:2]}"
        yield laws.shape(law, ask(previous_token_score, one), one.shape[:2], "no np.squeeze")
    yield laws.equals("two positions: one row counts", ask(previous_token_score, w[:2, :2]), 0.7)
    for law, wrong in [("maps of 3 rows and 4 columns", maps[..., :3, :4]),
                       ("of 5 rows and 4 columns", maps[0, ..., :4]),
                       ("a single position", maps[..., :1, :1])]:
        yield laws.refuses(f"{law}: ValueError", previous_token_score, (wrong,), [], "no score, but an error")


def _before(maps):
    """Two axes in front, entry by entry."""
    return [[np.mean([one[i, i - 1] for i in range(1, len(one))]) for one in each] for each in maps]


def _looks(seed, *shape):
    """Weights (..., T, T), each above 0."""
    (numbers,) = laws.random(seed, (*shape, shape[-1]))
    return np.exp(numbers - np.log(np.exp(numbers).sum(axis=-1, keepdims=True)))


# induction_score


@visible_check
def induction_score(induction_score):
    w = _looks(4, 8)
    reply = ask(induction_score, w, 3)
    law = "period 3, eight positions: the mean of w[3, 1], w[4, 2], w[5, 3], w[6, 4], w[7, 5]"
    yield laws.equals(law, reply, _along(w, 3, 1), slips=_slips(w, 3))
    made = np.zeros((7, 7))
    made[[0, 1, 2, 3, 4, 5, 6], [0, 0, 0, 1, 2, 3, 4]] = 1
    yield laws.equals("abcabca, and a head that looks one after the last time: 1", ask(induction_score, made, 3), 1.0,
                      "the rows 0, 1, 2 do not count: what they hold has not stood before")
    maps = _looks(5, 2, 4, 9)
    right = [[_along(one, 4, 1) for one in each] for each in maps]
    advice = "one score for each map: the axes in front stay, (..., T, T) becomes (...)"
    reply = ask(induction_score, maps, 4)
    yield laws.shape("two texts, four heads: (2, 4) scores", reply, (2, 4), advice)
    yield laws.equals("and each is that of its map", reply, right, advice)
    for one in (maps[:1], maps[:, :1], maps[:1, :1]):
        law = f"axes of one stay, too: {one.shape} becomes {one.shape[:2]}"
        yield laws.shape(law, ask(induction_score, one, 4), one.shape[:2], "no np.squeeze")
    yield laws.equals("a third round counts too, also one that ends early", ask(induction_score, maps[0, 0], 3),
                      _along(maps[0, 0], 3, 1), "all rows from `period` to the last")
    yield laws.equals("a period of 1, in float32: a head that looks at itself", ask(
        induction_score, np.float32(maps), 1), [[_along(one, 1, 1) for one in each] for each in maps])
    yield laws.equals("period 8 of nine positions: one row counts", ask(induction_score, maps, 8), maps[..., 8, 1])
    for period in (0, -1, 9, 10):
        yield laws.refuses(f"nine positions, period {period}: ValueError", induction_score, (maps, period), [],
                           "it is 1 at least, and below T, else no row counts")
    for wrong in (maps[..., :8], maps[..., :6, :]):
        yield laws.refuses(f"maps of {wrong.shape[-2]} rows and {wrong.shape[-1]} columns: ValueError", induction_score,
                           (wrong, 2), [], "no score, but an error")


def _along(w, period, after, first=None):
    """The mean of w[i, i - period + after] over the rows i from `first` on, which is `period` where nothing is said."""
    rows = range(period if first is None else first, len(w))
    return np.mean([w[i, min(i - period + after, len(w) - 1)] for i in rows])


def _slips(w, period):
    T, right = len(w), _along(w, period, 1)
    return [
        (_along(w, period, 0), "you read w[i, i - period], where the same token stood: it is the position after it"),
        (_along(w, period, -1), "you read w[i - period - 1]: without brackets the 1 is added, i - period + 1"),
        (_along(w, period, 1, period + 1), "you left row `period` out, the first that counts"),
        (_along(w[:-1], period, 1), "the last row counts, too"),
        (_along(w[:T // period * period], period, 1), "you stopped too early: a third round counts too, also one that "
         "the text breaks off"),
        (_along(w[:T - period + 1], period, 1), "you stopped before the last rows: they end at T - 1"),
        (_along(w, period, 2), "you read one too far: w[i, i - period + 1]"),
        (_along(w, period, 1, 2 * period), "you began with the third round: the second counts, too"),
        (np.mean([w[i, (i - period + 1) % period] for i in range(period, T)]), "you always looked back to the first "
         "round: it is the round before, i - period + 1"),
        (_along(w, period, 1, period - 1), "you began with row period - 1, whose token has not stood before"),
        (right * (T - period) / T, "you divided by T: only T - period rows count"),
        (right * (T - period), "this is the sum: take the mean"),
        (np.mean([w[i, i - period + 1] for i in range(period, 2 * period)]), "you stopped after the second round"),
        *((sum(w[i, i - period + 1] for i in range(first, T)) / count, "rows below `period` do not count: there "
           "i - period + 1 may be below 0, and NumPy counts from the end") for first in (0, 1) for count in
          (T, T - 1, T - period)),
        (right * (T - period) / (T - 1), "you divided by T - 1: only T - period rows count"),
        (w[period:, 1:T - period + 1].mean(), "you took every row with every column: two lists, w[..., i, j], make "
         "pairs"),
        (_along(w.T, period, 1), "you read w[i - period + 1, i]: the row is the position that looks"),
    ]


# rollout


SQUARE = "compare the last two axes of each map"
WAY = "you turned the maps: the row is the position that looks, in each W as it comes"


@visible_check
def rollout(rollout):
    W = np.array([[[0.6, 0.4], [0.0, 1.0]], [[1.0, 0.0], [0.6, 0.4]]])
    M = (W + np.eye(2)) / 2
    slips = [(M[0] @ M[1], "you multiplied from the other side: the later layer stands on the left"),
             (W[1] @ W[0], "the residual path is missing: of each layer take (W + I) / 2"),
             (4 * M[1] @ M[0], "W + I is divided by 2, in each layer"), (M.mean(axis=0), "multiply: this is the mean"),
             (M[0] * M[1], "multiply as matrices, @, not entry by entry"), (M[1], "this is the last layer alone"),
             ((W[1] @ W[0] + np.eye(2)) / 2, "each layer has a residual path: add I before you multiply"),
             (M[0], "this is the first layer alone"), (M[0].T @ M[1].T, WAY), (M[1].T @ M[0].T, WAY),
             (M[1].T @ M[0], WAY), (M.sum(axis=0), "multiply: this is the sum"),
             ((W[1] + 1) @ (W[0] + 1) / 4, "a token is itself: add np.eye(T), which is 1 on the diagonal alone"),
             *((np.linalg.multi_dot((a * W + b * np.eye(2))[::-1]), "both are halved, W and I: (W + I) / 2")
               for a, b in [(0.5, 1), (1, 0.5)])]
    reply = ask(rollout, list(W))
    law = "two layers: (.8, .2; 0, 1), then (1, 0; .3, .7): together (.8, .2; .24, .76)"
    yield laws.equals(law, reply, M[1] @ M[0], slips=slips)
    yield laws.sums("each row sums to 1", reply.value, 1, "is it (W + I) / 2?")
    for law, layers in [("one layer: (W + I) / 2", _looks(6, 1, 5)), ("three layers", _looks(7, 3, 4)),
                        ("two layers of a batch of three texts", _looks(8, 2, 3, 4)),
                        ("four layers, as many texts as positions", _looks(9, 4, 3, 3)),
                        ("two layers, two axes in front", _looks(10, 2, 2, 3, 4)),
                        ("a text of one position: 1", np.ones((3, 1, 1)))]:
        eye = {"broadcast": "np.eye(W.shape[-1]): of a batch len(W) counts the texts, not the positions"}
        reply = laws.asked(law, eye, rollout, list(layers))
        if layers[0].ndim > 2:
            yield laws.shape(f"{law}: its shape", reply, layers[0].shape, "@ takes text by text, np.dot each with each")
        yield laws.equals(law, reply, _rolled(layers),
                          "the product of (W + I) / 2 over the last two axes, the first layer on the right")
    small = ask(rollout, list(np.float32(_looks(7, 3, 4))))
    yield laws.keeps_type(small, OWN_TYPE)
    yield laws.keeps_type(ask(rollout, list(_looks(7, 3, 4))), "cast nothing", "float64")
    yield laws.equals("with the same numbers", small, _rolled(_looks(7, 3, 4)))
    one = _looks(11, 3, 4)
    for law, wrong, advice in [
        ("no layer", [], "there is nothing to follow"),
        ("maps that are not square", [one[0, :3]], SQUARE),
        ("maps that are not square, of a batch", [one[:, :3], one[:, :3]], SQUARE),
        ("layers of different sizes", [one[0], one[1, :3, :3]], "compare each shape with the first one's"),
        ("a layer of one text, and one of a batch", [one[0], one], "NumPy stretches the one over the batch: compare "
         "whole shapes")]:
        yield laws.refuses(f"{law}: ValueError", rollout, (wrong,), [], advice)


def _rolled(layers):
    """Entry by entry: what position i is made of after each layer."""
    T = layers.shape[-1]
    held = np.broadcast_to(np.eye(T), layers.shape[1:])
    for W in layers:
        held = 0.5 * held + 0.5 * np.einsum("...ij,...jk->...ik", W, held)
    return held


# ablate


@visible_check
def ablate(ablate):
    (outputs,) = laws.random(12, (3, 4, 5, 2))
    outputs = outputs + 1.5
    for head, kind in [(1, "zero"), (1, "mean"), (0, "mean"), (3, "zero"), (3, "mean")]:
        reply = laws.asked(f"head {head}, {kind}", {"broadcast": "of the mean take this head's part alone"}, ablate,
                           outputs, head, kind)
        yield laws.shape(f"three texts, four heads, head {head}, {kind}: the shape stays", reply, outputs.shape,
                         "the head stays where it is, and writes something else")
        right = _silent(outputs, head, kind)
        yield laws.equals("this head alone has changed", _without(reply, head), np.delete(outputs, head, axis=1),
                          f"head {head} is outputs[:, {head}], and the others stay as they were")
        yield laws.equals("and writes 0" if kind == "zero" else "and writes its mean over the three texts",
                          as_array(reply.value)[:, head], right[:, head], slips=_slips_of(outputs, head, kind))
    yield laws.keeps_type(ask(ablate, np.float32(outputs), 2, "mean"), "write into a copy of what came in")
    yield laws.keeps_type(ask(ablate, outputs, 2, "mean"), "cast nothing", "float64")
    for law, case in [("one text: its mean is itself", outputs[:1]), ("one head", outputs[:, :1]),
                      ("one position, width 1", outputs[:, :, :1, :1]),
                      ("large numbers", 900 * outputs), ("three of each", outputs[:, :3, :3])]:
        for kind in ("zero", "mean"):
            yield laws.equals(f"{law}; {kind}", ask(ablate, case, 0, kind), _silent(case, 0, kind))
    there = "NumPy counts -1 from the end: test 0 <= head < H yourself"
    for law, args, advice in [
        ("head 4 of four", (outputs, 4, "zero"), "there are the heads 0 to 3"),
        ("head -1", (outputs, -1, "zero"), there),
        ("head -1, mean", (outputs, -1, "mean"), there),
        ("another kind, median", (outputs, 0, "median"), "an `else` takes every other word: ask for both by name"),
        ("no batch, (H, T, e)", (outputs[0], 0, "zero"), "four axes, (B, H, T, e)")]:
        yield laws.refuses(f"{law}: ValueError", ablate, args, [], advice)


def _silent(outputs, head, kind):
    which = (np.arange(outputs.shape[1]) == head)[:, None, None]
    return np.where(which, outputs.mean(axis=0) if kind == "mean" else 0, outputs)


def _without(reply, head):
    return np.delete(as_array(reply.value), head, axis=1)


def _slips_of(outputs, head, kind):
    one = outputs[:, head]
    mean = np.broadcast_to(one.mean(axis=0), one.shape)
    wrong = [(one, "this head still writes what it wrote")]
    if kind == "zero":
        return [*wrong, (mean, "this is the mean: 0 was asked for")]
    return [*wrong, (0 * one, "this is 0: the mean over the batch was asked for"),
            (0 * one + one.mean(axis=(0, 1)), "the mean runs over the batch alone, axis 0: each position has its own"),
            (0 * one + one.mean(axis=1, keepdims=True), "this is each text's mean over its positions: it is the mean "
             "over the texts"),
            (0 * one + one.mean(), "this is one mean over everything: it runs over the batch alone, axis 0"),
            (0 * one + one.mean(axis=-1, keepdims=True), "this is the mean over the width: it runs over the batch"),
            (0 * one + one.mean(axis=(1, 2), keepdims=True), "this is each text's own mean: it runs over the batch"),
            (one - mean, "you took the mean off: put it in the head's place"),
            (len(one) * mean, "this is the sum over the texts: take the mean"),
            *((each.mean(axis=1), "this is a mean over heads: it is this head's, over the texts") for each in (
                outputs, np.delete(outputs, head, axis=1)))]


# logit_attribution


@visible_check
def logit_attribution(logit_attribution):
    parts, readout = np.array([[1.0, 2.0], [3.0, -1.0], [-2.0, 0.5]]), np.array([2.0, 1.0])
    added = np.array([4, 5, -3.5])
    slips = [(5.5, "this is the logit: what each part adds to it is asked for"),
             (added / 5.5, "you divided by the logit: parts are told in logits, and sum to it"),
             (added[1:], "the first part is missing: the embedding writes, too"),
             (np.maximum(added, 0), "a part may speak against a token: nothing is cut at 0"),
             (np.abs(added), "signs count: a part may speak against a token"),
             *((each, "sum over the width, the last axis") for each in (
                 parts * readout, (parts * readout).sum(axis=0))),
             (np.exp(added) / np.exp(added).sum(), "no softmax: a logit is what comes before it"),
             (added / np.sqrt((parts**2).sum(axis=1) * 5), "do not divide by lengths: who writes more adds more"),
             ((parts - parts.mean(axis=1, keepdims=True)) / parts.std(axis=1, keepdims=True) @ readout,
              "there is no LayerNorm here: take the parts as they are"), (added[:-1], "the last part is missing"),
             (parts.sum(axis=1), "the readout has no effect")]
    axis = {"mismatch": "parts @ readout, in this order: the readout meets the last axis", "not aligned": "parts first"}
    reply = laws.asked("three parts", axis, logit_attribution, parts, readout)
    yield laws.equals("(1, 2), (3, -1), (-2, .5), read by (2, 1): they add 4, 5 and -3.5", reply, added, slips=slips)
    yield laws.sums("the parts sum to the logit, 5.5", reply.value, 5.5, "all parts, as they are")
    many, reads = laws.random(13, (4, 2, 3, 5), (5,))
    right = np.einsum("pbtm,m->pbt", many, reads)
    advice = "the readout meets the last axis: (N, ..., M) becomes (N, ...)"
    for law, case, expected in [("four parts of a batch: (4, 2, 3)", many, right),
                                ("of one text", many[:, 0], right[:, 0]),
                                ("a list of four", list(many), right), ("one part", many[:1], right[:1]),
                                ("a batch of one", many[:, :1, :1], right[:, :1, :1]),
                                ("as many parts as they are wide", np.tile(many, (2, 1, 1, 1))[:5],
                                 np.tile(right, (2, 1, 1))[:5]), ("large parts", 900 * many, 900 * right)]:
        reply = laws.asked(law, {"has no attribute": "parts may be a list: np.stack makes an array of it",
                                 "": advice}, logit_attribution, case, reads)
        yield laws.equals(law, reply, expected, advice)
    reply = ask(logit_attribution, many[..., :1], reads[:1])
    yield laws.equals("tokens that are one number wide", reply, many[..., 0] * reads[0])
    small = ask(logit_attribution, np.float32(many), np.float32(reads))
    yield laws.keeps_type(small, "cast nothing")
    yield laws.keeps_type(ask(logit_attribution, many, reads), "cast nothing", "float64")
    for law, args in [("parts of width 5, a readout of 4", (many, reads[:4])),
                      ("parts of width 5, a readout of 1: * would stretch it", (many, reads[:1])),
                      ("parts of width 1, a readout of 5", (many[..., :1], reads)),
                      ("parts of different widths", ([many[0], many[1, ..., :4]], reads))]:
        yield laws.refuses(f"{law}: ValueError", logit_attribution, args, [], "a product of other sizes raises it")
