"""The decoders of chapter 17 are as good as their gates say, and the one that is loaded does what was measured."""

import numpy as np
import pytest

import coursekit
from coursekit.models.attention_only import AttentionOnly
from solutions.artifacts import gates, induction

ARRAYS = coursekit.load("induction")
MEASURED = {  # what stands in the artifact, by the gate's bound
    95: 100 * ARRAYS["about.two"], 30: 100 * ARRAYS["about.one"],
    50: 100 * ARRAYS["about.cost"][:, 0], 10: 100 * ARRAYS["about.cost"][:, 1],
}
GATES = [gate for gate in gates.GATES if gate.steps == induction.STEPS]


@pytest.mark.parametrize("gate", GATES, ids=lambda gate: f"{gate.model} {gate.unit}")
def test_every_seed_is_as_good_as_is_promised(gate):
    found = MEASURED[gate.bound]
    assert len(GATES) == len(MEASURED) and len(found) == len(gate.seeds) == 5
    assert gate.holds(found, gate.bound).all()


def test_what_is_loaded_measures_as_it_did():
    model = AttentionOnly(ARRAYS)
    assert induction.right(model) == pytest.approx(ARRAYS["about.two"][0], abs=1e-3)
    cost = induction.costs(model, induction.kinds(model))
    np.testing.assert_allclose(cost, ARRAYS["about.cost"][0], rtol=0, atol=1e-3)


def test_the_found_heads_and_all_others_are_all_heads_and_none_is_both():
    found, others, previous, behind = induction.kinds(AttentionOnly(ARRAYS))
    assert (found ^ others).all() and ((previous | behind) == found).all()
    assert found.sum() == ARRAYS["about.found"][0]


def test_one_layer_that_learned_one_period_knows_that_one_alone():
    at_this, at_any = ARRAYS["about.fixed"]
    assert at_this > 0.99 and at_any < 0.3


@pytest.mark.parametrize(("step", "rate"), [(1, 6e-5), (50, 3e-3), (360, 3e-3), (600, 1.25e-5)])
def test_the_rate_rises_stays_and_falls(step, rate):
    assert induction.learning_rate(step) == pytest.approx(rate)
