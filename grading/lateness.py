"""Who is late, and what it costs: worked out whenever somebody looks, from what is known now.

A penalty follows from four things that may change at any time: the deadline, the student's extension, when they handed
in, and their points, of which some are given by hand later. So none is kept from grading: `settle` works all of them
out anew and writes them where nbgrader has them, and is called before anything shows or exports marks. nbgrader's own
commands and formgrader call it through nbgrader_config.py, see `keep_settled`.

When a student handed in is what `python -m grading collect` or nbgrader's exchange noted (`Ledger.note_hand_in`), else
what nbgrader's gradebook knows. A timestamp.txt within a submission is the student's own, and says nothing.
"""

import functools
import math
import time
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta

from nbgrader.api import Assignment, Grade, Gradebook, SubmittedAssignment, SubmittedNotebook
from nbgrader.apps.api import NbGraderAPI
from nbgrader.apps.exportapp import ExportApp
from nbgrader.preprocessors import AssignLatePenalties
from sqlalchemy import bindparam, func, select, update

from grading.clock import lasting
from grading.gradebook import LedgerError, Times, in_one_line


@dataclass(frozen=True)
class Late:
    """How late one student is in a lab that has a deadline.

    handed_in  when, UTC; None if nobody noted it
    due        the student's own deadline, with their extension
    penalty    points that are taken off
    how        who says when it was handed in; where nobody does, who says that it was late
    """

    handed_in: datetime | None
    due: datetime
    penalty: float
    how: str = ""

    @property
    def seconds(self):
        """How late: 0 for in time, None if it is not known."""
        return None if self.handed_in is None else max(0.0, (self.handed_in - self.due).total_seconds())

    @property
    def said_late(self):
        """Does the platform say no more than that it was late?"""
        return self.handed_in is None and bool(self.how)

    def __str__(self):
        """A sentence."""
        if self.seconds is None:
            return "It is not known when it was handed in" + (f": it is from {self.how}." if self.said_late else ".")
        if not self.seconds:
            return "In time."
        return f"Late by {lasting(self.seconds)}: {self.penalty:g} points are taken off."


def of(book, lab):
    """{student: Late} of all that nbgrader's Gradebook has a submission of; {} where the lab has no deadline.

    Call `settle` first: the penalties are those of the gradebook.
    """
    return {row.student: Late(row.noted or row.timestamp, _due(row), row.penalty or 0.0, _how(row))
            for row in _submissions(book, [lab]) if row.duedate}


def unknown(late, lab):
    """Sentences about those in {student: Late} of whom nobody knows when they handed in.

    First come those whom a platform calls late, all of them, as each has to be looked up.
    """
    who = sorted(student for student, one in late.items() if one.seconds is None and not one.said_late)
    said = sorted(student for student, one in late.items() if one.said_late)
    return [*([f"The platform says that {', '.join(said)} handed in late, but not when. Look it up there and note it "
               f"for each: python -m grading handed-in {lab} STUDENT TIME"] if said else []),
            *([f"Nobody noted when {_some(who)} handed in: whether that was late is unknown."] if who else [])]


def settle(book, config, labs=None):
    """Write hand-in times, extensions and penalties as they are now into nbgrader's own columns, in one commit.

    book    nbgrader's Gradebook
    config  traitlets configuration: which plugin says what lateness costs, and how
    labs    names; None for all

    Returns sentences about penalties that stay as they were since the plugin failed. Raises LedgerError.
    """
    with in_one_line(book.engine.url, book.db):
        _hand_over(book, labs)
        rows = list(_submissions(book, labs))
        late = [row for row in rows if row.duedate and row.timestamp and row.timestamp > _due(row)]
        penalties, problems = _penalties(late, _scores(book) if late else {}, config)
        changed = [{"its": row.notebook, "points": penalties.get(row.notebook)} for row in rows
                   if penalties.get(row.notebook) != row.penalty]
        if changed:
            book.db.connection().execute(_PENALTY, changed)
        book.db.commit()
    return problems


def keep_settled():
    """Have nbgrader's export and formgrader's pages settle first. Called by `front_door.take_over`."""
    ExportApp.init_plugin = _settling(_EXPORT, SystemExit(1))
    NbGraderAPI.gradebook = property(_settling(_FORMGRADER))


