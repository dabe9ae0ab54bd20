"""The layers of GPT-2 (Radford et al. 2019), where they differ from those of 2017.

    attention     a bias with each of the four products
    feed-forward  GELU in the place of ReLU, in the form with tanh (Hendrycks & Gimpel 2016):
                  GELU(x) = ½ x (1 + tanh(√(2/π) (x + 0.044715 x³)))

B batch, T positions, d_model width of a token.
"""

import math

import numpy as np

from coursekit.layers.transformer import Attention, EncoderLayer, FeedForward

ROOT, CUBE = math.sqrt(2 / math.pi), 0.044715


class BiasedAttention(Attention):
    """Attention with biases b_Q, b_K, b_V and b_O, (d_model,) each."""

    def project(self, name, x):
        return super().project(name, x) + self.p[f"b_{name}"]

    def project_backward(self, name, x, d_y):
        self.g[f"b_{name}"] += d_y.sum(axis=(0, 1))
        return super().project_backward(name, x, d_y)


class GeluFeedForward(FeedForward):
    """Two layers with a GELU between them."""

    def activation(self, x):
        return 0.5 * x * (1 + np.tanh(ROOT * x * (1 + CUBE * x * x)))

    def slope(self, x):
        square = x * x
        tanh = np.tanh(ROOT * x * (1 + CUBE * square))
        return 0.5 * (1 + tanh) * (1 + ROOT * x * (1 - tanh) * (1 + 3 * CUBE * square))


class Block(EncoderLayer):
    """GPT-2's block: self-attention, then feed-forward. Whether a position may look ahead is for the mask to say."""

    attention, feed_forward = BiasedAttention, GeluFeedForward
