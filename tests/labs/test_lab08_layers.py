"""Lab 08: the reference against oracles and laws."""

import math

import numpy as np
import pytest

from coursekit.gradient_check import check_gradient
from solutions.lab08_layers import checks, reference
from tests import needs

B, T, M, F = 2, 3, 5, 7
FORMS = {"erf": "none", "tanh": "tanh"}  # ours, PyTorch's
ACTIVATIONS = ["relu", *FORMS]


@pytest.fixture
def rng():
    return np.random.default_rng(1)


@pytest.fixture
def rows(rng):
    """x, gamma, beta, and what each entry of the output adds to the loss."""
    return 2 * rng.normal(size=(B, T, M)) + 3, rng.normal(size=M), rng.normal(size=M), rng.normal(size=(B, T, M))


@pytest.fixture
def layer(rng):
    shapes = {"W_1": (M, F), "b_1": (F,), "W_2": (F, M), "b_2": (M,)}
    return rng.normal(size=(B, T, M)), {name: rng.normal(size=shape) for name, shape in shapes.items()}


# The reference


@needs.torch
@pytest.mark.parametrize("eps", [1e-5, 1e-12, 0.1])
def test_layer_norm_is_pytorchs_forward_and_backward(rows, eps):
    import torch

    x, gamma, beta, d_output = rows
    norm = torch.nn.LayerNorm(M, eps=eps, dtype=torch.float64)
    norm.weight.data, norm.bias.data, x_t = torch.tensor(gamma), torch.tensor(beta), torch.tensor(x, requires_grad=True)
    theirs = norm(x_t)
    theirs.backward(torch.tensor(d_output))
    output, x_hat, std = reference.layer_norm(x, gamma, beta, eps)
    np.testing.assert_allclose(output, theirs.detach().numpy(), rtol=1e-10, atol=1e-12)
    found = reference.layer_norm_backward(d_output, x_hat, std, gamma)
    for ours, grad in zip(found, (x_t.grad, norm.weight.grad, norm.bias.grad), strict=True):
        np.testing.assert_allclose(ours, grad.numpy(), rtol=1e-9, atol=1e-12)


@needs.torch
@pytest.mark.parametrize("form", FORMS)
def test_gelu_is_pytorchs_forward_and_backward(rng, form):
    import torch

    x, d_output = 3 * rng.normal(size=(B, T, M)), rng.normal(size=(B, T, M))
    x_t = torch.tensor(x, requires_grad=True)
    theirs = torch.nn.GELU(approximate=FORMS[form])(x_t)
    theirs.backward(torch.tensor(d_output))
    np.testing.assert_allclose(reference.gelu(x, form), theirs.detach().numpy(), rtol=1e-10, atol=1e-13)
    ours = reference.gelu_backward(d_output, x, form)
    np.testing.assert_allclose(ours, x_t.grad.numpy(), rtol=1e-10, atol=1e-13)


