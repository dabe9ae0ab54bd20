"""What lab 13 is judged on."""

import dataclasses

import numpy as np

from coursekit.check import as_array
from coursekit.tasks.tokens import END
from coursekit.verdicts import Verdict, compare, together
from solutions.lab13_language_model import mistakes, reference
from solutions.refusals import refuses

TRIES = 2000  # cases drawn for one that tells all known mistakes from the answer; it is found after a few
LAST = 0.99999994  # the largest float32 below 1
BELOW_1 = float(np.nextafter(1, 0))  # the largest uniform


def next_token_loss(student, rng):
    hint = ("is position t judged on ids t + 1, the mean taken over the targets where the mask is True, and the "
            "gradient softmax minus one-hot, divided by their number, 0 where a target does not count, and at the end?")
    verdicts = [together(*[compare(law, student.next_token_loss(*args), reference.next_token_loss(*args), hint)
                           for args in asked]) for law, asked in _texts(rng)]
    yield from verdicts
    logits, ids, mask = _text(rng, 2, 3, 5)
    wrong = [(logits, np.where(np.arange(3) == place, bad, ids), mask & (np.arange(3) != unasked))
             for bad in (5, -1) for place, unasked in [(1, -1), (0, -1), (2, 2)]]
    law = "ids outside the vocabulary, 5 of 5 or -1, raise ValueError, whether their target counts or not"
    yield refuses(law, verdicts[0], student.next_token_loss, wrong)


def filter_logits(student, rng):
    hint = ("first the temperature, then exactly top_k, of equals the lower ids, then top_p on what is left, the token "
            "that crosses kept, and -inf in the place of what is removed?")
    verdicts = [together(*[_filtered(student, law, args, hint, weight) for args in asked])
                for law, weight, asked in _filters(rng)]
    yield from verdicts
    settings = [(-0.5, 3, 0.7), (0.8, 0, 0.7), (0.8, 3, -0.2), (0.8, 3, 1.5), (0, 0, 0.7), (0, 3, 1.5)]
    wrong = [(rng.normal(size=(3, 5)), *each) for each in settings]
    law = "a temperature below 0, a top_k below 1, a top_p below 0 or above 1: each raises ValueError"
    yield refuses(law, verdicts[0], student.filter_logits, wrong)


def sample(student, rng):
    hint = "is it the token in whose stretch of the running sums, divided by their last, the uniform falls?"
    verdicts = [together(*[_sampled(student, law, args, hint) for args in asked]) for law, asked in _draws(rng)]
    yield from verdicts
    p = rng.dirichlet(np.ones(5))
    wrong = [(p, 1.0), (p, -0.1), (p * [1, 1, -1, 1, 1], 0.3), (0 * p, 0.3), (np.zeros(1), 0.5)]
    law = "u outside of 0 <= u < 1, a negative probability, or nothing but zeros: each raises ValueError"
    yield refuses(law, verdicts[0], student.sample, wrong)


def attend_with_cache(student, rng):
    hint = ("do new keys and values stand behind the old ones, and does query i see what is real up to position P + i, "
            "by scores over the root of d?")
    for law, args in _looks(rng):
        expected, (keys, values) = reference.attend_with_cache(*args)
        yield compare(law, _flat(student.attend_with_cache(*args)), (expected, keys, values), hint)


def generate(student, rng):
    hint = ("is `following` asked with START, the prompt and all that was written, its answer filtered and turned into "
            "probabilities, and one token drawn with each uniform, up to END?")
    for law, weight, asked in _writings(rng):
        yield together(*[_wrote(student, law, args, hint, weight) for args in asked])


def speculative_step(student, rng):
    hint = "is the draft accepted where u q[draft] < p[draft], and else v drawn from max(p - q, 0), divided by its sum?"
    verdicts = [together(*[_stepped(student, law, args, hint) for args in asked]) for law, asked in _steps(rng)]
    yield from verdicts
    p, q = rng.dirichlet(np.ones(4), size=2)
    without = q * [1, 0, 1, 1] / (q[0] + q[2] + q[3])
    sums = [(1, 0.7), (1, 1.4), (0.8, 1), (1.2, 1), (1.0015, 1), (1, 0.9985)]
    wrong = [(p, without, 1, 0.0, 0.5), *((p, q, draft, 0.5, 0.5) for draft in (-1, 4)),
             *((a * p, b * q, 0, 0.5, 0.5) for a, b in sums)]
    law = "a draft that q cannot have drawn or that is no token, p or q of another sum than 1: each raises ValueError"
    yield refuses(law, verdicts[0], student.speculative_step, wrong)


