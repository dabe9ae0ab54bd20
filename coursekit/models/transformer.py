"""The Transformer of Vaswani et al. (2017), encoder and decoder, with its gradient written by hand.

    x     = √d_model · E[token] + sinusoids             one table E for both sides and for the output
    x     = x + f(LN(x)) or LN(x + f(x))                f an attention or a feed-forward layer, layer after layer
    logits = x Eᵀ

f and the orders of its residual path and LayerNorm stand in `coursekit.layers.transformer`; with pre-LN there is one
more LayerNorm at the end of each stack. `backward` takes the gradient in the logits and adds those of the parameters
to `g`.

Simpler than the paper: no dropout, no biases in the attention. A `Design` takes single parts away, to see what each is
good for.

B batch, S source positions, T target positions, d_model width of a token, h heads, d_ff inner width of the feed-forward
layer, V tokens that can be written. `d_name` is the gradient of the loss in `name`. A mask is True where one may look,
(B, T, S) or (B, 1, S).
"""

import math
from typing import NamedTuple

import numpy as np

from coursekit.layers.basics import outer
from coursekit.layers.transformer import DecoderLayer, EncoderLayer, Norm, Nothing, part
from coursekit.shapes import expect
from coursekit.tasks.tokens import END, PAD, START


class Design(NamedTuple):
    """What the model is made of. The whole one has every part; norm is "pre", "post" or "none"."""

    norm: str = "pre"
    residual: bool = True
    scaled: bool = True  # scores divided by √d_k
    positions: bool = True
    causal: bool = True


class Transformer:
    """Reads one sequence of tokens and writes another.

        arrays = coursekit.load("date_transformer")
        model = Transformer(arrays)
        memory = model.read(source)                       source (B, S) ids
        logits = model.write(told, memory, source)        told (B, T) ids, START first; logits (B, T, V)
        ids = model.greedy(source, longest=11)            (B, at most longest)

    parameters  arrays by name, with the shapes of `parameter_shapes`; others are left alone
    heads       h; it leaves no trace in the shapes, so it must be told, or stand in the arrays as "about.heads"
    gradient    arrays by name to which `backward` adds, made where none are given
    encoder, decoder hold the layers: `model.decoder[0].cross.layer.weights` are those of the last look.
    Raises ValueError when an array is missing or does not fit.
    """

    def __init__(self, parameters, heads=None, design=None, gradient=None):
        self.design, self.heads = design or Design(), int(parameters.get("about.heads", 4) if heads is None else heads)
        shapes = _check_parameters(parameters, self.heads, self.design)
        self.p = {name: parameters[name] for name in shapes}
        self.g = {name: np.zeros_like(self.p[name]) for name in shapes} if gradient is None else gradient
        layers = _count(shapes)
        self.encoder = [EncoderLayer(*self.part(f"encoder.{i}"), self.heads, self.design) for i in range(layers)]
        self.decoder = [DecoderLayer(*self.part(f"decoder.{i}"), self.heads, self.design) for i in range(layers)]
        ends = self.design.norm == "pre"
        self.encoder_end, self.decoder_end = (
            Norm(*self.part(f"{side}.norm")) if ends else Nothing() for side in ("encoder", "decoder"))

    def part(self, prefix):
        """The parameters and gradients whose names begin with "prefix.", without it."""
        return part(self.p, prefix), part(self.g, prefix)

    def forward(self, source, told, masks):
        """The logits (B, T, V) of the token after each of told (B, T), given source (B, S).

        masks  where the encoder, the decoder and the decoder's cross-attention may look:
               (B, S, S), (B, T, T) and (B, T, S), or with 1 in the place of the middle axis
        """
        encoder_mask, decoder_mask, cross_mask = masks
        self.encode(source, encoder_mask)
        return self.decode(told, self.memory, decoder_mask, cross_mask)

    def encode(self, source, mask):
        """Read source (B, S) with a mask (B, S, S). Returns memory (B, S, d_model)."""
        self.source, x = source, self.embed(source)                                # (B, S, d_model)
        for layer in self.encoder:
            x = layer.forward(x, mask)
        self.memory = self.encoder_end.forward(x)
        return self.memory

    def decode(self, told, memory, decoder_mask, cross_mask):
        """What follows each of told (B, T), after a look at memory (B, S, d_model): logits (B, T, V)."""
        self.told, y = told, self.embed(told)                                      # (B, T, d_model)
        for layer in self.decoder:
            y = layer.forward(y, memory, decoder_mask, cross_mask)
        self.last = self.decoder_end.forward(y)
        return self.last @ self.p["embedding"].T                                   # (B, T, V)

    def backward(self, d_logits):
        """Add the gradients of all parameters to `g`, from d_logits (B, T, V), after `forward`."""
        self.g["embedding"] += outer(d_logits, self.last)
        d_y, d_memory = self.decoder_end.backward(d_logits @ self.p["embedding"]), 0.0
        for layer in reversed(self.decoder):
            d_y, d_here = layer.backward(d_y)
            d_memory = d_memory + d_here                                           # every layer looked at the memory
        d_x = self.encoder_end.backward(d_memory)
        for layer in reversed(self.encoder):
            d_x = layer.backward(d_x)
        self.embed_backward(d_x, self.source)
        self.embed_backward(d_y, self.told)

    def embed(self, ids):
        """√d_model times the rows of the table, and the sinusoids of their positions: (B, T, d_model)."""
        table = self.p["embedding"]
        x = table[ids] * math.sqrt(table.shape[1])
        return x + _waves(ids.shape[1], table.shape[1]).astype(x.dtype) if self.design.positions else x

    def embed_backward(self, d_x, ids):
        """Add to the table's gradient, from d_x (B, T, d_model). A token that occurs twice counts twice."""
        is_token = (np.arange(len(self.p["embedding"])) == ids[..., None]).astype(d_x.dtype)    # (B, T, V)
        self.g["embedding"] += outer(is_token, d_x) * math.sqrt(d_x.shape[-1])

    # Using it: the masks are those of training, made here

    def read(self, source):
        """Read source (B, S), whatever is not PAD. Returns memory (B, S, d_model)."""
        return self.encode(source, (source != PAD)[:, None])

    def write(self, told, memory, source):
        """The logits (B, T, V) of what follows each of told (B, T), START first and without padding."""
        T, seen = told.shape[1], (source != PAD)[:, None]
        may_look = np.tri(T, dtype=bool) if self.design.causal else np.ones((T, T), bool)
        return self.decode(told, memory, may_look[None], seen)

    def greedy(self, source, longest):
        """Write the likeliest token after what stands there, until each text has its END or `longest` tokens.

        The decoder runs over all that was written anew for each token. Returns ids (B, at most longest), without START.
        """
        memory = self.read(source)
        told = np.full((len(source), 1), START)
        while told.shape[1] <= longest and not (told == END).any(axis=1).all():
            following = self.write(told, memory, source)[:, -1].argmax(axis=-1)    # (B,)
            told = np.concatenate([told, following[:, None]], axis=1)
        return told[:, 1:]

    def looks(self, source, told):
        """Where each head of the last layers looked, given source (1, S) and told (1, T), START first.

        Returns {"encoder": (h, S, S), "decoder": (h, T, T), "cross": (h, T, S)}; a row of weights sums to 1.
        """
        self.write(told, self.read(source), source)
        last = self.decoder[-1]
        layers = {"encoder": self.encoder[-1].self, "decoder": last.self, "cross": last.cross}
        return {name: each.layer.weights[0] for name, each in layers.items()}


