"""Plausible wrong answers to lab 08. A docstring is the sentence that a student reads whose answer behaves like it.

The tests prove that the hidden checks reject each of them; the marking room names the one that an answer behaves like.
"""

import numpy as np

from solutions.exercises import by_exercise
from solutions.lab08_layers import reference
from solutions.lab08_layers.reference import erf

# layer_norm


def _normed(x, gamma, beta, mean, std):
    x_hat = (x - mean) / std
    return gamma * x_hat + beta, x_hat, std


def layer_norm_with_the_unbiased_variance(x, gamma, beta, eps=1e-5):
    """You divided by d_model - 1: LayerNorm takes the plain mean of the squares, over d_model entries."""
    std = np.sqrt(x.var(axis=-1, keepdims=True, ddof=1) + eps)
    return _normed(x, gamma, beta, x.mean(axis=-1, keepdims=True), std)


def layer_norm_with_eps_outside_the_root(x, gamma, beta, eps=1e-5):
    """You added eps to the standard deviation: it belongs to the variance, inside the root."""
    return _normed(x, gamma, beta, x.mean(axis=-1, keepdims=True), x.std(axis=-1, keepdims=True) + eps)


def layer_norm_without_eps(x, gamma, beta, eps=1e-5):
    """There is no eps: add it to the variance, or a row of equal entries divides 0 by 0."""
    return _normed(x, gamma, beta, x.mean(axis=-1, keepdims=True), x.std(axis=-1, keepdims=True))


def layer_norm_with_a_fixed_eps(x, gamma, beta, eps=1e-5):
    """The argument eps has no effect: use what you are given, models differ in it."""
    return reference.layer_norm(x, gamma, beta)


def layer_norm_without_the_root(x, gamma, beta, eps=1e-5):
    """You divided by the variance: take its root."""
    return _normed(x, gamma, beta, x.mean(axis=-1, keepdims=True), x.var(axis=-1, keepdims=True) + eps)


def layer_norm_without_the_mean(x, gamma, beta, eps=1e-5):
    """You did not subtract the mean of the row (that is RMSNorm, which came later)."""
    std = np.sqrt((x**2).mean(axis=-1, keepdims=True) + eps)
    return _normed(x, gamma, beta, np.zeros_like(std), std)


def layer_norm_by_two_moments(x, gamma, beta, eps=1e-5):
    """You took mean(x²) - mean² for the variance, two nearly equal squares in a row far from 0, and float32 loses what
    they differ by: subtract the mean first, then square."""
    mean = x.mean(axis=-1, keepdims=True)
    return _normed(x, gamma, beta, mean, np.sqrt((x**2).mean(axis=-1, keepdims=True) - mean**2 + eps))


def layer_norm_without_dividing(x, gamma, beta, eps=1e-5):
    """Your x_hat is the row less its mean, not yet divided by std."""
    _, x_hat, std = reference.layer_norm(x, gamma, beta, eps)
    return gamma * (x_hat * std) + beta, x_hat * std, std


def layer_norm_with_x_hat_and_std_exchanged(x, gamma, beta, eps=1e-5):
    """x_hat and std have changed places: return output, x_hat, std."""
    output, x_hat, std = reference.layer_norm(x, gamma, beta, eps)
    return output, std, x_hat


def layer_norm_with_a_sum_of_squares(x, gamma, beta, eps=1e-5):
    """You summed the squares: the variance is their mean."""
    std = np.sqrt(x.shape[-1] * x.var(axis=-1, keepdims=True) + eps)
    return _normed(x, gamma, beta, x.mean(axis=-1, keepdims=True), std)


def layer_norm_over_the_first_axis(x, gamma, beta, eps=1e-5):
    """You normalised over the first axis, as batch normalisation does: each token is normalised by itself."""
    std = np.sqrt(x.var(axis=0, keepdims=True) + eps)
    return _normed(x, gamma, beta, x.mean(axis=0, keepdims=True), std)


