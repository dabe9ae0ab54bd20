"""`python -m grading grade`: a class that is graded, changed and graded again; a cluster of this machine and others."""

import io
import json
import multiprocessing
import shutil
import subprocess
import time
from datetime import datetime
from types import SimpleNamespace

import pytest
from distributed import LocalCluster
from distributed.security import Security

from grading import marking, work
from grading.cluster import cluster
from grading.course import Course
from grading.room import wire
from grading.room.sandbox import SandboxError
from grading.runner import Progress
from tests import needs
from tests.grading import tiny
from tests.grading.classes import MISTAKE, ROOT, SLEEPS, Class, finished, found, keys
from tests.needs import bubblewrap

pytestmark = bubblewrap
REFUSED = ["two words", "x<b>"]
ANY_PORT = {"dashboard_address": "127.0.0.1:0"}
ENDLESS = """

real = spread


def spread(student, rng):
    while student.center([[1.0]]).value == "for ever":
        pass
    yield from real(student, rng)
"""
LOOKS = "def center(x, axis=0):\n    raise [KeyError, ValueError, TypeError, IndexError][int(abs(x[0, 0]) * 1e6) % 4]"


@pytest.fixture(scope="module")
def other_checks(tmp_path_factory):
    """Packages of checks: in `corrected` a law weighs less, in `flawed` one raises, in `endless` one may not end."""
    folder = tmp_path_factory.mktemp("checks")
    for package in ("corrected", "flawed", "endless"):
        shutil.copytree(ROOT / tiny.SOLUTIONS.replace(".", "/"), folder / package)
    corrected, flawed = (folder / package / tiny.NAME / "checks.py" for package in ("corrected", "flawed"))
    corrected.write_text(corrected.read_text().replace(tiny.SOLUTIONS, "corrected").replace("weight=3", "weight=1"))
    with flawed.open("a") as file:
        file.write("\n\ndef spread(student, rng):\n    yield 1 / 0\n")
    with (folder / "endless" / tiny.NAME / "checks.py").open("a") as file:
        file.write(ENDLESS)
    return folder


@pytest.fixture(scope="module")
def workers(other_checks, tmp_path_factory):
    """A cluster of two workers that most runs of this file use, forked from a process that has loaded the grader."""
    multiprocessing.set_forkserver_preload(["grading.worker"])
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(other_checks)  # the workers have the paths of this process
        with cluster(SimpleNamespace(scheduler=None, workers=2)) as client:
            yield named(client, tmp_path_factory.mktemp("keys"))


def named(client, folder):
    """The options that name a client's cluster."""
    return ["--scheduler", client.scheduler.address, *keys(client.security, folder)]


@pytest.fixture
def course(given_out, tmp_path, lab, workers):
    """A course in which nobody has handed in anything."""
    return Class.new(given_out, tmp_path / "course", lab, workers)


@pytest.fixture(scope="module")
def first(given_out, tmp_path_factory, lab):
    """A class that was graded once from the command line, with what was said."""
    course = Class.new(given_out, tmp_path_factory.mktemp("class") / "course", lab)
    course.hand_in("right")
    course.hand_in("mistaken", center=MISTAKE)
    course.hand_in("blank", tiny.to_bytes(lab.skeleton))
    course.hand_in("broken", b"\xff\xfe")
    course.hand_in("missing").joinpath(f"{tiny.NAME}.ipynb").unlink()
    course.hand_in("killer", first="import os\nos.kill(os.getpid(), 9)")
    for refused in REFUSED:
        course.hand_in(refused)
    (course.hand_in("pipe-time") / "timestamp.txt").symlink_to("/dev/zero")
    odd = course.hand_in("odd-files")
    (odd / f"{tiny.NAME}.ipynb").rename(odd / "mine.ipynb")
    (odd / f"{tiny.NAME}.ipynb").mkdir()
    (odd / f"{tiny.NAME}.ipynb" / "data.txt").write_text("1")
    course.done = finished(course.start("--workers", 2, "--json", course.folder / "found.json"))
    return course


@pytest.fixture
def again(first, tmp_path, workers):
    """A copy of that class, to change and grade again; nobody's folder has a name that is refused."""
    shutil.copytree(first.folder, tmp_path / "again", symlinks=True)
    for refused in REFUSED:
        shutil.rmtree(tmp_path / "again" / "submitted" / refused)
    return Class(tmp_path / "again", first.lab, workers)


def said_of(done, student):
    """The line of the summary that is about a student."""
    return next((line for line in done.out.splitlines() if line.startswith(student)), "")


