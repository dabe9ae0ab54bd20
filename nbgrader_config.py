"""nbgrader's settings for this course, read by its command line and by formgrader.

Run nbgrader in this folder, or in another course directory with `--course-dir`: the gradebook, submissions and
feedback are that directory's own, the checks are always this repository's.
"""

import sys
from pathlib import Path

import nbgrader.apps.api
import nbgrader.apps.autogradeapp

sys.path.insert(0, str(Path(__file__).resolve().parent))  # nbgrader's command does not look for `grading` here

from grading.autograde import AutogradeInTwoRooms
from grading.feedback import HideFromStudents
from grading.lab import CODE_STUB, TEXT_STUB
from grading.pages import FeedbackPage, GetGradesAndWaiting, protect_formgrader

c = get_config()  # noqa: F821, traitlets puts it here

c.CourseDirectory.course_id = "attention"
c.CourseDirectory.source_directory = "labs"      # a lab's notebook is its source: there is no second copy
c.CourseDirectory.release_directory = "release"

# What stands in place of a solution. One exception says "not done yet" to students, checks and tests alike.
c.ClearSolutions.code_stub = {"python": CODE_STUB}
c.ClearSolutions.text_stub = TEXT_STUB

# What one submission may use, all of its processes together. grading/room/limits.py says what each limit means.
c.TwoRooms.cell = 60             # seconds for one cell
c.TwoRooms.call = 20             # seconds for one call of a function by a check
c.TwoRooms.notebook = 600        # seconds for all cells, and as much again for all checks
c.TwoRooms.cpu = 600             # seconds of processor time
c.TwoRooms.memory = 2048         # MB
c.TwoRooms.processes = 64        # processes and threads
c.TwoRooms.files = 512           # open files
c.TwoRooms.scratch = 64          # MB that the cells may write to disk
c.TwoRooms.cell_output = 100_000  # characters that one cell may show
c.TwoRooms.output = 10           # MB that all cells may show, pictures included

# nbgrader makes its converter by these two names, for the command line and for formgrader, and has no setting for it.
nbgrader.apps.autogradeapp.Autograde = nbgrader.apps.api.Autograde = AutogradeInTwoRooms

# Pages that are safe to open, whatever was handed in. Formgrader shows marking schemes, the feedback does not.
c.GenerateFeedback.exporter_class = FeedbackPage
c.GenerateFeedback.preprocessors = [GetGradesAndWaiting, HideFromStudents]
protect_formgrader()
