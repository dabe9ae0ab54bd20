"""Train the phrase translator of `coursekit.models.phrases` with one vector and with attention, and measure both.

The two differ in the `Parts` that `coursekit.trainers.phrases` is given: what the decoder is told of the source at each
step, forward and backward.

B batch, S source positions, T target positions, L lengths, E encoder state, D decoder state, A attention width,
V words that can be written. `d_name` is the gradient of the loss in `name`.
"""

import functools
import sys
from typing import NamedTuple

import numpy as np

from coursekit import optimiser
from coursekit.layers import recurrent
from coursekit.models import phrases as phrase_translator
from coursekit.models.phrases import PhraseTranslator, parameter_shapes
from coursekit.tasks import bleu, phrases
from coursekit.tasks.phrases import FRENCH
from coursekit.trainers import dates as date_trainer
from coursekit.trainers import phrases as phrase_trainer
from coursekit.trainers.phrases import (
    Parts,
    encode_pairs,
    keys_of,
    loss_and_gradient,
    one_vector_backward,
    one_vector_forward,
    run,
    train,
)
from solutions.artifacts.store import hash_of

TRAINED_ON = (5, 30)  # words in a sentence, the full stop not counted
MEASURED_AT = (5, 10, 15, 20, 25, 30, 35, 40)
SENTENCES, ASKED = 100, 200  # sentences at each length: translated, and asked for a word
SEEDS = (0, 1)
SOURCES = (phrases, bleu, recurrent, optimiser, date_trainer, phrase_translator, phrase_trainer)


def cross_entropy(logits, target, mask):
    """The mean of -log softmax(logits)[target] where mask (B, T) is True, and its gradient in logits (B, T, V)."""
    shifted = logits - logits.max(axis=-1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))          # (B, T, V)
    chosen, real = target[..., None], mask[..., None]                              # (B, T, 1) both
    d_logits = np.exp(log_p)
    np.put_along_axis(d_logits, chosen, np.take_along_axis(d_logits, chosen, -1) - 1, -1)
    loss = -float(np.take_along_axis(log_p, chosen, -1)[real].mean())
    return loss, d_logits * real.astype(logits.dtype) / float(mask.sum())


def embedding_backward(d_embedded, ids, rows):
    """From d_embedded (B, T, X) to the gradient of the table (rows, X). A word that occurs twice counts twice."""
    one_hot = np.zeros((rows, ids.size), d_embedded.dtype)                         # for few rows faster than np.add.at
    one_hot[ids.ravel(), np.arange(ids.size)] = 1
    return one_hot @ d_embedded.reshape(ids.size, -1)


def additive_forward(state, keys, memory, mask, p):
    """Additive attention of state (B, D), given keys = memory U (B, S, A). Every row of mask has a True."""
    features = np.tanh((state @ p["attention.W"])[:, None] + keys)                 # (B, S, A)
    scores = np.where(mask, features @ p["attention.v"], -np.inf)                  # (B, S)
    weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
    weights /= weights.sum(axis=-1, keepdims=True)                                 # (B, S)
    return (weights[:, None] @ memory)[:, 0], weights                              # (B, E), (B, S)


def additive_backward(d_context, state, keys, memory, mask, weights, p):
    """Back through the blend, the softmax, the product with v, the tanh, and the product with W."""
    features = np.tanh((state @ p["attention.W"])[:, None] + keys)                 # (B, S, A)
    d_weights = (memory @ d_context[..., None])[..., 0]                            # (B, S)
    d_scores = weights * (d_weights - (weights * d_weights).sum(axis=-1, keepdims=True))
    d_keys = d_scores[..., None] * (p["attention.v"] * (1 - features**2))          # (B, S, A)
    d_query, d_memory = d_keys.sum(axis=1), weights[..., None] * d_context[:, None]
    d_v = d_scores.ravel() @ features.reshape(-1, features.shape[-1])              # (A,)
    return d_query @ p["attention.W"].T, d_keys, d_memory, {"attention.W": state.T @ d_query, "attention.v": d_v}


ONE_VECTOR = Parts(one_vector_forward, one_vector_backward, cross_entropy, embedding_backward)
ADDITIVE = Parts(additive_forward, additive_backward, cross_entropy, embedding_backward)


# Measuring


def measured_sentences(length, n=SENTENCES):
    """The `n` Sentences of this length on which every model is measured. Their seed is used for nothing else."""
    return phrases.sentences(np.random.default_rng([2015, length]), n, (length, length))


def quality(write):
    """BLEU (L,), and the share of sentences without any mistake (L,), at each of MEASURED_AT.

    write(texts) -> texts translates a list of English sentences, all equally long.
    """
    rows = []
    for length in MEASURED_AT:
        asked = measured_sentences(length)
        written, right = write([phrases.english(each) for each in asked]), [phrases.french(each) for each in asked]
        rows.append((bleu.bleu(written, right), np.mean([a == b for a, b in zip(written, right, strict=True)])))
    return np.array(rows).T


