"""A student at work on labs in a browser."""

import time

from tests.book.conftest import CDN, is_remote, pyodide_from_disk

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


def shown(cell):
    """All that a code cell shows as text, errors too."""
    outputs = cell.get("outputs", [])
    return "".join(output.get("text", "") or output.get("evalue", "") for output in outputs)
