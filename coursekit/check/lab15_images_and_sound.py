"""The visible checks of lab 15. Each takes the student's function and states the laws that it should keep."""

import math

import numpy as np

from coursekit.check import CheckFailed, as_array, ask, laws, visible_check
from coursekit.verdicts import NUMPYS, Verdict

# patchify


@visible_check
def patchify(patchify):
    yield from _small_picture(patchify)
    yield from _colour(patchify)
    images, = laws.random(2, (2, 4, 6))
    one = images.reshape(2, 24, 1)
    yield laws.equals("a patch of one pixel: the pixels, row by row", ask(patchify, images, 1), one)
    square = images[:, :, :4]
    yield laws.equals("one patch for all of a 4 × 4 image", ask(patchify, square, 4), square.reshape(2, 1, 16))
    yield laws.equals("a single image", ask(patchify, images[:1], 2), _cut(images[:1], 2))
    whole = np.arange(48).reshape(1, 8, 6)
    yield laws.equals("whole numbers, higher than wide", ask(patchify, whole, 2), _cut(whole, 2))
    moved = np.roll(images, 2, axis=2)
    advice = "moved to the right by one patch, each patch should stand one place later in its row"
    right = _cut(images, 2).reshape(2, 2, 3, 4)[:, :, [2, 0, 1]].reshape(2, 6, 4)
    yield laws.equals("an image that moves by a patch: the same patches, elsewhere", ask(patchify, moved, 2), right,
                      advice)
    for law, shape, patch in [
        ("H = 6 and a patch of 4", (2, 6, 8), 4), ("W = 6 and a patch of 4", (2, 8, 6), 4),
        ("a colour image, W = 6 and a patch of 4", (2, 8, 6, 3), 4), ("a patch larger than the image", (2, 3, 3), 6),
        ("a patch of 0", (2, 4, 4), 0),
    ]:
        advice = "compare sizes before you reshape, and refuse: nothing is cut off in silence"
        yield laws.refuses(f"{law}: ValueError", patchify, (np.ones(shape), patch), [], advice)


def _small_picture(patchify):
    """One image of 4 rows and 6 columns, numbered."""
    image = np.arange(24.0).reshape(1, 4, 6)
    reply = ask(patchify, image, 2)
    yield laws.shape("one image of 4 × 6, patches of 2 × 2: (1, 6, 4)", reply, (1, 6, 4),
                     "N = 2 · 3 patches of 2 · 2 numbers each")
    grid = image.reshape(1, 2, 2, 3, 2)
    slips = [
        (image.reshape(1, 6, 4), "a reshape alone cuts rows, not squares: exchange the axes of columns and p "
         "before you lay out"),
        (grid.transpose(0, 3, 1, 2, 4).reshape(1, 6, 4), "patches go row by row: the second one stands to the right of "
         "the first"),
        (grid.transpose(0, 1, 3, 4, 2).reshape(1, 6, 4), "within a patch pixels go row by row, as in the image"),
        (grid.transpose(0, 3, 1, 4, 2).reshape(1, 6, 4), "patches and pixels go row by row, not column by column"),
        (image.reshape(1, 3, 2, 2, 2).swapaxes(2, 3).reshape(1, 6, 4), "H and W are exchanged: rows come before "
         "columns, (B, H, W)"),
        (image.reshape(1, 2, 2, 2, 3).transpose(0, 2, 4, 1, 3).reshape(1, 6, 4), "the pixels of a patch are "
         "neighbours: reshape to (B, rows, p, columns, p)"),
    ]
    yield laws.equals("the first patch is 0, 1, 6, 7, the second 2, 3, 8, 9, the last 16, 17, 22, 23", reply,
                      _cut(image, 2), "row by row through the image, and row by row through a patch", slips)


def _colour(patchify):
    """Channels come last: r, g, b of the first pixel, then of the second."""
    image = np.arange(2 * 4 * 3.0).reshape(1, 2, 4, 3)
    right = [[[0, 1, 2, 3, 4, 5, 12, 13, 14, 15, 16, 17], [6, 7, 8, 9, 10, 11, 18, 19, 20, 21, 22, 23]]]
    slips = [(np.array(right).reshape(1, 2, 4, 3).swapaxes(2, 3).reshape(1, 2, 12), "the channels of a pixel stay "
              "together: r, g, b of the first one, then of the second")]
    reply = ask(patchify, image, 2)
    yield laws.equals("in colour: the channels of a pixel stand side by side", reply, right, slips=slips)
    yield laws.equals("one channel as an axis of its own: as without it", ask(patchify, image[..., :1], 2),
                      np.array(right)[:, :, ::3])


def _cut(images, patch):
    """Grey images, patch by patch."""
    _, H, W = images.shape
    corners = [(r, c) for r in range(0, H, patch) for c in range(0, W, patch)]
    return np.stack([images[:, r:r + patch, c:c + patch].reshape(len(images), -1) for r, c in corners], axis=1)


# attention_pool


@visible_check
def attention_pool(attention_pool):
    yield from _two_tokens(attention_pool)
    query, tokens = laws.random(1, (4,), (3, 5, 4))
    reply = ask(attention_pool, query, tokens)
    yield laws.results(reply, {"output": (3, 4), "weights": (3, 5)}, "three images, five tokens of width 4: ")
    slips = [(_weights(tokens @ query), "the scores are not divided by √d: here by 2"),
             (_weights(tokens @ query / 4), "divide the scores by √d, not by d"), *_other_lengths(query, tokens),
             (_weights(tokens @ query / 2, axis=0), "the softmax runs over the tokens, the last axis of the scores"),
             (np.full((3, 5), 0.2), "all weights are alike: the query has no say")]
    yield laws.equals("weights are the softmax of tokens · query / √d", laws.result(reply, 1),
                      _weights(tokens @ query / 2), slips=slips)
    advice = "output[b] is the sum of the tokens of image b, each times its weight"
    yield laws.equals("the output is the weighted sum of the tokens", laws.result(reply, 0),
                      _sum(_weights(tokens @ query / 2), tokens), advice)
    yield from _another_width(attention_pool)
    order = [3, 1, 4, 0, 2]
    again = ask(attention_pool, query, tokens[:, order])
    yield laws.equals("tokens in another order: the same output, since they are a set", laws.result(again, 0),
                      laws.result(reply, 0), "does a position play a part?")
    yield from _some_hidden(attention_pool, query, tokens)
    yield from _extremes(attention_pool, query, tokens)
    reply = ask(attention_pool, np.ones(1), np.array([[[3.0]]]), np.array([[True]]))
    yield laws.equals("one image, one token, a width of 1", laws.result(reply, 0), [[3.0]])


