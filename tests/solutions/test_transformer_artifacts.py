"""What chapter 10 loads is as good as the chapter says."""

import numpy as np
import pytest

import coursekit
from coursekit.models.transformer import Transformer
from coursekit.trainers.transformer import dates
from solutions.artifacts import ablations, date_transformer, gates
from solutions.artifacts.quality_by_length_transformer import MARKS


def test_the_date_transformer_says_how_good_it_is_and_is():
    arrays, task = coursekit.load("date_transformer"), dates(0)
    texts, right = task.unseen(np.random.default_rng(7), 200)
    model = Transformer(arrays)
    written = task.tokens.decode(model.greedy(task.tokens.encode(texts), task.longest))
    assert np.mean(np.array(written) == np.array(right)) > 0.98
    assert (arrays["about.exact_match"] >= 0.99).all() and len(arrays["about.exact_match"]) == 3
    assert len(arrays["losses"]) == arrays["about.steps"] == date_transformer.STEPS


def test_the_translator_was_measured_at_every_mark_from_every_seed():
    quality = coursekit.load("quality_by_length_transformer")
    for steps in MARKS:
        assert quality[f"transformer.{steps}.bleu"].shape == (len(quality["about.seeds"]), len(quality["lengths"]))
    assert quality["transformer.loss"].shape == (len(quality["about.seeds"]), len(quality["steps"]))


def test_the_translator_is_good_up_to_the_lengths_trained_on():
    quality = coursekit.load("quality_by_length_transformer")
    last = quality[f"transformer.{MARKS[-1]}.bleu"]
    assert last[:, quality["lengths"] <= 30].min() > 95


def test_every_row_of_the_board_has_three_seeds():
    board = coursekit.load("ablations")
    for name in ablations.SETTINGS:
        assert board[f"{name}.exact"].shape == (3, len(ablations.MARKS))
        assert board[f"{name}.loss"].shape == (3, ablations.MARKS[-1] // ablations.EVERY)


def test_what_the_board_says_of_the_whole_and_of_the_causal_half():
    board = coursekit.load("ablations")
    assert board["whole.exact"][:, -1].min() > 0.5 and board["no_causal.exact"][:, -1].max() < 0.05
    assert board["no_causal.loss"][:, -1].max() < board["whole.loss"][:, -1].min() + 0.02


def test_a_run_of_a_few_steps_measures_what_a_long_one_does():
    for setting in (ablations.SETTINGS["whole"], ablations.SETTINGS["no_warmup"]):
        exact, losses = ablations.run_of(setting, 0, marks=(20, 40), batch=4)
        assert len(exact) == 2 and len(losses) == 2 and np.isfinite(losses).all()


def test_without_warmup_the_rate_starts_at_its_peak_and_falls_alike():
    rate, usual = ablations.from_the_top, ablations.reference.learning_rate
    assert rate(1, 64, 200) == rate(200, 64, 200) == usual(200, 64, 200)
    assert rate(300, 64, 200) == usual(300, 64, 200)


def test_a_gate_that_is_missed_ends_in_an_error(monkeypatch, capsys):
    met, missed = (gates.Gate("a model", 1, lambda seed: 98.0 + seed, least, "%") for least in (98, 99))
    monkeypatch.setattr(gates, "GATES", (met,))
    gates.main()
    monkeypatch.setattr(gates, "GATES", (met, missed))
    with pytest.raises(SystemExit, match="short of their gate: a model"):
        gates.main()
    assert "98     99    100 " in capsys.readouterr().out


def test_the_lowest_score_counts_within_the_lengths_trained_on(monkeypatch):
    monkeypatch.setattr(gates.measures, "quality", lambda write: np.array([[99, 97, 98, 96, 95, 94, 3, 2], [0] * 8]))
    assert gates.lowest(None) == 94
