"""The alignment figure shows the weights it was given, against the tokens they belong to."""

import numpy as np
import pytest
from matplotlib import pyplot as plt

from coursekit import plot

WEIGHTS = np.array([[0.7, 0.2, 0.1], [0.0, 0.25, 0.75]])


@pytest.fixture(autouse=True)
def figures_without_a_screen():
    plt.switch_backend("Agg")
    yield
    plt.close("all")


def test_the_picture_is_the_weights_on_a_scale_from_0_to_1():
    (image,) = plot.alignment(WEIGHTS, "a b", "xy").images
    np.testing.assert_array_equal(image.get_array(), WEIGHTS)
    assert image.get_clim() == (0, 1)


def test_columns_are_what_was_read_and_rows_what_was_written():
    ax = plot.alignment(WEIGHTS, "a b", "xy", title="where it looked")
    assert [label.get_text() for label in ax.get_xticklabels()] == ["a", "␣", "b"]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["x", "y"]
    assert (ax.get_xlabel(), ax.get_ylabel(), ax.get_title()) == ("read", "written", "where it looked")


def test_words_are_tokens_too():
    ax = plot.alignment(WEIGHTS, ["the", "cat", "sat"], ["le", "chat"])
    assert [label.get_text() for label in ax.get_xticklabels()] == ["the", "cat", "sat"]


def test_it_draws_on_the_axes_it_is_given():
    ax = plt.figure().add_subplot()
    assert plot.alignment(WEIGHTS, "abc", "xy", ax=ax) is ax


def test_cells_are_square():
    assert plot.alignment(WEIGHTS, "abc", "xy").get_aspect() == 1


def test_a_larger_weight_is_darker_in_grey():
    luminance = plot.WEIGHTS(np.linspace(0, 1, 64))[:, :3] @ [0.2126, 0.7152, 0.0722]
    assert (np.diff(luminance) < 0).all()


def test_each_role_has_a_colour_of_its_own():
    assert len({plot.QUERY, plot.KEY, plot.VALUE, plot.WEIGHT}) == 4


def test_padding_left_in_the_weights_is_named():
    with pytest.raises(ValueError, match=r"weights: expected \(T, S\) = \(2, 3\), got \(2, 5\)"):
        plot.alignment(np.zeros((2, 5)), "abc", "xy")
