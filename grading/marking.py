"""Grading one submission: a notebook's bytes in, a graded notebook and marks out.

This is the marking room. It holds the checks; the student's cells run in an exam room, which it asks for results.
Marks come from verdicts alone: nothing that a cell prints, shows, raises or returns as its output counts.
"""

import hashlib
import json
import time
import traceback
from dataclasses import dataclass, field

import nbformat

from coursekit.verdicts import Verdict
from grading import feedback
from grading.checking import CheckFailed, Judgement, judge
from grading.lab import exercise_of, graded, meta, solution
from grading.repair import MISSING, repair
from grading.room.outputs import stream
from grading.room.room import Rooms
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
    notices   sentences that are worth knowing, and need nobody
    work      hash of the text of the cells
    texts     {grade_id: hash of the answer that it is about}
    """

    notebook: object
    marks: dict
    blank: frozenset
    problems: list
    seconds: float
    notices: list = field(default_factory=list)
    work: str = ""
    texts: dict = field(default_factory=dict)


def grade(submission, lab, files=(), problems=(), rooms=None, seed=None):
    """Grade one submission. Pure: reads nothing but its arguments and the lab's checks, writes nothing.

    submission  the notebook's bytes, or None where there is none
    files       {relative path: bytes}: helper files that were handed in with it
    problems    sentences of the caller's, to stand with those found here
    rooms       the `Rooms` to run it in; one of its own if there is none
    seed        None: every submission is checked with the same inputs; a text: with inputs of its own, which are the
                same when it is graded again

    First every cell is run, for what it shows; at each check cell a copy of the notebook, as it is there, is kept
    asleep. Then the checks ask the copies. By that time all that the notebook shows has been handed over: so nothing
    that a student reads can hold a hidden input, whatever the notebook does with those that it is called with.
    """
    start = time.perf_counter()
    if rooms is None:
        with Rooms() as rooms:
            return grade(submission, lab, files, problems, rooms, seed)
    notebook, found = repair(submission, lab)
    problems = [*problems, *found]
    blank = frozenset(grade_id for grade_id, cell in _solutions(notebook) if _is_blank(cell, grade_id, lab))
    files, about = {**dict(files), **lab.files}, {"work": work(notebook), "texts": texts(notebook)}
    with rooms.open(files) as room:
        stopped = show(notebook, room)
        problems += [f"The helper file {name!r} could not be put beside the notebook." for name in room.refused]
        marks = _Marking(lab, room, blank, _own_seed(seed, submission)).mark(notebook, stopped)
    problems += [f"Cell {number} was stopped: {why}. The rest was run without it." for number, why in stopped.items()]
    _add_cells(notebook, lab, problems)
    return Graded(notebook, marks, blank, problems, time.perf_counter() - start, **about)


def unmarked(submission, lab, problems, fault):
    """The Graded of a submission that could not be judged, for the reason `fault`: every check waits for a person."""
    notebook, found = repair(submission, lab)
    marks = {}
    for cell in filter(graded, notebook.cells):
        mark = Mark(None, float(cell.metadata.nbgrader.points), fault=fault if exercise_of(cell) else None)
        marks[cell.metadata.nbgrader.grade_id] = mark
        if mark.fault:
            cell.outputs = [feedback.verdict_output(exercise_of(cell), mark, 0.0, 0.0)]
    problems, about = [*problems, *found], {"work": work(notebook), "texts": texts(notebook)}
    _add_cells(notebook, lab, problems)
    return Graded(notebook, marks, frozenset(), problems, 0.0, **about)


def work(notebook):
    """A hash of the text of a repaired notebook's cells, and of nothing else of it."""
    return _hash([[cell.cell_type, cell.source] for cell in notebook.cells])


def texts(notebook):
    """{grade_id: a hash of the answer that its points are for} of a notebook that was repaired, graded or not."""
    answers = {grade_id: _hash([cell.source, cell.get("attachments")]) for grade_id, cell in _solutions(notebook)}
    names = {cell.metadata.nbgrader.grade_id: exercise_of(cell) for cell in filter(graded, notebook.cells)}
    return {name: answers[exercise or name] for name, exercise in names.items() if (exercise or name) in answers}


