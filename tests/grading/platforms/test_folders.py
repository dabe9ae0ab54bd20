"""Folders and files that are named after students, as nbgrader's documentation has them (submitted/ada/lab01)."""

import pytest

from tests.grading.downloads import LAB, recognised


def found(*paths):
    """[(whose, what)]"""
    key, pieces = recognised(*paths)
    return key, [(piece.who[0], piece.file) for piece in pieces.values()]


@pytest.mark.parametrize("paths, expected", [
    ([f"ada/{LAB}/{LAB}.ipynb", f"emmy/{LAB}/x.ipynb"], [("ada", f"{LAB}.ipynb"), ("emmy", "x.ipynb")]),
    ([f"submitted/ada/{LAB}/{LAB}.ipynb"], [("ada", f"{LAB}.ipynb")]),
    ([f"ada/{LAB}/{LAB}.ipynb", "ada/lab_other/y.ipynb", f"emmy/{LAB}/x.ipynb"],
     [("ada", f"{LAB}.ipynb"), ("emmy", "x.ipynb")]),
    (["ada/x.ipynb", "emmy/y.ipynb"], [("ada", "x.ipynb"), ("emmy", "y.ipynb")]),
    ([f"class/{LAB}/ada/x.ipynb", f"class/{LAB}/emmy/y.ipynb"], [("ada", "x.ipynb"), ("emmy", "y.ipynb")]),
    ([f"{LAB}/ada.ipynb", f"{LAB}/José O'Neil.ipynb"], [("ada", f"{LAB}.ipynb"), ("José O'Neil", f"{LAB}.ipynb")]),
    ([f"ada/{LAB}.ipynb", "ada/data/x.csv"], [("ada", f"{LAB}.ipynb"), ("ada", "data/x.csv")]),
    ([f"{LAB}.ipynb"], [(f"{LAB}.ipynb", f"{LAB}.ipynb")]),
], ids=["nbgrader's", "one student", "other labs", "folders", "outer folders", "files", "one folder", "nobody's"])
def test_whose_it_is_stands_in_the_path(paths, expected):
    assert found(*paths) == ("folders", expected)


def test_student_12_is_not_student(term):
    done = term.collect(term.unzipped({"student-12.ipynb": "one", "student-13.ipynb": "two"}))
    assert done.status == 0 and sorted(term.taken) == ["student-12", "student-13"]


def test_a_file_called_as_another_with_a_number_waits_for_a_person(term):
    done = term.collect(term.unzipped({"ada.ipynb": "one", "ada (1).ipynb": "two"}))
    assert done.status == 1 and "is this the same person's?" in done.out and list(term.taken) == ["ada"], done


def test_a_notebook_that_names_nobody_waits_for_a_person(term):
    done = term.collect(term.write(f"{LAB}.ipynb", "one"))
    assert done.status == 1 and "does not say whose it is" in done.out and term.taken == {}


def test_a_folder_of_files_that_are_all_called_as_the_lab_is_not_one_students(term):
    done = term.collect(term.unzipped({f"Copy of {LAB}.ipynb": "one", f"{LAB} (1).ipynb": "two"}))
    assert done.status == 1 and done.out.count("does not say whose it is") == 2 and term.taken == {}


def test_a_folder_in_another_case_is_the_one_student_of_that_login(term):
    done = term.collect(term.zip({f"ADA/{LAB}/{LAB}.ipynb": "x"}), "--roster", term.write("r.csv", "id,name\nada,A\n"))
    assert done.status == 0 and list(term.taken) == ["ada"]


def test_loose_files_are_one_download(term):
    done = term.collect(term.write("ada.ipynb", "one"), term.write("emmy.ipynb", "two"))
    assert done.status == 0 and sorted(term.taken) == ["ada", "emmy"]


def test_two_folders_that_differ_in_case_alone_are_two_students(term):
    files = {f"ada/{LAB}/a.ipynb": "one", f"Ada/{LAB}/a.ipynb": "two"}
    assert term.collect(term.zip(files)).status == 0
    assert term.taken == {"Ada": {"a.ipynb": "two"}, "ada-2": {"a.ipynb": "one"}}
    assert term.collect(term.zip({f"ada/{LAB}/{LAB}.ipynb": "three"})).status == 0
    assert term.taken["ada-2"] == {f"{LAB}.ipynb": "three"}
