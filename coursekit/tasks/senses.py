"""Toy sentences in which some words have several senses, and another word tells which one is meant.

    yesterday in the old workshop the small crane rattled .
    now       in the forest       the crane       sleeps  .

A *crane* is a bird or a machine. Which verb can follow is decided by two words that stand apart: the verb's meaning by
the place (a bird sleeps, a machine rattles), its tense by the first word. A *heron* is a bird anywhere, even in a
workshop: its place says nothing.

B sentences, T words.
"""

import numpy as np

SENSES = {  # sense: its places, its nouns of one sense, its verbs (now, once)
    "animal": (["forest", "meadow", "burrow"], ["fox", "heron", "hare", "owl"],
               [("sleeps", "slept"), ("hides", "hid"), ("flees", "fled")]),
    "machine": (["workshop", "factory", "garage"], ["drill", "winch", "pump", "lever"],
                [("rattles", "rattled"), ("jams", "jammed"), ("breaks", "broke")]),
    "water": (["valley", "glacier", "canyon"], ["stream", "river", "brook", "pond"],
              [("flows", "flowed"), ("freezes", "froze"), ("sparkles", "sparkled")]),
    "season": (["almanac", "calendar", "diary"], ["summer", "autumn", "winter", "harvest"],
               [("begins", "began"), ("ends", "ended"), ("returns", "returned")]),
}
AMBIGUOUS = {  # noun: its senses
    "crane": ["animal", "machine"],
    "mouse": ["animal", "machine"],
    "seal": ["animal", "machine"],
    "fall": ["water", "season"],
    "spring": ["machine", "water", "season"],
}
FIRST = (["now", "today", "often"], ["once", "yesterday", "earlier"])  # now, once
ADJECTIVES = ["old", "small", "quiet", "strange"]
LONGEST = 9  # words that are read: all but the full stop

WORDS = ["the", "in", ".", *ADJECTIVES, *FIRST[0], *FIRST[1], *AMBIGUOUS]
for _places, _nouns, _verbs in SENSES.values():
    WORDS += [*_places, *_nouns, *(form for pair in _verbs for form in pair)]


def sentence(rng, noun=None, sense=None):
    """One sentence, as text, about a noun and a sense of it; either is drawn from `rng` where it is None.

    Half of the drawn nouns are ambiguous. A place with an adjective or without one, and the same for the noun.
    Raises ValueError for a noun that is unknown, or that has not this sense.
    """
    noun = noun or _noun(rng)
    senses = senses_of(noun)
    sense = sense or _one(rng, senses)
    if sense not in senses:
        raise ValueError(f"sense: expected one of {senses} for {noun!r}, got {sense!r}")
    where = sense if noun in AMBIGUOUS else _one(rng, list(SENSES))  # a heron may be anywhere
    tense = int(rng.integers(2))
    verb = _one(rng, SENSES[sense][2])[tense]
    place = [*_adjective(rng), _one(rng, SENSES[where][0])]
    return " ".join([_one(rng, FIRST[tense]), "in", "the", *place, "the", *_adjective(rng), noun, verb, "."])


def senses_of(noun):
    """The senses of a noun, a list. Raises ValueError for an unknown one."""
    found = AMBIGUOUS.get(noun) or [sense for sense, (_, nouns, _) in SENSES.items() if noun in nouns]
    if not found:
        raise ValueError(f"noun: expected one that coursekit.tasks.senses knows, got {noun!r}")
    return found


def fitting_verbs(text):
    """The verbs that may stand where the verb of a sentence stands: those of its sense and its tense, a list."""
    first, *_, verb, _ = text.split()
    tense = int(first in FIRST[1])
    return next([pair[tense] for pair in verbs] for _, _, verbs in SENSES.values() if verb in [v[tense] for v in verbs])


def encode(texts):
    """The numbers of the words of B sentences, padded with full stops at the end.

    Returns ids (B, T) and mask (B, T), True where a word stands. Raises ValueError for an unknown word.
    """
    rows = [text.split() for text in texts]
    unknown = sorted({word for row in rows for word in row} - set(WORDS))
    if unknown:
        raise ValueError(f"texts: expected words of coursekit.tasks.senses, got {', '.join(unknown)}")
    length = max(map(len, rows))
    ids = [[WORDS.index(word) for word in row + ["."] * (length - len(row))] for row in rows]
    return np.array(ids), np.arange(length) < np.array([[len(row)] for row in rows])


def _noun(rng):
    if rng.random() < 0.5:
        return _one(rng, list(AMBIGUOUS))
    return _one(rng, [noun for _, nouns, _ in SENSES.values() for noun in nouns])


def _adjective(rng):
    return [_one(rng, ADJECTIVES)] if rng.random() < 0.5 else []


def _one(rng, items):
    return items[int(rng.integers(len(items)))]
