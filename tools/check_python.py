"""Is this Python one that the course runs on? Called by the Makefile before there is an environment.

It must say so in one line, so it is written to run on any Python, however old.
"""

import sys


def missing():
    """What this Python lacks, as one line that says what to do; None where it lacks nothing."""
    got = ".".join(str(part) for part in sys.version_info[:3])
    if not (3, 11) <= sys.version_info[:2] <= (3, 13):
        return "expected Python 3.11 to 3.13, got " + got + ": name another one with make PYTHON=python3.12"
    try:
        import ensurepip  # noqa: F401  (what Debian leaves out of python3)
        import venv  # noqa: F401
    except ImportError:
        return "Python " + got + " has no venv module: install it (Debian and Ubuntu: apt-get install python3-venv)"
    return None


if __name__ == "__main__":
    sys.exit(missing())
