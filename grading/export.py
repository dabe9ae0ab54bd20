"""nbgrader's own export, one row for each student and one column for each lab.

    nbgrader export --exporter=grading.export.OneRowPerStudent --to=marks.csv

nbgrader's own exporter writes a row for each student and lab instead. `python -m grading marks` writes the forms that
learning platforms take, by the same parts.
"""

from dataclasses import replace
from pathlib import Path

from nbgrader.plugins import ExportPlugin

from grading.forms import FORMS, Column, written
from grading.lateness import settle
from grading.marks import marks
from grading.roster import Person

FORM = replace(FORMS["csv"], mark="{name}", about={
    "student_id": "id", "last_name": "last_name", "first_name": "first_name", "email": "email"})


class OneRowPerStudent(ExportPlugin):
    """Final marks after late penalties; nothing where a mark waits for a person, or nothing was handed in."""

    def export(self, gradebook):
        """Write the CSV file `self.to`, marks.csv if none is given. Called by `nbgrader export`."""
        labs = [lab.name for lab in gradebook.assignments if not self.assignment or lab.name in self.assignment]
        problems = settle(gradebook, self.config, labs)
        people = [Person(row.id, row.last_name or "", row.first_name or "", row.email or "")
                  for row in gradebook.students if not self.student or row.id in map(str, self.student)]
        final = {lab: {student: mark.final for student, mark in marks(gradebook, lab).items()} for lab in labs}
        columns = [Column(lab, None, points) for lab, points in final.items()]
        data, left_out, _ = written(FORM, people, columns)
        Path(self.to or "marks.csv").write_bytes(data)
        for problem in [*problems, *(f"{student!r} is left out: {why}" for student, why in left_out.items())]:
            self.log.warning("%s", problem)
