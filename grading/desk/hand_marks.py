"""One lab's marks by hand in the gradebook: nbgrader's own, so that formgrader, feedback and export see the same.

A class's rubric of a question, and which of its items an answer earned, are kept beside them. Whatever is asked or
written is one transaction, and a mark or comment is written only over the one that the person has seen.
"""

import hashlib
import json
from contextlib import contextmanager
from dataclasses import dataclass

from nbgrader.api import Comment, Grade, MissingEntry, SubmittedAssignment, SubmittedNotebook
from sqlalchemy import func, select, update

from grading.desk.rubric import Rubric
from grading.gradebook import ChosenRow, LedgerError, RubricRow, in_one_line

COMMENT_LIMIT = 20_000  # characters
OTHER_RUBRIC = "Somebody else changed the rubric meanwhile: look at the items once more."
PLAINLY = {"synchronize_session": False}  # no objects of nbgrader's are held that would have to follow


class Conflict(RuntimeError):
    """Somebody else changed it meanwhile; the text says what, and `now` is the Answer as it is."""

    def __init__(self, text, now=None):
        super().__init__(text)
        self.now = now


@dataclass(frozen=True)
class Given:
    """What a person gives an answer: points or None, a comment, numbers of the rubric's items."""

    mark: float | None
    comment: str | None
    chosen: list

    @classmethod
    def of(cls, data, possible):
        """From a dictionary, which a browser sent. Raises ValueError for a mark or comment that cannot be."""
        mark, comment, chosen = (data.get(name) for name in ("mark", "comment", "chosen"))
        if mark is not None and not (isinstance(mark, int | float) and 0 <= mark <= possible):
            raise ValueError(f"points: expected 0 to {possible:g}, got {mark!r}")
        if not isinstance(comment, str) or len(comment) > COMMENT_LIMIT:
            raise ValueError(f"comment: expected a text of at most {COMMENT_LIMIT} characters")
        if not isinstance(chosen, list):
            raise ValueError(f"items: expected a list of numbers, got {chosen!r}")
        return cls(mark if mark is None else float(mark), _storable(comment), chosen)


@dataclass(frozen=True)
class Answer:
    """What the gradebook knows of one student's answer to a question.

    id       nbgrader's id of the submitted notebook, which tells no name
    state    "unmarked", "marked", "changed" since it was marked, or "blank", which has 0 points by itself
    mark     points that a person gave, or None
    chosen   numbers of the rubric's items that it earned
    """

    id: str
    student: str
    state: str
    mark: float | None
    comment: str
    chosen: list


