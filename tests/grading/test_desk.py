"""Marking by hand, question by question: marks are nbgrader's own, none is lost, and nothing of a student's runs."""

import contextlib
import http.client
import json
import re
import shutil
import sqlite3
import sys
from dataclasses import replace
from urllib.parse import urlsplit

import nbformat
import pytest

from grading import markup
from grading.__main__ import main
from grading.desk import answers
from grading.desk.hand_marks import Conflict, Given, HandMarks
from grading.desk.rubric import Item, Rubric
from grading.gradebook import LedgerError
from grading.lab import Lab, meta, names
from grading.marking import unmarked
from tests import needs
from tests.grading import tiny
from tests.grading.classes import Class, said, start
from tests.grading.test_pages import ATTRIBUTES, HOSTILE, STRANGE, chromium, watched

__all__ = ["chromium"]  # a fixture
ITEMS = Rubric((Item(1.0, "The mean is what is left at *frequency* 0."), Item(0.5, "SECRET-SCHEME."),
                Item(0.5, "Why first.")))
STUDENTS = {"ada": "Because of the mean.", "emmy": "It is *left*.", "mallory": "\n\n".join(HOSTILE),
            "zeno": "*Your answer*"}
SQL_COMMENT = """UPDATE comment SET manual_comment = ? WHERE notebook_id = ?
                 AND cell_id IN (SELECT id FROM base_cell WHERE name = 'why')"""


# What a scheme gives points for.

def test_a_scheme_lists_items_among_lines_for_the_reader():
    assert Rubric.of_scheme(tiny.SCHEME) == ITEMS


@pytest.mark.parametrize("line, points", [("- 1: a", 1), ("* 0.25: a", 0.25), ("- -0.5: a", -0.5), ("  - +2: a", 2)])
def test_points_of_an_item_may_be_parts_and_below_0(line, points):
    assert Rubric.of_scheme(f"For the reader.\n{line}") == Rubric((Item(points, "a"),))


@pytest.mark.parametrize("scheme", ["", "One point for the mean.", "- the mean\n- 1 point\n1. 2: x", "-1: a", "- 1:a"])
def test_a_scheme_without_such_lines_has_no_items(scheme):
    assert Rubric.of_scheme(scheme).items == ()


@pytest.mark.parametrize("name", [name for name in names("labs")])
def test_the_items_of_a_labs_schemes_add_up_to_the_points_of_the_question(root, name):
    lab = Lab.read(root / "labs", name)
    for cell in lab.source.cells:
        if meta(cell).get("solution") and meta(cell).get("grade"):
            items = Rubric.of_scheme(lab.scheme(meta(cell).grade_id)).items
            assert sum(item.points for item in items) == meta(cell).points


@pytest.mark.parametrize("chosen, points", [([], 0), ([0], 1), ([0, 1, 2], 2), ([0, 3], 2), ([4], 0), ([0, 4], 0)],
                         ids=str)
def test_a_total_is_never_below_0_nor_above_what_is_possible(chosen, points):
    assert Rubric((*ITEMS.items, Item(7.0, "much"), Item(-3.0, "wrong"))).total(chosen, 2.0) == points


# The gradebook.

@pytest.fixture(scope="module")
def marked_class(given_out, tmp_path_factory, lab):
    """A class of four, graded: one answered nothing, one with hostile intent."""
    course = Class.new(given_out, tmp_path_factory.mktemp("desk") / "course", lab)
    for student, why in STUDENTS.items():
        course.hand_in(student, why=why)
    assert course.nbgrader("autograde", tiny.NAME).status == 0
    return course


@pytest.fixture
def course(marked_class, tmp_path, lab):
    """A copy of it, to be marked."""
    shutil.copytree(marked_class.folder, tmp_path / "course")
    return Class(tmp_path / "course", lab)


@pytest.fixture
def marks(course, lab):
    with opened(course, lab) as marks:
        yield marks


