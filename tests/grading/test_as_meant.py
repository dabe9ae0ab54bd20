"""Code with signs that no keyboard for code writes is read as it was meant, where that is plain."""

import pytest

from grading.as_meant import as_meant

PLAIN = 'def f(x):\n    return x - 1, "a"'
ODD = {
    "a fence": f"```python\n{PLAIN}\n```",
    "a fence that names no language": f"\n```\n{PLAIN}\n```\n",
    "a fence of tildes": f"~~~\n{PLAIN}\n~~~",
    "a fence that does not end": f"```py\n{PLAIN}",
    "a fence with words around it": f"Here is my answer:\n\n```python\n{PLAIN}\n```\nIt works.",
    "no-break spaces": PLAIN.replace(" ", "\u00a0"),
    "narrow and wide spaces": PLAIN.replace("    ", "\u2003\u202f\u3000\u2009"),
    "a byte order mark": f"\ufeff{PLAIN}",
    "zero-width spaces": PLAIN.replace("(", "\u200b(\u2060"),
    "marks of direction": PLAIN.replace("x", "\u200ex\u200f"),
    "a soft hyphen": PLAIN.replace("ret", "ret\u00ad"),
    "a null": f"{PLAIN}\0",
    "line separators": PLAIN.replace("\n", "\u2028"),
    "turned quotes": PLAIN.replace('"a"', "“a”"),
    "quotes of another language": PLAIN.replace('"a"', "„a“"),
    "a dash": PLAIN.replace("-", "–"),
    "a minus": PLAIN.replace("-", "\u2212"),
    "full-width signs": PLAIN.translate(str.maketrans("():,1", "（）：，１")),
    "all of it": f"```\n{PLAIN}\n```".replace(" ", "\u00a0").replace('"', "”").replace("-", "—"),
}


def compiles(source):
    try:
        return bool(compile(source, "cell", "exec"))
    except (SyntaxError, ValueError):
        return False


@pytest.mark.parametrize("odd", ODD)
def test_what_was_meant_is_found(odd):
    assert not compiles(ODD[odd])
    meant = next(text for text, _ in as_meant(ODD[odd]) if compiles(text))
    assert meant.strip() == PLAIN


@pytest.mark.parametrize("source", [PLAIN, "x = (", "```\na\n```\n```\nb\n```", "", "```"])
def test_plain_code_and_what_could_mean_several_things_stays_as_it_is(source):
    assert as_meant(source) == [] or not any(compiles(text) and text.strip() for text, _ in as_meant(source))


def test_no_sign_is_replaced_where_spaces_are_all_that_is_wrong():
    meant, how = as_meant("x =\u00a0'“quoted” – 3 × 4'")[0]
    assert meant == "x = '“quoted” – 3 × 4'" and "spaces" in how
