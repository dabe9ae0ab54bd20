"""What lab 08 is judged on. The ways back receive what the ways forward compute as arguments."""

import numpy as np

from coursekit.verdicts import Verdict, together
from solutions.dictionaries import flat, told
from solutions.lab08_layers import reference
from solutions.typed import exact, some, typed

NAMES = ["W_1", "b_1", "W_2", "b_2"]


def layer_norm(student, rng):
    hint = "each row by itself: minus its mean, over the root of (biased variance + eps); then gamma and beta"
    for law, cases in _rows(rng, axes=(3, 2, 3, 4)):
        if cases[0][0].dtype == np.float32:
            law, cases = f"{law}; rows far from 0 with a small spread", [*cases, _far_from_0(rng, *cases[0][3:])]
        yield together(*[typed(law, student.layer_norm(*args), reference.layer_norm(*exact(args)), hint, args[0])
                         for args in cases])


def layer_norm_backward(student, rng):
    hint = "d_output * gamma, less its mean, less x_hat times the mean of its product with x_hat; then over std"
    also = "d_gamma and d_beta are sums over all axes but the last, d_gamma of d_output * x_hat"
    for law, cases in _rows(rng, axes=(4, 4, 4, 4)):
        of_x, of_parameters = [], []
        for x, gamma, beta, *eps in cases:
            output, x_hat, std = reference.layer_norm(x, gamma, beta, *eps)
            args = rng.normal(size=output.shape).astype(x.dtype), x_hat, std, gamma
            reply, expected = student.layer_norm_backward(*args), reference.layer_norm_backward(*exact(args))
            of_x.append(some(f"{law}: d_x", reply, expected, [0], hint, x))
            of_parameters.append(some(f"{law}: d_gamma and d_beta", reply, expected, [1, 2], also, x))
        yield together(*of_x)
        yield together(*of_parameters)


def gelu(student, rng):
    hint = "x Φ(x) with erf, and the form with tanh, √(2/π) and 0.044715 x³"
    for law, arrays, form in _activations(rng):
        yield together(*[typed(law, student.gelu(x, form), reference.gelu(*exact([x]), form), hint, x)
                         for x in arrays])


def gelu_backward(student, rng):
    hint = "the product rule on each form, times d_output: compare with central differences"
    for law, arrays, form in _activations(rng):
        calls = [(rng.normal(size=x.shape).astype(x.dtype), x) for x in arrays]
        yield together(*[typed(law, student.gelu_backward(*args, form),
                         reference.gelu_backward(*exact(args), form), hint, args[1]) for args in calls])


def feed_forward(student, rng):
    hint = "activation(X W_1 + b_1) W_2 + b_2; the second result is X W_1 + b_1"
    for law, cases in _layers(rng):
        yield together(*[typed(law, student.feed_forward(*args), reference.feed_forward(*exact(args)), hint,
                         args[0]) for args in cases])


def feed_forward_backward(student, rng):
    hint = "compare with central differences; the parameters' gradients are sums over sentences and positions"
    for law, cases in _layers(rng):
        yield together(*[_back(student, law, rng, hint, *args) for args in cases])


def _back(student, law, rng, hint, X, parameters, *activation):
    output, inner = reference.feed_forward(X, parameters, *activation)
    args = rng.normal(size=output.shape).astype(X.dtype), X, inner, parameters, *activation
    expected = flat(reference.feed_forward_backward(*exact(args)), NAMES)
    reply, problem = told(student.feed_forward_backward(*args), ["d_X"], NAMES)
    return Verdict(law, False, problem) if problem else typed(law, reply, expected, hint, X, ["d_X", *NAMES])


# Cases