@contextlib.contextmanager
def opened(course, lab):
    """The class's HandMarks."""
    with course.gradebook() as book:
        yield HandMarks(book, lab)


def of(marks, student):
    return next(answer for answer in marks.answers("why") if answer.student == student)


def give(marks, student, mark=None, comment="", chosen=(), seen=None):
    """Give a student's answer something, having seen what is there, unless said otherwise."""
    now = of(marks, student)
    seen = seen or vars(now)
    return marks.give("why", now.id, Given(mark, comment, list(chosen)), seen, marks.rubric("why").version)


def test_a_mark_and_a_comment_are_nbgraders_own(marks, course):
    give(marks, "ada", 1.5, "well seen", [0, 1])
    with course.gradebook() as book:
        grade = book.find_grade("why", tiny.NAME, tiny.NAME, "ada")
        comment = book.find_comment("why", tiny.NAME, tiny.NAME, "ada")
        assert (grade.manual_score, grade.needs_manual_grade, comment.comment) == (1.5, False, "well seen")


def test_what_was_given_is_what_is_shown(marks):
    assert give(marks, "ada", 1.5, "well seen", [1, 0]) == of(marks, "ada")
    assert vars(of(marks, "ada")) | {"id": ""} == {"id": "", "student": "ada", "state": "marked", "mark": 1.5,
                                                   "comment": "well seen", "chosen": [0, 1]}


def test_answers_wait_but_a_blank_one_has_its_0_already_and_comes_last(marks):
    found = [(answer.student, answer.state) for answer in marks.answers("why")]
    assert sorted(found[:3]) == [(student, "unmarked") for student in ("ada", "emmy", "mallory")]
    assert found[3:] == [("zeno", "blank")]


def test_an_answer_that_needs_a_person_again_shows_its_mark_as_changed(marks, course):
    give(marks, "ada", 1.5)
    sql(course, "UPDATE grade SET needs_manual_grade = 1 WHERE manual_score = 1.5")
    assert (of(marks, "ada").state, of(marks, "ada").mark) == ("changed", 1.5)
    assert give(marks, "ada", 1.5).state == "marked"


def sql(course, statement, *values):
    with sqlite3.connect(course.folder / "gradebook.db") as book:
        assert book.execute(statement, values).rowcount == 1
    book.close()


def test_a_mark_that_is_taken_back_waits_again(marks):
    give(marks, "ada", 1.5, "well seen")
    assert vars(give(marks, "ada")) == vars(of(marks, "ada")) | {"state": "unmarked", "mark": None, "comment": ""}


@pytest.mark.parametrize("theirs, sentence", [({"mark": 2.0}, "gave 2 meanwhile"),
                                              ({"comment": "x"}, "comment meanwhile: 'x'")], ids=str)
def test_who_comes_second_is_told_and_writes_nothing(marks, course, lab, theirs, sentence):
    with opened(course, lab) as other:
        give(other, "ada", **theirs)
    with pytest.raises(Conflict, match=sentence) as told:
        give(marks, "ada", 1.0, "mine", seen={"mark": None, "comment": ""})
    assert of(marks, "ada") == told.value.now


def test_what_formgrader_writes_meanwhile_is_seen(marks, course):
    sql(course, SQL_COMMENT, "theirs", of(marks, "ada").id)
    with pytest.raises(Conflict, match="'theirs'"):
        give(marks, "ada", 1.0, seen={"mark": None, "comment": ""})


def test_an_empty_comment_as_formgrader_writes_it_is_no_conflict(marks, course):
    sql(course, SQL_COMMENT, "", of(marks, "ada").id)
    assert give(marks, "ada", 1.0).mark == 1.0


def test_two_who_mark_different_answers_never_meet(marks, course, lab):
    with opened(course, lab) as other:
        assert (give(other, "ada", 2.0).mark, give(marks, "emmy", 1.0).mark) == (2.0, 1.0)


