"""nbgrader's settings for this course, read by its command line and by formgrader.

Run nbgrader in this folder, or in another course directory with `--course-dir`: the gradebook, submissions and
feedback are that directory's own, the checks are always this repository's.
"""

import sys
from pathlib import Path

import nbgrader.apps.api
import nbgrader.apps.autogradeapp
from nbconvert.preprocessors import CSSHTMLHeaderPreprocessor
from nbgrader.preprocessors import GetGrades

sys.path.insert(0, str(Path(__file__).resolve().parent))  # nbgrader's command does not look for `grading` here

from grading.autograde import AutogradeInTwoRooms
from grading.feedback import HideFromStudents
from grading.lab import CODE_STUB, TEXT_STUB

c = get_config()  # noqa: F821, traitlets puts it here

c.CourseDirectory.course_id = "attention"
c.CourseDirectory.source_directory = "labs"      # a lab's notebook is its source: there is no second copy
c.CourseDirectory.release_directory = "release"

# What stands in place of a solution. One exception says "not done yet" to students, checks and tests alike.
c.ClearSolutions.code_stub = {"python": CODE_STUB}
c.ClearSolutions.text_stub = TEXT_STUB

# nbgrader makes its converter by these two names, for the command line and for formgrader, and has no setting for it.
nbgrader.apps.autogradeapp.Autograde = nbgrader.apps.api.Autograde = AutogradeInTwoRooms

# Formgrader shows marking schemes, the feedback does not.
c.GenerateFeedback.preprocessors = [GetGrades, HideFromStudents, CSSHTMLHeaderPreprocessor]
