"""The visible checks of lab 11. Each takes the student's function and states the laws that it should keep."""

import math

import numpy as np

from coursekit.check import CheckFailed, as_array, ask, laws, rounded, visible_check
from coursekit.models.transformer import END, PAD, START
from coursekit.verdicts import Verdict

THE, A, CAT, DOG, BIRD, SINGS = range(END + 1, END + 7)
ROWS = [  # of PAD, START, END and the six words: what follows, and how likely
    {SINGS: 1.0},
    {THE: 0.55, A: 0.45},
    {THE: 0.55, A: 0.45},
    {CAT: 0.40, DOG: 0.35, BIRD: 0.25},
    {BIRD: 0.90, CAT: 0.10},
    {END: 0.70, SINGS: 0.30},
    {END: 0.75, SINGS: 0.25},
    {END: 0.52, SINGS: 0.48},
    {END: 1.0},
]
FEW = [{3: 1.0}, {3: 0.9, END: 0.1}, {3: 1.0}, {4: 0.6, 5: 0.4}, {END: 0.55, 3: 0.45}, {END: 1.0}]
LIVE = [{3: 1.0}, {3: 0.5, END: 0.5}, {3: 1.0}, {4: 0.9, END: 0.1}, {END: 1.0}]
LEADER = [{3: 1.0}, {END: 0.40, 3: 0.36, 4: 0.24}, {3: 1.0}, {5: 0.95, END: 0.05}, {END: 1.0}, {END: 0.95, 3: 0.05}]
EVEN = [{3: 1.0}, {3: 0.5, END: 0.25, 4: 0.25}, {3: 1.0}, {3: 0.5, 5: 0.5}, {5: 1.0}, {END: 1.0}]
AFTER = {  # of a model that looks at all that was written: what follows, and END after anything else
    (): {3: 0.6, 4: 0.4},
    (3,): {5: 0.7, END: 0.3},
    (4,): {5: 1.0},
    (3, 5): {3: 0.8, END: 0.2},
    (4, 5): {END: 0.9, 3: 0.1},
}
PAIRS = {  # of a table that looks at the last two tokens; 4 comes after all others
    (PAD, START): {3: 0.6, 4: 0.4},
    (START, 3): {3: 0.7, END: 0.3},
    (START, 4): {3: 0.9, END: 0.1},
    (3, 3): {END: 0.8, 4: 0.2},
    (4, 3): {END: 0.95, 4: 0.05},
}
LONG = [{3 + i: 1 / 26 for i in range(26)}] * 29  # (29, 29), after each token 26 words are equally likely
MANY = -1.0 - np.arange(36).reshape(4, 9) * 5 % 7 % 2  # (4, 9), each -1 or -2
THE_CAT, A_BIRD, A_BIRD_SINGS = [THE, CAT, END], [A, BIRD, END], [A, BIRD, SINGS, END]
P_CAT, P_BIRD, P_SINGS = 0.55 * 0.4 * 0.7, 0.45 * 0.9 * 0.52, 0.45 * 0.9 * 0.48


def table_of(rows):
    """The table (V, V) of log p(next | last) of such rows; what is not named has probability 0."""
    p = np.zeros((len(rows), len(rows)))
    for last, following in enumerate(rows):
        p[last, list(following)] = list(following.values())
    with np.errstate(divide="ignore"):
        return np.log(p)


def table_of_pairs(pairs):
    """The table (V, V, V) of log p(next | the one before, last)."""
    return np.array([table_of([pairs.get((before, last), {4: 1.0}) for last in range(5)]) for before in range(5)])


class Model:
    """A model that is no table: what follows depends on all that was written, and only `following` says it."""

    law = "a model that is no table is asked through following(table, tokens) with all tokens"
    shape = (6, 6)

    def following(self, tokens):
        told = as_array(tokens).tolist()
        if not isinstance(told, list) or told[:1] != [START]:
            raise CheckFailed(f"{self.law}\n  `following` got {told}: give it all tokens, from START on")
        return table_of([AFTER.get(tuple(told[1:]), {END: 1.0})] * 6)[0]

    def __getitem__(self, key):
        raise CheckFailed(f"{self.law}\n  a model is no array: ask following(table, tokens) where you wrote table[...]")

    def __getattr__(self, name):
        raise AttributeError(f"a model is no array and has no {name}: ask following(table, tokens) instead")

    def __eq__(self, other):
        return isinstance(other, Model)

    __hash__ = None


