"""The labs in a browser: each one opens, runs, keeps what was written, and comes back as a notebook that is graded."""

import time
from contextlib import contextmanager
from pathlib import Path

import nbformat
import pytest
from nbformat import v4
from playwright.sync_api import expect

from grading.demo import answered
from grading.lab import Lab, exercise_of, meta, names
from grading.marking import grade
from tests import needs
from tests.book.conftest import CDN, CHROMIUM, is_remote, pyodide_from_disk
from tools import lite

ROOT = Path(__file__).parents[2]
LABS = names(ROOT / "labs")
START = 120_000  # milliseconds until something shows, also on a busy machine
RUN_ABOVE = """async next => {
  const panel = jupyterapp.shell.currentWidget
  await panel.sessionContext.ready
  panel.content.activeCellIndex = next
  await jupyterapp.commands.execute("notebook:run-all-above")
}"""
RUN_ALL = """async () => {
  await jupyterapp.shell.currentWidget.sessionContext.ready
  await jupyterapp.commands.execute("notebook:run-all-cells")
}"""

KEEPING = "from coursekit import keep\n\ndef halve(x):\n    return x / 2\n\nkeep(halve)"
KEPT = "from coursekit import kept\n\ndef halve(x):\n    return x\n\nassert kept(halve)(4) == 2"
STORED = """text => new Promise(done => {
  const opening = indexedDB.open("JupyterLite Storage - " + location.pathname.replace("notebooks/index.html", ""))
  opening.onsuccess = () => {
    const all = opening.result.transaction("files").objectStore("files").getAll()
    all.onsuccess = () => { opening.result.close(); done(JSON.stringify(all.result).includes(text)) }
  }
})"""  # has the page stored a file that holds the text?

def exposed(route):
    """JupyterLite's settings, and the one by which a test can talk to it."""
    settings = route.fetch().json()
    settings["jupyter-config-data"]["exposeAppInBrowser"] = True
    route.fulfill(json=settings)


class Desk:
    """A browser in which a student works on labs: opens one, runs it, downloads it."""

    def __init__(self, context, address):
        self.context, self.address, self.strangers = context, address, []
        context.set_default_timeout(START)
        context.route(f"{CDN}**", pyodide_from_disk)
        context.route("**/lite/jupyter-lite.json", exposed)
        context.on("request", self._note)
        self.tab = context.new_page()

    def _note(self, request):
        if is_remote(request.url, self.address) and not request.url.startswith(CDN):
            self.strangers.append(request.url)

    def given(self, lab, notebook):
        """Let the site give out this notebook in place of the lab's."""
        self.context.route(f"**/lite/files/{lab}.ipynb*", lambda route: route.fulfill(json=notebook))

    def open(self, lab):
        self.tab.goto(f"{self.address}/lite/notebooks/index.html?path={lab}.ipynb")
        self.tab.locator(".jp-Notebook .jp-Cell").first.wait_for()

    def choose(self, menu, entry):
        self.tab.get_by_role("menuitem", name=menu, exact=True).click()
        self.tab.get_by_role("menuitem", name=entry, exact=True).click()

    def run_all(self):
        """What the menu's Run All Cells does, until the last cell has run."""
        self.tab.evaluate(RUN_ALL)

    def run_above(self, number):
        """What the menu's Run All Above Selected Cell does for this cell, until the last one above has run."""
        self.tab.evaluate(RUN_ABOVE, number)

    def wait_until_stored(self, text):
        """Autosave comes every five seconds."""
        until = time.monotonic() + START / 1000
        while not self.tab.evaluate(STORED, text):
            assert time.monotonic() < until, f"not stored: {text!r}"
            self.tab.wait_for_timeout(500)

    def download(self, folder):
        with self.tab.expect_download() as waiting:
            self.choose("File", "Download")
        path = folder / waiting.value.suggested_filename
        waiting.value.save_as(path)
        return path


@pytest.fixture
def desk(browser, address):
    context = browser.new_context(accept_downloads=True)
    yield Desk(context, address)
    context.close()


