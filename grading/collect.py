"""`python -m grading collect`: what a platform handed out, put where nbgrader has it: submitted/ID/LAB.

    download.py   opened: the files, whatever holds them
    platforms/    recognised: which of them is whose, as far as their paths say
    roster.py     merged: the class, as it was known and as the platform's list has it
    whose.py      Whose: who that is; matches.csv is where a person says what nothing else does
    dates.py      read: when it was handed in
    intake.py     put: a submission's files, in one step

First everything is decided and printed, then it is written. Nobody is asked: what is unsure is left out, stands in
matches.csv with an empty id, and makes the exit status 1.
"""

import os
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from sqlalchemy import make_url

from grading import dates, platforms, roster
from grading.apart import Apart
from grading.clock import Moment, zone
from grading.course import Course, table
from grading.download import Refused, opened
from grading.intake import digest, laid_out, newest, put, same
from grading.submissions import few
from grading.whose import Giver, Whose

PERSON_LIMIT = 200 * 2**20  # bytes of one submission
PERSON_COUNT = 1000         # files of one
NO_TIME = ("nothing says when it was handed in, and what is there is of {}: give a --roster that says it, or first run "
           "python -m grading handed-in {} {} --none.")
WHICH = "there are {} different hand-ins, and nothing says which is the newest: give that one only."


@dataclass(frozen=True)
class HandIn:
    """What one person handed in at one time.

    pieces  its files, as platforms.Piece
    when    UTC, without a zone; None if unknown
    how     who told that
    files   {path in the submission: download.Item}
    """

    giver: Giver
    pieces: list
    platform: platforms.Platform
    when: datetime | None = None
    how: str = ""
    files: dict = field(default_factory=dict)

    @property
    def called(self):
        """Whose, for sentences."""
        return shown(f"{self.giver.given} ({self.giver.number})" if self.giver.number else self.giver.given)

    @property
    def said_late(self):
        """Who says that it was late, None if nobody does."""
        late = any(piece.late for piece in self.pieces)
        return f"{self.platform.name}, which says it was late" if late else None


@dataclass(frozen=True)
class Taken:
    """A hand-in that is somebody's; `change` says what becomes of what is there: "new", "replaced" or "unchanged"."""

    person: roster.Person
    hand_in: HandIn
    change: str


@dataclass
class Plan:
    """All that is decided before anything is written.

    people   roster.People
    matches  {key: roster.Match}, as matches.csv will be
    left     [(HandIn, why)]: what is left out until a person says whose it is
    refused  sentences: what is not taken, whatever a person says
    notices  sentences that are worth knowing
    unlisted  [Person] who handed in, and whom the list that was given does not have
    """

    people: roster.People = None
    matches: dict = None
    taken: list = field(default_factory=list)
    left: list = field(default_factory=list)
    refused: list = field(default_factory=list)
    notices: list = field(default_factory=list)
    unlisted: list = field(default_factory=list)


def collect(options):
    """Take in what a platform handed out. Returns the exit status. Called by `python -m grading collect`.

    options  has lab, files, course_dir, roster, platform, dry_run

    Raises ValueError, OSError or LedgerError if nothing can be taken.
    """
    course = Course.at(options.course_dir)
    course.terms(options.lab)  # raises ValueError if there is no such lab
    with ExitStack() as stack:
        plan = Planning(course, options).decide(stack)
        print(report(plan, course, options.lab), end="", flush=True)
        failed = [] if options.dry_run else write(plan, course, options)
    print("Nothing was written." if options.dry_run else "\n".join([*failed, "Written."]))
    return 1 if plan.left or plan.refused or failed else 0


def enter(options):
    """Enter a class from the platform's list of it. Called by `python -m grading roster`.

    options  has roster, course_dir

    Raises ValueError, OSError or LedgerError if nothing can be entered.
    """
    course, known = Course.at(options.course_dir), roster.read_students(options.course_dir)
    people, rows = roster.merged(known, roster.read_list(options.roster), lasting=True)
    with course.ledger() as ledger:
        write_people(people, options.course_dir, ledger)
    print(table([(id, shown(person.called), ["known" if id in known else "new"])
                 for id, person in sorted(people.by_id.items()) if id in rows]), end="")


