"""Canvas's downloads and its gradebook's export.

The form of a download is that of `get_filename` and `add_upload_submission` in lib/content_zipper.rb of
github.com/instructure/canvas-lms: the sortable name without all but word characters, "LATE", the user's id or
"anon_..."; the attachment's id; the file's display name. That of the export, with its rows for points and for posting
and its names such as ="=Ada", is that of lib/gradebook_exporter.rb there.
"""

from datetime import datetime

import pytest

from grading import roster
from grading.course import Course
from tests.grading.downloads import LAB, recognised

EXPORT = ("Student,ID,SIS User ID,SIS Login ID,Section,Lab 1 (77),Current Score\n"
          ",,,,,Manual Posting,\n"
          "    Points Possible,,,,,14.00,(read only)\n"
          '"Lovelace, Ada",1001,S1,ada,Section A,,\n'
          '"O\'Neil-García, José",1002,S2,jose,Section A,,\n'
          '"Student, Test",1003,,f3a9,Section A,,\n')


@pytest.mark.parametrize("path, who, file, late", [
    (f"lovelaceada_1001_5001_{LAB}.ipynb", ("lovelaceada", "1001"), f"{LAB}.ipynb", False),
    (f"lovelaceada_LATE_1001_5001_{LAB}-1.ipynb", ("lovelaceada", "1001"), f"{LAB}-1.ipynb", True),
    ("lovelaceada_late_1001_5001_a.ipynb", ("lovelaceada", "1001"), "a.ipynb", True),
    ("class/oneilgarcíajosé_1002_5002_data 1_2_3.csv", ("oneilgarcíajosé", "1002"), "data 1_2_3.csv", False),
    ("lovelaceada_1001_text.html", ("lovelaceada", "1001"), "text.html", False),
    ("anon_x7Qp2_5001_a.ipynb", ("", "anon_x7Qp2"), "a.ipynb", False),
    ("LATE_anon_x7Qp2_5001_a.ipynb", ("", "anon_x7Qp2"), "a.ipynb", True),
    ("李雷_1004_5004_a.ipynb", ("李雷", "1004"), "a.ipynb", False),
    ("ada_l_1001_5001_a_7_8_b.ipynb", ("ada_l", "1001"), "a_7_8_b.ipynb", False),
    ("1002_1001_5001_a.ipynb", ("1002", "1001"), "a.ipynb", False),
    ("ada_1001_5001_a_LATE_b.ipynb", ("ada", "1001"), "a_LATE_b.ipynb", False),
], ids=["plain", "late", "small late", "outer folder", "typed", "anonymous", "anonymous and late", "chinese", "_",
        "a number as name", "late in the file's name"])
def test_a_path_says_who_and_what(path, who, file, late):
    key, found = recognised(path)
    assert (key, found[path].who[:2], found[path].file, found[path].late) == ("canvas", who, file, late)


def test_the_export_lists_students_without_the_rows_that_are_none(term):
    listed = roster.read_list(term.write("export.csv", EXPORT))
    assert [(row.person.number, row.person.sis_id, row.person.username, row.person.name, row.person.last_name)
            for row in listed] == [("1001", "S1", "ada", "Lovelace, Ada", "Lovelace"),
                                        ("1002", "S2", "jose", "O'Neil-García, José", "O'Neil-García")]


def test_a_semicolon_export_with_a_byte_order_mark_is_the_same(term):
    text = "\ufeff" + "LastName;FirstName;ID;SIS Login ID;Section\nPoints Possible;;;;\nLovelace;Ada;1001;ada;A\n"
    assert [row.person.number for row in roster.read_list(term.write("export.csv", text))] == ["1001"]


def test_a_name_that_looks_like_a_formula_is_a_name(term):
    text = 'Student,ID,SIS Login ID,Section\n"=""=Ada""",1001,ada,A\n'
    assert roster.read_list(term.write("export.csv", text))[0].person.name == "=Ada"


