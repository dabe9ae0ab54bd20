"""The page for marking by hand, served on this machine alone to who has the token.

A student's answer is shown cleaned, under a policy that runs no script but the page's own. What writes needs the
token's cookie, which no other site's request carries, a header that only the page knows, and this server's own Origin.
"""

import asyncio
import functools
import hmac
import json
import secrets
import socket
from dataclasses import asdict
from urllib.parse import urlsplit

from tornado import web
from tornado.httpserver import HTTPServer

from grading.desk import answers
from grading.desk.hand_marks import Conflict, Given, HandMarks
from grading.desk.rubric import Rubric
from grading.gradebook import LedgerError
from grading.lab import questions
from grading.markup import Markdown
from grading.pages import templates
from grading.people import names

LOOPBACK = ("127.0.0.1", "localhost")
BODY_LIMIT = 2**20  # bytes of what a page may send
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
POLICY = ("default-src 'none'; script-src 'nonce-{0}'; style-src 'nonce-{0}'; img-src data:; connect-src 'self'; "
          "base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
STATUS = {Conflict: 409, ValueError: 400, KeyError: 404, LedgerError: 503}  # of what a person can do something about


def serve(course, lab, question=None, port=0):
    """Serve the page until the process is interrupted; prints its address. Called by `python -m grading mark`.

    Raises ValueError if there is nothing to mark by hand or no such question, OSError if the port is taken.
    """
    if not questions(lab):
        raise ValueError(f"lab: expected one with a question that a person marks, got {lab.name!r}")
    if question not in (None, *questions(lab)):
        raise ValueError(f"question: expected one of {questions(lab)}, got {question!r}")
    with course.ledger() as ledger:
        desk = Desk(course, lab, HandMarks(ledger.book, lab), question or questions(lab)[0])
        asyncio.run(_serve(desk, port))


async def _serve(desk, port):
    door = _door(port)
    port, token = door.getsockname()[1], secrets.token_urlsafe(32)
    server = HTTPServer(application(desk, token, port), max_body_size=BODY_LIMIT, max_buffer_size=BODY_LIMIT)
    server.add_sockets([door])
    print(f"Marking {desk.lab.name} by hand: open http://127.0.0.1:{port}/?token={token}\nCtrl-C ends it.", flush=True)
    await asyncio.Event().wait()


def _door(port):
    """A socket that this machine alone can reach. Raises ValueError or OSError."""
    if port not in range(2**16):
        raise ValueError(f"port: expected 0 (any that is free) to {2**16 - 1}, got {port}")
    try:
        door = socket.create_server(("127.0.0.1", port))
    except OSError as error:
        raise OSError(f"port: expected a free one, got {port}: {error}") from error
    door.setblocking(False)
    return door


class Desk:
    """What the page works with: the class's graded notebooks, and its marks."""

    def __init__(self, course, lab, marks, question):
        self.course, self.lab, self.marks, self.question = course, lab, marks, question

    def path(self, student):
        """Where a student's graded notebook is."""
        return self.course.autograded(self.lab.name, student) / f"{self.lab.name}.ipynb"


def application(desk, token, port):
    """The addresses of the page. The cookie's names hold the port, as cookies of a host are those of all its ports."""
    handlers = [("/", Front), ("/answers", Answers), ("/answer", OneAnswer), ("/mark", Give), ("/rubric", ChangeRubric),
                ("/names", Names), ("/notebook", WholeNotebook)]
    strict = {"httponly": True, "samesite": "Strict"}
    return web.Application(handlers, default_handler_class=Nothing, log_function=lambda handler: None, desk=desk,
                           token=token, cookie=f"desk-{port}", xsrf_cookies=True, xsrf_cookie_name=f"desk-xsrf-{port}",
                           xsrf_cookie_kwargs=strict)


class Handler(web.RequestHandler):
    """What all addresses share: who may ask, and how a failure is told."""

    @property
    def desk(self):
        return self.settings["desk"]

    def set_default_headers(self):
        for name, value in HEADERS.items():
            self.set_header(name, value)

    def prepare(self):
        """Answer nobody but this machine's own browser with the token. Raises HTTPError 403."""
        host = self.request.headers.get("Host", "")
        if urlsplit(f"//{host}").hostname not in LOOPBACK:  # a name of another site, which leads to this machine
            raise web.HTTPError(403, "Host: expected 127.0.0.1 or localhost")
        if self.request.headers.get("Origin", f"http://{host}") != f"http://{host}":
            raise web.HTTPError(403, "Origin: expected this page's own")
        if not self._is_known(self.get_cookie(self.settings["cookie"], "")):
            self.enter()

    def enter(self):
        """What happens to who has no cookie."""
        raise web.HTTPError(403, "token: open the address that python -m grading mark has printed")

    def _is_known(self, token):
        return hmac.compare_digest(token.encode(), self.settings["token"].encode())

    @functools.cached_property
    def question(self):
        """The name of the question that is asked about. Raises HTTPError 404."""
        question = self.get_query_argument("question", self.desk.question)
        if question not in questions(self.desk.lab):
            raise web.HTTPError(404, "question: there is no such one")
        return question

    def body(self):
        """The JSON object that was sent. Raises ValueError."""
        return part({"body": json.loads(self.request.body)}, "body")

    def write_error(self, status_code, exc_info=None, **_):
        """A failure as JSON: {"error": a sentence}, and the answer as it is now, after a Conflict."""
        error = exc_info[1] if exc_info else None
        kind = next((kind for kind in STATUS if isinstance(error, kind)), None)
        self.set_status(STATUS.get(kind, status_code))
        text = str(error) if kind else getattr(error, "log_message", None)
        now = plain(error.now) if getattr(error, "now", None) else None
        self.finish({"error": text or f"The page could not be served ({self.get_status()}).", "now": now})

    def log_exception(self, kind, value, traceback):
        """Only what nobody expected is news on the terminal."""
        if not isinstance(value, (web.HTTPError, *STATUS)):
            super().log_exception(kind, value, traceback)


class Nothing(Handler):
    """Any other address."""

    def prepare(self):
        super().prepare()
        raise web.HTTPError(404, "There is no such page.")


class Front(Handler):
    """The page. Its first visit brings the token, and takes a cookie with it."""

    def enter(self):
        if not self._is_known(self.get_query_argument("token", "")):
            super().enter()
        self.set_cookie(self.settings["cookie"], self.settings["token"], httponly=True, samesite="Strict")

    def get(self):
        nonce, lab = secrets.token_urlsafe(), self.desk.lab
        self.set_header("Content-Security-Policy", POLICY.format(nonce))
        self.finish(templates().get_template("desk.html.j2").render(
            nonce=nonce, xsrf=self.xsrf_token.decode(), lab=lab.name, question=self.question, questions=questions(lab),
            possible=lab.points[self.question], asked=answers.show_question(lab, self.question),
            scheme=Markdown(links=False)(lab.scheme(self.question))))


class Answers(Handler):
    """The rubric, and what is known of each answer."""

    def get(self):
        found = self.desk.marks.answers(self.question)
        self.finish({"rubric": shown(self.desk.marks.rubric(self.question)), "answers": [plain(one) for one in found]})


class OneAnswer(Handler):
    """One answer with its text."""

    async def get(self):
        answer = self.desk.marks.answer(self.question, self.get_query_argument("id"))
        text = await aside(answers.show, self.desk.path(answer.student), self.desk.lab, self.question)
        self.finish({**plain(answer), "html": text.html, "text": text.text})


class Give(Handler):
    """A mark, a comment and items for one answer."""

    async def post(self):
        body = self.body()
        answer = self.desk.marks.answer(self.question, body.get("id"))
        text = await aside(answers.show, self.desk.path(answer.student), self.desk.lab, self.question)
        if text.text != body.get("text"):
            raise Conflict("The answer itself has changed meanwhile: read it again.")
        given = Given.of(part(body, "given"), self.desk.lab.points[self.question])
        now = self.desk.marks.give(self.question, answer.id, given, part(body, "seen"), body.get("rubric"))
        self.finish(plain(now))


class ChangeRubric(Handler):
    """Other points or words for items, and new items."""

    def post(self):
        body = self.body()
        rubric = Rubric.of_pairs(body.get("items"))
        changed, stayed = self.desk.marks.change_rubric(self.question, rubric, body.get("seen"))
        self.finish({"changed": changed, "stayed": stayed})


class Names(Handler):
    """Whose the answers are, for who asks."""

    def get(self):
        called = names(self.desk.course, self.desk.marks.book)
        students = {one.id: one.student for one in self.desk.marks.answers(self.question)}
        self.finish({which: told(student, called.get(student)) for which, student in students.items()})


class WholeNotebook(Handler):
    """The notebook that an answer stands in."""

    async def get(self):
        answer = self.desk.marks.answer(self.question, self.get_query_argument("id"))
        self.set_header("Content-Security-Policy", "default-src 'none'; img-src data:; style-src 'unsafe-inline'; "
                                                   "base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
        self.finish(await aside(answers.show_notebook, self.desk.path(answer.student)))


def told(student, name):
    """An id, with the name of whom it stands for."""
    return f"{student} ({name})" if name and name != student else student


def part(data, name):
    """The dictionary of this name in what was sent. Raises ValueError."""
    if not isinstance(data.get(name), dict):
        raise ValueError(f"{name}: expected a JSON object, got {data.get(name)!r}")
    return data[name]


async def aside(function, *args):
    """Run what takes long in a thread, so that the page goes on meanwhile."""
    return await asyncio.get_running_loop().run_in_executor(None, function, *args)


def plain(answer):
    """An Answer as JSON has it, without whose it is."""
    return {name: value for name, value in asdict(answer).items() if name != "student"}


def shown(rubric):
    """A Rubric as the page shows it."""
    markdown = Markdown(links=False)
    items = [{"points": item.points, "text": item.text, "html": markdown(item.text)} for item in rubric.items]
    return {"items": items, "version": rubric.version}
