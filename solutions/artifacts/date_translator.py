"""Train the date translator of `coursekit.translator`: its loss, the gradient of it by hand, and the loop.

The forward pass runs the given parts of `coursekit` and is told the right character before each (teacher forcing). It
keeps states, contexts and weights, and no gates: each `*_backward` takes the gradient of the loss in the results of a
forward function, and that function's inputs, recomputes what it needs, and returns the gradients in those inputs.
Unlike the paper, which trains with Adadelta, this uses Adam; like the paper, it clips the gradient's norm at 1.

B batch, S source positions, T target positions, X embedding width, H encoder state, E = 2H, D decoder state,
A attention width, V characters that can be written. `d_name` is the gradient of the loss in `name`.
"""

import sys
from typing import NamedTuple

import numpy as np

from coursekit import dates, recurrent, translator
from coursekit.dates import BLANK, SOURCE, TARGET, date_pairs, split_days
from coursekit.recurrent import GRU, gru_gates
from coursekit.translator import DateTranslator, parameter_shapes
from solutions.artifacts import adam
from solutions.artifacts.adam import Adam, clip, flatten, views
from solutions.artifacts.store import hash_of

SHAPES = parameter_shapes(X=32, H=32, D=64, A=32)
SEED, STEPS = 1, 400  # seeds 0 to 2 reach 99.7 % or more; of these, 1 looks most often at the digit that it copies


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


def make():
    """Train what `coursekit.load("date_translator")` returns: the parameters, and "about.…" how they were made.

    Its quality is measured on 2000 texts from the days that training never saw, `split_days(default_rng(seed))[1]`.
    """
    parameters, _, unseen = train(SEED, STEPS)
    quality = exact_match(parameters, *date_pairs(np.random.default_rng(SEED), unseen, 2000))
    return {
        **parameters,
        "about.seed": np.array(SEED),
        "about.steps": np.array(STEPS),
        "about.exact_match": np.array(quality),
        "about.sources_sha256": np.array(sources_hash()),
    }


def sources_hash():
    """The hash of all the code that decides what the parameters become."""
    return hash_of([dates, recurrent, translator, adam, sys.modules[__name__]])


def train(seed, steps, batch_size=64, learning_rate=5e-3):
    """Train from `seed`. Returns the parameters by name, the losses (steps,), and the days that it never saw."""
    rng = np.random.default_rng(seed)
    days, unseen = split_days(rng)
    parameters = flatten(initial_parameters(rng, SHAPES)).astype(np.float32)
    optimiser, losses = Adam(len(parameters)), []
    for _ in range(steps):
        batch = encode_pairs(*date_pairs(rng, days, batch_size))
        loss, gradient = loss_and_gradient(views(parameters, SHAPES), batch)
        optimiser.step(parameters, clip(flatten(gradient)), learning_rate)
        losses.append(loss)
    return views(parameters, SHAPES), np.array(losses), unseen


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


def exact_match(parameters, texts, isos):
    """The share of `texts` that a translator with these parameters turns into their ISO date, to the last character."""

    def look(state, memory, mask, W, U, v):
        return attend(state, memory @ U, memory, mask, W, v)

    written, _ = DateTranslator(parameters).translate(texts, look)
    return float(np.mean(np.array(written) == np.array(isos)))


def loss_and_gradient(parameters, batch):
    """The cross-entropy of a character, averaged over the batch, and its gradient in every parameter, by name."""
    model = DateTranslator(parameters)
    trace = run(model, batch)
    loss, d_logits = cross_entropy(trace.logits, batch.target)
    gradient, d_memory = decoder_backward(model, trace, d_logits)
    gradient |= encoder_backward(model, trace, batch, d_memory)
    return loss, {name: gradient[name] for name in parameters}


# Forward


def run(model, batch):
    """Read the source, then write the target while being told the right character before each. Returns a Trace."""
    memory = model.annotate(batch.source, batch.mask)                              # (B, S, E)
    keys = memory @ model.U                                                        # (B, S, A), the same at every step
    previous = np.roll(batch.target, 1, axis=1)                                    # (B, T)
    previous[:, 0] = BLANK
    state = start = model.start(memory)                                            # (B, D)
    steps = []
    for t in range(previous.shape[1]):
        context, weights = attend(state, keys, memory, batch.mask, model.W, model.v)
        state, logits = model.step(state, previous[:, t], context)
        steps.append((state, context, weights, logits))
    states, contexts, weights, logits = (np.stack(part, axis=1) for part in zip(*steps, strict=True))
    states = np.concatenate([start[:, None], states], axis=1)                      # (B, T + 1, D)
    return Trace(model.source_embedding[batch.source], memory, keys, states, previous, contexts, weights, logits)


