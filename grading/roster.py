"""Who is in the class: the list that a platform gives, and `students.csv`, by which marks find their way back.

A platform's list is a table in one of many shapes: with a byte order mark, semicolons or tabs, in UTF-8, UTF-16 or
Windows' code page. Its columns are found by their names, those of Moodle also by what stands in them, since Moodle
writes their names in the language of whoever downloads them.

    students.csv   a person each; the first four columns are what `nbgrader db student import` reads
    matches.csv    whose is what, for each lab: as the platform calls a person, and our id; an empty id waits for you
"""

import csv
import io
import re
import unicodedata
from collections import Counter, defaultdict
from dataclasses import asdict, astuple, dataclass, fields, replace
from pathlib import Path

from grading import dates
from grading.download import decoded
from grading.platforms import PLATFORMS
from grading.submissions import STUDENT

STUDENTS, MATCHES = "students.csv", "matches.csv"
LIST_LIMIT = 50 * 2**20  # bytes of a list
ID_LIMIT = 64            # characters of an id
NOBODY = "-"             # in matches.csv: leave this out, and say no more of it
KINDS = ("id", "number", "sis_id", "username", "email", "name")  # what a person may be told by
FORMULA = re.compile(r"'*[=+@\t-].")  # a spreadsheet would compute it
TEST_STUDENT = {"Student", "Test"}  # Canvas's own, last and first name
ADDRESS = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


@dataclass(frozen=True)
class Person:
    """Somebody in the class; all texts, "" where unknown.

    id        ours: a name that a file system and nbgrader can hold
    name      the full name, as the platform writes it
    number    the platform's own number of the person (Moodle's is of one assignment: that of the last one collected)
    username  the login
    sis_id    the institution's number
    """

    id: str = ""
    last_name: str = ""
    first_name: str = ""
    email: str = ""
    name: str = ""
    number: str = ""
    username: str = ""
    sis_id: str = ""
    section: str = ""

    @property
    def called(self):
        """The full name, or whatever there is."""
        return self.name or f"{self.first_name} {self.last_name}".strip() or self.username or self.id or self.number

    @property
    def names(self):
        """All that the name may look like, as `letters`."""
        first, last = self.first_name, self.last_name
        return {letters(name) for name in (self.name, f"{first} {last}", f"{last} {first}")} - {""}


@dataclass(frozen=True)
class Row:
    """A line of a platform's list: the person (with an id only where it has one), when they handed in, and whether."""

    line: int
    person: Person
    when: str = ""
    status: str = ""

    @property
    def nothing(self):
        """Does the list say that they handed in nothing?"""
        return self.when == "-" or self.status.casefold().startswith("no submission")


@dataclass(frozen=True)
class Match:
    """A line of matches.csv."""

    lab: str
    given: str
    number: str
    id: str = ""
    why: str = ""

    @property
    def key(self):
        """What tells a person's hand-in from all others."""
        return self.lab, self.given, self.number


class People:
    """The class, to be asked who somebody is."""

    def __init__(self, people=()):
        self.by_id, self._ids = {}, set()
        self._exact, self._named = defaultdict(set), defaultdict(set)
        for person in people:
            self.add(person)

    def add(self, person):
        """Take somebody in, in place of whoever had that id."""
        self.by_id[person.id] = person
        self._ids.add(person.id.casefold())
        for kind in KINDS:
            self._exact[kind, getattr(person, kind).casefold()].add(person.id)
        for name in person.names:
            self._named[name].add(person.id)

    def having(self, kind, text):
        """[Person] with this text as one of KINDS, whatever its case."""
        found = (self.by_id[id] for id in sorted(self._exact[kind, text.casefold()])) if text else ()
        return [person for person in found if getattr(person, kind).casefold() == text.casefold()]

    def called(self, text, *more):
        """[Person] whose id, login, address or institution's number this is: in these very letters, or else in others.

        more  other KINDS that it may be
        """
        kinds = ("id", "sis_id", "username", "email", *more)
        found = _distinct(person for kind in kinds for person in self.having(kind, text))
        return [person for person in found if text in {getattr(person, kind) for kind in kinds}] or found

    def named(self, names):
        """[Person] of one of these names, given as `letters`."""
        found = _distinct(self.by_id[id] for name in sorted(names) for id in sorted(self._named[name]))
        return [person for person in found if person.names & names]

    def new_id(self, *texts):
        """An id from the first of the texts that is one, and that nobody has yet: "ada", "ada-2"."""
        wanted = next(filter(None, map(safe_id, texts)), "student")
        count, id = 1, wanted
        while id.casefold() in self._ids:  # on many file systems Ada and ada are one folder
            count, id = count + 1, f"{wanted}-{count + 1}"
        return id


