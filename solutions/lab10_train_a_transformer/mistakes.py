"""Plausible wrong answers to lab 10. A docstring is the sentence that a student reads whose answer behaves like it.

The tests prove that the hidden checks reject each of them; the marking room names the one that an answer behaves like.
"""

import numpy as np

from solutions.exercises import by_exercise
from solutions.lab10_train_a_transformer import reference
from solutions.lab10_train_a_transformer.reference import PAD

# shifted_targets


def shifted_targets_that_does_not_shift(target, start, end):
    """Your decoder is told the very token that it should write: put `start` in front, so that it is told the one
    before."""
    wanted = reference.shifted_targets(target, start, end)[1]
    return wanted, wanted


def shifted_targets_with_end_in_the_last_place(target, start, end):
    """You put `end` in the last place of every row, behind the padding: it belongs right after the row's last token."""
    told, _ = reference.shifted_targets(target, start, end)
    rest = np.concatenate([target, np.full((len(target), 1), end)], axis=1)
    return told, rest


def shifted_targets_with_end_one_early(target, start, end):
    """Your `end` stands where each row's last token was: it belongs one place further on, right after it."""
    told, wanted = reference.shifted_targets(target, start, end)
    lengths, rows = (target != PAD).sum(axis=1), np.arange(len(target))
    wanted[rows, lengths] = PAD
    wanted[rows, np.maximum(lengths - 1, 0)] = end
    return told, wanted


def shifted_targets_with_all_ends_in_every_row(target, start, end):
    """You wrote all rows' ends into every row: wanted[:, n] takes all places n of each, wanted[np.arange(B), n] one."""
    told, _ = reference.shifted_targets(target, start, end)
    wanted = np.concatenate([target, np.full((len(target), 1), PAD)], axis=1)
    wanted[:, (target != PAD).sum(axis=1)] = end
    return told, wanted


def shifted_targets_without_end(target, start, end):
    """Nothing tells the model to stop: `end` follows the last token of each row."""
    told, _ = reference.shifted_targets(target, start, end)
    return told, np.concatenate([target, np.full((len(target), 1), PAD)], axis=1)


def shifted_targets_cut_to_the_old_length(target, start, end):
    """You cut both to T places, so the longest rows lose their last token or their `end`: T + 1 places are needed."""
    told, wanted = reference.shifted_targets(target, start, end)
    return told[:, :-1], wanted[:, :-1]


def shifted_targets_told_the_end_too(target, start, end):
    """What the decoder is told holds `end` as well, at the cost of padding: told is `start` and then the target."""
    told, wanted = reference.shifted_targets(target, start, end)
    told = np.concatenate([told[:, :1], wanted[:, :-1]], axis=1)
    return told, wanted


def shifted_targets_with_start_and_end_exchanged(target, start, end):
    """Start and end have changed places: `start` stands before the first token of told, `end` after the last wanted."""
    return reference.shifted_targets(target, end, start)


def shifted_targets_with_wanted_first(target, start, end):
    """You returned wanted and then told: told comes first."""
    return reference.shifted_targets(target, start, end)[::-1]


def shifted_targets_with_fixed_ids(target, start, end):
    """You wrote 1 and 2: take the ids of start and end from the arguments."""
    return reference.shifted_targets(target, 1, 2)


def shifted_targets_of_floats(target, start, end):
    """Your ids are floats, and a table cannot be read with them: give np.zeros and np.full dtype=int."""
    told, wanted = reference.shifted_targets(target, start, end)
    return told.astype(float), wanted.astype(float)


def shifted_targets_as_lists(target, start, end):
    """You returned lists: make arrays of them, np.array(...), since told != 0 on a list compares it as a whole."""
    told, wanted = reference.shifted_targets(target, start, end)
    return told.tolist(), wanted.tolist()


# attention_masks


def attention_masks_upside_down(source, told):
    """Your masks are True where one may NOT look: in this course True means may look."""
    return tuple(~mask for mask in reference.attention_masks(source, told))


def attention_masks_that_show_the_future(source, told):
    """Your decoder sees the tokens that it should write: its mask needs the causal half, j <= i."""
    encoder, _, cross = reference.attention_masks(source, told)
    return encoder, np.repeat((told != PAD)[:, None], told.shape[1], axis=1), cross


