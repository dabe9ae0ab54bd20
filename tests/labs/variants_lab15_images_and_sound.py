"""Different right ways to write lab 15: a fair grader gives each of them full points."""

import itertools
import sys

import numpy as np

from solutions.lab15_images_and_sound import reference
from tests.labs.float32 import in_float32

# patchify


def patchify_by_loops(images, patch):
    _divides(images, patch)
    corners = itertools.product(range(0, images.shape[1], patch), range(0, images.shape[2], patch))
    return np.stack([images[:, r:r + patch, c:c + patch].reshape(len(images), -1) for r, c in corners], axis=1)


def patchify_by_splitting(images, patch):
    _divides(images, patch)
    rows = np.split(images, images.shape[1] // patch, axis=1)
    squares = [square for row in rows for square in np.split(row, images.shape[2] // patch, axis=2)]
    return np.array([[square[b].ravel() for square in squares] for b in range(len(images))])


def patchify_by_einsum(images, patch):
    _divides(images, patch)
    print("with einsum", file=sys.stderr)
    x = images if images.ndim == 4 else images[..., None]
    B, H, W, C = x.shape
    grid = x.reshape(B, H // patch, patch, W // patch, patch, C)
    return np.einsum("brpcqk->brcpqk", grid).reshape(B, -1, patch**2 * C)


def patchify_by_indices(images, patch):
    _divides(images, patch)
    B, H, W = images.shape[:3]
    r, c, i, j = np.indices((H // patch, W // patch, patch, patch)).reshape(4, -1)
    return images[:, r * patch + i, c * patch + j].reshape(B, H * W // patch**2, -1)


def patchify_with_a_sliding_window(images, patch):
    _divides(images, patch)
    view = np.lib.stride_tricks.sliding_window_view(images, (patch, patch), axis=(1, 2))[:, ::patch, ::patch]
    view = view if images.ndim == 3 else np.moveaxis(view, 3, -1)
    return view.reshape(len(images), view.shape[1] * view.shape[2], -1)


def _divides(images, patch):
    if images.ndim not in (3, 4) or patch <= 0 or images.shape[1] % patch != 0 or images.shape[2] % patch != 0:
        raise ValueError(f"expected images that {patch} divides, got {images.shape}")


# attention_pool


def attention_pool_by_loops(query, tokens, mask=None):
    B, N, d = tokens.shape
    output, weights = np.zeros((B, d)), np.zeros((B, N))
    for b in range(B):
        real = [n for n in range(N) if mask is None or mask[b, n]]
        if real:
            scores = np.array([float(query @ tokens[b, n]) / d**0.5 for n in real])
            powers = np.exp(scores - scores.max())
            weights[b, real] = powers / powers.sum()
            output[b] = weights[b] @ tokens[b]
    return output, weights


def attention_pool_by_einsum(query, tokens, mask=None):
    scores = np.einsum("d,bnd->bn", query, tokens) / np.sqrt(query.size)
    real = np.ones(scores.shape, bool) if mask is None else mask
    top = np.max(scores, axis=1, keepdims=True, where=real, initial=-np.inf)
    powers = np.exp(np.where(real, scores - np.where(np.isinf(top), 0, top), -np.inf))
    weights = powers / np.maximum(powers.sum(axis=1, keepdims=True), 1e-300)
    return np.einsum("bn,bnd->bd", weights, tokens), weights


def attention_pool_with_a_query_for_each(query, tokens, mask=None):
    queries = np.broadcast_to(query, (len(tokens), 1, len(query)))
    seen = None if mask is None else mask[:, np.newaxis, :]
    output, weights = reference.scaled_dot_product_attention(queries, tokens, tokens, seen)
    return [output.reshape(len(tokens), -1), weights.reshape(tokens.shape[:2])]


def attention_pool_image_by_image(query, tokens, mask=None):
    seen = [None] * len(tokens) if mask is None else mask[:, None]
    looked = [reference.scaled_dot_product_attention(query[None, :], each, each, real)
              for each, real in zip(tokens, seen, strict=True)]
    return tuple(np.concatenate(parts) for parts in zip(*looked, strict=True))


# frames


def frames_by_a_list(signal, window, hop):
    _fits(signal, window, hop)
    return np.array([signal[start:start + window] for start in range(0, len(signal) - window + 1, hop)])


def frames_with_a_sliding_window(signal, window, hop):
    _fits(signal, window, hop)
    return np.lib.stride_tricks.sliding_window_view(signal, window)[::hop]


def frames_by_strides(signal, window, hop):
    _fits(signal, window, hop)
    signal = np.ascontiguousarray(signal)
    step, = signal.strides
    shape = 1 + (signal.size - window) // hop, window
    return np.lib.stride_tricks.as_strided(signal, shape, (hop * step, step), writeable=False)


def frames_into_an_array(signal, window, hop):
    _fits(signal, window, hop)
    out = np.empty((1 + (len(signal) - window) // hop, window), signal.dtype)
    for i, row in enumerate(out):
        row[:] = signal[i * hop:i * hop + window]
    return out


def _fits(signal, window, hop):
    if signal.ndim != 1 or window < 1 or hop < 1 or len(signal) < window:
        raise ValueError(f"signal of shape {signal.shape}: no window of {window} with a hop of {hop}")


# mel_filters


def _mel(f):
    return 3 * f / 200 if f < 1000 else 15 + np.log(f / 1000) * 27 / np.log(6.4)


def _hertz(mel):
    return 200 * mel / 3 if mel < 15 else 1000 * np.exp((mel - 15) * np.log(6.4) / 27)


def _edges(count, window, rate):
    if count < 1 or window < 1 or rate <= 0:
        raise ValueError(f"no filters: {count}, {window}, {rate}")
    return [_hertz(i * _mel(rate / 2) / (count + 1)) for i in range(count + 2)]


def mel_filters_by_loops(count, window, rate):
    edges, bank = _edges(count, window, rate), np.zeros((count, window // 2 + 1))
    for m, k in np.ndindex(bank.shape):
        left, middle, right = edges[m:m + 3]
        f = k * rate / window
        if left < f <= middle:
            bank[m, k] = (f - left) / (middle - left) * 2 / (right - left)
        elif middle < f < right:
            bank[m, k] = (right - f) / (right - middle) * 2 / (right - left)
    return bank


def mel_filters_by_interpolation(count, window, rate):
    edges, f = _edges(count, window, rate), np.fft.rfftfreq(window, 1 / rate)
    rows = [np.interp(f, edges[m:m + 3], [0, 2 / (edges[m + 2] - edges[m]), 0]) for m in range(count)]
    return np.stack(rows)


def mel_filters_by_ramps(count, window, rate):
    edges = np.array(_edges(count, window, rate))
    ramps = np.subtract.outer(edges, np.arange(window // 2 + 1) * (rate / window))
    widths = np.diff(edges)[:, None]
    bank = np.maximum(0, np.minimum(-ramps[:-2] / widths[:-1], ramps[2:] / widths[1:]))
    return bank * (2.0 / (edges[2:] - edges[:-2]))[:, None]


def mel_filters_row_by_row(count, window, rate):
    edges, f, bank = _edges(count, window, rate), np.arange(window // 2 + 1) * rate / window, []
    for left, middle, right in zip(edges, edges[1:], edges[2:], strict=False):
        rising, falling = (f - left) / (middle - left), (f - right) / (middle - right)
        bank.append(np.clip(np.where(f < middle, rising, falling), 0, None) / ((right - left) / 2))
    return bank


# log_mel


def _hann(window):
    return np.sin(np.pi * np.arange(window) / window) ** 2


def log_mel_by_the_definition(signal, window, hop, filters):
    i, k = np.arange(window), np.arange(window // 2 + 1)
    waves = np.exp(-2j * np.pi * np.outer(i, k) / window)
    if len(signal) < window or filters.shape[1] != len(k):
        raise ValueError("a signal or filters that do not fit")
    rows = [signal[s:s + window] * _hann(window) @ waves for s in range(0, len(signal) - window + 1, hop)]
    power = np.real(rows * np.conj(rows))
    return np.log(np.clip(np.einsum("fk,mk->fm", power, filters), 1e-10, None))


def log_mel_with_the_whole_fft(signal, window, hop, filters):
    slices = frames_with_a_sliding_window(signal, window, hop)
    spectrum = np.fft.fft(slices * np.hanning(window + 1)[:-1])[:, :window // 2 + 1]
    energy = np.matmul(spectrum.real**2 + spectrum.imag**2, np.transpose(filters))
    energy[energy < 1e-10] = 1e-10
    return np.log(energy)


def log_mel_frame_by_frame(signal, window, hop, filters):
    rows = []
    for each in reference.frames(signal, window, hop):
        power = np.abs(np.fft.rfft(each * _hann(window))) ** 2
        rows.append([np.log(max(float(row @ power), 1e-10)) for row in filters])
    return rows


def log_mel_with_a_floor_in_logs(signal, window, hop, filters):
    power = np.square(np.abs(np.fft.rfft(_hann(window) * reference.frames(signal, window, hop), axis=-1)))
    with np.errstate(divide="ignore"):
        return np.maximum(np.log((filters @ power.T).T), -10 * np.log(10))


# pointing_accuracy


def pointing_accuracy_by_loops(weights, boxes):
    _boxed(weights, boxes)
    hits = 0
    for each, box in zip(weights, boxes, strict=True):
        place = np.unravel_index(np.argmax(each), each.shape)
        n = each.ndim
        hits += all(box[i] <= place[i] < box[n + i] for i in range(n))
    return hits / len(weights)


def pointing_accuracy_by_painting(weights, boxes):
    _boxed(weights, boxes)
    inside = np.zeros(weights.shape, bool)
    for one, box in zip(inside, boxes, strict=True):
        one[tuple(map(slice, box[:one.ndim], box[one.ndim:]))] = True
    return np.mean([one.ravel()[each.argmax()] for one, each in zip(inside, weights, strict=True)])


def pointing_accuracy_by_kinds(weights, boxes):
    _boxed(weights, boxes)
    if weights.ndim == 2:
        peaks = weights.argmax(axis=1)
        return np.float64(((boxes[:, 0] <= peaks) & (peaks < boxes[:, 1])).sum() / len(peaks))
    rows, columns = np.divmod(weights.reshape(len(weights), -1).argmax(axis=1), weights.shape[2])
    top, left, bottom, right = boxes.T
    return float(np.mean((rows >= top) & (rows < bottom) & (columns >= left) & (columns < right)))


def pointing_accuracy_with_one_row(weights, boxes):
    _boxed(weights, boxes)
    if weights.ndim == 2:
        zero = np.zeros(len(boxes), int)
        weights, boxes = weights[:, None], np.stack([zero, boxes[:, 0], zero + 1, boxes[:, 1]], axis=1)
    row = weights.max(axis=2).argmax(axis=1)
    column = weights[np.arange(len(weights)), row].argmax(axis=1)
    hit = (boxes[:, 0] <= row) & (row <= boxes[:, 2] - 1) & (boxes[:, 1] <= column) & (column <= boxes[:, 3] - 1)
    return hit.sum() / hit.size


def _boxed(weights, boxes):
    n = weights.ndim - 1
    if n not in (1, 2) or boxes.shape != (len(weights), 2 * n) or not len(weights):
        raise ValueError(f"expected a box for each of some words, got {weights.shape} and {boxes.shape}")
    if (boxes[:, :n] < 0).any() or (boxes[:, :n] >= boxes[:, n:]).any() or (boxes[:, n:] > weights.shape[1:]).any():
        raise ValueError(f"expected boxes within {weights.shape[1:]}, got {boxes}")


attention_pool_in_float32 = in_float32(attention_pool_with_a_query_for_each)

TRIVIAL = {
    "the mean of the tokens": lambda *args: np.mean(args[min(1, len(args) - 1)], axis=0),
    "images in rows": lambda images, *args: np.reshape(images, (len(images) if np.ndim(images) else 1, -1)),
    "half": lambda *args: 0.5,
}

EXPECTS_SHAPES = {"patchify", "attention_pool", "frames", "log_mel", "pointing_accuracy"}
MAKES_FLOAT64 = {"mel_filters", "log_mel"}  # no array comes in; the Hann window is float64
WITHOUT_ARRAYS = {"mel_filters"}
