"""Train the model that chapter 15 and lab 15 let listen, which writes syllables down, from five seeds, and keep one.

What is heard is the reference of lab 15; the loss is that of lab 13.
"""

from functools import cache

import numpy as np

from coursekit.tasks.syllables import RATE, utterance
from coursekit.trainers import describer
from coursekit.trainers.describer import HOP, MELS, SLICES, WINDOW, DescriberTrainer
from solutions.lab13_language_model.reference import next_token_loss
from solutions.lab15_images_and_sound.reference import frames, log_mel, mel_filters, pointing_accuracy

SEEDS, STEPS, HEADS, TESTED = (0, 1, 2, 3, 4), 800, 4, 400
SHOWN = 8, "so ma i su me"  # the seed and the text of the utterance that chapter 15 shows
LONGER = 0, 800, 1600, 3200  # samples by which a pause is stretched
PATIENT = 1200  # steps of the models that learn from such pauses
OTHERWISE = "symmetric", "unfaded", "amplitude", "log10", "htk"  # ways to hear that the model did not learn with


def make():
    """What `coursekit.load("heard_syllables")` returns: the parameters of the first seed's model, and of each of SEEDS

        losses        (seeds, STEPS)
        about.exact   the share of TESTED new utterances that are written down without a mistake
        about.points  the share of syllables during which the largest weight of attention lies
        about.patient  both of a model that learned from hesitant speech, where a pause is longer by each of LONGER
                      (seeds, 4, 2)

    and what `facts` adds.
    """
    trainers = [trained(seed) for seed in SEEDS]
    exact, points = zip(*(measured(each.model) for each in trainers), strict=True)
    return {
        **trainers[0].parameters,
        "losses": np.array([each.losses for each in trainers], np.float32),
        "about.heads": np.array(HEADS),
        "about.seeds": np.array(SEEDS),
        "about.steps": np.array(STEPS),
        "about.exact": np.array(exact),
        "about.points": np.array(points),
        "about.patient": np.array([through_pauses(patient(seed)) for seed in SEEDS]),
        **facts(trainers[0].model),
    }


def facts(model):
    """What chapter 15 needs besides, since the book does not have lab 15's functions:

        about.shown     what is heard of the utterance SHOWN (F, M)
        about.even      where a pause is longer by each of LONGER, points of `evenly` (4,), and
        about.clock     exact and points of the model (4, 2)
        about.misheard  the share that the model writes without a mistake where it hears OTHERWISE (5,)
    """
    return {
        "about.shown": hear(utterance(np.random.default_rng(SHOWN[0]), SHOWN[1]).signal).astype(np.float32),
        "about.even": np.array([evenly(seen) for seen in map(stretched, LONGER)]),
        "about.clock": through_pauses(model),
        "about.misheard": np.array([misheard(model, way) for way in otherwise().values()]),
    }


def through_pauses(model):
    """How a model does where a pause is longer by each of LONGER: exact and points, (4, 2)."""
    return np.array([scored(model, seen) for seen in map(stretched, LONGER)])


@cache
def stretched(longer):
    """The new utterances that all models are measured with, Seen, but for one pause in each, which is longer."""
    rng, other = (np.random.default_rng([year, 1]) for year in (2017, 2018))
    return describer.batch([describer.heard(hesitating(other, utterance(rng), longer), hear) for _ in range(TESTED)])


def hesitating(rng, said, longer):
    """An utterance, but somewhere between two syllables there is more silence, with noise as everywhere."""
    late = rng.integers(1, len(said.spans))
    silence, spans = 0.01 * rng.standard_normal(longer), said.spans.copy()
    spans[late:] += longer
    return said._replace(signal=np.insert(said.signal, said.spans[late, 0], silence), spans=spans)


def evenly(seen):
    """The share of syllables in which a guess lies that does not listen: the k-th of n is said in the middle of the
    k-th of n equal parts."""
    places = [(np.arange(len(boxes)) + 0.5) / len(boxes) * real.sum()
              for boxes, real in zip(seen.boxes, seen.mask, strict=True)]
    return pointing_accuracy(np.eye(SLICES)[np.concatenate(places).astype(int)], np.concatenate(seen.boxes))


def misheard(model, way):
    """The share of TESTED new utterances that a model writes without a mistake where it hears them so."""
    seen = describer.speech(way).unseen(np.random.default_rng([2017, 1]), TESTED)
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
    return describer.speech(hear)


@cache
def hesitant():
    """The same, but that in each utterance one pause is longer, by anything up to the most of LONGER."""
    return describer.speech(hear, lambda rng: hesitating(rng, utterance(rng), rng.integers(LONGER[-1] + 1)))


def hear(signal):
    """What the models hear of a signal (n,): (F, MELS)."""
    return log_mel(signal, WINDOW, HOP, mel_filters(MELS, WINDOW, RATE))


def trained(seed):
    """A trainer that has taken its STEPS."""
    trainer = DescriberTrainer(seed, task(), next_token_loss, STEPS, heads=HEADS)
    trainer.train(STEPS)
    return trainer


def patient(seed):
    """A model that has learned from hesitant speech."""
    trainer = DescriberTrainer(seed, hesitant(), next_token_loss, PATIENT, heads=HEADS)
    trainer.train(PATIENT)
    return trainer.model


def measured(model, seed=1):
    """How well it writes down what it has not heard, and where it looks: exact, points."""
    return scored(model, task().unseen(np.random.default_rng([2017, seed]), TESTED))


def scored(model, seen):
    """The share of what is Seen that a model writes without a mistake, and the share of syllables during which its
    largest weight lies, told the right ones."""
    ids, _ = model.write(seen.vectors, seen.mask, longest=6)
    exact = np.mean([a == b for a, b in zip(task().tokens.decode(ids), seen.texts, strict=True)])
    told = describer.ids(seen.texts, task().tokens)[:, :-1]
    model.forward(seen.vectors, seen.mask, told)
    looks = [each[:len(boxes)] for each, boxes in zip(model.looks(), seen.boxes, strict=True)]
    return exact, pointing_accuracy(np.concatenate(looks), np.concatenate(seen.boxes))
