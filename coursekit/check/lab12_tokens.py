"""The visible checks of lab 12. Each takes the student's function and states the laws that it should keep."""

import math

from coursekit.check import ask, laws, visible_check
from coursekit.verdicts import Verdict

BYTES = {byte: bytes([byte]) for byte in range(256)}


def split(text):
    """The symbols of "l ow": what stands between spaces, as bytes."""
    return [symbol.encode() for symbol in text.split()]


def pairs(*texts):
    """Pairs of symbols, from texts such as "l ow"."""
    return [tuple(split(text)) for text in texts]


# Exercise 1


@visible_check
def pretokenise(pretokenise):
    for law, text, right, slips in PIECES:
        yield laws.same(f"{law}: {text!r}", ask(pretokenise, text), right, slips=slips)
    yield laws.same("spaces that nothing follows stay together", ask(pretokenise, "a \t\n "), ["a", " \t\n "],
                    "rule 5: the last one is left out only where something that is no space follows")
    yield laws.same("an empty text has no pieces", ask(pretokenise, ""), [])
    yield laws.refuses("a lone surrogate raises ValueError", pretokenise, ["a \ud83d b"], [],
                       "a lone surrogate, of category Cs, has no bytes")


PIECES = [  # law, text, its pieces, what known slips lead to
    ("words have the space before them, signs are pieces of their own", "The cat, the hat.",
     ["The", " cat", ",", " the", " hat", "."], [
         (["The", "cat", ",", "the", "hat", "."], "the spaces are lost: one directly before a word belongs to it"),
         (["The ", "cat", ", ", "the ", "hat", "."], "a space belongs to what comes after it, not to what came before"),
         (["The", " cat,", " the", " hat."], "signs are no letters: a piece ends where the kind of character does"),
         (["The", " ", "cat", ",", " ", "the", " ", "hat", "."], "one space directly before a word belongs to it"),
     ]),
    ("the endings are pieces of their own", "I've said they'll, he'd, you're, I'm, it's, don't",
     ["I", "'ve", " said", " they", "'ll", ",", " he", "'d", ",", " you", "'re", ",", " I", "'m", ",", " it", "'s", ",",
      " don", "'t"], []),
    ("rule 1 comes first, wherever its ending stands, and knows small letters alone", "'tis 'tis IT'S John'S 'sold'",
     ["'t", "is", " '", "tis", " IT", "'", "S", " John", "'", "S", " '", "sold", "'"], [
         (["'t", "is", " '", "tis", " IT", "'S", " John", "'S", " '", "sold", "'"],
          "'S is no ending: rule 1 knows small letters alone"),
     ]),
    ("numbers are pieces of their own, and so are numbers that are no digits", "x2 12ab 3² Ⅷ ½ ٣ 1.5",
     ["x", "2", " 12", "ab", " 3²", " Ⅷ", " ½", " ٣", " 1", ".", "5"], [
         (["x", "2", " 12", "ab", " 3", "²", " Ⅷ", " ½", " ٣", " 1", ".", "5"], "² is a number, its category is No"),
         (["x2", " 12ab", " 3²", " Ⅷ", " ½", " ٣", " 1", ".", "5"], "a piece ends where letters end and numbers begin"),
     ]),
    ("of several spaces the last belongs to what follows, the others are a piece", "a  b   2    !",
     ["a", " ", " b", "  ", " 2", "   ", " !"], [
         (["a", "  ", "b", "   ", "2", "    ", "!"], "rule 5: the last space is left for the next piece"),
         (["a", "  b", "   2", "    !"], "one space at most belongs to a piece"),
         (["a", " ", " ", "b", "  ", " ", "2", "   ", " ", "!"], "the space that is left begins the next piece"),
     ]),
    ("a line end or a tab before a word is a piece of its own", "a\nb \tc\n\nd",
     ["a", "\n", "b", " ", "\t", "c", "\n", "\n", "d"], [
         (["a", "\nb", " ", "\tc", "\n", "\nd"], "only the character ' ' joins what follows, no other kind of space"),
         (["a", "\n", "b", " \t", "c", "\n\n", "d"], "line ends and tabs are spaces too, of category Cc: "
          "ask isspace(), and leave the last one out where something follows"),
     ]),
    ("all spaces of Unicode are spaces", "a\u3000\u2028b\xa0!", ["a", "\u3000", "\u2028", "b", "\xa0", "!"], []),
    ("letters of all scripts are letters, marks and emoji are other", "naïve Ελλάς हिन्दी 한국 😉😉 cafe\u0301",
     ["naïve", " Ελλάς", " ह", "ि", "न", "्", "द", "ी", " 한국", " 😉😉", " cafe", "\u0301"], []),
    ("the characters from 1C to 1F are no spaces to GPT-2", "a \x1cb\x1d!", ["a", " \x1c", "b", "\x1d!"], []),
]


