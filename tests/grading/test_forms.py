"""Marks in the form that each learning platform takes, and filled into its own export.

Where the forms are from (November 2026):

Canvas       instructure/canvas-lms on GitHub, lib/gradebook_importer.rb (which columns are looked for, by what people
             and assignments are known, "Points Possible", commas and semicolons) and lib/gradebook_exporter.rb
Moodle       docs.moodle.org, "Grade import" (mapped by email address or ID number); moodle/moodle on GitHub,
             grade/import/csv/tests/load_data_test.php (an export), mod/assign/gradingtable.php and
             mod/assign/feedback/offline/importgradeslib.php (the grading worksheet: its columns, and that Identifier,
             Grade and "Last modified (grade)" are needed)
Blackboard   help.blackboard.com, "Work offline with grade data", and "Uploading External Grade Center Items" (known by
             Username and column ID, tabs with .xls or quoted commas with .csv); the header is that of exports in public
             repositories, such as "Homework set #1 [Total Pts: 65 Score] |3229258"
Brightspace  community.d2l.com, "Importing grades" (OrgDefinedId, Username, "Points Grade", nothing else of a user);
             the header with its maximum and the end of a line are those of exports in public repositories, such as
             "homework1 Points Grade <Numeric MaxPoints:6 Category:Homework>"
"""

import csv
import io
from dataclasses import replace

import pytest

from grading.filling import filled, has_number, is_called, whose
from grading.forms import FORMS, Column, written
from grading.roster import Person, person_of

LAB = "lab_tiny"
ADA = Person("ada", "Lovelace", "Ada", "ada@example.org", "Ada Lovelace", "4711", "alove", "S001", "Group, one")
ZOE = Person("zoe", "O'Brien", "Zoë", "zoe@example.org", "Zoë O'Brien", "4712", "zobri", "S002", "Group 2")
LI = Person("li", "", "", "li@example.org", "李", "4713", "liiii", "S003", "Group 2")
PEOPLE = [ADA, ZOE, LI]
each_platform = pytest.mark.parametrize("name", ["moodle", "canvas", "blackboard", "brightspace"])


def lab(**points):
    """The column of a lab of 8 points in which Ada alone has a mark, where nothing else is said."""
    return [Column(LAB, 8.0, points or {"ada": 7.25})]


def rows(name, people=PEOPLE, columns=None):
    """The rows of a file in a platform's form."""
    data, _, _ = written(FORMS[name], people, columns or lab())
    return list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))


# In the platform's form.


def test_canvas():
    assert rows("canvas") == [
        ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", LAB],
        ["    Points Possible", "", "", "", "", "8"],
        ["Lovelace, Ada", "4711", "S001", "alove", "Group, one", "7.25"],
        ["O'Brien, Zoë", "4712", "S002", "zobri", "Group 2", ""],
        ["李", "4713", "S003", "liiii", "Group 2", ""],
    ]


def test_moodle():
    assert rows("moodle") == [
        ["First name", "Last name", "ID number", "Username", "Email address", LAB],
        ["Ada", "Lovelace", "S001", "alove", "ada@example.org", "7.25"],
        ["Zoë", "O'Brien", "S002", "zobri", "zoe@example.org", ""],
        ["", "", "S003", "liiii", "li@example.org", ""],
    ]


def test_moodle_is_told_by_one_column_who_is_who_so_whom_it_does_not_tell_is_left_out():
    people = [ADA, replace(ZOE, sis_id="", username=""), replace(LI, email="")]
    _, left_out, notes = written(FORMS["moodle"], [*people, Person("x", email="x@example.org", number="9")], lab())
    assert list(left_out) == ["li"] and notes == ["When you import it, map from 'Email address'."]


def test_blackboard():
    assert rows("blackboard") == [
        ["Last Name", "First Name", "Username", "Student ID", f"{LAB} [Total Pts: 8 Score]"],
        ["Lovelace", "Ada", "alove", "S001", "7.25"],
        ["O'Brien", "Zoë", "zobri", "S002", ""],
        ["", "", "liiii", "S003", ""],
    ]


def test_blackboard_has_all_in_quotes_after_a_byte_order_mark():
    data, _, _ = written(FORMS["blackboard"], PEOPLE, lab())
    assert data.startswith('\ufeff"Last Name","First Name"'.encode()) and data.endswith(b',"S003",""\r\n')


