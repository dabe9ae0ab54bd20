"""Tokens to look at: each visible, as text and in colours, and nothing of them taken for HTML."""

from coursekit.coloured import Coloured


def test_as_text_tokens_have_bars_between_them_and_spaces_can_be_seen():
    assert repr(Coloured([b"The", b" cat", b"\n"])) == "The|␣cat|⏎"


def test_part_of_a_character_is_shown_as_its_bytes():
    assert repr(Coloured(["é".encode()[:1], "é".encode()[1:], "é".encode()])) == "‹c3›|‹a9›|é"


def test_each_token_has_an_area_of_its_own_with_a_border_and_a_colour_unlike_its_neighbours():
    html = Coloured([b"a", b"b", b"c"])._repr_html_()
    assert html.count("<span") == html.count("border: 1px") == 3
    assert html.count("background-color: #cfe5f5") == 1


def test_a_token_that_looks_like_html_stays_text():
    assert "<script>" not in Coloured([b"<script>"])._repr_html_()
