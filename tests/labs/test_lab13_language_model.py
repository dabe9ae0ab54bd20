"""Lab 13: the reference against PyTorch, central differences, enumeration and laws; what it takes and what it keeps."""

import itertools
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest

from coursekit import keep
from coursekit.check import CheckFailed
from coursekit.check import lab13_language_model as visible_checks
from coursekit.check.lab11_decoding import Model, table_of
from coursekit.gradient_check import check_gradient
from coursekit.models.gpt import GPT, initial_parameters, parameter_shapes
from coursekit.tasks.tokens import END, START
from grading.lab import Lab
from solutions.lab04_hard_attention.reference import sample_positions
from solutions.lab05_scaled_dot_product.reference import scaled_dot_product_attention
from solutions.lab11_decoding.reference import greedy
from solutions.lab13_language_model import checks, mistakes, reference
from tests import needs
from tests.labs import judging

LAB = "lab13_language_model"
share = partial(judging.share, LAB)

B, H, T, D, E, V = 2, 3, 5, 4, 6, 7
IDS = np.array([[3, 0, 6, 2, 1], [5, 5, 0, 0, 0]])
MASK = np.array([[True] * 5, [True, True, True, False, False]])
PROMPTS = [[], [3], [4, 3]]


@pytest.fixture
def rng():
    return np.random.default_rng(1)


@pytest.fixture
def text(rng):
    return 2 * rng.normal(size=(B, T, V)), IDS, MASK


@pytest.fixture
def looks(rng):
    """q, k and v of T tokens."""
    return [rng.normal(size=(B, H, T, width)) for width in (D, D, E)]


@pytest.fixture
def table(rng):
    return checks._writing(rng, (V, V), 0, 1, 1)[0]


# The loss


@needs.torch
def test_loss_and_gradient_are_those_of_pytorchs_cross_entropy(text):
    import torch

    logits, ids, mask = text
    z = torch.tensor(logits, requires_grad=True)
    targets = torch.tensor(np.where(mask, ids, -100)[:, 1:])                       # -100 is what PyTorch leaves out
    loss = torch.nn.functional.cross_entropy(z[:, :-1].flatten(0, 1), targets.flatten())
    loss.backward()
    found, d_logits = reference.next_token_loss(*text)
    np.testing.assert_allclose(found, loss.item(), rtol=1e-12)
    np.testing.assert_allclose(d_logits, z.grad.numpy(), rtol=1e-10, atol=1e-15)


def test_the_gradient_of_the_loss_agrees_with_central_differences(text):
    logits, ids, mask = text
    _, d_logits = reference.next_token_loss(*text)
    assert check_gradient(lambda: reference.next_token_loss(logits, ids, mask)[0], logits, d_logits) < 1e-7


def test_a_row_that_is_padded_costs_what_it_costs_alone(text):
    logits, ids, mask = text
    alone = reference.next_token_loss(logits[1:, :3], ids[1:, :3], mask[1:, :3])[0]
    assert reference.next_token_loss(logits[1:], ids[1:], mask[1:])[0] == pytest.approx(alone, rel=1e-12)


def test_what_the_last_position_says_plays_no_part(text):
    logits, ids, mask = text
    loss, d_logits = reference.next_token_loss(logits, ids, mask)
    logits[:, -1] += 5 * logits[:, 0]
    assert reference.next_token_loss(logits, ids, mask)[0] == loss and not d_logits[:, -1].any()


@pytest.mark.parametrize("bad", [7, -1])
def test_an_id_outside_the_vocabulary_is_named(text, bad):
    logits, ids, mask = text
    with pytest.raises(ValueError, match=rf"ids: expected 0 to 6, got {min(bad, 0)} to {max(bad, 6)}"):
        reference.next_token_loss(logits, np.where(ids == 3, bad, ids), mask)


# Choosing


@pytest.mark.parametrize("front", [(), (3,), (2, 3)], ids=str)
def test_top_k_of_all_and_top_p_of_1_change_nothing(rng, front):
    logits = 30 * rng.normal(size=(*front, V))
    np.testing.assert_array_equal(reference.filter_logits(logits, 1.0, V, 1.0), logits)


