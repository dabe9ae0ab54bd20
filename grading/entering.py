"""What nbgrader's gradebook holds of a lab itself: its cells and their points, as `generate_assignment` writes them.

A lab changes during a term. Then its rows are brought up to date, and no mark is lost: what a person gave stays.
"""

import json

from nbgrader.api import Comment, Grade, MissingEntry
from nbgrader.utils import is_grade, is_locked, is_solution, is_task
from sqlalchemy import delete, func, or_, select

from grading.lab import meta

FIELDS = {  # kind of cell: nbgrader's function that writes one, and what is kept of it
    "GradeCell": ("update_or_create_grade_cell", ("max_score", "cell_type")),
    "TaskCell": ("update_or_create_task_cell", ("max_score", "cell_type")),
    "SolutionCell": ("update_or_create_solution_cell", ()),
    "SourceCell": ("update_or_create_source_cell", ("cell_type", "locked", "source", "checksum")),
}


class MarksWouldBeLost(ValueError):
    """Somebody has marked what the lab no longer has; the text says what to do."""


def enter(book, lab):
    """Bring the rows of a lab up to date. Returns whether anything was changed. Raises MarksWouldBeLost.

    book: nbgrader's Gradebook.
    """
    wanted, rows = wanted_cells(lab), _rows(book, lab.name)
    there = {key: {field: getattr(row, field) for field in FIELDS[key[0]][1]} for key, row in (rows or {}).items()}
    gone = [rows[key] for key in sorted(set(there) - set(wanted))]
    for row in gone:
        _refuse_to_lose(book, lab.name, row)
    if rows is None:
        book.update_or_create_assignment(lab.name)
        book.update_or_create_notebook(lab.name, lab.name, kernelspec=_kernel(lab))
    for row in gone:
        _remove(book, row)
    for (kind, name), values in wanted.items():
        if there.get((kind, name)) != values:
            getattr(book, FIELDS[kind][0])(name, lab.name, lab.name, **values)
    return there != wanted


def wanted_cells(lab):
    """{(kind, grade_id): what nbgrader keeps of the cell}"""
    cells = {}
    for cell in filter(meta, lab.kept.cells):
        about = meta(cell)
        values = {"max_score": float(about.get("points", 0)), "cell_type": cell.cell_type, "locked": is_locked(cell),
                  "source": cell.source, "checksum": about.get("checksum")}
        kinds = {"GradeCell": is_grade(cell), "TaskCell": is_task(cell), "SolutionCell": is_solution(cell)}
        kinds["SourceCell"] = any(kinds.values()) or is_locked(cell)
        cells |= {(kind, about.grade_id): {field: values[field] for field in FIELDS[kind][1]}
                  for kind, is_one in kinds.items() if is_one}
    return cells


def _rows(book, lab):
    """{(kind, grade_id): row} of what the gradebook has; None if it does not know the lab's notebook."""
    try:
        notebook = book.find_notebook(lab, lab)
    except MissingEntry:
        return None
    return {(type(row).__name__, row.name): row for row in [*notebook._base_cells, *notebook.source_cells]}


BY_HAND = ((Grade, or_(Grade.manual_score.is_not(None), Grade.extra_credit.is_not(None))),
           (Comment, Comment.manual_comment.is_not(None)))


def _refuse_to_lose(book, lab, cell):
    """Raise MarksWouldBeLost if a person has marked or commented on a cell that is gone from the lab."""
    for table, is_given in BY_HAND:
        query = select(func.count(table.notebook_id.distinct())).where(table.cell_id == cell.id, is_given)
        if count := book.db.scalar(query):
            raise MarksWouldBeLost(f"lab: expected {cell.name!r} in {lab}, where {count} submissions were marked by "
                                   "hand, got no such cell: put it back, or take those marks out in formgrader")


def _remove(book, cell):
    """Take a cell out, and what the checks once gave there."""
    for table in (Grade, Comment):
        book.db.execute(delete(table).where(table.cell_id == cell.id))
    book.db.delete(cell)
    book.db.commit()


def _kernel(lab):
    return json.dumps(lab.source.metadata.get("kernelspec", {}))
