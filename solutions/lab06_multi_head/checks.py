"""What lab 06 is judged on.

In most cases all sizes differ. In some a size is 1, whose axis must stay. In one there are as many heads as sentences,
where a mask without an axis for the heads goes through silently; in one as many positions as sentences, where a mask
for all looks like one for each; and in some the memory is as long as X, and still not X.
"""

import itertools

import numpy as np

from coursekit.verdicts import Verdict, compare
from solutions.dictionaries import flat, told
from solutions.lab06_multi_head import reference

NAMES = ("W_Q", "W_K", "W_V", "W_O")
BOTH = ("output", "weights")
SIZES = (1, 1000)  # of the gradients that come in, in turn


def scaled_dot_product_attention(student, rng):
    hint = "is it softmax(Q Kᵀ / √d_k) V over the keys, True = may look, and 0 in a row that sees nothing?"
    for law, args in _attentions(rng):
        reply = student.scaled_dot_product_attention(*args)
        yield compare(law, reply, reference.scaled_dot_product_attention(*args), hint, names=BOTH)
    hint = "is the largest visible score of each row subtracted before np.exp, and is a row that sees nothing 0?"
    for law, args in _far_from_zero(rng):
        reply = student.scaled_dot_product_attention(*args)
        yield compare(law, reply, reference.scaled_dot_product_attention(*args), hint, names=BOTH)


def scaled_dot_product_attention_backward(student, rng):
    hint = "are d_V, the gradient in the weights, the softmax and 1/√d_k all in it, and in this order: d_Q, d_K, d_V?"
    for (law, (Q, K, V, *mask)), size in zip([*_attentions(rng), *_narrow(rng)], itertools.cycle(SIZES)):
        output, weights = reference.scaled_dot_product_attention(Q, K, V, *mask)
        args = size * rng.normal(size=output.shape), Q, K, V, weights
        reply = student.scaled_dot_product_attention_backward(*args)
        expected = reference.scaled_dot_product_attention_backward(*args)
        yield compare(law, reply, expected, hint, names=("d_Q", "d_K", "d_V"))


def split_heads(student, rng):
    hint = "does head 0 hold the first d columns of every token, head 1 the next d?"
    for B, T, heads, d in [(2, 5, 3, 4), (3, 4, 2, 6), (5, 2, 4, 3), (2, 3, 6, 1), (1, 4, 2, 3)]:
        args = rng.normal(size=(B, T, heads * d)), heads
        yield compare(f"{heads} heads of width {d}", student.split_heads(*args), reference.split_heads(*args), hint)


def merge_heads(student, rng):
    hint = "does a token's row hold the d numbers of head 0, then those of head 1, and so on?"
    for B, heads, T, d in [(2, 3, 5, 4), (3, 2, 4, 6), (5, 4, 2, 3), (4, 5, 3, 2), (1, 2, 3, 4)]:
        x = rng.normal(size=(B, heads, T, d))
        yield compare(f"{heads} heads of width {d}", student.merge_heads(x), reference.merge_heads(x), hint)


def multi_head_attention(student, rng):
    hint = "queries from X, keys and values from the memory, each head for itself, √d_k of one head, then W_O?"
    for law, weight, args in _calls(rng):
        reply, expected = student.multi_head_attention(*args), reference.multi_head_attention(*args)
        yield compare(law, reply, expected, hint, weight, BOTH)


def multi_head_attention_backward(student, rng):
    hint = "compare with central differences; the matrices' gradients are summed over sentences and positions"
    for (law, weight, (X, memory, parameters, heads, *mask)), size in zip(_calls(rng), itertools.cycle(SIZES)):
        output, weights = reference.multi_head_attention(X, memory, parameters, heads, *mask)
        args = size * rng.normal(size=output.shape), X, memory, parameters, heads, weights
        expected = flat(reference.multi_head_attention_backward(*args), NAMES)
        reply, problem = told(student.multi_head_attention_backward(*args), ["d_X", "d_memory"], NAMES)
        judged = compare(law, reply, expected, hint, weight, ["d_X", "d_memory", *NAMES])
        yield Verdict(law, False, problem, weight) if problem else judged


def parameter_count(student, rng):
    hint = "W_Q and W_K have d_model rows and h·d_k columns, W_V h·d_v, and W_O h·d_v rows; there are no biases"
    for law, (d_model, heads, d_k, d_v) in [
        ("heads that share the width evenly", (12, 3, 4, 4)),
        ("values wider than keys", (10, 2, 3, 7)),
        ("heads that are wider together than the model", (6, 4, 5, 3)),
        ("one head, narrower than the model", (9, 1, 2, 5)),
        ("many narrow heads", (24, 8, 2, 1)),
    ]:
        args = d_model, heads, d_k, d_v
        yield compare(law, student.parameter_count(*args), reference.parameter_count(*args), hint)


