"""Plausible wrong answers to lab 12. A docstring is the sentence that a student reads whose answer behaves like it.

The tests prove that the hidden checks reject each of them; the marking room names the one that an answer behaves like.
"""

import math
import re
import unicodedata
from collections import Counter
from itertools import pairwise

from solutions.exercises import by_exercise
from solutions.lab12_tokens import reference

ENDINGS = "'(?:[stmd]|re|ve|ll)"
RUNS = "L+|N+|o+|s+$|s+(?=s)|s"


def _kind(character):
    if character.isspace() and not "\x1c" <= character <= "\x1f":
        return "s"
    category = unicodedata.category(character)[0]
    return category if category in "LN" else "o"


def _cut(text, kind=_kind, endings=ENDINGS, flags=0, runs=RUNS, joins=" "):
    """The rules of GPT-2 with something else in the place of one of them; `joins` are the spaces that words take in."""
    kinds, pieces, start = "".join(map(kind, text)), [], 0
    while start < len(text):
        word = start + (text[start] in joins and kinds[start + 1 : start + 2] in ("L", "N", "o"))
        found = re.compile(endings, flags).match(text, start) or re.compile(runs).match(kinds, word)
        pieces.append(text[start : found.end()])
        start = found.end()
    return pieces


# pretokenise


def pretokenise_without_spaces(text):
    """The spaces are lost: one directly before a word belongs to its piece, and the others are pieces too."""
    return [piece.strip() for piece in _cut(text) if piece.strip()]


def pretokenise_with_spaces_behind(text):
    """Your words have the space that comes after them: it belongs to the piece that follows it."""
    return re.findall(r"\w+ ?|[^\w\s]+ ?|\s+", text)


def pretokenise_with_spaces_apart(text):
    """Your spaces are always pieces of their own: one directly before a word, a number or a sign belongs to it."""
    return _cut(text, joins="")


def pretokenise_without_endings(text):
    """The endings 's, 't, 're, 've, 'm, 'll and 'd are pieces of their own, and are looked for first."""
    return _cut(text, endings="(?!)")


def pretokenise_with_endings_in_capitals(text):
    """You took 'S and 'LL for endings too: rule 1 knows small letters alone."""
    return _cut(text, flags=re.IGNORECASE)


def pretokenise_with_runs_of_spaces_whole(text):
    """Of several spaces before a word the last one belongs to the word: leave it out of the run, as rule 5 says."""
    return _cut(text, runs="L+|N+|o+|s+")


def pretokenise_with_any_space_before(text):
    """You let a line end or a tab join the word behind it: only the character ' ' does."""
    return _cut(text, joins=" \n\t\r\x0b\x0c\x85\xa0\u2003\u2028\u3000")


def pretokenise_with_digits_alone(text):
    """You took digits alone for numbers: of category N there are more, such as ² and Ⅷ."""
    return _cut(text, kind=lambda c: "o" if _kind(c) == "N" and not c.isdecimal() else _kind(c))


def pretokenise_with_letters_and_digits_as_re_has_them(text):
    r"""To re's \w and \d, ² and Ⅷ are word characters and no digits, so they went among the letters: ask for the
    category, of which theirs begins with N."""
    return _cut(text, kind=lambda c: "L" if _kind(c) == "N" and not c.isdecimal() else _kind(c))


def pretokenise_with_all_of_pythons_spaces(text):
    """The characters from U+001C to U+001F are spaces to Python, but not to GPT-2."""
    return _cut(text, kind=lambda c: "s" if c.isspace() else _kind(c))


def pretokenise_with_marks_as_letters(text):
    """You took marks for letters: of category M, as the vowels of Hindi and loose accents are, they are other."""
    return _cut(text, kind=lambda c: "L" if unicodedata.category(c)[0] == "M" else _kind(c))


# count_pairs


def count_pairs_without_overlaps(words, counts):
    """Every adjacent place counts, also one that overlaps another: a a a a has the pair (a, a) three times."""
    pairs = Counter()
    for word, count in zip(words, counts, strict=True):
        last = None
        for place, pair in enumerate(pairwise(word)):
            if last is not None and last == place - 1 and pair[0] == pair[1] == word[place - 1]:
                last = None
                continue
            pairs[pair] += count
            last = place
    return dict(pairs)


def count_pairs_of_each_word_once(words, counts):
    """A word counts as often as it occurs in the text: add its count for each pair, not 1."""
    return reference.count_pairs(words, [1] * len(words))


