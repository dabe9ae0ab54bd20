"""Lab 08: the reference against oracles and laws, the hidden checks against right and wrong answers."""

import math

import numpy as np
import pytest

from coursekit import check as visible
from coursekit.check import lab08_layers as visible_checks
from coursekit.gradient_check import check_gradient
from grading.student import LocalStudent
from solutions.lab08_layers import checks, mistakes, reference
from tests import needs
from tests.labs.variants_lab08_layers import VARIANTS

B, T, M, F = 2, 3, 5, 7
EXERCISES = list(mistakes.MISTAKES)
MISTAKES = [(name, mistake) for name in EXERCISES for mistake in mistakes.MISTAKES[name]]
RIGHT = [(name, variant) for name in EXERCISES for variant in VARIANTS[name]]
FORMS = {"erf": "none", "tanh": "tanh"}  # ours, PyTorch's
ACTIVATIONS = ["relu", *FORMS]


def share(exercise, **answers):
    """The share of an exercise's points that these answers earn, the reference standing in for the other functions."""
    namespace = {name: getattr(reference, name) for name in EXERCISES} | answers
    rng = np.random.default_rng(len(exercise))
    found = {name: answer for name, answer in answers.items() if answer in mistakes.MISTAKES.get(name, ())}
    verdicts = list(getattr(checks, exercise)(LocalStudent(namespace, found), rng))
    return sum(v.weight for v in verdicts if v.passed) / sum(v.weight for v in verdicts)


def named(pairs):
    return [pytest.param(*pair, id=pair[1].__name__) for pair in pairs]


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


def test_float32_stays_float32(rows, layer):
    x, gamma, beta, d_output = (a.astype(np.float32) for a in rows)
    output, x_hat, std = reference.layer_norm(x, gamma, beta)
    found = [output, x_hat, std, *reference.layer_norm_backward(d_output, x_hat, std, gamma)]
    p = {name: a.astype(np.float32) for name, a in layer[1].items()}
    for activation in ACTIVATIONS:
        output, inner = reference.feed_forward(x, p, activation)
        d_X, gradients = reference.feed_forward_backward(d_output, x, inner, p, activation)
        found += [output, inner, d_X, *gradients.values()]
    assert {a.dtype.name for a in found} == {"float32"}


def test_what_does_not_fit_is_named():
    with pytest.raises(ValueError, match=r"gamma: expected \(M,\) = \(4,\), got \(3,\)"):
        reference.layer_norm(np.zeros((2, 4)), np.ones(3), np.zeros(4))
    with pytest.raises(ValueError, match="form: expected 'erf' or 'tanh', got 'relu'"):
        reference.gelu(np.zeros(2), "relu")


def test_a_matrix_that_does_not_fit_is_named(layer):
    X, p = layer
    with pytest.raises(ValueError, match=r"W_2: expected \(F, M\) = \(7, 5\), got \(5, 7\)"):
        reference.feed_forward(X, p | {"W_2": p["W_2"].T})


# The hidden checks


@pytest.mark.parametrize("exercise", EXERCISES)
def test_the_reference_earns_everything(exercise):
    assert share(exercise) == 1


@pytest.mark.parametrize("exercise", EXERCISES)
def test_there_are_five_mistakes_and_four_variants(exercise):
    assert len(mistakes.MISTAKES[exercise]) >= 5 and len(VARIANTS[exercise]) >= 4


@pytest.mark.parametrize(("exercise", "mistake"), named(MISTAKES))
def test_a_mistake_keeps_at_most_half(exercise, mistake):
    assert share(exercise, **{exercise: mistake}) <= 0.5


@pytest.mark.parametrize(("exercise", "variant"), named(RIGHT))
def test_a_right_answer_written_otherwise_keeps_all(exercise, variant):
    assert share(exercise, **{exercise: variant}) == 1


def always_refuse(*args):
    raise ValueError("expected something else, got this")


