"""The visible checks of lab 08. Each takes the student's function and states the laws that it should keep.

What is expected is worked out number by number and token by token; gradients by central differences.
"""

import math

import numpy as np

from coursekit.check import as_array, ask, laws, rounded, visible_check
from coursekit.gradient_check import numerical_gradient
from coursekit.verdicts import Reply, Verdict

NAMES = ("W_1", "b_1", "W_2", "b_2")
CURVE = {  # of one number
    "relu": lambda u: max(u, 0.0),
    "erf": lambda u: u * math.erfc(-u / math.sqrt(2)) / 2,
    "tanh": lambda u: u / (1 + math.exp(-math.sqrt(8 / math.pi) * (u + 0.044715 * u**3))),
}
OTHER = {"relu": "erf", "erf": "tanh", "tanh": "erf"}  # another curve, for each
MORE_SHAPES = [(2, 1, 3, 4), (6, 4)]  # for two sentences of three tokens
OVERFLOW = "a power overflows: np.tanh does not, a tanh made of np.exp does"
SPOTS = np.array([[-2.1, -0.5, 0.0], [0.3, 1.0, 3.0]])
NO_MEAN = "you did not subtract the row's mean: x_hat is (x - mean) / std"
FITS = "matmul: Input operand"  # what NumPy says of a product whose inner sizes differ
AT_SPOTS = "at -2.1, -0.5, 0, 0.3, 1 and 3"


@visible_check
def layer_norm(layer_norm):
    x, ones, zeros = np.array([[[1.0, 0.0, 0.0, 0.0]]]), np.ones(4), np.zeros(4)
    three = ask(layer_norm, x, ones, zeros, 0.0)
    yield _three_shapes(three.value)
    fixed = math.sqrt(3 / 16 + 1e-5)
    slips = [
        ([[[0.75 / fixed, *[-0.25 / fixed] * 3]]], "the argument eps has no effect: it is 0 here, you added 1e-5"),
        ([[[1.5, -0.5, -0.5, -0.5]]], "you divided by d_model - 1 in the variance: divide by d_model"),
        ([[[4.0, -4 / 3, -4 / 3, -4 / 3]]], "you divided by the variance: take its root"),
        ([[[2.0, 0.0, 0.0, 0.0]]], NO_MEAN), ([[[4 / math.sqrt(3), 0.0, 0.0, 0.0]]], NO_MEAN),
        ([[[0.75, -0.25, -0.25, -0.25]]], "your x_hat is not divided by std yet: (x - mean) / std"),
        ([[[math.sqrt(0.75), *[-1 / math.sqrt(12)] * 3]]], "you summed the squares: the variance is their mean"),
    ]
    right = np.array([[[math.sqrt(3), *[-1 / math.sqrt(3)] * 3]]])
    law = "the row 1, 0, 0, 0 becomes 1.732, -0.577, -0.577, -0.577"
    yield laws.equals(law, three.value[1], right, slips=slips)
    law = "its standard deviation is the root of 3/16, 0.433"
    slips = [
        ([[[3 / 16]]], "this is the variance: the third result is its root"),
        ([[[math.sqrt(3) / 2]]], "you summed the squares: the variance is their mean"),
        ([[[fixed]]], "the argument eps has no effect: it is 0 here, you added 1e-5"),
    ]
    yield laws.equals(law, three.value[2], [[[math.sqrt(3) / 4]]], slips=slips)
    wide = ask(layer_norm, x, np.array([1.0, 2, 3, 4]), np.array([0.0, 0, 0, -10]), 0.0)
    law = "gamma = 1, 2, 3, 4 and beta = 0, 0, 0, -10: the output is gamma * x_hat + beta, and x_hat stays"
    expected = right * [1, 2, 3, 4] + [0, 0, 0, -10]
    yield laws.equals(law, wide.value[0], expected)
    slips = [(expected, "your x_hat has gamma and beta in it: return the row as it was before them"),
             (right * [1, 2, 3, 4], "your x_hat has gamma in it: return the row as it was before")]
    yield laws.equals("x_hat is the row before gamma and beta", wide.value[1], right, slips=slips)
    flat = ask(layer_norm, np.full((2, 3, 4), 7.0), ones, zeros + 0.5, 1e-5)
    advice = "0 divided by 0 is nan: eps, inside the root, is there to prevent it"
    law = "a row of equal entries has no x_hat: the output is beta"
    yield laws.equals(law, flat.value[0], np.full((2, 3, 4), 0.5), advice)
    large = ask(layer_norm, x, ones, zeros, 3 / 16)
    slips = [
        ([[[math.sqrt(3) / 4 + 3 / 16]]], "you added eps to the root: it belongs to the variance"),
        ([[[math.sqrt(3 / 16 + 1e-5)]]], "the argument eps has no effect"),
        ([[[math.sqrt(3) / 4]]], "eps is missing, or it is a floor, np.maximum: it is added to the variance"),
    ]
    law = "eps = 3/16 doubles the variance: std is the root of 6/16, 0.612"
    yield laws.equals(law, large.value[2], [[[math.sqrt(6) / 4]]], slips=slips)
    batch, gamma, beta = laws.random(0, (2, 3, 4), (4,), (4,))
    several = ask(layer_norm, batch, gamma, beta)
    law = "two sentences of three tokens: each token by itself, with eps = 1e-5 if none is given"
    worked, *others = (np.array([[_row(token, gamma, beta, eps) for token in rows] for rows in batch])
                       for eps in (1e-5, 1e-6, 1e-8, 1e-3))
    advice = "mean and variance run over the last axis alone: axis=-1, keepdims=True"
    slips = [(other, "eps is 1e-5 if none is given: yours is another") for other in others]
    yield laws.equals(law, several.value[0], worked, advice, slips)
    of_tokens = [_row(token, np.ones(4), np.zeros(4), 1e-5) for rows in batch for token in rows]
    law = "and the second result is each token's x_hat"
    yield laws.equals(law, laws.result(several, 1), np.reshape(of_tokens, (2, 3, 4)))
    law = "the third what each was divided by, (2, 3, 1)"
    yield laws.equals(law, laws.result(several, 2), np.sqrt(batch.var(axis=2)[..., None] + 1e-5))
    yield from _rows_alone(layer_norm, batch[0, 0], gamma, beta)
    for shape in MORE_SHAPES:
        law = f"the same tokens as {shape}: the same outputs"
        advice = "the last axis of any array is axis=-1; axis=2 is the last of three alone"
        value = laws.result(ask(layer_norm, batch.reshape(shape), gamma, beta), 0)
        yield laws.equals(law, value, worked.reshape(shape), advice)
    yield _float32(ask(layer_norm, *_small(batch, gamma, beta)))
    yield _float64(several)
    yield _far_from_0(layer_norm)


