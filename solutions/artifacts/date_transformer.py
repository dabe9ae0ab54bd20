"""Train the date Transformer that chapter 10 opens up, from three seeds, and keep one of them.

The parts that `coursekit.trainers.transformer` lets a caller bring are the reference of lab 10.
"""

import numpy as np

from coursekit.trainers import transformer as transformer_trainer
from coursekit.trainers.transformer import Parts, TransformerTrainer
from solutions.lab10_train_a_transformer import reference

SEEDS, STEPS, TESTED = (0, 1, 2), 1000, 1000
HEADS = 4
PARTS = Parts(*(getattr(reference, name) for name in Parts._fields))


def make():
    """What `coursekit.load("date_transformer")` returns: the parameters of the first seed's model, its "losses", and
    "about.exact_match", the share of TESTED texts of unseen days that are exact, for each of SEEDS."""
    trainers = [trained(seed) for seed in SEEDS]
    return {
        **trainers[0].parameters,
        "losses": np.array(trainers[0].losses, np.float32),
        "about.heads": np.array(HEADS),
        "about.seeds": np.array(SEEDS),
        "about.steps": np.array(STEPS),
        "about.exact_match": np.array([each.exact_match(TESTED, seed=1) for each in trainers]),
    }


def trained(seed):
    """A trainer that has taken its STEPS."""
    trainer = TransformerTrainer(seed, PARTS, transformer_trainer.dates(seed), heads=HEADS)
    trainer.train(STEPS)
    return trainer
