"""What lab 04 is judged on. No exercise needs another one's answer."""

from dataclasses import replace

import numpy as np

from coursekit.verdicts import Verdict, compare
from solutions.lab04_hard_attention import reference

BELOW_1 = np.nextafter(1, 0)  # the largest uniform


def sample_positions(student, rng):
    hint = "is it the position in whose stretch of the row's running sums, divided by their last, the uniform falls?"
    for law, weights, uniforms in _draws(rng):
        reply = student.sample_positions(weights, uniforms)
        yield _whole(compare(law, reply, reference.sample_positions(weights, uniforms), hint), reply)


def estimate_gradient(student, rng):
    hint = "is it (reward - baseline) times (one-hot of the chosen position - weights), for each row?"
    for law, args in _episodes(rng):
        yield compare(law, student.estimate_gradient(*args), reference.estimate_gradient(*args), hint)


def mean_and_variance(student, rng):
    hints = [
        "is each estimate weighed by the weight of the position that it belongs to, and summed over the positions?",
        "is it the weighted mean of the squared distances from the mean, summed over the N numbers?",
    ]
    for law, weights, estimates in _estimates(rng):
        reply = student.mean_and_variance(weights, estimates)
        expected = reference.mean_and_variance(weights, estimates)
        yield _part(f"the mean: {law}", reply, expected, 0, hints[0])
        yield _part(f"the variance: {law}", reply, expected, 1, hints[1])


def move_baseline(student, rng):
    hint = "is it keep times the old baseline plus (1 - keep) times the mean of the rewards?"
    for law, baseline, rewards, options in _moves(rng):
        expected = reference.move_baseline(baseline, rewards, **options)
        yield compare(law, student.move_baseline(baseline, rewards, **options), expected, hint)


# Cases


def _draws(rng):
    """(law, weights (B, S), uniforms (B,)), float32 and float64. Most cases hold rows at both ends of what can go
    wrong; one has as many rows as positions, one a single row."""
    law = "weights with gaps, and uniforms at the start of a stretch: nothing of weight 0 is drawn"
    starts, others = [_at_a_start(rng, 7) for _ in range(3)], [_inside(rng, 7) for _ in range(2)]
    yield law, *_shuffled(rng, [(np.eye(7)[6], 0.0), *starts, *others])
    law = "running sums that end just below 1, and the largest uniform: the last position that has a weight"
    yield law, *_shuffled(rng, [make(rng, 10) for make in 3 * [_at_the_end] + 2 * [_inside]])
    cases = [("padded rows: each is drawn from its own weights", 8, 11, np.float32),
             ("as many rows as positions, all at once", 9, 9, float)]
    for law, B, S, kind in cases:
        inside = [_inside(rng, S) for _ in range(B - 4)]
        starts, ends = [_at_a_start(rng, S) for _ in range(2)], [_at_the_end(rng, S, kind) for _ in range(2)]
        yield law, *_shuffled(rng, [*inside, *starts, *ends], kind)
    law = "a single row in float64, and the largest uniform: its running sums are divided by their own last one"
    yield law, *_shuffled(rng, [_at_the_end(rng, 12, float)], float)


def _at_a_start(rng, S):
    """A row of eighths, whose sums are exact, with a gap before a stretch, and u at the start of that stretch."""
    place, row = int(rng.integers(1, S)), np.zeros(S)
    others = np.delete(np.arange(S), [place - 1, place])
    row[others] = rng.multinomial(4, np.full(S - 2, 1 / (S - 2))) / 8
    row[place] = 0.5
    return row, row[:place].sum()


def _at_the_end(rng, S, kind=np.float32):
    """A row that ends with a padded position, of sum 1 - 3e-7, and the largest u.

    If it is divided by its sum, before it is added up or after, it still ends below 1: np.sum rounds otherwise than
    np.cumsum where there are eight and more. Such a row is found in a few trials.
    """
    for _ in range(1000):
        row = rng.dirichlet(np.full(S, 5.0)) * (rng.random(S) < 0.7)
        row[0], row[-1] = 0.3, 0.0
        row = (row / row.sum() * (1 - 3e-7)).astype(kind)
        if max(np.cumsum(row / row.sum())[-1], np.cumsum(row)[-1] / row.sum()) < 1:
            break
    return row, BELOW_1