def _far_from_0(layer_norm):
    """A row whose mean and squares float32 holds, and the mean of its squares not well enough."""
    row = np.array([1000.125, 1000.25, 1000.375, 1000.0])
    reply = ask(layer_norm, *_small(row, np.ones(4), np.zeros(4)))
    law = "1000.125, 1000.25, 1000.375, 1000 in float32: a row far from 0 with a small spread is normalised as well"
    said = ("if the variance is mean(x**2) - mean**2, you subtracted two nearly equal squares, and float32 has lost "
            "what they differ by: subtract the mean first, then square")
    first = Reply(laws.result(reply, 0), precision="float32")
    return Verdict(law, laws.near(first, _row(row, np.ones(4), np.zeros(4), 1e-5)), f"{laws.got(first)}: {said}")


def _rows_alone(layer_norm, row, gamma, beta):
    """A row without axes in front of it, rows of one number, and large numbers."""
    alone, right = ask(layer_norm, row, gamma, beta), _row(row, gamma, beta, 1e-5)
    yield laws.equals("a single row, (4,): an output of that shape", laws.result(alone, 0), right)
    yield laws.shape("and one number it was divided by, (1,)", laws.result(alone, 2), (1,))
    narrow = ask(layer_norm, row[:3, None], gamma[:1], beta[:1])
    law = "rows of one number, (3, 1), have no x_hat: each output is beta"
    yield laws.equals(law, laws.result(narrow, 0), np.full((3, 1), beta[0]))
    large = ask(layer_norm, np.array([900.0, 0, 0, 0]), 900 * np.ones(4), np.zeros(4), 0.0)
    law = "large numbers, 900, 0, 0, 0: std is 900 times 0.433"
    yield laws.equals(law, laws.result(large, 2), [900 * math.sqrt(3) / 4])
    third = -300 * math.sqrt(3)
    law = "and with gamma = 900 the output is 1559, -520, -520, -520"
    yield laws.equals(law, laws.result(large, 0), [900 * math.sqrt(3), third, third, third])


