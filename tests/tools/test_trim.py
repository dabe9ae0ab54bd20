"""The site is trimmed: icons are drawings, and the script and fonts of all of Font Awesome are gone."""

import pytest

from tools.trim import trim

SCRIPT = 'x={sun:[1,2,[],"f185","M9"]},y={sun:[512,448,[9728],"f185","M1 2z"],"arrow-up":[384,512,[],"f062","M3"]}'
PAGE = """<head><!-- So that users can add custom icons -->
<script defer src="../_static/scripts/fontawesome.js?digest=5"></script>
<script src="../_static/katex.min.js?v=5"></script></head>
<i class="theme-switch fa-solid fa-sun   fa-lg" data-mode="light"></i>
<button><span class="fa-solid fa-arrow-up"></span></button>
<i class="plain">words</i> <i class="empty"></i>"""
STYLE = ('@font-face{font-family:Font Awesome\\ 6 Free;src:url(a.woff2)}.fa-sun:before{content:"\\f185"}'
         '.fa-a:before,.fa-b:before{content:"\\f0c9"}.fa-solid:before{color:red}p{margin:0}')


@pytest.fixture
def site(tmp_path):
    """A site as the theme leaves it: one page, the icons' script and fonts, the style sheet and its map."""
    files = {"index.html": PAGE, "_static/scripts/fontawesome.js": SCRIPT, "_static/a.js.map": "{}",
             "_static/vendor/fontawesome/a.woff2": "", "_static/styles/pydata-sphinx-theme.css": STYLE}
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content)
    return tmp_path


def test_an_icon_becomes_its_solid_drawing_and_keeps_its_attributes(site):
    trim(site)
    assert ('<svg class="svg-inline--fa theme-switch fa-solid fa-sun fa-lg" data-mode="light" aria-hidden="true" '
            'viewBox="0 0 512 448"><path fill="currentColor" d="M1 2z"/></svg>') in (site / "index.html").read_text()


def test_an_icon_in_a_button_is_drawn_too(site):
    trim(site)
    assert '<button><svg class="svg-inline--fa fa-solid fa-arrow-up"' in (site / "index.html").read_text()


def test_what_is_no_icon_stays(site):
    trim(site)
    assert '<i class="plain">words</i> <i class="empty"></i>' in (site / "index.html").read_text()


def test_the_licence_of_the_icons_stands_where_their_script_stood(site):
    trim(site)
    page = (site / "index.html").read_text()
    assert "fontawesome.js" not in page and "Font Awesome Free" in page and "CC BY 4.0" in page


def test_mathematics_does_not_hold_up_the_page(site):
    trim(site)
    assert '<script defer src="../_static/katex.min.js?v=5">' in (site / "index.html").read_text()


def test_the_icons_fonts_script_rules_and_maps_are_gone(site):
    trim(site)
    left = {path.name for path in site.rglob("*") if path.is_file()}
    assert left == {"index.html", "pydata-sphinx-theme.css"}
    style = site / "_static" / "styles" / "pydata-sphinx-theme.css"
    assert style.read_text() == ".fa-solid:before{color:red}p{margin:0}"


def test_an_icon_that_does_not_exist_is_refused(site):
    (site / "other.html").write_text('<i class="fa-solid fa-unicorn"></i>')
    with pytest.raises(ValueError, match="fa-unicorn"):
        trim(site)
