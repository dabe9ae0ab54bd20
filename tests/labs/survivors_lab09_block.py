"""A mutant of lab 09 that keeps all points, and why that is right."""

FLOAT32 = ("This lab promises no types, so a trace that was kept in float32 counts as right: only where weights are "
           "nearly 0 or 1, or widths are 2, do gradients lose more than the last of six digits by it.")

SURVIVORS = {
    "post_ln_block_backward": {"start: trace = in_float32(trace)": FLOAT32},
}
