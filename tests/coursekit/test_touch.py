"""The still pictures of the figures to touch show what NumPy computes, and say it in words."""

import json
import re

import numpy as np
import pytest
from bs4 import BeautifulSoup

from coursekit import touch

E = np.array([0.5, -1.0, 2.0])
K, V = np.array([[2.0, 0.0], [0.0, 1.5], [-1.0, -1.0]]), np.array([[1.0, 2.0], [4.0, 4.0], [5.0, 1.0]])
WEIGHTS = np.array([[0.7, 0.2, 0.1], [0.0, 0.25, 0.75]])


def parts(figure, name):
    """The elements of a figure that carry a name."""
    return BeautifulSoup(figure._repr_html_(), "html.parser").find_all(attrs={"data-is": name})


def shown(figure, name):
    return [float(part.text.replace("−", "-")) for part in parts(figure, name)]


def softmax(e):
    return np.exp(e) / np.exp(e).sum()


def test_bars_are_as_high_as_the_weights():
    figure = touch.softmax(E, {})
    np.testing.assert_allclose([float(bar["height"]) for bar in parts(figure, "bar")], softmax(E))
    np.testing.assert_allclose(shown(figure, "weight"), softmax(E), atol=0.005)


def test_a_query_gets_its_place_among_the_values():
    figure, q = touch.turn([0.3, 1.1], K, V), np.array([0.3, 1.1])
    np.testing.assert_allclose(shown(figure, "score"), K @ q / 2**0.5, atol=0.005)
    o = [float(n) for n in re.findall(r"[\d.]+", parts(figure, "pair")[1].text)]
    np.testing.assert_allclose(o, softmax(K @ q / 2**0.5) @ V, atol=0.005)


def test_the_lines_of_an_alignment_are_as_wide_as_its_weights():
    lines = parts(touch.alignment(WEIGHTS, "a b", "xy", "xz"), "look")
    assert [(line["data-row"], float(line["stroke-width"])) for line in lines] == [
        ("0", 7), ("0", 2), ("0", 1), ("1", 2.5), ("1", 7.5)]


def test_a_mask_is_causal_at_first_and_knows_four():
    figure = touch.mask(np.diag(E), "abc", [False, True, True])
    start = json.loads(BeautifulSoup(figure._repr_html_(), "html.parser").find("touch-figure")["data-start"])
    assert np.array_equal(start["now"], np.tri(3))
    assert start["masks"][3] == [[0, 0, 0], [0, 1, 0], [0, 1, 1]]


def test_the_product_of_turned_vectors_is_the_cosine_of_their_distance():
    assert parts(touch.rotary(5, 1, 20), "says")[2].text == f"q · k = {np.cos(np.deg2rad(80)):.3f}"


def test_every_second_token_is_shaded_and_cut_where_a_row_ends():
    figure = touch.tokens("a" * 30, [256, 257, 258], [[1] * 30, [25, 5], [30]], [1.0, 2.5, 3.0], now=1)
    assert [step["d"].count("M") for step in figure.start["shown"]["shade"]] == [15, 1, 2]


def test_a_vocabulary_says_how_many_tokens_a_text_has():
    figure = touch.tokens("ab cd", [256, 300], [[1] * 5, [2, 3]], [1.0, 2.5], now=1)
    assert parts(figure, "says")[0].text == "vocabulary 300: 2 tokens, 2.5 bytes each"


def test_a_silenced_head_shows_where_it_looked_and_what_comes_next_without_it():
    heads = {"none": "all speak", "0.0": "without 0.0"}
    figure = touch.silenced("ab", heads, [[0, 0, 0], [0.5, 0.0, 0.5]], "s.", [[0.1, 0.9], [0.8, 0.2]], now=1)
    steps = figure.start["shown"]
    assert [step["d"].count("M") for step in steps["looks"]] == [0, 2]
    assert [step["text"] for step in steps["number 0"]] == ["0.10", "0.80"]
    assert parts(figure, "number 1")[0].text == "0.20" and parts(figure, "says")[0].text == "without 0.0"


