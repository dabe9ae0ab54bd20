"""The visible checks of lab 13. Each takes the student's function and states the laws that it should keep."""

import itertools
import math

import numpy as np

from coursekit.check import as_array, ask, laws, rounded, visible_check
from coursekit.check.lab11_decoding import LONG, Model, table_of
from coursekit.tasks.tokens import END
from coursekit.verdicts import Verdict

INF = np.inf
ALONG = "new keys and values stand behind the old ones along the tokens, axis 2 of (B, H, tokens, width)"
AXES = "mask (B, P + T) is about keys, for all heads and queries: mask[:, None, None, :] is (B, 1, 1, P + T)"
FOLLOWING = "ask following(table, tokens), with all tokens: table[tokens[-1]] knows only tables that look at one"
THREE = "an entry of the logits has three indices, [b, t, id]: the text, the position, the token"
TOO_OFTEN = "what the draft says too often is not missing: draw from max(p - q, 0), which is never below 0"
SOFTMAX = "filtered logits are no longer log-probabilities: take softmax, which subtracts the largest, not np.exp"
HIGHER = ('of equals the lower ids are kept: np.argsort(-logits, kind="stable") leaves them in their order; without '
          "kind it may not, and [::-1] behind a sort turns them round")
PLACES = "these are the right logits in wrong places: each belongs in that of its own token, so undo the sorting"
RANKS = "so many are left, but others: what is True of the places in a sorted row must be brought back to the tokens"
P = np.array([0.1, 0.4, 0.05, 0.3, 0.15])  # what five tokens have, in the order of their ids


# next_token_loss


@visible_check
def next_token_loss(next_token_loss):
    yield from _by_hand(next_token_loss)
    yield from _padded(next_token_loss)
    yield from _few_targets(next_token_loss)
    advice = "NumPy counts negative ids from the end and says nothing: look at ids.min() and ids.max(), of all"
    for law, bad, counts in [
        ("an id 5 among five tokens raises ValueError", [0, 5], True),
        ("an id -1 raises ValueError", [0, -1], True),
        ("an id 5 as the first of a row raises ValueError", [5, 0], True),
        ("an id -1 whose target does not count raises ValueError", [0, -1], False),
    ]:
        args = np.zeros((1, 2, 5)), np.array([bad]), np.full((1, 2), counts)
        yield laws.refuses(law, next_token_loss, args, ["ids"], advice)


def _by_hand(next_token_loss):
    """Three positions, three tokens; the first says 1/4 of its target, the second 3/4, and nobody asks the third."""
    p = np.array([[[0.5, 0.25, 0.25], [0.125, 0.125, 0.75], [0.2, 0.4, 0.4]]])
    logits, ids, mask = np.log(8 * p), np.array([[0, 1, 2]]), np.ones((1, 3), bool)
    law = "it returns loss (), d_logits (1, 3, 3)"
    reply = laws.asked(law, {"out of bounds": THREE}, next_token_loss, logits, ids, mask)
    yield laws.results(reply, {"loss": (), "d_logits": (1, 3, 3)}, law=law)
    loss, d_logits = reply.value
    slips = [
        (math.log(2 * 8 * 2.5) / 3, "each position was judged on its own token: position t is judged on ids t + 1"),
        (math.log(4 * 4 / 3 * 5) / 3, "the last position was judged, too: nothing follows it"),
        (math.log(16 / 3), "this is the sum: the mean over two targets is half of it"),
        (-math.log(16 / 3) / 2, "the sign is wrong: the loss is minus the mean of the log-probabilities"),
        *((wrong, "you shifted twice: position t is judged on ids t + 1, not t + 2")
          for wrong in (math.log(4), math.log(4) / 2)),
        *((wrong, "only the last target was judged: each position says what comes next, and the mean is over both")
          for wrong in (math.log(4 / 3), math.log(4 / 3) / 2)),
        (math.log(2.5), "the last position alone was judged, on its own token: position t is judged on ids t + 1"),
        *((wrong, "the softmax runs over the tokens of the vocabulary, axis=-1")
          for wrong in (math.log(2) / 2, math.log(3.1 * 1.4 / 0.75) / 2)),
        (0.0, "along axis 0, the batch, there is one row alone: shift along the positions, axis 1, and take the "
         "softmax over the tokens, axis=-1"),
        (math.log(16 / 3) / 3, "there are two targets, not three: the first token of a row is none"),
        (math.log(8 * 2.5) / 2, "you shifted the wrong way: position t says what comes at t + 1"),
    ]
    yield laws.equals("ids 0, 1, 2: the loss is (log 4 + log 4/3) / 2", loss, math.log(16 / 3) / 2, slips=slips)
    right = np.array([[[0.25, -0.375, 0.125], [0.0625, 0.0625, -0.125], [0, 0, 0]]])
    slips = [
        (2 * right, "the gradient is that of the sum: divide it by the number of targets, as the loss is"),
        (-right, "the sign is wrong: softmax minus 1 at the target"),
        (np.roll(right, 1, axis=1), "the gradient stands a position too late: it belongs to the logits that spoke"),
        (p / 2 * [[[1], [1], [0]]], "the targets are not subtracted: softmax minus 1 at the target"),
        (right[:, :2], "the last position has a gradient, too, which is 0"),
    ]
    yield laws.equals("d_logits is (softmax - one-hot) / 2, and 0 at the last position", d_logits, right, slips=slips)