@contextmanager
def profile(browser, folder):
    """A browser whose storage stays on disk; leaving the block closes the whole browser."""
    context = browser.browser_type.launch_persistent_context(
        folder / "profile", executable_path=needs.chromium_path(), args=CHROMIUM, accept_downloads=True)
    yield context
    context.close()


def as_by_a_student(lab):
    """The solved notebook without what it imports of other labs' references: the lab gives these functions itself."""
    notebook = answered(lab)
    lines = notebook.cells[0].source.splitlines()
    notebook.cells[0].source = "\n".join(line for line in lines if not line.startswith("from solutions."))
    return notebook


def small(source):
    """A notebook of one cell."""
    return v4.new_notebook(cells=[v4.new_code_cell(source)], metadata={"language_info": {"name": "python"}})


def shown(cell):
    """All that a code cell shows as text, errors too."""
    outputs = cell.get("outputs", [])
    return "".join(output.get("text", "") or output.get("evalue", "") for output in outputs)


# What is there, without a browser.


def test_each_lab_is_there_as_it_was_released(site):
    files = {path.name: path.read_bytes() for path in (site / "lite" / "files").iterdir()}
    assert files == {f"{lab}.ipynb": (ROOT / "release" / lab / f"{lab}.ipynb").read_bytes() for lab in LABS}


def test_the_page_of_labs_opens_and_downloads_each_of_them(pages):
    links = {link["href"] for link in pages["chapters/labs.html"].select("main a[href]")}
    for lab in LABS:
        assert {f"../lite/notebooks/index.html?path={lab}.ipynb", f"../notebooks/{lab}.ipynb"} <= links


def test_each_lab_can_be_opened_from_its_chapter(pages):
    chapters = [page for name, page in pages.items() if name[:10].removeprefix("chapters/").isdigit()]
    links = [link["href"] for page in chapters for link in page.select("#lab a[href]")]
    assert sorted(link for link in links if "lite/notebooks" in link) == [
        f"../lite/notebooks/index.html?path={lab}.ipynb" for lab in LABS]


def test_nothing_is_asked_of_another_host_but_python(site):
    config = (site / "lite" / "jupyter-lite.json").read_text()
    assert config.replace(f"{CDN}pyodide.js", "").count("://") == 0


def test_a_setting_that_is_dropped_fails_the_build(site):
    wanted = lite.settings(CDN, "coursekit-9.9-py3-none-any.whl")
    with pytest.raises(RuntimeError, match="dropped loadPyodideOptions"):
        lite.expect(wanted, site / "lite")


def test_the_pyodide_of_the_setting_is_used():
    kernel = lite.settings("https://example.org/mine/", "kit.whl")["litePluginSettings"][lite.KERNEL]
    assert kernel["pyodideUrl"] == "https://example.org/mine/pyodide.js"


@pytest.mark.parametrize(("url", "named"), [("_static/pyodide", "./../_static/pyodide/"), ("/mine/", "/mine/"),
                                            ("https://example.org/mine", "https://example.org/mine/")])
def test_a_folder_of_the_site_is_named_from_the_labs(tmp_path, url, named):
    (tmp_path / "_config.yml").write_text(f"sphinx: {{config: {{html_context: {{pyodide_url: '{url}'}}}}}}")
    assert lite.pyodide(tmp_path) == named


def test_labs_that_are_not_released_fail_the_build(tmp_path):
    with pytest.raises(RuntimeError, match="make release"):
        lite.build(tmp_path, tmp_path, tmp_path / "kit.whl")


# In a browser.


