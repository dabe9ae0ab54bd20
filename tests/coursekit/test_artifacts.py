"""Artifacts come with the package, as plain arrays that nobody can change by accident."""

import re

import numpy as np
import pytest

import coursekit
from coursekit.artifacts import known_artifacts


def test_an_unknown_name_is_answered_with_the_known_ones():
    with pytest.raises(ValueError, match=r"artifact: expected one of .*'date_translator'.*, got 'dates'"):
        coursekit.load("dates")


@pytest.mark.parametrize("name", known_artifacts())
def test_an_artifact_is_read_only_and_holds_numbers(name):
    arrays = coursekit.load(name)
    assert not any(array.flags.writeable for array in arrays.values())
    texts = {key for key, array in arrays.items() if array.dtype.kind == "U" and not key.startswith("about.")}
    assert all(name == "symptoms" and key.endswith(".written") for key in texts)  # what its models wrote
    assert {array.dtype.name for key, array in arrays.items() if not key.startswith("about.") and key not in texts} <= {
        "float32", "float64", "int64"}


@pytest.mark.parametrize("name", known_artifacts())
def test_an_artifact_is_small(name):
    assert known_artifacts()[name].stat().st_size < 500_000


def test_two_loads_share_nothing():
    first, second = coursekit.load("date_translator"), coursekit.load("date_translator")
    assert not np.shares_memory(first["attention.v"], second["attention.v"])


@pytest.mark.parametrize("pattern", ["coursekit/**/*.py", "chapters/*.md", "index.md", "labs/*/*.ipynb"])
def test_what_is_loaded_by_name_is_there(root, pattern):
    loaded = {name for path in root.glob(pattern) for name in re.findall(r'\bload\(\\?"(\w+)', path.read_text())}
    assert loaded <= set(known_artifacts())
