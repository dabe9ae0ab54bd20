"""The visible checks of lab 18. Each takes the student's function and states the laws that it should keep.

What is expected is worked out in plain loops, head by head and number by number.
"""

import itertools
import math

import numpy as np

from coursekit.check import as_array, ask, laws, visible_check
from coursekit.verdicts import Verdict

TOKENS = "all axes in front count tokens: probabilities.reshape(-1, E).mean(axis=0)"
ANY_WORDS = []  # of a refusal: in whatever words
HALF = math.log(0.5)
AXES = dict.fromkeys(("broadcast", "mismatch"), (
    "where does None stand? A step's key and its decay lie along the rows of the state, (B, G, d, 1), its value along "
    "the columns, (B, G, 1, e), and its beta is one number for all, (B, G, 1, 1)"))


def _all(law, verdicts):
    """One law for several verdicts. The first of them that does not hold speaks for itself."""
    return next((verdict for verdict in verdicts if not verdict.passed), Verdict(law, True))


# linear_attention


@visible_check
def linear_attention(linear_attention):
    key, value = np.array([[[[2.0, 1.0]] * 2]]), np.array([[[[2.0], [24.0]]]])
    decay, beta = np.array([[[[2 * HALF] * 2, [HALF, 0.0]]]]), np.array([[[[1.0], [0.5]]]])
    query = np.array([[[[1.0, 0.0]] * 2]])
    reply = ask(linear_attention, *(each.repeat(2, axis=2)[:, :, :3] for each in (query, key, value)))
    yield laws.results(reply, {"output": (1, 1, 3, 1), "state": (1, 1, 2, 1)}, "three steps: it returns ")
    for rule, given, right, slips in [
        ("linear", (None, None), (52, 26), [
            (4, 48, "the second write took the place of the first: add it to the state"),
            (4, 26, "you took a mean: the state is a sum")]),
        ("gated", (decay, None), (50, 26), [
            (4, 52, "the decay has no effect"), (1, 24.5, "you wrote first: let the state fade, then write"),
            (4, 49, "the decay comes a step late: that of step t acts before the write of step t"),
            (4, 56, "the sign is turned round: np.exp(decay)"),
            (4, 48 + 4 * HALF, "decay is a logarithm: multiply by np.exp(decay)")]),
        ("delta", (None, beta), (18, 9), [
            (4, 28, "nothing is taken off: write beta (v - k^T S)"),
            (4, 32, "beta has no effect, or that of the step before"),
            (4, 42, "beta multiplies the whole difference, v as well: beta (v - k^T S)"),
            (4, 8, "beta multiplies v alone: it multiplies the whole difference"),
            (4, 38, "you added k^T S to v: it is taken off"),
            (4, 24, "you compared under q: take off what the state says under k, k^T S"),
            (4, 26, "only what stands under k is taken off, k^T S as it is, not beta of the whole state"),
            (0.8, 5.2, "you divided by k^T k: nothing is divided, whatever the length of k")]),
        ("gated_delta", (decay, beta), (20, 11), [
            (4, 16, "you compared v with the state before it faded: fade, then compare"),
            (1, 11.25, "you wrote first: fade, then compare, then write"), (4, 18, "the decay has no effect"),
            (4, 21, "all rows fade alike: each row of the state fades by its own entry of decay"),
            (4, 22.5, "the decay comes a step late: that of step t acts before the write of step t"),
            (4, 38, "beta has no effect, or that of the step before"),
            (4, 44, "beta multiplies the whole difference, v as well: beta (v - k^T S)"),
            (4, 24 - 4 * HALF, "decay is a logarithm: multiply by np.exp(decay)")]),
    ]:
        law = f"{rule}: 2 is written under (2, 1), then 24 under the same key: (1, 0) reads 4, then {right[0]}"
        reply = laws.asked(law, AXES, linear_attention, query, key, value, None, *given, rule)
        slips = [(np.reshape(each, (1, 1, 2, 1)), said) for *each, said in [
            *slips, (0, 4, "you read before you wrote: a step sees its own write"),
            (0, 2, "you read before you wrote: a step sees its own write"),
            (4 / 2**0.5, right[0] / 2**0.5, "you divided by the root of d: nothing is scaled here"),
            (right[0], right[0], "you read the last state at each step: read as soon as it is written"),
            (*right, "this is the state: return output, state, in this order")]]
        slips += [(_by_hand(query + 1, key + 1, value, None, *given)[0],
                   "you applied elu + 1: a feature map is the caller's"),
                  (_by_hand(query, key / 5**0.5, value, None, *given)[0],
                   "you brought the keys to length 1: take them as they are")]
        yield laws.equals(law, laws.result(reply, 0), [[[[4], [right[0]]]]], slips=slips)
        slips = [([[[[50], [25]]]], "all rows fade alike: each row of the state fades by its own entry of decay"),
                 ([[[[4], [2]]]], "this is the state after the first step")]
        law = f"and the state that is handed on is {right[0]} and {right[1]}"
        yield laws.equals(law, laws.result(reply, 1), [[[[right[0]], [right[1]]]]],
                          "return the state after the last step, (B, G, d, e)", slips)
    for H, G in [(3, 3), (6, 2), (4, 1)]:
        law = f"a batch, H = {H} and G = {G}, from a state: all four rules"
        yield _all(law, _many_heads(linear_attention, H, G))
    yield from _on_and_on(linear_attention)
    for law, sizes in [("a single step, one sequence", (1, 4, 2, 1, 3, 4)), ("widths of one", (2, 2, 2, 4, 1, 1)),
                       ("one decay for all rows of the state, (B, G, T, 1)", (2, 4, 2, 4, 3, 3))]:
        yield _all(f"{law}: all four rules", _odd_sizes(linear_attention, law, sizes))
    yield from _large(linear_attention)
    yield _all("each rule refuses a decay or beta that it does not use, and the lack of one that it needs", _unused(
        linear_attention))
    yield from _refusals(linear_attention)


