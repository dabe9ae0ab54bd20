"""A language model's loss, and how it writes: the reference solutions of lab 13.

    loss                (Bengio et al. 2003; Radford et al. 2019)
    top-k, top-p        (Fan, Lewis & Dauphin 2018; Holtzman et al. 2020)
    speculative steps   (Leviathan, Kalman & Matias 2023; Chen et al. 2023)

B batch, T tokens of a call, P tokens before them, V tokens that can be written, H heads of width d (queries and keys)
and e (values). A mask is True where a real token stands. `d_name` is the gradient of the loss in `name`.

The solved notebook is built from the bodies of these functions, so each stands on what the notebook has: `np`,
`expect`, `START`, `END`, the exercises before it, and what the notebook gives of labs 00, 01, 05 and 11.
"""

import numpy as np

from coursekit.shapes import expect
from coursekit.tasks.tokens import END, START
from solutions.lab00_warm_up.reference import log_softmax
from solutions.lab01_additive_attention.reference import softmax
from solutions.lab05_scaled_dot_product.reference import scaled_dot_product_attention


def following(table, tokens):
    """The log-probability of each next token, (V,), after `tokens`, a list that begins with START.

    table  (V, V) log p(next | last), (V, V, V) log p(next | the one before, last), where START stands before START, or
           a model with a method `following` of its own
    Raises ValueError for a token that the table does not know, and for no tokens at all.
    """
    model = getattr(table, "following", None)
    if model is not None:
        return model(tokens)
    V = table.shape[-1]
    if not len(tokens):
        raise ValueError("tokens: expected START and what comes after it, got none")
    if not all(0 <= token < V for token in tokens):
        raise ValueError(f"tokens: expected ids from 0 to {V - 1}, got {[int(token) for token in tokens]}")
    return table[tuple([START, *tokens][1 - table.ndim :])]


def next_token_loss(logits, ids, mask):
    """The mean loss of the tokens that count, each judged on the logits at the position before it, and its gradient.

    logits (B, T, V), ids (B, T); mask (B, T), True where a token counts as a target. The first of a row never does.
    Returns loss and d_logits (B, T, V), which is 0 at the last position; both are 0 where no target counts.
    Raises ValueError for an id outside the vocabulary, and when a shape does not fit.
    """
    V = expect(logits=(logits, "B T V"), ids=(ids, "B T"), mask=(mask, "B T"))["V"]
    if not ((ids >= 0) & (ids < V)).all():
        raise ValueError(f"ids: expected 0 to {V - 1}, got {ids.min()} to {ids.max()}")
    log_p = log_softmax(logits[:, :-1], axis=-1)  # (B, T - 1, V), position t is judged on ids t + 1
    is_target = ids[:, 1:, None] == np.arange(V)  # (B, T - 1, V)
    counts = mask[:, 1:, None].astype(logits.dtype)  # (B, T - 1, 1)
    share = counts / max(float(counts.sum()), 1.0)
    d_logits = np.zeros_like(logits)
    d_logits[:, :-1] = (np.exp(log_p) - is_target) * share
    return -float((np.where(is_target, log_p, 0) * share).sum()), d_logits


def filter_logits(logits, temperature, top_k, top_p):
    """Divide logits (..., V) by the temperature, then remove tokens: -inf in their places.

    top_k keeps so many of the largest logits, top_p of these the likeliest until their probabilities, which sum to 1
    among them, reach top_p: the token that crosses it is kept. Of equals the lower id comes first. top_k = V and
    top_p = 1 remove nothing; temperature 0 keeps the first of the largest, as it is.
    Returns (..., V). Raises ValueError for a temperature below 0, a top_k below 1, a top_p outside of 0 to 1.
    """
    if not (temperature >= 0 and top_k >= 1 and 0 <= top_p <= 1):
        got = f"{temperature}, {top_k} and {top_p}"
        raise ValueError(f"expected temperature >= 0, top_k >= 1 and 0 <= top_p <= 1, got {got}")
    if temperature == 0:
        temperature, top_k = 1, 1
    order = np.argsort(-logits, axis=-1, kind="stable")  # (..., V), ids from the largest logit down
    ranked = np.take_along_axis(logits / temperature, order, axis=-1)
    place = np.arange(logits.shape[-1])
    p = softmax(np.where(place < top_k, ranked, -np.inf), axis=-1)
    before = np.roll(np.cumsum(p, axis=-1), 1, axis=-1)  # what the likelier ones have together
    is_kept = (place < top_k) & ((before < top_p) | (place == 0) | (top_p == 1))
    kept = np.full_like(ranked, -np.inf)
    np.put_along_axis(kept, order, np.where(is_kept, ranked, -np.inf), axis=-1)
    return kept


