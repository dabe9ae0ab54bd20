"""What a layer of attention makes of sequences longer than it was trained on, by how it knows where a token stands.

A sequence is a list of small events. Each writes a digit into one of four boxes and asks for a box:

    event     0      1      2      3      4
    writes    a=3    c=7    a=5    b=1    c=2
    asks      a      a      c      a      c
    latest    3      3      7      5      2         what the asked box holds now
    back      -      -      3      7      5         the digit that was written BACK events before (2 here, 5 below)

"latest" needs the box and, among its writings, the last one. "back" needs a distance and nothing else. One layer of
causal attention with eight heads answers, from the blend alone:

    X = x E (+ positions)      Q, K, V = X W_Q, X W_K, X W_V      digit = softmax(blend R)

Simpler than a Transformer: one layer, no residual path, no feed-forward part, no normalisation. Gradients by hand.

B sequences, T events, N = 16 entries of an event (four boxes written, eight digits, four boxes asked), h heads of width
d_k, d_model = 64, V digits.
"""

import math
from typing import NamedTuple

import numpy as np

from coursekit.layers.basics import outer
from coursekit.training import Training
from solutions.artifacts.parts import softmax
from solutions.lab07_positions.reference import alibi_bias, alibi_slopes, rotate, rotate_backward, sinusoids

SCHEMES = ("none", "sinusoids", "learned", "rope", "alibi")
TASKS = ("latest", "back")
SEEDS = (0, 1, 2)
BOXES, DIGITS, BACK = 4, 8, 5
D_MODEL, HEADS, TRAINED, ROWS = 64, 8, 32, 128  # ROWS: of the learned table, of which training sees TRAINED
STEPS, BATCH, RATE = 600, 16, 5e-3
SEQUENCES = 300


class Events(NamedTuple):
    """A batch: events as rows of zeros and ones x (B, T, N), and the right digits (B, T), -1 where there is none."""

    x: np.ndarray
    target: np.ndarray


class Trace(NamedTuple):
    """What the way back needs of the way forward."""

    X: np.ndarray
    Q: np.ndarray
    K: np.ndarray
    V: np.ndarray
    weights: np.ndarray
    blend: np.ndarray
    probabilities: np.ndarray


# Events


def events(rng, task, B, T):
    """Draw B sequences of T events and what is asked of them."""
    box, digit, asked = (rng.integers(0, n, size=(B, T)) for n in (BOXES, DIGITS, BOXES))
    x = np.concatenate([np.eye(n)[ids] for n, ids in ((BOXES, box), (DIGITS, digit), (BOXES, asked))], axis=-1)
    target = latest(box, digit, asked) if task == "latest" else back(digit)
    return Events(x.astype(np.float32), target)


def latest(box, digit, asked):
    """The digit that the asked box holds after each event, (B, T); -1 while it is empty."""
    held, target = np.full((len(box), BOXES), -1), np.empty_like(box)
    for i in range(box.shape[1]):
        np.put_along_axis(held, box[:, i : i + 1], digit[:, i : i + 1], axis=1)
        target[:, i] = np.take_along_axis(held, asked[:, i : i + 1], axis=1)[:, 0]
    return target


def back(digit):
    """The digit that was written BACK events before, (B, T); -1 for the first ones."""
    return np.concatenate([np.full((len(digit), BACK), -1), digit[:, :-BACK]], axis=1)


# One layer


def shapes(scheme):
    """The parameters' shapes."""
    found = {"E": (2 * BOXES + DIGITS, D_MODEL), "R": (D_MODEL, DIGITS)}
    found |= {name: (D_MODEL, D_MODEL) for name in ("W_Q", "W_K", "W_V")}
    return found | ({"P": (ROWS, D_MODEL)} if scheme == "learned" else {})


def initial_parameters(rng, scheme):
    """Every product starts with entries of about size 1; so do the rows of the table, as large as those of E."""
    scale = {"E": 3**-0.5, "P": 3**-0.5}
    return {name: rng.normal(size=shape) * scale.get(name, shape[0] ** -0.5) for name, shape in shapes(scheme).items()}


def forward(parameters, x, scheme, window=ROWS):
    """Events x (B, T, N) to a `Trace`, with probabilities (B, T, V). Each looks at the last `window` events."""
    T, places = x.shape[1], np.arange(x.shape[1])
    X = x @ parameters["E"]  # (B, T, d_model)
    if scheme == "sinusoids":
        X = X + sinusoids(places, X.shape[-1]).astype(X.dtype)
    if scheme == "learned":
        X = X + parameters["P"][:T]
    Q, K, V = (split(X @ parameters[name]) for name in ("W_Q", "W_K", "W_V"))  # (B, h, T, d_k)
    if scheme == "rope":
        Q, K = rotate(Q, places), rotate(K, places)
    weights = causal_softmax(Q @ K.swapaxes(-1, -2) / math.sqrt(Q.shape[-1]), scheme, window)
    blend = merge(weights @ V)  # (B, T, h·d_k)
    return Trace(X, Q, K, V, weights, blend, softmax(blend @ parameters["R"]))


