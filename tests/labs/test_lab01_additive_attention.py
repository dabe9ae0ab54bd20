"""Lab 01: the reference against oracles and laws, the hidden checks against right and wrong answers."""

import numpy as np
import pytest

from coursekit import check as visible
from coursekit.check import lab01_additive_attention as visible_checks
from grading.student import LocalStudent
from solutions.lab01_additive_attention import checks, mistakes, reference
from tests import needs
from tests.labs.variants_lab01_additive_attention import VARIANTS

B, S, D, E, A = 3, 5, 4, 6, 7
EXERCISES = ["softmax", "alignment", "attention", "masked_softmax", "additive_attention"]
MISTAKES = [(name, mistake) for name in EXERCISES for mistake in mistakes.MISTAKES[name]]
RIGHT = [(name, variant) for name in EXERCISES for variant in VARIANTS[name]]


def share(exercise, **answers):
    """The share of an exercise's points that these answers earn, the reference standing in for the other functions.

    As in grading, what follows from a known mistake in an earlier one counts.
    """
    namespace = {name: getattr(reference, name) for name in EXERCISES} | answers
    earlier = EXERCISES[:EXERCISES.index(exercise)]
    found = {name: answers[name] for name in earlier if answers.get(name) in mistakes.MISTAKES[name]}
    rng = np.random.default_rng(len(exercise))
    verdicts = list(getattr(checks, exercise)(LocalStudent(namespace, found), rng))
    return sum(v.weight for v in verdicts if v.passed) / sum(v.weight for v in verdicts)


def named(pairs):
    return [pytest.param(*pair, id=pair[1].__name__) for pair in pairs]


@pytest.fixture
def batch():
    rng = np.random.default_rng(1)
    shapes = {"state": (B, D), "memory": (B, S, E), "W": (D, A), "U": (E, A), "v": (A,)}
    arrays = {name: rng.normal(size=shape) for name, shape in shapes.items()}
    return arrays | {"mask": np.arange(S) < np.array([[3], [5], [1]])}


# The reference


@needs.torch
@pytest.mark.parametrize("axis", [0, 1, -1])
def test_softmax_is_that_of_pytorch(axis):
    import torch

    x = np.random.default_rng(2).normal(size=(3, 4, 5)) * 50
    expected = torch.softmax(torch.from_numpy(x), dim=axis).numpy()
    np.testing.assert_allclose(reference.softmax(x, axis=axis), expected, rtol=1e-12)


@needs.torch
def test_masked_softmax_is_that_of_pytorch_where_something_is_seen(batch):
    import torch

    scores = np.random.default_rng(3).normal(size=(B, S))
    hidden = torch.from_numpy(scores).masked_fill(torch.from_numpy(~batch["mask"]), -np.inf)
    expected = torch.softmax(hidden, dim=-1).numpy()
    np.testing.assert_allclose(reference.masked_softmax(scores, batch["mask"]), expected, rtol=1e-12)


@needs.torch
def test_additive_attention_is_that_of_pytorch(batch):
    import torch

    state, memory, W, U, v, mask = (torch.from_numpy(a) for a in batch.values())
    linear = torch.nn.functional.linear
    scores = linear(torch.tanh(linear(state, W.T).unsqueeze(1) + linear(memory, U.T)), v.unsqueeze(0)).squeeze(-1)
    weights = torch.softmax(scores.masked_fill(~mask, -np.inf), dim=1)
    context = torch.bmm(weights.unsqueeze(1), memory).squeeze(1)
    for got, expected in zip(reference.additive_attention(**batch), (context, weights), strict=True):
        np.testing.assert_allclose(got, expected.numpy(), rtol=1e-10, atol=1e-12)


def test_the_worked_example_comes_out_digit_for_digit():
    args = visible_checks.worked_example()
    scores = reference.alignment(*args)
    np.testing.assert_allclose(scores[:, 0], visible_checks.WORKED_SCORES, atol=5e-9)
    np.testing.assert_allclose(reference.softmax(scores)[:, 0], visible_checks.WORKED_WEIGHTS, atol=5e-9)
    np.testing.assert_allclose(reference.attention(*args), visible_checks.WORKED_CONTEXT, atol=5e-9)


def test_one_sentence_and_a_batch_of_one_agree(batch):
    memory, state = batch["memory"][0], batch["state"][:1]
    layer_1, layer_2 = np.concatenate([batch["U"], batch["W"]]), batch["v"][:, None]
    alone = reference.attention(memory, state, layer_1, layer_2)
    open_mask = np.ones((1, S), bool)
    context, _ = reference.additive_attention(state, memory[None], open_mask, batch["W"], batch["U"], batch["v"])
    np.testing.assert_allclose(context[0], alone, rtol=1e-12)


