"""Plausible wrong answers to lab 13. A docstring is the sentence that a student reads whose answer behaves like it.

The tests prove that the hidden checks reject each of them; the marking room names the one that an answer behaves like.
"""

import numpy as np

from coursekit.tasks.tokens import END, START
from solutions.exercises import by_exercise
from solutions.lab00_warm_up.reference import log_softmax
from solutions.lab01_additive_attention.reference import softmax
from solutions.lab05_scaled_dot_product.reference import scaled_dot_product_attention
from solutions.lab13_language_model import reference
from solutions.lab13_language_model.reference import following

# next_token_loss


def _judged(logits, targets, share):
    """The summed loss, and its gradient, of logits (B, T, V) on targets (B, T), each with its share (B, T)."""
    log_p, is_target = log_softmax(logits, axis=-1), targets[..., None] == np.arange(logits.shape[-1])
    return -float((log_p * is_target * share[..., None]).sum()), (np.exp(log_p) - is_target) * share[..., None]


def _shifted(logits, ids, share):
    """The same where position t is judged on ids t + 1; share (B, T - 1)."""
    loss, d_logits = _judged(logits[:, :-1], ids[:, 1:], share)
    return loss, np.concatenate([d_logits, np.zeros_like(logits[:, :1])], axis=1)


def _shares(counts):
    return counts / max(counts.sum(), 1)


def next_token_loss_on_the_token_itself(logits, ids, mask):
    """You judged each position on its own token, which the model was shown: position t is judged on ids t + 1."""
    return _judged(logits, ids, _shares(mask))


def next_token_loss_on_the_token_before(logits, ids, mask):
    """You shifted the wrong way: position t says what comes next, so it is judged on ids t + 1, not on ids t - 1."""
    loss, d_logits = _judged(logits[:, 1:], ids[:, :-1], _shares(mask[:, :-1]))
    return loss, np.concatenate([np.zeros_like(logits[:, :1]), d_logits], axis=1)


def next_token_loss_that_goes_round(logits, ids, mask):
    """The last position was judged on the first token, which np.roll brings there: nothing follows the last one."""
    return _judged(logits, np.roll(ids, -1, axis=1), _shares(np.roll(mask, -1, axis=1)))


def next_token_loss_without_the_mask(logits, ids, mask):
    """All positions count, the padding too: only a token where the mask is True counts as a target."""
    return _shifted(logits, ids, _shares(np.ones(mask[:, 1:].shape)))


def next_token_loss_masked_by_the_position(logits, ids, mask):
    """You took the mask of the position that speaks: the mask says which token counts as a target, so mask[:, 1:]."""
    return _shifted(logits, ids, _shares(mask[:, :-1]))


def next_token_loss_with_id_0_as_padding(logits, ids, mask):
    """You took id 0 for padding: the mask alone says what counts."""
    return _shifted(logits, ids, _shares(ids[:, 1:] != 0))


def next_token_loss_divided_by_all(logits, ids, mask):
    """You divided by all positions: divide by the number of targets that count."""
    return _shifted(logits, ids, mask[:, 1:] / mask[:, 1:].size)


def next_token_loss_divided_by_one_more_a_row(logits, ids, mask):
    """You counted the first token of each row among the targets: nothing says it, so count mask[:, 1:]."""
    return _shifted(logits, ids, mask[:, 1:] / max(mask.sum(), 1))


def next_token_loss_of_row_means(logits, ids, mask):
    """You took the mean of each row and then of the rows: each target counts alike, whatever row it stands in."""
    counts = mask[:, 1:]
    rows = np.maximum(counts.sum(axis=1, keepdims=True), 1)
    return _shifted(logits, ids, counts / rows / len(logits))


def next_token_loss_as_a_sum(logits, ids, mask):
    """This is the sum: divide loss and gradient by the number of targets that count."""
    return _shifted(logits, ids, mask[:, 1:].astype(float))


