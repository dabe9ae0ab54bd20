"""Brightspace: "12345-67890 - Ada Lovelace - Nov 13, 2026 637 PM/lab01.ipynb", or one file with " - " for the /.

Each hand-in of a person has a folder of its own. Beside the folders lies an index.html, which is nobody's.
"""

import re

from grading.platforms.form import Piece, Platform

NUMBERS = re.compile(r"(\d+)-\d+")
WHEN = re.compile(r"(?=.*\b(?:19|20)\d\d\b).*\d{1,2}[:.h]?\d\d(?: ?[ap]\.?m\.?)?", re.IGNORECASE)


def pieces(items, lab, usernames):
    """The Pieces of a download."""
    return [piece for item in items if (piece := _piece(item))]


def _piece(item):
    for level, part in enumerate(item.parts):
        if found := _found(part.split(" - ")):
            number, name, when, rest = found
            below = item.parts[level + 1:] or ((rest,) if rest else ())
            return Piece(item, below, name, number, when=when) if below else None
    return None


def _found(tokens):
    """(number, name, when, what stands behind them) of a folder's name; a name may hold " - " itself."""
    numbers = NUMBERS.fullmatch(tokens[0])
    at = next((at for at in range(2, len(tokens)) if WHEN.fullmatch(tokens[at])), None)
    return (numbers[1], " - ".join(tokens[1:at]), tokens[at], " - ".join(tokens[at + 1:])) if numbers and at else None


PERSON = {"orgdefinedid": "sis_id", "org defined id": "sis_id", "username": "username", "last name": "last_name",
          "first name": "first_name", "email": "email"}
PLATFORM = Platform("brightspace", "Brightspace", pieces, (
    ({"orgdefinedid"}, PERSON),
    ({"org defined id"}, PERSON),
    ({"username", "end-of-line indicator"}, PERSON),
))
