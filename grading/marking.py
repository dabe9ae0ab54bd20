"""Grading one submission: a notebook's bytes in, a graded notebook and marks out.

This is the marking room. It holds the checks; the student's cells run in an exam room, which it asks for results.
Marks come from verdicts alone: nothing that a cell prints, shows, raises or returns as its output counts.
"""

import time
import traceback
from dataclasses import dataclass

import nbformat

from coursekit.verdicts import Verdict
from grading import feedback
from grading.checking import CheckFailed, Judgement, judge
from grading.lab import exercise_of, graded, meta, solution
from grading.repair import MISSING, repair
from grading.room.room import ExamRoom, stream
from grading.student import RoomStudent


@dataclass(frozen=True)
class Mark:
    """Points for one graded cell. `points` is None while a person has yet to give them."""

    points: float | None
    possible: float
    judgement: Judgement | None = None
    fault: str | None = None  # the traceback of a check that failed: the course's fault


@dataclass(frozen=True)
class Graded:
    """All that grading one submission yields.

    notebook  the lab's skeleton with the student's answers, run, with verdicts as outputs
    marks     {grade_id: Mark}, in the order of the notebook
    blank     grade_ids of the answers that are as they were given out
    problems  sentences: what was wrong with what was handed in
    seconds   wall time
    """

    notebook: object
    marks: dict
    blank: frozenset
    problems: list
    seconds: float


def grade(submission, lab, files=(), limits=None, problems=()):
    """Grade one submission. Pure: reads nothing but its arguments and the lab's checks, writes nothing.

    submission  the notebook's bytes, or None where there is none
    files       {relative path: bytes}: helper files that were handed in with it
    problems    sentences of the caller's, to stand with those found here
    """
    start = time.perf_counter()
    notebook, found = repair(submission, lab)
    problems = [*problems, *found]
    blank = frozenset(grade_id for grade_id, cell in _solutions(notebook) if _is_blank(cell, grade_id, lab))
    with ExamRoom({**dict(files), **lab.files}, limits) as room:
        marks = _Marking(lab, room, blank).mark(notebook)
    _add_cells(notebook, lab, problems)
    return Graded(notebook, marks, blank, problems, time.perf_counter() - start)


class _Marking:
    """One walk through a notebook, from its first cell to its last."""

    def __init__(self, lab, room, blank):
        self.lab, self.room, self.blank = lab, room, blank
        self.marks, self.skipped, self.count = {}, False, 0

    def mark(self, notebook):
        for cell in notebook.cells:
            if cell.cell_type == "code":
                self._run(cell)
            if graded(cell):
                self.marks[cell.metadata.nbgrader.grade_id] = self._mark(cell)
        return self.marks

    def _run(self, cell):
        if "long" in cell.metadata.get("tags", []):  # the lab's own tag: repair drops those of a student
            self.skipped, cell.outputs = True, [nbformat.from_dict(stream(feedback.NOT_RERUN))]
            return
        if not cell.source.strip():
            return
        self.count += 1
        cell.execution_count = self.count
        ran = self.room.run(cell.source)
        names = [output["ename"] for output in ran.outputs if output["output_type"] == "error"]
        if self.skipped and "NameError" in names and not meta(cell):
            ran.outputs = [stream(feedback.NEEDS_LONG)]
        cell.outputs = [nbformat.from_dict(_numbered(output, self.count)) for output in ran.outputs]

    def _mark(self, cell):
        grade_id, possible = cell.metadata.nbgrader.grade_id, float(cell.metadata.nbgrader.points)
        exercise = exercise_of(cell)
        if exercise is None:  # marked by hand, but a blank answer needs nobody's time
            return Mark(0.0 if grade_id in self.blank else None, possible)
        mark = self._checked(exercise, possible)
        done = [m for m in [*self.marks.values(), mark] if m.judgement]
        earned, so_far = sum(m.points for m in done), sum(m.possible for m in done)
        cell.outputs.insert(0, feedback.verdict_output(exercise, mark, earned, so_far))
        return mark

    def _checked(self, exercise, possible):
        if self.room.closed:
            verdict = Verdict("the notebook runs as far as here", False, self.room.closed)
            return Mark(0.0, possible, Judgement((verdict,)))
        try:
            with self.room.check():
                judgement = judge(self.lab.name, exercise, RoomStudent(self.room), self.lab.solutions)
        except CheckFailed:
            return Mark(None, possible, fault=traceback.format_exc())
        return Mark(round(possible * judgement.share, 2), possible, judgement)


def _solutions(notebook):
    return [(cell.metadata.nbgrader.grade_id, cell) for cell in notebook.cells if solution(cell)]


def _is_blank(cell, grade_id, lab):
    stub = next(c for c in lab.skeleton.cells if meta(c).get("grade_id") == grade_id)
    return cell.source.strip() in ("", MISSING, stub.source.strip()) and not cell.get("attachments")


def _numbered(output, number):
    return output if output["output_type"] != "execute_result" else {**output, "execution_count": number}


def _add_cells(notebook, lab, problems):
    """Put in what is neither the lab's nor the student's: what was wrong, and the schemes for who marks by hand."""
    cells = [feedback.problems_cell(problems)] if problems else []
    for cell in notebook.cells:
        if graded(cell) and solution(cell):
            grade_id = cell.metadata.nbgrader.grade_id
            cells.append(feedback.scheme_cell(grade_id, lab.scheme(grade_id)))
        cells.append(cell)
    notebook.cells = cells
