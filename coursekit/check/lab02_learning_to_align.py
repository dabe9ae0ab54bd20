"""The visible checks of lab 02. Each compares a gradient with numbers worked by hand, then with central differences."""

import numpy as np

from coursekit.check import as_array, ask, laws, rounded, visible_check
from coursekit.gradient_check import check_gradient
from coursekit.verdicts import Verdict

B, S, T, E, D, A = 2, 4, 3, 5, 6, 7
STAYS = "an axis of length 1 stays: no squeeze() without an axis"
JOINED = ("your three functions are right, so it is how they are joined: context, then softmax, then scores. Is each "
          "result handed to the next, in the order of its arguments?")
PASSED_ON = "return what scores_backward gives, d_query, d_keys and d_v, as it is"
GROWS = "nothing may be cut off or added on the way"
TYPES = "make new arrays with np.zeros_like, and neither np.float64 numbers nor casts"


@visible_check
def context_backward(context_backward):
    memory, weights = np.array([[[1.0, 0.0], [0.0, 1.0], [4.0, 4.0]]]), np.array([[0.1, 0.1, 0.8]])
    reply = ask(context_backward, np.array([[1.0, -2.0]]), weights, memory)
    yield laws.results(reply, {"d_weights": (1, 3), "d_memory": (1, 3, 2)})
    slips = [
        ([[1.0, 1.0, 8.0]], "these are the sums of the states: multiply each state by d_context first"),
        ([[0.1, -0.2, -3.2]], "you multiplied by the weights: a weight is not part of its own derivative"),
        ([[0.5, -1.0, -2.0]], "this is the mean over the width: a product of two vectors is a sum"),
    ]
    law = "three states of width 2, d_context = [1, -2]: d_weights is [1, -2, -4]"
    yield laws.equals(law, reply.value[0], [[1.0, -2.0, -4.0]], slips=slips)
    slips = [
        ([[[1.0, -2.0]] * 3], "every row got the whole of d_context: the first state enters the context as 0.1 h_1"),
        ([[[0.1, 0.0], [0.0, 0.1], [3.2, 3.2]]], "these are the weighted states: d_memory holds d_context"),
    ]
    expected = [[[0.1, -0.2], [0.1, -0.2], [0.8, -1.6]]]
    advice = f"{laws.got(reply.value[1])}\n  the first state enters the context as 0.1 h_1"
    yield laws.equals("the first row of d_memory is [0.1, -0.2]", reply.value[1], expected, advice, slips)

    case = _case()
    d_context, weights, memory = case["d_context"], case["weights"].copy(), case["memory"]
    weights[0, -1] = 0.0  # as on padding
    reply = ask(context_backward, d_context, weights, memory)
    yield laws.results(reply, {"d_weights": (B, S), "d_memory": (B, S, E)}, "a batch: ")

    def loss():
        return sum(d @ (w @ m) for d, w, m in zip(d_context, weights, memory, strict=True))

    advice = "does each sentence keep to its own arrays? And a weight of 0 has a slope like any other"
    yield laws.slope("d_weights agrees with central differences", loss, weights, reply.value[0], advice)
    yield laws.slope("d_memory agrees with central differences", loss, memory, reply.value[1], advice)
    single = ask(context_backward, *map(np.array, ([[200.0], [300.0]], [[1.0], [0.0]], [[[500.0]], [[700.0]]])))
    law = "two sentences of one word and one unit, the second hidden: "
    yield laws.results(single, {"d_weights": (2, 1), "d_memory": (2, 1, 1)}, law, advice=STAYS)
    yield laws.equals("d_weights is [[200 · 500], [300 · 700]]", single.value[0], [[1e5], [2.1e5]])
    yield laws.equals("d_memory is [[[200]], [[0]]]", single.value[1], [[[200.0]], [[0.0]]])


