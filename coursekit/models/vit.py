"""A small Vision Transformer (Dosovitskiy et al. 2020), with its gradient written by hand: patches in, a class out.

    memory = encoder(patches)                          `coursekit.models.encoder`
    seen   = memory[class]                             what the class token has become
    logits = seen W + b

Or, where the parameters hold a query q instead of a class token, an attention pool reads the memory:

    a    = softmax(memory q / √d_model)                one weight a patch
    seen = a memory

B images, N patches, n numbers in each, d_model width of a token, V classes. `d_name` is the gradient of the loss in
`name`.
"""

import math

import numpy as np

from coursekit.layers.transformer import part
from coursekit.models.encoder import Encoder, check_parameters, count, encoder_shapes
from coursekit.parts import returned


class ViT:
    """Says of an image, cut into patches, what it shows.

        model = ViT(parameters)
        logits = model.forward(patches)                patches (B, N, n); logits (B, V)
        model.looks                                    (B, N): where the class token, or the query, looked at the end

    parameters  arrays by name, with the shapes of `vit_shapes`
    heads       h; it leaves no trace in the shapes
    pool        (query (d_model,), tokens (B, N, d_model)) -> seen (B, d_model), weights (B, N): in place of its own
    gradient    arrays by name to which `backward` adds, made where none are given
    Raises ValueError when an array is missing or does not fit.
    """

    def __init__(self, parameters, heads=4, pool=None, gradient=None):
        n, d_model = np.shape(parameters["encoder.W"])
        has_class, layers = "encoder.class" in parameters, count(parameters, "encoder.layer")
        shapes = vit_shapes(n, len(parameters["encoder.positions"]) - has_class, len(parameters["head.b"]), d_model,
                            parameters["encoder.layer.0.feed.W_1"].shape[1], layers, has_class)
        check_parameters(parameters, shapes)
        self.p = {name: parameters[name] for name in shapes}
        self.g = {name: np.zeros_like(self.p[name]) for name in shapes} if gradient is None else gradient
        self.encoder = Encoder(part(self.p, "encoder"), part(self.g, "encoder"), heads)
        self.pool, self.has_class = pool or self._pooled, has_class

    def forward(self, patches):
        """What each of B images shows: logits (B, V)."""
        self.memory = self.encoder.forward(patches)
        if self.has_class:
            self.seen = self.memory[:, 0]
            self.looks = self.encoder.layers[-1].self.layer.weights[:, :, 0, 1:].mean(axis=1)
        else:
            found = self.pool(self.p["query"], self.memory)
            sizes = dict(zip("BND", self.memory.shape, strict=True))
            self.seen, self.looks = returned("attention_pool", found, sizes, output="B D", weights="B N")
        return self.seen @ self.p["head.W"] + self.p["head.b"]

    def backward(self, d_logits):
        """Add the gradients of all parameters to `g`, from d_logits (B, V), after `forward`."""
        self.g["head.W"] += self.seen.T @ d_logits
        self.g["head.b"] += d_logits.sum(axis=0)
        d_seen = d_logits @ self.p["head.W"].T                                     # (B, d_model)
        if self.has_class:
            d_memory = np.zeros_like(self.memory)
            d_memory[:, 0] = d_seen
        else:
            d_memory = self._pooled_backward(d_seen)
        self.encoder.backward(d_memory)

    def _pooled(self, query, tokens):
        """One look of the query at all tokens."""
        powers = np.exp(tokens @ query / math.sqrt(len(query)))                    # (B, N), small numbers after LN
        weights = powers / powers.sum(axis=1, keepdims=True)
        return (weights[:, None] @ tokens)[:, 0], weights

    def _pooled_backward(self, d_seen):
        """From d_seen (B, d_model) to d_memory, and the gradient of the query."""
        root = math.sqrt(d_seen.shape[1])
        gain = self.looks * (self.memory @ d_seen[..., None])[..., 0]              # (B, N)
        d_scores = (gain - self.looks * gain.sum(axis=1, keepdims=True)) / root
        self.g["query"] += (d_scores[:, None] @ self.memory).sum(axis=(0, 1))
        return self.looks[..., None] * d_seen[:, None] + d_scores[..., None] * self.p["query"]


def vit_shapes(n, N, V=10, d_model=32, d_ff=64, layers=2, has_class=True):
    """The name and shape of every parameter: N patches of n numbers, V classes, a class token or else a query."""
    of_encoder = encoder_shapes(n, N, d_model, d_ff, layers, has_class)
    shapes = {f"encoder.{name}": shape for name, shape in of_encoder.items()}
    shapes |= {} if has_class else {"query": (d_model,)}
    return shapes | {"head.W": (d_model, V), "head.b": (V,)}
