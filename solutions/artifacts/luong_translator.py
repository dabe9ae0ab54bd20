"""Train the scores of Luong, Pham & Manning (2015) on `coursekit.tasks.phrases`, and keep a small model of one of them.

What a setting consists of is lab 03's reference. `quality_by_length_luong` measures all settings.
"""

from typing import NamedTuple

import numpy as np

from coursekit.trainers.luong import LuongTrainer, Parts, attention_shapes, global_backward, local_backward
from solutions.artifacts.measures import TRAINED_ON
from solutions.artifacts.parts import cross_entropy, embedding_backward
from solutions.lab01_additive_attention.reference import masked_softmax
from solutions.lab03_luong_attention import reference

REACH = 3  # words to each side of the predicted centre
X, H, D = 32, 48, 96  # the widths of the length plot
SMALL = {"X": 32, "H": 32, "D": 64}  # those of the model that is kept, which need not be so good
SEEDS, STEPS = (0, 1), 400
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
    return Parts(looking(setting), back, cross_entropy, embedding_backward)


def trainer_of(setting, seed, lengths=TRAINED_ON, X=X, H=H, D=D):
    """A trainer that has not begun."""
    attention = attention_shapes(setting.kind, D, 2 * H, D // 2, setting.reach is not None)
    return LuongTrainer(seed, parts_of(setting), attention, X, H, D, lengths, setting.feeding)


def make():
    """What `coursekit.load("luong_translator")` returns: the parameters of a small model with local attention, and its
    BLEU on 200 new sentences of the lengths trained on."""
    trainer = trainer_of(SETTINGS["general_local"], SEEDS[0], lengths=(5, 12), **SMALL)
    trainer.train(STEPS)
    facts = {"about.steps": np.array(STEPS), "about.bleu": np.array(trainer.bleu(200))}
    return trainer.parameters | facts | {"about.seeds": np.array(SEEDS)}
