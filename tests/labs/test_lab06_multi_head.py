"""Lab 06: the reference against oracles and laws."""

import numpy as np
import pytest

from coursekit import check as visible
from coursekit.check import lab06_multi_head as visible_checks
from coursekit.gradient_check import check_gradient
from grading.student import LocalStudent
from solutions.lab06_multi_head import checks, mistakes, reference
from tests import needs

B, T, S, M, H, D_K, D_V = 2, 4, 5, 6, 3, 2, 7


def parameters_of(rng, heads=H, d_k=D_K, d_v=D_V):
    widths = [(M, heads * d_k), (M, heads * d_k), (M, heads * d_v), (heads * d_v, M)]
    return {name: rng.normal(size=shape) / 2 for name, shape in zip(checks.NAMES, widths, strict=True)}


@pytest.fixture
def rng():
    return np.random.default_rng(1)


@pytest.fixture
def case(rng):
    mask = rng.random(size=(B, T, S)) < 0.6
    mask[..., 1] = True
    return rng.normal(size=(B, T, M)), rng.normal(size=(B, S, M)), parameters_of(rng), H, mask


def backward_of(case, d_output):
    X, memory, parameters, heads, _ = case
    weights = reference.multi_head_attention(*case)[1]
    return reference.multi_head_attention_backward(d_output, X, memory, parameters, heads, weights)


# The reference


def torch_module(parameters, heads):
    """PyTorch's own layer with our matrices, which it keeps transposed, queries, keys and values in one."""
    import torch

    width = len(parameters["W_Q"])
    layer = torch.nn.MultiheadAttention(width, heads, bias=False, batch_first=True, dtype=torch.float64)
    joined = np.concatenate([parameters[name].T for name in ("W_Q", "W_K", "W_V")])
    layer.in_proj_weight.data = torch.tensor(joined)
    layer.out_proj.weight.data = torch.tensor(parameters["W_O"].T.copy())
    return layer


def torch_masks(mask, heads):
    """What `nn.MultiheadAttention` takes for each of our masks: there, True means blocked."""
    import torch

    if mask is None:
        return {}
    if mask.ndim == 2:
        return {"attn_mask": torch.tensor(~mask)}
    if mask.shape[1] == 1:
        return {"key_padding_mask": torch.tensor(~mask[:, 0])}
    return {"attn_mask": torch.tensor(np.repeat(~mask, heads, axis=0))}


def masks(rng, kind):
    own = rng.random(size=(B, T, S)) < 0.5
    own[..., 2] = True
    lengths = np.array([[[3]], [[5]]])
    return {"none": None, "causal": np.tri(T, S, k=1, dtype=bool), "padding": np.arange(S) < lengths, "own": own}[kind]


@needs.torch
@pytest.mark.parametrize("kind", ["none", "causal", "padding", "own"])
def test_it_is_pytorchs_layer_forward_and_backward_given_its_weights(rng, kind):
    import torch

    parameters, mask = parameters_of(rng, d_k=2, d_v=2), masks(rng, kind)
    X, memory, d_output = (rng.normal(size=(B, length, M)) for length in (T, S, T))
    layer = torch_module(parameters, H)
    X_t, memory_t = (torch.tensor(a, requires_grad=True) for a in (X, memory))
    theirs = layer(X_t, memory_t, memory_t, average_attn_weights=False, **torch_masks(mask, H))
    theirs[0].backward(torch.tensor(d_output))
    ours = reference.multi_head_attention(X, memory, parameters, H, mask)
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(one, other.detach().numpy(), rtol=1e-10, atol=1e-13)
    d_X, d_memory, gradients = backward_of((X, memory, parameters, H, mask), d_output)
    expected = [*np.split(layer.in_proj_weight.grad.numpy(), 3), layer.out_proj.weight.grad.numpy()]
    pairs = [(d_X, X_t.grad.numpy()), (d_memory, memory_t.grad.numpy())]
    pairs += [(gradients[name], grad.T) for name, grad in zip(checks.NAMES, expected, strict=True)]
    for one, other in pairs:
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-13)