def _many_heads(linear_attention, H, G):
    """A batch with these heads and groups, by each rule."""
    q, k, v, state, decay, beta = _drawn(2, H, G, 5, 3, 4)
    for rule, given in _rules(decay, beta).items():
        law = f"{rule}: a batch, H = {H} and G = {G}"
        reply = laws.asked(law, AXES, linear_attention, q, k, v, state, *given, rule)
        yield laws.results(reply, {"output": (2, H, 5, 4), "state": (2, G, 3, 4)}, f"{law}: ")
        right = _by_hand(q, k, v, state, *given)
        slips = [(_by_hand(q, k, v, state, *given, tiled=True)[0],
                  f"head n read group n % {G}: it is n // {H // G}; np.repeat does that, np.tile does not"),
                 (_by_hand(q, k, v, 0 * state, *given)[0], "the outputs do not know of the given state: begin with it"),
                 (right[0] / 3**0.5, "you divided by the root of d: nothing is scaled here")]
        unit = k / (k**2).sum(axis=-1)[..., None] ** 0.5
        slips += [(_by_hand(q, unit, v, state, *given)[0], "take the keys as they are, whatever their length")]
        if given[0] is not None:
            slips += [(_by_hand(q, k, v, state, decay.mean(axis=-1)[..., None], given[1])[0],
                       "all rows fade alike: decay has d entries a step, one for each row of the state")]
        advice = ("by hand it was right, so look at the axes: one decay for each row of the state, k and v of group "
                  "n // (H // G), q of head n")
        yield laws.equals(law, laws.result(reply, 0), right[0], advice, slips)
        yield laws.equals(f"{law}: the state", laws.result(reply, 1), right[1], advice)


def _on_and_on(linear_attention):
    """Cut anywhere, and go on from the state."""
    q, k, v, _, decay, beta = _drawn(2, 4, 2, 5, 3, 2)
    whole = ask(linear_attention, q, k, v, None, decay, beta, "gated_delta").value
    right = as_array(laws.result(whole, 0))
    for cut in (1, 3):
        first, second = ([x[:, :, part] for x in (q, k, v, decay, beta)] for part in (slice(cut), slice(cut, None)))
        state = as_array(laws.result(ask(linear_attention, *first[:3], None, *first[3:], "gated_delta"), 1))
        reply = ask(linear_attention, *second[:3], state, *second[3:], "gated_delta")
        yield laws.equals(f"cut after {cut} of 5 steps, with the state handed on: the same outputs", laws.result(
            reply, 0), right[:, :, cut:], "does it begin with the state that it is given?")
        yield laws.equals("and the same state", laws.result(reply, 1), as_array(laws.result(whole, 1)))
    keys, values = np.eye(4)[None, None, [0, 1, 2, 0, 1]], laws.random(7, (1, 1, 5, 3))[0]
    ones = np.ones((1, 1, 5, 1))
    reply = ask(linear_attention, keys, keys, values, None, None, ones, "delta")
    law = "delta, unit keys, beta = 1: what was written last is read, exactly"
    yield laws.equals(law, laws.result(reply, 0), values)


def _odd_sizes(linear_attention, law, sizes):
    """One decay for all rows, by each rule."""
    q, k, v, state, decay, beta = _drawn(*sizes)
    for rule, given in _rules(decay[..., :1], beta).items():
        reply, right = ask(linear_attention, q, k, v, state, *given, rule), _by_hand(q, k, v, state, *given)
        yield laws.equals(f"{rule}: {law}", laws.result(reply, 0), right[0])
        yield laws.equals(f"{rule}: {law}: the state", laws.result(reply, 1), right[1])


def _large(linear_attention):
    q, k, v, state, decay, beta = _drawn(2, 2, 1, 3, 3, 2)
    reply = ask(linear_attention, q, k, 1000 * v, 1000 * state, decay, 2 * beta, "gated_delta")
    right = _by_hand(q, k, v, state, decay, 2 * beta)
    cut = 1000 * _by_hand(q, k, v, state, decay, np.minimum(2 * beta, 1))[0]
    slips = [(cut, "beta may be above 1: cut nothing off")]
    yield laws.equals("values of a thousand, beta up to 2", laws.result(reply, 0), 1000 * right[0], slips=slips)
    yield laws.equals("and their state", laws.result(reply, 1), 1000 * right[1])


def _unused(linear_attention):
    q, k, v, state, decay, beta = _drawn(2, 4, 2, 3, 3, 2)
    for rule, (needs_decay, needs_beta) in _rules(True, True).items():
        args = [q, k, v, state, decay if needs_decay else None, beta if needs_beta else None, rule]
        for place, name, needed in [(4, "decay", needs_decay), (5, "beta", needs_beta)]:
            other = [*args[:place], None if needed else (decay, beta)[place - 4], *args[place + 1:]]
            law = f"rule {rule!r} {'without' if needed else 'with'} {name} raises ValueError"
            yield laws.refuses(law, linear_attention, other, ANY_WORDS,
                               f"the rule {'needs' if needed else 'does not use'} it: look before you begin")


def _refusals(linear_attention):
    q, k, v, state, *_ = _drawn(2, 4, 2, 3, 3, 2)
    args = q, k, v, state, None, None, "softmax"
    yield laws.refuses("rule 'softmax' raises ValueError", linear_attention, args, ANY_WORDS, "there are four rules")
    for H, G in [(3, 2), (2, 4), (1, 3)]:
        q, k, v, *_ = _drawn(2, H, G, 3, 3, 2)
        yield laws.refuses(f"H = {H} and G = {G} raise ValueError", linear_attention, (q, k, v), ANY_WORDS,
                           "G does not divide H")


