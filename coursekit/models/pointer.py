"""A pointer that must learn where to look: keyed digits, and a model that sees one of them.

    read      c7  x1  a4  p7  ...        12 to 24 keys, none twice, each with a digit beside it
    asked     a
    answer    4

The model scores every position as chapter 2 does, turns the scores into weights, and then looks at **one** position,
which is drawn from these weights. From what stands there, and from nothing else, it says a digit:

    e_j   = tanh(s W + h_j U) v          position j scored; s is the key asked for, h_j key j and its digit
    α     = softmax(e)                   among the positions that hold something
    k     ~ α                            one position, drawn
    p     = softmax(h_k R)               how likely each digit is, given what stands there

R learns as always, from the gradient of -log p[answer]. W, U and v stand before the draw, and no gradient passes a
draw: what they get instead is an estimate, which the caller of `train` supplies.

Simpler than a model of language or images: keys and digits are one-hot vectors, not embeddings, and there is one look
at each sequence, so no recurrence.

B sequences, S positions (24), D keys that can be asked for (24), E = D + V numbers at each position, A attention width,
V digits (10).
"""

from typing import NamedTuple

import numpy as np

from coursekit.optimiser import Adam, clip, flatten, views
from coursekit.shapes import expect

KEYS = "abcdefghijklmnopqrstuvwx"
DIGITS = "0123456789"
SHORTEST, LONGEST = 12, len(KEYS)
D, V, A = len(KEYS), len(DIGITS), 64
SHAPES = {"W": (D, A), "U": (D + V, A), "v": (A,), "R": (D + V, V)}

BATCH, RATE, EVERY = 64, 5e-3, 100
CURIOSITY = 0.05  # how much the entropy of the weights counts beside the reward


class Batch(NamedTuple):
    """Sequences of keyed digits, and a question to each."""

    state: np.ndarray  # (B, D)  the key asked for, one-hot
    memory: np.ndarray  # (B, S, E)  key and digit at each position, one-hot both; zeros in the padding
    mask: np.ndarray  # (B, S)  True where something stands
    place: np.ndarray  # (B,)  where the key asked for stands
    answer: np.ndarray  # (B, V)  the digit beside it, one-hot


class Run(NamedTuple):
    """What a training run leaves."""

    parameters: dict  # by name, with the shapes of SHAPES
    steps: np.ndarray  # (N,)  at which it was measured
    accuracy: np.ndarray  # (N,)  the share of 1000 new questions whose largest weight stands on the place asked for
    baseline: np.ndarray  # (N,)  where the baseline stood; zeros where none was used


# The task


def keyed_digits(rng, n, shortest=SHORTEST, longest=LONGEST):
    """Draw `n` sequences of `shortest` to `longest` keyed digits, padded to `longest`. Returns a Batch, in float32.

    Raises ValueError for lengths that leave nothing to ask for, or that need more keys than there are.
    """
    if not 1 <= shortest <= longest <= D:
        raise ValueError(f"lengths: expected 1 <= shortest <= longest <= {D}, got {shortest} and {longest}")
    lengths = rng.integers(shortest, longest + 1, size=n)
    mask = np.arange(longest) < lengths[:, None]                               # (B, S)
    keys = rng.random((n, D)).argsort(axis=1)[:, :longest]                     # (B, S), none twice in a row
    digits = rng.integers(V, size=(n, longest))                                # (B, S)
    place, rows = rng.integers(lengths), np.arange(n)                          # (B,) both
    memory = np.concatenate([one_hot(keys, D), one_hot(digits, V)], axis=-1)   # (B, S, E)
    state, answer = one_hot(keys[rows, place], D), one_hot(digits[rows, place], V)
    return Batch(state, memory * mask[..., None], mask, place, answer)


def one_hot(ids, size):
    """Ids (...) below `size` as rows (..., size) that are 1 at the id and 0 elsewhere, in float32."""
    return np.eye(size, dtype=np.float32)[ids]


def spell(batch, row):
    """Sequence `row` as people would write it: a list such as ["c7", "x1", "a4"], and the key asked for, "a"."""
    items = batch.memory[row, batch.mask[row]]                                 # (S, E), without the padding
    keys, digits = items[:, :D].argmax(axis=1), items[:, D:].argmax(axis=1)
    return [KEYS[k] + DIGITS[d] for k, d in zip(keys, digits, strict=True)], KEYS[batch.state[row].argmax()]


def questions(batch, row):
    """Sequence `row` once for each of its keys, which is what is asked for: a Batch of as many sequences."""
    memory = batch.memory[row, batch.mask[row]]                                # (n, E), without the padding
    n = len(memory)
    every = np.broadcast_to(memory, (n, *memory.shape))
    return Batch(memory[:, :D], every, np.ones((n, n), bool), np.arange(n), memory[:, D:])


# The model


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


# Rewards, (B,): one number for each sequence


def log_likelihood(probabilities, answer):
    """log p of the right digit: below 0 whatever was chosen, and about -2.3 for a guess among ten."""
    return np.log((probabilities * answer).sum(axis=1) + 1e-12)


def right_or_wrong(probabilities, answer):
    """1 where the likeliest digit is the right one, else 0."""
    return (probabilities.argmax(axis=1) == answer.argmax(axis=1)).astype(np.float32)


# Training


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
    vector = flatten(initial_parameters(rng)).astype(np.float32)
    parameters, optimiser, baseline, measured = views(vector, SHAPES), Adam(len(vector)), 0.0, []
    test = keyed_digits(rng, 1000)
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
        gradient = gradients(parameters, batch, features, looked_at, probabilities, -uphill / BATCH)
        optimiser.step(vector, clip(flatten(gradient).astype(np.float32)), RATE)
        baseline = float(move(baseline, rewards)) if move else baseline
    when, right, baselines = np.array(measured).T
    return Run(parameters, when.astype(int), right, baselines)


def gradients(parameters, batch, features, seen, probabilities, d_scores):
    """The gradient of the loss in every parameter, by name.

    d_scores (B, S) comes from an estimate and reaches W, U and v; R gets the gradient of the mean of -log p[answer],
    given what was seen (B, E).
    """
    d_sums = d_scores[:, :, None] * parameters["v"] * (1 - features * features)    # (B, S, A), before the tanh
    return {
        "W": batch.state.T @ d_sums.sum(axis=1),
        "U": rows(batch.memory).T @ rows(d_sums),
        "v": rows(features).T @ d_scores.ravel(),
        "R": seen.T @ ((probabilities - batch.answer) / len(seen)),
    }


def rows(array):
    """All positions of all sequences one below the other: (B, S, N) becomes (B S, N)."""
    return array.reshape(-1, array.shape[-1])


def entropy_gradient(weights):
    """The gradient in the scores of the entropy -Σ α log α of each row: -α (log α + entropy). weights (B, S)."""
    logs = np.log(np.where(weights > 0, weights, 1))                           # 0 where the weight is 0
    entropy = -(weights * logs).sum(axis=1, keepdims=True)                     # (B, 1)
    return -weights * (logs + entropy)


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
