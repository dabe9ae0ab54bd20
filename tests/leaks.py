"""Finding code of `solutions/` in what is published: pages, archives, notebooks."""

import ast
import gzip
import io
import json
import re
import zipfile

from bs4 import BeautifulSoup

GZIP = b"\x1f\x8b"
LENGTH = 25  # characters; shorter statements, such as `return weights`, say nothing


def statements(folder):
    """Every statement of the Python files of a folder, without layout and comments: {"return x / total", ...}."""
    found = set()
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            is_simple = isinstance(node, ast.stmt) and not hasattr(node, "body") and not _is_text(node)
            if is_simple and not isinstance(node, ast.Import | ast.ImportFrom) and len(ast.unparse(node)) >= LENGTH:
                found.add(squeeze(ast.unparse(node)))
    return found


def texts(path):
    """The readable texts of a published file, those in an archive one by one: [(name, text), ...]."""
    return _texts(path.name, path.read_bytes())


def leaks(secrets, text):
    """The statements of `secrets` that stand in a text, however it is spaced and quoted."""
    text = squeeze(text)
    return sorted(secret for secret in secrets if secret in text)


def squeeze(text):
    """Without white space, and with one kind of quotes."""
    return re.sub(r"\s+", "", text).replace('"', "'")


def _is_text(node):
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _texts(name, content):
    if zipfile.is_zipfile(io.BytesIO(content)):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return [found for inner in archive.namelist() for found in _texts(f"{name}/{inner}", archive.read(inner))]
    if content.startswith(GZIP):
        return _texts(name, gzip.decompress(content))
    text = content.decode("utf-8", "ignore")
    if name.endswith(".ipynb"):
        cells = json.loads(text)["cells"]
        text = "\n".join("".join(cell["source"]) + json.dumps(cell.get("outputs", "")) for cell in cells)
    if name.endswith(".json"):
        text = "\n".join(_strings(json.loads(text)))
    if name.endswith(".html"):
        text = BeautifulSoup(text, "html.parser").get_text()
    return [(name, text)]


def _strings(data):
    """Every text that stands in what was JSON, its names too."""
    if isinstance(data, dict):
        data = [*data, *data.values()]
    if isinstance(data, list):
        return [text for value in data for text in _strings(value)]
    return [data] if isinstance(data, str) else []
