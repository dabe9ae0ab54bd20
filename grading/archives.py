"""Zip archives among what students handed in: read in memory, never unpacked to a disk."""

import stat
import zipfile
from fnmatch import fnmatchcase
from io import BytesIO

ENTRIES = 1000          # files of one archive
ENTRY = b"PK\x01\x02"   # begins what an archive says of each file; counted before zipfile makes an object of each
NOTEBOOKS = (".ipynb", ".zip")

# What nbgrader, systems and programs leave in a folder: nobody's news.
LEFT_BEHIND = (".*", "__macosx", "__pycache__", "*.pyc", "thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r", "~$*",
               "timestamp.txt", "submission_secret.txt")


class ArchiveError(ValueError):
    """An archive that is not opened; the text is what a sentence says of it after its name."""


def is_left_behind(name):
    """Is it the name of something that no student meant to hand in?"""
    return any(fnmatchcase(name.lower(), pattern) for pattern in LEFT_BEHIND)


def notebooks_in(content, limit):
    """{path: bytes} of the files in a zip archive that holds a notebook, or another archive; {} if it holds neither.

    limit  bytes that it may unpack to

    Raises ArchiveError.
    """
    if content.count(ENTRY) > ENTRIES:
        raise ArchiveError(f"holds more than {ENTRIES} files")
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            files = {name: info for name, info in map(_named, archive.infolist()) if _is_wanted(name, info)}
            has_notebook = any(end in name.lower() for name in files for end in NOTEBOOKS)
            return _read(archive, files, limit) if has_notebook else {}
    except ArchiveError:
        raise
    except Exception as error:  # zipfile raises a dozen kinds for what is no archive, or one that lies
        raise ArchiveError("is no zip archive that can be opened, or not all of one") from error


def _named(info):
    """A file in an archive with its path, which leads nowhere else. Raises ArchiveError."""
    name = info.filename.replace("\\", "/").lstrip("/")
    if ".." in name.split("/") or ":" in name.split("/")[0] or "\0" in name:
        raise ArchiveError("holds a path that leads out of it")
    return name, info


def _is_wanted(name, info):
    is_link = stat.S_ISLNK(info.external_attr >> 16)
    return not info.is_dir() and not is_link and not any(map(is_left_behind, name.split("/")))


def _read(archive, files, limit):
    found, left = {}, limit
    for name, info in files.items():
        if info.flag_bits & 1:
            raise ArchiveError("is locked with a password")
        with archive.open(info) as file:
            found[name] = file.read(left + 1)  # whatever it says of its size
        left -= len(found[name])
        if left < 0:
            raise ArchiveError(f"unpacks to more than {limit / 2**20:.0f} MB")
    return found
