"""The class's list: whatever a platform or a spreadsheet makes of it, and what we keep of it."""

import random
import sys

import pytest

from grading.roster import (
    Match,
    People,
    Person,
    Row,
    letters,
    merged,
    read_list,
    read_matches,
    read_students,
    safe_id,
    write_matches,
    write_students,
)
from grading.submissions import STUDENT
from tests.grading.classes import finished, start

LIST = "id,last_name,first_name,email\nana,Müller,Zoë,zoe@example.org\n"
ZOE = Person("ana", "Müller", "Zoë", "zoe@example.org")
AWKWARD = ["José O'Neil-García", "李 雷", "Rene\u0301 C\u0327elik", "..", "-rf", ".hidden", "a/b\\c", "=cmd|'x'!A1",
           "@me", "", "Ada\nLovelace", "x" * 300, "\u202egpj.exe", "Ünal, Öz", '"Ada"', "0", "Ωmega", "🙂", "+1"]


def people(*those):
    """Persons as they are after a list was read, by id."""
    return {person.id: person for person in those}


@pytest.mark.parametrize("content", [
    LIST.encode(), ("\ufeff" + LIST).encode(), LIST.replace(",", ";").encode(), LIST.replace(",", "\t").encode(),
    ("\ufeff" + LIST).encode("utf-16-le"), ("\ufeff" + LIST).encode("utf-16-be"), LIST.encode("utf-16-le"),
    LIST.encode("cp1252"), LIST.replace("\n", "\r\n").encode(), ("sep=;\n" + LIST.replace(",", ";")).encode(),
    LIST.replace("ü", "u\u0308").encode(), ("\n" + LIST + "\n,,,\n").encode(), LIST.replace("\n", "\r").encode(),
    LIST.replace("id,", " ID ,").replace("ana", ' "ana" ').encode(), LIST.replace("ana", '"=""ana"""').encode(),
], ids=["utf-8", "mark", "semicolons", "tabs", "utf-16", "utf-16 be", "utf-16 without mark", "windows", "crlf", "sep",
        "decomposed", "empty lines", "cr", "spaces", "quoted formula"])
def test_a_list_is_the_same_in_every_shape(term, content):
    person = read_list(term.write("students.csv", content))[0].person
    assert (person.id.strip('" '), person.last_name, person.first_name, person.email) == (
        "ana", "Müller", "Zoë", "zoe@example.org")


@pytest.mark.parametrize("content, says", [
    (b"", "got nothing"), (b"\n\n", "got nothing"), (b"PK\x03\x04...", "an Excel workbook: save it as CSV"),
    (b"foo,bar\n1,2\n", "got the columns ['foo', 'bar']"), (b"id,email\n", "a line for each student, got none"),
    (b"id,email\nada,a@x.org\nemmy,e@x.org\nADA,b@x.org\n", "each id once, got 'ADA' in line 2 ('ada') and in line 4"),
    (b"id,email\nada,a@x.org\nemmy,a@x.org\n", "expected each email once, got 'a@x.org' in line 2"),
    (b"\0" * 50, "got nothing"), (b'"' + b"x" * 300, "got the columns"), (b"<html>", "got the columns"),
], ids=["empty", "empty lines", "excel", "columns", "nobody", "id twice", "email twice", "zeros", "quote", "html"])
def test_a_list_that_is_none_is_refused_in_one_sentence(term, content, says):
    with pytest.raises(ValueError) as error:
        read_list(term.write("students.csv", content))
    assert says in str(error.value) and "\n" not in str(error.value)


def test_a_student_who_stands_twice_with_the_same_is_one(term):
    assert len(read_list(term.write("students.csv", LIST + LIST.splitlines()[1]))) == 1


def test_two_of_one_name_are_two(term):
    rows = read_list(term.write("s.csv", "id,name\n1,Ada Lovelace\n2,Ada Lovelace\n"))
    assert sorted(merged({}, rows, True)[0].by_id) == ["1", "2"]


@pytest.mark.parametrize("name", AWKWARD)
def test_an_id_is_one_that_a_file_system_and_nbgrader_can_hold(name):
    id = People().new_id(name)
    assert STUDENT.fullmatch(id) and not id.startswith((".", "-")) and len(id.encode()) < 256 and "/" not in id


def test_composed_or_not_a_name_gives_one_id():
    assert safe_id("Rene\u0301") == safe_id("Ren\u00e9") and letters("RENE\u0301") == letters("ren\u00e9")


def test_no_two_ids_differ_in_case_alone():
    known = People([Person("Ada"), Person("ada-2")])
    assert known.new_id("ADA") == "ADA-3"


