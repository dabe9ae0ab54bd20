"""Train the model that chapter 15 opens, which says what lies where on a board, from five seeds, and keep one of them.

How a board is cut is the reference of lab 15; the loss is that of lab 13.
"""

from functools import cache

import numpy as np

from coursekit.trainers import describer
from coursekit.trainers.describer import DescriberTrainer
from solutions.lab13_language_model.reference import next_token_loss
from solutions.lab15_images_and_sound.reference import patchify, pointing_accuracy

SEEDS, STEPS, HEADS, TESTED = (0, 1, 2, 3, 4), 800, 4, 400
SIDE = 6  # patches along each side of a board


def make():
    """What `coursekit.load("board_captions")` returns: the parameters of the first seed's model, and of each of SEEDS

        losses        (seeds, STEPS)
        about.exact   the share of TESTED boards of unseen digits that are described without a mistake
        about.named   the weight, of 1, that lies on a digit while it is named, and
        about.other   that lies on the other one then
        about.points  the share of named digits on which the largest weight lies,
        about.caught  the share of largest weights that the four patches catch which have most of them, and
        about.behind  the share on the named digit when these four are passed over
    """
    trainers = [trained(seed) for seed in SEEDS]
    exact, named, other, points = zip(*(measured(each.model) for each in trainers), strict=True)
    caught, behind = zip(*(passed_over(each.model) for each in trainers), strict=True)
    return {
        **trainers[0].parameters,
        "losses": np.array([each.losses for each in trainers], np.float32),
        "about.heads": np.array(HEADS),
        "about.seeds": np.array(SEEDS),
        "about.steps": np.array(STEPS),
        "about.exact": np.array(exact),
        "about.named": np.array(named),
        "about.other": np.array(other),
        "about.points": np.array(points),
        "about.caught": np.array(caught),
        "about.behind": np.array(behind),
    }


@cache
def task():
    """Boards, cut into patches."""
    return describer.captions(patchify)


def trained(seed):
    """A trainer that has taken its STEPS."""
    trainer = DescriberTrainer(seed, task(), next_token_loss, STEPS, heads=HEADS)
    trainer.train(STEPS)
    return trainer


def measured(model, seed=1):
    """How well it describes boards that it has not seen, and where it looks: exact, named, other, points."""
    texts, seen, maps = looked(model, seed)
    exact, boxes = np.mean([a == b for a, b in zip(texts, seen.texts, strict=True)]), np.stack(seen.boxes)
    named, other = (mass(maps, each.reshape(-1, 4)) for each in (boxes, boxes[:, ::-1]))
    return exact, named, other, pointing_accuracy(maps, boxes.reshape(-1, 4))


def passed_over(model, seed=1):
    """What part of the largest weights the four patches catch that have most of them, and how many lie on the named
    digit when these patches are passed over."""
    _, seen, maps = looked(model, seed)
    flat = maps.reshape(len(maps), -1).copy()
    found = np.bincount(flat.argmax(axis=1), minlength=SIDE**2) / len(flat)
    most = np.argsort(-found, kind="stable")[:4]
    flat[:, most] = 0
    return found[most].sum(), pointing_accuracy(flat.reshape(maps.shape), np.concatenate(seen.boxes))


def looked(model, seed):
    """What a model writes about TESTED new boards, the boards as Seen, and where it looked as it named the two digits
    of each, (2 TESTED, SIDE, SIDE)."""
    seen = task().unseen(np.random.default_rng([2015, seed]), TESTED)
    ids, looks = model.write(seen.vectors, seen.mask, longest=4)
    return task().tokens.decode(ids), seen, looks[:, [0, 2]].reshape(-1, SIDE, SIDE)   # first and third word name them


def mass(maps, boxes):
    """The mean weight within boxes (T, 4) of maps (T, R, C)."""
    return np.mean([each[top:bottom, left:right].sum()
                    for each, (top, left, bottom, right) in zip(maps, boxes, strict=True)])
