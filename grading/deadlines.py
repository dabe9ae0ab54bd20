"""`python -m grading deadline`, `extend` and `handed-in`: until when a lab is handed in, who has more time, and when
somebody handed in, where no platform says it.

nbgrader holds the first two: a deadline is its `duedate`, an extension the time that is added to it for one student.
"""

from datetime import timedelta
from difflib import get_close_matches

from grading import lateness
from grading.clock import Moment, lasting, understood, zone
from grading.course import Course
from grading.roster import read_students
from grading.submissions import STUDENT

LONGEST = 3650  # days of an extension
BY_HAND = "noted by hand"


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
            for student in _known(options.students, _everybody(course, options.course_dir, ledger, lab)):
                ledger.extend(lab, student, more)
            _settle(course, ledger, lab)
        held = ledger.extensions(lab)
        _show(course, ledger, lab, {student: held.get(student) for student in options.students or sorted(held)})


def handed_in(options):
    """Note when students handed in, or know it no more, and say when. Raises ValueError, LedgerError."""
    course = Course.at(options.course_dir)
    lab = course.terms(options.lab).lab.name
    students, time = _parted(options.words)
    with course.ledger() as ledger:
        if options.none or time:
            moment = None if options.none else understood(time, course.settings.timezone)
            _say(moment)
            for student in _known(students, _everybody(course, options.course_dir, ledger, lab)):
                ledger.note_hand_in(lab, student, moment and moment.utc, moment and BY_HAND)
        _settle(course, ledger, lab)
        _show_times(course, ledger, lab, students)


def _parted(words):
    """(ids, the time behind them or None): no id has a space or a colon."""
    has_time = bool(words) and not STUDENT.fullmatch(words[-1])
    return (words[:-1], words[-1]) if has_time else (words, None)


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


def _known(students, everybody):
    """The students, if each is one of everybody's ids. Raises ValueError. They need not have handed in anything."""
    wrong = [student for student in students if not STUDENT.fullmatch(student)]
    if wrong or not students:
        raise ValueError(f"student: expected ids, got {', '.join(map(repr, wrong)) or 'none'}")
    for student in [student for student in students if student not in everybody]:
        near = get_close_matches(student, sorted(everybody), 1)
        raise ValueError(f"student: expected the id of somebody in the class, got {student!r}"
                         + (f": is {near[0]!r} meant?" if near else "")
                         + " (the class is entered by python -m grading roster or collect)")
    return students


def _everybody(course, folder, ledger, lab):
    """{id} of all of whom anything is known: of the gradebook, students.csv, submitted/, and who has more time."""
    return {*ledger.students(), *read_students(folder), *course.students("*"), *ledger.extensions(lab)}


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


def _show_times(course, ledger, lab, students):
    """Print when these handed in, or all of whom anything is known."""
    noted, late = ledger.hand_ins(lab), ledger.said_late(lab)
    for student in students or sorted(noted.keys() | late.keys()):
        when, how = noted.get(student, (None, late.get(student)))
        when = f"{Moment(when, zone(course.settings.timezone))}" if when else "time unknown"
        print(f"{student}: {when}" + (f" ({how})" if how else ""))


def _say(moment):
    for note in moment.notes if moment else ():
        print(note)
