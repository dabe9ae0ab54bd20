"""A class of 200, by the command that an instructor types: every sixth attack, with honest students around each."""

import pytest

from grading.course import write_files
from tests import needs
from tests.attacks.attack import NOTEBOOK, WRONG
from tests.attacks.corpus import ATTACKS
from tests.grading import tiny
from tests.grading.classes import Class

pytestmark = [needs.bubblewrap, pytest.mark.sampled("walk")]

LIMITS = """
c.TwoRooms.cell, c.TwoRooms.call, c.TwoRooms.notebook, c.TwoRooms.cpu = 2.0, 2.0, 4.0, 4.0
c.TwoRooms.memory, c.TwoRooms.processes, c.TwoRooms.files, c.TwoRooms.scratch = 384, 32, 128, 16
"""
HONEST = {  # what they wrote, and what it earns
    "blank": ({"center": None, "spread": None, "why": None}, (0, 0, 0)),
    "mistaken": ({"center": WRONG}, (0, 4, None)),
    "right": ({}, (2, 4, None)),
}


def students(lab):
    """(name, folder that is handed in, points) of each. By name, an attack comes after one who is honest, before two.

    The points of an attack are those for (center, spread) that it earns at most.
    """
    for number, attack in enumerate(ATTACKS[::6]):
        yield f"{number:02}-hostile", attack.folder(lab), attack.honest
        for kind, (answers, points) in HONEST.items():
            yield f"{number:02}-{kind}", {NOTEBOOK: tiny.to_bytes(tiny.filled(lab, **answers))}, points


@pytest.fixture(scope="module")
def graded_class(given_out, tmp_path_factory, lab):
    """What each of them should have, and what each has: {name: points}, twice."""
    course = Class.new(given_out, tmp_path_factory.mktemp("class") / "course", lab, config=LIMITS)
    expected = {}
    for student, folder, points in students(lab):
        expected[student] = points
        write_files(course.folder / "submitted" / student / tiny.NAME, folder)
    process = course.start()
    said = process.communicate()
    assert process.returncode == 0, said
    return expected, course.marks()


def honest(marks):
    return {student: points for student, points in marks.items() if "hostile" not in student}


def test_a_class_of_200_is_graded_to_its_end_whatever_is_handed_in(graded_class):
    expected, got = graded_class
    assert got.keys() == expected.keys() and len(got) >= 200


def test_every_honest_student_among_hostile_ones_has_the_right_mark(graded_class):
    expected, got = graded_class
    assert honest(got) == honest(expected)


def test_no_hostile_student_of_the_class_has_more_than_was_earned(graded_class):
    expected, got = graded_class
    hostile = {student: points for student, points in expected.items() if "hostile" in student}
    assert all(got[student][i] <= most for student, points in hostile.items() for i, most in enumerate(points))
