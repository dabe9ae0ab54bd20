"""A class on a real JupyterHub, in real browsers: handed out, worked on, handed in, graded and given back.

Nightly, since it starts a hub and three servers: `make hub` runs it. Two students and a teacher are users of the
system; a third student's work came by another way, and so without the exchange's secret.
"""

import contextlib
import re
import shutil
from datetime import UTC, datetime

import pytest
from playwright.sync_api import sync_playwright

from tests.hub.hub import PASSWORD, STUDENTS, TEACHER, can_run, hub
from tests.needs import chromium, chromium_path, needs

LAB = "lab01_additive_attention"
RIGHT = ("def softmax(x, axis=0):\n    powers = np.exp(x - np.max(x, axis=axis, keepdims=True))\n"
         "    return powers / powers.sum(axis=axis, keepdims=True)")
WRONG = "def softmax(x, axis=0):\n    return x"
ANSWERS = dict(zip(STUDENTS, (RIGHT, WRONG), strict=True))
SCREEN = {"width": 1400, "height": 900}
LOADED = 120_000  # milliseconds that a page may take: each user's server starts on a machine that does other things

pytestmark = [pytest.mark.nightly, chromium, needs(can_run(), "root, and what `make hub` installs, which runs it")]


class Person:
    """Somebody at a browser, logged in to their own server."""

    def __init__(self, browser, hub, name):
        self.tab, self.home = browser.new_context(viewport=SCREEN).new_page(), f"{hub.address}/user/{name}"
        self.tab.set_default_timeout(LOADED)
        self.tab.goto(f"{hub.address}/hub/login?next=%2Fhub%2Fspawn%2F{name}")
        self.tab.fill("#username_input", name)
        self.tab.fill("#password_input", PASSWORD)
        self.tab.click("#login_submit")
        self.tab.wait_for_url(f"**/user/{name}/**")

    def press(self, button):
        """The teacher presses a button of formgrader, in the lab's row. Returns what formgrader then says."""
        self.tab.goto(f"{self.home}/formgrader/manage_assignments")
        self.tab.locator("tr", has_text=LAB).locator(f"td.{button} a").click()
        return self.tab.locator("#success-modal.in, #error-modal.in").inner_text()

    def assignments(self):
        """The student opens the list of assignments."""
        self.tab.goto(f"{self.home}/lab?reset")
        self.tab.wait_for_selector("#jupyterlab-splash", state="detached")
        self.tab.click(".lm-MenuBar-itemLabel:text-is('Nbgrader')")
        self.tab.click(".lm-Menu-itemLabel:text-is('Assignment List')")

    def choose(self, part, button, then):
        """Press a button there in one of its three parts, and wait until another part holds the lab."""
        self.assignments()
        self.tab.locator(f"#{part}_assignments_list button", has_text=button).click()
        self.tab.locator(f"#{then}_assignments_list .item_name", has_text=LAB).first.wait_for()

    def answer(self, text):
        """Write the first answer over its stub, run all cells, save. Returns what the check under it says."""
        self.tab.goto(f"{self.home}/lab/tree/{LAB}/{LAB}.ipynb?reset")
        self.tab.wait_for_selector("#jupyterlab-splash", state="detached")
        self.tab.locator(".jp-CodeCell", has_text="def softmax(x").locator(".cm-content").click()
        self.tab.keyboard.press("Control+a")
        self.tab.keyboard.insert_text(text)
        self.tab.click(".lm-MenuBar-itemLabel:text-is('Run')")
        self.tab.click(".lm-Menu-itemLabel:text-is('Run All Cells')")
        check = self.tab.locator(".jp-CodeCell", has_text="check.softmax(softmax)")
        said = check.locator(".jp-OutputArea-output", has_text=re.compile(r"\S")).first.text_content()
        self.tab.keyboard.press("Control+s")
        self.tab.locator(".jp-mod-dirty").first.wait_for(state="detached")
        return said

    def fetch_feedback(self):
        """The student fetches the pages that there are."""
        self.assignments()
        self.tab.locator("#submitted_assignments_list button", has_text="Fetch Feedback").click()
        self.tab.locator("#submitted_assignments_list a", has_text="view feedback").first.wait_for()


