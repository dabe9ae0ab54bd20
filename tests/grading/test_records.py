"""What is written into nbgrader's gradebook, and that it is written at once or not at all."""

import json
import sqlite3
from contextlib import closing
from dataclasses import replace
from threading import Thread

import pytest
from sqlalchemy.exc import DataError, IntegrityError, OperationalError

from grading import records
from grading.apart import stops_all
from grading.course import Course
from grading.gradebook import Row, in_one_line
from grading.records import Ledger, LedgerError, Record
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
def course(given_out, tmp_path, lab, url):
    """A course in which nobody has handed in anything."""
    return Class.new(given_out, tmp_path / "course", lab, url=url)


@pytest.fixture
def save(course, lab):
    """Write a record."""
    def save_one(one, changed=()):
        with Course.at(course.folder).ledger() as ledger:
            ledger.expect(lab)
            ledger.save(one, changed)
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


@pytest.mark.parametrize("auto, manual, waiting, changed, waits", [
    (None, None, True, [], True),
    (0.0, None, True, ["why"], False),
    (None, 2.0, False, [], False),
    (None, 2.0, False, ["center-checks"], False),
    (None, 2.0, False, ["why"], True),
    (None, 2.0, True, [], True),
])
def test_a_person_is_asked_for_a_mark_that_is_missing_or_was_given_for_another_answer(
        course, save, auto, manual, waiting, changed, waits):
    save(record())
    by_hand(course, manual, waiting)
    save(record(why=auto), changed)
    with course.gradebook() as book:
        grade = book.find_grade("why", *NAMES)
        assert (grade.auto_score, grade.manual_score, grade.needs_manual_grade) == (auto, manual, waits)


def by_hand(course, points, waiting=False):
    """Anna's mark for the written answer, given as formgrader does."""
    with course.gradebook() as book:
        grade = book.find_grade("why", *NAMES)
        grade.manual_score, grade.needs_manual_grade = points, waiting
        book.db.commit()


@pytest.mark.parametrize("before, after, changed", [
    ({}, {}, set()),
    ({"submission": "1"}, {"texts": {"why": "a"}}, {"center-checks", "spread-checks"}),
    ({"submission": "1", "texts": {"why": "b"}}, {"texts": {"why": "a"}}, {"center-checks", "spread-checks", "why"}),
    ({"submission": "1", "work": "1", "texts": {"why": "b"}}, {"work": "1", "texts": {"why": "a"}}, {"why"}),
    ({"submission": "1", "work": "1"}, {"work": "2", "texts": {"why": "a"}}, {"center-checks", "spread-checks"}),
])
def test_an_answer_has_changed_where_its_text_has_or_where_nobody_can_tell(before, after, changed):
    before = replace(record(), **{"texts": {"why": "a"}, **before})
    assert replace(record(), **after).changed(before) == changed


def test_what_another_release_wrote_is_read_as_far_as_it_is_known():
    content = {**vars(record()), "of_a_later_release": 1}
    del content["work"], content["texts"], content["notices"]
    assert Record.read(json.dumps(content)) == record()


def test_an_answer_that_was_left_blank_has_nbgraders_comment_until_it_is_not(course, save):
    for blank, said in (["why"], "No response."), ([], None):
        save(record(blank=blank))
        with course.gradebook() as book:
            assert book.find_comment("why", *NAMES).auto_comment == said


def test_what_fails_half_way_leaves_all_as_it_was(course, save, monkeypatch):
    save(record())
    monkeypatch.setattr(records.json, "dumps", lambda one: 1 / 0)  # after the marks were written
    with pytest.raises(ZeroDivisionError):
        save(record(center=0.0))
    monkeypatch.undo()
    assert course.marks() == {"anna": (2, 4, None)} and course.records()["anna"] == record()


def test_who_was_graded_by_other_checks_or_another_release_is_counted(course, save):
    save(replace(record(), work="1")), save(replace(record(), work="1", student="ben", checks="other"))
    save(replace(record(), work='"work": "', student="cleo"))
    with Course.at(course.folder).ledger() as ledger:
        forget_work(ledger, "cleo")
        assert [ledger.judged_otherwise(tiny.NAME, checks) for checks in ("checks", "other", "%")] == [2, 2, 3]


