"""The tool that lists a chapter's measured results reads prose and assertions as its docstring says."""

import ast
import math

import nbformat
import pytest

from tools import measured
from tools.held import bounds, held_by, joined
from tools.measured import Known, claims, lacks, results

CLAIMED = [  # a sentence, and the interval of each claim in it
    ("It is right in 84 % of them.", [(83.5, 84.5)]),
    ("It is right in 84 per cent.", [(83.5, 84.5)]),
    ("It is right in about 84 %.", [(79.8, 88.2)]),
    ("Some 0.5 of it is lost.", [(0.4, 0.6)]),
    ("More than 84 % are right.", [(84, math.inf)]),
    ("At most 5 ms are lost.", [(-math.inf, 5)]),
    ("They took 7 seconds or less.", [(-math.inf, 7)]),
    ("Between 3 and 4 % are lost.", [(2.5, 4.5)]),
    ("The steps take 90 to 95 ms.", [(89.5, 95.5)]),
    ("It rises from 0.5 % to 0.8 %.", [(0.45, 0.55), (0.75, 0.85)]),
    ("We see 16 or 17 words.", [(15.5, 17.5)]),
    ("It is 86, 83 and 84 %.", [(85.5, 86.5), (82.5, 83.5), (83.5, 84.5)]),
    ("It falls to −8.7 nats.", [(8.65, 8.75)]),
    ("Nine answers in ten are right.", [(0.85, 0.95)]),
    ("One draw in 25 goes wrong.", [(1 / 25.5, 1 / 24.5)]),
    ("It names 118 of 200.", [(117.5 / 200, 118.5 / 200)]),
    ("That is eleven times as many.", [(10.5, 11.5)]),
    ("There are 16,200 of them.", [(16150, 16250)]),
    ("There are 243 of them.", [(242.5, 243.5)]),
    ("There are 512 of 1,024, 40, 7 and 999.", []),
    ("In chapters 2.1 and 3.2 they are 3.5 × 4.5 of 2017, in head 0.4.", []),
    ("It has 84 % {cite:p}`they2017`.", []),
    ("We read {cite:t}`they2017`: 84 % are right.", []),
    ("They have 84 % (their Table 3).", []),
    ("How do you get to 84 %?", []),
    ("The sum 0.5 + 0.25 = 0.75 is known, as $x = 0.84$ and `0.84` are.", []),
    ("They found [84 %]{.given} of them, and we 85 %.", [(84.5, 85.5)]),
    ("It was given 0.125, 300 words, and 77 %.", []),
    ("It ends at about 0.125.", [(0.11875, 0.13125)]),
    ("Two of four do.", []),
]
HELD = [  # an assertion, and the intervals that it pins
    ("x == 3", [(3, 3)]),
    ("round(100 * x, 1) == 0.3", [(0.25, 0.35)]),
    ("x.round(2).tolist() == [0.5]", [(0.495, 0.505)]),
    ("hindi == ['1.4']", [(1.35, 1.45)]),
    ("0.2 < x < 0.3", [(0.2, 0.3)]),
    ("x.min() > 0.2 and x.max() < 0.3", [(0.2, 0.3)]),
    ("x[0] > 0.2 and x[1] < 0.3", []),
    ("abs(x - 0.3) < 0.1", [(0.2, 0.4)]),
    ("np.abs(x + 0.3).max() < 0.1", [(-0.4, -0.2)]),
    ("np.allclose(x, [1, 2], atol=0.5, rtol=0)", [(0.5, 1.5), (1.5, 2.5)]),
    ("np.allclose(x, wanted, atol=0.5, rtol=0)", [(6.5, 7.5)]),
    ("x in (16, 17)", [(16, 17)]),
    ("1 / 8 < x < np.log(12)", [(0.125, math.log(12))]),
    ("all(0.2 < each < 0.3 for each in x)", [(0.2, 0.3)]),
    ("x == 3 or y == 4", []),
    ("not 0.2 < x < 0.3", []),
    ("any(0.2 < each < 0.3 for each in x)", []),
    ("x.shape == (3, 4)", []),
]
TEXT = """---
description: 84 %
---
# A title of 84 %

## First

{.given}
Others had 81 %.

We had 82 %.

```{code-cell}
    caption: "Ours had 83 %."
x = 84 %
```

```{dropdown} Why 85 %?
Since 86 % are.
```

## Lab

It takes 87 %.
"""


def flat(pairs):
    return [end for pair in pairs for end in pair]


