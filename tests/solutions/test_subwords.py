"""The model of chapter 11: the tokens that it reads, its gradient, and what the artifact promises."""

import numpy as np
import pytest

import coursekit
from solutions.artifacts import subwords
from tests.solutions.slopes import assert_slopes

TEXT = "look looked asked look at a café, aaaaa times"


def test_overlapping_places_are_taken_from_the_left():
    assert subwords.apart(np.array([0, 1, 2, 5, 6])).tolist() == [0, 2, 5]


@pytest.mark.parametrize("size", [256, 262, 275])
def test_the_model_reads_the_tokens_of_lab_12(size):
    lab = pytest.importorskip("solutions.lab12_tokens.reference")
    _, merges = lab.train_bpe(TEXT, size)
    pieces = subwords.segmented(TEXT, "looking naïve", size)
    assert {" aaaaa", " naïve"} < set(pieces)
    found = {piece: ids.tolist() for piece, ids in pieces.items()}
    assert found == {piece: lab.encode(piece, merges) for piece in pieces}


def test_the_gradient_is_the_slope_of_the_loss():
    rng = np.random.default_rng(0)
    parameters = subwords.initial_parameters(rng, size=9, width=2, hidden=5)
    read, target = rng.integers(9, size=(4, subwords.READ)), rng.integers(9, size=4)
    _, gradient = subwords.loss_and_gradient(parameters, read, target)
    assert_slopes(gradient, lambda moved: subwords.loss_and_gradient(moved, read, target)[0], parameters)


def test_an_example_reads_what_stands_before_its_token():
    read = subwords.examples(np.array([5, 6, 7]))
    assert read.shape == (3, 8) and read[:, -2:].tolist() == [[10, 10], [10, 5], [5, 6]]


def test_every_model_reaches_less_than_two_and_a_half_bits_per_byte():
    model = coursekit.load("subwords")
    held_out = subwords.parts_of_the_text()[1].encode()
    assert (model["nats"] / np.log(2) / len(held_out)).max() < 2.5
    assert model["sizes"].tolist() == list(subwords.SIZES) and model["tokens"][0] == len(held_out)
