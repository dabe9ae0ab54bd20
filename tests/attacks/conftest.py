"""The tests' own lab, given out to a class: what is attacked is what the tests of grading grade."""

from tests.grading.conftest import given_out, lab

__all__ = ["given_out", "lab"]