def total(done):
    """The last line of the summary."""
    return done.out.splitlines()[-1]


def judge_by(course, package):
    """From now on the checks are those of another package."""
    course.use(f"c.TwoRooms.solutions = {package!r}\n")


# A class is graded once.


def test_everybody_is_graded_or_counted_whatever_they_handed_in_and_who_was_refused_is_in_the_exit_status(first):
    assert first.done.status == 1 and "Traceback" not in first.done.err
    assert total(first.done) == ("8 graded, 0 were done already, 0 could not be checked, "
                                 "6 wait to be marked by hand, 2 refused.")


def test_everyone_has_the_right_mark_whatever_the_neighbours_handed_in(first):
    full = dict.fromkeys(["right", "killer", "pipe-time", "odd-files"], (2, 4, None))
    nothing = dict.fromkeys(["blank", "missing"], (0, 0, 0))
    assert first.marks() == {**full, **nothing, "mistaken": (0, 4, None), "broken": (0, 0, None)}


@pytest.mark.parametrize("student, says", [
    ("right", "6 of 8, 2 by hand"),
    ("mistaken", "4 of 8, 2 by hand"),
    ("broken", "not UTF-8"),
    ("missing", "No notebook was handed in."),
    ("odd-files", "There is no 'lab_tiny.ipynb': 'mine.ipynb' was graded."),
    ("'two words'", "not graded"),
    ("'x<b>'", "The folder's name must be of letters, digits and . _ @ + - alone"),
])
def test_the_summary_has_a_line_for_each_that_says_what_is_wrong(first, student, says):
    assert says in said_of(first.done, student)


def test_each_graded_notebook_is_written_and_none_for_who_was_refused(first):
    assert "2 of 2 points" in first.graded("right")
    assert sorted(path.name for path in (first.folder / "autograded").iterdir()) == sorted(first.marks())


def test_the_json_file_holds_what_was_found(first):
    records = found(first.folder / "found.json")
    assert records.keys() == first.marks().keys()
    assert json.loads((first.folder / "found.json").read_text())["refused"] == REFUSED
    assert records["mistaken"]["marks"]["center-checks"]["mistake"].startswith("You took the mean of the whole array")


def test_progress_is_shown_and_ends_at_all(first):
    assert "8 of 8" in first.done.error


def test_a_progress_bar_is_rewritten_on_a_terminal_only(monkeypatch):
    for terminal in (True, False):
        stream = io.StringIO()
        stream.isatty = lambda terminal=terminal: terminal
        monkeypatch.setattr("sys.stderr", stream)
        Progress(2).show(1)
        assert stream.getvalue().startswith("\r") == terminal and "1 of 2" in stream.getvalue()


@needs.postgres
@pytest.mark.nightly
def test_a_class_whose_gradebook_is_in_postgresql_is_graded_and_given_back(course, databases):
    course.keep_gradebook_in(databases("class"))
    (course.folder / "gradebook.db").unlink()
    course.hand_in("anna"), course.hand_in("ben", center=MISTAKE)
    for graded, options in ((2, ["--feedback"]), (0, []), (2, ["--force"])):
        assert total(course.grade(*options)).startswith(f"{graded} graded")
    assert pages(course).keys() == {"anna", "ben"} and course.marks() == {"anna": (2, 4, None), "ben": (0, 4, None)}
    assert not (course.folder / "gradebook.db").exists()


# It is graded again.


def test_a_second_run_grades_nothing(again):
    before = (again.folder / "gradebook.db").read_bytes()
    assert total(again.grade()) == "0 graded, 8 were done already, 0 could not be checked, 6 wait to be marked by hand."
    assert (again.folder / "gradebook.db").read_bytes() == before


def test_what_a_person_has_marked_waits_no_more_in_the_summary(course):
    course.hand_in("anna")
    assert total(course.grade()).endswith("0 could not be checked, 1 waits to be marked by hand.")
    with course.gradebook() as book:
        grade = book.find_grade("why", tiny.NAME, tiny.NAME, "anna")
        grade.manual_score, grade.needs_manual_grade = 1.5, False
        book.db.commit()
    done = course.grade("--force")
    assert "7.5 of 8" in said_of(done, "anna") and "by hand" not in done.out


def test_who_is_named_alone_is_graded(again):
    done = again.grade("--force", "--student", "right", "blank")
    assert total(done).startswith("2 graded") and not said_of(done, "mistaken")


def test_force_grades_again_with_the_same_marks(again):
    before = again.marks()
    assert total(again.grade("--force")).startswith("8 graded") and again.marks() == before