@needs.chromium
@needs.pyodide
@pytest.mark.parametrize("lab", LABS)
def test_a_lab_solved_in_the_browser_is_graded_as_if_it_were_done_elsewhere(desk, tmp_path, lab):
    """What stands below the last check trains for minutes in a browser, and is not graded: it is not run here."""
    course, solved = Lab.read(ROOT / "labs", lab), as_by_a_student(Lab.read(ROOT / "labs", lab))
    desk.given(lab, solved)
    start = time.monotonic()
    desk.open(lab)
    desk.run_above(1 + max(i for i, cell in enumerate(solved.cells) if exercise_of(cell)))
    print(f"{lab}: {time.monotonic() - start:.0f} s")
    path = desk.download(tmp_path)
    assert path.name == f"{lab}.ipynb" and desk.strangers == []
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    assert [shown(cell) for cell in notebook.cells if exercise_of(cell) and not shown(cell).startswith("✓")] == []
    assert [(cell.id, meta(cell)) for cell in notebook.cells[1:]] == [(c.id, meta(c)) for c in course.skeleton.cells]
    graded = grade(path.read_bytes(), course)
    assert graded.problems == []
    assert [name for name, mark in graded.marks.items() if mark.points not in (mark.possible, None)] == []


@needs.chromium
@needs.pyodide
def test_what_was_written_and_kept_is_there_after_a_restart(browser, address, tmp_path):
    with profile(browser, tmp_path) as context:
        desk = Desk(context, address)
        desk.given("lab00_warm_up", small(KEEPING))
        desk.open("lab00_warm_up")
        desk.run_all()
        desk.tab.locator(".jp-CodeCell .cm-content").first.click()
        desk.tab.keyboard.type("# my own words\n")  # and nobody presses Save
        desk.wait_until_stored("my own words")
        assert desk.tab.get_by_role("alert").filter(has_text="cannot store").count() == 0
    with profile(browser, tmp_path) as context:
        desk = Desk(context, address)
        desk.open("lab00_warm_up")
        assert "my own words" in desk.download(tmp_path).read_text("utf-8")
        desk.given("lab01_additive_attention", small(KEPT))
        desk.open("lab01_additive_attention")
        desk.run_all()
        notebook = nbformat.read(desk.download(tmp_path), as_version=4)
        assert shown(notebook.cells[0]) == "halve: yours, from my_attention.py\n"


@needs.chromium
@needs.pyodide
def test_python_may_come_from_a_folder_of_the_site(desk, tmp_path):
    def own(route):
        settings = route.fetch().json()
        data = settings["jupyter-config-data"]
        data |= {"exposeAppInBrowser": True}
        data["litePluginSettings"][lite.KERNEL]["pyodideUrl"] = "./../_static/pyodide/pyodide.js"
        route.fulfill(json=settings)

    desk.context.route("**/lite/jupyter-lite.json", own)
    desk.context.route("**/_static/pyodide/**", pyodide_from_disk)
    desk.context.route(f"{CDN}**", lambda route: route.abort())
    desk.given("lab00_warm_up", small("import numpy\nnumpy.arange(3).sum()\nprint('here')"))
    desk.open("lab00_warm_up")
    desk.run_all()
    assert shown(nbformat.read(desk.download(tmp_path), as_version=4).cells[0]) == "here\n"


@needs.chromium
def test_a_full_storage_is_said(reader, address):
    reader.context.route(f"{CDN}**", lambda route: route.abort())
    devtools = reader.context.new_cdp_session(reader)
    devtools.send("Storage.overrideQuotaForOrigin", {"origin": address, "quotaSize": 20_000})
    reader.goto("/lite/notebooks/index.html?path=lab00_warm_up.ipynb")
    expect(reader.get_by_role("alert").filter(has_text="cannot store")).to_be_visible(timeout=START)


@needs.chromium
@pytest.mark.parametrize("broken, says", [
    (None, "Python could not be loaded"),
    ("Object.defineProperty(window, 'indexedDB', {get() { throw new Error('blocked') }})", "cannot store"),
    ("delete window.WebAssembly", "too old"),
], ids=["cdn", "storage", "browser"])
def test_what_goes_wrong_is_said_in_a_plain_sentence(reader, broken, says):
    reader.context.route(f"{CDN}**", lambda route: route.abort())
    if broken:
        reader.add_init_script(broken)
    reader.goto("/lite/notebooks/index.html?path=lab00_warm_up.ipynb")
    expect(reader.get_by_role("alert").filter(has_text=says)).to_be_visible(timeout=START)
