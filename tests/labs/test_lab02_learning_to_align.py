"""Lab 02: the gradients against PyTorch, central differences and laws; the checks against right and wrong answers."""

from functools import partial

import numpy as np
import pytest

from coursekit import check as visible
from coursekit.check import lab02_learning_to_align as visible_checks
from coursekit.gradient_check import check_gradient
from solutions.artifacts import date_translator
from solutions.lab01_additive_attention.reference import masked_softmax
from solutions.lab02_learning_to_align import mistakes, reference
from tests import needs
from tests.labs import judging
from tests.labs.judging import by_name

share = partial(judging.share, "lab02_learning_to_align")

B, S, T, D, E, A = 3, 5, 8, 4, 6, 7

MASK = np.array([[True, True, True, False, False], [True] * 5, [False, True, False, True, False]])


@pytest.fixture
def arrays():
    """The parameters and inputs of T steps of attention."""
    rng = np.random.default_rng(1)
    shapes = {"states": (B, T, D), "memory": (B, S, E), "W": (D, A), "U": (E, A), "v": (A,)}
    return {name: rng.normal(size=shape) for name, shape in shapes.items()}


@pytest.fixture
def probe():
    """What each entry of the contexts adds to the loss."""
    return np.random.default_rng(2).normal(size=(B, T, E))


def forward(states, memory, W, U, v, mask=MASK):
    """T steps with the same memory: contexts (B, T, E) and weights (B, T, S)."""
    scores = np.tanh((states @ W)[:, :, None] + (memory @ U)[:, None]) @ v             # (B, T, S)
    weights = masked_softmax(scores, np.broadcast_to(mask[:, None], scores.shape))
    return weights @ memory, weights


def by_hand(arrays, probe, mask=MASK):
    """The gradient of Σ probe · contexts in every array, put together as the trainer does: the five exercises."""
    states, memory, W, U, v = arrays.values()
    _, weights = forward(**arrays, mask=mask)
    steps = [reference.attend_backward(probe[:, t], states[:, t] @ W, memory @ U, memory, weights[:, t], v)
             for t in range(T)]
    d_queries, d_keys, d_vs = zip(*steps, strict=True)
    d_queries, d_keys = np.stack(d_queries, axis=1), np.stack(d_keys, axis=1)
    d_W, d_U, d_memory = reference.steps_backward(states, memory, weights, probe, d_queries, d_keys, U)
    return {"states": d_queries @ W.T, "memory": d_memory, "W": d_W, "U": d_U, "v": sum(d_vs)}


# The reference


@needs.torch
def test_all_five_together_equal_pytorch(arrays, probe):
    import torch

    states, memory, W, U, v = leaves = [torch.tensor(a, requires_grad=True) for a in arrays.values()]
    scores = torch.tanh((states @ W).unsqueeze(2) + (memory @ U).unsqueeze(1)) @ v
    weights = torch.softmax(scores.masked_fill(torch.tensor(~MASK)[:, None], -torch.inf), dim=-1)
    (torch.bmm(weights, memory) * torch.tensor(probe)).sum().backward()
    for leaf, (name, got) in zip(leaves, by_hand(arrays, probe).items(), strict=True):
        np.testing.assert_allclose(got, leaf.grad.numpy(), rtol=0, atol=1e-11, err_msg=name)


@pytest.mark.parametrize("name", ["states", "memory", "W", "U", "v"])
def test_all_five_together_agree_with_central_differences(arrays, probe, name):
    got = by_hand(arrays, probe)[name]
    assert check_gradient(lambda: np.sum(forward(**arrays)[0] * probe), arrays[name], got, name, step=1e-5) < 1e-7


@needs.torch
def test_softmax_backward_equals_pytorch_along_the_last_of_three_axes():
    import torch

    scores, d_weights = np.random.default_rng(3).normal(size=(2, B, S, T))
    leaf = torch.tensor(scores, requires_grad=True)
    torch.softmax(leaf, dim=-1).backward(torch.tensor(d_weights))
    weights = torch.softmax(leaf, dim=-1).detach().numpy()
    np.testing.assert_allclose(reference.softmax_backward(weights, d_weights), leaf.grad.numpy(), rtol=0, atol=1e-14)


