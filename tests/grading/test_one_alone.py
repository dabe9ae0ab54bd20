"""Whatever is wrong with one submission in being read, written or told, it is that one's alone."""

import errno

import pytest

from grading.course import Course, change, line, write_files
from grading.records import Record
from tests.grading import tiny

ERRORS = [RecursionError("too deep"), OSError(errno.ENAMETOOLONG, "too long"), MemoryError(), UnicodeError("odd")]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_whatever_goes_wrong_in_reading_a_submission_is_that_submissions(monkeypatch, tmp_path, error):
    def broken(*_):
        raise error

    monkeypatch.setattr("grading.course.read_submission", broken)
    task = Course.at(tmp_path).task(tiny.NAME, "anna")
    assert type(error).__name__ in task.unread and "could not be read" in task.problems[0]


@pytest.mark.parametrize("name", ["x" * 300, "good/x", "a/" * 2500 + "x"],
                         ids=["a long name", "below a file", "a long path"])
def test_a_helper_file_that_cannot_be_written_costs_no_other(tmp_path, name):
    write_files(tmp_path, {"good": b"1", name: b"2", "later": b"3"})
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_file()) == ["good", "later"]


def test_a_disk_that_is_full_stops_the_run(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "no space left")

    monkeypatch.setattr("pathlib.Path.write_bytes", full)
    with pytest.raises(OSError, match="no space left"):
        write_files(tmp_path, {"a": b"1"})


def record(**more):
    return Record("anna", "lab", "hash", "checks", {}, [], more.pop("problems", []), 1.0, "2030", **more)


def test_the_summary_says_problems_before_notices():
    assert line(record(problems=["Look here."], notices=["By the way."]))[2] == ["Look here.", "By the way."]


def test_a_record_of_an_earlier_release_is_never_said_to_be_handed_in_again():
    before, now = record(), record(work="1")
    object.__setattr__(now, "submission", "another hash")
    assert change(now, before) == [] and change(now, record(work="0")) == ["Handed in again: same mark."]
