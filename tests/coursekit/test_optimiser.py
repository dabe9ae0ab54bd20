"""Adam and clipping, against those of PyTorch; one vector, and the names of its parts."""

import numpy as np
import pytest

from coursekit.optimiser import Adam, clip, flatten, views
from tests import needs


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@needs.torch
def test_adam_and_clipping_equal_torch(rng):
    import torch

    ours = rng.standard_normal(9).astype(np.float32)
    theirs = torch.nn.Parameter(torch.tensor(ours))
    adam, oracle = Adam(9), torch.optim.Adam([theirs], lr=0.02)
    for gradient in rng.standard_normal((6, 9)).astype(np.float32):
        theirs.grad = torch.tensor(gradient)
        torch.nn.utils.clip_grad_norm_([theirs], 1.0)
        oracle.step()
        adam.step(ours, clip(gradient), 0.02)
    np.testing.assert_allclose(ours, theirs.detach().numpy(), atol=1e-5)


def test_a_short_gradient_is_not_clipped():
    np.testing.assert_array_equal(clip(np.array([0.3, 0.4])), [0.3, 0.4])


def test_views_share_the_vector_they_were_cut_from():
    vector = np.arange(7.0)
    named = views(vector, {"a": (2, 3), "b": (1,)})
    named["a"][1, 2] = 50
    assert vector[5] == 50
    np.testing.assert_array_equal(flatten(named), vector)


def test_a_vector_that_does_not_fit_the_shapes_is_named():
    with pytest.raises(ValueError, match=r"vector: expected shape \(7,\), got \(6,\)"):
        views(np.zeros(6), {"a": (2, 3), "b": (1,)})


def test_the_first_step_moves_each_parameter_by_the_rate_whatever_the_size_of_its_gradient():
    parameters = np.zeros(3, np.float32)
    Adam(3).step(parameters, np.array([1e-3, -5.0, 700.0], np.float32), 0.1)
    np.testing.assert_allclose(parameters, [-0.1, 0.1, -0.1], rtol=1e-4)


def test_a_long_gradient_is_shortened_and_keeps_its_direction():
    np.testing.assert_allclose(clip(np.array([6.0, 8.0]), largest=2.0), [1.2, 1.6])


def test_float32_stays_float32(rng):
    parameters, gradient = rng.standard_normal((2, 5)).astype(np.float32)
    Adam(5).step(parameters, clip(gradient), 0.1)
    assert parameters.dtype == clip(gradient).dtype == np.float32


@pytest.mark.parametrize(("parameters", "gradient", "name"), [(4, 5, "parameters"), (5, 4, "gradient")])
def test_a_vector_of_another_length_than_the_optimiser_is_named(parameters, gradient, name):
    with pytest.raises(ValueError, match=rf"{name}: expected \(N,\) = \(5,\), got \(4,\)"):
        Adam(5).step(np.zeros(parameters), np.zeros(gradient), 0.1)
