"""The one loop, against a plain loop that is written here: every trainer of the course, bit for bit."""

import numpy as np
import pytest

from coursekit.models import dates as of_dates
from coursekit.models import luong, phrases, pointer, recurrent, transformer
from coursekit.optimiser import Adam, clip, flatten, views
from coursekit.tasks import dates, senses
from coursekit.tasks.keyed_digits import keyed_digits
from coursekit.tasks.phrases import draw
from coursekit.trainers import dates as date_trainer
from coursekit.trainers import luong as luong_trainer
from coursekit.trainers import phrases as phrase_trainer
from coursekit.trainers import pointer as pointer_trainer
from coursekit.trainers import transformer as transformer_trainer
from coursekit.training import Training
from solutions.artifacts import date_transformer, date_translator, depth, luong_translator, pointer_curves, sense_model
from solutions.artifacts import positions_by_length as positions
from solutions.artifacts.quality_by_length import ADDITIVE
from solutions.lab04_hard_attention import reference

STEPS = 4
RNG = np.random.default_rng


def plain(initial, gradient_of, rate, largest=1.0, **adam):
    """Draw a batch, take the loss and its gradient, clip, Adam: the losses and the parameters."""
    vector, losses = flatten(initial).astype(np.float32), []
    named, optimiser = views(vector, {name: array.shape for name, array in initial.items()}), Adam(len(vector), **adam)
    for step in range(1, STEPS + 1):
        loss, gradient = gradient_of(named)
        losses.append(loss)
        flat = np.concatenate([gradient[name].ravel() for name in named]).astype(np.float32)
        optimiser.step(vector, clip(flat, largest), rate(step))
    return losses, vector


# Each case: what the course's trainer makes of a few steps, and what the plain loop does


def date_translator_of(seed):
    return date_trainer.DateTrainer(seed, date_translator.PARTS, X=4, H=4, D=8, A=4)


def of_a_date_translator():
    trainer, rng = date_translator_of(3), RNG(3)
    trainer.train(STEPS, batch_size=5)
    days, _ = dates.split_days(rng)
    initial = recurrent.initial_parameters(rng, of_dates.parameter_shapes(4, 4, 8, 4))

    def gradient_of(p):
        batch = dates.encode_pairs(*dates.date_pairs(rng, days, 5))
        return date_trainer.loss_and_gradient(p, batch, date_translator.PARTS)

    return (trainer.losses, trainer.vector), plain(initial, gradient_of, lambda step: 5e-3)


def luong_translator_of(seed):
    return luong_translator.trainer_of(luong_translator.SETTINGS["general_local"], seed, (5, 8), X=4, H=4, D=8)


def of_a_luong_translator():
    trainer, rng = luong_translator_of(1), RNG([1, 2])
    trainer.train(STEPS, batch_size=5)
    shapes = luong.parameter_shapes(4, 4, 8, luong_trainer.attention_shapes("general", 8, 8, 4, local=True))
    initial = recurrent.initial_parameters(RNG([1, 1]), shapes)

    def gradient_of(p):
        return luong_trainer.loss_and_gradient(p, draw(rng, 5, (5, 8)), trainer.parts)

    return (trainer.losses, trainer.vector), plain(initial, gradient_of, lambda step: 4e-3)


def of_a_phrase_translator():
    shapes, rng = phrases.parameter_shapes(X=4, H=4, D=8, A=4), RNG([2, 2])

    def gradient_of(p, batch):
        return phrase_trainer.loss_and_gradient(p, batch, ADDITIVE)

    marks = list(phrase_trainer.train(gradient_of, shapes, 2, range(1, STEPS + 1), (5, 8), batch_size=5))
    by_hand = plain(recurrent.initial_parameters(RNG([2, 1]), shapes),
                    lambda p: gradient_of(p, draw(rng, 5, (5, 8))), lambda step: 4e-3)
    return ([mean for _, _, mean in marks], flatten(marks[-1][1])), by_hand


def transformer_of(seed):
    task = transformer_trainer.dates(seed)
    sizes = {"d_model": 8, "heads": 2, "d_ff": 6}
    return transformer_trainer.TransformerTrainer(seed, date_transformer.PARTS, task, warmup=2, **sizes)


def of_a_transformer():
    (trainer, other), rng = (transformer_of(0) for _ in range(2)), RNG([0, 2])
    trainer.train(STEPS, batch_size=5)
    shapes = transformer.parameter_shapes(len(other.task.tokens), d_model=8, d_ff=6)

    def gradient_of(p):
        other.vector[:] = flatten(p)
        return other.loss(other.batch(*other.task.drawn(rng, 5))), other.model.g

    def rate(step):
        return 0.5 * other.parts.learning_rate(step, 8, 2)

    by_hand = plain(transformer.initial_parameters(RNG([0, 1]), shapes), gradient_of, rate, beta2=0.98, epsilon=1e-9)
    return (trainer.losses, trainer.vector), by_hand


def of_a_pointer_that_blends():
    training, rng = Training(pointer.initial_parameters(RNG(1))), RNG(1)
    initial = pointer.initial_parameters(rng)
    batches = [keyed_digits(rng, 5) for _ in range(STEPS)]
    for batch in batches:
        training.move(pointer_curves.soft_gradient(training.parameters, batch), 5e-3)
    left = iter(batches)
    by_hand = plain(initial, lambda p: (0, pointer_curves.soft_gradient(p, next(left))), lambda step: 5e-3)
    return ([0] * STEPS, training.vector), by_hand


