"""Tokens beside one another, each on a colour of its own: `Coloured([b"The", b" cat"])` as the last line of a cell."""

from html import escape

COLOURS = ("#cfe5f5", "#fbe3b3", "#cdebdf", "#f3dbe8")  # Okabe and Ito's, made pale, so that black letters stand out
TOKEN = ('<span style="background-color: {}; color: #000000; border: 1px solid #888888; border-radius: 3px; '
         'padding: 0 1px; white-space: pre-wrap">{}</span>')


class Coloured:
    """Tokens, to be looked at: in colours in a notebook, and as a line with bars between them where it is text.

    tokens  a list of bytes; those that are no whole characters by themselves are shown as numbers of base 16
    """

    def __init__(self, tokens):
        self.tokens = list(tokens)

    def _repr_html_(self):
        spans = (TOKEN.format(COLOURS[i % len(COLOURS)], escape(shown(token))) for i, token in enumerate(self.tokens))
        return f'<div style="line-height: 1.9">{"<wbr>".join(spans)}</div>'

    def __repr__(self):
        return "|".join(map(shown, self.tokens))


def shown(token):
    """The text of a token, with spaces and ends of lines that can be seen; the numbers of bytes that are no text."""
    try:
        return token.decode("utf-8").replace(" ", "␣").replace("\n", "⏎").replace("\t", "⇥")
    except UnicodeDecodeError:
        return f"‹{token.hex(' ')}›"
