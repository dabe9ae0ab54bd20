"""No platform: a folder for each student, as nbgrader has it ("ada/lab01/lab01.ipynb"), or a file ("ada.ipynb")."""

from grading.download import CLONE
from grading.platforms.form import Piece, Platform, common, is_notebook, is_title, split, undecorated

NOBODY = "The file's name does not say whose it is."
TWICE = "There is another file of this name: is this the same person's?"


def pieces(items, lab, usernames):
    """The Pieces of a download."""
    items = [item for item in items if item.parts[-1] != CLONE]
    return _of_lab(items, lab) or _of_students(items, lab)


def _of_lab(items, lab):
    """The Pieces of what lies in a folder of the lab's name in a student's folder, if there are such."""
    found = [_of(item, item.parts[level - 1], item.parts[level + 1:])
             for item in items if (level := _level(item.parts[:-1], lab))]
    sure = len({piece.name for piece in found}) > 1 or any(_is_labs(piece.file, lab) for piece in found)
    return found if sure else []


def _level(folders, lab):
    """Where the lab's folder lies in a path; 0 if nowhere, or outermost, where it says nothing of a student."""
    return next((level for level, part in enumerate(folders) if level and part.casefold() == lab.casefold()), 0)


def _of_students(items, lab):
    """The Pieces where all lies in one folder, perhaps, and in that each student has a folder or a file."""
    above = common([item.parts[:-1] for item in items])
    owner = items[0].parts[above - 1] if above else ""
    paths = {item: item.parts[above:] for item in items}
    if labs := [path for path in paths.values() if _is_labs(path, lab)]:  # one student's folder, if there is but one
        owner = "" if len(labs) > 1 or is_title(owner, lab) else owner
        return [_of(item, owner, path) for item, path in paths.items()]
    alone = {split(path[0])[0] for path in paths.values() if len(path) == 1}
    return [piece for item, path in paths.items() if (piece := _below(item, path, lab, alone))]


def _is_labs(path, lab):
    """Is this the lab's notebook, in no folder?"""
    return len(path) == 1 and is_notebook(path[0]) and is_title(split(path[0])[0], lab)


def _below(item, path, lab, alone):
    """The Piece of what lies in a student's folder, or is the student's notebook."""
    if len(path) > 1:
        return _of(item, path[0], path[1:])
    stem, suffix = split(path[0])
    doubt = TWICE if undecorated(stem) != stem and undecorated(stem) in alone else ""
    return Piece(item, (lab + suffix,), name=stem, doubt=doubt) if is_notebook(path[0]) else None


def _of(item, who, file):
    return Piece(item, file, name=who) if who else Piece(item, file, name=file[0], doubt=NOBODY)


PERSON = {name: name for name in ("id", "last_name", "first_name", "email", "name", "number", "username", "sis_id",
                                  "section")} | {"lms_user_id": "number"}
PLATFORM = Platform("folders", "folders or files named after students", pieces, (({"id"}, PERSON),))
