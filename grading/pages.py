"""The pages that show a graded notebook: a student's feedback, and formgrader's page for marking by hand.

Both are safe to open (see `markup`): a page is built here from a notebook's parts, each escaped or cleaned, and its
Content-Security-Policy would stop what got through. nbgrader's own templates put parts in as they are.
"""

import functools
import re
import secrets
import time
from pathlib import Path

import jinja2
import pygments
from markupsafe import Markup
from nbconvert.exporters import Exporter
from nbconvert.filters import strip_ansi
from nbgrader.server_extensions.formgrader.handlers import BaseHandler, FormgraderHandler, SubmissionFilesHandler
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer
from tornado import web
from traitlets import List

from grading.lab import exercise_of, graded, meta, solution
from grading.markup import Markdown
from grading.room.outputs import is_png

CODE_LIMIT = 50_000  # characters of a cell that are coloured; a longer one is shown plain
CODE_SECONDS = 5.0   # of processor time for one page
FORMATTER = HtmlFormatter(nowrap=True)
BLANKS = re.compile(r"\s{500}")  # in these pygments takes time that grows with the square of their number


class Page(Exporter):
    """An nbconvert exporter that writes one of our templates. Subclasses say which."""

    file_extension = ".html"
    output_mimetype = "text/html"
    default_preprocessors = List([])
    template, links = "", True

    def from_notebook_node(self, nb, resources=None, **kw):
        """Returns (the page, resources), as every exporter does. Called once per notebook and page."""
        nb, resources = super().from_notebook_node(nb, resources, **kw)
        template = templates().get_template(self.template)
        names = {"nb": nb, "resources": resources, "markdown": Markdown(self.links), "code": Code(),
                 "nonce": secrets.token_urlsafe()}
        return template.render(**names), resources


class FeedbackPage(Page):
    """What `giving_back` writes for a student: one file, with no script and no request at all."""

    template = "feedback.html.j2"


class FormgradePage(Page):
    """What formgrader shows of a submission. Only formgrader's own scripts run in it.

    Links cannot be clicked: some addresses of formgrader's server, opened by somebody logged in, do something.
    """

    template, links = "formgrade.html.j2", False


def protect_formgrader():
    """Let formgrader use `FormgradePage`, and execute nothing that a student handed in, in a browser or as a setting.

    Called by `front_door`, as formgrader has no setting for any of it.
    """
    BaseHandler.exporter = FormgradePage()
    SubmissionFilesHandler.content_security_policy = "sandbox; default-src 'none'"
    FormgraderHandler.get = _open_this_course


@web.authenticated
def _open_this_course(handler):
    """Formgrader's front page. nbgrader's own takes a folder and executes the nbgrader_config.py that it finds there:

    a link to it, followed by an instructor, would execute what a student handed in by that name.
    """
    if handler.get_argument("path", ""):
        raise web.HTTPError(403, "formgrader opens one course: start Jupyter in the folder of the other one")
    handler.redirect(f"{handler.base_url}/formgrader/manage_assignments")


@functools.cache
def templates():
    """The templates, with every value escaped that is not `Markup`."""
    loader = jinja2.FileSystemLoader(Path(__file__).parent / "templates")
    environment = jinja2.Environment(loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {"number": number, "shown": shown}
    environment.globals |= {"meta": meta, "graded": graded, "solution": solution,
                            "exercise_of": exercise_of, "code_css": Markup(HtmlFormatter().get_style_defs("pre"))}
    return environment


def number(points):
    """Points as they are written in a sentence: 2, 2.5."""
    return f"{points or 0:.2f}".rstrip("0").rstrip(".")


class Code:
    """Python source as `Markup`, coloured, for one page: its cells all go through the same object.

    What is too long or has long runs of blanks is shown plain, and so is all that comes after `CODE_SECONDS` of work.
    """

    def __init__(self):
        self.spent = 0.0

    def __call__(self, source):
        if len(source) > CODE_LIMIT or BLANKS.search(source):
            return Markup.escape(source)
        try:
            tokens = list(self._timed(PythonLexer(stripnl=False).get_tokens(source)))
        except TimeoutError:
            return Markup.escape(source)
        return Markup(pygments.format(tokens, FORMATTER))  # escapes what it colours

    def _timed(self, tokens):
        """The tokens, as long as the page has time for them: TimeoutError then."""
        start = time.process_time()
        for token in tokens:
            now = time.process_time()
            self.spent, start = self.spent + now - start, now
            if self.spent > CODE_SECONDS:
                raise TimeoutError
            yield token


def shown(output):
    """What a page shows of one output: (kind, content), kind being "verdicts", "picture", "text", "stderr" or "error".

    Whatever else an output holds (HTML, SVG, widgets) is left out.
    """
    if output.output_type == "stream":
        return ("stderr" if output.name == "stderr" else "text"), strip_ansi(output.text)
    if output.output_type == "error":
        return "error", strip_ansi("\n".join(output.traceback) or f"{output.ename}: {output.evalue}")
    if "verdicts" in output.metadata:
        return "verdicts", output.metadata.verdicts
    if is_png(output.data.get("image/png")):
        return "picture", "".join(output.data["image/png"].split())
    return "text", strip_ansi(output.data.get("text/plain", ""))
