"""Train one layer of multi-head self-attention to say the next word of `coursekit.tasks.senses`: chapter 7's model.

    x  = table[word] + places[position]                    (B, T, d_model)
    y  = x + multi-head attention of x on x, causal        the residual connection of chapter 9
    p(next word) = softmax(y readout)

No feed-forward layer and no layer norm: what a word's vector takes from other words comes through the heads alone.
"""

import numpy as np

from coursekit.layers.basics import outer
from coursekit.tasks import senses
from coursekit.training import Training
from solutions.artifacts.measures import smoothed
from solutions.artifacts.parts import embedding_backward_in_order, softmax
from solutions.lab06_multi_head.reference import multi_head_attention, multi_head_attention_backward

SEEDS, HEADS, STEPS = (0, 1, 2), (1, 2, 4, 8), 800
WIDTH, BATCH, RATE, EVERY = 32, 64, 5e-3, 20
KEPT = 4  # heads of the models that are kept
MATRICES = ("W_Q", "W_K", "W_V", "W_O")
TESTED = 400  # sentences that a model is measured on


def shapes(width=WIDTH):
    """The name and shape of every parameter. The matrices are as wide for many heads as for one."""
    matrices = dict.fromkeys(MATRICES, (width, width))
    words = len(senses.WORDS)
    return {"table": (words, width), "places": (senses.LONGEST, width), **matrices, "readout": (width, words)}


def initial_parameters(rng, width=WIDTH):
    """{name: array}, float32: normal numbers, the matrices' scaled so that a product keeps the size of its rows."""
    scale = {name: width**-0.5 for name in (*MATRICES, "readout")} | {"places": 0.3}
    drawn = {name: scale.get(name, 1.0) * rng.standard_normal(shape) for name, shape in shapes(width).items()}
    return {name: array.astype(np.float32) for name, array in drawn.items()}


def contextual(parameters, ids, heads):
    """The vectors before and after attention, (B, T, d_model) both, and the weights (B, h, T, T)."""
    length = ids.shape[1]
    x = parameters["table"][ids] + parameters["places"][:length]
    found, weights = multi_head_attention(x, x, parameters, heads, np.tri(length, dtype=bool))
    return x, x + found, weights


def next_words(parameters, ids, heads):
    """The probability of each word after each position: (B, T, words)."""
    return softmax(contextual(parameters, ids, heads)[1] @ parameters["readout"])


def loss_and_gradient(parameters, ids, mask, heads):
    """The mean of -log p[next word] over all words but the first, and its gradient {name: array}.

    ids and mask (B, T + 1) as `coursekit.tasks.senses.encode` returns them.
    """
    read, target, counts = ids[:, :-1], ids[:, 1:], mask[:, 1:]
    x, y, weights = contextual(parameters, read, heads)
    p = softmax(y @ parameters["readout"])
    is_target = target[..., None] == np.arange(p.shape[-1])
    share = counts[..., None].astype(p.dtype) / float(counts.sum())
    loss = -(np.log((p * is_target).sum(axis=-1)) * share[..., 0]).sum()
    return float(loss), _backward((p - is_target) * share, x, y, read, parameters, heads, weights)


def _backward(d_logits, x, y, read, parameters, heads, weights):
    """The gradients of all parameters from that of the logits, (B, T, words)."""
    d_y = d_logits @ parameters["readout"].T
    d_x, d_memory, d_matrices = multi_head_attention_backward(d_y, x, x, parameters, heads, weights)
    d_x = d_y + d_x + d_memory  # the residual connection, and x in both of its roles
    d_table, d_places = embedding_backward_in_order(d_x, read, len(senses.WORDS)), np.zeros_like(parameters["places"])
    d_places[: x.shape[1]] = d_x.sum(axis=0)
    d_readout = outer(y, d_logits)
    return {"table": d_table, "places": d_places, **d_matrices, "readout": d_readout}


def train(seed, heads, steps=STEPS):
    """A model from this seed: its parameters, and its losses, the mean of every `EVERY` steps."""
    rng = np.random.default_rng(seed)
    training = Training(initial_parameters(rng))

    def gradient_of(parameters):
        return loss_and_gradient(parameters, *senses.encode([senses.sentence(rng) for _ in range(BATCH)]), heads)

    def rate(step):
        return RATE * min(1, 2 * (1 - (step - 1) / steps))  # level for half of the run, then down to 0

    training.run(steps, gradient_of, rate)
    losses = training.losses
    return training.parameters, smoothed(losses, EVERY) if steps % EVERY == 0 else np.array(losses)


def right_verbs(parameters, heads, texts):
    """The mean probability that a model gives to the verbs that fit, one number for each text."""
    found = []
    for text in texts:
        ids = senses.encode([text])[0][:, :-2]  # all before the verb
        p = next_words(parameters, ids, heads)[0, -1]
        found.append(p[[senses.WORDS.index(verb) for verb in senses.fitting_verbs(text)]].sum())
    return np.array(found)


def new_texts(ambiguous=True):
    """The sentences that every model is measured on, drawn apart from training, which met many of them."""
    rng = np.random.default_rng(999)
    texts = [senses.sentence(rng) for _ in range(4 * TESTED)]
    return [text for text in texts if (text.split()[-3] in senses.AMBIGUOUS) == ambiguous][:TESTED]


def make():
    """What `coursekit.load("sense_model")` returns.

    "0.table" and so on, the parameters of the models with `KEPT` heads, by seed; "4.loss" (seeds, marks) and
    "4.right" (seeds, kinds), for each number of heads the losses on the way and the mean probability of a fitting verb
    after ambiguous and other nouns.
    """
    arrays = {}
    for heads in HEADS:
        runs = [train(seed, heads) for seed in SEEDS]
        arrays[f"{heads}.loss"] = np.array([losses for _, losses in runs], np.float32)
        arrays[f"{heads}.right"] = np.array([_measured(parameters, heads) for parameters, _ in runs], np.float32)
        if heads == KEPT:
            for seed, (parameters, _) in zip(SEEDS, runs, strict=True):
                arrays |= {f"{seed}.{name}": array for name, array in parameters.items()}
    return arrays | {"about.seeds": np.array(SEEDS)}


def _measured(parameters, heads):
    return [right_verbs(parameters, heads, new_texts(ambiguous)).mean() for ambiguous in (True, False)]