def backward(parameters, trace, batch, scheme):
    """The gradient of the mean of -log p[target] in each parameter."""
    seen = batch.target >= 0
    right = np.eye(DIGITS, dtype=trace.X.dtype)[batch.target]
    d_logits = (trace.probabilities - right) * seen[..., None] / seen.sum().astype(trace.X.dtype)
    d_blend = split(d_logits @ parameters["R"].T)  # (B, h, T, d_k)
    d_Q, d_K, d_V = attention_backward(d_blend, trace)
    if scheme == "rope":
        places = np.arange(batch.x.shape[1])
        d_Q, d_K = rotate_backward(d_Q, places), rotate_backward(d_K, places)
    gradient, d_X = {"R": outer(trace.blend, d_logits)}, 0
    for name, d_part in (("W_Q", d_Q), ("W_K", d_K), ("W_V", d_V)):
        gradient[name] = outer(trace.X, merge(d_part))
        d_X = d_X + merge(d_part) @ parameters[name].T
    gradient["E"] = outer(batch.x, d_X)
    if scheme == "learned":
        gradient["P"] = np.zeros_like(parameters["P"])
        gradient["P"][: d_X.shape[1]] = d_X.sum(axis=0)
    return gradient


def attention_backward(d_blend, trace):
    """From the gradient in each head's blend to those in its queries, keys and values, all (B, h, T, d_k)."""
    d_weights = d_blend @ trace.V.swapaxes(-1, -2)  # (B, h, T, T)
    d_scores = trace.weights * (d_weights - (d_weights * trace.weights).sum(axis=-1, keepdims=True))
    d_scores = d_scores / math.sqrt(trace.Q.shape[-1])
    return d_scores @ trace.K, d_scores.swapaxes(-1, -2) @ trace.Q, trace.weights.swapaxes(-1, -2) @ d_blend


def causal_softmax(scores, scheme, window):
    """Scores (B, h, T, T) to weights, over the last `window` events up to each; the biases of ALiBi are added first."""
    heads, T = scores.shape[1], scores.shape[-1]
    if scheme == "alibi":
        scores = scores + alibi_bias(alibi_slopes(heads), T, T).astype(scores.dtype)
    near = np.tri(T, dtype=bool) & ~np.tri(T, k=-window, dtype=bool)
    return softmax(np.where(near, scores, -np.inf))


def split(x):
    """(B, T, h·d_k) to (B, h, T, d_k)."""
    return x.reshape(*x.shape[:2], HEADS, -1).transpose(0, 2, 1, 3)


def merge(x):
    """(B, h, T, d_k) to (B, T, h·d_k)."""
    return x.transpose(0, 2, 1, 3).reshape(x.shape[0], x.shape[2], -1)


# Training, and what comes of it


def loss(parameters, batch, scheme):
    """The mean of -log p[target] over the events that have one."""
    probabilities = forward(parameters, batch.x, scheme).probabilities
    seen = batch.target >= 0
    return -np.log(np.take_along_axis(probabilities, batch.target[..., None], axis=-1)[seen]).mean()


def train(scheme, task, seed, steps=STEPS):
    """The parameters after these steps on sequences of TRAINED events."""
    rng = np.random.default_rng(seed)
    training = Training(initial_parameters(rng, scheme))
    for step in range(steps):
        batch = events(rng, task, BATCH, TRAINED)
        gradient = backward(training.parameters, forward(training.parameters, batch.x, scheme), batch, scheme)
        training.move(gradient, RATE * min(1, 2 * (1 - step / steps)))
    return training.parameters


def right_by_place(parameters, scheme, task, window=ROWS, sequences=SEQUENCES):
    """The share of right digits at each of ROWS places, in new sequences; nan where there is nothing to answer."""
    rng = np.random.default_rng(10_000)
    right, asked = np.zeros(ROWS), np.zeros(ROWS)
    for _ in range(sequences // 10):
        batch = events(rng, task, 10, ROWS)
        said = forward(parameters, batch.x, scheme, window).probabilities.argmax(axis=-1)
        right += ((said == batch.target) & (batch.target >= 0)).sum(axis=0)
        asked += (batch.target >= 0).sum(axis=0)
    return np.where(asked > 0, right / np.maximum(asked, 1), np.nan)


def make():
    """What `coursekit.load("positions_by_length")` returns: "latest.rope" and so on, (seeds, places), the share of
    right digits at each place of sequences four times as long as those trained on; "latest.rope.window", the same of
    the same models when they look at the last TRAINED events only; "trained", that length."""
    arrays = {}
    for task in TASKS:
        for scheme in SCHEMES:
            models = [train(scheme, task, seed) for seed in SEEDS]
            arrays[f"{task}.{scheme}"] = [right_by_place(p, scheme, task) for p in models]
            arrays[f"{task}.{scheme}.window"] = [right_by_place(p, scheme, task, TRAINED) for p in models]
    return {
        **{name: np.array(rows, np.float32) for name, rows in arrays.items()},
        "trained": np.array(TRAINED),
        "back": np.array(BACK),
        "about.seeds": np.array(SEEDS),
        "about.steps": np.array(STEPS),
    }
