"""Plausible wrong answers to lab 15. A docstring is the sentence that a student reads whose answer behaves like it.

The tests prove that the hidden checks reject each of them; the marking room names the one that an answer behaves like.
"""

import numpy as np

from solutions.exercises import by_exercise
from solutions.lab15_images_and_sound import reference

# patchify


def _grid(images, patch):
    """(B, rows, p, columns, p, C). Raises ValueError where patch does not divide H and W."""
    B, H, W = images.shape[:3]
    if patch < 1 or H % patch or W % patch:
        raise ValueError(f"expected sizes that {patch} divides, got {H} and {W}")
    return images.reshape(B, H // patch, patch, W // patch, patch, -1)


def _laid_out(grid, *axes):
    """The axes in this order, those after the third in one row."""
    turned = grid.transpose(axes)
    return turned.reshape(len(grid), turned.shape[1] * turned.shape[2], -1)


def patchify_by_reshape_alone(images, patch):
    """You reshaped without exchanging axes: the shape is right and the picture is scrambled. Cut H into (rows, p) and W
    into (columns, p), then bring rows and columns side by side."""
    N = np.prod(_grid(images, patch).shape[1:4:2])
    return images.reshape(len(images), N, -1)


def patchify_in_columns(images, patch):
    """Your patches go down the columns: they go row by row, from the left to the right first."""
    return _laid_out(_grid(images, patch), 0, 3, 1, 2, 4, 5)


def patchify_with_turned_patches(images, patch):
    """Within a patch your pixels go column by column: they go row by row, as in the image."""
    return _laid_out(_grid(images, patch), 0, 1, 3, 4, 2, 5)


def patchify_all_by_columns(images, patch):
    """Patches and the pixels in them go column by column: both go row by row."""
    return _laid_out(_grid(images, patch), 0, 3, 1, 4, 2, 5)


def patchify_of_far_pixels(images, patch):
    """Your patches are made of pixels far apart: in reshape the number of patches stands before p, (rows, p), so that
    neighbours stay neighbours."""
    B, H, W = images.shape[:3]
    _grid(images, patch)
    return _laid_out(images.reshape(B, patch, H // patch, patch, W // patch, -1), 0, 2, 4, 1, 3, 5)


def patchify_with_h_and_w_exchanged(images, patch):
    """You took the width for the height: rows come before columns, images are (B, H, W)."""
    B, W, H = images.shape[:3]
    _grid(images, patch)
    return _laid_out(images.reshape(B, H // patch, patch, W // patch, patch, -1), 0, 1, 3, 2, 4, 5)


def patchify_upside_down(images, patch):
    """Your patches begin at the bottom of the image: the first is the one at the top left."""
    return reference.patchify(images[:, ::-1], patch)


def patchify_from_the_right(images, patch):
    """Your patches begin at the right: the first is the one at the top left."""
    return reference.patchify(images[:, :, ::-1], patch)


def patchify_as_means(images, patch):
    """You took one number of each patch and channel: a patch keeps all of its pixels, p · p · C numbers."""
    grid = _grid(images, patch)
    return grid.mean(axis=(2, 4)).reshape(len(images), -1, grid.shape[-1])


def patchify_with_an_axis_for_pixels(images, patch):
    """Your patches still are small images: lay the p · p · C numbers of each in one row."""
    grid = _grid(images, patch).swapaxes(2, 3)
    return grid.reshape(len(images), -1, patch * patch, grid.shape[-1])


# attention_pool


def _softmax(scores, mask, axis=-1):
    visible = scores if mask is None else np.where(mask, scores, -np.inf)
    powers = np.exp(visible - np.max(visible, axis=axis, keepdims=True, initial=np.finfo(scores.dtype).min))
    total = powers.sum(axis=axis, keepdims=True)
    return powers / np.where(total == 0, 1, total)


def _seen(weights, tokens):
    return (weights[..., None] * tokens).sum(axis=1), weights


def attention_pool_without_the_root(query, tokens, mask=None):
    """The scores are not divided by the root of d."""
    return _seen(_softmax(tokens @ query, mask), tokens)


def attention_pool_divided_by_d(query, tokens, mask=None):
    """You divided the scores by d: divide by its root."""
    return _seen(_softmax(tokens @ query / len(query), mask), tokens)


def attention_pool_divided_by_2(query, tokens, mask=None):
    """You divided the scores by 2, which is the root of d only for a width of 4: take d from the shape."""
    return _seen(_softmax(tokens @ query / 2, mask), tokens)


def attention_pool_with_a_normalised_query(query, tokens, mask=None):
    """You divided the query by its own length, which says how sharply it asks: divide by the root of d alone."""
    return reference.attention_pool(query / np.linalg.norm(query), tokens, mask)


def attention_pool_divided_by_the_length_of_the_query(query, tokens, mask=None):
    """You divided the scores by |q|, the length of the query: divide by the root of d, its number of entries."""
    return _seen(_softmax(tokens @ query / np.linalg.norm(query), mask), tokens)


def attention_pool_without_the_mask(query, tokens, mask=None):
    """The mask has no effect: a token where it is False gets no weight."""
    return reference.attention_pool(query, tokens)


def attention_pool_with_the_mask_of_the_first_image(query, tokens, mask=None):
    """Your mask has the wrong axes: attention wants (B, 1, N), one row for the one query. As (B, N) it is stretched,
    and that of image 0 is used for all."""
    return reference.attention_pool(query, tokens, None if mask is None else np.repeat(mask[:1], len(mask), axis=0))


def attention_pool_masked_after_the_softmax(query, tokens, mask=None):
    """You hid tokens after the softmax: the weights of the others no longer sum to 1. Hide the scores, before it."""
    _, weights = reference.attention_pool(query, tokens)
    return _seen(weights if mask is None else weights * mask, tokens)


def attention_pool_with_the_mask_upside_down(query, tokens, mask=None):
    """True means that a real token stands there: your weights lie on the others."""
    return reference.attention_pool(query, tokens, None if mask is None else ~mask)


def attention_pool_over_the_batch(query, tokens, mask=None):
    """Your softmax runs over the images of the batch: it runs over the tokens of one."""
    return _seen(_softmax(tokens @ query / len(query) ** 0.5, mask, axis=0), tokens)


def attention_pool_as_a_mean(query, tokens, mask=None):
    """This is the mean of the tokens: the query asks for nothing. Weigh them by the softmax of its scores."""
    weights = np.ones(tokens.shape[:2]) if mask is None else mask.astype(float)
    return _seen(weights / np.maximum(weights.sum(axis=1, keepdims=True), 1), tokens)


def attention_pool_with_zeros_for_hidden(query, tokens, mask=None):
    """You set hidden scores to 0, and exp(0) is 1: set them to -inf."""
    scores = tokens @ query / len(query) ** 0.5
    return _seen(_softmax(scores if mask is None else scores * mask, None), tokens)


def attention_pool_of_the_largest(query, tokens, mask=None):
    """You took the token of the largest score: take the sum of all, each by its weight."""
    _, weights = reference.attention_pool(query, tokens, mask)
    best = (weights == weights.max(axis=1, keepdims=True)) & (weights > 0)
    return _seen(best.astype(float), tokens)


def attention_pool_with_the_query_as_a_token(query, tokens, mask=None):
    """Your query is looked at, too, as a class token is: a pool's query only asks, and has no weight."""
    also = np.broadcast_to(query, (len(tokens), 1, len(query)))
    mask = None if mask is None else np.concatenate([np.ones_like(mask[:, :1]), mask], axis=1)
    output, weights = reference.attention_pool(query, np.concatenate([also, tokens], axis=1), mask)
    return output, weights[:, 1:]


def attention_pool_in_exchanged_order(query, tokens, mask=None):
    """The two results are exchanged: the output first, then the weights."""
    return reference.attention_pool(query, tokens, mask)[::-1]


# frames


def _count(signal, window, hop):
    """How many frames there are. Raises ValueError for what has none."""
    return len(reference.frames(signal, window, hop))


def frames_side_by_side(signal, window, hop):
    """Your frames begin a window apart: they begin a hop apart, and may overlap."""
    _count(signal, window, hop)
    return reference.frames(signal, window, window)


def frames_with_a_padded_tail(signal, window, hop):
    """You filled the last frame up with zeros: what does not fill a window is dropped."""
    _count(signal, window, hop)
    return reference.frames(np.append(signal, np.zeros(-(len(signal) - window) % hop, signal.dtype)), window, hop)


def frames_one_too_few(signal, window, hop):
    """A frame is missing at the end: there are 1 + (n - window) // hop."""
    n = _count(signal, window, hop)
    return reference.frames(signal, window, hop)[: max(n - 1, 0)]


def frames_centred(signal, window, hop):
    """You put half a window of zeros before the signal and behind it, as librosa does when asked to centre: the first
    frame begins with the first sample."""
    _count(signal, window, hop)
    return reference.frames(np.pad(signal, window // 2), window, hop)


def frames_as_columns(signal, window, hop):
    """Your frames are the columns: each row is a frame, (F, window)."""
    return reference.frames(signal, window, hop).T


def frames_from_the_end(signal, window, hop):
    """You dropped the beginning: frames are counted from the first sample, and the tail is dropped."""
    return reference.frames(signal[::-1], window, hop)[::-1, ::-1]


def frames_under_a_hann_window(signal, window, hop):
    """You multiplied by a window function: here a frame is a slice, and the Hann window comes in `log_mel`."""
    return reference.frames(signal, window, hop) * (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(window) / window) + 1e-3)


def frames_with_window_and_hop_exchanged(signal, window, hop):
    """You exchanged window and hop: a frame is `window` samples long, and the next begins `hop` later."""
    _count(signal, window, hop)
    return reference.frames(signal, hop, window)


# mel_filters


def _to_mel(f):
    return np.where(f < 1000, 3 * f / 200, 15 + 27 * np.log(np.maximum(f, 1) / 1000) / np.log(6.4))


def _to_hz(mel):
    return np.where(mel < 15, mel * 200 / 3, 1000 * 6.4 ** ((mel - 15) / 27))


def _edges_of(count, window, rate):
    """Left, middle and right edge of each filter, in Hz, (count, 1) each."""
    reference.mel_filters(count, window, rate)
    edges = _to_hz(np.linspace(0, _to_mel(rate / 2), count + 2))
    return edges[:-2, None], edges[1:-1, None], edges[2:, None]


def _to_htk(f):
    return 2595 * np.log10(1 + f / 700)


def _from_htk(mel):
    return 700 * (10 ** (mel / 2595) - 1)


def _filters(count, window, rate, edges=None, frequency=None, area=True):
    """Triangles over these edges, in Hz."""
    reference.mel_filters(count, window, rate)
    edges = _to_hz(np.linspace(0, _to_mel(rate / 2), count + 2)) if edges is None else edges
    frequency = np.arange(window // 2 + 1) * rate / window if frequency is None else frequency
    left, middle, right = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    height = np.maximum(np.minimum((frequency - left) / (middle - left), (right - frequency) / (right - middle)), 0)
    return height * 2 / (right - left) if area else height


def mel_filters_on_htks_scale(count, window, rate):
    """This is HTK's scale, 2595 log10(1 + f / 700): Slaney's is straight below 1000 Hz, and logarithmic from there."""
    return _filters(count, window, rate, _from_htk(np.linspace(0, _to_htk(rate / 2), count + 2)))


def mel_filters_evenly_in_hertz(count, window, rate):
    """Your edges are even in Hz: they are even in mel, which bends at 1000 Hz, so that filters become wider above it.
    Is the formula for above used?"""
    return _filters(count, window, rate, np.linspace(0, rate / 2, count + 2))


def mel_filters_that_all_reach_1(count, window, rate):
    """Each of your triangles reaches 1: divide by half its width in Hz, so that all have the same area."""
    return _filters(count, window, rate, area=False)


def mel_filters_that_sum_to_1(count, window, rate):
    """You divided each filter by its sum over the columns: divide by half its width in Hz."""
    height = _filters(count, window, rate, area=False)
    total = height.sum(axis=1, keepdims=True)
    return height / np.where(total == 0, 1, total)


def mel_filters_divided_by_the_whole_width(count, window, rate):
    """You divided by the width: a triangle of height 1 has an area of half its width, so divide by that."""
    return _filters(count, window, rate) / 2


def mel_filters_multiplied_by_half_the_width(count, window, rate):
    """You multiplied by half the width: divide by it, so that wide filters are low, and all have the same area."""
    left, _, right = _edges_of(count, window, rate)
    return _filters(count, window, rate, area=False) * (right - left) / 2


def mel_filters_that_fall_below_0(count, window, rate):
    """Outside its edges a filter is 0: yours is negative there."""
    left, middle, right = _edges_of(count, window, rate)
    f = np.arange(window // 2 + 1) * rate / window
    return np.minimum((f - left) / (middle - left), (right - f) / (right - middle)) * 2 / (right - left)


def mel_filters_that_only_rise(count, window, rate):
    """The falling side is missing: from edge m + 1 to edge m + 2 a filter goes back to 0."""
    left, middle, right = _edges_of(count, window, rate)
    f = np.arange(window // 2 + 1) * rate / window
    return np.clip((f - left) / (middle - left), 0, 1) * 2 / (right - left)


def mel_filters_that_fall_too_slowly(count, window, rate):
    """The falling side goes from 1 to 0 between edges m + 1 and m + 2: divide by their distance, not by the width of
    the whole filter."""
    left, middle, right = _edges_of(count, window, rate)
    f = np.arange(window // 2 + 1) * rate / window
    height = np.where(f <= middle, (f - left) / (middle - left), (right - f) / (right - left))
    return np.maximum(height, 0) * 2 / (right - left)


def mel_filters_with_the_frequency_over_half(count, window, rate):
    """Your column k is the frequency k · rate / (2 · window): the last of an even window is rate / 2, so it is
    k · rate / window."""
    return _filters(count, window, rate, frequency=np.arange(window // 2 + 1) * rate / window / 2)


def mel_filters_up_to_the_rate(count, window, rate):
    """Your highest edge is the rate: a spectrum ends at half of it."""
    return _filters(count, window, rate, _to_hz(np.linspace(0, _to_mel(rate), count + 2)))


def mel_filters_with_too_few_edges(count, window, rate):
    """Your last filter is cut off: count filters need count + 2 edges, each from its left one to the one after next."""
    edges = _to_hz(np.linspace(0, _to_mel(rate / 2), count + 1))
    return _filters(count, window, rate, np.append(edges, 1.1 * edges[-1]))


def mel_filters_with_rounded_edges(count, window, rate):
    """You moved the edges to the nearest columns, as ONNX's MelWeightMatrix does: let them stand where they are,
    between columns."""
    mels = np.linspace(0, _to_mel(rate / 2), count + 2)
    edges = np.floor(_to_hz(mels) * window / rate) * rate / window
    return _filters(count, window, rate, edges + 1e-9 * rate * np.arange(count + 2))  # so that none has a width of 0


def mel_filters_straight_in_mel(count, window, rate):
    """Your triangles are straight in mel: their edges are even in mel, their sides are straight lines in Hz."""
    frequency = np.arange(window // 2 + 1) * rate / window
    mels = np.linspace(0, _to_mel(rate / 2), count + 2)
    left, middle, right = mels[:-2, None], mels[1:-1, None], mels[2:, None]
    own = _to_mel(frequency)
    height = np.maximum(np.minimum((own - left) / (middle - left), (right - own) / (right - middle)), 0)
    edges = _to_hz(mels)
    return height * 2 / (edges[2:, None] - edges[:-2, None])


def mel_filters_as_columns(count, window, rate):
    """Your filters are the columns: each row is a filter, (count, window // 2 + 1)."""
    return _filters(count, window, rate).T


# log_mel


def _hann(window):
    return 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(window) / window)


def _spectrum(signal, window, hop, hann=None):
    return np.fft.rfft(reference.frames(signal, window, hop) * (_hann(window) if hann is None else hann))


def _logs(power, filters, least=1e-10):
    return np.log(np.maximum(power @ filters.T, least))


def log_mel_without_a_window(signal, window, hop, filters):
    """The frames are not multiplied by a Hann window: cut off sharply, a tone leaks into all filters."""
    return _logs(np.abs(_spectrum(signal, window, hop, 1.0)) ** 2, filters)


def log_mel_with_a_symmetric_window(signal, window, hop, filters):
    """Your Hann window is the symmetric one, np.hanning(window), whose last number is 0: the periodic one is
    0.5 - 0.5 cos(2π i / window)."""
    return _logs(np.abs(_spectrum(signal, window, hop, np.hanning(window))) ** 2, filters)


def log_mel_with_a_window_that_begins_with_1(signal, window, hop, filters):
    """Your window begins with 1 and is 0 in the middle: it is ½ − ½ cos, with a minus."""
    return _logs(np.abs(_spectrum(signal, window, hop, 1 - _hann(window))) ** 2, filters)


def log_mel_of_the_amplitude(signal, window, hop, filters):
    """You filtered the size of the spectrum: power is its square."""
    return _logs(np.abs(_spectrum(signal, window, hop)), filters)


def log_mel_with_log10(signal, window, hop, filters):
    """This is the logarithm to base 10: take the natural one, np.log."""
    return reference.log_mel(signal, window, hop, filters) / np.log(10)


def log_mel_in_decibels(signal, window, hop, filters):
    """These are decibels, 10 log10: take the natural logarithm, np.log."""
    return reference.log_mel(signal, window, hop, filters) * 10 / np.log(10)


def log_mel_without_the_logarithm(signal, window, hop, filters):
    """The logarithm is missing."""
    return np.exp(reference.log_mel(signal, window, hop, filters))


def log_mel_of_one_more(signal, window, hop, filters):
    """You added 1, as np.log1p does: 1e-10 is the least, np.maximum(power, 1e-10), and what is more stays as it is."""
    return np.log1p(np.abs(_spectrum(signal, window, hop)) ** 2 @ filters.T)


def log_mel_of_logs(signal, window, hop, filters):
    """You took the logarithm before the filters: they add up power, and the logarithm comes last."""
    return np.log(np.maximum(np.abs(_spectrum(signal, window, hop)) ** 2, 1e-10)) @ filters.T


def log_mel_of_the_real_part(signal, window, hop, filters):
    """You squared the real part: the size of a complex number is np.abs, of both parts."""
    return _logs(_spectrum(signal, window, hop).real ** 2, filters)


def log_mel_divided_by_the_window(signal, window, hop, filters):
    """You divided the power by the length of the window: it is the squared size of rfft as it comes."""
    return _logs(np.abs(_spectrum(signal, window, hop)) ** 2 / window, filters)


def log_mel_as_columns(signal, window, hop, filters):
    """Your frames are the columns: each row is a frame, (F, M)."""
    return reference.log_mel(signal, window, hop, filters).T


# pointing_accuracy


def _placed(weights):
    """The place of each word's largest weight, (T, axes), and how many axes there are."""
    flat = weights.reshape(len(weights), -1).argmax(axis=1)
    return np.stack(np.unravel_index(flat, weights.shape[1:]), axis=1), weights.ndim - 1


def _share(place, boxes, axes):
    return float(((boxes[:, :axes] <= place) & (place < boxes[:, axes:])).all(axis=1).mean())


def pointing_accuracy_in_closed_boxes(weights, boxes):
    """You took the end of a box for a part of it: a box from 2 to 4 holds 2 and 3."""
    place, axes = _placed(weights)
    return _share(place, np.concatenate([boxes[:, :axes], boxes[:, axes:] + 1], axis=1), axes)


def pointing_accuracy_in_open_boxes(weights, boxes):
    """You left the start of a box out: a box from 2 to 4 holds 2 and 3."""
    place, axes = _placed(weights)
    return _share(place, np.concatenate([boxes[:, :axes] + 1, boxes[:, axes:]], axis=1), axes)


def pointing_accuracy_of_the_last_peak(weights, boxes):
    """Of equal weights you took the last: the first counts, as in np.argmax."""
    turned = weights.reshape(len(weights), -1)[:, ::-1]
    place = np.unravel_index(turned.shape[1] - 1 - turned.argmax(axis=1), weights.shape[1:])
    return _share(np.stack(place, axis=1), boxes, weights.ndim - 1)


def pointing_accuracy_of_any_peak(weights, boxes):
    """You let a word count if any of its equally large weights lies in its box: only the first of them counts."""
    inside, peaks = _inside(weights, boxes), weights == weights.max(axis=tuple(range(1, weights.ndim)), keepdims=True)
    return float((inside & peaks).any(axis=tuple(range(1, weights.ndim))).mean())


def pointing_accuracy_of_the_largest_size(weights, boxes):
    """You took the weight of the largest size: a negative one is smaller than all that are positive."""
    return reference.pointing_accuracy(abs(weights), boxes)


def pointing_accuracy_of_the_first_above_0(weights, boxes):
    """You took the first weight above 0: take the largest."""
    return reference.pointing_accuracy((weights > 0).astype(float), boxes)


def pointing_accuracy_of_the_first_above_half(weights, boxes):
    """You took the first weight above half of the largest: take the largest."""
    largest = weights.max(axis=tuple(range(1, weights.ndim)), keepdims=True)
    return reference.pointing_accuracy((weights > largest / 2).astype(float), boxes)


def _apart(weights, boxes, along):
    """Each axis by itself: the place at which what `along` makes of the other axis is largest."""
    places = [along(weights, axis=tuple({1, 2} - {axis}) if weights.ndim == 3 else ()).argmax(axis=1)
              for axis in range(1, weights.ndim)]
    return _share(np.stack(places, axis=1), boxes, weights.ndim - 1)


def pointing_accuracy_by_sums_on_a_grid(weights, boxes):
    """You took the row and the column apart, each from its own sum: take one peak, that of the whole grid."""
    return _apart(weights, boxes, np.sum)


def pointing_accuracy_by_maxima_on_a_grid(weights, boxes):
    """You took the row and the column apart, each from its own largest weight. Where several weights are equally large
    the two may belong to different ones: take one peak, that of the whole grid."""
    return _apart(weights, boxes, np.max)


def pointing_accuracy_by_columns_on_a_grid(weights, boxes):
    """Of equal weights you took the first column by column: it is the first row by row."""
    turned = weights if weights.ndim == 2 else weights.swapaxes(1, 2)
    place = np.unravel_index(turned.reshape(len(turned), -1).argmax(axis=1), turned.shape[1:])[::-1]
    return _share(np.stack(place, axis=1), boxes, weights.ndim - 1)


def pointing_accuracy_as_mass(weights, boxes):
    """This is how much of the weight lies in the boxes: asked is how often its peak does."""
    axes = tuple(range(1, weights.ndim))
    return float(((_inside(weights, boxes) * weights).sum(axis=axes) / _total(weights).ravel()).mean())


def _total(weights):
    """The sum of each word's weights, 1 where that is 0, with axes to divide by."""
    total = weights.sum(axis=tuple(range(1, weights.ndim)), keepdims=True)
    return np.where(total == 0, 1, total)


def _inside(weights, boxes):
    axes = weights.ndim - 1
    inside = np.ones(weights.shape, bool)
    for axis in range(axes):
        place = np.indices(weights.shape)[axis + 1]
        first, end = (boxes[:, i].reshape(-1, *(1,) * axes) for i in (axis, axes + axis))
        inside = inside & (first <= place) & (place < end)
    return inside


def pointing_accuracy_as_a_count(weights, boxes):
    """This is how many words point into their box: divide by the number of words."""
    return reference.pointing_accuracy(weights, boxes) * len(weights)


def pointing_accuracy_as_a_share_of_misses(weights, boxes):
    """This is the share of words that point elsewhere: 1 minus it."""
    return 1 - reference.pointing_accuracy(weights, boxes)


def pointing_accuracy_of_the_centre(weights, boxes):
    """You took the mean place, weighted: it may lie between two peaks, where no weight is. Take the largest weight."""
    axes = weights.ndim - 1
    share = weights / _total(weights)
    centre = [(share.sum(axis=tuple(i for i in range(1, weights.ndim) if i != axis + 1)) * np.arange(
        weights.shape[axis + 1])).sum(axis=1) for axis in range(axes)]
    return _share(np.round(np.stack(centre, axis=1)), boxes, axes)


def pointing_accuracy_one_place_too_far(weights, boxes):
    """You counted places from 1: the first is 0."""
    place, axes = _placed(weights)
    return _share(place + 1, boxes, axes)


def pointing_accuracy_with_a_margin(weights, boxes):
    """You let a peak beside its box count: it has to lie within."""
    place, axes = _placed(weights)
    return _share(place, np.concatenate([boxes[:, :axes] - 1, boxes[:, axes:] + 1], axis=1), axes)


MISTAKES = by_exercise(__name__, ["patchify", "attention_pool", "frames", "mel_filters", "log_mel",
                                  "pointing_accuracy"])
