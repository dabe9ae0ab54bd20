"""Lab 09: the reference against oracles and laws."""

import numpy as np
import pytest

from coursekit import kept
from coursekit.check import lab09_block as visible
from coursekit.gradient_check import check_gradient
from coursekit.keeping import FILE, HEAD
from solutions.lab09_block import checks, reference
from tests import needs

B, T, M, H, F = 2, 5, 6, 3, 7
ORDERS = ["pre", "post"]
LENGTHS = np.arange(T) < np.array([[[3]], [[5]]])
MASKS = {"none": None, "causal": np.tri(T, dtype=bool), "padding": LENGTHS}


@pytest.fixture
def rng():
    return np.random.default_rng(1)


@pytest.fixture
def case(rng):
    """X, the parameters, and what each entry of the output adds to the loss."""
    return 2 * rng.normal(size=(B, T, M)), checks._parameters(rng, M, F), rng.normal(size=(B, T, M))


def run(order, X, parameters, mask=None):
    return getattr(reference, f"{order}_ln_block")(X, parameters, H, mask)


def back(order, X, parameters, d_output, mask=None):
    trace = run(order, X, parameters, mask)[1]
    return getattr(reference, f"{order}_ln_block_backward")(d_output, trace, parameters, H)


# The reference


def torch_layer(parameters, order):
    """PyTorch's own encoder layer with our parameters; it keeps matrices transposed, and attention's biases are 0."""
    import torch

    layer = torch.nn.TransformerEncoderLayer(M, H, F, dropout=0.0, activation="relu", batch_first=True,
                                             norm_first=order == "pre", dtype=torch.float64)
    ours = torch_names(parameters)
    layer.load_state_dict({name: torch.tensor(ours.get(name, np.zeros(value.shape)))
                           for name, value in layer.state_dict().items()})
    return layer


def torch_names(p):
    """Our parameters, or their gradients, under PyTorch's names."""
    joined = np.concatenate([p[name].T for name in ("W_Q", "W_K", "W_V")])
    names = {"self_attn.in_proj_weight": joined, "self_attn.out_proj.weight": p["W_O"].T}
    names |= {f"linear{n}.weight": p[f"W_{n}"].T for n in (1, 2)} | {f"linear{n}.bias": p[f"b_{n}"] for n in (1, 2)}
    names |= {f"norm{n}.weight": p[f"gamma_{n}"] for n in (1, 2)} | {f"norm{n}.bias": p[f"beta_{n}"] for n in (1, 2)}
    return {name: np.ascontiguousarray(array) for name, array in names.items()}


def torch_masks(mask):
    """What the layer takes for each of our masks: there, True means blocked."""
    import torch

    if mask is None:
        return {}
    if mask.ndim == 2:
        return {"src_mask": torch.tensor(~mask)}
    return {"src_key_padding_mask": torch.tensor(~mask[:, 0])}


@needs.torch
@pytest.mark.parametrize("kind", MASKS)
@pytest.mark.parametrize("order", ORDERS)
def test_it_is_pytorchs_encoder_layer_forward_and_backward_given_its_weights(case, order, kind):
    import torch

    X, parameters, d_output = case
    layer, X_t = torch_layer(parameters, order), torch.tensor(X, requires_grad=True)
    theirs = layer(X_t, **torch_masks(MASKS[kind]))
    theirs.backward(torch.tensor(d_output))
    ours = run(order, X, parameters, MASKS[kind])[0]
    np.testing.assert_allclose(ours, theirs.detach().numpy(), rtol=1e-9, atol=1e-12)
    d_X, gradients = back(order, X, parameters, d_output, MASKS[kind])
    np.testing.assert_allclose(d_X, X_t.grad.numpy(), rtol=1e-8, atol=1e-11)
    grads = {name: value.grad.numpy() for name, value in layer.named_parameters()}
    for name, gradient in torch_names(gradients).items():
        np.testing.assert_allclose(gradient, grads[name], rtol=1e-8, atol=1e-11, err_msg=name)


