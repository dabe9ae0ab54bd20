"""Chapters become notebooks that nbval can run, the same bytes every time."""

import os
import subprocess
import sysconfig
import venv
from pathlib import Path

import nbformat
import pytest
from nbformat import v4

from grading.release import build_wheel
from tools.notebooks import COMPARED, publish, raw_address, write_branch, write_chapters

CONFIG = 'sphinx: {{config: {{html_theme_options: {{repository_url: "{}"}}}}}}'
CHAPTER = """---
file_format: mystnb
jupytext: {text_representation: {extension: .md, format_name: myst}}
kernelspec: {display_name: Python 3, language: python, name: python3}
---
# A chapter

```{code-cell} python
:tags: [raises-exception]
1 / 0
```
"""


@pytest.fixture
def written(tmp_path):
    """The notebooks of a folder with one chapter that holds code, and an index that holds none."""
    (tmp_path / "chapters").mkdir()
    (tmp_path / "chapters" / "01_one.md").write_text(CHAPTER)
    (tmp_path / "index.md").write_text("# Words only\n")
    return write_chapters(tmp_path)


def test_chapters_with_code_become_notebooks_and_others_do_not(written):
    assert [path.name for path in written] == ["01_one.ipynb"]


def test_a_chapter_gives_the_same_bytes_every_time(written, tmp_path):
    first = written[0].read_bytes()
    assert write_chapters(tmp_path)[0].read_bytes() == first


def test_a_chapter_becomes_a_valid_notebook_that_keeps_its_tags(written):
    notebook = nbformat.read(written[0], as_version=4)
    nbformat.validate(notebook)
    assert [cell.id for cell in notebook.cells] == ["cell-000", "cell-001"]
    assert notebook.cells[1].metadata == {"tags": ["raises-exception"]}


def test_a_notebook_holds_no_trace_of_jupytext(written):
    assert "jupytext" not in written[0].read_text()


def test_the_notebook_of_a_chapter_that_is_gone_goes_too(written, tmp_path):
    (tmp_path / "chapters" / "01_one.md").unlink()
    assert write_chapters(tmp_path) == []
    assert not written[0].exists()


@pytest.fixture
def shown(written, tmp_path):
    """Write the chapter's notebook where the built book shows these outputs of its only cell, run from `source`."""
    def write(*outputs, source="1 / 0"):
        notebook = nbformat.read(written[0], as_version=4)
        notebook.cells[1] |= {"source": source, "outputs": [*outputs], "execution_count": 1}
        (tmp_path / "_build" / "jupyter_execute").mkdir(parents=True)
        nbformat.write(notebook, tmp_path / "_build" / "jupyter_execute" / "01_one.ipynb")
        return nbformat.read(write_chapters(tmp_path)[0], as_version=4).cells[1]

    return write


def test_nbval_is_told_to_compare_what_the_book_shows(shown):
    cell = shown(v4.new_output("stream", text="2\n"))
    assert cell.outputs[0].text == "2\n" and COMPARED in cell.metadata.tags


def test_nbval_is_not_told_to_compare_a_picture(shown):
    cell = shown(v4.new_output("display_data", {"image/png": "", "text/plain": "<Figure>"}))
    assert COMPARED not in cell.metadata.tags


def test_a_book_that_was_built_from_other_cells_is_refused(shown):
    with pytest.raises(ValueError, match="01_one: the book was built from other cells"):
        shown(source="2 / 0")


def test_the_data_of_the_chapters_stand_beside_the_notebooks(tmp_path):
    (tmp_path / "index.md").write_text("# Words only\n")
    (tmp_path / "chapters" / "data").mkdir(parents=True)
    (tmp_path / "chapters" / "data" / "measured.json").write_text("{}")
    write_chapters(tmp_path)
    assert (tmp_path / "build" / "chapters" / "data" / "measured.json").read_text() == "{}"


@pytest.fixture
def course(tmp_path):
    """A course of one chapter that reads a measurement, and one released lab, with a wheel that is none."""
    files = {"index.md": "# Words only\n", "chapters/data/measured.json": "{}",
             "release/coursekit-1-py3-none-any.whl": "",
             "chapters/01_one.md": CHAPTER.replace("1 / 0", 'open("data/measured.json")')}
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / "release" / "lab01").mkdir()
    lab = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("answer = None", id="answer")])
    nbformat.write(lab, tmp_path / "release" / "lab01" / "lab01.ipynb")
    return tmp_path


def test_the_site_has_chapters_and_released_labs_as_notebooks(course):
    publish(course, course / "site")
    assert {path.name for path in (course / "site" / "notebooks").iterdir()} == {"01_one.ipynb", "lab01.ipynb"}


def test_a_lab_on_the_site_is_the_lab_that_was_released(course):
    publish(course, course / "site")
    released = (course / "release" / "lab01" / "lab01.ipynb").read_bytes()
    assert (course / "site" / "notebooks" / "lab01.ipynb").read_bytes() == released


