"""Train the date translator of `coursekit.models.dates`, with an attention and gradients that the caller brings.

The forward pass runs the given parts of `coursekit` and tells the decoder the right character before each (teacher
forcing). It keeps states, contexts and weights, and no gates: the backward functions compute those anew. Unlike
Bahdanau, Cho & Bengio (2015), who train with Adadelta, this uses Adam; like them, it clips the gradient's norm at 1.

B batch, S source positions, T target positions, X embedding width, H encoder state, E = 2H, D decoder state,
A attention width, V characters that can be written. `d_name` is the gradient of the loss in `name`, and has its shape.
"""

from typing import NamedTuple

import numpy as np

from coursekit.layers.recurrent import (
    bidirectional_backward,
    gru_parameters_backward,
    gru_step_backward,
    outer,
    stack_gates,
)
from coursekit.models.dates import DateTranslator, parameter_shapes
from coursekit.optimiser import Adam, clip, flatten, views
from coursekit.shapes import expect
from coursekit.tasks.dates import BLANK, SOURCE, TARGET, date_pairs, split_days


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

    attend: object
    attend_backward: object
    steps_backward: object
    cross_entropy: object
    embedding_backward: object


class Batch(NamedTuple):
    """Pairs of dates as the model takes them."""

    source: np.ndarray  # (B, S) ids
    mask: np.ndarray  # (B, S) True where a character stands
    target: np.ndarray  # (B, T) ids


class Trace(NamedTuple):
    """What the forward pass leaves for the backward pass."""

    embedded: np.ndarray  # (B, S, X)
    memory: np.ndarray  # (B, S, E)
    keys: np.ndarray  # (B, S, A)  memory U
    states: np.ndarray  # (B, T + 1, D)  s_0 … s_T
    previous: np.ndarray  # (B, T)  y_0 … y_{T-1}
    contexts: np.ndarray  # (B, T, E)
    weights: np.ndarray  # (B, T, S)
    logits: np.ndarray  # (B, T, V)


class DateTrainer:
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
        shapes = parameter_shapes(X, H, D, A)
        self.vector = flatten(initial_parameters(self.rng, shapes)).astype(np.float32)
        self.parameters = views(self.vector, shapes)
        self.optimiser, self.losses = Adam(len(self.vector)), []

    def train(self, steps, batch_size=64, learning_rate=5e-3, tell=0):
        """Take `steps` steps, each on a batch of new pairs; print the loss after every `tell` of them, if not 0."""
        for _ in range(steps):
            batch = encode_pairs(*date_pairs(self.rng, self.days, batch_size))
            loss, gradient = loss_and_gradient(self.parameters, batch, self.parts)
            self.optimiser.step(self.vector, clip(flatten(gradient)), learning_rate)
            self.losses.append(loss)
            if tell and len(self.losses) % tell == 0:
                print(f"step {len(self.losses):4}: loss {np.mean(self.losses[-tell:]):.3f} for each character")

    def exact_match(self, n, seed=0):
        """The share of `n` texts of unseen days that become their ISO date, to the last character."""
        texts, isos = date_pairs(np.random.default_rng(seed), self.unseen, n)
        return float(np.mean(np.array(self.translate(texts)[0]) == np.array(isos)))

    def translate(self, texts):
        """Translate B texts. Returns B strings of ten characters and the weights (B, T, S), S the longest text."""

        def look(state, memory, mask, W, U, v):
            return self.parts.attend(state @ W, memory @ U, memory, mask, v)

        return DateTranslator(self.parameters).translate(texts, look)


def initial_parameters(rng, shapes):
    """Biases 0, embeddings of variance 1, and matrices that keep the variance of what they multiply."""
    return {name: _initial(rng, name, shape) for name, shape in shapes.items()}


def _initial(rng, name, shape):
    if name.endswith((".b", ".c")):
        return np.zeros(shape)
    scale = 1.0 if name.endswith("embedding") else shape[0] ** -0.5
    return scale * rng.standard_normal(shape)


