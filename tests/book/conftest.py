"""The built book, as files and as a reader's browser sees it."""

import os
import threading
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from bs4 import BeautifulSoup
from playwright.sync_api import expect

from tests.needs import chromium_path
from tools import book
from tools.serve import server

CHROMIUM = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
            "--disable-background-networking", "--disable-component-update"]  # says nothing to anybody by itself

CDN = "https://cdn.jsdelivr.net/pyodide/v0.27.7/full/"  # where pages take Pyodide from; here, from the disk
TYPES = {".wasm": "application/wasm", ".mjs": "text/javascript", ".js": "text/javascript", ".json": "application/json"}
LOADED = 180_000  # milliseconds within which Python has started, on a machine that does other things besides


def pyodide_from_disk(route):
    """Answer a request to CDN with the file of the folder that PYODIDE_DIST names."""
    file = Path(os.environ["PYODIDE_DIST"], Path(urlsplit(route.request.url).path).name)
    kind = TYPES.get(file.suffix, "application/octet-stream")
    route.fulfill(path=file, headers={"content-type": kind, "access-control-allow-origin": "*"})


def is_remote(url, address):
    """Does a request leave the site at `address`?"""
    return urlsplit(url).scheme not in ("data", "blob") and not url.startswith(address + "/")


@pytest.fixture(scope="session")
def site(root):
    """The folder of the built book."""
    site = root / "_build" / "html"
    if not book.is_current(root):
        pytest.fail("_build/html is not the book of the tree as it stands: run `make book` first")
    return site


@pytest.fixture(scope="session")
def pages(site):
    """Each page's address within the site, and the page, parsed."""
    files = sorted(path for path in site.rglob("*.html") if not {"_static", "lite"} & set(path.parts))
    return {file.relative_to(site).as_posix(): BeautifulSoup(file.read_bytes(), "html.parser") for file in files}


@pytest.fixture(scope="session")
def address(site):
    """Where a local server shows the book, as long as the tests run."""
    with served(site) as address:
        yield address


@contextmanager
def served(folder):
    """The address of a local server of a folder, as long as the block lasts."""
    running = server(folder, 0)
    threading.Thread(target=running.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{running.server_port}"
    finally:
        running.shutdown()
        running.server_close()


@pytest.fixture(scope="module")
def browser():
    """Headless Chromium. A test that uses it carries the marker `needs.chromium`.

    Its event loop runs in this thread until it is closed: meanwhile no other test could start one.
    """
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=CHROMIUM)
        yield browser
        browser.close()


@pytest.fixture
def reader(browser, address):
    """An empty browser tab at the book's address."""
    context = browser.new_context(base_url=address, permissions=["clipboard-read", "clipboard-write"])
    context.set_default_timeout(10_000)  # milliseconds
    yield context.new_page()
    context.close()


@pytest.fixture
def live(reader):
    """An empty tab in which pages can start Python."""
    return with_python(reader)


def with_python(tab):
    """A tab whose requests to Pyodide's CDN are answered from PYODIDE_DIST; `tab.remote` lists them."""
    tab.remote = []
    tab.context.route(f"{CDN}**", lambda route: answer(route, tab.remote))
    tab.set_default_timeout(LOADED)
    expect.set_options(timeout=LOADED)
    return tab


def answer(route, remote):
    remote.append(route.request.url)
    pyodide_from_disk(route)
