"""The work on one submission, as a function that any process can run: a `Task` in, a `Result` out.

`autograde` runs it in its own process, `runner` in the worker processes of a Dask cluster.
"""

import functools
import hashlib
import json
import pickle
from dataclasses import dataclass, field

import nbformat

from grading import checking, marking
from grading.apart import Apart, StopsAll
from grading.choice import choose
from grading.lab import Lab
from grading.records import Record
from grading.room.limits import Limits
from grading.room.room import Rooms
from grading.submissions import fingerprint

MARGIN = 300.0  # seconds for all but a notebook's own cells and checks
UNSEEN = "The answers are not in this notebook, as a look at them failed: see what was handed in."


class OtherChecks(StopsAll):
    """This process would judge by other checks than the one that gave the task."""


@dataclass(frozen=True)
class Terms:
    """What is the same for a whole class: the lab, and how it is graded."""

    lab: Lab
    limits: Limits
    sandbox: bool
    packages: tuple
    seed: str
    checks: str

    @classmethod
    def of(cls, lab, settings):
        """From a lab and a `TwoRooms`."""
        return cls(lab, settings.limits(), settings.sandbox, settings.all_packages(), settings.seed,
                   checking.fingerprint(lab.name, lab.solutions, lab.cells))

    @property
    def seconds(self):
        """The longest that the work on a submission may take."""
        return 2 * self.limits.notebook + MARGIN

    @functools.cached_property
    def fingerprint(self):
        """A hash of all that judges: with another one, a submission is graded again."""
        files = {**self.lab.files, "notebook": nbformat.writes(self.lab.source).encode()}
        how = repr((self.checks, self.limits, self.packages, self.seed))
        return hashlib.sha256(f"{fingerprint({}, files)} {how}".encode()).hexdigest()


@dataclass(frozen=True)
class Task:
    """One submission, as it was read.

    notebooks  {relative path: bytes}: what may be the lab's notebook, as `submissions.HandedIn` has them
    files      {relative path: bytes}: helper files
    problems   sentences: what a person should look at
    unread     the traceback if it could not be read
    """

    student: str
    notebooks: dict = field(default_factory=dict)
    files: dict = field(default_factory=dict)
    problems: list = field(default_factory=list)
    unread: str | None = None

    @property
    def fingerprint(self):
        """A hash of what was handed in, whenever that was."""
        return fingerprint(self.notebooks, self.files)


@dataclass(frozen=True)
class Result:
    """The graded notebook as text, and what was found."""

    notebook: str
    record: Record


def packed(terms):
    """Terms to be sent with each task, for `work_packed`: they are read once in each process."""
    return pickle.dumps((terms, terms.fingerprint))


def work_packed(task, terms):
    """`work`, with terms that were `packed`. Called by the worker processes."""
    return work(task, _unpacked(terms))


@functools.lru_cache(maxsize=1)
def _unpacked(terms):
    return pickle.loads(terms)[0]


def work(task, terms, rooms=None):
    """Grade a submission. If that fails, for whatever reason, it waits for the instructor; the class goes on.

    Raises OtherChecks if this process holds other ones than `terms` was made with, SandboxError if it cannot shut
    student code in: then no submission can be graded.
    """
    mine = checking.fingerprint(terms.lab.name, terms.lab.solutions, terms.lab.cells)
    if mine != terms.checks:
        raise OtherChecks(f"checks: expected those with the hash {terms.checks[:12]}, this worker has {mine[:12]}: "
                          "bring its clone up to date and start it again")
    if task.unread:
        return given_up(task, terms, task.unread)
    rooms = rooms or _rooms(terms.limits, terms.sandbox, terms.packages)
    with Apart(task.student, "grade", terms.seconds) as apart:
        chosen = choose(task.notebooks, task.files, terms.lab)
        problems = [*task.problems, *chosen.problems]
        graded = marking.grade(chosen.notebook, terms.lab, chosen.files, problems, rooms, terms.seed or None,
                               chosen.notices)
        return result(graded, task, terms)
    rooms.close()  # nobody knows what state it is in
    return given_up(task, terms, apart.trace)


def given_up(task, terms, why):
    """The Result of a submission that could not be graded: it waits for the instructor, and is tried again."""
    with Apart(task.student, "grade", MARGIN) as apart:
        chosen = choose(task.notebooks, task.files, terms.lab)
        problems = [*task.problems, *chosen.problems]
        return result(marking.unmarked(chosen.notebook, terms.lab, problems, why, chosen.notices), task, terms)
    return untouched(task, terms, f"{why}\n{apart.trace}")


def untouched(task, terms, why):
    """The same without a look at the answers, where these are the trouble."""
    return result(marking.unmarked(None, terms.lab, [*task.problems, UNSEEN], why), task, terms)


def result(graded, task, terms):
    """What is kept of a `marking.Graded`."""
    record = Record.of(graded, task.student, terms.lab.name, task.fingerprint, terms.fingerprint)
    return Result(json.dumps(graded.notebook), record)  # nbformat would indent it, which takes ten times as long


_KEPT = {}


def _rooms(limits, sandbox, packages):
    """This process's sandbox: started for its first task, kept for the next ones. It ends with the process."""
    key = limits, sandbox, packages
    if key not in _KEPT:
        _KEPT[key] = Rooms(limits, sandbox, packages)
    return _KEPT[key]
