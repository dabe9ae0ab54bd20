"""GitHub Classroom: a folder of clones, "lab01-submissions/lab01-ada", as `gh classroom clone student-repos` makes it.

A clone tells no time that the student could not have set, so none is taken. What is hidden in it, such as .github, is
the repository's and not the student's work.
"""

from grading.download import CLONE
from grading.platforms.form import Piece, Platform, login

OUTER = "-submissions"


def pieces(items, lab, usernames):
    """The Pieces of a download."""
    clones = {item.parts[:-1] for item in items if item.parts[-1] == CLONE}
    levels = {item: level for item in items if (level := _level(item.parts, clones))}
    levels = {item: level for item, level in levels.items() if not any(p.startswith(".") for p in item.parts[level:])}
    folders = {item.parts[level - 1] for item, level in levels.items()}
    found = []
    for item, level in levels.items():
        username = _username(item.parts[:level], folders, lab, usernames)
        found.append(Piece(item, item.parts[level:], username=username))
    return found


def _level(parts, clones):
    """How many folders lie above what the student wrote; None if the path is in no clone."""
    for level in range(1, len(parts)):
        if parts[:level] in clones or level > 1 and parts[level - 2].endswith(OUTER):
            return level
    return None


def _username(path, folders, lab, usernames):
    """The folder's name without the assignment's, which is what the outer folder says, or else what all begin with."""
    folder = path[-1]
    outer = path[-2].removesuffix(OUTER) if len(path) > 1 and path[-2].endswith(OUTER) else ""
    for slug in filter(None, (outer, lab.replace("_", "-"))):
        if folder.startswith(f"{slug}-"):
            return folder.removeprefix(f"{slug}-")
    return login(folder, folders, "-", usernames) if len(folders) > 1 or usernames else folder


PERSON = {"identifier": "sis_id", "github_username": "username", "github_id": "number", "name": "name"}
PLATFORM = Platform("github_classroom", "GitHub Classroom", pieces, (({"identifier", "github_username"}, PERSON),))
