"""The Transformer's trainer: its tasks, and that it names what one of the caller's functions got wrong."""

import numpy as np
import pytest

from coursekit.trainers.transformer import Parts, TransformerTrainer, dates, phrases
from solutions.lab10_train_a_transformer import reference

PARTS = Parts(*(getattr(reference, name) for name in Parts._fields))


def trainer(seed=0, task=None, **options):
    return TransformerTrainer(seed, PARTS, task or dates(seed), d_model=12, heads=3, d_ff=8, **options)


def test_training_days_are_never_tested():
    task = dates(3)
    learned, asked = task.drawn(np.random.default_rng(0), 3000)[1], task.unseen(np.random.default_rng(0), 500)[1]
    assert not set(learned) & set(asked)


def test_a_step_on_a_batch_is_the_one_that_training_takes_on_it():
    trained, stepped = trainer(), trainer()
    trained.train(1, batch_size=4)
    stepped.step(stepped.batch(*stepped.task.drawn(stepped.rng, 4)))
    np.testing.assert_array_equal(trained.vector, stepped.vector)
    assert trained.losses == stepped.losses


def test_phrases_have_one_list_of_tokens_and_end():
    one = trainer(task=phrases((5, 7)))
    texts, right = one.task.drawn(np.random.default_rng(0), 4)
    batch = one.batch(texts, right)
    assert one.task.tokens.decode(batch.target) == right and one.task.tokens.decode(batch.source) == texts
    assert all(len(text.split()) <= one.task.longest for text in one.translate(texts))


@pytest.mark.parametrize(("part", "answer", "message"), [
    ("shifted_targets", lambda *_: None, r"shifted_targets: expected a tuple \(told, wanted\), got NoneType"),
    ("shifted_targets", lambda target, *_: (target, target), r"told from shifted_targets: expected \(B, T\)"),
    ("attention_masks", lambda source, told: (source, told), r"attention_masks: expected a tuple .*got 2 results"),
    ("smoothed_cross_entropy", lambda logits, *_: (0.0, logits[0]), "d_logits from smoothed_cross_entropy: expected"),
])
def test_what_a_part_returns_is_held_to_its_contract(part, answer, message):
    one = TransformerTrainer(0, PARTS._replace(**{part: answer}), dates(0), d_model=12, heads=3, d_ff=8)
    with pytest.raises(ValueError, match=message):
        one.train(1, batch_size=3)
