"""Whatever is wrong with one submission, in any stage and in any way, is that one's alone: the class is whole."""

import errno
import re
import signal
import time
from concurrent.futures import Future
from contextlib import nullcontext
from importlib import import_module

import pytest

from grading import apart, report
from grading.apart import STAGES, Apart, StopsAll
from grading.course import change, line, write_files
from grading.records import Record
from tests import needs
from tests.grading import tiny
from tests.grading.classes import Class


def hang():
    signal.setitimer(signal.ITIMER_REAL, 0.01)  # so that the test need not wait as long as a class would
    time.sleep(600)


def raises(error):
    def fail():
        raise error
    return fail


# {student: how each function fails for them}. Who comes first and last is healthy.
WAYS = {
    "deep": raises(RecursionError("too deep")),
    "giant": raises(MemoryError()),
    "hangs": hang,
    "longname": raises(OSError(errno.ENAMETOOLONG, "too long")),
    "odd": raises(KeyError("a bug")),
}
HEALTHY = ["anna", "zoe"]
GRADE, REPORT, SIMILAR = ["grade", tiny.NAME, "--feedback"], ["report", tiny.NAME], ["similar", tiny.NAME]
BREAKS = [  # (stage, a function of it, the command): one of each stage in every run, the others at night
    ("read", "grading.course.read_submission", GRADE),
    ("grade", "grading.marking.show", GRADE),
    ("deliver", "grading.records.Ledger.save", GRADE),
    ("page", "grading.giving_back.page", GRADE),
    ("record", "grading.records.Record.read", REPORT),
    ("report", "grading.report.row", REPORT),
    ("similar", "grading.similar.answers", SIMILAR),
]
MORE = [
    ("grade", "grading.work.choose", GRADE),
    ("grade", "grading.marking.repair", GRADE),
    ("grade", "grading.marking.judge", GRADE),
    ("deliver", "grading.work.result", GRADE),
    ("deliver", "grading.course.write_files", GRADE),
    ("page", "grading.giving_back.is_up_to_date", GRADE),
    ("page", "grading.giving_back.write", GRADE),
    ("report", "grading.report.pages", REPORT),
]
ALL = [pytest.param(*each, id=each[1], marks=[pytest.mark.nightly] if each in MORE else []) for each in BREAKS + MORE]


class Serial:
    """In place of a cluster: this process does one job after the other; `now` says whose."""

    now = ""

    def spread(self, client, function, jobs, seconds):
        for arguments, about in jobs:
            future, self.now = Future(), repr(about)
            signal.signal(signal.SIGALRM, lambda *_: raises(RuntimeError("the worker was ended"))())
            try:
                future.set_result(function(*arguments))
            except Exception as error:
                future.set_exception(error)
            signal.setitimer(signal.ITIMER_REAL, 0)
            self.now = ""
            yield future, about


@pytest.fixture
def serial(monkeypatch):
    one = Serial()
    monkeypatch.setattr("grading.runner.cluster", lambda options: nullcontext())
    monkeypatch.setattr("grading.runner.spread", one.spread)
    return one


@pytest.fixture
def course(given_out, tmp_path, lab):
    course = Class.new(given_out, tmp_path / "class", lab)
    for student in (*HEALTHY, *WAYS):
        course.hand_in(student, why=f"I am {student}.")
    return course


def let_fail(monkeypatch, path, serial):
    """Have a function fail in each way for whom that way is named after, whoever calls it."""
    def broken(*arguments):
        about = serial.now + repr([one for one in arguments if not isinstance(one, report.Class)])  # that is of all
        for student, fail in WAYS.items():
            if re.search(rf"I am {student}\.|(['\"/]){student}\1", about):
                fail()
        return real(*arguments)

    owner, _, name = path.rpartition(".")
    module, _, cls = owner.rpartition(".") if owner.rpartition(".")[2][0].isupper() else (owner, "", "")
    place = getattr(import_module(module), cls) if cls else import_module(module)
    real = getattr(place, name)
    monkeypatch.setattr(place, name, broken)


def page(course, student):
    return course.folder / "feedback" / student / tiny.NAME / f"{tiny.NAME}.html"


@needs.bubblewrap
@pytest.mark.parametrize("stage, function, command", ALL)
def test_whatever_fails_for_some_the_class_is_whole_and_they_are_named(stage, function, command, course, serial,
                                                                        monkeypatch):
    before, after = ([], [REPORT]) if command == GRADE else ([GRADE], [])
    assert all(course.run(*one).status == 0 for one in before)
    with monkeypatch.context() as patch:
        let_fail(patch, function, serial)
        done = course.run(*command)
    assert all(course.run(*one).status == 0 for one in after)
    page_of_class = course.folder / f"report-{tiny.NAME}.html"
    said = done.out + (page_of_class.read_text() if page_of_class.exists() else "")
    assert all(course.marks()[student] == (2, 4, None) and page(course, student).is_file() for student in HEALTHY)
    assert all(student in said for student in WAYS) and "Traceback" not in done.err
    assert "NEEDS THE INSTRUCTOR" in said if stage in ("read", "grade") else STAGES[stage] in said
    assert course.run(*GRADE).status == 0 and set(course.marks().values()) == {(2, 4, None)}, "healed"


def test_each_stage_is_made_to_fail():
    elsewhere = {"collect", "give back"}  # test_collect.py, test_exchange.py, test_giving_back.py
    assert {stage for stage, _, _ in BREAKS} | elsewhere == set(STAGES)


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(), StopsAll("no sandbox"),
                                   OSError(errno.ENOSPC, "full")], ids=lambda error: type(error).__name__)
def test_what_is_no_submissions_fault_stops_the_run(error):
    with pytest.raises(type(error)), Apart("anna", "read"):
        raise error


def test_what_swallows_the_alarm_is_told_again(monkeypatch):
    monkeypatch.setattr(apart, "AGAIN", 0.01)
    with Apart("anna", "page", seconds=0.01) as alone:
        try:
            time.sleep(600)
        except apart.TooLong:
            time.sleep(600)
    assert alone.why == "anna: has no page of feedback: grading.apart.TooLong: it took longer than 0.01 seconds " + (
        alone.why[alone.why.index("("):])


def test_a_stage_in_another_has_its_own_time_and_leaves_the_other_its():
    with Apart("anna", "deliver", seconds=0.05) as around:
        with Apart("anna", "record", seconds=600):
            pass
        time.sleep(600)
    assert "0.05 seconds" in around.why


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
