"""The figures to touch: by mouse, keys and finger they show what NumPy computes; without scripts, a still picture."""

import json
import re

import numpy as np
import pytest

from coursekit import plot
from tests import needs

PAGE = {**dict.fromkeys(["softmax", "steps fig-state-moves"], "02_additive_attention"),
        "alignment": "03_learning_to_align",
        "steps fig-centre": "04_multiplicative_attention", "steps fig-draws": "05_soft_and_hard",
        "turn": "06_scaled_dot_product",
        "mask": "06_scaled_dot_product", "steps fig-silent-heads": "07_multi_head",
        "rotary": "08_positions", "steps fig-step-by-step": "10_the_transformer",
        "steps": "11_tokens",
        "steps fig-silence": "12_language_model",
        **dict.fromkeys(["steps fig-temperature", "steps fig-top-k", "steps fig-top-p"], "13_writing"),
        **dict.fromkeys(["steps fig-caption", "steps fig-listener"], "15_images_and_sound"),
        "steps fig-rows-and-columns": "16_memory",
        "steps fig-silence-induction": "17_inside_heads", "steps fig-beta": "18_fixed_state"}
PHONE = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True}
PUBLISHED = """async name => new DOMParser()
  .parseFromString(await (await fetch(location)).text(), "text/html").querySelector(name).outerHTML"""
pytestmark = needs.chromium


def selector(figure):
    """Finds a figure by its kind, and by the name of what it stands in where the page has several of a kind."""
    kind, _, name = figure.partition(" ")
    return f"#{name} touch-figure[kind={kind}]" if name else f"touch-figure[kind={kind}]"


class Figure:
    """A figure on a page, with what it started from, what it shows, and how a reader takes hold of it."""

    def __init__(self, tab, kind):
        self.tab, self.root = tab, tab.locator(selector(kind))
        self.start = json.loads(self.root.get_attribute("data-start"))

    def part(self, name, n=0):
        return self.root.locator(f"[data-is='{name}']").nth(n)

    def shown(self, name):
        """The numbers that stand in the texts of a name, as many in each as it holds."""
        texts = self.root.locator(f"[data-is='{name}']").all_text_contents()
        found = [[float(n) for n in re.findall(r"-?[\d.]+", text.replace("−", "-"))] for text in texts]
        return np.squeeze(found)

    def press(self, part, key, times=1):
        part.focus()
        for _ in range(times):
            self.tab.keyboard.press(key)

    def middle(self, part):
        """Where a part stands in the window, after it has come into sight."""
        part.scroll_into_view_if_needed()
        box = part.bounding_box()
        return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    def knob(self, part):
        return self.middle(part.locator(".knob"))

    def drag(self, part, right, down):
        """Move a knob with the mouse, by so many units of the picture."""
        (x, y), unit = self.knob(part), self.unit()
        self.tab.mouse.move(x, y)
        self.tab.mouse.down()
        self.tab.mouse.move(x + right * unit, y + down * unit, steps=4)
        self.tab.mouse.up()

    def swipe(self, part, right, down):
        """The same with a finger."""
        (x, y), unit = self.knob(part), self.unit()
        finger = self.tab.context.new_cdp_session(self.tab)
        for kind, share in [("touchStart", 0), ("touchMove", 0.5), ("touchMove", 1)]:
            point = {"x": x + right * unit * share, "y": y + down * unit * share}
            finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [point]})
        finger.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})

    def unit(self):
        return self.root.locator("svg").bounding_box()["width"] / 360

    def numbers(self):
        return self.root.locator("svg text").all_text_contents()


class Window:
    """Opens the page of each kind of figure once, in a tab of its own; for every test the figure begins anew."""

    def __init__(self, context):
        self.context, self.tabs = context, {}

    def __call__(self, kind):
        if kind not in self.tabs:
            self.tabs[kind] = self.open(kind)
        tab, published = self.tabs[kind]
        tab.mouse.move(0, 0)
        tab.keyboard.press("Shift")  # the hand is back on the keys, whose focus is shown
        tab.emulate_media(media="screen", color_scheme="light")
        tab.locator(selector(kind)).evaluate("(one, html) => { one.outerHTML = html }", published)
        tab.evaluate("scrollTo(0, 0)")
        return Figure(tab, kind)

    def open(self, kind):
        """A tab, and the figure in it as the site sends it, before any script."""
        tab = self.context.new_page()
        tab.goto(f"/chapters/{PAGE[kind]}.html")
        return tab, tab.evaluate(PUBLISHED, selector(kind))


