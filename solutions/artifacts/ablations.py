"""The ablation board: the date Transformer with one ingredient taken away at a time, three seeds each.

Batches of 32, half of what the date Transformer learns from, so that all 30 runs together take a few minutes.
"""

from typing import NamedTuple

import numpy as np

from coursekit.models.transformer import Design
from coursekit.trainers import transformer as transformer_trainer
from coursekit.trainers.transformer import TransformerTrainer
from solutions.artifacts.date_transformer import PARTS
from solutions.artifacts.measures import smoothed
from solutions.lab10_train_a_transformer import reference

SEEDS, MARKS, BATCH, TESTED = (0, 1, 2), (250, 500, 1000), 32, 200
EVERY = 20  # steps that one entry of a loss curve is the mean of


def from_the_top(step, d_model, warmup):
    """The schedule without its warm-up: the rate at the peak, held while the other one climbs."""
    return reference.learning_rate(max(step, warmup), d_model, warmup)


class Setting(NamedTuple):
    """A model of the board: what it is made of, and what it is trained with."""

    design: Design = Design()
    parts: transformer_trainer.Parts = PARTS
    smoothing: float = 0.1


SETTINGS = {
    "whole": Setting(),
    "no_scaling": Setting(Design(scaled=False)),
    "no_residual": Setting(Design(residual=False)),
    "no_norm": Setting(Design(norm="none")),
    "no_positions": Setting(Design(positions=False)),
    "no_warmup": Setting(parts=PARTS._replace(learning_rate=from_the_top)),
    "no_smoothing": Setting(smoothing=0.0),
    "no_causal": Setting(Design(causal=False)),
    "post": Setting(Design(norm="post")),
    "post_no_warmup": Setting(Design(norm="post"), PARTS._replace(learning_rate=from_the_top)),
}


def make():
    """What `coursekit.load("ablations")` returns: "whole.exact", (seeds, marks), the share of exact dates among TESTED
    of unseen days, and "whole.loss", (seeds, MARKS[-1] / EVERY), and so on for each of SETTINGS; "marks"."""
    arrays = {}
    for name, setting in SETTINGS.items():
        runs = [run_of(setting, seed) for seed in SEEDS]
        for what, of_seeds in zip(("exact", "loss"), zip(*runs, strict=True), strict=True):
            arrays[f"{name}.{what}"] = np.array(of_seeds, np.float32)
    return arrays | {"marks": np.array(MARKS), "about.seeds": np.array(SEEDS), "about.batch": np.array(BATCH)}


def run_of(setting, seed, marks=MARKS, batch=BATCH):
    """The share of exact dates at each mark, and the mean of every EVERY losses."""
    task = transformer_trainer.dates(seed)
    trainer = TransformerTrainer(seed, setting.parts, task, design=setting.design, smoothing=setting.smoothing)
    exact = []
    with np.errstate(all="ignore"):  # a model that diverges may overflow: its losses then say so
        for mark in marks:
            trainer.train(mark - len(trainer.losses), batch)
            exact.append(trainer.exact_match(TESTED, seed=1))
    return exact, smoothed(trainer.losses, EVERY)
