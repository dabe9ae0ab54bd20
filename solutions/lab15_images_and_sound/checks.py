"""What lab 15 is judged on.

Where chance decides what a case can tell, it is drawn anew until all known mistakes answer it otherwise than the
reference does, and than each other.
"""

import numpy as np

from coursekit.verdicts import compare, together
from solutions.lab15_images_and_sound import mistakes, reference
from solutions.refusals import refuses

TRIES = 500  # draws for one case; a telling one is found after a few
APART = 1e-3  # between the shares of two mistakes: less than one word in so many as are drawn


def patchify(student, rng):
    hint = ("do patches go row by row through the image, pixels row by row through a patch, and of each pixel its "
            "channels?")
    verdicts = [together(*[compare(law, student.patchify(*args), reference.patchify(*args), hint) for args in asked])
                for law, asked in _images(rng)]
    yield from verdicts
    wrong = [(rng.random((2, 6, 8)), 4), (rng.random((2, 8, 6, 3)), 4), (rng.random((1, 4, 6)), 5),
             (rng.random((2, 3, 3)), 6), (rng.random((2, 4, 4)), 0)]
    yield refuses("a patch that does not divide H or W, or below 1, raises ValueError", verdicts[0], student.patchify,
                  wrong)


def attention_pool(student, rng):
    hint = "scores tokens · query over √d, a softmax over the real tokens, and the sum of the tokens themselves?"
    verdicts = [together(*[_pooled(student, law, args, hint) for args in asked]) for law, asked in _pools(rng)]
    yield from verdicts


def frames(student, rng):
    hint = "does frame i hold the samples from i · hop on, so many as the window has, and is the tail dropped?"
    verdicts = [together(*[compare(law, student.frames(*args), reference.frames(*args), hint) for args in asked])
                for law, asked in _signals(rng)]
    yield from verdicts
    signal = rng.normal(size=9)
    wrong = [(signal, 10, 3), (signal, 0, 3), (signal, 4, 0), (signal[:0], 1, 1), (signal, -2, 1), (signal, 3, -1)]
    yield refuses("a signal shorter than a window, a window or hop below 1: each raises ValueError", verdicts[0],
                  student.frames, wrong)


def mel_filters(student, rng):
    hint = ("are there count + 2 edges, even on Slaney's scale from 0 to rate / 2, triangles straight in Hz, divided "
            "by half their width, and column k at k · rate / window?")
    verdicts = [together(*[compare(law, student.mel_filters(*args), reference.mel_filters(*args), hint)
                           for args in asked]) for law, asked in _banks(rng)]
    yield from verdicts
    wrong = [(0, 64, 8000), (-1, 64, 8000), (4, 0, 8000), (4, -2, 8000), (4, 64, 0), (4, 64, -8000)]
    yield refuses("a count or window below 1, a rate of 0 or less: each raises ValueError", verdicts[0],
                  student.mel_filters, wrong)


def log_mel(student, rng):
    hint = ("is each frame multiplied by a periodic Hann window, is power the squared size of rfft, and is it the ln "
            "of at least 1e-10 of what the filters add up?")
    verdicts = [together(*[compare(law, student.log_mel(*args), reference.log_mel(*args), hint) for args in asked])
                for law, asked in _sounds(rng)]
    yield from verdicts
    bank = rng.random((4, 9))
    wrong = [(rng.normal(size=15), 16, 5, bank), (rng.normal(size=40), 16, 5, bank[:, :8])]
    yield refuses("a signal shorter than a window, filters of another width: each raises ValueError", verdicts[0],
                  student.log_mel, wrong)


def pointing_accuracy(student, rng):
    hint = "the first place of the largest weight, start <= place < end on each axis, and the share of all words?"
    verdicts = [together(*[compare(law, student.pointing_accuracy(*args), reference.pointing_accuracy(*args), hint)
                           for args in asked]) for law, asked in _pointings(rng)]
    yield from verdicts
    line, board = rng.random((2, 5)), rng.random((1, 3, 4))
    wrong = [(line, np.array([[0, 2], box])) for box in ([3, 3], [4, 2], [-1, 2], [1, 6])]
    wrong += [(board, np.array([box])) for box in ([0, 0, 4, 2], [0, 0, 2, 5], [1, 1, 1, 3], [0, 2, 3, 2],
                                                   [0, -1, 2, 3], [-1, 0, 2, 3])]
    wrong += [(line[:0], np.zeros((0, 2), int)), (line, np.array([[0, 2]])), (line, np.array([[0, 2], [1, 3], [3, 4]]))]
    law = "a box that is empty or not all within, another number of boxes, no word at all: each raises ValueError"
    yield refuses(law, verdicts[0], student.pointing_accuracy, wrong)


