"""The GPT's trainer: its rate, its measures, and that it names what the caller's loss got wrong."""

import numpy as np
import pytest

from coursekit.tasks import grammar
from coursekit.tasks.tokens import PAD
from coursekit.trainers.gpt import GPTTrainer
from solutions.lab13_language_model.reference import next_token_loss


def trainer(loss=next_token_loss, **options):
    return GPTTrainer(0, loss, d_model=12, heads=3, d_ff=8, **options)


def test_a_step_lowers_the_loss_of_its_batch():
    one, ids = trainer(), grammar.encode(["the dog runs.", "a shy boy likes the kings."])
    before = one.loss(ids)
    one.move(one.model.g, 1e-3)
    assert one.loss(ids) < before


def test_the_rate_rises_stays_and_falls():
    one = trainer(steps=1000, rate=0.5)
    assert [one.learning_rate(step) for step in (1, 50, 600, 800, 1000)] == pytest.approx([0.01, 0.5, 0.5, 0.25, 0.025])


def test_the_test_loss_is_that_of_all_tokens_and_the_least_is_what_the_grammar_pays():
    one, texts = trainer(), grammar.sentences(np.random.default_rng([2019, 1]), 5)
    ids, n = grammar.encode(texts), sum(len(text) + 1 for text in texts)
    loss, least = one.test(5)
    assert loss == pytest.approx(next_token_loss(one.model.forward(ids), ids, ids != PAD)[0], rel=1e-5)
    assert least == pytest.approx(-sum(map(grammar.log_probability, texts)) / n)


def test_before_it_has_learned_nothing_that_it_writes_is_grammatical():
    assert trainer().grammatical(3) == 0


@pytest.mark.parametrize(("answer", "message"), [
    (lambda *_: None, r"next_token_loss: expected a tuple \(loss, d_logits\), got NoneType"),
    (lambda logits, *_: (0.0, logits[0]), "d_logits from next_token_loss: expected"),
])
def test_what_the_loss_returns_is_held_to_its_contract(answer, message):
    with pytest.raises(ValueError, match=message):
        trainer(answer).train(1, batch_size=3)
