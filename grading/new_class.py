"""`python -m grading init FOLDER`: a folder for a class, apart from this repository. Nothing is copied into it."""

import os
from pathlib import Path

from grading import configuration, owned
from grading.configuration import NAME, ConfigurationError
from grading.course import Course

ABOUT = '''\
"""Settings of this class: nbgrader, formgrader and `python -m grading` read them when they are started in this folder.

The first lines lead to the course, whose labs and checks are used from where they are. Yours come after them.
"""

'''
SETTINGS = '''
c = get_config()

# The time zone of deadlines, and of times that a platform gives, where they name none.
# c.TwoRooms.timezone = "Europe/Berlin"

# What handing in late costs: "zero" takes all points. Without a line nothing is taken.
# c.LateSubmissionPlugin.penalty_method = "zero"

# What one submission may use.
# c.TwoRooms.memory = 4096  # MB
'''


def init(folder):
    """Make it a class's folder, or look at one that is. Nothing that is there is changed.

    Returns what there is, as lines. Raises ConfigurationError if the folder, or a configuration in it, is not in your
    hands alone, or names labs that are not there.
    """
    folder = Path(os.path.abspath(folder))
    _refuse(owned.trouble(next(place for place in [folder, *folder.parents] if place.exists())))
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    _refuse(owned.trouble_with_folder(folder))
    new = not (folder / NAME).exists()
    if new:
        advice = "write into {__file__} where the course is now"
        (folder / NAME).write_text(ABOUT + configuration.pointer(advice) + SETTINGS, encoding="utf-8")
    return [f"{folder / NAME}: {'written' if new else 'found, and left as it is'}", *_found(Course.at(folder))]


def _refuse(why):
    if why:
        raise ConfigurationError(f"class: expected a folder in your hands alone: {why}")


def _found(course):
    """What the class has: labs, a gradebook, submissions; and whether others can read all that."""
    labs, folder, root = course.labs(), course.labs_folder, course.coursedir.root
    if os.stat(root).st_mode & 0o77:
        yield f"{root}: others can read it, records of people too: chmod go-rwx {root}"
    yield f"{folder}: {len(labs)} labs"
    yield f"{course.coursedir.db_url}: the gradebook"
    for lab in labs:
        if students := course.students(lab):
            yield f"{lab}: {len(students)} have handed in"
