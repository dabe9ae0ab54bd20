"""What a check sees of a notebook: `student.softmax(x, axis=0)` calls the function of that name and returns a `Reply`.

A check is ordinary Python that asks and compares. Whether the function lives in this process (`LocalStudent`, where an
instructor opens a lab in Jupyter) or in an exam room (`RoomStudent`, where a submission is graded) it cannot tell.
"""

import copy
import io
import warnings
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, replace

import numpy as np

from coursekit import memory
from coursekit.verdicts import Reply, changed_arguments, precision
from grading.room import wire


@dataclass(frozen=True)
class Call:
    """One call that a check made, kept so that known mistakes can be tried on the same inputs.

    most  the bytes that it might hold at one time; None if any
    """

    function: str
    args: tuple
    kwargs: dict
    reply: Reply
    most: int | None = None


class Student:
    """Base of both: any other public attribute is a callable that returns a `Reply`; each call is kept in `_calls`.

    `_lent(loan)` is a context: another Student of the same notebook, in which the earlier functions that a `Loan` names
    are the reference's (see `lending`). `_within(most)` is the same Student, where a call that holds more bytes at one
    time raises MemoryError.
    """

    def __init__(self):
        self._calls, self._most = [], None

    def _within(self, most):
        other = copy.copy(self)
        other._most = most
        return other

    def __getattr__(self, function):
        if function.startswith("_"):
            raise AttributeError(function)

        def ask(*args, **kwargs):
            kept = copy.deepcopy((args, kwargs))  # a check may go on to change what it passed
            reply = replace(self._ask(function, args, kwargs), precision=precision((args, kwargs)))
            self._calls.append(Call(function, *kept, reply, self._most))
            return reply

        return ask


class RoomStudent(Student):
    """Calls functions of the notebook that runs in an `ExamRoom`.

    unread  names of exercises whose answers are not Python: so they are not there, and that is why
    blank   names of exercises whose answers are as they were given out: such a one is asked once, and says "not
            implemented yet" to all that would follow
    """

    def __init__(self, room, unread=(), blank=()):
        super().__init__()
        self._room, self._unread, self._blank = room, unread, blank
        self._stubs = {}  # {function: what it said}

    @contextmanager
    def _lent(self, loan):
        with self._room.again(loan):
            yield RoomStudent(self._room, self._unread, self._blank)

    def _ask(self, function, args, kwargs):
        if function in self._stubs:
            return self._stubs[function]
        reply = self._room.call(function, args, kwargs, self._most)
        if reply.error == "NotImplementedError" and function in self._blank:
            self._stubs[function] = reply
        is_unread = reply.error == "NameError" and function in self._unread
        return replace(reply, error="SyntaxError") if is_unread else reply


class LocalStudent(Student):
    """Calls functions of a namespace of this process, such as a notebook's `globals()`."""

    def __init__(self, namespace):
        super().__init__()
        self._namespace = namespace

    @contextmanager
    def _lent(self, loan):
        own = {name: self._namespace[name] for name in loan.names if name in self._namespace}
        self._namespace.update((name, wire.stand_in(name, loan.answer)) for name in loan.names)
        try:
            yield LocalStudent(self._namespace)
        finally:
            for name in loan.names:
                self._namespace.pop(name, None)
            self._namespace.update(own)

    def _ask(self, function, args, kwargs):
        if function not in self._namespace:
            return Reply(error="NameError")
        return reply_of(self._namespace[function], args, kwargs, self._most)


def reply_of(function, args, kwargs, most=None):
    """Call a function on copies of its arguments; what it prints or warns of is dropped. Returns a `Reply`.

    most  the bytes that it may hold at one time; None if any
    """
    after, options = copy.deepcopy((args, kwargs))
    quiet = io.StringIO()
    with redirect_stdout(quiet), redirect_stderr(quiet), warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            with memory.at_most(most):
                value, raised = function(*after, **options), {}
        except KeyboardInterrupt:
            raise  # the instructor's own, at the keyboard
        except BaseException as error:  # SystemExit too: it is an answer like any other
            value, raised = None, wire.raised(error)
    return Reply(value, changed=changed_arguments(args, after), **raised)
