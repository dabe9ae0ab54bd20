"""Images and sound as tokens: the reference solutions of lab 15.

    patches             (Dosovitskiy et al. 2020, section 3.1)
    attention pool      (Lee et al. 2019; Radford et al. 2021)
    mel filters         (Slaney 1998, as in librosa and Whisper)
    pointing            (Zhang et al. 2016: the pointing game)

B images, H and W pixels, C channels, N patches of p × p pixels; d width of a token; n samples, F frames, K frequencies,
M filters; T words, S positions. A mask is True where a real token stands.

The solved notebook is built from the bodies of these functions, so each stands on what the notebook has: `np`,
`expect`, the exercises before it, and `scaled_dot_product_attention` of lab 05.
"""

import numpy as np

from coursekit.shapes import expect
from solutions.lab05_scaled_dot_product.reference import scaled_dot_product_attention


def patchify(images, patch):
    """Cut images (B, H, W) or (B, H, W, C) into patches of `patch` × `patch` pixels, each laid out in a row.

    Patches go row by row through the image, pixels row by row through a patch, and of each pixel its channels.
    Returns (B, N, patch · patch · C). Raises ValueError where `patch` does not divide H and W.
    """
    sizes = expect(images=(images, "B H W" if np.ndim(images) == 3 else "B H W C"))
    B, H, W, C = sizes["B"], sizes["H"], sizes["W"], sizes.get("C", 1)
    if patch < 1 or H % patch or W % patch:
        raise ValueError(f"images: expected H and W that patch = {patch} divides, got {H} and {W}")
    grid = images.reshape(B, H // patch, patch, W // patch, patch, C)
    return grid.swapaxes(2, 3).reshape(B, -1, patch * patch * C)  # (B, rows, columns, p, p, C) before the last step


def attention_pool(query, tokens, mask=None):
    """Let one query look at a set of tokens: scores over √d, softmax, and the weighted sum of the tokens themselves.

    query (d,), tokens (B, N, d); mask (B, N), True where a real token stands, or None.
    Returns output (B, d) and weights (B, N); both are 0 where no token is real. Raises ValueError when a shape does not
    fit.
    """
    sizes = expect(query=(query, "d"), tokens=(tokens, "B N d"))
    if mask is not None:
        expect(sizes, mask=(mask, "B N"))
        mask = mask[:, None]  # (B, 1, N), for the one query
    output, weights = scaled_dot_product_attention(query[None], tokens, tokens, mask)
    return output[:, 0], weights[:, 0]


def frames(signal, window, hop):
    """The slices of `window` samples that begin at 0, hop, 2 hop, …, as far as they lie in signal (n,) as a whole.

    Returns (F, window), F = 1 + (n - window) // hop. Raises ValueError for a signal shorter than a window, and for a
    window or hop below 1.
    """
    n = expect(signal=(signal, "n"))["n"]
    if hop < 1 or not 1 <= window <= n:
        raise ValueError(f"expected 1 <= window <= {n}, the length of the signal, and hop >= 1, got {window} and {hop}")
    starts = np.arange(0, n - window + 1, hop)  # (F,)
    return signal[starts[:, None] + np.arange(window)]


def mel_filters(count, window, rate):
    """Triangles over the frequencies of a window's spectrum, evenly spaced on Slaney's mel scale from 0 to rate / 2.

    mel(f) = 3 f / 200 below 1000 Hz, 15 + 27 ln(f / 1000) / ln 6.4 from there on. Filter m rises from edge m to m + 1
    and falls to m + 2, of count + 2 edges, and is divided by half its width in Hz.
    Returns (count, window // 2 + 1); column k is the frequency k · rate / window. Raises ValueError for a count or
    window below 1, and a rate that is not above 0.
    """
    if count < 1 or window < 1 or not rate > 0:
        raise ValueError(f"expected count >= 1, window >= 1 and rate > 0, got {count}, {window} and {rate}")
    highest = 3 * rate / 400 if rate < 2000 else 15 + 27 * np.log(rate / 2000) / np.log(6.4)
    mels = np.linspace(0, highest, count + 2)
    edges = np.where(mels < 15, mels * 200 / 3, 1000 * 6.4 ** ((mels - 15) / 27))  # in Hz
    left, middle, right = edges[:-2, None], edges[1:-1, None], edges[2:, None]  # (count, 1)
    frequency = np.arange(window // 2 + 1) * rate / window  # (K,)
    height = np.minimum((frequency - left) / (middle - left), (right - frequency) / (right - middle))
    return np.maximum(height, 0) * 2 / (right - left)


def log_mel(signal, window, hop, filters):
    """The logarithm of the power in each of the filters, frame by frame, of signal (n,).

    Each frame is multiplied by a periodic Hann window; power is the squared size of its spectrum.
    filters (M, K), K = window // 2 + 1. Returns (F, M): ln of the filtered power, of at least 1e-10.
    Raises ValueError when a shape does not fit, or the signal is shorter than a window.
    """
    expect({"K": window // 2 + 1}, signal=(signal, "n"), filters=(filters, "M K"))
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(window) / window)
    power = np.abs(np.fft.rfft(frames(signal, window, hop) * hann)) ** 2  # (F, K)
    return np.log(np.maximum(power @ filters.T, 1e-10))


def pointing_accuracy(weights, boxes):
    """The share of words whose largest weight lies within their box; of equal weights the first counts.

    weights (T, S) over positions, with boxes (T, 2): start, end. Or weights (T, R, C) over rows and columns, with boxes
    (T, 4): top, left, bottom, right. The ends, bottoms and rights themselves lie outside.
    Raises ValueError when a shape does not fit, for a box that is empty or not all within, and where there is no word.
    """
    axes = weights.ndim - 1
    T = expect(weights=(weights, "T S" if axes == 1 else "T R C"))["T"]
    expect({"T": T}, boxes=(boxes, f"T {2 * axes}"))
    first, end = boxes[:, :axes], boxes[:, axes:]
    if T == 0 or not ((first >= 0) & (first < end) & (end <= weights.shape[1:])).all():
        raise ValueError(f"boxes: expected one or more, each with something in it and within {weights.shape[1:]}, "
                         f"got {np.asarray(boxes).tolist()}")
    largest = weights.reshape(T, -1).argmax(axis=1)
    place = np.stack(np.unravel_index(largest, weights.shape[1:]), axis=1)  # (T, axes)
    return float(((first <= place) & (place < end)).all(axis=1).mean())
