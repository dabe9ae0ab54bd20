"""Train the Transformer of `quality_by_length_transformer` with linear attention in all three places, and measure it.

What the decoder knows of the source is then, of each head, the sum of phi(k) v^T over its words: a matrix of a fixed
size, as the one vector of chapter 1 was. Katharopoulos et al. (2020):

    phi(x)  = elu(x) + 1                                                above 0
    y_t     = phi(q_t)^T S / phi(q_t)^T z      S = sum_s phi(k_s) v_s^T,  z = sum_s phi(k_s)

Here it is trained in its parallel form. Where a head has the width 1 the query cancels: what is read is one vector, the
same whatever is asked. Heads of width 2 keep little more, and can be asked. B batch, h heads of width d_k, T positions
that ask, S that are asked.
"""

import numpy as np

from coursekit.layers.transformer import Attention
from solutions.artifacts import measures
from solutions.artifacts.quality_by_length_transformer import trainer_of

SEEDS = (0, 1)
MARKS = (400, 800)  # steps after which a model is measured
SETTINGS = {"matrix": 4, "vector": 64, "narrow": 32}  # heads that look at the source; elsewhere there are 4


def make():
    """What `coursekit.load("quality_by_length_linear")` returns: "matrix.400.bleu" and so on, (seeds, lengths), and
    "matrix.state", how many numbers hold the source; "lengths"; "parameters", how many there are."""
    arrays = {"lengths": np.array(measures.MEASURED_AT), "about.seeds": np.array(SEEDS)}
    for name, heads in SETTINGS.items():
        runs = [run_of(heads, seed) for seed in SEEDS]
        arrays |= {f"{name}.{steps}.bleu": np.array([run[steps] for run in runs], np.float32) for steps in MARKS}
        d_model = trainer_of(0).d_model
        arrays[f"{name}.state"] = np.array(d_model * (d_model // heads) + d_model)  # S and z of all heads
    return arrays | {"parameters": np.array(trainer_of(0).vector.size)}


def run_of(heads, seed):
    """{steps: BLEU (lengths,)} at each mark."""
    trainer, found = linear(trainer_of(seed), heads), {}
    for steps in MARKS:
        trainer.train(steps - len(trainer.losses))
        found[steps] = measures.quality(trainer.translate)[0]
    return found


def linear(trainer, heads):
    """The trainer, with linear attention in the place of each of its model's attentions, and so many heads for the
    source."""
    model = trainer.model
    for layer in [each.self for each in (*model.encoder, *model.decoder)]:
        layer.layer = LinearAttention(layer.layer.p, layer.layer.g, model.heads)
    for layer in [each.cross for each in model.decoder]:
        layer.layer = LinearAttention(layer.layer.p, layer.layer.g, heads)
    return trainer


class LinearAttention(Attention):
    """h heads that weigh by phi(q)^T phi(k), normalised, in the place of a softmax of q^T k."""

    def forward(self, x, memory, mask):
        """Look where mask (B, T, S) is True, x at itself where memory is None. Returns (B, T, d_model)."""
        self.inputs = x, x if memory is None else memory, memory is None
        x, memory, _ = self.inputs
        self.q, self.k, self.v = (self.split(self.project(name, of)) for name, of in
                                  (("Q", x), ("K", memory), ("V", memory)))        # (B, h, T or S, d_k)
        self.mask, self.phi_q, self.phi_k = mask[:, None], above_zero(self.q), above_zero(self.k)
        products = self.phi_q @ self.phi_k.swapaxes(-1, -2) * self.mask            # (B, h, T, S)
        self.total = products.sum(axis=-1, keepdims=True) + 1e-6                   # (B, h, T, 1)
        self.weights = products / self.total
        self.seen = self.merge(self.weights @ self.v)                              # (B, T, d_model)
        return self.project("O", self.seen)

    def backward(self, d_y):
        """From d_y (B, T, d_model) to d_x and d_memory; where x looks at itself the second is 0, being in the first."""
        x, memory, at_itself = self.inputs
        d_seen = self.split(self.project_backward("O", self.seen, d_y))            # (B, h, T, d_k)
        d_weights = d_seen @ self.v.swapaxes(-1, -2)                               # (B, h, T, S)
        along = (d_weights * self.weights).sum(axis=-1, keepdims=True)
        d_products = (d_weights - along) / self.total * self.mask
        d_q = self.merge(d_products @ self.phi_k * slope(self.q))
        d_k = self.merge(d_products.swapaxes(-1, -2) @ self.phi_q * slope(self.k))
        d_v = self.merge(self.weights.swapaxes(-1, -2) @ d_seen)                   # (B, S, d_model)
        d_x = self.project_backward("Q", x, d_q)
        d_memory = self.project_backward("K", memory, d_k) + self.project_backward("V", memory, d_v)
        return (d_x + d_memory, 0.0) if at_itself else (d_x, d_memory)


def above_zero(x):
    """elu(x) + 1: x + 1 above 0, exp(x) below."""
    return np.where(x > 0, x + 1, np.exp(np.minimum(x, 0)))


def slope(x):
    """The derivative of elu(x) + 1."""
    return np.exp(np.minimum(x, 0))