def test_a_notebook_for_colab_first_installs_and_fetches_what_it_needs(course):
    write_branch(course, course / "branch", "https://example.org/notebooks")
    first = nbformat.read(course / "branch" / "01_one.ipynb", as_version=4).cells[0]
    assert first.metadata == {"tags": ["colab-setup"]} and first.source.splitlines()[1:] == [
        "%pip install --quiet --requirement https://example.org/notebooks/requirements.txt",
        "!curl --silent --show-error --create-dirs -o data/measured.json https://example.org/notebooks/data/measured.json"]


def test_what_a_notebook_for_colab_fetches_stands_on_the_branch(course):
    write_branch(course, course / "branch", "https://example.org/notebooks")
    branch = course / "branch"
    found = {path.relative_to(branch).as_posix() for path in branch.rglob("*") if path.is_file()}
    assert found == {"01_one.ipynb", "lab01.ipynb", "data/measured.json", "requirements.txt",
                     "coursekit-1-py3-none-any.whl"}


def test_a_notebook_for_colab_that_was_saved_gets_the_wheel_of_the_day(course):
    write_branch(course, course / "branch", "https://example.org/notebooks")
    required = (course / "branch" / "requirements.txt").read_text()
    assert required == "https://example.org/notebooks/coursekit-1-py3-none-any.whl\n"


def test_the_branch_is_found_where_github_serves_its_files(tmp_path):
    (tmp_path / "_config.yml").write_text(CONFIG.format("https://github.com/ada/attention/"))
    assert raw_address(tmp_path) == "https://raw.githubusercontent.com/ada/attention/notebooks"


def test_a_workflow_need_not_be_told_its_repository(tmp_path, monkeypatch):
    monkeypatch.setenv("GITHUB_REPOSITORY", "ada/attention")
    (tmp_path / "_config.yml").write_text(CONFIG.format(""))
    assert raw_address(tmp_path) == "https://raw.githubusercontent.com/ada/attention/notebooks"


@pytest.mark.parametrize("url", ["", "https://example.org/ada/attention"])
def test_without_a_repository_on_github_nothing_is_written_for_colab(tmp_path, monkeypatch, url):
    monkeypatch.delenv("GITHUB_REPOSITORY", raising=False)
    (tmp_path / "_config.yml").write_text(CONFIG.format(url))
    with pytest.raises(SystemExit, match=r"expected https://github\.com/OWNER/REPO"):
        raw_address(tmp_path)


@pytest.fixture(scope="module")
def elsewhere(root, tmp_path_factory):
    """The real branch as a folder, and a Python that has Jupyter, NumPy and Matplotlib but not the course."""
    place = tmp_path_factory.mktemp("elsewhere")
    (place / "course").mkdir()
    for name in ("index.md", "chapters"):
        (place / "course" / name).symlink_to(root / name)
    (place / "course" / "release").mkdir()
    build_wheel(root, place / "course" / "release")
    write_branch(place / "course", place / "branch", (place / "branch").as_uri())
    venv.create(place / "venv", with_pip=True)
    python = place / "venv" / "bin" / "python"
    packages = subprocess.run([python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], text=True,
                              capture_output=True, check=True).stdout.strip()
    # What stands in our packages can be imported there; the .pth by which our own coursekit is found is not read.
    Path(packages, "jupyter.pth").write_text(sysconfig.get_path("purelib"))
    return place / "branch", python


def run(notebook, python, folder):
    """Run a notebook in `folder` with that Python alone: before anything is installed, a cell makes sure of it."""
    guard = f"import sys; assert sys.prefix == {str(python.parents[1])!r}, sys.prefix"
    notebook.cells.insert(0, nbformat.v4.new_code_cell(guard, id="guard"))
    nbformat.write(notebook, folder / "one.ipynb")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "JUPYTER", "VIRTUAL"))}
    environment = {**kept, "PATH": f"{python.parent}{os.pathsep}{os.defpath}", "JUPYTER_DATA_DIR": str(folder)}
    command = [python, "-m", "nbconvert", "--to", "notebook", "--execute", "one.ipynb", "--output", "done"]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)


@pytest.mark.nightly
@pytest.mark.parametrize("name", ["02_additive_attention", "teaching"])
def test_a_notebook_for_colab_runs_where_the_course_is_not_installed(elsewhere, tmp_path, name):
    """Nightly, since it makes a wheel and a Python of its own; what the notebook's first cell says is seen above."""
    branch, python = elsewhere
    done = run(nbformat.read(branch / f"{name}.ipynb", as_version=4), python, tmp_path)
    assert done.returncode == 0, done.stderr


@pytest.mark.nightly
def test_without_its_first_cell_the_same_notebook_fails(elsewhere, tmp_path):
    """Nightly, as the test above that it holds to its word."""
    branch, python = elsewhere
    subprocess.run([python, "-m", "pip", "uninstall", "--yes", "--quiet", "coursekit"], check=True)
    notebook = nbformat.read(branch / "02_additive_attention.ipynb", as_version=4)
    del notebook.cells[0]
    assert "No module named 'coursekit'" in run(notebook, python, tmp_path).stderr
