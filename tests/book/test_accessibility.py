"""No page breaks a rule of WCAG 2.1, A and AA, that axe-core can check; and the keyboard reaches what scrolls."""

import time

import pytest

from tests import needs

# Both widths and both modes once each, since the rule on contrast takes seconds a page: what it would say of the other
# two, the test of faint text in test_pages.py says of all four.
SCREENS = {"desktop, light": (1440, "light"), "phone, dark": (390, "dark")}
RULES = "{runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'], resultTypes: ['violations'], preload: false}"
UNREACHED = """() => [...document.querySelectorAll(".bd-article *")].filter(box =>
  box.checkVisibility() && getComputedStyle(box).overflowX === "auto" && box.scrollWidth > box.clientWidth + 1
  && box.tabIndex < 0).map(box => box.outerHTML.slice(0, 120))"""


@pytest.fixture(scope="module")
def broken(browser, address, pages):
    """For each page and screen, the rules of axe that it breaks, and what the keyboard cannot reach."""
    from axe_playwright_python.base import AXE_SCRIPT

    start, found = time.monotonic(), {}
    for screen, (width, mode) in SCREENS.items():
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=mode, base_url=address)
        tab = context.new_page()
        for page in pages:
            found[f"{page}, {screen}"] = check(tab, page, AXE_SCRIPT)
        context.close()
    print(f"\naxe: {len(pages)} pages, {' and '.join(SCREENS)}: {time.monotonic() - start:.0f} s")
    return found


def check(tab, page, axe):
    """Open one page; its broken rules, each with the element that breaks it, and what the keyboard cannot reach."""
    tab.goto(f"/{page}", wait_until="load")
    tab.evaluate("document.fonts.ready")
    tab.evaluate(axe)
    violations = tab.evaluate(f"axe.run(document, {RULES})")["violations"]
    return {"rules": [f"{rule['id']}: {node['html'][:160]}" for rule in violations for node in rule["nodes"]],
            "unreached": tab.evaluate(UNREACHED)}


@needs.chromium
@pytest.mark.parametrize("what", ["rules", "unreached"])
def test_no_page_keeps_a_reader_out(broken, what):
    assert {where: found[what] for where, found in broken.items() if found[what]} == {}


@needs.chromium
def test_axe_sees_a_flaw_that_is_there(reader):
    from axe_playwright_python.base import AXE_SCRIPT

    reader.set_content("<html lang='en'><title>A page</title><main><button></button></main>")
    reader.evaluate(AXE_SCRIPT)
    assert [rule["id"] for rule in reader.evaluate(f"axe.run(document, {RULES})")["violations"]] == ["button-name"]
