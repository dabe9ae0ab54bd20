"""A student's page is written anew exactly where something that it shows has changed."""

from datetime import datetime, timedelta

import pytest

from grading import giving_back
from grading.course import Course
from tests.grading import tiny
from tests.grading.classes import Class
from tests.grading.formgrader import formgrader, press

ANNA = tiny.NAME, tiny.NAME, "anna"
ZERO = "c.LateSubmissionPlugin.penalty_method = 'zero'\n"


@pytest.fixture(scope="module")
def graded_class(given_out, tmp_path_factory, lab):
    """Anna and Ben have handed in, were graded, and have their pages."""
    course = Class.new(given_out, tmp_path_factory.mktemp("class") / "course", lab, config=ZERO)
    for student in ("anna", "ben"):
        folder = course.hand_in(student)
        (folder / "submission_secret.txt").write_text(f"secret of {student}")
    assert course.nbgrader("autograde", tiny.NAME).status == 0
    assert "2 of 2 pages written" in give_back(course)
    return course


@pytest.fixture
def course(graded_class, tmp_path, lab):
    """A copy of that class."""
    return Class.new(graded_class.folder, tmp_path / "course", lab, config=ZERO)


def give_back(course, *options):
    """What `nbgrader generate_feedback` says."""
    return course.nbgrader("generate_feedback", tiny.NAME, *options).err


def page(course, student="anna"):
    return (course.folder / "feedback" / student / tiny.NAME / f"{tiny.NAME}.html").read_text(encoding="utf-8")


def mark(course, **values):
    """Give Anna's written answer a mark by hand, or another value of the row."""
    with course.gradebook() as book:
        vars_of = book.find_grade("why", *ANNA)
        for name, value in values.items():
            setattr(vars_of, name, value)
        book.db.commit()


def marked(course):
    mark(course, manual_score=1.5)


def credited(course):
    mark(course, extra_credit=0.25, manual_score=0.0)


def commented(course):
    with course.gradebook() as book:
        book.find_comment("why", *ANNA).manual_comment = "well seen"
        book.db.commit()


def penalised(course):
    when = datetime(2030, 1, 1)
    with Course.at(course.folder).ledger() as ledger:
        ledger.note_hand_in(tiny.NAME, "anna", when, "the tests")
        ledger.set_due(tiny.NAME, when - timedelta(hours=1))


def graded_anew(course):
    course.hand_in("anna", center="def center(x, axis=0): return x")
    assert course.nbgrader("autograde", tiny.NAME).status == 0


def more_to_gain(course):
    with course.gradebook() as book:
        book.find_grade_cell("spread-checks", tiny.NAME, tiny.NAME).max_score = 5.0
        book.db.commit()


CHANGES = {marked: "7.5 of 8", credited: "6.25 of 8", commented: "well seen", penalised: "minus 6",
           graded_anew: "4 of 8", more_to_gain: "6 of 9"}


@pytest.mark.parametrize("change", CHANGES)
def test_what_a_page_shows_has_changed_so_it_is_written_anew_and_the_others_are_not(course, change):
    before = page(course, "ben")
    change(course)
    said = give_back(course)
    assert CHANGES[change] in page(course)
    assert page(course, "ben") == before or change is more_to_gain
    assert "1 of 2 pages written anew" in said or change is more_to_gain


def test_nothing_has_changed_so_nothing_is_written(course):
    assert "0 of 2 pages written" in give_back(course)


def test_pages_that_look_otherwise_are_written_anew(course, monkeypatch):
    monkeypatch.setattr(giving_back, "_looks", lambda: "another template")
    assert "2 of 2 pages written" in give_back(course)


def test_a_page_that_was_lost_or_cut_short_is_written_anew(course):
    before = page(course)
    (course.folder / "feedback" / "anna" / tiny.NAME / f"{tiny.NAME}.html").write_text("<!DOCTYPE")
    give_back(course)
    assert page(course) == before


def test_a_penalty_of_all_points_leaves_none(course):
    penalised(course)
    give_back(course)
    assert "<strong>0 of 8 points</strong>" in page(course)


def test_one_that_cannot_be_written_is_named_and_the_others_are(course):
    marked(course)
    graded = course.folder / "autograded" / "ben" / tiny.NAME / f"{tiny.NAME}.ipynb"
    graded.chmod(0o644), graded.write_text("no notebook")
    done = course.nbgrader("generate_feedback", tiny.NAME)
    assert done.status == 1 and "ben: has no page of feedback:" in done.err and "1.5 of 2" in page(course)


def test_those_who_are_left_out_or_not_asked_for_keep_their_page(course):
    marked(course)
    give_back(course, "--student", "ben")
    give_back(course, "--CourseDirectory.student_id_exclude=anna")
    assert "1.5 of 2" not in page(course)


def test_formgraders_buttons_write_what_is_out_of_date(course):
    marked(course)
    with formgrader(course.folder) as address:
        everybody = press(address, f"assignment/{tiny.NAME}/generate_feedback")
        one = press(address, f"assignment/{tiny.NAME}/ben/generate_feedback")
    assert "1 of 2 pages written" in everybody["log"] and "0 of 1 pages written" in one["log"]
    assert "7.5 of 8" in page(course)
