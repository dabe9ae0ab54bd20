"""The trainer: what it tells the decoder, and that it names what one of the caller's functions got wrong.

That its gradients are right is tested where the functions that it needs are: in tests/solutions.
"""

import numpy as np
import pytest

from coursekit.models.dates import DateTranslator
from coursekit.tasks.dates import encode_pairs
from coursekit.tasks.tokens import BLANK
from coursekit.trainers.dates import DateTrainer, loss_and_gradient, run
from solutions.artifacts.date_translator import PARTS

TEXTS, ISOS = ["3rd of May 2009", "Monday, 21 August 1967"], ["2009-05-03", "1967-08-21"]
B, S, E, A, T, V = 2, 22, 64, 32, 10, 12


@pytest.fixture
def trainer():
    return DateTrainer(0, PARTS)


def test_the_decoder_hears_the_right_character_before_and_at_first_none(trainer):
    batch = encode_pairs(TEXTS, ISOS)
    previous = run(DateTranslator(trainer.parameters), batch, PARTS.attend).previous
    assert (previous[:, 0] == BLANK).all()
    np.testing.assert_array_equal(previous[:, 1:], batch.target[:, :-1])


def test_the_first_loss_is_near_that_of_equally_likely_characters(trainer):
    trainer.train(1)
    assert abs(trainer.losses[0] - np.log(V)) < 0.3


def test_measuring_does_not_change_what_is_learned():
    plain, measured = DateTrainer(2, PARTS), DateTrainer(2, PARTS)
    plain.train(2, batch_size=3)
    for _ in range(2):
        measured.train(1, batch_size=3)
        measured.exact_match(5)
    np.testing.assert_array_equal(plain.vector, measured.vector)


def test_it_tests_on_days_that_it_does_not_train_on(trainer):
    assert not set(trainer.days.tolist()) & set(trainer.unseen.tolist())


def test_it_translates_before_it_has_learned(trainer):
    written, weights = trainer.translate(TEXTS)
    assert [len(text) <= T for text in written] == [True, True] and weights.shape == (B, T, S)
    np.testing.assert_allclose(weights.sum(axis=-1), 1, atol=1e-6)


def zeros(*shapes):
    return lambda *args: tuple(np.zeros(shape, np.float32) for shape in shapes)


@pytest.mark.parametrize(
    ("part", "wrong", "message"),
    [
        ("attend", lambda *args: None, r"attend: expected a tuple \(context, weights\), got NoneType"),
        ("attend_backward", zeros((B, A)), r"attend_backward: expected a tuple \(d_query, d_.*\), got 1 results"),
        ("attend_backward", zeros((B, A), (B, A), (A,)), r"d_keys from attend_backward: expected \(B, S, A\) = "),
        ("attend_backward", zeros((B, A), (B, S, A), (B, A)), r"d_v from attend_backward: expected \(A,\) = "),
        ("steps_backward", zeros((64, A), (E, A), (B, E)), r"d_memory from steps_backward: expected \(B, S, E\) = "),
        ("steps_backward", zeros((A, 64), (E, A), (B, S, E)), r"d_W from steps_backward: expected \(D, A\) = "),
        ("steps_backward", zeros((64, A), (A, E), (B, S, E)), r"d_U from steps_backward: expected \(E, A\) = "),
        ("cross_entropy", lambda *args: 2.0, r"cross_entropy: expected a tuple \(loss, d_logits\), got float"),
        ("cross_entropy", lambda *args: (2.0, np.zeros((B, V))), r"d_logits from cross_entropy: expected \(B, T, V\)"),
        ("embedding_backward", zeros((V, 32)), r"embedding_backward: expected an array of shape \(12, 32\), got tuple"),
        ("embedding_backward", lambda *args: np.zeros((7, 32)), r"of shape \(\d+, 32\), got shape \(7, 32\)"),
    ],
)
def test_what_does_not_fit_is_named_with_the_function_that_returned_it(trainer, part, wrong, message):
    with pytest.raises(ValueError, match=message):
        loss_and_gradient(trainer.parameters, encode_pairs(TEXTS, ISOS), PARTS._replace(**{part: wrong}))
