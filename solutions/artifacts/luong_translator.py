"""Train the scores of Luong, Pham & Manning (2015) on `coursekit.tasks.phrases`, and measure them as the others were.

Sentences, batches, steps, widths and measures are those of `solutions.artifacts.phrase_translator`, so that the models
can be compared: what differs is the score, and the order of a step (look first, or state first).
"""

import functools
import sys
from typing import NamedTuple

import numpy as np

from coursekit.models import luong as luong_translator
from coursekit.models import phrases as phrase_translator
from coursekit.models.phrases import PhraseTranslator
from coursekit.trainers import luong as luong_trainer
from coursekit.trainers import phrases as phrase_trainer
from coursekit.trainers.luong import LuongTrainer, Parts, attention_shapes, global_backward, local_backward
from solutions.artifacts import phrase_translator as shared
from solutions.artifacts.store import hash_of
from solutions.lab01_additive_attention.reference import masked_softmax
from solutions.lab03_luong_attention import reference

MARKS = (100, 200, 400)  # steps after which a model is measured; `general`, in the length plot, also after LONG
LONG = 1600
EVERY = 10  # steps that one entry of a loss curve is the mean of
REACH = 3  # words to each side of the predicted centre
X, H, D, A = 32, 48, 96, 48  # the widths of the length plot
SMALL = {"X": 32, "H": 32, "D": 64}  # those of the model that is kept, which need not be so good
SMALL_STEPS = 400
SCORES = {
    "dot": lambda state, memory, p: reference.dot_score(state, memory),
    "general": lambda state, memory, p: reference.general_score(state, memory, p["W"]),
    "concat": lambda state, memory, p: reference.concat_score(state, memory, p["W"], p["v"]),
}


class Setting(NamedTuple):
    """A model of the comparison. Without a reach its attention is global."""

    kind: str
    reach: int | None = None
    feeding: bool = False


SETTINGS = {
    "dot": Setting("dot"),
    "general": Setting("general"),
    "concat": Setting("concat"),
    "general_local": Setting("general", reach=REACH),
    "general_feeding": Setting("general", feeding=True),
}


def looking(setting):
    """The `look` of a setting: from the state to the attentional state and the weights."""
    score, reach = SCORES[setting.kind], setting.reach

    def look_everywhere(state, memory, mask, p):
        scores = score(state, memory, p)
        weights = masked_softmax(scores, mask)
        return reference.attentional_state(weights, state, memory, p["W_c"]), weights

    def look_around(state, memory, mask, p):
        centre = reference.predicted_centre(state, mask, p["W_p"], p["v_p"])
        weights = reference.local_weights(score(state, memory, p), mask, centre, reach)
        return reference.attentional_state(weights, state, memory, p["W_c"]), weights

    return look_everywhere if reach is None else look_around


def parts_of(setting):
    """What a trainer needs of a setting."""
    back = global_backward(setting.kind) if setting.reach is None else local_backward(setting.kind, setting.reach)
    return Parts(looking(setting), back, shared.cross_entropy, shared.embedding_backward)


def trainer_of(setting, seed, lengths=shared.TRAINED_ON, X=X, H=H, D=D):
    """A trainer that has not begun."""
    attention = attention_shapes(setting.kind, D, 2 * H, D // 2, setting.reach is not None)
    return LuongTrainer(seed, parts_of(setting), attention, X, H, D, lengths, setting.feeding)


def make_quality():
    """What `coursekit.load("quality_by_length_luong")` returns.

    "dot.400.bleu" and so on, (seeds, lengths), for each model and number of steps; "dot.loss", (seeds, marks), the mean
    loss of a word over the ten steps before each of "steps"; "lengths". "additive" is Bahdanau's model, measured after
    the same steps.
    """
    arrays = {"lengths": np.array(shared.MEASURED_AT), "steps": np.arange(EVERY, MARKS[-1] + 1, EVERY)}
    for name in (*SETTINGS, "additive"):
        runs = [additive(seed) if name == "additive" else run_of(name, seed) for seed in shared.SEEDS]
        for what in runs[0]:
            arrays[f"{name}.{what}"] = np.array([one[what] for one in runs])
    return {name: array.astype(np.float32) for name, array in arrays.items()} | about()


def make_translator():
    """What `coursekit.load("luong_translator")` returns: the parameters of a small model with local attention, and its
    BLEU on 200 new sentences of the lengths trained on."""
    trainer = trainer_of(SETTINGS["general_local"], shared.SEEDS[0], lengths=(5, 12), **SMALL)
    trainer.train(SMALL_STEPS)
    facts = {"about.steps": np.array(SMALL_STEPS), "about.bleu": np.array(trainer.bleu(200))}
    return trainer.parameters | facts | about()


def run_of(name, seed):
    """The BLEU of one model at each mark, and its losses."""
    trainer, found = trainer_of(SETTINGS[name], seed), {}
    for steps in (*MARKS, LONG) if name == "general" else MARKS:
        trainer.train(steps - len(trainer.losses))
        found[f"{steps}.bleu"] = shared.quality(lambda texts: trainer.translate(texts)[0])[0]
    return found | {"loss": smoothed(trainer.losses[: MARKS[-1]])}


def additive(seed):
    """The same of the model with additive attention, whose step begins with the look."""
    shapes = phrase_translator.parameter_shapes(X, H, D, A)
    every = range(EVERY, MARKS[-1] + 1, EVERY)

    def gradient_of(parameters, batch):
        return phrase_trainer.loss_and_gradient(parameters, batch, shared.ADDITIVE)

    steps, parameters, losses = zip(*phrase_trainer.train(gradient_of, shapes, seed, every), strict=True)
    kept = dict(zip(steps, parameters, strict=True))
    found = {f"{mark}.bleu": shared.quality(additive_writer(kept[mark]))[0] for mark in MARKS}
    return found | {"loss": np.array(losses)}


def additive_writer(parameters):
    """texts -> texts, with additive attention."""
    translator = PhraseTranslator(parameters)

    def attend(state, memory, mask, W, U, v):
        return shared.additive_forward(state, memory @ U, memory, mask, parameters)

    return lambda texts: translator.translate(texts, attend)[0]


def smoothed(losses):
    """The mean of every ten losses."""
    return np.reshape(losses, (-1, EVERY)).mean(axis=1)


def about():
    """How the artifacts of this file were made."""
    return {"about.seeds": np.array(shared.SEEDS), "about.sources_sha256": np.array(sources_hash())}


@functools.cache
def sources_hash():
    """The hash of all the code that decides what comes out."""
    return hash_of([*shared.SOURCES, luong_translator, luong_trainer, shared, reference, sys.modules[__name__]])
