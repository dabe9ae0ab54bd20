"""Who is who: rows of a platform's export, and the people of a class. Never by a name alone that two share."""

import re
import unicodedata
from collections import Counter, defaultdict

from grading.forms import IDENTIFIERS, by_id_alone

HEADERS = {  # what platforms call what they say of a person, and the field of a Person that it is
    "student": "name", "full name": "name",
    "first name": "first_name", "firstname": "first_name", "first_name": "first_name",
    "last name": "last_name", "lastname": "last_name", "surname": "last_name", "last_name": "last_name",
    "id": "number", "identifier": "number",
    "sis user id": "sis_id", "orgdefinedid": "sis_id", "id number": "sis_id", "student id": "sis_id",
    "sis login id": "username", "username": "username",
    "email": "email", "email address": "email",
    "section": "section",
}


def field_of(header):
    """The field of a Person that a column with this header holds, None if it holds something else."""
    return HEADERS.get(" ".join(header.casefold().split()))


class Matching:
    """The people of a class, to be found by what rows say of them.

    people  [Person]
    rows    [{field: text}], all of them, as a name that two rows share tells nothing
    """

    def __init__(self, people, rows):
        self._people = {person.id: person for person in people}
        self._known, self._named = defaultdict(set), defaultdict(set)
        for person in people:
            for name in (*IDENTIFIERS, "id"):
                text = person.id if by_id_alone(person) and name != "email" else getattr(person, name)
                self._known[name, folded(name, text)].add(person.id)
            for words in _names(vars(person)):
                self._named[words].add(person.id)
        self._rows = Counter(words for row in rows for words in _names(row))

    def find(self, row):
        """The ids of whom a row may be: one, if it is certain; none, if it is nobody; more, if nobody can tell."""
        hits = [self._known[name, said] for name in row if (said := folded(name, row[name]))]
        hits = [hit for hit in hits if hit]
        if hits:
            return set.intersection(*hits) or set.union(*hits)
        found = {student for words in _names(row) for student in self._named[words]}
        found = {student for student in found if not self._contradicts(self._people[student], row)}
        alone = all(self._rows[words] == 1 for words in _names(row))
        return found if alone or not found else found | {"another"}

    def _contradicts(self, person, row):
        """Do both have a login, an address or an institution's number, and not the same?"""
        pairs = [(folded(name, row.get(name, "")), folded(name, getattr(person, name))) for name in IDENTIFIERS[1:]]
        return any(one and other and one != other for one, other in pairs)


def folded(name, text):
    """An identifier, so that two ways to write it are equal; "" if it says nothing.

    Moodle numbers people "Participant 4711", Brightspace writes # before identifiers, spreadsheets drop zeros.
    """
    text = unicodedata.normalize("NFC", text).casefold().strip()
    if name == "number":
        return "".join(re.findall(r"\d+$", text)) or text
    return text.lstrip("#0") if name == "sis_id" else text.lstrip("#")


def _names(about):
    """The words of a person's or a row's full name, whatever their order."""
    texts = about.get("name", ""), f"{about.get('first_name', '')} {about.get('last_name', '')}"
    words = [unicodedata.normalize("NFC", text).casefold().replace(",", " ").split() for text in texts]
    return {tuple(sorted(each)) for each in words if each}