@pytest.mark.parametrize("data", [{"mark": 2.5}, {"mark": -1}, {"mark": float("nan")}, {"mark": "1"}, {"comment": None},
                                  {"comment": "x" * 20_001}, {"chosen": 1}], ids=lambda data: str(data)[:25])
def test_what_cannot_be_a_mark_is_refused_in_one_sentence(data):
    with pytest.raises(ValueError, match="expected"):
        Given.of({"mark": 1, "comment": "", "chosen": [], **data}, 2.0)


def test_a_comment_that_no_database_can_hold_loses_only_those_characters():
    assert Given.of({"mark": None, "comment": "a\0b \ud800", "chosen": []}, 2.0).comment == "ab ?"


def test_other_points_for_an_item_reach_every_mark_that_is_what_its_items_gave(marks):
    give(marks, "ada", 1.0, chosen=[0])
    give(marks, "emmy", 0.75, chosen=[0])
    cheaper = Rubric((Item(0.5, "The mean."), *ITEMS.items[1:], Item(-1.0, "New.")))
    assert marks.change_rubric("why", cheaper, ITEMS.version) == (1, 1)
    assert (of(marks, "ada").mark, of(marks, "emmy").mark, marks.rubric("why")) == (0.5, 0.75, cheaper)


def test_a_changed_rubric_leaves_an_answer_that_waits_waiting(marks, course):
    give(marks, "ada", 1.0, chosen=[0])
    sql(course, "UPDATE grade SET needs_manual_grade = 1 WHERE manual_score = 1.0")
    marks.change_rubric("why", Rubric((Item(0.5, "x"), *ITEMS.items[1:])), ITEMS.version)
    assert (of(marks, "ada").state, of(marks, "ada").mark) == ("changed", 0.5)


def test_no_item_is_taken_out(marks):
    with pytest.raises(ValueError, match="0 points instead"):
        marks.change_rubric("why", Rubric(ITEMS.items[:2]), ITEMS.version)


def test_who_saw_another_rubric_is_told(marks):
    marks.change_rubric("why", Rubric((*ITEMS.items, Item(1.0, "New."))), ITEMS.version)
    with pytest.raises(Conflict, match="rubric"):
        marks.give("why", of(marks, "ada").id, Given(1.0, "", [0]), {"mark": None, "comment": ""}, ITEMS.version)
    with pytest.raises(Conflict, match="rubric"):
        marks.change_rubric("why", ITEMS, ITEMS.version)


def test_a_rubric_stays_as_it_was_when_somebody_first_marked_by_it(marks, monkeypatch):
    give(marks, "ada", 1.0, chosen=[0])
    monkeypatch.setattr(Lab, "scheme", lambda self, question: "- 2: another")
    assert marks.rubric("why") == ITEMS


def test_a_lab_that_the_gradebook_does_not_know_is_told_in_one_line(course, lab):
    with pytest.raises(LedgerError, match="grade lab_other first"), opened(course, replace(lab, name="lab_other")):
        pass


# The server.

@contextlib.contextmanager
def served(folder):
    """The address, with the token, of the page of a class."""
    running = start([sys.executable, "-m", "grading", "mark", tiny.NAME, "--course-dir", str(folder)])
    line = running.stdout.readline()
    assert "http://127.0.0.1:" in line, running.communicate()
    yield re.search(r"http://\S+", line)[0]
    running.terminate()
    running.communicate()


@pytest.fixture(scope="module")
def server(marked_class, tmp_path_factory, lab):
    """(the class, the address with the token) of a page that is served as long as these tests run."""
    folder = tmp_path_factory.mktemp("served") / "course"
    shutil.copytree(marked_class.folder, folder)
    with served(folder) as address:
        yield Class(folder, lab), address


