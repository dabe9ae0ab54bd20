"""The CSV file that a learning platform takes."""

import csv
import sys

import pytest

from grading.export import OneRowPerStudent
from tests.grading import tiny
from tests.grading.classes import Class, finished, start


@pytest.fixture
def course(given_out, tmp_path, lab):
    """Anna has 5.25 points less 1.5 for being late, Ben 0 as his penalty is larger; Cleo has handed in nothing."""
    course = Class.new(given_out, tmp_path / "course", lab)
    with course.gradebook() as book, book.db.no_autoflush:
        book.add_student("anna", last_name="Arendt", first_name="Hannah", email="a@example.org")
        book.add_student("ben"), book.add_student("cleo")
        for student, points, penalty in ("anna", 5.25, 1.5), ("ben", 1.0, 2.0):
            notebook = book.add_submission(tiny.NAME, student).notebooks[0]
            notebook.grades[0].manual_score, notebook.late_submission_penalty = points, penalty
        book.db.commit()
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
        ["ben", "", "", "", "0.0"],
        ["cleo", "", "", "", ""],
        ["anna", "Arendt", "Hannah", "a@example.org", "3.75"],
    ]


def test_students_and_labs_can_be_chosen(course, tmp_path):
    chosen = export(course, tmp_path / "marks.csv", student=["ben"], assignment=["another"])
    assert chosen == [["student_id", "last_name", "first_name", "email"], ["ben", "", "", ""]]


def test_nbgraders_own_command_writes_it(course, tmp_path):
    database, path = f"--db=sqlite:///{course.folder / 'gradebook.db'}", tmp_path / "marks.csv"
    done = finished(start([sys.executable, "-m", "nbgrader", "export", "--exporter=grading.export.OneRowPerStudent",
                           database, f"--to={path}"]))
    assert done.status == 0 and len(read(path)) == 4, done.err
