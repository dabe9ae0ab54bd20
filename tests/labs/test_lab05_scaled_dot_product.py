"""Lab 05: the reference against PyTorch, central differences and laws; the checks against right and wrong answers."""

import itertools
from functools import partial

import numpy as np
import pytest

from coursekit import check as visible
from coursekit.check import lab05_scaled_dot_product as visible_checks
from coursekit.gradient_check import check_gradient
from grading.student import LocalStudent
from solutions.exercises import asking
from solutions.lab05_scaled_dot_product import checks, mistakes, reference
from tests import needs
from tests.labs import judging

share = partial(judging.share, "lab05_scaled_dot_product")

T, S, D_K, D_V = 5, 7, 3, 4
EXERCISES = ["scaled_scores", "causal_mask", "padding_mask", "scaled_dot_product_attention",
             "scaled_dot_product_attention_backward"]
LEADING = [(), (2,), (2, 6), (1, 2, 8)]
PAIRS = list(itertools.product([(), (6,), (2, 6), (2, 1)], [(), (6,), (1, 6), (2, 1)]))


def drawn(*leading, kind=float):
    """Q, K and V with these leading axes, and what each entry of the output adds to a loss."""
    rng = np.random.default_rng(1)
    sizes = [(T, D_K), (S, D_K), (S, D_V), (T, D_V)]
    return [rng.normal(size=(*leading, *size)).astype(kind) for size in sizes]


def masks(leading):
    """{name: mask}: none, causal, one for each query, and one for each sentence, with a view for every row."""
    rng = np.random.default_rng(2)
    rows = rng.random(size=(*leading, T, S)) < 0.5
    rows[..., 2] = True
    return {"none": None, "causal": reference.causal_mask(T, S, past=2), "rows": rows, "padding": rows[..., :1, :]}


def loss(Q, K, V, probe, mask):
    return np.sum(probe * reference.scaled_dot_product_attention(Q, K, V, mask)[0])


# The reference


@needs.torch
@pytest.mark.parametrize("leading", LEADING, ids=str)
@pytest.mark.parametrize("name", ["none", "causal", "rows", "padding"])
def test_attention_and_its_gradients_are_those_of_pytorch(leading, name):
    import torch

    Q, K, V, probe = drawn(*leading)
    mask = masks(leading)[name]
    tensors = [torch.from_numpy(a).requires_grad_() for a in (Q, K, V)]
    seen = None if mask is None else torch.from_numpy(mask.copy())
    theirs = torch.nn.functional.scaled_dot_product_attention(*tensors, attn_mask=seen)
    theirs.backward(torch.from_numpy(probe))
    output, weights = reference.scaled_dot_product_attention(Q, K, V, mask)
    np.testing.assert_allclose(output, theirs.detach().numpy(), rtol=1e-10, atol=1e-13)
    gradients = reference.scaled_dot_product_attention_backward(probe, Q, K, V, weights)
    for mine, tensor in zip(gradients, tensors, strict=True):
        np.testing.assert_allclose(mine, tensor.grad.numpy(), rtol=1e-10, atol=1e-13)


@needs.torch
@pytest.mark.parametrize(("of_Q", "of_K"), PAIRS, ids=str)
def test_leading_axes_broadcast_as_in_pytorch(of_Q, of_K):
    import torch

    Q, (_, K, V, _) = drawn(*of_Q)[0], drawn(*of_K)
    tensors = [torch.from_numpy(a) for a in (Q, K, V)]
    mask = reference.causal_mask(T, S, past=1)
    theirs = torch.nn.functional.scaled_dot_product_attention(*tensors, attn_mask=torch.from_numpy(mask)).numpy()
    output, _ = reference.scaled_dot_product_attention(Q, K, V, mask)
    np.testing.assert_allclose(output, theirs, rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize("leading", LEADING, ids=str)
@pytest.mark.parametrize("name", ["none", "causal", "rows", "padding"])
def test_the_gradients_agree_with_central_differences(leading, name):
    *arrays, probe = drawn(*leading)
    mask = masks(leading)[name]
    _, weights = reference.scaled_dot_product_attention(*arrays, mask)
    gradients = reference.scaled_dot_product_attention_backward(probe, *arrays, weights)
    for array, gradient in zip(arrays, gradients, strict=True):
        assert check_gradient(lambda: loss(*arrays, probe, mask), array, gradient, tolerance=1e-7) <= 1e-7


def test_the_worked_cases_of_the_chapter():
    Q, K, V = visible_checks.Q, visible_checks.K, visible_checks.V
    np.testing.assert_allclose(reference.scaled_scores(Q, K), visible_checks.SCORES, atol=5e-9)
    output, weights = reference.scaled_dot_product_attention(Q, K, V)
    np.testing.assert_allclose(weights, visible_checks.WEIGHTS, atol=5e-9)
    np.testing.assert_allclose(output, visible_checks.OUTPUT, atol=5e-9)
    first = np.array([[1.0, 0.0]]), np.eye(2), np.array([[1.0, 2.0], [3.0, 4.0]])
    output, weights = reference.scaled_dot_product_attention(*first)
    np.testing.assert_allclose(weights, [[0.6698, 0.3302]], atol=5e-5)
    np.testing.assert_allclose(output, [[1.6605, 2.6605]], atol=5e-5)


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64])
def test_a_query_that_may_look_nowhere_gets_zeros_and_has_no_gradient(kind):
    Q, K, V, probe = drawn(2, kind=kind)
    mask = np.ones((2, T, S), bool)
    mask[0, 3], mask[1] = False, False
    output, weights = reference.scaled_dot_product_attention(Q, K, V, mask)
    d_Q, d_K, d_V = reference.scaled_dot_product_attention_backward(probe, Q, K, V, weights)
    assert not any(np.any(a[0, 3]) or np.any(a[1]) for a in (output, weights, d_Q))
    assert not np.any(d_K[1]) and not np.any(d_V[1])
    np.testing.assert_allclose(weights[0].sum(axis=-1), [1, 1, 1, 0, 1], atol=2e-3)


