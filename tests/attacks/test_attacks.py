"""The hostile corpus against our grader: no more than is earned, nothing read, no neighbour hurt, in bounded time."""

import json
import os
import tempfile

import psutil
import pytest

from grading.marking import grade
from grading.room.room import Rooms
from tests import needs
from tests.attacks.attack import SMALL
from tests.attacks.canaries import Canaries, broken_walls, markup, shown
from tests.attacks.corpus import ATTACKS
from tests.grading import tiny

pytestmark = needs.bubblewrap

SLACK = 8.0  # seconds: to make rooms and end them, on a machine that has other things to do


@pytest.fixture(scope="module")
def canaries(tmp_path_factory, lab):
    """Secrets all around the grader, also in its environment; and its temporary files apart from others'."""
    top, scratch = tmp_path_factory.mktemp("canaries"), tmp_path_factory.mktemp("scratch")
    with pytest.MonkeyPatch.context() as patch, Canaries(top / "course", top / "home", lab) as canaries:
        canaries.plant()
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
def neighbour(lab, rooms, canaries):
    """What grading the honest neighbour gives before any attack, and a function that grades it again."""
    def grade_neighbour():
        graded = grade(canaries.neighbour, lab, rooms=rooms)
        return json.dumps(graded.notebook), tiny.points(graded)

    unharmed = grade_neighbour()
    assert unharmed[1] == (2, 4, None)
    return unharmed, grade_neighbour


@pytest.mark.sampled("attack")
@pytest.mark.parametrize("attack", ATTACKS, ids=str)
def test_it_earns_what_is_honest_reads_nothing_and_is_over_in_time(attack, lab, rooms, canaries, neighbour):
    submission, (unharmed, grade_neighbour) = attack.submission(lab, canaries.port), neighbour
    graded = grade(submission, lab, attack.files, rooms=rooms)
    assert_earned(attack, tiny.points(graded)[:2])
    assert canaries.read_in("\n".join([shown(graded.notebook), *graded.problems])) == []
    assert broken_walls(graded.notebook) == [] and markup(graded.notebook) == []
    assert canaries.harmed() == [] and canaries.heard == []
    assert graded.seconds < 2 * SMALL.notebook + SLACK
    assert len(json.dumps(graded.notebook)) < 3 * SMALL.output + len(submission or b"")
    assert grade_neighbour() == unharmed


def test_nothing_is_left_of_any_attack(before, rooms, canaries):
    rooms.close()
    _, alive = psutil.wait_procs(descendants() - before, timeout=1)
    assert alive == [] and os.listdir(tempfile.gettempdir()) == []


def assert_earned(attack, points):
    assert all(got <= honest for got, honest in zip(points, attack.honest, strict=True)), "more than its honest part"
    assert points == attack.honest or not attack.exact, "less than its honest part"


def descendants():
    """The processes that this one has brought into the world."""
    return set(psutil.Process().children(recursive=True))
