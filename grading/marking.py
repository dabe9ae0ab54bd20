"""Grading one submission: a notebook's bytes in, a graded notebook and marks out.

This is the marking room. It holds the checks; the student's cells run in an exam room, which it asks for results.
Marks come from verdicts alone: nothing that a cell prints, shows, raises or returns as its output counts.
"""

import hashlib
import json
import time
import traceback
from dataclasses import dataclass, field

from coursekit.verdicts import Verdict
from grading import feedback
from grading.checking import CheckFailed, Judgement, judge
from grading.lab import exercise_of, graded, meta, solution
from grading.repair import repair
from grading.room.room import Rooms
from grading.showing import numbered, show
from grading.student import RoomStudent

NOT_THERE = ("NameError", "ModuleNotFoundError", "ImportError", "FileNotFoundError")


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
    problems  sentences: what a person should look at, in what was handed in
    seconds   wall time
    notices   sentences that are worth knowing, and need nobody
    work      hash of the text of all cells, by which equal work is found whatever stands beside it
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


def grade(submission, lab, files=(), problems=(), rooms=None, seed=None, notices=()):
    """Grade one submission. Pure: reads nothing but its arguments and the lab's checks, writes nothing.

    submission  the notebook's bytes, or None where there is none
    files       {relative path: bytes}: helper files that were handed in with it
    problems    sentences of the caller's, to stand with those found here; and so with `notices`
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
            return grade(submission, lab, files, problems, rooms, seed, notices)
    own = {name: content for name, content in dict(files).items() if name not in lab.files}
    repaired = repair(submission, lab, own)
    with rooms.open({**own, **lab.files}) as room:
        shown = show(repaired.notebook, room, lab)
        blank = frozenset() if _is_unread(submission, repaired, problems) else repaired.blank
        marks = _Marking(lab, room, blank, shown.unread, _own_seed(seed, submission)).mark(
            repaired.notebook, shown.unfinished())
    problems = [*problems, *repaired.problems, *_refused(room), *shown.problems()]
    notices = [*notices, *repaired.notices, *_given(own, room), *shown.mended]
    (problems if _cost(marks) else notices).extend(shown.missing)
    return _graded(repaired, lab, marks, blank, problems, notices, time.perf_counter() - start)


def unmarked(submission, lab, problems, fault, notices=()):
    """The Graded of a submission that could not be judged, for the reason `fault`: every check waits for a person."""
    repaired, marks = repair(submission, lab), {}
    for cell in filter(graded, repaired.notebook.cells):
        mark = Mark(None, float(cell.metadata.nbgrader.points), fault=fault if exercise_of(cell) else None)
        marks[cell.metadata.nbgrader.grade_id] = mark
        if mark.fault:
            cell.outputs = [feedback.verdict_output(exercise_of(cell), mark, 0.0, 0.0)]
    problems, notices = [*problems, *repaired.problems], [*notices, *repaired.notices]
    return _graded(repaired, lab, marks, frozenset(), problems, notices, 0.0)


def _graded(repaired, lab, marks, blank, problems, notices, seconds):
    notebook = repaired.notebook
    about = {"work": work(notebook), "texts": texts(notebook)}
    _add_cells(notebook, lab, problems, notices)
    return Graded(notebook, marks, blank, problems, seconds, notices, **about)


def work(notebook):
    """A hash of the text of a repaired notebook's cells, and of nothing else of it."""
    return _hash([[cell.cell_type, cell.source.strip()] for cell in notebook.cells])


def texts(notebook):
    """{grade_id: a hash of the answer that its points are for} of a notebook that was repaired, graded or not."""
    answers = {meta(cell)["grade_id"]: _hash([cell.source.strip(), cell.get("attachments")])
               for cell in filter(solution, notebook.cells)}
    names = {cell.metadata.nbgrader.grade_id: exercise_of(cell) for cell in filter(graded, notebook.cells)}
    return {name: answers[exercise or name] for name, exercise in names.items() if (exercise or name) in answers}


