"""What the course carries of others' weights is what the pinned packages hold."""

import numpy as np
import pytest

from tests import needs
from tools import weights


def arrays(path):
    with np.load(path, allow_pickle=False) as archive:
        return dict(archive)


@pytest.mark.parametrize("folder", [weights.LAB, weights.CHAPTERS], ids=["lab", "chapters"])
def test_the_decoder_is_glassllms_to_the_last_bit(folder):
    np.testing.assert_equal(arrays(folder / "alice.npz"), weights.alice())


def test_the_decoder_has_852_608_numbers_and_carries_its_licence():
    alice = weights.alice()
    assert sum(array.size for array in alice.values() if array.dtype == np.float16) == 852_608
    assert "Permission is hereby granted, free of charge" in str(alice["about.licence"])


@needs.minilm
def test_the_sentences_are_what_minilm_says_of_them():
    kept, made = arrays(weights.LAB / "sentences.npz"), weights.sentences()
    np.testing.assert_allclose(kept.pop("hidden"), made.pop("hidden"), rtol=0, atol=2e-3)
    np.testing.assert_equal(kept, made)
