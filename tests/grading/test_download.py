"""Hostile and awkward downloads: refused in one sentence, while what is honest in them is taken."""

import io
import os
import struct
import zipfile

import pytest

from grading import download
from grading.download import Refused, opened

CLEAR = ~0x800 & 0xFFFF


@pytest.fixture
def listed(tmp_path):
    """What is found in a zip of these entries: ([paths], sentences)."""
    def found(entries, change=lambda content: content):
        path = tmp_path / "download.zip"
        path.write_bytes(change(packed(entries)))
        with opened(path) as (items, problems):
            return [item.path for item in items], problems
    return found


def packed(entries):
    """A zip file's bytes."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in entries.items():
            archive.writestr(name, text)
    return content.getvalue()


def entry(name, mode):
    """An entry of a kind that is no file."""
    info = zipfile.ZipInfo(name)
    info.external_attr = mode << 16
    return info


def with_flags(change):
    """Change the flags of all entries: function of the old ones."""
    def patched(content):
        content = bytearray(content)
        for mark, at in (b"PK\x03\x04", 6), (b"PK\x01\x02", 8):
            found = content.find(mark)
            while found >= 0:
                flags, = struct.unpack_from("<H", content, found + at)
                struct.pack_into("<H", content, found + at, change(flags))
                found = content.find(mark, found + 4)
        return bytes(content)
    return patched


def saying(size):
    """Have the directory of a zip say another size of its first file."""
    def patched(content):
        content = bytearray(content)
        struct.pack_into("<I", content, content.find(b"PK\x01\x02") + 24, size)
        return bytes(content)
    return patched


@pytest.mark.parametrize("name", ["../x", "a/../../x", "/etc/x", "..\\x", "a\\..\\..\\x", "C:\\x", "C:/x", "//host/x"])
def test_a_path_that_leads_out_is_refused_and_the_others_are_taken(listed, name):
    paths, problems = listed({name: "x", "ada/a.ipynb": "y"})
    assert paths == ["ada/a.ipynb"] and len(problems) == 1 and "leads out of the download" in problems[0]


@pytest.mark.parametrize("mode", [0o120777, 0o020666, 0o060666, 0o010666, 0o140666],
                         ids=["link", "character device", "block device", "pipe", "socket"])
def test_what_is_no_file_is_refused(listed, mode):
    paths, problems = listed({entry("ada/a.ipynb", mode): "/etc/passwd", "b": "y"})
    assert paths == ["b"] and problems == ["'ada/a.ipynb' is refused, as it is no regular file."]


def test_backslashes_of_windows_part_levels(listed):
    assert listed({"ada\\lab\\a.ipynb": "x"}) == (["ada/lab/a.ipynb"], [])


def test_names_in_utf_8_that_do_not_say_so_are_read(listed):
    assert listed({"Zoë 李.ipynb": "x"}, with_flags(lambda flags: flags & CLEAR)) == (["Zoë 李.ipynb"], [])


def test_names_in_the_code_page_of_dos_are_read(listed):
    name = "Zo\u0131\u0131.ipynb"  # as many bytes of UTF-8 as the other name has, and then both are replaced
    content = packed({name: "x"}).replace(name.encode(), "Zoë...".encode("cp437").ljust(len(name.encode()), b"_"))
    assert listed({}, lambda _: with_flags(lambda flags: flags & CLEAR)(content))[0][0].startswith("Zoë")


def test_accents_are_composed(listed):
    assert listed({"Zoe\u0308.ipynb": "x"})[0] == ["Zo\u00eb.ipynb"]


def test_what_macs_and_windows_leave_is_nobodys(listed):
    junk = {"__MACOSX/ada/._a.ipynb": "", "ada/.DS_Store": "", "ada/.ipynb_checkpoints/a.ipynb": "", "Thumbs.db": ""}
    assert listed({**junk, "ada/a.ipynb": "x", "ada/": ""}) == (["ada/a.ipynb"], [])


@pytest.mark.parametrize("change, says", [
    (lambda content: content[:-30], "it was cut short. Download it again."),
    (lambda content: content[:20], "it was cut short"), (lambda content: b"", "it is no zip file"),
    (lambda content: b"<html>404</html>", "it is no zip file"),
    (with_flags(lambda flags: flags | 1), "it is encrypted"),
], ids=["cut", "cut short", "empty", "html", "encrypted"])
def test_a_zip_that_is_none_is_refused_in_one_sentence(listed, change, says):
    with pytest.raises(Refused, match=says) as error:
        listed({"ada/a.ipynb": "x" * 1000}, change)
    assert "download.zip" in str(error.value) and "\n" not in str(error.value)


def contents(path):
    """{path: its content, or the sentence that refuses it}"""
    with opened(path) as (items, _):
        return {item.path: content(item) for item in items}


def content(item):
    try:
        return item.content().decode()
    except Refused as error:
        return str(error)


@pytest.mark.parametrize("change", [
    saying(5), lambda zip: zip.replace(b"b" * 50, b"b" * 49 + b"c"),
], ids=["smaller", "spoiled"])
def test_a_file_that_is_not_as_the_zip_says_is_refused_alone(tmp_path, change):
    path = tmp_path / "download.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("a", "b" * 50), archive.writestr("z", "fine")
    path.write_bytes(change(path.read_bytes()))
    found = contents(path)
    assert found["z"] == "fine" and "'a' cannot be read" in found["a"]


def test_a_bomb_is_refused_alone_and_never_held_whole(tmp_path, monkeypatch):
    monkeypatch.setattr(download, "FILE_LIMIT", 1000)
    path = tmp_path / "download.zip"
    path.write_bytes(packed({"bomb": "0" * 10**7, "a": "x"}))
    assert contents(path) == {"a": "x", "bomb": "'bomb' is refused, as it is larger than 1000 bytes."}


def test_too_many_files_are_refused(listed, monkeypatch):
    monkeypatch.setattr(download, "ITEM_LIMIT", 5)
    with pytest.raises(Refused, match="more than 5 files"):
        listed({str(n): "" for n in range(7)})


def test_a_zip_within_is_a_file(listed):
    assert listed({"ada/work.zip": packed({"a.ipynb": "x"})})[0] == ["ada/work.zip"]


def test_two_files_of_one_path_are_two(listed):
    with pytest.warns(UserWarning, match="Duplicate"):
        assert listed({"a": "x", zipfile.ZipInfo("a"): "y"})[0] == ["a", "a"]


def test_in_a_folder_links_and_pipes_are_refused(tmp_path):
    folder = tmp_path / "given"
    (folder / "ada").mkdir(parents=True)
    (folder / "ada" / "a.ipynb").write_text("x")
    (folder / "ada" / "link").symlink_to("/etc/passwd")
    (folder / "elsewhere").symlink_to("/etc")
    os.mkfifo(folder / "pipe")
    with opened(folder) as (items, problems):
        assert [item.path for item in items] == ["given/ada/a.ipynb"]
    assert sorted(problem.split("'")[1] for problem in problems) == ["given/ada/link", "given/elsewhere", "given/pipe"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads every folder")
def test_a_folder_that_cannot_be_read_is_named(tmp_path):
    (tmp_path / "locked").mkdir(mode=0)
    with opened(tmp_path) as (_, problems):
        assert "locked" in problems[0]


def test_a_name_that_is_no_text_is_marked_as_that(tmp_path):
    (tmp_path / os.fsdecode(b"Zo\xeb.ipynb")).write_text("x")
    with opened(tmp_path) as (items, _):
        assert items[0].parts[-1] == "Zo?.ipynb" and items[0].content() == b"x"
