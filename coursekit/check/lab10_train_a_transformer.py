"""The visible checks of lab 10. Each takes the student's function and states the laws that it should keep."""

import numpy as np

from coursekit.check import as_array, ask, laws, visible_check
from coursekit.verdicts import Verdict

TARGET = np.array([[7, 5, 9, 4], [6, 8, 0, 0]])  # (B, T) = (2, 4), padded with 0
SOURCE = np.array([[3, 4, 5], [6, 7, 0]])  # (B, S) = (2, 3)
TOLD = np.array([[1, 7, 5, 9], [1, 6, 0, 0]])  # (B, T) = (2, 4)
P = np.array([[[1, 2, 3, 4], [4, 3, 2, 1], [2, 2, 2, 4]], [[7, 1, 1, 1], [0.5, 0.5, 8, 1], [6, 2, 1, 1]]]) / 10
RAGGED = np.array([[1, 2, 3], [3, 0, 0]])  # (B, T) = (2, 3): three real tokens and one, out of V = 4
UNEVEN = np.log(np.array([[[1.0, 2.0, 3.0, 4.0]]]))  # p = 0.1, 0.2, 0.3, 0.4
UNEVEN_LOSS = -(0.8 * np.log(0.3) + 0.05 * np.log([0.1, 0.2, 0.3, 0.4]).sum())  # 2 wanted, epsilon 0.2


@visible_check
def shifted_targets(shifted_targets):
    law = "two arrays come back: told and wanted"
    out = "both arrays have T + 1 places, and the end stands in place n[b], n[b] being the number of tokens of row b"
    reply = laws.asked(law, {"out of bounds": out}, shifted_targets, TARGET, 1, 2)
    yield laws.count(law, reply, 2)
    told, wanted = reply.value
    right_told = [[1, 7, 5, 9, 4], [1, 6, 8, 0, 0]]
    right_wanted = [[7, 5, 9, 4, 2], [6, 8, 2, 0, 0]]
    advice = "told is the start and the target, without an end" if as_array(told).shape == (2, 6) else ""
    yield laws.shape("both have one place more than the target: (B, T + 1) = (2, 5)", told, (2, 5), advice)
    slips = [
        (right_wanted, "this is what is wanted: did you return wanted before told, or tell the answer?"),
        ([[1, 7, 5, 9, 4], [1, 6, 8, 2, 0]], "told holds an end: what has ended has nothing more to be told"),
        ([[7, 5, 9, 4, 0], [6, 8, 0, 0, 0]], "nothing is shifted: place 0 is the start, 1, and the target follows"),
    ]
    yield laws.equals("told is the start, 1, and then the target", told, right_told, slips=slips)
    slips = [
        ([[7, 5, 9, 4, 2], [6, 8, 0, 0, 2]], "the second row's end stands behind its padding: put it right after 8"),
        ([[7, 5, 9, 4, 0], [6, 8, 0, 0, 0]], "the end, 2, is missing"),
        ([[7, 5, 9, 2, 0], [6, 2, 0, 0, 0]], "the end stands one place too early, where each row's last token was"),
        *(([[7, 5, 9, 4, end], [6, 8, 0, 2, 0]], "the end stands one place too late: put it right after 8")
          for end in (0, 2)),
        ([[7, 5, 2, 4, 2], [6, 8, 2, 0, 2]], "that writes all places n into every row: wanted[np.arange(B), n] = end"),
        (right_told, "this is what is told: wanted stands one place further on"),
    ]
    yield laws.shape("wanted too has one place more: (2, 5)", wanted, (2, 5))
    yield laws.equals("wanted is the target, with the end, 2, after its last token", wanted, right_wanted, slips=slips)
    yield _whole("told is an array of whole numbers: ids, with which a table is read", told)
    yield _whole("wanted is one too", wanted)
    other = ask(shifted_targets, TARGET[1:, :3], 12, 11)
    yield laws.count("one row, other ids: two arrays", other, 2)
    advice = "take the ids of start and end from the arguments"
    yield laws.equals("a start of 12 is told first", other.value[0], [[12, 6, 8, 0]], advice)
    yield laws.equals("an end of 11 is wanted last", other.value[1], [[6, 8, 11, 0]], advice)
    empty = ask(shifted_targets, np.zeros((1, 2), int), 1, 2)
    yield laws.equals("a row without tokens is wanted as the end alone", laws.result(empty, 1), [[2, 0, 0]],
                      "its last token is none, so the end stands in place 0")


