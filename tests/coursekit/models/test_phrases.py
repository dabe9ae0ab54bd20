"""The phrase translator: one vector or attention, the same model otherwise."""

import numpy as np
import pytest

from coursekit.models.phrases import PhraseTranslator, one_vector, parameter_shapes
from coursekit.tasks.phrases import FRENCH, STOP, phrase_pairs

X, H, D, A = 3, 4, 5, 6
TEXTS = ["the pear had been found .", "the small black cat behind one green door had been sold ."]


@pytest.fixture
def arrays():
    rng = np.random.default_rng(0)
    return {name: rng.standard_normal(shape) for name, shape in parameter_shapes(X, H, D, A).items()}


@pytest.fixture
def translator(arrays):
    return PhraseTranslator(arrays)


def test_the_one_vector_is_the_last_state_of_either_reading(translator):
    memory, mask = translator.read(TEXTS)
    context, weights = one_vector(np.zeros((2, D)), memory, mask)
    np.testing.assert_array_equal(context[1], np.concatenate([memory[1, 11, :H], memory[1, 0, H:]]))
    np.testing.assert_array_equal(context[0, :H], memory[0, 5, :H])  # padding after the sixth left the state as it was
    assert not weights.any()


def test_the_one_vector_is_all_that_the_decoder_sees(translator):
    memory, mask = translator.read(TEXTS)
    others = memory.copy()
    others[:, 1:-1] = 7.0
    others[:, 0, :H], others[:, -1, H:] = 7.0, 7.0
    texts, _ = translator.write(memory, mask)
    assert texts == translator.write(others, mask)[0]


def test_writing_ends_when_every_text_has_its_stop_or_at_the_limit(arrays):
    arrays["readout.b"] = 1e6 * (np.arange(len(FRENCH)) == FRENCH.id(STOP))
    assert PhraseTranslator(arrays).translate(TEXTS)[0] == [STOP, STOP]
    arrays["readout.b"] = 1e6 * (np.arange(len(FRENCH)) == FRENCH.id("chat"))
    assert PhraseTranslator(arrays).translate(TEXTS, limit=3)[0] == ["chat chat chat"] * 2


def test_a_text_alone_and_in_a_longer_batch_is_translated_alike(translator):
    alone, together = translator.translate(TEXTS[:1], limit=9)[0], translator.translate(TEXTS, limit=9)[0]
    assert alone == together[:1]


def test_attention_is_asked_once_for_each_word_with_the_state_before_it(translator):
    memory, mask = translator.read(TEXTS)
    asked = []

    def attend(state, memory, mask, W, U, v):
        asked.append(state)
        return memory.mean(axis=1), np.full(mask.shape, 0.5)

    _, weights = translator.write(memory, mask, attend, limit=4)
    np.testing.assert_array_equal(asked[0], translator.start(memory))
    assert weights.shape == (2, len(asked), 12) and len(asked) <= 4


def test_without_attention_it_has_no_parameters_for_it(arrays):
    for name in ("W", "U", "v"):
        del arrays[f"attention.{name}"]
    translator = PhraseTranslator(arrays)
    assert (translator.W, translator.U, translator.v) == (None, None, None)
    assert arrays.keys() == parameter_shapes(X, H, D).keys()
    assert len(translator.translate(phrase_pairs(np.random.default_rng(0), 3)[0], limit=2)[0]) == 3


def test_a_context_of_the_wrong_shape_is_named(translator):
    with pytest.raises(ValueError, match=r"context from attend: expected \(B, E\) = \(2, 8\), got \(8, 2\)"):
        translator.translate(TEXTS, lambda state, memory, mask, *_: (memory[:, 0].T, mask))
