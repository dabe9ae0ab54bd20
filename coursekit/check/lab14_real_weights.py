"""The visible checks of lab 14. Each takes the student's function and states the laws that it should keep.

What is expected is worked out row by row and head by head; gradients by central differences.
"""

import math

import numpy as np

from coursekit.check import as_array, ask, laws, visible_check
from coursekit.gradient_check import numerical_gradient
from coursekit.verdicts import Verdict

INF = np.inf
ANY_WORDS = [""]  # of a refusal: in whatever words, but not in NumPy's
FLOAT32 = ("NumPy's own numbers, such as np.sqrt(3), and new arrays promote what they meet to float64; Python's "
           "numbers do not, nor what .astype(x.dtype) has made alike")
KEEPDIMS = "a mean of each row that keeps its axis, (..., 1), divides the row: keepdims=True"
FLOAT64 = "cast nothing, the type of what comes in is the type of what goes out"


def _types(function, *args, what=""):
    """float32 stays float32, float64 float64."""
    small = [a.astype(np.float32) if isinstance(a, np.ndarray) and a.dtype == float else a for a in args]
    yield laws.keeps_type(ask(function, *small), FLOAT32, what=what)
    yield laws.keeps_type(ask(function, *args), FLOAT64, "float64", what=what)


# rms_norm


@visible_check
def rms_norm(rms_norm):
    x, ones = np.array([[3.0, 4.0, 0.0, 0.0], [2.0, -2.0, 2.0, 2.0]]), np.ones(4)
    root, mean, spread = np.array([[2.5], [2.0]]), x.mean(axis=-1, keepdims=True), x.std(axis=-1, keepdims=True)
    reply = laws.asked("two rows of four", {"broadcast": KEEPDIMS}, rms_norm, x, ones, 0.0)
    yield laws.results(reply, {"output": (2, 4)}, "two rows of four: it returns ", advice="the output alone, no tuple")
    slips = [
        (x / (2 * root), "you divided by the row's length, 5: the root of the mean of the squares is 2.5"),
        (x / root**2, "you divided by the mean of the squares, 6.25: take its root"),
        (x / np.sqrt((x**2).mean(axis=0)), "your mean runs over the rows, axis=0: each row has its own, axis=-1"),
        (x / np.sqrt((x**2).mean()), "you took one mean for both rows: each row has its own, axis=-1"),
        ((x - mean) / spread, "you took the mean off, as LayerNorm does: RMSNorm only divides"),
        ((x - mean) / root, "you took the mean off above the line: RMSNorm only divides, x / rms"),
        (x / spread, "you divided by the standard deviation, which takes the mean off: square x itself"),
        (x / [[1.75], [2]], "you divided by the mean of |x|: square, take the mean, then the root"),
        (2 * x / root, "you multiplied by 1 + gamma: here it is gamma itself, which is 1"),
        (1 + x / root, "you added gamma: it multiplies"),
    ]
    yield laws.equals("the row 3, 4, 0, 0 has the root mean square 2.5: it becomes 1.2, 1.6, 0, 0", reply, x / root,
                      slips=slips)
    gamma = np.array([1.0, 2.0, -3.0, 0.5])
    slips = [(x / root, "gamma has no effect: multiply by it at the end"),
             (x / root / gamma, "you divided by gamma: it multiplies"),
             (x * gamma / np.sqrt((x**2 * gamma**2).mean(axis=-1, keepdims=True)),
              "you multiplied by gamma first: it comes after the division")]
    yield laws.equals("gamma = 1, 2, -3, 0.5 multiplies it", ask(rms_norm, x, gamma, 0.0), x / root * gamma,
                      slips=slips)
    slips = [
        (x / (root + 2.75), "you added eps to the root: it belongs to the mean of the squares"),
        (x / np.sqrt(root**2 + 2.75**2), "you squared eps: it is added to the mean of the squares as it is"),
        (x / np.sqrt(((x + 2.75) ** 2).mean(axis=-1, keepdims=True)), "you added eps to x: add it to the mean square"),
        (x / root, "eps is missing, or a fixed one, or a floor: add the eps that you are given to the mean square"),
    ]
    yield laws.equals("eps = 2.75 stands inside the root: 3, 4, 0, 0 is divided by the root of 9", ask(
        rms_norm, x, ones, 2.75), x / np.sqrt(root**2 + 2.75), slips=slips)
    zeros = ask(rms_norm, np.zeros((2, 3)), np.ones(3))
    yield laws.equals("a row of zeros stays 0, and not nan", zeros, np.zeros((2, 3)), "eps prevents 0/0")
    yield from _many_rows(rms_norm)
    yield from _invariances(rms_norm)
    yield from _types(rms_norm, *laws.random(2, (2, 3, 4), (4,)))


def _many_rows(rms_norm):
    """Rows of a batch, of other axes, alone, of one entry."""
    batch, gamma = laws.random(1, (2, 3, 4), (4,))
    batch = 0.01 * batch
    worked = np.array([[_normed(row, gamma, 1e-5) for row in rows] for rows in batch])
    advice = "the mean runs over the last axis alone: axis=-1, keepdims=True; and eps is 1e-5 where none is given"
    yield laws.equals("two sentences of three small tokens: each row by itself, with eps = 1e-5", ask(
        rms_norm, batch, gamma), worked, advice)
    for shape in [(6, 4), (2, 1, 3, 4)]:
        yield laws.equals(f"the same rows as {shape}: the same outputs", ask(rms_norm, batch.reshape(shape), gamma),
                          worked.reshape(shape), "the last axis of any array is axis=-1")
    yield laws.equals("a single row, (4,)", ask(rms_norm, batch[0, 0], gamma), worked[0, 0])
    one = ask(rms_norm, np.array([[0.5], [-2.0]]), np.array([3.0]), 0.0)
    yield laws.equals("rows of one entry, with eps = 0: only its sign is left, times gamma", one, [[3.0], [-3.0]])
    large = ask(rms_norm, np.array([[900.0, -900.0]]), np.array([900.0, 1.0]), 0.0)
    yield laws.equals("large numbers", large, [[900.0, -1.0]])


