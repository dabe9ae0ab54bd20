"""Lab 00: the reference against oracles and laws."""

import numpy as np
import pytest

from coursekit.gradient_check import check_gradient
from solutions.lab00_warm_up import reference
from tests import needs

B, T, V, X, N, M = 3, 5, 4, 6, 7, 2


@pytest.fixture
def rng():
    return np.random.default_rng(1)


@pytest.fixture
def batch(rng):
    mask = np.arange(T) < np.array([[3], [5], [1]])
    return rng.normal(size=(B, T, V)), np.where(mask, rng.integers(V, size=(B, T)), 0), mask


def loss_of(logits, targets, mask):
    return reference.cross_entropy(reference.log_softmax(logits), targets, mask)


# The reference


@needs.torch
def test_distances_are_those_of_pytorch(rng):
    import torch

    a, b = rng.normal(size=(N, X)), rng.normal(size=(M, X))
    expected = torch.cdist(torch.tensor(a), torch.tensor(b)).numpy()
    np.testing.assert_allclose(reference.distances(a, b), expected, rtol=1e-12)


@needs.torch
@pytest.mark.parametrize("axis", [0, 1, -1])
def test_log_sum_exp_and_log_softmax_are_those_of_pytorch(rng, axis):
    import torch

    x = rng.normal(size=(3, 4, 5)) * 800
    np.testing.assert_allclose(reference.log_sum_exp(x, axis), torch.logsumexp(torch.tensor(x), axis), rtol=1e-12)
    expected = torch.log_softmax(torch.tensor(x), axis)
    np.testing.assert_allclose(reference.log_softmax(x, axis), expected, rtol=1e-12, atol=1e-12)


@needs.torch
def test_the_loss_and_its_gradient_are_those_of_pytorch(batch):
    import torch

    logits, targets, mask = batch
    leaf = torch.tensor(logits, requires_grad=True)
    wanted = torch.tensor(np.where(mask, targets, -100))
    loss = torch.nn.functional.cross_entropy(leaf.reshape(-1, V), wanted.reshape(-1), ignore_index=-100)
    loss.backward()
    np.testing.assert_allclose(loss_of(*batch), loss.item(), rtol=1e-12)
    d_logits = reference.cross_entropy_backward(reference.log_softmax(logits), targets, mask)
    np.testing.assert_allclose(d_logits, leaf.grad.numpy(), rtol=0, atol=1e-14)


def test_the_gradient_of_the_loss_agrees_with_central_differences(batch):
    logits, targets, mask = batch
    d_logits = reference.cross_entropy_backward(reference.log_softmax(logits), targets, mask)
    assert check_gradient(lambda: loss_of(logits, targets, mask), logits, d_logits, tolerance=1e-7) < 1e-7


def test_the_gradients_of_the_logits_of_each_word_sum_to_zero(batch):
    d_logits = reference.cross_entropy_backward(reference.log_softmax(batch[0]), *batch[1:])
    np.testing.assert_allclose(d_logits.sum(axis=-1), 0, atol=1e-16)
    assert not d_logits[~batch[2]].any()


@needs.torch
def test_linear_backward_is_that_of_pytorch(rng):
    import torch

    d_y, arrays = rng.normal(size=(B, T, M)), [rng.normal(size=shape) for shape in [(B, T, N), (N, M), (M,)]]
    x, W, b = (torch.tensor(array, requires_grad=True) for array in arrays)
    (x @ W + b).backward(torch.tensor(d_y))
    for got, leaf in zip(reference.linear_backward(d_y, *arrays[:2]), (x, W, b), strict=True):
        np.testing.assert_allclose(got, leaf.grad.numpy(), rtol=1e-12, atol=1e-14)


def test_linear_backward_agrees_with_central_differences(rng):
    d_y, x, W, b = (rng.normal(size=shape) for shape in [(B, T, M), (B, T, N), (N, M), (M,)])
    for array, gradient in zip((x, W, b), reference.linear_backward(d_y, x, W), strict=True):
        check_gradient(lambda: np.sum(d_y * (x @ W + b)), array, gradient, tolerance=1e-7)


@needs.torch
@pytest.mark.parametrize("shape", [(5,), (1, 5), (3, 1), (4, 3, 5), (1, 1, 1), (), (4, 1, 5)], ids=str)
def test_unbroadcast_is_what_pytorch_does_when_it_adds(rng, shape):
    import torch

    d_y, small = rng.normal(size=(4, 3, 5)), torch.zeros(shape, dtype=torch.float64, requires_grad=True)
    (torch.zeros(4, 3, 5, dtype=torch.float64) + small).backward(torch.tensor(d_y))
    np.testing.assert_allclose(reference.unbroadcast(d_y, shape), small.grad.numpy(), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("shape", [(5,), (3, 1), ()], ids=str)
def test_unbroadcast_agrees_with_central_differences(rng, shape):
    d_y, y, small = rng.normal(size=(4, 3, 5)), rng.normal(size=(4, 3, 5)), np.zeros(shape)
    check_gradient(lambda: np.sum(d_y * (y + small)), small, reference.unbroadcast(d_y, shape), tolerance=1e-7)


@needs.torch
def test_embedding_backward_is_that_of_pytorch_with_repeated_ids(rng):
    import torch

    ids, d_embedded = rng.integers(4, size=(B, T)), rng.normal(size=(B, T, X))
    table = torch.zeros(N, X, dtype=torch.float64, requires_grad=True)
    torch.nn.functional.embedding(torch.tensor(ids), table).backward(torch.tensor(d_embedded))
    np.testing.assert_allclose(reference.embedding_backward(d_embedded, ids, N), table.grad.numpy(), rtol=1e-12)


def test_embedding_backward_agrees_with_central_differences(rng):
    ids, d_embedded, table = rng.integers(4, size=(B, T)), rng.normal(size=(B, T, X)), rng.normal(size=(N, X))
    gradient = reference.embedding_backward(d_embedded, ids, N)
    check_gradient(lambda: np.sum(d_embedded * table[ids]), table, gradient, tolerance=1e-7)


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: reference.distances(np.zeros((2, 3)), np.zeros((4, 5))), r"b: expected \(M, X\) = \(any, 3\), got"),
        (lambda: reference.cross_entropy(np.zeros((2, 3, 4)), np.zeros((3, 2), int), np.ones((2, 3), bool)),
         r"targets: expected \(B, T\) = \(2, 3\), got \(3, 2\)"),
        (lambda: reference.cross_entropy(np.zeros((2, 3, 4)), np.zeros((2, 3), int), np.ones((2, 3))),
         "mask: expected bool, got float64"),
        (lambda: reference.cross_entropy_backward(np.zeros((2, 3)), np.zeros((2, 3), int), np.ones((2, 3), bool)),
         r"log_p: expected \(B, T, V\)"),
        (lambda: reference.linear_backward(np.zeros((2, 3)), np.zeros((3, 4)), np.zeros((4, 3))),
         r"expected x \(..., N\), d_y \(..., M\), W \(N, M\), got \(3, 4\), \(2, 3\), \(4, 3\)"),
        (lambda: reference.unbroadcast(np.zeros((2, 1)), (2, 3)), r"shape: expected one that stretches to \(2, 1\)"),
        (lambda: reference.embedding_backward(np.zeros((2, 3, 4)), np.zeros((2, 5), int), 6),
         r"d_embedded: expected \(B, T, X\) = \(2, 5, any\), got \(2, 3, 4\)"),
    ],
)
def test_what_does_not_fit_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
