"""How class_of_1c942c1.zip was made, by the code of that commit: see README.md."""

import shutil
import sys
import tempfile
from pathlib import Path

from grading.lab import Lab
from tests.grading import tiny
from tests.grading.classes import MISTAKE, Class, give_out

BY_HAND = {"anna": (1.5, "well seen"), "ben": (2.0, "yes"), "dóra": (1.0, "half of it")}


def main(folder):
    """Anna in time, Ben late with nothing left of his points, Cleo blank, Dóra with two days more; three are marked."""
    given = Path(tempfile.mkdtemp(), "given")
    give_out(given)
    lab = Lab.read(given / "labs", tiny.NAME, tiny.SOLUTIONS)
    course = Class.new(given, folder, lab, config="c.LateSubmissionPlugin.penalty_method = 'zero'\n")
    course.hand_in("anna", stamp="2026-03-02 10:00:00 UTC\n")
    course.hand_in("ben", center=MISTAKE, stamp="2026-03-03 14:00:00 UTC\n")
    course.hand_in("cleo", tiny.to_bytes(lab.skeleton))
    course.hand_in("dóra", why="Weil die Mitte bleibt.", stamp="2026-03-03 09:00:00 UTC\n")
    with course.gradebook() as book:
        book.update_or_create_assignment(tiny.NAME, duedate="2026-03-02 12:00:00 UTC")
        book.add_student("anna", last_name="Arendt", first_name="Hannah")
    course.grade()
    with course.gradebook() as book:
        book.grant_extension(tiny.NAME, "dóra", days=2)
    course.grade("--force", "--student", "dóra")
    with course.gradebook() as book:
        mark(book)


def mark(book):
    """As formgrader does."""
    for student, (points, comment) in BY_HAND.items():
        grade = book.find_grade("why", tiny.NAME, tiny.NAME, student)
        grade.manual_score, grade.needs_manual_grade = points, False
        book.find_comment("why", tiny.NAME, tiny.NAME, student).manual_comment = comment
    book.db.commit()


if __name__ == "__main__":  # worker processes import this file too
    main(Path(sys.argv[1]))
    for name in ("release", "nbgrader_config.py"):
        path = Path(sys.argv[1], name)
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    shutil.make_archive("class_of_1c942c1", "zip", sys.argv[1])