def _invariances(rms_norm):
    x, gamma = laws.random(3, (2, 3, 5), (5,))
    right = ask(rms_norm, x, gamma, 0.0).value
    yield laws.equals("with eps = 0 a row that is 7 times as large leads to the same output", ask(
        rms_norm, 7 * x, gamma, 0.0), as_array(right))
    moved = as_array(ask(rms_norm, x + 2, gamma, 0.0).value)
    law = "but a row that is moved by 2 does not: that is LayerNorm's law"
    yield Verdict(law, not laws.near(moved, right), "is the mean taken off somewhere?")


def _normed(row, gamma, eps):
    return gamma * row / math.sqrt(row @ row / len(row) + eps)


# rms_norm_backward


@visible_check
def rms_norm_backward(rms_norm_backward):
    x, gamma, d_output = laws.random(4, (2, 3, 4), (4,), (2, 3, 4))
    x += 1

    def loss(eps=0.0):
        return sum(d_output[place] @ _normed(x[place], gamma, eps) for place in np.ndindex(2, 3))

    args = d_output, x, gamma, 0.0
    reply = laws.asked("two sentences of three tokens", {"broadcast": KEEPDIMS}, rms_norm_backward, *args)
    advice = "gamma is one row for all tokens: sum d_gamma over all axes but the last"
    yield laws.results(reply, {"d_x": (2, 3, 4), "d_gamma": (4,)}, "two sentences of three tokens: ", advice=advice)
    d_x, d_gamma = map(as_array, reply.value)
    right = numerical_gradient(loss, gamma)
    slips = [(numerical_gradient(lambda: loss(1e-5), gamma), "eps is 0 here, and you took 1e-5: use the eps given"),
             (right * gamma, "you summed g * x_hat, or gamma is in your x_hat: d_gamma is the sum of d_output * x_hat, "
              "where x_hat is x / rms"),
             (right / 6, "you took the mean: every row adds its part, so d_gamma is a sum"),
             ((d_output * x).sum(axis=(0, 1)), "you summed d_output * x: gamma multiplies x_hat")]
    yield laws.equals("d_gamma agrees with central differences", d_gamma, right, slips=slips)
    law = "with eps = 0 each row of d_x is orthogonal to x: the row sums of d_x * x are 0"
    advice = "subtract x_hat times mean(g * x_hat), the mean of each row by itself (axis=-1)"
    yield laws.sums(law, d_x * x, 0, laws.slip(d_x, _slips_of_x(d_output, x, gamma), advice))
    right, root = numerical_gradient(loss, x), np.sqrt((x * x).mean(axis=-1, keepdims=True))
    slips = [*_slips_of_x(d_output, x, gamma),
             (right * root, "divide by the root mean square at the end"),
             (right / root, "you divided by the mean square: divide by its root, once"), (-right, "the sign is wrong")]
    advice = "orthogonal it is, its size is wrong: g is d_output * gamma, and all is divided by the root mean square"
    yield laws.equals("d_x agrees with central differences", d_x, right, advice, slips)
    reply = ask(rms_norm_backward, d_output, x, gamma, 0.5)
    advice = "the eps of the way forward stands in the root here, too"
    bare = [(_with_bare_x_hat(d_output, x, gamma, 0.5), "x_hat, too, is divided by the root with eps in it")]
    yield laws.equals("eps = 0.5: d_x still agrees (and is no longer orthogonal to x)", laws.result(reply, 0),
                      numerical_gradient(lambda: loss(0.5), x), advice, bare)
    right = numerical_gradient(lambda: loss(0.5), gamma)
    bare = [(d_gamma, "x_hat is divided by the root with eps in it")]
    yield laws.equals("and d_gamma as well", laws.result(reply, 1), right, advice, bare)
    yield from _other_shapes(rms_norm_backward, d_output, x, gamma, d_x, d_gamma)
    yield from _types(rms_norm_backward, d_output, x, gamma)


def _with_bare_x_hat(d_output, x, gamma, eps):
    """d_x where no eps is in x_hat."""
    mean = (x * x).mean(axis=-1, keepdims=True)
    x_hat, g = x / np.sqrt(mean), d_output * gamma
    return (g - x_hat * (g * x_hat).mean(axis=-1, keepdims=True)) / np.sqrt(mean + eps)


def _slips_of_x(d_output, x, gamma):
    """What known slips make of d_x, with eps = 0, and what to say of each."""
    def mean(values):
        return values.mean(axis=-1, keepdims=True)

    root, g = np.sqrt(mean(x * x)), d_output * gamma
    x_hat = x / root
    along = x_hat * mean(g * x_hat)
    return [(wrong / root, said) for wrong, said in [
        (g, "the root depends on x, too: subtract x_hat times mean(g * x_hat)"),
        (g + along, "you added x_hat times the mean of g * x_hat: it is subtracted"),
        (g - x.shape[-1] * along, "you took the sum of g * x_hat: it is the mean, axis=-1"),
        (g - x_hat * (g * x_hat).mean(), "you took one mean over all rows: each row has its own, axis=-1"),
        (g - x_hat * mean(g) * mean(x_hat), "this is the product of two means: take the mean of the product g * x_hat"),
        (g - mean(g) - along, "you took mean(g) off as well: that is LayerNorm's term, which is gone here"),
        (g - x * mean(g * x), "x stands where x_hat should, in the mean and before it: x_hat is x / rms"),
        (g - x * mean(g * x_hat), "x stands where x_hat should, in the mean or before it: x_hat is x / rms; or did you "
         "divide only g by rms? 1 / rms stands before the bracket, and divides both"),
        (root * g - along, "g is not divided by rms: 1 / rms stands before the bracket, and divides both"),
        (gamma * (g - along), "gamma stands there twice: it is in g = d_output * gamma, and nowhere else"),
        (g - x_hat * mean(gamma * g * x_hat), "gamma stands twice in the mean: it is in g = d_output * gamma already"),
        (g - gamma * x_hat * mean(gamma * g * x_hat), "gamma is in your x_hat: x_hat is x / rms"),
        (g - x_hat * mean(d_output * x_hat), "in the mean stands d_output: it is g = d_output * gamma"),
        (gamma * (d_output - x_hat * mean(d_output * x_hat)),
         "you multiplied by gamma at the end: it comes first, g = d_output * gamma, and so into the mean"),
        (d_output - x_hat * mean(d_output * x_hat), "gamma has no part in your d_x: g is d_output * gamma"),
    ]]