def _inside(rng, S):
    """A row with padding, and u somewhere in the middle half of a stretch that is not the first."""
    length = int(rng.integers(3, S))
    row = np.concatenate([rng.dirichlet(np.full(length, 5.0)), np.zeros(S - length)])
    place = int(rng.integers(1, length))
    return row, row[:place].sum() + rng.uniform(0.25, 0.75) * row[place]


def _shuffled(rng, rows, kind=np.float32):
    """Rows (weights, u) in random order, as two arrays, the weights of this type."""
    weights, uniforms = (np.array(part) for part in zip(*(rows[i] for i in rng.permutation(len(rows))), strict=True))
    return weights.astype(kind), uniforms


def _episodes(rng):
    """(law, arguments of `estimate_gradient`)."""
    cases = [
        ("log-likelihoods, and a baseline below 0", 5, 4, -2.3, -1.0, 0),
        ("a baseline above 0", 3, 7, 0.8, 2.0, 0),
        ("rewards far from 0, and a baseline near them", 6, 5, 400.25, 400.0, 0),
        ("padding, whose weight is 0, gets a gradient of 0", 4, 8, -0.7, 1.0, 3),
        ("as many rows as positions, rewards far below the baseline", 4, 4, 3.1, -900.0, 0),
        ("a single row", 1, 6, -1.4, -3.0, 2),
    ]
    for law, B, S, baseline, level, padding in cases:
        scores = np.concatenate([rng.normal(size=(B, S - padding)), np.full((B, padding), -np.inf)], axis=1)
        weights = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
        chosen = (weights.argmax(axis=1) + rng.integers(1, S - padding, size=B)) % (S - padding)
        yield law, (weights, chosen, level + rng.normal(size=B), baseline)


def _estimates(rng):
    """(law, weights (B, S), estimates (B, S, N))."""
    weights, estimates = rng.dirichlet(np.ones(4), size=3), rng.normal(size=(3, 4, 6)) + 1.0
    yield "any estimates, N numbers for each of S positions", weights, estimates
    padded = np.concatenate([rng.dirichlet(np.ones(3), size=2), np.zeros((2, 2))], axis=1)
    law = "what an estimate would be at a position of weight 0 has no influence"
    yield law, padded, np.where(padded[:, :, None] > 0, rng.normal(size=(2, 5, 7)), 1e3)
    weights, rewards, baseline = rng.dirichlet(np.ones(5), size=4), rng.normal(size=(4, 5)), rng.normal() - 3.0
    log_gradients = np.eye(5) - weights[:, None, :]
    law = "the estimates of a gradient in the scores, with a baseline far from the rewards"
    yield law, weights, (rewards - baseline)[:, :, None] * log_gradients
    yield "a single row", rng.dirichlet(np.ones(4), size=1), rng.normal(size=(1, 4, 2)) - 2.0
    law = "as many rows as positions and numbers, large estimates"
    yield law, rng.dirichlet(np.ones(3), size=3), 1000 * rng.normal(size=(3, 3, 3))


def _moves(rng):
    """(law, baseline, rewards (B,), options)."""
    yield "it keeps nine tenths if not told otherwise", -2.3, rng.normal(size=5) - 2.0, {}
    yield "with keep = 0.75, far from 0", 1400.5, 100 * rng.normal(size=7) - 900, {"keep": 0.75}
    yield "with keep = 0.5, rewards that make up for it", 450.25, 0.1 * rng.normal(size=4) - 450, {"keep": 0.5}
    yield "with keep = 0.99, from 0", 0.0, rng.normal(size=3) + 4.0, {"keep": 0.99}
    yield "with keep = 0.6, rewards of one sequence", -0.5, rng.normal(size=1) + 2.0, {"keep": 0.6}


def _part(law, reply, expected, i, hint):
    """The verdict on result `i` of a reply of two; of any other answer, the verdict on what it is."""
    if not isinstance(reply.value, tuple | list) or len(reply.value) != 2:
        return compare(law, reply, expected, hint)
    return compare(law, replace(reply, value=reply.value[i]), expected[i], hint)


def _whole(verdict, reply):
    """The same verdict, unless the positions came back as floats."""
    if not verdict.passed or np.asarray(reply.value).dtype.kind in "iu":
        return verdict
    return Verdict(verdict.law, False, "the positions are right, but floats: a position is an index, an integer")
