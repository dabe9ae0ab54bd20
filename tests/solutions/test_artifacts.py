"""Every artifact was made by the code in the tree; how it is written, made and stamped."""

import sys
from types import SimpleNamespace
from zipfile import ZipFile

import numpy as np
import pytest

import coursekit
from coursekit.artifacts import known_artifacts
from coursekit.optimiser import Adam
from solutions.artifacts import __main__ as command
from solutions.artifacts import makers, store

EVERY = sorted(known_artifacts())
TRAINED = [name for name in EVERY if coursekit.load(name)[store.GRADIENTS].size]  # the others are data as it came


def test_an_artifact_is_named_after_the_module_that_makes_it():
    assert sorted(makers()) == EVERY


@pytest.mark.parametrize("name", EVERY)
def test_an_artifact_was_made_by_the_code_in_the_tree(name):
    made_by = coursekit.load(name)[store.SOURCES]
    assert made_by == store.sources_hash(makers()[name]), (
        f"{name}.npz is stale: run python -m solutions.artifacts {name}, with --stamp if no number has changed")


@pytest.mark.parametrize("name", TRAINED)
def test_the_first_gradients_are_those_of_the_making(name):
    """The hash alone does not tell: it is taken when the training ends, and the files may have changed before."""
    kept = coursekit.load(name)[store.GRADIENTS]
    np.testing.assert_allclose(store.first_gradients(makers()[name]), kept, rtol=1e-4)


def test_saving_twice_gives_the_same_bytes_and_numpy_reads_them(tmp_path):
    arrays = {"a.b": np.random.default_rng(0).standard_normal((2, 3)), "note": np.array("kept")}
    for name in ("one.npz", "two.npz"):
        store.write(tmp_path / name, arrays)
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "two.npz").read_bytes()
    with np.load(tmp_path / "one.npz", allow_pickle=False) as read:
        assert all(np.array_equal(read[name], array) for name, array in arrays.items())


def test_no_time_of_day_is_saved(tmp_path):
    store.write(tmp_path / "one.npz", {"a": np.zeros(2)})
    assert {member.date_time for member in ZipFile(tmp_path / "one.npz").infolist()} == {(1980, 1, 1, 0, 0, 0)}


# The command


def descent(gradient, steps=9):
    """A maker, whose model is one number that falls from 0."""
    def make():
        model, adam = np.zeros(1, np.float32), Adam(1)
        for _ in range(steps):
            adam.step(model, np.float32([gradient]), 0.1)
        return {"model": model}
    return SimpleNamespace(make=make)


@pytest.fixture
def run(monkeypatch, tmp_path):
    """run(maker, *options) -> its exit code: the command, where `maker` is the only one."""
    def with_options(maker, *options):
        monkeypatch.setattr(command, "makers", lambda: {"one": maker})
        monkeypatch.setattr(sys, "argv", ["artifacts", *options])
        with pytest.raises(SystemExit) as end:
            command.main()
        return end.value.code
    for module in (command, store):
        monkeypatch.setattr(module, "DATA", tmp_path)
        monkeypatch.setattr(module, "sources_hash", lambda maker: str(id(maker)))
    monkeypatch.setattr(command.coursekit, "load", lambda name: dict(np.load(tmp_path / f"{name}.npz")))
    return with_options


@pytest.fixture
def kept(run, tmp_path):
    """The file of an artifact that was made."""
    run(descent(1.0))
    return tmp_path / "one.npz"


def test_what_is_made_is_stamped(kept):
    assert set(np.load(kept)) == {"model", store.SOURCES, store.GRADIENTS}
    assert np.load(kept)[store.GRADIENTS].tolist() == [1.0] * 5


def test_code_with_the_same_first_gradients_may_be_stamped_without_a_change_in_any_array(run, kept):
    before, maker = dict(np.load(kept)), descent(1.0)
    assert run(maker, "one", "--stamp") == 0
    after = dict(np.load(kept))
    assert after.pop(store.SOURCES) == str(id(maker)) != before.pop(store.SOURCES)
    np.testing.assert_equal(after, before)


@pytest.mark.parametrize("option", ["--stamp", "--check"])
def test_code_that_makes_other_numbers_is_refused_and_nothing_is_written(run, kept, option, capsys):
    before = kept.read_bytes()
    assert run(descent(-1.5), option) == 1
    assert kept.read_bytes() == before and "one.npz: expected" in capsys.readouterr().out


def test_a_check_of_the_same_numbers_writes_nothing(run, kept):
    before = kept.read_bytes()
    assert run(descent(1.0), "--check") == 0 and kept.read_bytes() == before
