"""Mutants of lab 02 that keep all points, and why that is right."""

SURVIVORS = {
    "attend_backward": {
        "start: weights = in_float32(weights)":
            "This lab promises a type of softmax_backward alone, so work in float32 counts as right here: it is off by "
            "no more than a millionth, except where all d_weights of a row are far larger than their differences.",
    },
}
