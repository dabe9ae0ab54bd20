"""What holds for every lab: the blank notebook, the solved one, and the mistakes that the grader names."""

import inspect
import json
from itertools import pairwise

import nbformat
import pytest

from grading.checking import judge
from grading.demo import answered
from grading.lab import Lab, exercise_of, graded, meta, solution
from grading.marking import grade
from grading.student import LocalStudent
from tests.labs.judging import LABS, ROOT, by_name, each, mistakes, part


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


def test_the_solved_notebook_earns_the_points_of_its_checks_and_waits_for_the_rest(lab):
    marks = grade(json.dumps(answered(lab)).encode(), lab).marks
    by_checks = {f"{exercise}-checks" for exercise in mistakes(lab.name)}
    assert {name: mark.points for name, mark in marks.items()} == {
        name: points if name in by_checks else None for name, points in lab.points.items()}


def test_the_points_add_up_to_what_the_title_promises(lab):
    assert f" {sum(lab.points.values()):g} points" in lab.source.cells[0].source


def test_the_exercises_of_the_notebook_are_those_that_have_checks_and_mistakes(lab):
    exercises = [exercise_of(cell) for cell in lab.source.cells if exercise_of(cell)]
    assert exercises == list(mistakes(lab.name))
    assert all(hasattr(part(lab.name, what), name) for what in ("checks", "visible", "reference") for name in exercises)


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


@pytest.mark.sampled("seed")
@pytest.mark.parametrize(("lab", "exercise", "mistake"), each(mistakes), ids=by_name)
def test_the_grader_names_the_mistake_that_an_answer_behaves_like(lab, exercise, mistake):
    judgement = judge(lab, exercise, LocalStudent({**vars(part(lab, "reference")), exercise: mistake}))
    assert judgement.mistake == " ".join(inspect.getdoc(mistake).split())
