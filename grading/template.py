"""A platform's own export, in which cells are filled in and every other byte stays as it is.

No csv module writes a file back as it was: byte order mark, delimiter, quotes and line ends are kept by never touching
what stands between and in the other cells.
"""

import codecs
import re
from dataclasses import dataclass

BINARY = {b"PK": "an Excel or OpenDocument file", b"\xd0\xcf": "an Excel file"}
MARKS = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}


@dataclass(frozen=True)
class Cell:
    """A cell: what it says, and where it stands in the text."""

    text: str
    start: int
    end: int
    quoted: bool


class Template:
    """A delimited table, read from bytes. `header` and `rows` are lists of cells; `fill` sets one; `bytes` writes it.

    Raises ValueError if it is no text with a header and delimiters.
    """

    def __init__(self, data):
        self._before, self._encoding, self._text = decoded(data)
        delimiter = delimiter_of(self._text)
        self._filled = {}
        self.header, *self.rows = rows_of(self._text, delimiter)

    def fill(self, cell, text):
        """Have a cell say something else; it is in quotes if it was."""
        self._filled[cell.start, cell.end] = f'"{text}"' if cell.quoted else text

    def bytes(self):
        """The whole file."""
        parts, place = [], 0
        for (start, end), text in sorted(self._filled.items()):
            parts += [self._text[place:start], text]
            place = end
        return self._before + "".join([*parts, self._text[place:]]).encode(self._encoding)


def decoded(data):
    """(byte order mark, encoding, text): the encoding gives back these very bytes."""
    for start, what in BINARY.items():
        if data.startswith(start):
            raise ValueError(f"template: expected text such as CSV, got {what}: export it as CSV")
    before = next((mark for mark in MARKS if data.startswith(mark)), b"")
    wide = {0: "utf-16-be", 1: "utf-16-le"}.get(data[:2].find(b"\0"))  # without a mark, as the header is in ASCII
    for encoding in (MARKS.get(before) or wide or "utf-8", "latin-1"):  # Latin-1 reads whatever there is
        try:
            return before, encoding, data[len(before):].decode(encoding)
        except UnicodeDecodeError:
            continue


def delimiter_of(text):
    """What stands most often between the cells of the header."""
    header = re.sub(r'"[^"]*"', "", text.lstrip("\r\n").partition("\n")[0])
    delimiter = max("\t;,", key=header.count)
    if not header.count(delimiter):
        raise ValueError(f"template: expected a header with commas, semicolons or tabs, got {header.strip()[:60]!r}")
    return delimiter


def rows_of(text, delimiter):
    """The rows that say something, each a list of cells."""
    cell = re.compile(rf'(?:"([^"]*(?:""[^"]*)*)"|([^{delimiter}\r\n]*))({delimiter}|\r\n|\r|\n|\Z)')
    rows, row = [], []
    for match in cell.finditer(text):
        quoted = match[1] is not None
        said = match[1].replace('""', '"') if quoted else match[2]
        row.append(Cell(said, match.start(), match.start(3), quoted))
        if match[3] != delimiter:
            rows.append(row)
            row = []
    return [row for row in rows if any(cell.text.strip() for cell in row)]
