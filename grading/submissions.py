"""What students handed in: a folder each, read without trusting a name, a link, an archive or a size."""

import hashlib
import os
import re
import stat
from dataclasses import dataclass, field
from itertools import islice
from pathlib import PurePosixPath

from nbgrader.utils import is_ignored

from grading.archives import ENTRIES, ArchiveError, is_left_behind, notebooks_in
from grading.choice import is_exact
from grading.reading import MB, READ_LIMIT, SIZE_LIMIT, looks_like_notebook, slimmed, too_large

HELPER_LIMIT = 5 * MB    # of one helper file
HELPERS_LIMIT = 20 * MB  # of all
HELPER_COUNT = 50
NOTEBOOK_COUNT = 10
ZIP_LIMIT = 50 * MB      # of an archive, and of what all archives hold
DEPTH = 8                # folders in one another
PATH_LIMIT = 200         # bytes of a relative path
SENTENCES = 20           # that are said of one submission
STUDENT = re.compile(r"(?!\.+$)[\w.@+-]+")  # what a student's folder may be called: it becomes part of addresses
BAD_NAME = "The folder's name must be of letters, digits and . _ @ + - alone: rename it, then run this again."


@dataclass(frozen=True)
class HandedIn:
    """What was found in a student's folder.

    notebooks  {relative path: bytes}: what may be the lab's notebook, those first that are called and lie as expected
    files      {relative path: bytes}: helper files
    problems   sentences: what was not read, and why
    """

    notebooks: dict = field(default_factory=dict)
    files: dict = field(default_factory=dict)
    problems: list = field(default_factory=list)


def read_submission(folder, lab, ignore=()):
    """Read what a student handed in for the lab of this name. Returns `HandedIn`.

    ignore  nbgrader's patterns of what is none of a submission
    """
    if folder.is_symlink() or not folder.is_dir():
        return HandedIn(problems=["What was handed in is not a folder."])
    notebooks, files, problems = _Reader(folder, ignore).read()
    first = sorted(notebooks, key=lambda path: (not is_exact(path, lab), path.count("/"), path))
    once = {content: path for path in reversed(first) for content in [notebooks[path]]}  # not a copy of the same
    return HandedIn({path: notebooks[path] for path in first if path in once.values()}, files, few(problems))


def few(sentences):
    """The first of what is said of one submission, or one download, and how many there are besides."""
    more = [f"And {len(sentences) - SENTENCES} more of that kind."] if len(sentences) > SENTENCES else []
    return [*sentences[:SENTENCES], *more]


def fingerprint(notebooks, files):
    """A hash of what was handed in: the notebooks and helper files, {path: bytes} each."""
    digest = hashlib.sha256()
    for kind, contents in (b"notebook", notebooks), (b"file", files):
        for name, content in sorted(contents.items()):
            head = f"\0{name}\0{len(content)}\0".encode("utf-8", "surrogateescape")
            digest.update(kind + head + content)
    return digest.hexdigest()


def is_regular(path):
    """A file that is no link, device or pipe: the only kind that is read."""
    return os.path.lexists(path) and stat.S_ISREG(os.lstat(path).st_mode)


class _Reader:
    """One walk through a student's folder, and through the archives in it."""

    def __init__(self, folder, ignore):
        self.folder, self.ignore, self.left = folder, ignore, ZIP_LIMIT
        self.notebooks, self.files, self.problems, self.beyond = {}, {}, [], 0

    def read(self):
        """Returns {path: bytes} of notebooks, of helper files, and what is to be said."""
        for name in self._names():
            try:
                self._read_file(name)
            except OSError as error:
                self._refuse(name, f"could not be read: {error.strerror}")
        if self.beyond:
            self.problems.append(f"{self.beyond} files were not given to the notebook: there is room for "
                                 f"{HELPER_COUNT}, and for {HELPERS_LIMIT // MB} MB.")
        return self.notebooks, self.files, self.problems

    def _names(self):
        """Relative paths of the files, and of what is none, those in fewer folders first."""
        waiting, seen = [""], 0
        while waiting:
            place = waiting.pop(0)
            for entry in self._entries(place):
                seen += 1
                if seen > ENTRIES:
                    self.problems.append(f"There are more than {ENTRIES} files: the others were not looked at.")
                    return
                if is_left_behind(entry.name) or is_ignored(entry.path, self.ignore):
                    continue
                if entry.is_dir(follow_symlinks=False) and place.count("/") < DEPTH:
                    waiting.append(f"{place}{entry.name}/")
                else:
                    yield f"{place}{entry.name}"

    def _entries(self, place):
        try:
            with os.scandir(self.folder / place) as entries:
                return sorted(islice(entries, ENTRIES + 1), key=lambda entry: entry.name)
        except OSError as error:
            self._refuse(place, f"could not be read: {error.strerror}")
            return []

    def _read_file(self, name):
        path = self.folder / name
        size = path.lstat().st_size
        limit = READ_LIMIT if ".ipynb" in name.lower() else ZIP_LIMIT if is_zip(name) else HELPER_LIMIT
        if path.is_dir() and not path.is_symlink():
            self._refuse(name, "was not looked at: it is a folder too deep in others")
        elif not is_regular(path):
            self._refuse(name, "is no regular file: refused")
        elif size > limit:
            self._refuse(name, f"is of {size / MB:.1f} MB, and may be of {limit // MB} MB: refused")
        else:
            self._take(name, path.read_bytes())

    def _take(self, name, content, archives=0):
        """Take one file: a notebook, an archive that holds one, or a helper file."""
        if len(os.fsencode(name)) > PATH_LIMIT:
            self._refuse(f"{name[:40]}...", "has too long a path: refused")
        elif name.lower().endswith(".ipynb") or may_be_notebook(name) and looks_like_notebook(content):
            self._take_notebook(name, content)
        elif not (is_zip(name) and archives < 2 and self._open(name, content, archives)):
            self._take_helper(name, content)

    def _take_notebook(self, name, content):
        slim = slimmed(content)
        if len(slim) > SIZE_LIMIT:
            self.problems.append(f"{name!r}: {too_large(len(slim))}")
        elif len(self.notebooks) >= NOTEBOOK_COUNT:
            self._refuse(name, f"is one of more than {NOTEBOOK_COUNT} notebooks: refused")
        else:
            self.notebooks[name] = slim

    def _take_helper(self, name, content):
        size = sum(map(len, self.files.values())) + len(content)
        if len(content) > HELPER_LIMIT:
            self._refuse(name, f"is larger than {HELPER_LIMIT // MB} MB: refused")
        elif len(self.files) >= HELPER_COUNT or size > HELPERS_LIMIT:
            self.beyond += 1
        else:
            self.files[name] = content

    def _open(self, name, content, archives):
        """Take what an archive with a notebook holds. Returns whether that was all there is to do with it."""
        try:
            members = notebooks_in(content, self.left)
        except ArchiveError as error:
            self._refuse(name, str(error))
            return True
        self.left -= sum(map(len, members.values()))
        for member, text in members.items():
            self._take(f"{name}/{member}", text, archives + 1)
        return bool(members)

    def _refuse(self, name, why):
        self.problems.append(f"{name!r} {why}.")


def is_zip(name):
    """Is it called a zip archive?"""
    return name.lower().endswith(".zip")


def may_be_notebook(name):
    """May it be one by its name, whatever a browser or a mail program made of that?"""
    return ".ipynb" in name.lower() or PurePosixPath(name).suffix.lower() in ("", ".json", ".txt")
