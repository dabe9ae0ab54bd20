"""The visible checks of lab 06. Each takes the student's function and states the laws that it should keep.

What is expected is worked out sentence by sentence, head by head and query by query; gradients by central differences.
"""

import numpy as np

from coursekit.check import as_array, ask, laws, rounded, visible_check
from coursekit.gradient_check import numerical_gradient
from coursekit.verdicts import Verdict, compare

FOUR = ("W_Q", "W_K", "W_V", "W_O")
NAMES = ("d_Q", "d_K", "d_V")
LINEAR = "for a gradient that is a thousand times as large, all results are a thousand times as large"


@visible_check
def scaled_dot_product_attention(attention):
    Q, K, V = _heads(1, 2, 3, 4, 5, 2, 3)
    reply = ask(attention, Q, K, V)
    law = "two sentences, three heads: output (B, h, T, d_v) = (2, 3, 4, 3), weights (B, h, T, S) = (2, 3, 4, 5)"
    yield laws.results(reply, {"output": (2, 3, 4, 3), "weights": (2, 3, 4, 5)}, law=law)
    hint = _attention_slip(reply, Q, K, V) or "softmax(Q Kᵀ / √d_k) V: does each row, over the keys, sum to 1?"
    yield _looks("the weights are softmax(Q Kᵀ / √d_k), the output is blended by them", reply, (Q, K, V, None), hint)
    mask = np.tri(4, 5, dtype=bool)
    hint = "True means: may look; and the mask acts on the scores, before the softmax"
    yield _looks("a mask for all of them, (T, S)", ask(attention, Q, K, V, mask), (Q, K, V, mask), hint)
    own = np.array([[True, False, True, True, False], [False] * 5])[:, None, None]
    hint = "a row that may look nowhere has weights and output 0, neither nan nor a mean; and masks may have holes"
    law = "a mask for each sentence, (B, 1, 1, S), one with holes; the second may look nowhere: zeros"
    yield _looks(law, ask(attention, Q, K, V, own), (Q, K, V, own), hint)
    yield from _far(attention)
    one = _heads(3, 1, 1, 1, 5, 1, 1)
    hint = "axes of length 1 stay: count axes from the right, squeeze none"
    law = "one sentence, one head, one query, widths of 1: still four axes"
    yield _looks(law, ask(attention, *one), (*one, None), hint)
    one = _heads(4, 2, 1, 3, 1, 2, 1)
    yield _looks("a single key: its weight is 1", ask(attention, *one), (*one, None), hint)


def _looks(law, reply, case, hint):
    """A verdict on what attention on (Q, K, V, mask) returned."""
    return _both(law, reply, _seen(case), hint)


def _both(law, reply, expected, hint):
    """A verdict on output and weights, by these names."""
    return compare(law, reply, expected, hint, names=("output", "weights"))


def _attention_slip(reply, Q, K, V):
    """What to say of known slips on the way to the weights; "" for any other."""
    d_k, S, d_v = Q.shape[-1], K.shape[-2], V.shape[-1]
    slips = [
        (d_k**0.5, "the scores are not divided by √d_k"),
        (d_k**-0.5, "the scores are divided by d_k: divide by its root"),
        ((d_k / S) ** 0.5, "the scores are divided by the root of S, the number of keys: d_k is the last axis of Q"),
        ((d_k / d_v) ** 0.5, "the scores are divided by the root of the width of V: d_k is the last axis of Q"),
    ]
    powers = np.exp(Q @ K.swapaxes(-1, -2) / d_k**0.5)
    wrong = [(_seen((factor * Q, K, V, None))[1], said) for factor, said in slips]
    wrong += [(powers / powers.sum(axis=-2, keepdims=True),
               "the softmax ran over the queries: each row, over the keys, sums to 1, axis=-1"),
              (powers / powers.sum(), "all weights together sum to 1: each row does, axis=-1, keepdims=True")]
    return laws.slip(laws.result(reply, 1), wrong)