def next_token_loss_with_a_gradient_of_the_sum(logits, ids, mask):
    """The loss is a mean, but your gradient is that of the sum: divide it, too."""
    loss, d_logits = reference.next_token_loss(logits, ids, mask)
    return loss, d_logits * max(mask[:, 1:].sum(), 1)


def next_token_loss_with_a_gradient_at_the_target(logits, ids, mask):
    """The gradient stands one position too late: it belongs to the logits that spoke, at t, and is 0 at the last."""
    loss, d_logits = reference.next_token_loss(logits, ids, mask)
    return loss, np.roll(d_logits, 1, axis=1)


def next_token_loss_with_a_gradient_at_padding(logits, ids, mask):
    """The gradient is not 0 where the target does not count: the mask belongs to it as well."""
    loss, _ = reference.next_token_loss(logits, ids, mask)
    counts = np.ones(mask[:, 1:].shape) / max(mask[:, 1:].sum(), 1)
    return loss, _shifted(logits, ids, counts)[1]


def next_token_loss_with_the_gradient_downhill(logits, ids, mask):
    """The sign of the gradient is wrong: it is softmax minus the one-hot target, so that a step against it helps."""
    loss, d_logits = reference.next_token_loss(logits, ids, mask)
    return loss, -d_logits


def next_token_loss_with_probabilities_as_the_gradient(logits, ids, mask):
    """The gradient lacks the target: it is softmax minus 1 at the target."""
    loss, d_logits = reference.next_token_loss(logits, ids, mask)
    is_target = ids[:, 1:, None] == np.arange(logits.shape[-1])
    d_logits[:, :-1] += is_target * _shares(mask[:, 1:])[..., None]
    return loss, d_logits


# filter_logits


def _filtered(logits, temperature, top_k, top_p, keep=None, removed=-np.inf):
    """What is kept of logits / temperature, by another rule for the best top_k: keep(p, before, place)."""
    if temperature == 0:
        temperature, top_k = 1, 1
    order = np.argsort(-logits, axis=-1, kind="stable")
    ranked, place = np.take_along_axis(logits / temperature, order, axis=-1), np.arange(logits.shape[-1])
    p = softmax(np.where(place < top_k, ranked, -np.inf), axis=-1)
    before = np.cumsum(p, axis=-1) - p
    rule = (before < top_p - 1e-12) | (place == 0) | (top_p == 1) if keep is None else keep(p, before, place)
    result = np.full(logits.shape, removed, float)
    np.put_along_axis(result, order, np.where((place < top_k) & rule, ranked, removed), axis=-1)
    return result


def filter_logits_with_a_tiny_number(logits, temperature, top_k, top_p):
    """Removed tokens got 1e-10, which is nearly 0, and a logit of 0 counts, since exp(0) is 1: make them -inf."""
    return _filtered(logits, temperature, top_k, top_p, removed=1e-10)


def filter_logits_with_a_large_negative_number(logits, temperature, top_k, top_p):
    """Removed tokens got a large negative number: among logits that are lower still they would win. Make them -inf."""
    return _filtered(logits, temperature, top_k, top_p, removed=-1e10)


def filter_logits_with_the_temperature_last(logits, temperature, top_k, top_p):
    """You divided by the temperature at the end: it comes first, as top_p keeps more of a flatter distribution."""
    kept = _filtered(logits, 1, 1 if temperature == 0 else top_k, top_p)
    return kept / (temperature or 1)


def filter_logits_times_the_temperature(logits, temperature, top_k, top_p):
    """You multiplied by the temperature: logits are divided by it, so that a high one makes them more alike."""
    return _filtered(logits * temperature**2 if temperature else logits, temperature, top_k, top_p)


def filter_logits_without_the_token_that_crosses(logits, temperature, top_k, top_p):
    """You removed the token with which the sum reaches top_p: it is kept, or else nothing may be left."""
    return _filtered(logits, temperature, top_k, top_p, lambda p, before, place: (before + p <= top_p) | (top_p == 1))