def attend(state, keys, memory, mask, W, v):
    """Additive attention of state (B, D), given keys = memory U (B, S, A). Every row of mask has a True."""
    features = np.tanh((state @ W)[:, None] + keys)                                # (B, S, A)
    scores = np.where(mask, features @ v, -np.inf)                                 # (B, S)
    weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
    weights /= weights.sum(axis=-1, keepdims=True)                                 # (B, S)
    return (weights[:, None] @ memory)[:, 0], weights                              # (B, E), (B, S)


def cross_entropy(logits, target):
    """The mean of -log softmax(logits)[target] over B and T, and its gradient in the logits: (p - y) / (B T)."""
    shifted = logits - logits.max(axis=-1, keepdims=True)                          # (B, T, V)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    chosen = target[..., None]                                                     # (B, T, 1)
    d_logits = np.exp(log_p)
    np.put_along_axis(d_logits, chosen, np.take_along_axis(d_logits, chosen, -1) - 1, -1)
    return -float(np.take_along_axis(log_p, chosen, -1).mean()), d_logits / target.size


# Backward


def decoder_backward(model, trace, d_logits):
    """From d_logits (B, T, V) to the gradients of the decoder's parameters and d_memory (B, S, E)."""
    X, H = model.target_embedding.shape[1], len(model.first_state)
    before, after = trace.states[:, :-1], trace.states[:, 1:]                      # (B, T, D) both
    x = np.concatenate([model.target_embedding[trace.previous], trace.contexts], axis=-1)   # (B, T, X + E)
    d_state, steps, d_keys, d_v = decoder_steps_backward(model, trace, x, before, d_logits @ model.readout.T)
    d_gates, d_queries = zip(*reversed(steps), strict=True)

    d_start = d_state * (1 - before[:, 0] ** 2)                                    # (B, D), through the tanh
    d_x = np.stack([gates.from_x for gates in d_gates], axis=1) @ model.decoder.W.T         # (B, T, X + E)
    d_memory = trace.weights.swapaxes(1, 2) @ d_x[..., X:] + d_keys @ model.U.T    # (B, S, E), as values and as keys
    d_memory[:, 0, H:] += d_start @ model.first_state.T
    return {
        "target_embedding": embedding_backward(d_x[..., :X], trace.previous, len(model.target_embedding)),
        **gru_parameters_backward("decoder", d_gates, x, before),
        "first_state": trace.memory[:, 0, H:].T @ d_start,
        "attention.W": outer(before, np.stack(d_queries, axis=1)),
        "attention.U": outer(trace.memory, d_keys),
        "attention.v": d_v,
        "readout.W": outer(after, d_logits),
        "readout.b": d_logits.sum(axis=(0, 1)),
    }, d_memory


def decoder_steps_backward(model, trace, x, before, d_after):
    """Go back through the steps, whose inputs were x (B, T, X + E) and states before (B, T, D).

    d_after (B, T, D) is the gradient in the state after each step by way of the readout alone.
    Returns d_state (B, D) for s_0; of each step, last one first, its Gates and d_query (B, A); d_keys; d_v.
    """
    context_rows = model.decoder.W[-trace.memory.shape[-1] :]                      # (E, 3D), those that read c_i
    d_state, d_keys, d_v = np.zeros_like(before[:, 0]), np.zeros_like(trace.keys), np.zeros_like(model.v)
    steps = []
    for t in reversed(range(x.shape[1])):
        d_state, gates = gru_step_backward(d_state + d_after[:, t], x[:, t], before[:, t], model.decoder)
        d_query, d_keys_here, d_v_here = attend_backward(
            gates.from_x @ context_rows.T, before[:, t], trace.keys, trace.memory, trace.weights[:, t], model.W, model.v
        )
        d_state = d_state + d_query @ model.W.T
        d_keys += d_keys_here                                                      # the keys serve every step
        d_v += d_v_here
        steps.append((gates, d_query))
    return d_state, steps, d_keys, d_v


