"""The gradebook: nbgrader's own, with one table beside its tables that says what each mark was given for.

One process writes, `Ledger`. Whatever may be created first is; all marks of a submission, its late penalty and the
record that makes it done are committed at once. So a run that is killed has either marked a submission or not.
"""

import json
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from nbgrader.api import (
    Base,
    Comment,
    Grade,
    Gradebook,
    Student,
    SubmittedAssignment,
    SubmittedNotebook,
    new_uuid,
)
from nbgrader.preprocessors import AssignLatePenalties
from sqlalchemy import Column, String, Text, bindparam, insert, or_, select, update
from sqlalchemy.exc import DatabaseError

from grading.entering import MarksWouldBeLost, enter


class LedgerError(RuntimeError):
    """The gradebook cannot be used as it is; the text says what to do, in one line."""


@dataclass(frozen=True)
class Record:
    """What was found in one submission.

    submission  hash of what was handed in (`submissions.fingerprint`)
    checks      hash of all that judged it (`checking.fingerprint`)
    marks       {grade_id: {"points": float or None, "possible": float, "verdicts": [[law, passed, hint, weight] ...],
                "mistake": str or None, "fault": str or None}}; points None: a person has yet to give them
    blank       grade_ids of the answers that are as they were given out
    problems    sentences: what was wrong with what was handed in
    seconds     wall time of grading it
    graded      when, UTC, ISO 8601
    """

    student: str
    lab: str
    submission: str
    checks: str
    marks: dict
    blank: list
    problems: list
    seconds: float
    graded: str

    @classmethod
    def of(cls, graded, student, lab, submission, checks):
        """The record of a `marking.Graded`."""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        marks = {grade_id: _plain(mark) for grade_id, mark in graded.marks.items()}
        return cls(student, lab, submission, checks, marks, sorted(graded.blank), graded.problems, graded.seconds, now)

    @property
    def points(self):
        """What the checks gave."""
        return sum(mark["points"] or 0.0 for mark in self.marks.values())

    @property
    def faulty(self):
        """grade_ids whose check failed: they need the instructor, and are tried again in the next run."""
        return [grade_id for grade_id, mark in self.marks.items() if mark["fault"]]

    @property
    def done(self):
        """Need it not be graded again, as long as nothing has changed?"""
        return not self.faulty


def _plain(mark):
    judgement = mark.judgement
    return {
        "points": mark.points,
        "possible": mark.possible,
        "verdicts": [[v.law, v.passed, v.hint, v.weight] for v in judgement.verdicts] if judgement else [],
        "mistake": judgement.mistake if judgement else None,
        "fault": mark.fault,
    }


class _Row(Base):
    """The table. nbgrader makes it with its own, as it has the same base, and otherwise never looks at it."""

    __tablename__ = "two_rooms"

    lab = Column(String(128), primary_key=True)
    student = Column(String(128), primary_key=True)
    content = Column(Text(), nullable=False)  # a Record as JSON


