"""One training loop for every model of the course: Adam on one vector of parameters, with a clipped gradient.

    training = Training({"W": W, "b": b})
    training.run(400, lambda parameters: loss_and_gradient(parameters, new_batch()), rate=5e-3, tell=100)
"""

import numpy as np

from coursekit.optimiser import Adam, clip, flatten, views


class Training:
    """Parameters that learn. A trainer is one that also knows its task.

    initial  {name: array}, from which it starts
    largest  the norm to which a longer gradient is shortened
    adam     Adam's own settings, where they are not the usual ones

    `parameters` holds the arrays by name, float32; they are views of one `vector`, which moves. `losses` lists the loss
    of each step so far.
    """

    def __init__(self, initial, largest=1.0, **adam):
        self.vector = flatten(initial).astype(np.float32)
        self.parameters = views(self.vector, {name: array.shape for name, array in initial.items()})
        self.optimiser, self.largest, self.losses = Adam(len(self.vector), **adam), largest, []

    def run(self, steps, loss_and_gradient, rate, tell=0, unit="token"):
        """Take `steps` steps; print the mean loss of a `unit` after every `tell` of them, if not 0.

        loss_and_gradient(parameters) -> a number, {name: gradient}, each time of a new batch
        """
        for _ in range(steps):
            loss, gradient = loss_and_gradient(self.parameters)
            self.losses.append(loss)
            self.move(gradient, rate)
            if tell and len(self.losses) % tell == 0:
                print(f"step {len(self.losses):4}: loss {np.mean(self.losses[-tell:]):.3f} for each {unit}")

    def move(self, gradient, rate):
        """Take one step against this gradient. The rate is a number, or a function of the step, whose first is 1."""
        rate = rate(self.optimiser.steps + 1) if callable(rate) else rate
        slope = flatten({name: gradient[name] for name in self.parameters}).astype(np.float32)
        self.optimiser.step(self.vector, clip(slope, self.largest), rate)