def _padded(next_token_loss):
    """Two rows of different lengths, in which id 0 is a token like any other; and central differences."""
    (logits,) = laws.random(1, (2, 4, 5))
    ids, mask = np.array([[2, 4, 0, 1], [3, 0, 0, 0]]), np.array([[True] * 4, [False, True, False, False]])
    log_p = logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))
    costs = [-log_p[0, 0, 4], -log_p[0, 1, 0], -log_p[0, 2, 1], -log_p[1, 0, 0]]
    mixed = "rows are mixed up: text b has its own logits and its own targets, so index with b as well as with t"
    reply = ask(next_token_loss, logits, ids, mask)
    yield laws.results(reply, {"loss": (), "d_logits": (2, 4, 5)}, "a batch of two: it returns ")
    slips = [
        ((sum(costs[:3]) / 3 + costs[3]) / 2, "this is the mean of the rows' means: each target counts alike"),
        (sum(costs) / 6, "you divided by all positions: four targets count"),
        (sum(costs) / 5, "you counted the first token of the first row: nothing says it, so count mask[:, 1:]"),
        ((costs[0] + costs[2]) / 2, "id 0 was taken for padding: the mask alone says what counts"),
        ((sum(costs[:3]) - log_p[1, 1, 0]) / 4, "mask[b, t] says whether token t is a target: it goes with ids[:, 1:], "
         "so mask[:, 1:], not mask[:, :-1]"),
        *((wrong, mixed) for wrong in (
            (sum(costs[:3]) - log_p[1, 0, 4]) / 4,
            (sum(costs) - log_p[1, 0, 4] - log_p[1, 1, 0] - log_p[1, 2, 1] - log_p[0, 0, 0]) / 4)),
        (sum(costs[:3]) / 3, "a target counts where the mask is True at it, whatever the mask is at the token before"),
    ]
    advice = "four targets count, three in the first row and one in the second, and each of them alike"
    yield laws.equals("padding costs nothing; the mean is that of four targets", reply.value[0], sum(costs) / 4, advice,
                      slips)

    def loss():
        return ask(next_token_loss, logits, ids, mask).value[0]

    of_any_row = np.exp(log_p) - np.eye(5)[ids[:, [1, 2, 3, 3]]].max(axis=0)
    counts = np.append(mask[:, 1:], [[False], [False]], axis=1)[..., None]
    advice = laws.slip(reply.value[1], [(of_any_row * counts / 4, mixed)],
                       "and is it 0 where the target does not count, and at the last position?")
    yield laws.slope("d_logits is the slope of the loss", loss, logits, reply.value[1], advice)
    idle = as_array(reply.value[1])[1, 1:]
    yield Verdict("where no target counts the gradient is exactly 0", not idle.any(), f"got {rounded(idle)}")


def _few_targets(next_token_loss):
    """A row without targets, a batch without any, a single position, and logits that lie far apart."""
    far = np.array([[[900.0, 0.0], [0.0, 0.0]]])
    reply = ask(next_token_loss, far, np.array([[0, 1]]), np.ones((1, 2), bool))
    advice = f"got {reply.value[0]}: take log_softmax of the logits, not the logarithm of a probability"
    yield Verdict("a target 900 below the other costs 900", laws.near(reply.value[0], 900.0), advice)
    yield laws.equals("and its gradient is [1, -1], then 0", reply.value[1], [[[1.0, -1.0], [0.0, 0.0]]])
    (logits,) = laws.random(2, (2, 3, 4))
    ids, mask = np.array([[1, 2, 3], [0, 3, 2]]), np.array([[True, False, False], [False, False, True]])
    loss = -logits[1, 1, 2] + np.log(np.exp(logits[1, 1]).sum())
    advice = "one target counts, id 2 in the second row: the rows are not averaged first"
    yield laws.equals("a row without targets", ask(next_token_loss, logits, ids, mask).value[0], loss, advice)
    for law, size in [("no target counts", 3), ("rows of one token: no target at all", 1)]:
        reply = ask(next_token_loss, logits[:, :size], ids[:, :size], np.zeros((2, size), bool))
        advice = "their number is 0, so divide by max(number, 1)"
        yield laws.equals(f"{law}: the loss is 0", reply.value[0], 0.0, advice)
        yield laws.equals("and so is the gradient", reply.value[1], np.zeros((2, size, 4)), advice)


# filter_logits


@visible_check
def filter_logits(filter_logits):
    logits = np.log(P)
    yield _keeps("temperature 1, top_k = V, top_p = 1: nothing changes", filter_logits, (logits, 1.0, 5, 1.0), logits)
    slips = [(logits / 2, "divide by the temperature: a low one sets the logits farther apart")]
    yield _keeps("temperature 0.5: all logits are doubled", filter_logits, (logits, 0.5, 5, 1.0), 2 * logits, slips)
    yield _keeps("temperature 0.8", filter_logits, (logits, 0.8, 5, 1.0), logits / 0.8)
    yield from _one_filter(filter_logits, logits)
    yield from _ties(filter_logits)
    yield from _ends_of_the_range(filter_logits)
    rows = np.log([P, P[::-1], [0.6, 0.1, 0.1, 0.1, 0.1]])
    right = [_only(rows[0], [1, 3]), _only(rows[1], [1, 3]), _only(rows[2], [0])]
    yield _keeps("three rows: each is a distribution of its own", filter_logits, (rows, 1.0, 4, 0.5), right)
    deep = np.stack([rows, rows[::-1]])
    yield _keeps("two axes in front: (2, 3, 5)", filter_logits, (deep, 1.0, 4, 0.5), [right, right[::-1]])
    for what, settings in [("temperature", (-1.0, 2, 0.5)), ("top_k", (1.0, 0, 0.5)), ("top_p", (1.0, 2, 1.5)),
                           ("top_p", (1.0, 2, -0.1)), ("top_k", (0.0, 0, 0.5)), ("top_p", (0.0, 2, 1.5))]:
        law = f"temperature, top_k, top_p = {settings}: {what} raises ValueError"
        yield laws.refuses(law, filter_logits, (logits, *settings), [what], "this is no distribution to draw from")


