"""The references of lab 14, against PyTorch, central differences, and laws; and what the lab gives besides."""

import inspect
import re

import numpy as np
import pytest

from coursekit.check import CheckFailed
from coursekit.check import lab14_real_weights as visible
from coursekit.gradient_check import check_gradient
from grading.lab import Lab
from grading.solved import solved
from solutions.lab05_scaled_dot_product.reference import scaled_dot_product_attention
from solutions.lab08_layers.reference import layer_norm
from solutions.lab14_real_weights import reference
from tests import needs
from tests.labs.judging import ROOT

B, T, S, M, F, D = 2, 3, 4, 5, 7, 6


@pytest.fixture
def rng():
    return np.random.default_rng(14)


def normal(rng, *shapes):
    return [rng.normal(size=shape) for shape in shapes]


# PyTorch


@needs.torch
@pytest.mark.parametrize("eps", [1e-5, 0.5])
def test_rms_norm_is_pytorchs_forward_and_backward(rng, eps):
    import torch

    x, gamma, d_output = normal(rng, (B, T, M), (M,), (B, T, M))
    x_t, gamma_t = (torch.tensor(each, requires_grad=True) for each in (x, gamma))
    theirs = torch.nn.functional.rms_norm(x_t, (M,), gamma_t, eps)
    theirs.backward(torch.tensor(d_output))
    np.testing.assert_allclose(reference.rms_norm(x, gamma, eps), theirs.detach().numpy(), rtol=1e-10)
    d_x, d_gamma = reference.rms_norm_backward(d_output, x, gamma, eps)
    np.testing.assert_allclose(d_x, x_t.grad.numpy(), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(d_gamma, gamma_t.grad.numpy(), rtol=1e-9, atol=1e-12)


@needs.torch
def test_swiglu_is_made_of_pytorchs_silu(rng):
    import torch

    x, W_1, W_3, W_2 = map(torch.tensor, normal(rng, (B, T, M), (M, F), (M, F), (F, M)))
    theirs = (torch.nn.functional.silu(x @ W_1) * (x @ W_3)) @ W_2
    ours = reference.swiglu(*(each.numpy() for each in (x, W_1, W_3, W_2)))
    np.testing.assert_allclose(ours, theirs.numpy(), rtol=1e-10, atol=1e-12)


@needs.torch
@pytest.mark.parametrize("groups", [1, 2, 3, 6])
@pytest.mark.parametrize("added", [False, True], ids=["boolean", "added"])
def test_grouped_attention_is_pytorchs(rng, groups, added):
    import torch

    Q, K, V, mask = normal(rng, (B, 6, T, D), (B, groups, S, D), (B, groups, S, M), (T, S))
    mask = mask if added else (mask > -0.5) | (np.arange(S) == 0)
    theirs = torch.nn.functional.scaled_dot_product_attention(
        *map(torch.tensor, (Q, K, V, mask)), enable_gqa=True)
    np.testing.assert_allclose(reference.grouped_attention(Q, K, V, mask)[0], theirs.numpy(), rtol=1e-9, atol=1e-12)


# Central differences


@pytest.mark.parametrize("eps", [0.0, 0.5])
@pytest.mark.parametrize("place", [0, 1], ids=["d_x", "d_gamma"])
def test_the_gradient_of_rms_norm_is_the_slope_of_the_loss(rng, place, eps):
    x, gamma, d_output = normal(rng, (B, T, M), (M,), (B, T, M))
    found = reference.rms_norm_backward(d_output, x, gamma, eps)[place]

    def loss():
        return (reference.rms_norm(x, gamma, eps) * d_output).sum()

    assert check_gradient(loss, (x, gamma)[place], found, tolerance=1e-7, step=1e-4) < 1e-7


@pytest.mark.parametrize("place", [0, 1, 2], ids=["d_x", "d_A", "d_B"])
def test_the_gradient_of_lora_is_the_slope_of_the_loss(rng, place):
    x, W, A, low, d_output = normal(rng, (B, T, M), (M, F), (M, 2), (2, F), (B, T, F))
    found = reference.lora_backward(d_output, x, W, A, low, 7.0)[place]

    def loss():
        return (reference.lora(x, W, A, low, 7.0) * d_output).sum()

    assert check_gradient(loss, (x, A, low)[place], found, tolerance=1e-7, step=1e-4) < 1e-7


# Laws


def test_rms_norm_forgets_a_stretch_and_layer_norm_a_shift_too(rng):
    x, gamma = normal(rng, (B, M), (M,))
    right = reference.rms_norm(x, gamma, 0.0)
    np.testing.assert_allclose(reference.rms_norm(9 * x, gamma, 0.0), right, rtol=1e-12)
    assert np.abs(reference.rms_norm(x + 3, gamma, 0.0) - right).max() > 0.1
    moved = (layer_norm(x + shift, gamma, 0 * gamma, 0.0)[0] for shift in (0, 3))
    np.testing.assert_allclose(*moved, rtol=1e-9)


def test_no_gradient_can_stretch_a_row_of_rms_norm(rng):
    x, gamma, d_output = normal(rng, (B, T, M), (M,), (B, T, M))
    d_x, _ = reference.rms_norm_backward(d_output, x, gamma, 0.0)
    np.testing.assert_allclose((d_x * x).sum(axis=-1), 0, atol=1e-13)


def test_as_many_groups_as_heads_is_attention_as_it_was(rng):
    Q, K, V = normal(rng, (B, 6, T, D), (B, 6, S, D), (B, 6, S, M))
    mask = np.tri(T, S, 1, dtype=bool)
    for ours, theirs in zip(reference.grouped_attention(Q, K, V, mask), scaled_dot_product_attention(Q, K, V, mask),
                            strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12)


def test_repeating_groups_changes_nothing_and_tiling_them_does(rng):
    Q, K, V = normal(rng, (6, T, D), (2, S, D), (2, S, M))
    output = reference.grouped_attention(Q, K, V)[0]
    repeated, tiled = ([change(array, (3, 1, 1)) for array in (K, V)]
                       for change in (lambda array, n: np.repeat(array, n[0], axis=0), np.tile))
    np.testing.assert_allclose(reference.grouped_attention(Q, *repeated)[0], output, rtol=1e-12)
    assert np.abs(reference.grouped_attention(Q, *tiled)[0] - output).max() > 0.1


def test_a_large_cap_is_none_and_a_small_one_makes_all_weights_equal(rng):
    Q, K, V = normal(rng, (4, T, D), (2, S, D), (2, S, M))
    plain = reference.grouped_attention(Q, K, V)[1]
    np.testing.assert_allclose(reference.grouped_attention(Q, K, V, None, 1e5)[1], plain, rtol=1e-8)
    np.testing.assert_allclose(reference.grouped_attention(Q, K, V, None, 1e-9)[1], 1 / S, rtol=1e-8)


def test_a_capped_score_gives_a_hidden_key_nothing(rng):
    Q, K, V = normal(rng, (4, T, D), (2, S, D), (2, S, M))
    for mask in (np.arange(S) > 0, np.where(np.arange(S) > 0, 0.0, -np.inf)):
        assert not reference.grouped_attention(Q, K, V, mask, 0.5)[1][..., 0].any()


def test_a_row_is_empty_by_false_and_minus_infinity_alone(rng):
    Q, K, V = normal(rng, (4, T, D), (2, S, D), (2, S, M))
    plain = reference.grouped_attention(Q, K, V)[1]
    for empty in (np.zeros((T, S), bool), np.full((T, S), -np.inf)):
        output, weights = reference.grouped_attention(Q, K, V, empty)
        assert not output.any() and not weights.any()
    np.testing.assert_allclose(reference.grouped_attention(Q, K, V, np.full((T, S), -1e9))[1], plain, atol=1e-6)


def test_a_sentence_alone_has_the_vector_that_it_has_beside_a_longer_one(rng):
    (hidden,) = normal(rng, (2, S, M))
    mask = np.arange(S) < np.array([[2], [S]])
    alone = reference.mean_pool(hidden[:1, :2], mask[:1, :2])
    np.testing.assert_allclose(reference.mean_pool(hidden, mask)[:1], alone, rtol=1e-12)


def test_the_merged_matrix_is_the_correction_at_no_cost(rng):
    x, W, A, low = normal(rng, (B, T, M), (M, F), (M, 2), (2, F))
    np.testing.assert_allclose(reference.lora(x, W, A, low, 6.0), x @ (W + 3 * A @ low), rtol=1e-9, atol=1e-12)
    np.testing.assert_array_equal(reference.lora(x, W, A, 0 * low, 6.0), x @ W)


def test_at_the_start_a_has_no_gradient_and_b_has_one_and_with_both_at_zero_neither(rng):
    x, W, A, d_output = normal(rng, (B, T, M), (M, F), (M, 2), (B, T, F))
    _, d_A, d_B = reference.lora_backward(d_output, x, W, A, np.zeros((2, F)), 6.0)
    assert not d_A.any() and d_B.any()
    _, d_A, d_B = reference.lora_backward(d_output, x, W, 0 * A, np.zeros((2, F)), 6.0)
    assert not d_A.any() and not d_B.any()


def test_groups_that_do_not_divide_the_heads_are_named():
    with pytest.raises(ValueError, match="K: expected a number of groups that divides the 6 heads of Q, got 4"):
        reference.grouped_attention(np.zeros((6, 1, 2)), np.zeros((4, 3, 2)), np.zeros((4, 3, 2)))


@pytest.mark.parametrize("shapes", [[(6, 1, 2), (2, 3, 5), (2, 3, 2)], [(6, 1, 2), (2, 3, 2), (3, 3, 2)],
                                    [(6, 1, 2), (2, 3, 2), (2, 4, 2)]], ids=["widths", "groups", "keys and values"])
def test_shapes_that_do_not_fit_are_refused(shapes):
    with pytest.raises(ValueError, match=r"mismatch|broadcast|remapped"):
        reference.grouped_attention(*map(np.zeros, shapes))


# What the visible checks blame


def slipped(exercise, *changes):
    """The reference with pieces of its text exchanged."""
    source = inspect.getsource(getattr(reference, exercise))
    for old, new in changes:
        assert old in source
        source = source.replace(old, new)
    exec(source, namespace := dict(vars(reference)))
    return namespace[exercise]


NORM, BACK, ATTEND, POOL = "rms_norm", "rms_norm_backward", "grouped_attention", "mean_pool"
SHARED, CHOSEN = "np.repeat(K, H // G, axis=-3), np.repeat(V, H // G, axis=-3)", "np.where(mask, scores, -np.inf)"
TURNED, MASKED = "np.swapaxes(keys, -1, -2)", "if mask is not None:\n"
BRACKET = "(d_x_hat - x_hat * stretch) / rms"
BLAMED = {
    "keepdims=True": (NORM, ("axis=-1, keepdims=True", "axis=-1")),
    "you took the mean off above the line": (NORM, ("(x / np", "((x - x.mean(axis=-1, keepdims=True)) / np")),
    "divide only g by rms?": (BACK, (BRACKET, "d_x_hat / rms - x_hat * stretch")),
    "1 / rms stands before the bracket": (BACK, (BRACKET, "d_x_hat - x_hat * stretch / rms")),
    "gamma stands there twice": (BACK, ("(d_x_hat - x_hat", "gamma * (d_x_hat - x_hat")),
    "gamma stands twice in the mean": (BACK, ("(d_x_hat * x_hat)", "(gamma * d_x_hat * x_hat)")),
    "gamma is in your x_hat": (BACK, ("(d_x_hat * x_hat)", "(d_x_hat * gamma * x_hat)"),
                               ("x_hat * stretch", "gamma * x_hat * stretch")),
    "e^a / (1 + e^a) is inf / inf": ("swiglu", ("gate * sigmoid", "gate * np.exp(gate) / (1 + np.exp(gate))")),
    "this is ReLU": ("swiglu", ("gate * sigmoid", "np.maximum(gate, 0)")),
    "W_2 leads back": ("swiglu", ("(x @ W_3)) @ W_2", "(x @ W_2)) @ W_3")),
    "the axis of heads": (ATTEND, (SHARED, "K, V")),
    "n // (H / G), not n // G": (ATTEND, (SHARED, "(x[..., np.arange(H) // G, :, :] for x in (K, V))")),
    "you repeated G = 2 times": (ATTEND, ("H // G, axis", "G, axis")),
    "K.T turns all of them round": (ATTEND, (TURNED, "keys.T")),
    "however many there are: K.swapaxes(-1, -2)": (ATTEND, (TURNED, "keys.transpose(0, 2, 1)")),
    "as the given one does if no axis is said": (ATTEND, ("axis=-1", "axis=0")),
    "your softmax runs over axis -2": (ATTEND, ("axis=-1", "axis=-2")),
    "largest score along axis -2": (ATTEND, ("np.max(scores, axis=-1", "np.max(scores, axis=-2")),
    "True and False were added": (ATTEND, (CHOSEN, "scores + mask")),
    "you multiplied scores by the mask": (ATTEND, (CHOSEN, "scores * mask")),
    "0 times -inf is nan": (ATTEND, (CHOSEN, "scores + ~mask * -np.inf")),
    "leaves its weights as they were": (ATTEND, (CHOSEN, "scores + (1 - mask) * -1e9")),
    "leaves its weights equal": (ATTEND, (CHOSEN, "np.where(mask, scores, -1e9)")),
    "-inf minus -inf is nan": (ATTEND, (", initial=np.finfo(scores.dtype).min", "")),
    "the first one's for both": (ATTEND, (MASKED, f"{MASKED}        mask = mask[(0,) * max(0, mask.ndim - 3)]\n")),
    "the mask got an axis more": (ATTEND, (MASKED, f"{MASKED}        mask = mask[..., None, :, :]\n")),
    "fit it to the scores": (ATTEND, (MASKED, f"{MASKED}        mask = np.broadcast_to(mask, scores.shape[-3:])\n")),
    "divide the score by softcap": (ATTEND, ("np.tanh(scores / softcap)", "np.tanh(scores)")),
    "mask.sum(axis=1, keepdims=True)": (POOL, ("axis=1, keepdims=True", "axis=1")),
    "one too high": (POOL, ("np.maximum(mask.sum(axis=1, keepdims=True), 1)", "(1 + mask.sum(axis=1, keepdims=True))")),
    "you added up the padding": (POOL, ("hidden, 0", "0, hidden")),
    "the smaller side of A": ("lora", ("alpha / r", "alpha / min(A.shape)")),
    "it is added": ("lora", ("x @ W +", "x @ W *")),
    "Make two axes of them first": ("lora_backward", ('x.reshape(-1, sizes["n"])', "x")),
    "the transposed matrices": ("lora_backward", ("d_output @ B.T", "d_output @ B")),
}


@pytest.mark.parametrize("said", BLAMED)
def test_the_visible_check_blames_what_is_at_fault(said):
    exercise, *changes = BLAMED[said]
    with pytest.raises(CheckFailed, match=re.escape(said)):
        getattr(visible, exercise)(slipped(exercise, *changes))


# What the lab gives


@pytest.fixture(scope="module")
def notebook():
    """What the cells of the notebook that load nothing and call no answer define, with the references for answers."""
    names = ["imports-of-the-reference", "setup", "given-run", "weights-run", "block-run"]
    cells = {cell.id: cell.source for cell in solved(Lab.read(ROOT / "labs", "lab14_real_weights")).cells}
    namespace = dict(vars(reference))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT / "labs" / "lab14_real_weights")
        for name in names:
            exec(cells[name], namespace)
    return namespace


