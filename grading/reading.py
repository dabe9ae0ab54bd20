"""From the bytes of a notebook's file to its JSON, however it was saved. Nothing of it is executed."""

import json
import re

MB = 2**20
READ_LIMIT = 200 * MB  # of a file; a larger one is not looked at
SIZE_LIMIT = 20 * MB   # of a notebook without what its cells showed
TOKENS = 3_000_000     # brackets and texts of a file whose outputs are left out; that takes a second

OUTPUTS = re.compile(rb'(?P<outputs>"outputs"\s*+:\s*+\[)|"(?:[^"\\]++|\\.)*+"?|[\[\]{}]', re.DOTALL)
OTHER_KINDS = {b"PK\x03\x04": "a zip archive", b"%PDF": "a PDF", b"<": "a web page"}
WINDOWS = {0xDC00 + byte: bytes([byte]).decode("cp1252", "replace") for byte in range(0x80, 0x100)}


def slimmed(content):
    """A notebook's file for grading: one that is too large is left without what its cells showed. Bytes in and out."""
    return content if len(content) <= SIZE_LIMIT else without_outputs(decoded(content)[0].encode("utf-8", "replace"))


def without_outputs(content):
    """JSON in UTF-8 with nothing in its lists of outputs, found without building any of it in memory."""
    kept, start, depth = [], 0, 0
    for count, token in enumerate(OUTPUTS.finditer(content)):
        if count > TOKENS:
            return content
        if depth:
            sign = content[token.end() - 1:token.end()]
            depth += (sign in b"[{") - (sign in b"]}")
            start = start if depth else token.start()
        elif token["outputs"]:
            kept.append(content[start:token.end()])
            depth = 1
    return content if depth else b"".join([*kept, content[start:]])


def parse(submission):
    """Read a notebook's JSON: (dict, problems, notices). The dict is empty where there is nothing to read."""
    if not submission.strip():
        return {}, ["The file is empty."], []
    if len(submission) > SIZE_LIMIT:
        return {}, [too_large(len(submission))], []
    text, notices = decoded(submission)
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        return {}, [f"The file is not a notebook: {_what_else(submission, error)}."], notices
    if not isinstance(data, dict) or not cells_of(data):
        return {}, ["The file is not a notebook: it is JSON, but holds no cells."], notices
    if data.get("nbformat") != 4:
        notices.append("The notebook is in an old or unknown format: expected nbformat 4; its cells were read anyhow.")
    return data, [], notices


def decoded(content):
    """(The text of a file, notices if it is not in UTF-8.) Single bytes that are not are taken as Windows-1252."""
    encoding = json.detect_encoding(content)
    if not encoding.startswith("utf-8"):
        return content.decode(encoding, "replace"), [f"The file is not UTF-8 text: it was read as {encoding.upper()}."]
    text = content.decode(encoding, "surrogateescape")
    known = text.translate(WINDOWS) if not text.isascii() else text
    return known, [] if known == text else ["The file is not UTF-8 text: what is not was read as Windows-1252."]


def too_large(size):
    """The sentence about a file of so many bytes."""
    return (f"The file is too large: expected at most {SIZE_LIMIT // MB} MB without what its cells showed, "
            f"got {size / MB:.1f} MB.")


def cells_of(data):
    """The cells of nbformat 4, or of 3 and earlier, where they stand in worksheets."""
    sheets = [data, *(data.get("worksheets") if isinstance(data.get("worksheets"), list) else [])]
    lists = [sheet.get("cells") for sheet in sheets if isinstance(sheet, dict)]
    return [cell for cells in lists if isinstance(cells, list) for cell in cells]


def looks_like_notebook(content):
    """Has a file the start and the words of one? Whatever it is called, and in whatever encoding."""
    text = content.replace(b"\0", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n")
    return text.startswith(b"{") and b'"cells"' in text and b'"nbformat"' in text


def _what_else(content, error):
    if re.search(rb"^<<<<<<< ", content, re.MULTILINE):
        return "two versions were merged in it and neither was chosen (there are lines that begin <<<<<<<)"
    other = next((kind for start, kind in OTHER_KINDS.items() if content.lstrip().startswith(start)), None)
    where = f" (line {error.lineno})" if isinstance(error, json.JSONDecodeError) else ""
    return f"it is {other}" if other else f"it is not readable as JSON{where}"
