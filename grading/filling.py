"""A platform's own export of its gradebook, filled in with final marks. Nothing else in it changes (`template`).

Which column is a lab's, and which row is whose (`roster`), is found, or said not to be certain; nothing is guessed.
"""

import re
from collections import Counter

from grading.forms import MAXIMUM, findable, is_identifier
from grading.roster import People, Row, columns_of, meant, person_of
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


def filled(data, form, people, columns, lasting=True, numbers=None):
    """The export with marks filled in: (bytes, {student: why} of those whose row is not filled in, sentences).

    lasting  has a person the same number in every assignment of the platform?
    numbers  {student: number} that the lab's download had, where it is of one assignment

    Raises ValueError if it is another assignment's, has no columns that say who is who, or not one column for each
    column of marks.
    """
    template = Template(data)
    fields = columns_of("template", *_texts(template))
    rows = [(row, person) for row in template.rows if (person := person_of(_about(row, fields)))]
    if not rows:
        raise ValueError("template: expected a row for each student, got none")
    places = column_places(template.header, fields, columns, form)
    owners = whose([person for _, person in rows], people, lasting)
    _refuse_others([person.number for _, person in rows], owners, numbers or {})
    left_out, notes = {person.id: "no row of it is certainly theirs" for person in people}, []
    for (row, person), student in zip(rows, owners, strict=True):
        if student is None:
            notes.append(f"The row of {person.called!r}: it is not certain that it is anybody's of the class.")
        else:
            left_out[student] = _refusal(template.header, row, fields, places)
            notes += [] if left_out[student] else _fill(template, row, places, columns, student)
    notes += [note for place, column in zip(places, columns, strict=True) for note in _maximum(template, place, column)]
    return template.bytes(), {student: why for student, why in left_out.items() if why}, notes


def _refuse_others(numbers, owners, known):
    """Raise ValueError if no row has the number that its owner had when the lab was collected."""
    pairs = [(number, known[owner]) for number, owner in zip(numbers, owners, strict=True) if number and owner in known]
    if pairs and all(number != other for number, other in pairs):
        raise ValueError("template: expected the numbers that the lab's download had, got none of them: is it another "
                         "assignment's?")


def _texts(template):
    """(header, lines): what the cells say."""
    header, *lines = [[cell.text.strip() for cell in row] for row in (template.header, *template.rows)]
    return header, lines


def _about(row, fields):
    """{field: text}: what a row says of a person."""
    return {name: cell.text.strip() for name, cell in zip(fields, row, strict=False) if name}


def whose(rows, people, lasting=True):
    """For each row, given as a Person, the id of whose it is, None if that is not certain.

    Namesakes are never told apart by their name. Somebody of whom no login or number is known may be known by our id.
    """
    counts = Counter(name for row in rows for name in row.names)
    classes = People(map(findable, people)), People(people)
    alone = [{name for name in row.names if counts[name] == 1} for row in rows]
    return [next(filter(None, (_meant(known, row, names, lasting) for known in classes)), None)
            for row, names in zip(rows, alone, strict=True)]


def _meant(known, row, alone, lasting):
    try:
        person = meant(known, Row(0, row), alone, lasting)
    except ValueError:  # it fits two
        return None
    return person and person.id


def column_places(header, fields, columns, form):
    """Which columns of the export the columns of marks are. Raises ValueError, naming those that there are."""
    others = {place: cell.text for (place, cell), name in zip(enumerate(header), fields, strict=True) if not name}
    found = [_column_place(others, column.name, form) for column in columns]
    if len(set(found)) != len(found):
        raise ValueError(f"template: expected a column for each of {[c.name for c in columns]}, got "
                         f"{[others[place] for place in found]}: name one lab")
    return found


def _column_place(others, name, form):
    """The place of the only column that is called so, else of the only one with the lab's number."""
    ways = is_called, has_number, lambda text, _: text == form.grade
    found = next(filter(None, ([place for place, text in others.items() if way(text, name)] for way in ways)), [])
    if len(found) != 1:
        raise ValueError(f"template: expected one column for {name!r}, got {[others[place] for place in found]}: "
                         f"give --column, one of {list(others.values())}")
    return found[0]


def is_called(text, name):
    """Is this a column's header or name, whatever its case, spaces and punctuation?"""
    return _letters(name) in (_letters(text), _letters(AROUND.sub("", text)))


def has_number(text, name):
    """Do both say "lab 3"?"""
    one, other = (LAB_NUMBER.findall(each.casefold()) for each in (text, name))
    return bool(one) and one[:1] == other[:1]


def _letters(text):
    return re.sub(r"[\W_]+", "", text.casefold())


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


def _maximum(template, place, column):
    """A sentence if the platform has another maximum than the lab."""
    header = [cell.text.casefold() for cell in template.header]
    beneath = [row[place].text for row in template.rows if MAXIMA_ROW in row[0].text and place < len(row)]
    beside = [row[header.index(MAXIMA_COLUMN)].text for row in template.rows[:1] if MAXIMA_COLUMN in header]
    said = [text.strip() for text in (*MAXIMUM.findall(template.header[place].text), *beneath, *beside)]
    expected, numbers = number(column.possible), [float(t.replace(",", ".")) for t in said if DECIMAL.fullmatch(t)]
    return [f"{template.header[place].text!r} has a maximum of {number(got)}, the lab of {expected}: change it there."
            for got in numbers[:1] if number(got) != expected]
