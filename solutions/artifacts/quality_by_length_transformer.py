"""Train the Transformer on `coursekit.tasks.phrases`, and measure it as the recurrent models were.

Sentences, batches and measures are those of `solutions.artifacts.measures`, and a seed means the same batches.
The widths differ, and so does the learning rate, which follows the Transformer's own schedule.
"""

import numpy as np

from coursekit.trainers import transformer as transformer_trainer
from coursekit.trainers.transformer import TransformerTrainer
from solutions.artifacts import measures
from solutions.artifacts.date_transformer import PARTS

SEEDS = (0, 1, 2)
MARKS = (400, 800)  # steps after which a model is measured
EVERY = 10  # steps that one entry of a loss curve is the mean of
PLAN = {"d_model": 64, "heads": 4, "d_ff": 128, "layers": 1, "warmup": 200, "factor": 0.5}


def make():
    """What `coursekit.load("quality_by_length_transformer")` returns: "transformer.400.bleu" and so on, (seeds,
    lengths); "transformer.loss", (seeds, marks), the mean loss of a token over the ten steps before each of "steps",
    smoothed targets and all; "lengths"; "parameters", how many there are."""
    runs = [run_of(seed) for seed in SEEDS]
    arrays = {f"transformer.{what}": np.array([one[what] for one in runs]) for what in runs[0]}
    arrays |= {"lengths": np.array(measures.MEASURED_AT), "steps": np.arange(EVERY, MARKS[-1] + 1, EVERY)}
    arrays = {name: array.astype(np.float32) for name, array in arrays.items()}
    return arrays | {"parameters": np.array(trainer_of(0).vector.size), "about.seeds": np.array(SEEDS)}


def trainer_of(seed):
    """A trainer that has not begun."""
    return TransformerTrainer(seed, PARTS, transformer_trainer.phrases(measures.TRAINED_ON), **PLAN)


def run_of(seed):
    """The BLEU at each mark, and the losses."""
    trainer, found = trainer_of(seed), {}
    for steps in MARKS:
        trainer.train(steps - len(trainer.losses))
        found[f"{steps}.bleu"] = measures.quality(trainer.translate)[0]
    return found | {"loss": measures.smoothed(trainer.losses, EVERY)}