# Exercise 2


@visible_check
def count_pairs(count_pairs):
    words = [split("a a a a"), split("a b")]
    slips = [
        ({(b"a", b"a"): 4, (b"a", b"b"): 5}, "every place counts: a a a a has (a, a) three times, overlaps too"),
        ({(b"a", b"a"): 3, (b"a", b"b"): 1}, "a word counts as often as it occurs: use `counts`"),
        ({(b"a", b"a"): 2, (b"a", b"b"): 5}, "every place counts: a a a a has (a, a) three times"),
        *((wrong, "no pair reaches from one word into the next") for wrong in [
            {(b"a", b"a"): 8, (b"a", b"b"): 5}, {(b"a", b"a"): 11, (b"a", b"b"): 5}, {(b"a", b"a"): 7, (b"a", b"b"): 5},
            {(b"a", b"a"): 8, (b"a", b"b"): 5, (b"b", b"a"): 4}]),
    ]
    law = "a a a a twice and a b five times: (a, a) 6 and (a, b) 5"
    kinds = "a key is a pair: a tuple of two symbols, as they stand in the word"
    right = {(b"a", b"a"): 6, (b"a", b"b"): 5}
    yield laws.same(law, ask(count_pairs, words, [2, 5]), right, slips=slips, kinds=kinds)
    words = [split("th e"), split("e th"), split("t he"), split("x")]
    expected = {(b"th", b"e"): 1, (b"e", b"th"): 2, (b"t", b"he"): 40}
    slips = [({(b"e", b"th"): 3, (b"t", b"he"): 40}, "the left symbol comes first: (e, th) is not the pair (th, e)")]
    law = "symbols of several bytes, in both orders; a word of one symbol has no pair"
    yield laws.same(law, ask(count_pairs, words, [1, 2, 40, 2]), expected, slips=slips)
    words = [split("b a"), split("a b a b"), split("b a")]
    law = "a pair in several words, and twice in one of them: all of it is added"
    yield laws.same(law, ask(count_pairs, words, [3, 10, 4]), {(b"b", b"a"): 17, (b"a", b"b"): 20})
    yield laws.same("no words have no pairs", ask(count_pairs, [], []), {})


# Exercise 3


@visible_check
def merge(merge):
    twice = (b"a", b"a")
    slips = [(split("aa aa aa"), "a symbol is used once: after a merge go on after both"),
             (split("aa a a"), "each such pair is merged, not the first alone"),
             (split("aaaa"), "what was merged is not merged again: only places where both symbols of the pair stand")]
    yield laws.same("a a a a with (a, a): aa aa", ask(merge, split("a a a a"), twice), split("aa aa"), slips=slips)
    slips = [(split("a aa"), "go from left to right")]
    yield laws.same("a a a: aa a", ask(merge, split("a a a"), twice), split("aa a"), slips=slips)
    slips = [(split("wlo wlo e r"), "the left symbol comes first"),
             (split("low w low w e r"), "both symbols of the pair are used: go on after the right one"),
             (split("low lo w e r"), "each such pair is merged, not the first alone")]
    yield laws.same("lo w lo w e r with (lo, w): low low e r", ask(merge, split("lo w lo w e r"), (b"lo", b"w")),
                    split("low low e r"), slips=slips)
    slips = [(split("x abc"), "compare symbols, not joined bytes: a bc holds no pair (ab, c)"),
             (split("x abc abc"), "compare symbols, not joined bytes: a bc holds no pair (ab, c)")]
    yield laws.same("x a bc ab c with (ab, c): x a bc abc", ask(merge, split("x a bc ab c"), (b"ab", b"c")),
                    split("x a bc abc"), slips=slips)
    for law, symbols in [("where the pair is not, nothing changes", split("b a b")), ("one symbol stays", split("a")),
                         ("and none", [])]:
        yield laws.same(law, ask(merge, symbols, twice), symbols)


