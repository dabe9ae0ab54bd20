"""Sentences of a small grammar, letter by letter, whose entropy is known exactly: what no model can do better than.

    the dog that sees the birds sleeps.
    a shy boy likes the big kings that sing.

A sentence is drawn by a probabilistic context-free grammar: each symbol is replaced by one of its expansions, each with
its probability, until only words are left. Two things make it more than a list of words:

    spelling    a token is a letter, so words must be learned, too
    agreement   a verb agrees in number with its subject, which a clause may part from it: "the dog that sees the birds
                sleeps", "the dogs that see the bird sleep"

A sentence has one derivation at most, so its probability is the product of the choices in it. The entropy of a symbol,
in nats, and the number of tokens that it comes to, on average, follow from those of the symbols in its expansions:

    H(A) = Σ p (-ln p + Σ H(part))        N(A) = Σ p Σ N(part)        floor = H(sentence) / N(sentence)

over the expansions of A, each with its probability p. A word is written with the blank before it, as GPT-2 writes it;
the blank before the first word is left out, and END counts in its place.

T tokens of a text and END, V tokens that can be written.
"""

from collections import defaultdict

import numpy as np

from coursekit.tasks.tokens import END, START, Tokens

NOUNS, ADJECTIVES = ("dog", "cat", "bird", "king", "girl", "boy"), ("big", "red", "shy", "sad")
TRANSITIVE, INTRANSITIVE = ("see", "like", "chase", "find"), ("run", "sleep", "sing")


def _one_of(words):
    return [(1 / len(words), [f" {word}"]) for word in words]


def _of_number(n, noun_end, verb_end, determiners):
    """The symbols whose words are of one number n."""
    return {
        f"clause {n}": [(1.0, [f"phrase {n}", f"predicate {n}"])],
        f"phrase {n}": [(0.7, [f"noun phrase {n}"]), (0.3, [f"noun phrase {n}", " that", f"short predicate {n}"])],
        f"noun phrase {n}": [(0.6, [f"determiner {n}", f"noun {n}"]),
                             (0.4, [f"determiner {n}", "adjective", f"noun {n}"])],
        f"predicate {n}": [(0.4, [f"intransitive {n}"]), (0.6, [f"transitive {n}", "object"])],
        f"short predicate {n}": [(0.4, [f"intransitive {n}"]), (0.6, [f"transitive {n}", "short object"])],
        f"determiner {n}": _one_of(determiners),
        f"noun {n}": _one_of([noun + noun_end for noun in NOUNS]),
        f"transitive {n}": _one_of([verb + verb_end for verb in TRANSITIVE]),
        f"intransitive {n}": _one_of([verb + verb_end for verb in INTRANSITIVE]),
    }


RULES = {  # symbol: its expansions, each with its probability; a part that is no symbol is written as it stands
    "sentence": [(0.5, ["clause one", "."]), (0.5, ["clause many", "."])],
    "object": [(0.5, ["phrase one"]), (0.5, ["phrase many"])],
    "short object": [(0.5, ["noun phrase one"]), (0.5, ["noun phrase many"])],
    "adjective": _one_of(ADJECTIVES),
    **_of_number("one", "", "s", ["the", "a"]),
    **_of_number("many", "s", "", ["the"]),
}
TOKENS = Tokens("".join([" .the a that s", *NOUNS, *ADJECTIVES, *TRANSITIVE, *INTRANSITIVE]))
LONGEST = 86  # tokens of a sentence at most, END counted


def sentences(rng, n):
    """Draw n sentences, a list of texts."""
    return ["".join(_written(rng, "sentence"))[1:] for _ in range(n)]


def encode(texts):
    """The ids of B texts (B, 1 + T), each between START and END, padded at the right with PAD.

    Raises ValueError for an empty text, or a letter that the grammar has not.
    """
    ids = TOKENS.encode(texts)                                                     # (B, T - 1)
    ids = np.pad(ids, ((0, 0), (1, 1)))
    ids[:, 0], ids[range(len(texts)), [len(text) + 1 for text in texts]] = START, END
    return ids


def entropy(symbol="sentence"):
    """The entropy of what is written for a symbol, in nats."""
    return sum(p * (sum(map(entropy, parts)) - np.log(p)) for p, parts in RULES.get(symbol, []))


def tokens(symbol="sentence"):
    """How many tokens are written for a symbol, on average; a part that is no symbol has one for each letter."""
    return sum(p * sum(map(tokens, parts)) for p, parts in RULES[symbol]) if symbol in RULES else len(symbol)


def floor():
    """The least loss that any model can have, in nats for each token, END counted: the entropy of a sentence, divided
    by its mean number of tokens."""
    return entropy() / tokens()


def next_probabilities(text):
    """The grammar's own probabilities of the next token: (T, V), row t those after text[:t].

    T = len(text) + 1: the last row says how likely the text ends here. After what no sentence begins with all are 0.
    """
    rows, derivations = np.zeros((len(text) + 1, len(TOKENS))), _by_letter([(1.0, ("sentence",))])[" "]
    for row, letter in zip(rows, [*text, ""], strict=True):
        following = _by_letter(derivations)
        for each, those in following.items():
            row[TOKENS.id(each) if each else END] = sum(p for p, _ in those)
        row /= row.sum() or 1.0
        derivations = following.get(letter, [])
    return rows


def log_probability(text):
    """The log-probability of a whole sentence, END included; -inf for what is none."""
    ids = encode([text])[0, 1:]                                                    # (T,)
    with np.errstate(divide="ignore"):
        return float(np.log(next_probabilities(text)[range(len(ids)), ids]).sum())


def is_grammatical(text):
    """Is this a whole sentence of the grammar?"""
    return bool(next_probabilities(text)[-1, END] > 0)


def _written(rng, symbol):
    """The words that are drawn for a symbol, each with its blank."""
    if symbol not in RULES:
        return [symbol]
    return [word for part in _one_expansion(rng, symbol) for word in _written(rng, part)]


def _one_expansion(rng, symbol):
    u = rng.random()
    for p, parts in RULES[symbol]:
        u -= p
        if u < 0:
            return parts
    return parts  # the probabilities sum to 1 but for rounding


# A derivation that is not finished: its probability so far, and the parts that are still to be written.


def _by_letter(derivations):
    """{next letter: the derivations that write it, after it}; a derivation with nothing left stands under ""."""
    found = defaultdict(list)
    for p, parts in (opened for derivation in derivations for opened in _opened(*derivation)):
        letter, rest = (parts[0][0], (parts[0][1:], *parts[1:])) if parts else ("", ())
        found[letter].append((p, rest if not parts or rest[0] else rest[1:]))
    return found


def _opened(p, parts):
    """The derivations that a derivation may become by the time at which its first part is one to write."""
    if not parts or parts[0] not in RULES:
        return [(p, parts)]
    return [each for q, first in RULES[parts[0]] for each in _opened(p * q, (*first, *parts[1:]))]
