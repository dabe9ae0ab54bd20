"""What is written into nbgrader's gradebook, and that it is written at once or not at all."""

from datetime import datetime

import pytest

from grading import records
from grading.course import Course
from grading.records import Record
from tests.grading import tiny
from tests.grading.classes import Class

NAMES = tiny.NAME, tiny.NAME, "anna"


def record(center=2.0, spread=4.0, why=None, blank=()):
    """What was found in Anna's submission."""
    points = {"center-checks": (center, 2.0), "spread-checks": (spread, 4.0), "why": (why, 2.0)}
    marks = {name: {"points": got, "possible": most, "verdicts": [], "mistake": None, "fault": None}
             for name, (got, most) in points.items()}
    return Record("anna", tiny.NAME, "submission", "checks", marks, list(blank), [], 0.1, "2030-01-02T03:04:05+00:00")


@pytest.fixture
def course(given_out, tmp_path, lab):
    """A course in which nobody has handed in anything."""
    return Class.new(given_out, tmp_path / "course", lab)


@pytest.fixture
def save(course, lab):
    """Write a record."""
    def save_one(one, handed_in=None):
        with Course.at(course.folder).ledger() as ledger:
            ledger.expect(lab)
            ledger.save(one, handed_in)
    return save_one


def rows(course, student):
    """(cell, kind) of each row that a student's submission has, sorted."""
    with course.gradebook() as book:
        notebook = book.find_submission_notebook(tiny.NAME, tiny.NAME, student)
        return sorted((row.name, type(row).__name__) for row in [*notebook.grades, *notebook.comments])


def test_the_rows_are_those_that_nbgrader_makes(course, save):
    save(record())
    with course.gradebook() as book, book.db.no_autoflush:
        book.add_student("ben")
        book.add_submission(tiny.NAME, "ben")
    assert rows(course, "anna") == rows(course, "ben") != []


def test_written_again_there_is_one_row_for_each_thing(course, save):
    save(record()), save(record(center=0.0))
    assert len(set(rows(course, "anna"))) == len(rows(course, "anna"))
    assert course.marks() == {"anna": (0, 4, None)} and course.records()["anna"] == record(center=0.0)


def test_a_row_that_is_missing_is_made(course, save):
    save(record())
    before = rows(course, "anna")
    with course.gradebook() as book:
        book.db.delete(book.find_grade("spread-checks", *NAMES))
        book.db.commit()
    save(record())
    assert rows(course, "anna") == before and course.marks() == {"anna": (2, 4, None)}


def test_what_the_roster_says_of_a_student_stays(course, save):
    with course.gradebook() as book:
        book.add_student("anna", last_name="Arendt")
    save(record())
    with course.gradebook() as book:
        assert book.find_student("anna").last_name == "Arendt"


@pytest.mark.parametrize("auto, manual, waits", [(None, None, True), (0.0, None, False), (1.0, 2.0, True)])
def test_a_person_is_asked_for_a_mark_that_is_missing_or_that_a_person_gave_before(course, save, auto, manual, waits):
    save(record())
    with course.gradebook() as book:
        book.find_grade("why", *NAMES).manual_score = manual
        book.db.commit()
    save(record(why=auto))
    with course.gradebook() as book:
        grade = book.find_grade("why", *NAMES)
        assert (grade.auto_score, grade.manual_score, grade.needs_manual_grade) == (auto, manual, waits)


def test_an_answer_that_was_left_blank_has_nbgraders_comment_until_it_is_not(course, save):
    for blank, said in (["why"], "No response."), ([], None):
        save(record(blank=blank))
        with course.gradebook() as book:
            assert book.find_comment("why", *NAMES).auto_comment == said


def test_the_time_is_kept_if_nobody_knows_another(course, save):
    save(record(), datetime(2030, 1, 2)), save(record())
    with course.gradebook() as book:
        assert book.find_submission(tiny.NAME, "anna").timestamp == datetime(2030, 1, 2)


def test_what_fails_half_way_leaves_all_as_it_was(course, save, monkeypatch):
    save(record())
    monkeypatch.setattr(records.json, "dumps", lambda one: 1 / 0)  # after the marks were written
    with pytest.raises(ZeroDivisionError):
        save(record(center=0.0))
    monkeypatch.undo()
    assert course.marks() == {"anna": (2, 4, None)} and course.records()["anna"] == record()


def test_an_extension_without_a_due_date_is_no_trouble(course, save):
    save(record(), datetime(2030, 1, 2))
    with course.gradebook() as book:
        book.grant_extension(tiny.NAME, "anna", hours=3)
    save(record(), datetime(2030, 1, 3))