def _far(attention):
    """Verdicts on rows of scores near 16000 and near -16000, and on the same beside hidden scores twice as far."""
    Q, K, V = map(np.round, _heads(1, 2, 3, 4, 5, 4, 3))
    Q[..., 0], K[..., 0], V = [8, -8, 8, -8], K[..., 0] + 4096, 1000 * V
    K[..., 0, 0] *= 2
    hint = "np.exp overflows above 709: subtract the largest score of each row first, with axis=-1 and keepdims=True"
    law = "scores near 16000 in some rows, near -16000 in others: each row has its own largest one"
    yield _looks(law, ask(attention, Q, K, V), (Q, K, V, None), hint)
    mask = np.array([False, True, True, False, True])
    hint = "subtract the largest VISIBLE score: hide the others with -np.inf first, then take the maximum"
    law = "a mask of one axis, (S,): hidden scores, twice as far from 0, have no effect"
    yield _looks(law, ask(attention, Q, K, V, mask), (Q, K, V, mask), hint)


@visible_check
def scaled_dot_product_attention_backward(backward):
    Q, K, V = _heads(2, 2, 3, 2, 4, 5, 3)
    mask = np.array([[True, False, True, True], [False] * 4])
    weights = _seen((Q, K, V, mask))[1]
    d_output = np.random.RandomState(9).randn(2, 3, 2, 3)

    def loss():
        return (_seen((Q, K, V, mask))[0] * d_output).sum()

    found = ask(backward, d_output, Q, K, V, weights)
    law = "three gradients, d_Q, d_K, d_V, of the shapes of Q, K and V"
    yield laws.results(found, {"d_Q": Q.shape, "d_K": K.shape, "d_V": V.shape}, law=law)
    advice = ["the softmax backward, then K, then 1/√d_k", "the softmax backward, then Q, then 1/√d_k",
              "it is the transposed weights times d_output"]
    slips = [*_backward_slips(d_output, Q, K, V, weights), []]
    for name, array, got, hint, known in zip(NAMES, (Q, K, V), found.value, advice, slips, strict=True):
        law = f"{name} agrees with central differences"
        yield laws.equals(law, got, numerical_gradient(loss, array), f"{name}: {hint}", known)
    large = ask(backward, 1000 * d_output, Q, K, V, weights)
    expected = tuple(1000 * as_array(each) for each in found.value)
    yield compare(LINEAR, large, expected, "clip and round nothing", names=NAMES)
    one = _heads(3, 1, 1, 1, 1, 1, 1)
    d_output, nothing = np.full((1, 1, 1, 1), 0.7), np.zeros((1, 1, 1, 1))
    law = "one query and one key, whose weight is always 1: d_Q and d_K are 0, d_V is d_output, all of four axes"
    hint = "axes of length 1 stay: count axes from the right, squeeze none"
    reply = ask(backward, d_output, *one, np.ones((1, 1, 1, 1)))
    yield compare(law, reply, (nothing, nothing, d_output), hint, names=NAMES)


def _backward_slips(d_output, Q, K, V, weights):
    """Two lists, for d_Q and for d_K, of (what a known slip leads to, what to say of it)."""
    d_weights, root = d_output @ V.swapaxes(-1, -2), Q.shape[-1] ** 0.5
    product = weights * d_weights
    right = product - weights * product.sum(axis=-1, keepdims=True)
    wrong = [
        (d_weights / root, "the softmax is left out: dα is not yet de"),
        (product / root, "the average is missing: subtract Σ α dα of the row from dα before you multiply by α"),
        ((product - weights * d_weights.mean(axis=-1, keepdims=True)) / root,
         "you subtracted the plain mean of dα: it is the average by the weights, Σ α dα"),
        ((product - weights * product.sum(axis=-2, keepdims=True)) / root,
         "the average ran over the queries: each row has its own, axis=-1, keepdims=True"),
        (right, "the root is missing: divide by √d_k on the way back too"),
        (right / root**2, "it is divided by d_k, or by the root twice: once by √d_k"),
        (right / V.shape[-1] ** 0.5, "it is divided by the root of the width of V: d_k is the last axis of Q"),
        (-right / root, "the sign is turned round"),
    ]
    of_Q = [(d_scores @ K, said) for d_scores, said in wrong]
    return of_Q, [(d_scores.swapaxes(-1, -2) @ Q, said) for d_scores, said in wrong]