def previous_token_head(student, rng):
    for vocabulary, length in [(4, 6), (9, 5), (3, 8), (1, 4)]:
        _, X = _sentence(rng, vocabulary, length)
        before = np.eye(length, k=-1)
        wanted = np.hstack([before @ X[:, :vocabulary], np.zeros((length, length))])
        reply = student.previous_token_head(vocabulary, length)
        size = f"{vocabulary} words, {length} positions"
        yield from _does(size, reply, X, X, None, before, wanted, slice(1, None))
        causal = np.tri(length, dtype=bool)
        yield from _does(f"{size}, causal", reply, X, X, causal, before, wanted, slice(1, None))


def matching_token_head(student, rng):
    for vocabulary, length in [(5, 8), (3, 7), (8, 6), (1, 4)]:
        words, X = _sentence(rng, vocabulary, length)
        same = (words[:, None] == words) / (words[:, None] == words).sum(axis=1, keepdims=True)
        wanted = np.hstack([np.zeros((length, vocabulary)), same])
        reply = student.matching_token_head(vocabulary, length)
        yield from _does(f"{vocabulary} words, {length} positions", reply, X, X, None, same, wanted)
    vocabulary, length = 7, 6
    _, X = _sentence(rng, vocabulary, length, distinct=True)
    order = rng.permutation(length)
    memory = np.hstack([X[order, :vocabulary], np.eye(length)])
    same = np.eye(length)[np.argsort(order)]
    wanted = np.hstack([np.zeros((length, vocabulary)), same])
    reply = student.matching_token_head(vocabulary, length)
    yield from _does("a memory with the same words in another order", reply, X, memory, None, same, wanted)


# A head is judged by what it does: its matrices run in the reference.


def _does(what, reply, X, memory, mask, looks, hands_over, rows=slice(None)):
    """Two verdicts on the head that a student programmed: where it looks, and what it hands over."""
    laws = [f"{what}: where it looks", f"{what}: what it hands over"]
    parameters, problem = _matrices(reply, X.shape[1])
    if problem:
        return [Verdict(law, False, problem) for law in laws]
    output, weights = reference.multi_head_attention(X[None], memory[None], parameters, 1, mask)
    there = _near(weights[0, 0, rows], looks[rows])
    hints = ["the weights are not those: look at W_Q and W_K, and at the scale",
             "it is not what should be handed over: look at W_V and W_O, once the weights are right"]
    passed = [there, there and _near(output[0, rows], hands_over[rows])]
    return [Verdict(*each) for each in zip(laws, passed, hints, strict=True)]


def _matrices(reply, d_model):
    """The four matrices of a reply as float64, and what is wrong with them if they do not make one head."""
    if reply.error is not None:
        return None, compare("", reply, 0).hint
    if not isinstance(reply.value, dict) or set(reply.value) != set(NAMES):
        return None, f"expected a dictionary of {', '.join(NAMES)}"
    kinds = [np.asarray(reply.value[name]) if isinstance(reply.value[name], np.ndarray | list) else None
             for name in NAMES]
    if any(a is None or a.ndim != 2 or a.dtype.kind not in "fiub" or a.size > 10**6 for a in kinds):
        return None, "expected four matrices of real numbers"
    matrices = {name: a.astype(float) for name, a in zip(NAMES, kinds, strict=True)}
    shapes = [a.shape for a in matrices.values()]
    (m, k), (m2, k2), (m3, v), (v2, m4) = shapes
    if {m, m2, m3, m4} != {d_model} or k != k2 or v != v2 or 0 in (k, v):
        return None, f"expected {d_model} rows in W_Q, W_K, W_V, as many columns in W_O, and widths that fit"
    if not all(np.isfinite(a).all() for a in matrices.values()):
        return None, "contains nan or inf"
    return matrices, None


def _near(got, expected):
    return bool(np.isfinite(got).all() and np.allclose(got, expected, rtol=0, atol=1e-6))


def _sentence(rng, vocabulary, length, distinct=False):
    """Words (T,) and the rows that a programmed head reads: (T, vocabulary + T)."""
    words = rng.permutation(vocabulary)[:length] if distinct else rng.integers(vocabulary, size=length)
    if not distinct:
        words[[1, -1]] = words[0]  # a word that stands in three places
    return words, np.hstack([np.eye(vocabulary)[words], np.eye(length)])


# Cases


def _attentions(rng):
    """(law, arguments of `scaled_dot_product_attention`), all with two leading axes."""
    for law, B, h, T, S, d_k, d_v, kind in [
        ("without a mask", 2, 3, 4, 5, 6, 7, None),
        ("one mask for all, with a row that may look nowhere", 3, 2, 5, 4, 7, 6, "shared"),
        ("a mask for each sentence, with rows that may look nowhere", 4, 3, 2, 6, 5, 3, "own"),
        ("a causal mask", 2, 4, 5, 3, 6, 2, "causal"),
    ]:
        Q, K, V = (rng.normal(size=(B, h, *shape)) for shape in [(T, d_k), (S, d_k), (S, d_v)])
        yield law, (Q, K, V, *_masks(rng, kind, B, T, S))


