"""The visible checks of lab 07. Each takes the student's function and states the laws that it should keep."""

import math

import numpy as np

from coursekit.check import as_array, ask, laws, rounded, visible_check
from coursekit.verdicts import Verdict

PAST = 7  # tokens in the cache
FAR = np.array([60_001, -69_999, 31_337])  # positions whose angles take more digits than float32 has
IN_FLOAT32 = "the angles were taken in float32, which has too few digits for them: cast sine and cosine alone"


@visible_check
def sinusoids(sinusoids):
    encoded = ask(sinusoids, np.array([0, 1, 2]), 4)
    yield laws.shape("three positions, d_model = 4: shape (3, 4)", encoded, (3, 4))
    near, slow = np.array([0.0, 1.0, 2.0]), np.array([0.0, 0.01, 0.02])
    right = np.stack([np.sin(near), np.cos(near), np.sin(slow), np.cos(slow)], axis=1)
    slips = [
        (right[:, [0, 2, 1, 3]], "all sines stand before all cosines: in each pair the sine is followed by its cosine"),
        (right[:, [1, 0, 3, 2]], "the cosine comes first: in each pair it is the sine"),
        (_columns(near, [1, 0.1, 0.01, 0.001]), "sine and cosine of a pair share a frequency: its exponent is 2r / d"),
        (_columns(near, [1, 0.01, 1e-4, 1e-6]), "r counts pairs, 0 and 1 here: you took the entry's number for it"),
        (_columns(near, [1, 1, 1e-4, 1e-4]), "2r is the number of a pair's first entry, 0 and 2: do not double it"),
        (_columns(near, [1, 1, 0.1, 0.1]), "the exponent is 2r / d_model for pair r, which is 2/4 for the second pair"),
        (_columns(near, [1, 1, 100, 100]), "the frequencies should fall: divide by 10000^(2r / d_model)"),
        (_columns(near + 1, [1, 1, 0.01, 0.01]), "position 0 has angle 0: its row is 0, 1, 0, 1"),
    ]
    law = "frequencies 1 and 1/100: sin and cos of 0, 1, 2, then of 0, 0.01, 0.02"
    yield laws.equals(law, encoded, right, slips=slips)
    mixed = ask(sinusoids, np.array([2, 0, 2]), 4)
    slips = [(right, "this is what positions 0, 1, 2 give: use the positions as they come")]
    yield laws.equals("positions 2, 0, 2: rows come in that order", mixed, right[[2, 0, 2]], slips=slips)
    batch = ask(sinusoids, np.array([[1, 0], [2, 1], [0, 2], [1, 1], [0, 0]]), 4)
    yield laws.shape("five sequences of two positions: shape (5, 2, 4)", batch, (5, 2, 4))
    wide = ask(sinusoids, np.array([[1000, 3]]), 6)
    rates = [1, 1, 10000 ** (-1 / 3), 10000 ** (-1 / 3), 10000 ** (-2 / 3), 10000 ** (-2 / 3)]
    slips = [(_columns(near, rates), "take the number of pairs from d_model")]
    right = _columns(np.array([1000.0, 3.0]), rates)[None]
    yield laws.equals("d_model = 6, positions 1000 and 3", wide, right, slips=slips)
    places = np.array([[[-3, 2]], [[70_000, 5]]])
    law = "positions (B, 1, T) = (2, 1, 2), below 0 and far, d_model = 2: shape (2, 1, 2, 2)"
    advice = "the positions' shape and d_model behind it; positions are any integers, so no table holds them all"
    right = np.stack([np.sin(places), np.cos(places)], axis=-1)
    reply = laws.asked(law, {"is out of bounds": "no table is long enough: compute each angle from its position"},
                       sinusoids, places, 2)
    yield laws.equals(law, reply, right, advice)
    for odd, places in [(5, 3), (1, 3), (1, 0)]:
        law = f"d_model = {odd}, {places} positions: raises ValueError; its message names what was expected and came"
        advice = "an odd width leaves an entry without a partner: check d_model before you compute"
        yield laws.refuses(law, sinusoids, (np.arange(places), odd), [str(odd)], advice)


