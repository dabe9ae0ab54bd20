"""What the recurrent translators share: two GRUs read a text, a third writes another, token by token.

    h_j = [forward GRU ; backward GRU]             what the encoder writes at source position j
    s_0 = tanh(backward h_1 · W_s)                 the decoder's state before it writes
    y_i = the likeliest token under the logits of step i, until it is the one that ends a text

What a step is, and where it looks, is the model's own: see `coursekit.models.dates`, `.phrases` and `.luong`. The GRU
is the variant in `coursekit.layers.recurrent`.

B batch, S source positions, T target positions, X embedding width, H encoder state, E = 2H, D decoder state,
A attention width, V tokens that can be written.
"""

import numpy as np

from coursekit.layers.recurrent import GRU, bidirectional, gru_shapes, gru_step
from coursekit.parts import returned
from coursekit.shapes import expect
from coursekit.tasks.tokens import BLANK


class Translator:
    """A model that reads and writes, from its parameters by name.

    A kind of it says what it reads and writes, `source` and `target`, both a Vocabulary; the `shapes` of its
    parameters, given arrays that may be theirs and three widths; and what a `turn` of its decoder is:

        turn(now, previous (B,), memory (B, S, E), mask (B, S), attend) -> now, logits (B, V), weights (B, S)

    from what it knows `now`, at first what `start` returns, to what it knows after the next token.
    Raises ValueError when an array is missing or has the wrong shape.
    """

    longest = 60  # tokens that it writes at most, if it is not told otherwise

    def __init__(self, arrays):
        self._check(arrays)
        self.source_embedding, self.target_embedding = arrays["source_embedding"], arrays["target_embedding"]
        self.forward, self.backward, self.decoder = (
            GRU(*(arrays[f"{unit}.{part}"] for part in GRU._fields)) for unit in ("forward", "backward", "decoder")
        )
        self.first_state = arrays["first_state"]
        self.readout, self.readout_bias = arrays["readout.W"], arrays["readout.b"]

    @classmethod
    def _check(cls, arrays):
        """Are all parameters there, with shapes that agree with one another? The widths are read off some of them."""
        missing = sorted(cls.shapes(arrays, 1, 1, 1).keys() - arrays.keys())
        if missing:
            none = ", ".join(missing)
            raise ValueError(f"arrays: expected the parameters of a {cls.__name__}, got none called {none}")
        X, D = (np.size(arrays[name]) // len(cls.target) for name in ("target_embedding", "readout.W"))
        H = np.size(arrays["first_state"]) // max(D, 1)
        for name, shape in cls.shapes(arrays, X, H, D).items():
            if np.shape(arrays[name]) != shape:
                raise ValueError(f"{name}: expected {shape} for X, H, D = {X, H, D}, got {np.shape(arrays[name])}")

    def translate(self, texts, attend, limit=None):
        """Translate B texts. Returns B texts of at most `limit` tokens and the weights (B, T, S) that `attend` gave."""
        return self.write(*self.read(texts), attend, limit)

    def read(self, texts):
        """Encode B texts. Returns memory (B, S, E) and mask (B, S), True where a token stands."""
        ids, mask = self.source.encode(texts)                                     # (B, S) both
        return self.annotate(ids, mask), mask

    def write(self, memory, mask, attend, limit=None):
        """Write until every text has its end. Returns B texts and the weights (B, T, S) that `attend` gave.

        `attend` is called once for each token, as `turn` says. Raises ValueError when what it returns does not fit.
        """
        expect({"E": 2 * len(self.first_state)}, memory=(memory, "B S E"), mask=(mask, "B S"))
        now, previous = self.start(memory), np.full(len(memory), BLANK)
        written, looked, done = [], [], np.zeros(len(memory), bool)
        while len(written) < (limit or self.longest) and not done.all():
            now, logits, weights = self.turn(now, previous, memory, mask, attend)
            previous = logits.argmax(axis=-1)                                     # (B,)
            done |= previous == self.target.stop
            written.append(previous)
            looked.append(weights)
        return self.target.decode(np.stack(written, axis=1)), np.stack(looked, axis=1)

    def annotate(self, ids, mask):
        """The annotations h_j of the tokens `ids` (B, S): memory (B, S, E)."""
        return bidirectional(self.source_embedding[ids], mask, self.forward, self.backward)

    def start(self, memory):
        """The decoder's state before it writes: s_0 (B, D), from the backward half of h_1, which has read it all."""
        return np.tanh(memory[:, 0, -len(self.first_state) :] @ self.first_state)


class LookingFirst(Translator):
    """A Translator in the order of Bahdanau, Cho & Bengio (2015): the look decides the state.

        c_i, α_i = attend(s_{i-1}, h, mask, W, U, v)         the query is the state before this step
        s_i      = GRU([y_{i-1} ; c_i], s_{i-1})             so the context has its say in the new state
        logits   = s_i · W_o + b_o

    W (D, A), U (E, A) and v (A,) are the parameters of its attention, None where it has none.
    """

    def __init__(self, arrays):
        super().__init__(arrays)
        self.W, self.U, self.v = (arrays.get(f"attention.{name}") for name in "WUv")

    def turn(self, state, previous, memory, mask, attend):
        """attend(state (B, D), memory, mask, W, U, v) -> context (B, E), weights (B, S)."""
        sizes = dict(zip("BSE", memory.shape, strict=True))
        answer = attend(state, memory, mask, self.W, self.U, self.v)
        context, weights = returned("attend", answer, sizes, finite=True, context="B E", weights="B S")
        return *self.step(state, previous, context), weights

    def step(self, state, previous, context):
        """From s_{i-1} (B, D), y_{i-1} (B,) and c_i (B, E) to s_i (B, D) and the logits of y_i (B, V)."""
        x = np.concatenate([self.target_embedding[previous], context], axis=-1)   # (B, X + E)
        state = gru_step(x, state, self.decoder)                                  # (B, D)
        return state, state @ self.readout + self.readout_bias


# Parameters


def translator_shapes(source, target, X, H, D, seen, attention):
    """The name and shape of every parameter of a Translator from `source` to `target`, both Tokens.

    seen       how many numbers the decoder is given at each step
    attention  the shapes of what looks, by name
    """
    units = {"forward": gru_shapes(X, H), "backward": gru_shapes(X, H), "decoder": gru_shapes(seen, D)}
    return {
        "source_embedding": (len(source), X),
        "target_embedding": (len(target), X),
        **{name: shape for unit, shapes in units.items() for name, shape in by_name(unit, shapes).items()},
        "first_state": (H, D),
        **attention,
        "readout.W": (D, len(target)),
        "readout.b": (len(target),),
    }


def additive_shapes(H, D, A):
    """The shapes of additive attention's parameters."""
    return {"attention.W": (D, A), "attention.U": (2 * H, A), "attention.v": (A,)}


def by_name(unit, gru):
    """The parts of a GRU under the names that they have in a model: {"decoder.W": …, "decoder.U": …, …}."""
    return {f"{unit}.{part}": array for part, array in gru._asdict().items()}


def initial_parameters(rng, shapes):
    """Biases 0, embeddings of variance 1, and matrices that keep the variance of what they multiply."""
    return {name: _initial(rng, name, shape) for name, shape in shapes.items()}


def _initial(rng, name, shape):
    if name.endswith((".b", ".c")):
        return np.zeros(shape)
    scale = 1.0 if name.endswith("embedding") else shape[0] ** -0.5
    return scale * rng.standard_normal(shape)
