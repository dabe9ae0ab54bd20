"""A JupyterHub with nbgrader's exchange, as an instructor sets one up: users of the system, each with an own server.

    hub-teacher         has a checkout of this repository with its environment, and a class's folder beside it
    hub-ada, hub-emmy   have the environment that students have: nbgrader, and coursekit's wheel; not this repository

`make hub` installs JupyterHub and its proxy into build/hub. Users are made and taken away again, so it needs root.
"""

import contextlib
import json
import os
import pwd
import shutil
import socket
import subprocess
import sys
import sysconfig
import tempfile
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from grading.release import build_wheel
from tests.grading.classes import ROOT
from tests.grading.documented import checkout

INSTALLED = ROOT / "build" / "hub"
TEACHER, STUDENTS = "hub-teacher", ("hub-ada", "hub-emmy")
PASSWORD = "a password for all of them"
STARTS = 120  # seconds
CONFIG = """
c = get_config()
servers = {servers!r}
c.JupyterHub.bind_url = "http://127.0.0.1:{ports[0]}"
c.JupyterHub.hub_port = {ports[1]}
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{ports[2]}"
c.ConfigurableHTTPProxy.command = [{proxy!r}]
c.JupyterHub.authenticator_class = "dummy"
c.DummyAuthenticator.password = {password!r}
c.Authenticator.allow_all = True
c.Spawner.start_timeout = c.Spawner.http_timeout = {starts}
c.Spawner.pre_spawn_hook = lambda spawner: setattr(spawner, "cmd", servers[spawner.user.name])
"""
STUDENTS_CONFIG = """
c = get_config()
c.CourseDirectory.course_id = "attention"
c.Exchange.root = {exchange!r}
"""


@dataclass(frozen=True)
class Hub:
    """One that runs: its address, and its folder, in which are `home`, `exchange` and what was said, `log`."""

    address: str
    folder: Path

    @property
    def course(self):
        """The class's folder."""
        return self.folder / "home" / TEACHER / "class"

    def run(self, user, *command, folder):
        """Run a command as a user, with the programs of that user's environment. Returns the finished process."""
        variables = {"PATH": f"{_environment_of(self.folder, user)}/bin:/usr/bin:/bin", "LANG": "C.UTF-8"}
        pairs = [f"{name}={value}" for name, value in variables.items()]
        return subprocess.run(["runuser", "-u", user, "--", "env", *pairs, *map(str, command)], cwd=folder,
                              capture_output=True, text=True, timeout=300, check=False)


@contextlib.contextmanager
def hub():
    """Start one with a class that is ready to begin, and take all of it away at the end."""
    folder = Path(tempfile.mkdtemp(prefix="hub-"))
    folder.chmod(0o711)
    try:
        for user in (TEACHER, *STUDENTS):
            _add(user, folder / "home" / user)
        _students_environment(folder)
        _teachers_checkout(folder)
        with _running(folder) as address:
            yield Hub(address, folder)
    finally:
        for user in (TEACHER, *STUDENTS):
            subprocess.run(["userdel", user], check=False, capture_output=True)
        shutil.rmtree(folder)


def _add(user, home):
    home.parent.mkdir(mode=0o711, exist_ok=True)
    subprocess.run(["useradd", "--create-home", "--home-dir", home, "--shell", "/bin/bash", user], check=True)
    home.chmod(0o700)


def _environment_of(folder, user):
    return folder / "home" / TEACHER / "course" / ".venv" if user == TEACHER else folder / "students"


def _students_environment(folder):
    """What students have: the packages of this environment, but coursekit's wheel in place of this repository."""
    place = folder / "students"
    subprocess.run([interpreter(), "-m", "venv", "--without-pip", place], check=True)
    wheel = build_wheel(ROOT, folder)
    shutil.unpack_archive(wheel, _packages(place), "zip")
    _link(place)
    (folder / "exchange").mkdir()
    (folder / "exchange").chmod(0o777)
    (place / "etc" / "jupyter" / "nbgrader_config.py").write_text(
        STUDENTS_CONFIG.format(exchange=str(folder / "exchange")))


