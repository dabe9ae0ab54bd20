"""What each learning platform takes as an import of marks: its columns, in its order. A new platform is a new row.

Where each form is from stands with its test, in tests/grading/test_forms.py.
"""

import csv
import io
import re
from dataclasses import dataclass, field, replace

from grading.spreadsheet import is_formula, number, safe

IDENTIFIERS = ("number", "sis_id", "username", "email")  # what platforms know people by
MAXIMUM = re.compile(r"(?:MaxPoints:|Total Pts: |\(of )\s*(\d+(?:[.,]\d+)?)")  # in a header, as platforms write it


@dataclass(frozen=True)
class Column:
    """A column of marks: its name, the most that there is (None: they are no marks), {student: points}."""

    name: str
    possible: float | None
    points: dict


@dataclass(frozen=True)
class Form:
    """One platform's file.

    about    {header: field of a Person}, in order, before the marks
    keys     fields by which it knows people: each row needs one of them
    mark     the header of a column of marks
    maxima   the first cell of a row of maxima beneath the header; None if there is no such row
    after    {header: text} of columns after the marks
    grade    what an export of one assignment alone calls its column of marks
    one_key  must the same field tell who is who in all rows?
    """

    about: dict
    keys: tuple
    mark: str = "{name}"
    maxima: str | None = None
    after: dict = field(default_factory=dict)
    grade: str | None = None
    one_key: bool = False
    quoting: int = csv.QUOTE_MINIMAL
    encoding: str = "utf-8"


FORMS = {
    "moodle": Form(
        {"First name": "first_name", "Last name": "last_name", "ID number": "sis_id", "Username": "username",
         "Email address": "email"},
        ("email", "sis_id", "username"), grade="Grade", one_key=True),
    "canvas": Form(
        {"Student": "sortable", "ID": "number", "SIS User ID": "sis_id", "SIS Login ID": "username",
         "Section": "section"},
        ("number", "sis_id", "username"), maxima="    Points Possible"),
    "blackboard": Form(
        {"Last Name": "last_name", "First Name": "first_name", "Username": "username", "Student ID": "sis_id"},
        ("username",), mark="{name} [Total Pts: {possible} Score]", quoting=csv.QUOTE_ALL, encoding="utf-8-sig"),
    "brightspace": Form(
        {"OrgDefinedId": "sis_id", "Username": "username"},
        ("sis_id", "username"), mark="{name} Points Grade <Numeric MaxPoints:{possible}>",
        after={"End-of-Line Indicator": "#"}),
    "csv": Form(
        {"id": "id", "last_name": "last_name", "first_name": "first_name", "email": "email"},
        ("id",), mark="{name} (of {possible})"),
}


def written(form, people, columns):
    """A file in a platform's form: (bytes, {student: why} of those who cannot be in it, sentences worth knowing)."""
    keys, notes = _keys(form, people)
    left_out = {person.id: why for person in people if (why := _refusal(form, person, keys))}
    text = io.StringIO(newline="")
    table = csv.writer(text, quoting=form.quoting)
    table.writerow([*form.about, *(_header(form, column) for column in columns), *form.after])
    if form.maxima:
        table.writerow([form.maxima, *[""] * (len(form.about) - 1), *(number(c.possible) for c in columns)])
    for person in people:
        if person.id not in left_out:
            points = [number(column.points.get(person.id)) for column in columns]
            table.writerow([*(_said(person, name) for name in form.about.values()),
                            *points, *form.after.values()])
    return text.getvalue().encode(form.encoding), left_out, notes


def known(person, name):
    """What is known of a person, by the name of a field. Who has no login or number at all is known by our own id."""
    if name == "sortable":
        return ", ".join(filter(None, [person.last_name, person.first_name])) or person.name or person.id
    if name == "username" and by_id_alone(person):
        return person.id
    return getattr(person, name)


def by_id_alone(person):
    """Does our own id have to do as what a platform knows a person by?"""
    return not (person.number or person.sis_id or person.username)


def findable(person):
    """The person, known by our own id wherever it has to do."""
    return replace(person, number=person.id, sis_id=person.id, username=person.id) if by_id_alone(person) else person


def is_identifier(name):
    """Is it a field that tells who is who?"""
    return name in (*IDENTIFIERS, "id")


def _keys(form, people):
    """(fields of which each person needs one, sentences): where one must do for all, that which most people have."""
    notes = []
    own = sum(by_id_alone(person) for person in people)
    if own and "username" in form.about.values():
        notes.append(f"students.csv has no login or number of {own}: our own id stands there as their login.")
    if not form.one_key:
        return form.keys, notes
    counts = {key: sum(bool(getattr(person, key)) for person in people) for key in form.keys}
    key = max(counts, key=counts.get) if any(counts.values()) else "username"
    return (key,), [*notes, f"When you import it, map from {_columns(form, [key])[0]!r}."]


def _refusal(form, person, keys):
    """Why somebody cannot be in such a file, None if they can."""
    for column in _columns(form, filter(is_identifier, form.about.values())):
        text = known(person, form.about[column])
        if is_formula(text):
            return f"a spreadsheet would run their {column} {text!r}"
    if not any(known(person, key) for key in keys):
        return f"no {' or '.join(_columns(form, keys))} of theirs is known"
    return None


def _columns(form, names):
    names = list(names)
    return [column for column, name in form.about.items() if name in names]


def _header(form, column):
    """A column's header; a name that has the platform's form already stays as it is."""
    if column.possible is None or MAXIMUM.search(column.name):
        return column.name
    return form.mark.format(name=column.name, possible=number(column.possible))


def _said(person, name):
    """What a cell says of somebody: an identifier as it is, a name so that no spreadsheet runs it."""
    return known(person, name) if is_identifier(name) else safe(known(person, name))