@visible_check
def attention_masks(attention_masks):
    reply = ask(attention_masks, SOURCE, TOLD)
    yield laws.count("three masks come back: encoder, decoder, cross", reply, 3)
    read, written = SOURCE != 0, TOLD != 0
    rights = (np.repeat(read[:, None], 3, axis=1), written[:, None] & np.tri(4, dtype=bool),
              np.repeat(read[:, None], 4, axis=1))
    names, asks = ("encoder", "decoder", "cross"), (read, written, written)
    for name, mask, right, axes, rows in zip(names, reply.value, rights, ("S, S", "T, T", "T, S"), asks, strict=True):
        of_told = name == "cross" and as_array(mask).shape == (2, 4, 4)
        advice = "it is made from told: the columns are the source's places, source != 0" if of_told else ""
        yield laws.shape(f"{name}: shape (B, {axes}) = {right.shape}", mask, right.shape, advice)
        yield _boolean(f"{name}: boolean, True where one may look", mask)
        yield laws.equals(_law_of(name), mask, right, _mask_advice(as_array(mask), right, rows, name))
    one = ask(attention_masks, np.array([[2]]), np.array([[1]]))
    for i, name in enumerate(names):
        law, mask = f"{name}: one sentence, one token each: the token is looked at, (1, 1, 1)", laws.result(one, i)
        yield laws.equals(law, mask, [[[True]]], "each id but 0 is a token, START = 1 and END = 2 as well")
    empty = ask(attention_masks, np.zeros((1, 2), int), TOLD[:1, :3])
    yield laws.count("a source without tokens: three masks", empty, 3)
    for name, mask, rows in (("encoder", empty.value[0], 2), ("cross", empty.value[2], 3)):
        law = f"{name}: in a source without tokens there is nothing to look at"
        advice = "no column is kept open for it: a row may be False everywhere"
        yield laws.equals(law, mask, np.zeros((1, rows, 2)), advice)


@visible_check
def learning_rate(learning_rate):
    first = ask(learning_rate, 200, 64, 400)
    falling = "that is the falling half: is the line step * warmup ** -1.5, and do you take the smaller of the two?"
    slips = [
        (64**-0.5 * 200**-0.5, falling),
        (200 * 400**-1.5, "the width has no effect: multiply by d_model ** -0.5"),
        (64**0.5 * 200 * 400**-1.5, "you multiplied by the root of d_model: the exponent is -0.5"),
        (64**-0.5 * 200 * 400**-0.5, "you have warmup ** -0.5: in the line it is warmup ** -1.5"),
        (64**-0.5 * 201 * 400**-1.5, "you added 1 to the step: the first step is 1 already"),
    ]
    yield laws.equals("width 64, warm-up 400, step 200: 200 / 8 / 8000 = 0.003125", first, 0.003125, slips=slips)
    top = ask(learning_rate, 400, 64, 400)
    yield laws.equals("at step 400 both halves meet: 1 / 8 / 20 = 0.00625", top, 0.00625)
    begin = ask(learning_rate, 1, 64, 400)
    advice = "the first step is 1: step * warmup ** -1.5 is 1 / 8000 there"
    yield laws.equals("at step 1 the line begins: 1 / 8 / 8000 = 0.000015625", begin, 0.000015625, advice)
    late = ask(learning_rate, 1600, 64, 400)
    slips = [
        (0.00625, "the rate stays at its peak: after the warm-up it falls"),
        (64**-0.5 * 1600 * 400**-1.5, "the line goes on: take the smaller of the two"),
        (0.00625 * np.exp(-3), "that falls exponentially: it is the inverse square root of the step"),
        (0.00625 * 400 / 1600, "that falls as 1 / step: it is the inverse square root"),
    ]
    yield laws.equals("at step 1600, four times as far, half of that: 0.003125", late, 0.003125, slips=slips)
    far = ask(learning_rate, 40000, 64, 400)
    yield laws.equals("at step 40000, a hundred times as far, a tenth: 0.000625", far, 0.000625, "it falls for ever")
    wide = ask(learning_rate, 400, 256, 400)
    advice = "the rate is multiplied by d_model ** -0.5"
    yield laws.equals("four times the width: half the rate", wide, 0.003125, advice)
    short = ask(learning_rate, 50, 64, 100)
    slips = [(64**-0.5 * 50 * 400**-1.5, "you wrote 400: take warmup from the argument")]
    yield laws.equals("a warm-up of 100 steps, step 50: 50 / 8 / 1000 = 0.00625", short, 0.00625, slips=slips)


