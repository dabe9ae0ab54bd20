"""`nbgrader autograde`, and formgrader's button, on top of `marking.grade`.

nbgrader stays the front door: which submissions are new, time stamps, late penalties, --force and --student, manual
marks and comments are its own. This converter replaces what it does with one submission.
"""

import glob
import os
import stat
from pathlib import Path

import nbformat
from nbgrader.api import Gradebook
from nbgrader.converters import Autograde
from nbgrader.converters.base import NbGraderException
from nbgrader.preprocessors import AssignLatePenalties
from nbgrader.utils import is_ignored
from traitlets import Unicode

from grading.lab import Lab
from grading.marking import grade
from grading.repair import SIZE_LIMIT

HELPER_LIMIT = 5 * 2**20   # bytes of one helper file
HELPERS_LIMIT = 20 * 2**20  # bytes of all
HELPER_COUNT = 50


class AutogradeInTwoRooms(Autograde):
    """nbgrader's converter, with student code in one process and the checks in another.

    It also grades a folder that holds no notebook, which nbgrader passes over, and never executes what it is not
    sure of: symbolic links, devices and files that are too large are refused, and the summary says so.
    """

    solutions = Unicode("solutions", help="The package that holds the checks of each lab.").tag(config=True)

    def start(self):
        self.summary, self._labs = [], {}
        try:
            super().start()
        finally:
            print(table(self.summary), end="")

    def init_notebooks(self):
        """One notebook a submission, named as the lab, whether or not it is there."""
        lab = self.coursedir.assignment_id
        folders = sorted(glob.glob(self._format_source(lab, self.coursedir.student_id)))
        self.assignments = {folder: [os.path.join(folder, f"{lab}.ipynb")] for folder in folders}
        if not folders:
            super().init_notebooks()  # raises, and says what it looked for

    def init_destination(self, assignment_id, student_id):
        """What a killed run left behind is not done: the notebook is written last."""
        excluded = student_id in self.coursedir.student_id_exclude.split(",")
        done = Path(self._format_dest(assignment_id, student_id), f"{assignment_id}.ipynb").exists()
        return not excluded and (not done or super().init_destination(assignment_id, student_id))

    def init_assignment(self, assignment_id, student_id):
        """Rows for the student and the submission. Nothing is copied here: `convert_single_notebook` does it."""
        timestamp = self.coursedir.get_existing_timestamp(self._format_source(assignment_id, student_id))
        stamp = {"timestamp": timestamp} if timestamp else {}
        with Gradebook(self.coursedir.db_url, self.coursedir.course_id) as gradebook:
            if self.create_student:
                gradebook.update_or_create_student(student_id)
            gradebook.update_or_create_submission(assignment_id, student_id, **stamp)

    def convert_single_notebook(self, notebook_filename):
        """Grade one submission, save its marks in one commit, then write the graded notebook."""
        folder = Path(notebook_filename).parent
        student = self.init_single_notebook_resources(notebook_filename)["nbgrader"]["student"]
        try:
            lab = self._lab(self.coursedir.assignment_id)
            submission, files, problems = read_submission(folder, lab.name, self.coursedir.ignore)
            graded = grade(submission, lab, files, problems=problems)
            self._save(graded, lab, student)
            self._write(graded, {**files, **lab.files}, lab, student, folder)
        except Exception as error:
            self.summary.append((student, "not graded", [f"grading failed: {error}"]))
            raise
        for mark in graded.marks.values():
            if mark.fault:
                self.log.error("%s", mark.fault)
        self.summary.append((student, total(graded), [*faults(graded), *graded.problems]))

    def _lab(self, name):
        if name not in self._labs:
            labs = Path(self.coursedir.format_path(self.coursedir.source_directory, ".", name)).parent
            self._labs[name] = Lab.read(labs, name, self.solutions)
        return self._labs[name]

    def _save(self, graded, lab, student):
        """All marks of a submission in one commit. Marks and comments that a person gave are not touched."""
        with Gradebook(self.coursedir.db_url, self.coursedir.course_id) as gradebook:
            notebook = gradebook.find_submission_notebook(lab.name, lab.name, student)
            expected, got = sorted(lab.points.items()), sorted((g.name, g.max_score) for g in notebook.grades)
            if expected != got:
                raise NbGraderException(f"gradebook: expected {expected}, got {got}: run nbgrader generate_assignment")
            for row in notebook.grades:
                row.auto_score = graded.marks[row.name].points
                row.needs_manual_grade = row.auto_score is None or row.manual_score is not None
            for row in notebook.comments:
                row.auto_comment = "No response." if row.name in graded.blank else None
            gradebook.db.flush()
            gradebook.db.expire_all()  # the score is computed from the new rows
            notebook.late_submission_penalty = self._penalty(notebook, student)
            gradebook.db.commit()

    def _penalty(self, notebook, student):
        """What nbgrader's late submission plugin takes off, as AssignLatePenalties has it, without its own commit."""
        seconds = notebook.assignment.total_seconds_late
        late = AssignLatePenalties(parent=self)
        late.init_plugin()
        penalty = late.plugin_inst.late_submission_penalty(student, notebook.score, seconds) if seconds > 0 else None
        return None if penalty is None else late._check_late_penalty(notebook, penalty)

    def _write(self, graded, files, lab, student, folder):
        """The graded notebook, and beside it what it was given, for who marks by hand."""
        dest = Path(self._format_dest(lab.name, student))
        stamp = folder / "timestamp.txt"  # nbgrader compares it to see whether a submission is newer
        for name, content in {**files, **({stamp.name: stamp.read_bytes()} if is_regular(stamp) else {})}.items():
            (dest / name).parent.mkdir(parents=True, exist_ok=True)
            _replace(dest / name, content)
        dest.mkdir(parents=True, exist_ok=True)
        _replace(dest / f"{lab.name}.ipynb", nbformat.writes(graded.notebook).encode())