@visible_check
def split_heads(split_heads):
    x = np.arange(24.0).reshape(1, 4, 6)
    reply = ask(split_heads, x, 2)
    law = "one sentence of four tokens, width 6, two heads: (B, h, T, d) = (1, 2, 4, 3)"
    yield laws.shape(law, reply, (1, 2, 4, 3))
    expected = np.stack([x[:, :, :3], x[:, :, 3:]], axis=1)
    slips = [
        (x.reshape(1, 2, 4, 3), "head 0 holds tokens 0 and 1 alone: a reshape to (B, h, T, d) cuts the sentence, "
         "not the rows. Reshape to (B, T, h, d), then exchange the two axes"),
        (np.stack([x[:, :, ::2], x[:, :, 1::2]], axis=1), "head 0 got every second column: it gets the first three"),
        (expected[:, ::-1], "the heads come in reverse"),
    ]
    law = "head 0 has the columns 0, 1, 2 of every token, head 1 the columns 3, 4, 5"
    yield laws.equals(law, reply, expected, slips=slips)
    x = np.random.RandomState(0).randn(2, 3, 8)
    reply = ask(split_heads, x, 4)
    yield laws.shape("two sentences of three tokens, width 8, four heads: (2, 4, 3, 2)", reply, (2, 4, 3, 2))
    law = "head i of sentence b holds x[b, :, 2i : 2i + 2]"
    yield laws.equals(law, reply, np.stack(np.split(x, 4, axis=2), axis=1), "each sentence keeps its own tokens")
    one = ask(split_heads, x[:1, :1, :2], 1)
    yield laws.equals("one token, one head: (1, 1, 1, 2), axes of length 1 stay", one, x[:1, :1, None, :2])
    one = ask(split_heads, x[:1, :, :2], 2)
    yield laws.equals("heads of width 1: (1, 2, 3, 1)", one, x[:1, :, :2].transpose(0, 2, 1)[..., None])


@visible_check
def merge_heads(merge_heads):
    first = np.array([[0.0, 1, 2], [6, 7, 8], [12, 13, 14], [18, 19, 20]])
    x = np.stack([first, first + 3])[None]
    reply = ask(merge_heads, x)
    yield laws.shape("one sentence, two heads, four tokens, width 3: (B, T, h·d) = (1, 4, 6)", reply, (1, 4, 6))
    expected = np.arange(24.0).reshape(1, 4, 6)
    slips = [
        (x.reshape(1, 4, 6), "row 0 holds two tokens of one head: exchange the axes before you reshape"),
        (x.transpose(0, 2, 3, 1).reshape(1, 4, 6), "the heads' columns are interleaved: those of head 0 come first"),
        (np.concatenate([first + 3, first], axis=1)[None], "head 0's piece comes first"),
    ]
    yield laws.equals("token 0 is [0 1 2] of head 0 and [3 4 5] of head 1", reply, expected, slips=slips)
    x = np.random.RandomState(0).randn(2, 4, 3, 2)
    right = np.concatenate(list(x.transpose(1, 0, 2, 3)), axis=-1)
    advice = "each token's row holds all heads in order"
    yield laws.equals("two sentences, four heads", ask(merge_heads, x), right, advice)
    one = ask(merge_heads, x[:1, :1, :1])
    yield laws.equals("one token, one head: (1, 1, 2), axes of length 1 stay", one, x[:1, 0, :1])
    one = ask(merge_heads, x[:1, :, :1, :1])
    yield laws.equals("one token, heads of width 1: (1, 1, 4)", one, x[:1, :, :1, 0].transpose(0, 2, 1))


