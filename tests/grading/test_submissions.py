"""What is read of the folder that a student handed in."""

import io
import json
import os
import stat
import zipfile
from pathlib import Path

import pytest

from grading.archives import ENTRIES
from grading.submissions import (
    DEPTH,
    HELPER_LIMIT,
    PATH_LIMIT,
    SENTENCES,
    STUDENT,
    ZIP_LIMIT,
    fingerprint,
    read_submission,
)

NOTEBOOK = json.dumps({"cells": [], "nbformat": 4}).encode()


def zipped(files, **more):
    """The bytes of an archive of {name or ZipInfo: content}."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", **more) as file:
        for name, content in files.items():
            file.writestr(name, content)
    return archive.getvalue()


def hand_in(folder, files):
    """Put {path: bytes} into a folder. Returns what is read of it."""
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return read_submission(folder, "lab")


def test_helper_files_are_read_wherever_they_lie(tmp_path):
    found = hand_in(tmp_path, {"data/numbers.txt": b"1 2", "my_attention.py": b"x = 1"})
    assert found.files == {"data/numbers.txt": b"1 2", "my_attention.py": b"x = 1"} and found.problems == []


@pytest.mark.parametrize("name", [
    "submission_secret.txt", "timestamp.txt", ".DS_Store", "Thumbs.db", "desktop.ini", "__pycache__/x.pyc",
    ".ipynb_checkpoints/lab.ipynb", "._lab.ipynb", "__MACOSX/._lab.ipynb", ".git/config", "~$notes.docx",
])
def test_what_programs_leave_behind_is_nobodys_news(tmp_path, name):
    found = hand_in(tmp_path, {name: b"x", "lab.ipynb": NOTEBOOK})
    assert (found.notebooks, found.files, found.problems) == ({"lab.ipynb": NOTEBOOK}, {}, [])


def test_links_pipes_and_large_files_are_refused_and_listed(tmp_path):
    (tmp_path / "link").symlink_to("/etc")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "large").write_bytes(bytes(HELPER_LIMIT + 1))
    found = read_submission(tmp_path, "lab")
    assert found.files == {} and sum("refused" in problem for problem in found.problems) == 3


def test_of_too_many_helper_files_some_are_read_and_one_sentence_counts_the_others(tmp_path):
    found = hand_in(tmp_path, {f"{number}.txt": b"" for number in range(60)})
    assert len(found.files) == 50 and found.problems[0].startswith("10 files were not given to the notebook")


def test_of_very_many_files_no_more_than_a_number_is_looked_at(tmp_path):
    found = hand_in(tmp_path, {f"{number}": b"" for number in range(ENTRIES + 5)})
    assert any("more than 1000 files" in problem for problem in found.problems)


def test_a_submission_has_no_more_to_say_than_a_page(tmp_path):
    for number in range(99):
        (tmp_path / f"{number}").symlink_to("/etc")
    problems = read_submission(tmp_path, "lab").problems
    assert len(problems) == SENTENCES + 1 and problems[-1] == "And 79 more of that kind."


@pytest.mark.parametrize("make", [lambda path: path.symlink_to("/etc/hostname"), os.mkfifo])
def test_a_notebook_that_is_no_regular_file_is_refused(tmp_path, make):
    make(tmp_path / "lab.ipynb")
    found = read_submission(tmp_path, "lab")
    assert found.notebooks == {} and found.problems == ["'lab.ipynb' is no regular file: refused."]


@pytest.mark.parametrize("name", [
    "LAB.IPYNB", "lab (1).ipynb", "Copy of lab.ipynb", "lab.ipynb.txt", "lab.ipynb.json", "lab.json", "lab.txt", "lab",
    "a/b/lab.ipynb", "lab.ipynb (1)", "李 雷's O'Brien–Müller.ipynb",
])
def test_a_notebook_is_found_whatever_it_is_called_and_wherever_it_lies(tmp_path, name):
    assert hand_in(tmp_path, {name: NOTEBOOK}).notebooks == {name: NOTEBOOK}


@pytest.mark.parametrize("name", ["lab.ipynb.html", "notes.json", "notes.txt"])
def test_what_is_no_notebook_inside_is_a_helper_file(tmp_path, name):
    assert list(hand_in(tmp_path, {name: b"{}"}).files) == [name]


def test_notebooks_come_in_the_order_of_what_is_expected(tmp_path):
    names = ["lab.ipynb", "old/lab.ipynb", "a.ipynb", "old/a.ipynb"]
    found = hand_in(tmp_path, {name: name.encode() for name in reversed(names)})
    assert list(found.notebooks) == names


def test_the_same_notebook_twice_is_one(tmp_path):
    assert list(hand_in(tmp_path, {"lab.ipynb": NOTEBOOK, "lab (1).ipynb": NOTEBOOK}).notebooks) == ["lab.ipynb"]


def test_folders_that_are_too_deep_are_not_looked_at(tmp_path):
    found = hand_in(tmp_path, {"a/" * DEPTH + "lab.ipynb": NOTEBOOK, "b/" * (DEPTH + 1) + "lab.ipynb": NOTEBOOK + b" "})
    assert list(found.notebooks) == ["a/" * DEPTH + "lab.ipynb"] and "too deep" in found.problems[0]


def test_a_path_that_is_too_long_is_refused(tmp_path):
    found = hand_in(tmp_path, {f"{'a' * 100}/{'b' * PATH_LIMIT}.py": b"", "lab.ipynb": NOTEBOOK})
    assert found.files == {} and "too long a path" in found.problems[0] and found.notebooks


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_folder_that_may_not_be_read_costs_no_other_file(tmp_path):
    (tmp_path / "closed").mkdir(mode=0)
    found = hand_in(tmp_path, {"lab.ipynb": NOTEBOOK})
    assert found.notebooks and "could not be read" in found.problems[0]


def test_a_file_that_cannot_be_read_costs_no_other_file(tmp_path, monkeypatch):
    real = Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda path: real(path / "x" if path.suffix == ".py" else path))
    found = hand_in(tmp_path, {"lab.ipynb": NOTEBOOK, "mine.py": b""})
    assert found.notebooks and found.problems == ["'mine.py' could not be read: Not a directory."]


def test_an_archive_with_a_notebook_is_looked_into(tmp_path):
    inside = {"lab01/lab.ipynb": NOTEBOOK, "lab01/my.py": b"x", "__MACOSX/lab01/._lab.ipynb": b"", ".DS_Store": b""}
    found = hand_in(tmp_path, {"all.zip": zipped(inside)})
    assert found.notebooks == {"all.zip/lab01/lab.ipynb": NOTEBOOK} and found.problems == []
    assert found.files == {"all.zip/lab01/my.py": b"x"}


def test_an_archive_in_an_archive_is_looked_into_and_a_third_one_is_not(tmp_path):
    second = zipped({"third.zip": zipped({"lab.ipynb": NOTEBOOK}), "lab.ipynb": NOTEBOOK})
    found = hand_in(tmp_path, {"first.zip": zipped({"second.zip": second})})
    assert list(found.notebooks) == ["first.zip/second.zip/lab.ipynb"]
    assert list(found.files) == ["first.zip/second.zip/third.zip"]


def test_an_archive_without_a_notebook_is_a_helper_file(tmp_path):
    assert list(hand_in(tmp_path, {"data.zip": zipped({"x.npy": b"1"})}).files) == ["data.zip"]


def linked():
    link = zipfile.ZipInfo("lab.ipynb")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    return zipped({link: "/etc/passwd"})


def locked():
    data = bytearray(zipped({"lab.ipynb": NOTEBOOK}))
    for start, at in (b"PK\3\4", 6), (b"PK\1\2", 8):
        data[data.index(start) + at] |= 1
    return bytes(data)


HOSTILE = {
    "no archive": (b"PK\3\4xxxx", "is no zip archive that can be opened"),
    "half of one": (zipped({"lab.ipynb": NOTEBOOK})[:60], "is no zip archive that can be opened"),
    "a path that leads out": (zipped({"../../lab.ipynb": NOTEBOOK}), "leads out of it"),
    "a path of another system that leads out": (zipped({"..\\..\\lab.ipynb": NOTEBOOK}), "leads out of it"),
    "a drive": (zipped({"C:lab.ipynb": NOTEBOOK}), "leads out of it"),
    "a password": (locked(), "is locked with a password"),
    "a bomb": (zipped({"a.ipynb": bytes(ZIP_LIMIT + 1)}, compression=zipfile.ZIP_DEFLATED), "unpacks to more than 50"),
    "many files": (zipped(dict.fromkeys(map(str, range(ENTRIES + 1)), b"")), "holds more than 1000 files"),
}


@pytest.mark.parametrize("trick", HOSTILE)
def test_an_archive_that_cannot_be_trusted_is_refused_in_one_sentence(tmp_path, trick):
    content, says = HOSTILE[trick]
    found = hand_in(tmp_path, {"all.zip": content, "lab.ipynb": NOTEBOOK})
    assert list(found.notebooks) == ["lab.ipynb"] and found.files == {}
    assert len(found.problems) == 1 and says in found.problems[0]


def test_many_bombs_are_one_bomb(tmp_path):
    half = bytes(ZIP_LIMIT // 2)
    bombs = {f"{i}.zip": zipped({"a.ipynb": half}, compression=zipfile.ZIP_DEFLATED) for i in range(3)}
    assert any("unpacks to more than" in problem for problem in hand_in(tmp_path, bombs).problems)


def test_a_link_in_an_archive_is_no_notebook(tmp_path):
    assert hand_in(tmp_path, {"all.zip": linked()}).notebooks == {}


def test_the_fingerprint_tells_any_two_submissions_apart():
    handed_in = [({}, {}), ({"n": b""}, {}), ({"n": b"a"}, {}), ({"m": b"a"}, {}), ({}, {"n": b"a"}),
                 ({"n": b"a"}, {"b": b""}), ({"n": b"a"}, {"b": b"c"}), ({"n": b"a"}, {"bc": b""})]
    assert len({fingerprint(*one) for one in handed_in}) == len(handed_in)


def test_when_it_was_handed_in_is_no_part_of_what_was(tmp_path):
    before = hand_in(tmp_path, {"lab.ipynb": NOTEBOOK})
    assert hand_in(tmp_path, {"timestamp.txt": b"2030-01-01", "submission_secret.txt": b"1"}) == before


@pytest.mark.parametrize("name", [".", "..", "...", "", "a/b", "a b", "a\n"])
def test_no_student_is_called_what_leads_to_another_folder(name):
    assert not STUDENT.fullmatch(name) and STUDENT.fullmatch("..a")
