"""A mistake costs its points once: whatever an earlier answer is, a right one that calls it keeps all of its own."""

import itertools
import json

import numpy as np
import pytest

from grading.checking import judge, lost_before
from grading.demo import answered
from grading.lab import Lab, meta
from grading.marking import grade
from grading.room.room import Rooms
from grading.student import LocalStudent
from tests import needs
from tests.labs import mutation
from tests.labs.judging import LABS, ROOT, TRIVIAL, built_on, by_name, given, mistakes, notebook, share_built

BUILT_ON = [(lab, *built) for lab in LABS for built in built_on(lab)]
ONE_EACH = {(lab, exercise, earlier): answer for lab, exercise, answer, earlier in reversed(BUILT_ON)}  # the reference
EARLIER = {lab: list(dict.fromkeys(one[3] for one in BUILT_ON if one[0] == lab)) for lab, *_ in BUILT_ON}


@pytest.mark.sampled("seed")
@pytest.mark.parametrize(("lab", "exercise", "earlier", "wrong"), [
    (lab, exercise, earlier, wrong) for lab, exercise, earlier in ONE_EACH
    for wrong in [*mistakes(lab)[earlier], *TRIVIAL.values()]], ids=by_name)
def test_a_wrong_earlier_answer_costs_a_right_one_that_calls_it_nothing(lab, exercise, earlier, wrong):
    answer = ONE_EACH[lab, exercise, earlier]
    assert share_built(lab, exercise, **{exercise: answer, earlier: wrong}) == 1


@pytest.mark.sampled("mutant")
@pytest.mark.parametrize(("lab", "exercise", "answer", "earlier"), BUILT_ON, ids=by_name)
def test_no_mutant_of_an_earlier_answer_costs_a_right_one_that_calls_it_anything(lab, exercise, answer, earlier):
    assert mutation.costly(lab, exercise, answer, earlier, most=6) == []


@pytest.mark.parametrize(("lab", "exercise"), [(lab, exercise) for lab in LABS for exercise in mistakes(lab)])
def test_what_was_lent_is_no_answer_to_another_exercise(lab, exercise):
    for earlier in itertools.takewhile(lambda name: name != exercise, mistakes(lab)):
        answers = notebook(lab, **{earlier: None})
        exec(f"def {exercise}(*args, **options): return {earlier}(*args, **options)", answers)
        assert judge(lab, exercise, LocalStudent(answers), lost=[earlier]).share == 0


# In both rooms

WRONG = {  # {what is wrong with the answers on which others are built: the body of a function around a right one}
    "is not written": "raise NotImplementedError",
    "changes an argument": "[*map(change, args)]\n        return function(*args, **options)",
    "returns other numbers": "return changed(function(*args, **options))",
}
AROUND = """
def changed(value):
    return [*map(changed, value)] if isinstance(value, list | tuple) else 1.5 * np.asarray(value) + 0.25

def change(value):
    if isinstance(value, list):
        value.reverse()  # a list that is lengthened at each call fills the memory
    elif hasattr(value, "dtype"):
        value *= 2

def wrongly(function):
    def wrong(*args, **options):
        {}
    return wrong
"""


@pytest.fixture(scope="module")
def rooms():
    with Rooms() as rooms:
        yield rooms


def in_the_exam_room(lab, texts, rooms):
    """{exercise: points} of a solved notebook, with these texts at the end of some answers."""
    lab = Lab.read(ROOT / "labs", lab)
    handed_in = answered(lab)
    for cell in handed_in.cells:
        cell.source += texts.get(meta(cell).get("grade_id"), "")
    marks = grade(json.dumps(handed_in).encode(), lab, rooms=rooms).marks
    return {name: mark.points for name, mark in marks.items() if mark.judgement}


def takes_what_can_change(lab, exercise):
    return any(isinstance(value, list | np.ndarray) for value in given(lab, exercise)[0].values())


def in_this_process(lab, texts):
    """The same, as where an instructor opens the notebook."""
    namespace, possible = notebook(lab), Lab.read(ROOT / "labs", lab).points
    exec("".join(texts.values()), namespace)
    shares = {exercise: judge(lab, exercise, LocalStudent(namespace), lost=lost_before(lab, exercise, namespace)).share
              for exercise in mistakes(lab)}
    return {f"{name}-checks": round(share * possible[f"{name}-checks"], 2) for name, share in shares.items()}


@needs.bubblewrap
@pytest.mark.sampled("lab")
@pytest.mark.parametrize("what", WRONG)
@pytest.mark.parametrize("lab", EARLIER)
def test_in_both_rooms_alone_the_wrong_answers_lose_points(lab, what, rooms):
    wrong = [name for name in EARLIER[lab] if what != "changes an argument" or takes_what_can_change(lab, name)]
    texts = {name: f"\n{AROUND.format(WRONG[what])}\n{name} = wrongly({name})\n" for name in wrong}
    points, full = in_the_exam_room(lab, texts, rooms), Lab.read(ROOT / "labs", lab).points
    assert points == in_this_process(lab, texts)
    assert {name for name in points if points[name] < full[name]} == {f"{name}-checks" for name in wrong}