@visible_check
def multi_head_attention(multi_head):
    X, memory, p, heads, _ = case = _case(3, 2, 4, 5, 7, 3, 2, 3)
    reply = ask(multi_head, X, memory, p, heads)
    law = "cross-attention: output (B, T, d_model) = (2, 4, 7), weights (B, h, T, S) = (2, 3, 4, 5)"
    yield laws.results(reply, {"output": (2, 4, 7), "weights": (2, 3, 4, 5)}, law=law)
    yield _weights("the weights of each head", reply.value[1], case)
    hint = "the weights are right: look at W_V, which meets the memory, at the merging and at W_O"
    law = "the output: what all heads found, side by side, times W_O"
    yield laws.equals(law, reply.value[0], _by_heads(case)[0], hint)
    law = "self-attention is the same function with memory = X"
    yield _both(law, ask(multi_head, X, X, p, heads), _by_heads((X, X, p, heads, None)), "queries come from X")
    for law, mask, hint, axis in _masks():
        yield _masked(law, multi_head, (X, memory, p, heads, mask), hint, axis)
    order = np.array([3, 0, 4, 2, 1])
    output, weights = _by_heads(case)
    law = "a memory in another order: the same output, and weights in that order"
    yield _both(law, ask(multi_head, X, memory[:, order], p, heads), (output, weights[..., order]), "see above")
    single = _case(4, 2, 4, 5, 6, 1, 2, 3)
    law = "one head is the attention of lab 05 between two products"
    yield _both(law, ask(multi_head, *single[:4]), _by_heads(single), "d_k is the width of a head: here all of it")
    yield from _equal_sizes(multi_head)
    one = _case(8, 1, 1, 4, 3, 1, 1, 1)
    law = "one sentence, one word, one head of width 1: output (1, 1, 3), weights (1, 1, 1, 4)"
    yield _both(law, ask(multi_head, *one), _by_heads(one), "axes of length 1 stay")


def _equal_sizes(multi_head):
    """Verdicts on as many sentences and heads as words, in X and in the memory: nothing may be told by its length."""
    X, memory, p, heads, _ = case = _case(7, 3, 3, 3, 4, 3, 2, 2)
    law = "three sentences, heads, words and words of the memory: the memory is still not X"
    yield _both(law, ask(multi_head, *case), _by_heads(case), "keys and values come from the memory, of any shape")
    law, causal = "there a mask (T, S) is for all sentences", np.tri(3, dtype=bool)
    hint = "go by the number of axes of a mask, not by its lengths"
    yield _both(law, ask(multi_head, *case[:4], causal), _by_heads((*case[:4], causal)), hint)
    large, hint = (100 * X, 100 * memory, p, heads, causal), "large scores: is the attention that of exercise 1?"
    yield _both("with numbers a hundred times as large", ask(multi_head, *large), _by_heads(large), hint)
    own = X, memory, p, heads, np.arange(3) < np.array([[[1]], [[3]], [[2]]])
    hint = "a mask (B, 1, S) belongs to the sentences, not to the heads: mask[..., None, :, :]"
    yield _both("and a mask (B, 1, S) is for each sentence", ask(multi_head, *own), _by_heads(own), hint)


@visible_check
def multi_head_attention_backward(backward):
    X, memory, p, heads, _ = case = _case(5, 2, 3, 4, 5, 2, 2, 3, masked=True)
    weights = _by_heads(case)[1]
    d_output = np.random.RandomState(8).randn(2, 3, 5)

    def loss():
        return (_by_heads(case)[0] * d_output).sum()

    reply = ask(backward, d_output, X, memory, p, heads, weights)
    yield _three(reply)
    law = "d_X has the shape of X, (2, 3, 5), and d_memory that of the memory, (2, 4, 5)"
    yield laws.results(reply.value[:2], {"d_X": X.shape, "d_memory": memory.shape}, law=law)
    arrays, found = {"d_X": X, "d_memory": memory, **p}, _by_name(reply)
    expected = {name: numerical_gradient(loss, array) for name, array in arrays.items()}
    advice = _advice(case, d_output, expected, found)
    for name in ("W_O", "W_V", "W_Q", "W_K", "d_memory", "d_X"):
        law = f"{name if name.startswith('d_') else 'the gradient of ' + name} agrees with central differences"
        yield laws.equals(law, found[name], expected[name], f"{name}: {advice[name]}")
    large = ask(backward, 1000 * d_output, X, memory, p, heads, weights)
    yield _all(LINEAR, large, {name: 1000 * each for name, each in expected.items()}, "clip and round nothing")
    yield from _apart(backward)
    yield _of_one(backward)