def _one_filter(filter_logits, logits):
    """top_k, top_p, and what the order of the three decides."""
    slips = [(np.where(logits > np.log(0.2), logits, 0.0), "removed tokens are 0: exp(0) is 1, so make them -np.inf"),
             (_only(logits, [1]), "two tokens are kept, not one"),
             (_only(logits, [1, 3, 4]), "three are kept, not two: places are counted from 0, so keep those < top_k")]
    yield _keeps("top_k = 2 keeps tokens 1 and 3, -inf for the rest", filter_logits, (logits, 1.0, 2, 1.0),
                 _only(logits, [1, 3]), slips)
    slips = [(_only(logits, [1]), "the token that crosses top_p is kept: 0.4 is not yet 0.5, and with 0.3 more it is"),
             (_only(logits, [1, 3, 4]), "one too many: with token 3 the sum has reached 0.5")]
    yield _keeps("top_p = 0.5 keeps tokens 1 and 3, which have 0.4 and 0.3", filter_logits, (logits, 1.0, 5, 0.5),
                 _only(logits, [1, 3]), slips)
    even = np.zeros(4)
    slips = [(_only(even, [0, 1, 2]), "before token 2 the sum is 0.5, which is not below 0.5: compare with <, not <=")]
    yield _keeps("top_p = 0.5 of four equal logits keeps tokens 0 and 1", filter_logits, (even, 1.0, 4, 0.5),
                 _only(even, [0, 1]), slips)
    slips = [(_only(logits, [1, 3, 4]), "top_p is a share of what top_k left: 0.4 / 0.85 and 0.3 / 0.85 reach 0.8")]
    yield _keeps("top_k = 3, then top_p = 0.8 of what is left", filter_logits, (logits, 1.0, 3, 0.8),
                 _only(logits, [1, 3]), slips)
    slips = [(_only(logits / 2, [1, 3]), "the temperature comes first: it makes the distribution flatter, and more "
              "tokens are needed to reach top_p")]
    yield _keeps("temperature 2, then top_p = 0.65: three are needed", filter_logits, (logits, 2.0, 5, 0.65),
                 _only(logits / 2, [1, 3, 4]), slips)


def _ties(filter_logits):
    """Of equals the lower ids; more than 16 of them, since NumPy sorts shorter arrays stably in any case."""
    even = np.array([1.0, 2.0, 2.0, 0.0, 2.0])
    slips = [(_only(even, [1, 2, 4]), "three are left: exactly top_k are kept, of equals the lower ids"),
             (_only(even, [2, 4]), HIGHER)]
    yield _keeps("of three equals top_k = 2 keeps those with the lower ids", filter_logits, (even, 1.0, 2, 1.0),
                 _only(even, [1, 2]), slips)
    many = np.arange(60) * 7 % 11 // 2 / 4
    right = sorted(range(60), key=lambda i: (-many[i], i))[:25]
    yield _keeps("among 60 tokens, of which many are equal, the first 25", filter_logits, (many, 1.0, 25, 1.0),
                 _only(many, right))
    law = "and for top_p = 0.24 among 24 equal ones, the first six"
    yield _keeps(law, filter_logits, (np.zeros(24), 1.0, 24, 0.24), _only(np.zeros(24), range(6)))


def _ends_of_the_range(filter_logits):
    """Temperature 0, top_p of 1 and 0, a top_k beyond V, a single token."""
    best = np.array([[1.0, 3.0, 3.0], [5.0, -2.0, 4.0]])
    right = [[-INF, 3.0, -INF], [5.0, -INF, -INF]]
    advice = "keep the first of the largest and its logit, and divide by nothing"
    yield _keeps("temperature 0 keeps the first of the largest of each row, as it is", filter_logits,
                 (best, 0.0, 3, 1.0), right, advice=advice)
    yield _keeps("whatever top_k and top_p are", filter_logits, (best, 0.0, 2, 0.9), right, advice=advice)
    far = np.array([[0.0, -50.0, -2000.0]])
    advice = "the sum before the second token is 1.0 by rounding, which is not below top_p: ask for top_p == 1, too"
    yield _keeps("top_p = 1 removes nothing, not even a logit of -50 beside 0", filter_logits, (far, 1.0, 3, 1.0), far,
                 advice=advice)
    yield _keeps("but top_k = 2 does", filter_logits, (far, 1.0, 2, 1.0), [[0.0, -50.0, -INF]])
    law = "top_p = 0 keeps the likeliest, with which the sum crosses it"
    yield _keeps(law, filter_logits, (np.log(P), 1.0, 5, 0.0), _only(np.log(P), [1]), advice="one token always stays")
    yield _keeps("a top_k beyond V removes nothing", filter_logits, (np.log(P), 1.0, 9, 1.0), np.log(P))
    yield _keeps("what is -inf already stays so", filter_logits, (np.array([0.0, -INF, 1.0]), 1.0, 3, 1.0),
                 [0.0, -INF, 1.0])
    yield _keeps("a vocabulary of one", filter_logits, (np.array([[0.5]]), 0.5, 1, 0.3), [[1.0]])


def _only(logits, ids):
    """These logits with -inf in all other places of the last axis."""
    return np.where(np.isin(np.arange(np.shape(logits)[-1]), list(ids)), logits, -INF)


