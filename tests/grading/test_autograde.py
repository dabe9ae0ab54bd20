"""nbgrader's own command line and gradebook, on top of the two rooms. One class, taken the whole way once."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbgrader.api import Gradebook

from tests.grading import tiny

ROOT = Path(__file__).parents[2]
CONFIG = f"""
c = get_config()
load_subconfig({str(ROOT / "nbgrader_config.py")!r})
c.TwoRooms.solutions = {tiny.SOLUTIONS!r}
c.LateSubmissionPlugin.penalty_method = "zero"
"""
MISTAKE = "def center(x, axis=0):\n    return x - x.mean()"


def nbgrader(course, *args):
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return subprocess.run([sys.executable, "-m", "nbgrader", *args], cwd=course, text=True, capture_output=True,
                          env={**os.environ, "PATH": path, "PYTHONPATH": str(ROOT)}, check=False)


def hand_in(course, student, content, name=tiny.NAME):
    path = course / "submitted" / student / tiny.NAME / f"{name}.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    if content is not None:
        path.write_bytes(content)
    return path.parent


def snapshot(folder):
    return {p: p.read_bytes() if p.is_file() else None for p in sorted(folder.rglob("*")) if not p.is_symlink()}


def gradebook(course):
    return Gradebook(f"sqlite:///{course / 'gradebook.db'}")


def marks(course, student):
    """[(cell, auto, manual, waits for a person)]"""
    with gradebook(course) as book:
        grades = book.find_submission_notebook(tiny.NAME, tiny.NAME, student).grades
        return sorted((g.name, g.auto_score, g.manual_score, g.needs_manual_grade) for g in grades)


def earned(course, student):
    return {name: auto for name, auto, _, _ in marks(course, student)}


@pytest.fixture(scope="module")
def course(tmp_path_factory, lab):
    """A class that was graded once: right, blank, mistaken, and broken in several ways."""
    course = tmp_path_factory.mktemp("class")
    tiny.write(course)
    (course / "nbgrader_config.py").write_text(CONFIG)
    right = tiny.to_bytes(tiny.filled(lab))
    (hand_in(course, "right", right) / "timestamp.txt").write_text("2030-01-01 10:00:00 UTC")
    hand_in(course, "blank", tiny.to_bytes(lab.skeleton))
    hand_in(course, "mistaken", tiny.to_bytes(tiny.filled(lab, center=MISTAKE)))
    hand_in(course, "broken", b"\xff\xfe broken")
    hand_in(course, "missing", None)
    hand_in(course, "renamed", right, "my homework (1)")
    hand_in(course, "killer", tiny.to_bytes(tiny.filled(lab, first="import os\nos.kill(os.getpid(), 9)")))
    (hand_in(course, "linked", right) / "stolen.txt").symlink_to("/etc/hostname")
    nbgrader(course, "generate_assignment", tiny.NAME)
    before = snapshot(course / "submitted")
    done = nbgrader(course, "autograde", tiny.NAME)
    assert snapshot(course / "submitted") == before, "nothing in submitted/ may ever change"
    (course / "summary.txt").write_text(done.stdout)
    assert done.returncode == 0, done.stderr
    return course


@pytest.mark.parametrize("student, auto", [
    ("right", (2, 4, None)),
    ("renamed", (2, 4, None)),
    ("linked", (2, 4, None)),
    ("mistaken", (0, 4, None)),
    ("blank", (0, 0, 0)),
    ("broken", (0, 0, 0)),
    ("missing", (0, 0, 0)),
    ("killer", (2, 4, None)),
])
def test_everyone_has_the_right_mark_whatever_the_neighbours_handed_in(course, student, auto):
    assert tuple(earned(course, student)[name] for name in ("center-checks", "spread-checks", "why")) == auto


@pytest.mark.parametrize("student, says", [
    ("right", "6 of 8, 2 by hand"),
    ("blank", "0 of 8"),
    ("broken", "not UTF-8"),
    ("missing", "No notebook was handed in."),
    ("renamed", "'my homework (1).ipynb' was graded"),
    ("linked", "'stolen.txt': refused, as it is no regular file"),
])
def test_the_summary_has_a_line_for_each_that_says_what_is_wrong(course, student, says):
    lines = (course / "summary.txt").read_text().splitlines()
    assert any(line.startswith(student) and says in line for line in lines)


def test_the_released_notebook_holds_no_solution_hidden_check_or_scheme(course):
    nbgrader(course, "generate_assignment", tiny.NAME)
    text = (course / "release" / tiny.NAME / f"{tiny.NAME}.ipynb").read_text()
    assert not re.search("SECRET|hidden_checks|SOLUTION", text) and "raise NotImplementedError" in text


def test_the_skeleton_is_what_nbgrader_releases(course, lab):
    released = nbformat.read(course / "release" / tiny.NAME / f"{tiny.NAME}.ipynb", as_version=4)
    assert [cell.source for cell in released.cells] == [cell.source for cell in lab.skeleton.cells]


def test_a_second_run_grades_nothing_again(course):
    before = snapshot(course / "autograded")
    assert nbgrader(course, "autograde", tiny.NAME).stdout == ""
    assert snapshot(course / "autograded") == before


def test_marks_and_comments_given_by_hand_survive_a_regrade(course):
    names = tiny.NAME, tiny.NAME, "linked"
    with gradebook(course) as book:
        book.find_grade("why", *names).manual_score = 1.5
        book.find_comment("why", *names).manual_comment = "well seen"
        book.db.commit()
    assert nbgrader(course, "autograde", tiny.NAME, "--force", "--student", "linked").returncode == 0
    with gradebook(course) as book:
        assert (book.find_grade("why", *names).score, book.find_comment("why", *names).comment) == (1.5, "well seen")


def test_a_regrade_gives_the_same_marks(course):
    before = marks(course, "mistaken")
    nbgrader(course, "autograde", tiny.NAME, "--force", "--student", "mistaken")
    assert marks(course, "mistaken") == before


def test_a_newer_submission_replaces_the_mark(course, lab):
    folder = hand_in(course, "right", tiny.to_bytes(tiny.filled(lab, center=MISTAKE)))
    (folder / "timestamp.txt").write_text("2030-01-02 10:00:00 UTC")
    assert "4 of 8" in nbgrader(course, "autograde", tiny.NAME).stdout
    assert earned(course, "right")["center-checks"] == 0


def test_a_late_penalty_is_taken_by_nbgraders_plugin(course):
    with gradebook(course) as book:
        book.update_or_create_assignment(tiny.NAME, duedate="2020-01-01 00:00:00 UTC")
    nbgrader(course, "autograde", tiny.NAME, "--force", "--student", "right")
    with gradebook(course) as book:
        submission = book.find_submission(tiny.NAME, "right")
        assert submission.late_submission_penalty == submission.score > 0


def test_feedback_holds_verdicts_hints_and_the_mistake_and_nothing_of_the_staffs(course):
    assert nbgrader(course, "generate_feedback", tiny.NAME).returncode == 0
    page = (course / "feedback" / "mistaken" / tiny.NAME / f"{tiny.NAME}.html").read_text()
    assert "is it the mean of each slice?" in page and "You took the mean of the whole array" in page
    assert not re.search("SECRET|hidden_checks|Marking scheme", page)


def test_marks_are_exported(course):
    assert nbgrader(course, "export").returncode == 0
    assert (course / "grades.csv").read_text().count(tiny.NAME) == 8


def test_formgrader_grades_by_the_same_converter(course):
    code = ("from nbgrader.apps import NbGraderAPI, NbGrader; app = NbGrader(); app.load_config_file();"
            f"print(NbGraderAPI(config=app.config).autograde({tiny.NAME!r}, 'blank')['success'])")
    done = subprocess.run([sys.executable, "-c", code], cwd=course, text=True, capture_output=True, check=False,
                          env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert "blank  0 of 8" in done.stdout and "True" in done.stdout, done.stderr


def test_a_gradebook_of_another_version_of_the_lab_is_refused_in_one_line(course, tmp_path):
    shutil.copytree(course, tmp_path / "class", symlinks=True)
    with gradebook(tmp_path / "class") as book:
        book.find_grade_cell("center-checks", tiny.NAME, tiny.NAME).max_score = 5
        book.db.commit()
    done = nbgrader(tmp_path / "class", "autograde", tiny.NAME, "--force", "--student", "blank")
    assert done.returncode == 1 and "run nbgrader generate_assignment" in done.stderr
