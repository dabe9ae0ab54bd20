"""What lab 17 is judged on.

Of `other_weights` there are many right answers, so it is judged by laws: by what such weights are, and what they do.
"""

import numpy as np

from coursekit.check import as_array
from coursekit.check.lab17_inside_heads import LEAST, broken
from coursekit.verdicts import Verdict, compare, misfit, together
from solutions.lab17_inside_heads import reference
from solutions.refusals import refuses
from solutions.typed import exact, typed


def other_weights(student, rng):
    yes = Verdict("", True)  # where an answer is not right, that is told first
    verdicts = [together(*[_keeps_output(law, student, *args) for args in [*cases, *_overlooked(rng)]],
                         refuses(law, yes, student.other_weights, none)) for law, cases, none in _heads(rng)]
    yield from verdicts
    wrong = [(each, rng.normal(size=(5, 2))) for each in (
        [0.5, -0.1, 0.2, 0.2, 0.2], [0.5, -0.001, 0.101, 0.2, 0.2], [0.5, 0.2, 0.2, 0.2, 0.2])]
    yield refuses("weights below 0, or of another sum: each raises ValueError", verdicts[0], student.other_weights,
                  [(np.array(weights), V) for weights, V in wrong])


def previous_token_score(student, rng):
    hint = "w[i, i - 1], the mean over the rows from 1 on, for each map by itself?"
    verdicts = [together(*[compare(law, student.previous_token_score(each), reference.previous_token_score(each), hint)
                           for each in maps]) for law, maps in _maps(rng)]
    yield from verdicts
    wrong = [(rng.random((2, 3, 4)),), (rng.random((5, 4)),), (np.ones((1, 1)),), (np.ones((2, 1, 1)),)]
    yield refuses("maps that are not square, or have one position: ValueError", verdicts[0],
                  student.previous_token_score, wrong)


def induction_score(student, rng):
    hint = "w[i, i - period + 1], the mean over the rows from `period` to the last, for each map by itself?"
    verdicts = [together(*[compare(law, student.induction_score(*args), reference.induction_score(*args), hint)
                           for args in cases]) for law, cases in _periods(rng)]
    yield from verdicts
    wrong = [(rng.random((2, 5, 5)), period) for period in (0, -1, 5, 6)] + [(rng.random((4, 5)), 2),
                                                                            (rng.random((3, 5, 4)), 2)]
    yield refuses("a period below 1, one that leaves no row, maps that are not square: each raises ValueError",
                  verdicts[0], student.induction_score, wrong)


def rollout(student, rng):
    hint = "(W + I) / 2 of each layer, and their matrix product, the later one on the left?"
    verdicts = [together(*[typed(law, student.rollout(each), reference.rollout(list(exact(each))), hint, each[0])
                           for each in cases]) for law, cases in _layers(rng)]
    yield from verdicts
    wrong = [([],), ([rng.random((3, 4))],), ([rng.random((3, 3)), rng.random((4, 4))],),
             ([rng.random((3, 3)), rng.random((2, 3, 3))],), ([rng.random((2, 4, 3)), rng.random((2, 4, 3))],)]
    yield refuses("no layer, maps that are not square or not alike: each raises ValueError", verdicts[0],
                  student.rollout, wrong)


def ablate(student, rng):
    hint = "are all other heads as they were, and is this one 0, or its mean over the batch at each position?"
    verdicts = [together(*[typed(law, student.ablate(*args), reference.ablate(*exact(args)), hint, args[0])
                           for args in cases]) for law, cases in _outputs(rng)]
    yield from verdicts
    outputs = rng.normal(size=(2, 3, 5, 4))
    wrong = [(outputs, 3, "zero"), (outputs, -1, "mean"), (outputs, 0, "median"), (outputs, 1, "none"),
             (outputs[0], 0, "zero")]
    yield refuses("a head that is not there, another kind, another number of axes: each raises ValueError", verdicts[0],
                  student.ablate, wrong)


