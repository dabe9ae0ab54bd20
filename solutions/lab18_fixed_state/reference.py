"""Attention with a state of fixed size, and a mixture of experts: the reference solutions of lab 18.

    linear attention    (Katharopoulos et al. 2020), here without feature map, normaliser and scale, as in ONNX
    the delta rule      (Schlag, Irie & Schmidhuber 2021), with decay (Yang, Kautz & Hatamizadeh 2024)
    state spaces        (Gu & Dao 2023)
    mixture of experts  (Shazeer et al. 2017; Fedus, Zoph & Shazeer 2021)

B batch, T steps, H heads of queries, G groups of keys and values, d and e the widths of a key and of a value; C
channels, K taps of a convolution; E experts, of which k are chosen.

The solved notebook is built from the bodies of these functions, so each stands on what the notebook has: `np` and
`expect`.
"""

import numpy as np

from coursekit.shapes import expect


def linear_attention(q, k, v, state=None, decay=None, beta=None, rule="linear"):
    """Write each step's key and value into a matrix of fixed size, by one of four rules, and read it with the query.

    q (B, H, T, d), k (B, G, T, d), v (B, G, T, e); state (B, G, d, e), None for zeros. Head n reads the state of group
    n // (H // G), after its step was written. decay (B, G, T, d), or (B, G, T, 1), in logarithms, for "gated" and
    "gated_delta", is applied before the write; beta (B, G, T, 1) for "delta" and "gated_delta".
    Returns output (B, H, T, e) and the state after the last step. Raises ValueError for another rule, for a decay or
    beta that the rule needs and has not, or has and does not use, where G does not divide H, where a shape does not
    fit, and where there is no step.
    """
    uses = {"linear": (), "gated": ("decay",), "delta": ("beta",), "gated_delta": ("decay", "beta")}
    if rule not in uses:
        raise ValueError(f"rule: expected one of {', '.join(uses)}, got {rule!r}")
    for name, given in (("decay", decay), ("beta", beta)):
        if (given is not None) != (name in uses[rule]):
            raise ValueError(f"{name}: expected {'one' if given is None else 'none'} for rule {rule!r}, got "
                             + ("none" if given is None else "one"))
    sizes = expect(q=(q, "B H T d"), k=(k, "B G T d"), v=(v, "B G T e"))
    if sizes["G"] == 0 or sizes["H"] % sizes["G"]:
        raise ValueError(f"k: expected a number of groups that divides {sizes['H']} heads, got {sizes['G']}")
    if decay is not None:
        expect(sizes, decay=(decay, "B G T 1" if decay.shape[-1:] == (1,) else "B G T d"))
    if beta is not None:
        expect(sizes, beta=(beta, "B G T 1"))
    if state is None:
        state = np.zeros((sizes["B"], sizes["G"], sizes["d"], sizes["e"]), v.dtype)
    expect(sizes, state=(state, "B G d e"))
    outputs = []
    for t in range(sizes["T"]):
        key, value = k[:, :, t, :, None], v[:, :, t, None]  # (B, G, d, 1), (B, G, 1, e)
        if decay is not None:
            state = np.exp(decay[:, :, t, :, None]) * state
        if beta is not None:
            value = beta[:, :, t, None] * (value - key.swapaxes(-1, -2) @ state)  # what is new in it
        state = state + key * value
        read = np.repeat(state, sizes["H"] // sizes["G"], axis=1)  # (B, H, d, e)
        outputs.append((q[:, :, t, None] @ read)[:, :, 0])
    return np.stack(outputs, axis=2), state


def linear_attention_parallel(q, k, v, decay=None):
    """What rule "linear" gives, or with one decay for each step "gated", from all steps at once: a masked product.

    q (B, H, T, d), k (B, G, T, d), v (B, G, T, e), decay (B, G, T, 1) in logarithms. Returns output (B, H, T, e) alone.
    Raises ValueError where G does not divide H, and when a shape does not fit.
    """
    sizes = expect(q=(q, "B H T d"), k=(k, "B G T d"), v=(v, "B G T e"))
    if sizes["G"] == 0 or sizes["H"] % sizes["G"]:
        raise ValueError(f"k: expected a number of groups that divides {sizes['H']} heads, got {sizes['G']}")
    n = sizes["H"] // sizes["G"]
    keys, values = np.repeat(k, n, axis=1), np.repeat(v, n, axis=1)  # (B, H, T, ·)
    products, past = q @ keys.swapaxes(-1, -2), np.tri(sizes["T"], dtype=bool)
    if decay is None:
        return np.where(past, products, 0) @ values
    expect(sizes, decay=(decay, "B G T 1"))
    total = np.repeat(np.cumsum(decay, axis=2), n, axis=1)  # (B, H, T, 1)
    faded = np.where(past, total - total.swapaxes(-1, -2), -np.inf)  # what lay between write and read
    return (products * np.exp(faded)) @ values


def scan(a, b):
    """h_t = a_t h_{t-1} + b_t along axis 1, where h is 0 before the first step.

    a and b of one shape, (B, T, ...). Returns all h, of that shape. Raises ValueError for other shapes, and where there
    is no step.
    """
    if a.shape != b.shape or a.ndim < 2 or a.shape[1] == 0:
        raise ValueError(f"a, b: expected one shape (B, T, ...) with T >= 1, got {a.shape} and {b.shape}")
    h = [b[:, 0]]
    for t in range(1, a.shape[1]):
        h.append(a[:, t] * h[-1] + b[:, t])
    return np.stack(h, axis=1)


def discretise(A, B, delta):
    """Steps of length delta of h' = A h + B x, each number for itself, exact where x stays the same during a step.

    A, B and delta are arrays that broadcast. Returns A_bar, exp(delta A), and B_bar, (exp(delta A) - 1) / A · B, which
    is delta B where A is 0. (Mamba's code takes delta B everywhere.) Raises ValueError when they do not broadcast.
    """
    power = delta * A
    moving = A != 0
    length = np.where(moving, np.expm1(power) / np.where(moving, A, 1), delta)
    return np.exp(power), length * B


def causal_conv(x, w, state=None):
    """Add up each channel's last K inputs, each times a weight of that channel.

    x (B, C, T), w (C, K), whose last column multiplies the newest input; state (B, C, K - 1), the inputs before the
    first, None for zeros. Returns y (B, C, T) and the last K - 1 inputs, (B, C, K - 1), those of the state among them.
    Raises ValueError when a shape does not fit, and for K = 0.
    """
    sizes = expect(x=(x, "B C T"), w=(w, "C K"))
    T, K = sizes["T"], sizes["K"]
    if K == 0:
        raise ValueError("w: expected at least one column, got none")
    if state is None:
        state = np.zeros((sizes["B"], sizes["C"], K - 1), x.dtype)
    expect(sizes | {"before": K - 1}, state=(state, "B C before"))
    line = np.concatenate([state, x], axis=2)  # (B, C, K - 1 + T)
    y = sum(w[:, j, None] * line[:, :, j:j + T] for j in range(K))
    return y, line[:, :, T:]


def route(logits, k, renormalise):
    """Send each token to the k experts of its largest logits; of equal ones the lower number comes first.

    logits (..., E). Returns ids (..., k), the largest first, and weights (..., k): the softmax over all E experts at
    these, divided by their sum if `renormalise`. Raises ValueError unless 1 <= k <= E, and for a logit that is not
    finite.
    """
    if not 1 <= k <= logits.shape[-1]:
        raise ValueError(f"k: expected 1 to {logits.shape[-1]}, got {k}")
    if not np.isfinite(logits).all():
        raise ValueError("logits: expected finite numbers, got nan or inf among them")
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    ids = np.argsort(-logits, axis=-1, kind="stable")[..., :k]
    weights = np.take_along_axis(powers, ids, axis=-1)
    return ids, weights / (weights if renormalise else powers).sum(axis=-1, keepdims=True)


def balance_loss(probabilities, ids):
    """E times the sum over the experts of f · P: the share of assignments times the mean probability; 1 when even.

    probabilities (..., E), the router's softmax; ids (..., k), where each token was sent. Returns a number.
    Raises ValueError when the axes in front differ, for ids that are no whole numbers from 0 to E - 1, and where there
    is no token.
    """
    E = probabilities.shape[-1]
    if probabilities.shape[:-1] != ids.shape[:-1]:
        raise ValueError(f"ids: expected {probabilities.shape[:-1]} in front, got {ids.shape[:-1]}")
    if ids.dtype.kind not in "iu" or ids.size == 0 or ids.min() < 0 or ids.max() >= E:
        raise ValueError(f"ids: expected whole numbers from 0 to {E - 1}, at least one, got {ids.tolist()}")
    shares = np.bincount(ids.ravel(), minlength=E) / ids.size  # (E,)
    return float(E * (shares @ probabilities.reshape(-1, E).mean(axis=0)))