def test_all_files_of_a_person_are_one_submission_and_the_number_finds_the_login(term):
    path = term.zip({f"lovelaceada_LATE_1001_5001_{LAB}-1.ipynb": "one", "lovelaceada_LATE_1001_5002_x.png": "two"})
    done = term.collect(path, "--roster", term.write("export.csv", EXPORT))
    assert term.taken == {"ada": {f"{LAB}.ipynb": "one", "x.png": "two"}}, done
    assert "Late, says the platform." in done.out and "Missing: O'Neil-García, José (jose)" in done.out


def test_a_name_that_ends_in_anothers_number_does_not_make_it_anothers(term):
    files = {"lovelaceada_1002_1001_5001_a.ipynb": "x", "lovelaceada_1001_5002_7_b.csv": "y"}
    done = term.collect(term.zip(files), "--roster", term.write("export.csv", EXPORT))
    assert done.status == 1 and term.taken == {"ada": {"7_b.csv": "y"}}
    assert "Left out: 'lovelaceada (1002)'. Its name has three numbers" in done.out


def test_canvass_own_test_student_is_not_on_the_roster(term):
    done = term.collect(term.zip({"studenttest_1003_5009_a.ipynb": "x"}), "--roster", term.write("e.csv", EXPORT))
    assert done.status == 1 and "Left out: 'studenttest (1003)'. Not on the roster." in done.out


def test_the_number_is_the_same_in_every_assignment(term):
    term.collect(term.zip({f"lovelaceada_1001_5001_{LAB}.ipynb": "one"}))
    done = term.collect(term.zip({f"kingada_1001_6001_{LAB}.ipynb": "two"}))
    assert done.status == 0 and term.taken == {"1001": {f"{LAB}.ipynb": "two"}}


@pytest.mark.parametrize("old, new", [(f"{LAB}.ipynb", f"{LAB}-2.ipynb"), (f"{LAB}-1.ipynb", f"{LAB}-2.ipynb"),
                                      (f"{LAB}-9.ipynb", f"{LAB}-10.ipynb"), (f"{LAB}-2.ipynb", f"{LAB}.ipynb")])
def test_of_a_notebook_that_was_handed_in_again_the_newest_counts_however_often_it_is_collected(term, old, new):
    others = {"kinga_1001_5003_data-1.csv": "a", "kinga_1001_5004_data-2.csv": "b", "kinga_1001_1_c.ipynb": ""}
    path = term.zip({f"kinga_1001_999_{old}": "old", f"kinga_1001_5002_{new}": "new", **others})
    for change in ("1 new", "1 unchanged"):
        done = term.collect(path)
        assert done.status == 0 and change in done.out and f"{new!r} counts, as it is newer than {old!r}" in done.out
        assert term.taken["1001"] == {f"{LAB}.ipynb": "new", "data-1.csv": "a", "data-2.csv": "b", "c.ipynb": ""}


def test_parts_that_a_student_numbered_are_no_versions(term):
    term.collect(term.zip({"kinga_1001_1_part-1.ipynb": "x", "kinga_1001_2_part-2.ipynb": "y"}))
    assert term.taken["1001"] == {"part-1.ipynb": "x", "part-2.ipynb": "y"}


def test_that_it_was_late_is_kept_until_somebody_hands_in_again_or_a_time_is_noted(term):
    def late():
        with Course.at(term.folder).ledger() as ledger:
            return ledger.said_late(LAB)
    term.collect(path := term.zip({f"kinga_LATE_1001_5001_{LAB}.ipynb": "x"}))
    assert late() == {"1001": "Canvas, which says it was late"}
    term.collect(term.zip({f"kinga_1001_5002_{LAB}-1.ipynb": "y"}, "again.zip"))
    assert late() == {}
    with Course.at(term.folder).ledger() as ledger:
        ledger.note_hand_in(LAB, "1001", datetime(2030, 1, 1), "noted by hand")
    done = term.collect(path)
    assert late() == {} and f"python -m grading handed-in {LAB} 1001 --none" in done.out