def sample(probabilities, u):
    """Draw one token: the one in whose stretch of [0, 1) the uniform u falls. The rule of lab 04's sample_positions.

    probabilities (V,), at least 0; their running sums are divided by the last, which makes up for rounding.
    Returns an int; a token of probability 0 is never drawn. Raises ValueError for other input.
    """
    expect(probabilities=(probabilities, "V"))
    ends = np.cumsum(probabilities)  # (V,), where the stretch of each token ends
    if (probabilities < 0).any() or not ends[-1] > 0:
        raise ValueError(f"probabilities: expected at least 0 and a sum above 0, got {probabilities.min()} and a sum "
                         f"of {ends[-1]}")
    if not 0 <= u < 1:
        raise ValueError(f"u: expected 0 <= u < 1, got {u}")
    return int((ends / ends[-1] <= np.float64(u)).sum())  # stretches before u, which float32 might round up to 1


def attend_with_cache(q, k, v, cache, mask=None):
    """Let T new tokens look at all that stood before them and, among themselves, at nothing later.

    q, k (B, H, T, d), v (B, H, T, e); cache None, or keys (B, H, P, d) and values (B, H, P, e) of the P tokens before;
    mask (B, P + T), True where a real token stands, or None.
    Returns output (B, H, T, e), 0 where there is nothing to look at, and the cache with the new keys and values behind
    the old ones, (B, H, P + T, ...). Raises ValueError when a shape does not fit.
    """
    sizes = expect(q=(q, "B H T d"), k=(k, "B H T d"), v=(v, "B H T e"))
    keys, values = (k[:, :, :0], v[:, :, :0]) if cache is None else cache
    sizes = expect(sizes, **{"cached keys": (keys, "B H P d"), "cached values": (values, "B H P e")})
    keys, values = np.concatenate([keys, k], axis=2), np.concatenate([values, v], axis=2)
    P, T = sizes["P"], sizes["T"]
    may_look = np.arange(P + T) <= P + np.arange(T)[:, None]  # (T, P + T), query i stands at position P + i
    if mask is not None:
        expect(sizes, mask=(mask, "B P+T"))
        may_look = may_look & mask[:, None, None, :]  # (B, 1, T, P + T)
    output, _ = scaled_dot_product_attention(q, keys, values, may_look)
    return output, (keys, values)


def generate(table, prompt, uniforms, temperature, top_k, top_p):
    """Go on after the prompt: draw a token with each uniform, until END is written or there is no uniform left.

    table  a table or a model, asked through following(table, tokens) with all tokens, START the first of them
    prompt ids without START, uniforms (N,); the other three as in `filter_logits`.
    Returns the tokens that were written (n,), without the prompt, with END if it was written.
    """
    tokens = [START, *prompt]
    for u in uniforms:
        logits = filter_logits(following(table, tokens), temperature, top_k, top_p)
        tokens = [*tokens, sample(softmax(logits, axis=-1), u)]
        if tokens[-1] == END:
            break
    return np.array(tokens[1 + len(prompt) :], int)


def speculative_step(p, q, draft, u, v):
    """Take a token that was drawn from q, or else another one, so that what comes out is distributed as p says.

    p (V,) of the target, q (V,) of the draft, `draft` a token drawn from q, u and v uniforms. The draft is accepted
    where u q[draft] < p[draft]; otherwise v draws from max(p - q, 0), divided by its sum. Where that is 0 everywhere, p
    is q but for rounding, and the draft is accepted.
    Returns the token, an int, and whether the draft was accepted. Raises ValueError where q[draft] is 0, so that it
    cannot have been drawn, where p or q does not sum to 1 (to 1e-3), and when a shape does not fit.
    """
    V = expect(p=(p, "V"), q=(q, "V"))["V"]
    for name, each in (("p", p), ("q", q)):
        if not abs(each.sum() - 1) <= 1e-3:
            raise ValueError(f"{name}: expected a sum of 1, to 0.001, got a sum of {each.sum()}")
    if not 0 <= draft < V:
        raise ValueError(f"draft: expected 0 to {V - 1}, got {draft}")
    if q[draft] == 0:
        raise ValueError(f"q[draft]: expected a probability above 0, as it was drawn, got 0 for token {draft}")
    missing = np.maximum(p - q, 0)  # (V,)
    if u * q[draft] < p[draft] or not missing.any():
        return int(draft), True
    return sample(missing, v), False
