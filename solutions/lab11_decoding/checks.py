"""What lab 11 is judged on.

A case is drawn anew until the known mistakes answer it otherwise than the reference does, so that a wrong answer cannot
pass by luck.
"""

import dataclasses
import itertools
from functools import partial

import numpy as np

from coursekit.models.transformer import END, PAD, START
from coursekit.verdicts import Reply, Verdict, compare, together
from solutions.lab11_decoding import mistakes, reference

FIRST = PAD, PAD, START  # what stands before the first token
TRIES = 2000  # tables drawn for one case; a telling one is found after a few, or at worst some hundreds


def greedy(student, rng):
    hint = ("is it the likeliest of following(table, tokens), asked with all tokens, again and again, up to END or "
            "`longest` tokens, with END's share?")
    told = [mistakes.greedy_that_passes_the_last_token_alone, mistakes.greedy_that_leaves_start_out]
    laws = [
        ("a text that ends before `longest`: its tokens, END the last, and their score", (7, 7, 7), 3, True, 6, told),
        ("END is the last token for which there is room; what follows depends on three tokens", (8, 8, 8, 8), 4, True,
         5, told),
        ("no END comes: `longest` tokens; what follows depends on three tokens", (8, 8, 8, 8), 5, False, 4, told),
        ("equal tokens: the one with the smaller id", (6, 6), 2, True, 5, []),
        ("END at once: a text of one token", (6, 6, 6), 0, True, 3, []),
        ("a long text, with a score below -800", (60, 60), 9, False, 250, []),
    ]
    for i, (law, shape, n, ends, longest, known) in enumerate(laws):
        draw = partial(_with_path, rng, shape, n, ends, ties="equal" in law, even=longest > 100)
        table, _ = _telling(lambda draw=draw, r=longest: (draw(), r), reference.greedy, known)
        reply = student.greedy(table, longest)
        yield _ids(i, compare(law, reply, reference.greedy(table, longest), hint), reply, [0])


def beam_step(student, rng):
    hint = ("do all K V sums of a score and a log-probability compete, the best first, of equal ones the smaller "
            "parent and then the smaller token, without those of -inf?")
    cases = [  # K, V, beam, the share that is impossible, how far down, and the mistakes that it may fail to tell
        ("all continuations compete, and many are equal", 4, 9, 12, 0.1, 0, ["impossible"]),
        ("one hypothesis, as at the first step; one place too", 1, 23, 6, 0.1, 0, ["impossible", "smaller_token"]),
        ("fewer possible continuations than places, scores near -800", 4, 6, 9, 0.7, 800, ["unstable"]),
        ("two hypotheses, and few possible continuations", 2, 8, 9, 0.8, 0, ["unstable"]),
    ]
    for i, (law, K, V, beam, impossible, down, untold) in enumerate(cases):
        known = [m for m in mistakes.MISTAKES["beam_step"] if not any(name in m.__name__ for name in untold)]
        args = _telling(lambda K=K, V=V, p=impossible, down=down, beam=beam: (*_step(rng, K, V, p, down), beam),
                        reference.beam_step, known)
        asked = [args, *([(*args[:2], 1)] if K == 1 else []), *([(args[0], args[1] - 900, beam)] if down else [])]
        replies = [student.beam_step(*args) for args in asked]
        verdicts = [compare(law, reply, reference.beam_step(*args), hint)
                    for reply, args in zip(replies, asked, strict=True)]
        yield _ids(i, together(*verdicts), replies[0], [0, 1])


def penalised(student, rng):
    hint = "is it scores / ((5 + lengths) / 6) ** alpha?"
    laws = [("a mild penalty", 5, 0.6, 0), ("a strong one", 4, 1.3, 0), ("eight lengths", 8, 0.35, 0)]
    for law, N, alpha, down in [*laws, ("a single score, near -900", 1, 0.7, 900)]:
        args = -rng.uniform(0.5, 9, size=N) - down, 2 + rng.permutation(3 * N)[:N], alpha
        yield compare(law, student.penalised(*args), reference.penalised(*args), hint)


