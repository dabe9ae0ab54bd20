"""A visible law holds where a hidden check would be content, and else says the most telling thing that it knows."""

import numpy as np
import pytest

from coursekit.check import laws
from coursekit.verdicts import Reply, compare

EXPECTED = np.array([[1.0, -2.0, 30.0], [4.0, 5.0, 6.0]])
SLIPS = [(EXPECTED.T, "it is turned"), (2 * EXPECTED, "it is doubled")]


def hint(value, **more):
    return laws.equals("law", Reply(value), EXPECTED, **more).hint


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8"])
@pytest.mark.parametrize("off", [0, 1e-8, 1e-6, 2e-5, 3e-5, 4e-4, 0.1, 0.4, np.nan])
def test_a_visible_law_and_a_hidden_one_agree_on_what_is_right(dtype, off):
    answer = (EXPECTED + off).astype(dtype)
    assert laws.equals("law", answer, EXPECTED).passed == compare("law", Reply(answer), EXPECTED).passed


@pytest.mark.parametrize(("wrong", "says"), [
    (None, "returned None: is there a return statement?"),
    ("text", "expected real numbers, got text"),
    ([1, [2]], "expected an array of shape (2, 3), got lists of unequal lengths"),
    (EXPECTED[:, 0], "expected shape (2, 3), got (2,)"),
    (EXPECTED.T, "it is turned"),
    (2 * EXPECTED, "it is doubled"),
    (3 * EXPECTED, "look at the root"),
    (np.nan * EXPECTED, "look at the root"),
])
def test_a_slip_comes_before_what_kind_of_thing_it_is_and_that_before_the_advice(wrong, says):
    assert hint(wrong, advice="look at the root", slips=SLIPS) == says


def test_without_advice_what_was_got_stands_beside_what_was_expected():
    assert hint(EXPECTED + 1) == ("got\n[[ 2., -1., 31.],\n [ 5.,  6.,  7.]]\n  expected\n"
                                  "[[ 1., -2., 30.],\n [ 4.,  5.,  6.]]")
    assert laws.equals("law", 0.84119, 0.84134).hint == "got 0.84119, expected 0.84134"


def test_of_a_large_array_the_entry_most_wrong_is_shown_with_its_place():
    value = np.zeros((2, 5, 3))
    value[1, 4, 0], value[0, 2, 1] = 7.5, 0.1
    assert laws.equals("law", value, np.zeros((2, 5, 3))).hint == "at [1, 4, 0] got 7.5, expected 0"


@pytest.mark.parametrize(("value", "says"), [
    ([1.0, 2.000003], "at [1] got 2.000003, expected 2"), ([np.nan, 2.0], "got [nan,  2.], expected [1., 2.]"),
])
def test_what_would_look_alike_is_shown_with_more_digits(value, says):
    assert laws.beside(np.array(value), np.array([1.0, 2.0])) == says




def test_a_sum_is_shown_with_digits_that_tell_it_from_the_right_one():
    rows = np.array([[0.5, 0.5], [0.5, 0.50001]])
    assert laws.sums("law", rows[:1], 1, "divide").passed
    assert laws.sums("law", 2 * rows, 1, "divide").hint == "they sum to [2., 2.]: divide"
    assert laws.sums("law", rows, 1, "divide").hint == (
        "they sum to 1.00001: were digits lost, in float16 or float32, or by rounding?")


def test_one_number_is_near_if_every_entry_is():
    assert laws.near(np.ones((2, 3)), 1) and not laws.near([1, 2], 1) and not laws.near(np.full(2, np.nan), np.nan)


@pytest.mark.parametrize(("wrong", "says"), [
    (None, laws.NOTHING),
    ("text", "expected numbers, got one str"),
    (np.zeros(3), "expected (2, 3), got (3,): turn it"),
])
def test_another_shape_is_named_with_what_to_do(wrong, says):
    assert laws.shape("law", Reply(wrong), (2, 3), "turn it").hint == says


@pytest.mark.parametrize(("wrong", "says"), [
    (None, laws.NOTHING),
    (np.zeros(2), "expected 2 results, a, b, got an array of shape (2,)"),
    ((np.zeros((2, 3)), np.zeros(4)), "b: expected (2,), got (4,)"),
    ((np.zeros(2), np.zeros((2, 3))), "a: expected (2, 3), got (2,); b: expected (2,), got (2, 3): the same shapes in "
                                      "another order"),
])
def test_of_several_results_the_wrong_ones_are_named(wrong, says):
    verdict = laws.results(Reply(wrong), {"a": (2, 3), "b": (2,)}, "a batch: ")
    assert (verdict.law, verdict.hint) == ("a batch: a (2, 3), b (2,)", says)


