"""What the people of a class are called."""

from nbgrader.api import Student
from sqlalchemy import select

from grading.roster import read_students


def names(course, book):
    """{id: name} of all whom students.csv or nbgrader's Gradebook knows; an id alone is its own name."""
    rows = book.db.execute(select(Student.id, Student.first_name, Student.last_name))
    known = {id: " ".join(filter(None, name)) or id for id, *name in rows}
    return known | {id: person.called for id, person in read_students(course.coursedir.root).items()}
