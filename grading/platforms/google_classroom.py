"""Google Classroom: a folder of Drive with "Ada Lovelace - lab01.ipynb" in it, the copy that Classroom made for her.

What a student added herself is called as she called it, "Copy of lab01.ipynb": the name does not say whose it is.
"""

from collections import Counter

from grading.platforms.form import Piece, Platform, is_title, split, undecorated

NOBODY = "The file's name does not say whose it is."
TWICE = "Two files of this name: two people, or one who handed in twice?"


def pieces(items, lab, usernames):
    """The Pieces of a download; none if most files name nobody."""
    named = {item: _named(item.parts[-1], lab) for item in items}
    if 2 * sum(map(bool, named.values())) < len(items):
        return []
    often = Counter((who, undecorated(split(file)[0]), split(file)[1]) for who, file in filter(None, named.values()))
    twice = {who for (who, *_), count in often.items() if count > 1}
    return [_piece(item, found, twice) for item, found in named.items()]


def _named(file, lab):
    """(whose, what) of "Ada Lovelace - lab01.ipynb" or "lab01 - Ada Lovelace.ipynb", None if it does not say."""
    stem, suffix = split(file)
    first, _, rest = (part.strip() for part in undecorated(stem).partition(" - "))
    if not first or not rest:
        return None
    title, who = (first, rest) if is_title(first, lab) else (stem.partition(" - ")[2], first)
    return who, title + suffix


def _piece(item, found, twice):
    file = item.parts[-1]
    if found is None:
        return Piece(item, (file,), name=file, doubt=NOBODY)
    return Piece(item, (found[1],), name=found[0], doubt=TWICE if found[0] in twice else "")


PLATFORM = Platform("google_classroom", "Google Classroom", pieces)
