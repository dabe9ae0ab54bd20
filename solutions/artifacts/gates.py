"""Train each model that the course promises something of, from three seeds or five, and hold it to the promise.

    python -m solutions.artifacts.gates          with OMP_NUM_THREADS=1 and OPENBLAS_NUM_THREADS=1

Prints a table, and ends with an error where a model falls short.
"""

import operator
import sys
from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import numpy as np

from coursekit.trainers.dates import DateTrainer
from solutions.artifacts import (
    board_captions,
    date_transformer,
    date_translator,
    digit_readers,
    grammar_gpt,
    heard_syllables,
    induction,
    low_rank,
    luong_translator,
    measures,
    prompted_gpt,
    quality_by_length_linear,
    quality_by_length_transformer,
    trained_recall,
)
from solutions.lab15_images_and_sound.reference import attention_pool

SEEDS, FIVE = (0, 1, 2), (0, 1, 2, 3, 4)


class Gate(NamedTuple):
    """A promise: what a model reaches after so many steps, at least; with `operator.le`, at most."""

    model: str
    steps: int
    measure: Callable  # seed -> a number
    bound: float
    unit: str
    holds: Callable = operator.ge
    seeds: tuple = SEEDS


def of_gru(seed):
    """The share of exact dates of the recurrent translator with additive attention."""
    trainer = DateTrainer(seed, date_translator.PARTS)
    trainer.train(400)
    return 100 * trainer.exact_match(1000, seed=1)


def of_date_transformer(seed):
    """The share of exact dates of the Transformer with one layer on either side, pre-LN."""
    return 100 * date_transformer.trained(seed).exact_match(1000, seed=1)


def of_general(seed):
    """The lowest BLEU, over the lengths trained on, of Luong's general score."""
    trainer = luong_translator.trainer_of(luong_translator.SETTINGS["general"], seed)
    trainer.train(1600)
    return lowest(lambda texts: trainer.translate(texts)[0])


def of_transformer(seed):
    """The same of the Transformer."""
    trainer = quality_by_length_transformer.trainer_of(seed)
    trainer.train(800)
    return lowest(trainer.translate)


def of_linear(seed):
    """The same of the Transformer whose attention is linear, with a matrix that holds the source."""
    trainer = quality_by_length_linear.linear(quality_by_length_transformer.trainer_of(seed), heads=4)
    trainer.train(800)
    return lowest(trainer.translate)


def of_gpt(seed):
    """How far the loss of the GPT, which reads and writes letters, lies above what the grammar itself pays."""
    loss, least = trained_gpt(seed).test(grammar_gpt.TESTED)
    return loss - least


def grammatical(seed):
    """The share of what the same GPT writes that is grammatical."""
    return 100 * trained_gpt(seed).grammatical(grammar_gpt.WRITTEN)


def answered(seed):
    """The share of questions about new texts that the GPT of chapter 13 answers rightly."""
    return 100 * prompted_gpt.right(prompted(seed).parameters)


def summaries(seed):
    """The share of new texts that the same GPT sums up without a mistake."""
    return 100 * prompted_gpt.right(prompted(seed).parameters, summary=True)


def corrected(rank):
    """How much of the way to the least loss a correction of this rank takes the decoder that others trained."""
    return lambda seed: low_rank.way(seed, rank)


def of_vit(seed, pool=None):
    """The share of held-out digits that a ViT reads rightly after thirty epochs, with a class token or a pool."""
    return 100 * digit_readers.trained(seed, *digit_readers.patches_and_labels(), pool).accuracy()


def of_pool(seed):
    """The same with a learned query in the place of the class token."""
    return of_vit(seed, attention_pool)


def described(seed):
    """The share of boards of unseen digits that are described without a mistake."""
    return 100 * looked(seed)[0]


def named(seed):
    """How many times more weight lies on a digit while it is named than on the other one."""
    _, on_it, on_the_other, _ = looked(seed)
    return on_it / on_the_other


def written_down(seed):
    """The share of new utterances that are written down without a mistake."""
    return 100 * listened(seed)[0]


def during_it(seed):
    """The share of syllables during which the largest weight lies."""
    return 100 * listened(seed)[1]


def written_behind(seed):
    """The share that the model which learned from hesitations writes without a mistake behind the longest pause."""
    return 100 * waited(seed)[-1, 0]


def found_behind(seed):
    """The share of syllables during which its largest weight lies then."""
    return 100 * waited(seed)[-1, 1]


def recited(name):
    """The share of values that a model of chapter 18 recalls from texts of 64 pairs."""
    kind, d = trained_recall.SETTINGS[name]
    return lambda seed: 100 * trained_recall.Reciter(kind, d, seed).train().right(64)


def repeated(layers):
    """The share of letters that can be known of which the decoder of nothing but attention is right."""
    return lambda seed: 100 * induction.right(repeater(seed, layers).model)


def lost(kind):
    """How much of what repeats gain is lost without the heads that are found (0), or without all others (1)."""
    def measure(seed):
        model = repeater(seed, 2).model
        return 100 * induction.costs(model, induction.kinds(model))[kind]
    return measure


@cache
def repeater(seed, layers):
    """A decoder of so many layers that has learned to repeat."""
    return induction.Repeater(seed, layers).train(induction.STEPS)


@cache
def looked(seed):
    """What is measured of a model that describes boards."""
    return board_captions.measured(board_captions.trained(seed).model)


