"""What the instructor runs: grading in two rooms, behind nbgrader's front door.

Both commands, nbgrader's (`autograde`) and `python -m grading grade` (`runner`), take a submission the same way:

    submissions.py   read_submission: what was handed in, as bytes (archives.py, reading.py); `Course.task`: a Task
    work.py          work: a Task in, a Result out, in any process; what fails here waits for the instructor
    choice.py        choose: of several notebooks the one with the answers
    marking.py       grade: a notebook's bytes in, a graded notebook and marks out; the next lines are its steps
    repair.py        repair: the answers, put into the lab's own skeleton; nothing else of the file goes on
    places.py        find_places: which cell is which, also without marks and ids; prose.py: what was written, wherever
    showing.py       show: each cell is run, as it was meant (as_meant.py); a copy is kept for each check
    room/room.py     ExamRoom.run: each cell, in the sandbox; ExamRoom.keep: a copy of the notebook at each check cell
    room/outputs.py  clean: what the cells showed, rebuilt and cut to its limits
    checking.py      judge: the hidden check asks the copies (student.py, ExamRoom.call) and gives a Judgement: verdicts
    room/lending.py  Loan: earlier exercises that lost points, lent to a copy in which a later one is judged once more
    marking.py       Mark: the points, computed here and nowhere else: those of the cell times Judgement.share
    feedback.py      verdict_output: the verdicts and points, as the first output of the check cell
    records.py       Record: all that was found in a submission; Ledger.save: the gradebook, in one commit
    apart.py         Apart: whatever goes wrong in one of these stages is that submission's, and the class goes on
    course.py        Course.deliver: writes the graded notebook to autograded/, then has the record saved
    desk/            what a person gives, question by question: nbgrader's own marks and comments
    pages.py         FeedbackPage: what the student reads, once nbgrader generate_feedback has been run
    giving_back.py   page, GiveBack: writes that page, and writes it anew where something that it shows has changed

Around it is nbgrader: front_door.py puts our parts behind its commands, configuration.py says whose settings count and
owned.py which files are never executed; new_class.py makes a class's folder, giving_out.py and entering.py enter a lab
into the gradebook, exchange.py collects from nbgrader's exchange and gives back through it.

runner.py does that for a class, in the worker processes of cluster.py, and writes the pages there too.

What a learning platform hands out comes in by `python -m grading collect`:

    collect.py       what is taken for whom is decided, said, and then written (intake.py)
    download.py      a zip, a folder or a file, of which no name, size or link is trusted
    platforms/       how each platform names files, people and times (dates.py): a module each
    roster.py        students.csv and matches.csv: who is in the class, and whose is what (whose.py)

What else shows marks (report.py, the summary of course.py) adds up what the records and the gradebook (gradebook.py)
hold. Marks by hand are nbgrader's; so are late penalties, but lateness.py works them out anew before anything shows or
exports marks, from deadlines and extensions (deadlines.py, clock.py) as they are then. Marks leave the course by
`python -m grading marks` and nbgrader's export:

    marks.py         marks: which are final, from the gradebook alone
    transfer.py      write_marks: the file for a platform, and who is not in it and why
    forms.py         written: the file in a platform's form; each form is a row
    filling.py       filled: the platform's own export (template.py), where columns and people (roster.py) are found
    export.py        OneRowPerStudent: what nbgrader's export writes; both make cells safe (spreadsheet.py)

parcel.py packs the pages as a platform takes them, forgetting.py deletes all that is kept about a student. similar.py
lists near copies (fingerprints.py, likeness.py). solved.py, release.py and demo.py build what `make course` needs.
"""

from grading.checking import judge, lost_before
from grading.student import LocalStudent


def hidden_checks(lab, exercise, namespace, solutions="solutions"):
    """Run an exercise's hidden check on the functions of a namespace. Stands in the hidden region of a check cell.

    It runs where an instructor opens a source or solved lab in Jupyter, and under nbval. (A submission is graded in
    the exam room instead, and never sees the hidden region.) Raises AssertionError with a line for each failed verdict.
    """
    judgement = judge(lab, exercise, LocalStudent(namespace), solutions)
    if judgement.share < 1:
        lost = lost_before(lab, exercise, namespace, solutions)
        judgement = judge(lab, exercise, LocalStudent(namespace), solutions, lost=lost)
    failed = [f"- {verdict.law}: {verdict.hint}" for verdict in judgement.verdicts if not verdict.passed]
    if failed:
        head = f"{exercise}: {len(failed)} of {sum(v.weight > 0 for v in judgement.verdicts)} checks failed"
        raise AssertionError("\n".join([head, *failed, *filter(None, [judgement.mistake])]))