# Exercise 4


@visible_check
def train_bpe(train_bpe):
    by_size = [(b"o", b"w"), (b"l", b"ow"), (b" ", b"low"), (b"e", b"r"), (b" low", b"er")]
    law = "low low lower, 258 tokens: ow, and then low"
    slips = [(pairs("l o", "lo w"), "of (l, o) and (o, w), which occur equally often, the greater is (o, w)"),
             (by_size, "vocab_size counts the 256 bytes too: 258 leaves room for two merges")]
    yield from _learns(law, train_bpe, ("low low lower", 258), by_size[:2], slips)
    law = "of more the first ones are the same: 260 tokens"
    ow = by_size[:2]
    slips = [([*ow, (b"low", b" "), (b"low ", b"low ")], "no merge crosses pieces: cut the text with pretokenise"),
             ([*ow, (b"low", b"e"), (b"lowe", b"r")], "cut the text with pretokenise: the space belongs to the word")]
    yield from _learns(law, train_bpe, ("low low lower", 260), by_size[:4], slips)
    slips = [(by_size[:3], "a pair that occurs once is merged too: go on until none is left")]
    law = "5000 tokens: a pair that occurs once is merged too, and where none is left the vocabulary stays smaller"
    yield from _learns(law, train_bpe, ("low low lower", 5000), by_size, slips)
    law = "ties: the greatest pair of bytes, of the left symbols first"
    yield from _learns(law, train_bpe, ("az by cx", 257), pairs("c x"), [
        (pairs("a z"), "all occur once: take the greatest pair, not the first"),
        ([(b" ", b"b")], "this is the smallest pair: take the greatest"),
    ])
    law = "ties are decided by symbols, not by joined bytes: (ab, c) comes after (a, z)"
    slips = [([(b"a", b"b"), (b"a", b"z")], "compare pairs, not joined bytes: ab is greater than a")]
    yield from _learns(law, train_bpe, ("ab!ab!ab?abc?az", 258), [(b"a", b"b"), (b"ab", b"c")], slips)
    law = "a piece counts as often as it occurs"
    slips = [(pairs("x y"), "all pieces counted once: (a, b) occurs three times, since its piece does")]
    yield from _learns(law, train_bpe, ("ab\nab\nab\nxy\ncxy", 257), pairs("a b"), slips)
    law = "she sells sea shells: what a merge has taken is counted no longer, what it has made is"
    right = [(b" ", b"s"), *pairs("l s", "l ls", "h e"), (b" s", b"e"), (b"s", b"he")]
    yield from _learns(law, train_bpe, ("she sells sea shells", 262), right, [])
    law = "spaces before the first word and after the last are pieces too"
    yield from _learns(law, train_bpe, (" a  ", 300), [(b" ", b"a"), (b" ", b" ")], [])
    law = "no pair reaches across two pieces"
    yield from _learns(law, train_bpe, ("a.a.a.a", 300), [], [(pairs("a ."), "pairs are counted within pieces")])
    law = "symbols are bytes: é é é begins with the two bytes of é"
    slips = [([(b" ", "é".encode())], "start from bytes, piece.encode(), not from characters")]
    yield from _learns(law, train_bpe, ("é é é", 257), [(b"\xc3", b"\xa9")], slips)
    yield from _learns("an empty text teaches nothing, and there are 256 bytes", train_bpe, ("", 300), [], [])
    yield from _learns("256 tokens are the bytes alone", train_bpe, ("aaaa", 256), [], [])
    yield laws.refuses("a vocab_size of 255 raises ValueError", train_bpe, ["aaaa", 255], ["255"],
                       "a vocabulary holds the 256 bytes at least")


