"""Train the Transformer of `coursekit.models.transformer`, with targets, masks, rate and loss that the caller brings.

    told, wanted   = shifted_targets(target, START, END)          what the decoder is told, what it should answer
    masks          = attention_masks(source, told)                where each of the three attentions may look
    logits         = model.forward(source, told, masks)
    loss, d_logits = smoothed_cross_entropy(logits, wanted, smoothing)
    θ             ← one step of Adam, at the rate factor · learning_rate(step, d_model, warmup)

Adam has the paper's settings, β2 = 0.98 and ε = 1e-9 (Vaswani et al. 2017, section 5.3). Unlike the paper this clips
the gradient's norm at 1, as the course's other trainers do, and has no dropout.

B batch, S source positions, T target positions, V tokens.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from coursekit.models.transformer import Design, Transformer, initial_parameters, parameter_shapes
from coursekit.optimiser import views
from coursekit.parts import returned
from coursekit.tasks import bleu
from coursekit.tasks.dates import SOURCE, TARGET, date_pairs, split_days
from coursekit.tasks.phrases import ENGLISH, FRENCH, phrase_pairs
from coursekit.tasks.tokens import END, PAD, START, Tokens
from coursekit.training import Training


class Parts(NamedTuple):
    """The functions that a trainer is given.

        shifted_targets(target (B, T), start, end) -> told (B, T + 1), wanted (B, T + 1)
        attention_masks(source (B, S), told (B, T)) -> (B, S, S), (B, T, T), (B, T, S), True where one may look
        learning_rate(step, d_model, warmup) -> a number; the first step is 1
        smoothed_cross_entropy(logits (B, T, V), wanted (B, T), epsilon) -> loss, d_logits (B, T, V)
    """

    shifted_targets: Callable
    attention_masks: Callable
    learning_rate: Callable
    smoothed_cross_entropy: Callable


class Task(NamedTuple):
    """Something to translate: its tokens, pairs to learn from and others to be tested with, and how long they are.

    drawn(rng, n) and unseen(rng, n) give two lists of n texts.
    """

    tokens: Tokens
    drawn: Callable
    unseen: Callable
    longest: int


class Batch(NamedTuple):
    """Pairs of texts as the model takes them, padded at the right."""

    source: np.ndarray  # (B, S) ids
    target: np.ndarray  # (B, T) ids, without START and END


def dates(seed):
    """Dates as people write them into ISO 8601, a character being a token. The seed decides which days are unseen."""
    days, unseen = split_days(np.random.default_rng([seed, 0]))
    return Task(Tokens(SOURCE.characters + TARGET.characters), lambda rng, n: date_pairs(rng, days, n),
                lambda rng, n: date_pairs(rng, unseen, n), longest=11)


def phrases(lengths=(5, 30)):
    """Toy English into toy French, a word being a token."""

    def drawn(rng, n):
        return phrase_pairs(rng, n, lengths)

    return Task(Tokens([*ENGLISH.words, *FRENCH.words], " "), drawn, drawn, longest=60)


class TransformerTrainer(Training):
    """A Transformer that starts from random numbers and learns.

        trainer = TransformerTrainer(seed=0, parts=Parts(...), task=dates(0))
        trainer.train(1000)
        trainer.exact_match(500)                    the share of unseen texts that it writes without a mistake
        trainer.translate(["3rd of May 2009"])

    The seed decides the first parameters and the batches. `losses` lists the mean loss of a token at each step so far,
    `model` is the Transformer, `parameters` holds its arrays by name, float32.
    """

    def __init__(self, seed, parts, task, d_model=64, heads=4, d_ff=128, layers=1, design=None, warmup=200, factor=0.5,
                 smoothing=0.1):
        self.parts, self.task, self.rng = parts, task, np.random.default_rng([seed, 2])
        self.d_model, self.warmup, self.factor, self.smoothing = d_model, warmup, factor, smoothing
        shapes = parameter_shapes(len(task.tokens), d_model, d_ff, layers, design)
        super().__init__(initial_parameters(np.random.default_rng([seed, 1]), shapes), beta2=0.98, epsilon=1e-9)
        self.slope = np.zeros_like(self.vector)
        self.model = Transformer(self.parameters, heads, design or Design(), views(self.slope, shapes))

    def train(self, steps, batch_size=64, tell=0):
        """Take `steps` steps, each on a batch of new pairs; print the loss after every `tell` of them, if not 0."""

        def gradient_of(_):
            return self.loss(self.batch(*self.task.drawn(self.rng, batch_size))), self.model.g

        self.run(steps, gradient_of, self.learning_rate, tell)

    def step(self, batch):
        """Take one step on this Batch."""
        self.run(1, lambda _: (self.loss(batch), self.model.g), self.learning_rate)

    def learning_rate(self, step):
        """The rate of a step, of which the first is 1."""
        return self.factor * float(self.parts.learning_rate(step, self.d_model, self.warmup))

    def loss(self, batch):
        """The mean loss of a token of a Batch, whose gradient is in `slope` afterwards, and by name in `model.g`.

        Raises ValueError when something that one of the `parts` returns does not fit.
        """
        sizes = dict(zip("BS", batch.source.shape, strict=True)) | {"T": batch.target.shape[1] + 1}
        found = self.parts.shifted_targets(batch.target, START, END)
        told, wanted = returned("shifted_targets", found, sizes, told="B T", wanted="B T")
        logits = self.model.forward(batch.source, told, self.masks(batch.source, told, sizes))
        found = self.parts.smoothed_cross_entropy(logits, wanted, self.smoothing)
        sizes["V"] = logits.shape[-1]
        loss, d_logits = returned("smoothed_cross_entropy", found, sizes, loss="", d_logits="B T V")
        self.slope[:] = 0
        self.model.backward(np.asarray(d_logits, logits.dtype))
        return float(loss)

    def masks(self, source, told, sizes):
        """The three masks; without its causal half the one of the decoder hides padding alone."""
        axes = {"encoder mask": "B S S", "decoder mask": "B T T", "cross mask": "B T S"}
        masks = returned("attention_masks", self.parts.attention_masks(source, told), sizes, **axes)
        encoder, decoder, cross = (np.asarray(mask, bool) for mask in masks)
        return encoder, decoder if self.model.design.causal else (told != PAD)[:, None], cross

    def batch(self, texts, right):
        """A Batch of these texts and their translations."""
        return Batch(self.task.tokens.encode(texts), self.task.tokens.encode(right))

    def translate(self, texts):
        """Translate B texts, always by the likeliest token. Returns B texts."""
        return self.task.tokens.decode(self.model.greedy(self.task.tokens.encode(texts), self.task.longest))

    def exact_match(self, n, seed=0):
        """The share of `n` unseen texts that are translated to the last token."""
        texts, right = self.task.unseen(np.random.default_rng(seed), n)
        return float(np.mean(np.array(self.translate(texts)) == np.array(right)))

    def bleu(self, n, seed=2015):
        """The BLEU of `n` unseen texts, 0 to 100."""
        texts, right = self.task.unseen(np.random.default_rng(seed), n)
        return bleu.bleu(self.translate(texts), right)