def attention_masks_without_the_diagonal(source, told):
    """Your decoder may not look at the token that it was just told: the causal mask includes the diagonal."""
    encoder, decoder, cross = reference.attention_masks(source, told)
    return encoder, decoder & np.tri(told.shape[1], k=-1, dtype=bool), cross


def attention_masks_that_look_ahead_only(source, told):
    """Your causal mask is transposed: row i may look at columns up to i, the lower triangle."""
    encoder, _, cross = reference.attention_masks(source, told)
    return encoder, (told != PAD)[:, None] & np.tri(told.shape[1], dtype=bool).T, cross


def attention_masks_with_a_causal_encoder(source, told):
    """You made the encoder causal too: a source is there as a whole, so all of it may be looked at."""
    encoder, decoder, cross = reference.attention_masks(source, told)
    return encoder & np.tri(source.shape[1], dtype=bool), decoder, cross


def attention_masks_with_a_causal_cross(source, told):
    """You made the cross-attention causal: position i of a target may look at every source position."""
    encoder, decoder, cross = reference.attention_masks(source, told)
    return encoder, decoder, cross & np.tri(*cross.shape[1:], dtype=bool)


def attention_masks_of_rows_of_padding(source, told):
    """You masked the rows of padding, those that ask: hide its columns, those that are looked at."""
    encoder, _, cross = reference.attention_masks(source, told)
    asks = (told != PAD)[:, :, None]
    return np.swapaxes(encoder, 1, 2), asks & np.tri(told.shape[1], dtype=bool), np.broadcast_to(asks, cross.shape)


def attention_masks_that_hide_padded_rows_too(source, told):
    """You hid the rows of padding too: a padded place may look, since its answer is left out of the loss."""
    encoder, decoder, cross = reference.attention_masks(source, told)
    asks = (told != PAD)[:, :, None]
    return encoder & (source != PAD)[:, :, None], decoder & asks, cross & asks


def attention_masks_without_padding(source, told):
    """Your masks ignore padding: a place where id 0 stands is no token, and nobody looks at it."""
    return reference.attention_masks(np.ones_like(source), np.ones_like(told))


def attention_masks_without_an_axis_for_who_asks(source, told):
    """Your masks lack an axis: (B, S, S), (B, T, T) and (B, T, S), a row for each place that asks."""
    encoder, decoder, cross = reference.attention_masks(source, told)
    return encoder[:, :1], decoder, cross[:, :1]


def attention_masks_with_the_first_place_open(source, told):
    """You left place 0 of every source open: where a source has no token nobody looks at it, and its rows are False."""
    encoder, decoder, cross = reference.attention_masks(source, told)
    return encoder | (np.arange(encoder.shape[2]) == 0), decoder, cross


def attention_masks_by_either(source, told):
    """In the decoder you let one of two conditions do: a place is looked at if it is no padding AND is not later."""
    encoder, _, cross = reference.attention_masks(source, told)
    return encoder, (told != PAD)[:, None] | np.tri(told.shape[1], dtype=bool), cross


def attention_masks_of_ones_and_zeros(source, told):
    """Your masks hold 1 and 0: a mask is boolean, True and False, on which ~ and & work as they should."""
    return tuple(mask.astype(int) for mask in reference.attention_masks(source, told))


def attention_masks_that_hide_start_and_end(source, told):
    """You took START and END for padding: only id 0 is, every other id is a token and may be looked at."""
    encoder, _, cross = reference.attention_masks(source, told)
    return encoder, (told > 2)[:, None] & np.tri(told.shape[1], dtype=bool), cross


def attention_masks_of_numbers_to_add(source, told):
    """You made masks to be added, 0 and -1e9: here a mask is boolean, True where one may look."""
    return tuple(np.where(mask, 0.0, -1e9) for mask in reference.attention_masks(source, told))


# learning_rate


def learning_rate_without_warmup(step, d_model, warmup):
    """There is no warm-up: up to step = warmup the rate is a line, step · warmup^-1.5."""
    return d_model**-0.5 * step**-0.5


def learning_rate_that_never_falls(step, d_model, warmup):
    """Your rate stays at its peak: after the warm-up it falls as step^-0.5."""
    return d_model**-0.5 * min(warmup**-0.5, step * warmup**-1.5)


def learning_rate_with_the_larger(step, d_model, warmup):
    """You took the larger of the two, so that the rate begins at its highest: it is the smaller."""
    return d_model**-0.5 * max(step**-0.5, step * warmup**-1.5)


