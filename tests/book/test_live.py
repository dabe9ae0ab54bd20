"""The pages whose cells run in the reader's browser: what they print there, and what a reader may do to them.

Requests to Pyodide's CDN are answered from the folder that PYODIDE_DIST names, so nothing here needs a network.
"""

import json
import os
import re
import shutil
import threading
import time
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests import needs
from tests.book.conftest import CDN, pyodide_from_disk
from tools.serve import server

ROOT = Path(__file__).parents[2]
CHAPTERS = [path.stem for path in sorted((ROOT / "chapters").glob("*.md")) if "{code-cell}" in path.read_text("utf-8")]
CHAPTER = "/chapters/10_the_transformer.html"  # on which the single laws are tried
NUMBER = re.compile(r" *\d+(?:\.\d+)?(?:e[-+]?\d+)?")
ROUNDING = 1e-9
LOADED = 180_000  # milliseconds within which Python has started, on a machine that does other things besides

# What each cell of the page shows: its printed lines, and the cells of its tables. (The page itself drops some blank
# lines: where an output begins with one.)
SHOWN = r"""() => [...document.querySelectorAll("div.cell")].map(cell =>
  [...cell.querySelectorAll(".cell_output :is(.output pre, th, td)")]
    .map(each => each.matches("pre") ? each.textContent : each.textContent.trim())
    .join("\n").split("\n").filter(line => line).join("\n"))"""


@pytest.fixture
def live(reader):
    """An empty tab whose requests to Pyodide's CDN are answered from PYODIDE_DIST; `live.remote` lists them."""
    reader.remote = []
    reader.context.route(f"{CDN}**", lambda route: answer(route, reader.remote))
    reader.set_default_timeout(LOADED)
    expect.set_options(timeout=LOADED)
    return reader


def answer(route, remote):
    remote.append(route.request.url)
    pyodide_from_disk(route)


def cell(page, number):
    return page.locator("div.cell").nth(number - 1)


def code(page, number):
    return cell(page, number).locator(".cell_input pre")


def note(page, number):
    return cell(page, number).locator(".live-note")


def status(page):
    return page.locator(".live-page .live-note")


def write(page, number, text):
    """Put `text` in place of the code of a cell, as a reader would."""
    code(page, number).click()
    page.keyboard.press("Control+A")
    page.keyboard.insert_text(text)


def run_all(page):
    """Press Run all and wait for the end. Returns the seconds until the first cell had run, and until the last."""
    start = time.monotonic()
    page.get_by_role("button", name="Run all").click()
    expect(note(page, 1)).to_have_text(re.compile("Ran|error|loaded"))
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


def test_every_page_names_the_wheel_that_the_site_ships(site, pages):
    named = {page.find("meta", attrs={"name": "live-wheel"})["content"] for page in pages.values()}
    assert [(site / name).is_file() for name in named] == [True]


def test_the_files_that_a_page_opens_are_shipped(site, pages):
    opened = [(site / here).parent / file for here, page in pages.items()
              for file in page.find("meta", attrs={"name": "live-files"})["content"].split()]
    assert opened and [file for file in opened if not file.is_file()] == []


@needs.chromium
@needs.pyodide
@pytest.mark.parametrize("name", CHAPTERS)
def test_a_chapter_prints_in_the_browser_what_the_book_says(root, live, capsys, name):
    live.goto(f"/chapters/{name}.html")
    published, drawn = live.evaluate(SHOWN), live.locator(".cell_output img").count()
    first, last = run_all(live)
    with capsys.disabled():
        print(f"\n{name}: first cell after {first:.1f} s, all after {last:.1f} s", end=" ")
    assert differences(live.evaluate(SHOWN), published, sources(root, name)) == []
    assert live.locator(".cell_output img[src^='data:']").count() == drawn
    assert last < 60 * max(1, os.getloadavg()[0] / os.cpu_count())  # where others use the machine, it takes longer


@needs.chromium
@needs.pyodide
def test_nothing_is_loaded_before_somebody_presses_run(live):
    live.goto(CHAPTER, wait_until="networkidle")
    code(live, 2).click()
    assert live.remote == [] and live.workers == []


