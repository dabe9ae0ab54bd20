"""The Transformer of Vaswani et al. (2017), encoder and decoder, with its gradient written by hand.

    x     = √d_model · E[token] + sinusoids             one table E for both sides and for the output
    f(x)  = attention or feed-forward
    x     = LN(x + f(x))                                post-LN, the paper's order
    x     = x + f(LN(x))                                pre-LN, with one more LN at the end of each stack
    attention(x, m) = softmax(x W_Q (m W_K)ᵀ / √d_k) m W_V W_O, in h heads of width d_k = d_model / h
    feed-forward(x) = max(0, x W_1 + b_1) W_2 + b_2
    logits = x Eᵀ

Every layer is an object with two methods. `forward` keeps what `backward` needs; `backward` takes the gradient in what
came out, adds the gradients of its parameters to `g`, and returns the gradient in what went in.

Simpler than the paper: no dropout, no biases in the attention. A `Design` takes single parts away, to see what each is
good for.

B batch, S source positions, T target positions, d_model width of a token, h heads of width d_k, d_ff inner width of
the feed-forward layer, V tokens that can be written. `d_name` is the gradient of the loss in `name`. A mask is True
where one may look, (B, T, S) or (B, 1, S).
"""

import math
from typing import NamedTuple

import numpy as np

from coursekit.optimiser import views
from coursekit.shapes import expect

PAD, START, END = 0, 1, 2  # the ids of no token, of what stands before the first, and of what ends a text


class Design(NamedTuple):
    """What the model is made of. The whole one has every part; norm is "pre", "post" or "none"."""

    norm: str = "pre"
    residual: bool = True
    scaled: bool = True  # scores divided by √d_k
    positions: bool = True
    causal: bool = True


class Tokens:
    """The tokens of both sides in one list, with ids from 3 up; `between` is what stands between two of them.

        Tokens("0123456789-")                   characters
        Tokens(["the", "le", "."], " ")         words
    """

    def __init__(self, symbols, between=""):
        self.symbols, self.between = sorted(set(symbols)), between
        self._ids = {symbol: i for i, symbol in enumerate(self.symbols, start=END + 1)}

    def __len__(self):
        return len(self.symbols) + END + 1

    def split(self, text):
        """The tokens of a text."""
        return text.split(self.between) if self.between else list(text)

    def encode(self, texts):
        """Turn B texts into ids (B, S), S the longest, padded at the right with PAD.

        Raises ValueError for an empty text or an unknown token.
        """
        if isinstance(texts, str) or len(texts) == 0 or not all(texts):
            raise ValueError(f"texts: expected a list of texts that are not empty, got {texts!r}")
        rows = [[self._id(token) for token in self.split(text)] for text in texts]
        ids = np.full((len(rows), max(map(len, rows))), PAD)                       # (B, S)
        for row, line in zip(ids, rows, strict=True):
            row[: len(line)] = line
        return ids

    def decode(self, ids):
        """Turn ids (B, T) into B texts, each up to its first END. PAD and START become nothing."""
        return [self.between.join(self.names(self._before_the_end(row))) for row in np.asarray(ids)]

    def names(self, ids):
        """The tokens of a row of ids (T,), without PAD, START and END."""
        return [self.symbols[i - END - 1] for i in ids if i > END]

    def _before_the_end(self, row):
        ends = np.flatnonzero(row == END)
        return row[: ends[0]] if len(ends) else row

    def _id(self, token):
        if token not in self._ids:
            raise ValueError(f"unknown token {token!r}, expected one of {self.symbols}")
        return self._ids[token]


# Layers: forward, and back


