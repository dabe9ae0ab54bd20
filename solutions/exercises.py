"""Which functions of a module belong to which exercise, and answers that are built on other answers."""

import importlib
import inspect
from types import FunctionType


def by_exercise(module, exercises):
    """{exercise: its functions, in the order in which they stand} of a module, given by its name.

    A public function belongs to the exercise that its name begins with: `softmax_without_exp` to `softmax`. Of several
    the longest counts. Raises ValueError for a function that belongs to none, as it would never be tried.
    """
    found = {exercise: [] for exercise in exercises}
    for name, function in vars(importlib.import_module(module)).items():
        if inspect.isfunction(function) and function.__module__ == module and not name.startswith("_"):
            found[_exercise_of(module, name, exercises)].append(function)
    return found


def _exercise_of(module, name, exercises):
    fitting = [exercise for exercise in exercises if name.startswith(f"{exercise}_")]
    if not fitting:
        raise ValueError(f"{module}.{name}: expected an underscore in front, or the name of an exercise: "
                         + ", ".join(exercises))
    return max(fitting, key=len)


def asking(function, **own):
    """A function that finds `own` functions where this one finds those of its module."""
    return FunctionType(function.__code__, function.__globals__ | own, argdefs=function.__defaults__)
