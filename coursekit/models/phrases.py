"""A translator of `coursekit.tasks.phrases`, which reads with two GRUs and writes with a third, word by word.

It is the model of `coursekit.models.dates` with words for characters, and it writes until it has written a full stop.

With `one_vector` as `attend`, c_i is the same at every step: the two states that have each read the whole sentence. All
that the decoder ever learns of the source is then in these 2H numbers, as in Cho et al. (2014) and in the RNNencdec of
Bahdanau, Cho & Bengio (2015). With attention it is the model of the latter. Nothing else changes between the two.

Simpler than the papers: see `coursekit.models.dates`, whose simplifications hold here too. Unlike their RNNencdec,
whose encoder reads from left to right only, the encoder here reads both ways in either case.

B batch, S source positions, T target positions, X embedding width, H encoder state, E = 2H, D decoder state,
A attention width, V words that can be written.
"""

import numpy as np

from coursekit.models.recurrent import LookingFirst, additive_shapes, translator_shapes
from coursekit.shapes import expect
from coursekit.tasks.phrases import ENGLISH, FRENCH


def parameter_shapes(X, H, D, A=0):
    """The name and shape of every parameter of the model; without attention for A = 0."""
    return translator_shapes(ENGLISH, FRENCH, X, H, D, X + 2 * H, additive_shapes(H, D, A) if A else {})


def one_vector(state, memory, mask, W=None, U=None, v=None):
    """The same context for every word, (B, E): the forward state after the last word and the backward state after the
    first. Nothing is weighed, so the weights (B, S) are zeros. Called like attention, it ignores the `state`."""
    expect(state=(state, "B D"), memory=(memory, "B S E"), mask=(mask, "B S"))
    H = memory.shape[-1] // 2
    return np.concatenate([memory[:, -1, :H], memory[:, 0, H:]], axis=-1), np.zeros(mask.shape, memory.dtype)


class PhraseTranslator(LookingFirst):
    """Reads the English of `coursekit.tasks.phrases` and writes its French.

        translator = PhraseTranslator(coursekit.load("phrase_one_vector"))
        written, _ = translator.translate(["the small black cat had been found ."])

    arrays holds the parameters by name; W, U, v are those of its attention, None where it has none.
    Raises ValueError when an array is missing or has the wrong shape.
    """

    source, target = ENGLISH, FRENCH

    @staticmethod
    def shapes(arrays, X, H, D):
        return parameter_shapes(X, H, D, np.size(arrays.get("attention.v", ())))

    def translate(self, texts, attend=one_vector, limit=None):
        return super().translate(texts, attend, limit)

    def write(self, memory, mask, attend=one_vector, limit=None):
        return super().write(memory, mask, attend, limit)
