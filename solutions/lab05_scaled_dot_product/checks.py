"""What lab 05 is judged on. Masks, weights and the gradient of the output come as arguments."""

import dataclasses

import numpy as np

from coursekit.verdicts import Verdict, compare, holds_text
from solutions.lab01_additive_attention.reference import masked_softmax
from solutions.lab05_scaled_dot_product import reference


def scaled_scores(student, rng):
    hint = "is it Q @ K, the last two axes of K exchanged, divided by the root of the width d_k?"
    laws = [
        ("one sequence", float, (), (), 5, 7, 3),
        ("a batch, float32", np.float32, (3,), (3,), 5, 2, 6),
        ("sentences and heads", float, (2, 4), (2, 4), 3, 6, 5),
        ("one set of keys for all heads, float32", np.float32, (3, 5), (3, 1), 2, 7, 11),
        ("keys with more axes in front than the queries, float32", np.float32, (3,), (4, 3), 2, 5, 3),
        ("five axes, and queries without axes in front", float, (), (2, 1, 3), 4, 2, 5),
        ("a batch of one", float, (1,), (1,), 3, 4, 2),
        ("a single query, a single key, a width of one, float32", np.float32, (2,), (2,), 1, 1, 1),
    ]
    for law, kind, of_Q, of_K, T, S, d_k in laws:
        args = _grid(rng, (*of_Q, T, d_k), kind), _grid(rng, (*of_K, S, d_k), kind)
        reply = student.scaled_scores(*args)
        yield _typed(law, reply, reference.scaled_scores(*_exact(args)), hint, kind)


def causal_mask(student, rng):
    hint = "query i stands at position past + i, and looks at the keys up to there, its own place included"
    T, past = int(rng.integers(3, 6)), int(rng.integers(2, 5))
    laws = [
        ("as many keys as queries", (T, T)),
        ("the newest queries behind a past: the past and themselves", (T, T + past, past)),
        ("a single query behind a past, before the last key", (1, past + 3, past)),
        ("a past, and keys that lie beyond the last query", (T, T + past + 2, past)),
        ("more keys than queries and no past: the later keys are the future", (T, T + 3)),
        ("fewer keys than queries", (T + 3, T, 0)),
    ]
    for law, args in laws:
        reply = student.causal_mask(*args)
        yield _boolean(compare(law, reply, reference.causal_mask(*args), hint), reply)


def padding_mask(student, rng):
    hint = "position j of sentence b is True where j < lengths[b]; the middle axis has length 1"
    full = int(rng.integers(5, 9))
    laws = [
        ("sentences of different lengths", [full - 2, 1, full - 1, 3], full),
        ("the longest sentence is shorter than S", [2, full], full + 2),
        ("a sentence without tokens is False throughout", [full, 0, 3], full),
        ("one sentence", [full - 1], full + 3),
    ]
    for law, lengths, S in laws:
        args = np.array(lengths), S
        reply = student.padding_mask(*args)
        yield _boolean(compare(law, reply, reference.padding_mask(*args), hint), reply)


def scaled_dot_product_attention(student, rng):
    hint = "is it softmax over the keys that the mask leaves, by scores divided by the root of d_k, times V?"
    for law, kind, args in _looks(rng):
        reply = student.scaled_dot_product_attention(*args)
        yield _typed(law, reply, reference.scaled_dot_product_attention(*_exact(args)), hint, kind)
    hint = "do hidden keys still reach the maximum, the sum or the blend?"
    law = "the future does not change the past: other keys and values behind a query, the same output"
    args = _future(rng)
    reply = student.scaled_dot_product_attention(*args)
    yield _typed(law, reply, reference.scaled_dot_product_attention(*args), hint, float)


def scaled_dot_product_attention_backward(student, rng):
    hint = "is it back through the blend, the softmax of each row, and the product with its root, each array its own?"
    for law, kind, args in _steps(rng):
        reply = student.scaled_dot_product_attention_backward(*args)
        expected = reference.scaled_dot_product_attention_backward(*_exact(args))
        yield _typed(law, reply, expected, hint, kind)


# Cases


def _looks(rng):
    """(law, dtype, arguments of `scaled_dot_product_attention`). Half are float32. In most with a mask some query may
    look nowhere, and the mask has fewer entries than the scores. Five are extreme, see `_extreme`."""
    laws = [
        ("one sequence without a mask", float, (), (), (5, 7), 3, 4, None, False),
        ("a batch and one mask for all of it", np.float32, (3,), (3,), (4, 6), 16, 5, (4, 6), True),
        ("padding: a mask for each sentence, one of them empty", float, (4,), (4,), (3, 5), 6, 2, (4, 1, 5), True),
        ("sentences and heads, masks by sentence", np.float32, (2, 3), (2, 3), (5, 4), 16, 7, (2, 1, 5, 4), True),
        ("one set of keys and values for all heads", float, (2, 5), (2, 1), (4, 3), 7, 6, (4, 3), True),
        ("a batch without a mask, float32", np.float32, (3,), (3,), (2, 6), 4, 5, None, False),
        ("three leading axes, a mask for each query", np.float32, (2, 1, 3), (2, 1, 3), (6, 4), 4, 5, (6, 1), False),
        ("more axes before the keys, a mask of one axis", np.float32, (3,), (2, 3), (5, 4), 16, 2, (4,), True),
        ("a batch of one, values of one number", np.float32, (1,), (1,), (3, 5), 16, 1, (1, 3, 5), True),
        ("a single query, and keys of one number", float, (2, 3), (2, 3), (1, 3), 1, 2, None, False),
        ("one head, as many queries as keys and as wide", float, (2, 1), (2, 1), (4, 4), 4, 4, (4, 4), False),
    ]
    for law, kind, of_Q, of_K, (T, S), d_k, d_v, of_mask, extreme in laws:
        Q, K = _grid(rng, (*of_Q, T, d_k), kind), _grid(rng, (*of_K, S, d_k), kind)
        args = Q, K, rng.normal(size=(*of_K, S, d_v)).astype(kind)
        mask = () if of_mask is None else (_mask(rng, of_mask),)
        yield law, kind, _extreme(*args, *mask) if extreme else (*args, *mask)


