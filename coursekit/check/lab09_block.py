"""The visible checks of lab 09. Each takes the student's function and states the laws that it should keep.

What is expected is worked out token by token and head by head; gradients by central differences.
"""

import itertools

import numpy as np

from coursekit.check import as_array, ask, laws, rounded, visible_check
from coursekit.gradient_check import numerical_gradient
from coursekit.verdicts import Verdict, misfit

NAMES = ("W_Q", "W_K", "W_V", "W_O", "W_1", "b_1", "W_2", "b_2", "gamma_1", "beta_1", "gamma_2", "beta_2")
TRACE = ("read_1", "x_hat_1", "std_1", "weights", "read_2", "x_hat_2", "std_2", "inner")
B, T, M, HEADS, F = 2, 3, 4, 2, 5
CAUSAL = np.tri(T, dtype=bool)
PADDING = np.arange(T) < np.array([[[2]], [[3]]])
OWN = np.array([[[1, 0, 1], [0, 1, 0], [1, 1, 0]], [[0, 1, 1], [1, 1, 1], [0, 0, 1]]], dtype=bool)
ONE_TOKEN, ONE = "one sentence of one token of width 3, one number inside, large numbers", (1, 1, 3, 1, 300)
CASES = [("without a mask", None, HEADS), ("causal", CAUSAL, HEADS), ("padding, (B, 1, T)", PADDING, HEADS),
         ("one head, and a mask of each sentence's own, (B, T, T)", OWN, 1)]
IN_USE = "if you kept a given function, yours is in use: a # before its line with kept(...) takes the given one"
CALLS = ("are the given functions called with the arguments of the table above, in its order, heads as you got it, and "
         "are as many results unpacked as it names?")
RAW = dict.fromkeys(("shape", "matmul", "broadcast", "unpack", "argument", "dimension", "axes", "integer"), CALLS)
KEPT = f"\n  {IN_USE}"


def example(name):
    """Small arguments for one of the functions that the notebook gives: a kept one is tried on them."""
    X, p = _case()
    d_output, seen = np.random.RandomState(7).randn(B, T, M), _worked("post", X, p, CAUSAL)[1]
    return {
        "multi_head_attention": (X, X[::-1], p, HEADS, OWN),
        "multi_head_attention_backward": (d_output, X, X[::-1], p, HEADS, seen["weights"]),
        "layer_norm": (X, p["gamma_1"], p["beta_1"]),
        "layer_norm_backward": (d_output, seen["x_hat_1"], seen["std_1"], p["gamma_1"]),
        "feed_forward": (X, p),
        "feed_forward_backward": (d_output, seen["read_2"], seen["inner"], p),
    }[name]


@visible_check
def pre_ln_block(block):
    yield from _forward(block, "pre")
    X, p = _case()
    p = p | {name: 0 * p[name] for name in ("W_O", "W_2", "b_2")}
    reply = ask(block, X, p, HEADS)
    advice = "the sublayers add nothing, so X must come out as it went in: what else did you do to the stream?"
    yield laws.equals("with zeros for W_O, W_2 and b_2 the block is the identity", laws.result(reply, 0), X, advice)


@visible_check
def post_ln_block(block):
    yield from _forward(block, "post")
    X, p = _case()
    p = p | {"gamma_2": np.ones(M), "beta_2": np.zeros(M)}
    output = as_array(laws.result(ask(block, X, p, HEADS), 0))
    law = "with gamma_2 = 1 and beta_2 = 0 each row that comes out has mean 0 and variance 1 (but for eps)"
    held = np.allclose(output.mean(axis=-1), 0, atol=1e-6) and np.allclose(output.var(axis=-1), 1, atol=1e-3)
    yield Verdict(law, bool(held), "LayerNorm is the last thing that happens in a post-LN block")


@visible_check
def pre_ln_block_backward(backward):
    yield from _backward(backward, "pre")
    X, p = _case()
    p = p | {name: 0 * p[name] for name in ("W_O", "W_2", "b_2")}
    d_output = np.random.RandomState(6).randn(B, T, M)
    reply = ask(backward, d_output, _worked("pre", X, p, None)[1], p, HEADS)
    law = "with zero output weights d_X is d_output: the gradient passes unchanged"
    yield laws.equals(law, laws.result(reply, 0), d_output, "d_output goes past both sublayers as it is")


@visible_check
def post_ln_block_backward(backward):
    yield from _backward(backward, "post")