class Visitor:
    """Asks the server, with a cookie once it has one, and headers as a test wants them."""

    def __init__(self, address):
        self.port, self.token = urlsplit(address).port, address.partition("token=")[2]
        self.cookies, self.xsrf = "", ""

    def enter(self):
        _, headers, page = self.ask(f"/?token={self.token}")
        self.cookies = "; ".join(cookie.split(";")[0] for cookie in headers.get_all("Set-Cookie"))
        self.xsrf = re.search('data-xsrf="([^"]+)"', page)[1]
        return self

    def ask(self, path, body=None, **headers):
        """(status, headers, text)"""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        kept = {"Cookie": self.cookies} | ({"X-XSRFToken": self.xsrf} if body is not None else {})
        headers = {name: value for name, value in (kept | headers).items() if value}
        connection.request("GET" if body is None else "POST", path, body, headers)
        with contextlib.closing(connection):
            reply = connection.getresponse()
            return reply.status, reply.headers, reply.read().decode()

    def found(self, path, body=None):
        """(status, JSON)"""
        status, _, text = self.ask(path, None if body is None else json.dumps(body))
        return status, json.loads(text)

    def mark(self, student_id, **change):
        """Give 1 point, with parts of what is sent changed."""
        text = self.found(f"/answer?id={student_id}")[1]
        body = {"id": student_id, "text": text["text"], "rubric": self.found("/answers")[1]["rubric"]["version"],
                "seen": {"mark": text["mark"], "comment": text["comment"]},
                "given": {"mark": 1.0, "comment": "", "chosen": [0]}}
        return self.found("/mark", body | change)


@pytest.fixture
def known(server):
    """A visitor with the token."""
    return Visitor(server[1]).enter()


@pytest.fixture
def ada(server, lab):
    """The id of ada's answer."""
    with opened(server[0], lab) as marks:
        return of(marks, "ada").id


@pytest.mark.parametrize("path", ["/", "/?token=", "/?token=wrong", "/answers", "/answer?id=x", "/names",
                                  "/notebook?id=x", "/x"])
def test_nobody_sees_anything_without_the_token(server, path):
    status, headers, text = Visitor(server[1]).ask(path)
    assert (status, headers.get("Set-Cookie")) == (403, None) and "token" in text


@pytest.mark.parametrize("path", ["/mark", "/rubric"])
def test_nobody_writes_without_the_token(server, known, path):
    stranger = Visitor(server[1])
    stranger.cookies, stranger.xsrf = known.cookies.split("; ")[-1], known.xsrf
    assert stranger.cookies.startswith("desk-xsrf") and stranger.ask(path, "{}")[0] == 403


@pytest.mark.parametrize("headers", [
    {"Host": "evil.invalid"}, {"Host": "evil.invalid:80"}, {"Host": "127.0.0.1.evil.invalid"},
    {"Origin": "http://evil.invalid"}, {"Origin": "null"}, {"Origin": "http://127.0.0.1:1"}], ids=str)
def test_a_name_of_another_site_and_another_sites_page_are_refused(known, headers):
    assert known.ask("/answers", **headers)[0] == 403 and known.ask("/answers")[0] == 200


def test_an_address_with_the_token_is_refused_by_another_name_too(known):
    assert known.ask(f"/?token={known.token}", Host="evil.invalid")[0] == 403


def test_a_write_needs_what_only_the_page_knows(known):
    for wrong in ("", "x"):
        assert known.ask("/mark", "{}", **{"X-XSRFToken": wrong})[0] == 403
    assert known.ask("/mark", "{}")[0] != 403


def test_cookies_are_for_this_page_alone(server):
    _, headers, _ = Visitor(server[1]).ask(f"/?{urlsplit(server[1]).query}")
    cookies = headers.get_all("Set-Cookie")
    assert len(cookies) == 2 and all("HttpOnly" in each and "SameSite=Strict" in each for each in cookies)


