"""Cells of a table that somebody may open in a spreadsheet: numbers as platforms read them, texts that run nothing.

A spreadsheet takes a cell for a formula that begins with = + - @, a tab or a line end, or with the wide forms of these
(OWASP, "CSV Injection"); what follows a delimiter may become a cell of its own where the file is opened with another.
"""

import re
import unicodedata

FORMULA = re.compile(r"(?:^|(?<=[;,\t\r\n]))(?=\s*[=+\-@＝＋－＠])|(?=[\t\r\n])")
UNSEEN = re.compile(r"[\x00-\x1f\x7f]+")


def is_formula(identifier):
    """Would a spreadsheet take it for a formula? Such an identifier is left out: altered, it would be another one."""
    return bool(FORMULA.search(identifier))


def safe(text):
    """A name as a spreadsheet shows it and never runs it: in one line, an apostrophe before what begins a formula."""
    return FORMULA.sub("'", UNSEEN.sub(" ", text).strip())


def number(points):
    """Points with a decimal point and at most two decimals; None is a blank cell."""
    return "" if points is None else f"{points:.2f}".rstrip("0").rstrip(".")


def collated(*texts):
    """What to sort names by, so that Ö stands beside O."""
    return [(unicodedata.normalize("NFKD", text).casefold(), text) for text in texts]
