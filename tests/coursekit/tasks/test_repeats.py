"""Texts that repeat: what can be known of them is known, and nothing else."""

import numpy as np
import pytest

from coursekit.tasks import repeats
from coursekit.tasks.tokens import START

IDS, KNOWN = repeats.texts(np.random.default_rng(0), 300)


def followed_before(row, i):
    """What followed the letter before position i where it last stood, or None."""
    earlier = np.flatnonzero(row[1:i - 1] == row[i - 1])
    return row[earlier[-1] + 2] if len(earlier) else None


def test_what_can_be_known_is_what_followed_last_time():
    assert all(followed_before(IDS[b], i) == IDS[b, i] for b, i in np.argwhere(KNOWN))


def test_a_text_begins_with_start_and_then_has_letters():
    assert (IDS[:, 0] == START).all() and (IDS[:, 1:] >= repeats.TOKENS.first).all()
    assert IDS.shape == KNOWN.shape == (300, 1 + repeats.T) and IDS.max() < len(repeats.TOKENS)


def test_periods_and_prefixes_are_drawn_and_may_be_fixed():
    assert {4 + 0 + 1 + 1, 23 + 11 + 1 + 1} >= {KNOWN.argmax(axis=1).min(), KNOWN.argmax(axis=1).max()}
    fixed, known = repeats.texts(np.random.default_rng(1), 20, period=(12, 13), prefix=(0, 1))
    assert (fixed[:, 13:] == fixed[:, 1:-12]).all() and (known.argmax(axis=1) == 14).all()


@pytest.mark.parametrize("n", [1, 7])
def test_no_letter_stands_twice_in_a_round(n):
    ids, _ = repeats.texts(np.random.default_rng(n), n, period=(23, 24), prefix=(0, 1))
    assert all(len({*row[1:24].tolist()}) == 23 for row in ids)
