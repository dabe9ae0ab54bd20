"""Edit a lab as text and get the same notebook back: `python -m tools.lab_text to-text|to-notebook LAB`.

    python -m tools.lab_text to-text lab01_additive_attention       writes labs/…/lab01_additive_attention.py
    python -m tools.lab_text to-notebook lab01_additive_attention   reads it back, and removes it

The text holds every cell with its metadata, nbgrader's too, and its id. A cell that nbgrader knows has its grade_id as
its id, and one that was added without an id is named by its position, so the same text always gives the same bytes, and
a notebook survives the way there and back unchanged. Outputs are dropped.
"""

import argparse
import sys
from pathlib import Path

import jupytext
import nbformat

from tools.notebooks import METADATA

FORMAT = {"extension": ".py", "format_name": "percent"}
LEFT_BY_JUPYTEXT = {"lines_to_next_cell", "lines_to_end_of_cell_marker"}  # blank lines of the text, not of the lab


def to_text(notebook):
    """The py:percent text of a `notebook`, every cell with all its metadata and its id."""
    lab = normalised(notebook)
    lab.metadata = {"jupytext": {"cell_metadata_filter": "all", "notebook_metadata_filter": "-all"}}
    for cell in lab.cells:
        if not _grade_id(cell):  # jupytext drops ids, so this one is shown as metadata
            cell.metadata = {"id": cell.id, **cell.metadata}
    return jupytext.writes(lab, fmt=FORMAT)


def to_notebook(text):
    """The lab notebook that `text` stands for, in the form in which labs are kept: see `normalised`."""
    notebook = jupytext.reads(text, fmt=FORMAT)
    for position, cell in enumerate(notebook.cells):
        cell.id = cell.metadata.pop("id", f"cell-{position:03d}")
    return normalised(notebook)


def normalised(notebook):
    """The `notebook` without outputs and counts, and with no metadata but the kernel and the cells'.

    A cell's id is its grade_id where nbgrader knows it. Raises ValueError where two cells have the same id.
    """
    cells = [_cell(cell) for cell in notebook.cells]
    ids = [cell.id for cell in cells]
    twice = sorted({id for id in ids if ids.count(id) > 1})
    if twice:
        raise ValueError(f"cell ids: expected each one once, got twice: {', '.join(twice)}")
    return nbformat.from_dict({"cells": cells, "metadata": METADATA, "nbformat": 4, "nbformat_minor": 5})


def lab_bytes(notebook):
    """The bytes of a lab notebook as they stand in the repository."""
    return (nbformat.writes(notebook) + "\n").encode()


def _cell(cell):
    """A fresh cell with this one's source, metadata and name."""
    metadata = {key: value for key, value in cell.metadata.items() if key not in LEFT_BY_JUPYTEXT}
    make = getattr(nbformat.v4, f"new_{cell.cell_type}_cell")
    return make(source=cell.source.rstrip("\n"), metadata=metadata, id=_grade_id(cell) or cell.id)


def _grade_id(cell):
    return cell.metadata.get("nbgrader", {}).get("grade_id")


def main():
    parser = argparse.ArgumentParser(description="Turn a lab into text that is easy to edit, and back.")
    parser.add_argument("direction", choices=["to-text", "to-notebook"])
    parser.add_argument("lab", help="the lab's name, such as lab01_additive_attention")
    arguments = parser.parse_args()
    notebook = Path("labs", arguments.lab, f"{arguments.lab}.ipynb")
    text = notebook.with_suffix(".py")
    source = notebook if arguments.direction == "to-text" else text
    if not source.is_file():
        sys.exit(f"lab_text: expected a file {source}, got none")
    if arguments.direction == "to-text":
        text.write_text(to_text(nbformat.read(notebook, as_version=4)), encoding="utf-8")
    else:
        notebook.write_bytes(lab_bytes(to_notebook(text.read_text(encoding="utf-8"))))
        text.unlink()
    print(f"lab_text: wrote {text if arguments.direction == 'to-text' else notebook}")


if __name__ == "__main__":
    main()
