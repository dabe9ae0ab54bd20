"""Running a hidden check, and finding the known mistake that a failing answer behaves like.

Everything here runs in the marking room: it is the only place that imports `solutions`, by name.
"""

import functools
import hashlib
import importlib
import inspect
import itertools
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

import coursekit
from coursekit.sources import Sources
from coursekit.verdicts import Verdict, close, holds_text
from grading.room.lending import Loan
from grading.room.sandbox import SandboxError
from grading.student import LocalStudent, reply_of

LENT = "judged with the course's own {} in place of yours: an earlier mistake costs its points once"
UNREADABLE = "not judged: an answer of this exercise led to {}. Is each result of the kind and shape that is asked for?"


class CheckFailed(Exception):
    """A check raised or judged nothing. That is the course's fault: mend `checks.py`, then grade again with --force."""


@dataclass(frozen=True)
class Judgement:
    """What a check found: its verdicts in order, and the known mistake (a function) that the answer behaves like."""

    verdicts: tuple
    behaves_like: object = None

    @property
    def mistake(self):
        """The sentence that a student reads of the known mistake; None if there is none."""
        return self.behaves_like and " ".join(inspect.getdoc(self.behaves_like).split())

    @property
    def share(self):
        """The share of the points that is earned."""
        return share(self.verdicts)


def judge(lab, exercise, student, solutions="solutions", seed="", lost=()):
    """Run the check of an exercise on a student's functions. Called at the check cell of each exercise.

    solutions  the package that holds a module `<lab>.checks`; another one in tests
    seed       what the inputs are drawn from, besides the names of lab and exercise
    lost       earlier exercises that have lost points: where this one loses some too, it is judged once more with the
               reference in place of those. If it asks for one of these the better judgement counts; of two with the
               same share the second, as what that says is of this exercise alone.

    Raises CheckFailed when the check itself fails.
    """
    try:
        verdicts = tried(lab, exercise, student, solutions, seed)
        if lost and share(verdicts) < 1:
            verdicts, student = tried_again(lab, exercise, student, solutions, seed, lost, verdicts)
        failed = not all(verdict.passed for verdict in verdicts)
        return Judgement(verdicts, diagnose(lab, exercise, student._calls, solutions) if failed else None)
    except Exception as error:
        raise CheckFailed(f"the hidden check of {exercise} in {lab} failed: {type(error).__name__}: {error}") from error


def tried(lab, exercise, student, solutions, seed):
    """The verdicts of a check. Raises ValueError if there are none that count."""
    verdicts = ask(lab, exercise, student, solutions, seed)
    if not sum(verdict.weight for verdict in verdicts) > 0:
        raise ValueError("verdicts: expected at least one with a weight, got none")
    return verdicts


def tried_again(lab, exercise, student, solutions, seed, lost, verdicts):
    """The verdicts that count, and the Student that gave them: those that there are, or those with exercises lent."""
    loan = Loan(lab, lost, solutions)
    with student._lent(loan) as again:
        others = tried(lab, exercise, again, solutions, seed)
    if not loan.asked or share(others) < share(verdicts):
        return verdicts, student
    return (Verdict(LENT.format(", ".join(sorted(loan.asked))), True, weight=0), *others), again


def share(verdicts):
    """The share of the points that is earned: the weight passed over the weight of all."""
    return sum(v.weight for v in verdicts if v.passed) / sum(v.weight for v in verdicts)


def lost_before(lab, exercise, namespace, solutions="solutions"):
    """The exercises before this one of which the functions of a namespace lose points."""
    known = importlib.import_module(f"{solutions}.{lab}.mistakes").MISTAKES  # in the notebook's order
    lost = []
    for earlier in itertools.takewhile(lambda name: name != exercise, known):
        if judge(lab, earlier, LocalStudent(namespace), solutions, lost=lost).share < 1:
            lost.append(earlier)
    return lost


