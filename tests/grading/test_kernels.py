"""Nothing that was handed in runs where a kernel starts beside it, as by formgrader's "Open live notebook"."""

import os

import pytest
from jupyter_client.manager import run_kernel

from grading.course import HELPERS, Course, write_files
from tests import needs
from tests.grading import tiny
from tests.grading.classes import Class

# What Python, IPython, ipykernel and Jupyter import or read as a setting when they start, or when a key is pressed.
NAMES = ["pathlib.py", "pkgutil.py", "runpy.py", "jedi.py", "jedi/__init__.py", "sitecustomize.py", "usercustomize.py",
         "ipykernel_launcher.py", "ipykernel/__init__.py", "IPython/__init__.py", "zmq.py", "numpy/__init__.py",
         "matplotlib_inline.py", "coursekit.py", "grading.py", "ipython_config.py", "ipython_kernel_config.py",
         ".ipython/profile_default/startup/00.py", "profile_default/ipython_config.py", "jupyter_config.py",
         "random.py", "my_attention.py"]
TRACE = "import os\nos.open({!r}, os.O_CREAT)\n"
USED = "import sys, pathlib, pkgutil, random, jedi, numpy, matplotlib_inline, coursekit, grading\nprint(sys.path)"


@pytest.fixture
def handed_in(given_out, tmp_path, lab):
    """A class in which one student handed in such files, each of which leaves a trace where it is executed."""
    course = Class.new(given_out, tmp_path / "class", lab)
    folder = course.hand_in("mallory")
    write_files(folder, {name: TRACE.format(f"{tmp_path}/executed").encode() for name in NAMES})
    return course


def said(folder, code):
    """Start a kernel there, run a line, and press Tab. Returns how the line ended."""
    with run_kernel(cwd=str(folder)) as client:
        client.complete("pathlib.", reply=True, timeout=60)
        return client.execute(code, reply=True, timeout=60)["content"]["status"]


def test_a_kernel_in_a_folder_that_was_handed_in_executes_none_of_its_files(handed_in, tmp_path):
    assert said(handed_in.folder / "submitted" / "mallory" / tiny.NAME, USED) == "ok"
    assert not (tmp_path / "executed").exists()


@needs.bubblewrap
def test_no_helper_file_lies_where_the_graded_notebook_could_import_it(handed_in):
    handed_in.grade()
    folder = Course.at(handed_in.folder).autograded(tiny.NAME, "mallory")
    assert sorted(os.listdir(folder)) == sorted([HELPERS, f"{tiny.NAME}.ipynb"]) and not HELPERS.isidentifier()
    assert (folder / HELPERS / "pathlib.py").is_file()


@pytest.mark.nightly
def test_no_kernel_imports_from_the_folder_that_it_is_started_in_as_a_download_may_lie_anywhere(tmp_path):
    write_files(tmp_path, {"mine.py": b""})
    assert said(tmp_path, "import mine") == "error"
