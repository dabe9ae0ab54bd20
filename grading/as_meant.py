"""Code that is not Python as it stands, but for signs around it or in it that no keyboard for code writes.

A fence copied from a chat, a no-break space from a web page, quotes that a word processor turned: what was meant is
plain, and a student who sees nothing wrong on the screen cannot find it.
"""

import re
import unicodedata

FENCE = re.compile(r"^[ \t]*(```+|~~~+)[^\n`]*\n(.*?)(?:^[ \t]*\1[ \t]*$|\Z)", re.DOTALL | re.MULTILINE)
SIGNS = {**dict.fromkeys("“”„‟«»″＂", '"'), **dict.fromkeys("‘’‚‛′＇´", "'"), **dict.fromkeys("‐‑‒–—―−", "-"),
         "×": "*", "∗": "*", "÷": "/", "≤": "<=", "≥": ">=", "≠": "!=", "…": "...", "、": ",", "。": "."}
FULL_WIDTH = {chr(0xFF00 + code): chr(0x20 + code) for code in range(1, 0x5F)}
TYPOGRAPHIC = str.maketrans(FULL_WIDTH | SIGNS)


def as_meant(source):
    """Pairs (text, what was done to it), the mildest change first, for code that cannot be read as it is."""
    unfenced = _unfenced(source)
    seen = _visible(unfenced)
    changes = [(unfenced, "without the fence (```) around it"),
               (seen, "with plain spaces, and without characters that cannot be seen"),
               (seen.translate(TYPOGRAPHIC), "with typographic signs, such as “ or –, replaced by those of Python")]
    before = [source, *(text for text, _ in changes)]
    return [change for change, last in zip(changes, before, strict=False) if change[0] != last]


def _unfenced(source):
    """What stands in the fence, if there is one and no more."""
    blocks = FENCE.findall(source)
    return blocks[0][1] if len(blocks) == 1 else source


def _visible(source):
    return "".join(map(_plain, source.replace("\u2028", "\n").replace("\u2029", "\n").replace("\x85", "\n")))


def _plain(character):
    kind = unicodedata.category(character)
    if kind == "Zs":
        return " "
    return "" if kind in ("Cf", "Cc") and character not in "\t\n\r\f" else character