def _two_tokens(pool):
    """d = 4: the scores are ln 3 and 0, so the weights are 3/4 and 1/4."""
    query, tokens = np.array([6.0, 0, 0, 0]), np.array([[[math.log(3) / 3, 4.0, 0.0, 0.0], [0.0, 0.0, 8.0, 0.0]]])
    reply = laws.asked("without a mask, two tokens of width 4", {"NoneType": "mask may be None: ask `mask is None` "
                       "before you give it another axis"}, pool, query, tokens)
    yield laws.results(reply, {"output": (1, 4), "weights": (1, 2)}, "it returns ")
    slips = [([[0.9, 0.1]], "the scores are not divided by √d, here 2"), ([[0.5, 0.5]], "the query has no say"),
             (_weights(tokens @ query / 4), "divide by √d = 2, not by d = 4"), *_other_lengths(query, tokens),
             ([[1.0, 1.0]], "the softmax runs over the tokens of one image, not over the images"),
             ([[1.0, 0.0]], "the output is the sum of all tokens, each by its weight, not the best of them"),
             (np.array([[3.0, 1.0]]) / (4 + math.exp(18)), "the query is no token: it only asks, and has no weight")]
    yield laws.equals("scores ln 3 and 0: weights 3/4 and 1/4", laws.result(reply, 1), [[0.75, 0.25]], slips=slips)
    advice = "3/4 of the first token and 1/4 of the second: tokens are keys and values"
    yield laws.equals("the output is 3/4 of the first token and 1/4 of the second", laws.result(reply, 0),
                      [[math.log(3) / 4, 3.0, 2.0, 0.0]], advice)


def _other_lengths(query, tokens):
    """(weights, what to say) of scores that are divided by something else than √d."""
    length, n = np.linalg.norm(query), tokens.shape[1]
    cosines = tokens @ query / length / np.linalg.norm(tokens, axis=-1)
    return [(_weights(scores / by), said) for scores, by, said in [
        (tokens @ query, length, "divide the scores by √d, not by |q|, the length of the query"),
        (tokens @ query, length * len(query) ** 0.5, "divide by √d alone: your query is divided by its length, too"),
        (tokens @ query, n, "divide by √d, where d is the width of a token, not by how many tokens there are"),
        (tokens @ query, n**0.5, "d is the width of a token, and not how many there are"),
        (cosines, 1, "these are cosines: divide by √d, and by no length of query or token"),
        (cosines, len(query) ** 0.5, "divide by √d alone, and by no length of query or token")]]


def _another_width(pool):
    """d = 9, where d = 4 was tried before."""
    query, tokens = laws.random(3, (9,), (2, 3, 9))
    slips = [(_weights(tokens @ query / 2), "√d was 2 for a width of 4: here it is 3, so take it from the shape")]
    yield laws.equals("tokens of width 9: the scores are divided by 3", laws.result(ask(pool, query, tokens), 1),
                      _weights(tokens @ query / 3), "tokens · query / √d, where √d is 3", slips)


def _some_hidden(pool, query, tokens):
    """A mask of its own for each image, with holes."""
    mask = np.array([[True, False, True, True, False], [False, True, False, True, True], [True] * 5])
    scores = tokens @ query / 2
    right = _weights(np.where(mask, scores, -np.inf))
    axes = ("the mask has the wrong axes: attention wants (B, 1, N), one row for the one query. Without that axis it "
            "is stretched, and the mask of image 0, or of token 0, is used for all")
    law = "hidden tokens weigh 0, and the others share 1"
    reply = laws.asked(law, dict.fromkeys(["broadcast", "squeeze", "reshape", "mask"], axes), pool, query, tokens, mask)
    stretched = [_weights(np.where(each, scores[:, None], -np.inf)) for each in (mask, mask[..., None])]
    slips = [*((each, axes) for full in stretched for each in (full, full[:, 0])),
             (_weights(scores), "the mask has no effect: tokens where it is False get no weight"),
             (_weights(scores) * mask, "hide the scores before the softmax, then the rest sums to 1"),
             (_weights(scores * mask), "a hidden score is -inf: exp(0) is 1")]
    yield laws.equals(law, laws.result(reply, 1), right, "True means that a real token stands there", slips)
    yield laws.equals("what is hidden has no part in the output", laws.result(reply, 0), _sum(right, tokens))
    alone = ask(pool, query, tokens[:1, [0, 2, 3]])
    advice = "an image with padding should look as it does without"
    yield laws.equals("an image without its padding: the same output", laws.result(alone, 0),
                      as_array(laws.result(reply, 0))[:1], advice)


