"""Tokens: a text survives the way to ids and back, and what cannot be read is named."""

import numpy as np
import pytest

from coursekit.tasks.tokens import BLANK, END, PAD, START, Tokens, Vocabulary, told_before

BOTH = pytest.mark.parametrize("kind", [Tokens, Vocabulary])


def test_characters_come_back_up_to_the_end():
    tokens = Tokens("cab")
    ids = tokens.encode(["abba", "c"])
    np.testing.assert_array_equal(ids, [[3, 4, 4, 3], [5, 0, 0, 0]])
    assert tokens.decode(np.array([[3, 4, END, 5], [START, 5, PAD, 3]])) == ["ab", "ca"] and len(tokens) == 6


@BOTH
def test_words_come_back(kind):
    tokens, texts = kind(["the", "pear", "."], " "), ["the pear .", "pear"]
    ids = np.array([[tokens.id(word) for word in texts[0].split()], [tokens.id("pear"), PAD, PAD]])
    assert tokens.decode(ids) == texts and tokens.names(ids[1]) == ["pear"]


def test_a_vocabulary_has_ids_from_1_and_a_mask_that_is_true_where_a_token_stands():
    ids, mask = Vocabulary("ba").encode(["abb", "a"])
    np.testing.assert_array_equal(ids, [[1, 2, 2], [1, BLANK, BLANK]])
    assert mask.dtype == bool and mask.tolist() == [[True, True, True], [True, False, False]]


def test_a_stop_ends_a_text_and_belongs_to_it():
    words = Vocabulary(["chat", "."], " ", stop=".")
    assert words.decode([[2, 1, 2], [2, BLANK, 2]]) == ["chat .", "chat chat"]


def test_no_ids_are_no_text():
    assert Tokens("ab").decode([[]]) == [""]


def test_the_token_before_the_first_is_blank():
    np.testing.assert_array_equal(told_before(np.array([[4, 5, 6], [7, 8, BLANK]])), [[BLANK, 4, 5], [BLANK, 7, 8]])


@BOTH
@pytest.mark.parametrize(("texts", "message"), [
    ("ab", "expected a list of texts, none of them empty, got 'ab'"),
    ([], r"expected a list of texts, none of them empty, got \[\]"),
    (["", "a"], r"none of them empty, got \['', 'a'\]"),
    (["az"], "'az': unknown character 'z', expected some of abc"),
])
def test_a_text_that_cannot_be_read_is_named(kind, texts, message):
    with pytest.raises(ValueError, match=message):
        kind("abc").encode(texts)


@pytest.mark.parametrize(("texts", "message"), [
    (["the cat", " "], "none of them empty"),
    (["the unicorn"], "'the unicorn': unknown word 'unicorn', expected some of cat, the"),
])
def test_so_is_a_word(texts, message):
    with pytest.raises(ValueError, match=message):
        Vocabulary(["the", "cat"], " ").encode(texts)


@BOTH
@pytest.mark.parametrize(("ids", "message"), [
    ([[1, 9]], r"ids: expected 0 to \d, got 1 to 9"),
    ([[-1, 2]], r"ids: expected 0 to \d, got -1 to 2"),
    ([1, 2], r"ids: expected integers of shape \(B, T\), got int64 of shape \(2,\)"),
    ([[1.0]], r"got float64 of shape \(1, 1\)"),
])
def test_ids_that_have_no_token_are_named(kind, ids, message):
    with pytest.raises(ValueError, match=message):
        kind("ab").decode(ids)
