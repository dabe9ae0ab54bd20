"""The tiny lab, and a function that grades submissions of it."""

import pytest

from grading.lab import Lab
from grading.marking import grade
from grading.room.room import Limits
from tests.grading import tiny

QUICK = Limits(cell=1.0, call=1.0)  # for notebooks that hang


@pytest.fixture(scope="session")
def lab(tmp_path_factory):
    """The tests' own lab: center 2 points, spread 4, a written question 2."""
    root = tmp_path_factory.mktemp("course")
    tiny.write(root)
    return Lab.read(root / "labs", tiny.NAME, tiny.SOLUTIONS)


@pytest.fixture
def graded(lab):
    """Grade a submission of the tiny lab that is filled in as said; correctly where nothing is said."""
    def grade_filled(files=(), **answers):
        return grade(tiny.to_bytes(tiny.filled(lab, **answers)), lab, files, QUICK)
    return grade_filled


@pytest.fixture
def regraded(lab):
    """Grade any notebook, or any bytes."""
    def grade_any(notebook, files=()):
        return grade(notebook if isinstance(notebook, bytes | None) else tiny.to_bytes(notebook), lab, files, QUICK)
    return grade_any
