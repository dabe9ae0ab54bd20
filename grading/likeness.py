"""Which works are nearly alike, by the fingerprints of their answers.

A fingerprint that n of N works have weighs ln((N + 1) / n); two answers are as alike as the weight that both have is a
share of the weight that either has. Two works are a pair if they are alike

    as a whole     in nearly all that either answered, or
    in one answer  that is long, and to which no third one comes near,

and if that is nothing that more than a tenth of the class shares: short functions are alike by nature. So they must
have a fingerprint in common that at most a tenth has, or be alike as a whole where nobody else is, but for a FEW.
"""

from collections import Counter
from dataclasses import dataclass

import numpy as np

WHOLE = 0.85  # as alike as this as a whole
ONE = 0.9     # as alike as this in one answer
NEAR = 0.6    # an answer that is as alike as this comes near
LONG = 12     # fingerprints of an answer that few have: about eight lines
FEW = 3       # that many may share something in a class so small that they are more than a tenth
BLOCK = 4096  # fingerprints that are compared at once


@dataclass(frozen=True)
class Pair:
    """Two works, by their places.

    share    how alike they are as a whole, from 0 to 1
    answers  {key: the same of one answer}
    rare     how many fingerprints they share that at most a tenth of the class has
    """

    one: int
    other: int
    share: float
    answers: dict
    rare: int


def near_copies(works, in_class):
    """[Pair], in no order.

    works     for each one {key: {fingerprint}} of its answers
    in_class  for each one whether it is this class's; two of earlier years are no pair
    """
    in_class, weights, few = np.array(in_class, bool), _weights(works), dict.fromkeys(rare(works, in_class), 1.0)
    alike, (either, shared, alone) = {}, np.zeros((3, len(works), len(works)))
    for key in sorted({key for work in works for key in work}):
        answers = [work.get(key, frozenset()) for work in works]
        answered, common = np.array([bool(prints) for prints in answers]), _both(answers, few)
        alike[key] = _alike(answers, weights)
        either += answered[:, None] | answered
        shared += common
        alone += _alone(alike[key]) & (common >= LONG)
    share = sum(alike.values()) / np.maximum(either, 1)
    found = (_whole(share, shared, in_class) | (alone > 0)) & (in_class[:, None] | in_class)
    return [Pair(i, j, float(share[i, j]), {key: float(each[i, j]) for key, each in alike.items()}, int(shared[i, j]))
            for i, j in np.argwhere(np.triu(found, 1)).tolist()]


def rare(works, in_class):
    """The fingerprints that at most a tenth of the class has, and of all works."""
    ours = [work for work, is_ours in zip(works, in_class, strict=True) if is_ours]
    everybody, the_class = _counted(works), _counted(ours)
    return {each for each, n in everybody.items()
            if n <= _a_tenth(len(works)) and the_class[each] <= _a_tenth(len(ours))}


def _a_tenth(size):
    return max(FEW, size / 10)


def _counted(works):
    """How many works have each fingerprint."""
    return Counter(each for work in works for each in set().union(*work.values()))


def _weights(works):
    return {each: np.log((len(works) + 1) / n) for each, n in _counted(works).items()}


def _alike(answers, weights):
    """How alike each two answers are, as a matrix."""
    both, own = _both(answers, weights), np.array([sum(weights[each] for each in prints) for prints in answers])
    either = own[:, None] + own - both
    return np.divide(both, either, out=np.zeros_like(both), where=either > 0)


def _both(answers, weights):
    """The weight that each two answers share, as a matrix; what has no weight counts nothing."""
    holders = Counter(each for prints in answers for each in prints if each in weights)
    places = {each: place for place, each in enumerate(each for each, n in holders.items() if n > 1)}
    columns = [np.array([places[each] for each in prints if each in places], int) for prints in answers]
    weight = np.array([weights[each] for each in places], np.float32)
    both = np.zeros((len(answers), len(answers)), np.float32)
    for start in range(0, len(places), BLOCK):
        has = np.zeros((len(answers), BLOCK), np.float32)
        for row, column in enumerate(columns):
            has[row, column[(start <= column) & (column < start + BLOCK)] - start] = 1
        has = has[:, :len(places) - start]
        both += has * weight[start:start + BLOCK] @ has.T
    np.fill_diagonal(both, 0)
    return both


def _whole(share, rare, in_class):
    """Which are alike as a whole, and not by nature."""
    near = share >= WHOLE
    crowd = near[:, in_class].sum(1)  # how many of the class are as alike to each
    crowd = np.maximum(crowd[:, None], crowd)
    return near & (crowd <= np.where(rare > 0, _a_tenth(in_class.sum()), FEW))


def _alone(alike):
    """Which answers are alike, where no third one comes near to either."""
    alone = (alike >= NEAR).sum(1) == 1
    return (alike >= ONE) & alone[:, None] & alone
