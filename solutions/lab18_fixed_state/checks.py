"""What lab 18 is judged on. Types are not: the plain np.zeros, in which a state begins, is float64."""

import dataclasses

import numpy as np

from coursekit.verdicts import compare, together
from solutions.lab18_fixed_state import reference
from solutions.refusals import refuses
from solutions.typed import exact

STRONG = 800  # a decay whose exponential is 0, and that of its contrary infinite
SMALL = [(1e-3, 1e3), (1e-10, 1e10), (1e-14, 1e14), (1, 1e-4), (1, 5e-6), (1e-3, 0.1)]  # of A, and the steps with it
RULES = {"linear": 1.0, "gated": 1.0, "delta": 1.0, "gated_delta": 4.0}  # and what each weighs: the last has all


def linear_attention(student, rng):
    hint = ("at each step: exp(decay) times the rows of the state, then the write, then the read; with beta k^T S is "
            "taken off v first, and head n reads group n // (H // G)")
    first = None
    for rule, weight in RULES.items():
        for law, cases in _written(rng, rule):
            verdict = together(*[_both(law, student.linear_attention(*args), reference.linear_attention(*exact(args)),
                                       hint, weight) for args in cases])
            first = first or verdict
            yield verdict
    law = "another rule, a decay or beta that a rule does not use, or lacks, G that does not divide H: ValueError"
    yield refuses(law, first, student.linear_attention, list(_unwritten(rng)))


def linear_attention_parallel(student, rng):
    hint = "q k^T, times exp of the decays after the write up to the read, 0 for later steps, times v?"
    verdicts = [together(*[compare(law, student.linear_attention_parallel(*args),
                                   reference.linear_attention_parallel(*exact(args)), hint) for args in cases])
                for law, cases in _at_once(rng)]
    yield from verdicts
    q, k, v = _qkv(rng, float, 2, 4, 3, 5, 3, 2)
    wrong = [(q, k, v), (q[:, :1], k, v), (q, k, v, -np.ones((2, 3, 5, 1)))]
    args = _qkv(rng, float, 2, 6, 3, 5, 4, 2)
    wrong += [(*args, -np.ones((*front, 1))) for front in [(1, 3, 5), (2, 1, 5), (1, 1, 5), (2, 3, 1), (2, 6, 5)]]
    wrong += [(*_qkv(rng, float, 2, 3, 3, 4, 4, 2), -np.ones((2, 3, 4, size))) for size in (4, 5)]
    law = "a G that does not divide H, a decay that is not (B, G, T, 1): each raises ValueError"
    yield refuses(law, verdicts[0], student.linear_attention_parallel, wrong)


def scan(student, rng):
    hint = "is each state a_t times the state before it, plus b_t, along axis 1, and all of them returned?"
    verdicts = [together(*[compare(law, student.scan(*args), reference.scan(*exact(args)), hint) for args in cases])
                for law, cases in _recurrences(rng)]
    yield from verdicts
    wrong = [(rng.random((2, 5)), rng.random((2, 4))), (rng.random((2, 1, 3)), rng.random((2, 4, 3))),
             (rng.random((2, 4)), rng.random((2, 4, 3))), (rng.random(4), rng.random(4)), (np.ones((2, 0)),) * 2,
             (np.ones((2, 0, 3)),) * 2]
    yield refuses("two shapes, a single axis, no step: each raises ValueError", verdicts[0], student.scan, wrong)


def discretise(student, rng):
    hint = "exp(delta A), and expm1(delta A) / A times B, where A = 0 gives delta B?"
    for law, cases in _systems(rng):
        yield together(*[_both(law, student.discretise(*args), reference.discretise(*exact(args)), hint,
                               names=["A_bar", "B_bar"]) for args in cases])


def causal_conv(student, rng):
    hint = "is the last column of w for the newest input, and are the last K - 1 of state and x handed on?"
    verdicts = [together(*[_both(law, student.causal_conv(*args), reference.causal_conv(*exact(args)), hint,
                                 names=["y", "state"]) for args in cases]) for law, cases in _lines(rng)]
    yield from verdicts
    x, w = rng.normal(size=(2, 3, 6)), rng.normal(size=(3, 4))
    wrong = [(x, w, np.zeros((2, 3, 2))), (x, w, np.zeros((2, 3, 4))), (x, w[:2]), (x, w[:, :0]), (x, w[:1]),
             (x[:, :1], w), (x, w[:1], np.zeros((2, 3, 3))), (x[:, :1], w, np.zeros((2, 1, 3))),
             (x, w[:, :0], np.zeros((2, 3, 0)))]
    yield refuses("a state of another length, weights of other channels, K = 0: ValueError", verdicts[0],
                  student.causal_conv, wrong)