def _drawn(B, H, G, T, d, e):
    """q, k, v, state, decay, beta."""
    q, k, v, state, fades, share = laws.random(3, (B, H, T, d), (B, G, T, d), (B, G, T, e), (B, G, d, e), (B, G, T, d),
                                               (B, G, T, 1))
    return q, k / d**0.5, v, state, -np.abs(fades), 1 / (1 + np.exp(-share))


def _rules(decay, beta):
    """{rule: (its decay or None, its beta or None)}."""
    return {"linear": (None, None), "gated": (decay, None), "delta": (None, beta), "gated_delta": (decay, beta)}


def _by_hand(q, k, v, state=None, decay=None, beta=None, tiled=False):
    """Output and state, one head and one step after the other; `tiled` groups are a known slip."""
    (B, H, T, d), G, e = q.shape, k.shape[1], v.shape[-1]
    last, output = np.zeros((B, G, d, e)) if state is None else state.copy(), np.zeros((B, H, T, e))
    for b, t in np.ndindex(B, T):
        for g in range(G):
            M, new = last[b, g], v[b, g, t]
            if decay is not None:
                M = np.array([row * math.exp(c) for row, c in zip(M, np.broadcast_to(decay[b, g, t], d), strict=True)])
            if beta is not None:
                new = float(beta[b, g, t, 0]) * (new - k[b, g, t] @ M)
            last[b, g] = M + np.outer(k[b, g, t], new)
        for n in range(H):
            output[b, n, t] = q[b, n, t] @ last[b, n % G if tiled else n // (H // G)]
    return output, last


# linear_attention_parallel


@visible_check
def linear_attention_parallel(linear_attention_parallel):
    q, k, v = np.ones((1, 1, 3, 1)), np.ones((1, 1, 3, 1)), np.array([1.0, 10.0, 100.0]).reshape(1, 1, 3, 1)
    decay = np.array([math.log(0.25), HALF, math.log(0.1)]).reshape(1, 1, 3, 1)
    reply, faded = ask(linear_attention_parallel, q, k, v), ask(linear_attention_parallel, q, k, v, decay)
    yield laws.results(reply, {"output": (1, 1, 3, 1)}, "three steps: it returns ", advice="the output alone, no tuple")
    for law, answer, right, wrong in [
        ("keys and queries of 1, values 1, 10, 100: 1, 11, 111", reply, [1, 11, 111], [
            ([111, 110, 100], "the mask is turned round: step t sees s <= t, np.tri"),
            ([111, 111, 111], "each step sees all others: it sees itself and those before"),
            ([0, 1, 11], "a step does not see itself: the diagonal belongs to the mask"),
            ([1, 5.5, 37], "you divided by the sum of the weights: nothing is normalised here"),
            ([-np.inf, -np.inf, 111], "there is no softmax here: a product that is hidden becomes 0, not -inf")]),
        ("decays of 1/4, 1/2, 1/10: 1, 10.5, 101.05", faded, [1, 10.5, 101.05], [
            ([1, 11, 111], "the decay has no effect"),
            ([0.25, 5.125, 10.5125], "a write fades by its own step's decay: it counts from the next step on"),
            ([1, 10.5, 101.1], "only the last decay counts: the first value faded by 1/2 and by 1/10"),
            ([1, 12, 220], "the sign is turned round: exp(c_t - c_s), c of the later step first"),
            ([1, 12, 102.4], "add up the decays along the steps first: c = np.cumsum(decay, axis=2)"),
            (_times(decay), "logarithms add up: np.cumsum, not np.cumprod"),
            ([1, 10.25, 105.125], "c_t holds g_t, too: do not take a step's own decay off the sum")]),
    ]:
        slips = [(np.reshape(each, (1, 1, 3, 1)), said) for each, said in wrong]
        yield laws.equals(law, answer, np.reshape(right, (1, 1, 3, 1)), slips=slips)
    for H, G in [(3, 3), (6, 2), (4, 1)]:
        q, k, v, _, fades, _ = _drawn(2, H, G, 5, 3, 4)
        all_q, all_k, all_v = q, *(each.repeat(H // G, axis=1) for each in (k, v))
        for what, given in [("no decay", []), ("a decay", [fades[..., :1]])]:
            right = _by_hand(q, k, v, None, *given)[0]
            slips = [(_by_hand(q, k, v, None, *given, tiled=True)[0],
                      f"head n took group n % {G}: it is n // {H // G}; np.repeat does that, np.tile does not"),
                     (right / 3**0.5, "you divided by the root of d: nothing is scaled"),
                     (_by_hand(all_k, all_q, all_v, None, *(each.repeat(H // G, axis=1) for each in given))[0],
                      "q and k are exchanged: row t is q of step t times k of each step s, q k^T"),
                     (_by_hand(all_q, all_k, all_v, None, *(np.tile(each, (1, H // G, 1, 1)) for each in given))[0],
                      f"the decay, too, belongs to group n // {H // G}: np.repeat it as you do keys and values")]
            yield laws.equals(f"H = {H}, G = {G}, {what}: what the recurrence says", ask(
                linear_attention_parallel, q, k, v, *given), right, "step t sees s <= t, faded by the decays of s + 1 "
                "to t", slips)
    yield from _strong(linear_attention_parallel)
    q, k, v, _, fades, _ = _drawn(2, 4, 2, 3, 3, 2)
    law = "a decay for each of d = 3 rows, (2, 2, 3, 3), raises ValueError"
    advice = "there is no such masked product of q and k: compare the shape with (B, G, T, 1)"
    yield laws.refuses(law, linear_attention_parallel, (q, k, v, fades), ANY_WORDS, advice)
    for what, shape in [("one sequence", (1, 2, 3, 1)), ("one group", (2, 1, 3, 1)), ("one of each", (1, 1, 3, 1)),
                        ("one step", (2, 2, 1, 1)), ("heads", (2, 4, 3, 1))]:
        law = f"a decay of {what}, {shape} where (B, G, T, 1) is (2, 2, 3, 1), raises ValueError"
        yield laws.refuses(law, linear_attention_parallel, (q, k, v, -np.ones(shape)), ANY_WORDS,
                           "NumPy stretches it in silence: compare the whole shape")
    for H, G in [(3, 2), (2, 4), (1, 3)]:
        for more in ([], [fades[:, :1].repeat(G, axis=1)[..., :1]]):
            q, k, v, *_ = _drawn(2, H, G, 5, 3, 4)
            law = f"H = {H} and G = {G}{', with a decay,' if more else ''} raise ValueError"
            yield laws.refuses(law, linear_attention_parallel, (q, k, v, *more), ANY_WORDS, "G does not divide H")


def _times(decay):
    """What the example gives where the decays are multiplied up, not added."""
    c = np.cumprod(decay)
    return [sum(10**s * math.exp(c[t] - c[s]) for s in range(t + 1)) for t in range(3)]


def _strong(parallel):
    """Decays of hundreds, a single step, widths of one."""
    q, k, v, _, fades, _ = _drawn(2, 2, 2, 6, 3, 4)
    fades = np.where(np.arange(6)[:, None] % 2, -700.0, fades[..., :1])
    reply = ask(parallel, q, k, v, fades)
    advice = ("exp(c_t) / exp(c_s) is 0 / 0, or a small number added below takes its place, and above the diagonal exp "
              "overflows: subtract first, put -inf above, then take exp")
    yield laws.equals("decays of -700 between small ones: what lies behind them is gone, and nothing is nan", reply,
                      _by_hand(q, k, v, None, fades)[0], advice)
    for law, sizes in [("a single step", (1, 4, 2, 1, 3, 4)), ("widths of one", (3, 2, 1, 4, 1, 1))]:
        q, k, v, _, fades, _ = _drawn(*sizes)
        for more in ([], [fades[..., :1]]):
            yield laws.equals(f"{law}, values of hundreds{', a decay' if more else ''}", ask(
                parallel, q, k, 900 * v, *more), 900 * _by_hand(q, k, v, None, *more)[0])


# scan


@visible_check
def scan(scan):
    a, b = np.array([[0.5, 2.0, 0.0, -1.0]]), np.array([[1.0, 3.0, 4.0, 5.0]])
    reply = ask(scan, a, b)
    yield laws.shape("four steps: all states are returned, (1, 4)", reply, (1, 4))
    slips = [([[each for each in wrong]], said) for wrong, said in [
        ((1, 4, 8, 13), "a has no effect"), ((0, 1, 5, 4), "you returned the state before each step: h_1 is b_1"),
        ((0, 3, 4, 1), "h is 0 before the first step, not after it: h_1 is b_1"),
        *((each, "b is multiplied, too: only the state before is") for each in [(0.5, 7, 0, -5), (1, 8, 0, -5)]),
        ((1, 3.5, 11, 5), "you took the factor of the step before"),
        ((1.5, 6, 4, 1), "you began with 1: the state before the first step is 0"),
        ((1, 3, 4, 5), "you went along axis 0, from sequence to sequence: time is axis 1"),
        ((0.5, 3.5, 14, 69), "a and b are exchanged: a multiplies the state, b is added")]]
    yield laws.equals("a = 1/2, 2, 0, -1 and b = 1, 3, 4, 5: 1, 5, 4, 1", reply, [[1, 5, 4, 1]],
                      "is a 0 in a divided by?" if np.isnan(as_array(reply.value)).any() else "", slips)
    for law, shape in [("two sequences", (2, 5)), ("a state of several numbers", (3, 5, 2)),
                       ("a state that is a matrix", (2, 6, 3, 4)), ("one step", (3, 1)), ("sixty steps", (1, 60)),
                       ("as many sequences as steps", (4, 4, 1))]:
        a, b = laws.random(5, shape, shape)
        a = np.tanh(a)
        yield laws.equals(f"{law}, {shape}", ask(scan, a, b), _states(a, b), "time is axis 1; each number goes its way")
        if "sixty" in law:
            a, b = np.abs(laws.random(13, (1, 1000), (1, 1000)))
            yield laws.equals("a thousand steps, with a between 0 and 1", ask(scan, np.tanh(a), b), _states(
                np.tanh(a), b), "products of a go to 0: do not divide by them")
        if "several" in law:
            yield laws.equals("and all b a thousand times as large", ask(scan, a, 1000 * b), 1000 * _states(a, b))
    a, b = np.array([[2, 0, -1, 3], [1, 1, 2, 2]]), laws.random(11, (2, 4))[0]
    yield laws.equals("a of integers, b not: nothing is cut off", ask(scan, a, b), _states(a, b),
                      "np.zeros_like(a) has the type of a, which holds no fractions here")
    for law, shapes in [("as many steps in a as in b", [(2, 5), (2, 4)]), ("nothing is stretched", [(2, 1), (2, 4)]),
                        ("nor are axes added", [(2, 4), (2, 4, 4)]), ("there is an axis of time", [(4,), (4,)]),
                        ("there is a step", [(2, 0), (2, 0)]),
                        ("whatever comes behind", [(2, 0, 3), (2, 0, 3)])]:
        yield laws.refuses(f"{law}: else ValueError", scan, [np.ones(each) for each in shapes], ANY_WORDS,
                           "compare the two shapes, and look whether there is a step")


def _states(a, b):
    h = np.zeros_like(b)
    for place in np.ndindex(a.shape):
        before = h[(place[0], place[1] - 1, *place[2:])] if place[1] else 0.0
        h[place] = a[place] * before + b[place]
    return h


# discretise


@visible_check
def discretise(discretise):
    A, B, delta = np.array([-1.0, 0.0]), np.array([3.0, 3.0]), np.array([math.log(4), 2.0])
    reply = ask(discretise, A, B, delta)
    yield laws.results(reply, {"A_bar": (2,), "B_bar": (2,)}, "two numbers: it returns ")
    slips = [([0.25, math.exp(2.0)], "is it exp(delta A)? You may have taken another sign or array"),
             (np.exp(A), "delta has no effect: exp(delta A)"),
             ([4.0, 1.0], "the sign is turned round: exp(delta A)"), (1 + delta * A, "1 + delta A is Euler's step"),
             ((1 + delta * A / 2) / (1 - delta * A / 2), "this is the bilinear rule: take exp(delta A)"),
             ([2.25, 6.0], "this is B_bar: return A_bar, B_bar, in this order")]
    yield laws.equals("A = -1, a step of ln 4: a quarter is left; A = 0: all of it", laws.result(reply, 0), [0.25, 1.0],
                      slips=slips)
    slips = [(delta * B, "this is delta B, as in Mamba's code: the zero-order hold has (exp(delta A) - 1) / A"),
             ([2.25, 3.0], "where A is 0 a step of 2 brings delta B = 6"), ([2.25, 0.0], "where A is 0 it is delta B"),
             ([2.25 / math.log(4), 6.0], "you divided by delta A: divide by A"),
             ([2.25 / math.log(4), 3.0], "you divided by delta A: divide by A"),
             ([-2.25, 0.0], "divide by A"), ([-2.25, 6.0], "the sign is turned round: exp(delta A) - 1, not 1 - exp"),
             (np.exp(delta * B), "this is exp(delta B): B is not discretised as A is"),
             ([0.75, 3.0], "you multiplied B by exp(delta A): it is multiplied by (exp(delta A) - 1) / A"),
             ([0.75, 2.0], "B has no effect: multiply by it")]
    advice = "0 / 0 is nan: choose delta where A is 0, with np.where" if np.isnan(as_array(
        laws.result(reply, 1))).any() else ""
    yield laws.equals("B = 3: B_bar is (1/4 - 1) / -1 times 3 = 2.25, and 2 times 3 where A is 0", laws.result(
        reply, 1), [2.25, 6.0], advice, slips)
    stretched = {"boolean index": "A broadcasts against delta, so a mask of A's shape does not fit: choose by np.where"}
    for law, shapes, step in [
        ("one matrix, steps of channels", [(3, 4), (3, 4), (3, 1)], 1.0),
        ("a batch: A (D, N), B (B, T, 1, N), delta (B, T, D, 1)", [(3, 4), (2, 5, 1, 4), (2, 5, 3, 1)], 1.0),
        ("one row, a single number", [(1,), (1,), (1,)], 1.0),
        ("steps of 1e-12 and inputs of 1e12: no digit is lost", [(3, 4), (3, 4), (3, 1)], 1e-12),
        ("as many of each", [(2, 3, 4), (2, 3, 4), (2, 3, 4)], 1.0),
        ("steps of hundreds: what decays is gone", [(3, 4), (3, 4), (3, 1)], 400.0),
        ("A of hundreds, too", [(3, 1), (3, 4), (3, 4)], 400.0),
        ("growth is not cut off: steps of 60, A near 1", [(3, 1), (3, 4), (3, 4)], 60.0),
    ]:
        A, B, delta = laws.random(4, *shapes)
        A, delta = A * (np.arange(A.size).reshape(A.shape) % 3 > 0), np.abs(delta)
        if step > 1:
            A, delta = (1 + 0.05 * A, 1 + 0.1 * delta) if step == 60 else (-200 * np.abs(A), delta)
        B = B / min(step, 1)
        right = _held(A, B, step * delta)
        reply = laws.asked(law, stretched, discretise, A, B, step * delta)
        advice = "np.expm1(x) is exp(x) - 1 with all its digits" if step < 1 else "each number for itself"
        yield laws.results(reply, {"A_bar": right[0].shape, "B_bar": right[1].shape}, f"{law}: ")
        yield laws.equals(f"{law}: A_bar", laws.result(reply, 0), right[0], slips=[
            *((np.exp(cut), "an A above 0 grows, and is allowed: cut nothing off") for cut in [
                np.minimum(step * delta * A, 0), np.minimum(step * delta * A, 50), -np.abs(step * delta * A)])])
        yield laws.equals("and B_bar", laws.result(reply, 1), right[1], advice)
    A, B = np.array([-2.0, 0.0, 1.0]), np.array([3.0, 3.0, 3.0])
    reply, advice = ask(discretise, A, B, np.zeros(1)), "divide by A, not by delta A, which may be 0 where A is not"
    yield laws.equals("a step of 0 changes nothing: A_bar is 1", laws.result(reply, 0), np.ones(3))
    yield laws.equals("and B_bar is 0", laws.result(reply, 1), np.zeros(3), advice)
    yield from _small(discretise)


def _small(discretise):
    """A that is small and not 0, with steps long and short."""
    for size, step in [(1e-3, 1e3), (1e-10, 1e10), (1e-14, 1e14), (1, 1e-4), (1, 5e-6), (1e-3, 0.1)]:
        A, B, delta = laws.random(12, (3, 4), (3, 4), (3, 1))
        A, B, delta = -size * (0.2 + np.abs(A)), B / step, step * (0.5 + np.abs(delta))
        law = f"A of about {size:g}, steps of about {step:g}: only an A that is exactly 0 is 0"
        right, said = _held(A, B, delta)[1], ("is something added to A, or delta B taken where A or delta A is only "
                                              "small? Ask for A == 0")
        slips = [(np.where(np.abs(delta * A) < bound, delta * B, right), said) for bound in (1e-5, 1e-4, 1e-3, 1e-2)]
        yield laws.equals(law, laws.result(ask(discretise, A, B, delta), 1), right, said, slips)


def _held(A, B, delta):
    """Number by number."""
    def hold(a, b, step):
        return math.exp(step * a), b * (math.expm1(step * a) / a if a else step)

    found = [hold(*each) for each in np.broadcast(A, B, delta)]
    return np.array(found).T.reshape(2, *np.broadcast_shapes(A.shape, B.shape, delta.shape))


# causal_conv


@visible_check
def causal_conv(causal_conv):
    x, w, state = np.array([[[1.0, 2.0, 3.0]]]), np.array([[100.0, 10.0, 1.0]]), np.array([[[8.0, 9.0]]])
    law = "three inputs, three weights: it returns "
    reply = laws.asked(law + "y, state", {"out of bounds": "w is (C, K): a row for each channel, a column for each of "
                                          "the last K inputs"}, causal_conv, x, w)
    yield laws.results(reply, {"y": (1, 1, 3), "state": (1, 1, 2)}, law)
    slips = [([[wrong]], said) for wrong, said in [
        ([100, 210, 321], "w is turned round: its last column multiplies the newest input"),
        ([12, 123, 230], "later inputs have their part: the last column lies on the step itself"),
        ([111, 112, 123], "you repeated the first input: without a state there are zeros"),
        ([123, 230, 300], "zeros stand before the first input, not behind the last"),
        ([0, 10, 120], "the newest input has no part: the sum ends at j = K - 1, with the last column of w")]]
    law = "weights 100, 10, 1 for 1, 2, 3: 1, 12, 123"
    yield laws.equals(law, laws.result(reply, 0), [[[1, 12, 123]]], slips=slips)
    slips = [([[[1, 2]]], "you handed on the first inputs"), ([[[0, 0]]], "you handed on the state of the start"),
             ([[[12, 123]]], "you handed on outputs: hand on inputs")]
    yield laws.equals("2 and 3 are handed on, the last K - 1", laws.result(reply, 1), [[[2, 3]]], slips=slips)
    reply = ask(causal_conv, x, w, state)
    slips = [([[[1, 12, 123]]], "the given state has no effect: it stands before the first input")]
    yield laws.equals("after 8 and 9: 891, 912, 123", laws.result(reply, 0), [[[891, 912, 123]]], slips=slips)
    reply = ask(causal_conv, x[..., :1], w, state)
    yield laws.equals("a single input after 8 and 9: 891", laws.result(reply, 0), [[[891]]])
    slips = [([[[0, 1]]], "fill up with the old state, not with zeros")]
    advice = "take the last K - 1 of state and x, one behind the other"
    yield laws.equals("then 9 and 1 are handed on", laws.result(reply, 1), [[[9, 1]]], advice, slips)
    reply = ask(causal_conv, x, w[:, 2:])
    yield laws.equals("K = 1: nothing before has a part", laws.result(reply, 0), x)
    advice = "a slice from -0 is everything: count from the front, or take (K - 1 = 0) as it comes"
    yield laws.shape("and the state is empty, (1, 1, 0)", laws.result(reply, 1), (1, 1, 0), advice)
    for law, (B, C, T, K) in [("a batch, three channels", (2, 3, 6, 4)), ("shorter than K - 1", (2, 3, 2, 5)),
                              ("one sequence", (1, 4, 5, 2)), ("as many of all", (3, 3, 3, 3))]:
        x, w, state = laws.random(6, (B, C, T), (C, K), (B, C, K - 1))
        for what, given in [("from zeros", []), ("from a state", [state])]:
            reply, right = ask(causal_conv, x, w, *given), _convolved(x, w, *given)
            mixed = np.repeat(right[0].sum(axis=1)[:, None], C, axis=1)
            together = [part.sum(axis=1, keepdims=True).repeat(C, axis=1) for part in (x, *given)]
            slips = [(mixed, "you added up the channels: each is its own"),
                     (_convolved(together[0], w, *together[1:])[0], "you added up the channels: each is its own"),
                     (_convolved(x, w[:1].repeat(C, axis=0), *given)[0], "each channel has its own row of w")]
            yield laws.equals(f"{law}, {what}", laws.result(reply, 0), right[0], slips=slips)
            yield laws.equals("and its state", laws.result(reply, 1), right[1], "the last K - 1 of state and x")
    x, w, state = laws.random(8, (2, 3, 6), (3, 4), (2, 3, 3))
    reply, right = ask(causal_conv, 1000 * x, w, 1000 * state), _convolved(x, w, state)
    yield laws.equals("inputs of a thousand", laws.result(reply, 0), 1000 * right[0])
    yield laws.equals("and their state", laws.result(reply, 1), 1000 * right[1])
    for law, other in [("a state of K - 2 inputs", (w, state[..., 1:])), ("a state of K", (w, np.zeros((2, 3, 4)))),
                       ("a state of one channel", (w, state[:, :1])), ("weights of two channels of three", (w[:2],)),
                       ("weights of one channel for three", (w[:1],)),
                       ("the same with a state", (w[:1], state)), ("no weights, K = 0", (w[:, :0],)),
                       ("no weights, with an empty state", (w[:, :0], state[..., :0]))]:
        yield laws.refuses(f"{law} raises ValueError", causal_conv, (x, *other), ANY_WORDS, "compare the shapes first")
    for law, given in [("", []), (", with a state of one,", [state[:, :1]])]:
        yield laws.refuses(f"weights of three channels for an x of one{law} raise ValueError", causal_conv, (
            x[:, :1], w, *given), ANY_WORDS, "NumPy stretches the one in silence: compare the channels first")


def _convolved(x, w, state=None):
    B, C, T, K = *x.shape, w.shape[1]
    before = np.zeros((B, C, K - 1)) if state is None else state
    line = [[[*before[i, c], *x[i, c]] for c in range(C)] for i in range(B)]
    y = [[[sum(w[c, j] * line[i][c][t + j] for j in range(K)) for t in range(T)] for c in range(C)] for i in range(B)]
    return np.array(y), np.array(line)[:, :, T:]


# route


@visible_check
def route(route):
    logits = np.log(np.array([[1.0, 2.0, 4.0, 1.0]]))
    reply = ask(route, logits, 2, False)
    yield laws.results(reply, {"ids": (1, 2), "weights": (1, 2)}, "two of four experts: ")
    slips = [([[1, 2]], "the largest comes first, here expert 2, whatever the numbers of the experts"),
             ([[0, 3]], "you chose the smallest"), ([[3, 0]], "you chose the smallest"),
             ([[0.5, 0.25]], "these are the weights: return ids, weights, in this order")]
    yield laws.equals("probabilities 1/8, 2/8, 4/8, 1/8: experts 2 and 1, the largest first", laws.result(reply, 0),
                      [[2, 1]], slips=slips)
    slips = [([[2 / 3, 1 / 3]], "renormalise is False: leave the weights as the softmax over all four has them"),
             (np.log([[4.0, 2.0]]), "these are logits: take the softmax over all experts"),
             ([[0.5, 0.5]], "their weights are what the softmax gives them, not 1 / k"),
             ([[0.25, 0.5]], "each weight belongs to the expert at its place in ids, the largest first"),
             ([[1.0, 1.0]], "the softmax ran over the tokens: it runs over the experts, axis=-1")]
    yield laws.equals("not renormalised: 1/2 and 1/4", laws.result(reply, 1), [[0.5, 0.25]], slips=slips)
    slips = [([[0.5, 0.25]], "renormalise has no effect: divide by the sum of the chosen")]
    yield laws.equals("renormalised: 2/3 and 1/3", laws.result(ask(route, logits, 2, True), 1), [[2 / 3, 1 / 3]],
                      slips=slips)
    slips = [([[2, 1, 3]], "of experts 0 and 3, which are equal, the lower number comes first"),
             ([[0, 1, 2]], "they are sorted by number: the largest comes first")]
    advice = 'np.argsort(-logits, axis=-1, kind="stable") keeps equal ones in order'
    yield laws.equals("three of four: of the two that are equal expert 0", laws.result(ask(route, logits, 3, False), 0),
                      [[2, 1, 0]], advice, slips)
    yield laws.equals("all logits 0, all experts: 0, 1, 2, 3, 4, 5 in order", laws.result(ask(route, np.zeros(
        (2, 6)), 6, True), 0), [[0, 1, 2, 3, 4, 5]] * 2, advice)
    many = ask(route, np.tile(np.arange(40.0) % 3, (2, 1)), 20, False)
    right = [[*range(2, 40, 3), *range(1, 20, 3)]] * 2
    yield laws.equals("forty experts with logits 0, 1, 2, 0, 1, 2, ...: 2, 5, 8 and so on, then 1, 4, 7", laws.result(
        many, 0), right, advice)
    for law, shape, k in [("tokens in a row", (7, 5), 2), ("a batch of sentences", (2, 3, 6), 3),
                          ("one token", (5,), 2), ("one expert of five", (4, 5), 1), ("all experts", (3, 4), 4),
                          ("a single expert", (3, 1), 1)]:
        law = f"{law}, {shape}, k = {k}: renormalised or not, with logits near 0, 900 and -900"
        yield _all(law, _routed(route, law, np.round(4 * laws.random(9, shape)[0]) / 4, k, advice))
    yield from _far_apart(route)
    logits = laws.random(9, (3, 4))[0]
    for k in (0, -1, 5):
        law = f"k = {k} of 4 experts raises ValueError"
        yield laws.refuses(law, route, (logits, k, True), ANY_WORDS, "1 <= k <= E")
    for value in (np.nan, np.inf, -np.inf):
        wrong = np.where(np.arange(4) == 1, value, logits)
        yield laws.refuses(f"a logit of {value} raises ValueError", route, (wrong, 2, False), ANY_WORDS,
                           "np.isfinite tells nan and both infinities")


def _routed(route, law, logits, k, advice):
    for far, renormalise in itertools.product((0, 900, -900), (False, True)):
        reply, right = ask(route, logits + far, k, renormalise), _chosen(logits, k, renormalise)
        what = f"{law}\n  near {far}, renormalise = {renormalise}"
        yield laws.equals(f"{what}: ids", laws.result(reply, 0), right[0], advice)
        over = "large logits overflow: subtract each token's largest before np.exp" if far else ""
        chosen = _chosen(logits, k, False)[1]
        powers = [np.exp(logits - top) for top in (logits.max(), logits.max(axis=-1)[..., None])]
        of_all = [chosen / chosen.sum(), *(np.take_along_axis(each / each.sum(), right[0], -1) for each in powers)]
        yield laws.equals(f"{what}: weights", laws.result(reply, 1), right[1], over, slips=[
            (each, "you divided by the sum over all tokens: divide by each token's own, axis=-1") for each in of_all])


def _far_apart(route):
    """Logits far from one another, of tokens and within a token."""
    law = "one token near 900, another near -900: each has its own softmax"
    logits = np.array([[900.0, 901.0, 899.5], [-900.0, -901.0, -899.5]])
    yield laws.equals(law, laws.result(ask(route, logits, 2, False), 1), _chosen(logits, 2, False)[1],
                      "subtract each token's own largest, logits.max(axis=-1, keepdims=True), not that of all tokens")
    reply = ask(route, np.array([[900.0, -900.0, -800.0]]), 2, False)
    yield laws.equals("logits 900, -900, -800, weights 1 and 0", laws.result(reply, 1), [[1, 0]],
                      "large logits overflow: subtract the largest, not the mean or the smallest")
    yield laws.equals("and these are experts 0 and 2", laws.result(reply, 0), [[0, 2]],
                      "sort the logits: in the softmax both of the others are 0")
    integers = as_array(laws.result(reply, 0)).dtype.kind in "iu"
    yield Verdict("ids are integers", integers, "they index experts, which floats cannot: make an array of dtype int")


def _chosen(logits, k, renormalise):
    """ids and weights, token by token."""
    ids, weights = np.zeros((*logits.shape[:-1], k), int), np.zeros((*logits.shape[:-1], k))
    for place in np.ndindex(logits.shape[:-1]):
        order = sorted(range(logits.shape[-1]), key=lambda i, row=logits[place]: (-row[i], i))
        power = [math.exp(each - max(logits[place])) for each in logits[place]]
        whole = sum(power[i] for i in (order[:k] if renormalise else order))
        ids[place], weights[place] = order[:k], [power[i] / whole for i in order[:k]]
    return ids, weights


# balance_loss


@visible_check
def balance_loss(balance_loss):
    p = np.array([[0.7, 0.2, 0.1, 0.0], [0.5, 0.0, 0.5, 0.0], [0.6, 0.1, 0.3, 0.0]])
    ids = np.array([[0, 1], [0, 2], [0, 1]])
    law = "three tokens, four experts: one number"
    reply = laws.asked(law, dict.fromkeys(("broadcast", "mismatch", "not aligned"), (
        "expert 3 got no token: np.bincount(..., minlength=E) counts it, too")), balance_loss, p, ids)
    yield laws.shape(law, reply, ())
    total = 4 * (0.3 + 0.1 / 3 + 0.05)
    slips = [(total / 4, "the factor E = 4 is missing, or you took a mean over the experts where a sum is asked"),
             (2 * total, "f is a share of the 6 assignments, not of the 3 tokens"),
             (3 * total, "P is the mean over the tokens: you added them up"),
             (2.4, "you counted the first choice or the likeliest alone: count every assignment"),
             (total / 16, "it is E times a sum: you took a mean, and E is missing, too"),
             (4 * (1 / 4 + 1 / 9 + 1 / 36), "one of the two factors is the mean probability"),
             (4 * (0.36 + 0.01 + 0.09), "one of the two factors is the share of assignments"),
             (3 * total / 4, "E is the number of all experts, also of those without a token"),
             *((4 * each, "P is the mean over all tokens, for each expert, chosen or not") for each in [
                 0.3 + 0.1 / 3 + 0.5 / 18, 0.3 + 0.15 / 3 + 0.5 / 6, 0.15 + 0.05 / 3 + 0.5 / 36]),
             (4 * (0.3 + 0.1 / 6 + 0.1), "count the ids that you are given: they need not be the largest"),
             (total / 2, "this is half of it: is the factor E = 4, and f a share of the 6 assignments?"),
             (1.0, "P is the mean over the tokens alone, one number for each expert: axis=0 of (tokens, E)")]
    law = "f = 1/2, 1/3, 1/6, 0 and P = .6, .1, .3, 0: 4 (.3 + .0333 + .05) = 1.533"
    yield laws.equals(law, reply, total, slips=slips)
    even = ask(balance_loss, np.full((4, 4), 0.25), np.arange(4)[:, None])
    yield laws.equals("an even load of four experts: 1", even, 1.0)
    yield laws.equals("and of seven", ask(balance_loss, np.full((7, 7), 1 / 7), np.arange(7)[:, None]), 1.0)
    one = np.eye(5)[[3, 3, 3]]
    yield laws.equals("all tokens to one of five experts: 5, the most", ask(balance_loss, one, np.full((3, 1), 3)), 5.0)
    for law, front, E, k in [("tokens in a row", (7,), 5, 2), ("a batch of sentences", (2, 3), 6, 3),
                             ("one token", (), 4, 2), ("one token in a row", (1,), 4, 1),
                             ("more experts than tokens", (3,), 9, 2), ("a single expert", (4,), 1, 1)]:
        powers, order = laws.random(10, (*front, E), (*front, E))
        p, ids = np.exp(powers) / np.exp(powers).sum(axis=-1)[..., None], order.argsort(axis=-1)[..., :k]
        law, right = f"{law}: {E} experts, {k} a token", _balance(p, ids)
        reply = laws.asked(law, dict.fromkeys(("broadcast", "mismatch", "not aligned"), TOKENS), balance_loss, p, ids)
        yield laws.equals(law, reply, right, "f counts the ids that are given, P is the mean over all tokens",
                          _in_front(p, ids))
    p, ids = np.full((3, 4), 0.25), np.array([[0, 1], [2, 3], [0, 2]])
    for law, other in [("an id of -1", ids - 1), ("an id of E", ids + 1), ("ids of two tokens of three", ids[:2]),
                       ("ids that are no whole numbers", ids + 0.5)]:
        yield laws.refuses(f"{law}: ValueError", balance_loss, (p, other), ANY_WORDS, "look at ids before you count")
    yield laws.refuses("no token: ValueError", balance_loss, (p[:0], ids[:0]), ANY_WORDS, "a mean of nothing is nan")


def _in_front(p, ids):
    """What comes of a P that is a mean over one axis in front alone, added up or not. Of one token it is 1 / E."""
    E, loads = p.shape[-1], np.array([np.mean(ids == i) for i in range(p.shape[-1])])
    means = [p.mean(axis=axis) for axis in range(max(p.ndim - 1, 1))]
    return [(wrong, TOKENS) for P in means for wrong in (np.sum(E * P * loads), np.dot(E * P, loads))]


def _balance(p, ids):
    E, flat = p.shape[-1], list(ids.flat)
    return sum(E * flat.count(i) / len(flat) * float(p[..., i].mean()) for i in range(E))
