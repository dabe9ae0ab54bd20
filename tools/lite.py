"""The labs in the reader's browser: a JupyterLite of the released notebooks, in _build/html/lite.

`tools.book` calls `build` after Sphinx. JupyterLite's own command does the work: all that the site needs of it are the
settings below. It is run in a folder that is thrown away, since it remembers an earlier build in a database and then
drops changed settings without a word.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from importlib import metadata
from pathlib import Path

import yaml

from grading.lab import data_files, names
from tools.browser import WHEELS

APPS = ("notebooks", "tree", "edit")  # a lab; the list of files; my_attention.py as text
EXTENSION = "@jupyterlite/pyodide-kernel-extension"
KERNEL = f"{EXTENSION}:kernel"
UP = "../../../../../"  # from the worker, lite/extensions/@jupyterlite/pyodide-kernel-extension/static/, to the site
NOTICES = Path(__file__).with_name("lite.js")
OVERRIDES = {
    "@jupyterlab/apputils-extension:themes": {"adaptive-theme": True},  # light or dark as the reader's system has it
    "@jupyterlab/filebrowser-extension:browser": {"showLastModifiedColumn": False},  # files of the site have no date
    "@jupyterlab/docmanager-extension:plugin": {"autosaveInterval": 5},  # seconds; 120 would be much to lose
    "@jupyterlab/mainmenu-extension:plugin": {"menus": [{"id": "jp-mainmenu-file", "items": [
        {"command": "docmanager:download", "rank": 6},           # JupyterLite has the command, but no entry for it
        {"command": "filemenu:create-console", "disabled": True},  # no such app here
    ]}]},
    "@jupyterlab/notebook-extension:panel": {
        "toolbar": [{"name": "download", "command": "docmanager:download", "label": "Download", "rank": 50}]},
}


def build(root, site, wheel):
    """Build `site`/lite with the labs of `root`/release, which import coursekit from `wheel`, a file of the site.

    Returns the folder. Raises RuntimeError where the labs are not released or cannot lie side by side, or JupyterLite
    fails or drops a setting or a file.
    """
    files = side_by_side(Path(root, "release"))
    out = Path(site, "lite").resolve()
    wanted = settings(pyodide(root), wheel.name)
    shutil.rmtree(out, ignore_errors=True)
    with tempfile.TemporaryDirectory() as scratch:
        source = Path(scratch)
        for name, file in files.items():
            (source / "labs" / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, source / "labs" / name)
        _write(source / "jupyter-lite.json", {"jupyter-lite-schema-version": 0, "jupyter-config-data": wanted})
        _write(source / "overrides.json", OVERRIDES)
        _write(source / "jupyter_lite_config.json", _options(source, out))
        _jupyter_lite(source)
    expect(wanted, out)
    expect_files(files, out)
    for font in (out / "build").glob("fa-*"):
        if font.suffix != ".woff2":  # for browsers that are too old for the rest
            font.unlink()
    _say_what_goes_wrong(out)
    return out


def side_by_side(release):
    """{name in the browser: file} of each lab: its notebook, and the data files that its cells find beside it.

    No lab has a folder of its own: a download is named by the whole path, and nbgrader wants the notebook's name.
    Raises RuntimeError where there is no lab, or where two labs have different files of one name.
    """
    files = {}
    for lab in names(release):
        for file in [release / lab / f"{lab}.ipynb", *data_files(release / lab)]:
            name = file.relative_to(release / lab).as_posix()
            other = files.setdefault(name, file)
            if other.read_bytes() != file.read_bytes():
                both = " and ".join(path.relative_to(release).as_posix() for path in (other, file))
                raise RuntimeError(f"{both} differ: all labs share one folder in the browser, so rename one of them")
    if not files:
        raise RuntimeError("release/ holds no labs: run `make release` first")
    return files


def settings(folder, wheel):
    """What jupyter-lite.json says: where Python comes from, and what is there before the first cell runs."""
    kernel = {
        "pyodideUrl": f"{folder}pyodide.js",
        "disablePyPIFallback": True,
        "loadPyodideOptions": {"packages": ["numpy", "matplotlib", f"{UP}{WHEELS.as_posix()}/{wheel}"]},
    }
    return {
        "appName": "From Bahdanau to Transformers",
        "appUrl": "./tree",
        "faviconUrl": "./../_static/favicon.svg",
        "disabledExtensions": [
            "@jupyter-notebook/notebook-extension:checkpoints",  # says how old the file is, of which it has no idea
            "@jupyter-notebook/notebook-extension:tab-icon",     # asks for icons that are not shipped
        ],
        "litePluginSettings": {KERNEL: kernel},
    }


def pyodide(root):
    """The folder that Pyodide comes from, with a slash at its end: html_context of _config.yml says which.

    A folder of the site, such as _static/pyodide, is named from lite/, as JupyterLite wants it.
    """
    config = yaml.safe_load(Path(root, "_config.yml").read_text(encoding="utf-8"))
    url = config["sphinx"]["config"]["html_context"]["pyodide_url"].rstrip("/") + "/"
    return url if "://" in url or url.startswith("/") else f"./../{url}"


def _options(source, out):
    """What the command is asked for: our labs, three apps, the one extension, nothing that it finds by itself."""
    extension = Path(sys.prefix, "share", "jupyter", "labextensions", EXTENSION)
    return {
        "LiteBuildConfig": {
            "apps": APPS, "contents": ["labs"], "output_dir": str(out), "cache_dir": str(source / "cache"),
            "ignore_sys_prefix": True, "federated_extensions": [str(extension)],
            "no_sourcemaps": True, "no_unused_shared_packages": True, "source_date_epoch": 315532800,
        },
        "PipliteAddon": {"piplite_urls": [str(_installed_wheel("comm", source))]},  # Pyodide has none
    }


def _installed_wheel(name, folder):
    """A wheel of a package of pure Python as it is installed here, so that no build needs the network."""
    package = metadata.distribution(name)
    path = folder / f"{name}-{package.version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(package.files):
            if file.suffix != ".pyc" and file.name not in ("INSTALLER", "REQUESTED", "direct_url.json"):
                archive.writestr(zipfile.ZipInfo(file.as_posix()), file.read_binary(), zipfile.ZIP_DEFLATED)
    return path


def _jupyter_lite(source):
    command = [sys.executable, "-m", "jupyterlite_core", "build", "--lite-dir", str(source)]
    environment = {**os.environ, "JUPYTER_PLATFORM_DIRS": "1"}  # no warning about where settings lie
    done = subprocess.run(command, cwd=source, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"jupyter lite build failed:\n{done.stdout}{done.stderr}")


def expect(wanted, out):
    """Has every setting arrived? Raises RuntimeError, naming the first that has not."""
    built = json.loads((out / "jupyter-lite.json").read_text(encoding="utf-8"))["jupyter-config-data"]
    kernel = built["litePluginSettings"][KERNEL]
    expected = {**wanted["litePluginSettings"][KERNEL], "settingsOverrides": OVERRIDES}
    for name, value in expected.items():
        if {**built, **kernel}.get(name) != value:
            raise RuntimeError(f"jupyter lite build dropped {name}: expected {value}")


def expect_files(files, out):
    """Has every file of a lab arrived? JupyterLite passes over some, such as those of a folder `build` or `lib`."""
    for name in files:
        if not (out / "files" / name).is_file():
            raise RuntimeError(f"jupyter lite build dropped {name}: expected it in {out.name}/files; rename it")


def _say_what_goes_wrong(out):
    """Put our script on the page of each app, before JupyterLite's own."""
    shutil.copy(NOTICES, out / NOTICES.name)
    for app in APPS:
        page = out / app / "index.html"
        text = page.read_text(encoding="utf-8")
        head = "<head>\n"
        if head not in text:
            raise RuntimeError(f"{app}/index.html: expected {head!r}")
        page.write_text(text.replace(head, f'{head}    <script src="../{NOTICES.name}"></script>\n', 1), "utf-8")


def _write(path, data):
    path.write_text(json.dumps(data), encoding="utf-8")
