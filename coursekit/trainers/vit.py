"""Train the ViT of `coursekit.models.vit` on the digits of `coursekit.tasks.digits`, cut into patches by the caller.

    logits = model.forward(patches)
    loss   = the mean of -log softmax(logits)[label]
    θ     ← one step of Adam, gradient clipped at 1

The rate rises for WARMUP steps and then falls along a cosine.

B images of a batch, N patches, n numbers in each, V classes.
"""

import math

import numpy as np

from coursekit.models.encoder import initial_parameters
from coursekit.models.vit import ViT, vit_shapes
from coursekit.optimiser import views
from coursekit.tasks.digits import split
from coursekit.training import Training

WARMUP, LEAST, BATCH = 100, 0.02, 64  # steps; what is left of the rate at the end; images


class ViTTrainer(Training):
    """A ViT that starts from random numbers and learns to read digits.

        trainer = ViTTrainer(seed=0, patches=patches, labels=labels)
        trainer.train(30)                              epochs
        trainer.accuracy()                             the share of held-out digits that it reads rightly

    patches   (1797, N, n), of all images in their order, and their labels (1797,); training uses those of `split`
    pool      an attention pool: then a learned query takes the place of the class token; `ViT` says how it is called
    has_class False for the model's own pool

    The seed decides the first parameters and the order of the images. `losses` lists the loss of each step so far,
    `model` is the ViT, `parameters` holds its arrays by name, float32.
    """

    def __init__(self, seed, patches, labels, pool=None, has_class=True, d_model=32, heads=4, d_ff=64, layers=2,
                 rate=3e-3, epochs=30):
        self.patches, self.labels, self.rate = np.asarray(patches, np.float32) - 0.3, labels, rate  # about its mean
        (self.learned, self.tested), self.rng = split(), np.random.default_rng([seed, 2])
        self.batches = len(self.learned) // BATCH
        self.steps = epochs * self.batches
        _, N, n = self.patches.shape
        shapes = vit_shapes(n, N, labels.max() + 1, d_model, d_ff, layers, has_class and pool is None)
        super().__init__(initial_parameters(np.random.default_rng([seed, 1]), shapes))
        self.slope = np.zeros_like(self.vector)
        self.model = ViT(self.parameters, heads, pool, views(self.slope, shapes))

    def train(self, epochs, tell=0):
        """Go through all images to learn from so many times; print the loss after every `tell` epochs, if not 0."""
        for _ in range(epochs):
            some = iter(np.array_split(self.rng.permutation(self.learned), self.batches))
            self.run(self.batches, lambda _, some=some: (self.loss(next(some)), self.model.g), self.learning_rate,
                     tell * self.batches, "image")

    def learning_rate(self, step):
        """The rate of a step, of which the first is 1."""
        left = 0.5 + 0.5 * math.cos(math.pi * min(step / self.steps, 1))
        return self.rate * min(1.0, step / WARMUP) * max(LEAST, left)

    def loss(self, some):
        """The mean loss of the images of these numbers (B,), whose gradient is in `model.g` afterwards."""
        logits = self.model.forward(self.patches[some])                            # (B, V)
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        p, rows = powers / powers.sum(axis=1, keepdims=True), np.arange(len(some))
        loss = -float(np.log(p[rows, self.labels[some]]).mean())
        p[rows, self.labels[some]] -= 1
        self.slope[:] = 0
        self.model.backward(p / len(some))
        return loss

    def read(self, some):
        """The digit that the model reads in each of these images, (B,)."""
        return self.model.forward(self.patches[some]).argmax(axis=1)

    def accuracy(self):
        """The share of the images that were held out that it reads rightly."""
        return float(np.mean(self.read(self.tested) == self.labels[self.tested]))