def filter_logits_with_one_too_many(logits, temperature, top_k, top_p):
    """You kept one token more than needed: once the sum has reached top_p, no further one is kept."""
    return _filtered(logits, temperature, top_k, top_p, lambda p, before, place: (before - np.roll(p, 1, -1) < top_p)
                     | (place <= 1) | (top_p == 1))


def filter_logits_with_one_more_where_top_p_is_reached_exactly(logits, temperature, top_k, top_p):
    """You kept a token before which the sum was top_p exactly: a token is kept where that sum is below top_p, so
    compare with <, not <=."""
    return _filtered(logits, temperature, top_k, top_p, lambda p, before, place: before <= top_p)


def filter_logits_with_all_the_equals(logits, temperature, top_k, top_p):
    """More than top_k are left where several are equal to the last: exactly k are kept, of equals the lower ids. Take
    the first k of a stable sort, not all that are at least as large as the k-th."""
    if temperature == 0:
        return np.where(logits < logits.max(axis=-1, keepdims=True), -np.inf, logits)
    least = -np.sort(-logits, axis=-1)[..., [min(top_k, logits.shape[-1]) - 1]]
    return _filtered(np.where(logits < least, -np.inf, logits), temperature, logits.shape[-1], top_p)


def filter_logits_with_the_higher_of_equals(logits, temperature, top_k, top_p):
    """Of equal logits you kept those with the higher ids: [::-1] turns them round. Sort the negative, and stably."""
    return _filtered(logits[..., ::-1], temperature, top_k, top_p)[..., ::-1]


def filter_logits_with_top_p_of_all(logits, temperature, top_k, top_p):
    """You took top_p of the probabilities before top_k had removed any: what is left sums to 1 again, and top_p is a
    share of that."""
    if temperature == 0:
        return reference.filter_logits(logits, temperature, top_k, top_p)
    first = _filtered(logits, temperature, logits.shape[-1], top_p)
    second = _filtered(logits, temperature, top_k, 1)
    return np.where(np.isfinite(first), second, -np.inf)


def filter_logits_in_the_order_of_their_size(logits, temperature, top_k, top_p):
    """Your logits came back sorted: each belongs in the place of its own token."""
    return -np.sort(-_filtered(logits, temperature, top_k, top_p), axis=-1)


def filter_logits_as_probabilities(logits, temperature, top_k, top_p):
    """These are probabilities: return logits, the softmax comes later."""
    return softmax(_filtered(logits, temperature, top_k, top_p), axis=-1)


def filter_logits_ranked_over_all_rows(logits, temperature, top_k, top_p):
    """You ranked the tokens of all rows together: each row, along the last axis, is a distribution of its own."""
    return _filtered(logits.reshape(-1), temperature, top_k, top_p).reshape(logits.shape)


def filter_logits_without_the_temperature(logits, temperature, top_k, top_p):
    """The temperature has no effect: divide the logits by it, before anything else."""
    return _filtered(logits, 1 if temperature else 0, top_k, top_p)


def filter_logits_without_top_k(logits, temperature, top_k, top_p):
    """top_k has no effect: no more than so many tokens are kept."""
    return _filtered(logits, temperature, logits.shape[-1], top_p)


def filter_logits_without_top_p(logits, temperature, top_k, top_p):
    """top_p has no effect: of what top_k left, the likeliest are kept until their probabilities reach top_p."""
    return _filtered(logits, temperature, top_k, 1)


# sample


def sample_the_likeliest(probabilities, u):
    """You always took the likeliest token: the uniform decides, so that each gets its share."""
    return int(np.argmax(probabilities))


def sample_without_the_probabilities(probabilities, u):
    """Every token is drawn equally often: the width of a token's stretch is its probability, not 1/V."""
    return int(u * len(probabilities))


def sample_of_probability_zero(probabilities, u):
    """A uniform at the very start of a stretch falls into the stretch before it, even one of width 0: count the ends
    that are at most u (<=), not those below u (<)."""
    ends = np.cumsum(probabilities)
    return int((ends / ends[-1] < u).sum())


def sample_past_the_end(probabilities, u):
    """The running sums were not divided by their last, so that of probabilities whose sum is not quite 1 some come too
    often, and a uniform near 1 falls past them all."""
    return int((np.cumsum(probabilities) <= u).sum())


