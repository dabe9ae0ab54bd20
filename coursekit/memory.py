"""How much memory a call has at one time, as `tracemalloc` counts it: arrays of NumPy and objects of Python."""

import tracemalloc
from contextlib import contextmanager


@contextmanager
def at_most(most):
    """Raise MemoryError behind what runs within, if at one time it held more than so many bytes beside what was there
    before; None limits nothing."""
    if most is None:
        yield
        return
    is_ours = not tracemalloc.is_tracing()
    tracemalloc.start()
    tracemalloc.reset_peak()
    before, _ = tracemalloc.get_traced_memory()
    try:
        yield
        held = tracemalloc.get_traced_memory()[1] - before
    finally:
        if is_ours:
            tracemalloc.stop()
    if held > most:
        raise MemoryError(f"expected at most {int(most):,} bytes at one time, got {held:,}")