class Planning:
    """One run's decisions, and what they are made of."""

    def __init__(self, course, options):
        self.course, self.lab, self.folder = course, options.lab, options.course_dir
        self.files, self.forced = options.files, options.platform
        self.zone = zone(course.settings.timezone)
        self.known = roster.read_students(self.folder)
        self.listed = roster.read_list(options.roster) if options.roster else []
        self.noted = hand_ins_noted(course, self.lab)
        self.plan = Plan(matches=roster.read_matches(self.folder))

    def decide(self, stack):
        """Decide about all that was given: Plan. stack  keeps the downloads open"""
        people = [*self.known.values(), *(row.person for row in self.listed)]
        usernames = {person.username for person in people} - {""}
        hand_ins = [one for items, source in self._downloads(stack) for one in self._hand_ins(items, source, usernames)]
        lasting = bool(hand_ins) and all(hand_in.platform.lasting for hand_in in hand_ins)
        self.plan.people, self.rows = roster.merged(self.known, self.listed, lasting)
        whose = Whose(self.lab, self.plan.people, self.rows if self.listed else None, lasting, self.plan.matches)
        self._settle(hand_ins, whose.all({hand_in.giver: None for hand_in in hand_ins}))
        return self.plan

    def _downloads(self, stack):
        """([Item], name) of each download; files that are no zip are one download together."""
        loose = []
        for path in self.files:
            try:
                items, problems = stack.enter_context(opened(path))
            except (Refused, OSError) as error:
                self.plan.refused.append(str(error))
                continue
            self.plan.refused += few(problems)
            if [item.parts for item in items] == [(path.name,)]:
                loose += items
            else:
                yield items, path.name
        if loose:
            yield loose, "the files"

    def _hand_ins(self, items, source, usernames):
        """The HandIns of a download; a notebook that is nobody's is named."""
        platform, pieces = platforms.recognised(items, self.lab, usernames, self.forced)
        if why := self._of_another_lab(pieces):
            self.plan.refused.append(f"{shown(source)}: {why}")
            return []
        taken = {piece.item for piece in pieces}
        strange = [item for item in items if item not in taken and platforms.is_notebook(item.parts[-1])]
        why = f"is left out, as {platform.name} does not name a file like that."
        self.plan.refused += few([f"{shown(item.path)!r} {why}" for item in strange])
        groups = _groups(pieces)
        if groups:
            self.plan.notices.append(f"{shown(source)}: {platform.name}, {len(groups)} hand-ins.")
        else:
            self.plan.refused.append(f"{shown(source)!r}: expected what a platform handed out, got nothing that is "
                                     "anybody's. If there is a zip file in it, take that.")
        return [self._hand_in(platform, *key, group) for key, group in groups.items()]

    def _of_another_lab(self, pieces):
        """Why none of it is taken: at least half of the hand-ins say one other lab, and none says this one. Else ""."""
        hand_ins = [[piece.file[-1] for piece in group] for group in _groups(pieces).values()]
        counts = {lab: sum(any(platforms.says(file, lab) for file in files) for files in hand_ins)
                  for lab in self.course.labs()}
        likely = max(counts, key=counts.get)
        if counts[self.lab] or not counts[likely] or 2 * counts[likely] < len(hand_ins):
            return ""
        short = likely.partition("_")[0]
        return f"{counts[likely]} of {len(hand_ins)} are called {likely}: is this {short}'s download?"

    def _hand_in(self, platform, name, number, username, when, pieces):
        doubt = next((piece.doubt for piece in pieces if piece.doubt), "")
        giver = Giver(name, number, username, doubt)
        pieces, older = newest(pieces, self.lab)
        self.plan.notices += few([f"{shown(giver.given)}: {shown(new.file[-1])!r} counts, as it is newer than "
                                  f"{shown(old.file[-1])!r}, which is not taken." for old, new in older])
        return HandIn(giver, pieces, platform, self._read(when), f"{platform.name}'s download: {when}")

    def _read(self, when):
        """A time as UTC, None if there is none; one that cannot be read is named."""
        time = dates.read(when, self.zone)
        if not time and when.strip("- "):
            self.plan.notices.append(f"The time {shown(when)!r} could not be read: lateness is unknown there.")
        return time

    def _settle(self, hand_ins, verdicts):
        """Take for each person what counts, and leave out the rest."""
        theirs = {}
        for hand_in in hand_ins:
            verdict = verdicts[hand_in.giver]
            if verdict.person:
                person = self._learned(verdict.person, hand_in)
                theirs.setdefault(person.id, []).append(self._timed(hand_in, person))
            elif verdict.why:
                self.plan.left.append((hand_in, verdict.why))
                self._note(hand_in.giver.match(self.lab, why=verdict.why))
        for id, several in sorted(theirs.items()):
            with Apart(id, "collect", said=self.plan.refused):
                self._take(self.plan.people.by_id[id], [self._laid_out(hand_in) for hand_in in several])
        self._ask_for_times()

    def _ask_for_times(self):
        """Say which list has the times that nothing says."""
        lists = [taken.hand_in.platform.times for taken in self.plan.taken
                 if not taken.hand_in.when and taken.person.id not in self.noted and not self._is_listed(taken)]
        self.plan.notices += [f"When {lists.count(times)} of these handed in is unknown: give with --roster {times}."
                              for times in dict.fromkeys(lists) if times]

    def _is_listed(self, taken):
        """Has the list that was given, if it is of this lab, a time for it, or "-"?"""
        row = self.rows.get(taken.person.id)
        return bool(row and row.when and row.person.number == taken.hand_in.giver.number)

    def _at(self, when):
        return Moment(when, self.zone)
    def _timed(self, hand_in, person):
        """The hand-in with the time that the list has for it, if the download has none and the list is of this lab."""
        row = self.rows.get(person.id)
        if hand_in.when or not row or not row.when or row.person.number != hand_in.giver.number:
            return hand_in
        if row.nothing:
            self.plan.notices.append(f"{person.id}: the list says that nothing was handed in, though there is work: "
                                     "the list is older than the download, and the time is unknown.")
            return hand_in
        return replace(hand_in, when=self._read(row.when), how=f"the roster: {row.when}")

    def _laid_out(self, hand_in):
        """The hand-in with its files, those that can be read and are not too many."""
        files, size, over, unread = {}, 0, [], []
        for path, item in laid_out(hand_in.pieces, self.lab):
            try:
                fits = len(files) < PERSON_COUNT and size + len(item.content()) <= PERSON_LIMIT
            except Refused as error:
                unread.append(shown(str(error)))
                continue
            if fits:
                files[path], size = item, size + item.size
            else:
                over.append(path)
        self.plan.refused += few(unread)
        if over:
            self.plan.refused.append(f"{hand_in.called}: {len(over)} files are left out, {shown(over[0])!r} first: one "
                                     f"submission may have {PERSON_COUNT} files and {PERSON_LIMIT} bytes.")
        return replace(hand_in, files=files)

    def _take(self, person, several):
        """Take the newest of what a person handed in, unless a newer one is there."""
        if self.listed and person.id not in self.rows:
            self.plan.unlisted.append(person)
        several = [hand_in for hand_in in several if hand_in.files]
        newest = self._newest(person, several)
        if not newest:
            return
        change, why = self._change(person, newest)
        if why:
            self.plan.refused.append(f"{person.id}: {why}")
        elif change:
            self.plan.taken.append(Taken(person, newest, change))
            self._note(newest.giver.match(self.lab, person.id))

    def _learned(self, person, hand_in):
        """The person with the number and the login by which the platform will take the marks."""
        person, giver = self.plan.people.by_id[person.id], hand_in.giver
        numbers = [person.number, giver.number][::1 if hand_in.platform.lasting else -1]
        person = replace(person, number=next(filter(None, numbers), ""), username=person.username or giver.username)
        self.plan.people.add(person)
        return person

    def _note(self, match):
        """Note for matches.csv whose something is, or that it waits, unless somebody has said it."""
        before = self.plan.matches.get(match.key)
        if not before or not before.id:
            self.plan.matches[match.key] = match

    def _newest(self, person, several):
        """The hand-in that counts, None if there is none or nothing says which."""
        different = list({digest(hand_in.files): hand_in for hand_in in sorted(several, key=_time)}.values())
        last = different[-1:]
        if len(different) > 1 and (not all(one.when for one in different) or different[-2].when == last[0].when):
            self.plan.refused.append(f"{person.id}: {WHICH.format(len(different))}")
            return None
        if len(different) > 1:
            others = "; ".join(str(self._at(one.when)) for one in different[:-1])
            self.plan.notices.append(f"{person.id}: what counts is of {self._at(last[0].when)}, not that of {others}.")
        return last[0] if last else None

    def _change(self, person, hand_in):
        """(What becomes of what is there, "") or (None, why a person must decide)."""
        folder, before = self.course.submitted(self.lab, person.id), self.noted.get(person.id)
        if not os.path.lexists(folder):
            return "new", ""
        if same(folder, hand_in.files):
            return "unchanged", ""
        if before and not hand_in.when:
            return None, NO_TIME.format(self._at(before), self.lab, person.id)
        if before and hand_in.when < before:
            self.plan.notices.append(f"{person.id}: what is there is newer ({self._at(before)}) than this hand-in "
                                     f"({self._at(hand_in.when)}), and stays.")
            return None, ""
        return "replaced", ""


