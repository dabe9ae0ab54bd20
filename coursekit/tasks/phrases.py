"""Sentences of a toy English, and their French: a translation task with a right answer, of any length from five words.

    "the small black cat behind the door had been found ."
    "le petit chat noir derrière la porte avait été trouvé ."

It is learned in seconds to minutes and has three things that make translation more than a dictionary:

    order       "black cat" is "chat noir" and "small cat" is "petit chat": some adjectives follow their noun
    agreement   the determiner and the adjectives take the gender of their noun, which English does not show
    distance    so does the participle at the end, and its noun stands at the beginning: "la poire derrière le petit
                chat avait été trouvée", with an e for the pear, whatever stands between

Left out: the plural, and French words with a vowel in front, which would need l', cet and mon. "One" stands for "a",
which would sometimes be "an". Sentences are grammatical, and mean nothing. Every English word becomes one French word,
so both sides are equally long and we know which comes from which.
"""

from typing import NamedTuple

import numpy as np

from coursekit.tasks.tokens import Batch, Vocabulary

STOP = "."  # ends every sentence, so a decoder knows when it is done; not counted in a length
SHORTEST = 5  # "the pear had been found"

# English, then the French masculine and feminine.
DETERMINERS = {"the": ("le", "la"), "one": ("un", "une"), "this": ("ce", "cette"), "my": ("mon", "ma")}
BEFORE = {"small": ("petit", "petite"), "large": ("grand", "grande"), "old": ("vieux", "vieille"),
          "beautiful": ("beau", "belle"), "new": ("nouveau", "nouvelle")}
AFTER = {"black": ("noir", "noire"), "white": ("blanc", "blanche"), "green": ("vert", "verte"),
         "heavy": ("lourd", "lourde"), "round": ("rond", "ronde"), "broken": ("cassé", "cassée")}
PARTICIPLES = {"found": ("trouvé", "trouvée"), "sold": ("vendu", "vendue"), "washed": ("lavé", "lavée"),
               "moved": ("déplacé", "déplacée"), "bought": ("acheté", "achetée"), "painted": ("peint", "peinte"),
               "hidden": ("caché", "cachée"), "forgotten": ("oublié", "oubliée")}
MASCULINE = {"cat": "chat", "dog": "chien", "book": "livre", "loaf": "pain", "glass": "verre", "knife": "couteau",
             "coat": "manteau", "hat": "chapeau", "bag": "sac", "wall": "mur", "garden": "jardin", "bed": "lit"}
FEMININE = {"pear": "poire", "apple": "pomme", "table": "table", "chair": "chaise", "house": "maison", "key": "clé",
            "door": "porte", "letter": "lettre", "cup": "tasse", "lamp": "lampe", "dress": "robe", "car": "voiture"}
PREPOSITIONS = {"under": "sous", "on": "sur", "behind": "derrière", "with": "avec", "without": "sans", "for": "pour",
                "towards": "vers", "against": "contre"}
AUXILIARY = (("had", "avait"), ("been", "été"))
NOUNS = MASCULINE | FEMININE


class Phrase(NamedTuple):
    """A noun and what belongs to it, in English; an adjective or the preposition may be None."""

    preposition: str | None
    determiner: str
    before: str | None  # an adjective whose French stands before the noun
    after: str | None  # one whose French stands after it
    noun: str

    @property
    def gender(self):
        """0 masculine, 1 feminine: which of two French forms agrees with this noun."""
        return int(self.noun in FEMININE)


class Sentence(NamedTuple):
    """Something had been found. The first phrase is the subject, and the participle agrees with its noun."""

    phrases: tuple
    participle: str


def sentences(rng, n, lengths=(5, 30)):
    """Draw `n` Sentences whose number of words is drawn evenly from the first to the last of `lengths`.

    rng a numpy Generator. Raises ValueError where the shortest is below five words, or longer than the longest.
    """
    shortest, longest = lengths
    if not SHORTEST <= shortest <= longest or n < 1:
        raise ValueError(f"expected n >= 1 and {SHORTEST} <= shortest <= longest, got n = {n} and lengths {lengths}")
    return [_sentence(rng, length) for length in rng.integers(shortest, longest + 1, size=n)]