def sample_divided_before_the_sums(probabilities, u):
    """You divided the probabilities by their sum and then added up: by rounding the running sums may end below 1, and a
    uniform beyond that falls past all tokens. Divide the running sums by their own last."""
    return int((np.cumsum(probabilities / probabilities.sum()) <= u).sum())


def sample_pulled_back_to_the_last(probabilities, u):
    """A uniform near 1 ended in a token of probability 0: pulling it back to V - 1 is not enough where the last ones
    are 0. Divide the running sums by their own last entry."""
    return min(int((np.cumsum(probabilities) <= u).sum()), len(probabilities) - 1)


def sample_as_a_row(probabilities, u):
    """You returned a row that is 1 at the token: return the token, one integer."""
    return np.eye(len(probabilities))[reference.sample(probabilities, u)]


def sample_from_the_sorted(probabilities, u):
    """You drew from the sorted probabilities: what comes out is a rank, not a token."""
    return reference.sample(-np.sort(-probabilities), u)


# attend_with_cache


def _appended(old, new):
    return new if old is None else np.concatenate([old, new], axis=2)


def _attended(q, k, v, cache, seen, mask):
    """The output under seen (T, P + T) and a mask (B, P + T), and the right cache."""
    keys, values = (_appended(*pair) for pair in zip(cache or (None, None), (k, v), strict=True))
    seen = seen if mask is None else seen & mask[:, None, None, :]
    return scaled_dot_product_attention(q, keys, values, seen)[0], (keys, values)


def _sizes(k, cache):
    """T and P."""
    return k.shape[2], 0 if cache is None else cache[0].shape[2]


def attend_with_cache_with_the_mask_in_the_corner(q, k, v, cache, mask=None):
    """The causal mask stands in the upper left corner, as if the new tokens were the first: query i stands at position
    P + i and looks at the keys up to there. It belongs into the lower right corner."""
    T, P = _sizes(k, cache)
    return _attended(q, k, v, cache, np.tri(T, P + T, dtype=bool), mask)


def attend_with_cache_that_sees_the_future(q, k, v, cache, mask=None):
    """A new token looks at later new ones: among the new ones attention stays causal."""
    T, P = _sizes(k, cache)
    return _attended(q, k, v, cache, np.ones((T, P + T), bool), mask)


def attend_with_cache_that_does_not_see_itself(q, k, v, cache, mask=None):
    """A token does not look at itself: query i looks at the keys up to P + i, its own included."""
    T, P = _sizes(k, cache)
    return _attended(q, k, v, cache, np.tri(T, P + T, P - 1, dtype=bool), mask)


def attend_with_cache_without_the_past(q, k, v, cache, mask=None):
    """The new tokens look at new ones alone: the keys and values of the cache stand before theirs."""
    T, P = _sizes(k, cache)
    return _attended(q, k, v, cache, np.tri(T, P + T, P, dtype=bool) & (np.arange(P + T) >= P), mask)


def attend_with_cache_without_the_mask(q, k, v, cache, mask=None):
    """The mask has no effect: no token looks at padding."""
    return reference.attend_with_cache(q, k, v, cache)


def attend_with_cache_with_the_mask_the_wrong_way_round(q, k, v, cache, mask=None):
    """Your mask works the wrong way round: True says that a real token stands there, which one may look at."""
    return reference.attend_with_cache(q, k, v, cache, None if mask is None else ~mask)


def attend_with_cache_masked_by_the_query(q, k, v, cache, mask=None):
    """You hid the queries that are padding, not the keys: the mask says at which tokens one may look."""
    output, cache = reference.attend_with_cache(q, k, v, cache)
    return output if mask is None else output * mask[:, None, -q.shape[2] :, None], cache


