"""Lab 11: the reference against oracles and laws."""

import math
from itertools import pairwise, product

import numpy as np
import pytest

from coursekit.check import CheckFailed
from coursekit.check import lab11_decoding as visible_checks
from coursekit.models.transformer import END, START
from solutions.lab11_decoding import checks, reference
from tests import needs

V, LONGEST = 6, 4


@pytest.fixture
def table():
    return checks._table(np.random.default_rng(3), (V, V))


# The reference


def all_texts(table):
    """Every text that ends, or has LONGEST tokens, with its score: what a search without a beam would look through."""
    for n in range(1, LONGEST + 1):
        for text in product(range(END, V), repeat=n):
            if END not in text[:-1] and (text[-1] == END or n == LONGEST):
                path = [START, *text]
                yield text, sum(table[a, b] for a, b in pairwise(path))


@pytest.mark.parametrize("alpha", [0.0, 0.7, 1.5])
def test_a_beam_with_room_for_all_finds_the_best_of_all_texts(table, alpha):
    best = max(score / ((5 + len(text)) / 6) ** alpha for text, score in all_texts(table))
    tokens, score = reference.beam_search(table, LONGEST, V**LONGEST, alpha)
    path = [START, *tokens]
    again = sum(table[a, b] for a, b in pairwise(path)) / ((5 + len(tokens)) / 6) ** alpha
    np.testing.assert_allclose([score, again], best, rtol=1e-12)


@pytest.mark.parametrize("seed", range(20))
def test_a_beam_of_one_is_greedy(seed):
    table = checks._table(np.random.default_rng(seed), (V, V))
    (tokens, score), (own, value) = reference.greedy(table, LONGEST), reference.beam_search(table, LONGEST, 1, 0.0)
    np.testing.assert_array_equal(own, tokens)
    np.testing.assert_allclose(value, score, rtol=1e-12)


@needs.torch
def test_a_step_takes_what_pytorchs_topk_takes():
    import torch

    rng = np.random.default_rng(5)
    scores, log_p = rng.normal(size=3), np.log(rng.dirichlet(np.ones(7), size=3))
    values, places = torch.topk((torch.from_numpy(scores)[:, None] + torch.from_numpy(log_p)).flatten(), 4)
    parents, tokens, got = reference.beam_step(scores, log_p, 4)
    np.testing.assert_array_equal(parents * 7 + tokens, places.numpy())
    np.testing.assert_allclose(got, values.numpy(), rtol=1e-12)


@needs.torch
def test_the_score_of_greedy_is_minus_pytorchs_cross_entropy(table):
    import torch

    tokens, score = reference.greedy(table, LONGEST)
    logits = torch.from_numpy(table[[START, *tokens[:-1]]])
    loss = torch.nn.functional.cross_entropy(logits, torch.from_numpy(tokens), reduction="sum")
    np.testing.assert_allclose(score, -loss.item(), rtol=1e-12)


def test_the_penalty_is_that_of_the_paper_by_hand():
    got = reference.penalised(np.array([-6.0, -6.0, -9.0]), np.array([1, 7, 13]), 1.0)
    np.testing.assert_allclose(got, [-6, -3, -3], rtol=1e-15)
    np.testing.assert_allclose(reference.penalised(np.array([-2.0]), np.array([7]), 0.5), [-2 / math.sqrt(2)])


def test_of_equal_continuations_the_smaller_parent_and_then_the_smaller_token_comes_first():
    parents, tokens, _ = reference.beam_step(np.zeros(2), np.zeros((2, 3)), 5)
    np.testing.assert_array_equal([parents, tokens], [[0, 0, 0, 1, 1], [0, 1, 2, 0, 1]])


def test_a_model_is_searched_as_a_table_is(table):
    class Model:
        def following(self, tokens):
            return table[tokens[-1]]

    expected = reference.beam_search(table, LONGEST, 3, 0.5)
    got = reference.beam_search(Model(), LONGEST, 3, 0.5)
    np.testing.assert_array_equal(got[0], expected[0])
    np.testing.assert_array_equal(reference.greedy(Model(), LONGEST)[0], reference.greedy(table, LONGEST)[0])


# The visible checks


def search(grow=lambda told, word: [*told, word], penalties=1, start=1, as_score=float):
    """Beam search with single slips: how a hypothesis grows, how often it is penalised, what of it is not counted."""
    def beam_search(table, longest, beam, alpha):
        live, scores, kept = [[START]], np.zeros(1), []
        for _ in range(longest):
            log_p = np.stack([reference.following(table, told) for told in live])
            parents, words, scores = reference.beam_step(scores, log_p, beam - len(kept))
            grown = [grow(live[k], int(y)) for k, y in zip(parents, words, strict=True)]
            kept += [pair for pair, y in zip(zip(grown, scores, strict=True), words, strict=True) if y == END]
            live, scores = [told for told, y in zip(grown, words, strict=True) if y != END], scores[words != END]
            if not live:
                break
        kept += zip(live, scores, strict=True)
        values, lengths = np.array([score for _, score in kept]), np.array([len(told) - start for told, _ in kept])
        for _ in range(penalties):
            values = reference.penalised(values, lengths, alpha)
        return kept[values.argmax()][0][1:], as_score(values.max())

    return beam_search


def shared(told, word):
    told.append(word)
    return told


@pytest.mark.parametrize(("words", "slips"), [
    ("share a list", {"grow": shared}),
    ("the penalty was taken twice", {"penalties": 2}),
    ("END counts", {"start": 2}),
    (r"score: expected a number, got an array of shape \(1,\)", {"as_score": np.atleast_1d}),
], ids=lambda each: each if isinstance(each, str) else "")
def test_a_slip_of_beam_search_is_named(words, slips):
    visible_checks.beam_search(search())
    with pytest.raises(CheckFailed, match=words):
        visible_checks.beam_search(search(**slips))


def test_smallest_scores_are_named_where_the_impossible_ones_came_first():
    def beam_step(scores, log_p, beam):
        total = (scores[:, None] + log_p).ravel()
        best = np.argsort(total, kind="stable")[:beam]
        return best // log_p.shape[1], best % log_p.shape[1], total[best]

    with pytest.raises(CheckFailed, match="sort the negative"):
        visible_checks.beam_step(beam_step)


def test_a_bracket_that_is_missing_around_the_penalty_is_named():
    with pytest.raises(CheckFailed, match="brackets around the whole penalty"):
        visible_checks.penalised(lambda scores, lengths, alpha: scores / (5 + lengths) / 6**alpha)
