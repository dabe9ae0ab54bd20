"""Canvas: "lovelaceada_LATE_1001_5001_lab01-1.ipynb": name, whether late, the person's number, the file's, its name.

The name is "Lovelace, Ada" in small letters, and nothing but letters. What was typed into Canvas is called
"lovelaceada_1001_text.html". Anonymous submissions have "anon_x7Qp2" in place of the number, and no name. A file whose
name somebody has handed in before gets a -1, -2 ... behind it, and a greater number.
"""

import re

from grading.platforms.form import Piece, Platform

LATE = "(?:LATE_|late_)?"
FILE = re.compile(rf"(?:(?P<name>.+?)_{LATE}(?P<number>\d+)|{LATE}(?P<anonymous>anon_[A-Za-z0-9]+))"
                  r"_(?:(?P<order>\d+)_(?P<file>.+)|(?P<typed>(?:text|link)\.html))")
DOUBT = "Its name has three numbers, of which the first or the second is the person's."


def pieces(items, lab, usernames):
    """The Pieces of a download."""
    return [_piece(item, found) for item in items if (found := FILE.fullmatch(item.parts[-1]))]


def _piece(item, found):
    """A name may end in _1002, and a file's may begin with 7_: then numbers do not say which is whose."""
    file, start = found["file"] or found["typed"], found.string[:found.start("file" if found["file"] else "typed")]
    doubt = DOUBT if found["name"] and re.match(r"\d+_", file) else ""
    return Piece(item, (file,), found["name"] or "", found["number"] or found["anonymous"],
                 late="_late_" in f"_{start}".lower(), doubt=doubt, order=found["order"] and int(found["order"]))


PERSON = {"student": "name", "lastname": "last_name", "firstname": "first_name", "id": "number",
          "sis user id": "sis_id", "sis login id": "username", "section": "section"}
PLATFORM = Platform("canvas", "Canvas", pieces, (
    ({"student", "id", "section"}, PERSON),
    ({"lastname", "firstname", "id", "section"}, PERSON),
))
