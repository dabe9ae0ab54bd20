"""A trained translator of dates that lacks one part: attention, which the caller supplies as `attend`.

The model is the encoder and decoder of Bahdanau, Cho & Bengio (2015) in small. With y_0 the blank:

    h_j      = [forward GRU ; backward GRU]              what the encoder writes at source position j
    s_0      = tanh(backward h_1 · W_s)
    c_i, α_i = attend(s_{i-1}, h, mask, W, U, v)         the query is the state before this step
    s_i      = GRU([y_{i-1} ; c_i], s_{i-1})             so the context has its say in the new state
    y_i      = the likeliest character under softmax(s_i · W_o + b_o)

Simpler than the paper: characters stand for words; the GRU is the variant in `coursekit.layers.recurrent`; the readout
is one linear layer of s_i alone, where the paper's is a maxout layer that also sees y_{i-1} and c_i; the likeliest
character is taken at each step, where the paper searches with a beam; the length is fixed at ten, so there is no end
symbol; and `attend` multiplies memory by U at every step, where the paper does so once for each sentence.

B batch, S source positions, T target positions, X embedding width, H encoder state, E = 2H, D decoder state,
A attention width, V characters that can be written.
"""

import numpy as np

from coursekit.layers.recurrent import GRU, bidirectional, gru_shapes, gru_step
from coursekit.shapes import expect
from coursekit.tasks.dates import BLANK, SOURCE, TARGET

LENGTH = 10  # characters of an ISO date


def parameter_shapes(X, H, D, A):
    """The name and shape of every parameter of the model."""
    E, V = 2 * H, len(TARGET)
    units = {"forward": gru_shapes(X, H), "backward": gru_shapes(X, H), "decoder": gru_shapes(X + E, D)}
    return {
        "source_embedding": (len(SOURCE), X),
        "target_embedding": (V, X),
        **{f"{unit}.{part}": shape for unit, shapes in units.items() for part, shape in shapes._asdict().items()},
        "first_state": (H, D),
        "attention.W": (D, A),
        "attention.U": (E, A),
        "attention.v": (A,),
        "readout.W": (D, V),
        "readout.b": (V,),
    }


class DateTranslator:
    """Reads dates as people write them and writes them in ISO 8601, looking where `attend` tells it to.

        translator = DateTranslator(coursekit.load("date_translator"))
        written, weights = translator.translate(["3rd of May 2009"], additive_attention)

    W (D, A), U (E, A) and v (A,) are the trained parameters of its attention.
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
        self.W, self.U, self.v = arrays["attention.W"], arrays["attention.U"], arrays["attention.v"]
        self.readout, self.readout_bias = arrays["readout.W"], arrays["readout.b"]

    def translate(self, texts, attend):
        """Translate B texts. Returns B strings of ten characters and the weights (B, T, S), S the longest text."""
        return self.write(*self.read(texts), attend)

    def read(self, texts):
        """Encode B texts. Returns memory (B, S, E) and mask (B, S), True where a character stands."""
        ids, mask = SOURCE.encode(texts)                                    # (B, S) both
        return self.annotate(ids, mask), mask

    def write(self, memory, mask, attend):
        """Write one character after the other. Returns B strings and the weights (B, T, S) that `attend` gave.

        attend(state, memory, mask, W, U, v) -> context (B, E), weights (B, S) is called once for each character, with
        the decoder's previous state (B, D). Raises ValueError when something it returns does not fit.
        """
        expect({"E": len(self.U)}, memory=(memory, "B S E"), mask=(mask, "B S"))
        state = self.start(memory)                                          # (B, D)
        previous = np.full(len(memory), BLANK)                              # (B,)
        written, looked = [], []
        for _ in range(LENGTH):
            context, weights = _checked(attend(state, memory, mask, self.W, self.U, self.v), memory)
            state, logits = self.step(state, previous, context)
            previous = logits.argmax(axis=-1)
            written.append(previous)
            looked.append(weights)
        return TARGET.decode(np.stack(written, axis=1)), np.stack(looked, axis=1)

    def annotate(self, ids, mask):
        """The annotations h_j of the characters `ids` (B, S): memory (B, S, E)."""
        return bidirectional(self.source_embedding[ids], mask, self.forward, self.backward)

    def start(self, memory):
        """The decoder's state before it writes: s_0 (B, D), from the backward half of h_1, which has read it all."""
        H = len(self.first_state)
        return np.tanh(memory[:, 0, H:] @ self.first_state)

    def step(self, state, previous, context):
        """From s_{i-1} (B, D), y_{i-1} (B,) and c_i (B, E) to s_i (B, D) and the logits of y_i (B, V)."""
        x = np.concatenate([self.target_embedding[previous], context], axis=-1)   # (B, X + E)
        state = gru_step(x, state, self.decoder)                                  # (B, D)
        return state, state @ self.readout + self.readout_bias


def _check_parameters(arrays):
    """Are all parameters there, with shapes that agree with one another? The widths are read off four of them."""
    widths = {"X": "source_embedding", "H": "forward.U", "D": "decoder.U", "A": "attention.W"}
    expected = parameter_shapes(**dict.fromkeys(widths, 1))
    missing = sorted(expected.keys() - arrays.keys())
    if missing:
        raise ValueError(f"arrays: expected the parameters of a date translator, got none called {', '.join(missing)}")
    for name in widths.values():
        expect(**{name: (arrays[name], "rows columns")})
    X, H, D, A = (arrays[name].shape[axis] for name, axis in zip(widths.values(), (1, 0, 0, 1), strict=True))
    for name, shape in parameter_shapes(X, H, D, A).items():
        if arrays[name].shape != shape:
            raise ValueError(f"{name}: expected {shape} for X, H, D, A = {X, H, D, A}, got {arrays[name].shape}")


def _checked(answer, memory):
    """Hold what `attend` returned to its contract; its mistakes should be named here, not ten lines further on."""
    if not isinstance(answer, tuple | list) or len(answer) != 2:
        got = f"{len(answer)} results" if isinstance(answer, tuple | list) else type(answer).__name__
        raise ValueError(f"attend: expected a tuple (context, weights), got {got}")
    sizes = dict(zip("BSE", memory.shape, strict=True))
    for what, array, axes in zip(("context", "weights"), answer, ("B E", "B S"), strict=True):
        expect(sizes, **{f"{what} from attend": (array, axes)})
        if not np.isfinite(array).all():
            raise ValueError(f"{what} from attend: contains nan or inf")
    return answer
