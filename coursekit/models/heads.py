"""Silencing heads, for every decoder whose layers end in a W_O."""

import numpy as np

from coursekit.shapes import expect


def silenced(arrays, names, speaks, heads):
    """Parameters with which some heads add nothing to any token: those where speaks (L, heads) is False.

    arrays  all parameters by name; those that are returned are another dictionary
    names   of W_O (heads d_k, d_model) of each of L layers

    Their rows of W_O are 0, which is the same as if what they saw were 0. Raises ValueError when speaks does not fit.
    """
    expect({"L": len(names), "h": heads}, speaks=(speaks, "L h"))
    rows = zip(names, np.asarray(speaks, bool), strict=True)
    return arrays | {name: _silent(arrays[name], row) for name, row in rows}


def _silent(W, speaks):
    return W * np.repeat(speaks, len(W) // len(speaks))[:, None].astype(W.dtype)