def test_permuting_the_memory_permutes_the_weights(batch):
    context, weights = reference.additive_attention(**batch)
    order = np.random.default_rng(4).permutation(S)
    moved = batch | {"memory": batch["memory"][:, order], "mask": batch["mask"][:, order]}
    np.testing.assert_allclose(reference.additive_attention(**moved)[1], weights[:, order], rtol=1e-12)
    np.testing.assert_allclose(reference.additive_attention(**moved)[0], context, rtol=1e-12)


def test_zero_v_averages_the_visible_memory(batch):
    context, _ = reference.additive_attention(**batch | {"v": np.zeros(A)})
    expected = [m[row].mean(axis=0) for m, row in zip(batch["memory"], batch["mask"], strict=True)]
    np.testing.assert_allclose(context, expected, rtol=1e-12)


def test_what_padding_holds_has_no_influence(batch):
    context, weights = reference.additive_attention(**batch)
    filled = np.where(batch["mask"][..., None], batch["memory"], 1e6)
    again = reference.additive_attention(**batch | {"memory": filled})
    np.testing.assert_array_equal(again[0], context)
    np.testing.assert_array_equal(again[1], weights)


def test_a_sentence_with_nothing_to_look_at_gets_zeros(batch):
    batch["mask"][1] = False
    context, weights = reference.additive_attention(**batch)
    assert not context[1].any() and not weights[1].any()
    np.testing.assert_allclose(weights.sum(axis=1), [1, 0, 1])


def test_float32_stays_float32(batch):
    small = {name: a.astype(np.float32) if a.dtype == float else a for name, a in batch.items()}
    assert [a.dtype for a in reference.additive_attention(**small)] == [np.float32, np.float32]


@pytest.mark.parametrize("name", ["state", "memory", "mask", "W", "U", "v"])
def test_an_array_that_does_not_fit_is_named_with_its_shape(batch, name):
    batch[name] = np.zeros((9, 8, 2, 1))
    with pytest.raises(ValueError, match=rf"{name}: expected \(.*\), got \(9, 8, 2, 1\)"):
        reference.additive_attention(**batch)


def test_alignment_names_what_does_not_fit():
    encoder_states, decoder_state, layer_1, layer_2 = visible_checks.worked_example()
    with pytest.raises(ValueError, match=r"layer_1: expected \(E\+D, A\) = \(32, any\), got \(31, 10\)"):
        reference.alignment(encoder_states, decoder_state, layer_1[1:], layer_2)


def test_a_mask_of_numbers_is_refused():
    with pytest.raises(ValueError, match="mask: expected bool"):
        reference.masked_softmax(np.zeros((2, 3)), np.ones((2, 3)))


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


TRIVIAL = {
    "zeros": lambda *args, **_: np.zeros_like(args[0]),
    "two zeros": lambda *args, **_: (np.zeros((3, 6)), np.zeros((3, 5))),
    "its input": lambda *args, **_: args[0],
    "nothing": lambda *args, **_: None,
    "the printed weights": lambda *args, **_: np.reshape(visible_checks.WORKED_WEIGHTS, (5, 1)),
    "the printed context": lambda *args, **_: np.array(visible_checks.WORKED_CONTEXT),
    "uniform weights": lambda *args, **_: np.full(args[0].shape, 1 / args[0].shape[-1]),
}


@pytest.mark.parametrize("exercise", EXERCISES)
@pytest.mark.parametrize("answer", TRIVIAL.values(), ids=TRIVIAL.keys())
def test_a_trivial_answer_earns_nothing_even_if_all_functions_are_trivial(exercise, answer):
    assert share(exercise, **{exercise: answer}) == 0
    assert share(exercise, **dict.fromkeys(EXERCISES, answer)) == 0


def test_always_looking_at_the_first_word_earns_nothing_though_each_function_follows_from_the_one_before():
    def first_word(x, *_, axis=-1):
        weights = np.zeros(x.shape)
        np.moveaxis(weights, axis, 0)[0] = 1
        return weights

    answers = {
        "softmax": lambda x, axis=0: first_word(x, axis=axis),
        "attention": lambda encoder_states, *_: encoder_states[0],
        "masked_softmax": lambda scores, mask: np.where(mask, first_word(scores), 0.0),
        "additive_attention": lambda state, memory, mask, *_: (memory[:, 0] * mask[:, :1], first_word(mask) * mask),
    }
    assert [share(exercise, **answers) for exercise in answers] == [0, 0, 0, 0]


