"""What the gradebook holds of a lab is what nbgrader writes, and follows the lab without losing a mark."""

import copy
from dataclasses import replace

import pytest
from nbformat import v4
from nbgrader.api import Gradebook

from grading.course import Course
from grading.entering import FIELDS, wanted_cells
from grading.records import LedgerError
from tests.grading import tiny
from tests.grading.classes import Class

NAMES = tiny.NAME, tiny.NAME


@pytest.fixture
def course(given_out, tmp_path, lab):
    """A course in which nobody has handed in anything."""
    return Class.new(given_out, tmp_path / "course", lab)


@pytest.fixture
def enter(course):
    """Enter a lab as `grade` does. Returns what the gradebook then holds of it."""
    def enter_one(lab):
        with Course.at(course.folder).ledger() as ledger:
            ledger.expect(lab)
        return kept(course)
    return enter_one


@pytest.fixture
def marked(course):
    """Anna's written answer has 1.5 points by hand, and her first exercise 2 by the checks."""
    with course.gradebook() as book, book.db.no_autoflush:
        book.add_student("anna"), book.add_submission(tiny.NAME, "anna")
        book.find_grade("why", *NAMES, "anna").manual_score = 1.5
        book.find_grade("center-checks", *NAMES, "anna").auto_score = 2.0
        book.db.commit()
    return course


def kept(course):
    """{(kind, grade_id): what the gradebook keeps of the cell}"""
    with course.gradebook() as book:
        notebook = book.find_notebook(*NAMES)
        return {(type(row).__name__, row.name): {field: getattr(row, field) for field in FIELDS[type(row).__name__][1]}
                for row in [*notebook._base_cells, *notebook.source_cells]}


def changed(lab, change):
    """The lab after `change` was applied to the cells of its source."""
    source = copy.deepcopy(lab.source)
    change(source.cells)
    return replace(lab, source=source)


def without(grade_id):
    """A change that takes a cell out."""
    def take_out(cells):
        cells[:] = [cell for cell in cells if cell.metadata.get("nbgrader", {}).get("grade_id") != grade_id]
    return take_out


def harder(cells):
    """A change that gives the first check more points."""
    next(cell for cell in cells if cell.id == "tiny-3").metadata.nbgrader.points = 5


def longer(cells):
    """A change that adds a question."""
    cells.append(v4.new_markdown_cell("Why?", metadata=tiny._nbgrader("why-not", 3, "both")))


def test_it_is_what_nbgrader_itself_writes(course, lab):
    assert kept(course) == wanted_cells(lab)


def test_a_gradebook_that_is_not_there_is_made(course, lab, enter):
    (course.folder / "gradebook.db").unlink()
    assert enter(lab) == wanted_cells(lab)


def test_a_deadline_that_was_set_first_stays(course, lab, enter):
    (course.folder / "gradebook.db").unlink()
    with Gradebook(f"sqlite:///{course.folder / 'gradebook.db'}", "attention") as book:
        due = book.update_or_create_assignment(tiny.NAME, duedate="2030-01-01 10:00 UTC").duedate
    enter(lab)
    with course.gradebook() as book:
        assert book.find_assignment(tiny.NAME).duedate == due


@pytest.mark.parametrize("change", [harder, longer, without("center-checks")], ids=["harder", "longer", "shorter"])
def test_it_follows_the_lab_and_no_mark_by_hand_is_lost(marked, lab, enter, change):
    assert enter(changed(lab, change)) == wanted_cells(changed(lab, change))
    with marked.gradebook() as book:
        assert book.find_grade("why", *NAMES, "anna").score == 1.5


def test_a_new_question_waits_for_a_person_in_every_submission_that_there_is(marked, lab, enter):
    enter(changed(lab, longer))
    with marked.gradebook() as book:
        assert book.find_grade("why-not", *NAMES, "anna").needs_manual_grade
        assert book.find_comment("why-not", *NAMES, "anna").comment is None


def test_what_a_person_has_marked_is_not_taken_out(marked, lab, enter):
    before = kept(marked)
    with pytest.raises(LedgerError, match=r"expected .why. in lab_tiny, where 1 submissions .* put it back"):
        enter(changed(lab, without("why")))
    assert kept(marked) == before


def test_generate_assignment_enters_a_lab_whose_release_is_there_already(course, lab):
    (course.folder / "gradebook.db").unlink()
    done = course.nbgrader("generate_assignment", tiny.NAME)
    assert done.status == 0 and "Skipping" in done.err and kept(course) == wanted_cells(lab)