@pytest.mark.parametrize("path", ["/", "/answers", "/names", "/nothing"])
def test_no_reply_may_be_kept_framed_or_run(known, path):
    _, headers, text = known.ask(path)
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy and "unsafe-inline" not in policy
    assert headers["Cache-Control"] == "no-store" and not re.search(r"\son\w+=", text)


def test_names_are_told_only_to_who_asks_for_them(known):
    everything = "".join(known.ask(path)[2] for path in ("/", "/answers"))
    assert not any(student in everything for student in STUDENTS)
    assert sorted(known.found("/names")[1].values()) == sorted(STUDENTS)


@pytest.mark.parametrize("change, status, sentence", [
    ({"given": {"mark": 3, "comment": "", "chosen": []}}, 400, "expected 0 to 2, got 3"),
    ({"given": None}, 400, "given: expected a JSON object"),
    ({"seen": {"mark": 0.25, "comment": ""}}, 409, "Somebody else"),
    ({"rubric": "another"}, 409, "Somebody else changed the rubric"),
    ({"text": "another"}, 409, "The answer itself has changed"),
    ({"id": "nobody"}, 404, "nobody"),
], ids=["too much", "nothing", "other mark", "other rubric", "other answer", "unknown"])
def test_what_cannot_be_written_is_told_in_one_sentence(known, ada, change, status, sentence):
    got, reply = known.mark(ada, **change)
    assert got == status and sentence in reply["error"]


@pytest.mark.parametrize("body", ["", "{", "[]", "null", '{"items": 1}', '{"items": [[1]]}', '{"items": [["a", "b"]]}',
                                  '{"items": [[1, ""]]}', '{"items": [[NaN, "a"]]}'])
def test_a_rubric_that_is_none_is_refused(known, body):
    assert known.ask("/rubric", body)[0] == 400


def test_a_question_that_there_is_not_is_told(known):
    status, reply = known.found("/answers?question=center-checks")
    assert (status, reply["error"]) == (404, "question: there is no such one")


def test_a_graded_notebook_that_is_gone_is_told_and_can_be_marked(known, server, ada):
    path = server[0].folder / "autograded" / "ada" / tiny.NAME / f"{tiny.NAME}.ipynb"
    path.rename(path.with_suffix(".away"))
    try:
        assert "grade this submission again" in known.found(f"/answer?id={ada}")[1]["html"]
        assert known.ask(f"/notebook?id={ada}")[0] == 200
    finally:
        path.with_suffix(".away").rename(path)


def graded_without_notebook(lab, folder, files):
    """The path of the graded notebook of who handed in these files, and no notebook."""
    graded = unmarked(None, lab, [f"No notebook was handed in, only {name!r}." for name in files], "not judged")
    path = folder / f"{lab.name}.ipynb"
    path.write_text(json.dumps(graded.notebook), encoding="utf-8")
    return path


def test_who_handed_in_a_document_is_shown_with_its_name_and_no_placeholder(tmp_path, lab):
    html = answers.show(graded_without_notebook(lab, tmp_path, ["essay <b>.docx"]), lab, "why").html
    assert "No answer stands in a notebook." in html and "essay &lt;b&gt;.docx" in html
    assert tiny.cell(lab.skeleton, "why").source not in html


def test_an_answer_that_is_only_a_picture_is_an_answer(tmp_path, lab):
    path = graded_without_notebook(lab, tmp_path, [])
    notebook = nbformat.from_dict(json.loads(path.read_text(encoding="utf-8")))
    tiny.cell(notebook, "why")["attachments"] = {"a.png": {"image/png": "eA=="}}
    path.write_text(json.dumps(notebook), encoding="utf-8")
    assert "No answer" not in answers.show(path, lab, "why").html


@pytest.mark.parametrize("arguments, sentence", [
    (["lab_none"], "lab: expected one of"), ([tiny.NAME, "center-checks"], "question: expected one of ['why']"),
], ids=["lab", "question"])
def test_a_page_that_cannot_be_served_is_told_in_one_line(course, arguments, sentence):
    done = said(main, ["mark", *arguments, "--course-dir", str(course.folder)])
    assert done.status == 1 and sentence in done.error


