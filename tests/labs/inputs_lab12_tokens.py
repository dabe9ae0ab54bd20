"""Valid inputs of every kind for lab 12, to see whether two functions differ anywhere."""

import itertools

from solutions.lab12_tokens import reference
from tests.labs.inputs import given

ROUGH = {"pretokenise_by_classes_of_its_own_characters",  # refuses with UnicodeEncodeError, which is a ValueError too
         "encode_in_numbers",  # returns an array
         # refuse what they should without all numbers that the reference names, on which no points depend
         "train_bpe_on_all_pieces", "train_bpe_with_tuples", "decode_with_try", "decode_through_a_bytearray",
         "decode_with_sets", "bits_per_byte_with_log2", "bits_per_byte_in_numpy", "bits_per_byte_with_try",
         "bits_per_byte_as_an_array"}

# Of each kind some characters; the last three look like an ending, and are none.
CHARACTERS = ("a", "Z", "é", "ह", "한", "7", "²", "Ⅷ", "٣", "!", "_", "'", "\u0301", "ि", "😉", " ", "\n", "\t", "\x85",
              "\xa0", "\u2003", "\x1c", "\x1f", "\u200b", "'s", "'t", "'m", "'d", "'re", "'ve", "'ll", "'S", "'r", "'v",
              "'l")
SYMBOLS = (b"a", b"b", b"ab", b"bc", b"c", b"\xc3", b"\xff\x00")
TEXTS = ["", "a", "aaaaaa", "low low lower", "ab ab ab\n\nab", "é é éa", "az by cx", "a.a.a.a", "हिन्दी हि",
         "aab aab aaab baa", "ab!ab!ab?abc?az", "they'll sell 'em, they'll", "  two  spaces  ", "😀😀 😉"]


def pretokenise(rng):
    yield given("")
    for n in (1, 2, 3):
        for parts in itertools.islice(itertools.product(CHARACTERS, repeat=n), 0, None, {1: 1, 2: 1, 3: 61}[n]):
            yield given("".join(parts))
    for _ in range(300):
        yield given("".join(rng.choice(CHARACTERS, size=rng.integers(4, 30)).tolist()))
    for lone in ("\ud800", "a\udfff", " \udc80 b"):
        yield given(lone)


def _symbols(rng, n, kinds):
    return [SYMBOLS[i] for i in rng.integers(kinds, size=n)]


def count_pairs(rng):
    yield given([], [])
    for kinds, n in itertools.product((1, 2, 3, 7), (1, 2, 5, 9)):
        for sizes in (1, 2, 3, 8):
            words = [_symbols(rng, rng.integers(1, sizes + 1), kinds) for _ in range(n)]
            yield given(words, [int(count) for count in rng.integers(1, 40, size=n)])
            yield given(words, [1] * n)


def merge(rng):
    for n, kinds in itertools.product((0, 1, 2, 3, 4, 7, 20), (1, 2, 3, 5, 7)):
        for left, right in itertools.product(SYMBOLS[:kinds], repeat=2):
            yield given(_symbols(rng, n, kinds), (left, right))


def _babble(rng, letters, n):
    words = ["".join(rng.choice(list("abcdeé"[:letters]), size=rng.integers(1, 6)).tolist()) for _ in range(1 + n // 2)]
    return "".join(rng.choice(words) + str(rng.choice([" ", " ", "  ", ".", "'s ", "\n", ""])) for _ in range(n))


def train_bpe(rng):
    for text, size in itertools.product(TEXTS, (256, 257, 258, 262, 300)):
        yield given(text, size)
    for letters, n in itertools.product((1, 2, 4, 6), (3, 9, 20)):
        yield given(_babble(rng, letters, n), int(rng.integers(256, 290)))
        yield given(_babble(rng, letters, n), 400)
    for text, size in [("ab", 255), ("", 0), ("ab", -1), ("\ud800", 300)]:
        yield given(text, size)


def _learned(rng):
    for letters, n, size in itertools.product((2, 6), (5, 30), (0, 3, 40)):
        text = _babble(rng, letters, n)
        yield reference.train_bpe(text, 256 + size), text
        vocab, merges = reference.train_bpe(_babble(rng, letters, n).replace(" ", "x"), 256 + size)
        yield (vocab, merges), f"{_babble(rng, letters, n)} ü😉 <|endoftext|>"


def encode(rng):
    for (_, merges), text in _learned(rng):
        yield from (given(text, merges), given("", merges))
    for order in itertools.permutations([(b"a", b"b"), (b"b", b"c"), (b"bc", b"d"), (b"a", b"a")]):
        if order.index((b"b", b"c")) < order.index((b"bc", b"d")):  # else nobody has learned them in this order
            yield from (given(text, list(order)) for text in ["abcd", "aaaa", "aab bcd", "dcba"])
    for merges in ([(b"a", b" "), (b" ", b"a"), (b"a", b".")], [(b"'", b"s"), (b"s", b"o"), (b"\xc3", b"\xa9")]):
        yield from (given(text, merges) for text in ["a a a.", "'sold é", "a  a", ". a. a", "\ud800"])


def _tokens(rng):
    for (vocab, merges), text in _learned(rng):
        ids = reference.encode(text, merges)
        for place in rng.integers(len(ids) + 1, size=2).tolist():
            ids[place:place] = [int(rng.choice([0xC3, 0xFF, 0x80]))]
        yield ids, vocab
        other = rng.permutation(2 * len(vocab))[: len(vocab)].tolist()
        yield [other[token] for token in ids], {other[token]: symbol for token, symbol in vocab.items()}


def decode(rng):
    for ids, vocab in _tokens(rng):
        yield from (given(each, vocab) for each in (ids, ids[:1], [], [*ids, 5000], [-1]))


def bits_per_byte(rng):
    for ids, vocab in _tokens(rng):
        nats = float(rng.uniform(0, 5) * len(ids))
        yield from (given(loss, ids, vocab) for loss in (nats, 0.0, 900.0 * len(ids)))
        yield from (given(nats, each, vocab) for each in (ids[:1], [], [*ids, 5000], [-1]))
