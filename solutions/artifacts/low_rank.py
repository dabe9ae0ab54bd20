"""Fine-tune the decoder of chapter 14 to a grammar, by a correction of low rank of its last matrix, from many seeds.

Nothing is kept: the chapter trains it on its page. This is the promise that it makes, held by `gates`.
"""

from functools import cache

import numpy as np

from coursekit import load
from coursekit.models.llama import Llama
from coursekit.optimiser import Adam
from coursekit.tasks import grammar
from solutions.artifacts.store import ROOT
from solutions.lab00_warm_up.reference import cross_entropy, cross_entropy_backward, log_softmax
from solutions.lab14_real_weights.reference import lora, lora_backward

STEPS, BATCH, RATE, ALPHA = 240, 256, 2e-2, 2
TRAINED_ON, TESTED = 300, 200  # sentences; of the latter those count that are not among the former


def way(seed, rank):
    """How far the correction goes, in percent, from the loss before it to the least that is possible, on new sentences.

    The seed draws A, the batches, and the sentences of both kinds.
    """
    old, drawn = drawn_by(seed, TRAINED_ON), drawn_by(1000 + seed, TESTED)
    W, (seen, following, _) = decoder().p["E"].T, examples(old)
    new, right, least = examples([text for text in drawn if text not in old])
    A, B = trained(np.random.default_rng(seed), W, seen, following, rank)
    before, after = (cross_entropy(*judged(lora(new, W, A, each, ALPHA), right)) for each in (0 * B, B))
    return 100 * (before - after) / (before - least)


def trained(rng, W, seen, following, rank):
    """A (M, r) and B (r, V) after STEPS of Adam, whose rate falls along a line."""
    A = (rng.normal(size=(len(W), rank)) / len(W) ** 0.5).astype(np.float32)
    B, adam = np.zeros((rank, W.shape[1]), np.float32), [Adam(A.size), Adam(rank * W.shape[1])]
    for step in range(STEPS):
        chosen = rng.integers(len(following), size=BATCH)
        x, ids = seen[chosen], following[chosen]
        d_logits = cross_entropy_backward(*judged(lora(x, W, A, B, ALPHA), ids))[0]
        _, *gradients = lora_backward(d_logits, x, W, A, B, ALPHA)
        for array, gradient, each in zip((A, B), gradients, adam, strict=True):
            each.step(array.reshape(-1), gradient.reshape(-1), RATE * (1 - step / STEPS))
    return A, B


def judged(logits, ids):
    """Logits (N, V) and the tokens that come next, (N,), as lab 00's cross-entropy takes them."""
    return log_softmax(logits)[None], ids[None], np.ones((1, len(ids)), bool)


def drawn_by(seed, n):
    """n sentences of the grammar."""
    return grammar.sentences(np.random.default_rng(seed), n)


def examples(texts):
    """The decoder's hidden states for sentences, the tokens that come next, and the least loss of these."""
    rows = [decoder().encode(f"\n{each.capitalize()}\n") for each in texts]
    seen = np.concatenate([decoder().run(row[:-1])[0] for row in rows])
    following = np.concatenate([row[1:] for row in rows])
    return seen, following, -sum(map(grammar.log_probability, texts)) / len(following)


@cache
def decoder():
    return Llama(load(str(ROOT / "chapters" / "data" / "alice")))
