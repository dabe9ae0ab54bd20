"""How an answer is compared with what was expected: the same words in a visible check and in a hidden one.

A check asks a function for an answer (a `Reply`) and turns it into verdicts, one per law. A verdict names the law and,
where it fails, says what to look at: shapes, dtypes and laws, never a value that a hidden check holds.
"""

import re
from dataclasses import dataclass, field

import numpy as np

from coursekit import exactly

# How far an entry may be off, relative to the largest expected one, by the type of what the function was given. Visible
# checks and hidden ones both take it from here, so that what passes before the student's eyes passes in grading too.
TOLERANCE = {"float16": 1e-2, "float32": 2e-5, "float64": 1e-6}
NOISE = {"float16": 1e-2, "float32": 1e-6, "float64": 1e-12}  # what arithmetic on numbers near 1 leaves instead of 0

NOTHING = "returned None: is there a return statement?"
ERRORS = {
    "NotImplementedError": "not implemented yet",
    "NameError": "raised NameError: is the function, and every name that it uses, defined in the notebook?",
    "TimeLimit": "took too long and was stopped: is there a loop that does not end?",
    "TooLarge": "returned far more than was expected",
    "MemoryError": "took more memory at one time than it may",
    "Crash": "ended the notebook's process",
}
# What NumPy itself says of arrays that do not fit, each at such a length that nobody else puts it so
NUMPYS = ("core dimension", "operands could not be broadcast", "could not broadcast input array", ") not aligned: ",
          "shape-mismatch for", "concatenation axis must match exactly", "all input arrays must have the same shape",
          "must have same number of dimensions", "cannot reshape array of size", "einstein sum",
          "array split does not result in an equal division", "objects cannot be broadcast", "axes don't match array")


@dataclass(frozen=True)
class Reply:
    """What came back from one call of a student's function.

    value      what it returned: arrays, numbers, text, bytes, None, and tuples, lists and dicts of these
    error      the exception's type name if it raised instead ("ValueError"), else None
    changed    which positional arguments (counted from 1) the call changed in place
    precision  the float type of the arguments, by which the value is judged: see `precision`
    said       what the exception said: a check looks into it (see `refusal`), and no hint may repeat it
    """

    value: object = None
    error: str | None = None
    changed: tuple = ()
    precision: str = "float64"
    said: str = ""


@dataclass(frozen=True)
class Verdict:
    """One line of feedback.

    law     what was tried, as a statement that should hold ("each row of weights sums to 1")
    passed  whether it held
    hint    where to look if it did not
    weight  its share of the exercise's points, against the other verdicts of the same check
    """

    law: str
    passed: bool
    hint: str = ""
    weight: float = field(default=1.0, compare=False)


def compare(law, reply, expected, hint="", weight=1.0, names=()):
    """Does `reply` hold `expected` (an array, a number, or a tuple of these), with no argument changed in place?

    (Text, bytes, and lists and dictionaries of them are compared by `same`.)
    Precision is that of the arguments, so work on float32 is judged as such, whatever is returned. A hint calls the
    results by these `names`, or by their numbers.

    Returns a `Verdict`. Its hint is the first of these that applies: it raised, it changed an argument, it returned
    nothing, the wrong kind, number or shape of results, entries that are not finite, not precise, or wrong (with the
    `hint` given).
    """
    problem = _misbehaviour(reply) or _difference(reply, expected, hint, names)
    return Verdict(law, problem is None, problem or "", weight)


def same(law, reply, expected, hint="", weight=1.0):
    """Is what `reply` holds exactly `expected`: text, bytes, a whole number, a list or dictionary of these, or a tuple
    of results?

    Returns a `Verdict`, as `compare` does.
    """
    problem = _misbehaviour(reply) or _exact_difference(reply.value, expected, hint)
    return Verdict(law, problem is None, problem or "", weight)


