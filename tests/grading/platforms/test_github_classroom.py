"""GitHub Classroom's clones and its roster.

The form of the folders, "SLUG-submissions" and in it a clone for each student, is that of cmd/gh-classroom/clone/
student-repos/student-repos.go of github.com/github/gh-classroom; that a repository is called "SLUG-username" is that of
abc-classroom's clone.py, whose documentation has the columns of classroom_roster.csv, too.
"""

import pytest

from grading import roster
from tests.grading.downloads import LAB, recognised

LIST = ('identifier,github_username,github_id,name\n"Lovelace, Ada",ada-l,1001,Ada Lovelace\nemmy@x.org,emmy,1002,""\n'
        "bob@x.org,,,\n")


def clone(*folders, file="a.ipynb"):
    """The paths of clones."""
    return [f"{folder}/{name}" for folder in folders for name in (".git", file)]


@pytest.mark.parametrize("folders, usernames, expected", [
    (["lab-1-submissions/lab-1-ada-l", "lab-1-submissions/lab-1-emmy"], [], ["ada-l", "emmy"]),
    (["lab-1-ada-l", "lab-1-ada-m"], ["ada-l", "ada-m"], ["ada-l", "ada-m"]),
    (["lab-tiny-ada-l"], [], ["ada-l"]),
    (["down/lab-1-ada", "down/lab-1-emmy"], [], ["ada", "emmy"]),
], ids=["as gh makes them", "by the roster", "by the lab's name", "by what all share"])
def test_a_clone_is_called_after_the_student(folders, usernames, expected):
    key, found = recognised(*clone(*folders), usernames=usernames)
    assert (key, [piece.who[2] for piece in found.values()]) == ("github_classroom", expected)


def test_the_roster_is_read_and_who_has_not_joined_is_on_it(term):
    people = [row.person for row in roster.read_list(term.write("classroom_roster.csv", LIST))]
    assert [(one.username, one.number, one.sis_id) for one in people] == [
        ("ada-l", "1001", "Lovelace, Ada"), ("emmy", "1002", "emmy@x.org"), ("", "", "bob@x.org")]


def test_a_clone_is_taken_without_what_git_keeps_and_without_a_time(term):
    files = {"l-submissions/l-ada-l/.git/config": "x", f"l-submissions/l-ada-l/{LAB}.ipynb": "one",
             "l-submissions/l-ada-l/data/x.csv": "two", "l-submissions/l-ada-l/.github/workflows/c.yml": ""}
    done = term.collect(term.unzipped(files) / "l-submissions", "--roster", term.write("r.csv", LIST))
    assert done.status == 0 and term.taken == {"ada-l": {f"{LAB}.ipynb": "one", "data/x.csv": "two"}}, done
    assert term.times == {} and "time unknown" in done.out and "Missing: bob@x.org (bob@x.org)" in done.out


def test_a_login_that_ends_like_anothers_is_not_that_one():
    found = recognised(*clone("l-evil-bob", "l-ada"), usernames=["bob", "ada"])[1]
    assert [piece.who[2] for piece in found.values()] == ["evil-bob", "ada"]


def test_a_zip_of_clones_is_the_same(term):
    term.collect(term.zip({"l-submissions/l-ada/.git/HEAD": "x", "l-submissions/l-ada/a.ipynb": "one"}))
    assert term.taken == {"ada": {"a.ipynb": "one"}}