def test_what_was_handed_in_again_replaces_the_mark_and_says_so(again):
    again.hand_in("right", center=MISTAKE)
    done = again.grade()
    assert "Handed in again: was 6, now 4." in said_of(done, "right") and total(done).startswith("1 graded")
    assert again.marks()["right"] == (0, 4, None)


def test_a_graded_notebook_that_is_gone_is_made_again(again):
    shutil.rmtree(again.folder / "autograded" / "right")
    assert total(again.grade()).startswith("1 graded") and "2 of 2 points" in again.graded("right")


def test_other_limits_are_other_terms(again):
    again.use("c.TwoRooms.cell = 7\n")
    done = again.grade()
    assert total(done).startswith("8 graded") and "8 were graded by other checks" in done.err


def test_marks_and_comments_given_by_hand_survive(again):
    names = tiny.NAME, tiny.NAME, "right"
    with again.gradebook() as book:
        book.find_grade("why", *names).manual_score = 1.5
        book.find_grade("center-checks", *names).extra_credit = 0.25
        book.find_comment("why", *names).manual_comment = "well seen"
        book.db.commit()
    again.hand_in("right", center=MISTAKE)
    again.grade()
    with again.gradebook() as book:
        assert book.find_submission(tiny.NAME, "right").score == 0 + 0.25 + 4 + 1.5
        assert book.find_comment("why", *names).comment == "well seen"


def test_corrected_checks_regrade_whom_they_concern_and_show_the_difference(again):
    judge_by(again, "corrected")
    again.hand_in("mistaken", spread="def spread(x):\n    return np.ones(x.shape[1])")
    done = again.grade("--student", "right", "mistaken")
    assert done.status == 0, done.err
    assert "was" not in said_of(done, "right") and "Handed in again: was 4, now" in said_of(done, "mistaken")


# Inputs of each submission's own.


def test_with_a_seed_inputs_differ_by_submission_and_are_the_same_again(course):
    for number in range(6):
        course.hand_in(f"student{number}", center=LOOKS, last=f"# {number}")
    one, two, none = (course.grade(*options) and course.records()
                      for options in (["--seed", "a"], ["--seed", "a", "--force"], ["--seed", "", "--force"]))
    assert hints(one) == hints(two) and len(set(hints(one).values())) > 1 and len(set(hints(none).values())) == 1


def hints(records):
    return {student: record.marks["center-checks"]["verdicts"][0][2] for student, record in records.items()}


# After an update.


@pytest.fixture
def old(tmp_path, lab, workers):
    """A class that was graded and marked by an earlier release."""
    return Class.of_an_earlier_release(tmp_path / "course", lab, workers)


def by_hand(course):
    """{student: (points by hand, does it wait for a person)} of the written answer."""
    with course.gradebook() as book:
        grades = {one.student.id: one.notebooks[0].grades for one in book.assignment_submissions(tiny.NAME)}
        return {student: (grade.manual_score, grade.needs_manual_grade)
                for student, found in grades.items() for grade in found if grade.name == "why"}


def test_a_class_of_an_earlier_release_is_graded_anew_without_a_mark_lost_or_asked_for_again(old):
    before = by_hand(old)
    done = old.grade()
    assert "4 were graded by other checks, or by an earlier release, and are graded anew." in done.err
    assert total(done).startswith("4 graded") and "Handed in again" not in done.out
    assert by_hand(old) == before and before["dóra"] == (1, False)
    assert "Late by 1 day 2 hours: 6 points are taken off." in said_of(done, "ben")


def test_an_answer_that_changed_since_an_earlier_release_asks_for_another_look(old):
    old.hand_in("anna", why="Something else.")
    old.grade()
    assert by_hand(old)["anna"] == (1.5, True) and by_hand(old)["ben"] == (2, False)


def test_what_a_regrade_would_change_is_said_before_it_does_and_nothing_is_written(again):
    again.hand_in("mistaken")
    before = again.marks(), again.records(), (again.folder / "gradebook.db").read_bytes()
    done = again.grade("--dry-run", "--force")
    assert done.out.splitlines() == ["mistaken  6 of 8, 2 by hand  Handed in again: was 4, now 6.",
                                     "8 graded, 0 were done already, 0 could not be checked, nothing was written."]
    assert (again.marks(), again.records(), (again.folder / "gradebook.db").read_bytes()) == before


# Late.


