"""Different right ways to write lab 12: a fair grader gives each of them full points."""

import math
import re
import sys
import unicodedata
from collections import Counter, defaultdict
from functools import reduce
from itertools import groupby, pairwise

import numpy as np

from solutions.lab12_tokens.reference import count_pairs, merge, pretokenise

# pretokenise


def _kind(character):
    if character.isspace() and character not in "\x1c\x1d\x1e\x1f":
        return "space"
    if unicodedata.category(character) == "Cs":
        raise ValueError(f"expected a text that has bytes, got {character!r}")
    return {"L": "letter", "N": "number"}.get(unicodedata.category(character)[0], "other")


def pretokenise_by_looking_at_each_place(text):
    kinds, pieces, i = [_kind(c) for c in text], [], 0
    while i < len(text):
        ending = next((e for e in ("'s", "'t", "'re", "'ve", "'m", "'ll", "'d") if text.startswith(e, i)), "")
        j = i + 1 if text[i] == " " and i + 1 < len(text) and kinds[i + 1] != "space" else i
        k = j
        while k < len(text) and kinds[k] == kinds[j]:
            k += 1
        if kinds[j] == "space" and k < len(text) and k - i > 1:
            k -= 1
        k = i + len(ending) if ending else k
        pieces.append(text[i:k])
        i = k
    return pieces


def pretokenise_by_classes_of_its_own_characters(text):
    """One pattern, in which the letters and numbers of this text are written out."""
    text.encode()  # which is a ValueError for a lone surrogate
    kinds = {character: _kind(character) for character in text}
    letters, numbers, spaces = ("".join(re.escape(c) for c, kind in kinds.items() if kind == which)
                                for which in ("letter", "number", "space"))
    letter, number, space = (f"[{each}]" if each else "(?!)" for each in (letters, numbers, spaces))
    other = f"[^{letters}{numbers}{spaces}]" if letters + numbers + spaces else "(?s:.)"
    pattern = f"'s|'t|'re|'ve|'m|'ll|'d| ?{letter}+| ?{number}+| ?{other}+|{space}+(?={space})|{space}+"
    pattern = pattern.replace(f"|{space}+(?={space})|", f"|{space}+\\Z|{space}+(?={space})|")
    return re.compile(pattern).findall(text)


def pretokenise_as_a_generator_of_pairs(text):
    return [text[start:end] for start, end in _places(text)]


def _places(text, start=0):
    while start < len(text):
        ending = re.match(r"'(?:s|t|re|ve|m|ll|d)", text[start:])
        end = start + len(ending[0]) if ending else _end(text, start)
        yield start, end
        start = end


def _end(text, start):
    runs = [(kind, len(list(run))) for kind, run in groupby(map(_kind, text[start:]))]
    (kind, n), *rest = runs
    if kind != "space":
        return start + n
    if text[start] == " " and n == 1 and rest:
        return start + 1 + rest[0][1]
    return start + (n if n == 1 or not rest else n - 1)


def pretokenise_with_a_word_to_stderr(text):
    print(f"cutting {len(text)} characters", file=sys.stderr)
    return tuple(pretokenise(text))


# count_pairs


def count_pairs_in_a_dictionary(words, counts):
    pairs = {}
    for word, count in zip(words, counts, strict=True):
        for i in range(len(word) - 1):
            pair = (word[i], word[i + 1])
            pairs[pair] = pairs.get(pair, 0) + count
    return pairs


def count_pairs_with_a_counter(words, counts):
    return sum((Counter({pair: n * count for pair, n in Counter(pairwise(word)).items()})
                for word, count in zip(words, counts, strict=True)), Counter())


def count_pairs_with_a_defaultdict(words, counts):
    pairs = defaultdict(int)
    for n in range(len(words)):
        for left, right in zip(words[n][:-1], words[n][1:], strict=True):
            pairs[left, right] += counts[n]
    return pairs


def count_pairs_with_numpys_numbers(words, counts):
    return {pair: np.int64(n) for pair, n in count_pairs(words, counts).items()}


# merge


def merge_with_a_while_loop(symbols, pair):
    left, right = pair
    new, i = [], 0
    while i < len(symbols):
        if i + 1 < len(symbols) and symbols[i] == left and symbols[i + 1] == right:
            new.append(left + right)
            i += 2
        else:
            new.append(symbols[i])
            i += 1
    return new


