"""A lab that was edited as text comes back as the same notebook, byte for byte."""

import nbformat
import pytest

from tools.lab_text import lab_bytes, normalised, to_notebook, to_text

v4 = nbformat.v4


def nbgrader(grade_id, **flags):
    """The metadata of a cell that nbgrader knows."""
    return {"nbgrader": {"grade": False, "grade_id": grade_id, "locked": False, "schema_version": 3, **flags}}


@pytest.fixture
def lab():
    """A lab with one of everything, in the form in which labs are kept."""
    cells = [
        v4.new_markdown_cell("# Lab\n\n$e = mc^2$\n\n# not a cell: # %%\n", id="title"),
        v4.new_code_cell("%matplotlib inline\nimport os\n\n\nprint('é')", metadata={"tags": ["long"]}, id="set-up"),
        v4.new_code_cell("def softmax(x):\n    ### BEGIN SOLUTION\n    0", metadata=nbgrader("softmax", solution=True)),
        v4.new_code_cell("", metadata=nbgrader("softmax-checks", grade=True, locked=True, points=2.5)),
        v4.new_raw_cell("raw", id="raw"),
        v4.new_markdown_cell("- why\n- how", metadata=nbgrader("why", grade=True, solution=True, points=2)),
    ]
    return normalised(v4.new_notebook(cells=cells))


def test_there_and_back_is_the_same_bytes(lab):
    assert lab_bytes(to_notebook(to_text(lab))) == lab_bytes(lab)


def test_a_second_way_there_is_the_same_text(lab):
    assert to_text(to_notebook(to_text(lab))) == to_text(lab)


def test_a_lab_is_a_valid_notebook(lab):
    nbformat.validate(nbformat.reads(lab_bytes(lab).decode(), as_version=4))


def test_a_cell_that_nbgrader_knows_is_named_by_its_grade_id(lab):
    assert [cell.id for cell in lab.cells] == ["title", "set-up", "softmax", "softmax-checks", "raw", "why"]


def test_a_cell_that_was_added_without_an_id_is_named_by_its_position(lab):
    longer = to_notebook(to_text(lab) + "\n# %% [markdown]\n# New\n")
    assert longer.cells[6].id == "cell-006"
    assert longer.cells[:6] == lab.cells


def test_outputs_and_counts_are_dropped(lab):
    ran = to_notebook(to_text(lab))
    ran.cells[1].outputs, ran.cells[1].execution_count = [v4.new_output("stream", text="é\n")], 7
    assert lab_bytes(normalised(ran)) == lab_bytes(lab)


def test_two_cells_of_one_grade_id_are_refused(lab):
    lab.cells[3].metadata.nbgrader.grade_id = "softmax"
    with pytest.raises(ValueError, match="got twice: softmax"):
        normalised(lab)
