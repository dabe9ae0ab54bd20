"""The translator, with an attention that is written here, as a student would bring one."""

import numpy as np
import pytest

import coursekit
from coursekit.models.dates import LENGTH, DateTranslator
from coursekit.tasks.dates import date_pairs, split_days

TEXTS = ["25 March 1984", "Wednesday, September 30th, 2009"]


def attend(state, memory, mask, W, U, v):
    scores = np.tanh((state @ W)[:, None, :] + memory @ U) @ v
    weights = np.where(mask, np.exp(scores), 0)
    weights /= weights.sum(axis=1, keepdims=True)
    return np.einsum("bs,bse->be", weights, memory), weights


@pytest.fixture
def arrays():
    return coursekit.load("date_translator")


@pytest.fixture
def translator(arrays):
    return DateTranslator(arrays)


def test_it_translates_at_least_99_percent_of_500_unseen_dates(translator, arrays):
    _, unseen = split_days(np.random.default_rng(int(arrays["about.seed"])))
    texts, isos = date_pairs(np.random.default_rng(7), unseen, 500)
    written, _ = translator.translate(texts, attend)
    assert np.mean(np.array(written) == np.array(isos)) >= 0.99


def test_with_the_same_look_at_every_character_it_is_lost(translator):
    def look_everywhere(state, memory, mask, *_):
        weights = mask / mask.sum(axis=1, keepdims=True)
        return np.einsum("bs,bse->be", weights, memory), weights

    written, _ = translator.translate(TEXTS, look_everywhere)
    assert not {"1984-03-25", "2009-09-30"} & set(written)


def test_a_copied_digit_is_written_while_looking_at_it(translator):
    (written,), weights = translator.translate(["25 March 1984"], attend)
    assert written == "1984-03-25"
    assert weights[0].argmax(axis=1)[[0, 1, 2, 3, 8, 9]].tolist() == [9, 10, 11, 12, 0, 1]


def test_a_text_alone_and_in_a_longer_batch_is_read_alike(translator):
    alone, weights_alone = translator.translate(TEXTS[:1], attend)
    together, weights = translator.translate(TEXTS, attend)
    assert alone == together[:1]
    np.testing.assert_allclose(weights[:1, :, : len(TEXTS[0])], weights_alone, atol=1e-5)


def test_memory_mask_and_weights_have_the_shapes_promised(translator):
    memory, mask = translator.read(TEXTS)
    strings, weights = translator.write(memory, mask, attend)
    assert memory.shape == (2, 31, len(translator.U)) and mask.shape == (2, 31)
    assert weights.shape == (2, LENGTH, 31) and [len(string) for string in strings] == [LENGTH, LENGTH]


def test_the_query_is_the_state_before_the_context_arrives(translator):
    memory, mask = translator.read(TEXTS)
    states = []

    def record(state, *rest):
        states.append(state)
        return attend(state, *rest)

    translator.write(memory, mask, record)
    context, _ = attend(states[0], memory, mask, translator.W, translator.U, translator.v)
    np.testing.assert_array_equal(states[0], translator.start(memory))
    np.testing.assert_array_equal(states[1], translator.step(states[0], np.zeros(2, int), context)[0])


@pytest.mark.parametrize(
    "answer, message",
    [
        (lambda c, w: None, r"attend: expected a tuple \(context, weights\), got NoneType"),
        (lambda c, w: (w, c), r"context from attend: expected \(B, E\) = \(2, 64\), got \(2, 31\)"),
        (lambda c, w: (c, w * np.nan), "weights from attend: contains nan or inf"),
    ],
)
def test_what_attend_returns_is_held_to_its_contract(translator, answer, message):
    with pytest.raises(ValueError, match=message):
        translator.translate(TEXTS, lambda *args: answer(*attend(*args)))


@pytest.mark.parametrize(
    "memory, mask, message",
    [
        ((2, 9, 63), (2, 9), r"memory: expected \(B, S, E\) = \(any, any, 64\), got \(2, 9, 63\)"),
        ((2, 9, 64), (9, 2), r"mask: expected \(B, S\) = \(2, 9\), got \(9, 2\)"),
    ],
)
def test_memory_or_mask_of_the_wrong_shape_is_named(translator, memory, mask, message):
    with pytest.raises(ValueError, match=message):
        translator.write(np.zeros(memory), np.ones(mask, bool), attend)
