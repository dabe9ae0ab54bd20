"""Mutants of lab 03 that keep all points, and why that is right."""

from tests.labs.survivors_lab00_warm_up import FLOAT32

SURVIVORS = {"local_weights": {"start: scores = in_float32(scores)": FLOAT32}}
