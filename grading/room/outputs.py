"""What a cell showed, as the marking room lets it into a graded notebook: rebuilt, bounded, and without markup."""

import base64
import json
import re

CUT = "[more was shown: cut here]\n"
COUNT = 200  # outputs of one cell


def clean(outputs, limits, left):
    """Rebuild outputs that came from the room as well-formed nbformat outputs; drop whatever is none.

    left  bytes that the notebook may still show

    Returns (outputs, bytes used). What is over a limit is cut there, and says so.
    """
    outputs = outputs if isinstance(outputs, list) else []
    kept, characters, used = [], 0, 0
    for output in filter(None, map(_clean_one, outputs)):
        space = min(limits.cell_output - characters, left - used)
        size = len(json.dumps(output))
        characters += sum(map(len, _texts(output)))
        if len(kept) == COUNT or characters > limits.cell_output or used + size > left:
            start = output["text"][:max(0, space)] if output["output_type"] == "stream" else ""
            return [*kept, stream(start + CUT, output.get("name", "stdout"))], min(used + size, left)
        used += size
        kept.append(output)
    return kept, used


def stream(text, name="stdout"):
    """A line of the grader's own among a cell's outputs."""
    return {"output_type": "stream", "name": name, "text": text}


def _clean_one(output):
    try:
        kind = output["output_type"]
        if kind == "stream":
            return stream(plain(output["text"]), "stderr" if output["name"] == "stderr" else "stdout")
        if kind == "error":
            lines = [plain(line) for line in output["traceback"]]
            return {"output_type": kind, "ename": plain(output["ename"]), "evalue": plain(output["evalue"]),
                    "traceback": lines}
        if kind in ("display_data", "execute_result"):
            data = {"text/plain": plain(output["data"]["text/plain"])}
            if is_png(output["data"].get("image/png")):
                data["image/png"] = output["data"]["image/png"]
            number = {"execution_count": int(output["execution_count"])} if kind == "execute_result" else {}
            return {"output_type": kind, "data": data, "metadata": {}, **number}
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
        return None


def _texts(output):
    if output["output_type"] == "stream":
        return [output["text"]]
    if output["output_type"] == "error":
        return [output["ename"], output["evalue"], *output["traceback"]]
    return [output["data"]["text/plain"]]


def plain(text):
    """Text that can be written as UTF-8: lone surrogates replaced."""
    return text.encode("utf-8", "replace").decode()


def is_png(text):
    """Is it base64 of what begins as a PNG does?"""
    if not isinstance(text, str) or not re.fullmatch(r"[A-Za-z0-9+/=\n]+", text):
        return False
    try:
        return base64.b64decode(text[:16]).startswith(b"\x89PNG")
    except ValueError:
        return False