def forget_work(ledger, student):
    """Make a record as an earlier release wrote it."""
    row = ledger.book.db.get(Row, (tiny.NAME, student))
    kept = {name: value for name, value in json.loads(row.content).items() if name != "work"}
    row.content = json.dumps({**kept, "blank": ['"work": "']})
    ledger.book.db.commit()


def test_who_is_to_be_graded_again_is_known_until_it_is_done(course, save):
    with Course.at(course.folder).ledger() as ledger:
        ledger.grade_again(tiny.NAME, ["anna", "ben"]), ledger.grade_again(tiny.NAME, ["ben"])
    save(record())
    with Course.at(course.folder).ledger() as ledger:
        assert ledger.again(tiny.NAME) == {"ben"}


def test_marks_that_two_people_give_while_the_class_is_graded_are_all_kept(course, save):
    students = [f"student{number}" for number in range(10)]
    for student in students:
        save(replace(record(), student=student))
    people = [Thread(target=mark_all, args=(course, cell, students)) for cell in ("why", "spread-checks")]
    for person in people:
        person.start()
    for student in students * 2:
        save(replace(record(center=1.0), student=student))
    for person in people:
        person.join()
    with course.gradebook() as book:
        notebooks = [book.find_submission_notebook(tiny.NAME, tiny.NAME, student) for student in students]
        assert [notebook.score for notebook in notebooks] == [1 + 0.5 + 0.5] * 10


def mark_all(course, cell, students):
    """Give half a point for a cell to each, as formgrader does: with one gradebook, a commit for each."""
    with course.gradebook() as book:
        for student in students:
            book.find_grade(cell, tiny.NAME, tiny.NAME, student).manual_score = 0.5
            book.db.commit()
# A gradebook of an earlier release.


@pytest.fixture
def old(tmp_path, lab):
    """A class that was graded and marked by an earlier release."""
    return Class.of_an_earlier_release(tmp_path / "course", lab)


def content(path):
    """All that an SQLite database holds, as lines."""
    with closing(sqlite3.connect(path)) as book:
        return set(book.iterdump())


def test_a_gradebook_of_an_earlier_release_is_copied_once_before_it_is_changed_and_loses_nothing(old, capsys):
    before = content(old.folder / "gradebook.db")
    for _ in range(2):
        assert old.records().keys() == {"anna", "ben", "cleo", "dóra"}
    [copy] = old.folder.glob("gradebook.db.*.bak")
    assert content(copy) == before < content(old.folder / "gradebook.db") and copy.name in capsys.readouterr().err


def test_nbgraders_own_commands_keep_that_copy_too(old):
    assert old.nbgrader("export").status == 0
    assert len([*old.folder.glob("gradebook.db.*.bak")]) == 1


def test_a_gradebook_that_is_new_or_of_this_release_is_not_copied(course, save, tmp_path):
    save(record())
    with Ledger(f"sqlite:///{tmp_path}/new.db", "attention"):
        assert [*tmp_path.rglob("*.bak")] == []


# What cannot be used.


def test_a_gradebooks_password_is_never_shown():
    with pytest.raises(LedgerError, match=r"gradebook postgresql\+nothing://ada:\*\*\*@localhost/book: ") as error, \
            Ledger("postgresql+nothing://ada:SECRET@localhost/book", "attention"):
        pass
    assert "SECRET" not in str(error.value)


@pytest.mark.parametrize("kind, stops", [(IntegrityError, False), (DataError, False), (OperationalError, True)])
def test_a_value_that_is_refused_is_one_submissions_and_a_gradebook_that_is_locked_everybodys(kind, stops):
    with pytest.raises(LedgerError, match="why") as caught, in_one_line("sqlite://"):
        raise kind("INSERT", {}, Exception("why"))
    assert stops_all(caught.value) == stops
