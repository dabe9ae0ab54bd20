"""Nobody but the instructor's own processes can speak to those that grade a class, from the same machine either."""

import multiprocessing
import os
import socket
import ssl
from types import SimpleNamespace

import psutil
import pytest
from distributed import LocalCluster

from grading.cluster import cluster

SOMEBODY = 65534  # another user of the machine, where the tests may become one
PLAIN = b"GET /info/main/workers.html HTTP/1.1\r\nHost: localhost\r\n\r\n"


def listening():
    """The ports on which this process and all that it has started listen."""
    family = [psutil.Process(), *psutil.Process().children(recursive=True)]
    return {each.laddr.port for process in family for each in process.net_connections() if each.status == "LISTEN"}


@pytest.fixture(scope="module")
def ports():
    """Those of a class that is graded."""
    before = listening()
    with cluster(SimpleNamespace(scheduler=None, workers=1)):
        yield listening() - before


def plainly(port):
    """Speak without TLS. Returns what is answered, but for a TLS alert."""
    with socket.create_connection(("127.0.0.1", port), timeout=3) as line:
        line.sendall(PLAIN)
        said = line.recv(4096)
    return b"" if said.startswith(b"\x15\x03") else said


def without_a_key(port):
    """Speak TLS as anybody can. Returns what is answered."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with socket.create_connection(("127.0.0.1", port), timeout=3) as line, context.wrap_socket(line) as safe:
        safe.sendall(PLAIN)
        return safe.recv(4096)


def ask(door, port, answers):
    """As another user: what is answered at a port, b"" if nobody is let in."""
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(SOMEBODY)
        os.setuid(SOMEBODY)
    try:
        answers.send(door(port))
    except OSError:
        answers.send(b"")


@pytest.mark.nightly
def test_where_somebody_is_let_in_it_is_seen():
    with LocalCluster(n_workers=0, host="tcp://127.0.0.1", dashboard_address="127.0.0.1:0") as local:
        assert plainly(int(local.scheduler_address.rpartition(":")[2]))


@pytest.mark.parametrize("door", [plainly, without_a_key])
def test_another_user_is_answered_by_no_process_that_grades(ports, door):
    assert len(ports) >= 2, "a scheduler and a worker"
    context = multiprocessing.get_context("fork")
    for port in ports:
        mine, theirs = context.Pipe()
        process = context.Process(target=ask, args=(door, port, theirs))
        process.start()
        assert mine.recv() == b""
        process.join()


def test_what_the_workers_leave_on_disk_is_for_nobody_else(ports, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with cluster(SimpleNamespace(scheduler=None, workers=1)):
        assert [path.stat().st_mode & 0o77 for path in tmp_path.iterdir()] == [0]
