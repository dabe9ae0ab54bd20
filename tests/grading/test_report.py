"""The instructor's page about a class: its numbers are right, and it can be opened whatever was handed in."""

import re
from dataclasses import replace
from datetime import datetime, timedelta
from html.parser import HTMLParser
from urllib.parse import unquote

import pytest

from grading import report as page_of
from grading.__main__ import main
from grading.course import Course
from grading.desk.hand_marks import Given, HandMarks
from grading.lateness import Late
from grading.marks import Mark
from grading.records import Record
from grading.report import Class, read_class, report
from grading.submissions import BAD_NAME
from tests.grading import classes, tiny

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
def page(lab):
    """The page about some records."""
    def write(*records, **around):
        return page_of.page(list(records), lab, Class(**around))
    return write


def found(findings):
    return [(finding.what, finding.students) for finding in findings]


def concerns(lab, *records, **around):
    """{first words of a heading: [(what, students)]}"""
    told = report(list(records), lab, Class(**around))["look"]
    return {heading.split(",")[0]: found(findings) for heading, findings in told.items()}


# The numbers.


def test_points_by_hand_are_counted_apart(lab):
    told = report([record("anna")], lab)
    assert (told["by_checks"], told["possible"], told["checked"].possible) == (6.0, 8.0, 6.0)


def test_median_and_mean_are_those_of_the_points_by_checks(lab):
    told = report([record("a", center=0.0, spread=0.0), record("b"), record("c", center=1.5)], lab)
    assert (told["checked"].median, told["checked"].mean) == (5.5, (0 + 6 + 5.5) / 3)


def test_every_submission_is_in_one_column_and_full_marks_have_their_own(lab):
    told = report([record("a"), record("b", center=1.9), record("c", center=0.0), record("d")], lab)
    assert [column.count for column in told["checked"].columns] == [0, 0, 0, 0, 1, 1, 2]


def test_a_column_is_as_high_as_its_share_of_the_highest(lab):
    told = report([record("a"), record("b"), record("c", center=0.0)], lab)
    assert [column.height for column in told["checked"].columns] == [0, 0, 0, 0, 0.5, 0, 1]


@pytest.mark.parametrize("possible, columns", [(12, 13), (20, 21), (21, 11), (100, 21), (0, 1)])
def test_there_are_never_too_many_columns(possible, columns):
    assert len(page_of.marks_histogram([0.0, possible], possible)) == columns


def test_a_submission_whose_check_failed_is_left_out_of_the_marks(lab):
    told = report([record("a", center=None, fault=TRACEBACK), record("b")], lab)
    assert (told["left_out"], told["checked"].mean, told["checked"].count) == (1, 6.0, 1)


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
    (question,) = report([record("a"), record("b"), untouched], lab)["by_hand"]
    assert (question.name, question.waiting, question.given) == ("why", ["a", "b"], 1)


def given(why, penalty=0.0, center=2.0):
    """A marks.Mark as the gradebook has it."""
    return Mark({"center-checks": center, "spread-checks": 4.0, "why": why}, penalty)


def test_marks_by_hand_are_those_of_the_gradebook(lab):
    around = Class(marks={"a": given(1.5), "b": given(0.5), "c": given(None)})
    (question,) = report([record(s) for s in "abc"], lab, around)["by_hand"]
    assert (question.given, question.mean, question.waiting) == (2, 1.0, ["c"])


def test_final_marks_are_those_with_marks_by_hand_after_late_penalties(lab):
    around = Class(marks={"a": given(1.5), "b": given(2.0, penalty=3.0), "c": given(None)})
    final = report([record(s) for s in "abc"], lab, around)["final"]
    assert (final.count, final.possible, final.mean, final.median) == (2, 8.0, 6.25, 6.25)


def test_nothing_is_final_where_nobody_has_marked(lab, page):
    assert report([record("a")], lab, Class(marks={"a": given(None)}))["final"] is None
    assert "In the end</h3>" not in page(record("a"), marks={"a": given(None)})


def test_more_points_than_there_are_stand_with_full_marks(lab):
    columns = report([record("a")], lab, Class(marks={"a": given(3.0)}))["final"].columns
    assert [column.count for column in columns] == [0] * 8 + [1]


def test_who_handed_in_nothing_is_named_and_who_is_not_graded_yet_is_not(lab):
    around = Class(names=dict.fromkeys("abcd", "x"), submitted=("a", "b"))
    assert report([record("a")], lab, around)["missing"] == ["c", "d"]


def test_the_latest_come_first_and_who_is_in_time_is_not_named(lab):
    due = datetime(2030, 1, 1)
    late = {s: Late(due + timedelta(hours=hours), due, 1.0) for s, hours in {"a": 1, "b": 2, "c": -1}.items()}
    assert [student for student, _ in report([record("a")], lab, Class(late=late))["late"]] == ["b", "a"]


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


