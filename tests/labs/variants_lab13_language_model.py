"""Different right ways to write lab 13: a fair grader gives each of them full points."""

import bisect
import itertools
import sys

import numpy as np

from coursekit.tasks.tokens import END, START
from solutions.lab13_language_model import reference
from solutions.lab13_language_model.reference import following
from tests.labs.float32 import in_float32

# next_token_loss


def next_token_loss_by_loops(logits, ids, mask):
    (B, T, V), n = logits.shape, max(int(mask[:, 1:].sum()), 1)
    _known(ids, V)
    loss, d_logits = 0.0, np.zeros(logits.shape)
    for b, t in itertools.product(range(B), range(T - 1)):
        if mask[b, t + 1]:
            row = logits[b, t].astype(float) - logits[b, t].max()
            p = np.exp(row) / np.exp(row).sum()
            loss += np.log(np.exp(row).sum()) - row[ids[b, t + 1]]
            d_logits[b, t] = p / n
            d_logits[b, t, ids[b, t + 1]] -= 1 / n
    return loss / n, d_logits


def next_token_loss_of_chosen_rows(logits, ids, mask):
    V = logits.shape[-1]
    _known(ids, V)
    rows, places = np.nonzero(mask[:, 1:])
    targets, d_logits = ids[rows, places + 1], np.zeros_like(logits)
    if not len(rows):
        return 0.0, d_logits
    log_p = reference.log_softmax(logits[rows, places])
    d_logits[rows, places] = (np.exp(log_p) - np.eye(V)[targets]) / len(rows)
    return -log_p[np.arange(len(rows)), targets].mean(), d_logits


def next_token_loss_with_put_along_axis(logits, ids, mask):
    print("with put_along_axis", file=sys.stderr)
    _known(ids, logits.shape[-1])
    targets = np.concatenate([ids[:, 1:], ids[:, :1]], axis=1)[..., None]
    counts = np.concatenate([mask[:, 1:], np.zeros_like(mask[:, :1])], axis=1)[..., None]
    p = np.exp(logits - logits.max(axis=-1, keepdims=True))
    total = p.sum(axis=-1, keepdims=True)
    own = np.take_along_axis(logits - logits.max(axis=-1, keepdims=True), targets, -1) - np.log(total)
    d_logits, n = p / total, np.maximum(counts.sum(), 1)
    np.put_along_axis(d_logits, targets, np.take_along_axis(d_logits, targets, -1) - 1, -1)
    return np.sum(-own, where=counts) / n, np.where(counts, d_logits, 0) / n


def next_token_loss_with_lists_of_rows(logits, ids, mask):
    _known(ids, logits.shape[-1])
    flat, targets, counts = logits[:, :-1].reshape(-1, logits.shape[-1]), ids[:, 1:].ravel(), mask[:, 1:].ravel()
    log_p = reference.log_softmax(flat)
    n = sum(counts.tolist()) or 1
    loss = sum(-log_p[i, target] for i, target in enumerate(targets) if counts[i]) / n
    d_flat = (np.exp(log_p) - (targets[:, None] == np.arange(logits.shape[-1]))) * counts[:, None] / n
    d_logits = d_flat.reshape(len(logits), -1, logits.shape[-1])
    return loss, np.pad(d_logits, ((0, 0), (0, 1), (0, 0)))


def _known(ids, V):
    if np.any(ids < 0) or np.any(ids >= V):
        raise ValueError(f"ids: expected 0 to {V - 1}, got {ids}")


# filter_logits


def filter_logits_a_row_at_a_time(logits, temperature, top_k, top_p):
    _settings(temperature, top_k, top_p)
    if logits.ndim > 1:
        return np.array([filter_logits_a_row_at_a_time(row, temperature, top_k, top_p) for row in logits])
    kept, best = np.full(len(logits), -np.inf), sorted(range(len(logits)), key=lambda i: (-logits[i], i))
    if temperature == 0:
        kept[best[0]] = logits[best[0]]
        return kept
    best, total = best[:top_k], 0.0
    powers = np.exp((logits[best] - logits[best[0]]) / temperature)
    for i, share in zip(best, powers / powers.sum(), strict=True):
        kept[i] = logits[i] / temperature
        total += share
        if total >= top_p and top_p < 1:
            break
    return kept