@needs.torch
@pytest.mark.parametrize("k", [1, 3, V])
def test_top_k_keeps_what_pytorchs_topk_keeps(rng, k):
    import torch

    logits = rng.normal(size=(4, V))
    values, places = torch.topk(torch.from_numpy(logits), k)
    kept = torch.full((4, V), -np.inf, dtype=torch.float64).scatter(1, places, values)
    np.testing.assert_array_equal(reference.filter_logits(logits, 1.0, k, 1.0), kept.numpy())


@pytest.mark.parametrize("top_p", [0.2, 0.5, 0.9])
def test_top_p_keeps_the_smallest_set_of_likeliest_tokens_that_reaches_it(rng, top_p):
    p = rng.dirichlet(np.ones(V))
    kept = np.isfinite(reference.filter_logits(np.log(p), 1.0, V, top_p))
    assert p[kept].sum() >= top_p > p[kept].sum() - p[kept].min() and p[kept].min() > p[~kept].max(initial=0)


def test_the_edges_of_the_settings():
    keeps = reference.filter_logits
    np.testing.assert_array_equal(keeps(np.array([0.0, -50.0]), 1.0, 2, 1.0), [0.0, -50.0])
    np.testing.assert_array_equal(keeps(np.array([1.0, 3.0, 3.0]), 0, 3, 1.0), [-np.inf, 3.0, -np.inf])
    np.testing.assert_array_equal(keeps(np.array([2.0, 1.0]), 1.0, 2, 0.0), [2.0, -np.inf])
    np.testing.assert_array_equal(keeps(np.array([2.0, 2.0, 2.0]), 1.0, 2, 1.0), [2.0, 2.0, -np.inf])
    with pytest.raises(ValueError, match=r"expected temperature >= 0, top_k >= 1 .*, got -1, 2 and 1.0"):
        keeps(np.zeros(3), -1, 2, 1.0)


def test_a_low_temperature_comes_to_the_argmax(rng):
    logits = rng.normal(size=(3, V))
    p = reference.softmax(reference.filter_logits(logits, 1e-3, V, 1.0), axis=-1)
    np.testing.assert_allclose(p, np.isfinite(reference.filter_logits(logits, 0, V, 1.0)), atol=1e-12)


@pytest.mark.parametrize("kind", ["float32", "float64"])
@pytest.mark.parametrize("seed", range(5))
def test_a_draw_is_that_of_lab_04(seed, kind):
    rng = np.random.default_rng(seed)
    weights = (rng.dirichlet(np.full(6, 0.4), size=40) * (1 - 3e-7)).astype(kind)
    uniforms = np.append(rng.random(37), [0.0, 0.99999994, np.nextafter(1, 0)])
    drawn = [reference.sample(row, float(u)) for row, u in zip(weights, uniforms, strict=True)]
    assert drawn == sample_positions(weights, uniforms).tolist() and {type(token) for token in drawn} == {int}


def test_what_cannot_be_drawn_from_is_named():
    with pytest.raises(ValueError, match=r"probabilities: expected at least 0 and a sum above 0, got -0.5 and a sum"):
        reference.sample(np.array([0.5, -0.5]), 0.5)
    with pytest.raises(ValueError, match="u: expected 0 <= u < 1, got 1"):
        reference.sample(np.array([0.5, 0.5]), 1.0)


# The cache


def in_calls(looks, cuts, mask=None):
    """The outputs of calls that are cut there, put together."""
    outputs, cache, done = [], None, 0
    for part in zip(*(np.split(each, cuts, axis=2) for each in looks), strict=True):
        done += part[0].shape[2]
        output, cache = reference.attend_with_cache(*part, cache, None if mask is None else mask[:, :done])
        outputs.append(output)
    return np.concatenate(outputs, axis=2)


