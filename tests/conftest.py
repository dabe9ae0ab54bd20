"""Fixtures that all tests share."""

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def root():
    """The repository, as a path."""
    return Path(__file__).parents[1]