def merge_on_a_copy(symbols, pair):
    symbols, i = list(symbols), 0
    while i < len(symbols) - 1:
        if (symbols[i], symbols[i + 1]) == tuple(pair):
            symbols[i : i + 2] = [b"".join(pair)]
        i += 1
    return symbols


def merge_by_folding(symbols, pair):
    def step(state, symbol):
        done, last_is_new = state
        if done and not last_is_new and (done[-1], symbol) == tuple(pair):
            return [*done[:-1], done[-1] + symbol], True
        return [*done, symbol], False

    return reduce(step, symbols, ([], False))[0]


def merge_into_a_tuple(symbols, pair):
    return tuple(merge(symbols, pair))


# train_bpe


def train_bpe_counting_anew(text, vocab_size):
    if vocab_size < 256:
        raise ValueError(f"expected a vocab_size of 256 at least, got {vocab_size}")
    vocab, merges, pieces = {i: bytes([i]) for i in range(256)}, [], Counter(pretokenise(text))
    words = {piece: [bytes([b]) for b in piece.encode("utf-8")] for piece in pieces}
    while len(vocab) < vocab_size:
        pairs = count_pairs(list(words.values()), [pieces[piece] for piece in words])
        if not pairs:
            break
        best = sorted(pairs.items(), key=lambda item: (item[1], item[0]))[-1][0]
        vocab[len(vocab)] = best[0] + best[1]
        merges.append(best)
        words = {piece: merge(word, best) for piece, word in words.items()}
    return vocab, merges


def train_bpe_on_all_pieces(text, vocab_size):
    """Each piece as often as it occurs, without counts."""
    if vocab_size < 256:
        raise ValueError(f"vocab_size: {vocab_size} is too small")
    words, merges = [[bytes([b]) for b in piece.encode()] for piece in pretokenise(text)], []
    for _ in range(vocab_size - 256):
        pairs = Counter(pair for word in words for pair in pairwise(word))
        if not pairs:
            break
        most = max(pairs.values())
        merges.append(max(pair for pair in pairs if pairs[pair] == most))
        words = [merge(word, merges[-1]) for word in words]
    return {i: bytes([i]) if i < 256 else b"".join(merges[i - 256]) for i in range(256 + len(merges))}, merges


def train_bpe_with_tuples(text, vocab_size):
    if vocab_size < 256:
        raise ValueError(f"got {vocab_size}")
    words = Counter(tuple(bytes([b]) for b in piece.encode()) for piece in pretokenise(text))
    merges = []
    while 256 + len(merges) < vocab_size:
        pairs = count_pairs(list(words), list(words.values()))
        if not pairs:
            return _vocab(merges), merges
        best = max(pairs, key=lambda pair: (pairs[pair], *pair))
        merges.append(best)
        words = Counter({tuple(merge(word, best)): n for word, n in words.items()})
    return _vocab(merges), merges


def _vocab(merges):
    return dict(enumerate([bytes([b]) for b in range(256)] + [left + right for left, right in merges]))


def train_bpe_in_lists(text, vocab_size):
    vocab, merges = train_bpe_counting_anew(text, vocab_size)
    return [vocab, [list(pair) for pair in merges]]


# encode


def _start(piece):
    return [bytes([byte]) for byte in piece.encode()]


def encode_merge_by_merge(text, merges):
    ids, vocab = [], {symbol: token for token, symbol in _vocab(merges).items()}
    for piece in pretokenise(text):
        symbols = _start(piece)
        for pair in merges:
            symbols = merge(symbols, pair)
        ids += [vocab[symbol] for symbol in symbols]
    return ids


def encode_with_while(text, merges):
    order = {tuple(pair): place for place, pair in enumerate(merges)}
    ids, vocab = [], {symbol: token for token, symbol in _vocab(merges).items()}
    for piece in pretokenise(text):
        symbols = _start(piece)
        while True:
            known = [order[pair] for pair in pairwise(symbols) if pair in order]
            if not known:
                break
            symbols = merge(symbols, merges[min(known)])
        ids.extend(vocab[symbol] for symbol in symbols)
    return ids