@visible_check
def rotate(rotate):
    x = np.array([[1.0, 0.0, 1.0, 0.0], [1.0, 0.0, 1.0, 0.0]])
    turned = ask(rotate, x, np.array([1, 2]))
    yield laws.shape("two vectors of width 4: shape (2, 4)", turned, (2, 4))
    near, slow = np.array([1.0, 2.0]), np.array([0.01, 0.02])
    right = np.stack([np.cos(near), np.sin(near), np.cos(slow), np.sin(slow)], axis=1)
    slips = [
        (right * [1, -1, 1, -1], "you turned the other way: the second entry is first · sin + second · cos"),
        (right[:, [0, 2, 1, 3]], "values right, order wrong: put the two entries of each pair side by side again"),
        (np.stack([np.cos(near) - np.sin(near), np.zeros(2), np.cos(near) + np.sin(near), np.zeros(2)], axis=1),
         "you paired entry 0 with 2: here 0 goes with 1, and 2 with 3"),
        (np.stack([np.cos(near), np.cos(near) * np.sin(near), np.cos(slow), np.cos(slow) * np.sin(slow)], axis=1),
         "the second entry was made from the new first one: both need the old ones, so keep them until both are made"),
        (_by_angles(x, np.outer(near, [1, 0.1])), "the exponent is 2r / d for pair r: 2/4 for the second pair"),
        (np.stack([np.cos(near), np.sin(near)] * 2, axis=1), "the second pair should turn 100 times more slowly"),
        (_turned(x, np.arange(2)), "use the positions given: here 1 and 2, not 0 and 1"),
    ]
    law = "pairs (1, 0) at positions 1 and 2: cos and sin of 1 and 2, then of 0.01 and 0.02"
    yield laws.equals(law, turned, right, slips=slips)
    (x,) = laws.random(0, (2, 3, 5, 8))
    turned = ask(rotate, x, PAST + np.arange(5))
    lengths = np.linalg.norm(x, axis=-1), np.linalg.norm(as_array(turned.value).astype(float), axis=-1)
    yield laws.shape("a batch of heads, (2, 3, 5, 8), after a cache of seven: the same shape", turned, x.shape)
    advice = "a rotation is first · cos - second · sin and first · sin + second · cos"
    yield Verdict("no vector changes its length", bool(np.allclose(*lengths)), advice)
    law = "all pairs, seen as complex numbers, are multiplied by exp(i · angle)"
    yield laws.equals(law, turned, _turned(x, PAST + np.arange(5)))
    own = np.array([[[0, 1, 2, 3, 4]], [[9, 8, 2, 6, 1]]])
    law = "each sentence its own positions, of shape (B, 1, T)"
    yield laws.equals(law, ask(rotate, x, own), _turned(x, own))
    one, far = np.array([[[[3000.0, 1.0, -2000.0, 4.0]]]]), np.array([-70_000])
    law = "one vector of large numbers, (1, 1, 1, 4), at position -70000: each axis stays, no table holds all positions"
    yield laws.equals(law, ask(rotate, one, far), _turned(one, far))
    yield laws.keeps_type(turned, "cast to the type of x, not to float32", "float64")
    yield laws.keeps_type(ask(rotate, x.astype(np.float32), own), "sines and cosines of float64 angles are float64")
    yield _far_in_float32(rotate, FAR)