def count_pairs_once_in_a_word(words, counts):
    """A pair that stands in a word twice counts twice: you counted the different pairs of each word."""
    pairs = Counter()
    for word, count in zip(words, counts, strict=True):
        for pair in set(pairwise(word)):
            pairs[pair] += count
    return dict(pairs)


def count_pairs_across_words(words, counts):
    """You counted pairs that reach from one word into the next: words are pieces, and no token reaches across two."""
    pairs = Counter(reference.count_pairs(words, counts))
    for (left, right), count in zip(pairwise(words), counts, strict=False):
        pairs[left[-1], right[0]] += count
    return dict(pairs)


def count_pairs_in_either_order(words, counts):
    """You counted (a, b) and (b, a) as one pair: the left symbol comes first."""
    pairs = Counter()
    for pair, count in reference.count_pairs(words, counts).items():
        pairs[tuple(sorted(pair))] += count
    return dict(pairs)


def count_pairs_by_joined_bytes(words, counts):
    """Your keys are joined bytes: a key is a tuple of two symbols, since (a, bc) is another pair than (ab, c)."""
    pairs = Counter()
    for (left, right), count in reference.count_pairs(words, counts).items():
        pairs[left + right] += count
    return dict(pairs)


# merge


def merge_with_overlaps(symbols, pair):
    """You used a symbol twice: in a a a a the pair (a, a) stands at three places, and after a merge the next one begins
    after both, so it becomes aa aa."""
    places = [place for place, other in enumerate(pairwise(symbols)) if other == tuple(pair)]
    used = {place + 1 for place in places} - set(places)
    return [pair[0] + pair[1] if place in places else symbol
            for place, symbol in enumerate(symbols) if place not in used]


def merge_from_the_right(symbols, pair):
    """You went from right to left: from the left a a a becomes aa a, not a aa."""
    merged = reference.merge([symbol[::-1] for symbol in symbols[::-1]], (pair[1][::-1], pair[0][::-1]))
    return [symbol[::-1] for symbol in merged[::-1]]


def merge_the_first_alone(symbols, pair):
    """You merged the first such pair alone: each one is merged."""
    for place, other in enumerate(pairwise(symbols)):
        if other == tuple(pair):
            return [*symbols[:place], pair[0] + pair[1], *symbols[place + 2 :]]
    return list(symbols)


def merge_that_keeps_the_right_symbol(symbols, pair):
    """After a merge you went on at the right symbol, and it is there once more: go on after both."""
    merged, last = [], None
    for place, symbol in enumerate(symbols):
        is_pair = tuple(symbols[place : place + 2]) == tuple(pair) and last != place - 1
        merged.append(pair[0] + pair[1] if is_pair else symbol)
        last = place if is_pair else last
    return merged


def merge_without_joining(symbols, pair):
    """You put the pair itself into the list: a token is one symbol, the bytes of both joined, left + right."""
    merged = reference.merge(symbols, pair)
    return [tuple(pair) if symbol == pair[0] + pair[1] else symbol for symbol in merged]


def merge_by_joined_bytes(symbols, pair):
    """You compared joined bytes: a bc joined is abc, as ab c is, but it is not the pair (ab, c). Compare symbols."""
    merged, place = [], 0
    while place < len(symbols):
        is_pair = len(symbols) > place + 1 and symbols[place] + symbols[place + 1] == pair[0] + pair[1]
        merged.append(pair[0] + pair[1] if is_pair else symbols[place])
        place += 2 if is_pair else 1
    return merged


def merge_in_place(symbols, pair):
    """You changed the list that you were given: build a new one."""
    symbols[:] = reference.merge(symbols, pair)
    return symbols


# train_bpe


def _train(text, vocab_size, best=lambda pairs: max(pairs, key=lambda pair: (pairs[pair], pair)), least=1,
           cut=reference.pretokenise, symbols=lambda piece: [bytes([byte]) for byte in piece.encode()],
           counted=lambda pieces: list(pieces.values())):
    """Training as the exercise says it, all words counted anew after each merge, with one thing done otherwise."""
    if vocab_size < 256:
        raise ValueError(f"vocab_size: expected at least 256, got {vocab_size}")
    pieces = Counter(cut(text))
    words, counts, merges = [symbols(piece) for piece in pieces], counted(pieces), []
    while 256 + len(merges) < vocab_size:
        pairs = {pair: n for pair, n in reference.count_pairs(words, counts).items() if n >= least}
        if not pairs:
            break
        merges.append(best(pairs))
        words = [reference.merge(word, merges[-1]) for word in words]
    return _vocab(merges), merges


