"""Whatever was handed in, the notebook that is graded is the lab's own, and what was wrong is said."""

import base64
import copy
import json
from dataclasses import replace

import nbformat
import pytest
from nbformat import v4

from grading.lab import Lab, names
from grading.repair import ELSEWHERE, MISSING, repair
from tests.grading import tiny
from tests.grading.classes import ROOT


@pytest.fixture
def notebook(lab):
    return tiny.filled(lab)


def repaired(notebook, lab):
    submission = notebook if isinstance(notebook, bytes | None) else tiny.to_bytes(notebook)
    result = repair(submission, lab)
    nbformat.validate(result.notebook)
    return result.notebook, " ".join([*result.problems, *result.notices])


def index(notebook, grade_id):
    return notebook.cells.index(tiny.cell(notebook, grade_id))


def sources(notebook):
    return [cell.source for cell in notebook.cells]


def test_a_submission_as_it_should_be_has_no_problems(notebook, lab):
    result, problems = repaired(notebook, lab)
    assert problems == "" and sources(result) == sources(notebook)


@pytest.mark.parametrize("files, says", [({}, "No notebook was handed in."),
                                         ({"a.py": b"", "b.html": b""}, "handed in, only 'a.py', 'b.html'.")])
def test_where_there_is_no_notebook_what_there_is_is_named(lab, files, says):
    assert repair(None, lab, files).problems[0].endswith(says)


@pytest.mark.parametrize("submission, says", [
    (None, "No notebook was handed in"),
    (b"", "empty"),
    (b" \n", "empty"),
    (b"\x00\xff\x00", "not UTF-8"),
    (b"PK\3\4 lab", "it is a zip archive"),
    (b"<!DOCTYPE html>", "it is a web page"),
    (b'{"cells": [\n<<<<<<< HEAD\n]}', "two versions were merged"),
    (b"hello", "not readable as JSON (line 1)"),
    (b'{"cells": [', "not readable as JSON"),
    (b"[" * 100_000, "not readable as JSON"),
    (b'"notebook"', "holds no cells"),
    (b"{}", "holds no cells"),
    (b'{"cells": 5}', "holds no cells"),
    (b'{"cells": [5, null, {}], "nbformat": 4}', "none of the lab's cells"),
    (b'{"cells": [5], "nbformat": 4}', "none of the lab's cells"),
    (b" " * (20 * 2**20) + b"{}  ", "too large"),
])
def test_what_is_no_notebook_is_graded_as_blank_and_the_reason_is_said(submission, says, lab):
    result, problems = repaired(submission, lab)
    assert says in problems and sources(result)[-len(lab.skeleton.cells):] == sources(lab.skeleton)


def test_text_that_is_not_utf8_costs_only_the_letters_that_cannot_be_read(notebook, lab):
    tiny.cell(notebook, "center").source += "  # Größe"
    result, problems = repaired(json.dumps(notebook, ensure_ascii=False).encode("latin-1"), lab)
    assert "Windows-1252" in problems and tiny.cell(result, "center").source == tiny.CENTER + "  # Größe"


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


def test_a_deleted_stub_says_that_it_was_missing(notebook, lab):
    del notebook.cells[index(notebook, "center")]
    assert tiny.cell(repaired(notebook, lab)[0], "center").source == MISSING


DEFINED = {
    "a function": tiny.CENTER,
    "a function after its imports": f"import math\n\n\n{tiny.CENTER}",
    "a class": "class center:\n    pass",
    "a lambda": "center = lambda x, axis=0: x",
    "a name with a type": "center: object = np.mean",
    "a decorated function": "@np.vectorize\ndef center(x):\n    return x",
}


@pytest.mark.parametrize("defined", DEFINED)
@pytest.mark.parametrize("kind", [v4.new_code_cell, v4.new_markdown_cell, v4.new_raw_cell])
def test_an_answer_that_replaced_its_cell_is_known_by_what_it_defines(notebook, lab, defined, kind):
    notebook.cells[index(notebook, "center")] = kind(DEFINED[defined])
    result = repair(tiny.to_bytes(notebook), lab)
    assert tiny.cell(result.notebook, "center").source == DEFINED[defined] and "center" not in result.blank


@pytest.mark.parametrize("other", ["recenter = 3", "    def center(x): pass", "center == 3", "print(center)"])
def test_what_only_names_an_exercise_is_no_answer_to_it(notebook, lab, other):
    notebook.cells[index(notebook, "center")] = v4.new_code_cell(other)
    assert "center" in repair(tiny.to_bytes(notebook), lab).blank


@pytest.mark.parametrize("after", [0, 1])
def test_an_answer_in_a_new_cell_beside_a_stub_takes_its_place(notebook, lab, after):
    tiny.cell(notebook, "center").source = tiny.cell(lab.skeleton, "center").source
    notebook.cells.insert(index(notebook, "center") + after, v4.new_code_cell(tiny.CENTER))
    result = repair(tiny.to_bytes(notebook), lab)
    assert sources(result.notebook) == sources(tiny.filled(lab)) and "center" not in result.blank


