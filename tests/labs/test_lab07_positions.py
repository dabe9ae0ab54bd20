"""Lab 07: the reference against oracles and laws."""

import numpy as np
import pytest

from coursekit.check import CheckFailed
from coursekit.check import lab07_positions as visible_checks
from coursekit.gradient_check import check_gradient
from solutions.lab07_positions import reference
from tests import needs
from tests.labs.judging import share

B, H, T, S, D = 2, 3, 4, 9, 6


@pytest.fixture
def rng():
    return np.random.default_rng(1)


# The reference: sinusoids


def test_sinusoids_are_the_formula_of_the_paper_entry_by_entry(rng):
    positions, d_model = rng.integers(0, 5000, size=7), 512
    encoded = reference.sinusoids(positions, d_model)
    for i in (0, 1, 2, 101, 255):
        angle = positions / 10000 ** (2 * i / d_model)
        np.testing.assert_allclose(encoded[:, [2 * i, 2 * i + 1]].T, [np.sin(angle), np.cos(angle)], atol=1e-11)


@needs.torch
def test_sinusoids_are_those_of_pytorchs_polar_numbers(rng):
    import torch

    positions = rng.integers(-90, 5000, size=(B, T))
    pairs = torch.arange(D // 2, dtype=torch.float64)
    angles = torch.tensor(positions)[..., None] * 10000.0 ** (-2 * pairs / D)
    polar = torch.polar(torch.ones_like(angles), torch.pi / 2 - angles)  # cosine and sine change places
    np.testing.assert_allclose(reference.sinusoids(positions, D), torch.view_as_real(polar).flatten(-2), atol=1e-11)


def test_the_dot_product_of_two_encodings_depends_on_their_distance_alone(rng):
    p, q = reference.sinusoids(np.array([3, 1003, 40]), 64), reference.sinusoids(np.array([10, 1010, 47]), 64)
    products = (p * q).sum(axis=1)
    np.testing.assert_allclose(products, products[0], rtol=1e-10)


def test_the_encoding_of_a_later_position_is_a_rotation_of_the_earlier_one(rng):
    positions = rng.integers(0, 100, size=T)
    swapped = reference.sinusoids(positions, D).reshape(T, -1, 2)[..., ::-1].reshape(T, D)  # (cos, sin)
    later = reference.rotate(swapped, np.full(T, 5)).reshape(T, -1, 2)[..., ::-1].reshape(T, D)
    np.testing.assert_allclose(later, reference.sinusoids(positions + 5, D), atol=1e-12)


@pytest.mark.parametrize("d_model", [5, 0, -2])
def test_a_width_without_pairs_is_refused(d_model):
    with pytest.raises(ValueError, match=f"d_model: expected a positive even number, got {d_model}"):
        reference.sinusoids(np.arange(3), d_model)


# The reference: rotation


@needs.torch
def test_a_rotation_is_pytorchs_multiplication_by_complex_numbers_forward_and_backward(rng):
    import torch

    x, d_rotated = rng.normal(size=(2, B, H, T, D))
    positions = rng.integers(0, 200, size=(B, 1, T))
    given = torch.tensor(x, requires_grad=True)
    angles = torch.tensor(positions)[..., None] * 10000.0 ** (-torch.arange(D // 2, dtype=torch.float64) * 2 / D)
    turned = torch.view_as_complex(given.reshape(B, H, T, D // 2, 2)) * torch.polar(torch.ones_like(angles), angles)
    expected = torch.view_as_real(turned).flatten(-2)
    expected.backward(torch.tensor(d_rotated))
    np.testing.assert_allclose(reference.rotate(x, positions), expected.detach(), atol=1e-12)
    np.testing.assert_allclose(reference.rotate_backward(d_rotated, positions), given.grad, atol=1e-12)


def test_the_way_back_is_the_slope_of_the_loss(rng):
    x, d_rotated, positions = rng.normal(size=(H, T, D)), rng.normal(size=(H, T, D)), rng.integers(0, 90, size=T)
    d_x = reference.rotate_backward(d_rotated, positions)
    assert check_gradient(lambda: (reference.rotate(x, positions) * d_rotated).sum(), x, d_x, tolerance=1e-7) < 1e-7


def test_a_rotation_keeps_lengths_and_is_undone_by_the_way_back(rng):
    x, positions = rng.normal(size=(B, H, T, D)), rng.integers(0, 500, size=T)
    turned = reference.rotate(x, positions)
    np.testing.assert_allclose(np.linalg.norm(turned, axis=-1), np.linalg.norm(x, axis=-1), rtol=1e-12)
    np.testing.assert_allclose(reference.rotate_backward(turned, positions), x, atol=1e-12)


def test_scores_do_not_change_when_everything_is_shifted(rng):
    q, k, at_q, at_k = rng.normal(size=(T, D)), rng.normal(size=(S, D)), rng.integers(0, 99, T), rng.integers(0, 99, S)
    scores = [reference.rotate(q, at_q + by) @ reference.rotate(k, at_k + by).T for by in (0, 1000)]
    np.testing.assert_allclose(scores[0], scores[1], rtol=0, atol=1e-10)


def test_scores_in_chunks_behind_a_cache_are_those_of_the_whole(rng):
    Q, K = rng.normal(size=(2, B, H, S, D))
    whole = reference.rotary_scores(Q, K)
    parts = [reference.rotary_scores(Q[..., a:b, :], K[..., :b, :], past=a) for a, b in [(0, 4), (4, 8), (8, 9)]]
    for part, (a, b) in zip(parts, [(0, 4), (4, 8), (8, 9)], strict=True):
        np.testing.assert_allclose(part, whole[..., a:b, :b], rtol=1e-12, atol=1e-14)


@needs.torch
def test_rotary_scores_are_those_of_pytorch(rng):
    import torch

    Q, K, past = rng.normal(size=(B, H, T, D)), rng.normal(size=(B, H, S, D)), 5

    def turned(x, places):
        angles = torch.tensor(places)[:, None] * 10000.0 ** (-torch.arange(D // 2, dtype=torch.float64) * 2 / D)
        pairs = torch.view_as_complex(torch.tensor(x).reshape(*x.shape[:-1], D // 2, 2))
        return torch.view_as_real(pairs * torch.polar(torch.ones_like(angles), angles)).flatten(-2)

    expected = torch.matmul(turned(Q, past + np.arange(T)), turned(K, np.arange(S)).mT) / D**0.5
    np.testing.assert_allclose(reference.rotary_scores(Q, K, past), expected, atol=1e-12)


def test_an_odd_head_is_refused():
    with pytest.raises(ValueError, match="x: expected an even width, got 5"):
        reference.rotate(np.zeros((T, 5)), np.arange(T))


def half_split_rotation(x, positions):
    """Rotation in the half-split pairing, as widely used code has it: x cos + (-second half, first half) sin."""
    d = x.shape[-1]
    angles = np.tile(np.asarray(positions)[:, None] * 10000.0 ** (-np.arange(0, d, 2) / d), 2)
    return x * np.cos(angles) + np.concatenate([-x[..., d // 2 :], x[..., : d // 2]], axis=-1) * np.sin(angles)


def test_reordered_projections_and_half_split_rotations_give_the_same_scores(rng):
    X, W_Q, W_K = rng.normal(size=(S, 5)), rng.normal(size=(5, H * D)), rng.normal(size=(5, H * D))

    def heads(W):
        return (X @ W).reshape(S, H, D).swapaxes(0, 1)

    expected = reference.rotary_scores(heads(W_Q), heads(W_K))
    q, k = (half_split_rotation(heads(reference.to_half_split(W, H)), np.arange(S)) for W in (W_Q, W_K))
    np.testing.assert_allclose(q @ k.swapaxes(1, 2) / D**0.5, expected, rtol=1e-10, atol=1e-12)


def test_columns_that_are_no_even_heads_are_refused():
    with pytest.raises(ValueError, match="W: expected 3 heads of one even width, got 9 columns"):
        reference.to_half_split(np.zeros((2, 9)), 3)


# The reference: ALiBi


def published_slopes(n):
    """The slopes as a recursion over start and ratio, which is how the authors' code describes them."""
    if n & (n - 1) == 0:
        ratio = 2 ** -(2 ** (3 - np.log2(n)))
        return [ratio * ratio**i for i in range(n)]
    below = 2 ** int(np.floor(np.log2(n)))
    return [*published_slopes(below), *published_slopes(2 * below)[0::2][: n - below]]


@pytest.mark.parametrize("heads", range(1, 41))
def test_slopes_are_those_of_the_authors_for_any_number_of_heads(heads):
    np.testing.assert_allclose(reference.alibi_slopes(heads), published_slopes(heads), rtol=1e-12)


def test_no_two_heads_have_the_same_slope():
    assert all(len(set(reference.alibi_slopes(heads).round(12))) == heads for heads in range(1, 65))


def test_no_heads_are_refused():
    with pytest.raises(ValueError, match="heads: expected at least 1, got 0"):
        reference.alibi_slopes(0)


def test_the_bias_of_the_past_is_that_of_a_longer_sequence_cut_out():
    slopes = reference.alibi_slopes(H)
    whole = reference.alibi_bias(slopes, S, S)
    np.testing.assert_array_equal(reference.alibi_bias(slopes, T, S, past=5), whole[:, 5:])
    assert whole[0, 8, 0] == -8 * slopes[0] and not np.triu(whole[0]).any()


# The checks


@pytest.mark.parametrize(("message", "earns"), [
    ("d_model: expected an even number, got {}", 1), ("there is no partner for the last of {}", 1), ("", 0.8),
    ("expected an even number", 0.8), ("cannot reshape array of size 9 into shape ({})", 0.8),
])
def test_a_refusal_that_does_not_name_the_width_in_words_of_its_own_costs_two_tenths(message, earns):
    def sinusoids(positions, d_model):
        if d_model % 2:
            raise ValueError(message.format(d_model))
        return reference.sinusoids(positions, d_model)

    assert share("lab07_positions", "sinusoids", sinusoids=sinusoids) == earns


def scores_from(past_of_queries, past_of_keys):
    """Scores whose queries and keys stand behind so many tokens, by T, S and the past that is given."""
    def rotary_scores(Q, K, past=0):
        T, S = Q.shape[-2], K.shape[-2]
        queries = reference.rotate(Q, past_of_queries(T, S, past) + np.arange(T))
        keys = reference.rotate(K, past_of_keys(T, S, past) + np.arange(S))
        return queries @ keys.swapaxes(-1, -2) / float(Q.shape[-1]) ** 0.5

    return rotary_scores


@pytest.mark.parametrize(("words", "past_of_queries", "past_of_keys"), [
    ("got the same position", lambda T, S, past: past, lambda T, S, past: past),
    ("do not take S - T", lambda T, S, past: past or S - T, lambda T, S, past: 0),
])
def test_another_past_than_the_one_given_is_named(words, past_of_queries, past_of_keys):
    with pytest.raises(CheckFailed, match=words):
        visible_checks.rotary_scores(scores_from(past_of_queries, past_of_keys))


def test_a_size_of_the_first_example_that_is_left_in_it_is_named():
    def to_half_split(W, heads):
        return W[:, [6 * head + column for head in range(heads) for column in (0, 2, 4, 1, 3, 5)]]

    with pytest.raises(CheckFailed, match="rows: 3, heads: 1, each of width 8"):
        visible_checks.to_half_split(to_half_split)


def turned_by_angles_of_its_own_type(x, positions):
    """Right in float64; of a far position float32 leaves too few digits of the angle."""
    rates = 10000.0 ** (-np.arange(0, x.shape[-1], 2) / x.shape[-1])
    angles = np.asarray(positions)[..., None].astype(x.dtype) * rates.astype(x.dtype)
    turned = (x[..., 0::2] + 1j * x[..., 1::2]) * np.exp(1j * angles)
    return np.stack([turned.real, turned.imag], axis=-1).reshape(x.shape)


def test_angles_in_float32_are_named_and_cost_points():
    with pytest.raises(CheckFailed, match="the angles were taken in float32"):
        visible_checks.rotate(turned_by_angles_of_its_own_type)
    assert share("lab07_positions", "rotate", rotate=turned_by_angles_of_its_own_type) < 1


@pytest.mark.parametrize(("words", "wrong"), [
    ("the minus belongs to the angle", lambda d_rotated, positions: -reference.rotate(d_rotated, positions)),
    ("nothing is taken off", lambda d_rotated, positions: with_signs(d_rotated, positions, 1, 1)),
    ("something is taken off", lambda d_rotated, positions: with_signs(d_rotated, positions, -1, -1)),
], ids=["all", "first", "second"])
def test_a_wrong_sign_on_the_way_back_is_named(words, wrong):
    with pytest.raises(CheckFailed, match=words):
        visible_checks.rotate_backward(wrong)


def with_signs(d_rotated, positions, one, other):
    """The way back written out, with these signs of its sines."""
    angles = np.asarray(positions)[..., None] * 10000.0 ** (-np.arange(0, d_rotated.shape[-1], 2) / d_rotated.shape[-1])
    cos, sin, first, second = np.cos(angles), np.sin(angles), d_rotated[..., 0::2], d_rotated[..., 1::2]
    pairs = np.stack([first * cos + one * second * sin, second * cos + other * first * sin], axis=-1)
    return pairs.reshape(d_rotated.shape)


def test_a_table_that_ends_before_a_far_position_is_named():
    def sinusoids(positions, d_model):
        return reference.sinusoids(np.arange(5000), d_model)[positions]

    with pytest.raises(CheckFailed, match="no table is long enough"):
        visible_checks.sinusoids(sinusoids)
