"""Lab 03: the reference against oracles and laws, the hidden checks against right and wrong answers."""

import numpy as np
import pytest

from coursekit import check as visible
from coursekit.check import lab03_luong_attention as visible_checks
from grading.student import LocalStudent
from solutions.lab01_additive_attention import reference as lab01
from solutions.lab03_luong_attention import checks, mistakes, reference
from tests import needs
from tests.labs.variants_lab03_luong_attention import VARIANTS

B, S, D, E, A = 3, 5, 4, 6, 7
EXERCISES = ["dot_score", "general_score", "concat_score", "attentional_state", "predicted_centre", "local_weights"]
MISTAKES = [(name, mistake) for name in EXERCISES for mistake in mistakes.MISTAKES[name]]
RIGHT = [(name, variant) for name in EXERCISES for variant in VARIANTS[name]]


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
def arrays():
    rng = np.random.default_rng(1)
    shapes = {"state": (B, D), "memory": (B, S, E), "scores": (B, S), "W": (D, E), "stacked": (D + E, A), "v": (A,)}
    shapes |= {"W_c": (E + D, D), "W_p": (D, A)}
    given = {name: rng.normal(size=shape) for name, shape in shapes.items()}
    return given | {"mask": np.arange(S) < np.array([[3], [5], [1]]), "narrow": rng.normal(size=(B, S, D))}


def of(arrays, *names):
    return [arrays[name] for name in names]


# The reference


def torch_of(arrays, *names):
    import torch

    return [torch.from_numpy(arrays[name]) for name in names]


@needs.torch
def test_dot_score_is_that_of_pytorch(arrays):
    import torch

    state, memory = torch_of(arrays, "state", "narrow")
    expected = torch.bmm(memory, state.unsqueeze(-1)).squeeze(-1).numpy()
    np.testing.assert_allclose(reference.dot_score(*of(arrays, "state", "narrow")), expected, rtol=1e-12)


@needs.torch
def test_general_score_is_pytorchs_bilinear_form(arrays):
    import torch

    state, memory, W = torch_of(arrays, "state", "memory", "W")
    wide = state[:, None].expand(B, S, D).contiguous()
    expected = torch.nn.functional.bilinear(wide, memory, W[None])[..., 0].numpy()
    np.testing.assert_allclose(reference.general_score(*of(arrays, "state", "memory", "W")), expected, rtol=1e-12)


@needs.torch
def test_concat_score_is_that_of_pytorch(arrays):
    import torch

    state, memory, W, v = torch_of(arrays, "state", "memory", "stacked", "v")
    pairs = torch.cat([state[:, None].expand(B, S, D), memory], dim=-1)
    expected = torch.nn.functional.linear(torch.tanh(torch.nn.functional.linear(pairs, W.T)), v[None])[..., 0].numpy()
    got = reference.concat_score(*of(arrays, "state", "memory", "stacked", "v"))
    np.testing.assert_allclose(got, expected, rtol=1e-10, atol=1e-12)


@needs.torch
def test_attentional_state_is_that_of_pytorch(arrays):
    import torch

    weights, state, memory, W_c = torch_of(arrays, "scores", "state", "memory", "W_c")
    context = torch.bmm(weights.unsqueeze(1), memory).squeeze(1)
    expected = torch.tanh(torch.nn.functional.linear(torch.cat([context, state], 1), W_c.T)).numpy()
    got = reference.attentional_state(*of(arrays, "scores", "state", "memory", "W_c"))
    np.testing.assert_allclose(got, expected, rtol=1e-10, atol=1e-12)


@needs.torch
def test_predicted_centre_is_that_of_pytorch(arrays):
    import torch

    state, W_p, v_p = torch_of(arrays, "state", "W_p", "v")
    share_of = torch.sigmoid(torch.tanh(state @ W_p) @ v_p).numpy()
    got = reference.predicted_centre(*of(arrays, "state", "mask", "W_p", "v"))
    np.testing.assert_allclose(got, [3, 5, 1] * share_of, rtol=1e-12)


@needs.torch
def test_local_weights_are_pytorchs_softmax_in_the_window_times_a_normal_density(arrays):
    import torch

    scores, mask = torch_of(arrays, "scores", "mask")
    centre, reach = torch.tensor([1.25, 3.0, 0.5], dtype=torch.float64)[:, None], 2
    inside = mask & ((torch.arange(S) - centre).abs() <= reach)
    normal = torch.distributions.Normal(centre, reach / 2)
    bell = torch.exp(normal.log_prob(torch.arange(S)) - normal.log_prob(centre))
    expected = (torch.softmax(scores.masked_fill(~inside, -torch.inf), dim=1) * bell).numpy()
    got = reference.local_weights(arrays["scores"], arrays["mask"], centre.numpy()[:, 0], reach)
    np.testing.assert_allclose(got, expected, rtol=1e-10, atol=1e-15)


def test_general_with_the_identity_is_dot(arrays):
    state, memory = of(arrays, "state", "narrow")
    expected = reference.dot_score(state, memory)
    np.testing.assert_allclose(reference.general_score(state, memory, np.eye(D)), expected, rtol=1e-12)


def test_concat_is_the_additive_score_with_its_matrices_stacked(arrays):
    state, memory, W, v, mask = of(arrays, "state", "memory", "stacked", "v", "mask")
    weights = lab01.masked_softmax(reference.concat_score(state, memory, W, v), mask)
    np.testing.assert_allclose(lab01.additive_attention(state, memory, mask, W[:D], W[D:], v)[1], weights, rtol=1e-12)