def _other_shapes(backward, d_output, x, gamma, d_x, d_gamma):
    """The same rows with other axes in front, a single row, rows of one entry, and the eps that is there by default."""
    for shape in [(6, 4), (2, 1, 3, 4)]:
        law = f"the same rows as {shape}: the same d_gamma"
        advice = "sum over all axes but the last, however many there are"
        args = d_output.reshape(shape), x.reshape(shape), gamma, 0.0
        reply = laws.asked(law, {"out of bounds": advice, "broadcast": advice}, backward, *args)
        yield laws.shape(f"{law}, (4,)", laws.result(reply, 1), (4,), advice)
        yield laws.equals(law, laws.result(reply, 1), d_gamma, advice)
        yield laws.equals("and the same d_x", laws.result(reply, 0), d_x.reshape(shape))
    law = "a single row, (4,), and a gradient 1000 times as large: d_x is too"
    advice = "a single row has no axes to sum over: sum over all axes but the last, x.ndim - 1 of them"
    alone = laws.asked(law, {"out of bounds": advice}, backward, 1000 * d_output[0, 0], x[0, 0], gamma, 0.0)
    yield laws.equals(law, laws.result(alone, 0), 1000 * d_x[0, 0])
    x_hat = x[0, 0] / math.sqrt(x[0, 0] @ x[0, 0] / 4)
    yield laws.equals("and d_gamma is d_output * x_hat", laws.result(alone, 1), 1000 * d_output[0, 0] * x_hat)
    one = ask(backward, np.array([[0.3], [1.1]]), np.array([[2.0], [-0.5]]), np.array([3.0]), 0.0)
    yield laws.equals("rows of one entry, with eps = 0: only a sign was left, and no gradient is", laws.result(one, 0),
                      np.zeros((2, 1)))
    yield laws.equals("there d_gamma has the shape (1,)", laws.result(one, 1), [0.3 - 1.1])
    small = np.array([0.03, 0.01])
    slope = numerical_gradient(lambda: _normed(small, np.ones(2), 1e-5)[0], small)
    yield laws.equals("a small row: eps is 1e-5 where none is given", laws.result(ask(
        backward, np.array([1.0, 0.0]), small, np.ones(2)), 0), slope, "write eps=1e-5 in the line of def, and use it")


# swiglu


LEADS = ("W_1 and W_3 lead in, * goes entry by entry, and W_2 leads back: (silu(x W_1) * x W_3) W_2; the arguments are "
         "x, W_1, W_3, W_2, in this order")


@visible_check
def swiglu(swiglu):
    one = np.ones((1, 1))
    for a, b in [(-2.0, 3.0), (1.0, 1.0)]:  # the first tells a ReLU from no silu at all
        gate, said = _silu(a), f"x W_1 = {a:g}, x W_3 = {b:g}"
        slips = [
            (_silu(b) * a, "gate and value are exchanged: silu acts on x W_1"),
            (gate, "W_3 has no effect"), (a * b, "there is no silu"),
            (_silu(a * b), "silu acts on x W_1 alone, before the product"),
            (gate * _silu(b), "silu acts on x W_1 alone"),
            (gate / (1 + math.exp(-b)), "x W_3 goes through no sigmoid: it is multiplied as it is"),
            (b / (1 + math.exp(-a)), "this is the sigmoid of x W_1: silu multiplies it by x W_1"),
            (max(a, 0) * b, "this is ReLU: silu(a) is a times the sigmoid of a"),
            (b * a * (1 + math.erf(a / 2**0.5)) / 2, "this is GELU: silu(a) is a times the sigmoid of a"),
            (b * a / (1 + math.exp(-math.sqrt(8 / math.pi) * (a + 0.044715 * a**3))), "this is GELU: take the sigmoid"),
            (a * b / (1 + math.exp(a)), "the sign in your sigmoid is wrong: 1 / (1 + exp(-a))"),
            (gate + b, "you added the two: a gate multiplies"),
            (_silu(gate * b), "nothing comes behind W_2"),
        ]
        yield laws.equals(f"{said}, W_2 = 1: silu({a:g}) times {b:g} is {gate * b:.4f}", ask(
            swiglu, one, a * one, b * one, one), [[gate * b]], slips=[([[each]], why) for each, why in slips])
    x, W_1, W_3, W_2 = laws.random(5, (2, 3, 4), (4, 6), (4, 6), (6, 4))
    law = "two sentences of three tokens: (2, 3, 4)"
    reply = laws.asked(law, {"core dimension": LEADS}, swiglu, x, W_1, W_3, W_2)
    yield laws.shape(law, reply, (2, 3, 4))
    right = np.array([[_gated(token, W_1, W_3, W_2) for token in rows] for rows in x])
    yield laws.equals("each token by itself", reply, right)
    for shape in [(6, 4), (2, 1, 3, 4)]:
        yield laws.equals(f"the same tokens as {shape}", ask(swiglu, x.reshape(shape), W_1, W_3, W_2),
                          right.reshape(shape))
    yield laws.equals("a single token, (4,)", ask(swiglu, x[0, 0], W_1, W_3, W_2), right[0, 0])
    narrow = ask(swiglu, x, W_1[:, :1], W_3[:, :1], W_2[:1])
    yield laws.equals("an inner layer of one", narrow, [[_gated(token, W_1[:, :1], W_3[:, :1], W_2[:1])
                                                        for token in rows] for rows in x])
    far = ask(swiglu, np.array([[900.0], [-900.0]]), one, 2 / 900 * one, one)
    advice = ("e^a / (1 + e^a) is inf / inf, which is nan: a / (1 + np.exp(-a)) is safe (NumPy may warn that a power "
              "overflowed)" if np.isnan(as_array(far.value).astype(float)).any() else
              "silu(a) grows like a: if you cut a off, then in np.exp alone, not where it is a factor")
    yield laws.equals("x W_1 = 900 and -900: silu is 900 and 0, and never nan", far, [[1800.0], [0.0]], advice,
                      [(far.value, advice)] if np.shape(far.value) == (2, 1) else [])
    yield from _types(swiglu, x, W_1, W_3, W_2)


