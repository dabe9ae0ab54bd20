"""The models of chapter 18 that learn to recall: their gradient, their task, and what was measured of them."""

import numpy as np
import pytest

import coursekit
from solutions.artifacts import gates, trained_recall
from solutions.artifacts.trained_recall import KEYS, PAIRS, SETTINGS, Reciter, texts
from tests.solutions.slopes import assert_slopes

RECALL = coursekit.load("trained_recall")
GATES = [gate for gate in gates.GATES if gate.unit == "% recalled"]


def test_a_text_has_each_key_once_and_its_value_behind_it():
    text, asked, values = texts(np.random.default_rng(1), 3, 5)
    for row, keys, right in zip(text, asked, values, strict=True):
        under = dict(zip(row[::2], row[1::2] - KEYS, strict=True))
        assert len(under) == 5 and [under[key] for key in keys] == right.tolist()


@pytest.mark.parametrize("name", ["softmax.8", "sum.16"])
def test_the_gradient_is_the_slope_of_the_loss(name):
    model = Reciter(*SETTINGS[name], seed=0)
    text, asked, _ = texts(np.random.default_rng(2), 2, 3)
    weights = np.random.default_rng(3).normal(size=(2, 3, 64))
    model.layer.p = model.parameters = {key: each.astype(float) for key, each in model.parameters.items()}

    def loss(parameters):
        model.layer.p = model.parameters = parameters
        return (model.logits(text, asked) * weights).sum()

    loss(model.parameters)
    model.backward(weights)
    assert_slopes(model.g, loss, dict(model.parameters), rtol=1e-4, atol=1e-5)


def test_a_sum_is_read_from_one_matrix_whatever_is_asked():
    model = Reciter(*SETTINGS["sum.16"], seed=0)
    text, asked, _ = texts(np.random.default_rng(4), 2, 7)
    model.logits(text, asked)
    np.testing.assert_allclose(model.layer.seen, model.layer.q @ model.layer.k.swapaxes(1, 2) @ model.layer.v,
                               rtol=1e-3, atol=1e-3)
    assert model.layer.state.shape == (2, 16, 16)


@pytest.mark.parametrize(("gate", "name"), list(zip(GATES, SETTINGS, strict=True)), ids=SETTINGS)
def test_every_seed_recalls_what_is_promised_and_no_more(gate, name):
    assert RECALL[name].shape == (len(trained_recall.SEEDS), len(PAIRS)) and gate.seeds == trained_recall.SEEDS
    assert gate.holds(100 * RECALL[name][:, PAIRS.index(64)], gate.bound).all()
