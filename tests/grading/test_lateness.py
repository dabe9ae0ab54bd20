"""Who is late and what it costs, as the deadline, extensions, times and points are now; the commands that set them."""

import csv
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from nbgrader.api import MissingEntry
from nbgrader.coursedir import CourseDirectory
from sqlalchemy import event
from sqlalchemy.engine import Engine
from sqlalchemy.exc import OperationalError

from grading import lateness
from grading.__main__ import main
from grading.clock import lasting, understood
from grading.course import Course
from grading.roster import Person, write_students
from tests.grading import tiny
from tests.grading.classes import Class, said
from tests.grading.test_records import by_hand, record

ZERO = "c.LateSubmissionPlugin.penalty_method = 'zero'\n"
PLUGIN = """
from nbgrader.plugins import LateSubmissionPlugin
class Own(LateSubmissionPlugin):
    def late_submission_penalty(self, student_id, score, total_seconds_late):
        return {}
c.AssignLatePenalties.plugin_class = Own
"""
NAMES = tiny.NAME, "anna"
DUE = datetime(2030, 1, 1, 12)
HOURS = timedelta(hours=1)


class Term(Class):
    """A class whose gradebook the tests write by hand."""

    def ledger(self):
        return Course.at(self.folder).ledger()

    def mark(self, student="anna", hours=2, extension=None):
        """A student has 6 points, and handed in so many hours after the deadline."""
        with self.ledger() as ledger:
            ledger.expect(self.lab)
            ledger.save(replace(record(), student=student))
            ledger.set_due(tiny.NAME, DUE)
            ledger.extend(tiny.NAME, student, extension)
            if hours is not None:
                ledger.note_hand_in(tiny.NAME, student, DUE + hours * HOURS, "the tests")

    def settle(self):
        """{student: penalty} of the gradebook, once settled; what was said about it."""
        course = Course.at(self.folder)
        with course.ledger() as ledger:
            self.said = lateness.settle(ledger.book, course.config, [tiny.NAME])
            self.late = lateness.of(ledger.book, tiny.NAME)
            found = ledger.book.assignment_submissions(tiny.NAME)
            return {one.student.id: one.late_submission_penalty for one in found}

    def exported(self):
        """{student: score} of nbgrader's own export."""
        assert self.nbgrader("export").status == 0
        with (self.folder / "grades.csv").open(newline="") as file:
            return {row["student_id"]: float(row["score"]) for row in csv.DictReader(file)}

    def run(self, command, *options):
        """`python -m grading COMMAND LAB ...`"""
        return said(main, [command, tiny.NAME, *map(str, options), "--course-dir", str(self.folder)])


@pytest.fixture
def term(given_out, tmp_path, lab, url):
    """A class in which lateness costs everything, and the course's own time zone is that of Berlin."""
    config = f"{ZERO}c.TwoRooms.timezone = 'Europe/Berlin'\n"
    return Term.new(given_out, tmp_path / "course", lab, config=config, url=url)


# What a penalty follows from.


@pytest.mark.parametrize("hours, extension, penalty", [(-1, None, 0), (0, None, 0), (2, None, 6), (2, 3 * HOURS, 0),
                                                       (2, HOURS, 6), (None, None, 0)])
def test_a_penalty_follows_from_deadline_extension_and_time(term, hours, extension, penalty):
    term.mark(hours=hours, extension=extension)
    assert term.settle() == {"anna": penalty}


def test_a_deadline_that_is_moved_counts_at_once_and_back_again(term):
    term.mark()
    for hours, penalty in ((0, 6), (3, 0), (1, 6)):
        with term.ledger() as ledger:
            ledger.set_due(tiny.NAME, DUE + hours * HOURS)
        assert term.settle() == {"anna": penalty}


def test_a_deadline_that_is_taken_away_takes_the_penalties_with_it(term):
    term.mark(), term.settle()
    with term.ledger() as ledger:
        ledger.set_due(tiny.NAME, None)
    assert term.settle() == {"anna": 0} and term.late == {}


