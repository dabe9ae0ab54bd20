"""Plausible wrong answers to lab 18. A docstring is the sentence that a student reads whose answer behaves like it.

The tests prove that the hidden checks reject each of them; the marking room names the one that an answer behaves like.
"""

import numpy as np

from solutions.exercises import by_exercise
from solutions.lab18_fixed_state import reference

# linear_attention


def _run(step, q, k, v, state, decay, beta, rule):
    """`step` at each time: (state, factor of each row (B, G, d, 1), key (B, G, d, 1), value (B, G, 1, e), share
    (B, G, 1, 1)) -> the state that is read, and the state that goes on. What is refused is refused."""
    reference.linear_attention(q, k, v, state, decay, beta, rule)
    n, rows = q.shape[1] // k.shape[1], []
    state = 0 * (k[:, :, 0, :, None] * v[:, :, 0, None]) if state is None else state
    for t in range(k.shape[2]):
        factor = 1 if decay is None else np.exp(decay[:, :, t, :, None])
        share = None if beta is None else beta[:, :, t, None]
        read, state = step(state, factor, k[:, :, t, :, None], v[:, :, t, None], share)
        rows.append(np.einsum("bhd,bhde->bhe", q[:, :, t], np.repeat(read, n, axis=1)))
    return np.stack(rows, axis=2), state


def _new(state, key, value, share):
    """What a write adds."""
    old = 0 if share is None else np.swapaxes(key, -1, -2) @ state
    return key * (1 if share is None else share) * (value - old)


def linear_attention_with_decay_after_the_write(q, k, v, state=None, decay=None, beta=None, rule="linear"):
    """The decay came after the write, so what was just written has faded before it is read: first let the state fade,
    then write."""
    def step(state, factor, key, value, share):
        return 2 * (factor * (state + _new(state, key, value, share)),)

    return _run(step, q, k, v, state, decay, beta, rule)


def linear_attention_with_decay_after_the_read(q, k, v, state=None, decay=None, beta=None, rule="linear"):
    """The decay came at the end of a step, after the read: it is applied before the write."""
    def step(state, factor, key, value, share):
        read = state + _new(state, key, value, share)
        return read, factor * read

    return _run(step, q, k, v, state, decay, beta, rule)


def linear_attention_with_decay_as_a_factor(q, k, v, state=None, decay=None, beta=None, rule="linear"):
    """You multiplied the state by the decay: it is given as a logarithm, so multiply by np.exp(decay)."""
    if decay is None:
        return reference.linear_attention(q, k, v, state, decay, beta, rule)

    def step(state, factor, key, value, share):
        state = np.log(factor) * state
        return 2 * (state + _new(state, key, value, share),)

    return _run(step, q, k, v, state, decay, beta, rule)


def linear_attention_without_the_decay(q, k, v, state=None, decay=None, beta=None, rule="linear"):
    """The decay has no effect: multiply row i of the state by exp(decay[i]) before each write."""
    def step(state, factor, key, value, share):
        return 2 * (state + _new(state, key, value, share),)

    return _run(step, q, k, v, state, decay, beta, rule)


def linear_attention_with_the_mean_decay(q, k, v, state=None, decay=None, beta=None, rule="linear"):
    """All rows of the state fade alike: decay has d entries, one for each entry of the key, and so one for each row."""
    mean = None if decay is None else decay.mean(axis=-1, keepdims=True)
    return reference.linear_attention(q, k, v, state, mean, beta, rule)


def linear_attention_that_compares_before_the_decay(q, k, v, state=None, decay=None, beta=None, rule="linear"):
    """The delta rule compared with the state before it faded: what is taken off v is what the faded state says."""
    def step(state, factor, key, value, share):
        return 2 * (factor * state + _new(state, key, value, share),)

    return _run(step, q, k, v, state, decay, beta, rule)


def linear_attention_without_taking_off(q, k, v, state=None, decay=None, beta=None, rule="linear"):
    """Nothing is taken off: the delta rule writes beta (v - k^T S), of which the second part is what the state says
    already."""
    def step(state, factor, key, value, share):
        return 2 * (factor * state + key * (1 if share is None else share) * value,)

    return _run(step, q, k, v, state, decay, beta, rule)


