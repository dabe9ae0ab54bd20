"""What lab 03 is judged on. An exercise receives what earlier ones compute as arguments."""

from dataclasses import replace

import numpy as np

from coursekit.verdicts import Verdict, compare, refusal, together
from solutions.lab03_luong_attention import reference


def dot_score(student, rng):
    hint = "is it the sum of state times memory over the width, each sentence with its own state?"
    sizes = [("three sentences", 3, 5, 4), ("one word each", 4, 1, 6), ("a long sentence", 2, 9, 3)]
    sizes += [("one sentence, a width of 1", 1, 4, 1), ("all sizes equal", 3, 3, 3)]
    for law, B, S, D in sizes:
        args = rng.normal(size=(B, D)), rng.normal(size=(B, S, D))
        yield compare(f"{law}: the scores", student.dot_score(*args), reference.dot_score(*args), hint)
    yield from _refuses(student, rng, [(5, 8), (1, 6), (7, 1)])


def general_score(student, rng):
    hint = "is it state @ W, and then the dot product with each row of the memory?"
    sizes = [("different widths", 3, 5, 4, 6), ("a wide state", 2, 6, 7, 3), ("one width for both", 4, 3, 5, 5)]
    sizes += [("one sentence, widths of 1", 1, 4, 1, 1), ("one word each", 3, 1, 4, 5), ("all sizes equal", 3, 3, 3, 3)]
    for law, B, S, D, E in sizes:
        args = rng.normal(size=(B, D)), rng.normal(size=(B, S, E)), rng.normal(size=(D, E))
        yield compare(f"{law}: the scores", student.general_score(*args), reference.general_score(*args), hint)
    args = rng.normal(size=(3, 4)), rng.normal(size=(3, 6, 4)), np.eye(4) * np.array([2.0, 0.0, -1.0, 1.0])
    law = "a diagonal W: dot scores with each entry weighed"
    yield compare(law, student.general_score(*args), reference.general_score(*args), hint)


def concat_score(student, rng):
    hint = "is it tanh of [s ; h] W, the state first, and then the product with v?"
    sizes = [("different widths", 3, 5, 4, 6, 7), ("a wide state", 2, 6, 7, 3, 5), ("one word each", 4, 1, 3, 5, 2)]
    sizes += [("one sentence, widths of 1", 1, 4, 1, 1, 1), ("all sizes equal", 3, 3, 3, 3, 3)]
    for law, B, S, D, E, A in sizes:
        shapes = [(B, D), (B, S, E), (D + E, A), (A,)]
        args = tuple(rng.normal(size=shape) * scale for shape, scale in zip(shapes, (1, 1, 1, 2), strict=True))
        yield compare(f"{law}: the scores", student.concat_score(*args), reference.concat_score(*args), hint)


def attentional_state(student, rng):
    hint = "is it tanh of [c ; s] W_c, the context first, blended by the weights as they are?"
    for law, args in _blends(rng):
        yield compare(law, student.attentional_state(*args), reference.attentional_state(*args), hint)


def predicted_centre(student, rng):
    hint = "is it the sentence's own number of words times sigmoid(tanh(state @ W_p) @ v_p)?"
    laws = [
        ("sentences of different lengths: a centre for each", 3, 5, 4, 6, [2, 5, 4]),
        ("padding does not count", 2, 9, 3, 5, [3, 7]),
        ("a sentence without words has its centre at 0", 4, 6, 5, 2, [6, 0, 2, 4]),
        ("words are counted, wherever they stand", 3, 7, 4, 4, [7, 5, 3]),
        ("one sentence, widths of 1", 1, 5, 1, 1, [4]),
        ("one word each, and all other sizes equal", 3, 1, 3, 3, [1, 0, 1]),
    ]
    for law, B, S, D, A, lengths in laws:
        mask = np.arange(S) < np.array(lengths)[:, None]
        mask[:, 1:4:2] &= "wherever" not in law
        args = rng.normal(size=(B, D)), mask, rng.normal(size=(D, A)), rng.normal(size=A)
        yield compare(law, student.predicted_centre(*args), reference.predicted_centre(*args), hint)


def local_weights(student, rng):
    hint = "is it a masked softmax among |j - p| <= R, times exp(-(j - p)² / (2 σ²)) with σ = R / 2, and no more?"
    for law, args in _windows(rng):
        yield compare(law, student.local_weights(*args), reference.local_weights(*args), hint)


