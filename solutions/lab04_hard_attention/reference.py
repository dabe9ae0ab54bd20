"""Hard attention (Xu et al. 2015, section 4.1; Williams 1992): the reference solutions of lab 04.

B batch, S positions, N numbers in an estimate (N = S for a gradient in the scores).

The solved notebook is built from the bodies of these functions, so each stands on what the notebook has:
`np`, `expect` and the exercises before it.
"""

import numpy as np

from coursekit.shapes import expect


def sample_positions(weights, uniforms):
    """Draw one position from each row of weights: the one in whose stretch of [0, 1) the row's uniform falls.

    weights (B, S), at least 0, of sum 1 up to rounding; uniforms (B,), at least 0 and below 1.
    Returns chosen (B,), integers; a position of weight 0 is never among them. Raises ValueError for other input.
    """
    expect(weights=(weights, "B S"), uniforms=(uniforms, "B"))
    ends = np.cumsum(weights, axis=1)  # (B, S), where the stretch of each position ends
    if (weights < 0).any() or not (ends[:, -1] > 0).all():
        raise ValueError("weights: expected at least 0, and a sum above 0 in each row, got other rows")
    if not ((uniforms >= 0) & (uniforms < 1)).all():
        raise ValueError(f"uniforms: expected 0 <= u < 1, got {uniforms.min()} to {uniforms.max()}")
    ends = ends / ends[:, -1:]  # the last stretch ends at 1, whatever rounding made of the sum
    return (ends <= uniforms[:, None]).sum(axis=1)  # (B,), how many stretches lie wholly before u


def estimate_gradient(weights, chosen, rewards, baseline):
    """Estimate the gradient of the expected reward in the scores from one draw for each row.

    weights (B, S), chosen (B,) integers, rewards (B,), baseline one number. Returns (B, S).
    Raises ValueError when a shape does not fit.
    """
    expect(weights=(weights, "B S"), chosen=(chosen, "B"), rewards=(rewards, "B"))
    log_gradient = np.eye(weights.shape[1])[chosen] - weights  # (B, S), of log α_k in the scores
    return (rewards - baseline)[:, None] * log_gradient


def mean_and_variance(weights, estimates):
    """The exact mean and variance of an estimate, over all positions that might have been drawn.

    weights (B, S); estimates (B, S, N), of which [b, k] is the estimate where row b draws position k.
    Returns the mean (B, N) and the variance summed over the N numbers (B,).
    Raises ValueError when a shape does not fit.
    """
    expect(weights=(weights, "B S"), estimates=(estimates, "B S N"))
    mean = (weights[:, None, :] @ estimates)[:, 0, :]  # (B, N)
    distances = ((estimates - mean[:, None, :]) ** 2).sum(axis=2)  # (B, S)
    return mean, (weights * distances).sum(axis=1)


def move_baseline(baseline, rewards, keep=0.9):
    """Move the baseline a little towards the mean of these rewards.

    baseline one number, rewards (B,), keep the share of the old baseline that stays. Returns one number.
    Raises ValueError when rewards are not (B,).
    """
    expect(rewards=(rewards, "B"))
    return keep * baseline + (1 - keep) * np.mean(rewards)
