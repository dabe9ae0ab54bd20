"""A module that has moved says where it is now."""

import importlib

import pytest

from coursekit.moved import NOW


@pytest.mark.parametrize("old", NOW)
def test_an_old_name_says_where_its_module_is_now(old):
    now = " and ".join(f"coursekit.{name}" for name in NOW[old].split())
    sentence = f"^coursekit.{old} is {now} now: change the import, or take the notebook anew$"
    for line in (f"import coursekit.{old}", f"from coursekit.{old} import anything", f"from coursekit import {old}"):
        with pytest.raises(ModuleNotFoundError, match=sentence):
            exec(line)


@pytest.mark.parametrize("new", [name for names in NOW.values() for name in names.split()])
def test_where_an_old_name_points_there_is_a_module(new):
    assert importlib.import_module(f"coursekit.{new}")


def test_a_name_that_never_was_is_answered_as_by_python():
    with pytest.raises(ModuleNotFoundError, match=r"^No module named 'coursekit\.nothing'$"):
        importlib.import_module("coursekit.nothing")
