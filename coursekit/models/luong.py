"""A translator of `coursekit.tasks.phrases` in the order of Luong, Pham & Manning (2015): state first, then the look.

    h_j      = [forward GRU ; backward GRU]             what the encoder writes at source position j
    s_0      = tanh(backward h_1 · W_s)
    s_i      = GRU(y_{i-1}, s_{i-1})                    the new state, from the word before
    s̃_i, α_i = look(s_i, h, mask, p)                    scores, weights, context, attentional state: the caller's
    y_i      = the likeliest word under softmax(s̃_i · W_o + b_o), until it is a full stop

With input feeding the GRU takes [y_{i-1} ; s̃_{i-1}], so that a step knows where the one before it looked; s̃_0 is 0.
Whether a model feeds is read off the rows of its `decoder.W`.

Simpler than the paper: its encoder and decoder are stacks of four LSTMs, and its encoder reads from left to right only;
here one GRU writes and two read, as in `coursekit.models.phrases`, so that the two models differ in their attention
alone. The likeliest word is taken at each step, where the paper searches with a beam.

B batch, S source positions, T target positions, X embedding width, H encoder state, E = 2H, D decoder state and
attentional state, V words that can be written.
"""

import numpy as np

from coursekit.layers.recurrent import GRU, bidirectional, gru_shapes, gru_step
from coursekit.shapes import expect
from coursekit.tasks.phrases import BLANK, ENGLISH, FRENCH, STOP


def parameter_shapes(X, H, D, attention, feeding=False):
    """The name and shape of every parameter; `attention` holds those of the caller's part, {name: shape}."""
    V, seen = len(FRENCH), X + D if feeding else X
    units = {"forward": gru_shapes(X, H), "backward": gru_shapes(X, H), "decoder": gru_shapes(seen, D)}
    return {
        "source_embedding": (len(ENGLISH), X),
        "target_embedding": (V, X),
        **{f"{unit}.{part}": shape for unit, shapes in units.items() for part, shape in shapes._asdict().items()},
        "first_state": (H, D),
        **attention,
        "readout.W": (D, V),
        "readout.b": (V,),
    }


class LuongTranslator:
    """Reads the English of `coursekit.tasks.phrases` and writes its French, looking where `look` tells it to.

        translator = LuongTranslator(coursekit.load("luong_translator"))
        written, weights = translator.translate(["the small black cat had been found ."], look)

    arrays holds the parameters by name, `p` those of its attention. Raises ValueError when an array is missing or has
    the wrong shape.
    """

    def __init__(self, arrays):
        _check_parameters(arrays)
        self.p = {name: array for name, array in arrays.items() if name not in _given() and "about." not in name}
        self.source_embedding, self.target_embedding = arrays["source_embedding"], arrays["target_embedding"]
        self.forward, self.backward, self.decoder = (
            GRU(*(arrays[f"{unit}.{part}"] for part in GRU._fields)) for unit in ("forward", "backward", "decoder")
        )
        self.first_state = arrays["first_state"]
        self.readout, self.readout_bias = arrays["readout.W"], arrays["readout.b"]
        self.feeds = len(self.decoder.W) > self.target_embedding.shape[1]

    def translate(self, texts, look, limit=60):
        """Translate B texts into B texts of at most `limit` words. Returns them and the weights (B, T, S).

        look(state (B, D), memory (B, S, E), mask (B, S), p) -> attentional state (B, D), weights (B, S) is called once
        for each word. Raises ValueError when something that it returns does not fit.
        """
        memory, mask = self.read(texts)
        state, told = self.start(memory)                                          # (B, D) both
        previous, done = np.full(len(memory), BLANK), np.zeros(len(memory), bool)
        written, looked = [], []
        while len(written) < limit and not done.all():
            state = self.step(state, previous, told)
            told, weights = checked(look(state, memory, mask, self.p), state, memory)
            previous = self.logits(told).argmax(axis=-1)
            done |= previous == FRENCH.id(STOP)
            written.append(previous)
            looked.append(weights)
        return FRENCH.decode(np.stack(written, axis=1)), np.stack(looked, axis=1)

    def read(self, texts):
        """Encode B texts. Returns memory (B, S, E) and mask (B, S), True where a word stands."""
        ids, mask = ENGLISH.encode(texts)                                         # (B, S) both
        return self.annotate(ids, mask), mask

    def annotate(self, ids, mask):
        """The annotations h_j of the words `ids` (B, S): memory (B, S, E)."""
        return bidirectional(self.source_embedding[ids], mask, self.forward, self.backward)

    def start(self, memory):
        """The state before the first word, s_0 (B, D), and the attentional state before it, zeros (B, D)."""
        state = np.tanh(memory[:, 0, -len(self.first_state) :] @ self.first_state)
        return state, np.zeros_like(state)

    def step(self, state, previous, told):
        """From s_{i-1} (B, D), y_{i-1} (B,) and s̃_{i-1} (B, D) to s_i (B, D)."""
        return gru_step(self.input(previous, told), state, self.decoder)

    def input(self, previous, told):
        """What the decoder's unit is given: (..., X), or with input feeding (..., X + D)."""
        words = self.target_embedding[previous]
        return np.concatenate([words, told], axis=-1) if self.feeds else words

    def logits(self, told):
        """From s̃_i (..., D) to the logits of y_i (..., V)."""
        return told @ self.readout + self.readout_bias


def checked(answer, state, memory):
    """Hold what `look` returned to its contract; its mistakes should be named here, not ten lines further on."""
    if not isinstance(answer, tuple | list) or len(answer) != 2:
        got = f"{len(answer)} results" if isinstance(answer, tuple | list) else type(answer).__name__
        raise ValueError(f"look: expected (attentional state, weights), got {got}")
    sizes = dict(zip("BSED", (*memory.shape, state.shape[1]), strict=True))
    for what, array, axes in zip(("attentional state", "weights"), answer, ("B D", "B S"), strict=True):
        expect(sizes, **{f"{what} from look": (array, axes)})
        if not np.isfinite(array).all():
            raise ValueError(f"{what} from look: contains nan or inf")
    return answer


def _given():
    return parameter_shapes(1, 1, 1, {}).keys()


def _check_parameters(arrays):
    """Are all parameters there, with shapes that agree with one another? The widths are read off some of them."""
    missing = sorted(_given() - arrays.keys())
    if missing:
        raise ValueError(f"arrays: expected a Luong translator's parameters, got none called {', '.join(missing)}")
    X, D = (np.size(arrays[name]) // len(FRENCH) for name in ("target_embedding", "readout.W"))
    H, feeding = np.size(arrays["first_state"]) // max(D, 1), len(arrays["decoder.W"]) == X + D
    for name, shape in parameter_shapes(X, H, D, {}, feeding).items():
        if np.shape(arrays[name]) != shape:
            raise ValueError(f"{name}: expected {shape} for X, H, D = {X, H, D}, got {np.shape(arrays[name])}")