def test_brightspace():
    assert rows("brightspace") == [
        ["OrgDefinedId", "Username", f"{LAB} Points Grade <Numeric MaxPoints:8>", "End-of-Line Indicator"],
        ["S001", "alove", "7.25", "#"],
        ["S002", "zobri", "", "#"],
        ["S003", "liiii", "", "#"],
    ]


def test_csv():
    assert rows("csv") == [
        ["id", "last_name", "first_name", "email", f"{LAB} (of 8)"],
        ["ada", "Lovelace", "Ada", "ada@example.org", "7.25"],
        ["zoe", "O'Brien", "Zoë", "zoe@example.org", ""],
        ["li", "", "", "li@example.org", ""],
    ]


@pytest.mark.parametrize("points, text", [(0.0, "0"), (12.0, "12"), (9.5, "9.5"), (1 / 3, "0.33"), (1e6, "1000000")])
def test_a_mark_has_a_decimal_point_and_at_most_two_decimals(points, text):
    assert rows("csv", columns=lab(ada=points))[1][-1] == text


def test_a_name_of_a_column_that_has_the_platforms_form_stays():
    name = "Lab 1 [Total Pts: 10 Score] |3229258"
    assert rows("blackboard", columns=[Column(name, 8.0, {})])[0][-1] == name


# What is left out, and what is made safe.


@each_platform
@pytest.mark.parametrize("text", ["=cmd|' /C calc'!A0", "+1", "-1", "@sum", "\t=1", "\r=1", "＝1", " =1", "a;=1"])
def test_an_identifier_that_a_spreadsheet_would_run_is_left_out_and_named(name, text):
    people = [replace(ADA, username=text), ZOE]
    _, left_out, _ = written(FORMS[name], people, lab())
    assert repr(text) in left_out["ada"] and len(rows(name, people)) == len(rows(name, [ZOE]))


@pytest.mark.parametrize("name, safe", [("=1+1", "'=1+1"), ("a;@b\tc", "a;'@b c"), ("O'Brien-Li", "O'Brien-Li"),
                                        ("＋1", "'＋1"), ("\n-x", "'-x"), ("Doe, Jane", "Doe, Jane")])
def test_a_name_that_a_spreadsheet_would_run_is_made_safe(name, safe):
    assert rows("csv", [replace(ADA, last_name=name)])[1][1] == safe


@each_platform
def test_who_cannot_be_known_to_the_platform_is_left_out_and_named(name):
    stranger = Person("ada", "Lovelace", "Ada", **{"canvas": {"email": "a@b"}, "moodle": {"number": "1"}}.get(name, {}),
                      **{"blackboard": {"sis_id": "S1"}, "brightspace": {"number": "1"}}.get(name, {}))
    _, left_out, _ = written(FORMS[name], [stranger, ZOE], lab())
    assert ("ada" in left_out) == (name != "canvas")


def test_who_has_neither_login_nor_number_is_known_by_our_own_id_and_that_is_said():
    people = [Person("ada", "Lovelace", "Ada"), ZOE]
    assert rows("canvas", people)[2] == ["Lovelace, Ada", "", "", "ada", "", "7.25"]
    assert "no login or number of 1:" in written(FORMS["canvas"], people, lab())[2][0]


# In the platform's own export. Each has a place {} for Ada's mark; 李 is in none, and somebody else is.

CANVAS = (f"Student,ID,SIS User ID,SIS Login ID,Section,{LAB} (991),Labs Current Score\n,,,,,Manual Posting,\n"
          '    Points Possible,,,,,8.00,(read only)\n"Lovelace, Ada",4711,S001,alove,"Group, one",{},50.00\n'
          '"O\'Brien, Zoë",4712,S002,zobri,Group 2,,\n"One, No",9,S9,no1,,,\n"Student, Test",99,,0f3a,,,\n').encode()
MOODLE = ('\ufeffIdentifier,"Full name","Email address",Status,Grade,"Maximum Grade","Grade can be changed",'
          '"Last modified (submission)","Last modified (grade)","Feedback comments"\r\n'
          '"Participant 4711","Ada Lovelace",ada@example.org,"Submitted for grading - ",{},8.00,Yes,'
          '"Monday, 2 November 2026, 10:00 AM",-,"Well, ""done"""\r\n'
          '"Participant 4712","Zoë O\'Brien",zoe@example.org,"No submission - ",,8.00,Yes,-,-,\r\n'
          '"Participant 9","No One",no@example.org,"No submission - ",,8.00,Yes,-,-,\r\n').encode()
