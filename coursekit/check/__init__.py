"""Visible checks: what a student runs under each exercise. They use the same verdicts as the hidden ones.

A visible check is a generator of verdicts about the student's function. It prints each law that holds and stops at the
first that does not, with a message that says where to look.
"""

import copy
import functools
import inspect
import warnings
from pathlib import Path

import numpy as np

from coursekit.verdicts import Reply, changed_arguments, precision

HERE = Path(__file__).parent
NEW_ARRAY = "make a new array, x = x - 1, where x -= 1 writes into the old one"
NEW_LIST = ("build a new list and append to it, where x[i] = y, del, pop, insert and append change the old one; "
            "and x += 1 writes into an array that it holds: x = x + 1")
NEW_DICTIONARY = ("put what is new into a new dictionary, a | b, where a |= b and a[name] = x write into the old one; "
                  "and x -= 1 writes into an array that it holds")


class CheckFailed(AssertionError):
    """A law that the function under test does not keep. Notebooks show the message alone, without the stack."""

    def _render_traceback_(self):  # IPython calls this instead of printing the frames of the course's own code
        return [f"CheckFailed: {self}"]


def visible_check(verdicts):
    """Make a check that prints the laws that hold, and raises CheckFailed at the first that does not."""

    @functools.wraps(verdicts)
    def check(*functions, **more):
        __tracebackhide__ = True  # IPython leaves this frame out
        held = None
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # arithmetic with a nan that was returned, of which a verdict tells
                for verdict in verdicts(*functions, **more):
                    if not verdict.passed:
                        raise CheckFailed(f"{verdict.law}\n  {verdict.hint}")
                    print(f"✓ {(held := verdict.law)}")
        except NotImplementedError as error:
            message = f"NotImplementedError: {_where(error)} is not written yet"
            error._render_traceback_ = lambda: [message]
            raise
        except Exception as error:
            if held and not isinstance(error, CheckFailed):
                error.add_note(f"in the case that comes after: {held}")
            raise error.with_traceback(_own_frames(error.__traceback__)) from None

    return check


def _own_frames(traceback):
    """The stack of an exception from the student's own function on, without the frames of the course's code."""
    while traceback and Path(traceback.tb_frame.f_code.co_filename).is_relative_to(HERE):
        traceback = traceback.tb_next
    return traceback


def _where(error):
    """The name of the function that raised: it may be one that the function under test calls."""
    traceback = error.__traceback__
    while traceback.tb_next:
        traceback = traceback.tb_next
    return traceback.tb_frame.f_code.co_name


def ask(function, *args, **options):
    """Call the student's function on copies, with its warnings kept quiet. Returns a `Reply`.

    Raises what the function raises, with a note of the names and shapes that it was given, and CheckFailed where it
    changed an argument in place.
    """
    given = copy.deepcopy(args)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an overflow shows as a nan, which a verdict explains
            value = function(*given, **options)
    except Exception as error:
        error.add_note(f"while the check called it with {_given(function, args)}")
        raise
    for position in changed_arguments(args, given):
        advice = {dict: NEW_DICTIONARY, list: NEW_LIST}.get(type(args[position - 1]), NEW_ARRAY)
        raise CheckFailed(f"a function leaves its arguments as they were\n  argument {position} was changed: {advice}")
    return Reply(value, precision=precision((args, options)))


def _given(function, args):
    """The arguments of a call in few words, by the function's own names for them: "memory (2, 4, 5), heads = 2"."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # of some functions of NumPy Python does not know them
        parameters = []
    names = [each.name for each in parameters if each.kind in (each.POSITIONAL_ONLY, each.POSITIONAL_OR_KEYWORD)]
    names += [f"argument {position}" for position in range(len(names) + 1, len(args) + 1)]
    return ", ".join(f"{name} {_in_short(argument)}" for name, argument in zip(names, args, strict=False))


def _in_short(argument):
    """An argument in few words: an array by its shape, what is short as it is."""
    if isinstance(argument, np.ndarray):
        return str(argument.shape)
    return f"= {argument!r}" if len(repr(argument)) < 40 else f"= a {type(argument).__name__}"


def as_array(value):
    """What a function returned, as an array; lists of unequal lengths, which are none, as an array of one object."""
    try:
        return np.asarray(value)
    except ValueError:
        return np.array(str(value), dtype=object)


def rounded(value, digits=3):
    """A few digits of an array, for a message."""
    return np.array2string(as_array(value), precision=digits, suppress_small=True, separator=", ")