def attend_with_cache_with_the_new_in_front(q, k, v, cache, mask=None):
    """The new keys and values stand before the old ones in the cache: they come behind them, np.concatenate([old, new],
    axis=2)."""
    output, (keys, values) = reference.attend_with_cache(q, k, v, cache, mask)
    T, _ = _sizes(k, cache)
    return output, (np.roll(keys, T, axis=2), np.roll(values, T, axis=2))


def attend_with_cache_that_returns_the_new_alone(q, k, v, cache, mask=None):
    """You returned the new keys and values alone: the next call needs all of them, the old ones in front."""
    return reference.attend_with_cache(q, k, v, cache, mask)[0], (k, v)


def attend_with_cache_that_returns_the_old(q, k, v, cache, mask=None):
    """You returned the cache as it came: the next call needs the new keys and values, too."""
    output, new = reference.attend_with_cache(q, k, v, cache, mask)
    return output, new if cache is None else cache


def attend_with_cache_with_keys_and_values_exchanged(q, k, v, cache, mask=None):
    """You returned values and keys: the cache is (keys, values)."""
    output, cache = reference.attend_with_cache(q, k, v, cache, mask)
    return output, cache[::-1]


def attend_with_cache_with_one_mask_for_all(q, k, v, cache, mask=None):
    """Every text got the mask of the first: give it axes for heads and queries, mask[:, None, None, :]."""
    return reference.attend_with_cache(q, k, v, cache, None if mask is None else np.broadcast_to(mask[:1], mask.shape))


def attend_with_cache_without_the_root(q, k, v, cache, mask=None):
    """The scores are not divided by √d: leave that to scaled_dot_product_attention, and give it q as it is."""
    return reference.attend_with_cache(q * q.shape[-1] ** 0.5, k, v, cache, mask)


def attend_with_cache_scaled_by_the_values(q, k, v, cache, mask=None):
    """The scores are divided by the root of the values' width: it is that of queries and keys."""
    return reference.attend_with_cache(q * (q.shape[-1] / v.shape[-1]) ** 0.5, k, v, cache, mask)


# generate


def _written(table, prompt, uniforms, choose, told=None, stop=True):
    """The loop, with another choice of the token, or other tokens that are told."""
    tokens = []
    for u in uniforms:
        log_p = following(table, [START, *prompt, *tokens] if told is None else told(tokens))
        tokens.append(int(choose(log_p, u)))
        if stop and tokens[-1] == END:
            break
    return np.array(tokens, int)


def _chosen(*settings):
    return lambda log_p, u: reference.sample(softmax(reference.filter_logits(log_p, *settings), axis=-1), u)


def generate_the_likeliest(table, prompt, uniforms, temperature, top_k, top_p):
    """You took the likeliest token each time: draw one with the uniform."""
    return _written(table, prompt, uniforms, lambda log_p, u: log_p.argmax())


def generate_without_the_filter(table, prompt, uniforms, temperature, top_k, top_p):
    """You drew from what the table says: filter it first, with temperature, top_k and top_p."""
    return _written(table, prompt, uniforms, _chosen(1.0, 10**6, 1.0))


def generate_without_the_temperature(table, prompt, uniforms, temperature, top_k, top_p):
    """The temperature has no effect but at 0: give `filter_logits` the one that you are given."""
    return reference.generate(table, prompt, uniforms, 1.0 if temperature else 0, top_k, top_p)


def generate_times_the_temperature(table, prompt, uniforms, temperature, top_k, top_p):
    """The temperature works the wrong way round: a high one makes the tokens more alike."""
    return reference.generate(table, prompt, uniforms, temperature and 1 / temperature, top_k, top_p)


def generate_with_the_temperature_before_the_filter(table, prompt, uniforms, temperature, top_k, top_p):
    """The temperature acts twice: `filter_logits` divides by it already."""
    again = _chosen(temperature, top_k, top_p)
    return _written(table, prompt, uniforms, lambda log_p, u: again(log_p / (temperature or 1), u))


def generate_with_the_temperature_behind_the_filter(table, prompt, uniforms, temperature, top_k, top_p):
    """The temperature acts twice: `filter_logits` has divided by it already."""
    def choose(log_p, u):
        logits = reference.filter_logits(log_p, temperature, top_k, top_p) / (temperature or 1)
        return reference.sample(softmax(logits, axis=-1), u)

    return _written(table, prompt, uniforms, choose)


