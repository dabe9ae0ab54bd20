"""What a check sees of a notebook: `student.softmax(x, axis=0)` calls the function of that name and returns a `Reply`.

A check is ordinary Python that asks and compares. Whether the function lives in this process (`LocalStudent`, where an
instructor opens a lab in Jupyter) or in an exam room (`RoomStudent`, where a submission is graded) it cannot tell.
"""

import copy
import io
import warnings
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass

import numpy as np

from coursekit.verdicts import Reply, changed_arguments


@dataclass(frozen=True)
class Call:
    """One call that a check made, kept so that known mistakes can be tried on the same inputs."""

    function: str
    args: tuple
    kwargs: dict
    reply: Reply


class Student:
    """Base of both: any public attribute is a callable that returns a `Reply`; every call is kept in `_calls`."""

    def __init__(self):
        self._calls = []

    def __getattr__(self, function):
        if function.startswith("_"):
            raise AttributeError(function)

        def ask(*args, **kwargs):
            kept = copy.deepcopy((args, kwargs))  # a check may go on to change what it passed
            reply = self._ask(function, args, kwargs)
            self._calls.append(Call(function, *kept, reply))
            return reply

        return ask


class RoomStudent(Student):
    """Calls functions of the notebook that runs in an `ExamRoom`."""

    def __init__(self, room):
        super().__init__()
        self._room = room

    def _ask(self, function, args, kwargs):
        return self._room.call(function, args, kwargs)


class LocalStudent(Student):
    """Calls functions of a namespace of this process, such as a notebook's `globals()`."""

    def __init__(self, namespace):
        super().__init__()
        self._namespace = namespace

    def _ask(self, function, args, kwargs):
        if function not in self._namespace:
            return Reply(error="NameError")
        return reply_of(self._namespace[function], args, kwargs)


def reply_of(function, args, kwargs):
    """Call a function on copies of its arguments; what it prints or warns of is dropped. Returns a `Reply`."""
    after, options = copy.deepcopy((args, kwargs))
    quiet = io.StringIO()
    with redirect_stdout(quiet), redirect_stderr(quiet), warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            value, error = function(*after, **options), None
        except KeyboardInterrupt:
            raise  # the instructor's own, at the keyboard
        except BaseException as raised:  # SystemExit too: it is an answer like any other
            value, error = None, type(raised).__name__
    return Reply(value, error, changed_arguments(args, after))
