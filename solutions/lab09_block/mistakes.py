"""Plausible wrong answers to lab 09. A docstring is the sentence that a student reads whose answer behaves like it.

The tests prove that the hidden checks reject each of them; the marking room names the one that an answer behaves like.
Most are built from `_block` and `_back`, the two ways with their parts exchangeable.
"""

import numpy as np

from solutions.exercises import by_exercise
from solutions.lab09_block import reference
from solutions.lab09_block.reference import (
    feed_forward,
    feed_forward_backward,
    layer_norm,
    layer_norm_backward,
    multi_head_attention,
    multi_head_attention_backward,
)


def _norm(x, p, n):
    return layer_norm(x, p[f"gamma_{n}"], p[f"beta_{n}"])


def _trace(read_1, weights, read_2, inner, norm_1, norm_2):
    return {"read_1": read_1, "weights": weights, "read_2": read_2, "inner": inner, "x_hat_1": norm_1[1],
            "std_1": norm_1[2], "x_hat_2": norm_2[1], "std_2": norm_2[2]}


def _pre(X, p, heads, mask, first=1.0, second=1.0, norms=(1, 2), base=None, into=None):
    """pre-LN with the shares of the two residuals, the norms that are used, and what the sublayers add to."""
    norm_1 = _norm(X, p, norms[0])
    found, weights = multi_head_attention(norm_1[0], norm_1[0], p, heads, mask)
    middle = first * (norm_1[0] if base == "read" else X) + found
    norm_2 = _norm(middle if into is None else X, p, norms[1])
    made, inner = feed_forward(norm_2[0], p)
    output = second * (norm_2[0] if base == "read" else middle) + made
    return output, _trace(norm_1[0], weights, norm_2[0], inner, norm_1, norm_2)


def _post(X, p, heads, mask, first=1.0, second=1.0, norms=(1, 2), base=None):
    found, weights = multi_head_attention(X, X, p, heads, mask)
    norm_1 = _norm(first * X + found, p, norms[0])
    made, inner = feed_forward(norm_1[0], p)
    norm_2 = _norm(second * (X if base == "X" else norm_1[0]) + made, p, norms[1])
    return norm_2[0], _trace(X, weights, norm_1[0], inner, norm_1, norm_2)


# pre_ln_block


def pre_ln_block_in_post_order(X, parameters, heads, mask=None):
    """That is post-LN: here LayerNorm stands before each sublayer, and the sum is left as it is."""
    return reference.post_ln_block(X, parameters, heads, mask)


def pre_ln_block_without_the_first_residual(X, parameters, heads, mask=None):
    """The stream is lost at the attention: add what it found to X."""
    return _pre(X, parameters, heads, mask, first=0.0)


def pre_ln_block_without_the_second_residual(X, parameters, heads, mask=None):
    """The stream is lost at the feed-forward layer: add what it made to the stream."""
    return _pre(X, parameters, heads, mask, second=0.0)


def pre_ln_block_that_adds_to_the_normalised(X, parameters, heads, mask=None):
    """You added to the normalised rows: the sublayer reads LN(x), but what it finds is added to x itself."""
    return _pre(X, parameters, heads, mask, base="read")


def pre_ln_block_with_one_norm_for_both(X, parameters, heads, mask=None):
    """Both norms use gamma_1 and beta_1: the second has parameters of its own."""
    return _pre(X, parameters, heads, mask, norms=(1, 1))


def pre_ln_block_with_the_norms_exchanged(X, parameters, heads, mask=None):
    """The norms have changed places: gamma_1 and beta_1 stand before the attention."""
    return _pre(X, parameters, heads, mask, norms=(2, 1))


def pre_ln_block_with_both_sublayers_at_once(X, parameters, heads, mask=None):
    """The feed-forward layer read X: it reads the stream to which the attention has already added."""
    return _pre(X, parameters, heads, mask, into="X")


def pre_ln_block_without_the_mask(X, parameters, heads, mask=None):
    """The mask has no effect: hand it to the attention."""
    return reference.pre_ln_block(X, parameters, heads)


