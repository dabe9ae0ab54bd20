"""A PostgreSQL server of the tests' own: no network, and no files but its own."""

import os
import pwd
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path

SETTINGS = "-c listen_addresses='' -c fsync=off -c synchronous_commit=off"


def program(name):
    """The path of one of PostgreSQL's programs, which Debian keeps off PATH; None where there is none."""
    places = [os.environ["PATH"], *map(str, sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True))]
    return shutil.which(name, path=os.pathsep.join(places))


@contextmanager
def server():
    """A running server. Yields a function from a database's name to its address, as SQLAlchemy has it."""
    with tempfile.TemporaryDirectory(prefix="pg-") as folder:  # no deep one: a socket's path is short
        if os.geteuid() == 0:  # which the server refuses to run as
            os.chown(folder, *pwd.getpwnam("postgres")[2:4])
        data = f"{folder}/data"
        run("initdb", "--pgdata", data, "--username", "tests", "--auth", "trust", "--encoding", "UTF8")
        run("pg_ctl", "--pgdata", data, "-o", f"-k {folder} {SETTINGS}", "--log", f"{folder}/log", "--wait", "start")
        try:
            yield lambda name: f"postgresql+psycopg://tests@/{name}?host={folder}"
        finally:
            run("pg_ctl", "--pgdata", data, "--mode", "immediate", "stop")


def run(name, *arguments):
    """Run one of PostgreSQL's programs, as its own user where the tests run as root."""
    user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    subprocess.run([*user, program(name), *arguments], check=True, stdout=subprocess.DEVNULL, cwd="/")
