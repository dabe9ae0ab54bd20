"""The encoder of a Transformer that reads vectors instead of tokens of a text: patches of an image, slices of a sound.

    x      = vector W + b + P[position]                each vector becomes a token; P is learned
    x      = x + f(LN(x))                              f an attention or a feed-forward layer, in the form of GPT-2
    memory = LN(x)

Every token looks at every real one, itself included. Where there is a class token (Dosovitskiy et al. 2020), a
parameter of width d_model, it stands in front of the others, at position 0.

B batch, S vectors, n numbers in each, d_model width of a token. A mask is True where a real vector stands.
"""

import math

import numpy as np

from coursekit.layers.basics import outer
from coursekit.layers.gpt import Block
from coursekit.layers.transformer import Norm, part
from coursekit.models.transformer import Design


class Encoder:
    """Layers that read vectors. p and g hold parameters and gradients by name, as `encoder_shapes` has them.

    `layers` hold where they looked: `encoder.layers[0].self.layer.weights` (B, h, S, S).
    """

    def __init__(self, p, g, heads):
        self.p, self.g = p, g
        self.has_class = "class" in p
        self.layers = [Block(part(p, f"layer.{i}"), part(g, f"layer.{i}"), heads, Design()) for i in range(count(p))]
        self.end = Norm(part(p, "norm"), part(g, "norm"))

    def forward(self, vectors, mask=None):
        """Read vectors (B, S, n) where mask (B, S) is True. Returns memory (B, S, d_model), one longer with a class."""
        self.vectors, x = vectors, vectors @ self.p["W"] + self.p["b"]
        mask = np.ones(x.shape[:2], bool) if mask is None else mask
        if self.has_class:
            x = np.concatenate([np.broadcast_to(self.p["class"], (len(x), 1, x.shape[-1])), x], axis=1)
            mask = np.concatenate([np.ones((len(x), 1), bool), mask], axis=1)
        x = x + self.p["positions"][: x.shape[1]]
        for layer in self.layers:
            x = layer.forward(x, mask[:, None])
        return self.end.forward(x)

    def backward(self, d_memory):
        """Add the gradients of all parameters to `g`, from that of the memory, after `forward`."""
        d_x = self.end.backward(d_memory)
        for layer in reversed(self.layers):
            d_x = layer.backward(d_x)
        self.g["positions"][: d_x.shape[1]] += d_x.sum(axis=0)
        if self.has_class:
            self.g["class"] += d_x[:, 0].sum(axis=0)
            d_x = d_x[:, 1:]
        self.g["W"] += outer(self.vectors, d_x)
        self.g["b"] += d_x.sum(axis=(0, 1))


def encoder_shapes(n, S, d_model, d_ff, layers, has_class=False):
    """The name and shape of every parameter of an encoder of at most S vectors."""
    shapes = {"W": (n, d_model), "b": (d_model,), "positions": (S + has_class, d_model)}
    shapes |= {"class": (d_model,)} if has_class else {}
    for i in range(layers):
        of_layer = {f"self.W_{name}": (d_model, d_model) for name in "QKVO"}
        of_layer |= {f"self.b_{name}": (d_model,) for name in "QKVO"}
        of_layer |= {"feed.W_1": (d_model, d_ff), "feed.b_1": (d_ff,), "feed.W_2": (d_ff, d_model),
                     "feed.b_2": (d_model,)}
        of_layer |= norms("self", d_model) | norms("feed", d_model)
        shapes |= {f"layer.{i}.{name}": shape for name, shape in of_layer.items()}
    return shapes | {"norm.gamma": (d_model,), "norm.beta": (d_model,)}


def norms(of, d_model):
    """The shapes of the LayerNorm of a layer."""
    return {f"{of}.norm.gamma": (d_model,), f"{of}.norm.beta": (d_model,)}


def initial_parameters(rng, shapes, small=0.05):
    """Biases 0, gains 1, matrices that keep the variance of what they multiply, and tables, a class token and a query
    of standard deviation `small`. What writes into the residual path is smaller by √(2 L): 2 L layers add to it."""
    return {name: _initial(rng, name, shape, small, 2 * count(shapes)) for name, shape in shapes.items()}


def _initial(rng, name, shape, small, added):
    if name.endswith(("positions", "embedding", "class", "query")):
        return small * rng.standard_normal(shape)
    if len(shape) == 1:
        return np.ones(shape) if name.endswith("gamma") else np.zeros(shape)
    scale = math.sqrt(added) if name.endswith(("W_O", "W_2")) else 1.0
    return rng.standard_normal(shape) / (scale * math.sqrt(shape[0]))


def check_parameters(arrays, shapes):
    """Raises ValueError where one of these parameters is missing or has another shape."""
    for name, shape in shapes.items():
        if name not in arrays or arrays[name].shape != shape:
            raise ValueError(f"{name}: expected shape {shape}, got {np.shape(arrays.get(name))}")


def count(names, beginning=""):
    """How many layers these parameters have, of those whose names begin so."""
    return sum(name.startswith(beginning) and name.endswith(".feed.W_1") for name in names)
