"""A decoder-only Transformer in the form of GPT-2 (Radford et al. 2019), with its gradient written by hand.

    x      = E[token] + P[position]                    both learned
    x      = x + f(LN(x))                              f an attention or a feed-forward layer, layer after layer
    logits = LN(x) Eᵀ                                  the output is tied to E, and nothing is scaled

f stands in `coursekit.layers.gpt`: attention with biases, and GELU. Each position looks at itself and what stands
before it, so that the logits at a position know nothing of the token that they are to name.

Simpler than GPT-2: no dropout. Positions are as many as the table P has rows.

B batch, T positions, P of them before those of a call, d_model width of a token, L layers of h heads of width d_k, d_ff
inner width of the feed-forward layer, V tokens. `d_name` is the gradient of the loss in `name`. A mask is True where a
real token stands.
"""

import math

import numpy as np

from coursekit.layers.basics import outer
from coursekit.layers.gpt import Block
from coursekit.layers.transformer import Norm, part
from coursekit.models.heads import silenced
from coursekit.models.transformer import Design
from coursekit.shapes import expect
from coursekit.tasks.tokens import END, PAD, START


class GPT:
    """Says how likely each token is to come next, and writes.

        arrays = coursekit.load("grammar_gpt")
        model = GPT(arrays)
        logits = model.forward(ids)                       ids (B, T), START first; logits (B, T, V)
        model.weights()                                   (L, B, h, T, T): where each head looked in this call
        model.silenced(speaks).forward(ids)               speaks (L, h), False for the heads that write nothing
        model.following([START, *tokens])                 log p of the next token, (V,), as lab 11's functions ask it
        logits, caches = model.run(ids, attend, caches)   the same logits with another's attention, and its caches
        ids = model.write(uniforms)                       B texts, a token for each of uniforms (B, N)

    parameters  arrays by name, with the shapes of `parameter_shapes`; others are left alone
    heads       h; it leaves no trace in the shapes, so it must be told, or stand in the arrays as "about.heads"
    gradient    arrays by name to which `backward` adds, made where none are given
    Raises ValueError when an array is missing or does not fit.
    """

    def __init__(self, parameters, heads=None, gradient=None):
        self.heads = int(parameters.get("about.heads", 4) if heads is None else heads)
        shapes = _check_parameters(parameters, self.heads)
        self.p = {name: parameters[name] for name in shapes}
        self.g = {name: np.zeros_like(self.p[name]) for name in shapes} if gradient is None else gradient
        self.layers = [Block(part(self.p, f"layer.{i}"), part(self.g, f"layer.{i}"), self.heads, Design())
                       for i in range(_count(shapes))]
        self.end = Norm(part(self.p, "norm"), part(self.g, "norm"))

    def forward(self, ids):
        """The logits (B, T, V) of the token after each of ids (B, T)."""
        self.ids, causal = self.known(ids), np.tri(np.shape(ids)[1], dtype=bool)[None]
        x = self.embed(ids, np.arange(ids.shape[1])[None])                         # (B, T, d_model)
        for layer in self.layers:
            x = layer.forward(x, causal)
        return self.read_out(x)

    def backward(self, d_logits):
        """Add the gradients of all parameters to `g`, from d_logits (B, T, V), after `forward`."""
        self.g["embedding"] += outer(d_logits, self.last)
        d_x = self.end.backward(d_logits @ self.p["embedding"])
        for layer in reversed(self.layers):
            d_x = layer.backward(d_x)
        is_token = (np.arange(len(self.p["embedding"])) == self.ids[..., None]).astype(d_x.dtype)   # (B, T, V)
        self.g["embedding"] += outer(is_token, d_x)
        self.g["positions"][: d_x.shape[1]] += d_x.sum(axis=0)

    def embed(self, ids, positions):
        """The rows of both tables, (B, T, d_model), of ids (B, T) at positions (B, T) or (1, T)."""
        return self.p["embedding"][ids] + self.p["positions"][positions]

    def read_out(self, x):
        """From the last layer's x (B, T, d_model) to the logits (B, T, V)."""
        self.last = self.end.forward(x)
        return self.last @ self.p["embedding"].T

    # Looking into it

    def weights(self):
        """Where each head of each layer looked in the last `forward`: (L, B, h, T, T), of which a row sums to 1."""
        return np.stack([layer.self.layer.weights for layer in self.layers])

    def silenced(self, speaks):
        """This model with some heads silenced: those where speaks (L, h) is False add nothing to any token."""
        names = [f"layer.{i}.self.W_O" for i in range(len(self.layers))]
        return GPT(silenced(self.p, names, speaks, self.heads), self.heads)

    # Writing

    def following(self, tokens):
        """The log-probability of each next token, (V,), after `tokens`, a list that begins with START.

        PAD and START are never written: -inf.
        """
        return self.log_probabilities(self.forward(np.array([tokens]))[0, -1])

    def write(self, uniforms):
        """Draw B texts from the model's own probabilities, a token for each of uniforms (B, N), until each has its END.

        The model runs over all that was written anew for each token. Returns ids (B, at most N), without START.
        """
        ids = np.full((len(uniforms), 1), START)
        for u in np.asarray(uniforms).T:
            ends = np.exp(self.log_probabilities(self.forward(ids)[:, -1])).cumsum(axis=-1)    # (B, V)
            drawn = (ends / ends[:, -1:] <= u[:, None]).sum(axis=-1)                           # (B,)
            ids = np.concatenate([ids, drawn[:, None]], axis=1)
            if (ids == END).any(axis=1).all():
                break
        return ids[:, 1:]

    def run(self, ids, attend, caches=None, mask=None):
        """The logits (B, T, V) of the token after each of ids (B, T), with attention that the caller brings.

        attend(q, k, v, cache, mask) -> output, cache
                q, k, v and the output (B, h, T, d_k). It looks at what stands before, as `forward` does, and hands back
                what it wants to see at the next call; at the first the cache is None.
        caches  what the call before returned, a list with one for each layer; (keys, values) each, (B, h, P, d_k)
        mask    (B, P + T), True where a real token stands; a token's position counts the real ones before it
        Returns the logits and the caches.
        """
        past = 0 if caches is None else caches[0][0].shape[2]
        x, after = self.embed(self.known(ids, past), _positions(mask, past, ids.shape[1])), []
        for layer, cache in zip(self.layers, caches or [None] * len(self.layers), strict=True):
            look, seen = layer.self.layer, layer.self.before.forward(x)            # (B, T, d_model)
            output, cache = attend(*(look.split(look.project(name, seen)) for name in "QKV"), cache, mask)
            after.append(cache)
            x = layer.feed.forward(x + look.project("O", look.merge(output)))
        return self.read_out(x), after

    def log_probabilities(self, logits):
        """Those of the next token from logits (..., V), in float64; -inf for PAD and START, which are never written."""
        logits = logits.astype(float)
        logits[..., [PAD, START]] = -np.inf
        z = logits - logits.max(axis=-1, keepdims=True)
        return z - np.log(np.exp(z).sum(axis=-1, keepdims=True))

    def known(self, ids, past=0):
        """These ids. Raises ValueError for one that is no row of the table, or more than there are positions."""
        ids, (V, _), rows = np.asarray(ids), self.p["embedding"].shape, len(self.p["positions"])
        if ids.ndim != 2 or ids.dtype.kind not in "iu" or not ids.size:
            raise ValueError(f"ids: expected integers of shape (B, T), got {ids.dtype} of shape {ids.shape}")
        least, most = ids.min(), ids.max()
        if not 0 <= least <= most < V:
            raise ValueError(f"ids: expected 0 to {V - 1}, got {least} to {most}")
        if past + ids.shape[1] > rows:
            raise ValueError(f"ids: expected at most {rows} positions, which is what the model has learned, got "
                             f"{past + ids.shape[1]}")
        return ids


