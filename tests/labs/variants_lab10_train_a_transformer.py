"""Different right ways to write lab 10: a fair grader gives each of them full points."""

import math
import sys

import numpy as np

# shifted_targets


def shifted_targets_by_a_loop(target, start, end):
    B, T = target.shape
    told, wanted = np.zeros((B, T + 1), dtype=int), np.zeros((B, T + 1), dtype=int)
    for b in range(B):
        n = int(np.count_nonzero(target[b]))
        told[b, 0], told[b, 1:] = start, target[b]
        wanted[b, :n], wanted[b, n] = target[b, :n], end
    return told, wanted


def shifted_targets_by_padding(target, start, end):
    told = np.pad(target, ((0, 0), (1, 0)), constant_values=start)
    longer = np.pad(target, ((0, 0), (0, 1)))
    first_free = (longer == 0).argmax(axis=1)
    return told, np.where(np.arange(longer.shape[1]) == first_free[:, None], end, longer)


def shifted_targets_by_lists(target, start, end):
    rows = [[int(i) for i in row if i != 0] for row in target]
    T = target.shape[1]
    wanted = [row + [end] + [0] * (T - len(row)) for row in rows]
    told = [[start, *row, *[0] * (T - len(row))] for row in rows]
    return np.array(told), np.array(wanted)


def shifted_targets_by_put_along_axis(target, start, end):
    B = target.shape[0]
    wanted = np.hstack([target, np.zeros((B, 1), target.dtype)])
    np.put_along_axis(wanted, np.sum(target > 0, axis=1, keepdims=True), end, axis=1)
    return np.insert(target, 0, start, axis=1), wanted


# attention_masks


def attention_masks_by_a_loop(source, told):
    (B, S), T = source.shape, told.shape[1]
    encoder, decoder, cross = np.zeros((B, S, S), bool), np.zeros((B, T, T), bool), np.zeros((B, T, S), bool)
    for b in range(B):
        for j in range(S):
            encoder[b, :, j] = cross[b, :, j] = source[b, j] != 0
        for i in range(T):
            for j in range(i + 1):
                decoder[b, i, j] = told[b, j] != 0
    return encoder, decoder, cross


def attention_masks_by_broadcasting(source, told):
    (B, S), T = source.shape, told.shape[1]
    real, i, j = source.astype(bool), np.arange(T)[:, None], np.arange(T)
    decoder = (j <= i) * (told > 0).reshape(B, 1, T)
    return np.broadcast_to(real[:, None], (B, S, S)), decoder, np.broadcast_to(real[:, None], (B, T, S))


def attention_masks_by_tril(source, told):
    S, T = source.shape[1], told.shape[1]
    real, written = np.not_equal(source, 0), np.not_equal(told, 0)
    decoder = np.tril(np.tile(written[:, None, :], (1, T, 1)))
    return np.tile(real[:, None, :], (1, S, 1)), decoder, np.stack([real] * T, axis=1)


def attention_masks_by_lengths(source, told):
    S, T = source.shape[1], told.shape[1]
    reads, writes = (np.count_nonzero(ids, axis=1)[:, None, None] for ids in (source, told))
    j, i = np.arange(T), np.arange(T)[:, None]
    read = np.arange(S) < reads
    return [np.tile(read, (1, S, 1)), np.logical_and(j < writes, j <= i), np.tile(read, (1, T, 1))]


# learning_rate


def learning_rate_by_numpy(step, d_model, warmup):
    return np.minimum(np.power(float(step), -0.5), step * np.power(float(warmup), -1.5)) / np.sqrt(d_model)


def learning_rate_by_branches(step, d_model, warmup):
    if step < warmup:
        return step / (math.sqrt(d_model) * warmup * math.sqrt(warmup))
    return 1 / math.sqrt(d_model * step)


def learning_rate_by_logarithms(step, d_model, warmup):
    powers = [-0.5 * math.log(step), math.log(step) - 1.5 * math.log(warmup)]
    return math.exp(min(powers) - 0.5 * math.log(d_model))


def learning_rate_from_the_peak(step, d_model, warmup):
    peak = (d_model * warmup) ** -0.5
    return peak * min(step / warmup, (warmup / step) ** 0.5)


# smoothed_cross_entropy


