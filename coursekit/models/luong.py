"""A translator of `coursekit.tasks.phrases` in the order of Luong, Pham & Manning (2015): state first, then the look.

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

from coursekit.layers.recurrent import gru_step
from coursekit.models.recurrent import Translator, translator_shapes
from coursekit.parts import returned
from coursekit.tasks.phrases import ENGLISH, FRENCH


def parameter_shapes(X, H, D, attention, feeding=False):
    """The name and shape of every parameter; `attention` holds those of the caller's part, {name: shape}."""
    return translator_shapes(ENGLISH, FRENCH, X, H, D, X + D if feeding else X, attention)


class LuongTranslator(Translator):
    """Reads the English of `coursekit.tasks.phrases` and writes its French, looking where `look` tells it to.

        translator = LuongTranslator(coursekit.load("luong_translator"))
        written, weights = translator.translate(["the small black cat had been found ."], look)

    arrays holds the parameters by name, `p` those of its attention. Raises ValueError when an array is missing or has
    the wrong shape.
    """

    source, target = ENGLISH, FRENCH

    @staticmethod
    def shapes(arrays, X, H, D):
        return parameter_shapes(X, H, D, {}, feeding=len(arrays.get("decoder.W", ())) == X + D)

    def __init__(self, arrays):
        super().__init__(arrays)
        given = parameter_shapes(1, 1, 1, {})
        self.p = {name: array for name, array in arrays.items() if name not in given and "about." not in name}
        self.feeds = len(self.decoder.W) > self.target_embedding.shape[1]

    def start(self, memory):
        """The state before the first word, s_0 (B, D), and the attentional state before it, zeros (B, D)."""
        state = super().start(memory)
        return state, np.zeros_like(state)

    def turn(self, now, previous, memory, mask, look):
        """look(state (B, D), memory (B, S, E), mask (B, S), p) -> attentional state (B, D), weights (B, S)."""
        state = self.step(now[0], previous, now[1])
        told, weights = self.looked(look, state, memory, mask)
        return (state, told), self.logits(told), weights

    def looked(self, look, state, memory, mask):
        """Ask `look`, and hold what it returns to its contract."""
        sizes = dict(zip("BSED", (*memory.shape, state.shape[1]), strict=True))
        axes = {"attentional state": "B D", "weights": "B S"}
        return returned("look", look(state, memory, mask, self.p), sizes, finite=True, **axes)

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
