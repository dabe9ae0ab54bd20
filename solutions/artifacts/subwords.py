"""Train small language models to say the next token of this book's prose, in vocabularies of five sizes: chapter 11's.

    x = the rows of E of the last 8 tokens, side by side           (B, 8 d)
    p(next) = softmax(tanh(x W_1 + b_1) W_2 Eᵀ + b_2)              (B, V)

The model of Bengio et al. 2003, with one table E for what is read and what is written (Press & Wolf 2017). The tokens
are those that chapter 11 learns on its page, by byte pair encoding from nine tenths of the text.

B examples, n = 8 tokens that are read, d the width of an embedding, m of the hidden layer, V tokens.
"""

import re
from collections import Counter
from pathlib import Path

import numpy as np

from coursekit.training import Training
from solutions.artifacts.parts import cross_entropy, embedding_backward_in_order

TEXT = Path(__file__).parents[2] / "chapters" / "data" / "book.txt"
PIECE = re.compile(r"'(?:[sdmt]|ll|ve|re)| ?[^\W\d_]+| ?\d+| ?(?:[^\s\w]|_)+|\s+(?!\S)|\s+")
SIZES, SEEDS, KEPT = (256, 512, 1024, 2048, 4096), (0, 1, 2), (1024, 0)  # kept: the model of this size and seed
READ, WIDTH, HIDDEN = 8, 32, 96
BATCH, EPOCHS, RATE = 128, 8, 3e-3
BEFORE = ord("\n")  # what stands before the first token


def parts_of_the_text():
    """Nine tenths of its lines to learn from, and every tenth, held out."""
    lines = TEXT.read_text(encoding="utf-8").splitlines(keepends=True)
    return "".join(line for i, line in enumerate(lines) if i % 10 != 9), "".join(lines[9::10])


def segmented(learned, others, size):
    """{piece: its token ids} of all pieces of two texts, with a vocabulary of `size` that the first one gives.

    Of equally frequent pairs the one of the greatest bytes is merged, as in CS336.
    """
    counts = Counter(PIECE.findall(learned))
    pieces = list(dict.fromkeys([*counts, *PIECE.findall(others)]))                # those of `others` count 0 times
    ids = np.array([byte for piece in pieces for byte in (*piece.encode(), -1)])
    times = np.array([counts[piece] for piece in pieces for _ in range(len(piece.encode()) + 1)])
    vocabulary = [bytes([i]) for i in range(256)]
    while len(vocabulary) < size:
        pairs = np.where((ids[:-1] < 0) | (ids[1:] < 0), -1, (ids[:-1] << 16) + ids[1:])
        kinds, which = np.unique(pairs, return_inverse=True)
        often = np.bincount(which, times[:-1] * (pairs >= 0))
        first, second = max((divmod(int(pair), 1 << 16) for pair in kinds[often == often.max()]),
                            key=lambda pair: [vocabulary[i] for i in pair])
        at = apart(np.flatnonzero(pairs == (first << 16) + second))
        ids[at] = len(vocabulary)
        ids, times = np.delete(ids, at + 1), np.delete(times, at + 1)
        vocabulary.append(vocabulary[first] + vocabulary[second])
    return dict(zip(pieces, (row[:-1] for row in np.split(ids, np.flatnonzero(ids < 0) + 1)), strict=False))


def apart(places):
    """Those of rising `places`, from the left, that do not follow one that was taken."""
    taken = []
    for place in places.tolist():
        if not taken or place > taken[-1] + 1:
            taken.append(place)
    return np.array(taken, int)


def examples(ids):
    """What is read before each token of ids (N,): (N, READ)."""
    padded = np.concatenate([np.full(READ, BEFORE), ids])
    return np.lib.stride_tricks.sliding_window_view(padded, READ)[:-1]


def initial_parameters(rng, size, width=WIDTH, hidden=HIDDEN):
    """{name: array}. The table is drawn first."""
    E = 0.3 * rng.standard_normal((size, width))
    W_1 = 2 * (READ * width) ** -0.5 * rng.standard_normal((READ * width, hidden))
    W_2 = hidden**-0.5 * rng.standard_normal((hidden, width))
    return {"E": E, "W_1": W_1, "b_1": np.zeros(hidden), "W_2": W_2, "b_2": np.zeros(size)}


def forward(p, read):
    """Logits (B, V) after read (B, READ), and on the way x (B, READ d), h (B, m), o (B, d)."""
    x = p["E"][read].reshape(len(read), -1)
    h = np.tanh(x @ p["W_1"] + p["b_1"])
    o = h @ p["W_2"]
    return o @ p["E"].T + p["b_2"], (x, h, o)


def loss_and_gradient(p, read, target):
    """The mean of -log p[target] over target (B,) after read (B, READ), and its gradient {name: array}."""
    logits, (x, h, o) = forward(p, read)
    loss, d_logits = cross_entropy(logits[:, None], target[:, None])
    d_logits = d_logits[:, 0]                                                      # (B, V)
    d_o = d_logits @ p["E"]                                                        # (B, d)
    d_inner = (d_o @ p["W_2"].T) * (1 - h**2)                                      # (B, m)
    d_embedded = (d_inner @ p["W_1"].T).reshape(*read.shape, -1)                   # (B, READ, d)
    d_E = d_logits.T @ o + embedding_backward_in_order(d_embedded, read, len(p["E"]))
    return loss, {"E": d_E, "W_1": x.T @ d_inner, "b_1": d_inner.sum(axis=0), "W_2": h.T @ d_o,
                  "b_2": d_logits.sum(axis=0)}


def total_loss(p, ids):
    """The sum of -log p over all tokens of ids (N,), in nats."""
    read, total = examples(ids), 0.0
    for start in range(0, len(ids), 512):
        some = slice(start, start + 512)
        total += cross_entropy(forward(p, read[some])[0][:, None], ids[some, None])[0] * len(ids[some])
    return total


def train(seed, size, ids):
    """The parameters of a model that went `EPOCHS` times as many tokens of ids (N,) as there are."""
    rng = np.random.default_rng(seed)
    training, read, steps = Training(initial_parameters(rng, size)), examples(ids), EPOCHS * len(ids) // BATCH

    def gradient_of(parameters):
        some = rng.integers(len(ids), size=BATCH)
        return loss_and_gradient(parameters, read[some], ids[some])

    training.run(steps, gradient_of, lambda step: RATE * min(1, 2 * (1 - (step - 1) / steps)))  # level, then down to 0
    return training.parameters


def make():
    """What `coursekit.load("subwords")` returns.

    "sizes" and "tokens" (sizes,), how many tokens the text that was held out has in each vocabulary; "nats" and
    "nats_learned" (sizes, seeds), the total loss of that text and of the other; and the parameters of one model.
    """
    learned, held_out = parts_of_the_text()
    arrays, found = {}, {"tokens": [], "nats": [], "nats_learned": []}
    for size in SIZES:
        of_piece = segmented(learned, held_out, size)
        seen, new = (np.concatenate([of_piece[piece] for piece in PIECE.findall(text)]) for text in (learned, held_out))
        models = [train(seed, size, seen) for seed in SEEDS]
        if size == KEPT[0]:
            arrays = {name: array.copy() for name, array in models[KEPT[1]].items()}
        found["tokens"].append(len(new))
        found["nats"].append([total_loss(model, new) for model in models])
        found["nats_learned"].append([total_loss(model, seen) for model in models])
    return arrays | {name: np.array(rows) for name, rows in found.items()} | {
        "sizes": np.array(SIZES), "about.seeds": np.array(SEEDS), "about.epochs": np.array(EPOCHS)}