@pytest.fixture(scope="module")
def figure(browser, address):
    """Shows a kind of figure in a window, at first a desk's."""
    context = browser.new_context(base_url=address)
    yield Window(context)
    context.close()


@pytest.fixture(scope="module")
def phone(browser, address):
    """The same on a telephone, under a finger."""
    context = browser.new_context(base_url=address, **PHONE)
    yield Window(context)
    context.close()


def softmax(scores, mask=True):
    powers = np.where(mask, np.exp(scores), 0.0)
    return powers / np.maximum(powers.sum(axis=-1, keepdims=True), 1e-300)


def turned(figure):
    """Query, scores, weights and output, from the angle and the length that the sliders tell."""
    angle, length = (float(figure.part(name).get_attribute("aria-valuenow")) for name in ("tip", "length"))
    q = length * np.array([np.cos(np.deg2rad(angle)), np.sin(np.deg2rad(angle))])
    K, V = np.array(figure.start["K"]), np.array(figure.start["V"])
    scores = K @ q / 2**0.5
    return q, scores, softmax(scores), softmax(scores) @ V


def agree(shown, computed, digits=2):
    np.testing.assert_allclose(shown, computed, atol=0.5 * 10.0**-digits + 1e-9)


# Softmax.

def test_dragging_one_score_moves_every_weight(figure):
    touched = figure("softmax")
    touched.drag(touched.part("score"), 0, -28)
    assert touched.shown("number")[0] == pytest.approx(6, abs=0.3)
    agree(touched.shown("weight"), softmax(touched.shown("number")))


@pytest.mark.parametrize(("key", "times"), [("ArrowUp", 7), ("PageDown", 3), ("Home", 1), ("End", 1)])
def test_keys_move_all_scores_and_no_weight(figure, key, times):
    touched = figure("softmax")
    before, scores = touched.shown("weight"), touched.shown("number")
    touched.press(touched.part("all"), key, times)
    moved = touched.shown("number") - scores
    assert np.ptp(moved) < 1e-9 < abs(moved[0])
    np.testing.assert_array_equal(touched.shown("weight"), before)


@pytest.mark.parametrize("n", [0, 1, 2])
def test_a_button_sets_its_scores(figure, n):
    touched = figure("softmax")
    touched.root.locator("button").nth(n).click()
    np.testing.assert_array_equal(touched.shown("number"), touched.start["presets"][n])
    agree(touched.shown("weight"), softmax(np.array(touched.start["presets"][n])))


def test_a_finger_drags_a_score_and_the_page_stays(phone):
    touched = phone("softmax")
    touched.knob(touched.part("score", 2))                  # scrolls to it
    before = touched.tab.evaluate("scrollY")
    touched.swipe(touched.part("score", 2), 0, -35)
    assert touched.shown("number")[2] == pytest.approx(5.1, abs=0.4)
    agree(touched.shown("weight"), softmax(touched.shown("number")))
    assert touched.tab.evaluate("scrollY") == before


# A query among keys.

@pytest.mark.parametrize(("name", "key", "times"), [
    ("tip", "ArrowLeft", 9), ("tip", "PageUp", 7), ("tip", "End", 1), ("length", "End", 1), ("length", "Home", 1)])
def test_a_query_shows_its_scores_weights_and_blend(figure, name, key, times):
    touched = figure("turn")
    touched.press(touched.part(name), key, times)
    q, scores, weights, output = turned(touched)
    for part, computed in [("score", scores), ("weight", weights), ("pair", [q, output])]:
        agree(touched.shown(part), computed)


def test_a_query_turns_once_round_and_is_where_it_was(figure):
    touched = figure("turn")
    before = touched.numbers()
    touched.press(touched.part("tip"), "PageUp", 12)
    assert touched.numbers() == before


