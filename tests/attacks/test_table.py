"""The table of attacks in the book is that of the corpus which the tests run."""

import json

from tests.attacks.corpus import ATTACKS
from tests.attacks.table import TABLE


def test_the_table_holds_each_attack_of_the_corpus_once():
    rows = json.loads(TABLE.read_text(encoding="utf-8"))["attacks"]
    assert sorted((row["kind"], row["aim"]) for row in rows) == sorted((attack.kind, attack.aim) for attack in ATTACKS)


def test_the_table_says_of_each_attack_what_it_got_from_either_grader():
    rows = json.loads(TABLE.read_text(encoding="utf-8"))["attacks"]
    assert all(row["stock"] and row["ours"] for row in rows)
