"""The real formgrader, in a Jupyter server of its own."""

import contextlib
import json
import os
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from tests.grading.classes import ROOT

OPTIONS = ["--allow-root", "--port=0", "--ServerApp.open_browser=False", "--IdentityProvider.token=token",
           "--ServerApp.jpserver_extensions=nbgrader.server_extensions.formgrader=True"]


def environment(folder):
    """One in which Jupyter knows of nothing but what is given to it, and what this Python's environment holds."""
    folders = {f"JUPYTER_{kind}_DIR": str(folder / ".jupyter" / kind) for kind in ("CONFIG", "DATA", "RUNTIME")}
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return {**os.environ, **folders, "PATH": path, "PYTHONPATH": str(ROOT)}


@contextlib.contextmanager
def formgrader(folder):
    """Start it in a folder, `with formgrader(folder) as address`."""
    with (folder / "server.log").open("w") as log:
        running = subprocess.Popen([sys.executable, "-m", "jupyter_server", *OPTIONS], cwd=folder, stderr=log,
                                   env=environment(folder))
    try:
        yield _address(folder, running)
    finally:
        running.terminate()
        running.wait(60)


def press(address, button):
    """What formgrader answers when one of its buttons is pressed, such as "submission/LAB/STUDENT/autograde"."""
    request = urllib.request.Request(f"{address}formgrader/api/{button}", method="POST",
                                     headers={"Authorization": "token token"})
    with urllib.request.urlopen(request) as reply:
        return json.load(reply)


def _address(folder, running):
    """Wait until the server has said where it is."""
    for _ in range(1200):
        time.sleep(0.1)
        about = next((folder / ".jupyter" / "RUNTIME").glob("jpserver-*.json"), None)
        with contextlib.suppress(ValueError, TypeError):
            return json.loads(about and about.read_text())["url"]
        assert running.poll() is None, (folder / "server.log").read_text()
    raise TimeoutError((folder / "server.log").read_text())