def learning_rate_without_the_width(step, d_model, warmup):
    """d_model has no effect: the whole is multiplied by d_model^-0.5."""
    return min(step**-0.5, step * warmup**-1.5)


def learning_rate_times_the_root_of_the_width(step, d_model, warmup):
    """You multiplied by the root of d_model: wider models get smaller steps, so it is d_model^-0.5."""
    return d_model**0.5 * min(step**-0.5, step * warmup**-1.5)


def learning_rate_that_decays_exponentially(step, d_model, warmup):
    """After the warm-up your rate decays exponentially: the paper's falls as the inverse square root of the step."""
    if step <= warmup:
        return d_model**-0.5 * step * warmup**-1.5
    return d_model**-0.5 * warmup**-0.5 * np.exp(-(step - warmup) / warmup)


def learning_rate_with_the_warmup_to_the_minus_half(step, d_model, warmup):
    """Your line is step · warmup^-0.5, which does not meet the other half at the peak: it is warmup^-1.5."""
    return d_model**-0.5 * min(step**-0.5, step * warmup**-0.5)


def learning_rate_counted_from_zero(step, d_model, warmup):
    """You add 1 to the step: the first step is 1 already."""
    return reference.learning_rate(step + 1, d_model, warmup)


def learning_rate_with_a_fixed_warmup(step, d_model, warmup):
    """You wrote 400 for the warm-up: take it from the argument."""
    return reference.learning_rate(step, d_model, 400)


# smoothed_cross_entropy