def _groups(pieces):
    """{(name, number, username, when): [Piece]}: what was handed in at once."""
    groups = {}
    for piece in pieces:
        groups.setdefault((piece.name, piece.number, piece.username, piece.when), []).append(piece)
    return groups


def _time(hand_in):
    return hand_in.when or datetime.min


def hand_ins_noted(course, lab):
    """{id: when} as the gradebook has it; where there is no gradebook yet, none is made."""
    url = make_url(course.coursedir.db_url)
    if url.drivername.startswith("sqlite") and not Path(url.database).exists():
        return {}
    with course.ledger() as ledger:
        return {student: when for student, (when, _) in ledger.hand_ins(lab).items()}


def shown(text):
    """A text that a student may have written, without what would move the cursor of a terminal."""
    return "".join(c if c.isprintable() or c == "\n" else "\ufffd" for c in text)


def report(plan, course, lab):
    """What will be taken for whom, what is left out and why, and who is missing."""
    place = zone(course.settings.timezone)
    rows = [_row(taken, place) for taken in sorted(plan.taken, key=lambda taken: taken.person.id)]
    ids = {taken.person.id for taken in plan.taken}
    missing = [person for id, person in sorted(plan.people.by_id.items())
               if id not in ids and not course.submitted(lab, id).exists()]
    parts = [*plan.notices, table(rows).rstrip()]
    parts += [f"Not taken: {sentence}" for sentence in plan.refused]
    if plan.left:
        parts += [f"Left out: {hand_in.called!r}. {why}" for hand_in, why in plan.left]
        parts.append(f"Say whose these are in the column id of {roster.MATCHES} ({roster.NOBODY} for nobody), "
                     "then run this again.")
    parts += [f"Not on the roster, but known: {shown(person.called)} ({person.id})" for person in plan.unlisted]
    parts += [f"Missing: {shown(person.called)} ({person.id})" for person in missing]
    if any(taken.hand_in.when for taken in plan.taken):
        parts.append(f"Times without a zone are taken as {course.settings.timezone} (c.TwoRooms.timezone).")
    changes = [taken.change for taken in plan.taken]
    parts.append(", ".join([f"{changes.count(change)} {change}" for change in ("new", "replaced", "unchanged")]
                           + [f"{len(plan.left)} left out", f"{len(missing)} missing"]) + ".")
    return "\n".join(filter(None, parts)) + "\n"


