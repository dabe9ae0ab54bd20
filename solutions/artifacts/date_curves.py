"""How dates are learned with attention and with one fixed vector: the curves of chapter 3, and where its models look.

Both models are trained by `coursekit.trainers.dates` from the same seeds on the same batches, for the same number of
steps. They differ in what the decoder is told of the source at each step: a context of its own, or always the same
vector of the same width, [forward state after the last character ; backward state after the first]. All parameters are
counted for both, though the second never uses those of attention.
"""

import numpy as np

from coursekit.tasks.dates import date_pairs
from coursekit.trainers.dates import DateTrainer
from solutions.artifacts import date_translator
from solutions.artifacts.measures import smoothed

SEEDS, EVERY, MARKS = (0, 1, 2), 50, 20  # measured after 50, 100, … 1000 steps
TESTED = 500  # texts of days that training never saw, the same ones at each mark
LOOKED_AT = 8  # the mark (of step 400) at which the alignments are measured


def one_vector(query, keys, memory, mask, v):
    """What both directions hold when they have read everything, at every step; nothing is weighed."""
    half = memory.shape[-1] // 2
    ends = np.concatenate([memory[:, -1, :half], memory[:, 0, half:]], axis=-1)    # (B, E)
    return ends, np.zeros(mask.shape, memory.dtype)


def one_vector_backward(d_context, query, keys, memory, weights, v):
    """Query, keys and v have no say."""
    return np.zeros_like(query), np.zeros_like(keys), np.zeros_like(v)


def one_vector_steps_backward(states, memory, weights, d_contexts, d_queries, d_keys, U):
    """Every step was told the same vector, so its gradients add up, at the two places that it was taken from."""
    half, d_W = memory.shape[-1] // 2, np.zeros((states.shape[-1], U.shape[-1]), U.dtype)
    d_memory, d_vector = np.zeros_like(memory), d_contexts.sum(axis=1)
    d_memory[:, -1, :half] += d_vector[:, :half]
    d_memory[:, 0, half:] += d_vector[:, half:]
    return d_W, np.zeros_like(U), d_memory


ATTENTION = date_translator.PARTS
FIXED = ATTENTION._replace(
    attend=one_vector, attend_backward=one_vector_backward, steps_backward=one_vector_steps_backward
)


def make():
    """The curves, by model: exact match (seeds, marks) and mean loss since the mark before (seeds, marks).

    And `on_digit` (seeds, 10): the share of texts in which the largest weight at output i lies on the very digit of the
    source that is copied there; 0 where nothing is copied.
    """
    attention = [curve(seed, ATTENTION) for seed in SEEDS]
    fixed = [curve(seed, FIXED) for seed in SEEDS]
    return {
        "steps": np.arange(1, MARKS + 1, dtype=np.float32) * EVERY,
        **_stacked("attention", attention),
        **_stacked("fixed", fixed),
        "on_digit": np.array([on_digit for _, _, on_digit in attention], np.float32),
        "about.seeds": np.array(SEEDS),
    }



def _stacked(name, curves):
    exact, losses, _ = zip(*curves, strict=True)
    return {f"{name}.exact": np.array(exact, np.float32), f"{name}.loss": np.array(losses, np.float32)}


def curve(seed, parts, marks=MARKS, every=EVERY):
    """Train from `seed`. Returns exact match and mean loss at each mark, and where the model looked at LOOKED_AT."""
    trainer, exact, on_digit = DateTrainer(seed, parts), [], np.zeros(10)
    for mark in range(1, marks + 1):
        trainer.train(every)
        exact.append(trainer.exact_match(TESTED))
        if mark == LOOKED_AT:
            on_digit = darkest_on_digit(trainer, *date_pairs(np.random.default_rng(0), trainer.unseen, TESTED))
    return exact, smoothed(trainer.losses, every), on_digit


def darkest_on_digit(trainer, texts, isos):
    """Of the texts in which output i is copied, the share whose largest weight lies on the copied digit: (10,)."""
    _, weights = trainer.translate(texts)                                          # (B, T, S)
    places = np.array([copied_places(text, iso) for text, iso in zip(texts, isos, strict=True)])   # (B, T)
    hits = (weights.argmax(axis=-1) == places) & (places >= 0)
    return hits.sum(axis=0) / np.maximum((places >= 0).sum(axis=0), 1)


def copied_places(text, iso):
    """For each of the ten outputs, the place in `text` of the digit that it copies, -1 where it copies none."""
    places, year, day = np.full(10, -1), text.index(iso[:4]), str(int(iso[8:]))
    places[:4] = np.arange(year, year + 4)
    start = text.replace(iso[:4], "____").index(day)
    places[10 - len(day) :] = np.arange(start, start + len(day))
    return places
