"""Is a gradient that was derived by hand right? Compare it with one that needs no derivation.

Move one entry of an array up by a small step, then down by it, and see how the loss changes:

    d loss / d x_i  ≈  (loss(x_i + step) - loss(x_i - step)) / (2 step)

These central differences need two losses for each entry, so they are far too slow to train with, and good enough to
test with: the formula is wrong by a multiple of step², and the arithmetic by about 1e-16 |loss| / step, which together
leave eight digits or more for a step of 1e-5. In float32 they would leave two.
"""

import inspect

import numpy as np

FLOOR = 1e-4  # a gradient that is zero everywhere is compared on this scale, since the differences are never quite zero


def numerical_gradient(loss, array, step=1e-5):
    """The gradient of `loss` in `array` by central differences, of the array's shape.

    loss   a function that returns one number; it takes the array, or nothing and reads the array itself
    array  any shape, float64; it is changed entry by entry, and is afterwards what it was
    Raises ValueError where the array is not float64 or the loss not one number.
    """
    _expect_float64(array)
    measure = loss if _takes_nothing(loss) else lambda: loss(array)
    gradient = np.zeros_like(array)
    for index in np.ndindex(array.shape):
        gradient[index] = (_moved(measure, array, index, step) - _moved(measure, array, index, -step)) / (2 * step)
    return gradient


def check_gradient(loss, array, gradient, name="gradient", tolerance=1e-6, step=1e-5):
    """Does a `gradient` that was computed by hand agree with `numerical_gradient(loss, array)`?

    Returns their largest difference, relative to the largest entry of either. Raises AssertionError where it exceeds
    `tolerance`, naming the entry in which they differ most, and ValueError for a gradient of another shape than the
    array's.
    """
    if np.shape(gradient) != np.shape(array):
        raise ValueError(f"{name}: expected the array's shape {np.shape(array)}, got {np.shape(gradient)}")
    numerical = numerical_gradient(loss, array, step)
    difference = np.abs(gradient - numerical)
    scale = max(np.abs(gradient).max(initial=0), np.abs(numerical).max(initial=0), FLOOR)
    error = float(difference.max(initial=0) / scale)
    if not error <= tolerance:  # so that nan fails too
        raise AssertionError(f"{name}: {_where_they_differ(np.asarray(gradient), numerical, difference)}")
    return error


def _moved(measure, array, index, by):
    """The loss with one entry moved. The entry is put back even where the loss raises."""
    kept = array[index]
    array[index] = kept + by
    try:
        value = np.asarray(measure())
    finally:
        array[index] = kept
    if value.shape != () or value.dtype.kind not in "fiu":
        raise ValueError(f"loss: expected one real number, got {value.dtype} of shape {value.shape}")
    return float(value)


def _where_they_differ(by_hand, numerical, difference):
    """The entry that is most wrong, and a guess where all entries are wrong alike."""
    worst = np.unravel_index(np.argmax(np.where(np.isnan(difference), np.inf, difference)), difference.shape)
    place = f"at {[int(i) for i in worst]} " if worst else ""
    said = f"{place}by hand {by_hand[worst]:.6g}, by central differences {numerical[worst]:.6g}"
    return said + _common_factor(by_hand, numerical)


def _common_factor(by_hand, numerical):
    """Words for a gradient that is a multiple of the right one, which points at a mean, a sum or a sign."""
    power = float(np.sum(numerical**2))
    factor = float(np.sum(by_hand * numerical)) / power if power > 0 else np.nan
    alike = np.isfinite(factor) and np.allclose(by_hand, factor * numerical, rtol=1e-3, atol=1e-8)
    if not alike or abs(factor - 1) < 0.01:
        return ""
    if abs(factor) < 1e-6:
        return "; by hand it is zero everywhere"
    return f"; it is {factor:.4g} times the right one everywhere: a sign, or a mean that should be a sum?"


def _takes_nothing(loss):
    """Can the loss be called without arguments?"""
    try:
        parameters = inspect.signature(loss).parameters.values()
        return all(each.default is not each.empty or each.kind in (each.VAR_POSITIONAL, each.VAR_KEYWORD)
                   for each in parameters)
    except (TypeError, ValueError):
        raise ValueError(f"loss: expected a function of the array or of nothing, got {loss!r}") from None


def _expect_float64(array):
    if not isinstance(array, np.ndarray) or array.dtype != np.float64:
        got = array.dtype if isinstance(array, np.ndarray) else type(array).__name__
        raise ValueError(f"array: expected a NumPy array of float64, got {got}; use array.astype(float)")
