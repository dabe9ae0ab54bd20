"""Pictures in what students write: pasted into a cell, or handed in beside the notebook and named by its text."""

import base64
import re
from posixpath import normpath
from urllib.parse import unquote

STARTS = {"image/png": b"\x89PNG\r\n\x1a\n", "image/jpeg": b"\xff\xd8\xff", "image/gif": b"GIF8", "image/webp": b"RIFF"}
NAMED = re.compile(r"!\[[^\]\n]{0,300}\]\(<?([^)\s>]{1,300})|<img\b[^<>]{0,300}?\bsrc *= *[\"']?([^\"'\s>]{1,300})",
                   re.IGNORECASE)  # bounded, as a text may be long and hostile
BASE64 = re.compile(r"[A-Za-z0-9+/=\n]+")
PICTURE_LIMIT = 5 * 2**20  # bytes of one that stands beside the notebook


def kind_of(content):
    """The MIME type of a picture that a browser shows, by its first bytes, whatever it is called; else None."""
    kind = next((kind for kind, start in STARTS.items() if content.startswith(start)), None)
    return None if kind == "image/webp" and content[8:12] != b"WEBP" else kind


def attached(attachments):
    """What may stay of a cell's attachments, {name: {MIME type: base64}}: pictures, by the type that they are of."""
    pairs = attachments.items() if isinstance(attachments, dict) else ()
    kept = {name: _pictures(bundle) for name, bundle in pairs if isinstance(bundle, dict)}
    return {name: bundle for name, bundle in kept.items() if bundle}


def beside(text, files):
    """The attachments that show those of the files ({path: bytes}) which a text names as pictures."""
    names = [one or other for one, other in NAMED.findall(text)] if files else []
    found = {name: files.get(normpath(unquote(name)), b"") for name in names}
    return {unquote(name): {kind_of(content): base64.b64encode(content).decode()} for name, content in found.items()
            if kind_of(content) and len(content) <= PICTURE_LIMIT}


def _pictures(bundle):
    found = [data for data in bundle.values() if isinstance(data, str) and BASE64.fullmatch(data)]
    kinds = {_kind_of_base64(data): data for data in found}
    return {kind: data for kind, data in kinds.items() if kind}


def _kind_of_base64(data):
    try:
        return kind_of(base64.b64decode("".join(data[:64].split())[:32]))
    except ValueError:
        return None