def test_what_needs_nobody_is_no_concern(lab, untouched):
    told = report([record("a"), untouched, record("b", seconds=9.9), replace(record("c"), notices=["One."])], lab)
    knowing = [[finding.students for finding in findings] for findings in told["knowing"].values()]
    assert told["look"] == {} and knowing == [[["untouched"]], [["b"]], [["c"]]]


def test_a_folder_that_cannot_be_graded_and_one_that_is_not_graded_yet_are_told(lab):
    told = concerns(lab, record("a"), submitted=("a", "b c", "d"))
    assert told == {"Folders that cannot be graded": [(BAD_NAME, ["b c"])],
                    "Handed in and not graded yet": [("Run grade again", ["d"])]}


def test_one_blank_answer_is_nothing_unusual(lab):
    assert concerns(lab, record("a", blank=["center"], center=0.0)) == {}


def test_only_what_takes_far_longer_than_the_others_is_slow():
    records = [record(f"took {s} s", seconds=s) for s in (1.0, 1.0, 1.5, 10.0, 15.1)]
    assert found(page_of.slow(records)) == [("15.1 s", ["took 15.1 s"])]


def test_identical_files_are_told_unless_they_are_the_untouched_notebook(lab, untouched):
    twins = [record(student, submission="same") for student in "ab"]
    blanks = [replace(untouched, student=student, submission="stub") for student in "xy"]
    assert concerns(lab, *twins, *blanks) == {"Equal work": [("2 submissions", ["a", "b"])]}


def test_equal_work_is_found_whatever_stamps_and_helper_files_lie_beside_it(lab):
    twins = [replace(record(student), work="same") for student in "ab"]
    assert concerns(lab, *twins, replace(record("c"), work="other")) == {"Equal work": [("2 submissions", ["a", "b"])]}


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
    pages = {"a": {"feedback": "feedback/a/lab_tiny/lab_tiny.html"}}
    text = page(record("a", verdicts=[MEAN, SCALE], mistake="common", problems=["One."]), untouched, pages=pages)
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


# The class's folder.

@pytest.fixture(scope="module")
def course(given_out, tmp_path_factory, lab):
    """An ordinary class, each with what the exchange puts beside a notebook; one has not handed in."""
    course = classes.Class.new(given_out, tmp_path_factory.mktemp("report") / "course", lab)
    for number, student in enumerate(("ada", "emmy", "zoë")):
        folder = course.hand_in(student, why=f"Because of {number}.")
        (folder / "submission_secret.txt").write_text(student)
        (folder / "timestamp.txt").write_text(f"2030-01-0{number + 1} 12:00:00 UTC")
    course.hand_in("blank", tiny.to_bytes(lab.skeleton))
    (course.folder / "students.csv").write_text("id,last_name,first_name\nada,Lovelace,Ada\nmary,Somerville,Mary\n")
    assert course.nbgrader("autograde", tiny.NAME).status == 0
    return course


@pytest.fixture
def written(course):
    """The page that the command writes."""
    done = classes.said(main, ["report", tiny.NAME, "--course-dir", str(course.folder)])
    assert done.status == 0, done.err
    return (course.folder / f"report-{tiny.NAME}.html").read_text(encoding="utf-8")


def test_an_ordinary_class_with_what_the_exchange_adds_needs_no_look(written):
    assert '<b>0</b> <a href="#look">' in written


def test_the_page_names_who_handed_in_nothing(written):
    assert re.search('id="missing">.*?<bdi>mary</bdi> <bdi>Mary Somerville</bdi>', written, re.DOTALL)


def test_links_lead_to_the_pages_that_there_are(course, written):
    paths = [unquote(address) for address in re.findall(r'href="([^#"]+)"', written)]
    assert len(paths) >= 4 and all((course.folder / path).is_file() for path in paths)


def test_a_page_elsewhere_links_from_where_it_is(course, tmp_path):
    assert main(["report", tiny.NAME, "--course-dir", str(course.folder), "--out", str(tmp_path / "r.html")]) == 0
    paths = re.findall(r'href="([^#"]+)"', (tmp_path / "r.html").read_text(encoding="utf-8"))
    assert paths and all((tmp_path / unquote(path)).is_file() for path in paths)


def test_a_mark_by_hand_is_in_the_page(course, lab):
    with course.gradebook() as book:
        marks = HandMarks(book, lab)
        ada = next(one for one in marks.answers("why") if one.student == "ada")
        marks.give("why", ada.id, Given(1.5, "", []), vars(ada), marks.rubric("why").version)
        told = report([record(student) for student in ("ada", "emmy", "zoë")], lab,
                      read_class(Course.at(course.folder), book, tiny.NAME, course.folder))
    assert (told["final"].count, told["by_hand"][0].waiting) == (2, ["emmy", "zoë"])
