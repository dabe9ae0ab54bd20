"""A Transformer that reads vectors and writes a text about them: what a board shows, what was said.

    memory = encoder(vectors)                          `coursekit.models.encoder`
    y      = E[token] + P[position]                    both learned
    y      = y + f(LN(y))                              f masked self-attention, a look at the memory, or feed-forward
    logits = LN(y) Eᵀ                                  the output is tied to E

The decoder's layers are those of the Transformer of chapter 10.

B batch, S vectors, n numbers in each, T tokens that are written, d_model width of a token, h heads, V tokens that can
be written. `d_name` is the gradient of the loss in `name`. A mask is True where a real vector stands.
"""

import numpy as np

from coursekit.layers.basics import outer
from coursekit.layers.transformer import DecoderLayer, Norm, part
from coursekit.models.encoder import Encoder, check_parameters, count, encoder_shapes, norms
from coursekit.models.transformer import Design
from coursekit.tasks.tokens import END, START


class Describer:
    """Reads vectors and writes tokens.

        model = Describer(coursekit.load("board_captions"))
        ids, looks = model.write(vectors, mask, longest=5) vectors (B, S, n), mask (B, S) or None; ids (B, T) without
                                                       START, looks (B, T, S): where each token was read, heads averaged

    parameters  arrays by name, with the shapes of `describer_shapes`; others are left alone
    heads       h; it leaves no trace in the shapes, so it must be told, or stand in the arrays as "about.heads"
    gradient    arrays by name to which `backward` adds, made where none are given
    Raises ValueError when an array is missing or does not fit.
    """

    def __init__(self, parameters, heads=None, gradient=None):
        heads = int(parameters.get("about.heads", 4) if heads is None else heads)
        shapes = _shapes_of(parameters)
        check_parameters(parameters, shapes)
        self.p = {name: parameters[name] for name in shapes}
        self.g = {name: np.zeros_like(self.p[name]) for name in shapes} if gradient is None else gradient
        self.encoder = Encoder(*self.part("encoder"), heads)
        self.decoder = [DecoderLayer(*self.part(f"decoder.layer.{i}"), heads, Design())
                        for i in range(count(shapes, "decoder.layer"))]
        self.end = Norm(*self.part("decoder.norm"))

    def part(self, prefix):
        """The parameters and gradients whose names begin with "prefix.", without it."""
        return part(self.p, prefix), part(self.g, prefix)

    def forward(self, vectors, mask, told):
        """The logits (B, T, V) of the token after each of told (B, T), START first, given vectors (B, S, n)."""
        return self.decode(told, self.encoder.forward(vectors, mask), mask)

    def decode(self, told, memory, mask=None):
        """The same, given memory (B, S, d_model), of which mask (B, S) is True where it is real."""
        self.told, T = told, told.shape[1]
        mask = np.ones(memory.shape[:2], bool) if mask is None else mask
        y = self.p["decoder.embedding"][told] + self.p["decoder.positions"][:T]    # (B, T, d_model)
        for layer in self.decoder:
            y = layer.forward(y, memory, np.tri(T, dtype=bool)[None], mask[:, None])
        self.last = self.end.forward(y)
        return self.last @ self.p["decoder.embedding"].T

    def looks(self):
        """Where each token of the last call was read: (B, T, S), the heads of the last layer averaged."""
        return self.decoder[-1].cross.layer.weights.mean(axis=1)

    def backward(self, d_logits):
        """Add the gradients of all parameters to `g`, from d_logits (B, T, V), after `forward`."""
        table, d_memory = self.g["decoder.embedding"], 0.0
        table += outer(d_logits, self.last)
        d_y = self.end.backward(d_logits @ self.p["decoder.embedding"])
        for layer in reversed(self.decoder):
            d_y, d_here = layer.backward(d_y)
            d_memory = d_memory + d_here                                           # every layer looked at the memory
        is_token = (np.arange(len(table)) == self.told[..., None]).astype(d_y.dtype)    # (B, T, V)
        table += outer(is_token, d_y)
        self.g["decoder.positions"][: d_y.shape[1]] += d_y.sum(axis=0)
        self.encoder.backward(d_memory)

    def write(self, vectors, mask=None, longest=10):
        """Write the likeliest token after what stands there, until each text has its END or `longest` tokens.

        Returns ids (B, T), without START, and where each was read, (B, T, S).
        """
        memory = self.encoder.forward(vectors, mask)
        told = np.full((len(vectors), 1), START)
        while told.shape[1] <= longest and not (told == END).any(axis=1).all():
            following = self.decode(told, memory, mask)[:, -1].argmax(axis=-1)     # (B,)
            told = np.concatenate([told, following[:, None]], axis=1)
        return told[:, 1:], self.looks()


def describer_shapes(n, S, V, longest, d_model=48, d_ff=96, encoder_layers=1, decoder_layers=1):
    """The name and shape of every parameter: S vectors of n numbers, V tokens, texts of at most `longest` of them."""
    of_encoder = encoder_shapes(n, S, d_model, d_ff, encoder_layers)
    shapes = {f"encoder.{name}": shape for name, shape in of_encoder.items()}
    shapes |= {"decoder.embedding": (V, d_model), "decoder.positions": (longest, d_model)}
    for i in range(decoder_layers):
        of_layer = {f"{look}.W_{name}": (d_model, d_model) for look in ("self", "cross") for name in "QKVO"}
        of_layer |= {"feed.W_1": (d_model, d_ff), "feed.b_1": (d_ff,), "feed.W_2": (d_ff, d_model),
                     "feed.b_2": (d_model,)}
        of_layer |= norms("self", d_model) | norms("cross", d_model) | norms("feed", d_model)
        shapes |= {f"decoder.layer.{i}.{name}": shape for name, shape in of_layer.items()}
    return shapes | {"decoder.norm.gamma": (d_model,), "decoder.norm.beta": (d_model,)}


def _shapes_of(parameters):
    """The shapes that these parameters should have, read off some of them."""
    for name in ("encoder.W", "encoder.layer.0.feed.W_1", "decoder.embedding", "decoder.positions"):
        if np.ndim(parameters.get(name)) != 2:
            raise ValueError(f"parameters: expected those of a Describer, got no matrix called {name}")
    (n, d_model), d_ff = parameters["encoder.W"].shape, parameters["encoder.layer.0.feed.W_1"].shape[1]
    S, longest = len(parameters.get("encoder.positions", ())), len(parameters["decoder.positions"])
    layers = (count(parameters, f"{side}.layer") for side in ("encoder", "decoder"))
    return describer_shapes(n, S, len(parameters["decoder.embedding"]), longest, d_model, d_ff, *layers)
