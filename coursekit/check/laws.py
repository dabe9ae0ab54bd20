"""The vocabulary of visible checks: each function of the first part states one law of an answer and returns a Verdict.

An answer is a `Reply`, or one of the values in it. `slips` are pairs (what a known slip leads to, what to say of it),
and `advice` is what to say where the values are wrong and no slip is known.
"""

import numpy as np

from coursekit import exactly
from coursekit.check import CheckFailed, as_array, ask, rounded
from coursekit.gradient_check import check_gradient
from coursekit.verdicts import NOTHING, Reply, Verdict, close, imprecise, largest, misfit, refusal

SHOWN = 24     # entries of an array that a hint spells out
NAMED = 12     # entries of a dictionary fewer than which a hint names
SLOPES = 1e-5  # relative: enough for slopes of work in float32, far too little for a wrong formula


def equals(law, answer, expected, advice="", slips=()):
    """Is the answer this array? Else the hint is the first of these that applies: a known slip, that it is another kind
    of thing, that digits were lost, the advice, what was got beside what was expected."""
    value = value_of(answer)
    if near(answer, expected) and np.shape(value) == np.shape(expected):
        return Verdict(law, True)
    other = NOTHING if value is None else misfit(value, expected) or imprecise(value, expected, precision_of(answer))
    return Verdict(law, False, slip(answer, slips) or other or advice or beside(value, expected))


def same(law, answer, expected, advice="", slips=(), kinds=""):
    """Is the answer exactly this text, number, list or dictionary, or these bytes? Else the hint is what kind of thing
    it should be, and what is to be said of `kinds`, or where it first differs and what stands there, with what is said
    of a known slip, or the advice."""
    value = value_of(answer)
    if value is None:
        return Verdict(law, False, NOTHING)
    other = exactly.other_kind(value, expected)
    wrong = other or exactly.difference(value, expected)
    advice = kinds if other else next((said for slip, said in slips if exactly.alike(value, slip)), advice)
    return Verdict(law, wrong is None, wrong and wrong + (advice and f"\n  {advice}") or "")


def shape(law, answer, expected, advice=""):
    """Is the answer an array of numbers of this shape?"""
    value = value_of(answer)
    got = as_array(value)
    if value is None:
        return Verdict(law, False, NOTHING)
    if got.dtype.kind not in "fiub":
        return Verdict(law, False, f"expected numbers, got {kind(value)}")
    return Verdict(law, got.shape == expected, f"expected {expected}, got {got.shape}" + (advice and f": {advice}"))


def count(law, answer, n):
    """Are there n results?"""
    value = value_of(answer)
    return Verdict(law, bool(parts(value, n)), NOTHING if value is None else f"got {kind(value)}")


def results(answer, shapes, what="", law="", advice=""):
    """Are there as many arrays as {name: shape} has, in this order, each of its shape?"""
    law = law or what + ", ".join(f"{name} {each}" for name, each in shapes.items())
    value = value_of(answer)
    if value is None:
        return Verdict(law, False, NOTHING)
    values = [value] if len(shapes) == 1 else parts(value, len(shapes))
    if not values:
        return Verdict(law, False, f"expected {len(shapes)} results, {', '.join(shapes)}, got {kind(value)}")
    verdicts = [shape(name.removesuffix(" ="), got, shapes[name]) for name, got in zip(shapes, values, strict=True)]
    wrong = [f"{verdict.law}: {verdict.hint}" for verdict in verdicts if not verdict.passed]
    if sorted(as_array(each).shape for each in values) == sorted(shapes.values()):
        advice = "the same shapes in another order"
    return Verdict(law, not wrong, "; ".join(wrong) + (advice and f": {advice}"))


def sums(law, array, total, advice, axis=-1, of="they"):
    """Do the entries along the axis add up to this? Else the hint says to what they do (what is summed is called `of`),
    then the advice; where they nearly do, that digits were lost."""
    array = as_array(array)
    added = np.ravel(np.sum(array, axis=axis))
    shown, off = rounded(added[:SHOWN]), np.abs(added - total)
    if off.max() < 1e-3 * largest(array):
        shown, advice = f"{float(added[off.argmax()]):.9g}", "were digits lost, in float16 or float32, or by rounding?"
    return Verdict(law, near(added, total, array), f"{of} sum to {shown}: {advice}")


def gradients(law, answer, n, names):
    """Are there n results, the last of them a dictionary of these names?"""
    value = value_of(answer)
    last = (parts(value, n) or [None])[-1]
    if not isinstance(last, dict):
        return Verdict(law, False, f"got {kind(value)}")
    keys = ", ".join(map(str, last)) or "none"
    return Verdict(law, set(last) == set(names), f"the keys of the dictionary are {keys}")


def slope(law, loss, array, got, advice):
    """Is `got` the slope of the loss in this array? Else the hint says in which entry it is not, then the advice."""
    try:
        check_gradient(loss, array, as_array(got), law.split()[0], SLOPES)
    except AssertionError as error:
        return Verdict(law, False, f"{error}\n  {advice}")
    return Verdict(law, True)


