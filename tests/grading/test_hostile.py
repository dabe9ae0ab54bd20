"""The hostile corpus against our grader: no more than is earned, nothing read, no neighbour hurt, in bounded time."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import nbformat
import pytest
from nbgrader.api import Gradebook

from grading.marking import grade
from grading.room.room import Rooms
from tests import needs
from tests.grading import hostile, tiny
from tests.grading.awkward import AWKWARD
from tests.grading.hostile import ATTACKS, SMALL, Canaries

pytestmark = needs.bubblewrap

SLACK = 8.0  # seconds: to make rooms and end them, on a machine that has other things to do


@pytest.fixture(scope="module")
def canaries(tmp_path_factory, lab):
    """Secrets all around the grader, also in its environment; and its temporary files apart from others'."""
    top = tmp_path_factory.mktemp("canaries")
    scratch = top / "scratch"
    scratch.mkdir()
    with pytest.MonkeyPatch.context() as patch, Canaries(top / "course", top / "home", lab) as canaries:
        canaries.plant()
        canaries.scratch = scratch
        for name, value in canaries.environment.items():
            patch.setenv(name, value)
        patch.setattr(tempfile, "tempdir", str(scratch))
        yield canaries


@pytest.fixture(scope="module")
def before():
    """The processes of tests in other files."""
    return descendants()


@pytest.fixture(scope="module")
def rooms(before, canaries):
    """One sandbox for all, as a grader of a class has."""
    with Rooms(SMALL) as rooms:
        yield rooms


@pytest.fixture(scope="module")
def roomy(canaries):
    """One sandbox with the limits that a course has."""
    with Rooms() as rooms:
        yield rooms


@pytest.fixture(scope="module")
def neighbour(lab, rooms, canaries):
    """Grades the honest neighbour, and returns the graded notebook as text, and the marks."""
    def grade_neighbour():
        graded = grade(canaries.neighbour, lab, rooms=rooms)
        return nbformat.writes(graded.notebook), tiny.points(graded)

    before = grade_neighbour()
    assert before[1] == (2, 4, None)
    return lambda: (before, grade_neighbour())


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: f"{attack.kind}: {attack.aim}")
def test_it_earns_what_is_honest_reads_nothing_and_is_over_in_time(attack, lab, rooms, canaries, neighbour):
    graded = grade(attack.submission(lab, canaries.port), lab, attack.files, rooms=rooms)
    assert_earned(attack, tiny.points(graded)[:2])
    assert canaries.read_in(given_back(graded)) == [] and hostile.broken_walls(graded.notebook) == []
    assert hostile.markup(graded.notebook) == []
    assert canaries.harmed() == [] and canaries.heard == []
    assert graded.seconds < 2 * SMALL.notebook + SLACK
    assert len(nbformat.writes(graded.notebook)) < 3 * SMALL.output + len(attack.submission(lab) or b"")
    before, after = neighbour()
    assert after == before


def test_nothing_is_left_of_any_attack(before, rooms, canaries):
    rooms.close()
    assert list(canaries.scratch.iterdir()) == [] and set(descendants()) <= set(before)


@pytest.mark.parametrize("oddity", AWKWARD)
def test_honest_but_awkward_work_loses_nothing(oddity, lab, roomy):
    submission = tiny.to_bytes(tiny.filled(lab, **AWKWARD[oddity]))
    assert tiny.points(grade(submission, lab, rooms=roomy)) == (2, 4, None)


# A class, by the command that an instructor types: every sixth attack, and honest students before and after each.