def _keeps(law, filter_logits, args, expected, slips=(), advice=""):
    """Are these the logits, -inf where a token is removed?"""
    got, expected = as_array(ask(filter_logits, *args).value), np.asarray(expected)
    if got.dtype.kind not in "fiu" or got.shape != expected.shape:
        return Verdict(law, False, f"expected an array of numbers of shape {expected.shape}, got {laws.kind(got)}")
    said = next((said for wrong, said in [*slips, *_forms(expected)] if _same(got, wrong)), "")
    said = said or _not_removed(got, expected, *args[:2]) or _others(got, expected, *args[:2])
    return Verdict(law, _same(got, expected), said or f"got {rounded(got)}" + (advice and f": {advice}"))


def _forms(logits):
    """These logits in another form, with what to say of it."""
    lower = logits - np.max(logits, axis=-1, keepdims=True)
    log_p = lower - np.log(np.exp(lower).sum(axis=-1, keepdims=True))
    return [(np.exp(log_p), "these are probabilities: return logits, the softmax comes later"),
            (log_p, "these are log-probabilities: return the logits themselves, divided by the temperature alone")]


def _others(got, expected, logits, temperature):
    """What to say where as many tokens are left as should be, but others, or not in their own places; else ""."""
    left = np.isfinite(got)
    if not np.array_equal(left.sum(axis=-1), np.isfinite(expected).sum(axis=-1)):
        return ""
    stayed, alike = _same(got, np.where(left, logits / (temperature or 1), -INF)), _same(*map(np.sort, (got, expected)))
    return {(True, True): HIGHER, (False, True): PLACES, (True, False): RANKS}.get((stayed, alike), "")


def _not_removed(got, expected, logits, temperature):
    """What to say where some token should have been removed and none is -inf; else ""."""
    if not np.isfinite(got).all() or np.isfinite(expected).all():
        return ""
    if laws.near(got, logits / (temperature or 1)):
        return "no token was removed: all logits are still there"
    left = np.isfinite(expected)
    said = "a removed token gets -np.inf: any other number has a probability"
    return said if laws.near(got[left], expected[left]) else ""


def _same(got, expected):
    """The same numbers, and -inf in the same places."""
    gone = np.isneginf(expected)
    shown = np.where(gone, 0.0, expected)
    return np.shape(got) == np.shape(expected) and np.array_equal(np.isneginf(got), gone) and laws.near(
        np.where(gone, 0.0, got), shown)


# sample


@visible_check
def sample(sample):
    p = np.array([0.125, 0.0, 0.625, 0.25])
    for u, token, said in [
        (0.05, 0, "the first stretch is [0, 0.125)"),
        (0.5, 2, "the stretch of token 2 is [0.125, 0.75)"),
        (0.9, 3, "the last stretch is [0.75, 1)"),
        (0.0, 0, "a stretch holds its own start"),
        (0.125, 2, "0.125 is where token 2 begins; token 1 has a stretch of width 0, and is never drawn"),
        (0.75, 3, "0.75 is where token 3 begins: count the ends that are at most u"),
    ]:
        yield _draws(f"probabilities {p}, u = {u}: token {token}", ask(sample, p, u), token, said)
    row = np.array([0.3, 0.4, 0.3 - 3e-7, 0.0], np.float32)
    said = "the sums end just below 1, and the last token has a probability of 0: divide them by their own last"
    yield _draws("a sum of 0.9999997 and a u between it and 1: token 2", ask(sample, row, 0.9999999), 2, said)
    yield _draws("a sum of 2, by which all are divided: u = 0.6 draws token 1", ask(sample, np.array([1.0, 1.0]), 0.6),
                 1, "divide the running sums by their own last")
    said = "in float32 the largest u below 1 is rounded to 1: compare in float64, as with np.float64(u)"
    yield _draws("a float32 row, and the largest u below 1: token 2", ask(sample, row, 1 - 2**-53), 2, said)
    many = np.append(np.full(300, 1 / 300), 0.0)
    said = ("their running sums end below 1, even if the probabilities are divided by their sum first: divide the "
            "running sums by their own last")
    yield _draws("300 tokens of 1/300, one of 0, and the largest u below 1: token 299",
                 ask(sample, many, np.nextafter(1, 0)), 299, said)
    last = np.array([0.0, 0.0, 1.0])
    yield _draws("all of it on the last token", ask(sample, last, 0.4), 2, "tokens 0 and 1 have none")
    yield _draws("a single token", ask(sample, np.array([1.0]), 0.4), 0, "token 0 has all of [0, 1)")
    for law, args, word, advice in [
        ("u = 1 raises ValueError", (p, 1.0), "u", "the line ends before 1"),
        ("u = -0.1 raises ValueError", (p, -0.1), "u", "the line begins at 0"),
        ("a negative probability raises ValueError", (np.array([0.5, -0.5, 1.0]), 0.2), "probabilities",
         "no stretch has a width below 0"),
        ("probabilities that are all 0 raise ValueError", (np.zeros(3), 0.2), "probabilities",
         "there is no stretch to fall into"),
        ("a single probability of 0, too", (np.zeros(1), 0.2), "probabilities", "there is no stretch to fall into"),
    ]:
        yield laws.refuses(law, sample, args, [word], advice)


def _draws(law, reply, token, said):
    """Is this the token, as a whole number?"""
    slips = [(wrong, f"got {wrong}: {said}") for wrong in (token + 1, token + 2)]  # no matter of digits
    verdict = laws.equals(law, reply, token, f"got {reply.value}: {said}", slips)
    if verdict.passed and as_array(reply.value).dtype.kind not in "iu":
        return Verdict(law, False, f"a token is a whole number, got {type(reply.value).__name__}")
    return verdict


# attend_with_cache