@visible_check
def smoothed_cross_entropy(smoothed_cross_entropy):
    yield from _even_logits(smoothed_cross_entropy)
    yield from _uneven_row(smoothed_cross_entropy)
    yield from _ragged_batch(smoothed_cross_entropy)
    yield from _far_logits(smoothed_cross_entropy)


def _even_logits(smoothed_cross_entropy):
    reply = ask(smoothed_cross_entropy, np.zeros((2, 3, 4)), RAGGED, 0.1)
    yield laws.count("two results come back: loss and d_logits", reply, 2)
    loss, d_logits = reply.value
    even = np.log(4)
    exchanged = -(np.log(0.925) + 3 * np.log(0.025)) / 4
    slips = [(4 * even, "you added up: the loss is the mean over the real tokens"),
             (even / 4, "that is a mean over V: q sums to 1, so q log p is added up along V"),
             (even * 6 / 4, "padding is added in: leave out the places where 0 is wanted before you divide by four"),
             (exchanged, "p and q have changed places: it is -sum of q log p"),
             (even * 4 / 6, "you divided by B · T: there are four real tokens among the six places"),
             (-even, "the sign is turned"),
             (np.log(3), "each p is 1/3: the softmax runs along the tokens, the last axis, and not along the places"),
             (np.log(2), "each p is 1/2: the softmax runs along the tokens, the last axis, and not along the batch"),
             (0.975 * even, "q sums to 0.975: epsilon / V is for the wanted token too, on top of its 1 - epsilon"),
             (1.1 * even, "q sums to 1.1: the wanted token gets 1 - epsilon, and epsilon / V like all others")]
    law = "all logits 0, V = 4: every p is 1/4, so the loss is log 4, whatever epsilon"
    yield laws.equals(law, loss, even, slips=slips)
    yield laws.shape("d_logits has the shape of the logits", d_logits, (2, 3, 4))
    yield laws.equals("on padding the gradient is 0", as_array(d_logits)[1, 1:], np.zeros((2, 4)),
                      "leave out the places where 0 is wanted")
    row = np.array([0.25, 0.25 - 0.9, 0.25, 0.25]) - 0.025
    slips = [(4 * row / 4, "this is the gradient of the sum: divide by the number of real tokens, 4"),
             (row / 6, "you divided by 6, B · T or this row's 3 times B: divide by the four real tokens of the batch"),
             (-row / 4, "the sign is turned: it is p - q, not q - p"),
             (np.array([0.25 - 0.1 / 3, -0.65, 0.25 - 0.1 / 3, 0.25 - 0.1 / 3]) / 4,
              "your q is 0.9 and 0.1 / 3, epsilon over the other V - 1 tokens: here it goes to all V, as in PyTorch"),
             *((np.array([0.25, -0.65 - more, 0.25 - rest, 0.25 - rest]) / 4, "your q gives id 0 nothing: epsilon is "
                "spread over all V ids, that of padding too") for more, rest in [(0.1 / 3, 0.1 / 3), (0, 0.05)]),
             (np.zeros(4), "where 1 is wanted you left the place out: START and END are tokens, real is wanted != 0"),
             (np.array([0.25, -0.75, 0.25, 0.25]) / 4, "this is the gradient without smoothing: it is p - q")]
    first = as_array(d_logits)[0, 0]
    law = "where 1 is wanted it is (p - q) / 4, q being 0.925 there and 0.025 elsewhere"
    yield laws.equals(law, first, row / 4, slips=slips)


def _uneven_row(smoothed_cross_entropy):
    reply = ask(smoothed_cross_entropy, UNEVEN, np.array([[2]]), 0.2)
    others = -(0.8 * np.log(0.3) + 0.2 / 3 * np.log([0.1, 0.2, 0.4]).sum())
    loss = laws.result(reply, 0)
    slips = [(others, "you spread epsilon over the other V - 1 tokens: here it goes to all V, as in PyTorch"),
             (-np.log(0.3), "epsilon has no effect")]
    law = "p = 0.1, 0.2, 0.3, 0.4, token 2 wanted, epsilon 0.2: q is 0.85 there and 0.05 elsewhere"
    yield laws.equals(law, loss, UNEVEN_LOSS, slips=slips)
    slope = [[[0.05, 0.15, -0.55, 0.35]]]
    yield laws.equals("and one place of one sentence has the gradient p - q, (1, 1, 4)", laws.result(reply, 1), slope)
    best = ask(smoothed_cross_entropy, np.log([[[0.05, 0.05, 0.85, 0.05]]]), np.array([[2]]), 0.2)
    advice = "does something small stand beside epsilon, or inside a logarithm? Is all of it float64?"
    yield laws.equals("where p = q no gradient is left", laws.result(best, 1), np.zeros((1, 1, 4)), advice)
    sure = ask(smoothed_cross_entropy, np.array([[[0.0, 0.0, 1000.0, 0.0]]]), np.array([[2]]), 0.0)
    advice = "log p is z - log(sum(exp(z))), z less its largest, with nothing added"
    yield laws.equals("without smoothing, sure and right: the loss is 0", laws.result(sure, 0), 0.0, advice)


