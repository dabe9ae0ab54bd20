"""Running a hidden check, and finding the known mistake that a failing answer behaves like.

Everything here runs in the marking room: it is the only place that imports `solutions`, by name.
"""

import importlib
import inspect
import zlib
from dataclasses import dataclass

import numpy as np

from coursekit.verdicts import TOLERANCE
from grading.student import reply_of


class CheckFailed(Exception):
    """A check raised or judged nothing. That is the course's fault: mend `checks.py`, then grade again with --force."""


@dataclass(frozen=True)
class Judgement:
    """What a check found: its verdicts in order, and the sentence of the known mistake, if the answer behaves so."""

    verdicts: tuple
    mistake: str | None = None

    @property
    def share(self):
        """The share of the points that is earned: the weight passed over the weight of all."""
        return sum(v.weight for v in self.verdicts if v.passed) / sum(v.weight for v in self.verdicts)


def judge(lab, exercise, student, solutions="solutions"):
    """Run the check of an exercise on a student's functions. Called at the check cell of each exercise.

    solutions  the package that holds a module `<lab>.checks`; another one in tests

    Raises CheckFailed when the check itself fails.
    """
    try:
        check = getattr(importlib.import_module(f"{solutions}.{lab}.checks"), exercise)
        verdicts = tuple(check(student, random_for(lab, exercise)))
        if not sum(verdict.weight for verdict in verdicts) > 0:
            raise ValueError("verdicts: expected at least one with a weight, got none")
        failed = not all(verdict.passed for verdict in verdicts)
        return Judgement(verdicts, diagnose(lab, exercise, student._calls, solutions) if failed else None)
    except Exception as error:
        raise CheckFailed(f"the hidden check of {exercise} in {lab} failed: {type(error).__name__}: {error}") from error


def random_for(lab, exercise):
    """The generator that a check draws its inputs from: the same each time that a submission is graded."""
    return np.random.default_rng([zlib.crc32(lab.encode()), zlib.crc32(exercise.encode())])


def diagnose(lab, exercise, calls, solutions="solutions"):
    """The sentence of the first known mistake that answers every recorded call of `exercise` as the student did.

    None if there is no such mistake, or if the student's answers are those of the reference.
    """
    reference = getattr(importlib.import_module(f"{solutions}.{lab}.reference"), exercise)
    known = importlib.import_module(f"{solutions}.{lab}.mistakes").MISTAKES.get(exercise, ())
    calls = [call for call in calls if call.function == exercise]
    if not calls or all(answers_alike(reference, call) for call in calls):
        return None
    for mistake in known:
        if all(answers_alike(mistake, call) for call in calls):
            return " ".join(inspect.getdoc(mistake).split())
    return None


def answers_alike(function, call):
    """Does the function answer a recorded call as the student did: same error or values, same arguments changed?"""
    own = reply_of(function, call.args, call.kwargs)
    theirs = call.reply
    return own.error == theirs.error and own.changed == theirs.changed and alike(own.value, theirs.value)


def alike(expected, got):
    """Equal in structure and shape, and in value to the precision of the dtype that the student returned."""
    if isinstance(expected, tuple | list):
        pairs = isinstance(got, tuple | list) and len(got) == len(expected)
        return pairs and all(alike(one, other) for one, other in zip(expected, got, strict=True))
    if isinstance(expected, dict):
        return isinstance(got, dict) and expected.keys() == got.keys() and all(alike(expected[k], got[k]) for k in got)
    if expected is None or isinstance(expected, str):
        return type(got) is type(expected) and got == expected
    try:
        got, expected = np.asarray(got), np.asarray(expected)
    except ValueError:  # a ragged list
        return False
    if got.shape != expected.shape or got.dtype.kind not in "biufc":
        return False
    tolerance = TOLERANCE.get(got.dtype.name, 1e-9)
    return bool(np.allclose(got, expected, rtol=tolerance, atol=tolerance, equal_nan=True))
