"""Train the GPT of `coursekit.models.gpt` to say the next letter of sentences of `coursekit.tasks.grammar`.

    ids            = encode(sentences)                            START, letters, END, padding
    logits         = model.forward(ids)
    loss, d_logits = next_token_loss(logits, ids, mask)           mask: what is no padding
    θ             ← one step of Adam, gradient clipped at 1

The rate rises for WARMUP steps, stays, and falls along a line over the last two fifths of the steps. Unlike GPT-2 there
is no dropout and no weight decay.

B batch, T positions, V tokens.
"""

import numpy as np

from coursekit.models.gpt import GPT, initial_parameters, parameter_shapes
from coursekit.optimiser import views
from coursekit.parts import returned
from coursekit.tasks import grammar
from coursekit.tasks.tokens import PAD
from coursekit.training import Training

WARMUP, STAYS, LEAST = 50, 0.6, 0.05  # steps; the share of the steps after which the rate falls; what is left of it
CONTEXT = 96  # positions: more than the longest sentence has


class GPTTrainer(Training):
    """A GPT that starts from random numbers and learns the grammar.

        trainer = GPTTrainer(seed=0, next_token_loss=next_token_loss, steps=1000)
        trainer.train(1000)
        trainer.test(500)                       its loss on other sentences, and the least that was possible on these
        trainer.grammatical(200)                the share of what it writes that is grammatical

    next_token_loss(logits (B, T, V), ids (B, T), mask (B, T)) -> loss, d_logits (B, T, V): position t is judged on ids
    t + 1, mask is True where a token counts as a target.

    The seed decides the first parameters and the sentences. `losses` lists the mean loss of a token at each step so
    far, `model` is the GPT, `parameters` holds its arrays by name, float32.
    """

    def __init__(self, seed, next_token_loss, steps=1000, d_model=64, heads=4, d_ff=256, layers=2, rate=4e-3):
        self.next_token_loss, self.steps, self.rate = next_token_loss, steps, rate
        self.rng = np.random.default_rng([seed, 2])
        shapes = parameter_shapes(len(grammar.TOKENS), CONTEXT, d_model, d_ff, layers)
        super().__init__(initial_parameters(np.random.default_rng([seed, 1]), shapes))
        self.slope = np.zeros_like(self.vector)
        self.model = GPT(self.parameters, heads, views(self.slope, shapes))

    def train(self, steps, batch_size=32, tell=0):
        """Take `steps` steps, each on a batch of new sentences; print the loss after every `tell` of them, if not 0."""

        def gradient_of(_):
            return self.loss(grammar.encode(grammar.sentences(self.rng, batch_size))), self.model.g

        self.run(steps, gradient_of, self.learning_rate, tell)

    def learning_rate(self, step):
        """The rate of a step, of which the first is 1."""
        left = (self.steps - step) / ((1 - STAYS) * self.steps)
        return self.rate * min(1.0, step / WARMUP, max(LEAST, left))

    def loss(self, ids):
        """The mean loss of a token of ids (B, T), whose gradient is in `slope` afterwards, and by name in `model.g`.

        Raises ValueError when what `next_token_loss` returns does not fit.
        """
        logits = self.model.forward(ids)
        found = self.next_token_loss(logits, ids, ids != PAD)
        sizes = dict(zip("BTV", logits.shape, strict=True))
        loss, d_logits = returned("next_token_loss", found, sizes, loss="", d_logits="B T V")
        self.slope[:] = 0
        self.model.backward(np.asarray(d_logits, logits.dtype))
        return float(loss)

    def test(self, n, seed=1):
        """The loss on n sentences of another seed than training's, and the least that was possible on these: what the
        grammar itself pays for them. Both are in nats a token, END counted."""
        texts = grammar.sentences(np.random.default_rng([2019, seed]), n)
        ids = grammar.encode(texts)
        counts = ids[:, 1:] != PAD                                                 # (n, T - 1)
        losses = [self.next_token_loss(self.model.forward(row), row, row != PAD)[0] for row in ids[:, None]]
        least = -sum(map(grammar.log_probability, texts)) / counts.sum()
        return float(np.average(losses, weights=counts.sum(axis=1))), least

    def grammatical(self, n, seed=1):
        """The share of n texts, drawn from the model's own probabilities, that are sentences of the grammar."""
        uniforms = np.random.default_rng([2019, seed]).random((n, CONTEXT - 1))
        parts = np.array_split(uniforms, -(-n // 50))  # so many at once fit into a small machine
        texts = [text for part in parts for text in grammar.TOKENS.decode(self.model.write(part))]
        return float(np.mean([grammar.is_grammatical(text) for text in texts]))