def read_submission(folder, lab, ignore=()):
    """Read what a student handed in: (the notebook's bytes or None, {path: bytes} of helper files, problems)."""
    if not folder.is_dir():
        return None, {}, ["What was handed in is not a folder."]
    problems, helpers = [], {}
    notebook = _notebook(folder, lab, problems)
    for path in _paths(folder, ignore):
        relative = path.relative_to(folder).as_posix()
        if path.suffix == ".ipynb" or relative == "timestamp.txt":
            continue
        refusal = _refusal(path, helpers)
        if refusal is None:
            helpers[relative] = path.read_bytes()
        problems.append(f"Helper file {relative!r}: {refusal or 'given to the notebook'}.")
    return notebook, helpers, problems


def _notebook(folder, lab, problems):
    """The lab's notebook or, if there is none, the only other one."""
    others = sorted(path.name for path in folder.glob("*.ipynb") if path.name != f"{lab}.ipynb")
    name = f"{lab}.ipynb"
    if not os.path.lexists(folder / name) and others:
        which = f"{others[0]!r} was graded" if len(others) == 1 else f"which of {others} is it? None was graded"
        problems.append(f"There is no {name!r}: {which}.")
        name = others[0] if len(others) == 1 else name
    path = folder / name
    if os.path.lexists(path) and not is_regular(path):
        problems.append(f"{name!r} is no regular file: refused.")
        return None
    return _read_start(path) if path.exists() else None


def _read_start(path):
    with path.open("rb") as file:
        return file.read(SIZE_LIMIT + 1)  # one more than is allowed, so that `repair` sees that it is too large


def _paths(folder, ignore):
    for root, folders, files in os.walk(folder):  # does not follow links
        folders[:] = sorted(name for name in folders if not is_ignored(os.path.join(root, name), ignore))
        links = [name for name in folders if os.path.islink(os.path.join(root, name))]
        for name in sorted([*files, *links]):
            if not is_ignored(name, ignore):
                yield Path(root, name)


def _refusal(path, helpers):
    if not is_regular(path):
        return "refused, as it is no regular file"
    if path.stat().st_size > HELPER_LIMIT:
        return f"refused, as it is larger than {HELPER_LIMIT} bytes"
    if len(helpers) >= HELPER_COUNT or sum(map(len, helpers.values())) + path.stat().st_size > HELPERS_LIMIT:
        return f"refused, as there are more than {HELPER_COUNT} files or {HELPERS_LIMIT} bytes"
    return None


def is_regular(path):
    """A file that is no link, device or pipe: the only kind that is read."""
    return os.path.lexists(path) and stat.S_ISREG(os.lstat(path).st_mode)


def _replace(path, content):
    """Write a file in one step: nbgrader leaves its own read-only, and a killed run leaves no half of one."""
    part = path.with_name(f".{path.name}.part")
    part.write_bytes(content)
    part.replace(path)


def total(graded):
    """A submission's marks in words: "9.5 of 14, 2 by hand"."""
    given = sum(mark.points for mark in graded.marks.values() if mark.points is not None)
    possible = sum(mark.possible for mark in graded.marks.values())
    waiting = sum(mark.possible for mark in graded.marks.values() if mark.points is None)
    return f"{given:g} of {possible:g}" + (f", {waiting:g} by hand" if waiting else "")


def faults(graded):
    """A sentence for each check that failed: the course's fault, so the mark waits for the instructor."""
    failed = [grade_id for grade_id, mark in graded.marks.items() if mark.fault]
    return [f"NEEDS THE INSTRUCTOR: the check of {grade_id!r} failed, see the log." for grade_id in failed]


def table(rows):
    """The summary that is printed at the end of a run: student, mark, what was wrong."""
    widths = [max([len(row[i]) for row in rows], default=0) for i in (0, 1)]
    lines = [f"{student:{widths[0]}}  {mark:{widths[1]}}  {' '.join(notes)}".rstrip() for student, mark, notes in rows]
    return "".join(f"{line}\n" for line in lines)