def encode_one_place_at_a_time(text, merges):
    order, ids = {tuple(pair): place for place, pair in enumerate(merges)}, []
    vocab = {symbol: token for token, symbol in _vocab(merges).items()}
    for piece in pretokenise(text):
        symbols = _start(piece)
        while True:
            found = [(order[pair], i) for i, pair in enumerate(pairwise(symbols)) if pair in order]
            if not found:
                break
            i = min(found)[1]
            symbols = [*symbols[:i], symbols[i] + symbols[i + 1], *symbols[i + 2 :]]
        ids += [vocab[symbol] for symbol in symbols]
    return ids


def encode_in_numbers(text, merges):
    """With ids from the start, as many write it, and an array of them."""
    ids, numbers = [], {bytes([b]): b for b in range(256)}
    rank = {}
    for n, (left, right) in enumerate(merges):
        rank[numbers[left], numbers[right]] = 256 + n
        numbers[left + right] = 256 + n
    for piece in pretokenise(text):
        tokens = list(piece.encode())
        while len(tokens) > 1:
            best = min(pairwise(tokens), key=lambda pair: rank.get(pair, math.inf))
            if best not in rank:
                break
            new, i = [], 0
            while i < len(tokens):
                pair = tuple(tokens[i : i + 2]) == best
                new.append(rank[best] if pair else tokens[i])
                i += 1 + pair
            tokens = new
        ids += tokens
    return np.array(ids, int)


# decode


def decode_with_a_loop(ids, vocab):
    whole = b""
    for token in ids:
        if token not in vocab:
            raise ValueError(f"{token} is no id of this vocabulary of {len(vocab)}")
        whole += vocab[token]
    return whole.decode("utf-8", "replace")


def decode_with_try(ids, vocab):
    try:
        return b"".join([vocab[token] for token in ids]).decode(errors="replace")
    except KeyError as error:
        raise ValueError(f"expected an id of the vocabulary, got {error}") from None


def decode_through_a_bytearray(ids, vocab):
    whole = bytearray()
    for token in map(int, ids):
        symbol = vocab.get(token)
        if symbol is None:
            raise ValueError(f"unknown id {token}")
        whole.extend(symbol)
    return str(whole, "utf-8", errors="replace")


def decode_with_sets(ids, vocab):
    if not set(ids) <= set(vocab):
        raise ValueError(f"got {set(ids) - set(vocab)}")
    return bytes(byte for token in ids for byte in vocab[token]).decode("UTF8", "replace")


# bits_per_byte


def bits_per_byte_with_log2(nats, ids, vocab):
    size = len(_joined(ids, vocab))
    if size == 0:
        raise ValueError("no bytes")
    return nats * math.log2(math.e) / size


def _joined(ids, vocab):
    for token in ids:
        if token not in vocab:
            raise ValueError(f"{token} is not in the vocabulary")
    return b"".join(vocab[token] for token in ids)


def bits_per_byte_in_numpy(nats, ids, vocab):
    for token in ids:
        if token not in vocab:
            raise ValueError(f"{token} is not in the vocabulary")
    sizes = np.array([len(vocab[token]) for token in ids])
    if sizes.sum() == 0:
        raise ValueError("expected bytes, got none")
    return np.divide(nats, np.log(2) * sizes.sum())


def bits_per_byte_with_try(nats, ids, vocab):
    try:
        return (nats / math.log(2)) / sum(len(vocab[token]) for token in ids)
    except (KeyError, ZeroDivisionError) as error:
        raise ValueError(f"expected ids with bytes, got {error}") from error


def bits_per_byte_as_an_array(nats, ids, vocab):
    return np.array(bits_per_byte_with_log2(nats, ids, vocab))


TRIVIAL = {
    "no pieces": lambda *args: [],
    "its characters": lambda *args: list(args[0]),
    "its bytes": lambda *args: list(args[0].encode()) if isinstance(args[0], str) else args[0],
    "the bytes alone": lambda *args: ({n: bytes([n]) for n in range(256)}, []),
    "an empty text": lambda *args: "",
    "no pairs": lambda *args: {},
}

WITHOUT_ARRAYS = {"pretokenise", "count_pairs", "merge", "train_bpe", "encode", "decode", "bits_per_byte"}
