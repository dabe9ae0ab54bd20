"""Lab 15: the reference against PyTorch and laws; what it takes and what it keeps. Other oracles: tests/solutions."""

import numpy as np
import pytest

from coursekit import keep
from coursekit.check import CheckFailed
from coursekit.check import lab15_images_and_sound as visible_checks
from coursekit.models.encoder import initial_parameters
from coursekit.models.vit import ViT, vit_shapes
from coursekit.tasks import syllables
from grading.lab import Lab
from solutions.lab05_scaled_dot_product.reference import scaled_dot_product_attention
from solutions.lab15_images_and_sound import reference
from tests import needs
from tests.labs import judging

LAB = "lab15_images_and_sound"
B, H, W, C, P, D, N = 2, 6, 9, 4, 3, 5, 7


@pytest.fixture
def rng():
    return np.random.default_rng(1)


@pytest.fixture
def cells():
    return {cell.id: cell.source for cell in Lab.read(judging.ROOT / "labs", LAB).source.cells}


@pytest.fixture
def unpatchify(cells):
    """The way back that the lab gives."""
    names = {"np": np, "kept": lambda function: function}
    exec(cells["given-run"], names)
    return names["unpatchify"]


# Patches


@pytest.mark.parametrize("patch", [1, 3])
def test_what_is_cut_and_put_together_again_is_as_it_was(rng, unpatchify, patch):
    images = rng.normal(size=(B, H, W, C))
    np.testing.assert_array_equal(unpatchify(reference.patchify(images, patch), patch, H, W), images)