def route(student, rng):
    order = "the k largest, largest first, of equal ones the lower id: a stable argsort of the negated logits"
    hint = "the softmax over all E, at the chosen ones; divided by their sum only where renormalise is True"
    verdicts = []
    for law, cases in _routings(rng):
        answers = [(student.route(*args), reference.route(*exact(args))) for args in cases]
        verdicts.append(together(*[_chosen(law, *answer, order, hint) for answer in answers]))
    yield from verdicts
    logits = rng.normal(size=(3, 4))
    spoilt = [np.where(np.arange(4) == 1, value, logits) for value in (np.nan, np.inf, -np.inf)]
    wrong = [(logits, 0, False), (logits, 5, True), (logits, -1, True), *((each, 2, True) for each in spoilt)]
    yield refuses("k below 1 or above E, a logit that is nan or infinite: each raises ValueError", verdicts[0],
                  student.route, wrong)


def balance_loss(student, rng):
    hint = "E times the sum over the experts of their share of all assignments times their mean probability"
    verdicts = [together(*[compare(law, student.balance_loss(*args), reference.balance_loss(*exact(args)), hint)
                           for args in cases]) for law, cases in _loads(rng)]
    yield from verdicts
    p, ids = _load(rng, (5,), 4, 2)
    wrong = [(p, np.where(ids == ids[0, 0], other, ids)) for other in (-1, 4)]
    wrong += [(p, ids[:4]), (p[:0], ids[:0]), (p, ids + 0.5)]
    law = "ids that are no whole numbers from 0 to E - 1, for other tokens, or none: each raises ValueError"
    yield refuses(law, verdicts[0], student.balance_loss, wrong)


# Cases


def _written(rng, rule):
    """(law, arguments of `linear_attention`, several) of a rule, two laws."""
    name = rule.replace("_", " ")
    first = [_write(rng, rule, float, 2, 3, 3, 5, 4, 6), _write(rng, rule, float, 2, 6, 2, 4, 3, 5, state=True),
             _write(rng, rule, float, 1, 4, 1, 3, 5, 2, one=True)]
    second = [_write(rng, rule, np.float32, 3, 4, 2, 6, 2, 3, state=True), _write(rng, rule, float, 1, 2, 2, 1, 3, 4),
              _write(rng, rule, float, 2, 6, 3, 7, 1, 1, state=True, one=True),
              _write(rng, rule, float, 3, 2, 1, 3, 3, 3, state=True, far=400)]
    yield f"{name}: from zeros and from a state, a group for each head, for three, and for all", first
    yield f"{name}: in float32, a single step, widths of one, large values", second


def _write(rng, rule, kind, B, H, G, T, d, e, state=False, one=False, far=1.0):
    """Arguments for a rule; `one` decay for all entries of a key, and values of this size."""
    q, k, v = _qkv(rng, kind, B, H, G, T, d, e, far)
    given = [(far * rng.normal(size=(B, G, d, e))).astype(kind) if state else None]
    given += [-rng.gamma(1, 0.7, size=(B, G, T, 1 if one else d)).astype(kind) if "gated" in rule else None]
    given += [rng.uniform(0.1, 1.2, size=(B, G, T, 1)).astype(kind) if "delta" in rule else None]
    if rule == "linear" and not state:
        return q, k, v
    return q, k, v, *given, rule


def _qkv(rng, kind, B, H, G, T, d, e, far=1.0):
    """Queries, keys that are not of length 1, though near, and values."""
    shapes = [(B, H, T, d), (B, G, T, d), (B, G, T, e)]
    sizes = [1.0, d**-0.5, far]
    return tuple((size * rng.normal(size=shape)).astype(kind) for size, shape in zip(sizes, shapes, strict=True))


def _unwritten(rng):
    """Arguments of `linear_attention` that it refuses."""
    args = {rule: _write(rng, rule, float, 2, 4, 2, 3, 3, 2, state=True) for rule in RULES}
    decay, beta = args["gated_delta"][4:6]
    for rule, given in args.items():
        yield *given[:4], decay if given[4] is None else None, *given[5:]
        yield *given[:5], beta if given[5] is None else None, rule
    yield *args["linear"][:6], "softmax"
    q, k, v = _qkv(rng, float, 2, 4, 3, 3, 3, 2)
    yield from [(q, k, v), (q[:, :2], k, v), (q[:, :1], k, v)]


