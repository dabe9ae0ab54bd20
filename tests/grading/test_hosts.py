"""A Dask cluster of two hosts, of which one is cut off in the middle: they are network namespaces of this machine."""

import asyncio
import json
import os
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager

import psutil
import pytest
from distributed.security import Security

from grading.cluster import identity
from tests import needs
from tests.grading.classes import ROOT, SLEEPS, Class, finished, keys

pytestmark = [needs.bubblewrap, needs.hosts, pytest.mark.nightly]
HERE, THERE = "198.51.100.1", "198.51.100.2"  # addresses that are nobody's
DASK = {  # a host that is not heard of for so long is given up
    "DASK_DISTRIBUTED__COMM__TIMEOUTS__TCP": "12s",
    "DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT": "5s",
    "DASK_DISTRIBUTED__SCHEDULER__WORKER_TTL": "5s",
}


@contextmanager
def two_hosts():
    """Another host, which is reached by a cable. Yields (the command that runs something there, cut the cable)."""
    name, cable = f"grading{os.getpid()}", f"g{os.getpid()}"
    ip("netns", "add", name)
    try:
        ip("link", "add", cable, "type", "veth", "peer", "name", "eth0", "netns", name)
        ip("addr", "add", f"{HERE}/24", "dev", cable), ip("link", "set", cable, "up")
        ip("-n", name, "addr", "add", f"{THERE}/24", "dev", "eth0")
        ip("-n", name, "link", "set", "eth0", "up")
        ip("-n", name, "link", "set", "lo", "up")
        yield ["ip", "netns", "exec", name], lambda: ip("link", "set", cable, "down")
    finally:
        ip("netns", "delete", name)


def ip(*arguments):
    subprocess.run(["ip", *arguments], check=True)


@contextmanager
def running(command):
    """A process that is ended at the end, with all that it has started."""
    process = psutil.Popen(command, cwd=ROOT, env={**os.environ, **DASK, "PYTHONPATH": str(ROOT)},
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        family = [process, *process.children(recursive=True)]
        for one in family:
            one.kill()
        psutil.wait_procs(family)


@contextmanager
def cluster(folder, elsewhere):
    """A scheduler and a worker here, a worker elsewhere; with TLS. Yields the options of `grade` that name them."""
    security, address = Security.temporary(), folder / "scheduler.json"
    options = keys(security, folder)
    files = [option.replace("--tls-ca=", "--tls-ca-file=") for option in options]  # as Dask calls it
    dask, one = [sys.executable, "-m", "dask"], ["--nthreads", "1", "--nworkers", "1", "--no-dashboard", *files]
    with ExitStack() as stack:
        stack.enter_context(running([*dask, "scheduler", "--host", f"tls://{HERE}", "--port", "0", "--no-dashboard",
                                     "--scheduler-file", str(address), *files]))
        wait_for(address.exists)
        scheduler = json.loads(address.read_text())["address"]
        stack.enter_context(running([*dask, "worker", scheduler, "--host", f"tls://{HERE}", *one]))
        stack.enter_context(running([*elsewhere, *dask, "worker", scheduler, "--host", f"tls://{THERE}", *one]))
        wait_for(lambda: len(asyncio.run(identity(scheduler, security))["workers"]) == 2)
        yield ["--scheduler", scheduler, *options]


def wait_for(ready, seconds=60):
    """Wait until a function says that it is so. Raises TimeoutError."""
    end = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > end:
            raise TimeoutError(f"{ready} was never true")
        time.sleep(0.1)


def test_a_host_that_is_cut_off_in_the_middle_costs_nobody_a_mark(given_out, tmp_path, lab):
    course = Class.new(given_out, tmp_path / "course", lab)
    students = [f"student{number}" for number in range(8)]
    for student in students:
        course.hand_in(student, first=SLEEPS)
    with two_hosts() as (elsewhere, cut), cluster(tmp_path, elsewhere) as options:
        process = course.start(*options)
        wait_for(lambda: len(course.records()) > 2 or process.poll() is not None)
        cut()
        done = finished(process)
    assert done.status == 0 and "8 graded" in done.out, done
    assert course.marks() == dict.fromkeys(students, (2, 4, None))
