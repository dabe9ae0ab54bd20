"""A function is found under its exercise by its name, and none is forgotten."""

import sys
from types import ModuleType

import pytest

from solutions.exercises import asking, by_exercise


@pytest.fixture
def module(monkeypatch):
    """Makes a module of functions that do nothing, and gives its name."""

    def make(*names):
        made = ModuleType("wrong_answers")
        exec("\n".join(f"def {name}(): pass" for name in names), vars(made))
        monkeypatch.setitem(sys.modules, made.__name__, made)
        return made.__name__

    return make


def names(found):
    return {exercise: [function.__name__ for function in functions] for exercise, functions in found.items()}


def test_functions_are_found_in_the_order_in_which_they_stand(module):
    found = by_exercise(module("softmax_b", "rotate_c", "softmax_a"), ["rotate", "softmax"])
    assert names(found) == {"rotate": ["rotate_c"], "softmax": ["softmax_b", "softmax_a"]}


def test_of_two_exercises_the_one_with_the_longer_name_is_meant(module):
    found = by_exercise(module("gelu_backward_x"), ["gelu", "gelu_backward"])
    assert names(found) == {"gelu": [], "gelu_backward": ["gelu_backward_x"]}


def test_what_is_private_or_imported_belongs_to_no_exercise(module):
    name = module("_turned")
    sys.modules[name].pytest_fixture = pytest.fixture
    assert by_exercise(name, ["softmax"]) == {"softmax": []}


@pytest.mark.parametrize("forgotten", ["turned", "softmax", "softmaxed"])
def test_a_function_that_belongs_to_no_exercise_is_named(module, forgotten):
    with pytest.raises(ValueError, match=rf"wrong_answers\.{forgotten}: .*: softmax, rotate$"):
        by_exercise(module(forgotten), ["softmax", "rotate"])


def test_an_answer_is_built_on_other_functions_than_its_own():
    assert asking(lambda things=(3, 4): len(things), len=sum)() == 7
