"""What students get back: a page for each, written anew where something that it shows has changed.

`page` makes one of a graded notebook and what the gradebook holds; it needs neither file nor gradebook, so any process
can run it. Each page says in its head what it was made from, and so whether it is out of date.
"""

import functools
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from nbformat import v4
from nbgrader.api import Assignment, Comment, Grade, Notebook, SubmittedAssignment, SubmittedNotebook
from nbgrader.converters import GenerateFeedback
from nbgrader.converters.base import NbGraderException
from sqlalchemy import select
from sqlalchemy.orm import joinedload, selectinload

from grading.apart import Apart
from grading.course import Course, chosen
from grading.feedback import without_staff
from grading.gradebook import LedgerError
from grading.lab import meta
from grading.lateness import settle
from grading.pages import FeedbackPage
from grading.submissions import is_regular

SOME = 200   # students whose marks are held in memory at a time
HEAD = 1000  # bytes of a page in which it says what it was made from
SECRET, STAMP = "submission_secret.txt", "timestamp.txt"  # the exchange's; a student's page is found by the first
LIMIT = 1000  # bytes of one of them
# What decides how a page looks.
PARTS = ("templates/*", "pages.py", "markup.py", "feedback.py", "giving_back.py", "lab.py", "room/outputs.py")


@dataclass(frozen=True)
class Given:
    """What the gradebook holds of a submission: marks, comments, and what was taken off for being late.

    marks     {grade_id: (points, possible points, is it still to be marked?)}
    comments  {grade_id: text}, of those that have one
    """

    marks: dict
    comments: dict
    penalty: float

    @classmethod
    def of(cls, notebook):
        """From nbgrader's SubmittedNotebook."""
        marks = {grade.name: (grade.score, grade.cell.max_score, (grade.auto_score, grade.manual_score) == (None, None))
                 for grade in notebook.grades}
        comments = {comment.name: comment.comment for comment in notebook.comments if comment.comment}
        return cls(_sorted(marks), _sorted(comments), notebook.late_submission_penalty or 0.0)

    @property
    def total(self):
        """(points after the penalty, possible points)"""
        points, possible, _ = zip(*self.marks.values(), strict=True) if self.marks else ((), (), ())
        return max(0.0, sum(points) - self.penalty), sum(possible)


def given(book, lab, students=None):
    """{student: Given} of all who have been graded, or of these, in three queries. lab: its name."""
    grades = selectinload(SubmittedNotebook.grades).joinedload(Grade.cell)
    comments = selectinload(SubmittedNotebook.comments).joinedload(Comment.cell)
    query = (select(SubmittedNotebook).join(Notebook).join(Assignment).where(Assignment.name == lab)
             .where(Notebook.name == lab).options(grades, comments, joinedload(SubmittedNotebook.assignment)))
    if students is not None:
        query = query.where(SubmittedNotebook.assignment.has(SubmittedAssignment.student_id.in_(students)))
    return {one.assignment.student_id: Given.of(one) for one in book.db.scalars(query)}


def page(text, student, lab, given):
    """The page of one student, as text. text: the graded notebook."""
    notebook = without_staff(v4.reads(text))
    for cell in filter(meta, notebook.cells):
        _fill_in(cell.metadata.nbgrader, given)
    points, possible = given.total
    about = {"student": student, "notebook": lab, "score": points, "max_score": possible,
             "late_penalty": given.penalty, "made_from": made_from(text, given)}
    return FeedbackPage().from_notebook_node(notebook, {"nbgrader": about})[0]


def made_from(text, given):
    """A hash of all that a student's page shows."""
    return hashlib.sha256("\0".join([text, repr(given), _looks()]).encode()).hexdigest()


def is_up_to_date(path, text, given):
    """Is the page in this file the one that `page` would make?"""
    try:
        with path.open("rb") as file:
            return made_from(text, given).encode() in file.read(HEAD)
    except FileNotFoundError:
        return False


def outdated(course, book, lab, students, failed):
    """The arguments of `page` for each page of these students that is missing or out of date.

    It holds the marks of a few in memory, however large the class is. failed: a list of sentences, as Apart says them
    """
    for some in (students[start:start + SOME] for start in range(0, len(students), SOME)):
        marks = given(book, lab, some)
        book.db.expunge_all()
        for student in filter(marks.get, some):
            text = None
            with Apart(student, "page", said=failed):
                text = _outdated(course, lab, student, marks[student])
            if text:
                yield text, student, lab, marks[student]