@pytest.fixture(scope="module")
def term():
    """The whole way, once. Returns what was said and seen on it."""
    with hub() as place, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=["--no-sandbox", "--disable-gpu"])
        with contextlib.closing(browser):
            yield go_through(place, {name: Person(browser, place, name) for name in (TEACHER, *STUDENTS)})


def go_through(place, people):
    teacher, students, seen = people[TEACHER], {name: people[name] for name in STUDENTS}, {}
    seen["given out"] = [teacher.press("assign"), teacher.press("release")]
    for name, student in students.items():
        student.choose("released", "Fetch", then="fetched")
        seen[name] = student.answer(ANSWERS[name])
        student.choose("fetched", "Submit", then="submitted")
    seen["collected"] = teacher.press("collect")
    by_mail(place)
    seen["graded"] = place.run(TEACHER, "python", "-m", "grading", "grade", LAB, folder=place.course)
    seen["times"] = place.run(TEACHER, "python", "-c", TIMES, folder=place.course).stdout
    seen["given back"] = [teacher.press("generate-feedback"), teacher.press("release-feedback")]
    for student in students.values():
        student.fetch_feedback()
    folders = {name: place.folder / "home" / name / LAB / "feedback" for name in STUDENTS}
    seen["pages"] = {name: [page.read_text(encoding="utf-8") for page in folder.rglob(f"{LAB}.html")]
                     for name, folder in folders.items()}
    return seen


TIMES = f"""
from grading.course import Course
with Course.at(".").ledger() as ledger:
    for student, (when, how) in ledger.hand_ins({LAB!r}).items():
        print(student, when.isoformat(), how)
"""


def by_mail(place):
    """Ben's notebook, which he sent by mail: there is no secret beside it."""
    folder = place.course / "submitted" / "ben" / LAB
    folder.mkdir(parents=True)
    shutil.copy(place.folder / "home" / STUDENTS[0] / LAB / f"{LAB}.ipynb", folder)
    for path in (folder.parent, folder, folder / f"{LAB}.ipynb"):
        shutil.chown(path, TEACHER)


def test_the_lab_is_given_out(term):
    assert all(said.startswith("×\nSuccess") for said in term["given out"])


def test_a_student_sees_at_once_whether_an_answer_is_right(term):
    right, wrong = (term[name] for name in STUDENTS)
    assert right.startswith("✓") and wrong.startswith("CheckFailed")


def test_what_they_handed_in_is_collected_and_its_time_noted(term):
    assert "2 of 2 submissions collected" in term["collected"]
    times = dict(line.split(" ")[:2] for line in term["times"].splitlines())
    age = [datetime.now(UTC).replace(tzinfo=None) - datetime.fromisoformat(times[name]) for name in STUDENTS]
    assert all(0 < one.total_seconds() < 3600 for one in age) and "ben" not in times


def test_all_are_graded(term):
    done = term["graded"]
    assert done.returncode == 0 and "3 graded" in done.stdout, done.stderr
    marks = dict(line.split("  ", 1) for line in done.stdout.splitlines() if "of 14" in line)
    assert marks["hub-ada"].strip().startswith("2 of 14") and marks["ben"].strip().startswith("2 of 14")


def test_feedback_is_given_back_to_all_but_the_one_without_a_secret_who_is_named(term):
    made, released = term["given back"]
    assert "3 of 3 pages written" in made and "no feedback was released for ben" in released
    right, wrong = (term["pages"][name] for name in STUDENTS)
    assert len(right) == len(wrong) == 1 and "softmax: 2 of 2 points" in right[0]
    assert "hub-emmy" in wrong[0] and "softmax: 2 of 2 points" not in wrong[0]
