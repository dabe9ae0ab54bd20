"""What holds for every file in the repository."""

import re
import subprocess
from pathlib import Path

import nbformat
import pytest
import yaml

from tools.lab_text import lab_bytes, normalised

ROOT = Path(__file__).parents[1]
BINARY = {".npz", ".png", ".woff2", ".zip"}
LABS = sorted(ROOT.glob("labs/*/*.ipynb"))
PLACE_OF_A_MACHINE = re.compile(r"(?<![\w.:/<-])/(?:home|root|work|tmp|Users)/\w")


def tracked():
    """The files that git knows or would add: neither ignored nor deleted."""
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    names = subprocess.run(listed, cwd=ROOT, capture_output=True, check=True).stdout.decode().split("\0")
    return [ROOT / name for name in names if name and (ROOT / name).is_file()]


def texts():
    """Name and bytes of each text file; the mathematics that we ship is others' work, left as it is."""
    ours = [path for path in tracked() if path.suffix not in BINARY and "katex" not in path.parts]
    return {path.relative_to(ROOT).as_posix(): path.read_bytes() for path in ours}


def pins(name):
    """The lines of a requirements file that name a package; a line goes on after a backslash."""
    lines = (ROOT / name).read_text(encoding="utf-8").replace(" \\\n", "").splitlines()
    return [line for line in lines if line and not line.lstrip().startswith("#")]


def test_text_is_utf8_with_plain_line_ends_and_a_newline_at_the_end():
    for name, content in texts().items():
        assert "\r" not in content.decode("utf-8"), name
        assert not content or (content.endswith(b"\n") and not content.endswith(b"\n\n")), name


def test_no_line_ends_in_blanks():
    for name, content in texts().items():
        assert not re.search(rb"[ \t]$", content, re.MULTILINE), name


def test_no_file_names_a_place_on_somebodys_machine():
    found = {name: PLACE_OF_A_MACHINE.search(content.decode()) for name, content in texts().items()}
    assert {name: match[0] for name, match in found.items() if match} == {}


@pytest.mark.parametrize("text", ["open('/" + "home/ada/x')", "cd /" + "tmp/x", 'root = "/' + 'root/course"'])
def test_a_place_on_a_machine_is_seen(text):
    assert PLACE_OF_A_MACHINE.search(text)


def test_notebooks_stand_in_labs_only():
    notebooks = {path for path in tracked() if path.suffix == ".ipynb"}
    assert notebooks == set(LABS)


@pytest.mark.parametrize("lab", LABS, ids=lambda path: path.stem)
def test_a_lab_is_in_its_normal_form(lab):
    """No outputs, a grade_id as the id of its cell, no id twice: see tools/lab_text.py."""
    notebook = nbformat.read(lab, as_version=4)
    how = f"python -m tools.lab_text to-text {lab.stem}, then to-notebook"
    assert lab.read_bytes() == lab_bytes(normalised(notebook)), f"not in its normal form: {how}"


@pytest.mark.parametrize("lab", LABS, ids=lambda path: path.stem)
def test_a_lab_has_one_name_everywhere(lab):
    assert lab.parent.name == lab.stem
    assert (ROOT / "solutions" / lab.stem / "checks.py").is_file()
    assert (ROOT / "tests" / "labs" / f"test_{lab.stem}.py").is_file()


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-oracle.txt", "requirements-hub.txt",
                                  "requirements-postgres.txt"])
def test_each_requirement_is_pinned_and_has_its_reason(name):
    for line in pins(name):
        assert re.fullmatch(r"[\w.-]+==[\w.]+(; .+?)? +# \w.+", line), line


def test_the_lock_holds_every_requirement():
    locked = {re.split("[ ;]", line)[0] for line in pins("requirements.lock")}
    assert {re.split("[ ;]", line)[0] for line in pins("requirements.txt")} <= locked


def test_the_lock_names_no_host_and_pins_everything():
    for line in pins("requirements.lock"):
        assert re.match(r"[\w.-]+==[\w.]+\s", line) and "://" not in line, line


def test_the_lock_says_what_each_file_must_be_by_its_hash():
    assert [line for line in pins("requirements.lock") if not re.search(r"( --hash=sha256:[0-9a-f]{64})+$", line)] == []


def test_the_book_lists_chapters_only():
    listed = re.findall(r"(?:file|root): (\S+)", (ROOT / "_toc.yml").read_text())
    assert listed and all(name == "index" or name.startswith("chapters/") for name in listed)


def test_the_citation_file_is_readable():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert {"cff-version", "message", "title", "authors", "license"} <= set(citation)