@pytest.fixture
def own_host(site, tmp_path):
    """The address of the book with Pyodide among its own files, as the setting `pyodide_url` of _config.yml allows."""
    shutil.copytree(site, tmp_path, dirs_exist_ok=True)
    (tmp_path / "_static" / "pyodide").symlink_to(os.environ["PYODIDE_DIST"])
    page = tmp_path / CHAPTER.lstrip("/")
    page.write_text(page.read_text("utf-8").replace(CDN, "_static/pyodide/"), "utf-8")
    running = server(tmp_path, 0)
    threading.Thread(target=running.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{running.server_port}"
    running.shutdown()
    running.server_close()


@needs.chromium
@needs.pyodide
def test_one_setting_has_python_come_from_the_site_itself(live, own_host, capsys):
    times = []
    for _ in range(2):
        live.goto(own_host + CHAPTER)
        start = time.monotonic()
        cell(live, 2).get_by_role("button", name="Run").click()
        expect(note(live, 2)).to_have_text(re.compile("Ran"))
        times.append(time.monotonic() - start)
    with capsys.disabled():
        print("\nfirst output: {:.1f} s, the second time {:.1f} s".format(*times), end=" ")
    assert live.remote == []


@needs.chromium
@needs.pyodide
def test_a_cell_is_edited_run_stopped_and_run_again(live):
    live.goto(CHAPTER)
    write(live, 2, "x = 7 * 6\nprint('before', x)\nwhile True: pass")
    cell(live, 2).get_by_role("button", name="Run").click()
    expect(cell(live, 2).locator(".cell_output")).to_have_text(re.compile("before 42"))
    cell(live, 2).get_by_role("button", name="Stop").click()
    expect(status(live)).to_have_text(re.compile("Stopped. The variables are gone"))
    write(live, 2, "print('again')")
    cell(live, 2).get_by_role("button", name="Run").click()
    expect(cell(live, 2).locator(".cell_output")).to_have_text(re.compile("^\\s*again\\s*$"))
    cell(live, 2).get_by_role("button", name="Reset").click()
    assert "25 march 1984" in code(live, 2).text_content()
    assert "told:   <s> 1 9 8 4" in cell(live, 2).locator(".cell_output").text_content()


@needs.chromium
@needs.pyodide
def test_run_brings_along_the_cells_above_and_an_error_names_its_line(live):
    live.goto(CHAPTER)
    write(live, 4, "print(len(told))\n\nprint(1 / 0)")
    cell(live, 4).get_by_role("button", name="Run").click()
    expect(note(live, 4)).to_have_text("First cells 1 to 3, not run yet")
    expect(note(live, 4)).to_have_text("Ended with an error")
    said = cell(live, 4).locator(".cell_output").inner_text()
    assert "11" in said and 'File "cell 4", line 3' in said and "ZeroDivisionError" in said and "_base.py" not in said
    expect(note(live, 1)).to_have_text(re.compile("Ran"))


@needs.chromium
@needs.pyodide
def test_prints_without_end_do_not_fill_the_page(live):
    live.goto(CHAPTER)
    write(live, 2, "while True: print('x' * 60)")
    cell(live, 2).get_by_role("button", name="Run").click()
    expect(cell(live, 2).locator(".cell_output")).to_have_text(re.compile("the rest is left out"))
    cell(live, 2).get_by_role("button", name="Stop").click()
    assert len(cell(live, 2).locator(".cell_output").inner_text()) < 110_000


@needs.chromium
@needs.pyodide
def test_the_keyboard_alone_edits_runs_and_leaves(live):
    live.goto(CHAPTER)
    code(live, 2).focus()
    live.keyboard.press("Tab")                                    # nothing was typed, so Tab moves on, to Copy
    live.keyboard.press("Tab")
    expect(cell(live, 2).get_by_role("button", name="Run")).to_be_focused()
    code(live, 2).focus()
    live.keyboard.press("Control+A")
    live.keyboard.type("for i in range(2):\nprint(i)\n")          # Enter indents after a colon, and keeps it
    live.keyboard.press("Tab")
    live.keyboard.type("print(i / 2)")                            # the theme would take "/" to the search
    assert code(live, 2).inner_text().rstrip() == "for i in range(2):\n    print(i)\n        print(i / 2)"
    live.keyboard.press("Control+A")
    live.keyboard.type("print('typed')")
    live.keyboard.press("Shift+Enter")
    expect(cell(live, 2).locator(".cell_output")).to_have_text(re.compile("typed"))
    expect(cell(live, 3).get_by_role("button", name="Run")).to_be_focused()   # the code of cell 3 is hidden
    code(live, 4).focus()
    live.keyboard.type("# ")
    live.keyboard.press("Escape")
    expect(cell(live, 4).get_by_role("button", name="Run")).to_be_focused()


@needs.chromium
@needs.pyodide
def test_a_change_made_while_the_cell_runs_is_run_too(live):
    live.goto(CHAPTER)
    write(live, 2, "import time\ntime.sleep(3)\nprint('the first text')")
    cell(live, 2).get_by_role("button", name="Run").click()
    expect(note(live, 2)).to_have_text("Running …")
    expect(cell(live, 2).get_by_role("button", name="Reset")).to_be_hidden()
    write(live, 2, "print('the second text')")
    live.keyboard.press("Shift+Enter")
    expect(cell(live, 2).locator(".cell_output")).to_have_text(re.compile("^\\s*the second text\\s*$"))
    expect(note(live, 2)).to_have_text(re.compile("Ran"))
    write(live, 2, "time.sleep(3)")
    cell(live, 2).get_by_role("button", name="Run").click()
    expect(note(live, 2)).to_have_text("Running …")
    write(live, 2, "print('not asked for')")
    expect(note(live, 2)).to_have_text("Changed, not run yet")
    expect(status(live)).to_have_text(re.compile("Cell 2 has run"))
    expect(note(live, 2)).to_have_text("Changed, not run yet")


@needs.chromium
@needs.pyodide
def test_a_double_click_does_not_stop_what_it_started(live):
    live.goto(CHAPTER)
    write(live, 2, "print('here')")
    cell(live, 2).get_by_role("button", name="Run").dblclick()
    expect(note(live, 2)).to_have_text(re.compile("Ran"))


@needs.chromium
@needs.pyodide
def test_values_without_end_do_not_fill_the_page_and_a_long_one_is_cut(live):
    live.goto(CHAPTER)
    write(live, 2, "list(range(10**6))")
    cell(live, 2).get_by_role("button", name="Run").click()
    expect(cell(live, 2).locator(".cell_output")).to_have_text(re.compile("characters more"))
    write(live, 2, "from IPython.display import display\nfor n in range(1000): display(n)")
    cell(live, 2).get_by_role("button", name="Run").click()
    expect(cell(live, 2).locator(".cell_output")).to_have_text(re.compile("199\\s*More than 200 outputs"))


@needs.chromium
@needs.pyodide
def test_where_python_breaks_down_the_page_says_so_and_starts_it_again(live):
    live.goto(CHAPTER)
    write(live, 2, "import os\nos._exit(1)")
    cell(live, 2).get_by_role("button", name="Run").click()
    expect(status(live)).to_have_text(re.compile("Python broke down"))
    write(live, 2, "print('alive')")
    cell(live, 2).get_by_role("button", name="Run").click()
    expect(cell(live, 2).locator(".cell_output")).to_have_text(re.compile("alive"))


@needs.chromium
@needs.pyodide
def test_a_figure_to_move_keeps_its_caption_when_it_is_drawn_anew(live):
    live.goto("/chapters/02_additive_attention.html")
    figure = live.locator("figure#fig-drag-scores")
    number = live.locator("div.cell").evaluate_all("cells => cells.findIndex(c => c.querySelector('touch-figure')) + 1")
    cell(live, number).get_by_role("button", name="Run").click()
    expect(note(live, number)).to_have_text(re.compile("Ran"))
    expect(figure.locator("figcaption")).to_have_text(re.compile("Scores above"))
    expect(figure.locator("touch-figure [role=slider], touch-figure input").first).to_be_visible()


@needs.chromium
def test_a_browser_that_cannot_read_the_script_says_so(reader):
    reader.goto(CHAPTER, wait_until="load")
    expect(reader.locator(".live-page")).to_be_visible()
    expect(reader.get_by_text("This browser is too old to run the code")).to_have_count(0)
    unreadable = {"body": "a ?. ?. b", "content_type": "text/javascript"}
    reader.context.route("**/_static/live.js*", lambda route: route.fulfill(**unreadable))
    reader.goto(CHAPTER)
    expect(reader.get_by_text("This browser is too old to run the code")).to_be_visible()


@needs.chromium
@pytest.mark.parametrize(("trouble", "sentence"), [("offline", "there is no network"), ("blocked", "may be blocked"),
                                                   ("old", "this browser is too old")])
def test_where_python_cannot_be_loaded_a_sentence_says_why(reader, trouble, sentence):
    if trouble == "old":
        reader.add_init_script("delete window.WebAssembly; delete window.Worker")
    reader.context.route("https://**", lambda route: route.abort())
    reader.goto(CHAPTER)
    reader.context.set_offline(trouble == "offline")
    write(reader, 2, "print('kept')")
    cell(reader, 2).get_by_role("button", name="Run").click()
    expect(status(reader)).to_have_text(re.compile(sentence))
    assert code(reader, 2).text_content().strip() == "print('kept')"
    assert "told:   <s> 1 9 8 4" in cell(reader, 2).locator(".cell_output").text_content()
