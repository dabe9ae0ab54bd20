"""Fixtures that all tests share; and how many of them run, and for how long."""

import os
from pathlib import Path

import pytest

from tests import sampling
from tests.seconds import Clock


def pytest_addoption(parser):
    parser.addoption("--sample", default=os.environ.get("SAMPLE"), metavar="all|SEED",
                     help="of tests that are many alike, run all, or a few that are drawn with this seed: the "
                          "commit's, where nothing is said and all tests are asked for")


def pytest_configure(config):
    config.sampled = []
    config.pluginmanager.register(Clock(config))


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config, items):
    sampling.choose(config, items)


@pytest.fixture(scope="session")
def root():
    """The repository, as a path."""
    return Path(__file__).parents[1]
