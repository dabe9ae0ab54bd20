"""What lab 11 is judged on.

A case is drawn anew until the known mistakes answer it otherwise than the reference does, so that a wrong answer cannot
pass by luck.
"""

import dataclasses

import numpy as np

from coursekit.models.transformer import END, START
from coursekit.verdicts import Reply, compare
from solutions.lab11_decoding import mistakes, reference

TRIES = 2000  # tables drawn for one case; a telling one is found after a few, or at worst some hundreds


def greedy(student, rng):
    hint = ("is it the likeliest of following(table, tokens), asked with all tokens, again and again, up to END or "
            "`longest` tokens, with END's share?")
    short = [mistakes.greedy_that_passes_the_last_token_alone]
    laws = [
        ("a text that ends before `longest`: its tokens, END the last, and their score", (7, 7), 3, True, 6, []),
        ("END is the last token for which there is room; what follows depends on two tokens", (9, 9, 9), 4, True, 5,
         short),
        ("no END comes: `longest` tokens; what follows depends on two tokens", (8, 8, 8), 5, False, 4, short),
        ("equal tokens: the one with the smaller id", (6, 6), 2, True, 5, []),
    ]
    for law, shape, n, ends, longest, known in laws:
        ties = "equal" in law
        table, _ = _telling(lambda s=shape, n=n, e=ends, t=ties, r=longest: (_with_path(rng, s, n, e, t), r),
                            reference.greedy, known)
        yield compare(law, student.greedy(table, longest), reference.greedy(table, longest), hint)


def beam_step(student, rng):
    hint = ("do all K V sums of a score and a log-probability compete, the best first, of equal ones the smaller "
            "parent and then the smaller token, without those of -inf?")
    cases = [  # K, V, beam, the share that is impossible, and the mistakes that such a case may fail to tell
        ("all continuations compete, and many are equal", 4, 9, 12, 0.1, ["impossible"]),
        ("one hypothesis, as at the first step", 1, 23, 6, 0.1, ["impossible", "smaller_token"]),
        ("fewer possible continuations than places", 4, 6, 9, 0.7, ["unstable"]),
        ("two hypotheses, and few possible continuations", 2, 8, 9, 0.8, ["unstable"]),
    ]
    for law, K, V, beam, impossible, untold in cases:
        known = [m for m in mistakes.MISTAKES["beam_step"] if not any(name in m.__name__ for name in untold)]
        args = _telling(lambda K=K, V=V, beam=beam, p=impossible: (*_step(rng, K, V, p), beam),
                        reference.beam_step, known)
        yield compare(law, student.beam_step(*args), reference.beam_step(*args), hint)


def penalised(student, rng):
    hint = "is it scores / ((5 + lengths) / 6) ** alpha?"
    for law, N, alpha in [("a mild penalty", 5, 0.6), ("a strong one", 4, 1.3), ("eight lengths", 8, 0.35)]:
        args = -rng.uniform(0.5, 9, size=N), 2 + rng.permutation(3 * N)[:N], alpha
        yield compare(law, student.penalised(*args), reference.penalised(*args), hint)


def beam_search(student, rng):
    hint = ("finished ones keep their score and their place; at the end all are compared by their penalised scores, "
            "and of equal ones the first wins, the finished before the live; `following` is asked with all tokens")
    wider = [mistakes.beam_search_that_is_greedy, mistakes.beam_search_that_passes_the_last_token_alone]
    laws = [
        ("a beam of 1 writes what greedy writes", (8, 8), 5, 1, 0.6, [], [], 1),
        ("a beam of 3 finds what greedy misses; what follows depends on two tokens", (7, 7, 7), 6, 3, 0.0, wider,
         [EQUAL], 1),
        ("texts of different lengths are compared by their penalised scores", (9, 9, 9), 7, 3, 0.8, TOLD, [LIVE], 2),
        ("a strong penalty, little room, and equal scores", (8, 8, 8), 6, 3, 1.1, TOLD, [LIVE, EQUAL], 2),
    ]
    for law, shape, longest, beam, alpha, known, more, weight in laws:
        args = _telling(lambda s=shape, n=longest, b=beam, a=alpha: (_table(rng, s), n, b, a), reference.beam_search,
                        known, _decided_by_the_penalty if known is TOLD else bool)
        asked = [args, *(_telling(lambda a=alpha: (_in_quarters(rng, 6), 3, 3, a), reference.beam_search, untold)
                         for untold in more)]
        yield _first_wrong([_searched(student, law, args, hint, weight) for args in asked])


# Three kinds of mistakes of which no table can tell the others as well, or not often enough.
EQUAL = [mistakes.beam_search_with_the_live_ones_first, mistakes.beam_search_that_takes_the_last_of_equals]
LIVE = [mistakes.beam_search_that_drops_the_live_ones]
RAISES = [mistakes.beam_search_that_looks_into_the_table]  # on a table with three axes
TOLD = [m for m in mistakes.MISTAKES["beam_search"][::-1] if m not in EQUAL + LIVE + RAISES]  # the hardest first


def _searched(student, law, args, hint, weight):
    reply = _as_arrays(student.beam_search(*args))
    expected = reference.beam_search(*args)
    return compare(law, reply, expected, hint, weight=weight)


def _first_wrong(verdicts):
    return next((verdict for verdict in verdicts if not verdict.passed), verdicts[-1])


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


def _table(rng, shape):
    """Log-probabilities of what follows a token, (V, V), or two, (V, V, V).

    PAD and START never do; END often, and at first with 13 %.
    """
    *before, V = shape
    p = rng.dirichlet(np.full(V - END - 1, 0.3), size=before)
    p = np.concatenate([np.zeros((*before, END)), rng.uniform(0.2, 1, size=(*before, 1)), p], axis=-1)
    p[(*[START] * len(before), END)] = 0.15
    return _log(p)


def _in_quarters(rng, V):
    """Scores (V, V) of what follows a token, in quarters, so that sums are often equal, to the last bit."""
    table = -rng.integers(1, 7, size=(V, V)) / 4
    table[:, :END] = -np.inf
    return table


def _with_path(rng, shape, n, ends, ties):
    """A table of this shape in which the likeliest tokens from START on are a path of n others, and END after it.

    Where it does not end, the path leads back to its first token.
    """
    *before, V = shape
    p = rng.dirichlet(np.ones(V), size=before)
    path = [START, *(END + 1 + rng.permutation(V - END - 1)[:n]).tolist()]
    for place, following in enumerate([*path[1:], END if ends else path[1]]):
        told = tuple([START, *path[:place + 1]][-len(before):])
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


def _step(rng, K, V, impossible):
    """Scores (K,) and log-probabilities (K, V) in quarters, so that sums are often equal, to the last bit."""
    scores, log_p = -rng.integers(1, 9, size=K) / 4, -rng.integers(1, 9, size=(K, V)) / 4
    return scores, np.where(rng.random((K, V)) < impossible, -np.inf, log_p)
