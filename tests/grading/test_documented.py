"""The page for instructors is true: its commands are run as they stand, from a checkout to marks."""

import copy
import csv
import re
from pathlib import Path

import nbformat
import pytest
from nbgrader.api import Gradebook

from grading.demo import answered
from grading.lab import Lab
from tests.grading import tiny
from tests.grading.classes import ROOT
from tests.grading.documented import LAB, checkout, commands, shell
from tests.needs import bubblewrap

PAGE = ROOT / "chapters" / "teaching.md"
APART = ["python -m grading init ../class", "cd ../class"]  # what a class that is kept apart needs besides


def book(folder):
    return Gradebook(f"sqlite:///{folder / 'gradebook.db'}", "attention")


def lines(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


# What is there before a command; what it needs from outside.

def released(folder):
    """What `make course` leaves: the labs for students, and no gradebook."""
    (folder / "release" / LAB).mkdir(parents=True)
    nbformat.write(Lab.read(ROOT / "labs", LAB).skeleton, folder / "release" / LAB / f"{LAB}.ipynb")


def handed_in(folder):
    """Ada has answered everything, Emmy nothing."""
    lab = Lab.read(ROOT / "labs", LAB)
    for student, notebook in {"ada": answered(lab), "emmy": copy.deepcopy(lab.skeleton)}.items():
        (folder / "submitted" / student / LAB).mkdir(parents=True, exist_ok=True)
        (folder / "submitted" / student / LAB / f"{LAB}.ipynb").write_bytes(tiny.to_bytes(notebook))


def roster(folder):
    text = "id,last_name,first_name,email\nada,Lovelace,Ada,ada@example.org\nzoë,Ångström,Zoë,z@example.org\n"
    (folder / "students.csv").write_text(text, encoding="utf-8")


# What must hold after it.

def can_shut_in(folder, done):
    assert "can be shut in" in done.out


def is_a_class(folder, done):
    assert (folder.parent / "class" / "nbgrader_config.py").is_file()


def is_entered(folder, done):
    with book(folder) as gradebook:
        assert gradebook.find_notebook(LAB, LAB).grade_cells
    assert (folder / "release" / LAB / f"{LAB}.ipynb").is_file()


def is_graded(folder, done):
    assert re.search(r"^ada +12 of 14, 2 by hand", done.out, re.MULTILINE) and "2 graded" in done.out
    with book(folder) as gradebook:
        assert gradebook.find_submission(LAB, "ada").score == 12


def is_reported(folder, done):
    assert "ada" in (folder / f"report-{LAB}.html").read_text(encoding="utf-8")


def has_feedback(folder, done):
    assert "12 of 14 points" in (folder / "feedback" / "ada" / LAB / f"{LAB}.html").read_text(encoding="utf-8")
    assert "2 of 2 pages written" in done.err


def has_names(folder, done):
    with book(folder) as gradebook:
        assert gradebook.find_student("zoë").last_name == "Ångström"


def has_a_deadline(folder, done):
    with book(folder) as gradebook:
        assert gradebook.find_assignment(LAB).duedate.year == 2026


def is_exported(folder, done):
    assert {row["student_id"]: row[LAB] for row in lines(folder / "marks.csv")}["ada"] == "12.0"


ROWS = {  # how a command begins: (what is done before it, what must hold after it); "instead" is done in its place
    "make course": ("instead", released),
    "source .venv/bin/activate": (None, None),
    "cd ": (None, None),
    "python -m grading doctor": (None, can_shut_in),
    "python -m grading init": (None, is_a_class),
    "nbgrader generate_assignment": (None, is_entered),
    "python -m grading grade": (handed_in, is_graded),
    "python -m grading report": (None, is_reported),
    "nbgrader generate_feedback": (None, has_feedback),
    "nbgrader db student import": (roster, has_names),
    "nbgrader db assignment add": (None, has_a_deadline),
    "nbgrader export": (None, is_exported),
}


def row(command):
    """What is known of a command. A new one on the page needs a row: what is it good for?"""
    found = [about for start, about in ROWS.items() if command.startswith(start)]
    assert len(found) == 1, f"expected one row of ROWS for {command!r}, got {len(found)}"
    return found[0]


def follow(shell, command):
    """Run a command as it stands; it ends well, and what it is for has come about."""
    before, after = row(command)
    if before == "instead":
        return after(shell.folder)
    if before:
        before(shell.folder)
    done = shell.run(command)
    assert done.status == 0, f"{command}\n{done.out}{done.err}"
    return after and after(shell.folder, done)


def term():
    """The commands of the page, for a class in the checkout."""
    return [command for command in commands(PAGE.read_text(encoding="utf-8")) if command not in APART]


def apart(term):
    """The same for a class that is kept apart."""
    start = term.index("python -m grading doctor") + 1
    return [*term[:start], *APART, *term[start:]]


def start(term):
    """The first commands, from a checkout to the pages that students get back."""
    return term[:next(i for i, command in enumerate(term) if command.startswith("nbgrader generate_feedback")) + 1]


@bubblewrap
@pytest.mark.parametrize("way", [start, apart, pytest.param(term, marks=pytest.mark.nightly)])
def test_a_term_goes_as_the_page_says(tmp_path, way):
    """Of the class in the checkout the whole term is nightly, since most of it is what the one apart goes through."""
    person = shell(checkout(tmp_path / "checkout"), tmp_path / "kept")
    for command in term() if way is term else way(term()):
        follow(person, command)
    assert person.folder == tmp_path / ("class" if way is apart else "checkout")


def test_the_page_names_the_commands_of_a_term():
    assert {"make course", f"python -m grading grade {LAB}"} <= set(term())


def test_a_command_is_a_line_of_a_plain_fence_that_begins_with_a_program():
    page = "```\nmake a\nnot one\npython -m grading \\\n    grade LAB  -x=FOLDER\n```\n```text\nmake b\n```\nmake c\n"
    assert commands(page) == ["make a", f"python -m grading grade {LAB} -x=../class"]


def test_a_shell_goes_on_where_it_was_and_keeps_what_was_set(tmp_path):
    (tmp_path / "below").mkdir()
    one = shell(tmp_path, tmp_path / "kept")
    one.run("export A='x\ny'; cd below")
    assert (one.run('echo "$A"').out, one.folder, one.run("false").status) == ("x\ny\n", Path(tmp_path, "below"), 1)


def test_a_command_that_no_row_knows_is_named():
    with pytest.raises(AssertionError, match="expected one row of ROWS for 'nbgrader conquer'"):
        row("nbgrader conquer")