@visible_check
def attend_with_cache(attend_with_cache):
    yield from _one_more(attend_with_cache)
    q, k, v = laws.random(3, (2, 3, 5, 4), (2, 3, 5, 4), (2, 3, 5, 2))
    whole = _looked(q, k, v)
    yield from _attends("five tokens at once, no cache", attend_with_cache, (q, k, v, None), whole, k, v)
    yield from _cut(attend_with_cache, q, k, v, whole)
    yield from _hidden(attend_with_cache, q, k, v)
    yield _alone(attend_with_cache)
    yield from _large(attend_with_cache, q, k, v)
    yield laws.refuses("a cache of another batch raises ValueError", attend_with_cache,
                       (q, k, v, (k[:1], v[:1])), [], "compare the sizes; np.concatenate does")


def _one_more(attend):
    """One head, width 1: the second token's scores are 2 log 3 and 0, so its weights are 9 : 1."""
    old, new = np.array([[[[2.0]]]]), np.array([[[[0.0]]]])
    cache = old, np.array([[[[10.0, 0.0]]]])
    args = np.array([[[[math.log(3.0)]]]]), new, np.array([[[[0.0, 20.0]]]]), cache
    law = "one new token behind a cached one: it returns the output and a pair, (keys, values)"
    reply = laws.asked(law, {"core dimension": ALONG}, attend, *args)
    yield _form(law, reply)
    apart = np.array([[10.0, 0.0], [0.0, 20.0]])
    slips = [(apart.reshape(1, 2, 1, 2), f"the new ones became heads: {ALONG}"),
             (apart.reshape(2, 1, 1, 2), f"the new ones became texts: {ALONG}"),
             ([[[[0.0, 0.0]]]], "it sees nothing: True in a mask says that one may look, not that something is hidden"),
             ([[[[0.0, 20.0]]]], "it looks at itself alone: the cached keys and values stand before its own"),
             ([[[[10.0, 0.0]]]], "it looks at the cached token alone: a token looks at itself, too, and the causal "
              "mask lies in the lower right corner")]
    yield laws.equals("weights 9/10 and 1/10: the output is [9, 2]", reply.value[0], [[[[9.0, 2.0]]]], slips=slips)
    yield from _caches(reply, np.concatenate([old, new], axis=2), np.array([[[[10.0, 0.0], [0.0, 20.0]]]]))


def _cut(attend, q, k, v, whole):
    """The same five tokens in two calls, wherever they are cut, and one by one."""
    law = "cached equals uncached: five tokens cut after 1, 2, 3 or 4 of them, and one by one"
    for cuts in [[1], [2], [3], [4], [1, 2, 3, 4]]:
        outputs, cache = [], None
        for part in zip(*(np.split(each, cuts, axis=2) for each in (q, k, v)), strict=True):
            reply = ask(attend, *part, cache)
            if not _form(law, reply).passed:
                yield _form(law, reply)
                return
            outputs.append(reply.value[0])
            cache = tuple(map(as_array, reply.value[1]))
        advice = (f"cut after {', '.join(map(str, cuts))} it differs: query i of a call stands at position P + i, so "
                  "that the causal mask lies in the lower right corner of (T, P + T)")
        if not laws.near(np.concatenate(outputs, axis=2), whole):
            yield Verdict(law, False, advice)
            return
    yield Verdict(law, True)


def _hidden(attend, q, k, v):
    """Padding in front, which sees nothing; holes, one in the past and one among the new."""
    mask = np.array([[False, False, True, True, True], [True] * 5])
    law = "padding in front: what stands behind it is what it is alone"
    got = as_array(laws.asked(law, {"broadcast": AXES}, attend, q, k, v, None, mask).value[0])
    advice = "nobody looks at padding: mask[b, j] is about the key at j, for all heads and queries of text b"
    slips = [(_looked(q, k, v, *seen)[:1, :, 2:], said) for said, *seen in [
        ("with a mask attention stays causal, too", mask, 5),
        ("it looks at the padding: the mask hides keys, along the last axis, mask[:, None, None, :]", None),
        ("your mask is the wrong way round: True says that a real token stands there, which one may look at", ~mask),
        ("it took the first tokens for the real ones: padding may stand in front, so take the mask as it is",
         np.arange(5) < mask.sum(axis=1, keepdims=True)),
        ("padding moves nothing: query i stands at position P + i, whatever padding stands in front", mask, -2),
        ("a key may be seen where the mask and the causal mask both say so: join them by &, not by |", None, 5)]]
    yield laws.equals(law, got[:1, :, 2:], _looked(q, k, v, mask)[:1, :, 2:], advice, slips)
    yield laws.equals("a query that may look nowhere gets exactly 0", got[0, :, :2], np.zeros((3, 2, 2)),
                      _of_nowhere(got[0, :, :2], v[0]))
    yield laws.equals("and the other text is as it was", got[1], _looked(q, k, v)[1], advice)
    first, second = ask(attend, q[:, :, :2], k[:, :, :2], v[:, :, :2], None), np.array(
        [[True, False, True, False, True], [True, True, True, True, False]])
    if _form("a cache for the next call", first).passed:
        later = ask(attend, q[:, :, 2:], k[:, :, 2:], v[:, :, 2:], tuple(map(as_array, first.value[1])), second)
        advice = "the mask has P + T columns, the cached tokens in front"
        right = _looked(q, k, v, second)[:, :, 2:]
        said = "a padded token's own query still looks: the mask is about keys only"
        front = np.arange(5) >= (~second).sum(axis=1, keepdims=True)
        slips = [(right * second[:, None, 2:, None], said),
                 (_looked(q, k, v, front)[:, :, 2:], "it took the last tokens for the real ones: padding may stand "
                  "anywhere, so take the mask as it is")]
        yield laws.equals("holes in the past and among the new", later.value[0], right, advice, slips)
        yield from _caches(later, k, v)