@visible_check
def softmax_backward(softmax_backward):
    weights, d_weights = np.array([[0.7, 0.2, 0.1], [0.1, 0.1, 0.8]]), np.array([[1.0, 0.0, 2.0], [1.0, 0.0, 2.0]])
    reply = ask(softmax_backward, weights, d_weights)
    yield laws.results(reply, {"d_scores": (2, 3)})
    law = "weights [0.7, 0.2, 0.1], d_weights [1, 0, 2]: their average is 0.9, d_scores [0.07, -0.18, 0.11]"
    advice = _softmax_slip(reply.value, weights, d_weights)
    yield laws.equals(law, reply.value[0], [0.07, -0.18, 0.11], advice)
    law = "a second row, weights [0.1, 0.1, 0.8]: its own average is 1.7, d_scores [-0.07, -0.17, 0.24]"
    yield laws.equals(law, reply.value[1], [-0.07, -0.17, 0.24], advice)

    scores, probe = laws.random(5, (2, 3, 1, 4), (2, 3, 1, 4))
    weights = _positive(scores)
    reply = ask(softmax_backward, weights, probe)
    yield laws.results(reply, {"d_scores": (2, 3, 1, 4)}, "four axes, one of length 1: ", advice=STAYS)
    advice = "the average runs over the last axis: axis=-1, keepdims=True"
    yield laws.slope("d_scores agrees with central differences", lambda: np.sum(_positive(scores) * probe), scores,
                 reply.value, advice)
    yield laws.sums("each row sums to 0", reply.value, 0, advice)

    hidden = np.array([[0.6, 0.4, 0.0], [0.0, 0.0, 0.0]])
    got = ask(softmax_backward, hidden, np.array([[1.0, 2.0, 1000.0], [1.0, 2.0, 3.0]])).value
    law = "a hidden position gets exactly 0, whatever stands in d_weights there"
    advice = f"got {rounded(as_array(got)[0])}: its weight is 0, so it has no share in the average either"
    yield laws.equals(law, as_array(got)[0], [-0.24, 0.24, 0.0], advice)
    yield laws.equals("a row that saw nothing gets zeros", as_array(got)[1], [0.0] * 3)
    one = ask(softmax_backward, hidden[0], np.array([1.0, 2.0, 1000.0]))
    advice = "the positions lie along the last axis, axis=-1, whatever stands in front"
    yield laws.equals("one row, no axis in front: shape (3,)", one, [-0.24, 0.24, 0.0], advice)
    large = ask(softmax_backward, hidden[:1], np.array([[3e5, 301000.01, 0.0]]))
    advice = "nothing may be cut off or lose digits on the way, and an axis of length 1 stays"
    law = "a matrix of one row, d_weights of 300,000 and 301,000.01: d_scores to the last digit"
    yield laws.equals(law, large, [[-240.0024, 240.0024, 0.0]], advice)
    small = ask(softmax_backward, weights.astype(np.float32), probe.astype(np.float32))
    yield laws.keeps_type(small, TYPES)
    yield laws.keeps_type(reply, TYPES, "float64")


def _softmax_slip(d_scores, a, d):
    """a and d are the weights and their gradients, (2, 3) both."""
    product = a * d
    row, column, plain = (product.sum(-1, keepdims=True), product.sum(0), d.mean(-1, keepdims=True))
    mean = product.mean(-1, keepdims=True)
    slips = [
        (product, "this is α ∘ d_α: the average was to be subtracted from d_α first"),
        (product * (1 - a), "α (1 - α) is the diagonal of the Jacobian alone: the other weights change too"),
        (product - a * plain, "you subtracted the plain mean, 1: it is the average by the weights"),
        (product - a * mean, "Σ α_k d_α_k is an average already, as the weights sum to 1: so no mean of it"),
        (d * (a - row), "the arguments are the wrong way round: weights first, then d_weights"),
        (d - row, "the average is right; the factor α is missing"),
        (a * row - product, "the sign is turned round: d_α minus the average"),
        (product - row, "you subtracted the average after multiplying by α: subtract first, then multiply"),
        (product - a * column, "the average ran over axis 0: each row has its own, axis=-1, keepdims=True"),
        (product - a * product.sum(), "one average of the whole array: each row has its own, axis=-1, keepdims=True"),
    ]
    return laws.slip(d_scores, slips, laws.got(d_scores))