def generate_without_top_k(table, prompt, uniforms, temperature, top_k, top_p):
    """top_k has no effect: give `filter_logits` the one that you are given."""
    return reference.generate(table, prompt, uniforms, temperature, 10**6, top_p)


def generate_without_top_p(table, prompt, uniforms, temperature, top_k, top_p):
    """top_p has no effect: give `filter_logits` the one that you are given."""
    return reference.generate(table, prompt, uniforms, temperature, top_k, 1.0)


def generate_with_the_first_uniform(table, prompt, uniforms, temperature, top_k, top_p):
    """Every token was drawn with the first uniform: each has its own."""
    return reference.generate(table, prompt, np.full_like(uniforms, uniforms[0]), temperature, top_k, top_p)


def generate_on_after_the_end(table, prompt, uniforms, temperature, top_k, top_p):
    """You wrote on after END: stop as soon as END is written."""
    return _written(table, prompt, uniforms, _chosen(temperature, top_k, top_p), stop=False)


def generate_without_the_end(table, prompt, uniforms, temperature, top_k, top_p):
    """You left END out: it is a token that the model decided to write."""
    tokens = reference.generate(table, prompt, uniforms, temperature, top_k, top_p)
    return tokens[tokens != END]


def generate_with_the_prompt(table, prompt, uniforms, temperature, top_k, top_p):
    """You returned the prompt as well, or START: return what was written."""
    return np.concatenate([prompt, reference.generate(table, prompt, uniforms, temperature, top_k, top_p)]).astype(int)


def generate_with_start(table, prompt, uniforms, temperature, top_k, top_p):
    """Your tokens begin with START: it is what the model is told, and nothing that it writes."""
    return np.concatenate([[START], reference.generate(table, prompt, uniforms, temperature, top_k, top_p)])


def generate_without_the_prompt(table, prompt, uniforms, temperature, top_k, top_p):
    """The prompt has no effect: what follows depends on all tokens, the prompt's among them."""
    return reference.generate(table, [], uniforms, temperature, top_k, top_p)


def generate_from_the_last_token_alone(table, prompt, uniforms, temperature, top_k, top_p):
    """You asked `following` with the last token alone: give it all tokens, from START on."""
    return _written(table, prompt, uniforms, _chosen(temperature, top_k, top_p),
                    lambda tokens: [START, *prompt, *tokens][-1:])


def generate_from_the_prompt_alone(table, prompt, uniforms, temperature, top_k, top_p):
    """You asked after the prompt each time: what was written must be told as well."""
    return _written(table, prompt, uniforms, _chosen(temperature, top_k, top_p), lambda tokens: [START, *prompt])


def generate_one_token_short(table, prompt, uniforms, temperature, top_k, top_p):
    """You wrote one token too few: there is one for each uniform."""
    return reference.generate(table, prompt, uniforms[:-1], temperature, top_k, top_p)


# speculative_step


def _otherwise(rest, v):
    return reference.sample(rest, v)


def _rejected_to(rest, p, q, draft, u, v):
    """The right acceptance, and another rest."""
    return (int(draft), True) if u * q[draft] < p[draft] else (_otherwise(rest, v), False)


def speculative_step_from_the_target(p, q, draft, u, v):
    """After a rejection you drew from p itself: what the draft says too often it has said already, so draw from
    max(p - q, 0), divided by its sum."""
    return (int(draft), True) if u * q[draft] < p[draft] else (_otherwise(p, v), False)


def speculative_step_from_the_target_without_the_draft(p, q, draft, u, v):
    """After a rejection you drew from p without the draft: each token comes in proportion to what it lacks, p - q, so
    draw from max(p - q, 0)."""
    return _rejected_to(np.where(np.arange(len(p)) == draft, 0, p), p, q, draft, u, v)


