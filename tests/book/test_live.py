"""The pages whose cells run in the reader's browser, and what a reader may do to them.

Requests to Pyodide's CDN are answered from the folder that PYODIDE_DIST names, so nothing here needs a network.
"""

import os
import re
import shutil
import time

import pytest
from playwright.sync_api import expect

from tests import needs
from tests.book.conftest import CDN, served, with_python

CHAPTER = "/chapters/10_the_transformer.html"  # on which the single laws are tried
BYTES = bytes(range(256))  # no text in UTF-8


@pytest.fixture(scope="module")
def begun(browser, address):
    """A tab of its own for the laws that leave Python alive: they share one, on a page that opens a file."""
    context = browser.new_context(base_url=address)
    context.route("**/chapters/data/bytes.npz", lambda route: route.fulfill(body=BYTES))
    page = with_python(context.new_page())
    page.goto(CHAPTER)
    page.locator("meta[name=live-files]").evaluate("meta => { meta.content = 'data/bytes.npz' }")
    yield page
    context.close()


@pytest.fixture
def shared(begun):
    """That tab, with every cell as published."""
    stop = begun.locator(".live-page").get_by_role("button", name="Stop")
    if stop.is_visible():  # a test has failed in the middle
        stop.click()
    begun.locator(".live-bar button:not([hidden])", has_text="Reset").evaluate_all("all => all.map(one => one.click())")
    yield begun
    expect(begun.locator(".live-busy")).to_have_count(0, timeout=10_000)


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


def test_every_page_names_the_wheel_that_the_site_ships(site, pages):
    named = {page.find("meta", attrs={"name": "live-wheel"})["content"] for page in pages.values()}
    assert [(site / name).is_file() for name in named] == [True]


def test_the_files_that_a_page_opens_are_shipped(site, pages):
    opened = [(site / here).parent / file for here, page in pages.items()
              for file in page.find("meta", attrs={"name": "live-files"})["content"].split()]
    assert opened and [file for file in opened if not file.is_file()] == []


@needs.chromium
@needs.pyodide
@pytest.mark.sampled("python in a page")
def test_nothing_is_loaded_before_somebody_presses_run(live):
    live.goto(CHAPTER, wait_until="networkidle")
    code(live, 2).click()
    assert live.remote == [] and live.workers == []


@pytest.fixture
def own_host(site, tmp_path):
    """The address of the book with Pyodide among its own files, as the setting `pyodide_url` of _config.yml allows."""
    shutil.copytree(site, tmp_path, dirs_exist_ok=True, ignore=shutil.ignore_patterns("lite"))
    (tmp_path / "_static" / "pyodide").symlink_to(os.environ["PYODIDE_DIST"])
    page = tmp_path / CHAPTER.lstrip("/")
    page.write_text(page.read_text("utf-8").replace(CDN, "_static/pyodide/"), "utf-8")
    with served(tmp_path) as address:
        yield address


@needs.chromium
@needs.pyodide
@pytest.mark.sampled("python in a page")
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
@pytest.mark.sampled("python in a page")
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
@pytest.mark.sampled("python in a page")
def test_a_file_that_a_page_opens_arrives_byte_for_byte(shared):
    write(shared, 2, "print(list(open('data/bytes.npz', 'rb').read()))")
    cell(shared, 2).get_by_role("button", name="Run").click()
    expect(cell(shared, 2).locator(".cell_output")).to_have_text(str(list(BYTES)))


@needs.chromium
@needs.pyodide
@pytest.mark.sampled("python in a page")
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
@pytest.mark.sampled("python in a page")
def test_prints_without_end_do_not_fill_the_page(live):
    live.goto(CHAPTER)
    write(live, 2, "while True: print('x' * 60)")
    cell(live, 2).get_by_role("button", name="Run").click()
    expect(cell(live, 2).locator(".cell_output")).to_have_text(re.compile("the rest is left out"))
    cell(live, 2).get_by_role("button", name="Stop").click()
    assert len(cell(live, 2).locator(".cell_output").inner_text()) < 110_000


