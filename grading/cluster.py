"""The processes that grade a class: workers of this machine alone, or those of a Dask cluster that is there already."""

import asyncio
import itertools
import logging
import os
import signal
import tempfile
from concurrent.futures import CancelledError
from contextlib import ExitStack, contextmanager
from urllib.parse import urlsplit

import dask
from distributed import Client, LocalCluster, as_completed, rpc
from distributed.diagnostics.plugin import SchedulerPlugin, WorkerPlugin
from distributed.security import Security

from grading.apart import StopsAll

ANSWER = 10  # seconds that a scheduler may take to answer


class GradingFailed(StopsAll):
    """The run cannot start or go on; the text says why, in one line."""


QUIET = {
    "distributed.scheduler.allowed-failures": 1,  # a submission whose worker died is tried once more
    "distributed.worker.multiprocessing-method": "forkserver",  # from one that has loaded grading/worker.py
    "distributed.worker.daemon": False,           # a worker starts processes of its own
    "distributed.scheduler.http.routes": [],      # until their doors are closed, see NoPages
    "distributed.worker.http.routes": [],
    "distributed.worker.profile.enabled": False,  # the rest is so that Dask notes nothing about each submission
    "distributed.admin.low-level-log-length": 0,
    "distributed.admin.log-length": 0,
    "distributed.admin.system-monitor.log-length": 1,
}


@contextmanager
def cluster(options):
    """A Dask client: of processes on this machine, or of a scheduler that is there already. Raises GradingFailed."""
    for talkative in ("distributed", "distributed.client", "asyncio"):  # Dask sets the second's level by itself
        logging.getLogger(talkative).setLevel(logging.CRITICAL)
    with dask.config.set(QUIET), ExitStack() as stack:
        client = connect(options) if options.scheduler else Client(stack.enter_context(local(options)))
        stack.enter_context(client)
        for plugin in () if options.scheduler else (NoPages(), NoPagesOfWorkers()):
            client.register_plugin(plugin)
        yield client


class NoPages(SchedulerPlugin):
    """Close the door that the scheduler opens for pages, also where it has none: anybody on this machine can knock."""

    async def start(self, scheduler):
        scheduler.http_server.stop()


class NoPagesOfWorkers(WorkerPlugin):
    """The same of each worker, also of one that comes in the place of another."""

    def setup(self, worker):
        worker.http_server.stop()


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


def spread(client, function, jobs, seconds):
    """Keep the workers busy: yields (the future of function(*arguments), about) for each job (arguments, about).

    seconds  that a job may take: then its worker is ended, and it counts as tried

    No more jobs are taken than there are workers: each is held in memory, and all that is with a worker that dies
    counts as tried.
    """
    flying, results, jobs = {}, as_completed(), iter(jobs)

    def submit(count):
        for arguments, about in itertools.islice(jobs, count):
            future = client.submit(within, seconds, function, *arguments, pure=False)
            flying[future.key] = about
            results.add(future)

    submit(max(1, len(client.nthreads())))
    for future in results:
        about = flying.pop(future.key)
        submit(1)
        yield future, about
        future.release()


def within(seconds, function, *arguments):
    """What a function returns in so many seconds. Called by the worker processes, which do one job at a time.

    Nobody handles the alarm: so the system ends the process, whatever keeps it busy.
    """
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        return function(*arguments)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def result_of(future):
    """What a job returned. Raises what it raised; GradingFailed if no other job can be expected to do better."""
    try:
        return future.result()
    except ImportError as error:
        raise GradingFailed(f"workers: expected this repository's grading there, got {error}") from error
    except CancelledError as error:
        raise GradingFailed("scheduler: the connection was lost. Run the same command again to go on.") from error
