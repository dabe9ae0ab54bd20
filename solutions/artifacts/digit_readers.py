"""Train small Vision Transformers to read digits, from five seeds, for what chapter 15 says of them.

Three kinds: with a class token, with a learned query that pools, and with a class token on patches that were shuffled,
image by image, which is what a model without positions could know. Of the second it is asked which patches it misses.
"""

import numpy as np

from coursekit.tasks import digits
from coursekit.trainers.vit import ViTTrainer
from solutions.lab15_images_and_sound.reference import attention_pool, patchify

SEEDS, EPOCHS, PATCH, HIDDEN = (0, 1, 2, 3, 4), 30, 2, 4  # hidden: so many patches of 16


def make():
    """What `coursekit.load("digit_readers")` returns, of each of SEEDS, as shares of the held-out digits:

        about.class, about.query, about.shuffled  that are read rightly (seeds,)
        about.hidden  that the model with a query reads without four of their patches: those of the most weight, those
                      of the least, any four (seeds, 3); and
        about.ink     how much ink is in these (seeds, 3), from 0 to 1
    """
    patches, labels = patches_and_labels()
    orders = np.random.default_rng(0).permuted(np.tile(np.arange(patches.shape[1]), (len(patches), 1)), axis=1)
    shuffled = np.take_along_axis(patches, orders[..., None], axis=1)
    read = [[trained(seed, *kind).accuracy() for kind in [(patches, labels), (shuffled, labels)]] for seed in SEEDS]
    pools = [trained(seed, patches, labels, attention_pool) for seed in SEEDS]
    hidden, ink = zip(*(without_patches(each) for each in pools), strict=True)
    return {
        "about.seeds": np.array(SEEDS),
        "about.epochs": np.array(EPOCHS),
        "about.class": np.array(read)[:, 0],
        "about.shuffled": np.array(read)[:, 1],
        "about.query": np.array([each.accuracy() for each in pools]),
        "about.hidden": np.array(hidden),
        "about.ink": np.array(ink),
    }


def patches_and_labels():
    """All digits, cut into patches (1797, 16, 4), and what they are (1797,)."""
    images, labels = digits.images()
    return patchify(images, PATCH), labels


def trained(seed, patches, labels, pool=None):
    """A trainer that has gone EPOCHS times through the digits; with a pool it has a query for a class token."""
    trainer = ViTTrainer(seed, patches, labels, pool)
    trainer.train(EPOCHS)
    return trainer


def without_patches(trainer):
    """How well a model with a query reads digits in which the mean patch stands for four of theirs, and the ink that
    these have: those of the most weight, of the least, and any. (3,) both."""
    whole, held, rng = trainer.patches, trainer.tested, np.random.default_rng(1)
    trainer.read(held)
    by_weight = np.argsort(-trainer.model.looks, axis=1, kind="stable")            # (450, 16)
    mean, ink = whole[trainer.learned].mean(axis=0), patches_and_labels()[0].mean(axis=-1)
    found = []
    for which in (by_weight[:, :HIDDEN], by_weight[:, -HIDDEN:], rng.permuted(by_weight, axis=1)[:, :HIDDEN]):
        trainer.patches = whole.copy()
        trainer.patches[held[:, None], which] = mean[which]
        found.append((trainer.accuracy(), ink[held[:, None], which].mean()))
    trainer.patches = whole
    return tuple(zip(*found, strict=True))
