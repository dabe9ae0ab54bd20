"""A pointer that must learn where to look: it answers `coursekit.tasks.keyed_digits`, and sees one position.

It scores every position as chapter 2 does, turns the scores into weights, and then looks at **one** position, which is
drawn from these weights. From what stands there, and from nothing else, it says a digit:

    e_j   = tanh(s W + h_j U) v          position j scored; s is the key asked for, h_j key j and its digit
    α     = softmax(e)                   among the positions that hold something
    k     ~ α                            one position, drawn
    p     = softmax(h_k R)               how likely each digit is, given what stands there

Simpler than a model of language or images: there is one look at each sequence, so no recurrence.

B sequences, S positions, D keys that can be asked for, E = D + V numbers at each position, A attention width, V digits.
"""

import numpy as np

from coursekit.layers.basics import outer
from coursekit.tasks.keyed_digits import D, V

A = 64
SHAPES = {"W": (D, A), "U": (D + V, A), "v": (A,), "R": (D + V, V)}


def initial_parameters(rng):
    """W and U are so large that the features of the score start well spread; R starts near 0, and knows nothing."""
    scales = {"W": 1.0, "U": 1.0, "v": A**-0.5, "R": 0.1}
    return {name: scales[name] * rng.standard_normal(shape) for name, shape in SHAPES.items()}


def look(parameters, batch):
    """Weigh the positions. Returns weights (B, S), 0 in the padding, and the features (B, S, A) that were scored."""
    asked = batch.state @ parameters["W"]                                      # (B, A)
    features = np.tanh(asked[:, None, :] + batch.memory @ parameters["U"])     # (B, S, A)
    scores = np.where(batch.mask, features @ parameters["v"], -np.inf)         # (B, S)
    return normalised(np.exp(scores - scores.max(axis=1, keepdims=True))), features


def read(parameters, seen):
    """How likely each digit is, (B, V), given what stands at the chosen position, seen (B, E)."""
    logits = seen @ parameters["R"]                                            # (B, V)
    return normalised(np.exp(logits - logits.max(axis=1, keepdims=True)))


def normalised(positive):
    """Each row divided by its sum."""
    return positive / positive.sum(axis=1, keepdims=True)


def accuracy(parameters, batch):
    """The share of questions whose largest weight stands on the place asked for."""
    weights, _ = look(parameters, batch)
    return float(np.mean(weights.argmax(axis=1) == batch.place))


def gradients(parameters, batch, features, seen, probabilities, d_scores):
    """The gradient of the loss in every parameter, by name.

    d_scores (B, S) comes from an estimate and reaches W, U and v; R gets the gradient of the mean of -log p[answer],
    given what was seen (B, E).
    """
    d_sums = d_scores[:, :, None] * parameters["v"] * (1 - features * features)    # (B, S, A), before the tanh
    return {
        "W": batch.state.T @ d_sums.sum(axis=1),
        "U": outer(batch.memory, d_sums),
        "v": features.reshape(-1, A).T @ d_scores.ravel(),
        "R": seen.T @ ((probabilities - batch.answer) / len(seen)),
    }


def entropy_gradient(weights):
    """The gradient in the scores of the entropy -Σ α log α of each row: -α (log α + entropy). weights (B, S)."""
    logs = np.log(np.where(weights > 0, weights, 1))                           # 0 where the weight is 0
    entropy = -(weights * logs).sum(axis=1, keepdims=True)                     # (B, 1)
    return -weights * (logs + entropy)
