"""What lab 12 is judged on.

Where chance decides what a case can tell, it is drawn anew until the known mistakes answer it otherwise than the
reference does, so that a wrong answer cannot pass by luck.
"""

import builtins
import copy
from itertools import combinations

from coursekit.verdicts import Verdict, compare, same, together
from solutions.lab12_tokens import mistakes, reference

VALUE_ERRORS = {name for name, kind in vars(builtins).items()  # UnicodeEncodeError is one
                if isinstance(kind, type) and issubclass(kind, ValueError)}
TRIES = 500  # draws for one case; a telling one is found after a few
PAIR = (b"a", b"b")


def pretokenise(student, rng):
    hint = "of the five rules the first that fits takes a piece; what a letter, a number or a space is, Unicode says"
    cases = [("words, endings and signs", WORDS), ("numbers of all kinds", NUMBERS),
             ("spaces of all kinds, and at the end", SPACES), ("scripts, marks and emoji", SCRIPTS)]
    right = []
    for law, more in cases:
        text, = _telling(lambda more=more: (_text(rng, more),), "pretokenise")
        verdict = same(law, student.pretokenise(text), reference.pretokenise(text), hint)
        right.append(verdict.passed)
        yield verdict
    lone = chr(int(rng.integers(0xD800, 0xE000)))
    yield _refuses("a lone surrogate raises ValueError", [student.pretokenise(f"a{lone} b")], right)


def count_pairs(student, rng):
    hint = "each place where two symbols stand side by side counts, as often as its word occurs"
    for law, letters, n in [("few symbols, often repeated", 2, 4), ("many words", 5, 14), ("some words", 3, 6),
                            ("two words", 2, 2)]:
        args = _telling(lambda n=n, letters=letters: _words(rng, n, letters), "count_pairs")
        yield same(law, student.count_pairs(*args), reference.count_pairs(*args), hint)


def merge(student, rng):
    hint = "from left to right, and no symbol is used twice; what is compared are symbols"
    for law, n in [("a few symbols", 6), ("many symbols", 40), ("pairs side by side", 14), ("pairs at the end", 9)]:
        cases = [_telling(lambda n=n: _equal_symbols(rng, n), "merge", ["joined_bytes"]),
                 _telling(lambda n=n: _symbols(rng, n), "merge", ["overlaps", "from_the_right"])]
        cases.append(([*cases[1][0], b"x"], (b"x", b"x")))  # a pair that is not there
        yield together(*[same(law, student.merge(*args), reference.merge(*args), hint) for args in cases])


def train_bpe(student, rng):
    hint = "the pair that occurs most often, of equals the greatest, in pieces of bytes, as often as each piece occurs"
    whole = ["stops_at_one", "raises_at_the_end"]  # told where no pair is left
    cases = [("many ties", 6, 20, 256 + 14, whole), ("more tokens", 9, 30, 256 + 25, whole),
             ("until no pair is left", 4, 9, 900, ["as_many"]), ("another, until none is left", 5, 7, 700, ["as_many"])]
    right = []
    for law, letters, n, size, untold in cases:
        args = _telling(lambda n=n, m=letters, size=size: (_babble(rng, m, n), size), "train_bpe", untold)
        verdict = _trained(student, law, args, hint)
        right.append(verdict.passed)
        yield verdict
    refused = [student.train_bpe("a b a", size) for size in (255, 0)]
    bare = [_trained(student, "", args, hint).passed for args in (("ab ab", 256), ("", 300))]
    yield _refuses("a vocabulary below 256 raises ValueError; one of 256 is the bytes", refused, [*right, *bare])


def _trained(student, law, args, hint):
    return same(law, student.train_bpe(*args), reference.train_bpe(*args), hint)


def encode(student, rng):
    hint = "in each piece, from bytes on, merge the pair that was learned first, as long as a learned one is left"
    cases = [("a text like the one that was learned from", 4, 20), ("another one", 6, 25),
             ("few letters", 3, 25), ("more merges", 5, 30)]
    for law, letters, merged in cases:
        args = _telling(lambda m=letters, n=merged: _learned(rng, m, n), "encode", apart=law == "few letters")
        verdicts = [same(law, student.encode(*args), reference.encode(*args), hint),
                    same(law, student.encode("", args[1]), [], hint)]
        yield together(*verdicts)


def decode(student, rng):
    hint = "look up the bytes of each id, join all of them, and read them as UTF-8 with errors=\"replace\""
    right = []
    for law, letters, merged in [("characters that stand in several tokens", 4, 20), ("bytes that are no UTF-8", 6, 40),
                                 ("bytes in another order, and ids with gaps", 3, 10), ("many ids", 8, 60)]:
        args = _telling(lambda m=letters, n=merged: _ids(rng, m, n), "decode")
        verdict = same(law, student.decode(*args), reference.decode(*args), hint)
        verdict = together(verdict, same(law, student.decode([], args[1]), "", hint))
        right.append(verdict.passed)
        yield verdict
    refused = [student.decode([*args[0], unknown], args[1]) for unknown in (-1, 10**6)]
    yield _refuses("an id that is not in the vocabulary raises ValueError", refused, right)


def bits_per_byte(student, rng):
    hint = "is it the total in nats, divided by ln 2 and by the bytes of all these tokens?"
    right = []
    for law, letters, merged in [("some tokens", 4, 20), ("longer ones", 6, 50), ("bytes in another order", 5, 10),
                                 ("many, at a large loss", 8, 40)]:
        ids, vocab = _telling(lambda m=letters, n=merged: _ids(rng, m, n), "bits_per_byte", among=[7.5])
        nats = float(rng.uniform(0.5, 3) * len(ids)) * (900 if "large" in law else 1)
        verdict = compare(law, student.bits_per_byte(nats, ids, vocab), reference.bits_per_byte(nats, ids, vocab), hint)
        right.append(verdict.passed)
        yield verdict
    refused = [student.bits_per_byte(2.0, given, vocab) for given in ([*ids, 10**6], [], [-1])]
    yield _refuses("an id that is not in the vocabulary, and no ids, raise ValueError", refused, right)