def test_the_weights_of_a_window_sum_to_less_than_one_and_are_zero_outside(arrays):
    weights = reference.local_weights(arrays["scores"], np.ones((B, S), bool), np.array([1.5, 2.0, 3.25]), 1)
    assert (weights.sum(axis=1) < 1).all() and (weights.sum(axis=1) > 0.1).all()
    np.testing.assert_array_equal(weights > 0, [[0, 1, 1, 0, 0], [0, 1, 1, 1, 0], [0, 0, 0, 1, 1]])


def test_a_very_wide_window_is_global_attention(arrays):
    scores, mask = of(arrays, "scores", "mask")
    weights = reference.local_weights(scores, mask, np.full(B, 2.0), 1e6)
    np.testing.assert_allclose(weights, lab01.masked_softmax(scores, mask), rtol=1e-9)


def test_the_predicted_centre_lies_within_the_words_of_the_sentence(arrays):
    state = 100 * np.random.default_rng(0).normal(size=(B, D))
    centre = reference.predicted_centre(state, *of(arrays, "mask", "W_p", "v"))
    assert (centre >= 0).all() and (centre <= [3, 5, 1]).all()


def test_a_sentence_without_words_gets_zeros_and_keeps_the_states_part(arrays):
    arrays["mask"][1] = False
    centre = reference.predicted_centre(*of(arrays, "state", "mask", "W_p", "v"))
    weights = reference.local_weights(arrays["scores"], arrays["mask"], centre, 2)
    told = reference.attentional_state(weights, *of(arrays, "state", "memory", "W_c"))
    assert centre[1] == 0 and not weights[1].any()
    np.testing.assert_allclose(told[1], np.tanh(arrays["state"][1] @ arrays["W_c"][E:]), rtol=1e-12)


def test_float32_stays_float32(arrays):
    small = {name: a.astype(np.float32) if a.dtype == float else a for name, a in arrays.items()}
    centre = reference.predicted_centre(*of(small, "state", "mask", "W_p", "v"))
    told = reference.attentional_state(*of(small, "scores", "state", "memory", "W_c"))
    local = reference.local_weights(small["scores"], small["mask"], centre, 2)
    scores = [reference.dot_score(*of(small, "state", "narrow")),
              reference.general_score(*of(small, "state", "memory", "W")),
              reference.concat_score(*of(small, "state", "memory", "stacked", "v"))]
    assert {a.dtype.name for a in (centre, told, local, *scores)} == {"float32"}


def test_unequal_widths_have_no_dot_product():
    with pytest.raises(ValueError, match="expected states of one width, got D = 1, E = 6"):
        reference.dot_score(np.zeros((2, 1)), np.zeros((2, 3, 6)))


@pytest.mark.parametrize(("function", "names"), [
    ("general_score", ("state", "memory", "W")),
    ("concat_score", ("state", "memory", "stacked", "v")),
    ("attentional_state", ("scores", "state", "memory", "W_c")),
    ("predicted_centre", ("state", "mask", "W_p", "v")),
])
def test_an_array_that_does_not_fit_is_named_with_its_shape(arrays, function, names):
    for i in range(len(names)):
        given = of(arrays, *names)
        given[i] = np.zeros((9, 8, 2, 1))
        with pytest.raises(ValueError, match=r"expected \(.*\), got \(9, 8, 2, 1\)"):
            getattr(reference, function)(*given)


def test_a_window_that_reaches_nowhere_is_refused(arrays):
    with pytest.raises(ValueError, match="reach: expected a number above 0, got 0"):
        reference.local_weights(arrays["scores"], arrays["mask"], np.zeros(B), 0)


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
    "zeros": lambda *args: np.zeros_like(args[0]),
    "zeros for each word": lambda *args: np.zeros(args[1].shape[:2]),
    "its input": lambda *args: args[0],
    "the second input": lambda *args: args[1],
    "nothing": lambda *args: None,
    "a refusal": always_refuse,
    "uniform weights": lambda *args: np.full(args[0].shape, 1 / args[0].shape[-1]),
    "the middle of the sentence": lambda state, mask, *_: mask.sum(axis=1) / 2,
    "the mask": lambda scores, mask, *_: mask.astype(float),
}


@pytest.mark.parametrize("exercise", EXERCISES)
@pytest.mark.parametrize("answer", TRIVIAL.values(), ids=TRIVIAL.keys())
def test_a_trivial_answer_earns_nothing(exercise, answer):
    assert share(exercise, **{exercise: answer}) == 0


@pytest.mark.parametrize("wrong", mistakes.MISTAKES["dot_score"], ids=lambda f: f.__name__)
def test_a_wrong_dot_score_does_not_cost_a_general_score_that_builds_on_it(wrong):
    def general_score(state, memory, W):
        return wrong(state @ W, memory)

    assert share("general_score", dot_score=wrong, general_score=general_score) == 1


@pytest.mark.parametrize("answer", TRIVIAL.values(), ids=TRIVIAL.keys())
def test_a_trivial_dot_score_carries_nothing_forward(answer):
    builds_on_it = {"dot_score": answer, "general_score": lambda state, memory, W: answer(state @ W, memory)}
    assert share("general_score", **builds_on_it) == 0


@pytest.mark.parametrize("exercise", EXERCISES[2:])
def test_what_comes_after_the_first_two_scores_does_not_ask_for_them(exercise):
    assert share(exercise, dot_score=None, general_score=None) == 1


# The visible checks


@pytest.mark.parametrize("exercise", EXERCISES)
def test_the_visible_check_of_a_stub_raises_only_not_implemented(exercise):
    def stub(*args):
        raise NotImplementedError

    with pytest.raises(NotImplementedError):
        getattr(visible_checks, exercise)(stub)


@pytest.mark.parametrize(("exercise", "variant"), named(RIGHT))
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