def encoder_backward(model, trace, batch, d_memory):
    """From d_memory (B, S, E) to the gradients of the encoder's parameters."""
    H = len(model.first_state)
    ahead, behind = trace.memory[..., :H], trace.memory[..., H:]
    left_to_right = (d_memory[..., :H], trace.embedded, ahead, batch.mask)
    right_to_left = (array[:, ::-1] for array in (d_memory[..., H:], trace.embedded, behind, batch.mask))
    d_ahead, gradient = gru_sequence_backward("forward", *left_to_right, model.forward)
    d_behind, more = gru_sequence_backward("backward", *right_to_left, model.backward)
    d_embedded = d_ahead + d_behind[:, ::-1]                                       # (B, S, X)
    d_embedding = embedding_backward(d_embedded, batch.source, len(model.source_embedding))
    return {"source_embedding": d_embedding, **gradient, **more}


def attend_backward(d_context, state, keys, memory, weights, W, v):
    """From d_context (B, E) to d_query (B, A), d_keys (B, S, A) and d_v (A,), where query = state W.

    d_memory through the blend, weights ∘ d_context, is left to the caller, who can sum it over the steps at once.
    """
    features = np.tanh((state @ W)[:, None] + keys)                                # (B, S, A)
    d_weights = (memory @ d_context[..., None])[..., 0]                            # (B, S)
    d_scores = weights * (d_weights - (weights * d_weights).sum(axis=-1, keepdims=True))
    d_keys = d_scores[..., None] * (v * (1 - features**2))                         # (B, S, A)
    return d_keys.sum(axis=1), d_keys, d_scores.ravel() @ features.reshape(-1, len(v))


class Gates(NamedTuple):
    """Gradients in the sums that the gates and the candidate are functions of, (B, 3H) each or (B, T, 3H)."""

    from_x: np.ndarray  # in x W + b
    from_state: np.ndarray  # in h U + c


def gru_step_backward(d_new, x, state, gru):
    """From the gradient in the next state, (B, H), to d_state (B, H) and the Gates."""
    H = state.shape[-1]
    reset, update, candidate = gru_gates(x, state, gru)
    seen = state @ gru.U[:, 2 * H :] + gru.c[2 * H :]                              # what the reset gate multiplies
    d_candidate = d_new * (1 - update) * (1 - candidate**2)
    d_update = d_new * (state - candidate) * update * (1 - update)
    d_reset = d_candidate * seen * reset * (1 - reset)
    from_x = np.concatenate([d_reset, d_update, d_candidate], axis=-1)             # (B, 3H)
    from_state = np.concatenate([d_reset, d_update, d_candidate * reset], axis=-1)
    return d_new * update + from_state @ gru.U.T, Gates(from_x, from_state)


def gru_sequence_backward(name, d_states, x, states, mask, gru):
    """From d_states (B, S, H) to d_x (B, S, X) and the gradients of the parameters, named after the unit `name`."""
    before = np.concatenate([np.zeros_like(states[:, :1]), states[:, :-1]], axis=1)    # (B, S, H)
    d_state, d_gates = np.zeros_like(states[:, 0]), []
    for t in reversed(range(x.shape[1])):
        d_state = d_state + d_states[:, t]
        real = mask[:, t, None]                                                    # padding passed the state on
        d_before, gates = gru_step_backward(np.where(real, d_state, 0), x[:, t], before[:, t], gru)
        d_state = np.where(real, d_before, d_state)
        d_gates.append(gates)
    d_gates.reverse()
    d_x = np.stack([gates.from_x for gates in d_gates], axis=1) @ gru.W.T          # (B, S, X)
    return d_x, gru_parameters_backward(name, d_gates, x, before)


def gru_parameters_backward(name, d_gates, x, before):
    """The gradients of a unit's parameters, from its T Gates and the inputs x (B, T, X) and states before (B, T, H)."""
    from_x, from_state = (np.stack(part, axis=1) for part in zip(*d_gates, strict=True))   # (B, T, 3H)
    parts = GRU(outer(x, from_x), outer(before, from_state), from_x.sum(axis=(0, 1)), from_state.sum(axis=(0, 1)))
    return {f"{name}.{part}": gradient for part, gradient in parts._asdict().items()}


def embedding_backward(d_embedded, ids, rows):
    """From d_embedded (B, T, X) to the gradient of the table (rows, X). A character that occurs twice counts twice."""
    d_table = np.zeros((rows, d_embedded.shape[-1]), d_embedded.dtype)
    np.add.at(d_table, ids, d_embedded)
    return d_table


def outer(x, d_y):
    """The gradient of a matrix that multiplied x (B, T, N) to give y (B, T, M): (N, M), summed over B and T."""
    return x.reshape(-1, x.shape[-1]).T @ d_y.reshape(-1, d_y.shape[-1])
