"""What a platform handed out, read without trusting a name, a link or a size: a zip file, a folder, or one file.

Nothing of it is changed, and nothing of it is unpacked: an item's bytes are read when somebody asks for them, and never
more than `FILE_LIMIT` of them, whatever the file says of itself. So a bomb is a sentence about one item.
"""

import io
import os
import stat
import unicodedata
import zipfile
import zlib
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

FILE_LIMIT = 100 * 2**20   # bytes of one file
ITEM_LIMIT = 500_000       # files in one download
JUNK = {"__MACOSX", ".ipynb_checkpoints", ".DS_Store", "Thumbs.db", "desktop.ini"}  # nobody's work
CLONE = ".git"             # what makes a folder a clone; what is in it is not looked at
UNREADABLE = (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError, OSError, ValueError)


class Refused(ValueError):
    """A download, or one item of it, is not taken; the text says why, in one sentence."""


@dataclass(frozen=True)
class Item:
    """One file of a download.

    parts  its path in the download, a name for each level, in composed characters (NFC); the last is ".git" for the
           mark that the folder above is a clone
    size   bytes, as the download has it
    open   gives its content as a binary file
    """

    parts: tuple
    size: int
    open: Callable

    @property
    def path(self):
        """For sentences."""
        return "/".join(self.parts)

    def content(self):
        """Its bytes. Raises Refused if they are too many or cannot be read."""
        try:
            with self.open() as file:
                content = file.read(FILE_LIMIT + 1)
        except UNREADABLE as error:
            raise Refused(f"{self.path!r} cannot be read: {error}.") from error
        if len(content) > FILE_LIMIT:
            raise Refused(f"{self.path!r} is refused, as it is larger than {FILE_LIMIT} bytes.")
        return content


@contextmanager
def opened(path):
    """A zip file, a folder or a file: ([Item] by path, sentences about what was refused). Raises Refused or OSError."""
    if path.is_dir():
        yield _sorted(_walk(path.resolve()), path)
    elif _is_zip(path):
        with _archive(path) as archive:
            yield _sorted(_entries(archive), path)
    else:
        yield _sorted([_file(path, (path.name,))], path)


def decoded(content):
    """Bytes as text, in NFC. Windows' code page has a letter for nearly every byte, so it comes last."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings = ["utf-16"]
    elif b"\0" in content[:200]:
        encodings = ["utf-16-be" if content[:1] == b"\0" else "utf-16-le"]
    else:
        encodings = ["utf-8-sig", "cp1252"]
    for encoding in encodings:
        try:
            return unicodedata.normalize("NFC", content.decode(encoding))
        except UnicodeDecodeError:
            pass
    return unicodedata.normalize("NFC", content.decode(encodings[-1], "replace"))


def _sorted(found, path):
    """Tell items from sentences, and the marks of clones from what lies in them."""
    items, problems = {}, []
    for one in found:
        if isinstance(one, str):
            problems.append(one)
        elif not JUNK & set(one.parts):
            items.setdefault(one.parts, []).append(one)
        if len(items) > ITEM_LIMIT:
            raise Refused(f"{str(path)!r} is refused, as it holds more than {ITEM_LIMIT} files.")
    return [item for parts in sorted(items) for item in items[parts]], problems


def _walk(folder):
    """The items of a folder, its own name first, or a sentence where there is no regular file. No link is followed."""
    unread = []
    for root, folders, files in os.walk(folder, onerror=unread.append):
        links = [name for name in folders if os.path.islink(os.path.join(root, name))]
        above = Path(root).relative_to(folder.parent).parts
        if CLONE in folders or CLONE in files:
            yield Item(tuple(map(_composed, (*above, CLONE))), 0, io.BytesIO)
        folders[:] = [name for name in folders if name not in (*links, CLONE)]
        yield from (_file(Path(root, name), (*above, name)) for name in (*files, *links) if name != CLONE)
    yield from map(str, unread)


def _file(path, parts):
    parts = tuple(map(_composed, parts))
    found = os.lstat(path)
    if not stat.S_ISREG(found.st_mode):
        return f"{'/'.join(parts)!r} is refused, as it is no regular file."
    return Item(parts, found.st_size, lambda: path.open("rb"))


def _is_zip(path):
    with path.open("rb") as file:
        return path.suffix.lower() == ".zip" or file.read(4) == b"PK\x03\x04"


@contextmanager
def _archive(path):
    try:
        archive = zipfile.ZipFile(path)
    except (*UNREADABLE, UnicodeDecodeError) as error:
        raise Refused(f"{str(path)!r} cannot be read ({error}): it is no zip file, or it was cut short. "
                      "Download it again.") from error
    with archive:
        if any(info.flag_bits & 1 for info in archive.infolist()):
            raise Refused(f"{str(path)!r} is refused, as it is encrypted: download it without a password.")
        yield archive


def _entries(archive):
    """The items of a zip file, or a sentence where a path leads out of it or there is no regular file."""
    clones = set()
    for info in archive.infolist():
        parts, kind = _parts(_name(info)), stat.S_IFMT(info.external_attr >> 16)
        if parts is None:
            yield f"{_name(info)!r} is refused, as its path leads out of the download."
        elif CLONE in parts:
            clones.add(parts[:parts.index(CLONE) + 1])
        elif kind not in (0, stat.S_IFREG, stat.S_IFDIR):
            yield f"{'/'.join(parts)!r} is refused, as it is no regular file."
        elif parts and not info.is_dir() and not _name(info).endswith("/"):
            yield Item(parts, info.file_size, lambda info=info: archive.open(info))
    yield from (Item(parts, 0, io.BytesIO) for parts in clones)


def _name(info):
    """An entry's name with / between its levels: often it is UTF-8 where the zip does not say so."""
    name = info.orig_filename
    if not info.flag_bits & 0x800:
        try:
            name = name.encode("cp437").decode("utf-8")
        except UnicodeError:
            pass
    return _composed(name.partition("\0")[0].replace("\\", "/"))  # some tools of Windows write \


def _parts(name):
    """The levels of a path, None if it leads out of the folder in which it is read."""
    levels = [level for level in name.split("/") if level not in ("", ".")]
    leads_out = name.startswith("/") or ".." in levels or (levels and levels[0].endswith(":"))
    return None if leads_out else tuple(levels)


def _composed(name):
    """A name with its accents composed, which a Mac takes apart; bytes that are no text become question marks."""
    return unicodedata.normalize("NFC", name.encode("utf-8", "replace").decode())