class Attention:
    """h heads, each a look of x (B, T, d_model) at memory (B, S, d_model). `weights` (B, h, T, S) stay for the eye."""

    def __init__(self, p, g, heads, scaled=True):
        self.p, self.g, self.heads = p, g, heads
        self.root = math.sqrt(p["W_Q"].shape[1] // heads) if scaled else 1.0

    def forward(self, x, memory, mask):
        """Look where mask (B, T, S) is True, x at itself where memory is None. Returns (B, T, d_model)."""
        self.inputs = x, x if memory is None else memory, memory is None
        x, memory, _ = self.inputs
        self.q = self.split(x @ self.p["W_Q"])                                     # (B, h, T, d_k)
        self.k = self.split(memory @ self.p["W_K"])                                # (B, h, S, d_k)
        self.v = self.split(memory @ self.p["W_V"])                                # (B, h, S, d_k)
        scores = self.q @ self.k.swapaxes(-1, -2) / self.root                      # (B, h, T, S)
        scores = np.where(mask[:, None], scores, scores.dtype.type(-1e30))
        powers = np.exp(scores - scores.max(axis=-1, keepdims=True)) * mask[:, None]
        self.weights = powers / np.maximum(powers.sum(axis=-1, keepdims=True), 1e-30)
        self.seen = self.merge(self.weights @ self.v)                              # (B, T, d_model)
        return self.seen @ self.p["W_O"]

    def backward(self, d_y):
        """From d_y (B, T, d_model) to d_x and d_memory; where x looks at itself the second is 0, being in the first."""
        x, memory, at_itself = self.inputs
        self.g["W_O"] += outer_sum(self.seen, d_y)
        d_seen = self.split(d_y @ self.p["W_O"].T)                                 # (B, h, T, d_k)
        gain = self.weights * (d_seen @ self.v.swapaxes(-1, -2))                   # (B, h, T, S)
        d_scores = (gain - self.weights * gain.sum(axis=-1, keepdims=True)) / self.root
        d_v = self.merge(self.weights.swapaxes(-1, -2) @ d_seen)                   # (B, S, d_model)
        d_q = self.merge(d_scores @ self.k)                                        # (B, T, d_model)
        d_k = self.merge(d_scores.swapaxes(-1, -2) @ self.q)                       # (B, S, d_model)
        for name, of, d in (("W_Q", x, d_q), ("W_K", memory, d_k), ("W_V", memory, d_v)):
            self.g[name] += outer_sum(of, d)
        d_x, d_memory = d_q @ self.p["W_Q"].T, d_k @ self.p["W_K"].T + d_v @ self.p["W_V"].T
        return (d_x + d_memory, 0.0) if at_itself else (d_x, d_memory)

    def split(self, x):
        """(B, T, d_model) to (B, h, T, d_k)."""
        return x.reshape(*x.shape[:2], self.heads, -1).swapaxes(1, 2)

    def merge(self, x):
        """(B, h, T, d_k) to (B, T, d_model)."""
        return x.swapaxes(1, 2).reshape(x.shape[0], x.shape[2], -1)


class FeedForward:
    """Two layers with a ReLU between them, the same at every position."""

    def __init__(self, p, g):
        self.p, self.g = p, g

    def forward(self, x, memory=None, mask=None):
        """x (B, T, d_model) to (B, T, d_model); memory and mask, which attention needs, play no part."""
        self.x = x
        self.inner = np.maximum(x @ self.p["W_1"] + self.p["b_1"], 0)              # (B, T, d_ff)
        return self.inner @ self.p["W_2"] + self.p["b_2"]

    def backward(self, d_y):
        """From d_y (B, T, d_model) to d_x, and 0 for the memory."""
        d_inner = d_y @ self.p["W_2"].T * (self.inner > 0)                         # (B, T, d_ff)
        self.g["W_2"] += outer_sum(self.inner, d_y)
        self.g["b_2"] += d_y.sum(axis=(0, 1))
        self.g["W_1"] += outer_sum(self.x, d_inner)
        self.g["b_1"] += d_inner.sum(axis=(0, 1))
        return d_inner @ self.p["W_1"].T, 0.0


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


# The model


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
        return tuple({name.removeprefix(prefix + "."): array for name, array in of.items()
                      if name.startswith(prefix + ".")} for of in (self.p, self.g))

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
        self.g["embedding"] += outer_sum(d_logits, self.last)
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
        self.g["embedding"] += outer_sum(is_token, d_x) * math.sqrt(d_x.shape[-1])

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


class EncoderLayer:
    """Self-attention, then feed-forward."""

    def __init__(self, p, g, heads, design):
        self.self = _sublayer(Attention, p, g, "self", design, heads, design.scaled)
        self.feed = _sublayer(FeedForward, p, g, "feed", design)

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


def outer_sum(x, d_y):
    """The gradient of W in y = x W, from x (B, T, N) and d_y (B, T, M): xᵀ d_y summed over B and T, (N, M)."""
    return x.reshape(-1, x.shape[-1]).T @ d_y.reshape(-1, d_y.shape[-1])


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


def _sublayer(kind, p, g, name, design, *more):
    """A layer of this kind and the LayerNorm that belongs to it, from the parameters that bear its name."""
    of_layer, of_norm = ([{part.removeprefix(prefix): array for part, array in of.items() if part.startswith(prefix)}
                          for of in (p, g)] for prefix in (f"{name}.", f"{name}.norm."))
    return Sublayer(kind(*of_layer, *more), Norm(*of_norm), design)


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


def one_vector(arrays, dtype=np.float32):
    """Arrays by name as views of one vector, which an optimiser can move. Returns the vector and the views."""
    vector = np.concatenate([array.ravel() for array in arrays.values()]).astype(dtype)
    return vector, views(vector, {name: array.shape for name, array in arrays.items()})