def _of_one(backward):
    """A verdict on one sentence, one word, one head and widths of 1, where the weight is always 1."""
    p, one = dict(zip(FOUR, np.array([2.0, 3, 5, 7])[:, None, None], strict=True)), np.ones((1, 1, 1))
    reply = ask(backward, one, 11 * one, 13 * one, p, 1, one[None])
    expected = {"d_X": 0 * one, "d_memory": 35 * one, "W_Q": 0 * one[0], "W_K": 0 * one[0], "W_V": 91 * one[0],
                "W_O": 65 * one[0]}
    law = "one of all: d_memory is W_O W_V, d_X is 0, both (1, 1, 1)"
    return _all(law, reply, expected, "axes of length 1 stay: count axes from the right, squeeze none")


def _by_name(reply):
    d_X, d_memory, gradients = reply.value
    return {"d_X": d_X, "d_memory": d_memory, **gradients}


def _all(law, reply, expected, hint):
    """A verdict on all results together, by their names."""
    found = _by_name(reply)
    wrong = [name for name, right in expected.items() if not laws.equals("", found[name], right).passed]
    return Verdict(law, not wrong, f"{', '.join(wrong)}: {hint}")


def _apart(backward):
    """Verdicts on a memory that has the shape of X, and on one that is X: the caller adds, the function does not."""
    X, other, p, heads, _ = _case(6, 2, 4, 4, 5, 3, 2, 2)
    d_output = np.random.RandomState(3).randn(2, 4, 5)
    for law, memory in [("a memory as long as X", other), ("memory is X, and still both come apart", X)]:
        case = (X, memory.copy(), p, heads, None)  # a copy: a step in one of them leaves the other

        def loss(case=case):
            return (_by_heads(case)[0] * d_output).sum()

        reply = ask(backward, d_output, X, memory, p, heads, _by_heads(case)[1])
        if not (form := _three(reply)).passed:
            yield form
        for name, got, array in [("d_X", reply.value[0], case[0]), ("d_memory", reply.value[1], case[1])]:
            hint = f"{name}: did you add the two? Only the caller knows whether the memory was X"
            yield laws.equals(f"{law}: {name}", got, numerical_gradient(loss, array), hint)


@visible_check
def parameter_count(parameter_count):
    paper = ask(parameter_count, 512, 8, 64, 64)
    slips = [(1_050_624, "there are no biases"), (786_432, "W_O is missing"), (131_072, "that is one head")]
    law = "the paper's eight heads of 64 at d_model = 512: 4 · 512² = 1,048,576"
    yield laws.equals(law, paper, 1_048_576, _counted(paper), slips)
    one = ask(parameter_count, 512, 1, 512, 512)
    yield laws.equals("one head of 512 has as many", one, 1_048_576, _counted(one))
    odd = ask(parameter_count, 6, 3, 2, 7)
    yield laws.equals("d_model 6, three heads with keys of 2 and values of 7", odd, 324, _counted(odd))


def _counted(reply):
    count = as_array(reply.value)
    shown = f"{float(count):,.10g}" if count.ndim == 0 and count.dtype.kind in "fiu" else rounded(count)
    return f"got {shown}: count each matrix from its shape, rows times columns"


@visible_check
def previous_token_head(previous_token_head):
    _, X = _one_hot("a b a c b", 5)
    reply = ask(previous_token_head, 3, 5)
    yield _matrices("a dictionary of W_Q, W_K, W_V with 3 + 5 rows and W_O with as many columns", reply, 8)
    output, weights = _run(reply, X)
    slips = [
        (np.eye(5, k=1), "each token looks at the one after: in W_Q row i asks, so the 1 stands in column i - 1"),
        (np.eye(5), "each token looks at itself: shift the queries by one"),
        (np.eye(5, k=-2), "each token looks two back"),
    ]
    advice = next((text for w, text in slips if _alike(weights[2:4], w[2:4])), None)
    advice = advice or _where_it_looks(reply, weights[1:], np.eye(5)[:4], "position", slice(3, None), slice(3))
    law = "tokens 1 to 4 look at the token before, with weight 1"
    yield Verdict(law, laws.near(weights[1:], np.eye(5)[:4]), advice)
    yield _handed("they hand over which word it is", output[1:, :3], X[:4, :3], output)
    yield _handed("and nothing in the part of the positions", output[1:, 3:], 0 * output[1:, 3:], output)
    _, X = _one_hot("d b a i c h e g f d b a", 12)
    wanted = np.hstack([X[:11, :9], np.zeros((11, 12))])
    yield from _of_another_size(previous_token_head, X, 9, slice(1, None), np.eye(12)[:11], wanted)
    _, X = _one_hot("a a a", 3)
    wanted = np.hstack([X[:2, :1], np.zeros((2, 3))])
    yield from _of_another_size(previous_token_head, X, 1, slice(1, None), np.eye(3)[:2], wanted)


