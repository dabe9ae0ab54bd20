"""Letters without any sense that come again in the same order: what comes next stands in the text, and nowhere else.

    x q   f m a t k   f m a t k   f m a t k   f m        a prefix, then a round of letters, again and again

The prefix and the number of letters of a round are drawn anew for each text, so neither which letter stands there nor
at which position helps: whoever names the next one must have seen what followed last time.

T letters, START before them.
"""

from string import ascii_lowercase

import numpy as np

from coursekit.tasks.tokens import START, Tokens

TOKENS = Tokens(ascii_lowercase)
T = 47  # letters of a text
PREFIX, PERIOD = (0, 12), (4, 24)  # at least, and less than: letters before the first round, and of a round


def texts(rng, n, period=PERIOD, prefix=PREFIX):
    """Draw n texts: ids (n, 1 + T), and which of them can be known from those before, (n, 1 + T).

    Known is a letter that follows one which has stood before: from the second letter of the second round on.
    """
    length, before = rng.integers(*period, size=(n, 1)), rng.integers(*prefix, size=(n, 1))
    letters = TOKENS.first + rng.permuted(np.tile(np.arange(len(TOKENS.symbols)), (n, 1)), axis=1)
    place = np.arange(T) - before                                                  # (n, T), from 0 in the first round
    ids = np.take_along_axis(letters, place % length, axis=1)
    ids = np.where(place < 0, rng.integers(TOKENS.first, len(TOKENS), size=ids.shape), ids)
    start = np.full((n, 1), START)
    return np.concatenate([start, ids], axis=1), np.concatenate([start < 0, place > length], axis=1)
