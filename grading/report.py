"""The page about a graded class: marks, who needs a look and why, who is missing or late, checks, mistakes, timings.

One file, to be opened anywhere: no script, no request, every text escaped; its links lead to files of the class's own
folder. What was found in the submissions comes from the records, which hold no hidden input; marks by hand, penalties
and who is in the class come from the gradebook and students.csv. It has student ids, so it is for staff.
"""

import math
import os
import statistics
from collections import Counter, defaultdict
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import quote

from grading import lateness
from grading.apart import Apart
from grading.lab import exercise_of, graded, meta, solution
from grading.marks import marks
from grading.pages import templates
from grading.people import names
from grading.submissions import BAD_NAME, STUDENT

COLUMNS = 20  # at most, in the picture of the marks
SLOW = 10     # times the median: then a submission is unusually slow
SLOWEST = 5   # that many are listed


@dataclass(frozen=True)
class Class:
    """What is known of a class besides the records of what was handed in.

    marks      {student: marks.Mark}: points of every cell, with those given by hand, and the penalty
    late       {student: lateness.Late}, {} where there is no deadline
    names      {student: name} of all who are known
    submitted  names of the folders with something handed in
    pages      {student: {"feedback": address, "notebook": address}}, of those that are there
    troubles   sentences about what could not be worked out
    """

    marks: dict = field(default_factory=dict)
    late: dict = field(default_factory=dict)
    names: dict = field(default_factory=dict)
    submitted: tuple = ()
    pages: dict = field(default_factory=dict)
    troubles: tuple = ()


@dataclass(frozen=True)
class Column:
    """One column of a histogram, and its height as a share of the highest."""

    label: str
    count: int
    height: float


@dataclass(frozen=True)
class Check:
    """One law: how many passed of those who had answered, and [(hint, how many)] of the others."""

    law: str
    passed: int
    judged: int
    hints: list


@dataclass(frozen=True)
class Exercise:
    """One exercise: its mean points of all, how many left it blank, and its laws, the hardest first."""

    name: str
    mean: float
    possible: float
    blank: int
    checks: list


@dataclass(frozen=True)
class Finding:
    """What was found with some students; `detail` is shown folded."""

    what: str
    students: list
    detail: str = ""


def write_report(course, name, out=None):
    """Write the page about a lab (its name) of a course. Returns its path. Called by `python -m grading report`.

    out  the file; report-LAB.html in the class's folder where there is none
    """
    lab = course.terms(name).lab
    out = Path(out or Path(course.coursedir.root, f"report-{name}.html"))
    with course.ledger() as ledger:
        records = ledger.records(name)
        around = read_class(course, ledger.book, name, out.parent) if records else Class()
        around = replace(around, troubles=(*around.troubles, *ledger.unread))
    out.write_text(safe_page(records, lab, around), encoding="utf-8", errors="xmlcharrefreplace")  # any bytes are names
    return out


def safe_page(records, lab, around):
    """`page`; where that fails, without those who make even a page about them alone fail, and who are named."""
    with Apart("The class", "report"):
        return page(records, lab, around)
    failed, fine = [], []
    for record in records:
        with Apart(record.student, "report", said=failed):
            page([record], lab)
            fine.append(record)
    return page(fine, lab, replace(around, troubles=(*around.troubles, *failed)))


def read_class(course, book, lab, folder):
    """The Class of a course, for a page in a folder, with nbgrader's Gradebook `book`."""
    troubles, found = lateness.settle(book, course.config, [lab]), {}
    submitted, late = course.students(lab), lateness.of(book, lab)
    for student in submitted:
        with Apart(student, "report", said=troubles):
            found[student] = pages(course, lab, student, folder)
    return Class(marks(book, lab), late, names(course, book), tuple(submitted), found,
                 (*troubles, *lateness.unknown(late, lab)))


def pages(course, lab, student, folder):
    """{"feedback", "notebook"}: addresses from a folder of what is there for a student."""
    files = {"feedback": course.feedback(lab, student), "notebook": course.autograded(lab, student) / f"{lab}.ipynb"}
    return {kind: quote(os.fsencode(os.path.relpath(path, folder))) for kind, path in files.items() if path.exists()}


def page(records, lab, around=Class()):
    """The page about these `Record`s of a lab."""
    return templates().get_template("report.html.j2").render(lab=lab.name, report=report(records, lab, around),
                                                             pages=around.pages, names=around.names)


