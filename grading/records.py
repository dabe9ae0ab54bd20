"""The gradebook: nbgrader's own, with one table beside its tables that says what each mark was given for.

One process writes, `Ledger`. Whatever may be created first is; all marks of a submission, its late penalty and the
record that makes it done are committed at once. So a run that is killed has either marked a submission or not.
"""

import dataclasses
import json
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from nbgrader.api import Base, Gradebook, MissingEntry
from nbgrader.preprocessors import AssignLatePenalties
from sqlalchemy import Column, String, Text
from sqlalchemy.exc import DatabaseError


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
        """Raise LedgerError unless the gradebook knows this lab, with the same points. Comes before `save`."""
        with _in_one_line(self.url):
            try:
                notebook = self._book.find_notebook(lab.name, lab.name)
            except MissingEntry:
                raise LedgerError(f"gradebook: expected {lab.name!r} in {self.url}, got none: run "
                                  f"nbgrader generate_assignment {lab.name}") from None
            cells = [*notebook.grade_cells, *notebook.task_cells]
            self._names = {cell.id: cell.name for cell in [*cells, *notebook.solution_cells]}
            expected, got = sorted(lab.points.items()), sorted((cell.name, cell.max_score) for cell in cells)
        if expected != got:
            raise LedgerError(f"gradebook: expected {expected}, got {got}: run "
                              f"nbgrader generate_assignment {lab.name} --force")

    def records(self, lab):
        """[Record] of a lab (its name), by student."""
        with _in_one_line(self.url):
            rows = self._book.db.query(_Row).filter(_Row.lab == lab).order_by(_Row.student).all()
            return [Record(**json.loads(row.content)) for row in rows]

    def enter(self, lab, student, timestamp=None, create_student=True):
        """Rows for a student and their submission, with empty marks; the time it was handed in, if it is known."""
        stamp = {"timestamp": timestamp} if timestamp else {}
        with _in_one_line(self.url), self._book.db.no_autoflush:  # nbgrader builds rows that are not complete at once
            if create_student:
                self._book.update_or_create_student(student)
            self._book.update_or_create_submission(lab, student, **stamp)

    def save(self, record):
        """All that was found, in one commit. Marks and comments that a person gave are not touched."""
        with _in_one_line(self.url):
            notebook = self._book.find_submission_notebook(record.lab, record.lab, record.student)
            for row in notebook.grades:
                row.auto_score = record.marks[self._names[row.cell_id]]["points"]
                row.needs_manual_grade = row.auto_score is None or row.manual_score is not None
            for row in notebook.comments:
                row.auto_comment = "No response." if self._names[row.cell_id] in record.blank else None
            content = json.dumps(dataclasses.asdict(record))
            self._book.db.merge(_Row(lab=record.lab, student=record.student, content=content))
            notebook.late_submission_penalty = self._penalty(notebook, record.student)
            self._book.db.commit()

    def _penalty(self, notebook, student):
        """What nbgrader's late submission plugin takes off, as AssignLatePenalties has it, without its own commit."""
        seconds = notebook.assignment.total_seconds_late
        if seconds <= 0:
            return None
        self._book.db.flush()
        self._book.db.refresh(notebook)  # its score is worked out from the new rows
        late = AssignLatePenalties(config=self.config)
        late.init_plugin()
        penalty = late.plugin_inst.late_submission_penalty(student, notebook.score, seconds)
        return None if penalty is None else late._check_late_penalty(notebook, penalty)


@contextmanager
def _in_one_line(url):
    """Turn what a database raises into a LedgerError that can be read."""
    try:
        yield
    except DatabaseError as error:
        raise LedgerError(f"gradebook {url}: {error.orig}; is it locked, of another version (nbgrader db upgrade), "
                          f"or the disk full?") from error
