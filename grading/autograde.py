"""`nbgrader autograde`, and formgrader's button, on top of the same parts as `python -m grading grade`.

nbgrader stays the front door: which submissions are new, time stamps, late penalties, --force and --student, manual
marks and comments are its own. This converter replaces what it does with one submission.
"""

import glob
import os
from pathlib import Path

from nbgrader.converters import Autograde
from nbgrader.converters.base import NbGraderException

from grading.course import Course, line, table
from grading.work import work


class AutogradeInTwoRooms(Autograde):
    """nbgrader's converter, with student code in one process and the checks in another.

    It also grades a folder that holds no notebook, which nbgrader passes over, and never executes what it is not
    sure of: symbolic links, devices and files that are too large are refused, and the summary says so.
    """

    def start(self):
        self.summary, self._course = [], Course(self.coursedir, self.config)
        name = self.coursedir.assignment_id
        try:
            self._terms = self._course.terms(name)
            with self._course.ledger() as self._ledger, self._course.settings.rooms() as self._rooms:
                self._ledger.expect(self._terms.lab)
                self._before = {record.student: record for record in self._ledger.records(name)}
                super().start()
        except (RuntimeError, ValueError) as error:
            self.log.error("%s", error)  # nbgrader's command ends without a word
            raise NbGraderException(str(error)) from error
        finally:
            print(table(self.summary), end="")

    def init_notebooks(self):
        """One notebook a submission, named as the lab, whether or not it is there."""
        lab = self.coursedir.assignment_id
        folders = sorted(glob.glob(self._format_source(lab, self.coursedir.student_id)))
        self.assignments = {folder: [os.path.join(folder, f"{lab}.ipynb")] for folder in folders}
        if not folders:
            super().init_notebooks()  # raises, and says what it looked for

    def init_destination(self, assignment_id, student_id):
        """What a killed run left behind is not done: the marks are written last."""
        excluded = student_id in self.coursedir.student_id_exclude.split(",")
        done = student_id in self._before and Path(self._format_dest(assignment_id, student_id)).exists()
        return not excluded and (not done or super().init_destination(assignment_id, student_id))

    def init_assignment(self, assignment_id, student_id):
        """Rows for the student and the submission. Nothing is copied here: `convert_single_notebook` does it."""
        self._course.enter(self._ledger, assignment_id, student_id, self.create_student)

    def convert_single_notebook(self, notebook_filename):
        """Grade one submission: write the graded notebook, then its marks in one commit."""
        student = Path(notebook_filename).parent.parent.name
        try:
            task = self._course.task(self._terms.lab.name, student)
            result = work(task, self._terms, self._rooms)
            self._course.deliver(self._ledger, result, task, self._terms)
        except Exception as error:
            self.summary.append((student, "not graded", [f"grading failed: {error}"]))
            raise
        for mark in result.record.marks.values():
            if mark["fault"]:
                self.log.error("%s", mark["fault"])
        self.summary.append(line(result.record, self._before.get(student)))