def _of_nowhere(got, v):
    """What to say of the outputs (H, n, e) of queries that may look nowhere, where they are not 0."""
    if np.isnan(got).any():
        return "it is nan, which is 0 / 0: a softmax of -inf alone. Let scaled_dot_product_attention do the masking"
    if laws.near(got, np.broadcast_to(v.mean(axis=1, keepdims=True), got.shape)):
        return "it is the mean of all values: what is hidden has a score of -inf, not of some large negative number"
    return "it still sees something: a key may be seen where the mask and the causal mask both say so, joined by &"


def _alone(attend):
    """All sizes are 1."""
    one = np.ones((1, 1, 1, 1))
    reply = ask(attend, one, one, 3 * one, None, np.array([[True]]))
    return laws.equals("one text, one head, one token, widths of 1", laws.result(reply, 0), 3 * one)


def _large(attend, q, k, v):
    """Scores and values in the hundreds, and more."""
    reply = ask(attend, 300 * q[:, :, 1:], k[:, :, 1:], 500 * v[:, :, 1:], (k[:, :, :1], 500 * v[:, :, :1]))
    scores = np.where(np.tri(5, dtype=bool), 300 * q @ k.swapaxes(2, 3) / 2, -INF)                  # d = 4
    powers = np.exp(scores - scores.max(axis=-1, keepdims=True))
    right = (powers / powers.sum(axis=-1, keepdims=True) @ (500 * v))[:, :, 1:]
    yield laws.equals("large scores and values", laws.result(reply, 0), right)
    yield from _caches(reply, k, 500 * v)


def _attends(law, attend, args, output, keys, values):
    reply = ask(attend, *args)
    yield _form(f"{law}: it returns the output and the pair (keys, values)", reply)
    q, k, v, _ = args
    slips = [(_looked(q, k, v, ahead=5), "a token looks at later ones: among the new ones attention is causal"),
             (_looked(q, k, v, ahead=1), "a token looks one ahead: query i looks at keys up to its own, j <= P + i"),
             (_looked(q, k, v, ahead=-1), "a token does not look at itself: j <= P + i holds its own key, too"),
             (_looked(2 * q, k, v), "the scores are not divided by √d"),
             (_looked(2**0.5 * q, k, v), "the scores are divided by √e: d, the width of queries and keys, is meant")]
    yield laws.equals("each looks at itself and what stands before", reply.value[0], output,
                      "by scores over √d, softmax, values: scaled_dot_product_attention does that", slips)
    yield from _caches(reply, keys, values)


def _form(law, reply):
    """An output, and a pair."""
    pair = laws.parts(reply.value, 2)
    return Verdict(law, bool(pair and laws.parts(pair[1], 2)), f"got {laws.kind(reply.value)}")


def _caches(reply, keys, values):
    cache = laws.result(reply, 1)
    got = as_array(laws.result(cache, 0))
    zeroed = np.where(got == 0, 0.0, keys) if got.shape == keys.shape else keys
    slips = [(values, "keys and values are exchanged"),
             (zeroed, "some keys are 0: keys and values are kept as they came, those of padding too")]
    advice = "old ones in front, new ones behind: np.concatenate([old, new], axis=2)"
    yield laws.equals("the cache holds all keys, the new behind the old", laws.result(cache, 0), keys, advice, slips)
    yield laws.equals("and all values", laws.result(cache, 1), values, advice)


def _looked(q, k, v, mask=None, ahead=0):
    """Causal attention, a query at a time; or with queries that look so many tokens ahead."""
    output = np.zeros(v.shape)
    for b, h, i in np.ndindex(q.shape[:3]):
        seen = [j for j in range(min(i + 1 + ahead, len(k[b, h]))) if mask is None or mask[b, j]]
        powers = np.exp(k[b, h, seen] @ q[b, h, i] / math.sqrt(q.shape[-1]))
        output[b, h, i] = powers @ v[b, h, seen] / max(powers.sum(), 1e-300)
    return output


# generate


@visible_check
def generate(generate):
    table = table_of([{}, {3: 0.5, 4: 0.5}, {3: 1.0}, {4: 0.75, END: 0.25}, {5: 0.5, 3: 0.25, END: 0.25}, {END: 1.0}])
    u = np.array([0.3, 0.6, 0.4, 0.2, 0.9])
    yield _again(generate)
    slips = [
        ([END], "np.exp came before the filter: log-probabilities are logits, so filter them as they are"),
        ([1, 3, 4, 3, END], "START is what the model is told; it is not written, so leave it out"),
        ([3, 4, 3], "END is a token like any other: it is written"),
        ([3, 4, 5, END], "this is the likeliest each time: draw one with the uniform"),
        *((wrong, "you wrote on after END: stop as soon as it is written")
          for wrong in ([3, 4, 3, END, 3], [3, 4, 3, END, END])),
        *((wrong, "the same uniform drew each token: each has its own, in their order")
          for wrong in ([3, 4, 3, 4, 3], [4, 5, END])),
    ]
    law = "no prompt, uniforms 0.3, 0.6, 0.4, 0.2, 0.9: tokens 3, 4, 3, END, and the last uniform is not needed"
    yield _writes(law, ask(generate, table, [], u, 1.0, 6, 1.0), [3, 4, 3, END], slips)
    slips = [([3, 4, 5, END], "the prompt is not written again: return what follows it"),
             ([3, 4, 3, END], "the prompt had no effect: it stands behind START, before what is written")]
    yield _writes("after the prompt [3]: 4, 5, END", ask(generate, table, [3], u, 1.0, 6, 1.0), [4, 5, END], slips)
    for near, right in [(0.24999, [END]), (0.25001, [4])]:
        law = f"after [3] END has the stretch [0, 0.25): a single uniform, {near}, writes {right}"
        yield _writes(law, ask(generate, table, [3], np.array([near]), 1.0, 6, 1.0), right, [])
    yield _writes("two uniforms: two tokens", ask(generate, table, [], u[:2], 1.0, 6, 1.0), [3, 4], [])
    yield _writes("one uniform: one token", ask(generate, table, [], u[:1], 1.0, 6, 1.0), [3], [])
    slips = [([3, 4, 3, END], "filter what `following` says, before you draw")]
    for law, settings in [("top_k = 1 takes the likeliest", (1.0, 1, 1.0)), ("so does top_p = 0", (1.0, 6, 0.0)),
                          ("and temperature 0", (0.0, 6, 1.0))]:
        yield _writes(f"{law}: 3, 4, 5, END", ask(generate, table, [], u, *settings), [3, 4, 5, END], slips)
    yield from _by_settings(generate)
    yield from _after_two(generate)
    law = "ids outside the vocabulary raise ValueError, from `following`"
    yield laws.refuses(law, generate, (table, [6], u, 1.0, 6, 1.0), [], "ask `following` with all tokens")
    slips = [(wrong, "what follows depends on all that stands before: give `following` all tokens, START first")
             for wrong in ([END], [3, END])]
    yield _writes(Model.law, ask(generate, Model(), [3], np.array([0.5, 0.5, 0.5]), 1.0, 6, 1.0), [5, 3, END], slips)


