"""The references of lab 17, against laws and heads that others made; and what the lab gives besides."""

import re

import numpy as np
import pytest

from coursekit import load
from coursekit.check import CheckFailed
from coursekit.check import lab17_inside_heads as visible
from coursekit.models.attention_only import AttentionOnly
from coursekit.tasks import repeats
from grading.lab import Lab
from grading.solved import solved
from solutions.lab06_multi_head import reference as lab06
from solutions.lab17_inside_heads import mistakes, reference
from tests.labs.judging import ROOT


@pytest.fixture
def rng():
    return np.random.default_rng(17)


def weights_of(rng, *shape):
    powers = np.exp(rng.normal(size=shape))
    return powers / powers.sum(axis=-1, keepdims=True)


# Other weights


@pytest.mark.parametrize(("n", "e"), [(2, 1), (12, 8), (40, 8), (128, 32)])
def test_other_weights_are_weights_with_the_same_output_and_a_new_zero(rng, n, e):
    weights, V = weights_of(rng, n), rng.normal(size=(n, e)) if n > 2 else np.ones((2, 1))
    other = reference.other_weights(weights, V)
    assert other.min() == 0 < weights.min() and other.sum() == pytest.approx(1, abs=1e-12)
    np.testing.assert_allclose(other @ V, weights @ V, rtol=0, atol=1e-10)


def test_a_position_that_a_mask_hides_stays_hidden(rng):
    weights, V = weights_of(rng, 12) * (np.arange(12) % 3 > 0), rng.normal(size=(12, 4))
    assert not reference.other_weights(weights / weights.sum(), V)[::3].any()


@pytest.mark.parametrize("n", [1, 2, 5])
def test_as_many_positions_as_the_rank_have_no_other_weights(rng, n):
    with pytest.raises(ValueError, match=f"more of them above 0 than {n}, the rank of"):
        reference.other_weights(np.full(n, 1 / n), rng.normal(size=(n, 4)))


@pytest.mark.parametrize("weights", [[0.5, -0.1, 0.6], [0.5, 0.2, 0.2], [np.nan, 0.5, 0.5]])
def test_what_no_softmax_makes_is_refused(weights):
    with pytest.raises(ValueError, match="expected none below 0 and a sum of 1"):
        reference.other_weights(np.array(weights), np.ones((3, 1)))


# Scores


def test_lab_06s_previous_token_head_scores_one(rng):
    X = np.concatenate([np.eye(5)[rng.integers(5, size=(2, 7))], np.tile(np.eye(7), (2, 1, 1))], axis=-1)
    _, weights = lab06.multi_head_attention(X, X, lab06.previous_token_head(5, 7), heads=1, mask=np.tri(7, dtype=bool))
    np.testing.assert_allclose(reference.previous_token_score(weights), 1, atol=1e-10)


def test_lab_06s_matching_head_is_no_induction_head(rng):
    words = np.tile(np.arange(4), 3)
    X = np.concatenate([np.eye(4)[words], np.eye(12)], axis=-1)[None]
    _, weights = lab06.multi_head_attention(X, X, lab06.matching_token_head(4, 12), heads=1)
    assert reference.induction_score(weights, 4) < 1e-10
    assert np.diagonal(weights[0, 0], -4).mean() > 0.3


@pytest.mark.parametrize("period", [1, 2, 5, 8])
def test_a_head_that_looks_behind_the_last_time_scores_one(period):
    assert reference.induction_score(np.eye(9, k=1 - period), period) == 1


def test_at_a_period_of_two_nobody_can_tell_the_two_scores_apart(rng):
    weights = np.tril(weights_of(rng, 8, 8), -1)
    ours = reference.induction_score(weights[..., 1:, :-1], 1), np.diagonal(weights, -1)[1:].mean()
    assert ours[0] == pytest.approx(ours[1])


# Rollout, ablation, attribution


def test_the_rows_of_a_rollout_sum_to_one_and_see_nothing_ahead(rng):
    masked = [np.tril(weights_of(rng, 2, 6, 6)) for _ in range(3)]
    rolled = reference.rollout([each / each.sum(axis=-1, keepdims=True) for each in masked])
    np.testing.assert_allclose(rolled.sum(axis=-1), 1)
    assert not np.triu(rolled, 1).any()


def test_a_rollout_is_numpys_chain_of_products(rng):
    layers = list(weights_of(rng, 4, 5, 5))
    theirs = np.linalg.multi_dot([(each + np.eye(5)) / 2 for each in reversed(layers)])
    np.testing.assert_allclose(reference.rollout(layers), theirs, rtol=1e-12)


@pytest.mark.parametrize("kind", ["zero", "mean"])
def test_silencing_a_head_that_writes_the_same_to_all_changes_nothing_but_by_zero(rng, kind):
    outputs = rng.normal(size=(3, 4, 5, 2))
    outputs[:, 2] = outputs[:1, 2]
    same = np.allclose(reference.ablate(outputs, 2, kind), outputs)
    assert same == (kind == "mean")


