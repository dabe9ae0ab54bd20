"""The models of chapter 15 are as good as their gates say, and those that are loaded do what was measured."""

import numpy as np
import pytest

import coursekit
from coursekit.models.describer import Describer
from coursekit.tasks.syllables import utterance
from solutions.artifacts import board_captions, digit_readers, digits, gates, heard_syllables

CAPTIONS, HEARD, READERS = (coursekit.load(name) for name in ("board_captions", "heard_syllables", "digit_readers"))
MEASURED = {  # what stands in the artifacts, by the function of the gate
    gates.of_vit: 100 * READERS["about.class"],
    gates.of_pool: 100 * READERS["about.query"],
    gates.described: 100 * CAPTIONS["about.exact"],
    gates.named: CAPTIONS["about.named"] / CAPTIONS["about.other"],
    gates.written_down: 100 * HEARD["about.exact"],
    gates.during_it: 100 * HEARD["about.points"],
    gates.written_behind: 100 * HEARD["about.patient"][:, -1, 0],
    gates.found_behind: 100 * HEARD["about.patient"][:, -1, 1],
}
GATES = [gate for gate in gates.GATES if gate.measure in MEASURED]


@pytest.mark.parametrize("gate", GATES, ids=lambda gate: f"{gate.model} {gate.unit}")
def test_every_seed_is_as_good_as_is_promised(gate):
    found = MEASURED[gate.measure]
    assert len(GATES) == len(MEASURED) and len(found) == len(gate.seeds)
    assert gate.holds(found, gate.bound).all() and found.min() < 1.5 * gate.bound


@pytest.mark.parametrize("module", [board_captions, heard_syllables], ids=lambda module: module.__name__)
def test_what_is_loaded_measures_as_it_did(module, monkeypatch):
    arrays = coursekit.load(module.__name__.rpartition(".")[2])
    monkeypatch.setattr(module, "TESTED", 60)
    exact, *_ = module.measured(Describer(arrays))
    assert abs(exact - arrays["about.exact"][0]) < 0.09 and len(arrays["losses"]) == len(module.SEEDS)


def test_the_digits_are_those_of_the_table_and_say_where_they_come_from():
    arrays = coursekit.load("digits")
    assert arrays["pixels"].shape == (1797, 8, 8) and arrays["pixels"].max() == 16
    assert arrays["digit"][:10].tolist() == list(range(10))
    assert digits.SOURCE in str(arrays["about.source"]) and "BSD" in str(arrays["about.licence"])


def test_without_positions_every_seed_reads_worse():
    assert (READERS["about.unordered"] < READERS["about.class"] - 0.15).all()


def test_a_reshape_ruins_a_model_that_learned_from_squares_and_not_one_that_learned_from_its_rows():
    assert (READERS["about.rows"] > 0.95).all() and (READERS["about.misread"] < 0.2).all()


def test_which_patches_are_missed_most_depends_on_the_fill():
    most, least = np.moveaxis(READERS["about.hidden"][..., :2], -1, 0)             # (seeds, fills)
    depends = [fill for fill, a, b in zip(digit_readers.FILLS, most.T, least.T, strict=True) if (a < b).any()]
    assert depends == ["place"] and len(most) == len(digit_readers.SEEDS)


def test_the_pairs_of_patches_have_equal_ink_and_other_weight():
    ink, weight = READERS["about.ink"], READERS["about.weight"]
    assert (abs(ink[:, 3] - ink[:, 4]) < 0.02).all() and (weight[:, 3] > weight[:, 4] + 0.01).all()


def test_a_longer_pause_moves_what_comes_after_it_and_nothing_else():
    said = utterance(np.random.default_rng(3), "ma so i")
    moved = heard_syllables.hesitating(np.random.default_rng(4), said, 700)
    assert len(moved.signal) == len(said.signal) + 700 and moved.text == said.text
    assert set(map(tuple, moved.spans - said.spans)) == {(0, 0), (700, 700)}
    assert all(np.array_equal(moved.signal[slice(*there)], said.signal[slice(*here)])
               for there, here in zip(moved.spans, said.spans, strict=True))


def test_the_map_of_the_listener_is_no_better_than_even_spacing_and_goes_by_the_clock():
    (exact, points), even = HEARD["about.clock"].T, HEARD["about.even"]
    assert exact[0] == HEARD["about.exact"][0] and points[0] == HEARD["about.points"][0] and exact[-1] < 0.05
    assert (points < even).all() and (np.diff(exact) < 0).all()
    assert (HEARD["about.patient"][:, -1, 1] > even[-1] + 0.25).all()  # unlike those that learned from hesitations


def test_the_model_hears_through_a_symmetric_window_and_not_without_logarithms_of_its_base():
    told = dict(zip(heard_syllables.OTHERWISE, HEARD["about.misheard"], strict=True))
    assert abs(told["symmetric"] - HEARD["about.exact"][0]) < 0.01 and told["log10"] < 0.01
    assert told["amplitude"] < 0.1 < told["htk"] < 0.5


def test_attention_to_the_named_digit_does_not_put_the_peak_there_for_every_seed():
    assert np.all(CAPTIONS["about.points"][:3] > 0.99) and CAPTIONS["about.points"][4] < 0.2
    assert CAPTIONS["about.caught"][4] > 0.9 and CAPTIONS["about.behind"].min() > 0.8