# Cases


def _texts(rng):
    """(law, list of arguments of `next_token_loss`). In most of them rows differ in how many targets count, the first
    token of a row is marked as one, and targets of id 0 count."""
    ends = np.arange(6) < np.array([[6], [3], [5]])
    yield "rows of different lengths, padded behind", [_text(rng, 3, 6, 7, ends)]
    yield "padding in front", [_text(rng, 3, 6, 5, ends[:, ::-1] | (np.arange(6) == 0))]
    yield "targets here and there, and a row without any", [_text(rng, 4, 5, 4, np.array(
        [[1, 1, 0, 1, 0], [1, 0, 0, 0, 0], [0, 0, 1, 0, 1], [1, 0, 1, 1, 1]], bool))]
    logits, ids, mask = _text(rng, 3, 4, 6, np.arange(4) < np.array([[3], [4], [2]]))
    far = 900.0 * (np.arange(6) == (ids[:, 1:] + 1)[..., None] % 6)
    logits[:, :-1] += far
    yield "logits far apart: a target 900 below costs 900", [(logits, ids, mask)]
    logits, ids, mask = _text(rng, 2, 7, 3, np.arange(7) % 3 != np.array([[1], [2]]))
    yield "few tokens, a long text, in float32", [(logits.astype(np.float32), ids, mask)]
    yield "no target counts, in one of three batches: loss and gradient are 0 there", [
        _text(rng, 2, 3, 4, np.zeros((2, 3), bool)), _text(rng, 1, 2, 3), _text(rng, 2, 4, 5, np.eye(2, 4, 2, bool))]


def _text(rng, B, T, V, mask=None):
    ids = rng.integers(V, size=(B, T))
    ids[:, 1::2] *= rng.random(size=ids[:, 1::2].shape) < 0.7  # many targets of id 0
    return 2 * rng.normal(size=(B, T, V)), ids, np.ones((B, T), bool) if mask is None else mask


def _filters(rng):
    """(law, weight, list of arguments of `filter_logits`). In the first three cases all three settings remove
    something, and many logits are equal."""
    known = mistakes.MISTAKES["filter_logits"]
    exact = mistakes.filter_logits_with_one_more_where_top_p_is_reached_exactly
    alone = [mistakes.filter_logits_ranked_over_all_rows]
    for law, shape, settings, untold, fits in [
        ("many rows, and equal logits", (8, 9), (0.7, 5, 0.85), [], _binds),
        ("two axes in front, a high temperature, a large vocabulary", (2, 3, 60), (1.75, 20, 0.7), [], _is_clear),
        ("one row", (13,), (0.6, 6, 0.8), alone, _is_clear),
    ]:
        yield law, 1, [_telling(lambda s=shape, more=settings: (_quarters(rng, s), *more), reference.filter_logits,
                                [each for each in known if each not in [*untold, exact]], fits), _exact(rng, shape)]
    best = _quarters(rng, (6, 7))
    best[:, [1, 4]] = best.max(axis=1, keepdims=True) + 0.5
    law = "temperature 0 and top_k = 1: the first of the largest, at temperature 0 as it is"
    yield law, 0.5, [(best, 0, 3, 0.9), (best[:1], 0, 7, 1.0), (best[:, None], 0.6, 1, 1.0)]
    far = rng.permuted(np.array([0.0, -50.0, -2000.0, -7.0, -80.0]) + np.zeros((3, 1)), axis=1)
    law = "top_p = 1 removes nothing, however unlikely, of what top_k leaves"
    yield law, 0.5, [(far, 1.25, 5, 1.0), (far, 0.5, 3, 1.0), (far[:, :1], 2.0, 1, 1.0)]
    law = "top_p = 0 leaves one token, and a top_k beyond V removes none"
    yield law, 0.5, [(_quarters(rng, (5, 6)), 0.9, 20, 0.0), (rng.normal(size=(1, 6)), 0.9, 7, 1.0)]


def _binds(args):
    """Does top_k remove a token in some row that top_p alone would keep?"""
    wrong = mistakes.filter_logits_without_top_k(*args), mistakes.filter_logits_with_top_p_of_all(*args)
    return _is_clear(args) and not np.array_equal(*wrong)


def _exact(rng, shape):
    """Four logits of each row are equal and 0, so that two of them have exactly the half that top_p asks for."""
    logits = np.zeros(shape) - 0.25 * rng.integers(1, 9, size=shape)
    np.put_along_axis(logits, rng.permuted(np.arange(shape[-1]) + np.zeros(shape, int), axis=-1)[..., :4], 0.0, axis=-1)
    return logits, 0.8, 4, 0.5


