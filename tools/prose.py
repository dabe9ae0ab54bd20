"""The book's prose as one text, from which chapter 11 learns tokens: `python -m tools.prose` writes it anew.

What is kept is a snapshot: numbers were measured on it, which must stay true when a chapter is edited. So run this only
to have newer words, and then `python -m solutions.artifacts subwords`; chapter 11's assertions say what has moved.
"""

import json
import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
TEXT = ROOT / "chapters" / "data" / "book.txt"
FENCE = re.compile(r"^(`{3,}).*?^\1`*$", re.MULTILINE | re.DOTALL)  # code, pictures, formulas, answers to open
HEAD = re.compile(r"\A---\n.*?^---\n", re.MULTILINE | re.DOTALL)
MATHEMATICS = re.compile(r"\$\$.*?\$\$|\$[^$]+\$", re.DOTALL)
ROLE = re.compile(r"\{[\w:]+\}`[^`]*`")


def prose(page):
    """The paragraphs of a page in Markdown, as a reader would say them: no code, formula, table, link or citation."""
    page = FENCE.sub("", HEAD.sub("", page))
    lines = (line.lstrip("#-> *") for line in page.split("\n") if line[:1] not in ("|", "(", "!", ":"))
    whole = (line for line in lines if not MATHEMATICS.search(line) and not ROLE.search(line))
    plain = (re.sub(r"\]\([^)]*\)|\{\.\w+\}|[*`\[\]]|^\d+\. ", "", line).strip() for line in whole)
    return [line for line in plain if len(line) > 40]


def pages():
    """The Markdown of the chapters, and of the labs."""
    chapters = sorted((ROOT / "chapters").glob("*.md"))
    labs = [json.loads(path.read_text("utf-8"))["cells"] for path in sorted((ROOT / "labs").glob("*/*.ipynb"))]
    return [path.read_text("utf-8") for path in chapters] + [
        "".join(cell["source"]) for cells in labs for cell in cells if cell["cell_type"] == "markdown"]


if __name__ == "__main__":
    TEXT.write_text("\n".join(line for page in pages() for line in prose(page)) + "\n", encoding="utf-8")
