"""`python -m grading marks`: which marks leave the course, and what is said of the others."""

import csv
import shutil

import pytest

from grading.roster import Match, Person, write_matches, write_students
from tests.grading import tiny
from tests.grading.classes import Class

PEOPLE = [Person("ada", "Lovelace", "Ada", username="alove"), Person("zoe", "O'Brien", "Zoë", username="zobri"),
          Person("li", name="李", username="liiii")]


@pytest.fixture(autouse=True)
def settled(monkeypatch):
    """Penalties are what a test says, whatever deadlines say: those are `lateness`'s."""
    monkeypatch.setattr("grading.transfer.settle", lambda *_: [])


@pytest.fixture(scope="module")
def marked(given_out, tmp_path_factory, lab):
    """Ada has 7.25 of 8, Zoë's essay waits for a person, 李 has handed in nothing."""
    course = Class.new(given_out, tmp_path_factory.mktemp("marked") / "course", lab)
    write_students(course.folder, PEOPLE)
    course.mark("ada", center=1.5, penalty=0.25)
    course.mark("zoe", why=None)
    return course


@pytest.fixture
def course(marked, tmp_path):
    """The same, to be changed."""
    shutil.copytree(marked.folder, tmp_path / "course")
    return Class(tmp_path / "course", marked.lab)


def marks(course, *options, platform="csv"):
    """(how the command ended, {id: the cells after names and address})."""
    done = course.run("marks", tiny.NAME, "--for", platform, *options)
    with (course.folder / f"marks-{platform}-{tiny.NAME}.csv").open(newline="", encoding="utf-8-sig") as file:
        return done, {row[0]: row[4:] for row in csv.reader(file)}


def test_the_summary_says_how_many_marks_there_are_who_waits_and_who_handed_in_nothing(course):
    assert marks(course)[0].out.splitlines()[1:] == [
        f"{tiny.NAME}, of 8 points", "  final marks written: 1",
        "  waiting for a person, left blank: 1: zoe (why)", "  handed in nothing: 1: li"]


@pytest.mark.parametrize("waits", [["center"], ["why"], ["center", "spread", "why"]], ids="-".join)
def test_a_mark_of_which_a_part_waits_is_blank_and_counted(course, waits):
    course.mark("ada", **dict.fromkeys(waits))
    course.hand_in("ada")
    done, cells = marks(course)
    assert cells["ada"] == [""] and "waiting for a person, left blank: 2: ada" in done.out


def test_an_answer_that_a_person_is_to_look_at_again_waits(course):
    with course.gradebook() as book:
        book.find_submission(tiny.NAME, "ada").notebooks[0].grades[0].needs_manual_grade = True
        book.db.commit()
    assert marks(course)[1]["ada"] == [""]


def test_who_has_handed_in_and_is_not_graded_yet_has_not_handed_in_nothing(course):
    course.hand_in("li"), course.hand_in("new")
    done, cells = marks(course, "--missing", 0)
    assert cells["li"] == cells["new"] == [""] and "li (not graded yet), new (not graded yet)" in done.out


def test_who_handed_in_nothing_can_have_nought(course):
    assert marks(course, "--missing", 0)[1]["li"] == ["0"]


def test_penalties_are_settled_before_marks_are_read(course, monkeypatch):
    monkeypatch.setattr("grading.transfer.settle", lambda *_: course.mark("ada", penalty=2.0) or ["A plugin failed."])
    done, cells = marks(course)
    assert cells["ada"] == ["6"] and "A plugin failed." in done.out


def test_no_mark_is_below_nought(course):
    course.mark("ada", penalty=20.0)
    assert marks(course)[1]["ada"] == ["0"]


def test_each_exercise_and_what_was_taken_off_can_have_a_column(course):
    _, cells = marks(course, "--per-exercise")
    assert cells["id"] == [f"{tiny.NAME}: center-checks (of 2)", f"{tiny.NAME}: spread-checks (of 4)",
                           f"{tiny.NAME}: why (of 2)", f"{tiny.NAME}: taken off as late", f"{tiny.NAME} (of 8)"]
    assert (cells["ada"], cells["zoe"]) == (["1.5", "4", "2", "0.25", "7.25"], ["2", "4", "", "", ""])


def test_people_are_sorted_by_name_and_those_of_the_gradebook_alone_are_in_it(course):
    course.mark("émile", last_name="Émile"), course.mark("egon", last_name="Egon")
    assert list(marks(course)[1]) == ["id", "egon", "émile", "ada", "zoe", "li"]


def test_somebody_with_a_final_mark_who_is_left_out_makes_it_fail(course):
    write_students(course.folder, [Person("ada", username="=1"), *PEOPLE[1:]])
    done, cells = marks(course, platform="blackboard")
    assert done.status == 1 and "left out: 1: ada (a spreadsheet would run" in done.out and len(cells) == 3


def test_somebody_without_a_mark_who_is_left_out_does_not(course):
    write_students(course.folder, [*PEOPLE[:2], Person("li", username="=1")])
    done, _ = marks(course, platform="blackboard")
    assert done.status == 0 and "left out: 1: li" in done.out


def test_a_template_is_filled_in_beside_it_and_never_written_over(course):
    template, head = course.folder / "export.txt", f"Last Name\tFirst Name\tUsername\t{tiny.NAME}"
    template.write_bytes(f"{head}\r\nL\tA\talove\t\r\n".encode())
    command = ["marks", tiny.NAME, "--for", "blackboard", "--template", template]
    assert course.run(*command, "--out", template).status == 1
    assert course.run(*command).status == 0 and template.read_bytes().endswith(b"alove\t\r\n")
    assert (course.folder / f"marks-blackboard-{tiny.NAME}.txt").read_bytes().endswith(b"\r\nL\tA\talove\t7.25\r\n")


@pytest.mark.parametrize("number, status", [(1001, 0), (2002, 1)])
def test_a_worksheet_with_other_numbers_than_the_labs_download_is_another_assignments(course, number, status):
    write_matches(course.folder, [Match(tiny.NAME, "Ada", "1001", "ada")])
    template = course.folder / "worksheet.csv"
    row = f"Participant {number},Ada Lovelace,,Submitted,"
    template.write_text(f"Identifier,Full name,Email address,Status,Grade\n{row}\n")
    done = course.run("marks", tiny.NAME, "--for", "moodle", "--template", template)
    assert done.status == status and ("is it another assignment's?" in done.err) == status


@pytest.mark.parametrize("options", [["--for", "canvas", "--per-exercise"], ["--for", "canvas", "--column", "Lab"],
                                     ["lab_tinny", "--for", "csv"], ["--for", "csv", "--template", "none.csv"]],
                         ids=" ".join)
def test_what_does_not_fit_is_refused_in_one_sentence_and_nothing_is_written(course, options):
    done = course.run("marks", *options)
    assert done.status == 1 and done.err.count("\n") == 1 and not list(course.folder.glob("marks*"))
