"""The references of lab 16, against attention all at once, PyTorch, a counter of words that move, and laws."""

import itertools
import re

import numpy as np
import pytest

from coursekit.check import CheckFailed
from coursekit.check import lab16_tiles_and_windows as visible
from solutions.lab05_scaled_dot_product.reference import (
    causal_mask,
    scaled_dot_product_attention,
    scaled_dot_product_attention_backward,
)
from solutions.lab16_tiles_and_windows import reference
from solutions.lab16_tiles_and_windows.reference import merge_softmax, tiled_attention
from tests import needs
from tests.labs.judging import share

LAB = "lab16_tiles_and_windows"
T, S, D, E = 7, 9, 4, 5
TILES = [*itertools.product([1, 2, 3, 7, 20], [1, 2, 4, 9, 30])]


@pytest.fixture
def rng():
    return np.random.default_rng(16)


def normal(rng, *shapes):
    return [rng.normal(size=shape) for shape in shapes]


def looks(rng, *front):
    """Q, K and V, and masks: none, with holes and an empty row, one row for all queries."""
    Q, K, V = normal(rng, (*front, T, D), (*front, S, D), (*front, S, E))
    holes = rng.random((*front, T, S)) < 0.5
    holes[..., 2, :] = False
    return (Q, K, V), [None, holes, np.arange(S) > 5]


def pieces(rng, n, *front):
    """So many pieces of a softmax, the last of no key."""
    made = [(rng.normal(size=front), 1 + rng.random(front), rng.normal(size=(*front, E))) for _ in range(n - 1)]
    return [*made, (np.full(front, -np.inf), np.zeros(front), np.zeros((*front, E)))]


def same(found, expected):
    for got, right in zip(found, expected, strict=True):
        np.testing.assert_allclose(got, right, rtol=0, atol=1e-12)


# Merging


def test_merging_is_commutative_and_associative(rng):
    for a, b, c in itertools.permutations(pieces(rng, 4, 2, 3), 3):
        same(merge_softmax(*a, *b), merge_softmax(*b, *a))
        same(merge_softmax(*merge_softmax(*a, *b), *c), merge_softmax(*a, *merge_softmax(*b, *c)))


@pytest.mark.parametrize("nothing", [(-np.inf, 0.0, 0.0), (np.full(3, -np.inf), np.zeros(3), np.zeros((3, E)))],
                         ids=["numbers", "arrays"])
def test_a_piece_of_no_key_changes_nothing(rng, nothing):
    piece, _ = pieces(rng, 2, 3)
    same(merge_softmax(*piece, *nothing), piece)
    same(merge_softmax(*nothing, *piece), piece)


def test_a_refused_piece_is_named():
    with pytest.raises(ValueError, match=r"l2: expected \(A\) = \(3,\), got \(2,\)|l2: expected \(A,\) = \(3,\)"):
        merge_softmax(np.zeros(3), np.ones(3), np.zeros((3, 2)), np.zeros(3), np.ones(2), np.zeros((3, 2)))
    with pytest.raises(ValueError, match="below inf"):
        merge_softmax(0.0, 1.0, np.zeros(2), np.nan, 1.0, np.zeros(2))


# Tiles


@pytest.mark.parametrize("front", [(), (2, 3)], ids=["one", "batch"])
def test_tiles_of_any_size_give_what_all_at_once_gives_forward_and_backward(rng, front):
    inputs, masks = looks(rng, *front)
    for mask in masks:
        right, weights = scaled_dot_product_attention(*inputs, mask)
        d_output = rng.normal(size=right.shape)
        slopes = scaled_dot_product_attention_backward(d_output, *inputs, weights)
        for tile in TILES:
            output, logsumexp = tiled_attention(*inputs, *tile, mask)
            same([output], [right])
            same(reference.tiled_attention_backward(d_output, *inputs, output, logsumexp, *tile, mask), slopes)


def test_the_logsumexp_makes_every_weight_anew(rng):
    (Q, K, V), (_, holes, _) = looks(rng)
    _, weights = scaled_dot_product_attention(Q, K, V, holes)
    _, logsumexp = tiled_attention(Q, K, V, 3, 4, holes)
    base = np.where(np.isneginf(logsumexp), 0, logsumexp)[:, None]
    np.testing.assert_allclose(np.where(holes, np.exp(Q @ K.T / D**0.5 - base), 0), weights, rtol=1e-12, atol=1e-15)


def test_the_rows_of_d_output_times_output_sum_to_what_the_weights_say(rng):
    (Q, K, V), _ = looks(rng)
    output, weights = scaled_dot_product_attention(Q, K, V)
    d_output = rng.normal(size=output.shape)
    np.testing.assert_allclose((d_output * output).sum(1), (weights * (d_output @ V.T)).sum(1), rtol=1e-12)