def report(records, lab, around=Class()):
    """All that the page shows, by name; None if nothing was graded."""
    if not records:
        return None
    points = [record.points for record in records if not record.faulty]
    final = [mark.final for mark in around.marks.values() if mark.final is not None]
    by_checks, possible = sum(lab.points[grade_id] for grade_id in _checks(lab)), sum(lab.points.values())
    concerns = found(look(records, lab, around))
    return {
        "graded": max(record.graded for record in records)[:16].replace("T", " "),
        "submissions": len(records),
        "left_out": len(records) - len(points),
        "by_checks": by_checks,
        "possible": possible,
        "final": summary(final, possible),
        "checked": summary(points, by_checks),
        "exercises": [exercise(name, records, lab.points[grade_id], grade_id)
                      for grade_id, name in _checks(lab).items()],
        "mistakes": mistakes(records, lab),
        "look": concerns,
        "concerned": {student for found in concerns.values() for finding in found for student in finding.students},
        "troubles": around.troubles,
        "knowing": found(worth_knowing(records, lab)),
        "by_hand": [by_hand(grade_id, records, lab.points[grade_id], around.marks) for grade_id in _by_hand(lab)],
        "missing": sorted(set(around.names) - set(around.submitted) - {record.student for record in records}),
        "late": late(around.late),
        "rows": [row(record, around) for record in records],
        "seconds": seconds_histogram([record.seconds for record in records]),
        "median_seconds": statistics.median(record.seconds for record in records),
        "slowest": sorted(records, key=lambda record: -record.seconds)[:SLOWEST],
    }


def found(findings):
    """{heading: Findings} without the headings under which nothing stands."""
    return {heading: some for heading, some in findings.items() if some}


# Marks and timings.


@dataclass(frozen=True)
class Summary:
    """How points are spread, of how many, and out of how many possible ones."""

    count: int
    possible: float
    mean: float
    median: float
    width: int
    columns: list


def summary(points, possible):
    """The Summary of a list of points; None if it is empty."""
    if not points:
        return None
    return Summary(len(points), possible, statistics.fmean(points), statistics.median(points), width_of(possible),
                   marks_histogram(points, possible))


def width_of(possible):
    """Points that one column of the histogram stands for: 1, unless that makes too many columns."""
    return max(1, math.ceil(possible / COLUMNS))


def marks_histogram(points, possible):
    """Columns from 0 to full marks, which have one of their own if they are a multiple of the width.

    What lies beyond, as a person may have given more or less, counts as full marks, or as 0.
    """
    width = width_of(possible)
    last = int(possible / width)
    counts = Counter(max(0, min(int(got / width), last)) for got in points)
    return _columns({f"{width * place}": counts[place] for place in range(last + 1)})


def seconds_histogram(seconds):
    """Columns that double, so that one submission that took minutes leaves the others apart."""
    places = Counter(max(-4, math.floor(math.log2(max(took, 1e-9)))) for took in seconds)
    return _columns({f"{2.0 ** place:g}": places[place] for place in range(min(places), max(places) + 1)})


def _columns(counts):
    highest = max([*counts.values(), 1])
    return [Column(label, count, count / highest) for label, count in counts.items()]


# Checks and mistakes.


def exercise(name, records, possible, grade_id):
    """What the class did in one exercise. A check that failed itself counts nowhere."""
    marks = [(record, record.marks.get(grade_id)) for record in records]
    judged = [(record, mark) for record, mark in marks if mark and not mark["fault"]]
    answered = [mark for record, mark in judged if name not in record.blank]
    mean = statistics.fmean(mark["points"] or 0.0 for _, mark in judged) if judged else 0.0
    return Exercise(name, mean, possible, len(judged) - len(answered), checks(answered))


def checks(marks):
    """The laws of an exercise, those first that most failed. A verdict without weight tells why, and is no law."""
    passed, hints = Counter(), defaultdict(Counter)
    for mark in marks:
        for law, is_passed, hint, weight in mark["verdicts"]:
            if weight:
                passed[law] += is_passed
                hints[law].update([] if is_passed else [hint])
    laws = [Check(law, passed[law], passed[law] + hints[law].total(), hints[law].most_common()) for law in passed]
    return sorted(laws, key=lambda check: check.passed - check.judged)


def mistakes(records, lab):
    """Findings: the known mistakes, the most common first."""
    students = defaultdict(list)
    for record in records:
        for grade_id, mark in record.marks.items():
            if mark["mistake"]:
                students[_checks(lab).get(grade_id, grade_id), mark["mistake"]].append(record.student)
    return _ranked(Finding(f"{name}: {sentence}", who) for (name, sentence), who in students.items())


# Who needs a look, and what is worth knowing.


