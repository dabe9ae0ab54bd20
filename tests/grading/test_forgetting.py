"""`python -m grading forget` deletes all that is kept about a student, and nothing of anybody else's.

`python -m grading give-back` packs pages so that Moodle finds whose they are (mod/assign/feedback/file/importziplib.php
of Moodle's source: a folder's name is split at "_", the second part is the participant's number).
"""

import os
import sqlite3
import zipfile
from contextlib import closing
from dataclasses import replace
from datetime import datetime

import pytest

from grading.course import Course
from grading.gradebook import ChosenRow
from grading.roster import Match, Person, read_matches, read_students, write_matches, write_students
from tests.grading import tiny
from tests.grading.classes import Class
from tests.grading.test_records import record

DAY = datetime(2030, 1, 1)


@pytest.fixture
def course(given_out, tmp_path, lab):
    """Anna_7 and Ben have handed in, were marked, have pages, and are on the lists."""
    course = Class.new(given_out, tmp_path / "course", lab)
    people = [Person(id=id, name=f"{id} of the class") for id in ("anna_7", "ben")]
    write_students(course.folder, people)
    write_matches(course.folder, [Match(tiny.NAME, one.name, number, one.id)
                                  for one, number in zip(people, ("1001", "1002"), strict=True)])
    with Course.at(course.folder).ledger() as ledger:
        ledger.expect(lab)
        for one in people:
            _know(course, ledger, one.id)
        ledger.book.db.commit()
    return course


def _know(course, ledger, student):
    course.hand_in(student)
    ledger.save(replace(record(), student=student))
    ledger.note_hand_in(tiny.NAME, student, DAY, "the tests")
    notebook = ledger.book.find_submission_notebook(tiny.NAME, tiny.NAME, student)
    ledger.book.db.add(ChosenRow(notebook=notebook.id, question="why", content=f'["of {student}"]'))
    page = course.folder / "feedback" / student / tiny.NAME / f"{tiny.NAME}.html"
    page.parent.mkdir(parents=True)
    page.write_text(f"page of {student}")


def all_text(course):
    """Names of all files, and every row of the gradebook, as one text."""
    with closing(sqlite3.connect(course.folder / "gradebook.db")) as book:
        rows = "\n".join(book.iterdump())
    return rows + "\n".join(f"{path} {path.read_text(errors='replace')}" for path in course.folder.rglob("*")
                            if path.is_file() and path.suffix != ".db")


def test_nothing_is_left_of_who_is_forgotten_and_all_of_the_others(course):
    before = all_text(course).count("ben")
    done = course.run("forget", "anna_7", "--yes")
    assert done.status == 0 and "anna_7" not in all_text(course) and all_text(course).count("ben") == before
    assert list(read_students(course.folder)) == ["ben"] and len(read_matches(course.folder)) == 1


def test_without_a_yes_it_is_only_said_what_is_kept(course):
    before = all_text(course)
    done = course.run("forget", "anna_7")
    assert "anna_7: submitted/anna_7/, feedback/anna_7/, their rows of the gradebook, a line of" in done.out
    assert "Nothing was deleted: add --yes." in done.out and all_text(course) == before


@pytest.mark.parametrize("student", ["..", ".", "a/b", ""])
def test_what_can_be_nobodys_id_deletes_nothing(course, student):
    before = all_text(course)
    done = course.run("forget", student, "--yes")
    assert done.status == 1 and "expected ids" in done.err and all_text(course) == before


def test_of_a_student_nobody_knows_that_is_said_and_fails(course):
    done = course.run("forget", "nobody", "--yes")
    assert done.status == 1 and "nobody: nothing is kept" in done.out


def test_pages_are_packed_under_the_number_that_moodle_looks_for(course):
    assert course.run("give-back", tiny.NAME, "--for", "moodle").status == 0
    with zipfile.ZipFile(course.folder / f"feedback-{tiny.NAME}.zip") as file:
        found = {name.split("_", 4)[1]: file.read(name).decode() for name in file.namelist()}
    assert found == {"1001": "page of anna_7", "1002": "page of ben"}


def test_a_page_without_a_number_is_left_out_and_named_and_that_fails(course):
    write_matches(course.folder, [Match(tiny.NAME, "Ben", "1002", "ben")])
    done = course.run("give-back", tiny.NAME, "--for", "moodle")
    assert done.status == 1 and "left out: anna_7" in done.out


def test_a_student_is_forgotten_however_deep_their_folders_are(course):
    here = os.getcwd()
    os.chdir(course.folder / "submitted" / "ben")
    for _ in range(1200):
        os.mkdir("d")
        os.chdir("d")
    os.chdir(here)
    assert course.run("forget", "ben", "--yes").status == 0 and not (course.folder / "submitted" / "ben").exists()