def smoothed_cross_entropy_by_a_loop(logits, wanted, epsilon):
    B, T, V = logits.shape
    n, loss, d_logits = np.count_nonzero(wanted), 0.0, np.zeros_like(logits)
    for b in range(B):
        for t in range(T):
            if wanted[b, t] == 0:
                continue
            z = logits[b, t] - max(logits[b, t])
            log_p = z - math.log(sum(np.exp(z)))
            q = np.full(V, epsilon / V)
            q[wanted[b, t]] += 1 - epsilon
            loss -= sum(q * log_p) / n
            d_logits[b, t] = (np.exp(log_p) - q) / n
    return loss, d_logits


def smoothed_cross_entropy_in_two_parts(logits, wanted, epsilon):
    top = logits.max(axis=-1, keepdims=True)
    log_p = logits - top - np.log(np.sum(np.exp(logits - top), axis=-1, keepdims=True))
    real = wanted > 0
    chosen = np.take_along_axis(log_p, wanted[..., None], axis=-1)[..., 0]
    loss = -((1 - epsilon) * chosen[real] + epsilon * log_p[real].mean(axis=-1)).mean()
    d_logits = np.exp(log_p) - epsilon / logits.shape[-1]
    at = wanted[..., None]
    np.put_along_axis(d_logits, at, np.take_along_axis(d_logits, at, -1) - 1 + epsilon, -1)
    return loss, d_logits * real[..., None] / real.sum()


def smoothed_cross_entropy_of_the_real_rows(logits, wanted, epsilon):
    B, T = np.nonzero(wanted)
    rows, V = logits[B, T], logits.shape[-1]
    q = np.eye(V)[wanted[B, T]] * (1 - epsilon) + epsilon / V
    powers = np.exp(rows - rows.max(axis=1, keepdims=True))
    p = powers / powers.sum(axis=1, keepdims=True)
    highest = rows.max(axis=1)
    log_sum = np.log(powers.sum(axis=1)) + highest
    d_logits = np.zeros(logits.shape)
    d_logits[B, T] = (p - q) / len(rows)
    return float((log_sum - (q * rows).sum(axis=1)).mean()), d_logits


def smoothed_cross_entropy_by_einsum(logits, wanted, epsilon):
    print("counting tokens", file=sys.stderr)
    V = logits.shape[-1]
    shifted = logits - np.max(logits, axis=2, keepdims=True)
    log_p = shifted - np.log(np.einsum("btv->bt", np.exp(shifted)))[:, :, None]
    share = (wanted != 0) / np.sum(wanted != 0)
    q = np.where(np.arange(V) == wanted[:, :, None], 1 - epsilon + epsilon / V, epsilon / V)
    return np.array(-np.einsum("btv,btv,bt->", q, log_p, share)), np.einsum("btv,bt->btv", np.exp(log_p) - q, share)


# smoothing_floor


def smoothing_floor_by_a_row(V, epsilon):
    q = np.full(V, epsilon / V)
    q[0] += 1 - epsilon
    q = q[q > 0]
    return -np.sum(q * np.log(q))


def smoothing_floor_by_math(V, epsilon):
    others = epsilon / V
    wanted = 1 - (V - 1) * others
    return -wanted * math.log(wanted) - ((V - 1) * others * math.log(others) if epsilon > 0 else 0)


def smoothing_floor_by_a_loop(V, epsilon):
    total = 0.0
    for v in range(V):
        q = epsilon / V + (1 - epsilon if v == 0 else 0)
        if q > 0:
            total -= q * math.log(q)
    return total


def smoothing_floor_with_where(V, epsilon):
    q = np.array([1 - epsilon + epsilon / V] + [epsilon / V] * (V - 1))
    return float(-(q * np.log(np.where(q > 0, q, 1))).sum())


TRIVIAL = {
    "zero and zeros": lambda *args: (0.0, np.zeros_like(args[0])),
    "a constant rate": lambda step, width, *_: np.asarray(width) ** -0.5 * 0.01,
    "masks of True": lambda source, told, *_: tuple(
        np.ones((len(source), n, m), bool) for n, m in _sides(source, told)),
    "log V": lambda size, *_: np.log(np.abs(np.asarray(size, float)) + 2),
}


def _sides(source, told):
    S, T = np.shape(source)[1], np.shape(told)[1]
    return [(S, S), (T, T), (T, S)]

WITHOUT_ARRAYS = {"learning_rate", "smoothing_floor"}  # given numbers alone
EXPECTS_SHAPES = {  # the reference names each array that does not fit
    "attention_masks", "shifted_targets", "smoothed_cross_entropy",
}