def look(records, lab, around):
    """{heading: Findings} that need a person, the most urgent first."""
    untouched = set(_who(blank(records, lab)))
    refused = [name for name in around.submitted if not STUDENT.fullmatch(name)]
    ungraded = sorted(set(around.submitted) - {*refused, *_who(records)})
    return {
        "Could not be checked, which is the course's fault": faults(records, lab),
        "Folders that cannot be graded": [Finding(BAD_NAME, refused)] if refused else [],
        "Handed in and not graded yet": [Finding("Run grade again", ungraded)] if ungraded else [],
        "Stopped, or not handed in as it should be": sentences(records, "problems"),
        "Equal work": identical([record for record in records if record.student not in untouched]),
    }


def worth_knowing(records, lab):
    """{heading: Findings} that need nobody."""
    untouched = _who(blank(records, lab))
    return {
        "Nothing was answered": [Finding("As it was given out, or not readable", untouched)] if untouched else [],
        f"Took more than {SLOW} times as long as the median": slow(records),
        "What was made of what was handed in": sentences(records, "notices"),
    }


def blank(records, lab):
    """Those in which nothing was answered."""
    answers = {meta(cell).grade_id for cell in lab.skeleton.cells if solution(cell)}
    return [record for record in records if answers <= set(record.blank)]


def faults(records, lab):
    """Findings: checks that failed themselves, with what they raised."""
    students = defaultdict(list)
    for record in records:
        for grade_id in record.faulty:
            students[_checks(lab).get(grade_id, grade_id), record.marks[grade_id]["fault"]].append(record.student)
    return _ranked(Finding(name, who, fault) for (name, fault), who in students.items())


def sentences(records, kind):
    """Findings: each of the records' "problems" or "notices", and whom it is about."""
    students = defaultdict(list)
    for record in records:
        for sentence in dict.fromkeys(getattr(record, kind)):
            students[sentence].append(record.student)
    return _ranked(Finding(sentence, who) for sentence, who in students.items())


def slow(records):
    """Findings: submissions that took unusually long."""
    limit = SLOW * statistics.median(record.seconds for record in records)
    found = sorted((record for record in records if record.seconds > limit), key=lambda record: -record.seconds)
    return [Finding(f"{record.seconds:.1f} s", [record.student]) for record in found]


def identical(records):
    """Findings: submissions whose cells are the same, word for word; files, in a record of an earlier release."""
    students = defaultdict(list)
    for record in records:
        students[record.work or record.submission].append(record.student)
    return _ranked(Finding(f"{len(who)} submissions", who) for who in students.values() if len(who) > 1)


# Marks by hand, the late, and everybody.


@dataclass(frozen=True)
class ByHand:
    """A question that a person marks: how many have points, the mean of those, and who waits."""

    name: str
    possible: float
    given: int
    mean: float
    waiting: list


@dataclass(frozen=True)
class Row:
    """One student's line: points by checks, in the end (None if something waits), and how late."""

    student: str
    checked: float
    final: float | None
    late: str


def by_hand(grade_id, records, possible, given):
    """How far a question is marked. given: {student: marks.Mark}; without one the record says what it can."""
    points = {record.student: _points(record, grade_id, given) for record in records}
    done = [got for got in points.values() if got is not None]
    waiting = [student for student, got in points.items() if got is None]
    return ByHand(grade_id, possible, len(done), statistics.fmean(done) if done else 0.0, waiting)


def _points(record, grade_id, given):
    if record.student in given:
        return given[record.student].cells.get(grade_id)
    return record.marks.get(grade_id, {}).get("points")


def late(found):
    """[(student, sentence)] of those who are late, the latest first. found: {student: lateness.Late}"""
    some = sorted(((student, one) for student, one in found.items() if one.seconds), key=lambda pair: -pair[1].seconds)
    return [(student, str(one)) for student, one in some]


def row(record, around):
    """The Row of a student."""
    mark, when = around.marks.get(record.student), around.late.get(record.student)
    late = str(when) if when and (when.seconds or when.said_late) else ""
    return Row(record.student, record.points, mark.final if mark else None, late)


def _ranked(findings):
    return sorted(findings, key=lambda finding: -len(finding.students))


def _who(records):
    return [record.student for record in records]


def _checks(lab):
    """{grade_id: exercise} of the lab's check cells, in order."""
    cells = filter(graded, lab.skeleton.cells)
    return {meta(cell).grade_id: exercise_of(cell) for cell in cells if exercise_of(cell)}


def _by_hand(lab):
    """grade_ids of what a person marks, in order."""
    return [grade_id for grade_id in lab.points if grade_id not in _checks(lab)]