@needs.torch
def test_context_and_scores_backward_equal_pytorch(arrays):
    import torch

    rng = np.random.default_rng(4)
    query, keys, v, weights, memory = (rng.normal(size=s) for s in [(B, A), (B, S, A), (A,), (B, S), (B, S, E)])
    d_scores, d_context = rng.normal(size=(B, S)), rng.normal(size=(B, E))
    leaves = q, k, vt, w, m = [torch.tensor(a, requires_grad=True) for a in (query, keys, v, weights, memory)]
    (torch.tanh(q[:, None] + k) @ vt).backward(torch.tensor(d_scores))
    torch.bmm(w.unsqueeze(1), m).squeeze(1).backward(torch.tensor(d_context))
    ours = reference.scores_backward(d_scores, query, keys, v) + reference.context_backward(d_context, weights, memory)
    for leaf, got in zip(leaves, ours, strict=True):
        np.testing.assert_allclose(got, leaf.grad.numpy(), rtol=0, atol=1e-13)


def test_gradients_of_scores_sum_to_zero_over_positions(arrays, probe):
    _, weights = forward(**arrays)
    d_scores = reference.softmax_backward(weights, probe @ arrays["memory"].swapaxes(1, 2))
    np.testing.assert_allclose(d_scores.sum(axis=-1), 0, atol=1e-14)
    assert np.abs(d_scores).max() > 0.1


def test_a_sentence_with_nothing_to_look_at_gets_no_gradient_and_gives_none(arrays, probe):
    mask = MASK & [[True], [False], [True]]
    got = by_hand(arrays, probe, mask)
    assert not got["states"][1].any() and not got["memory"][1].any() and got["memory"][0].any()
    other = arrays | {"memory": np.where(mask.any(axis=1)[:, None, None], arrays["memory"], 9.0)}
    np.testing.assert_array_equal(by_hand(other, probe, mask)["v"], got["v"])


def test_padding_gets_no_gradient(arrays, probe):
    assert not by_hand(arrays, probe)["memory"][~MASK].any()


def test_permuting_the_memory_permutes_its_gradient_and_changes_no_other(arrays, probe):
    order = np.random.default_rng(5).permutation(S)
    before = by_hand(arrays, probe)
    after = by_hand(arrays | {"memory": arrays["memory"][:, order]}, probe, MASK[:, order])
    np.testing.assert_allclose(after.pop("memory"), before.pop("memory")[:, order], atol=1e-12)
    for name in after:
        np.testing.assert_allclose(after[name], before[name], atol=1e-12)


def test_the_reference_is_what_trains_the_translator():
    """The code that made the artifact writes the same gradients otherwise."""
    rng = np.random.default_rng(6)
    case = [rng.normal(size=s) for s in [(B, E), (B, A), (B, S, A), (B, S, E)]]
    args = (*case, masked_softmax(rng.normal(size=(B, S)), MASK), rng.normal(size=A))
    for got, expected in zip(date_translator.attend_backward(*args), reference.attend_backward(*args), strict=True):
        np.testing.assert_allclose(got, expected, atol=1e-13)


def test_softmax_backward_names_a_gradient_of_another_shape():
    with pytest.raises(ValueError, match=r"d_weights: expected the shape of weights \(3, 5\), got \(3, 1\)"):
        reference.softmax_backward(np.zeros((3, 5)), np.zeros((3, 1)))


# The hidden checks


def test_zeros_of_the_right_shapes_earn_nothing_though_each_function_follows_from_the_one_before():
    answers = {
        "context_backward": lambda d_context, weights, memory: (np.zeros_like(weights), np.zeros_like(memory)),
        "softmax_backward": lambda weights, d_weights: np.zeros_like(weights),
        "scores_backward": lambda d_scores, *arrays: tuple(map(np.zeros_like, arrays)),
        "attend_backward": lambda c, query, keys, m, w, v: tuple(map(np.zeros_like, (query, keys, v))),
        "steps_backward": lambda s, memory, w, c, q, k, U: (np.zeros((s.shape[-1], U.shape[-1])), U * 0, memory * 0),
    }
    assert [share(exercise, **answers) for exercise in answers] == [0] * 5


# The visible checks


@pytest.mark.parametrize("wrong", [None, 3, np.zeros(4)], ids=repr)
def test_the_check_of_the_whole_step_survives_any_earlier_answer(wrong):
    with pytest.raises(visible.CheckFailed):
        visible_checks.attend_backward(mistakes.attend_backward_without_the_softmax, *[lambda *args: wrong] * 3)


