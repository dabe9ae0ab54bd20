"""Mutants of lab 13 that keep all points, and why that is right."""

SURVIVORS = {
    "next_token_loss": {"start: logits = in_float32(logits)": (
        "This lab promises no types, and log_softmax in float32 is right to seven digits, so work in float32 counts as "
        "right; only numbers far larger than any logit show a difference.")},
    "generate": {"start: uniforms = through_float16(uniforms)": (
        "A uniform that is rounded to three digits draws another token only where it lies that near to the end of a "
        "stretch. That each is taken exactly is asked of `sample`, which rejects this slip.")},
}
