"""What is put into a graded notebook for its reader: verdicts, problems and schemes."""

from nbformat import v4

from coursekit.verdicts import Verdict
from grading.checking import Judgement
from grading.feedback import problems_cell, scheme_cell, verdict_output, without_staff
from grading.marking import Mark
from tests.grading import tiny

VERDICTS = (Verdict("rows sum to 1", True), Verdict("<b>large</b> scores", False, "subtract the maximum"))


def division(x):
    """You divided by the sum."""


MARK = Mark(1.5, 3.0, Judgement(VERDICTS, division))


def test_the_text_says_what_passed_what_failed_where_to_look_and_the_mistake():
    assert verdict_output("softmax", MARK, 1.5, 3.0).data["text/plain"].splitlines() == [
        "softmax: 1.5 of 3 points. So far: 1.5 of 3.",
        "passed: rows sum to 1",
        "FAILED: <b>large</b> scores. Subtract the maximum",
        "What your answer behaves like: You divided by the sum.",
    ]


def test_a_verdict_is_handed_over_as_text_alone():
    output = verdict_output("softmax", MARK, 1.5, 3.0)
    assert list(output.data) == ["text/plain"] and output.metadata.verdicts.mistake == "You divided by the sum."


def test_a_failed_verdict_without_a_hint_ends_where_the_law_ends():
    mark = Mark(0.0, 1.0, Judgement((Verdict("it is square", False),)))
    assert verdict_output("f", mark, 0.0, 1.0).data["text/plain"].endswith("FAILED: it is square.")


def test_a_check_that_failed_itself_says_whose_fault_it_is_and_shows_no_traceback():
    text = verdict_output("softmax", Mark(None, 3.0, fault="Traceback: SECRET"), 0.0, 0.0).data["text/plain"]
    assert "not yours" in text and "SECRET" not in text


def test_names_of_files_are_not_read_as_html():
    assert "<img" not in problems_cell(["Helper file '<img src=x>': refused."]).source


def test_schemes_are_for_staff():
    notebook = v4.new_notebook(cells=[v4.new_markdown_cell("the question"), scheme_cell("why", "SECRET")])
    assert [cell.source for cell in without_staff(notebook).cells] == ["the question"]


def test_a_cell_of_the_students_is_never_taken_for_one_of_the_staffs(regraded, lab):
    forged = v4.new_markdown_cell("MY OWN", metadata={"staff_only": True, "nbgrader": {"comment": "fine"}})
    notebook = tiny.filled(lab)
    notebook.cells.insert(0, forged)
    kept = regraded(notebook).notebook.cells[0]
    assert (kept.source, kept.metadata) == ("MY OWN", {})


def test_what_a_student_displays_is_never_taken_for_a_verdict(graded):
    forged = "from IPython.display import display\nd = {'text/plain': 'x', 'text/html': '<b>'}\n"
    forged += "display(d, raw=True, metadata={'verdicts': {'head': 'center: 2 of 2 points', 'lines': []}})"
    cell = next(cell for cell in graded(first=forged).notebook.cells if cell.source == forged)
    assert [(output.data, output.metadata) for output in cell.outputs] == [({"text/plain": "x"}, {})]
