"""What holds for every exercise of every lab: a right answer earns all, a mistake half, and both are told so."""

import numpy as np
import pytest

from coursekit.check import CheckFailed
from tests.labs.float32 import dtypes, small
from tests.labs.judging import (
    LABS,
    by_name,
    each,
    given,
    mistakes,
    right,
    said_of,
    see,
    share,
    share_built,
    trivial,
    variants,
)

ODD = {
    "a number": 3,
    "text": "text",
    "a list of unequal lists": [1, [2]],
    "an empty dictionary": {},
    "an array of one": np.zeros(1),
    "an array of no axes": np.array(None),
    "three sevens": np.full(3, 7),
    "two arrays": (np.zeros(2), np.zeros(3)),
    "an array and text": (np.zeros(2), "text"),
    "text and nothing": ("a", None),
    "a list and nothing": ([1, [2]], None),
    "three things": (0.0, None, "b"),
}

EXERCISES = [(lab, exercise) for lab in LABS for exercise in mistakes(lab)]


def which(what, whether=True):
    """The exercises of which their labs say this, or do not."""
    return [(lab, exercise) for lab, exercise in EXERCISES if (exercise in said_of(lab, what)) == whether]


an_exercise = pytest.mark.parametrize(("lab", "exercise"), EXERCISES)
a_mistake = pytest.mark.parametrize(("lab", "exercise", "mistake"), each(mistakes), ids=by_name)
a_right_answer = pytest.mark.parametrize(("lab", "exercise", "variant"), each(variants), ids=by_name)
a_trivial_answer = pytest.mark.parametrize(
    ("lab", "exercise", "answer"), [(*exercise, answer) for exercise in EXERCISES for answer in trivial(exercise[0])])
an_odd_answer = pytest.mark.parametrize("answer", ODD)
any_seed = pytest.mark.parametrize("seed", [
    pytest.param("", id="no-seed"),  # a course as it comes
    pytest.param("one", marks=pytest.mark.sampled("seed")),
    pytest.param("two", marks=pytest.mark.sampled("seed")),
])


@an_exercise
def test_there_are_five_mistakes_and_four_variants(lab, exercise):
    assert len(mistakes(lab)[exercise]) >= 5 and len(variants(lab)[exercise]) >= 4


@pytest.mark.parametrize(("lab", "exercise"), which("EXPECTS_SHAPES"))
def test_a_reference_that_expects_shapes_names_each_array_that_does_not_fit(lab, exercise):
    args = given(lab, exercise)[0]
    for name in (name for name, value in args.items() if isinstance(value, np.ndarray)):
        with pytest.raises(ValueError, match=rf"{name}: expected \(.*\), got \(9, 8, 2, 1, 3\)"):
            right(lab, exercise)(**args | {name: np.zeros((9, 8, 2, 1, 3))})


@pytest.mark.parametrize(("lab", "exercise"), which("MAKES_FLOAT64", False))
def test_a_reference_makes_no_float64_of_float32(lab, exercise):
    for args in given(lab, exercise):
        assert "float64" not in dtypes(right(lab, exercise)(**small(args)))


# The hidden checks


@any_seed
@an_exercise
def test_the_reference_earns_everything_and_no_check_asks_for_another_function(lab, exercise, seed):
    others = {name: None for name in mistakes(lab) if name != exercise}
    assert share(lab, exercise, seed) == share(lab, exercise, seed, **others) == 1


@any_seed
@a_right_answer
def test_a_right_answer_written_otherwise_keeps_all(lab, exercise, variant, seed):
    assert share(lab, exercise, seed, **{exercise: variant}) == 1


@any_seed
@a_mistake
def test_a_mistake_keeps_at_most_half(lab, exercise, mistake, seed):
    assert share(lab, exercise, seed, **{exercise: mistake}) <= 0.5


@pytest.mark.sampled("seed")
@a_trivial_answer
def test_a_trivial_answer_earns_nothing_even_if_all_functions_are_trivial(lab, exercise, answer):
    function = trivial(lab)[answer]
    assert share(lab, exercise, **{exercise: function}) == 0
    assert share_built(lab, exercise, **dict.fromkeys(mistakes(lab), function)) == 0


@pytest.mark.sampled("seed")
@an_odd_answer
@an_exercise
def test_an_odd_answer_earns_nothing(lab, exercise, answer):
    assert share(lab, exercise, **{exercise: lambda *args, **options: ODD[answer]}) == 0


@pytest.mark.parametrize(("lab", "exercise"), which("WITHOUT_ARRAYS", False))
def test_an_answer_that_changes_its_argument_earns_nothing(lab, exercise):
    def careless(*args, **options):
        answer = right(lab, exercise)(*args, **options)
        changed = next(array for array in args if isinstance(array, np.ndarray) and array.dtype != bool)
        changed += 1
        return answer

    assert share(lab, exercise, **{exercise: careless}) == 0


# The visible checks


@an_exercise
def test_the_visible_check_of_a_stub_raises_only_not_implemented(lab, exercise):
    def stub(*args, **options):
        raise NotImplementedError

    with pytest.raises(NotImplementedError):
        see(lab, exercise, stub)


@an_exercise
def test_the_visible_check_accepts_the_reference(lab, exercise):
    see(lab, exercise, right(lab, exercise))


@a_right_answer
def test_the_visible_check_accepts_a_right_answer(lab, exercise, variant):
    see(lab, exercise, variant)


@a_mistake
def test_the_visible_check_explains_a_mistake(lab, exercise, mistake):
    """Where the mistake's own arrays do not fit each other NumPy says so, and a note says what the check gave it."""
    with pytest.raises((CheckFailed, ValueError, IndexError)) as failure:
        see(lab, exercise, mistake)
    law, hint = "\n".join([str(failure.value), *getattr(failure.value, "__notes__", [])]).split("\n", 1)
    assert law and len(hint.strip()) > 10


@pytest.mark.sampled("seed")
@an_odd_answer
@an_exercise
def test_the_visible_check_survives_any_answer(lab, exercise, answer):
    with pytest.raises(CheckFailed):
        see(lab, exercise, lambda *args, **options: ODD[answer])