def _silu(a):
    return a / (1 + math.exp(-a))


def _gated(token, W_1, W_3, W_2):
    return np.array([_silu(a) * b for a, b in zip(token @ W_1, token @ W_3, strict=True)]) @ W_2


# grouped_attention


REPEAT = "did you repeat K and V, both, along axis -3, the axis of heads? H and G are sizes of that axis"
TURN = "exchange the last two axes of K, and no others, however many there are: K.swapaxes(-1, -2)"
TIMES = "you repeated {} times: each of the G = 2 groups serves H // G = 3 heads, so it is repeated H // G times"
MISFITS = {  # of six heads, two groups, four queries and five keys of width 3: the first that NumPy's words hold
    "(size 5 is different from 3)": f"{TURN}; K.T turns all of them round",
    "(4,newaxis": TIMES.format("G = 2"), "(12,newaxis": TIMES.format("H = 6"), "(0,newaxis": TIMES.format("G // H = 0"),
    "axes don't match": TURN, "broadcast": REPEAT, "core dimension": REPEAT,
    "out of bounds": "of 6 heads and 2 groups head n looks at group n // 3: it is n // (H / G), not n // G",
}
IN_FRONT = "a mask may have the axes in front of the heads, too: fit it to the scores, (..., H, T, S), if to anything"
OF_EMPTY = "where the largest score of a row is -inf take 0 in its place, and where the sum of a row is 0 divide by 1"
UNDEFINED = f"-inf minus -inf is nan, and so is 0/0: {OF_EMPTY}"


