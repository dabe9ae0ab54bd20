"""What lab 10 is judged on. No exercise builds on another."""

from dataclasses import replace

import numpy as np

from coursekit.verdicts import Verdict, compare, together
from solutions.lab10_train_a_transformer import reference


def shifted_targets(student, rng):
    hint = "is told the start and then the whole target, and wanted the target with `end` right after its last token?"
    cases = [
        ("rows of different lengths", 6, [4, 6, 2], 1, 2),
        ("other ids for start and end", 5, [3, 5, 4, 1], 9, 7),
        ("a row without tokens is wanted as `end` alone", 4, [0, 4], 2, 1),
        ("rows without padding", 3, [3, 3, 3, 3, 3], 8, 4),
        ("a single row", 5, [3], 6, 3),
        ("rows of one token, or none", 1, [1, 0, 1], 5, 8),
    ]
    for i, (law, T, lengths, start, end) in enumerate(cases):
        args = padded(rng, T, lengths), start, end
        reply = student.shifted_targets(*args)
        verdict = compare(law, reply, reference.shifted_targets(*args), hint)
        said = "the numbers are right, but ids, with which a table is read, are arrays with dtype int"
        yield _of_kind("iu", i, verdict, reply, said)


def attention_masks(student, rng):
    hint = "True where one may look: nobody at padding, and in the decoder nobody at a later token"
    cases = [
        ("sentences of different lengths, and a source without tokens", 6, [4, 0, 2], 5, [5, 3, 4]),
        ("a target longer than its source", 3, [3, 1], 7, [6, 7]),
        ("a source without tokens: nothing to look at", 4, [0, 4, 3, 2, 1], 2, [2, 1, 2, 2, 1]),
        ("no padding: the causal half alone is False", 5, [5, 5, 5, 5], 3, [3, 3, 3, 3]),
        ("as many sentences as places", 3, [3, 0, 1], 3, [1, 3, 2]),
        ("a single sentence", 5, [3], 4, [2]),
        ("sources of one token, or none", 1, [1, 0, 1], 3, [3, 2, 1]),
        ("targets of one token: the start alone", 4, [2, 4], 1, [1, 1]),
    ]
    for i, (law, S, sources, T, targets) in enumerate(cases):
        args = padded(rng, S, sources, 1), padded(rng, T, targets, 1)
        reply = student.attention_masks(*args)
        verdict = compare(law, reply, reference.attention_masks(*args), hint)
        yield _of_kind("b", i, verdict, reply, "right so far, but masks are boolean: True and False, not 1 and 0")


def learning_rate(student, rng):
    hint = "is it d_model^-0.5 · min(step^-0.5, step · warmup^-1.5)?"
    d_model, warmup = 2 * int(rng.integers(20, 300)), 10 * int(rng.integers(20, 90)) + 5
    laws = [("at the first step, and the second", 1, 2), ("on the way up", warmup // 3),
            ("just before the peak", warmup - 2), ("at the peak, and just after it", warmup, warmup + 3),
            ("on the way down", 2 * warmup + 1), ("far down", 60 * warmup)]
    peak = float(reference.learning_rate(warmup, d_model, warmup))
    for law, *steps in laws:
        replies = [_measured(student.learning_rate(step, d_model, warmup), peak) for step in steps]
        rates = [reference.learning_rate(step, d_model, warmup) / peak for step in steps]
        yield together(*[compare(law, *each, hint) for each in zip(replies, rates, strict=True)])


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
        ("a single sentence, logits far apart", 1, 4, 5, [3], 0.15, 1500.0),
        ("sentences of one token, logits far apart", 4, 1, 6, [1, 1, 0, 1], 0.25, 1500.0),
    ]
    for law, B, T, V, lengths, epsilon, far in cases:
        wanted = np.where(np.arange(T) < np.array(lengths)[:, None], rng.integers(1, V, size=(B, T)), 0)
        asked = [(_far_apart(2 * rng.normal(size=(B, T, V)), wanted, far), wanted, epsilon)]
        if law in ("padded sentences", "logits far apart, without smoothing"):
            asked.append((_best(wanted, epsilon, V), wanted, epsilon))
        yield together(*[compare(law, student.smoothed_cross_entropy(*args), reference.smoothed_cross_entropy(*args),
                                  hint) for args in asked])


def smoothing_floor(student, rng):
    hint = "is it the entropy of q: 1 - epsilon + epsilon / V once, epsilon / V for each of the other V - 1?"
    for law, V, epsilon in [("a few tokens", 5, 0.1), ("many tokens", 1000, 0.3), ("two tokens", 2, 0.5),
                            ("q the same for all tokens", 37, 1.0),
                            ("hardly any smoothing, and very many tokens", 50000, 1e-6)]:
        V += int(rng.integers(3)) if V > 2 else 0
        yield compare(law, student.smoothing_floor(V, epsilon), reference.smoothing_floor(V, epsilon), hint)
    yield _without_smoothing(student, 5, 11)


# Cases


def padded(rng, length, lengths, least=10):
    """Ids from `least` up, 0 behind the first `lengths` of each row: (len(lengths), length)."""
    ids = rng.integers(least, least + 6, size=(len(lengths), length))
    return np.where(np.arange(length) < np.array(lengths)[:, None], ids, 0)


def _far_apart(logits, wanted, far):
    """The logits (B, T, V) with each row `far` above 0 or below it in turn, the wanted ones far below their rows, and
    the last ones far above; as they are where `far` is 0."""
    B, T, V = logits.shape
    side = (-1.0) ** np.add.outer(np.arange(B), np.arange(T))
    at_wanted = wanted[..., None] == np.arange(V)
    return logits + far * side[..., None] + abs(far) * (2.0 * (np.arange(V) == V - 1) - 1.2 * at_wanted)


def _best(wanted, epsilon, V):
    """Logits of which p is nearly q: hardly a gradient is left, and the loss is hardly above the floor."""
    q = (1 - epsilon) * (wanted[..., None] == np.arange(V)) + epsilon / V
    return np.log(q) + 1e-5 * np.arange(V) if epsilon else 16 * q


# Verdicts


def _of_kind(kinds, i, verdict, reply, hint):
    """The verdict on case i, unless a result is no array of such a dtype. Asked in every second case: it costs half."""
    right = not verdict.passed or all(isinstance(each, np.ndarray) and each.dtype.kind in kinds for each in reply.value)
    return verdict if i % 2 or right else replace(verdict, passed=False, hint=hint)


def _without_smoothing(student, weight, V):
    """A floor of 0 where epsilon is 0, from a function that is right where it is not."""
    law = "without smoothing the floor is 0"
    right = compare(law, student.smoothing_floor(V, 0.2), reference.smoothing_floor(V, 0.2))
    if not right.passed:
        return Verdict(law, False, "counts only where the floor of epsilon = 0.2 is right", weight)
    return compare(law, student.smoothing_floor(V, 0.0), 0.0, "0 · log 0 counts as 0: never take log of 0", weight)
