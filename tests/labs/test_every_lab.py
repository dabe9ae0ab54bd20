"""What holds for every lab: the blank notebook, the solved one, and the mistakes that the grader names."""

import importlib
import inspect
import json
from itertools import pairwise
from pathlib import Path

import nbformat
import pytest

from grading.checking import judge
from grading.demo import answered
from grading.lab import Lab, graded, meta, names, solution
from grading.marking import grade
from grading.student import LocalStudent

ROOT = Path(__file__).parents[2]
LABS = names(ROOT / "labs")
POINTS = {  # by checks, by hand
    "lab00_warm_up": (12, 0),
    "lab01_additive_attention": (12, 2),
    "lab02_learning_to_align": (13, 2),
    "lab03_luong_attention": (12, 2),
    "lab04_hard_attention": (10, 2),
    "lab05_scaled_dot_product": (12, 2),
    "lab06_multi_head": (14, 2),
    "lab07_positions": (12, 2),
    "lab08_layers": (15, 2),
    "lab09_block": (13, 2),
    "lab10_train_a_transformer": (12, 2),
    "lab11_decoding": (10, 2),
}
MISTAKES = [(lab, exercise, mistake) for lab in LABS
            for exercise, mistakes in importlib.import_module(f"solutions.{lab}.mistakes").MISTAKES.items()
            for mistake in mistakes]


@pytest.fixture(scope="module", params=LABS)
def lab(request):
    return Lab.read(ROOT / "labs", request.param)


def read_released(lab):
    return (ROOT / "release" / lab.name / f"{lab.name}.ipynb").read_bytes()


@pytest.fixture(scope="module")
def blank(lab):
    return grade(read_released(lab), lab)


def test_the_released_notebook_with_nothing_filled_in_scores_zero(blank):
    assert [mark.points for mark in blank.marks.values()] == [0] * len(blank.marks)


def test_the_released_notebook_with_nothing_filled_in_only_raises_not_implemented(blank):
    outputs = [output for cell in blank.notebook.cells for output in cell.get("outputs", [])]
    assert {output.ename for output in outputs if output.output_type == "error"} == {"NotImplementedError"}


def test_the_release_is_the_skeleton_that_is_graded(lab):
    released = nbformat.reads(read_released(lab).decode(), as_version=4)
    assert [cell.source for cell in released.cells] == [cell.source for cell in lab.skeleton.cells]


def test_the_solved_notebook_earns_all_automatic_points_and_waits_for_the_rest(lab):
    marks = grade(json.dumps(answered(lab)).encode(), lab).marks.values()
    earned = sum(mark.points for mark in marks if mark.points is not None)
    assert (earned, sum(mark.possible for mark in marks if mark.points is None)) == POINTS[lab.name]


def test_each_stub_stands_directly_above_its_check(lab):
    cells = [meta(cell) for cell in lab.source.cells]
    pairs = [(a["grade_id"], b["grade_id"]) for a, b in pairwise(cells) if a and b]
    checks = [meta(cell)["grade_id"] for cell in lab.source.cells if graded(cell) and not solution(cell)]
    assert pairs == [(check.removesuffix("-checks"), check) for check in checks]


def test_the_hidden_region_names_the_check_of_its_own_cell(lab):
    for cell in filter(graded, lab.source.cells):
        if not solution(cell):
            exercise = cell.metadata.nbgrader.grade_id.removesuffix("-checks")
            assert f'hidden_checks("{lab.name}", "{exercise}", globals())' in cell.source
            assert cell.metadata.nbgrader.locked


@pytest.mark.parametrize(("lab_name", "exercise", "mistake"), [pytest.param(*m, id=m[2].__name__) for m in MISTAKES])
def test_the_grader_names_the_mistake_that_an_answer_behaves_like(lab_name, exercise, mistake):
    reference = vars(importlib.import_module(f"solutions.{lab_name}.reference"))
    judgement = judge(lab_name, exercise, LocalStudent({**reference, exercise: mistake}))
    assert judgement.mistake == " ".join(inspect.getdoc(mistake).split())
