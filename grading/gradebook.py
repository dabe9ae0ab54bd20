"""Beneath `records` and `lateness`: the tables that stand beside nbgrader's own, and errors that can be read.

    two_rooms        the Record of each submission: what each mark was given for
    two_rooms_times  when somebody handed in; and more time for who has handed in nothing yet
    two_rooms_again  who is still to be graded again, in a run with --force
    desk_rubric      a class's own rubric of a written question, and desk_chosen: which of its items an answer earned

nbgrader makes them with its own, as they have the same base, and otherwise never looks at them.
"""

import sqlite3
import sys
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path

from nbgrader.api import Base
from sqlalchemy import Column, DateTime, Interval, String, Text, event, inspect
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, SQLAlchemyError, StatementError

from grading.apart import StopsAll


class LedgerError(RuntimeError):
    """The gradebook cannot be used as it is, or not for this; the text says what to do, in one line."""


class NoGradebook(LedgerError, StopsAll):
    """It can be used for nothing, as it is locked, or gone."""


class Row(Base):
    """What was found in a submission."""

    __tablename__ = "two_rooms"

    lab = Column(String(128), primary_key=True)
    student = Column(String(128), primary_key=True)
    content = Column(Text(), nullable=False)  # a Record as JSON


class Times(Base):
    """What is known of a student's time in a lab, whether or not nbgrader has a row for the submission."""

    __tablename__ = "two_rooms_times"

    lab = Column(String(128), primary_key=True)
    student = Column(String(128), primary_key=True)
    handed_in = Column(DateTime())  # UTC
    how = Column(Text())            # who says so: "Moodle's grading worksheet"; without a time, who says it was late
    extension = Column(Interval())  # until nbgrader has a row that holds it, see `lateness.settle`


class Again(Base):
    """A submission that a run with --force has still to grade again."""

    __tablename__ = "two_rooms_again"

    lab = Column(String(128), primary_key=True)
    student = Column(String(128), primary_key=True)


class RubricRow(Base):
    """The items of a question's rubric, as somebody who marks has made them."""

    __tablename__ = "desk_rubric"

    lab = Column(String(128), primary_key=True)
    question = Column(String(128), primary_key=True)
    content = Column(Text(), nullable=False)  # pairs of a `Rubric` as JSON


class ChosenRow(Base):
    """What an answer earned of them."""

    __tablename__ = "desk_chosen"

    notebook = Column(String(32), primary_key=True)  # id of nbgrader's submitted notebook
    question = Column(String(128), primary_key=True)
    content = Column(Text(), nullable=False)  # numbers of items as JSON


@event.listens_for(Base.metadata, "before_create")
def keep_a_copy(metadata, connection, tables, **_):
    """Copy an SQLite gradebook that an earlier release made before a table is added to it, whoever opens it."""
    is_file, is_old = connection.dialect.name == "sqlite", Times.__table__ in tables
    if not (is_file and is_old and inspect(connection).get_table_names()):
        return
    path = connection.exec_driver_sql("PRAGMA database_list").first().file
    copy = Path(f"{path}.{datetime.now():%Y%m%d-%H%M%S}.bak")
    with closing(sqlite3.connect(path)) as book, closing(sqlite3.connect(copy)) as kept:
        book.backup(kept)
    print(f"{path} was made by an earlier release: a copy is kept beside it, {copy.name}.", file=sys.stderr)


ADVICE = {  # what a database says: what to do
    "locked": "another program, such as formgrader, is writing into it: run this again in a moment",
    "readonly": "it may only be read: allow writing to it and to its folder",
    "read-only": "it may only be read: allow writing to it and to its folder",
    "full": "make space on the disk, then run this again",
    "no such": "it is of another version of nbgrader: run nbgrader db upgrade",
    "does not exist": "if it is of another version of nbgrader, run nbgrader db upgrade",
}


@contextmanager
def in_one_line(url, db=None):
    """Turn what a database raises into a LedgerError that can be read; the session `db` can be used afterwards."""
    try:
        yield
    except (SQLAlchemyError, sqlite3.Error, ImportError) as error:
        if db is not None:
            db.rollback()
        said = " ".join(str(getattr(error, "orig", error)).split())
        advice = [what for word, what in ADVICE.items() if word in said]
        kind = LedgerError if _is_about_values(error) else NoGradebook
        raise kind(": ".join([f"gradebook {shown(url)}", said, *advice[:1]])) from error


def _is_about_values(error):
    """Does a database refuse what is to be written, and not that anything is?"""
    unsent = isinstance(error, StatementError) and not isinstance(error, DBAPIError)
    return unsent or isinstance(error, DataError | IntegrityError)


def shown(url):
    """A database's address without its password."""
    try:
        return make_url(url).render_as_string(hide_password=True)
    except SQLAlchemyError:
        return repr(url)