GRADEBOOK = ('"First name",Surname,"ID number",Institution,Department,"Email address",'
             f'"Assignment: {LAB} (Real)","Course total (Real)","Last downloaded from this course"\n'
             'Ada,Lovelace,S001,"Moodle HQ",,ada@example.org,{},50.00,1788222222\n'
             "Zoë,O'Brien,S002,,,zoe@example.org,-,-,1788222222\nNo,One,S9,,,no@example.org,-,-,1788222222").encode()
BLACKBOARD = (f'"Last Name"\t"First Name"\t"Username"\t"Student ID"\t"Last Access"\t"Availability"\t"{LAB} '
              '[Total Pts: 8 Score] |3229258"\t"Weighted Total [Total Pts: up to 8 Score] |3229200"\r\n'
              '"Lovelace"\t"Ada"\t"alove"\t"S001"\t"2026-11-02 10:00:00"\t"Yes"\t"{}"\t""\r\n'
              '"O\'Brien"\t"Zoë"\t"zobri"\t"S002"\t""\t"Yes"\t""\t""\r\n"One"\t"No"\t"no1"\t"S9"\t""\t"Yes"\t""\t""\r\n'
              ).encode("utf-16")
BRIGHTSPACE = (f"OrgDefinedId,Username,{LAB} Points Grade <Numeric MaxPoints:8 Weight:10>,Final,"
               "End-of-Line Indicator\r\n#S001,#alove,{},7,#\r\n#S002,#zobri,,,#\r\n#S9,#no1,,,#\r\n").encode()
OWN = (f"id;last_name;first_name;email;{LAB} (of 8)\n" "ada;Lovelace;Ada;ada@example.org;{}\n"
       "zoe;O'Brien;Zoë;zoe@example.org;\nno1;One;No;no@example.org;\n").encode()
EXPORTS = {"canvas": CANVAS, "moodle": MOODLE, "moodle's gradebook": GRADEBOOK, "blackboard": BLACKBOARD,
           "brightspace": BRIGHTSPACE, "csv": OWN}
each_export = pytest.mark.parametrize("name", EXPORTS)


def with_mark(data, mark):
    """The export with this mark for Ada."""
    wide = data.startswith(b"\xff\xfe")
    return data.replace(*(text.encode("utf-16-le") if wide else text.encode() for text in ("{}", mark)))


def fill(name, data, columns=None, people=PEOPLE):
    """(the bytes, {student: why} of those left out, sentences) of an export that is filled in."""
    return filled(data, FORMS[name.split("'")[0]], people, columns or lab())


@each_export
def test_only_the_cells_of_final_marks_change_in_a_platforms_own_export(name):
    assert fill(name, with_mark(EXPORTS[name], ""))[0] == with_mark(EXPORTS[name], "7.25")


@each_export
def test_who_is_in_the_export_alone_and_who_is_in_the_class_alone_is_said(name):
    _, left_out, notes = fill(name, with_mark(EXPORTS[name], ""))
    assert list(left_out) == ["li"] and ["it is not certain that" in note for note in notes] == [True]


@each_export
def test_another_maximum_on_the_platform_is_said(name):
    _, _, notes = fill(name, with_mark(EXPORTS[name], ""), [Column(LAB, 9.0, {})])
    said = any("has a maximum of 8, the lab of 9" in note for note in notes)
    assert said == (name != "moodle's gradebook")  # which has none


def test_a_mark_that_is_not_final_leaves_what_the_platform_has_and_says_so():
    data, _, notes = fill("canvas", with_mark(CANVAS, "3"), lab(zoe=1.0))
    assert b"4711,S001,alove,\"Group, one\",3," in data and "ada has no final mark: '3' was left there." in notes


def test_a_column_that_cannot_be_told_is_asked_for_with_those_that_there_are():
    data = with_mark(CANVAS, "").replace(f"{LAB} (991)".encode(), b"Homework (991)")
    with pytest.raises(ValueError, match=r"one of \['Homework \(991\)', 'Labs Current Score'\]"):
        fill("canvas", data)
    assert b",7.25," in fill("canvas", data, [Column("homework", 8.0, {"ada": 7.25})])[0]


@pytest.mark.parametrize("text, name, same", [
    ("Lab 01 (12)", "lab01_additive_attention", True), ("Assignment: Lab 1. Attention (Real)", "lab01_x", True),
    ("Lab 10", "lab01_x", False), ("Labs Current Score", "lab01_x", False), ("Collab 1", "lab01_x", False),
    ("Lab01 Additive-Attention (7)", "lab01_additive_attention", True)])