def test_an_extension_by_nbgraders_own_function_counts_too_with_or_without_a_deadline(term):
    term.mark()
    with term.gradebook() as book:
        book.grant_extension(*NAMES, hours=3)
    assert term.settle() == {"anna": 0}
    with term.ledger() as ledger:
        ledger.set_due(tiny.NAME, None)
    assert term.settle() == {"anna": 0}


def test_marks_that_are_given_by_hand_later_are_under_the_same_rule(term):
    term.mark(), term.settle()
    by_hand(term, 2.0)
    assert term.settle() == {"anna": 8}


def test_what_nbgrader_knew_of_the_time_counts_where_nobody_noted_another(term):
    term.mark(hours=None)
    with term.gradebook() as book:
        book.update_or_create_submission(*NAMES, timestamp=DUE + HOURS)
    assert term.settle() == {"anna": 6} and term.late["anna"].how == "nbgrader's gradebook"
    term.mark(hours=-1)
    assert term.settle() == {"anna": 0} and term.late["anna"].how == "the tests"


def test_nothing_is_written_where_nothing_changes(term):
    term.mark(), term.settle()
    with statements() as said:
        term.settle()
    assert said and not [one for one in said if one.startswith(("UPDATE", "INSERT", "DELETE"))]


@contextmanager
def statements():
    """All that databases are told meanwhile."""
    said, note = [], lambda connection, cursor, statement, *_: said.append(statement)
    event.listen(Engine, "before_cursor_execute", note)
    yield said
    event.remove(Engine, "before_cursor_execute", note)


@pytest.mark.parametrize("hours, says", [(2, "Late by 2 hours: 6 points are taken off."), (-2, "In time."),
                                         (None, "It is not known when it was handed in.")])
def test_it_is_said_how_late_somebody_is(term, hours, says):
    term.mark(hours=hours), term.settle()
    assert str(term.late["anna"]) == says


# What the instructor's plugin says.


@pytest.mark.parametrize("returns, penalty", [("1.5", 1.5), ("None", 0), ("-1", 0), ("99", 6), ("score / 4", 1.5),
                                              ("total_seconds_late / 7200", 1)])
def test_a_plugin_of_the_instructors_says_what_lateness_costs_within_the_score(term, returns, penalty):
    term.use(PLUGIN.format(returns)), term.mark()
    assert term.settle() == {"anna": penalty}


@pytest.mark.parametrize("returns, says", [("1 / 0", "ZeroDivisionError"), ("'much'", "TypeError"),
                                           ("float('nan')", "expected points, got nan")])
def test_a_plugin_that_fails_is_one_sentence_and_leaves_penalties_as_they_were(term, returns, says):
    term.use(PLUGIN.format(f"{returns} if student_id != 'dora' else 2"))
    for student in ("anna", "ben", "cleo", "dora", "emil"):
        term.mark(student)
    assert term.settle() == {"anna": 0, "ben": 0, "cleo": 0, "dora": 2, "emil": 0}
    assert len(term.said) == 1 and "anna, ben, cleo and 1 others stays as it was: Own raised" in term.said[0]
    assert says in term.said[0]


# Everything that shows or exports marks settles first.


def test_nbgraders_export_is_settled_first(term):
    term.mark(), term.mark("ben", hours=-1), term.settle()
    by_hand(term, 2.0)
    assert term.exported() == {"anna": 0, "ben": 6}


def test_a_gradebook_that_cannot_be_settled_is_not_exported(term, monkeypatch):
    term.mark()
    monkeypatch.setattr(lateness, "_penalties", refuse)
    done = term.nbgrader("export")
    assert done.status == 1 and "not now" in done.err and not (term.folder / "grades.csv").exists()


def refuse(*_):
    raise OperationalError("UPDATE", {}, Exception("not now"))


