"""What a platform is to us: how it names what it hands out, and the columns of its list of the class."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from grading.download import Item

COPY_OF = re.compile(r"(?:copy[ _]of|kopie[ _]von|copie[ _]de|copia[ _]de|cópia[ _]de|kopie[ _]van)[ _]", re.IGNORECASE)
NUMBERED = re.compile(r"[ _]*\(\d+\)|-\d+|[ _-]+(?:copy|kopie|copie|copia|late)(?: \d+)?", re.IGNORECASE)


@dataclass(frozen=True)
class Piece:
    """One file of a download, and whose it is, as far as its path tells.

    file                    its path within the submission, a name for each level
    name, number, username  of the person, as the platform writes them; "" where it does not
    when                    the time of handing in as the path says it, "" where it does not
    late                    does the platform call it late?
    doubt                   a reason why a person must say whose it is, "" if there is none
    order                   grows with each file that is handed in; None where the path has no such number
    """

    item: Item
    file: tuple
    name: str = ""
    number: str = ""
    username: str = ""
    when: str = ""
    late: bool = False
    doubt: str = ""
    order: int | None = None


@dataclass(frozen=True)
class Platform:
    """A row of the table of platforms: a new platform is a module with one of these.

    key      what --from takes
    name     for sentences
    pieces   function of (items, lab, usernames of the class): the Pieces of the items of this platform's form
    lists    ({headers that tell its list of the class}, {header: field of roster.Row}) for each of its lists; in small
             letters
    lasting  has a person the same number in every assignment?
    times    which list says when people handed in, "" where a download says it or no list does
    """

    key: str
    name: str
    pieces: Callable
    lists: tuple = field(default=())
    lasting: bool = True
    times: str = ""


def undecorated(stem):
    """A file's name without what browsers, platforms and Drives put around it: "Copy of lab01 (2)" is "lab01"."""
    before = None
    while stem != before:
        before, stem = stem, COPY_OF.sub("", stem, count=1) if COPY_OF.match(stem) else stem
        found = re.search(rf"(?:{NUMBERED.pattern})$", stem, re.IGNORECASE)
        stem = stem[:found.start()] if found and found.start() else stem
    return stem


def is_title(stem, lab):
    """Is this the lab's name, however its words are parted?"""
    return _letters(undecorated(stem)) == _letters(lab)


def says(file, lab):
    """Does a file's name say this lab, by its name or by the first word of it: "lab01 (2).ipynb.txt"?"""
    stem = file.partition(".")[0]
    return is_title(stem, lab) or is_title(stem, lab.partition("_")[0])


def split(name):
    """A file's name as (stem, suffix): ("lab01", ".ipynb")."""
    stem, dot, suffix = name.rpartition(".")
    return (stem, dot + suffix) if stem else (name, "")


def is_notebook(name):
    """Is it called like a notebook?"""
    return split(name)[1].lower() == ".ipynb"


def common(paths):
    """How many first levels all these paths share; each is a tuple or a list."""
    first = min(paths, key=len, default=())
    return max((n for n in range(len(first) + 1) if all(path[:n] == first[:n] for path in paths)), default=0)


def login(text, others, mark, usernames):
    """The login at the end of a text such as "Lab_1_ada", in which it follows what all the others begin with as well.

    Two texts never give one login. `usernames` of the class count where they are longer than that: all may begin alike.
    """
    words = [other.split(mark) for other in {text, *others}]
    shared = common(words) if len(words) > 1 else len(words[0]) - 1
    rest = mark.join(text.split(mark)[min(shared, text.count(mark)):])
    known = [name for name in usernames if len(name) >= len(rest) and text.casefold().endswith(mark + name.casefold())]
    return max(known, key=len, default=rest)


def _letters(text):
    return "".join(filter(str.isalnum, text.casefold()))