class HandMarks:
    """The marks by hand of one lab, in nbgrader's Gradebook `book`. For the thread that opened the book.

    Raises LedgerError if the gradebook cannot be used, KeyError for an answer that there is not.
    """

    def __init__(self, book, lab):
        self.book, self.lab = book, lab
        with self._transaction():
            try:
                notebook = book.find_notebook(lab.name, lab.name)
            except MissingEntry:
                raise LedgerError(f"gradebook: expected {lab.name!r} in {book.engine.url}, got none: run "
                                  f"python -m grading grade {lab.name} first") from None
            # nbgrader has two cells for a question: one that is graded, one that is filled in
            self._graded = {cell.name: cell.id for cell in notebook.grade_cells}
            self._filled = {cell.name: cell.id for cell in notebook.solution_cells}

    def answers(self, question):
        """[Answer] of all students, blank ones last, in an order that follows no name, another for each question."""
        with self._transaction() as db:
            found = [_answer(row) for row in db.execute(self._rows(question))]
        return sorted(found, key=lambda one: (one.state == "blank", _shuffled(question, one.id)))

    def answer(self, question, which):
        """The Answer with this id."""
        with self._transaction() as db:
            return self._answer(db, question, which)

    def rubric(self, question):
        """The class's Rubric of a question."""
        with self._transaction() as db:
            return self._rubric(db, question)

    def give(self, question, which, given, seen, rubric):
        """Give an answer what a person says (`Given`). Returns the Answer as it is then.

        seen    {"mark": points or None, "comment": text}: what the person has seen there
        rubric  the version of the rubric that they have seen

        Raises Conflict, with nothing written, if it is no longer so.
        """
        with self._transaction() as db:
            known, row = self._rubric(db, question), self._row(db, question, which)
            if rubric != known.version:
                raise Conflict(OTHER_RUBRIC)
            if not (self._put_mark(db, row, seen.get("mark"), given.mark)
                    and self._put_comment(db, row, seen.get("comment"), given.comment)):
                db.rollback()
                now = self._answer(db, question, which)
                raise Conflict(_what_changed(seen, now), now)
            chosen = [number for number in range(len(known.items)) if number in given.chosen]
            self._keep(db, question, known)
            db.merge(ChosenRow(notebook=which, question=question, content=json.dumps(chosen)))
            return self._answer(db, question, which)

    def change_rubric(self, question, rubric, seen):
        """Put another Rubric in the place of the one with the version `seen`, for everybody who was marked by it.

        A mark that is what its items gave becomes what they give now. Any other was typed by a person, and stays.

        Returns (how many marks changed, how many stayed although an item of theirs changed). Raises Conflict.
        """
        possible, changed, stayed = self.lab.points[question], 0, 0
        with self._transaction() as db:
            before = self._rubric(db, question)
            if seen != before.version:
                raise Conflict(OTHER_RUBRIC)
            if len(rubric.items) < len(before.items):
                raise ValueError("rubric: expected all items, got fewer: give an item 0 points instead")
            self._keep(db, question, rubric)
            for row in db.execute(self._rows(question)).all():
                chosen = json.loads(row.chosen or "[]")
                was, will = (each.total(chosen, possible) for each in (before, rubric))
                follows = row.manual_score is not None and was != will
                if follows and self._put_mark(db, row, was, will, row.needs_manual_grade):
                    changed += 1
                else:
                    stayed += follows
        return changed, stayed

    @contextmanager
    def _transaction(self):
        """The database's session; all that is written in it is committed at its end, or nothing."""
        db = self.book.db
        with in_one_line(self.book.engine.url, db):
            try:
                yield db
                db.commit()
            finally:
                db.rollback()  # nothing is open between two requests; after a commit this does nothing

    def _rows(self, question):
        """The query for all answers to a question."""
        return (
            select(SubmittedNotebook.id, SubmittedAssignment.student_id, Grade.id.label("grade"), Grade.auto_score,
                   Grade.manual_score, Grade.needs_manual_grade, Comment.id.label("written"), Comment.manual_comment,
                   ChosenRow.content.label("chosen"))
            .join(SubmittedNotebook, Grade.notebook_id == SubmittedNotebook.id)
            .join(SubmittedAssignment, SubmittedNotebook.assignment_id == SubmittedAssignment.id)
            .join(Comment, Comment.notebook_id == SubmittedNotebook.id)
            .outerjoin(ChosenRow, (ChosenRow.notebook == SubmittedNotebook.id) & (ChosenRow.question == question))
            .where(Grade.cell_id == self._graded[question], Comment.cell_id == self._filled[question])
        )

    def _row(self, db, question, which):
        row = db.execute(self._rows(question).where(SubmittedNotebook.id == which)).first()
        if row is None:
            raise KeyError(which)
        return row

    def _answer(self, db, question, which):
        return _answer(self._row(db, question, which))

    def _rubric(self, db, question):
        content = db.scalar(select(RubricRow.content).filter_by(lab=self.lab.name, question=question))
        return Rubric.of_pairs(json.loads(content)) if content else Rubric.of_scheme(self.lab.scheme(question))

    def _keep(self, db, question, rubric):
        db.merge(RubricRow(lab=self.lab.name, question=question, content=json.dumps(rubric.pairs)))

    @staticmethod
    def _put_mark(db, row, seen, mark, waits=None):
        """Write a mark where the one stands that was seen. Returns False where another one does.

        waits  does the answer still need a person? None: if it has no mark at all
        """
        waits = mark is None and row.auto_score is None if waits is None else waits
        there = (Grade.id == row.grade) & Grade.manual_score.is_not_distinct_from(seen)
        values = {"manual_score": mark, "needs_manual_grade": waits}
        return db.execute(update(Grade).where(there).values(values), execution_options=PLAINLY).rowcount == 1

    @staticmethod
    def _put_comment(db, row, seen, comment):
        there = (Comment.id == row.written) & (func.coalesce(Comment.manual_comment, "") == seen)
        statement = update(Comment).where(there).values(manual_comment=comment)
        return db.execute(statement, execution_options=PLAINLY).rowcount == 1


def _shuffled(*names):
    """What to sort by, so that an order tells nothing: the same each time."""
    return hashlib.sha256(" ".join(names).encode()).digest()


def _storable(text):
    """What a database can hold of a text; None if it says nothing."""
    text = text.encode("utf-8", "replace").decode().replace("\0", "")
    return text if text.strip() else None


def _answer(row):
    mark = row.manual_score
    if mark is None:
        state = "blank" if row.auto_score is not None and not row.needs_manual_grade else "unmarked"
    else:
        state = "changed" if row.needs_manual_grade else "marked"
    return Answer(row.id, row.student_id, state, mark, row.manual_comment or "", json.loads(row.chosen or "[]"))


def _what_changed(seen, now):
    """A sentence for who is about to write over what somebody else wrote."""
    if seen.get("mark") != now.mark:
        return "Somebody else " + ("took the mark back" if now.mark is None else f"gave {now.mark:g}") + " meanwhile."
    return f"Somebody else wrote a comment meanwhile: {now.comment!r}." if now.comment else (
        "Somebody else took the comment away meanwhile.")