@pytest.mark.parametrize("name", ["X", *checks.NAMES])
@pytest.mark.parametrize("order", ORDERS)
def test_the_gradient_is_the_slope_of_the_loss(case, order, name):
    X, parameters, d_output = case
    d_X, gradients = back(order, X, parameters, d_output, LENGTHS)

    def loss():
        return (run(order, X, parameters, LENGTHS)[0] * d_output).sum()

    array, found = (X, d_X) if name == "X" else (parameters[name], gradients[name])
    assert check_gradient(loss, array, found, name, tolerance=1e-7, step=3e-5) < 1e-7


def silenced(parameters):
    return parameters | {name: 0 * parameters[name] for name in ("W_O", "W_2", "b_2")}


def test_a_pre_ln_block_with_zero_output_weights_is_the_identity_and_so_is_its_way_back(case):
    X, parameters, d_output = case
    np.testing.assert_array_equal(run("pre", X, silenced(parameters))[0], X)
    np.testing.assert_array_equal(back("pre", X, silenced(parameters), d_output)[0], d_output)


def test_a_post_ln_block_with_zero_output_weights_still_normalises(case):
    X, parameters, _ = case
    output = run("post", X, silenced(parameters) | {"gamma_2": np.ones(M), "beta_2": np.zeros(M)})[0]
    np.testing.assert_allclose(output.mean(axis=-1), 0, atol=1e-12)
    np.testing.assert_allclose(output.var(axis=-1), 1, rtol=1e-3)


@pytest.mark.parametrize("order", ORDERS)
def test_the_future_changes_neither_the_past_nor_its_gradient(case, order):
    X, parameters, d_output = case
    other = np.concatenate([X[:, :3], 9 + X[:, 3:]], axis=1)
    before, after = (run(order, x, parameters, MASKS["causal"])[0] for x in (X, other))
    np.testing.assert_allclose(after[:, :3], before[:, :3], rtol=1e-12)
    d_output[:, 3:] = 0
    assert not back(order, X, parameters, d_output, MASKS["causal"])[0][:, 3:].any()


@pytest.mark.parametrize("order", ORDERS)
def test_permuting_the_tokens_permutes_the_output(case, rng, order):
    X, parameters, _ = case
    shuffled = rng.permutation(T)
    expected = run(order, X, parameters)[0][:, shuffled]
    np.testing.assert_allclose(run(order, X[:, shuffled], parameters)[0], expected, rtol=1e-9, atol=1e-12)


def test_a_sentence_without_words_finds_nothing(case):
    X, parameters, _ = case
    weights = run("pre", X, parameters, np.arange(T) < np.array([[[0]], [[4]]]))[1]["weights"]
    assert not weights[0].any() and np.allclose(weights[1].sum(axis=-1), 1)


# What earlier labs kept

WRONG = """
def layer_norm_backward(d_output, x_hat, std, gamma):
    g = d_output * gamma
    return (g - g.mean(axis=-1, keepdims=True)) / std, (d_output * x_hat).sum(axis=(0, 1)), d_output.sum(axis=(0, 1))
"""


RIGHT = WRONG.replace("True)) / std", "True) - x_hat * (g * x_hat).mean(axis=-1, keepdims=True)) / std")


@pytest.mark.parametrize(("body", "is_taken"), [(WRONG, False), (RIGHT, True)], ids=["no third term", "right"])
def test_a_kept_function_takes_the_given_ones_place_only_if_it_is_right(tmp_path, monkeypatch, capsys, body, is_taken):
    monkeypatch.chdir(tmp_path)
    (tmp_path / FILE).write_text(HEAD + body)
    used = kept(reference.layer_norm_backward, *visible.example("layer_norm_backward"))
    assert (used is not reference.layer_norm_backward) == is_taken
    assert ("answers a small example otherwise" in capsys.readouterr().out) != is_taken


@pytest.mark.parametrize("name", ["multi_head_attention", "multi_head_attention_backward", "layer_norm",
                                  "layer_norm_backward", "feed_forward", "feed_forward_backward"])
def test_each_given_function_takes_the_arguments_of_its_example(name):
    results = getattr(reference, name)(*visible.example(name))
    assert all(np.isfinite(each).all() for each in results if isinstance(each, np.ndarray))
