"""How fast lab 06 goes forward and backward, against PyTorch: `python -m tools.bench_attention`.

Both get the same numbers in float32 and one thread, in one process. The repeats alternate, so that whatever else the
machine does meets all alike, and the medians are compared. PyTorch is measured in two ways, its own layer
(`nn.MultiheadAttention`, without the weights, which it would average) and by hand from matrix products and
`F.scaled_dot_product_attention`. The ratio is ours to the faster of the two; ours returns the weights as well.
"""

import argparse
import importlib.util
import os

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
if __name__ == "__main__":  # a BLAS reads these when NumPy is imported, and not again
    os.environ.update(dict.fromkeys(THREADS, "1"))

import statistics  # noqa: E402  after the threads are set
import sys  # noqa: E402
import time  # noqa: E402

import numpy as np  # noqa: E402

from solutions.lab06_multi_head.reference import multi_head_attention, multi_head_attention_backward  # noqa: E402

B, T, D_MODEL, HEADS = 8, 128, 256, 8
NAMES = ("W_Q", "W_K", "W_V", "W_O")
LIMIT = 1.5  # the course promises to stay below
NO_TORCH = "PyTorch is not installed, so there is nothing to compare with: pip install -r requirements-oracle.txt"


def arrays(sizes=(B, T, D_MODEL), seed=0):
    """X (B, T, d_model), the gradient that comes back, of its shape, and the four matrices, all float32."""
    rng = np.random.default_rng(seed)
    batch, length, width = sizes
    X, d_output = (rng.standard_normal((batch, length, width), dtype=np.float32) for _ in range(2))
    parameters = {name: rng.standard_normal((width, width), dtype=np.float32) / width**0.5 for name in NAMES}
    return X, d_output, {name: W.astype(np.float32) for name, W in parameters.items()}


def ours(X, d_output, parameters, heads):
    """A function that goes forward and back once; it returns the output, d_X and the matrices' gradients."""

    def run():
        output, weights = multi_head_attention(X, X, parameters, heads)
        d_X, d_memory, gradients = multi_head_attention_backward(d_output, X, X, parameters, heads, weights)
        return output, d_X + d_memory, gradients

    return run


def by_hand(X, d_output, parameters, heads):
    """The same in PyTorch, from products and `F.scaled_dot_product_attention`."""
    import torch
    from torch.nn.functional import scaled_dot_product_attention

    x, back = torch.tensor(X, requires_grad=True), torch.tensor(d_output)
    p = {name: torch.tensor(W, requires_grad=True) for name, W in parameters.items()}

    def run():
        _forget(x, *p.values())
        q, k, v = ((x @ p[name]).unflatten(-1, (heads, -1)).transpose(1, 2) for name in NAMES[:3])
        output = scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2) @ p["W_O"]
        output.backward(back)
        return output.detach().numpy(), x.grad.numpy(), {name: W.grad.numpy() for name, W in p.items()}

    return run


def layer(X, d_output, parameters, heads):
    """The same by PyTorch's own layer, which keeps its matrices transposed and the first three in one."""
    import torch

    module = torch.nn.MultiheadAttention(X.shape[-1], heads, bias=False, batch_first=True)
    module.in_proj_weight.data = torch.tensor(np.concatenate([parameters[name].T for name in NAMES[:3]]))
    module.out_proj.weight.data = torch.tensor(parameters["W_O"].T.copy())
    x, back = torch.tensor(X, requires_grad=True), torch.tensor(d_output)

    def run():
        _forget(x, *module.parameters())
        output = module(x, x, x, need_weights=False)[0]
        output.backward(back)
        joined = [*np.split(module.in_proj_weight.grad.numpy(), 3), module.out_proj.weight.grad.numpy()]
        gradients = {name: W.T for name, W in zip(NAMES, joined, strict=True)}
        return output.detach().numpy(), x.grad.numpy(), gradients

    return run


def _forget(*tensors):
    """Drop the gradients of the round before, which PyTorch would add to."""
    for tensor in tensors:
        tensor.grad = None


def expect_same(ways):
    """Raise ValueError if a way of `ways`, {name: function}, computes something else than the first."""
    (first, right), *others = [(name, run()) for name, run in ways.items()]
    for name, found in others:
        pairs = [*zip(right[:2], found[:2], strict=True), *((right[2][key], found[2][key]) for key in NAMES)]
        if not all(np.allclose(one, other, rtol=0, atol=1e-4 * np.abs(one).max()) for one, other in pairs):
            raise ValueError(f"{name}: expected what {first} computes, got something else")


def medians(ways, repeats, clock=time.perf_counter):
    """{name: median seconds} of each way, one repeat of all after the other; a first round is not counted."""
    took = {name: [] for name in ways}
    for _ in range(repeats + 1):
        for name, run in ways.items():
            start = clock()
            run()
            took[name].append(clock() - start)
    return {name: statistics.median(seconds[1:]) for name, seconds in took.items()}


def ratio(seconds, own="NumPy, lab 06"):
    """How many times as long ours takes as the fastest of the others."""
    return seconds[own] / min(taken for name, taken in seconds.items() if name != own)


def main(arguments=None):
    """Measure, print the medians and, last, the ratio. Returns 1 where it is above the limit, else 0."""
    parser = argparse.ArgumentParser(prog="python -m tools.bench_attention", description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=200, metavar="N", help="of each way (default: 200)")
    repeats = parser.parse_args(arguments).repeats
    if importlib.util.find_spec("torch") is None:
        print(NO_TORCH)
        return 0
    import torch

    torch.set_num_threads(1)
    given = *arrays(), HEADS
    ways = {"NumPy, lab 06": ours(*given), "PyTorch by hand": by_hand(*given), "nn.MultiheadAttention": layer(*given)}
    expect_same(ways)
    seconds = medians(ways, repeats)
    print(f"forward and backward at (B, T, d_model, heads) = {B, T, D_MODEL, HEADS}, float32, one thread, "
          f"NumPy {np.__version__}, PyTorch {torch.__version__}, medians of {repeats}")
    for name, taken in seconds.items():
        print(f"{name:22} {1000 * taken:6.1f} ms")
    print(f"ratio: {ratio(seconds):.2f}")
    return int(ratio(seconds) > LIMIT)


if __name__ == "__main__":
    sys.exit(main())
