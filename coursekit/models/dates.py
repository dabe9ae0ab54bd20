"""A trained translator of dates that lacks one part: attention, which the caller supplies as `attend`.

The model is the encoder and decoder of Bahdanau, Cho & Bengio (2015) in small: `coursekit.models.recurrent` says how.

Simpler than the paper: characters stand for words; the GRU is the variant in `coursekit.layers.recurrent`; the readout
is one linear layer of s_i alone, where the paper's is a maxout layer that also sees y_{i-1} and c_i; the likeliest
character is taken at each step, where the paper searches with a beam; the length is fixed at ten, so there is no end
symbol; and `attend` multiplies memory by U at every step, where the paper does so once for each sentence.

B batch, S source positions, T target positions, X embedding width, H encoder state, E = 2H, D decoder state,
A attention width, V characters that can be written.
"""

import numpy as np

from coursekit.models.recurrent import LookingFirst, additive_shapes, translator_shapes
from coursekit.tasks.dates import SOURCE, TARGET

LENGTH = 10  # characters of an ISO date


def parameter_shapes(X, H, D, A):
    """The name and shape of every parameter of the model."""
    return translator_shapes(SOURCE, TARGET, X, H, D, X + 2 * H, additive_shapes(H, D, A))


class DateTranslator(LookingFirst):
    """Reads dates as people write them and writes them in ISO 8601, looking where `attend` tells it to.

        translator = DateTranslator(coursekit.load("date_translator"))
        written, weights = translator.translate(["3rd of May 2009"], additive_attention)

    W (D, A), U (E, A) and v (A,) are the trained parameters of its attention.
    Raises ValueError when an array is missing or has the wrong shape.
    """

    source, target, longest = SOURCE, TARGET, LENGTH

    @staticmethod
    def shapes(arrays, X, H, D):
        return parameter_shapes(X, H, D, np.size(arrays.get("attention.v", ())))
