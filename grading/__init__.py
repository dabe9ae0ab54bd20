"""What the instructor runs: grading in two rooms, behind nbgrader's front door.

`grade` in `marking` takes a notebook's bytes and gives a graded notebook and marks; `autograde` is nbgrader's own
command on top of it; `python -m grading` builds the solved labs, the release and the demonstration class.
"""

from grading.checking import judge
from grading.student import LocalStudent


def hidden_checks(lab, exercise, namespace, solutions="solutions"):
    """Run an exercise's hidden check on the functions of a namespace. Stands in the hidden region of a check cell.

    It runs where an instructor opens a source or solved lab in Jupyter, and under nbval. (A submission is graded in
    the exam room instead, and never sees the hidden region.) Raises AssertionError with a line for each failed verdict.
    """
    judgement = judge(lab, exercise, LocalStudent(namespace), solutions)
    failed = [f"- {verdict.law}: {verdict.hint}" for verdict in judgement.verdicts if not verdict.passed]
    if failed:
        head = f"{exercise}: {len(failed)} of {len(judgement.verdicts)} checks failed"
        raise AssertionError("\n".join([head, *failed, *filter(None, [judgement.mistake])]))