def beam_search(student, rng):
    hint = ("finished ones keep their score and their place, and each live one its own score; at the end all are "
            "compared by their penalised scores, and of equal ones the first wins, the finished before the live; "
            "`following` is asked with all tokens")
    wider = [mistakes.beam_search_that_is_greedy, *CONTEXT]
    laws = [
        ("a beam of 1 writes what greedy writes, and also a long text", (8, 8, 8), 5, 1, 0.6, CONTEXT, [], 1),
        ("a beam of 3 finds what greedy misses; what follows depends on three tokens", (6, 6, 6, 6), 6, 3, 0.0, wider,
         [EQUAL], 1),
        ("texts of different lengths are compared by their penalised scores", (9, 9, 9), 7, 3, 0.8, TOLD,
         [LIVE, PLACES, LEADER], 2),
        ("a strong penalty, little room, and equal scores", (7, 7, 7, 7), 6, 3, 1.1, TOLD,
         [LIVE, PLACES, LEADER, EQUAL], 2),
    ]
    for i, (law, shape, longest, beam, alpha, known, more, weight) in enumerate(laws):
        wanted = _decided_by_the_penalty if known is TOLD else partial(_apart, CONTEXT)
        args = _telling(lambda s=shape, n=longest, b=beam, a=alpha: (_table(rng, s), n, b, a), reference.beam_search,
                        known, wanted)
        asked = [args, *(_telling(partial(_small, rng, kind, alpha), reference.beam_search, kind,
                                  partial(_apart, kind) if i < 3 else bool) for kind in more)]  # once names a mistake
        if beam == 1:
            asked.append((_with_path(rng, (60, 60), 9, False, even=True), 250, 1, 0.0))
            asked.append((_with_path(rng, (6, 6), 0, True), 3, 1, alpha))
        replies = [student.beam_search(*args) for args in asked]
        verdicts = [_searched(student, law, *each, hint, weight) for each in zip(replies, asked, strict=True)]
        yield _ids(i, together(*verdicts), replies[0], [0])


# Kinds of mistakes of which no table can tell the others as well, or not often enough.
CONTEXT = [mistakes.beam_search_that_passes_the_last_token_alone, mistakes.beam_search_that_leaves_start_out]
EQUAL = [mistakes.beam_search_with_the_live_ones_first, mistakes.beam_search_that_takes_the_last_of_equals]
LIVE = [mistakes.beam_search_that_drops_the_live_ones]
PLACES = [mistakes.beam_search_that_gives_finished_places_away]
RAISES = [mistakes.beam_search_that_looks_into_the_table]  # on a table with three axes
LEADER = [mistakes.beam_search_that_stops_when_the_best_has_ended, mistakes.beam_search_with_scores_of_others]
UNTOLD = EQUAL + LIVE + PLACES + RAISES + LEADER
TOLD = [m for m in mistakes.MISTAKES["beam_search"][::-1] if m not in UNTOLD]  # the hardest first


def _searched(student, law, reply, args, hint, weight):
    expected = reference.beam_search(*args)
    return compare(law, _as_arrays(reply), expected, hint, weight=weight)


def _ids(i, verdict, reply, places):
    """The verdict on case i, unless ids among the results came back as floats. Asked in every second case: they cost
    half of the points."""
    if i % 2 or not verdict.passed or all(np.asarray(reply.value[place]).dtype.kind in "iu" for place in places):
        return verdict
    return Verdict(verdict.law, False, "the numbers are right, but ids are whole numbers and floats came back: an "
                   "array that is filled with ids is made with dtype=int, and // and % keep whole numbers whole",
                   verdict.weight)


def _as_arrays(reply):
    """The reply with its parts as arrays, where it is a pair of what can be one: lists and numbers will do."""
    is_pair = isinstance(reply.value, tuple | list) and len(reply.value) == 2
    if reply.error or not is_pair or not all(_numeric(part) for part in reply.value):
        return reply
    return dataclasses.replace(reply, value=tuple(np.asarray(part) for part in reply.value))


