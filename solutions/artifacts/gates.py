"""Train each model that the course promises something of, from three seeds, and hold it to the promise.

    python -m solutions.artifacts.gates          with OMP_NUM_THREADS=1 and OPENBLAS_NUM_THREADS=1

Prints a table, and ends with an error where a model falls short.
"""

import sys
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from coursekit.trainers.dates import DateTrainer
from solutions.artifacts import (
    date_transformer,
    date_translator,
    luong_translator,
    measures,
    quality_by_length_transformer,
)

SEEDS = (0, 1, 2)


class Gate(NamedTuple):
    """A promise: what a model reaches after so many steps, at least."""

    model: str
    steps: int
    measure: Callable  # seed -> a number
    least: float
    unit: str


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


def lowest(write):
    """The lowest BLEU over the lengths trained on."""
    scores = measures.quality(write)[0]
    return float(scores[np.array(measures.MEASURED_AT) <= measures.TRAINED_ON[1]].min())


GATES = (
    Gate("dates, GRU with additive attention", 400, of_gru, 99, "% exact"),
    Gate("dates, Transformer 1 + 1, pre-LN", 1000, of_date_transformer, 99, "% exact"),
    Gate("phrases, Luong general", 1600, of_general, 95, "BLEU"),
    Gate("phrases, Transformer 1 + 1, pre-LN", 800, of_transformer, 95, "BLEU"),
)


def main():
    short = []
    print(f"{'model':<36} {'steps':>5}  {'three seeds':>20}  gate")
    for gate in GATES:
        found = [gate.measure(seed) for seed in SEEDS]
        reached = min(found) >= gate.least
        numbers = " ".join(f"{value:6.1f}" for value in found)
        print(f"{gate.model:<36} {gate.steps:>5}  {numbers}  >= {gate.least:g} {gate.unit}: {reached}", flush=True)
        short += [] if reached else [gate.model]
    if short:
        sys.exit(f"gates: short of their gate: {', '.join(short)}")


if __name__ == "__main__":
    main()
