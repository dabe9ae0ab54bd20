"""Google Classroom's folder in Drive.

That Classroom puts a student's name before the title of a copy, "Ada Lovelace - lab01", is taken from public graders of
such folders ("Split on ' - ' (legacy: assumes student_name - assignment)"), and that Drive calls a copy "Copy of ..."
from the documentation of google_workspace_mcp's copy_drive_file. Google itself documents neither, as far as was found.
"""

import pytest

from tests.grading.downloads import LAB, recognised


@pytest.mark.parametrize("path, name, file", [
    (f"Ada Lovelace - {LAB}.ipynb", "Ada Lovelace", f"{LAB}.ipynb"),
    (f"Lab 1/Copy of Ada Lovelace - {LAB}.ipynb", "Ada Lovelace", f"{LAB}.ipynb"),
    (f"{LAB} - José O'Neil-García.ipynb", "José O'Neil-García", f"{LAB}.ipynb"),
    ("李 雷 - part 2 - figure.png", "李 雷", "part 2 - figure.png"),
])
def test_a_file_is_called_after_the_student(path, name, file):
    key, found = recognised(path)
    assert (key, found[path].who[0], found[path].file) == ("google_classroom", name, file)


def test_a_file_that_names_nobody_waits_for_a_person(term):
    done = term.collect(term.unzipped({f"Ada Lovelace - {LAB}.ipynb": "one", f"Copy of {LAB}.ipynb": "two"}))
    assert done.status == 1 and f"Left out: 'Copy of {LAB}.ipynb'. The file's name does not say whose" in done.out
    assert term.taken == {"Ada_Lovelace": {f"{LAB}.ipynb": "one"}}


def test_two_files_of_one_name_may_be_two_people(term):
    files = {f"Ada Lovelace - {LAB}.ipynb": "one", f"Ada Lovelace - {LAB} (1).ipynb": "two"}
    done = term.collect(term.unzipped(files))
    assert done.status == 1 and "two people, or one who handed in twice?" in done.out and term.taken == {}


def test_where_the_roster_has_one_of_that_name_both_files_are_hers(term):
    files = {f"Ada Lovelace - {LAB}.ipynb": "one", f"Ada Lovelace - {LAB} (1).ipynb": "two"}
    people = "Last Name,First Name,Email Address\nLovelace,Ada,ada@example.org\n"
    done = term.collect(term.unzipped(files), "--roster", term.write("class.csv", people))
    assert done.status == 0 and term.taken == {"ada@example.org": {f"{LAB}.ipynb": "one", f"{LAB} (1).ipynb": "two"}}


def test_the_same_name_is_the_same_student_in_the_next_download(term):
    term.collect(term.unzipped({f"Ada Lovelace - {LAB}.ipynb": "one"}))
    done = term.collect(term.unzipped({f"Ada Lovelace - {LAB}.ipynb": "two"}, "again"))
    assert done.status == 0 and term.taken == {"Ada_Lovelace": {f"{LAB}.ipynb": "two"}}