def logit_attribution(student, rng):
    hint = "each part times the readout, summed over the width: the axis of the parts stays, in their order?"
    verdicts = [together(*[typed(law, student.logit_attribution(*args), reference.logit_attribution(*exact(args)), hint,
                                 args[1]) for args in cases]) for law, cases in _parts(rng)]
    yield from verdicts
    wrong = [(rng.normal(size=(3, 4, 5)), rng.normal(size=width)) for width in (4, 1)] + [
        (rng.normal(size=(3, 2, 1)), rng.normal(size=4)), ([np.ones((2, 3)), np.ones((2, 4))], np.ones(3))]
    yield refuses("a width that is not the readout's raises ValueError", verdicts[0], student.logit_attribution, wrong)


# Cases


def _heads(rng):
    """(law, list of arguments of `other_weights`, arguments that have no answer): each weight is a hundredth at least,
    or none."""
    yield "twice as many positions as values", [
        _head(rng, 12, 6), _head(rng, 30, 4), _head(rng, 9, 5, hidden=2)], [_head(rng, 5, 4), _head(rng, 3, 6)]
    yield "one position more than there must be", [
        _head(rng, 8, 6), _head(rng, 4, 2), _head(rng, 12, 6, hidden=4)], [_head(rng, 7, 6), _head(rng, 7, 5, hidden=3)]
    yield "values that depend on one another", [
        _head(rng, 6, 8, rank=3), _head(rng, 5, 5, rank=2), _head(rng, 9, 7, rank=3, hidden=3)], [
        _head(rng, 4, 6, rank=3)]
    yield "in float32; large values", [
        _head(rng, 10, 3, kind=np.float32), _head(rng, 7, 2, scale=300), _head(rng, 6, 9, rank=2, hidden=1)], [
        _head(rng, 6, 5)]
    yield "equal values, two positions, a mask with holes", [
        _head(rng, 3, 2, rank=0), _head(rng, 4, 3, rank=0), _head(rng, 2, 1, rank=0), _head(rng, 2, 4, rank=0),
        _head(rng, 3, 1), _head(rng, 20, 3, hidden=13), _head(rng, 5, 6, rank=1, hidden=1)], [
        _head(rng, 1, 1), _head(rng, 2, 1), _head(rng, 6, 3, hidden=5)]


def _overlooked(rng):
    """Hidden positions that raise the rank of [V, 1] above that of what is seen, and a weight of about 1e-7."""
    V = rng.normal(size=(5, 3))
    return [(np.array([0.3, 0, 0, 0, 0.7]), V[[0, 1, 2, 3, 0]]), _head(rng, 9, 3, least=1e-7)]


