"""Train the Describer of `coursekit.models.describer`, on boards to be described or on speech to be written down.

    vectors, mask, texts = task.drawn(rng, B)
    logits               = model.forward(vectors, mask, ids[:, :-1])
    loss                 = next_token_loss(logits, ids, mask of what is no padding)
    θ                   ← one step of Adam, gradient clipped at 1

How an image is cut into patches and what is heard in a sound, the caller says. The rate rises for WARMUP steps and then
falls along a cosine.

B batch, S vectors, n numbers in each, T tokens, V tokens that can be written.
"""

import math
from collections.abc import Callable
from functools import cache, partial
from typing import NamedTuple

import numpy as np

from coursekit.models.describer import Describer, describer_shapes
from coursekit.models.encoder import initial_parameters
from coursekit.optimiser import views
from coursekit.parts import returned
from coursekit.tasks import boards, digits, syllables
from coursekit.tasks.tokens import END, PAD, START, Tokens
from coursekit.training import Training

WARMUP, LEAST, BATCH = 100, 0.05, 64  # steps; what is left of the rate at the end
PATCH = 4  # pixels along a side of a patch of a board
SLICES, STACKED, SPOKEN = 60, 2, 7680  # of sound at most; frames that make a slice; utterances to learn from
WINDOW, HOP, MELS = 256, 160, 32  # samples; filters
MEAN, SPREAD = -5.5, 3.0  # about those of a logarithm of power, which are taken out
SMALL = 0.5  # standard deviation of the tables at first: from 0.05 positions were found too late, or never


class Task(NamedTuple):
    """Something to describe: its tokens, and what is drawn to learn from and to be tested with.

    drawn(rng, B) and unseen(rng, B) give Seen.
    """

    tokens: Tokens
    drawn: Callable
    unseen: Callable
    n: int
    S: int
    longest: int
    encoder_layers: int


class Seen(NamedTuple):
    """Vectors, what is to be written, and where each word of it is to be found."""

    vectors: np.ndarray  # (B, S, n) float32
    mask: np.ndarray  # (B, S)  True where a real vector stands
    texts: list
    boxes: list  # of each text an array with a row for each of its tokens that has a place