CONFIG = f"""
c = get_config()
load_subconfig({str(Path(__file__).parents[2] / "nbgrader_config.py")!r})
c.TwoRooms.solutions = {tiny.SOLUTIONS!r}
c.TwoRooms.cell, c.TwoRooms.call, c.TwoRooms.notebook, c.TwoRooms.cpu = 2.0, 2.0, 4.0, 4.0
c.TwoRooms.memory, c.TwoRooms.processes, c.TwoRooms.files, c.TwoRooms.scratch = 384, 32, 128, 16
"""
CLASS = 200
HONEST = {  # what they wrote, and what it earns
    "right": ({}, (2, 4, None)),
    "mistaken": ({"center": hostile.WRONG}, (0, 4, None)),
    "blank": ({"center": None, "spread": None, "why": None}, (0, 0, 0)),
}


def students(lab):
    """(name, submission, helper files, points, whether it is an attack) of 200, attacks among honest ones."""
    attacks, names = iter(ATTACKS[::6]), list(HONEST)
    for number in range(CLASS):
        attack = next(attacks, None) if number % 5 in (1, 3) else None
        if attack:
            yield f"{number:03}-hostile", attack.submission(lab), attack.files, (*attack.honest, None), True
        else:
            kind = names[number % 3]
            answers, points = HONEST[kind]
            yield f"{number:03}-{kind}", tiny.to_bytes(tiny.filled(lab, **answers)), {}, points, False


@pytest.fixture(scope="module")
def graded_class(tmp_path_factory, lab):
    """(what each should have, and who attacks; what each has) after `python -m grading grade`."""
    course = tmp_path_factory.mktemp("class")
    tiny.write(course)
    (course / "nbgrader_config.py").write_text(CONFIG)
    expected = {}
    for student, submission, files, points, is_attack in students(lab):
        for name, content in {f"{tiny.NAME}.ipynb": submission, **files}.items():
            path = course / "submitted" / student / tiny.NAME / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content) if content is not None else None
        expected[student] = points, is_attack
    for words in (["nbgrader", "generate_assignment", tiny.NAME], ["grading", "grade", tiny.NAME]):
        done = subprocess.run([sys.executable, "-m", *words, f"--course-dir={course}"], capture_output=True, text=True,
                              cwd=Path(__file__).parents[2], check=False)
        assert done.returncode == 0, done.stderr
    return expected, {student: earned(course, student) for student in expected}


def earned(course, student):
    """The points in the gradebook, as (center, spread, written question); None where a person has yet to mark."""
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as book:
        grades = book.find_submission_notebook(tiny.NAME, tiny.NAME, student).grades
        points = {grade.name: grade.auto_score for grade in grades}
    return points["center-checks"], points["spread-checks"], points["why"]


def test_a_class_of_200_is_graded_to_its_end_whatever_is_handed_in(graded_class):
    expected, got = graded_class
    assert sum(is_attack for _, is_attack in expected.values()) >= 46 and len(got) == CLASS


def test_every_honest_student_among_hostile_ones_has_the_right_mark(graded_class):
    expected, got = graded_class
    assert {student: got[student] for student, (_, is_attack) in expected.items() if not is_attack} == {
        student: points for student, (points, is_attack) in expected.items() if not is_attack}


def test_no_hostile_student_of_the_class_has_more_than_was_earned(graded_class):
    expected, got = graded_class
    marks = [(got[student][:2], points[:2]) for student, (points, is_attack) in expected.items() if is_attack]
    assert all(center <= most[0] and spread <= most[1] for (center, spread), most in marks)


def assert_earned(attack, points):
    assert all(got <= honest for got, honest in zip(points, attack.honest, strict=True)), "more than its honest part"
    assert points == attack.honest or not attack.exact, "less than its honest part"


def given_back(graded):
    """All of a graded notebook that its student gets to see, besides their own text."""
    return "\n".join([hostile.shown(graded.notebook), *graded.problems])


def descendants():
    """Processes that this one has brought into the world, and that still live."""
    parents = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rpartition(") ")[2].split()
        except OSError:
            continue
        if fields[0] != "Z":
            parents[int(folder.name)] = int(fields[1])
    born, new = set(), {os.getpid()}
    while new:
        new = {pid for pid, parent in parents.items() if parent in new}
        born |= new
    return sorted(born)
