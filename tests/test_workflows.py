"""The workflows of GitHub Actions are well formed, and ask for no more than they need."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / ".github" / "workflows"
FLAWED = """
on: push
jobs:
  greet:
    runs-on: ubuntu-latest
    steps: [{run: "echo ${{ github.event.head_commit.message }}"}]
"""


def run(tool, *arguments):
    """What a linter of this environment says, and whether it is content."""
    command = [Path(sys.executable).with_name(tool), *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    return done.returncode == 0, done.stdout + done.stderr


def workflow(name):
    """The jobs of a workflow."""
    return yaml.safe_load((FOLDER / name).read_text("utf-8"))["jobs"]


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.yml")), ids=lambda path: path.name)
def test_a_workflow_follows_the_schema(path):
    content, said = run("check-jsonschema", "--builtin-schema", "vendor.github-workflows", path)
    assert content, said


def test_the_workflows_give_nothing_away():
    content, said = run("zizmor", "--offline", "--no-progress", "--quiet", FOLDER)
    assert content, said


def test_a_workflow_that_runs_what_a_stranger_wrote_is_seen(tmp_path):
    (tmp_path / "flawed.yml").write_text(FLAWED)
    content, said = run("zizmor", "--offline", "--no-progress", "--quiet", tmp_path / "flawed.yml")
    assert not content and "template-injection" in said


def test_the_workflow_of_ci_runs_what_a_person_runs():
    assert workflow("ci.yml")["test"]["steps"][-1] == {"run": "bash .ci/run"}


def test_only_one_job_may_write_to_the_repository():
    writes = [name for name, job in workflow("publish.yml").items() if job["permissions"].get("contents") == "write"]
    assert writes == ["notebooks"]
