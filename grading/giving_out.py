"""`nbgrader generate_assignment`, and formgrader's button: the lab is entered, whether it is released anew or not."""

from fnmatch import fnmatchcase

from nbgrader.converters import GenerateAssignment
from nbgrader.converters.base import NbGraderException

from grading.course import Course


class GiveOut(GenerateAssignment):
    """nbgrader's converter. It passes over a lab that stands in release/ already, as it does after `make course`.

    So the gradebook is told of the lab first; it then also takes one whose cells have changed since it was given out.
    """

    def start(self):
        try:
            if not self.no_database:
                self._enter()
        except (RuntimeError, ValueError, OSError) as error:
            self.log.error("%s", error)
            raise NbGraderException(str(error)) from error
        super().start()

    def _enter(self):
        course = Course(self.coursedir, self.config)
        wanted = [name for name in course.labs() if fnmatchcase(name, self.coursedir.assignment_id)]
        with course.ledger() as ledger:
            for name in wanted:
                ledger.expect(course.lab(name))