def _forward(block, order):
    yield from _form(block)
    X, p = _case()
    for law, mask, heads in CASES:
        reply = laws.asked(f"the output, {law}", RAW, block, X, p, heads, *([] if mask is None else [mask]))
        right, seen = _worked(order, X, p, mask, heads)
        hint, slips = _first_wrong(order, reply, right, seen), _slips(order, X, p, mask, heads)
        yield laws.equals(f"the output, {law}", laws.result(reply, 0), right, hint, slips)
    reply = ask(block, X, p, HEADS, CAUSAL)
    yield from _traced(order, reply, X, p)
    alone = _case(*ONE)
    of_one, (right, expected) = ask(block, *alone, 1), _worked(order, *alone, None, 1)
    yield laws.equals(f"{ONE_TOKEN}: the output", laws.result(of_one, 0), right, "do axes of length 1 stay?")
    for name in TRACE:
        yield laws.equals(f"and in the trace {name}, {expected[name].shape}", _entry(of_one, name), expected[name])
    later = X.copy()
    later[:, -1] += 1.0
    before = as_array(reply.value[0])[:, :-1]
    after = as_array(laws.result(ask(block, later, p, HEADS, CAUSAL), 0))[:, :-1]
    law = "under the causal mask, another last token changes nothing before it"
    yield laws.equals(law, after, before, "hand the mask to the attention; nothing else in a block mixes tokens")


def _traced(order, reply, X, p):
    """A verdict on each entry of the trace under the causal mask."""
    expected, *others = (_worked(order, X, p, CAUSAL, eps=eps)[1] for eps in (1e-5, 1e-6, 1e-8))
    slips = _trace_slips(order, X, p)
    for name in TRACE:
        hint = {"r": "what the sublayer was given", "x": "the second result of layer_norm",
                "s": "the third result of layer_norm", "w": "the second result of the attention",
                "i": "the second result of feed_forward"}[name[0]]
        law = f"trace: {name} {expected[name].shape}"
        yield laws.equals(law, _entry(reply, name), expected[name], hint, slips.get(name, []) + [
            (other[name], "eps is another: give layer_norm none, its default is 1e-5") for other in others])


def _form(block):
    """Two results of the right kinds, and all names in the trace."""
    law = "two results: the output, (B, T, d_model) = (2, 3, 4), and the trace, a dictionary"
    value = laws.asked(law, RAW, block, *_case(), HEADS).value
    two = laws.parts(value, 2)
    fits = bool(two) and as_array(two[0]).shape == (B, T, M) and isinstance(two[1], dict)
    got = f"got {laws.kind(value)}"
    if two and isinstance(two[0], tuple):
        got += "; layer_norm returns three results: the normalised rows, x_hat and std"
    yield Verdict(law, fits, got)
    missing = [name for name in TRACE if name not in two[1]]
    yield Verdict(f"the trace holds {', '.join(TRACE)}", not missing, f"missing: {', '.join(missing)}")


def _first_wrong(order, reply, right, seen):
    """The first wrong entry of the trace in the order of computation, or else the last step, and what to look at."""
    output, passed = as_array(laws.result(reply, 0)), []
    own = output[0, 0] if output.shape == right.shape else output
    rows = f"your first row is {rounded(own)}, expected {rounded(right[0, 0])}"
    for name, advice in STEPS[order].items():
        entry = _entry(reply, name)
        if not laws.near(entry, seen[name]):
            problem = misfit(entry, seen[name]) or "right shape, wrong values"
            return f"right in the trace: {', '.join(passed) or 'nothing'}; {name}: {problem}: {advice}\n  {rows}"
        passed.append(name)
    return f"the trace is right: {LAST[order]}\n  {rows}"


GIVEN = "the attention is given {} twice, the parameters, heads and the mask"
MADE = "{} is the first result of layer_norm, with gamma_{} and beta_{}"
NORM = "the {} norm is given {}, and eps is left at its default; if so, layer_norm itself is wrong:\n  " + IN_USE
STEPS = {"pre": dict.fromkeys(("std_1", "x_hat_1"), NORM.format("first", "X")) | {
             "read_1": MADE.format("read_1", 1, 1), "weights": GIVEN.format("read_1")}
         | dict.fromkeys(("std_2", "x_hat_2"), NORM.format("second", "the first sum, X itself + found")) | {
             "read_2": MADE.format("read_2", 2, 2), "inner": "the feed-forward layer is given read_2"},
         "post": {"read_1": "the attention is given X itself", "weights": GIVEN.format("X")}
         | dict.fromkeys(("std_1", "x_hat_1"), NORM.format("first", "the first sum, X + found")) | {
             "read_2": MADE.format("read_2", 1, 1), "inner": "the feed-forward layer is given read_2"}
         | dict.fromkeys(("std_2", "x_hat_2"), NORM.format("second", "the second sum, read_2 + made"))}
LAST = {"pre": "look at the last sum, the first sum itself + what the feed-forward layer made, with no norm after it",
        "post": MADE.format("the output", 2, 2)}


