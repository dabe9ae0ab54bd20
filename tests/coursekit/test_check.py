"""Visible checks show what holds, stop at what does not, and keep the course's own frames out of a traceback."""

import traceback

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


def test_what_was_given_stays_as_it_was_and_the_change_is_told():
    given = [1, 2]
    assert check.ask(list.append, given, 3).changed == (1,)
    assert given == [1, 2]
