"""The tiny lab, and a function that grades submissions of it."""

import pytest
from sqlalchemy import create_engine

from grading.lab import Lab
from grading.marking import grade
from grading.room.limits import Limits
from grading.room.room import Rooms
from tests import needs
from tests.grading import classes, downloads, postgres, tiny

QUICK = Limits(cell=2.0, call=1.0, notebook=20.0, memory=512 * 2**20, processes=32, scratch=8 * 2**20)


@pytest.fixture(scope="session")
def lab(tmp_path_factory):
    """The tests' own lab: center 2 points, spread 4, a written question 2."""
    root = tmp_path_factory.mktemp("course")
    tiny.write(root)
    return Lab.read(root / "labs", tiny.NAME, tiny.SOLUTIONS)


@pytest.fixture(scope="session")
def databases(lab):
    """A function from a name to the address of a new PostgreSQL database, in which the tiny lab was given out."""
    from grading.records import Ledger

    with postgres.server() as address:
        with Ledger(make(address, "given_out", "template0"), "attention") as ledger:
            ledger.expect(lab)
        yield lambda name: make(address, name, "given_out")


def make(address, name, template):
    """A new database, as a copy of another. Returns its address."""
    engine = create_engine(address("postgres"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(f'CREATE DATABASE "{name}" TEMPLATE {template}')
    engine.dispose()
    return address(name)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=[needs.postgres, pytest.mark.nightly])])
def url(request, tmp_path):
    """Where a class keeps its gradebook: None for SQLite's file in its folder."""
    return request.getfixturevalue("databases")(tmp_path.name) if request.param == "postgres" else None


@pytest.fixture(scope="session")
def rooms():
    """One sandbox for all tests."""
    with Rooms(QUICK) as rooms:
        yield rooms


@pytest.fixture
def graded(lab, rooms):
    """Grade a submission of the tiny lab that is filled in as said; correctly where nothing is said."""
    def grade_filled(files=(), **answers):
        return grade(tiny.to_bytes(tiny.filled(lab, **answers)), lab, files, rooms=rooms)
    return grade_filled


@pytest.fixture
def regraded(lab, rooms):
    """Grade any notebook, or any bytes."""
    def grade_any(notebook, files=()):
        submission = notebook if isinstance(notebook, bytes | None) else tiny.to_bytes(notebook)
        return grade(submission, lab, files, rooms=rooms)
    return grade_any


@pytest.fixture(scope="session")
def given_out(tmp_path_factory):
    """A course directory in which the tiny lab was given out: `Class.new` copies it."""
    folder = tmp_path_factory.mktemp("given-out") / "course"
    classes.give_out(folder)
    return folder


@pytest.fixture
def term(given_out, tmp_path):
    """A class's folder that downloads are collected into."""
    return downloads.Term.new(given_out, tmp_path / "class")
