"""Valid inputs of every kind for lab 09, to see whether two functions differ anywhere."""

import itertools

from solutions.lab09_block import reference
from tests.labs.inputs import given, masks, normal, sizes

SQUARE, OF_WIDTH = ["W_Q", "W_K", "W_V", "W_O"], ["b_2", "gamma_1", "beta_1", "gamma_2", "beta_2"]


def pre_ln_block(rng):
    for n, heads in itertools.product(sizes(rng, "B T d F", more=2), [1, 2]):
        B, T, M = n["B"], n["T"], heads * n["d"]
        X, p = rng.choice([1, 1, 300]) * normal(rng, B, T, M), _parameters(rng, M, n["F"])
        yield given(X, p, heads)
        for shape in [(T, T), (B, 1, T), (B, T, T)]:
            yield given(X, p, heads, rng.choice(list(masks(rng, *shape, empty=True))))
        yield given(X, p, heads, mask=rng.choice(list(masks(rng, B, T, T))))
        silent = p | {name: 0 * p[name] for name in ("W_O", "W_2", "b_2")}
        yield from (given(scale * X, silent, heads) for scale in (1, 1e-3))


post_ln_block = pre_ln_block


def _backward(order):
    def calls(rng):
        for call in pre_ln_block(rng):
            _, p, heads = call.args[:3]
            output, trace = order(*call.args, **call.options)
            yield given(rng.choice([1, 300]) * normal(rng, *output.shape), trace, p, heads)

    return calls


pre_ln_block_backward, post_ln_block_backward = _backward(reference.pre_ln_block), _backward(reference.post_ln_block)


def _parameters(rng, M, F):
    shapes = dict.fromkeys(SQUARE, (M, M)) | dict.fromkeys(OF_WIDTH, (M,)) | {"W_1": (M, F), "b_1": (F,), "W_2": (F, M)}
    p = {name: normal(rng, *shape) / (2 if name in SQUARE else 1) for name, shape in shapes.items()}
    return p | {"W_Q": rng.choice([1, 1, 5]) * p["W_Q"]}  # sometimes weights near 0 and 1


def _kept(value, *args):
    """The output, and of the trace what the lab asks for: more in it does no harm."""
    output, trace = value
    names = ["read_1", "x_hat_1", "std_1", "weights", "read_2", "x_hat_2", "std_2", "inner"]
    return output, {name: trace[name] for name in names}


COUNTS = {"pre_ln_block": _kept, "post_ln_block": _kept}
