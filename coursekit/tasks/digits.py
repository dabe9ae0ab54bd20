"""Handwritten digits of 8×8 pixels, from the artifact of this name: 1,797 of them, by thirteen hands.

They are the test set of E. Alpaydin and C. Kaynak's "Optical recognition of handwritten digits" (UCI Machine Learning
Repository, 1998), as scikit-learn 1.9.1 carries it (BSD licence). A pixel counts the ink in a block of 4×4 points.

Which digits are held out is drawn once for all. The same thirteen people wrote those and the others, so what is
measured here says nothing about a fourteenth.
"""

from functools import cache

import numpy as np

from coursekit.artifacts import load

SIDE, CLASSES, TESTED = 8, 10, 450  # pixels; digits; images that are held out


@cache
def images():
    """Returns images (1797, 8, 8), from 0, paper, to 1, ink, and the digit that each is, (1797,); both read-only."""
    arrays = load("digits")
    seen, digit = arrays["pixels"].astype(np.float32) / 16, arrays["digit"].astype(int)
    seen.flags.writeable = digit.flags.writeable = False
    return seen, digit


def split():
    """The numbers of the images to learn from (1347,), and of those that are held out (450,)."""
    order = np.random.default_rng(0).permutation(len(load("digits")["digit"]))
    return order[TESTED:], order[:TESTED]
