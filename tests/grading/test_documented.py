"""The page for instructors is true: its commands are run as they stand, from a checkout to marks."""

import copy
import re
import urllib.request
import zipfile
from fnmatch import fnmatchcase
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


# What is there before a command; what it needs from outside.

ADA, EMMY = "ada@example.org", "emmy@example.org"
WORKSHEET = [
    "Identifier,Full name,Email address,Status,Grade,Maximum Grade,Grade can be changed,Last modified (submission)",
    f'Participant 1001,Ada Lovelace,{ADA},Submitted,,14.00,Yes,"Friday, 13 November 2026, 6:37 PM"',
    f'Participant 1002,Emmy Noether,{EMMY},Submitted,,14.00,Yes,"Friday, 4 December 2026, 6:38 PM"',
    "Participant 1003,Zoë Ångström,zoe@example.org,No submission,,14.00,Yes,-",
]


def released(folder):
    """What `make course` leaves: the labs for students, and no gradebook."""
    (folder / "release" / LAB).mkdir(parents=True)
    nbformat.write(Lab.read(ROOT / "labs", LAB).skeleton, folder / "release" / LAB / f"{LAB}.ipynb")


def listed(folder):
    """Moodle's grading worksheet."""
    (folder.parent / "list.csv").write_text("\n".join(WORKSHEET) + "\n", encoding="utf-8")


def downloaded(folder):
    """Moodle's zip: Ada has answered everything, Emmy nothing, three days late."""
    lab = Lab.read(ROOT / "labs", LAB)
    works = {"Ada Lovelace_1001": answered(lab), "Emmy Noether_1002": copy.deepcopy(lab.skeleton)}
    with zipfile.ZipFile(folder.parent / "download.zip", "w") as file:
        for who, notebook in works.items():
            file.writestr(f"{who}_assignsubmission_file_/{LAB}.ipynb", tiny.to_bytes(notebook))


# What must hold after it.


def can_shut_in(folder, done):
    assert "can be shut in" in done.out


def is_a_class(folder, done):
    assert (folder.parent / "class" / "nbgrader_config.py").is_file()


def has_names(folder, done):
    with book(folder) as gradebook:
        assert gradebook.find_student("zoe@example.org").email == "zoe@example.org"


def has_a_deadline(folder, done):
    with book(folder) as gradebook:
        assert gradebook.find_assignment(LAB).duedate.year == 2026


def wrote_nothing(folder, done):
    assert "Nothing was written." in done.out and not (folder / "submitted").exists()


def is_taken_in(folder, done):
    found = {path.parents[1].name for path in (folder / "submitted").glob(f"*/{LAB}/{LAB}.ipynb")}
    assert found == {ADA, EMMY} and "Zoë Ångström" in done.out


def is_graded(folder, done):
    assert re.search(rf"^{ADA} +12 of 14, 2 by hand", done.out, re.MULTILINE) and "2 graded" in done.out
    assert re.search(rf"^{EMMY}.*Late by 2 days 18 hours", done.out, re.MULTILINE)
    with book(folder) as gradebook:
        assert gradebook.find_submission(LAB, ADA).score == 12
    has_feedback(folder, done)


def has_feedback(folder, done):
    assert "12 of 14 points" in (folder / "feedback" / ADA / LAB / f"{LAB}.html").read_text(encoding="utf-8")


def is_reported(folder, done):
    assert "Zoë Ångström" in (folder / f"report-{LAB}.html").read_text(encoding="utf-8")


def is_compared(folder, done):
    assert "2 submissions" in done.out and (folder / f"similar-{LAB}.html").is_file()


def is_served(process):
    """The address that is printed leads to the first answer."""
    address = next(word for line in process.stdout for word in line.split() if word.startswith("http://127.0.0.1:"))
    jar = urllib.request.HTTPCookieProcessor()
    with urllib.request.build_opener(jar).open(address, timeout=60) as page:
        assert "tanh-and-picture" in page.read().decode()


def is_packed(folder, done):
    with zipfile.ZipFile(folder / f"feedback-{LAB}.zip") as file:
        assert f"Ada Lovelace_1001_assignfeedback_file/{LAB}.html" in file.namelist()