@pytest.mark.parametrize("place", ["center-checks", "spread-checks", "why"])
def test_an_answer_in_a_new_cell_further_down_stays_there_and_no_stub_undoes_it(notebook, lab, place):
    tiny.cell(notebook, "center").source = tiny.cell(lab.skeleton, "center").source
    notebook.cells.insert(index(notebook, place) + 1, v4.new_code_cell(tiny.CENTER))
    result = repair(tiny.to_bytes(notebook), lab)
    there = result.notebook.cells[index(result.notebook, place) + 1]
    assert (there.source, there.metadata.answers) == (tiny.CENTER, "center") and "center" not in result.blank
    assert tiny.cell(result.notebook, "center").source == ELSEWHERE and "in another cell" in result.notices[0]


def test_a_cell_that_says_that_it_answers_an_exercise_is_not_believed(notebook, lab):
    notebook.cells.append(v4.new_code_cell("x = 1", metadata={"answers": "center"}))
    assert repaired(notebook, lab)[0].cells[-1].metadata == {}


def colab(cell):
    return {"id": cell.id}


def deepnote(cell):
    return {"cell_id": cell.id, "source_hash": "1", "tags": []}


def nothing(cell):
    return {}


@pytest.mark.parametrize("metadata", [colab, deepnote, nothing])
def test_a_notebook_that_lost_its_marks_and_ids_is_known_by_what_it_says(notebook, lab, metadata):
    lost = [{"cell_type": c.cell_type, "source": c.source, "metadata": metadata(c)} for c in notebook.cells]
    result = repair(tiny.to_bytes({"nbformat": 4, "metadata": {}, "cells": lost}), lab)
    assert sources(result.notebook) == sources(tiny.filled(lab)) and not result.blank and not result.problems
    assert "lost nbgrader's marks" in result.notices[0]


def test_a_blank_notebook_that_lost_its_marks_and_ids_is_blank(lab):
    lost = [{"cell_type": c.cell_type, "source": c.source, "metadata": {}} for c in lab.skeleton.cells]
    result = repair(tiny.to_bytes({"nbformat": 4, "metadata": {}, "cells": lost}), lab)
    assert result.blank == {"center", "spread", "why"} and not result.problems


def written(lab, *cells, at=0, why=None):
    """A notebook whose written answer is `why`, with these cells that many places after it."""
    notebook = tiny.filled(lab, why=why)
    place = index(notebook, "why") + 1 + at
    notebook.cells[place:place] = cells
    return notebook


def asked(notebook):
    return notebook.cells[index(notebook, "why") - 1]


ESSAY = "It is **what is left** at frequency 0."


@pytest.mark.parametrize("cell, at", [
    (v4.new_markdown_cell(ESSAY), 0),
    (v4.new_markdown_cell(ESSAY), -1),
    (v4.new_markdown_cell(ESSAY), -2),
    (v4.new_markdown_cell(ESSAY), -9),
    (v4.new_raw_cell(ESSAY), 0),
    (v4.new_code_cell(ESSAY), 0),
    (v4.new_code_cell(f"# {ESSAY}"), -1),
], ids=["below", "above", "above the question", "at the top", "raw", "code", "a comment"])
def test_a_written_answer_in_a_cell_of_its_own_is_shown_where_it_belongs(lab, cell, at):
    result = repair(tiny.to_bytes(written(lab, cell, at=at)), lab)
    assert ESSAY in tiny.cell(result.notebook, "why").source and not result.blank and "'why'" in result.notices[0]


def test_a_written_answer_in_two_cells_is_one_answer(lab):
    notebook = written(lab, v4.new_markdown_cell("And more."), why=ESSAY)
    assert tiny.cell(repaired(notebook, lab)[0], "why").source == f"{ESSAY}\n\nAnd more."


def test_a_written_answer_that_replaced_its_cell_is_found(lab):
    notebook = written(lab, v4.new_markdown_cell(ESSAY))
    del notebook.cells[index(notebook, "why")]
    result = repair(tiny.to_bytes(notebook), lab)
    assert tiny.cell(result.notebook, "why").source == ESSAY and not result.blank and not result.problems


def test_a_written_answer_in_the_cell_of_its_question_is_found(lab):
    notebook = written(lab)
    asked(notebook).source += f"\n\n{ESSAY}"
    result = repair(tiny.to_bytes(notebook), lab)
    assert tiny.cell(result.notebook, "why").source.strip() == ESSAY and not result.blank


def test_a_question_of_an_earlier_release_is_no_answer(lab):
    notebook = written(lab)
    asked(notebook).source = "Why is the mean subtracted first?"
    assert repair(tiny.to_bytes(notebook), lab).blank == {"why"}


def test_a_blank_written_answer_beside_other_work_is_blank(lab):
    notebook = tiny.filled(lab, why=None, first="import pandas as pd")
    assert repair(tiny.to_bytes(notebook), lab).blank == {"why"}


PICTURE = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(20)).decode()


