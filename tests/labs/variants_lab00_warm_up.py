"""Different right ways to write lab 00: a fair grader gives each of them full points."""

import sys

import numpy as np

from tests.labs.float32 import in_float32


def distances_by_a_loop(a, b):
    return np.array([[sum((p - q) ** 2 for p, q in zip(one, other, strict=True)) ** 0.5 for other in b] for one in a])


def distances_by_norm(a, b):
    return np.linalg.norm(np.expand_dims(a, 1) - b, axis=2)


def distances_by_products(a, b):
    squares = (a**2).sum(1, keepdims=True) - 2 * a @ b.T + (b**2).sum(1)
    return np.sqrt(np.maximum(squares, 0))


def log_sum_exp_by_logaddexp(x, axis=-1):
    return np.logaddexp.reduce(x, axis=axis)


def log_sum_exp_by_a_loop(x, axis=-1):
    def of_one(row):
        return max(row) + np.log(sum(np.exp(entry - max(row)) for entry in row))

    return np.apply_along_axis(of_one, axis, x)


def log_sum_exp_by_moving_the_axis(x, axis=-1):
    rows = np.moveaxis(x, axis, 0)
    return rows.max(0) + np.log(np.exp(rows - rows.max(0)).sum(0))


def log_softmax_by_logaddexp(x, axis=-1):
    return x - np.logaddexp.reduce(x, axis=axis, keepdims=True)


def log_softmax_shifted_first(x, axis=-1):
    shifted = x - np.amax(x, axis=axis, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=axis, keepdims=True))


def log_softmax_with_a_warning(x, axis=-1):
    print("deprecated, they say", file=sys.stderr)
    np.array([1.0]) / np.array([0.0])  # a RuntimeWarning of no consequence
    return np.moveaxis(log_softmax_shifted_first(np.moveaxis(x, axis, 0), 0), 0, axis)


def cross_entropy_by_a_loop(log_p, targets, mask):
    found = [log_p[b, t, targets[b, t]] for b, t in np.ndindex(mask.shape) if mask[b, t]]
    return -sum(found) / len(found)


def cross_entropy_by_one_hot(log_p, targets, mask):
    y = targets[..., None] == np.arange(log_p.shape[-1])
    return -(log_p * y * mask[..., None]).sum() / mask.sum()


def cross_entropy_of_the_real_rows(log_p, targets, mask):
    rows, right = log_p[mask], targets[mask]
    return float(np.mean(-rows[np.arange(len(right)), right]))


def cross_entropy_as_an_array(log_p, targets, mask):
    weights = mask / mask.sum()
    return np.array(-np.einsum("bt,bt->", np.take_along_axis(log_p, targets[:, :, None], 2)[:, :, 0], weights))


def cross_entropy_backward_by_a_loop(log_p, targets, mask):
    out = np.zeros(log_p.shape)
    for b, t in np.ndindex(mask.shape):
        if mask[b, t]:
            out[b, t] = np.exp(log_p[b, t])
            out[b, t, targets[b, t]] -= 1
    return out / mask.sum()


def cross_entropy_backward_by_put_along_axis(log_p, targets, mask):
    d = np.exp(log_p)
    np.put_along_axis(d, targets[..., None], np.take_along_axis(d, targets[..., None], -1) - 1, -1)
    return np.where(mask[..., None], d / np.count_nonzero(mask), 0)


def cross_entropy_backward_of_the_real_rows(log_p, targets, mask):
    out = np.zeros_like(log_p)
    p = np.exp(log_p[mask])
    p[np.arange(len(p)), targets[mask]] -= 1
    out[mask] = p / len(p)
    return out


def linear_backward_by_einsum(d_y, x, W):
    rows, d_rows = x.reshape(-1, x.shape[-1]), d_y.reshape(-1, d_y.shape[-1])
    return np.einsum("...m,nm->...n", d_y, W), np.einsum("rn,rm->nm", rows, d_rows), np.einsum("rm->m", d_rows)


def linear_backward_by_tensordot(d_y, x, W):
    front = tuple(range(x.ndim - 1))
    return d_y.dot(W.T), np.tensordot(x, d_y, axes=(front, front)), d_y.sum(axis=front)


def linear_backward_by_a_loop(d_y, x, W):
    d_x, d_W, d_b = np.zeros(x.shape), np.zeros(W.shape), np.zeros(W.shape[1])
    for place in np.ndindex(x.shape[:-1]):
        d_x[place] = W @ d_y[place]
        d_W += np.outer(x[place], d_y[place])
        d_b += d_y[place]
    return [d_x, d_W, d_b]


def unbroadcast_axis_by_axis(d_y, shape):
    while d_y.ndim > len(shape):
        d_y = d_y.sum(axis=0)
    for axis, size in enumerate(shape):
        if size == 1:
            d_y = d_y.sum(axis=axis, keepdims=True)
    return d_y


def unbroadcast_with_ones_in_front(d_y, shape):
    padded = (1,) * (d_y.ndim - len(shape)) + tuple(shape)
    axes = tuple(i for i, (small, large) in enumerate(zip(padded, d_y.shape, strict=True)) if small != large)
    return np.reshape(np.sum(d_y, axis=axes, keepdims=True), shape)


def unbroadcast_by_a_loop(d_y, shape):
    out = np.zeros(shape)
    for place in np.ndindex(d_y.shape):
        own = place[len(place) - len(shape) :]
        out[tuple(i if size > 1 else 0 for i, size in zip(own, shape, strict=True))] += d_y[place]
    return out


def embedding_backward_by_one_hot(d_embedded, ids, rows):
    one_hot = (ids.reshape(-1, 1) == np.arange(rows)).astype(float)
    return one_hot.T @ d_embedded.reshape(-1, d_embedded.shape[-1])


def embedding_backward_by_a_loop(d_embedded, ids, rows):
    out = np.zeros((rows, d_embedded.shape[2]))
    for b in range(len(ids)):
        for t in range(len(ids[b])):
            out[ids[b, t]] += d_embedded[b, t]
    return out


def embedding_backward_flat(d_embedded, ids, rows):
    out = np.zeros((rows, d_embedded.shape[2]))
    np.add.at(out, ids.ravel(), d_embedded.reshape(ids.size, -1))
    return out


def embedding_backward_word_by_word(d_embedded, ids, rows):
    return np.array([d_embedded[ids == word].sum(axis=0) for word in range(rows)])


distances_in_float32 = in_float32(distances_by_norm)
log_sum_exp_in_float32 = in_float32(log_sum_exp_by_moving_the_axis)
log_softmax_in_float32 = in_float32(log_softmax_shifted_first)
cross_entropy_in_float32 = in_float32(cross_entropy_by_one_hot)
cross_entropy_backward_in_float32 = in_float32(cross_entropy_backward_of_the_real_rows)
linear_backward_in_float32 = in_float32(linear_backward_by_tensordot)
unbroadcast_in_float32 = in_float32(unbroadcast_axis_by_axis)
embedding_backward_in_float32 = in_float32(embedding_backward_flat)

TRIVIAL = {
    "three zeros": lambda *args, **_: tuple(map(np.zeros_like, args)),
    "a constant matrix": lambda *args, **_: np.ones((3, 5)),
}

EXPECTS_SHAPES = {  # the reference names each array that does not fit
    "cross_entropy", "cross_entropy_backward", "distances", "embedding_backward",
}
