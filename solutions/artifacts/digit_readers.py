"""Train small Vision Transformers to read digits, from five seeds, for what chapter 15 says of them.

Four kinds: with a class token, with a learned query that pools, with a class token and no positions, and with a class
token on rows that a reshape alone would make. Of the second it is asked which patches it misses: with four fills, since
none is neutral, and of pairs of patches that have about as much ink, so that it is not ink that is asked for.
"""

import numpy as np

from coursekit.tasks import digits
from coursekit.trainers.vit import ViTTrainer
from solutions.lab15_images_and_sound.reference import attention_pool, patchify

SEEDS, EPOCHS, PATCH, HIDDEN = (0, 1, 2, 3, 4), 30, 2, 4  # hidden: so many patches of 16
SIDE = digits.SIDE // PATCH  # patches along each side of a digit
FILLS = "place", "another", "white", "all"  # in the place of a hidden patch: see `fillings`


class Unordered(ViTTrainer):
    """A reader whose tokens have no positions: the table is 0 and stays so."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.parameters["encoder.positions"][:] = 0

    def loss(self, some):
        loss = super().loss(some)
        self.model.g["encoder.positions"][:] = 0
        return loss


def make():
    """What `coursekit.load("digit_readers")` returns, of each of SEEDS, as shares of the held-out digits:

        about.class, about.query, about.unordered, about.rows  that are read rightly (seeds,): with a class token, with
                      a query, without positions, from rows that a reshape alone makes
        about.misread that the model with a class token reads from such rows, after it learned from patches (seeds,)
        about.hidden  that the model with a query reads without four of their patches: those of the most weight, those
                      of the least, any four, and the heavier and the lighter of pairs (seeds, FILLS, 5);
        about.ink     how much ink is in these (seeds, 5), from 0 to 1, and
        about.weight  which share of the query's weight they have (seeds, 5);
        about.stayed  the mean cosine of its positions with those that it began with (seeds,), and
        about.beside  of the positions of patches side by side with each other (seeds,)
    """
    patches, labels = patches_and_labels()
    classes = [trained(seed, patches, labels) for seed in SEEDS]
    rows = [trained(seed, rows_of_a_reshape(), labels) for seed in SEEDS]
    pools = [trained(seed, patches, labels, attention_pool) for seed in SEEDS]
    hidden, ink, weight = zip(*map(without_patches, pools), strict=True)
    return {
        "about.seeds": np.array(SEEDS),
        "about.epochs": np.array(EPOCHS),
        "about.class": accuracies(classes),
        "about.query": accuracies(pools),
        "about.unordered": accuracies(trained(seed, patches, labels, kind=Unordered) for seed in SEEDS),
        "about.rows": accuracies(rows),
        "about.misread": np.array([read_from(a, b.patches) for a, b in zip(classes, rows, strict=True)]),
        "about.hidden": np.array(hidden),
        "about.ink": np.array(ink),
        "about.weight": np.array(weight),
        "about.stayed": np.array([stayed(*each) for each in zip(SEEDS, pools, strict=True)]),
        "about.beside": np.array([beside(each) for each in pools]),
    }


def patches_and_labels():
    """All digits, cut into patches (1797, 16, 4), and what they are (1797,)."""
    images, labels = digits.images()
    return patchify(images, PATCH), labels


def rows_of_a_reshape():
    """What a reshape alone makes of the digits: four pixels in a row each, (1797, 16, 4)."""
    return digits.images()[0].reshape(-1, 16, PATCH**2)


def trained(seed, patches, labels, pool=None, kind=ViTTrainer):
    """A trainer that has gone EPOCHS times through the digits; with a pool it has a query for a class token."""
    trainer = kind(seed, patches, labels, pool)
    trainer.train(EPOCHS)
    return trainer


def accuracies(trainers):
    """The share that each reads rightly."""
    return np.array([each.accuracy() for each in trainers])


def stayed(seed, trainer):
    """The mean cosine between the positions that this seed began with and those that were learned."""
    start = ViTTrainer(seed, trainer.patches, trainer.labels, attention_pool).parameters["encoder.positions"]
    return (_unit(start) * _unit(trainer.parameters["encoder.positions"])).sum(axis=1).mean()


def beside(trainer):
    """The mean cosine between the learned positions of patches that share a side."""
    unit, (row, column) = _unit(trainer.parameters["encoder.positions"]), np.divmod(np.arange(SIDE**2), SIDE)
    steps = np.abs(np.subtract.outer(row, row)) + np.abs(np.subtract.outer(column, column))
    return (unit @ unit.T)[steps == 1].mean()


def _unit(rows):
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def without_patches(trainer):
    """How well a model with a query reads digits without four of their patches, (FILLS, 5), the ink in these, (5,), and
    the share of the weight that they have, (5,): those of the most weight, of the least, any, heavier, lighter."""
    held, rng = trainer.tested, np.random.default_rng(1)
    trainer.read(held)
    looks, ink = trainer.model.looks, patches_and_labels()[0][held].mean(axis=-1)  # (450, 16) both
    by_weight = np.argsort(-looks, axis=1, kind="stable")
    asked = (by_weight[:, :HIDDEN], by_weight[:, -HIDDEN:], rng.permuted(by_weight, axis=1)[:, :HIDDEN],
             *of_equal_ink(looks, ink))
    fills = fillings(trainer, rng)
    read = [[read_from(trainer, _filled(trainer, which, fills[fill])) for which in asked] for fill in FILLS]
    shares = [[np.take_along_axis(each, which, axis=1).sum(axis=1).mean() for which in asked]
              for each in (ink / HIDDEN, looks)]
    return read, *shares


def of_equal_ink(looks, ink):
    """The four heavier and the four lighter patches, (450, 4) both, of the pairs whose weights differ most.

    The patches of a digit, in the order of their ink, make eight pairs of neighbours.
    """
    pairs = np.argsort(ink, axis=1, kind="stable").reshape(-1, 8, 2)
    weights = np.take_along_axis(looks[:, None], pairs, axis=2)                    # (450, 8, 2)
    apart = np.argsort(-np.abs(np.diff(weights)[..., 0]), axis=1, kind="stable")[:, :HIDDEN]
    by_weight = np.take_along_axis(pairs, np.argsort(-weights, axis=2, kind="stable"), axis=2)
    return np.moveaxis(np.take_along_axis(by_weight, apart[..., None], axis=1), -1, 0)


def fillings(trainer, rng):
    """What may stand for the patches of held-out digits, (450, 16, 4) or what stretches to it: the mean of the place,
    the same place of another held-out digit, white paper, the mean of all patches."""
    learned, held = trainer.patches[trainer.learned], trainer.patches[trainer.tested]
    return {"place": learned.mean(axis=0), "another": held[rng.permutation(len(held))],
            "white": learned.min(), "all": learned.mean(axis=(0, 1))}


def read_from(trainer, patches):
    """The share of the held-out digits that is read rightly when these patches (1797, 16, 4) stand for a trainer's."""
    whole, trainer.patches = trainer.patches, patches
    share, trainer.patches = trainer.accuracy(), whole
    return share


def _filled(trainer, which, fill):
    """The trainer's patches, where of each held-out digit those of the numbers `which` (450, 4) are filled."""
    patches, held = trainer.patches.copy(), trainer.tested[:, None]
    fill = np.broadcast_to(fill, patches[trainer.tested].shape)
    patches[held, which] = np.take_along_axis(fill, which[..., None], axis=1)
    return patches
