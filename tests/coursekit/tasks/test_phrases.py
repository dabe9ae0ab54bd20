"""The toy translation task: its grammar, its lengths, and what we promise to know of it."""

import numpy as np
import pytest

from coursekit.tasks.phrases import (
    AFTER,
    ENGLISH,
    FEMININE,
    FRENCH,
    MASCULINE,
    Phrase,
    Sentence,
    agreement_distance,
    english,
    french,
    other_form,
    phrase_pairs,
    sentences,
    word_alignment,
)
from coursekit.tasks.tokens import BLANK

CAT, DOOR = Phrase(None, "the", "small", "black", "cat"), Phrase("behind", "one", None, "green", "door")
SENTENCE = Sentence((CAT, DOOR), "found")


def test_a_sentence_and_its_french():
    assert english(SENTENCE) == "the small black cat behind one green door had been found ."
    assert french(SENTENCE) == "le petit chat noir derrière une porte verte avait été trouvé ."


def test_the_participle_agrees_with_the_first_noun_and_not_with_the_nearest():
    turned = Sentence((DOOR._replace(preposition=None), CAT._replace(preposition="for")), "found")
    assert french(turned) == "une porte verte pour le petit chat noir avait été trouvée ."
    assert (other_form(turned), other_form(SENTENCE)) == ("trouvé", "trouvée")


def test_the_alignment_names_the_english_word_of_each_french_one():
    assert word_alignment(SENTENCE).tolist() == [0, 1, 3, 2, 4, 5, 7, 6, 8, 9, 10, 11]


@pytest.mark.parametrize("length", range(5, 41))
def test_every_length_is_possible_and_kept_on_both_sides(length):
    for sentence in sentences(np.random.default_rng(length), 20, (length, length)):
        assert [len(text.split()) for text in (english(sentence), french(sentence))] == [length + 1, length + 1]
        assert sorted(word_alignment(sentence)) == list(range(length + 1))


def test_lengths_are_drawn_evenly_between_the_two_given():
    lengths = [len(english(each).split()) - 1 for each in sentences(np.random.default_rng(0), 4000, (6, 9))]
    counts = np.bincount(lengths, minlength=10)
    assert counts[:6].sum() == 0 and (abs(counts[6:] - 1000) < 120).all()


def test_the_distance_of_the_participle_counts_the_words_from_its_noun():
    words = french(SENTENCE).split()
    assert agreement_distance(SENTENCE) == words.index("trouvé") - words.index("chat") == 8


def test_the_same_seed_gives_the_same_sentences():
    first, second = (phrase_pairs(np.random.default_rng(7), 9, (5, 12)) for _ in range(2))
    assert first == second and len(set(first[0])) > 5


def test_no_french_noun_or_adjective_begins_with_a_vowel_which_would_change_its_determiner():
    adjectives = [form for pair in AFTER.values() for form in pair]
    nouns = [*MASCULINE.values(), *FEMININE.values(), *adjectives]
    assert not [word for word in nouns if word[0] in "aeéiouyh"]


def test_a_text_survives_the_way_to_ids_and_back():
    texts = phrase_pairs(np.random.default_rng(0), 5, (5, 14))
    for vocabulary, side in zip((ENGLISH, FRENCH), texts, strict=True):
        ids, mask = vocabulary.encode(side)
        assert vocabulary.decode(ids) == side
        np.testing.assert_array_equal(mask, ids != BLANK)


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: sentences(np.random.default_rng(0), 3, (4, 9)), r"5 <= shortest <= longest, got n = 3 .* \(4, 9\)"),
        (lambda: sentences(np.random.default_rng(0), 3, (9, 6)), r"shortest <= longest, got n = 3 and .* \(9, 6\)"),
        (lambda: sentences(np.random.default_rng(0), 0), "expected n >= 1"),
    ],
)
def test_what_does_not_fit_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
