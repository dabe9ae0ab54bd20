"""Train the date translator of `coursekit.models.dates`, with an attention and gradients that the caller brings.

What this has in common with the other recurrent trainers stands in `coursekit.trainers.recurrent`. Its own is the
contract of `Parts`: what serves every step, W and U and the memory, is asked for once, after the last step.

B batch, S source positions, T target positions, X embedding width, H encoder state, E = 2H, D decoder state,
A attention width, V characters that can be written. `d_name` is the gradient of the loss in `name`, and has its shape.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from coursekit.models.dates import DateTranslator, parameter_shapes
from coursekit.models.recurrent import initial_parameters
from coursekit.parts import returned
from coursekit.tasks.dates import date_pairs, encode_pairs, split_days
from coursekit.trainers import recurrent
from coursekit.trainers.recurrent import decoder_backward, encoder_backward, steps_in_reverse
from coursekit.training import Training


class Parts(NamedTuple):
    """The five functions that a trainer is given: attention, its gradient, and both ends of the model.

    In each step of the decoder, with query = state W and keys = memory U, which is the same at every step:

        attend(query, keys, memory, mask, v) -> context (B, E), weights (B, S)
        attend_backward(d_context, query, keys, memory, weights, v) -> d_query (B, A), d_keys (B, S, A), d_v (A,)

    Once, after the last step, for what serves all T steps:

        steps_backward(states, memory, weights, d_contexts, d_queries, d_keys, U) -> d_W, d_U, d_memory

    with states (B, T, D), weights (B, T, S), d_contexts (B, T, E), d_queries (B, T, A), d_keys (B, T, S, A).
    And at the two ends:

        cross_entropy(logits (B, T, V), target (B, T)) -> loss, d_logits (B, T, V)
        embedding_backward(d_embedded (B, T, X), ids (B, T), rows) -> d_table (rows, X)
    """

    attend: Callable
    attend_backward: Callable
    steps_backward: Callable
    cross_entropy: Callable
    embedding_backward: Callable


class DateTrainer(Training):
    """A translator of dates that starts from random numbers and learns.

        trainer = DateTrainer(seed=1, parts=Parts(attend, attend_backward, ...))
        trainer.train(400)
        trainer.exact_match(500)                    the share of unseen dates that it writes without a mistake
        written, weights = trainer.translate(["3rd of May 2009"])

    The seed decides the first parameters, the days that training never sees, and the batches. `losses` lists the mean
    loss of a character at each step so far; `parameters` holds the arrays by name, float32.
    """

    def __init__(self, seed, parts, X=32, H=32, D=64, A=32):
        self.parts, self.rng = parts, np.random.default_rng(seed)
        self.days, self.unseen = split_days(self.rng)
        super().__init__(initial_parameters(self.rng, parameter_shapes(X, H, D, A)))

    def train(self, steps, batch_size=64, learning_rate=5e-3, tell=0):
        """Take `steps` steps, each on a batch of new pairs; print the loss after every `tell` of them, if not 0."""

        def gradient_of(parameters):
            batch = encode_pairs(*date_pairs(self.rng, self.days, batch_size))
            return loss_and_gradient(parameters, batch, self.parts)

        self.run(steps, gradient_of, learning_rate, tell, "character")

    def exact_match(self, n, seed=0):
        """The share of `n` texts of unseen days that become their ISO date, to the last character."""
        texts, isos = date_pairs(np.random.default_rng(seed), self.unseen, n)
        return float(np.mean(np.array(self.translate(texts)[0]) == np.array(isos)))

    def translate(self, texts):
        """Translate B texts. Returns B strings of ten characters and the weights (B, T, S), S the longest text."""

        def look(state, memory, mask, W, U, v):
            return self.parts.attend(state @ W, memory @ U, memory, mask, v)

        return DateTranslator(self.parameters).translate(texts, look)


def loss_and_gradient(parameters, batch, parts):
    """The loss of a character, averaged over the batch, and its gradient in every parameter, by name.

    Raises ValueError when something that one of the `parts` returns does not fit.
    """
    model = DateTranslator(parameters)
    trace = run(model, batch, parts.attend)
    sizes = dict(zip("BTV", trace.logits.shape, strict=True))
    found = parts.cross_entropy(trace.logits, batch.target)
    loss, d_logits = returned("cross_entropy", found, sizes, loss="", d_logits="B T V")
    d_state, gates, d_memory, gradient = back_to_the_memory(model, trace, d_logits @ model.readout.T, parts)
    embed = parts.embedding_backward
    gradient |= decoder_backward(model, trace, d_logits, d_state, gates, d_memory, embed)
    gradient |= encoder_backward(model, batch, trace.memory, d_memory, embed)
    return float(loss), gradient


def run(model, batch, attend):
    """Read the source, then write the target while being told the right character before each. Returns a Trace."""

    def look(state, keys, memory, mask):
        return attend(state @ model.W, keys, memory, mask, model.v)

    return recurrent.run(model, batch, lambda memory: memory @ model.U, look)


def back_to_the_memory(model, trace, d_after, parts):
    """Go back through the decoder's steps, and then through what serves all of them.

    d_after (B, T, D) is the gradient in the state after each step by way of the readout alone.
    Returns d_state (B, D) for s_0, the Gates of all steps, d_memory (B, S, E), and the attention's gradients by name.
    """
    X, before, memory, steps = model.target_embedding.shape[1], trace.states[:, :-1], trace.memory, []
    sizes = dict(zip("BSE", memory.shape, strict=True)) | dict(zip("DA", model.W.shape, strict=True))

    def look_backward(t, d_context, state):
        found = parts.attend_backward(d_context, state @ model.W, trace.keys, memory, trace.weights[:, t], model.v)
        steps.append(returned("attend_backward", found, sizes, d_query="B A", d_keys="B S A", d_v="A"))
        return steps[-1][0] @ model.W.T

    d_state, gates = steps_in_reverse(model, trace, d_after, look_backward)
    d_queries, d_keys = (np.stack([step[i] for step in reversed(steps)], axis=1) for i in (0, 1))
    d_contexts = (gates.from_x @ model.decoder.W.T)[..., X:]                       # (B, T, E)
    found = parts.steps_backward(before, memory, trace.weights, d_contexts, d_queries, d_keys, model.U)
    d_W, d_U, d_memory = returned("steps_backward", found, sizes, d_W="D A", d_U="E A", d_memory="B S E")
    d_v = sum(step[2] for step in steps)
    return d_state, gates, np.array(d_memory), {"attention.W": d_W, "attention.U": d_U, "attention.v": d_v}
