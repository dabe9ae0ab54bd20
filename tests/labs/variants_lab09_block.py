"""Different right ways to write lab 09, on the layers that its notebook gives: each of them earns full points."""

import sys

import numpy as np

from solutions.lab09_block.reference import (
    feed_forward,
    feed_forward_backward,
    layer_norm,
    layer_norm_backward,
    multi_head_attention,
    multi_head_attention_backward,
)
from tests.labs.float32 import in_float32

ORDER = ("read_1", "x_hat_1", "std_1", "weights", "read_2", "x_hat_2", "std_2", "inner")


# pre_ln_block


def pre_ln_block_in_place(X, parameters, heads, mask=None):
    p, stream, trace = parameters, X.copy(), {}
    trace["read_1"], trace["x_hat_1"], trace["std_1"] = layer_norm(stream, p["gamma_1"], p["beta_1"])
    found, trace["weights"] = multi_head_attention(trace["read_1"], trace["read_1"], p, heads, mask)
    stream += found
    trace["read_2"], trace["x_hat_2"], trace["std_2"] = layer_norm(stream, p["gamma_2"], p["beta_2"])
    made, trace["inner"] = feed_forward(trace["read_2"], p)
    stream += made
    return stream, trace


def pre_ln_block_as_one_sum(X, parameters, heads, mask=None):
    normed = layer_norm(X, parameters["gamma_1"], parameters["beta_1"], 1e-5)
    found, weights = multi_head_attention(normed[0], normed[0], parameters, heads, mask=mask)
    again = layer_norm(X + found, parameters["gamma_2"], parameters["beta_2"])
    made, inner = feed_forward(again[0], parameters, "relu")
    return [X + found + made, dict(zip(ORDER, (*normed, weights, *again, inner), strict=True))]


def _by_sentences(block, X, parameters, heads, mask):
    of = [mask if mask is None or mask.ndim == 2 else mask[b : b + 1] for b in range(len(X))]
    done = [block(X[b : b + 1], parameters, heads, of[b]) for b in range(len(X))]
    trace = {name: np.concatenate([each[1][name] for each in done]) for name in ORDER}
    return np.concatenate([each[0] for each in done]), trace


def pre_ln_block_sentence_by_sentence(X, parameters, heads, mask=None):
    return _by_sentences(pre_ln_block_in_place, X, parameters, heads, mask)


def pre_ln_block_with_more_in_the_trace(X, parameters, heads, mask=None):
    output, trace = pre_ln_block_as_one_sum(X, parameters, heads, mask)
    return output, {"X": X, "middle": output - 1, **trace}


# post_ln_block


def post_ln_block_by_a_loop(X, parameters, heads, mask=None):
    stream, trace = X, {}
    for n in (1, 2):
        trace[f"read_{n}"] = stream
        if n == 1:
            out, trace["weights"] = multi_head_attention(stream, stream, parameters, heads, mask)
        else:
            out, trace["inner"] = feed_forward(stream, parameters)
        normed = layer_norm(stream + out, parameters[f"gamma_{n}"], parameters[f"beta_{n}"])
        stream, trace[f"x_hat_{n}"], trace[f"std_{n}"] = normed
    return stream, trace


def post_ln_block_in_one_go(X, parameters, heads, mask=None):
    found, weights = multi_head_attention(X, X, parameters, heads, mask)
    first = layer_norm(found + X, parameters["gamma_1"], parameters["beta_1"])
    made, inner = feed_forward(first[0], parameters)
    second = layer_norm(made + first[0], parameters["gamma_2"], parameters["beta_2"])
    return second[0], dict(zip(ORDER, (X, *first[1:], weights, first[0], *second[1:], inner), strict=True))


def post_ln_block_sentence_by_sentence(X, parameters, heads, mask=None):
    print("one by one", file=sys.stderr)
    return _by_sentences(post_ln_block_in_one_go, X, parameters, heads, mask)


# the ways back


def pre_ln_block_backward_by_a_loop(d_output, trace, parameters, heads):
    d_stream, gradients = d_output, {}
    for n in (2, 1):
        if n == 2:
            d_read, found = feed_forward_backward(d_stream, trace["read_2"], trace["inner"], parameters)
        else:
            read = trace["read_1"]
            d_X, d_memory, found = multi_head_attention_backward(
                d_stream, read, read, parameters, heads, trace["weights"])
            d_read = d_X + d_memory
        back = layer_norm_backward(d_read, trace[f"x_hat_{n}"], trace[f"std_{n}"], parameters[f"gamma_{n}"])
        gradients |= found | {f"gamma_{n}": back[1], f"beta_{n}": back[2]}
        d_stream = d_stream + back[0]
    return d_stream, gradients


