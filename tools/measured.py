"""What a chapter measured, and whether its assertions hold it: `python -m tools.measured [--all] [CHAPTER ...]`.

The front page promises that each number which we computed is printed and checked. This finds the numbers of the prose
that a run produced. For each it looks for the cell that prints it and the assertion that holds it to the precision
which the prose claims, and lists what is left over (with --all: everything, and where it stands).

**Measured** is, in a paragraph, a point of a list, an answer or a caption: a number with a unit of UNITS (%, *times*,
ms, nats, BLEU, ...); a decimal; *118 of 200*; *nine answers in ten* and *one in 25*, in words too; from 10 on a number
that is hedged, *about 150*, *16 or 17*, and any other whole one on which an output of the chapter shows, if it is not
round: one digit and zeros, a multiple of 5 below 100 and a power of 2 are chosen more often than found.
**Not measured** is what stands in a formula, in code, a heading, a table, the question of a dropdown, or under *Lab*; a
sentence with {cite} or (*their Table 1*), and a question; a year; 3 × 3, 4 by 4, 1 + 2 and what follows a "="; chapter
2, figure 3.1 and whatever else NAMES count; and, where it has no hedge, what the chapter puts in: a number of a formula
or a table, or of the code of a cell but for its assertions and its drawing (per cent: of a formula or a table; from a
text in code whole numbers only). *Half*, *twice* and *a third* are words. What is left can be marked as given: the
number, `[84 %]{.given}`, or the paragraph, by a line `{.given}` above it. The mark is for what others measured, for
examples worked by hand, and for a long run of ours that the page shows as text and a test of the repository holds.

**The claim** of 84 % is 83.5 to 84.5, of 0.30 is 0.295 to 0.305, and of 16,200, rounded as it looks, 16,150 to 16,250.
A word of HEDGES widens it to a whole unit of the last digit on either side, or to a twentieth of the number where that
is more. *More than* asks for the bound below only, *at most* for the one above (ABOVE, BELOW), and for one that is
NEAR; *16 or 17* and *90 to 95 %* reach from the first to the last, but *from 90 to 95 %* makes two claims.
**Printed** is what an output of the chapter shows, rounded to the claim; a bound need not be.
**Held** is what an assertion of the same section pins inside the claim, up to a twentieth of it; or of any section, for
three digits or more, and for what stands before the first section or from the first of CLOSING on. `tools/held.py` says
what an assertion pins. Per cent may be held as fractions; signs are not looked at.
"""

import argparse
import ast
import math
import re
import sys
from collections import namedtuple
from itertools import zip_longest
from pathlib import Path

import nbformat
from nbclient import NotebookClient

from tools.held import DIGITS, expects, held_by, name_of, tree, value_of
from tools.notebooks import chapter_notebook, chapters

ROOT = Path(__file__).parents[1]
CLOSING = ("Where people go wrong", "Check yourself", "Lab", "What we now know", "References")
NEAR = 1.25  # how far a bound that is held may lie beyond the one that is claimed, as a factor

WORDS = {word: n for n, word in enumerate("one two three four five six seven eight nine ten eleven twelve thirteen "
                                          "fourteen fifteen sixteen seventeen eighteen nineteen twenty".split(), 1)}