def _teachers_checkout(folder):
    """A checkout in the teacher's home, a class's folder made by `init`, and where Jupyter finds it from the home."""
    home = folder / "home" / TEACHER
    _link(checkout(home / "course", interpreter()) / ".venv")
    subprocess.run(["chown", "-R", f"{TEACHER}:", home], check=True)
    ready = Hub("", folder)
    done = ready.run(TEACHER, "python", "-m", "grading", "init", ready.course, folder=home / "course")
    assert done.returncode == 0, done.stderr
    with (ready.course / "nbgrader_config.py").open("a") as config:
        config.write(f"c.Exchange.root = {str(folder / 'exchange')!r}\n")
    (home / ".jupyter").mkdir()
    (home / ".jupyter" / "nbgrader_config.py").write_text(f"c.CourseDirectory.root = {str(ready.course)!r}\n")
    subprocess.run(["chown", "-R", f"{TEACHER}:", home / ".jupyter"], check=True)


def _link(environment):
    """Give an environment the packages of this one and the hub's, and Jupyter's own extensions."""
    here, hubs = Path(sys.prefix), _packages(INSTALLED / "env")
    with (_packages(environment) / "linked.pth").open("a") as file:
        file.write(f"{sysconfig.get_path('purelib')}\n{hubs}\n")
    for kind in ("jupyter_server_config.d", "nbconfig"):
        shutil.copytree(here / "etc" / "jupyter" / kind, environment / "etc" / "jupyter" / kind, dirs_exist_ok=True)
    (environment / "share").mkdir(exist_ok=True)
    (environment / "share" / "jupyter").symlink_to(here / "share" / "jupyter")


def _packages(environment):
    return next((environment / "lib").glob("python*/site-packages"))


@contextlib.contextmanager
def _running(folder):
    servers = {user: [f"{_environment_of(folder, user)}/bin/python", "-m", "jupyterhub.singleuser"]
               for user in (TEACHER, *STUDENTS)}
    ports = _free_ports(3)
    text = CONFIG.format(servers=servers, ports=ports, password=PASSWORD, starts=STARTS,
                         proxy=str(INSTALLED / "node_modules" / ".bin" / "configurable-http-proxy"))
    (folder / "hub").mkdir(mode=0o700)
    (folder / "hub" / "jupyterhub_config.py").write_text(text)
    with (folder / "log").open("w") as log:
        running = subprocess.Popen([INSTALLED / "env" / "bin" / "jupyterhub"], cwd=folder / "hub", stdout=log,
                                   stderr=log)
    try:
        address = f"http://127.0.0.1:{ports[0]}"
        _wait(address, running, folder / "log")
        yield address
    finally:
        running.terminate()
        running.wait(60)


def _free_ports(count):
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [one.getsockname()[1] for one in sockets]


def _wait(address, running, log):
    """Wait until the hub answers."""
    for _ in range(STARTS):
        with contextlib.suppress(OSError), urllib.request.urlopen(f"{address}/hub/api") as reply:
            return json.load(reply)
        assert running.poll() is None, log.read_text()
        time.sleep(1)
    raise TimeoutError(log.read_text())


def interpreter():
    """This version's Python, if every user may run it; None if there is none."""
    name = f"python{sys.version_info.major}.{sys.version_info.minor}"
    found = [Path(sys._base_executable).resolve(), *map(Path, filter(None, [shutil.which(name, path="/usr/bin")]))]
    return next((path for path in found if all(place.stat().st_mode & 0o001 for place in (path, *path.parents))), None)


def can_run():
    """Is all there that it takes, and nobody of these names?"""
    names = {user.pw_name for user in pwd.getpwall()}
    return bool(os.geteuid() == 0 and (INSTALLED / "env").is_dir() and (INSTALLED / "node_modules").is_dir()
                and interpreter() and not names & {TEACHER, *STUDENTS})