@visible_check
def matching_token_head(matching_token_head):
    words, X = _one_hot("a b a c b", 5)
    reply = ask(matching_token_head, 3, 5)
    yield _matrices("a dictionary of W_Q, W_K, W_V with 3 + 5 rows and W_O with as many columns", reply, 8)
    output, weights = _run(reply, X)
    same = _same(words)
    advice = _where_it_looks(reply, weights, same, "word", slice(3), slice(3, None))
    if _alike(weights, np.eye(5)):
        advice = "each token finds itself alone: queries and keys should hold the word, and not the position"
    if weights[same > 0].max() < 1e-3:
        advice = "each token looks at the other words: the score of a match must be the larger one"
    yield Verdict("each token looks at all places of its word, evenly", laws.near(weights, same), advice)
    yield _handed("it hands over where they are", output[:, 3:], same, output)
    yield _handed("and nothing in the part of the words", output[:, :3], 0 * output[:, :3], output)
    for words, X in [_one_hot("d b a i c h e g f d b a", 12), _one_hot("a a a", 3)]:
        of = X.shape[1] - len(words)
        wanted = np.hstack([np.zeros((len(words), of)), _same(words)])
        yield from _of_another_size(matching_token_head, X, of, slice(None), _same(words), wanted)


def _of_another_size(head, X, vocabulary, rows, looks, wanted):
    """Verdicts on other sizes: nothing may be written for three words and five positions alone."""
    length, width = X.shape
    reply = ask(head, vocabulary, length)
    law = f"another size, vocabulary {vocabulary}, length {length}: {width} rows, and {width} columns in W_O"
    yield _matrices(law, reply, width)
    output, weights = _run(reply, X)
    hint = _too_soft(weights[rows], looks) or "do your W_Q and W_K depend on `vocabulary` and `length`, not on 3 and 5?"
    yield Verdict("there it looks at the same places", laws.near(weights[rows], looks), hint)
    hint = _times(output[rows], wanted) or "do your W_V and W_O depend on `vocabulary` and `length`, not on 3 and 5?"
    yield Verdict("and hands over the same", laws.near(output[rows], wanted), hint)


# What is expected


def _seen(case):
    """(output, weights) of attention on (Q, K, V, mask), query by query."""
    Q, K, V, mask = case
    leading, T, S = Q.shape[:-2], Q.shape[-2], K.shape[-2]
    may = np.broadcast_to(True if mask is None else mask, (*leading, T, S))
    output, weights = np.zeros((*leading, T, V.shape[-1])), np.zeros((*leading, T, S))
    for *head, i in np.ndindex(*leading, T):
        k, v, here, seen = K[tuple(head)], V[tuple(head)], (*head, i), may[(*head, i)]
        scores = np.where(seen, k @ Q[here] / Q.shape[-1] ** 0.5, -np.inf)
        powers = np.exp(scores - max(scores.max(), -1e300))
        weights[here] = powers / max(powers.sum(), 1e-300)
        output[here] = weights[here] @ v
    return output, weights


def _by_heads(case):
    """(output, weights) of (X, memory, parameters, heads, mask), head by head: no reshape, no transpose."""
    X, memory, p, heads, mask = case
    d_k, d_v = p["W_Q"].shape[1] // heads, p["W_V"].shape[1] // heads
    output, weights = 0, []
    for i in range(heads):
        k, v = slice(i * d_k, (i + 1) * d_k), slice(i * d_v, (i + 1) * d_v)
        found, looked = _seen((X @ p["W_Q"][:, k], memory @ p["W_K"][:, k], memory @ p["W_V"][:, v], mask))
        output, weights = output + found @ p["W_O"][v], [*weights, looked]
    return output, np.stack(weights, axis=1)