def _quarters(rng, shape):
    """Logits in quarters, so that many are equal."""
    return rng.integers(-8, 9, size=shape) / 4


def _is_clear(args):
    """Is no sum of likelier tokens so near to top_p that rounding decides?"""
    logits, temperature, top_k, top_p = args
    ranked = -np.sort(-logits, axis=-1)[..., :top_k] / temperature
    sums = np.cumsum(reference.softmax(ranked, axis=-1), axis=-1)
    return np.abs(sums - top_p).min() > 1e-3


def _draws(rng):
    """(law, list of arguments of `sample`). In three of them a uniform stands at the start of a stretch behind one of
    width 0: rows of eighths, whose sums are exact."""
    rows = [np.array([0, 2, 0, 4, 0, 2]) / 8, np.array([4, 0, 0, 1, 3]) / 8, np.array([0, 0, 3, 0, 5]) / 8]
    starts = [[(row, float(u)) for u in (0.0, *np.cumsum(row)[:-1])] for row in rows]
    alone = [(np.array([0.0, 0.0, 1.0]), 0.3), (np.array([1.0]), 0.7)]
    inside = [(p := rng.dirichlet(np.full(7, 0.7)), rng.random()) for _ in range(6)]
    yield "each token gets its share", [*inside, (p, 0.0), *starts[0], *alone, _at_the_end(rng, 90)]
    yield "a uniform at the start of a stretch: nothing of probability 0 is drawn", starts[1] + starts[2]
    short = [np.append(rng.dirichlet(np.full(5, 3.0)), 0.0) * (1 - 3e-7) for _ in range(3)]
    yield "a sum just below 1, and the largest uniform: the last token that has a probability", [
        *((row.astype(np.float32), u) for row in short for u in (LAST, BELOW_1)), _at_the_end(rng, 300)]
    doubled = [(2 * rng.dirichlet(np.ones(9)), u) for u in (0.55, 0.7, 0.9)]
    yield "a sum of 2, by which all are divided", doubled + [(2 * row, u) for row, u in starts[2]]


def _at_the_end(rng, V):
    """Of V tokens one of probability 0 stands last, and the largest uniform; even if they are divided by their sum
    first, their running sums end below 1."""
    return _telling(lambda: (np.append(rng.dirichlet(np.full(V - 1, 5.0)), 0.0), BELOW_1), reference.sample,
                    [mistakes.sample_divided_before_the_sums])


def _looks(rng):
    """(law, arguments of `attend_with_cache`)."""
    for law, (B, H, P, T, d, e), kind, front in [
        ("a prompt at once, without a cache", (2, 3, None, 4, 5, 2), float, None),
        ("one new token behind a cache, with padding", (3, 2, 6, 1, 4, 5), float, "holes"),
        ("several new tokens behind a cache, with padding", (2, 3, 3, 4, 2, 6), float, "holes"),
        ("padding in front, where a query sees nothing: its output is 0", (3, 2, None, 5, 3, 4), float, "front"),
        ("several new tokens, and holes before and among them, in float32", (4, 1, 4, 3, 6, 3), np.float32, "holes"),
        ("large scores and values, and as many old as new", (2, 2, 3, 3, 4, 5), float, "far"),
        ("one text, one head, a width of 1", (1, 1, 2, 3, 1, 2), float, "holes"),
    ]:
        large = 200 if front == "far" else 1
        q, k, v = (rng.normal(size=(B, H, T, width)).astype(kind) for width in (d, d, e))
        cache = P and tuple(large * rng.normal(size=(B, H, P, width)).astype(kind) for width in (d, e))
        args = q, large * k, large * v, cache
        yield law, args if front is None else (*args, _mask(rng, B, P or 0, T, front))


def _mask(rng, B, P, T, kind):
    """(B, P + T): padding in front of each row but the last, or a hole before and one among the new tokens."""
    if kind == "front":
        return np.arange(T) >= np.arange(B)[::-1, None]
    mask, rows, first = np.ones((B, P + T), bool), np.arange(B), int(rng.integers(P))
    mask[rows, (first + rows) % P] = False
    mask[rows, P + (first + rows) % T] = T == 1
    return mask