def test_a_port_that_is_taken_or_none_is_told(course, server):
    for port in (urlsplit(server[1]).port, 99_999):
        done = said(main, ["mark", tiny.NAME, "--course-dir", str(course.folder), "--port", str(port)])
        assert done.status == 1 and done.error.startswith("port: expected")


# What follows is seen by a browser.

AXE = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"], "resultTypes": ["violations"], "preload": False}
SAID = "document.getElementById('said').textContent"


@contextlib.contextmanager
def at_the_desk(browser, address, **context):
    """A tab in which the first answer is shown, and the Visit that it fills."""
    with watched(browser, **context) as (tab, visit):
        tab.set_default_timeout(20_000)
        tab.goto(address)
        tab.wait_for_selector("#answer *")
        yield tab, visit


def press(tab, *keys):
    for key in keys:
        tab.keyboard.press(key)


def wait_for(tab, words):
    """Wait until the page says these words. (The page's policy forbids Playwright to wait for an expression.)"""
    tab.get_by_text(words).first.wait_for()


def go_to(tab, student):
    """Show a student's answer, with keys alone; names are shown meanwhile."""
    press(tab, "n")
    tab.wait_for_selector("#which:has-text(':')")
    for _ in STUDENTS:
        shown = tab.inner_text("#which")
        if student in shown:
            return press(tab, "n")
        press(tab, "j")
        tab.wait_for_selector(f"#which:not(:has-text('{shown}'))")
    raise AssertionError(f"{student} is not shown")


def marked_with_keys(browser, address):
    """Two items, a third off again, a comment, on; then typed points, and none where none were chosen."""
    with at_the_desk(browser, address) as (tab, visit):
        go_to(tab, "ada")
        press(tab, "1", "2", "3", "3", "c")
        tab.keyboard.type("well *seen*")
        press(tab, "Control+Enter")
        wait_for(tab, "The answer before: saved, 1.5 points.")
        visit.found = {"progress": tab.inner_text("#progress"), "focus": tab.evaluate("document.activeElement.id")}
        press(tab, "u")
        go_to(tab, "emmy")
        press(tab, "p")
        tab.keyboard.type("0,75")
        press(tab, "Enter")
        wait_for(tab, "The answer before: saved, 0.75 points.")
        press(tab, "?")
        visit.found["help"] = tab.inner_text("#help")
    return visit


@pytest.fixture
def page(course, request):
    """(a class of its own, the address of its page)."""
    with served(course.folder) as address:
        yield course, address


@needs.chromium
def test_marking_takes_a_keyboard_alone(chromium, page):
    visit = chromium(marked_with_keys, page[1])
    with page[0].gradebook() as book:
        found = {s: book.find_grade("why", tiny.NAME, tiny.NAME, s).manual_score for s in ("ada", "emmy", "mallory")}
        assert found == {"ada": 1.5, "emmy": 0.75, "mallory": None}
        assert book.find_comment("why", tiny.NAME, tiny.NAME, "ada").comment == "well *seen*"
    assert visit.found["progress"] == "1 of 3 marked" and visit.found["focus"] == "which"
    assert visit.trouble == visit.dialogs == []
    assert "Ctrl Enter" in visit.found["help"] and "take a mark back" in visit.found["help"]


def marked_to_the_end(browser, address):
    """All of the class, until no other answer is left to show."""
    with at_the_desk(browser, address) as (tab, _):
        for words in ("before: saved, 2 points.", "before: saved, 2 points.", "Saved: 2 points. All 3 are marked."):
            press(tab, "f", "Enter")
            wait_for(tab, words)
        return tab.inner_text("#state"), tab.inner_text("#progress")


@needs.chromium
def test_the_last_answer_is_shown_as_saved_and_all_as_marked(chromium, page):
    assert chromium(marked_to_the_end, page[1]) == ("marked: 2 points", "3 of 3 marked")