def agreement(logits_of, n=ASKED):
    """How often the participle that agrees with its noun gets a higher score than its other form, (L,).

    logits_of(batch) -> (B, T, V): the model has been told all words before, so what it wrote itself plays no part.
    Asked at each of MEASURED_AT, of `n` sentences whose last noun has the other gender than the subject; of any
    sentence where there is one noun only.
    """
    return np.array([_agreement_at(logits_of, misleading_sentences(length, n)) for length in MEASURED_AT])


def _agreement_at(logits_of, asked):
    batch = batch_of(asked)
    scores = logits_of(batch)[:, -2]                                               # (n, V): the stop comes last
    right, wrong = batch.target[:, -2], [FRENCH.id(phrases.other_form(each)) for each in asked]
    rows = np.arange(len(asked))
    return np.mean(scores[rows, right] > scores[rows, wrong])


def misleading_sentences(length, n=ASKED):
    """`n` sentences in which the noun nearest to the participle has the other gender than the subject, or is it."""
    drawn = measured_sentences(length, 4 * n)
    return [each for each in drawn if len(each.phrases) == 1 or each.phrases[0].gender != each.phrases[-1].gender][:n]


def right_by_position(logits_of, n=ASKED):
    """The share of right words at each position of sentences of the greatest length trained on, (T,).

    The model has been told the right words before each, so an earlier mistake does not cost a later word.
    """
    batch = batch_of(measured_sentences(TRAINED_ON[1], n))
    return np.mean(logits_of(batch)[:, :-1].argmax(axis=-1) == batch.target[:, :-1], axis=0)


def batch_of(sentences):
    """A Batch of these Sentences."""
    return encode_pairs(*([write(each) for each in sentences] for write in (phrases.english, phrases.french)))


# What is kept


class Setting(NamedTuple):
    """A model of the comparison, and after how many steps of training it is measured."""

    name: str
    parts: Parts
    shapes: dict
    marks: tuple


SETTINGS = (
    Setting("one_vector", ONE_VECTOR, parameter_shapes(X=32, H=48, D=96), (400, 1600, 3200)),
    Setting("wide_vector", ONE_VECTOR, parameter_shapes(X=32, H=96, D=192), (400, 1600)),
    Setting("attention", ADDITIVE, parameter_shapes(X=32, H=48, D=96, A=48), (400, 1600)),
)


def make_quality():
    """What `coursekit.load("quality_by_length")` returns: "one_vector.400.bleu" and so on, (seeds, lengths), for each
    model and number of steps.

    Besides, "lengths", the words of the sentences measured, and "distances", how far after its noun the participle
    stands on average in the sentences that were asked for it.
    """
    arrays = {"lengths": np.array(MEASURED_AT), "distances": np.array([_distance(at) for at in MEASURED_AT])}
    for setting in SETTINGS:
        for steps in setting.marks:
            of_seeds = [measured(setting, trained(setting.name, seed)[steps]) for seed in SEEDS]
            for what in of_seeds[0]:
                arrays[f"{setting.name}.{steps}.{what}"] = np.array([one[what] for one in of_seeds])
    return arrays | about()


def make_one_vector():
    """What `coursekit.load("phrase_one_vector")` returns: the parameters of a translator with one vector, trained
    longest, from the first of SEEDS."""
    steps = SETTINGS[0].marks[-1]
    return trained("one_vector", SEEDS[0])[steps] | about() | {"about.steps": np.array(steps)}


def about():
    """How the artifacts of this file were made."""
    return {"about.seeds": np.array(SEEDS), "about.sources_sha256": np.array(sources_hash())}


def sources_hash():
    """The hash of all the code that decides what comes out."""
    return hash_of([*SOURCES, sys.modules[__name__]])


@functools.cache
def trained(name, seed):
    """{steps: parameters} of one of the SETTINGS, by its name."""
    setting = next(each for each in SETTINGS if each.name == name)

    def gradient_of(parameters, batch):
        return loss_and_gradient(parameters, batch, setting.parts)

    run_of_training = train(gradient_of, setting.shapes, seed, setting.marks, TRAINED_ON)
    return {steps: parameters for steps, parameters, _ in run_of_training}


def measured(setting, parameters):
    """All that is measured of one trained model, by name."""
    translator = PhraseTranslator(parameters)

    def attend(state, memory, mask, W, U, v):
        return setting.parts.attend(state, keys_of(memory, parameters), memory, mask, parameters)

    def logits_of(batch):
        return run(translator, parameters, batch, setting.parts).logits

    scores, exact = quality(lambda texts: translator.translate(texts, attend)[0])
    return {"bleu": scores, "exact": exact, "agreement": agreement(logits_of),
            "by_position": right_by_position(logits_of)}


def _distance(length):
    return np.mean([phrases.agreement_distance(each) for each in misleading_sentences(length)])
