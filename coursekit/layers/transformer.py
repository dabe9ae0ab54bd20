"""The layers of the Transformer of Vaswani et al. (2017), each an object with two methods.

`forward` keeps what `backward` needs; `backward` takes the gradient in what came out, adds the gradients of its
parameters to `g`, and returns the gradient in what went in. p and g hold parameters and gradients by name.

    attention(x, m) = softmax(x W_Q (m W_K)ᵀ / √d_k) m W_V W_O, in h heads of width d_k = d_model / h
    feed-forward(x) = max(0, x W_1 + b_1) W_2 + b_2
    x               = LN(x + f(x)) with post-LN, x + f(LN(x)) with pre-LN, where f is one of the two

B batch, S source positions, T target positions, d_model width of a token, h heads of width d_k, d_ff inner width of
the feed-forward layer. `d_name` is the gradient of the loss in `name`. A mask is True where one may look, (B, T, S) or
(B, 1, S).
"""

import math

import numpy as np

from coursekit.layers.basics import outer


class Attention:
    """h heads, each a look of x (B, T, d_model) at memory (B, S, d_model). `weights` (B, h, T, S) stay for the eye.

    axis  what the softmax runs over: the last, which is the memory
    """

    axis = -1

    def __init__(self, p, g, heads, scaled=True):
        self.p, self.g, self.heads = p, g, heads
        self.root = math.sqrt(p["W_Q"].shape[1] // heads) if scaled else 1.0

    def forward(self, x, memory, mask):
        """Look where mask (B, T, S) is True, x at itself where memory is None. Returns (B, T, d_model)."""
        self.inputs = x, x if memory is None else memory, memory is None
        x, memory, _ = self.inputs
        self.q = self.split(self.project("Q", x))                                  # (B, h, T, d_k)
        self.k = self.split(self.project("K", memory))                             # (B, h, S, d_k)
        self.v = self.split(self.project("V", memory))                             # (B, h, S, d_k)
        scores = self.q @ self.k.swapaxes(-1, -2) / self.root                      # (B, h, T, S)
        scores = np.where(mask[:, None], scores, scores.dtype.type(-1e30))
        powers = np.exp(scores - scores.max(axis=self.axis, keepdims=True)) * mask[:, None]
        self.weights = powers / np.maximum(powers.sum(axis=self.axis, keepdims=True), 1e-30)
        self.seen = self.merge(self.weights @ self.v)                              # (B, T, d_model)
        return self.project("O", self.seen)

    def backward(self, d_y):
        """From d_y (B, T, d_model) to d_x and d_memory; where x looks at itself the second is 0, being in the first."""
        x, memory, at_itself = self.inputs
        d_seen = self.split(self.project_backward("O", self.seen, d_y))            # (B, h, T, d_k)
        gain = self.weights * (d_seen @ self.v.swapaxes(-1, -2))                   # (B, h, T, S)
        d_scores = (gain - self.weights * gain.sum(axis=self.axis, keepdims=True)) / self.root
        d_v = self.merge(self.weights.swapaxes(-1, -2) @ d_seen)                   # (B, S, d_model)
        d_q = self.merge(d_scores @ self.k)                                        # (B, T, d_model)
        d_k = self.merge(d_scores.swapaxes(-1, -2) @ self.q)                       # (B, S, d_model)
        d_x = self.project_backward("Q", x, d_q)
        d_memory = self.project_backward("K", memory, d_k) + self.project_backward("V", memory, d_v)
        return (d_x + d_memory, 0.0) if at_itself else (d_x, d_memory)

    def project(self, name, x):
        """x (B, T, d_model) times W_Q, W_K, W_V or W_O, by its letter."""
        return x @ self.p[f"W_{name}"]

    def project_backward(self, name, x, d_y):
        """From d_y to d_x, both (B, T, d_model)."""
        self.g[f"W_{name}"] += outer(x, d_y)
        return d_y @ self.p[f"W_{name}"].T

    def split(self, x):
        """(B, T, d_model) to (B, h, T, d_k)."""
        return x.reshape(*x.shape[:2], self.heads, -1).swapaxes(1, 2)

    def merge(self, x):
        """(B, h, T, d_k) to (B, T, d_model)."""
        return x.swapaxes(1, 2).reshape(x.shape[0], x.shape[2], -1)


class FeedForward:
    """Two layers with an activation between them, the same at every position."""

    def __init__(self, p, g):
        self.p, self.g = p, g

    def forward(self, x, memory=None, mask=None):
        """x (B, T, d_model) to (B, T, d_model); memory and mask, which attention needs, play no part."""
        self.x, self.before = x, x @ self.p["W_1"] + self.p["b_1"]
        self.inner = self.activation(self.before)                                    # (B, T, d_ff)
        return self.inner @ self.p["W_2"] + self.p["b_2"]

    def backward(self, d_y):
        """From d_y (B, T, d_model) to d_x, and 0 for the memory."""
        d_inner = d_y @ self.p["W_2"].T * self.slope(self.before)                  # (B, T, d_ff)
        self.g["W_2"] += outer(self.inner, d_y)
        self.g["b_2"] += d_y.sum(axis=(0, 1))
        self.g["W_1"] += outer(self.x, d_inner)
        self.g["b_1"] += d_inner.sum(axis=(0, 1))
        return d_inner @ self.p["W_1"].T, 0.0

    def activation(self, x):
        return np.maximum(x, 0)

    def slope(self, x):
        """The derivative of the activation at x."""
        return x > 0


class Norm:
    """LayerNorm (Ba, Kiros & Hinton 2016): biased variance, eps inside the root."""

    def __init__(self, p, g, eps=1e-5):
        self.p, self.g, self.eps = p, g, eps

    def forward(self, x):
        """x (B, T, d_model), each token brought to mean 0 and variance 1, then gamma and beta."""
        centred = x - x.mean(axis=-1, keepdims=True)
        self.root = np.sqrt((centred**2).mean(axis=-1, keepdims=True) + self.eps)  # (B, T, 1)
        self.hat = centred / self.root
        return self.hat * self.p["gamma"] + self.p["beta"]

    def backward(self, d_y):
        """From d_y to d_x, both (B, T, d_model)."""
        self.g["gamma"] += (d_y * self.hat).sum(axis=(0, 1))
        self.g["beta"] += d_y.sum(axis=(0, 1))
        d_hat = d_y * self.p["gamma"]
        along = (d_hat * self.hat).mean(axis=-1, keepdims=True)                    # (B, T, 1)
        return (d_hat - d_hat.mean(axis=-1, keepdims=True) - self.hat * along) / self.root


class Nothing:
    """What stands in the place of a LayerNorm that was taken away."""

    def forward(self, x):
        return x

    def backward(self, d_y):
        return d_y


class Sublayer:
    """A layer with its residual and its LayerNorm, in the order of the design."""

    def __init__(self, layer, norm, design):
        self.layer, self.residual = layer, design.residual
        self.before = norm if design.norm == "pre" else Nothing()
        self.after = norm if design.norm == "post" else Nothing()

    def forward(self, x, memory=None, mask=None):
        """x (B, T, d_model) to (B, T, d_model)."""
        y = self.layer.forward(self.before.forward(x), memory, mask)
        return self.after.forward(x + y if self.residual else y)

    def backward(self, d_y):
        """From d_y to d_x and d_memory."""
        d_sum = self.after.backward(d_y)
        d_x, d_memory = self.layer.backward(d_sum)
        d_x = self.before.backward(d_x)
        return (d_x + d_sum if self.residual else d_x), d_memory


class EncoderLayer:
    """Self-attention, then feed-forward, of these kinds."""

    attention, feed_forward = Attention, FeedForward

    def __init__(self, p, g, heads, design):
        self.self = _sublayer(self.attention, p, g, "self", design, heads, design.scaled)
        self.feed = _sublayer(self.feed_forward, p, g, "feed", design)

    def forward(self, x, mask):
        return self.feed.forward(self.self.forward(x, None, mask))

    def backward(self, d_y):
        return self.self.backward(self.feed.backward(d_y)[0])[0]


class DecoderLayer:
    """Masked self-attention, then a look at the memory, then feed-forward."""

    def __init__(self, p, g, heads, design):
        self.self = _sublayer(Attention, p, g, "self", design, heads, design.scaled)
        self.cross = _sublayer(Attention, p, g, "cross", design, heads, design.scaled)
        self.feed = _sublayer(FeedForward, p, g, "feed", design)

    def forward(self, y, memory, decoder_mask, cross_mask):
        y = self.self.forward(y, None, decoder_mask)
        y = self.cross.forward(y, memory, cross_mask)
        return self.feed.forward(y)

    def backward(self, d_y):
        d_y, _ = self.feed.backward(d_y)
        d_y, d_memory = self.cross.backward(d_y)
        return self.self.backward(d_y)[0], d_memory


def part(arrays, prefix):
    """The arrays whose names begin with "prefix.", without it."""
    prefix += "."
    return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}


def _sublayer(kind, p, g, name, design, *more):
    """A layer of this kind and the LayerNorm that belongs to it, from the parameters that bear its name."""
    of_layer, of_norm = ([part(of, prefix) for of in (p, g)] for prefix in (name, f"{name}.norm"))
    return Sublayer(kind(*of_layer, *more), Norm(*of_norm), design)
