"""What a machine changes in a reference the checks see and explain; what it rewrites keeps all points.

How a lab gets here: CONTRIBUTING, "Mutants".
"""

import inspect

import numpy as np
import pytest

from coursekit.check import CheckFailed
from tests.labs import judging, mutation
from tests.labs.float32 import in_float32
from tests.labs.inputs import LAYOUTS
from tests.labs.judging import by_name, each, mistakes, part, right, share, variants
from tests.labs.mutants import mutants

LABS = mutation.with_inputs()
EXERCISES = [(lab, exercise) for lab in LABS for exercise in mistakes(lab)]

mutated = pytest.mark.sampled("mutant")
a_lab = pytest.mark.parametrize("lab", LABS)
an_exercise = pytest.mark.parametrize(("lab", "exercise"), EXERCISES)


# Changed


@mutated
@an_exercise
def test_the_hidden_check_rejects_each_mutant_that_differs_from_the_reference(lab, exercise):
    known = mutation.known(lab, "SURVIVORS").get(exercise, {})
    assert set(mutation.outcome(lab, exercise).survived) == set(known)


@mutated
@an_exercise
def test_what_the_visible_check_accepts_keeps_all_points(lab, exercise):
    known = mutation.known(lab, "UNSEEN").get(exercise, {})
    assert set(mutation.outcome(lab, exercise).unseen) == set(known)


@mutated
@an_exercise
def test_the_hidden_check_rejects_no_mutant_that_differs_nowhere(lab, exercise):
    assert mutation.outcome(lab, exercise).disputed == ()


@mutated
@pytest.mark.parametrize(("lab", "exercise"), [(lab, exercise) for lab in judging.LABS for exercise in mistakes(lab)])
def test_the_visible_check_says_what_is_wrong_with_each_mutant(lab, exercise):
    said = {each.name: mutation.said(lab, exercise, each.function) for each in mutation.made(lab, exercise)}
    wrong = {name: mutation.complaint(error) for name, error in said.items() if error is not None}
    assert {name: complaint for name, complaint in wrong.items() if complaint} == {}


@pytest.mark.parametrize(("lab", "exercise", "mistake"), each(mistakes), ids=by_name)
def test_the_visible_check_says_what_is_wrong_with_each_mistake(lab, exercise, mistake):
    error = mutation.said(lab, exercise, mistake)
    assert error is not None and mutation.complaint(error) is None


@pytest.mark.parametrize("what", ["SURVIVORS", "UNSEEN"])
@a_lab
def test_each_survivor_is_of_an_exercise_and_has_a_reason(lab, what):
    known = mutation.known(lab, what)
    assert known.keys() <= mistakes(lab).keys()
    assert all(len(reason) > 20 for reasons in known.values() for reason in reasons.values())


@mutated
@an_exercise
def test_no_input_of_the_search_tells_a_right_answer_from_the_reference(lab, exercise):
    """Else the search would call an equal mutant another one."""
    rough = getattr(part(lab, "inputs"), "ROUGH", ())
    others = [variant for variant in variants(lab)[exercise] if variant.__name__ not in rough]
    assert [variant.__name__ for variant in others if mutation.differs(lab, exercise, variant)] == []


# Rewritten


def after(layout):
    """The function, with its result laid out so."""
    return lambda function: lambda *args, **options: layout(function(*args, **options))


def before(layout):
    """The function, with its arguments laid out so."""
    return lambda function: lambda *args, **options: function(*layout(args), **options)


def listed(value):
    if isinstance(value, dict):
        return {name: listed(one) for name, one in value.items()}
    if isinstance(value, tuple | list):
        return list(map(listed, value))
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else value


REWRITTEN = {f"{name} in": before(layout) for name, layout in LAYOUTS.items()}
REWRITTEN |= {f"{name} out": after(layout) for name, layout in LAYOUTS.items()}
REWRITTEN |= {"float32 where float32 came in": in_float32, "lists out": after(listed)}