@visible_check
def greedy(greedy):
    table = table_of(ROWS)
    slips = [
        ([1, *THE_CAT], None, "START is what the model is told; it is not written, so leave it out"),
        (THE_CAT[:2], None, "END is a token like any other: it is written, and its log-probability counts"),
        (THE_CAT, math.log(0.55 * 0.4), "the tokens are right; the log-probability of END is missing in the score"),
        (THE_CAT, P_CAT, "the tokens are right; the score is the logarithm of this probability"),
        (THE_CAT, math.log(P_CAT) / 3, "the tokens are right; the score is the sum, not the mean"),
        ([0] * 6, None, "this is PAD again and again: you read a column; row `last` holds what may follow"),
        ([SINGS, END], None, "you began with row 0, which belongs to PAD: the first token follows START"),
    ]
    law = "the likeliest words: the, cat, END, with the score log(0.55 · 0.40 · 0.70)"
    yield _writes(law, ask(greedy, table, 6), THE_CAT, math.log(P_CAT), slips)
    slips = [([THE], None, "one token too few: START does not count"),
             (THE_CAT, None, "three tokens: stop when `longest` are written, even where no END has come")]
    law = "longest = 2: the, cat, and no END"
    yield _writes(law, ask(greedy, table, 2), [THE, CAT], math.log(0.22), slips)
    even = np.log(np.where(np.arange(7) < END, 1e-300, 0.2) * np.ones((7, 1)))
    yield _writes("all equal: the smallest id, which is END", ask(greedy, even, 3), [END], math.log(0.2), [])
    yield _writes(A_LONG_TEXT, ask(greedy, table_of(LONG), 250), [3] * 250, 250 * math.log(1 / 26), [],
                  "np.exp of such a score is 0: add up log-probabilities, never multiply probabilities")
    slips = [(wrong, None, "what follows depends on all that was written: give `following` all tokens, START once")
             for wrong in ([3, 5, END], [END])]
    yield _writes(Model.law, ask(greedy, Model(), 6), [3, 5, 3, END], math.log(0.6 * 0.7 * 0.8), slips)
    yield _writes(TWO, ask(greedy, table_of_pairs(PAIRS), 5), [3, 3, END], math.log(0.6 * 0.7 * 0.8), [], ALL_TOKENS)


@visible_check
def beam_step(beam_step):
    scores, log_p = np.array([-1.0, -2.0]), np.array([[-np.inf, -1.0, -3.0], [-2.0, -1.0, -0.5]])
    right = np.array([0, 1, 1, 0, 1]), np.array([1, 2, 1, 2, 0]), np.array([-2.0, -2.5, -3.0, -4.0, -4.0])
    three = [part[:3] for part in right]
    slips = [
        (three[1], three[0], three[2], "parents and tokens are exchanged: place // V is the parent"),
        (three[0][::-1], three[1][::-1], three[2][::-1], "these are the right three, but the best must come first"),
        ([0, 2, 2], [1, 1, 0], None, "you divided by K = 2: a row of the flat array is V = 3 long, so place // V"),
        *((None, None, wrong, "these are the smallest: np.argsort puts them first, so sort the negative")
          for wrong in ([-4, -4, -3], [-4, -4], [-np.inf, -4, -4])),
        ([1, 0, 1], [2, 1, 1], None, "add each hypothesis's own score to its row before you compare"),
        ([0, 1], [1, 2], None, "hypothesis 1 has two good continuations: all six sums compete"),
        (three[0], three[1], None, "parents and tokens are right; a new score is the old one plus the new addend"),
    ]
    law = "two hypotheses, three tokens, beam 3: parents [0, 1, 1], tokens [1, 2, 1], scores [-2, -2.5, -3]"
    yield _steps(law, ask(beam_step, scores, log_p, 3), three, slips)
    four = [part[:4] for part in right]
    slips = [([0, 1, 1, 1], [1, 2, 1, 0], four[2], "two have -4, (parent 0, token 2) and (1, 0): the smaller parent "
              "comes first. Flatten (K, V) row by row and sort the negative stably; [::-1] turns equal ones round")]
    yield _steps("beam 4: of two equal ones the smaller parent", ask(beam_step, scores, log_p, 4), four, slips)
    slips = [([*right[0], 0], [*right[1], 0], None, "the sixth has the score -inf: probability 0, so drop it")]
    yield _steps("beam 6: five come back, the sixth is impossible", ask(beam_step, scores, log_p, 6), right, slips)
    slips = [([], [], [], "np.exp(-900) is 0: it is a score of -inf that is impossible, and -900 is not")]
    law = "a score of -800.5, one possible token of -900.25, beam 2: parents [0], tokens [1], scores [-1700.75]"
    reply = ask(beam_step, np.array([-800.5]), np.array([[-np.inf, -900.25, -np.inf]]), 2)
    yield _steps(law, reply, ([0], [1], [-1700.75]), slips)
    yield _many_equal(beam_step)


