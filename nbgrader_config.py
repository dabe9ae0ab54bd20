"""nbgrader's settings for this course, read by its commands, by formgrader and by `python -m grading`.

`make venv` has every nbgrader of its environment read them, whatever the folder; a class's folder may hold an
nbgrader_config.py of its own, whose settings come after these. So the labs are named by an absolute path: gradebook,
submissions and feedback are the class's own, labs and checks are always this repository's.
"""

import os
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
# `grading` is here, and nbgrader has put the current folder first, where a student's numpy.py might lie.
sys.path[:] = [str(HERE), *(place for place in sys.path if place not in ("", os.getcwd(), str(HERE)))]

import grading
from grading.front_door import take_over
from grading.lab import CODE_STUB, TEXT_STUB

if Path(grading.__file__).resolve().parents[1] != HERE:
    raise SystemExit(f"This environment grades by the course in {Path(grading.__file__).resolve().parents[1]}, this "
                     f"folder by the one in {HERE}: use the environment of that one, {HERE / '.venv'}.")
take_over()

c = get_config()  # noqa: F821, traitlets puts it here

c.CourseDirectory.course_id = "attention"
c.CourseDirectory.source_directory = str(HERE / "labs")  # a lab's notebook is its source: there is no second copy
c.CourseDirectory.release_directory = "release"

c.ExchangeFactory.collect = "grading.exchange.Collect"
c.ExchangeFactory.release_feedback = "grading.exchange.ReleaseFeedback"

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

c.TwoRooms.timezone = "UTC"      # the course's own, for deadlines that are given without one: "Europe/Berlin"
