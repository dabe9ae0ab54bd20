"""A lab that was given out when modules of coursekit had other names is graded as if it had been given out today."""

import importlib
import json
import re
from pathlib import Path

import pytest

from grading.demo import answered
from grading.lab import Lab
from grading.marking import grade
from grading.room.room import Rooms
from grading.solved import imports

LABS = Path(__file__).parents[2] / "labs"
ROOMS = re.compile(r"^from coursekit\.(tasks|layers|models|trainers).*\n?", re.MULTILINE)
FIRST_RELEASE = {  # what the lab's own import cell said instead
    "lab00_warm_up": "from coursekit.phrases import FEMININE, FRENCH, MASCULINE, phrase_pairs",
    "lab01_additive_attention": "from coursekit.translator import DateTranslator",
    "lab02_learning_to_align": "from coursekit.date_trainer import DateTrainer, Parts",
    "lab03_luong_attention": "from coursekit.luong_trainer import LuongTrainer, Parts, attention_shapes, "
                             "global_backward, local_backward",
    "lab04_hard_attention": "from coursekit import plot, pointer",
    "lab06_multi_head": "from coursekit import load, plot, senses",
    "lab10_train_a_transformer": "from coursekit.transformer import END, PAD, START\n"
                                 "from coursekit.transformer_trainer import Parts, TransformerTrainer, dates",
    "lab11_decoding": "from coursekit.dates import SOURCE, TARGET\n"
                      "from coursekit.transformer import END, PAD, START, Tokens, Transformer",
}


@pytest.fixture(scope="module")
def rooms():
    with Rooms() as rooms:
        yield rooms


def given_out_earlier(lab):
    """A solved notebook with the import cell of the first release; what answers need stands below the old names."""
    notebook = answered(lab)
    notebook.cells = [cell for cell in notebook.cells if cell.id != "imports-of-the-reference"]
    setup = next(cell for cell in notebook.cells if cell.id == "setup")
    needed = imports(importlib.import_module(f"solutions.{lab.name}.reference")).splitlines()
    needed = [line for line in needed if not line.startswith("from solutions.")]  # the lab gives these itself
    setup.source = "\n".join([ROOMS.sub("", setup.source), FIRST_RELEASE[lab.name], *needed])
    return json.dumps(notebook).encode()


@pytest.mark.parametrize("name", FIRST_RELEASE)
def test_a_lab_from_the_first_release_loses_nothing(name, rooms):
    lab = Lab.read(LABS, name)
    graded = grade(given_out_earlier(lab), lab, rooms=rooms)
    checked = [mark for mark in graded.marks.values() if mark.judgement]
    assert checked and [mark.points for mark in checked] == [mark.possible for mark in checked]
    assert "is not as the lab has it" in " ".join(graded.notices)
    outputs = str([cell.get("outputs") for cell in graded.notebook.cells])
    assert "ImportError" not in outputs and "ModuleNotFoundError" not in outputs
