"""How fast a class is graded, against stock nbgrader: `make bench`.

A class for lab 01 is made up: a quarter each of solved, half solved, mistaken and blank notebooks. `nbgrader autograde`
as it comes grades a sample, `python -m grading grade` everybody, both from cold, on this machine. Both are given the
same notebooks and the same hidden tests, and the marks that leave no room for judgement must be right with both.
"""

import argparse
import copy
import importlib
import inspect
import itertools
import json
import os
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import psutil
from nbformat import v4
from nbgrader.api import Gradebook

from grading.configuration import AS_IT_COMES
from grading.demo import answered
from grading.lab import CODE_STUB, TEXT_STUB, Lab, exercise_of, graded, meta, solution
from grading.release import run_nbgrader, with_tools

ROOT = Path(__file__).resolve().parents[1]
LAB = "lab01_additive_attention"
SAMPLE = 12  # three of each kind: enough that nbgrader's start counts for little
LOOK = 0.05  # seconds between two looks at a command's memory

# Stock nbgrader, told only what the notebooks look like.
STOCK = f"""c = get_config()
c.CourseDirectory.source_directory = "labs"
c.ClearSolutions.code_stub = {{"python": {CODE_STUB!r}}}
c.ClearSolutions.text_stub = {TEXT_STUB!r}
"""


@dataclass(frozen=True)
class Submission:
    """A notebook, and the marks {grade_id: points} that it must get from any grader; None: a person gives them."""

    student: str
    notebook: object
    certain: dict


@dataclass(frozen=True)
class Timing:
    """How long a command took for how many submissions, and the most memory (bytes) that its own process had."""

    grader: str
    submissions: int
    workers: int
    seconds: float
    memory: int

    @property
    def rate(self):
        """Submissions per second, start-up included."""
        return self.submissions / self.seconds


# The class.


def made_up_class(lab, size):
    """`size` submissions, the same each time; any few in a row are of all kinds."""
    kinds = itertools.cycle([solved, half_solved, mistaken, blank])
    return [kind(lab, number) for number, kind in zip(range(size), kinds, strict=False)]


def solved(lab, number):
    """Everything is right."""
    return submission(lab, number, answered(lab), exercises(lab))