def _narrow(rng):
    """The same, with axes of length 1."""
    for law, B, h, T, S, d_k, d_v, kind in [
        ("one head, a single query, with a mask for each sentence", 2, 1, 1, 5, 16, 3, "own"),
        ("one sentence, a single key, widths of one, with a mask", 1, 3, 4, 1, 1, 1, "shared"),
        ("one sentence, a single query", 1, 2, 1, 4, 4, 1, None),
    ]:
        Q, K, V = (_eighths(rng, B, h, *shape) for shape in [(T, d_k), (S, d_k), (S, d_v)])
        yield law, (Q, K, V, *_masks(rng, kind, B, T, S))


def _far_from_zero(rng):
    """(law, arguments of `scaled_dot_product_attention`): scores near 16384 in each second row, near -16384 in the
    others, and twice as far for the first key, which masks hide. Values are large, too; float32 holds all of it."""
    wide = [_eighths(rng, 3, 2, length, 16) for length in (6, 5, 5)]
    cases = [
        ("rows of scores near 16000 and near -16000", wide),
        ("the same beside hidden scores, and rows that may look nowhere", (*wide, *_masks(rng, "own", 3, 6, 5))),
        *((f"{law}, far from 0", args) for law, args in _narrow(rng)),
    ]
    for law, (Q, K, V, *masks) in cases:
        Q, K = Q.copy(), K + 1024 * np.eye(1, K.shape[-1])
        Q[..., ::2, 0], Q[..., 1::2, 0] = 64, -64
        K[..., 0, 0] *= 2
        yield law, (Q, K, 1000 * V, *map(_without_the_first, masks))


def _eighths(rng, *shape):
    """Random multiples of 1/8, whose products are exact in float32 too."""
    return np.round(8 * rng.normal(size=shape)) / 8


def _masks(rng, kind, B, T, S):
    """No mask or one, with holes: in the first row nothing is seen, in each other one something."""
    if kind is None:
        return []
    if kind == "causal":
        return [np.tri(T, S, dtype=bool)]
    mask = rng.random(size=(T, S) if kind == "shared" else (B, 1, T, S)) < 0.6
    rows = mask.reshape(-1, S)
    rows[np.arange(len(rows)), rng.integers(S, size=len(rows))] = True
    rows[0] = False
    return [mask]


def _without_the_first(mask):
    """The mask, with the first key hidden; a row that saw it and nothing else sees the last one."""
    alone = mask[..., 0] & ~mask[..., 1:].any(axis=-1)
    mask[..., 0] = False
    mask[..., -1] |= alone
    return mask


def _calls(rng):
    """(law, weight, arguments of `multi_head_attention`)."""
    for law, weight, size, B, T, S, d_model, heads, d_k, d_v, kind in [
        ("self-attention without a mask", 1, 1, 3, 5, None, 6, 2, 4, 7, None),
        ("cross-attention: a memory of another length", 1, 1, 2, 4, 7, 5, 3, 6, 2, None),
        ("a causal mask for all sentences, with a past", 1, 1, 2, 4, 6, 7, 3, 2, 5, "causal"),
        ("sentences of different lengths, one without words", 2, 1, 4, 5, 5, 6, 2, 3, 7, "padding"),
        ("a mask for each sentence, as many heads as sentences", 3, 1, 3, 4, 6, 7, 3, 2, 5, "own"),
        ("one head is the attention of lab 05 between two products", 1, 1, 4, 3, 3, 6, 1, 2, 7, None),
        ("a mask for all sentences, as many as positions; large scores", 1, 40, 4, 4, 4, 5, 2, 3, 2, "causal"),
        ("one sentence with a single word, heads of width 1", 1, 1, 1, 1, 5, 4, 2, 1, 1, "own"),
        ("one word, and a memory of one word or of none", 1, 1, 2, 1, 1, 4, 1, 1, 1, "padding"),
    ]:
        X = size * rng.normal(size=(B, T, d_model))
        memory = X if S is None else size * rng.normal(size=(B, S, d_model))
        widths = [(d_model, heads * d_k), (d_model, heads * d_k), (d_model, heads * d_v), (heads * d_v, d_model)]
        parameters = {name: rng.normal(size=shape) / 2 for name, shape in zip(NAMES, widths, strict=True)}
        yield law, weight, (X, memory, parameters, heads, *_seen(rng, kind, B, T, S))


def _seen(rng, kind, B, T, S):
    if kind is None:
        return []
    if kind == "causal":
        return [np.tri(T, S, k=S - T, dtype=bool)]
    if kind == "padding":
        lengths = np.array([2, 0, 4, 3])[:B]
        return [np.arange(S) < lengths[:, None, None]]
    mask = rng.random(size=(B, T, S)) < 0.5
    mask[:, 0] = np.arange(S) == np.arange(B)[:, None]  # unlike in each sentence
    return [mask]
