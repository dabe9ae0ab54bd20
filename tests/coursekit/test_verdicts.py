"""A comparison accepts what is right to its own precision and says where anything else goes wrong."""

import numpy as np
import pytest

from coursekit.verdicts import Reply, Verdict, changed_arguments, compare, precision, refusal, same, together

EXPECTED = np.array([[0.25, 0.5, 0.125]])


def hint(value, expected=EXPECTED, **reply):
    return compare("law", Reply(value, **reply), expected, "look at the axis").hint


@pytest.mark.parametrize("right", [EXPECTED, EXPECTED.tolist(), EXPECTED.astype("f4"), EXPECTED + 1e-12])
def test_what_is_right_passes(right):
    assert compare("law", Reply(right), EXPECTED).passed


@pytest.mark.parametrize(("given", "off", "passes"), [
    ("float64", 4e-7, True), ("float64", 1e-6, False), ("float32", 1e-6, True), ("float32", 1e-4, False)])
@pytest.mark.parametrize("returned", ["f2", "f4", "f8"])
def test_the_precision_is_that_of_the_arguments_whatever_is_returned(given, off, passes, returned):
    value = EXPECTED.astype(returned) + np.array(off, "f8")
    assert compare("law", Reply(value, precision=given), EXPECTED).passed == passes


@pytest.mark.parametrize(("args", "name"), [
    ((np.zeros(2), 3), "float64"), ((np.zeros(2), np.float32(3)), "float32"), (([np.zeros(2, "f4")], 1.5), "float32"),
    (({"W": np.zeros(2, "f2")}, np.zeros(2, "f4")), "float16"), ((3, "text", np.zeros(2, int)), "float64"),
])
def test_of_several_float_types_the_coarsest_counts(args, name):
    assert precision(args) == name


@pytest.mark.parametrize("size", [1e-5, 1, 1e9])
def test_numbers_of_any_size_are_compared_among_themselves(size):
    assert compare("law", Reply(EXPECTED * size * (1 + 9e-7)), EXPECTED * size).passed
    assert not compare("law", Reply(EXPECTED * size * (1 + 2e-6)), EXPECTED * size).passed


def test_nothing_is_not_enough_where_little_is_expected():
    assert not compare("law", Reply(EXPECTED * 0), EXPECTED * 1e-9).passed


def test_zero_among_large_results_may_be_as_far_off_as_arithmetic_on_them_leaves_it():
    value, expected = (np.array([2e-5]), np.array([66.0])), (np.zeros(1), np.array([66.0]))
    assert compare("law", Reply(value, precision="float32"), expected).passed
    assert not compare("law", Reply(value), expected).passed


def test_what_rounding_leaves_of_zero_is_zero():
    assert compare("law", Reply(np.array([1e-16, 0.1 + 0.2 - 0.3])), np.zeros(2)).passed


@pytest.mark.parametrize(("lost", "says"), [
    (np.float16(EXPECTED / 3), "the first 3 digits are right, those that follow are lost: float64 came in, was an "
                               "array made with dtype float16, or a number rounded?"),
    (np.round(EXPECTED / 3, 3), "the first 2 digits are right"),
    (EXPECTED / 3 + 3e-6, "the first 4 digits are right, those that follow are lost: float64 came in, was an array "
                          "made with dtype float32"),
])
def test_lost_digits_are_said_as_such(lost, says):
    assert hint(lost, EXPECTED / 3).startswith(says)


def test_a_number_near_the_largest_is_wrong_and_rounding_it_warns_nobody():
    assert hint(np.full((1, 3), 1e307)) == "right shape, wrong values: look at the axis"


def test_a_formula_that_is_nearly_right_is_not_called_imprecise():
    assert hint(EXPECTED * 1.001) == "right shape, wrong values: look at the axis"


@pytest.mark.parametrize(("wrong", "says"), [
    (None, "returned None: is there a return statement?"),
    (EXPECTED.T, "expected shape (1, 3), got (3, 1)"),
    ("text", "expected real numbers, got text"),
    (EXPECTED + 1j, "expected real numbers, got an array of dtype complex128"),
    ([[1], [1, 2]], "expected an array of shape (1, 3), got lists of unequal lengths"),
    (EXPECTED * np.nan, "contains nan or inf: look at the axis"),
    (EXPECTED + 1, "right shape, wrong values: look at the axis"),
])
def test_what_is_wrong_is_said(wrong, says):
    assert hint(wrong) == says