@visible_check
def layer_norm_backward(layer_norm_backward):
    x, gamma, beta, d_output = laws.random(1, (2, 3, 4), (4,), (4,), (2, 3, 4))
    deviation = x - x.mean(axis=2, keepdims=True)
    std = np.sqrt((deviation * deviation).sum(axis=2, keepdims=True) / 4)  # eps = 0
    x_hat = deviation / std

    def loss():
        return sum(d_output[place] @ _row(x[place], gamma, beta, 0) for place in np.ndindex(2, 3))

    three = ask(layer_norm_backward, d_output, x_hat, std, gamma)
    shapes, advice = {"d_x": (2, 3, 4), "d_gamma": (4,), "d_beta": (4,)}, "sum over all axes but the last"
    yield laws.results(three, shapes, "two sentences of three tokens: ", advice=advice)
    d_x, d_gamma, d_beta = map(as_array, three.value)
    of_beta, of_gamma = numerical_gradient(loss, beta), numerical_gradient(loss, gamma)
    slips = [
        (of_gamma, "d_gamma and d_beta have changed places: return d_x, d_gamma, d_beta"),
        (of_beta * gamma, "you summed g: beta was added after gamma, d_beta is the sum of d_output itself"),
        (of_beta / 6, "you took the mean: every token adds its part, d_beta is the sum of d_output"),
    ]
    yield laws.equals("d_beta agrees with central differences", d_beta, of_beta, slips=slips)
    slips = [
        (of_gamma * gamma, "you summed g * x_hat: d_gamma is the sum of d_output * x_hat"),
        (of_gamma / 6, "you took the mean: every token adds its part, d_gamma is the sum of d_output * x_hat"),
    ]
    yield laws.equals("d_gamma agrees with central differences", d_gamma, of_gamma, slips=slips)
    plain, g = d_output - _mean(d_output) - x_hat * _mean(d_output * x_hat), d_output * gamma
    slips = [(plain * gamma / std, "gamma belongs inside: g = d_output * gamma comes first, and both means are of g")]
    advice = laws.slip(d_x, slips, "subtract mean(g), a mean, and of each row by itself (axis=-1)")
    yield laws.sums("each row of d_x sums to 0: no gradient can shift a row", d_x, 0, advice)
    law = "with eps = 0 each row of d_x is orthogonal to its x_hat: no gradient can stretch a row"
    last = g - _mean(g) - x_hat * _mean(g * x_hat) / std
    slips = [(last, "all three terms are divided by std, and you divided the last: put them in brackets")]
    advice = "subtract x_hat times mean(g * x_hat), a mean, and of each row by itself (axis=-1)"
    yield laws.sums(law, d_x * x_hat, 0, laws.slip(d_x, slips, advice), of="the products d_x * x_hat of each row")
    hint = "both laws hold, the size does not: g is d_output * gamma, and all is divided by std"
    yield laws.equals("d_x agrees with central differences", d_x, numerical_gradient(loss, x), hint)
    for shape in MORE_SHAPES:
        args = d_output.reshape(shape), x_hat.reshape(shape), std.reshape(*shape[:-1], 1), gamma
        parts = laws.parts(ask(layer_norm_backward, *args).value, 3) or [None] * 3
        law, advice = f"the same tokens as {shape}: the same ", "sum over all axes but the last, however many there are"
        fits = laws.near(parts[1], of_gamma) and laws.near(parts[2], of_beta)
        came = " and ".join(str(as_array(each).shape) for each in parts[1:])
        said = f"they have the shapes {came}, expected (4,) and (4,): {advice}"
        yield Verdict(law + "d_gamma and d_beta", fits, said)
        yield laws.equals(law + "d_x", parts[0], d_x.reshape(shape), "the means run over the last axis, axis=-1")
    yield from _slopes_alone(layer_norm_backward, d_output[0, 0], x_hat[0, 0], std[0, 0], gamma, d_x[0, 0])
    yield _float32(ask(layer_norm_backward, *_small(d_output, x_hat, std, gamma)))
    yield _float64(three)
    std = np.sqrt(std**2 + 0.5)
    x_hat, args = deviation / std, (d_output, deviation / std, std, gamma)
    d_x = (laws.parts(ask(layer_norm_backward, *args).value, 3) or [None])[0]

    def loss():
        return sum(d_output[place] @ _row(x[place], gamma, beta, 0.5) for place in np.ndindex(2, 3))

    law = "a large eps: d_x still agrees (and is no longer orthogonal to x_hat)"
    yield laws.equals(law, d_x, numerical_gradient(loss, x), "use the std that you are given")


