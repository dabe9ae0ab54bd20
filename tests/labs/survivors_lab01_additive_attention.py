"""Mutants of lab 01 that keep all points, and why that is right."""

from tests.labs.survivors_lab00_warm_up import FLOAT32

SURVIVORS = {
    "softmax": {"start: x = in_float32(x)": FLOAT32},
    "masked_softmax": {"start: scores = in_float32(scores)": FLOAT32},
}
