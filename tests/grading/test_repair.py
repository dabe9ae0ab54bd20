"""Whatever was handed in, the notebook that is graded is the lab's own, and what was wrong is said."""

import copy
import json

import nbformat
import pytest
from nbformat import v4

from grading.repair import MISSING, repair
from tests.grading import tiny


@pytest.fixture
def notebook(lab):
    return tiny.filled(lab)


def repaired(notebook, lab):
    submission = notebook if isinstance(notebook, bytes | None) else tiny.to_bytes(notebook)
    result, problems = repair(submission, lab)
    nbformat.validate(result)
    return result, " ".join(problems)


def index(notebook, grade_id):
    return notebook.cells.index(tiny.cell(notebook, grade_id))


def sources(notebook):
    return [cell.source for cell in notebook.cells]


def test_a_submission_as_it_should_be_has_no_problems(notebook, lab):
    result, problems = repaired(notebook, lab)
    assert problems == "" and sources(result) == sources(notebook)


@pytest.mark.parametrize("submission, says", [
    (None, "No notebook was handed in"),
    (b"", "empty"),
    (b" \n", "empty"),
    (b"\x00\xff\x00", "not UTF-8"),
    (b"hello", "not readable as JSON (line 1)"),
    (b'{"cells": [', "not readable as JSON"),
    (b"[" * 100_000, "not readable as JSON"),
    (b'"notebook"', "holds no cells"),
    (b"{}", "holds no cells"),
    (b'{"cells": 5}', "holds no cells"),
    (b'{"cells": [5, null, {}], "nbformat": 4}', "none of the lab's cells"),
    (b" " * (20 * 2**20) + b"{}  ", "too large"),
])
def test_what_is_no_notebook_is_graded_as_blank_and_the_reason_is_said(submission, says, lab):
    result, problems = repaired(submission, lab)
    assert says in problems and sources(result)[-len(lab.skeleton.cells):] == sources(lab.skeleton)


def test_text_that_is_not_utf8_costs_only_the_letters_that_cannot_be_read(notebook, lab):
    tiny.cell(notebook, "center").source += "  # Größe"
    result, problems = repaired(json.dumps(notebook, ensure_ascii=False).encode("latin-1"), lab)
    assert "not UTF-8" in problems and tiny.CENTER in tiny.cell(result, "center").source


def test_a_byte_order_mark_is_no_problem(notebook, lab):
    assert repaired(b"\xef\xbb\xbf" + tiny.to_bytes(notebook), lab)[1] == ""


def test_half_a_surrogate_pair_can_be_written_as_utf8(notebook, lab):
    tiny.cell(notebook, "center").source += " # \ud800"
    assert nbformat.writes(repaired(notebook, lab)[0]).encode()


def test_an_old_format_is_read(notebook, lab):
    cells = [{**cell, "input": cell["source"]} for cell in notebook.cells]
    for cell in cells:
        del cell["source"]
    result, problems = repaired({"nbformat": 3, "metadata": {}, "worksheets": [{"cells": cells}]}, lab)
    assert "old or unknown format" in problems and tiny.cell(result, "center").source == tiny.CENTER


def test_a_notebook_that_was_done_in_the_browser_has_no_problems(notebook, lab):
    notebook.metadata.kernelspec = {"name": "python", "display_name": "Python (Pyodide)", "language": "python"}
    notebook.metadata.language_info = {"name": "python", "pygments_lexer": "ipython3", "version": "3.8"}
    notebook.cells[1].metadata.trusted = True
    result, problems = repaired(notebook, lab)
    assert problems == "" and result.metadata.kernelspec.name == "python3"


def test_another_kernel_is_said_and_replaced(notebook, lab):
    notebook.metadata.kernelspec.name = "julia-1.9"
    result, problems = repaired(notebook, lab)
    assert "'julia-1.9'" in problems and result.metadata.kernelspec.name == "python3"


@pytest.mark.parametrize("grade_id", ["center-checks", "spread-checks", "center", "why"])
def test_a_deleted_cell_is_put_back(notebook, lab, grade_id):
    del notebook.cells[index(notebook, grade_id)]
    result, problems = repaired(notebook, lab)
    assert f"'{grade_id}' was missing" in problems and index(result, grade_id) == index(lab.skeleton, grade_id)


def test_a_deleted_stub_does_not_undo_the_function_defined_in_a_cell_of_the_students_own(notebook, lab):
    notebook.cells[index(notebook, "center")] = v4.new_code_cell(tiny.CENTER)
    result, _ = repaired(notebook, lab)
    assert tiny.CENTER in sources(result) and tiny.cell(result, "center").source == MISSING


@pytest.mark.parametrize("grade_id", ["center-checks", "center"])
def test_a_duplicated_cell_stands_there_once(notebook, lab, grade_id):
    notebook.cells.append(copy.deepcopy(tiny.cell(notebook, grade_id)))
    result, problems = repaired(notebook, lab)
    assert f"'{grade_id}' stood there 2 times" in problems and sources(result) == sources(tiny.filled(lab))


