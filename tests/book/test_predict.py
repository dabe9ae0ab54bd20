"""What a reader is to predict stays hidden until they ask, and their guess stands beside it."""

import re

import pytest
from playwright.sync_api import expect

from tests import needs
from tests.book.screens import STILL, turn
from tests.book.test_form import NUMBERED, predictions, tags
from tests.book.test_live import cell, status

CHAPTER = "/chapters/13_writing.html"
EARLY = "/chapters/12_language_model.html"  # where cells run before its first prediction that take no time
VISIBLE = "all => all.length > 0 && all.every(one => one.checkVisibility())"
BLOCKED = """Object.defineProperty(window, "localStorage", {get() { throw new DOMException("no", "SecurityError") }})"""


@pytest.fixture
def page(reader):
    """A chapter with predictions, and no guess yet."""
    reader.goto(CHAPTER)
    return reader


def answer(page, n=0):
    """The n-th hidden output that a **Predict** asks for."""
    return page.locator("div.cell:has(> .guess) > details").nth(n)


def guess(page, n=0):
    return page.locator(".guess input").nth(n)


def test_the_words_on_a_hidden_output_are_those_that_a_screen_reader_says(pages):
    shown = [summary for page in pages.values() for summary in page.select("details.hide > summary")]
    assert [summary for summary in shown if summary.get("aria-label")] == []
    assert {summary.get_text(strip=True) for summary in shown if "below-input" in summary.parent["class"]} == {
        "Show what comes outHide what comes out"}


@needs.chromium
def test_an_answer_is_hidden_until_it_is_asked_for_by_keyboard_too(page):
    output = answer(page).locator(".cell_output")
    expect(output).to_be_hidden()
    answer(page).locator("summary").focus()
    page.keyboard.press("Enter")
    expect(output).to_be_visible()


@needs.chromium
def test_on_paper_every_answer_stands_open_and_no_empty_guess(page):
    guess(page, 1).fill("two")
    page.emulate_media(media="print")
    assert page.locator("details.below-input .cell_output").evaluate_all(VISIBLE)
    expect(guess(page, 0)).to_be_hidden()
    expect(guess(page, 1)).to_be_visible()


@needs.chromium
def test_the_search_finds_what_an_answer_says(page):
    said = answer(page).locator(".cell_output").text_content()
    word = max(re.findall(r"[a-z]{6,}", said), key=len)
    page.goto(f"/search.html?q={word}")
    expect(page.locator(f"#search-results li a[href*='{CHAPTER[1:-5]}']").first).to_be_visible()


@needs.chromium
def test_a_guess_stays_beside_the_answer_and_in_this_browser(page):
    guess(page).fill("one in ten / 7")
    answer(page).locator("summary").click()
    expect(guess(page)).to_be_visible()
    page.reload()
    expect(guess(page)).to_have_value("one in ten / 7")
    expect(guess(page, 1)).to_have_value("")


@needs.chromium
def test_a_guess_is_sent_nowhere(page):
    asked = []
    page.wait_for_load_state("networkidle")
    page.on("request", lambda request: asked.append(request.url))
    guess(page).press_sequentially("one / two")
    assert asked == [] and page.context.cookies() == []


@needs.chromium
def test_where_a_browser_keeps_nothing_the_page_says_so_and_works(reader):
    complaints = []
    reader.on("pageerror", lambda error: complaints.append(error.stack))
    reader.add_init_script(BLOCKED)
    reader.goto(CHAPTER)
    guess(reader).fill("two")
    expect(reader.locator(".guess").first).to_contain_text("until you leave this page")
    assert guess(reader).input_value() == "two" and "predict.js" not in "".join(complaints)  # the theme's do complain


@needs.chromium
@pytest.mark.parametrize("mode", ["light", "dark"])
def test_the_line_for_a_guess_fits_a_phone_and_can_be_read(page, mode):
    page.add_style_tag(content=STILL)
    turn(page, 390, mode)
    box, (ink, paper) = guess(page).bounding_box(), guess(page).evaluate(
        "input => [getComputedStyle(input).color, getComputedStyle(input).backgroundColor]")
    assert box["x"] >= 0 and box["x"] + box["width"] <= 390 and box["height"] >= 24
    brightness = [sum(map(float, re.findall(r"[\d.]+", colour)[:3])) for colour in (ink, paper)]
    assert (brightness[0] < brightness[1]) == (mode == "light") and abs(brightness[0] - brightness[1]) > 400


@needs.chromium
@pytest.mark.sampled("page")
@pytest.mark.parametrize("name", NUMBERED)
def test_each_prediction_of_a_chapter_has_a_line_for_a_guess(reader, root, name):
    text = (root / "chapters" / f"{name}.md").read_text("utf-8")
    reader.goto(f"/chapters/{name}.html")
    hidden = [cell for _, cell in predictions(text) if "hide-output" in tags(cell)]
    assert reader.locator(".guess").count() == len(hidden)


@needs.chromium
@needs.pyodide
@pytest.mark.sampled("python in a page")
def test_to_run_a_cell_is_to_ask_for_its_answer_but_to_run_a_later_one_is_not(live):
    live.goto(EARLY)
    live.set_default_timeout(60_000)
    number = 1 + live.locator("div.cell").evaluate_all("all => all.findIndex(one => one.querySelector('.guess'))")
    cell(live, number + 1).get_by_role("button", name="Run").click()
    expect(status(live)).to_have_text(f"Cell {number + 1} has run.")
    expect(cell(live, number).locator(".cell_output")).to_be_hidden()
    cell(live, number).get_by_role("button", name="Run").click()
    expect(cell(live, number).locator(".cell_output")).to_be_visible()
