"""A decoder in Llama's form (Touvron et al. 2023), run with weights that others trained.

    x      = E[ids]                                        the table of tokens; positions are nowhere added
    x      = x + attention(RMSNorm(x)) W_O                 H heads of queries share G groups of keys and values,
    x      = x + (silu(h W1) ∘ h W3) W2, h = RMSNorm(x)    queries and keys are turned by their positions (RoPE)
    logits = RMSNorm(x) Eᵀ

There are no biases. The arrays have the names that glassllm 0.1.0 gives them, and "about.…" says what shapes do not.
It only runs forwards.

B texts, T tokens of a call, P before them, M width of a token, H heads of width d, G groups, L layers, V tokens.
"""

import math
import re
import unicodedata
from itertools import pairwise

import numpy as np

from coursekit.layers.basics import sigmoid
from coursekit.layers.transformer import part

SPACE, UNKNOWN = "▁", "<unk>"
PIECE = re.compile(rf"\n|{SPACE}*[^{SPACE}\n]+|{SPACE}+")


class Llama:
    """Says which token comes next, and writes.

        model = Llama(coursekit.load("data/alice"))
        ids = model.encode("Alice was")                    (T,), and model.decode(ids) is the text
        logits = model.forward(ids)                        (T, V) of ids (T,), or (B, T, V) of (B, T)
        model.looks                                        (L, ..., H, T, P + T): where each head looked in this call
        hidden, caches = model.run(ids, caches)            the last norm's rows, and keys and values for the next call
        model.write("Alice was", uniforms)                 a token for each uniform, as lab 13 draws them

    parameters  arrays by name; those that are not float are settings and tokens
    dtype       in which it computes
    turn        turn(x (..., T, d), positions (T,)), in the place of RoPE on pairs side by side
    """

    def __init__(self, parameters, dtype=np.float32, turn=None):
        names = ("n_layers", "n_heads", "n_kv_heads", "eps", "rope_base")
        self.settings = {name: parameters[f"about.{name}"].item() for name in names}
        self.p = {name: array.astype(dtype) for name, array in parameters.items()
                  if array.dtype.kind == "f" and not name.startswith("about.")}
        self.blocks = [part(self.p, f"blocks.{i}") for i in range(self.settings["n_layers"])]
        self.turn = turn or self._turned
        self.tokens = parameters["tokens"].tolist()
        self.ids = {token: i for i, token in enumerate(self.tokens)}
        self.ranks = {tuple(pair): rank for rank, pair in enumerate(parameters["merges"].tolist())}

    # From ids to logits

    def forward(self, ids):
        return self.run(ids)[0] @ self.p["E"].T

    def run(self, ids, caches=None):
        """All layers: ids (..., T), caches a list of (keys, values) (..., G, P, d) for each layer, or None."""
        x, after, looks = self.p["E"][ids], [], []
        for p, past in zip(self.blocks, caches or [None] * len(self.blocks), strict=True):
            seen, cache, look = self._attended(self._norm(x, p["norm1.gamma"]), p, past)
            x = x + seen
            h = self._norm(x, p["norm2.gamma"])
            gate = h @ p["ffn.W1"]
            x = x + (gate * sigmoid(gate) * (h @ p["ffn.W3"])) @ p["ffn.W2"]
            after.append(cache)
            looks.append(look)
        self.looks = np.stack(looks)
        return self._norm(x, self.p["norm_f.gamma"]), after

    def _norm(self, x, gamma):
        return x / np.sqrt((x * x).mean(axis=-1, keepdims=True) + self.settings["eps"]) * gamma

    def _attended(self, x, p, past):
        """Attention of one layer, as it is added to the stream; its keys and values; and its weights."""
        H, G = self.settings["n_heads"], self.settings["n_kv_heads"]
        T, P = x.shape[-2], 0 if past is None else past[0].shape[-2]
        positions = P + np.arange(T)
        Q, K, V = (self._split(x @ p[f"attn.W_{name}"], n) for name, n in (("Q", H), ("K", G), ("V", G)))
        Q, K = self.turn(Q, positions), self.turn(K, positions)
        if past is not None:
            K, V = (np.concatenate(pair, axis=-2) for pair in zip(past, (K, V), strict=True))
        shared = [each.repeat(H // G, axis=-3) for each in (K, V)]                   # (..., H, P + T, d)
        scores = Q @ shared[0].swapaxes(-1, -2) / math.sqrt(Q.shape[-1])
        scores = np.where(np.arange(P + T) <= positions[:, None], scores, -np.inf)   # (..., H, T, P + T)
        powers = np.exp(scores - scores.max(axis=-1, keepdims=True))
        look = powers / powers.sum(axis=-1, keepdims=True)
        return (look @ shared[1]).swapaxes(-2, -3).reshape(x.shape) @ p["attn.W_O"], (K, V), look

    def _split(self, x, n):
        """(..., T, n d) to (..., n, T, d)."""
        return x.reshape(*x.shape[:-1], n, -1).swapaxes(-2, -3)

    def _turned(self, x, positions):
        """Pairs side by side, entries 2r and 2r + 1, turned by position · base^(-2r/d)."""
        d = x.shape[-1]
        angles = positions[:, None] * self.settings["rope_base"] ** (-np.arange(0, d, 2) / d)
        cos, sin = np.cos(angles).astype(x.dtype), np.sin(angles).astype(x.dtype)
        first, second = x[..., 0::2], x[..., 1::2]
        return np.stack([first * cos - second * sin, first * sin + second * cos], axis=-1).reshape(x.shape)

    # Text

    def encode(self, text):
        """The ids of a text: characters, of which learned pairs are merged in the order in which they were learned."""
        plain = unicodedata.normalize("NFC", text).replace(" ", SPACE)
        return np.array([self.ids.get(symbol, self.ids[UNKNOWN]) for piece in PIECE.findall(plain)
                         for symbol in self._merged(list(piece))])

    def _merged(self, symbols):
        while pairs := [pair for pair in pairwise(symbols) if pair in self.ranks]:
            best, merged = min(pairs, key=self.ranks.get), []
            for symbol in symbols:
                if merged and (merged[-1], symbol) == best:
                    merged[-1] += symbol
                else:
                    merged.append(symbol)
            symbols = merged
        return symbols

    def decode(self, ids):
        return "".join(self.tokens[i] for i in ids).replace(SPACE, " ")

    def write(self, prompt, uniforms, temperature=0.8, top_p=0.9):
        """What it writes after the prompt, a token for each uniform, with a cache: temperature, then top-p."""
        new, caches, written = self.encode(prompt), None, []
        for u in uniforms:
            hidden, caches = self.run(new, caches)
            z = (hidden[-1] @ self.p["E"].T).astype(float) / temperature
            order = np.argsort(-z, kind="stable")
            p = np.exp(z[order] - z.max())
            ends = np.cumsum(p / p.sum())
            count = 1 + int((ends[:-1] < top_p).sum())                               # the token that crosses is kept
            written.append(order[int((ends[:count] / ends[count - 1] <= u).sum())])
            new = np.array(written[-1:])
        return self.decode(written)
