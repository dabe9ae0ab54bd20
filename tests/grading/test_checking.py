"""Marks are the share of verdicts passed, and a mistake is named only where the answer behaves like it."""

import shutil
from types import SimpleNamespace

import numpy as np
import pytest

from coursekit.verdicts import Reply, Verdict
from grading import checking, hidden_checks
from grading.checking import CheckFailed, judge
from grading.room.sandbox import SandboxError
from grading.student import Call, LocalStudent
from tests.grading import tiny
from tests.grading.tiny_solutions.lab_tiny import checks, mistakes, reference


def judged(exercise, function):
    return judge(tiny.NAME, exercise, LocalStudent({exercise: function}), tiny.SOLUTIONS)


def test_the_reference_earns_everything():
    assert judged("center", reference.center).share == 1


def test_the_share_is_the_weight_that_passed():
    factors = iter([2, 1])  # of two laws, with weights 1 and 3, the second is kept
    assert judged("spread", lambda x: reference.spread(x) * next(factors)).share == 0.75


@pytest.mark.parametrize("exercise, mistake", [(e, m) for e, known in mistakes.MISTAKES.items() for m in known])
def test_a_known_mistake_is_named(exercise, mistake):
    assert judged(exercise, mistake).mistake == mistake.__doc__


@pytest.mark.parametrize("answer", [
    reference.center,
    lambda x, axis=0: x - x.mean() + 1e-3,
    lambda x, axis=0: x - x.mean() if axis == 0 else 1 / 0,
    lambda x, axis=0: None,
])
def test_an_answer_that_differs_from_each_mistake_somewhere_is_not_named(answer):
    assert judged("center", answer).mistake is None


def test_a_mistake_that_looks_right_on_all_recorded_calls_is_not_named():
    x = np.array([[1.0, 2.0], [3.0, 4.0]])
    call = Call("center", (x,), {}, Reply(reference.center(x)))  # over axis 0, where ignoring the axis is right
    assert checking.diagnose(tiny.NAME, "center", [call], tiny.SOLUTIONS) is None


def test_changing_an_argument_is_part_of_the_behaviour():
    def in_place(x, axis=0):
        x -= x.mean()
        return x
    assert judged("center", in_place).mistake is None


def test_the_inputs_are_the_same_each_time():
    seen = []
    for _ in range(2):
        judged("center", lambda x, axis=0: seen.append(x) or x)
    np.testing.assert_array_equal(seen[0], seen[2])


def test_a_check_may_change_what_it_passed_and_the_record_stays():
    student = LocalStudent({"center": lambda x: x})
    x = np.zeros(3)
    student.center(x)
    x += 1
    assert student._calls[0].args[0].sum() == 0


@pytest.mark.parametrize("broken", [lambda student, rng: 1 / 0, lambda student, rng: [], lambda student, rng: [5]])
def test_a_check_that_fails_is_the_courses_fault(monkeypatch, broken):
    monkeypatch.setattr(checks, "center", broken)
    with pytest.raises(CheckFailed, match="center in lab_tiny"):
        judged("center", reference.center)


def stumbling(student, rng):
    """A check of three laws, which makes a number of the second answer without looking at it."""
    yield Verdict("first", True, weight=1)
    yield Verdict("second", float(student.center(rng.normal(size=(2, 2))).value.sum()) < 1, weight=2)
    yield Verdict("third", True, weight=3)


@pytest.mark.parametrize("odd", [None, "text", [[1.0], [2.0, 3.0]], 10**400, {}])
def test_a_check_that_stumbles_over_an_answer_fails_the_laws_that_it_had_not_come_to(monkeypatch, odd):
    monkeypatch.setattr(checks, "center", stumbling)
    judgement = judged("center", lambda x, axis=0: odd)
    assert [verdict.passed for verdict in judgement.verdicts] == [True, False, False] and judgement.share == 1 / 6
    assert "AttributeError" in judgement.verdicts[1].hint


@pytest.mark.parametrize("error", [OSError("no more files"), SandboxError("no more rooms")])
def test_what_the_graders_own_machine_raises_costs_no_student_a_point(error):
    def center(x, axis=0):
        raise error
    student = SimpleNamespace(center=center, _calls=[])
    with pytest.raises(CheckFailed):
        judge(tiny.NAME, "center", student, tiny.SOLUTIONS)


def test_hidden_checks_say_nothing_about_a_right_answer():
    assert hidden_checks(tiny.NAME, "center", {"center": reference.center}, tiny.SOLUTIONS) is None


def test_hidden_checks_raise_the_verdicts_that_failed():
    with pytest.raises(AssertionError, match=r"center: 1 of 2 checks failed\n- .* axis 1 .*\nYour function ignores"):
        hidden_checks(tiny.NAME, "center", {"center": mistakes.center_ignores_axis}, tiny.SOLUTIONS)


@pytest.mark.parametrize("error", [SystemExit, RecursionError, GeneratorExit, NotImplementedError])
def test_whatever_a_local_function_raises_is_an_answer(error, capsys):
    def fails(x, axis=0):
        print("not shown")
        raise error
    assert judged("center", fails).share == 0 and capsys.readouterr().out == ""


# What is graded again


@pytest.fixture
def judged_by(monkeypatch, tmp_path, root):
    """The fingerprint of the tiny lab in a copy of the course, with `text` at the end of one of its files."""
    def with_text(name, text):
        folder = tmp_path / text.strip() / "course"
        for package in ("coursekit", "tests/grading/tiny_solutions"):
            shutil.copytree(root / package, folder / package, ignore=shutil.ignore_patterns("__pycache__", "*.npz"))
        with (folder / name).open("a") as file:
            file.write(text)
        package = folder / tiny.SOLUTIONS.replace(".", "/") / tiny.NAME / "__init__.py"
        monkeypatch.setattr(checking.importlib, "import_module", lambda name: SimpleNamespace(__file__=package))
        monkeypatch.setattr(checking, "coursekit", SimpleNamespace(__file__=folder / "coursekit" / "__init__.py"))
        return checking.fingerprint.__wrapped__(tiny.NAME, tiny.SOLUTIONS, ("from coursekit import plot",))
    return with_text


@pytest.mark.parametrize("name", ["coursekit/verdicts.py", "coursekit/plot.py",
                                  *(f"tests/grading/tiny_solutions/lab_tiny/{part}.py" for part in (
                                      "checks", "reference", "mistakes"))])
def test_what_checks_and_cells_reach_judges(judged_by, name):
    assert judged_by(name, "print(1)\n") != judged_by(name, "print(2)\n")


@pytest.mark.parametrize("name", ["coursekit/touch.py", "coursekit/trainers/dates.py"])
def test_what_neither_reaches_does_not(judged_by, name):
    assert judged_by(name, "print(1)\n") == judged_by(name, "print(2)\n")


def test_what_a_mistake_says_to_students_judges(judged_by):
    name = "tests/grading/tiny_solutions/lab_tiny/mistakes.py"
    assert judged_by(name, "# its docstring\n") != judged_by(name, "# or its comment\n")
