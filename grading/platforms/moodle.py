"""Moodle: "Ada Lovelace_1001_assignsubmission_file_/lab01.ipynb" or, where folders are switched off, _ for the /.

The number is that of a person in one assignment: another assignment has another for the same person. Anonymous
submissions are called "Participant". The grading worksheet says "Participant 1001" for the same number, and when.
"""

import re

from grading.platforms.form import Piece, Platform

PART = re.compile(r"(?P<name>.+?)(?:_(?P<number>\d+))?_assignsubmission_[a-z0-9]+(?:_(?P<file>.*))?")
NOBODY = "Participant"


def pieces(items, lab, usernames):
    """The Pieces of a download."""
    return [piece for item in items if (piece := _piece(item))]


def _piece(item):
    for level, part in enumerate(item.parts):
        if found := PART.fullmatch(part):
            below = item.parts[level + 1:] or ((found["file"],) if found["file"] else ())
            name = found["name"].replace("_", " ")
            return Piece(item, below, "" if name == NOBODY else name, found["number"] or "") if below else None
    return None


PERSON = {"full name": "name", "first name": "first_name", "last name": "last_name", "surname": "last_name",
          "email address": "email", "id number": "sis_id", "username": "username"}
WORKSHEET = {**PERSON, "identifier": "number", "last modified (submission)": "when", "status": "status"}
TIMES = "the grading worksheet of this assignment (among its submissions: Actions, Download grading worksheet)"
PLATFORM = Platform("moodle", "Moodle", pieces, lasting=False, times=TIMES, lists=(
    ({"identifier", "status"}, WORKSHEET),
    ({"first name", "email address"}, PERSON),
))