def filter_logits_by_ranks(logits, temperature, top_k, top_p):
    _settings(temperature, top_k, top_p)
    V, order = logits.shape[-1], np.argsort(-logits, axis=-1, kind="stable")
    ranks = np.argsort(order, axis=-1)                                 # of each token, 0 the likeliest
    scaled = logits / temperature if temperature else logits
    left = np.where(ranks < (top_k if temperature else 1), scaled, -np.inf)
    p = reference.softmax(left, axis=-1)
    likelier = np.array([[row[ranks_ < r].sum() for r in ranks_] for row, ranks_ in zip(
        p.reshape(-1, V), ranks.reshape(-1, V), strict=True)]).reshape(logits.shape)
    return np.where((likelier < top_p) | (ranks == 0) | (top_p >= 1), left, -np.inf)


def filter_logits_in_three_steps(logits, temperature, top_k, top_p):
    _settings(temperature, top_k, top_p)
    logits = np.array(logits)
    if temperature == 0:
        best = np.expand_dims(np.argmax(logits, axis=-1), -1)
        return np.where(np.arange(logits.shape[-1]) == best, logits, -np.inf)
    logits = logits / temperature
    order = np.argsort(-logits, axis=-1, kind="mergesort")
    np.put_along_axis(logits, order[..., top_k:], -np.inf, axis=-1)
    if top_p < 1:
        p = np.take_along_axis(reference.softmax(logits, axis=-1), order, axis=-1)
        crossed = np.cumsum(p, axis=-1) >= top_p
        gone = np.concatenate([np.zeros_like(crossed[..., :1]), crossed[..., :-1]], axis=-1)
        worse = np.take_along_axis(logits, order, axis=-1)
        worse[gone] = -np.inf
        np.put_along_axis(logits, order, worse, axis=-1)
    return logits


def filter_logits_by_the_least_that_is_kept(logits, temperature, top_k, top_p):
    _settings(temperature, top_k, top_p)
    rows, V = logits.reshape(-1, logits.shape[-1]), logits.shape[-1]
    kept = np.full(rows.shape, -np.inf)
    for row, out in zip(rows, kept, strict=True):
        order = np.lexsort((np.arange(V), -row))[:1 if temperature == 0 else min(top_k, V)]
        scaled = row[order] / (temperature or 1)
        sums = np.cumsum(np.exp(scaled - scaled[0])) / np.exp(scaled - scaled[0]).sum()
        n = len(order) if top_p == 1 else np.searchsorted(sums, top_p) + 1
        out[order[:n]] = scaled[:n]
    return kept.reshape(logits.shape)


def _settings(temperature, top_k, top_p):
    if temperature < 0 or top_k < 1 or top_p < 0 or top_p > 1:
        raise ValueError(f"expected a temperature, top_k and top_p in range, got {temperature}, {top_k}, {top_p}")


# sample


def sample_by_searchsorted(probabilities, u):
    _drawable(probabilities, u)
    ends = np.cumsum(probabilities)
    return int(np.searchsorted(ends / ends[-1], u, side="right"))


def sample_by_a_loop(probabilities, u):
    _drawable(probabilities, u)
    total, end = probabilities.sum(dtype=float), 0.0
    for token, p in enumerate(probabilities):
        end += float(p)
        if p > 0 and (u * total < end or not probabilities[token + 1 :].any()):
            return token
    return None


def sample_by_bisection(probabilities, u):
    _drawable(probabilities, u)
    ends = list(itertools.accumulate(probabilities.tolist()))
    return bisect.bisect_right([end / ends[-1] for end in ends], u)


