"""Train the GPT that chapters 12 and 13 and lab 13 open and let write, from five seeds, and keep one of them."""

import numpy as np

from coursekit.trainers.gpt import GPTTrainer
from solutions.lab13_language_model.reference import next_token_loss

SEEDS, STEPS, HEADS = (0, 1, 2, 3, 4), 1000, 4
TESTED, WRITTEN = 1000, 500  # sentences


def make():
    """What `coursekit.load("grammar_gpt")` returns: the parameters of the first seed's model, and of each of SEEDS

        losses                 (seeds, STEPS)
        about.test, about.least  its loss on TESTED other sentences, and the least that was possible on them
        about.grammatical      the share of WRITTEN texts that are grammatical
    """
    trainers = [trained(seed) for seed in SEEDS]
    test, least = zip(*(each.test(TESTED) for each in trainers), strict=True)
    return {
        **trainers[0].parameters,
        "losses": np.array([each.losses for each in trainers], np.float32),
        "about.heads": np.array(HEADS),
        "about.seeds": np.array(SEEDS),
        "about.steps": np.array(STEPS),
        "about.test": np.array(test),
        "about.least": np.array(least),
        "about.grammatical": np.array([each.grammatical(WRITTEN) for each in trainers]),
    }


def trained(seed):
    """A trainer that has taken its STEPS."""
    trainer = GPTTrainer(seed, next_token_loss, STEPS, heads=HEADS)
    trainer.train(STEPS)
    return trainer
