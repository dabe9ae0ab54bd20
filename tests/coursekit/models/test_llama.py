"""The decoder in Llama's form: glassllm's own code, the cache, batches, and text."""

import numpy as np
import pytest

from coursekit import load
from coursekit.models.llama import Llama
from tools.weights import CHAPTERS

TEXT = "“Curiouser and curiouser!” cried Alice (she was so much surprised,\nthat for the moment"


@pytest.fixture(scope="module")
def model():
    return Llama(load(str(CHAPTERS / "alice")), np.float64)


@pytest.fixture(scope="module")
def theirs():
    from glassllm import load_pretrained

    return load_pretrained("en")


def test_its_tokens_are_glassllms_and_decode_to_the_text(model, theirs):
    ids = model.encode(TEXT)
    assert ids.tolist() == theirs[1].encode(TEXT) and model.decode(ids) == TEXT


def test_its_logits_are_glassllms(model, theirs):
    ids = model.encode(TEXT)
    right = np.asarray(theirs[0].forward(ids.tolist()).data)[0]
    np.testing.assert_allclose(model.forward(ids), right, atol=1e-5, rtol=0)


@pytest.mark.parametrize("cuts", [[], [1], [4, 5, 11], list(range(1, 20))], ids=["whole", "one", "four", "each"])
def test_with_its_cache_it_says_what_it_says_without(model, cuts):
    ids, caches, rows = model.encode(TEXT), None, []
    for new in np.split(ids, cuts):
        hidden, caches = model.run(new, caches)
        rows.append(hidden)
    np.testing.assert_allclose(np.concatenate(rows), model.run(ids)[0], rtol=0, atol=1e-10)


def test_a_text_in_a_batch_is_the_text_alone(model):
    ids = np.stack([model.encode(TEXT)[:12], model.encode(TEXT)[5:17]])
    both, looks = model.forward(ids), model.looks
    np.testing.assert_allclose(both, [model.forward(row) for row in ids], rtol=0, atol=1e-10)
    assert looks.shape == (4, 2, 4, 12, 12)


def test_the_same_uniforms_write_the_same_and_temperature_near_0_the_likeliest(model):
    uniforms = np.random.default_rng(0).random(5)
    assert model.write("Alice", uniforms) == model.write("Alice", uniforms)
    likeliest = model.forward(model.encode("Alice"))[-1].argmax()
    assert model.write("Alice", uniforms[:1], 1e-6) == model.decode([likeliest])