@pytest.mark.parametrize(("sentence", "ends"), CLAIMED, ids=[sentence for sentence, _ in CLAIMED])
def test_a_sentence_claims_what_the_rules_say(sentence, ends):
    known = Known({243, 1024, 512, 40, 7, 16200}, {0.77}, {0.125, 300})
    found = claims(sentence, known)
    assert flat((claim.low, claim.high) for claim in found) == pytest.approx(flat(ends))


@pytest.mark.parametrize(("test", "ends"), HELD, ids=[test for test, _ in HELD])
def test_an_assertion_pins_what_the_rules_say(test, ends):
    pinned = joined(bounds(ast.parse(test, mode="eval").body, {"wanted": ast.parse("[7]", mode="eval").body}))
    found = sorted({pair for pair in pinned if math.isfinite(pair[1] - pair[0])})
    assert flat(found) == pytest.approx(flat(ends))


def test_a_bound_a_factor_and_a_distance_are_held_as_bounds():
    found = {(each.low, each.high) for each in held_by(["assert a > 3 * b and c > 10 and d > e + 5"])}
    assert {(3, math.inf), (-math.inf, 1 / 3), (10, math.inf), (5, math.inf)} <= found


def test_an_interval_may_stand_in_two_assertions_of_a_cell_and_in_a_loop():
    loop = "for k, said in {0: 7}.items():\n    assert x[k] == said"
    found = held_by(["assert x.min() > 2\nassert x.max() < 3", loop])
    assert {(2, 3, 1), (7, 7, 2)} <= {(each.low, each.high, each.cell) for each in found}


def test_paragraphs_captions_and_answers_are_read_and_nothing_else():
    assert [claim.text for claim in claims(TEXT, Known(set(), set(), set()))] == ["82 %", "83 %", "86 %"]


def page(cells, heading="## First"):
    """A notebook of code cells with what each printed, under a heading."""
    new = nbformat.v4
    made = [new.new_code_cell(source, outputs=[new.new_output("stream", text=out)]) for source, out in cells]
    return new.new_notebook(cells=[new.new_markdown_cell(heading), *made])


@pytest.mark.parametrize(("cells", "lacking"), [
    ([("assert 0.82 < x < 0.824", "82 %")], ""),
    ([("assert 0.8 < x < 0.84", "82 %")], "not held"),
    ([("assert 0.82 < x < 0.824", "none")], "not printed"),
], ids=["whole", "too wide", "unseen"])
def test_a_result_is_whole_where_it_is_printed_and_held_as_precisely_as_it_is_told(cells, lacking):
    first, *_ = results("## First\n\nWe had 82 %.\n", page(cells))
    assert lacks(first) == lacking


@pytest.mark.parametrize(("told", "lacking"), [("82 %", "not held"), ("82.1 %", "")])
def test_two_digits_are_held_in_their_own_section_and_three_anywhere(told, lacking):
    text = f"## First\n\nIt is.\n\n## Second\n\nWe had {told}.\n"
    first, *_ = results(text, page([("assert round(x, 1) == 82.1", "82.1 %")]))
    assert lacks(first) == lacking


@pytest.mark.parametrize(("bound", "lacking"), [(10, ""), (12, ""), (90, "not held"), (9, "not held")])
def test_a_bound_is_held_by_one_that_is_near(bound, lacking):
    first, *_ = results("## First\n\nMore than 10 % are.\n", page([(f"assert x > {bound}", "")]))
    assert lacks(first) == lacking


@pytest.fixture
def chapter(tmp_path, monkeypatch):
    """A function that reads a chapter of one cell as it then is, and the cells that were executed for it."""
    path, runs = tmp_path / "chapters" / "01_a.md", []
    path.parent.mkdir()

    def execute(client):
        runs.append(client.nb.cells[0].source)
        client.nb.cells[0].outputs = [nbformat.v4.new_output("stream", text="1")]

    def read(cell):
        path.write_text(f"---\nkernelspec: {{name: python3, display_name: A}}\n---\n```{{code-cell}}\n{cell}\n```\n")
        return measured.read("01_a", tmp_path)[1]
    monkeypatch.setattr(measured.NotebookClient, "execute", execute)
    return read, runs


def test_a_chapter_is_executed_once_and_again_when_its_cells_change(chapter):
    read, runs = chapter
    assert [read(cell).cells[0].outputs[0].text for cell in ("1", "1", "2")] == ["1", "1", "1"]
    assert runs == ["1", "2"]


def test_a_build_that_left_no_outputs_is_not_taken_for_one_that_printed_nothing(chapter, tmp_path):
    read, runs = chapter
    built = tmp_path / "_build" / "jupyter_execute" / "chapters" / "01_a.ipynb"
    built.parent.mkdir(parents=True)
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1")]), built)
    assert read("1").cells[0].outputs and runs == ["1"]
