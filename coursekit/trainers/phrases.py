"""Train the translator of `coursekit.models.phrases`, with one vector or with an attention that the caller brings.

The forward pass tells the decoder the right word before each (teacher forcing), and keeps states, contexts and weights;
a backward function takes what its forward function was given and computes anew what else it needs. Like Bahdanau, Cho &
Bengio (2015) it clips the gradient's norm at 1; unlike them it uses Adam.

B batch, S source positions, T target positions, X embedding width, H encoder state, E = 2H, D decoder state,
A attention width, V words that can be written. `d_name` is the gradient of the loss in `name`, and has its shape.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from coursekit.layers.recurrent import (
    bidirectional_backward,
    gru_parameters_backward,
    gru_step_backward,
    outer,
    stack_gates,
)
from coursekit.models.phrases import PhraseTranslator, one_vector
from coursekit.optimiser import Adam, clip, flatten, views
from coursekit.tasks.phrases import BLANK, ENGLISH, FRENCH, phrase_pairs
from coursekit.trainers.dates import by_name, initial_parameters


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


class Batch(NamedTuple):
    """Pairs of sentences as the model takes them."""

    source: np.ndarray  # (B, S) ids
    mask: np.ndarray  # (B, S) True where a word stands
    target: np.ndarray  # (B, T) ids
    target_mask: np.ndarray  # (B, T)


class Trace(NamedTuple):
    """What the forward pass leaves for the backward pass."""

    memory: np.ndarray  # (B, S, E)
    keys: np.ndarray  # (B, S, A)
    states: np.ndarray  # (B, T + 1, D)  s_0 … s_T
    previous: np.ndarray  # (B, T)  y_0 … y_{T-1}
    contexts: np.ndarray  # (B, T, E)
    weights: np.ndarray  # (B, T, S)
    logits: np.ndarray  # (B, T, V)


def train(gradient_of, shapes, seed, marks, lengths=(5, 30), batch_size=64, learning_rate=4e-3):
    """Train from `seed`, up to the last of `marks`. Yields (steps, parameters by name, mean loss since the last mark).

    gradient_of(parameters, batch) -> loss, {name: gradient}. Whatever the model, the same seed means the same batches.
    """
    parameters = flatten(initial_parameters(np.random.default_rng([seed, 1]), shapes)).astype(np.float32)
    optimiser, rng, losses = Adam(len(parameters)), np.random.default_rng([seed, 2]), []
    for step in range(1, max(marks) + 1):
        loss, gradient = gradient_of(views(parameters, shapes), draw(rng, batch_size, lengths))
        optimiser.step(parameters, clip(flatten(gradient)), learning_rate)
        losses.append(loss)
        if step in marks:
            yield step, views(parameters.copy(), shapes), float(np.mean(losses))
            losses = []


def draw(rng, n, lengths):
    """A Batch of `n` new pairs of these lengths."""
    return encode_pairs(*phrase_pairs(rng, n, lengths))


def encode_pairs(sources, targets):
    """Turn B English texts and their B French ones into a Batch."""
    return Batch(*ENGLISH.encode(sources), *FRENCH.encode(targets))


# Forward


def loss_and_gradient(parameters, batch, parts):
    """The cross-entropy of a word, averaged over the real words of the batch, and its gradient in every parameter."""
    model = PhraseTranslator(parameters)
    trace = run(model, parameters, batch, parts)
    loss, d_logits = parts.cross_entropy(trace.logits, batch.target, batch.target_mask)
    gradient, d_memory = decoder_backward(model, parameters, batch, trace, d_logits, parts)
    gradient |= encoder_backward(model, batch, trace.memory, d_memory, parts)
    return loss, {name: gradient[name] for name in parameters}


def run(model, parameters, batch, parts):
    """Read the source, then write the target while being told the right word before each. Returns a Trace."""
    memory = model.annotate(batch.source, batch.mask)                              # (B, S, E)
    keys = keys_of(memory, parameters)                                             # (B, S, A)
    previous = told_before(batch.target)                                           # (B, T)
    state = start = model.start(memory)                                            # (B, D)
    steps = []
    for t in range(previous.shape[1]):
        context, weights = parts.attend(state, keys, memory, batch.mask, parameters)
        state, logits = model.step(state, previous[:, t], context)
        steps.append((state, context, weights, logits))
    states, contexts, weights, logits = (np.stack(part, axis=1) for part in zip(*steps, strict=True))
    states = np.concatenate([start[:, None], states], axis=1)                      # (B, T + 1, D)
    return Trace(memory, keys, states, previous, contexts, weights, logits)


def keys_of(memory, parameters):
    """What a state is compared with: memory U (B, S, A), the same at every step, or the memory where there is no U."""
    return memory @ parameters["attention.U"] if "attention.U" in parameters else memory


def told_before(target):
    """The right word before each of target (B, T): BLANK, and then the target without its last."""
    previous = np.roll(target, 1, axis=1)
    previous[:, 0] = BLANK
    return previous


# Backward


def decoder_backward(model, parameters, batch, trace, d_logits, parts):
    """From d_logits (B, T, V) to the gradients of the decoder's parameters, by name, and d_memory (B, S, E)."""
    X = model.target_embedding.shape[1]
    before, after = trace.states[:, :-1], trace.states[:, 1:]                      # (B, T, D) both
    x = np.concatenate([model.target_embedding[trace.previous], trace.contexts], axis=-1)   # (B, T, X + E)
    steps = decoder_steps_backward(model, parameters, batch, trace, x, d_logits @ model.readout.T, parts)
    d_state, gates, d_keys, d_memory, gradient = steps

    d_x = gates.from_x @ model.decoder.W.T                                         # (B, T, X + E)
    d_start = d_state * (1 - before[:, 0] ** 2)                                    # (B, D), through the tanh
    H = len(model.first_state)
    d_memory[:, 0, -H:] += d_start @ model.first_state.T
    gradient |= keys_backward(trace.memory, d_keys, d_memory, parameters)
    return gradient | {
        "target_embedding": parts.embedding_backward(d_x[..., :X], trace.previous, len(model.target_embedding)),
        **by_name("decoder", gru_parameters_backward(gates, x, before)),
        "first_state": trace.memory[:, 0, -H:].T @ d_start,
        "readout.W": outer(after, d_logits),
        "readout.b": d_logits.sum(axis=(0, 1)),
    }, d_memory