@visible_check
def rotate_backward(rotate_backward):
    stream = np.random.RandomState(1)
    d_rotated, positions = stream.randn(2, 3, 4), np.array([5, 1, 3])
    d_x = ask(rotate_backward, d_rotated, positions)
    yield laws.shape("two sentences of three tokens: the gradient's own shape (2, 3, 4)", d_x, (2, 3, 4))
    slips = [
        (_turned(d_rotated, positions), "you turned the same way as on the way forward: it is the opposite angle"),
        (_turned(d_rotated, -np.arange(3)), "use the positions given"),
        (-_turned(d_rotated, positions), "the minus belongs to the angle, not to the result"),
        (-_turned(d_rotated, -positions), "each entry has the wrong sign: the angle alone is the opposite one"),
        *_sign_slips(d_rotated, positions),
    ]
    yield laws.equals("each pair turns back by its angle", d_x, _turned(d_rotated, -positions), slips=slips)
    x = stream.randn(2, 3, 4)
    by_hand = float(np.sum(as_array(d_x.value) * x)), float(np.sum(d_rotated * _turned(x, positions)))
    advice = f"got {by_hand[0]:.4f} and {by_hand[1]:.4f}"
    law = "the law of every linear function: d_x · x is d_rotated · rotate(x)"
    yield Verdict(law, bool(np.isclose(*by_hand)), advice)
    wide, own = 1000 * stream.randn(2, 3, 5, 4), np.array([[[0, 1, -2, 3, 4]], [[9, 8000, 2, 6, 1]]])
    law = "heads in a batch, each sentence its own positions, (B, 1, T), any integers; large numbers"
    yield laws.equals(law, ask(rotate_backward, wide, own), _turned(wide, -own), "as rotate, by the opposite angle")
    one = ask(rotate_backward, wide[:1, :1, :1, :2], own[:1, 0, 3:4])
    right = _turned(wide[:1, :1, :1, :2], -own[:1, 0, 3:4])
    yield laws.equals("one gradient of one pair, (1, 1, 1, 2): each axis stays", one, right, "squeeze nothing")
    yield laws.keeps_type(d_x, "cast to the type of the gradient, not to float32", "float64")
    small = ask(rotate_backward, d_rotated.astype(np.float32), positions)
    yield laws.keeps_type(small, "sines and cosines of float64 angles are float64")
    yield _far_in_float32(rotate_backward, FAR, -FAR)


@visible_check
def rotary_scores(rotary_scores):
    Q, K = laws.random(2, (2, 5, 4), (2, 5, 4))
    scores = ask(rotary_scores, Q, K)
    yield laws.shape("two heads, five tokens: scores of shape (2, 5, 5)", scores, (2, 5, 5))
    right = _scored(Q, K, 0)
    slips = [
        (right * 2, "divide by the root of d_k, which is 2 here"),
        (Q @ K.swapaxes(1, 2) / 2, "nothing was rotated"),
        (_turned(Q, np.arange(5)) @ K.swapaxes(1, 2) / 2, "the keys were not rotated"),
        (_softmax(right), "these are weights: return the scores, mask and softmax come after them"),
    ]
    law = "each is the product of the two rotated vectors, divided by the root of d_k"
    yield laws.equals(law, scores, right, slips=slips)
    last = ask(rotary_scores, Q[:, 3:], K, 3)
    slips = [
        (_scored(Q[:, 3:], K, 0), "the first query and the first key got the same position: the query stands at past, "
         "3 here, and key 0 at 0 (moving both by past changes nothing)"),
        (Q[:, 3:] @ _turned(K, np.arange(5)).swapaxes(1, 2) / 2, "the queries were not rotated"),
    ]
    law = "the last two queries alone, past = 3: the last two rows of the same"
    yield laws.equals(law, last, right[:, 3:], slips=slips)
    middle = ask(rotary_scores, Q[:, 1:3], K, 1)
    slips = [(_turned(Q[:, 1:3], np.arange(3, 5)) @ _turned(K, np.arange(5)).swapaxes(1, 2) / 2,
              "past is given, 1 here: it is not S - T, as some keys are still to come")]
    law = "two queries after one token, and two keys that are still to come"
    yield laws.equals(law, middle, right[:, 1:3], slips=slips)
    first = ask(rotary_scores, Q[:, :2], K)
    slips = [(_scored(Q[:, :2], K, 3), "no past was given: do not take S - T for it")]
    yield laws.equals("two queries, five keys and no past: the first two rows", first, right[:, :2], slips=slips)
    Q4, K4 = laws.random(4, (2, 3, 2, 4), (2, 3, 5, 4))
    law = "sentences and heads, (2, 3, 2, 4), and a past of 3000"
    advice = "count axes from the right; the past is any number, so no table holds all positions"
    yield laws.equals(law, ask(rotary_scores, Q4, K4, 3000), _scored(Q4, K4, 3000), advice)
    Q1, K1 = 1000 + Q4[:1, :1, :1, :2], [1000, -1000] + K4[:1, :1, :1, :2]
    law = "one query, one key, one pair: (1, 1, 1, 1), and large products that nearly cancel: float64 stays float64"
    advice = "each axis stays; where Q is float64, compute in float64"
    yield laws.equals(law, ask(rotary_scores, Q1, K1), _scored(Q1, K1, 0), advice)
    same = ask(rotary_scores, np.ones((6, 4)), np.ones((6, 4)))
    values = as_array(same.value)
    advice = f"got\n{rounded(values)}"
    along = values.shape == (6, 6) and np.allclose(values[1:, 1:], values[:-1, :-1])
    yield Verdict("equal tokens: the score depends on the distance alone, equal down each diagonal", along, advice)
    small = ask(rotary_scores, Q.astype(np.float32), K.astype(np.float32))
    yield laws.keeps_type(scores, "cast nothing to float32", "float64")
    yield laws.keeps_type(small, "rotate should keep it, and so does math.sqrt; np.sqrt gives a float64")
    Q, K = (each.astype(np.float32) for each in laws.random(5, (2, 3, 16), (2, 4, 16)))
    slips = [(_scored(_by_angles(Q, angles), K, None), IN_FLOAT32)
             for angles in _angles_in_float32(60_001 + np.arange(3), 16)]
    law = "three queries of width 16 after 60001 tokens, in float32: their angles need float64"
    yield laws.equals(law, ask(rotary_scores, Q, K, 60_001), _scored(Q, K, 60_001), slips=slips)