def _backward(backward, order):
    for law, mask, heads, *sizes in [*CASES[1:], (ONE_TOKEN, None, 1, *ONE)]:
        X, p = _case(*sizes)
        d_output = 100 * np.random.RandomState(5).randn(*X.shape)

        def loss(X=X, p=p, mask=mask, heads=heads, d_output=d_output):
            return (_worked(order, X, p, mask, heads)[0] * d_output).sum()

        said = f"{law}: two results, d_X and a dictionary with the gradients of all {len(NAMES)} parameters"
        trace = _worked(order, X, p, mask, heads)[1]
        reply = laws.asked(said, RAW, backward, d_output, trace, p, heads)
        slopes = {name: numerical_gradient(loss, array, 1e-5 * max(1, np.abs(array).max()))
                  for name, array in ((name, p.get(name, X)) for name in _way_back(order))}
        yield _all(f"{law}: d_X and all {len(NAMES)} gradients agree with central differences",
                   [laws.gradients(said, reply, 2, NAMES)], _agree(law, reply, slopes, ADVICE[order]))


def _agree(law, reply, slopes, advice):
    """A verdict on each gradient, in the order in which they are computed."""
    two = reply.value
    for name, slope in slopes.items():
        got, what = (two[0], name) if name == "d_X" else (two[1][name], f"the gradient of {name}")
        hint = f"{name}: {_misnamed(got, name, slopes) or f'{advice[name]}{KEPT}'}"
        yield laws.equals(f"{law}: {what} agrees with central differences", got, slope, hint)


def _all(law, *groups):
    """One verdict for many, asked one after the other: the first that failed, or else that this law holds."""
    verdicts = itertools.chain(*groups)
    return next((verdict for verdict in verdicts if not verdict.passed), Verdict(law, True))


def _way_back(order):
    """The parameters as a gradient meets them, and d_X last."""
    layer, attention = ["b_2", "W_2", "b_1", "W_1"], ["W_O", "W_V", "W_Q", "W_K"]
    norms = [["beta_2", "gamma_2"], ["beta_1", "gamma_1"]]
    if order == "pre":
        return [*layer, *norms[0], *attention, *norms[1], "d_X"]
    return [*norms[0], *layer, *norms[1], *attention, "d_X"]


def _misnamed(got, name, slopes):
    """Is this the gradient of a parameter that a gradient meets later?"""
    names = list(slopes)
    others = [other for other in names[names.index(name) + 1 :] if laws.near(got, slopes[other])]
    advice = "look at the names in your dictionary, and at the order in which the results come"
    return f"this is the gradient of {others[0]}: {advice}" if others else ""


# Where to look, if this is the first gradient that is wrong: those above it in `_way_back` are right.
LAYER = {"W_2": "b_2 is right, so is the gradient that the feed-forward layer gets: it takes inner from the trace",
         "b_1": "b_2 and W_2 are right: hand the layer's way back inner and the parameters as they are",
         "W_1": "b_1 is right, so is the gradient that came back to here: the layer was given read_2"}
ATTENTION = dict.fromkeys(("W_V", "W_Q", "W_K"), "W_O is right, so is the gradient that the attention gets: its way "
                          "back takes read_1 twice, the parameters, heads as given, and weights")
NORMS = {f"gamma_{n}": f"beta_{n} is right, so is the gradient that meets this norm: check x_hat_{n}, std_{n} and the "
         "names in your dictionary" for n in (1, 2)}
ADVICE = {
    "pre": LAYER | ATTENTION | NORMS | {
        "b_2": "the feed-forward layer gets d_output as it is",
        "beta_2": "what comes out of the feed-forward layer's way back, d_read_2, meets this norm",
        "W_O": "the attention gets d_output + what came back through the second LayerNorm (given std_2 and gamma_2), "
               "and read_1 twice",
        "beta_1": "what comes out of the attention's way back, d_X + d_memory, meets this norm",
        "d_X": "what went past the attention, d_middle, + what came back through the first LayerNorm (given std_1 and "
               "gamma_1)"},
    "post": LAYER | ATTENTION | NORMS | {
        "beta_2": "d_output meets this norm as it is",
        "b_2": "the feed-forward layer gets the gradient of the second sum, after LayerNorm's way back (given std_2 "
               "and gamma_2)",
        "beta_1": "the sum of what comes past the feed-forward layer and through it meets this norm",
        "W_O": "the attention gets the gradient of the first sum, after LayerNorm's way back (given std_1 and "
               "gamma_1), and read_1 twice",
        "d_X": "what comes past the attention + what comes through it, which is d_X + d_memory"},
}


# What is expected


