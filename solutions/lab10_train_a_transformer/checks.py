"""What lab 10 is judged on. No exercise builds on another."""

from dataclasses import replace

import numpy as np

from coursekit.verdicts import Verdict, compare
from solutions.lab10_train_a_transformer import reference


def shifted_targets(student, rng):
    hint = "is told the start and then the whole target, and wanted the target with `end` right after its last token?"
    cases = [
        ("rows of different lengths", 6, [4, 6, 2], 1, 2),
        ("other ids for start and end", 5, [3, 5, 4, 1], 9, 7),
        ("a row without tokens is wanted as `end` alone", 4, [0, 4], 2, 1),
        ("rows without padding", 3, [3, 3, 3, 3, 3], 8, 4),
    ]
    right, whole = True, True
    for law, T, lengths, start, end in cases:
        args = padded(rng, T, lengths), start, end
        reply = student.shifted_targets(*args)
        verdict = compare(law, reply, reference.shifted_targets(*args), hint)
        right, whole = right and verdict.passed, whole and _are_ids(reply.value)
        yield verdict
    hint = "is the dtype int, and are both arrays?" if right else "counts only where the values are right"
    yield Verdict("both are arrays of whole numbers, with which a table is read", right and whole, hint, len(cases))


def attention_masks(student, rng):
    hint = "True where one may look: nobody at padding, and in the decoder nobody at a later token"
    cases = [
        ("sentences of different lengths, and a source without tokens", 6, [4, 0, 2], 5, [5, 3, 4]),
        ("a target longer than its source", 3, [3, 1], 7, [6, 7]),
        ("a source without tokens: nothing to look at", 4, [0, 4, 3, 2, 1], 2, [2, 1, 2, 2, 1]),
        ("no padding: the causal half alone is False", 5, [5, 5, 5, 5], 3, [3, 3, 3, 3]),
    ]
    for law, S, sources, T, targets in cases:
        args = padded(rng, S, sources), padded(rng, T, targets)
        yield compare(law, student.attention_masks(*args), reference.attention_masks(*args), hint)


def learning_rate(student, rng):
    hint = "is it d_model^-0.5 · min(step^-0.5, step · warmup^-1.5)?"
    d_model, warmup = 2 * int(rng.integers(20, 300)), 10 * int(rng.integers(20, 90)) + 5
    steps = [("at the first step", 1), ("on the way up", warmup // 3), ("just before the peak", warmup - 2),
             ("just after the peak", warmup + 3), ("on the way down", 2 * warmup + 1), ("far down", 60 * warmup)]
    peak = float(reference.learning_rate(warmup, d_model, warmup))
    for law, step in steps:
        reply = student.learning_rate(step, d_model, warmup)
        yield compare(law, _measured(reply, peak), reference.learning_rate(step, d_model, warmup) / peak, hint)


def _measured(reply, unit):
    """The reply in this unit, if it is a number: rates are so small that to six digits of 1 many are alike."""
    is_number = isinstance(reply.value, int | float | np.number | np.ndarray)
    value = np.asarray(reply.value if is_number else None)
    return replace(reply, value=value / unit) if value.dtype.kind in "fiu" else reply


def smoothed_cross_entropy(student, rng):
    hint = ("is q = epsilon / V everywhere and 1 - epsilon more at the wanted token, padding left out, and the mean "
            "taken over the real tokens, in the gradient too?")
    cases = [
        ("padded sentences", 3, 5, 7, [5, 2, 3], 0.1, 0.0),
        ("padded sentences, strongly smoothed", 2, 6, 4, [3, 6], 0.4, 0.0),
        ("a sentence without tokens does not count", 4, 3, 6, [3, 0, 1, 2], 0.2, 0.0),
        ("logits far apart, and rows far apart", 3, 4, 8, [2, 4, 3], 0.1, 1500.0),
        ("logits far apart, without smoothing", 2, 5, 3, [4, 5], 0.0, 1500.0),
        ("logits far apart, strongly smoothed", 5, 2, 9, [2, 1, 2, 1, 2], 0.3, -1500.0),
    ]
    for law, B, T, V, lengths, epsilon, far in cases:
        wanted = np.where(np.arange(T) < np.array(lengths)[:, None], rng.integers(1, V, size=(B, T)), 0)
        args = _far_apart(2 * rng.normal(size=(B, T, V)), wanted, far), wanted, epsilon
        yield compare(law, student.smoothed_cross_entropy(*args), reference.smoothed_cross_entropy(*args), hint)


def smoothing_floor(student, rng):
    hint = "is it the entropy of q: 1 - epsilon + epsilon / V once, epsilon / V for each of the other V - 1?"
    for law, V, epsilon in [("a few tokens", 5, 0.1), ("many tokens", 1000, 0.3), ("two tokens", 2, 0.5),
                            ("q the same for all tokens", 37, 1.0)]:
        V += int(rng.integers(3)) if V > 2 else 0
        yield compare(law, student.smoothing_floor(V, epsilon), reference.smoothing_floor(V, epsilon), hint)
    yield _without_smoothing(student, 4, 11)


# Cases


def padded(rng, length, lengths):
    """Ids from 10 up, 0 behind the first `lengths` of each row: (len(lengths), length)."""
    ids = rng.integers(10, 30, size=(len(lengths), length))
    return np.where(np.arange(length) < np.array(lengths)[:, None], ids, 0)


def _far_apart(logits, wanted, far):
    """The logits (B, T, V) with each row `far` above 0 or below it in turn, and the wanted ones far below their rows;
    as they are where `far` is 0."""
    B, T, V = logits.shape
    side = (-1.0) ** np.add.outer(np.arange(B), np.arange(T))
    at_wanted = wanted[..., None] == np.arange(V)
    return logits + far * side[..., None] - 1.2 * abs(far) * at_wanted


def _are_ids(value):
    pair = value if isinstance(value, tuple | list) else ()
    return len(pair) == 2 and all(isinstance(each, np.ndarray) and each.dtype.kind in "iu" for each in pair)


def _without_smoothing(student, weight, V):
    """A floor of 0 where epsilon is 0, from a function that is right where it is not."""
    law = "without smoothing the floor is 0"
    right = compare(law, student.smoothing_floor(V, 0.2), reference.smoothing_floor(V, 0.2))
    if not right.passed:
        return Verdict(law, False, "counts only where the floor of epsilon = 0.2 is right", weight)
    return compare(law, student.smoothing_floor(V, 0.0), 0.0, "0 · log 0 counts as 0: never take log of 0", weight)
