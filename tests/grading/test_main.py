"""What `python -m grading grade` says when it cannot grade: one clear line, exit status 1, no traceback."""

import shutil
import socket
import sqlite3
import sys
from pathlib import Path

import pytest
from distributed.security import Security

from grading.__main__ import main
from grading.room import sandbox
from tests.grading import tiny
from tests.grading.classes import Class, finished, keys, said
from tests.needs import bubblewrap

ROOT = Path(__file__).parents[2]


@pytest.fixture
def course(given_out, tmp_path, lab):
    """Anna has handed in, nothing was graded."""
    course = Class.new(given_out, tmp_path / "course", lab)
    course.hand_in("anna")
    return course


def refused(done, *says):
    """Did the command end with status 1 and one line that says this?"""
    return done.status == 1 and done.err.count("\n") == 1 and all(word in done.err for word in says)


def test_an_unknown_student_is_named(course):
    assert refused(course.grade("--student", "anna", "ben"), "student: expected some who handed in, got ben")


def test_an_unknown_lab_is_named_with_those_that_there_are(course):
    assert refused(course.grade(lab="lab_tinny"), f"lab: expected one of ['{tiny.NAME}'], got 'lab_tinny'")


def test_of_an_empty_class_it_is_said_where_one_was_looked_for(course):
    shutil.rmtree(course.folder / "submitted")
    assert refused(course.grade(), "submissions: expected some in", "submitted")


def test_a_folder_that_is_not_there_is_refused_with_what_makes_it(course, tmp_path):
    done = said(main, ["grade", tiny.NAME, "--course-dir", str(tmp_path / "nowhere")])
    assert refused(done, "class: expected a folder", "nowhere", "python -m grading init")


def test_a_course_that_student_code_could_read_is_refused(course, monkeypatch):
    monkeypatch.setattr(sandbox, "readable", lambda packages: [str(course.folder.parent)])
    assert refused(course.grade(), str(course.folder), "which student code can read: move it elsewhere")


def test_labs_that_have_moved_are_missed_by_name(course):
    (course.folder / "labs").rename(course.folder / "moved")
    assert refused(course.grade(), "labs: expected a folder", "write into", "nbgrader_config.py where they are now")


def test_a_configuration_that_fails_is_named(course):
    (course.folder / "nbgrader_config.py").write_text("c.TwoRooms.cell = = 1")
    assert refused(course.grade(), "nbgrader_config.py: SyntaxError")


def test_a_gradebook_of_another_version_is_refused_with_what_to_run(course):
    with sqlite3.connect(course.folder / "gradebook.db") as database:
        database.execute("ALTER TABLE notebook DROP COLUMN kernelspec")
    assert refused(course.grade(), "kernelspec", "nbgrader db upgrade")


def test_a_file_that_is_no_database_is_refused(course):
    (course.folder / "gradebook.db").write_text("marks\n" * 1000)
    assert refused(course.grade(), "file is not a database")


def test_a_locked_gradebook_is_refused(course):
    with (course.folder / "nbgrader_config.py").open("a") as config:  # SQLite waits for five seconds else
        config.write(f"c.CourseDirectory.db_url = 'sqlite:///{course.folder}/gradebook.db?timeout=0.1'\n")
    with sqlite3.connect(course.folder / "gradebook.db") as database:
        database.execute("BEGIN EXCLUSIVE")
        assert refused(course.grade(), "database is locked")


@pytest.mark.parametrize("command", [["grade"], ["deadline", "2030-01-01", "12:00"], ["extend", "anna", "--days", "1"]])
def test_a_gradebook_that_may_only_be_read_is_one_line(course, command):
    assert said(main, ["deadline", tiny.NAME, "2030-01-01 10:00 UTC", "--course-dir", str(course.folder)]).status == 0
    course.use(f"c.CourseDirectory.db_url = 'sqlite:///file:{course.folder}/gradebook.db?mode=ro&uri=true'\n")
    done = said(main, [command[0], tiny.NAME, *command[1:], "--course-dir", str(course.folder)])
    assert done.status == 1 and "it may only be read" in done.error and "Traceback" not in done.err


@bubblewrap
def test_a_directory_that_cannot_be_written_is_refused_and_nobody_is_marked(course, tmp_path):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    seen = [word for path in (sys.prefix, ROOT, course.folder) for word in ("--ro-bind", path, path)]
    wall = [sandbox.program(), "--ro-bind", "/", "/", "--dev-bind", "/dev", "/dev", "--bind", scratch, "/tmp", *seen]
    done = finished(course.start("--workers", 1, "--unsafe-no-sandbox", prefix=wall))
    assert done.status == 1 and "Read-only file system" in done.error and "Traceback" not in done.err
    assert course.records() == {}


@pytest.mark.parametrize("address", ["tcp://192.0.2.1:8786", "192.0.2.1:8786", "http://localhost:8786", "tls://",
                                     "tcp://127.0.0.1:8786"])
def test_an_address_where_anybody_could_listen_or_speak_is_refused(course, address):
    assert refused(course.grade("--scheduler", address), "scheduler: expected tls://", repr(address))


def test_a_scheduler_without_the_files_that_open_it_is_one_line(course):
    assert refused(course.grade("--scheduler", "tls://127.0.0.1:8786"), "scheduler: expected the files --tls-ca")


def test_a_scheduler_that_does_not_answer_is_one_line(course, monkeypatch, tmp_path):
    monkeypatch.setattr("grading.cluster.ANSWER", 1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"tls://127.0.0.1:{silent.getsockname()[1]}"
        done = course.grade("--scheduler", address, *keys(Security.temporary(), tmp_path))
    assert done.status == 1 and f"scheduler: no answer from {address}" in done.error and "Traceback" not in done.err


@pytest.mark.parametrize("command", [["deadline", tiny.NAME], ["grade", tiny.NAME], ["marks", "--for", "csv"]],
                         ids=lambda command: command[0])
def test_a_folder_that_is_no_class_is_not_made_one_by_what_was_meant_for_another(command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = said(main, command)
    assert done.status == 1 and "expected to be in a class's folder" in done.err and not list(tmp_path.iterdir())