@visible_check
def to_half_split(to_half_split):
    W = np.arange(12.0) + 100 * np.arange(2)[:, None]
    moved = ask(to_half_split, W, 2)
    yield laws.shape("two heads of width 6: the shape of W, (2, 12)", moved, (2, 12))
    order = [0, 2, 4, 1, 3, 5, 6, 8, 10, 7, 9, 11]
    slips = [
        (W[:, [*range(0, 12, 2), *range(1, 12, 2)]], "columns went from head to head: reorder within each head"),
        (W[:, [0, 3, 1, 4, 2, 5, 6, 9, 7, 10, 8, 11]], "that is the way back: even columns go to the front"),
        (W[:, [1, 3, 5, 0, 2, 4, 7, 9, 11, 6, 8, 10]], "the even columns come first, counted from 0"),
        (W, "nothing has moved"),
    ]
    yield laws.equals("columns 0, 2, 4, 1, 3, 5 of each head, in this order", moved, W[:, order], slips=slips)
    advice = "take the number of rows and the width of a head from W and heads"
    for rows, heads, order in [(3, 1, [0, 2, 4, 6, 1, 3, 5, 7]), (1, 3, [0, 2, 1, 3, 4, 6, 5, 7, 8, 10, 9, 11]),
                               (1, 3, [0, 1, 2, 3, 4, 5])]:
        W = np.arange(rows * len(order), dtype=float).reshape(rows, -1)
        law = f"rows: {rows}, heads: {heads}, each of width {len(order) // heads}"
        yield laws.equals(law, ask(to_half_split, W, heads), W[:, order], advice)
    X, W_Q, W_K = laws.random(3, (4, 3), (3, 8), (3, 8))
    halves = [as_array(ask(to_half_split, W, 1).value) for W in (W_Q, W_K)]
    got = _half_split(X @ halves[0]) @ _half_split(X @ halves[1]).T
    right = _turned(X @ W_Q, np.arange(4)) @ _turned(X @ W_K, np.arange(4)).T
    law = "a half-split rotation after it gives the scores of an interleaved one without it"
    yield Verdict(law, bool(np.allclose(got, right)), "the scores differ: are W_Q and W_K reordered alike?")