def _outdated(course, lab, student, marks):
    """The graded notebook of which a page is to be made; None if there is none, or a page that shows it."""
    path = course.autograded(lab, student) / f"{lab}.ipynb"
    text = path.read_text(encoding="utf-8") if path.is_file() else None
    return text if text and not is_up_to_date(course.feedback(lab, student), text, marks) else None


def deliver(course, arguments, made):
    """Write a page that another process made with these arguments, as GiveBack does.

    Raises ValueError if it was made by other code.
    """
    text, student, lab, given = arguments
    if made_from(text, given) not in made[:HEAD]:
        raise ValueError("the worker that made it has another version of this repository: bring its clone up to date")
    write(course.feedback(lab, student), made, course.submitted(lab, student))
    GiveBack(coursedir=course.coursedir, config=course.config).set_permissions(lab, student)


def write(path, page, submitted):
    """Put a page in its place in one step, with what the exchange needs of the folder that was handed in."""
    path.parent.mkdir(parents=True, exist_ok=True)
    for file in (submitted / SECRET, submitted / STAMP):
        if is_regular(file) and file.stat().st_size <= LIMIT:
            _replace(path.parent / file.name, file.read_bytes())
    _replace(path, page.encode())


def _replace(path, content):
    part = path.with_name(f".{path.name}.part")
    part.write_bytes(content)
    part.replace(path)


class GiveBack(GenerateFeedback):
    """`nbgrader generate_feedback`, and formgrader's button: writes the pages that are out of date, and says how many.

    --force is of no use: a page that is not out of date would come out the same.
    """

    def start(self):
        self._course, lab = Course(self.coursedir, self.config), self.coursedir.assignment_id
        students = chosen(self._course.students(lab, self.coursedir.autograded_directory), self.coursedir)
        if not students:
            self.init_notebooks()  # says what it looked for, and raises
        try:
            gradebook = self._given(lab)
        except LedgerError as error:
            self.log.error("%s", error)
            raise NbGraderException(str(error)) from error
        written, failed = 0, []
        for student in students:
            with Apart(student, "page", said=failed):
                written += self._bring_up_to_date(student, lab, gradebook.get(student))
        self.log.info("Feedback of %s: %d of %d pages written anew, the others were up to date.", lab, written,
                      len(students) - len(failed))
        if failed:
            self.log.error(message := "\n".join([*failed, f"{len(failed)} pages could not be written."]))
            raise NbGraderException(message)

    def _given(self, lab):
        """{student: Given}, with penalties as they are now."""
        with self._course.ledger() as ledger:
            for problem in settle(ledger.book, self.config, [lab]):
                self.log.error("%s", problem)
            return given(ledger.book, lab)

    def _bring_up_to_date(self, student, lab, given):
        """Returns whether a page was written."""
        graded = self._course.autograded(lab, student)
        text, path = (graded / f"{lab}.ipynb").read_text(encoding="utf-8"), self._course.feedback(lab, student)
        if given is None:
            raise ValueError("the gradebook has no marks of this submission: grade it first")
        if is_up_to_date(path, text, given):
            return False
        self.notebooks = [str(graded / f"{lab}.ipynb")]  # for the hooks
        self.run_pre_convert_hook()
        write(path, page(text, student, lab, given), self._course.submitted(lab, student))
        self.set_permissions(lab, student)
        self.run_post_convert_hook()
        return True


def _fill_in(about, given):
    """Put marks and comment into what nbgrader keeps of a cell, where the template looks for them."""
    points, possible, waiting = given.marks.get(about.grade_id, (0.0, about.get("points", 0), False))
    about.update(score=points, points=possible, waiting=waiting, comment=given.comments.get(about.grade_id))


def _sorted(found):
    return dict(sorted(found.items()))


@functools.cache
def _looks():
    """A hash of what decides how pages look."""
    here = Path(__file__).parent
    files = sorted(path for part in PARTS for path in here.glob(part) if path.is_file())
    return hashlib.sha256(json.dumps([path.read_text(encoding="utf-8") for path in files]).encode()).hexdigest()
