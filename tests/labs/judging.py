"""What a lab is made of, by its name, and the share of an exercise's points that answers earn."""

import ast
import importlib
import inspect
import itertools
import textwrap
from pathlib import Path
from types import FunctionType

import numpy as np

from grading.checking import judge, random_for
from grading.lab import names
from grading.student import LocalStudent
from solutions.exercises import by_exercise

ROOT = Path(__file__).parents[2]
LABS = names(ROOT / "labs")


def refuse(*args, **options):
    raise ValueError("expected something else, got this")


TRIVIAL = {
    "zeros": lambda *args, **options: np.zeros_like(args[0], dtype=float),
    "zero": lambda *args, **options: 0.0,
    "one": lambda *args, **options: 1.0,
    "its input": lambda *args, **options: args[0],
    "its second input": lambda *args, **options: args[1 % len(args)],
    "two inputs": lambda *args, **options: args[:2],
    "all its inputs": lambda *args, **options: args,
    "nothing": lambda *args, **options: None,
    "a refusal": refuse,
}


def part(lab, what):
    """A lab's module: `reference`, `checks`, `mistakes`; `variants`, `inputs`, the tests' own; `visible` checks."""
    places = {"variants": "tests.labs.variants_{}", "inputs": "tests.labs.inputs_{}", "visible": "coursekit.check.{}"}
    return importlib.import_module(places.get(what, "solutions.{}." + what).format(lab))


def mistakes(lab):
    """{exercise: known mistakes}."""
    return part(lab, "mistakes").MISTAKES


def variants(lab):
    """{exercise: other right answers}."""
    return by_exercise(part(lab, "variants").__name__, list(mistakes(lab)))


def each(functions_of):
    """(lab, exercise, function) of all labs, from each lab's {exercise: functions}."""
    return [(lab, exercise, function) for lab in LABS
            for exercise, functions in functions_of(lab).items() for function in functions]


def trivial(lab):
    """{name: answer} of answers without any thought: those that fit every lab, and those that fit this one."""
    return TRIVIAL | part(lab, "variants").TRIVIAL


def said_of(lab, what, otherwise=()):
    """What the lab's module of right answers says of some of its exercises or mistakes, such as MAKES_FLOAT64."""
    return getattr(part(lab, "variants"), what, otherwise)


def right(lab, exercise):
    """The reference."""
    return getattr(part(lab, "reference"), exercise)


def built_on(lab):
    """(exercise, a right answer to it, an earlier exercise that this answer calls), for all of a lab."""
    exercises = list(mistakes(lab))
    for place, exercise in enumerate(exercises):
        for answer in [right(lab, exercise), *variants(lab)[exercise]]:
            tree = ast.parse(textwrap.dedent(inspect.getsource(answer)))
            called = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
            yield from ((exercise, answer, earlier) for earlier in exercises[:place] if earlier in called)


def notebook(lab, **answers):
    """The namespace of a solved notebook with these answers in it: there all functions find one another."""
    ours = vars(part(lab, "variants")), vars(part(lab, "reference"))
    found = ours[0] | ours[1] | answers
    for name, function in found.items():
        if inspect.isfunction(function) and any(function.__globals__ is module for module in ours):
            found[name] = FunctionType(function.__code__, found, name, function.__defaults__)
    return found


def share_built(lab, exercise, **answers):
    """The share of an exercise's points that its answer earns in a notebook, the other answers having lost some."""
    lost = [name for name in itertools.takewhile(lambda name: name != exercise, mistakes(lab)) if name in answers]
    return judge(lab, exercise, LocalStudent(notebook(lab, **answers)), lost=lost).share


def given(lab, exercise):
    """What the hidden check of an exercise gives its function, call by call: {name: argument}, refusals left out."""
    function, calls = right(lab, exercise), []

    def answer(*args, **options):
        value = function(*args, **options)
        calls.append(inspect.signature(function).bind(*args, **options).arguments)
        return value

    list(getattr(part(lab, "checks"), exercise)(LocalStudent({exercise: answer}), random_for(lab, exercise, "")))
    return calls


def share(lab, exercise, seed="", /, **answers):
    """The share of an exercise's points that these answers earn, the reference standing in for the other functions.

    Inputs are drawn as they are when a submission is graded.
    """
    namespace = {name: right(lab, name) for name in mistakes(lab)} | answers
    verdicts = list(getattr(part(lab, "checks"), exercise)(LocalStudent(namespace), random_for(lab, exercise, seed)))
    return sum(v.weight for v in verdicts if v.passed) / sum(v.weight for v in verdicts)


def see(lab, exercise, function):
    """Run the visible check, with the reference for what it is given besides."""
    check = getattr(part(lab, "visible"), exercise)
    _, *more = inspect.signature(check).parameters
    check(function, *(right(lab, name) for name in more))


def by_name(parameter):
    """The id of a function among a test's parameters, the same in every process; None leaves it to pytest."""
    return getattr(parameter, "__name__", None)
