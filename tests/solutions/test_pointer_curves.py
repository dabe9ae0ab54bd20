"""The curves of chapter 5: the soft pointer's gradient, and what the artifact promises."""

import numpy as np
import pytest

import coursekit
from coursekit.gradient_check import check_gradient
from coursekit.models import pointer
from coursekit.tasks.keyed_digits import Batch, keyed_digits
from coursekit.trainers.pointer import EVERY
from solutions.artifacts import pointer_curves


@pytest.fixture(scope="module")
def curves():
    return coursekit.load("pointer_curves")


@pytest.mark.parametrize("name", pointer.SHAPES)
def test_the_soft_gradient_is_the_slope_of_the_loss(name):
    rng = np.random.default_rng(0)
    small = keyed_digits(rng, 3, 4, 6)
    batch = Batch(*(a.astype(float) if a.dtype == np.float32 else a for a in small))
    parameters = {key: 0.5 * rng.standard_normal(shape) for key, shape in pointer.SHAPES.items()}

    def loss():
        weights, _ = pointer.look(parameters, batch)
        blend = np.einsum("bs,bse->be", weights, batch.memory)
        return -np.mean(np.log((pointer.read(parameters, blend) * batch.answer).sum(axis=1)))

    gradient = pointer_curves.soft_gradient(parameters, batch)[name]
    assert check_gradient(loss, parameters[name], gradient, name, tolerance=1e-7, step=1e-4) < 1e-7


def test_a_short_run_of_each_kind_measures_at_the_start_and_every_so_often():
    assert len(pointer_curves.hard(0, steps=1)) == 1 and len(pointer_curves.soft(0, steps=EVERY)) == 2


def test_each_case_was_run_from_each_seed(curves):
    cases = ["soft", *pointer_curves.CASES]
    assert {curves[f"{case}.accuracy"].shape for case in cases} == {(3, 25), (3, 61)}


@pytest.mark.parametrize("case", ["soft", "moving", "offset", "right_or_wrong"])
def test_what_learns_looks_at_the_right_position_by_2400_steps(curves, case):
    assert curves[f"{case}.accuracy"][:, 24].min() >= 0.95


@pytest.mark.parametrize("case", ["none", "offset_twice"])
def test_rewards_far_from_the_baseline_leave_it_near_chance_for_2400_steps(curves, case):
    assert curves[f"{case}.accuracy"][:, 24].max() < 0.25
