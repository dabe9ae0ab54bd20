"""nbgrader's front door: its commands, formgrader and the exchange, with our parts behind them.

nbgrader makes its parts by name and has no setting for most of them. So they are replaced here, in one place, once for
each program that reads nbgrader_config.py.
"""

import os
import re
import sys
from pathlib import Path

from nbgrader.coursedir import CourseDirectory

from grading import owned

_FORMAT_PATH = CourseDirectory.format_path


def take_over():
    """Called by nbgrader_config.py. What comes first decides what is executed and imported from here on."""
    from nbgrader.apps import baseapp

    from grading.configuration import OwnJson, OwnPython

    baseapp.NbGrader.python_config_loader_class = OwnPython
    baseapp.NbGrader.json_config_loader_class = OwnJson
    owned.allow_imports_from_here()
    _find_tools()
    _replace_parts()


def _find_tools():
    """nbgrader calls `alembic` by name, and where a hub starts formgrader that is not on PATH."""
    beside, path = str(Path(sys.executable).parent), os.environ.get("PATH", "")
    if path.split(os.pathsep)[0] != beside:
        os.environ["PATH"] = os.pathsep.join([beside, path])


def _replace_parts():
    from nbgrader.apps import api, autogradeapp, generateassignmentapp, generatefeedbackapp

    from grading.autograde import AutogradeInTwoRooms
    from grading.giving_back import GiveBack
    from grading.giving_out import GiveOut
    from grading.lateness import keep_settled
    from grading.pages import protect_formgrader

    api.Autograde = autogradeapp.Autograde = AutogradeInTwoRooms
    api.GenerateAssignment = generateassignmentapp.GenerateAssignment = GiveOut
    api.GenerateFeedback = generatefeedbackapp.GenerateFeedback = GiveBack
    CourseDirectory.format_path = _format_path
    protect_formgrader()
    keep_settled()


def _format_path(self, nbgrader_step, student_id, assignment_id, escape=False):
    """nbgrader's own reads an absolute folder as a pattern: it would not find one such as `c++` or `course (1)`."""
    step = re.escape(nbgrader_step) if escape and os.path.isabs(nbgrader_step) else nbgrader_step
    return _FORMAT_PATH(self, step, student_id, assignment_id, escape)
