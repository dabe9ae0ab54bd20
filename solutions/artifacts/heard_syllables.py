"""Train the model that chapter 15 and lab 15 let listen, which writes syllables down, from five seeds, and keep one.

What is heard is the reference of lab 15; the loss is that of lab 13.
"""

from functools import cache

import numpy as np

from coursekit.tasks.syllables import RATE
from coursekit.trainers import describer
from coursekit.trainers.describer import HOP, MELS, WINDOW, DescriberTrainer
from solutions.lab13_language_model.reference import next_token_loss
from solutions.lab15_images_and_sound.reference import log_mel, mel_filters, pointing_accuracy

SEEDS, STEPS, HEADS, TESTED = (0, 1, 2, 3, 4), 800, 4, 400


def make():
    """What `coursekit.load("heard_syllables")` returns: the parameters of the first seed's model, and of each of SEEDS

        losses        (seeds, STEPS)
        about.exact   the share of TESTED new utterances that are written down without a mistake
        about.points  the share of syllables during which the largest weight of attention lies
        about.rising  the share of utterances through which it moves forward with each syllable
    """
    trainers = [trained(seed) for seed in SEEDS]
    exact, points, rising = zip(*(measured(each.model) for each in trainers), strict=True)
    return {
        **trainers[0].parameters,
        "losses": np.array([each.losses for each in trainers], np.float32),
        "about.heads": np.array(HEADS),
        "about.seeds": np.array(SEEDS),
        "about.steps": np.array(STEPS),
        "about.exact": np.array(exact),
        "about.points": np.array(points),
        "about.rising": np.array(rising),
    }


@cache
def task():
    """What is heard, and drawn once for all seeds."""
    filters = mel_filters(MELS, WINDOW, RATE)
    return describer.speech(lambda signal: log_mel(signal, WINDOW, HOP, filters))


def trained(seed):
    """A trainer that has taken its STEPS."""
    trainer = DescriberTrainer(seed, task(), next_token_loss, STEPS, heads=HEADS)
    trainer.train(STEPS)
    return trainer


def measured(model, seed=1):
    """How well it writes down what it has not heard, and where it looks, told the right syllables: exact, points,
    rising."""
    seen = task().unseen(np.random.default_rng([2017, seed]), TESTED)
    ids, _ = model.write(seen.vectors, seen.mask, longest=6)
    exact = np.mean([a == b for a, b in zip(task().tokens.decode(ids), seen.texts, strict=True)])
    told = describer.ids(seen.texts, task().tokens)[:, :-1]
    model.forward(seen.vectors, seen.mask, told)
    looks = [each[:len(boxes)] for each, boxes in zip(model.looks(), seen.boxes, strict=True)]
    rising = np.mean([(np.diff(each.argmax(axis=1)) > 0).all() for each in looks])
    return exact, pointing_accuracy(np.concatenate(looks), np.concatenate(seen.boxes)), rising