TRIVIAL = {
    "zeros": lambda *args: np.zeros_like(args[0]),
    "its input": lambda *args: args[0],
    "the second input": lambda *args: args[1],
    "its inputs": lambda *args: args,
    "two inputs": lambda *args: args[:2],
    "three inputs": lambda *args: args[:3],
    "zeros like three inputs": lambda *args: tuple(np.zeros_like(a) for a in args[:3]),
    "its first input and its last": lambda *args: (args[0], args[3] if len(args) > 3 else args[1]),
    "nothing": lambda *args: None,
    "a refusal": always_refuse,
}


@pytest.mark.parametrize("exercise", EXERCISES)
@pytest.mark.parametrize("answer", TRIVIAL.values(), ids=TRIVIAL.keys())
def test_a_trivial_answer_earns_nothing(exercise, answer):
    assert share(exercise, **{exercise: answer}) == 0


@pytest.mark.parametrize("wrong", mistakes.MISTAKES["gelu"], ids=lambda f: f.__name__)
def test_a_wrong_gelu_does_not_cost_a_feed_forward_layer_that_is_built_on_it(wrong):
    def feed_forward(X, parameters, activation="relu"):
        return checks._forward(wrong, None, X, parameters, activation)

    assert share("feed_forward", gelu=wrong, feed_forward=feed_forward) == 1


@pytest.mark.parametrize("wrong", mistakes.MISTAKES["gelu_backward"], ids=lambda f: f.__name__)
def test_a_wrong_slope_costs_its_points_once_even_with_a_wrong_gelu(wrong):
    wrong_gelu = mistakes.gelu_without_the_half

    def feed_forward_backward(*args):
        return checks._backward(wrong_gelu, wrong, *args)

    answers = {"gelu": wrong_gelu, "gelu_backward": wrong, "feed_forward_backward": feed_forward_backward}
    assert share("feed_forward_backward", **answers) == 1


@pytest.mark.parametrize("answer", TRIVIAL.values(), ids=TRIVIAL.keys())
def test_a_trivial_gelu_carries_nothing_forward(answer):
    def feed_forward(X, parameters, activation="relu"):
        return checks._forward(answer, None, X, parameters, activation)

    assert share("feed_forward", gelu=answer, feed_forward=feed_forward) <= 0.5  # the two cases with ReLU


@pytest.mark.parametrize("exercise", ["layer_norm_backward", "gelu_backward"])
def test_a_way_back_does_not_ask_for_the_way_forward(exercise):
    assert share(exercise, layer_norm=None, gelu=None) == 1


# The visible checks


@pytest.mark.parametrize("exercise", EXERCISES)
def test_the_visible_check_of_a_stub_raises_only_not_implemented(exercise):
    def stub(*args):
        raise NotImplementedError

    with pytest.raises(NotImplementedError):
        getattr(visible_checks, exercise)(stub)


@pytest.mark.parametrize(("exercise", "variant"), named([*RIGHT, *((e, getattr(reference, e)) for e in EXERCISES)]))
def test_the_visible_check_accepts_a_right_answer(exercise, variant):
    getattr(visible_checks, exercise)(variant)


@pytest.mark.parametrize(("exercise", "mistake"), named(MISTAKES))
def test_the_visible_check_explains_a_mistake(exercise, mistake):
    with pytest.raises(visible.CheckFailed) as failure:
        getattr(visible_checks, exercise)(mistake)
    law, hint = str(failure.value).split("\n", 1)
    assert law and len(hint.strip()) > 10


@pytest.mark.parametrize("answer", [None, 3, "text", [1, [2]], np.zeros(1), (np.zeros(2), np.zeros(3))], ids=repr)
@pytest.mark.parametrize("exercise", EXERCISES)
def test_the_visible_check_survives_any_answer(exercise, answer):
    with pytest.raises(visible.CheckFailed):
        getattr(visible_checks, exercise)(lambda *args: answer)