CONTEXT, SOFTMAX, SCORES = reference.context_backward, reference.softmax_backward, reference.scores_backward


def joined(d_context, query, keys, memory, weights, v, context=CONTEXT, softmax=SOFTMAX, scores=SCORES):
    d_weights, _ = context(d_context, weights, memory)
    return scores(softmax(weights, d_weights), query, keys, v)


@pytest.mark.parametrize(("name", "wrong"), [
    ("context", mistakes.context_backward_by_a_sum_of_memory), ("context", mistakes.context_backward_averaged),
    ("softmax", mistakes.softmax_backward_without_the_average),
    ("softmax", mistakes.softmax_backward_with_the_sign_turned),
    ("scores", mistakes.scores_backward_without_the_slope), ("scores", mistakes.scores_backward_with_an_averaged_v),
], ids=by_name)
def test_the_check_of_the_whole_step_says_which_earlier_function_is_wrong(name, wrong):
    three = {"context": CONTEXT, "softmax": SOFTMAX, "scores": SCORES, name: wrong}
    with pytest.raises(visible.CheckFailed, match=rf"step \d, your {name}_backward, is not right yet"):
        visible_checks.attend_backward(lambda *args: joined(*args, **three), *three.values())


def masks_forgotten(d_context, query, keys, memory, weights, v):
    powers = np.exp(np.tanh(query[:, None] + keys) @ v)
    return joined(d_context, query, keys, memory, powers / powers.sum(axis=-1, keepdims=True), v)


@pytest.mark.parametrize(("wrong", "says"), [
    (mistakes.attend_backward_without_the_softmax, "the softmax is left out"),
    (mistakes.attend_backward_with_the_arguments_of_softmax_exchanged, "the wrong way round: weights, then d_weights"),
    (mistakes.attend_backward_with_weights_for_d_weights, "weights stand where their gradient belongs"),
    (mistakes.attend_backward_with_the_whole_jacobian_lost, r"stands where softmax_backward\(weights, d_weights\)"),
    (lambda *args: joined(*args, softmax=lambda a, d: SOFTMAX(a, SOFTMAX(a, d))), "called twice"),
    (lambda *args: joined(*args, softmax=lambda a, d: -SOFTMAX(a, d)), "the sign is turned round"),
    (lambda *args: joined(*args, context=lambda *args: (CONTEXT(*args)[1].sum(-1), None)), "d_memory was summed"),
    (masks_forgotten, "weights without the mask"),
    (mistakes.attend_backward_with_memory_as_keys, "so it is how they are joined"),
    (lambda *args: (*joined(*args)[:2], 0 * args[-1]), "what comes before is right: return what scores_backward gives"),
], ids=["skipped", "exchanged", "weights", "product", "twice", "sign", "d_memory", "mask", "another", "d_v"])
def test_three_right_functions_that_are_joined_wrongly_are_not_blamed(wrong, says):
    with pytest.raises(visible.CheckFailed, match=says):
        visible_checks.attend_backward(wrong, CONTEXT, SOFTMAX, SCORES)


def for_each_step(states, memory, weights, d_contexts, d_queries, d_keys, U):
    d_W, d_U, d_memory = reference.steps_backward(states, memory, weights, d_contexts, d_queries, d_keys, U)
    return d_W, d_U, d_memory + (len(d_keys[0]) - 1) * d_keys.sum(axis=1) @ U.T


@pytest.mark.parametrize(("exercise", "wrong", "says"), [
    ("softmax_backward", lambda a, d: SOFTMAX(d, a), "the wrong way round: weights first"),
    ("softmax_backward", lambda a, d: a * (d - (a * d).mean(axis=-1, keepdims=True)), "so no mean"),
    ("scores_backward", lambda d, q, k, v: SCORES(d, 0 * q, k, v), "the query is left out"),
    ("scores_backward", lambda d, q, k, v: SCORES(d, 0 * q, np.tanh(q[:, None] + k), v), "tanh is taken twice"),
    ("steps_backward", for_each_step, "it counts once, on the sum"),
], ids=["exchanged", "mean", "query", "twice", "steps"])
def test_the_likeliest_slips_are_named(exercise, wrong, says):
    with pytest.raises(visible.CheckFailed, match=says):
        getattr(visible_checks, exercise)(wrong)
