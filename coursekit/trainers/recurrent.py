"""What training the recurrent translators has in common: the way back through all but the decoder's steps and its look.

The forward pass tells the decoder the right token before each (teacher forcing). It keeps states, inputs and weights,
and no gates: a backward function takes what its forward function was given and computes anew what else it needs. Like
Bahdanau, Cho & Bengio (2015) the trainers clip the gradient's norm at 1; unlike them, who use Adadelta, they use Adam.

B batch, S source positions, T target positions, X embedding width, N numbers that the decoder is given at each step,
H encoder state, E = 2H, D decoder state, A attention width, V tokens that can be written. `d_name` is the gradient of
the loss in `name`, and has its shape.
"""

from typing import NamedTuple

import numpy as np

from coursekit.layers.basics import outer
from coursekit.layers.recurrent import (
    bidirectional_backward,
    gru_parameters_backward,
    gru_step_backward,
    stack_gates,
)
from coursekit.models.recurrent import by_name
from coursekit.parts import returned
from coursekit.tasks.tokens import told_before


class Trace(NamedTuple):
    """What the forward pass leaves for the backward pass."""

    memory: np.ndarray  # (B, S, E)
    keys: np.ndarray | None  # (B, S, A), where the look compares a state with something else than the memory
    states: np.ndarray  # (B, T + 1, D)  s_0 … s_T
    previous: np.ndarray  # (B, T)  y_0 … y_{T-1}
    inputs: np.ndarray  # (B, T, N)  what the decoder was given
    told: np.ndarray  # (B, T, D)  what the logits were read from
    weights: np.ndarray  # (B, T, S)
    logits: np.ndarray  # (B, T, V)


# A translator that looks first


def run(model, batch, keys_of, attend):
    """Read the source, then write the target while being told the right token before each. Returns a Trace.

    keys_of(memory (B, S, E)) -> keys (B, S, A), the same at every step
    attend(state (B, D), keys, memory, mask) -> context (B, E), weights (B, S)
    """
    memory = model.annotate(batch.source, batch.mask)                              # (B, S, E)
    sizes, keys, previous = dict(zip("BSE", memory.shape, strict=True)), keys_of(memory), told_before(batch.target)
    state, steps = model.start(memory), []                                         # (B, D)
    first = state
    for t in range(previous.shape[1]):
        answer = attend(state, keys, memory, batch.mask)
        context, weights = returned("attend", answer, sizes, context="B E", weights="B S")
        state, logits = model.step(state, previous[:, t], context)
        steps.append((state, context, weights, logits))
    states, contexts, weights, logits = (np.stack(part, axis=1) for part in zip(*steps, strict=True))
    inputs = np.concatenate([model.target_embedding[previous], contexts], axis=-1)    # (B, T, X + E)
    before = np.concatenate([first[:, None], states], axis=1)                      # (B, T + 1, D)
    return Trace(memory, keys, before, previous, inputs, states, weights, logits)


def steps_in_reverse(model, trace, d_after, look_backward):
    """Go back through the decoder's steps, the last one first. Returns d_state (B, D) for s_0 and all steps' Gates.

    d_after (B, T, D) is the gradient in the state after each step by way of the readout alone. A state also decides
    where the next step looks and what state comes next: those two ways join here.
    look_backward(t, d_context (B, E), before (B, D)) -> the gradient in the state before by way of the look of step t
    """
    context_rows = model.decoder.W[-trace.memory.shape[-1] :]                      # (E, 3D), those that read c_i
    d_state, d_gates = np.zeros_like(d_after[:, 0]), []
    for t in reversed(range(d_after.shape[1])):
        before = trace.states[:, t]                                                # (B, D), s_{i-1}
        d_state, gates = gru_step_backward(d_state + d_after[:, t], trace.inputs[:, t], before, model.decoder)
        d_state = d_state + look_backward(t, gates.from_x @ context_rows.T, before)
        d_gates.append(gates)
    return d_state, stack_gates(d_gates[::-1])


# Any translator


def decoder_backward(model, trace, d_logits, d_state, gates, d_memory, embedding_backward):
    """The gradients of the decoder's parameters but those of its look, by name, once its steps are behind.

    d_state (B, D) for s_0; gates of all steps. What reaches the memory by s_0 is added to d_memory (B, S, E), in place.
    """
    X, H, before = model.target_embedding.shape[1], len(model.first_state), trace.states[:, :-1]
    d_x = gates.from_x @ model.decoder.W.T                                         # (B, T, N)
    d_start = d_state * (1 - before[:, 0] ** 2)                                    # (B, D), through the tanh
    d_memory[:, 0, -H:] += d_start @ model.first_state.T
    d_words, table = d_x[..., :X], model.target_embedding
    return {
        "target_embedding": table_backward(embedding_backward, d_words, trace.previous, table),
        **by_name("decoder", gru_parameters_backward(gates, trace.inputs, before)),
        "first_state": trace.memory[:, 0, -H:].T @ d_start,
        "readout.W": outer(trace.told, d_logits),
        "readout.b": d_logits.sum(axis=(0, 1)),
    }


def encoder_backward(model, batch, memory, d_memory, embedding_backward):
    """From d_memory (B, S, E) to the gradients of the encoder's parameters, by name."""
    embedded, units = model.source_embedding[batch.source], (model.forward, model.backward)
    d_embedded, d_forward, d_backward = bidirectional_backward(d_memory, embedded, memory, batch.mask, *units)
    d_table = table_backward(embedding_backward, d_embedded, batch.source, model.source_embedding)
    return {"source_embedding": d_table, **by_name("forward", d_forward), **by_name("backward", d_backward)}


def table_backward(embedding_backward, d_embedded, ids, table):
    """Ask for the gradient of an embedding, and hold it to the table's shape."""
    d_table = embedding_backward(d_embedded, ids, len(table))
    if np.shape(d_table) != table.shape:
        got = f"shape {d_table.shape}" if isinstance(d_table, np.ndarray) else type(d_table).__name__
        raise ValueError(f"embedding_backward: expected an array of shape {table.shape}, got {got}")
    return d_table
