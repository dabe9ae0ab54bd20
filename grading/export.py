"""Marks as a learning platform takes them: one row for each student, one column for each lab.

    nbgrader export --exporter=grading.export.OneRowPerStudent --to=marks.csv

nbgrader's own exporter writes a row for each student and lab instead.
"""

import csv

from nbgrader.api import MissingEntry
from nbgrader.plugins import ExportPlugin

ABOUT = ("student_id", "last_name", "first_name", "email")


class OneRowPerStudent(ExportPlugin):
    """Points after late penalties; nothing where nothing was handed in."""

    def export(self, gradebook):
        """Write the CSV file `self.to`, marks.csv if none is given. Called by `nbgrader export`."""
        labs = [lab.name for lab in gradebook.assignments if not self.assignment or lab.name in self.assignment]
        students = [s for s in gradebook.students if not self.student or s.id in map(str, self.student)]
        with open(self.to or "marks.csv", "w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow([*ABOUT, *labs])
            for student in students:
                about = [student.id, student.last_name, student.first_name, student.email]
                writer.writerow([*about, *(points(gradebook, lab, student.id) for lab in labs)])


def points(gradebook, lab, student):
    """What a student has in a lab, or None."""
    try:
        submission = gradebook.find_submission(lab, student)
    except MissingEntry:
        return None
    return round(max(0.0, submission.score - submission.late_submission_penalty), 2)