def test_a_type_that_changed_is_found_in_dictionaries_too():
    answer = np.zeros(2, np.float32), {"a": np.zeros(3, np.float32), "b": np.zeros(4)}
    assert laws.keeps_type(answer, "mind np.sqrt").hint == "got float32, float64: mind np.sqrt"
    assert laws.keeps_type(answer[0], "").passed


@pytest.mark.parametrize(("gradient", "passes"), [([2.0, 4.0], True), ([2.0, 5.0], False), ([np.nan, 4.0], False)])
def test_a_slope_is_held_against_central_differences(gradient, passes):
    x = np.array([1.0, 2.0])
    verdict = laws.slope("d_x agrees", lambda: np.sum(x**2), x, gradient, "it is 2 x")
    assert verdict.passed == passes and (passes or verdict.hint.endswith("\n  it is 2 x"))


def refusing(x, message="x: expected an even width, got 3"):
    raise ValueError(message)


@pytest.mark.parametrize("does_not_fit", [
    lambda x: x @ np.ones(4), lambda x: np.dot(x, np.ones(4)), lambda x: x + np.ones(4), lambda x: x.reshape(2, -1),
    lambda x: np.concatenate([np.eye(3), np.eye(2)], axis=1), lambda x: np.stack([x, np.ones(4)]),
    lambda x: np.zeros((3, 2)).__setitem__(slice(None), np.eye(3)), lambda x: np.split(x, 2),
    lambda x: np.tensordot(x, np.ones(4), 1), lambda x: np.broadcast_arrays(x, np.ones(4)),
])
def test_a_message_that_is_numpys_own_is_no_refusal_where_words_are_asked_for(does_not_fit):
    assert "NumPy's own" in laws.refuses("law", does_not_fit, (np.ones(3),), ["3"], "").hint
    assert laws.refuses("law", does_not_fit, (np.ones(3),), [], "").passed


@pytest.mark.parametrize(("function", "says"), [
    (refusing, ""), (lambda x: refusing(x, "3 is not even: widths must match exactly and have the same shape"), ""),
    (lambda x: refusing(x, "13, even"), 'the message should hold 3 and even; yours is "13, even"'),
    (lambda x: np.eye(3, 5) @ x, "the message is NumPy's own: look before you compute, and say yourself what you"),
    (lambda x: x[5], "it raised IndexError. Expected a ValueError that says what you expected and what you got; yours"),
    (lambda x: ValueError("x: 3, even"), "it returned the error: raise it"),
    (lambda x: x, "it returned an array of shape (3,), but should raise ValueError: look first"),
    (lambda x: ["a", "b"], "it returned ['a', 'b'], but should raise ValueError: look first"),
    (lambda x: dict.fromkeys(range(256)), "it returned a dictionary of 256 entries, but should raise ValueError"),
])
def test_a_refusal_is_a_value_error_that_says_why_in_words_of_its_own(function, says):
    verdict = laws.refuses("law", function, (np.zeros(3),), ["3", "even"], "look first")
    assert verdict.passed == (not says) and verdict.hint.startswith(says)


@pytest.mark.parametrize(("wrong", "says"), [
    (np.zeros(2), "got an array of shape (2,)"),
    ((0, {"W": 1}), "the keys of the dictionary are W"),
    ((0, {}), "the keys of the dictionary are none"),
])
def test_a_dictionary_of_gradients_has_all_the_names(wrong, says):
    assert laws.gradients("law", Reply(wrong), 2, ("W", "b")).hint == says


@pytest.mark.parametrize(("got", "says"), [
    (["a", " b"], ""),
    (None, "returned None: is there a return statement?"),
    ([b"a"], "in the list: expected text, got bytes\n  a piece is text"),
    (["a", "b"], "at [1] got 'b', expected ' b'\n  the space was lost"),
    (["a", "c"], "at [1] got 'c', expected ' b'\n  look at the pattern"),
])
def test_of_exact_values_the_place_is_told_and_then_the_slip_or_the_advice(got, says):
    said = {"advice": "look at the pattern", "slips": [(["a", "b"], "the space was lost")], "kinds": "a piece is text"}
    verdict = laws.same("law", Reply(got), ["a", " b"], **said)
    assert (verdict.passed, verdict.hint) == (not says, says)
