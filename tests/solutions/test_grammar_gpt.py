"""The GPT that chapters 12 and 13 and lab 13 load is as good as its gates say."""

import numpy as np

import coursekit
from coursekit.models.gpt import GPT
from coursekit.tasks import grammar
from solutions.artifacts import gates, grammar_gpt

ARRAYS = coursekit.load("grammar_gpt")
PROMISED = {gate.unit: gate for gate in gates.GATES if gate.seeds == grammar_gpt.SEEDS}


def test_every_seed_was_trained_and_measured():
    assert tuple(ARRAYS["about.seeds"]) == grammar_gpt.SEEDS
    assert ARRAYS["losses"].shape == (len(grammar_gpt.SEEDS), ARRAYS["about.steps"])
    assert ARRAYS["about.steps"] == grammar_gpt.STEPS and ARRAYS["about.heads"] == grammar_gpt.HEADS


def test_every_seed_comes_as_near_to_the_least_as_is_promised():
    gate = PROMISED["nats above the least"]
    above = ARRAYS["about.test"] - ARRAYS["about.least"]
    assert gate.holds(above, gate.bound).all() and (above > 0).all()
    np.testing.assert_allclose(ARRAYS["about.least"], grammar.floor(), rtol=0.02)


def test_every_seed_writes_as_grammatically_as_is_promised():
    gate = PROMISED["% grammatical"]
    assert gate.holds(100 * ARRAYS["about.grammatical"], gate.bound).all()


def test_the_model_that_is_loaded_writes_sentences():
    written = GPT(ARRAYS).write(np.random.default_rng(7).random((40, grammar.LONGEST)))
    assert np.mean([grammar.is_grammatical(text) for text in grammar.TOKENS.decode(written)]) > 0.85


def test_what_it_expects_next_is_near_to_what_the_grammar_says():
    text = "the dogs that see the bird "
    expected, found = grammar.next_probabilities(text)[-1], np.exp(GPT(ARRAYS).following(told(text)))
    assert 0.5 * np.abs(found - expected).sum() < 0.1


def told(text):
    return [int(i) for i in grammar.encode([text])[0, :-1]]