@pytest.fixture
def late(course):
    """Anna was two hours late, which costs her everything, and Ben in time; nobody knows about Cleo."""
    course.use("c.LateSubmissionPlugin.penalty_method = 'zero'\n")
    for student in ("anna", "ben", "cleo"):
        course.hand_in(student)
    with Course.at(course.folder).ledger() as ledger:
        ledger.set_due(tiny.NAME, datetime(2030, 1, 1, 12))
        for student, hour in (("anna", 14), ("ben", 11)):
            ledger.note_hand_in(tiny.NAME, student, datetime(2030, 1, 1, hour), "the tests")
    return course


def test_the_summary_says_who_is_late_by_how_much_at_what_cost_and_of_whom_nobody_knows(late):
    for _ in ("graded", "done already"):
        done = late.grade("--json", late.folder / "found.json")
        assert "6 of 8, 2 by hand  Late by 2 hours: 6 points are taken off." in said_of(done, "anna")
        assert "Nobody noted when cleo handed in: whether that was late is unknown." in done.out
        assert "Late" not in said_of(done, "ben") and done.status == 0
    found = json.loads((late.folder / "found.json").read_text())["late"]
    assert found == {"anna": {"seconds": 7200, "penalty": 6}, "ben": {"seconds": 0, "penalty": 0},
                     "cleo": {"seconds": None, "penalty": 0}}


def test_a_plugin_that_raises_is_one_sentence_and_the_class_is_marked(late):
    late.use("from nbgrader.plugins import BasePlugin\nc.AssignLatePenalties.plugin_class = BasePlugin\n")
    done = late.grade()
    assert "The late penalty of anna stays as it was: BasePlugin raised AttributeError" in done.out
    assert done.status == 0 and len(late.marks()) == 3


# Pages of feedback.


def pages(course):
    """{student: page}"""
    return {path.parts[-3]: path.read_text() for path in (course.folder / "feedback").glob("*/*/*.html")}


def test_pages_are_those_of_nbgraders_command_with_marks_and_comments_by_hand_and_penalties(late):
    late.grade()
    with late.gradebook() as book:
        book.find_grade("why", tiny.NAME, tiny.NAME, "anna").manual_score = 1.5
        book.find_comment("why", tiny.NAME, tiny.NAME, "anna").manual_comment = "well seen"
        book.db.commit()
    assert "3 pages of feedback were written" in late.grade("--feedback").out
    written = pages(late)
    shutil.rmtree(late.folder / "feedback")
    assert late.nbgrader("generate_feedback", tiny.NAME).status == 0
    assert pages(late) == written and "well seen" in written["anna"] and "7.5" in written["anna"]


def test_a_page_that_is_up_to_date_is_left_alone_and_others_are_written_anew(again):
    assert "8 pages of feedback were written" in again.grade("--feedback").out
    with again.gradebook() as book:
        book.find_grade("why", tiny.NAME, tiny.NAME, "right").manual_score = 1.5
        book.db.commit()
    assert "1 pages of feedback were written" in again.grade("--feedback").out and "7.5 of 8" in pages(again)["right"]


def test_a_page_that_cannot_be_made_is_said_and_the_others_are(again, monkeypatch):
    monkeypatch.setattr("grading.giving_back.made_from", lambda text, given: "another hash")
    done = again.grade("--feedback")
    assert done.status == 1 and "0 pages of feedback were written" in done.out and not pages(again)
    assert "right: has no page of feedback: the worker that made it" in done.out


# What is not the student's fault.


def broken_work(monkeypatch, error):
    """Let `marking.grade` raise for who says so in their notebook."""
    def grade(submission, *args):
        if b"UNLUCKY" in submission:
            raise error
        return real(submission, *args)

    real = marking.grade
    monkeypatch.setattr(marking, "grade", grade)


