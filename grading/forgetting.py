"""`python -m grading forget ID...`: delete all that a class's folder keeps about students.

That is: what they handed in, their graded notebooks and pages of feedback, their rows of the gradebook (marks,
comments, times, what was found), and their lines of students.csv and matches.csv.
"""

from pathlib import Path

from nbgrader.api import SubmittedNotebook
from sqlalchemy import delete, select

from grading.course import Course, remove
from grading.gradebook import Again, ChosenRow, Row, Times
from grading.roster import read_matches, read_students, write_matches, write_students
from grading.submissions import STUDENT

LEFT = ("report-*.html", "similar-*.html", "marks-*", "grades.csv", "feedback-*.zip", "gradebook.db.*.bak")


def forget(options):
    """Say what is known of these students and, if `options.yes`, delete it. Returns the exit status.

    Raises ValueError for what can be nobody's id, as "..".
    """
    if wrong := [student for student in options.students if not STUDENT.fullmatch(student)]:
        raise ValueError(f"student: expected ids, got {', '.join(map(repr, wrong))}")
    course = Course.at(options.course_dir)
    with course.ledger() as ledger:
        kept = {student: list(_kept(course, ledger, student)) for student in options.students}
        for student, what in kept.items():
            print(f"{student}: {', '.join(what) or 'nothing is kept'}")
        if options.yes:
            for student in kept:
                _delete(course, ledger, student)
    print("Deleted." if options.yes else "Nothing was deleted: add --yes.")
    if left := sorted(path.name for pattern in LEFT for path in Path(course.coursedir.root).glob(pattern)):
        print(f"Files about the whole class stay, and may name them: {', '.join(left)}.")
    return 0 if all(kept.values()) else 1


def _kept(course, ledger, student):
    """What there is about a student, in words."""
    folders = [path for path in _folders(course, student) if path.exists()]
    yield from (f"{path.parent.name}/{path.name}/" for path in folders)
    if student in ledger.students():
        yield "their rows of the gradebook"
    if student in read_students(course.coursedir.root):
        yield "a line of students.csv"
    if lines := sum(match.id == student for match in read_matches(course.coursedir.root).values()):
        yield f"{lines} line{'s' * (lines > 1)} of matches.csv"


def _folders(course, student):
    """Where nbgrader keeps a student's folders, one for each step."""
    names = course.coursedir
    steps = (names.submitted_directory, names.autograded_directory, names.feedback_directory)
    return [Path(names.format_path(step, student, ".")) for step in steps]


def _delete(course, ledger, student):
    for path in _folders(course, student):
        remove(path)
    if student in ledger.students():
        ledger.book.remove_student(student)
    for table in (Row, Times, Again):
        ledger.book.db.execute(delete(table).where(table.student == student))
    ledger.book.db.execute(delete(ChosenRow).where(ChosenRow.notebook.not_in(select(SubmittedNotebook.id))))
    ledger.book.db.commit()
    _leave_out(course.coursedir.root, student)


def _leave_out(folder, student):
    """Take a student's lines out of students.csv and matches.csv."""
    people, matches = read_students(folder), read_matches(folder)
    if people.pop(student, None):
        write_students(folder, people.values())
    others = [match for match in matches.values() if match.id != student]
    if len(others) < len(matches):
        write_matches(folder, others)