def _vocab(merges):
    return {byte: bytes([byte]) for byte in range(256)} | {256 + n: a + b for n, (a, b) in enumerate(merges)}


def train_bpe_with_ties_by_first_seen(text, vocab_size):
    """Of pairs that occur equally often you took the one that was seen first: take the greatest pair of bytes."""
    return _train(text, vocab_size, best=lambda pairs: max(pairs, key=pairs.get))


def train_bpe_with_the_smallest_of_equals(text, vocab_size):
    """Of pairs that occur equally often you took the smallest: take the greatest pair of bytes."""
    return _train(text, vocab_size, best=lambda pairs: min(pairs, key=lambda pair: (-pairs[pair], pair)))


def train_bpe_with_ties_by_joined_bytes(text, vocab_size):
    """Of pairs that occur equally often you took the one whose joined bytes are the greatest: compare the pairs, the
    left symbols first."""
    return _train(text, vocab_size, best=lambda pairs: max(pairs, key=lambda pair: (pairs[pair], b"".join(pair), pair)))


def train_bpe_of_each_piece_once(text, vocab_size):
    """You counted each different piece once: a piece that occurs twenty times counts twenty times."""
    return _train(text, vocab_size, counted=lambda pieces: [1] * len(pieces))


def train_bpe_across_pieces(text, vocab_size):
    """You merged across pieces: cut the text first, and count pairs within pieces alone."""
    return _train(text, vocab_size, cut=lambda text: [text] if text else [])


def train_bpe_without_spaces(text, vocab_size):
    """The spaces are lost before training: a piece keeps the space before its word."""
    return _train(text, vocab_size, cut=lambda text: [p.strip() for p in reference.pretokenise(text) if p.strip()])


def train_bpe_of_characters(text, vocab_size):
    """You started from characters: start from bytes, of which é has two."""
    return _train(text, vocab_size, symbols=lambda piece: [character.encode() for character in piece])


def train_bpe_that_stops_at_one(text, vocab_size):
    """You stopped where each pair occurs once: merging goes on until none is left or the vocabulary is full."""
    return _train(text, vocab_size, least=2)


def train_bpe_that_raises_at_the_end(text, vocab_size):
    """Your function raises where no pair is left: return the smaller vocabulary."""
    vocab, merges = _train(text, vocab_size)
    if len(vocab) < vocab_size:
        raise ValueError("max() arg is an empty sequence")
    return vocab, merges


def train_bpe_with_as_many_merges(text, vocab_size):
    """You made vocab_size merges: the 256 bytes count among the tokens."""
    return _train(text, 256 + vocab_size)


# encode


def _encode(text, merges, in_piece, cut=reference.pretokenise):
    ids = {symbol: token for token, symbol in reversed(_vocab(merges).items())}
    return [ids[symbol] for piece in cut(text) for symbol in in_piece(piece.encode(), merges)]


def _by_rank(piece, merges):
    """The symbols of one piece of bytes."""
    symbols = [bytes([byte]) for byte in piece]
    for pair in merges:  # what is merged later is made of what was merged before
        if pair[0] in symbols:
            symbols = reference.merge(symbols, pair)
    return symbols


def encode_by_longest_match(text, merges):
    """You took the longest token that fits: what decides is the order in which pairs were learned."""
    known = set(_vocab(merges).values())

    def longest(piece, merges):
        symbols, start = [], 0
        while start < len(piece):
            end = next(end for end in range(len(piece), start, -1) if piece[start:end] in known)
            symbols.append(piece[start:end])
            start = end
        return symbols

    return _encode(text, merges, longest)


def encode_the_first_pair_from_the_left(text, merges):
    """You merged the first pair from the left that was learned: of all that are left take the one learned first."""
    learned = set(map(tuple, merges))

    def leftmost(piece, merges):
        symbols = [bytes([byte]) for byte in piece]
        while pair := next((pair for pair in pairwise(symbols) if pair in learned), None):
            symbols = reference.merge(symbols, pair)
        return symbols

    return _encode(text, merges, leftmost)


def encode_across_pieces(text, merges):
    """Your tokens reach across pieces: cut the text first, and merge within each piece."""
    return _encode(text, merges, _by_rank, cut=lambda text: [text])


def encode_without_spaces(text, merges):
    """The spaces are lost: a piece keeps the space before its word, and decoding gives the text back."""
    return _encode(text, merges, _by_rank, cut=lambda text: [p.strip() for p in reference.pretokenise(text)])


