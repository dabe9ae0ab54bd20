"""The demonstration class: five students, from release to grades.csv, in a course directory of its own."""

import copy
import csv
import hashlib
import importlib
import inspect
import json
import shutil

from nbformat import v4

from grading.lab import Lab, graded, meta, names, solution
from grading.release import run_nbgrader
from grading.solved import solved

ANSWER = "This answer stands for one that a student wrote, and waits for a person to mark it."
INPUTS = ("labs", "solutions", "grading", "coursekit", "nbgrader_config.py")


def run_demo(root, solutions="solutions"):
    """Make `build/demo` with nbgrader's own commands, unless nothing changed since. Prints the table of marks.

    Submitted, graded and exported is each lab of the course; a real course's records are not touched.
    """
    course = root / "build" / "demo"
    stamp, now = course / "made-from.txt", fingerprint(root)
    if not stamp.exists() or stamp.read_text() != now:
        shutil.rmtree(course, ignore_errors=True)
        _make(root, course, solutions)
        stamp.write_text(now)
    print(marks_table(course / "grades.csv"), end="")
    return course


def fingerprint(root):
    """A hash of all that the demonstration is made of."""
    digest = hashlib.sha256()
    for path in sorted(p for name in INPUTS for p in [root / name, *(root / name).rglob("*")]):
        if path.is_file() and path.suffix != ".pyc":
            digest.update(f"{path.relative_to(root)}\0".encode() + path.read_bytes())
    return digest.hexdigest()


def _make(root, course, solutions):
    course.mkdir(parents=True)
    here = f"--course-dir={course}"
    for name in names(root / "labs"):
        run_nbgrader("generate_assignment", name, here, cwd=root)
        for student, content in submissions(Lab.read(root / "labs", name, solutions)).items():
            path = course / "submitted" / student / name / f"{name}.ipynb"
            path.parent.mkdir(parents=True)
            path.write_bytes(content)
        print(run_nbgrader("autograde", name, here, cwd=root), end="")
        run_nbgrader("generate_feedback", name, here, cwd=root)
    database = f"--db=sqlite:///{course / 'gradebook.db'}"  # `nbgrader export` knows no --course-dir
    run_nbgrader("export", database, f"--to={course / 'grades.csv'}", cwd=root)


def submissions(lab):
    """{student: bytes handed in}: one for each way in which a submission may need care."""
    correct = answered(lab)
    return {
        "blank": _bytes(lab.skeleton),
        "broken-file": b"This is not a notebook.\n",
        "correct": _bytes(correct),
        "named-mistake": _bytes(with_mistake(correct, lab)),
        "rearranged-cells": _bytes(rearranged(correct)),
    }


def answered(lab):
    """The released notebook with every answer filled in, as a student would hand it in."""
    notebook, full = copy.deepcopy(lab.skeleton), solved(lab)
    sources = {meta(cell).get("grade_id"): cell.source for cell in full.cells if solution(cell)}
    for cell in filter(solution, notebook.cells):
        cell.source = ANSWER if graded(cell) else sources[cell.metadata.nbgrader.grade_id]
    notebook.cells.insert(0, full.cells[0])  # what the answers import, as far as students have it
    own = [line for line in full.cells[0].source.splitlines() if f"from {lab.solutions}." not in line]
    notebook.cells[0].source = "\n".join(own)
    return notebook


def with_mistake(notebook, lab):
    """The first exercise answered with the first of its known mistakes, and a written question left out."""
    module = importlib.import_module(f"{lab.solutions}.{lab.name}.mistakes")
    exercise, mistakes = next(iter(module.MISTAKES.items()))
    notebook = copy.deepcopy(notebook)
    cell = next(cell for cell in notebook.cells if meta(cell).get("grade_id") == exercise)
    cell.source = f"{inspect.getsource(mistakes[0])}\n\n{exercise} = {mistakes[0].__name__}"
    return notebook


def rearranged(notebook):
    """The first answer's cell doubled, the first check cell turned into Markdown, the last one deleted."""
    notebook = copy.deepcopy(notebook)
    first = next(i for i, cell in enumerate(notebook.cells) if solution(cell))
    checks = [i for i, cell in enumerate(notebook.cells) if graded(cell) and not solution(cell)]
    notebook.cells[checks[0]] = v4.new_markdown_cell(notebook.cells[checks[0]].source,
                                                     metadata=notebook.cells[checks[0]].metadata)
    del notebook.cells[checks[-1]]
    notebook.cells.insert(first + 1, copy.deepcopy(notebook.cells[first]))
    return notebook


def marks_table(path):
    """The marks that nbgrader exported, as lines: lab, student, points."""
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    line = "{assignment}  {student_id:18} {score:>5} of {max_score}\n"
    return "".join(line.format(**row) for row in rows)


def _bytes(notebook):
    return json.dumps(notebook, indent=1).encode()