def back_to_what_was_saved(browser, address):
    """Save, which goes on, and go back, while only answers without marks are shown."""
    with at_the_desk(browser, address) as (tab, _):
        before = tab.inner_text("#which")
        press(tab, "f", "Enter")
        wait_for(tab, "saved, 2 points.")
        press(tab, "k")
        wait_for(tab, "marked: 2 points")
        return before, tab.inner_text("#which"), tab.is_checked("#unmarked")


@needs.chromium
def test_back_is_to_what_was_shown_before_marked_or_not(chromium, page):
    before, after, is_unmarked_only = chromium(back_to_what_was_saved, page[1])
    assert before == after and is_unmarked_only


def searched_for_nobody(browser, address):
    """Search by an id while names are hidden, and go on as if that student were shown; then clear the search."""
    with at_the_desk(browser, address) as (tab, _):
        press(tab, "/")
        tab.keyboard.type("emmy")
        press(tab, "Enter")
        wait_for(tab, "No answer matches what Find looks for. Names and ids are searched only while they are shown.")
        press(tab, "Escape", "f", "1", "Enter", "p", "0", "Enter")
        shown = tab.is_visible("#answer"), tab.evaluate("drafts.size"), tab.input_value("#points")
        press(tab, "/", "Delete", "Escape", "f")
        return shown, tab.is_visible("#answer"), tab.input_value("#points")


@needs.chromium
def test_nothing_is_marked_while_nothing_matches(chromium, page, lab):
    assert chromium(searched_for_nobody, page[1]) == ((False, 0, ""), True, "2")
    with opened(page[0], lab) as marks:
        assert all(answer.mark is None for answer in marks.answers("why"))


def searched_by_name(browser, address):
    """Search by an id while names are shown."""
    with at_the_desk(browser, address) as (tab, _):
        press(tab, "n", "/")
        tab.wait_for_selector("#which:has-text(':')")
        tab.keyboard.type("emmy")
        press(tab, "Enter")
        tab.wait_for_selector("#which:has-text('emmy')")
        press(tab, "Escape", "f")
        return tab.input_value("#points")


@needs.chromium
def test_what_matches_can_be_marked(chromium, page):
    assert chromium(searched_by_name, page[1]) == "2"


def without_keys(browser, address):
    """Turn the keys off, then reach a rubric item and the button by Tab, and press them."""
    with at_the_desk(browser, address) as (tab, _):
        press(tab, "?", "Space", "Escape", "1", "Enter", "j")
        before = tab.evaluate("[document.querySelectorAll(':checked:not(#unmarked)').length, current, drafts.size]")
        for wanted, key in (("#items input", "Space"), ("button[type=submit]", "Enter")):
            while not tab.evaluate("wanted => document.activeElement.matches(wanted)", wanted):
                press(tab, "Tab")
            press(tab, key)
        wait_for(tab, "saved, 1 point.")
        return before[0], before[2]


@needs.chromium
def test_everything_is_reached_by_tab_where_keys_are_turned_off(chromium, page):
    assert chromium(without_keys, page[1]) == (0, 0)


def two_at_once(browser, address):
    """Both see the same answer; the second is told, and saves all the same."""
    with at_the_desk(browser, address) as (one, _), at_the_desk(browser, address) as (two, _):
        go_to(one, "ada"), go_to(two, "ada")
        press(one, "f", "Enter")
        wait_for(one, "saved, 2 points")
        press(two, "2", "c")
        two.keyboard.type("mine")
        press(two, "Escape", "Enter")
        wait_for(two, "Enter saves yours")
        told = two.evaluate(SAID), two.input_value("#points"), two.input_value("#comment")
        press(two, "Enter")
        wait_for(two, "saved, 0.5 points")
    return told


