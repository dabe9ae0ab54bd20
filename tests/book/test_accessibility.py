"""No page breaks a rule of WCAG 2.1, A and AA, that axe-core can check; and the keyboard reaches what scrolls."""

import pytest

from tests import needs
from tests.book.screens import CHAPTERS, STILL, others, turn

RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"], "resultTypes": ["violations"], "preload": False}
WITHOUT_CONTRAST = {**RULES, "rules": {"color-contrast": {"enabled": False}}}
# Both widths and both modes once each; the rule on contrast on one alone, since it takes seconds a page: what it would
# say of the others, the test of faint text in test_pages.py says of all four.
SCREENS = {"desktop, light": (1440, "light", RULES), "phone, dark": (390, "dark", WITHOUT_CONTRAST)}
TAB_STOPS = "() => new Promise(done => setTimeout(done, 400))"  # 300 ms after a turn the theme has set them anew
UNREACHED = """() => [...document.querySelectorAll(".bd-article *")].filter(box =>
  box.checkVisibility() && getComputedStyle(box).overflowX === "auto" && box.scrollWidth > box.clientWidth + 1
  && box.tabIndex < 0).map(box => box.outerHTML.slice(0, 120))"""
FLAWED = """<html lang="en"><title>A page</title><main class="bd-article">
<button></button> <p style="color: #ccc">faint</p> <a href="/"></a> <pre>a line that is too wide</pre></main>
<style>@media (min-width: 400px) { a { display: none } }</style>
<style>@media (max-width: 400px) { pre { overflow-x: auto; width: 50px } }</style>"""


def broken(tab, page):
    """Of each screen on which a page breaks a rule of axe or hides something from the keyboard: what."""
    tab.goto(f"/{page}", wait_until="load")
    tab.evaluate("document.fonts.ready")
    tab.add_style_tag(content=STILL)
    return {screen: flaws for screen, flaws in check(tab).items() if any(flaws.values())}


def check(tab):
    """For each screen, the rules that the page in the tab breaks, each with the element that breaks it, and what the
    keyboard cannot reach."""
    from axe_playwright_python.base import AXE_SCRIPT

    tab.evaluate(AXE_SCRIPT)
    found = {}
    for screen, (width, mode, rules) in SCREENS.items():
        turn(tab, width, mode)
        tab.evaluate(TAB_STOPS)
        rules = tab.evaluate("rules => axe.run(document, rules)", rules)["violations"]
        nodes = [f"{rule['id']}: {node['html'][:160]}" for rule in rules for node in rule["nodes"]]
        found[screen] = {"rules": nodes, "unreached": tab.evaluate(UNREACHED)}
    return found


@needs.chromium
@pytest.mark.sampled("page")
@pytest.mark.parametrize("name", CHAPTERS)
def test_no_chapter_keeps_a_reader_out(reader, name):
    assert broken(reader, f"chapters/{name}.html") == {}


@needs.chromium
def test_no_other_page_keeps_a_reader_out(reader, pages):
    assert {page: found for page in others(pages) if (found := broken(reader, page))} == {}


@needs.chromium
def test_a_flaw_is_seen_on_the_screen_on_which_it_shows(reader):
    reader.set_content(FLAWED)
    desk, phone = check(reader).values()
    names = [[rule.split(":")[0] for rule in screen["rules"]] for screen in (desk, phone)]
    assert names == [["button-name", "color-contrast"], ["button-name", "link-name", "scrollable-region-focusable"]]
    assert (desk["unreached"], phone["unreached"]) == ([], ["<pre>a line that is too wide</pre>"])
