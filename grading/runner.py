"""`python -m grading grade`: a whole class, on all cores or on a cluster.

Worker processes grade (`work`), this process reads submissions and writes results. It holds one submission for each
worker and no more, so that a class of two thousand takes no more memory than one of twenty.
"""

import asyncio
import itertools
import json
import logging
import os
import sys
import tempfile
import time
import traceback
from concurrent.futures import CancelledError
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from urllib.parse import urlsplit

import dask
from distributed import Client, KilledWorker, LocalCluster, as_completed, rpc
from distributed.security import Security

from grading import lateness
from grading.course import Course, line, refused, table
from grading.room.sandbox import SandboxError
from grading.submissions import STUDENT
from grading.work import OtherChecks, given_up, packed, work_packed

ANSWER = 10  # seconds that a scheduler may take to answer
TWICE = ("The process that graded this submission died, and so did the next one that tried. "
         "Look at the notebook; the run after this one tries again.")


class GradingFailed(RuntimeError):
    """The run cannot start or go on; the text says why, in one line."""


QUIET = {
    "distributed.scheduler.allowed-failures": 1,  # a submission whose worker died is tried once more
    "distributed.worker.multiprocessing-method": "forkserver",  # from one that has loaded grading/worker.py
    "distributed.worker.daemon": False,           # a worker starts processes of its own
    "distributed.scheduler.http.routes": [],      # its pages would be open to everybody on this machine
    "distributed.worker.http.routes": [],
    "distributed.worker.profile.enabled": False,  # the rest is so that Dask notes nothing about each submission
    "distributed.admin.low-level-log-length": 0,
    "distributed.admin.log-length": 0,
    "distributed.admin.system-monitor.log-length": 1,
}


def grade_class(folder, lab, options):
    """Grade what is new or has changed. Prints a summary. Called by `python -m grading grade`.

    options  has workers, scheduler, students, force, dry_run, seed, sandbox, json

    Returns the exit status: 1 if folders were refused, as nobody would notice who is missing. Raises GradingFailed,
    SandboxError, LedgerError, ValueError or OSError if grading itself failed, not a submission.
    """
    course = Course.at(folder)
    course.settings.seed = options.seed or course.settings.seed
    course.settings.sandbox = course.settings.sandbox and options.sandbox
    terms = course.terms(lab)
    named = wanted(course.students(lab), options.students, course.submitted(lab, "*"))
    students = [student for student in named if STUDENT.fullmatch(student)]
    left_out = refused(named)
    with course.ledger() as ledger:
        ledger.expect(terms.lab)
        run = _Run(course, terms, ledger, options)
        rows, said = run.summary, []
        try:
            with cluster(options) as client:
                run.begin(students)
                run.grade(client, students)
            if not options.dry_run:
                rows, said = course.conclude(ledger, lab, rows)
        finally:
            print(table(sorted([*rows, *left_out])), end="")
            print("\n".join([*said, run.totals(len(students), len(left_out))]))
        if options.json:
            write_json(options.json, ledger, lab, students, [name for name in named if name not in students])
    return bool(left_out)


def wanted(students, chosen, where):
    """Those of the students that are to be graded: all, or those chosen."""
    unknown = sorted(set(chosen or ()) - set(students))
    if unknown:
        raise GradingFailed(f"student: expected some who handed in, got {', '.join(unknown)}: nothing in {where}")
    if not students:
        raise GradingFailed(f"submissions: expected some in {where}, got none: python -m grading collect takes in what "
                            "a platform gives, nbgrader collect what the exchange holds")
    return [student for student in students if not chosen or student in chosen]


