"""Different right ways to write lab 18: a fair grader gives each of them full points."""

import numpy as np

from tests.labs.float32 import in_float32

# linear_attention

RULES = {"linear": (False, False), "gated": (True, False), "delta": (False, True), "gated_delta": (True, True)}


def _refuse(q, k, decay, beta, rule):
    if rule not in RULES:
        raise ValueError(f"no rule {rule}")
    if RULES[rule] != (decay is not None, beta is not None):
        raise ValueError(f"{rule} takes another decay or beta")
    if q.shape[1] % k.shape[1]:
        raise ValueError("G does not divide H")


def linear_attention_by_einsum(q, k, v, state=None, decay=None, beta=None, rule="linear"):
    _refuse(q, k, decay, beta, rule)
    B, H, T, d = q.shape
    G, e = k.shape[1], v.shape[3]
    S = np.zeros((B, G, d, e)) if state is None else np.array(state)
    output = np.empty((B, H, T, e))
    for t in range(T):
        if decay is not None:
            S = np.exp(decay[:, :, t])[..., None] * S
        new = v[:, :, t]
        if beta is not None:
            new = beta[:, :, t] * (new - np.einsum("bgd,bgde->bge", k[:, :, t], S))
        S = S + np.einsum("bgd,bge->bgde", k[:, :, t], new)
        queries = q[:, :, t].reshape(B, G, H // G, d)
        output[:, :, t] = np.einsum("bgnd,bgde->bgne", queries, S).reshape(B, H, e)
    return output, S


def linear_attention_head_by_head(q, k, v, state=None, decay=None, beta=None, rule="linear"):
    _refuse(q, k, decay, beta, rule)
    B, H, T, d = q.shape
    G = k.shape[1]
    S = np.zeros((B, G, d, v.shape[-1])) if state is None else state.astype(float)
    output = np.zeros((B, H, T, v.shape[-1]))
    for b in range(B):
        for t in range(T):
            for g in range(G):
                M = S[b, g].copy()
                if rule in ("gated", "gated_delta"):
                    M = M * np.exp(decay[b, g, t]).reshape(-1, 1)
                write = v[b, g, t]
                if rule in ("delta", "gated_delta"):
                    write = beta[b, g, t, 0] * (write - M.T @ k[b, g, t])
                S[b, g] = M + np.outer(k[b, g, t], write)
            for n in range(H):
                output[b, n, t] = S[b, n // (H // G)].T @ q[b, n, t]
    return output, S


def linear_attention_with_a_matrix_of_each_step(q, k, v, state=None, decay=None, beta=None, rule="linear"):
    _refuse(q, k, decay, beta, rule)
    n, d = q.shape[1] // k.shape[1], q.shape[3]
    S = np.zeros((*k.shape[:2], d, v.shape[3])) if state is None else state
    rows = []
    for t in range(q.shape[2]):
        key, share = k[:, :, t, :, None], 0 if beta is None else beta[:, :, t, :, None]
        fade = np.ones(d) if decay is None else np.exp(decay[:, :, t])
        step = (np.eye(d) - share * key @ key.swapaxes(2, 3)) * fade[..., None, :]     # (B, G, d, d)
        S = step @ S + (share if beta is not None else 1) * key * v[:, :, t, None]
        rows.append(np.matmul(q[:, :, t, None], S.repeat(n, axis=1)))
    return [np.concatenate(rows, axis=2), S]


def linear_attention_of_full_arguments(q, k, v, state=None, decay=None, beta=None, rule="linear"):
    _refuse(q, k, decay, beta, rule)
    forget = np.zeros((*k.shape[:3], 1)) if decay is None else decay
    S = np.zeros((*k.shape[:2], k.shape[3], v.shape[3]), v.dtype) if state is None else state
    group, output = np.arange(q.shape[1]) // (q.shape[1] // k.shape[1]), []
    for t in range(q.shape[2]):
        key, value, query = k[:, :, t], v[:, :, t], q[:, :, t]
        S = S * np.exp(forget[:, :, t])[..., None]
        known = 0 if beta is None else (key[..., None] * S).sum(axis=2)
        write = value - known if beta is None else (value - known) * beta[:, :, t]
        S = S + key[..., None] * write[..., None, :]
        output.append((query[..., None] * S[:, group]).sum(axis=2))
    return np.moveaxis(np.array(output), 0, 2), S


# linear_attention_parallel


def _groups(q, k, decay):
    if decay is not None and decay.shape != (*k.shape[:3], 1):
        raise ValueError(f"decay: one a step, got {decay.shape}")
    n, rest = divmod(q.shape[1], k.shape[1])
    if rest:
        raise ValueError(f"{k.shape[1]} groups for {q.shape[1]} heads")
    return np.arange(q.shape[1]) // n


def linear_attention_parallel_by_einsum(q, k, v, decay=None):
    group = _groups(q, k, decay)
    T = q.shape[2]
    weights = np.einsum("bhtd,bhsd->bhts", q, k[:, group])
    if decay is not None:
        c = decay[..., 0][:, group].cumsum(axis=-1)
        gap = c[:, :, :, None] - c[:, :, None, :]
        weights = weights * np.exp(np.where(np.triu(np.ones((T, T)), 1) > 0, 0, gap))
    return np.einsum("bhts,bhse->bhte", np.tril(weights), v[:, group])


def linear_attention_parallel_with_an_axis_more(q, k, v, decay=None):
    _groups(q, k, decay)
    B, H, T, d = q.shape
    G = k.shape[1]
    weights = q.reshape(B, G, H // G, T, d) @ k[:, :, None].swapaxes(-1, -2)
    seen = np.arange(T)[:, None] >= np.arange(T)
    if decay is not None:
        c = np.cumsum(decay[:, :, None, :, 0], axis=-1)
        weights = weights * np.exp(np.minimum(c[..., :, None] - c[..., None, :], 0))
    return ((weights * seen) @ v[:, :, None]).reshape(B, H, T, -1)


def linear_attention_parallel_row_by_row(q, k, v, decay=None):
    group, output = _groups(q, k, decay), np.zeros((*q.shape[:3], v.shape[3]))
    for b in range(q.shape[0]):
        for n, g in enumerate(group):
            for t in range(q.shape[2]):
                weights = k[b, g, :t + 1] @ q[b, n, t]
                if decay is not None:
                    after = [decay[b, g, s + 1:t + 1, 0].sum() for s in range(t + 1)]
                    weights = weights * np.exp(after)
                output[b, n, t] = weights @ v[b, g, :t + 1]
    return output


def linear_attention_parallel_with_added_logarithms(q, k, v, decay=None):
    group = _groups(q, k, decay)
    T = q.shape[2]
    after = np.zeros((q.shape[0], q.shape[1], T, T))
    if decay is not None:
        for t in range(1, T):
            after[:, :, t, :t] = after[:, :, t - 1, :t] + decay[:, group, t]
    factors = np.where(np.tri(T, dtype=bool), np.exp(after), 0)
    return np.matmul(np.matmul(q, k[:, group].transpose(0, 1, 3, 2)) * factors, v[:, group])


# scan


def _one_shape(a, b):
    if np.shape(a) != np.shape(b) or np.ndim(a) < 2 or not np.shape(a)[1]:
        raise ValueError(f"expected one shape, got {np.shape(a)} and {np.shape(b)}")


def scan_into_an_array(a, b):
    _one_shape(a, b)
    h = np.zeros_like(b)
    h[:, 0] = b[:, 0]
    for t in range(1, b.shape[1]):
        h[:, t] = a[:, t] * h[:, t - 1] + b[:, t]
    return h


def scan_by_doubling(a, b):
    _one_shape(a, b)
    a, b, reach = a.copy(), b.copy(), 1
    while reach < a.shape[1]:
        b[:, reach:] = a[:, reach:] * b[:, :-reach] + b[:, reach:]
        a[:, reach:] = a[:, reach:] * a[:, :-reach]
        reach *= 2
    return b


def scan_by_halves(a, b):
    _one_shape(a, b)
    if a.shape[1] == 1:
        return b.copy()
    half = a.shape[1] // 2
    first, second = (scan_by_halves(a[:, part], b[:, part]) for part in (slice(half), slice(half, None)))
    carried = np.cumprod(a[:, half:], axis=1) * first[:, -1:]
    return np.concatenate([first, second + carried], axis=1)


def scan_from_a_state_of_zeros(a, b):
    _one_shape(a, b)
    state, rows = np.zeros_like(b[:, 0]), []
    for factor, new in zip(a.swapaxes(0, 1), b.swapaxes(0, 1), strict=True):
        rows.append(state := factor * state + new)
    return np.array(rows).swapaxes(0, 1)


# discretise


def discretise_by_the_ratio(A, B, delta):
    x = np.asarray(delta * A)
    still = x == 0
    ratio = np.divide(np.expm1(x), x, out=np.ones_like(x), where=~still)
    return np.exp(x), delta * ratio * B


def discretise_where_it_moves(A, B, delta):
    A_all, B_all, delta_all = (np.array(x) for x in np.broadcast_arrays(A, B, delta))
    B_bar, moving = delta_all * B_all, A_all != 0
    B_bar[moving] = np.expm1(delta_all[moving] * A_all[moving]) / A_all[moving] * B_all[moving]
    return np.exp(delta_all * A_all), B_bar


def discretise_quietly(A, B, delta):
    with np.errstate(divide="ignore", invalid="ignore"):
        B_bar = np.expm1(delta * A) * B / A
    return [np.exp(A * delta), np.where(A == 0, delta * B, B_bar)]


def discretise_by_sinh(A, B, delta):
    half = delta * A / 2
    safe = np.where(A == 0, 1, A)
    with np.errstate(over="ignore", invalid="ignore"):
        near = 2 * np.exp(half) * np.sinh(half)
        grown = np.where(np.abs(half) < 1, near, np.exp(delta * A) - 1)
    return np.exp(delta * A), np.where(A == 0, delta, grown / safe) * B


# causal_conv


def _before(x, w, state):
    if w.shape[0] != x.shape[1] or w.shape[1] < 1:
        raise ValueError(f"w: expected {x.shape[1]} channels and a tap, got {w.shape}")
    before = np.zeros((*x.shape[:2], w.shape[1] - 1)) if state is None else state
    if before.shape != (*x.shape[:2], w.shape[1] - 1):
        raise ValueError(f"state: expected K - 1 inputs, got {before.shape}")
    return np.concatenate([before, x], axis=-1)


def causal_conv_by_windows(x, w, state=None):
    line = _before(x, w, state)
    windows = np.lib.stride_tricks.sliding_window_view(line, w.shape[1], axis=-1)
    return np.einsum("bctk,ck->bct", windows, w), line[..., line.shape[-1] - w.shape[1] + 1:].copy()


def causal_conv_step_by_step(x, w, state=None):
    kept, rows = _before(x[:, :, :0], w, state), []
    for t in range(x.shape[2]):
        last = np.concatenate([kept, x[:, :, t, None]], axis=2)
        rows.append((last * w).sum(axis=2))
        kept = last[:, :, 1:]
    return np.stack(rows, axis=2), kept


def causal_conv_by_convolve(x, w, state=None):
    line = _before(x, w, state)
    rows = [[np.convolve(channel, taps[::-1], "valid") for channel, taps in zip(one, w, strict=True)] for one in line]
    return np.array(rows), line[:, :, x.shape[2]:]


def causal_conv_tap_by_tap(x, w, state=None):
    line, K = _before(x, w, state), w.shape[1]
    y = np.zeros(x.shape)
    for lag in range(K):
        start = K - 1 - lag
        y = y + line[:, :, start:start + x.shape[2]] * w[None, :, K - 1 - lag, None]
    return y, np.array(line[:, :, -(K - 1):] if K > 1 else line[:, :, :0])


# route


def _probabilities(logits, k):
    if k < 1 or k > logits.shape[-1]:
        raise ValueError(f"expected 1 <= k <= {logits.shape[-1]}, got {k}")
    if np.isnan(logits).any() or np.isinf(logits).any():
        raise ValueError("expected finite logits")
    power = np.exp(logits - np.max(logits, axis=-1, keepdims=True))
    return power / np.sum(power, axis=-1, keepdims=True)


def route_by_two_keys(logits, k, renormalise):
    p = _probabilities(logits, k)
    numbers = np.broadcast_to(np.arange(logits.shape[-1]), logits.shape)
    ids = np.lexsort((numbers, -logits), axis=-1)[..., :k]
    weights = np.take_along_axis(p, ids, axis=-1)
    return ids, weights / weights.sum(axis=-1, keepdims=True) if renormalise else weights


def route_token_by_token(logits, k, renormalise):
    p = _probabilities(logits, k)
    ids = np.empty((*logits.shape[:-1], k), int)
    weights = np.empty((*logits.shape[:-1], k))
    for place in np.ndindex(logits.shape[:-1]):
        chosen = sorted(range(logits.shape[-1]), key=lambda i: (-logits[place][i], i))[:k]
        ids[place], weights[place] = chosen, p[place][chosen]
        weights[place] /= weights[place].sum() if renormalise else 1
    return ids, weights


def route_one_after_the_other(logits, k, renormalise):
    p, left, ids = _probabilities(logits, k), logits.astype(float), []
    for _ in range(k):
        best = left.argmax(axis=-1)[..., None]
        np.put_along_axis(left, best, -np.inf, axis=-1)
        ids.append(best)
    ids = np.concatenate(ids, axis=-1)
    weights = np.take_along_axis(p, ids, axis=-1)
    return [ids, weights / (weights.sum(axis=-1, keepdims=True) if renormalise else 1)]


def route_by_the_end(logits, k, renormalise):
    _probabilities(logits, k)
    E = logits.shape[-1]
    ids = E - 1 - np.argsort(logits[..., ::-1], axis=-1, kind="stable")[..., ::-1][..., :k]
    chosen = np.take_along_axis(logits, ids, axis=-1)
    over = chosen if renormalise else logits
    top = chosen[..., :1]
    return ids, np.exp(chosen - top) / np.exp(over - top).sum(axis=-1, keepdims=True)


# balance_loss


def _tokens(probabilities, ids):
    E = probabilities.shape[-1]
    if ids.size == 0 or not np.issubdtype(ids.dtype, np.integer) or (ids < 0).any() or (ids >= E).any():
        raise ValueError(f"expected ids from 0 to {E - 1}")
    if probabilities.shape[:-1] != ids.shape[:-1]:
        raise ValueError("expected as many tokens as rows of ids")
    return probabilities.reshape(-1, E), ids.reshape(-1, ids.shape[-1])


def balance_loss_by_one_hot(probabilities, ids):
    rows, chosen = _tokens(probabilities, ids)
    E = rows.shape[1]
    share = (chosen[..., None] == np.arange(E)).mean(axis=(0, 1))
    return E * np.sum(share * rows.mean(axis=0))


def balance_loss_expert_by_expert(probabilities, ids):
    rows, chosen = _tokens(probabilities, ids)
    E = rows.shape[1]
    return sum(E * np.mean(chosen == expert) * np.mean(rows[:, expert]) for expert in range(E))


def balance_loss_by_add_at(probabilities, ids):
    rows, chosen = _tokens(probabilities, ids)
    count = np.zeros(rows.shape[1])
    np.add.at(count, chosen, 1)
    return np.float64(len(count) * np.dot(count / count.sum(), rows.sum(axis=0) / len(rows)))


def balance_loss_by_the_chosen_columns(probabilities, ids):
    rows, chosen = _tokens(probabilities, ids)
    return np.array(rows.shape[1] * rows.mean(axis=0)[chosen].mean())


linear_attention_in_float32 = in_float32(linear_attention_by_einsum)
linear_attention_parallel_in_float32 = in_float32(linear_attention_parallel_by_einsum)
scan_in_float32 = in_float32(scan_into_an_array)
discretise_in_float32 = in_float32(discretise_by_the_ratio)
causal_conv_in_float32 = in_float32(causal_conv_by_windows)
route_in_float32 = in_float32(route_by_two_keys)

TRIVIAL = {
    "the values, and a state of zeros": lambda *args, **options: (args[-1], np.zeros(1)),
    "the values alone": lambda *args, **options: args[2 % len(args)],
    "an even load": lambda *args, **options: 1.0,
    "the first experts, evenly": lambda *args, **options: (np.zeros(1, int), np.ones(1)),
}

EXPECTS_SHAPES = {"linear_attention", "linear_attention_parallel", "causal_conv"}