def _writings(rng):
    """(law, weight, list of arguments of `generate`). Each law but the last asks for a text that ends before the
    uniforms are used up and for one that does not. Both tell all known mistakes but those that cannot be seen, the
    second those in the settings, too."""
    last_alone = mistakes.generate_from_the_last_token_alone
    no_prompt = [mistakes.generate_with_the_prompt, mistakes.generate_without_the_prompt]
    for law, weight, shape, n, N, settings, untold in [
        ("a prompt of two tokens", 1, (8, 8), 2, 10, (0.5, 3, 0.75), [last_alone]),
        ("what follows depends on two tokens, and one ends the prompt twice", 1, (8, 8, 8), 3, 9, (2.5, 3, 0.7), []),
        ("what follows depends on two tokens, and a prompt of one", 1, (9, 9, 9), 1, 9, (0.5, 3, 0.75), []),
        ("no prompt: what follows START", 0.5, (7, 7), 0, 9, (2.5, 3, 0.7), [last_alone, *no_prompt]),
    ]:
        known = [*mistakes.MISTAKES["generate"], *([_told_once] if n > 2 else [])]
        yield law, weight, [
            _telling(lambda s=shape, n=n, N=N, more=settings: _writing(rng, s, n, N, *more), reference.generate,
                     [each for each in known if each not in [*untold, *unseen]], fits)
            for fits, unseen in [(_ends, IN_A_LONG_TEXT), (_goes_on, AT_THE_END)]]
    law = "temperature 0, or very near 0: the likeliest each time, whatever the uniforms"
    yield law, 0.5, [_writing(rng, (7, 7), 1, 4, temperature, 3, 0.9) for temperature in (0, 1e-4)]
    table, prompt, *_ = _writing(rng, (6, 6, 6), 2, 1, 1)
    ends = np.cumsum(reference.softmax(table[tuple(prompt)] / 0.5, axis=-1))
    end = ends[np.abs(ends - 0.5).argmin()]
    law = "a single uniform, close to where a stretch ends"
    yield law, 0.5, [(table, prompt, np.array([end + off]), 0.5, 6, 1.0) for off in (-2e-5, 2e-5)]


AT_THE_END = [mistakes.generate_on_after_the_end, mistakes.generate_without_the_end]
IN_A_LONG_TEXT = [
    mistakes.generate_one_token_short,
    mistakes.generate_without_the_temperature, mistakes.generate_times_the_temperature,
    mistakes.generate_with_the_temperature_before_the_filter, mistakes.generate_with_the_temperature_behind_the_filter,
    mistakes.generate_without_top_k, mistakes.generate_without_top_p]


def _told_once(table, prompt, *more):
    """What is written where each token of the prompt is told once."""
    return reference.generate(table, list(dict.fromkeys(prompt)), *more)


def _ends(args):
    """Does the text end with END before the uniforms are used up?"""
    tokens = reference.generate(*args)
    return tokens[-1] == END and len(tokens) < len(args[2])


def _goes_on(args):
    return END not in reference.generate(*args)


def _writing(rng, shape, n, N, *settings):
    """A table of what follows, PAD and START never, END with a share of 5 to 30 %, and the other arguments. The prompt
    has two different tokens at most; the third of three is the second once more."""
    *before, V = shape
    p = rng.dirichlet(np.full(V - END - 1, 0.6), size=before)
    share = rng.uniform(0.05, 0.3, size=(*before, 1))
    p = np.concatenate([np.zeros((*before, END)), share, (1 - share) * p], axis=-1)
    prompt = (END + 1 + rng.permutation(V - END - 1)[:n]).tolist()
    with np.errstate(divide="ignore"):
        return np.log(p), prompt[:2] + prompt[1:2] * (n > 2), rng.random(size=N), *settings


def _steps(rng):
    """(law, list of arguments of `speculative_step`): accepted and rejected drafts of each kind."""
    for law, V in [("two distributions over seven tokens", 7), ("over four", 4)]:
        pairs = [rng.dirichlet(np.full(V, 0.8), size=2) for _ in range(3)]
        asked = [_step(rng, *pair, v) for pair in pairs for v in (None, 0.1, 0.5, 0.9, *_near_the_ends(*pair))]
        yield law, asked + [_step(rng, *pairs[0], v, 1e-5) for v in (None, 0.4, None, 0.6)]
    p, q = np.array([0.0, 0.5, 0.25, 0.0, 0.25]), np.array([0.25, 0.125, 0.25, 0.125, 0.25])
    law = "what p never writes is rejected, even at u = 0; where p and q are equal the draft is accepted"
    asked = [(0, 0.0, 0.5), (3, 0.0, 0.9), (2, LAST, 0.0), (1, 0.9, 0.1), (0, 0.5, 0.0)]
    digit = q - [0, 0, 2**-54, 0, 0]  # rejected at the largest u, where nothing is missing
    sums = [(1.0005 * p, q, 1, 0.3, 0.0), (p, 0.9995 * q, 0, 0.9, 0.6)]
    yield law, [*((p, q, *more) for more in asked), (np.ones(1), np.ones(1), 0, 0.9, 0.5), (digit, q, 2, BELOW_1, 0.5),
                *sums]
    sure = np.eye(6)[4]
    spread = rng.dirichlet(np.full(6, 2.0))
    yield "one of the two is sure", [(spread, sure, 4, float(spread[4]) + 0.01, v) for v in (0.1, 0.5, 0.9)] + [
        (sure, spread, 4, 0.99, 0.3), (sure, spread, 1, 0.0, 0.7), (spread, sure, 4, float(spread[4]) - 0.01, 0.2)]


