"""How a pointer learns where to look, softly and by draws: the curves of chapter 5.

The hard pointers are trained by `coursekit.trainers.pointer` with lab 04's reference solutions. The soft one has the
same parameters, the same start and the same optimiser; it sees the blend of all positions, and its scores get the
gradient of the loss through it.
"""

import numpy as np

from coursekit.models import pointer
from coursekit.tasks.keyed_digits import keyed_digits
from coursekit.trainers import pointer as trainer
from coursekit.training import Training
from solutions.lab04_hard_attention.reference import estimate_gradient, move_baseline, sample_positions

SEEDS, STEPS, LONG = (0, 1, 2), 2400, 6000
GUESS = float(np.log(10))  # minus the log-likelihood of a guess among ten digits
CASES = {
    "moving": {"move": move_baseline},
    "none": {"steps": LONG},
    "offset": {"offset": GUESS},
    "offset_twice": {"offset": 2 * GUESS},
    "right_or_wrong": {"reward": trainer.right_or_wrong},
}


def make():
    """The accuracies of each case (seeds, measurements), those of "none" up to LONG steps, the others to STEPS."""
    curves = {name: [hard(seed, **options) for seed in SEEDS] for name, options in CASES.items()}
    curves["soft"] = [soft(seed, STEPS) for seed in SEEDS]
    return {
        "steps": np.arange(0, LONG + 1, trainer.EVERY, dtype=np.float32),
        **{f"{name}.accuracy": np.array(rows, np.float32) for name, rows in curves.items()},
        "about.seeds": np.array(SEEDS),
    }


def hard(seed, steps=STEPS, **options):
    """The accuracies of one run that looks at a position which it draws."""
    rng = np.random.default_rng(seed)
    return trainer.train(rng, sample_positions, estimate_gradient, steps=steps, **options).accuracy


def soft(seed, steps):
    """The accuracies of one run that blends."""
    rng = np.random.default_rng(seed)
    training, right, test = Training(pointer.initial_parameters(rng)), [], keyed_digits(rng, 1000)
    for step in range(steps + 1):
        if step % trainer.EVERY == 0:
            right.append(pointer.accuracy(training.parameters, test))
        training.move(soft_gradient(training.parameters, keyed_digits(rng, trainer.BATCH)), trainer.RATE)
    return right


def soft_gradient(parameters, batch):
    """The gradient of the mean of -log p[answer], where p is read from the blend of all positions."""
    weights, features = pointer.look(parameters, batch)
    blend = np.matmul(weights[:, None, :], batch.memory)[:, 0]                     # (B, E)
    probabilities = pointer.read(parameters, blend)
    d_blend = (probabilities - batch.answer) @ parameters["R"].T / len(blend)      # (B, E)
    towards = np.matmul(batch.memory, d_blend[:, :, None])[:, :, 0]                # (B, S), in each weight
    d_scores = weights * (towards - np.sum(weights * towards, axis=1, keepdims=True))
    return pointer.gradients(parameters, batch, features, blend, probabilities, d_scores)