@pytest.mark.parametrize("how", ["drag", "swipe"])
def test_a_query_is_turned_by_hand(figure, phone, how):
    touched = figure("turn") if how == "drag" else phone("turn")
    getattr(touched, how)(touched.part("tip"), -42, -42)
    assert float(touched.part("tip").get_attribute("aria-valuenow")) == 90
    agree(touched.shown("weight"), turned(touched)[2])


# An alignment.

def row_of(touched):
    """The weights above the source characters, 0 where they are too small to be shown."""
    texts = touched.root.locator("[data-is='weight']").all_text_contents()
    return np.array([float(text or 0) for text in texts])


def big(weights):
    return np.where(np.array(weights) >= 0.05, weights, 0)


@pytest.mark.parametrize("row", [0, 5, 9])
def test_arrow_keys_step_through_the_characters(figure, row):
    touched = figure("alignment")
    touched.press(touched.part("strip"), "ArrowRight", row + 1)
    agree(row_of(touched), big(touched.start["weights"][row]))


def test_pointing_at_a_character_shows_its_weights(figure):
    touched = figure("alignment")
    x, y = touched.middle(touched.part("strip"))
    touched.tab.mouse.move(x + 45 * touched.unit(), y)      # one and a half characters to the right of the middle
    agree(row_of(touched), big(touched.start["weights"][6]))


def test_a_finger_chooses_a_character(phone):
    touched = phone("alignment")
    x, y = touched.middle(touched.part("strip"))
    touched.tab.touchscreen.tap(x - 45 * touched.unit(), y)
    agree(row_of(touched), big(touched.start["weights"][3]))


def test_the_alignment_is_the_trained_model_s(figure):
    from coursekit import load
    from coursekit.models.dates import DateTranslator
    from coursekit.tasks.dates import TARGET
    from coursekit.tasks.tokens import BLANK

    start, model, rows = figure("alignment").start, DateTranslator(load("date_translator")), []
    memory, _ = model.read(["".join(start["source"]).replace("␣", " ")])
    state, previous = model.start(memory), np.array([BLANK])
    for character in start["target"]:
        rows.append(softmax(np.tanh(state @ model.W + memory[0] @ model.U) @ model.v))
        state, _ = model.step(state, previous, (rows[-1] @ memory[0])[None])
        previous = np.array([TARGET.characters.index(character) + 1])
    np.testing.assert_allclose(start["weights"], rows, atol=1e-6)  # both in float32


# A mask.

def masked(touched):
    """The weights under the mask that the places say they hold."""
    size = len(touched.start["words"])
    places = touched.root.locator("[role=checkbox]")
    checked = places.evaluate_all("all => all.map(one => one.getAttribute('aria-checked') === 'true')")
    return softmax(np.array(touched.start["scores"]), np.reshape(checked, (size, size)))


def grid(touched):
    size = len(touched.start["words"])
    return touched.shown("place").reshape(size, size)


@pytest.mark.parametrize("n", range(4))
def test_a_named_mask_gives_the_weights_of_its_softmax(figure, n):
    touched = figure("mask")
    touched.root.locator("button").nth(n).click()
    mask = np.array(touched.start["masks"][n], bool)
    agree(grid(touched), softmax(np.array(touched.start["scores"]), mask))
    agree(touched.shown("sum"), mask.any(axis=1))
    assert (touched.root.locator("button[aria-pressed=true]").all_text_contents()
            == [touched.root.locator("button").nth(n).text_content()])


@pytest.mark.parametrize("how", ["click", "tap", "keys"])
def test_a_place_is_toggled_and_its_row_normalised_anew(figure, phone, how):
    touched = phone("mask") if how == "tap" else figure("mask")
    place, before = touched.part("place", 10), masked(touched)
    if how == "keys":
        touched.press(touched.part("place"), "ArrowDown")
        for key in ("ArrowRight", "ArrowRight", "ArrowRight", "Space"):
            touched.tab.keyboard.press(key)
    else:
        getattr(place, how)()
    assert place.get_attribute("aria-checked") == "true"
    agree(grid(touched), masked(touched))
    assert not np.allclose(masked(touched)[1], before[1]) and np.allclose(masked(touched)[2:], before[2:])


def test_a_row_that_may_look_nowhere_is_zero(figure):
    touched = figure("mask")
    touched.part("place").click()                           # the only place that the first row had
    assert not grid(touched)[0].any() and touched.shown("sum")[0] == 0
    assert "0.00" in touched.root.locator("output").text_content()


