"""What attention in tiles costs, in time and in memory, against all scores at once: `python -m tools.bench_tiles`.

Both get the same numbers in float32 and one thread, in one process. The repeats alternate, and medians are compared.
Memory is the most that a call has at one time, its result included, as `tracemalloc` counts it. All at once works in
place, in one array of scores, so that it is as fast and as small as it can be.
"""

import argparse
import os

if __name__ == "__main__":  # a BLAS reads these when NumPy is imported, and not again
    os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1")

import sys  # after the threads are set
import tracemalloc

import numpy as np

from solutions.lab16_tiles_and_windows.reference import tiled_attention
from tools.bench_attention import medians

N, D, TILE = 4096, 64, (128, 512)
SLOWER, SMALLER = 1.5, 20  # the course promises at most so many times the time, and at most this part of the memory


def at_once(Q, K, V):
    """Attention by all of its scores, which are overwritten by their exponentials and these by the weights."""
    scores = Q @ K.T
    scores /= Q.shape[-1] ** 0.5
    scores -= scores.max(axis=-1, keepdims=True)
    np.exp(scores, out=scores)
    scores /= scores.sum(axis=-1, keepdims=True)
    return scores @ V


def peak(run):
    """The most bytes that a call has at one time."""
    tracemalloc.start()
    run()
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return most


def main(arguments=None):
    """Measure, print both and, last, the two ratios. Returns 1 where one is beyond its limit, else 0."""
    parser = argparse.ArgumentParser(prog="python -m tools.bench_tiles", description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=9, metavar="N", help="of each way (default: 9)")
    repeats = parser.parse_args(arguments).repeats
    Q, K, V = np.random.default_rng(0).standard_normal((3, N, D), dtype=np.float32)
    ways = {"all at once": lambda: at_once(Q, K, V), "tiles": lambda: tiled_attention(Q, K, V, *TILE)[0]}
    off = np.abs(ways["all at once"]() - ways["tiles"]()).max()
    seconds, bytes_ = medians(ways, repeats), {name: peak(run) for name, run in ways.items()}
    print(f"n {N}, d {D}, tiles of {TILE[0]} × {TILE[1]}, float32, NumPy {np.__version__}, medians of {repeats}; "
          f"largest difference {off:.0e}")
    for name in ways:
        print(f"{name:12} {1000 * seconds[name]:7.1f} ms {bytes_[name] / 2**20:7.2f} MiB")
    time, memory = (each["tiles"] / each["all at once"] for each in (seconds, bytes_))
    print(f"ratio: {time:.2f} times the time, 1/{1 / memory:.0f} of the memory")
    return int(time > SLOWER or memory > 1 / SMALLER or off > 1e-5)


if __name__ == "__main__":
    sys.exit(main())