@needs.torch
@pytest.mark.parametrize("masked", [False, True], ids=["whole", "padded"])
def test_a_call_is_pytorchs_attention_with_an_explicit_mask(looks, masked):
    import torch

    mask = MASK if masked else np.ones((B, T), bool)
    seen = torch.tensor(np.tri(T, dtype=bool) & mask[:, None, None])
    theirs = torch.nn.functional.scaled_dot_product_attention(*map(torch.tensor, looks), attn_mask=seen).numpy()
    np.testing.assert_allclose(in_calls(looks, [2], mask), theirs, rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize("padding", ["none", "behind", "in front"])
@pytest.mark.parametrize("cuts", [list(c) for n in range(T) for c in itertools.combinations(range(1, T), n)], ids=str)
def test_cached_equals_uncached_however_the_text_is_cut(looks, cuts, padding):
    mask = {"none": None, "behind": MASK, "in front": MASK[:, ::-1]}[padding]
    np.testing.assert_allclose(in_calls(looks, cuts, mask), in_calls(looks, [], mask), rtol=0, atol=1e-10)


def test_an_old_cache_is_not_changed_and_can_be_gone_on_from_twice(looks):
    first, later = ([each[:, :, part] for each in looks] for part in (slice(0, 3), slice(3, None)))
    _, cache = reference.attend_with_cache(*first, None)
    before = [array.copy() for array in cache]
    one, other = (reference.attend_with_cache(*later, cache)[0] for _ in range(2))
    np.testing.assert_array_equal(one, other)
    assert all(np.array_equal(a, b) for a, b in zip(cache, before, strict=True))


def test_a_cache_of_another_batch_is_named(looks):
    cache = looks[1][:1], looks[2][:1]
    with pytest.raises(ValueError, match=r"cached keys: expected \(B, H, P, d\) = \(2, 3, any, 4\), got \(1, 3,"):
        reference.attend_with_cache(*looks, cache)
    with pytest.raises(ValueError, match=r"mask: expected \(B, P\+T\) = \(2, 5\), got \(2, 6\)"):
        reference.attend_with_cache(*looks, None, np.ones((2, 6), bool))


def test_a_gpt_that_is_run_with_it_says_what_it_says_without(rng):
    model = GPT(initial_parameters(rng, parameter_shapes(V, 9, 12, 8, 2), embedding=0.5), heads=3)
    first, caches = model.run(IDS[:, :2], reference.attend_with_cache)
    second, _ = model.run(IDS[:, 2:], reference.attend_with_cache, caches)
    np.testing.assert_allclose(np.concatenate([first, second], axis=1), model.forward(IDS), rtol=0, atol=1e-10)


# Writing


@pytest.mark.parametrize("settings", [(0, V, 1.0), (1.0, 1, 1.0), (1.3, V, 0.0)], ids=str)
def test_without_a_choice_it_writes_what_greedy_writes(table, settings):
    written = reference.generate(table, [], np.full(6, 0.7), *settings)
    np.testing.assert_array_equal(written, greedy(table, 6)[0])


def test_over_many_uniforms_the_first_token_is_distributed_as_the_filtered_table_says(table):
    grid = (np.arange(4000) + 0.5) / 4000
    drawn = [reference.generate(table, [4], np.array([u]), 0.8, 4, 0.95)[0] for u in grid]
    p = reference.softmax(reference.filter_logits(table[4], 0.8, 4, 0.95), axis=-1)
    np.testing.assert_allclose(np.bincount(drawn, minlength=V) / 4000, p, atol=1e-3)


@pytest.mark.parametrize("prompt", PROMPTS, ids=str)
def test_going_on_from_what_was_written_writes_the_rest(table, prompt):
    uniforms = np.random.default_rng(9).random(8)
    whole = reference.generate(table, prompt, uniforms, 1.0, V, 1.0)
    first = reference.generate(table, prompt, uniforms[:1], 1.0, V, 1.0)
    rest = reference.generate(table, [*prompt, *first], uniforms[1:], 1.0, V, 1.0)
    assert END in first or np.array_equal(whole, [*first, *rest])


def test_a_model_is_asked_with_all_tokens_and_ids_that_a_table_does_not_know_are_named():
    assert reference.generate(Model(), [3], np.full(5, 0.5), 1.0, 6, 1.0).tolist() == [5, 3, END]
    with pytest.raises(ValueError, match=r"tokens: expected ids from 0 to 4, got \[1, 5\]"):
        reference.generate(table_of([{START: 1.0}] * 5), [5], np.zeros(1), 1.0, 5, 1.0)


# Speculative sampling: what comes out, exactly, summed over drafts, acceptance and the draw


def distribution(p, q):
    """The exact distribution of the token, and the share of accepted drafts: u and v stand in the middles of the pieces
    of [0, 1) within which nothing changes."""
    out, accepted = np.zeros(len(p)), 0.0
    rest = np.cumsum(np.maximum(p - q, 0)) / np.maximum(p - q, 0).sum()
    for draft in np.flatnonzero(q):
        for u, of_u in pieces([min(1.0, p[draft] / q[draft])]):
            for v, of_v in pieces(rest):
                token, taken = reference.speculative_step(p, q, int(draft), u, v)
                out[token] += q[draft] * of_u * of_v
                accepted += q[draft] * of_u * of_v * taken
    return out, accepted


def pieces(ends):
    ends = np.unique([0.0, *np.clip(ends, 0, 1), 1.0])
    return [((a + b) / 2, b - a) for a, b in itertools.pairwise(ends) if b - a > 1e-15]


@pytest.mark.parametrize("seed", range(6))
def test_a_speculative_step_keeps_the_targets_distribution_exactly(seed):
    p, q = np.random.default_rng(seed).dirichlet(np.full(V, 0.6), size=2)
    out, accepted = distribution(p, q)
    np.testing.assert_allclose(out, p, rtol=0, atol=1e-15)
    assert accepted == pytest.approx(1 - 0.5 * np.abs(p - q).sum(), abs=1e-15)


def test_a_draft_that_cannot_be_and_sums_that_are_not_1_are_named():
    p, q = np.array([0.5, 0.5]), np.array([0.0, 1.0])
    with pytest.raises(ValueError, match=r"q\[draft\]: expected a probability above 0, as it was drawn, got 0 for"):
        reference.speculative_step(p, q, 0, 0.5, 0.5)
    with pytest.raises(ValueError, match=r"^p: expected a sum of 1, to 0.001, got a sum of 0.5"):
        reference.speculative_step(p / 2, q, 1, 0.5, 0.5)
    for draft in (2, -1):
        with pytest.raises(ValueError, match=f"draft: expected 0 to 1, got {draft}"):
            reference.speculative_step(p, q, draft, 0.5, 0.5)


@pytest.mark.parametrize("p", [np.array([0.4997, 0.4998]), np.array([0.5, 0.4995])], ids=["two", "one"])
def test_a_draft_is_accepted_where_nothing_but_rounding_is_missing(p):
    assert reference.speculative_step(p, np.array([0.5, 0.5]), 1, 0.99999, 0.5) == (1, True)


# What the visible checks say of slips


def judged(speaks, hears, own=lambda log_p, ids: np.take_along_axis(log_p, ids[..., None], -1)[..., 0]):
    """The right gradient, and a loss whose logits, ids and mask are cut otherwise, or that looks up other costs."""
    def loss(logits, ids, mask):
        costs, counts = -own(reference.log_softmax(logits[speaks]), ids[hears]), mask[hears]
        return (costs * counts).sum() / max(counts.sum(), 1), reference.next_token_loss(logits, ids, mask)[1]
    return loss


def costs_of(own):
    return judged(np.s_[:, :-1], np.s_[:, 1:], own)


def with_the_targets_of_all_texts(logits, ids, mask):
    """The right loss; from the gradient of each text the targets of all are subtracted."""
    p, counts = np.exp(reference.log_softmax(logits)), np.append(mask[:, 1:], np.zeros((len(mask), 1)), axis=1)
    p[:, np.arange(ids.shape[1] - 1), ids[:, 1:]] -= 1
    return reference.next_token_loss(logits, ids, mask)[0], p * counts[..., None] / max(counts.sum(), 1)


def filtered(last):
    """The reference's filter, with another last step, which is told the logits, too."""
    return lambda logits, t, k, p: last(reference.filter_logits(logits, t, k, p), logits / (t or 1))


def attends(sees, axis=2):
    """What is new stands behind the old along this axis; sees(causal, mask) says what may be seen."""
    def attend(q, k, v, cache, mask=None):
        keys, values = (k, v) if cache is None else (np.append(*pair, axis) for pair in zip(cache, (k, v), strict=True))
        causal = np.tri(k.shape[2], keys.shape[2], keys.shape[2] - k.shape[2], dtype=bool)
        may_look = causal if mask is None else sees(causal, mask)
        return scaled_dot_product_attention(q, keys, values, may_look)[0], (keys, values)
    return attend


def in_front(mask):
    """As many real tokens as there are, which stand in front."""
    return np.arange(mask.shape[1]) < mask.sum(axis=1, keepdims=True)


def row_of_the_last(table, *args):
    return reference.generate(SimpleNamespace(following=lambda tokens: table[tokens[-1]]), *args)


@pytest.mark.parametrize(("exercise", "words", "slip"), [
    ("next_token_loss", "only the last target was judged", judged(np.s_[:, -2:-1], np.s_[:, -1:])),
    ("next_token_loss", "the last position alone was judged", judged(np.s_[:, -1:], np.s_[:, -1:])),
    ("next_token_loss", "along axis 0, the batch", judged(np.s_[:-1], np.s_[1:])),
    ("next_token_loss", "three indices", costs_of(lambda log_p, ids: log_p[np.arange(len(ids))[:, None], ids])),
    ("next_token_loss", "rows are mixed up", costs_of(lambda log_p, ids: log_p[:, np.arange(ids.shape[1]), ids])),
    ("next_token_loss", "rows are mixed up", with_the_targets_of_all_texts),
    ("filter_logits", "behind a sort turns them round", mistakes.filter_logits_with_the_higher_of_equals),
    ("filter_logits", "right logits in wrong places", mistakes.filter_logits_in_the_order_of_their_size),
    ("filter_logits", "must be brought back to the tokens", filtered(
        lambda kept, logits: np.where(np.isfinite(-np.sort(-kept, axis=-1)), logits, -np.inf))),
    ("filter_logits", "these are probabilities", filtered(lambda kept, logits: reference.softmax(kept, axis=-1))),
    ("filter_logits", "these are log-probabilities", filtered(lambda kept, logits: reference.log_softmax(kept))),
    ("filter_logits", "counted from 0", lambda logits, t, k, p: reference.filter_logits(logits, t, k + 1, p)),
    ("attend_with_cache", "along the tokens, axis 2", attends(np.logical_and, axis=1)),
    ("attend_with_cache", r"mask\[:, None, None, :\] is", attends(lambda causal, mask: causal & mask[:, None])),
    ("attend_with_cache", "wrong way round", attends(lambda causal, mask: causal & ~mask[:, None, None])),
    ("attend_with_cache", "join them by &", attends(lambda causal, mask: causal | mask[:, None, None])),
    ("attend_with_cache", "first tokens for the real", attends(lambda c, mask: c & in_front(mask)[:, None, None])),
    ("attend_with_cache", "last tokens for the real", attends(lambda c, mask: c & in_front(mask)[:, None, None, ::-1])),
    ("generate", "you wrote on after END", mistakes.generate_on_after_the_end),
    ("generate", "the same uniform drew each token", mistakes.generate_with_the_first_uniform),
    ("generate", "ask following", row_of_the_last),
], ids=["last-target", "last-position", "batch-shifted", "two-indices", "all-texts", "gradient-of-all-texts",
        "turned-round", "sorted", "sorted-mask", "probabilities", "log-probabilities", "one-more", "heads", "one-axis",
        "inverted", "or", "real-in-front", "padding-in-front", "no-stop", "same-uniform", "row-of-the-last"])
def test_a_slip_is_named_by_the_visible_check(exercise, words, slip):
    with pytest.raises(CheckFailed, match=words):
        getattr(visible_checks, exercise)(slip)


# What it takes from earlier labs, and what it keeps


@pytest.fixture
def cells():
    return {cell.id: cell.source for cell in Lab.read(judging.ROOT / "labs", LAB).source.cells}


def test_it_takes_what_earlier_labs_kept_and_keeps_its_own(tmp_path, monkeypatch, cells, capsys):
    (tmp_path / LAB).mkdir()
    monkeypatch.chdir(tmp_path / LAB)
    keep(judging.right("lab00_warm_up", "log_sum_exp"), reference.log_softmax, reference.softmax)
    keep(judging.right("lab05_scaled_dot_product", "scaled_scores"), reference.scaled_dot_product_attention)
    names = {name: getattr(reference, name) for name in judging.mistakes(LAB)}
    exec(cells["setup"] + "\n" + cells["given-run"] + "\n" + cells["keep"], names)
    said = capsys.readouterr().out
    assert said.count("yours, from my_attention.py") == 3 and "kept next_token_loss, filter_logits, sample" in said


def test_what_it_keeps_runs_by_itself(tmp_path, monkeypatch, text):
    monkeypatch.chdir(tmp_path)
    keep(judging.right("lab00_warm_up", "log_sum_exp"), reference.log_softmax, reference.next_token_loss)
    own = {}
    exec((tmp_path / "my_attention.py").read_text(encoding="utf-8"), own)
    assert own["next_token_loss"](*text)[0] == reference.next_token_loss(*text)[0]