def _near_the_ends(p, q):
    """Uniforms on both sides of where the stretch of a token ends, in what is missing."""
    ends = np.cumsum(np.maximum(p - q, 0)) / np.maximum(p - q, 0).sum()
    return [float(end + off) for end in ends if 0.01 < end < 0.99 for off in (-1e-3, 1e-3)]


def _step(rng, p, q, v=None, share=None):
    """Arguments in which the draft is rejected, so that this v draws, or accepted where v is None; u is any in the
    middle of what leads there, or at this share of it from where the other begins."""
    ratio = np.minimum(p / q, 1)
    draft = int(rng.choice(np.flatnonzero(ratio > 0.05 if v is None else ratio < 0.95)))
    share = rng.uniform(0.1, 0.9) if share is None else share
    u = (1 - share) * ratio[draft] if v is None else ratio[draft] + share * (1 - ratio[draft])
    return p, q, draft, float(u), float(rng.uniform(0.05, 0.95) if v is None else v)


def _telling(draw, right, known, fits=lambda args: True):
    """Arguments that `draw()` makes and that fit, drawn until each of the known mistakes answers otherwise."""
    for _ in range(TRIES):
        args = draw()
        if fits(args) and not any(np.array_equal(wrong(*args), right(*args)) for wrong in known):
            return args
    raise ValueError(f"cases: expected one within {TRIES} draws that tells all mistakes from the answer, got none")


# Verdicts


def _filtered(student, law, args, hint, weight):
    """`compare` of logits among which -inf stands for what was removed: it must be -inf there, and nowhere else."""
    reply, expected = student.filter_logits(*args), reference.filter_logits(*args)
    removed = -2 * np.abs(expected[np.isfinite(expected)]).max() - 1  # a number that no kept logit has
    value = as_array(reply.value)
    if value.dtype.kind == "f" and value.shape == expected.shape:
        value = np.where(np.isneginf(value), removed, np.clip(value, removed / 2, -removed / 2))
        reply = dataclasses.replace(reply, value=value)
    return compare(law, reply, np.where(np.isneginf(expected), removed, expected), hint, weight)


def _sampled(student, law, args, hint):
    reply = student.sample(*args)
    return _whole(compare(law, reply, reference.sample(*args), hint), reply)


def _wrote(student, law, args, hint, weight):
    reply = _as_arrays(student.generate(*args))
    return _whole(compare(law, reply, reference.generate(*args), hint, weight), reply)


def _stepped(student, law, args, hint):
    reply, expected = _as_arrays(student.speculative_step(*args)), reference.speculative_step(*args)
    return _whole(compare(law, reply, expected, hint), reply)


def _as_arrays(reply):
    """The reply with numbers, lists of numbers, and each of two of them, as arrays: any of these will do."""
    value = reply.value
    if isinstance(value, tuple) or isinstance(value, list) and len(value) == 2 and isinstance(value[1], bool):
        return dataclasses.replace(reply, value=tuple(_as_array(part) for part in value))
    return dataclasses.replace(reply, value=_as_array(value))


def _as_array(value):
    is_list = isinstance(value, list) and all(isinstance(each, int | float | np.number) for each in value)
    return np.asarray(value) if is_list or isinstance(value, int | float | np.number | np.bool_) else value


def _flat(reply):
    """A reply (output, (keys, values)) as three results; any other as it is."""
    value = reply.value
    is_pair = isinstance(value, tuple | list) and len(value) == 2 and isinstance(value[1], tuple | list)
    return dataclasses.replace(reply, value=(value[0], *value[1])) if is_pair else reply


def _whole(verdict, reply):
    """The same verdict, unless tokens came back as other numbers than integers."""
    tokens = reply.value[0] if isinstance(reply.value, tuple) else reply.value
    if not verdict.passed or np.asarray(tokens).dtype.kind in "iu" or not np.size(tokens):
        return verdict
    return Verdict(verdict.law, False, "a token is a whole number: return integers", verdict.weight)