def _again(generate):
    """Twice the same call, which writes any of 26 words, thirty times."""
    once, again = (ask(generate, table_of(LONG), [], np.linspace(0.01, 0.99, 30), 1.0, 29, 1.0).value for _ in range(2))
    advice = "draw with the uniforms that you are given: random numbers of your own are others at each call"
    return Verdict("the same uniforms write the same text", np.array_equal(as_array(once), as_array(again)), advice)


def _by_settings(generate):
    """Always the tokens 3, 4, 5, 6 with 0.4, 0.3, 0.2, 0.1, and uniforms close to where their stretches end."""
    table = table_of([{3: 0.4, 4: 0.3, 5: 0.2, 6: 0.1}] * 7)
    divided, ignored = "filter_logits has divided by it already", "give filter_logits the one that you are given"
    for settings, u, right, slips in [
        ((2.0, 7, 1.0), [0.31, 0.36, 0.45], [3, 4, 4], [
            ([3, 3, 4], f"the temperature has no effect: {ignored}"),
            ([3, 3, 3], "this is what a temperature of 1/2 writes: a high one makes the tokens more alike"),
            ([4, 4, 4], f"the temperature acts twice: {divided}")]),
        ((1.0, 2, 1.0), [0.5, 0.95], [3, 4], [([4, 6], f"top_k has no effect: {ignored}")]),
        ((1.0, 7, 0.8), [0.42, 0.95], [3, 5], [([4, 6], f"top_p has no effect: {ignored}")]),
        ((0.5, 2, 0.7), [0.6, 0.95], [3, 4], [([3, 3], f"the temperature acts twice: {divided}")]),
        ((2.0, 3, 0.7), [0.5, 0.6, 0.95], [3, 4, 4], []),
        ((0.001, 7, 1.0), [0.95, 0.5], [3, 3], []),
    ]:
        law = f"3, 4, 5, 6 have 0.4, 0.3, 0.2, 0.1; temperature, top_k, top_p = {settings}, uniforms {u}: {right}"
        reply = laws.asked(law, {"": SOFTMAX}, generate, table, [], np.array(u), *settings)
        yield _writes(law, reply, right, slips)


def _after_two(generate):
    """What follows depends on two tokens: after 3 comes 4, but 5 where 4 stood before it, and END where 3 did."""
    p = np.zeros((6, 6, 6))
    p[..., END] = 1.0
    for before, last, token in [(1, 3, 4), (3, 4, 3), (4, 3, 5)]:
        p[before, last] = np.eye(6)[token]
    with np.errstate(divide="ignore"):
        table = np.log(p)
    for prompt, tokens, wrong, said in [
        ([3], [4, 3, 5, END], [4, END], "give `following` all tokens: START, the prompt, and what was written"),
        ([4, 3], [5, END], [3, 5, END], "the prompt comes in the order that it has, behind START"),
        ([3, 3], [END], [4, 3, 5, END], "the prompt has token 3 twice: give `following` both"),
    ]:
        law = f"a table that looks at two tokens: after {prompt} {'come' if tokens[1:] else 'comes'} {tokens}"
        reply = laws.asked(law, {"": FOLLOWING}, generate, table, prompt, np.full(6, 0.5), 1.0, 6, 1.0)
        yield _writes(law, reply, tokens, [(wrong, said)])


def _writes(law, reply, tokens, slips):
    got = as_array(reply.value)
    if got.ndim != 1 or got.dtype.kind not in "iu":
        return Verdict(law, False, f"expected tokens (n,), whole numbers, got {laws.kind(reply.value)}")
    said = next((said for wrong, said in slips if got.tolist() == list(wrong)), f"got tokens {got.tolist()}")
    return Verdict(law, got.tolist() == list(tokens), said)


# speculative_step