class Ledger:
    """The gradebook, open for a run: `with Ledger(url, course, config) as ledger`.

    config  traitlets configuration: says which plugin works out late penalties

    Raises LedgerError if the gradebook cannot be opened.
    """

    def __init__(self, url, course, config):
        self.url, self.course, self.config = url, course, config

    def __enter__(self):
        with _in_one_line(self.url):
            self._book = Gradebook(self.url, self.course)
        return self

    def __exit__(self, *_):
        self._book.close()

    def expect(self, lab):
        """Enter the lab, or bring what the gradebook has of it up to date. Comes before `save`.

        Raises LedgerError if marks that a person gave would be lost.
        """
        with _in_one_line(self.url):
            try:
                changed = enter(self._book, lab)
            except MarksWouldBeLost as error:
                raise LedgerError(f"gradebook {self.url}: {error}") from error
            notebook = self._book.find_notebook(lab.name, lab.name)
            self._lab = {"assignment_id": notebook.assignment_id}, {"notebook_id": notebook.id}
            self._graded = {cell.name: cell.id for cell in [*notebook.grade_cells, *notebook.task_cells]}
            self._commented = {cell.name: cell.id for cell in [*notebook.solution_cells, *notebook.task_cells]}
            self._due = notebook.assignment.duedate
            if changed:
                self._complete(notebook)

    def _complete(self, notebook):
        """Give the submissions that there are the rows of cells that are new, as formgrader needs them all."""
        for student in [submission.student.id for submission in notebook.submissions]:
            self._rows(student)
        self._book.db.commit()

    def students(self):
        """{id} of the students that the gradebook knows."""
        with _in_one_line(self.url):
            return set(self._book.db.scalars(select(Student.id)))

    def records(self, lab):
        """[Record] of a lab (its name), by student."""
        with _in_one_line(self.url):
            rows = self._book.db.scalars(select(_Row.content).where(_Row.lab == lab).order_by(_Row.student))
            return [Record(**json.loads(content)) for content in rows]

    def record(self, lab, student):
        """The Record of one submission, None if there is none."""
        with _in_one_line(self.url):
            content = self._book.db.scalar(select(_Row.content).filter_by(lab=lab, student=student))
            return Record(**json.loads(content)) if content else None

    def save(self, record, handed_in=None):
        """All that was found, in one commit. Marks and comments that a person gave are not touched.

        handed_in  when, UTC; None leaves what the gradebook knows
        """
        with _in_one_line(self.url):
            submission, notebook = self._rows(record.student)
            if handed_in:
                self._do(update(SubmittedAssignment).filter_by(id=submission).values(timestamp=handed_in))
            self._do(_MARK, [{"notebook": notebook, "cell": cell, "points": record.marks[name]["points"]}
                             for name, cell in self._graded.items()])
            self._do(_COMMENT, [{"notebook": notebook, "cell": cell, "text": NOTHING if name in record.blank else None}
                                for name, cell in self._commented.items()])
            content = json.dumps(vars(record))
            self._book.db.merge(_Row(lab=record.lab, student=record.student, content=content))
            penalty = self._penalty(notebook, record.student) if self._due else None
            self._do(update(SubmittedNotebook).filter_by(id=notebook).values(late_submission_penalty=penalty))
            self._book.db.commit()

    def _rows(self, student):
        """Ids of a student's submission and its notebook, with a row for each cell, made where there is none yet.

        They are those of nbgrader's `add_submission`, which commits, and takes ten times as long.
        """
        db, (lab, notebook) = self._book.db, self._lab
        if db.get(Student, student) is None:
            self._do(insert(Student), {"id": student})
        submission = self._id(SubmittedAssignment, student_id=student, **lab)
        submitted = self._id(SubmittedNotebook, assignment_id=submission, **notebook)
        for table, cells in (Grade, self._graded), (Comment, self._commented):
            there = set(db.scalars(select(table.cell_id).filter_by(notebook_id=submitted)))
            if missing := set(cells.values()) - there:
                self._do(insert(table), [{"notebook_id": submitted, "cell_id": cell} for cell in missing])
        return submission, submitted

    def _id(self, table, **columns):
        """The id of the row with these values, which is made if there is none."""
        found = self._book.db.scalar(select(table.id).filter_by(**columns))
        if found is None:
            found = new_uuid()
            self._do(insert(table), {"id": found, **columns})
        return found

    def _do(self, statement, values=None):
        self._book.db.connection().execute(statement, values)

    def _penalty(self, notebook, student):
        """What nbgrader's late submission plugin takes off, as AssignLatePenalties has it, without its own commit.

        Raises LedgerError if the plugin fails.
        """
        notebook = self._book.db.get(SubmittedNotebook, notebook, populate_existing=True)
        seconds = notebook.assignment.total_seconds_late
        if seconds <= 0:
            return None
        late = AssignLatePenalties(config=self.config)
        try:
            late.init_plugin()
            penalty = late.plugin_inst.late_submission_penalty(student, notebook.score, seconds)
        except Exception as error:
            raise LedgerError(f"penalty of {student}: the plugin raised {type(error).__name__}: {error}") from error
        return None if penalty is None else late._check_late_penalty(notebook, penalty)


NOTHING = "No response."  # nbgrader's words for an answer that was left blank
_MARK = (update(Grade.__table__)
         .where(Grade.notebook_id == bindparam("notebook"), Grade.cell_id == bindparam("cell"))
         .values(auto_score=bindparam("points"),
                 needs_manual_grade=or_(bindparam("points").is_(None), Grade.manual_score.is_not(None))))
_COMMENT = (update(Comment.__table__)
            .where(Comment.notebook_id == bindparam("notebook"), Comment.cell_id == bindparam("cell"))
            .values(auto_comment=bindparam("text")))


@contextmanager
def _in_one_line(url):
    """Turn what a database raises into a LedgerError that can be read."""
    try:
        yield
    except DatabaseError as error:
        raise LedgerError(f"gradebook {url}: {error.orig}; is it locked, of another version (nbgrader db upgrade), "
                          f"or the disk full?") from error
