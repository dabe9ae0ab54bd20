"""A page in a browser tab, turned from screen to screen: wide and narrow, light and dark, without another opening."""

from dataclasses import dataclass
from itertools import product
from pathlib import Path

from tests.book.conftest import is_remote

CHAPTERS = sorted(path.stem for path in (Path(__file__).parents[2] / "chapters").glob("*.md"))
SCREENS = list(product((1440, 360), ("light", "dark")))  # a desk and a phone, in CSS pixels
SETTLED = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"  # two frames are drawn
STILL = "* { transition: none !important }"  # else a colour may be on its way to another
OVERHANG = "document.documentElement.scrollWidth - window.innerWidth"

RAW_TEX = r"""() => {
  const page = document.body.cloneNode(true)
  page.querySelectorAll("script, style, pre, code, .katex").forEach(element => element.remove())
  return page.textContent.match(/\\[a-zA-Z()[\]]+|\$\$|\$[^$\s][^$]*\$/g) || []
}"""

# What is fainter than WCAG AA asks: text against the nearest background that is painted behind it.
FAINT = r"""() => {
  const rgba = colour => (colour.match(/[\d.]+/g) || []).map(Number)
  const linear = channel => (channel /= 255) <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4
  const luminance = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b)
  const behind = element => {
    const colour = element ? rgba(getComputedStyle(element).backgroundColor) : [255, 255, 255]
    return colour.length < 4 || colour[3] === 1 ? colour : behind(element.parentElement)
  }
  const faint = []
  for (const element of document.querySelectorAll("body *")) {
    const says = [...element.childNodes].filter(n => n.nodeType === Node.TEXT_NODE).map(n => n.data).join("").trim()
    if (!says || !element.checkVisibility({checkOpacity: true, checkVisibilityCSS: true})) continue
    const style = getComputedStyle(element), size = parseFloat(style.fontSize)
    const [dim, bright] = [luminance(rgba(style.color)), luminance(behind(element))].sort((a, b) => a - b)
    const least = size >= 24 || (size >= 18.66 && style.fontWeight >= 700) ? 3 : 4.5
    const contrast = (bright + 0.05) / (dim + 0.05)
    if (contrast < least) faint.push(`${contrast.toFixed(1)}: ${says.slice(0, 40)}`)
  }
  return faint
}"""


def others(pages):
    """Those of the pages that are no chapters."""
    found = sorted(pages.keys() - {f"chapters/{name}.html" for name in CHAPTERS})
    assert "index.html" in found
    return found


@dataclass
class Visit:
    """What happened on one page at one screen."""

    name: str        # "chapters/faq.html at 360 px, dark"
    complaints: list  # errors and warnings on the console
    strangers: list   # requests to another host
    overhang: int     # pixels by which the page is wider than the window
    raw_tex: list     # mathematics that was not typeset
    faint: list       # text with too little contrast


def visits(context, address, page):
    """Open one page, turn it through all screens, and note what happens: a Visit for each."""
    tab, complaints, strangers, found = context.new_page(), [], [], []
    tab.on("console", lambda message: message.type in ("error", "warning") and complaints.append(message.text))
    tab.on("pageerror", lambda error: complaints.append(str(error)))
    tab.on("request", lambda request: is_remote(request.url, address) and strangers.append(request.url))
    tab.goto(f"{address}/{page}", wait_until="networkidle")
    tab.add_style_tag(content=STILL)
    for width, mode in SCREENS:
        turn(tab, width, mode)
        seen = [tab.evaluate(what) for what in (OVERHANG, RAW_TEX, FAINT)]
        found.append(Visit(f"{page} at {width} px, {mode}", drained(complaints), drained(strangers), *seen))
    tab.close()
    return found


def turn(tab, width, mode):
    """Give a tab another width and colour scheme, and wait until its page has followed."""
    tab.set_viewport_size({"width": width, "height": 900})
    tab.emulate_media(color_scheme=mode)
    tab.evaluate(SETTLED)


def drained(notes):
    """What has been noted since the last time."""
    taken = notes[:]
    notes.clear()
    return taken