def encode_pairs(texts, isos):
    """Turn B texts and their B ISO dates into a Batch."""
    return Batch(*SOURCE.encode(texts), TARGET.encode(isos)[0])


def loss_and_gradient(parameters, batch, parts):
    """The loss of a character, averaged over the batch, and its gradient in every parameter, by name.

    Raises ValueError when something that one of the `parts` returns does not fit.
    """
    model = DateTranslator(parameters)
    trace = run(model, batch, parts.attend)
    loss, d_logits = _results("cross_entropy", parts.cross_entropy(trace.logits, batch.target), "loss", "d_logits")
    expect(dict(zip("BTV", trace.logits.shape, strict=True)), **{"d_logits from cross_entropy": (d_logits, "B T V")})
    gradient, d_memory = decoder_backward(model, trace, d_logits, parts)
    gradient |= encoder_backward(model, trace, batch, d_memory, parts)
    return float(loss), {name: gradient[name] for name in parameters}


# Forward


def run(model, batch, attend):
    """Read the source, then write the target while being told the right character before each. Returns a Trace."""
    memory = model.annotate(batch.source, batch.mask)                              # (B, S, E)
    keys = memory @ model.U                                                        # (B, S, A), the same at every step
    previous = np.roll(batch.target, 1, axis=1)                                    # (B, T)
    previous[:, 0] = BLANK
    state = start = model.start(memory)                                            # (B, D)
    steps = []
    for t in range(previous.shape[1]):
        answer = attend(state @ model.W, keys, memory, batch.mask, model.v)
        context, weights = _results("attend", answer, "context", "weights")
        state, logits = model.step(state, previous[:, t], context)
        steps.append((state, context, weights, logits))
    states, contexts, weights, logits = (np.stack(part, axis=1) for part in zip(*steps, strict=True))
    states = np.concatenate([start[:, None], states], axis=1)                      # (B, T + 1, D)
    return Trace(model.source_embedding[batch.source], memory, keys, states, previous, contexts, weights, logits)


# Backward


def decoder_backward(model, trace, d_logits, parts):
    """From d_logits (B, T, V) to the gradients of the decoder's parameters and d_memory (B, S, E)."""
    X, H = model.target_embedding.shape[1], len(model.first_state)
    before, after = trace.states[:, :-1], trace.states[:, 1:]                      # (B, T, D) both
    x = np.concatenate([model.target_embedding[trace.previous], trace.contexts], axis=-1)   # (B, T, X + E)
    d_state, gates, d_queries, d_keys, d_v = steps_in_reverse(model, trace, x, d_logits @ model.readout.T, parts)

    d_x = gates.from_x @ model.decoder.W.T                                         # (B, T, X + E)
    args = (before, trace.memory, trace.weights, d_x[..., X:], d_queries, d_keys, model.U)
    d_W, d_U, d_memory = _steps_backward(args, model, parts)
    d_start = d_state * (1 - before[:, 0] ** 2)                                    # (B, D), through the tanh
    d_memory[:, 0, H:] += d_start @ model.first_state.T
    return {
        "target_embedding": _embedding_backward(d_x[..., :X], trace.previous, model.target_embedding, parts),
        **by_name("decoder", gru_parameters_backward(gates, x, before)),
        "first_state": trace.memory[:, 0, H:].T @ d_start,
        "attention.W": d_W,
        "attention.U": d_U,
        "attention.v": d_v,
        "readout.W": outer(after, d_logits),
        "readout.b": d_logits.sum(axis=(0, 1)),
    }, d_memory