def pre_ln_block_with_a_last_norm(X, parameters, heads, mask=None):
    """You normalised the output: in pre-LN that is done once, after the last block, and not in it."""
    output, trace = reference.pre_ln_block(X, parameters, heads, mask)
    return _norm(output, parameters, 2)[0], trace


def pre_ln_block_with_two_heads(X, parameters, heads, mask=None):
    """Your block always has two heads: hand on the number that it is given."""
    return reference.pre_ln_block(X, parameters, 2, mask)


def pre_ln_block_with_one_row_of_the_mask(X, parameters, heads, mask=None):
    """All queries of a sentence saw the first row of its mask: a (B, T, T) mask has a row for each query."""
    cut = mask[:, :1] if mask is not None and mask.ndim == 3 else mask
    return reference.pre_ln_block(X, parameters, heads, cut)


# post_ln_block


def post_ln_block_in_pre_order(X, parameters, heads, mask=None):
    """That is pre-LN: here the sublayers read the stream as it is, and LayerNorm stands after each sum."""
    return reference.pre_ln_block(X, parameters, heads, mask)


def post_ln_block_without_the_first_residual(X, parameters, heads, mask=None):
    """The stream is lost at the attention: what is normalised is X plus what the attention found."""
    return _post(X, parameters, heads, mask, first=0.0)


def post_ln_block_without_the_second_residual(X, parameters, heads, mask=None):
    """The stream is lost at the feed-forward layer: what is normalised is its input plus its output."""
    return _post(X, parameters, heads, mask, second=0.0)


def post_ln_block_that_adds_to_the_input(X, parameters, heads, mask=None):
    """The second residual started from X: it starts from the normalised sum that the feed-forward layer read."""
    return _post(X, parameters, heads, mask, base="X")


def post_ln_block_with_one_norm_for_both(X, parameters, heads, mask=None):
    """Both norms use gamma_1 and beta_1: the second has parameters of its own."""
    return _post(X, parameters, heads, mask, norms=(1, 1))


def post_ln_block_with_the_norms_exchanged(X, parameters, heads, mask=None):
    """The norms have changed places: gamma_1 and beta_1 stand after the attention."""
    return _post(X, parameters, heads, mask, norms=(2, 1))


def post_ln_block_without_the_mask(X, parameters, heads, mask=None):
    """The mask has no effect: hand it to the attention."""
    return reference.post_ln_block(X, parameters, heads)


def post_ln_block_without_the_last_norm(X, parameters, heads, mask=None):
    """The second sum is not normalised: in post-LN each of the two is."""
    _, trace = reference.post_ln_block(X, parameters, heads, mask)
    return trace["read_2"] + feed_forward(trace["read_2"], parameters)[0], trace


def post_ln_block_with_two_heads(X, parameters, heads, mask=None):
    """Your block always has two heads: hand on the number that it is given."""
    return reference.post_ln_block(X, parameters, 2, mask)


def post_ln_block_with_one_row_of_the_mask(X, parameters, heads, mask=None):
    """All queries of a sentence saw the first row of its mask: a (B, T, T) mask has a row for each query."""
    cut = mask[:, :1] if mask is not None and mask.ndim == 3 else mask
    return reference.post_ln_block(X, parameters, heads, cut)


# the ways back


def _all(d_stream, found, norm_1, norm_2):
    of_attention, of_layer = found
    norms = {"gamma_1": norm_1[1], "beta_1": norm_1[2], "gamma_2": norm_2[1], "beta_2": norm_2[2]}
    return d_stream, {**of_attention, **of_layer, **norms}


def _norm_back(d, t, p, n):
    return layer_norm_backward(d, t[f"x_hat_{n}"], t[f"std_{n}"], p[f"gamma_{n}"])


def _look_back(d, t, p, heads, keys=1.0):
    d_asks, d_seen, gradients = multi_head_attention_backward(d, t["read_1"], t["read_1"], p, heads, t["weights"])
    return d_asks + keys * d_seen, gradients


