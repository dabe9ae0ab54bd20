"""Downloads that the tests make up, and the command that takes them in."""

import io
import shutil
import zipfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import SimpleNamespace

from grading import platforms
from grading.__main__ import main
from grading.course import Course
from grading.download import Item
from tests.grading import tiny
from tests.grading.classes import CONFIG, said

LAB = tiny.NAME


@dataclass(frozen=True)
class Term:
    """A class's folder that downloads are collected into."""

    folder: Path

    @classmethod
    def new(cls, given_out, folder, config=""):
        """A class to which the tiny lab was given out, its clocks those of Berlin."""
        shutil.copytree(given_out, folder)
        (folder / "nbgrader_config.py").write_text(f"{CONFIG}\nc.TwoRooms.timezone = 'Europe/Berlin'\n{config}")
        return cls(folder)

    def collect(self, *arguments, lab=LAB):
        """`python -m grading collect`, in this process."""
        return said(main, ["collect", lab, "--course-dir", str(self.folder), *map(str, arguments)])

    @property
    def taken(self):
        """{id: {path: content}} of all that lies in submitted/."""
        folders = sorted((self.folder / "submitted").glob(f"*/{LAB}"))
        return {folder.parent.name: {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*")
                                     if path.is_file()} for folder in folders}

    @property
    def times(self):
        """{id: when}, as the gradebook has it."""
        with Course.at(self.folder).ledger() as ledger:
            return {student: f"{when:%Y-%m-%d %H:%M}" for student, (when, _) in ledger.hand_ins(LAB).items()}

    def write(self, name, text):
        """Write a file beside the class's folder. Returns its path."""
        path = self.folder.parent / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    def zip(self, files, name="download.zip"):
        """Write {path or ZipInfo: text} as a zip file beside the class's folder. Returns its path."""
        path = self.folder.parent / name
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for file, text in files.items():
                archive.writestr(file, text)
        return path

    def unzipped(self, files, name="download"):
        """Write {path: text} as a folder beside the class's folder. Returns its path."""
        for file, text in files.items():
            path = self.folder.parent / name / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return self.folder.parent / name


def recognised(*paths, usernames=(), contents=None):
    """(the platform's key, {path: (name, number, username, when, path in the submission)}) of a download's paths."""
    texts = {path: (contents or {}).get(path, "").encode() for path in paths}
    items = [Item(tuple(path.split("/")), 0, partial(io.BytesIO, text)) for path, text in texts.items()]
    platform, pieces = platforms.recognised(items, LAB, set(usernames))
    return platform.key, {piece.item.path: SimpleNamespace(
        who=(piece.name, piece.number, piece.username), when=piece.when, file="/".join(piece.file), late=piece.late,
        doubt=piece.doubt) for piece in pieces}
