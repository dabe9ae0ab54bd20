"""What depth does to the gradients of post-LN and pre-LN blocks, and to learning: the curves of chapter 9.

A stack of blocks (lab 09's reference) reads a row of digits and is to write it backwards, digit by digit, each from its
own position. Digits and places are learned vectors that are added; matrices start as Glorot & Bengio (2010) have it.
With pre-LN a last LayerNorm stands before the readout, as in GPT-2; with post-LN the last block ends in one.
"""

import numpy as np

from coursekit.layers.basics import outer
from coursekit.training import Training
from solutions.artifacts.measures import smoothed
from solutions.artifacts.parts import cross_entropy, embedding_backward
from solutions.lab08_layers import reference as layers
from solutions.lab09_block import reference as block

ORDERS = ("post", "pre")
DEPTHS, SEEDS, PROFILE = (1, 2, 4, 8, 16, 32), (0, 1, 2, 3, 4), 16
M, HEADS, F, T, DIGITS, BATCH = 32, 4, 64, 10, 10, 32  # M: d_model, F: d_ff
STEPS, RATE, EVERY = 300, 3e-3, 10
RUNS, CASES = (0, 1, 2), [(order, *case) for order in ORDERS for case in ((6, 0), (12, 0), (12, 100))]
LN = ("gamma", "beta")


def make():
    """Gradients before learning, of the last block (order, depth, seed) and of all (order, seed, block), and losses."""
    losses = {case: [run(seed, *case) for seed in RUNS] for case in CASES}
    norms = [[[gradients(seed, order, depth) for seed in SEEDS] for depth in DEPTHS] for order in ORDERS]
    last = [[[of_blocks[-1] for of_blocks in of_seeds] for of_seeds in of_depths] for of_depths in norms]
    return {
        "depths": np.array(DEPTHS), "last": np.array(last),
        "by_block": np.array([of_depths[DEPTHS.index(PROFILE)] for of_depths in norms]),
        "steps": np.arange(0, STEPS, EVERY) + EVERY,
        **{f"{order}.{depth}.{warm_up}.loss": np.array(curves, np.float32)
           for (order, depth, warm_up), curves in losses.items()},
        "about.seeds": np.array(SEEDS), "about.runs": np.array(RUNS), "about.rate": np.array(RATE),
    }



def initial_parameters(rng, depth):
    """Matrices uniform within ±√(6 / (rows + columns)), embeddings normal, gamma 1, biases and beta 0."""
    shapes = {f"{i}.{name}": shape for i in range(depth) for name, shape in block_shapes().items()}
    shapes |= {"digits": (DIGITS, M), "places": (T, M), "gamma": (M,), "beta": (M,), "readout": (M, DIGITS)}
    return {name: start(rng, name, shape) for name, shape in shapes.items()}


def block_shapes():
    """The shapes of one block's parameters."""
    matrices = {name: (M, M) for name in ("W_Q", "W_K", "W_V", "W_O")} | {"W_1": (M, F), "W_2": (F, M)}
    return matrices | {"b_1": (F,), "b_2": (M,)} | {f"{name}_{n}": (M,) for n in (1, 2) for name in LN}


def start(rng, name, shape):
    """The first value of one parameter."""
    if len(shape) == 1:
        return np.ones(shape) if "gamma" in name else np.zeros(shape)
    if name in ("digits", "places"):
        return rng.normal(size=shape)
    return rng.uniform(-1, 1, size=shape) * (6 / sum(shape)) ** 0.5


def loss_and_gradient(p, order, depth, digits):
    """The mean of -log p[right digit] for rows of digits (B, T), and its gradient in every parameter."""
    forward, backward = getattr(block, f"{order}_ln_block"), getattr(block, f"{order}_ln_block_backward")
    blocks = [{name: p[f"{i}.{name}"] for name in block_shapes()} for i in range(depth)]
    stream, traces = p["digits"][digits] + p["places"], []                                   # (B, T, M)
    for of_block in blocks:
        stream, trace = forward(stream, of_block, HEADS)
        traces.append(trace)
    last = layers.layer_norm(stream, p["gamma"], p["beta"]) if order == "pre" else (stream,)
    loss, d_logits = cross_entropy(last[0] @ p["readout"], digits[:, ::-1])
    gradient = {name: np.zeros_like(p[name]) for name in LN}
    gradient["readout"] = outer(last[0], d_logits)
    d_stream = d_logits @ p["readout"].T
    if order == "pre":
        d_stream, gradient["gamma"], gradient["beta"] = layers.layer_norm_backward(d_stream, *last[1:], p["gamma"])
    for i in reversed(range(depth)):
        d_stream, of_block = backward(d_stream, traces[i], blocks[i], HEADS)
        gradient |= {f"{i}.{name}": each for name, each in of_block.items()}
    gradient |= {"digits": embedding_backward(d_stream, digits, DIGITS), "places": d_stream.sum(axis=0)}
    return loss, gradient


def gradients(seed, order, depth):
    """The length of the gradient in W_2 of each block before any learning, first to last.

    What stands on top is left out: it asks each row that leaves the stack for a random direction of length 1.
    """
    rng = np.random.default_rng(seed)
    p, stream, traces = initial_parameters(rng, depth), rng.normal(size=(BATCH, T, M)), []
    blocks = [{name: p[f"{i}.{name}"] for name in block_shapes()} for i in range(depth)]
    for of_block in blocks:
        stream, trace = getattr(block, f"{order}_ln_block")(stream, of_block, HEADS)
        traces.append(trace)
    d_stream = rng.normal(size=stream.shape)
    d_stream /= np.linalg.norm(d_stream, axis=-1, keepdims=True)
    if order == "pre":
        _, x_hat, std = layers.layer_norm(stream, p["gamma"], p["beta"])
        d_stream, _, _ = layers.layer_norm_backward(d_stream, x_hat, std, p["gamma"])
    norms = []
    for of_block, trace in zip(reversed(blocks), reversed(traces), strict=True):
        d_stream, gradient = getattr(block, f"{order}_ln_block_backward")(d_stream, trace, of_block, HEADS)
        norms.append(np.linalg.norm(gradient["W_2"]))
    return norms[::-1]


def run(seed, order, depth, warm_up, steps=STEPS):
    """The losses of a run, means over EVERY steps; the learning rate rises over `warm_up` steps, then stays."""
    rng = np.random.default_rng(seed)
    training = Training(initial_parameters(rng, depth), largest=np.inf)  # no gradient is shortened

    def gradient_of(p):
        return loss_and_gradient(p, order, depth, rng.integers(DIGITS, size=(BATCH, T)))

    training.run(steps, gradient_of, rate=lambda step: RATE * min(1, step / max(warm_up, 1)))
    return smoothed(training.losses, EVERY)
