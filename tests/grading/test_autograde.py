"""nbgrader's own command line and gradebook, on top of the two rooms. One class, taken the whole way once."""

import re
import sys
from datetime import datetime

import nbformat
import pytest

from grading.course import Course
from tests.grading import tiny
from tests.grading.classes import MISTAKE, Class, finished, start


def snapshot(folder):
    return {p: p.read_bytes() if p.is_file() else None for p in sorted(folder.rglob("*")) if not p.is_symlink()}


@pytest.fixture(scope="module")
def course(given_out, tmp_path_factory, lab):
    """A class that was graded once by the command: right, blank, mistaken, and broken in several ways."""
    config = "c.LateSubmissionPlugin.penalty_method = 'zero'\n"
    course = Class.new(given_out, tmp_path_factory.mktemp("class") / "course", lab, config=config)
    course.hand_in("right")
    course.hand_in("blank", tiny.to_bytes(lab.skeleton))
    course.hand_in("mistaken", center=MISTAKE)
    course.hand_in("broken", b"\xff\xfe broken")
    course.hand_in("missing").joinpath(f"{tiny.NAME}.ipynb").unlink()
    renamed = course.hand_in("renamed")
    (renamed / f"{tiny.NAME}.ipynb").rename(renamed / "my homework (1).ipynb")
    course.hand_in("killer", first="import os\nos.kill(os.getpid(), 9)")
    (course.hand_in("linked") / "stolen.txt").symlink_to("/etc/hostname")
    before = snapshot(course.folder / "submitted")
    course.done = finished(start([sys.executable, "-m", "nbgrader", "autograde", tiny.NAME], course.folder))
    assert snapshot(course.folder / "submitted") == before, "nothing in submitted/ may ever change"
    assert course.done.status == 0, course.done.err
    return course


@pytest.mark.parametrize("student, auto", [
    ("right", (2, 4, None)),
    ("renamed", (2, 4, None)),
    ("linked", (2, 4, None)),
    ("mistaken", (0, 4, None)),
    ("blank", (0, 0, 0)),
    ("broken", (0, 0, None)),
    ("missing", (0, 0, 0)),
    ("killer", (2, 4, None)),
])
def test_everyone_has_the_right_mark_whatever_the_neighbours_handed_in(course, student, auto):
    assert course.marks()[student] == auto


@pytest.mark.parametrize("student, says", [
    ("right", "6 of 8, 2 by hand"),
    ("blank", "0 of 8"),
    ("broken", "not UTF-8"),
    ("missing", "No notebook was handed in."),
    ("renamed", "'my homework (1).ipynb' was graded"),
    ("linked", "'stolen.txt' is no regular file: refused"),
])
def test_the_summary_has_a_line_for_each_that_says_what_is_wrong(course, student, says):
    assert any(line.startswith(student) and says in line for line in course.done.out.splitlines())


def test_the_released_notebook_holds_no_solution_hidden_check_or_scheme(course):
    text = (course.folder / "release" / tiny.NAME / f"{tiny.NAME}.ipynb").read_text()
    assert not re.search("SECRET|hidden_checks|SOLUTION", text) and "raise NotImplementedError" in text


def test_the_skeleton_is_what_nbgrader_releases(course, lab):
    released = nbformat.read(course.folder / "release" / tiny.NAME / f"{tiny.NAME}.ipynb", as_version=4)
    assert [cell.source for cell in released.cells] == [cell.source for cell in lab.skeleton.cells]


def test_a_second_run_grades_nothing_again(course):
    before = snapshot(course.folder / "autograded")
    assert course.nbgrader("autograde", tiny.NAME).out == ""
    assert snapshot(course.folder / "autograded") == before


def test_marks_and_comments_given_by_hand_survive_a_regrade(course):
    names = tiny.NAME, tiny.NAME, "linked"
    with course.gradebook() as book:
        book.find_grade("why", *names).manual_score = 1.5
        book.find_comment("why", *names).manual_comment = "well seen"
        book.db.commit()
    assert course.nbgrader("autograde", tiny.NAME, "--force", "--student", "linked").status == 0
    with course.gradebook() as book:
        assert (book.find_grade("why", *names).score, book.find_comment("why", *names).comment) == (1.5, "well seen")


def test_a_regrade_gives_the_same_marks(course):
    before = course.marks()
    assert course.nbgrader("autograde", tiny.NAME, "--force", "--student", "mistaken").status == 0
    assert course.marks() == before


def test_a_newer_submission_replaces_the_mark(course):
    course.hand_in("right", center=MISTAKE)
    assert "4 of 8" in course.nbgrader("autograde", tiny.NAME).out
    assert course.marks()["right"] == (0, 4, None)


def test_a_late_penalty_is_taken_by_nbgraders_plugin(course):
    with Course.at(course.folder).ledger() as ledger:
        ledger.set_due(tiny.NAME, datetime(2030, 1, 1))
        ledger.note_hand_in(tiny.NAME, "right", datetime(2030, 1, 2), "the tests")
    done = course.nbgrader("autograde", tiny.NAME)
    assert done.out == "right  4 of 8, 2 by hand  Late by 1 day: 4 points are taken off.\n"
    with course.gradebook() as book:
        submission = book.find_submission(tiny.NAME, "right")
        assert submission.late_submission_penalty == submission.score > 0


def test_feedback_holds_verdicts_hints_and_the_mistake_and_nothing_of_the_staffs(course):
    assert course.nbgrader("generate_feedback", tiny.NAME).status == 0
    page = (course.folder / "feedback" / "mistaken" / tiny.NAME / f"{tiny.NAME}.html").read_text()
    assert "is it the mean of each slice?" in page and "You took the mean of the whole array" in page
    assert not re.search("SECRET|hidden_checks|Marking scheme", page)


def test_marks_are_exported(course):
    assert course.nbgrader("export").status == 0
    assert (course.folder / "grades.csv").read_text().count(tiny.NAME) == 8
