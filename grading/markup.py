"""Markdown as HTML that is safe to open: a student wrote it, and an instructor's browser, logged in, shows it.

What comes out holds no script, no event handler, no style, id or class, and nothing that a browser fetches by itself.
Mathematics becomes MathML here, which a browser draws without a script or a font of another host.
"""

import html
import re
import time
from functools import lru_cache, partial
from urllib.parse import unquote
from xml.etree import ElementTree

import bleach
from bleach.html5lib_shim import Filter
from latex2mathml.converter import convert_to_element
from markupsafe import Markup, escape
from mistune import HTMLRenderer, import_plugin
from nbconvert.filters.markdown_mistune import MarkdownWithMath

LIMIT = 20_000    # characters of one cell; hostile Markdown takes time that grows with the square of its length
TEX_LIMIT = 2000  # characters of one formula
SECONDS = 5.0     # of processor time for one page

HTML = {"a", "b", "blockquote", "br", "code", "dd", "del", "details", "dl", "dt", "em", "h1", "h2", "h3", "h4", "h5",
        "h6", "hr", "i", "img", "kbd", "li", "ol", "p", "pre", "s", "strong", "sub", "summary", "sup", "table",
        "tbody", "td", "th", "thead", "tr", "ul"}
MATHML = {"math", "menclose", "mfrac", "mi", "mmultiscripts", "mn", "mo", "mover", "mpadded", "mphantom", "mprescripts",
          "mroot", "mrow", "ms", "mspace", "msqrt", "mstyle", "msub", "msubsup", "msup", "mtable", "mtd", "mtext",
          "mtr", "munder", "munderover"}
MATHML_ATTRIBUTES = {"accent", "accentunder", "columnalign", "display", "displaystyle", "fence", "form", "height",
                     "largeop", "linethickness", "lspace", "mathvariant", "maxsize", "minsize", "movablelimits",
                     "notation", "rspace", "scriptlevel", "separator", "stretchy", "symmetric", "width"}
LINK = re.compile(r"(https?://|mailto:)[^\s\\]+", re.IGNORECASE)
PICTURE = re.compile(r"data:image/(png|jpeg|gif|webp);base64,[A-Za-z0-9+/=\s]+")
IMG = re.compile(r"(<img\b[^<>]{0,300}?\bsrc *= *)[\"']?([^\"'\s>]+)[\"']?", re.IGNORECASE)


class Markdown:
    """Markdown as `Markup`, for one page: its cells and comments all go through the same object.

    links  False: addresses stand there to be read, and cannot be clicked

    What is too long or nested too deeply is shown as it was written, and so is all that comes after `SECONDS` of work.
    """

    def __init__(self, links=True):
        self.links, self.spent = links, 0.0

    def __call__(self, source, attachments=None):
        """Render one text. attachments: {name: {MIME type: base64}}; the pictures of these are shown."""
        if len(source) > LIMIT or self.spent > SECONDS:
            return as_written(source)
        start = time.process_time()
        try:
            return _rendered(source, self.links) if not attachments else _render(source, self.links, attachments)
        except RecursionError:
            return as_written(source)
        finally:
            self.spent += time.process_time() - start


def _render(source, links, attachments):
    plugins = [import_plugin(name) for name in ("strikethrough", "table", "url")]
    rendered = MarkdownWithMath(_Renderer(attachments), plugins=plugins).render(source)
    cleaner = bleach.Cleaner(HTML | MATHML, _is_allowed, {"http", "https", "mailto", "data"},
                             filters=[partial(_Marked, links=links)])
    return Markup(cleaner.clean(rendered))  # bleach has judged every tag and attribute


@lru_cache(maxsize=64)  # the lab's own texts stand on the page of each student
def _rendered(source, links):
    return _render(source, links, {})


def as_written(text):
    """Text in its own lines, with nothing rendered."""
    return Markup("<pre>{}</pre>").format(text)


def mathml(tex, display="inline"):
    """TeX as a MathML element in a string, or its source, escaped, where it is too long or cannot be parsed."""
    try:
        if len(tex) > TEX_LIMIT:
            raise ValueError(f"formula: expected at most {TEX_LIMIT} characters, got {len(tex)}")
        element = convert_to_element(tex, display=display)
        for part in element.iter():
            part.text = html.unescape(part.text or "")  # it writes signs as references, yet leaves < in texts
        return ElementTree.tostring(element, encoding="unicode")
    except Exception:  # many kinds: half of them are not latex2mathml's own
        return f"<code>{escape(tex)}</code>"


class _Renderer(HTMLRenderer):
    """Mistune's own, with mathematics and attached pictures. What it returns has yet to be cleaned."""

    def __init__(self, attachments):
        super().__init__(escape=False)  # HTML in Markdown is cleaned with all else
        self.attachments = attachments

    def inline_math(self, body):
        return mathml(body)

    def block_math(self, body):
        return mathml(body, "block")

    def latex_environment(self, name, body):
        name = "align*" if name == "align" else name  # Jupyter numbers no formulas
        return mathml(rf"\begin{{{name}}}{body}\end{{{name}}}", "block")

    def image(self, text, url, title=None):
        return super().image(text or _name(url), self._source(url))

    def inline_html(self, html):
        return super().inline_html(self._with_pictures(html))

    def block_html(self, html):
        return super().block_html(self._with_pictures(html))

    def _source(self, url):
        """The address of an attached picture, which is the picture itself; any other as it is."""
        bundle = self.attachments.get(_name(url), {})
        return next((f"data:{kind};base64,{data}" for kind, data in bundle.items()), url)

    def _with_pictures(self, html):
        return IMG.sub(lambda found: f'{found[1]}"{self._source(found[2])}"', html)


def _name(url):
    return unquote(url.removeprefix("attachment:"))


def _is_allowed(tag, name, value):
    """May a tag carry an attribute? Anything that names a place is looked at in full."""
    if tag == "a":
        return name == "href" and bool(LINK.fullmatch(value))
    if tag == "img":
        return name == "alt" or name == "src" and bool(PICTURE.fullmatch(value))
    if tag in MATHML:
        return name in MATHML_ATTRIBUTES
    return (tag, name) in {("ol", "start"), ("details", "open")}


class _Marked(Filter):
    """Says of each link and picture, once cleaned, what a reader has to know. Runs inside bleach."""

    def __init__(self, source, links):
        super().__init__(source)
        self.links = links

    def __iter__(self):
        address, label = "", ""
        for token in super().__iter__():
            tag = token["type"], token.get("name")
            label += token["data"] if tag[0] in ("Characters", "SpaceCharacters") else ""
            if tag == ("EmptyTag", "img") and (None, "src") not in token["data"]:
                yield _text(f"[a picture that is not shown: {_value(token, 'alt') or 'no description'}]")
            elif tag == ("StartTag", "a") and self.links:
                yield {**token, "data": {**token["data"], (None, "rel"): "noopener noreferrer"}}
            elif tag == ("StartTag", "a"):
                address, label = _value(token, "href"), ""
            elif tag == ("EndTag", "a") and not self.links:
                yield _text("" if address in ("", label) else f" <{address}>")
            else:
                yield token


def _value(token, attribute):
    return html.unescape(token["data"].get((None, attribute), ""))  # bleach leaves references in attributes


def _text(text):
    return {"type": "Characters", "data": text}
