"""Boards say what is on them."""

import numpy as np
import pytest

from coursekit.tasks import boards, digits

IMAGES, LABELS = digits.images()
LEARNED, TESTED = digits.split()


@pytest.fixture
def drawn():
    return boards.boards(np.random.default_rng(1), 50, TESTED)


def test_there_are_1797_digits_from_0_to_1_and_their_split_is_the_same_each_time():
    assert IMAGES.shape == (1797, 8, 8) and (IMAGES.min(), IMAGES.max()) == (0, 1)
    assert np.bincount(LABELS).min() > 170 and not set(LEARNED) & set(TESTED)
    assert len(LEARNED) == 1347 and len(TESTED) == 450


def test_a_caption_names_what_stands_in_its_boxes_in_reading_order(drawn):
    for image, caption, boxes in zip(*drawn, strict=True):
        first, relation, second = caption.split()
        for name, (top, left, bottom, right) in zip((first, second), boxes, strict=True):
            here = (image[top:bottom, left:right] == IMAGES).all(axis=(1, 2))
            assert boards.NAMES.index(name) in LABELS[here]
        assert (relation == "left-of") == (boxes[0, 0] == boxes[1, 0]) and tuple(boxes[0]) < tuple(boxes[1])


def test_nothing_stands_outside_of_the_two_boxes(drawn):
    for image, _, boxes in zip(*drawn, strict=True):
        rest = image.copy()
        for top, left, bottom, right in boxes:
            rest[top:bottom, left:right] = 0
        assert not rest.any()


def test_only_the_digits_that_are_given_are_drawn():
    only = boards.boards(np.random.default_rng(2), 20, [7])
    assert len(set(only.captions)) == 2 and only.captions[0].split()[0] == boards.NAMES[LABELS[7]]