def half_solved(lab, number):
    """The first exercises are right, the others untouched."""
    done = exercises(lab)[:1 + number // 4 % (len(exercises(lab)) - 1)]
    notebook = answered(lab)
    for cell, stub in zip(answers(notebook), answers(lab.skeleton), strict=True):
        if not graded(cell) and meta(cell).grade_id not in done:
            cell.source = stub.source
    return submission(lab, number, notebook, done)


def mistaken(lab, number):
    """Everything is right but for one of the mistakes that the lab knows. What that costs is for the grader to say."""
    known = own_mistakes(lab)
    exercise, mistake = known[number // 4 % len(known)]
    notebook = answered(lab)
    cell = next(cell for cell in answers(notebook) if meta(cell).grade_id == exercise)
    cell.source = f"{inspect.getsource(mistake)}\n\n{exercise} = {mistake.__name__}"
    return Submission(name(number), signed(notebook, number), {})


def blank(lab, number):
    """As it was given out."""
    return submission(lab, number, copy.deepcopy(lab.skeleton), [], written=0.0)


def submission(lab, number, notebook, done, written=None):
    """A submission in which the exercises `done` are right, the others worth nothing, the written answers `written`."""
    certain = {}
    for cell in filter(graded, lab.skeleton.cells):
        points = meta(cell).points if exercise_of(cell) in done else 0.0
        certain[meta(cell).grade_id] = points if exercise_of(cell) else written
    return Submission(name(number), signed(notebook, number), certain)


def own_mistakes(lab):
    """[(exercise, function)] of the lab's known mistakes that a notebook can hold, as they need NumPy alone."""
    known = importlib.import_module(f"{lab.solutions}.{lab.name}.mistakes").MISTAKES
    return [(exercise, mistake) for exercise, mistakes in known.items() for mistake in mistakes
            if set(inspect.getclosurevars(mistake).globals) <= {"np"}]


def exercises(lab):
    """The lab's exercises that have a check, in order."""
    return [exercise_of(cell) for cell in lab.skeleton.cells if exercise_of(cell)]


def answers(notebook):
    """The cells that a student fills in."""
    return [cell for cell in notebook.cells if solution(cell)]


def signed(notebook, number):
    """The notebook with a line of the student's own, so that no two are the same."""
    notebook.cells.insert(0, v4.new_code_cell(f"# Handed in by {name(number)}.", id="signature"))
    return notebook


def name(number):
    """The student's."""
    return f"student-{number:05}"


# The graders.


def stock(lab, submissions, folder):
    """Grade with nbgrader as it comes. Returns (Timing, {student: marks})."""
    course = write_course(lab, submissions, folder / "stock")
    (course / "nbgrader_config.py").write_text(STOCK)
    run_nbgrader("generate_assignment", lab.name, cwd=course, variables=AS_IT_COMES)
    seconds, memory = timed(["nbgrader", "autograde", lab.name], course, AS_IT_COMES)
    return Timing("nbgrader autograde", len(submissions), 1, seconds, memory), marks(course, lab, submissions)


def ours(lab, submissions, workers, folder):
    """Grade in two rooms. Returns (Timing, {student: marks})."""
    course = write_course(lab, submissions, folder / f"ours-{len(submissions)}")
    run_nbgrader("generate_assignment", lab.name, f"--course-dir={course}", cwd=ROOT)
    seconds, memory = timed(["grading", "grade", lab.name, f"--workers={workers}", f"--course-dir={course}"], ROOT)
    found = marks(course, lab, submissions)
    return Timing("python -m grading grade", len(submissions), workers, seconds, memory), found


def with_feedback(lab, size, workers, folder):
    """[Timing, Timing]: grading and then nbgrader's command for feedback, as it is here; and both in one go."""
    submissions, timings = made_up_class(lab, size), []
    for name, *commands in FEEDBACK:
        course = write_course(lab, submissions, folder / name.replace(" ", "-"))
        done = [timed([*command, lab.name, f"--course-dir={course}"], ROOT) for command in commands]
        timings.append(Timing(name, size, workers, sum(one[0] for one in done), max(one[1] for one in done)))
    return timings


FEEDBACK = (("grade, generate_feedback", ["grading", "grade"], ["nbgrader", "generate_feedback"]),
            ("grade --feedback", ["grading", "grade", "--feedback"]))


def write_course(lab, submissions, course):
    """A course directory with the lab's source, which stock nbgrader needs there, and what was handed in."""
    shutil.copytree(ROOT / "labs" / lab.name, course / "labs" / lab.name)
    for one in submissions:
        path = course / "submitted" / one.student / lab.name / f"{lab.name}.ipynb"
        path.parent.mkdir(parents=True)
        path.write_text(v4.writes(one.notebook), encoding="utf-8")
    return course


def timed(module, folder, variables=None):
    """Run `python -m MODULE ...` in a folder: (seconds of wall time, most bytes of memory that its process had).

    Raises RuntimeError with what it said if it fails.
    """
    with tempfile.TemporaryFile("w+") as said:
        start = time.perf_counter()
        process = psutil.Popen([sys.executable, "-m", *module], cwd=folder, env=with_tools(variables),
                               stdout=said, stderr=said)
        memory = 0
        while process.poll() is None:
            memory = max(memory, resident(process))
            time.sleep(LOOK)
        seconds = time.perf_counter() - start
        said.seek(0)
        if process.returncode:
            raise RuntimeError(f"{' '.join(module)} failed:\n{said.read()[-3000:]}")
    return seconds, memory


def resident(process):
    """Bytes of memory that a process has now; 0 once it has ended."""
    try:
        return process.memory_info().rss
    except psutil.Error:
        return 0


def marks(course, lab, submissions):
    """{student: {grade_id: points that the grader gave, or None}}"""
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as book:
        notebooks = {one.student: book.find_submission_notebook(lab.name, lab.name, one.student) for one in submissions}
        return {student: {grade.name: grade.auto_score for grade in notebook.grades}
                for student, notebook in notebooks.items()}


def expect_right(grader, found, submissions):
    """Raise ValueError if a mark that leaves no room for judgement is not what it must be."""
    for one in submissions:
        for grade_id, points in one.certain.items():
            if found[one.student][grade_id] != points:
                raise ValueError(f"{grader}: {one.student}, {grade_id}: expected {points}, "
                                 f"got {found[one.student][grade_id]}")


# What is measured.


def compare(lab, size, sample, workers, folder):
    """[Timing, Timing] of stock nbgrader on the first `sample` of a class, and of ours on all of it."""
    submissions = made_up_class(lab, size)
    slow, their_marks = stock(lab, submissions[:sample], folder)
    fast, our_marks = ours(lab, submissions, workers, folder)
    expect_right("nbgrader autograde", their_marks, submissions[:sample])
    expect_right("python -m grading grade", our_marks, submissions)
    return [slow, fast]


def large(lab, size, workers, folder):
    """[Timing] of ours on a class ten times as large."""
    return [ours(lab, made_up_class(lab, 10 * size), workers, folder)[0]]


def table(timings):
    """Lines of text, one for each Timing."""
    rows = [f"{'':24}  submissions  workers  seconds  per second  coordinator's memory"]
    rows += [f"{t.grader:24}  {t.submissions:11}  {t.workers:7}  {t.seconds:7.1f}  {t.rate:10.2f}  "
             f"{t.memory / 2**20:17.0f} MB" for t in timings]
    return "\n".join(rows)


def main(arguments=None):
    """Measure, print a table and, last, the ratio."""
    parser = argparse.ArgumentParser(prog="python -m tools.bench", description=__doc__.splitlines()[0])
    parser.add_argument("--submissions", type=int, default=200, metavar="N", help="size of the class (default: 200)")
    parser.add_argument("--sample", type=int, default=SAMPLE, metavar="N", help="of it for stock nbgrader")
    parser.add_argument("--workers", type=int, default=2, metavar="N", help="worker processes of ours (default: 2)")
    parser.add_argument("--large", action="store_true", help="ours on 10 N submissions too: does memory grow?")
    parser.add_argument("--feedback", action="store_true", help="with pages of feedback, in two commands and in one")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the timings as JSON")
    options = parser.parse_args(arguments)
    lab = Lab.read(ROOT / "labs", LAB)
    with tempfile.TemporaryDirectory() as folder:
        if options.feedback:
            timings = with_feedback(lab, options.submissions, options.workers, Path(folder))
        else:
            timings = compare(lab, options.submissions, options.sample, options.workers, Path(folder))
        timings += large(lab, options.submissions, options.workers, Path(folder)) if options.large else []
    about = {"lab": LAB, "nbgrader": version("nbgrader"), "python": sys.version.split()[0], "cores": os.cpu_count()}
    if options.out:
        options.out.write_text(json.dumps({**about, "timings": [vars(each) for each in timings]}, indent=1) + "\n")
    print(", ".join(f"{name} {what}" for name, what in about.items()))
    print(table(timings))
    if options.large:
        print(growth(*timings[1:]))
    print(ratio(*timings[:2]))


def ratio(slow, fast):
    """The last line: how many times as many submissions a second."""
    return f"ratio: {fast.rate / slow.rate:.1f}"


def growth(one, ten):
    """What becomes of memory and time in a class ten times as large."""
    return f"ten times the class: memory x {ten.memory / one.memory:.2f}, time x {ten.seconds / one.seconds:.1f}"


if __name__ == "__main__":
    main()
