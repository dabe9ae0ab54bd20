"""Train the decoders that chapter 17 and lab 17 open, which say the next letter of a text that repeats, and keep one.

From each of five seeds one of two layers and one of one; and for comparison one of one layer whose texts all repeat
with the same period from the first letter on, so that a position is enough. A head is *found* by its scores, those of
lab 17's reference on texts of one period; what it is worth is measured by silencing it.
"""

import numpy as np

from coursekit.models.attention_only import AttentionOnly, initial_parameters, parameter_shapes
from coursekit.optimiser import views
from coursekit.tasks import repeats
from coursekit.training import Training
from solutions.lab13_language_model.reference import next_token_loss
from solutions.lab17_inside_heads.reference import induction_score, previous_token_score

SEEDS, STEPS, HEADS = (0, 1, 2, 3, 4), 600, 4
BATCH, RATE, WARMUP, STAYS, EVERY = 64, 3e-3, 50, 0.6, 20
TESTED, SCORED_AT, FOUND = 256, 12, 0.3  # texts; the period of scores; the score from which a head is found
FIXED = {"period": (SCORED_AT, SCORED_AT + 1), "prefix": (0, 1)}  # always the same


class Repeater(Training):
    """A decoder of so many layers that learns texts of `repeats`, all of which are drawn with these `options`."""

    def __init__(self, seed, layers=2, **options):
        shapes = parameter_shapes(len(repeats.TOKENS), 64, repeats.T + 1, layers)
        super().__init__(initial_parameters(np.random.default_rng([seed, 1]), shapes))
        self.rng, self.options, self.slope = np.random.default_rng([seed, 2]), options, np.zeros_like(self.vector)
        self.model = AttentionOnly(self.parameters, HEADS, views(self.slope, shapes))

    def train(self, steps):
        """Take `steps` steps, each on new texts, every token being a target."""
        self.run(steps, self._loss_and_gradient, learning_rate)
        return self

    def _loss_and_gradient(self, _):
        ids, self.slope[:] = repeats.texts(self.rng, BATCH, **self.options)[0], 0
        loss, d_logits = next_token_loss(self.model.forward(ids), ids, np.ones(ids.shape, bool))
        self.model.backward(d_logits)
        return loss, self.model.g


def make():
    """What `coursekit.load("induction")` returns: the parameters of the first seed's model of two layers, and

        about.two, about.one      the share of letters that can be known which is right, two layers and one (seeds,)
        about.cost                what silencing heads costs, as a share of what is gained by repeats (seeds, 4): all
                                  that are found, all others, those of the previous token, those of induction
        about.alone               the same of each head alone (seeds, L, HEADS)
        about.found               how many heads are found (seeds,)
        about.scores              previous-token and induction score of each head (seeds, 2, L, HEADS)
        about.curve_right, about.curve_scores  both during the training of the first seed, after each EVERY steps
        about.fixed               what one layer gets right that learned with one period, at this one and at any
    """
    curve = list(formed(SEEDS[0]))
    models = [curve[-1][0], *(Repeater(seed).train(STEPS).model for seed in SEEDS[1:])]
    fixed = Repeater(SEEDS[0], 1, **FIXED).train(STEPS).model
    return {
        **models[0].p,
        "about.heads": np.array(HEADS),
        "about.seeds": np.array(SEEDS),
        "about.steps": np.array(STEPS),
        "about.two": np.array([right(model) for model in models]),
        "about.one": np.array([right(Repeater(seed, 1).train(STEPS).model) for seed in SEEDS]),
        "about.cost": np.array([costs(model, kinds(model)) for model in models]),
        "about.alone": np.array([costs(model, single(model)).reshape(-1, HEADS) for model in models]),
        "about.found": np.array([found(model).any(axis=0).sum() for model in models]),
        "about.scores": np.array([scores(model) for model in models]),
        "about.curve_right": np.array([each[1] for each in curve]),
        "about.curve_scores": np.array([each[2] for each in curve]),
        "about.fixed": np.array([right(fixed, **FIXED), right(fixed)]),
    }


def formed(seed):
    """The model of two layers, what it gets right, and the scores of its heads, at the start and after each EVERY
    steps."""
    trainer = Repeater(seed)
    yield trainer.model, right(trainer.model), scores(trainer.model)
    for _ in range(STEPS // EVERY):
        trainer.train(EVERY)
        yield trainer.model, right(trainer.model), scores(trainer.model)


def learning_rate(step):
    """The rate of a step, of which the first is 1: it rises, stays, and falls along a line."""
    return RATE * min(1.0, step / WARMUP, (STEPS + 1 - step) / ((1 - STAYS) * STEPS))


def right(model, **options):
    """The share of the letters of TESTED texts that can be known which the model holds likeliest."""
    ids, known = repeats.texts(np.random.default_rng(2021), TESTED, **options)
    return float((model.forward(ids[:, :-1]).argmax(axis=-1) == ids[:, 1:])[known[:, 1:]].mean())


def scores(model):
    """The previous-token and the induction score of each head, (2, L, h), over TESTED texts, START left out."""
    ids, _ = repeats.texts(np.random.default_rng(2022), TESTED, **FIXED)
    model.forward(ids[:, :-1])
    weights = model.weights()[..., 1:, 1:]                                         # (L, B, h, T - 1, T - 1)
    return np.stack([previous_token_score(weights).mean(axis=1), induction_score(weights, SCORED_AT).mean(axis=1)])


def found(model):
    """Which heads are found by either score, (2, L, h)."""
    return scores(model) >= FOUND


def kinds(model):
    """Sets of heads (4, L, h): all that are found, all others, those of the previous token, those of induction."""
    previous, induction = found(model)
    return np.stack([previous | induction, ~(previous | induction), previous, induction])


def single(model):
    """Each head alone, as sets of heads (L h, L, h)."""
    L = len(model.layers)
    return np.eye(L * HEADS, dtype=bool).reshape(-1, L, HEADS)


def costs(model, silent):
    """How much of what is gained by repeats is lost without each of these sets of heads (n, L, h): (n,)."""
    new, known = losses(model)
    return np.array([(losses(model.silenced(~each))[1] - known) / (new - known) for each in silent])


def losses(model):
    """The mean loss of the letters that cannot be known, and of those that can, in nats."""
    ids, known = repeats.texts(np.random.default_rng(2021), TESTED)
    logits = model.forward(ids)
    return [float(next_token_loss(logits, ids, which)[0]) for which in (~known, known)]
