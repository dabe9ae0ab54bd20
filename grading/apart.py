"""Each submission apart: whatever goes wrong with one is that one's alone, is said with its name, and the others go on.

    with Apart("ada", "page") as apart:
        ...                                # one stage of the work on one submission
    if apart.why: ...                      # "ada: has no page of feedback: RecursionError: too deep"

Every loop over a class does its work within such a `with`, whatever may go wrong in it, or take for ever. What is
nobody's fault goes through it: an interrupt, a gradebook that is locked, a disk that is full.
"""

import errno
import signal
import threading
import traceback
from pathlib import Path

SECONDS = 300.0  # that a stage may take, where nothing else is said
AGAIN = 10.0     # seconds after which one that has gone on all the same, and not to clean up, is told again
STAGES = {       # what is then the case
    "collect": "not collected",
    "read": "could not be read",
    "grade": "could not be graded",
    "deliver": "was graded, but that could not be written",
    "record": "was graded, but what was found then cannot be read",
    "page": "has no page of feedback",
    "give back": "was not given back",
    "report": "is missing on this page",
    "similar": "was not compared",
}
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)


class StopsAll(RuntimeError):
    """No submission's fault: the run cannot go on. The text says why, in one line."""


class TooLong(Exception):
    """A stage took longer than it may."""


class Apart:
    """A context for one stage of the work on one submission.

    student, stage  whose, and one of STAGES
    seconds         that it may take. This holds in a program's main thread; `cluster.spread` limits what workers do.
    said            a list that gets the sentence

    what   None, or what went wrong
    why    None, or the same as a sentence that names the student
    trace  None, or the traceback
    """

    def __init__(self, student, stage, seconds=None, said=None):
        self.student, self.stage, self.said = student, STAGES[stage], said
        self.seconds = SECONDS if seconds is None else seconds
        self.what = self.why = self.trace = None

    def __enter__(self):
        self._is_main = threading.current_thread() is threading.main_thread()
        if self._is_main:
            self._handler = signal.signal(signal.SIGALRM, self._too_long)
            self._timer = signal.setitimer(signal.ITIMER_REAL, self.seconds, AGAIN)
        return self

    def __exit__(self, kind, error, trace):
        if self._is_main:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, self._handler)
            signal.setitimer(signal.ITIMER_REAL, *self._timer)  # of the stage around it, if there is one
        if not isinstance(error, Exception) or stops_all(error):
            return False
        self.note(error)
        return True

    def note(self, error):
        """Say what went wrong."""
        self.what = f"{self.stage}: {in_words(error)}"
        self.why = printable(f"{self.student}: {self.what}")
        self.trace = "".join(traceback.format_exception(error))
        if self.said is not None:
            self.said.append(self.why)

    def _too_long(self, *_):
        raise TooLong(f"it took longer than {self.seconds:g} seconds")


def stops_all(error):
    """Would it go wrong with every other submission too?"""
    return isinstance(error, StopsAll) or isinstance(error, OSError) and error.errno in FULL


def in_words(error):
    """An exception in one line that can be printed: our own and the system's as they are, others with their place."""
    if isinstance(error, OSError | ValueError) and str(error):
        return printable(str(error)[:300])
    frames = traceback.extract_tb(error.__traceback__)
    where = f" ({Path(frames[-1].filename).name}, line {frames[-1].lineno})" if frames else ""
    return printable(traceback.format_exception_only(error)[-1].strip()[:300] + where)


def printable(text):
    """A text without what would move the cursor of a terminal."""
    return "".join(c if c.isprintable() else "\ufffd" for c in text)
