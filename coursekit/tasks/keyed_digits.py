"""Keyed digits: a task in which all depends on where one looks.

    read      c7  x1  a4  p7  ...        12 to 24 keys, none twice, each with a digit beside it
    asked     a
    answer    4

Simpler than language or images: keys and digits are one-hot vectors, not embeddings.

B sequences, S positions (24), D keys that can be asked for (24), E = D + V numbers at each position, V digits (10).
"""

from typing import NamedTuple

import numpy as np

KEYS = "abcdefghijklmnopqrstuvwx"
DIGITS = "0123456789"
SHORTEST, LONGEST = 12, len(KEYS)
D, V = len(KEYS), len(DIGITS)


class Batch(NamedTuple):
    """Sequences of keyed digits, and a question to each."""

    state: np.ndarray  # (B, D)  the key asked for, one-hot
    memory: np.ndarray  # (B, S, E)  key and digit at each position, one-hot both; zeros in the padding
    mask: np.ndarray  # (B, S)  True where something stands
    place: np.ndarray  # (B,)  where the key asked for stands
    answer: np.ndarray  # (B, V)  the digit beside it, one-hot


def keyed_digits(rng, n, shortest=SHORTEST, longest=LONGEST):
    """Draw `n` sequences of `shortest` to `longest` keyed digits, padded to `longest`. Returns a Batch, in float32.

    Raises ValueError for lengths that leave nothing to ask for, or that need more keys than there are.
    """
    if not 1 <= shortest <= longest <= D:
        raise ValueError(f"lengths: expected 1 <= shortest <= longest <= {D}, got {shortest} and {longest}")
    lengths = rng.integers(shortest, longest + 1, size=n)
    mask = np.arange(longest) < lengths[:, None]                               # (B, S)
    keys = rng.random((n, D)).argsort(axis=1)[:, :longest]                     # (B, S), none twice in a row
    digits = rng.integers(V, size=(n, longest))                                # (B, S)
    place, rows = rng.integers(lengths), np.arange(n)                          # (B,) both
    memory = np.concatenate([one_hot(keys, D), one_hot(digits, V)], axis=-1)   # (B, S, E)
    state, answer = one_hot(keys[rows, place], D), one_hot(digits[rows, place], V)
    return Batch(state, memory * mask[..., None], mask, place, answer)


def one_hot(ids, size):
    """Ids (...) below `size` as rows (..., size) that are 1 at the id and 0 elsewhere, in float32."""
    return np.eye(size, dtype=np.float32)[ids]


def spell(batch, row):
    """Sequence `row` as people would write it: a list such as ["c7", "x1", "a4"], and the key asked for, "a"."""
    items = batch.memory[row, batch.mask[row]]                                 # (S, E), without the padding
    keys, digits = items[:, :D].argmax(axis=1), items[:, D:].argmax(axis=1)
    return [KEYS[k] + DIGITS[d] for k, d in zip(keys, digits, strict=True)], KEYS[batch.state[row].argmax()]


def questions(batch, row):
    """Sequence `row` once for each of its keys, which is what is asked for: a Batch of as many sequences."""
    memory = batch.memory[row, batch.mask[row]]                                # (n, E), without the padding
    n = len(memory)
    every = np.broadcast_to(memory, (n, *memory.shape))
    return Batch(memory[:, :D], every, np.ones((n, n), bool), np.arange(n), memory[:, D:])