def _slopes_alone(backward, d_row, x_hat, std, gamma, d_x):
    """A row without axes in front of it, rows of one and of two numbers, and large gradients."""
    alone = ask(backward, 1000 * d_row, x_hat, std, gamma)
    law = "a single row, (4,), and a gradient 1000 times as large: d_x is too"
    yield laws.equals(law, laws.result(alone, 0), 1000 * d_x)
    yield laws.equals("there d_gamma is d_output * x_hat", laws.result(alone, 1), 1000 * d_row * x_hat)
    yield laws.equals("and d_beta is d_output", laws.result(alone, 2), 1000 * d_row)
    signs, push = np.array([[1, -1], [-1, 1], [1, -1]]), np.array([[0.3, 0.7], [1.1, -2.3], [0.9, 0.1]])
    two = ask(backward, push, 0.99999 * signs, np.ones((3, 1)), np.ones(2))
    left = (push - push[:, ::-1]) / 2 * (1 - 0.99999**2)
    advice = "a row of two can only be shifted and stretched: what is left of g is so small that float32 loses it"
    law = "rows of two numbers, x_hat nearly 1 and -1: hardly anything is left of any gradient"
    yield laws.equals(law, laws.result(two, 0), left, advice)
    one = ask(backward, np.array([[0.3], [1.1]]), np.zeros((2, 1)), np.ones((2, 1)), gamma[:1])
    yield laws.equals("rows of one number: nothing is left either", laws.result(one, 0), np.zeros((2, 1)))
    yield laws.equals("there d_gamma has the shape (1,)", laws.result(one, 1), [0.0])
    yield laws.equals("and d_beta as well", laws.result(one, 2), [1.4])


@visible_check
def gelu(gelu):
    for form, value in [("erf", 0.8413447461), ("tanh", 0.8411919906)]:
        at_one = ask(gelu, np.array([1.0, 0.0]), form)
        slips = [
            ([0.9213503965, 0], "inside erf, x is divided by the root of 2"),
            ([0.8413447461, 0], "this is the erf form"), ([0.8411919906, 0], "this is the tanh form"),
            ([2 * value, 0], "the factor 1/2 is missing"), ([1, 0], "this is ReLU"),
            ([value, 0.5], "this is the probability alone: multiply it by x"),
            ([2 * value - 1, 0], "the 1 + is missing"),
        ]
        law = f"{form}: gelu(1) = {value:.6f}, gelu(0) = 0"
        yield laws.equals(law, at_one.value, [value, 0], slips=slips)
        spots = ask(gelu, SPOTS, form)
        right = np.array([[CURVE[form](u) for u in row] for row in SPOTS])
        yield laws.equals(f"{form}: {AT_SPOTS}", spots.value, right)
        tall = ask(gelu, SPOTS.reshape(2, 1, 3, 1), form)
        law, advice = f"{form}: the same as (2, 1, 3, 1)", "any shape stays as it is"
        yield laws.equals(law, tall, right.reshape(2, 1, 3, 1), advice)
        both = as_array(ask(gelu, -SPOTS, form).value)
        law = f"{form}: gelu(x) - gelu(-x) = x"
        yield laws.equals(law, as_array(spots.value) - both, SPOTS, f"got {rounded(both)} at -x")
    law = 'the form is "erf" if none is given'
    yield laws.equals(law, ask(gelu, np.ones(2)), [0.8413447461] * 2, 'form="erf"')
    for form, far in [("erf", 40.0), ("erf", 900.0), ("tanh", 40.0), ("tanh", 900.0)]:
        law = f"{form}: far from 0: gelu(-{far:g}) = 0 and gelu({far:g}) = {far:g}"
        yield laws.equals(law, ask(gelu, np.array([-far, far]), form).value, [0, far], OVERFLOW)
    law = "erf: at -5 and -4.5 it is small, and right to its own first six digits"
    small = [CURVE["erf"](u) for u in (-5, -4.5)]
    yield laws.equals(law, ask(gelu, np.array([-5.0, -4.5])), small, "is the root of 2 the right number, in float64?")
    for form in ("erf", "tanh"):
        yield from _in_float32(gelu, form, np.array([CURVE[form](u) for u in SPOTS.flat]).reshape(2, 3), SPOTS)
        yield _float64(ask(gelu, SPOTS, form), f"{form}: ")