def _weights(law, got, case):
    """A verdict on the weights of cross-attention, which knows the likeliest slips."""
    X, memory, p, heads, _ = case
    hint = "queries are X W_Q, keys are memory W_K, each cut with split_heads; then the attention of every head"
    for factor, slip in [((2 / 7) ** 0.5, "d_model"), (3**-0.5, "h·d_k")]:
        scaled = _by_heads((X, memory, {**p, "W_Q": p["W_Q"] * factor}, heads, None))[1]
        if laws.near(got, scaled):
            hint = f"you divided by the root of {slip}: each head divides by the root of its own width, d_k"
    return laws.equals(law, got, _by_heads(case)[1], hint)


def _masked(law, multi_head, case, hint, axis):
    """A verdict under a mask, which may meet the wrong axes: NumPy's error does not say so."""
    try:
        return _both(law, ask(multi_head, *case), _by_heads(case), hint)
    except ValueError as error:
        if "broadcast" not in str(error):
            raise
        return Verdict(law, False, f"{error}\n  {hint}: {axis}")


def _masks():
    """(law, mask, hint, where its new axis belongs) for two sentences with four queries and five keys."""
    own = np.random.RandomState(7).rand(2, 4, 5) < 0.5
    own[..., 2] = True
    there = "give the mask an axis of length 1 there"
    fell = "did a new axis fall between T and S, as with mask[:, None]? Count from the right, mask[..., None, :, :]"
    return [
        ("a mask for all sentences, (T, S)", np.tri(4, 5, dtype=bool),
         "every head gets the same mask; True: may look", fell),
        ("padding, (B, 1, S): the second sentence has no words, its output is 0",
         np.arange(5) < np.array([[[3]], [[0]]]), "between B and T the weights have an axis of heads", there),
        ("a mask for each sentence, (B, T, S)", own, "between B and T the weights have an axis of heads", there),
    ]


def _advice(case, d_output, expected, found):
    """Where to look, for each gradient of exercise 6; it knows the likeliest slips."""
    other = "what it met, transposed, times what comes back; summed over sentences and positions"
    through = "d_output @ W_O.T goes through split_heads, which no reshape replaces, and then into exercise 2"
    advice = {
        "W_O": "it met the merged heads, weights @ V, V from split_heads: those transposed, times d_output, summed",
        "W_V": f"{other}. {through}",
        "W_Q": "X transposed, times d_Q; d_Q is divided by the root of one head's width",
        "W_K": other,
        "d_memory": "d_K goes back through W_K, d_V through W_V, and the two are added",
        "d_X": "through the queries and W_Q alone; what comes back to the memory is returned apart",
    }

    def loss():
        return (_by_heads((*case[:4], None))[0] * d_output).sum()

    if laws.near(found["W_O"], numerical_gradient(loss, case[2]["W_O"])):
        advice["W_O"] = "these are weights without the mask: use the `weights` that you were given, which know of it"
    for name, twin in [("W_Q", "W_K"), ("W_K", "W_Q")]:
        if laws.near(found[name], expected[twin]):
            advice[name] = f"this is the gradient of {twin}: are the two exchanged in the dictionary?"
    return advice


def _heads(seed, B, h, T, S, d_k, d_v):
    return laws.random(seed, (B, h, T, d_k), (B, h, S, d_k), (B, h, S, d_v))


def _case(seed, B, T, S, d_model, heads, d_k, d_v, masked=False):
    """Arguments of the exercise: X, memory, parameters, heads, mask."""
    stream = np.random.RandomState(seed)
    sizes = [(d_model, heads * d_k), (d_model, heads * d_k), (d_model, heads * d_v), (heads * d_v, d_model)]
    p = {name: stream.randn(*shape) / 2 for name, shape in zip(FOUR, sizes, strict=True)}
    mask = np.arange(S) < np.array([[[3]], [[4]]]) if masked else None
    return stream.randn(B, T, d_model), stream.randn(B, S, d_model), p, heads, mask