def phrase_pairs(rng, n, lengths=(5, 30)):
    """`n` sentences as text: two lists of n strings, English and French. Words and STOP stand between blanks."""
    drawn = sentences(rng, n, lengths)
    return [english(each) for each in drawn], [french(each) for each in drawn]


def english(sentence):
    """The English text of a Sentence."""
    words = [word for phrase in sentence.phrases for word in phrase if word]
    return " ".join([*words, *(word for word, _ in AUXILIARY), sentence.participle, STOP])


def french(sentence):
    """Its French text."""
    words = [word for phrase in sentence.phrases for word, _ in _in_french(phrase)]
    participle = PARTICIPLES[sentence.participle][sentence.phrases[0].gender]
    return " ".join([*words, *(word for _, word in AUXILIARY), participle, STOP])


def word_alignment(sentence):
    """For each French word, STOP included, the position of the English word that it translates, counted from 0."""
    positions, start = [], 0
    for phrase in sentence.phrases:
        present = [word for word in phrase if word]
        positions += [start + present.index(source) for _, source in _in_french(phrase)]
        start += len(present)
    return np.array([*positions, *range(start, start + len(AUXILIARY) + 2)])


def agreement_distance(sentence):
    """How many words after its noun the French participle stands."""
    noun = [source for _, source in _in_french(sentence.phrases[0])].index(sentence.phrases[0].noun)
    return len(french(sentence).split()) - 2 - noun


def other_form(sentence):
    """The French participle of the wrong gender, which would agree with another noun."""
    return PARTICIPLES[sentence.participle][1 - sentence.phrases[0].gender]


def encode_pairs(sources, targets):
    """Turn B English texts and their B French ones into a Batch."""
    return Batch(*ENGLISH.encode(sources), *FRENCH.encode(targets))


def draw(rng, n, lengths):
    """A Batch of `n` new pairs of these lengths."""
    return encode_pairs(*phrase_pairs(rng, n, lengths))


def _sentence(rng, length):
    """A Sentence of exactly `length` words: k phrases of two to four words, prepositions between them, the verb."""
    words = length - len(AUXILIARY) - 1
    k = int(rng.integers(-(-(words + 1) // 5), (words + 1) // 3 + 1))
    adjectives = np.zeros(2 * k, bool)
    adjectives[rng.permutation(2 * k)[: words + 1 - 3 * k]] = True
    phrases = [_phrase(rng, *two, first=i == 0) for i, two in enumerate(adjectives.reshape(k, 2))]
    return Sentence(tuple(phrases), _any(rng, PARTICIPLES))


def _phrase(rng, before, after, first):
    """A Phrase with these adjectives or without. Drawn in a fixed order, so that a seed means the same sentences."""
    preposition, determiner, noun = _any(rng, PREPOSITIONS), _any(rng, DETERMINERS), _any(rng, NOUNS)
    adjectives = [_any(rng, kind) if wanted else None for kind, wanted in ((BEFORE, before), (AFTER, after))]
    return Phrase(None if first else preposition, determiner, *adjectives, noun)


def _any(rng, table):
    return list(table)[rng.integers(len(table))]


def _in_french(phrase):
    """The phrase's French words in French order, each with the English word that it comes from."""
    tables = (PREPOSITIONS, DETERMINERS, BEFORE, AFTER, NOUNS)
    forms = [table[word] if word else None for table, word in zip(tables, phrase, strict=True)]
    agreed = [form[phrase.gender] if isinstance(form, tuple) else form for form in forms]
    preposition, determiner, before, after, noun = zip(agreed, phrase, strict=True)
    return [pair for pair in (preposition, determiner, before, noun, after) if pair[0]]


def _forms(*tables):
    return [form for table in tables for pair in table.values() for form in pair]


_ENGLISH = [*DETERMINERS, *BEFORE, *AFTER, *PARTICIPLES, *NOUNS, *PREPOSITIONS, *dict(AUXILIARY), STOP]
_FRENCH = [*_forms(DETERMINERS, BEFORE, AFTER, PARTICIPLES), *NOUNS.values(), *PREPOSITIONS.values(),
           *dict(AUXILIARY).values(), STOP]
ENGLISH, FRENCH = Vocabulary(_ENGLISH, " ", STOP), Vocabulary(_FRENCH, " ", STOP)