@visible_check
def gelu_backward(gelu_backward):
    d_output = np.array([[1.0, 2.1, -1.0], [0.7, 1.0, 3.0]])
    for form in ("erf", "tanh"):
        reply = ask(gelu_backward, np.ones((2, 3)), SPOTS, form)
        slope = numerical_gradient(lambda form=form: sum(CURVE[form](u) for u in SPOTS.flat), SPOTS)
        law = f"{form}: with d_output = 1, the slope {AT_SPOTS}"
        yield laws.equals(law, reply.value, slope, slips=_slope_slips(form))
        steep = ask(gelu_backward, d_output, SPOTS, form)
        yield laws.equals(f"{form}: d_output times the slope", steep.value, d_output * slope, "multiply by d_output")
        mirrored = as_array(ask(gelu_backward, np.ones((2, 3)), -SPOTS, form).value)
        law = f"{form}: the slopes at x and at -x sum to 1"
        yield laws.equals(law, as_array(reply.value) + mirrored, np.ones((2, 3)), f"got {rounded(mirrored)} at -x")
        far = ask(gelu_backward, np.ones(2), np.array([-40.0, 40.0]), form)
        yield laws.equals(f"{form}: far from 0, the slope at -40 is 0 and at 40 it is 1", far.value, [0, 1], OVERFLOW)
        tall = (a.reshape(2, 1, 3, 1) for a in (d_output, SPOTS))
        law, right = f"{form}: the same as (2, 1, 3, 1)", (d_output * slope).reshape(2, 1, 3, 1)
        yield laws.equals(law, ask(gelu_backward, *tall, form), right, "any shape stays as it is")
        yield from _in_float32(gelu_backward, form, d_output * slope, d_output, SPOTS)
        yield _float64(steep, f"{form}: ")
    small = [math.erfc(-u / math.sqrt(2)) / 2 + u * math.exp(-u * u / 2) / math.sqrt(2 * math.pi) for u in (-5, -4.5)]
    law = "erf: at -5 and -4.5 the slope is small, and right to its own first six digits"
    yield laws.equals(law, ask(gelu_backward, np.ones(2), np.array([-5.0, -4.5])), small, "is all of it float64?")


@visible_check
def feed_forward(feed_forward):
    X, p = _layer(3, 2, 3, 4, 5)
    for activation in ("relu", "erf", "tanh"):
        law = f"{activation}: X W_1 + b_1, the activation, times W_2, + b_2"
        said = "W_1 is (d_model, d_ff) and W_2 (d_ff, d_model): X @ W_1 and active @ W_2 fit as they are, untransposed"
        reply = laws.asked(law, {FITS: said}, feed_forward, X, p, activation)
        shapes = {"output (B, T, d_model) =": (2, 3, 4), "inner (B, T, d_ff) =": (2, 3, 5)}
        yield laws.results(reply, shapes, f"{activation}: ")
        inner = np.array([[[token @ p["W_1"][:, f] + p["b_1"][f] for f in range(5)] for token in rows] for rows in X])
        law = f"{activation}: the second result is X W_1 + b_1, before the activation"
        yield laws.equals(law, reply.value[1], inner, "with b_1, and before the activation: the way back needs it so")
        right = _worked(X, p, activation)
        slips = [
            (right - p["b_2"], "b_2 is missing"),
            (right + X, "you added X: that belongs to the block around this layer"),
            (inner @ p["W_2"] + p["b_2"], "there is no activation between the two products"),
            (_curved(inner @ p["W_2"] + p["b_2"], activation), "the activation belongs between the two products"),
            (_curved(right, activation), "the output went through the activation: only the inner layer does"),
            (_worked(X, p, "relu"), "this is ReLU: the argument activation has no effect"),
            (_worked(X, p, OTHER[activation]), f"this is the {OTHER[activation]} form: hand the activation on to gelu"),
        ]
        said = "" if activation == "relu" else "with ReLU it was right: does gelu of exercise 3 pass its check?"
        yield laws.equals(f"{activation}: the output", reply.value[0], right, said, slips)
        yield _float32(ask(feed_forward, *_small(X, p), activation), f"{activation}: ", said)
        yield _float64(reply, f"{activation}: ")
    yield from _narrow_layers(feed_forward)
    unnamed, right = ask(feed_forward, X, p), _worked(X, p, "relu")
    yield laws.equals("ReLU if no activation is named", laws.result(unnamed, 0), right, "the default is \"relu\"")
    order = [2, 0, 1]
    law = "tokens in another order: the same outputs in that order, since no token sees another"
    yield laws.equals(law, laws.result(ask(feed_forward, X[:, order], p), 0), right[:, order], "each token by itself")


