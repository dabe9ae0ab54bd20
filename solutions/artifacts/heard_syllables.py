"""Train the model that chapter 15 and lab 15 let listen, which writes syllables down, from five seeds, and keep one.

What is heard is the reference of lab 15; the loss is that of lab 13.
"""

from functools import cache

import numpy as np

from coursekit.tasks.syllables import RATE, utterance
from coursekit.trainers import describer
from coursekit.trainers.describer import HOP, MELS, WINDOW, DescriberTrainer
from solutions.lab13_language_model.reference import next_token_loss
from solutions.lab15_images_and_sound.reference import frames, log_mel, mel_filters, pointing_accuracy

SEEDS, STEPS, HEADS, TESTED = (0, 1, 2, 3, 4), 800, 4, 400
SHOWN = 8, "so ma i su me"  # the seed and the text of the utterance that chapter 15 shows
OTHERWISE = "symmetric", "unfaded", "amplitude", "log10", "htk"  # ways to hear that the model did not learn with


def make():
    """What `coursekit.load("heard_syllables")` returns: the parameters of the first seed's model, and of each of SEEDS

        losses        (seeds, STEPS)
        about.exact   the share of TESTED new utterances that are written down without a mistake
        about.points  the share of syllables during which the largest weight of attention lies
        about.rising  the share of utterances through which it moves forward with each syllable

    and what `facts` adds.
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
        **facts(trainers[0].model),
    }


def facts(model):
    """What chapter 15 needs besides, since the book does not have lab 15's functions:

        about.shown     what is heard of the utterance SHOWN (F, M)
        about.chance    how much of its utterance a syllable fills, on average, in slices
        about.misheard  the share that the model writes without a mistake where it hears OTHERWISE (5,)
    """
    sound = utterance(np.random.default_rng(SHOWN[0]), SHOWN[1]).signal
    shown = log_mel(sound, WINDOW, HOP, mel_filters(MELS, WINDOW, RATE))
    seen = task().unseen(np.random.default_rng([2017, 1]), TESTED)
    filled = [(end - begin) / real.sum() for boxes, real in zip(seen.boxes, seen.mask, strict=True)
              for begin, end in boxes]
    return {
        "about.shown": shown.astype(np.float32),
        "about.chance": np.mean(filled),
        "about.misheard": np.array([misheard(model, hear) for hear in otherwise().values()]),
    }


def misheard(model, hear):
    """The share of TESTED new utterances that a model writes without a mistake where it hears them so."""
    seen = describer.speech(hear).unseen(np.random.default_rng([2017, 1]), TESTED)
    ids, _ = model.write(seen.vectors, seen.mask, longest=6)
    return np.mean([a == b for a, b in zip(task().tokens.decode(ids), seen.texts, strict=True)])


def otherwise():
    """Functions that hear a signal in each way of OTHERWISE, by its name."""
    slaney, i = mel_filters(MELS, WINDOW, RATE), np.arange(WINDOW)
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * i / WINDOW)

    def hearing(window=hann, power=2, log=np.log, filters=slaney):
        def hear(signal):
            spectrum = np.abs(np.fft.rfft(frames(signal, WINDOW, HOP) * window))
            return log(np.maximum(spectrum**power @ filters.T, 1e-10))
        return hear

    ways = (hearing(np.hanning(WINDOW)), hearing(np.ones(WINDOW)), hearing(power=1), hearing(log=np.log10),
            hearing(filters=htk_filters()))
    return dict(zip(OTHERWISE, ways, strict=True))


def htk_filters():
    """Triangles of area 1 that are even on the other mel scale, 2595 log10(1 + f / 700): (M, K)."""
    edges = 700 * (10 ** (np.linspace(0, np.log10(1 + RATE / 1400), MELS + 2)) - 1)     # Hz
    left, middle, right = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    f = np.arange(WINDOW // 2 + 1) * RATE / WINDOW
    return np.maximum(np.minimum((f - left) / (middle - left), (right - f) / (right - middle)), 0) * 2 / (right - left)


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
