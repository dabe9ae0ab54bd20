"""`python -m grading marks`: final marks of a class, in a file that its learning platform takes.

`results` is what each lab gives; `forms.written` makes a file in the platform's form, `filling.filled` fills in
the platform's own export; `told` says what was written, for whom nothing, and why.
"""

from dataclasses import dataclass, field

from grading.filling import filled
from grading.forms import FORMS, Column, written
from grading.lateness import of, settle, unknown
from grading.marks import marks, maxima
from grading.platforms import PLATFORMS
from grading.roster import Person, read_matches, read_students
from grading.spreadsheet import collated, number


@dataclass(frozen=True)
class Results:
    """What a class has in one lab.

    possible  {grade_id: points}
    given     {student: Mark} of whatever has been marked
    final     {student: points}
    waiting   {student: [what waits]}
    nothing   students who handed in nothing
    late      {student: Late}, {} where the lab has no deadline
    """

    lab: str
    possible: dict
    given: dict
    final: dict
    waiting: dict
    nothing: list
    late: dict = field(default_factory=dict)


def write_marks(course, options):
    """Write the file that `options` ask for, and say what it holds. Called by `python -m grading marks`.

    Returns the exit status: 1 if somebody with a final mark is not in the file, or is late and nobody
    knows by how much. Raises ValueError, before anything is
    written, if the options do not fit each other, the gradebook or the template.
    """
    form, out = FORMS[options.platform], out_path(options)
    with course.ledger() as ledger:
        labs = options.labs or sorted(assignment.name for assignment in ledger.book.assignments)
        problems = settle(ledger.book, course.config, labs)
        people = class_list(course, ledger.book, options.course_dir, labs)
        found = [results(course, ledger, lab, people, options.missing) for lab in labs]
    columns = [column for each in found for column in columns_of(each, options)]
    if options.template:
        data, left_out, notes = filled(options.template.read_bytes(), form, people, columns, _lasting(options),
                                       _numbers(options))
    else:
        data, left_out, notes = written(form, people, columns)
    out.write_bytes(data)
    print(told(found, left_out, [*notes, *problems], out), end="")
    return int(any(each.final.keys() & {*left_out, *_said_late(each)} for each in found))


def _said_late(found):
    return {student for student, one in found.late.items() if one.said_late}


def _lasting(options):
    """Has a person one number for all assignments of the platform?"""
    return options.platform not in PLATFORMS or PLATFORMS[options.platform].lasting


def _numbers(options):
    """{student: number} of one lab's download, if the platform gives a person another in each assignment."""
    if _lasting(options) or len(options.labs) != 1:
        return {}
    matches = read_matches(options.course_dir).values()
    return {match.id: match.number for match in matches if match.lab == options.labs[0] and match.id and match.number}


def out_path(options):
    """Where the file goes. Raises ValueError if options do not fit each other."""
    if options.per_exercise and (options.platform != "csv" or options.template):
        raise ValueError("per-exercise: expected --for csv and no template, as a platform takes one mark for a lab")
    if options.column and len(options.labs) != 1:
        raise ValueError(f"column: expected one lab with it, got {options.labs or 'none'}")
    ending = options.template.suffix if options.template else ".csv"
    lab = f"-{options.labs[0]}" if len(options.labs) == 1 else ""
    out = options.out or options.course_dir / f"marks-{options.platform}{lab}{ending}"
    if options.template and out.exists() and out.samefile(options.template):
        raise ValueError(f"out: expected another file than the template, got {str(out)!r}")
    return out


# Who is in the class, and what they have.


def class_list(course, book, folder, labs):
    """[Person] by name: those of students.csv, and whoever else is in the gradebook or has handed something in."""
    people = dict(read_students(folder))
    for row in book.students:
        people.setdefault(row.id, Person(row.id, row.last_name or "", row.first_name or "", row.email or ""))
    for student in (student for lab in labs for student in course.students(lab)):
        people.setdefault(student, Person(student))
    return sorted(people.values(), key=lambda p: collated(p.last_name or p.name, p.first_name, p.id))


def results(course, ledger, lab, people, missing=None):
    """The `Results` of a lab. Who handed in nothing has `missing` points, if that is not None."""
    possible, given = maxima(ledger.book, lab), marks(ledger.book, lab)
    final = {student: mark.final for student, mark in given.items() if mark.final is not None}
    marked = (student for student, mark in given.items() if len(mark.waiting) < len(possible))
    handed_in = {*course.students(lab), *(record.student for record in ledger.records(lab)), *marked}
    waiting = {student: given[student].waiting if student in given else ["not graded yet"]
               for student in sorted(handed_in - final.keys())}
    nothing = [person.id for person in people if person.id not in handed_in]
    if missing is not None:
        final |= dict.fromkeys(nothing, missing)
    return Results(lab, possible, given, final, waiting, nothing, of(ledger.book, lab))


def columns_of(found, options):
    """[Column] of a lab: its mark; with --per-exercise after each exercise's points and what was taken off as late."""
    mark = Column(options.column or found.lab, sum(found.possible.values()), found.final)
    if not options.per_exercise:
        return [mark]
    cells = {name: {student: each.cells[name] for student, each in found.given.items()} for name in found.possible}
    late = {student: each.penalty for student, each in found.given.items() if student in found.final}
    return [*(Column(f"{found.lab}: {name}", found.possible[name], cells[name]) for name in cells),
            Column(f"{found.lab}: taken off as late", None, late), mark]


# What is said.


def told(found, left_out, notes, out):
    """The summary."""
    lines = [f"{out}"]
    for each in found:
        lines += [f"{each.lab}, of {number(sum(each.possible.values()))} points",
                  f"  final marks written: {len(each.final.keys() - left_out.keys())}"]
        lines += _counted("  waiting for a person, left blank", {s: ", ".join(w) for s, w in each.waiting.items()})
        lines += _counted("  handed in nothing", dict.fromkeys(each.nothing))
        lines += [f"  {sentence}" for sentence in unknown(each.late, each.lab)]
    return "".join(f"{line}\n" for line in [*lines, *_counted("left out", left_out), *notes])


def _counted(what, students):
    """A line that says how many, and who; none if there is nobody."""
    who = [f"{_printable(student)} ({why})" if why else _printable(student) for student, why in students.items()]
    return [f"{what}: {len(who)}: {', '.join(who)}"] if who else []


def _printable(student):
    return student if student.isprintable() else repr(student)
