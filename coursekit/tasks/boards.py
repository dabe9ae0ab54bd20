"""Boards of 3 × 3 cells with two handwritten digits side by side or one above the other, and what there is to say.

    seven above three          one digit a word; which is named first is the one that comes first in reading order
    two left-of two

Simpler than captions of photographs: each board has one right caption, and a word either names a cell or says how two
of them lie.

B boards of H = W = 24 pixels, T = 3 words.
"""

from typing import NamedTuple

import numpy as np

from coursekit.tasks import digits
from coursekit.tasks.tokens import Tokens

CELLS, SIDE = 3, 3 * digits.SIDE  # cells along each side, and pixels
NAMES = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
TOKENS = Tokens([*NAMES, "left-of", "above"], " ")


class Boards(NamedTuple):
    """What is seen and what is to be said of it."""

    images: np.ndarray  # (B, 24, 24), from 0, paper, to 1, ink
    captions: list  # B texts of three words
    boxes: np.ndarray  # (B, 2, 4)  top, left, bottom, right of the two digits, in pixels, in the order of their names


def boards(rng, n, some):
    """Draw n boards with digits of these numbers, as `digits.split` has them. Returns Boards."""
    images, labels = digits.images()
    cells, drawn = _pairs_in_line(rng, n), rng.choice(some, size=(n, 2))           # (n, 2) both
    corners = np.stack(np.divmod(cells, CELLS), axis=-1) * digits.SIDE             # (n, 2, 2) top and left
    seen = np.zeros((n, SIDE, SIDE), np.float32)
    for i, (places, pair) in enumerate(zip(corners, drawn, strict=True)):
        for (top, left), image in zip(places, images[pair], strict=True):
            seen[i, top:top + digits.SIDE, left:left + digits.SIDE] = image
    is_row = corners[:, 0, 0] == corners[:, 1, 0]
    captions = [f"{NAMES[a]} {'left-of' if row else 'above'} {NAMES[b]}"
                for (a, b), row in zip(labels[drawn], is_row, strict=True)]
    return Boards(seen, captions, np.concatenate([corners, corners + digits.SIDE], axis=-1))


def _pairs_in_line(rng, n):
    """n pairs of cells that share a row or a column, (n, 2), the smaller number first."""
    pairs = [(a, b) for a in range(CELLS**2) for b in range(a + 1, CELLS**2)
             if a // CELLS == b // CELLS or a % CELLS == b % CELLS]
    return np.array(pairs)[rng.integers(len(pairs), size=n)]