def _at_once(rng):
    """(law, arguments of `linear_attention_parallel`, several). Each law has decays that are STRONG."""
    for law, *cases in [
        ("a batch", (float, 2, 3, 3, 5, 4, 6, 0.7), (float, 2, 2, 2, 6, 3, 5, STRONG)),
        ("heads that share keys and values", (float, 2, 6, 2, 4, 3, 5, 0.5), (float, 1, 4, 2, 5, 3, 2, STRONG)),
        ("one group for all heads, no decay, in float32", (np.float32, 3, 4, 1, 6, 2, 3, None),
         (np.float32, 2, 4, 2, 5, 3, 2, 0.4), (float, 3, 6, 3, 4, 2, 5, STRONG)),
        ("one step, widths of one, large values", (float, 2, 3, 1, 1, 3, 4, 0.6), (float, 3, 4, 2, 7, 1, 1, 0.3),
         (float, 2, 2, 1, 3, 3, 3, STRONG, 500), (float, 1, 4, 2, 6, 4, 4, None, 300)),
    ]:
        yield law, [_faded(rng, *case) for case in cases]


def _faded(rng, kind, B, H, G, T, d, e, strength, far=1.0):
    q, k, v = _qkv(rng, kind, B, H, G, T, d, e, far)
    if strength is None:
        return q, k, v
    decay = -rng.random((B, G, T, 1))
    if strength > 100:  # at every second step, so that something is left to read between
        decay = decay - strength * (np.arange(T) % 2)[:, None]
    return q, k, v, (decay * min(strength, 1)).astype(kind)


def _recurrences(rng):
    """(law, arguments of `scan`, several): each law has factors of 0, negative ones, and so many steps that their
    products vanish."""
    for law, *cases in [
        ("a state of one number, and of several", (float, (3, 7)), (float, (2, 6, 4)), (float, (2, 150))),
        ("a matrix as the state, in float32; factors that are integers", (np.float32, (2, 5, 3, 4)), (float, (5, 5)),
         (np.int8, (2, 6, 3)), (np.int8, (3, 5)), (float, (2, 150, 1))),
        ("one sequence, and many steps", (float, (1, 1000)), (float, (1, 9, 2))),
        ("a single step; as many sequences as steps; large numbers", (float, (4, 1)), (float, (4, 4, 4), 900),
         (float, (2, 3, 1), 300), (float, (1, 150), 300)),
    ]:
        yield law, [_recurrence(rng, *case) for case in cases]


def _recurrence(rng, kind, shape, far=1.0):
    a, b = rng.uniform(-1.2, 1.2, size=shape), far * rng.normal(size=shape)
    a[:, 1::3] = 0
    return (rng.integers(-1, 3, size=shape, dtype=kind), b) if kind is np.int8 else (a.astype(kind), b.astype(kind))


def _systems(rng):
    """(law, arguments of `discretise`, several): in each law some A is 0, some are only small, some steps are tiny,
    some are 0, and something grows."""
    (D, N, T), others = (3, 4, 5), rng.spawn(1)[0]
    for law, kind, shapes in [
        ("one matrix for all steps", float, [(D, N), (D, N), (D, 1)]),
        ("channels and states, steps that differ", float, [(D, N), (2, T, 1, N), (2, T, D, 1)]),
        ("one row; a single number; in float32", np.float32, [(N,), (N,), (T, 1)]),
        ("as many of each; one A for a row", float, [(2, D, N), (2, D, N), (2, D, N)]),
    ]:
        yield law, [_system(rng, kind, shapes, "some are 0"), _system(rng, kind, shapes, "tiny steps"),
                    _system(others, kind, shapes, "still"),
                    _system(rng, kind, shapes, "far"), _system(rng, kind, [(1,)] * 3, "plain"),
                    _system(rng, float, [(D, 1), (D, N), (D, N)], "grows"),
                    *(_small(others, shapes, *sizes) for sizes in SMALL)]


def _system(rng, kind, shapes, what):
    A, B, delta = (rng.normal(size=shape) for shape in shapes)
    A, delta = 0.2 * A - 0.8 * np.abs(A), rng.uniform(0.1, 2, size=delta.shape)
    if what == "some are 0":
        A.flat[::2] = 0
    if what == "tiny steps":  # of so large inputs that B_bar is about 1
        tiny = 1e-12 if kind is float else 1e-4
        B, delta = B / tiny, delta * tiny
    if what == "still":
        delta = delta * (np.arange(delta.size).reshape(delta.shape) % 2)
    if what == "far":
        A = -900 * np.abs(A)
    if what == "grows":
        A, delta = 1 + 0.05 * A, 60 + delta
    return tuple(each.astype(kind) for each in (A, B, delta))


def _small(rng, shapes, size, step):
    """A of this size, steps of about this length, and inputs so large that B_bar is about 1."""
    A, B, delta = (rng.normal(size=shape) for shape in shapes)
    return -size * (0.2 + np.abs(A)), B / step, step * rng.uniform(0.5, 2, size=delta.shape)


