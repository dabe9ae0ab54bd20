"""BLEU, against an example that was worked by hand and the laws of the score."""

import numpy as np
import pytest

from coursekit.tasks.bleu import bleu


def test_a_perfect_translation_has_100():
    assert bleu(["a b c d e", "f g h i"], ["a b c d e", "f g h i"]) == pytest.approx(100)


def test_an_example_worked_by_hand():
    written, reference = "the cat sat on the mat", "the cat is on the mat"
    by_hand = (5 / 6 * 3 / 5 * 1 / 4 * 0) ** 0.25  # no run of four words is shared
    assert bleu([written], [reference]) == 100 * by_hand == 0
    longer, other = "a b c d e f g h", "a b c d e x g h"  # shared runs: 7 of 8, 5 of 7, 3 of 6, 2 of 5
    assert bleu([longer], [other]) == pytest.approx(100 * (7 / 8 * 5 / 7 * 3 / 6 * 2 / 5) ** 0.25)


def test_what_is_too_short_is_punished_and_what_is_too_long_loses_precision():
    reference = ["a b c d e f g h"]
    assert bleu(["a b c d e f"], reference) == pytest.approx(100 * np.exp(1 - 8 / 6))
    assert bleu(["a b c d e f g h x x"], reference) < 100


def test_a_repeated_word_counts_only_as_often_as_in_the_reference():
    assert bleu(["a a a a a b c d"], ["a b c d x y z w"]) < bleu(["a b c d x b c d"], ["a b c d x y z w"])


def test_the_order_of_the_texts_does_not_matter():
    pairs = [("a b c d e", "a b c d x"), ("f g h i", "f g h i"), ("k l m n o p", "k l m n o q")]
    assert bleu(*zip(*pairs, strict=True)) == pytest.approx(bleu(*zip(*pairs[::-1], strict=True)))


@pytest.mark.parametrize("written, references", [([], []), (["a"], ["a", "b"])], ids=repr)
def test_lists_that_do_not_fit_are_named(written, references):
    with pytest.raises(ValueError, match="expected as many texts as references, at least one, got"):
        bleu(written, references)
