"""The built book, page by page: every law here names the pages that break it."""

import re
from urllib.parse import unquote, urlsplit

import pytest

from tests import needs
from tests.book.screens import CHAPTERS, SCREENS, others, turn, visits

CITED = re.compile(r"\{cite(?::\w+)?\}`([^`]+)`")


def links(page, *attributes):
    """Every address that stands in the given attributes of the page."""
    return [tag[name] for name in attributes for tag in page.find_all(attrs={name: True})]


def resolves(site, pages, here, url):
    """Does an address on the page `here` lead to a file of the site, and its fragment to an anchor there?"""
    parts = urlsplit(url)
    target = (site / here).parent / unquote(parts.path) if parts.path else site / here
    name = target.resolve().relative_to(site.resolve()).as_posix() if target.is_file() else None
    return name is not None and (not parts.fragment or name not in pages or has_anchor(pages[name], parts.fragment))


def has_anchor(page, fragment):
    return page.find(attrs={"id": unquote(fragment)}) is not None


def meta(page, **attributes):
    tag = page.find("meta", attrs=attributes)
    return tag["content"].strip() if tag else ""


def in_toc(pages):
    """The pages that somebody wrote; the others are the search page and the index."""
    return {name: page for name, page in pages.items() if name not in ("search.html", "genindex.html")}


def test_every_internal_link_and_anchor_resolves(site, pages):
    internal = [(here, url) for here, page in pages.items() for url in links(page, "href", "src")
                if not urlsplit(url).scheme and url != "#"]
    assert [link for link in internal if not resolves(site, pages, *link)] == []


def test_what_a_page_loads_is_part_of_the_site(pages):
    loaded = [(here, url) for here, page in pages.items() for tag in page(["script", "link", "img"])
              for url in (tag.get("src"), tag.get("href")) if url]
    assert [(here, url) for here, url in loaded if urlsplit(url).netloc] == []


def test_citations_and_references_match_one_to_one(root, site):
    text = "\n".join(path.read_text("utf-8") for path in (site / "_sources").rglob("*.md"))
    cited = {re.sub(r"\{[^}]*\}", "", key).strip() for keys in CITED.findall(text) for key in keys.split(",")}
    assert cited == set(re.findall(r"^@\w+\{([^,\s]+),", (root / "references.bib").read_text("utf-8"), re.M))


def test_every_page_says_what_it_is(pages):
    wanted = {"description": {"name": "description"}, "og:title": {"property": "og:title"},
              "og:description": {"property": "og:description"}}
    missing = [(here, what) for here, page in pages.items() for what, tag in wanted.items() if not meta(page, **tag)]
    assert missing + [(here, "title") for here, page in pages.items() if not page.title.get_text(strip=True)] == []


def test_no_two_pages_describe_themselves_alike(pages):
    descriptions = {here: meta(page, name="description") for here, page in in_toc(pages).items()}
    assert len(set(descriptions.values())) == len(descriptions), descriptions


def test_every_image_has_a_text_for_those_who_cannot_see_it(pages):
    images = [(here, image) for here, page in pages.items() for image in page.select("main img, main svg[role=img]")]
    texts = [(here, image.name, image.get("alt") or image.get("aria-label") or "") for here, image in images]
    assert [image for image in texts if not image[2].strip()] == []


CUT = """() => [...document.querySelectorAll("text")].filter(text => {
  const words = text.getBBox(), drawing = document.documentElement.viewBox.baseVal
  return words.x < 0 || words.x + words.width > drawing.width || words.y + words.height > drawing.height
}).map(text => text.textContent)"""


@needs.chromium
def test_no_words_of_a_drawing_are_cut_at_its_edge(browser, root):
    """Even where a machine has neither Helvetica nor Arial: what stands in for them may be wider."""
    tab, cut = browser.new_page(), {}
    for drawing in sorted((root / "chapters" / "figures").glob("*.svg")):
        tab.goto(drawing.as_uri())
        cut[drawing.name] = tab.evaluate(CUT)
    tab.close()
    assert not any(cut.values()), cut


def test_the_style_sheet_of_katex_is_as_old_as_its_script(root):
    from sphinxcontrib.katex import katex_version

    style = (root / "_static" / "katex" / "katex.min.css").read_text("utf-8")
    assert f'.katex-version:after{{content:"{katex_version}"}}' in style.replace("::after", ":after")