# Cases


def _refuses(student, rng, widths):
    """Unequal widths raise ValueError, and its message names both: as much together as all the scores. Neither counts
    unless states of one width are scored rightly."""
    right, raised, named = [], [], []
    for D, E in widths:
        state, fitting, memory = rng.normal(size=(2, D)), rng.normal(size=(2, 3, D)), rng.normal(size=(2, 3, E))
        law = f"states and a memory of width {D}, without whose scores no refusal counts"
        right.append(compare(law, student.dot_score(state, fitting), reference.dot_score(state, fitting)))
        law = f"a state of width {D} and a memory of width {E} raise ValueError"
        reply = student.dot_score(state, memory)
        said = f"it raised {reply.error}" if reply.error else "it returned something: compare the widths first"
        raised.append(Verdict(law, reply.error == "ValueError", f"{said}, and raise ValueError"))
        problem = refusal(reply.error, reply.said, [str(D), str(E)])
        named.append(Verdict(f"{law} with a message that names both", problem is None, problem or ""))
    for verdicts, weight in [(raised, 3), (named, 2)]:
        yield replace(together(*verdicts, *right), weight=weight)


def _blends(rng):
    """(law, arguments of `attentional_state`). In all but the first the weights of a row sum to less than 1."""
    laws = [
        ("weights of padded sentences", 3, 5, 4, 6, [2, 5, 4], 1.0),
        ("weights that sum to less than 1", 2, 6, 3, 5, [6, 3], 0.7),
        ("a sentence without words: the state's part alone", 4, 3, 5, 2, [3, 0, 2, 1], 0.6),
        ("a state wider than the memory", 2, 7, 6, 3, [4, 7], 0.8),
        ("one sentence, widths of 1", 1, 4, 1, 1, [3], 0.9),
        ("one word each, and all other sizes equal", 3, 1, 3, 3, [1, 1, 0], 0.6),
    ]
    for law, B, S, D, E, lengths, total in laws:
        weights = rng.random(size=(B, S)) * (np.arange(S) < np.array(lengths)[:, None])
        weights *= total / np.maximum(weights.sum(axis=1, keepdims=True), 0.1)
        state, memory, W_c = (rng.normal(size=shape) for shape in [(B, D), (B, S, E), (E + D, D)])
        yield law, (weights, state, memory, W_c / 2)


def _windows(rng):
    """(law, arguments of `local_weights`). In all of them the window of a sentence reaches into its padding; in one a
    word stands at the last position. In all but the fifth a centre has words at a distance of exactly R on both sides.
    Half have a row without a word in its window, in three there is a hole at a centre, and three hold scores that
    np.exp cannot take."""
    laws = [
        ("windows within sentences, and over their ends", 2, [9, 6, 8], [3, 5, 6]),
        ("a window beyond the last word is empty: zeros", 2, [8, 3, 5, 2], [5, 2, 3, 7]),
        ("a narrow window, and a hole", 1, [7, 4, 6], [2, 3, 5]),
        ("a sentence without words: zeros; scores of 800 and -800", 3, [10, 0, 6, 4], [4, 2, 5, 3]),
        ("a window wider than the sentence: the bell alone keeps the sum below 1", 11, [6, 3, 0], [2, 1, 1]),
        ("R = 2.5, a hole, and scores 900 higher outside of the window", 2.5, [9, 5, 6], [3, 4, 5]),
        ("one sentence, a hole, and scores of 1800", 2, [6], [3]),
    ]
    for law, reach, lengths, near in laws:
        B, S = len(lengths), max(lengths) + ("wider" not in law)
        mask = np.arange(S) < np.array(lengths)[:, None]
        mask[0, near[0]] &= "hole" not in law
        centre = np.array(near) + rng.choice([0.13, 0.24, 0.37], size=B)  # never at distance reach from a word
        centre[0] = near[0] + reach % 1
        yield law, (_scores(rng, law, np.abs(np.arange(S) - centre[:, None]) > reach), mask, centre, reach)


def _scores(rng, law, outside):
    """Scores for a window. Large ones are in eighths, which float32 holds exactly."""
    scores = 2 * rng.normal(size=outside.shape)
    if "00" not in law:
        return scores
    shift = 900 * outside if "outside" in law else 1800 if "1800" in law else 800 * (-1) ** np.arange(outside.shape[1])
    return np.round(scores * 8) / 8 + shift
