"""Train the phrase translator of `coursekit.models.phrases` with one vector and with attention, and measure both.

The two differ in the `Parts` that `coursekit.trainers.phrases` is given: what the decoder is told of the source at each
step, forward and backward.

B batch, S source positions, E encoder state, D decoder state, A attention width.
"""

from typing import NamedTuple

import numpy as np

from coursekit.models.phrases import PhraseTranslator, parameter_shapes
from coursekit.tasks.phrases import agreement_distance
from coursekit.trainers.phrases import (
    Parts,
    keys_of,
    loss_and_gradient,
    one_vector_backward,
    one_vector_forward,
    run,
    train,
)
from solutions.artifacts import measures
from solutions.artifacts.parts import attend, attend_backward, cross_entropy, embedding_backward

SEEDS = (0, 1)


def additive_forward(state, keys, memory, mask, p):
    """Additive attention of state (B, D), given keys = memory U (B, S, A). Every row of mask has a True."""
    return attend(state @ p["attention.W"], keys, memory, mask, p["attention.v"])


def additive_backward(d_context, state, keys, memory, mask, weights, p):
    """Back through `attend` and the product with W, to state, keys, memory and the parameters."""
    query = state @ p["attention.W"]                                               # (B, A)
    d_query, d_keys, d_v = attend_backward(d_context, query, keys, memory, weights, p["attention.v"])
    d_memory = weights[..., None] * d_context[:, None]                             # (B, S, E)
    return d_query @ p["attention.W"].T, d_keys, d_memory, {"attention.W": state.T @ d_query, "attention.v": d_v}


class Setting(NamedTuple):
    """A model of the comparison, and after how many steps of training it is measured."""

    parts: Parts
    shapes: dict
    marks: tuple


ONE_VECTOR = Parts(one_vector_forward, one_vector_backward, cross_entropy, embedding_backward)
ADDITIVE = Parts(additive_forward, additive_backward, cross_entropy, embedding_backward)
SETTINGS = {
    "one_vector": Setting(ONE_VECTOR, parameter_shapes(X=32, H=48, D=96), (400, 1600, 3200)),
    "wide_vector": Setting(ONE_VECTOR, parameter_shapes(X=32, H=96, D=192), (400, 1600)),
    "attention": Setting(ADDITIVE, parameter_shapes(X=32, H=48, D=96, A=48), (400, 1600)),
}


def make():
    """What `coursekit.load("quality_by_length")` returns: "one_vector.400.bleu" and so on, (seeds, lengths), for each
    model and number of steps.

    Besides, "lengths", the words of the sentences measured, and "distances", how far after its noun the participle
    stands on average in the sentences that were asked for it.
    """
    lengths = measures.MEASURED_AT
    arrays = {"lengths": np.array(lengths), "distances": np.array([_distance(length) for length in lengths])}
    for name, setting in SETTINGS.items():
        runs = [trained(setting, seed) for seed in SEEDS]
        for steps in setting.marks:
            of_seeds = [measured(setting, run[steps]) for run in runs]
            for what in of_seeds[0]:
                arrays[f"{name}.{steps}.{what}"] = np.array([one[what] for one in of_seeds])
    return arrays | {"about.seeds": np.array(SEEDS)}


def trained(setting, seed):
    """{steps: parameters} of one of the SETTINGS."""

    def gradient_of(parameters, batch):
        return loss_and_gradient(parameters, batch, setting.parts)

    run_of_training = train(gradient_of, setting.shapes, seed, setting.marks, measures.TRAINED_ON)
    return {steps: parameters for steps, parameters, _ in run_of_training}


def writer(parts, parameters):
    """texts -> texts, with the attention of `parts`."""
    translator = PhraseTranslator(parameters)

    def look(state, memory, mask, W, U, v):
        return parts.attend(state, keys_of(memory, parameters), memory, mask, parameters)

    return lambda texts: translator.translate(texts, look)[0]


def measured(setting, parameters):
    """All that is measured of one trained model, by name."""

    def logits_of(batch):
        return run(PhraseTranslator(parameters), parameters, batch, setting.parts).logits

    scores, exact = measures.quality(writer(setting.parts, parameters))
    return {"bleu": scores, "exact": exact, "agreement": measures.agreement(logits_of),
            "by_position": measures.right_by_position(logits_of)}


def _distance(length):
    return np.mean([agreement_distance(each) for each in measures.misleading_sentences(length)])
