"""A decoder that has nothing but attention (Elhage et al. 2021), with its gradient written by hand.

    x      = E[token] + P[position]                    both learned
    x      = x + attention(x)                          layer after layer, each position looks at itself and before
    logits = x U

There is no feed-forward layer, no LayerNorm and no bias: from the last x to the logits everything is a product, so that
a logit is a sum over what each part wrote.

B batch, T positions, d_model width of a token, L layers of h heads, V tokens. `d_name` is the gradient of the loss in
`name`.
"""

import math

import numpy as np

from coursekit.layers.basics import outer
from coursekit.layers.transformer import Attention, part
from coursekit.models.heads import silenced


class AttentionOnly:
    """Says how likely each token is to come next.

        arrays = coursekit.load("induction")
        model = AttentionOnly(arrays)
        logits = model.forward(ids)                       ids (B, T), START first; logits (B, T, V)
        model.weights()                                   (L, B, h, T, T): where each head looked in this call
        model.silenced(speaks).forward(ids)               speaks (L, h), False for the heads that write nothing

    parameters  arrays by name, with the shapes of `parameter_shapes`; others are left alone
    heads       h; it leaves no trace in the shapes, so it must be told, or stand in the arrays as "about.heads"
    gradient    arrays by name to which `backward` adds, made where none are given
    """

    def __init__(self, parameters, heads=None, gradient=None):
        self.heads = int(parameters.get("about.heads", 4) if heads is None else heads)
        count = sum(name.endswith(".W_O") for name in parameters)
        shapes = parameter_shapes(*parameters["E"].shape, len(parameters["P"]), count)
        self.p = {name: parameters[name] for name in shapes}
        self.g = {name: np.zeros_like(self.p[name]) for name in shapes} if gradient is None else gradient
        self.layers = [Attention(part(self.p, f"layer.{i}"), part(self.g, f"layer.{i}"), self.heads)
                       for i in range(count)]

    def forward(self, ids):
        """The logits (B, T, V) of the token after each of ids (B, T)."""
        self.ids, T = ids, ids.shape[1]
        x, causal = self.p["E"][ids] + self.p["P"][:T], np.tri(T, dtype=bool)[None]
        for layer in self.layers:
            x = x + layer.forward(x, None, causal)
        self.last = x                                                              # (B, T, d_model)
        return x @ self.p["U"]

    def backward(self, d_logits):
        """Add the gradients of all parameters to `g`, from d_logits (B, T, V), after `forward`."""
        self.g["U"] += outer(self.last, d_logits)
        d_x = d_logits @ self.p["U"].T
        for layer in reversed(self.layers):
            d_x = d_x + layer.backward(d_x)[0]
        is_token = (np.arange(len(self.p["E"])) == self.ids[..., None]).astype(d_x.dtype)         # (B, T, V)
        self.g["E"] += outer(is_token, d_x)
        self.g["P"][: d_x.shape[1]] += d_x.sum(axis=0)

    def weights(self):
        """Where each head of each layer looked in the last `forward`: (L, B, h, T, T), of which a row sums to 1."""
        return np.stack([layer.weights for layer in self.layers])

    def silenced(self, speaks):
        """This model with some heads silenced: those where speaks (L, h) is False add nothing to any token."""
        names = [f"layer.{i}.W_O" for i in range(len(self.layers))]
        return AttentionOnly(silenced(self.p, names, speaks, self.heads), self.heads)


def parameter_shapes(V, d_model, context, layers):
    """The name and shape of every parameter; `context` is how many positions there are."""
    shapes = {"E": (V, d_model), "P": (context, d_model), "U": (d_model, V)}
    return shapes | {f"layer.{i}.W_{name}": (d_model, d_model) for i in range(layers) for name in "QKVO"}


def initial_parameters(rng, shapes, tables=0.3):
    """Both tables of standard deviation `tables`, and matrices that keep the variance of what they multiply; those that
    write into the residual path are smaller by √(2 L)."""
    added = 2 * sum(name.endswith(".W_O") for name in shapes)
    return {name: rng.standard_normal(shape) * (tables if name in ("E", "P") else math.sqrt(
        1 / shape[0] / (added if name.endswith(".W_O") else 1))) for name, shape in shapes.items()}
