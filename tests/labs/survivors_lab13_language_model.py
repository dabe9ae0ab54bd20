"""Mutants of lab 13 that keep all points, and why that is right."""

SURVIVORS = {
    "next_token_loss": {"start: logits = in_float32(logits)": (
        "This lab promises no types, and log_softmax in float32 is right to seven digits, so work in float32 counts as "
        "right; only numbers far larger than any logit show a difference.")},
}
SURVIVORS["generate"] = {"start: prompt = each_once(prompt)": (
    "Open: no prompt of the hidden check holds a token twice, so one that is dropped makes no difference there.")}

UNSEEN = {"generate": {"start: prompt = backwards(prompt)": (
    "Open: no prompt of the visible check has two tokens whose order matters; the hidden one's have.")}}
