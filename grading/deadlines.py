"""`python -m grading deadline` and `extend`: until when a lab is handed in, and who has more time.

nbgrader holds both: a deadline is its `duedate`, an extension the time that is added to it for one student.
"""

from datetime import timedelta

from grading import lateness
from grading.clock import Moment, lasting, understood, zone
from grading.course import Course
from grading.submissions import STUDENT

LONGEST = 3650  # days of an extension


def deadline(options):
    """Set a lab's deadline, or take it away, and say what it is. Raises ValueError, LedgerError."""
    course = Course.at(options.course_dir)
    lab = course.terms(options.lab).lab.name
    with course.ledger() as ledger:
        if options.time or options.none:
            moment = understood(" ".join(options.time), course.settings.timezone) if options.time else None
            ledger.set_due(lab, moment and moment.utc)
            _say(moment)
        _settle(course, ledger, lab)
        _show(course, ledger, lab, ledger.extensions(lab))


def extend(options):
    """Give students more time for a lab, or take it back, and say until when. Raises ValueError, LedgerError."""
    course = Course.at(options.course_dir)
    lab = course.terms(options.lab).lab.name
    with course.ledger() as ledger:
        _settle(course, ledger, lab)
        if options.none or options.days is not None or options.until:
            more = None if options.none else _more(options, ledger.due(lab), course.settings.timezone)
            for student in _known(options.students):
                ledger.extend(lab, student, more)
            _settle(course, ledger, lab)
        held = ledger.extensions(lab)
        _show(course, ledger, lab, {student: held.get(student) for student in options.students or sorted(held)})


def _more(options, due, timezone):
    """The timedelta that the options name. Raises ValueError."""
    if due is None:
        raise ValueError(f"extension: {options.lab} has no deadline yet: python -m grading deadline {options.lab} TIME")
    if options.until:
        moment = understood(" ".join(options.until), timezone)
        _say(moment)
        more = moment.utc - due
    else:
        more = timedelta(days=options.days) if abs(options.days) <= LONGEST else timedelta(0)
    if not timedelta(0) < more <= timedelta(days=LONGEST):
        raise ValueError(f"extension: expected a time after the deadline, {due} UTC, by at most {LONGEST} days")
    return more


def _known(students):
    """The students, if these can be ids. Raises ValueError. They need not have handed in anything."""
    wrong = [student for student in students if not STUDENT.fullmatch(student)]
    if wrong or not students:
        raise ValueError(f"student: expected ids, got {', '.join(map(repr, wrong)) or 'none'}")
    return students


def _settle(course, ledger, lab):
    for problem in lateness.settle(ledger.book, course.config, [lab]):
        print(problem)


def _show(course, ledger, lab, extensions):
    """Print the deadline, and until when these {student: timedelta or None} have time."""
    due, place = ledger.due(lab), zone(course.settings.timezone)
    print(f"{lab}: " + (f"{Moment(due, place)}" if due else "no deadline"))
    known = ledger.students()
    for student, more in extensions.items():
        until = f", until {Moment(due + more, place)}" if more and due else ""
        print(f"{student}: " + (f"{lasting(more.total_seconds())} more{until}" if more else "no extension")
              + ("" if student in known else " (the gradebook has nobody of this id yet)"))


def _say(moment):
    for note in moment.notes if moment else ():
        print(note)