@needs.torch
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_feed_forward_is_that_of_pytorch_forward_and_backward(layer, rng, activation):
    import torch

    X, p = layer
    d_output = rng.normal(size=X.shape)
    act = torch.nn.ReLU() if activation == "relu" else torch.nn.GELU(approximate=FORMS[activation])
    net = torch.nn.Sequential(torch.nn.Linear(M, F), act, torch.nn.Linear(F, M)).double()
    for n, linear in [("1", net[0]), ("2", net[2])]:
        linear.weight.data, linear.bias.data = torch.tensor(p[f"W_{n}"].T.copy()), torch.tensor(p[f"b_{n}"])
    X_t = torch.tensor(X, requires_grad=True)
    theirs = net(X_t)
    theirs.backward(torch.tensor(d_output))
    output, inner = reference.feed_forward(X, p, activation)
    np.testing.assert_allclose(output, theirs.detach().numpy(), rtol=1e-10, atol=1e-12)
    d_X, gradients = reference.feed_forward_backward(d_output, X, inner, p, activation)
    np.testing.assert_allclose(d_X, X_t.grad.numpy(), rtol=1e-9, atol=1e-12)
    for n, linear in [("1", net[0]), ("2", net[2])]:
        np.testing.assert_allclose(gradients[f"W_{n}"], linear.weight.grad.numpy().T, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(gradients[f"b_{n}"], linear.bias.grad.numpy(), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("position", [0, 1, 2], ids=["d_x", "d_gamma", "d_beta"])
def test_the_gradient_of_layer_norm_is_the_slope_of_the_loss(rows, position):
    *arrays, d_output = rows
    _, x_hat, std = reference.layer_norm(*arrays)
    found = reference.layer_norm_backward(d_output, x_hat, std, arrays[1])[position]

    def loss():
        return (reference.layer_norm(*arrays)[0] * d_output).sum()

    assert check_gradient(loss, arrays[position], found, tolerance=1e-7, step=1e-4) < 1e-7


@pytest.mark.parametrize("form", FORMS)
def test_the_slope_of_gelu_is_that_of_central_differences(form):
    x = np.linspace(-4, 4, 41)
    slope = reference.gelu_backward(np.ones_like(x), x, form)
    assert check_gradient(lambda: reference.gelu(x, form).sum(), x, slope, tolerance=1e-7, step=1e-4) < 1e-7


@pytest.mark.parametrize("name", ["X", *checks.NAMES])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_gradient_of_the_feed_forward_layer_is_the_slope_of_the_loss(layer, rng, activation, name):
    X, p = layer
    d_output = rng.normal(size=X.shape)
    d_X, gradients = reference.feed_forward_backward(d_output, X, reference.feed_forward(X, p)[1], p, activation)

    def loss():
        return (reference.feed_forward(X, p, activation)[0] * d_output).sum()

    array, found = (X, d_X) if name == "X" else (p[name], gradients[name])
    assert check_gradient(loss, array, found, name, tolerance=1e-7, step=1e-5) < 1e-7


def test_no_gradient_can_shift_a_row_and_with_eps_0_none_can_stretch_it(rows):
    x, gamma, beta, d_output = rows
    _, x_hat, std = reference.layer_norm(x, gamma, beta, 0.0)
    d_x, _, _ = reference.layer_norm_backward(d_output, x_hat, std, gamma)
    np.testing.assert_allclose(d_x.sum(axis=-1), 0, atol=1e-13)
    np.testing.assert_allclose((d_x * x_hat).sum(axis=-1), 0, atol=1e-13)


def test_layer_norm_forgets_a_shift_and_a_stretch(rows):
    x, gamma, beta, _ = rows
    expected = reference.layer_norm(x, gamma, beta, 0.0)[0]
    np.testing.assert_allclose(reference.layer_norm(7 * x - 20, gamma, beta, 0.0)[0], expected, rtol=1e-9, atol=1e-12)


def test_the_first_entry_of_1_0_0_0_is_the_root_of_3():
    output, _, std = reference.layer_norm(np.array([1.0, 0, 0, 0]), np.ones(4), np.zeros(4), 0.0)
    np.testing.assert_allclose([output[0], std[0]], [math.sqrt(3), math.sqrt(3) / 4], rtol=1e-12)


def test_a_row_of_equal_entries_becomes_beta(rows):
    _, gamma, beta, _ = rows
    np.testing.assert_array_equal(reference.layer_norm(np.full((2, M), 4.0), gamma, beta)[0], [beta, beta])


def test_the_two_forms_of_gelu_differ_by_up_to_half_a_thousandth():
    x = np.linspace(-5, 5, 10001)
    assert 4.6e-4 < np.abs(reference.gelu(x, "erf") - reference.gelu(x, "tanh")).max() < 4.8e-4


@pytest.mark.parametrize("form", FORMS)
def test_gelu_of_x_less_gelu_of_minus_x_is_x(form):
    x = np.linspace(-6, 6, 13)
    np.testing.assert_allclose(reference.gelu(x, form) - reference.gelu(-x, form), x, atol=1e-14)


def test_no_token_sees_another_in_the_feed_forward_layer(layer):
    X, p = layer
    other = X.copy()
    other[:, 1:] = 9.0
    np.testing.assert_allclose(reference.feed_forward(other, p)[0][:, 0], reference.feed_forward(X, p)[0][:, 0])


def test_what_does_not_fit_is_named():
    with pytest.raises(ValueError, match=r"gamma: expected \(M,\) = \(4,\), got \(3,\)"):
        reference.layer_norm(np.zeros((2, 4)), np.ones(3), np.zeros(4))
    with pytest.raises(ValueError, match="form: expected 'erf' or 'tanh', got 'relu'"):
        reference.gelu(np.zeros(2), "relu")


def test_a_matrix_that_does_not_fit_is_named(layer):
    X, p = layer
    with pytest.raises(ValueError, match=r"W_2: expected \(F, M\) = \(7, 5\), got \(5, 7\)"):
        reference.feed_forward(X, p | {"W_2": p["W_2"].T})
