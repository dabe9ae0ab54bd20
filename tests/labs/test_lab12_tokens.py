"""Lab 12: the reference against tokenisers of others and against laws, and what careless answers earn."""

import contextlib
import io
import math
import time
import unicodedata
from functools import partial
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from solutions.exercises import asking
from solutions.lab12_tokens import checks
from solutions.lab12_tokens.reference import bits_per_byte, decode, encode, merge, pretokenise, train_bpe
from tests import needs
from tests.labs import judging
from tests.labs.inputs_lab12_tokens import CHARACTERS, TEXTS
from tests.labs.variants_lab12_tokens import train_bpe_counting_anew

share = partial(judging.share, "lab12_tokens")

GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"  # openai/gpt-2, src/encoder.py
OLD = [character for character in map(chr, range(0x110000))  # in Unicode for so long that all versions agree on them
       if unicodedata.ucd_3_2_0.category(character) not in ("Cn", "Cs")]
BOOK = "".join(path.read_text("utf-8") for path in sorted(Path(judging.ROOT, "chapters").glob("[0-9]*.md")))
TEXT = BOOK.encode()[:100_000].decode(errors="ignore")


def random_text(rng, n=40):
    return "".join(characters[i] for characters in (CHARACTERS, OLD) for i in rng.integers(len(characters), size=n))


@pytest.fixture(params=range(5))
def rng(request):
    return np.random.default_rng(request.param)


# Pieces


@needs.tokenisers
def test_pieces_are_those_of_gpt2s_pattern():
    import regex

    rng, pattern = np.random.default_rng(0), regex.compile(GPT2)
    for text in ["".join(OLD), *(random_text(rng, 12) for _ in range(500)), BOOK]:
        assert pretokenise(text) == pattern.findall(text)


def test_the_pieces_joined_are_the_text(rng):
    text = random_text(rng)
    assert "".join(pretokenise(text)) == text


# Training


@pytest.mark.parametrize("text", TEXTS)
def test_training_with_few_words_counted_anew_is_training_with_all(text):
    for size in (256, 260, 300):
        assert train_bpe(text, size) == train_bpe_counting_anew(text, size)


def test_stanfords_example_by_hand():
    """CS336, assignment 1, section 2.4, which leaves the spaces out."""
    text = "\n".join(["low"] * 5 + ["lower"] * 2 + ["widest"] * 3 + ["newest"] * 6)
    _, merges = train_bpe(text, 256 + 6)
    assert [b" ".join(pair) for pair in merges] == [b"s t", b"e st", b"o w", b"l ow", b"w est", b"n e"]


def by_bpe_lite(text, vocab_size, folder):
    from bpe_lite.train import train

    (folder / "text").write_text(text, encoding="utf-8", newline="")
    with contextlib.redirect_stdout(io.StringIO()):
        return train(str(folder / "text"), vocab_size, [])


@needs.tokenisers
def test_another_trainer_learns_the_same_and_we_are_at_most_twice_as_slow(tmp_path):
    times, learned = [], []
    for trainer in (train_bpe, partial(by_bpe_lite, folder=tmp_path)):
        start = time.process_time()
        learned.append(trainer(TEXT, 1024))
        times.append(time.process_time() - start)
    assert learned[0] == learned[1]
    assert times[0] < 2 and times[0] < 2 * times[1]


def test_what_a_smaller_vocabulary_learns_is_the_beginning_of_what_a_larger_one_learns(rng):
    text = checks._babble(rng, 5, 20)
    learned = [train_bpe(text, size)[1] for size in range(256, 290, 3)]
    assert all(larger[: len(smaller)] == smaller for smaller, larger in pairwise(learned))


# Encoding and decoding


def test_any_text_comes_back_as_it_was(rng):
    vocab, merges = train_bpe(checks._babble(rng, 6, 40), 300)
    for text in ("", random_text(rng), checks._babble(rng, 6, 40)):
        assert decode(encode(text, merges), vocab) == text


def test_with_more_merges_there_are_never_more_tokens(rng):
    _, merges = train_bpe(checks._babble(rng, 4, 40), 330)
    text = checks._babble(rng, 4, 30)
    lengths = [len(encode(text, merges[:n])) for n in range(len(merges))]
    assert lengths == sorted(lengths, reverse=True)


def test_a_piece_that_comes_again_is_not_merged_again():
    calls = []
    counted = asking(encode, merge=lambda *args: calls.append(args) or merge(*args))
    _, merges = train_bpe(TEXT[:2000], 300)
    for text in (TEXT[:2000], TEXT[:2000] * 50):
        calls.clear()
        counted(text, merges)
        assert len(calls) < 2000