def test_the_grid_is_one_stop_for_the_tab_key(figure):
    touched = figure("mask")
    touched.press(touched.part("place"), "ArrowRight", 3)
    assert touched.root.locator("[role=checkbox][tabindex='0']").count() == 1


def test_cells_have_the_colours_of_the_other_figures(figure):
    touched = figure("mask")
    fills = touched.root.locator("[data-is=place] rect").evaluate_all("all => all.map(r => getComputedStyle(r).fill)")
    fills = np.array([[int(n) for n in re.findall(r"\d+", fill)] for fill in fills])
    weights = masked(touched).ravel()
    seen = weights > 0
    np.testing.assert_allclose(fills[seen], 255 * plot.WEIGHTS(weights)[seen, :3], atol=2)


# Positions.

@pytest.mark.parametrize(("key", "times"), [("ArrowRight", 4), ("End", 1), ("Home", 1)])
def test_positions_that_move_together_keep_their_score(figure, key, times):
    touched = figure("rotary")
    before = touched.numbers()
    touched.press(touched.part("both"), key, times)
    assert touched.part("at").get_attribute("aria-valuenow") != "3"
    assert touched.numbers() == before


@pytest.mark.parametrize("how", ["drag", "swipe"])
@pytest.mark.parametrize(("n", "by"), [(0, 5), (1, 6)])
def test_a_position_that_moves_alone_changes_the_score(figure, phone, how, n, by):
    touched = figure("rotary") if how == "drag" else phone("rotary")
    getattr(touched, how)(touched.part("at", n), by * 22.5, 0)
    at = np.array(touched.start["at"])
    at[n] += by
    apart = touched.start["degrees"] * (at[0] - at[1])
    assert [text.split()[-1] for text in touched.root.locator("[data-is=says]").all_text_contents()] == [
        text.replace("-", "−") for text in (f"{at[0] - at[1]}", f"{apart}°", f"{np.cos(np.deg2rad(apart)):.3f}")]


# A vocabulary that grows.

@pytest.mark.parametrize(("key", "times", "now"), [("End", 1, 15), ("Home", 1, 0), ("ArrowRight", 2, 11)])
def test_a_step_shows_all_that_was_worked_out_for_it(figure, key, times, now):
    touched = figure("steps")
    touched.press(touched.part("step"), key, times)
    shown = touched.start["shown"]
    assert touched.part("says").text_content() == shown["says"][now]["text"]
    assert touched.part("shade").get_attribute("d") == shown["shade"][now]["d"]
    assert touched.part("dot").get_attribute("transform") == shown["dot"][now]["transform"]


@pytest.mark.parametrize("how", ["drag", "swipe"])
def test_a_step_is_dragged_to(figure, phone, how):
    touched = figure("steps") if how == "drag" else phone("steps")
    getattr(touched, how)(touched.part("step"), 3 * 288 / 15, 0)
    assert touched.part("step").get_attribute("aria-valuenow") == "12"


# All of them.

def test_every_figure_to_touch_has_a_caption_and_a_question_below(pages):
    figures = [(name, one) for name, page in pages.items() for one in page.select("touch-figure")]
    assert len(figures) == len(PAGE)
    for name, one in figures:
        question = one.find_parent("div", class_="cell").find_next_sibling()
        assert one.find_parent("figure").select_one("figcaption .caption-text").text.strip(), name
        assert "try" in question["class"] and question.text.strip().endswith("?"), name


@pytest.mark.sampled("figure")
@pytest.mark.parametrize("kind", PAGE)
def test_the_still_picture_shows_what_the_script_begins_with(browser, address, figure, kind):
    still = browser.new_context(base_url=address, java_script_enabled=False, viewport={"width": 1280, "height": 720})
    tab = still.new_page()
    tab.goto(f"/chapters/{PAGE[kind]}.html")
    picture, live = Figure(tab, kind), figure(kind)
    assert picture.root.locator("svg[role=img]").get_attribute("aria-label")
    assert picture.numbers() == live.numbers() and not picture.root.locator(".buttons").is_visible()
    where = "all => all.map(one => { const box = one.getBoundingClientRect(); return [box.width, box.height] })"
    sizes = [each.root.locator("[data-is]").evaluate_all(where) for each in (picture, live)]
    np.testing.assert_allclose(*sizes, atol=0.1)
    still.close()


