"""Every chapter whose cells run in the reader's browser prints there what the book says.

Requests to Pyodide's CDN are answered from the folder that PYODIDE_DIST names, so nothing here needs a network.
"""

import json
import os
import re
import time
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests import needs

ROOT = Path(__file__).parents[2]
CHAPTERS = [path.stem for path in sorted((ROOT / "chapters").glob("*.md")) if "{code-cell}" in path.read_text("utf-8")]
NUMBER = re.compile(r" *\d+(?:\.\d+)?(?:e[-+]?\d+)?")
ROUNDING = 1e-9

# What each cell of the page shows: its printed lines, and the cells of its tables. (The book drops some blank lines,
# where an output begins with one, and sets the apostrophes of tables as printers do.)
SHOWN = r"""() => [...document.querySelectorAll("div.cell")].map(cell =>
  [...cell.querySelectorAll(".cell_output :is(.output pre, th, td)")]
    .map(each => each.matches("pre") ? each.textContent : each.textContent.trim().replaceAll("’", "'"))
    .join("\n").split("\n").filter(line => line).join("\n"))"""

# What each figure of the page shows: its caption, and what in it is drawn anew: a picture, or one to move.
FIGURES = """() => [...document.querySelectorAll("div.cell figure")].map(figure => [
  figure.querySelector("figcaption")?.textContent, figure.querySelectorAll("img").length,
  figure.querySelectorAll("touch-figure :is([role=slider], [role=checkbox])").length])"""


def run_all(page):
    """Press Run all and wait for the end. Returns the seconds until the first cell had run, and until the last."""
    start = time.monotonic()
    page.get_by_role("button", name="Run all").click()
    expect(page.locator("div.cell .live-note").first).to_have_text(re.compile("Ran|error|loaded"))
    first = time.monotonic() - start
    expect(page.locator(".live-busy")).to_have_count(0, timeout=120_000)
    return first, time.monotonic() - start


def same(here, there, source):
    """Do two texts of a cell agree? Numbers that are rounding errors, below 1e-9, and those of a cell that measures
    time, which calls perf_counter, differ from machine to machine; all else is the same to the letter."""
    pairs = list(zip(NUMBER.findall(here), NUMBER.findall(there), strict=False))
    free = "perf_counter" in source
    return NUMBER.split(here) == NUMBER.split(there) and all(
        free or a == b or max(float(a), float(b)) < ROUNDING for a, b in pairs)


def differences(shown, published, sources):
    """What each cell shows beside what the book says, where the two differ."""
    return [cell[:2] for cell in zip(shown, published, sources, strict=True) if not same(*cell)]


def sources(root, name):
    """The code cells of a chapter, as they were run when the book was built."""
    notebook = json.loads((root / "_build" / "jupyter_execute" / "chapters" / f"{name}.ipynb").read_text("utf-8"))
    return ["".join(each["source"]) for each in notebook["cells"] if each["cell_type"] == "code"]


@pytest.mark.parametrize("name", CHAPTERS)
def test_the_code_on_the_page_is_the_source_of_the_cell(root, pages, name):
    on_page = [each.get_text() for each in pages[f"chapters/{name}.html"].select("div.cell .cell_input pre")]
    assert on_page == [source + "\n" for source in sources(root, name)]


@needs.chromium
@needs.pyodide
@pytest.mark.sampled("chapter")
@pytest.mark.parametrize("name", CHAPTERS)
def test_a_chapter_prints_in_the_browser_what_the_book_says(root, live, capsys, name):
    live.goto(f"/chapters/{name}.html")
    published, figures = live.evaluate(SHOWN), live.evaluate(FIGURES)
    drawn = live.locator(".cell_output img").count()
    first, last = run_all(live)
    with capsys.disabled():
        print(f"\n{name}: first cell after {first:.1f} s, all after {last:.1f} s", end=" ")
    assert [note for note in live.locator("div.cell .live-note").all_text_contents() if "Ran in" not in note] == []
    assert differences(live.evaluate(SHOWN), published, sources(root, name)) == []
    assert live.locator(".cell_output img[src^='data:']").count() == drawn
    assert live.evaluate(FIGURES) == figures
    assert last < 60 * max(1, os.getloadavg()[0] / os.cpu_count())  # where others use the machine, it takes longer