@needs.torch
def test_the_attention_of_each_head_is_pytorchs(rng):
    import torch

    Q, K, V = (rng.normal(size=shape) for shape in [(B, H, T, D_K), (B, H, S, D_K), (B, H, S, D_V)])
    mask = masks(rng, "own")[:, None]
    arrays = [torch.tensor(a, requires_grad=True) for a in (Q, K, V)]
    theirs = torch.nn.functional.scaled_dot_product_attention(*arrays, attn_mask=torch.tensor(mask))
    ours, weights = reference.scaled_dot_product_attention(Q, K, V, mask)
    np.testing.assert_allclose(ours, theirs.detach().numpy(), rtol=1e-10, atol=1e-13)
    d_output = rng.normal(size=ours.shape)
    theirs.backward(torch.tensor(d_output))
    back = reference.scaled_dot_product_attention_backward(d_output, Q, K, V, weights)
    for one, other in zip(back, arrays, strict=True):
        np.testing.assert_allclose(one, other.grad.numpy(), rtol=1e-9, atol=1e-13)


@pytest.mark.parametrize("name", ["X", "memory", *checks.NAMES])
def test_the_gradient_is_the_slope_of_the_loss(case, rng, name):
    X, memory, parameters, _, _ = case
    d_output = rng.normal(size=X.shape)
    d_X, d_memory, gradients = backward_of(case, d_output)
    arrays, found = {"X": X, "memory": memory, **parameters}, {"X": d_X, "memory": d_memory, **gradients}

    def loss():
        return (reference.multi_head_attention(*case)[0] * d_output).sum()

    assert check_gradient(loss, arrays[name], found[name], name, tolerance=1e-7, step=1e-4) < 1e-7


def test_for_self_attention_the_gradient_is_the_sum_of_the_first_two(rng):
    X, parameters, d_output = rng.normal(size=(B, T, M)), parameters_of(rng), rng.normal(size=(B, T, M))
    d_X, d_memory, _ = backward_of((X, X, parameters, H, None), d_output)

    def loss():
        return (reference.multi_head_attention(X, X, parameters, H)[0] * d_output).sum()

    assert check_gradient(loss, X, d_X + d_memory, tolerance=1e-7, step=1e-4) < 1e-7


def test_merging_undoes_splitting(rng):
    x = rng.normal(size=(B, T, 12))
    np.testing.assert_array_equal(reference.merge_heads(reference.split_heads(x, 4)), x)


def test_one_head_is_the_attention_between_its_matrices(rng):
    X, memory, p = rng.normal(size=(B, T, M)), rng.normal(size=(B, S, M)), parameters_of(rng, heads=1)
    found, weights = reference.scaled_dot_product_attention(X @ p["W_Q"], memory @ p["W_K"], memory @ p["W_V"])
    output, of_heads = reference.multi_head_attention(X, memory, p, 1)
    np.testing.assert_allclose(output, found @ p["W_O"], rtol=1e-12)
    np.testing.assert_allclose(of_heads[:, 0], weights, rtol=1e-12)


def test_permuting_the_memory_permutes_the_weights_and_leaves_the_output(case, rng):
    X, memory, parameters, heads, mask = case
    order = rng.permutation(S)
    output, weights = reference.multi_head_attention(*case)
    other, permuted = reference.multi_head_attention(X, memory[:, order], parameters, heads, mask[..., order])
    np.testing.assert_allclose(other, output, rtol=1e-10, atol=1e-13)
    np.testing.assert_allclose(permuted, weights[..., order], rtol=1e-12)


def test_a_sentence_without_words_gets_zeros_and_passes_no_gradient(case, rng):
    X, mask = case[0], case[-1]
    mask[1] = False
    output, weights = reference.multi_head_attention(*case)
    d_X, d_memory, _ = backward_of(case, rng.normal(size=X.shape))
    assert not any(a[1].any() for a in (output, weights, d_X, d_memory)) and output[0].all()