def _case(B=B, T=T, M=M, F=F, scale=2):
    stream = np.random.RandomState(2)
    shapes = {name: (M, M) for name in NAMES[:4]}
    shapes |= {"W_1": (M, F), "b_1": (F,), "W_2": (F, M), "b_2": (M,)} | {name: (M,) for name in NAMES[8:]}
    return scale * stream.randn(B, T, M), {name: stream.randn(*shape) for name, shape in shapes.items()}


def _worked(order, X, p, mask, heads=HEADS, at=("1", "2"), eps=1e-5):
    """A block worked out in small steps: its output and what each sublayer saw. `at` names the norms' parameters."""
    def normed(x, n):
        mean = x.sum(axis=-1) / x.shape[-1]
        std = np.sqrt(((x - mean[..., None]) ** 2).sum(axis=-1) / x.shape[-1] + eps)
        x_hat = (x - mean[..., None]) / std[..., None]
        return p[f"gamma_{n}"] * x_hat + p[f"beta_{n}"], x_hat, std[..., None]

    seen = {}
    read = seen["read_1"] = normed(X, at[0])[0] if order == "pre" else X
    found, seen["weights"] = _looked(read, p, mask, heads)
    norm = normed(X if order == "pre" else X + found, at[0])
    seen["x_hat_1"], seen["std_1"] = norm[1:]
    middle = X + found if order == "pre" else norm[0]
    read = seen["read_2"] = normed(middle, at[1])[0] if order == "pre" else middle
    seen["inner"] = np.tensordot(read, p["W_1"], 1) + p["b_1"]
    made = np.tensordot(np.clip(seen["inner"], 0, None), p["W_2"], 1) + p["b_2"]
    norm = normed(middle if order == "pre" else middle + made, at[1])
    seen["x_hat_2"], seen["std_2"] = norm[1:]
    return (middle + made if order == "pre" else norm[0]), seen


def _looked(x, p, mask, heads):
    """Self-attention of the heads in turn: what they find together, and their weights."""
    may = np.broadcast_to(True if mask is None else mask, (*x.shape[:2], x.shape[1]))
    found, weights, d = 0, [], x.shape[2] // heads
    for own in (slice(i * d, (i + 1) * d) for i in range(heads)):
        scores = (x @ p["W_Q"][:, own]) @ np.swapaxes(x @ p["W_K"][:, own], 1, 2) / d**0.5
        powers = np.exp(np.clip(scores, -300, 300)) * may
        weights.append(powers / powers.sum(axis=2)[..., None])
        found = found + weights[-1] @ (x @ p["W_V"][:, own]) @ p["W_O"][own]
    return found, np.stack(weights, axis=1)


def _slips(order, X, p, mask, heads):
    """(a known wrong output, what to look at)"""
    other = "post" if order == "pre" else "pre"
    both = _worked(order, X, p, mask, heads, at=("1", "1"))[0]
    swapped = _worked(order, X, p, mask, heads, at=("2", "1"))[0]
    slips = [
        (_worked(other, X, p, mask, heads)[0], f"this is {other}-LN"),
        (both, "both norms use gamma_1 and beta_1: the second has its own"),
        (swapped, "the norms have changed places: gamma_1 and beta_1 are the attention's"),
    ]
    if mask is not None:
        slips.append((_worked(order, X, p, None, heads)[0], "the mask has no effect: hand it to the attention"))
    if mask is OWN:
        cut = _worked(order, X, p, mask[:, :1], heads)[0]
        slips.append((cut, "all queries had their sentence's first row of the mask: hand it on as it is, uncut"))
        advice = f"this is what {HEADS} heads make: heads is an argument, here {heads}"
        slips.append((_worked(order, X, p, mask, HEADS)[0], advice))
    return slips


def _trace_slips(order, X, p):
    """{entry: (a known wrong value under the causal mask, what to say of it)}"""
    seen, norm = _worked(order, X, p, CAUSAL)[1], "LN₂" if order == "pre" else "LN₁"
    middle = X + _looked(seen["read_1"], p, CAUSAL, HEADS)[0]
    of_2 = f"read_2 is what the feed-forward layer was given, {norm} of the first sum, not the sum"
    return {
        "read_1": [(X, "read_1 is what the attention was given, LN₁(X), not X"),
                   (seen["x_hat_1"], "read_1 is the first result of layer_norm, with gamma and beta, not x_hat")],
        "read_2": [(middle, of_2), (seen["x_hat_2"], "read_2 is the first result of layer_norm, not x_hat")],
        "inner": [(np.clip(seen["inner"], 0, None), "inner is before the ReLU: the second result of feed_forward")],
    }


def _entry(reply, name):
    """What the trace holds under this name."""
    two = laws.parts(reply.value, 2)
    return two[1].get(name, []) if two and isinstance(two[1], dict) else []
