"""The platforms whose downloads and lists are understood: a module each, and this table of them.

Each module's docstring says what the platform hands out; its test names the documentation or source of that form.
"""

from grading.download import CLONE
from grading.platforms import blackboard, brightspace, canvas, folders, github_classroom, google_classroom, moodle
from grading.platforms.form import Piece, Platform, is_notebook, is_title, says, split, undecorated

MODULES = (moodle, brightspace, blackboard, canvas, github_classroom, google_classroom, folders)
PLATFORMS = {module.PLATFORM.key: module.PLATFORM for module in MODULES}
__all__ = ["PLATFORMS", "Piece", "Platform", "is_notebook", "is_title", "named", "recognised", "says", "split",
           "undecorated"]


def named(key):
    """The platform of this key. Raises ValueError, naming those that there are."""
    if key not in PLATFORMS:
        raise ValueError(f"platform: expected one of {sorted(PLATFORMS)}, got {key!r}")
    return PLATFORMS[key]


def recognised(items, lab, usernames, forced=None):
    """(Platform, [Piece]) of a download: the first that explains half of its files, or the one that is named."""
    candidates = [named(forced)] if forced else PLATFORMS.values()
    files = [item for item in items if item.parts[-1] != CLONE]
    for platform in candidates:
        found = platform.pieces(items, lab, usernames)
        if 2 * len(found) >= len(files):
            break
    return platform, found