def ask(lab, exercise, student, solutions, seed):
    """The verdicts of a check. Where it stumbles over an answer, those that it had not come to have failed.

    It does if it raises for this student and not for the reference; else it is the check that is at fault, or what it
    runs on.
    """
    def verdicts_on(functions):
        module = importlib.import_module(f"{solutions}.{lab}.checks")
        return getattr(module, exercise)(functions, random_for(lab, exercise, seed))

    verdicts = []
    try:
        for verdict in verdicts_on(student):
            verdicts.append(verdict)
    except (OSError, SandboxError):
        raise
    except Exception as error:
        reference = importlib.import_module(f"{solutions}.{lab}.reference")
        rest = [*verdicts_on(LocalStudent(vars(reference)))][len(verdicts):]
        if not rest:
            raise
        verdicts += [replace(verdict, passed=False, hint=UNREADABLE.format(type(error).__name__)) for verdict in rest]
    return tuple(verdicts)


def random_for(lab, exercise, seed=""):
    """The generator that a check draws its inputs from: the same each time that a submission is graded."""
    texts = (lab, exercise, seed) if seed else (lab, exercise)
    return np.random.default_rng([int.from_bytes(hashlib.sha256(text.encode()).digest()) for text in texts])


@functools.cache
def fingerprint(lab, solutions="solutions", cells=()):
    """A hash of what judges a lab: the code that its checks, references, mistakes and cells reach, and nothing else.

    Of the mistakes every word counts, since their docstrings are what students read.

    cells  the lab's own code, as texts: what it imports has a part in what a student's functions answer

    Worked out once in a process, as the code is loaded once: a worker that was started before a correction says so.
    """
    package = Path(importlib.import_module(f"{solutions}.{lab}").__file__).parent
    sources = Sources(package.parents[solutions.count(".") + 1], Path(coursekit.__file__).parents[1])
    reached = [sources.hash_of(f"{solutions}.{lab}.{part}") for part in ("checks", "reference", "mistakes")]
    texts = [*reached, sources.hash_of_cells(*cells), (package / "mistakes.py").read_text(encoding="utf-8")]
    return hashlib.sha256("".join(texts).encode()).hexdigest()


def diagnose(lab, exercise, calls, solutions="solutions"):
    """The first known mistake that answers every recorded call of `exercise` as the student did.

    None if there is no such mistake, or if the student's answers are those of the reference, in type too.
    """
    reference = getattr(importlib.import_module(f"{solutions}.{lab}.reference"), exercise)
    known = importlib.import_module(f"{solutions}.{lab}.mistakes").MISTAKES.get(exercise, ())
    calls = [call for call in calls if call.function == exercise]
    right = all(answers_alike(reference, call) for call in calls)
    if right and all(types_alike(reference, call) for call in calls):
        return None
    return next((mistake for mistake in known if all(
        answers_alike(mistake, call) and (types_alike(mistake, call) or not right) for call in calls)), None)


def answers_alike(function, call):
    """Does the function answer a recorded call as the student did: same error or values, same arguments changed?"""
    own = reply_of(function, call.args, call.kwargs, call.most)
    theirs = call.reply
    same = own.error == theirs.error and own.changed == theirs.changed
    return same and alike(own.value, theirs.value, theirs.precision)


def types_alike(function, call):
    """Does the function answer a recorded call with arrays of the types that the student's have?"""
    return types(reply_of(function, call.args, call.kwargs, call.most).value) == types(call.reply.value)


def types(value):
    """The dtypes of the arrays in a value, in order."""
    if isinstance(value, dict):
        return [one for key in sorted(value, key=str) for one in types(value[key])]
    if isinstance(value, tuple | list):
        return [one for item in value for one in types(item)]
    return [value.dtype] if isinstance(value, np.ndarray) else []


def alike(expected, got, precision="float64"):
    """Equal in structure and shape, and in value to the precision of what the student's function was given."""
    if isinstance(expected, tuple | list):
        pairs = isinstance(got, tuple | list) and len(got) == len(expected)
        return pairs and all(alike(one, other, precision) for one, other in zip(expected, got, strict=True))
    if isinstance(expected, dict):
        same_keys = isinstance(got, dict) and expected.keys() == got.keys()
        return same_keys and all(alike(expected[key], got[key], precision) for key in got)
    if expected is None or isinstance(expected, str | bytes):
        return type(got) is type(expected) and got == expected
    if holds_text(got):
        return False
    try:
        got, expected = np.asarray(got), np.asarray(expected)
    except ValueError:  # a ragged list
        return False
    if got.shape != expected.shape or got.dtype.kind not in "biuf":
        return False
    return bool(close(got, expected, precision, equal_nan=True))