def _distinct(people):
    return list({person.id: person for person in people}.values())


def letters(name):
    """A name without case, spaces, commas and the like: "Lovelace, Ada" and Canvas's "lovelaceada" are the same."""
    text = unicodedata.normalize("NFC", name).casefold()
    return "".join(c for c in text if c.isalnum() or unicodedata.combining(c))


def safe_id(text):
    """The text as an id: composed, of letters, digits and . _ @ + -, not hidden, no option; "" if nothing is left."""
    text = re.sub(r"[^\w.@+-]+", "_", unicodedata.normalize("NFC", text))
    return text[:ID_LIMIT].lstrip("._-+@").rstrip("._")


def read_students(folder):
    """{id: Person} of the class's folder, {} if there is no list yet. Raises ValueError or OSError."""
    path = Path(folder, STUDENTS)
    if not path.exists():
        return {}
    header, *lines = read_table(path)
    people = [Person(**{name: text for name, text in zip(header, line, strict=False) if name in _names(Person)})
              for line in lines]
    for person in people:
        if not STUDENT.fullmatch(person.id):
            raise ValueError(f"{path}: expected ids of letters, digits and . _ @ + -, got {person.id!r}")
    _once(path, ((number, person) for number, person in enumerate(people, 2)), ("id",))
    return {person.id: person for person in people}


def write_students(folder, people):
    """Write students.csv, sorted by id. people  Persons"""
    rows = [astuple(person) for person in sorted(people, key=lambda person: person.id)]
    _write(Path(folder, STUDENTS), _names(Person), rows)


def read_matches(folder):
    """{key: Match} of the class's folder, {} if there are none yet. Raises ValueError or OSError."""
    path = Path(folder, MATCHES)
    if not path.exists():
        return {}
    header, *lines = read_table(path)
    if missing := {"lab", "given", "number", "id"} - set(header):
        raise ValueError(f"{path}: expected the columns {', '.join(_names(Match))}, got none called {min(missing)!r}")
    texts = (dict(zip(header, line, strict=False)) for line in lines)
    matches = [Match(**{name: text.get(name, "") for name in _names(Match)}) for text in texts]
    return {match.key: match for match in matches}


def write_matches(folder, matches):
    """Write matches.csv: first what waits for somebody to say whose it is. Its byte order mark is for Excel."""
    rows = sorted(matches, key=lambda match: (bool(match.id), match.key))
    _write(Path(folder, MATCHES), _names(Match), map(astuple, rows), "utf-8-sig")


def _names(kind):
    return [one.name for one in fields(kind)]