def _extremes(pool, query, tokens):
    """Large scores, a hidden one far above the others, and a set in which nothing is real."""
    far = np.zeros((2, 3, 4))
    far[0, :2] = np.array([[900.0], [899.0]]) * query / (query @ query) * 2
    far[1, 0] = 1800 * query / (query @ query)
    mask = np.array([[True, True, True], [False, True, True]])
    right = [[1 / (1 + math.exp(-1)), 1 / (1 + math.e), 0.0], [0.0, 0.5, 0.5]]
    advice = "subtract the largest *visible* score of the row before np.exp"
    reply = ask(pool, query, far, mask)
    law = "scores of 900 and 899, and a hidden one of 900 beside zeros"
    yield laws.equals(law, laws.result(reply, 1), right, advice)
    yield laws.equals("and the output", laws.result(reply, 0), _sum(np.array(right), far))
    near = tokens + 1000 * query / (query @ query)
    right = _weights(tokens @ query / 2)
    advice = "500 more for all tokens changes no weight: were digits lost?"
    yield laws.equals("scores that are all 500 higher", laws.result(ask(pool, query, near), 1), right, advice)
    yield laws.equals("a long query, and short tokens", laws.result(ask(pool, 1000 * query, tokens / 1000), 1), right)
    empty = np.array([[True] * 5, [False] * 5, [True] * 5])
    reply = ask(pool, query, tokens, empty)
    advice = "divide by the sum only where it is not 0"
    output, weights = (as_array(laws.result(reply, i))[1:2] for i in (0, 1))
    large = ("your hidden scores are large negative numbers, such as -1e9: where all are, softmax gives them weight "
             "all the same. Take -inf, and leave the weights 0 where nothing is left to share")
    slips = [(np.full((1, 5), 0.2), large), (_weights(tokens @ query / 2)[1:2], large)]
    yield laws.equals("where no token is real the weights are 0", weights, np.zeros((1, 5)), advice, slips)
    yield laws.equals("and so is the output", output, np.zeros((1, 4)), advice)


def _weights(scores, axis=-1):
    """The softmax of scores; 0 where none is finite."""
    powers = np.exp(scores - scores.max(axis=axis, keepdims=True, initial=-1e300))
    return powers / np.maximum(powers.sum(axis=axis, keepdims=True), 1e-300)


def _sum(weights, tokens):
    return np.einsum("bn,bnd->bd", weights, tokens)


# frames


@visible_check
def frames(frames):
    signal = np.arange(10.0)
    apart, exchanged = "frames begin a hop apart, here 5", "window and hop are exchanged: a frame is `window` long"
    yield _cut_into("0 to 9, window 2, hop 5: [0 1], [5 6]", frames, (signal, 2, 5), [[0, 1], [5, 6]], [
        *((each, apart) for each in ([[0, 1], [2, 3]], signal.reshape(5, 2), [[0, 1], [1, 2]])),
        *((each, exchanged) for each in ([signal[:5], signal[2:7]], [signal[:5], signal[2:7], signal[4:9]])),
        (signal.reshape(2, 5), "a frame is `window` samples long, here 2, whatever the hop"),
        ([[0, 1]], "the last frame that fits is missing: 1 + (n - window) // hop"),
        ([[0, 5], [1, 6]], "each row is a frame, (F, window)")])
    right = [[0, 1, 2, 3], [3, 4, 5, 6], [6, 7, 8, 9]]
    slips = [([[0, 1, 2, 3], [4, 5, 6, 7]], "frames begin a hop apart, here 3, and overlap"),
             (right[:2], "the last frame that fits is missing: 1 + (n - window) // hop"),
             (np.transpose(right), "each row is a frame, (F, window)")]
    yield _cut_into("0 to 9, window 4, hop 3: [0 1 2 3], [3 4 5 6], [6 7 8 9]", frames, (signal, 4, 3), right, slips)
    slips = [([*right, [9, 10, 11, 0]], "what does not fill a window is dropped"),
             ([[2, 3, 4, 5], [5, 6, 7, 8], [8, 9, 10, 11]], "frames begin with the first sample")]
    yield _cut_into("two samples more: the tail is dropped", frames, (np.arange(12.0), 4, 3), right, slips)
    advice = "frame i begins at i · hop"
    yield laws.equals("a hop of 1", ask(frames, signal[:5], 3, 1), [[0, 1, 2], [1, 2, 3], [2, 3, 4]], advice)
    yield laws.equals("a window as long as the signal: one frame", ask(frames, signal, 10, 4), [signal], advice)
    yield laws.equals("one sample more is not enough for a second", ask(frames, np.arange(11.0), 8, 4),
                      [np.arange(8.0)], advice)
    yield laws.equals("whole numbers, windows of one sample", ask(frames, np.arange(5), 1, 2), [[0], [2], [4]], advice)
    yield laws.equals("a single sample", ask(frames, np.array([0.5]), 1, 3), [[0.5]], advice)
    loud = np.array([-3000.25, 0.123456, 2000.5, -7.654321, 900.0])
    advice = "samples stay what they are"
    yield laws.equals("samples of any size", ask(frames, loud, 3, 2), [loud[:3], loud[2:]], advice)
    yield laws.equals("and with many digits", ask(frames, loud[[1, 3]], 1, 1), [[0.123456], [-7.654321]], advice)
    for law, args in [("a signal of 3 samples and a window of 4", (signal[:3], 4, 1)),
                      ("a signal without a sample", (signal[:0], 1, 1)), ("a window of 0", (signal, 0, 3)),
                      ("a window of -2", (signal, -2, 3)), ("a hop of 0", (signal, 4, 0)),
                      ("a hop of -1", (signal, 4, -1))]:
        yield laws.refuses(f"{law}: ValueError", frames, args, [], "there would be no frame, or no end of them")


def _cut_into(law, frames, args, right, slips):
    """Are these the frames? Where a slice reaches beyond the signal, NumPy speaks of shapes: here it is named."""
    short = ("your last slice is shorter than the window: it reaches beyond the signal. Only what lies in it as a "
             "whole counts, 1 + (n - window) // hop frames")
    raised = dict.fromkeys(["same shape", "inhomogeneous", "could not broadcast", "out of bounds"], short)
    reply = laws.asked(law, raised, frames, *args)
    if isinstance(reply.value, list) and as_array(reply.value).dtype == object:
        return Verdict(law, False, short)
    return laws.equals(law, reply, right, "frame i begins at i · hop", slips)


# mel_filters