def is_filled_in(folder, done):
    assert "waiting for a person, left blank: 1" in done.out
    [written] = folder.glob("marks-moodle*.csv")
    assert written.read_text(encoding="utf-8").splitlines()[1] == WORKSHEET[1]  # as it waits


def is_exported(folder, done):
    assert (folder / "marks-csv.csv").is_file()


def has_more_time(folder, done):
    assert f"{ADA}: 3 days more" in done.out


def would_change_nothing(folder, done):
    assert "nothing was written" in done.out


def is_graded_again(folder, done):
    assert "1 graded" in done.out


def is_said_what_is_kept(folder, done):
    assert f"submitted/{ADA}/" in done.out and (folder / "submitted" / ADA).is_dir()


# A pattern of commands, the first that fits: (what is done before it, what must hold after it). "instead": done in its
# place. "runs": it goes on until it is stopped.
ROWS = {
    "make course": ("instead", released),
    "source .venv/bin/activate": (None, None),
    "cd *": (None, None),
    "python -m grading doctor": (None, can_shut_in),
    "python -m grading init *": (None, is_a_class),
    "python -m grading roster *": (listed, has_names),
    "python -m grading deadline *": (None, has_a_deadline),
    "python -m grading collect * --dry-run": (downloaded, wrote_nothing),
    "python -m grading collect *": (None, is_taken_in),
    "python -m grading grade * --feedback": (None, is_graded),
    "python -m grading grade * --dry-run": (None, would_change_nothing),
    "python -m grading grade * --force": (None, is_graded_again),
    "python -m grading report *": (None, is_reported),
    "python -m grading similar *": (None, is_compared),
    "python -m grading mark *": ("runs", is_served),
    "nbgrader generate_feedback *": (None, has_feedback),
    "python -m grading give-back *": (None, is_packed),
    "python -m grading marks * --template *": (None, is_filled_in),
    "python -m grading marks --for csv": (None, is_exported),
    "python -m grading extend *": (None, has_more_time),
    "python -m grading forget *": (None, is_said_what_is_kept),
}


def row(command):
    """What is known of a command. A new one on the page needs a row: what is it good for?"""
    found = next((about for pattern, about in ROWS.items() if fnmatchcase(command, pattern)), None)
    assert found, f"expected a row of ROWS for {command!r}, got none"
    return found


def follow(shell, command):
    """Run a command as it stands; it ends well, and what it is for has come about."""
    before, after = row(command)
    if before == "instead":
        return after(shell.folder)
    if before == "runs":
        with shell.running(command) as process:
            return after(process)
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


@bubblewrap
@pytest.mark.sampled("walk")
@pytest.mark.parametrize("way", [apart, pytest.param(term, marks=pytest.mark.nightly)])
def test_a_term_goes_as_the_page_says(tmp_path, way):
    """In the checkout itself it is nightly, since most of it is what a class that is kept apart goes through."""
    person = shell(checkout(tmp_path / "checkout"), tmp_path / "kept")
    for command in term() if way is term else way(term()):
        follow(person, command)
    assert person.folder == tmp_path / ("class" if way is apart else "checkout")


def test_the_page_names_the_commands_of_a_term():
    assert {"make course", f"python -m grading grade {LAB} --feedback"} <= set(term())


def test_a_command_is_a_line_of_a_plain_fence_that_begins_with_a_program():
    page = "```\nmake a\nnot one\npython -m grading \\\n    grade LAB  -x=FOLDER\n```\n```text\nmake b\n```\nmake c\n"
    assert commands(page) == ["make a", f"python -m grading grade {LAB} -x=../class"]


def test_a_shell_goes_on_where_it_was_and_keeps_what_was_set(tmp_path):
    (tmp_path / "below").mkdir()
    one = shell(tmp_path, tmp_path / "kept")
    one.run("export A='x\ny'; cd below")
    assert (one.run('echo "$A"').out, one.folder, one.run("false").status) == ("x\ny\n", Path(tmp_path, "below"), 1)


def test_a_command_that_no_row_knows_is_named():
    with pytest.raises(AssertionError, match="expected a row of ROWS for 'nbgrader conquer'"):
        row("nbgrader conquer")
