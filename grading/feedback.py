"""What a student reads: the verdicts at each check cell, and nothing that is the staff's own."""

from html import escape

from nbformat import v4
from nbgrader.preprocessors import NbGraderPreprocessor

COURSE_FAULT = "This exercise could not be checked. The fault is the course's, not yours: your instructor will mark it."
NOT_RERUN = "Not rerun: this cell takes long, and nothing that is graded depends on it.\n"
NEEDS_LONG = "Not rerun: this cell needs what a long cell above computes.\n"


def verdict_output(exercise, mark, earned, possible):
    """The first output of a check cell: what was checked, what failed and why, and the points.

    earned, possible: points of all check cells up to and with this one.
    """
    if mark.judgement is None:
        return v4.new_output("display_data", {"text/plain": f"{exercise}: {COURSE_FAULT}"})
    head = f"{exercise}: {mark.points:g} of {mark.possible:g} points. So far: {earned:g} of {possible:g}."
    mistake = mark.judgement.mistake
    lines = [_line(verdict) for verdict in mark.judgement.verdicts]
    text = "\n".join([head, *lines, *([f"What your answer behaves like: {mistake}"] if mistake else [])])
    return v4.new_output("display_data", {"text/plain": text, "text/html": _html(head, lines, mistake)})


def _line(verdict):
    hint = verdict.hint[:1].upper() + verdict.hint[1:]
    return f"passed: {verdict.law}" if verdict.passed else f"FAILED: {verdict.law}. {hint}"


def _html(head, lines, mistake):
    items = "".join(f"<li>{escape(line)}</li>" for line in lines)
    named = f"<p><b>What your answer behaves like:</b> {escape(mistake)}</p>" if mistake else ""
    return f'<div class="verdicts"><p><b>{escape(head)}</b></p><ul>{items}</ul>{named}</div>'


def problems_cell(problems):
    """A cell at the top of the graded notebook that says what was wrong with what was handed in."""
    lines = "\n".join(f"- {escape(problem)}" for problem in problems)
    return v4.new_markdown_cell(f"**What was handed in**\n\n{lines}", id="what-was-handed-in")


def scheme_cell(grade_id, scheme):
    """A marking scheme above a written answer. Formgrader shows it; `HideFromStudents` keeps it out of the feedback."""
    text = f"**Marking scheme (staff only)**\n\n{scheme}"
    return v4.new_markdown_cell(text, id=f"scheme-{grade_id}"[:64], metadata={"staff_only": True})


class HideFromStudents(NbGraderPreprocessor):
    """Drops the cells that are for staff. Run by `nbgrader generate_feedback`, see nbgrader_config.py."""

    def preprocess(self, nb, resources):
        nb.cells = [cell for cell in nb.cells if not cell.metadata.get("staff_only", False)]
        return nb, resources