@visible_check
def speculative_step(speculative_step):
    p, q = np.array([0.25, 0.375, 0.375]), np.array([0.5, 0.25, 0.25])
    for args, right, said in [
        ((1, 0.9, 0.5), (1, True), "p[1] / q[1] is 3/2: such a draft is accepted always"),
        ((0, 0.4999, 0.5), (0, True), "p[0] / q[0] is 1/2, and u = 0.4999 is below it"),
        ((0, 0.6, 0.2), (1, False), "u = 0.6 is above 1/2; what is missing is max(p - q, 0) = [0, 1/8, 1/8], of which "
                                    "v = 0.2, and not u once more, draws token 1"),
        ((0, 0.6, 0.7), (2, False), "v = 0.7 draws token 2 of [0, 1/2, 1/2]: divide max(p - q, 0) by its sum"),
        ((0, 0.5, 0.1), (1, False), "u q[draft] = p[draft] is not below it: rejected"),
    ]:
        draft, u, v = args
        law = f"p = {p}, q = {q}, draft {draft}, u = {u}, v = {v}: {right}"
        yield _steps(law, speculative_step, (p, q, *args), right, said)
    none = np.array([0.0, 0.5, 0.5])
    yield _steps("what p never writes is rejected, even at u = 0", speculative_step, (none, q, 0, 0.0, 0.9), (2, False),
                 "0 < 0 does not hold: compare with <")
    p_2, q_2 = np.array([0.3, 0.7]), np.array([0.6, 0.4])
    for u, right in [(0.49995, (0, True)), (0.50004, (1, False))]:
        law = f"p = {p_2}, q = {q_2}, draft 0, u = {u}: {right}"
        yield _steps(law, speculative_step, (p_2, q_2, 0, u, 0.5), right, "p[0] / q[0] is 1/2: round nothing")
    yield _steps("p = q: every draft is accepted", speculative_step, (q, q, 2, 0.999, 0.0), (2, True), "q / q is 1")
    nearly = (1 - 3e-7) * p, (1 + 3e-7) * q
    for law, pair in [("sums that are 1 but for rounding", nearly), ("p of sum 1.0005, q of sum 0.9995: both may be",
                                                                     (1.0005 * p, 0.9995 * q))]:
        yield _steps(law, speculative_step, (*pair, 1, 0.9, 0.5), (1, True), "allow what rounding leaves: 0.001")
    yield _steps("a vocabulary of one", speculative_step, (np.ones(1), np.ones(1), 0, 0.9, 0.5), (0, True), "p = q")
    yield _distributed(speculative_step, p, q)
    for other in ([0.3, 0.2, 0.5], [0.2, 0.5, 0.3]):
        yield _in_proportion(speculative_step, np.array([0.5, 0.3, 0.2]), np.array(other))
    advice = "where max(p - q, 0) is 0 everywhere there is nothing to draw from: accept the draft"
    digit = np.array([np.nextafter(0.25, 0), 0.75]), np.array([0.25, 0.75]), 0, 1 - 2**-53, 0.5
    yield _steps("p is q but for the last digit, and u the largest below 1: the draft is accepted",
                 speculative_step, digit, (0, True), advice, advice)
    for law, args, word, advice in [
        ("a draft that q cannot have drawn raises ValueError", (p, none, 0, 0.1, 0.5), "draft", "q[0] is 0"),
        ("a draft of -1 raises ValueError", (p, q, -1, 0.1, 0.5), "draft", "NumPy counts from the end"),
        ("a draft of 3, of three tokens, raises ValueError", (p, q, 3, 0.1, 0.5), "draft", "the last token is 2"),
        *((f"p of sum {a} and q of sum {b} raise ValueError", (a * p, b * q, 0, 0.1, 0.5), "sum",
           "what does not sum to 1 is no distribution, and the result would not be distributed as p")
          for a, b in [(0.5, 1), (2, 1), (1, 0.5), (1, 2), (1.0015, 1), (1, 0.9985)]),
    ]:
        yield laws.refuses(law, speculative_step, args, [word], advice)


def _distributed(speculative_step, p, q):
    """Over all drafts, and 8 by 8 pairs of uniforms that stand for [0, 1) exactly here, what comes out is p."""
    found, grid = np.zeros(len(p)), (np.arange(8) + 0.5) / 8
    for draft, u, v in itertools.product(range(len(p)), grid, grid):
        token, _ = ask(speculative_step, p, q, draft, u, v).value
        found[token] += q[draft] / 64
    advice = f"it is {rounded(found)}: a draft is accepted with p / q, and what is missing is drawn from max(p - q, 0)"
    return Verdict(f"over all drafts and uniforms the tokens are distributed as p = {p}", laws.near(found, p), advice)


def _in_proportion(speculative_step, p, q):
    """Drafts that are rejected at u = 0.99, each with 30 uniforms v: how often does each token come instead?"""
    law = f"p = {p}, q = {q}: after a rejection each token comes in proportion to what it lacks, p - q"
    lacking = (p - q).clip(0)
    right = (30 * lacking / lacking.sum()).round().astype(int).tolist()
    for draft in np.flatnonzero(p < 0.9 * q).tolist():
        tokens = [ask(speculative_step, p, q, draft, 0.99, (i + 0.5) / 30).value[0] for i in range(30)]
        found = [tokens.count(token) for token in range(len(p))]
        if found != right:
            return Verdict(law, False, f"of 30 draws after draft {draft} they come {found} times, expected {right}")
    return Verdict(law, True)


def _steps(law, speculative_step, args, right, said, raised=TOO_OFTEN):
    value = laws.asked(law, {"probabilities": raised}, speculative_step, *args).value
    pair = laws.parts(value, 2)
    if not pair or any(as_array(each).ndim or as_array(each).dtype.kind not in "iub" for each in pair):
        return Verdict(law, False, f"expected a token, a whole number, and True or False, got {laws.kind(value)}")
    if as_array(pair[0]).dtype.kind == "b":
        return Verdict(law, False, f"got {pair[0]}, {pair[1]}: the token comes first, then whether it was accepted")
    return Verdict(law, (int(pair[0]), bool(pair[1])) == right, f"got {int(pair[0])}, {bool(pair[1])}: {said}")