@visible_check
def scores_backward(scores_backward):
    case = _case()
    query, keys, v = case["query"], case["keys"], case["v"]
    (d_scores,) = laws.random(6, (B, S))
    reply = ask(scores_backward, d_scores, query, keys, v)
    yield laws.results(reply, {"d_query": (B, A), "d_keys": (B, S, A), "d_v": (A,)})
    d_query, d_keys, d_v = reply.value

    def loss():
        return np.sum(d_scores * _scores(query, keys, v))

    t = np.tanh(query[:, None] + keys)
    plain = d_scores[..., None] * v
    slips = [
        (plain, "the slope of tanh is missing: multiply by 1 - tanh²"),
        (plain * (1 - t), "the slope of tanh is 1 - tanh²: the square is missing"),
        (plain * (1 - (query[:, None] + keys) ** 2), "1 - x² is taken of tanh(q + k), not of q + k"),
        (d_scores[..., None] * (1 - t**2), "v does not appear: each unit passes on its own entry of v"),
        (plain * (1 - np.tanh(keys) ** 2), "the query is left out: it is tanh(q + k), with q added to every key"),
        (plain * (1 - np.tanh(t) ** 2), "tanh is taken twice: the slope is 1 - t∘t, and t = tanh(q + k) already"),
    ]
    advice = laws.slip(d_keys, slips, "is it d_e v (1 - tanh²), for each position and each of the A units?")
    yield laws.slope("d_keys agrees with central differences", loss, keys, d_keys, advice)
    advice = "d_keys is right: the one query met every position of its sentence, so d_query sums d_keys over them"
    yield laws.slope("d_query agrees with central differences", loss, query, d_query, advice)
    advice = "it is d_e times tanh(q + k), without the slope, summed over positions and sentences"
    yield laws.slope("d_v agrees with central differences", loss, v, d_v, advice)
    single = ask(scores_backward, *map(np.array, ([[0.3], [0.5]], [[1.0], [1.0]], [[[-1.0]], [[-1.0]]], [4.0])))
    shapes = {"d_query": (2, 1), "d_keys": (2, 1, 1), "d_v": (1,)}
    yield laws.results(single, shapes, "two sentences of one word and one unit, q + k = 0: ", advice=STAYS)
    for name, got, expected in zip(shapes, single.value, ([[1.2], [2.0]], [[[1.2]], [[2.0]]], [0.0]), strict=True):
        yield laws.equals(f"{name} is {expected}", got, expected, "tanh is 0 there, its slope 1")