@visible_check
def mel_filters(mel_filters):
    yield from _straight(mel_filters)
    yield from _bent(mel_filters)
    yield from _odd(mel_filters)
    yield _is_bank("one filter, from 0 to rate / 2", mel_filters, (1, 16, 2000), [0, 7.5, 15], "three edges: 0, "
                   "middle, rate / 2, even in mel")
    for window in (32, 4):
        law = f"of 40 filters over {window // 2 + 1} columns some stay empty"
        yield _is_bank(law, mel_filters, (40, window, 8000), np.linspace(0, _mel(4000), 42),
                       "a filter that lies between two columns is all 0, and nothing is moved to fill it")
    for count, rate in ((2, 1999.5), (80, 1), (3, 0.5)):
        edges, columns = np.linspace(0, rate / 2, count + 2), np.arange(151) * rate / 301
        cut = np.linspace(0, max(rate // 2, 0.1), count + 2)
        slips = [(_triangles(cut, columns), f"half the rate is {rate / 2}: rate // 2 drops what is behind the point")]
        yield laws.equals(f"a rate of {rate}: the whole scale is straight", ask(mel_filters, count, 301, rate),
                          _triangles(edges, columns), "below 1000 Hz mel is 3 f / 200", slips)
    yield laws.equals("a window of one sample: one column, 0 Hz, which no filter reaches", ask(mel_filters, 2, 1, 8000),
                      np.zeros((2, 1)))
    for law, args in [("a count of 0", (0, 16, 8000)), ("a window of 0", (4, 0, 8000)), ("a rate of 0", (4, 16, 0)),
                      ("a count of -1", (-1, 16, 8000)), ("a window of -2", (4, -2, 8000)),
                      ("a rate of -8000", (4, 16, -8000))]:
        yield laws.refuses(f"{law}: ValueError", mel_filters, args, [], "there is nothing to filter")


def _straight(mel_filters):
    """Below 1000 Hz the scale is straight: edges 0, 200, 400, 600, columns 0, 100, …, 600."""
    reply = ask(mel_filters, 2, 12, 1200)
    yield laws.shape("2 filters, a window of 12: (2, 7)", reply, (2, 7), "window // 2 + 1 columns, one filter a row")
    columns = np.arange(7) * 100
    right = np.array([[0, 0.5, 1, 0.5, 0, 0, 0], [0, 0, 0, 0.5, 1, 0.5, 0]])
    bent = [1000 * 6.4 ** ((mels - 15) / 27) for mels in (np.linspace(0, 9, 4), np.linspace(0, _logarithmic(600), 4))]
    slips = [(right, "divide each triangle by half its width in Hz, here 200"),
             (right / 2, "each of your filters sums to 1: divide the triangle by half its width in Hz, here 200"),
             (right / 400, "half the width of a filter from 0 to 400 Hz is 200"),
             (right * 200, "you multiplied by half the width, 200 Hz: divide by it"),
             (right / 3, "half the width is taken in Hz, here 200, not in mel, where it is 3"),
             (_triangles([0, 200, 400, 600], columns / 2), "column k is k · rate / window: here 0, 100, …, 600 Hz"),
             (_triangles(_hertz(np.linspace(0, _mel(1200.0), 4)), columns), "the highest edge is rate / 2, 600 Hz"),
             (_triangles(_hertz(np.linspace(0, _logarithmic(600), 4)), columns), "half the rate, 600 Hz, lies below "
              "1000: there mel is 3 f / 200"),
             *((_triangles(edges, columns), "below 15 mel an edge lies at 200 mel / 3 Hz") for edges in bent),
             (_triangles(_on_htks_scale(600, 4), columns), "this is HTK's scale: Slaney's is straight below "
              "1000 Hz"),
             (_triangles([0, 300, 600, 660], columns), "2 filters need 4 edges"), *_wrong_sides(columns)]
    advice = _ends(mel_filters) or _where(reply.value, right, "the edges are 0, 200, 400 and 600 Hz, count + 2 of them")
    law = "rate 1200: edges 0, 200, 400, 600 Hz, and triangles of area 1"
    yield laws.equals(law, reply, right / 200, advice, slips)


def _ends(mel_filters):
    """What to say of filters for a rate of 1200 that do not begin at 0 Hz, or do not end at 600; else nothing."""
    bank = as_array(ask(mel_filters, 2, 1200, 1200).value)  # columns 1 Hz apart
    if bank.shape != (2, 601) or bank.dtype.kind != "f" or not (heard := np.flatnonzero(bank.max(axis=0) > 1e-9)).size:
        return ""
    first, last = heard[0] - 1, heard[-1] + 1
    wrong = [f"your first edge is about {first} Hz, it should be 0"] if first > 0 else []
    wrong += [f"your last edge is about {last} Hz, it should be half the rate, 600: are there count + 2 edges, none "
              "left out by endpoint=False?"] if last < 600 else []
    return "; ".join(wrong)


def _where(bank, right, edges):
    """What to look at: the `edges`, or, where the filters are above 0 in the right places, their sides."""
    if not np.array_equal(as_array(bank) > 0, right > 0):
        return edges
    return ("your filters are above 0 where they should be, so the edges are right. Look at their sides, straight in "
            "Hz from 0 at edge m to 1 at edge m + 1 and to 0 at edge m + 2, and at what they are divided by")


def _wrong_sides(columns):
    """(what it leads to, what to say) of triangles over 0, 200, 400, 600 Hz that are none."""
    left, middle, right = np.array([[[0], [200]], [[200], [400]], [[400], [600]]])
    rise, fall = (columns - left) / 200, (right - columns) / 200
    rises, falls = (left < columns) & (columns <= middle), (middle < columns) & (columns < right)
    slow_fall, slow_rise = ("the falling side goes from 1 to 0 between edges m + 1 and m + 2: divide by their distance",
                            "the rising side goes from 0 to 1 between edges m and m + 1: divide by their distance")
    lacks = "the falling side is missing: from edge m + 1 to edge m + 2 a filter goes back to 0"
    wrong = [(np.minimum(rise, fall), "outside its edges a filter is 0: yours is negative there"),
             (np.minimum(rise, fall / 2).clip(0), slow_fall), (rise * rises + fall / 2 * falls, slow_fall),
             (np.minimum(rise / 2, fall).clip(0), slow_rise), (rise / 2 * rises + fall * falls, slow_rise),
             (rise * rises, lacks), (rise.clip(0, 1), lacks), (rise.clip(0), lacks),
             (fall * falls, "the rising side is missing: from edge m to edge m + 1 a filter goes from 0 to 1")]
    return [(height / 200, said) for height, said in wrong]


def _bent(mel_filters):
    """At a rate of 12,800 the highest edge, 6400 Hz, is 42 mel; 13 filters have edges at 0, 3, 6, … 42 mel."""
    mels = np.arange(0, 43, 3.0)
    edges, frequency = _hertz(mels), np.arange(65) * 100
    own = np.array([_mel(f) for f in frequency])
    bent = np.maximum(np.minimum(own - mels[:-2, None], mels[2:, None] - own), 0) / 3
    moved = [np.floor(edges / 100), np.round(edges / 100), np.floor(edges / 100 * 129 / 128)]
    slips = [(_triangles(_on_htks_scale(6400, 15), frequency), "this is HTK's scale: Slaney's is straight below 1 kHz"),
             (_triangles(np.linspace(0, 6400, 15), frequency), "your edges are even in Hz: they are even in mel, and "
              "mel bends at 1000 Hz. Is the formula for above used, on the way there and on the way back?"),
             (_triangles(200 / 3 * mels, frequency), "above 15 mel it is 1000 · 6.4^((mel - 15) / 27) Hz"),
             (_triangles(_hertz(np.linspace(0, 96, 15)), frequency), "half the rate, 6400 Hz, is 42 mel: from 1000 Hz "
              "on it is 15 + 27 ln(f / 1000) / ln 6.4"),
             *((_triangles(100 * each, frequency), "your edges were moved onto columns: let them stand between")
               for each in moved),
             *((_triangles(each, frequency), "your edges were made whole numbers of Hz: leave them as they are")
               for each in (np.floor(edges), np.round(edges))),
             (bent / 3, "sides and width are taken in mel: the edges are even in mel, all else is in Hz"),
             (bent * 2 / (edges[2:] - edges[:-2])[:, None], "the sides of a triangle are straight in Hz, not in mel"),
             *_sides_of_other_widths(edges, frequency),
             *((_triangles(_hertz(np.linspace(0, 15 + 27 * each, 15)), frequency), "one logarithm is to base 10, the "
                "other is natural: take ln for both") for each in (math.log10(math.e), math.log(10)))]
    hint = "edges 0, 200, …, 1000, then 1000 · 6.4^(1/9), 1000 · 6.4^(2/9), …, 6400 Hz, and columns 0, 100, …, 6400 Hz"
    reply = ask(mel_filters, 13, 128, 12800)
    yield laws.shape("13 filters, a window of 128: (13, 65)", reply, (13, 65), "window // 2 + 1 columns, for each")
    right = _triangles(edges, frequency)
    yield laws.equals("rate 12,800 and 13 filters: the edges are 0, 3, 6, …, 42 mel", reply, right,
                      _where(reply.value, right, hint), slips)


def _sides_of_other_widths(edges, frequency):
    """(what it leads to, what to say) of triangles whose two sides are not as wide as the edges say."""
    left, middle, right = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    rises, falls, half = middle - left, right - middle, (right - left) / 2
    exchanged = ("the widths of the two sides are exchanged: the rising one is as wide as edges m and m + 1 are apart, "
                 "the falling one as m + 1 and m + 2")
    alike = "your two sides are equally wide: edges lie ever farther apart above 1000 Hz, so the falling side is wider"
    wrong = [(np.minimum((frequency - left) / falls, (right - frequency) / rises), exchanged),
             (1 - abs(frequency - middle) / half, alike), (1 - abs(frequency - left - half) / half, alike),
             *((np.minimum(frequency - left, right - frequency) / width, alike) for width in (rises, falls))]
    return [(height.clip(0) / half, said) for height, said in wrong]


def _odd(mel_filters):
    """A window of 33 at 8000 Hz: columns 8000 / 33 Hz apart, the last of them below 4000 Hz."""
    edges, k = _hertz(np.linspace(0, _mel(4000), 8)), np.arange(17)
    slips = [(_triangles(edges, 100 * k), "columns are rate / window apart, here 8000 / 33 Hz, and not always 100"),
             (_triangles(edges, 250 * k), "the last column of an odd window lies below half the rate: column k is "
              "k · rate / window")]
    yield laws.equals("an odd window: column k is k · rate / window", ask(mel_filters, 6, 33, 8000),
                      _triangles(edges, k * 8000 / 33), "the columns are 0, 8000 / 33, 16000 / 33, … Hz", slips)


def _is_bank(law, mel_filters, args, mels, advice):
    _, window, rate = args
    right = _triangles(_hertz(np.array(mels, float)), np.arange(window // 2 + 1) * rate / window)
    return laws.equals(law, ask(mel_filters, *args), right, advice)


def _triangles(edges, frequency):
    """Over edges in Hz, each of area 1."""
    edges = np.asarray(edges, float)[:, None]
    rise = (frequency - edges[:-2]) / np.diff(edges[:-1], axis=0)
    fall = (edges[2:] - frequency) / np.diff(edges[1:], axis=0)
    return np.maximum(np.minimum(rise, fall), 0) * 2 / (edges[2:] - edges[:-2])


def _mel(f):
    return 3 * f / 200 if f < 1000 else _logarithmic(f)


def _logarithmic(f):
    return 15 + 27 * math.log(f / 1000) / math.log(6.4)


def _on_htks_scale(highest, n):
    return 700 * ((1 + highest / 700) ** np.linspace(0, 1, n) - 1)


def _hertz(mels):
    return np.where(mels < 15, mels * 200 / 3, 1000 * 6.4 ** ((mels - 15) / 27))


# log_mel


@visible_check
def log_mel(log_mel):
    yield from _by_hand(log_mel)
    yield from _least(log_mel)
    yield from _any_sound(log_mel)
    (signal,) = laws.random(5, (60,))
    wrong = np.ones((3, 8))
    yield laws.refuses("a signal shorter than a window: ValueError", log_mel, (signal[:10], 16, 4, np.ones((3, 9))), [],
                       "`frames` raises it")
    yield laws.refuses("filters of 8 columns for a spectrum of 9: ValueError", log_mel, (signal, 16, 4, wrong), [],
                       "a matrix product of sizes that differ raises it")


def _by_hand(log_mel):
    """The frame 1, 2, 3, 4 becomes 0, 1, 3, 2, whose powers are 36, 10, 0; the filters take the first two."""
    frame, bank = np.arange(1.0, 5), np.eye(3)[:2]
    said = "use the filters that come as an argument: they need not be those of your `mel_filters`"
    own = [np.log(np.maximum(_powers([0, 1, 3, 2]) @ _triangles(_hertz(np.linspace(0, _mel(rate / 2), count + 2)),
           np.arange(3) * rate / 4).T, 1e-10))[None] for count in (2, 32, 40, 80) for rate in (8000, 16000)]
    hann = np.array([0, 0.5, 1])
    late = [np.abs(np.fft.rfft(frame) * hann) ** 2, _powers(frame) * hann]
    slips = [(np.log(_powers(frame))[None, :2], "the frame is not multiplied by a Hann window"),
             (np.log(_powers(frame * np.hanning(4)))[None, :2], "this is np.hanning(4), which ends with 0: the "
              "periodic window of 4 is 0, 0.5, 1, 0.5"),
             (np.log(_powers([1, 1, 0, 2]))[None, :2], "your window begins with 1: it is ½ − ½ cos"),
             (np.log([[6, 10**0.5]]), "power is the square of the size"),
             (np.log([[36, 9]]), "the size of a complex number has both parts: np.abs"),
             (np.log([[36, 8]]), "a complex number squared is not its squared size: np.abs first, then the square"),
             *((np.log(np.maximum(each[None, :2], 1e-10)), "the Hann window comes before the FFT: multiply the frame "
                "by it, not the spectrum") for each in late),
             (np.log10([[36, 10]]), "take the natural logarithm"),
             (np.log10([[36, 10]]) / 4 + 1, "these are Whisper's features, rescaled from a logarithm to base 10: here "
              "it is the natural one, and no more"),
             (10 * np.log10([[36, 10]]), "these are decibels: take the natural logarithm"),
             ([[36, 10]], "the logarithm is missing"),
             (np.log([[37, 11]]), "1 was added, as np.log1p does: take the logarithm of what the filters add up"),
             (np.log([[9, 2.5]]), "the power is not divided by the length of the window"),
             *((each, said) for each in own)]
    law = "1, 2, 3, 4 under a window of 4: 0, 1, 3, 2, the powers are 36, 10, 0, so ln 36 and ln 10"
    reply = _heard(law, log_mel, frame, 4, 4, bank)
    advice = ("np.fft.rfft of each frame times its Hann window, squared size, filters, np.log(np.maximum(…, 1e-10)); "
              "and is the check of `frames` ticked?")
    yield laws.equals(law, reply, np.log([[36, 10]]), _window_of(log_mel) or advice, slips)


def _heard(law, log_mel, *args):
    """`ask`, where what NumPy says of sizes that differ needs a word more."""
    spectrum = ("np.fft.rfft along the samples of a frame, the last axis, has window // 2 + 1 columns, as many as the "
                "filters: np.fft.fft has window columns")
    exchanged = "are window and hop exchanged, in the call of `frames` or in the Hann window? Both are `window` long"
    raised = {"core dimension": spectrum, "not aligned": spectrum, "broadcast": exchanged}
    return laws.asked(law, raised, log_mel, *args)


def _window_of(log_mel):
    """What to say of a window of 4 that is not 0, ½, 1, ½; nothing of one that is, or that cannot be seen.

    A frame with a single 1 in it has, at every frequency, the power of the window there."""
    found = [as_array(ask(log_mel, one, 4, 4, np.eye(3)).value) for one in np.eye(4)]
    if any(each.shape != (1, 3) or each.dtype.kind != "f" for each in found):
        return ""
    size = np.exp(np.concatenate(found) / 2)  # (4, 3)
    if not np.allclose(size, size[:, :1]) or np.allclose(size[:, 0], [0, 0.5, 1, 0.5], atol=1e-4):
        return ""
    return f"your window of 4 is {', '.join(f'{each:.3g}' for each in size[:, 0].round(4))}: expected 0, 0.5, 1, 0.5"


def _least(log_mel):
    """Of the same frame what the filters add up is 0, 0, 2e-10 and 1e-12."""
    bank = np.array([[0, 0, 1], [0, 0, 5], [0, 2e-11, 0], [0, 1e-13, 0]])
    reply = ask(log_mel, np.arange(1.0, 5), 4, 4, bank)
    least, added = np.array([1e-10, 1e-10, 2e-10, 1e-10]), np.array([0, 0, 2e-10, 1e-12])
    slips = [(np.log([[1e-10, 5e-10, 2e-10, 1e-12]]), "the floor belongs after the filters: it is what they add up "
              "that should be at least 1e-10"),
             (np.log([[1e-10, 5e-10, 2e-10, 1e-10]]), "there is a floor before the filters: it belongs after them"),
             (np.log([added + 1e-10]), "1e-10 is the least, not added: np.maximum(filtered, 1e-10)"),
             *((np.log([np.maximum(added, 10.0**-n)]), f"the least is 1e-10, not 1e-{n}") for n in range(5, 17)),
             (np.log([np.where(added == 0, 1e-10, added)]), "1e-12 is not 0, and is below 1e-10 too: np.maximum")]
    lowest = as_array(reply.value).ravel()[:1]
    advice = "np.log(np.maximum(filtered, 1e-10))"
    if lowest.dtype.kind == "f" and (lowest < -40).all():
        advice = "ln 0 is -inf, and of what rounding leaves of 0 nearly so: take ln of at least 1e-10"
    law = "0 filtered, 0 by a filter of 5, 2e-10 and 1e-12: ln of 1e-10, 1e-10, 2e-10 and 1e-10"
    yield laws.equals(law, reply, np.log([least]), advice, slips)


def _powers(faded):
    """The squared size of the spectrum."""
    return np.abs(np.fft.rfft(faded)) ** 2


def _any_sound(log_mel):
    """Noise, silence and tones, summed the slow way."""
    signal, numbers = laws.random(3, (50,), (4, 7))
    bank = numbers**2
    slow = _slow(signal, 12, 9)
    slips = [(np.log(np.maximum(slow, 1e-10)) @ bank.T, "the filters add up power: the logarithm comes last"),
             (np.log(slow @ bank.T).T, "each row is a frame, (F, M)"),
             (np.log(_slow(signal, 12, 9, real=True) @ bank.T), "the size of a complex number has both parts: np.abs")]
    reply = _heard("noise, a window of 12, a hop of 9", log_mel, signal, 12, 9, bank)
    yield laws.shape("noise, five frames, four filters: (5, 4)", reply, (5, 4), "a row for each frame; is the check of "
                     "`frames` ticked?")
    yield laws.equals("and of each frame what its four filters hear", reply, np.log(slow @ bank.T),
                      "frames, Hann, rfft, |·|², @ filters.T, ln; and is the check of `frames` ticked?", slips)
    odd = bank[:, :6]
    yield laws.equals("a window of an odd length, a hop longer than it", ask(log_mel, signal, 11, 13, odd),
                      np.log(_slow(signal, 11, 13) @ odd.T), "rfft of 11 numbers has 6")
    quiet = np.where(np.arange(50) < 30, 0.0, signal)
    right = np.log(np.maximum(_slow(quiet, 12, 9) @ bank.T, 1e-10))
    yield laws.equals("silence: ln 1e-10, not -inf", ask(log_mel, quiet, 12, 9, bank), right,
                      "np.maximum(filtered, 1e-10) before np.log")
    whole = np.arange(40) ** 2 % 17 - 8
    yield laws.equals("whole numbers", ask(log_mel, whole, 12, 9, bank), np.log(_slow(whole, 12, 9) @ bank.T),
                      "was the Hann window turned into whole numbers?")
    yield laws.equals("one frame, one filter, a window of two samples", ask(log_mel, signal[:3], 2, 2, bank[:1, :2]),
                      np.log(_slow(signal[:2], 2, 2) @ bank[:1, :2].T), "the window is 0, 1")


def _slow(signal, window, hop, real=False):
    """The power spectra of the frames, from the definition."""
    i = np.arange(window)
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * i / window)
    waves = np.exp(-2j * np.pi * np.outer(i, np.arange(window // 2 + 1)) / window)
    parts = [signal[s:s + window] * hann @ waves for s in range(0, len(signal) - window + 1, hop)]
    return np.stack([part.real**2 if real else np.abs(part) ** 2 for part in parts])


# pointing_accuracy


@visible_check
def pointing_accuracy(pointing_accuracy):
    for law, row, box, right in [
        ("the start belongs to the box", [0, 1, 0], [1, 2], 1.0), ("the end does not", [0, 1, 0], [0, 1], 0.0),
        ("the peak counts, not where most of the weight lies", [0.4, 0.3, 0.3], [1, 3], 0.0),
        ("nor its middle", [0.5, 0.0, 0.5], [1, 2], 0.0),
        ("of equal weights the first counts, here outside", [0.5, 0.5, 0], [1, 2], 0.0),
        ("and here inside", [0.5, 0.5, 0], [0, 1], 1.0),
    ]:
        reply = _asked(pointing_accuracy, np.array([row], float), np.array([box]))
        yield laws.equals(f"weights {row}, box {box}: {law}", reply, right, f"expected {right:g}, got {reply.value}")
    weights = np.array([[0.1, 0.6, 0.2, 0.1], [0.2, 0.2, 0.5, 0.1], [0.4, 0.4, 0.1, 0.1], [0.1, 0.2, 0.3, 0.4],
                        [0.7, 0.1, 0.1, 0.1], [0.1, 0.1, 0.2, 0.6]])
    boxes = np.array([[1, 3], [0, 2], [1, 4], [3, 4], [0, 1], [2, 4]])
    law = "six words look at 1, 2, 0, 3, 0, 3; boxes [1, 3), [0, 2), [1, 4), [3, 4), [0, 1), [2, 4): four of six"
    slips = [(4.0, "this is how many: divide by the number of words"), (1 / 3, "this is the share of misses")]
    yield laws.equals(law, _asked(pointing_accuracy, weights, boxes), 2 / 3, slips=slips)
    for row in ([-300.02, -300.01, -300.03], [999.01, 999.02, 999.0]):
        reply = _asked(pointing_accuracy, np.array([row]), np.array([[1, 2]]))
        law = f"any numbers, of which the largest counts: {row}, box [1, 2]"
        yield laws.equals(law, reply, 1.0, f"expected 1, got {reply.value}: which is the largest?")
    yield from _on_a_board(pointing_accuracy)
    yield laws.equals("one word, one position", _asked(pointing_accuracy, np.ones((1, 1)), np.array([[0, 1]])), 1.0)
    line, board = weights[:2], np.ones((1, 3, 4))
    for law, args, why in [
        ("an empty box", (line, np.array([[0, 2], [3, 3]])), "[3, 3] has no place in it"),
        ("a box that ends before it begins, [3, 1]", (line, np.array([[0, 2], [3, 1]])), "it has no place in it"),
        ("a box that begins at -1", (line, np.array([[0, 2], [-1, 2]])), "a negative start does not raise by itself: a "
         "slice counts it from the end, and for a comparison it is before all places"),
        ("a box that ends at 5 of 4", (line, np.array([[0, 5], [1, 2]])), "an end of 4 holds the last place, 3"),
        ("on a board, a box that is too low", (board, np.array([[0, 0, 4, 2]])), "its bottom is 4, of 3 rows"),
        ("or too wide", (board, np.array([[0, 0, 2, 5]])), "its right is 5, of 4 columns"),
        ("or has no row", (board, np.array([[1, 1, 1, 3]])), "its top and its bottom are 1"),
        ("or no column", (board, np.array([[1, 1, 2, 1]])), "its left and its right are 1"),
        ("or has its top at -1", (board, np.array([[-1, 0, 2, 3]])), "rows are counted from 0"),
        ("or its left at -1", (board, np.array([[0, -1, 2, 3]])), "columns are counted from 0"),
        ("fewer boxes than words", (weights[:3], np.array([[0, 2], [1, 2]])), "3 words, 2 boxes: zip stops in silence"),
        ("one box for two words", (line, np.array([[0, 2]])), "a comparison uses it for both, in silence"),
        ("more boxes than words", (line, np.array([[0, 2], [1, 2], [0, 1]])), "2 words, 3 boxes: zip stops in silence"),
        ("no word at all", (line[:0], np.zeros((0, 2), int)), "there is no mean of nothing"),
    ]:
        yield laws.refuses(f"{law}: ValueError", pointing_accuracy, args, [], why)


def _asked(pointing_accuracy, weights, boxes, advice="an end of {n} of {n} lies outside of the box, as in slices"):
    """`ask`, where a refusal of one's own says what was refused: these boxes are all allowed."""
    try:
        return ask(pointing_accuracy, weights, boxes)
    except ValueError as error:
        if any(said in str(error) for said in NUMPYS):
            raise
        law, n = f"weights {weights.shape}: boxes {boxes.tolist()} are allowed", weights.shape[-1]
        raise CheckFailed(f"{law}\n  ValueError: {str(error)[:90]}\n  {advice.format(n=n)}") from error


def _on_a_board(pointing_accuracy):
    """Rows and columns: boxes are top, left, bottom, right."""
    order = "did you read it as {}? It is top, left, bottom, right"
    for box, advice in [([0, 0, 2, 2], order.format("top, bottom, left, right")),
                        ([0, 1, 1, 4], order.format("left, top, right, bottom")),
                        ([0, 2, 1, 4], order.format("top, left, height, width")),
                        ([1, 1, 3, 2], "a bottom of 3 of 3 lies outside of the box and is no row, as in slices"),
                        ([1, 1, 2, 5], "a right of 5 of 5 lies outside of the box and is no column, as in slices")]:
        _asked(pointing_accuracy, np.ones((1, 3, 5)), np.array([box]), advice)
    rows, columns, weights = np.array([2, 1, 1, 0, 1, 0, 0, 2]), np.array([2, 1, 2, 2, 1, 1, 3, 4]), np.zeros((8, 3, 5))
    weights[np.arange(8), rows, columns] = 1.0
    boxes = np.array([[1, 2, 2, 5], [0, 0, 3, 1], [0, 0, 2, 2], [0, 3, 1, 5], [0, 1, 1, 3], [0, 1, 2, 4], [1, 3, 2, 5],
                      [1, 4, 2, 5]])
    slips = [(0, "a box is top, left, bottom, right, and rows come first"),
             (6 / 8, "rights and bottoms lie outside"),
             (2 / 8, "a place is row · 5 + column: the row is place // 5, the number of columns, not of rows"),
             (4 / 8, "rows lie within, and columns have to as well"),
             (5 / 8, "columns lie within, and rows have to as well"),
             (3 / 8, "the last two numbers of a box are bottom and right, not its height and width"),
             (7 / 8, "this is the share of misses")]
    law = "on 3 rows and 5 columns, boxes top, left, bottom, right: one of eight"
    reply = _asked(pointing_accuracy, weights, boxes)
    yield laws.equals(law, reply, 1 / 8, f"expected 0.125, got {reply.value}: both axes must lie within", slips)
    yield from _peaks(pointing_accuracy)
    tie = np.ones((1, 2, 3))
    for box, right in [([0, 0, 1, 1], 1.0), ([1, 2, 2, 3], 0.0)]:
        reply = _asked(pointing_accuracy, tie, np.array([box]))
        yield laws.equals(f"all weights equal, box {box}: the first is at the top left", reply, right,
                          f"expected {right:g}, got {reply.value}")


def _peaks(pointing_accuracy):
    """On grids of many weights: the peak, and the places to which slips lead."""
    one = "take one np.argmax of the whole grid: you took row and column apart, each from its own"
    first, half = "this is the first weight above 0: take the largest", "this is the first above half of the largest"
    for law, board, peak, slips in [
        ("the peak, though another row and column hold more", [[1, 4, 6], [6, 3, 6], [7, 1, 6]], (2, 0), {
            (1, 2): f"{one} sum", (2, 2): f"{one} sum of squares", (0, 0): first, (0, 1): half,
            (1, 0): "this is the peak of the heaviest row", (0, 2): "this is the peak of the heaviest column",
            (1, 1): "this is the centre of mass, and need not be where any weight is"}),
        ("the largest number, whatever its sign", [[-9, 1, 0], [-8, 4, 6], [2, 7, -5]], (2, 1), {
            (0, 0): "-9 is large in size only: take the largest number, without np.abs", (0, 1): first, (1, 1): half}),
        ("the first of three peaks, row by row", [[1, 0, 4], [4, 4, 0]], (0, 2), {
            (0, 0): f"{one} largest weight, or the first above 0", (1, 0): "this is the first of them column by column",
            (1, 1): "this is the last of them"}),
    ]:
        place = _place(pointing_accuracy, np.array(board, float))
        said = slips.get(place, "take the largest single weight of the grid, and of equals the first")
        hint = f"you point at {list(place) or 'no place, or several'}: {said}"
        yield Verdict(f"weights {board}: {law}, is at {list(peak)}", place == peak, hint)


def _place(pointing_accuracy, board):
    """The row and column at which it points on a board (R, C), or nothing where that is no single place.

    Place i is asked for i + 1 times, each time by a box that holds it alone, so the share of hits says which it is."""
    R, C = board.shape
    row, column = np.divmod(np.arange(R * C).repeat(1 + np.arange(R * C)), C)
    boxes = np.stack([row, column, row + 1, column + 1], axis=1)
    share = as_array(_asked(pointing_accuracy, np.repeat(board[None], len(boxes), axis=0), boxes).value)
    hits = float(share) * len(boxes) if share.shape == () and share.dtype.kind in "fi" else 0.0
    is_one = 1 <= round(hits) <= R * C and abs(hits - round(hits)) < 1e-6
    return divmod(round(hits) - 1, C) if is_one else ()