@visible_check
def alibi_slopes(alibi_slopes):
    eight = ask(alibi_slopes, 8)
    yield laws.shape("eight heads: shape (8,)", eight, (8,))
    halves = 0.5 ** np.arange(1, 9)
    slips = [(halves * 2, "n runs from 1 to h, so the first slope is 1/2"), (halves[::-1], "head 1 has the steepest")]
    yield laws.equals("eight heads: 1/2, 1/4, … 1/256", eight, halves, slips=slips)
    four = ask(alibi_slopes, 4)
    yield laws.equals("four heads: 1/4, 1/16, 1/64, 1/256", four, 0.25 ** np.arange(1, 5))
    six = ask(alibi_slopes, 6)
    yield laws.shape("six heads: shape (6,)", six, (6,))
    fours = 0.25 ** np.arange(1, 5)
    slips = [
        (2.0 ** (-8 * np.arange(1, 7) / 6), "six is no power of two: four slopes as for 4 heads, then two more"),
        (halves[:6], "these are the first six of eight: take the four of 4 heads, then every other one of 8"),
        ([*fours, 1 / 2, 1 / 4], "fill up with every other slope of 8 heads, and not with the first ones"),
        ([*fours, 1 / 4, 1 / 16], "fill up from the first slope of 8 heads on: 1/2, 1/8, …"),
        (sorted([*fours, 1 / 2, 1 / 8], reverse=True), "leave those that fill up at the end"),
    ]
    yield laws.equals("six heads: the four of 4 heads, then 1/2 and 1/8", six, [*fours, 1 / 2, 1 / 8], slips=slips)
    law, right = "seven heads: the four of 4 heads, then 1/2, 1/8 and 1/32", [*fours, 1 / 2, 1 / 8, 1 / 32]
    yield laws.equals(law, ask(alibi_slopes, 7), right, "of eight slopes take the first, the third and the fifth")
    root = 2**-0.5
    right = [*halves, root, root / 2, root / 4, root / 8]
    law = "twelve heads: the eight of 8 heads, then 2^(-1/2), 2^(-3/2), 2^(-5/2), 2^(-7/2)"
    yield laws.equals(law, ask(alibi_slopes, 12), right)
    yield laws.equals("one head: 1/256", ask(alibi_slopes, 1), [1 / 256])


@visible_check
def alibi_bias(alibi_bias):
    slopes = np.array([1.0, 0.5])
    bias = ask(alibi_bias, slopes, 3, 3)
    yield laws.shape("two heads, three tokens: shape (h, T, S) = (2, 3, 3)", bias, (2, 3, 3))
    offset = np.array([[0, 1, 2], [-1, 0, 1], [-2, -1, 0]])
    slips = [
        (_outer(slopes, offset), "keys still to come have a bias above 0: it is 0 there, the mask hides them"),
        (_outer(slopes, -abs(offset)), "keys still to come have a bias: it is 0 there, the mask hides them"),
        (_outer(-slopes, np.minimum(offset, 0)), "what is far gets less: the bias is below 0"),
        (np.where(offset > 0, -np.inf, _outer(slopes, np.minimum(offset, 0))),
         "keys still to come have -inf: leave that to the mask, the bias is 0 there"),
        (_outer(slopes, [[-2, -1, 0]] * 3), "all rows are alike: the distance depends on the query too"),
    ]
    law = "row 2 of the first head is -2, -1, 0; keys still to come have 0"
    yield laws.equals(law, bias, _outer(slopes, np.minimum(offset, 0)), slips=slips)
    later = ask(alibi_bias, slopes, 2, 7, 4)
    offset = np.array([[-4, -3, -2, -1, 0, 0, 0], [-5, -4, -3, -2, -1, 0, 0]])
    slips = [(_outer(slopes, np.minimum(offset + 4, 0)), "query i stands at position past + i, here 4 + i")]
    yield laws.equals("two queries after four tokens, seven keys", later, _outer(slopes, offset), slips=slips)
    wide = ask(alibi_bias, slopes, 2, 5)
    slips = [(_outer(slopes, [[-3, -2, -1, 0, 0], [-4, -3, -2, -1, 0]]), "no past was given: do not take S - T for it")]
    law = "two queries, five keys and no past: queries stand at 0 and 1, three keys are still to come"
    yield laws.equals(law, wide, _outer(slopes, [[0, 0, 0, 0, 0], [-1, 0, 0, 0, 0]]), slips=slips)
    one = ask(alibi_bias, np.array([0.0345678]), 1, 2, 3000)
    advice = "each axis stays, (1, 1, 2); do not round or clip"
    yield laws.equals("one head, one query after 3000 tokens", one, [[[-103.7034, -103.6688322]]], advice)


