"""Whose a hand-in is. Nobody is guessed, and two of one name are never made one.

What decides, in this order: matches.csv, where a person has said it; the platform's number or login; and the name,
where only one in the class and one in the download have it. The name counts where the whole class is known, by a list
that was given with the download, or where the platform tells people by nothing else.
"""

from collections import Counter
from dataclasses import dataclass

from grading.roster import MATCHES, NOBODY, Match, Person, letters, safe_id


@dataclass(frozen=True)
class Giver:
    """Somebody who handed in, as the platform writes it; `doubt` is a reason why a person must say who it is."""

    name: str = ""
    number: str = ""
    username: str = ""
    doubt: str = ""

    @property
    def given(self):
        """What the platform calls them, for matches.csv."""
        return " ".join((self.username or self.name).split())

    def match(self, lab, id="", why=""):
        """The line of matches.csv."""
        return Match(lab, self.given, self.number, id, why)


@dataclass(frozen=True)
class Verdict:
    """The person, or why nobody can tell. Neither: it is to be left out, as matches.csv has it."""

    person: Person | None = None
    why: str = ""


STRANGER = Verdict(why="somebody new")


class Whose:
    """Who is who in one run.

    people   roster.People; somebody new is added
    rows     {id: roster.Row} of the list that was given now, None if none was
    lasting  has a person the same number in every assignment?
    matches  {key: Match} of matches.csv
    """

    def __init__(self, lab, people, rows, lasting, matches):
        self.lab, self.people, self.rows, self.lasting, self.matches = lab, people, rows, lasting, matches

    def all(self, givers):
        """{giver: Verdict}. Somebody new is entered last, so that nobody else is taken for them."""
        self._often = Counter(letters(giver.name) for giver in givers)
        found = {giver: self._settled(giver) or self._told(giver) or self._named(giver) for giver in givers}
        return {giver: Verdict(self._entered(giver)) if verdict is STRANGER else verdict
                for giver, verdict in found.items()}

    def _settled(self, giver):
        """What matches.csv says, None if nothing."""
        match = self.matches.get(giver.match(self.lab).key)
        if not match or not match.id:
            return None
        if match.id == NOBODY:
            return Verdict()
        if len(found := self.people.called(match.id)) == 1:
            return Verdict(found[0])
        if self.rows is None and safe_id(match.id) == match.id:
            return Verdict(self._entered(giver, match.id))
        return Verdict(why=f"{MATCHES} says that it is the work of {match.id!r}, who is not in the class.")

    def _told(self, giver):
        """Who has the number or the login, None if nobody has."""
        found = self.people.having("number", giver.number) or self.people.called(giver.username)
        if not (giver.number or giver.username or giver.doubt):  # a folder may be called after a login, or a name
            found = self.people.called(giver.name, "name")
        if len(found) > 1:
            return Verdict(why=f"It may be {' or '.join(repr(person.id) for person in found)}.")
        if found and giver.doubt and letters(giver.name) not in found[0].names:
            return Verdict(why=giver.doubt)
        return Verdict(found[0]) if found else None

    def _named(self, giver):
        """Who is called so, if there is but one; or else somebody new, where no list says that there is nobody else."""
        found = self.people.named({letters(giver.name)} - {""})
        if found:
            why = self._but(giver, found)
            return Verdict(why=why) if why else Verdict(found[0])
        why = giver.doubt or ("" if self.rows is None else "Not on the roster.")
        return Verdict(why=why) if why else STRANGER

    def _but(self, giver, found):
        """Why the name alone does not say who it is, "" if it does."""
        ids = " or ".join(repr(person.id) for person in found)
        if len(found) > 1 or self._often[letters(giver.name)] > 1:
            return f"It may be {ids}: more than one is called that."
        if self.rows is None and (giver.number or giver.username or giver.doubt):
            return f"It may be {ids} or somebody else of that name: give --roster with the list of the class."
        if self._differ(giver, found[0]):
            return f"It may be {ids}, who has another number or login: is the roster that of this assignment?"
        return ""

    def _differ(self, giver, person):
        """Has the person another number, or another login? A number of another assignment says nothing."""
        row = (self.rows or {}).get(person.id)
        number = person.number if self.lasting else row.person.number if row else ""
        logins = giver.username and person.username
        return bool(giver.number and number and giver.number != number or logins and giver.username != person.username)

    def _entered(self, giver, id=None):
        """Somebody new: the platform's number becomes the id, or else what it calls them."""
        id = id or self.people.new_id(giver.number, giver.given)
        person = Person(id, name=" ".join(giver.name.split()), number=giver.number, username=giver.username.strip())
        self.people.add(person)
        return person
