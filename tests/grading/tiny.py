"""The tests' own lab: its source notebook, and submissions of it."""

import copy
import json

import nbformat
from nbformat import v4

NAME = "lab_tiny"
SOLUTIONS = "tests.grading.tiny_solutions"
CENTER = "def center(x, axis=0):\n    return x - np.mean(x, axis=axis, keepdims=True)"
SPREAD = "def spread(x):\n    return np.sqrt(((x - x.mean(0)) ** 2).mean(0))"
ANSWER = "Because the mean is what is left at frequency 0."
SCHEME = """Two things count.

- 1: The mean is
  what is left at *frequency* 0.
- 0.5: SECRET-SCHEME.
- 0.5: Why first."""


def source():
    """center 2 points, spread 4, a written question 2."""
    cells = [
        v4.new_markdown_cell("# A tiny lab"),
        v4.new_code_cell("import numpy as np"),
        _stub("center", "def center(x, axis=0):"),
        _check("center", 2, "assert center(np.ones((3, 2))).shape == (3, 2)\nprint('visible')"),
        _stub("spread", "def spread(x):"),
        _check("spread", 4, "assert spread(np.ones((3, 2))).shape == (2,)"),
        v4.new_code_cell("result = 41", metadata={"tags": ["long"]}),
        v4.new_code_cell("print(result + 1)"),
        v4.new_markdown_cell("Why is the mean taken first?"),
        v4.new_markdown_cell(f"### BEGIN SOLUTION\n{SCHEME}\n### END SOLUTION", metadata=_nbgrader("why", 2, "both")),
    ]
    for number, cell in enumerate(cells):
        cell.id = f"tiny-{number}"
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})


def _nbgrader(grade_id, points, kind):
    flags = {"grade": kind != "solution", "solution": kind != "check", "locked": kind == "check", "task": False}
    return {"nbgrader": {"grade_id": grade_id, "points": points, "schema_version": 3, **flags}}


def _stub(name, signature):
    body = f"{signature}\n    ### BEGIN SOLUTION\n    raise NotImplementedError\n    ### END SOLUTION"
    return v4.new_code_cell(body, metadata=_nbgrader(name, 0, "solution"))


def _check(name, points, visible):
    hidden = f'from grading import hidden_checks\nhidden_checks("{NAME}", "{name}", globals(), "{SOLUTIONS}")'
    text = f"{visible}\n### BEGIN HIDDEN TESTS\n{hidden}\n### END HIDDEN TESTS"
    return v4.new_code_cell(text, metadata=_nbgrader(f"{name}-checks", points, "check"))


def write(root):
    """Write the lab's source into a course directory."""
    folder = root / "labs" / NAME
    folder.mkdir(parents=True)
    nbformat.write(source(), folder / f"{NAME}.ipynb")


def filled(lab, center=CENTER, spread=SPREAD, why=ANSWER, first=None, last=None):
    """A submission: the released notebook with these answers, and cells of the student's own before and after."""
    notebook = copy.deepcopy(lab.skeleton)
    for grade_id, text in {"center": center, "spread": spread, "why": why}.items():
        if text is not None:
            cell(notebook, grade_id).source = text
    notebook.cells[:0] = [v4.new_code_cell(first)] if first else []
    notebook.cells += [v4.new_code_cell(last)] if last else []
    return notebook


def cell(notebook, grade_id):
    """The cell of a grade_id."""
    return next(c for c in notebook.cells if c.metadata.get("nbgrader", {}).get("grade_id") == grade_id)


def to_bytes(notebook):
    """A notebook as it is handed in, well-formed or not."""
    return json.dumps(notebook).encode()


def points(graded):
    """(center, spread, written question); None where a person has yet to mark."""
    return tuple(mark.points for mark in graded.marks.values())


def shown(graded):
    """All that the graded notebook shows besides the cells' sources, as one text."""
    outputs = [output for cell in graded.notebook.cells for output in cell.get("outputs", [])]
    return "\n".join(str(output) for output in outputs)
