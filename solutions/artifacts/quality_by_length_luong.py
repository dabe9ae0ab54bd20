"""Measure the scores of Luong, Pham & Manning (2015) as `quality_by_length` measures the models of chapter 1.

Sentences, batches, steps, widths and measures are the same, so that the models can be compared: what differs is the
score, and the order of a step (look first, or state first).
"""

import numpy as np

from coursekit.models.phrases import parameter_shapes
from coursekit.trainers.phrases import loss_and_gradient, train
from solutions.artifacts import measures
from solutions.artifacts.luong_translator import SEEDS, SETTINGS, D, H, X, trainer_of
from solutions.artifacts.quality_by_length import ADDITIVE, writer

MARKS = (100, 200, 400)  # steps after which a model is measured; `general` also after LONG
LONG = 1600
EVERY = 10  # steps that one entry of a loss curve is the mean of


def make():
    """What `coursekit.load("quality_by_length_luong")` returns.

    "dot.400.bleu" and so on, (seeds, lengths), for each model and number of steps; "dot.loss", (seeds, marks), the mean
    loss of a word over the ten steps before each of "steps"; "lengths". "additive" is Bahdanau's model, measured after
    the same steps.
    """
    arrays = {"lengths": np.array(measures.MEASURED_AT), "steps": np.arange(EVERY, MARKS[-1] + 1, EVERY)}
    for name in (*SETTINGS, "additive"):
        runs = [additive(seed) if name == "additive" else run_of(name, seed) for seed in SEEDS]
        for what in runs[0]:
            arrays[f"{name}.{what}"] = np.array([one[what] for one in runs])
    return {name: array.astype(np.float32) for name, array in arrays.items()} | {"about.seeds": np.array(SEEDS)}


def run_of(name, seed):
    """The BLEU of one model at each mark, and its losses."""
    trainer, found = trainer_of(SETTINGS[name], seed), {}
    for steps in (*MARKS, LONG) if name == "general" else MARKS:
        trainer.train(steps - len(trainer.losses))
        found[f"{steps}.bleu"] = measures.quality(lambda texts: trainer.translate(texts)[0])[0]
    return found | {"loss": measures.smoothed(trainer.losses[: MARKS[-1]], EVERY)}


def additive(seed):
    """The same of the model with additive attention, whose step begins with the look."""

    def gradient_of(parameters, batch):
        return loss_and_gradient(parameters, batch, ADDITIVE)

    run = train(gradient_of, parameter_shapes(X, H, D, A=48), seed, range(EVERY, MARKS[-1] + 1, EVERY))
    steps, parameters, losses = zip(*run, strict=True)
    kept = dict(zip(steps, parameters, strict=True))
    found = {f"{mark}.bleu": measures.quality(writer(ADDITIVE, kept[mark]))[0] for mark in MARKS}
    return found | {"loss": np.array(losses)}
