"""`expect` says what fits, and names the first array that does not."""

import doctest

import numpy as np
import pytest

from coursekit import shapes


def test_the_examples_in_the_docstring_hold():
    assert doctest.testmod(shapes).failed == 0


def test_every_letter_gets_its_size():
    sizes = shapes.expect({"A": 7}, pairs=(np.zeros((5, 3)), "S D"), layer=(np.zeros((8, 7)), "S+D A"))
    assert sizes == {"A": 7, "S": 5, "D": 3}


@pytest.mark.parametrize(("shape", "says"), [
    ((4, 9), r"layer: expected \(D, A\) = \(3, any\), got \(4, 9\)"),
    ((3,), r"layer: expected \(D, A\) = \(3, any\), got \(3,\)"),
    ((), r"layer: expected \(D, A\) = \(3, any\), got \(\)"),
])
def test_an_array_that_does_not_fit_is_named(shape, says):
    with pytest.raises(ValueError, match=says):
        shapes.expect(state=(np.zeros((2, 3)), "B D"), layer=(np.zeros(shape), "D A"))
