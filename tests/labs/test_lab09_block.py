"""Lab 09: the reference against oracles and laws, the hidden checks against right and wrong answers."""

import numpy as np
import pytest

from coursekit import check as visible
from coursekit.check import lab09_block as visible_checks
from coursekit.gradient_check import check_gradient
from grading.student import LocalStudent
from solutions.lab09_block import checks, mistakes, reference
from tests import needs
from tests.labs.variants_lab09_block import VARIANTS

B, T, M, H, F = 2, 5, 6, 3, 7
EXERCISES = list(mistakes.MISTAKES)
MISTAKES = [(name, mistake) for name in EXERCISES for mistake in mistakes.MISTAKES[name]]
RIGHT = [(name, variant) for name in EXERCISES for variant in VARIANTS[name]]
ORDERS = ["pre", "post"]
LENGTHS = np.arange(T) < np.array([[[3]], [[5]]])
MASKS = {"none": None, "causal": np.tri(T, dtype=bool), "padding": LENGTHS}


def share(exercise, **answers):
    """The share of an exercise's points that these answers earn, the reference standing in for the other functions."""
    namespace = {name: getattr(reference, name) for name in EXERCISES} | answers
    rng = np.random.default_rng(len(exercise))
    found = {name: answer for name, answer in answers.items() if answer in mistakes.MISTAKES.get(name, ())}
    verdicts = list(getattr(checks, exercise)(LocalStudent(namespace, found), rng))
    return sum(v.weight for v in verdicts if v.passed) / sum(v.weight for v in verdicts)


def named(pairs):
    return [pytest.param(*pair, id=pair[1].__name__) for pair in pairs]


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


@pytest.mark.parametrize("order", ORDERS)
def test_float32_stays_float32(case, order):
    X, parameters, d_output = case
    small = {name: a.astype(np.float32) for name, a in parameters.items()}
    output, trace = run(order, X.astype(np.float32), small, LENGTHS)
    d_X, gradients = back(order, X.astype(np.float32), small, d_output.astype(np.float32), LENGTHS)
    assert {a.dtype.name for a in (output, d_X, *trace.values(), *gradients.values())} == {"float32"}


@pytest.mark.parametrize("order", ORDERS)
def test_no_argument_is_changed(case, order):
    X, parameters, d_output = case
    kept = [a.copy() for a in (X, d_output, *parameters.values())]
    back(order, X, parameters, d_output)
    for now, then in zip((X, d_output, *parameters.values()), kept, strict=True):
        np.testing.assert_array_equal(now, then)


def test_a_sentence_without_words_finds_nothing(case):
    X, parameters, _ = case
    weights = run("pre", X, parameters, np.arange(T) < np.array([[[0]], [[4]]]))[1]["weights"]
    assert not weights[0].any() and np.allclose(weights[1].sum(axis=-1), 1)


# The hidden checks


@pytest.mark.parametrize("exercise", EXERCISES)
def test_the_reference_earns_everything(exercise):
    assert share(exercise) == 1


@pytest.mark.parametrize("exercise", EXERCISES)
def test_there_are_five_mistakes_and_four_variants(exercise):
    assert len(mistakes.MISTAKES[exercise]) >= 5 and len(VARIANTS[exercise]) >= 4


@pytest.mark.parametrize(("exercise", "mistake"), named(MISTAKES))
def test_a_mistake_keeps_at_most_half(exercise, mistake):
    assert share(exercise, **{exercise: mistake}) <= 0.5


@pytest.mark.parametrize(("exercise", "variant"), named(RIGHT))
def test_a_right_answer_written_otherwise_keeps_all(exercise, variant):
    assert share(exercise, **{exercise: variant}) == 1


def always_refuse(*args):
    raise ValueError("expected something else, got this")


TRIVIAL = {
    "zeros": lambda *args: (np.zeros_like(args[0]), {}),
    "its input": lambda *args: args[0],
    "its inputs": lambda *args: args[:2],
    "its input and the parameters": lambda *args: (args[0], next(a for a in reversed(args) if isinstance(a, dict))),
    "zeros for all": lambda *args: (np.zeros_like(args[0]), {k: np.zeros_like(v) for k, v in args[-2].items()}
                                    if isinstance(args[-2], dict) else {}),
    "nothing": lambda *args: None,
    "a refusal": always_refuse,
}


@pytest.mark.parametrize("exercise", EXERCISES)
@pytest.mark.parametrize("answer", TRIVIAL.values(), ids=TRIVIAL.keys())
def test_a_trivial_answer_earns_nothing(exercise, answer):
    assert share(exercise, **{exercise: answer}) == 0


@pytest.mark.parametrize("exercise", EXERCISES)
def test_a_way_back_does_not_ask_for_the_way_forward(exercise):
    others = {name: None for name in EXERCISES if name != exercise}
    assert share(exercise, **others) == 1


# The visible checks


@pytest.mark.parametrize("exercise", EXERCISES)
def test_the_visible_check_of_a_stub_raises_only_not_implemented(exercise):
    def stub(*args):
        raise NotImplementedError

    with pytest.raises(NotImplementedError):
        getattr(visible_checks, exercise)(stub)


@pytest.mark.parametrize(("exercise", "variant"), named([*RIGHT, *((e, getattr(reference, e)) for e in EXERCISES)]))
def test_the_visible_check_accepts_a_right_answer(exercise, variant):
    getattr(visible_checks, exercise)(variant)


@pytest.mark.parametrize(("exercise", "mistake"), named(MISTAKES))
def test_the_visible_check_explains_a_mistake(exercise, mistake):
    with pytest.raises(visible.CheckFailed) as failure:
        getattr(visible_checks, exercise)(mistake)
    law, hint = str(failure.value).split("\n", 1)
    assert law and len(hint.strip()) > 10


@pytest.mark.parametrize("answer", [None, 3, "text", [1, [2]], np.zeros(1), (np.zeros(2), np.zeros(3))], ids=repr)
@pytest.mark.parametrize("exercise", EXERCISES)
def test_the_visible_check_survives_any_answer(exercise, answer):
    with pytest.raises(visible.CheckFailed):
        getattr(visible_checks, exercise)(lambda *args: answer)
