"""The grammar's sentences, and that its entropy and its probabilities are exact."""

import numpy as np
import pytest

from coursekit.tasks import grammar
from coursekit.tasks.tokens import END, PAD, START

DRAWN = grammar.sentences(np.random.default_rng(0), 400)


def longest(symbol):
    """How many tokens a symbol comes to at most."""
    if symbol not in grammar.RULES:
        return len(symbol)
    return max(sum(map(longest, parts)) for _, parts in grammar.RULES[symbol])


def all_of(symbol):
    """Every text that a symbol may come to, with its probability."""
    if symbol not in grammar.RULES:
        return [(symbol, 1.0)]
    found = []
    for p, parts in grammar.RULES[symbol]:
        texts = [("", p)]
        for part in parts:
            texts = [(text + more, q * r) for text, q in texts for more, r in all_of(part)]
        found += texts
    return found


@pytest.mark.parametrize("symbol", grammar.RULES)
def test_the_probabilities_of_a_symbols_expansions_sum_to_one(symbol):
    assert sum(p for p, _ in grammar.RULES[symbol]) == pytest.approx(1, abs=1e-15)


@pytest.mark.parametrize("symbol", ["noun phrase one", "short object", "short predicate many"])
def test_entropy_and_length_are_those_of_all_texts_of_which_each_is_written_in_one_way(symbol):
    texts, p = zip(*all_of(symbol), strict=True)
    assert len(set(texts)) == len(texts)
    np.testing.assert_allclose(grammar.entropy(symbol), -np.dot(p, np.log(p)), rtol=1e-12)
    np.testing.assert_allclose(grammar.tokens(symbol), np.dot(p, list(map(len, texts))), rtol=1e-12)


def test_what_sentences_cost_the_grammar_itself_comes_near_the_floor():
    paid = np.array([-grammar.log_probability(text) for text in DRAWN])
    assert abs(paid.mean() - grammar.entropy()) < 4 * paid.std() / np.sqrt(len(paid))
    assert paid.sum() / sum(len(text) + 1 for text in DRAWN) == pytest.approx(grammar.floor(), rel=0.03)


def test_the_probability_of_a_sentence_is_the_product_of_its_choices():
    p = 0.5 * (0.7 * 0.6 / 2 / 6) * (0.4 / 3)  # one; no clause, no adjective, the, dog; runs
    assert grammar.log_probability("the dog runs.") == pytest.approx(np.log(p), rel=1e-12)


def test_probabilities_of_the_next_token_are_shares_of_drawn_sentences():
    row = grammar.next_probabilities("the ")[-1]
    begun = [text for text in grammar.sentences(np.random.default_rng(1), 3000) if text.startswith("the ")]
    shares = [np.mean([text[4] == letter for text in begun]) for letter in grammar.TOKENS.symbols]
    np.testing.assert_allclose(row[3:], shares, atol=0.04)
    assert row.sum() == pytest.approx(1, abs=1e-12)


def test_all_that_is_drawn_is_grammatical_and_no_longer_than_the_longest():
    assert all(map(grammar.is_grammatical, DRAWN))
    assert max(map(len, DRAWN)) < grammar.LONGEST == longest("sentence")


@pytest.mark.parametrize("text", ["the dog run.", "the dogs runs.", "a dogs run.", "the dog runs", "the dog  runs.", "",
                                  "the dog that sees the birds sing.", "the dog runs. the", "the dgo runs.", "Ω"])
def test_what_no_derivation_writes_is_not_grammatical(text):
    assert not grammar.is_grammatical(text)


def test_texts_stand_between_start_and_end():
    ids = grammar.encode(["the dog runs.", "a dog "])
    assert ids[:, 0].tolist() == [START, START] and ids[0, -1] == END
    assert ids[1, 7:].tolist() == [END] + [PAD] * (ids.shape[1] - 8)
    assert grammar.TOKENS.decode(ids[:, 1:]) == ["the dog runs.", "a dog "]