def test_tiles_of_which_everything_is_hidden_do_no_harm(rng):
    (Q, K, V), _ = looks(rng)
    mask = np.arange(S) == S - 1
    output, logsumexp = tiled_attention(Q, K, V, 2, 3, mask)
    np.testing.assert_allclose(output, np.broadcast_to(V[-1], (T, E)), rtol=1e-12)
    np.testing.assert_allclose(logsumexp, Q @ K[-1] / D**0.5, rtol=1e-12)


def test_an_empty_row_is_zero_with_a_logsumexp_of_minus_infinity(rng):
    (Q, K, V), _ = looks(rng)
    for keys, values, mask in [(K, V, np.zeros((T, S), bool)), (K[:0], V[:0], None)]:
        output, logsumexp = tiled_attention(Q, keys, values, 2, 3, mask)
        assert not output.any() and np.isneginf(logsumexp).all()


@needs.torch
def test_output_and_gradients_are_pytorchs(rng):
    import torch

    inputs, (_, holes, _) = looks(rng, 2)
    holes[..., 0] = True
    tensors = [torch.tensor(each, requires_grad=True) for each in inputs]
    theirs = torch.nn.functional.scaled_dot_product_attention(*tensors, torch.tensor(holes))
    d_output = rng.normal(size=theirs.shape)
    theirs.backward(torch.tensor(d_output))
    output, logsumexp = tiled_attention(*inputs, 3, 4, holes)
    found = reference.tiled_attention_backward(d_output, *inputs, output, logsumexp, 2, 5, holes)
    same([output, *found], [theirs.detach().numpy(), *(each.grad.numpy() for each in tensors)])


# Words moved


class Slow(np.ndarray):
    """An array in slow memory: what is read from it and written to it, slice by slice, is counted."""

    moved = 0

    def __getitem__(self, place):
        Slow.moved += (fast := np.asarray(self)[place]).size
        return fast

    def __setitem__(self, place, value):
        np.asarray(self)[place] = value
        Slow.moved += np.asarray(self)[place].size


@pytest.mark.parametrize(("rows", "columns"), [(16, 16), (5, 7), (64, 3), (100, 100)])
def test_the_count_is_what_a_program_moves_that_reads_and_writes_slices(rng, rows, columns):
    N, d = 48, 6
    Q, K, V, output, total = (each.view(Slow) for each in normal(rng, *4 * [(N, d)], (N,)))
    Slow.moved = 0
    for i in range(0, N, rows):
        queries, piece = Q[i:i + rows], (-np.inf, 0.0, 0.0)
        for j in range(0, N, columns):
            output_of_tile, own = tiled_attention(queries, K[j:j + columns], V[j:j + columns], rows, columns)
            piece = merge_softmax(*piece, own, np.ones_like(own), output_of_tile)
        output[i:i + rows], total[i:i + rows] = piece[2] / piece[1][:, None], piece[0] + np.log(piece[1])
    assert Slow.moved == reference.words_moved(N, d, rows, columns)
    same([np.asarray(output)], [scaled_dot_product_attention(*(np.asarray(each) for each in (Q, K, V)))[0]])


@pytest.mark.parametrize(("rows", "columns", "words"), [(16, 16, 8_520_704), (64, 64, 2_229_248), (128, 128, 1_180_672),
                                                        (256, 64, 656_384), (1024, 32, 263_168)])
def test_the_counts_are_those_that_were_measured(rows, columns, words):
    assert reference.words_moved(1024, 64, rows, columns) == words