@pytest.fixture(scope="module")
def gpt2():
    """GPT-2's tokeniser, its merges, and the ids that it gives to the bytes, in an order of its own."""
    import tiktoken

    tokeniser = tiktoken.get_encoding("r50k_base")
    ids = tokeniser._mergeable_ranks  # {bytes: id}, whose ids from 256 on are in the order of the merges
    merges = [_last_merge(token, ids) for token in sorted(ids, key=ids.get) if len(token) > 1]
    return tokeniser, merges, {byte: ids[bytes([byte])] for byte in range(256)}


def _last_merge(token, ids):
    """The pair of which a token was made: its bytes, merged as long as more than two symbols are left."""
    symbols = [bytes([byte]) for byte in token]
    while len(symbols) > 2:
        symbols = merge(symbols, min(pairwise(symbols), key=lambda pair: ids.get(b"".join(pair), math.inf)))
    return tuple(symbols)


HELLO = "hello world!!!? (안녕하세요!) lol123 😉", [  # tiktoken's own test
    31373, 995, 10185, 30, 357, 168, 243, 230, 167, 227, 243, 47991, 246, 168, 226, 116, 168, 248, 242, 8133, 19462,
    10163, 30325, 231]


@needs.tiktoken
@pytest.mark.nightly  # nothing that a day's change of ours could move
@pytest.mark.parametrize(("text", "ids"), [HELLO, ("Hello,", [15496, 11])], ids=["a test", "a word"])
def test_with_gpt2s_merges_a_text_has_gpt2s_tokens(gpt2, text, ids):
    _, merges, byte_ids = gpt2
    assert [byte_ids.get(token, token) for token in encode(text, merges)] == ids


@needs.tiktoken
@pytest.mark.nightly
def test_tiktoken_says_the_same_of_any_text(gpt2):
    tokeniser, merges, byte_ids = gpt2
    rng = np.random.default_rng(1)
    text = TEXT[:4000] + "".join(random_text(rng) for _ in range(20))
    assert [byte_ids.get(token, token) for token in encode(text, merges)] == tokeniser.encode_ordinary(text)


@pytest.mark.parametrize("text", ["\ud800", "a\udfff b", "a \ud83d\ude00"])
@pytest.mark.parametrize("function", [pretokenise, partial(encode, merges=[]), partial(train_bpe, vocab_size=300)])
def test_half_a_pair_is_no_text(function, text):
    with pytest.raises(ValueError, match=r"text: expected characters, got the lone surrogate U\+D"):
        function(text)


@pytest.mark.parametrize("size", [255, 0, -1])
def test_a_vocabulary_below_256_is_refused(size):
    with pytest.raises(ValueError, match=f"vocab_size: expected at least 256, one for each byte, got {size}"):
        train_bpe("ab", size)


@pytest.mark.parametrize("token", [258, -1, 10**9])
@pytest.mark.parametrize("function", [decode, partial(bits_per_byte, 1.0)])
def test_an_id_that_the_vocabulary_has_not_is_refused(function, token):
    with pytest.raises(ValueError, match=rf"ids: expected ids of the vocabulary, which has 257, got {token}"):
        function([97, token], train_bpe("ab", 257)[0])


# Bits


def test_a_token_and_its_bytes_have_as_many_bits_per_byte_at_the_same_total(rng):
    vocab, merges = train_bpe(checks._babble(rng, 4, 30), 290)
    ids = encode(checks._babble(rng, 4, 30), merges)
    single = [byte for token in ids for byte in vocab[token]]
    assert bits_per_byte(70.5, ids, vocab) == bits_per_byte(70.5, single, vocab)


def test_uniform_bytes_cost_eight_bits_each():
    assert math.isclose(bits_per_byte(3 * math.log(256), [1, 2, 3], train_bpe("", 256)[0]), 8)


def test_no_bytes_have_no_bits():
    with pytest.raises(ValueError, match="ids: expected at least one byte of text, got none"):
        bits_per_byte(1.0, [], {0: b"a"})


# Careless answers


@pytest.mark.parametrize("exercise", ["count_pairs", "merge", "encode", "decode", "bits_per_byte"])
def test_an_answer_that_changes_a_list_or_a_dictionary_earns_nothing(exercise):
    def careless(*args):
        answer = judging.right("lab12_tokens", exercise)(*args)
        changed = next(value for value in args if isinstance(value, list | dict))
        changed.clear()
        return answer

    assert share(exercise, **{exercise: careless}) == 0