def test_pictures_of_one_name_in_two_cells_are_both_kept(lab):
    cells = [v4.new_markdown_cell(f"{i} ![](attachment:image.png)", attachments={"image.png": {"image/png": PICTURE}})
             for i in range(2)]
    cell = tiny.cell(repaired(written(lab, *cells), lab)[0], "why")
    assert cell.source == "0 ![](attachment:image.png)\n\n1 ![](attachment:2-image.png)" and len(cell.attachments) == 2


def test_another_labs_notebook_is_named_and_nothing_else_is_said(lab):
    other = tiny.filled(lab)
    other.cells[0].source = "# Another lab"
    for cell in other.cells:
        cell.id, cell.metadata = f"other-{cell.id}", {}
    result = repair(tiny.to_bytes(other), replace(lab, others={"lab_other": {"# Another lab", "other-1", "other-2"}}))
    assert result.problems == ["This is lab_other: expected lab_tiny. Nothing of it was graded."]
    assert not result.notices and result.blank == {"center", "spread", "why"} and not result.read


def released(lab, metadata):
    cells = [{"cell_type": c.cell_type, "source": c.source, "metadata": c.metadata if metadata else {}}
             for c in lab.skeleton.cells]
    return tiny.to_bytes({"nbformat": 4, "metadata": {}, "cells": cells})


@pytest.mark.parametrize("metadata", [True, False])
def test_every_lab_of_the_course_is_known_from_every_other(metadata):
    labs = [Lab.read(ROOT / "labs", name) for name in names(ROOT / "labs")]
    found = {(one.name, other.name): repair(released(one, metadata), other).problems for one in labs for other in labs}
    assert found == {(one.name, other.name): [] if one is other else [
        f"This is {one.name}: expected {other.name}. Nothing of it was graded."] for one in labs for other in labs}


def test_a_notebook_with_another_labs_title_too_is_the_labs_own(notebook, lab):
    notebook.cells.append(v4.new_markdown_cell("# Another lab"))
    assert not repair(tiny.to_bytes(notebook), replace(lab, others={"lab_other": {"# Another lab"}})).problems


@pytest.mark.parametrize("text", ["![](photo.png)", "![a photo](./photo.png)", '<img src="photo.png" width="300">'])
def test_a_picture_beside_the_notebook_that_an_answer_names_is_put_into_it(lab, text):
    files = {"photo.png": base64.b64decode(PICTURE)}
    cell = tiny.cell(repair(tiny.to_bytes(written(lab, why=text)), lab, files).notebook, "why")
    assert list(cell.attachments.values()) == [{"image/png": PICTURE}]


@pytest.mark.parametrize("name, content", [("photo.png", b"<script>"), ("../photo.png", b""), ("photo.png", bytes(9))])
def test_what_is_no_picture_is_not_put_into_an_answer(lab, name, content):
    notebook = repair(tiny.to_bytes(written(lab, why=f"![]({name})")), lab, {"photo.png": content}).notebook
    assert "attachments" not in tiny.cell(notebook, "why")


def test_a_document_whose_name_is_no_text_stops_nothing(lab):
    result = repair(tiny.to_bytes(written(lab)), lab, {"\udcff.pdf": b""})
    assert nbformat.writes(result.notebook).encode() and not result.blank


@pytest.mark.parametrize("name", ["scan.pdf", "scan.png", "Answer.DOCX"])
def test_a_document_beside_a_blank_written_answer_is_named_there(lab, name):
    content = base64.b64decode(PICTURE) if name.endswith("png") else b""
    result = repair(tiny.to_bytes(written(lab)), lab, {name: content, "helpers.py": b""})
    assert name in tiny.cell(result.notebook, "why").source and not result.blank and name in result.notices[0]


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
    tiny.cell(notebook, "why").attachments = {"a.png": {"image/png": PICTURE}, "b": {"text/html": "<script>"}}
    assert tiny.cell(repaired(notebook, lab)[0], "why").attachments == {"a.png": {"image/png": PICTURE}}


@pytest.mark.parametrize("start, kind", [(b"\xff\xd8\xff", "image/jpeg"), (b"GIF89a", "image/gif"),
                                         (b"RIFF1234WEBP", "image/webp"), (b"\x89PNG\r\n\x1a\n", "image/png")])
def test_a_picture_stays_as_what_it_is_whatever_it_is_called(notebook, lab, start, kind):
    data = base64.b64encode(start + bytes(40)).decode()
    tiny.cell(notebook, "why").attachments = {"a": {"image/webp": data}}
    assert tiny.cell(repaired(notebook, lab)[0], "why").attachments == {"a": {kind: data}}


@pytest.mark.parametrize("data", ["PHNjcmlwdD4=", "A", "", "not base64!", 5, "UklGRgAAAABXQVZF"])
def test_what_is_called_a_picture_and_is_none_does_not_stay(notebook, lab, data):
    tiny.cell(notebook, "why").attachments = {"a": {"image/png": data}}
    assert "attachments" not in tiny.cell(repaired(notebook, lab)[0], "why")
