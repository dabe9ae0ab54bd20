"""A translator of `coursekit.tasks.phrases`, which reads with two GRUs and writes with a third, word by word.

    h_j      = [forward GRU ; backward GRU]               what the encoder writes at source position j
    s_0      = tanh(backward h_1 · W_s)
    c_i, α_i = attend(s_{i-1}, h, mask, W, U, v)          what the decoder is told of the source
    s_i      = GRU([y_{i-1} ; c_i], s_{i-1})
    y_i      = the likeliest word under softmax(s_i · W_o + b_o), until it is a full stop

With `one_vector` as `attend`, c_i is the same at every step: the two states that have each read the whole sentence.
All that the decoder ever learns of the source is then in these 2H numbers, as in Cho et al. (2014) and in the RNNencdec
of Bahdanau, Cho & Bengio (2015). With attention it is the model of the latter. Nothing else changes between the two.

Simpler than the papers: see `coursekit.models.dates`, whose simplifications hold here too. Unlike their RNNencdec,
whose encoder reads from left to right only, the encoder here reads both ways in either case.

B batch, S source positions, T target positions, X embedding width, H encoder state, E = 2H, D decoder state,
A attention width, V words that can be written.
"""

import numpy as np

from coursekit.layers.recurrent import GRU, bidirectional, gru_shapes, gru_step
from coursekit.shapes import expect
from coursekit.tasks.phrases import BLANK, ENGLISH, FRENCH, STOP


def parameter_shapes(X, H, D, A=0):
    """The name and shape of every parameter of the model; without attention for A = 0."""
    E, V = 2 * H, len(FRENCH)
    units = {"forward": gru_shapes(X, H), "backward": gru_shapes(X, H), "decoder": gru_shapes(X + E, D)}
    attention = {"attention.W": (D, A), "attention.U": (E, A), "attention.v": (A,)}
    return {
        "source_embedding": (len(ENGLISH), X),
        "target_embedding": (V, X),
        **{f"{unit}.{part}": shape for unit, shapes in units.items() for part, shape in shapes._asdict().items()},
        "first_state": (H, D),
        **(attention if A else {}),
        "readout.W": (D, V),
        "readout.b": (V,),
    }


def one_vector(state, memory, mask, W=None, U=None, v=None):
    """The same context for every word, (B, E): the forward state after the last word and the backward state after the
    first. Nothing is weighed, so the weights (B, S) are zeros. Called like attention, it ignores the `state`."""
    expect(state=(state, "B D"), memory=(memory, "B S E"), mask=(mask, "B S"))
    H = memory.shape[-1] // 2
    return np.concatenate([memory[:, -1, :H], memory[:, 0, H:]], axis=-1), np.zeros(mask.shape, memory.dtype)


class PhraseTranslator:
    """Reads the English of `coursekit.tasks.phrases` and writes its French.

        translator = PhraseTranslator(coursekit.load("phrase_one_vector"))
        written, _ = translator.translate(["the small black cat had been found ."])

    arrays holds the parameters by name; W, U, v are those of its attention, None where it has none.
    Raises ValueError when an array is missing or has the wrong shape.
    """

    def __init__(self, arrays):
        _check_parameters(arrays)
        self.source_embedding = arrays["source_embedding"]
        self.target_embedding = arrays["target_embedding"]
        self.forward, self.backward, self.decoder = (
            GRU(*(arrays[f"{unit}.{part}"] for part in GRU._fields)) for unit in ("forward", "backward", "decoder")
        )
        self.first_state = arrays["first_state"]
        self.W, self.U, self.v = (arrays.get(f"attention.{name}") for name in "WUv")
        self.readout, self.readout_bias = arrays["readout.W"], arrays["readout.b"]

    def translate(self, texts, attend=one_vector, limit=60):
        """Translate B texts. Returns B texts of at most `limit` words and the weights (B, T, S)."""
        return self.write(*self.read(texts), attend, limit)

    def read(self, texts):
        """Encode B texts. Returns memory (B, S, E) and mask (B, S), True where a word stands."""
        ids, mask = ENGLISH.encode(texts)                                         # (B, S) both
        return self.annotate(ids, mask), mask

    def write(self, memory, mask, attend=one_vector, limit=60):
        """Write until every text has its full stop. Returns B texts and the weights (B, T, S) that `attend` gave.

        attend(state, memory, mask, W, U, v) -> context (B, E), weights (B, S) is called once for each word.
        """
        state = self.start(memory)                                                # (B, D)
        previous = np.full(len(memory), BLANK)                                    # (B,)
        written, looked, done = [], [], np.zeros(len(memory), bool)
        while len(written) < limit and not done.all():
            context, weights = attend(state, memory, mask, self.W, self.U, self.v)
            expect({"B": len(memory), "E": memory.shape[-1]}, context=(context, "B E"))
            state, logits = self.step(state, previous, context)
            previous = logits.argmax(axis=-1)
            done |= previous == FRENCH.id(STOP)
            written.append(previous)
            looked.append(weights)
        return FRENCH.decode(np.stack(written, axis=1)), np.stack(looked, axis=1)

    def annotate(self, ids, mask):
        """The annotations h_j of the words `ids` (B, S): memory (B, S, E)."""
        return bidirectional(self.source_embedding[ids], mask, self.forward, self.backward)

    def start(self, memory):
        """The decoder's state before it writes: s_0 (B, D), from the backward half of h_1, which has read it all."""
        return np.tanh(memory[:, 0, -len(self.first_state) :] @ self.first_state)

    def step(self, state, previous, context):
        """From s_{i-1} (B, D), y_{i-1} (B,) and c_i (B, E) to s_i (B, D) and the logits of y_i (B, V)."""
        x = np.concatenate([self.target_embedding[previous], context], axis=-1)   # (B, X + E)
        state = gru_step(x, state, self.decoder)                                  # (B, D)
        return state, state @ self.readout + self.readout_bias


def _check_parameters(arrays):
    """Are all parameters there, with shapes that agree with one another? The widths are read off some of them."""
    missing = sorted(parameter_shapes(1, 1, 1).keys() - arrays.keys())
    if missing:
        raise ValueError(f"arrays: expected a phrase translator's parameters, got none called {', '.join(missing)}")
    X, D = (np.size(arrays[name]) // len(FRENCH) for name in ("target_embedding", "readout.W"))
    H, A = np.size(arrays["first_state"]) // max(D, 1), np.size(arrays.get("attention.v", ()))
    for name, shape in parameter_shapes(X, H, D, A).items():
        if np.shape(arrays.get(name)) != shape:
            got = np.shape(arrays[name]) if name in arrays else "none"
            raise ValueError(f"{name}: expected {shape} for X, H, D, A = {X, H, D, A}, got {got}")
