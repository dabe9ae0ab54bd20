"""The museum of bugs: every failure has the gradient of its own loss, and the artifact holds what the page says."""

import numpy as np
import pytest

import coursekit
from coursekit.optimiser import views
from solutions.artifacts import symptoms
from solutions.artifacts.symptoms import EXHIBITS
from tests.solutions.slopes import slope

TEXTS, ISOS = ["3 May 2009", "11 July 1999", "2 Aug 2031"], ["2009-05-03", "1999-07-11", "2031-08-02"]
SMALL = {"d_model": 8, "d_ff": 10}


@pytest.fixture(scope="module")
def museum():
    return coursekit.load("symptoms")


def small(exhibit):
    """A trainer of a small model in float64."""
    trainer = symptoms.trainer_of(exhibit, **SMALL)
    trainer.vector, trainer.slope = trainer.vector.astype(float), trainer.slope.astype(float)
    shapes = {name: array.shape for name, array in trainer.parameters.items()}
    trainer.parameters = views(trainer.vector, shapes)
    gradient = views(trainer.slope, shapes)
    trainer.model = symptoms.Transformer(trainer.parameters, exhibit.heads, trainer.model.design, gradient)
    return symptoms.with_bugs(trainer, exhibit.model, exhibit.attention)


@pytest.mark.parametrize("name", EXHIBITS)
def test_the_gradient_of_each_exhibit_is_the_slope_of_its_loss(name):
    trainer = small(EXHIBITS[name])
    batch = trainer.batch(TEXTS, ISOS)
    direction = np.random.default_rng(1).normal(size=trainer.vector.shape)
    trainer.loss(batch)
    expected, start, h = float(trainer.slope @ direction), trainer.vector.copy(), 1e-6  # small: no ReLU may turn

    def loss(step):
        trainer.vector[:] = start + step * direction
        return trainer.loss(batch)

    np.testing.assert_allclose(expected, slope(loss, h), rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("name", EXHIBITS)
def test_each_exhibit_starts_from_the_parameters_of_the_healthy_one(name):
    np.testing.assert_array_equal(symptoms.trainer_of(EXHIBITS[name], **SMALL).vector,
                                  symptoms.trainer_of(EXHIBITS["healthy"], **SMALL).vector)


def test_a_short_run_has_every_measurement_of_the_artifact(museum):
    found = symptoms.measured(EXHIBITS["healthy"], steps=symptoms.EVERY)
    assert {f"healthy.{name}" for name in found} == {name for name in museum if name.startswith("healthy.")}
    assert found["loss"].shape == (1,) and found["cross"].shape == museum["healthy.cross"].shape
    np.testing.assert_allclose(found["loss"][0], museum["healthy.loss"][0], rtol=1e-3)
    np.testing.assert_allclose(found["cross_at_first"], museum["healthy.cross_at_first"], atol=1e-4)


def test_the_healthy_run_learns_and_no_other_is_missing(museum):
    assert museum["healthy.exact"][0] >= 0.95
    assert {name.split(".")[0] for name in museum if name.endswith(".loss")} == set(EXHIBITS)