def layer_norm_over_everything(x, gamma, beta, eps=1e-5):
    """One mean and one variance for all tokens: each row has its own, over the last axis alone."""
    std = np.sqrt(x.var(keepdims=True) + eps)
    output, x_hat, _ = _normed(x, gamma, beta, x.mean(), std)
    return output, x_hat, np.broadcast_to(std, (*x.shape[:-1], 1))


def layer_norm_without_gamma_and_beta(x, gamma, beta, eps=1e-5):
    """gamma and beta have no effect on the output: it is gamma * x_hat + beta."""
    _, x_hat, std = reference.layer_norm(x, gamma, beta, eps)
    return x_hat, x_hat, std


def layer_norm_with_gamma_in_x_hat(x, gamma, beta, eps=1e-5):
    """Your second result holds gamma already: x_hat is the row before gamma and beta."""
    output, x_hat, std = reference.layer_norm(x, gamma, beta, eps)
    return output, gamma * x_hat, std


def layer_norm_that_returns_the_variance(x, gamma, beta, eps=1e-5):
    """Your third result is the variance: the way back needs its root, what you divided by."""
    output, x_hat, std = reference.layer_norm(x, gamma, beta, eps)
    return output, x_hat, std**2


def layer_norm_over_the_third_axis(x, gamma, beta, eps=1e-5):
    """You took axis=2, the last of three: take axis=-1, which is the last of any number of axes."""
    std = np.sqrt(x.var(axis=2, keepdims=True) + eps)
    return _normed(x, gamma, beta, x.mean(axis=2, keepdims=True), std)


def layer_norm_in_float64(x, gamma, beta, eps=1e-5):
    """float32 came in and float64 went out: NumPy's own numbers and new arrays promote, numbers of Python do not."""
    return reference.layer_norm(x.astype(float), gamma, beta, eps)


# layer_norm_backward


def _sums(d_output, x_hat):
    rows = tuple(range(x_hat.ndim - 1))
    return (d_output * x_hat).sum(axis=rows), d_output.sum(axis=rows)


def layer_norm_backward_with_fixed_statistics(d_output, x_hat, std, gamma):
    """You took mean and standard deviation for constants: both move with x, and take two parts of the gradient away."""
    return d_output * gamma / std, *_sums(d_output, x_hat)


def layer_norm_backward_without_the_mean(d_output, x_hat, std, gamma):
    """The part through the mean is missing: subtract the row's mean of d_x_hat, so that each row of d_x sums to 0."""
    d = d_output * gamma
    return (d - x_hat * (d * x_hat).mean(axis=-1, keepdims=True)) / std, *_sums(d_output, x_hat)


def layer_norm_backward_without_the_variance(d_output, x_hat, std, gamma):
    """The part through the standard deviation is missing: subtract x_hat times the row's mean of d_x_hat * x_hat."""
    d = d_output * gamma
    return (d - d.mean(axis=-1, keepdims=True)) / std, *_sums(d_output, x_hat)


def layer_norm_backward_with_a_sum(d_output, x_hat, std, gamma):
    """You subtracted sums over the row: both parts are means."""
    d = d_output * gamma
    shift, stretch = d.sum(axis=-1, keepdims=True), (d * x_hat).sum(axis=-1, keepdims=True)
    return (d - shift - x_hat * stretch) / std, *_sums(d_output, x_hat)


def layer_norm_backward_without_gamma(d_output, x_hat, std, gamma):
    """gamma is missing from d_x: on the way back d_output meets gamma first."""
    return reference.layer_norm_backward(d_output, x_hat, std, np.ones_like(gamma))


def layer_norm_backward_with_gamma_last(d_output, x_hat, std, gamma):
    """You multiplied by gamma at the end: multiply d_output by it first, the two means are means of the product."""
    d_x, d_gamma, d_beta = reference.layer_norm_backward(d_output, x_hat, std, np.ones_like(gamma))
    return d_x * gamma, d_gamma, d_beta


def layer_norm_backward_with_std_under_the_last_term(d_output, x_hat, std, gamma):
    """You divided only the last term by std: all three are, so put them in brackets."""
    d = d_output * gamma
    stretch = (d * x_hat).mean(axis=-1, keepdims=True)
    return d - d.mean(axis=-1, keepdims=True) - x_hat * stretch / std, *_sums(d_output, x_hat)