# Cases


def _images(rng):
    """(law, list of arguments of `patchify`): no two of rows, columns, p and C are equal, but in the last."""
    yield "grey images, wider than high", [(rng.random((3, 6, 15)), 3)]
    yield "images in colour, higher than wide", [(rng.normal(size=(2, 20, 8, 3)), 4)]
    yield "many channels, in float32", [(rng.normal(size=(3, 4, 10, 5)).astype(np.float32), 2)]
    yield "a single image, and whole numbers", [(rng.integers(17, size=(1, 12, 6)), 3),
                                                (rng.integers(256, size=(1, 4, 6, 2)), 2)]
    yield "one channel as an axis of its own; a patch of one pixel; one patch for all", [
        (rng.random((2, 6, 4, 1)), 2), (rng.random((2, 3, 4, 2)), 1), (rng.random((3, 4, 4, 2)), 4),
        (rng.random((2, 8, 12)), 2)]


def _pools(rng):
    """(law, list of arguments of `attention_pool`)."""
    for law, (B, N, d), kind, what in [
        ("a batch, all tokens real", (3, 7, 8), float, "plain"),
        ("masks with holes, another for each", (4, 6, 5), float, "holes"),
        ("sets of different sizes, in float32", (5, 8, 3), np.float32, "prefix"),
        ("scores of hundreds, and hidden ones far above the visible ones", (3, 5, 6), float, "far"),
        ("where no token is real, output and weights are 0", (4, 3, 7), float, "empty"),
    ]:
        more = ["near", "long"] if what == "far" else []
        yield law, [_pool(rng, B, N, d, kind, each) for each in [what, *more]]
    yield "one token, one image, a width of 1", [
        _pool(rng, 3, 1, 4, float, "plain"), _pool(rng, 1, 5, 3, float, "holes"), _pool(rng, 2, 4, 1, float, "holes"),
        _pool(rng, 1, 1, 1, float, "plain"), _pool(rng, 4, 4, 4, float, "holes")]


def _pool(rng, B, N, d, kind, what):
    query, tokens = (2 * rng.normal(size=shape).astype(kind) for shape in ((d,), (B, N, d)))
    if what == "plain":
        return query, tokens
    mask = rng.random((B, N)) < 0.6
    mask[np.arange(B), rng.permuted(np.tile(np.arange(N), (B, 1)), axis=1)[:, :2].T] = [[True], [False]]
    if what == "prefix":
        mask = np.arange(N) < 1 + np.arange(B)[:, None] % N
    if what == "far":
        tokens = 60 * tokens + 5000 * d**0.5 * ~mask[..., None] * query / (query @ query)
    if what == "near":
        tokens = tokens + 500 * d**0.5 * query / (query @ query)
    if what == "long":
        query, tokens = 1000 * query, tokens / 1000
    if what == "empty":
        mask[rng.integers(B)] = False
    return query, tokens, mask


def _signals(rng):
    """(law, list of arguments of `frames`)."""
    yield "frames that overlap, and a tail that is dropped", [(rng.normal(size=47), 10, 4)]
    yield "a hop longer than a window, in float32", [(900 * rng.normal(size=41).astype(np.float32), 5, 9)]
    yield "a hop of 1, and whole numbers", [(rng.integers(-99, 99, size=13), 6, 1)]
    yield "a last frame that just fits, and one that lacks a sample", [(rng.normal(size=8 + 3 * 5), 8, 5),
                                                                       (rng.normal(size=7 + 3 * 5), 8, 5)]
    yield "a single frame, a single sample", [(rng.normal(size=6), 6, 2), (rng.normal(size=9), 7, 4),
                                              (rng.normal(size=4), 1, 1), (rng.normal(size=1), 1, 3)]


def _banks(rng):
    """(law, list of arguments of `mel_filters`)."""
    yield "many filters", [(int(rng.integers(24, 32)), 256, 8000)]
    yield "few filters, a high rate", [(int(rng.integers(5, 9)), 400, 44100)]
    yield "a window of an odd length", [(int(rng.integers(9, 14)), 201, 16000)]
    yield "a low rate, where the whole scale is straight", [
        (int(rng.integers(5, 9)), 128, 1600), (4, 65, 1999.5), (60, 201, 1), (5, 33, 0.25)]
    yield "one filter; a rate at which the scale just bends", [(1, 64, 6000), (3, 48, 2000), (7, 100, 2200)]
    yield "more filters than the frequencies can fill: some stay empty", [(int(rng.integers(60, 70)), 128, 16000),
                                                                          (3, 1, 4000), (2, 2, 8000)]


