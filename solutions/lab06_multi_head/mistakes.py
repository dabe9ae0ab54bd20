"""Plausible wrong answers to lab 06. A docstring is the sentence that a student reads whose answer behaves like it.

The tests prove that the hidden checks reject each of them; the marking room names the one that an answer behaves like.
"""

import numpy as np

from solutions.exercises import by_exercise
from solutions.lab06_multi_head import reference
from solutions.lab06_multi_head.reference import merge_heads, split_heads


def _softmax(scores, axis=-1):
    powers = np.exp(scores - scores.max(axis=axis, keepdims=True))
    return powers / powers.sum(axis=axis, keepdims=True)


def _scores(Q, K, width=None):
    return Q @ K.swapaxes(-1, -2) / (width or Q.shape[-1]) ** 0.5


def _hidden(scores, mask, value):
    return scores if mask is None else np.where(mask, scores, value)


# scaled_dot_product_attention


def scaled_dot_product_attention_without_scale(Q, K, V, mask=None):
    """You did not divide the scores by √d_k: the heads become too sure of themselves."""
    return reference.scaled_dot_product_attention(Q * Q.shape[-1] ** 0.5, K, V, mask)


def scaled_dot_product_attention_scaled_twice(Q, K, V, mask=None):
    """You divided by d_k where the paper divides by its root."""
    return reference.scaled_dot_product_attention(Q / Q.shape[-1] ** 0.5, K, V, mask)


def scaled_dot_product_attention_with_the_mask_inverted(Q, K, V, mask=None):
    """Your mask works the wrong way round: True means that a position may be looked at."""
    return reference.scaled_dot_product_attention(Q, K, V, None if mask is None else ~mask)


def scaled_dot_product_attention_without_the_mask(Q, K, V, mask=None):
    """The mask has no effect: hidden positions have weight."""
    return reference.scaled_dot_product_attention(Q, K, V)


def scaled_dot_product_attention_with_uniform_empty_rows(Q, K, V, mask=None):
    """A row that may look nowhere has equal weights: with -1e9 in all of its scores they come out equal. They
    should be 0."""
    weights = _softmax(_hidden(_scores(Q, K), mask, -1e9))
    return weights @ V, weights


def scaled_dot_product_attention_with_nan_in_empty_rows(Q, K, V, mask=None):
    """A row that may look nowhere has nan: that is -inf minus -inf, or 0 / 0. Its weights should be 0."""
    with np.errstate(invalid="ignore"):
        weights = _softmax(_hidden(_scores(Q, K), mask, -np.inf))
    return weights @ V, weights


def scaled_dot_product_attention_with_the_mask_on_the_weights(Q, K, V, mask=None):
    """You set weights to 0 after the softmax, so a row no longer sums to 1: mask the scores, before it."""
    weights = _hidden(_softmax(_scores(Q, K)), mask, 0.0)
    return weights @ V, weights


def scaled_dot_product_attention_normalised_over_the_queries(Q, K, V, mask=None):
    """You normalised over the queries: each row of weights, over the keys, should sum to 1."""
    weights = _softmax(_hidden(_scores(Q, K), mask, -1e9), axis=-2)
    return weights @ V, weights


def scaled_dot_product_attention_that_returns_the_weights_first(Q, K, V, mask=None):
    """You returned the weights first: the output comes first."""
    return reference.scaled_dot_product_attention(Q, K, V, mask)[::-1]


def scaled_dot_product_attention_that_overflows(Q, K, V, mask=None):
    """Large scores give nan, very negative ones too: subtract the largest score of each row before np.exp."""
    with np.errstate(all="ignore"):
        powers = np.exp(_hidden(_scores(Q, K), mask, -np.inf))
        total = powers.sum(axis=-1, keepdims=True)
        weights = powers / np.where(total > 0, total, 1)
        return weights @ V, weights


# scaled_dot_product_attention_backward


def scaled_dot_product_attention_backward_without_scale(d_output, Q, K, V, weights):
    """The factor 1/√d_k is missing on the way back: it belongs to d_Q and to d_K."""
    d_Q, d_K, d_V = reference.scaled_dot_product_attention_backward(d_output, Q, K, V, weights)
    return d_Q * Q.shape[-1] ** 0.5, d_K * Q.shape[-1] ** 0.5, d_V