@needs.chromium
@needs.pyodide
@pytest.mark.sampled("python in a page")
def test_the_keyboard_alone_edits_runs_and_leaves(shared):
    code(shared, 2).focus()
    shared.keyboard.press("Tab")                                    # nothing was typed, so Tab moves on, to Copy
    shared.keyboard.press("Tab")
    expect(cell(shared, 2).get_by_role("button", name="Run")).to_be_focused()
    code(shared, 2).focus()
    shared.keyboard.press("Control+A")
    shared.keyboard.type("for i in range(2):\nprint(i)\n")          # Enter indents after a colon, and keeps it
    shared.keyboard.press("Tab")
    shared.keyboard.type("print(i / 2)")                            # the theme would take "/" to the search
    assert code(shared, 2).inner_text().rstrip() == "for i in range(2):\n    print(i)\n        print(i / 2)"
    shared.keyboard.press("Control+A")
    shared.keyboard.type("print('typed')")
    shared.keyboard.press("Shift+Enter")
    expect(cell(shared, 2).locator(".cell_output")).to_have_text(re.compile("typed"))
    expect(cell(shared, 3).get_by_role("button", name="Run")).to_be_focused()   # the code of cell 3 is hidden
    code(shared, 4).focus()
    shared.keyboard.type("# ")
    shared.keyboard.press("Escape")
    expect(cell(shared, 4).get_by_role("button", name="Run")).to_be_focused()


@needs.chromium
@needs.pyodide
@pytest.mark.sampled("python in a page")
def test_a_change_made_while_the_cell_runs_is_run_too(shared):
    write(shared, 2, "import time\ntime.sleep(3)\nprint('the first text')")
    cell(shared, 2).get_by_role("button", name="Run").click()
    expect(note(shared, 2)).to_have_text("Running …")
    expect(cell(shared, 2).get_by_role("button", name="Reset")).to_be_hidden()
    write(shared, 2, "print('the second text')")
    shared.keyboard.press("Shift+Enter")
    expect(cell(shared, 2).locator(".cell_output")).to_have_text(re.compile("^\\s*the second text\\s*$"))
    expect(note(shared, 2)).to_have_text(re.compile("Ran"))
    write(shared, 2, "time.sleep(3)")
    cell(shared, 2).get_by_role("button", name="Run").click()
    expect(note(shared, 2)).to_have_text("Running …")
    write(shared, 2, "print('not asked for')")
    expect(note(shared, 2)).to_have_text("Changed, not run yet")
    expect(status(shared)).to_have_text(re.compile("Cell 2 has run"))
    expect(note(shared, 2)).to_have_text("Changed, not run yet")


@needs.chromium
@needs.pyodide
@pytest.mark.sampled("python in a page")
def test_a_double_click_does_not_stop_what_it_started(shared):
    write(shared, 2, "print('here')")
    cell(shared, 2).get_by_role("button", name="Run").dblclick()
    expect(note(shared, 2)).to_have_text(re.compile("Ran"))


@needs.chromium
@needs.pyodide
@pytest.mark.sampled("python in a page")
def test_values_without_end_do_not_fill_the_page_and_a_long_one_is_cut(shared):
    write(shared, 2, "list(range(10**6))")
    cell(shared, 2).get_by_role("button", name="Run").click()
    expect(cell(shared, 2).locator(".cell_output")).to_have_text(re.compile("characters more"))
    write(shared, 2, "from IPython.display import display\nfor n in range(1000): display(n)")
    cell(shared, 2).get_by_role("button", name="Run").click()
    expect(cell(shared, 2).locator(".cell_output")).to_have_text(re.compile("199\\s*More than 200 outputs"))


@needs.chromium
@needs.pyodide
@pytest.mark.sampled("python in a page")
def test_where_python_breaks_down_the_page_says_so_and_starts_it_again(live):
    live.goto(CHAPTER)
    write(live, 2, "import os\nos._exit(1)")
    cell(live, 2).get_by_role("button", name="Run").click()
    expect(status(live)).to_have_text(re.compile("Python broke down"))
    write(live, 2, "print('alive')")
    cell(live, 2).get_by_role("button", name="Run").click()
    expect(cell(live, 2).locator(".cell_output")).to_have_text(re.compile("alive"))


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
