"""Every nbgrader of this environment grades in the two rooms, in whatever folder it is started."""

import copy

import pytest
from nbformat import v4

from grading import configuration
from grading.lab import Lab
from tests.grading import tiny
from tests.grading.classes import ROOT
from tests.grading.formgrader import formgrader, press

LAB = "lab00_warm_up"
OWN = "c = get_config()\nc.CourseDirectory.course_id = 'another'\nc.TwoRooms.call = 10\n"


@pytest.fixture
def folder(tmp_path):
    """A folder that nobody has prepared, with a submission that writes a file into it when it is run outside."""
    notebook = copy.deepcopy(Lab.read(ROOT / "labs", LAB).skeleton)
    notebook.cells.append(v4.new_code_cell(f"open({str(tmp_path / 'escaped')!r}, 'w')"))
    notebook.cells.append(v4.new_code_cell("print('it', 'was run')"))
    (tmp_path / "submitted" / "ada" / LAB).mkdir(parents=True)
    (tmp_path / "submitted" / "ada" / LAB / f"{LAB}.ipynb").write_bytes(tiny.to_bytes(notebook))
    return tmp_path


def is_graded_inside(folder):
    """Was the submission run, and could it not write into the folder?"""
    graded = (folder / "autograded" / "ada" / LAB / f"{LAB}.ipynb").read_text()
    return "it was run" in graded and not (folder / "escaped").exists()


def test_make_venv_has_told_the_environment():
    assert str(ROOT / "nbgrader_config.py") in configuration.ENVIRONMENT.read_text(encoding="utf-8")


@pytest.mark.parametrize("own", ["", OWN], ids=["a bare folder", "one with a configuration of its own"])
def test_formgraders_button_shuts_student_code_in(folder, own):
    (folder / "nbgrader_config.py").write_text(own) if own else None
    with formgrader(folder) as address:
        assert press(address, f"submission/{LAB}/ada/autograde")["success"]
    assert is_graded_inside(folder)
