"""What an answer earns points for: the items of a marking scheme, as a class has them.

A scheme lists them, a line each: `- 0.5: names the axis`. Its other lines are for the reader. A class's own rubric is
that of the scheme until somebody marks by it; from then on it is kept in the gradebook, and can be changed there.
"""

import hashlib
import json
import re
from dataclasses import dataclass

ITEM = re.compile(r"^ *[-*] ([-+]?\d+(?:\.\d+)?): +(.*(?:\n +(?![-*] )\S.*)*)", re.MULTILINE)
LIMIT = 1000  # points of an item, at most


@dataclass(frozen=True)
class Item:
    """Points, which may be fewer than 0, and what they are for, in Markdown."""

    points: float
    text: str


@dataclass(frozen=True)
class Rubric:
    """Items by their number, counted from 0. None is ever taken out: one that counts no more has 0 points."""

    items: tuple

    @classmethod
    def of_scheme(cls, scheme):
        """From a scheme's Markdown: no items where it lists none."""
        return cls(tuple(Item(float(points), " ".join(text.split())) for points, text in ITEM.findall(scheme)))

    @classmethod
    def of_pairs(cls, pairs):
        """From [[points, text], ...], which a browser sent. Raises ValueError."""
        if not isinstance(pairs, list) or not all(isinstance(pair, list) and len(pair) == 2 for pair in pairs):
            raise ValueError("rubric: expected a list of items, each with points and text")
        return cls(tuple(Item(_points(points), _text(text)) for points, text in pairs))

    @property
    def pairs(self):
        """[[points, text], ...]"""
        return [[item.points, item.text] for item in self.items]

    @property
    def version(self):
        """Another one for another rubric."""
        return hashlib.sha256(json.dumps(self.pairs).encode()).hexdigest()

    def total(self, chosen, possible):
        """Points of the chosen items (their numbers), not below 0 and not above those that are possible."""
        total = sum(item.points for number, item in enumerate(self.items) if number in chosen)
        return round(min(max(total, 0.0), possible), 2)


def _points(points):
    if not isinstance(points, int | float) or not -LIMIT <= points <= LIMIT:
        raise ValueError(f"points of an item: expected a number, got {points!r}")
    return float(points)


def _text(text):
    if not isinstance(text, str) or not text.strip():
        raise ValueError("item: expected a few words that say what the points are for, got none")
    return " ".join(text.split())