WORDS |= {"thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "eighty": 80, "ninety": 90, "a hundred": 100}
PER_CENT = ("%", "per cent", "percent")
UNITS = dict.fromkeys(["times", "s", "second", "seconds", "nat", "nats", "bit", "bits", "BLEU"], (1,)) | {
    **dict.fromkeys([*PER_CENT, "points"], (1, 1e-2)),  # by what the number may be multiplied where it is held
    **dict.fromkeys(["ms", "milliseconds"], (1, 1e-3)), **dict.fromkeys(["µs", "microseconds"], (1, 1e-6)),
    "kB": (1, 1e3, 2**10), "MB": (1, 1e6, 2**20), "GB": (1, 1e9, 2**30), "million": (1, 1e6), "billion": (1, 1e9)}
NAMES = ("chapter part figure equation lab section page table row column head layer cell seed line position version "
         "Python step exercise exhibit issue number point id appendix November token query").split()
HEDGES = "about some nearly almost around roughly approximately near close_to".split()
ABOVE = ("more_than over above at_least no_less_than no_fewer_than not_below better_than longer_than greater_than "
         "larger_than higher_than beyond").split()
BELOW = ("less_than under below at_most no_more_than not_more_than fewer_than up_to within smaller_than shorter_than "
         "lower_than never_above not_above").split()


def any_of(words):
    """A pattern for any of these words, in which _ is a blank."""
    return "|".join(sorted((re.escape(word).replace("_", r"\s") for word in words), key=len, reverse=True))


COUNTED = rf"\d+|{any_of(WORDS)}"
NUMBER = re.compile(rf"(?<![\w.,/^])(?P<n>{DIGITS})(?:[\s-]?(?P<unit>{any_of(UNITS)}))?(?![\w^]|[.,]\d)")
SHARE = re.compile(rf"(?<![\w.,])(?P<n>{COUNTED})(?:\s(?!(?:{COUNTED}|{any_of(HEDGES)}|instead)\b)[a-z]+){{0,2}}?\s"
                   rf"(?P<by>in|of|out of)(?:\sthe)?\s(?P<m>{COUNTED})\b(?!,\d)", re.IGNORECASE)
TIMES = re.compile(rf"\b(?P<n>{any_of(WORDS)})(?=\stimes\s(?:as|more|the|less|larger|longer|faster)\b)", re.IGNORECASE)
NO_RESULT = re.compile(rf"""
    \b(?:{any_of(NAMES)})s?\s{DIGITS}(?:(?:,|\sand|\sto|\sor|,\sand|–)\s?{DIGITS})*     # chapters 2 and 3
    | {DIGITS}(?:\s?[×·+/=]\s?{DIGITS})+(?:\s%)? | =\s{DIGITS}(?:\s%)?                # 3 × 3, 1 + 2, = 60 %
    | {DIGITS}\sby\s{DIGITS} | \b0\sto\s{DIGITS}                                       # 4 by 4, 0 to 63
    | \b(?:1[6-9]|20)\d\d\b(?!\s?[%\w])                                                 # 2017
    """, re.VERBOSE | re.IGNORECASE)
MARKUP = re.compile(r"\$\$.*?\$\$|\$[^$]+\$|\{[\w:]+\}`[^`]*`|`[^`]*`|\]\([^)]*\)|\[[^\]]*\]\{\.given\}|<[^>]*>|\*+")

Claim = namedtuple("Claim", "line sentence text low high scales")
Result = namedtuple("Result", "claim cells held")  # the cells that print it, and what holds it, or None
Known = namedtuple("Known", "printed written coded")  # the numbers of a chapter's outputs, formulas and names, and code


# What the prose claims


def claims(text, known):
    """The measured results of a chapter's MyST `text`, each once a line."""
    found = [claim for line, paragraph in paragraphs(text) for sentence in sentences(paragraph)
             if not re.search(r"\{cite|\(their\b|\?[*)]*$", sentence)
             for claim in claims_of(line, sentence, known)]
    return list(dict.fromkeys(found))


def paragraphs(text):
    """(line number, text) of what a page says of its results: all prose but what is marked, and what labs do."""
    given = False
    for number, line, heading in prose(text):
        given = line.startswith("{.given") or given and bool(line)
        if line and not given and heading != "Lab" and not re.match(r"[|(:{]", line):
            yield number, re.sub(r"^(?:\d+\.|[-*])\s", "", line)


def prose(text):
    """(line number, line, heading above) of each line of a page outside code, formulas and headings; and captions."""
    fence, heading = "", ""
    for number, line in enumerate(text.split("\n"), 1):
        if fence:
            caption = re.match(r'\s+caption: "?(.*?)"?$', line)
            if caption:
                yield number, caption[1], heading
            fence = "" if line.rstrip() == fence and number > 1 else fence
        elif opened := fence_of(line, number):
            fence = opened
        elif line.startswith("#"):
            heading = line[3:] if line.startswith("## ") else heading
        elif not line.startswith("```"):
            yield number, line.strip(), heading


def fence_of(line, number):
    """What ends the block that begins with this line; nothing where none begins, or one that holds prose."""
    if number == 1 and line == "---":
        return line
    opened = re.match(r"`{3,}(?=\{)(?!\{dropdown\})|`{3,}(?=\w)|\$\$(?!.*\$\$)", line)
    return opened[0] if opened else ""


def sentences(paragraph):
    return re.split(r"(?<=[.!?])\)?\s+(?=[^a-z\s])", paragraph)


def claims_of(line, sentence, known):
    """The claims of one sentence."""
    plain = MARKUP.sub(lambda match: " " * len(match[0]), sentence)
    plain = NO_RESULT.sub(lambda match: "×" * len(match[0]), plain)
    claim = Reader(line, sentence, plain, known)
    return [*claim.shares(), *claim.words(), *claim.digits()]


class Reader:
    """A sentence, and it without its markup, in which what has been read is crossed out."""

    def __init__(self, line, sentence, plain, known):
        self.line, self.sentence, self.plain, self.known = line, sentence.strip(), plain, known

    def shares(self):
        """*Nine in ten*, *one draw in 25*, *118 of 200*; but not what is counted on fingers, as *two of four*."""
        for match in SHARE.finditer(self.plain):
            n, m, within = counted(match["n"]), counted(match["m"]), match["by"].lower() == "in"
            if n < m and m >= (5 if within else 10) and (within or match["n"].isdigit()):
                ends = ((n - 0.5) / m, (n + 0.5) / m) if n > 1 or m % 10 == 0 else (1 / (m + 0.5), 1 / (m - 0.5))
                yield self.claim(match, n / m, ends[1] - ends[0], (1, 100) if within else (1, 100, m), ends)
                self.plain = self.plain.replace(match[0], "×" * len(match[0]))

    def words(self):
        """*Eleven times as many*."""
        for match in TIMES.finditer(self.plain):
            if counted(match["n"]) not in self.known.written | self.known.coded or self.is_hedged(match):
                yield self.claim(match, counted(match["n"]), 1, (1,))

    def digits(self):
        """Numbers in digits, two at a time where they are the ends of one claim."""
        found = [*NUMBER.finditer(self.plain)]
        units, ended = self.units(found), set()
        for match, after in zip_longest(found, found[1:]):
            is_range = after and self.is_range(match, after) and units[match] == units[after]
            both = [match, after] if is_range else [match]
            if match not in ended and any(self.is_measured(each, units[each]) for each in both):
                ended.update(both)
                yield self.between(both[0], both[-1], units[match])

    def units(self, found):
        """The unit of each number; one without has that of the next, in *86, 83 and 84 %*."""
        units, after = {}, None
        for match in reversed(found):
            joined = after and re.fullmatch(r"\s?(?:,|/|–|,? and|,? or|to)\s?", self.plain[match.end():after.start()])
            units[match] = match["unit"] or (units[after] if joined else "")
            after = match
        return units

    def is_range(self, first, last):
        """*16 or 17*, *90 to 95*, *between 3 and 4*; but *from 0.5 to 0.8* says where something began and ended."""
        before, between = self.plain[:first.start()].lower(), self.plain[first.end():last.start()].strip()
        return between in ("or", "–") or between == "to" and not before.endswith("from ") or (
            between == "and" and before.endswith("between "))

    def is_measured(self, match, unit):
        value, n = abs(value_of(match["n"])), match["n"]
        given = {value, value / 100} & self.known.written if unit in PER_CENT else {value} & (
            self.known.written | self.known.coded)
        if value == 0 or given and not (self.is_hedged(match) and ("." in n or not is_round(value))):
            return False
        is_found = self.is_hedged(match) or re.match(r"\sor\s\d", self.plain[match.end():]) or (
            value in self.known.printed and not is_round(value))
        return bool(unit or "." in n or value >= 10 and is_found)

    def is_hedged(self, match):
        return bool(self.said(HEDGES, match) or re.match(r"\sor so\b", self.plain[match.end():]))

    def said(self, words, match):
        """Does one of the words stand just before a number, but for a word such as *the*?"""
        before = self.plain[:match.start()]
        return re.search(rf"\b(?:{any_of(words)})\s(?:(?:a|an|the|one|only|just)\s)?$", before, re.IGNORECASE)

    def between(self, first, last, unit):
        """The claim of one number, or of two that are the ends of a range."""
        low, high = sorted(abs(value_of(match["n"])) for match in (first, last))
        step = min(step_of(match["n"], unit) for match in (first, last))
        ends = low - step / 2, high + step / 2
        return self.claim(first, low, step, UNITS.get(unit, (1,)), ends, last.end())

    def claim(self, match, value, step, scales, ends=None, end=None):
        """The claim of a number, widened or opened by the words around it."""
        low, high = ends or (value - step / 2, value + step / 2)
        more = re.match(r"\s(?:\w+\s)?or (more|better|longer|less|fewer)\b", self.plain[match.end():])
        if self.said(ABOVE, match) or more and more[1] in ("more", "better", "longer"):
            low, high = value, math.inf
        elif self.said(BELOW, match) or more:
            low, high = -math.inf, value
        elif self.is_hedged(match):
            wide = max(step, value / 20)
            low, high = min(low, value - wide), max(high, value + wide)
        return Claim(self.line, self.sentence, self.plain[match.start():end or match.end()].strip(), low, high, scales)


def is_round(value):
    """Is it one digit and zeros, a multiple of 5 below 100, or a power of 2?"""
    return not f"{value:.0f}"[1:].strip("0") or value < 100 and value % 5 == 0 or math.log2(value).is_integer()


def counted(word):
    return WORDS.get(word.lower()) or int(word)


def step_of(number, unit=""):
    """The unit of the last digit that counts: 0.1 of 2.5, 1 of 40, 100 of 16,200."""
    digits, _, power = number.replace(",", "").partition("e")
    if power or "." in digits:
        return 10.0 ** (int(power or 0) - len(digits.partition(".")[2]))
    zeros = len(digits) - len(digits.rstrip("0"))
    return 10.0 ** min(zeros, len(digits) - 2) if len(digits) > 3 and not unit else 1.0


# What the cells put in and print


def known_of(text, notebook):
    """The numbers that a chapter shows, and those that it puts in."""
    formulas = re.findall(r"\$\$.*?\$\$|\$[^$\n]+\$|^```\{math\}.*?^```|^\|.*?$", text, re.DOTALL | re.MULTILINE)
    written = {abs(value_of(number)) for each in formulas for number in re.findall(DIGITS, each.replace("{,}", ","))}
    coded = {value for cell in code_cells(notebook) for value in constants(tree(cell.source))}
    return Known({value for value, _ in printed_by(notebook)}, written | heads(text), coded)


def heads(text):
    """The heads of a chapter that speaks of head 1.2: from 0.0 to the greatest layer and head that it names."""
    named = [divmod(int(layer + head), 10) for layer, head in re.findall(r"(?:\bheads? |\")(\d)\.(\d)\b\"?", text)]
    if not re.search(r"\bheads? \d\.\d\b", text):
        return set()
    most = [max(each) + 1 for each in zip(*named, strict=True)]
    return {float(f"{layer}.{head}") for layer in range(most[0]) for head in range(most[1])}


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def printed_by(notebook):
    """(value, cell) of each number that an output shows, cells counted from 1 as on the page; per cent as it stands."""
    return [(abs(value_of(number)), at) for at, cell in enumerate(code_cells(notebook), 1) for output in cell.outputs
            for number in re.findall(DIGITS, shown(output))]


def shown(output):
    """The text of an output: what was printed, or the value of the last line if it is no drawing."""
    data = output.get("data", {})
    text = output.get("text") or data.get("text/markdown") or data.get("text/plain", "")
    return "" if text.startswith(("<", "[<")) else text


def constants(node):
    """The numbers below a syntax tree but for those of assertions, of keywords such as fontsize=8, and of drawing."""
    is_drawing = isinstance(node, ast.Call) and re.match(r"(?:ax|axes|fig|plt)\b", name_of(node))
    if isinstance(node, (ast.Assert, ast.keyword, ast.JoinedStr)) or is_drawing:
        return
    if isinstance(node, ast.Constant):
        yield from put_in(node.value)
    for child in ast.iter_child_nodes(node):
        if not (expects(node) and child is node.iter):
            yield from constants(child)


def put_in(value):
    """The number that a constant is, or the whole numbers of a text, such as one that is cut into tokens."""
    if isinstance(value, str):
        yield from (value_of(number) for number in re.findall(r"(?<![\w.])\d+(?![\w.])", value))
    elif type(value) in (int, float):
        yield abs(float(value))


# What holds a claim


def results(text, notebook):
    """Each measured result of a chapter, from its text and its executed notebook."""
    printed, held = printed_by(notebook), held_by([cell.source for cell in code_cells(notebook)])
    sections = sections_of_cells(notebook)
    return [Result(claim, sorted({at for value, at in printed if holds(claim, value, value)}),
                   next((each for each in held if holds(claim, each.low, each.high) and
                         is_near(claim, section_of(text, claim.line), sections[each.cell - 1])), None))
            for claim in claims(text, known_of(text, notebook))]


def holds(claim, low, high):
    """Does an interval lie in the claimed one, in a scale that fits? Signs are not looked at."""
    return any(admits(claim, a / scale, b / scale) for a, b in ((low, high), (-high, -low)) for scale in claim.scales)


def admits(claim, low, high):
    """A bound must be near: that something is more than 90 does not show that it is more than 10."""
    if claim.high == math.inf:
        return claim.low <= low <= claim.low * NEAR
    if claim.low == -math.inf:
        return claim.high / NEAR <= high <= claim.high
    slack = (claim.high - claim.low) / 20
    return claim.low - slack <= low and high <= claim.high + slack


def is_near(claim, here, there):
    """May a cell of the section `there` hold a claim of `here`? Few numbers of three digits agree by chance."""
    return here in ("", there, *CLOSING) or len(re.sub(r"\D", "", claim.text)) > 2


def headings(text):
    """(position, heading) of each section of a page."""
    return [(match.start(), match[1]) for match in re.finditer(r"^## (.*)$", text, re.MULTILINE)]


def section_of(text, line):
    """The heading over a line; nothing for what stands before the first, and the first of CLOSING from there on."""
    at = sum(map(len, text.splitlines(keepends=True)[:line]))
    above = [heading for start, heading in headings(text) if start < at]
    return next((heading for heading in above if heading in CLOSING), above[-1] if above else "")


def sections_of_cells(notebook):
    """The heading over each code cell."""
    found, here = [], ""
    for cell in notebook.cells:
        if cell.cell_type == "code":
            found.append(here)
        elif heads := headings(cell.source):
            here = heads[-1][1]
    return found


def lacks(result):
    """What a result lacks: nothing, where it is printed and held."""
    is_bound = not math.isfinite(result.claim.high - result.claim.low)
    missing = {"not printed": not result.cells and not is_bound, "not held": result.held is None}
    return ", ".join(what for what, is_so in missing.items() if is_so)


def left_over(name, root=ROOT):
    """The measured results of a chapter that no cell prints or no assertion holds."""
    return [result for result in results(*read(name, root)) if lacks(result)]


def read(name, root=ROOT):
    """Text and executed notebook of a chapter, executed here where no build has left the outputs of these cells.

    (A build that takes a page's outputs from its cache leaves the cells alone.)
    """
    text = Path(root, "chapters", f"{name}.md").read_text("utf-8")
    notebook, kept = chapter_notebook(text), Path(root, "build", "executed", f"{name}.ipynb")
    for path in (Path(root, "_build", "jupyter_execute", "chapters", kept.name), kept):
        done = path.exists() and nbformat.read(path, as_version=4)
        if done and sources(done) == sources(notebook) and any(cell.outputs for cell in code_cells(done)):
            for cell, other in zip(code_cells(notebook), code_cells(done), strict=True):
                cell.outputs = other.outputs
            return text, notebook
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(Path(root, "chapters"))}}).execute()
    kept.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, kept)
    return text, notebook