def scaled_dot_product_attention_backward_without_the_softmax(d_output, Q, K, V, weights):
    """The softmax has no part in your way back: the gradient in the weights is not yet that in the scores."""
    d_scores = d_output @ V.swapaxes(-1, -2) / Q.shape[-1] ** 0.5
    return d_scores @ K, d_scores.swapaxes(-1, -2) @ Q, weights.swapaxes(-1, -2) @ d_output


def scaled_dot_product_attention_backward_without_the_average(d_output, Q, K, V, weights):
    """Your softmax backward lacks the average of the row: d_scores = weights · (d_weights - Σ weights · d_weights)."""
    d_scores = weights * (d_output @ V.swapaxes(-1, -2)) / Q.shape[-1] ** 0.5
    return d_scores @ K, d_scores.swapaxes(-1, -2) @ Q, weights.swapaxes(-1, -2) @ d_output


def scaled_dot_product_attention_backward_with_a_plain_average(d_output, Q, K, V, weights):
    """You took the plain average of the row where the softmax backward needs the average by the weights."""
    d_weights = d_output @ V.swapaxes(-1, -2)
    d_scores = weights * (d_weights - d_weights.mean(axis=-1, keepdims=True)) / Q.shape[-1] ** 0.5
    return d_scores @ K, d_scores.swapaxes(-1, -2) @ Q, weights.swapaxes(-1, -2) @ d_output


def scaled_dot_product_attention_backward_with_the_scale_twice(d_output, Q, K, V, weights):
    """You applied 1/√d_k twice: to the scores' gradient, and again to d_Q and d_K."""
    d_Q, d_K, d_V = reference.scaled_dot_product_attention_backward(d_output, Q, K, V, weights)
    return d_Q / Q.shape[-1] ** 0.5, d_K / Q.shape[-1] ** 0.5, d_V


def scaled_dot_product_attention_backward_with_the_wrong_order(d_output, Q, K, V, weights):
    """You returned the gradients in another order: d_Q, d_K, d_V."""
    d_Q, d_K, d_V = reference.scaled_dot_product_attention_backward(d_output, Q, K, V, weights)
    return d_V, d_K, d_Q


# split_heads


