"""Greedy and beam search (Sutskever et al. 2014, section 3.2; length penalty of Wu et al. 2016, section 7): the
reference solutions of lab 11.

V tokens that can be written, K hypotheses that are not finished. Token ids as in `coursekit.models.transformer`.

The solved notebook is built from the bodies of these functions, so each stands on what the notebook has: `np`,
`expect`, `START`, `END`, the exercises before it, and `following`, which the notebook gives.
"""

import numpy as np

from coursekit.models.transformer import END, PAD, START
from coursekit.shapes import expect


def following(table, tokens):
    """The log-probability of each next token, (V,), after `tokens`, a list that begins with START.

    table  (V, V) log p(next | last), (V, V, V) log p(next | the one before, last) and so on, where PAD stands before
           START, or a model with a method `following` of its own
    """
    model = getattr(table, "following", None)
    if model is None:
        told = [PAD] * np.ndim(table) + [*tokens]
        return table[tuple(told[1 - np.ndim(table) :])]
    return model(tokens)


def greedy(table, longest):
    """Write the likeliest token, again and again, until END or `longest` tokens are written.

    table (V, V), log p(next | last); of equal tokens the one with the smaller id is taken.
    Returns tokens (n,), without START, with END if it was written, and their score, the sum of their log-probabilities.
    """
    tokens, score = [START], 0.0
    while tokens[-1] != END and len(tokens) <= longest:
        log_p = following(table, tokens)  # (V,)
        best = int(log_p.argmax())
        tokens, score = [*tokens, best], score + float(log_p[best])
    return np.array(tokens[1:]), score


def beam_step(scores, log_p, beam):
    """Of all K V continuations of K hypotheses the `beam` best, the best first.

    scores (K,) of the hypotheses, log_p (K, V) of the next token after each. Equal ones: first the smaller parent, then
    the smaller token. Continuations of probability 0 are none, so fewer may come back.
    Returns parents (m,), tokens (m,) and the new scores (m,), m <= beam. Raises ValueError when a shape does not fit.
    """
    V = expect(scores=(scores, "K"), log_p=(log_p, "K V"))["V"]
    total = (scores[:, None] + log_p).ravel()  # (K V,)
    best = np.argsort(-total, kind="stable")[:beam]  # equal ones stay in their order
    best = best[total[best] > -np.inf]
    return best // V, best % V, total[best]


def penalised(scores, lengths, alpha):
    """Divide each score by its length penalty ((5 + n) / 6) ** alpha (Wu et al. 2016), so that lengths can be compared.

    scores (N,), lengths (N,) in tokens, END counted, alpha a number; with 0 nothing changes. Returns (N,).
    Raises ValueError when a shape does not fit.
    """
    expect(scores=(scores, "N"), lengths=(lengths, "N"))
    return scores / ((5 + lengths) / 6) ** alpha


def beam_search(table, longest, beam, alpha):
    """Keep the `beam` best hypotheses at each step; of all that were kept to their end, return the best.

    table (V, V), log p(next | last). A hypothesis that has written END is finished and keeps its place, so that those
    not finished share the places left. Those not finished after `longest` tokens are compared as they are.
    Returns tokens (n,), without START, and their penalised score.
    """
    live, scores, kept = [[START]], np.zeros(1), []
    for _ in range(longest):
        log_p = np.array([following(table, tokens) for tokens in live])  # (K, V)
        parents, words, scores = beam_step(scores, log_p, beam - len(kept))
        grown = [[*live[parent], int(word)] for parent, word in zip(parents, words, strict=True)]
        kept += [pair for pair in zip(grown, scores, strict=True) if pair[0][-1] == END]
        live, scores = [tokens for tokens in grown if tokens[-1] != END], scores[words != END]
        if not live:
            break
    kept += zip(live, scores, strict=True)
    values = penalised(np.array([score for _, score in kept]), np.array([len(t) - 1 for t, _ in kept]), alpha)
    best = int(values.argmax())
    return np.array(kept[best][0][1:]), float(values[best])
