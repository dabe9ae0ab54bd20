"""The page about a graded class: its marks, each check's pass rate, mistakes, who needs a look and why, timings.

One file, to be opened anywhere: no script, no request, every text escaped. It is made from the records alone, which
hold no hidden input. It has student ids, so it is for staff.
"""

import math
import statistics
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path

from grading.lab import exercise_of, graded, meta, solution
from grading.pages import templates

COLUMNS = 20  # at most, in the picture of the marks
SLOW = 10     # times the median: then a submission is unusually slow
SLOWEST = 5   # that many are listed


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


def write_report(records, lab, out):
    """Write the page about these `Record`s of a lab to the file `out`. Called by `python -m grading report`."""
    page = templates().get_template("report.html.j2").render(lab=lab.name, report=report(records, lab))
    Path(out).write_text(page, encoding="utf-8", errors="xmlcharrefreplace")  # a folder's name may be any bytes


def report(records, lab):
    """All that the page shows, by name; None if nothing was graded."""
    if not records:
        return None
    by_checks = sum(points for grade_id, points in lab.points.items() if grade_id in _checks(lab))
    points = [record.points for record in records if not record.faulty]
    concerns = {heading: found for heading, found in look(records, lab).items() if found}
    return {
        "graded": max(record.graded for record in records)[:16].replace("T", " "),
        "submissions": len(records),
        "left_out": len(records) - len(points),
        "by_checks": by_checks,
        "by_hand": sum(lab.points.values()) - by_checks,
        "mean": statistics.fmean(points) if points else None,
        "median": statistics.median(points) if points else None,
        "width": width_of(by_checks),
        "marks": marks_histogram(points, by_checks),
        "exercises": [exercise(name, records, lab.points[grade_id], grade_id)
                      for grade_id, name in _checks(lab).items()],
        "mistakes": mistakes(records, lab),
        "look": concerns,
        "concerned": {student for found in concerns.values() for finding in found for student in finding.students},
        "waiting": waiting(records),
        "seconds": seconds_histogram([record.seconds for record in records]),
        "median_seconds": statistics.median(record.seconds for record in records),
        "slowest": sorted(records, key=lambda record: -record.seconds)[:SLOWEST],
    }


# Marks and timings.


def width_of(possible):
    """Points that one column of the histogram stands for: 1, unless that makes too many columns."""
    return max(1, math.ceil(possible / COLUMNS))


def marks_histogram(points, possible):
    """Columns from 0 to full marks, which have one of their own if they are a multiple of the width."""
    width = width_of(possible)
    last = int(possible / width)
    counts = Counter(min(int(got / width), last) for got in points)
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


# Who needs a look.


def look(records, lab):
    """{heading: Findings}, the most urgent first."""
    answers = {meta(cell).grade_id for cell in lab.skeleton.cells if solution(cell)}
    blank = [record for record in records if answers <= set(record.blank)]
    return {
        "Could not be checked, which is the course's fault": faults(records, lab),
        "Stopped, or not handed in as it should be": problems(records),
        "Nothing was answered": [Finding("As it was given out, or not readable", _who(blank))] if blank else [],
        f"Took more than {SLOW} times as long as the median": slow(records),
        "Identical files": identical([record for record in records if record not in blank]),
    }


def faults(records, lab):
    """Findings: checks that failed themselves, with what they raised."""
    students = defaultdict(list)
    for record in records:
        for grade_id in record.faulty:
            students[_checks(lab).get(grade_id, grade_id), record.marks[grade_id]["fault"]].append(record.student)
    return _ranked(Finding(name, who, fault) for (name, fault), who in students.items())


def problems(records):
    """Findings: each sentence about what was handed in, and whom it is about."""
    students = defaultdict(list)
    for record in records:
        for problem in dict.fromkeys(record.problems):
            students[problem].append(record.student)
    return _ranked(Finding(problem, who) for problem, who in students.items())


def slow(records):
    """Findings: submissions that took unusually long."""
    limit = SLOW * statistics.median(record.seconds for record in records)
    found = sorted((record for record in records if record.seconds > limit), key=lambda record: -record.seconds)
    return [Finding(f"{record.seconds:.1f} s", [record.student]) for record in found]


def identical(records):
    """Findings: submissions that are the same, byte for byte."""
    students = defaultdict(list)
    for record in records:
        students[record.submission].append(record.student)
    return _ranked(Finding(f"{len(who)} submissions", who) for who in students.values() if len(who) > 1)


def waiting(records):
    """Findings: written answers that a person has to mark, as far as the checks know."""
    students = defaultdict(list)
    for record in records:
        for grade_id, mark in record.marks.items():
            if mark["points"] is None and not mark["fault"]:
                students[grade_id].append(record.student)
    return [Finding(grade_id, who) for grade_id, who in students.items()]


def _ranked(findings):
    return sorted(findings, key=lambda finding: -len(finding.students))


def _who(records):
    return [record.student for record in records]


def _checks(lab):
    """{grade_id: exercise} of the lab's check cells, in order."""
    cells = filter(graded, lab.skeleton.cells)
    return {meta(cell).grade_id: exercise_of(cell) for cell in cells if exercise_of(cell)}
