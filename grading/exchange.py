"""nbgrader's exchange: what is collected there, and given back, without trusting what a student put into it.

Students write into the exchange themselves. So a link there may lead to a file of yours, a folder's name is what its
owner says of who handed in and when, and what is wrong with one submission must not stop the others.
"""

import glob
import os
import pwd
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

from nbgrader.exchange import ExchangeError
from nbgrader.exchange.default import ExchangeCollect, ExchangeReleaseFeedback
from nbgrader.utils import is_ignored

from grading.apart import Apart, printable
from grading.course import Course, chosen, remove, write_files
from grading.giving_back import SECRET, STAMP
from grading.submissions import STUDENT, few

HOW = "nbgrader's exchange"
ENTRIES = 1000  # files and folders that one submission may have
CLOCKS = timedelta(minutes=5)  # by which two machines may differ, and that it takes to hand in
OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK  # neither through a link, nor waiting at the end of a pipe


class Collect(ExchangeCollect):
    """`nbgrader collect`, and formgrader's button. Notes in the gradebook when each was handed in."""

    def _path_to_record(self, path):
        try:
            record = super()._path_to_record(path)
        except (ExchangeError, ValueError, OverflowError):
            record = {"username": ""}
        if STUDENT.fullmatch(record["username"]):
            return record
        self.log.error("%s: not collected, as its name does not say who handed it in, and when", printable(path))
        return {"username": "", "timestamp": datetime.min}

    def copy_files(self):
        lab, course = self.coursedir.assignment_id, Course(self.coursedir, self.config)
        records = [record for record in self.src_records if record["username"]]
        with course.ledger() as ledger:
            known, taken, failed = ledger.hand_ins(lab), 0, []
            for record in sorted(records, key=lambda record: record["username"]):
                with Apart(record["username"], "collect", said=failed):
                    taken += self._collect(record, course.submitted(lab, record["username"]), known, ledger)
        for sentence in failed:
            self.log.error("%s", sentence)
        self.log.info("%s: %d of %d submissions collected, the others were here already or are named above.", lab,
                      taken, len(self.src_records))

    def _collect(self, record, folder, known, ledger):
        """Take one in if it is wanted, and say whether it was."""
        student, when = record["username"], record["timestamp"]
        if folder.exists() and not self._is_wanted(when, known.get(student)):
            return False
        left_out, changed = take(Path(self.inbound_path, record["filename"]), folder, self.coursedir)
        ledger.note_hand_in(self.coursedir.assignment_id, student, when, HOW)
        self._say(record, left_out, changed)
        return True

    def _is_wanted(self, when, known):
        """Is it to replace the one that is there? known: (when, how) of that, None where nobody knows."""
        before = known[0] if known else datetime.min
        return (self.update and when > before) or (self.before_duedate and when != before)

    def _say(self, record, left_out, changed):
        student, when = record["username"], record["timestamp"]
        self.log.info("Collected: %s, handed in %s UTC", student, f"{when:%Y-%m-%d %H:%M:%S}")
        if left_out:
            self.log.warning("%s: left out, as they are no regular files or too large: %r", student, few(left_out))
        if changed > when + CLOCKS:
            self.log.warning("%s: handed in %s UTC by its name, but changed there %s UTC: look before you take it as "
                             "in time", student, f"{when:%Y-%m-%d %H:%M}", f"{changed:%Y-%m-%d %H:%M}")
        owner = _owner(Path(self.inbound_path, record["filename"]))
        if self.check_owner and owner != student:
            self.log.warning("%s: handed in by the user %s; where that is as it should be, set "
                             "c.ExchangeCollect.check_owner = False", student, owner)


class ReleaseFeedback(ExchangeReleaseFeedback):
    """`nbgrader release_feedback`, and formgrader's button. Who cannot be given a page is named, and the others are."""

    def copy_files(self):
        course, lab, without, failed = Course(self.coursedir, self.config), self.coursedir.assignment_id, [], []
        students = chosen(course.students(lab, self.coursedir.feedback_directory), self.coursedir)
        for student in students:
            folder = course.feedback(lab, student).parent
            self.src_path = glob.escape(str(folder))  # nbgrader reads it as a pattern
            if (folder / SECRET).is_file():
                with Apart(student, "give back", said=failed):
                    (folder / STAMP).touch()  # nbgrader wants to say it
                    super().copy_files()
            else:
                without.append(student)
        for sentence in failed:
            self.log.error("%s", sentence)
        if without:
            self.log.warning("%s: no feedback was released for %s, whose work did not come through the exchange: give "
                             "them their page of feedback/ in another way", lab, ", ".join(without))


def take(source, folder, limits):
    """Copy what a student handed in to its place, in one step. limits: nbgrader's CourseDirectory.

    Returns (names that were left out, when anything in it was last changed: UTC, by the system's own notes).
    Raises ValueError if it is no folder, or one of too many files.
    """
    part, left_out, changed = folder.with_name(f".{folder.name}.part"), [], [os.lstat(source).st_ctime]
    remove(part)
    part.mkdir(parents=True)
    try:
        for name, content, when in _contents(source, limits):
            changed.append(when)
            left_out.append(name) if content is None else write_files(part, {name: content})
        remove(folder)
        part.rename(folder)
    finally:
        remove(part)
    return left_out, datetime.fromtimestamp(max(changed), UTC).replace(tzinfo=None)


def _contents(source, limits):
    """(relative name, bytes or None where they are not taken, when it was last changed) of each file.

    It goes by what it has opened, so no link leads it elsewhere, whenever that was put there.
    """
    entries, space, is_folder = 0, 1000 * limits.max_dir_size, False
    for place, folders, files, here in os.fwalk(source):
        is_folder, folders[:] = True, [name for name in folders if not is_ignored(name, limits.ignore)]
        entries += len(folders) + len(files)
        if entries > ENTRIES:
            raise ValueError(f"expected at most {ENTRIES} files and folders, got more")
        for name in (name for name in files if not is_ignored(name, limits.ignore)):
            content, when = _read(name, here, min(space, 1000 * limits.max_file_size))
            space -= len(content or b"")
            yield os.path.relpath(os.path.join(place, name), source), content, when
    if not is_folder:
        raise ValueError(f"expected a folder, got {source}, which is none")


def _read(name, folder, most):
    """(bytes, when it was last changed) of a file in an open folder; None for what is no plain file, or too large."""
    try:
        file = os.fdopen(os.open(name, OPEN, dir_fd=folder), "rb")
    except OSError:
        return None, 0.0  # a link
    with file:
        about = os.fstat(file.fileno())
        content = file.read(most + 1) if stat.S_ISREG(about.st_mode) else None
    return (None if content is None or len(content) > most else content), about.st_ctime


def _owner(path):
    try:
        return pwd.getpwuid(os.lstat(path).st_uid).pw_name
    except KeyError:
        return str(os.lstat(path).st_uid)
