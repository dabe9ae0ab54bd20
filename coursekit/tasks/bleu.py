"""BLEU: how much of what was written stands in the reference (Papineni et al. 2002).

    BLEU = 100 · min(1, exp(1 - R / C)) · (p_1 p_2 p_3 p_4)^(1/4)

p_n is the share of the runs of n words in what was written that also stand in their reference, each at most as often
as there; counts are summed over all texts before they are divided. C and R count the words of both sides, and the
first factor lowers the score of what is too short. Here words stand between blanks and there is one reference.
"""

from collections import Counter

import numpy as np

LONGEST = 4


def bleu(written, references):
    """The BLEU of a list of texts against as many references: 0 to 100.

    Raises ValueError where the two lists are of different lengths or empty.
    """
    if len(written) != len(references) or len(written) == 0:
        raise ValueError(f"expected as many texts as references, at least one, got {len(written)}, {len(references)}")
    pairs = [(text.split(), reference.split()) for text, reference in zip(written, references, strict=True)]
    found = np.array([sum(_matches(*pair, n) for pair in pairs) for n in range(1, LONGEST + 1)])
    tried = np.array([sum(max(len(text) - n + 1, 0) for text, _ in pairs) for n in range(1, LONGEST + 1)])
    if not found.all():
        return 0.0
    ratio = sum(len(reference) for _, reference in pairs) / sum(len(text) for text, _ in pairs)
    return float(100 * min(1, np.exp(1 - ratio)) * np.exp(np.mean(np.log(found / tried))))


def _matches(text, reference, n):
    """How many runs of n words the two share, each counted as often as it stands in both."""
    return (_runs(text, n) & _runs(reference, n)).total()


def _runs(words, n):
    return Counter(zip(*(words[start:] for start in range(n)), strict=False))