def _sounds(rng):
    """(law, list of arguments of `log_mel`). Each has filtered powers that lie far apart."""
    yield "noise, frames that overlap", [(rng.normal(size=150), 32, 11, _bank(rng, 5, 17))]
    yield "a window of an odd length, a hop longer than it", [(30 * rng.normal(size=131), 25, 30, _bank(rng, 4, 13))]
    silent = rng.normal(size=160)
    silent[20:110] = 0
    yield "silence: the least is ln 1e-10", [(silent, 24, 13, _bank(rng, 6, 13)),
                                             (1e-6 * rng.normal(size=90), 20, 9, _bank(rng, 3, 11)),
                                             (1e-5 * rng.normal(size=90), 16, 9, 0.1 * _bank(rng, 5, 9))]
    tone = np.sin(2 * np.pi * np.arange(200) * int(rng.integers(5, 12)) / 40)
    yield "a pure tone, and filters of which one adds up nothing", [
        (tone, 40, 17, np.concatenate([_bank(rng, 4, 21), np.zeros((1, 21))]))]
    yield "in float32", [(rng.normal(size=170).astype(np.float32), 30, 7, _bank(rng, 7, 16).astype(np.float32))]
    yield "one frame, one filter, a window of two samples, whole numbers", [
        (rng.normal(size=20), 18, 9, _bank(rng, 1, 10)), (3 + rng.random(7), 2, 2, _bank(rng, 3, 2)),
        (rng.integers(-900, 900, size=70), 16, 6, _bank(rng, 4, 9))]


def _bank(rng, M, K):
    """Any filters: what they are is the caller's matter."""
    return rng.random((M, K)) ** 4


def _pointings(rng):
    """(law, list of arguments of `pointing_accuracy`). Weights are eighths, so that many of a word's are equal."""
    for law, *shapes in [("words over positions", (97, 9)), ("words over rows and columns", (199, 4, 7)),
                         ("more rows than columns", (193, 8, 3)),
                         ("many positions, along a line and on a grid", (101, 30), (211, 5, 6)),
                         ("as many rows as columns, in float32", (197, 5, 5))]:
        yield law, [_telling(lambda s=shape: _pointing(rng, s), () if len(shape) == 3 else "on_a_grid")
                    for shape in shapes]
    yield "a single word, a single position", [
        (np.array([[0.2, 0.5, 0.3]]), np.array([[1, 2]])), (np.array([[0.2, 0.3, 0.5]]), np.array([[1, 2]])),
        (np.ones((1, 1)), np.array([[0, 1]])), (np.ones((2, 1, 1)), np.array([[0, 0, 1, 1]] * 2)),
        _pointing(rng, (29, 1, 6)), _pointing(rng, (31, 6, 1)), _pointing(rng, (26, 7)),
        *(_pointing(rng, shape, far) for shape in ((24, 8), (22, 3, 5)) for far in (-300, 900))]


def _pointing(rng, shape, far=None):
    """Weights, eighths or numbers that are nearly alike and `far` from 0, and boxes near their largest ones."""
    T, *sizes = shape
    weights = rng.integers(-4, 5, size=shape) / 8 if far is None else far + 0.01 * rng.permuted(
        np.arange(T * np.prod(sizes)).reshape(shape) % np.prod(sizes), axis=1)
    place = np.stack(np.unravel_index(weights.reshape(T, -1).argmax(axis=1), sizes), axis=1)
    first = np.clip(place - rng.integers(-1, 3, size=place.shape), 0, np.array(sizes) - 1)
    end = np.minimum(first + rng.integers(1, 4, size=place.shape), sizes)
    weights = weights.astype(np.float32) if sizes == [5, 5] else weights
    return weights, np.concatenate([first, end], axis=1)


def _telling(draw, untold=()):
    """Arguments of `pointing_accuracy` that `draw()` makes, drawn until the shares that the reference and all mistakes
    give are different. Mistakes whose names end as `untold` says are none for such arguments."""
    known = [mistake for mistake in mistakes.MISTAKES["pointing_accuracy"] if not mistake.__name__.endswith(untold)]
    for _ in range(TRIES):
        args = draw()
        if np.diff(sorted(function(*args) for function in (reference.pointing_accuracy, *known))).min() > APART:
            return args
    raise ValueError(f"cases: expected one within {TRIES} draws that tells all mistakes apart, got none")


# Verdicts


def _pooled(student, law, args, hint):
    return compare(law, student.attention_pool(*args), reference.attention_pool(*args), hint,
                   names=["output", "weights"])