@cache
def listened(seed):
    """What is measured of a model that writes syllables down."""
    return heard_syllables.measured(heard_syllables.trained(seed).model)


@cache
def waited(seed):
    """What is measured of a model that learned from hesitations, by how long the pause is."""
    return heard_syllables.through_pauses(heard_syllables.patient(seed))


trained_gpt, prompted = cache(grammar_gpt.trained), cache(prompted_gpt.train)  # each for two


def lowest(write):
    """The lowest BLEU over the lengths trained on."""
    scores = measures.quality(write)[0]
    return float(scores[np.array(measures.MEASURED_AT) <= measures.TRAINED_ON[1]].min())


GATES = (
    Gate("dates, GRU with additive attention", 400, of_gru, 99, "% exact"),
    Gate("dates, Transformer 1 + 1, pre-LN", 1000, of_date_transformer, 99, "% exact"),
    Gate("phrases, Luong general", 1600, of_general, 95, "BLEU"),
    Gate("phrases, Transformer 1 + 1, pre-LN", 800, of_transformer, 95, "BLEU"),
    Gate("phrases, linear attention 1 + 1", 800, of_linear, 95, "BLEU", seeds=quality_by_length_linear.SEEDS),
    # The worst of five seeds had 0.0039 nats and 96.0 %: twice as much, and three of a hundred less, are the gates.
    Gate("grammar, GPT of 2 layers", 1000, of_gpt, 0.008, "nats above the least", operator.le, grammar_gpt.SEEDS),
    Gate("grammar, GPT of 2 layers", 1000, grammatical, 93, "% grammatical", seeds=grammar_gpt.SEEDS),
    # From one seed of three no lookup is found in these steps (20 % answered), as chapter 13 says.
    Gate("facts, GPT of 2 layers", 2500, answered, 97, "% answered", seeds=(0, 2)),
    Gate("facts, GPT of 2 layers", 2500, summaries, 95, "% summed up"),
    # The worst of five seeds had 66.8 and 91.9 %: five and two of a hundred less are the gates.
    Gate("grammar, a real decoder, LoRA rank 1", low_rank.STEPS, corrected(1), 62, "% of the way", seeds=range(5)),
    Gate("grammar, a real decoder, LoRA rank 8", low_rank.STEPS, corrected(8), 90, "% of the way", seeds=range(5)),
    # Of five seeds the worst had 95.6 and 95.3 %: two and four of the 450 digits less.
    Gate("digits, ViT with a class token", 630, of_vit, 95, "% read", seeds=FIVE),
    Gate("digits, ViT with a learned query", 630, of_pool, 94.4, "% read", seeds=FIVE),
    # The worst had 92.0 % and 14.9 times: two of a hundred less, and a third.
    Gate("boards, encoder 2, decoder 1", 800, described, 90, "% exact", seeds=FIVE),
    Gate("boards, encoder 2, decoder 1", 800, named, 10, "times the other", seeds=FIVE),
    # The worst had 95.3 and 98.5 %: two and three of a hundred less. (Even spacing has 99.4 %, as chapter 15 says.)
    Gate("syllables, encoder 1, decoder 1", 800, written_down, 93, "% exact", seeds=FIVE),
    Gate("syllables, encoder 1, decoder 1", 800, during_it, 95, "% within the syllable", seeds=FIVE),
    # The worst had 92.2 and 96.8 %: two and three of a hundred less. (Even spacing has 65.9 % there.)
    Gate("syllables, learned with hesitations", 1200, written_behind, 90, "% exact at 0.4 s", seeds=FIVE),
    Gate("syllables, learned with hesitations", 1200, found_behind, 94, "% within it at 0.4 s", seeds=FIVE),
    # The worst had 99.4 and 23.9 %; without the found heads at least 98.8 % was lost, without all others 2.2 % at most.
    Gate("repeats, attention alone, 2 layers", induction.STEPS, repeated(2), 95, "% right", seeds=FIVE),
    Gate("repeats, attention alone, 1 layer", induction.STEPS, repeated(1), 30, "% right", operator.le, FIVE),
    Gate("the same, 2, without found heads", induction.STEPS, lost(0), 50, "% lost", seeds=FIVE),
    Gate("the same, 2, without all others", induction.STEPS, lost(1), 10, "% lost", operator.le, FIVE),
    # The worst of three seeds had 100.0, 36.8 and 91.0 %.
    Gate("64 pairs, softmax, width 8", trained_recall.STEPS, recited("softmax.8"), 99, "% recalled"),
    Gate("64 pairs, a matrix of 16 by 16", trained_recall.STEPS, recited("sum.16"), 45, "% recalled", operator.le),
    Gate("64 pairs, a matrix of 32 by 32", trained_recall.STEPS, recited("sum.32"), 87, "% recalled"),
)


def main():
    short = []
    print(f"{'model':<36} {'steps':>5}  {'each seed':<34}  gate")
    for gate in GATES:
        found = [gate.measure(seed) for seed in gate.seeds]
        reached = all(gate.holds(value, gate.bound) for value in found)
        numbers, sign = " ".join(f"{value:6.4g}" for value in found), "<=" if gate.holds is operator.le else ">="
        print(f"{gate.model:<36} {gate.steps:>5}  {numbers:<34}  {sign} {gate.bound:g} {gate.unit}: {reached}",
              flush=True)
        short += [] if reached else [gate.model]
    if short:
        sys.exit(f"gates: short of their gate: {', '.join(short)}")


if __name__ == "__main__":
    main()