@pytest.mark.sampled("figure")
@pytest.mark.parametrize("kind", PAGE)
def test_print_shows_the_picture_and_nothing_to_press(figure, kind):
    touched = figure(kind)
    touched.tab.emulate_media(media="print")
    assert touched.root.locator("svg").is_visible() and not touched.root.locator("button:visible").count()


@pytest.mark.sampled("figure")
@pytest.mark.parametrize("kind", PAGE)
def test_nothing_is_cut_off_or_out_of_reach_on_a_small_phone(phone, kind):
    touched = phone(kind)
    assert touched.tab.evaluate("document.documentElement.scrollWidth") <= 360
    edges = touched.root.evaluate("""figure => {
      const {left, right} = figure.getBoundingClientRect()
      return [...figure.querySelectorAll("svg text")].map(one => one.getBoundingClientRect())
        .filter(box => box.width && (box.left < left || box.right > right)).length
    }""")
    assert edges == 0
    targets = touched.root.locator("[role=slider], [role=checkbox], button")
    assert min(min(box["width"], box["height"]) for box in (one.bounding_box() for one in targets.all())) >= 24


@pytest.mark.sampled("figure")
@pytest.mark.parametrize("kind", PAGE)
def test_every_handle_has_a_name_and_says_its_value(figure, kind):
    touched = figure(kind)
    for handle in touched.root.locator("[role=slider]").all():
        assert handle.get_attribute("aria-label") and handle.get_attribute("aria-valuetext")
        low, now, high = (float(handle.get_attribute(f"aria-value{end}")) for end in ("min", "now", "max"))
        assert low <= now <= high
        handle.focus()
        assert handle.evaluate("one => one.matches(':focus-visible')")


@pytest.mark.sampled("figure")
@pytest.mark.parametrize("kind", PAGE)
@pytest.mark.parametrize("mode", ["light", "dark"])
def test_every_text_of_a_figure_stands_out(figure, kind, mode):
    """WCAG AA: what is written on the paper, or on a cell of a grid, has a contrast of 4.5."""
    touched = figure(kind)
    touched.tab.emulate_media(color_scheme=mode)
    touched.tab.locator(f"html[data-theme={mode}]").wait_for()
    assert touched.root.evaluate("one => getComputedStyle(one).backgroundColor") == "rgb(255, 255, 255)"
    colours = touched.root.locator("svg text").evaluate_all("""all => all.map(one => [
      getComputedStyle(one).fill,
      one.parentNode.dataset.is === "place" ? getComputedStyle(one.parentNode.firstChild).fill : "rgb(255, 255, 255)",
    ])""")
    assert [pair for pair in colours if pair[0] != "none" and contrast(*pair) < 4.5] == []


def contrast(one, other):
    def luminance(colour):
        c = np.array([int(n) for n in re.findall(r"\d+", colour)[:3]]) / 255
        return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4) @ [0.2126, 0.7152, 0.0722]
    dim, bright = sorted([luminance(one), luminance(other)])
    return (bright + 0.05) / (dim + 0.05)


def test_a_figure_that_a_cell_makes_anew_is_taken_over_too(figure):
    touched = figure("rotary")
    touched.press(touched.part("at"), "End")
    touched.root.evaluate("one => { one.parentNode.innerHTML = one.outerHTML }")
    touched.press(touched.part("at", 1), "ArrowRight")
    assert touched.part("at", 1).get_attribute("aria-valuenow") == "2"


def test_no_figure_says_anything_on_the_console(reader):
    complaints = []
    reader.on("console", lambda message: message.type in ("error", "warning") and complaints.append(message.text))
    reader.on("pageerror", lambda error: complaints.append(str(error)))
    for kind, page in PAGE.items():
        reader.goto(f"/chapters/{page}.html")
        for handle in reader.locator(f"{selector(kind)} :is([role=slider], button)").all():
            handle.focus()
            reader.keyboard.press("End")
            reader.keyboard.press("Enter")
    assert complaints == []


def test_the_script_stays_small(root):
    assert (root / "_static" / "touch.js").stat().st_size < 12_000