def _numeric(part):
    if isinstance(part, list | tuple):
        return all(isinstance(number, int | float | np.number) for number in part)
    return isinstance(part, int | float | np.number | np.ndarray)


# Cases


def _telling(draw, right, known, wanted=bool):
    """Arguments that `draw()` makes, drawn until each of the `known` mistakes answers otherwise than `right`.

    wanted  whether arguments will do at all, asked of them first
    """
    for _ in range(TRIES):
        args = draw()
        if not wanted(args):
            continue
        expected = right(*args)
        if not any(compare("", Reply(mistake(*args)), expected).passed for mistake in known):
            return args
    raise ValueError(f"cases: expected one within {TRIES} draws that tells all mistakes from the answer, got none")


def _decided_by_the_penalty(args):
    """Would another hypothesis win without the penalty?"""
    plain, _ = mistakes.beam_search_without_the_penalty(*args)
    return not np.array_equal(plain, reference.beam_search(*args)[0])


def _apart(kind, args):
    """Does each of these mistakes answer otherwise than the others, so that the right one is named?"""
    answers = [mistake(*args) for mistake in kind]
    return not any(compare("", Reply(one), other).passed for one, other in itertools.combinations(answers, 2))


def _table(rng, shape, leads=False):
    """Log-probabilities of what follows a token, (V, V), or two, (V, V, V), or three.

    PAD and START never do; END often, and at first with 13 %. Or END leads at first, and then hardly comes: what goes
    on beside such a finished leader is nearly certain, and may win.
    """
    *before, V = shape
    p = rng.dirichlet(np.full(V - END - 1, 0.1 if leads else 0.3), size=before)
    end = rng.choice([0.02, 0.2, 1], size=before) if leads else rng.uniform(0.2, 1, size=before)
    p = np.concatenate([np.zeros((*before, END)), end[..., None], p], axis=-1)
    first = FIRST[-len(before):]
    p[(*first, slice(END + 1, None))] = rng.dirichlet(np.ones(V - END - 1))
    p[(*first, END)] = 0.6 if leads else 0.15
    return _log(p)


def _small(rng, kind, alpha):
    """Arguments that often tell this kind of mistakes."""
    if kind in (EQUAL, LIVE):
        return _in_quarters(rng, 6), 3, 3, alpha
    return _table(rng, (6, 6), leads=kind is LEADER), 5, 3, alpha


def _in_quarters(rng, V):
    """Scores (V, V) of what follows a token, in quarters, so that sums are often equal, to the last bit."""
    table = -rng.integers(1, 7, size=(V, V)) / 4
    table[:, :END] = -np.inf
    return table


def _with_path(rng, shape, n, ends, ties=False, even=False):
    """A table of this shape in which the likeliest tokens from START on are a path of n others, and END after it.

    Where it does not end, the path leads back to its first token. Where all are nearly even each of its tokens costs
    much, so a long text has a score that no exponential holds.
    """
    *before, V = shape
    p = np.full(shape, 0.5) + rng.random(shape) if even else rng.dirichlet(np.ones(V), size=before)
    path = [START, *(END + 1 + rng.permutation(V - END - 1)[:n]).tolist()]
    for place, following in enumerate([*path[1:], END if ends else path[1]]):
        told = tuple([*FIRST, *path[1:place + 1]][-len(before):])
        p[(*told, following)] = 2.0 + rng.random()
        later = [token for token in range(following + 1, V)]
        if ties and later:
            p[(*told, rng.choice(later))] = p[(*told, following)]
    if not ends:
        p[..., END] *= 0.5
    return _log(p)


def _log(p):
    p[..., :END] = 0
    with np.errstate(divide="ignore"):
        return np.log(p / p.sum(axis=-1, keepdims=True))


def _step(rng, K, V, impossible, down):
    """Scores (K,), so far down, and log-probabilities (K, V): sums are often equal, to the last bit, and not round."""
    unit = 0.25 + 2.0**-12
    scores, log_p = -down - unit * rng.integers(1, 9, size=K), -unit * rng.integers(1, 9, size=(K, V))
    return scores, np.where(rng.random((K, V)) < impossible, -np.inf, log_p)