def speculative_step_from_the_target_where_it_is_larger(p, q, draft, u, v):
    """After a rejection you drew from p, where it is larger than q: each token comes in proportion to what it lacks,
    p - q, not to all that it has."""
    return _rejected_to(np.where(p > q, p, 0), p, q, draft, u, v)


def speculative_step_in_equal_shares(p, q, draft, u, v):
    """After a rejection you drew each token that lacks something equally often: it comes in proportion to what it
    lacks, p - q."""
    return _rejected_to((p > q).astype(float), p, q, draft, u, v)


def speculative_step_by_ratios_that_are_missing(p, q, draft, u, v):
    """After a rejection you drew from max(p / q - 1, 0): each token comes in proportion to what it lacks, which is the
    difference p - q, not the ratio."""
    return _rejected_to(np.maximum(p / np.maximum(q, 1e-9) - 1, 0), p, q, draft, u, v)


def speculative_step_with_absolute_differences_without_the_draft(p, q, draft, u, v):
    """You drew from |p - q| without the draft: of other tokens, too, the draft may say too much, and they lack nothing.
    Draw from max(p - q, 0)."""
    return _rejected_to(np.where(np.arange(len(p)) == draft, 0, np.abs(p - q)), p, q, draft, u, v)


def speculative_step_accepted_by_p_alone(p, q, draft, u, v):
    """You accepted with probability p[draft]: the draft was drawn with probability q[draft], so it is p / q."""
    return (int(draft), True) if u < p[draft] else (_otherwise(np.maximum(p - q, 0), v), False)


def speculative_step_with_p_and_q_exchanged(p, q, draft, u, v):
    """You exchanged the two: here p is the target's distribution and q the draft's, as in Leviathan et al."""
    return (int(draft), True) if u * p[draft] < q[draft] else (_otherwise(np.maximum(q - p, 0), v), False)


def speculative_step_with_absolute_differences(p, q, draft, u, v):
    """You drew from |p - q|: where the draft says a token too often nothing is missing, so it is max(p - q, 0)."""
    return (int(draft), True) if u * q[draft] < p[draft] else (_otherwise(np.abs(p - q), v), False)


def speculative_step_with_negative_stretches(p, q, draft, u, v):
    """You inverted the running sum of p - q: negative differences make it fall. Take max(p - q, 0)."""
    if u * q[draft] < p[draft]:
        return int(draft), True
    ends = np.cumsum(p - q)
    return min(int((ends / np.abs(p - q).sum() * 2 <= v).sum()), len(p) - 1), False


def speculative_step_with_a_rest_not_divided(p, q, draft, u, v):
    """The rest, max(p - q, 0), sums to less than 1, and v ran past its end: divide it by its sum."""
    if u * q[draft] < p[draft]:
        return int(draft), True
    return min(int((np.cumsum(np.maximum(p - q, 0)) <= v).sum()), len(p) - 1), False


def speculative_step_with_u_twice(p, q, draft, u, v):
    """You drew with u again, which is known to be large by then: the second draw needs the second uniform, v."""
    return (int(draft), True) if u * q[draft] < p[draft] else (_otherwise(np.maximum(p - q, 0), u), False)


def speculative_step_with_the_likeliest_rest(p, q, draft, u, v):
    """After a rejection you took the token of which most is missing: draw it, with v."""
    return (int(draft), True) if u * q[draft] < p[draft] else (int(np.argmax(p - q)), False)


def speculative_step_the_wrong_way_round(p, q, draft, u, v):
    """You accepted where u q[draft] is at least p[draft]: it is the other way round."""
    return (int(draft), True) if u * q[draft] >= p[draft] else (_otherwise(np.maximum(p - q, 0), v), False)


def speculative_step_that_returns_rejected(p, q, draft, u, v):
    """The second result says whether the draft was accepted: yours says whether it was rejected."""
    token, accepted = reference.speculative_step(p, q, draft, u, v)
    return token, not accepted


MISTAKES = by_exercise(__name__, ["next_token_loss", "filter_logits", "sample", "attend_with_cache", "generate",
                                  "speculative_step"])