def test_formgraders_pages_are_settled_first(term):
    term.mark()
    course = Course.at(term.folder)  # which reads nbgrader_config.py
    api = lateness.NbGraderAPI(CourseDirectory(config=course.config), config=course.config)
    with api.gradebook as book:
        assert book.find_submission(*NAMES).late_submission_penalty == 6


def test_a_page_of_formgraders_is_settled_once_however_often_it_opens_the_gradebook(term, monkeypatch):
    course, settled = Course.at(term.folder), []
    monkeypatch.setattr(lateness, "settle", lambda *_: settled.append(1) or [])
    api = lateness.NbGraderAPI(CourseDirectory(config=course.config), config=course.config)
    for _ in range(3):
        api.gradebook.close()
    assert settled == [1]


# When somebody handed in.


def test_a_time_that_is_noted_makes_nobody_a_submitter(term):
    with term.ledger() as ledger:
        ledger.note_hand_in(tiny.NAME, "zoë", DUE, "Moodle's grading worksheet")
        assert ledger.hand_ins(tiny.NAME) == {"zoë": (DUE, "Moodle's grading worksheet")}
    assert term.settle() == {} and term.late == {}


def test_the_time_that_was_noted_last_counts_and_stands_in_nbgraders_column(term):
    term.mark(hours=2), term.mark(hours=5), term.settle()
    with term.gradebook() as book:
        assert book.find_submission(*NAMES).timestamp == DUE + 5 * HOURS


def test_a_stamp_within_a_submission_decides_nothing(term):
    term.hand_in("anna", stamp="2029-01-01 00:00:00 UTC")
    task = Course.at(term.folder).task(tiny.NAME, "anna")
    term.hand_in("anna", stamp="2031-01-01 00:00:00 UTC")
    assert task == Course.at(term.folder).task(tiny.NAME, "anna") and not hasattr(task, "handed_in")


LATE = "Canvas, which says it was late"
NOTE = f"python -m grading handed-in {tiny.NAME} STUDENT TIME"


def said_late(term, *students, hours=None):
    """A platform calls these late, and says no more."""
    for student in students:
        term.mark(student, hours=hours)
        with term.ledger() as ledger:
            ledger.note_late(tiny.NAME, student, LATE)


def test_all_whom_the_platform_calls_late_are_named_first_with_what_to_type(term):
    said_late(term, "a", "b", "c", "d", "e"), term.mark("f", hours=None), term.settle()
    first, second = lateness.unknown(term.late, tiny.NAME)
    assert "a, b, c, d, e handed in late" in first and first.endswith(NOTE) and "when f handed in" in second
    assert LATE in str(term.late["a"]) and term.late["a"].said_late and not term.late["f"].said_late


def test_a_time_that_is_known_says_more_than_that_it_was_late(term):
    said_late(term, "anna", hours=-1)
    assert term.settle() == {"anna": 0} and lateness.unknown(term.late, tiny.NAME) == []


def test_who_is_late_by_an_unknown_time_makes_marks_fail_until_it_is_noted(term):
    said_late(term, "anna"), by_hand(term, 2.0)
    done = term.run("marks", "--for", "csv")
    assert done.status == 1 and NOTE in done.out
    term.run("handed-in", "anna", "2030-01-01 14:00")
    done = term.run("marks", "--for", "csv")
    assert done.status == 0 and NOTE not in done.out and term.settle() == {"anna": 8}


def test_who_is_late_by_an_unknown_time_and_has_no_mark_yet_does_not_make_marks_fail(term):
    said_late(term, "anna")
    done = term.run("marks", "--for", "csv")
    assert done.status == 0 and NOTE in done.out


def test_a_time_is_noted_by_hand_shown_and_taken_back(term):
    term.mark(hours=None), term.mark("ben", hours=None)
    done = term.run("handed-in", "anna", "ben", "2030-01-01 14:00")
    assert done.out.startswith("No zone was given") and term.settle() == {"anna": 6, "ben": 6}
    assert "anna: Tuesday 2030-01-01 14:00 Europe/Berlin, which is 2030-01-01 13:00 UTC (noted by hand)" in done.out
    assert term.run("handed-in").out == done.out.partition("\n")[2]
    assert term.run("handed-in", "anna", "--none").out == "anna: time unknown\n" and term.settle()["anna"] == 0