def split_heads_by_reshape_alone(x, heads):
    """You reshaped to (B, h, T, d) in one go: the shape is right, and each head holds whole rows of a few tokens in
    place of a piece of every token. Reshape to (B, T, h, d), then exchange the two axes."""
    B, T, width = x.shape
    return x.reshape(B, heads, T, width // heads)


def split_heads_without_the_transpose(x, heads):
    """The heads stand behind the tokens, (B, T, h, d): exchange the two axes, so that each head holds a sentence."""
    B, T, width = x.shape
    return x.reshape(B, T, heads, width // heads)


def split_heads_that_deals_like_cards(x, heads):
    """You dealt the columns out in turn: head 0 gets the first d columns, head 1 the next d, and so on."""
    B, T, width = x.shape
    return x.reshape(B, T, width // heads, heads).transpose(0, 3, 1, 2)


def split_heads_with_the_heads_first(x, heads):
    """The heads stand before the batch: the first axis is always the batch, (B, h, T, d)."""
    return split_heads(x, heads).swapaxes(0, 1)


def split_heads_with_the_last_axes_exchanged(x, heads):
    """You exchanged the last two axes, (B, h, d, T): each head holds tokens in its rows, (B, h, T, d)."""
    return split_heads(x, heads).swapaxes(2, 3)


def split_heads_by_copying(x, heads):
    """Every head got all columns: each should get its own piece, of width h·d / h = d."""
    return np.repeat(x[:, None], heads, axis=1)


def split_heads_in_reverse(x, heads):
    """Your heads come in reverse: head 0 gets the first d columns."""
    return split_heads(x, heads)[:, ::-1]


# merge_heads


def merge_heads_by_reshape_alone(x):
    """You reshaped without bringing the heads back behind the tokens: the shape is right, the rows are mixtures of
    tokens. Exchange the two axes first."""
    B, h, T, d = x.shape
    return x.reshape(B, T, h * d)


def merge_heads_that_adds(x):
    """You added the heads up: their pieces stand side by side."""
    return x.sum(axis=1)


def merge_heads_that_averages(x):
    """You averaged the heads: their pieces stand side by side."""
    return x.mean(axis=1)


def merge_heads_that_interleaves(x):
    """You interleaved the heads' columns: all d columns of head 0 come first, then those of head 1."""
    B, h, T, d = x.shape
    return x.transpose(0, 2, 3, 1).reshape(B, T, h * d)


def merge_heads_in_reverse(x):
    """You put the last head first: head 0's piece comes first."""
    return merge_heads(x[:, ::-1])


def merge_heads_without_the_reshape(x):
    """The pieces are not joined, (B, T, h, d): reshape to (B, T, h·d) after exchanging the axes."""
    return x.swapaxes(1, 2)


# multi_head_attention


def _forward(X, memory, parameters, heads, mask=None, attend=reference.scaled_dot_product_attention, merge=merge_heads,
             split=split_heads, sources="XMM"):
    """The way forward with parts that can be exchanged. `sources`: whether Q, K, V are read from X or the memory."""
    of = {"X": X, "M": memory}
    Q, K, V = (split(of[s] @ parameters[W], heads) for s, W in zip(sources, ("W_Q", "W_K", "W_V"), strict=True))
    found, weights = attend(Q, K, V, mask[..., None, :, :] if mask is not None else None)
    return merge(found) @ parameters["W_O"], weights


def multi_head_attention_scaled_by_the_model(X, memory, parameters, heads, mask=None):
    """You divided by the root of d_model: each head's scores are divided by the root of its own width, d_k."""
    rescaled = {**parameters, "W_Q": parameters["W_Q"] * (parameters["W_Q"].shape[1] / heads / X.shape[-1]) ** 0.5}
    return _forward(X, memory, rescaled, heads, mask)


def multi_head_attention_scaled_by_all_heads(X, memory, parameters, heads, mask=None):
    """You divided by the root of h·d_k, the width of all heads together: each head divides by the root of its own."""
    return _forward(X, memory, {**parameters, "W_Q": parameters["W_Q"] / heads**0.5}, heads, mask)


def multi_head_attention_by_reshape_alone(X, memory, parameters, heads, mask=None):
    """Your heads were cut by a reshape alone: they hold mixtures of tokens. Use split_heads and merge_heads."""
    return _forward(X, memory, parameters, heads, mask, split=split_heads_by_reshape_alone,
                    merge=merge_heads_by_reshape_alone)


def multi_head_attention_to_itself_only(X, memory, parameters, heads, mask=None):
    """Your memory has no effect: keys and values are made from the memory, which for self-attention is X itself."""
    return _forward(X, memory, parameters, heads, mask, sources="XXX")


def multi_head_attention_with_the_roles_exchanged(X, memory, parameters, heads, mask=None):
    """Your queries come from the memory and your keys and values from X: it is X that asks."""
    return _forward(X, memory, parameters, heads, mask, sources="MXX")


def multi_head_attention_with_values_of_the_asker(X, memory, parameters, heads, mask=None):
    """Your values come from X: what is handed over is made from the memory, as the keys are."""
    return _forward(X, memory, parameters, heads, mask, sources="XMX")


def multi_head_attention_without_the_last_matrix(X, memory, parameters, heads, mask=None):
    """W_O has no effect: the merged heads go through it at the end."""
    return _forward(X, memory, {**parameters, "W_O": np.eye(parameters["W_O"].shape[0])}, heads, mask)


def multi_head_attention_with_averaged_weights(X, memory, parameters, heads, mask=None):
    """You averaged the weights over the heads: return those of every head, (B, h, T, S)."""
    output, weights = _forward(X, memory, parameters, heads, mask)
    return output, weights.mean(axis=1)


def multi_head_attention_with_keys_as_values(X, memory, parameters, heads, mask=None):
    """Your keys are made with W_V and your values with W_K: exchange them."""
    exchanged = {**parameters, "W_K": parameters["W_V"], "W_V": parameters["W_K"]}
    return _forward(X, memory, exchanged, heads, mask)


def multi_head_attention_without_the_mask(X, memory, parameters, heads, mask=None):
    """The mask has no effect: hand it on to the attention, with an axis for the heads."""
    return _forward(X, memory, parameters, heads)


def multi_head_attention_with_the_mask_inverted(X, memory, parameters, heads, mask=None):
    """Your mask works the wrong way round: True means that a position may be looked at."""
    return _forward(X, memory, parameters, heads, None if mask is None else ~mask)


def multi_head_attention_with_one_mask_for_all(X, memory, parameters, heads, mask=None):
    """Every sentence got the first sentence's mask: (B, T, S) needs an axis for the heads, (B, 1, T, S)."""
    return _forward(X, memory, parameters, heads, mask if mask is None or mask.ndim == 2 else mask[:1])


def multi_head_attention_with_the_mask_on_the_heads(X, memory, parameters, heads, mask=None):
    """The mask meets the heads: (B, T, S) stretches against (B, h, T, S) from the right, so that mask b hides from head
    b where there are as many heads as sentences, and raises an error where not. Give it an axis, (B, 1, T, S)."""
    Q, K, V = (split_heads(x @ parameters[W], heads) for x, W in [(X, "W_Q"), (memory, "W_K"), (memory, "W_V")])
    found, weights = reference.scaled_dot_product_attention(Q, K, V, mask)
    return merge_heads(found) @ parameters["W_O"], weights


# multi_head_attention_backward


def _backward(d_output, X, memory, parameters, heads, weights, split=split_heads, merge=merge_heads, scale=1.0):
    """The way back with parts that can be exchanged; `scale` multiplies what comes back through the scores."""
    W_Q, W_K, W_V, W_O = (parameters[name] for name in ("W_Q", "W_K", "W_V", "W_O"))
    Q, K, V = (split(x @ W, heads) for x, W in [(X, W_Q), (memory, W_K), (memory, W_V)])
    back = reference.scaled_dot_product_attention_backward(split(d_output @ W_O.T, heads), Q, K, V, weights)
    d_Q, d_K, d_V = map(merge, back)
    d_Q, d_K, found = d_Q * scale, d_K * scale, merge(weights @ V)
    gradients = {"W_Q": _summed(X, d_Q), "W_K": _summed(memory, d_K), "W_V": _summed(memory, d_V)}
    return d_Q @ W_Q.T, d_K @ W_K.T, d_V @ W_V.T, {**gradients, "W_O": _summed(found, d_output)}


def _summed(x, d):
    return np.einsum("btm,btn->mn", x, d)


def multi_head_attention_backward_without_the_values(d_output, X, memory, parameters, heads, weights):
    """Your d_memory lacks what comes back through the values: the memory was used twice, so add both."""
    d_X, through_K, _, gradients = _backward(d_output, X, memory, parameters, heads, weights)
    return d_X, through_K, gradients


def multi_head_attention_backward_without_the_keys(d_output, X, memory, parameters, heads, weights):
    """Your d_memory lacks what comes back through the keys: the memory was used twice, so add both."""
    d_X, _, through_V, gradients = _backward(d_output, X, memory, parameters, heads, weights)
    return d_X, through_V, gradients


def multi_head_attention_backward_averaged(d_output, X, memory, parameters, heads, weights):
    """You averaged the gradients of the matrices over the sentences: they are sums."""
    d_X, d_memory, gradients = reference.multi_head_attention_backward(d_output, X, memory, parameters, heads, weights)
    return d_X, d_memory, {name: d / len(X) for name, d in gradients.items()}


def multi_head_attention_backward_of_one_sentence(d_output, X, memory, parameters, heads, weights):
    """The gradients of your matrices come from the first sentence alone: sum over all of them."""
    d_X, d_memory, _ = reference.multi_head_attention_backward(d_output, X, memory, parameters, heads, weights)
    first = [a[:1] for a in (d_output, X, memory)]
    return d_X, d_memory, reference.multi_head_attention_backward(*first, parameters, heads, weights[:1])[2]


def multi_head_attention_backward_by_reshape_alone(d_output, X, memory, parameters, heads, weights):
    """Your heads were cut by a reshape alone on the way back: use split_heads and merge_heads, as before."""
    d_X, through_K, through_V, gradients = _backward(
        d_output, X, memory, parameters, heads, weights, split_heads_by_reshape_alone, merge_heads_by_reshape_alone)
    return d_X, through_K + through_V, gradients


def multi_head_attention_backward_scaled_by_the_model(d_output, X, memory, parameters, heads, weights):
    """You divided by the root of d_model on the way back: each head's scores were divided by the root of d_k."""
    scale = (parameters["W_Q"].shape[1] / heads / X.shape[-1]) ** 0.5
    d_X, through_K, through_V, gradients = _backward(d_output, X, memory, parameters, heads, weights, scale=scale)
    return d_X, through_K + through_V, gradients


def multi_head_attention_backward_without_the_last_matrix(d_output, X, memory, parameters, heads, weights):
    """The gradient of your W_O is that of a matrix which met the output: it met the merged heads, weights @ V."""
    d_X, d_memory, gradients = reference.multi_head_attention_backward(d_output, X, memory, parameters, heads, weights)
    return d_X, d_memory, {**gradients, "W_O": np.zeros_like(gradients["W_O"])}


def multi_head_attention_backward_with_transposed_gradients(d_output, X, memory, parameters, heads, weights):
    """The gradients of your matrices are transposed: a gradient has the shape of what it belongs to, so it is the input
    transposed times the gradient that comes back."""
    d_X, d_memory, gradients = reference.multi_head_attention_backward(d_output, X, memory, parameters, heads, weights)
    return d_X, d_memory, {name: d.T for name, d in gradients.items()}


def multi_head_attention_backward_that_adds_for_the_caller(d_output, X, memory, parameters, heads, weights):
    """You added d_memory to d_X: return them apart. The caller adds them where the memory is X."""
    d_X, d_memory, gradients = reference.multi_head_attention_backward(d_output, X, memory, parameters, heads, weights)
    return d_X + (d_memory if d_memory.shape == d_X.shape else d_memory.sum(axis=1, keepdims=True)), d_memory, gradients


def multi_head_attention_backward_that_adds_where_it_fits(d_output, X, memory, parameters, heads, weights):
    """You added d_memory to d_X where the memory has the shape of X: return them apart. Only the caller knows whether
    the memory was X."""
    d_X, d_memory, gradients = reference.multi_head_attention_backward(d_output, X, memory, parameters, heads, weights)
    return d_X + d_memory if d_X.shape == d_memory.shape else d_X, d_memory, gradients


# parameter_count


def parameter_count_with_biases(d_model, heads, d_k, d_v):
    """You counted biases: the paper's projections have none."""
    return reference.parameter_count(d_model, heads, d_k, d_v) + heads * (2 * d_k + d_v) + d_model


def parameter_count_without_the_last_matrix(d_model, heads, d_k, d_v):
    """You left W_O out: it has h·d_v rows and d_model columns."""
    return d_model * heads * (2 * d_k + d_v)


def parameter_count_of_one_head(d_model, heads, d_k, d_v):
    """The number of heads has no effect: d_k and d_v are the widths of one head."""
    return d_model * (2 * d_k + 2 * d_v)


def parameter_count_with_one_width(d_model, heads, d_k, d_v):
    """You counted all four matrices with d_k: W_V and W_O have the width d_v."""
    return 4 * d_model * heads * d_k


def parameter_count_with_a_square_last_matrix(d_model, heads, d_k, d_v):
    """You counted W_O as d_model times d_model: it has h·d_v rows."""
    return d_model * heads * (2 * d_k + d_v) + d_model**2


def parameter_count_of_squares(d_model, heads, d_k, d_v):
    """4 · d_model² holds only where h·d_k and h·d_v are d_model: count with the widths that you are given."""
    return 4 * d_model**2


# previous_token_head and matching_token_head


def _words(vocabulary, length):
    return np.vstack([np.eye(vocabulary), np.zeros((length, vocabulary))])


def _places(vocabulary, length):
    return np.vstack([np.zeros((vocabulary, length)), np.eye(length)])


def _from(places, k, scale):
    """Queries that ask for the position k further on."""
    vocabulary = len(places) - places.shape[1]
    return np.vstack([np.zeros((vocabulary, places.shape[1])), scale * np.eye(places.shape[1], k=k)])


def previous_token_head_that_looks_ahead(vocabulary, length):
    """Your head looks at the token after: the query of position i must fit the key of position i - 1. A matrix from the
    right takes row i, so the 1 stands in row i, column i - 1."""
    words, places = _words(vocabulary, length), _places(vocabulary, length)
    return {"W_Q": _from(places, 1, 100 * length), "W_K": places, "W_V": words, "W_O": words.T}


def previous_token_head_that_looks_at_itself(vocabulary, length):
    """Each token looks at itself: shift the query by one position."""
    words, places = _words(vocabulary, length), _places(vocabulary, length)
    return {"W_Q": 100 * length * places, "W_K": places, "W_V": words, "W_O": words.T}


def previous_token_head_that_looks_two_back(vocabulary, length):
    """Your head looks two tokens back: shift by one position only."""
    words, places = _words(vocabulary, length), _places(vocabulary, length)
    return {"W_Q": _from(places, -2, 100 * length), "W_K": places, "W_V": words, "W_O": words.T}


def previous_token_head_without_scale(vocabulary, length):
    """The scores are 0 and 1/√d_k, so every token gets nearly the same weight: make the queries a hundred times as
    long, and more."""
    words, places = _words(vocabulary, length), _places(vocabulary, length)
    return {"W_Q": _from(places, -1, 1), "W_K": places, "W_V": words, "W_O": words.T}


def previous_token_head_that_hands_over_the_place(vocabulary, length):
    """Your head looks at the right token and hands over where it stands: hand over which word it is."""
    places = _places(vocabulary, length)
    return {"W_Q": _from(places, -1, 100 * length), "W_K": places, "W_V": places, "W_O": places.T}


def previous_token_head_that_hands_over_everything(vocabulary, length):
    """Your head hands over the whole row, word and position: only the word part of W_V should be used."""
    places, whole = _places(vocabulary, length), np.eye(vocabulary + length)
    return {"W_Q": _from(places, -1, 100 * length), "W_K": places, "W_V": whole, "W_O": whole}


def previous_token_head_of_one_size(vocabulary, length):
    """Your matrices have the sizes of the check in the notebook: make them for any `vocabulary` and `length`."""
    return reference.previous_token_head(3, 5)


def matching_token_head_without_scale(vocabulary, length):
    """The scores are 0 and 1/√d_k, so every token gets nearly the same weight: make the queries a hundred times as
    long, and more."""
    words, places = _words(vocabulary, length), _places(vocabulary, length)
    return {"W_Q": words, "W_K": words, "W_V": places, "W_O": places.T}


def matching_token_head_by_position(vocabulary, length):
    """Your head matches positions, so each token looks at the same place: compare the words."""
    places = _places(vocabulary, length)
    return {"W_Q": 100 * length * places, "W_K": places, "W_V": places, "W_O": places.T}


def matching_token_head_that_avoids(vocabulary, length):
    """Your head looks at all words but the same: the score of a match must be the larger one."""
    words, places = _words(vocabulary, length), _places(vocabulary, length)
    return {"W_Q": -100 * vocabulary * words, "W_K": words, "W_V": places, "W_O": places.T}


def matching_token_head_that_hands_over_the_word(vocabulary, length):
    """Your head finds the same word and hands over which word it is, which the token knew: hand over where it
    stands."""
    words = _words(vocabulary, length)
    return {"W_Q": 100 * vocabulary * words, "W_K": words, "W_V": words, "W_O": words.T}


def matching_token_head_that_hands_over_everything(vocabulary, length):
    """Your head hands over the whole row, word and position: only the position part of W_V should be used."""
    words, whole = _words(vocabulary, length), np.eye(vocabulary + length)
    return {"W_Q": 100 * vocabulary * words, "W_K": words, "W_V": whole, "W_O": whole}


def matching_token_head_by_word_and_position(vocabulary, length):
    """Your queries and keys hold the position too, so each token finds itself alone: compare the words only."""
    places, whole = _places(vocabulary, length), np.eye(vocabulary + length)
    return {"W_Q": 100 * (vocabulary + length) * whole, "W_K": whole, "W_V": places, "W_O": places.T}


def matching_token_head_of_one_size(vocabulary, length):
    """Your matrices have the sizes of the check in the notebook: make them for any `vocabulary` and `length`."""
    return reference.matching_token_head(3, 5)


MISTAKES = by_exercise(__name__, [
    "scaled_dot_product_attention", "scaled_dot_product_attention_backward", "split_heads", "merge_heads",
    "multi_head_attention", "multi_head_attention_backward", "parameter_count", "previous_token_head",
    "matching_token_head",
])
