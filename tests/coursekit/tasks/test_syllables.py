"""Syllables that are spoken: where each sounds, and that vowels differ by their formants."""

import numpy as np
import pytest

from coursekit.tasks import syllables


def test_an_utterance_is_loud_where_its_spans_say_and_nearly_silent_elsewhere():
    said = syllables.utterance(np.random.default_rng(1), "ma so i")
    inside = np.zeros(len(said.signal), bool)
    for begin, end in said.spans:
        inside[begin:end] = True
    assert len(said.spans) == 3 and said.signal[~inside].std() < 0.02 < 0.2 < said.signal[inside].std()


def test_the_same_random_numbers_say_the_same():
    one, other = (syllables.utterance(np.random.default_rng(5)) for _ in range(2))
    assert one.text == other.text and np.array_equal(one.signal, other.signal)
    assert 2 <= len(one.text.split()) <= 5


@pytest.mark.parametrize("vowel", syllables.FORMANTS)
def test_a_vowel_is_loudest_near_one_of_its_first_two_formants(vowel):
    sound = syllables.spoken(np.random.default_rng(2), vowel)
    power = np.abs(np.fft.rfft(sound)) ** 2
    loudest = power.argmax() * syllables.RATE / len(sound)
    off = min(abs(loudest / formant - 1) for formant in syllables.FORMANTS[vowel][:2])
    assert off < 0.3  # the voice moves formants, and between two harmonics there is no sound


def test_a_syllable_that_is_not_known_is_named():
    with pytest.raises(ValueError, match="unknown word 'ka'"):
        syllables.utterance(np.random.default_rng(1), "ma ka")
