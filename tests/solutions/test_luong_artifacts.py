"""What chapter 4 loads is as good as the chapter says."""

import numpy as np

import coursekit
from coursekit.models.luong import LuongTranslator
from coursekit.tasks.phrases import phrase_pairs
from solutions.artifacts import luong_translator, measures
from solutions.artifacts import quality_by_length_luong as experiment
from solutions.artifacts.luong_translator import SETTINGS
from solutions.artifacts.quality_by_length_luong import MARKS


def test_the_translator_says_how_good_it_is_and_is():
    arrays = coursekit.load("luong_translator")
    look = luong_translator.looking(SETTINGS["general_local"])
    texts, right = phrase_pairs(np.random.default_rng(7), 100, (5, 12))
    written, _ = LuongTranslator(arrays).translate(texts, look)
    assert np.mean(np.array(written) == np.array(right)) > 0.9 and arrays["about.bleu"] > 95


def test_every_model_was_measured_at_every_mark_from_every_start():
    quality = coursekit.load("quality_by_length_luong")
    shape = (len(quality["about.seeds"]), len(quality["lengths"]))
    for name in (*SETTINGS, "additive"):
        for steps in MARKS:
            assert quality[f"{name}.{steps}.bleu"].shape == shape
        assert quality[f"{name}.loss"].shape == (shape[0], len(quality["steps"]))


def test_all_models_learn_and_general_is_level_up_to_the_lengths_trained_on():
    quality = coursekit.load("quality_by_length_luong")
    trained = quality["lengths"] <= 30
    for name in (*SETTINGS, "additive"):
        assert quality[f"{name}.400.bleu"][:, trained].mean() > 80
    assert quality[f"general.{experiment.LONG}.bleu"].mean(axis=0)[trained].min() > 95


def test_a_run_of_a_few_steps_measures_what_a_long_one_does(monkeypatch):
    monkeypatch.setattr(experiment, "MARKS", (10, 20))
    text = "the pear had been found ."
    monkeypatch.setattr(measures, "quality", lambda write: (len(write([text])), 0))
    assert set(experiment.run_of("dot", 0)) == set(experiment.additive(0)) == {"10.bleu", "20.bleu", "loss"}