def test_an_image_that_moves_by_a_patch_has_its_patches_elsewhere(rng):
    images = rng.normal(size=(B, H, W))
    before = reference.patchify(images, P).reshape(B, H // P, W // P, -1)
    after = reference.patchify(np.roll(images, (P, P), axis=(1, 2)), P).reshape(before.shape)
    np.testing.assert_array_equal(after, np.roll(before, (1, 1), axis=(1, 2)))


@needs.torch
def test_patches_are_those_of_pytorchs_unfold(rng):
    import torch

    images = rng.normal(size=(B, H, W, C))
    theirs = torch.nn.functional.unfold(torch.tensor(images).permute(0, 3, 1, 2), P, stride=P)   # channels first
    theirs = theirs.reshape(B, C, P * P, -1).permute(0, 3, 2, 1).flatten(2)
    np.testing.assert_array_equal(reference.patchify(images, P), theirs.numpy())


def test_a_patch_that_does_not_divide_is_named():
    with pytest.raises(ValueError, match="images: expected H and W that patch = 4 divides, got 6 and 8"):
        reference.patchify(np.zeros((2, 6, 8)), 4)


# A set of tokens


def test_a_pool_takes_its_tokens_in_any_order(rng):
    query, tokens, order = rng.normal(size=D), rng.normal(size=(B, N, D)), rng.permutation(N)
    output, weights = reference.attention_pool(query, tokens)
    again, shuffled = reference.attention_pool(query, tokens[:, order])
    np.testing.assert_allclose(again, output, rtol=1e-12)
    np.testing.assert_allclose(shuffled, weights[:, order], rtol=1e-12)


def test_without_positions_a_vit_ignores_the_order_of_patches(rng):
    p = initial_parameters(rng, vit_shapes(4, N, 10, 8, 12, 2, False), 0.5)
    p["encoder.positions"][:] = 0
    model, patches = ViT(p, 2, reference.attention_pool), rng.normal(size=(B, N, 4))
    np.testing.assert_allclose(model.forward(patches[:, ::-1]), model.forward(patches), rtol=1e-10)


@needs.torch
def test_a_pool_is_pytorchs_attention_of_one_query(rng):
    import torch

    query, tokens, mask = rng.normal(size=D), rng.normal(size=(B, N, D)), rng.random((B, N)) < 0.5
    mask[:, 0] = True
    q, t, seen = torch.tensor(query)[None, None].expand(B, 1, D), torch.tensor(tokens), torch.tensor(mask)[:, None]
    theirs = torch.nn.functional.scaled_dot_product_attention(q, t, t, attn_mask=seen)[:, 0].numpy()
    np.testing.assert_allclose(reference.attention_pool(query, tokens, mask)[0], theirs, rtol=1e-10)


# Sound


@pytest.mark.parametrize("n", [8, 12, 13, 40])
def test_the_number_of_frames_is_that_of_the_formula_and_they_are_slices(rng, n):
    signal = rng.normal(size=n)
    found = reference.frames(signal, 8, 5)
    assert len(found) == 1 + (n - 8) // 5
    np.testing.assert_array_equal(found[-1], signal[5 * (len(found) - 1):][:8])


def test_filters_that_are_not_cut_have_the_area_of_1():
    bank = reference.mel_filters(20, 4096, 16000)
    np.testing.assert_allclose(bank.sum(axis=1) * 16000 / 4096, 1, rtol=2e-3)


@pytest.mark.parametrize("band", [3, 11, 19])
def test_a_pure_tone_peaks_in_its_band(band):
    bank = reference.mel_filters(24, 512, 8000)
    tone = np.sin(2 * np.pi * bank[band].argmax() * np.arange(2048) / 512)
    assert (reference.log_mel(tone, 512, 160, bank).argmax(axis=1) == band).all()


def test_twice_as_loud_is_log_4_more(rng):
    signal, bank = rng.normal(size=900), reference.mel_filters(6, 256, 8000)
    found = [reference.log_mel(each, 256, 160, bank) for each in (signal, 2 * signal)]
    np.testing.assert_allclose(found[1] - found[0], np.log(4), rtol=1e-9)


def test_silence_is_the_logarithm_of_the_least_power():
    assert (reference.log_mel(np.zeros(600), 256, 160, np.ones((3, 129))) == np.log(1e-10)).all()


def test_what_does_not_fit_is_named():
    with pytest.raises(ValueError, match=r"expected 1 <= window <= 3, the length of the signal, .*, got 4 and 1"):
        reference.frames(np.zeros(3), 4, 1)
    with pytest.raises(ValueError, match="expected count >= 1, window >= 1 and rate > 0, got 3, 8 and 0"):
        reference.mel_filters(3, 8, 0)
    with pytest.raises(ValueError, match=r"filters: expected \(M, K\) = \(any, 5\), got \(2, 4\)"):
        reference.log_mel(np.zeros(9), 8, 1, np.zeros((2, 4)))


# Pointing


def test_weights_that_all_lie_within_their_boxes_score_1_and_elsewhere_0():
    weights = np.eye(6)[[1, 4, 2]]
    assert reference.pointing_accuracy(weights, np.array([[1, 2], [3, 6], [0, 3]])) == 1
    assert reference.pointing_accuracy(weights, np.array([[0, 1], [0, 4], [3, 6]])) == 0


def test_a_grid_of_one_row_is_a_line(rng):
    weights, first = rng.random((30, 8)), rng.integers(7, size=30)
    line, none = np.stack([first, first + 2], axis=1).clip(max=8), np.zeros(30, int)
    grid = np.stack([none, line[:, 0], none + 1, line[:, 1]], axis=1)
    assert reference.pointing_accuracy(weights, line) == reference.pointing_accuracy(weights[:, None], grid)


@pytest.mark.parametrize("box", [[2, 2], [-1, 1], [0, 4]])
def test_a_box_that_nobody_can_point_at_is_named(box):
    with pytest.raises(ValueError, match=r"boxes: expected one or more, .* within \(3,\), got \[\["):
        reference.pointing_accuracy(np.ones((1, 3)), np.array([box]))


# What the visible checks say of slips that the hidden ones have no mistake for


def pooled(axes):
    """The reference's pool, whose mask has other axes."""
    def pool(query, tokens, mask=None):
        return [each[:, 0] for each in scaled_dot_product_attention(
            query[None], tokens, tokens, mask if mask is None else axes(mask))]
    return pool


def filters_up_to(highest, lowest=0, **spaced):
    """The reference's filters, whose highest edge is `highest(rate)` in mel."""
    def bank(count, window, rate):
        mels = np.linspace(lowest, highest(rate), count + 2, **spaced)
        edges = np.where(mels < 15, mels * 200 / 3, 1000 * 6.4 ** ((mels - 15) / 27))
        f, tops = np.arange(window // 2 + 1) * rate / window, 2 / (edges[2:] - edges[:-2])
        return np.stack([np.interp(f, edges[m:m + 3], [0, tops[m], 0]) for m in range(count)])
    return bank


def in_mel(rate):
    return 3 * rate / 400 if rate < 2000 else 15 + 27 * np.log(rate / 2000) / np.log(6.4)


def filters_of_exchanged_sides(count, window, rate):
    mels = np.linspace(0, in_mel(rate), count + 2)
    edges = np.where(mels < 15, mels * 200 / 3, 1000 * 6.4 ** ((mels - 15) / 27))[:, None]
    rise, fall, f = edges[1:-1] - edges[:-2], edges[2:] - edges[1:-1], np.arange(window // 2 + 1) * rate / window
    return np.minimum((f - edges[:-2]) / fall, (edges[2:] - f) / rise).clip(0) * 2 / (rise + fall)


def hann(window):
    return 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(window) / window)


def heard(last=lambda power, bank: np.log(np.maximum(power @ bank, 1e-10)), fade=hann,
          spectrum=lambda faded: np.fft.rfft(faded), cut=reference.frames):
    """The reference's log_mel, with one step otherwise."""
    def log_mel(signal, window, hop, filters):
        return last(np.abs(spectrum(cut(signal, window, hop) * fade(window))) ** 2, filters.T)
    return log_mel


def faded_late(signal, window, hop, filters):
    late = np.fft.rfft(reference.frames(signal, window, hop)) * hann(window)[:window // 2 + 1]
    return np.log(np.maximum(np.abs(late) ** 2 @ filters.T, 1e-10))


def frames_to_the_end(signal, window, hop):
    return np.stack([signal[i:i + window] for i in range(0, len(signal), hop)])


def boxes_read_as(*order):
    """The reference, which finds the numbers of a box on a grid in this order."""
    return lambda weights, boxes: reference.pointing_accuracy(weights, boxes if weights.ndim == 2 else boxes[:, order])


def pointing(place):
    """The reference on a line; on a grid each word looks at what `place` says of its weights (R, C)."""
    def pointing_accuracy(weights, boxes):
        if weights.ndim == 3 and len(weights) == len(boxes):
            weights = np.array([np.arange(w.size).reshape(w.shape) == np.ravel_multi_index(place(w), w.shape)
                                for w in weights])
        return reference.pointing_accuracy(weights, boxes)
    return pointing_accuracy


def no_box_at_the_end(weights, boxes):
    if (boxes[:, boxes.shape[1] // 2:] >= weights.shape[1:]).any():
        raise ValueError("too far")
    return reference.pointing_accuracy(weights, boxes)


@pytest.mark.parametrize(("exercise", "words", "slip"), [
    ("attention_pool", "the mask of image 0", pooled(lambda mask: mask)),
    ("attention_pool", "the mask of image 0", pooled(lambda mask: mask[..., None])),
    ("attention_pool", "the mask has the wrong axes", pooled(np.transpose)),
    ("frames", "your last slice is shorter than the window", frames_to_the_end),
    ("mel_filters", "600 Hz, lies below 1000", filters_up_to(lambda rate: 15 + 27 * np.log(rate / 2000) / np.log(6.4))),
    ("mel_filters", "is 42 mel", filters_up_to(lambda rate: 3 * rate / 400)),
    ("mel_filters", "your last edge is about 450 Hz", filters_up_to(in_mel, endpoint=False)),
    ("mel_filters", "your first edge is about 66 Hz", filters_up_to(in_mel, lowest=1)),
    ("mel_filters", "widths of the two sides are exchanged", filters_of_exchanged_sides),
    ("log_mel", "your window of 4 is 0, 0.707, 1, 0.707", heard(fade=lambda n: np.sin(np.pi * np.arange(n) / n))),
    ("log_mel", "your window of 4 is 0, 0.146, 0.5, 0.854", heard(fade=lambda n: hann(2 * n)[:n])),
    ("log_mel", "comes before the FFT", faded_late),
    ("log_mel", "np.fft.fft has window columns", heard(spectrum=lambda faded: np.fft.fft(faded))),
    ("log_mel", "window and hop exchanged", heard(cut=lambda x, window, hop: reference.frames(x, hop, window))),
    ("log_mel", "ln 0 is -inf", heard(lambda power, bank: np.log(power @ bank))),
    ("log_mel", "not 1e-8", heard(lambda power, bank: np.log(np.maximum(power @ bank, 1e-8)))),
    ("log_mel", "not added", heard(lambda power, bank: np.log(power @ bank + 1e-10))),
    ("log_mel", "after the filters", heard(lambda power, bank: np.log(np.maximum(power, 1e-10) @ bank))),
    ("pointing_accuracy", "an end of 3 of 3 lies outside", no_box_at_the_end),
    ("pointing_accuracy", "as top, bottom, left, right", boxes_read_as(0, 2, 1, 3)),
    ("pointing_accuracy", "as left, top, right, bottom", boxes_read_as(1, 0, 3, 2)),
    ("pointing_accuracy", "each from its own sum", pointing(lambda w: (w.sum(1).argmax(), w.sum(0).argmax()))),
    ("pointing_accuracy", "each from its own largest", pointing(lambda w: (w.max(1).argmax(), w.max(0).argmax()))),
    ("pointing_accuracy", "the first weight above 0", pointing(lambda w: divmod((w > 0).argmax(), w.shape[1]))),
    ("pointing_accuracy", "peak of the heaviest row", pointing(lambda w: (r := w.sum(1).argmax(), w[r].argmax()))),
], ids=["stretched", "of-a-token", "transposed", "to-the-end", "bent-below", "straight-above", "no-last-edge",
        "from-1-mel", "sides-exchanged", "sine", "half-a-cosine", "late", "whole-fft", "hop-for-window", "no-least",
        "another-least", "added", "least-before", "end-refused", "top-bottom", "left-top", "sums", "maxima", "above-0",
        "heaviest-row"])
def test_a_slip_is_named_by_the_visible_check(exercise, words, slip):
    with pytest.raises(CheckFailed, match=words):
        getattr(visible_checks, exercise)(slip)


# What it takes from earlier labs, and what it keeps


def test_it_takes_what_lab_05_kept_and_keeps_its_own(tmp_path, monkeypatch, cells, capsys):
    (tmp_path / LAB).mkdir()
    monkeypatch.chdir(tmp_path / LAB)
    keep(judging.right("lab05_scaled_dot_product", "scaled_scores"), scaled_dot_product_attention)
    names = {name: getattr(reference, name) for name in judging.mistakes(LAB)}
    exec(cells["setup"] + "\n" + cells["given-run"] + "\n" + cells["keep"], names)
    said = capsys.readouterr().out
    assert "scaled_dot_product_attention: yours" in said and "kept patchify, attention_pool, frames" in said


def test_what_it_keeps_runs_by_itself(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    keep(reference.frames, reference.log_mel, reference.mel_filters)
    own, sound = {}, syllables.utterance(np.random.default_rng(3)).signal
    exec((tmp_path / "my_attention.py").read_text(encoding="utf-8"), own)
    args = sound, 256, 160, own["mel_filters"](8, 256, 8000)
    np.testing.assert_array_equal(own["log_mel"](*args), reference.log_mel(*args))
