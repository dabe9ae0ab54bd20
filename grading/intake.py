"""A submission's files: what each is called in its folder, whether they are there already, and how they get there."""

import hashlib
import os
import re
import unicodedata
from dataclasses import replace

from grading import platforms
from grading.course import remove

NAME_LIMIT = 200  # bytes of a file's name
AGAIN = re.compile(r"(?:-\d+)+$")  # what a platform puts behind a name that was handed in before


def newest(pieces, lab):
    """([Piece] without older versions of notebooks, [(older, newer)]): those differ by a platform's -1, -2 ... alone.

    The newest gets the name without it. Names such as part-1 and part-2 are a student's own.
    """
    versions = {}
    for piece in pieces:
        versions.setdefault(_unnumbered(piece), []).append(piece)
    older = {}
    for name, several in versions.items():
        if len(several) > 1 and _are_versions(name, several, lab):
            *before, last = sorted(several, key=lambda piece: piece.order)
            older |= dict.fromkeys(before, last)
    names = {piece: _unnumbered(piece) for piece in older.values()}
    kept = [replace(piece, file=names.get(piece, piece.file)) for piece in pieces if piece not in older]
    return kept, list(older.items())


def _unnumbered(piece):
    stem, suffix = platforms.split(piece.file[-1])
    return *piece.file[:-1], AGAIN.sub("", stem) + suffix


def _are_versions(name, several, lab):
    ordered = all(piece.order is not None for piece in several) and platforms.is_notebook(name[-1])
    own = platforms.is_title(platforms.split(name[-1])[0], lab)
    return ordered and (own or name in [piece.file for piece in several])


def laid_out(pieces, lab):
    """[(path in the submission, Item)]: all of them, the lab's notebook under its own name if there is no other."""
    notebooks = [piece for piece in pieces if platforms.is_notebook(piece.file[-1])]
    paths, found = {}, []
    for piece in pieces:
        path = "/".join(map(_safe, piece.file))
        if notebooks == [piece] and platforms.is_title(platforms.split(path)[0], lab):
            path = f"{lab}.ipynb"
        path = _other(path, paths)
        found.append((path, piece.item))
    return found


def _safe(name):
    """A name that leads nowhere, of letters that can be seen, and not too long for a file system."""
    name = "".join("_" if unicodedata.category(c) in ("Cc", "Cs") or c in "/\\" else c for c in name)
    stem, suffix = platforms.split(name)
    if len(name.encode()) > NAME_LIMIT:
        name = stem.encode()[:NAME_LIMIT - 40].decode(errors="ignore") + suffix[-20:]
    return name if name.strip(". ") else "_"


def _other(path, taken):
    """The path, or "lab01 (2).ipynb" where it is taken, and by then is too.

    taken  {path in small letters: the last number that was put behind it, 1 for none}
    """
    folder, slash, name = path.rpartition("/")
    stem, suffix = platforms.split(name)
    first, number = path.casefold(), taken.get(path.casefold(), 1)
    while path.casefold() in taken:
        number += 1
        path = f"{folder}{slash}{stem} ({number}){suffix}"
    taken[path.casefold()], taken[first] = 1, number
    return path


def digest(files):
    """A hash of all files and their paths."""
    whole = hashlib.sha256()
    for path, item in sorted(files.items()):
        whole.update(f"{path}\0{item.size}\0".encode() + hashlib.sha256(item.content()).digest())
    return whole.hexdigest()


def same(folder, files):
    """Are these the very files of a folder?"""
    there = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if not path.is_dir()}
    return there.keys() == files.keys() and all(
        path.is_file() and not path.is_symlink() and path.read_bytes() == files[name].content()
        for name, path in there.items())


def put(folder, files):
    """Write a submission: it is there as it was, or as it is now, whenever a run is killed."""
    part, old = (folder.with_name(f".{folder.name}.{kind}") for kind in ("part", "old"))
    if old.exists() and not os.path.lexists(folder):
        old.rename(folder)
    for left in part, old:
        remove(left)
    for path, item in files.items():
        (part / path).parent.mkdir(parents=True, exist_ok=True)
        (part / path).write_bytes(item.content())
    if os.path.lexists(folder):
        folder.rename(old)
    part.rename(folder)
    remove(old)