def layer_norm_backward_without_std(d_output, x_hat, std, gamma):
    """You did not divide by std: a row that was shrunk on the way forward passes a smaller gradient back."""
    return reference.layer_norm_backward(d_output, x_hat, np.ones_like(std), gamma)


def layer_norm_backward_multiplied_by_std(d_output, x_hat, std, gamma):
    """You multiplied by std: divide by it, as on the way forward."""
    return reference.layer_norm_backward(d_output, x_hat, 1 / std, gamma)


def layer_norm_backward_averaged(d_output, x_hat, std, gamma):
    """You averaged d_gamma and d_beta over the tokens: every token adds its part, so they are sums."""
    d_x, d_gamma, d_beta = reference.layer_norm_backward(d_output, x_hat, std, gamma)
    return d_x, d_gamma / (d_output.size / len(gamma)), d_beta / (d_output.size / len(gamma))


def layer_norm_backward_summed_over_one_axis(d_output, x_hat, std, gamma):
    """You summed d_gamma and d_beta over the first axis alone: sum over all axes but the last."""
    d_x = reference.layer_norm_backward(d_output, x_hat, std, gamma)[0]
    return d_x, (d_output * x_hat).sum(axis=0), d_output.sum(axis=0)


def layer_norm_backward_with_both_exchanged(d_output, x_hat, std, gamma):
    """d_gamma and d_beta have changed places: d_gamma is the one with x_hat, and comes first of the two."""
    d_x, d_gamma, d_beta = reference.layer_norm_backward(d_output, x_hat, std, gamma)
    return d_x, d_beta, d_gamma


def layer_norm_backward_summed_over_two_axes(d_output, x_hat, std, gamma):
    """You summed d_gamma and d_beta over the first two axes: sum over all axes but the last, however many."""
    d_x = reference.layer_norm_backward(d_output, x_hat, std, gamma)[0]
    return d_x, (d_output * x_hat).sum(axis=(0, 1)), d_output.sum(axis=(0, 1))


def layer_norm_backward_in_float64(d_output, x_hat, std, gamma):
    """float32 came in and float64 went out: NumPy's own numbers and new arrays promote, numbers of Python do not."""
    return reference.layer_norm_backward(d_output.astype(float), x_hat, std, gamma)


# gelu


def gelu_by_a_sigmoid(x, form="erf"):
    """That is x · sigmoid(1.702 x), a third and coarser form: use the two that are asked for."""
    return x / (1 + np.exp(-1.702 * x))


def gelu_as_relu(x, form="erf"):
    """That is ReLU: GELU bends smoothly, and is a little below 0 for negative x."""
    return np.maximum(x, 0)


def gelu_without_the_root_of_two(x, form="erf"):
    """In the erf form x is divided by the root of 2 inside erf."""
    return x * (0.5 + 0.5 * erf(x)) if form == "erf" else reference.gelu(x, form)


def gelu_as_the_probability(x, form="erf"):
    """That is the probability alone: multiply it by x."""
    if form == "erf":
        return 0.5 + 0.5 * erf(x / 2**0.5)
    return 0.5 + 0.5 * np.tanh((2 / np.pi) ** 0.5 * (x + 0.044715 * x**3))


def gelu_without_the_half(x, form="erf"):
    """The factor 1/2 is missing: for large x, GELU is x and not 2 x."""
    return 2 * reference.gelu(x, form)


def gelu_without_the_one(x, form="erf"):
    """The 1 + is missing: without it the function is even, and negative x come out positive."""
    return 2 * reference.gelu(x, form) - x


def gelu_with_the_erf_form_alone(x, form="erf"):
    """The argument form has no effect: "tanh" asks for the form with tanh, which differs by up to 0.0005."""
    return reference.gelu(x, "erf")


def gelu_with_the_tanh_form_alone(x, form="erf"):
    """The argument form has no effect: "erf" asks for the exact form, which differs by up to 0.0005."""
    return reference.gelu(x, "tanh")


