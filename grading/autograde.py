"""`nbgrader autograde`, and formgrader's button, on top of the same parts as `python -m grading grade`.

nbgrader stays the front door: its options, hooks, permissions and messages are its own. This converter replaces what
is done with the submissions.
"""

from fnmatch import fnmatchcase

from nbgrader.converters import Autograde
from nbgrader.converters.base import NbGraderException

from grading.apart import Apart
from grading.course import Course, line, refused, table
from grading.submissions import STUDENT
from grading.work import work


class AutogradeInTwoRooms(Autograde):
    """nbgrader's converter, with student code in one process and the checks in another.

    It grades what is new or has changed, as `python -m grading grade` does. It also grades a folder that holds no
    notebook, which nbgrader passes over, and never executes what it is not sure of: symbolic links, devices and files
    that are too large are refused, and the summary says so.
    """

    def start(self):
        self.summary, self._failed, self._course = [], [], Course(self.coursedir, self.config)
        try:
            self._terms = self._course.terms(self.coursedir.assignment_id)
            with self._course.ledger() as self._ledger, self._course.settings.rooms() as self._rooms:
                self._ledger.expect(self._terms.lab)
                super().start()
                self.summary, said = self._course.conclude(self._ledger, self._terms.lab.name, self.summary)
                for sentence in [*self._ledger.unread, *said]:
                    self.log.warning("%s", sentence)
            if self._failed:
                raise RuntimeError("\n".join(self._failed))
        except (RuntimeError, ValueError, OSError) as error:
            self.log.error("%s", error)  # nbgrader's command ends without a word
            raise NbGraderException(str(error)) from error
        finally:
            print(table(self.summary), end="")

    def init_notebooks(self):
        """Who is to be graded. Raises NbGraderException, saying what it looked for, if there is nobody."""
        pattern, excluded = self.coursedir.student_id, self.coursedir.student_id_exclude.split(",")
        found = [s for s in self._course.students(self._terms.lab.name) if fnmatchcase(s, pattern)]
        if not found:
            super().init_notebooks()
        self.summary += refused(found)
        self._students = [student for student in found if STUDENT.fullmatch(student) and student not in excluded]

    def convert_notebooks(self):
        """One submission after the other. What stops one is noted and the others go on; what would stop all, stops."""
        lab, known = self._terms.lab.name, self._ledger.students()
        for student in self._students:
            task, before = self._course.task(lab, student), self._ledger.record(lab, student)
            if not self.create_student and student not in known:
                self.summary.append((student, "not graded", ["The gradebook has no such student."]))
            elif self.force or not self._course.is_done(before, task, self._terms):
                self.notebooks = [str(self._course.submitted(lab, student) / f"{lab}.ipynb")]  # for the hooks
                self.run_pre_convert_hook()
                self._grade(task, before)
                self.run_post_convert_hook()

    def _grade(self, task, before):
        with Apart(task.student, "deliver", said=self._failed):
            result = work(task, self._terms, self._rooms)
            self._course.deliver(self._ledger, result, task, self._terms, before)
            self.set_permissions(self._terms.lab.name, task.student)
            self.summary.append(line(result.record, before))
            for mark in result.record.marks.values():
                if mark["fault"]:
                    self.log.error("%s", mark["fault"])
