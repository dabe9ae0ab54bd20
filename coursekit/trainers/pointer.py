"""Train the pointer of `coursekit.models.pointer`, with draws and an estimate that the caller brings.

R learns as always, from the gradient of -log p[answer]. W, U and v stand before the draw, and no gradient passes a
draw: what they get instead is an estimate.

B sequences, S positions, D keys that can be asked for, E = D + V numbers at each position, V digits.
"""

from typing import NamedTuple

import numpy as np

from coursekit.models.pointer import accuracy, entropy_gradient, gradients, initial_parameters, look, read
from coursekit.shapes import expect
from coursekit.tasks.keyed_digits import LONGEST, keyed_digits, questions, spell
from coursekit.training import Training

__all__ = ["Run", "keyed_digits", "log_likelihood", "look", "questions", "right_or_wrong", "spell", "train"]  # lab 04

BATCH, RATE, EVERY = 64, 5e-3, 100
CURIOSITY = 0.05  # how much the entropy of the weights counts beside the reward


class Run(NamedTuple):
    """What a training run leaves."""

    parameters: dict  # by name, with the shapes of SHAPES
    steps: np.ndarray  # (N,)  at which it was measured
    accuracy: np.ndarray  # (N,)  the share of 1000 new questions whose largest weight stands on the place asked for
    baseline: np.ndarray  # (N,)  where the baseline stood; zeros where none was used


# Rewards, (B,): one number for each sequence


def log_likelihood(probabilities, answer):
    """log p of the right digit: below 0 whatever was chosen, and about -2.3 for a guess among ten."""
    return np.log((probabilities * answer).sum(axis=1) + 1e-12)


def right_or_wrong(probabilities, answer):
    """1 where the likeliest digit is the right one, else 0."""
    return (probabilities.argmax(axis=1) == answer.argmax(axis=1)).astype(np.float32)


def train(rng, sample, estimate, move=None, reward=log_likelihood, offset=0.0, steps=2400, curiosity=CURIOSITY):
    """Train a pointer that looks at one position, which it draws. Returns a `Run`.

    sample(weights (B, S), uniforms (B,)) -> chosen (B,)                     the positions to look at
    estimate(weights, chosen, rewards (B,), baseline) -> gradient (B, S)     of the expected reward, in the scores
    move(baseline, rewards) -> baseline                                      None: the baseline stays 0
    reward, offset    each sequence gets reward(probabilities (B, V), answer (B, V)) + offset
    curiosity         what the entropy of the weights counts beside the reward: above 0, the pointer goes on trying
                      (Xu et al. 2015 add an entropy term too)

    A step uses the baseline of the steps before it, and only then moves it.
    Raises ValueError when something that the functions return does not fit.
    """
    training, baseline, measured = Training(initial_parameters(rng)), 0.0, []
    parameters, test = training.parameters, keyed_digits(rng, 1000)
    for step in range(steps + 1):
        if step % EVERY == 0:
            measured.append((step, accuracy(parameters, test), baseline))
        batch = keyed_digits(rng, BATCH)
        weights, features = look(parameters, batch)
        chosen = checked_positions(sample(weights, rng.random(BATCH)), batch.mask)
        looked_at = batch.memory[np.arange(BATCH), chosen]                     # (B, E)
        probabilities = read(parameters, looked_at)
        rewards = reward(probabilities, batch.answer) + offset
        uphill = estimate(weights, chosen, rewards, baseline)
        expect({"B": BATCH, "S": LONGEST}, **{"gradient from estimate": (uphill, "B S")})
        uphill = uphill + curiosity * entropy_gradient(weights)
        training.move(gradients(parameters, batch, features, looked_at, probabilities, -uphill / BATCH), RATE)
        baseline = float(move(baseline, rewards)) if move else baseline
    when, right, baselines = np.array(measured).T
    return Run(parameters, when.astype(int), right, baselines)


def checked_positions(chosen, mask):
    """Hold what `sample` returned to its contract; its mistakes should be named here, not ten lines further on."""
    chosen = np.asarray(chosen)
    expect({"B": len(mask)}, **{"positions from sample": (chosen, "B")})
    if chosen.dtype.kind not in "iu":
        raise ValueError(f"positions from sample: expected integers, got {chosen.dtype}")
    inside = (chosen >= 0) & (chosen < mask.sum(axis=1))                       # padding stands at the end
    if not inside.all():
        got, length = chosen[~inside][0], mask.sum(axis=1)[~inside][0]
        raise ValueError(f"positions from sample: expected 0 to {length - 1} where {length} keys stand, got {got}")
    return chosen
