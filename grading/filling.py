"""A platform's own export of its gradebook, filled in with final marks. Nothing else in it changes (`template`).

Which column is a lab's, and which row is whose (`matching`), is found, or said not to be certain; nothing is guessed.
"""

import re

from grading.forms import MAXIMUM, is_identifier
from grading.matching import Matching, field_of
from grading.spreadsheet import is_formula, number
from grading.template import Template

LAB_NUMBER = re.compile(r"(?<![a-z])lab[\W_]*0*(\d+)(?!\d)")
AROUND = re.compile(  # all of a header but the column's own name
    r"^Assignment: ?| \[Total Pts: .*$| Points Grade.*$| \((?:\d+|Real|of \S+)\)$")
MAXIMA_ROW = "Points Possible"
MAXIMA_COLUMN = "maximum grade"
LOCKED = "grade can be changed"  # Moodle passes over a row that says No here, without a word
DECIMAL = re.compile(r"\d+([.,]\d+)?")
BLANK = ("", "-", "N/A")


def filled(data, form, people, columns):
    """The export with marks filled in: (bytes, {student: why} of those whose row is not filled in, sentences).

    Raises ValueError if it has no columns that say who is who, or not one column for each column of marks.
    """
    template = Template(data)
    fields = {place: name for place, cell in enumerate(template.header) if (name := _field(form, cell.text))}
    rows = [row for row in template.rows if MAXIMA_ROW not in row[0].text and any(_about(row, fields).values())]
    if not fields or not rows:
        raise ValueError("template: expected columns that say who is who and a row for each, got "
                         f"{[cell.text for cell in template.header]} and {len(rows)} rows")
    places = column_places(template.header, fields, columns, form)
    matching = Matching(people, [_about(row, fields) for row in rows])
    left_out, notes = {person.id: "no row of it is certainly theirs" for person in people}, []
    for row in rows:
        found = matching.find(_about(row, fields))
        if len(found) == 1:
            left_out[(student := found.pop())] = _refusal(template.header, row, fields, places)
            notes += [] if left_out[student] else _fill(template, row, places, columns, student)
        else:
            notes.append(_nobody(_about(row, fields), found))
    notes += [note for place, column in zip(places, columns, strict=True) for note in _maximum(template, place, column)]
    return template.bytes(), {student: why for student, why in left_out.items() if why}, notes


def column_places(header, fields, columns, form):
    """Which columns of the export the columns of marks are. Raises ValueError, naming those that there are."""
    others = {place: cell.text for place, cell in enumerate(header) if place not in fields}
    found = [_column_place(others, column.name, form) for column in columns]
    if len(set(found)) != len(found):
        raise ValueError(f"template: expected a column for each of {[c.name for c in columns]}, got "
                         f"{[others[place] for place in found]}: name one lab")
    return found


def _column_place(others, name, form):
    """The place of the only column that is called so, else of the only one with the lab's number."""
    ways = _is_called, _has_number, lambda text, _: text == form.grade
    found = next(filter(None, ([place for place, text in others.items() if way(text, name)] for way in ways)), [])
    if len(found) != 1:
        raise ValueError(f"template: expected one column for {name!r}, got {[others[place] for place in found]}: "
                         f"give --column, one of {list(others.values())}")
    return found[0]


def _is_called(text, name):
    """Is this a column's header or name, whatever its case, spaces and punctuation?"""
    return _letters(name) in (_letters(text), _letters(AROUND.sub("", text)))


def _has_number(text, name):
    """Do both say "lab 3"?"""
    one, other = (LAB_NUMBER.findall(each.casefold()) for each in (text, name))
    return bool(one) and one[:1] == other[:1]


def _letters(text):
    return re.sub(r"[\W_]+", "", text.casefold())


def _field(form, header):
    """The field of a Person that a column of the export holds; our own table's are as we wrote them."""
    return "id" if header in form.about and form.about[header] == "id" else field_of(header)


def _about(row, fields):
    """{field: text}: what a row says of a person."""
    return {name: row[place].text for place, name in fields.items() if place < len(row)}


def _refusal(header, row, fields, places):
    """Why a row cannot be filled in, None if it can."""
    formulas = [text for name, text in _about(row, fields).items() if is_identifier(name) and is_formula(text)]
    if formulas:
        return f"a spreadsheet would run {formulas[0]!r} in their row"
    said = {head.text.casefold(): cell.text for head, cell in zip(header, row, strict=False)}
    if said.get(LOCKED) == "No":
        return "the platform has locked their grade"
    return None if max(places, default=0) < len(row) else "their row is shorter than the header"


def _fill(template, row, places, columns, student):
    """Fill in a row. A mark that is not final leaves what stands there; returns a sentence for each such cell."""
    notes = []
    for place, column in zip(places, columns, strict=True):
        points = column.points.get(student)
        if points is not None:
            template.fill(row[place], number(points))
        elif row[place].text.strip() not in BLANK:
            notes.append(f"{student} has no final mark: {row[place].text!r} was left there.")
    return notes


def _nobody(about, found):
    """A sentence about a row that is nobody's, or more than one's."""
    who = ", ".join(filter(None, about.values()))
    return f"The row of {who!r}: {'it is not certain who that is' if found else 'nobody of the class'}."


def _maximum(template, place, column):
    """A sentence if the platform has another maximum than the lab."""
    header = [cell.text.casefold() for cell in template.header]
    beneath = [row[place].text for row in template.rows if MAXIMA_ROW in row[0].text and place < len(row)]
    beside = [row[header.index(MAXIMA_COLUMN)].text for row in template.rows[:1] if MAXIMA_COLUMN in header]
    said = [text.strip() for text in (*MAXIMUM.findall(template.header[place].text), *beneath, *beside)]
    expected, numbers = number(column.possible), [float(t.replace(",", ".")) for t in said if DECIMAL.fullmatch(t)]
    return [f"{template.header[place].text!r} has a maximum of {number(got)}, the lab of {expected}: change it there."
            for got in numbers[:1] if number(got) != expected]
