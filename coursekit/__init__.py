"""What readers and students of the course import: data, given model parts, plots, checks and trained parameters."""

from coursekit import moved  # noqa: F401 (from here on, an old name says where its module is now)
from coursekit.artifacts import load
from coursekit.keeping import keep, kept

__all__ = ["keep", "kept", "load"]
