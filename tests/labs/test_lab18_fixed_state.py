"""The references of lab 18, against PyTorch and laws. (ONNX's own cases: tests/solutions/test_onnx.py.)"""

import re

import numpy as np
import pytest

from coursekit.check import CheckFailed
from coursekit.check import lab18_fixed_state as visible
from solutions.lab18_fixed_state import mistakes, reference
from tests import needs

B, H, G, T, D, E = 2, 6, 3, 7, 4, 5
RULES = {"linear": (), "gated": ("decay",), "delta": ("beta",), "gated_delta": ("decay", "beta")}


@pytest.fixture
def rng():
    return np.random.default_rng(18)


@pytest.fixture
def args(rng):
    """q, k, v, a decay for each row, beta and a state."""
    q, k, v, state = (rng.normal(size=shape) for shape in [(B, H, T, D), (B, G, T, D), (B, G, T, E), (B, G, D, E)])
    return {"q": q, "k": k / D**0.5, "v": v, "state": state, "decay": -rng.random((B, G, T, D)),
            "beta": rng.random((B, G, T, 1))}


def given(args, rule, *parts):
    """The arguments that a rule takes, of some steps."""
    part = slice(*parts) if parts else slice(None)
    named = {name: args[name][:, :, part] for name in ("q", "k", "v", *RULES[rule])}
    return named | {"rule": rule}