def _write(path, header, rows, encoding="utf-8"):
    """Write a table in one step. What a spreadsheet takes for a formula gets a ' in front; `read_table` drops it."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([header, *([f"'{cell}" if FORMULA.match(cell) else cell for cell in row] for row in rows)])
    content = text.getvalue().encode(encoding)
    if not path.exists() or path.read_bytes() != content:
        part = path.with_name(f".{path.name}.part")
        part.write_bytes(content)
        part.replace(path)


def read_list(path):
    """A platform's list of the class: [Row]. Raises ValueError, in one sentence, or OSError."""
    header, *lines = read_table(path)
    columns = columns_of(f"roster {str(path)!r}", header, lines)
    rows = []
    for number, line in enumerate(lines, 2):
        texts = {column: text for column, text in zip(columns, line, strict=False) if column}
        if person := person_of(texts):
            rows.append(Row(number, person, texts.get("when", ""), texts.get("status", "")))
    unique = list({(row.person, row.when): row for row in reversed(rows)}.values())[::-1]
    if not rows:
        raise ValueError(f"roster {str(path)!r}: expected a line for each student, got none")
    _once(path, ((row.line, row.person) for row in unique), ("id", "number", "username", "sis_id", "email"))
    return unique


def read_table(path):
    """The lines of a table, the header first, without those that are empty. Raises ValueError or OSError."""
    with Path(path).open("rb") as file:
        content = file.read(LIST_LIMIT + 1)
    kinds = {"an Excel workbook": content.startswith(b"PK"), "nothing": not content.strip(b"\0 \r\n"),
             f"more than {LIST_LIMIT} bytes": len(content) > LIST_LIMIT}
    for what in (what for what, is_so in kinds.items() if is_so):
        raise ValueError(f"{str(path)!r}: expected a table as CSV text, got {what}: save it as CSV")
    text = decoded(content)
    told = re.match(r"sep=(.)\r?\n", text)  # Excel's way to say it
    text = text[told.end():] if told else text
    csv.field_size_limit(LIST_LIMIT)
    try:
        lines = list(csv.reader(io.StringIO(text, newline=""), delimiter=told[1] if told else _delimiter(text)))
    except csv.Error as error:
        raise ValueError(f"{str(path)!r}: expected a table as CSV text, got what cannot be read: {error}") from error
    lines = [[_cell(cell) for cell in line] for line in lines]
    return [line for line in lines if any(line)] or [[]]


def _delimiter(text):
    """What parts the header into most columns."""
    header = text.lstrip("\r\n").splitlines()[0]
    return max(",;\t", key=lambda mark: len(next(csv.reader([header], delimiter=mark))))


def _cell(text):
    """A cell without what stands around it for a spreadsheet's sake: ="Ada", '=Ada, and Brightspace's #."""
    text = text.strip()
    if text.startswith("'") and FORMULA.match(text):
        return text[1:]
    quoted = re.fullmatch(r'="(.*)"', text)
    return quoted[1].replace('""', '"') if quoted else text


def _plain(header):
    return " ".join(header.casefold().split())


def columns_of(what, header, lines):
    """The field of Person that each column is, or "when"; "" for those that are none of ours.

    Raises ValueError, about `what`, if it is no platform's list.
    """
    header = [_plain(name) for name in header]
    lists = [(platform.key, names) for platform in PLATFORMS.values() for needs, names in platform.lists
             if needs <= set(header)]
    unsure = not lists or lists[0][0] == "folders"  # a column called "id" may be anybody's
    if unsure and (columns := _moodles(header, lines)):
        return columns
    if lists:
        return [lists[0][1].get(name, "") for name in header]
    raise ValueError(f"{what}: expected a platform's list of the class, with columns such as 'id' or "
                     f"'Full name' and 'Identifier', got the columns {header}")


def _moodles(header, lines):
    """The columns of Moodle's grading worksheet in any language, None if it is not one.

    The first says "Participant 1001", with one word for all; the second is the name, if there are names; the time of
    the submission is the first column of times.
    """
    columns = [[line[n] if n < len(line) else "" for line in lines] for n in range(len(header))]
    words = {re.sub(r"\s*\d+$", "", cell) for cell in columns[0]} if columns else {""}
    if len(words) != 1 or not any(map(str.isalpha, *words)) or not all(cell[-1:].isdigit() for cell in columns[0]):
        return None
    kinds = ["number", *("" for _ in columns[1:])]
    for n, column in enumerate(columns[1:], 1):
        kind = next((kind for kind, is_kind in TELLING.items() if kind not in kinds and any(map(is_kind, column))), "")
        kinds[n] = kind or ("name" if n == 1 and len(set(column)) > 1 else "")
    return kinds