def _far_logits(smoothed_cross_entropy):
    for offset in (1000.0, -1000.0):
        far = ask(smoothed_cross_entropy, UNEVEN + offset, np.array([[2]]), 0.2)
        yield laws.equals(f"{offset:+g} on all logits changes nothing", laws.result(far, 0), UNEVEN_LOSS,
                          "exp overflows: subtract the largest logit of each row first, and take log p from that")
    apart = UNEVEN[:, [0, 0]] + [[[1000.0], [-1000.0]]]
    far = ask(smoothed_cross_entropy, apart, np.array([[2, 2]]), 0.2)
    advice = "subtract from each row its own largest logit, max(axis=-1, keepdims=True), not that of the array"
    yield laws.equals("nor does +1000 on one row and -1000 on the next", laws.result(far, 0), UNEVEN_LOSS, advice)
    wide = ask(smoothed_cross_entropy, np.array([[[1000.0, 0.0, -1000.0, 3.0]]]), np.array([[1]]), 0.2)
    loss = laws.result(wide, 0)
    law = "logits 1000, 0, -1000, 3 in one row, token 1 wanted: 0.85 · 1000 + 0.05 · (2000 + 997) = 999.85"
    advice = f"{laws.got(loss)}: exp(-1000) is 0, so log p is z - log(sum(exp(z))), never log(p)"
    yield laws.equals(law, loss, 999.85, advice)


def _ragged_batch(smoothed_cross_entropy):
    """Rows of different lengths and different p: who is in the mean, and with which share?"""
    reply = ask(smoothed_cross_entropy, np.log(P), RAGGED, 0.2)
    plain, even, real = -np.log(P[np.arange(2)[:, None], np.arange(3), RAGGED]), -np.log(P).mean(axis=-1), RAGGED != 0
    costs = 0.8 * plain + 0.2 * even  # (B, T)
    padded = "the epsilon part counts padding: leave it out there too"
    slips = [((costs[0].mean() + costs[1, 0]) / 2, "that is the mean of each row's own mean: every real token of the "
              "batch counts the same, so add all four up and divide by 4"),
             (0.8 * plain[real].mean() + 0.2 * even.mean(), padded),
             (0.8 * plain[real].mean() + 0.2 * even.sum() / 4, padded),
             (costs.mean(), "padding counts: leave out the places where 0 is wanted")]
    loss = laws.result(reply, 0)
    law = "rows of 3 and of 1 real tokens, uneven logits: the mean over all four"
    yield laws.equals(law, loss, costs[real].mean(), slips=slips)
    slope = (P - 0.8 * np.eye(4)[RAGGED] - 0.05) * real[..., None]
    d_logits = laws.result(reply, 1)
    slips = [(slope / [[[6]], [[2]]], "each row is divided by its own number of tokens: divide by the batch's, 4")]
    advice = "look at where 0 is wanted, and at the axis of the softmax"
    law = "and the gradient is (p - q) / 4 at those four, 0 elsewhere"
    yield laws.equals(law, d_logits, slope / 4, advice, slips)