def test_a_function_right_on_the_visible_example_alone_earns_nothing():
    printed = {"alignment": visible_checks.WORKED_SCORES, "attention": visible_checks.WORKED_CONTEXT}
    for exercise, numbers in printed.items():
        shape = (5, 1) if exercise == "alignment" else (16,)
        assert share(exercise, **{exercise: lambda *_, n=numbers, s=shape: np.reshape(n, s)}) == 0


BLIND = mistakes.softmax_always_over_the_last_axis  # of a column of scores: every weight is 1


@pytest.mark.parametrize("wrong", [m for m in mistakes.MISTAKES["softmax"] if m is not BLIND], ids=lambda f: f.__name__)
def test_a_wrong_softmax_does_not_cost_attention_its_points(wrong):
    def attention(encoder_states, decoder_state, layer_1, layer_2):
        scores = reference.alignment(encoder_states, decoder_state, layer_1, layer_2)
        return (wrong(scores, axis=0) * encoder_states).sum(axis=0)

    assert share("attention", softmax=wrong, attention=attention) == 1


def test_weights_that_are_the_same_whatever_the_scores_carry_nothing_forward():
    assert share("attention", softmax=BLIND, attention=lambda encoder_states, *_: encoder_states.sum(axis=0)) == 0


def test_a_function_that_is_wrong_only_when_a_later_check_asks_it_carries_nothing_forward():
    answers = {"softmax": lambda x, axis=0: np.zeros_like(x), "attention": lambda h, *_: np.zeros(h.shape[1])}
    assert share("attention", **answers) == 0


@pytest.mark.parametrize("wrong", mistakes.MISTAKES["softmax"], ids=lambda f: f.__name__)
def test_a_wrong_softmax_costs_the_masked_one_at_most_the_case_in_which_all_is_nan(wrong):
    def masked_softmax(scores, mask):
        weights = wrong(np.where(mask, scores, -np.inf), axis=-1)
        return np.where(mask & mask.any(axis=-1, keepdims=True), weights, 0.0)

    assert share("masked_softmax", softmax=wrong, masked_softmax=masked_softmax) >= 0.75


@pytest.mark.parametrize("wrong", mistakes.MISTAKES["alignment"], ids=lambda f: f.__name__)
def test_a_wrong_alignment_does_not_cost_attention_its_points(wrong):
    def attention(*args):
        return reference.softmax(np.ravel(wrong(*args))) @ args[0]

    assert share("attention", alignment=wrong, attention=attention) == 1


@pytest.mark.parametrize("wrong", mistakes.MISTAKES["masked_softmax"], ids=lambda f: f.__name__)
def test_a_wrong_masked_softmax_does_not_cost_additive_attention_its_points(wrong):
    def additive_attention(state, memory, mask, W, U, v):
        weights = wrong(np.tanh((state @ W)[:, None] + memory @ U) @ v, mask)
        return np.einsum("bs,bse->be", weights, memory), weights

    assert share("additive_attention", masked_softmax=wrong, additive_attention=additive_attention) == 1


# The visible checks


def see(exercise, function):
    more = [reference.alignment, reference.softmax] if exercise == "attention" else []
    getattr(visible_checks, exercise)(function, *more)


@pytest.mark.parametrize("exercise", EXERCISES)
def test_the_visible_check_of_a_stub_raises_only_not_implemented(exercise):
    def stub(*args, **options):
        raise NotImplementedError

    with pytest.raises(NotImplementedError):
        see(exercise, stub)


@pytest.mark.parametrize(("exercise", "variant"), named(RIGHT))
def test_the_visible_check_accepts_a_right_answer(exercise, variant):
    see(exercise, variant)


@pytest.mark.parametrize(("exercise", "mistake"), named(MISTAKES))
def test_the_visible_check_explains_a_mistake(exercise, mistake):
    with pytest.raises(visible.CheckFailed) as failure:
        see(exercise, mistake)
    law, hint = str(failure.value).split("\n", 1)
    assert law and len(hint.strip()) > 10


@pytest.mark.parametrize("answer", [None, 3, "text", [1, [2]], np.zeros(1), (np.zeros(2), np.zeros(3))], ids=repr)
@pytest.mark.parametrize("exercise", EXERCISES)
def test_the_visible_check_survives_any_answer(exercise, answer):
    with pytest.raises(visible.CheckFailed):
        see(exercise, lambda *args, **options: answer)
