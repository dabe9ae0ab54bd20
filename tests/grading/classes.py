"""Classes that the tests grade: a course directory with the tiny lab, what is handed in there, and the commands."""

import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import chdir, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

from nbgrader.api import Gradebook
from nbgrader.apps import NbGraderApp

from grading.__main__ import main
from tests.grading import tiny

ROOT = Path(__file__).parents[2]
CONFIG = f"""
import sys
c = get_config()
load_subconfig({str(ROOT / "nbgrader_config.py")!r})
c.CourseDirectory.source_directory = "labs"  # the tiny lab's
c.TwoRooms.solutions = {tiny.SOLUTIONS!r}
"""
MISTAKE = "def center(x, axis=0):\n    return x - x.mean()"
SLEEPS = "import time\ntime.sleep(2)"


@dataclass(frozen=True)
class Done:
    """How a command ended, and what it said."""

    status: int
    out: str
    err: str

    @property
    def error(self):
        """Its one line on standard error, after what the progress bar said there."""
        return self.err.splitlines()[-1] if self.err else ""


class Class:
    """A course directory.

    cluster  options of `grade` that name a cluster which is there already
    """

    def __init__(self, folder, lab, cluster=()):
        self.folder, self.lab, self.cluster = folder, lab, cluster
        self.url = f"sqlite:///{folder / 'gradebook.db'}"

    @classmethod
    def new(cls, given_out, folder, lab, cluster=(), config="", url=None):
        """A copy of a course in which the tiny lab was given out; with its gradebook elsewhere, if one is named."""
        shutil.copytree(given_out, folder)
        (folder / "nbgrader_config.py").write_text(CONFIG + config)
        course = cls(folder, lab, cluster)
        if url:
            course.keep_gradebook_in(url)
        return course

    @classmethod
    def of_an_earlier_release(cls, folder, lab, cluster=()):
        """The class that tests/grading/data/README.md describes."""
        shutil.unpack_archive(ROOT / "tests" / "grading" / "data" / "class_of_1c942c1.zip", folder)
        (folder / "nbgrader_config.py").write_text(f"{CONFIG}c.LateSubmissionPlugin.penalty_method = 'zero'\n")
        return cls(folder, lab, cluster)

    def keep_gradebook_in(self, url):
        """From now on the gradebook is this database."""
        self.url = url
        self.use(f"c.CourseDirectory.db_url = {url!r}\n")

    def use(self, config):
        """From now on the configuration says this too."""
        with (self.folder / "nbgrader_config.py").open("a") as file:
            file.write(config)

    def hand_in(self, student, notebook=None, stamp=None, **answers):
        """Hand in bytes, or the lab filled in as said (correctly where nothing is said). Returns the folder."""
        path = self.folder / "submitted" / student / tiny.NAME / f"{tiny.NAME}.ipynb"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(tiny.to_bytes(tiny.filled(self.lab, **answers)) if notebook is None else notebook)
        if stamp is not None:
            (path.parent / "timestamp.txt").write_text(stamp)
        return path.parent

    def grade(self, *options, lab=tiny.NAME):
        """`python -m grading grade`, in this process, with the tests' own cluster."""
        cluster = self.cluster if "--scheduler" not in options else []
        command = ["grade", lab, "--course-dir", str(self.folder), *cluster, *map(str, options)]
        return said(main, command)

    def run(self, command, *options):
        """`python -m grading COMMAND ...` on this class, in this process."""
        return said(main, [command, *map(str, options), "--course-dir", str(self.folder)])

    def nbgrader(self, *arguments):
        """`nbgrader ...` in this folder, but in this process, which has loaded already what takes it seconds."""
        with chdir(self.folder):
            return said(_nbgrader, list(arguments))

    def mark(self, student, center=2.0, spread=4.0, why=2.0, penalty=0.0, **about):
        """Put marks into the gradebook as if the lab had been handed in; None waits for a person."""
        with self.gradebook() as book, book.db.no_autoflush:
            book.update_or_create_student(student, **about)
            notebook = book.update_or_create_submission(tiny.NAME, student).notebooks[0]
            points = {"center-checks": center, "spread-checks": spread, "why": why}
            for grade in notebook.grades:
                grade.auto_score, grade.needs_manual_grade = points[grade.name], points[grade.name] is None
            notebook.late_submission_penalty = penalty
            book.db.commit()

    def start(self, *options, prefix=(), temporary=None):
        """The same as a process of its own, with a cluster of its own; it is not waited for."""
        command = [sys.executable, "-m", "grading", "grade", tiny.NAME, "--course-dir", self.folder, *options]
        return start([*prefix, *map(str, command)], TMPDIR=str(temporary or tempfile.gettempdir()))

    def records(self):
        """{student: record}, as --json has them, of all that was graded before."""
        from grading.course import Course

        with Course.at(self.folder).ledger() as ledger:
            return {record.student: record for record in ledger.records(tiny.NAME)}

    def marks(self):
        """{student: (center, spread, why)}: what the gradebook has from the grader."""
        with self.gradebook() as book:
            return {one.student.id: tuple(self._points(one)) for one in book.assignment_submissions(tiny.NAME)}

    def _points(self, submission):
        grades = {grade.name: grade.auto_score for grade in submission.notebooks[0].grades}
        return [grades[name] for name in ("center-checks", "spread-checks", "why")]

    def gradebook(self):
        return Gradebook(self.url)

    def graded(self, student):
        """The graded notebook, as text."""
        return (self.folder / "autograded" / student / tiny.NAME / f"{tiny.NAME}.ipynb").read_text()


def said(command, arguments):
    """Run a function that is a command, in this process. Returns Done."""
    with redirect_stdout(io.StringIO()) as out, redirect_stderr(io.StringIO()) as err:
        status = command(arguments)
    return Done(status, out.getvalue(), err.getvalue())


def _nbgrader(arguments):
    """nbgrader's exit status."""
    app = NbGraderApp()
    try:
        app.initialize(arguments)
        return app.subapp.start() or 0
    except SystemExit as end:
        return end.code
    finally:
        app.subapp.clear_instance()  # or the next one would have the options of this one


def start(command, folder=ROOT, **environment):
    """A process that says what it says to pipes; in the repository, where no other folder is named."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return subprocess.Popen(command, cwd=folder, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            env={**os.environ, "PATH": path, **environment})


def finished(process):
    """Wait for a process that was started. Returns Done."""
    out, err = process.communicate(timeout=120)
    return Done(process.returncode, out, err)


def keys(security, folder):
    """The options that name a Security's keys, which are written into a folder for that."""
    fields = {"ca": "tls_ca_file", "cert": "tls_client_cert", "key": "tls_client_key"}
    for name, field in fields.items():
        (folder / name).write_text(getattr(security, field))
    return [f"--tls-{name}={folder / name}" for name in fields]


def give_out(folder):
    """Make a course directory in which the tiny lab was given out, and nobody has handed in anything."""
    tiny.write(folder)
    (folder / "nbgrader_config.py").write_text(CONFIG)
    done = finished(start([sys.executable, "-m", "nbgrader", "generate_assignment", tiny.NAME,
                           f"--course-dir={folder}", f"--config={folder / 'nbgrader_config.py'}"]))
    assert done.status == 0, done.err


def found(path):
    """What --json wrote, by student."""
    return {record["student"]: record for record in json.loads(path.read_text())["records"]}