def of_a_pointer_that_draws():
    rng = RNG(3)
    run = pointer_trainer.train(RNG(3), reference.sample_positions, reference.estimate_gradient, steps=STEPS - 1)
    initial, _ = pointer.initial_parameters(rng), keyed_digits(rng, 1000)

    def gradient_of(p):
        batch, rows = keyed_digits(rng, 64), np.arange(64)
        weights, features = pointer.look(p, batch)
        chosen = reference.sample_positions(weights, rng.random(64))
        seen = batch.memory[rows, chosen]
        said = pointer.read(p, seen)
        uphill = reference.estimate_gradient(weights, chosen, pointer_trainer.log_likelihood(said, batch.answer), 0.0)
        uphill = uphill + 0.05 * pointer.entropy_gradient(weights)
        return 0, pointer.gradients(p, batch, features, seen, said, -uphill / 64)

    return ([0] * STEPS, flatten(run.parameters)), plain(initial, gradient_of, lambda step: 5e-3)


def of_the_sense_model():
    rng, (parameters, losses) = RNG(0), sense_model.train(0, 4, steps=STEPS)

    def gradient_of(p):
        ids, mask = senses.encode([senses.sentence(rng) for _ in range(64)])
        return sense_model.loss_and_gradient(p, ids, mask, 4)

    by_hand = plain(sense_model.initial_parameters(rng), gradient_of, falling)
    return (losses, flatten(parameters)), by_hand


def of_the_positions():
    rng, parameters = RNG(0), positions.train("rope", "latest", 0, steps=STEPS)

    def gradient_of(p):
        batch = positions.events(rng, "latest", 16, 32)
        return 0, positions.backward(p, positions.forward(p, batch.x, "rope"), batch, "rope")

    return ([0] * STEPS, flatten(parameters)), plain(positions.initial_parameters(rng, "rope"), gradient_of, falling)


def falling(step):
    return 5e-3 * min(1, 2 * (1 - (step - 1) / STEPS))


CASES = [of_a_date_translator, of_a_luong_translator, of_a_phrase_translator, of_a_transformer,
         of_a_pointer_that_blends, of_a_pointer_that_draws, of_the_sense_model, of_the_positions]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_a_trainer_moves_bit_for_bit_as_the_plain_loop_does(case):
    (losses, vector), (by_hand, expected) = case()
    np.testing.assert_array_equal(losses, by_hand)
    np.testing.assert_array_equal(vector, expected)


def test_so_does_a_stack_of_blocks_whose_gradient_is_never_shortened(monkeypatch):
    monkeypatch.setattr(depth, "EVERY", 1)
    rng, losses = RNG(2), depth.run(2, "post", 2, 3, steps=STEPS)

    def gradient_of(p):
        return depth.loss_and_gradient(p, "post", 2, rng.integers(10, size=(32, 10)))

    initial = depth.initial_parameters(rng, 2)
    by_hand, _ = plain(initial, gradient_of, lambda step: 3e-3 * min(1, step / 3), largest=np.inf)
    np.testing.assert_array_equal(losses, by_hand)


@pytest.mark.parametrize("trainer_of", [date_translator_of, luong_translator_of, transformer_of])
def test_five_steps_are_two_and_three_more_and_the_loss_falls(trainer_of):
    whole, parted = trainer_of(0), trainer_of(0)
    whole.train(5, batch_size=6)
    parted.train(2, batch_size=6)
    parted.train(3, batch_size=6)
    np.testing.assert_array_equal(whole.vector, parted.vector)
    assert whole.losses == parted.losses and whole.losses[-1] < whole.losses[0] and whole.vector.dtype == np.float32


@pytest.mark.parametrize("trainer_of", [date_translator_of, luong_translator_of, transformer_of])
def test_another_seed_is_another_start(trainer_of):
    assert np.abs(trainer_of(0).vector - trainer_of(1).vector).max() > 0.01


# The loop itself, on the sum of squares, whose gradient is twice the parameters


def squares(parameters):
    return float(sum((array**2).sum() for array in parameters.values())), {n: 2 * a for n, a in parameters.items()}


@pytest.fixture
def training():
    return Training({"a": np.ones((2, 3)), "b": np.full(4, -2.0)})


def test_its_parameters_are_views_of_a_vector_that_moves(training):
    training.run(1, squares, rate=0.5)
    np.testing.assert_allclose(training.vector, [*training.parameters["a"].ravel(), *training.parameters["b"]])
    np.testing.assert_allclose(training.parameters["a"], 0.5, rtol=1e-5)


def test_the_gradient_goes_by_name_whatever_its_order(training):
    training.move({"b": np.zeros(4), "a": np.ones((2, 3))}, rate=0.5)
    np.testing.assert_allclose(training.parameters["a"], 0.5, rtol=1e-5)
    np.testing.assert_array_equal(training.parameters["b"], -2)


def test_a_rate_may_depend_on_the_step_whose_first_is_1(training):
    asked = []
    training.run(2, squares, rate=lambda step: asked.append(step) or 0.1)
    training.move({"a": np.zeros((2, 3)), "b": np.zeros(4)}, rate=lambda step: asked.append(step) or 0.1)
    assert asked == [1, 2, 3]


def test_it_tells_the_mean_loss_as_often_as_it_is_asked_to(training, capsys):
    training.run(5, squares, rate=0.1, tell=2, unit="word")
    mean = np.mean(training.losses[2:4])
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2 and lines[1] == f"step    4: loss {mean:.3f} for each word"
