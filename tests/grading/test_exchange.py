"""nbgrader's exchange, whose folders students write themselves: what is collected, noted, and given back."""

import os
from datetime import datetime
from pathlib import Path

import pytest

from grading.course import Course
from tests.grading import tiny
from tests.grading.classes import Class

MORNING, NOON = "2030-01-02 08:00:00.000000 UTC", "2030-01-02 12:00:00.000000 UTC"  # no file is changed so late


@pytest.fixture
def course(given_out, tmp_path, lab):
    """A class with an exchange, in which nobody has handed in anything."""
    course = Class.new(given_out, tmp_path / "course (1) [2]", lab,
                       config=f"c.Exchange.root = {str(tmp_path / 'exchange')!r}\n")
    assert course.nbgrader("release_assignment", tiny.NAME).status == 0
    return course


@pytest.fixture
def submit(course, tmp_path, lab):
    """Put a folder into the exchange, as `nbgrader submit` does. Returns it."""
    def submit_one(student, time=MORNING, name=None, **answers):
        folder = tmp_path / "exchange" / "attention" / "inbound" / (name or f"{student}+{tiny.NAME}+{time}+random")
        folder.mkdir()
        (folder / f"{tiny.NAME}.ipynb").write_bytes(tiny.to_bytes(tiny.filled(lab, **answers)))
        (folder / "submission_secret.txt").write_text(f"secret of {student}")
        return folder
    return submit_one


def collect(course, *options):
    done = course.nbgrader("collect", tiny.NAME, *options)
    assert done.status == 0, done.err
    return done.err


def collected(course):
    """{student: {names of the files}} of what was taken in."""
    return {folder.parent.name: {path.name for path in folder.rglob("*")}
            for folder in (course.folder / "submitted").glob(f"*/{tiny.NAME}")}


def times(course):
    with Course.at(course.folder).ledger() as ledger:
        return ledger.hand_ins(tiny.NAME)


FILES = {f"{tiny.NAME}.ipynb", "submission_secret.txt"}


def test_the_time_is_noted_outside_of_what_was_handed_in(course, submit):
    (submit("anna") / "timestamp.txt").write_text("1999-01-01 00:00:00 UTC")
    collect(course)
    assert times(course) == {"anna": (datetime(2030, 1, 2, 8), "nbgrader's exchange")}


def test_a_newer_one_replaces_it_if_it_is_asked_for_and_its_time_is_noted(course, submit):
    submit("anna")
    collect(course)
    submit("anna", NOON, why="another answer")
    assert "0 of 1" in collect(course) and "1 of 1" in collect(course, "--update")
    assert times(course)["anna"][0] == datetime(2030, 1, 2, 12)
    assert b"another answer" in (course.folder / "submitted" / "anna" / tiny.NAME / f"{tiny.NAME}.ipynb").read_bytes()


@pytest.mark.parametrize("update", [["--update"], []], ids=["update", "once"])
def test_what_was_collected_is_not_collected_again(course, submit, update):
    submit("anna"), submit("ben")
    assert "2 of 2" in collect(course) and "0 of 2" in collect(course, *update)


def test_what_another_way_brought_is_replaced_only_if_that_is_asked_for(course, submit):
    course.hand_in("anna", why="by mail")
    submit("anna")
    assert "0 of 1" in collect(course) and times(course) == {}
    assert "1 of 1" in collect(course, "--update") and times(course) != {}


def test_a_link_brings_no_file_of_yours_and_is_named(course, submit, tmp_path):
    (tmp_path / "gradebook").write_text("SECRET")
    folder = submit("mallory")
    (folder / "stolen.txt").symlink_to(tmp_path / "gradebook")
    (folder / "folder").symlink_to(tmp_path)
    os.mkfifo(folder / "pipe")
    said = collect(course)
    assert collected(course) == {"mallory": FILES} and "stolen.txt" in said and "pipe" in said


def test_a_folder_that_is_itself_a_link_is_not_collected(course, submit, tmp_path):
    place = submit("anna").parent
    (place / f"mallory+{tiny.NAME}+{MORNING}+random").symlink_to(course.folder)
    said = collect(course)
    assert collected(course) == {"anna": FILES} and "mallory: not collected: expected a folder" in said


@pytest.mark.parametrize("name", ["", "a b", "a\nb", "a;b", "a\x1b[2J"])
def test_a_name_that_cannot_be_a_students_is_not_collected_and_the_others_are(course, submit, name):
    submit(name), submit("anna")
    said = collect(course)
    assert "not collected, as its name" in said and collected(course) == {"anna": FILES}
    assert "a\nb" not in said and "\x1b[2J" not in said


@pytest.mark.parametrize("name", ["mallory+{}+yesterday+x", "mallory+{}+", "mallory+{}+99999999999999-01-01+x"])
def test_a_time_that_is_none_is_not_collected_and_the_others_are(course, submit, name):
    submit("mallory", name=name.format(tiny.NAME)), submit("anna")
    assert "not collected, as its name" in collect(course) and collected(course) == {"anna": FILES}


def test_a_flood_of_files_is_not_collected_and_what_was_there_stays(course, submit):
    submit("mallory"), submit("anna")
    collect(course)
    flood = submit("mallory", NOON)
    for number in range(1001):
        (flood / str(number)).touch()
    assert "mallory: not collected: expected at most 1000 files" in collect(course, "--update")
    assert collected(course) == {"mallory": FILES, "anna": FILES} and times(course)["mallory"][0].hour == 8


def test_a_file_that_is_too_large_is_left_out_and_named(course, submit):
    (submit("anna") / "large.bin").write_bytes(b"x" * 5001)
    said = collect(course, "--CourseDirectory.max_file_size=5")
    assert "large.bin" in said and "large.bin" not in collected(course)["anna"]


def test_work_that_was_changed_after_the_time_that_it_names_is_named(course, submit):
    submit("honest", datetime.now().astimezone().strftime("%Y-%m-%d %H:%M:%S.%f %z"))
    submit("mallory", "2020-01-02 08:00:00.000000 UTC")
    said = collect(course)
    assert "mallory: handed in 2020-01-02 08:00 UTC by its name, but changed there" in said
    assert "honest: handed in" not in said


unclosed = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")


@unclosed  # nbgrader leaves a file open
def test_feedback_is_released_to_all_but_those_without_a_secret_who_are_named(course, submit, tmp_path):
    submit("anna"), submit("zoe")
    collect(course)
    course.hand_in("ben")
    assert course.nbgrader("autograde", tiny.NAME).status == course.nbgrader("generate_feedback", tiny.NAME).status == 0
    done = course.nbgrader("release_feedback", tiny.NAME)
    pages = list((tmp_path / "exchange" / "attention" / "feedback").glob("*.html"))
    assert done.status == 0 and "no feedback was released for ben" in done.err and len(pages) == 2


@unclosed
def test_only_those_who_are_asked_for_are_given_feedback(course, submit, tmp_path):
    submit("anna"), submit("ben")
    collect(course)
    assert course.nbgrader("autograde", tiny.NAME).status == course.nbgrader("generate_feedback", tiny.NAME).status == 0
    course.nbgrader("release_feedback", tiny.NAME, "--student", "anna")
    assert len(list(Path(tmp_path, "exchange", "attention", "feedback").iterdir())) == 1
