"""Visible checks show what holds, stop at what does not, and keep the course's own frames out of a traceback."""

import subprocess
import sys
import traceback

import numpy as np
import pytest

from coursekit import check
from coursekit.check import lab01_additive_attention
from coursekit.verdicts import Verdict


@check.visible_check
def positive(function):
    yield Verdict("it answers", function() is not None, "is there a return statement?")
    yield Verdict("the answer is positive", function() > 0, "did you forget abs?")


def test_each_law_that_holds_is_printed(capsys):
    positive(lambda: 3)
    assert capsys.readouterr().out == "✓ it answers\n✓ the answer is positive\n"


def test_the_first_law_that_fails_is_raised_with_its_hint(capsys):
    with pytest.raises(check.CheckFailed, match=r"the answer is positive\n  did you forget abs\?"):
        positive(lambda: -3)
    assert capsys.readouterr().out == "✓ it answers\n"


def test_a_notebook_shows_the_message_of_a_failed_check_alone():
    assert check.CheckFailed("law\n  hint")._render_traceback_() == ["CheckFailed: law\n  hint"]


def test_an_exception_of_the_students_shows_the_students_frames_only():
    def broken(x, axis=0):
        raise KeyError("k")

    with pytest.raises(KeyError) as raised:
        lab01_additive_attention.softmax(broken)
    frames = [frame.name for frame in traceback.extract_tb(raised.value.__traceback__)]
    assert frames[-2:] == ["check", "broken"]


def test_an_argument_that_was_changed_in_place_is_named_and_the_checks_own_stays():
    given = [1, 2]
    with pytest.raises(check.CheckFailed, match="argument 1 was changed: build a new list"):
        check.ask(list.append, given, 3)
    assert given == [1, 2]


def test_a_dictionary_that_was_changed_in_place_is_told_how_to_make_a_new_one():
    with pytest.raises(check.CheckFailed, match="argument 1 was changed: put what is new into a new dictionary"):
        check.ask(dict.update, {"a": 1}, {"b": 2})


@pytest.mark.parametrize(("function", "says"), [
    (lambda memory, heads: memory @ memory, "memory (2, 3), heads = 4"),
    (lambda *args: args[0] @ args[0], "argument 1 (2, 3), argument 2 = 4"),
    (lambda memory, heads, mask=None: memory @ memory, "memory (2, 3), heads = 4"),
], ids=["named", "unnamed", "more"])
def test_an_exception_of_the_students_says_what_it_was_given_by_the_students_names(function, says):
    with pytest.raises(ValueError) as raised:
        check.ask(function, np.zeros((2, 3)), 4)
    assert raised.value.__notes__ == [f"while the check called it with {says}"]


def test_an_exception_of_the_students_says_after_which_law_it_came():
    answers = [1]
    with pytest.raises(IndexError) as raised:
        positive(answers.pop)
    assert raised.value.__notes__ == ["in the case that comes after: it answers"]


def test_a_stub_is_said_to_be_not_written_yet_by_its_own_name():
    def later():
        raise NotImplementedError

    with pytest.raises(NotImplementedError) as raised:
        positive(lambda: later())
    assert raised.value._render_traceback_() == ["NotImplementedError: later is not written yet"]


def test_no_check_needs_matplotlib_or_the_grader():
    names = [f"coursekit.check.{path.stem}" for path in check.HERE.glob("l*.py")]
    blocked = "sys.modules |= dict.fromkeys(['matplotlib', 'grading', 'solutions'])"
    code = f"import sys; {blocked}; import {', '.join(names)}"
    assert len(names) > 12 and subprocess.run([sys.executable, "-c", code]).returncode == 0