def linear_attention_with_beta_on_the_value_alone(q, k, v, state=None, decay=None, beta=None, rule="linear"):
    """beta multiplies v alone: it multiplies the whole difference, beta (v - k^T S)."""
    def step(state, factor, key, value, share):
        state = factor * state
        return 2 * (state + (_new(state, key, value, None) if share is None else
                             _new(state, key, share * value, 1)),)

    return _run(step, q, k, v, state, decay, beta, rule)


def linear_attention_without_beta(q, k, v, state=None, decay=None, beta=None, rule="linear"):
    """beta has no effect: multiply the difference by it."""
    return reference.linear_attention(q, k, v, state, decay, None if beta is None else np.ones_like(beta), rule)


def linear_attention_that_adds_what_is_there(q, k, v, state=None, decay=None, beta=None, rule="linear"):
    """You added k^T S to the value: what the state says already is taken off."""
    def step(state, factor, key, value, share):
        state = factor * state
        return 2 * (state + (key * value if share is None else
                             key * share * (value + np.swapaxes(key, -1, -2) @ state)),)

    return _run(step, q, k, v, state, decay, beta, rule)


def linear_attention_that_reads_before_the_write(q, k, v, state=None, decay=None, beta=None, rule="linear"):
    """You read before you wrote: a step's query sees its own key and value, so write first."""
    def step(state, factor, key, value, share):
        state = factor * state
        return state, state + _new(state, key, value, share)

    return _run(step, q, k, v, state, decay, beta, rule)


def linear_attention_that_overwrites(q, k, v, state=None, decay=None, beta=None, rule="linear"):
    """The state holds the last write alone: add it to what was there."""
    def step(state, factor, key, value, share):
        return 2 * (_new(factor * state, key, value, share),)

    return _run(step, q, k, v, state, decay, beta, rule)


