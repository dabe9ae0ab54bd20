"""Different right ways to write lab 11: a fair grader gives each of them full points."""

import heapq
import sys

import numpy as np

from coursekit.models.transformer import END, START
from solutions.lab11_decoding.reference import following
from tests.labs.float32 import in_float32

# greedy


def greedy_with_a_for_loop(table, longest):
    tokens, score = [START], 0.0
    for _ in range(longest):
        log_p = following(table, tokens)
        tokens.append(int(np.argmax(log_p)))
        score += log_p[tokens[-1]]
        if tokens[-1] == END:
            break
    return tokens[1:], score


def greedy_by_recursion(table, longest, told=(START,)):
    if longest == 0 or told[-1] == END:
        return [], 0.0
    log_p = following(table, told)
    best = max(range(len(log_p)), key=lambda token: log_p[token])
    rest, score = greedy_by_recursion(table, longest - 1, (*told, best))
    return [best, *rest], log_p[best] + score


def greedy_scored_afterwards(table, longest):
    tokens = [START]
    while len(tokens) < longest + 1 and tokens[-1] != END:
        tokens = [*tokens, following(table, tokens).argmax()]
    shares = [following(table, tokens[:i])[tokens[i]] for i in range(1, len(tokens))]
    return np.array(tokens[1:]), sum(shares)


def greedy_into_an_array(table, longest):
    told, score = np.full(longest + 1, START, dtype=np.int16), 0.0
    for n in range(1, longest + 1):
        log_p = following(table, told[:n])
        told[n], score = np.argmax(log_p), score + np.max(log_p)
        if told[n] == END:
            break
    return told[1:n + 1], score


def greedy_in_float32(table, longest):
    print("in float32", file=sys.stderr)
    tokens, score = greedy_with_a_for_loop(table, longest)
    return np.array(tokens), np.float32(score)


# beam_step


def beam_step_by_sorting_tuples(scores, log_p, beam):
    K, V = log_p.shape
    pairs = [(-(scores[k] + log_p[k, v]), k, v) for k in range(K) for v in range(V) if log_p[k, v] > -np.inf]
    best = sorted(pairs)[:beam]
    return [k for _, k, _ in best], [v for _, _, v in best], [-s for s, _, _ in best]


def beam_step_by_a_heap(scores, log_p, beam):
    total = scores[:, None] + log_p
    finite = [(float(total[k, v]), -int(k), -int(v)) for k, v in np.argwhere(np.isfinite(total))]
    best = heapq.nlargest(beam, finite)
    return (np.array([-k for _, k, _ in best]), np.array([-v for _, _, v in best]), np.array([s for s, _, _ in best]))


def beam_step_by_lexsort(scores, log_p, beam):
    parents, tokens = np.nonzero(log_p > -np.inf)
    total = (log_p + scores[:, np.newaxis])[parents, tokens]
    order = np.lexsort((tokens, parents, -total))[:beam]
    return parents[order], tokens[order], total[order]


def beam_step_by_taking_the_largest_again_and_again(scores, log_p, beam):
    total, found = scores[:, None] + log_p, []
    for _ in range(beam):
        place = np.unravel_index(total.argmax(), total.shape)
        if total[place] == -np.inf:
            break
        found.append((*place, total[place]))
        total[place] = -np.inf
    parents, tokens, values = zip(*found, strict=True)
    return np.array(parents), np.array(tokens), np.array(values, np.float32)


# penalised


def penalised_by_a_loop(scores, lengths, alpha):
    return [score / ((5 + n) / (5 + 1)) ** alpha for score, n in zip(scores, lengths, strict=True)]


def penalised_by_logarithms(scores, lengths, alpha):
    return scores * np.exp(-alpha * np.log((5 + lengths) / 6))


def penalised_with_two_powers(scores, lengths, alpha):
    return scores * 6**alpha / (5 + lengths) ** alpha


# beam_search


def _value(score, n, alpha):
    return score / ((5 + n) / 6) ** alpha


def beam_search_with_one_list(table, longest, beam, alpha):
    """Finished ones stand in the same list and are carried along; they come first, keep their places, and win."""
    beams = [((), 0.0)]
    for _ in range(longest):
        done = [(t, s) for t, s in beams if t and t[-1] == END]
        live = [(t, s) for t, s in beams if not t or t[-1] != END]
        grown = [((*t, v), s + p) for t, s in live for v, p in enumerate(following(table, [START, *t]))]
        grown = sorted((pair for pair in grown if pair[1] > -np.inf), key=lambda pair: -pair[1])
        beams = sorted(done + grown[: beam - len(done)], key=lambda pair: pair[0][-1] != END)
    tokens, score = max(beams, key=lambda pair: _value(pair[1], len(pair[0]), alpha))
    return list(tokens), _value(score, len(tokens), alpha)


def beam_search_with_arrays(table, longest, beam, alpha):
    told, scores, kept = np.full((1, 1), START), np.zeros(1), []
    for _ in range(longest):
        total = scores[:, None] + np.stack([following(table, row) for row in told.tolist()])
        order = np.argsort(-total, axis=None, kind="stable")[: beam - len(kept)]
        parents, tokens = np.unravel_index(order[np.isfinite(total.ravel()[order])], total.shape)
        told, scores = np.concatenate([told[parents], tokens[:, None]], axis=1), total[parents, tokens]
        kept += [(row[1:], score) for row, score in zip(told[tokens == END], scores[tokens == END], strict=True)]
        told, scores = told[tokens != END], scores[tokens != END]
        if not len(told):
            break
    kept += [(row[1:], score) for row, score in zip(told, scores, strict=True)]
    values = [_value(score, len(row), alpha) for row, score in kept]
    best = np.argmax(values)
    return kept[best][0], values[best]


def beam_search_with_dictionaries(table, longest, beam, alpha):
    live, finished = [{"tokens": [START], "score": 0.0}], []
    for _ in range(longest):
        candidates = []
        for hypothesis in live:
            for token, p in enumerate(following(table, hypothesis["tokens"])):
                if p != -np.inf:
                    candidates.append({"tokens": hypothesis["tokens"] + [token], "score": hypothesis["score"] + p})
        candidates.sort(key=lambda c: c["score"], reverse=True)
        live = []
        for candidate in candidates[: beam - len(finished)]:
            candidate["done"] = candidate["tokens"][-1] == END
            live.append(candidate)
        finished += [c for c in live if c["done"]]
        live = [c for c in live if not c["done"]]
    best = max(finished + live, key=lambda c: _value(c["score"], len(c["tokens"]) - 1, alpha))
    return np.array(best["tokens"][1:]), _value(best["score"], len(best["tokens"]) - 1, alpha)


def beam_search_in_float32(table, longest, beam, alpha):
    tokens, value = beam_search_with_arrays(table, longest, beam, alpha)
    return tokens, np.float32(value)


penalised_in_float32 = in_float32(penalised_with_two_powers)

TRIVIAL = {
    "the end at once": lambda *args: ([END], 0.0),
    "no text": lambda *args: ([], 0.0),
    "the first ones": lambda *args: (np.arange(3), np.arange(3), np.zeros(3)),
}

EXPECTS_SHAPES = {"beam_step", "penalised"}  # the reference names each array that does not fit
MAKES_FLOAT64 = {"penalised"}  # float64, whatever it is given