def _learns(law, train_bpe, args, merges, slips):
    """Verdicts on merges and vocabulary of what comes back, (vocab, merges)."""
    try:
        reply = ask(train_bpe, *args)
    except ValueError as error:
        if "empty" not in str(error):  # as max says it
            raise
        yield Verdict(law, False, f"it raised ValueError: {error}: where no pair is left, stop")
        return
    two = laws.count(law, reply, 2)
    if not two.passed:
        yield Verdict(law, False, f"expected two results, vocab and merges: {two.hint}")
        return
    said = "a pair is a tuple of two symbols, and a symbol is bytes: bytes([98]), not 98"
    yield laws.same(law, laws.result(reply, 1), merges, slips=slips, kinds=said)
    vocab = BYTES | {256 + n: left + right for n, (left, right) in enumerate(merges)}
    problem = laws.same("", laws.result(reply, 0), vocab)
    if not problem.passed:
        said = f"{problem.hint}\n  ids 0 to 255 are the bytes, and 256 + n the joined bytes of merge n"
        yield Verdict(f"{law}: the vocabulary", False, f"the merges are right, the vocabulary is not: {said}")


# Exercise 5


@visible_check
def encode(encode):
    bc_first, ab_first = pairs("b c", "bc d", "a b"), pairs("a b", "b c", "bc d")
    slips = [([258, 99, 100], "the first pair from the left is not the one learned first: that is (b, c)"),
             ([97, 256, 100], "go on until no pair of the merges is left"),
             ([97, 1], "what merge n made has the id 256 + n")]
    yield laws.same("abcd, with b c learned first: a bcd", ask(encode, "abcd", bc_first), [97, 257], slips=slips)
    slips = [([97, 258], "the longest token does not decide: (a, b) was learned first, and takes the b")]
    yield laws.same("abcd, with a b learned first: ab c d", ask(encode, "abcd", ab_first), [256, 99, 100], slips=slips)
    slips = [([256, 256, 256], "a symbol is used once"), ([256, 97, 97], "merge the pair everywhere in the piece")]
    yield laws.same("aaaa, with a a: aa aa", ask(encode, "aaaa", pairs("a a")), [256, 256], slips=slips)
    law = "no token reaches across two pieces, and a space belongs to the word after it"
    slips = [([256, 256, 258], "cut the text into pieces first")]
    merges = [(b"a", b" "), (b" ", b"a"), (b"a", b".")]
    yield laws.same(law, ask(encode, "a a a.", merges), [97, 257, 257, 46], slips=slips)
    law = "spaces before the first word and after the last are tokens too"
    yield laws.same(law, ask(encode, " a  ", [(b" ", b"a")]), [256, 32, 32])
    law = "no text is unknown: what was never learned is left as bytes"
    yield laws.same(law, ask(encode, "é😉", [(b"\xc3", b"\xa9")]), [256, 240, 159, 152, 137],
                    "start from the bytes of each piece, piece.encode()")
    law = "no text is special: <|endoftext|> is text"
    expected = [60, 124, *b"endoftext", 124, 62]
    yield laws.same(law, ask(encode, "<|endoftext|>", pairs("x y")), expected)
    yield laws.same("the same piece again has the same ids", ask(encode, "ab\nab", pairs("a b")), [256, 10, 256])
    yield laws.same("without merges each byte is a token", ask(encode, "né", []), [110, 195, 169])
    yield laws.same("an empty text has no tokens", ask(encode, "", pairs("a b")), [])


# Exercise 6


