"""Mutants of lab 15 that keep all points or that the visible check accepts, and why that is right."""

SURVIVORS = {
    "log_mel": {"2: 2 * np.pi * np.arange(window) / window → 2 * np.pi * np.arange(window) / (window + 1e-06)": (
        "A Hann window that is a millionth of a sample too long moves a logarithm in the seventh digit, and in an "
        "earlier one only where the power of a frame nearly cancels.")},
}

UNSEEN = {
    "mel_filters": {"3: np.log(rate / 2000) → np.log(rate / 2000 + 1e-08)": (
        "The scale ends 1e-7 mel too high, which shows in the seventh digit: the hidden bank of many narrow "
        "filters has it in the sixth.")},
}