def _hash(content):
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def _own_seed(seed, submission):
    return "" if seed is None else f"{seed} {hashlib.sha256(submission or b'').hexdigest()}"


def show(notebook, room):
    """Run the cells, put in what they show, and keep a copy of the notebook at each check cell.

    Returns {number of the cell: why} for those that had to be stopped.
    """
    stopped, skipped = {}, False
    for number, cell in numbered(notebook):
        if is_long(cell):
            skipped, cell.outputs = True, [nbformat.from_dict(stream(feedback.NOT_RERUN))]
            continue
        ran = room.run(cell.source)
        if ran.stopped:
            stopped[number] = ran.stopped
        names = [output["ename"] for output in ran.outputs if output["output_type"] == "error"]
        if skipped and "NameError" in names and not meta(cell):
            ran.outputs = [stream(feedback.NEEDS_LONG)]
        cell.execution_count = number
        cell.outputs = [nbformat.from_dict(_numbered(output, number)) for output in ran.outputs]
        if exercise_of(cell):
            room.keep(meta(cell)["grade_id"])
    return stopped


def numbered(notebook):
    """The code cells that are run, with their numbers, counted from 1 as Jupyter counts them."""
    return enumerate((cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()), start=1)


def is_long(cell):
    """Does the lab say that it takes long? (Repair has dropped tags that a student wrote.)"""
    return "long" in cell.metadata.get("tags", [])


class _Marking:
    """One walk through a notebook that has been run, from its first check to its last."""

    def __init__(self, lab, room, blank, seed):
        self.lab, self.room, self.blank, self.seed = lab, room, blank, seed
        self.marks = {}

    def mark(self, notebook, stopped):
        """{grade_id: Mark}. A cell that had to be stopped is named where its exercise is judged."""
        numbers = {id(cell): number for number, cell in numbered(notebook)}
        unfinished = []  # of this exercise
        for cell in notebook.cells:
            number = numbers.get(id(cell))
            if number in stopped:
                unfinished.append(Verdict(f"cell {number} runs to its end", False, stopped[number], weight=0))
            if graded(cell):
                self.marks[cell.metadata.nbgrader.grade_id] = self._mark(cell, unfinished)
                unfinished = []
        return self.marks

    def _mark(self, cell, unfinished):
        grade_id, possible = cell.metadata.nbgrader.grade_id, float(cell.metadata.nbgrader.points)
        exercise = exercise_of(cell)
        if exercise is None:  # marked by hand, but a blank answer needs nobody's time
            return Mark(0.0 if grade_id in self.blank else None, possible)
        mark = self._checked(grade_id, exercise, possible, unfinished)
        done = [m for m in [*self.marks.values(), mark] if m.judgement]
        earned, so_far = sum(m.points for m in done), sum(m.possible for m in done)
        cell.outputs.insert(0, feedback.verdict_output(exercise, mark, earned, so_far))
        return mark

    def _checked(self, grade_id, exercise, possible, unfinished):
        try:
            with self.room.check(grade_id) as missing:
                if missing:
                    verdict = Verdict("the notebook runs as far as here", False, missing)
                    return Mark(0.0, possible, Judgement((*unfinished, verdict)))
                student = RoomStudent(self.room, self._mistakes())
                judgement = judge(self.lab.name, exercise, student, self.lab.solutions, self.seed)
        except CheckFailed:
            return Mark(None, possible, fault=traceback.format_exc())
        told = Judgement((*unfinished, *judgement.verdicts), judgement.behaves_like)
        return Mark(round(possible * judgement.share, 2), possible, told)

    def _mistakes(self):
        """{exercise: known mistake} of those checked so far."""
        found = {grade_id: mark.judgement.behaves_like for grade_id, mark in self.marks.items() if mark.judgement}
        return {grade_id.removesuffix("-checks"): mistake for grade_id, mistake in found.items() if mistake}


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
