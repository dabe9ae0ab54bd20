"""The instructor's page about a class: its numbers are right, and it can be opened whatever was handed in."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from grading import report as page_of
from grading.records import Record
from grading.report import report, write_report
from tests.grading import tiny

MEAN, SCALE = ["the mean of each column is 0", True, "", 1.0], ["any scale", False, "divide by the spread", 1.0]
TRACEBACK = "Traceback (most recent call last):\nZeroDivisionError: <b>by zero</b>"
OUTSIDE = re.compile(r"https?:|//|url\(|@import|\bsrc=|\bon\w+=|<(script|iframe|object|embed|link|form|img)", re.I)


def mark(points, possible, verdicts=(), mistake=None, fault=None):
    return {"points": points, "possible": possible, "verdicts": list(verdicts), "mistake": mistake, "fault": fault}


def marks(center=2.0, spread=4.0, why=None, **more):
    """Marks of the tiny lab. What is said beyond points is of `center`."""
    return {"center-checks": mark(center, 2.0, **more), "spread-checks": mark(spread, 4.0), "why": mark(why, 2.0)}


def record(student, blank=(), problems=(), seconds=0.25, submission=None, **more):
    graded = "2030-01-02T03:04:05+00:00"
    return Record(student, tiny.NAME, submission or student, "checks", marks(**more), list(blank), list(problems),
                  seconds, graded)


@pytest.fixture
def untouched():
    """Nothing was answered."""
    return record("untouched", blank=["center", "spread", "why"], center=0.0, spread=0.0, why=0.0)


@pytest.fixture
def page(lab, tmp_path):
    """The page about some records."""
    def write(*records):
        write_report(list(records), lab, tmp_path / "report.html")
        return (tmp_path / "report.html").read_text(encoding="utf-8")
    return write


def found(findings):
    return [(finding.what, finding.students) for finding in findings]


def concerns(lab, *records):
    """{first words of a heading: [(what, students)]}"""
    return {heading.split(",")[0]: found(findings) for heading, findings in report(list(records), lab)["look"].items()}


# The numbers.


def test_points_by_hand_are_counted_apart(lab):
    told = report([record("anna")], lab)
    assert (told["by_checks"], told["by_hand"]) == (6.0, 2.0)


def test_median_and_mean_are_those_of_the_points_by_checks(lab):
    told = report([record("a", center=0.0, spread=0.0), record("b"), record("c", center=1.5)], lab)
    assert (told["median"], told["mean"]) == (5.5, (0 + 6 + 5.5) / 3)


def test_every_submission_is_in_one_column_and_full_marks_have_their_own(lab):
    told = report([record("a"), record("b", center=1.9), record("c", center=0.0), record("d")], lab)
    assert [column.count for column in told["marks"]] == [0, 0, 0, 0, 1, 1, 2]


def test_a_column_is_as_high_as_its_share_of_the_highest(lab):
    told = report([record("a"), record("b"), record("c", center=0.0)], lab)
    assert [column.height for column in told["marks"]] == [0, 0, 0, 0, 0.5, 0, 1]


@pytest.mark.parametrize("possible, columns", [(12, 13), (20, 21), (21, 11), (100, 21), (0, 1)])
def test_there_are_never_too_many_columns(possible, columns):
    assert len(page_of.marks_histogram([0.0, possible], possible)) == columns


def test_a_submission_whose_check_failed_is_left_out_of_the_marks(lab):
    told = report([record("a", center=None, fault=TRACEBACK), record("b")], lab)
    assert (told["left_out"], told["mean"], sum(column.count for column in told["marks"])) == (1, 6.0, 1)


def test_a_pass_rate_is_of_those_who_answered(lab, untouched):
    told = report([record("a", verdicts=[MEAN, SCALE]), record("b", verdicts=[MEAN]), untouched], lab)
    center = told["exercises"][0]
    assert center.blank == 1 and {c.law: (c.passed, c.judged) for c in center.checks} == {MEAN[0]: (2, 2),
                                                                                           SCALE[0]: (0, 1)}


def test_exercises_stand_as_in_the_notebook_and_the_hardest_check_first(lab):
    told = report([record("a", verdicts=[MEAN, SCALE])], lab)
    assert [exercise.name for exercise in told["exercises"]] == ["center", "spread"]
    assert [check.law for check in told["exercises"][0].checks] == [SCALE[0], MEAN[0]]


def test_the_most_frequent_hint_comes_first(lab):
    other = [SCALE[0], False, "returned None", 1.0]
    told = report([record(str(i), verdicts=[law]) for i, law in enumerate([other, SCALE, SCALE])], lab)
    assert told["exercises"][0].checks[0].hints == [("divide by the spread", 2), ("returned None", 1)]


def test_a_verdict_without_weight_is_no_check(lab):
    told = report([record("a", verdicts=[MEAN, ["cell 7 runs to its end", False, "it was stopped", 0]])], lab)
    assert [check.law for check in told["exercises"][0].checks] == [MEAN[0]]


def test_mistakes_are_ranked_by_how_many_made_them(lab):
    told = report([record("a", mistake="rare"), *(record(s, mistake="common") for s in "bc")], lab)
    assert found(told["mistakes"]) == [("center: common", ["b", "c"]), ("center: rare", ["a"])]


def test_written_answers_that_wait_are_counted_and_blank_ones_are_not(lab, untouched):
    assert found(report([record("a"), record("b"), untouched], lab)["waiting"]) == [("why", ["a", "b"])]


def test_a_column_of_times_holds_what_took_from_that_long_to_twice_as_long(lab):
    told = report([record(str(s), seconds=s) for s in (0.25, 0.49, 0.5, 1.9, 3.0)], lab)
    assert [(c.label, c.count) for c in told["seconds"]] == [("0.25", 2), ("0.5", 1), ("1", 1), ("2", 1)]


def test_the_slowest_are_named_first(lab):
    told = report([record("a", seconds=1.0), record("b", seconds=3.0), record("c", seconds=2.0)], lab)
    assert [one.student for one in told["slowest"]] == ["b", "c", "a"]


# Who needs a look.


def test_an_ordinary_class_needs_no_look(lab):
    assert concerns(lab, record("a"), record("b"), record("c", center=0.0)) == {}


def test_a_check_that_failed_is_told_once_with_all_whom_it_concerns(lab, page):
    records = [record(student, center=None, fault=TRACEBACK) for student in "ab"]
    assert concerns(lab, *records) == {"Could not be checked": [("center", ["a", "b"])]}
    assert page(*records).count("ZeroDivisionError: &lt;b&gt;by zero&lt;/b&gt;</pre></details>") == 1


def test_what_was_wrong_with_what_was_handed_in_is_told_with_whose_it_is(lab):
    stopped = "Cell 3 was stopped: it used more than 512 MB of memory."
    assert concerns(lab, record("a", problems=[stopped]), record("b")) == {"Stopped": [(stopped, ["a"])]}


def test_who_answered_nothing_is_told(lab, untouched):
    assert concerns(lab, record("a"), untouched) == {"Nothing was answered": [("As it was given out, or not readable",
                                                                               ["untouched"])]}


def test_one_blank_answer_is_nothing_unusual(lab):
    assert concerns(lab, record("a", blank=["center"], center=0.0)) == {}


def test_only_what_takes_far_longer_than_the_others_is_slow():
    records = [record(f"took {s} s", seconds=s) for s in (1.0, 1.0, 1.5, 10.0, 15.1)]
    assert found(page_of.slow(records)) == [("15.1 s", ["took 15.1 s"])]


def test_identical_files_are_told_unless_they_are_the_untouched_notebook(lab, untouched):
    twins = [record(student, submission="same") for student in "ab"]
    blanks = [replace(untouched, student=student, submission="stub") for student in "xy"]
    assert concerns(lab, *twins, *blanks)["Identical files"] == [("2 submissions", ["a", "b"])]


def test_the_head_counts_who_needs_a_look_once(page):
    concerned = record("a", problems=["One thing.", "Another."], submission="same")
    assert '<b>2</b> <a href="#look">' in page(concerned, record("b", submission="same"), record("c"))


# The page.


def test_everything_that_comes_from_students_is_escaped(page):
    evil = "<script>alert(1)</script>"
    text = page(record(evil, problems=[evil], mistake=evil, verdicts=[[evil, False, evil, 1.0]]))
    assert "<script" not in text and text.count("&lt;script&gt;") >= 5


@pytest.mark.parametrize("student", ["\udcff\udcfe", "משה", "a\x00b", "\u202egnp.exe", "{{ 7 * 7 }}"])
def test_a_student_may_have_any_name(page, student):
    assert "<bdi>" in page(record(student)) and "49" not in page(record(student))


def test_the_page_holds_no_script_and_asks_nobody_for_anything(page, untouched):
    text = page(record("a", verdicts=[MEAN, SCALE], mistake="common", problems=["One."]), untouched)
    assert OUTSIDE.search(text) is None and "default-src 'none'" in text


class Tags(HTMLParser):
    """Which elements are open at each moment; raises AssertionError if they are not closed in order."""

    VOID = ("meta", "br")

    def __init__(self):
        super().__init__()
        self.open = []

    def handle_starttag(self, tag, attrs):
        self.open += [tag] if tag not in self.VOID else []

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.mark.parametrize("records", [
    [],
    [record("a", blank=["center", "spread", "why"], center=0.0, spread=0.0, why=0.0, seconds=0.0)],
    [record("a", center=None, spread=None, fault=TRACEBACK)],
    [record("a", center=None, spread=None)],
    [replace(record("a"), marks={})],
    [record(f"{i:04}", problems=["One."], mistake="One.", verdicts=[MEAN, SCALE]) for i in range(30)],
], ids=["nobody", "all blank", "all failed", "all waiting", "of another lab", "many"])
def test_the_page_is_whole_whatever_the_records(page, records):
    tags = Tags()
    tags.feed(page(*records))
    assert tags.open == []


def test_a_class_that_was_not_graded_says_how_to_grade_it(page):
    assert f"python -m grading grade {tiny.NAME}" in page()


def test_a_picture_is_readable_without_seeing_it(page):
    text = re.sub(r"\s+", " ", re.sub("<[^>]+>", " ", page(record("a"), record("b"))))
    assert "none with 5 points" in text and "2 with 6 points" in text and "2 in 0.25 seconds" in text
