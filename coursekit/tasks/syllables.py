"""Spoken syllables, made by a small synthesiser, and which were spoken when.

A vowel is a buzz of a random pitch through three resonances, its formants: those that Peterson and Barney (1952)
measured as the mean of men, moved by a random voice. Before it comes nothing, a hum (m) or a hiss (s). Lengths, pauses
and a little noise are random too, so no two utterances are alike.

Simpler than speech: fifteen syllables of one kind of voice, well apart, and nothing of one sounds in the next.

n samples, T syllables.
"""

from typing import NamedTuple

import numpy as np

from coursekit.tasks.tokens import Tokens

RATE = 8000  # samples a second
FORMANTS = {"a": (730, 1090, 2440), "e": (530, 1840, 2480), "i": (270, 2290, 3010), "o": (570, 840, 2410),
            "u": (300, 870, 2240)}  # Hz
WIDTHS = 60, 90, 150  # Hz, of the resonances
BEFORE = ("", "m", "s")
TOKENS = Tokens([before + vowel for before in BEFORE for vowel in FORMANTS], " ")
SHORTEST, LONGEST = 2, 5  # syllables


class Utterance(NamedTuple):
    """A sound and what was said."""

    signal: np.ndarray  # (n,), about from -1 to 1
    text: str  # T syllables, with spaces between
    spans: np.ndarray  # (T, 2)  the samples at which each begins and ends


def utterance(rng, text=None):
    """Say a text of syllables, or else two to five that are drawn."""
    if text is None:
        drawn = rng.integers(len(TOKENS.symbols), size=rng.integers(SHORTEST, LONGEST + 1))
        text = " ".join(TOKENS.symbols[i] for i in drawn)
    pieces, spans = [_pause(rng)], []
    for syllable in text.split():
        begin = sum(map(len, pieces))
        pieces += [spoken(rng, syllable), _pause(rng)]
        spans.append((begin, begin + len(pieces[-2])))
    signal = np.concatenate(pieces)
    return Utterance(signal + 0.01 * rng.standard_normal(len(signal)), text, np.array(spans))


def spoken(rng, syllable):
    """The sound of one syllable, (n,). Raises ValueError for one that is not known."""
    TOKENS.id(syllable)
    *before, vowel = syllable
    pitch, voice, n = rng.uniform(90, 220), rng.uniform(0.92, 1.12), int(RATE * rng.uniform(0.12, 0.22))
    time = np.arange(n) / RATE
    phase = np.cumsum(pitch * (1 + 0.06 * np.sin(8 * np.pi * time))) / RATE
    sound = -np.diff(phase % 1, prepend=0) + 0.02 * rng.standard_normal(n)         # a saw's jumps: a buzz
    for formant, width in zip(FORMANTS[vowel], WIDTHS, strict=True):
        sound = _resonance(sound, formant * voice, width)
    sound = sound / np.abs(sound).max() * np.hanning(n) ** 0.3
    return np.concatenate([_consonant(rng, before[0], pitch), sound]) if before else sound


def _consonant(rng, kind, pitch):
    """70 milliseconds of a hum of this pitch, or of a hiss."""
    n = int(0.07 * RATE)
    time = 2 * np.pi * pitch * np.arange(n) / RATE
    sound = 0.3 * (np.sin(time) + 0.5 * np.sin(2 * time)) if kind == "m" else 0.35 * np.diff(rng.standard_normal(n + 1))
    return sound * np.hanning(n)


def _resonance(sound, formant, width):
    """What rings at this frequency, with this width: two poles, applied to the spectrum, so that no loop is needed."""
    radius = np.exp(-np.pi * width / RATE)
    z = np.exp(-2j * np.pi * np.fft.rfftfreq(len(sound)))
    response = 1 - 2 * radius * np.cos(2 * np.pi * formant / RATE) * z + radius**2 * z * z
    return np.fft.irfft(np.fft.rfft(sound) / response, len(sound))


def _pause(rng):
    return np.zeros(rng.integers(200, 900))
