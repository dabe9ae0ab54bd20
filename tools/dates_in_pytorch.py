"""The date Transformer of the page "The book in PyTorch", trained whole: `python -m tools.dates_in_pytorch`.

Runs the cells of that page, and prints what the page says of them beside ours: how far the logits of the same weights
differ, what is learned from each kind of start, how long a step takes, and how many lines it is. From a seed ours and
theirs read the same batches. Takes minutes, with OMP_NUM_THREADS=1 and OPENBLAS_NUM_THREADS=1.
"""

import argparse
import ast
import contextlib
import importlib.util
import io
import re
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np

import coursekit
from coursekit.trainers.transformer import TransformerTrainer, dates
from solutions.artifacts.date_transformer import HEADS, PARTS, SEEDS, STEPS, TESTED
from tools.bench_attention import NO_TORCH, medians

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "chapters" / "in_pytorch.md"
BLOCK = re.compile(r"^```(python|text)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NUDGE = 1e-6  # by which first numbers are made larger, to see what chance alone does
TOGETHER = 50  # steps in which rounding has not yet grown
OURS = ("coursekit/layers/transformer.py", "coursekit/models/transformer.py", "coursekit/optimiser.py",
        "coursekit/training.py", "coursekit/trainers/transformer.py",
        "solutions/lab10_train_a_transformer/reference.py")
THEIRS = re.compile(r"^(?:class|def) (?:Embedding|DateTransformer|loss_of|train|greedy)\b", re.MULTILINE)


def snippets():
    """[(code, what the page says it prints)], in the order of the page; the output is None where none is shown."""
    blocks = BLOCK.findall(PAGE.read_text("utf-8"))
    outputs = [text if kind == "text" else None for kind, text in [*blocks[1:], ("python", "")]]
    return [(code, output) for (kind, code), output in zip(blocks, outputs, strict=True) if kind == "python"]


@contextlib.contextmanager
def session():
    """What the page's names stand for once its cells have run, one after the other, and what each cell printed.

    Until the end PyTorch's default type is the page's.
    """
    import torch

    dtype, namespace, printed = torch.get_default_dtype(), {"__name__": "page"}, []
    try:
        for code, _ in snippets():
            with contextlib.redirect_stdout(io.StringIO()) as out:
                exec(compile(code, PAGE.name, "exec"), namespace)
            printed.append(out.getvalue())
        yield SimpleNamespace(**namespace), printed
    finally:
        torch.set_default_dtype(dtype)


# What is measured


def from_our_start(page, seed, nudge=0.0):
    """A model as the page writes it, with the first numbers of ours from this seed."""
    model = page.from_our_start(seed)
    with page.torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(1 + nudge)
    return model


def from_own_start(page, seed):
    """The same, with PyTorch's own first numbers, but for the embedding."""
    page.torch.manual_seed(seed)
    return page.DateTransformer(page.V).float()


def from_defaults(page, seed):
    """The same, with PyTorch's own first numbers for the embedding too."""
    page.torch.manual_seed(seed)
    model = page.DateTransformer(page.V)
    model.embedding.table.reset_parameters()
    return model.float()


def from_xavier(page, seed):
    """The same, with the matrices that `nn.Transformer` begins with, and an embedding of that kind."""
    model = from_own_start(page, seed)
    for parameter in model.parameters():
        if parameter.dim() > 1:
            page.nn.init.xavier_uniform_(parameter)
    return model


STARTS = {
    "from our start": from_our_start,
    "from our start, nudged": lambda page, seed: from_our_start(page, seed, NUDGE),
    "from its own": from_own_start,
    "matrices by Xavier": from_xavier,
    "embedding from N(0, 1)": from_defaults,
}


def learned(page, start, seed, steps):
    """The losses of a training, and what per cent of unseen dates are exact after it."""
    model, task = STARTS[start](page, seed), dates(seed)
    losses = page.train(model, task, np.random.default_rng([seed, 2]), steps)
    return np.array(losses), 100 * page.exact_match(model, task, TESTED, seed=1)


def learned_by_ours(seed, steps, nudge=0.0):
    """The same of ours."""
    ours = TransformerTrainer(seed, PARTS, dates(seed), heads=HEADS)
    ours.vector *= np.float32(1 + nudge)
    ours.train(steps)
    return np.array(ours.losses), 100 * ours.exact_match(TESTED, seed=1)


def apart(page, steps):
    """The largest difference of the losses of the first steps from those that chapter 10 keeps, from our start."""
    losses = page.train(page.from_our_start(0), dates(0), np.random.default_rng([0, 2]), steps)
    return np.abs(losses - coursekit.load("date_transformer")["losses"][:steps]).max()


def seconds_of_a_step(page, repeats, steps=5):
    """{name: median seconds} of ours and theirs, in turns, as the processor counts them: others may use it too."""
    ours, model = TransformerTrainer(0, PARTS, dates(0), heads=HEADS), from_own_start(page, 0)
    rng = np.random.default_rng([0, 2])
    ways = {"NumPy": lambda: ours.train(steps), "PyTorch": lambda: page.train(model, ours.task, rng, steps)}
    return {name: seconds / steps for name, seconds in medians(ways, repeats, time.process_time).items()}


def lines(code):
    """How many lines a piece of Python has, without blank ones, comments and docstrings, a statement on one line."""
    tree = ast.parse(code)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node):
            node.body = node.body[1:] or [ast.Pass()]
    return sum(bool(line.strip()) for line in ast.unparse(tree).split("\n"))


