"""Mutants of lab 05 that keep all points, and why that is right."""

SURVIVORS = {
    "scaled_dot_product_attention_backward": {
        "start: weights = through_exp_and_eps(weights)":
            "It adds 1e-12 to each weight, which shows only where all of them are 0. There all gradients are 0, and a "
            "check of such a case alone would give points to an answer without any thought.",
    },
}
