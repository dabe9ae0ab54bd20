"""Take out of the built site what no page uses, and mend its markup: `trim(site)`, called by tools.book after Sphinx.

The theme draws a dozen icons by a script that holds all of Font Awesome, 1.5 MB, which then fetches a font. Here every
icon becomes the drawing that it is, in the page itself, so it also stands there before, or without, any script.
"""

import re
import shutil

DRAWING = re.compile(r'"?([\w-]+)"?:\[(\d+),(\d+),\[[^\]]*\],"[0-9a-f]+","([^"]+)"\]')
ICON = re.compile(r'<(i|span) class="([^"]*\bfa-[^"]*)"([^>]*)>\s*</\1>')
SCRIPT = re.compile(r'<!-- So that users can add custom icons -->\s*<script[^>]*fontawesome\.js[^>]*></script>')
NOTICE = "<!-- Icons: Font Awesome Free 6.5.2 by @fontawesome, https://fontawesome.com, CC BY 4.0 -->"
FONT_RULES = re.compile(r'@font-face\{[^}]*Font Awesome[^}]*\}|(?:\.fa-[\w-]+:before,?)+\{content:"[^"]*"\}')
MATHEMATICS = re.compile(r'<script (src="[^"]*(?:katex\.min|auto-render\.min|katex_autorenderer)\.js)')
UNUSED = ("scripts/fontawesome.js", "vendor/fontawesome")


def trim(site):
    """Make the built book in the folder `site` small. Raises ValueError for an icon that Font Awesome does not have."""
    static = site / "_static"
    drawings = read_drawings((static / "scripts" / "fontawesome.js").read_text(encoding="utf-8"))
    for path in site.rglob("*.html"):
        path.write_text(trimmed(path.read_text(encoding="utf-8"), drawings), encoding="utf-8")
    style = static / "styles" / "pydata-sphinx-theme.css"
    style.write_text(FONT_RULES.sub("", style.read_text(encoding="utf-8")), encoding="utf-8")
    for path in [*static.rglob("*.map"), *(static / name for name in UNUSED)]:
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def read_drawings(script):
    """Name -> (width, height, path) of each icon. Of two styles of one icon the solid one counts: it comes last."""
    return {name: (width, height, path) for name, width, height, path in DRAWING.findall(script)}


def trimmed(page, drawings):
    """The page with its icons drawn, without the script that would have, and shown before mathematics is typeset."""
    page = SCRIPT.sub(NOTICE, page).replace('role="doc-biblioentry"', 'role="listitem"')  # deprecated in WAI-ARIA 1.2
    page = ICON.sub(lambda found: drawn(found[2], found[3], drawings), page)
    return MATHEMATICS.sub(r"<script defer \1", page)


def drawn(classes, attributes, drawings):
    """The <svg> that replaces <i class="fa-solid fa-bars">; it keeps the classes, which the style sheets know."""
    name = next((word[3:] for word in classes.split() if word.startswith("fa-") and word[3:] in drawings), None)
    if name is None:
        raise ValueError(f'trim: <i class="{classes}">: no icon of Font Awesome Free')
    width, height, path = drawings[name]
    return (f'<svg class="svg-inline--fa {" ".join(classes.split())}"{attributes} aria-hidden="true" '
            f'viewBox="0 0 {width} {height}"><path fill="currentColor" d="{path}"/></svg>')
