"""Adam (Kingma & Ba 2015) on one flat vector, and the dictionary of named views on it that a model reads.

    mean   ← mean + (1 - β1) (g - mean)            a running mean of the gradient g
    square ← square + (1 - β2) (g² - square)       and of its square
    θ      ← θ - rate · m / (√s + ε)               with m = mean / (1 - β1ᵗ), s = square / (1 - β2ᵗ) at step t

All parameters of a model are one vector, so that a step is these lines and not a loop over arrays:

    parameters = flatten(arrays)                   N numbers
    named = views(parameters, shapes)              the same numbers under their names: they change together
    optimiser = Adam(len(parameters))
    optimiser.step(parameters, clip(flatten(gradient)), 5e-3)

N numbers in all parameters together.
"""

import numpy as np

from coursekit.shapes import expect


class Adam:
    """The optimiser's state: running means of the gradient and of its square, (size,) each, of the type `dtype`."""

    def __init__(self, size, beta1=0.9, beta2=0.999, epsilon=1e-8, dtype=np.float32):
        self.beta1, self.beta2, self.epsilon = beta1, beta2, epsilon
        self.mean, self.square, self.steps = np.zeros(size, dtype), np.zeros(size, dtype), 0

    def step(self, parameters, gradient, learning_rate):
        """Move `parameters` (N,) in place against `gradient` (N,). Raises ValueError when a shape does not fit."""
        expect({"N": len(self.mean)}, parameters=(parameters, "N"), gradient=(gradient, "N"))
        self.steps += 1
        self.mean += (1 - self.beta1) * (gradient - self.mean)
        self.square += (1 - self.beta2) * (gradient**2 - self.square)
        mean = self.mean / (1 - self.beta1**self.steps)        # both means started at 0: make up for it
        square = self.square / (1 - self.beta2**self.steps)
        parameters -= learning_rate * mean / (np.sqrt(square) + self.epsilon)


def clip(gradient, largest=1.0):
    """Shorten `gradient` to the norm `largest` if it is longer: one steep batch must not throw the model far."""
    norm = float(np.linalg.norm(gradient))
    return gradient if norm <= largest else gradient * (largest / norm)


def flatten(arrays):
    """Copy the values of a dictionary of arrays into one vector, in the dictionary's order."""
    return np.concatenate([array.ravel() for array in arrays.values()])


def views(vector, shapes):
    """Cut `vector` into a dictionary of arrays with these `shapes`. They share its memory: change it, they change.

    Raises ValueError where the vector has another length than the shapes need.
    """
    sizes = [int(np.prod(shape)) for shape in shapes.values()]
    if vector.shape != (sum(sizes),):
        raise ValueError(f"vector: expected shape ({sum(sizes)},), got {vector.shape}")
    parts = np.split(vector, np.cumsum(sizes)[:-1])
    return {name: part.reshape(shape) for (name, shape), part in zip(shapes.items(), parts, strict=True)}