def _columns(positions, rates):
    """A sine in even columns and a cosine in odd ones, each with a rate of its own."""
    angles = np.outer(positions, rates)
    return np.where(np.arange(len(rates)) % 2, np.cos(angles), np.sin(angles))


def _turned(x, positions):
    """What `rotate` should give."""
    return _by_angles(x, np.multiply.outer(positions, _rates(x.shape[-1])))


def _rates(d):
    return 10000.0 ** (-np.arange(0, d, 2) / d)


def _by_angles(x, angles):
    """Each pair turned by its angle, (…, T, d / 2), by complex numbers, in float64."""
    number = (x[..., 0::2] + 1j * x[..., 1::2]) * np.exp(1j * np.asarray(angles, float))
    together = np.empty((*number.shape[:-1], x.shape[-1]))
    together[..., 0::2], together[..., 1::2] = number.real, number.imag
    return together


def _angles_in_float32(positions, d):
    """The angles of these positions in the ways in which float32 loses their digits."""
    places, rates = np.asarray(positions)[..., None], _rates(d)
    short, slow = places.astype(np.float32), rates.astype(np.float32)
    return [(places * rates).astype(np.float32), short * slow, short / (1 / rates).astype(np.float32)]


def _far_in_float32(function, given, turned_by=None):
    """Are float32 vectors at these far positions turned as by float64 angles?"""
    turned_by = given if turned_by is None else turned_by
    x = laws.random(6, (2, 3, 16))[0].astype(np.float32)
    law = "float32 vectors of width 16 at positions 60001, -69999 and 31337: their angles need float64"
    slips = [(_by_angles(x, angles), IN_FLOAT32) for angles in _angles_in_float32(turned_by, 16)]
    return laws.equals(law, ask(function, x, given), _turned(x, turned_by), slips=slips)


def _sign_slips(d_rotated, positions):
    """What a way back gives that was written out, with one sign wrong."""
    angles = np.multiply.outer(positions, _rates(d_rotated.shape[-1]))
    cos, sin, first, second = np.cos(angles), np.sin(angles), d_rotated[..., 0::2], d_rotated[..., 1::2]
    right = "the way back is first · cos + second · sin and second · cos - first · sin"
    for one, other, said in [(1, 1, "nothing is taken off"), (-1, -1, "in both entries something is taken off")]:
        pairs = np.stack([first * cos + one * second * sin, second * cos + other * first * sin], axis=-1)
        yield pairs.reshape(d_rotated.shape), f"{said}: {right}"


def _half_split(x):
    """Tokens 0, 1, 2, … turned in the half-split pairing: entry r with entry r + d / 2."""
    d = x.shape[-1]
    number = x[:, : d // 2] + 1j * x[:, d // 2 :]
    number = number * np.exp(1j * np.outer(np.arange(len(x)), 10000.0 ** (-np.arange(0, d, 2) / d)))
    return np.concatenate([number.real, number.imag], axis=1)


def _scored(Q, K, past):
    """What `rotary_scores` should give."""
    queries = Q if past is None else _turned(Q, past + np.arange(Q.shape[-2]))
    return np.einsum("...td,...sd->...ts", queries, _turned(K, np.arange(K.shape[-2]))) / math.sqrt(Q.shape[-1])


def _softmax(scores):
    return np.exp(scores) / np.exp(scores).sum(axis=-1, keepdims=True)


def _outer(slopes, offset):
    return np.multiply.outer(slopes, np.asarray(offset, float))
