"""What each student has in a lab: the gradebook's own numbers, and which of them are final.

All marks that leave the course are from here: those of `python -m grading marks` (`transfer`) and of nbgrader's export
(`export`).
"""

from collections import defaultdict
from dataclasses import dataclass

from nbgrader.api import Assignment, BaseCell, Grade, SubmittedAssignment, SubmittedNotebook
from sqlalchemy import select


@dataclass(frozen=True)
class Mark:
    """One student's points in one lab.

    cells    {grade_id: points, None where a person has yet to give them}
    penalty  what is taken off for being late
    """

    cells: dict
    penalty: float

    @property
    def waiting(self):
        """grade_ids that wait for a person: written answers, answers that changed, checks that failed themselves."""
        return [grade_id for grade_id, points in self.cells.items() if points is None]

    @property
    def final(self):
        """Points after the late penalty; None as long as anything waits."""
        return None if self.waiting else max(0.0, sum(self.cells.values()) - self.penalty)

    def in_words(self, possible):
        """The points before the penalty, and what waits: "9.5 of 14, 2 by hand". possible: {grade_id: points}"""
        points, waiting = sum(filter(None, self.cells.values())), sum(possible[name] for name in self.waiting)
        return f"{points:g} of {sum(possible.values()):g}" + (f", {waiting:g} by hand" if waiting else "")


def maxima(book, lab):
    """{grade_id: points} of a lab, in the notebook's order.

    Raises ValueError, naming those that there are, if the gradebook knows no such lab.
    """
    names = sorted(assignment.name for assignment in book.assignments)
    if lab not in names:
        raise ValueError(f"lab: expected one of {names}, got {lab!r}")
    notebooks = book.find_assignment(lab).notebooks
    return {cell.name: cell.max_score for each in notebooks for cell in [*each.grade_cells, *each.task_cells]}


def marks(book, lab):
    """{student: Mark} of all that the gradebook has a row of. Call `lateness.settle` first."""
    waiting, penalties = dict.fromkeys(maxima(book, lab)), defaultdict(float)
    cells = defaultdict(waiting.copy)
    for student, name, auto, manual, waits, score in book.db.execute(_GRADES.where(Assignment.name == lab)):
        cells[student][name] = None if waits or auto is manual is None else score
    for student, penalty in book.db.execute(_PENALTIES.where(Assignment.name == lab)):
        penalties[student] += penalty or 0.0
    return {student: Mark(points, penalties[student]) for student, points in cells.items()}


_GRADES = (select(SubmittedAssignment.student_id, BaseCell.name,
                  Grade.auto_score, Grade.manual_score, Grade.needs_manual_grade, Grade.score)
           .join(SubmittedNotebook, Grade.notebook_id == SubmittedNotebook.id)
           .join(SubmittedAssignment, SubmittedNotebook.assignment_id == SubmittedAssignment.id)
           .join(Assignment, SubmittedAssignment.assignment_id == Assignment.id)
           .join(BaseCell, Grade.cell_id == BaseCell.id))
_PENALTIES = (select(SubmittedAssignment.student_id, SubmittedNotebook.late_submission_penalty)
              .join(SubmittedNotebook, SubmittedNotebook.assignment_id == SubmittedAssignment.id)
              .join(Assignment, SubmittedAssignment.assignment_id == Assignment.id))