def _narrow_layers(feed_forward):
    """One sentence of one token with one number inside, and tokens of one number; large numbers in both."""
    for B, T, M, F in [(1, 1, 4, 1), (3, 1, 1, 2)]:
        X, p = _layer(5, B, T, M, F)
        X = 3000 * X
        reply = ask(feed_forward, X, p)
        law = f"(B, T, d_model, d_ff) = ({B}, {T}, {M}, {F}) and large numbers: the output, {B, T, M}"
        yield laws.equals(law, laws.result(reply, 0), _worked(X, p, "relu"))
        yield laws.equals(f"and inner, {B, T, F}", laws.result(reply, 1), np.tensordot(X, p["W_1"], 1) + p["b_1"])


@visible_check
def feed_forward_backward(backward):
    for activation in ("relu", "erf", "tanh"):
        X, p = _layer(4, 2, 3, 4, 5)
        inner = X @ p["W_1"] + p["b_1"]
        d_output = np.random.RandomState(9).randn(2, 3, 4)

        def loss(X=X, p=p, activation=activation, d_output=d_output):
            return (_worked(X, p, activation) * d_output).sum()

        law = f"{activation}: d_X, and a dictionary with the gradients of W_1, b_1, W_2, b_2"
        said = "back through x @ W a gradient d goes as d @ W.T, and W's own, of W's shape, is x.T @ d (x and d flat)"
        reply = laws.asked(law, {FITS: said}, backward, d_output, X, inner, p, activation)
        yield laws.gradients(law, reply, 2, NAMES)
        two = reply.value
        advice = {
            "W_2": "it met the layer after the activation; summed over sentences and positions",
            "b_2": "the sum of d_output over sentences and positions",
            "W_1": "it met X; what comes back has passed the slope of the activation, at inner",
            "b_1": "the sum of d_inner, which has passed the slope of the activation",
            "d_X": "d_inner times W_1 transposed, and nothing else: the residual belongs to the block",
        }
        for name in ("b_2", "W_2", "b_1", "W_1", "d_X"):
            got, array = (two[0], X) if name == "d_X" else (two[1][name], p[name])
            what = name if name == "d_X" else f"the gradient of {name}"
            law = f"{activation}: {what} agrees with central differences"
            slips = _other_form(name, X, p, inner, d_output, activation)
            slips += _bias_slips(name, p, inner, d_output, activation)
            advised = _blamed(activation, name) + advice[name]
            yield laws.equals(law, got, numerical_gradient(loss, array), advised, slips)
        small = ask(backward, *_small(d_output, X, inner, p), activation)
        said = "" if activation == "relu" else "with ReLU it was right: do exercises 3 and 4 pass their checks?"
        yield _float32(small, f"{activation}: ", said)
        yield _float64([two[0], two[1]], f"{activation}: ")
    yield _at_zero(backward)
    yield from _narrow_ways_back(backward)


def _other_form(name, X, p, inner, d_output, activation):
    """What comes of the other form of GELU, for W_2 and for b_1: its slip, or none."""
    if activation == "relu" or name not in ("W_2", "b_1"):
        return []
    form = OTHER[activation]
    if name == "W_2":
        met = np.tensordot(_curved(inner, form), d_output, ([0, 1], [0, 1]))
    else:
        met = numerical_gradient(lambda: (_worked(X, p, form) * d_output).sum(), p["b_1"])
    called = "gelu" if name == "W_2" else "gelu_backward"
    return [(met, f"{name}: this is the {form} form: hand the activation on to {called}")]


def _bias_slips(name, p, inner, d_output, activation):
    """What comes of a sum over the sentences alone, and of arguments that have changed places."""
    d_active = np.tensordot(d_output, p["W_2"], (2, 1))
    d_inner = d_active * _slopes(inner, activation)
    taken = "the slope is taken at inner" if activation == "relu" else "it is gelu_backward(d_active, inner, form)"
    alone = "you summed over the sentences alone: {} came, {} is expected. Sum over positions too, axis=(0, 1)"
    return {
        "b_2": [(d_output.sum(axis=0), f"b_2: {alone.format((3, 4), (4,))}")],
        "b_1": [(d_inner.sum(axis=0), f"b_1: {alone.format((3, 5), (5,))}"),
                ((inner * _slopes(d_active, activation)).sum(axis=(0, 1)),
                 f"b_1: inner and d_active have changed places: {taken}")],
    }.get(name, [])


