"""A page is light and soon readable; the weights and times of all pages are printed."""

import statistics
from urllib.parse import urlsplit

import pytest

from tests import needs

HEAVIEST = 1_000_000  # bytes on the wire, for a reader who comes for the first time
SLOWEST = 1_000       # milliseconds until the page is painted and its mathematics typeset
TIMES = """() => new Promise(done => new PerformanceObserver(list => done(Math.max(
  list.getEntries().find(entry => entry.name === "first-contentful-paint").startTime,
  performance.getEntriesByType("navigation")[0].domContentLoadedEventEnd)))
  .observe({type: "paint", buffered: true}))"""


@pytest.fixture(scope="module")
def first_views(browser, address, pages):
    """Page -> bytes that came over the wire, and milliseconds until it could be read, each as by a new reader."""
    seen = {page: first_view(browser, address, page) for page in pages}
    for page, (weight, time) in sorted(seen.items()):
        print(f"{page:40} {weight / 1000:6.0f} kB {time:6.0f} ms")
    print(f"{'median':40} {statistics.median(weight for weight, _ in seen.values()) / 1000:6.0f} kB "
          f"{statistics.median(time for _, time in seen.values()):6.0f} ms")
    return seen


def first_view(browser, address, page):
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    tab, came = context.new_page(), []
    tab.on("response", lambda response: came.append(int(response.headers["content-length"])))
    tab.goto(f"{address}/{page}", wait_until="networkidle")
    readable = tab.evaluate(TIMES)
    context.close()
    return sum(came), readable


@needs.chromium
def test_no_first_view_of_a_page_is_heavy(first_views):
    assert {page: weight for page, (weight, _) in first_views.items() if weight > HEAVIEST} == {}


@needs.chromium
def test_every_page_can_soon_be_read(first_views, browser, address):
    late = [page for page, (_, time) in first_views.items() if time > SLOWEST]
    again = {page: min(first_view(browser, address, page)[1] for _ in range(4)) for page in late}  # a busy machine
    assert {page: time for page, time in again.items() if time > SLOWEST} == {}


@needs.chromium
def test_only_the_search_page_loads_the_index_of_the_search(reader):
    loaded = []
    reader.on("request", lambda request: loaded.append(urlsplit(request.url).path))
    reader.goto("/index.html", wait_until="networkidle")
    assert "/searchindex.js" not in loaded
    reader.goto("/search.html", wait_until="networkidle")
    assert "/searchindex.js" in loaded