def test_a_lab_is_found_by_its_name_or_its_number(text, name, same):
    assert (is_called(text, name) or has_number(text, name)) == same


def test_two_columns_of_one_name_are_not_chosen_from():
    with pytest.raises(ValueError, match="expected one column"):
        fill("canvas", with_mark(CANVAS, "").replace(b"Labs Current Score", f"{LAB} (992)".encode()))


@pytest.mark.parametrize("data, says", [
    (b"PK\x03\x04", "got an Excel"), (b"", "a header"), (b"Student\n", "a header"),
    (b"A,B\n1,2\n", "a platform's list"), (CANVAS.split(b"\n")[0] + b"\n", "a row for each")],
    ids=["Excel", "empty", "one column", "nobody", "no rows"])
def test_what_is_no_export_is_refused_in_one_sentence(data, says):
    with pytest.raises(ValueError, match=says) as error:
        fill("canvas", data)
    assert "\n" not in str(error.value)


def test_an_identifier_in_the_export_that_a_spreadsheet_would_run_is_not_filled_in():
    data, left_out, _ = fill("canvas", with_mark(CANVAS, "").replace(b"alove", b"=alove"))
    assert b"7.25" not in data and "'=alove'" in left_out["ada"]


def test_a_grade_that_the_platform_has_locked_is_not_filled_in():
    data, left_out, _ = fill("moodle", with_mark(MOODLE, "").replace(b"Yes", b"No"))
    assert data == with_mark(MOODLE, "").replace(b"Yes", b"No") and "locked" in left_out["ada"]


def test_a_worksheet_of_one_assignment_takes_one_lab():
    with pytest.raises(ValueError, match="name one lab"):
        fill("moodle", with_mark(MOODLE, ""), [*lab(), Column("lab_other", 8.0, {})])


# Who is who.

ROW = ("name", "number", "sis_id", "username")


def found(*texts, people=PEOPLE, others=()):
    """Whom a row with these cells is certainly of, None if that is not certain."""
    return whose([person_of(dict(zip(ROW, each, strict=False))) for each in (texts, *others)], people)[0]


@pytest.mark.parametrize("texts", [
    ["X", "4711"], ["X", "Participant 4711"], ["X", "", "S001"], ["X", "", "#S001"], ["X", "", "", "ALOVE"],
    ["X", "4711", "S001", "alove"], ["X", "4711", "new"], ["Lovelace, Ada"], ["ada  LOVELACE"]])
def test_people_are_known_by_any_identifier_and_else_by_a_name_that_is_theirs_alone(texts):
    assert found(*texts) == "ada"


@pytest.mark.parametrize("texts", [["X", "4711", "S002"], ["Ada Lovelace", "", "S9"], ["Ada Lovelace", "99"], ["Ada"]])
def test_a_row_that_contradicts_itself_or_names_nobody_is_nobodys(texts):
    assert found(*texts) is None


def test_an_identifier_goes_before_a_name():
    assert found("Ada Lovelace", "4712") == "zoe"


def test_namesakes_are_never_told_apart_by_their_name():
    namesake = Person("ada2", "Lovelace", "Ada", username="alove2")
    assert found("Ada Lovelace", people=[ADA, namesake]) is None
    assert found("Ada Lovelace", others=[["Ada Lovelace", "99"]]) is None
    assert found("Ada Lovelace", "", "", "alove", people=[ADA, namesake]) == "ada"


def test_accents_are_the_same_however_they_are_composed():
    assert found("Zoe\u0308 O'Brien") == "zoe"


def test_who_has_no_identifier_is_found_by_our_own_id_or_a_name():
    assert found("X", "", "ada", people=[Person("ada", "Lovelace", "Ada")]) == "ada"
    assert found("Ada Lovelace", "4711", people=[Person("a1", "Lovelace", "Ada")]) == "a1"


def test_a_worksheet_in_another_language_is_filled_in_where_its_column_is_named():
    other = MOODLE.replace(b"Participant", b"Teilnehmer/in").replace(b",Grade,", b",Bewertung,")
    for word in b"Identifier", b"Full name", b"Email address", b"Status", b"Maximum Grade":
        other = other.replace(word, b"Wort " + word[:2])
    data, left_out, _ = fill("moodle", with_mark(other, ""), [Column("Bewertung", 8.0, {"ada": 7.25})])
    assert data == with_mark(other, "7.25") and list(left_out) == ["li"]