@visible_check
def attend_backward(attend_backward, context_backward, softmax_backward, scores_backward):
    case = _case()
    d_context, query, keys, memory, v = (case[name] for name in ("d_context", "query", "keys", "memory", "v"))
    seen = np.array([[True, True, False, True], [True] * 4])

    def weigh():
        return _positive(np.where(seen, _scores(query, keys, v), -np.inf))

    weights = weigh()
    args = (d_context, query, keys, memory, weights, v)

    def loss():
        return np.sum(d_context * np.stack([w @ m for w, m in zip(weigh(), memory, strict=True)]))

    reply = ask(attend_backward, *args)
    yield laws.results(reply, {"d_query": (B, A), "d_keys": (B, S, A), "d_v": (A,)})
    earlier = _first_step_that_differs(args, context_backward, softmax_backward, scores_backward)
    slips, so_far, names = _joined_otherwise(*args), JOINED, ("d_query", "d_keys", "d_v")
    for i, (array, name, got) in enumerate(zip((query, keys, v), names, reply.value, strict=True)):
        advice = earlier or laws.slip(got, [(wrong[i], said) for wrong, said in slips], so_far)
        yield laws.slope(f"{name} agrees with central differences, from the context back", loss, array, got, advice)
        so_far = f"what comes before is right: {PASSED_ON}"
    nothing = ask(attend_backward, d_context, query, keys, memory, np.zeros((B, S)), v).value
    zeros = all(not as_array(part).any() for part in nothing)
    yield Verdict("sentences with nothing to look at: all gradients are 0", zeros, "weights of 0 should give zeros")
    large = ask(attend_backward, 1e6 * d_context, *args[1:]).value[1]
    law = "a d_context a million times as large: d_keys grows likewise"
    yield laws.equals(law, large, 1e6 * as_array(reply.value[1]), GROWS)
    for law, words in [("one sentence, all widths 1", slice(None)), ("and one word", slice(1))]:
        cut = d_context[:1, :1], query[:1, :1], keys[:1, words, :1], memory[:1, words, :1], weights[:1, words], v[:1]
        shapes = {"d_query": (1, 1), "d_keys": cut[2].shape, "d_v": (1,)}
        yield laws.results(ask(attend_backward, *cut), shapes, f"{law}: ", advice=STAYS)


def _first_step_that_differs(args, context_backward, softmax_backward, scores_backward):
    """Which of the student's three functions is the first to leave the right way? Central differences tell; "" if none
    does."""
    d_context, query, keys, memory, weights, v = args
    scores, (d_scores,) = _scores(query, keys, v), laws.random(9, (B, S))
    d_weights = np.stack([m @ d for m, d in zip(memory, d_context, strict=True)])
    seen = weights > 0

    def weigh():
        return _positive(np.where(seen, scores, -np.inf))

    steps = [  # whose gradients, what they are, in which arrays, and of which loss
        ("context_backward", lambda: [ask(context_backward, d_context, weights, memory).value[0]],
         [weights], lambda: np.sum(d_weights * weights)),
        ("softmax_backward", lambda: [ask(softmax_backward, weights, d_weights).value],
         [scores], lambda: np.sum(d_weights * weigh())),
        ("scores_backward", lambda: ask(scores_backward, d_scores, query, keys, v).value,
         [query, keys, v], lambda: np.sum(d_scores * _scores(query, keys, v))),
    ]
    for i, (name, gradients, arrays, loss) in enumerate(steps, start=1):
        try:
            for array, gradient in zip(arrays, gradients(), strict=True):
                check_gradient(loss, array, as_array(gradient), name, laws.SLOPES)
        except Exception:
            return f"step {i}, your {name}, is not right yet: see its own check, and mend it first"
    return ""


def _joined_otherwise(d_context, query, keys, memory, weights, v):
    """((d_query, d_keys, d_v), what to say) for known slips in joining three right functions."""
    def through(weights, d_weights):
        return weights * (d_weights - np.sum(weights * d_weights, axis=-1, keepdims=True))

    def of_scores(d_scores):
        t = np.tanh(query[:, None] + keys)
        d_keys = d_scores[..., None] * v * (1 - t**2)
        return d_keys.sum(axis=1), d_keys, np.einsum("bs,bsa->a", d_scores, t)

    d_weights = np.einsum("be,bse->bs", d_context, memory)
    right = through(weights, d_weights)
    wrong = [
        (d_weights, "the softmax is left out: hand d_weights to softmax_backward, what it gives on to the scores"),
        (through(d_weights, weights), "softmax_backward's arguments are the wrong way round: weights, then d_weights"),
        (weights * d_weights, "weights * d_weights stands where softmax_backward(weights, d_weights) should be called"),
        (through(weights, right), "softmax_backward is called twice"),
        (-right, "the sign is turned round on the way: each function gives the gradient itself"),
        (through(weights, weights),
         "weights stand where their gradient belongs: softmax_backward(weights, d_weights)"),
        (through(weights, (weights[..., None] * d_context[:, None]).sum(-1)),
         "d_memory was summed and used as d_weights: context_backward gives d_weights first"),
        (through(_positive(_scores(query, keys, v)), d_weights),
         "these are weights without the mask: use the `weights` that you were given, which know of it"),
    ]
    return [(of_scores(d_scores), f"your three functions are right, and joined wrongly: {said}")
            for d_scores, said in wrong]


