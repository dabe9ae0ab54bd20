"""Mutants of lab 00 that keep all points, and why that is right."""

FLOAT32 = ("This lab promises no types, so work in float32 counts as right: large numbers in its checks are those that "
           "float32 holds, and only on others does this differ.")

SURVIVORS = {
    "distances": {"start: a = in_float32(a)": FLOAT32, "start: b = in_float32(b)": FLOAT32},
    "log_softmax": {"start: x = in_float32(x)": FLOAT32},
}