@pytest.mark.parametrize("filled_first", [True, False])
def test_of_a_doubled_answer_the_one_that_is_filled_in_counts(notebook, lab, filled_first):
    stub, at = tiny.cell(lab.skeleton, "center"), index(notebook, "center")
    notebook.cells.insert(at + filled_first, copy.deepcopy(stub))
    assert tiny.cell(repaired(notebook, lab)[0], "center").source == tiny.CENTER


def test_of_two_filled_answers_the_last_counts_and_the_first_stays(notebook, lab):
    second = copy.deepcopy(tiny.cell(notebook, "center"))
    second.source = "def center(x, axis=0): return x"
    notebook.cells.insert(index(notebook, "center") + 1, second)
    result, _ = repaired(notebook, lab)
    assert tiny.cell(result, "center").source == second.source and tiny.CENTER in sources(result)


@pytest.mark.parametrize("grade_id, kind", [("center", "markdown"), ("center-checks", "markdown"), ("why", "code"),
                                            ("spread", "raw"), ("spread-checks", "nonsense")])
def test_a_retyped_cell_gets_its_type_back(notebook, lab, grade_id, kind):
    tiny.cell(notebook, grade_id).cell_type = kind
    result, problems = repaired(notebook, lab)
    assert f"'{grade_id}' had been turned into another type" in problems and sources(result) == sources(notebook)


def test_an_edited_check_cell_is_the_labs_own_again(notebook, lab):
    tiny.cell(notebook, "center-checks").source = "print(2)"
    result, problems = repaired(notebook, lab)
    assert "not to be edited" in problems
    assert tiny.cell(result, "center-checks").source == tiny.cell(lab.skeleton, "center-checks").source


@pytest.mark.parametrize("key, value", [("points", 100), ("locked", False), ("grade", False), ("solution", True)])
def test_forged_points_and_locks_are_the_labs_own_again(notebook, lab, key, value):
    tiny.cell(notebook, "center-checks").metadata.nbgrader[key] = value
    result, problems = repaired(notebook, lab)
    assert "points or locks" in problems
    assert tiny.cell(result, "center-checks").metadata == tiny.cell(lab.skeleton, "center-checks").metadata


@pytest.mark.parametrize("metadata", [5, {"nbgrader": 5}, {"nbgrader": {"grade_id": [1]}}, {"tags": 3}, None])
def test_malformed_metadata_is_dropped(notebook, lab, metadata):
    notebook["cells"] = [*notebook.cells, {"cell_type": "code", "source": "7", "metadata": metadata, "id": 5}]
    assert repaired(notebook, lab)[0].cells[-1].source == "7"


def test_outputs_that_were_handed_in_are_dropped(notebook, lab):
    tiny.cell(notebook, "center-checks").outputs = [v4.new_output("stream", text="2 of 2 points")]
    assert "2 of 2" not in str(repaired(notebook, lab)[0])


def test_own_cells_stay_after_the_same_neighbour(notebook, lab):
    for place in (0, 3, 6):
        notebook.cells.insert(place, v4.new_code_cell(f"own = {place}"))
    assert sources(repaired(notebook, lab)[0]) == sources(notebook)


def test_a_given_cell_that_is_not_locked_stays_edited(notebook, lab):
    notebook.cells[7].source = "print(result + 2)"
    result, problems = repaired(notebook, lab)
    assert problems == "" and sources(result) == sources(notebook)


@pytest.mark.parametrize("source", ["import numpy as np\nimport math", "from coursekit.dates import SOURCE", ""])
def test_a_given_cell_that_imports_is_run_as_the_lab_has_it_and_then_as_it_was_handed_in(notebook, lab, source):
    notebook.cells[1].source = source
    result, problems = repaired(notebook, lab)
    assert sources(result)[1:3] == ["import numpy as np", source] and sources(result)[3:] == sources(notebook)[2:]
    assert "The given cell that begins 'import numpy as np' is not as the lab has it" in problems


def test_a_given_cell_that_was_turned_into_text_is_run_as_the_lab_has_it(notebook, lab):
    notebook.cells[1] = v4.new_markdown_cell("Not needed.", id=notebook.cells[1].id)
    result, _ = repaired(notebook, lab)
    assert [cell.cell_type for cell in result.cells[:3]] == ["markdown", "code", "markdown"]
    assert sources(result)[1:3] == ["import numpy as np", "Not needed."]


def test_a_given_cell_that_takes_long_is_not_run_whatever_it_says(notebook, lab):
    notebook.cells[6].source = "import numpy as np\nresult = 42"
    result, problems = repaired(notebook, lab)
    assert problems == "" and result.cells[6].metadata.tags == ["long"] and sources(result) == sources(notebook)


def test_cells_out_of_order_are_put_in_order(notebook, lab):
    notebook.cells.reverse()
    assert sources(repaired(notebook, lab)[0]) == sources(tiny.filled(lab))


def test_a_picture_pasted_into_a_written_answer_stays_and_a_page_does_not(notebook, lab):
    tiny.cell(notebook, "why").attachments = {"a.png": {"image/png": "iVBOR"}, "b": {"text/html": "<script>"}}
    assert tiny.cell(repaired(notebook, lab)[0], "why").attachments == {"a.png": {"image/png": "iVBOR"}}
