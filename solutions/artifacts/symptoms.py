"""A museum of bugs: small Transformers that translate dates, each trained with one bug, and a healthy one beside them.

All are trained by `coursekit.trainers.transformer` from the same first parameters on the same batches, for as many
steps, with lab 10's reference solutions but for the one thing that is wrong. Nothing is smoothed, so that the least
possible loss is 0. A bug that stands in the masks or in attention is there when the model writes, too.

B batch, S source positions, T target positions, h heads of width d_k, V tokens.
"""

from typing import NamedTuple

import numpy as np

from coursekit.layers.basics import outer
from coursekit.layers.transformer import Attention
from coursekit.models import transformer
from coursekit.models.transformer import Transformer
from coursekit.tasks.tokens import END, PAD, START
from coursekit.trainers import transformer as transformer_trainer
from coursekit.trainers.transformer import Parts, TransformerTrainer
from solutions.artifacts.measures import smoothed
from solutions.lab10_train_a_transformer import reference

SEED, STEPS, EVERY, TESTED = 0, 600, 10, 300
TEXT, EXTRA = "3 May 2009", 6  # the text of the heatmaps, and the padding behind it there
PADDINGS = (0, 10, 20, 40)  # columns of padding behind a batch, with which it is written anew

RIGHT = Parts(reference.shifted_targets, reference.attention_masks, reference.learning_rate,
              reference.smoothed_cross_entropy)


# The bugs


def not_shifted(target, start, end):
    """The decoder is told the very token that it should answer."""
    _, wanted = reference.shifted_targets(target, start, end)
    return wanted, wanted


def inverted(source, told):
    """The encoder, and the decoder in the memory, may look where padding stands, and nowhere else."""
    encoder, decoder, cross = reference.attention_masks(source, told)
    return ~encoder, decoder, ~cross


def padding_seen(source, told):
    """The encoder, and the decoder in the memory, may look at padding too."""
    encoder, decoder, cross = reference.attention_masks(source, told)
    return np.ones_like(encoder), decoder, np.ones_like(cross)


class OverQueries(Attention):
    """The softmax runs over the queries: what one key gives to all of them sums to 1."""

    axis = -2


class NotTransposed(Attention):
    """The heads are cut by a reshape alone: the right shape, but a head holds all of some positions."""

    def split(self, x):
        return x.reshape(x.shape[0], self.heads, x.shape[1], -1)                   # (B, h, T, d_k)

    def merge(self, x):
        return x.reshape(x.shape[0], x.shape[2], -1)                               # (B, T, d_model)


class WithACopy(Transformer):
    """The output matrix is a copy of the table, made before training, which the optimiser does not know."""

    def decode(self, *args):
        super().decode(*args)
        return self.last @ self.copy.T                                             # (B, T, V)

    def backward(self, d_logits):
        table, self.p["embedding"] = self.p["embedding"], self.copy
        super().backward(d_logits)
        self.p["embedding"] = table
        self.g["embedding"] -= outer(d_logits, self.last)                      # this part belongs to the copy


class Exhibit(NamedTuple):
    """What a run is trained with; `factor` multiplies the rate of the schedule."""

    parts: Parts = RIGHT
    attention: type = Attention
    model: type = Transformer
    scaled: bool = True
    factor: float = 0.5
    heads: int = 4


EXHIBITS = {
    "healthy": Exhibit(),
    "not_shifted": Exhibit(RIGHT._replace(shifted_targets=not_shifted)),
    "inverted": Exhibit(RIGHT._replace(attention_masks=inverted)),
    "over_queries": Exhibit(attention=OverQueries),
    "not_scaled": Exhibit(scaled=False),
    "padding_seen": Exhibit(RIGHT._replace(attention_masks=padding_seen)),
    "too_fast": Exhibit(factor=8.0),
    "with_a_copy": Exhibit(model=WithACopy),
    "not_transposed": Exhibit(attention=NotTransposed),
}


# Training and measuring


def make(exhibits=None, steps=STEPS):
    """Of each exhibit its curves and pictures, by name: see `measured`."""
    arrays = {"steps": np.arange(EVERY, steps + 1, EVERY), "paddings": np.array(PADDINGS)}
    for name, exhibit in (exhibits or EXHIBITS).items():
        found = measured(exhibit, steps)
        arrays |= {f"{name}.{what}": array for what, array in found.items()}
    return arrays | {"about.seed": np.array(SEED)}