def test_the_future_does_not_change_the_past_by_a_single_bit():
    Q, K, V, _ = drawn(2)
    mask = reference.causal_mask(T, S, past=1)
    before, _ = reference.scaled_dot_product_attention(Q, K, V, mask)
    K[:, 4:], V[:, 4:] = 1e4 * K[:, 4:], -V[:, 4:]
    after, _ = reference.scaled_dot_product_attention(Q, K, V, mask)
    np.testing.assert_array_equal(before[:, :3], after[:, :3])
    assert not np.allclose(before[:, 3:], after[:, 3:])


def test_a_causal_mask_with_a_past_is_the_lower_part_of_the_whole_one():
    whole = reference.causal_mask(9, 9)
    np.testing.assert_array_equal(reference.causal_mask(4, 9, past=5), whole[5:])
    np.testing.assert_array_equal(whole, np.tril(np.ones((9, 9), bool)))


def test_permuting_keys_and_values_together_permutes_the_weights_and_keeps_the_output():
    Q, K, V, _ = drawn(2)
    order = np.random.default_rng(3).permutation(S)
    output, weights = reference.scaled_dot_product_attention(Q, K, V)
    same, moved = reference.scaled_dot_product_attention(Q, K[:, order], V[:, order])
    np.testing.assert_allclose(same, output, rtol=1e-12)
    np.testing.assert_allclose(moved, weights[..., order], rtol=1e-12)


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64])
def test_the_type_of_the_numbers_stays_what_it_was(kind):
    Q, K, V, probe = drawn(2, kind=kind)
    output, weights = reference.scaled_dot_product_attention(Q, K, V, reference.padding_mask([2, 6], S))
    gradients = reference.scaled_dot_product_attention_backward(probe, Q, K, V, weights)
    assert {a.dtype for a in (reference.scaled_scores(Q, K), output, weights, *gradients)} == {np.dtype(kind)}


def test_float32_agrees_with_float64_to_its_precision():
    *arrays, probe = drawn(2, 6)
    small = [a.astype(np.float32) for a in (*arrays, probe)]
    _, weights = reference.scaled_dot_product_attention(*arrays)
    _, rough = reference.scaled_dot_product_attention(*small[:3])
    exact = reference.scaled_dot_product_attention_backward(probe, *arrays, weights)
    approximate = reference.scaled_dot_product_attention_backward(small[3], *small[:3], rough)
    for got, wanted in zip(approximate, exact, strict=True):
        np.testing.assert_allclose(got, wanted, atol=1e-5)


def test_what_does_not_fit_is_named():
    Q, K, V, probe = drawn(2)
    with pytest.raises(ValueError, match="K: expected the width of Q, d_k = 3, got 4"):
        reference.scaled_scores(Q, V)
    with pytest.raises(ValueError, match="mask: expected bool, True = may look, got float64"):
        reference.scaled_dot_product_attention(Q, K, V, np.zeros((T, S)))
    with pytest.raises(ValueError, match="lengths: expected numbers from 0 to S = 7, got 2 to 8"):
        reference.padding_mask([2, 8], S)
    with pytest.raises(ValueError, match=r"weights: expected the leading axes of Q, \(2,\), got \(\)"):
        reference.scaled_dot_product_attention_backward(probe, Q, K, V, np.zeros((T, S)))


# The hidden checks


@pytest.mark.parametrize("exercise", ["causal_mask", "padding_mask"])
def test_a_mask_of_numbers_earns_nothing(exercise):
    def numbers(*args):
        return getattr(reference, exercise)(*args).astype(int)

    assert share(exercise, **{exercise: numbers}) == 0
    with pytest.raises(visible.CheckFailed, match="its type is int64: True and False, not 1 and 0"):
        getattr(visible_checks, exercise)(numbers)


@pytest.mark.parametrize("exercise", ["scaled_scores", *EXERCISES[3:]])
def test_float64_from_float32_is_told_so_and_nothing_else(exercise):
    def in_float64(*args):
        return getattr(reference, exercise)(*(a.astype(float) if a.dtype != bool else a for a in args))

    namespace = {name: getattr(reference, name) for name in EXERCISES} | {exercise: in_float64}
    verdicts = getattr(checks, exercise)(LocalStudent(namespace), np.random.default_rng(0))
    hints = [verdict.hint for verdict in verdicts if not verdict.passed]
    assert len(hints) >= 2 and all(hint.startswith("float32 came in, float64 went out") for hint in hints)


def test_an_attention_on_undivided_scores_is_sent_back_to_exercise_1():
    built = asking(reference.scaled_dot_product_attention, scaled_scores=mistakes.scaled_scores_without_the_root)
    with pytest.raises(visible.CheckFailed, match="Then mend exercise 1"):
        visible_checks.scaled_dot_product_attention(built)


def test_keys_that_are_not_turned_are_named():
    with pytest.raises(visible.CheckFailed, match="K is not turned"):
        visible_checks.scaled_scores(lambda Q, K: Q @ K / Q.shape[-1] ** 0.5)