def _hash(content):
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def _is_unread(submission, repaired, problems):
    """Was something handed in, and no notebook could be read? Then a person looks for what was written."""
    return not repaired.read or submission is None and bool(problems)


def _cost(marks):
    """Has an exercise lost points as something was not there? Then a person looks at what was missing, and why."""
    verdicts = [verdict for mark in marks.values() if mark.judgement for verdict in mark.judgement.verdicts]
    return any(name in verdict.hint for verdict in verdicts if not verdict.passed for name in NOT_THERE)


def _given(files, room):
    names = [repr(name) for name in files if name not in room.refused]
    return [f"Given to the notebook as helper files: {', '.join(names)}."] if names else []


def _refused(room):
    return [f"The helper file {name!r} could not be put beside the notebook." for name in room.refused]


def _own_seed(seed, submission):
    return "" if seed is None else f"{seed} {hashlib.sha256(submission or b'').hexdigest()}"


class _Marking:
    """One walk through a notebook that has been run, from its first check to its last."""

    def __init__(self, lab, room, blank, unread, seed):
        self.lab, self.room, self.blank, self.unread, self.seed = lab, room, blank, unread, seed
        self.marks = {}

    def mark(self, notebook, unfinished):
        """{grade_id: Mark}. A cell that did not run to its end is named where its exercise is judged."""
        numbers = {id(cell): number for number, cell in numbered(notebook)}
        told = []  # of this exercise
        for cell in notebook.cells:
            number = numbers.get(id(cell))
            if number in unfinished:
                told.append(Verdict(f"cell {number} runs to its end", False, unfinished[number], weight=0))
            if graded(cell):
                self.marks[cell.metadata.nbgrader.grade_id] = self._mark(cell, told)
                told = []
        return self.marks

    def _mark(self, cell, told):
        grade_id, possible = cell.metadata.nbgrader.grade_id, float(cell.metadata.nbgrader.points)
        exercise = exercise_of(cell)
        if exercise is None:  # marked by hand, but a blank answer needs nobody's time
            return Mark(0.0 if grade_id in self.blank else None, possible)
        mark = self._checked(grade_id, exercise, possible, told)
        done = [m for m in [*self.marks.values(), mark] if m.judgement]
        earned, so_far = sum(m.points for m in done), sum(m.possible for m in done)
        cell.outputs.insert(0, feedback.verdict_output(exercise, mark, earned, so_far))
        return mark

    def _checked(self, grade_id, exercise, possible, told):
        if exercise in self.unread:
            told = [*told, Verdict("the answer can be read as Python", False, self.unread[exercise], weight=0)]
        lost = [] if exercise in self.blank else self._lost()  # a blank answer calls nothing
        try:
            with self.room.check(grade_id, twice=bool(lost)) as missing:
                if missing:
                    verdict = Verdict("the notebook runs as far as here", False, missing)
                    return Mark(0.0, possible, Judgement((*told, verdict)))
                student = RoomStudent(self.room, self.unread, self.blank)
                judgement = judge(self.lab.name, exercise, student, self.lab.solutions, self.seed, lost)
        except CheckFailed:
            return Mark(None, possible, fault=traceback.format_exc())
        points = round(possible * judgement.share, 2)
        return Mark(points, possible, Judgement((*told, *judgement.verdicts), judgement.behaves_like))

    def _lost(self):
        """The exercises checked so far that have lost points."""
        return [grade_id.removesuffix("-checks") for grade_id, mark in self.marks.items()
                if mark.judgement and mark.judgement.share < 1]


def _add_cells(notebook, lab, problems, notices):
    """Put in what is neither the lab's nor the student's: what was wrong, and the schemes for who marks by hand."""
    cells = [feedback.problems_cell(problems, notices)] if problems or notices else []
    for cell in notebook.cells:
        if graded(cell) and solution(cell):
            grade_id = cell.metadata.nbgrader.grade_id
            cells.append(feedback.scheme_cell(grade_id, lab.scheme(grade_id)))
        cells.append(cell)
    notebook.cells = cells