def gelu_with_the_forms_exchanged(x, form="erf"):
    """The two forms have changed places: "erf" is the one that calls erf."""
    return reference.gelu(x, "tanh" if form == "erf" else "erf")


def gelu_with_a_square(x, form="erf"):
    """In the tanh form 0.044715 stands before the third power of x, not the second."""
    if form == "erf":
        return reference.gelu(x, form)
    return 0.5 * x * (1 + np.tanh((2 / np.pi) ** 0.5 * (x + 0.044715 * x**2)))


def gelu_with_a_wrong_root(x, form="erf"):
    """In the tanh form the factor is the root of 2/π, about 0.798."""
    if form == "erf":
        return reference.gelu(x, form)
    return 0.5 * x * (1 + np.tanh((2 * np.pi) ** 0.5 * (x + 0.044715 * x**3)))


def gelu_in_float64_with_erf(x, form="erf"):
    """In the erf form float32 came in and float64 went out: np.sqrt(2) is a float64 of NumPy's, take 2**0.5."""
    return 0.5 * x * (1 + erf(x / np.sqrt(2))) if form == "erf" else reference.gelu(x, form)


def gelu_in_float64_with_tanh(x, form="erf"):
    """In the tanh form float32 came in and float64 went out: np.sqrt is NumPy's, take (2 / np.pi) ** 0.5."""
    return reference.gelu(x) if form == "erf" else 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))


def gelu_in_float64(x, form="erf"):
    """float32 came in and float64 went out: np.sqrt gives a float64 of NumPy's, take 2**0.5 and (2 / np.pi) ** 0.5."""
    return gelu_in_float64_with_erf(x) if form == "erf" else gelu_in_float64_with_tanh(x, form)


def _tanh_of_powers(u):
    return (np.exp(u) - np.exp(-u)) / (np.exp(u) + np.exp(-u))


def gelu_with_a_tanh_of_powers(x, form="erf"):
    """Far from 0 the powers in your tanh overflow, and inf / inf is nan: take np.tanh."""
    if form == "erf":
        return reference.gelu(x)
    return 0.5 * x * (1 + _tanh_of_powers((2 / np.pi) ** 0.5 * (x + 0.044715 * x**3)))


# gelu_backward


def gelu_backward_without_d_output(d_output, x, form="erf"):
    """That is the slope alone: multiply it by d_output."""
    return reference.gelu_backward(np.ones_like(x), x, form)


def gelu_backward_as_relu(d_output, x, form="erf"):
    """That is the slope of ReLU, 0 or 1: GELU's is in between, and goes a little beyond both."""
    return d_output * (x > 0)


def gelu_backward_with_the_probability_alone(d_output, x, form="erf"):
    """The product rule has two parts: the probability, and x times the slope of the probability."""
    safe = np.where(x == 0, 1, x)
    return d_output * np.where(x == 0, 0.5, reference.gelu(safe, form) / safe)


def gelu_backward_without_the_root_of_two_pi(d_output, x, form="erf"):
    """The density of the normal distribution has 1/√(2π) before exp(-x²/2)."""
    if form != "erf":
        return reference.gelu_backward(d_output, x, form)
    return d_output * (0.5 + 0.5 * erf(x / 2**0.5) + x * np.exp(-0.5 * x**2))


def _with_a_bell(d_output, x, form, bell):
    if form != "erf":
        return reference.gelu_backward(d_output, x, form)
    return d_output * (0.5 + 0.5 * erf(x / 2**0.5) + x * bell)


def gelu_backward_with_the_root_of_pi(d_output, x, form="erf"):
    """You divided the bell curve by the root of π: it is that of 2π."""
    return _with_a_bell(d_output, x, form, np.exp(-0.5 * x**2) / np.pi**0.5)


def gelu_backward_with_a_quarter(d_output, x, form="erf"):
    """Your exponent is -(x / 2)², a quarter of x²: it is -x² / 2."""
    return _with_a_bell(d_output, x, form, np.exp(-0.25 * x**2) / (2 * np.pi) ** 0.5)