def _rows(rng, axes):
    """(law, arguments of `layer_norm`, several), the first of each with so many axes; half are float32.

    In two of four a row has hardly any variance, so that eps decides. The ways back have four axes in all: sums over
    the first axis, or the first two, are wrong in each. What comes second are rows of one or two entries, which have
    no gradient, a single row, and rows of large and of small numbers.
    """
    laws = [  # kind, shape, eps, scale of each
        ("a batch of sentences, and a single row, in float32", np.float32, (2, 3, 4, 6), [], 1.0,
         [((5,), [], 1.0)]),
        ("a row of equal entries, and small rows: eps is inside the root", float, (4, 2, 5, 3), [1e-2], 0.05,
         [((2, 1, 3), [1e-12], 1e-3)]),
        ("one long sentence, a small eps; rows of one entry and of two", float, (3, 1, 5, 7), [1e-12], 2.0,
         [((3, 1), [], 1.0), ((4, 2), [1e-12], 1.0)]),
        ("four axes, a large eps, in float32, and large numbers", np.float32, (2, 3, 5, 4), [0.5], 1.5,
         [((1, 2, 4), [0.5], 300.0)]),
    ]
    for (law, kind, shape, eps, scale, more), number in zip(laws, axes, strict=True):
        cases = [_row_case(rng, kind, shape[-number:], eps, scale), *(_row_case(rng, kind, *each) for each in more)]
        if "equal" in law:
            cases[0][0].reshape(-1, shape[-1])[1] = 0.75  # a row without any variance
        yield law, cases


def _row_case(rng, kind, shape, eps, scale):
    x = scale * rng.normal(size=shape) + scale * rng.normal(size=(*shape[:-1], 1))
    return *(a.astype(kind) for a in (x, *rng.normal(size=(2, shape[-1])))), *eps


def _far_from_0(rng, *eps):
    """Rows of eighths near 1000: float32 holds their mean exactly, and the mean of their squares not at all so."""
    x = rng.permuted(1000 + np.tile([0.125, 0.25, 0.375, 0.0], (3, 1)), axis=1)
    return *(a.astype(np.float32) for a in (x, *rng.normal(size=(2, 4)))), *eps


def _activations(rng):
    """(law, arrays, form); in each, numbers so far from 0 that a power of them overflows, and the same in float32."""
    for form in ("erf", "tanh"):
        near, far = rng.normal(size=(3, 4, 5)), [*4 * rng.normal(size=6), 0, 9, -9, 40, -40]
        near[0, 1, 2] = -40.0
        arrays = [near, near.astype(np.float32), rng.normal(size=(1, 3, 1))]
        arrays += [rng.uniform(-5, -4, size=2)] if form == "erf" else []  # small results, to their own digits
        yield f"{form}: numbers near 0 and one far from it; float32 stays float32", arrays, form
        arrays = [np.array(far), np.array(far, np.float32), np.array([[-900.0, 900.0]])]
        yield f"{form}: large numbers of both signs, and 0; float32 stays float32", arrays, form


def _layers(rng):
    """(law, arguments of `feed_forward`, several): in float32 too, with axes of length 1, and with large numbers.

    With ReLU an entry of inner is exactly 0.
    """
    for law, *cases in [
        ("ReLU, a wide inner layer, in float32", (np.float32, 2, 3, 4, 7, 1, "relu"), (float, 1, 3, 4, 1, 1, "relu")),
        ("ReLU, the default, a narrow inner layer, in float32", (np.float32, 4, 2, 6, 5, 1),
         (float, 3, 1, 1, 4, 300)),
        ("GELU, the erf form", (float, 3, 5, 4, 6, 1, "erf"), (np.float32, 1, 2, 3, 5, 1, "erf")),
        ("GELU, the tanh form", (float, 2, 4, 3, 8, 1, "tanh"), (np.float32, 2, 1, 3, 4, 1, "tanh")),
    ]:
        yield law, [_layer_case(rng, *case) for case in cases]


def _layer_case(rng, kind, B, T, M, F, scale, *activation):
    shapes = [(M, F), (F,), (F, M), (M,)]
    parameters = {name: rng.normal(size=shape).astype(kind) for name, shape in zip(NAMES, shapes, strict=True)}
    X = (scale * rng.normal(size=(B, T, M))).astype(kind)
    if activation in ((), ("relu",)):
        X[0, 0], parameters["b_1"][0] = 0, 0
    return X, parameters, *activation