def _head(rng, n, e, rank=None, hidden=0, scale=1.0, kind=float, least=None):
    """Weights (n,), `hidden` of them 0, one of them about `least`, and values (n, e) of this rank, and 1.5 added to all
    of them."""
    weights = rng.random(n) + 0.2
    weights[n // 2] = weights[n // 2] if least is None else least * n
    weights[rng.permutation(n)[:hidden]] = 0
    V = rng.normal(size=(n, e)) if rank is None else rng.normal(size=(n, rank)) @ rng.normal(size=(rank, e)) + 1.5
    return (weights / weights.sum()).astype(kind), (scale * V).astype(kind)


def _maps(rng):
    """(law, list of weights): of an encoder, so that no entry is 0."""
    yield "one map", [_looks(rng, 7), _looks(rng, 2)]
    yield "many heads, and a batch of one", [_looks(rng, 3, 6), _looks(rng, 1, 4)]
    yield "layers, texts and heads", [_looks(rng, 2, 3, 4, 5), _looks(rng, 4, 4, 4), _looks(rng, 3, 1, 6)]
    yield "in float32; a causal head", [_looks(rng, 4, 9).astype(np.float32), np.tri(8) / np.arange(1, 9)[:, None]]


def _looks(rng, *shape):
    """Weights (..., T, T): a softmax of normal numbers."""
    powers = np.exp(1.5 * rng.normal(size=(*shape, shape[-1])))
    return powers / powers.sum(axis=-1, keepdims=True)


def _periods(rng):
    """(law, list of arguments of `induction_score`): more than two rounds, but in the last."""
    yield "one map", [(_looks(rng, 11), 4), (_looks(rng, 8), 3)]
    yield "many heads", [(_looks(rng, 5, 13), 4), (_looks(rng, 3, 9), 2)]
    yield "layers, texts and heads", [
        (_looks(rng, 2, 3, 4, 10), 3), (_looks(rng, 3, 3, 7), 2), (_looks(rng, 2, 1, 9), 4), (_looks(rng, 1, 7), 3)]
    yield "in float32; a period of one", [(_looks(rng, 2, 9).astype(np.float32), 3), (_looks(rng, 4, 6), 1)]
    yield "a single row that counts, less than two rounds, a last round that ends early", [
        (_looks(rng, 2, 6), 5), (_looks(rng, 9), 6), (_looks(rng, 2, 14), 4), (_looks(rng, 2), 1)]


def _layers(rng):
    """(law, list of layers)."""
    def stack(n, *shape):
        return [_looks(rng, *shape) for _ in range(n)]

    yield "two layers", [stack(2, 5)]
    yield "three layers, of a batch", [stack(3, 2, 4)]
    yield "many layers; more axes in front", [stack(6, 3), stack(2, 2, 3, 4)]
    yield "in float32, causal", [[np.tril(each).astype(np.float32) + np.float32(0.01) for each in stack(3, 6)]]
    yield "one layer; one position", [[*stack(1, 4)], stack(3, 2, 3, 3), [np.ones((1, 1))] * 2]


def _outputs(rng):
    """(law, list of arguments of `ablate`): in each both kinds, and no mean of 0."""
    def outputs(*shape):
        return rng.normal(size=shape) + 1.5

    yield "a head in the middle", [(outputs(3, 5, 4, 2), 2, kind) for kind in ("zero", "mean")]
    yield "the first head", [(outputs(4, 3, 2, 5), 0, kind) for kind in ("mean", "zero")]
    yield "the last head", [(outputs(2, 4, 6, 3), 3, kind) for kind in ("zero", "mean")]
    yield "in float32", [(outputs(5, 2, 3, 4).astype(np.float32), 1, kind) for kind in ("zero", "mean")]
    yield "as many of each; one text, one head; large numbers", [
        (900 * outputs(3, 2, 4, 5), 1, "mean"),
        *((outputs(3, 3, 3, 3), 1, kind) for kind in ("zero", "mean")),
        *((outputs(1, 1, 4, 2), 0, kind) for kind in ("zero", "mean")), (outputs(2, 3, 1, 1), 2, "mean")]


def _parts(rng):
    """(law, list of arguments of `logit_attribution`)."""
    yield "parts of one token", [(rng.normal(size=(4, 6)), rng.normal(size=6))]
    yield "of all tokens of a text", [(rng.normal(size=(3, 5, 4)), rng.normal(size=4))]
    yield "of a batch, large and small parts", [
        (rng.normal(size=(5, 2, 3, 4)) * np.array([[[[30.0]]], [[[0.1]]], [[[1]]], [[[9]]], [[[1]]]]),
         rng.normal(size=4))]
    yield "in float32", [(rng.normal(size=(6, 2, 7)).astype(np.float32), rng.normal(size=7).astype(np.float32))]
    yield "a list of parts, as many as the width", [
        (list(rng.normal(size=(4, 3, 4))), rng.normal(size=4)), (rng.normal(size=(3, 3, 3)), rng.normal(size=3))]
    yield "a batch of one; tokens that are one number wide; large numbers", [
        (rng.normal(size=(4, 1, 5)), rng.normal(size=5)), (rng.normal(size=(3, 2, 1)), rng.normal(size=1)),
        (list(rng.normal(size=(2, 1, 3))), rng.normal(size=3)), (900 * rng.normal(size=(4, 2, 6)), rng.normal(size=6))]


# Verdicts


def _keeps_output(law, student, weights, V):
    """Are the student's weights an answer? Of several laws the first that does not hold is told."""
    reply = student.other_weights(weights, V)
    form, other = compare(law, reply, weights), as_array(reply.value)
    if reply.error or reply.changed or misfit(reply.value, weights):
        return form
    wrong = broken(other, weights, V, LEAST[reply.precision])
    return Verdict(law, not wrong, wrong)
