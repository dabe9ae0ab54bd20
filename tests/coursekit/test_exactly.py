"""Values that are right as they are, or wrong: what kind of thing they are, and where they first differ."""

import numpy as np
import pytest

from coursekit import exactly


@pytest.mark.parametrize(("got", "expected"), [
    ("a", "a"), (b"\xff\x00", b"\xff\x00"), ("\ud800", "\ud800"), ([], ()), ([1, [2]], (1, (2,))), (np.int64(3), 3),
    (np.array([1, 2]), [1, 2]), ({2: b"b", 1: b"a"}, {1: b"a", 2: b"b"}), ({np.int32(1): "a"}, {1: "a"}),
    ({(b"a", b"b"): 2}, {(b"a", b"b"): np.int64(2)}), (None, None),
])
def test_the_same_values_are_alike_whatever_holds_them(got, expected):
    assert exactly.alike(got, expected)


@pytest.mark.parametrize(("got", "expected", "says"), [
    ("a", b"a", "expected bytes, got text"),
    ("ab", ["a", "b"], "expected a list, got text"),
    ({b"ab": 1}, {(b"a", b"b"): 1}, "among the keys: expected a tuple, got bytes"),
    (1.0, 1, "expected a whole number, got a number"),
    (True, 1, "expected a whole number, got True or False"),
    ([b"a", "b"], [b"a", b"b"], "in the list: expected bytes, got text"),
    ({"1": 1}, {1: 1}, "among the keys: expected a whole number, got text"),
    ({1: [b"a"]}, {1: b"a"}, "among the values: expected bytes, got a list"),
    (np.zeros(2), [0, 0], "expected a list, got an array"),
    ({"a"}, ["a"], "expected a list, got one set"),
])
def test_another_kind_of_thing_is_told_in_words_without_its_values(got, expected, says):
    assert exactly.other_kind(got, expected) == says
    assert not exactly.alike(got, expected)


@pytest.mark.parametrize(("got", "expected", "says"), [
    ("a", "b", "got 'a', expected 'b'"),
    (["a", "b"], ["a", "c"], "at [1] got 'b', expected 'c'"),
    ([["a"], ["b", "d"]], [["a"], ["b", "c"]], "at [1][1] got 'd', expected 'c'"),
    (["a"], ["a", " b"], "expected length 2, got 1: at [1] ' b' is missing"),
    ([[1, 2, 3]], [[1, 2]], "in [0] expected length 2, got 3: at [0][2] 3 is too many"),
    ({1: b"a"}, {1: b"a", 2: b"b"}, "key 2 is missing: expected b'b' there"),
    ({1: b"a", 2: b"b"}, {1: b"a"}, "key 2 is too many: there should be none"),
    ({1: b"a"}, {1: b"b"}, "at [1] got b'a', expected b'b'"),
    ([{}], [{"x": 1}], "key 'x' is missing in [0]: expected 1 there"),
    ("x" * 40 + "a", "x" * 40 + "bc", f"got '{'x' * 40}a', expected '{'x' * 40}bc': from place 40 on, 'xxxxxxxxxxa' in "
                                      "place of 'xxxxxxxxxxbc'"),
    ([], ["x" * 100], f"expected length 1, got 0: at [0] '{'x' * 56}... is missing"),
])
def test_a_difference_is_told_with_its_place_and_both_values(got, expected, says):
    assert exactly.other_kind(got, expected) is None
    assert exactly.difference(got, expected) == says