def sample_as_an_array(probabilities, u):
    _drawable(probabilities, u)
    ends = probabilities.cumsum()
    return np.argmax(ends / ends[-1] > np.float64(u))


def _drawable(probabilities, u):
    if not 0 <= u < 1 or probabilities.min() < 0 or not probabilities.any():
        raise ValueError(f"probabilities and u: expected something to draw from, got {probabilities} and {u}")


# attend_with_cache


def attend_with_cache_by_loops(q, k, v, cache, mask=None):
    keys, values = (k, v) if cache is None else (np.append(old, new, 2) for old, new in zip(cache, (k, v), strict=True))
    B, H, T, _ = q.shape
    output, past = np.zeros_like(v), keys.shape[2] - T
    for b, h, i in np.ndindex(B, H, T):
        seen = [j for j in range(past + i + 1) if mask is None or mask[b, j]]
        if seen:
            scores = keys[b, h, seen] @ q[b, h, i] / q.shape[-1] ** 0.5
            powers = np.exp(scores - scores.max())
            output[b, h, i] = powers / powers.sum() @ values[b, h, seen]
    return output, (keys, values)


def attend_with_cache_by_einsum(q, k, v, cache, mask=None):
    old_keys, old_values = cache or (np.zeros_like(k[:, :, :0]), np.zeros_like(v[:, :, :0]))
    keys, values = np.concatenate((old_keys, k), 2), np.concatenate((old_values, v), 2)
    T, S = k.shape[2], keys.shape[2]
    scores = np.einsum("bhid,bhjd->bhij", q, keys) / np.sqrt(q.shape[-1])
    hidden = np.triu(np.ones((T, S), bool), S - T + 1)
    hidden = hidden if mask is None else hidden | ~mask[:, None, None]
    scores = np.where(hidden, -np.inf, scores)
    top = scores.max(axis=-1, keepdims=True)
    powers = np.exp(scores - np.where(np.isneginf(top), 0, top))
    total = powers.sum(axis=-1, keepdims=True)
    return np.einsum("bhij,bhje->bhie", powers / np.where(total, total, 1), values), [keys, values]


def attend_with_cache_into_buffers(q, k, v, cache, mask=None):
    past = 0 if cache is None else cache[0].shape[2]
    buffers = []
    for i, new in enumerate((k, v)):
        if cache is not None and cache[i].shape[:2] != new.shape[:2]:
            raise ValueError("a cache of other sentences")
        whole = np.empty((*new.shape[:2], past + new.shape[2], new.shape[3]), new.dtype)
        if past:
            whole[:, :, :past] = cache[i]
        whole[:, :, past:] = new
        buffers.append(whole)
    may_look = np.tri(q.shape[2], past + q.shape[2], past, dtype=bool)
    may_look = may_look if mask is None else np.logical_and(may_look[None, None], mask[:, np.newaxis, np.newaxis])
    return reference.scaled_dot_product_attention(q, *buffers, may_look)[0], tuple(buffers)


def attend_with_cache_a_token_at_a_time(q, k, v, cache, mask=None):
    outputs, cache = [], cache or (k[:, :, :0], v[:, :, :0])
    for i in range(q.shape[2]):
        one = slice(i, i + 1)
        cache = tuple(np.concatenate([old, new[:, :, one]], axis=2) for old, new in zip(cache, (k, v), strict=True))
        seen = None if mask is None else mask[:, None, None, : cache[0].shape[2]]
        outputs.append(reference.scaled_dot_product_attention(q[:, :, one], *cache, seen)[0])
    return np.concatenate(outputs, axis=2), cache


# generate


def generate_by_recursion(table, prompt, uniforms, temperature, top_k, top_p):
    if not len(uniforms):
        return []
    logits = reference.filter_logits(following(table, [START, *prompt]), temperature, top_k, top_p)
    token = reference.sample(reference.softmax(logits, axis=-1), uniforms[0])
    if token == END:
        return [token]
    return [token, *generate_by_recursion(table, [*prompt, token], uniforms[1:], temperature, top_k, top_p)]