def _extreme(Q, K, V, mask):
    """The same, with scores near 65536 / √d_k in each second row, near -65536 / √d_k in the others, and a first key
    that is hidden from all and would double them. In float32 this is exact where d_k is 16."""
    Q[..., ::2, 0], Q[..., 1::2, 0] = 1024, -1024
    K[..., 0], K[..., 0, 0] = 64, 128
    alone = mask[..., 0] & ~mask[..., 1:].any(axis=-1)  # rows that saw the first key and nothing else see the last one
    mask[..., -1] |= alone
    mask[..., 0] = False
    return Q, K, V, mask


def _future(rng):
    """A causal case: what lies behind the middle is so large that it would show in a maximum, a sum or a blend."""
    T, now = 6, 3
    Q, K, V = _grid(rng, (2, T, 5)), _grid(rng, (2, T, 5)), rng.normal(size=(2, T, 4))
    K[:, now:] *= 2000.0
    V[:, now:] += 1000.0
    return Q, K, V, np.tri(T, dtype=bool)


def _steps(rng):
    """(law, dtype, arguments of `scaled_dot_product_attention_backward`), in most a row that saw nothing."""
    laws = [
        ("one sequence", float, (), (5, 7), 3, 4, False),
        ("a batch with hidden keys, and a query that saw nothing", float, (3,), (4, 6), 5, 2, True),
        ("a batch, float32", np.float32, (2,), (6, 3), 4, 5, True),
        ("sentences and heads, float32", np.float32, (2, 3), (5, 4), 7, 6, True),
        ("a batch of one with one head, float32", np.float32, (1, 1), (3, 5), 4, 2, True),
        ("a single query", float, (2, 3), (1, 4), 2, 5, False),
        ("a single key, widths of one, float32", np.float32, (3,), (4, 1), 1, 1, False),
        ("as many queries as keys and as wide", float, (2,), (4, 4), 4, 4, True),
    ]
    for law, kind, leading, (T, S), d_k, d_v, hidden in laws:
        Q, K, V = (rng.normal(size=(*leading, *size)).astype(kind) for size in [(T, d_k), (S, d_k), (S, d_v)])
        mask = _mask(rng, (*leading, T, S)) if hidden else np.ones((*leading, T, S), bool)
        weights = masked_softmax(reference.scaled_scores(Q, K), mask).astype(kind)
        yield law, kind, (rng.normal(size=(*leading, T, d_v)).astype(kind), Q, K, V, weights)


def _grid(rng, shape, kind=float):
    """Random numbers; in float32 multiples of 1/8, so that products are exact."""
    numbers = rng.normal(size=shape)
    return numbers if kind is float else (np.round(numbers * 8) / 8).astype(kind)


def _mask(rng, shape):
    """A random mask in which the first of several rows sees nothing and each other one something."""
    mask = rng.random(size=shape) < 0.6
    rows = mask.reshape(-1, shape[-1])
    rows[np.arange(len(rows)), rng.integers(shape[-1], size=len(rows))] = True
    rows[:1] &= len(rows) == 1
    return mask


# Types

PROMOTED = ("np.sqrt gives a NumPy float64, and np.zeros and np.full arrays of it, which promote what they meet; "
            "d_k ** 0.5 and dtype=Q.dtype do not")


def _exact(args):
    """The same arguments with float32 as float64, to judge by."""
    return [array.astype(float) if array.dtype == np.float32 else array for array in args]


def _typed(law, reply, expected, hint, kind):
    """`compare`, and the type that came in must come back."""
    verdict = compare(law, reply, expected, hint)
    name, got = np.dtype(kind).name, _types(reply.value)
    if reply.error or got <= {name}:
        return verdict
    rounded = compare(law, dataclasses.replace(reply, value=_rounded(reply.value)), expected, hint)
    if not rounded.passed:
        return rounded
    cause = PROMOTED if name == "float32" else "do not cast"
    return Verdict(law, False, f"{name} came in, {', '.join(sorted(got))} went out: {cause}")


def _types(value):
    """The names of the dtypes of all results; none where one of them is no array at all."""
    try:
        return set() if value is None or holds_text(value) else {np.asarray(part).dtype.name for part in _parts(value)}
    except ValueError:  # a ragged list, of which `compare` says so
        return set()


def _parts(value):
    return value if isinstance(value, tuple | list) else (value,)


def _rounded(value):
    """float64 results as float32, so that nothing but their type is held against them."""
    results = [np.float32(part) if np.asarray(part).dtype == float else part for part in _parts(value)]
    return tuple(results) if isinstance(value, tuple | list) else results[0]


def _boolean(verdict, reply):
    """The same verdict, unless the mask came back as numbers."""
    if not verdict.passed or np.asarray(reply.value).dtype == bool:
        return verdict
    return Verdict(verdict.law, False, "a mask is boolean: True and False, not 1 and 0", verdict.weight)
