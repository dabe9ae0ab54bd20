"""What a run survives: workers and the coordinator killed at any moment, a disk that is full."""

import signal
import sys
import tempfile
import textwrap
import time
from pathlib import Path

import psutil
import pytest

from grading.room import sandbox
from tests.grading.classes import ROOT, SLEEPS, Class, finished, start
from tests.needs import bubblewrap

pytestmark = [bubblewrap, pytest.mark.sampled("walk")]
RIGHT = (2, 4, None)


@pytest.fixture
def course(given_out, tmp_path, lab):
    """Six have handed in; the work on what the first two did takes seconds."""
    course = Class.new(given_out, tmp_path / "course", lab)
    for student in ("anna", "ben", "cleo", "dora", "emil", "fay"):
        course.hand_in(student, first=SLEEPS if student in ("anna", "ben") else None)
    return course


def at_work(process):
    """The worker processes of a run whose sandbox has a room in it: three processes are the sandbox's own."""
    try:
        children = psutil.Process(process.pid).children()
        servers = [child for child in children if "multiprocessing.forkserver" in " ".join(child.cmdline())]
        workers = [worker for server in servers for worker in server.children()]
        return [worker for worker in workers if len(worker.children(recursive=True)) > 3]
    except psutil.Error:
        return []  # one has gone in the meantime


def wait_for_work(process):
    """The worker processes of a run, once there are some at work. Raises RuntimeError if the run ends before."""
    while process.poll() is None:
        if workers := at_work(process):
            return workers
        time.sleep(0.02)
    raise RuntimeError(f"it has ended: {finished(process)}")


def kill_at_work(process):
    """Kill a worker in the middle of a submission, by the same signal as the kernel does that has no memory left."""
    worker = wait_for_work(process)[0]
    worker.kill()
    worker.wait()


def test_a_submission_whose_worker_was_killed_is_tried_again_and_killed_twice_it_waits_for_the_instructor(course):
    process = course.start("--workers", 1)
    for _ in ("anna", "anna again", "ben"):
        kill_at_work(process)
    done = finished(process)
    assert done.status == 0 and "6 graded, 0 were done already, 1 could not be checked" in done.out, done.err
    assert course.marks() == {**dict.fromkeys(course.marks(), RIGHT), "anna": (None, None, None)}
    assert "The process that graded this submission died, and so did" in str(course.records()["anna"])


def test_killed_at_any_moment_a_run_leaves_no_process_behind_and_the_next_goes_on_where_it_was(course):
    for seconds in (0, 0.1, 1):
        process = course.start("--workers", 2)
        wait_for_work(process)
        time.sleep(seconds)
        children = psutil.Process(process.pid).children(recursive=True)
        process.kill()
        process.communicate()
        assert children and psutil.wait_procs(children, timeout=60)[1] == []
        assert course.marks().items() >= {one: RIGHT for one in course.records()}.items(), "no record without its marks"
    graded = len(course.records())
    done = finished(course.start("--workers", 2))
    assert done.status == 0 and f"{6 - graded} graded, {graded} were done already" in done.out, done.err
    assert course.marks() == dict.fromkeys(course.marks(), RIGHT) and len(course.marks()) == 6


def test_a_run_with_force_that_is_interrupted_goes_on_and_the_next_one_starts_anew(course):
    finished(course.start("--workers", 2))
    process = course.start("--workers", 2, "--force")
    before = course.records()
    while course.records() == before and process.poll() is None:
        time.sleep(0.02)
    process.send_signal(signal.SIGTERM)
    stopped, on, anew = finished(process), finished(course.start("--force")), finished(course.start("--force"))
    graded, more = (int(done.out.splitlines()[-1].split()[0]) for done in (stopped, on))
    assert 0 < graded < 6 and more == 6 - graded and f"Going on with --force: {more} are still" in on.err
    assert "6 graded, 0 were done already" in anew.out and course.marks() == dict.fromkeys(course.marks(), RIGHT)


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_told_to_stop_says_how_to_go_on_and_leaves_nothing_in_the_temporary_folder(course, end):
    scratch = Path(tempfile.mkdtemp())  # the path of a socket may have 107 characters: pytest's own folder is too deep
    process = course.start("--workers", 2, temporary=scratch)
    wait_for_work(process)
    assert any(scratch.iterdir())
    process.send_signal(end)
    done = finished(process)
    assert done.status == 130 and "Run the same command again to go on." in done.error and "Traceback" not in done.err
    assert [*scratch.iterdir()] == [] and "not reached" in done.out
    scratch.rmdir()


FULL = """
    import shutil, sys
    from grading.__main__ import main
    from tests.grading.classes import said
    course = "/full/course"
    shutil.copytree(sys.argv[1], course)
    for left in (0, 40_000, 10_000_000):
        with open("/full/filler", "wb", buffering=0) as filler:
            try:
                while filler.write(bytes(4096)):
                    pass
            except OSError:
                filler.truncate(max(0, filler.tell() - left))
        done = said(main, ["grade", "lab_tiny", "--workers", "2", "--course-dir", course])
        print(done.status, repr(done.error), "Traceback" in done.err, done.out)
    shutil.copy(course + "/gradebook.db", sys.argv[1])
"""


def test_a_full_disk_is_one_line_and_with_space_again_the_run_goes_on(course):
    small = [sandbox.program(), "--dev-bind", "/", "/", "--size", 2**23, "--tmpfs", "/full", "--chdir", ROOT]
    done = finished(start(list(map(str, [*small, sys.executable, "-c", textwrap.dedent(FULL), course.folder]))))
    full, nearly, space = (line for line in done.out.splitlines() if line[:2] in ("0 ", "1 "))
    assert "No space left" in full and "full" in nearly and full[0] == nearly[0] == "1" and space[0] == "0", done
    assert "True" not in done.out and course.marks() == dict.fromkeys(course.marks(), RIGHT)