def _many_equal(beam_step):
    """Of 36 continuations many are equal: NumPy sorts up to 16 numbers stably in any case, and more only if told."""
    law = "four hypotheses, nine tokens, beam 24: equal ones by parent, then by token"
    places = sorted(range(36), key=lambda place: -MANY.flat[place])[:24]  # Python's sort is stable
    right = np.array(places) // 9, np.array(places) % 9, MANY.ravel()[places] - 1 / 3
    reply = ask(beam_step, np.full(4, -1 / 3), MANY, 24)
    got = _arrays(reply, 3)
    slips = [] if got is None or not laws.near(got[2], right[2]) else [
        (got[0], got[1], None, "the scores are right, equal ones are not in order: sort with kind=\"stable\"; without "
         "it, and with argpartition, the order of equal ones is left to chance in longer arrays")]
    return _steps(law, reply, right, slips)


@visible_check
def penalised(penalised):
    scores, lengths = np.array([-6.0, -6.0, -6.0, -9.0]), np.array([1, 4, 7, 13])
    reply = ask(penalised, scores, lengths, 1.0)
    floored = "// drops the fraction: the penalty of 4 tokens is 9 / 6 = 1.5, so divide with /"
    slips = [
        (scores / lengths, "this is the mean: the penalty is (5 + n) / 6, not n"),
        (scores * (5 + lengths) / 6, "divide by the penalty: scores are negative, so a product makes long ones worse"),
        (scores / (5 + lengths / 6), "brackets are missing: (5 + n) / 6"),
        (scores / (5 + lengths) / 6, "you divided by the 6 as well: put brackets around the whole penalty"),
        (scores / 3, "each score has its own length"),
        (scores / ((5 + lengths) // 6), floored),
        (scores // ((5 + lengths) / 6), "// drops the fraction of the result: divide with /"),
    ]
    law = "alpha 1, lengths 1, 4, 7, 13: the penalties are 1, 1.5, 2 and 3"
    yield laws.equals(law, reply, [-6.0, -4.0, -3.0, -3.0], slips=slips)
    reply = ask(penalised, scores, lengths, 2.0)
    slips = [
        ([-6.0, -4.0, -3.0, -3.0], "alpha has no effect: it is the exponent"),
        ([-3.0, -2.0, -1.5, -1.5], "alpha is an exponent, not a factor"),
        (scores / ((5 + lengths) ** 2 / 6), "the 6 belongs under the exponent too: ((5 + n) / 6) ** alpha"),
        (scores / ((5 + lengths) ** 2 // 6), floored),
    ]
    yield laws.equals("alpha 2: they are 1, 2.25, 4 and 9", reply, scores / [1, 2.25, 4, 9], slips=slips)
    reply = ask(penalised, scores, lengths, 0.0)
    yield laws.equals("alpha 0: the scores as they were", reply, scores)
    reply = ask(penalised, np.array([-900.7]), np.array([4]), 0.6)
    yield laws.equals("a single score, -900.7, alpha 0.6: an array of one", reply, [-900.7 / 1.5**0.6])


@visible_check
def beam_search(beam_search):
    table = table_of(ROWS)
    law = "a beam of 1 writes what greedy writes"
    yield _searches(law, beam_search, (table, 6, 1, 0.0), THE_CAT, math.log(P_CAT), [])
    slips = [
        (THE_CAT, None, "this is what greedy writes: carry two hypotheses from step to step"),
        (A_BIRD_SINGS, None, "the finished a bird END was lost: it stays, and is compared at the end"),
    ]
    law = "a beam of 2 finds a likelier text"
    yield _searches(law, beam_search, (table, 6, 2, 0.0), A_BIRD, math.log(P_BIRD), slips)
    slips = [
        (A_BIRD, None, "alpha has no effect on the choice, or the search stopped at the first that was finished"),
        (A_BIRD_SINGS, math.log(P_SINGS), "the tokens are right: return the penalised score"),
        (A_BIRD_SINGS, math.log(P_SINGS) / (10 / 6), "the tokens are right: the length is 4, without START"),
        (A_BIRD_SINGS, math.log(P_SINGS) / (8 / 6), "the tokens are right: the length is 4, END counts"),
        (A_BIRD_SINGS, math.log(P_SINGS) / 1.5**2, "the penalty was taken twice: take it once, at the end"),
        (A_BIRD_SINGS, math.log(P_BIRD) / 1.5, OWN_SCORE),
    ]
    law = "with alpha = 1 the best penalised score wins, and is returned"
    yield _searches(law, beam_search, (table, 6, 2, 1.0), A_BIRD_SINGS, math.log(P_SINGS) / 1.5, slips)
    law = "longest = 2, alpha = 0.6: none has finished, and the best live one is returned, with its penalty"
    yield _searches(law, beam_search, (table, 2, 2, 0.6), [A, BIRD], math.log(0.405) / (7 / 6) ** 0.6, [])
    law = "longest = 1, alpha = 0.6: one token, with the penalty 1"
    yield _searches(law, beam_search, (table, 1, 2, 0.6), [THE], math.log(0.55), [])
    slips = [([3, 5, END], None, "a finished hypothesis keeps its place: beam - finished are left for the others")]
    law = "a beam of 2 in which one finishes at once: the other has one place"
    yield _searches(law, beam_search, (table_of(FEW), 5, 2, 0.0), [3, 4, END], math.log(0.297), slips)
    yield from _leader(beam_search)
    yield from _live_and_equal(beam_search)
    even = table_of(LONG)
    yield _searches(A_LONG_TEXT, beam_search, (even, 250, 1, 0.0), [3] * 250, 250 * math.log(1 / 26), [])
    slips = [(wrong, None, "what follows depends on all that was written: give `following` all tokens, START once")
             for wrong in ([3, 5, END], [END])]
    yield _searches(Model.law, beam_search, (Model(), 6, 2, 0.0), [4, 5, END], math.log(0.36), slips)
    yield _searches(TWO, beam_search, (table_of_pairs(PAIRS), 5, 2, 0.0), [4, 3, END], math.log(0.4 * 0.9 * 0.95), [],
                    ALL_TOKENS)


def _leader(beam_search):
    """A search in which the best of the first step ends, and another one wins two steps later."""
    score = math.log(0.36 * 0.95 * 0.95)
    slips = [
        ([END], None, "the search stopped when the best had ended, or lost the others: go on while one is alive"),
        ([3, 5, END], math.log(0.40 * 0.95 * 0.95) / (8 / 6), OWN_SCORE),
        ([3, 5, END], score, "the tokens are right: return the penalised score"),
    ]
    law = "a beam of 2, alpha = 1: the best one ends at once, the other goes on with its own score and wins"
    yield _searches(law, beam_search, (table_of(LEADER), 6, 2, 1.0), [3, 5, END], score / (8 / 6), slips)


def _live_and_equal(beam_search):
    """Two searches that end with a hypothesis still alive beside a finished one: it wins, or is its equal."""
    slips = [
        ([END], None, "only finished ones were compared, or live ones without the penalty: at the end all are compared "
         "by their penalised scores"),
        ([3, 4], math.log(0.45), "a live one has the penalty of its own length too, here (7 / 6) ** 2"),
    ]
    law = "alpha = 2, one has finished, and the better one is still alive after `longest` tokens: it is returned"
    yield _searches(law, beam_search, (table_of(LIVE), 2, 2, 2.0), [3, 4], math.log(0.45) / (7 / 6) ** 2, slips)
    slips = [
        ([3, 3], None, "the equal finished one comes before it: first the finished, then the live ones"),
        ([3, 5], None, "of equal ones the first wins, as with argmax: compare with > and not with >="),
    ]
    law = "three have the same score at the end: the first wins, and finished ones come before live ones"
    yield _searches(law, beam_search, (table_of(EVEN), 2, 3, 0.0), [END], math.log(0.25), slips)


A_LONG_TEXT = "250 tokens, each one of 26: a score of -814.5"
TWO = "a table (V, V, V), in which what follows depends on the last two tokens"
OWN_SCORE = ("the tokens are right, with another one's score: when one has finished keep the scores of those that are "
             "alive, scores[np.array(tokens) != END]")
ALL_TOKENS = "ask `following` with all tokens, START among them"
ARRAYS = "`beam_step` and `penalised` expect arrays, not lists: convert with np.array before you call them"
EMPTY = "no live hypothesis was left: stop the loop as soon as there is none"
RAISED = {  # a piece of what Python or NumPy says, and what it means in this search
    "argmax of an empty": "nothing was left to compare at the end: those still alive count too, as they stand",
    "is empty": "nothing was left to compare at the end: those still alive count too, as they stand",
    "need at least one array": EMPTY,
    "not enough values to unpack": EMPTY,
    "not tuple": ARRAYS,
    "and 'list'": ARRAYS,
    "'list' object has no attribute": ARRAYS,
}


def _searches(law, beam_search, args, tokens, score, slips, advice=""):
    """What `_writes` says of a search, and a word to what it raises where that alone would not help."""
    reply = laws.asked(law, RAISED, beam_search, *args)
    got = _arrays(reply, 2)
    impossible = [] if got is None else [(got[0], None, said) for said in _impossible(got[0], *args[:2])]
    return _writes(law, reply, tokens, score, [*slips, *_search_slips(tokens), *impossible], advice)


def _impossible(tokens, table, longest):
    """Why no search can write these tokens: they are too many, something stands after END, or a step has probability 0.
    """
    if tokens.ndim != 1 or tokens.dtype.kind not in "iu" or not np.isin(tokens, range(table.shape[1])).all():
        return
    told = [START, *tokens.tolist()]
    if not isinstance(table, Model) and table.ndim == 2 and np.isneginf(table[told[:-1], told[1:]]).any():
        yield ("one of these steps has probability 0: do two continuations of one hypothesis share a list? append "
               "changes it for both, so make a new one, [*live[k], y]")
    if END in told[1:-1]:
        yield "something stands after END: a finished one is set aside and never continued"
    if len(tokens) > longest:
        yield f"{len(tokens)} tokens, and `longest` is {longest}: the loop runs at most `longest` times"


def _search_slips(right):
    return [
        ([1, *right], None, "START is what the model is told; it is not written, so leave it out"),
        (right[:-1], None, "the last token is missing"),
    ]


def _writes(law, reply, tokens, score, slips, advice=""):
    """Are these the tokens and the score? A slip is (tokens, score or None for any, advice)."""
    got = _arrays(reply, 2)
    if got is None:
        return Verdict(law, False, f"return two things, the tokens and their score; got {laws.kind(reply.value)}")
    inside = END in got[0].ravel()[:-1] and "something stands after END: stop as soon as END is written"
    more = advice and f": {advice}"
    hint = _said(got, slips) or inside or _beside(got, (tokens, score), ("tokens", "score")) + more
    return _ids(law, _agree(got, (tokens, score)), hint, got[:1])


def _steps(law, reply, right, slips):
    got = _arrays(reply, 3)
    if got is None:
        return Verdict(law, False, f"expected (parents, tokens, scores), got {laws.kind(reply.value)}")
    hint = _said(got, slips) or _beside(got, right, ("parents", "tokens", "scores"))
    return _ids(law, _agree(got, right), hint, got[:2])


def _ids(law, agrees, hint, ids):
    """A verdict, which asks of answers that agree that ids are whole numbers."""
    if agrees and not all(array.dtype.kind in "iu" for array in ids):
        return Verdict(law, False, "the numbers are right, but ids are whole numbers and floats came back: make an "
                       "array for ids with dtype=int, and divide with //")
    return Verdict(law, agrees, hint)


def _beside(got, right, names):
    """What was got, and of those results that are wrong what was expected."""
    pairs = [(name, one, np.asarray(other)) for name, one, other in zip(names, got, right, strict=True)
             if not _agree([one], [other])]
    return "; ".join(f"{name}: {_differ(one, other)}" for name, one, other in pairs)


def _differ(got, right):
    if got.shape == right.shape:
        return laws.beside(got, right)
    if right.ndim == 0:
        return f"expected a number, got an array of shape {got.shape}"
    if max(got.size, right.size) <= laws.SHOWN:
        return f"got {rounded(got)}, expected {rounded(right)}"
    return f"expected shape {right.shape}, got {got.shape}"


def _said(got, slips):
    """The advice that comes last in the first slip that agrees."""
    return next((advice for *wrong, advice in slips if _agree(got, wrong)), "")


def _agree(got, expected):
    """Are the parts of an answer what is expected, None standing for anything?"""
    return all(right is None or part.shape == np.shape(right) and laws.near(part, right)
               for part, right in zip(got, expected, strict=True))


def _arrays(reply, n):
    """The n results of a reply as arrays of numbers; None where it has another form."""
    value = reply.value
    if not isinstance(value, tuple | list) or len(value) != n:
        return None
    parts = [as_array(part) for part in value]
    return parts if all(part.dtype.kind in "iufb" for part in parts) else None
