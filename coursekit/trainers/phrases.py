"""Train the translator of `coursekit.models.phrases`, with one vector or with an attention that the caller brings.

What this has in common with the other recurrent trainers stands in `coursekit.trainers.recurrent`.

B batch, S source positions, T target positions, X embedding width, H encoder state, E = 2H, D decoder state,
A attention width, V words that can be written. `d_name` is the gradient of the loss in `name`, and has its shape.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from coursekit.layers.basics import outer
from coursekit.models.phrases import PhraseTranslator, one_vector
from coursekit.models.recurrent import initial_parameters
from coursekit.optimiser import views
from coursekit.tasks.phrases import draw
from coursekit.trainers import recurrent
from coursekit.trainers.recurrent import decoder_backward, encoder_backward, steps_in_reverse
from coursekit.training import Training


class Parts(NamedTuple):
    """The functions that a training run is given. p holds the parameters by name.

        attend(state, keys, memory, mask, p) -> context (B, E), weights (B, S)
        attend_backward(d_context, state, keys, memory, mask, weights, p)
            -> d_state (B, D), d_keys (B, S, A), d_memory (B, S, E), {name: gradient of p[name]}
        cross_entropy(logits (B, T, V), target (B, T), mask (B, T)) -> loss, d_logits (B, T, V)
        embedding_backward(d_embedded (B, T, X), ids (B, T), rows) -> d_table (rows, X)

    state (B, D) is s_{i-1}. keys = memory U are computed once for a sentence, and their gradient goes back through U
    once; where p holds no "attention.U" the keys are the memory itself.
    """

    attend: Callable
    attend_backward: Callable
    cross_entropy: Callable
    embedding_backward: Callable


def train(gradient_of, shapes, seed, marks, lengths=(5, 30), batch_size=64, learning_rate=4e-3):
    """Train from `seed`, up to the last of `marks`. Yields (steps, parameters by name, mean loss since the last mark).

    gradient_of(parameters, batch) -> loss, {name: gradient}. Whatever the model, the same seed means the same batches.
    """
    training = Training(initial_parameters(np.random.default_rng([seed, 1]), shapes))
    rng, done = np.random.default_rng([seed, 2]), 0
    for mark in sorted(marks):
        training.run(mark - done, lambda p: gradient_of(p, draw(rng, batch_size, lengths)), learning_rate)
        yield mark, views(training.vector.copy(), shapes), float(np.mean(training.losses[done:]))
        done = mark


def loss_and_gradient(parameters, batch, parts):
    """The cross-entropy of a word, averaged over the real words of the batch, and its gradient in every parameter."""
    model, embed = PhraseTranslator(parameters), parts.embedding_backward
    trace = run(model, parameters, batch, parts)
    loss, d_logits = parts.cross_entropy(trace.logits, batch.target, batch.target_mask)
    steps = back_to_the_memory(model, parameters, batch, trace, d_logits @ model.readout.T, parts)
    d_state, gates, d_keys, d_memory, gradient = steps
    gradient |= decoder_backward(model, trace, d_logits, d_state, gates, d_memory, embed)
    gradient |= keys_backward(trace.memory, d_keys, d_memory, parameters)
    gradient |= encoder_backward(model, batch, trace.memory, d_memory, embed)
    return loss, gradient


def run(model, parameters, batch, parts):
    """Read the source, then write the target while being told the right word before each. Returns a Trace."""

    def attend(*asked):
        return parts.attend(*asked, parameters)

    return recurrent.run(model, batch, lambda memory: keys_of(memory, parameters), attend)


def keys_of(memory, parameters):
    """What a state is compared with: memory U (B, S, A), the same at every step, or the memory where there is no U."""
    return memory @ parameters["attention.U"] if "attention.U" in parameters else memory


def back_to_the_memory(model, parameters, batch, trace, d_after, parts):
    """Go back through the decoder's steps.

    d_after (B, T, D) is the gradient in the state after each step by way of the readout alone.
    Returns d_state (B, D) for s_0, the Gates of all steps, d_keys, d_memory through the contexts, and the
    gradients of the attention's parameters by name.
    """
    d_keys, d_memory, gradient = np.zeros_like(trace.keys), np.zeros_like(trace.memory), {}

    def look_backward(t, d_context, state):
        nonlocal d_keys, d_memory
        looked = (d_context, state, trace.keys, trace.memory, batch.mask, trace.weights[:, t], parameters)
        d_before, d_keys_here, d_memory_here, d_parameters = parts.attend_backward(*looked)
        d_keys += d_keys_here                                                      # keys and memory serve every step
        d_memory += d_memory_here
        gradient.update({name: gradient.get(name, 0) + part for name, part in d_parameters.items()})
        return d_before

    d_state, gates = steps_in_reverse(model, trace, d_after, look_backward)
    return d_state, gates, d_keys, d_memory, gradient


def keys_backward(memory, d_keys, d_memory, parameters):
    """Add to d_memory (B, S, E), in place, what comes through the keys. Returns the gradient of U, if there is one."""
    if "attention.U" not in parameters:
        d_memory += d_keys
        return {}
    d_memory += d_keys @ parameters["attention.U"].T
    return {"attention.U": outer(memory, d_keys)}


# One vector, in the place of attention


def one_vector_forward(state, keys, memory, mask, p):
    """The same two states at every step, whatever the decoder's state."""
    return one_vector(state, memory, mask)


def one_vector_backward(d_context, state, keys, memory, mask, weights, p):
    """The context was the forward half of the last position and the backward half of the first."""
    H, d_memory = memory.shape[-1] // 2, np.zeros_like(memory)
    d_memory[:, -1, :H], d_memory[:, 0, H:] = d_context[:, :H], d_context[:, H:]
    return 0.0, 0.0, d_memory, {}
