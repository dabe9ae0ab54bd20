"""Brightspace's downloads and its grades' export.

The form of a folder's name, "152711-351765 - John Doe - May 18, 2025 1224 PM", is documented by a public grader
("Submission Folder Format") and parsed by d2lmf of github.com/cgmb; that of one file for each person, "13394-80551 -
Charlie Brown - Mar 29, 2018 1205 PM - CBrown - Homework 6.zip", by the tests of kodiak; the other order of a date, "13
September 2025 310 PM", by a public script of the University of Limerick. Which of the two numbers is the person's no
source says for certain; the first was the student's in the only one that names them. The columns of the list are those
of community.d2l.com's "Importing grades" and of exports in public repositories ("#400123456,#doej,Doe,John").
"""

import pytest

from grading import roster
from tests.grading.downloads import LAB, recognised

ADA = "12345-67890 - Ada Lovelace - Nov 13, 2026 637 PM"
LIST = ("OrgDefinedId,Username,Last Name,First Name,Email,Lab 1 Points Grade <Numeric MaxPoints:14>,End-of-Line "
        "Indicator\n#400123456,#alove,Lovelace,Ada,ada@example.org,,#\n#400123457,#doej,Doe,John,j@example.org,,#\n")


@pytest.mark.parametrize("path, name, file", [
    (f"{ADA}/{LAB}.ipynb", "Ada Lovelace", f"{LAB}.ipynb"),
    (f"{LAB} Download Nov 14, 2026 910 AM/{ADA}/data/x.csv", "Ada Lovelace", "data/x.csv"),
    (f"{ADA} - {LAB} - final.ipynb", "Ada Lovelace", f"{LAB} - final.ipynb"),
    ("1-2 - Mary-Jane O'Connor - 13 September 2025 310 PM/a.ipynb", "Mary-Jane O'Connor", "a.ipynb"),
    ("1-2 - José - María - Sept 1, 2025 1:00 AM/a.ipynb", "José - María", "a.ipynb"),
    ("1-2 - 李 雷 - 13 nov. 2026 1837/a.ipynb", "李 雷", "a.ipynb"),
], ids=["folder", "outer folder", "one file", "other order", "hyphen in the name", "24 hours"])
def test_a_path_says_who_and_what(path, name, file):
    key, found = recognised(path)
    assert (key, found[path].who[0], found[path].file) == ("brightspace", name, file)


def test_the_index_is_nobodys():
    assert "index.html" not in recognised(f"{ADA}/a.ipynb", "index.html")[1]


def test_the_list_is_read_without_its_number_signs(term):
    person = roster.read_list(term.write("grades.csv", LIST))[0].person
    assert (person.sis_id, person.username, person.email) == ("400123456", "alove", "ada@example.org")


def test_the_name_finds_who_it_is_on_the_roster_and_the_newest_counts(term):
    files = {f"{ADA}/a.ipynb": "first", f"{ADA.replace('13, 2026 637', '14, 2026 1205')}/a.ipynb": "second",
             "index.html": "x"}
    done = term.collect(term.zip(files), "--roster", term.write("grades.csv", LIST))
    assert term.taken == {"alove": {"a.ipynb": "second"}} and term.times == {"alove": "2026-11-14 11:05"}
    assert done.status == 0 and "not that of Friday 2026-11-13 18:37 Europe/Berlin" in done.out
    assert "Missing: John Doe (doej)" in done.out


def test_two_of_one_name_in_the_download_wait_for_a_person(term):
    files = {f"{ADA}/a.ipynb": "x", f"{ADA.replace('12345', '12346')}/a.ipynb": "y"}
    done = term.collect(term.zip(files), "--roster", term.write("grades.csv", LIST))
    assert done.status == 1 and done.out.count("It may be 'alove': more than one is called that.") == 2


def test_two_hand_ins_of_the_same_minute_are_one_submission_with_all_files(term):
    done = term.collect(term.zip({f"{ADA}/a.ipynb": "x", f"{ADA.replace('67890', '67891')}/a.ipynb": "y"}))
    assert term.taken == {"12345": {"a.ipynb": "x", "a (2).ipynb": "y"}} and done.status == 0


def test_two_of_one_name_on_the_roster_wait_for_a_person(term):
    twice = LIST + "#400123458,#alove2,Lovelace,Ada,a2@example.org,,#\n"
    done = term.collect(term.zip({f"{ADA}/a.ipynb": "x"}), "--roster", term.write("grades.csv", twice))
    assert done.status == 1 and "It may be 'alove' or 'alove2': more than one is called that." in done.out
