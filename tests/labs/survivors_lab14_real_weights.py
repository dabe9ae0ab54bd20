"""Mutants of lab 14 that keep all points, or that its visible checks accept, and why that is right."""

ONE = "In float32 x keeps seven digits of the six that a check asks for, and the type is that of the other arguments; "
MILLIONTH = "One part in a million, which is what every check allows."

SURVIVORS = {
    "rms_norm_backward": {
        "3: x / rms → x / (rms + 1e-12)": "A billionth of a root of a thousandth: no row is so small that it shows.",
        "start: x = in_float32(x)": ONE + "only a row of one entry, of which nothing is left, shows a difference.",
    },
    "lora_backward": {
        "start: x = in_float32(x)": ONE + "only numbers far larger than the others show a difference.",
    },
}

UNSEEN = {
    "lora": {"2: alpha / r → alpha / (r + 1e-06)": MILLIONTH},
    "lora_backward": {"2: alpha / sizes['r'] → alpha / (sizes['r'] + 1e-06)": MILLIONTH},
}