# Parameters


def parameter_shapes(V, context, d_model=64, d_ff=256, layers=2):
    """The name and shape of every parameter; `context` is how many positions there are."""
    shapes = {"embedding": (V, d_model), "positions": (context, d_model)}
    for i in range(layers):
        shapes |= _layer_shapes(f"layer.{i}", d_model, d_ff)
    return shapes | {"norm.gamma": (d_model,), "norm.beta": (d_model,)}


def initial_parameters(rng, shapes, embedding=0.05):
    """Biases 0, gains 1, both tables of standard deviation `embedding`, and matrices that keep the variance of what
    they multiply. Those that write into the residual path are smaller by √(2 L), as GPT-2's are: 2 L layers add to it.
    """
    return {name: _initial(rng, name, shape, embedding, 2 * _count(shapes)) for name, shape in shapes.items()}


def _initial(rng, name, shape, embedding, added):
    if len(shape) == 1:
        return np.ones(shape) if name.endswith("gamma") else np.zeros(shape)
    if name in ("embedding", "positions"):
        return embedding * rng.standard_normal(shape)
    scale = math.sqrt(added) if name.endswith(("W_O", "W_2")) else 1.0
    return rng.standard_normal(shape) / (scale * math.sqrt(shape[0]))


def _layer_shapes(prefix, d_model, d_ff):
    shapes = {f"self.W_{name}": (d_model, d_model) for name in "QKVO"}
    shapes |= {f"self.b_{name}": (d_model,) for name in "QKVO"}
    shapes |= {"feed.W_1": (d_model, d_ff), "feed.b_1": (d_ff,), "feed.W_2": (d_ff, d_model), "feed.b_2": (d_model,)}
    shapes |= {f"{part}.norm.{each}": (d_model,) for part in ("self", "feed") for each in ("gamma", "beta")}
    return {f"{prefix}.{name}": shape for name, shape in shapes.items()}


def _count(names):
    """How many layers these parameters have."""
    return sum(name.endswith(".feed.W_1") for name in names)


def _positions(mask, past, T):
    """The position of each of the last T tokens, (B, T), or (1, T) without a mask."""
    if mask is None:
        return np.arange(past, past + T)[None]
    return np.maximum(np.cumsum(mask, axis=1)[:, past:] - 1, 0)                    # padding has none; any will do


def _check_parameters(arrays, heads):
    """The shapes that the parameters should have. Raises ValueError where one is missing or has another."""
    for name in ("embedding", "positions", "layer.0.feed.W_1"):
        if name not in arrays:
            raise ValueError(f"parameters: expected those of a GPT, got none called {name}")
        expect(**{name: (arrays[name], "rows columns")})
    (V, d_model), context = arrays["embedding"].shape, len(arrays["positions"])
    d_ff = arrays["layer.0.feed.W_1"].shape[1]
    if d_model % heads:
        raise ValueError(f"d_model: expected a multiple of heads = {heads}, got {d_model}")
    shapes = parameter_shapes(V, context, d_model, d_ff, _count(arrays))
    for name, shape in shapes.items():
        if name not in arrays or arrays[name].shape != shape:
            raise ValueError(f"{name}: expected shape {shape}, got {np.shape(arrays.get(name))}")
    return shapes
