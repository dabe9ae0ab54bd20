"""Plausible wrong answers to lab 11. A docstring is the sentence that a student reads whose answer behaves like it.

The tests prove that the hidden checks reject each of them; the marking room names the one that an answer behaves like.
"""

import numpy as np

from coursekit.models.transformer import END, PAD, START
from solutions.exercises import asking, by_exercise
from solutions.lab11_decoding import reference
from solutions.lab11_decoding.reference import following

# greedy


def greedy_that_writes_on_after_the_end(table, longest):
    """You wrote on after END: stop as soon as END is written."""
    tokens, score = [START], 0.0
    for _ in range(longest):
        log_p = following(table, tokens)
        best = int(log_p.argmax())
        tokens, score = [*tokens, best], score + float(log_p[best])
    return np.array(tokens[1:]), score


def greedy_without_the_end(table, longest):
    """You left END and its log-probability out: END is a token that the model must decide to write."""
    tokens, score = [START], 0.0
    while len(tokens) <= longest:
        log_p = following(table, tokens)
        best = int(log_p.argmax())
        if best == END:
            break
        tokens, score = [*tokens, best], score + float(log_p[best])
    return np.array(tokens[1:], int), score


def greedy_that_begins_with_start(table, longest):
    """Your tokens begin with START: it is what the model is told, and nothing that it writes."""
    tokens, score = reference.greedy(table, longest)
    return np.concatenate([[START], tokens]), score


def greedy_one_token_short(table, longest):
    """You stop one token before `longest`: START is not counted."""
    tokens, score = [START], 0.0
    while tokens[-1] != END and len(tokens) < longest:
        log_p = following(table, tokens)
        best = int(log_p.argmax())
        tokens, score = [*tokens, best], score + float(log_p[best])
    return np.array(tokens[1:], int), score


def greedy_with_the_probability(table, longest):
    """Your score is a probability: return its logarithm, the sum of the log-probabilities."""
    tokens, score = reference.greedy(table, longest)
    return tokens, float(np.exp(score))


def greedy_with_the_mean(table, longest):
    """You divided the score by the number of tokens: it is their sum; lengths come in exercise 3."""
    tokens, score = reference.greedy(table, longest)
    return tokens, score / max(len(tokens), 1)


def greedy_by_columns(table, longest):
    """You read a column of the table: row `last` holds what may follow, table[last]."""
    return reference.greedy(table.swapaxes(-1, -2), longest)


def greedy_from_the_first_row(table, longest):
    """You began with row 0, which belongs to padding: the first token follows START."""
    search = asking(reference.greedy, following=lambda table, tokens: following(table, [PAD, *tokens[1:]]))
    return search(table, longest)


def greedy_that_looks_into_the_table(table, longest):
    """You read table[tokens[-1]] yourself: ask following(table, tokens), since not every model is a table."""
    return asking(reference.greedy, following=lambda table, tokens: table[tokens[-1]])(table, longest)


def greedy_that_passes_the_last_token_alone(table, longest):
    """You gave `following` the last token alone: give it all tokens, since a model may look at each of them."""
    return asking(reference.greedy, following=lambda table, tokens: following(table, tokens[-1:]))(table, longest)


def greedy_that_leaves_start_out(table, longest):
    """You gave `following` the tokens without START: it is told all, from START on, since a model may look at it."""
    return asking(reference.greedy, following=_without_start)(table, longest)


def _without_start(table, tokens):
    return following(table, tokens[1:] or tokens)


# beam_step


def beam_step_for_each_hypothesis(scores, log_p, beam):
    """You took the best token of each hypothesis: all continuations compete, and one hypothesis may have several."""
    tokens = log_p.argmax(axis=1)
    total = scores + log_p.max(axis=1)
    order = np.argsort(-total, kind="stable")[:beam]
    return order, tokens[order], total[order]


def beam_step_without_the_scores_so_far(scores, log_p, beam):
    """The scores so far play no part: add each hypothesis's score to its row of log_p before you compare."""
    return reference.beam_step(np.zeros_like(scores), log_p, beam)


