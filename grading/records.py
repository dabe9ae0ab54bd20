"""What each mark was given for, and the gradebook that holds it: nbgrader's own, with tables of ours (`gradebook`).

One process writes, `Ledger`. Whatever may be created first is; all marks of a submission and the record that makes it
done are committed at once. So a run that is killed has either marked a submission or not. Late penalties are no part
of that: `lateness.settle` works them out whenever somebody looks.
"""

import json
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime

from nbgrader.api import (
    Assignment,
    Comment,
    Grade,
    Gradebook,
    Student,
    SubmittedAssignment,
    SubmittedNotebook,
    new_uuid,
)
from sqlalchemy import Boolean, and_, bindparam, case, delete, func, insert, or_, select, update

from grading.apart import Apart
from grading.entering import MarksWouldBeLost, enter
from grading.gradebook import Again, LedgerError, Row, Times, in_one_line, shown


@dataclass(frozen=True)
class Record:
    """What was found in one submission.

    submission  hash of what was handed in (`submissions.fingerprint`)
    checks      hash of all that judged it (`checking.fingerprint`)
    marks       {grade_id: {"points": float or None, "possible": float, "verdicts": [[law, passed, hint, weight] ...],
                "mistake": str or None, "fault": str or None}}; points None: a person has yet to give them
    blank       grade_ids of the answers that are as they were given out
    problems    sentences: what was wrong with what was handed in, and a person should look at
    seconds     wall time of grading it
    graded      when, UTC, ISO 8601
    notices     sentences that are worth knowing, and need nobody
    work        hash of the text of the notebook's cells: equal where nobody has worked on it; "" in an old record
    texts       {grade_id: hash of the answer}, whose change asks for another look at a mark given by hand; {} in an
                old record
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
    notices: list = field(default_factory=list)
    work: str = ""
    texts: dict = field(default_factory=dict)

    @classmethod
    def of(cls, graded, student, lab, submission, checks):
        """The record of a `marking.Graded`."""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        marks = {grade_id: _plain(mark) for grade_id, mark in graded.marks.items()}
        return cls(student, lab, submission, checks, marks, sorted(graded.blank), graded.problems, graded.seconds, now,
                   list(graded.notices), graded.work, graded.texts)

    @classmethod
    def read(cls, content):
        """A record as it was kept by this release or another one: what it does not know is left out."""
        known = {one.name for one in fields(cls)}
        return cls(**{name: value for name, value in json.loads(content).items() if name in known})

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

    def changed(self, before):
        """{grade_id} of the answers that are not those which the Record `before` is about (None: there is none)."""
        if before is None or before.submission == self.submission:
            return set()
        return {name for name in self.marks if self._answer(name) != (before._answer(name) or "unknown")}

    def _answer(self, name):
        return self.texts.get(name, self.work)


def _plain(mark):
    judgement = mark.judgement
    return {
        "points": mark.points,
        "possible": mark.possible,
        "verdicts": [[v.law, v.passed, v.hint, v.weight] for v in judgement.verdicts] if judgement else [],
        "mistake": judgement.mistake if judgement else None,
        "fault": mark.fault,
    }


class Ledger:
    """The gradebook, open for a run: `with Ledger(url, course) as ledger`.

    book    nbgrader's Gradebook, for `lateness` and others that read
    unread  sentences about records that cannot be read, and so are taken as not there

    Raises LedgerError if the gradebook cannot be opened.
    """

    def __init__(self, url, course):
        self.url, self.course, self.book, self.unread = url, course, None, []

    def __enter__(self):
        with self._said():
            self.book = Gradebook(self.url, self.course)
        return self

    def __exit__(self, *_):
        self.book.close()

    def _said(self):
        return in_one_line(self.url, self.book and self.book.db)

    def expect(self, lab):
        """Enter the lab, or bring what the gradebook has of it up to date. Comes before `save`.

        Raises LedgerError if marks that a person gave would be lost.
        """
        with self._said():
            try:
                changed = enter(self.book, lab)
            except MarksWouldBeLost as error:
                raise LedgerError(f"gradebook {shown(self.url)}: {error}") from error
            notebook = self.book.find_notebook(lab.name, lab.name)
            self._lab = {"assignment_id": notebook.assignment_id}, {"notebook_id": notebook.id}
            self._graded = {cell.name: cell.id for cell in [*notebook.grade_cells, *notebook.task_cells]}
            self._commented = {cell.name: cell.id for cell in [*notebook.solution_cells, *notebook.task_cells]}
            if changed:
                self._complete(notebook)

    def _complete(self, notebook):
        """Give the submissions that there are the rows of cells that are new, as formgrader needs them all."""
        for student in [submission.student.id for submission in notebook.submissions]:
            self._rows(student)
        self.book.db.commit()

    def students(self):
        """{id} of the students that the gradebook knows."""
        with self._said():
            return set(self.book.db.scalars(select(Student.id)))

    # What was found.

    def enter(self, people):
        """Enter students with what is known of them; what the gradebook knows besides stays.

        people  {id: {"last_name": text, "first_name": text, "email": text}}, without what is unknown
        """
        with self._said():
            for student, about in people.items():
                self.book.db.merge(Student(id=student, **{name: text[:128] for name, text in about.items()}))
            self.book.db.commit()

    def records(self, lab):
        """[Record] of a lab (its name), by student."""
        with self._said():
            rows = self.book.db.execute(select(Row.student, Row.content).where(Row.lab == lab).order_by(Row.student))
            return [record for row in rows if (record := self._read(*row))]

    def record(self, lab, student):
        """The Record of one submission, None if there is none."""
        with self._said():
            content = self.book.db.scalar(select(Row.content).filter_by(lab=lab, student=student))
            return self._read(student, content) if content else None

    def _read(self, student, content):
        with Apart(student, "record", said=self.unread):
            return Record.read(content)

    def judged_otherwise(self, lab, checks):
        """How many of a lab were graded by other checks than these, or by a release that knew less."""
        now = Row.content.contains(f'"checks": {json.dumps(checks)}', autoescape=True)
        known = Row.content.contains('"work": "', autoescape=True)  # no text in JSON holds these quotes as they are
        with self._said():
            return self.book.db.scalar(select(func.count()).select_from(Row).where(Row.lab == lab, ~and_(now, known)))

    def save(self, record, changed=()):
        """All that was found, in one commit. Marks and comments that a person gave are not touched.

        changed  grade_ids of the answers that are others than before: a mark given by hand needs another look there
        """
        with self._said():
            notebook = self._rows(record.student)
            self._do(_MARK, [{"notebook": notebook, "cell": cell, "points": record.marks[name]["points"],
                              "missing": record.marks[name]["points"] is None, "changed": name in changed}
                             for name, cell in self._graded.items()])
            self._do(_COMMENT, [{"notebook": notebook, "cell": cell, "text": NOTHING if name in record.blank else None}
                                for name, cell in self._commented.items()])
            content = json.dumps(vars(record))
            self.book.db.merge(Row(lab=record.lab, student=record.student, content=content))
            self._do(delete(Again).filter_by(lab=record.lab, student=record.student))
            self.book.db.commit()

    def _rows(self, student):
        """The id of a student's notebook, with a row for each cell, made where there is none yet.

        They are those of nbgrader's `add_submission`, which commits, and takes ten times as long.
        """
        db, (lab, notebook) = self.book.db, self._lab
        if db.get(Student, student) is None:
            self._do(insert(Student), {"id": student})
        submission = self._id(SubmittedAssignment, student_id=student, **lab)
        submitted = self._id(SubmittedNotebook, assignment_id=submission, **notebook)
        for table, cells in (Grade, self._graded.values()), (Comment, self._commented.values()):
            there = db.scalars(select(table.cell_id).where(table.cell_id.in_(cells), table.notebook_id == submitted))
            if missing := set(cells) - set(there):
                self._do(insert(table), [{"notebook_id": submitted, "cell_id": cell} for cell in missing])
        return submitted

    def _id(self, table, **columns):
        """The id of the row with these values, which is made if there is none."""
        found = self.book.db.scalar(select(table.id).filter_by(**columns))
        if found is None:
            found = new_uuid()
            self._do(insert(table), {"id": found, **columns})
        return found

    def _do(self, statement, values=None):
        return self.book.db.connection().execute(statement, values)

    # Who is to be graded again.

    def again(self, lab):
        """{student} that a run with --force has still to grade again, whether or not it was interrupted."""
        with self._said():
            return set(self.book.db.scalars(select(Again.student).filter_by(lab=lab)))

    def grade_again(self, lab, students):
        """Note that these are to be graded again, in one commit."""
        with self._said():
            if new := set(students) - self.again(lab):
                self._do(insert(Again), [{"lab": lab, "student": student} for student in new])
            self.book.db.commit()

    # Times.

    def note_hand_in(self, lab, student, when, how):
        """Keep when a student handed in, as `how` says ("Moodle's grading worksheet"); replaces what was known.

        when  UTC, without a time zone, as nbgrader has it; None to know it no more (with how None)
        """
        with self._said():
            if self.book.db.get(Student, student) is None:
                self._do(insert(Student), {"id": student})
            self.book.db.merge(Times(lab=lab, student=student, handed_in=when, how=how))
            if when is None:
                self._do(update(SubmittedAssignment).values(timestamp=None)
                         .where(SubmittedAssignment.id == _submission(lab, student).scalar_subquery()))
            self.book.db.commit()

    def hand_ins(self, lab):
        """{student: (when, how)} of those whose time was noted."""
        rows = select(Times.student, Times.handed_in, Times.how).where(Times.lab == lab, Times.handed_in.is_not(None))
        with self._said():
            return {student: (when, how) for student, when, how in self.book.db.execute(rows)}

    def note_late(self, lab, student, how):
        """Keep that somebody was late, as `how` says, or that nobody says so (None), unless the time is known."""
        with self._said():
            row = self.book.db.get(Times, (lab, student))
            if (row is None and how) or (row and row.handed_in is None):
                self.book.db.merge(Times(lab=lab, student=student, how=how))
            self.book.db.commit()

    def said_late(self, lab):
        """{student: how} of those of whom nothing is known but that they were late."""
        only_late = Times.handed_in.is_(None), Times.how.is_not(None)
        rows = select(Times.student, Times.how).where(Times.lab == lab, *only_late)
        with self._said():
            return dict(self.book.db.execute(rows).all())

    def due(self, lab):
        """A lab's deadline, UTC; None if it has none."""
        with self._said():
            return self.book.db.scalar(select(Assignment.duedate).where(Assignment.name == lab))

    def set_due(self, lab, when):
        """Give a lab a deadline (UTC), or take it away (None). The lab need not have been given out."""
        with self._said():
            if not self._do(update(Assignment).filter_by(name=lab).values(duedate=when)).rowcount:
                row = {"id": new_uuid(), "name": lab, "course_id": self.course, "duedate": when}
                self._do(insert(Assignment), row)
            self.book.db.commit()

    def extensions(self, lab):
        """{student: timedelta} of those who have more time."""
        row = SubmittedAssignment
        held = select(row.student_id, row.extension).join(row.assignment)
        held = held.where(Assignment.name == lab, row.extension.is_not(None))
        waiting = select(Times.student, Times.extension).where(Times.lab == lab, Times.extension.is_not(None))
        with self._said():
            return {student: more for rows in (held, waiting) for student, more in self.book.db.execute(rows)}

    def extend(self, lab, student, more):
        """Give a student more time (a timedelta) for a lab, or no more (None), instead of what there was.

        nbgrader's row holds it; where there is none, since nothing was handed in, it waits in a table of ours.
        """
        with self._said():
            submission = self.book.db.scalar(_submission(lab, student))
            if submission is None:
                self.book.db.merge(Times(lab=lab, student=student, extension=more))
            else:
                self._do(update(SubmittedAssignment).filter_by(id=submission).values(extension=more))
            self.book.db.commit()


def _submission(lab, student):
    return (select(SubmittedAssignment.id).join(SubmittedAssignment.assignment)
            .where(Assignment.name == lab, SubmittedAssignment.student_id == student))


NOTHING = "No response."  # nbgrader's words for an answer that was left blank
_LOOK_AGAIN = or_(Grade.needs_manual_grade, bindparam("changed", type_=Boolean))  # at a mark that a person gave
_MARK = (update(Grade.__table__)
         .where(Grade.notebook_id == bindparam("notebook"), Grade.cell_id == bindparam("cell"))
         .values(auto_score=bindparam("points"),
                 needs_manual_grade=case((Grade.manual_score.is_not(None), _LOOK_AGAIN),
                                         else_=bindparam("missing", type_=Boolean))))
_COMMENT = (update(Comment.__table__)
            .where(Comment.notebook_id == bindparam("notebook"), Comment.cell_id == bindparam("cell"))
            .values(auto_comment=bindparam("text")))