@visible_check
def steps_backward(steps_backward):
    shapes = [(B, T, D), (B, S, E), (B, T, S), (B, T, E), (B, T, A), (B, T, S, A), (E, A), (D, A)]
    *args, W = laws.random(8, *shapes)
    args[2] = _positive(args[2])
    states, memory, weights, d_contexts, d_queries, d_keys, U = args

    def loss():
        keys, blends = memory @ U, weights @ memory
        return np.sum(d_queries * (states @ W)) + np.sum(d_keys * keys[:, None]) + np.sum(d_contexts * blends)

    reply = ask(steps_backward, *args)
    yield laws.results(reply, {"d_W": (D, A), "d_U": (E, A), "d_memory": (B, S, E)})
    d_W, d_U, d_memory = reply.value
    advice = "each step of each sentence multiplied its state by W: add up states^T d_queries over all of them"
    yield laws.slope("d_W agrees with central differences", loss, W, d_W, advice)
    advice = "the keys served all T steps: sum d_keys over the steps first, then as for W, over positions and sentences"
    yield laws.slope("d_U agrees with central differences", loss, U, d_U, advice)
    advice = "memory has two ways to the loss: blended, α_ij d_c_i at each step, and as keys, (Σ_i d_k_ij) U^T"
    for_each_step = np.einsum("bts,bte->bse", weights, d_contexts) + T * d_keys.sum(axis=1) @ U.T
    slips = [(for_each_step, f"the way through the keys is counted {T} times, once a step: it counts once, on the sum")]
    advice = laws.slip(d_memory, slips, advice)
    yield laws.slope("d_memory agrees with central differences", loss, memory, d_memory, advice)
    large = ask(steps_backward, *args[:3], 1e6 * d_contexts, 1e6 * d_queries, 1e6 * d_keys, U)
    for name, got, gradient in zip(("d_W", "d_U", "d_memory"), large.value, reply.value, strict=True):
        law = f"gradients a million times as large: {name} grows likewise"
        yield laws.equals(law, got, 1e6 * as_array(gradient), GROWS)
    single = [[[2.0]]], [[[5.0]]], [[[1.0]]], [[[7.0]]], [[[3.0]]], [[[[0.5]]]], [[4.0]]
    reply = ask(steps_backward, *map(np.array, single))
    shapes = {"d_W": (1, 1), "d_U": (1, 1), "d_memory": (1, 1, 1)}
    yield laws.results(reply, shapes, "one sentence, one word, one step, one unit: ", advice=STAYS)
    yield laws.equals("d_W is 2 · 3", reply.value[0], [[6.0]])
    yield laws.equals("d_U is 5 · 0.5", reply.value[1], [[2.5]])
    yield laws.equals("d_memory is 1 · 7 + 0.5 · 4", reply.value[2], [[[9.0]]])


# Small forward passes, for central differences


def _case():
    """A batch with B, S, E, A = 2, 4, 5, 7."""
    shapes = {"d_context": (B, E), "query": (B, A), "keys": (B, S, A), "memory": (B, S, E), "v": (A,)}
    case = dict(zip(shapes, laws.random(7, *shapes.values()), strict=True))
    return case | {"weights": _positive(_scores(case["query"], case["keys"], case["v"]))}


def _scores(query, keys, v):
    return np.tanh(query[:, None] + keys) @ v


def _positive(scores):
    """Exponentials that share a sum of 1 along the last axis."""
    return np.exp(scores) / np.exp(scores).sum(axis=-1, keepdims=True)