def pre_ln_block_backward_in_place(d_output, trace, parameters, heads):
    d_stream, g = d_output.copy(), {}
    d, of_layer = feed_forward_backward(d_stream, trace["read_2"], trace["inner"], parameters)
    d, g["gamma_2"], g["beta_2"] = layer_norm_backward(d, trace["x_hat_2"], trace["std_2"], parameters["gamma_2"])
    d_stream += d
    d, also, of_heads = multi_head_attention_backward(
        d_stream, trace["read_1"], trace["read_1"], parameters, heads, trace["weights"])
    d, g["gamma_1"], g["beta_1"] = layer_norm_backward(
        d + also, trace["x_hat_1"], trace["std_1"], parameters["gamma_1"])
    d_stream += d
    return [d_stream, dict(**of_layer, **of_heads, **g)]


def _back_by_sentences(back, d_output, trace, parameters, heads):
    done = [back(d_output[b : b + 1], {name: a[b : b + 1] for name, a in trace.items()}, parameters, heads)
            for b in range(len(d_output))]
    return np.concatenate([d for d, _ in done]), {name: sum(g[name] for _, g in done) for name in parameters}


def pre_ln_block_backward_sentence_by_sentence(d_output, trace, parameters, heads):
    return _back_by_sentences(pre_ln_block_backward_by_a_loop, d_output, trace, parameters, heads)


def post_ln_block_backward_by_a_loop(d_output, trace, parameters, heads):
    d_stream, gradients = d_output, {}
    for n in (2, 1):
        gamma = parameters[f"gamma_{n}"]
        d_sum, d_gamma, d_beta = layer_norm_backward(d_stream, trace[f"x_hat_{n}"], trace[f"std_{n}"], gamma)
        read = trace[f"read_{n}"]
        if n == 2:
            d_read, found = feed_forward_backward(d_sum, read, trace["inner"], parameters)
        else:
            *both, found = multi_head_attention_backward(d_sum, read, read, parameters, heads, trace["weights"])
            d_read = sum(both)
        gradients |= {**found, f"gamma_{n}": d_gamma, f"beta_{n}": d_beta}
        d_stream = d_sum + d_read
    return d_stream, gradients


def post_ln_block_backward_in_place(d_output, trace, parameters, heads):
    g = dict.fromkeys(parameters)
    d, g["gamma_2"], g["beta_2"] = layer_norm_backward(
        d_output, trace["x_hat_2"], trace["std_2"], parameters["gamma_2"])
    more, found = feed_forward_backward(d, trace["read_2"], trace["inner"], parameters)
    g.update(found)
    d = d + more
    d, g["gamma_1"], g["beta_1"] = layer_norm_backward(d, trace["x_hat_1"], trace["std_1"], parameters["gamma_1"])
    back = multi_head_attention_backward(d, trace["read_1"], trace["read_1"], parameters, heads, trace["weights"])
    g.update(back[2])
    return [back[0] + back[1] + d, g]


def post_ln_block_backward_sentence_by_sentence(d_output, trace, parameters, heads):
    return _back_by_sentences(post_ln_block_backward_by_a_loop, d_output, trace, parameters, heads)


pre_ln_block_in_float32 = in_float32(pre_ln_block_in_place)
post_ln_block_in_float32 = in_float32(post_ln_block_by_a_loop)
pre_ln_block_backward_in_float32 = in_float32(pre_ln_block_backward_by_a_loop)
post_ln_block_backward_in_float32 = in_float32(post_ln_block_backward_by_a_loop)

TRIVIAL = {
    "zeros and no trace": lambda *args: (np.zeros_like(args[0]), {}),
    "its input and the parameters": lambda *args: (args[0], next(a for a in reversed(args) if isinstance(a, dict))),
    "zeros for all": lambda *args: (np.zeros_like(args[0]), {k: np.zeros_like(v) for k, v in args[-2].items()}
                                    if isinstance(args[-2], dict) else {}),
}