@visible_check
def decode(decode):
    vocab = BYTES | {256: b"th", 257: b"the", 258: b" \xc3", 259: b"\xa9t"}
    yield laws.same("ids of bytes and of longer tokens", ask(decode, [257, 32, 256, 121, 121], vocab), "the thyy")
    law = "first bytes, then text: é stands in two tokens"
    joined = "a token may be part of a character: join the bytes first"
    slips = [("the \ufffd\ufffdt\ufffd\ufffd", joined), ("the t", joined),
             ("the \xc3\xa9t\xc3\xa9", "the bytes are UTF-8: do not make a character of each")]
    yield _reads(law, decode, [257, 258, 259, 195, 169], vocab, "the été", slips, joined)
    law = "what is no UTF-8 becomes U+FFFD, and no text is lost around it"
    slips = [("ab", "bytes that are no text are not dropped: errors=\"replace\"")]
    said = 'with errors="replace" such bytes become U+FFFD'
    yield _reads(law, decode, [97, 195, 98, 255], vocab, "a\ufffdb\ufffd", slips, said)
    law = "ids are looked up in vocab, also those below 256, whatever their order"
    yield laws.same(law, ask(decode, [1, 0, 70_000], {0: b"b", 1: b"a", 70_000: b"\xc3\xa9"}), "abé",
                    "ask `vocab` for every id: in another vocabulary id 0 is another byte")
    yield laws.same("no ids are an empty text", ask(decode, [], vocab), "")
    for law, unknown in [("an id beyond the vocabulary raises ValueError", 260), ("so does a negative one", -1)]:
        yield laws.refuses(law, decode, [[97, unknown], vocab], [str(unknown)], "such an id stands for nothing")


def _reads(law, decode, ids, vocab, right, slips, advice):
    """Like `laws.same`, for bytes at which a strict decoder raises, and what to say of one."""
    try:
        return laws.same(law, ask(decode, ids, vocab), right, slips=slips)
    except UnicodeDecodeError as error:
        return Verdict(law, False, f"it raised {error}: {advice}")


# Exercise 7


@visible_check
def bits_per_byte(bits_per_byte):
    vocab = BYTES | {256: b"ow", 257: b"low", 258: "é".encode()}
    slips = [
        (4.0, "divide by the number of bytes, not of tokens"),
        (2 * math.log(2), "these are nats: divide by ln 2"),
        (2 * math.log(2) ** 2, "divide by ln 2, math.log(2): a bit is smaller than a nat"),
        (8 / 259, "divide by the bytes of these tokens, not by the size of the vocabulary"),
        (8.0, "divide by the number of bytes"),
    ]
    law = "low and ! with 8 ln 2 nats together: 2 bits for each of four bytes"
    yield laws.equals(law, ask(bits_per_byte, 8 * math.log(2), [257, 33], vocab), 2.0, slips=slips)
    law = "the same bytes as four tokens, with the same total: the same"
    slips = [(8.0, "nats is the total of all tokens: do not multiply it by their number")]
    yield laws.equals(law, ask(bits_per_byte, 8 * math.log(2), [*b"low!"], vocab), 2.0, slips=slips)
    slips = [(5.25, "é is one character of two bytes: count bytes"), (7.0, "each id counts as often as it occurs")]
    law = "é is two bytes, and a token that occurs three times counts three times"
    yield laws.equals(law, ask(bits_per_byte, 21 * math.log(2), [258, 258, 258, 33], vocab), 3.0, slips=slips)
    law = "tokens are looked up in vocab, whatever their ids are"
    slips = [(3 / math.log(2) / 9, "add up the bytes of the tokens: in a decoded text U+FFFD has three of its own")]
    reply = ask(bits_per_byte, 3.0, [9, 7], {7: b"abc", 9: b"\xff\xfe"})
    yield laws.equals(law, reply, 3 / math.log(2) / 5, slips=slips)
    law = "a byte thought nearly impossible: 900 nats are 1298 bits"
    yield laws.equals(law, ask(bits_per_byte, 900.0, [33], vocab), 900 / math.log(2))
    yield laws.equals("no loss, no bits", ask(bits_per_byte, 0.0, [33], vocab), 0.0)
    yield laws.refuses("an id that is not in vocab raises ValueError", bits_per_byte, [1.0, [97, 300], vocab], ["300"],
                       "such an id stands for no bytes")
    yield laws.refuses("so do no ids", bits_per_byte, [1.0, [], vocab], [], "there is no byte to pay for")