def lines_of_both():
    """{name: lines} of all that a training needs, from the first layer to the last step; for PyTorch, on the page."""
    ours = sum(lines((ROOT / name).read_text("utf-8")) for name in OURS)
    return {"NumPy": ours, "PyTorch": sum(lines(code) for code, _ in snippets() if THEIRS.search(code))}


# The table


def report(page, steps, seeds, repeats):
    """Print all that is measured, a line each."""
    for dtype in ("float32", "float64"):
        print(f"largest difference of a logit, {dtype}: {page.largest_difference(dtype):.1e}")
    print(f"largest difference of a loss in {TOGETHER} steps from our start: {apart(page, TOGETHER):.1e}", flush=True)
    tell("NumPy", (learned_by_ours(seed, steps) for seed in seeds))
    tell("NumPy, nudged", (learned_by_ours(seed, steps, NUDGE) for seed in seeds))
    for start in STARTS:
        tell(f"PyTorch, {start}", (learned(page, start, seed, steps) for seed in seeds))
    for name, seconds in seconds_of_a_step(page, repeats).items():
        print(f"a step, {name}: {1000 * seconds:.0f} ms")
    for name, count in lines_of_both().items():
        print(f"lines of code, {name}: {count}")


def tell(name, runs):
    """A line on the runs of one kind, each its losses and what per cent was exact."""
    losses, exact = zip(*runs, strict=True)
    shown = {"exact": [f"{share:.1f}" for share in exact], "%, first loss": [f"{each[0]:.2f}" for each in losses],
             "and last": [f"{each[-10:].mean():.3f}" for each in losses]}
    print(f"{name}:", *(f"{what} {' '.join(numbers)}" for what, numbers in shown.items()), flush=True)


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="python -m tools.dates_in_pytorch", description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=STEPS, help="of each training (default: %(default)s)")
    parser.add_argument("--seeds", type=int, nargs="+", default=SEEDS, help="to train from (default: %(default)s)")
    parser.add_argument("--repeats", type=int, default=20, help="of five steps, to time them (default: %(default)s)")
    given = parser.parse_args(arguments)
    if importlib.util.find_spec("torch") is None:
        print(NO_TORCH)
        return 0
    import torch

    torch.set_num_threads(1)
    with session() as (page, _):
        report(page, given.steps, given.seeds, given.repeats)
    return 0


if __name__ == "__main__":
    sys.exit(main())