def beam_step_that_returns_the_last_addend(scores, log_p, beam):
    """You returned the log-probability of the new token: the new score is that of the hypothesis plus it."""
    parents, tokens, _ = reference.beam_step(scores, log_p, beam)
    return parents, tokens, log_p[parents, tokens]


def beam_step_the_worst_first(scores, log_p, beam):
    """The best must come first: np.argsort puts the smallest first, so sort the negative."""
    return tuple(part[::-1] for part in reference.beam_step(scores, log_p, beam))


def beam_step_with_the_worst(scores, log_p, beam):
    """You kept the smallest scores: np.argsort puts the smallest first, so sort the negative."""
    total = (scores[:, None] + log_p).ravel()
    order = np.argsort(total, kind="stable")
    order = order[total[order] > -np.inf][:beam]
    return order // log_p.shape[1], order % log_p.shape[1], total[order]


def beam_step_with_ties_turned_round(scores, log_p, beam):
    """Equal continuations came in the wrong order: first the smaller parent, then the smaller token. A sort that is
    turned round by [::-1] turns them round too; sort the negative with kind="stable"."""
    total = (scores[:, None] + log_p).ravel()
    order = np.argsort(total, kind="stable")[::-1]
    order = order[total[order] > -np.inf][:beam]
    return order // log_p.shape[1], order % log_p.shape[1], total[order]


def beam_step_with_an_unstable_sort(scores, log_p, beam):
    """Equal continuations came in any order: np.argsort without kind="stable" does not keep it in longer arrays."""
    total = (scores[:, None] + log_p).ravel()
    order = np.argsort(-total)
    order = order[total[order] > -np.inf][:beam]
    return order // log_p.shape[1], order % log_p.shape[1], total[order]


def beam_step_turned_round_and_unstable(scores, log_p, beam):
    """Equal continuations came in another order: np.argsort(...)[::-1] turns them round, and without kind="stable" it
    leaves their order to chance. Sort the negative, with kind="stable"."""
    total = (scores[:, None] + log_p).ravel()
    order = np.argsort(total)[::-1][:beam]
    order = order[total[order] > -np.inf]
    return order // log_p.shape[1], order % log_p.shape[1], total[order]


def beam_step_with_the_smaller_token_first(scores, log_p, beam):
    """Of equal continuations you took the smaller token first: the smaller parent comes before that."""
    total = (scores[:, None] + log_p).T.ravel()
    order = np.argsort(-total, kind="stable")[:beam]
    order = order[total[order] > -np.inf]
    return order % len(scores), order // len(scores), total[order]


def beam_step_with_impossible_continuations(scores, log_p, beam):
    """You kept continuations whose score is -inf: they have probability 0, so leave them out."""
    total = (scores[:, None] + log_p).ravel()
    order = np.argsort(-total, kind="stable")[:beam]
    return order // log_p.shape[1], order % log_p.shape[1], total[order]


def beam_step_with_parents_and_tokens_exchanged(scores, log_p, beam):
    """You exchanged parents and tokens: the place in the flat array is parent · V + token, so // V is the parent."""
    parents, tokens, scores = reference.beam_step(scores, log_p, beam)
    return tokens, parents, scores


def beam_step_divided_by_the_hypotheses(scores, log_p, beam):
    """You divided by K: a row of the flat array is V long, so place // V is the parent and place % V the token."""
    parents, tokens, total = reference.beam_step(scores, log_p, beam)
    place = parents * log_p.shape[1] + tokens
    return place // len(scores), place % len(scores), total


# penalised


def penalised_by_the_length(scores, lengths, alpha):
    """You divided by n ** alpha: the penalty of Wu et al. is ((5 + n) / 6) ** alpha."""
    return scores / np.asarray(lengths, float) ** alpha


def penalised_by_multiplying(scores, lengths, alpha):
    """You multiplied: scores are negative, so that makes long ones still worse. Divide by the penalty."""
    return scores * ((5 + lengths) / 6) ** alpha


def penalised_without_alpha(scores, lengths, alpha):
    """alpha has no effect: it is the exponent of the penalty."""
    return scores / ((5 + lengths) / 6)


def penalised_with_alpha_as_a_factor(scores, lengths, alpha):
    """alpha is an exponent, not a factor."""
    return scores / (alpha * (5 + lengths) / 6)


