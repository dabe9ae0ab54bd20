"""Byte-level byte-pair encoding (Gage 1994; Sennrich et al. 2016; over bytes: Radford et al. 2019): the reference
solutions of lab 12.

A piece is what no merge crosses, a symbol the bytes of a token. Ids 0 to 255 are the bytes, id 256 + n is what merge n
made.

The solved notebook is built from the bodies of these functions, so each stands on what the notebook has: the imports
below and the exercises before it.
"""

import math
import re
import unicodedata
from collections import Counter, defaultdict
from itertools import pairwise


def pretokenise(text):
    """Cut a text into pieces as GPT-2 does: words with the space before them, numbers, signs, the spaces left over.

    text  a str. Returns a list of str; joined they are the text.
    Raises ValueError for a lone surrogate, which is no character and has no bytes.
    """
    def plain(character):
        """The character itself where a rule names it, else a plain one of its kind: letter, number, space, other."""
        if character in " 'stmdrevl":
            return character
        if character.isspace() and not "\x1c" <= character <= "\x1f":  # Python's four more spaces
            return "_"
        category = unicodedata.category(character)
        if category == "Cs":
            raise ValueError(f"text: expected characters, got the lone surrogate U+{ord(character):04X}")
        return {"L": "a", "N": "0"}.get(category[0], ".")

    pattern = r"'(?:[stmd]|re|ve|ll)| ?[a-z]+| ?0+| ?[.']+|[ _]+(?![^ _])|[ _]+"
    found = re.finditer(pattern, "".join(map(plain, text)))
    return [text[piece.start() : piece.end()] for piece in found]


def count_pairs(words, counts):
    """How often each pair of neighbours stands in the words: every adjacent place counts, in a a a two.

    words   lists of symbols (bytes), one for each different piece
    counts  how often each of these pieces occurs, as many whole numbers
    Returns {(left, right): times}.
    """
    pairs = Counter()
    for word, count in zip(words, counts, strict=True):
        for pair in pairwise(word):
            pairs[pair] += count
    return dict(pairs)


def merge(symbols, pair):
    """Join each such pair of neighbours into one symbol, from left to right: a a a a becomes aa aa, and a a a aa a.

    symbols  a list of bytes; pair  two of them. Returns a new list.
    """
    merged = []
    for symbol in symbols:
        if merged and (merged[-1], symbol) == tuple(pair):  # what was merged is longer than pair[0], and so not this
            merged[-1] = pair[0] + pair[1]
        else:
            merged.append(symbol)
    return merged


def train_bpe(text, vocab_size):
    """Learn a vocabulary: again and again the pair that occurs most often, within pieces, becomes one token.

    Of pairs that occur equally often the greatest is taken, compared as pairs of byte strings. Merging goes on at a
    count of 1, and ends where no pair is left or the vocabulary has `vocab_size` tokens, the 256 bytes among them.
    Returns vocab {id: bytes} and merges [(left, right)], in order. Raises ValueError for a size below 256.

    Only words that hold the merged pair are counted again, and pairs are kept by their count: a merge takes time for
    what it changes, not for all of the text.
    """
    if vocab_size < 256:
        raise ValueError(f"vocab_size: expected at least 256, one for each byte, got {vocab_size}")
    pieces = Counter(pretokenise(text))
    words, counts = [[bytes([byte]) for byte in piece.encode()] for piece in pieces], list(pieces.values())
    times, with_count, places = Counter(), defaultdict(set), defaultdict(set)

    def count(pairs, sign):
        """Count these {pair: times} in, or out, and keep each among those that occur equally often."""
        for pair, change in pairs.items():
            with_count[times[pair]].discard(pair)
            if not with_count[times[pair]]:
                del with_count[times[pair]]
            times[pair] += sign * change
            with_count[times[pair]].add(pair)

    def place(n):
        """Note where the pairs of word n stand."""
        for pair in pairwise(words[n]):
            places[pair].add(n)

    count(count_pairs(words, counts), 1)
    for n in range(len(words)):
        place(n)
    vocab, merges = {byte: bytes([byte]) for byte in range(256)}, []
    while len(vocab) < vocab_size and max(with_count, default=0) > 0:
        best = max(with_count[max(with_count)])
        vocab[len(vocab)] = best[0] + best[1]
        merges.append(best)
        touched = places.pop(best)
        count(count_pairs([words[n] for n in touched], [counts[n] for n in touched]), -1)
        for n in touched:
            words[n] = merge(words[n], best)
            place(n)
        count(count_pairs([words[n] for n in touched], [counts[n] for n in touched]), 1)
    return vocab, merges


def encode(text, merges):
    """The ids of a text's tokens: in each piece, as long as a learned pair is left, the one learned first is merged.

    merges  pairs of bytes in the order in which they were learned. Returns a list of int.
    """
    ranks = {tuple(pair): rank for rank, pair in enumerate(merges)}
    ids = {bytes([byte]): byte for byte in range(256)} | {a + b: 256 + rank for rank, (a, b) in enumerate(merges)}
    known = {}  # what became of a piece, so that one that comes again costs nothing
    for piece in (pieces := pretokenise(text)):
        if piece not in known:
            symbols = [bytes([byte]) for byte in piece.encode()]
            for _ in range(len(symbols) - 1):  # each merge makes them fewer
                left = [pair for pair in pairwise(symbols) if pair in ranks]
                if not left:
                    break
                symbols = merge(symbols, min(left, key=ranks.get))
            known[piece] = [ids[symbol] for symbol in symbols]
    return [token for piece in pieces for token in known[piece]]


def decode(ids, vocab):
    """The text of these tokens: their bytes joined, then read as UTF-8; U+FFFD stands for what is none.

    ids  whole numbers; vocab  {id: bytes}. Raises ValueError for an id that the vocabulary has not.
    """
    unknown = next((token for token in ids if token not in vocab), None)
    if unknown is not None:
        raise ValueError(f"ids: expected ids of the vocabulary, which has {len(vocab)}, got {unknown}")
    return b"".join(vocab[token] for token in ids).decode("utf-8", errors="replace")


def bits_per_byte(nats, ids, vocab):
    """A loss in bits for each byte of the text, which does not depend on how the text was cut into tokens.

    nats  the total loss of exactly these ids, natural logarithms; vocab  {id: bytes}
    Raises ValueError for an id that the vocabulary has not, and where there is no byte at all.
    """
    unknown = next((token for token in ids if token not in vocab), None)
    if unknown is not None:
        raise ValueError(f"ids: expected ids of the vocabulary, which has {len(vocab)}, got {unknown}")
    n_bytes = sum(len(vocab[token]) for token in ids)
    if n_bytes == 0:
        raise ValueError("ids: expected at least one byte of text, got none")
    return nats / (math.log(2) * n_bytes)
