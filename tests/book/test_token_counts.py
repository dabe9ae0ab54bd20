"""What chapter 11 cites of GPT-2's and GPT-4o's tokenisers is what OpenAI's own package counts."""

import re

import pytest

from tests import needs

pytestmark = [needs.tiktoken, pytest.mark.nightly]  # nothing that a day's change could move
LANGUAGES = ("English", "German", "Russian", "Hindi", "Chinese")


@pytest.fixture(scope="module")
def chapter(root):
    return (root / "chapters" / "11_tokens.md").read_text(encoding="utf-8")


def example(chapter, name):
    """The text of an example of the chapter, which may stand on two lines."""
    parts = re.search(rf'"{name}": ((?:"[^"]*"\s*)+)', chapter)[1]
    return "".join(re.findall(r'"([^"]*)"', parts))


@pytest.mark.parametrize(("model", "encoding"), [("GPT-2, 50257", "r50k_base"), ("GPT-4o, 200019", "o200k_base")])
def test_the_cited_counts_of_five_languages_are_those_of_tiktoken(chapter, model, encoding):
    import tiktoken

    tokenizer = tiktoken.get_encoding(encoding)
    cited = re.search(rf'"{model}": \[([\d, ]+)\]', chapter)[1].split(", ")
    assert [len(tokenizer.encode(example(chapter, name))) for name in LANGUAGES] == [int(n) for n in cited]
    assert tokenizer.n_vocab == int(model.split(", ")[1])


def test_strawberry_is_three_tokens_of_gpt_2_and_one_with_a_space_before_it():
    import tiktoken

    tokenizer = tiktoken.get_encoding("r50k_base")
    assert tokenizer.encode("strawberry") == [301, 1831, 8396] and len(tokenizer.encode(" strawberry")) == 1
