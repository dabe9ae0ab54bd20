"""The notebook itself: what is not the student's to change. `center` is wrong in all of them."""

import json

from nbformat import v4

from tests.attacks.attack import Attack


def _checks(notebook):
    return [cell for cell in notebook.cells if cell.metadata.get("nbgrader", {}).get("locked")]


def _all_cells(change, cells=lambda notebook: notebook.cells):
    """An edit that does `change` to each cell, or to each of some."""
    def edit(notebook):
        for cell in cells(notebook):
            change(cell)
        return notebook
    return edit


def _check_cells(change):
    return _all_cells(change, _checks)


def _settings(**new):
    return _check_cells(lambda cell: cell.metadata["nbgrader"].update(new))


def _without_checks(notebook):
    locked = _checks(notebook)
    notebook.cells = [cell for cell in notebook.cells if cell not in locked]
    return notebook


def _doubled(notebook):
    """The checks stand there twice, the second time they pass."""
    notebook.cells += [v4.new_code_cell("pass", metadata=cell.metadata) for cell in _checks(notebook)]
    return notebook


def _swapped(notebook):
    """The check of the exercise that is wrong bears the name of the one that is right, and the other way round."""
    one, other = _checks(notebook)
    one.metadata["nbgrader"], other.metadata["nbgrader"] = other.metadata["nbgrader"], one.metadata["nbgrader"]
    return notebook


def _checks_first(notebook):
    """The checks stand above what they check, so that they run in another state."""
    locked = _checks(notebook)
    notebook.cells = locked + [cell for cell in notebook.cells if cell not in locked]
    return notebook


def _renamed_ids(notebook):
    for number, cell in enumerate(notebook.cells):
        cell["id"] = "tiny-3"
        if number % 2:
            cell.metadata = {}
    return notebook


def _old_format(notebook):
    cells = [{"cell_type": cell.cell_type, "input": cell.source, "metadata": cell.metadata} for cell in notebook.cells]
    return json.dumps({"nbformat": 3, "nbformat_minor": 0, "metadata": {}, "worksheets": [{"cells": cells}]}).encode()


def _passed(cell):
    html = '<div class="verdicts"><p><b>center: 2 of 2 points.</b></p></div><script>alert(1)</script>'
    cell["outputs"] = [{"output_type": "execute_result", "execution_count": 1, "metadata": {},
                        "data": {"text/plain": "2.0", "text/html": html}}]
    cell["execution_count"] = 1


PICTURE = {"x.png": {"image/svg+xml": "<svg onload='alert(1)'/>", "text/html": "<script>alert(1)</script>"}}
KERNEL = {"name": "bash", "display_name": "Bash", "language": "bash"}
ATTACKS = [Attack(aim, exact=exact, edit=edit) for aim, exact, edit in (
    ("the checks are emptied", True, _check_cells(lambda cell: cell.update(source="pass"))),
    ("the checks are unlocked and emptied", True, lambda notebook: _settings(locked=False)(
        _check_cells(lambda cell: cell.update(source="pass"))(notebook))),
    ("the checks show the points as their result", True, _check_cells(lambda cell: cell.update(source="2.0"))),
    ("the checks are deleted", True, _without_checks),
    ("the checks stand there twice, easier the second time", True, _doubled),
    ("the checks have been turned into text", True, _check_cells(lambda cell: cell.update(cell_type="markdown"))),
    ("the checks have been turned into raw cells", True, _check_cells(lambda cell: cell.update(cell_type="raw"))),
    ("the checks are no longer graded", True, _settings(grade=False)),
    ("the checks have become answers", True, _settings(solution=True, locked=False)),
    ("the checks have become tasks", True, _settings(task=True)),
    ("the checks are worth 999 points", True, _settings(points=999)),
    ("the checks are worth nan points", True, _settings(points=float("nan"))),
    ("the checks are worth minus 999 points", True, _settings(points=-999)),
    ("the checks have forged checksums", True, _settings(checksum="0" * 32)),
    ("the checks are of another schema", True, _settings(schema_version=99)),
    ("the checks have swapped their names", True, _swapped),
    ("the checks stand above the answers", True, _checks_first),
    ("the checks' names are lists", False, _settings(grade_id=["center-checks"])),
    ("every cell has the name of the written question", False,
     _all_cells(lambda cell: cell.metadata.update(nbgrader={"grade_id": "why", "points": 2, "grade": True}))),
    ("outputs and points stand there already", True, _all_cells(lambda c: _passed(c) if c.cell_type == "code" else 0)),
    ("every cell is tagged `long`, to be passed over", True, _all_cells(lambda c: c.metadata.update(tags=["long"]))),
    ("every cell is tagged as raising exceptions", True,
     _all_cells(lambda cell: cell.metadata.update(tags=["raises-exception", "skip-execution", "remove-cell"]))),
    ("cells have doubled ids, and half of them no metadata", False, _renamed_ids),
    ("another kernel is asked for", True, lambda notebook: notebook.metadata.update(kernelspec=KERNEL) or notebook),
    ("the notebook claims to be of an old format", True, _old_format),
    ("the notebook claims to be of a format to come", True, lambda notebook: notebook.update(nbformat=99) or notebook),
    ("attachments hold scripts", True, _all_cells(
        lambda c: c.update(attachments=PICTURE) if c.cell_type == "markdown" else 0)),
    ("sources are numbers, lists and objects", False,
     _all_cells(lambda cell: cell.update(source=[cell.source, 5, {"a": [None]}]))),
    ("text holds scripts and half a surrogate pair", True, _all_cells(
        lambda c: c.update(source="<script>alert(1)</script> \ud800") if c.cell_type == "markdown" else 0)),
    ("the notebook's metadata is a list", True, lambda notebook: {**notebook, "metadata": [1]}),
    ("the cells' metadata are lists", False, _all_cells(lambda cell: dict.update(cell, metadata=[1]))),
)]