def refusal(error, said, words):
    """What is wrong with a refusal, or None: it should be a ValueError. Where words are asked for, its message should
    be one's own and have all of them in it, a number as a whole. What was said is not repeated: in an exam room it may
    tell hidden inputs."""
    if error != "ValueError":
        return f"it raised {error}. Expected a ValueError that says what you expected and what you got"
    if words and any(phrase in said for phrase in NUMPYS):
        return "the message is NumPy's own: look before you compute, and say yourself what you expected and got"
    missing = [word for word in words if not re.search(rf"(?<!\d){re.escape(word)}(?!\d)", said)]
    return f"the message should hold {' and '.join(words)}" if missing else None


def together(*verdicts):
    """One verdict for several that count only together: the first that failed, or else the first."""
    return next((verdict for verdict in verdicts if not verdict.passed), verdicts[0])


def precision(value):
    """The coarsest float type among the arrays in these arguments, "float32" say; "float64" where there is none."""
    return min(_float_types(value), key=list(TOLERANCE).index, default="float64")


def _float_types(value):
    if isinstance(value, tuple | list | dict):
        parts = value.values() if isinstance(value, dict) else value
        return set().union(*map(_float_types, parts))
    return {value.dtype.name} & TOLERANCE.keys() if isinstance(value, np.ndarray | np.generic) else set()


def changed_arguments(before, after):
    """The positions, counted from 1, at which `after` is no longer what `before` was (arrays compare by value)."""
    pairs = enumerate(zip(before, after, strict=True), start=1)
    return tuple(position for position, (old, new) in pairs if not _identical(old, new))


def _misbehaviour(reply):
    """What is wrong with the call itself, whatever it returned."""
    if reply.error is not None:
        return ERRORS.get(reply.error, f"raised {reply.error}")
    if reply.changed:
        return f"argument {reply.changed[0]} was changed in place: work on a new one"
    return None


def _difference(reply, expected, hint, names):
    value, judged = reply.value, (hint, reply.precision, largest(expected))
    if value is None:
        return NOTHING
    if not isinstance(expected, tuple):
        return _array_difference("", value, expected, *judged)
    if not isinstance(value, tuple | list) or len(value) != len(expected):
        return f"expected {len(expected)} results, got {_kind(value)}"
    names = names or [f"result {i}" for i in range(1, len(expected) + 1)]
    results = zip(names, value, expected, strict=True)
    return next(filter(None, (_array_difference(f"{name}: ", *pair, *judged) for name, *pair in results)), None)


def _exact_difference(value, expected, hint):
    if value is None:
        return NOTHING
    if isinstance(expected, tuple):
        if not isinstance(value, tuple | list) or len(value) != len(expected):
            return f"expected {len(expected)} results, got {_kind(value)}"
        pairs = enumerate(zip(value, expected, strict=True), start=1)
        found = ((i, _exact_difference(*pair, hint)) for i, pair in pairs)
        return next((f"result {i}: {problem}" for i, problem in found if problem), None)
    wrong = exactly.difference(value, expected) if (other := exactly.other_kind(value, expected)) is None else None
    return other or wrong and f"the right kind of thing, but not the right one{hint and f': {hint}'}"


def misfit(got, expected):
    """What makes this another kind of thing than that array, in words, whatever its numbers are; None if it is not."""
    expected = np.asarray(expected)
    if holds_text(got):  # NumPy would make as much room for each item as the longest text takes
        return "expected real numbers, got text"
    try:
        got = np.asarray(got)
    except ValueError:  # a ragged list
        return f"expected an array of shape {expected.shape}, got lists of unequal lengths"
    if got.dtype.kind not in "fiub":
        return f"expected real numbers, got {_kind(got)}"
    if got.shape != expected.shape:
        return f"expected shape {expected.shape}, got {_shape(got.shape, expected.shape)}"
    return None


def _array_difference(what, got, expected, hint, precision, among):
    if problem := misfit(got, expected):
        return what + problem
    got, expected, advice = np.asarray(got), np.asarray(expected), f": {hint}" if hint else ""
    if not np.isfinite(got).all():
        return f"{what}contains nan or inf{advice}"
    if not close(got, expected, precision, among=among):
        return what + (imprecise(got, expected, precision) or f"right shape, wrong values{advice}")
    return None


