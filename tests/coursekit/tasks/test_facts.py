"""The facts' prompts have their answers in their texts, and what is learned from holds all of them."""

import numpy as np
import pytest

from coursekit.tasks import facts
from coursekit.tasks.tokens import END, PAD, START

RNG = np.random.default_rng
ASKED = facts.prompts(RNG(0), 300, (3, 5))


def test_the_answer_is_who_has_the_thing_that_is_asked_for():
    assert all(f"{each.answer} has {each.question.removeprefix('who has ')} ." in each.text for each in ASKED)


def test_nobody_and_nothing_stands_in_a_text_twice():
    assert all(len({*words[::4], *words[2::4]}) == len(words) / 2 for words in (each.text.split() for each in ASKED))


def test_texts_have_as_many_facts_as_is_said_and_every_one_is_asked_for():
    assert {len(each.text.split()) // 4 for each in ASKED} == {3, 4, 5}
    assert {each.text.split().index(each.answer) // 4 for each in ASKED} == {0, 1, 2, 3, 4}


def test_a_summary_is_the_names_in_their_order():
    assert all(each.answer.split() == each.text.split()[::4] and each.question == facts.SUMMARY
               for each in facts.prompts(RNG(0), 20, summary=True))


@pytest.mark.parametrize(("summaries", "after"), [(0, "who"), (1, facts.SUMMARY)])
def test_a_lesson_asks_for_every_fact_or_for_a_summary(summaries, after):
    for words in map(str.split, facts.lessons(RNG(0), 20, summaries)):
        names = words[:words.index(after)][::4]
        answers = words[words.index(after) + 1:] if summaries else words[words.index(after) + 3::4]
        assert sorted(answers) == sorted(names)


def test_no_lesson_is_longer_than_is_said():
    ids = facts.encode(facts.lessons(RNG(0), 200))
    assert ids.shape == (200, facts.LONGEST) and (ids[:, 0] == START).all() and ((ids == END).sum(axis=1) == 1).all()


def test_what_fills_a_shorter_text_up_is_padding():
    assert facts.encode(["ann", "who has figs"])[0, 2:].tolist() == [END, PAD, PAD]