def gelu_backward_with_one_less_tanh(d_output, x, form="erf"):
    """In the tanh form the slope of tanh is 1 - tanh²: you have 1 - tanh."""
    if form == "erf":
        return reference.gelu_backward(d_output, x)
    t = np.tanh((2 / np.pi) ** 0.5 * (x + 0.044715 * x**3))
    d_inner = (2 / np.pi) ** 0.5 * (1 + 3 * 0.044715 * x**2)
    return d_output * 0.5 * (1 + t + x * (1 - t) * d_inner)


def gelu_backward_with_its_arguments_exchanged(d_output, x, form="erf"):
    """d_output and x have changed places: the slope is taken at x, your second argument."""
    return reference.gelu_backward(x, d_output, form)


def gelu_backward_without_the_x(d_output, x, form="erf"):
    """The density is multiplied by x: it is the second part of the product rule."""
    if form != "erf":
        return reference.gelu_backward(d_output, x, form)
    return d_output * (0.5 + 0.5 * erf(x / 2**0.5) + np.exp(-0.5 * x**2) / (2 * np.pi) ** 0.5)


def gelu_backward_with_the_erf_form_alone(d_output, x, form="erf"):
    """The argument form has no effect: "tanh" asks for the slope of the form with tanh."""
    return reference.gelu_backward(d_output, x, "erf")


def gelu_backward_with_the_tanh_form_alone(d_output, x, form="erf"):
    """The argument form has no effect: "erf" asks for the slope of the exact form."""
    return reference.gelu_backward(d_output, x, "tanh")


def _tanh_slope(d_output, x, d_inner):
    t = np.tanh((2 / np.pi) ** 0.5 * (x + 0.044715 * x**3))
    return d_output * 0.5 * (1 + t + x * (1 - t**2) * d_inner)


def gelu_backward_without_the_inner_slope(d_output, x, form="erf"):
    """In the tanh form the slope of what stands inside tanh is missing: √(2/π) (1 + 3 · 0.044715 x²)."""
    return reference.gelu_backward(d_output, x) if form == "erf" else _tanh_slope(d_output, x, 1)


def gelu_backward_without_the_three(d_output, x, form="erf"):
    """The slope of x³ is 3 x²: the 3 is missing in the tanh form."""
    d_inner = (2 / np.pi) ** 0.5 * (1 + 0.044715 * x**2)
    return reference.gelu_backward(d_output, x) if form == "erf" else _tanh_slope(d_output, x, d_inner)


def gelu_backward_in_float64_with_erf(d_output, x, form="erf"):
    """In the erf form float32 came in and float64 went out: np.sqrt(2 * np.pi) is NumPy's, take (2 * np.pi) ** 0.5."""
    if form != "erf":
        return reference.gelu_backward(d_output, x, form)
    return d_output * (0.5 + 0.5 * erf(x / 2**0.5) + x * (np.exp(-0.5 * x**2) / np.sqrt(2 * np.pi)))


def gelu_backward_in_float64_with_tanh(d_output, x, form="erf"):
    """In the tanh form float32 came in and float64 went out: np.sqrt is NumPy's, take (2 / np.pi) ** 0.5."""
    if form == "erf":
        return reference.gelu_backward(d_output, x)
    c = np.sqrt(2 / np.pi)
    t = np.tanh(c * (x + 0.044715 * x**3))
    return d_output * 0.5 * (1 + t + x * (1 - t**2) * c * (1 + 3 * 0.044715 * x**2))


def gelu_backward_in_float64(d_output, x, form="erf"):
    """float32 came in and float64 went out: np.sqrt gives a float64 of NumPy's, take a power of Python's, ** 0.5."""
    own = gelu_backward_in_float64_with_erf if form == "erf" else gelu_backward_in_float64_with_tanh
    return own(d_output, x, form)