@pytest.mark.parametrize("words, says", [
    (["anna", "2030-01-01", "14:00"], "got '14:00'"), (["anna", "a b"], "got 'a b'"),
    (["2030-01-01 14:00"], "expected ids, got none"),
])
def test_a_time_that_cannot_be_noted_is_refused_in_one_sentence(term, words, says):
    term.mark(hours=None)
    done = term.run("handed-in", *words)
    assert done.status == 1 and says in done.error and done.err.count("\n") == 1


# More time.


def test_an_extension_waits_for_who_has_not_handed_in_and_is_no_submission(term):
    term.mark("ben"), write_students(term.folder, [Person("anna")])
    assert term.run("extend", "anna", "--days", 2).status == 0
    with term.gradebook() as book, pytest.raises(MissingEntry):
        book.find_submission(*NAMES)
    assert "anna: 2 days more, until" in term.run("extend").out
    with term.ledger() as ledger:
        ledger.expect(term.lab)
        ledger.note_hand_in(tiny.NAME, "anna", DUE + 2 * HOURS, "the tests"), ledger.save(record())
    assert term.settle() == {"anna": 0, "ben": 6}
    with term.gradebook() as book:
        assert book.find_submission(*NAMES).extension == timedelta(days=2)


def test_an_extension_is_shown_replaced_and_taken_back(term):
    term.mark()
    assert "anna: 3 days more, until Friday 2030-01-04 13:00 Europe" in term.run("extend", "anna", "--days", 3).out
    assert "anna: 1 day 11 hours more" in term.run("extend", "anna", "--until", "2030-01-03", "00:00").out
    assert "anna: no extension" in term.run("extend", "anna", "--none").out and term.settle() == {"anna": 6}


@pytest.mark.parametrize("options, says", [
    (["anna", "--days", "0"], "expected a time after the deadline"),
    (["anna", "--days", "nan"], "expected a time after the deadline"),
    (["anna", "--days", "1e9"], "expected a time after the deadline"),
    (["anna", "--until", "2030-01-01 10:00"], "expected a time after the deadline"),
    (["an/na", "--days", "1"], "student: expected ids, got 'an/na'"),
    (["--days", "1"], "student: expected ids, got none"),
])
def test_an_extension_that_makes_no_sense_is_refused_in_one_sentence(term, options, says):
    term.mark()
    done = term.run("extend", *options)
    assert done.status == 1 and says in done.error and done.err.count("\n") == 1


@pytest.mark.parametrize("command", [
    ["extend", "anna", "{}", "--days", "3"], ["handed-in", "anna", "{}", "2030-01-01 09:00"],
], ids=["extend", "handed-in"])
@pytest.mark.parametrize("id, near", [("ana", ": is 'anna' meant?"), ("zoë.müler", ": is 'zoë.müller' meant?"),
                                      ("xyz", "")])
def test_a_student_whom_nothing_knows_is_refused_with_the_nearest_and_nothing_is_set(term, command, id, near):
    term.mark(hours=None), write_students(term.folder, [Person("zoë.müller")])
    done = term.run(*(word.format(id) for word in command))
    assert done.status == 1 and done.err == (
        f"student: expected the id of somebody in the class, got {id!r}{near} (the class is entered by python -m "
        "grading roster or collect)\n")
    with term.ledger() as ledger:
        assert ledger.students() == {"anna"} and ledger.extensions(tiny.NAME) == ledger.hand_ins(tiny.NAME) == {}


@pytest.mark.parametrize("name", [tiny.NAME, "lab_other"])
def test_who_has_only_a_folder_among_what_was_handed_in_is_known(term, name):
    term.mark(), (term.folder / "submitted" / "folder" / name).mkdir(parents=True)
    assert term.run("extend", "folder", "--days", 3).status == 0


