"""The form that every chapter has, and how far each chapter is from it.

LEFT says of each law how many times a chapter still breaks it. A number there may only fall, and a chapter without one
keeps the law: so a new chapter keeps them all.
"""

import re
from functools import cache

import pytest

from tests import needs
from tests.book.screens import CHAPTERS, turn
from tools.measured import left_over, prose
from tools.notebooks import chapter_notebook

LONGEST, WIDEST, WORDS = 25, 80, 120  # lines of a visible cell, columns of code, words of a paragraph
NUMBERED = [name for name in CHAPTERS if name[:2].isdigit()]
LEFT = {}
SHOWS = re.compile(r"\b(?:print|display|Markdown|subplots|touch)\b")  # in a cell without these there is nothing to hide
ANSWER = re.compile(r"[^\n]+\n\n```+\{(?:dropdown\}|code-cell\}[^\n]*\n(?:---\n)?:?tags: \[[^]]*hide-output)")


@cache
def cells(text):
    return chapter_notebook(text).cells


def code(text):
    return [cell for cell in cells(text) if cell.cell_type == "code"]


def tags(cell):
    return cell.metadata.get("tags", [])


def long_cells(text):
    """Cells in view of more than LONGEST lines: how each begins."""
    shown = [cell for cell in code(text) if not {"hide-input", "hide-cell"} & set(tags(cell))]
    return [cell.source.split("\n")[0] for cell in shown if cell.source.count("\n") >= LONGEST]


def wide_lines(text):
    """Lines of code of more than WIDEST columns."""
    return [line for cell in code(text) for line in cell.source.split("\n") if len(line) > WIDEST]


def predictions(text):
    """What is to be predicted, and the cell that then shows something; none where an answer to open comes first."""
    asked = None
    for cell in cells(text):
        if cell.cell_type == "markdown":
            asked = asked if not re.search(r"^#", cell.source, re.MULTILINE) else None
            asks = re.findall(r"^.*\*\*Predict.*$(?!(?:.|\n)*^(?:#|```+\{dropdown\}))", cell.source, re.MULTILINE)
            asked = asks[-1] if asks else asked
        elif asked and SHOWS.search(cell.source):
            yield asked, cell
            asked = None


def open_answers(text):
    """What is to be predicted while the cell does not hide what comes out, and is no figure to move."""
    return [asked[:80] for asked, cell in predictions(text)
            if "hide-output" not in tags(cell) and "touch." not in cell.source]


def unanswered(text):
    """What a reader is asked to try, without an answer to open below it."""
    tries = re.split(r"^\{\.try\}\n", text, flags=re.MULTILINE)[1:]
    return [each[:80] for each in tries if not ANSWER.match(each)]


def long_paragraphs(text):
    """Paragraphs and points of more than WORDS words: how each begins."""
    return [line[:80] for _, line, _ in prose(text) if not line.startswith("|") and len(line.split()) > WORDS]


LAWS = {law.__name__: law for law in (long_cells, wide_lines, open_answers, unanswered, long_paragraphs)}


@pytest.fixture(params=NUMBERED)
def chapter(request, root):
    """Name and text of a chapter."""
    return request.param, (root / "chapters" / f"{request.param}.md").read_text("utf-8")


def test_a_chapter_has_the_form_that_readers_need(chapter):
    name, text = chapter
    found = {name: law(text) for name, law in LAWS.items()}
    assert {law: each for law, each in found.items() if len(each) > LEFT.get(name, {}).get(law, 0)} == {}


def test_what_a_chapter_measured_is_printed_and_held(chapter, site):
    name, _ = chapter
    found = [f"line {each.claim.line}: {each.claim.text}" for each in left_over(name)]
    assert len(found) <= LEFT.get(name, {}).get("measured", 0), f"{found}: see python -m tools.measured {name[:2]}"


@pytest.mark.nightly
def test_no_more_is_left_than_the_table_says(chapter, site):
    name, text = chapter
    found = {law: len(each(text)) for law, each in LAWS.items()} | {"measured": len(left_over(name))}
    assert {law: n for law, n in found.items() if n} == LEFT.get(name, {}), "lower the numbers in LEFT"


SCROLLS = """() => [...document.querySelectorAll(".bd-article :is(pre, .math > span:not(.eqno), .cell_output, "
  + ".pst-scrollable-table-container)")]
  .filter(box => box.checkVisibility() && box.scrollWidth > box.clientWidth + 1)
  .map(box => box.textContent.trim().slice(0, 60))"""


@needs.chromium
@pytest.mark.sampled("page")
@pytest.mark.parametrize("name", NUMBERED)
def test_nothing_of_a_chapter_has_to_be_moved_sideways_on_a_desk(reader, name):
    reader.goto(f"/chapters/{name}.html", wait_until="load")
    turn(reader, 1440, "light")
    found = reader.evaluate(SCROLLS)
    assert len(found) <= LEFT.get(name, {}).get("scrolls", 0), found


@needs.chromium
def test_on_a_phone_what_goes_on_to_the_right_fades_until_it_has_been_seen(reader):
    reader.goto("/chapters/13_writing.html", wait_until="load")
    turn(reader, 390, "light")
    box = reader.locator(".bd-article pre.goes-on:visible").first
    assert box.evaluate("box => getComputedStyle(box).maskImage").startswith("linear-gradient")
    box.evaluate("box => { box.id = 'seen'; box.scrollLeft = box.scrollWidth }")
    reader.locator("#seen:not(.goes-on)").wait_for()


PAGE = """---
kernelspec: {{name: python3, display_name: Python 3}}
---
# A page

**Predict** what comes.

```{{code-cell}} ipython3
:tags: [{tags}]
{code}
```

{{.try}}
Turn it.

{after}
"""
KEPT = {"tags": "hide-output", "code": "print(1)", "after": "```{dropdown} An answer\nIt turns.\n```"}


@pytest.mark.parametrize(("law", "flaw"), [
    ("long_cells", {"code": "print(1)\n" * 25 + "1"}), ("wide_lines", {"code": f"print({'1' * 80})"}),
    ("open_answers", {"tags": "hide-input"}), ("unanswered", {"after": "It turns."}),
    ("long_paragraphs", {"after": KEPT["after"] + "\n\n" + "word " * 121})], ids=list(LAWS))
def test_each_law_sees_its_flaw_and_no_other(law, flaw):
    page = PAGE.format(**KEPT | flaw)
    assert {name for name, each in LAWS.items() if each(page)} == {law}
    assert not any(each(PAGE.format(**KEPT)) for each in LAWS.values())
