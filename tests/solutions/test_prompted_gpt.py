"""The GPT that chapter 13 asks about texts is as good as its gates say."""

import numpy as np

import coursekit
from coursekit.models.gpt import GPT
from coursekit.tasks import facts
from solutions.artifacts import gates, prompted_gpt

ARRAYS = coursekit.load("prompted_gpt")
PROMISED = {gate.measure: gate for gate in gates.GATES}


def test_every_seed_was_trained_and_measured():
    assert tuple(ARRAYS["about.seeds"]) == prompted_gpt.SEEDS
    assert ARRAYS["losses"].shape == (len(prompted_gpt.SEEDS), ARRAYS["about.steps"])
    assert ARRAYS["about.steps"] == prompted_gpt.STEPS and ARRAYS["about.heads"] == prompted_gpt.HEADS


def test_seeds_answer_and_sum_up_as_well_as_is_promised():
    for measure, found in [(gates.answered, "about.answered"), (gates.summaries, "about.summaries")]:
        gate = PROMISED[measure]
        assert gate.holds(100 * ARRAYS[found][list(gate.seeds)], gate.bound).all()


def test_without_the_text_every_seed_is_as_bad_as_a_guess():
    assert (ARRAYS["about.without"] < 1.5 / len(facts.NAMES)).all()


def test_the_model_that_is_loaded_answers_from_texts():
    model, asked = GPT(ARRAYS), facts.prompts(np.random.default_rng(7), 60, (4, 5))
    assert np.mean([prompted_gpt.answers(model, each) for each in asked]) > 0.9
    assert np.mean([prompted_gpt.answers(model, each._replace(text="")) for each in asked]) < 0.3