def imprecise(got, expected, precision="float64"):
    """What to say where these are the right numbers with digits lost, to float32 or float16 or by rounding; else ""."""
    got, expected = np.asarray(got), np.asarray(expected)
    lossy = next((name for name in ("float32", "float16") if name != precision and _is_in(got, name, expected)), None)
    if precision == "float16" or lossy is None or close(got, expected, precision):
        return ""
    error = np.max(np.abs(got.astype(float) - expected)) / np.max(np.abs(expected.astype(float)))
    digits = max(int(-np.log10(error)), 1)
    return (f"the first {digits} digits are right, those that follow are lost: {precision} came in, was an array made "
            f"with dtype {lossy}, or a number rounded?")


def _is_in(got, name, expected):
    """Are these the expected numbers, as far as this type holds them? Of float16 more must speak than that they are
    near, as a formula that is nearly right is near too: the type itself, or that all are round."""
    is_near = close(got, expected, name) and np.abs(expected.astype(float)).max(initial=0) > NOISE[name]
    is_typed = got.dtype.name == name or name == "float32"  # rounding is looked at last, as huge numbers overflow in it
    return bool(is_near and (is_typed or np.array_equal(got, np.round(got.astype(float), 3))))


def holds_text(value):
    """Is there a string in it, or bytes, at any depth of its lists?"""
    return isinstance(value, str | bytes) or isinstance(value, tuple | list) and any(map(holds_text, value))


def close(got, expected, precision="float64", equal_nan=False, scale=0.0, among=1.0):
    """Are these two arrays of one shape the same numbers, as far as arguments of this float type let one say?

    An entry may be off by a share of the largest expected one, however small that is (or of `scale`, where numbers so
    large were added up to smaller ones), and, where 0 is expected, by what arithmetic leaves of numbers as large as
    those `among` which it stands: the other results of the same call.
    """
    off = TOLERANCE[precision] * max(largest(expected), scale) + NOISE[precision] * max(1.0, among)
    return np.allclose(got.astype(float), expected, rtol=0, atol=off, equal_nan=equal_nan)


def largest(value):
    """The size of the largest finite entry of all arrays in a value; 0 where there is none."""
    if isinstance(value, tuple | list | dict):
        return max(map(largest, value.values() if isinstance(value, dict) else value), default=0.0)
    value = np.asarray(value)
    value = value[np.isfinite(value)].astype(float) if value.dtype.kind in "fiub" else np.zeros(0)
    return float(np.abs(value).max(initial=0.0))


def _identical(old, new):
    """Equal in type and value, all the way down; nan equals nan."""
    if isinstance(old, np.ndarray):
        same_form = isinstance(new, np.ndarray) and old.shape == new.shape and old.dtype == new.dtype
        return same_form and np.array_equal(old, new, equal_nan=old.dtype.kind in "fc")
    if type(old) is not type(new):
        return False
    if isinstance(old, tuple | list):
        return len(old) == len(new) and all(map(_identical, old, new))
    if isinstance(old, dict):
        return old.keys() == new.keys() and all(_identical(old[key], new[key]) for key in old)
    return bool(old == new or old != old and new != new)


def _shape(shape, expected):
    """A shape in words. An odd one is not spelt out: with its numbers a function could tell what it was called with."""
    likely = all(size in (1, *expected) for size in shape) or len(shape) == len(expected) and max(shape) < 100
    if len(shape) <= len(expected) + 1 and likely:
        return shape
    return "another number of axes" if len(shape) != len(expected) else "a far larger one"


def _kind(value):
    if isinstance(value, np.ndarray):
        return f"an array of dtype {value.dtype}"
    if isinstance(value, tuple | list):
        return f"{len(value) if len(value) < 100 else 'very many'} results"
    return f"one {type(value).__name__}"