def generate_with_its_own_softmax(table, prompt, uniforms, temperature, top_k, top_p):
    told, written = [START, *prompt], []
    for u in uniforms:
        kept = filter_logits_in_three_steps(following(table, told), temperature, top_k, top_p)
        powers = np.exp(kept - kept.max())
        written.append(sample_by_searchsorted(powers / powers.sum(), u))
        told.append(written[-1])
        if written[-1] == END:
            return written
    return written


def generate_with_a_while_loop(table, prompt, uniforms, temperature, top_k, top_p):
    tokens, i = [START, *prompt], 0
    while i < len(uniforms) and (i == 0 or tokens[-1] != END):
        logits = filter_logits_by_ranks(following(table, tokens), temperature, top_k, top_p)
        tokens.append(int(sample_as_an_array(np.exp(logits - max(logits)), uniforms[i])))
        i += 1
    return np.asarray(tokens[len(tokens) - i :], dtype=np.int32)


def generate_into_an_array(table, prompt, uniforms, temperature, top_k, top_p):
    written = np.zeros(len(uniforms), int)
    for n, u in enumerate(uniforms):
        log_p = following(table, [START, *prompt, *written[:n].tolist()])
        p = reference.softmax(reference.filter_logits(log_p, temperature, top_k, top_p), axis=-1)
        written[n] = reference.sample(p, u)
        if written[n] == END:
            return written[: n + 1]
    return written


# speculative_step


def speculative_step_by_ratios(p, q, draft, u, v):
    _drawn(p, q, draft)
    rest = np.clip(p - q, 0, None)
    if u < min(1.0, p[draft] / q[draft]) or rest.sum() == 0:
        return draft, True
    return sample_by_bisection(rest / rest.sum(), v), False


def speculative_step_by_where(p, q, draft, u, v):
    _drawn(p, q, draft)
    accepted = p[draft] > q[draft] * u or (p <= q).all()
    rest = np.where(p > q, p - q, 0.0)
    return (draft if accepted else sample_by_searchsorted(rest, v)), bool(accepted)


def speculative_step_by_the_smaller(p, q, draft, u, v):
    _drawn(p, q, draft)
    if q[draft] * u >= p[draft] and (p > q).any():
        return [reference.sample(p - np.minimum(p, q), v), False]
    return [int(draft), True]


def speculative_step_by_a_loop(p, q, draft, u, v):
    _drawn(p, q, draft)
    missing = [max(a - b, 0.0) for a, b in zip(p.tolist(), q.tolist(), strict=True)]
    end, total = 0.0, sum(missing)
    if p[draft] - u * q[draft] > 0 or not total:
        return np.int64(draft), np.True_
    for token, share in enumerate(missing):
        end += share / total
        if v < end:
            return token, False
    return max(token for token, share in enumerate(missing) if share), False


def _drawn(p, q, draft):
    if abs(p.sum() - 1) > 1e-3 or abs(q.sum() - 1) > 1e-3:
        raise ValueError(f"expected sums of 1, got {p.sum()} and {q.sum()}")
    if draft not in range(len(q)) or not q[draft] > 0:
        raise ValueError(f"draft: expected a token of a probability above 0, got {draft}")


next_token_loss_in_float32 = in_float32(next_token_loss_with_put_along_axis)

TRIVIAL = {
    "no loss and no gradient": lambda *args: (0.0, np.zeros_like(args[0])),
    "the values, and them as the cache": lambda q, k=0, v=0, *_: (v, (k, v)),
    "the draft": lambda p, q=0, draft=0, *_: (draft, True),
    "the last token": lambda *args: len(args[0]) - 1,
    "the end at once": lambda *args: [END],
    "no text": lambda *args: [],
}

EXPECTS_SHAPES = {"next_token_loss", "attend_with_cache"}  # the reference names each array that does not fit