def _slopes(array, activation):
    """The slope of the activation at each entry."""
    return numerical_gradient(lambda array: _curved(array, activation).sum(), array.copy())


def _narrow_ways_back(backward):
    """One sentence of one token with one number inside, and tokens of one number; large numbers in both."""
    for B, T, M, F in [(1, 1, 4, 1), (3, 1, 1, 2)]:
        X, p = _layer(5, B, T, M, F)
        X, d_output = 3000 * X, np.random.RandomState(9).randn(B, T, M)
        inner = X @ p["W_1"] + p["b_1"]
        d_inner = np.where(inner > 0, np.tensordot(d_output, p["W_2"], (2, 1)), 0)
        law = f"(B, T, d_model, d_ff) = ({B}, {T}, {M}, {F}) and large numbers: "
        reply = ask(backward, d_output, X, inner, p)
        yield laws.gradients(law + "two results", reply, 2, NAMES)
        right = {"d_X": np.tensordot(d_inner, p["W_1"], (2, 1)), "b_1": d_inner.sum(axis=(0, 1)),
                 "W_1": np.tensordot(X, d_inner, ([0, 1], [0, 1])), "b_2": d_output.sum(axis=(0, 1)),
                 "W_2": np.tensordot(np.maximum(inner, 0), d_output, ([0, 1], [0, 1]))}
        for name, each in right.items():
            got = reply.value[0] if name == "d_X" else reply.value[1][name]
            yield laws.equals(f"{law}{name}, {each.shape}", got, each)


def _three_shapes(value):
    """Did LayerNorm return three arrays of the right shapes? Names the first that has another."""
    law = "one token of width 4: output (1, 1, 4), x_hat (1, 1, 4), std (1, 1, 1)"
    if not laws.parts(value, 3):
        return Verdict(law, False, f"expected three arrays, got {laws.kind(value)}")
    shapes = [np.shape(as_array(each)) for each in value]
    if shapes == [(1, 1, 4), (1, 1, 1), (1, 1, 4)]:
        return Verdict(law, False, "x_hat and std have changed places: return output, x_hat, std")
    expected = {"std": (1, 1, 1), "x_hat": (1, 1, 4), "output": (1, 1, 4)}  # std first: if it is off, so are the rest
    for (name, right), each in zip(expected.items(), reversed(value), strict=True):
        shape = np.shape(as_array(each))
        advice = {2: "keepdims=True keeps the axis of length 1", 3: "it runs over the last axis, axis=-1"}
        said = advice.get(len(shape), "one for each token: axis=-1, keepdims=True") if name == "std" else "as x"
        if shape != right:
            return Verdict(law, False, f"{name} has shape {shape}, expected {right}: {said}")
    return Verdict(law, True)


def _blamed(activation, name):
    """Where to look first if the way back was right with ReLU and is not with a form of GELU."""
    if activation == "relu":
        return f"{name}: "
    function = "gelu of exercise 3" if name == "W_2" else "gelu_backward of exercise 4"
    return f"with ReLU {name} was right: does {function} pass its check? If so, {name}: "


def _at_zero(backward):
    """ReLU has a corner at 0: which slope it has there is a matter of choice."""
    X, p = _layer(4, 1, 2, 4, 5)
    p["b_1"] = np.zeros(5)
    reply = ask(backward, np.ones((1, 2, 4)), 0 * X, np.zeros((1, 2, 5)), p, "relu")
    law = "relu: where inner is exactly 0 the slope is 0, and b_1 has no gradient"
    form = laws.gradients(law, reply, 2, NAMES)
    advice = "the slope is 1 where inner > 0, else 0: >= makes it 1 at 0"
    return laws.equals(law, reply.value[1]["b_1"], np.zeros(5), advice) if form.passed else form