def keeps_type(answer, advice, name="float32", what=""):
    """Is every array of the answer, those in dictionaries too, of this type?"""
    value = value_of(answer)
    values = value if isinstance(value, tuple | list) else [value]
    arrays = [array for each in values for array in (each.values() if isinstance(each, dict) else [each])]
    got = sorted({as_array(array).dtype.name for array in arrays})
    return Verdict(f"{what}{name} stays {name}", got == [name], f"got {', '.join(got)}: {advice}")


def refuses(law, function, args, words, advice):
    """Does the function raise ValueError for these arguments, and, where words are asked for, with a message of its own
    that holds all of them?"""
    try:
        value = ask(function, *args).value
    except NotImplementedError:
        raise
    except Exception as error:
        name = "ValueError" if isinstance(error, ValueError) else type(error).__name__
        problem = refusal(name, str(error), words)
        return Verdict(law, problem is None, f'{problem}; yours is "{str(error)[:90]}"' if problem else "")
    if isinstance(value, Exception):
        return Verdict(law, False, "it returned the error: raise it, as an error that comes back is an answer")
    plain = isinstance(value, str | int | float) or (isinstance(value, list) and {*map(type, value)} == {str})
    shown = exactly.shown(value) if plain else kind(value)
    return Verdict(law, False, f"it returned {shown}, but should raise ValueError: {advice}")


# What they are made of, and what an advice is made of


def asked(law, raised, function, *args):
    """`ask`, where some errors of Python or NumPy need a word more: `raised` is {a piece of what they say: advice}."""
    try:
        return ask(function, *args)
    except (AttributeError, IndexError, TypeError, ValueError) as error:
        advice = next((advice for said, advice in raised.items() if said in str(error)), None)
        if advice is None:
            raise
        raise CheckFailed(f"{law}\n  {type(error).__name__}: {error}\n  {advice}") from error


def near(answer, expected, summed=0.0):
    """Are these the same numbers, to the precision of what the function was given (of a value alone: float64)? One
    expected number is that of every entry. Of a sum that should vanish, `summed` is what was added up."""
    value, expected = as_array(value_of(answer)), np.asarray(expected)
    if expected.ndim == 0:
        expected = np.broadcast_to(expected, value.shape)
    return misfit(value, expected) is None and close(value, expected, precision_of(answer), scale=largest(summed))


def slip(answer, slips, otherwise=""):
    """What to say of the first known slip that leads to this answer, of this shape; else `otherwise`."""
    shape = as_array(value_of(answer)).shape
    return next((said for wrong, said in slips if shape == np.shape(wrong) and near(answer, wrong)), otherwise)


def got(answer):
    """What was got."""
    value = value_of(answer)
    return f"got {_digits(value)}" if as_array(value).ndim < 2 else f"got\n{_digits(value)}"


def beside(value, expected):
    """What was got beside what was expected; of large arrays, and where the two look alike, the entry most wrong."""
    if np.ndim(expected) == 0 or np.size(expected) > SHOWN or _digits(value) == _digits(expected):
        return _most_wrong(as_array(value).astype(float), np.asarray(expected, float))
    if np.ndim(expected) < 2:
        return f"got {_digits(value)}, expected {_digits(expected)}"
    return f"got\n{_digits(value)}\n  expected\n{_digits(expected)}"


def _most_wrong(value, expected):
    """The entry that is farthest off, its place, and as many digits as it takes to see a difference."""
    with np.errstate(invalid="ignore"):
        off = np.abs(value - expected)
    place = np.unravel_index(np.argmax(np.where(np.isnan(off), np.inf, off)), off.shape)
    pairs = ([f"{float(each[place]):.{digits}g}" for each in (value, expected)] for digits in range(6, 18))
    got, wanted = next((pair for pair in pairs if pair[0] != pair[1]), ("another", f"{float(expected[place]):.17g}"))
    where = f"at {[int(i) for i in place]} " if place else ""
    return f"{where}got {got}, expected {wanted}"


def _digits(value):
    value = as_array(value)
    return f"{float(value):.6g}" if value.ndim == 0 and value.dtype.kind in "fiub" else rounded(value, 5)


def parts(value, n):
    """The results, if there are so many."""
    return value if isinstance(value, tuple | list) and len(value) == n else []


def result(answer, i):
    """Result i of several, counted from 0; all that came back where there are not so many."""
    value = value_of(answer)
    return value[i] if isinstance(value, tuple | list) and len(value) > i else value


def kind(value):
    """What was returned, in a few words."""
    if isinstance(value, tuple | list):
        return f"{len(value)} results: {', '.join(map(_kind_of_one, value[:5]))}"
    return _kind_of_one(value)


def _kind_of_one(value):
    if isinstance(value, dict):
        few = ", ".join(map(str, value)) or "nothing"
        return f"a dictionary of {few if len(value) < NAMED else f'{len(value)} entries'}"
    return f"an array of shape {value.shape}" if isinstance(value, np.ndarray) else f"one {type(value).__name__}"


def random(seed, *shapes):
    """Normal numbers from NumPy's legacy stream, which is the same in every version."""
    stream = np.random.RandomState(seed)
    return [stream.randn(*each) for each in shapes]


def precision_of(answer):
    """The float type of the arguments that led to this answer."""
    return answer.precision if isinstance(answer, Reply) else "float64"


def value_of(answer):
    """What a function returned: of a `Reply` its value, of anything else the thing itself."""
    return answer.value if isinstance(answer, Reply) else answer
