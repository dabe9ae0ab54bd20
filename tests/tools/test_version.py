"""The version of coursekit changes with its content, so that who installs another release has that one's coursekit."""

import shutil
import subprocess
import sys
import venv
import zipfile

import pytest
import yaml

from grading.release import ARCHIVE, build_wheel, pack
from tools.version import EDITION, PARTS, version


def copy_of(root, place):
    """What the wheel is built from, at another place."""
    (place / "release").mkdir(parents=True)
    for part in (*PARTS, "tools"):
        (shutil.copytree if (root / part).is_dir() else shutil.copy)(root / part, place / part)
    return place


def release(course, scratch):
    """Pack a release without labs. Returns its folder."""
    scratch.mkdir(exist_ok=True)
    pack(course / "release", [], build_wheel(course, scratch))
    return course / "release"


@pytest.fixture(scope="module")
def releases(root, tmp_path_factory):
    """The folders of two releases that differ in one line of coursekit."""
    place = tmp_path_factory.mktemp("releases")
    for name in ("one", "two"):
        with (copy_of(root, place / name) / "coursekit" / "shapes.py").open("a") as file:
            file.write(f"RELEASE = {name!r}\n")
    return {name: release(place / name, place / f"wheel of {name}") for name in ("one", "two")}


def install(folder, python):
    """Install coursekit as the archive of a release says, and nothing else that it names: no test uses the network."""
    with zipfile.ZipFile(folder / ARCHIVE) as archive:
        archive.extractall(folder)
    required = folder / "attention-labs" / "requirements.txt"
    required.write_text("\n".join(line for line in required.read_text().splitlines() if line.startswith("./")))
    options = ["--quiet", "--no-index", "--no-deps", "--no-compile", "--requirement", "requirements.txt"]
    pip = [sys.executable, "-m", "pip", "--python", python, "install", *options]
    subprocess.run(pip, cwd=required.parent, check=True)


def test_who_installs_another_release_has_its_coursekit_and_may_go_back(releases, tmp_path):
    venv.create(tmp_path, with_pip=False)
    for name in ("one", "two", "one"):
        install(releases[name], tmp_path / "bin" / "python")
        installed, = tmp_path.glob("lib/*/site-packages/coursekit/shapes.py")
        assert installed.read_text().endswith(f"RELEASE = {name!r}\n")


def test_the_same_tree_gives_the_same_wheel(releases, tmp_path):
    again = release(copy_of(releases["one"].parent, tmp_path / "again"), tmp_path / "wheel")
    one, two = (next(folder.glob("coursekit-*.whl")) for folder in (releases["one"], again))
    assert (one.name, one.read_bytes()) == (two.name, two.read_bytes())


def test_a_release_holds_no_wheel_of_an_earlier_one(releases, tmp_path):
    course = copy_of(releases["one"].parent, tmp_path / "course")
    (course / "release" / "coursekit-0.1.0-py3-none-any.whl").touch()
    wheel, = release(course, tmp_path / "wheel").glob("coursekit-*.whl")
    assert wheel.name == f"coursekit-{version(course)}-py3-none-any.whl"


def test_what_python_leaves_beside_the_package_does_not_change_its_version(root, tmp_path):
    course = copy_of(root, tmp_path / "course")
    before = version(course)
    (course / "coursekit" / "__pycache__").mkdir(exist_ok=True)
    (course / "coursekit" / "__pycache__" / "shapes.pyc").touch()
    assert version(course) == before


def test_the_course_is_cited_by_its_edition(root):
    assert yaml.safe_load((root / "CITATION.cff").read_text("utf-8"))["version"] == EDITION