def _slope_slips(form):
    """What known slips make of the slope of GELU at SPOTS."""
    x, c, cube = SPOTS, math.sqrt(2 / math.pi), 0.044715
    below = np.array([[CURVE[form](u) / u if u else 0.5 for u in row] for row in x])
    other = "tanh" if form == "erf" else "erf"
    at_1 = numerical_gradient(lambda one: CURVE[form](one[0]), np.ones(1))
    slips = [
        (x * at_1, "d_output and x have changed places: the slope is taken at x, the second argument"),
        (below, "the product rule has a second part: x times the slope of the probability"),
        (x > 0, "this is the slope of ReLU"),
        (numerical_gradient(lambda: sum(CURVE[other](u) for u in x.flat), x), f"this is the slope of the {other} form"),
    ]
    bell, power = np.exp(-x * x / 2) / math.sqrt(2 * math.pi), np.exp(-x * x / 2)
    inner, half = c * (1 + 3 * cube * x**2), x * 2 * below * (1 - below)  # x/2 (1 - tanh²), as tanh is 2 below - 1
    return slips + ([
        (below + x * power / 2 * math.pi**0.5, "a / 2 * np.pi**0.5 is a/2 times the root: divide by (2 * np.pi)**0.5"),
        (below + x * power / 2**0.5 * math.pi**0.5, "a / b * c is a/b times c: divide by (2 * np.pi)**0.5 in brackets"),
        (below + x * power, "the bell curve is divided by the root of 2 pi"),
        (below + x * power / math.pi**0.5, "you divided by the root of pi: it is that of 2 pi"),
        (below + x * np.exp(-x * x / 4) / math.sqrt(2 * math.pi), "-(x / 2)**2 is -x**2 / 4: it is -x**2 / 2"),
        (below + x * np.exp(-x * x) / math.sqrt(2 * math.pi), "the exponent is -x**2 / 2: the half is missing"),
        (below + x / 2 * bell, "the second part is x times the bell curve: you have half of it"),
        (below + bell, "the second part is x times the bell curve: the x is missing"),
    ] if form == "erf" else [
        (below + x * (1 - below) * inner, "the slope of tanh is 1 - tanh**2: you have 1 - tanh"),
        (below + half, "the slope of what stands inside tanh is missing"),
        (below + half * inner / c, "inside tanh, the factor of the root of 2/pi is missing from the slope"),
        (below + half * c, "inside tanh, the slope of 0.044715 x**3 is missing"),
        (below + half * c * (1 + cube * x**2), "the slope of x**3 is 3 x**2: the 3 is missing"),
        (below + 2 * half * inner, "the second part has a factor 1/2 too"),
    ])


# What is expected


def _row(token, gamma, beta, eps):
    """The output of LayerNorm for one token, entry by entry."""
    mean = sum(token) / len(token)
    std = math.sqrt(sum((value - mean) ** 2 for value in token) / len(token) + eps)
    return np.array([g * (value - mean) / std + b for value, g, b in zip(token, gamma, beta, strict=True)])


def _worked(X, p, activation):
    """The output of the feed-forward layer, token by token."""
    output = np.zeros_like(X)
    for place in np.ndindex(X.shape[:2]):
        output[place] = _curved(X[place] @ p["W_1"] + p["b_1"], activation) @ p["W_2"] + p["b_2"]
    return output


def _curved(array, activation):
    """The activation of each entry."""
    return np.array([CURVE[activation](u) for u in array.flat]).reshape(array.shape)


def _mean(array):
    """Of each row, along an axis of length 1."""
    return array.mean(axis=-1, keepdims=True)


def _layer(seed, B, T, M, F):
    """X and the parameters of a feed-forward layer."""
    X, *arrays = laws.random(seed, (B, T, M), (M, F), (F,), (F, M), (M,))
    return X, dict(zip(NAMES, arrays, strict=True))


# Verdicts


def _small(*values):
    """The same in float32; the arrays of a dictionary too."""
    return [{name: a.astype(np.float32) for name, a in value.items()} if isinstance(value, dict)
            else value.astype(np.float32) for value in values]


def _in_float32(function, form, right, *arrays):
    """The same in float32, to its precision, and as float32."""
    reply = ask(function, *_small(*arrays), form)
    yield _float32(reply, f"{form}: ")
    advice = "differences of nearby values lose their digits in float32: take the formula of the slope"
    yield laws.equals(f"{form}: the same numbers in float32", reply, right, advice)


def _float64(answer, what=""):
    advice = "numbers lose half of their digits in float32: do not cast, and make new arrays with dtype=x.dtype"
    return laws.keeps_type(answer, advice, "float64", what)


def _float32(reply, what="", said=""):
    advice = (f"{said and said + ' '}NumPy's own numbers and new arrays, of np.sqrt(2) or np.zeros, are float64 and "
              "promote what they meet; 2**0.5 is Python's and does not")
    return laws.keeps_type(reply, advice, what=what)
