"""Blackboard: "Lab 1_ada_attempt_2026-11-13-18-37-00_lab01.ipynb", and for each attempt a receipt, "..._18-37-00.txt".

The word "attempt" is in the language of the site. The receipt's first line is "Name: Ada Lovelace (ada)"; it is no
part of the submission unless the student wrote something into Blackboard itself, which stands there too.
"""

import re

from grading.download import Refused, decoded
from grading.platforms.form import Piece, Platform, login

FILE = re.compile(r"(?P<head>.+?)_[^\W\d_]+_(?P<when>\d{4}(?:-\d\d){5})(?:_(?P<file>.+)|(?P<receipt>\.txt))")
NAME = re.compile(r"[^\n:]+: *(?P<name>.*?) *\((?P<username>[^()]+)\)\s*")
NOTHING = ("There is no student submission text data for this assignment.",
           "There are no student comments for this assignment.")
RECEIPT = "blackboard.txt"


def pieces(items, lab, usernames):
    """The Pieces of a download."""
    found = [(item, file) for item in items if (file := FILE.fullmatch(item.parts[-1]))]
    receipts = {(file["head"], file["when"]): _receipt(item) for item, file in found if file["receipt"]}
    names = dict(_named(head, text) for (head, _), text in receipts.items())
    logins = {file["head"]: None for _, file in found}
    logins = {head: names.get(head) or (login(head, logins, "_", usernames), "") for head in logins}
    return [_piece(item, file, *logins[file["head"]]) for item, file in found
            if not file["receipt"] or not all(line in receipts[file["head"], file["when"]] for line in NOTHING)]


def _receipt(item):
    try:
        return decoded(item.content())
    except Refused:
        return ""


def _named(head, text):
    """What stands before "_attempt_", and the (username, name) of the receipt if it is of that person."""
    found = NAME.match(text)
    fits = found and head.endswith("_" + found["username"])
    return head, (found["username"], found["name"]) if fits else None


def _piece(item, file, username, name):
    return Piece(item, (file["file"] or RECEIPT,), name, username=username, when=file["when"])


PERSON = {"last name": "last_name", "first name": "first_name", "username": "username", "student id": "sis_id"}
PLATFORM = Platform("blackboard", "Blackboard", pieces, (({"last name", "first name", "username"}, PERSON),))
