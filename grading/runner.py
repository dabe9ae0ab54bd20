"""`python -m grading grade`: a whole class, on all cores or on a cluster.

Worker processes grade (`work`), this process reads submissions and writes results. It holds a few submissions for each
worker and no more, so that a class of two thousand takes no more memory than one of twenty.
"""

import itertools
import json
import logging
import os
import sys
import time
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from urllib.parse import urlsplit

import dask
from distributed import Client, KilledWorker, LocalCluster, as_completed
from distributed.security import Security

from grading.course import Course, line, table
from grading.work import given_up, work

AHEAD = 3  # submissions that wait for each worker, so that none is idle
LOOPBACK = ("localhost", "127.0.0.1", "::1")
TWICE = ("The process that graded this submission died, and so did the next one that tried. "
         "Look at the notebook; the run after this one tries again.")


class GradingFailed(RuntimeError):
    """The run cannot start or go on; the text says why, in one line."""


def grade_class(folder, lab, options):
    """Grade what is new or has changed. Prints a summary. Called by `python -m grading grade`.

    options  has workers, scheduler, students, force, seed, sandbox, json

    Raises GradingFailed, SandboxError, LedgerError, ValueError or OSError if grading itself failed, not a submission.
    """
    course = Course.at(folder)
    course.settings.seed = options.seed or course.settings.seed
    course.settings.sandbox = course.settings.sandbox and options.sandbox
    terms = course.terms(lab)
    students = wanted(course.students(lab), options.students, course.submitted(lab, "*"))
    with course.settings.rooms() as rooms:
        rooms.start()  # says in one line if it cannot, before a cluster is started
    with course.ledger() as ledger:
        ledger.expect(terms.lab)
        before = {record.student: record for record in ledger.records(lab)}
        run = _Run(course, terms, ledger, before, options.force)
        try:
            with cluster(options) as client:
                run.grade(client, students)
        finally:
            print(table(sorted(run.summary)), end="")
            print(run.totals(len(students)))
            if options.json:
                write_json(Path(options.json), ledger.records(lab), students)


def wanted(students, chosen, where):
    """Those of the students that are to be graded: all, or those chosen."""
    unknown = sorted(set(chosen or ()) - set(students))
    if unknown:
        raise GradingFailed(f"student: expected some who handed in, got {', '.join(unknown)}: nothing in {where}")
    if not students:
        raise GradingFailed(f"submissions: expected some in {where}, got none")
    return [student for student in students if not chosen or student in chosen]


class _Run:
    """One run over a class: what has come back so far."""

    def __init__(self, course, terms, ledger, before, force):
        self.course, self.terms, self.ledger, self.before, self.force = course, terms, ledger, before, force
        self.summary, self.already, self.waiting = [], 0, 0

    def grade(self, client, students):
        """Keep the workers busy, and write what comes back."""
        tasks = self._tasks(students)
        ahead = AHEAD * max(1, len(client.nthreads()))
        progress, flying = Progress(len(students)), {}
        results = as_completed()
        for task in itertools.islice(tasks, ahead):
            self._submit(client, results, flying, task)
        for future in results:
            task = flying.pop(future.key)
            self._deliver(self._result(future, task), task)
            future.release()
            progress.show(len(self.summary) + self.already)
            for following in itertools.islice(tasks, 1):
                self._submit(client, results, flying, following)
        progress.show(len(self.summary) + self.already, last=True)

    def _submit(self, client, results, flying, task):
        future = client.submit(work, task, self.terms, pure=False)
        flying[future.key] = task
        results.add(future)

    def _tasks(self, students):
        """Read what is not done yet, one after the other."""
        for student in students:
            task = self.course.task(self.terms.lab.name, student)
            if not self.force and self.course.is_done(self.before.get(student), task, self.terms):
                self.already += 1
            else:
                yield task

    def _result(self, future, task):
        try:
            return future.result()
        except KilledWorker:
            return given_up(task, self.terms, TWICE)

    def _deliver(self, result, task):
        self.course.enter(self.ledger, result.record.lab, task.student)
        self.course.deliver(self.ledger, result, task, self.terms)
        self.summary.append(line(result.record, self.before.get(task.student)))
        self.waiting += bool(result.record.faulty)

    def totals(self, students):
        """The last line of the summary."""
        graded = len(self.summary)
        parts = [f"{graded} graded", f"{self.already} were done already", f"{self.waiting} need the instructor"]
        left = students - graded - self.already
        return ", ".join(parts) + (f", {left} not reached: run the same command again to go on" if left else "") + "."


@contextmanager
def cluster(options):
    """A Dask client: of processes on this machine, or of a scheduler that is there already."""
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    with dask.config.set({
        "distributed.scheduler.allowed-failures": 1,   # a submission whose worker died is tried once more
        "distributed.scheduler.work-stealing": False,  # each submission is as good as any other
        "distributed.worker.daemon": False,
    }):
        if options.scheduler:
            address = checked(options.scheduler)
            security = Security(**({"tls_ca_file": options.tls_ca, "tls_client_cert": options.tls_cert,
                                    "tls_client_key": options.tls_key} if options.tls_ca else {}))
            try:
                with Client(address, security=security, timeout="10s") as client:
                    yield client
            except (OSError, TimeoutError) as error:
                raise GradingFailed(f"scheduler: no answer from {address}: {error}") from error
            return
        with LocalCluster(n_workers=options.workers or os.cpu_count(), threads_per_worker=1, host="127.0.0.1",
                          dashboard_address=None, worker_dashboard_address=None, memory_limit=0,
                          silence_logs=logging.CRITICAL) as local, Client(local) as client:
            yield client


def checked(address):
    """The scheduler's address, if marks and notebooks may travel there. Raises GradingFailed."""
    parts = urlsplit(address)
    if parts.scheme not in ("tcp", "tls") or not parts.hostname:
        raise GradingFailed(f"scheduler: expected tls://HOST:PORT, got {address!r}")
    if parts.scheme == "tcp" and parts.hostname not in LOOPBACK:
        raise GradingFailed(f"scheduler: expected tls:// for another machine, got {address!r}: submissions and marks "
                            "would travel in the clear")
    return address


class Progress:
    """How far a run is, on standard error: a line that is rewritten, or, where that is a file, one now and then."""

    def __init__(self, total):
        self.total, self.started, self.said = total, time.monotonic(), 0.0
        self.terminal = sys.stderr.isatty()

    def show(self, count, last=False):
        """Say it, not more often than is of use."""
        now = time.monotonic()
        if not last and now - self.said < (0.2 if self.terminal else 10):
            return
        self.said, rate = now, count / max(now - self.started, 1e-9)
        bar = "#" * (30 * count // max(self.total, 1))
        text = f"[{bar:30}] {count} of {self.total}, {rate:.1f} a second"
        print(f"\r{text}" if self.terminal else text, end="" if self.terminal and not last else "\n", file=sys.stderr,
              flush=True)


def write_json(path, records, students):
    """The records of these students, for other programs. Written in one step."""
    chosen = [asdict(record) for record in records if record.student in students]
    part = path.with_name(f".{path.name}.part")
    part.write_text(json.dumps({"records": chosen}, indent=1), encoding="utf-8")
    part.replace(path)
