"""Answers whose type is judged with their numbers: float32 in, float32 out. Several labs ask for it."""

import dataclasses

import numpy as np

from coursekit.verdicts import compare

CAUSES = {"float32": "use numbers of Python, such as 2**0.5, and arrays like those given",
          "float64": "do not cast, and make new arrays with dtype=x.dtype"}


def exact(args):
    """The same arguments with float32 as float64, to judge by."""
    def widened(value):
        if isinstance(value, dict):
            return {name: widened(each) for name, each in value.items()}
        return value.astype(float) if isinstance(value, np.ndarray) and value.dtype.kind == "f" else value

    return [widened(value) for value in args]


def typed(law, reply, expected, hint, like, names=()):
    """`compare`, and the type of `like`, which came in, must come back."""
    verdict, came = compare(law, reply, expected, hint, names=names), like.dtype.name
    went = _types(reply.value) if verdict.passed else set()
    if went <= {came}:
        return verdict
    hint = f"{came} came in, {', '.join(sorted(went))} went out: {CAUSES[came]}"
    return dataclasses.replace(verdict, passed=False, hint=hint)


def some(law, reply, expected, chosen, hint, like):
    """`typed` for some of several results, those in the places `chosen`; on their number first."""
    several = isinstance(reply.value, tuple | list) and len(reply.value) == len(expected)
    if reply.error is None and several:
        reply = dataclasses.replace(reply, value=tuple(reply.value[i] for i in chosen))
        expected = tuple(expected[i] for i in chosen)
    return typed(law, reply, expected, hint, like)


def _types(value):
    return {np.asarray(each).dtype.name for each in (value if isinstance(value, tuple | list) else [value])}