def _pre_back(d_output, t, p, heads, first=1.0, second=1.0, keys=1.0):
    d_read_2, of_layer = feed_forward_backward(d_output, t["read_2"], t["inner"], p)
    norm_2 = _norm_back(d_read_2, t, p, 2)
    d_middle = second * d_output + norm_2[0]
    d_read_1, of_attention = _look_back(d_middle, t, p, heads, keys)
    norm_1 = _norm_back(d_read_1, t, p, 1)
    return _all(first * d_middle + norm_1[0], (of_attention, of_layer), norm_1, norm_2)


def _post_back(d_output, t, p, heads, first=1.0, second=1.0, keys=1.0):
    norm_2 = _norm_back(d_output, t, p, 2)
    d_read_2, of_layer = feed_forward_backward(norm_2[0], t["read_2"], t["inner"], p)
    norm_1 = _norm_back(second * norm_2[0] + d_read_2, t, p, 1)
    d_read_1, of_attention = _look_back(norm_1[0], t, p, heads, keys)
    return _all(first * norm_1[0] + d_read_1, (of_attention, of_layer), norm_1, norm_2)


def pre_ln_block_backward_without_the_first_residual(d_output, trace, parameters, heads):
    """At the first sublayer the gradient comes back along two ways: add the residual's to the one through LayerNorm."""
    return _pre_back(d_output, trace, parameters, heads, first=0.0)


def pre_ln_block_backward_without_the_second_residual(d_output, trace, parameters, heads):
    """At the second sublayer the gradient comes back along two ways: add d_output to the one through LayerNorm."""
    return _pre_back(d_output, trace, parameters, heads, second=0.0)


def pre_ln_block_backward_through_the_queries_alone(d_output, trace, parameters, heads):
    """In self-attention X is the memory too: add d_memory to d_X."""
    return _pre_back(d_output, trace, parameters, heads, keys=0.0)


def pre_ln_block_backward_through_the_memory_alone(d_output, trace, parameters, heads):
    """In self-attention X asks too: add d_X to d_memory."""
    gradients = _pre_back(d_output, trace, parameters, heads)[1]
    d_middle = d_output + _norm_back(feed_forward_backward(d_output, trace["read_2"], trace["inner"], parameters)[0],
                                     trace, parameters, 2)[0]
    d_seen = multi_head_attention_backward(
        d_middle, trace["read_1"], trace["read_1"], parameters, heads, trace["weights"])[1]
    norm_1 = _norm_back(d_seen, trace, parameters, 1)
    return d_middle + norm_1[0], {**gradients, "gamma_1": norm_1[1], "beta_1": norm_1[2]}


def pre_ln_block_backward_without_the_norms(d_output, trace, parameters, heads):
    """The gradient of a sublayer comes back through its LayerNorm, before it meets the residual's."""
    d_read_2, of_layer = feed_forward_backward(d_output, trace["read_2"], trace["inner"], parameters)
    d_middle = d_output + d_read_2
    d_read_1, of_attention = _look_back(d_middle, trace, parameters, heads)
    norm_1, norm_2 = _norm_back(d_read_1, trace, parameters, 1), _norm_back(d_read_2, trace, parameters, 2)
    return _all(d_middle + d_read_1, (of_attention, of_layer), norm_1, norm_2)


def pre_ln_block_backward_in_post_order(d_output, trace, parameters, heads):
    """That is the way back through post-LN: here LayerNorm is the last thing on each sublayer's way back."""
    return reference.post_ln_block_backward(d_output, trace, parameters, heads)


def pre_ln_block_backward_with_d_output_at_the_attention(d_output, trace, parameters, heads):
    """The attention received d_output: what comes back there has passed the second sublayer and its residual."""
    gradients = _pre_back(d_output, trace, parameters, heads)[1]
    d_read_1, of_attention = _look_back(d_output, trace, parameters, heads)
    norm_1 = _norm_back(d_read_1, trace, parameters, 1)
    return d_output + norm_1[0], {**gradients, **of_attention, "gamma_1": norm_1[1], "beta_1": norm_1[2]}