@pytest.mark.parametrize("d", [16, 64, 128])
def test_tiles_win_from_about_half_as_many_rows_as_the_width(d):
    N = 4096
    naive = 4 * N * d + 4 * N * N
    more, fewer = (reference.words_moved(N, d, rows, 8) for rows in (d // 4, d // 2))
    assert fewer < naive < more


# Windows, and the cache


@pytest.mark.parametrize("window", [T + 3, T + 4, 500])
def test_a_window_that_reaches_all_keys_is_the_causal_mask(window):
    np.testing.assert_array_equal(reference.window_mask(T, T + 3, window, 3), causal_mask(T, T + 3, 3))


@pytest.mark.parametrize("layers", [1, 2, 3])
def test_stacked_windows_reach_one_and_layers_times_window_minus_one(layers):
    mask = reference.window_mask(23, 23, 5)
    assert (np.linalg.matrix_power(mask.astype(int), layers)[-1] > 0).sum() == 1 + layers * 4


@pytest.mark.parametrize("chunk", [1, 2, 4, 7])
def test_a_rolling_cache_of_a_window_less_one_and_a_chunk_is_exact_and_one_slot_less_is_not(rng, chunk):
    q, k, v = normal(rng, (23, D), (23, D), (23, E))
    right, _ = scaled_dot_product_attention(q, k, v, reference.window_mask(23, 23, 5))
    for slots, is_exact in ((4 + chunk, True), (3 + chunk, False)):
        cache, worst = (np.zeros((slots, D)), np.zeros((slots, E)), np.full((slots, 1), -99)), 0.0
        for first in range(0, 23, chunk):
            place = np.arange(first, min(first + chunk, 23))[:, None]
            new = k[place[:, 0]], v[place[:, 0]], place
            cache = [reference.rolling_write(*pair, first) for pair in zip(cache, new, strict=True)]
            behind = place - cache[2].T
            found, _ = scaled_dot_product_attention(q[place[:, 0]], *cache[:2], (behind >= 0) & (behind < 5))
            worst = max(worst, np.abs(found - right[place[:, 0]]).max())
        assert (worst < 1e-12) == is_exact


def test_written_one_by_one_or_at_once_the_cache_is_the_same(rng):
    cache, new = normal(rng, (2, 3, 5, D), (2, 3, 4, D))
    one_by_one = cache
    for t in range(4):
        one_by_one = reference.rolling_write(one_by_one, new[..., t:t + 1, :], 9 + t)
    np.testing.assert_array_equal(reference.rolling_write(cache, new, np.array([9, 9])), one_by_one)


@pytest.mark.parametrize(("model", "gibibytes"), [((80, 8, 128, 4096, 2), 1.25), ((32, 32, 128, 4096, 2), 2.0),
                                                  ((32, 8, 128, 131072, 2, 4096), 0.5)],
                         ids=["Llama 2 70B", "Llama 2 7B", "Mistral 7B"])
def test_caches_have_the_sizes_that_models_are_known_to_need(model, gibibytes):
    assert reference.cache_bytes(*model) == gibibytes * 2**30


# What is asked of an answer beside its values


@pytest.mark.parametrize("off", [1e-9, 1e-10, -6e-8])
def test_digits_that_float64_holds_cost_points_where_they_are_lost(off):
    """A small number added to l, or float32 within."""
    def answer(*args):
        output, logsumexp = tiled_attention(*args)
        return output * (1 - off), logsumexp
    assert share(LAB, "tiled_attention", tiled_attention=answer) < 1
    with pytest.raises(CheckFailed, match="twelve digits are right of output"):
        visible.tiled_attention(answer)


def test_a_cache_or_a_piece_that_went_through_float32_loses_points():
    def merge(*args):
        return tuple(np.asarray(each).astype(np.float32) for each in merge_softmax(*args))

    def write(cache, new, index):
        return reference.rolling_write(cache.astype(np.float32), new, index)
    for exercise, answer in (("merge_softmax", merge), ("rolling_write", write)):
        assert share(LAB, exercise, **{exercise: answer}) < 1
        with pytest.raises(CheckFailed, match="digit"):
            getattr(visible, exercise)(answer)


def test_plain_numbers_that_are_no_piece_of_no_key_are_refused():
    piece = np.zeros(3), np.ones(3), np.zeros((3, 2))
    for plain in ((5.0, 1.0, 7.0), (0.0, 0.0, 0.0), (-np.inf, 0.0, 2.0), (np.nan, 0.0, 0.0), (piece[0], piece[1], 4.0)):
        with pytest.raises(ValueError, match="expected"):
            merge_softmax(*plain, *piece)
    assert share(LAB, "merge_softmax", merge_softmax=_drops_plain_numbers) < 1


# What the visible checks blame


def _divided(m, l, o):
    return m, l, o / l[..., None]


def _of_the_last_tile(Q, K, V, rows, columns, mask):
    """The logsumexp with the m of the last tile in place of the m that was merged."""
    output, total = tiled_attention(Q, K, V, rows, columns, mask)
    scores = Q @ np.swapaxes(K, -1, -2) / Q.shape[-1] ** 0.5
    last = scores[..., (K.shape[-2] - 1) // columns * columns:].max(axis=-1)
    return output, total - scores.max(axis=-1) + last


def _some(keys):
    if not keys.size:
        raise ValueError("no keys")
    return keys


def _put(cache, new, slots):
    written = cache.copy()
    written[..., slots, :] = new
    return written


def _drops_plain_numbers(*args):
    """A piece whose o is a plain number is taken for one of no key, whatever it is."""
    first, second = args[:3], args[3:]
    return next((other for piece, other in ((first, second), (second, first))
                 if np.ndim(piece[2]) == 0 and np.ndim(other[2])), None) or merge_softmax(*args)


BLAMED = {
    "-inf - (-inf) is nan": ("merge_softmax", lambda m1, l1, o1, m2, l2, o2: (
        m := np.maximum(m1, m2), np.exp(m1 - m) * l1 + np.exp(m2 - m) * l2,
        np.exp(m1 - m)[..., None] * o1 + np.exp(m2 - m)[..., None] * o2)),
    "that is done once, at the end": ("merge_softmax", lambda *args: _divided(*merge_softmax(*args))),
    "m has no axis e": ("merge_softmax", lambda m1, l1, o1, m2, l2, o2: merge_softmax(
        m1, l1, o1 * np.asarray(l1), m2, l2, o2)),
    "of all keys at once": ("tiled_attention", lambda Q, K, V, rows, columns, mask=None: tiled_attention(
        Q, K, V, rows, max(rows, columns) if rows > 9 else columns, mask)),
    "you hold more than one tile of scores": ("tiled_attention", lambda Q, K, V, rows, columns, mask=None: (
        tiled_attention(Q, K, V, 999, 999, mask) if min(rows, columns) > 0 else tiled_attention(Q, K, V, 0, 0))),
    "Are `rows` and `columns` exchanged?": ("tiled_attention", lambda Q, K, V, rows, columns, mask=None:
                                            tiled_attention(Q, K, V, columns, rows, mask)),
    "not those of the last one": ("tiled_attention", lambda Q, K, V, rows, columns, mask=None: _of_the_last_tile(
        Q, K, V, rows, columns, mask)),
    "no key at all is allowed": ("tiled_attention", lambda Q, K, *others: tiled_attention(Q, _some(K), *others)),
    "do not go back to exp(m1)": ("merge_softmax", lambda m1, l1, o1, m2, l2, o2: (
        np.maximum(m1, m2), *(one * np.exp(m1 - np.logaddexp(m1, m2)) + two * np.exp(m2 - np.logaddexp(m1, m2))
                              for one, two in ((l1, l2), (o1, o2))))),
    "modulo S, the number of slots": ("rolling_write", lambda cache, new, index: _put(
        cache, new, (index + np.arange(new.shape[-2])) % new.shape[-2])),
    "where all three are -inf, 0, 0": ("merge_softmax", lambda *args: _drops_plain_numbers(*args)),
    "the others follow the first": ("rolling_write", lambda cache, new, index: _put(
        cache, new, (index - np.arange(new.shape[-2])) % cache.shape[-2])),
    "T > S alone": ("rolling_write", lambda cache, new, index: reference.rolling_write(
        cache, _some(new[:0]) if new.shape == cache.shape else new, index)),
    "a tile's largest score is -inf": ("tiled_attention", lambda Q, K, V, rows, columns, mask=None: tiled_attention(
        Q, K, V, rows, columns, mask) if mask is None else merge_softmax(np.nan, 1.0, V[0], *3 * [0.0])),
    "put each comparison in brackets": ("window_mask", lambda T, S, window, past=0: (
        np.arange(past, past + T)[:, None] - window < np.arange(S) & (np.arange(S) <= np.arange(T)[:, None]))),
    "a number of 32 bits is full": ("cache_bytes", lambda *args: int(np.array(reference.cache_bytes(*args)).astype(
        np.int32))),
    "ask mask.dtype": ("tiled_attention", lambda Q, K, V, rows, columns, mask=None: tiled_attention(
        Q, K, V, rows, columns, mask if mask is None else mask.astype(bool))),
    "rounded up": ("words_moved", lambda N, d, rows, columns: 2 * N * d * (N // rows + 1) + N),
    "*one* position before it": ("window_mask", lambda T, S, window, past=0: reference.window_mask(
        T, S, window + 1, past)),
    "each sentence has a position of its own": ("rolling_write", lambda cache, new, index: reference.rolling_write(
        cache, new, int(np.ravel(index)[0]) if np.asarray(index).dtype.kind == "i" else index)),
    "the window has no effect": ("cache_bytes", lambda layers, groups, d, tokens, size, window=None:
                                 reference.cache_bytes(layers, groups, d, tokens, size)),
}


@pytest.mark.parametrize("said", BLAMED)
def test_the_visible_check_blames_what_is_at_fault(said):
    exercise, wrong = BLAMED[said]
    with pytest.raises(CheckFailed, match=re.escape(said)):
        getattr(visible, exercise)(wrong)


def test_the_visible_check_of_the_extra_takes_the_reference_and_no_root_left_out():
    visible.tiled_attention_backward(reference.tiled_attention_backward)
    with pytest.raises(CheckFailed, match="the root of d = 4 is missing"):
        visible.tiled_attention_backward(lambda *args: (2 * reference.tiled_attention_backward(*args)[0],
                                                        *reference.tiled_attention_backward(*args)[1:]))
