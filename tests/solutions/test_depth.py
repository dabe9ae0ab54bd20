"""The curves of chapter 9: the stack's gradient, and what the artifact promises."""

import numpy as np
import pytest

import coursekit
from solutions.artifacts import depth
from tests.solutions.slopes import assert_slopes

LN_10 = np.log(10)


@pytest.fixture(scope="module")
def curves():
    return coursekit.load("depth")


@pytest.mark.parametrize("order", depth.ORDERS)
def test_the_gradient_of_a_stack_is_the_slope_of_its_loss(order):
    rng = np.random.default_rng(0)
    p = depth.initial_parameters(rng, 2)
    digits = rng.integers(depth.DIGITS, size=(3, depth.T))
    _, gradient = depth.loss_and_gradient(p, order, 2, digits)
    assert_slopes(gradient, lambda moved: depth.loss_and_gradient(moved, order, 2, digits)[0], p,
                  rtol=1e-6, atol=1e-8, h=1e-6)  # small: no ReLU may turn


@pytest.mark.parametrize("order", depth.ORDERS)
def test_a_few_steps_twice_give_the_same_losses(order):
    first, second = (depth.run(3, order, 1, 0, steps=10) for _ in range(2))
    assert len(first) == 1 and np.array_equal(first, second)


def test_the_last_blocks_gradient_stays_with_post_ln_and_falls_with_pre_ln(curves):
    post, pre = curves["last"].mean(axis=2)
    assert post.max() < 1.2 * post.min()
    assert (np.diff(pre) < 0).all() and pre[-1] < pre[0] / 3


def test_no_gradient_vanishes_within_a_stack_of_16(curves):
    for of_blocks in curves["by_block"].mean(axis=1):
        assert of_blocks.shape == (depth.PROFILE,) and of_blocks.min() > of_blocks.max() / 6


@pytest.mark.parametrize("warm_up", [0, 100])
def test_twelve_pre_ln_blocks_learn_with_and_without_warm_up(curves, warm_up):
    assert curves[f"pre.12.{warm_up}.loss"][:, -1].max() < 0.1


def test_most_twelve_post_ln_blocks_stay_at_a_guess_without_warm_up_and_all_leave_it_with_one(curves):
    without, with_one = (curves[f"post.12.{warm_up}.loss"][:, -1] for warm_up in (0, 100))
    assert np.sum(without > LN_10 - 0.02) >= 2 and without.min() > 2.1
    assert with_one.max() < LN_10 - 0.3


def test_six_post_ln_blocks_learn_without_warm_up(curves):
    assert curves["post.6.0.loss"][:, -1].max() < 0.1