def encode_with_ids_from_zero(text, merges):
    """The id of what merge n made is 256 + n: the ids below belong to the bytes."""
    return [token - 256 if token > 255 else token for token in reference.encode(text, merges)]


def encode_of_known_characters(text, merges):
    """You dropped characters that you did not know: each byte is a token, so nothing is unknown."""
    return reference.encode(text.encode("ascii", errors="ignore").decode(), merges)


def encode_with_a_special_token(text, merges):
    """You gave <|endoftext|> an id of its own: in a text it is text like any other."""
    first, *others = text.split("<|endoftext|>")
    ids = reference.encode(first, merges)
    for other in others:
        ids = [*ids, 256 + len(merges), *reference.encode(other, merges)]
    return ids


def encode_one_merge_a_piece(text, merges):
    """You merged one pair in each piece and stopped: go on as long as a learned pair is left."""
    def once(piece, merges):
        symbols, ranks = [bytes([byte]) for byte in piece], {tuple(pair): n for n, pair in enumerate(merges)}
        left = [pair for pair in pairwise(symbols) if pair in ranks]
        return reference.merge(symbols, min(left, key=ranks.get)) if left else symbols

    return _encode(text, merges, once)


# decode


def decode_one_by_one(ids, vocab):
    """You decoded each token by itself: part of a character is no text, so join the bytes of all tokens first."""
    return "".join(vocab[token].decode("utf-8", errors="replace") for token in _known(ids, vocab))


def decode_without_what_is_no_text(ids, vocab):
    """You dropped bytes that are no UTF-8: where they stand, the text has U+FFFD."""
    return b"".join(vocab[token] for token in _known(ids, vocab)).decode("utf-8", errors="ignore")


def decode_that_raises_at_broken_bytes(ids, vocab):
    """Your function raises where the bytes are no UTF-8: a model may write such ids, and the text has U+FFFD there."""
    return b"".join(vocab[token] for token in _known(ids, vocab)).decode("utf-8")


def decode_in_latin_1(ids, vocab):
    """You made a character of each byte: read the bytes as UTF-8."""
    return b"".join(vocab[token] for token in _known(ids, vocab)).decode("latin-1")


def decode_with_bytes_below_256(ids, vocab):
    """You took ids below 256 for bytes: ask `vocab`, in which the bytes may stand in another order."""
    own = vocab | {token: bytes([token]) for token in range(256)}
    return b"".join(own[token] for token in ids).decode("utf-8", errors="replace")


def decode_with_spaces_between(ids, vocab):
    """You put spaces between the tokens: those that the text has are parts of tokens."""
    return b" ".join(vocab[token] for token in _known(ids, vocab)).decode("utf-8", errors="replace")


def _known(ids, vocab):
    if unknown := [token for token in ids if token not in vocab]:
        raise ValueError(f"ids: expected those of the vocabulary, got {unknown[0]}")
    return ids


# bits_per_byte


def bits_per_byte_of_each_token(nats, ids, vocab):
    """You divided by the number of tokens: divide by the number of their bytes."""
    return nats / math.log(2) / len(_known(ids, vocab))


def bits_per_byte_in_nats(nats, ids, vocab):
    """This is in nats: divide by ln 2 to have bits."""
    return reference.bits_per_byte(nats, ids, vocab) * math.log(2)


def bits_per_byte_times_ln_2(nats, ids, vocab):
    """You multiplied by ln 2: a bit is ln 2 nats, so there are more bits than nats. Divide."""
    return reference.bits_per_byte(nats, ids, vocab) * math.log(2) ** 2


def bits_per_byte_of_characters(nats, ids, vocab):
    """You divided by the number of characters: é is one character of two bytes."""
    return nats / math.log(2) / len(reference.decode(ids, vocab))


def bits_per_byte_of_a_mean_loss(nats, ids, vocab):
    """You multiplied by the number of tokens: nats is their total loss, not the mean."""
    return reference.bits_per_byte(nats, ids, vocab) * len(ids)


def bits_per_byte_of_different_tokens(nats, ids, vocab):
    """You counted the bytes of each different token once: a token that occurs twice has its bytes twice."""
    return reference.bits_per_byte(nats, list(set(ids)), vocab)


MISTAKES = by_exercise(__name__, [
    "pretokenise", "count_pairs", "merge", "train_bpe", "encode", "decode", "bits_per_byte"])
