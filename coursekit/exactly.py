"""Values that are right or wrong as they are: text, bytes, whole numbers, and lists and dictionaries of these.

Lists, tuples and arrays of whole numbers count as the same kind of thing, and so do whole numbers of Python and of
NumPy; text and bytes do not, nor a number and True.
"""

import numpy as np

LONGEST = 60  # characters of one value in a message
KINDS = [  # the first that fits
    (bool, "True or False"), ((int, np.integer), "a whole number"), ((float, np.floating), "a number"), (str, "text"),
    (bytes, "bytes"), ((list, tuple), "a list"), (dict, "a dictionary"), (type(None), "None"), (np.ndarray, "an array"),
]


def alike(got, expected):
    """Are these the same values, all the way down?"""
    return other_kind(got, expected) is None and difference(got, expected) is None


def other_kind(got, expected):
    """What makes this another kind of thing, in words in which no value stands; None if only values differ."""
    if kind(got) != kind(expected):
        return f"expected {_called(expected)}, got {_called(got)}"
    if kind(got) == "a dictionary":
        of_values = _first_other_kind("among the values: ", got.values(), expected.values())
        return _first_other_kind("among the keys: ", got, expected) or of_values
    return _first_other_kind("in the list: ", got, expected) if kind(got) == "a list" else None


def _first_other_kind(where, got, expected):
    """Of as many items as both have."""
    found = (other_kind(*pair) for pair in zip(got, expected, strict=False))
    return next((where + problem for problem in found if problem), None)


def difference(got, expected, place=""):
    """Where two values of one kind first differ and what stands there, in words; None if they do not."""
    if kind(expected) == "a dictionary":
        return _difference_of_dictionaries(got, expected, place)
    if kind(expected) == "a list":
        return _difference_of_lists(got, expected, place)
    if got == expected:
        return None
    return f"{place and f'at {place} '}got {shown(got)}, expected {shown(expected)}{_where_it_begins(got, expected)}"


def _difference_of_lists(got, expected, place):
    for i, pair in enumerate(zip(got, expected, strict=False)):
        if problem := difference(*pair, f"{place}[{i}]"):
            return problem
    if len(got) == len(expected):
        return None
    n, counts = min(len(got), len(expected)), f"expected length {len(expected)}, got {len(got)}"
    odd = f"{shown(expected[n])} is missing" if len(got) == n else f"{shown(got[n])} is too many"
    return f"{f'in {place} ' if place else ''}{counts}: at {place}[{n}] {odd}"


def _difference_of_dictionaries(got, expected, place):
    inside = f" in {place}" if place else ""
    for key, value in expected.items():
        if key not in got:
            return f"key {shown(key)} is missing{inside}: expected {shown(value)} there"
        if problem := difference(got[key], value, f"{place}[{shown(key)}]"):
            return problem
    extra = next((key for key in got if key not in expected), None)
    return None if len(got) == len(expected) else f"key {shown(extra)} is too many{inside}: there should be none"


def _where_it_begins(got, expected):
    """From which character or byte on two long texts differ; nothing where one sees it."""
    if not isinstance(expected, str | bytes) or max(len(got), len(expected)) < LONGEST / 2:
        return ""
    same = next((i for i, pair in enumerate(zip(got, expected, strict=False)) if pair[0] != pair[1]),
                min(len(got), len(expected)))
    parts = (shown(text[max(0, same - 10):same + 20]) for text in (got, expected))
    return ": from place {} on, {} in place of {}".format(same, *parts)


def kind(value):
    """What kind of thing it is, in words."""
    if isinstance(value, np.ndarray) and value.dtype.kind in "iu":
        return "a list" if value.ndim else "a whole number"
    return next((words for types, words in KINDS if isinstance(value, types)), f"one {type(value).__name__}")


def _called(value):
    return "a tuple" if isinstance(value, tuple) else kind(value)


def shown(value):
    """The value as Python writes it, cut where it is long."""
    text = repr(value.item() if isinstance(value, np.generic) else value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST - 3]}..."