# A programmed head is judged by what it does


def _one_hot(text, length):
    """The words of a text, and the rows that a programmed head reads: the one-hot word and the one-hot position."""
    words = text.split()
    kinds = sorted(set(words))
    return words, np.hstack([np.eye(len(kinds))[[kinds.index(word) for word in words]], np.eye(length)])


def _matrices(law, reply, width):
    value = reply.value
    if not isinstance(value, dict) or set(value) != set(FOUR):
        return Verdict(law, False, f"got {laws.kind(value)}")
    shapes = [as_array(value[name]).shape for name in FOUR]
    numbers = all(as_array(value[name]).dtype.kind in "fiub" for name in FOUR)
    fits = numbers and all(len(shape) == 2 and 0 not in shape for shape in shapes)
    fits = fits and {shapes[0][0], shapes[1][0], shapes[2][0], shapes[3][1]} == {width}
    fits = fits and shapes[0] == shapes[1] and shapes[2][1] == shapes[3][0]
    return Verdict(law, fits, f"the shapes of W_Q, W_K, W_V, W_O are {shapes}")


def _run(reply, X):
    """Output (T, d_model) and weights (T, T) of one head with the matrices of a reply."""
    p = {name: as_array(reply.value[name]).astype(float) for name in FOUR}
    output, weights = _by_heads((X[None], X[None], p, 1, None))
    return output[0], weights[0, 0]


def _same(words):
    """Weights that spread evenly over the places of the same word."""
    same = np.array([[a == b for b in words] for a in words])
    return same / same.sum(axis=1, keepdims=True)


def _where_it_looks(reply, weights, wanted, part, own, other):
    """What is wrong with the scores: `own` are the rows of W_Q and W_K for the part that should make them."""
    W_Q, W_K = (as_array(reply.value[name]).astype(float) for name in ("W_Q", "W_K"))
    empty = [name for name, W in [("W_Q", W_Q), ("W_K", W_K)] if not W[own].any()]
    if empty:
        return f"the {part} rows of {' and '.join(empty)} are 0: the scores should come from the {part}s"
    if (W_Q[other] @ W_K.T).any() or (W_Q @ W_K[other].T).any():
        return f"not only the {part}s make the scores: leave the other rows of W_Q and W_K 0"
    return _too_soft(weights, wanted) or f"the rows are\n{rounded(weights)}"


def _too_soft(weights, wanted):
    """What to say where the largest weights stand at the right places, and too much is left for the others; else ""."""
    elsewhere = np.where(wanted > 0, 0, weights).max(axis=1)
    if elsewhere.max() < 1e-8 or not (np.where(wanted > 0, weights, np.inf).min(axis=1) > elsewhere).all():
        return ""
    return f"right, but a weight of {elsewhere.max():.1g} is left elsewhere: make the queries longer, as 100·√d_k"


def _handed(law, got, expected, output):
    hint = f"the output is\n{rounded(output)}\n  W_V picks what is handed over, W_O puts it in its place"
    return laws.equals(law, got, expected, _times(got, expected) or hint)


def _times(got, expected):
    """What to say where all of it is too large or too small by one factor; else ""."""
    factor = np.sum(got * expected) / max(np.sum(expected**2), 1e-300)
    if factor == 0 or not laws.near(got, factor * expected):
        return ""
    return f"it is {factor:.4g} times what it should be: W_V and W_O should pick and put it by ones alone"


def _alike(weights, other):
    """Nearly the same: a head whose queries are a little short looks at the places where a longer one does."""
    return np.allclose(weights, other, rtol=0, atol=1e-3)


def _three(reply):
    law = "three results: d_X, d_memory, and a dictionary with the gradients of W_Q, W_K, W_V, W_O"
    *arrays, last = laws.parts(reply.value, 3) or [None]
    if any(isinstance(each, dict) for each in arrays) and not isinstance(last, dict):
        return Verdict(law, False, "these are three results in another order: the dictionary comes last")
    return laws.gradients(law, reply, 3, FOUR)