@pytest.mark.sampled("seed")
@an_exercise
@pytest.mark.parametrize("rewriting", REWRITTEN)
def test_a_reference_that_is_rewritten_keeps_all_points(lab, exercise, rewriting):
    """Lists know no float32: where the lab promises types, they are no answer."""
    if rewriting != "lists out" or not mutation.promises_types(lab, exercise):
        assert share(lab, exercise, **{exercise: REWRITTEN[rewriting](right(lab, exercise))}) == 1


# The machine itself


def centred(x, axis=0):
    """A function to be changed."""
    mean = np.mean(x, axis=axis, keepdims=True)
    return x - mean


def test_mutants_have_names_of_their_own_that_say_the_place_and_the_change():
    names = [mutant.name for mutant in mutants(centred)]
    assert len(names) == len(set(names))
    assert {"1: True → False", "2: x - mean → x + mean", "2: x - mean → np.subtract(x, mean, out=x)",
            "2: return squeezed(x - mean)", "start: axis = 0"} <= set(names)


def test_a_mutant_does_what_its_name_says_and_the_function_stays_as_it_is():
    found = {mutant.name: mutant.function for mutant in mutants(centred)}
    assert found["2: x - mean → x + mean"](np.array([1.0, 3.0])).tolist() == [3, 5]
    assert found["start: axis = 0"](np.eye(2), axis=1).tolist() == centred(np.eye(2)).tolist()


def test_changes_of_arguments_that_change_none_are_left_out():
    names = {mutant.name for mutant in mutants(centred, [{"x": np.ones((2, 3)), "axis": 0}])}
    assert "start: x = of_the_first(x)" in names
    assert not {"start: x = squeezed(x)", "start: x = flipped(x)", "start: axis = squeezed(axis)"} & names


@pytest.mark.parametrize(("times", "alike"), [(1, False), (10, True)])
def test_what_is_off_by_a_little_more_than_a_check_allows_is_another_only_to_a_strict_search(times, alike):
    assert mutation._alike(np.array([1 + 3e-6]), np.array([1.0]), times, "float64", False, 1.0) == alike


def test_what_runs_without_end_is_stopped():
    with pytest.raises(mutation.TooLong), mutation.limited(0.1):
        while True:
            pass


@pytest.mark.parametrize(("error", "complaint"), [
    (CheckFailed("law\n  look at the axis"), None),
    (CheckFailed("law\n  "), "an empty hint"),
    (CheckFailed("law\n  got [1, 2], expected [1, 2]"), "two equal values: got [1, 2], expected [1, 2]"),
    (CheckFailed("law\n  got [1, 2], expected [1, 3]"), None),
    (CheckFailed("law\n  got 'the', expected 'he'"), None),
    (CheckFailed("law\n  got 'the', expected 'the'"), "two equal values: got 'the', expected 'the'"),
    (CheckFailed("a row sums to 1\n  they sum to [1., 1.]: divide"), "two equal values: they sum to [1., 1.]: divide"),
    (CheckFailed("each row sums to 1\n  they sum to [-1., -1.]: divide"), None),
    (CheckFailed("each row sums to 1\n  they sum to [1., 1.001]: divide"), None),
    (IndexError("too many"), "the check itself raised IndexError: too many"),
])
def test_a_message_that_says_nothing_is_refused(error, complaint):
    assert mutation.complaint(error) == complaint


def test_an_error_of_the_function_under_test_is_no_fault_of_the_check():
    error = ValueError("shapes do not fit")
    error.add_note("while the check called it with arrays of shape (2, 3)")
    assert mutation.complaint(error) is None


def test_every_lab_has_inputs():
    assert set(judging.LABS) == set(LABS)


def test_each_generator_of_inputs_belongs_to_an_exercise():
    for lab in LABS:
        module = part(lab, "inputs")
        own = {name for name, each in vars(module).items() if inspect.isgeneratorfunction(each)
               and each.__module__ == module.__name__ and not name.startswith("_")}
        assert own <= mistakes(lab).keys() and all(hasattr(module, exercise) for exercise in mistakes(lab))
