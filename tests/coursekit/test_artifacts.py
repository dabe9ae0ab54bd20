"""Artifacts come with the package, as plain arrays that nobody can change by accident."""

import re

import numpy as np
import pytest

import coursekit
from coursekit.artifacts import known_artifacts


def test_an_unknown_name_is_answered_with_the_known_ones_and_where_others_come_from():
    where = r"or a file dates\.npz beside the notebook, where attention-labs\.zip has it"
    with pytest.raises(ValueError, match=rf"artifact: expected one of .*'date_translator'.*, {where}, got 'dates'"):
        coursekit.load("dates")


@pytest.fixture
def beside(tmp_path, monkeypatch):
    """Writes an artifact into the folder of the notebook, in which we stand then."""
    monkeypatch.chdir(tmp_path)
    return lambda name, array: np.savez(tmp_path / f"{name}.npz", W=array)


def test_a_large_artifact_is_found_beside_the_notebook_and_is_read_only(beside):
    beside("large", np.arange(3))
    W = coursekit.load("large")["W"]
    assert W.tolist() == [0, 1, 2] and not W.flags.writeable


def test_a_file_beside_the_notebook_never_stands_for_an_artifact_of_the_package(beside):
    beside("date_translator", np.arange(3))
    assert "W" not in coursekit.load("date_translator")


def test_a_file_that_would_run_code_when_it_is_read_is_refused(beside):
    beside("large", np.array([print], dtype=object))
    with pytest.raises(ValueError, match="allow_pickle=False"):
        coursekit.load("large")


@pytest.mark.parametrize("name", known_artifacts())
def test_an_artifact_is_read_only_and_holds_numbers(name):
    arrays = coursekit.load(name)
    assert not any(array.flags.writeable for array in arrays.values())
    texts = {key for key, array in arrays.items() if array.dtype.kind == "U" and not key.startswith("about.")}
    assert all(name == "symptoms" and key.endswith(".written") for key in texts)  # what its models wrote
    assert {array.dtype.name for key, array in arrays.items() if not key.startswith("about.") and key not in texts} <= {
        "float32", "float64", "int64", "uint8"}  # uint8: pixels


@pytest.mark.parametrize("name", known_artifacts())
def test_an_artifact_is_small(name):
    assert known_artifacts()[name].stat().st_size < 500_000


def test_two_loads_share_nothing():
    first, second = coursekit.load("date_translator"), coursekit.load("date_translator")
    assert not np.shares_memory(first["attention.v"], second["attention.v"])


@pytest.mark.parametrize("pattern", ["coursekit/**/*.py", "chapters/*.md", "index.md", "labs/*/*.ipynb"])
def test_what_is_loaded_by_name_is_there(root, pattern):
    texts = [path.read_text() for path in root.glob(pattern)]
    loaded = {name for text in texts for name in re.findall(r'\bload\(\\?"(?:data/)?(\w+)', text)}
    beside = {path.stem for path in root.glob("labs/*/*.npz")}  # too large for the package
    assert loaded <= {*known_artifacts(), *beside}
