"""What the tests' own lab is judged on."""

from coursekit.verdicts import compare
from tests.grading.tiny_solutions.lab_tiny import reference


def center(student, rng):
    x = rng.normal(size=(4, 3))
    for axis in (0, 1):
        law = f"what is left over along axis {axis} sums to 0"
        expected = reference.center(x, axis=axis)
        yield compare(law, student.center(x, axis=axis), expected, "is it the mean of each slice?")


def spread(student, rng):
    x = rng.normal(size=(5, 2))
    yield compare("one root mean square for each column", student.spread(x), reference.spread(x), "is it one a column?")
    yield compare("twice the data, twice the spread", student.spread(2 * x), reference.spread(2 * x), weight=3)