@needs.chromium
def test_the_second_of_two_people_is_told_and_loses_nothing(chromium, page):
    sentence, points, comment = chromium(two_at_once, page[1])
    assert sentence.startswith("Somebody else gave 2 meanwhile.") and (points, comment) == ("0.5", "mine")


def while_it_is_graded(browser, address, path):
    """The answer becomes another one while it is read."""
    with at_the_desk(browser, address) as (tab, _):
        go_to(tab, "ada")
        path.write_text(path.read_text(encoding="utf-8").replace(STUDENTS["ada"], "Handed in again."), encoding="utf-8")
        press(tab, "f", "Enter")
        wait_for(tab, "The answer itself has changed")
        return tab.inner_text("#answer"), tab.input_value("#points")


@needs.chromium
def test_an_answer_that_is_handed_in_again_meanwhile_is_read_again(chromium, page):
    path = page[0].folder / "autograded" / "ada" / tiny.NAME / f"{tiny.NAME}.ipynb"
    assert chromium(while_it_is_graded, page[1], path) == ("Handed in again.", "2")


def another_rubric(browser, address):
    """Mark by an item, then halve it for everybody, and add one."""
    with at_the_desk(browser, address) as (tab, _):
        go_to(tab, "ada")
        press(tab, "1", "Enter")
        wait_for(tab, "saved, 1 point.")
        press(tab, "r")
        tab.keyboard.type("0.5")
        tab.fill("#rows li:last-child input", "-0.5")
        tab.fill("#rows li:last-child textarea", "claims <b>too</b> much")
        press(tab, "Tab", "Enter")
        wait_for(tab, "The rubric is saved: 1 mark changed")
        return tab.inner_text("#items")


@needs.chromium
def test_a_rubric_is_changed_for_everybody_at_once(chromium, page, lab):
    assert "claims too much" in chromium(another_rubric, page[1])
    with opened(page[0], lab) as marks:
        assert of(marks, "ada").mark == 0.5


def hostile(browser, address):
    """The hostile answer, and the whole notebook around it."""
    with at_the_desk(browser, address) as (tab, visit):
        go_to(tab, "mallory")
        visit.found = tab.evaluate(STRANGE, [sorted(markup.HTML | markup.MATHML), sorted(ATTRIBUTES)])
        tab.goto(tab.get_attribute("#whole", "href") and tab.evaluate("document.getElementById('whole').href"))
        tab.wait_for_load_state("networkidle")
        visit.found += tab.evaluate(STRANGE, [sorted(markup.HTML | markup.MATHML), sorted(ATTRIBUTES)])
    return visit


@needs.chromium
def test_nothing_of_a_hostile_answer_runs_or_asks_for_anything(chromium, server):
    visit = chromium(hostile, server[1])
    assert visit.dialogs == visit.trouble == visit.found == []
    assert [url for url in visit.requests if not url.startswith((server[1].partition("?")[0], "data:"))] == []


def looked_at(browser, address, mode, width):
    """What axe-core finds, with help and rubric open too, and how wide the page is."""
    from axe_playwright_python.base import AXE_SCRIPT

    screen = {"viewport": {"width": width, "height": 800}, "color_scheme": mode}
    with at_the_desk(browser, address, bypass_csp=True, **screen) as (tab, _):
        tab.evaluate(AXE_SCRIPT)
        found = []
        for keys in (["1", "s"], ["?"], ["Escape", "r"]):
            press(tab, *keys)
            found += tab.evaluate("rules => axe.run(document, rules)", AXE)["violations"]
        nodes = [f"{rule['id']}: {node['html'][:160]}" for rule in found for node in rule["nodes"]]
        return nodes, tab.evaluate("document.documentElement.scrollWidth")


@needs.chromium
@pytest.mark.parametrize("mode", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_the_page_keeps_nobody_out_and_fits(chromium, server, mode, width):
    nodes, wide = chromium(looked_at, server[1], mode, width)
    assert nodes == [] and wide <= width