@visible_check
def smoothing_floor(smoothing_floor):
    q, floor = np.array([0.85, 0.05, 0.05, 0.05]), ask(smoothing_floor, 4, 0.2)
    right = -(q * np.log(q)).sum()
    slips = [(-0.8 * np.log(0.8) - 0.2 * np.log(0.2 / 3), "that is the other convention: here q is 0.85 at one token"),
             (right / np.log(2), "the logarithm is the natural one"),
             (-0.8 * np.log(0.8) - 0.15 * np.log(0.05), "your q sums to 0.95: the wanted token gets epsilon / V too"),
             (-right, "the sign is turned"),
             (-0.85 * np.log(0.85), "the other three tokens belong to it"),
             (-0.85 * np.log(0.85) - 0.05 * np.log(0.05), "you counted one other token: there are three"),
             (-0.85 * np.log(0.85) - 0.2 * np.log(0.05), "you counted four other tokens: there are three"),
             (-np.log(0.85), "that is -log q of the wanted token: the others count as well")]
    yield laws.equals("epsilon = 0.2, four tokens: q is 0.85 once and 0.05 three times", floor, right, slips=slips)
    even = ask(smoothing_floor, 2, 1.0)
    yield laws.equals("epsilon = 1, two tokens: q is 1/2 and 1/2, and the floor is log 2", even, np.log(2),
                      f"{laws.got(even)}, which is not the entropy of 1/2 and 1/2")
    few = ask(smoothing_floor, 50000, 1e-6)
    wanted, other = 1 - 1e-6 + 2e-11, 2e-11
    right = -wanted * np.log(wanted) - 49999 * other * np.log(other)
    slips = [(-wanted * np.log(wanted) - 49999 * other * np.log(other + small), "nothing is added inside a logarithm")
             for small in (1e-12, 1e-10, 1e-9, 1e-8)]
    yield laws.equals("epsilon = 0.000001, 50000 tokens: the same formula", few, right, slips=slips)
    none = ask(smoothing_floor, 4, 0.0)
    yield laws.equals("epsilon = 0: the floor is 0", none, 0.0, "0 · log 0 counts as 0: do not take log of 0")


# What a verdict needs


def _law_of(name):
    return {
        "encoder": "encoder: every place may look at every real token of its own source",
        "decoder": "decoder: place i may look at the real tokens up to i, its own included",
        "cross": "cross: every place of the target may look at every real token of the source",
    }[name]


def _mask_advice(mask, right, asks, name):
    if mask.shape != right.shape:
        return f"expected shape {right.shape}, got {mask.shape}"
    if (mask == ~right).all():
        return "upside down: True means may look"
    square = right.shape[1] == right.shape[2]
    slips = [
        *(_causal_slips(right, asks[:, None]) if name == "decoder" else []),
        (np.swapaxes(right, 1, 2) if square else ~right, "rows and columns are exchanged: rows ask, columns are seen"),
        (right & asks[:, :, None], "rows of padding stay as they are: hide the columns of padding alone"),
        (right & np.tri(*right.shape[1:], k=-1, dtype=bool), "place i may look at its own token too: the diagonal"),
        (right & np.tri(*right.shape[1:], dtype=bool), "it is causal, and need not be: the source is there as a whole"),
        (np.ones_like(right), "padding is seen: where id 0 stands there is no token"),
        (np.broadcast_to(np.tri(*right.shape[1:], dtype=bool), right.shape), "padding is seen: id 0 is no token"),
    ]
    hits = [advice for value, advice in slips if not (value == right).all() and (mask == value).all()]
    wrong = next(iter(np.argwhere(mask != right)), None)
    said = "" if wrong is None else f"place {wrong[1]} of sentence {wrong[0]} and token {wrong[2]}: it should be "
    return hits[0] if hits else said + ("" if wrong is None else str(bool(right[tuple(wrong)])))


def _causal_slips(right, seen):
    """What goes wrong where padding and the causal half meet; seen (B, 1, T) is what is no padding."""
    lower = np.tri(right.shape[1], dtype=bool)
    started = right & (np.arange(right.shape[2]) > 0)
    return [(started, "START is hidden: START and END are tokens, only id 0 is padding, told != 0"),
            (np.broadcast_to(seen, right.shape), "it sees the future: place i may look at j <= i only"),
            (seen & lower.T, "the triangle is upside down: row i may look at columns up to i, the lower one, np.tri"),
            (seen & ~lower, "the triangle is upside down: row i may look at columns up to i, the lower one, np.tri"),
            (seen | lower, "both must hold, no padding and j <= i: join them by & and not by |")]


def _boolean(law, mask):
    got = as_array(mask)
    said = ("~ and & do not work on 1 and 0 as they do on True and False; compare, told != 0, and join by &"
            if np.isin(got, (0, 1)).all() else "a mask to be added is another thing")
    return Verdict(law, got.dtype == bool, f"expected True and False, got {got.dtype}: {said}")


def _whole(law, ids):
    got = as_array(ids)
    if not isinstance(ids, np.ndarray):
        return Verdict(law, False, f"got one {type(ids).__name__}: make an array of it, np.array(...)")
    advice = f"got {got.dtype}, which cannot index: np.zeros and np.full make ids with dtype=int"
    return Verdict(law, got.dtype.kind in "iu", advice)
