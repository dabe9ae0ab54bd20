"""The parts that every training run needs, forward and backward: the reference solutions of lab 00.

B sentences, T positions, V words that can come next, X embedding width, N and M the widths that a linear layer takes
and gives. `d_name` is the gradient of the loss in `name`.

The solved notebook is built from the bodies of these functions, so each stands on what the notebook has:
`np`, `expect` and the exercises before it.
"""

import numpy as np

from coursekit.shapes import expect


def distances(a, b):
    """How far each row of `a` is from each row of `b`: the root of the sum of squared differences.

    a (N, X), b (M, X). Returns (N, M). Raises ValueError when a shape does not fit.
    """
    expect(a=(a, "N X"), b=(b, "M X"))
    differences = a[:, None, :] - b[None, :, :]  # (N, M, X)
    return np.sqrt((differences**2).sum(axis=-1))  # (N, M)


def log_sum_exp(x, axis=-1):
    """log Σ exp(x) along `axis`, for numbers of any size.

    x any shape. Returns x's shape without that axis.
    """
    peak = np.max(x, axis=axis, keepdims=True)
    total = np.exp(x - peak).sum(axis=axis)  # between 1 and the length of the axis
    return np.squeeze(peak, axis=axis) + np.log(total)


def log_softmax(x, axis=-1):
    """The logarithm of the softmax of x along `axis`, finite wherever x is.

    x any shape. Returns the same shape; the exponentials of a slice sum to 1.
    """
    return x - np.expand_dims(log_sum_exp(x, axis=axis), axis)


def cross_entropy(log_p, targets, mask):
    """The mean of -log p of the right word, over the real words of the batch.

    log_p (B, T, V) log-probabilities, targets (B, T) the ids of the right words, mask (B, T) True where a real word
    stands. Returns one number. Raises ValueError when a shape does not fit or the mask is not boolean.
    """
    expect(log_p=(log_p, "B T V"), targets=(targets, "B T"), mask=(mask, "B T"))
    if mask.dtype != bool:
        raise ValueError(f"mask: expected bool, got {mask.dtype}")
    of_the_right = np.take_along_axis(log_p, targets[..., None], axis=-1)[..., 0]  # (B, T)
    return -of_the_right[mask].mean()


def cross_entropy_backward(log_p, targets, mask):
    """The gradient of `cross_entropy` in the logits whose log_softmax is log_p: (p - y) / number of real words.

    Shapes as for `cross_entropy`. Returns (B, T, V), 0 where the mask is False.
    """
    sizes = expect(log_p=(log_p, "B T V"), targets=(targets, "B T"), mask=(mask, "B T"))
    y = np.eye(sizes["V"], dtype=log_p.dtype)[targets]  # (B, T, V), 1 at the right word
    return (np.exp(log_p) - y) * mask[..., None] / log_p.dtype.type(mask.sum())


def linear_backward(d_y, x, W):
    """From the gradient in y = x W + b to those in x, W and b.

    d_y (..., M), x (..., N), W (N, M), any number of axes in front.
    Returns d_x (..., N), d_W (N, M), d_b (M,). Raises ValueError when a shape does not fit.
    """
    expect(W=(W, "N M"))
    if x.shape != (*d_y.shape[:-1], W.shape[0]) or d_y.shape[-1] != W.shape[1]:
        raise ValueError(f"expected x (..., N), d_y (..., M), W (N, M), got {x.shape}, {d_y.shape}, {W.shape}")
    rows, d_rows = x.reshape(-1, x.shape[-1]), d_y.reshape(-1, d_y.shape[-1])  # (R, N), (R, M)
    return d_y @ W.T, rows.T @ d_rows, d_rows.sum(axis=0)


def unbroadcast(d_y, shape):
    """The gradient in an array of this shape, given that in what NumPy stretched it to.

    d_y an array whose shape `shape` can be stretched to. Returns an array of shape `shape`.
    Raises ValueError where it cannot.
    """
    if np.broadcast_shapes(shape, d_y.shape) != d_y.shape:
        raise ValueError(f"shape: expected one that stretches to {d_y.shape}, got {shape}")
    added = d_y.ndim - len(shape)
    stretched = [added + i for i, size in enumerate(shape) if size == 1]
    return d_y.sum(axis=(*range(added), *stretched)).reshape(shape)


def embedding_backward(d_embedded, ids, rows):
    """From the gradient in table[ids] to that in the table. A row that was taken twice gets both gradients.

    d_embedded (B, T, X), ids (B, T), rows the number of rows of the table. Returns (rows, X).
    Raises ValueError when a shape does not fit.
    """
    sizes = expect(ids=(ids, "B T"), d_embedded=(d_embedded, "B T X"))
    d_table = np.zeros((rows, sizes["X"]), d_embedded.dtype)
    np.add.at(d_table, ids, d_embedded)  # d_table[ids] += ... would keep one of the repeated
    return d_table