def test_of_two_results_the_wrong_one_is_numbered():
    assert hint((EXPECTED, EXPECTED.T), (EXPECTED, EXPECTED)) == "result 2: expected shape (1, 3), got (3, 1)"
    assert hint(EXPECTED, (EXPECTED, EXPECTED)).startswith("expected 2 results, got an array")


def test_of_results_that_have_names_the_wrong_one_is_named():
    verdict = compare("law", Reply((EXPECTED, EXPECTED.T)), (EXPECTED, EXPECTED), names=["d_X", "d_W"])
    assert verdict.hint == "d_W: expected shape (1, 3), got (3, 1)"


@pytest.mark.parametrize(("error", "says"), [
    ("NotImplementedError", "not implemented yet"), ("KeyError", "raised KeyError"), ("TimeLimit", "took too long"),
])
def test_an_exception_is_no_answer(error, says):
    assert hint(EXPECTED, error=error).startswith(says)


def test_a_right_answer_that_changed_an_argument_fails():
    assert hint(EXPECTED, changed=(2,)) == "argument 2 was changed in place: work on a new one"


def test_verdicts_that_count_together_are_the_first_that_failed_or_else_the_first():
    right, other, wrong = Verdict("a", True), Verdict("b", True), Verdict("c", False, "look")
    assert together(right, other) is right and together(right, wrong, other) is wrong


def test_arguments_are_compared_by_value_and_nan_is_itself():
    before = (np.array([np.nan, 1.0]), np.zeros(2), [1], "text")
    assert changed_arguments(before, (np.array([np.nan, 1.0]), np.zeros(2), [1], "text")) == ()
    assert changed_arguments(before, (np.array([np.nan, 1.0]), np.ones(2), [1, 2], "text")) == (2, 3)


def test_an_odd_shape_or_length_is_not_spelt_out_as_it_could_carry_an_input():
    assert hint(np.zeros((1, 12345))) == "expected shape (1, 3), got a far larger one"
    assert "345" not in hint([0] * 12345, (EXPECTED, EXPECTED)) + hint(np.zeros(12345), (EXPECTED, EXPECTED))


def exact_hint(value, expected, **reply):
    return same("law", Reply(value, **reply), expected, "look at the spaces").hint


@pytest.mark.parametrize(("value", "expected", "says"), [
    (["a", " b"], ["a", " b"], ""),
    ([{0: b"a"}, [[b"a", b"b"]]], ({0: b"a"}, [(b"a", b"b")]), ""),
    (None, ["a"], "returned None: is there a return statement?"),
    ("a", ["a"], "expected a list, got text"),
    (["a", "secret"], ["a", " b"], "the right kind of thing, but not the right one: look at the spaces"),
    ({0: b"a"}, ({0: b"a"}, []), "expected 2 results, got one dict"),
    (({0: "a"}, []), ({0: b"a"}, []), "result 1: among the values: expected bytes, got text"),
])
def test_text_lists_and_dictionaries_are_compared_exactly_and_no_value_is_told(value, expected, says):
    assert exact_hint(value, expected) == says


def test_an_exact_comparison_tells_of_errors_and_changed_arguments_first():
    assert exact_hint(["a"], ["a"], error="KeyError") == "raised KeyError"
    assert exact_hint(["a"], ["a"], changed=(1,)) == "argument 1 was changed in place: work on a new one"


@pytest.mark.parametrize("text", ["x", b"x"])
def test_a_list_with_one_long_text_is_refused_before_numpy_makes_as_much_room_for_each_item(text):
    assert hint([text * 10**6] + [text] * 10**5) == "expected real numbers, got text"


def test_what_a_refusal_of_another_kind_says_is_not_repeated_since_it_may_hold_hidden_inputs():
    assert "41" not in refusal("TypeError", "the hidden number is 41", ["3"])
