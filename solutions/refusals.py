"""Calls that should be refused, judged together. Several labs ask for it."""

from coursekit.verdicts import Verdict


def refuses(law, right, function, wrong):
    """Does each of these calls raise ValueError, of a function whose answer to a valid call is right?"""
    if not right.passed:
        return Verdict(law, False, "counts only where the answer to a valid call is right", 0.5)
    errors = [function(*args).error for args in wrong]
    said = next((error or "nothing" for error in errors if error != "ValueError"), "")
    return Verdict(law, not said, f"it raised {said}", 0.5)
