"""The text from which chapter 11 learns tokens is prose."""

from tools.prose import TEXT, prose

PAGE = """---
description: "A page."
---

# Heads

A head is one of several weightings, *each* with [matrices](06.md) of its `own`.

| a table | of two columns, which is long enough to count as a line |

```{code-cell} ipython3
print("a line of code that is long enough to be a sentence of its own")
```

1. A formula such as $x$ has no words, and takes its whole line away with it.
- A point of a list is a sentence as [good]{.given} as any other, once its sign is gone.
- So is one that {cite:t}`cites2026`, but its citation could not be read aloud.
"""


def test_what_is_kept_of_a_page_could_be_read_aloud():
    assert prose(PAGE) == ["A head is one of several weightings, each with matrices of its own.",
                           "A point of a list is a sentence as good as any other, once its sign is gone."]


def test_the_text_that_is_kept_is_of_whole_lines_without_markup():
    lines = TEXT.read_text(encoding="utf-8").splitlines()
    assert len(lines) > 500 and min(map(len, lines)) > 40
    assert not [line for line in lines if any(sign in line for sign in ("```", "$", "](", "{cite"))]