def test_the_future_does_not_change_the_past(rng):
    X, parameters, causal = rng.normal(size=(B, T, M)), parameters_of(rng), np.tri(T, dtype=bool)
    before = reference.multi_head_attention(X, X, parameters, H, causal)[0]
    X[:, 2:] = 9.0
    after = reference.multi_head_attention(X, X, parameters, H, causal)[0]
    np.testing.assert_allclose(after[:, :2], before[:, :2], rtol=1e-12)


@pytest.mark.parametrize("heads", [1, 2, 4, 8])
def test_heads_that_share_the_width_have_as_many_parameters_as_one(heads):
    assert reference.parameter_count(512, heads, 512 // heads, 512 // heads) == 4 * 512**2


def test_the_count_is_that_of_the_arrays(rng):
    counted = sum(W.size for W in parameters_of(rng).values())
    assert reference.parameter_count(M, H, D_K, D_V) == counted


def test_a_width_that_heads_cannot_share_is_refused():
    with pytest.raises(ValueError, match="expected a width that 4 heads share evenly, got 6"):
        reference.split_heads(np.zeros((2, 3, 6)), 4)


def test_the_programmed_heads_do_what_they_say():
    words = np.array([2, 0, 2, 1])
    X = np.hstack([np.eye(3)[words], np.eye(4)])[None]
    before, weights = reference.multi_head_attention(X, X, reference.previous_token_head(3, 4), 1)
    np.testing.assert_allclose(weights[0, 0, 1:], np.eye(4)[:3], atol=1e-12)
    np.testing.assert_allclose(before[0, 1:, :3], np.eye(3)[words[:-1]], atol=1e-12)
    _, same = reference.multi_head_attention(X, X, reference.matching_token_head(3, 4), 1)
    np.testing.assert_allclose(same[0, 0], [[0.5, 0, 0.5, 0], [0, 1, 0, 0], [0.5, 0, 0.5, 0], [0, 0, 0, 1]], atol=1e-12)


def test_of_the_laws_only_the_order_of_the_memory_finds_a_reshape_without_transpose_out(rng):
    X, parameters, order = rng.normal(size=(1, T, M)), parameters_of(rng, d_k=2, d_v=2), [2, 0, 3, 1]
    output, weights = mistakes.multi_head_attention_by_reshape_alone(X, X, parameters, H)
    other, _ = mistakes.multi_head_attention_by_reshape_alone(X, X[:, order], parameters, H)
    assert output.shape == X.shape and np.allclose(weights.sum(axis=-1), 1)
    assert np.abs(other - output).max() > 0.01


# The hidden checks


def test_a_wrong_gradient_is_called_by_its_name():
    def backward(*args):
        d_X, d_memory, gradients = reference.multi_head_attention_backward(*args)
        return d_X, d_memory, gradients | {"W_K": -gradients["W_K"]}

    student = LocalStudent({"multi_head_attention_backward": backward})
    first = next(checks.multi_head_attention_backward(student, np.random.default_rng(0)))
    assert first.hint.startswith("W_K: right shape, wrong values")


# The visible checks


def test_a_mask_that_meets_the_heads_is_explained():
    with pytest.raises(visible.CheckFailed, match="an axis of heads: give the mask an axis of length 1"):
        visible_checks.multi_head_attention(mistakes.multi_head_attention_with_the_mask_on_the_heads)


def test_the_wrong_width_in_the_divisor_is_named():
    with pytest.raises(visible.CheckFailed, match="you divided by the root of d_model"):
        visible_checks.multi_head_attention(mistakes.multi_head_attention_scaled_by_the_model)


def backward_that(change):
    """Exercise 6, right but for what `change` does to (d_X, d_memory, gradients), knowing X, memory and parameters."""
    def backward(d_output, X, memory, parameters, heads, weights):
        right = reference.multi_head_attention_backward(d_output, X, memory, parameters, heads, weights)
        return change(*right, X, memory, parameters)

    return backward


@pytest.mark.parametrize(("words", "change"), [
    ("memory is X, and still both", lambda a, b, p, X, memory, _: (a + b if memory is X else a, b, p)),
    ("did you add the two", lambda a, b, p, X, memory, _: (a, a + b if memory is X else b, p)),
    ("the keys of the dictionary are", lambda a, b, p, *_: (a, b, {f"d_{name}": d for name, d in p.items()})),
    ("gradient of W_K: are the two exchanged", lambda a, b, p, *_: (a, b, p | {"W_Q": p["W_K"], "W_K": p["W_Q"]})),
    ("into a new dictionary", lambda a, b, p, X, memory, given: (a, b, given.update(p) or given)),
])
def test_the_way_back_is_told_what_is_wrong(words, change):
    with pytest.raises(visible.CheckFailed, match=words):
        visible_checks.multi_head_attention_backward(backward_that(change))


def test_weights_computed_again_without_the_mask_are_named():
    def backward(d_output, X, memory, parameters, heads, weights):
        weights = reference.multi_head_attention(X, memory, parameters, heads)[1]
        return reference.multi_head_attention_backward(d_output, X, memory, parameters, heads, weights)

    with pytest.raises(visible.CheckFailed, match="use the `weights` that you were given"):
        visible_checks.multi_head_attention_backward(backward)


def test_one_array_in_place_of_two_results_is_named():
    with pytest.raises(visible.CheckFailed, match=r"got an array of shape \(2, 4, 7\)"):
        visible_checks.multi_head_attention(lambda *args: reference.multi_head_attention(*args)[0])


def test_an_axis_between_T_and_S_is_named():
    def multi_head_attention(X, memory, parameters, heads, mask=None):
        mask = mask if mask is None else mask[:, None][None]
        return reference.multi_head_attention(X, memory, parameters, heads, mask)

    with pytest.raises(visible.CheckFailed, match="between T and S"):
        visible_checks.multi_head_attention(multi_head_attention)


@pytest.mark.parametrize("exercise", ["previous_token_head", "matching_token_head"])
@pytest.mark.parametrize(("words", "queries"), [
    ("elsewhere: make the queries longer", lambda W: W / 20),
    ("rows of W_Q are 0", lambda W: 0 * W),
    ("make the scores: leave the other rows", lambda W: W + 1e3 * np.arange(W.size).reshape(W.shape)),
])
def test_a_programmed_head_is_told_what_is_wrong_with_its_scores(exercise, words, queries):
    def head(vocabulary, length):
        right = getattr(reference, exercise)(vocabulary, length)
        return right | {"W_Q": queries(right["W_Q"])}

    with pytest.raises(visible.CheckFailed, match=words):
        getattr(visible_checks, exercise)(head)


def attention_of(factor=lambda Q, K, V: 1.0, axis=-1):
    def attention(Q, K, V, mask=None):
        scores = np.where(True if mask is None else mask, factor(Q, K, V) * Q @ K.swapaxes(-1, -2), -np.inf)
        powers = np.exp(scores / Q.shape[-1] ** 0.5)
        weights = powers / powers.sum(axis=axis, keepdims=True)
        return weights @ V, weights

    return attention


def attention_backward_of(d_scores_of):
    def backward(d_output, Q, K, V, weights):
        d_scores = d_scores_of(weights, d_output @ V.swapaxes(-1, -2), Q.shape[-1] ** 0.5, V.shape[-1] ** 0.5)
        return d_scores @ K, d_scores.swapaxes(-1, -2) @ Q, weights.swapaxes(-1, -2) @ d_output

    return backward


def averaged(a, d, axis=-1):
    return a * (d - (a * d).sum(axis=axis, keepdims=True))


@pytest.mark.parametrize(("wrong", "says"), [
    (attention_of(lambda Q, K, V: Q.shape[-1] ** 0.5), "not divided by √d_k"),
    (attention_of(lambda Q, K, V: Q.shape[-1] ** -0.5), "divided by d_k: divide by its root"),
    (attention_of(lambda Q, K, V: (Q.shape[-1] / K.shape[-2]) ** 0.5), "the root of S"),
    (attention_of(lambda Q, K, V: (Q.shape[-1] / V.shape[-1]) ** 0.5), "the root of the width of V"),
    (attention_of(axis=-2), "ran over the queries"),
    (attention_of(axis=None), "all weights together sum to 1"),
    (lambda *args: attention_of()(*args)[::-1], "the same shapes in another order"),
], ids=["no root", "d_k", "S", "d_v", "queries", "all", "order"])
def test_what_is_wrong_with_the_weights_is_named(wrong, says):
    with pytest.raises(visible.CheckFailed, match=says):
        visible_checks.scaled_dot_product_attention(wrong)


@pytest.mark.parametrize(("d_scores", "says"), [
    (lambda a, d, root, _: d / root, "the softmax is left out"),
    (lambda a, d, root, _: a * d / root, "the average is missing"),
    (lambda a, d, root, _: a * (d - d.mean(-1, keepdims=True)) / root, "the plain mean"),
    (lambda a, d, root, _: averaged(a, d, -2) / root, "ran over the queries"),
    (lambda a, d, root, _: averaged(a, d), "the root is missing"),
    (lambda a, d, root, _: averaged(a, d) / root**2, "or by the root twice"),
    (lambda a, d, _, root: averaged(a, d) / root, "the root of the width of V"),
], ids=["softmax", "average", "mean", "axis", "no root", "d_k", "d_v"])
def test_what_is_wrong_with_the_gradient_of_the_scores_is_named(d_scores, says):
    with pytest.raises(visible.CheckFailed, match=f"d_Q agrees.*\n.*{says}"):
        visible_checks.scaled_dot_product_attention_backward(attention_backward_of(d_scores))


@pytest.mark.parametrize("order", [(2, 0, 1), (1, 0, 2)])
def test_the_results_of_the_way_back_in_another_order_are_told_so(order):
    def backward(*args):
        right = reference.multi_head_attention_backward(*args)
        return tuple(right[i] for i in order)

    with pytest.raises(visible.CheckFailed, match="in another order"):
        visible_checks.multi_head_attention_backward(backward)


def programmed(exercise, **changed):
    """A programmed head, of which some matrices are changed by functions of (matrix, vocabulary)."""
    def head(vocabulary, length):
        right = getattr(reference, exercise)(vocabulary, length)
        return right | {name: change(right[name], vocabulary) for name, change in changed.items()}

    return head


def soft(W, _):
    return 14 / 100 * W


def for_three_words(W, vocabulary):
    return np.where(np.arange(len(W))[:, None] < 3, W, 0) if vocabulary > 3 else W


@pytest.mark.parametrize(("exercise", "changed", "says"), [
    ("previous_token_head", {"W_Q": soft}, "make the queries longer, as 100"),
    ("matching_token_head", {"W_Q": soft}, "make the queries longer, as 100"),
    ("previous_token_head", {"W_V": for_three_words}, "do your W_V and W_O depend on `vocabulary`"),
    ("matching_token_head", {"W_Q": for_three_words}, "do your W_Q and W_K depend on `vocabulary`"),
    ("matching_token_head", {"W_O": lambda W, _: 2 * W}, "it is 2 times what it should be"),
], ids=["soft", "soft, matching", "three words", "three words, matching", "doubled"])
def test_the_likeliest_slips_in_a_programmed_head_are_named(exercise, changed, says):
    with pytest.raises(visible.CheckFailed, match=says):
        getattr(visible_checks, exercise)(programmed(exercise, **changed))


def test_a_wrong_count_is_shown_whole():
    with pytest.raises(visible.CheckFailed, match="got 2,097,152: count"):
        visible_checks.parameter_count(lambda d_model, heads, d_k, d_v: 8 * d_model**2)
