"""What readers and students of the course import: data, given model parts, plots, checks and trained parameters."""

from coursekit.artifacts import load
from coursekit.keeping import keep, kept

__all__ = ["keep", "kept", "load"]