def sources(notebook):
    return [cell.source.strip() for cell in code_cells(notebook)]


def report(name, everything):
    """Print a chapter's results; return how many are left over."""
    found = results(*read(name))
    left = [result for result in found if lacks(result)]
    print(f"{name}: {len(found)} measured results, {len(left)} left over")
    for result in found if everything else left:
        claim, held = result.claim, result.held
        wanted = f"{claim.low:.6g} to {claim.high:.6g}"
        where = held and f"printed by {result.cells[:3]}, held by cell {held.cell}: {held.test[:90]}"
        print(f"  line {claim.line}: {claim.text}   ({wanted}: {lacks(result) or where})\n      {claim.sentence[:200]}")
    return len(left)


def main():
    parser = argparse.ArgumentParser(description="List what a chapter's prose measured and no assertion holds.")
    parser.add_argument("chapter", nargs="*", help="a name, or the beginning of one: 03 (all, where none is given)")
    parser.add_argument("--all", action="store_true", help="list what is held, too, and where")
    wanted = parser.parse_args()
    names = [name for name in chapters(ROOT) if name[:2].isdigit() and name.startswith(tuple(wanted.chapter or [""]))]
    sys.exit(sum([report(name, wanted.all) for name in names]) > 0)


if __name__ == "__main__":
    main()