TEXT = "Alice was beginning to get very tired of “her” sister — and\nthe Queen’s croquet-ground!"


def test_the_labs_tokens_are_glassllms(notebook):
    from glassllm import load_pretrained

    _, tokeniser = load_pretrained("en")
    assert notebook["encode"](TEXT).tolist() == tokeniser.encode(TEXT)
    assert notebook["text_of"](notebook["encode"](TEXT)) == TEXT


def test_the_labs_decoder_gives_glassllms_logits(notebook, monkeypatch):
    from glassllm import load_pretrained

    model, tokeniser = load_pretrained("en")
    ids = tokeniser.encode(TEXT)
    wide = {name: array.astype(float) for name, array in notebook["weights"].items()}
    monkeypatch.setitem(notebook, "weights", wide)
    ours = notebook["logits_of"](notebook["hidden_of"](np.array(ids))[0])
    np.testing.assert_allclose(ours, np.asarray(model.forward(ids).data)[0], rtol=0, atol=1e-5)


def test_the_labs_decoder_says_with_its_cache_what_it_says_without(notebook):
    ids, caches, rows = notebook["encode"](TEXT), None, []
    for part in np.split(ids, [4, 5, 11]):
        hidden, caches, _ = notebook["hidden_of"](part, caches)
        rows.append(hidden)
    np.testing.assert_allclose(np.concatenate(rows), notebook["hidden_of"](ids)[0], rtol=0, atol=2e-5)