def trainer_of(exhibit, seed=SEED, **sizes):
    """A trainer with the exhibit's bug in its place."""
    design = transformer.Design(scaled=exhibit.scaled)
    trainer = TransformerTrainer(seed, exhibit.parts, transformer_trainer.dates(seed), heads=exhibit.heads,
                                 design=design, factor=exhibit.factor, smoothing=0.0, **sizes)
    return with_bugs(trainer, exhibit.model, exhibit.attention)


def with_bugs(trainer, model, attention):
    """The trainer, its model and each of its attentions now of these classes."""
    trainer.model.__class__ = model
    trainer.model.copy = trainer.parameters["embedding"].copy()
    decoder = trainer.model.decoder
    for part in [layer.self for layer in [*trainer.model.encoder, *decoder]] + [layer.cross for layer in decoder]:
        part.layer.__class__ = attention
    return trainer


def measured(exhibit, steps=STEPS):
    """Train one exhibit. Returns

        loss      (steps / EVERY,)  of a token, the mean since the mark before
        told      the share of unseen tokens that it names when it is told those before, as in training
        exact     (PADDINGS,)       the share of unseen dates that it writes by itself without a mistake
        written   what it writes for TEXT, as text
        cross, self                 (T, S + EXTRA) and (T, T): where its decoder looks, the mean of its heads
        cross_at_first              the same before training
    """
    trainer = trainer_of(exhibit)
    at_first, _ = looks(trainer, exhibit)
    trainer.train(steps)
    cross, own = looks(trainer, exhibit)
    texts, right = trainer.task.unseen(np.random.default_rng(SEED), TESTED)
    return {
        "loss": smoothed(trainer.losses, EVERY).astype(np.float32),
        "told": np.array(named(trainer, exhibit, texts, right), np.float32),
        "exact": np.array([exact(trainer, exhibit, texts, right, extra) for extra in PADDINGS], np.float32),
        "written": np.array(written(trainer, exhibit, [TEXT], EXTRA)),
        "cross": cross.astype(np.float32),
        "self": own.astype(np.float32),
        "cross_at_first": at_first.astype(np.float32),
    }


def padded(ids, extra):
    """Ids (B, S) with `extra` columns of padding behind them."""
    return np.pad(ids, ((0, 0), (0, extra)), constant_values=PAD)


def looks(trainer, exhibit):
    """Where the decoder looks while it is told the translation of TEXT: (T, S + EXTRA) and (T, T)."""
    source, right = padded(trainer.task.tokens.encode([TEXT]), EXTRA), trainer.task.tokens.encode(["2009-05-03"])
    told, _ = exhibit.parts.shifted_targets(right, START, END)
    trainer.model.forward(source, told, exhibit.parts.attention_masks(source, told))
    layer = trainer.model.decoder[-1]
    return (layer.cross.layer.weights[0].mean(axis=0), layer.self.layer.weights[0].mean(axis=0))


def named(trainer, exhibit, texts, right):
    """The share of tokens that the model names when it is told what it was told in training."""
    batch = trainer.batch(texts, right)
    told, wanted = exhibit.parts.shifted_targets(batch.target, START, END)
    logits = trainer.model.forward(batch.source, told, exhibit.parts.attention_masks(batch.source, told))
    return float((logits.argmax(axis=-1) == wanted).mean())


def exact(trainer, exhibit, texts, right, extra):
    """The share of texts that are written without a mistake, with `extra` columns of padding behind them."""
    return float(np.mean(np.array(written(trainer, exhibit, texts, extra)) == np.array(right)))


def written(trainer, exhibit, texts, extra):
    """What the model writes, the likeliest token each time, told nothing but what it wrote: B texts."""
    source = padded(trainer.task.tokens.encode(texts), extra)
    told = np.full((len(texts), 1), START)
    for _ in range(trainer.task.longest):
        logits = trainer.model.forward(source, told, exhibit.parts.attention_masks(source, told))
        told = np.concatenate([told, logits[:, -1].argmax(axis=-1)[:, None]], axis=1)
    return trainer.task.tokens.decode(told[:, 1:])
