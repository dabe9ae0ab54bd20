"""Fingerprints of answers, by which copies are found that were renamed, put in another order or typed anew.

Winnowing (Schleimer, Wilkerson & Aiken 2003, "Winnowing: local algorithms for document fingerprinting"): of each
WINDOW neighbouring runs of GRAM tokens the one with the least hash is kept, so that whatever two answers share of at
least GRAM + WINDOW - 1 tokens leaves the same fingerprint in both. It is done within each statement, so that the order
of statements does not count; a name of the student's own is any name, comments and docstrings are nothing.

Nothing is executed: code is read as tokens, and as a syntax tree to learn which names it makes.
"""

import ast
import builtins
import io
import keyword
import re
import tokenize
import warnings
import zlib
from dataclasses import dataclass

GRAM, WINDOW = 8, 3
PARAGRAPH = re.compile(r"\S.*(?:\n.*\S.*)*")
WORDS = 5  # neighbouring words of a written answer that make a fingerprint
LIMIT = 20_000  # characters of an answer that are read
_LAYOUT = (tokenize.COMMENT, tokenize.NL, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER)


@dataclass(frozen=True)
class Passage:
    """A statement or a paragraph: its lines in the answer, from 1 on, and its fingerprints."""

    first: int
    last: int
    prints: frozenset


def of_code(source, own):
    """[Passage] of an answer in Python. `own` are the names that stand for any name."""
    return [Passage(line[0].start[0], line[-1].end[0], frozenset(_winnowed(_plain(line, own))))
            for line in _statements(source[:LIMIT])]


def of_text(text):
    """[Passage] of a written answer: runs of words, without case and punctuation."""
    passages, text = [], text[:LIMIT]
    for paragraph in PARAGRAPH.finditer(text):
        words = re.findall(r"\w+", paragraph[0].casefold())
        runs = frozenset(_hash(words[i:i + WORDS]) for i in range(len(words) - WORDS + 1))
        first = text.count("\n", 0, paragraph.start()) + 1
        passages += [Passage(first, first + paragraph[0].count("\n"), runs)] if runs else []
    return passages


def names_made(sources, kept=frozenset()):
    """The names that these cells assign or define, but for those that are `kept`.

    Of a cell that is no Python all names count but the language's own.
    """
    made = set()
    for source in sources:
        tree = _tree(source[:LIMIT])
        made |= _names_in(source[:LIMIT]) if tree is None else {name for node in ast.walk(tree) for name in _made(node)}
    return made - kept


def names_given(sources):
    """What the lab's own cells import and define: names that mean the same in every submission."""
    nodes = [node for source in sources if (tree := _tree(source)) for node in ast.walk(tree)]
    return {name for node in nodes if not isinstance(node, ast.Name | ast.arg) for name in _made(node)}


def _tree(source):
    """The syntax tree; None if it is no Python that can be read."""
    try:
        with warnings.catch_warnings(action="ignore"):  # such as a \\d in a string
            return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _made(node):
    """Names that a node of the tree brings."""
    if isinstance(node, ast.Name):
        return [] if isinstance(node.ctx, ast.Load) else [node.id]
    if isinstance(node, ast.arg):
        return [node.arg]
    if isinstance(node, ast.alias):
        return [node.asname or node.name.partition(".")[0]]
    return [node.name] if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) else []


def _names_in(source):
    known = {*keyword.kwlist, *dir(builtins)}
    return {token.string for line in _statements(source) for token in line
            if token.type == tokenize.NAME and token.string not in known}


def _statements(source):
    """The statements as lists of tokens, up to where it is no Python any more; strings that stand alone are none."""
    lines, line = [], []
    try:
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            if token.type == tokenize.NEWLINE:
                lines.append(line)
                line = []
            elif token.type not in _LAYOUT:
                line.append(token)
    except (tokenize.TokenError, SyntaxError):
        pass
    return [line for line in [*lines, line] if any(token.type != tokenize.STRING for token in line)]


def _plain(line, own):
    """A statement's tokens as texts: own names and strings are all alike."""
    plain, depth = [], 0
    for token, before, after in zip(line, [None, *line], [*line[1:], None], strict=False):
        depth += (token.string in "([{") - (token.string in ")]}")
        is_option = depth and after and after.string == "=" and before.string in "(," and line[0].string != "def"
        is_own = token.type == tokenize.NAME and token.string in own and not (before and before.string == ".")
        plain.append("name" if is_own and not is_option else "text" if token.type == tokenize.STRING else token.string)
    return plain


def _winnowed(tokens):
    runs = [_hash(tokens[i:i + GRAM]) for i in range(max(1, len(tokens) - GRAM + 1))]
    return {min(runs[i:i + WINDOW]) for i in range(max(1, len(runs) - WINDOW + 1))}


def _hash(words):
    return zlib.crc32(" ".join(words).encode("utf-8", "surrogatepass"))