@pytest.mark.parametrize("seed", range(5))
def test_what_is_written_is_read_again(term, seed):
    draw = random.Random(seed)
    texts = ["".join(draw.choices("aé李,;\"'=-@ \n\t🙂", k=draw.randrange(6))).strip() for _ in range(80)]
    those = people(*(Person(f"s{n}", *texts[n:n + 8]) for n in range(70)))
    write_students(term.folder, those.values())
    assert read_students(term.folder) == those


def test_matches_are_written_and_read_again_those_that_wait_first(term):
    matches = [Match("lab", "=Ada", "1001", "ada"), Match("lab", "Zoë", "", "", "Who?")]
    write_matches(term.folder, matches)
    assert list(read_matches(term.folder).values()) == matches[::-1]


def test_matches_that_excel_has_saved_are_read(term):
    (term.folder / "matches.csv").write_bytes("lab;given;number;id;why\r\nlab;Zoë;;ana;\r\n".encode("cp1252"))
    assert read_matches(term.folder) == {("lab", "Zoë", ""): Match("lab", "Zoë", "", "ana")}


@pytest.mark.parametrize("text, says", [
    ("lab,given\nx,y\n", "expected the columns lab, given, number, id, why, got none called 'id'"),
    ("", "expected a table"),
])
def test_a_spoiled_list_of_matches_is_refused(term, text, says):
    (term.folder / "matches.csv").write_text(text)
    with pytest.raises(ValueError, match=says):
        read_matches(term.folder)


@pytest.mark.parametrize("id", ["..", "", "a b", "a/b"])
def test_an_id_that_leads_elsewhere_is_refused(term, id):
    (term.folder / "students.csv").write_text(f"id,name\n{id},x\n")
    with pytest.raises(ValueError, match="expected ids of letters"):
        read_students(term.folder)


def test_nbgraders_own_import_reads_what_we_write(term):
    write_students(term.folder, [ZOE])
    done = finished(start([sys.executable, "-m", "nbgrader", "db", "student", "import",
                           str(term.folder / "students.csv"), f"--db=sqlite:///{term.folder / 'gradebook.db'}"]))
    assert done.status == 0 and "Creating/updating Student with id 'ana'" in done.err, done.err


@pytest.mark.parametrize("row, known", [
    (Person(email="ZOE@example.org", number="9"), ZOE), (Person(username="zm", name="Z."), Person("7", username="ZM")),
    (Person(number="9", name="Zoe"), Person("7", number="9")), (Person(name="Müller, Zoë"), ZOE),
    (Person("ana", email="new@example.org"), ZOE),
], ids=["email", "username", "number", "name", "id"])
def test_an_id_that_somebody_has_is_kept(row, known):
    class_, rows = merged(people(known), [Row(2, row)], True)
    assert list(class_.by_id) == list(rows) == [known.id]


@pytest.mark.parametrize("row, id", [
    (Person(username="zm", sis_id="S1", email="z@x", number="9"), "zm"), (Person(sis_id="S1", email="z@x"), "S1"),
    (Person(email="z@x", number="9"), "z@x"), (Person(number="9", name="Zoë"), "9"), (Person(name="Zoë"), "Zoë"),
    (Person("a b", name="Zoë"), "a_b"),
])
def test_a_new_id_is_what_lasts_longest(row, id):
    assert list(merged({}, [Row(2, row)], True)[0].by_id) == [id]


def test_of_two_of_one_name_nobody_is_taken_for_the_other():
    known = people(Person("1", name="Ada Lovelace", email="a@x"), Person("2", name="Emmy Noether"))
    rows = [Row(2, Person(name="Ada Lovelace", email="b@x")), Row(3, Person(name="Emmy Noether", number="9"))]
    assert sorted(merged(known, rows, True)[0].by_id) == ["1", "2", "b@x"]


def test_another_number_of_a_name_is_another_person_where_numbers_last():
    known, rows = people(Person("1", name="Ada", number="1")), [Row(2, Person(name="Ada", number="2"))]
    assert sorted(merged(known, rows, True)[0].by_id) == ["1", "2"]
    assert sorted(merged(known, rows, False)[0].by_id) == ["1"]


def test_a_line_that_fits_two_people_is_refused():
    known = people(Person("1", email="a@x"), Person("2", sis_id="S2"))
    with pytest.raises(ValueError, match=r"line 2 \('Ada'\) fits '2', '1' in students.csv"):
        merged(known, [Row(2, Person(name="Ada", email="a@x", sis_id="S2"))], True)


def test_two_lines_that_are_one_person_are_refused():
    rows = [Row(2, Person(email="a@x")), Row(3, Person(sis_id="S1"))]
    with pytest.raises(ValueError, match="lines 2 and 3 both seem to be '1'"):
        merged(people(Person("1", email="a@x", sis_id="S1")), rows, True)