class _Run:
    """One run over a class: what has come back so far."""

    def __init__(self, course, terms, ledger, options):
        self.course, self.terms, self.ledger, self.options = course, terms, ledger, options
        self.summary, self.already, self.waiting, self.graded = [], 0, 0, 0

    def begin(self, students):
        """Say what an update or a correction would change. Note whom --force is to grade again, unless it goes on."""
        others = self.ledger.judged_otherwise(self.terms.lab.name, self.terms.fingerprint)
        if others and not self.options.students:
            say(f"{others} were graded by other checks, or by an earlier release, and are graded anew.")
        self._again = self.ledger.again(self.terms.lab.name) & set(students)
        if self._again:
            say(f"Going on with --force: {len(self._again)} are still to be graded again.")
        elif self.options.force:
            self._again = set(students)
            if not self.options.dry_run:
                self.ledger.grade_again(self.terms.lab.name, students)

    def grade(self, client, students):
        """Keep the workers busy, and write what comes back."""
        tasks, terms, flying, results = self._tasks(students), packed(self.terms), {}, as_completed()
        progress = Progress(len(students))

        def submit(count):
            for task, before in itertools.islice(tasks, count):
                future = client.submit(work_packed, task, terms, pure=False)
                flying[future.key] = task, before
                results.add(future)

        submit(max(1, len(client.nthreads())))  # no more: all that is with a worker that dies counts as tried
        for future in results:
            task, before = flying.pop(future.key)
            submit(1)
            self._deliver(self._result(future, task), task, before)
            future.release()
            progress.show(self.graded + self.already)
        progress.show(self.graded + self.already, last=True)

    def _tasks(self, students):
        """Read what is not done yet, one after the other, and what was found in it before."""
        for student in students:
            task = self.course.task(self.terms.lab.name, student)
            before = self.ledger.record(self.terms.lab.name, student)
            if student not in self._again and self.course.is_done(before, task, self.terms):
                self.already += 1
            else:
                yield task, before

    def _result(self, future, task):
        """What became of a task. Whatever is wrong with one submission, the class goes on."""
        try:
            return future.result()
        except KilledWorker:
            return given_up(task, self.terms, TWICE)
        except (OtherChecks, SandboxError):
            raise
        except ImportError as error:
            raise GradingFailed(f"workers: expected this repository's grading.work there, got {error}") from error
        except CancelledError as error:
            raise GradingFailed("scheduler: the connection was lost. Run the same command again to go on.") from error
        except Exception:
            return given_up(task, self.terms, traceback.format_exc())

    def _deliver(self, result, task, before):
        self.graded += 1
        self.waiting += bool(result.record.faulty)
        if not self.options.dry_run:
            self.course.deliver(self.ledger, result, task, self.terms, before)
        if not self.options.dry_run or before is None or before.points != result.record.points:
            self.summary.append(line(result.record, before))

    def totals(self, students, refused):
        """The last line of the summary."""
        parts = [f"{self.graded} graded", f"{self.already} were done already", f"{self.waiting} need the instructor"]
        parts += [f"{refused} refused"] if refused else []
        parts += ["nothing was written"] if self.options.dry_run else []
        left = students - self.graded - self.already
        return ", ".join(parts) + (f", {left} not reached: run the same command again to go on" if left else "") + "."


@contextmanager
def cluster(options):
    """A Dask client: of processes on this machine, or of a scheduler that is there already. Raises GradingFailed."""
    for talkative in ("distributed", "distributed.client", "asyncio"):  # Dask sets the second's level by itself
        logging.getLogger(talkative).setLevel(logging.CRITICAL)
    with dask.config.set(QUIET), ExitStack() as stack:
        client = connect(options) if options.scheduler else Client(stack.enter_context(local(options)))
        yield stack.enter_context(client)


@contextmanager
def local(options):
    """A cluster of processes on this machine that nobody else on it can speak to.

    What they say to each other can be read and written with a key alone that was made for this run, and stands in no
    file. All that they leave in the temporary folder is in a folder of the run's own, and goes with it.
    """
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="grading-", ignore_cleanup_errors=True))
        stack.enter_context(dask.config.set({"temporary-directory": folder}))
        yield stack.enter_context(LocalCluster(
            n_workers=options.workers or os.cpu_count(), threads_per_worker=1, host="tls://127.0.0.1", memory_limit=0,
            security=Security.temporary(), dashboard_address="127.0.0.1:0", silence_logs=logging.CRITICAL,
            env={"TMPDIR": folder},
        ))


def connect(options):
    """A client of the scheduler that the options name. Raises GradingFailed if there is none."""
    address = checked(options.scheduler)
    files = {"tls_ca_file": options.tls_ca, "tls_client_cert": options.tls_cert, "tls_client_key": options.tls_key}
    security = Security(**{name: file for name, file in files.items() if file})
    try:
        asyncio.run(asyncio.wait_for(identity(address, security), ANSWER))
    except (OSError, TimeoutError) as error:
        raise GradingFailed(f"scheduler: no answer from {address}: {error!r}") from error
    except TypeError as error:  # how Dask says that it was given none of these
        raise GradingFailed("scheduler: expected the files --tls-ca, --tls-cert and --tls-key, or Dask's settings of "
                            "them, got none") from error
    return Client(address, security=security)


async def identity(address, security):
    """What the scheduler says of itself. (A Client waits for ever, where somebody listens who never answers.)"""
    async with rpc(address, connection_args=security.get_connection_args("client")) as scheduler:
        return await scheduler.identity()


def checked(address):
    """The scheduler's address, if marks and notebooks may travel there. Raises GradingFailed."""
    parts = urlsplit(address)
    if parts.scheme != "tls" or not parts.hostname:
        raise GradingFailed(f"scheduler: expected tls://HOST:PORT, got {address!r}: without TLS whoever reaches it, "
                            "from this machine too, could read and run whatever you can")
    return address


def say(sentence):
    """Something that is worth knowing before a run ends."""
    print(sentence, file=sys.stderr, flush=True)


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


def write_json(path, ledger, lab, students, refused):
    """What is known of these students, for other programs: records, lateness, names of refused folders. In one step."""
    chosen, late = set(students), lateness.of(ledger.book, lab)
    found = {
        "records": [asdict(record) for record in ledger.records(lab) if record.student in chosen],
        "late": {student: {"seconds": one.seconds, "penalty": one.penalty}
                 for student, one in late.items() if student in chosen},
        "refused": refused,
    }
    part = path.with_name(f".{path.name}.part")
    part.write_text(json.dumps(found, indent=1), encoding="utf-8")
    part.replace(path)
