"""A course directory: what was handed in, what is done, where results go. `autograde` and `runner` both use it."""

import errno
import json
import os
import subprocess
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path

import nbformat
from nbgrader.coursedir import CourseDirectory

from grading import configuration, lateness
from grading.apart import Apart, printable
from grading.configuration import ConfigurationError
from grading.lab import Lab, names
from grading.marking import texts
from grading.marks import Mark, marks, maxima
from grading.records import Ledger
from grading.room.sandbox import keep_out
from grading.settings import TwoRooms
from grading.submissions import BAD_NAME, STUDENT, read_submission
from grading.work import Task, Terms

HELPERS = "handed-in-files"  # in autograded/: no import finds what is below such a name, wherever a kernel starts
BAD_PATH = (errno.EEXIST, errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG, errno.EILSEQ, errno.EINVAL)


class Course:
    """Where things are and how they are graded, as nbgrader's configuration has it."""

    def __init__(self, coursedir, config):
        self.coursedir, self.config, self.settings = coursedir, config, TwoRooms(config=config)

    @classmethod
    def at(cls, folder):
        """The course in a folder, configured as nbgrader is there. Raises ConfigurationError."""
        root = Path(folder).resolve()
        if not root.is_dir():
            raise ConfigurationError(f"class: expected a folder, got {root}, which is none: "
                                     f"python -m grading init {folder} makes it")
        config = configuration.load(root)
        config.CourseDirectory.root = str(root)
        return cls(CourseDirectory(config=config), config)

    def labs(self):
        """The names of all labs, sorted. Raises ConfigurationError if the folder that holds them is not there."""
        if not self.labs_folder.is_dir():
            raise ConfigurationError(f"labs: expected a folder, got {self.labs_folder}, which is none: write into "
                                     f"{Path(self.coursedir.root, configuration.NAME)} where they are now")
        return names(self.labs_folder)

    def lab(self, name):
        """A lab. Raises ConfigurationError, or ValueError naming those that there are."""
        if name not in self.labs():
            raise ValueError(f"lab: expected one of {self.labs()}, got {name!r}")
        return Lab.read(self.labs_folder, name, self.settings.solutions)

    def terms(self, name):
        """What is the same for the whole class. Raises ValueError if there is no such lab.

        Raises SandboxError if student code could read the course.
        """
        if self.settings.sandbox:
            keep_out(self.coursedir.root, self.settings.all_packages())
        return Terms.of(self.lab(name), self.settings)

    @property
    def labs_folder(self):
        """Where the labs are."""
        return Path(self.coursedir.format_path(self.coursedir.source_directory, ".", "*")).parent

    def ledger(self):
        """The gradebook, to be opened with `with`."""
        return Ledger(self.coursedir.db_url, self.coursedir.course_id)

    def students(self, lab, step=None):
        """Who has a folder of this lab among what was handed in, or in another of nbgrader's folders; sorted."""
        pattern = self.coursedir.format_path(step or self.coursedir.submitted_directory, "*", lab)
        level = Path(pattern).parts.index("*")
        return sorted(path.parts[level] for path in Path(*Path(pattern).parts[:level]).glob(f"*/{lab}"))

    def submitted(self, lab, student):
        """The folder that a student handed in."""
        return Path(self.coursedir.format_path(self.coursedir.submitted_directory, student, lab))

    def autograded(self, lab, student):
        """The folder that the graded notebook is written to."""
        return Path(self.coursedir.format_path(self.coursedir.autograded_directory, student, lab))

    def feedback(self, lab, student):
        """The page that the student is given back."""
        folder = self.coursedir.format_path(self.coursedir.feedback_directory, student, lab)
        return Path(folder, f"{lab}.html")

    def task(self, lab, student):
        """Read what a student handed in."""
        with Apart(student, "read") as apart:
            found = read_submission(self.submitted(lab, student), lab, self.coursedir.ignore)
            return Task(student, found.notebooks, found.files, found.problems)
        return Task(student, problems=[f"What was handed in {apart.what}."], unread=apart.trace)

    def is_done(self, record, task, terms):
        """Was this very submission graded by these very checks, and is the graded notebook still there?"""
        with Apart(task.student, "record"):
            same = record and (record.submission, record.checks) == (task.fingerprint, terms.fingerprint)
            return bool(same and record.done and self._notebook(record.lab, record.student).exists())
        return False

    def deliver(self, ledger, result, task, terms, before=None):
        """Write the graded notebook, then the marks: those make it done. Called by one process only.

        before  the Record that this one replaces
        """
        record = result.record
        changed = record.changed(self._with_texts(before))
        folder, notebook = self.autograded(record.lab, record.student), self._notebook(record.lab, record.student)
        part = folder.with_name(f".{folder.name}.part")  # what is cut short never stands where the notebook should
        remove(part)
        helpers = {f"{HELPERS}/{name}": content for name, content in task.files.items()}
        write_files(part, {notebook.name: result.notebook.encode(), **helpers, **terms.lab.files})
        remove(folder)
        part.rename(folder)
        ledger.save(record, changed)

    def _with_texts(self, record):
        """A Record of an earlier release did not say what the answers were: the graded notebook holds them."""
        if record is None or record.work:
            return record
        with Apart(record.student, "record"):
            notebook = nbformat.from_dict(json.loads(self._notebook(record.lab, record.student).read_bytes()))
            return replace(record, texts=texts(notebook))
        return record

    def conclude(self, ledger, lab, rows):
        """Settle who is late. Returns the summary's rows with that, also of those graded before, and more sentences.

        The marks in the rows become those that the gradebook has by then, with what a person gave.
        """
        problems = lateness.settle(ledger.book, self.config, [lab])
        late, there = lateness.of(ledger.book, lab), {student for student, _, _ in rows}
        given, possible = marks(ledger.book, lab), maxima(ledger.book, lab)
        said = {student: [str(one)] for student, one in late.items() if one.seconds}
        rows = [*rows, *((student, "", []) for student in said if student in given and student not in there)]
        words = {student: one.in_words(possible) for student, one in given.items()}
        return ([(student, words.get(student, points), [*notes, *said.get(student, [])])
                 for student, points, notes in rows],
                [*problems, *lateness.unknown(late, lab)])

    def _notebook(self, lab, student):
        return self.autograded(lab, student) / f"{lab}.ipynb"


