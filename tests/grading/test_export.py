"""nbgrader's export with a row for each student: the same marks, and as safe, as `python -m grading marks`."""

import csv
import sys

import pytest

from grading.export import OneRowPerStudent
from tests.grading import tiny
from tests.grading.classes import Class, finished, start


@pytest.fixture
def course(given_out, tmp_path, lab, monkeypatch):
    """Anna has 5.25 points less 1.5 for being late, Ben 0 as his penalty is larger; Cleo has handed in nothing."""
    course = Class.new(given_out, tmp_path / "course", lab)
    monkeypatch.setattr("grading.export.settle", lambda *_: [])  # penalties are as they are here
    about = {"last_name": "Arendt", "first_name": "Hannah", "email": "a@example.org"}
    course.mark("anna", center=1.25, why=0.0, penalty=1.5, **about)
    course.mark("ben", center=1.0, spread=0.0, why=0.0, penalty=2.0)
    with course.gradebook() as book:
        book.add_student("cleo")
    return course


def export(course, path, **options):
    """The rows of the file."""
    plugin = OneRowPerStudent(to=str(path), **options)
    with course.gradebook() as book:
        plugin.export(book)
    return read(path)


def read(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


def test_each_student_has_a_row_by_last_name_with_points_after_penalties_or_nothing(course, tmp_path):
    assert export(course, tmp_path / "marks.csv") == [
        ["student_id", "last_name", "first_name", "email", tiny.NAME],
        ["ben", "", "", "", "0"],
        ["cleo", "", "", "", ""],
        ["anna", "Arendt", "Hannah", "a@example.org", "3.75"],
    ]


def test_penalties_are_settled_before_marks_are_read(course, tmp_path, monkeypatch):
    monkeypatch.setattr("grading.export.settle", lambda *_: course.mark("ben", penalty=3.0) or [])
    assert export(course, tmp_path / "marks.csv", student=["ben"])[1][-1] == "5"


def test_a_mark_that_waits_for_a_person_is_not_exported(course, tmp_path):
    course.mark("ben", why=None)
    assert export(course, tmp_path / "marks.csv", student=["ben"])[1:] == [["ben", "", "", "", ""]]


def test_what_a_spreadsheet_would_run_is_left_out_as_an_id_and_made_safe_as_a_name(course, tmp_path, caplog):
    course.mark("@sum"), course.mark("ben", last_name="=1+1")
    rows = export(course, tmp_path / "marks.csv")
    assert ["ben", "'=1+1", "", "", "8"] in rows and "@sum" not in str(rows) and "'@sum' is left out" in caplog.text


def test_students_and_labs_can_be_chosen(course, tmp_path):
    chosen = export(course, tmp_path / "marks.csv", student=["ben"], assignment=["another"])
    assert chosen == [["student_id", "last_name", "first_name", "email"], ["ben", "", "", ""]]


def test_nbgraders_own_command_writes_it(course, tmp_path):
    database, path = f"--db=sqlite:///{course.folder / 'gradebook.db'}", tmp_path / "marks.csv"
    done = finished(start([sys.executable, "-m", "nbgrader", "export", "--exporter=grading.export.OneRowPerStudent",
                           database, f"--to={path}"]))
    assert done.status == 0 and len(read(path)) == 4, done.err
