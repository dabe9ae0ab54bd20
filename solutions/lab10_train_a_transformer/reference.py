"""What a Transformer is trained with (Vaswani et al. 2017, sections 3.2.3, 5.3 and 5.4).

B batch, S source positions, T target positions, V tokens that can be written. Id 0 is padding. A mask is True where one
may look. `d_name` is the gradient of the loss in `name`.
"""

import numpy as np

from coursekit.shapes import expect

PAD = 0


def shifted_targets(target, start, end):
    """What the decoder is told, and what it should answer, from target (B, T) that is padded at the right.

    Returns told (B, T + 1), start and then the target, and wanted (B, T + 1), the target with `end` after the last
    token of each row.
    """
    expect(target=(target, "B T"))
    B = len(target)
    lengths = (target != PAD).sum(axis=1)                                          # (B,)
    told = np.concatenate([np.full((B, 1), start), target], axis=1)                # (B, T + 1)
    wanted = np.concatenate([target, np.full((B, 1), PAD)], axis=1)                # (B, T + 1)
    wanted[np.arange(B), lengths] = end
    return told, wanted


def attention_masks(source, told):
    """Where the encoder, the decoder, and the decoder in the memory may look: (B, S, S), (B, T, T), (B, T, S).

    source (B, S) and told (B, T) are ids, 0 where padding stands, which nobody looks at; nobody in the decoder looks at
    a later token.
    """
    expect(source=(source, "B S"), told=(told, "B T"))
    S, T = source.shape[1], told.shape[1]
    read, written = (source != PAD)[:, None], (told != PAD)[:, None]               # (B, 1, S), (B, 1, T)
    causal = np.tri(T, dtype=bool)                                                 # (T, T)
    return np.repeat(read, S, axis=1), written & causal, np.repeat(read, T, axis=1)


def learning_rate(step, d_model, warmup):
    """d_model^-0.5 · min(step^-0.5, step · warmup^-1.5): a line up to step = warmup, then an inverse square root.

    step, d_model and warmup are whole numbers from 1 up. Raises ValueError for a step below 1.
    """
    if step < 1:
        raise ValueError(f"step: expected a number from 1 up, got {step}")
    return d_model**-0.5 * min(step**-0.5, step * warmup**-1.5)


def smoothed_cross_entropy(logits, wanted, epsilon):
    """The mean over the real tokens of -Σ_v q_v log softmax(logits)_v, and its gradient in the logits.

    logits (B, T, V), wanted (B, T) ids, 0 where padding stands, which does not count. q is epsilon / V for every token,
    and 1 - epsilon more for the wanted one. Returns loss and d_logits (B, T, V).
    """
    V = expect(logits=(logits, "B T V"), wanted=(wanted, "B T"))["V"]
    shifted = logits - logits.max(axis=-1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))          # (B, T, V)
    is_wanted = wanted[..., None] == np.arange(V)                                  # (B, T, V)
    q = ((1 - epsilon) * is_wanted + epsilon / V).astype(logits.dtype)             # (B, T, V)
    real = (wanted != PAD)[..., None]                                              # (B, T, 1)
    share = real.astype(logits.dtype) / float(real.sum())
    return -float((q * log_p * share).sum()), (np.exp(log_p) - q) * share


def smoothing_floor(V, epsilon):
    """The smallest loss that smoothing leaves possible: the entropy of q over V tokens; 0 where epsilon is 0."""
    if not 0 <= epsilon <= 1 or V < 2:
        raise ValueError(f"expected V >= 2 and epsilon from 0 to 1, got V = {V} and epsilon = {epsilon}")
    if epsilon == 0:
        return 0.0
    wanted, other = 1 - epsilon + epsilon / V, epsilon / V
    return float(-wanted * np.log(wanted) - (V - 1) * other * np.log(other))
