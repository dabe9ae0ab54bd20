"""Which configuration counts, and that none is executed that somebody else may have written; and a class's folder."""

import os
import sys
from pathlib import Path

import pytest

from grading import configuration, owned
from grading.__main__ import main
from grading.configuration import ConfigurationError
from grading.course import Course
from tests.grading.classes import ROOT, finished, said, start

EXECUTED = "from pathlib import Path\nPath(__file__ + '.executed').touch()\n"


@pytest.fixture
def folder(tmp_path):
    """A class's folder that holds a configuration, which leaves a trace when it is executed."""
    (tmp_path / "class").mkdir(mode=0o700)
    (tmp_path / "class" / "nbgrader_config.py").write_text(EXECUTED)
    return tmp_path / "class"


def written_by_all(folder, _):
    (folder / "nbgrader_config.py").chmod(0o666)
    return folder


def written_by_a_group(folder, monkeypatch):
    (folder / "nbgrader_config.py").chmod(0o664)
    monkeypatch.setattr(owned, "_is_private", lambda group: False)
    return folder


def of_somebody_else(folder, monkeypatch):
    if os.geteuid():
        monkeypatch.setattr(os, "geteuid", lambda: 4242)
    else:
        os.chown(folder / "nbgrader_config.py", 4242, -1)
    return folder


def in_a_folder_of_all(folder, _):
    folder.chmod(0o777)
    return folder


def below_a_folder_of_all(folder, _):
    folder.parent.chmod(0o777)
    return folder


def behind_a_link_to_a_folder_of_all(folder, _):
    in_a_folder_of_all(folder, _)
    (folder.parent / "link").symlink_to(folder)
    return folder.parent / "link"


def handed_in(folder, _):
    submission = folder / "submitted" / "mallory" / "lab_tiny"
    submission.mkdir(parents=True)
    (submission / "nbgrader_config.py").write_text(EXECUTED)
    return submission


STRANGE = [written_by_all, written_by_a_group, of_somebody_else, in_a_folder_of_all, below_a_folder_of_all,
           behind_a_link_to_a_folder_of_all, handed_in]


def executed(folder):
    return list(folder.parent.rglob("*.executed"))


@pytest.mark.parametrize("strange", STRANGE)
def test_a_configuration_that_others_may_have_written_is_not_executed(folder, strange, monkeypatch):
    with pytest.raises(ConfigurationError, match="is not read, as it is executed as you"):
        Course.at(strange(folder, monkeypatch))
    assert executed(folder) == []


@pytest.mark.parametrize("strange", [written_by_all, handed_in])
@pytest.mark.parametrize("suffix", ["py", "json"])
def test_nbgraders_own_command_does_not_execute_it_either(folder, strange, suffix, monkeypatch):
    place = strange(folder, monkeypatch)
    (place / "nbgrader_config.py").rename(place / f"nbgrader_config.{suffix}")
    done = finished(start([sys.executable, "-m", "nbgrader", "db", "student", "list"], place))
    assert (done.status, executed(folder)) == (1, []) and "is not read, as it is executed as you" in done.error


@pytest.mark.parametrize("safe", [lambda folder: folder, lambda folder: folder.parent.chmod(0o1777)],
                         ids=["one's own", "below a sticky folder"])
def test_one_that_only_you_can_write_is_executed(folder, safe):
    safe(folder)
    Course.at(folder)
    assert executed(folder) != []


def test_a_group_that_is_yours_alone_may_write(folder, monkeypatch):
    (folder / "nbgrader_config.py").chmod(0o664)
    monkeypatch.setattr(owned, "_is_private", lambda group: True)
    assert owned.trouble(folder / "nbgrader_config.py") is None


def test_the_folders_settings_come_after_the_courses_and_jupyters_folders_count_too(folder, tmp_path, monkeypatch):
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", str(tmp_path))
    (tmp_path / "nbgrader_config.py").write_text("c.TwoRooms.cell = 1\nc.TwoRooms.seed = 'mine'")
    (folder / "nbgrader_config.py").write_text("c.TwoRooms.cell = 2")
    settings = Course.at(folder).settings
    assert (settings.cell, settings.seed, settings.notebook) == (2, "mine", 600)


def test_a_course_that_has_moved_ends_every_command_with_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setattr(configuration, "REPOSITORY", tmp_path / "old")
    text = configuration.pointer("write into {__file__} where it is now")
    monkeypatch.undo()
    (tmp_path / "nbgrader_config.py").write_text(text)
    with pytest.raises(ConfigurationError, match=r"old.nbgrader_config.py: expected the course's .* where it is now"):
        Course.at(tmp_path)


def test_a_folder_of_another_course_is_not_graded_by_this_one(tmp_path):
    (tmp_path / "nbgrader_config.py").write_text((ROOT / "nbgrader_config.py").read_text(encoding="utf-8"))
    with pytest.raises(ConfigurationError, match="use the environment of that one"):
        Course.at(tmp_path)


def test_what_lies_in_the_current_folder_is_not_imported_in_place_of_what_is_installed(tmp_path):
    (tmp_path / "bleach.py").write_text("open('imported', 'w')")
    command = [str(Path(sys.executable).with_name("nbgrader")), "db", "student", "list"]
    assert finished(start(command, tmp_path)).status == 0 and not (tmp_path / "imported").exists()


# python -m grading init


def snapshot(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_init_makes_a_folder_that_only_you_can_enter_and_copies_nothing(tmp_path):
    done = said(main, ["init", str(tmp_path / "classes" / "2026")])
    made = tmp_path / "classes" / "2026"
    assert done.status == 0 and [path.name for path in made.iterdir()] == ["nbgrader_config.py"]
    assert made.stat().st_mode & 0o777 == 0o700 and Course.at(made).labs_folder == ROOT / "labs"


def test_init_says_what_it_found_and_changes_nothing(folder):
    before = snapshot(folder)
    done = said(main, ["init", str(folder)])
    assert done.status == 0 and "found, and left as it is" in done.out
    assert {path: content for path, content in snapshot(folder).items() if path in before} == before


@pytest.mark.parametrize("strange", [written_by_all, in_a_folder_of_all, below_a_folder_of_all, handed_in])
def test_init_refuses_a_folder_that_is_not_yours_alone(folder, strange, monkeypatch):
    place = strange(folder, monkeypatch)
    assert said(main, ["init", str(place)]).status == 1 and executed(folder) == []


def test_init_makes_nothing_where_others_may_write(folder):
    folder.chmod(0o777)
    done = said(main, ["init", str(folder / "new")])
    assert done.status == 1 and "chmod go-w" in done.err and not (folder / "new").exists()


def test_init_does_not_take_a_folder_that_all_share(folder):
    folder.chmod(0o1777)
    assert said(main, ["init", str(folder)]).status == 1
