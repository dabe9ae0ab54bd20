"""Each lab in a browser: it opens, runs, and comes back as a notebook that is graded."""

import time
from pathlib import Path

import nbformat
import pytest

from grading.demo import answered
from grading.lab import Lab, exercise_of, meta, names
from grading.marking import grade
from tests import needs
from tests.book.desk import Desk, shown

ROOT = Path(__file__).parents[2]


@pytest.fixture
def desk(browser, address):
    context = browser.new_context(accept_downloads=True)
    yield Desk(context, address)
    context.close()


def as_by_a_student(lab):
    """The solved notebook without what it imports of other labs' references: the lab gives these functions itself."""
    notebook = answered(lab)
    lines = notebook.cells[0].source.splitlines()
    notebook.cells[0].source = "\n".join(line for line in lines if not line.startswith("from solutions."))
    return notebook


@needs.chromium
@needs.pyodide
@pytest.mark.sampled("lab")
@pytest.mark.parametrize("lab", names(ROOT / "labs"))
def test_a_lab_solved_in_the_browser_is_graded_as_if_it_were_done_elsewhere(desk, tmp_path, lab):
    """What stands below the last check trains for minutes in a browser, and is not graded: it is not run here."""
    course, solved = Lab.read(ROOT / "labs", lab), as_by_a_student(Lab.read(ROOT / "labs", lab))
    desk.given(lab, solved)
    start = time.monotonic()
    desk.open(lab)
    desk.run_above(1 + max(i for i, cell in enumerate(solved.cells) if exercise_of(cell)))
    print(f"{lab}: {time.monotonic() - start:.0f} s")
    path = desk.download(tmp_path)
    assert path.name == f"{lab}.ipynb" and desk.strangers == []
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    assert [shown(cell) for cell in notebook.cells if exercise_of(cell) and not shown(cell).startswith("✓")] == []
    assert [(cell.id, meta(cell)) for cell in notebook.cells[1:]] == [(c.id, meta(c)) for c in course.skeleton.cells]
    graded = grade(path.read_bytes(), course)
    assert graded.problems == []
    assert [name for name, mark in graded.marks.items() if mark.points not in (mark.possible, None)] == []