def test_a_head_that_writes_nothing_is_not_missed(rng):
    outputs = rng.normal(size=(3, 4, 5, 2))
    outputs[:, 1] = 0
    np.testing.assert_array_equal(reference.ablate(outputs, 1, "zero"), outputs)


@pytest.mark.parametrize("kind", ["zero", "mean"])
def test_silencing_twice_is_silencing_once(rng, kind):
    once = reference.ablate(rng.normal(size=(3, 4, 5, 2)), 3, kind)
    np.testing.assert_allclose(reference.ablate(once, 3, kind), once, rtol=1e-12)


def test_what_the_parts_add_sums_to_the_logit(rng):
    parts, U = rng.normal(size=(6, 2, 3, 5)), rng.normal(size=(5, 7))
    np.testing.assert_allclose(reference.logit_attribution(parts, U[:, 4]).sum(axis=0), (parts.sum(axis=0) @ U)[..., 4])


# What the visible checks blame


BLAMED = {
    "they sum to": ("other_weights", lambda weights, V: weights * 2),
    "was cut off at 0": ("other_weights", lambda weights, V: np.maximum(
        weights + 9 * (reference.other_weights(weights, V) - weights), 0)),
    "a small weight was left out": ("other_weights", mistakes.other_weights_without_the_faint),
    "t is above 0, the smallest w_j": ("other_weights", lambda weights, V: np.array([0.375, 0, 0.125])),
    "u keeps the output and does not sum to 0": ("other_weights", lambda weights, V: np.array([0, 0.25, 0.25])),
    "is u the last row of np.linalg.svd(A)[2]": ("other_weights", lambda weights, V: np.array([0.25, 0, 0.25])),
    "len(W) counts the texts": ("rollout", lambda layers: reference.rollout([W + 0 * np.eye(len(W)) for W in layers])),
    "a third round counts too, also one that the text breaks off": (
        "induction_score", mistakes.induction_score_of_complete_rounds),
    "here (2, 3)": ("other_weights", lambda weights, V: weights + np.linalg.svd(np.column_stack([V, V + 1]))[2][-1]),
    "do not count: there i - period + 1": ("induction_score", lambda w, period: np.mean(
        [w[..., i, i - period + 1] for i in range(w.shape[-1])], axis=0)),
    "the last column": ("previous_token_score", lambda w: np.mean([w[i, i - 1] for i in range(len(w))])),
    "where the same token stood": ("induction_score", lambda w, period: np.diagonal(w, -period).mean()),
    "np.eye(T, dtype=weights.dtype)": ("rollout", lambda layers: reference.rollout([np.float64(W) for W in layers])),
    "each position has its own": ("ablate", lambda outputs, head, kind: np.where(
        (np.arange(outputs.shape[1]) == head)[:, None, None], outputs.mean(axis=(0, 2), keepdims=True) if kind == "mean"
        else 0, outputs)),
}


@pytest.mark.parametrize("said", BLAMED)
def test_the_visible_check_blames_what_is_at_fault(said):
    exercise, wrong = BLAMED[said]
    with pytest.raises(CheckFailed, match=re.escape(said)):
        getattr(visible, exercise)(wrong)


# What the lab gives


@pytest.fixture(scope="module")
def notebook():
    """What the cells that load and run the model define, with the references for answers."""
    cells = {cell.id: cell.source for cell in solved(Lab.read(ROOT / "labs", "lab17_inside_heads")).cells}
    namespace = dict(vars(reference))
    for name in ["setup", "given-run", "model-run", "scores-run"]:
        exec(cells[name], namespace)
    return namespace


def test_the_labs_model_is_the_courses(notebook):
    ids, _ = repeats.texts(np.random.default_rng(3), 4)
    model = AttentionOnly(load("induction"))
    logits, looks, parts = notebook["run"](ids)
    np.testing.assert_allclose(logits, model.forward(ids), rtol=0, atol=2e-4)
    np.testing.assert_allclose(looks, model.weights(), rtol=0, atol=1e-5)
    np.testing.assert_allclose(reference.logit_attribution(list(parts.values()), model.p["U"][:, 9]).sum(axis=0),
                               logits[..., 9], rtol=0, atol=2e-4)


def test_a_head_silenced_by_zeros_is_one_whose_rows_of_w_o_are_zero(notebook):
    ids, _ = repeats.texts(np.random.default_rng(4), 3)
    speaks = np.ones((2, 4), bool)
    speaks[0, 1] = speaks[1, 3] = False
    silent = AttentionOnly(load("induction")).silenced(speaks)
    np.testing.assert_allclose(notebook["run"](ids, [(0, 1), (1, 3)])[0], silent.forward(ids), rtol=0, atol=2e-4)