_EXPORT, _FORMGRADER = ExportApp.init_plugin, NbGraderAPI.gradebook.fget


def _settling(method, end=None):
    """The method of something that has nbgrader's configuration, after `settle`; if that fails `end` is raised.

    Formgrader opens the gradebook dozens of times for a page: it is settled for the first of them.
    """
    last = [-math.inf]

    @functools.wraps(method)
    def settled(self):
        now = time.monotonic()
        if end is None and now - last[0] < PAGE:
            return method(self)
        last[0] = now
        try:
            with in_one_line(self.coursedir.db_url), Gradebook(self.coursedir.db_url, self.coursedir.course_id) as book:
                for problem in settle(book, self.config):
                    self.log.error("%s", problem)
        except LedgerError as error:
            self.log.error("%s", error)
            if end:
                raise end from error
        return method(self)
    return settled


NBGRADER = "nbgrader's gradebook"
PAGE = 1.0  # seconds that formgrader takes for one of its pages, or little more
_PENALTY = (update(SubmittedNotebook.__table__).where(SubmittedNotebook.id == bindparam("its"))
            .values(late_submission_penalty=bindparam("points")))


def _submissions(book, labs):
    """A row for each submitted notebook: what is known of its time, and the penalty that it has."""
    noted = (Times.lab == Assignment.name) & (Times.student == SubmittedAssignment.student_id)
    rows = (select(SubmittedNotebook.id.label("notebook"), SubmittedNotebook.late_submission_penalty.label("penalty"),
                   SubmittedAssignment.id.label("submission"), SubmittedAssignment.student_id.label("student"),
                   SubmittedAssignment.timestamp, SubmittedAssignment.extension, Assignment.duedate,
                   Assignment.name.label("lab"), Times.handed_in.label("noted"), Times.how,
                   Times.extension.label("waiting"))
            .join(SubmittedNotebook.assignment).join(SubmittedAssignment.assignment).outerjoin(Times, noted))
    return book.db.execute(rows if labs is None else rows.where(Assignment.name.in_(labs)))


def _hand_over(book, labs):
    """Put what our table knows into nbgrader's columns: an extension then lives there alone, a time in both."""
    for row in [row for row in _submissions(book, labs) if row.waiting is not None or row.noted]:
        values = {"timestamp": row.noted} if row.noted and row.noted != row.timestamp else {}
        if row.waiting is not None:
            values["extension"] = row.waiting
            book.db.execute(update(Times).filter_by(lab=row.lab, student=row.student).values(extension=None))
        if values:
            book.db.execute(update(SubmittedAssignment).filter_by(id=row.submission).values(**values))


def _how(row):
    return NBGRADER if row.timestamp and not row.noted else row.how or ""


def _due(row):
    return row.duedate + (row.extension or timedelta(0))


def _scores(book):
    """{notebook: points}, as nbgrader adds them up, of all at once: its own way takes a look at every mark for each."""
    return dict(book.db.execute(select(Grade.notebook_id, func.sum(Grade.score)).group_by(Grade.notebook_id)).all())


def _penalties(late, scores, config):
    """({notebook: points or None}, sentences about what failed)."""
    rule, found, failed = AssignLatePenalties(config=config), {}, defaultdict(list)
    for row in late:
        seconds = (row.timestamp - _due(row)).total_seconds()
        try:
            found[row.notebook] = _penalty(rule, row.student, scores.get(row.notebook, 0.0), seconds)
        except Exception as error:  # the instructor's own code may raise whatever it likes
            found[row.notebook] = row.penalty
            failed[f"{rule.plugin_class.__name__} raised {type(error).__name__}: {error}"].append(row.student)
    return found, [f"The late penalty of {_some(who)} stays as it was: {why}." for why, who in failed.items()]


def _penalty(rule, student, score, seconds):
    """What the instructor's plugin takes off, held between 0 and the score as nbgrader does; None for nothing."""
    points = rule.plugin_class(parent=rule).late_submission_penalty(student, score, seconds)
    if points is None:
        return None
    if not math.isfinite(points):
        raise ValueError(f"expected points, got {points!r}")
    return float(min(max(0.0, points), score))


def _some(names):
    return ", ".join(names[:3]) + (f" and {len(names) - 3} others" if len(names) > 3 else "")