def test_an_extension_of_a_lab_without_a_deadline_is_refused_with_what_to_run(term):
    done = term.run("extend", "anna", "--days", 1)
    assert done.status == 1 and f"python -m grading deadline {tiny.NAME} TIME" in done.error


# Deadlines.


def test_a_deadline_is_shown_set_moved_and_taken_away(term):
    assert term.run("deadline").out == f"{tiny.NAME}: no deadline\n"
    done = term.run("deadline", "2030-01-01", "13:00")
    assert done.out == ("No zone was given: it is taken in the course's own, Europe/Berlin (c.TwoRooms.timezone).\n"
                        f"{tiny.NAME}: Tuesday 2030-01-01 13:00 Europe/Berlin, which is 2030-01-01 12:00 UTC\n")
    with term.ledger() as ledger:
        assert ledger.due(tiny.NAME) == DUE
    assert term.run("deadline", "--none").out == f"{tiny.NAME}: no deadline\n"


def test_a_deadline_that_is_moved_shows_whose_extension_moves_with_it(term):
    term.mark(extension=24 * HOURS)
    done = term.run("deadline", "2030-02-01 13:00 Europe/Berlin")
    assert "anna: 1 day more, until Saturday 2030-02-02 13:00" in done.out


def test_a_deadline_is_for_a_lab_that_there_is(term):
    done = said(main, ["deadline", "lab_tinny", "--course-dir", str(term.folder)])
    assert done.status == 1 and "lab: expected one of" in done.error


# Times as people write them.


@pytest.mark.parametrize("text, utc", [
    ("2030-01-01 12:00", "2030-01-01 11:00"),
    ("2030-07-01 12:00", "2030-07-01 10:00"),
    ("2030-01-01T12:00:30", "2030-01-01 11:00:30"),
    ("2030-01-01 12:00 UTC", "2030-01-01 12:00"),
    ("2030-01-01T12:00Z", "2030-01-01 12:00"),
    ("2030-01-01 12:00 America/New_York", "2030-01-01 17:00"),
    ("2030-01-01 12:00 +0530", "2030-01-01 06:30"),
    ("2030-01-01T12:00:00-03:00", "2030-01-01 15:00"),
])
def test_a_time_is_understood_in_its_zone_or_in_the_courses_own(text, utc):
    assert understood(text, "Europe/Berlin").utc == datetime.fromisoformat(utc)


@pytest.mark.parametrize("text", ["", "tomorrow", "2030-01-01", "01/02/2030 12:00", "2030-13-01 12:00",
                                  "2030-01-01 25:00", "2030-01-01 12:00 Mars/Olympus", "2030-01-01 12:00 ../passwd",
                                  "2030-01-01 12:00 Europe", "9999-12-31 23:59 -05:00", "2030-01-01 12:00 +99:00"])
def test_a_time_that_could_be_another_is_refused_in_one_sentence(text):
    with pytest.raises(ValueError, match=r"^time[^\n]*expected[^\n]*got[^\n]*$"):
        understood(text, "Europe/Berlin")


@pytest.mark.parametrize("text, utc, says", [
    ("2030-10-27 02:30", "2030-10-27 01:30", "02:30 comes twice: the second one is meant"),
    ("2030-03-31 02:30", "2030-03-31 01:30", "there is no 02:30"),
])
def test_an_hour_that_comes_twice_or_never_is_said(text, utc, says):
    moment = understood(f"{text} Europe/Berlin", "UTC")
    assert moment.utc == datetime.fromisoformat(utc) and says in moment.notes[0]


@pytest.mark.parametrize("seconds, words", [(0.2, "1 second"), (61, "1 minute 1 second"), (7200, "2 hours"),
                                            (86400 + 60, "1 day"), (3 * 86400 + 7260, "3 days 2 hours")])
def test_how_long_is_said_in_two_units(seconds, words):
    assert lasting(seconds) == words
