"""How long each test file takes, and a gate on their sum.

The sum is told in units of a loop that runs in the same processes, so that it means the same on a slow or busy
machine. What is sampled (`tests.sampling`) counts as if the change had touched nothing: the mean of its kind, times as
many as always run. So the gate holds the suite, and not the change. The limit is `longest` in pyproject.toml.
"""

import statistics
import time
import tomllib
from collections import Counter

import numpy as np
import pytest

from tests.sampling import LEAST, is_whole

SHOWN = 12   # files with a line of their own; the others share one
EVERY = 30.0  # seconds between two calibrations: what else the machine does changes meanwhile


def calibrate():
    """The seconds that a fixed piece of work takes here and now, about 0.4 on a machine of 2024."""
    start, total, matrix = time.perf_counter(), 0, np.eye(64)
    for number in range(400_000):
        total += number % 7
    for _ in range(4_000):
        matrix = np.tanh(matrix @ matrix)
    return time.perf_counter() - start


def as_untouched(seconds, tests, least=LEAST):
    """The sum of {kind: seconds} of {kind: tests} if of each kind that is sampled only the least had run."""
    return sum(spent * min(1, least.get(kind, tests[kind]) / max(tests[kind], 1)) for kind, spent in seconds.items())


class Clock:
    """Notes the seconds of a run. With pytest-xdist the calibrations come from the processes that run the tests."""

    def __init__(self, config):
        self.config, self.loops, self.calibrated = config, [], 0.0
        self.files, self.kinds, self.tests = Counter(), Counter(), Counter()

    def pytest_runtest_logfinish(self):
        runs_tests = hasattr(self.config, "workeroutput") or not self.config.getoption("numprocesses", None)
        if runs_tests and time.monotonic() - self.calibrated > EVERY:
            self.loops.append(calibrate())
            self.calibrated = time.monotonic()

    def pytest_runtest_logreport(self, report):
        kind = dict(report.user_properties).get("sampled", "")
        self.files[report.nodeid.partition("::")[0]] += report.duration
        self.kinds[kind] += report.duration
        self.tests[kind] += report.when == "call"

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session):
        if hasattr(self.config, "workeroutput"):
            self.config.workeroutput |= {"loops": self.loops, "sampled": self.config.sampled}
        elif self.is_too_long() and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node):
        """One of pytest-xdist's processes has ended."""
        said = getattr(node, "workeroutput", {})
        self.loops += said.get("loops", [])
        self.config.sampled = said.get("sampled", self.config.sampled)

    def length(self):
        """The sum, in loops."""
        return as_untouched(self.kinds, self.tests) / self.loop()

    def loop(self):
        return statistics.median(self.loops or [calibrate()])

    def is_too_long(self):
        return is_whole(self.config) and self.config.option.sample != "all" and self.length() > self.longest()

    def longest(self):
        settings = tomllib.loads((self.config.rootpath / "pyproject.toml").read_text("utf-8"))
        return settings["tool"]["seconds"]["longest"]

    def pytest_terminal_summary(self, terminalreporter):
        for line in self.config.sampled:
            terminalreporter.write_line(f"sample: {line}")
        first, others = self.files.most_common(SHOWN), self.files.most_common()[SHOWN:]
        for name, spent in [*first, (f"{len(others)} other files", sum(spent for _, spent in others))]:
            terminalreporter.write_line(f"{spent:7.1f} s  {name}")
        length = f"{self.length():.0f} loops of {self.loop():.2f} s if nothing had been touched"
        terminalreporter.write_line(f"{self.files.total():7.1f} s  all; {length}, of at most {self.longest():.0f}")
        if self.is_too_long():
            terminalreporter.write_line("The tests take longer than pyproject.toml allows: see `longest`", red=True)