def test_every_mathematics_font_that_the_style_sheet_prefers_is_shipped(root):
    katex = root / "_static" / "katex"
    wanted = set(re.findall(r"url\((fonts/[^)]+\.woff2)\)", (katex / "katex.min.css").read_text("utf-8")))
    assert wanted == {font.relative_to(katex).as_posix() for font in katex.rglob("*.woff2")}


@needs.chromium
@pytest.mark.sampled("page")
@pytest.mark.parametrize("name", CHAPTERS)
def test_no_chapter_shows_a_flaw_at_any_width_in_light_or_dark(reader, address, name):
    assert flaws(reader.context, address, f"chapters/{name}.html") == {}


@needs.chromium
def test_no_other_page_shows_a_flaw_at_any_width_in_light_or_dark(reader, address, pages):
    assert [flaws(reader.context, address, page) for page in others(pages)] == [{}] * len(others(pages))


def flaws(context, address, page):
    """What is wrong with a page, by the screen on which it is."""
    found = {visit.name: {flaw: getattr(visit, flaw) for flaw in FLAWS} for visit in visits(context, address, page)}
    wrong = {name: {flaw: what for flaw, what in each.items() if what and (flaw != "overhang" or what > 0)}
             for name, each in found.items()}
    return {name: each for name, each in wrong.items() if each}


FLAWED = r"""<!DOCTYPE html>
<p>\(x^2\)</p> <p class="wide">wide</p> <p class="faint">faint</p>
<style>@media (max-width: 400px) { .wide { width: 600px } }</style>
<style>@media (prefers-color-scheme: dark) { .faint { color: #ccc } }</style>
<script>fetch("https://example.org", {mode: "no-cors"})</script>
<script>matchMedia("(max-width: 400px)").addEventListener("change", () => console.error("narrow"))</script>"""
FLAWS = ("complaints", "strangers", "overhang", "raw_tex", "faint")


@needs.chromium
def test_every_flaw_is_seen_on_the_screen_on_which_it_shows(reader, address):
    reader.context.route("https://**", lambda route: route.fulfill())
    reader.context.route("**/flawed.html", lambda route: route.fulfill(body=FLAWED, content_type="text/html"))
    found = visits(reader.context, address, "flawed.html")
    assert [{flaw for flaw in FLAWS if getattr(visit, flaw)} for visit in found] == [
        {"strangers", "raw_tex"}, {"raw_tex", "faint"}, {"complaints", "overhang", "raw_tex"},
        {"overhang", "raw_tex", "faint"}]


@needs.chromium
def test_a_page_of_the_book_is_dark_where_its_reader_wants_it_dark(reader):
    reader.goto("/index.html")
    for width, mode in SCREENS:
        turn(reader, width, mode)
        assert reader.locator("html").get_attribute("data-theme") == mode


@needs.chromium
def test_search_finds_the_chapter_in_which_a_word_stands(reader):
    reader.goto("/search.html?q=decoder")
    reader.locator("#search-results li a[href*='02_additive_attention']").first.wait_for()


@needs.chromium
def test_a_copy_button_copies_the_code_beside_it(reader):
    reader.goto("/chapters/02_additive_attention.html")
    cell = reader.locator("div.cell_input:visible").first
    cell.hover()
    cell.locator("button.copybtn").click()
    assert reader.evaluate("navigator.clipboard.readText()").strip() == cell.locator("pre").inner_text().strip()


@needs.chromium
def test_a_reader_can_choose_the_dark_page_and_it_stays(reader):
    reader.emulate_media(color_scheme="light")
    reader.goto("/index.html")
    reader.locator("button.theme-switch-button:visible").first.click()
    reader.goto("/chapters/faq.html")
    assert reader.locator("html").get_attribute("data-theme") == "dark"


@needs.chromium
def test_an_answer_opens_when_it_is_asked_for(reader):
    reader.goto("/chapters/02_additive_attention.html")
    answer = reader.locator("details.sd-dropdown").first
    assert not answer.locator(".sd-card-body").is_visible()
    answer.locator("summary").click()
    assert answer.locator(".sd-card-body").is_visible()


def test_every_icon_is_drawn(pages):
    left = [(here, icon.name, icon["class"]) for here, page in pages.items()
            for icon in page.select("[class*='fa-']") if icon.name != "svg"]
    assert pages and left == []
