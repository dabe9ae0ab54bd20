"""What the trainers of vectors draw, and that both learn a little at once."""

import numpy as np
import pytest

from coursekit.tasks import digits, syllables
from coursekit.trainers import describer
from coursekit.trainers.describer import DescriberTrainer
from coursekit.trainers.vit import ViTTrainer
from solutions.lab13_language_model.reference import next_token_loss
from solutions.lab15_images_and_sound.reference import attention_pool, patchify


def hear(signal):
    """Loudness alone, in every filter the same."""
    n = 1 + (len(signal) - describer.WINDOW) // describer.HOP
    return np.repeat([[np.log(np.square(signal[i * describer.HOP:][:describer.WINDOW]).sum())] for i in range(n)],
                     describer.MELS, axis=1)


def test_the_slices_of_a_syllable_are_those_that_reach_into_it():
    said = syllables.utterance(np.random.default_rng(1))
    slices, text, boxes = describer.heard(said, hear)
    assert slices.shape[1] == 64 and text == said.text
    for (begin, end), (first, stop) in zip(said.spans, boxes, strict=True):
        reaches = [320 * i < end and begin < 320 * i + 416 for i in range(len(slices))]
        assert np.flatnonzero(reaches)[[0, -1]].tolist() == [first, stop - 1]


def test_a_board_has_36_patches_of_which_the_boxes_are_2_by_2():
    seen = describer.captions(patchify).unseen(np.random.default_rng(1), 3)
    assert seen.vectors.shape == (3, 36, 16) and seen.mask.all()
    assert all((box[:, 2:] - box[:, :2] == 2).all() for box in seen.boxes)


def test_a_describer_learns_that_boards_have_three_words():
    trainer = DescriberTrainer(0, describer.captions(patchify), next_token_loss, 40, d_model=16, d_ff=16)
    trainer.train(40)
    assert np.mean(trainer.losses[-5:]) < trainer.losses[0] - 0.7


@pytest.mark.parametrize("pool", [None, attention_pool])
def test_a_vit_learns_in_five_epochs_what_chance_does_not_know(pool):
    images, labels = digits.images()
    trainer = ViTTrainer(0, patchify(images, 2), labels, pool, d_model=16, d_ff=16, layers=1, epochs=9)
    trainer.train(5)
    assert trainer.accuracy() > 0.4 and len(trainer.losses) == 105