def steps_in_reverse(model, trace, x, d_after, parts):
    """Go back through the decoder's steps, whose inputs were x (B, T, X + E), the last one first.

    d_after (B, T, D) is the gradient in the state after each step by way of the readout alone. A state also decides
    where the next step looks and what state comes next: those two ways join in the loop.
    Returns d_state (B, D) for s_0; of all steps, their Gates, d_queries (B, T, A) and d_keys (B, T, S, A); and d_v.
    """
    context_rows = model.decoder.W[-trace.memory.shape[-1] :]                      # (E, 3D), those that read c_i
    d_state, d_v, steps = np.zeros_like(d_after[:, 0]), np.zeros_like(model.v), []
    for t in reversed(range(x.shape[1])):
        before = trace.states[:, t]                                                # (B, D), s_{i-1}
        d_state, gates = gru_step_backward(d_state + d_after[:, t], x[:, t], before, model.decoder)
        d_query, d_keys, d_v_here = _attention_backward(gates.from_x @ context_rows.T, before, t, model, trace, parts)
        d_state = d_state + d_query @ model.W.T
        d_v += d_v_here
        steps.append((gates, d_query, d_keys))
    gates, d_queries, d_keys = zip(*reversed(steps), strict=True)
    return d_state, stack_gates(gates), np.stack(d_queries, axis=1), np.stack(d_keys, axis=1), d_v


def _attention_backward(d_context, before, t, model, trace, parts):
    """Ask for the gradients of step t's attention, and hold them to their shapes."""
    query = before @ model.W                                                       # (B, A)
    answer = parts.attend_backward(d_context, query, trace.keys, trace.memory, trace.weights[:, t], model.v)
    d_query, d_keys, d_v = _results("attend_backward", answer, "d_query", "d_keys", "d_v")
    arrays = {"d_query": (d_query, "B A"), "d_keys": (d_keys, "B S A"), "d_v": (d_v, "A")}
    sizes = dict(zip("BSA", trace.keys.shape, strict=True))
    expect(sizes, **{f"{name} from attend_backward": pair for name, pair in arrays.items()})
    return d_query, d_keys, d_v


def _steps_backward(args, model, parts):
    """Ask for the gradients of what serves every step, and hold them to their shapes. d_memory may be added to."""
    d_W, d_U, d_memory = _results("steps_backward", parts.steps_backward(*args), "d_W", "d_U", "d_memory")
    sizes = dict(zip("BSE", args[1].shape, strict=True)) | dict(zip("DA", model.W.shape, strict=True))
    arrays = {"d_W": (d_W, "D A"), "d_U": (d_U, "E A"), "d_memory": (d_memory, "B S E")}
    expect(sizes, **{f"{name} from steps_backward": pair for name, pair in arrays.items()})
    return d_W, d_U, np.array(d_memory)


def _embedding_backward(d_embedded, ids, table, parts):
    """Ask for the gradient of an embedding, and hold it to the table's shape."""
    d_table = parts.embedding_backward(d_embedded, ids, len(table))
    if np.shape(d_table) != table.shape:
        got = f"shape {d_table.shape}" if isinstance(d_table, np.ndarray) else type(d_table).__name__
        raise ValueError(f"embedding_backward: expected an array of shape {table.shape}, got {got}")
    return d_table


def encoder_backward(model, trace, batch, d_memory, parts):
    """From d_memory (B, S, E) to the gradients of the encoder's parameters."""
    d_embedded, d_forward, d_backward = bidirectional_backward(
        d_memory, trace.embedded, trace.memory, batch.mask, model.forward, model.backward
    )
    return {
        "source_embedding": _embedding_backward(d_embedded, batch.source, model.source_embedding, parts),
        **by_name("forward", d_forward),
        **by_name("backward", d_backward),
    }


def by_name(unit, gru):
    """The arrays of a GRU under the names that they have in a model: {"decoder.W": …, "decoder.U": …, …}."""
    return {f"{unit}.{part}": array for part, array in gru._asdict().items()}


def _results(function, answer, *names):
    """Hold what a part returned to the number of its results; a mistake should be named here, not ten lines on."""
    if not isinstance(answer, tuple | list) or len(answer) != len(names):
        got = f"{len(answer)} results" if isinstance(answer, tuple | list) else type(answer).__name__
        raise ValueError(f"{function}: expected ({', '.join(names)}), got {got}")
    return answer