def _lines(rng):
    """(law, arguments of `causal_conv`, several): each law has a K of 1, and a line that is shorter than K - 1."""
    for law, *cases in [
        ("a batch, from zeros", (float, 2, 3, 8, 4), (float, 2, 4, 2, 5), (float, 3, 2, 6, 1)),
        ("from a state", (float, 3, 2, 7, 3, 1.0), (float, 2, 3, 1, 4, 1.0), (float, 2, 3, 5, 1, 1.0)),
        ("in float32, one channel", (np.float32, 2, 1, 6, 4, 1.0), (np.float32, 3, 1, 2, 6, 1.0), (float, 1, 1, 4, 1)),
        ("one sequence, large numbers, as many channels as steps", (float, 1, 5, 9, 2, 700.0),
         (float, 4, 4, 4, 4), (float, 1, 3, 2, 4, 500.0), (float, 2, 2, 3, 1)),
    ]:
        yield law, [_line(rng, *case) for case in cases]


def _line(rng, kind, B, C, T, K, state=None):
    """x, w, and where it says how large a state."""
    x, w = (state or 1.0) * rng.normal(size=(B, C, T)), rng.normal(size=(C, K))
    given = [x, w] if state is None else [x, w, state * rng.normal(size=(B, C, K - 1))]
    return tuple(each.astype(kind) for each in given)


def _routings(rng):
    """(law, arguments of `route`, several): logits are eighths, so that many of a token's are equal; in some calls of
    each law the tokens lie far from 0, by turns above and below, and in one a token's logits lie far from each
    other."""
    for law, *cases in [
        ("tokens in a row", ((17,), 6, 2), ((13,), 5, 3, float, 900.0)),
        ("a batch of sentences, in float32", ((3, 7), 4, 2, np.float32), ((2, 9), 8, 3, np.float32, -200.0)),
        ("a single token, all experts, many, one of them", ((), 7, 4), ((3,), 40, 30), ((11,), 5, 5),
         ((12,), 6, 1, float, -900.0)),
        ("two axes of length one, a single expert", ((1, 1), 5, 2, float, 800.0), ((2, 3), 6, 4), ((5,), 1, 1)),
    ]:
        calls = [(_logits(rng, *case), case[2]) for case in cases]
        calls += [(_logits(rng, (5, 2), 6, 4) + 800 * rng.integers(-1, 2, size=(5, 2, 6)), 4)]
        yield law, [(*call, renormalise) for call in calls for renormalise in (False, True)]


def _logits(rng, front, E, k, kind=float, far=0.0):
    turn = (-1.0) ** np.indices(front).sum(axis=0)[..., None]
    return (far * turn + rng.integers(-8, 9, size=(*front, E)) / 8).astype(kind)


def _loads(rng):
    """(law, arguments of `balance_loss`, several)."""
    for law, *cases in [
        ("tokens in a row, two experts each", ((9,), 5, 2), ((14,), 4, 3)),
        ("a batch of sentences, in float32", ((2, 7), 6, 2, np.float32), ((3, 4), 3, 1, np.float32)),
        ("one expert each, some without a token", ((6,), 8, 1), ((2, 5), 7, 2)),
        ("a single token; more experts than tokens; all experts", ((1,), 4, 1), ((1,), 4, 2), ((), 6, 3), ((3,), 9, 2),
         ((5,), 3, 3), ((4,), 1, 1)),
    ]:
        yield law, [_load(rng, *case) for case in cases]


def _load(rng, front, E, k, kind=float):
    """A router's probabilities, and ids that need not be its best: the last expert gets none if there are others."""
    powers = rng.gamma(0.6, size=(*front, E)) + 0.01
    ids = np.argsort(rng.random((*front, E)) + (np.arange(E) == E - 1) * 2.0, axis=-1)[..., :k]
    return (powers / powers.sum(axis=-1)[..., None]).astype(kind), ids


# Verdicts


def _both(law, reply, expected, hint, weight=1.0, names=("output", "state")):
    return compare(law, reply, expected, hint, weight, names)


def _chosen(law, reply, expected, order, hint):
    """ids, which are exact and index, before weights."""
    several = isinstance(reply.value, tuple | list) and len(reply.value) == 2
    wrong = several and not compare(law, dataclasses.replace(reply, value=reply.value[0]), expected[0]).passed
    verdict = compare(law, reply, expected, order if wrong else hint, names=["ids", "weights"])
    if verdict.passed and np.asarray(reply.value[0]).dtype.kind not in "iu":
        return dataclasses.replace(verdict, passed=False, hint="ids are integers: as floats they index nothing")
    return verdict