def decoder_steps_backward(model, parameters, batch, trace, x, d_after, parts):
    """Go back through the steps, whose inputs were x (B, T, X + E).

    d_after (B, T, D) is the gradient in the state after each step by way of the readout alone.
    Returns d_state (B, D) for s_0, the Gates of all steps, d_keys, d_memory through the contexts, and the
    gradients of the attention's parameters by name.
    """
    context_rows = model.decoder.W[-trace.memory.shape[-1] :]                      # (E, 3D), those that read c_i
    d_state, gradient, d_gates = np.zeros_like(trace.states[:, 0]), {}, []
    d_keys, d_memory = np.zeros_like(trace.keys), np.zeros_like(trace.memory)
    for t in reversed(range(x.shape[1])):
        before = trace.states[:, t]                                                # (B, D)
        d_state, gates = gru_step_backward(d_state + d_after[:, t], x[:, t], before, model.decoder)
        d_context = gates.from_x @ context_rows.T                                  # (B, E)
        looked = (d_context, before, trace.keys, trace.memory, batch.mask, trace.weights[:, t], parameters)
        d_before, d_keys_here, d_memory_here, d_parameters = parts.attend_backward(*looked)
        d_state = d_state + d_before
        d_keys += d_keys_here                                                      # keys and memory serve every step
        d_memory += d_memory_here
        gradient = {name: gradient.get(name, 0) + part for name, part in d_parameters.items()}
        d_gates.append(gates)
    return d_state, stack_gates(d_gates[::-1]), d_keys, d_memory, gradient


def keys_backward(memory, d_keys, d_memory, parameters):
    """Add to d_memory (B, S, E), in place, what comes through the keys. Returns the gradient of U, if there is one."""
    if "attention.U" not in parameters:
        d_memory += d_keys
        return {}
    d_memory += d_keys @ parameters["attention.U"].T
    return {"attention.U": outer(memory, d_keys)}


def encoder_backward(model, batch, memory, d_memory, parts):
    """From d_memory (B, S, E) to the gradients of the encoder's parameters, by name."""
    embedded, units = model.source_embedding[batch.source], (model.forward, model.backward)
    d_embedded, d_forward, d_backward = bidirectional_backward(d_memory, embedded, memory, batch.mask, *units)
    d_embedding = parts.embedding_backward(d_embedded, batch.source, len(model.source_embedding))
    return {"source_embedding": d_embedding, **by_name("forward", d_forward), **by_name("backward", d_backward)}


# One vector, in the place of attention


def one_vector_forward(state, keys, memory, mask, p):
    """The same two states at every step, whatever the decoder's state."""
    return one_vector(state, memory, mask)


def one_vector_backward(d_context, state, keys, memory, mask, weights, p):
    """The context was the forward half of the last position and the backward half of the first."""
    H, d_memory = memory.shape[-1] // 2, np.zeros_like(memory)
    d_memory[:, -1, :H], d_memory[:, 0, H:] = d_context[:, :H], d_context[:, H:]
    return 0.0, 0.0, d_memory, {}