@visible_check
def grouped_attention(grouped_attention):
    attend = grouped_attention
    Q, K, V = laws.random(6, (6, 4, 3), (2, 5, 3), (2, 5, 7))
    reply = laws.asked("six heads, two groups", MISFITS, attend, Q, K, V)
    yield laws.results(reply, {"output": (6, 4, 7), "weights": (6, 4, 5)}, "six heads, two groups: ")
    right = [_attended(q, K[n // 3], V[n // 3]) for n, q in enumerate(Q)]
    output, weights = (np.array(each) for each in zip(*right, strict=True))
    slips = [([_attended(q, K[n % 2], V[n % 2])[1] for n, q in enumerate(Q)],
              "head n took group n % 2: heads 0, 1, 2 share group 0; np.repeat does that, np.tile does not")]
    slips += [([_attended(q, keys, V[0])[1] for q in Q], said) for keys, said in [
        (K[0], "all heads took group 0: heads 3, 4, 5 share group 1"),
        (K.mean(axis=0), "you took the mean of the groups: a head looks at its own group alone")]]
    slips += [([_attended(factor * q, K[n // 3], V[n // 3])[1] for n, q in enumerate(Q)], said) for factor, said in [
        (3**0.5, "the scores are not divided by the root of d = 3"),
        (3**-0.5, "you divided by d = 3: it is the root of it"),
        ((3 / 7) ** 0.5, "you divided by the root of the values' width: d is that of queries and keys")]]
    scores = np.array([q @ K[n // 3].T / 3**0.5 for n, q in enumerate(Q)])
    advice = "each row, axis -1, belongs to one query and sums to 1"
    yield laws.sums("each row of weights sums to 1", reply.value[1], 1, laws.slip(
        reply.value[1], _along_other_axes(np.exp(scores)), advice))
    slips += [(_hidden(weights, np.exp(-scores.max(axis=axis, keepdims=True))),
               f"you took the largest score along axis {axis}: each row, axis -1, has its own") for axis in (-2, -3)]
    yield laws.equals("heads 0, 1, 2 look at group 0, heads 3, 4, 5 at group 1", reply.value[1], weights, slips=slips)
    yield laws.equals("and get their group's values", reply.value[0], output, "weights are fine: repeat V as you do K")
    yield from _as_many_groups(attend, Q, K, V)
    yield from _masked(attend, Q, K, V, weights, scores)
    yield from _padded(attend, *(np.stack([each, each]) for each in (Q, K, V)), weights)
    yield from _capped(attend)
    yield from _extremes(attend)
    yield from _empty(attend, Q, K, V, weights)
    for H, G in [(1, 2), (6, 4), (2, 4)]:
        law, args = f"H = {H} and G = {G} raise ValueError", (Q[:H], np.resize(K, (G, 5, 3)), np.resize(V, (G, 5, 7)))
        yield laws.refuses(law, attend, args, ANY_WORDS, "G does not divide H: look at H % G before you compute")


def _along_other_axes(powers):
    """The weights where the softmax runs over something else, and what to say of each."""
    return [(powers / powers.sum(axis=0), "your softmax runs over axis 0, the heads, as the given one does if no axis "
             "is said: it runs over the keys, axis=-1"),
            (powers / powers.sum(axis=-2)[:, None], "your softmax runs over axis -2, the queries: it runs over the "
             "keys, axis=-1"),
            (powers / powers.sum(), "you divided by the sum of all rows: each row, axis=-1, has its own")]


def _attended(q, keys, values, mask=None, softcap=None):
    """One head: output (T, e), weights (T, S)."""
    scores = q @ keys.T / q.shape[-1] ** 0.5
    scores = scores if softcap is None else softcap * np.tanh(scores / softcap)
    powers = np.exp(scores) if mask is None else np.where(mask, np.exp(scores), 0)
    weights = powers / powers.sum(axis=-1, keepdims=True)
    return weights @ values, weights


def _as_many_groups(attend, Q, K, V):
    """One group, as many groups as heads, axes in front, a single query, widths of one."""
    one = ask(attend, Q, K[:1], V[:1]).value
    yield laws.equals("one group: all heads share it", one[0], [_attended(q, K[0], V[0])[0] for q in Q])
    pair = ask(attend, Q[:2], K, V).value
    yield laws.equals("as many groups as heads: each head has its own", pair[0],
                      [_attended(*each)[0] for each in zip(Q[:2], K, V, strict=True)])
    repeated = ask(attend, Q, np.repeat(K, 3, axis=0), np.repeat(V, 3, axis=0)).value
    yield laws.equals("repeating the groups beforehand changes nothing", repeated[0], as_array(ask(
        attend, Q, K, V).value[0]))
    Q2, K2, V2 = laws.random(7, (3, 1, 4, 1, 3), (3, 1, 2, 5, 3), (3, 1, 2, 5, 1))
    law = "two axes in front, one query, values of one number: (3, 1, 4, 1, 1)"
    many = laws.asked(law, MISFITS, attend, Q2, K2, V2).value
    yield laws.equals(law, many[0], [[[
        _attended(Q2[a, 0, n], K2[a, 0, n // 2], V2[a, 0, n // 2])[0] for n in range(4)]]
        for a in range(3)], "heads are axis -3: repeat along axis=-3, and exchange the last two axes of K alone")


def _capped(attend):
    """One query and two keys, of scores 4 and 0, and what a cap of 2 makes of them."""
    Q, K, V = np.array([[[4.0, 0, 0, 0]]]), np.array([[[2.0, 0, 0, 0], [0, 0, 0, 0]]]), np.array([[[1.0], [0.0]]])
    share = _share(2 * math.tanh(2))
    slips = [
        (_pair(_share(4)), "softcap has no effect"),
        (_pair(_share(2)), "you cut the score off at 2: 2 tanh(4 / 2) is 1.93"),
        (_pair(_share(math.tanh(2))), "multiply by softcap again, behind tanh"),
        (_pair(_share(2 * math.tanh(4))), "divide the score by softcap inside tanh: 2 tanh(4 / 2)"),
        (_pair(_share(math.tanh(4) / 2)), "softcap stands on the wrong sides: 2 tanh(4 / 2), it divides inside tanh"),
        (_pair(_share(2 * math.tanh(4) / 2)), "first divide by the root of d, then cap: 2 tanh(4 / 2), with softcap "
         "inside tanh and before it"),
    ]
    yield laws.equals(f"scores 4 and 0, softcap = 2: 2 tanh(4 / 2) is 1.928, the weights {share:.3f} and "
                      f"{1 - share:.3f}", ask(attend, Q, K, V, None, 2.0).value[1], _pair(share), slips=slips)
    seen = np.array([True, False])
    weights = ask(attend, Q, K, V, seen, 2.0).value[1]
    advice = "a hidden key got weight: cap first, then mask; -inf that is capped becomes -softcap"
    yield laws.equals("with a cap a hidden key still gets exactly 0", weights, _pair(1.0), advice)
    added = ask(attend, Q, K, V, np.array([0.0, 5.0]), 2.0).value[1]
    yield laws.equals("numbers are added to the capped scores, and are not capped themselves", added, _pair(_share(
        2 * math.tanh(2) - 5)), advice="cap first, then add the mask")


def _share(score):
    """The weight of this score beside one of 0."""
    return 1 / (1 + math.exp(-score))


def _pair(share):
    return [[[share, 1 - share]]]


def _masked(attend, Q, K, V, open_weights, scores):
    """Boolean masks and numbers, of all shapes but that of a batch."""
    seen = np.arange(5) <= np.arange(4)[:, None] + 1
    weights = ask(attend, Q, K, V, seen).value[1]
    right = _hidden(open_weights, seen)
    slips = [(_hidden(open_weights, ~seen), "the mask works the wrong way round: True means may look"),
             (open_weights * seen, "hide the scores before the softmax, not the weights after it"),
             (_hidden(open_weights, np.exp(1.0 * seen)),
              "True and False were added as 1 and 0: where the mask is False a score becomes -inf"),
             (_hidden(open_weights, np.exp(scores * seen - scores)),
              "you multiplied scores by the mask, and a score of 0 hides nothing: where it is False they become -inf"),
             (open_weights, "the mask has no effect")]
    advice = "0 times -inf is nan: multiply nothing by -inf, choose with np.where" if _has_nan(weights) else ""
    yield laws.equals("a boolean mask (T, S) = (4, 5): True = may look, for all heads", weights, right, advice, slips)
    each = np.stack([seen, seen[:, ::-1]] * 3) | np.eye(4, 5, dtype=bool)
    slips = [(_hidden(open_weights, each[:, None]), "the mask got an axis more: NumPy fits it as it is")]
    yield laws.equals("a mask for each head, (6, 4, 5)", ask(attend, Q, K, V, each).value[1],
                      _hidden(open_weights, each), slips=slips)
    yield laws.equals("a mask of one axis, (5,)", ask(attend, Q, K, V, np.arange(5) != 2).value[1], _hidden(
        open_weights, np.arange(5) != 2))
    rows = np.stack([np.arange(5) != n % 5 for n in range(6)])[:, None]
    yield laws.equals("a mask for each head, the same for all queries, (6, 1, 5)", ask(
        attend, Q, K, V, rows).value[1], _hidden(open_weights, rows))
    (added,) = laws.random(8, (4, 5))
    advice = "a mask of numbers is added to the scores"
    slips = [(open_weights, advice), (_hidden(open_weights, added < 0), advice),
             (_hidden(open_weights, np.exp(added / 3**0.5)), "you divided the mask by the root of d: add it after")]
    yield laws.equals("numbers (4, 5) are added to the scores", ask(attend, Q, K, V, added).value[1], _hidden(
        open_weights, np.exp(added)), advice, slips)
    mixed = np.where(seen, added, -INF)
    yield laws.equals("numbers and -inf: the latter hides", ask(attend, Q, K, V, mixed).value[1], _hidden(
        open_weights, np.exp(mixed)), advice)


def _padded(attend, Q, K, V, open_weights):
    """Twice the same sentence, (2, 6, 4, 5) scores, with another padding mask for each."""
    seen = np.stack([np.arange(5) < 3, np.arange(5) > 0])[:, None, None]
    numbers = np.where(seen, [0.5, -1.0, 0.0, 2.0, 0.0], -INF)
    for law, mask, factors in [
        ("a padding mask (B, 1, 1, S) = (2, 1, 1, 5): another row for each sentence", seen, seen),
        ("and in numbers and -inf", numbers, np.exp(numbers)),
    ]:
        reply = laws.asked(law, {"": IN_FRONT}, attend, Q, K, V, mask)
        right = [_hidden(open_weights, each) for each in factors]
        slips = [(2 * right[:1], "each sentence has its own row of the mask: you took the first one's for both")]
        yield laws.equals(law, reply.value[1], right, IN_FRONT, slips)


def _has_nan(values):
    return np.isnan(as_array(values).astype(float)).any()


def _hidden(open_weights, factor):
    """What the weights become where each power is multiplied by a factor, 0 where a key is hidden."""
    left = open_weights * factor
    sums = left.sum(axis=-1)[..., None]
    return left / np.where(sums > 0, sums, 1)


def _empty(attend, Q, K, V, open_weights):
    """Rows in which all is hidden, and rows in which it is not."""
    seen = np.ones((4, 5), bool)
    seen[1] = False
    right = open_weights * seen
    slips = [(np.where(seen, open_weights, 0.2),
              f"one low number, such as -1e9, for all scores of a row leaves its weights equal: take -inf; {OF_EMPTY}"),
             (open_weights,
              f"-1e9 added to all scores of a row leaves its weights as they were: take -inf; {OF_EMPTY}")]
    for what, mask in [("False", seen), ("-inf", np.where(seen, 0.0, -INF))]:
        output, weights = ask(attend, Q, K, V, mask).value
        law = f"a row of {what} alone: its weights are 0, the others as before"
        yield laws.equals(law, weights, right, UNDEFINED if _has_nan(weights) else "", slips)
        yield laws.equals("and its output is 0", as_array(output)[:, 1], np.zeros((6, 7)),
                          UNDEFINED if _has_nan(output) else "")
    weights = ask(attend, Q, K, V, np.where(seen, 0.0, -1e9)).value[1]
    advice = ("did its weights become 0? All np.exp are 0 in this row, unless you take its largest score, after the "
              "mask was added, off first. A number, however low, hides nothing: only False and -inf do")
    verdict = np.allclose(as_array(weights), open_weights, atol=1e-6)
    yield Verdict("a row to which -1e9 is added throughout is not empty: its weights are as before", verdict, advice)


def _extremes(attend):
    Q, K = np.array([[[2.0], [0.001]]]), np.array([[[1100.0], [1100.1], [3300.0]]])
    V, seen = np.array([[[100.0], [300.0], [900.0]]]), np.array([True, True, False])
    advice = ("np.exp is inf, or 0 for all of a row: take the largest score of this row, after the mask was added, off "
              "before np.exp")
    for law, sign, size in [("a hidden score of 6600 beside visible ones of 2200 and 2200.2", 1, 1),
                            ("scores below -2000, of large queries", -1, 1000)]:
        output, weights = ask(attend, sign * size * Q, K / size, V, seen).value
        right = np.array([[[_share(sign * -each), _share(sign * each), 0] for each in (0.2, 0.0001)]])
        yield laws.equals(f"{law}: the weights", weights, right, advice)
        yield laws.equals("and the blend of large values", output, right @ V)


# mean_pool


@visible_check
def mean_pool(mean_pool):
    hidden = np.array([[[1.0, 10.0, 0.0], [3.0, 20.0, 1.0], [500.0, 500.0, 500.0]],
                       [[2.0, 2.0, 9.0], [4.0, 8.0, 0.0], [6.0, 5.0, 3.0]]])
    mask, right = np.array([[True, True, False], [True, True, True]]), np.array([[2, 15, 0.5], [4, 5, 4]])
    law, number = "two sentences, of two tokens and of three: one vector each, (2, 3)", np.array([[2.0], [3.0]])
    advice = "one number for each sentence, (B, 1), divides its row: mask.sum(axis=1, keepdims=True)"
    reply = laws.asked(law, {
        "broadcast": f"{advice}; and the mask needs a third axis, mask[..., None]",
        "cannot reshape": "hidden[mask] has lost which token is whose: multiply by mask[..., None], sum over axis=1",
    }, mean_pool, hidden, mask)
    yield laws.shape(law, reply, (2, 3))
    slips = [
        (hidden.mean(axis=1), "padding is in the mean"),
        (right * number / 3, "you divided by 3 positions: the first sentence has two tokens"),
        (hidden.sum(axis=1) / number, "padding is in the sum: leave it out before you add up"),
        (right * number / 5, "you divided by the five tokens of the batch: each sentence has its own number"),
        ([hidden[mask].mean(axis=0)] * 2, "this is the mean of the whole batch: each sentence has its own"),
        (right * number / (number + 1), "your number is one too high: it is max(1, number), not 1 + number"),
        ([[0, 0, 0], [4, 8, 0]], "you left out the first and the last token: [CLS] and [SEP] are real tokens, too"),
        (hidden[:, 0], "this is the first token: take the mean of all real ones"),
        (hidden[:, -1], "this is the last position: take the mean of all real tokens"),
        (right / np.sqrt((right**2).sum(axis=1, keepdims=True)), "return the mean itself, not one of length 1"),
        ([[3, 20, 1], [6, 8, 9]], "this is the maximum: take the mean"),
        (right * number, "this is the sum: divide it by the number of real tokens, those where the mask is True"),
        ([[250] * 3, [0] * 3], "you added up the padding: True means that a token stands there"),
        ([[500, 500, 500], [0, 0, 0]], "this is the mean of the padding: True means that a token stands there"),
    ]
    yield laws.equals("the means of (1, 10, 0) and (3, 20, 1), and of three tokens", reply, right, slips=slips)
    yield laws.equals("the first sentence alone, without padding: the same vector", ask(
        mean_pool, hidden[:1, :2], mask[:1, :2]), right[:1])
    yield laws.equals("one sentence of one token of one number", ask(
        mean_pool, hidden[:1, :1, :1], mask[:1, :1]), [[1.0]])
    advice = "signs and digits stay as they are"
    yield laws.equals("negative numbers of many digits", ask(mean_pool, hidden - 7.12345678, mask), right - 7.12345678,
                      advice)
    advice = "multiply by the mask, or choose by it: counting from the front is not enough"
    holes = np.array([[False, True, True], [True, False, True]])
    yield laws.equals("padding in front, and a hole", ask(mean_pool, hidden, holes), [[251.5, 260, 250.5], [4, 3.5, 6]],
                      advice)
    advice = "0/0 is nan: divide by max(number, 1)"
    yield laws.equals("a sentence without any token: 0", ask(mean_pool, hidden, mask & [[True], [False]]),
                      right * [[1], [0]], advice)


# lora


SMALLER_SIDE = "you divided by the smaller side of A, 2: r is the number of its columns, 5"
WHOLE = "// cuts the digits of alpha / r off: it is alpha / r = 1.2"
WIDTH = "you divided by m = 3, the columns of B: r is the number of A's columns, 5"
TRANSPOSED = dict.fromkeys(["size 4 is different from 5", "size 2 is different from 5", "size 4 is different from 2"],
                           "the way back goes through the transposed matrices: W.T, and B.T and then A.T")
TWO_AXES = "d_A and d_B add up all rows. Make two axes of them first: x.reshape(-1, n), d_output.reshape(-1, m)"


@visible_check
def lora(lora):
    x, W, A, B = laws.random(9, (2, 3, 4), (4, 5), (4, 2), (2, 5))
    law, low = "two sentences of three tokens: (2, 3, 5)", x @ A @ B
    reply = laws.asked(law, {"core dimension": "x goes through A, and then through B: (x A) B"}, lora, x, W, A, B, 6.0)
    yield laws.shape(law, reply, (2, 3, 5))
    slips = [
        (x @ W + 6 * low, "you multiplied by alpha = 6: r is 2, so it is alpha / r = 3"),
        (x @ W + 12 * low, "you multiplied by r: alpha is divided by it"),
        (x @ W + low, "alpha has no effect: multiply the correction by alpha / r"),
        (x @ W + low / 3, "this is r / alpha: it is alpha / r"),
        (x @ W + 6 / 2**0.5 * low, "you divided by the root of r: divide by r"),
        (x @ W + 1.5 * low, "you divided by the 4 rows of A: r is the number of its columns, 2"),
        (x @ W + 1.2 * low, "you divided by the 5 columns of B: r is the number of A's columns, 2"),
        (x @ W + 9 * low, "alpha / r stands there twice"), (3 * (x @ W + low), "x W is not scaled"),
        (3 * low, "x W is missing"), (x @ W, "the correction is missing"), (x @ W - 3 * low, "the correction is added"),
        (3 * (x @ W) * low, "you multiplied x W by the correction: it is added"),
        (x @ W + 3 * np.maximum(x @ A, 0) @ B, "there is no nonlinearity between A and B"),
    ]
    yield laws.equals("rank 2, alpha = 6: x W + 3 (x A) B", reply, x @ W + 3 * low, slips=slips)
    yield from _rank_above(lora)
    yield laws.equals("B = 0, as at the start: x W", ask(lora, x, W, A, 0 * B, 6.0), x @ W)
    yield laws.equals("the same numbers as with the merged matrix W + 3 A B", reply, x @ (W + 3 * A @ B))
    yield laws.equals("a single row, (4,)", ask(lora, x[0, 0], W, A, B, 6.0), (x @ W + 3 * low)[0, 0])
    four = ask(lora, x[:, None], W, A[:, :1], B[:1], 0.5)
    right = (x @ W + 0.5 * (x @ A[:, :1] @ B[:1]))[:, None]
    yield laws.equals("rank 1, alpha = 0.5, three axes in front", four, right)
    yield laws.equals("large numbers", ask(lora, 1000 * x, W, A, B, 6.0), 1000 * (x @ W + 3 * low))
    one = ask(lora, x[0, :1], W[:, :1], A, B[:, :1], 6.0)
    yield laws.equals("one row, and a matrix of one column: (1, 1)", one, (x @ W + 3 * low)[0, :1, :1])
    yield from _types(lora, x, W, A, B, 6.0)


def _rank_above(lora):
    """A rank above n, and an alpha / r that is no whole number."""
    x, W, A, B = laws.random(11, (3, 2), (2, 3), (2, 5), (5, 3))
    low = x @ A @ B
    slips = [(x @ W + 3 * low, SMALLER_SIDE), (x @ W + low, WHOLE), (x @ W + 2 * low, WIDTH)]
    yield laws.equals("n = 2, rank 5, alpha = 6: x W + 1.2 (x A) B", ask(lora, x, W, A, B, 6.0), x @ W + 1.2 * low,
                      "r is the number of A's columns, 5", slips)


@visible_check
def lora_backward(lora_backward):
    x, W, A, B, d_output = laws.random(10, (2, 3, 4), (4, 5), (4, 2), (2, 5), (2, 3, 5))
    args = d_output, x, W, A, B, 6.0

    def loss():
        return (d_output * (x @ W + 3 * (x @ A) @ B)).sum()

    law = "two sentences of three tokens"
    reply = laws.asked(law, TRANSPOSED | {"core dimension": TWO_AXES, "broadcast": TWO_AXES}, lora_backward, *args)
    advice = "three results, each of its array's shape; W is frozen and has none"
    yield laws.results(reply, {"d_x": (2, 3, 4), "d_A": (4, 2), "d_B": (2, 5)}, "it returns ", advice=advice)
    d_x, d_A, d_B = reply.value
    for name, got, array, advice in [("d_B", d_B, B, "alpha / r times the sum of (x A).T d_output over all rows"),
                                     ("d_A", d_A, A, "alpha / r times the sum of x.T (d_output B.T) over all rows")]:
        right = numerical_gradient(loss, array)
        slips = [(right / 3, "alpha / r = 3 is missing"), (2 * right, "you multiplied by alpha: it is alpha / r"),
                 (right / 3**0.5, "you gave it the root of alpha / r: each slope has all of it"),
                 (right / 2, "you divided by the 4 rows of A: r is the number of its columns, 2"),
                 (right * 0.4, "you divided by the 5 columns of B: r is the number of A's columns, 2"),
                 (4 * right, "you multiplied by r: alpha is divided by it"), (-right, "the sign is wrong"),
                 (right / 6, "you took the mean over the six rows: their parts are added up"),
                 (3 * right, "alpha / r stands there twice")]
        yield laws.equals(f"{name} agrees with central differences", got, right, advice, slips)
    right, through = numerical_gradient(loss, x), d_output @ W.T
    slips = [(through, "x has a part in the correction, too: add (alpha / r) (d_output @ B.T) @ A.T"),
             (right - through, "d_x goes through W, too: W is frozen, but x is not"),
             (through + (right - through) / 3, "alpha / r = 3 is missing in the correction's part"),
             (through + 2 * (right - through), "you multiplied by alpha: it is alpha / r"),
             (through - (right - through), "you subtracted the correction's part: both parts are added"),
             (3 * through + (right - through), "alpha / r belongs to the correction alone: W's part has none")]
    yield laws.equals("d_x agrees with central differences", d_x, right, slips=slips)
    zero = ask(lora_backward, d_output, x, W, A, 0 * B, 6.0).value
    law = "B = 0, as at the start: d_A is 0, so that B moves first"
    yield laws.equals(law, zero[1], np.zeros((4, 2)), "d_A comes through B: x.T @ (d_output @ B.T)")
    yield laws.equals("and d_B is what it was", zero[2], as_array(d_B), "d_B comes through A, not through B")
    alone = laws.asked("a single row, (4,)", {"": TWO_AXES}, lora_backward, d_output[0, 0], x[0, 0], W, A, B, 6.0)
    small = ask(lora_backward, d_output[0, 0] / 1000, x[0, 0], W, A, B, 6.0)
    yield laws.equals("a single row, (4,): d_B", laws.result(alone, 2), 3 * np.outer(x[0, 0] @ A, d_output[0, 0]))
    yield laws.equals("and d_A", laws.result(alone, 1), 3 * np.outer(x[0, 0], B @ d_output[0, 0]))
    large = ask(lora_backward, d_output, 1000 * x, W, A, B, 6.0)
    for place, name, before in [(1, "d_A", d_A), (2, "d_B", d_B)]:
        yield laws.equals(f"x 1000 times as large: {name}, too", laws.result(large, place), 1000 * as_array(before))
    law = "a gradient of a thousandth: d_x of a thousandth"
    yield laws.equals(law, laws.result(small, 0), as_array(d_x)[0, 0] / 1000)
    steep = ask(lora_backward, 1000 * d_output, x, W, A, B, 6.0)
    yield laws.equals("and a gradient 1000 times as large", laws.result(steep, 0), 1000 * as_array(d_x))
    sides = ask(lora_backward, d_output[0, :1, :1], x[0, :1, :1], W[:1, :1], A[:1, :1], B[:1, :1], 1.0)
    shapes = {"d_x": (1, 1), "d_A": (1, 1), "d_B": (1, 1)}
    yield laws.results(sides, shapes, "one row, one column, rank 1: ", advice="axes of length 1 stay")
    law = "three axes in front"
    four = laws.asked(law, {"": TWO_AXES}, lora_backward, d_output[:, None], x[:, None], *args[2:])
    yield laws.shape(f"{law}: d_A is (4, 2)", laws.result(four, 1), (4, 2), TWO_AXES)
    yield laws.equals("three axes in front: the same d_A", laws.result(four, 1), as_array(d_A))
    yield laws.equals("and the same d_x", laws.result(four, 0), as_array(d_x)[:, None])
    yield from _back_with_rank_above(lora_backward)
    one = ask(lora_backward, d_output, x, W, A[:, :1], B[:1], 0.5)
    right = 0.5 * np.einsum("abn,abm,m->n", x, d_output, B[0])[:, None]
    yield laws.equals("rank 1, alpha = 0.5: d_A", laws.result(one, 1), right)
    yield from _types(lora_backward, *args)


def _back_with_rank_above(lora_backward):
    """The same case on the way back."""
    x, W, A, B, d_output = laws.random(12, (3, 2), (2, 3), (2, 5), (5, 3), (3, 3))
    right = 1.2 * (x @ A).T @ d_output
    slips = [(2.5 * right, SMALLER_SIDE), (right / 1.2, WHOLE), (right / 0.6, WIDTH)]
    yield laws.equals("n = 2, rank 5, alpha = 6: d_B has the factor 1.2", laws.result(ask(
        lora_backward, d_output, x, W, A, B, 6.0), 2), right, "r is the number of A's columns, 5", slips)
