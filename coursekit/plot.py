"""The course's figures, and its colours: one for each role, the same in every chapter and lab."""

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.ticker import PercentFormatter

from coursekit.shapes import expect

# From the palette of Okabe & Ito (2008), which colour-blind readers can tell apart.
QUERY = "#0072B2"  # blue
KEY = "#E69F00"  # orange
VALUE = "#009E73"  # green
WEIGHT = "#CC79A7"  # purple

# Weights as areas: the purple from white to nearly black, ever darker, so that it reads in grey as well.
WEIGHTS = LinearSegmentedColormap.from_list("weights", ["#ffffff", WEIGHT, "#33001f"])

CELL = 0.3  # inches of one token, which leaves letters readable on a telephone


def alignment(weights, source, target, ax=None, title=None):
    """Draw where a model looked: one column for each source token, one row for each token that it wrote.

    weights (T, S)  a row sums to 1
    source          S tokens: a string is taken as its characters
    target          T tokens

    Draws on `ax`, or on a new figure of a fitting size. Returns the Axes. Raises ValueError when a shape does not fit.
    """
    weights = np.asarray(weights)
    expect({"T": len(target), "S": len(source)}, weights=(weights, "T S"))
    own = ax is None
    if own:
        ax, bar_ax = _axes_of_their_own(*weights.shape)
    image = ax.imshow(weights, cmap=WEIGHTS, vmin=0, vmax=1)
    ax.tick_params(length=0, labelsize=12, top=True, labeltop=True, bottom=False, labelbottom=False)
    ax.set_xticks(range(len(source)), _visible(source))
    ax.set_yticks(range(len(target)), _visible(target))
    ax.xaxis.set_label_position("top")
    ax.set_xlabel("read", fontsize=12)
    ax.set_ylabel("written", fontsize=12)
    _separate_cells(ax, weights.shape)
    place = {"cax": bar_ax} if own else {"ax": ax, "shrink": 0.8, "aspect": 25}
    bar = ax.figure.colorbar(image, location="bottom", format=PercentFormatter(1), **place)
    bar.ax.tick_params(labelsize=12)
    bar.set_label("weight", fontsize=12)
    if title:
        ax.set_title(title, fontsize=12)
    return ax


def _axes_of_their_own(rows, columns):
    """A new figure with axes for the cells and, below, for the scale. Placed by hand: a layout engine takes longer."""
    middle, half = 0.6 + CELL * columns / 2, max(0.4 * CELL * columns, 0.6)
    width, height = max(CELL * columns + 0.9, middle + half + 0.4), CELL * rows + 1.6
    figure = plt.figure(figsize=(width, height))

    def axes(left, bottom, right, top):
        return figure.add_axes((left / width, bottom / height, (right - left) / width, (top - bottom) / height))

    both = axes(0.6, 0.85, 0.6 + CELL * columns, 0.85 + CELL * rows), axes(middle - half, 0.55, middle + half, 0.67)
    for each in both:
        each.set_in_layout(False)  # all of it fits, and need not be measured
    return both


def _visible(tokens):
    """A blank would be an empty label: show it as an open box."""
    return ["␣" if token == " " else token for token in tokens]


def _separate_cells(ax, shape):
    """Draw thin lines between the cells, so that the eye can follow a row or a column."""
    rows, columns = shape
    ax.hlines(np.arange(1, rows) - 0.5, -0.5, columns - 0.5, color="#dddddd", linewidth=0.5)
    ax.vlines(np.arange(1, columns) - 0.5, -0.5, rows - 0.5, color="#dddddd", linewidth=0.5)