def gelu_backward_with_a_tanh_of_powers(d_output, x, form="erf"):
    """Far from 0 the powers in your tanh overflow, and inf / inf is nan: take np.tanh."""
    if form == "erf":
        return reference.gelu_backward(d_output, x)
    t = _tanh_of_powers((2 / np.pi) ** 0.5 * (x + 0.044715 * x**3))
    d_inner = (2 / np.pi) ** 0.5 * (1 + 3 * 0.044715 * x**2)
    return d_output * 0.5 * (1 + t + x * (1 - t**2) * d_inner)


# feed_forward


def _layers(X, p, active, b_1=True, b_2=True):
    inner = X @ p["W_1"] + b_1 * p["b_1"]
    return active(inner) @ p["W_2"] + b_2 * p["b_2"], inner


def _active(inner, activation):
    return np.maximum(inner, 0) if activation == "relu" else reference.gelu(inner, activation)


def feed_forward_without_activation(X, parameters, activation="relu"):
    """There is no activation between the two products: without it they are one product."""
    return _layers(X, parameters, lambda inner: inner)


def feed_forward_with_relu_alone(X, parameters, activation="relu"):
    """The argument activation has no effect: "erf" and "tanh" ask for the two forms of gelu."""
    return reference.feed_forward(X, parameters)


def feed_forward_without_the_first_bias(X, parameters, activation="relu"):
    """b_1 is missing: add it before the activation."""
    return _layers(X, parameters, lambda inner: _active(inner, activation), b_1=False)


def feed_forward_without_the_second_bias(X, parameters, activation="relu"):
    """b_2 is missing: add it at the end."""
    return _layers(X, parameters, lambda inner: _active(inner, activation), b_2=False)


def feed_forward_with_a_late_bias(X, parameters, activation="relu"):
    """You added b_1 after the activation: it belongs inside."""
    inner = X @ parameters["W_1"]
    return (_active(inner, activation) + parameters["b_1"]) @ parameters["W_2"] + parameters["b_2"], inner


def feed_forward_with_an_activation_at_the_end(X, parameters, activation="relu"):
    """The output went through the activation too: only the inner layer does."""
    output, inner = reference.feed_forward(X, parameters, activation)
    return _active(output, activation), inner


def feed_forward_with_the_residual(X, parameters, activation="relu"):
    """You added X: the residual belongs to the block around this layer."""
    output, inner = reference.feed_forward(X, parameters, activation)
    return X + output, inner


def feed_forward_that_returns_the_active_layer(X, parameters, activation="relu"):
    """Your second result went through the activation: the way back needs what stood before it."""
    output, inner = reference.feed_forward(X, parameters, activation)
    return output, _active(inner, activation)


def feed_forward_in_float64(X, parameters, activation="relu"):
    """float32 came in and float64 went out: NumPy's own numbers and new arrays promote, numbers of Python do not."""
    return reference.feed_forward(X.astype(float), parameters, activation)


# feed_forward_backward


def _way_back(d_output, X, inner, p, active, d_inner, factor=1.0):
    gradients = {"W_1": np.einsum("btm,btf->mf", X, d_inner), "b_1": d_inner.sum(axis=(0, 1)),
                 "W_2": np.einsum("btf,btm->fm", active, d_output), "b_2": d_output.sum(axis=(0, 1))}
    return d_inner @ p["W_1"].T, {name: factor * gradient for name, gradient in gradients.items()}


def _slope(d_active, inner, activation):
    return d_active * (inner > 0) if activation == "relu" else reference.gelu_backward(d_active, inner, activation)


def feed_forward_backward_without_the_slope(d_output, X, inner, parameters, activation="relu"):
    """The slope of the activation is missing between the two layers."""
    d_inner = d_output @ parameters["W_2"].T
    return _way_back(d_output, X, inner, parameters, _active(inner, activation), d_inner)


def feed_forward_backward_with_relu_alone(d_output, X, inner, parameters, activation="relu"):
    """The argument activation has no effect: the way back through gelu is gelu_backward."""
    return reference.feed_forward_backward(d_output, X, inner, parameters)