def penalised_with_alpha_on_the_numerator(scores, lengths, alpha):
    """Only the upper part was raised to alpha: it is ((5 + n) / 6) ** alpha, with brackets."""
    return scores / ((5 + lengths) ** alpha / 6)


def penalised_without_brackets(scores, lengths, alpha):
    """Brackets are missing: 5 + n / 6 is not (5 + n) / 6."""
    return scores / (5 + lengths / 6) ** alpha


def penalised_with_floor_division(scores, lengths, alpha):
    """You divided by 6 with //, which drops the fraction: the penalty of 4 tokens is 1.5, so divide with /."""
    return scores / ((5.0 + lengths) // 6) ** alpha


def penalised_by_the_longest(scores, lengths, alpha):
    """Every score got the penalty of the longest: each has its own length."""
    return scores / ((5 + np.max(lengths)) / 6) ** alpha


# beam_search


def _search(table, longest, beam, alpha, places=None, rank=None, more=True, stops=None, order=list, own=True):
    """Beam search with single decisions made otherwise. Returns the hypothesis, its score and its penalised score.

    stops  whether the search is over, asked with the new hypotheses, the best first
    order  what becomes of the list of (tokens, score) before the first best one is taken
    own    whether live ones go on with their own scores, or with the first of all
    """
    live, scores, kept = [[START]], np.zeros(1), []
    for _ in range(longest):
        log_p = np.array([following(table, tokens) for tokens in live])
        room = beam if places == "all" else beam - len(kept)
        parents, words, scores = reference.beam_step(scores, log_p, room)
        grown = [[*live[p], int(w)] for p, w in zip(parents, words, strict=True)]
        kept += [(t, s) for t, s in zip(grown, scores, strict=True) if t[-1] == END]
        live = [t for t in grown if t[-1] != END]
        scores = scores[words != END] if own else scores[:len(live)]
        if not live or stops and stops(grown):
            break
    kept = order(kept + (list(zip(live, scores, strict=True)) if more or not kept else []))
    totals, lengths = np.array([s for _, s in kept]), np.array([len(t) - 1 for t, _ in kept])
    values = reference.penalised(totals, lengths, alpha)
    best = int((values if rank is None else rank(totals, lengths)).argmax())
    return np.array(kept[best][0][1:]), float(totals[best]), float(values[best])


def beam_search_that_is_greedy(table, longest, beam, alpha):
    """Your search keeps one hypothesis only: carry `beam` of them from step to step."""
    tokens, score = reference.greedy(table, longest)
    return tokens, float(reference.penalised(np.array([score]), np.array([len(tokens)]), alpha)[0])


def beam_search_without_the_penalty(table, longest, beam, alpha):
    """alpha has no effect: the hypotheses are compared by their penalised scores, and that of the best is returned."""
    tokens, score, _ = _search(table, longest, beam, alpha, rank=lambda totals, lengths: totals)
    return tokens, score


def beam_search_that_returns_the_plain_score(table, longest, beam, alpha):
    """You returned the sum of the log-probabilities: return the penalised score by which it won."""
    tokens, score, _ = _search(table, longest, beam, alpha)
    return tokens, score


def beam_search_that_takes_the_first_to_finish(table, longest, beam, alpha):
    """You stopped at the first finished hypothesis: one that finishes later may have the better penalised score."""
    tokens, _, value = _search(table, longest, beam, alpha, stops=lambda new: any(map(_ended, new)), more=False)
    return tokens, value


def beam_search_that_stops_when_the_best_has_ended(table, longest, beam, alpha):
    """You stopped when the best of a step wrote END: one that goes on may have the better penalised score later."""
    tokens, _, value = _search(table, longest, beam, alpha, stops=lambda new: _ended(new[0]))
    return tokens, value


def beam_search_with_scores_of_others(table, longest, beam, alpha):
    """After one had finished the live ones went on with scores of others: keep those of the live alone,
    scores[np.array(tokens) != END]."""
    tokens, _, value = _search(table, longest, beam, alpha, own=False)
    return tokens, value


def beam_search_that_writes_on_after_the_end(table, longest, beam, alpha):
    """Finished hypotheses were continued: one that has written END is set aside with its score."""
    live, scores = [[START]], np.zeros(1)
    for _ in range(longest):
        log_p = np.array([following(table, tokens) for tokens in live])
        parents, words, scores = reference.beam_step(scores, log_p, beam)
        live = [[*live[p], int(w)] for p, w in zip(parents, words, strict=True)]
    values = reference.penalised(scores, np.array([len(t) - 1 for t in live]), alpha)
    return np.array(live[int(values.argmax())][1:]), float(values.max())


def beam_search_that_forgets_the_finished(table, longest, beam, alpha):
    """Finished hypotheses were lost: they stay, and are compared with the others at the end."""
    live, scores, last = [[START]], np.zeros(1), None
    for _ in range(longest):
        log_p = np.array([following(table, tokens) for tokens in live])
        parents, words, scores = reference.beam_step(scores, log_p, beam)
        grown = [[*live[p], int(w)] for p, w in zip(parents, words, strict=True)]
        last = grown, scores
        live, scores = [t for t in grown if t[-1] != END], scores[words != END]
        if not live:
            break
    grown, totals = (live, scores) if live else last
    values = reference.penalised(totals, np.array([len(t) - 1 for t in grown]), alpha)
    return np.array(grown[int(values.argmax())][1:]), float(values.max())


def beam_search_that_counts_start(table, longest, beam, alpha):
    """Your lengths are one too large: START is not counted, END is."""
    def rank(totals, lengths):
        return reference.penalised(totals, lengths + 1, alpha)

    tokens, score, _ = _search(table, longest, beam, alpha, rank=rank)
    return tokens, float(reference.penalised(np.array([score]), np.array([len(tokens) + 1]), alpha)[0])


def beam_search_that_begins_with_start(table, longest, beam, alpha):
    """Your tokens begin with START: it is what the model is told, and nothing that it writes."""
    tokens, value = reference.beam_search(table, longest, beam, alpha)
    return np.concatenate([[START], tokens]), value


def beam_search_that_gives_finished_places_away(table, longest, beam, alpha):
    """Your search goes on with `beam` hypotheses after some have finished: a finished one keeps its place, so only
    beam minus the number of finished ones are left for the others."""
    tokens, _, value = _search(table, longest, beam, alpha, places="all")
    return tokens, value


def beam_search_that_drops_the_live_ones(table, longest, beam, alpha):
    """Once something had finished you dropped what was still alive at the end: it is compared too, as it stands."""
    tokens, _, value = _search(table, longest, beam, alpha, more=False)
    return tokens, value


def beam_search_that_looks_into_the_table(table, longest, beam, alpha):
    """You read table[tokens[-1]] yourself: ask following(table, tokens), since not every model is a table."""
    search = asking(reference.beam_search, following=lambda table, tokens: table[tokens[-1]])
    return search(table, longest, beam, alpha)


def beam_search_that_passes_the_last_token_alone(table, longest, beam, alpha):
    """You gave `following` the last token alone: give it all tokens, since a model may look at each of them."""
    search = asking(reference.beam_search, following=lambda table, tokens: following(table, tokens[-1:]))
    return search(table, longest, beam, alpha)


def beam_search_that_leaves_start_out(table, longest, beam, alpha):
    """You gave `following` the tokens without START: it is told all, from START on, since a model may look at it."""
    return asking(reference.beam_search, following=_without_start)(table, longest, beam, alpha)


def beam_search_with_the_live_ones_first(table, longest, beam, alpha):
    """Of equal scores you took a live hypothesis before a finished one: the finished come first."""
    def order(kept):
        return sorted(kept, key=lambda pair: _ended(pair[0]))

    tokens, _, value = _search(table, longest, beam, alpha, order=order)
    return tokens, value


def _ended(tokens):
    return tokens[-1] == END


def beam_search_that_takes_the_last_of_equals(table, longest, beam, alpha):
    """Of equal scores you took the last: the first wins, as with argmax. Compare with > and not with >=."""
    tokens, _, value = _search(table, longest, beam, alpha, order=lambda kept: kept[::-1])
    return tokens, value


MISTAKES = by_exercise(__name__, ["greedy", "beam_step", "penalised", "beam_search"])
