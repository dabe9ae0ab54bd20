"""Train the translator of `coursekit.models.luong`, with a way to look that the caller brings.

The attention has two halves. `look` goes forward and is the caller's own. `look_backward` goes back, and is put
together here from the gradient of a score, by `global_backward` or `local_backward`. Scores are told apart by name:

    dot      e_j = s · h_j                     no parameters
    general  e_j = s W h_j                     W (D, E)
    concat   e_j = tanh([s ; h_j] W) · v       W (D + E, A), v (A,)

All of them share W_c (E + D, D), the matrix of the attentional state; local attention has W_p (D, A) and v_p (A,) for
the centre that it predicts. `d_name` is the gradient of the loss in `name`, and has its shape.

B batch, S source positions, T target positions, X embedding width, H encoder state, E = 2H, D decoder state and
attentional state, A attention width, V words that can be written, R words that a window reaches to either side.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from coursekit.layers.basics import outer, sigmoid
from coursekit.layers.recurrent import gru_step_backward, stack_gates
from coursekit.models.luong import LuongTranslator, parameter_shapes
from coursekit.models.recurrent import initial_parameters
from coursekit.tasks import bleu
from coursekit.tasks.phrases import draw, phrase_pairs
from coursekit.tasks.tokens import told_before
from coursekit.trainers.recurrent import Trace, decoder_backward, encoder_backward
from coursekit.training import Training


class Parts(NamedTuple):
    """The functions that a trainer is given.

        look(state, memory, mask, p) -> attentional state (B, D), weights (B, S)
        look_backward(d_told, state, memory, mask, weights, p)
            -> d_state (B, D), d_memory (B, S, E), {name: gradient of p[name]}
        cross_entropy(logits (B, T, V), target (B, T), mask (B, T)) -> loss, d_logits (B, T, V)
        embedding_backward(d_embedded (B, T, X), ids (B, T), rows) -> d_table (rows, X)

    d_told is the gradient in the attentional state.
    """

    look: Callable
    look_backward: Callable
    cross_entropy: Callable
    embedding_backward: Callable


def attention_shapes(kind, D, E, A, local=False):
    """The parameters of a score and of what follows it, {name: shape}. Raises ValueError for an unknown kind."""
    of_score = {"dot": {}, "general": {"W": (D, E)}, "concat": {"W": (D + E, A), "v": (A,)}}
    if kind not in of_score:
        raise ValueError(f"kind: expected one of {', '.join(of_score)}, got {kind!r}")
    if kind == "dot" and D != E:
        raise ValueError(f"dot: expected states of one width, got D = {D} and E = {E}")
    return of_score[kind] | {"W_c": (E + D, D)} | ({"W_p": (D, A), "v_p": (A,)} if local else {})


class LuongTrainer(Training):
    """A translator that starts from random numbers and learns.

        trainer = LuongTrainer(seed=0, parts=Parts(...), attention=attention_shapes("dot", D=64, E=64, A=32))
        trainer.train(300)
        trainer.bleu(100)                            on new sentences, 0 to 100
        written, weights = trainer.translate(["the small black cat had been found ."])

    The seed decides the first parameters and the batches. `losses` lists the mean loss of a word at each step so far;
    `parameters` holds the arrays by name, float32.
    """

    def __init__(self, seed, parts, attention, X=32, H=32, D=64, lengths=(5, 12), feeding=False):
        self.parts, self.lengths, self.rng = parts, lengths, np.random.default_rng([seed, 2])
        shapes = parameter_shapes(X, H, D, attention, feeding)
        super().__init__(initial_parameters(np.random.default_rng([seed, 1]), shapes))

    def train(self, steps, batch_size=64, learning_rate=4e-3, tell=0):
        """Take `steps` steps, each on a batch of new pairs; print the loss after every `tell` of them, if not 0."""

        def gradient_of(parameters):
            return loss_and_gradient(parameters, draw(self.rng, batch_size, self.lengths), self.parts)

        self.run(steps, gradient_of, learning_rate, tell, "word")

    def bleu(self, n, seed=2015):
        """The BLEU of `n` sentences of the lengths trained on, drawn from a seed of their own."""
        texts, right = phrase_pairs(np.random.default_rng(seed), n, self.lengths)
        return bleu.bleu(self.translate(texts)[0], right)

    def translate(self, texts):
        """Translate B texts. Returns B texts and the weights (B, T, S)."""
        return LuongTranslator(self.parameters).translate(texts, self.parts.look)


# Forward, and back through the model


def loss_and_gradient(parameters, batch, parts):
    """The loss of a word, averaged over the real words of the batch, and its gradient in every parameter, by name."""
    model, embed = LuongTranslator(parameters), parts.embedding_backward
    trace = run(model, batch, parts.look)
    loss, d_logits = parts.cross_entropy(trace.logits, batch.target, batch.target_mask)
    d_state, gates, d_memory, gradient = steps_in_reverse(model, batch, trace, d_logits @ model.readout.T, parts)
    gradient |= decoder_backward(model, trace, d_logits, d_state, gates, d_memory, embed)
    gradient |= encoder_backward(model, batch, trace.memory, d_memory, embed)
    return float(loss), gradient


def run(model, batch, look):
    """Read the source, then write the target while being told the right word before each. Returns a Trace."""
    memory, previous = model.annotate(batch.source, batch.mask), told_before(batch.target)    # (B, S, E), (B, T)
    state, told = model.start(memory)                                              # (B, D) both
    first, steps = state, []
    for t in range(previous.shape[1]):
        x = model.input(previous[:, t], told)
        state = model.step(state, previous[:, t], told)
        told, weights = model.looked(look, state, memory, batch.mask)
        steps.append((state, x, told, weights))
    states, inputs, told, weights = (np.stack(part, axis=1) for part in zip(*steps, strict=True))
    states = np.concatenate([first[:, None], states], axis=1)                      # (B, T + 1, D)
    return Trace(memory, None, states, previous, inputs, told, weights, model.logits(told))


def steps_in_reverse(model, batch, trace, d_told, parts):
    """Go back through the decoder's steps, the last one first: from the attentional state to the state, and from
    there to the state before, and with input feeding to the attentional state before.

    d_told (B, T, D) is the gradient in the attentional states by way of the readout alone.
    Returns d_state (B, D) for s_0, the Gates of all steps, d_memory (B, S, E), and the attention's gradients by name.
    """
    X, d_fed, d_state = model.target_embedding.shape[1], 0.0, np.zeros_like(trace.states[:, 0])
    d_memory, gradient, d_gates = np.zeros_like(trace.memory), {}, []
    for t in reversed(range(d_told.shape[1])):
        before, after = trace.states[:, t], trace.states[:, t + 1]                 # (B, D) both
        looked = (after, trace.memory, batch.mask, trace.weights[:, t], model.p)
        d_after, d_memory_here, d_parameters = parts.look_backward(d_told[:, t] + d_fed, *looked)
        d_memory += d_memory_here
        gradient = {name: gradient.get(name, 0) + part for name, part in d_parameters.items()}
        d_state, gates = gru_step_backward(d_state + d_after, trace.inputs[:, t], before, model.decoder)
        d_fed = gates.from_x @ model.decoder.W[X:].T if model.feeds else 0.0
        d_gates.append(gates)
    return d_state, stack_gates(d_gates[::-1]), d_memory, gradient


# Back through a look. Each takes the weights that it gave; what else it needs is computed anew.


def global_backward(kind):
    """The `look_backward` of global attention with the score of this kind."""
    score_backward = SCORES_BACKWARD[kind]

    def look_backward(d_told, state, memory, mask, weights, p):
        d_state, d_context, gradient = told_backward(d_told, state, memory, weights, p)
        gain = weights * np.einsum("be,bse->bs", d_context, memory)                # (B, S)
        d_scores = gain - weights * gain.sum(axis=-1, keepdims=True)
        return _joined(d_state, d_context, d_scores, weights, gradient, score_backward(d_scores, state, memory, p))

    return look_backward


def local_backward(kind, reach):
    """The `look_backward` of local attention that predicts its centre, with a window of `reach` words to each side.

    The weights are a softmax within the window times a bell, exp(-(j - centre)² / (2 σ²)) with σ = reach / 2. The
    gradient goes through both; that a word may enter or leave the window has no slope.
    """
    score_backward = SCORES_BACKWARD[kind]

    def look_backward(d_told, state, memory, mask, weights, p):
        d_state, d_context, gradient = told_backward(d_told, state, memory, weights, p)
        gain = weights * np.einsum("be,bse->bs", d_context, memory)                # (B, S)
        length = mask.sum(axis=1).astype(state.dtype)                              # (B,)
        bent = np.tanh(state @ p["W_p"])                                           # (B, A)
        share = sigmoid(bent @ p["v_p"])                                           # (B,), the centre is length * share
        offset = np.arange(mask.shape[1], dtype=state.dtype) - (length * share)[:, None]
        of_softmax = weights * np.exp(2 * (np.clip(offset, -reach, reach) / reach) ** 2)      # without the bell
        d_scores = gain - of_softmax * gain.sum(axis=-1, keepdims=True)
        d_centre = (gain * offset).sum(axis=-1) * (4 / reach**2)                   # (B,)
        d_bent = np.outer(d_centre * length * share * (1 - share), p["v_p"]) * (1 - bent**2)  # (B, A)
        d_v_p = bent.T @ (d_centre * length * share * (1 - share))
        gradient |= {"W_p": state.T @ d_bent, "v_p": d_v_p}
        d_state = d_state + d_bent @ p["W_p"].T
        return _joined(d_state, d_context, d_scores, weights, gradient, score_backward(d_scores, state, memory, p))

    return look_backward


def told_backward(d_told, state, memory, weights, p):
    """Back through tanh([c ; s] W_c), c the blend of the memory. Returns d_state, d_context, {"W_c": its gradient}."""
    D, context = state.shape[1], np.einsum("bs,bse->be", weights, memory)
    both = np.concatenate([context, state], axis=-1)                               # (B, E + D)
    d_sum = d_told * (1 - np.tanh(both @ p["W_c"]) ** 2)                           # (B, D), before the tanh
    d_both = d_sum @ p["W_c"].T                                                    # (B, E + D)
    return d_both[:, -D:], d_both[:, :-D], {"W_c": both.T @ d_sum}


def _joined(d_state, d_context, d_scores, weights, gradient, of_score):
    """Add up the two ways in which a state and a memory had a part: by the score, and by what was made of it."""
    d_asked, d_compared, d_parameters = of_score
    d_memory = d_compared + weights[:, :, None] * d_context[:, None]               # (B, S, E)
    return d_state + d_asked, d_memory, gradient | d_parameters


def dot_backward(d_scores, state, memory, p):
    """Back through s · h_j."""
    return np.einsum("bs,bse->be", d_scores, memory), d_scores[:, :, None] * state[:, None], {}


def general_backward(d_scores, state, memory, p):
    """Back through s W h_j."""
    pulled = np.einsum("bs,bse->be", d_scores, memory)                             # (B, E)
    d_memory = d_scores[:, :, None] * (state @ p["W"])[:, None]                    # (B, S, E)
    return pulled @ p["W"].T, d_memory, {"W": state.T @ pulled}


def concat_backward(d_scores, state, memory, p):
    """Back through tanh([s ; h_j] W) · v, with W cut into the rows that meet s and those that meet h_j."""
    D, W, v = state.shape[1], p["W"], p["v"]
    bent = np.tanh((state @ W[:D])[:, None] + memory @ W[D:])                      # (B, S, A)
    d_sum = (1 - bent**2) * v * d_scores[:, :, None]                               # (B, S, A)
    d_asked = d_sum.sum(axis=1)                                                    # (B, A)
    d_W = np.concatenate([state.T @ d_asked, outer(memory, d_sum)])                # (D + E, A)
    return d_asked @ W[:D].T, d_sum @ W[D:].T, {"W": d_W, "v": np.einsum("bs,bsa->a", d_scores, bent)}


SCORES_BACKWARD = {"dot": dot_backward, "general": general_backward, "concat": concat_backward}
