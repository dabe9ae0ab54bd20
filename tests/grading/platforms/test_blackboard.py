"""Blackboard's downloads and its grade center's.

The form of a file's name is that of nbgrader's documentation of `zip_collect` ("ps1_hacker_attempt_2016-01-30-20-30-10_
problem1.ipynb") and of `FileNameCollectorPlugin`; the word in another language ("poging") of a public parser
(BBFilenameInZipParser); the receipt of two others, parselearn and gradex-cli of github.com/timdrysdale. The columns of
the list are those of help.blackboard.com's "Work offline with grade data", as public files "gc_..._fullgc_....xls" have
them: tabs, UTF-16.
"""

import pytest

from grading import roster
from tests.grading.downloads import LAB, recognised

HEAD = f"{LAB}_ada_attempt_2026-11-13-18-37-00"
RECEIPT = """Name: Ada Lovelace (ada)
Assignment: Lab 1
Date Submitted: Friday, 13 November 2026 18:37:00 o'clock CET
Current Mark: Needs Marking

Submission Field:
There is no student submission text data for this assignment.

Comments:
There are no student comments for this assignment.

Files:
\tOriginal filename: lab.ipynb
\tFilename: x
"""
LIST = ("\ufeff" + '"Last Name"\t"First Name"\t"Username"\t"Student ID"\t"Last Access"\t"Availability"\t'
        '"Lab 1 [Total Pts: 14 Score] |664617"\n"Lovelace"\t"Ada"\t"ada"\t"S1"\t""\t"Yes"\t""\n').encode("utf-16-le")


@pytest.mark.parametrize("path, username, file", [
    (f"{HEAD}_{LAB}.ipynb", "ada", f"{LAB}.ipynb"),
    ("Lab 1_ada_attempt_2026-11-13-18-37-00_a_b.ipynb", "ada", "a_b.ipynb"),
    ("class/Lab 1_a.lovelace@x.org_poging_2026-11-13-18-37-00_a.ipynb", "a.lovelace@x.org", "a.ipynb"),
    ("Lab_1_ada_attempt_2026-11-13-18-37-00.txt", "ada", "blackboard.txt"),
])
def test_a_path_says_who_and_what_and_when(path, username, file):
    key, found = recognised(path)
    assert (key, found[path].who[2], found[path].file) == ("blackboard", username, file)
    assert found[path].when == "2026-11-13-18-37-00"


def test_a_login_with_an_underscore_is_told_by_the_roster_or_the_receipt():
    path, receipt = (f"Lab_1_a_l_attempt_2026-11-13-18-37-00{end}" for end in ("_a.ipynb", ".txt"))
    assert recognised(path, usernames=["l", "a_l"])[1][path].who == ("", "", "a_l")
    found = recognised(path, receipt, contents={receipt: RECEIPT.replace("(ada)", "(a_l)")})[1]
    assert found[path].who == ("Ada Lovelace", "", "a_l")


def test_two_logins_that_end_alike_are_two():
    paths = [f"Lab_1_{user}_attempt_2026-11-13-18-37-00_a.ipynb" for user in ("a_z", "b_z", "x_z")]
    assert [piece.who[2] for piece in recognised(*paths, usernames=["z"])[1].values()] == ["a_z", "b_z", "x_z"]


def test_what_a_file_is_called_makes_it_nobody_elses():
    path = f"{HEAD}_{HEAD.replace('ada', 'bob')}_a.ipynb"
    assert recognised(path, usernames=["ada", "bob"])[1][path].who == ("", "", "ada")


def test_a_receipt_in_the_code_page_of_windows_is_read(term):
    names = (f"Übung_zoë_Versuch_2026-11-13-18-37-00{end}" for end in ("_a.ipynb", ".txt"))
    term.collect(term.zip(dict(zip(names, ("x", "Name: Zoë Müller (zoë)\r\n".encode("cp1252")), strict=True))))
    assert "zoë,,,,Zoë Müller,,zoë,," in (term.folder / "students.csv").read_text()


def test_a_receipt_is_no_part_of_the_submission_unless_the_student_wrote_into_it():
    receipt = f"{HEAD}.txt"
    assert receipt not in recognised(f"{HEAD}_a.ipynb", receipt, contents={receipt: RECEIPT})[1]
    wrote = RECEIPT.replace("There are no student comments for this assignment.", "Please look at part 2.")
    assert receipt in recognised(f"{HEAD}_a.ipynb", receipt, contents={receipt: wrote})[1]


def test_a_receipt_of_somebody_else_says_nothing():
    receipt = f"{HEAD}.txt"
    found = recognised(f"{HEAD}_a.ipynb", receipt, contents={receipt: RECEIPT.replace("(ada)", "(bob)")})[1]
    assert found[f"{HEAD}_a.ipynb"].who == ("", "", "ada")


def test_the_list_is_read_from_utf_16_with_tabs(term):
    person = roster.read_list(term.write("gc.xls", LIST))[0].person
    assert person == roster.Person(last_name="Lovelace", first_name="Ada", username="ada", sis_id="S1")


def test_the_newest_attempt_counts_and_the_others_are_named(term):
    files = {f"Lab 1_ada_attempt_2026-11-{day}-18-37-00_{LAB}.ipynb": day for day in ("13", "15", "14")}
    done = term.collect(term.zip(files))
    assert term.taken == {"ada": {f"{LAB}.ipynb": "15"}} and term.times == {"ada": "2026-11-15 17:37"}
    zone = "18:37 Europe/Berlin, which is 2026-11-{} 17:37 UTC"
    assert (f"what counts is of Sunday 2026-11-15 {zone.format(15)}, not that of Friday 2026-11-13 {zone.format(13)}; "
            f"Saturday 2026-11-14 {zone.format(14)}.") in done.out
