"""A few facts, and then a prompt whose answer stands in the text before it, and nowhere else.

    ann has figs . kim has bread . who has figs        ann
    ann has figs . kim has bread . tl;dr               ann kim

Who has what is drawn anew for each text, so there is nothing to remember from one to the next: whoever answers must
look it up. "TL;DR" is how Radford et al. (2019) asked GPT-2 for a summary; here a summary is all names in their order.
A token is a word. A question has no question mark, so that what is asked for is the last token that a model reads.

T tokens of a text and END.
"""

from typing import NamedTuple

import numpy as np

from coursekit.tasks.tokens import END, START, Tokens

NAMES = ("ann", "ben", "cid", "dan", "eve", "fay", "gus", "ida", "jim", "kim", "leo", "may")
THINGS = ("bread", "corn", "eggs", "figs", "honey", "kale", "limes", "milk", "nuts", "oats", "plums", "rice")
SUMMARY = "tl;dr"
TOKENS = Tokens([*NAMES, *THINGS, "has", "who", ".", SUMMARY], " ")
FEWEST, MOST = 2, 5  # facts in a text
LONGEST = 8 * MOST + 2  # tokens of a lesson at most: four for each fact and for each question with its answer, two ends


class Prompt(NamedTuple):
    """What is given, what is asked about it, and the right answer: three texts."""

    text: str
    question: str
    answer: str


def prompts(rng, n, facts=(FEWEST, MOST), summary=False):
    """Draw n texts of so many facts at least and at most, each with a question or for a summary: a list of Prompt."""
    return [prompt[rng.integers(len(prompt))] for prompt in (_of_a_text(rng, facts, summary) for _ in range(n))]


def lessons(rng, n, summaries=0.1):
    """Draw n texts to learn from: facts, then either all questions about them, each with its answer, or a summary."""
    return [" ".join([drawn[0].text, *(part for each in drawn for part in each[1:])])
            for drawn in (_of_a_text(rng, (FEWEST, MOST), rng.random() < summaries) for _ in range(n))]


def encode(texts):
    """The ids of B texts (B, 1 + T), each between START and END, padded at the right with PAD.

    Raises ValueError for an empty text or an unknown word.
    """
    ids = np.pad(TOKENS.encode(texts), ((0, 0), (1, 1)))
    ids[:, 0], ids[range(len(texts)), [len(text.split()) + 1 for text in texts]] = START, END
    return ids


def _of_a_text(rng, facts, summary):
    """All that can be asked about a text that is drawn, in an order that is drawn."""
    count = rng.integers(facts[0], facts[1] + 1)
    names, things = (rng.permutation(words)[:count].tolist() for words in (NAMES, THINGS))
    text = " ".join(f"{name} has {thing} ." for name, thing in zip(names, things, strict=True))
    if summary:
        return [Prompt(text, SUMMARY, " ".join(names))]
    return [Prompt(text, f"who has {things[i]}", names[i]) for i in rng.permutation(count)]