def _loss(logits, q, real, count):
    shifted = logits - logits.max(axis=-1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    share = real[..., None] / count
    return -float((q * log_p * share).sum()), (np.exp(log_p) * q.sum(axis=-1, keepdims=True) - q) * share


def _wanted(logits, wanted):
    return wanted[..., None] == np.arange(logits.shape[-1])


def smoothed_cross_entropy_over_the_others(logits, wanted, epsilon):
    """You spread epsilon over the other V - 1 tokens. That is the second convention; this lab, like PyTorch, spreads it
    over all V, the wanted one included."""
    V = logits.shape[-1]
    q = np.where(_wanted(logits, wanted), 1 - epsilon, epsilon / (V - 1))
    real = wanted != PAD
    return _loss(logits, q, real, real.sum())


def smoothed_cross_entropy_with_nothing_for_padding(logits, wanted, epsilon):
    """Your q gives id 0 nothing: epsilon is spread over all V ids, that of padding too, as in PyTorch."""
    V = logits.shape[-1]
    q = (1 - epsilon) * _wanted(logits, wanted) + epsilon / (V - 1) * (np.arange(V) > 0)
    real = wanted != PAD
    return _loss(logits, q, real, real.sum())


def smoothed_cross_entropy_with_padding(logits, wanted, epsilon):
    """Padding counts in your loss: leave out the places where id 0 is wanted, in the gradient too."""
    V = logits.shape[-1]
    q = (1 - epsilon) * _wanted(logits, wanted) + epsilon / V
    return _loss(logits, q, np.ones(wanted.shape), wanted.size)


def smoothed_cross_entropy_over_all_places(logits, wanted, epsilon):
    """You divided by B · T: the mean is over the real tokens, so divide by their number."""
    loss, d_logits = reference.smoothed_cross_entropy(logits, wanted, epsilon)
    share = (wanted != PAD).mean()
    return loss * share, d_logits * share


def smoothed_cross_entropy_summed(logits, wanted, epsilon):
    """You added up: the loss is the mean over the real tokens, and so is its gradient."""
    loss, d_logits = reference.smoothed_cross_entropy(logits, wanted, epsilon)
    return loss * (wanted != PAD).sum(), d_logits * (wanted != PAD).sum()


def smoothed_cross_entropy_with_a_gradient_of_the_sum(logits, wanted, epsilon):
    """Your gradient is that of the sum: divide it by the number of real tokens, as the loss is."""
    loss, d_logits = reference.smoothed_cross_entropy(logits, wanted, epsilon)
    return loss, d_logits * (wanted != PAD).sum()


def smoothed_cross_entropy_with_a_gradient_on_padding(logits, wanted, epsilon):
    """Your gradient is not 0 on padding: what does not count in the loss pulls at nothing."""
    loss, _ = reference.smoothed_cross_entropy(logits, wanted, epsilon)
    q = (1 - epsilon) * _wanted(logits, wanted) + epsilon / logits.shape[-1]
    return loss, _loss(logits, q, np.ones(wanted.shape), (wanted != PAD).sum())[1]


def smoothed_cross_entropy_with_the_plain_gradient(logits, wanted, epsilon):
    """Your gradient is that of the loss without smoothing: it is p - q, with the q of the loss."""
    loss, _ = reference.smoothed_cross_entropy(logits, wanted, epsilon)
    return loss, reference.smoothed_cross_entropy(logits, wanted, 0.0)[1]


def smoothed_cross_entropy_without_smoothing(logits, wanted, epsilon):
    """epsilon has no effect: q is 1 - epsilon + epsilon / V at the wanted token and epsilon / V elsewhere."""
    return reference.smoothed_cross_entropy(logits, wanted, 0.0)


def smoothed_cross_entropy_with_epsilon_on_top(logits, wanted, epsilon):
    """Your target sums to 1 + epsilon: what the others get must be taken from the wanted token, 1 - epsilon."""
    q = _wanted(logits, wanted) + epsilon / logits.shape[-1]
    real = wanted != PAD
    return _loss(logits, q, real, real.sum())


def smoothed_cross_entropy_that_overflows(logits, wanted, epsilon):
    """exp overflows for large logits and vanishes for very negative ones: subtract the largest of each row first."""
    powers = np.exp(logits)
    p = powers / powers.sum(axis=-1, keepdims=True)
    q = ((1 - epsilon) * _wanted(logits, wanted) + epsilon / logits.shape[-1])
    real = (wanted != PAD)[..., None]
    share = real / real.sum()
    return -float((q * np.log(p) * share).sum()), (p - q) * share


def smoothed_cross_entropy_by_the_log_of_a_softmax(logits, wanted, epsilon):
    """You take the log of a softmax, whose small entries are 0: log p is z - log(sum(exp(z))), z less its largest."""
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return _by_log_of(powers / powers.sum(axis=-1, keepdims=True), wanted, epsilon, 0.0)


def smoothed_cross_entropy_with_a_small_number_in_the_log(logits, wanted, epsilon):
    """You add a small number inside the log, which caps what a wrong answer costs: take log p from the logits."""
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return _by_log_of(powers / powers.sum(axis=-1, keepdims=True), wanted, epsilon, 1e-9)


def _by_log_of(p, wanted, epsilon, more):
    q = (1 - epsilon) * _wanted(p, wanted) + epsilon / p.shape[-1]
    real = (wanted != PAD)[..., None]
    return -float((q * np.log(p + more) * real).sum() / real.sum()), (p - q) * real / real.sum()


def smoothed_cross_entropy_less_the_largest_of_all(logits, wanted, epsilon):
    """You subtract the largest logit of the whole array, so that exp vanishes in rows far below it: each row has its
    own largest."""
    shifted = logits - logits.max()
    log_p = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    q = (1 - epsilon) * _wanted(logits, wanted) + epsilon / logits.shape[-1]
    share = (wanted != PAD)[..., None] / (wanted != PAD).sum()
    return -float((q * log_p * share).sum()), (np.exp(log_p) - q) * share


def smoothed_cross_entropy_averaged_over_the_tokens(logits, wanted, epsilon):
    """You took a mean along V: q sums to 1, so q log p is added up along V, and the mean is over the places alone."""
    loss, d_logits = reference.smoothed_cross_entropy(logits, wanted, epsilon)
    return loss / logits.shape[-1], d_logits / logits.shape[-1]


def smoothed_cross_entropy_by_rows(logits, wanted, epsilon):
    """You took the mean of each row's own mean: every real token of the batch counts the same."""
    q = (1 - epsilon) * _wanted(logits, wanted) + epsilon / logits.shape[-1]
    real = wanted != PAD
    return _loss(logits, q, real, np.maximum(real.sum(axis=1), 1)[:, None, None] * real.any(axis=1).sum())


def smoothed_cross_entropy_with_epsilon_on_padding(logits, wanted, epsilon):
    """The epsilon part of your loss counts padding: leave out the places where id 0 is wanted there too."""
    loss, d_logits = reference.smoothed_cross_entropy(logits, wanted, epsilon)
    of_all, _ = _loss(logits, np.full(logits.shape, epsilon / logits.shape[-1]), np.ones(wanted.shape), wanted.size)
    of_real, _ = _loss(logits, np.full(logits.shape, epsilon / logits.shape[-1]), wanted != PAD, (wanted != PAD).sum())
    return loss + of_all - of_real, d_logits


def smoothed_cross_entropy_with_the_gradient_turned(logits, wanted, epsilon):
    """The sign of your gradient is turned, so that training climbs: it is p - q, not q - p."""
    loss, d_logits = reference.smoothed_cross_entropy(logits, wanted, epsilon)
    return loss, -d_logits


def smoothed_cross_entropy_along_the_places(logits, wanted, epsilon):
    """Your softmax runs along the places, axis 1: at each place the p of all tokens sum to 1, axis -1."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    q = (1 - epsilon) * _wanted(logits, wanted) + epsilon / logits.shape[-1]
    share = (wanted != PAD)[..., None] / (wanted != PAD).sum()
    return -float((q * log_p * share).sum()), (np.exp(log_p) - q) * share


def smoothed_cross_entropy_with_a_target_below_1(logits, wanted, epsilon):
    """Your q sums to less than 1: the wanted token gets epsilon / V too, on top of its 1 - epsilon."""
    q = np.where(_wanted(logits, wanted), 1 - epsilon, epsilon / logits.shape[-1])
    real = wanted != PAD
    return _loss(logits, q, real, real.sum())


def smoothed_cross_entropy_with_the_sign_turned(logits, wanted, epsilon):
    """The signs are turned: the loss is minus the sum of q log p, and its gradient is p - q."""
    loss, d_logits = reference.smoothed_cross_entropy(logits, wanted, epsilon)
    return -loss, -d_logits


# smoothing_floor


def smoothing_floor_of_the_other_convention(V, epsilon):
    """You gave the wanted token 1 - epsilon and the other V - 1 all of epsilon: here it is spread over all V."""
    terms = [(1, 1 - epsilon), (V - 1, epsilon / (V - 1))]
    return float(-sum(n * q * np.log(q) for n, q in terms if q > 0))


def smoothing_floor_of_a_q_below_1(V, epsilon):
    """Your q sums to less than 1: the wanted token gets epsilon / V too, on top of its 1 - epsilon."""
    terms = [(1, 1 - epsilon), (V - 1, epsilon / V)]
    return float(-sum(n * q * np.log(q) for n, q in terms if q > 0))


def smoothing_floor_that_takes_log_of_0(V, epsilon):
    """Without smoothing you take log 0, which gives nan: 0 · log 0 counts as 0."""
    wanted, other = 1 - epsilon + epsilon / V, epsilon / V
    return -wanted * np.log(wanted) - (V - 1) * other * np.log(other)


def smoothing_floor_of_the_wanted_token(V, epsilon):
    """You took the wanted token alone: the other V - 1 tokens, with epsilon / V each, belong to the entropy as well."""
    wanted = 1 - epsilon + epsilon / V
    return float(-wanted * np.log(wanted))


def smoothing_floor_with_one_other_token(V, epsilon):
    """You counted the other tokens once: there are V - 1 of them."""
    if epsilon == 0:
        return 0.0
    wanted, other = 1 - epsilon + epsilon / V, epsilon / V
    return float(-wanted * np.log(wanted) - other * np.log(other))


def smoothing_floor_with_v_other_tokens(V, epsilon):
    """You counted V other tokens: one of the V is the wanted one, so V - 1 are left."""
    if epsilon == 0:
        return 0.0
    wanted, other = 1 - epsilon + epsilon / V, epsilon / V
    return float(-wanted * np.log(wanted) - V * other * np.log(other))


def smoothing_floor_in_bits(V, epsilon):
    """You took the logarithm to base 2: the loss has natural logarithms, so the floor has them too."""
    return reference.smoothing_floor(V, epsilon) / float(np.log(2))


def smoothing_floor_with_the_sign_turned(V, epsilon):
    """Your floor is negative: an entropy is minus the sum of q log q."""
    return -reference.smoothing_floor(V, epsilon)


def smoothing_floor_as_the_loss_of_certainty(V, epsilon):
    """That is -log of the wanted token's share: a model that gives just this share pays for the other tokens too."""
    return float(-np.log(1 - epsilon + epsilon / V))


MISTAKES = by_exercise(__name__, [
    "shifted_targets", "attention_masks", "learning_rate", "smoothed_cross_entropy", "smoothing_floor",
])
