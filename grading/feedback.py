"""What a student reads: the verdicts at each check cell, and nothing that is the staff's own."""

from html import escape

import nbformat
from nbformat import v4

COURSE_FAULT = "This exercise could not be checked. The fault is the course's, not yours: your instructor will mark it."
BEHAVES_LIKE = "What your answer behaves like:"
NOT_RERUN = "Not rerun: this cell takes long, and nothing that is graded depends on it.\n"
HANDED_IN = "what-was-handed-in"  # the id of the cell that says it
NEEDS_LONG = "Not rerun: this cell needs what a long cell above computes.\n"


def verdict_output(exercise, mark, earned, possible):
    """The first output of a check cell: what was checked, what failed and why, and the points.

    earned, possible: points of all check cells up to and with this one.

    Its text is for notebook viewers. The pages of `pages` are made from its metadata, which no output of a student's
    own can have: the exam room's outputs are rebuilt without any.
    """
    if mark.judgement is None:
        return _output(f"{exercise}: {COURSE_FAULT}", [], None)
    head = f"{exercise}: {mark.points:g} of {mark.possible:g} points. So far: {earned:g} of {possible:g}."
    return _output(head, mark.judgement.verdicts, mark.judgement.mistake)


def _output(head, verdicts, mistake):
    lines = [{"passed": v.passed, "law": v.law, "hint": v.hint[:1].upper() + v.hint[1:]} for v in verdicts]
    text = [head, *map(_line, lines), *([f"{BEHAVES_LIKE} {mistake}"] if mistake else [])]
    metadata = {"verdicts": {"head": head, "lines": lines, "mistake": mistake}}
    output = {"output_type": "display_data", "data": {"text/plain": "\n".join(text)}, "metadata": metadata}
    return nbformat.from_dict(output)


def _line(line):
    return f"passed: {line['law']}" if line["passed"] else f"FAILED: {line['law']}. {line['hint']}".rstrip()


def problems_cell(problems, notices=()):
    """A cell at the top of the graded notebook that says what was wrong, or odd, with what was handed in."""
    lines = "\n".join(f"- {escape(sentence)}" for sentence in [*problems, *notices])
    return v4.new_markdown_cell(f"**What was handed in**\n\n{lines}", id=HANDED_IN)


def scheme_cell(grade_id, scheme):
    """A marking scheme above a written answer. Formgrader shows it; `without_staff` keeps it out of the feedback."""
    text = f"**Marking scheme (staff only)**\n\n{scheme}"
    return v4.new_markdown_cell(text, id=f"scheme-{grade_id}"[:64], metadata={"staff_only": True})


def without_staff(notebook):
    """The notebook without the cells that are for staff: what a student's page is made of."""
    notebook.cells = [cell for cell in notebook.cells if not cell.metadata.get("staff_only", False)]
    return notebook
