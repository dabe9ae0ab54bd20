"""What students handed in: a folder each, read without trusting a name, a link or a size."""

import hashlib
import os
import re
import stat
from pathlib import Path

from nbgrader.utils import is_ignored

from grading.repair import SIZE_LIMIT

HELPER_LIMIT = 5 * 2**20   # bytes of one helper file
HELPERS_LIMIT = 20 * 2**20  # bytes of all
HELPER_COUNT = 50
STAMP = "timestamp.txt"    # nbgrader's: when it was handed in, as the student's own machine says; it decides nothing
STUDENT = re.compile(r"[\w.@+-]+")  # what a student's folder may be called: it becomes part of addresses
BAD_NAME = "The folder's name must be of letters, digits and . _ @ + - alone: rename it, then run this again."


def read_submission(folder, lab, ignore=()):
    """Read what a student handed in: (the notebook's bytes or None, {path: bytes} of helper files, problems)."""
    if folder.is_symlink() or not folder.is_dir():
        return None, {}, ["What was handed in is not a folder."]
    problems, helpers = [], {}
    notebook = _notebook(folder, lab, problems)
    for path in _paths(folder, ignore):
        relative = path.relative_to(folder).as_posix()
        if path.suffix == ".ipynb" or relative == STAMP:
            continue
        refusal = _refusal(path, helpers)
        if refusal is None:
            helpers[relative] = path.read_bytes()
        problems.append(f"Helper file {relative!r}: {refusal or 'given to the notebook'}.")
    return notebook, helpers, problems


def fingerprint(notebook, files):
    """A hash of what was handed in: the notebook and its helper files."""
    digest = hashlib.sha256(b"none" if notebook is None else b"notebook" + notebook)
    for name, content in sorted(files.items()):
        digest.update(f"\0{name}\0{len(content)}\0".encode("utf-8", "surrogateescape") + content)
    return digest.hexdigest()


def is_regular(path):
    """A file that is no link, device or pipe: the only kind that is read."""
    return os.path.lexists(path) and stat.S_ISREG(os.lstat(path).st_mode)


def _notebook(folder, lab, problems):
    """The lab's notebook or, if there is none, the only other one."""
    others = sorted(path.name for path in folder.glob("*.ipynb") if path.name != f"{lab}.ipynb")
    name = f"{lab}.ipynb"
    if not os.path.lexists(folder / name) and others:
        which = f"{others[0]!r} was graded" if len(others) == 1 else f"which of {others} is it? None was graded"
        problems.append(f"There is no {name!r}: {which}.")
        name = others[0] if len(others) == 1 else name
    path = folder / name
    if os.path.lexists(path) and not is_regular(path):
        problems.append(f"{name!r} is no regular file: refused.")
        return None
    return _read_start(path) if path.exists() else None


def _read_start(path):
    with path.open("rb") as file:
        return file.read(SIZE_LIMIT + 1)  # one more than is allowed, so that `repair` sees that it is too large


def _paths(folder, ignore):
    for root, folders, files in os.walk(folder):  # does not follow links
        folders[:] = sorted(name for name in folders if not is_ignored(os.path.join(root, name), ignore))
        links = [name for name in folders if os.path.islink(os.path.join(root, name))]
        for name in sorted([*files, *links]):
            if not is_ignored(name, ignore):
                yield Path(root, name)


def _refusal(path, helpers):
    if not is_regular(path):
        return "refused, as it is no regular file"
    if path.stat().st_size > HELPER_LIMIT:
        return f"refused, as it is larger than {HELPER_LIMIT} bytes"
    if len(helpers) >= HELPER_COUNT or sum(map(len, helpers.values())) + path.stat().st_size > HELPERS_LIMIT:
        return f"refused, as there are more than {HELPER_COUNT} files or {HELPERS_LIMIT} bytes"
    return None
