"""A page is light and soon readable; its weight and time are printed."""

from urllib.parse import urlsplit

import pytest

from tests import needs
from tests.book.screens import CHAPTERS, others

HEAVIEST = 1_000_000  # bytes on the wire, for a reader who comes for the first time
SLOWEST = 1_000       # milliseconds until the page is painted and its mathematics typeset
TIMES = """() => new Promise(done => new PerformanceObserver(list => done(Math.max(
  list.getEntries().find(entry => entry.name === "first-contentful-paint").startTime,
  performance.getEntriesByType("navigation")[0].domContentLoadedEventEnd)))
  .observe({type: "paint", buffered: true}))"""


def first_view(browser, address, page):
    """Bytes that came over the wire, and milliseconds until the page could be read, by a new reader."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    tab, came = context.new_page(), []
    tab.on("response", lambda response: came.append(int(response.headers["content-length"])))
    tab.goto(f"{address}/{page}", wait_until="networkidle")
    readable = tab.evaluate(TIMES)
    context.close()
    return sum(came), readable


@needs.chromium
@pytest.mark.sampled("page")
@pytest.mark.parametrize("name", CHAPTERS)
def test_a_chapter_is_light_and_can_soon_be_read(browser, address, name):
    assert light_and_soon_read(browser, address, f"chapters/{name}.html")


@needs.chromium
def test_every_other_page_is_light_and_can_soon_be_read(browser, address, pages):
    assert [page for page in others(pages) if not light_and_soon_read(browser, address, page)] == []


def light_and_soon_read(browser, address, page):
    """Is it, at the first of five visits in which it is? Else the machine may be busy."""
    for _ in range(5):
        weight, time = first_view(browser, address, page)
        print(f"{page:40} {weight / 1000:6.0f} kB {time:6.0f} ms")
        if weight > HEAVIEST or time <= SLOWEST:
            break
    return weight <= HEAVIEST and time <= SLOWEST


@needs.chromium
def test_only_the_search_page_loads_the_index_of_the_search(reader):
    loaded = []
    reader.on("request", lambda request: loaded.append(urlsplit(request.url).path))
    reader.goto("/index.html", wait_until="networkidle")
    assert "/searchindex.js" not in loaded
    reader.goto("/search.html", wait_until="networkidle")
    assert "/searchindex.js" in loaded