def captions(patchify):
    """Boards, cut by patchify(images (B, 24, 24), 4) into (B, 36, 16). Boxes are (2, 4), in patches, of the digits."""
    learned, unseen = digits.split()

    def drawn(some, rng, n):
        seen = boards.boards(rng, n, some)
        vectors = np.asarray(patchify(seen.images, PATCH), np.float32) - 0.15      # so that the mean is nearer to 0
        return Seen(vectors, np.ones(vectors.shape[:2], bool), seen.captions, list(seen.boxes // PATCH))

    n, S = PATCH**2, (boards.SIDE // PATCH) ** 2
    return Task(boards.TOKENS, partial(drawn, learned), partial(drawn, unseen), n, S, longest=4, encoder_layers=2)


def speech(hear, say=syllables.utterance):
    """Syllables, said by say(rng) as an Utterance and heard by hear(signal (n,)) as frames (F, MELS). Boxes are (T, 2),
    in slices. There are SPOKEN utterances to learn from, each of which is said once and kept."""
    @cache
    def number(i):
        return heard(say(np.random.default_rng([2016, i])), hear)

    def drawn(rng, n):
        return batch([number(int(i)) for i in rng.integers(SPOKEN, size=n)])

    def unseen(rng, n):
        return batch([heard(say(rng), hear) for _ in range(n)])

    return Task(syllables.TOKENS, drawn, unseen, STACKED * MELS, SLICES,
                longest=syllables.LONGEST + 1, encoder_layers=1)


def heard(utterance, hear):
    """The slices of an utterance (S, n), its text, and in which slices each syllable sounds, (T, 2)."""
    slices = sliced(hear(utterance.signal))[:SLICES]
    begin, end = utterance.spans.T
    step = STACKED * HOP
    first = np.maximum((begin - (step - HOP + WINDOW)) // step + 1, 0)             # the first that reaches into it
    return slices, utterance.text, np.stack([first, np.minimum(-(-end // step), len(slices))], axis=1)


def sliced(frames):
    """Frames (F, M) as slices of two, (F // 2, 2 M), float32, about from -2 to 2."""
    F, M = np.shape(frames)
    pairs = np.asarray(frames)[: F // STACKED * STACKED].reshape(-1, STACKED * M)
    return ((pairs - MEAN) / SPREAD).astype(np.float32)


def batch(found):
    """Seen, from what `heard` returns for each utterance."""
    rows, texts, boxes = zip(*found, strict=True)
    vectors, mask = np.zeros((len(rows), SLICES, rows[0].shape[1]), np.float32), np.zeros((len(rows), SLICES), bool)
    for i, row in enumerate(rows):
        vectors[i, : len(row)], mask[i, : len(row)] = row, True
    return Seen(vectors, mask, list(texts), list(boxes))


def ids(texts, tokens):
    """START, the tokens of each text, END, and padding: (B, T)."""
    rows = [[START, *map(tokens.id, tokens.split(text)), END] for text in texts]
    T = max(map(len, rows))
    return np.array([row + [PAD] * (T - len(row)) for row in rows])


class DescriberTrainer(Training):
    """A Describer that starts from random numbers and learns.

        trainer = DescriberTrainer(seed=0, task=captions(patchify), next_token_loss=next_token_loss, steps=1200)
        trainer.train(1200)
        ids, looks = trainer.model.write(seen.vectors, seen.mask)

    next_token_loss(logits (B, T, V), ids (B, T), mask (B, T)) -> loss, d_logits (B, T, V): position t is judged on ids
    t + 1, mask is True where a token counts as a target.

    The seed decides the first parameters and what is drawn. `losses` lists the mean loss of a token at each step,
    `model` is the Describer, `parameters` holds its arrays by name, float32.
    """

    def __init__(self, seed, task, next_token_loss, steps, d_model=48, heads=4, d_ff=96, rate=3e-3):
        self.task, self.next_token_loss, self.steps, self.rate = task, next_token_loss, steps, rate
        self.rng = np.random.default_rng([seed, 2])
        shapes = describer_shapes(task.n, task.S, len(task.tokens), task.longest, d_model, d_ff, task.encoder_layers)
        super().__init__(initial_parameters(np.random.default_rng([seed, 1]), shapes, SMALL))
        self.slope = np.zeros_like(self.vector)
        self.model = Describer(self.parameters, heads, views(self.slope, shapes))

    def train(self, steps, tell=0):
        """Take `steps` steps, each on a batch of what is drawn; print the loss after every `tell` of them, if not 0."""

        def gradient_of(_):
            return self.loss(self.task.drawn(self.rng, BATCH)), self.model.g

        self.run(steps, gradient_of, self.learning_rate, tell)

    def learning_rate(self, step):
        """The rate of a step, of which the first is 1."""
        left = 0.5 + 0.5 * math.cos(math.pi * min(step / self.steps, 1))
        return self.rate * min(1.0, step / WARMUP) * max(LEAST, left)

    def loss(self, seen):
        """The mean loss of a token of what is Seen, whose gradient is in `model.g` afterwards.

        Raises ValueError when what `next_token_loss` returns does not fit.
        """
        told = ids(seen.texts, self.task.tokens)
        logits = self.model.forward(seen.vectors, seen.mask, told[:, :-1])
        padded = np.concatenate([logits, np.zeros_like(logits[:, :1])], axis=1)    # the last token is told nobody
        found = self.next_token_loss(padded, told, told != PAD)
        sizes = dict(zip("BTV", padded.shape, strict=True))
        loss, d_logits = returned("next_token_loss", found, sizes, loss="", d_logits="B T V")
        self.slope[:] = 0
        self.model.backward(np.asarray(d_logits, logits.dtype)[:, :-1])
        return float(loss)