def _refuses(law, replies, right):
    """Do all of them raise ValueError? It counts only where all else is right, since to refuse everything is easy."""
    others = [reply.error for reply in replies if reply.error not in VALUE_ERRORS]
    if not all(right):
        return Verdict(law, False, "counts only where the other results are right")
    hint = f"it raised {others[0]}" if others and others[0] else "it returned something"
    return Verdict(law, not others, f"{hint}: say what you expected and what you got, in a ValueError")


# Cases


def _telling(draw, exercise, untold=(), among=(), apart=False):
    """Arguments that `draw()` makes, drawn until each known mistake but the `untold` answers otherwise than is right.

    among  arguments that are put before them
    apart  draw until no two of the mistakes answer alike, too, so that the one which was made is named
    """
    known = [m for m in mistakes.MISTAKES[exercise] if not any(name in m.__name__ for name in untold)]
    for _ in range(TRIES):
        args = draw()
        right = _answer(getattr(reference, exercise), (*among, *args))
        wrong = [_answer(mistake, (*among, *args)) for mistake in known]
        if right not in wrong and not (apart and any(one == other for one, other in combinations(wrong, 2))):
            return args
    raise ValueError(f"cases: expected one within {TRIES} draws that tells all mistakes from the answer, got none")


def _answer(function, args):
    """What comes out, and what has become of the arguments; the name of the error where nothing does."""
    args = copy.deepcopy(args)
    try:
        return function(*args), args
    except Exception as error:
        return type(error).__name__


WORDS = ["they'll", "don't", "I'm", "'tis", "John'S", "IT'S", "you've", "(said)", "we're", "he'd", "--", "co-op", "x_y"]
NUMBERS = ["3²", "Ⅷ", "½", "٣٤", "12ab", "a1b2", "3.14", "1,000", "½²", "①"]
SPACES = ["\n", "\t", "\n\n", " \t ", "\u3000", "\xa0", "\r\n", "\x1c", "\x1f\x1d", "\u2003\u2003", "   ", "\x85"]
SCRIPTS = ["हिन्दी", "नमस्ते", "Ελλάς", "한국어", "日本", "cafe\u0301", "😉", "👍🏽", "ñandú", "שלום", "ไทย", "ⁿ"]
# For each mistake one.
TRAPS = ["they'll", "John'S", "3²", "x²!", "Ⅷ", "\n", "\x1d", "हिन्दी", "end.", "a", "7"]


def _text(rng, more):
    """A text that has a trap for each known mistake, and more of one kind; spaces between, one or several or none."""
    parts = [*TRAPS, *rng.choice(more, 6)]
    joints = rng.choice([" ", " ", "  ", "", "\n", "\t", "   "], len(parts))
    return "".join(str(parts[i]) + str(joint) for i, joint in zip(rng.permutation(len(parts)), joints, strict=True))


def _words(rng, n, letters):
    """n words of symbols, one of them once more, and one of a single symbol, and how often they occur."""
    known = [b"a", b"b", b"\xc3", b"th", b"he"][:letters]
    words = [[known[i] for i in rng.integers(letters, size=rng.integers(2, 9))] for _ in range(n)]
    return [*words, list(words[0]), known[:1]], [int(count) for count in rng.integers(2, 30, size=n + 2)]


def _equal_symbols(rng, n):
    """n symbols, most of them the one that the pair has twice, and the pair."""
    return [b"aa" if chosen else b"b" for chosen in rng.random(n) < 0.85], (b"aa", b"aa")


def _symbols(rng, n):
    """n symbols of which several joined are the bytes of the pair, which stands at the end, and the pair."""
    known = [b"ab", b"c", b"a", b"bc", b"\xff"]
    return [*(known[i] for i in rng.integers(len(known), size=n)), b"a", b"bc", b"ab", b"c"], (b"ab", b"c")


def _babble(rng, letters, n):
    """A text of few different words, some of them repeated, with a character of two bytes, signs, endings
    and spaces."""
    known = [*"abcdefgh"[:letters], "é"]
    words = ["".join(rng.choice(known, rng.integers(1, 6))) for _ in range(max(3, n // 3))]
    parts = [str(rng.choice(words)) + str(rng.choice(["", "", ".", "'s", "é"])) for _ in range(n)]
    return f" {' '.join(parts)}  "


def _learned(rng, letters, merged):
    """A text to encode, with characters that were never seen, and merges that were learned from another, which was not
    cut, so that some of them would reach across pieces."""
    _, merges = mistakes.train_bpe_across_pieces(_babble(rng, letters, 60), 256 + merged)
    text = f"{_babble(rng, letters, 25)}  ü😉 <|endoftext|>\n{_babble(rng, letters, 25)}"
    return text, merges


def _ids(rng, letters, merged):
    """Ids of such a text with broken bytes among them, and a vocabulary in which no id is what it was."""
    text, merges = _learned(rng, letters, merged)
    vocab = mistakes._vocab(merges)
    ids = reference.encode(text, merges)
    for place in rng.integers(len(ids), size=3):
        ids[place:place] = [int(rng.choice([0xC3, 0xFF, 0x80, 0xE0]))]
    other = [int(token) for token in rng.permutation(3 * len(vocab))[: len(vocab)]]
    return [other[token] for token in ids], {other[token]: symbol for token, symbol in vocab.items()}
