"""`python -m grading give-back LAB --for moodle`: all pages of feedback in one zip that the platform takes.

Moodle gives each file to the participant whose number stands in the name of its folder, NAME_NUMBER_assignfeedback_file
(mod/assign/feedback/file/importziplib.php of Moodle's source). The numbers are those of the submissions that were
collected, which matches.csv keeps.
"""

import zipfile
from pathlib import Path

from grading.apart import Apart
from grading.course import Course
from grading.giving_back import deliver, outdated, page
from grading.lateness import settle
from grading.roster import read_matches

PLATFORMS = ("moodle",)


def give_back(options):
    """Write feedback-LAB.zip and say who is not in it. Returns the exit status: 1 if a page could not be addressed."""
    course = Course.at(options.course_dir)
    failed = []
    _bring_up_to_date(course, course.lab(options.lab).name, failed)
    pages = {student: path for student in course.students(options.lab, course.coursedir.feedback_directory)
             if (path := course.feedback(options.lab, student)).is_file()}
    if not pages:
        raise ValueError(f"feedback: expected pages of {options.lab}, got none: write them with "
                         f"nbgrader generate_feedback {options.lab}")
    matches = [match for match in read_matches(course.coursedir.root).values() if match.lab == options.lab]
    folders = {match.id: _folder(match) for match in matches if match.id in pages and match.number}
    out = options.out or Path(course.coursedir.root, f"feedback-{options.lab}.zip")
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        for student, folder in sorted(folders.items()):
            with Apart(student, "give back", said=failed):
                file.writestr(f"{folder}/{options.lab}.html", pages[student].read_bytes())
        count = len(file.namelist())
    print("\n".join([f"{out}: {count} pages", *failed]))
    without = sorted(set(pages) - set(folders))
    if without:
        print(f"left out: {', '.join(without)}: matches.csv has no number of theirs on the platform")
    return bool(without or failed)


def _bring_up_to_date(course, lab, failed):
    """Write the pages anew that no longer show what the gradebook holds."""
    with course.ledger() as ledger:
        for problem in settle(ledger.book, course.config, [lab]):
            print(problem)
        for arguments in outdated(course, ledger.book, lab, course.students(lab), failed):
            with Apart(arguments[1], "page", said=failed):
                deliver(course, arguments, page(*arguments))


def _folder(match):
    """Moodle splits the name of a folder at its underscores, so a person's own are left out."""
    return f"{match.given.replace('_', ' ').replace('/', ' ')}_{match.number}_assignfeedback_file"