@pytest.mark.parametrize("error", [wire.TooLarge("too large"), MemoryError(), OSError("no space"), RecursionError(),
                                   KeyError("a bug"), UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogate")])
def test_whatever_goes_wrong_with_one_submission_it_waits_for_the_instructor(monkeypatch, course, rooms, error):
    broken_work(monkeypatch, error)
    course.hand_in("anna", why="UNLUCKY")
    here = Course.at(course.folder)
    record = work.work(here.task(tiny.NAME, "anna"), here.terms(tiny.NAME), rooms).record
    assert [mark["points"] for mark in record.marks.values()] == [None, None, None] and not record.done
    assert type(error).__name__ in record.marks["center-checks"]["fault"]


def test_where_no_sandbox_starts_the_error_is_not_the_submissions(monkeypatch, course, rooms):
    broken_work(monkeypatch, SandboxError("none here"))
    course.hand_in("anna", why="UNLUCKY")
    here = Course.at(course.folder)
    with pytest.raises(SandboxError, match="none here"):
        work.work(here.task(tiny.NAME, "anna"), here.terms(tiny.NAME), rooms)


def test_a_submission_that_cannot_even_be_repaired_is_given_up_without_its_answers(monkeypatch, course, rooms):
    course.hand_in("anna", why="UNLUCKY")
    real = marking.repair
    monkeypatch.setattr(marking, "repair", lambda data, lab: 1 / 0 if data else real(data, lab))
    here = Course.at(course.folder)
    result = work.work(here.task(tiny.NAME, "anna"), here.terms(tiny.NAME), rooms)
    assert "ZeroDivisionError" in result.record.marks["center-checks"]["fault"] and "UNLUCKY" not in result.notebook


def test_a_submission_that_cannot_be_read_waits_and_the_others_are_graded(monkeypatch, course):
    def read(folder, *args):
        if "anna" in str(folder):
            raise PermissionError("not yours")
        return real(folder, *args)

    from grading import course as module
    real = module.read_submission
    monkeypatch.setattr(module, "read_submission", read)
    course.hand_in("anna"), course.hand_in("ben")
    done = course.grade()
    assert "not yours" in said_of(done, "anna") and total(done).startswith("2 graded, 0 were done already, 1 could")


def test_a_check_that_raises_takes_no_points_and_is_tried_again(course):
    judge_by(course, "flawed")
    course.hand_in("anna")
    for _ in range(2):
        done = course.grade()
        assert done.status == 0 and "1 graded, 0 were done already, 1 could not be checked" in total(done), done.err
        assert "2 of 8, 6 by hand  NEEDS THE INSTRUCTOR: 'spread-checks'" in said_of(done, "anna")
    assert course.marks()["anna"] == (2, None, None)
    assert "ZeroDivisionError" in course.records()["anna"].marks["spread-checks"]["fault"]


@pytest.mark.nightly
def test_a_submission_on_which_work_does_not_end_waits_and_the_others_are_graded(monkeypatch, course):
    monkeypatch.setattr(work.Terms, "seconds", 4.0)
    judge_by(course, "endless")
    course.hand_in("anna", center="def center(x, axis=0):\n    return 'for ever'")
    course.hand_in("ben")
    done = course.grade()
    assert "NEEDS THE INSTRUCTOR" in said_of(done, "anna") and course.marks()["ben"] == (2, 4, None)
    assert "went on for too long" in course.records()["anna"].marks["spread-checks"]["fault"]


# Other schedulers.


def test_a_worker_with_other_checks_refuses_and_ends_the_run(monkeypatch, course):
    real = work.checking.fingerprint
    monkeypatch.setattr(work.checking, "fingerprint", lambda *names: "0" * 64 if len(names) == 3 else real(*names))
    course.hand_in("anna")
    done = course.grade()
    assert done.status == 1 and done.error.startswith("checks: expected those with the hash 000000000000, this worker")
    assert "1 not reached: run the same command again to go on" in total(done) and not course.records()


def test_a_cluster_is_reached_over_tls_with_the_files_that_are_named(course, tmp_path):
    security = Security(**certificates(tmp_path))
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    course.hand_in("anna")
    with LocalCluster(n_workers=1, threads_per_worker=1, security=security, host="tls://127.0.0.1",
                      **ANY_PORT) as local:
        assert local.scheduler_address.startswith("tls://")
        files = ["--tls-ca", cert, "--tls-cert", cert, "--tls-key", key]
        done = course.grade("--scheduler", local.scheduler_address, *files)
    assert done.status == 0 and course.marks()["anna"] == (2, 4, None), done.err


def certificates(folder):
    """Dask's settings for a certificate that was made just now."""
    key, cert = folder / "key.pem", folder / "cert.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", cert,
                    "-days", "1", "-subj", "/CN=localhost"], check=True, capture_output=True)
    roles = ("scheduler", "worker", "client")
    files = {f"tls_{role}_{kind}": str(path) for role in roles for kind, path in (("key", key), ("cert", cert))}
    return {"tls_ca_file": str(cert), "require_encryption": True, **files}


def test_a_cluster_that_goes_away_ends_the_run_in_one_line(course, tmp_path):
    for number in range(8):
        course.hand_in(f"student{number}", first=SLEEPS)
    with cluster(SimpleNamespace(scheduler=None, workers=1)) as client:
        process = course.start(*named(client, tmp_path))
        while not course.records() and process.poll() is None:
            time.sleep(0.2)
    done = finished(process)
    assert done.status == 1 and "Traceback" not in done.err and done.error.startswith("scheduler: "), done.err
