"""Keyed digits: the key asked for stands where it should, once, with its answer beside it."""

import numpy as np
import pytest

from coursekit.tasks import keyed_digits as task
from coursekit.tasks.keyed_digits import keyed_digits


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_the_key_asked_for_stands_at_its_place_and_the_answer_beside_it(rng):
    batch, rows = keyed_digits(rng, 200), np.arange(200)
    there = batch.memory[rows, batch.place]
    np.testing.assert_array_equal(there[:, : task.D], batch.state)
    np.testing.assert_array_equal(there[:, task.D :], batch.answer)
    assert batch.mask[rows, batch.place].all()


def test_no_key_stands_twice_and_padding_is_empty(rng):
    batch = keyed_digits(rng, 200)
    assert batch.memory[:, :, : task.D].sum(axis=1).max() == 1
    np.testing.assert_array_equal(batch.memory.sum(axis=-1), 2 * batch.mask)
    lengths = batch.mask.sum(axis=1)
    assert (lengths.min(), lengths.max()) == (12, 24) and batch.mask[:, :12].all()


def test_a_sequence_is_spelt_as_it_stands(rng):
    batch = keyed_digits(rng, 3)
    items, key = task.spell(batch, 1)
    assert len(items) == batch.mask[1].sum() and items[batch.place[1]].startswith(key)
    assert items[batch.place[1]][1] == task.DIGITS[batch.answer[1].argmax()]


def test_questions_ask_for_every_key_of_one_sequence(rng):
    batch = keyed_digits(rng, 2)
    asked = task.questions(batch, 1)
    items, _ = task.spell(batch, 1)
    assert [task.spell(asked, row) for row in range(len(items))] == [(items, item[0]) for item in items]
    np.testing.assert_array_equal(asked.memory[asked.place, asked.place][:, task.D :], asked.answer)


@pytest.mark.parametrize("lengths", [(0, 5), (6, 5), (5, 25)])
def test_lengths_that_cannot_be_are_refused(rng, lengths):
    with pytest.raises(ValueError, match=r"lengths: expected 1 <= shortest <= longest <= 24, got"):
        keyed_digits(rng, 2, *lengths)