# Parameters


def parameter_shapes(V, d_model=64, d_ff=128, layers=1, design=None):
    """The name and shape of every parameter; `layers` of them in the encoder and as many in the decoder."""
    shapes = {"embedding": (V, d_model)}
    for side, looks in (("encoder", ("self",)), ("decoder", ("self", "cross"))):
        for i in range(layers):
            shapes |= _layer_shapes(f"{side}.{i}", looks, d_model, d_ff, design or Design())
        if (design or Design()).norm == "pre":
            shapes |= {f"{side}.norm.gamma": (d_model,), f"{side}.norm.beta": (d_model,)}
    return shapes


def initial_parameters(rng, shapes, embedding=0.1):
    """Biases 0, gains 1, matrices that keep the variance of what they multiply, and a table of standard deviation
    embedding / √d_model: a small one, so that the first logits are nearly equal and the first loss is nearly log V."""
    return {name: _initial(rng, name, shape, embedding) for name, shape in shapes.items()}


def _initial(rng, name, shape, embedding):
    if name.endswith("gamma"):
        return np.ones(shape)
    if len(shape) == 1:
        return np.zeros(shape)
    scale = embedding / math.sqrt(shape[1]) if name == "embedding" else 1 / math.sqrt(shape[0])
    return scale * rng.standard_normal(shape)


def _layer_shapes(prefix, looks, d_model, d_ff, design):
    shapes = {f"{look}.{W}": (d_model, d_model) for look in looks for W in ("W_Q", "W_K", "W_V", "W_O")}
    shapes |= {"feed.W_1": (d_model, d_ff), "feed.b_1": (d_ff,), "feed.W_2": (d_ff, d_model), "feed.b_2": (d_model,)}
    if design.norm != "none":
        shapes |= {f"{part}.norm.{each}": (d_model,) for part in (*looks, "feed") for each in ("gamma", "beta")}
    return {f"{prefix}.{name}": shape for name, shape in shapes.items()}


def _waves(length, d_model):
    """sin and cos, taking turns, of the positions 0 to length - 1: (length, d_model)."""
    rates = 10000.0 ** (-np.arange(0, d_model, 2) / d_model)                       # (d_model / 2,)
    angles = np.arange(length)[:, None] * rates                                    # (length, d_model / 2)
    return np.stack([np.sin(angles), np.cos(angles)], axis=-1).reshape(length, d_model)


def _count(names):
    """How many layers these parameters have on either side."""
    return sum(name.startswith("encoder.") and name.endswith(".feed.W_1") for name in names)


def _check_parameters(arrays, heads, design):
    """The shapes that the parameters should have. Raises ValueError where one is missing or has another."""
    for name in ("embedding", "encoder.0.feed.W_1"):
        if name not in arrays:
            raise ValueError(f"parameters: expected those of a Transformer, got none called {name}")
        expect(**{name: (arrays[name], "rows columns")})
    (V, d_model), d_ff = arrays["embedding"].shape, arrays["encoder.0.feed.W_1"].shape[1]
    if design.norm not in ("pre", "post", "none"):
        raise ValueError(f"norm: expected 'pre', 'post' or 'none', got {design.norm!r}")
    if d_model % 2 or d_model % heads:
        raise ValueError(f"d_model: expected an even multiple of heads = {heads}, got {d_model}")
    shapes = parameter_shapes(V, d_model, d_ff, _count(arrays), design)
    for name, shape in shapes.items():
        if name not in arrays or arrays[name].shape != shape:
            raise ValueError(f"{name}: expected shape {shape}, got {np.shape(arrays.get(name))}")
    return shapes
