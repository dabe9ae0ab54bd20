"""Train models to recall: a matrix that is a sum, of two widths, and softmax attention with a smaller width than both.

The task is multi-query associative recall (Arora et al. 2024), at its smallest: a text of n pairs, key and value in
turn, and then each of its keys is asked for its value, in any order.

    k₁ v₁ k₂ v₂ ... k_n v_n        asked: k₂, k_n, k₁, ...        right: v₂, v_n, v₁, ...

One layer is enough if a token sees the one before it, as by a short convolution: where a value stands the key is the
token before. So keys and values are made of two neighbours, the query of the token that is asked, and logits are what
is read, times W_O. All of it is learned, the vectors of the tokens too; a text has pairs of KEYS and VALUES at random,
so nothing but the text says which belong together.

B texts, n pairs, D width of a token, d width of a key, a query and a value.
"""

import numpy as np

from coursekit.layers.transformer import Attention
from coursekit.training import Training
from solutions.lab00_warm_up.reference import cross_entropy, cross_entropy_backward, log_softmax

SEEDS, STEPS, BATCH, RATE, WARMUP = (0, 1, 2), 1000, 64, 3e-3, 50
KEYS, VALUES, D = 256, 64, 64
PAIRS = (4, 8, 16, 32, 64)  # of a text, drawn anew for each batch
TESTED = 200  # texts


class Sum(Attention):
    """What softmax attention is without its softmax: the sum of all q · k v, which is q times one matrix, Σ kᵀ v."""

    def forward(self, x, memory, mask):
        """Everything may be seen: x (B, n, D) asks memory (B, S, 2 D). Returns (B, n, VALUES)."""
        self.x, self.memory = x, memory
        self.q, self.k, self.v = self.project("Q", x), self.project("K", memory), self.project("V", memory)
        self.state = self.k.swapaxes(-1, -2) @ self.v                              # (B, d, d)
        self.seen = self.q @ self.state
        return self.project("O", self.seen)

    def backward(self, d_y):
        """From d_y (B, n, VALUES) to d_x and d_memory."""
        d_seen = self.project_backward("O", self.seen, d_y)                        # (B, n, d)
        d_state = self.q.swapaxes(-1, -2) @ d_seen
        d_x = self.project_backward("Q", self.x, d_seen @ self.state.swapaxes(-1, -2))
        d_memory = self.project_backward("K", self.memory, self.v @ d_state.swapaxes(-1, -2))
        return d_x, d_memory + self.project_backward("V", self.memory, self.k @ d_state)


SETTINGS = {"softmax.8": (Attention, 8), "sum.16": (Sum, 16), "sum.32": (Sum, 32)}  # and d


class Reciter(Training):
    """A model that learns to say which value stands under a key."""

    def __init__(self, kind, d, seed):
        rng = np.random.default_rng([seed, 1])
        shapes = {"E": (KEYS + VALUES, D), "W_Q": (D, d), "W_K": (2 * D, d), "W_V": (2 * D, d), "W_O": (d, VALUES)}
        super().__init__({name: rng.normal(size=shape) * (1 if name == "E" else shape[0] ** -0.5)
                          for name, shape in shapes.items()})
        self.g = {name: np.zeros_like(each) for name, each in self.parameters.items()}
        self.layer, self.rng = kind(self.parameters, self.g, heads=1), np.random.default_rng([seed, 2])

    def train(self, steps=STEPS):
        """Take `steps` steps at a rate that rises, and falls along a line."""
        def rate(step):
            return RATE * min(1, step / WARMUP, 2.5 * (steps + 1 - step) / steps)

        self.run(steps, self._loss_and_gradient, rate)
        return self

    def right(self, n):
        """The share of values that are recalled from TESTED new texts of n pairs."""
        text, asked, values = texts(np.random.default_rng(2024), TESTED, n)
        return float((self.logits(text, asked).argmax(axis=-1) == values).mean())

    def logits(self, text, asked):
        """(B, n, VALUES), of each value for each key that is asked."""
        self.ids, E = (text, asked), self.parameters["E"]
        x = E[text]
        before = np.concatenate([np.zeros_like(x[:, :1]), x[:, :-1]], axis=1)
        everything = np.ones((len(text), asked.shape[1], text.shape[1]), bool)
        return self.layer.forward(E[asked], np.concatenate([before, x], axis=2), everything)

    def backward(self, d_logits):
        """Set the gradients of all parameters, from d_logits (B, n, VALUES), after `logits`."""
        for each in self.g.values():
            each[:] = 0
        d_asked, d_two = self.layer.backward(d_logits)
        d_text = d_two[..., D:]
        d_text[:, :-1] += d_two[:, 1:, :D]
        for ids, d_x in zip(self.ids, (d_text, d_asked), strict=True):
            np.add.at(self.g["E"], ids, d_x)

    def _loss_and_gradient(self, _):
        text, asked, values = texts(self.rng, BATCH, self.rng.choice(PAIRS))
        log_p, counts = log_softmax(self.logits(text, asked)), np.ones(values.shape, bool)
        self.backward(cross_entropy_backward(log_p, values, counts))
        return cross_entropy(log_p, values, counts), self.g


def texts(rng, B, n):
    """B texts of n pairs, (B, 2 n); their keys in another order, (B, n), and the number of the value of each."""
    keys = rng.permuted(np.tile(np.arange(KEYS), (B, 1)), axis=1)[:, :n]
    values, order = rng.integers(VALUES, size=(B, n)), rng.permuted(np.tile(np.arange(n), (B, 1)), axis=1)
    text = np.stack([keys, KEYS + values], axis=2).reshape(B, -1)
    return text, *(np.take_along_axis(each, order, axis=1) for each in (keys, values))


def make():
    """What `coursekit.load("trained_recall")` returns: "softmax.8", "sum.16" and "sum.32", the share of values that is
    recalled (seeds, PAIRS); "sum.16.longer", that of the first seed after three times as many steps; and "pairs"."""
    found = {name: np.array([[model.right(n) for n in PAIRS] for model in (
        Reciter(*setting, seed).train() for seed in SEEDS)]) for name, setting in SETTINGS.items()}
    longer = Reciter(*SETTINGS["sum.16"], SEEDS[0]).train(3 * STEPS)
    found["sum.16.longer"] = np.array([longer.right(n) for n in PAIRS])
    return found | {"pairs": np.array(PAIRS), "about.seeds": np.array(SEEDS), "about.steps": np.array(STEPS)}
