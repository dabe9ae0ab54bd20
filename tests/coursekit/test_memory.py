"""A call that holds more than it may at one time is told so; whatever was there before is none of it."""

import tracemalloc

import numpy as np
import pytest

from coursekit import memory


@pytest.mark.parametrize(("held", "most"), [(8000, 16_000), (8000, None)])
def test_a_call_within_its_limit_is_left_alone(held, most):
    with memory.at_most(most):
        np.zeros(held // 8)
    assert not tracemalloc.is_tracing()


def test_a_call_that_held_more_for_a_moment_is_refused_and_the_tracing_ends():
    with pytest.raises(MemoryError, match="at most 16,000 bytes at one time, got 8"), memory.at_most(16_000):
        np.zeros(10_000).sum()
    assert not tracemalloc.is_tracing()


def test_what_was_there_before_does_not_count_and_somebody_elses_tracing_goes_on():
    tracemalloc.start()
    before = np.zeros(10_000)
    with memory.at_most(16_000):
        assert np.zeros(1000).size < before.size
    assert tracemalloc.is_tracing()
    tracemalloc.stop()
