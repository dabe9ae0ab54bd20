"""The built book, as files and as a reader's browser sees it."""

import os
import threading
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from bs4 import BeautifulSoup

from tests.needs import chromium_path
from tools import book
from tools.serve import server

WIDTHS = (1440, 360)  # a desk and a phone, in CSS pixels
CHROMIUM = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
            "--disable-background-networking", "--disable-component-update"]  # says nothing to anybody by itself

CDN = "https://cdn.jsdelivr.net/pyodide/v0.27.7/full/"  # where pages take Pyodide from; here, from the disk
TYPES = {".wasm": "application/wasm", ".mjs": "text/javascript", ".js": "text/javascript", ".json": "application/json"}

RAW_TEX = r"""() => {
  const page = document.body.cloneNode(true)
  page.querySelectorAll("script, style, pre, code, .katex").forEach(element => element.remove())
  return page.textContent.match(/\\[a-zA-Z()[\]]+|\$\$|\$[^$\s][^$]*\$/g) || []
}"""

# What is fainter than WCAG AA asks: text against the nearest background that is painted behind it.
FAINT = r"""() => {
  const rgba = colour => (colour.match(/[\d.]+/g) || []).map(Number)
  const linear = channel => (channel /= 255) <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4
  const luminance = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b)
  const behind = element => {
    const colour = element ? rgba(getComputedStyle(element).backgroundColor) : [255, 255, 255]
    return colour.length < 4 || colour[3] === 1 ? colour : behind(element.parentElement)
  }
  const faint = []
  for (const element of document.querySelectorAll("body *")) {
    const says = [...element.childNodes].filter(n => n.nodeType === Node.TEXT_NODE).map(n => n.data).join("").trim()
    if (!says || !element.checkVisibility({checkOpacity: true, checkVisibilityCSS: true})) continue
    const style = getComputedStyle(element), size = parseFloat(style.fontSize)
    const [dim, bright] = [luminance(rgba(style.color)), luminance(behind(element))].sort((a, b) => a - b)
    const least = size >= 24 || (size >= 18.66 && style.fontWeight >= 700) ? 3 : 4.5
    const contrast = (bright + 0.05) / (dim + 0.05)
    if (contrast < least) faint.push(`${contrast.toFixed(1)}: ${says.slice(0, 40)}`)
  }
  return faint
}"""


def pyodide_from_disk(route):
    """Answer a request to CDN with the file of the folder that PYODIDE_DIST names."""
    file = Path(os.environ["PYODIDE_DIST"], Path(urlsplit(route.request.url).path).name)
    kind = TYPES.get(file.suffix, "application/octet-stream")
    route.fulfill(path=file, headers={"content-type": kind, "access-control-allow-origin": "*"})


@dataclass
class Visit:
    """What happened when one page was opened."""

    name: str        # "chapters/faq.html at 360 px, dark"
    complaints: list  # errors and warnings on the console
    strangers: list   # requests to another host
    overhang: int     # pixels by which the page is wider than the window
    raw_tex: list     # mathematics that was not typeset
    faint: list       # text with too little contrast


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
    running = server(site, 0)
    threading.Thread(target=running.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{running.server_port}"
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


@pytest.fixture(scope="module")
def visits(browser, address, pages):
    """Every page, opened at each width in light and in dark."""
    seen = []
    for width in WIDTHS:
        for mode in ("light", "dark"):
            context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=mode)
            seen += [visit(context, address, page, f"{page} at {width} px, {mode}") for page in pages]
            context.close()
    return seen


def visit(context, address, page, name):
    """Open one page and note what happens."""
    tab, complaints, strangers = context.new_page(), [], []
    tab.on("console", lambda message: message.type in ("error", "warning") and complaints.append(message.text))
    tab.on("pageerror", lambda error: complaints.append(str(error)))
    tab.on("request", lambda request: is_remote(request.url, address) and strangers.append(request.url))
    tab.goto(f"{address}/{page}", wait_until="networkidle")
    overhang = tab.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    tab.add_style_tag(content="* { transition: none !important }")  # else a colour may be on its way to another
    raw_tex, faint = tab.evaluate(RAW_TEX), tab.evaluate(FAINT)
    tab.close()
    return Visit(name, complaints, strangers, overhang, raw_tex, faint)


def is_remote(url, address):
    return urlsplit(url).scheme not in ("data", "blob") and not url.startswith(address + "/")
