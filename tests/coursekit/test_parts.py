"""What a caller's function returned is held to its contract, and named with the function when it does not fit."""

import doctest

import numpy as np
import pytest

from coursekit import parts
from coursekit.parts import returned

SIZES = {"B": 2, "S": 5}
RIGHT = (np.zeros((2, 4)), np.zeros((2, 5)))


def asked(answer, **options):
    return returned("attend", answer, SIZES, context="B E", weights="B S", **options)


def test_what_fits_comes_back_as_it_was():
    assert asked(RIGHT) is RIGHT and asked(list(RIGHT))[1] is RIGHT[1]


@pytest.mark.parametrize(("answer", "message"), [
    (None, r"attend: expected a tuple \(context, weights\), got NoneType"),
    (RIGHT[0], r"attend: expected a tuple \(context, weights\), got ndarray"),
    ((*RIGHT, 1.0), r"attend: expected a tuple \(context, weights\), got 3 results"),
    (RIGHT[::-1], r"weights from attend: expected \(B, S\) = \(2, 5\), got \(2, 4\)"),
    ((RIGHT[0].T, RIGHT[1]), r"context from attend: expected \(B, E\) = \(2, any\), got \(4, 2\)"),
])
def test_what_does_not_fit_is_named(answer, message):
    with pytest.raises(ValueError, match=message):
        asked(answer)


def test_nan_is_named_where_every_number_must_be_finite():
    answer = (RIGHT[0], np.full((2, 5), np.nan))
    assert asked(answer) is answer
    with pytest.raises(ValueError, match="weights from attend: contains nan or inf"):
        asked(answer, finite=True)


def test_a_number_may_have_any_shape():
    assert returned("loss", (2.0, np.zeros(3)), loss="", d_x="N")[0] == 2.0


def test_the_example_is_true():
    assert doctest.testmod(parts).failed == 0