def pre_ln_block_backward_with_the_norms_exchanged(d_output, trace, parameters, heads):
    """The gradients of the two norms have changed places: gamma_1 and beta_1 belong to the attention's."""
    d_X, g = reference.pre_ln_block_backward(d_output, trace, parameters, heads)
    return d_X, {**g, "gamma_1": g["gamma_2"], "beta_1": g["beta_2"], "gamma_2": g["gamma_1"], "beta_2": g["beta_1"]}


def pre_ln_block_backward_without_the_norms_parameters(d_output, trace, parameters, heads):
    """The gradients of gamma and beta are missing from the dictionary."""
    d_X, gradients = reference.pre_ln_block_backward(d_output, trace, parameters, heads)
    return d_X, {name: gradient for name, gradient in gradients.items() if name[0] in "Wb" and "beta" not in name}


def pre_ln_block_backward_with_two_heads(d_output, trace, parameters, heads):
    """Your way back always has two heads: hand on the number that it is given."""
    return reference.pre_ln_block_backward(d_output, trace, parameters, 2)


def post_ln_block_backward_without_the_first_residual(d_output, trace, parameters, heads):
    """At the first sum the gradient goes two ways: to X directly, and to X through the attention. Add both."""
    return _post_back(d_output, trace, parameters, heads, first=0.0)


def post_ln_block_backward_without_the_second_residual(d_output, trace, parameters, heads):
    """At the second sum the gradient goes two ways: directly, and through the feed-forward layer. Add both."""
    return _post_back(d_output, trace, parameters, heads, second=0.0)


def post_ln_block_backward_through_the_queries_alone(d_output, trace, parameters, heads):
    """In self-attention X is the memory too: add d_memory to d_X."""
    return _post_back(d_output, trace, parameters, heads, keys=0.0)


def post_ln_block_backward_in_pre_order(d_output, trace, parameters, heads):
    """That is the way back through pre-LN: here each LayerNorm comes first, and the gradient meets it whole."""
    return reference.pre_ln_block_backward(d_output, trace, parameters, heads)


def post_ln_block_backward_with_a_residual_around_the_norm(d_output, trace, parameters, heads):
    """The gradient went past LayerNorm: in post-LN the norm stands on the stream, and nothing passes it by."""
    d_X, gradients = _post_back(d_output, trace, parameters, heads)
    return d_X + d_output, gradients


def post_ln_block_backward_with_the_norms_exchanged(d_output, trace, parameters, heads):
    """The gradients of the two norms have changed places: gamma_1 and beta_1 belong to the attention's."""
    d_X, g = reference.post_ln_block_backward(d_output, trace, parameters, heads)
    return d_X, {**g, "gamma_1": g["gamma_2"], "beta_1": g["beta_2"], "gamma_2": g["gamma_1"], "beta_2": g["beta_1"]}


def post_ln_block_backward_without_the_norms(d_output, trace, parameters, heads):
    """You left the norms out: d_output meets the second LayerNorm first, and the first one before the attention."""
    d_read_2, of_layer = feed_forward_backward(d_output, trace["read_2"], trace["inner"], parameters)
    d_middle = d_output + d_read_2
    d_read_1, of_attention = _look_back(d_middle, trace, parameters, heads)
    norm_1, norm_2 = _norm_back(d_middle, trace, parameters, 1), _norm_back(d_output, trace, parameters, 2)
    return _all(d_middle + d_read_1, (of_attention, of_layer), norm_1, norm_2)


def post_ln_block_backward_averaged(d_output, trace, parameters, heads):
    """You averaged the parameters' gradients over the sentences: every sentence adds its part, so they are sums."""
    d_X, gradients = reference.post_ln_block_backward(d_output, trace, parameters, heads)
    return d_X, {name: gradient / len(np.asarray(d_output)) for name, gradient in gradients.items()}


def post_ln_block_backward_with_two_heads(d_output, trace, parameters, heads):
    """Your way back always has two heads: hand on the number that it is given."""
    return reference.post_ln_block_backward(d_output, trace, parameters, 2)


MISTAKES = by_exercise(__name__, ["pre_ln_block", "post_ln_block", "pre_ln_block_backward", "post_ln_block_backward"])