def chosen(students, coursedir):
    """Those whom --student and student_id_exclude mean. coursedir: nbgrader's CourseDirectory."""
    excluded = coursedir.student_id_exclude.split(",")
    return [one for one in students if fnmatchcase(one, coursedir.student_id or "*") and one not in excluded]


def write_files(folder, files):
    """Write {relative path: bytes}, but for those that cannot be, as their names or those before do not allow it."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        try:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)
        except OSError as error:
            if error.errno not in BAD_PATH:
                raise


def remove(folder):
    """Remove a folder, if it is there, however deep a student has made it: shutil goes down by recursion, and stops.

    Raises OSError.
    """
    if os.path.lexists(folder):
        done = subprocess.run(["rm", "-rf", "--", folder], capture_output=True, check=False)
        if done.returncode:
            raise OSError(done.stderr.decode(errors="replace").strip())


def refused(students):
    """What the summary says of those whose folder has a name that cannot be used."""
    return [(repr(student), "not graded", [BAD_NAME]) for student in students if not STUDENT.fullmatch(student)]


def line(record, before=None):
    """What the summary says of a submission: (student, mark, notes)."""
    return record.student, mark(record), [*change(record, before), *faults(record), *record.problems, *record.notices]


def mark(record):
    """The mark in words, as the checks have it: "9.5 of 14, 2 by hand"."""
    points, possible = ({name: one[what] for name, one in record.marks.items()} for what in ("points", "possible"))
    return Mark(points, 0.0).in_words(possible)


def change(record, before):
    """A sentence if an earlier mark is replaced, with both."""
    if before is None or before.faulty:
        return []
    again = before.work not in ("", record.work)  # an earlier release did not note it
    why = "Handed in again" if again else "The checks changed" if before.checks != record.checks else "Graded again"
    if before.points != record.points:
        return [f"{why}: was {before.points:g}, now {record.points:g}."]
    return [f"{why}: same mark."] if again else []


def faults(record):
    """A sentence for each check that failed: not the student's fault, so the mark waits for the instructor."""
    return [f"NEEDS THE INSTRUCTOR: {grade_id!r} could not be checked, see the report." for grade_id in record.faulty]


def table(rows):
    """The summary that is printed at the end of a run: student, mark, notes."""
    widths = [max([len(row[i]) for row in rows], default=0) for i in (0, 1)]
    lines = [f"{student:{widths[0]}}  {mark:{widths[1]}}  {' '.join(notes)}".rstrip() for student, mark, notes in rows]
    return "".join(f"{printable(line)}\n" for line in lines)
