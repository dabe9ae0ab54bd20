"""The gradient checker: right on what we can derive, strict with what is wrong, and clear about where."""

import numpy as np
import pytest

from coursekit.gradient_check import check_gradient, numerical_gradient


@pytest.fixture
def x():
    return np.random.default_rng(0).normal(size=(2, 3))


@pytest.mark.parametrize(
    "loss, gradient",
    [(lambda x: np.sum(x**3), lambda x: 3 * x**2), (lambda x: np.sum(np.exp(x)), np.exp),
     (lambda x: np.prod(x), lambda x: np.prod(x) / x)],
)
def test_central_differences_agree_with_a_known_gradient(x, loss, gradient):
    np.testing.assert_allclose(numerical_gradient(loss, x), gradient(x), rtol=0, atol=1e-9)


def test_the_loss_may_read_the_array_itself(x):
    from_nothing, from_it = numerical_gradient(lambda: np.sum(x**2), x), numerical_gradient(lambda y: np.sum(y**2), x)
    np.testing.assert_array_equal(from_nothing, from_it)


def test_defaults_of_a_loss_are_not_taken_for_the_array(x):
    np.testing.assert_allclose(numerical_gradient(lambda y=x, k=3: k * np.sum(y), x), np.full((2, 3), 3.0), rtol=1e-9)


def test_the_array_is_what_it_was_even_after_an_error(x):
    before = x.copy()
    numerical_gradient(lambda: np.sum(x), x)
    with pytest.raises(ZeroDivisionError):
        numerical_gradient(lambda: 1 / 0, x)
    np.testing.assert_array_equal(x, before)


def test_a_right_gradient_passes_with_its_small_error(x):
    assert check_gradient(lambda: np.sum(x**2), x, 2 * x) < 1e-9


def test_a_gradient_of_zeros_is_right_where_nothing_changes_the_loss(x):
    assert check_gradient(lambda: 1000.0, x, np.zeros_like(x)) == 0


def test_the_entry_that_is_most_wrong_is_named(x):
    wrong = 2 * x
    wrong[1, 2] += 0.5
    with pytest.raises(AssertionError, match=r"d_x: at \[1, 2\] by hand .*, by central differences"):
        check_gradient(lambda: np.sum(x**2), x, wrong, name="d_x")


@pytest.mark.parametrize("factor", [-1.0, 6.0, 1.05])
def test_a_gradient_that_is_off_by_a_factor_is_told_so(x, factor):
    with pytest.raises(AssertionError, match=f"it is {factor:.4g} times the right one everywhere"):
        check_gradient(lambda: np.sum(x**2), x, factor * 2 * x)


def test_a_gradient_that_is_slightly_off_is_not_called_a_multiple(x):
    with pytest.raises(AssertionError, match=r"by central differences [-\d.e]+$"):
        check_gradient(lambda: np.sum(x**2), x, 2 * x * (1 + 1e-4))


def test_nan_fails(x):
    with pytest.raises(AssertionError, match="by hand nan"):
        check_gradient(lambda: np.sum(x**2), x, x * np.nan)


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda x: check_gradient(np.sum, x, x.T), r"gradient: expected the array's shape \(2, 3\), got \(3, 2\)"),
        (lambda x: numerical_gradient(lambda: x, x), r"loss: expected one real number, got float64 of shape \(2, 3\)"),
        (lambda x: numerical_gradient(lambda y: 0.0, x.astype("f")), "expected a NumPy array of float64, got float32"),
        (lambda x: numerical_gradient(lambda y: 0.0, [1.0]), "expected a NumPy array of float64, got list"),
        (lambda x: numerical_gradient(3, x), "loss: expected a function of the array or of nothing, got 3"),
    ],
)
def test_what_does_not_fit_is_named(x, call, message):
    with pytest.raises(ValueError, match=message):
        call(x)