def feed_forward_backward_with_the_inner_layer_for_the_active(d_output, X, inner, parameters, activation="relu"):
    """W_2 met the layer after the activation: its gradient is made with that, not with inner."""
    d_inner = _slope(d_output @ parameters["W_2"].T, inner, activation)
    return _way_back(d_output, X, inner, parameters, inner, d_inner)


def feed_forward_backward_averaged(d_output, X, inner, parameters, activation="relu"):
    """You averaged the gradients of the parameters over the tokens: every token adds its part, so they are sums."""
    d_X, gradients = reference.feed_forward_backward(d_output, X, inner, parameters, activation)
    return d_X, {name: gradient / (X.shape[0] * X.shape[1]) for name, gradient in gradients.items()}


def feed_forward_backward_of_one_sentence(d_output, X, inner, parameters, activation="relu"):
    """The gradients of the parameters are those of the first sentence alone: sum over all of them."""
    d_X, _ = reference.feed_forward_backward(d_output, X, inner, parameters, activation)
    return d_X, reference.feed_forward_backward(d_output[:1], X[:1], inner[:1], parameters, activation)[1]


def feed_forward_backward_with_the_residual(d_output, X, inner, parameters, activation="relu"):
    """You added d_output to d_X: that is the residual's part, and belongs to the block around this layer."""
    d_X, gradients = reference.feed_forward_backward(d_output, X, inner, parameters, activation)
    return d_X + d_output, gradients


def feed_forward_backward_with_the_slope_of_the_active(d_output, X, inner, parameters, activation="relu"):
    """The slope is taken where inner stands, before the activation: you took it after."""
    if activation == "relu":
        return reference.feed_forward_backward(d_output, X, inner, parameters)
    active = _active(inner, activation)
    d_inner = _slope(d_output @ parameters["W_2"].T, active, activation)
    return _way_back(d_output, X, inner, parameters, active, d_inner)


def feed_forward_backward_without_biases(d_output, X, inner, parameters, activation="relu"):
    """The gradients of b_1 and b_2 are missing from the dictionary."""
    d_X, gradients = reference.feed_forward_backward(d_output, X, inner, parameters, activation)
    return d_X, {name: gradient for name, gradient in gradients.items() if name.startswith("W")}


def feed_forward_backward_with_biases_of_one_axis(d_output, X, inner, parameters, activation="relu"):
    """You summed the gradients of b_1 and b_2 over the sentences alone: sum over positions too, axis=(0, 1)."""
    d_X, gradients = reference.feed_forward_backward(d_output, X, inner, parameters, activation)
    d_inner = _slope(d_output @ parameters["W_2"].T, inner, activation)
    return d_X, gradients | {"b_1": d_inner.sum(axis=0), "b_2": d_output.sum(axis=0)}


def feed_forward_backward_with_the_slope_at_d_active(d_output, X, inner, parameters, activation="relu"):
    """Two arguments have changed places: the slope is taken at inner, gelu_backward(d_active, inner, form)."""
    d_active = d_output @ parameters["W_2"].T
    return _way_back(d_output, X, inner, parameters, _active(inner, activation), _slope(inner, d_active, activation))


def feed_forward_backward_with_a_slope_at_zero(d_output, X, inner, parameters, activation="relu"):
    """You took the slope of ReLU at 0 as 1: it is 1 where inner > 0, not where inner >= 0."""
    if activation != "relu":
        return reference.feed_forward_backward(d_output, X, inner, parameters, activation)
    d_inner = (d_output @ parameters["W_2"].T) * (inner >= 0)
    return _way_back(d_output, X, inner, parameters, np.maximum(inner, 0), d_inner)


def feed_forward_backward_in_float64(d_output, X, inner, parameters, activation="relu"):
    """float32 came in and float64 went out: NumPy's own numbers and new arrays promote, numbers of Python do not."""
    return reference.feed_forward_backward(*(a.astype(float) for a in (d_output, X, inner)), parameters, activation)


MISTAKES = by_exercise(__name__, [
    "layer_norm", "layer_norm_backward", "gelu", "gelu_backward", "feed_forward", "feed_forward_backward",
])