def test_a_step_shows_the_weights_of_each_row_and_no_token_that_is_not_there_yet():
    rows = {"self": ("x y", [[1, np.nan, np.nan], [0.04, 0.06, 0.9]], "xy")}
    figure = touch.reads("token", "ab", ["first", "then"], rows, now=1)
    shown = figure.start["shown"]
    assert [step["text"] for step in shown["token 0 1"]] == ["", "␣"]
    assert [step["text"] for step in shown["percent 0 0"]] == ["100", ""]
    assert [step["d"].count("M") for step in shown["looks 0"]] == [1, 3]
    assert "then. In percent, self: y looks at ␣ 6, y 90." in repr(figure)


def test_no_word_is_cut_at_the_end_of_a_line():
    lines = [line for _, line in touch._in_lines("aaaa bbbb cccc dddd", columns=17)]
    assert lines == [0] * 16 + [1] * 4


P = np.array([[0.5, 0.3, 0.2], [0.625, 0.375, 0]])


def test_choices_are_bars_as_high_as_their_probabilities_and_one_that_was_removed_has_none():
    shown = touch.choices("k", [3, 2], {"a": ("xyz", P, [True, True, False])}, now=0).start["shown"]
    assert [re.findall("v-([0-9.]+)", step["d"]) for step in shown["right 0"]] == [["40", "24"], ["50", "30"]]
    assert [re.findall("v-([0-9.]+)", step["d"]) for step in shown["wrong 0"]] == [["16"], []]
    assert [step["text"] for step in shown["percent 0 2"]] == ["20", "–"]


def test_choices_say_how_much_is_wrong_of_all_tokens_those_that_are_not_drawn_included():
    p = np.full((2, 20), 0.05)
    figure = touch.choices("k", [3, 2], {"a": ("x" * 20, p, np.arange(20) < 5)}, now=1)
    assert parts(figure, "off 0")[0].text == "wrong: 75.0 %" and not parts(figure, "percent 0 10")


def test_choices_show_a_blank_at_the_end_of_a_text():
    figure = touch.choices("k", [3, 2], {"a b ": ("xyz", P, [True, True, False])}, now=0)
    assert "“a b␣”" in figure.drawing


def test_shares_are_bars_as_high_as_they_and_stand_in_words_below_them():
    figure = touch.shares("beta", [0.5, 1.0], [8, 16, 32], {"once": P, "twice": P[::-1]}, now=1)
    shown = figure.start["shown"]
    assert [re.findall("v-([0-9.]+)", step["d"]) for step in shown["bars 0"]] == [["40", "24", "16"], ["50", "30"]]
    assert [step["text"] for step in shown["percent 1 2"]] == ["–", "20"]
    assert "beta 1.0. once: 8 62, 16 38, 32 –. twice: 8 50, 16 30, 32 20." in repr(figure)


def test_every_figure_says_in_words_what_it_shows():
    assert "0.18, 0.04, 0.79" in repr(touch.softmax(E, {}))
    assert "0.500" in repr(touch.rotary(3, 1, 30))
    figure = touch.choices("k", [3, 2], {"a": ("xyz", P, [True, True, False])}, now=1)
    assert "k 2: after “a” x 62, y 38; wrong: 0.0 %." in repr(figure)


def test_an_array_that_does_not_fit_is_named():
    with pytest.raises(ValueError, match="weights"):
        touch.alignment(WEIGHTS.T, "a b", "xy", "xy")


def test_tokens_that_are_not_the_text_are_named():
    with pytest.raises(ValueError, match=r"lengths: expected 2 lists that sum to 5, got \[\[5\], \[2, 2\]\]"):
        touch.tokens("ab cd", [256, 300], [[5], [2, 2]], [1.0, 2.5], now=0)


def test_looks_colour_each_field_by_its_share_of_the_largest_weight_and_frame_the_first_that_has_it():
    weights = np.array([[[0.5, 0.25], [0.25, 0.0]], [[0.0, 0.0], [0.5, 0.5]]])
    shown = touch.looks(np.zeros((4, 4)), ["a", "b"], weights, "patches").start["shown"]
    assert [each["fill-opacity"] for each in shown["field 0 1"]] == ["0.42", "0"]
    assert shown["says"][1]["text"] == "b: 50 % of the weight on one of 4 patches"
    assert [each["y"] for each in shown["peak"]] == ["8", "158"] and len({each["x"] for each in shown["peak"]}) == 1
