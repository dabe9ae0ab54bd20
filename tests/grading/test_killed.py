"""What a run survives: workers and the coordinator killed at any moment, a disk that is full."""

import os
import random
import signal
import sys
import textwrap
import time

import psutil
import pytest

from grading.room import sandbox
from tests.grading.classes import ROOT, SLEEPS, Class, finished, start
from tests.needs import bubblewrap

pytestmark = bubblewrap
RIGHT = (2, 4, None)


@pytest.fixture
def course(given_out, tmp_path, lab):
    """Six have handed in; the work on the first one's takes seconds."""
    course = Class.new(given_out, tmp_path / "course", lab)
    course.hand_in("anna", first=SLEEPS)
    for student in ("ben", "cleo", "dora", "emil", "fay"):
        course.hand_in(student)
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


def kill_at_work(process):
    """Kill a worker in the middle of a submission, by the same signal as the kernel does that has no memory left."""
    while process.poll() is None:
        for worker in at_work(process):
            worker.kill()
            worker.wait()
            return
        time.sleep(0.02)
    raise RuntimeError(f"it has ended: {finished(process)}")


def test_the_submission_of_a_worker_that_was_killed_is_tried_again(course):
    process = course.start("--workers", 1)
    kill_at_work(process)
    done = finished(process)
    assert done.status == 0 and "6 graded, 0 were done already, 0 need the instructor" in done.out, done.err
    assert set(course.marks().values()) == {RIGHT} and len(course.marks()) == 6


def test_killed_twice_it_waits_for_the_instructor_and_the_others_are_graded(course):
    process = course.start("--workers", 1)
    kill_at_work(process)
    kill_at_work(process)
    done = finished(process)
    assert done.status == 0 and "6 graded, 0 were done already, 1 need the instructor" in done.out, done.err
    assert course.marks() == {**dict.fromkeys(course.marks(), RIGHT), "anna": (None, None, None)}
    assert "The process that graded this submission died, and so did" in str(course.records()["anna"])


def test_killed_at_any_moment_the_run_goes_on_where_it_was(course):
    moments = random.Random(1)
    for _ in range(4):
        process = course.start("--workers", 2)
        time.sleep(moments.uniform(2, 5))
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
        assert course.marks().items() >= {one: RIGHT for one in course.records()}.items(), "no record without its marks"
    graded = len(course.records())
    done = finished(course.start("--workers", 2))
    assert done.status == 0 and f"{6 - graded} graded, {graded} were done already" in done.out, done.err
    assert course.marks() == dict.fromkeys(course.marks(), RIGHT) and len(course.marks()) == 6


def test_no_process_outlives_a_coordinator_that_was_killed(course):
    process = course.start("--workers", 1)
    while not at_work(process):
        time.sleep(0.05)
    children = psutil.Process(process.pid).children(recursive=True)
    process.kill()
    process.communicate()
    assert psutil.wait_procs(children, timeout=15)[1] == []


FULL = """
    import shutil, subprocess, sys
    course, grade = "/full/course", [sys.executable, "-m", "grading", "grade", "lab_tiny", "--workers", "1"]
    shutil.copytree(sys.argv[1], course)
    for left in (0, 40_000, 10_000_000):
        with open("/full/filler", "wb", buffering=0) as filler:
            try:
                while filler.write(bytes(4096)):
                    pass
            except OSError:
                filler.truncate(max(0, filler.tell() - left))
        done = subprocess.run([*grade, "--course-dir", course], text=True, capture_output=True)
        print(done.returncode, repr(done.stderr.splitlines()[-1]), "Traceback" in done.stderr, done.stdout)
    shutil.copy(course + "/gradebook.db", sys.argv[1])
"""


def test_a_full_disk_is_one_line_and_with_space_again_the_run_goes_on(course, tmp_path):
    script = tmp_path / "full.py"
    script.write_text(textwrap.dedent(FULL))
    small = [sandbox.program(), "--dev-bind", "/", "/", "--size", 2**23, "--tmpfs", "/full", "--chdir", ROOT]
    done = finished(start(list(map(str, [*small, sys.executable, script, course.folder]))))
    full, nearly, space = (line for line in done.out.splitlines() if line[:2] in ("0 ", "1 "))
    assert "No space left" in full and "full" in nearly and full[0] == nearly[0] == "1" and space[0] == "0", done
    assert "True" not in done.out and course.marks() == dict.fromkeys(course.marks(), RIGHT)
