"""Who adds a lab as CONTRIBUTING.md tells it writes new files alone, and has it released, tested and graded."""

import os
import re
import shutil
import subprocess
import sys
import zipfile

import pytest

from grading.configuration import AS_IT_COMES

LAB = "lab99_rows"
COPIED = ("coursekit", "grading", "solutions", "tests", "tools", "CONTRIBUTING.md", "LICENSE", "LICENSE-TEXT",
          "nbgrader_config.py", "pyproject.toml")
FILES = {}

FILES["labs/lab99_rows/lab99_rows.ipynb"] = '''
# %% [markdown] id="title"
# # Lab 99: Rows
#
# **About 5 minutes, 2 points.**

# %% id="setup"
import numpy as np

from coursekit.check import lab99_rows as check

# %% [markdown] id="exercise-1"
# ### Exercise 1: the mean of all rows (5 minutes, 2 points)

# %% nbgrader={"grade": false, "grade_id": "mean_row", "locked": false, "schema_version": 3, "solution": true, "task": false}
def mean_row(x):
    """The mean of the rows of x (N, D), of shape (D,)."""
    ### BEGIN SOLUTION
    raise NotImplementedError
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "mean_row-checks", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check.mean_row(mean_row)
### BEGIN HIDDEN TESTS
from grading import hidden_checks

hidden_checks("lab99_rows", "mean_row", globals())
### END HIDDEN TESTS
'''  # noqa: E501 (a line for each cell's metadata)

FILES["solutions/lab99_rows/__init__.py"] = ""

FILES["solutions/lab99_rows/reference.py"] = '''
"""The reference of lab 99."""


def mean_row(x):
    """The mean of the rows of x (N, D), of shape (D,)."""
    return x.sum(axis=0) / len(x)
'''

FILES["solutions/lab99_rows/checks.py"] = '''
"""What lab 99 is judged on."""

from coursekit.verdicts import compare
from solutions.lab99_rows import reference


def mean_row(student, rng):
    for law, shape in [("4 rows of 3 numbers", (4, 3)), ("2 rows of 5 numbers", (2, 5))]:
        x = rng.normal(size=shape)
        yield compare(law, student.mean_row(x), reference.mean_row(x), "is it the mean over the rows?")
'''

FILES["solutions/lab99_rows/mistakes.py"] = '''
"""Plausible wrong answers to lab 99."""

import numpy as np

from solutions.exercises import by_exercise


def mean_row_as_a_sum(x):
    """This is the sum of the rows: divide it by their number."""
    return x.sum(axis=0)


def mean_row_of_columns(x):
    """You averaged over axis 1: this is the mean of each row."""
    return x.mean(axis=1)


def mean_row_of_everything(x):
    """You averaged over both axes: one number is left, where each column should have its own."""
    return x.mean()


def mean_row_by_the_width(x):
    """You divided by the number of columns: it should be that of the rows."""
    return x.sum(axis=0) / x.shape[1]


def mean_row_as_the_largest(x):
    """This is the largest entry of each column: its mean was asked for."""
    return np.max(x, axis=0)


MISTAKES = by_exercise(__name__, ["mean_row"])
'''

FILES["coursekit/check/lab99_rows.py"] = '''
"""The visible checks of lab 99."""

import numpy as np

from coursekit.check import ask, visible_check
from coursekit.verdicts import compare


@visible_check
def mean_row(mean_row):
    rows, mean = np.array([[1 / 3, 2.0, -3.0], [5.0, 4.0, -9.0]]), np.array([8 / 3, 3.0, -6.0])
    yield compare("the mean of [1/3, 2, -3] and [5, 4, -9] is [8/3, 3, -6]", ask(mean_row, rows), mean,
                  "add the rows and divide by their number")
'''

FILES["tests/labs/variants_lab99_rows.py"] = '''
"""Different right ways to write lab 99."""

import numpy as np

TRIVIAL = {"the first row": lambda x: x[0]}


def mean_row_by_numpy(x):
    return np.mean(x, axis=0)


def mean_row_by_a_loop(x):
    return np.array([sum(column) / len(column) for column in x.T])


def mean_row_by_a_product(x):
    return np.ones(len(x)) @ x / len(x)


def mean_row_by_einsum(x):
    return np.einsum("nd->d", x) / len(x)
'''

FILES["tests/labs/test_lab99_rows.py"] = '''
"""Lab 99: the reference against a law."""

import numpy as np

from solutions.lab99_rows import reference


def test_the_mean_of_equal_rows_is_that_row():
    np.testing.assert_allclose(reference.mean_row(np.tile([1.0, -2.0, 7.0], (4, 1))), [1, -2, 7])
'''


FILES["tests/labs/inputs_lab99_rows.py"] = '''
"""Valid inputs of every kind for lab 99."""

from tests.labs.inputs import given, normal


def mean_row(rng):
    for shape in [(2, 2), (3, 2), (2, 5), (4, 3)]:
        yield given(normal(rng, *shape))
'''


@pytest.fixture(scope="module")
def course(root, tmp_path_factory):
    """A copy of the course, without its own labs' notebooks, to which the lab was added, released and solved."""
    course = tmp_path_factory.mktemp("course")
    for name in COPIED:
        if (root / name).is_dir():
            shutil.copytree(root / name, course / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(root / name, course)
    for name, text in FILES.items():
        path = (course / name).with_suffix(".py")  # a notebook is written as text
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:  # a file that is there already is an error
            file.write(text.lstrip("\n"))
    run(course, "tools.lab_text", "to-notebook", LAB)
    run(course, "grading", "release")
    run(course, "grading", "solved")
    return course


def run(course, module, *arguments):
    """Run a module of the copy, as CONTRIBUTING.md says. Returns what it printed."""
    done = subprocess.run([sys.executable, "-m", module, *arguments], cwd=course, capture_output=True, text=True,
                          env={**os.environ, **AS_IT_COMES})  # the environment is that of the original
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_files_of_a_lab_are_those_that_contributing_lists(root):
    section = (root / "CONTRIBUTING.md").read_text("utf-8").partition("## Add a lab")[2].partition("\n## ")[0]
    listed = re.findall(r"^\d\. `(\S+)`", section, re.MULTILINE)
    assert set(listed) == {name.replace(LAB, "labNN_topic") for name in FILES if not name.endswith("__init__.py")}


def test_a_new_lab_is_given_out_without_its_solution(course):
    with zipfile.ZipFile(course / "release" / "attention-labs.zip") as archive:
        lab = archive.read(f"attention-labs/{LAB}/{LAB}.ipynb").decode()
    assert "raise NotImplementedError" in lab and "hidden_checks" not in lab


def test_a_new_lab_is_solved_by_its_reference(course):
    assert "x.sum(axis=0) / len(x)" in (course / "build" / "solved" / LAB / f"{LAB}.ipynb").read_text("utf-8")


def test_a_new_lab_is_tested_and_graded_without_another_line(course):
    passed = re.findall(r"::(\w+)\S* PASSED", run(course, "pytest", "tests/labs", "-v", "-k", LAB))
    assert {"test_the_mean_of_equal_rows_is_that_row", "test_a_mistake_keeps_at_most_half",
            "test_a_right_answer_written_otherwise_keeps_all", "test_the_visible_check_explains_a_mistake",
            "test_the_released_notebook_with_nothing_filled_in_scores_zero",
            "test_the_solved_notebook_earns_the_points_of_its_checks_and_waits_for_the_rest",
            "test_the_grader_names_the_mistake_that_an_answer_behaves_like"} <= set(passed)