def _row(taken, zone):
    when = f"{Moment(taken.hand_in.when, zone)}" if taken.hand_in.when else "time unknown"
    late = " Late, says the platform." if taken.hand_in.said_late else ""
    files = ", ".join(few(["/".join(piece.file) for piece in taken.hand_in.pieces]))
    return taken.person.id, shown(taken.person.called), [f"{when}, {taken.change}: {shown(files)}.{late}"]


def write(plan, course, options):
    """Write what was decided. Returns a sentence for each student for whom it failed; the others go on."""
    failed = []
    with course.ledger() as ledger:
        write_people(plan.people, options.course_dir, ledger)
        roster.write_matches(options.course_dir, plan.matches.values())
        for taken in plan.taken:
            id, hand_in = taken.person.id, taken.hand_in
            with Apart(id, "collect", said=failed):
                if taken.change != "unchanged":
                    put(course.submitted(options.lab, id), hand_in.files)
                if hand_in.when:
                    ledger.note_hand_in(options.lab, id, hand_in.when, hand_in.how)
                else:
                    ledger.note_late(options.lab, id, hand_in.said_late)
    return [f"Not written: {sentence}" for sentence in failed]


def write_people(people, folder, ledger):
    """Write students.csv, and the same people into the gradebook."""
    roster.write_students(folder, people.by_id.values())
    ledger.enter({id: _about(person) for id, person in people.by_id.items()})


def _about(person):
    """What the gradebook takes of a person. Where only the full name is known, that is the last name."""
    about = {"last_name": person.last_name or person.name, "first_name": person.first_name, "email": person.email}
    return {name: text for name, text in about.items() if text}