def linear_attention_of_the_last_state(q, k, v, state=None, decay=None, beta=None, rule="linear"):
    """Every query reads the state after the last step, so it sees the future: read after each step."""
    _, last = reference.linear_attention(q, k, v, state, decay, beta, rule)
    return q @ np.repeat(last, q.shape[1] // k.shape[1], axis=1), last


def linear_attention_from_zeros(q, k, v, state=None, decay=None, beta=None, rule="linear"):
    """The given state has no effect: begin with it, and with zeros only where it is None."""
    return reference.linear_attention(q, k, v, None, decay, beta, rule)


def linear_attention_that_hands_on_its_first_state(q, k, v, state=None, decay=None, beta=None, rule="linear"):
    """You returned the state with which you began: return the one after the last step, so that another call can go
    on from it."""
    output, last = reference.linear_attention(q, k, v, state, decay, beta, rule)
    return output, 0 * last if state is None else state.copy()


def linear_attention_without_its_state(q, k, v, state=None, decay=None, beta=None, rule="linear"):
    """You returned the output alone: return the state after the last step, too."""
    return reference.linear_attention(q, k, v, state, decay, beta, rule)[0]


def linear_attention_exchanged(q, k, v, state=None, decay=None, beta=None, rule="linear"):
    """You returned the state first: it is output, state."""
    return reference.linear_attention(q, k, v, state, decay, beta, rule)[::-1]


def linear_attention_with_the_state_transposed(q, k, v, state=None, decay=None, beta=None, rule="linear"):
    """Your state lies on its side: keys are its rows and values its columns, (B, G, d, e)."""
    output, last = reference.linear_attention(q, k, v, state, decay, beta, rule)
    return output, np.swapaxes(last, -1, -2)


def linear_attention_with_tiled_groups(q, k, v, state=None, decay=None, beta=None, rule="linear"):
    """Head n read group n % G: it is n // (H // G), so that neighbouring heads share a group; np.repeat does that,
    np.tile does not."""
    H, G = q.shape[1], k.shape[1]
    order = np.argsort(np.arange(H) % G, kind="stable")  # heads 0, G, 2G, ... look at group 0
    output, last = reference.linear_attention(q[:, order], k, v, state, decay, beta, rule)
    return output[:, np.argsort(order)], last


def linear_attention_that_scales(q, k, v, state=None, decay=None, beta=None, rule="linear"):
    """You divided by the root of d: there is no softmax here that could saturate, so nothing is scaled."""
    output, last = reference.linear_attention(q, k, v, state, decay, beta, rule)
    return output / q.shape[-1] ** 0.5, last


def linear_attention_with_unit_keys(q, k, v, state=None, decay=None, beta=None, rule="linear"):
    """You brought the keys to length 1: whoever calls does that, this function takes them as they are."""
    size = np.maximum(np.linalg.norm(k, axis=-1, keepdims=True), 1e-12)
    return reference.linear_attention(q, k / size, v, state, decay, beta, rule)


def linear_attention_with_a_feature_map(q, k, v, state=None, decay=None, beta=None, rule="linear"):
    """You applied elu(x) + 1, as Katharopoulos and others do: here queries and keys come as they are, a feature map is
    the caller's."""
    above = [np.where(x > 0, x + 1, np.exp(np.minimum(x, 0))) for x in (q, k)]
    return reference.linear_attention(*above, v, state, decay, beta, rule)


# linear_attention_parallel


def _parallel(q, k, v, weigh):
    """`weigh` gets the products (B, H, T, T) and returns what stands in their place."""
    n = q.shape[1] // k.shape[1]
    keys, values = np.repeat(k, n, axis=1), np.repeat(v, n, axis=1)
    return np.einsum("bhts,bhse->bhte", weigh(np.einsum("bhtd,bhsd->bhts", q, keys)), values)


def _faded(decay, n, shift=0.0):
    """exp of the decays between (B, H, T, T), 0 for what comes later."""
    total = np.repeat(np.cumsum(decay[..., 0], axis=-1), n, axis=1)
    own = np.repeat(decay[..., 0], n, axis=1)
    gap = total[..., :, None] - total[..., None, :] + shift * own[..., None, :]
    return np.exp(np.where(np.tri(gap.shape[-1]) > 0, gap, -np.inf))


def _weighed(q, k, v, decay, weigh):
    """The parallel form, where `weigh` gets products and factors."""
    reference.linear_attention_parallel(q, k, v, decay)
    n, T = q.shape[1] // k.shape[1], q.shape[2]
    factors = np.tri(T, dtype=q.dtype) if decay is None else _faded(decay, n)
    return _parallel(q, k, v, lambda products: weigh(products, factors))


def linear_attention_parallel_without_the_mask(q, k, v, decay=None):
    """Later steps have their part: a step sees itself and what came before, np.tri."""
    def weigh(products, factors):
        return products * np.maximum(factors, 1 - np.tri(factors.shape[-1]))

    return _weighed(q, k, v, decay, weigh)


def linear_attention_parallel_without_itself(q, k, v, decay=None):
    """A step does not see itself: the diagonal belongs to the mask."""
    return _weighed(q, k, v, decay, lambda products, factors: products * factors * np.tri(factors.shape[-1], k=-1))


def linear_attention_parallel_with_a_softmax(q, k, v, decay=None):
    """There is a softmax: in linear attention the products themselves are the weights."""
    def weigh(products, factors):
        scores = np.where(factors > 0, products, -np.inf)
        powers = np.exp(scores - scores.max(axis=-1, keepdims=True)) * factors
        return powers / powers.sum(axis=-1)[..., None]

    return _weighed(q, k, v, decay, weigh)


def linear_attention_parallel_that_normalises(q, k, v, decay=None):
    """You divided each row by its sum: here nothing is normalised, and the sum may be 0."""
    def weigh(products, factors):
        kept = products * factors
        return kept / kept.sum(axis=-1)[..., None]

    return _weighed(q, k, v, decay, weigh)


def linear_attention_parallel_that_scales(q, k, v, decay=None):
    """You divided by the root of d: nothing is scaled here."""
    return reference.linear_attention_parallel(q, k, v, decay) / q.shape[-1] ** 0.5


def linear_attention_parallel_without_the_decay(q, k, v, decay=None):
    """The decay has no effect: multiply each product by exp of the decays after its write."""
    return reference.linear_attention_parallel(q, k, v)


def linear_attention_parallel_with_the_own_decay(q, k, v, decay=None):
    """What a step writes fades by that step's own decay: the decay comes before the write, so it counts from the next
    step on."""
    if decay is None:
        return reference.linear_attention_parallel(q, k, v)
    return _weighed(q, k, v, decay, lambda products, factors: products * _faded(decay, q.shape[1] // k.shape[1], 1.0))


def linear_attention_parallel_with_the_last_decay(q, k, v, decay=None):
    """Only the last step's decay has an effect: what lies three steps back has faded three times, so add up the
    logarithms between, np.cumsum."""
    if decay is None:
        return reference.linear_attention_parallel(q, k, v)
    factor = np.repeat(np.exp(decay[..., 0]), q.shape[1] // k.shape[1], axis=1)[..., None]
    once = np.tri(q.shape[2], k=-1) * factor + np.eye(q.shape[2])
    return _parallel(q, k, v, lambda products: products * once)


def linear_attention_parallel_by_a_quotient(q, k, v, decay=None):
    """exp(c_t) / exp(c_s) is 0 / 0 where decays are strong: take the difference of the sums first, then its
    exponential."""
    if decay is None:
        return reference.linear_attention_parallel(q, k, v)
    power = np.exp(np.repeat(np.cumsum(decay[..., 0], axis=-1), q.shape[1] // k.shape[1], axis=1))
    with np.errstate(all="ignore"):
        factors = power[..., :, None] / power[..., None, :]
        return _parallel(q, k, v, lambda products: np.where(np.tri(q.shape[2]) > 0, products * factors, 0))


def linear_attention_parallel_masked_after_the_exponential(q, k, v, decay=None):
    """Above the diagonal the exponential overflows, and inf times 0 is nan: put -inf there before np.exp, or choose by
    np.where."""
    if decay is None:
        return reference.linear_attention_parallel(q, k, v)
    total = np.repeat(np.cumsum(decay[..., 0], axis=-1), q.shape[1] // k.shape[1], axis=1)
    with np.errstate(all="ignore"):
        powers = np.exp(total[..., :, None] - total[..., None, :]) * np.tri(q.shape[2])
        return _parallel(q, k, v, lambda products: products * powers)


def linear_attention_parallel_with_tiled_groups(q, k, v, decay=None):
    """Head n took group n % G: it is n // (H // G); np.repeat does that, np.tile does not."""
    H, G = q.shape[1], k.shape[1]
    order = np.argsort(np.arange(H) % G, kind="stable")
    output = reference.linear_attention_parallel(q[:, order], k, v, decay)
    return output[:, np.argsort(order)]


def linear_attention_parallel_with_a_state(q, k, v, decay=None):
    """You returned two results: the parallel form has no state, return the output alone."""
    output = reference.linear_attention_parallel(q, k, v, decay)
    return output, np.swapaxes(k, -1, -2) @ v


# scan


def scan_without_the_factor(a, b):
    """a has no effect: h_t is a_t h_{t-1} + b_t."""
    return np.cumsum(b, axis=1) if a.shape == b.shape else reference.scan(a, b)


def scan_by_dividing(a, b):
    """You divided by the product of all a so far, which is nan where one is 0, and inexact where it is small: go step
    by step, or join pairs."""
    reference.scan(a, b)
    with np.errstate(all="ignore"):
        product = np.cumprod(a, axis=1)
        return product * np.cumsum(b / product, axis=1)


def scan_with_the_factor_before(a, b):
    """You multiplied by the factor of the step before: h_t is a_t h_{t-1} + b_t, both of step t."""
    reference.scan(a, b)
    return reference.scan(np.concatenate([a[:, :1], a[:, :-1]], axis=1), b)


def scan_with_the_factor_outside(a, b):
    """You multiplied b, too: only the state before is multiplied, a_t h_{t-1} + b_t."""
    return reference.scan(a, a * b)


def scan_with_the_factor_after(a, b):
    """You multiplied b by the factor of another step: b_t enters as it is, and fades from the next step on."""
    reference.scan(a, b)
    return reference.scan(a, np.concatenate([b[:, :1], a[:, :-1] * b[:, 1:]], axis=1))


def scan_along_the_first_axis(a, b):
    """You went along axis 0, which are the sequences: time is axis 1."""
    reference.scan(a, b)
    swapped = reference.scan(np.swapaxes(a, 0, 1), np.swapaxes(b, 0, 1))
    return np.swapaxes(swapped, 0, 1)


def scan_backwards(a, b):
    """You began at the end: h_1 is the first, and nothing of later steps is in it."""
    return reference.scan(a[:, ::-1], b[:, ::-1])[:, ::-1]


def scan_that_returns_the_last(a, b):
    """You returned the last state alone: return the state after each step, of the shape of b."""
    return reference.scan(a, b)[:, -1]


def scan_that_begins_one_late(a, b):
    """You returned the state before each step: h_1 is b_1, not 0."""
    h = reference.scan(a, b)
    return np.concatenate([0 * h[:, :1], h[:, :-1]], axis=1)


def scan_that_begins_with_one(a, b):
    """You began with 1: the state before the first step is 0."""
    h = reference.scan(a, b)
    return h + np.cumprod(a, axis=1)


def scan_by_products_that_are_never_0(a, b):
    """You divided by products of a, with a small number where it is 0: over many steps such products go to 0, and you
    divide by it. Go from state to state."""
    reference.scan(a, b)
    with np.errstate(all="ignore"):
        products = np.cumprod(np.where(a == 0, 1e-12, a), axis=1)
        return products * np.cumsum(b / products, axis=1)


# discretise


def _ratio(A, delta):
    """(exp(delta A) - 1) / A."""
    return reference.discretise(A, np.ones_like(A), delta)[1]


def discretise_by_euler(A, B, delta):
    """You took 1 + delta A and delta B, Euler's step: the zero-order hold has exp(delta A), and (exp(delta A) - 1) / A
    times B."""
    return 1 + delta * A, delta * B


def discretise_with_the_plain_step(A, B, delta):
    """B_bar is delta B in your answer, as in Mamba's code: the zero-order hold has (exp(delta A) - 1) / A times B."""
    return np.exp(delta * A), delta * B + 0 * A


def discretise_with_b_as_a(A, B, delta):
    """You took exp for B, too: B_bar is (exp(delta A) - 1) / A times B."""
    return np.exp(delta * A), np.exp(delta * B) + 0 * A


def discretise_with_a_power_on_b(A, B, delta):
    """You multiplied B by exp(delta A): it is multiplied by (exp(delta A) - 1) / A."""
    return np.exp(delta * A), np.exp(delta * A) * B


def discretise_without_expm1(A, B, delta):
    """exp(x) - 1 has lost its digits where x is tiny: np.expm1(x) keeps them."""
    moving = A != 0
    with np.errstate(all="ignore"):
        return np.exp(delta * A), np.where(moving, (np.exp(delta * A) - 1) / np.where(moving, A, 1), delta) * B


def discretise_with_a_threshold(A, B, delta):
    """You took delta B where A is only small: with a long step that is far off, so ask for A == 0."""
    return np.exp(delta * A), np.where(np.abs(A) < 1e-6, delta, _ratio(A, delta)) * B


def discretise_with_a_threshold_of_the_product(A, B, delta):
    """You took delta B where delta A is only small: that loses digits, so ask for A == 0."""
    return np.exp(delta * A), np.where(np.abs(delta * A) < 1e-5, delta, _ratio(A, delta)) * B


def discretise_with_something_added(A, B, delta):
    """You added a small number to A, so that it is never 0: where A is as small that changes it, so choose by
    np.where."""
    return np.exp(delta * A), np.where(A == 0, delta, np.expm1(delta * A) / (A + 1e-10)) * B


def discretise_with_nan_at_zero(A, B, delta):
    """Where A is 0 your B_bar is 0 / 0: the limit there is delta B."""
    with np.errstate(all="ignore"):
        return np.exp(delta * A), np.expm1(delta * A) / A * B


def discretise_with_zero_at_zero(A, B, delta):
    """Where A is 0 nothing comes in: (exp(delta A) - 1) / A goes to delta there, not to 0."""
    return np.exp(delta * A), _ratio(A, delta) * B * (A != 0)


def discretise_with_b_alone_at_zero(A, B, delta):
    """Where A is 0 you took B: a step of length delta brings delta B."""
    return np.exp(delta * A), np.where(A == 0, B, _ratio(A, delta) * B)


def discretise_divided_by_the_step_too(A, B, delta):
    """You divided by delta A: divide by A alone, or multiply by delta again."""
    return np.exp(delta * A), _ratio(A, delta) / delta * B


def discretise_with_nan_at_a_step_of_0(A, B, delta):
    """You divided by delta A, which is 0 where the step is, whatever A is: divide by A."""
    power = delta * A
    with np.errstate(all="ignore"):
        return np.exp(power), np.where(A == 0, delta, delta * (np.expm1(power) / power)) * B


def discretise_without_the_division(A, B, delta):
    """You did not divide by A: B_bar is (exp(delta A) - 1) / A times B."""
    return np.exp(delta * A), np.expm1(delta * A) * B


def discretise_with_the_sign(A, B, delta):
    """The sign of A is turned round: exp(delta A), and A is below 0 by itself where a state decays."""
    return np.exp(-delta * A), _ratio(A, delta) * B


def discretise_bilinear(A, B, delta):
    """This is the bilinear rule, (1 + delta A / 2) / (1 - delta A / 2): the zero-order hold has exp(delta A)."""
    with np.errstate(all="ignore"):
        return (1 + delta * A / 2) / (1 - delta * A / 2), delta * B / (1 - delta * A / 2)


def discretise_exchanged(A, B, delta):
    """You returned B_bar first: it is A_bar, B_bar."""
    return reference.discretise(A, B, delta)[::-1]


# causal_conv


def _padded(x, w, state):
    before = np.zeros((*x.shape[:2], w.shape[1] - 1), x.dtype) if state is None else state
    return np.concatenate([before, x], axis=2)


def _sums(line, w, T):
    return sum(w[:, j, None] * line[:, :, j:][:, :, :T] for j in range(w.shape[1]))


def causal_conv_with_the_kernel_turned(x, w, state=None):
    """The first column of w multiplied the newest input: it is the last one."""
    y, last = reference.causal_conv(x, w[:, ::-1], state)
    return y, last


def causal_conv_centred(x, w, state=None):
    """The middle of w lies on the step, so later inputs have their part: the last column lies on the step."""
    reference.causal_conv(x, w, state)
    K, T = w.shape[1], x.shape[2]
    line = np.concatenate([_padded(x, w, state), np.zeros((*x.shape[:2], K))], axis=2)
    return _sums(line[:, :, K // 2:], w, T), line[:, :, T:T + K - 1]


def causal_conv_from_zeros(x, w, state=None):
    """The given state has no effect: it stands before the first input."""
    reference.causal_conv(x, w, state)
    return reference.causal_conv(x, w)


def causal_conv_with_the_state_of_x_alone(x, w, state=None):
    """Where x is shorter than K - 1 your state is too: take the last K - 1 of state and x, one behind the other."""
    y, _ = reference.causal_conv(x, w, state)
    return y, x[:, :, max(x.shape[2] - w.shape[1] + 1, 0):]


def causal_conv_with_zeros_before_a_short_state(x, w, state=None):
    """Where x is shorter than K - 1 you filled up with zeros: the inputs of the old state come first."""
    y, last = reference.causal_conv(x, w, state)
    return y, np.where(np.arange(last.shape[2]) < last.shape[2] - x.shape[2], 0, last)


def causal_conv_with_a_slice_from_the_end(x, w, state=None):
    """With K = 1 your state is all of x, as a slice from -0 is everything: count from the front, [..., T:]."""
    y, last = reference.causal_conv(x, w, state)
    return y, x if w.shape[1] == 1 else last


def causal_conv_with_one_input_too_many(x, w, state=None):
    """Your state has K inputs: the next step needs the K - 1 before it."""
    y, _ = reference.causal_conv(x, w, state)
    line = _padded(x, w, state)
    return y, line[:, :, max(line.shape[2] - w.shape[1], 0):]


def causal_conv_that_hands_on_the_first(x, w, state=None):
    """You handed on the state with which you began: hand on the last K - 1 inputs."""
    y, _ = reference.causal_conv(x, w, state)
    return y, _padded(x, w, state)[:, :, :w.shape[1] - 1]


def causal_conv_that_hands_on_outputs(x, w, state=None):
    """You handed on outputs: a convolution goes on from inputs, the last K - 1."""
    y, _ = reference.causal_conv(x, w, state)
    return y, _padded(y, w, state)[:, :, x.shape[2]:]


def causal_conv_without_its_state(x, w, state=None):
    """You returned y alone: return the last K - 1 inputs, too."""
    return reference.causal_conv(x, w, state)[0]


def causal_conv_of_all_channels(x, w, state=None):
    """You added up the channels: each keeps its own line, and its own row of w."""
    y, last = reference.causal_conv(x, w, state)
    return np.repeat(y.sum(axis=1)[:, None], y.shape[1], axis=1), last


def causal_conv_with_one_row_of_weights(x, w, state=None):
    """All channels used the first row of w: channel c has row c."""
    y, last = reference.causal_conv(x, np.broadcast_to(w[:1], w.shape), state)
    return y, last


def causal_conv_with_the_edge_repeated(x, w, state=None):
    """You repeated the first input before the line: without a state there are zeros."""
    y, last = reference.causal_conv(x, w, state)
    if state is not None:
        return y, last
    line = np.concatenate([np.repeat(x[:, :, :1], w.shape[1] - 1, axis=2), x], axis=2)
    return _sums(line, w, x.shape[2]), line[:, :, x.shape[2]:]


# route


def _softmax(logits):
    powers = np.exp(logits - logits.max(axis=-1)[..., None])
    return powers / powers.sum(axis=-1)[..., None]


def route_always_renormalised(logits, k, renormalise):
    """The weights add up to 1 always: divide by their sum only where renormalise is True."""
    return reference.route(logits, k, True)


def route_never_renormalised(logits, k, renormalise):
    """renormalise has no effect: where it is True the chosen weights are divided by their sum."""
    return reference.route(logits, k, False)


def route_with_renormalise_turned(logits, k, renormalise):
    """renormalise works the other way round: True divides by the sum."""
    return reference.route(logits, k, not renormalise)


def route_with_ties_to_the_higher(logits, k, renormalise):
    """Of equal logits the higher number came first: it is the lower one. np.argsort(logits)[..., ::-1] turns ties
    round, np.argsort(-logits, kind="stable") does not."""
    E = logits.shape[-1]
    ids, weights = reference.route(logits[..., ::-1], k, renormalise)
    return E - 1 - ids, weights


def route_ascending(logits, k, renormalise):
    """The smallest of the chosen comes first: begin with the largest."""
    return tuple(each[..., ::-1] for each in reference.route(logits, k, renormalise))


def route_by_number(logits, k, renormalise):
    """The chosen experts are sorted by their numbers: the one with the largest logit comes first."""
    ids, weights = reference.route(logits, k, renormalise)
    order = np.argsort(ids, axis=-1)
    return tuple(np.take_along_axis(each, order, axis=-1) for each in (ids, weights))


def route_to_the_smallest(logits, k, renormalise):
    """You chose the smallest logits: negate them, or begin at the end."""
    reference.route(logits, k, renormalise)
    ids = np.argsort(logits, axis=-1, kind="stable")[..., :k]
    weights = np.take_along_axis(_softmax(logits), ids, axis=-1)
    return ids, weights / weights.sum(axis=-1)[..., None] if renormalise else weights


def route_without_the_softmax(logits, k, renormalise):
    """The weights are the logits: take the softmax over all E experts first."""
    ids, _ = reference.route(logits, k, renormalise)
    return ids, np.take_along_axis(logits, ids, axis=-1)


def route_with_the_mean(logits, k, renormalise):
    """All chosen experts have the weight 1 / k: their weights are what the softmax gives them."""
    ids, weights = reference.route(logits, k, renormalise)
    return ids, np.full_like(weights, 1 / k)


def route_that_overflows(logits, k, renormalise):
    """Large logits overflow: subtract each token's largest before np.exp."""
    ids, _ = reference.route(logits, k, renormalise)
    with np.errstate(all="ignore"):
        powers = np.exp(logits)
        chosen = np.take_along_axis(powers, ids, axis=-1)
        return ids, chosen / (chosen if renormalise else powers).sum(axis=-1)[..., None]


def route_by_probabilities(logits, k, renormalise):
    """You sorted by the softmax, where all that lies far below the largest is 0: sort by the logits, which differ."""
    reference.route(logits, k, renormalise)
    p = _softmax(logits)
    ids = np.argsort(-p, axis=-1, kind="stable")[..., :k]
    weights = np.take_along_axis(p, ids, axis=-1)
    return ids, weights / weights.sum(axis=-1)[..., None] if renormalise else weights


def route_with_one_largest_for_all(logits, k, renormalise):
    """You subtracted the largest of the whole array, so that a token far below it has only zeros: subtract each
    token's own largest, axis=-1."""
    ids, _ = reference.route(logits, k, renormalise)
    with np.errstate(all="ignore"):
        powers = np.exp(logits - logits.max())
        chosen = np.take_along_axis(powers, ids, axis=-1)
        return ids, chosen / (chosen if renormalise else powers).sum(axis=-1)[..., None]


def route_with_ids_that_are_floats(logits, k, renormalise):
    """Your ids are floats, which index nothing: they are integers."""
    ids, weights = reference.route(logits, k, renormalise)
    return ids.astype(float), weights


def route_over_the_tokens(logits, k, renormalise):
    """The softmax runs over the tokens: it runs over the experts, axis=-1."""
    ids, _ = reference.route(logits, k, renormalise)
    weights = np.take_along_axis(_softmax(np.moveaxis(logits, 0, -1)) if logits.ndim == 1 else np.swapaxes(
        _softmax(np.swapaxes(logits, -1, -2)), -1, -2), ids, axis=-1)
    return ids, weights / weights.sum(axis=-1)[..., None] if renormalise else weights


def route_exchanged(logits, k, renormalise):
    """You returned the weights first: it is ids, weights."""
    return reference.route(logits, k, renormalise)[::-1]


def route_to_all(logits, k, renormalise):
    """You returned weights of all E experts, 0 for those not chosen: return the k chosen ones alone."""
    ids, weights = reference.route(logits, k, renormalise)
    spread = np.zeros_like(logits)
    np.put_along_axis(spread, ids, weights, axis=-1)
    return ids, spread


# balance_loss


def _shares(probabilities, ids):
    reference.balance_loss(probabilities, ids)
    E = probabilities.shape[-1]
    return E, np.bincount(ids.ravel(), minlength=E) / ids.size, probabilities.reshape(-1, E).mean(axis=0)


def balance_loss_without_the_number(probabilities, ids):
    """The factor E is missing: with it an even load gives 1, however many experts there are."""
    _, f, P = _shares(probabilities, ids)
    return float(f @ P)


def balance_loss_of_tokens(probabilities, ids):
    """Your f is the assignments over the tokens, which add up to k: divide by all assignments, so that they add up
    to 1."""
    E, f, P = _shares(probabilities, ids)
    return float(E * (f @ P) * ids.shape[-1])


def balance_loss_of_the_first_choice(probabilities, ids):
    """You counted the first expert of each token alone: every assignment counts."""
    return reference.balance_loss(probabilities, ids[..., :1])


def balance_loss_of_the_largest(probabilities, ids):
    """You counted where each token's probability is largest: count the ids that you are given."""
    E, _, P = _shares(probabilities, ids)
    f = np.bincount(probabilities.reshape(-1, E).argmax(axis=-1), minlength=E) / (probabilities.size / E)
    return float(E * (f @ P))


def balance_loss_of_probabilities_alone(probabilities, ids):
    """You squared the mean probabilities: one of the two factors is the share of assignments."""
    E, _, P = _shares(probabilities, ids)
    return float(E * (P @ P))


def balance_loss_of_shares_alone(probabilities, ids):
    """You squared the shares of assignments: one of the two factors is the mean probability, and only that one has a
    gradient."""
    E, f, _ = _shares(probabilities, ids)
    return float(E * (f @ f))


def balance_loss_of_the_chosen(probabilities, ids):
    """You took the mean of the chosen experts' probabilities: P is the mean over all tokens, chosen or not."""
    E, f, _ = _shares(probabilities, ids)
    chosen = np.zeros(probabilities.shape)
    np.put_along_axis(chosen, ids, np.take_along_axis(probabilities.astype(float), ids, axis=-1), axis=-1)
    return float(E * (f @ chosen.reshape(-1, E).mean(axis=0)))


def balance_loss_of_used_experts(probabilities, ids):
    """You multiplied by the number of experts that got a token: it is the number of all, or a dead one is not seen."""
    _, f, P = _shares(probabilities, ids)
    return float((f > 0).sum() * (f @ P))


def balance_loss_as_a_mean(probabilities, ids):
    """You took the mean over the experts: it is E times the sum."""
    _, f, P = _shares(probabilities, ids)
    return float((f * P).mean())


def balance_loss_of_each_place(probabilities, ids):
    """You took the mean over the first axis alone: all axes in front count tokens, so take it over all of them."""
    E, f, _ = _shares(probabilities, ids)
    return float((E * f * probabilities.mean(axis=0)).sum())


def balance_loss_of_sums(probabilities, ids):
    """You added up the probabilities: take their mean over the tokens."""
    E, f, P = _shares(probabilities, ids)
    return float(E * (f @ P) * (probabilities.size / E))


MISTAKES = by_exercise(__name__, ["linear_attention", "linear_attention_parallel", "scan", "discretise", "causal_conv",
                                  "route", "balance_loss"])
