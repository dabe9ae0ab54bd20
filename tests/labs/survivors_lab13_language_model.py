"""Mutants of lab 13 that keep all points, and why that is right."""

SURVIVORS = {
    "next_token_loss": {"start: logits = in_float32(logits)": (
        "This lab promises no types, and log_softmax in float32 is right to seven digits, so work in float32 counts as "
        "right; only numbers far larger than any logit show a difference.")},
}
