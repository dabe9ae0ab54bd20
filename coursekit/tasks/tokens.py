"""Texts as arrays of ids and back. A token is a character or a word, as a task has it.

B texts, S or T tokens in the longest of them.
"""

from typing import NamedTuple

import numpy as np

PAD, START, END = 0, 1, 2  # the ids of no token, of what stands before the first, and of what ends a text
BLANK = PAD  # to a decoder that knows no START: what it has "written" before it starts


class Batch(NamedTuple):
    """Pairs of texts as a recurrent translator takes them; a mask is True where a token stands."""

    source: np.ndarray  # (B, S) ids
    mask: np.ndarray  # (B, S)
    target: np.ndarray  # (B, T) ids
    target_mask: np.ndarray  # (B, T)


class Tokens:
    """All tokens of a task, with ids from `first` up; `between` is what stands between two of them.

        Tokens("0123456789-")                   characters
        Tokens(["the", "le", "."], " ")         words

    len() counts the ids, those below `first` included: the number of rows of an embedding.
    """

    first, stop = END + 1, END

    def __init__(self, symbols, between=""):
        self.symbols, self.between = sorted(set(symbols)), between
        self._ids = {symbol: i for i, symbol in enumerate(self.symbols, start=self.first)}

    def __len__(self):
        return len(self.symbols) + self.first

    def id(self, symbol, text=""):
        """The id of a token, which stands in this text. Raises ValueError for an unknown one."""
        if symbol not in self._ids:
            kind, known = ("word", ", ") if self.between else ("character", "")
            where = f"{text!r}: " if text else ""
            raise ValueError(f"{where}unknown {kind} {symbol!r}, expected some of {known.join(self.symbols)}")
        return self._ids[symbol]

    def split(self, text):
        """The tokens of a text."""
        return text.split() if self.between else list(text)

    def encode(self, texts):
        """Turn B texts into ids (B, S), S the longest, padded at the right with PAD.

        Raises ValueError for an empty text or an unknown token.
        """
        if isinstance(texts, str) or len(texts) == 0 or not all(map(self.split, texts)):
            raise ValueError(f"texts: expected a list of texts, none of them empty, got {texts!r}")
        rows = [[self.id(symbol, text) for symbol in self.split(text)] for text in texts]
        ids = np.full((len(rows), max(map(len, rows))), PAD)               # (B, S)
        for row, line in zip(ids, rows, strict=True):
            row[: len(line)] = line
        return ids

    def decode(self, ids):
        """Turn ids (B, T) into B texts, each up to its first stop. An id below `first` becomes nothing.

        Raises ValueError for an id that has no token.
        """
        ids = np.asarray(ids)
        if ids.ndim != 2 or (ids.size and ids.dtype.kind not in "iu"):
            raise ValueError(f"ids: expected integers of shape (B, T), got {ids.dtype} of shape {ids.shape}")
        if ids.size and not 0 <= ids.min() <= ids.max() < len(self):
            raise ValueError(f"ids: expected 0 to {len(self) - 1}, got {ids.min()} to {ids.max()}")
        return [self.between.join(self.names(self._up_to_the_stop(row))) for row in ids]

    def names(self, ids):
        """The tokens of a row of ids (T,), without PAD, START and END."""
        return [self.symbols[i - self.first] for i in ids if i >= self.first]

    def _up_to_the_stop(self, row):
        stops = np.flatnonzero(row == self.stop)
        return row[: stops[0] + 1] if len(stops) else row


class Vocabulary(Tokens):
    """The tokens of one side of a recurrent translator, which needs BLANK alone: ids from 1 up.

    `stop` is the token that ends every text and belongs to it, if there is one.
    """

    first = BLANK + 1

    def __init__(self, symbols, between="", stop=None):
        super().__init__(symbols, between)
        self.stop = -1 if stop is None else self.id(stop)
        self.characters = self.words = self.symbols  # what a task calls them

    def encode(self, texts):
        """Turn B texts into ids (B, S), padded at the right with BLANK, and a mask, True where a token stands."""
        ids = super().encode(texts)
        return ids, ids != BLANK


def told_before(target):
    """The right token before each of target (B, T): BLANK, and then the target without its last."""
    previous = np.roll(target, 1, axis=1)
    previous[:, 0] = BLANK
    return previous
