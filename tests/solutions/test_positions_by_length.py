"""Chapter 8's experiment: its gradients against two oracles, its tasks, and what the artifact promises."""

import numpy as np
import pytest

import coursekit
from solutions.artifacts import positions_by_length as experiment
from solutions.artifacts.positions_by_length import SCHEMES, TASKS, Events
from tests import needs
from tests.solutions.slopes import assert_slopes


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def batch(rng):
    """Float64, and long enough for both tasks to ask something."""
    x, target = experiment.events(rng, "back", 2, 9)
    return Events(x.astype(float), target)


@pytest.fixture(scope="module")
def runs():
    return coursekit.load("positions_by_length")


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_gradient_is_the_slope_of_the_loss(rng, batch, scheme):
    parameters = experiment.initial_parameters(rng, scheme)
    gradient = experiment.backward(parameters, experiment.forward(parameters, batch.x, scheme), batch, scheme)
    assert_slopes(gradient, lambda moved: experiment.loss(moved, batch, scheme), parameters)


@needs.torch
@pytest.mark.parametrize("scheme", ["none", "learned", "alibi"])
def test_loss_and_gradient_are_those_of_pytorchs_attention(rng, batch, scheme):
    import torch

    parameters = experiment.initial_parameters(rng, scheme)
    p = {name: torch.tensor(array, requires_grad=True) for name, array in parameters.items()}
    T, heads = batch.x.shape[1], experiment.HEADS
    X = torch.tensor(batch.x) @ p["E"] + (p["P"][:T] if scheme == "learned" else 0)
    distance = torch.arange(T)[:, None] - torch.arange(T)
    slopes = 2.0 ** -torch.arange(1, heads + 1, dtype=torch.float64) * (scheme == "alibi")
    bias = (-slopes[:, None, None] * distance).masked_fill(distance < 0, -torch.inf)
    Q, K, V = ((X @ p[name]).unflatten(-1, (heads, -1)).transpose(1, 2) for name in ("W_Q", "W_K", "W_V"))
    blend = torch.nn.functional.scaled_dot_product_attention(Q, K, V, attn_mask=bias).transpose(1, 2).flatten(2)
    logits, target = (blend @ p["R"]).flatten(0, 1), torch.tensor(batch.target).flatten()
    loss = torch.nn.functional.cross_entropy(logits, target, ignore_index=-1)
    loss.backward()
    gradient = experiment.backward(parameters, experiment.forward(parameters, batch.x, scheme), batch, scheme)
    np.testing.assert_allclose(experiment.loss(parameters, batch, scheme), loss.item(), rtol=1e-12)
    for name, value in p.items():
        np.testing.assert_allclose(gradient[name], value.grad, rtol=0, atol=1e-12, err_msg=name)


def test_the_boxes_hold_what_was_written_last():
    box, digit, asked = (np.array([row]) for row in ([0, 2, 0, 1, 2, 3], [3, 7, 5, 1, 2, 0], [0, 0, 2, 0, 2, 1]))
    assert experiment.latest(box, digit, asked).tolist() == [[3, 3, 7, 5, 2, 1]]
    assert experiment.latest(box, digit, np.array([[1, 1, 1, 1, 3, 3]])).tolist() == [[-1, -1, -1, 1, -1, 0]]
    assert experiment.back(digit).tolist() == [[-1, -1, -1, -1, -1, 3]]


def test_an_event_says_what_is_written_and_what_is_asked(rng):
    x, target = experiment.events(rng, "latest", 3, 40)
    assert x.shape == (3, 40, 16) and (x.sum(axis=-1) == 3).all() and target.max() < experiment.DIGITS
    written, asked = x[..., :4].argmax(-1), x[..., 12:].argmax(-1)
    own = written == asked
    np.testing.assert_array_equal(target[own], x[..., 4:12].argmax(-1)[own])


def test_a_window_hides_what_stands_before_it(rng):
    parameters = experiment.initial_parameters(rng, "none")
    weights = experiment.forward(parameters, experiment.events(rng, "back", 1, 7).x, "none", window=3).weights
    np.testing.assert_array_equal(weights[0, 0] > 0, np.tri(7, dtype=bool) & ~np.tri(7, k=-3, dtype=bool))


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_few_steps_twice_give_the_same_float32_parameters_and_a_smaller_loss(scheme):
    first, second = (experiment.train(scheme, "back", 1, steps=20) for _ in range(2))
    start = experiment.initial_parameters(np.random.default_rng(1), scheme)
    batch = experiment.events(np.random.default_rng(2), "back", 20, 32)
    for name, array in first.items():
        assert array.dtype == np.float32
        np.testing.assert_array_equal(array, second[name])
    assert experiment.loss(first, batch, scheme) < experiment.loss(start, batch, scheme)


# The artifact


def test_every_scheme_was_run_from_every_seed_with_and_without_a_window(runs):
    cases = [f"{task}.{scheme}{window}" for task in TASKS for scheme in SCHEMES for window in ("", ".window")]
    assert {runs[case].shape for case in cases} == {(3, 128)}
    assert np.isnan(runs["back.rope"][:, :5]).all() and not np.isnan(runs["back.rope"][:, 5:]).any()


def test_up_to_the_window_it_makes_no_difference(runs):
    for name in (f"{task}.{scheme}" for task in TASKS for scheme in SCHEMES):
        np.testing.assert_array_equal(runs[name][:, :32], runs[f"{name}.window"][:, :32])


@pytest.mark.parametrize("name", ["latest.sinusoids", "latest.learned", "latest.rope", "latest.alibi", "back.sinusoids",
                                  "back.learned", "back.rope"])  # fmt: skip
def test_what_can_learn_a_task_has_learned_it_where_it_was_trained(runs, name):
    assert np.nanmean(runs[name][:, 5:32], axis=1).min() > 0.95