# Linear attention


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("cut", [1, 4, T - 1])
def test_a_sequence_may_be_cut_anywhere_if_its_state_is_handed_on(args, rule, cut):
    whole, last = reference.linear_attention(state=args["state"], **given(args, rule))
    first, state = reference.linear_attention(state=args["state"], **given(args, rule, cut))
    second, state = reference.linear_attention(state=state, **given(args, rule, cut, None))
    np.testing.assert_allclose(np.concatenate([first, second], axis=2), whole, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(state, last, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("decay", [False, True])
def test_the_recurrence_is_the_masked_product(args, decay):
    fade = [args["decay"][..., :1]] if decay else []
    slow, _ = reference.linear_attention(args["q"], args["k"], args["v"], None, *fade, rule=["linear", "gated"][decay])
    np.testing.assert_allclose(reference.linear_attention_parallel(args["q"], args["k"], args["v"], *fade), slow,
                               rtol=1e-10, atol=1e-12)


def test_with_beta_of_one_and_unit_keys_what_was_written_last_is_read_exactly(args, rng):
    k = args["k"] / np.linalg.norm(args["k"], axis=-1, keepdims=True)
    output, _ = reference.linear_attention(k, k, args["v"], args["state"], beta=np.ones((B, G, T, 1)), rule="delta")
    np.testing.assert_allclose(output, args["v"], rtol=1e-12, atol=1e-13)


def test_no_decay_and_no_beta_is_the_linear_rule(args):
    linear = reference.linear_attention(**given(args, "linear"))[0]
    np.testing.assert_allclose(reference.linear_attention(**given(args, "gated") | {"decay": 0 * args["decay"]})[0],
                               linear, rtol=1e-12)
    still = reference.linear_attention(**given(args, "delta") | {"beta": 0 * args["beta"]})[0]
    assert not still.any()


def test_the_delta_rule_on_orthonormal_keys_is_least_squares_in_one_pass(rng):
    k, v = np.eye(D)[None, None], rng.normal(size=(1, 1, D, E))
    _, state = reference.linear_attention(k, k, v, beta=np.ones((1, 1, D, 1)), rule="delta")
    np.testing.assert_allclose(state[0, 0], np.linalg.lstsq(k[0, 0], v[0, 0])[0], atol=1e-14)


def test_the_state_does_not_know_the_length(args):
    sizes = {reference.linear_attention(**given(args, "linear", n))[1].shape for n in (1, 3, T)}
    assert sizes == {(B, G, D, E)}


@pytest.mark.parametrize(("change", "said"), [
    ({"rule": "softmax"}, "rule: expected one of linear, gated, delta, gated_delta, got 'softmax'"),
    ({"beta": np.ones((B, G, T, 1))}, "beta: expected none for rule 'gated', got one"),
    ({"decay": None}, "decay: expected one for rule 'gated', got none"),
    ({"k": np.ones((B, 4, T, D)), "v": np.ones((B, 4, T, E))}, "k: expected a number of groups that divides 6 heads"),
    ({"decay": np.ones((B, G, T, 2))}, "decay: expected (B, G, T, d)"),
], ids=["rule", "unused", "missing", "groups", "shape"])
def test_what_does_not_fit_is_named(args, change, said):
    with pytest.raises(ValueError, match=re.escape(said)):
        reference.linear_attention(**given(args, "gated") | change)


# State spaces


def test_joining_steps_is_associative(rng):
    a, b = rng.normal(size=(2, 3))

    def join(first, second):
        return second[0] * first[0], second[0] * first[1] + second[1]

    x, y, z = zip(a, b, strict=True)
    np.testing.assert_allclose(join(join(x, y), z), join(x, join(y, z)), rtol=1e-13)
    np.testing.assert_allclose(join(join(x, y), z)[1], reference.scan(a[None], b[None])[0, -1], rtol=1e-13)


def test_many_short_steps_of_the_equation_are_one_long_one(rng):
    A, weight, delta = -rng.random(D), rng.normal(size=D), 1.3 + 0 * np.arange(D)
    A[0] = 0
    factor, inlet = reference.discretise(A, weight, delta)
    n = 1000
    short_factor, short_inlet = reference.discretise(A, weight, delta / n)
    states = reference.scan(*(np.tile(each, (1, n, 1)) for each in (short_factor, short_inlet)))
    np.testing.assert_allclose(states[0, -1], inlet, rtol=1e-10)
    np.testing.assert_allclose(short_factor**n, factor, rtol=1e-10)


@needs.torch
def test_the_convolution_is_pytorchs(rng):
    import torch

    x, w = rng.normal(size=(B, E, T)), rng.normal(size=(E, D))
    theirs = torch.nn.functional.conv1d(torch.tensor(x), torch.tensor(w)[:, None], padding=D - 1, groups=E)
    np.testing.assert_allclose(reference.causal_conv(x, w)[0], theirs[..., :T].numpy(), rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("cut", [1, 2, 5])
def test_a_convolution_may_be_cut_anywhere_if_its_state_is_handed_on(rng, cut):
    x, w = rng.normal(size=(B, E, T)), rng.normal(size=(E, D))
    whole, last = reference.causal_conv(x, w)
    first, state = reference.causal_conv(x[..., :cut], w)
    second, state = reference.causal_conv(x[..., cut:], w, state)
    np.testing.assert_array_equal(np.concatenate([first, second], axis=2), whole)
    np.testing.assert_array_equal(state, last)


# Experts


@needs.torch
def test_routing_is_pytorchs_topk_of_the_softmax(rng):
    import torch

    logits = rng.normal(size=(B, T, E))
    weights, ids = torch.softmax(torch.tensor(logits), -1).topk(3)
    found = reference.route(logits, 3, False)
    np.testing.assert_array_equal(found[0], ids.numpy())
    np.testing.assert_allclose(found[1], weights.numpy(), rtol=1e-12)


def test_one_expert_renormalised_has_the_weight_one_so_no_gradient_reaches_the_router(rng):
    logits = rng.normal(size=(T, E))
    assert (reference.route(logits, 1, True)[1] == 1).all()
    moved = reference.route(logits + 1e-4 * rng.normal(size=(T, E)), 1, False)[1]
    assert np.abs(moved - reference.route(logits, 1, False)[1]).min() > 0


def test_an_even_load_costs_one_and_a_single_expert_costs_their_number():
    assert reference.balance_loss(np.full((E, E), 1 / E), np.arange(E)[:, None]) == pytest.approx(1)
    assert reference.balance_loss(np.eye(E)[[2, 2]], np.full((2, 1), 2)) == pytest.approx(E)


# What the visible checks blame


BLAMED = {
    "you wrote first: let the state fade": ("linear_attention", mistakes.linear_attention_with_decay_after_the_write),
    "above the diagonal exp overflows": (
        "linear_attention_parallel", mistakes.linear_attention_parallel_masked_after_the_exponential),
    "is a 0 in a divided by?": ("scan", lambda a, b: np.cumprod(a, 1) * np.cumsum(b / np.cumprod(a, 1), 1)),
    "0 / 0 is nan": ("discretise", lambda A, B, delta: (np.exp(delta * A), np.expm1(delta * A) / A * B)),
    "a slice from -0 is everything": ("causal_conv", mistakes.causal_conv_with_a_slice_from_the_end),
    "of experts 0 and 3, which are equal, the lower": ("route", mistakes.route_with_ties_to_the_higher),
    "has the type of a": ("scan", lambda a, b: reference.scan(a, b).astype(a.dtype)),
    "Ask for A == 0": ("discretise", mistakes.discretise_with_something_added),
    "or delta B taken where A or delta A is only small": (
        "discretise", mistakes.discretise_with_a_threshold_of_the_product),
    "all axes in front count tokens": ("balance_loss", mistakes.balance_loss_of_each_place),
    "not after it: h_1 is b_1": ("scan", lambda a, b: reference.scan(a, b * (np.arange(b.shape[1]) > 0).reshape(
        -1, *(1,) * (b.ndim - 2)))),
    "an A above 0 grows": ("discretise", lambda A, B, delta: (
        np.exp(-np.abs(delta * A)), reference.discretise(A, B, delta)[1])),
    "products of a go to 0": ("scan", mistakes.scan_by_products_that_are_never_0),
    "not by delta A, which may be 0": ("discretise", mistakes.discretise_with_nan_at_a_step_of_0),
    "return A_bar, B_bar, in this order": ("discretise", mistakes.discretise_exchanged),
    "return ids, weights, in this order": ("route", mistakes.route_exchanged),
    "whatever the numbers of the experts": ("route", mistakes.route_by_number),
    "subtract each token's own largest": ("route", mistakes.route_with_one_largest_for_all),
    "sort the logits": ("route", mistakes.route_by_probabilities),
    "the factor E = 4 is missing": ("balance_loss", mistakes.balance_loss_without_the_number),
}


@pytest.mark.parametrize("said", BLAMED)
def test_the_visible_check_blames_what_is_at_fault(said):
    exercise, wrong = BLAMED[said]
    with pytest.raises(CheckFailed, match=re.escape(said)):
        getattr(visible, exercise)(wrong)