TELLING = {"email": ADDRESS.fullmatch, "when": lambda text: dates.read(text, dates.UTC)}


def person_of(texts):
    """The Person of a line, given as {field: text}; None if it is nobody's.

    Canvas has lines for points, and one for its test student.
    """
    texts = {name: text for name, text in texts.items() if name not in ("when", "status")}
    texts = {name: "" if text == "-" else text.lstrip("#") for name, text in texts.items()}
    last, comma, first = texts.get("name", "").partition(", ")
    texts = {"last_name": last, "first_name": first} | texts if comma else texts
    person = Person(**texts)
    if "Points Possible" in astuple(person) or set(astuple(person)) >= TEST_STUDENT or person == Person():
        return None
    number = re.sub(r"^\D+(\d+)$", r"\1", person.number)  # "Participant 1001"
    username = person.username or (person.id if safe_id(person.id) != person.id else "")
    return replace(person, number=number, username=username)


def _once(path, numbered, kinds):
    """Raise ValueError if two lines have the same id."""
    seen = {}
    for line, person in numbered:
        for kind in kinds:
            text = getattr(person, kind)
            before = seen.setdefault((kind, text.casefold()), (line, person)) if text else (line, person)
            if before[0] != line:
                raise ValueError(f"{str(path)!r}: expected each {kind} once, got {text!r} in line {before[0]} "
                                 f"({before[1].called!r}) and in line {line} ({person.called!r})")


def merged(known, rows, lasting):
    """The class as we know it, with what a list adds: (People, {id: Row}). An id that somebody has is kept.

    known    {id: Person}
    rows     [Row] of the list
    lasting  does the platform give a person one number for all assignments?

    Raises ValueError if a line of the list fits two people.
    """
    people, found = People(known.values()), {}
    counts = Counter(name for row in rows for name in row.person.names)
    for row in rows:
        alone = {name for name in row.person.names if counts[name] == 1}
        before = meant(people, row, alone, lasting)
        person = _joined(before, row.person) if before else replace(row.person, id=_new_id(people, row.person))
        if person.id in found:
            raise ValueError(f"roster: lines {found[person.id].line} and {row.line} both seem to be {person.id!r} "
                             f"({person.called!r}): correct {STUDENTS} or the list")
        people.add(person)
        found[person.id] = row
    return people, found


def meant(people, row, alone, lasting):
    """Whom of the class a line of a list means, None if it is somebody new. Raises ValueError if it fits two.

    alone    the names of the line that no other line has
    lasting  as in `merged`
    """
    person = row.person
    found = _distinct(one for kind in KINDS if kind != "name" for one in people.having(kind, getattr(person, kind)))
    found = found or [one for one in people.named(alone) if not _others(one, person, lasting)]
    if len(found) > 1:
        raise ValueError(f"roster: line {row.line} ({person.called!r}) fits {', '.join(repr(one.id) for one in found)} "
                         f"in {STUDENTS}: correct one of the two")
    return found[0] if found else None


def _others(one, other, lasting):
    """Do two of one name differ in something that a person has only one of?"""
    kinds = ("sis_id", "username", "email", *(["number"] if lasting else []))
    texts = [(getattr(one, kind).casefold(), getattr(other, kind).casefold()) for kind in kinds]
    return any(a and b and a != b for a, b in texts)


def _joined(before, new):
    """What is known of a person, with what a list says newly; the id stays."""
    return replace(before, **{name: text for name, text in asdict(new).items() if text and name != "id"})


def _new_id(people, person):
    """An id from what lasts longest: never a name where there is anything better."""
    return people.new_id(person.id, person.username, person.sis_id, person.email, person.number, person.called)
